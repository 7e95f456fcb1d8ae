"""Reads an article out of a page. Pure: the same bytes and rules give the same article, on any machine, at any time.

    decode ▶ parse ▶ locate ▶ canonicalise ▶ trafilatura ▶ wrapper lines ▶ fields ▶ Article | Rejected

One path for all forms: a whole page, the piece of HTML that a full-text feed carries, a post, a plain text. They differ
in where the body begins and in who names the fields.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import unescape
from itertools import accumulate
from operator import itemgetter
from typing import TypedDict

import trafilatura
from lxml import etree
from lxml import html as lxml_html
from trafilatura.main_extractor import handle_textelem
from trafilatura.settings import MIN_DUPLICATE_LENGTH, TAG_CATALOG, Document, Extractor
from trafilatura.utils import sanitize

from articles import locate
from articles.boxes import boxes_of
from articles.bylines import fill_from_bylines, marked_runs
from articles.canonical import (
    MAX_ELEMENTS,
    Image,
    Reading,
    Run,
    canonical,
    make_blocks,
    read_runs,
    texts_of,
)
from articles.challenge import challenge_in
from articles.dates import day_of
from articles.decode import damage, decode
from articles.embedded import Embedded, article_titled, embedded_article, is_notice, is_repeated
from articles.fence import cut_around
from articles.fields import fill_from_list, images_of, read_fields
from articles.headline import Head, Headline, find_headline, heading_above, headline_above, read_head, site_names
from articles.identity import NoIdentityError, article_id, canonical_url, text_hash
from articles.language import language_of
from articles.locate import Finder, Lane, Wanted
from articles.normalise import clean_line, clean_text, join_unfinished
from articles.posts import BadPost, first_clause, parse_post, plain_paragraphs, split_title, unframed_text
from articles.records import Article, Listed, Page, Reason, Rejected
from articles.scene import Found, scene_of
from articles.source import ArticleRules, Source
from articles.symbols import marks_below, symbols_of
from articles.times import Clock, fill_from_lines, fill_from_scripts, fill_from_url, flag_times
from articles.wrapper import is_medium, label_values, person, strip_wrapper

# Raised with every change that can alter a row; kept in each row with the hash of the source's rules.
VERSION = "5"

# The largest of 290 real pages has 0.8 MB; beyond this, parsing alone takes a second.
MAX_BYTES = 4 * 1024 * 1024
# libxml2 takes quadratic time for the attributes of a tag: 40,000 are 2.5 seconds, 200,000 minutes. Real tags have up
# to 156, where a quotation mark is missing.
MAX_ATTRIBUTES = 1_000
# Attributes without a ">" show as a stretch without one, which costs nothing to look for. For those that have it in
# their values, all tags must be read: below this, they cost two seconds at most.
BIG_PAGE_CHARS = 300_000
STRETCH_CHARS = 8_000
# Given to trafilatura at once: its XPaths take quadratic time for what stands side by side, 18 seconds for 56,000.
MAX_PARAGRAPHS = 250
MAX_REMOVED_LINES = 100
DAMAGE_CHARS = 2_000
MAX_REMOVED_CHARS = 200
# Below this, what was voted for is a caption or a notice, and the text may lie in a script.
FEW_CHARS = 60
# Of a text in a script, to take the place of what is displayed.
MIN_TITLED_CHARS = 80
MIN_TIMES_AS_LONG = 2
MIN_SENTENCE_CHARS = 20

_PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, collect_ids=False)
# Built once: reading trafilatura's own configuration costs as much as extracting a short article. Never `dedup`: it
# remembers what was extracted before, and gives one document different texts.
_OPTIONS = Extractor(output_format="python", fast=True, recall=True, comments=False, tables=True)
_OPTIONS.min_extracted_size = 1
_OPTIONS.min_output_size = 1
_TEXT_TAGS = set(TAG_CATALOG)
_WHOLE_PAGE = Extractor(output_format="python", fast=True, precision=True, comments=False, tables=True)

# Letters of a dead script, for characters that trafilatura would drop.
_STAND_INS = tuple(map(chr, range(0x17000, 0x187F0)))

_NOT_TEXT = ((b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"GIF8", "a picture"), (b"\xff\xd8\xff", "a picture"))
_PACKED = ((b"PK\x03\x04", "an archive"), (b"\x1f\x8b", "a gzip file"))
_PAYWALL = re.compile(
    r"登[录陆]后(?:可|即可|才能|方可)?(?:阅读|查看|继续)|付费(?:阅读|内容|后)|解锁(?:全文|阅读)|试读(?:结束|已)|"
    r"订阅后(?:阅读|查看)|开通(?:会员|VIP).{0,8}(?:阅读|查看)|(?:购买|订阅)(?:全文|本文|后阅读)|剩余\d+%?(?:的?内容|字)|"
    r"subscribe to read",
    re.IGNORECASE,
)
_MORE = re.compile(r"(?:阅读|查看|展开|显示)(?:全文|剩余|更多内容)")
_NEXT_PAGE = re.compile(r"下一?[页頁]|余下全文|(?:第\s*)?\d+\s*/\s*\d+\s*页")
_CUT_SHORT = ("…", "...", "．．．")
_EDITED_AT = re.compile(r"(?:发布|编辑|發布|編輯)[于於]\s*\d{4}")
# 「某某社 记者 王一鸣」, as one value for programs.
_MEDIUM_AND_RANK = re.compile(r"^\S{2,12}\s+\S{0,4}[记記]者[\s：:]+(?=\S)")
_BYLINE_RULES = ("labels", "time_line", "account_line")
_REST_OF_TAG = re.compile(r"[A-Za-z][A-Za-z-]*=\\*\"[^\"<>\u4e00-\u9fff]{0,60}\"\s*/?>")
# Counts as generously as libxml2 reads, and each character once: whatever begins like a tag is consumed with the match.
_ATTRIBUTE = r"""[\s/=]*+[^\s>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?"""
_TAG = re.compile(rf"<[A-Za-z](?:{_ATTRIBUTE}){{0,{MAX_ATTRIBUTES}}}+(?P<one_more>{_ATTRIBUTE})?+")


@dataclass(slots=True)
class Body:
    """The text of an article, and what was taken out around it."""

    lines: list[str]
    kept: list[Run] = field(default_factory=list)
    dropped: list[tuple[str, Run]] = field(default_factory=list)
    """Reason and run: parts of the container that are not the article."""
    wrapper: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)
    """Rule and line."""


@dataclass(slots=True)
class Outcome:
    """An article with the way to it, for `explain`."""

    article: Article
    lane: Lane
    body: Body
    found: Found


@dataclass(slots=True)
class _Place:
    """Where on a page its article stands; nothing of the article is read yet."""

    html: str
    tree: etree._Element
    finder: Finder
    head: Head
    reading: Reading
    headline: Headline
    lane: Lane
    named: list[etree._Element] = field(default_factory=list)
    """The containers that the source's rules name; none where a vote found the place."""
    runs: list[Run] = field(default_factory=list)
    behind: list[Run] = field(default_factory=list)
    """What the vote left out at the end."""
    flags: list[str] = field(default_factory=list)

    @property
    def pictures(self) -> list[Image]:
        """Those in the containers that the rules name."""
        return [each for each in self.reading.images if any(map(self.named.__contains__, each.element.iterancestors()))]


class _RefusedError(Exception):
    """Inside this module only: why a page gives no article."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def extract(page: Page, source: Source) -> Article | Rejected:
    """The article of a page, or why it has none."""
    outcome = examine(page, source)
    return outcome.article if isinstance(outcome, Outcome) else outcome


def examine(page: Page, source: Source) -> Outcome | Rejected:
    """As `extract`, with all that was seen on the way."""
    readers = {"html": _from_html, "fragment": _from_fragment, "post": _from_post, "text": _from_text}
    try:
        _check_bytes(page)
        reader = readers.get(page.form)
        if reader is None:
            raise _RefusedError(Reason.TYPE, f"a {page.form} is no article: read its rows instead")
        return reader(page, source)
    except _RefusedError as refused:
        return Rejected(
            source=source.id,
            url=page.url,
            reason=refused.reason,
            detail=refused.detail,
            fetched_at=page.fetched_at,
            raw_ref=page.raw_ref,
        )


def extractor_of(source: Source) -> str:
    """Version of the extractor and hash of the source's article rules: where both are equal, no row can differ."""
    return f"{VERSION}+{source.article.digest}"


def _check_bytes(page: Page) -> None:
    if not page.body or page.body.isspace():
        raise _RefusedError(Reason.EMPTY, "no bytes: fetch it again")
    if len(page.body) > MAX_BYTES:
        raise _RefusedError(Reason.LIMIT, f"{len(page.body):,} bytes, at most {MAX_BYTES:,} are read")
    for start, what in (*_NOT_TEXT, *_PACKED):
        if page.body.startswith(start):
            raise _RefusedError(Reason.TYPE, f"{what} where a text was promised")


# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_html(page: Page, source: Source) -> Outcome:
    decoded = decode(page.body, content_type=page.headers.get("content-type"), charset=source.article.charset)
    html = _without_zeros(decoded.text, page)
    place = _find_place(html, decoded.utf8 if html is decoded.text else None, source.article, page.listed.title)
    body = _body_at(place, source)
    return _read_around(place, body, page, source, flags=[*decoded.flags, *place.flags])


def _from_fragment(page: Page, source: Source) -> Outcome:
    decoded = decode(page.body, content_type=page.headers.get("content-type"), charset=source.article.charset)
    return _from_piece(page, source, _without_zeros(decoded.text, page), list(decoded.flags))


def _from_post(page: Page, source: Source) -> Outcome:
    decoded = decode(page.body)
    post = parse_post(_without_zeros(decoded.text, page))
    if isinstance(post, BadPost):
        raise _RefusedError(Reason.FRONT_MATTER, post.detail)
    page = replace(page, url=page.url or post.url, listed=_merged(page.listed, post.listed))
    return _from_piece(page, source, post.body_html, [*decoded.flags, *post.flags], framed=post.removed)


def _from_text(page: Page, source: Source) -> Outcome:
    decoded = decode(page.body)
    framed = unframed_text(decoded.text, page.listed.title or "")
    page = replace(page, url=page.url or framed.url, listed=_merged(page.listed, framed.listed))
    title, text = (page.listed.title, framed.body) if page.listed.title else split_title(framed.body)
    paragraphs = plain_paragraphs(text)
    # Of a text that lends its title its first clause, the first line is no headline.
    is_apart = bool(page.listed.title) or text != framed.body
    repeated = [
        ("headline", line)
        for line in paragraphs[:1]
        if is_apart and len(paragraphs) > 1 and locate.is_same(line, title or "")
    ]
    stripped = strip_wrapper(join_unfinished(paragraphs[len(repeated) :]), **_line_patterns(source.article))
    body = Body(stripped.lines, wrapper=stripped.fields, removed=[*repeated, *stripped.removed])
    body.removed += [("frame", line) for line in framed.removed]
    return _outcome(
        page, source, clean_line(title or ""), "piece", body, _found_in_wrapper(body), list(decoded.flags), decoded.text
    )


def _from_piece(page: Page, source: Source, html: str, flags: list[str], *, framed: Sequence[str] = ()) -> Outcome:
    """An article whose HTML is all body."""
    root = _parse(f"<div>{html}</div>")
    _apply_rules(Finder(root, _wanted(source.article.selectors)), [root], source.article)
    reading = _read(root)
    locate.mark_noise(reading, None)
    title = clean_line(page.listed.title or "")
    body = read_body(reading.runs, source, title, all_body=True)
    body.removed += [("frame", line) for line in framed]
    images = images_of(reading.images, 0, len(reading.runs), page.url)
    if not body.lines and not images:
        raise _RefusedError(Reason.NO_TEXT, "no text in the piece")
    flags += _flags_of_page(reading, body, [])
    title = title or (first_clause(body.lines[0]) if body.lines else "")
    links = list(marks_below(root))
    raw = f"{page.listed.title or ''}\n{html}"
    return _outcome(page, source, title, "piece", body, _found_in_wrapper(body), flags, raw, images=images, links=links)


def _without_zeros(text: str, page: Page) -> str:
    # Looked for in the bytes: in the memory of a wide string every other byte may be zero, and the search stumbles.
    return text.replace("\0", "") if b"\0" in page.body else text


def _found_in_wrapper(body: Body) -> Found:
    found = Found()
    wrapper = body.wrapper
    found.take("publisher", *(("wrapper line", wrapper.get(name)) for name in ("publisher", "medium")))
    found.take("author", ("wrapper line", wrapper.get("author")))
    found.take("editor", ("wrapper line", wrapper.get("chief")), ("wrapper line", wrapper.get("editor")))
    return found


def _merged(first: Listed, second: Listed) -> Listed:
    names = ("title", "published", "updated", "summary", "publisher", "author", "section", "tags", "native_id")
    return Listed(**{name: getattr(first, name) or getattr(second, name) for name in names})


def _clock(page: Page, source: Source) -> Clock:
    return Clock(page.fetched_at, source.zone, page.final_url or page.url)


# ── body ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parse(html: str, utf8: bytes | None = None) -> etree._Element:
    """`utf8` is the same as bytes, where these are at hand."""
    _check_tags(html)
    tree = etree.fromstring(utf8 or html.encode("utf-8", "replace"), _PARSER)
    if tree is None:
        raise _RefusedError(Reason.NO_TEXT, "nothing that could be parsed")
    return tree


def _check_tags(html: str) -> None:
    """Before lxml sees it, for what it does with such a tag cannot be interrupted."""
    is_suspect = len(html) > BIG_PAGE_CHARS or _has_stretch(html)
    if is_suspect and any(map(itemgetter("one_more"), _TAG.finditer(html))):
        raise _RefusedError(Reason.LIMIT, f"a tag of more than {MAX_ATTRIBUTES:,} attributes")


def _has_stretch(html: str) -> bool:
    """Is there a stretch of `STRETCH_CHARS` without a tag's end? All that are twice as long are found."""
    starts = range(0, len(html) - STRETCH_CHARS, STRETCH_CHARS)
    return any(html.find(">", start, start + STRETCH_CHARS) == -1 for start in starts)


def _read(tree: etree._Element) -> Reading:
    reading = read_runs(tree)
    if reading.too_many:
        raise _RefusedError(Reason.LIMIT, f"more than {MAX_ELEMENTS:,} elements")
    return reading


def _find_place(html: str, utf8: bytes | None, rules: ArticleRules, listed_title: str | None) -> _Place:
    """By the source's rules, and by a vote where none of them holds."""
    tree, finder, named, lane = _locate_by_rule(html, utf8, rules)
    _apply_rules(finder, named, rules)
    head, reading = read_head(tree), _read(tree)
    headline = find_headline(head, reading, listed_title)
    if title := finder.text(rules.title):
        headline = Headline(clean_line(title), headline.order)
    place = _Place(html, tree, finder, head, reading, headline, lane)
    if named:
        locate.mark_noise(reading, headline.order)
        place.named, place.runs = named, _runs_of(reading, named)
        # A container of pictures may be an article; one without text or pictures is the wrong one.
        if not place.runs and not place.pictures:
            place.named = []
    if not place.named:
        place.lane = "vote"
        place.runs, place.behind = locate.vote(reading, headline.order)
        place.flags += ["drift"] if rules.body else []
    if headline.order is None and not listed_title:
        above = heading_above if headline.text else headline_above
        place.headline = above(reading.runs, place.runs) or headline
    return place


def _locate_by_rule(
    html: str, utf8: bytes | None, rules: ArticleRules
) -> tuple[etree._Element, Finder, list[etree._Element], Lane]:
    """The parsed page, the containers that the source's rules name on it (none, if no rule holds), and the lane."""
    if rules.body and (cut := cut_around(html, rules.body, rules.fields)) is not None:
        tree = _parse(cut)
        finder = Finder(tree, _wanted(rules.selectors))
        if named := locate.containers(finder, rules.body):
            return tree, finder, named, "slice"
    tree = _parse(html, utf8)
    finder = Finder(tree, _wanted(rules.selectors))
    named = locate.containers(finder, rules.body)
    return tree, finder, named, "rule" if named else "vote"


# A source's, from page to page.
_wanted = lru_cache(maxsize=256)(Wanted)


def _apply_rules(finder: Finder, named: Collection[etree._Element], rules: ArticleRules) -> None:
    """Take out what the source's rules drop, and the tags of what they unwrap."""
    make_blocks(named)
    for container in named:
        for selector in rules.drop:
            for element in finder.select(selector, container):
                if element is not container:
                    # Emptied, not removed: fields may still be read from it by the rules, and its tail stays.
                    element.set("style", "display:none")
        for selector in rules.unwrap:
            for element in finder.select(selector, container):
                element.tag = "span"


def _runs_of(reading: Reading, named: Sequence[etree._Element]) -> list[Run]:
    return [run for start, end, element in reading.spans if element in named for run in reading.runs[start:end]]


def _body_at(place: _Place, source: Source) -> Body:
    """What is read at the place, or, if that is next to nothing, in a script of the page."""
    marked, names = marked_runs(place.reading, place.headline.order), site_names(place.head)
    # Of a page with rules, they say what is the body's.
    among = None if place.named else place.reading
    title, order = place.headline.text, place.headline.order
    body = read_body(place.runs, source, title, order, marked=marked, site=names, reading=among)
    body.dropped += [("behind the article", run) for run in place.behind]
    if not place.named and (elsewhere := _from_elsewhere(place, body, source)):
        place.lane, body = elsewhere
        if place.lane == "json":
            json_times = (*filter(None, (body.wrapper.get("time"),)), *place.head.json_times)
            place.head = replace(place.head, json_times=json_times)
            place.headline = _title_beside(place.headline, body.wrapper.get("title", ""))
    return body


def read_body(
    runs: Sequence[Run],
    source: Source,
    title: str,
    headline: int | None = None,
    *,
    marked: Collection[int] = (),
    site: Collection[str] = (),
    reading: Reading | None = None,
    all_body: bool = False,
) -> Body:
    """The lines of an article from the runs of its container; with the `reading` they are of, without the site's boxes
    among them."""
    chosen = locate.choose(runs, title, headline, marked=marked, all_body=all_body)
    dropped: list[tuple[str, Run]] = list(chosen.dropped)
    fields: dict[str, str] = {}
    for _, run in dropped:
        for name, value in label_values(run.pieces).items() if len(run.text) <= MAX_REMOVED_CHARS else ():
            fields.setdefault(name, value)
    paragraphs = [text for run in chosen.kept if (text := clean_line(_without_attributes(run.paragraph)))]
    if not paragraphs:
        return Body([], dropped=dropped, wrapper=fields)
    lines = join_unfinished(_through_trafilatura(paragraphs))
    boxes = boxes_of(reading, chosen.kept) if reading else {}
    in_boxes = {clean_line(run.paragraph): boxes[run.order] for run in chosen.kept if run.order in boxes}
    stripped = strip_wrapper(lines, **_line_patterns(source.article), site_names=site, boxes=in_boxes)
    return Body(stripped.lines, chosen.kept, dropped, stripped.fields | (fields if all_body else {}), stripped.removed)


def _without_attributes(text: str) -> str:
    """Broken programs leave rests of tags in the text: `class=\\"big\\">`."""
    return _REST_OF_TAG.sub("", text) if '">' in text else text


class _LinePatterns(TypedDict):
    drop_lines: list[re.Pattern[str]]
    keep_lines: list[re.Pattern[str]]


def _line_patterns(rules: ArticleRules) -> _LinePatterns:
    # re keeps what it compiled.
    return {
        "drop_lines": [re.compile(pattern) for pattern in rules.drop_lines],
        "keep_lines": [re.compile(pattern) for pattern in rules.keep_lines],
    }


def _through_trafilatura(paragraphs: Sequence[str]) -> list[str]:
    """It drops what Python calls unprintable, such as characters of private use: others stand in for them meanwhile."""
    joined = "".join(paragraphs)
    if joined.isprintable():
        return _without_loss(paragraphs)
    odd = sorted({char for char in joined if not char.isprintable()})
    stand_ins = {ord(char): other for char, other in zip(odd, (c for c in _STAND_INS if c not in joined), strict=False)}
    back = {ord(other): char for char, other in stand_ins.items()}
    return [line.translate(back) for line in _without_loss([text.translate(stand_ins) for text in paragraphs])]


def _without_loss(paragraphs: Sequence[str]) -> list[str]:
    starts = range(0, len(paragraphs), MAX_PARAGRAPHS)
    return [line for start in starts for line in _extracted(paragraphs[start : start + MAX_PARAGRAPHS])]


def _extracted(paragraphs: Sequence[str]) -> Sequence[str]:
    """By its handling of text elements and its writing of lines, without what it does to pages before: plain paragraphs
    hold nothing to choose from, to prune or to convert (0.15 ms instead of 0.2 with its writing of a tree, 0.55 with
    all of `extract_content` and 0.9 with `bare_extraction`; the same text on every page of the corpus)."""
    paragraph = etree.Element("p")
    lines: list[str] = []
    above = ""
    for text in paragraphs:
        paragraph.text = text
        kept = handle_textelem(paragraph, _TEXT_TAGS, _OPTIONS)
        line = "" if kept is None else kept.text or ""
        if line and (line != above or len(line) <= MIN_DUPLICATE_LENGTH):
            lines.append(line)
            above = line
    # As its `xmltotxt` writes paragraphs.
    written = unescape(sanitize("\n".join(lines), preserve_space=True) or "")
    written = written or _trafilatura(canonical(paragraphs), _OPTIONS)
    return clean_text(written).split("\n") if written else paragraphs


def _trafilatura(tree: lxml_html.HtmlElement, options: Extractor) -> str:
    document = trafilatura.bare_extraction(tree, options=options)
    return (document.text or "") if isinstance(document, Document) else ""


def _from_elsewhere(place: _Place, body: Body, source: Source) -> tuple[Lane, Body] | None:
    """A longer text than the vote found: in a script's JSON, or by trafilatura on the whole page."""
    if _chars(body.lines) < FEW_CHARS:
        return _longer_in_scripts(place, body, source) or _from_whole_page(place.html, body, source)
    # Nearly every page that displays its article displays the headline above it.
    if place.headline.order is None or _tells_little(body.lines):
        return _titled_in_scripts(place, body, source)
    return None


def _longer_in_scripts(place: _Place, body: Body, source: Source) -> tuple[Lane, Body] | None:
    displayed = "" if place.headline.order is None else place.headline.text
    piece = article_titled(place.tree, _titles_of(place)) or embedded_article(place.tree, displayed)
    found = _read_piece(piece, place, source) if piece else None
    return ("json", found) if found and _chars(found.lines) > _chars(body.lines) else None


def _titled_in_scripts(place: _Place, body: Body, source: Source) -> tuple[Lane, Body] | None:
    """The text under the page's title, where what is displayed is another: much shorter, or notices of the site."""
    told = [line for line in body.lines if not is_notice(line)]
    piece = article_titled(place.tree, _titles_of(place))
    if not piece and not place.headline.text and _chars(told) < FEW_CHARS:
        # One <title> for all pages: any text with a title.
        longest = embedded_article(place.tree)
        piece = longest if longest and longest.fields.get("title") else None
    found = _read_piece(piece, place, source) if piece else None
    if not found or _chars(found.lines) < max(MIN_TITLED_CHARS, MIN_TIMES_AS_LONG * _chars(told)):
        return None
    return None if is_repeated(told, "".join(found.lines)) else ("json", found)


def _tells_little(lines: Iterable[str]) -> bool:
    """Are there few words but notices? Of an article, the first line settles it."""
    told = accumulate(0 if is_notice(line) else len(line) for line in lines)
    return all(chars < FEW_CHARS for chars in told)


def _titles_of(place: _Place) -> tuple[str, ...]:
    return place.headline.text, place.head.title


def _chars(lines: Iterable[str]) -> int:
    return sum(map(len, lines))


def _read_piece(piece: Embedded, place: _Place, source: Source) -> Body:
    runs = _read(_parse(f"<div>{piece.html}</div>")).runs
    found = read_body(runs, source, place.headline.text, all_body=True)
    # Runs of another tree: they tell nothing of places on the page.
    return replace(found, kept=[], wrapper=found.wrapper | _said_beside(piece))


def _from_whole_page(html: str, body: Body, source: Source) -> tuple[Lane, Body] | None:
    if body.lines:
        return None
    # Of a slice, all behind it is new.
    _check_tags(html)
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True)
    page = lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    lines = clean_text(_trafilatura(page, _WHOLE_PAGE)).split("\n")
    if not any(len(line) >= MIN_SENTENCE_CHARS and ("。" in line or ". " in line) for line in lines):
        return None
    stripped = strip_wrapper(lines, **_line_patterns(source.article))
    return "full", Body(stripped.lines, wrapper=stripped.fields, removed=stripped.removed)


def _said_beside(piece: Embedded) -> dict[str, str]:
    fields = {name: clean_line(value) for name, value in piece.fields.items()}
    fields["author"] = person(_MEDIUM_AND_RANK.sub("", fields.get("author", "")))
    return {name: value for name, value in fields.items() if value and "//" not in value}


def _title_beside(headline: Headline, title: str) -> Headline:
    """The title beside the text, unless the page displays or its <title> says another."""
    says_another = headline.text and not (title and headline.text.startswith(title))
    return headline if headline.order is not None or says_another else Headline(title, None)


def _refuse_textless(html: str) -> None:
    if words := challenge_in(html):
        raise _RefusedError(Reason.CHALLENGE, f"a check page instead of an article: «{words}»")
    raise _RefusedError(Reason.NO_TEXT, "no sentence on the page: it may be filled in by a script")


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_around(place: _Place, body: Body, page: Page, source: Source, *, flags: list[str]) -> Outcome:
    """All but the text: fields, pictures and codes of an article whose body is read."""
    clock, reading, dropped = _clock(page, source), place.reading, [run for _, run in body.dropped]
    removed = [line for _, line in body.removed]
    scene = scene_of(place.head, reading, place.headline, body.kept, dropped, removed)
    title = place.headline.text
    if not title and place.head.title:
        # A flash without a headline lends itself its first clause, as in a feed.
        title = first_clause(body.lines[0]) if body.lines else place.head.title
    first, last = (scene.first, scene.last) if body.kept else (0, len(reading.runs))
    pictures = reading.images if body.kept else place.pictures
    images = images_of(pictures, first, last, clock.url)
    if not body.lines and not (place.named and images):
        _refuse_textless(place.html)
    found = read_fields(scene, body.wrapper, clock)
    fill_from_scripts(found, place.tree, clock, title)
    _overrule(found, place.finder, source.article, clock)
    flags = [*flags, *_flags_of_page(reading, body, scene.behind), *clock.flags]
    links = [address for order, address in reading.stock_links if scene.first <= order <= scene.last + 1]
    links += [mark for container in place.named for mark in marks_below(container)]
    return _outcome(page, source, title, place.lane, body, found, flags, None, images=images, links=links)


def _overrule(found: Found, finder: Finder, rules: ArticleRules, clock: Clock) -> None:
    """What the source's selectors say goes before all other witnesses."""
    for name in ("publisher", "author", "editor", "section", "summary"):
        if value := finder.text(getattr(rules, name)):
            labels = label_values(value)
            key = "chief" if name == "editor" and "chief" in labels else name
            value = labels.get(key) or value.strip("（）()【】[] ")
            value = person(value) if name == "author" else value
            if name == "author" and is_medium(value):
                continue
            if name == "editor" and found.witnesses.get("author") == "meta" and found.author == value:
                found.author = None
            setattr(found, name, value)
            found.witnesses[name] = "rule"
    if rules.tags:
        elements = (element for selector in rules.tags for element in finder.select(selector))
        tags = dict.fromkeys(clean_line(" ".join(texts_of(element))) for element in elements)
        found.tags = tuple(tag for tag in tags if tag) or found.tags
    for name in ("published", "updated"):
        for selector in getattr(rules, name):
            value = finder.text([selector])
            if value and (moment := clock.read(value) or clock.find(value)):
                setattr(found, name, moment)
                found.witnesses[name] = "rule"
                break


def _flags_of_page(reading: Reading, body: Body, behind: Iterable[Run]) -> list[str]:
    flags: list[str] = []
    around = [run.text for run in behind] + [line for _, line in body.removed] + [run.text for _, run in body.dropped]
    last = body.lines[-1] if body.lines else ""
    short = [text for text in (*around, last) if len(text) <= MAX_REMOVED_CHARS]
    if any(map(_PAYWALL.search, short)):
        flags += ["paywall", "truncated"]
    elif last.endswith(_CUT_SHORT) and any(map(_MORE.search, short)):
        flags.append("truncated")
    inside = [line for _, line in body.removed] + [run.text for _, run in body.dropped]
    if any(len(text) <= 40 and _NEXT_PAGE.search(text) for text in inside):
        flags.append("paged")
    if reading.too_deep:
        flags.append("deep")
    return flags


def _outcome(
    page: Page,
    source: Source,
    title: str,
    lane: Lane,
    body: Body,
    found: Found,
    flags: list[str],
    raw: str | None,
    *,
    images: tuple[str, ...] = (),
    links: Sequence[str] = (),
) -> Outcome:
    text = clean_text("\n".join(body.lines))
    if not text and not images:
        raise _RefusedError(Reason.NO_TEXT, "nothing is left of the text")
    if not title:
        raise _RefusedError(Reason.NO_TITLE, "no headline on the page and none in the list")
    _fill_from_elsewhere(found, page, source, body)
    url = page.url or page.final_url
    published = found.published
    article = Article(
        article_id=_identity(page, source, url, raw),
        source=source.id,
        date=day_of(published.at, source.zone) if published and published.at else None,
        url=url,
        canonical_url=canonical_url(url, query_keys=source.query_keys) if url else "",
        title=title,
        text=text,
        summary=found.summary,
        publisher=found.publisher,
        author=found.author,
        editor=found.editor,
        section=found.section,
        tags=found.tags,
        images=images,
        symbols=symbols_of(links, text),
        published_at=published.at if published else None,
        published_precision=published.precision if published else "none",
        published_raw=published.raw if published else None,
        updated_at=found.updated.at if found.updated else None,
        fetched_at=page.fetched_at,
        lang=language_of(text, source.language),
        text_hash=text_hash(title, text),
        removed=_removed(body),
        flags=tuple(dict.fromkeys((*flags, *found.flags, *_flags_of_text(text, source)))),
        extractor=extractor_of(source),
        raw_ref=page.raw_ref,
        page_digest=page.digest,
    )
    return Outcome(article, lane, body, found)


def _fill_from_elsewhere(found: Found, page: Page, source: Source, body: Body) -> None:
    """What neither the page's fields nor its rules have named, by the further witnesses in their order."""
    clock = _clock(page, source)
    fill_from_list(found, page.listed, clock)
    if page.form != "html":
        fill_from_bylines(found, _bylines(body))
    fill_from_lines(found, _bylines(body), clock)
    if page.form != "html" and found.published is None:  # a post that shows when it was edited shows nothing else
        fill_from_lines(found, _edited(body), clock)
    fill_from_url(found, clock)
    flag_times(found, clock)
    found.take("publisher", ("source", source.publisher))


def _identity(page: Page, source: Source, url: str, raw: str | None) -> str:
    """`raw` is the text as it came, None for whole pages: what has no address is named by it or by its bytes, so that
    better rules never change an id."""
    native_id = page.listed.native_id
    if not raw and not url and not native_id:
        raw = hashlib.sha256(page.body).hexdigest()
    try:
        return article_id(source, url, native_id=native_id, fallback_text=raw or "")
    except NoIdentityError as error:
        raise _RefusedError(Reason.IDENTITY, str(error)) from error


def _flags_of_text(text: str, source: Source) -> tuple[str, ...]:
    flags = damage(text[:DAMAGE_CHARS])
    if not text:
        return (*flags, "images_only")
    return (*flags, "short") if len(text) < source.gates.min_text else flags


def _bylines(body: Body) -> Iterator[str]:
    yield from (run.text for why, run in body.dropped if why == "headline" and len(run.text) <= MAX_REMOVED_CHARS)
    yield from (line for rule, line in body.removed if rule in _BYLINE_RULES or rule.startswith("edge_line"))


def _edited(body: Body) -> Iterator[str]:
    """Lines and links that tell when a text was edited, 「编辑于 2026-11-19 21:05」."""
    yield from (line for rule, line in body.removed if rule == "edited_at")
    yield from (run.text for why, run in body.dropped if why == "links" and _EDITED_AT.match(run.text))


def _removed(body: Body) -> tuple[str, ...]:
    lines = [*(line for _, line in body.removed), *(run.text for _, run in body.dropped)]
    return tuple(line[:MAX_REMOVED_CHARS] for line in lines[:MAX_REMOVED_LINES])

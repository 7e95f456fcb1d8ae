"""Reads an article out of a page. Pure: the same bytes and rules give the same article, on any machine, at any time.

    decode ─▶ parse ─▶ locate ─▶ canonicalise ─▶ trafilatura ─▶ wrapper lines ─▶ fields ─▶ Article | Rejected

One path for all forms: a whole page, the piece of HTML that a full-text feed carries, a post, a plain text. They differ in
where the body begins and in who names the fields.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import urljoin

import trafilatura
from lxml import etree
from trafilatura.settings import Extractor

from articles import locate
from articles.canonical import Reading, Run, canonical, read_runs
from articles.dates import Moment, day_of, parse_time
from articles.decode import decode
from articles.fields import Found, Head, Headline, choose_time, find_headline, read_fields, read_head
from articles.identity import NoIdentityError, article_id, canonical_url, text_hash
from articles.normalise import clean_line, clean_text, drop_breaks, join_unfinished
from articles.posts import BadPost, first_clause, parse_post, plain_paragraphs, split_title
from articles.records import Article, Listed, Page, Reason, Rejected
from articles.source import Source
from articles.wrapper import reporter_inside, strip_wrapper

# Raised with every change that can alter a row; kept in each row with the hash of the source's rules.
VERSION = "1"

MAX_BYTES = 4 * 1024 * 1024
MIN_BODY_CHARS = 10

_PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
# Built once: reading trafilatura's own configuration costs as much as extracting a short article.
_OPTIONS = Extractor(output_format="python", fast=True, recall=True, comments=False, tables=True)
_OPTIONS.min_extracted_size = 1
_OPTIONS.min_output_size = 1

CHALLENGE = re.compile(
    r"aliyunCaptcha|wzwschallenge|acw_sc__v2|访问验证|请完成安全验证|安全验证|滑动验证|人机验证|Just a moment\.\.\.|cf-browser-verification|"
    r"页面不存在|访问的页面|系统维护|404 Not Found|您访问的文章|enable JavaScript"
)


@dataclass(slots=True)
class Body:
    """The text of an article and what was taken out around it."""

    lines: list[str]
    runs: list[Run] = field(default_factory=list)
    dropped: list[Run] = field(default_factory=list)
    """Runs of the container that are not the article."""
    wrapper: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)


class _Refused(Exception):
    """Inside this module only: why a page gives no article."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def extract(page: Page, source: Source) -> Article | Rejected:
    """The article of a page, or why it has none."""
    readers = {"html": _from_html, "fragment": _from_fragment, "post": _from_post, "text": _from_text}
    try:
        _check_bytes(page)
        reader = readers.get(page.form)
        if reader is None:
            raise _Refused(Reason.TYPE, f"a {page.form} holds no article: read its rows instead")
        return reader(page, source)
    except _Refused as refused:
        return Rejected(
            source=source.id,
            url=page.url,
            reason=refused.reason,
            detail=refused.detail,
            fetched_at=page.fetched_at,
            raw_ref=page.raw_ref,
        )


def extractor_of(source: Source) -> str:
    """Version of the extractor and hash of the source's article rules: equal means that no row can differ."""
    rules = source.article.model_dump_json()
    return f"{VERSION}+{hashlib.sha256(rules.encode()).hexdigest()[:8]}"


def _check_bytes(page: Page) -> None:
    if not page.body.strip():
        raise _Refused(Reason.EMPTY, "no bytes: fetch it again")
    if len(page.body) > MAX_BYTES:
        raise _Refused(Reason.LIMIT, f"{len(page.body):,} bytes, at most {MAX_BYTES:,} are read")
    head = page.body[:8]
    if head.startswith((b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b")):
        raise _Refused(Reason.TYPE, "not a text: a PDF, a picture or an archive")


# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_html(page: Page, source: Source) -> Article:
    decoded = decode(page.body, content_type=page.headers.get("content-type"), charset=source.article.charset)
    flags = list(decoded.flags)
    rules = source.article
    html = decoded.text.replace("\0", "")
    tree, containers, lane = _parse_and_locate(html, source)
    head = read_head(tree)
    reading = read_runs(tree)
    if reading.too_many:
        raise _Refused(Reason.LIMIT, f"more than {reading.elements - 1:,} elements")
    headline = find_headline(head, reading, page.listed.title)
    if rules.title and (title := locate.select_text(tree, rules.title)):
        headline = Headline(clean_line(title), headline.order)
    if containers:
        runs = _runs_below(containers, source)
    else:
        if rules.body:
            flags.append("drift")
        runs = locate.vote(reading, headline.order)
    body = read_body(runs, source, headline.text)
    if not body.lines:
        _refuse_textless(html, head)
    found = read_fields(
        head,
        reading,
        headline,
        body.runs,
        body.dropped,
        body.wrapper,
        fetched_at=page.fetched_at,
        zone=source.zone,
        url=page.final_url or page.url,
    )
    _by_rules(found, tree, page, source)
    return _article(page, source, headline.text, body, found, flags + found.flags)


def _from_fragment(page: Page, source: Source) -> Article:
    decoded = decode(page.body, content_type=page.headers.get("content-type"), charset=source.article.charset)
    return _from_piece(page, source, decoded.text, page.listed, list(decoded.flags))


def _from_post(page: Page, source: Source) -> Article:
    decoded = decode(page.body)
    post = parse_post(decoded.text)
    if isinstance(post, BadPost):
        raise _Refused(Reason.FRONT_MATTER, post.detail)
    listed = _merged(page.listed, post.listed)
    page = replace(page, url=page.url or post.url, final_url=page.final_url or post.url)
    return _from_piece(page, source, post.body_html, listed, [*decoded.flags, *post.flags])


def _from_text(page: Page, source: Source) -> Article:
    decoded = decode(page.body)
    title, text = (page.listed.title, decoded.text) if page.listed.title else split_title(decoded.text)
    lines = join_unfinished(plain_paragraphs(text))
    stripped = strip_wrapper(lines)
    body = Body(stripped.lines, wrapper=stripped.fields, removed=stripped.removed)
    if not body.lines:
        raise _Refused(Reason.NO_TEXT, "an empty text")
    found = _from_list(page.listed, Found(), page, source)
    return _article(page, source, clean_line(title or ""), body, found, list(decoded.flags))


def _from_piece(page: Page, source: Source, html: str, listed: Listed, flags: list[str]) -> Article:
    """An article whose HTML is all body."""
    tree = _parse(f"<html><body><div>{html}</div></body></html>")
    body_element = tree.find("body")
    assert body_element is not None
    runs = _runs_below([body_element], source)
    title = clean_line(listed.title or "")
    body = read_body(runs, source, title)
    if not body.lines:
        raise _Refused(Reason.NO_TEXT, "no text in the piece")
    found = Found(
        publisher=body.wrapper.get("publisher"), author=body.wrapper.get("author"), editor=body.wrapper.get("chief") or body.wrapper.get("editor")
    )
    found = _from_list(listed, found, page, source)
    return _article(page, source, title or first_clause(body.lines[0]), body, found, flags + found.flags)


# ── body ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parse(html: str) -> etree._Element:
    tree = etree.fromstring(html.encode("utf-8", "replace"), _PARSER)
    if tree is None:
        raise _Refused(Reason.NO_TEXT, "no element could be read")
    return tree


def _parse_and_locate(html: str, source: Source) -> tuple[etree._Element, list[etree._Element], str]:
    rules = source.article
    if rules.body:
        cut = locate.cut_behind(html, rules.body)
        if cut is not None:
            tree = _parse(cut)
            if containers := locate.by_rule(tree, rules.body):
                return tree, containers, "slice"
    tree = _parse(html)
    containers = locate.by_rule(tree, rules.body) if rules.body else []
    return tree, containers, "rule" if containers else "vote"


def _runs_below(containers: Sequence[etree._Element], source: Source) -> list[Run]:
    """Runs of known containers, less what the source's rules drop."""
    runs: list[Run] = []
    for container in containers:
        for selector in source.article.drop:
            for element in locate.select(container, selector):
                _remove(element)
        for selector in source.article.unwrap:
            for element in locate.select(container, selector):
                element.tag = "span"
        runs += read_runs(container).runs
    return runs


def _remove(element: etree._Element) -> None:
    """Take an element out, and leave the text behind it where it is."""
    parent = element.getparent()
    if parent is None:
        return
    if tail := element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(element)


def read_body(runs: Sequence[Run], source: Source, title: str) -> Body:
    """The lines of an article from the runs of its container."""
    kept, dropped = locate.prune(runs, title)
    paragraphs = [(run.kind, text) for run in kept if (text := clean_line(drop_breaks(run.text)))]
    if not paragraphs:
        return Body([], [], dropped)
    lines = join_unfinished(_through_trafilatura(paragraphs))
    stripped = strip_wrapper(
        lines,
        drop_lines=[_pattern(pattern) for pattern in source.article.drop_lines],
        keep_lines=[_pattern(pattern) for pattern in source.article.keep_lines],
    )
    if "author" not in stripped.fields and (reporter := reporter_inside(stripped.lines)):
        stripped.fields["author"] = reporter
    return Body(stripped.lines, kept, dropped, stripped.fields, stripped.removed)


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _through_trafilatura(paragraphs: Sequence[tuple[str, str]]) -> list[str]:
    document = trafilatura.bare_extraction(canonical(paragraphs), options=_OPTIONS)
    if document is None or not document.text:
        return [text for _, text in paragraphs]
    return clean_text(document.text).split("\n")


def _refuse_textless(html: str, head: Head) -> None:
    if found := CHALLENGE.search(html[:20_000]):
        raise _Refused(Reason.CHALLENGE, f"a check page instead of an article: «{found[0]}»")
    raise _Refused(Reason.NO_TEXT, "no sentence on the page: it may be filled in by a script")


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _by_rules(found: Found, tree: etree._Element, page: Page, source: Source) -> None:
    rules = source.article
    for name in ("publisher", "author", "editor", "section", "summary"):
        if value := locate.select_text(tree, getattr(rules, name)):
            setattr(found, name, _unlabelled(value))
    if rules.tags:
        found.tags = tuple(dict.fromkeys(clean_line("".join(e.itertext())) for s in rules.tags for e in locate.select(tree, s)))
    for name in ("published", "updated"):
        for selector in getattr(rules, name):
            if value := locate.select_text(tree, [selector]):
                moment = parse_time(value, fetched_at=page.fetched_at, zone=source.zone, hint_url=page.url)
                if moment.at:
                    setattr(found, name, moment)
                    break
    _from_list(page.listed, found, page, source)


def _unlabelled(value: str) -> str:
    return re.sub(r"^[（(【\[]?\s*(?:文章来源|来源|作者|责任编辑|责编|编辑)\s*[：:]\s*", "", clean_line(value)).strip("（）()【】[] ")


def _from_list(listed: Listed, found: Found, page: Page, source: Source) -> Found:
    """Fill in from the list what the page did not say."""
    found.publisher = found.publisher or listed.publisher or source.publisher
    found.author = found.author or listed.author
    found.section = found.section or listed.section
    found.summary = found.summary or listed.summary
    found.tags = found.tags or listed.tags
    if listed.published:
        moment = parse_time(listed.published, fetched_at=page.fetched_at, zone=source.zone, hint_url=page.url)
        found.published = choose_time([found.published, moment], found.flags, source.zone)
    if listed.updated and found.updated is None:
        moment = parse_time(listed.updated, fetched_at=page.fetched_at, zone=source.zone, hint_url=page.url)
        found.updated = moment if moment.at else None
    return found


def _merged(first: Listed, second: Listed) -> Listed:
    names = ("title", "published", "updated", "summary", "publisher", "author", "section", "tags", "native_id")
    return Listed(**{name: getattr(first, name) or getattr(second, name) for name in names})


def _article(page: Page, source: Source, title: str, body: Body, found: Found, flags: Iterable[str]) -> Article:
    text = clean_text("\n".join(body.lines))
    if not text:
        raise _Refused(Reason.NO_TEXT, "nothing left of the text")
    if not title:
        raise _Refused(Reason.NO_TITLE, "no headline on the page and none in the list")
    url = page.url or page.final_url
    published = found.published if found.published and found.published.at else None
    try:
        identity = article_id(source, url, native_id=page.listed.native_id, fallback_text=f"{title}\n{text}")
    except NoIdentityError as error:
        raise _Refused(Reason.IDENTITY, str(error)) from error
    all_flags = list(dict.fromkeys(flags))
    if len(text) < source.gates.min_text:
        all_flags.append("short")
    return Article(
        article_id=identity,
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
        published_at=published.at if published else None,
        published_precision=published.precision if published else "none",
        published_raw=published.raw if published else None,
        updated_at=found.updated.at if found.updated else None,
        fetched_at=page.fetched_at,
        lang=source.language,
        text_hash=text_hash(title, text),
        removed=tuple(line for _, line in body.removed),
        flags=tuple(all_flags),
        extractor=extractor_of(source),
        raw_ref=page.raw_ref,
        page_digest=page.digest,
    )

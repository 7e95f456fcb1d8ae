"""Title, times, publisher, people and the other fields of a page: where each is looked for, and in which order.

Every field is tried in one written order, the best witness first:

    title      rule · headline on the page that the <title> confirms · og:title · <title> without the site's name · list
    published  rule · page meta and JSON · visible line near the headline · list · url; never the body
    publisher  rule · label near the headline · marked element near it · wrapper lines · meta · list · the source's own
    author     rule · label or mark near the headline · wrapper lines · meta · list
    editor     rule · wrapper lines · labels behind the body · marked element

Nothing here guesses: a field nobody names is None.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from lxml import etree

from articles.canonical import Hint, Reading, Run
from articles.dates import Moment, first_time, parse_time
from articles.normalise import clean_line
from articles.wrapper import label_values

MAX_TITLE_CHARS = 300
MAX_VALUE_CHARS = 60

TITLE_METAS = ("og:title", "articletitle", "twitter:title")
PUBLISHED_METAS = (
    "weibo: article:create_at",
    "weibo:article:create_at",
    "article:published_time",
    "og:published_time",
    "bytedance:published_time",
    "apub:time",
    "og:time",
    "og:release_date",
    "datepublished",
    "_pubtime",
    "publish_time",
    "publishtime",
    "pubdate",
    "pub_date",
    "publishdate",
    "publish-date",
    "dc.date",
    "dc.date.issued",
    "date",
)
UPDATED_METAS = (
    "article:modified_time",
    "og:updated_time",
    "bytedance:updated_time",
    "bytedance:lrdate_time",
    "weibo: article:update_at",
    "weibo:article:update_at",
    "datemodified",
    "dateupdate",
    "lastmodifieddate",
)
PUBLISHER_METAS = ("mediaid", "_mediaid", "contentsource", "source", "article:source")
AUTHOR_METAS = ("author", "article:author", "og:author")
SUMMARY_METAS = ("description", "og:description", "twitter:description", "abstract")
KEYWORD_METAS = ("keywords", "news_keywords", "article:tag", "tags")
SECTION_METAS = ("article:section", "columnname", "og:category")

_SEPARATOR = re.compile(r"\s*[_|｜·•»–—]+\s*|\s+[-－]+\s*|(?<=[\u4e00-\u9fff）”》？！])[-－]+(?=[\u4e00-\u9fff])|\s*-{2,}\s*|\s*<\s*|::")
_SITE_WORDS = re.compile(
    r"网$|网站|新闻中心|频道|新浪|网易|腾讯|搜狐|凤凰|财经$|新闻$|首页|日报$|在线$|资讯$|客户端|中心$|\.com|\.cn|滚动|正文|澎湃|头条|门户|news",
    re.IGNORECASE,
)
_NO_KEY = re.compile(r"[\W_]+")
_PERSON = re.compile(r"[\u4e00-\u9fa5·]{2,4}(?:[ 、,，/]+[\u4e00-\u9fa5·]{2,4}){0,5}")
_MEDIUM_WORD = re.compile(r"报|网|社|新闻|财经|周刊|客户端|电视|广播|频道|编辑|记者|管理员|小编|来源|作者")
_NOT_NAME = re.compile(r"^\s*(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?)?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*|[\d:\s]+$")
_DIGITS_ONLY = re.compile(r"[\d\W_]+")


@dataclass(frozen=True, slots=True)
class Head:
    """What the <head> says: metas by lower-case name, the first of each, and the <title>."""

    title: str
    metas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Headline:
    text: str
    order: int | None
    """Of its run on the page; None where the title was read elsewhere."""


@dataclass(slots=True)
class Found:
    """Fields as read; None where nothing names them."""

    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    section: str | None = None
    summary: str | None = None
    tags: tuple[str, ...] = ()
    published: Moment | None = None
    updated: Moment | None = None
    flags: list[str] = field(default_factory=list)


def read_head(tree: etree._Element) -> Head:
    metas: dict[str, str] = {}
    title = ""
    for element in tree.iter("meta", "title"):
        if element.tag == "title":
            title = title or "".join(element.itertext()).strip()
            continue
        name = element.get("property") or element.get("name") or element.get("itemprop")
        content = element.get("content")
        if name and content and (content := content.strip()):
            metas.setdefault(name.strip().lower(), content)
    return Head(clean_line(title)[: MAX_TITLE_CHARS * 2], metas)


def find_headline(head: Head, reading: Reading, listed: str | None = None) -> Headline:
    """The displayed headline: the run that the <title>, og:title or the list repeats."""
    meta_title = next((clean_line(head.metas[name]) for name in TITLE_METAS if name in head.metas), "")
    witnesses = [key for text in (head.title, meta_title, listed or "") if (key := _key(text))]
    best: Run | None = None
    best_score = 0.0
    joined = head.title + " " + meta_title + " " + (listed or "")
    for run in reading.runs:
        score = _headline_score(run, witnesses, joined)
        if score > best_score:
            best, best_score = run, score
    if best is not None:
        return Headline(clean_line(best.text)[:MAX_TITLE_CHARS], best.order)
    for text in (listed or "", meta_title, head.title):
        if text:
            return Headline(without_site(clean_line(text))[:MAX_TITLE_CHARS], None)
    return Headline("", None)


def _headline_score(run: Run, witnesses: Sequence[str], joined: str) -> float:
    text = run.text.strip()
    if not 4 <= len(text) <= 160 or (not run.level and text[:2] not in joined):
        return 0.0
    key = _key(text)
    if len(key) < 4:
        return 0.0
    score = 0.0
    for witness in witnesses:
        if witness.startswith(key):
            score = max(score, len(key))
        elif key in witness or key.startswith(witness):
            score = max(score, min(len(key), len(witness)) * 0.8)
        else:
            common = _common_prefix(key, witness)
            if common >= 6 and common >= 0.6 * len(key):
                score = max(score, common * 0.7)
    if not score:
        return 8.0 if run.level == 1 and len(run.free_text.strip()) >= 6 and not witnesses else 0.0
    score += {1: 14, 2: 6, 3: 3}.get(run.level, 0)
    if not run.free_text.strip():
        score *= 0.4
    if run.hints & Hint.CRUMBS and not run.level:
        score *= 0.5
    if run.kind == "li":
        score *= 0.6
    return score


def _common_prefix(left: str, right: str) -> int:
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return number
    return min(len(left), len(right))


def _key(text: str) -> str:
    return _NO_KEY.sub("", text).lower()


def without_site(title: str) -> str:
    """The <title> without the names of site and channel behind its last separators."""
    parts = _SEPARATOR.split(title)
    if len(parts) == 1:
        return title
    kept = len(parts)
    while kept > 1 and (len(parts[kept - 1]) <= 12 or _SITE_WORDS.search(parts[kept - 1])):
        kept -= 1
    if kept == 1 and len(parts[0]) < 6 and len(parts) > 1:
        return max(parts, key=len)
    separators = _SEPARATOR.findall(title)
    text = parts[0]
    for separator, part in zip(separators, parts[1:kept], strict=False):
        text += separator + part
    return text.strip()


def read_fields(
    head: Head,
    reading: Reading,
    headline: Headline,
    body: Sequence[Run],
    dropped: Sequence[Run],
    wrapper: Mapping[str, str],
    *,
    fetched_at: datetime,
    zone: ZoneInfo,
    url: str,
) -> Found:
    """Everything but the title, from a page whose body is known."""
    found = Found()
    first = body[0].order if body else (headline.order or 0)
    last = body[-1].order if body else first
    near = _near(reading, headline.order, first)
    behind = [*dropped, *reading.runs[last + 1 : last + 15]]
    near_labels = _labels(near)
    behind_labels = _labels(behind)
    marked = _marked(reading, headline.order, first, last)

    hidden = {name: value for text in reading.hidden.values() for name, value in label_values(text).items()}
    found.publisher = _first(
        near_labels.get("publisher"),
        marked.get(Hint.SOURCE),
        wrapper.get("publisher"),
        _beside_time(near),
        behind_labels.get("publisher"),
        hidden.get("publisher"),
        _publisher_meta(head),
    )
    found.author = _first(near_labels.get("author"), marked.get(Hint.AUTHOR), wrapper.get("author"))
    if found.author is None:
        found.author = _author_meta(head)
    found.editor = _first(
        *(labels.get(name) for name in ("chief", "editor") for labels in (wrapper, behind_labels, near_labels)),
        marked.get(Hint.EDITOR),
        hidden.get("chief"),
    )
    found.section = _section(head, reading, headline.order)
    found.summary = next((clean_line(head.metas[name]) for name in SUMMARY_METAS if name in head.metas), None)
    found.tags = _tags(head)
    _times(found, head, near, reading, first, last, fetched_at=fetched_at, zone=zone, url=url)
    return found


def _near(reading: Reading, headline: int | None, first: int) -> list[Run]:
    """Runs around the headline and between it and the body: where a page says when, from where and by whom."""
    if headline is None or headline > first:
        return reading.runs[max(0, first - 12) : first]
    start = max(0, headline - 4)
    return [*reading.runs[headline + 1 : min(first + 1, headline + 40)], *reading.runs[start:headline]]


def _labels(runs: Iterable[Run]) -> dict[str, str]:
    values: dict[str, str] = {}
    for run in runs:
        text = run.pieces
        if len(text) < 400:
            for name, value in label_values(text).items():
                if name == "author" and _MEDIUM_WORD.search(value):
                    continue
                if len(value) <= MAX_VALUE_CHARS:
                    values.setdefault(name, value)
    return values


_MEDIUM_END = re.compile(r"[\u4e00-\u9fa5A-Za-z0-9《》]{1,14}(?:报|网|社|新闻|财经|周刊|客户端|电视台|时报|日报|在线|杂志|传媒|观察|中国)》?")
_CLOCK_OR_DAY = re.compile(r"\d{1,4}[-/.年月:：]\d{1,2}")


def _beside_time(near: Iterable[Run]) -> str | None:
    """A medium's name that stands without a label beside the time: 「2019-11-25 10:37 某某网」."""
    for run in near:
        text = run.pieces
        if len(text) > 120 or not _CLOCK_OR_DAY.search(text):
            continue
        for piece in re.split(r"\s", text):
            if _MEDIUM_END.fullmatch(piece) and not _CLOCK_OR_DAY.search(piece):
                return piece
    return None


def _marked(reading: Reading, headline: int | None, first: int, last: int) -> dict[int, str]:
    """Values of elements whose class or id names a field, near the headline or right behind the body."""
    start = min(first, headline if headline is not None else first) - 6
    values: dict[int, str] = {}
    for mark in reading.marks:
        if not (start <= mark.order <= first + 1 or last <= mark.order <= last + 8):
            continue
        pieces = [" ".join(piece.split()) for piece in islice(mark.element.itertext(), 12)]
        text = "\t".join(piece for piece in pieces if piece)
        if not 2 <= len(text) <= 60:
            continue
        for hint in (Hint.SOURCE, Hint.AUTHOR, Hint.EDITOR):
            if mark.hint & hint and (value := _mark_value(hint, text)):
                values.setdefault(hint, value)
    return values


def _mark_value(hint: int, text: str) -> str | None:
    labels = label_values(text)
    name = {Hint.SOURCE: "publisher", Hint.AUTHOR: "author", Hint.EDITOR: "editor"}[hint]
    if labels:
        return labels.get(name)
    for piece in text.split("\t"):
        bare = _NOT_NAME.sub("", piece).strip()
        if len(bare) < 2 or re.search(r"[。，！？：:]|https?|www", bare) or len(bare) > 24:
            continue
        if hint == Hint.SOURCE:
            return bare
        if _PERSON.fullmatch(bare) and not _MEDIUM_WORD.search(bare):
            return bare
    return None


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _publisher_meta(head: Head) -> str | None:
    for name in PUBLISHER_METAS:
        value = head.metas.get(name)
        if value and 2 <= len(value) <= 30 and not _DIGITS_ONLY.fullmatch(value):
            return re.sub(r"^(?:来源|文章来源)\s*[：:]\s*", "", clean_line(value))
    return None


def _author_meta(head: Head) -> str | None:
    for name in AUTHOR_METAS:
        value = clean_line(head.metas.get(name, ""))
        if value and _PERSON.fullmatch(value) and not _MEDIUM_WORD.search(value) and len(value) >= 2:
            return value
    return None


def _tags(head: Head) -> tuple[str, ...]:
    raw = next((head.metas[name] for name in KEYWORD_METAS if name in head.metas), "")
    words = (clean_line(word) for word in re.split(r"[,，;；、|]+|\s{1,}", raw))
    return tuple(dict.fromkeys(word for word in words if 2 <= len(word) <= 30))[:30]


def _section(head: Head, reading: Reading, headline: int | None) -> str | None:
    for name in SECTION_METAS:
        if name in head.metas and not _DIGITS_ONLY.fullmatch(head.metas[name]):
            return clean_line(head.metas[name])
    limit = headline if headline is not None else 60
    for run in reading.runs[:limit]:
        text = clean_line(run.text)
        if len(text) <= 80 and re.search(r"[>＞»]", text) and (run.hints & Hint.CRUMBS or "正文" in text or "首页" in text):
            parts = [part.strip() for part in re.split(r"[>＞»]+", text)]
            parts = [part for part in parts if part and part not in ("正文", "首页")]
            if parts:
                return re.sub(r"^.*[：:]\s*", "", parts[-1]) or None
    return None


def _times(
    found: Found,
    head: Head,
    near: Sequence[Run],
    reading: Reading,
    first: int,
    last: int,
    *,
    fetched_at: datetime,
    zone: ZoneInfo,
    url: str,
) -> None:
    def read(raw: str | None, known_by: datetime = fetched_at) -> Moment | None:
        moment = parse_time(raw, fetched_at=known_by, zone=zone, hint_url=url) if raw else None
        return moment if moment and moment.at else None

    from_meta = [read(head.metas.get(name)) for name in PUBLISHED_METAS]
    hidden = read(reading.hidden.get("pubtime_baidu"))
    found.updated = next((m for name in UPDATED_METAS if (m := read(head.metas.get(name)))), None)
    # A visible time without a year is no later than the page's own update.
    known_by = found.updated.at if found.updated and found.updated.at else fetched_at
    visible = _visible_time(near, fetched_at=max(known_by, fetched_at) if known_by > fetched_at else known_by, zone=zone, url=url)
    if visible is None:
        visible = _visible_time(near, fetched_at=fetched_at, zone=zone, url=url)
    if visible is None:
        visible = _marked_time(reading, first, last, fetched_at=fetched_at, zone=zone, url=url)
    found.published = choose_time([visible, hidden, *from_meta], found.flags, zone)


def _visible_time(near: Sequence[Run], *, fetched_at: datetime, zone: ZoneInfo, url: str) -> Moment | None:
    for run in near:
        text = clean_line(" ".join(run.parts))
        if len(text) <= 200:
            moment = first_time(text, fetched_at=fetched_at, zone=zone, hint_url=url)
            if moment and moment.at:
                return moment
    return None


def _marked_time(
    reading: Reading, first: int, last: int, *, fetched_at: datetime, zone: ZoneInfo, url: str
) -> Moment | None:
    for mark in reading.marks:
        if mark.hint & Hint.TIME and (first - 30 <= mark.order <= first + 2 or last <= mark.order <= last + 4):
            text = clean_line("".join(mark.element.itertext()))
            if len(text) <= 80:
                moment = first_time(text, fetched_at=fetched_at, zone=zone, hint_url=url)
                if moment and moment.at:
                    return moment
    return None


_FINENESS = {"second": 3, "minute": 2, "day": 1, "none": 0}


def choose_time(candidates: Sequence[Moment | None], flags: list[str], zone: ZoneInfo) -> Moment | None:
    """The first candidate, or a finer one of the same moment; candidates of different days are flagged."""
    known = [(moment, moment.at) for moment in candidates if moment is not None and moment.at is not None]
    if not known:
        return None
    chosen, at = known[0]
    for other, other_at in known[1:]:
        if _FINENESS[other.precision] > _FINENESS[chosen.precision] and _same(at, other_at, chosen.precision, zone):
            chosen, at = other, other_at
        elif abs((at - other_at).total_seconds()) >= 86_400 and "date_conflict" not in flags:
            flags.append("date_conflict")
    return chosen


def _same(left: datetime, right: datetime, precision: str, zone: ZoneInfo) -> bool:
    left, right = left.astimezone(zone), right.astimezone(zone)
    if precision == "day":
        return left.date() == right.date()
    return left.replace(second=0, microsecond=0) == right.replace(second=0, microsecond=0)

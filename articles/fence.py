"""Which part of a page need be parsed, where a rule names the body's container by an id or class: found in the text.

    <head>…</head>│ navigation, teasers │ crumbs, <h1>, time … <div id=fence> body </div> editor │ comments, scripts
    kept          │ left out            │ kept                                                  │ left out

Most of a news page is neither the article nor says anything of it. Where in doubt, more is kept, or nothing left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from articles.locate import Step, parsed

# What is left open goes on to the end: looked for again behind each of thousands, it would take hours.
_TAGS = (
    r"<!--(?:.*?-->|.*+)|<script\b(?:.*?</script\s*>|.*+)|<style\b(?:.*?</style\s*>|.*+)"
    r"|<(/?)TAG\b[^>]*?(/?)(?:>|\Z)"
)
# Of a tag, in front of its id or class and behind: more is no container's, and thousands of them would take hours, too.
_FENCE_CHARS = 2_000
# Kept behind the container, where signatures stand, and in front of the headline: crumbs, a time, a medium.
_MARGIN_CHARS = 3_000
# In front of the last crumb, for the others.
_CRUMBS_CHARS = 2_000
# Around headline and body, where most fields stand: only one that is not found here is looked for on all of the page.
_NEAR_CHARS = 6_000
# No field stands further behind; of those that do not stand near, on real pages, up to 12,000.
_FAR_CHARS = 30_000
# Of selectors whose elements are in the head, which is kept, or metas, which are kept wherever they stand.
_OF_HEAD = re.compile(r"(?:head|meta)\b(?!-)")
_META = re.compile(r"<meta\b[^<>]{0,2000}>", re.IGNORECASE)
_MOST_METAS = 20
# Read from anywhere on a page, too: times told to search engines only, JSON-LD.
_READ_ANYWHERE = ("_baidu", "ld+json")
# Of breadcrumbs, which end here on most sites, a rule may not know.
_LAST_CRUMB = "正文"
_END_OF_HEAD = "</head>"
_OPAQUE = (
    (("<!--",), ("-->",)),
    (("<script", "<SCRIPT"), ("</script", "</SCRIPT")),
    (("<style", "<STYLE"), ("</style", "</STYLE")),
)
_SOME = r"[^\"'>]{0,500}"
# How a value stands in an attribute, by the selector's comparison.
_VALUES = {
    "=": r"\s*VALUE\s*",
    "~=": rf"\s*(?:{_SOME}\s)?VALUE(?:\s{_SOME})?",
    "^=": rf"VALUE{_SOME}",
    "$=": rf"{_SOME}VALUE",
    "*=": rf"{_SOME}VALUE{_SOME}",
}


class _Tag(NamedTuple):
    """How an opening tag is found in a text."""

    needle: str
    """What stands in it: looked for first, since few places hold that."""
    pattern: re.Pattern[str]


class _Named(NamedTuple):
    """What a selector says of the element it selects, and of the outermost that this must stand in."""

    outer: _Tag
    inner: _Tag | None
    is_fence: bool
    """Are both told by id or class?"""


class _Kept(NamedTuple):
    """Of a page: all up to `head`, and what lies between the two others."""

    head: int
    start: int
    end: int


def cut_around(html: str, selectors: Iterable[str], fields: tuple[Sequence[str], ...] = ()) -> str | None:
    """The part of a page to parse, where a selector names the body's container by an id or class; else None.

    `fields` are the selectors of each field, the title's first: one that stands further in front or behind, such as an
    editor, moves the cut.
    """
    body = _body(html, selectors)
    if body is None:
        return None
    head, start, end = _around(html, *body, fields)
    if len(html) - head - (end - start) < _MARGIN_CHARS:
        return None
    return "".join((html[:head], *_metas(html, head, start), html[start:end]))


def _body(html: str, selectors: Iterable[str]) -> tuple[int, int, int] | None:
    """Where the outermost element of its selector begins, where its container begins and ends."""
    for selector in selectors:
        named = _named(selector)
        outer = _opening(html, named.outer) if named and named.is_fence else None
        if named is None or named.inner is None or outer is None:
            continue
        outer_end = _closing(html, outer)
        body = outer if named.inner is named.outer else _opening(html, named.inner, outer.end(), outer_end)
        end = _closing(html, body) if body else None
        if body is None or end is None or outer_end is None:
            return None
        # A body in pieces, such as around a gallery: the rest of it lies behind.
        behind = _opening(html, named.inner, end, outer_end), _opening(html, named.outer, outer_end)
        return (outer.start(), body.start(), end) if behind == (None, None) else None
    return None


def _around(html: str, outer: int, body: int, end: int, fields: tuple[Sequence[str], ...]) -> _Kept:
    """What need be kept around the body, by where the headline and the fields are."""
    head = html.find(_END_OF_HEAD, 0, body) + len(_END_OF_HEAD)
    headline = html.find("<h1", max(head, body - _NEAR_CHARS), body)
    if headline == -1:
        headline = html.rfind("<h1", head, body)
    start = min(outer, body if headline == -1 else headline)
    near, cut = max(0, start - _NEAR_CHARS), end + _MARGIN_CHARS
    is_told = head >= len(_END_OF_HEAD) and (headline != -1 or bool(fields))
    for number, selectors in enumerate(fields):
        named, is_all = _told(selectors)
        place = next((place for each in named if (place := _near(html, each, near, cut)) is not None), None)
        # All in front is kept, where the place of a field or of the headline cannot be told.
        is_told &= is_all and (number > 0 or headline != -1 or place is not None)
        if place is not None:
            start = min(start, place)
        else:
            before = (_opening(html, each.outer, head, near) for each in named)
            start = min([start, *(opening.start() for opening in before if opening)])
            end = max([end, *(_end_behind(html, each, body, near, cut) for each in named)])
    end = max(end, html.rfind("<", end, end + _MARGIN_CHARS))
    start = _with_crumbs(html, head, start) if is_told else 0
    return _Kept(head, start, end) if start > head else _Kept(0, 0, end)


def _near(html: str, named: _Named, near: int, cut: int) -> int | None:
    """Where the outermost element of a selector begins, if it selects one between the two places."""
    outer = _opening(html, named.outer, near, cut)
    if outer is None or named.inner in (None, named.outer):
        return outer and outer.start()
    return outer.start() if _opening(html, named.inner, outer.end(), cut) else None


def _end_behind(html: str, named: _Named, body: int, near: int, cut: int) -> int:
    """Where the opening tag ends of what a selector selects behind the cut; 0, if there is none or it is the body's."""
    outer = _opening(html, named.outer, near, cut + _FAR_CHARS)
    if outer is None or outer.start() == body:
        return 0
    inner = outer if named.inner is None else _opening(html, named.inner, max(outer.start(), cut - _MARGIN_CHARS))
    return inner.end() if inner else 0


def _with_crumbs(html: str, head: int, start: int) -> int:
    """Where the crumbs and other small things begin in front of what is kept; the start of the page, where something in
    front of that is read from anywhere."""
    margin = _MARGIN_CHARS
    if (crumbs := html.rfind(_LAST_CRUMB, head, start)) != -1:
        start, margin = crumbs, _CRUMBS_CHARS
    start = _outside(html, head, html.rfind("<", 0, max(head, start - margin)), start)
    is_read = any(html.find(mark, head, start) != -1 for mark in _READ_ANYWHERE)
    return 0 if is_read or html.count("<meta", head, start) > _MOST_METAS else start


def _outside(html: str, head: int, place: int, latest: int) -> int:
    """The place, if it lies in no script or comment; or else where that ends, or begins if it ends too late."""
    for openings, closings in _OPAQUE:
        opened = max([html.rfind(opening, head, place) for opening in openings])
        if opened != -1 and all(html.find(closing, opened, place) == -1 for closing in closings):
            ends = [end for closing in closings if (end := html.find(closing, place, latest)) != -1]
            place = html.find(">", min(ends)) + 1 if ends else opened
    return place


def _metas(html: str, start: int, end: int) -> Iterator[str]:
    """The metas between two places, where some sites put them."""
    at = html.find("<meta", start, end)
    while at != -1:
        if (meta := _META.match(html, at, end)) and _outside(html, start, at, at) == at:
            yield meta[0]
        at = html.find("<meta", at + 1, end)


@lru_cache(maxsize=512)
def _told(selectors: Sequence[str]) -> tuple[tuple[_Named, ...], bool]:
    """Those of the selectors whose elements can be found in a text, and whether these are all."""
    found = [_named(selector) for selector in selectors if not _OF_HEAD.match(selector)]
    return tuple(named for named in found if named), None not in found


@lru_cache(maxsize=512)
def _named(selector: str) -> _Named | None:
    steps, first = parsed(selector)[2:]
    outer = _tag(steps[0] if steps else first)
    if outer is None:
        return None
    if not steps:
        return _Named(outer, None, is_fence=False)
    inner = outer if len(steps) == 1 else _tag(steps[-1])
    return _Named(outer, inner, is_fence=None not in (steps[0].key, steps[-1].key))


def _tag(step: Step | None) -> _Tag | None:
    """None, where it is told by neither a value nor the tag."""
    if step is None:
        return None
    some = f"[^<>]{{0,{_FENCE_CHARS}}}"
    for name, comparison, value in step.tests:
        if value:
            tag = step.tag or "[a-z][a-z0-9]*"
            text = _VALUES[comparison].replace("VALUE", re.escape(value))
            attribute = rf"(?i:<({tag})\b{some}?\s{re.escape(name)}\s*=\s*)"
            return _Tag(value, re.compile(rf"{attribute}([\"']?){text}\2{some}>"))
    return _Tag(f"<{step.tag}", re.compile(rf"(?i:<({step.tag})\b){some}>")) if step.tag else None


def _opening(html: str, tag: _Tag, start: int = 0, end: int | None = None) -> re.Match[str] | None:
    """The first opening tag of that kind."""
    limit = len(html) if end is None else end
    at = html.find(tag.needle, start, limit)
    while at != -1:
        begin = html.rfind("<", max(start, at - _FENCE_CHARS), at + 1)
        if begin != -1 and (opening := tag.pattern.match(html, begin, limit)):
            return opening
        at = html.find(tag.needle, at + 1, limit)
    return None


@lru_cache(maxsize=64)
def _tags_of(tag: str) -> re.Pattern[str]:
    return re.compile(_TAGS.replace("TAG", tag), re.DOTALL | re.IGNORECASE)


def _closing(html: str, opening: re.Match[str]) -> int | None:
    """Where the element ends whose opening tag that is: its tags balanced, scripts and comments skipped."""
    depth = 1
    for found in _tags_of(opening[1].lower()).finditer(html, opening.end()):
        if found[1] is None or found[2]:
            continue
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return None

"""Which part of a page need be parsed, where a rule names the body's container by one id or class: found in the text.

    <head>…</head>│ navigation, teasers │ crumbs, <h1>, time … <div id=fence> body </div> editor │ comments, scripts
    kept          │ left out            │ kept                                                  │ left out

Most of a news page is neither the article nor says anything of it. Where in doubt, more is kept, or nothing left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

from articles.locate import parsed

_FENCE = re.compile(r"(?:[a-z][a-z0-9]*)?([#.])([A-Za-z_][\w-]*)$")
_KINDS = {("id", "="): "#", ("class", "~="): "."}
# What is left open goes on to the end: looked for again behind each of thousands, it would take hours.
_TAGS = (
    r"<!--(?:.*?-->|.*+)|<script\b(?:.*?</script\s*>|.*+)|<style\b(?:.*?</style\s*>|.*+)"
    r"|<(/?)TAG\b[^>]*?(/?)(?:>|\Z)"
)
# Of a tag, in front of its id or class and behind: more is no container's, and thousands of them would take hours, too.
_FENCE_CHARS = 2_000
# Kept behind the container, where signatures stand, and in front of the headline: crumbs, a time, a medium.
_MARGIN_CHARS = 3_000
# Read from anywhere on a page: metas, times told to search engines only, JSON-LD.
_READ_ANYWHERE = ("<meta", "_baidu", "ld+json")
# Of breadcrumbs, which end here on most sites, a rule may not know.
_LAST_CRUMB = "正文"
_END_OF_HEAD = "</head>"
_OPAQUE = (("<!--", "-->"), ("<script", "</script"), ("<SCRIPT", "</SCRIPT"), ("<style", "</style"))


def cut_around(html: str, selectors: Iterable[str], fields: tuple[Sequence[str], ...] = ()) -> str | None:
    """The part of a page to parse, where a selector names the body's container by one id or class; else None.

    `fields` are the selectors of each field: one that stands further in front or behind, such as an editor, moves the
    cut.
    """
    for selector in selectors:
        fence = _FENCE.match(selector.strip())
        opening = _opening(html, fence[1], fence[2]) if fence else None
        if fence is None or opening is None:
            continue
        end = _closing(html, opening.end(), opening[1].lower())
        if end is None or len(html) - end < 2 * _MARGIN_CHARS:
            return None
        # A body in pieces, such as around a gallery: the rest of it lies behind.
        if _opening(html, fence[1], fence[2], end) is not None:
            return None
        head, start = _front(html, opening.start(), fields)
        end = max([end, *(_end_of_field(html, start, end + _MARGIN_CHARS, each) for each in fields)])
        return html[:head] + html[start : max(end, html.rfind("<", end, end + _MARGIN_CHARS))]
    return None


def _front(html: str, container: int, fields: tuple[Sequence[str], ...]) -> tuple[int, int]:
    """Where the head ends, and where what is kept goes on: at its end, if something in between may be read."""
    names = _names_of(fields)
    head = html.find(_END_OF_HEAD, 0, container) + len(_END_OF_HEAD)
    start = html.find("<h1", head, container)
    if names is None or head < len(_END_OF_HEAD) or start == -1:
        return 0, 0
    for name in names:
        start = _start_of_tag(html, name, head, start)
    if (crumbs := html.rfind(_LAST_CRUMB, head, start)) != -1:
        start = crumbs
    start = html.rfind("<", 0, max(head, start - _MARGIN_CHARS))
    if any(html.find(mark, head, start) != -1 for mark in _READ_ANYWHERE):
        return 0, 0
    for opened, closed in _OPAQUE:
        at = html.rfind(opened, head, start)
        if at > html.rfind(closed, head, start):
            start = at
    return (head, start) if start > head else (0, 0)


def _start_of_tag(html: str, name: str, start: int, end: int) -> int:
    """Where the first tag begins between the two that holds the name, or else the end."""
    at = html.find(name, start, end)
    while at != -1:
        tag = html.rfind("<", start, at + 1)
        if tag != -1 and html.find(">", tag, at) == -1:
            return tag
        at = html.find(name, at + 1, end)
    return end


@lru_cache(maxsize=256)
def _names_of(fields: tuple[Sequence[str], ...]) -> frozenset[str] | None:
    """What the outermost elements of selectors are known by in the text: a value of an attribute, or the tag. None, if
    one is known by neither."""
    names = set()
    for selector in chain.from_iterable(fields):
        named = parsed(selector)
        step = named.steps[0] if named.steps else named.first
        value = next((value for _, _, value in (step.tests if step else ()) if value), "")
        if step is None or not (value or step.tag):
            return None
        if step.tag != "meta":
            names.add(value or f"<{step.tag}")
    return frozenset(names)


def _end_of_field(html: str, start: int, cut: int, selectors: Sequence[str]) -> int:
    """Where the first element begins that a field is read from, if that is behind the cut; else 0."""
    places = [place for selector in selectors if (place := _innermost(selector))]
    # First before the cut, where most fields are found: what a page lacks is not looked for in all of it.
    if any((found := _opening(html, *place, start, cut)) and found.end() < cut for place in places):
        return 0
    return next((found.end() for place in places if (found := _opening(html, *place, cut - _MARGIN_CHARS))), 0)


@lru_cache(maxsize=512)
def _innermost(selector: str) -> tuple[str, str] | None:
    """The id or class by which a selector's element, or the one around it, is found, where it names one in full."""
    named = parsed(selector)
    step = named.steps[-1] if named.steps else named.first
    tests = step.tests if step else ()
    return next(((_KINDS[name, how], value) for name, how, value in tests if (name, how) in _KINDS), None)


def _opening(html: str, kind: str, name: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
    """The first opening tag with that id or class. Its name is looked for first: few places hold that."""
    pattern = _opening_tag(kind, name)
    at = html.find(name, start, end)
    while at != -1:
        tag = html.rfind("<", max(0, at - _FENCE_CHARS), at)
        if tag != -1 and (opening := pattern.match(html, tag)):
            return opening
        at = html.find(name, at + 1, end)
    return None


@lru_cache(maxsize=512)
def _opening_tag(kind: str, name: str) -> re.Pattern[str]:
    attribute = "id" if kind == "#" else "class"
    value = re.escape(name) if kind == "#" else rf"(?:[^\"'>]{{0,500}}\s)?{re.escape(name)}(?:\s[^\"'>]{{0,500}})?"
    some = f"[^<>]{{0,{_FENCE_CHARS}}}"
    return re.compile(rf"<([a-zA-Z][a-zA-Z0-9]*)\b{some}?\s{attribute}\s*=\s*([\"']?)\s*{value}\s*\2{some}>")


@lru_cache(maxsize=64)
def _tags_of(tag: str) -> re.Pattern[str]:
    return re.compile(_TAGS.replace("TAG", tag), re.DOTALL | re.IGNORECASE)


def _closing(html: str, start: int, tag: str) -> int | None:
    """Where the element ends whose opening tag ends at `start`: its tags balanced, scripts and comments skipped."""
    depth = 1
    for found in _tags_of(tag).finditer(html, start):
        if found[1] is None or found[2]:
            continue
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return None

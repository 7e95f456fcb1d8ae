"""Learns the wrapper lines of one source: what stands, word for word, at the edge of many articles on several days.

A line is at the edge if nothing but such lines is between it and the first or the last line of the body. What looks
like content is left alone: lines with figures, lines that also stand in the middle of texts, lines that a whole body
consists of. Everything else is for a person to look at, who sees how often a line was found, and where.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

MIN_ARTICLES = 5
MIN_DAYS = 3
# Of the articles looked at. The heading of a column is rarer than the foot of a site.
MIN_SHARE = 0.05
# As many lines of an edge are looked at.
DEPTH = 8
# Of its places, that may lie inside a text.
MAX_INSIDE = 0.1
LONGEST = 300
LONGEST_HEADING = 10
EXAMPLES = 3
# Characters that mean something in a regular expression.
_SPECIAL = re.compile(r"([\\.^$*+?{}\[\]|()])")
# Figures in words: 三月, 一季, 两成.
_COUNTED = re.compile(r"[一二三四五六七八九十百千万亿两]+(?:[月日号年季周成点倍]|个百分点)")

Edge = Literal["head", "tail"]


@dataclass(frozen=True, slots=True)
class Body:
    """An article as far as it matters here."""

    article_id: str
    day: date | None
    lines: tuple[str, ...]

    @classmethod
    def of(cls, article_id: str, day: date | None, text: str) -> Body:
        """White space makes no difference between two lines."""
        lines = (" ".join(line.split()) for line in text.split("\n"))
        return cls(article_id, day, tuple(line for line in lines if line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    line: str
    edge: Edge
    """Where it mostly stands."""
    articles: int
    days: int
    share: float
    examples: tuple[str, ...]
    """Ids of articles that have it."""

    @property
    def pattern(self) -> str:
        """For `drop_lines`: this line, however it is spaced."""
        return r"\s+".join(_SPECIAL.sub(r"\\\1", part) for part in self.line.split())


def propose(bodies: Sequence[Body], keep_lines: Iterable[re.Pattern[str]] = ()) -> list[Proposal]:
    """The lines that may be wrappers, the most frequent first. Without them no body is empty."""
    keep = tuple(keep_lines)
    found = {line: places for line, places in _at_edges(bodies).items() if _is_frequent(places, len(bodies))}
    lines = {line for line in found if not looks_like_content(line) and not any(p.search(line) for p in keep)}
    lines = _never_inside(bodies, lines)
    lines = _reached_from_the_edge(bodies, lines)
    lines = _leaving_something(bodies, lines, {line: len(found[line]) for line in lines})
    proposals = [_proposal(line, found[line], len(bodies)) for line in lines]
    proposals = [each for each in proposals if not (each.edge == "head" and _is_heading(each.line))]
    return sorted(proposals, key=lambda each: (-each.articles, each.line))


def looks_like_content(line: str) -> bool:
    """Figures vary, wrappers do not; and nobody ends each article with a long paragraph."""
    return (
        len(line) > LONGEST
        or any(unicodedata.category(char).startswith("N") for char in line)
        or _COUNTED.search(line) is not None
        or not any(char.isalpha() for char in line)
    )


def _is_heading(line: str) -> bool:
    """「热点聚焦」: the first heading of a digest recurs daily, and belongs to it."""
    return len(line) <= LONGEST_HEADING and line.isalpha()


@dataclass(frozen=True, slots=True)
class _Place:
    body: Body
    edge: Edge


def _at_edges(bodies: Iterable[Body]) -> dict[str, list[_Place]]:
    """Line → the articles that have it near an edge, each once."""
    found: dict[str, list[_Place]] = defaultdict(list)
    for body in bodies:
        edges: dict[str, Edge] = dict.fromkeys(body.lines[:DEPTH], "head")
        # What is near both edges of a short body counts as its end.
        edges |= dict.fromkeys(body.lines[-min(DEPTH, (len(body.lines) + 1) // 2) :], "tail")
        for line, edge in edges.items():
            found[line].append(_Place(body, edge))
    return found


def _is_frequent(places: Sequence[_Place], bodies: int) -> bool:
    days = {place.body.day for place in places if place.body.day}
    return len(places) >= max(MIN_ARTICLES, MIN_SHARE * bodies) and len(days) >= MIN_DAYS


def _never_inside(bodies: Iterable[Body], lines: Collection[str]) -> set[str]:
    """Without those that stand in the middle of texts as well: `drop_lines` would take them out there."""
    inside: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    for body in bodies:
        middle = set(body.lines[DEPTH:-DEPTH])
        for line in {*body.lines} & set(lines):
            everywhere[line] += 1
            inside[line] += line in middle
    return {line for line in lines if inside[line] <= MAX_INSIDE * everywhere[line]}


def _reached_from_the_edge(bodies: Sequence[Body], lines: set[str]) -> set[str]:
    """Those that the edge of a body reaches through such lines only, nearly wherever they stand."""
    while True:
        reached: Counter[str] = Counter()
        everywhere: Counter[str] = Counter()
        for body in bodies:
            everywhere.update({*body.lines} & lines)
            reached.update({*_run(body.lines, lines), *_run(body.lines[::-1], lines)})
        kept = {line for line in lines if reached[line] >= (1 - MAX_INSIDE) * everywhere[line]}
        if kept == lines:
            return kept
        lines = kept


def _run(lines: Sequence[str], wrappers: Collection[str]) -> Iterator[str]:
    for line in lines:
        if line not in wrappers:
            return
        yield line


def _leaving_something(bodies: Iterable[Body], lines: Collection[str], articles: Mapping[str, int]) -> set[str]:
    """Where a body would be left with nothing, the rarest of its lines is its text; all of them, if they are equals."""
    kept = set(lines)
    for body in bodies:
        if body.lines and kept.issuperset(body.lines):
            rarest = min(articles[line] for line in body.lines)
            kept -= {line for line in body.lines if articles[line] == rarest}
    return kept


def _proposal(line: str, places: Sequence[_Place], bodies: int) -> Proposal:
    tails = sum(place.edge == "tail" for place in places)
    return Proposal(
        line=line,
        edge="tail" if tails * 2 >= len(places) else "head",
        articles=len(places),
        days=len({place.body.day for place in places if place.body.day}),
        share=round(len(places) / bodies, 3),
        examples=tuple(place.body.article_id for place in places[:EXAMPLES]),
    )

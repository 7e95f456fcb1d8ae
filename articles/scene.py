"""What is known when fields are looked for: where headline and body are, and which fields were found so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

from lxml import etree

from articles.canonical import Reading, Run
from articles.dates import Moment
from articles.headline import RUNS_BEFORE_BODY, Head, Headline

# Of a value that a label names, and of a line that may hold several of them.
MAX_VALUE_CHARS = 40
MAX_NEAR_CHARS = 200
NO_WORDS = re.compile(r"[\d\W_]+")
# How far above headline and text the elements of a byline may stand.
RUNS_AROUND = 6
_RUNS_BEFORE_HEADLINE = 4
_RUNS_BEHIND_HEADLINE = 40
_RUNS_BEHIND_BODY = 15

# A witness, and the value it gives or what looks for it.
Candidate: TypeAlias = tuple[str, str | Callable[[], str | None] | None]


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
    witnesses: dict[str, str] = field(default_factory=dict)
    """Which witness named a field: for `explain`."""

    def take(self, name: str, *candidates: Candidate) -> None:
        """Set a field that is still open to the first candidate there is."""
        if getattr(self, name):
            return
        for witness, candidate in candidates:
            if value := candidate() if callable(candidate) else candidate:
                setattr(self, name, value)
                self.witnesses[name] = witness
                return


@dataclass(frozen=True, slots=True)
class Scene:
    """Where on a page the fields are: its runs around the headline, and those behind the body."""

    head: Head
    reading: Reading
    headline: Headline
    near: Sequence[Run]
    behind: Sequence[Run]
    removed: Sequence[str]
    """Wrapper lines."""
    first: int
    """First and last run of the body."""
    last: int


def scene_of(
    head: Head,
    reading: Reading,
    headline: Headline,
    body: Sequence[Run],
    dropped: Sequence[Run],
    removed: Sequence[str],
) -> Scene:
    runs = reading.runs
    at = headline.order
    # Without a body among the runs, what stands below the headline may still name the fields.
    first = body[0].order if body else min(len(runs), (at or 0) + RUNS_BEFORE_BODY)
    last = body[-1].order if body else first
    if at is None or at > first:
        near = runs[max(0, first - RUNS_BEFORE_BODY) : first]
    else:
        behind_headline = runs[at + 1 : min(first, at + _RUNS_BEHIND_HEADLINE)]
        near = [*behind_headline, *runs[max(0, at - _RUNS_BEFORE_HEADLINE) : at]]
    # A survey or a list of comments may stand between the body and its signature.
    aside = sum(1 for _ in takewhile(lambda run: run.noise, runs[last + 1 :]))
    behind = [*dropped, *runs[last + 1 : last + aside + _RUNS_BEHIND_BODY]]
    return Scene(head, reading, headline, near, behind, removed, first, last)


def elements_near(scene: Scene) -> Iterator[etree._Element]:
    """Every element between the lines above the headline and the text. Not by XPath over the page: a millisecond."""
    for block in _blocks_near(scene):
        yield from block.iter()


def _blocks_near(scene: Scene) -> list[etree._Element]:
    """The outermost blocks there, in order."""
    at = scene.headline.order
    start = min(scene.first, at if at is not None else scene.first) - RUNS_AROUND
    blocks = []
    end = scene.first + 1
    # From behind: blocks come behind what is inside them.
    for first, last, block in reversed(scene.reading.spans):
        if start <= first and last <= end:
            blocks.append(block)
            end = first
    return blocks[::-1]

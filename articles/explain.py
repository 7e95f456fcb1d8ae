"""How an article was read out of its page: what stayed, what went by which rule, and who named which field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from articles.extract import Outcome, examine
from articles.locate import Lane
from articles.records import Article, Page, Rejected
from articles.source import Source


@dataclass(frozen=True, slots=True)
class Removed:
    rule: str
    """Name in the wrapper table, or why a part of the container is not the article: links, noise, headline."""
    line: str


@dataclass(frozen=True, slots=True)
class Explanation:
    article: Article
    lane: Lane
    kept: tuple[str, ...]
    removed: tuple[Removed, ...]
    """In the order of the page: the parts left out when the body was located, then the wrapper lines."""
    witnesses: Mapping[str, str]
    """Field → what named it, such as `label near the headline`."""


def explain(page: Page, source: Source) -> Explanation | Rejected:
    outcome = examine(page, source)
    return _explanation(outcome) if isinstance(outcome, Outcome) else outcome


def _explanation(outcome: Outcome) -> Explanation:
    body = outcome.body
    located = (Removed(why, run.text) for why, run in body.dropped)
    lines = (Removed(rule, line) for rule, line in body.removed)
    return Explanation(
        article=outcome.article,
        lane=outcome.lane,
        kept=tuple(outcome.article.text.split("\n")),
        removed=(*located, *lines),
        witnesses=dict(sorted(outcome.found.witnesses.items())),
    )

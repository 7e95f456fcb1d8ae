"""Notices when a source has changed: fields that go missing, texts that grow short, against its own history.

A single run of a quiet source brings two articles and proves nothing: the latest runs are taken together until there
are enough of them, and compared with those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import sqrt
from statistics import median

from articles.records import Article, Decision, Reason, Rejected
from articles.source import Source
from storage.frontier import Quality

FIELDS = ("title", "text", "published_at", "publisher", "author", "editor", "section")
RECENT_ARTICLES = 20
EARLIER_ARTICLES = 30
# A share may move by a fifth, and by three standard errors, before it means something.
SHARE_TOLERANCE = 0.2
STANDARD_ERRORS = 3
# The middle one of twenty texts varies by itself by about a third.
LENGTH_TOLERANCE = 2.5
TEXTLESS = frozenset({Reason.NO_TEXT, Reason.NO_TITLE, Reason.CHALLENGE})


@dataclass(slots=True)
class Noticed:
    """What one run brought of one source."""

    source: Source
    article_ids: list[str] = field(default_factory=list)
    first_seen: set[str] = field(default_factory=set)
    refusals: list[Rejected] = field(default_factory=list)
    _filled: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))
    _chars: list[int] = field(default_factory=list)

    def add(self, decisions: Sequence[Decision], refusals: Sequence[Rejected]) -> None:
        for decision in decisions:
            self.article_ids.append(decision.article.article_id)
            if decision.kind in ("new", "duplicate"):
                self.first_seen.add(decision.article.article_id)
            self._measure(decision.article)
        self.refusals += refusals

    def quality(self, run_id: str) -> Quality | None:
        """A page without text counts as an article that lacks all its fields; None if nothing was read."""
        count = len(self._chars) + sum(refusal.reason in TEXTLESS for refusal in self.refusals)
        if not count:
            return None
        return Quality(
            run_id=run_id,
            at=datetime.now(UTC),
            articles=count,
            shares={name: round(filled / count, 4) for name, filled in self._filled.items()},
            median_chars=float(median(self._chars)) if self._chars else 0.0,
        )

    def _measure(self, article: Article) -> None:
        for name in FIELDS:
            self._filled[name] += bool(getattr(article, name))
        self._chars.append(article.text_chars)


def complaints(history: Sequence[Quality], source: Source) -> list[str]:
    """What is wrong with the latest articles of a source; `history` begins with the latest run."""
    recent, earlier = _split(history)
    if recent is None:
        return []
    found = _missing(recent, source)
    if earlier is not None:
        found += _drift(recent, earlier)
    return found


def _missing(recent: Quality, source: Source) -> list[str]:
    gates = source.gates
    return [
        f"E-FIELDS {name} in {recent.shares[name]:.0%} of the latest {recent.articles} articles,"
        f" {gates.min_share:.0%} are required"
        for name in gates.require
        if recent.shares[name] < gates.min_share
    ]


def _drift(recent: Quality, earlier: Quality) -> list[str]:
    found = []
    for name, before in earlier.shares.items():
        error = sqrt(before * (1 - before) / recent.articles)
        if before - recent.shares[name] > max(SHARE_TOLERANCE, STANDARD_ERRORS * error):
            found.append(f"E-DRIFT {name} in {recent.shares[name]:.0%} of the articles, {before:.0%} before")
    now, then = recent.median_chars, earlier.median_chars
    if then and not 1 / LENGTH_TOLERANCE <= now / then <= LENGTH_TOLERANCE:
        found.append(f"E-DRIFT the middle text has {now:.0f} characters, {then:.0f} before")
    return found


def _split(history: Sequence[Quality]) -> tuple[Quality | None, Quality | None]:
    """The latest runs as one, and those before as one; None for too few articles."""
    count = 0
    for end, quality in enumerate(history, start=1):
        count += quality.articles
        if count >= RECENT_ARTICLES:
            earlier = _together(history[end:])
            return _together(history[:end]), earlier if earlier and earlier.articles >= EARLIER_ARTICLES else None
    return None, None


def _together(runs: Sequence[Quality]) -> Quality | None:
    if not runs:
        return None
    total = sum(run.articles for run in runs)
    return Quality(
        run_id=runs[0].run_id,
        at=runs[0].at,
        articles=total,
        shares={name: sum(run.shares.get(name, 0.0) * run.articles for run in runs) / total for name in FIELDS},
        median_chars=float(median(run.median_chars for run in runs for _ in range(min(run.articles, 100)))),
    )

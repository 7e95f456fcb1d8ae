"""What the lake holds and what its runs left behind, as figures: the reading half of a report. Nothing is written.

The queries ask for columns, never for texts, and name the first day: a year of other days costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from storage.database import exists
from storage.errors import QueryError
from storage.frontier import Frontier, Gap, frontier_location
from storage.ledger import Freshness, Ledger, RunRecord, ledger_location
from storage.query import connect

MEASURED: Final = ("published_at", "publisher", "author", "editor", "section", "summary", "tags", "images", "symbols")
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
EXAMPLES: Final = 5

# Undated articles belong to every period: nobody knows better.
IN_PERIOD: Final = "(date IS NULL OR date BETWEEN $since AND $until)"
COUNTS: Final = f"""
SELECT source, date, count(*) FILTER (NOT copy), count(*) FILTER (copy)
FROM (SELECT source, date, false AS copy FROM articles UNION ALL SELECT source, date, true FROM duplicates)
WHERE {IN_PERIOD} GROUP BY ALL ORDER BY source, date
"""
FILLED: Final = ", ".join(
    f"count(*) FILTER (len({name}) > 0)" if name in ("tags", "images", "symbols") else f"count({name})"
    for name in MEASURED
)
QUALITY: Final = f"""
SELECT source, count(*), quantile_cont(text_chars, {list(QUANTILES)}), coalesce(sum(len(removed)), 0),
       count(*) FILTER (len(removed) > 0), {FILLED}
FROM articles WHERE {IN_PERIOD} GROUP BY source ORDER BY source
"""
FLAGS: Final = f"""
SELECT source, flag, count(*) FROM (SELECT source, unnest(flags) AS flag FROM articles WHERE {IN_PERIOD})
GROUP BY ALL ORDER BY source, 3 DESC, flag
"""
REPRINTS: Final = """
SELECT d.source, a.source, count(*), count(*) FILTER (duplicate_kind = 'near'),
       median(date_diff('second', a.published_at, d.published_at) / 3600)
FROM duplicates AS d JOIN articles AS a ON d.duplicate_of = a.article_id
WHERE d.date IS NULL OR d.date BETWEEN $since AND $until GROUP BY ALL ORDER BY 3 DESC, 1, 2
"""
REFUSALS: Final = f"""
SELECT reason, source, url, detail, fetched_at, raw_ref, run_id, count(*) OVER (PARTITION BY reason, source)
FROM quarantine WHERE date BETWEEN $since AND $until
QUALIFY row_number() OVER (PARTITION BY reason, source ORDER BY fetched_at DESC, url, raw_ref) <= {EXAMPLES}
ORDER BY 8 DESC, reason, source, fetched_at DESC, url, raw_ref
"""
ARRIVALS: Final = """
SELECT source, published_at FROM (
    SELECT source, date, published_at FROM articles UNION ALL SELECT source, date, published_at FROM duplicates)
WHERE date >= $since AND published_at IS NOT NULL ORDER BY source, published_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    source: str
    day: date | None
    articles: int
    duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldQuality:
    """What the articles of one source look like."""

    source: str
    articles: int
    shares: Mapping[str, float]
    """Field → share of the articles that have it."""
    chars: tuple[float, ...]
    """Lengths of the texts, at QUANTILES."""
    removed_lines: int
    cleaned: int
    """Articles out of which wrapper lines were taken."""
    flags: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprint:
    source: str
    original: str
    """The source that had them first."""
    copies: int
    near: int
    median_hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPage:
    url: str
    detail: str
    fetched_at: datetime
    raw_ref: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What one source was refused for one reason, with the latest EXAMPLES."""

    reason: str
    source: str
    count: int
    examples: tuple[RefusedPage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    counts: tuple[DayCount, ...] = ()
    quality: tuple[FieldQuality, ...] = ()
    reprints: tuple[Reprint, ...] = ()
    refusals: tuple[Refusals, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the runs of a lake left behind."""

    runs: tuple[RunRecord, ...] = ()
    """Newest first."""
    crawls: Mapping[str, Freshness] = field(default_factory=dict)


def overview(lake: Path, since: date, until: date) -> Overview:
    """The articles published, and the pages refused, from `since` to `until`, both included."""
    with connect(lake) as connection:
        period = {"since": since, "until": until}
        return Overview(
            counts=tuple(
                DayCount(source=source, day=day, articles=articles, duplicates=duplicates)
                for source, day, articles, duplicates in _rows(connection, COUNTS, period)
            ),
            quality=tuple(_qualities(connection, period)),
            reprints=tuple(
                Reprint(source=source, original=original, copies=copies, near=near, median_hours=hours)
                for source, original, copies, near, hours in _rows(connection, REPRINTS, period)
            ),
            refusals=tuple(_refusals(connection, period)),
        )


def arrivals(lake: Path, since: date) -> dict[str, list[datetime]]:
    """Source → times of publication from `since` on, in order, copies included. A lake that is not there has none."""
    if not lake.is_dir():
        return {}
    times: dict[str, list[datetime]] = defaultdict(list)
    with connect(lake) as connection:
        for source, published_at in _rows(connection, ARRIVALS, {"since": since}):
            times[source].append(published_at)
    return dict(times)


def history(lake: Path, runs: int, ledger: str = "") -> History:
    """The latest runs and crawls. A lake without a ledger has had none."""
    location = ledger_location(lake, ledger)
    if not exists(location):
        return History()
    past = Ledger(location)
    try:
        return History(runs=tuple(past.runs(runs)), crawls={each.source: each for each in past.freshness()})
    finally:
        past.close()


def gaps(lake: Path, source: str, since: datetime, ledger: str = "") -> tuple[Gap, ...]:
    """What lists of a source rolled over, noticed since then, newest first."""
    if not exists(frontier_location(lake, ledger)):
        return ()
    with Frontier(lake, source, ledger) as frontier:
        return tuple(frontier.gaps(since))


def _qualities(connection: duckdb.DuckDBPyConnection, period: dict[str, date]) -> list[FieldQuality]:
    flags: dict[str, dict[str, int]] = defaultdict(dict)
    for source, flag, count in _rows(connection, FLAGS, period):
        flags[source][flag] = count
    return [
        FieldQuality(
            source=source,
            articles=articles,
            shares={name: count / articles for name, count in zip(MEASURED, filled, strict=True)},
            chars=tuple(chars),
            removed_lines=removed_lines,
            cleaned=cleaned,
            flags=flags[source],
        )
        for source, articles, chars, removed_lines, cleaned, *filled in _rows(connection, QUALITY, period)
    ]


def _refusals(connection: duckdb.DuckDBPyConnection, period: dict[str, date]) -> list[Refusals]:
    examples: dict[tuple[str, str, int], list[RefusedPage]] = defaultdict(list)
    for reason, source, url, detail, fetched_at, raw_ref, run_id, count in _rows(connection, REFUSALS, period):
        examples[reason, source, count].append(
            RefusedPage(url=url, detail=detail, fetched_at=fetched_at, raw_ref=raw_ref, run_id=run_id)
        )
    return [
        Refusals(reason=reason, source=source, count=count, examples=tuple(pages))
        for (reason, source, count), pages in examples.items()
    ]


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, date]) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(sql, parameters).fetchall()
    except duckdb.Error as error:
        raise QueryError(str(error)) from error

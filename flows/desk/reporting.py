"""The figures of a report, and what they look like as Markdown: what came in, how fresh, how good, what failed.

    storage.overview ──┐
                       ├─gather──▶ Report ──▶ flows.desk.page      one HTML file
    flows.desk.status ──────┘                 ├──▶ flows.desk.metrics   Prometheus text
                                         └──▶ to_markdown, JSON

A report is a function of the lake and of `now`; whatever is drawn or printed is a function of the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from articles.records import Reason
from articles.source import UNKNOWN
from flows.desk.status import STATES, SourceStatus, status
from flows.settings import Settings
from flows.terminal import counted
from spiders.catalogue import Catalogue
from storage.frontier import Gap
from storage.ledger import RunRecord
from storage.overview import (
    DayCount,
    FieldQuality,
    Overview,
    Refusals,
    Reprint,
    gaps,
    history,
    overview,
)

DAYS = 56
RUNS = 1000
RUNS_SHOWN = 60
RUN_COUNTS = ("discovered", "stored", "revised", "duplicates", "unchanged", "quarantined", "pending", "requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    source: str
    name: str
    status: SourceStatus | None
    """None for a source that has no list: its articles came from archives."""
    counts: tuple[int, ...]
    """Articles of each day of the report."""
    duplicates: int
    undated: int
    gaps: tuple[Gap, ...]
    quality: FieldQuality | None

    @property
    def state(self) -> str:
        return self.status.state if self.status else "archive"

    @property
    def articles(self) -> int:
        return sum(self.counts) + self.undated


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    run_id: str
    command: str
    started_at: datetime
    seconds: float | None
    """None while it runs, and for ever if it was killed."""
    exit_code: int | None
    counts: Mapping[str, int]
    failures: tuple[str, ...]
    """Source and what went wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    lake: str
    now: datetime
    days: tuple[date, ...]
    sources: tuple[SourceReport, ...]
    reprints: tuple[Reprint, ...]
    refusals: tuple[Refusals, ...]
    runs: tuple[RunSummary, ...]
    """Newest first."""

    @property
    def articles(self) -> int:
        return sum(each.articles for each in self.sources)

    @property
    def duplicates(self) -> int:
        return sum(each.duplicates for each in self.sources)

    @property
    def refused(self) -> int:
        return sum(each.count for each in self.refusals)

    @property
    def states(self) -> dict[str, int]:
        """How many sources are in each state that any is in, the worst first."""
        found = [each.state for each in self.sources]
        return {state: found.count(state) for state in STATES if state in found}

    @property
    def troubles(self) -> list[tuple[str, str, str]]:
        """Source, state, reason: what somebody has to look at, the worst first. Sources never asked are left out."""
        judged = [each.status for each in self.sources if each.status and each.status.tried_at]
        ordered = sorted((each for each in judged if each.reasons), key=lambda each: STATES.index(each.state))
        return [(each.source, each.state, reason) for each in ordered for reason in each.reasons]

    def document(self) -> dict[str, Any]:
        """One JSON document."""
        described = asdict(self)
        described["days"] = [day.isoformat() for day in self.days]
        described["troubles"] = [
            {"source": source, "state": state, "reason": reason} for source, state, reason in self.troubles
        ]
        totals = {"articles": self.articles, "duplicates": self.duplicates, "refused": self.refused}
        return described | {"totals": totals | {"sources": self.states}}


def gather(settings: Settings, now: datetime | None = None, *, days: int = DAYS) -> Report:
    """The figures of the last days, today included. Raises QueryError if there is no lake."""
    now = now or datetime.now(UTC)
    # The day of a partition is a day in Shanghai, which begins before the one in UTC.
    until = now.astimezone(UNKNOWN.zone).date()
    period = tuple(until - timedelta(days=back) for back in reversed(range(days)))
    found = overview(settings.lake_path, period[0], until)
    past = history(settings.lake_path, RUNS, settings.ledger)
    return Report(
        lake=settings.lake,
        now=now,
        days=period,
        sources=tuple(_sources(settings, found, period, now)),
        reprints=found.reprints,
        refusals=found.refusals,
        runs=tuple(_summary(run) for run in past.runs if run.started_at >= now - timedelta(days=days))[:RUNS_SHOWN],
    )


def to_markdown(report: Report) -> str:
    """The report in a page of text, for a Prefect artifact or a terminal."""
    parts = [
        f"{counted(report.articles, 'article')} and {counted(report.duplicates, 'reprint')}"
        f" of {report.days[0]} to {report.days[-1]}, {counted(report.refused, 'page')} refused. Sources: "
        + (", ".join(f"{count} {state}" for state, count in report.states.items()) or "none")
        + ".",
        _markdown_table(("source", "state", "why"), report.troubles, "To look at"),
        _markdown_table(
            ("source", "state", "newest", "articles", "reprints", "waiting", "gaps"), _source_rows(report), "Sources"
        ),
        _markdown_table(
            ("reason", "source", "pages", "latest"),
            [(each.reason, each.source, each.count, each.examples[0].detail) for each in report.refusals],
            "Refused",
        ),
        _markdown_table(
            ("reprints", "of", "copies", "hours later"),
            [(each.source, each.original, each.copies, _hours(each.median_hours)) for each in report.reprints],
            "Who reprints whom",
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sources(settings: Settings, found: Overview, days: Sequence[date], now: datetime) -> Iterable[SourceReport]:
    """All that should bring something, and all that did."""
    catalogue = Catalogue.load(settings.sources)
    judged = {each.source: each for each in status(settings, now)}
    counts: dict[str, list[DayCount]] = defaultdict(list)
    for count in found.counts:
        counts[count.source].append(count)
    quality = {each.source: each for each in found.quality}
    for source_id in sorted({*judged, *counts}):
        by_day = {count.day: count.articles for count in counts[source_id]}
        yield SourceReport(
            source=source_id,
            name=catalogue.get(source_id, UNKNOWN).name,
            status=judged.get(source_id),
            counts=tuple(by_day.get(day, 0) for day in days),
            duplicates=sum(count.duplicates for count in counts[source_id]),
            undated=by_day.get(None, 0),
            gaps=gaps(settings.lake_path, source_id, now - timedelta(days=len(days)), settings.ledger),
            quality=quality.get(source_id),
        )


def _summary(run: RunRecord) -> RunSummary:
    accounts = run.report.get("sources", {})
    return RunSummary(
        run_id=run.run_id,
        command=str(run.report.get("command", "")),
        started_at=run.started_at,
        seconds=(run.finished_at - run.started_at).total_seconds() if run.finished_at else None,
        exit_code=run.report.get("exit_code"),
        counts={name: int(run.report.get("totals", {}).get(name, 0)) for name in RUN_COUNTS},
        failures=tuple(
            f"{source_id}: {failure}"
            for source_id, account in accounts.items()
            for failure in dict.fromkeys([account["error"], *account["gate_failures"]])
            if failure
        ),
    )


def _source_rows(report: Report) -> list[tuple[object, ...]]:
    return [
        (
            each.source,
            each.state,
            moment(each.status.newest_at) if each.status else "",
            each.articles,
            each.duplicates,
            each.status.waiting if each.status else 0,
            len(each.gaps),
        )
        for each in report.sources
        if each.articles or (each.status and each.status.tried_at)
    ]


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str) -> str:
    if not rows:
        return ""
    lines = [_markdown_row(columns), "|" + "---|" * len(columns), *map(_markdown_row, rows)]
    return f"### {title}\n\n" + "\n".join(lines)


def _markdown_row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_plain(str(cell)) for cell in cells) + " |"


def _plain(text: str) -> str:
    """What a page or a site says, so that it stays text: no table border, link, mark-up or line break of its own."""
    escaped = "".join(f"\\{char}" if char in "\\|[]<>`*_#!&" else char for char in text)
    return " ".join(escaped.split())


def moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}" if at else ""


def _hours(hours: float | None) -> str:
    return "" if hours is None else f"{hours:.1f}"


def code_of(reason: str) -> str:
    """E-NOTEXT for `notext`; a slug that no version of ours wrote stays as it is."""
    return Reason(reason).code if reason in set(Reason) else reason

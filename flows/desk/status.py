"""How each source is doing, from what its runs left behind: nothing is fetched, of articles only times are read.

silent  never asked, or not for longer than it may be old
broken  the last run of it failed, or its answers no longer keep what its file promises
stale   it answers, and has nothing new for longer than it may, or than it ever had (flows.desk.habits)
fresh   none of these
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from articles.source import Source
from flows.core.noticing import complaints
from flows.desk.habits import PERIOD, Silence, habit_of, silence_of
from flows.settings import Settings
from spiders.catalogue import Catalogue
from storage.database import exists
from storage.frontier import Frontier, frontier_location
from storage.ledger import Freshness
from storage.overview import History, arrivals, history

RUNS = 200
USUAL_AGE_HOURS = 48.0
GAPS_SHOWN = timedelta(days=7)
# The list itself says that it is old; the age of its articles says it too.
FROZEN = "E-FROZEN"
# Told as gaps, with their span.
GAP = "E-GAP"

State = Literal["fresh", "stale", "broken", "silent"]
STATES: tuple[State, ...] = ("broken", "stale", "silent", "fresh")
"""The worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    source: str
    state: State
    reasons: tuple[str, ...] = ()
    tried_at: datetime | None = None
    succeeded_at: datetime | None = None
    newest_at: datetime | None = None
    waiting: int = 0
    """Articles listed and not stored yet."""
    gaps: tuple[str, ...] = ()
    """Of the last seven days."""
    silence: Silence | None = None
    """None where too little is known of its habit."""

    @property
    def keeps_its_contract(self) -> bool:
        return self.state not in ("stale", "broken")


def status(settings: Settings, now: datetime | None = None) -> list[SourceStatus]:
    """All enabled sources that have a list, by id. A lake that is not there yet has silent sources only."""
    now = now or datetime.now(UTC)
    sources = [source for source in Catalogue.load(settings.sources).values() if source.enabled and source.lists]
    past = history(settings.lake_path, RUNS, settings.ledger)
    accounts = _latest_accounts(past)
    # The habit is that of the time before it fell silent, however long ago that is.
    times = arrivals(settings.lake_path, (now - 2 * PERIOD).date()) if past.crawls else {}
    return [
        _judged(
            settings,
            source,
            past.crawls.get(source.id),
            accounts.get(source.id, {}),
            _silence_against_habit(source, past.crawls.get(source.id), times.get(source.id, ())),
            now,
        )
        for source in sorted(sources, key=lambda source: source.id)
    ]


def _latest_accounts(past: History) -> dict[str, Mapping[str, Any]]:
    """Of each source the account of its latest run."""
    accounts: dict[str, Mapping[str, Any]] = {}
    for run in past.runs:
        if run.report.get("command") == "ingest":
            for source_id, account in run.report.get("sources", {}).items():
                accounts.setdefault(source_id, account)
    return accounts


def _silence_against_habit(source: Source, crawl: Freshness | None, times: Sequence[datetime]) -> Silence | None:
    """Up to the last time it answered: what nobody asked for is not its silence."""
    habit = habit_of(times, source.zone)
    if habit is None or crawl is None or crawl.succeeded_at is None:
        return None
    newest = max(times[-1], crawl.newest_at or times[-1])
    return silence_of(habit, newest, crawl.succeeded_at)


def _judged(
    settings: Settings,
    source: Source,
    crawl: Freshness | None,
    account: Mapping[str, Any],
    silence: Silence | None,
    now: datetime,
) -> SourceStatus:
    if crawl is None:
        return SourceStatus(source=source.id, state="silent", reasons=("never crawled",))
    waiting, gaps, drift = _left_behind(settings, source, now)
    old_after = timedelta(hours=source.gates.max_age_hours or USUAL_AGE_HOURS)
    findings: dict[State, list[str]] = {
        "silent": list(_silence(crawl, old_after, now)),
        "broken": [*_failures(account), *drift],
        "stale": list(_staleness(source, crawl, account, silence, now)),
    }
    state: State = next((state for state in ("silent", "broken", "stale") if findings[state]), "fresh")
    return SourceStatus(
        source=source.id,
        state=state,
        reasons=tuple(reason for reasons in findings.values() for reason in reasons),
        tried_at=crawl.tried_at,
        succeeded_at=crawl.succeeded_at,
        newest_at=crawl.newest_at,
        waiting=waiting,
        gaps=gaps,
        silence=silence,
    )


def _left_behind(settings: Settings, source: Source, now: datetime) -> tuple[int, tuple[str, ...], list[str]]:
    if not exists(frontier_location(settings.lake_path, settings.ledger)):
        return 0, (), []
    with Frontier(settings.lake_path, source.id, settings.ledger) as frontier:
        gaps = tuple(
            f"{gap.list}: {_minute(gap.since)} to {_minute(gap.until)}" for gap in frontier.gaps(now - GAPS_SHOWN)
        )
        return len(frontier.waiting()), gaps, complaints(frontier.quality(), source)


def _silence(crawl: Freshness, old_after: timedelta, now: datetime) -> Iterator[str]:
    if now - crawl.tried_at > old_after:
        yield f"not crawled since {_minute(crawl.tried_at)}"


def _failures(account: Mapping[str, Any]) -> Iterator[str]:
    if error := account.get("error"):
        yield str(error)
    for failure in account.get("gate_failures", ()):
        # Drift is judged anew, from all runs.
        if failure != error and not failure.startswith((FROZEN, GAP, "E-DRIFT", "E-FIELDS")):
            yield failure


def _staleness(
    source: Source, crawl: Freshness, account: Mapping[str, Any], silence: Silence | None, now: datetime
) -> Iterator[str]:
    hours = source.gates.max_age_hours
    if hours and crawl.newest_at and now - crawl.newest_at > timedelta(hours=hours):
        yield f"the newest article is of {_minute(crawl.newest_at)}, more than {hours:g} h ago"
    if silence and silence.unusual:
        yield (
            f"nothing new for {silence.hours:.0f} h, in which {silence.missing:.0f} articles usually come"
            f" ({silence.longest:.0f} in its longest silences)"
        )
    yield from (failure for failure in account.get("gate_failures", ()) if failure.startswith(FROZEN))


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}"

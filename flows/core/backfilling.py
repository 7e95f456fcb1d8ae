"""A backfill over lists that page back: its units crawled one after the other for each source, resumable at any moment.

    plan ──▶ units ──claim──▶ crawl (child process) ──▶ load (the lake held for seconds) ──▶ done
                 one lane per source                  one at a time, with other runs in between

What a crawl has listed and fetched stands in the frontier and in the archive, page for page; whoever claims the unit
next goes on from there. The lake is held for loading only, so that live runs go on beside a backfill of weeks.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import Event, Lock, Thread

from articles.source import Source
from flows.core.accounting import RunReport
from flows.core.crawl import PASSING, CrawlOutcome
from flows.core.extraction import Extractors, open_extractors
from flows.core.runs import Run, Unwatched, Watch, crawl, crawl_spec, open_lake, run_id
from flows.core.units import Cost, Days, Reprocess, cost, days_within_reach, plan, steps, steps_done
from flows.settings import Settings
from spiders.catalogue import Catalogue
from spiders.crawl import Span
from storage.archive import PageArchive
from storage.errors import LockHeld
from storage.frontier import Frontier
from storage.ledger import Holds
from storage.units import Unit, Units, articles_a_day, days_with_articles, units_of

log = logging.getLogger("finnews.backfill")

SPOOLS = "_state/backfill"
# Crawls of a unit that bring it no further, before it is given up for this run.
TRIES = 3
RETRY_SECONDS = 30.0
# Units of one source that may fail one after the other, before the others are left for another day.
FAILURES_IN_A_ROW = 2
LOOK_SECONDS = 0.25
SHOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A unit that a run would work on."""

    unit: Unit
    cost: Cost


def backfill_sources(
    settings: Settings,
    source_ids: Sequence[str],
    since: date | None,
    until: date | None,
    *,
    reprocess: Reprocess = "missing",
    watch: Watch | None = None,
    retry_seconds: float = RETRY_SECONDS,
) -> RunReport:
    """Works off the days that are missing. Raises RangeError, before a lake is made, for days no list reaches."""
    with open_backfill(settings, source_ids, since, until, reprocess=reprocess) as backfill:
        backfill.watch = watch or Unwatched()
        backfill.retry_seconds = retry_seconds
        with ThreadPoolExecutor(settings.crawls) as lanes:
            running = [lanes.submit(backfill.run_lane, source_id) for source_id in backfill.days]
            try:
                for lane in running:
                    lane.result()
            except BaseException:
                backfill.stop.set()
                raise
    return backfill.report


def planned_units(
    settings: Settings,
    source_ids: Sequence[str],
    since: date | None,
    until: date | None,
    *,
    reprocess: Reprocess = "missing",
) -> list[Planned]:
    """What a run would work on, and the requests it will cost. Nothing is fetched or written."""
    catalogue = Catalogue.load(settings.sources)
    planned: list[Planned] = []
    for source_id, days in _days_of(catalogue, source_ids, since, until).items():
        source = catalogue[source_id]
        a_day = articles_a_day(settings.lake_path, source_id)
        existing = units_of(settings.lake_path, settings.ledger, source_id, days.since, days.until)
        new = plan(source, days, existing, today=_today(source)) if reprocess != "failed" else []
        named = {unit.name for unit in new}
        left = [u for u in existing if u.name not in named and (reprocess == "all" or u.state != "done")]
        planned += [Planned(unit, cost(unit, source, articles_a_day=a_day)) for unit in (*new, *left)]
    return planned


@contextmanager
def open_backfill(
    settings: Settings,
    source_ids: Sequence[str],
    since: date | None,
    until: date | None,
    *,
    reprocess: Reprocess = "missing",
) -> Iterator[Backfill]:
    """A backfill with its units planned; its summary is complete when it is closed."""
    catalogue = Catalogue.load(settings.sources)
    days = _days_of(catalogue, source_ids, since, until)
    report = RunReport(run_id())
    with open_lake(settings, brief=True) as lake:
        lake.ledger.begin_run(report.run_id)
    with Units(settings.lake_path, settings.ledger) as units, open_extractors(catalogue, settings) as extractors:
        backfill = Backfill(settings, catalogue, units, extractors, report, days, reprocess)
        for source_id in days:
            backfill.prepare(source_id)
        yield backfill
        for source_id in days:
            backfill.sum_up(source_id)
        with open_lake(settings, brief=True) as lake:
            lake.ledger.end_run(report.run_id, report.document() | {"command": "backfill"})


@dataclass(slots=True)
class Backfill:
    settings: Settings
    catalogue: Catalogue
    units: Units
    extractors: Extractors
    report: RunReport
    days: Mapping[str, Days]
    reprocess: Reprocess
    watch: Watch = field(default_factory=Unwatched)
    retry_seconds: float = RETRY_SECONDS
    stop: Event = field(default_factory=Event)
    _loading: Lock = field(default_factory=Lock)

    def prepare(self, source_id: str) -> None:
        """Writes down what is to be done, unless it stands there already."""
        source, days = self.catalogue[source_id], self.days[source_id]
        existing = self._units_of(source_id)
        new = plan(source, days, existing, today=_today(source)) if self.reprocess != "failed" else []
        names = {unit.name for unit in new}
        # One of the same name was asked for while its last day was not over.
        self._start_anew([unit for unit in existing if self.reprocess == "all" or unit.name in names])
        self.units.add(new)
        self.units.reopen(existing)
        self.report.account(source_id)

    def run_lane(self, source_id: str) -> None:
        """The units of one source, one at a time, newest first, until none is left."""
        days, today = self.days[source_id], _today(self.catalogue[source_id])
        failures = 0
        while not self.stop.is_set() and failures < FAILURES_IN_A_ROW:
            self._show(source_id)
            unit = self.units.claim(source_id, days.since, days.until, today=today)
            if unit is None:
                return
            if unit == "busy":
                self.stop.wait(LOOK_SECONDS)
                continue
            failures = 0 if self._work_off(unit) else failures + 1
        self._show(source_id)

    def sum_up(self, source_id: str) -> None:
        """Enters what became of the units, and which days of the range are still without an article."""
        account, days = self.report.account(source_id), self.days[source_id]
        units = self._units_of(source_id)
        states = Counter("left" if unit.state in ("pending", "running") else unit.state for unit in units)
        account.units = {state: states[state] for state in ("done", "failed", "left")}
        account.failures = [f"{unit}: {unit.error}" for unit in units if unit.state == "failed"]
        if account.failures and not states["done"]:
            account.error = account.failures[0]
        covered = days_with_articles(self.settings.lake_path, source_id, days.since, days.until)
        account.empty_days = [day.isoformat() for day in days if day not in covered]

    def _units_of(self, source_id: str) -> list[Unit]:
        days = self.days[source_id]
        return self.units.of(source_id, days.since, days.until)

    def _frontier(self, unit: Unit) -> Frontier:
        return Frontier(self.settings.lake_path, unit.source, self.settings.ledger, unit.name)

    def _start_anew(self, units: Sequence[Unit]) -> None:
        for unit in units:
            with self._frontier(unit) as frontier:
                frontier.clear()
        self.units.reset(units)

    def _work_off(self, unit: Unit) -> bool:
        """Crawls and loads a unit until it is done, given up, or taken away; False if it failed."""
        log.info("%s: begun", unit)
        articles = tries = pending = 0
        with self._held(unit) as halt:
            while not halt.is_set():
                outcome = self._crawl(unit, halt)
                if halt.is_set():
                    break
                pending = self._load(unit, outcome, pending, halt)
                articles += len(outcome.pages)
                if _is_done(outcome) and not pending:
                    self._finish(unit, outcome, articles)
                    return True
                tries = 0 if outcome.pages and outcome.status == "stopped" else tries + 1
                why = _why(outcome, pending)
                if tries >= TRIES or not (pending or _may_pass(outcome, why)):
                    log.error("%s: %s", unit, why)
                    self.units.fail(unit, why)
                    return False
                log.warning("%s: %s; it is gone on with", unit, why)
                halt.wait(self.retry_seconds * tries)
            self.units.release(unit)
        return True

    def _crawl(self, unit: Unit, halt: Event) -> CrawlOutcome:
        spools = self.settings.lake_path / SPOOLS / unit.source
        shutil.rmtree(spools, ignore_errors=True)  # of a killed driver; its results stand in the frontier
        spec = crawl_spec(self.settings, unit.source, self.report.run_id, spools / secrets.token_hex(4))
        span = Span(
            list=unit.list,
            since=unit.since,
            until=unit.until,
            first_page=unit.first_page,
            last_page=unit.last_page,
        )
        return crawl(replace(spec, span=span, unit=unit.name), stop=halt, ledger=self.settings.ledger)

    def _load(self, unit: Unit, outcome: CrawlOutcome, pending: int, halt: Event) -> int:
        """Commits what was crawled; gives how many articles are listed and not there yet.

        What was pending before was listed again by this crawl, and is not to be counted twice.
        """
        with self._loading:
            try:
                lake = open_lake(self.settings, brief=True, stop=halt)
            except LockHeld:  # told to end while another run had the lake: all is in the frontier
                return pending
            with lake, PageArchive(lake.root) as archive:
                account = self.report.account(unit.source)
                account.discovered -= pending
                account.pending -= pending
                # Its units have leases of their own: it holds nothing.
                run = Run(self.settings, self.catalogue, lake, archive, self.extractors, self.report, Holds(lake.root))
                left = run.load_unit(unit.name, outcome)
                # A unit that is tried again and done has not failed.
                account.error, account.gate_failures = None, []
                return left

    def _show(self, source_id: str, at_work: Unit | None = None) -> None:
        """Tells how far the source has come, by all drivers, and within the unit at work."""
        units = self._units_of(source_id)
        done = sum(steps(unit) for unit in units if unit.state in ("done", "failed"))
        if at_work is not None:
            with self._frontier(at_work) as frontier:
                done += steps_done(at_work, frontier.place(at_work.list))
        self.watch.reached(source_id, done, sum(map(steps, units)))

    def _finish(self, unit: Unit, outcome: CrawlOutcome, articles: int) -> None:
        if self.units.finish(unit, articles=articles):
            with self._frontier(unit) as frontier:
                frontier.clear()
            if unit.last_page and outcome.report and outcome.report.walked == "exhausted":
                self.units.end_list(unit)
        log.info("%s: done", unit)

    @contextmanager
    def _held(self, unit: Unit) -> Iterator[Event]:
        """Keeps the lease while the unit is worked on. The event is set when it is lost, or the run is to end."""
        halt, over = Event(), Event()

        def keep() -> None:
            renew_at = 0.0
            while not over.wait(LOOK_SECONDS):
                if self.stop.is_set():
                    halt.set()
                elif time.monotonic() >= renew_at:
                    renew_at = time.monotonic() + min(SHOW_SECONDS, self.units.lease_seconds / 4)
                    self._show(unit.source, unit)
                    if not self.units.renew(unit):
                        log.warning("%s: taken over by another driver", unit)
                        halt.set()

        keeper = Thread(target=keep, daemon=True)
        keeper.start()
        try:
            yield halt
        finally:
            over.set()
            keeper.join()


def _days_of(
    catalogue: Catalogue, source_ids: Sequence[str], since: date | None, until: date | None
) -> dict[str, Days]:
    chosen = [catalogue.find(source_id).id for source_id in source_ids]
    return {
        source_id: days_within_reach(catalogue[source_id], since, until, today=_today(catalogue[source_id]))
        for source_id in dict.fromkeys(chosen)
    }


def _is_done(outcome: CrawlOutcome) -> bool:
    return bool(outcome.status == "finished" and outcome.report and outcome.report.walked)


def _may_pass(outcome: CrawlOutcome, why: str) -> bool:
    return outcome.status in ("stopped", "crashed", "timeout") or bool(PASSING.search(why))


def _why(outcome: CrawlOutcome, pending: int) -> str:
    if outcome.error:
        return outcome.error
    failures = outcome.report.gate_failures if outcome.report else ()
    if failures:
        return failures[0]
    return f"{pending} articles listed and not there yet" if pending else f"the crawl {outcome.status}"


def _today(source: Source) -> date:
    return datetime.now(source.zone).date()

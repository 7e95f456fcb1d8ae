"""The flow `backfill`: archives on disk, or the past of sources whose lists page back, into the lake.

    archives:  load archives ──▶ account
    sources:   lane <source>, one each ──▶ account       however many units there are

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait

from flows.core.accounting import RunReport
from flows.core.backfilling import Backfill, open_backfill
from flows.core.runs import backfill_archives
from flows.ingest import CRAWLERS, PATIENCE_SECONDS
from flows.server.alarming import alarm
from flows.server.publishing import Bars, account
from flows.settings import Settings, load_settings


# No retries: the same bytes give the same answer.
@task(name="load archives", cache_policy=NO_CACHE, persist_result=False)
def load_archives(settings: Settings, paths: Sequence[Path], source: str | None, runner: str) -> RunReport:
    return backfill_archives(
        settings, paths, source_id=source, runner=runner, watch=Bars(), patience_seconds=PATIENCE_SECONDS
    )


# No retries either: a lane tries its units again by itself, and what it leaves is the next run's.
@task(task_run_name="lane {source_id}", cache_policy=NO_CACHE, persist_result=False)
def lane(backfill: Backfill, source_id: str) -> None:
    backfill.run_lane(source_id)


@flow(name="backfill", task_runner=CRAWLERS, persist_result=False, on_failure=[alarm])  # type: ignore[arg-type]
def backfill(
    paths: list[Path] | None = None,
    source: str | None = None,
    runner: str = "",
    sources: list[str] | None = None,
    since: date | None = None,
    until: date | None = None,
    reprocess: Literal["missing", "failed", "all"] = "missing",
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
) -> RunReport:
    """Loads the archives below `paths`, or the days of `sources`; a second run of the same changes nothing."""
    settings = load_settings(lake=lake, sources=source_dirs)
    if sources:
        with open_backfill(settings, sources, since, until, reprocess=reprocess) as past:
            past.watch = Bars()
            _run_lanes(past)
        report = past.report
    else:
        report = load_archives(settings, paths or [], source, runner)
    account(report)
    return report.or_raise()


def _run_lanes(past: Backfill) -> None:
    try:
        futures = [lane.submit(past, source_id) for source_id in past.days]
        wait(futures)
        for future in futures:
            future.result()
    except BaseException:
        past.stop.set()
        raise

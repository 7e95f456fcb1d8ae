"""The flow `ingest`: one incremental pass over live sources.

    crawl <lane> ──▶ load <lane> ──▶ account          crawls side by side, one committer

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows.core.accounting import RunReport
from flows.core.crawl import GRACE_SECONDS, CrawlError
from flows.core.runs import REVISITS, Run, open_run
from flows.server.alarming import alarm, tell
from flows.server.publishing import account
from flows.settings import load_settings

# A task run costs 30 ms on the server, and beyond some thousands it loses count: at most about a hundred a flow run.
LANES = 45
# The crawl's own requests were tried again within seconds: a site that is down gets minutes.
RETRY_SECONDS = (60.0, 120.0)
# Longer than a pass takes. A lake that is not free by then is held by something a person should look at.
PATIENCE_SECONDS = 1800.0


@task(task_run_name="crawl {lane}", cache_policy=NO_CACHE, persist_result=False)
def crawl(run: Run, lane: str, limit: int | None, lists: bool, revisits: int) -> None:
    run.crawl_lane(lane.split(), retry_seconds=RETRY_SECONDS, limit=limit, lists=lists, revisits=revisits)


@task(task_run_name="load {lane}", cache_policy=NO_CACHE, persist_result=False)
def load(run: Run, lane: str, polled: bool) -> None:
    for source_id in lane.split():
        run.load(source_id, run.outcomes.pop(source_id), polled=polled)


CRAWLERS: ThreadPoolTaskRunner[None] = ThreadPoolTaskRunner(max_workers=4)


# Crawls of different sources are on different hosts; the delay on a host is the source's own.
@flow(name="ingest", task_runner=CRAWLERS, persist_result=False, on_failure=[alarm])  # type: ignore[arg-type]
def ingest(
    sources: list[str] | None = None,
    limit: int | None = None,
    revisits: int = REVISITS,
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> RunReport:
    """One pass; sources: ids, or None for all enabled ones. Fails with the worst that happened to any of them."""
    settings = load_settings(lake=lake, sources=source_dirs)
    with open_run(settings, "ingest", patience_seconds=patience_seconds) as run:
        one_pass(run, run.catalogue.choose(sources or ()), limit=limit, revisits=revisits)
    account(run.report)
    tell(settings)
    return run.report.or_raise()


def one_pass(
    run: Run, source_ids: Sequence[str], *, limit: int | None = None, lists: bool = True, revisits: int = REVISITS
) -> None:
    """Crawls side by side, loads one after the other: as tasks of the flow run this is called in."""
    crawls: dict[str, PrefectFuture[None]] = {}
    # Prefect would look through every page of the run for results of other tasks.
    whole = cast(Run, quote(run))
    try:
        with run.ending_crawls():
            for lane in lanes(source_ids):
                crawls[lane] = crawl.submit(whole, lane, limit, lists, revisits)
            for lane, future in crawls.items():
                _wait(future)
                load(whole, lane, lists)
    finally:
        # The lake stays ours until nobody writes to it any more.
        for future in crawls.values():
            future.wait(GRACE_SECONDS)


def lanes(source_ids: Sequence[str]) -> list[str]:
    """A lane for each source while they are few; else the ids, with blanks between, of those crawled one by one."""
    count = min(len(source_ids), LANES)
    return [" ".join(source_ids[first::count]) for first in range(count)]


def _wait(future: PrefectFuture[None]) -> None:
    """What the crawls came to is in the run, also after the last try failed: a sick source stops no other."""
    try:
        future.result()
    except CrawlError:
        return

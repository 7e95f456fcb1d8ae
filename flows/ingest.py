"""The flow `ingest`: one incremental pass over live sources.

    crawl <source> ──▶ load <source> ──▶ account          crawls side by side, one committer

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from flows.accounting import RunReport
from flows.crawl import CrawlError, CrawlOutcome
from flows.runs import Run, open_run
from flows.settings import load_settings


def may_pass(task: object, run: object, state: State[CrawlOutcome]) -> bool:
    """Whether a failed crawl is worth another try."""
    del task, run
    error = state.result(raise_on_failure=False)
    return not isinstance(error, CrawlError) or error.outcome.may_pass


# The crawl's own requests were tried again within seconds: a site that is down gets minutes.
@task(
    task_run_name="crawl {source_id}",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=60),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def crawl(run: Run, source_id: str, limit: int | None) -> CrawlOutcome:
    return run.crawl(source_id, limit=limit).or_raise()


@task(task_run_name="load {source_id}", cache_policy=NO_CACHE, persist_result=False)
def load(run: Run, source_id: str, outcome: CrawlOutcome) -> None:
    run.load(source_id, outcome)


@task(cache_policy=NO_CACHE, persist_result=False)
def account(report: RunReport) -> None:
    """Publishes what became of everything, as a table beside the flow run."""
    sources = report.document()["sources"]
    rows = [{"source": source_id, **numbers} for source_id, numbers in sources.items()]
    create_table_artifact(key="accounting", table=rows, description=f"run {report.run_id}")


CRAWLERS: ThreadPoolTaskRunner[CrawlOutcome] = ThreadPoolTaskRunner(max_workers=4)


# Crawls of different sources are on different hosts; the delay on a host is the source's own.
@flow(name="ingest", task_runner=CRAWLERS, persist_result=False)  # type: ignore[arg-type]
def ingest(
    sources: list[str] | None = None,
    limit: int | None = None,
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
) -> RunReport:
    """One pass; sources: ids, or None for all enabled ones. Fails with the worst that happened to any of them."""
    settings = load_settings(lake=lake, sources=source_dirs)
    with open_run(settings, "ingest") as run:
        crawls = {source_id: crawl.submit(run, source_id, limit) for source_id in run.catalogue.choose(sources or ())}
        for source_id, future in crawls.items():
            load(run, source_id, _outcome(future))
    account(run.report)
    return run.report.or_raise()


def _outcome(future: PrefectFuture[CrawlOutcome]) -> CrawlOutcome:
    """What a crawl came to, also after its last retry failed: a sick source stops no other."""
    try:
        return future.result()
    except CrawlError as error:
        return error.outcome

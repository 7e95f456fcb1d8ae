"""The flow `maintain`: keeps a lake in order while nothing is published.

    compact ──▶ check ──▶ report          fails if the lake no longer keeps what it promises

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.commands.compacting import expire_pages
from flows.commands.verifying import look, quiet
from flows.core.runs import open_lake
from flows.desk.page import to_html
from flows.desk.reporting import gather, to_markdown
from flows.ingest import PATIENCE_SECONDS
from flows.server.alarming import alarm
from flows.server.publishing import as_failure, publish_findings, publish_sealed
from flows.settings import Settings, load_settings
from flows.writing import write_whole
from storage.store import is_remote

log = logging.getLogger("finnews.maintain")

# The lake is looked at while nobody writes: a pass that is under way is waited for.
CHECK_AGAIN = 10
CHECK_AGAIN_SECONDS = 60
# Late articles and revisions come within a week; a sealed day that is changed after all is sealed again.
SEAL_AFTER_DAYS = 8


# Opening the lake finishes what a killed run left half done, too.
@task(cache_policy=NO_CACHE, persist_result=False)
def compact(settings: Settings, seal_after_days: int, patience_seconds: float) -> None:
    before = (datetime.now(UTC) - timedelta(days=seal_after_days)).date()
    with open_lake(settings, patience_seconds=patience_seconds) as lake:
        publish_sealed(list(lake.compact(before)))
        expire_pages(settings)


@task(retries=CHECK_AGAIN, retry_delay_seconds=CHECK_AGAIN_SECONDS, cache_policy=NO_CACHE, persist_result=False)
def check(settings: Settings) -> str:
    """What is wrong with the lake, in one line. Of a lake in a bucket, files are the store's to keep whole."""
    if is_remote(settings.lake):
        log.info("%s is not in a folder: not checked", settings.lake)
        return ""
    with quiet(settings):
        findings = look(settings)
    publish_findings(findings)
    return as_failure(findings)


@task(cache_policy=NO_CACHE, persist_result=False)
def report(settings: Settings, page: Path | None) -> None:
    found = gather(settings)
    create_markdown_artifact(key="lake-report", markdown=to_markdown(found), description=settings.lake)
    if page is not None:
        write_whole(page, to_html(found))


@flow(name="maintain", persist_result=False, on_failure=[alarm])
def maintain(
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
    page: Path | None = None,
    seal_after_days: int = SEAL_AFTER_DAYS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """`page`: the HTML file that the report is written to as well."""
    settings = load_settings(lake=lake, sources=source_dirs)
    compact(settings, seal_after_days, patience_seconds)
    failure = check(settings)
    report(settings, page)
    if failure:
        raise RuntimeError(failure)

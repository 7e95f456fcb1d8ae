"""The flow `maintain`: keeps a lake in order while nothing is published.

    recover ──▶ check ──▶ report          fails if the lake no longer keeps what it promises

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.ingest import PATIENCE_SECONDS
from flows.page import to_html
from flows.publishing import as_failure, publish_findings
from flows.reporting import gather, to_markdown
from flows.runs import open_run
from flows.settings import Settings, load_settings
from flows.verifying import look, quiet
from flows.writing import write_whole

# The lake is looked at while nobody writes: a pass that is under way is waited for.
CHECK_AGAIN = 10
CHECK_AGAIN_SECONDS = 60


# What a killed run left half done is finished by opening the lake: no reader has to wait for the next pass.
@task(cache_policy=NO_CACHE, persist_result=False)
def recover(settings: Settings, patience_seconds: float) -> None:
    with open_run(settings, "maintain", patience_seconds=patience_seconds):
        pass


@task(retries=CHECK_AGAIN, retry_delay_seconds=CHECK_AGAIN_SECONDS, cache_policy=NO_CACHE, persist_result=False)
def check(settings: Settings) -> str:
    """What is wrong with the lake, in one line."""
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


@flow(name="maintain", persist_result=False)
def maintain(
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
    page: Path | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """`page`: the HTML file that the report is written to as well."""
    settings = load_settings(lake=lake, sources=source_dirs)
    recover(settings, patience_seconds)
    failure = check(settings)
    report(settings, page)
    if failure:
        raise RuntimeError(failure)

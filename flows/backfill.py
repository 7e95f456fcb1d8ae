"""The flow `backfill`: archives on disk into the lake.

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.accounting import RunReport
from flows.ingest import account
from flows.runs import Run, find_source, open_run
from flows.settings import load_settings


# No retries: the same bytes give the same answer.
@task(name="load archives", cache_policy=NO_CACHE, persist_result=False)
def load_archives(run: Run, paths: list[Path], source_id: str | None) -> None:
    run.load_archives(paths, find_source(run.catalogue, source_id) if source_id else None)


@flow(name="backfill", persist_result=False)
def backfill(
    paths: list[Path],
    source: str | None = None,
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
) -> RunReport:
    """Loads posts, JSONL, texts, HTML and WARC below `paths`; a second run of the same changes nothing."""
    settings = load_settings(lake=lake, sources=source_dirs)
    with open_run(settings, "backfill") as run:
        load_archives(run, paths, source)
    account(run.report)
    return run.report.or_raise()

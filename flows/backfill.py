"""The flow `backfill`: archives on disk into the lake.

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from articles.records import Page, Rejected
from flows.accounting import RunReport
from flows.documents import documents_of
from flows.ingest import account
from flows.runs import Run, open_run
from flows.settings import load_settings
from spiders.catalogue import Catalogue


# No retries: the same bytes give the same answer.
@task(name="load archives", cache_policy=NO_CACHE, persist_result=False)
def load_archives(run: Run, documents: Iterator[Page | Rejected]) -> None:
    run.load_documents(documents)


@flow(name="backfill", persist_result=False)
def backfill(
    paths: list[Path],
    source: str | None = None,
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
) -> RunReport:
    """Loads posts, JSONL, texts, HTML and WARC below `paths`; a second run of the same changes nothing."""
    settings = load_settings(lake=lake, sources=source_dirs)
    documents = documents_of(Catalogue.load(settings.sources), paths, source)
    with open_run(settings, "backfill") as run:
        load_archives(run, documents)
    account(run.report)
    return run.report.or_raise()

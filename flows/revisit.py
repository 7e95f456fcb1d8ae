"""The flow `revisit`: looks again at young articles whose source edits its pages; asks for no list.

Prefect loads this file by its path and names the module after it: it defines no types.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows.core.accounting import RunReport
from flows.core.runs import open_run
from flows.ingest import CRAWLERS, PATIENCE_SECONDS, one_pass
from flows.server.alarming import alarm
from flows.server.publishing import account
from flows.settings import load_settings
from storage.frontier import due_sources

# A pass of its own has the time that a poll in market hours has not.
REVISITS_A_PASS = 1000


@flow(name="revisit", task_runner=CRAWLERS, persist_result=False, on_failure=[alarm])  # type: ignore[arg-type]
def revisit(
    sources: list[str] | None = None,
    revisits: int = REVISITS_A_PASS,
    lake: str | None = None,
    source_dirs: list[Path] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> RunReport:
    """One pass over what is due; sources: ids, or None for all enabled ones."""
    settings = load_settings(lake=lake, sources=source_dirs)
    with open_run(settings, "revisit", patience_seconds=patience_seconds) as run:
        due = set(due_sources(settings.lake_path, settings.ledger))
        chosen = [source_id for source_id in run.catalogue.choose(sources or ()) if source_id in due]
        one_pass(run, chosen, lists=False, revisits=revisits)
    account(run.report)
    return run.report.or_raise()

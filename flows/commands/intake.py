"""The commands that write to the lake. Each returns the exit code."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from articles.records import Rejected
from flows.core.accounting import Account, Exit, RunFailedError, RunReport
from flows.core.backfilling import Planned, backfill_sources, planned_units
from flows.core.crawl import LEDGER
from flows.core.documents import documents_of
from flows.core.runs import backfill_archives, ingest_sources
from flows.core.units import Reprocess
from flows.server.serving import PREFECT_API, answers
from flows.settings import Settings, SettingsError
from flows.terminal import Terminal, as_records
from spiders.catalogue import Catalogue

BOUNDS = {"at most": "≤ ", "about": "≈ ", "at least": "≥ "}


def ingest_command(
    source_ids: Sequence[str],
    settings: Settings,
    terminal: Terminal,
    *,
    limit: int | None = None,
    dry_run: bool = False,
    as_flow: bool = False,
) -> Exit:
    catalogue = Catalogue.load(settings.sources)
    chosen = catalogue.choose(source_ids)
    if not chosen:
        raise SettingsError("no source is enabled: name some, or see `finnews sources list`")
    if dry_run:
        return _say_lists(catalogue, chosen, terminal)
    if _as_flow(as_flow, terminal):
        from flows.ingest import ingest

        parameters = {"sources": chosen, "limit": limit, "lake": settings.lake, "source_dirs": settings.sources}
        return _ended(_flow_run(ingest, parameters, settings), terminal)
    with terminal.progress("sources", total=len(chosen)) as advance:
        report = ingest_sources(settings, chosen, limit=limit, advance=advance)
    _tell_changes(settings, terminal)
    return _ended(report, terminal)


def past_command(
    source_ids: Sequence[str],
    settings: Settings,
    terminal: Terminal,
    *,
    since: date | None,
    until: date | None,
    reprocess: Reprocess = "missing",
    dry_run: bool = False,
    as_flow: bool = False,
) -> Exit:
    if dry_run:
        return _say_units(planned_units(settings, source_ids, since, until, reprocess=reprocess), terminal)
    if _as_flow(as_flow, terminal):
        from flows.backfill import backfill

        days = {"since": since, "until": until, "reprocess": reprocess}
        where = {"lake": settings.lake, "source_dirs": settings.sources}
        return _ended(_flow_run(backfill, {"sources": list(source_ids), **days, **where}, settings), terminal)
    with terminal.lanes() as lanes:
        report = backfill_sources(settings, source_ids, since, until, reprocess=reprocess, watch=lanes)
    return _ended(report, terminal)


def backfill_command(
    paths: Sequence[Path],
    settings: Settings,
    terminal: Terminal,
    *,
    source_id: str | None = None,
    runner: str = "",
    dry_run: bool = False,
    as_flow: bool = False,
) -> Exit:
    if dry_run:
        return _count_documents(paths, settings, terminal, source_id)
    if _as_flow(as_flow, terminal):
        from flows.backfill import backfill

        where = {"lake": settings.lake, "source_dirs": settings.sources}
        parameters = {"paths": paths, "source": source_id, "runner": runner, **where}
        return _ended(_flow_run(backfill, parameters, settings), terminal)
    with terminal.lanes() as lanes:
        report = backfill_archives(settings, paths, source_id=source_id, runner=runner, watch=lanes)
    return _ended(report, terminal)


def _as_flow(asked: bool, terminal: Terminal) -> bool:
    """With a Prefect API configured, a run is a flow run there; without one the core runs, and pays for none."""
    api = os.environ.get(PREFECT_API)
    if asked and not api:
        # A busy machine needs more than Prefect's twenty seconds to start its temporary server.
        os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    if asked or not api:
        return asked
    if answers(api):
        return True
    # Nothing of ours depends on it: news that comes in unseen is better than none.
    terminal.say(f"no Prefect server answers at {api}: running without one")
    return False


def _flow_run(flow: Callable[..., RunReport], parameters: Mapping[str, Any], settings: Settings) -> RunReport:
    """A flow run in this process, seen by the Prefect API; its failure is in the report."""
    # Not as a parameter: those are shown, and the url may hold a password.
    os.environ[LEDGER] = settings.ledger
    try:
        return flow(**parameters)
    except RunFailedError as failed:
        return failed.report


def _tell_changes(settings: Settings, terminal: Terminal) -> None:
    """Whom the settings name hears of sources that fell ill in this run. A wrong address undoes no run."""
    if not settings.notify_urls:
        return
    from flows.desk.notifying import tell_changes

    try:
        tell_changes(settings)
    except SettingsError as error:
        terminal.say(f"not told: {error}")


def _ended(report: RunReport, terminal: Terminal) -> Exit:
    terminal.report(report)
    if 0 < report.totals.discovered == report.totals.quarantined and not terminal.as_json:
        terminal.say(_nothing_came(report.totals))
    return report.exit_code


def _nothing_came(totals: Account) -> str:
    """Refusals are told, and fail no run; one that brought nothing else should not look like a good one."""
    pages = "the only page was" if totals.discovered == 1 else f"all {totals.discovered} pages were"
    return f"no article came in: {pages} refused; `finnews quarantine list` says why"


def _say_lists(catalogue: Catalogue, source_ids: Sequence[str], terminal: Terminal) -> Exit:
    rows = [(source_id, rule.kind, rule.url) for source_id in source_ids for rule in catalogue[source_id].lists]
    columns = ("source", "kind", "list")
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows, title="would be asked for; then the new articles on them")
    return Exit.OK


def _say_units(planned: Sequence[Planned], terminal: Terminal) -> Exit:
    if terminal.as_json:
        terminal.document([_unit_record(each) for each in planned])
        return Exit.OK
    rows = [
        (
            each.unit.source,
            f"{each.unit.since} to {each.unit.until}",
            f"{each.unit.first_page}-{each.unit.last_page}" if each.unit.last_page else "",
            each.unit.state,
            f"{BOUNDS[each.cost.bound]}{each.cost.lists:,}",
            "?" if each.cost.articles is None else f"{BOUNDS[each.cost.bound]}{each.cost.articles:,}",
        )
        for each in planned
    ]
    columns = ("source", "days", "pages", "state", "for lists", "for articles")
    terminal.table(columns, rows, title="requests that it would make; articles that the lake has are not fetched again")
    return Exit.OK


def _unit_record(planned: Planned) -> dict[str, Any]:
    unit, cost = planned.unit, planned.cost
    return {
        "source": unit.source,
        "since": unit.since.isoformat(),
        "until": unit.until.isoformat(),
        "first_page": unit.first_page or None,
        "last_page": unit.last_page or None,
        "state": unit.state,
        "requests": cost.bound,
        "for_lists": cost.lists,
        "for_articles": cost.articles,
    }


def _count_documents(paths: Sequence[Path], settings: Settings, terminal: Terminal, source_id: str | None) -> Exit:
    counts = Counter(
        (document.source, document.reason.code if isinstance(document, Rejected) else document.form)
        for document in documents_of(Catalogue.load(settings.sources), paths, source_id)
    )
    rows = [(source_id, what, count) for (source_id, what), count in sorted(counts.items())]
    columns = ("source", "what", "documents")
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows, title="would be read")
    return Exit.OK

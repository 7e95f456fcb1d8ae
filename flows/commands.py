"""What each command of the line does, given settings and a terminal. Every function returns the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from articles.records import Reason, Rejected
from articles.source import Source
from flows.accounting import Exit, RunFailedError, RunReport
from flows.cases import check_source
from flows.documents import manifest_documents, reading_line
from flows.runs import backfill_archives, choose, documents_of, find_source, ingest_sources, open_extractors
from flows.settings import Settings
from flows.terminal import Terminal, as_records
from spiders.catalogue import Catalogue, load_source
from storage.query import query
from storage.schema import schema_document, schema_markdown

# With a Prefect API configured a run is a flow run there; without one the core runs directly, and pays for no server.
PREFECT_API = "PREFECT_API_URL"


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
    chosen = choose(catalogue, source_ids)
    if dry_run:
        return _say_lists(catalogue, chosen, terminal)
    if as_flow or PREFECT_API in os.environ:
        from flows.ingest import ingest

        parameters = {"sources": chosen, "limit": limit, "lake": settings.lake, "source_dirs": settings.sources}
        return _ended(_flow_run(ingest, parameters), terminal)
    with terminal.progress("sources", total=len(chosen)) as advance:
        report = ingest_sources(settings, chosen, limit=limit, advance=advance)
    return _ended(report, terminal)


def backfill_command(
    paths: Sequence[Path],
    settings: Settings,
    terminal: Terminal,
    *,
    source_id: str | None = None,
    dry_run: bool = False,
    as_flow: bool = False,
) -> Exit:
    if dry_run:
        return _count_documents(paths, settings, terminal, source_id)
    if as_flow or PREFECT_API in os.environ:
        from flows.backfill import backfill

        parameters = {"paths": paths, "source": source_id, "lake": settings.lake, "source_dirs": settings.sources}
        return _ended(_flow_run(backfill, parameters), terminal)
    with terminal.progress("documents") as advance:
        report = backfill_archives(settings, paths, source_id=source_id, advance=advance)
    return _ended(report, terminal)


def extract_command(
    paths: Sequence[Path],
    manifest: Path | None,
    settings: Settings,
    terminal: Terminal,
    *,
    source_id: str | None = None,
) -> Exit:
    """JSON lines on stdout, one per document and in their order; what was refused has `error` in place of a text."""
    catalogue = Catalogue.load(settings.sources)
    if manifest is not None:
        documents = manifest_documents(manifest, catalogue, find_source(catalogue, source_id) if source_id else None)
    else:
        documents = documents_of(catalogue, paths, source_id)
    refused = Counter[str]()
    with open_extractors(catalogue, settings) as extractors, terminal.progress("documents") as advance:
        for document, result in extractors.run(documents):
            line = reading_line(document, result)
            refused.update([line["error"]] if "error" in line else [])
            terminal.line(line)
            advance(1)
    for code, count in sorted(refused.items()):
        terminal.say(f"{count} documents gave no article, {code}; see `detail` in their lines")
    return Exit.SOME_FAILED if refused[Reason.ARCHIVE.code] else Exit.OK


def read_command(sql: str, settings: Settings, terminal: Terminal) -> Exit:
    columns, rows = query(settings.lake_path, sql)
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows)
    return Exit.OK


def schema_command(terminal: Terminal, *, markdown: bool = False) -> Exit:
    if markdown:
        sys.stdout.write(schema_markdown())
    elif terminal.as_json:
        terminal.document(schema_document())
    else:
        for tree, described in schema_document()["trees"].items():
            rows = [(column["name"], column["type"], column["description"]) for column in described["columns"]]
            terminal.table(("column", "type", "meaning"), rows, title=f"{tree}: {described['about']}")
    return Exit.OK


def sources_list_command(settings: Settings, terminal: Terminal) -> Exit:
    catalogue = Catalogue.load(settings.sources)
    rows = [
        (source.id, source.name, ", ".join(_kinds(source)), ", ".join(source.hosts), "yes" if source.enabled else "no")
        for source in sorted(catalogue.values(), key=lambda source: source.id)
    ]
    columns = ("id", "name", "lists", "hosts", "enabled")
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows)
    return Exit.OK


def sources_show_command(source_id: str, settings: Settings, terminal: Terminal) -> Exit:
    source = find_source(Catalogue.load(settings.sources), source_id)
    described = source.model_dump(mode="json", by_alias=True)
    if terminal.as_json:
        terminal.document(described)
    else:
        rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in described.items() if value]
        terminal.table(("key", "value"), rows, title=source.name)
    return Exit.OK


def sources_check_command(which: str | None, cases: Path, settings: Settings, terminal: Terminal) -> Exit:
    """Every selected source file is valid, and gives on its saved pages what a person found right."""
    results = [
        result for source in _sources_to_check(which, settings) for result in check_source(source, cases / source.id)
    ]
    if terminal.as_json:
        terminal.document([asdict(result) for result in results])
    else:
        terminal.table(
            ("source", "case", "result"), [(r.source, r.case, "; ".join(r.differences) or "ok") for r in results]
        )
    return Exit.GATE if any(result.differences for result in results) else Exit.OK


def _sources_to_check(which: str | None, settings: Settings) -> list[Source]:
    if which is not None and which.endswith(".toml"):
        return [load_source(Path(which))]
    catalogue = Catalogue.load(settings.sources)
    return [find_source(catalogue, which)] if which else sorted(catalogue.values(), key=lambda source: source.id)


def _flow_run(flow: Callable[..., RunReport], parameters: Mapping[str, Any]) -> RunReport:
    """A flow run in this process, seen by the Prefect API; its failure is in the report."""
    try:
        return flow(**parameters)
    except RunFailedError as failed:
        return failed.report


def _ended(report: RunReport, terminal: Terminal) -> Exit:
    terminal.report(report)
    return report.exit_code


def _say_lists(catalogue: Catalogue, source_ids: Sequence[str], terminal: Terminal) -> Exit:
    rows = [(source_id, rule.kind, rule.url) for source_id in source_ids for rule in catalogue[source_id].lists]
    columns = ("source", "kind", "list")
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows, title="would be asked for; then the new articles on them")
    return Exit.OK


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


def _kinds(source: Source) -> list[str]:
    kinds = [rule.kind for rule in source.lists] + [f"archive of {kind}" for kind in source.archives]
    return list(dict.fromkeys(kinds))

"""The commands that look at the sources."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from articles.source import Source
from flows.core.accounting import Exit
from flows.core.cases import check_source
from flows.settings import Settings
from flows.terminal import Terminal, as_records
from spiders.catalogue import BUILT_IN, Catalogue, load_source
from storage.merge import COPY_TREES
from storage.partitions import files
from storage.store import open_store


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
    source = Catalogue.load(settings.sources).find(source_id)
    described = source.model_dump(mode="json", by_alias=True)
    if terminal.as_json:
        terminal.document(described)
    else:
        rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in described.items() if value]
        terminal.table(("key", "value"), rows, title=source.name)
        if file := file_of(source, settings.sources):
            terminal.say(f"from {file}")
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


def file_of(source: Source, folders: Sequence[Path]) -> Path | None:
    """The file that defines a source: in the last folder that has one. None of `local`."""
    for folder in (*reversed(folders), BUILT_IN):
        for file in sorted(Path(folder).glob("*.toml")):
            if tomllib.loads(file.read_text(encoding="utf-8-sig")).get("id") == source.id:
                return file
    return None


def _sources_to_check(which: str | None, settings: Settings) -> list[Source]:
    if which is not None and which.endswith(".toml"):
        return [load_source(Path(which))]
    catalogue = Catalogue.load(settings.sources)
    return [catalogue.find(which)] if which else sorted(catalogue.values(), key=lambda source: source.id)


def require_sources(source_ids: Iterable[str], settings: Settings) -> None:
    """Of a misspelt id a lake has nothing, and says nothing. One that only the lake knows is right. Raises
    UnknownSourceError."""
    catalogue, store = Catalogue.load(settings.sources), open_store(settings.lake_path)
    for source_id in source_ids:
        if not any(True for tree in COPY_TREES for _ in files(store, tree, [source_id])):
            catalogue.find(source_id)


def _kinds(source: Source) -> list[str]:
    kinds = [rule.kind for rule in source.lists] + [f"archive of {kind}" for kind in source.archives]
    return list(dict.fromkeys(kinds))

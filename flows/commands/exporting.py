"""Commands that make files of the lake for others: exports, monthly packs, and the paths of partitions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from flows.commands.sources import require_sources
from flows.core.accounting import Exit
from flows.core.units import RangeError
from flows.settings import Settings
from flows.terminal import Terminal, counted
from storage.errors import QueryError
from storage.export import FORMATS, Format, Selection, export
from storage.pack import pack
from storage.query import partition_paths
from storage.schema import TREES
from storage.store import require_lake


def selection_of(
    tree: str, sources: list[str], since: datetime | None, until: datetime | None, *, with_text: bool
) -> Selection:
    _require_days(since, until)
    for known in TREES:
        if known == tree:
            return Selection(tree=known, sources=sources, since=_day(since), until=_day(until), with_text=with_text)
    raise QueryError(f"no table {tree!r}: {', '.join(TREES)}")


def export_command(
    out: Path,
    selection: Selection,
    settings: Settings,
    terminal: Terminal,
    *,
    fmt: str | None = None,
    as_of: str | None = None,
) -> Exit:
    if as_of:
        selection = replace(selection, as_of=_moment(as_of))
    require_lake(settings.lake_path)
    require_sources(selection.sources, settings)
    with terminal.progress(f"writing {out}"):
        rows = export(settings.lake_path, out, selection, _format(fmt))
    if terminal.as_json:
        terminal.document({"file": str(out), "rows": rows})
    else:
        terminal.say(f"{counted(rows, 'row')} in {out}")
    return Exit.OK


def pack_command(settings: Settings, terminal: Terminal) -> Exit:
    with terminal.progress("months") as advance:
        packed = pack(settings.lake_path, advance)
    if terminal.as_json:
        terminal.document({"written": packed.written, "unchanged": packed.unchanged, "removed": packed.removed})
    else:
        written = counted(len(packed.written), "month")
        terminal.say(f"{written} written, {len(packed.unchanged)} unchanged, {len(packed.removed)} removed")
    return Exit.OK


def paths_command(
    sources: list[str],
    settings: Settings,
    terminal: Terminal,
    *,
    since: datetime | None,
    until: datetime | None,
    as_sql: bool = False,
) -> Exit:
    _require_days(since, until)
    require_lake(settings.lake_path)
    require_sources(sources, settings)
    paths = partition_paths(settings.lake_path, sources, _day(since), _day(until))
    if terminal.as_json:
        terminal.document(paths)
    elif as_sql:
        terminal.print(", ".join("'" + path.replace("'", "''") + "'" for path in paths))
    else:
        for path in paths:
            terminal.print(path)
    if not paths and not terminal.as_json:
        terminal.say("none: no article of these sources and days")
    return Exit.OK


def _require_days(since: datetime | None, until: datetime | None) -> None:
    if since and until and since > until:
        raise RangeError(f"the range is empty: --since {since:%Y-%m-%d} is after --until {until:%Y-%m-%d}")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _format(name: str | None) -> Format | None:
    for fmt in FORMATS:
        if fmt == name:
            return fmt
    if name is None:
        return None
    raise QueryError(f"no format {name!r}: {', '.join(FORMATS)}")


def _moment(text: str) -> datetime:
    """A moment without a zone would be read by everybody as his own: it is refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"--as-of {text}: not a time; write 2024-03-05T09:00:00+08:00") from error
    if moment.tzinfo is None:
        at = text if len(text) > len("2024-03-05") else f"{text}T09:00:00"
        raise QueryError(f"--as-of {text}: name the zone, as in {at}+08:00 or {at}Z")
    return moment.astimezone(UTC)

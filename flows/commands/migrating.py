"""`finnews migrate`: files of an older finnews, in the columns of today."""

from __future__ import annotations

from flows.core.accounting import Exit
from flows.settings import Settings
from flows.terminal import Terminal, counted
from storage.lake import Lake
from storage.migrate import Migrated, migrate
from storage.store import open_store, require_lake


def migrate_command(settings: Settings, terminal: Terminal, *, dry_run: bool = False) -> Exit:
    require_lake(settings.lake_path)
    found: list[Migrated] = []
    if dry_run:
        found.extend(migrate(open_store(settings.lake), dry_run=True))
    else:
        with Lake.open(settings.lake, settings.ledger) as lake, terminal.progress("files") as advance:
            for migrated in lake.migrate():
                found.append(migrated)
                advance(1)
    rows = sum(migrated.rows for migrated in found)
    if terminal.as_json:
        terminal.document({"files": len(found), "rows": rows, "dry_run": dry_run})
    else:
        verb = "would be rewritten" if dry_run else "rewritten"
        terminal.say(
            f"{counted(len(found), 'file')} with {counted(rows, 'row')} {verb}"
            if found
            else "every file has the columns of today"
        )
    return Exit.OK

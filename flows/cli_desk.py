"""Commands for the person who looks after it."""

from __future__ import annotations

import typer

from flows.options import JsonOption, LakeOption, LedgerOption, SourceFolders, settings_of, terminal_of

app = typer.Typer()


@app.command(epilog="Example: finnews status --lake /data/lake --json")
def status(
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how fresh each source is, and which no longer keeps its contract."""
    from flows.reading import status_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    raise typer.Exit(status_command(settings, terminal_of(as_json, False, 0)))

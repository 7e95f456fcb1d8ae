"""Commands for the person who looks after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


@app.command(
    epilog="Examples: finnews report --out report.html · finnews report --json · finnews report --metrics finnews.prom"
)
def report(
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="HTML file, - for stdout [default: finnews-report.html].")
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Figures as Prometheus text, - for stdout; no page.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Main figures as Markdown on stdout; no page.")] = False,
    days: Annotated[int, typer.Option(min=1, max=366, help="Days to look back.")] = 56,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
) -> None:
    """Make a page of what came in, how fresh and how good it is, who reprints whom, and what failed."""
    from flows.page import report_command

    settings, terminal = settings_of(lake=lake, ledger=ledger, sources=folders), terminal_of(as_json, False, 0)
    raise typer.Exit(report_command(settings, terminal, out=out, metrics=metrics, markdown=markdown, days=days))

"""Commands for the person who looks after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.groups.options import (
    JsonOption,
    LakeOption,
    LedgerOption,
    QuietOption,
    SourceFolders,
    VerboseOption,
    settings_of,
    terminal_of,
)

app = typer.Typer()
config = typer.Typer(help="The settings.", no_args_is_help=True)
app.add_typer(config, name="config")


@app.command(epilog="Examples: finnews status --lake /data/lake --json · finnews status --notify")
def status(
    notify: Annotated[
        bool, typer.Option("--notify", help="Tell notify_urls what changed since they were told last.")
    ] = False,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Tell how fresh each source is. Ends with 4 if one no longer keeps its contract."""
    from flows.commands.reading import status_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    raise typer.Exit(status_command(settings, terminal_of(as_json, quiet, verbose), notify=notify))


@app.command(
    epilog="Examples: finnews report --out report.html · finnews report --json · finnews report --metrics finnews.prom"
)
def report(
    out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="HTML file, - for stdout [default: finnews-report.html]."),
    ] = None,
    metrics: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Figures as Prometheus text, - for stdout; no page."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Main figures as Markdown on stdout; no page.")] = False,
    days: Annotated[int, typer.Option(min=1, max=366, metavar="N", help="Days to look back.")] = 56,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Make a page: coverage, freshness, quality, reprints, failures."""
    from flows.desk.page import report_command

    settings, terminal = settings_of(lake=lake, ledger=ledger, sources=folders), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(report_command(settings, terminal, out=out, metrics=metrics, markdown=markdown, days=days))


@app.command(epilog="Example: finnews doctor --lake /data/lake")
def doctor(
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Look whether what a run needs is there. Says what to do; ends with 2 (machine, settings) or 4 (lake)."""
    from flows.commands.doctor import doctor_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    raise typer.Exit(doctor_command(settings, terminal_of(as_json, quiet, verbose, warn=False)))


@app.command(epilog="Examples: finnews init · finnews init --lake /data/lake")
def init(
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Write a commented finnews.toml. Never over one that is there."""
    from flows.commands.configuring import init_command

    raise typer.Exit(init_command(terminal_of(as_json, quiet, verbose), lake=lake))


@config.command("show", epilog="Examples: finnews config show · FINNEWS_LAKE=/data/lake finnews config show --json")
def config_show(
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show the settings that count, and where each comes from. Secrets are masked."""
    from flows.commands.configuring import config_show_command

    flags = {"lake": lake, "ledger": ledger, "sources": folders}
    raise typer.Exit(config_show_command(terminal_of(as_json, quiet, verbose), flags))

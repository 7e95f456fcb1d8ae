"""`finnews quarantine …`: what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.groups.options import (
    DryRunOption,
    JsonOption,
    LakeOption,
    LedgerOption,
    QuietOption,
    SourceFolders,
    VerboseOption,
    settings_of,
    terminal_of,
)

if TYPE_CHECKING:
    from flows.commands.quarantining import Chosen

app = typer.Typer(no_args_is_help=True, help="See what was refused, and try it again.")

ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="SLUG", help="Such as notext or challenge.")]
SourceOption = Annotated[str | None, typer.Option("--source", metavar="ID", help="Of one source.")]
FetchedOption = Annotated[
    datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], metavar="DAY", help="Of fetching, UTC.")
]


@app.command("list", epilog="Example: finnews quarantine list --reason notext")
def quarantine_list(
    reason: ReasonOption = None,
    source: SourceOption = None,
    day: FetchedOption = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Count what was refused, by reason, source and day."""
    from flows.commands.quarantining import list_command

    raise typer.Exit(
        list_command(settings_of(lake=lake), terminal_of(as_json, quiet, verbose), _chosen(reason, source, day))
    )


@app.command("show", epilog="Example: finnews quarantine show https://news.example/a/7.html")
def quarantine_show(
    named: Annotated[str, typer.Argument(metavar="URL|RAW_REF", help="Or a part of it.")],
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show one: why it was refused, and the head of its bytes."""
    from flows.commands.quarantining import show_command

    raise typer.Exit(show_command(settings_of(lake=lake), terminal_of(as_json, quiet, verbose), named))


@app.command("retry", epilog="Examples: finnews quarantine retry --dry-run · finnews quarantine retry --source sina")
def quarantine_retry(
    reason: ReasonOption = None,
    source: SourceOption = None,
    day: FetchedOption = None,
    dry_run: DryRunOption = False,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Read refused pages again by today's rules. What passes is stored and leaves the quarantine."""
    from flows.commands.quarantining import retry_command

    settings, terminal = settings_of(lake=lake, ledger=ledger, sources=folders), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(retry_command(settings, terminal, _chosen(reason, source, day), dry_run=dry_run))


def _chosen(reason: str | None, source: str | None, day: datetime | None) -> Chosen:
    from flows.commands.quarantining import Chosen

    return Chosen(reason, source, day.date() if day else None)

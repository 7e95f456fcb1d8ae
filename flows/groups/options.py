"""Options that commands share, and the settings and terminal that they make."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.settings import Settings
    from flows.terminal import Terminal

LakeOption = Annotated[
    str | None,
    typer.Option("--lake", help="Folder of the lake, or s3://bucket/prefix [default: ./lake].", metavar="URL"),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        help="PostgreSQL database of the ledger, postgresql://… [default: a file of the lake].", metavar="URL"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No words on stderr.")]
VerboseOption = Annotated[
    int, typer.Option("--verbose", "-v", count=True, show_default=False, help="More words on stderr; twice for all.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; fetch and write nothing.")]
FlowOption = Annotated[bool, typer.Option("--flow", help="As a Prefect flow run [default: if PREFECT_API_URL is set].")]
DayOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Of publication, in Shanghai; included.")
]
SourceFolders = Annotated[
    list[Path] | None,
    typer.Option("--sources", metavar="FOLDER", help="Folder with source files of your own; may be repeated."),
]


def settings_of(**flags: object) -> Settings:
    from flows.settings import load_settings

    return load_settings(**flags)


def terminal_of(as_json: bool, quiet: bool, verbose: int, *, warn: bool = True) -> Terminal:
    """A misspelt variable has no effect, and whoever set it waits for one: it is named, unless the command does so."""
    import logging

    from flows.settings import unknown_variables
    from flows.terminal import Terminal

    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    terminal = Terminal(as_json=as_json, quiet=quiet)
    for complaint in unknown_variables() if warn else ():
        terminal.say(complaint)
    return terminal

"""Commands that bring articles in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.options import (
    DryRunOption,
    FlowOption,
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


@app.command(epilog="Example: finnews demo --lake /tmp/demo-lake")
def demo(
    lake: LakeOption = None, as_json: JsonOption = False, quiet: QuietOption = False, verbose: VerboseOption = 0
) -> None:
    """Run the whole path offline, on a bundled sample site: spiders → lake → report."""
    from flows.demo import run_demo

    settings = settings_of(lake=lake or "demo-lake", ledger="")
    raise typer.Exit(run_demo(settings, terminal_of(as_json, quiet, verbose)))


@app.command(epilog="Examples: finnews ingest · finnews ingest sina chinanews --limit 20 --lake /data/lake")
def ingest(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; all if none.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="New articles per source at most.")] = None,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
    as_flow: FlowOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Make one incremental pass over live sources."""
    from flows.commands import ingest_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    terminal = terminal_of(as_json, quiet, verbose)
    raise typer.Exit(ingest_command(sources or [], settings, terminal, limit=limit, dry_run=dry_run, as_flow=as_flow))


@app.command(epilog="Example: finnews backfill --from archive/posts --from feeds.jsonl --lake /data/lake")
def backfill(
    paths: Annotated[
        list[Path], typer.Option("--from", metavar="PATH", help="Archive on disk: posts, JSONL, text, HTML, WARC.")
    ],
    source: Annotated[str | None, typer.Option(help="Source the documents belong to, if they do not say.")] = None,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
    as_flow: FlowOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Load archives on disk into the lake. Running it again changes nothing."""
    from flows.commands import backfill_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    terminal = terminal_of(as_json, quiet, verbose)
    raise typer.Exit(backfill_command(paths, settings, terminal, source_id=source, dry_run=dry_run, as_flow=as_flow))

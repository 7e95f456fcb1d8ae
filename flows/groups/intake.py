"""Commands that bring articles in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.groups.help import complete_source
from flows.groups.options import (
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
    lake: Annotated[
        str, typer.Option("--lake", metavar="URL", help="Folder of the lake, or s3://bucket/prefix.")
    ] = "demo-lake",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Run the whole path offline, on a bundled sample site."""
    from flows.commands.demo import run_demo

    settings = settings_of(lake=lake, ledger="")
    raise typer.Exit(run_demo(settings, terminal_of(as_json, quiet, verbose)))


@app.command(epilog="Examples: finnews ingest · finnews ingest sina chinanews --limit 20 --lake /data/lake")
def ingest(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; all if none.", autocompletion=complete_source)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="New articles per source at most.")] = None,
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
    from flows.commands.intake import ingest_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    terminal = terminal_of(as_json, quiet, verbose)
    raise typer.Exit(ingest_command(sources or [], settings, terminal, limit=limit, dry_run=dry_run, as_flow=as_flow))


@app.command(
    epilog="Examples: finnews backfill sina eastmoney --since 2026-06-01 --until 2026-06-30"
    " · finnews backfill --from archive/posts --from news.warc.gz --lake /data/lake"
)
def backfill(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; their lists page back.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="First day, such as 2026-06-01.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Last day [default: today].")] = None,
    reprocess: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="missing: what is not done; failed: no new days; all: all anew [default: missing]."
        ),
    ] = None,
    paths: Annotated[
        list[str] | None, typer.Option("--from", metavar="PATH", help="Archive: posts, JSONL, text, HTML, WARC.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="ID", help="Source the documents belong to, if they do not say.")
    ] = None,
    runner: Annotated[
        str, typer.Option(metavar="RUNNER", help="Who reads archives: dask, dask=ADDRESS [default: this machine].")
    ] = "",
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
    as_flow: FlowOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Load the past: lists that page back, or archives on disk. Stopped anywhere, it goes on from there."""
    from flows.commands.intake import backfill_command, past_command
    from flows.core.units import asked_days, asked_reprocess

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    terminal = terminal_of(as_json, quiet, verbose)
    if bool(sources) == bool(paths):
        raise typer.BadParameter("give either the ids of sources, with --since, or archives, with --from")
    if paths:
        if since or until or reprocess:
            raise typer.BadParameter("--since, --until and --reprocess are for sources; an archive is read whole")
        if not all(path.strip() for path in paths):
            raise typer.BadParameter("--from: the path is empty")
        raise typer.Exit(
            backfill_command(
                [Path(path) for path in paths],
                settings,
                terminal,
                source_id=source,
                runner=runner,
                dry_run=dry_run,
                as_flow=as_flow,
            )
        )
    days = asked_days(since, until)
    raise typer.Exit(
        past_command(
            sources or [],
            settings,
            terminal,
            since=days[0],
            until=days[1],
            reprocess=asked_reprocess(reprocess or "missing"),
            dry_run=dry_run,
            as_flow=as_flow,
        )
    )


@app.command(epilog="Examples: finnews serve --lake /data/lake · PREFECT_API_URL=http://prefect:4200/api finnews serve")
def serve(
    port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="PORT", help="Of the Prefect server that it starts.")
    ] = 4200,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Flow runs at a time.")] = 3,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Run the schedules of prefect.yaml; no server to set up. With PREFECT_API_URL set, as a worker of that one."""
    from flows.server.serving import serve as serve_command

    settings = settings_of(lake=lake, ledger=ledger, sources=folders)
    terminal_of(False, quiet, verbose)
    raise typer.Exit(serve_command(settings, port=port, limit=limit))

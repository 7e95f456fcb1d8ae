"""Commands for pages and documents outside any lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.groups.options import JsonOption, QuietOption, SourceFolders, VerboseOption, settings_of, terminal_of

app = typer.Typer()


@app.command(epilog="Examples: finnews extract page.html · finnews extract --manifest pages.jsonl > articles.jsonl")
def extract(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Pages, posts, folders.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='JSON lines {"file", "url"?, "source"?, "headers"?}, paths relative to it.'),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="ID", help="Source the pages belong to, if they do not say.")
    ] = None,
    folders: SourceFolders = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Read articles out of pages on disk, as JSON lines."""
    from flows.core.documents import extract_command

    settings = settings_of(sources=folders)
    terminal = terminal_of(True, quiet, verbose)
    raise typer.Exit(extract_command(paths or [], manifest, settings, terminal, source_id=source))


@app.command(epilog="Examples: finnews explain page.html · finnews explain https://www.example.com/news/1.html")
def explain(
    places: Annotated[
        list[str], typer.Argument(metavar="PATH|URL", help="Pages and posts on disk, or on the network.")
    ],
    source: Annotated[
        str | None, typer.Option(metavar="ID", help="Source the pages belong to, if they do not say.")
    ] = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show what was kept of a page, and why. Names the rule of each line taken out, and what named each field. Of what
    is fetched for that, nothing is kept."""
    from flows.commands.explaining import explain_command

    raise typer.Exit(
        explain_command(places, settings_of(sources=folders), terminal_of(as_json, quiet, verbose), source_id=source)
    )


@app.command(epilog="Examples: finnews dedup documents.jsonl > verdicts.jsonl · finnews dedup - < documents.jsonl")
def dedup(
    documents: Annotated[
        Path,
        typer.Argument(
            metavar="DOCUMENTS", help='JSON lines {"id", "source", "title", "text", "published_at"}; - for stdin.'
        ),
    ],
    window: Annotated[
        int, typer.Option(min=1, metavar="DAYS", help="Days between near copies at most; exact ones have no limit.")
    ] = 30,
    runner: Annotated[
        str, typer.Option(metavar="dask[=ADDRESS]", help="Read and sign on a Dask cluster: of its own, or at ADDRESS.")
    ] = "",
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Say of each document which one it repeats. JSON lines {id, verdict, duplicate_of, kind, similarity}."""
    from flows.commands.dedup import dedup_command
    from flows.core.cluster import address_of

    terminal, address = terminal_of(True, quiet, verbose), address_of(runner)
    raise typer.Exit(dedup_command(documents, settings_of(), terminal, window_days=window, address=address))

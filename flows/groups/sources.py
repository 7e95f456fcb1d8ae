"""`finnews sources …`: the sites finnews knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.groups.help import complete_source
from flows.groups.options import (
    JsonOption,
    LakeOption,
    QuietOption,
    SourceFolders,
    VerboseOption,
    settings_of,
    terminal_of,
)

app = typer.Typer(help="The sites finnews knows.", no_args_is_help=True)


@app.command("list", epilog="Example: finnews sources list --json")
def sources_list(
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """List the sources."""
    from flows.commands.sources import sources_list_command

    raise typer.Exit(sources_list_command(settings_of(sources=folders), terminal_of(as_json, quiet, verbose)))


@app.command("show", epilog="Example: finnews sources show sina")
def sources_show(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Id of a source.", autocompletion=complete_source)],
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show one source as it was understood, defaults filled in."""
    from flows.commands.sources import sources_show_command

    raise typer.Exit(sources_show_command(source, settings_of(sources=folders), terminal_of(as_json, quiet, verbose)))


@app.command("check", epilog="Examples: finnews sources check sina · finnews sources check sina --live")
def sources_check(
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="Id or TOML file; all if none.", autocompletion=complete_source),
    ] = None,
    cases: Annotated[Path, typer.Option(metavar="FOLDER", help="With saved pages, <id>/<case>/.")] = Path(
        "tests/sources"
    ),
    live: Annotated[bool, typer.Option("--live", help="Fetch its lists and three articles, and keep nothing.")] = False,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Check a source file, on its saved pages or on the network."""
    settings, terminal = settings_of(sources=folders), terminal_of(as_json, quiet, verbose)
    if live:
        from flows.commands.sourcing import check_live_command

        if source is None:
            raise typer.BadParameter("--live needs the id of one source")
        raise typer.Exit(check_live_command(source, settings, terminal))
    from flows.commands.sources import sources_check_command

    raise typer.Exit(sources_check_command(source, cases, settings, terminal))


@app.command("new", epilog="Example: finnews sources new https://www.example.com/rss.xml --into my-sources")
def sources_new(
    url: Annotated[str, typer.Argument(metavar="URL", help="A feed, sitemap, JSON list or page of links.")],
    file: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, metavar="FILE", help="A saved answer; nothing is fetched."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--into", exists=True, file_okay=False, metavar="FOLDER", help="Folder to write <id>.toml to."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Draft a source file for a site. Shows what it would ingest."""
    from flows.commands.sourcing import sources_new_command

    raise typer.Exit(
        sources_new_command(url, settings_of(), terminal_of(as_json, quiet, verbose), file=file, folder=folder)
    )


@app.command("learn", epilog="Examples: finnews sources learn sina · finnews sources learn mine --sources own --write")
def sources_learn(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Id of a source with articles in the lake.", autocompletion=complete_source
        ),
    ],
    write: Annotated[bool, typer.Option("--write", help="Add them to drop_lines of the source's file.")] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Latest articles to look at.")] = 500,
    lake: LakeOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Propose lines that recur at the edges of articles. They are not the article: wrapper lines."""
    from flows.commands.learning import sources_learn_command

    settings, terminal = settings_of(lake=lake, sources=folders), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(sources_learn_command(source, settings, terminal, limit=limit, write=write))


@app.command("schema", epilog="Example: finnews sources schema > source.schema.json")
def sources_schema(
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Print the JSON Schema of a source file."""
    from flows.commands.sourcing import sources_schema_command

    raise typer.Exit(sources_schema_command(terminal_of(as_json, quiet, verbose)))

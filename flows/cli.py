"""The command line: `finnews …`. Data on stdout, words on stderr; one line for an error, with the next step.

Nothing heavy is imported before a command runs: `--help` answers without Prefect, Scrapy or pyarrow.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.accounting import Exit

if TYPE_CHECKING:
    from flows.settings import Settings
    from flows.terminal import Terminal

app = typer.Typer(
    name="finnews",
    help="Chinese finance news: fetched, cleaned, deduplicated, in Parquet.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich panels double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
sources_app = typer.Typer(help="The sites finnews knows.", no_args_is_help=True)
app.add_typer(sources_app, name="sources")

LakeOption = Annotated[str | None, typer.Option("--lake", help="Folder of the lake [default: ./lake].", metavar="URL")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No words on stderr.")]
VerboseOption = Annotated[int, typer.Option("--verbose", "-v", count=True, help="More words on stderr; twice for all.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; fetch and write nothing.")]
FlowOption = Annotated[bool, typer.Option("--flow", help="As a Prefect flow run [default: if PREFECT_API_URL is set].")]
SourceFolders = Annotated[
    list[Path] | None, typer.Option("--sources", help="Folder with source files of your own; may be repeated.")
]


@app.command(epilog="Example: finnews demo --lake /tmp/demo-lake")
def demo(
    lake: LakeOption = None, as_json: JsonOption = False, quiet: QuietOption = False, verbose: VerboseOption = 0
) -> None:
    """Run the whole path offline, on a bundled sample site: spiders → lake → report."""
    from flows.demo import run_demo

    settings = _settings(lake=lake or "demo-lake")
    raise typer.Exit(run_demo(settings, _terminal(as_json, quiet, verbose)))


@app.command(epilog="Examples: finnews ingest · finnews ingest sina chinanews --limit 20 --lake /data/lake")
def ingest(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; all if none.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="New articles per source at most.")] = None,
    lake: LakeOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
    as_flow: FlowOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Make one incremental pass over live sources."""
    from flows.commands import ingest_command

    settings = _settings(lake=lake, sources=folders)
    terminal = _terminal(as_json, quiet, verbose)
    raise typer.Exit(ingest_command(sources or [], settings, terminal, limit=limit, dry_run=dry_run, as_flow=as_flow))


@app.command(epilog="Example: finnews backfill --from archive/posts --from feeds.jsonl --lake /data/lake")
def backfill(
    paths: Annotated[
        list[Path], typer.Option("--from", metavar="PATH", help="Archive on disk: posts, JSONL, text, HTML, WARC.")
    ],
    source: Annotated[str | None, typer.Option(help="Source the documents belong to, if they do not say.")] = None,
    lake: LakeOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
    as_flow: FlowOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Load archives on disk into the lake. Running it again changes nothing."""
    from flows.commands import backfill_command

    settings = _settings(lake=lake, sources=folders)
    terminal = _terminal(as_json, quiet, verbose)
    raise typer.Exit(backfill_command(paths, settings, terminal, source_id=source, dry_run=dry_run, as_flow=as_flow))


@app.command(epilog="Examples: finnews extract page.html · finnews extract --manifest pages.jsonl > articles.jsonl")
def extract(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Pages, posts, folders.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help='JSON lines {"file", "url"?, "source"?, "headers"?}, paths relative to it.')
    ] = None,
    source: Annotated[str | None, typer.Option(help="Source the pages belong to, if they do not say.")] = None,
    folders: SourceFolders = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Read articles out of pages on disk: JSON lines on stdout, no lake."""
    from flows.documents import extract_command

    settings = _settings(sources=folders)
    terminal = _terminal(True, quiet, verbose)
    raise typer.Exit(extract_command(paths or [], manifest, settings, terminal, source_id=source))


@app.command(epilog="Examples: finnews explain page.html · finnews explain post.md --json")
def explain(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Pages and posts on disk.")],
    source: Annotated[str | None, typer.Option(help="Source the pages belong to, if they do not say.")] = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was kept of a page, what was taken out by which rule, and what named each field."""
    from flows.explaining import explain_command

    raise typer.Exit(explain_command(paths, _settings(sources=folders), _terminal(as_json, False, 0), source_id=source))


@app.command(epilog='Example: finnews read "select source, date, count(*) from articles group by all order by all"')
def read(
    sql: Annotated[str, typer.Argument(help="A query over articles, duplicates, revisions, quarantine.")],
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Query the lake with DuckDB."""
    from flows.reading import read_command

    raise typer.Exit(read_command(sql, _settings(lake=lake), _terminal(as_json, False, 0)))


@app.command(epilog="Examples: finnews dedup documents.jsonl > verdicts.jsonl · finnews dedup - < documents.jsonl")
def dedup(
    documents: Annotated[
        Path, typer.Argument(help='JSON lines {"id", "source", "title", "text", "published_at"}; - for stdin.')
    ],
    window: Annotated[
        int, typer.Option(min=1, help="Days between near copies at most; exact ones have no limit.")
    ] = 30,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Say of each document which one it repeats: JSON lines {id, verdict, duplicate_of, kind, similarity}."""
    from flows.dedup import dedup_command

    raise typer.Exit(dedup_command(documents, _terminal(True, quiet, verbose), window_days=window))


@app.command(epilog="Examples: finnews duplicates --json · finnews duplicates --digests")
def duplicates(
    digests: Annotated[bool, typer.Option("--digests", help="Instead, the digests and the articles in them.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who reprints whom, and how many hours later."""
    from flows.dedup import duplicates_command

    raise typer.Exit(duplicates_command(_settings(lake=lake), _terminal(as_json, False, 0), of_digests=digests))


@app.command(epilog="Example: finnews reindex --lake /data/lake")
def reindex(lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Make the ledger and the near-duplicate index anew from the lake's rows. Changes no row."""
    from flows.dedup import reindex_command

    raise typer.Exit(reindex_command(_settings(lake=lake), _terminal(as_json, False, 0)))


@app.command(epilog="Examples: finnews schema --json · finnews schema --markdown > schema.md")
def schema(
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page docs/schema.md.")] = False,
) -> None:
    """Show the columns of the Parquet files and what they mean."""
    from flows.reading import schema_command

    raise typer.Exit(schema_command(_terminal(as_json, False, 0), markdown=markdown))


@app.command(epilog="Example: finnews status --lake /data/lake --json")
def status(lake: LakeOption = None, folders: SourceFolders = None, as_json: JsonOption = False) -> None:
    """Tell how fresh each source is, and which no longer keeps its contract."""
    from flows.reading import status_command

    raise typer.Exit(status_command(_settings(lake=lake, sources=folders), _terminal(as_json, False, 0)))


@sources_app.command("list", epilog="Example: finnews sources list --json")
def sources_list(folders: SourceFolders = None, as_json: JsonOption = False) -> None:
    """List the sources."""
    from flows.sources import sources_list_command

    raise typer.Exit(sources_list_command(_settings(sources=folders), _terminal(as_json, False, 0)))


@sources_app.command("show", epilog="Example: finnews sources show sina")
def sources_show(source: str, folders: SourceFolders = None, as_json: JsonOption = False) -> None:
    """Show one source as it was understood, defaults filled in."""
    from flows.sources import sources_show_command

    raise typer.Exit(sources_show_command(source, _settings(sources=folders), _terminal(as_json, False, 0)))


@sources_app.command("check", epilog="Examples: finnews sources check sina · finnews sources check sina --live")
def sources_check(
    source: Annotated[str | None, typer.Argument(help="Id or TOML file; all sources if none.")] = None,
    cases: Annotated[Path, typer.Option(help="Folder with saved pages, <id>/<case>/.")] = Path("tests/sources"),
    live: Annotated[bool, typer.Option("--live", help="Fetch its lists and three articles, and keep nothing.")] = False,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
) -> None:
    """Check a source file, and run it over its saved pages or on the network."""
    settings, terminal = _settings(sources=folders), _terminal(as_json, False, 0)
    if live:
        from flows.sourcing import check_live_command

        if source is None:
            raise typer.BadParameter("--live needs the id of one source")
        raise typer.Exit(check_live_command(source, settings, terminal))
    from flows.sources import sources_check_command

    raise typer.Exit(sources_check_command(source, cases, settings, terminal))


@sources_app.command("new", epilog="Example: finnews sources new https://www.example.com/rss.xml --into my-sources")
def sources_new(
    url: Annotated[str, typer.Argument(help="A feed, sitemap, JSON list or page of links.")],
    file: Annotated[
        Path | None, typer.Option("--from", exists=True, dir_okay=False, help="A saved answer; nothing is fetched.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--into", exists=True, file_okay=False, help="Folder to write <id>.toml to.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a first source file for a site, and show what it would ingest."""
    from flows.sourcing import sources_new_command

    raise typer.Exit(sources_new_command(url, _settings(), _terminal(as_json, False, 0), file=file, folder=folder))


@sources_app.command("schema", epilog="Example: finnews sources schema > source.schema.json")
def sources_schema() -> None:
    """Print the JSON Schema of a source file."""
    from flows.sourcing import sources_schema_command

    raise typer.Exit(sources_schema_command(_terminal(True, False, 0)))


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. Not KeyboardInterrupt, which typer turns into exit code 1."""


def main() -> None:
    """Entry point of the console script."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command, from its words to its exit code. What is expected to go wrong is one line; a bug rises."""
    try:
        app(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:
        _leave_pipe()
    except Interrupted:
        return _end("interrupted; what was committed is safe: run the same command again", Exit.INTERRUPTED)
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        return _end(str(error), code)
    return Exit.OK


def _interrupt(*_: object) -> None:
    raise Interrupted


def _leave_pipe() -> None:
    """`finnews … | head` ends quietly: what is still buffered has no reader."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_code(error: Exception) -> Exit | None:
    """The exit code of an error that is a person's to mend; None for a bug, which keeps its trace back."""
    from flows.errors import exit_code

    return exit_code(error)


def _end(message: str, code: Exit) -> Exit:
    sys.stderr.write(f"finnews: {message}\n")
    return code


def _settings(**flags: object) -> Settings:
    from flows.settings import load_settings

    return load_settings(**flags)


def _terminal(as_json: bool, quiet: bool, verbose: int) -> Terminal:
    import logging

    from flows.terminal import Terminal

    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    return Terminal(as_json=as_json, quiet=quiet)


if __name__ == "__main__":
    main()

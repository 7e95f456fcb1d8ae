"""Commands that read a lake, check it and keep it in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.groups.options import (
    DayOption,
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

app = typer.Typer()


@app.command(epilog='Example: finnews read "select source, date, count(*) from articles group by all order by all"')
def read(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="A query over articles, duplicates, revisions, quarantine.")
    ],
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Query the lake with DuckDB."""
    from flows.commands.reading import read_command

    raise typer.Exit(read_command(sql, settings_of(lake=lake), terminal_of(as_json, quiet, verbose)))


@app.command(epilog="Examples: finnews duplicates --json · finnews duplicates --digests")
def duplicates(
    digests: Annotated[bool, typer.Option("--digests", help="Instead, the digests and the articles in them.")] = False,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show who reprints whom, and how many hours later."""
    from flows.commands.dedup import duplicates_command

    raise typer.Exit(
        duplicates_command(
            settings_of(lake=lake, ledger=ledger), terminal_of(as_json, quiet, verbose), of_digests=digests
        )
    )


@app.command(epilog="Example: finnews reindex --lake /data/lake")
def reindex(
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Make ledger and near-duplicate index anew from the rows. Changes no row."""
    from flows.commands.dedup import reindex_command

    raise typer.Exit(reindex_command(settings_of(lake=lake, ledger=ledger), terminal_of(as_json, quiet, verbose)))


@app.command(epilog="Examples: finnews verify --deep --repair · finnews verify --accept-lost")
def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what can be; damage is kept aside.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every page of the archive as well.")] = False,
    accept_lost: Annotated[
        bool, typer.Option("--accept-lost", help="What is lost for good is a fault no longer; noted with your name.")
    ] = False,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Check every file and row, the ledger and the archive. Ends with 4 if anything is wrong."""
    from flows.commands.verifying import verify_command

    settings, terminal = settings_of(lake=lake, ledger=ledger, sources=folders), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(verify_command(settings, terminal, repair=repair, deep=deep, accept_lost=accept_lost))


@app.command(epilog="Examples: finnews compact --older-than 7 · finnews compact --older-than 0 --source sina --dry-run")
def compact(
    older_than: Annotated[
        int, typer.Option("--older-than", min=0, metavar="DAYS", help="Of days of publication that lie so far back.")
    ] = 7,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="ID", help="Of this source only; may be repeated.")
    ] = None,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Write quiet days once more: sorted, small, for good. Changes no row."""
    from flows.commands.compacting import compact_command

    settings, terminal = settings_of(lake=lake, ledger=ledger), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(
        compact_command(settings, terminal, older_than_days=older_than, sources=source or (), dry_run=dry_run)
    )


@app.command(epilog="Examples: finnews migrate --dry-run · finnews migrate --lake /data/lake")
def migrate(
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Bring older files into the columns of today. Changes no value."""
    from flows.commands.migrating import migrate_command

    settings, terminal = settings_of(lake=lake, ledger=ledger), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(migrate_command(settings, terminal, dry_run=dry_run))


@app.command(
    epilog="Examples: finnews reextract --source sina --dry-run · finnews reextract --since 2024-01-01 --jobs 8"
)
def reextract(
    sources: Annotated[list[str] | None, typer.Option("--source", metavar="ID", help="May be repeated.")] = None,
    since: DayOption = None,
    until: DayOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes [default: one per core].")] = None,
    runner: Annotated[
        str, typer.Option(metavar="RUNNER", help="Who reads: dask, dask=ADDRESS [default: this machine].")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    lake: LakeOption = None,
    ledger: LedgerOption = None,
    folders: SourceFolders = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Read stored pages again by today's rules, without fetching. A better reading is no revision."""
    from flows.commands.reextracting import reextract_command

    raise typer.Exit(
        reextract_command(
            settings_of(lake=lake, ledger=ledger, sources=folders, workers=jobs),
            terminal_of(as_json, quiet, verbose),
            source_ids=sources or [],
            since=since.date() if since else None,
            until=until.date() if until else None,
            runner=runner,
            dry_run=dry_run,
        )
    )


@app.command(epilog="Examples: finnews schema --json · finnews schema --markdown > schema.md")
def schema(
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page docs/schema.md.")] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show the columns of the Parquet files and what they mean."""
    from flows.commands.reading import schema_command

    raise typer.Exit(schema_command(terminal_of(as_json, quiet, verbose), markdown=markdown))


@app.command(
    epilog="Examples: finnews export articles.csv --no-text · finnews export march.duckdb --since 2024-03-01"
    " --until 2024-03-31 · finnews export known.jsonl --as-of 2024-03-05T09:30:00+08:00"
)
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv, .jsonl, .duckdb or .parquet.")],
    source: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this source; may be repeated.")] = None,
    since: DayOption = None,
    until: DayOption = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="As it was known then; with a zone.")] = None,
    tree: Annotated[
        str, typer.Option(metavar="TREE", help="articles, duplicates, revisions or quarantine.")
    ] = "articles",
    fmt: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="csv, jsonl, duckdb, parquet [default: by FILE].")
    ] = None,
    text: Annotated[bool, typer.Option("--text/--no-text", help="With bodies, or without.")] = True,
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Write articles to one file, for tools that want one."""
    from flows.commands.exporting import export_command, selection_of

    selection = selection_of(tree, source or [], since, until, with_text=text)
    terminal = terminal_of(as_json, quiet, verbose)
    raise typer.Exit(export_command(out, selection, settings_of(lake=lake), terminal, fmt=fmt, as_of=as_of))


@app.command(epilog="Example: finnews pack --lake /data/lake")
def pack(
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Bring the monthly packs up to date. One file per month, for scans over years."""
    from flows.commands.exporting import pack_command

    raise typer.Exit(pack_command(settings_of(lake=lake), terminal_of(as_json, quiet, verbose)))


@app.command(epilog='Example: duckdb -c "from read_parquet([$(finnews paths sina --since 2024-03-01 --sql)])"')
def paths(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; all if none.")] = None,
    since: DayOption = None,
    until: DayOption = None,
    sql: Annotated[bool, typer.Option("--sql", help="Quoted, with commas, for a query.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Name the Parquet files of some sources and days. Far faster to read than a glob over years."""
    from flows.commands.exporting import paths_command

    settings, terminal = settings_of(lake=lake), terminal_of(as_json, quiet, verbose)
    raise typer.Exit(paths_command(sources or [], settings, terminal, since=since, until=until, as_sql=sql))

"""Commands that read a lake, check it and keep it in order."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.options import JsonOption, LakeOption, settings_of, terminal_of

app = typer.Typer()


@app.command(epilog='Example: finnews read "select source, date, count(*) from articles group by all order by all"')
def read(
    sql: Annotated[str, typer.Argument(help="A query over articles, duplicates, revisions, quarantine.")],
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Query the lake with DuckDB."""
    from flows.reading import read_command

    raise typer.Exit(read_command(sql, settings_of(lake=lake), terminal_of(as_json, False, 0)))


@app.command(epilog="Examples: finnews duplicates --json · finnews duplicates --digests")
def duplicates(
    digests: Annotated[bool, typer.Option("--digests", help="Instead, the digests and the articles in them.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who reprints whom, and how many hours later."""
    from flows.dedup import duplicates_command

    raise typer.Exit(duplicates_command(settings_of(lake=lake), terminal_of(as_json, False, 0), of_digests=digests))


@app.command(epilog="Example: finnews reindex --lake /data/lake")
def reindex(lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Make the ledger and the near-duplicate index anew from the lake's rows. Changes no row."""
    from flows.dedup import reindex_command

    raise typer.Exit(reindex_command(settings_of(lake=lake), terminal_of(as_json, False, 0)))


@app.command(epilog="Examples: finnews schema --json · finnews schema --markdown > schema.md")
def schema(
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page docs/schema.md.")] = False,
) -> None:
    """Show the columns of the Parquet files and what they mean."""
    from flows.reading import schema_command

    raise typer.Exit(schema_command(terminal_of(as_json, False, 0), markdown=markdown))

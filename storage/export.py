"""One file out of the lake, for tools that want one: CSV, JSON lines, a DuckDB database, or a single Parquet file."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, get_args

import duckdb

from storage.errors import QueryError
from storage.query import connect
from storage.schema import TREES, Tree

Format = Literal["csv", "jsonl", "duckdb", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
# What a table without texts leaves out: bodies, and what only our own code reads.
BULKY = ("text", "summary", "removed", "fingerprint", "images")
FORMULA = r"'^[=+\-@\t\r]'"
COPY_OPTIONS = {"csv": "FORMAT csv, HEADER", "jsonl": "FORMAT json", "parquet": "FORMAT parquet, COMPRESSION zstd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows. Days are those of the partitions, both ends included; undated rows are had without days only."""

    tree: Tree = "articles"
    as_of: datetime | None = None
    sources: Collection[str] = ()
    since: date | None = None
    until: date | None = None
    with_text: bool = True


def export(lake: Path, out: Path, selection: Selection, fmt: Format | None = None) -> int:
    """Write `out`, all of it or nothing, and give the number of rows. The format follows its suffix if none is named.

    In CSV lists are JSON, and a text that a spreadsheet would take for a formula has an apostrophe before it.

    Raises QueryError: a format that is not known, a selection that cannot be had, a file that cannot be written.
    """
    fmt = fmt or format_of(out)
    select = _select(selection, fmt)
    # Beside the file it becomes, so that a reader of `out` never sees half of it.
    staged = out.with_name(f".{out.name}.{uuid.uuid4().hex}")
    try:
        with connect(lake) as connection:
            rows = (
                _write_database(connection, select, staged)
                if fmt == "duckdb"
                else _copy(connection, select, staged, fmt)
            )
        staged.replace(out)
    except (duckdb.Error, OSError) as error:
        raise QueryError(f"{out}: {' '.join(str(error).split())}") from error
    finally:
        staged.unlink(missing_ok=True)
    return rows


def format_of(out: Path) -> Format:
    suffix = out.suffix.removeprefix(".").lower()
    found = {"db": "duckdb", "ndjson": "jsonl"}.get(suffix, suffix)
    for fmt in FORMATS:
        if fmt == found:
            return fmt
    raise QueryError(
        f"{out}: name the format with --format ({', '.join(FORMATS)}), or end the file's name in one of them"
    )


def _select(selection: Selection, fmt: Format) -> str:
    if selection.as_of and selection.tree != "articles":
        raise QueryError(f"as of a moment there are articles only, no {selection.tree}")
    view = f"as_of(timestamptz '{selection.as_of.isoformat()}')" if selection.as_of else selection.tree
    owner = "reason" if selection.tree == "quarantine" else "source"
    wheres = []
    if selection.sources:
        wheres.append(f"{owner} in ({', '.join(map(_quoted, sorted(selection.sources)))})")
    if selection.since:
        wheres.append(f"date >= date '{selection.since.isoformat()}'")
    if selection.until:
        wheres.append(f"date <= date '{selection.until.isoformat()}'")
    where = f" where {' and '.join(wheres)}" if wheres else ""
    key = "url, raw_ref" if selection.tree == "quarantine" else "published_at, article_id, revision"
    return f"select {_columns(selection, fmt)} from {view}{where} order by date, {owner}, {key}"


def _columns(selection: Selection, fmt: Format) -> str:
    names = {column.name: column for column in TREES[selection.tree]}
    left_out = [name for name in BULKY if name in names and not selection.with_text]
    if fmt in ("csv", "jsonl") and "fingerprint" in names and "fingerprint" not in left_out:
        left_out.append("fingerprint")  # bytes have no form in text
    exclude = f" exclude ({', '.join(left_out)})" if left_out else ""
    if fmt != "csv":
        return "*" + exclude
    cells = (_csv_cell(name, str(column.type)) for name, column in names.items() if name not in left_out)
    return f"*{exclude} replace ({', '.join(filter(None, cells))})"


def _csv_cell(name: str, kind: str) -> str:
    if kind.startswith("list"):
        # DuckDB's own form has no escape for commas.
        return f"to_json({name})::varchar as {name}"
    if kind == "string":
        # A spreadsheet would run a title that begins like a formula.
        return f"case when regexp_matches({name}, {FORMULA}) then '''' || {name} else {name} end as {name}"
    return ""


def _copy(connection: duckdb.DuckDBPyConnection, select: str, out: Path, fmt: Format) -> int:
    written = connection.execute(f"copy ({select}) to {_quoted(str(out))} ({COPY_OPTIONS[fmt]})").fetchone()
    return int(written[0]) if written else 0


def _write_database(connection: duckdb.DuckDBPyConnection, select: str, out: Path) -> int:
    connection.execute(f"attach {_quoted(str(out))} as exported")
    connection.execute(f"create table exported.articles as {select}")
    counted = connection.execute("select count(*) from exported.articles").fetchone()
    connection.execute("detach exported")
    return int(counted[0]) if counted else 0


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

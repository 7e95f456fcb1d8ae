"""Reading the lake with SQL: DuckDB views over the partitions as they are at that moment. No lock, no ledger."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from storage.errors import QueryError
from storage.ledger import KnownArticles
from storage.partitions import HIVE_NULL, Partition, partitions
from storage.partitions import files as partition_files
from storage.schema import PARTITIONS, SCHEMAS, TREES, Column, Tree
from storage.store import open_store, remote_of, require_lake

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "list<element: string>": "VARCHAR[]",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "binary": "BLOB",
    "date32[day]": "DATE",
}
# Of the two the longer one is the digest. Copies are left out: what they contain, their original does.
DIGESTS = """
with ordered as (select one as a, other as b from pairs union all select other, one from pairs)
select digest.article_id as digest, item.article_id as item, digest.source as digest_source, item.source as item_source,
       digest.title as digest_title, item.title as item_title
from ordered join articles as digest on digest.article_id = a join articles as item on item.article_id = b
where digest.text_chars > item.text_chars order by digest.published_at, digest, item
"""
AS_OF = (files(__package__) / "as_of.sql").read_text(encoding="utf-8")
# So many are looked for by name, more by listing what is there.
MOST_DAYS = 400
GLOB_CHARACTERS = re.compile(r"([*?\[\]])")


def connect(lake: Path) -> duckdb.DuckDBPyConnection:
    """A connection in memory with the views articles, duplicates, revisions and quarantine, and the table function
    `as_of(moment, undated := false)`: the articles as they were known then (see as_of.sql). Times are in UTC.
    """
    require_lake(lake)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    remote = remote_of(lake)
    for tree in TREES:
        select = _select_remote(connection, remote, tree) if remote else _select(lake, tree)
        connection.execute(f"CREATE VIEW {tree} AS {select}")
    connection.execute(AS_OF)
    return connection


def query(lake: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of the columns, and rows. Raises QueryError with DuckDB's explanation."""
    with connect(lake) as connection:
        try:
            cursor = connection.execute(sql)
            if cursor is None:  # whatever its types say
                raise QueryError("nothing to run: the query is empty, or a comment")
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except duckdb.Error as error:
            raise QueryError(str(error)) from error


def digests(lake: Path, ledger: str = "") -> tuple[list[str], list[tuple[Any, ...]]]:
    """Which articles contain which: a digest and its items, in the columns of DIGESTS.

    The relation is kept in the near index: it changes with either end, and a row of the lake should not.
    """
    known = KnownArticles(lake, ledger)
    try:
        pairs = known.contained()
    finally:
        known.close()
    with connect(lake) as connection:
        connection.register(
            "pairs", pa.table({"one": [one for one, _ in pairs], "other": [other for _, other in pairs]})
        )
        cursor = connection.execute(DIGESTS)
        return [column[0] for column in cursor.description or ()], cursor.fetchall()


def partition_paths(
    lake: Path,
    sources: Collection[str] = (),
    since: date | None = None,
    until: date | None = None,
    *,
    tree: Tree = "articles",
) -> list[str]:
    """The files of some sources (all, if none is named) and days, both ends included; s3:// urls of a bucket's.

    Naming files is far faster than filtering a glob over years. Undated articles are left out when a day is given.
    """
    url = remote_of(lake)
    if not url and since and until and (until - since).days < MOST_DAYS:
        named = [(since + timedelta(days)).isoformat() for days in range((until - since).days + 1)]
        return [str(path) for _, path in partitions(lake, tree, sources, named)]
    first, last = (since or date.min).isoformat(), (until or date.max).isoformat()
    any_day = since is None and until is None
    return [
        path
        for partition, path in _paths(lake, url, tree, sources)
        if any_day or (partition.day != HIVE_NULL and first <= partition.day <= last)
    ]


def _paths(lake: Path, url: str, tree: Tree, sources: Collection[str]) -> Iterator[tuple[Partition, str]]:
    if url:
        found = partition_files(open_store(lake), tree, sources)
        return ((partition, f"{url}/{file.key}") for partition, file in found)
    return ((partition, str(path)) for partition, path in partitions(lake, tree, sources))


def _select(lake: Path, tree: Tree) -> str:
    owner, day = PARTITIONS[tree]
    if next(partitions(lake, tree), None) is None:
        return _no_rows((owner, day, *TREES[tree]))
    # The exact name: whatever else was put into the folders is not ours to read.
    folder = GLOB_CHARACTERS.sub(r"[\1]", str(lake.absolute())).replace("'", "''")
    return (
        f"SELECT {owner.name}, {day.name}, * EXCLUDE ({owner.name}, {day.name})"
        f" FROM read_parquet('{folder}/{tree}/*/*/{tree}.parquet',"
        f" hive_partitioning = true, hive_types = {{'{owner.name}': VARCHAR, '{day.name}': DATE}})"
    )


def _select_remote(connection: duckdb.DuckDBPyConnection, url: str, tree: Tree) -> str:
    """Through pyarrow, which has a client of its own: DuckDB's has to be downloaded first."""
    from storage.objects import ObjectStore, parquet_dataset

    store = ObjectStore(url)
    owner, day = PARTITIONS[tree]
    keys = [file.key for _, file in partition_files(store, tree)]
    if not keys:
        return _no_rows((owner, day, *TREES[tree]))
    partition = pa.schema([(owner.name, owner.type), (day.name, day.type)])
    connection.register(f"{tree}_files", parquet_dataset(store, keys, SCHEMAS[tree], partition))
    return f"SELECT {owner.name}, {day.name}, * EXCLUDE ({owner.name}, {day.name}) FROM {tree}_files"


def _no_rows(columns: Sequence[Column]) -> str:
    nulls = ", ".join(f"NULL::{DUCKDB_TYPES[str(column.type)]} AS {column.name}" for column in columns)
    return f"SELECT {nulls} WHERE false"

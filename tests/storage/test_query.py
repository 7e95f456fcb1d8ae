"""Everybody who reads Parquet reads the same lake: DuckDB, Polars, pandas and pyarrow agree."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from storage.errors import QueryError
from storage.lake import Lake
from storage.partitions import partitions
from storage.query import DUCKDB_TYPES, connect, partition_paths, query
from storage.schema import PARTITIONS, TREES
from tests.storage.builders import LONG, make_article, plan

SEEN = ["article_id", "title", "text"]
HIVE = ds.partitioning(pa.schema([("source", pa.string()), ("date", pa.date32())]), flavor="hive")


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Path:
    """Three sources, several days, one article without a time."""
    root = tmp_path_factory.mktemp("湖 with 'quotes' and [brackets]")
    undated = make_article(99, date=None, published_at=None, published_precision="none")
    with Lake.open(root) as lake:
        lake.commit([*plan(), undated], run_id="run")
    return root


def fingerprint(rows: Iterable[tuple[str, str, str]]) -> tuple[int, str]:
    rows = sorted(rows)
    return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()


def by_duckdb(root: Path) -> list:
    pattern = str(root).replace("'", "''").replace("[", "[[]") + "/articles/**/*.parquet"
    return duckdb.sql(
        f"SELECT article_id, title, text FROM read_parquet('{pattern}', hive_partitioning = true)"
    ).fetchall()


def by_polars(root: Path) -> list:
    return polars.read_parquet(root / "articles", hive_partitioning=True).select(SEEN).rows()


def by_pandas(root: Path) -> list:
    # Told the types: left to guess, pandas fails on the null of an undated partition.
    frame = pandas.read_parquet(root / "articles", partitioning=HIVE)
    return list(frame[SEEN].itertuples(index=False, name=None))


def by_pyarrow(root: Path) -> list:
    table = ds.dataset(root / "articles", partitioning="hive").to_table(columns=SEEN)
    return list(zip(*table.to_pydict().values(), strict=True))


@pytest.mark.parametrize("read", [by_duckdb, by_polars, by_pandas, by_pyarrow])
def test_c12_all_readers_see_the_same_rows(lake, read: Callable[[Path], list]):
    expected = query(lake, "SELECT article_id, title, text FROM articles")[1]
    assert len(expected) > 5
    assert fingerprint(read(lake)) == fingerprint(expected)


def test_c12_hive_dates_are_dates(lake):
    [(kind, undated)] = query(lake, "SELECT typeof(any_value(date)), count(*) - count(date) FROM articles")[1]
    assert (kind, undated) == ("DATE", 1)
    assert polars.read_parquet(lake / "articles", hive_partitioning=True).schema["date"] == polars.Date
    assert str(pandas.read_parquet(lake / "articles", partitioning=HIVE)["date"].iloc[0]) == "2024-03-04"


def test_a_day_can_be_asked_for(lake):
    counts = dict(query(lake, "SELECT date, count(*) FROM articles WHERE date = DATE '2024-03-05' GROUP BY date")[1])
    assert list(counts) == [date(2024, 3, 5)]


def test_c13_an_empty_lake_gives_empty_typed_views(tmp_path):
    Lake.open(tmp_path).close()
    for tree, columns in TREES.items():
        names, rows = query(tmp_path, f"SELECT * FROM {tree} WHERE {columns[0].name} IS NOT NULL")
        assert (names, rows) == ([column.name for column in (*PARTITIONS[tree], *columns)], [])
    as_of = "SELECT * FROM articles WHERE first_seen_at <= TIMESTAMPTZ '2020-01-01' AND 'x' = ANY(tags)"
    assert query(tmp_path, as_of)[1] == []


def test_empty_and_filled_views_have_the_same_types(lake, tmp_path):
    Lake.open(tmp_path).close()
    describe = "SELECT column_name, column_type FROM (DESCRIBE articles)"
    assert query(tmp_path, describe) == query(lake, describe)
    assert {str(column.type) for columns in TREES.values() for column in columns} <= set(DUCKDB_TYPES)


def test_times_come_back_in_utc(lake):
    [(at,)] = query(lake, "SELECT min(first_seen_at) FROM articles")[1]
    assert isinstance(at, datetime)
    assert at.utcoffset() == timedelta(0)


def test_w07_foreign_files_are_not_read(tmp_path):
    with Lake.open(tmp_path) as lake:
        lake.commit([make_article(text=LONG)], run_id="run")
    [(_, path)] = partitions(tmp_path, "articles")
    (path.parent / "stump.parquet").write_bytes(b"PAR1")
    (path.parent / ".articles.parquet.crc").write_bytes(b"")
    assert query(tmp_path, "SELECT count(*) FROM articles")[1] == [(1,)]


def test_wrong_sql_and_a_lake_that_is_not_there_are_the_askers_to_mend(lake, tmp_path):
    with pytest.raises(QueryError, match="nowhere"):
        query(lake, "SELECT * FROM nowhere")
    with pytest.raises(QueryError, match="no lake here"):
        connect(tmp_path / "none")


def test_partition_paths_name_the_files_of_sources_and_days(lake):
    every = partition_paths(lake)
    assert len(every) == len(list((lake / "articles").glob("**/*.parquet")))
    chosen = partition_paths(lake, ["acme", "other"], date(2024, 3, 4), date(2024, 3, 5))
    assert {Path(path).parent.name for path in chosen} == {"date=2024-03-04", "date=2024-03-05"}
    assert {Path(path).parent.parent.name for path in chosen} == {"source=acme", "source=other"}
    assert len(partition_paths(lake, since=date(2024, 3, 6))) < len(every)
    assert polars.read_parquet(chosen, glob=False, hive_partitioning=True).height > 0

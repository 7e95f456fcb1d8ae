"""The usual queries over a store, with DuckDB and Polars: milliseconds, best of several.

python benchmarks/lake_queries.py LAYOUT FOLDER SOURCES DAYS ROUNDS  >  a JSON document a query, each with all before
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

FIRST_DAY = date(2024, 1, 1)
WORD = "经济"
NAMES = (
    "one source, one day",
    "all sources, one day",
    "one source, one year",
    "a word in a month",
    "counts by source and month",
)
# Beyond this, another round would tell nothing new.
LONG_SECONDS = 5
# Of each query: source, first and last day; None for all.
Span = tuple[str | None, date | None, date | None]


def spans(days: int) -> list[Span]:
    middle = FIRST_DAY + timedelta(days=days // 2)
    month = middle.replace(day=1)
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return [
        ("site03", middle, middle),
        (None, middle, middle),
        ("site03", None, None),
        (None, month, last),
        (None, None, None),
    ]


def conditions(span: Span) -> str:
    source, first, last = span
    parts = [f"source = '{source}'" if source else "", f"date between '{first}' and '{last}'" if first else ""]
    return " and ".join(filter(None, parts)) or "true"


def sql(number: int, span: Span, relation: str) -> str:
    if number == 4:
        return f"select source, month(date), count(*), sum(text_chars) from {relation} group by all order by all"
    word = f" and text like '%{WORD}%'" if number == 3 else ""
    return f"select count(*), sum(text_chars) from {relation} where {conditions(span)}{word}"


def frame(number: int, span: Span, rows: pl.LazyFrame) -> pl.LazyFrame:
    source, first, last = span
    if source:
        rows = rows.filter(pl.col("source") == source)
    if first:
        rows = rows.filter(pl.col("date").is_between(pl.lit(first), pl.lit(last)))
    if number == 3:
        rows = rows.filter(pl.col("text").str.contains(WORD, literal=True))
    sums = pl.len(), pl.col("text_chars").sum()
    return rows.group_by("source", pl.col("date").dt.month()).agg(*sums) if number == 4 else rows.select(*sums)


# Layout → of a folder and a span: a relation for DuckDB with what has to be registered, and a frame of Polars.
Opened = tuple[str, dict[str, Any], Callable[[], pl.LazyFrame]]


def files(paths: list[str]) -> Opened:
    hive = "hive_partitioning = true, hive_types = {'source': VARCHAR, 'date': DATE}"
    return (
        f"read_parquet({paths!r}, {hive})",
        {},
        lambda: pl.scan_parquet(paths, hive_partitioning=True, hive_schema={"source": pl.String, "date": pl.Date}),
    )


def by_paths(folder: Path, span: Span) -> Opened:
    from storage.query import partition_paths

    source, first, last = span
    return files(partition_paths(folder, [source] if source else [], first, last))


def by_glob(folder: Path, span: Span) -> Opened:
    del span
    return files([f"{folder}/articles/**/*.parquet"])


def by_packs(folder: Path, span: Span) -> Opened:
    _, first, _ = span
    months = f"month={first:%Y-%m}" if first else "*"
    glob = f"{folder}/packs/{months}/*.parquet"
    return (
        f"read_parquet('{glob}', hive_partitioning = false)",
        {},
        lambda: pl.scan_parquet(glob, hive_partitioning=False),
    )


def write_dataset(folder: Path, span: Span) -> Opened:
    del span
    return files([f"{folder}/**/*.parquet"])


def delta(folder: Path, span: Span) -> Opened:
    del span
    from deltalake import DeltaTable

    return "delta", {"delta": DeltaTable(str(folder)).to_pyarrow_dataset()}, lambda: pl.scan_delta(str(folder))


def iceberg(folder: Path, span: Span) -> Opened:
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    table = catalog.load_table("news.articles")
    text = conditions(span)
    columns = ("source", "date", "text_chars", "text")
    scan = table.scan(selected_fields=columns) if text == "true" else table.scan(text, selected_fields=columns)
    return "iceberg", {"iceberg": scan.to_arrow_batch_reader()}, lambda: pl.scan_iceberg(table)


LAYOUTS: dict[str, Callable[[Path, Span], Opened]] = {
    "finnews, paths": by_paths,
    "finnews, packs": by_packs,
    "finnews, glob": by_glob,
    "write_dataset": write_dataset,
    "delta append": delta,
    "iceberg upsert": iceberg,
}


def main() -> None:
    layout, folder, days, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5])
    answer: dict[str, dict[str, float]] = {}
    for number, span in enumerate(spans(days)):

        def in_duckdb(number: int = number, span: Span = span) -> list[tuple[Any, ...]]:
            relation, registered, _ = LAYOUTS[layout](folder, span)
            with duckdb.connect() as connection:
                for name, rows in registered.items():
                    connection.register(name, rows)
                return connection.execute(sql(number, span, relation)).fetchall()

        def in_polars(number: int = number, span: Span = span) -> list[tuple[Any, ...]]:
            return frame(number, span, LAYOUTS[layout](folder, span)[2]()).collect().rows()

        answer[NAMES[number]] = {"duckdb": best_of(in_duckdb, rounds), "polars": best_of(in_polars, rounds)}
        # All that is known by now: the next one may never end.
        print(json.dumps(answer), flush=True)


def best_of(query: Callable[[], object], rounds: int) -> float:
    """Milliseconds."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        query()
        seconds.append(time.perf_counter() - began)
        if sum(seconds) > LONG_SECONDS:
            break
    return min(seconds) * 1000


if __name__ == "__main__":
    main()

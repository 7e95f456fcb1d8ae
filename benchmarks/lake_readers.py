"""A consumer that globs a store's plain files over and over while it is written, and counts what it sees.

    python benchmarks/lake_readers.py ENGINE GLOB COMMITTED STOP  >  one JSON document

COMMITTED is a file with the number of articles that were committed before a read began: these must be there. Reading
ends once STOP exists.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl

SEEN = "count(*), count(distinct article_id), count(*) filter (length(text) != text_chars)"


def with_duckdb(glob: str) -> tuple[int, int, int]:
    with duckdb.connect() as connection:
        [seen] = connection.execute(f"select {SEEN} from read_parquet('{glob}')").fetchall()
    return seen


def with_polars(glob: str) -> tuple[int, int, int]:
    rows = pl.scan_parquet(glob, hive_partitioning=False, missing_columns="insert")
    torn = (pl.col("text").str.len_chars() != pl.col("text_chars")).sum()
    [seen] = rows.select(pl.len(), pl.col("article_id").n_unique(), torn.alias("torn")).collect().rows()
    return seen


def main() -> None:
    engine, glob, committed, stop = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    read = {"duckdb": with_duckdb, "polars": with_polars}[engine]
    counts: Counter[str] = Counter(dict.fromkeys(("reads", "duplicates", "missing", "torn", "errors"), 0))
    errors: Counter[str] = Counter()
    while not committed.exists() and not stop.exists():
        time.sleep(0.01)
    while not stop.exists():
        floor = int(committed.read_text(encoding="ascii"))
        counts["reads"] += 1
        try:
            rows, distinct, torn = read(glob)
        except (duckdb.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            counts["errors"] += 1
            errors[" ".join(str(error).split())[:90]] += 1
            continue
        counts["duplicates"] += rows > distinct
        counts["missing"] += distinct < floor
        counts["torn"] += torn > 0
    print(json.dumps({**counts, "messages": errors.most_common(2)}))


if __name__ == "__main__":
    main()

"""What every writer of benchmarks.lake is fed: the batches of one file, as articles or as tables.

In the environment of the other stores as well: imports nothing that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from articles.records import Article
from storage.schema import JOURNAL, article_of, observed_table

# Rows read at once.
CHUNK = 10_000
# Not every store knows of required columns.
PLAIN = pa.schema([field.with_nullable(True).remove_metadata() for field in JOURNAL])


def batches_of(path: Path) -> Iterator[list[Article]]:
    """By the column `batch`, as the records that our own store takes."""
    waiting: list[Article] = []
    current = 0
    for group in _groups(path):
        for row in group.to_pylist():
            if row["batch"] != current:
                yield waiting
                waiting, current = [], row["batch"]
            waiting.append(article_of(row, source=row["source"], day=row["date"]))
    yield waiting


def tables_of(path: Path) -> Iterator[pa.Table]:
    """The same batches, as tables that somebody else has made."""
    waiting: list[pa.Table] = []
    current = 0
    for group in _groups(path):
        table = pa.table(group)
        for number in table["batch"].unique().to_pylist():
            part = table.filter(ds.field("batch") == number).drop_columns("batch")
            if number != current and waiting:
                yield pa.concat_tables(waiting)
                waiting = []
            current = number
            waiting.append(part.select(PLAIN.names).cast(PLAIN))
    yield pa.concat_tables(waiting)


def as_table(articles: Sequence[Article]) -> pa.Table:
    """The way to a table that our own store goes."""
    partition = {name: list(map(attrgetter(name), articles)) for name in ("source", "date")}
    return observed_table(PLAIN, articles, **partition)


def _groups(path: Path) -> Iterator[pa.RecordBatch]:
    # A buffer for reading ahead would hold all of it in the end.
    return pq.ParquetFile(path, pre_buffer=False).iter_batches(CHUNK)

"""Other stores on the same batches; run by benchmarks.lake in an environment of their own.

    python lake_peers.py NAME small|bulk|flat-out FOLDER ROWS LIMIT_SECONDS  >  one JSON document

Each gets the layout and the call that suit it best: partitions by source and date as ours, the partition in the merge
condition so that other partitions are not read. What deduplicates does so by article_id.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.lake_feed import as_table, batches_of, tables_of
from benchmarks.lake_meter import Meter

PARTITION = ["source", "date"]
SAME = "new.article_id = old.article_id AND new.source = old.source AND new.date = old.date"
MAX_PARTITIONS = 20_000
SYNCERS = 16
# As in our own files; the default is 1.
LEVEL = 3
# Fed with articles, as we are: a table of them is a part of the work. The others get it ready made.
FROM_ARTICLES = ("write_dataset", "write_dataset, synced")
# Files are stamped by a clock that goes by ticks.
CLOCK_TICK_NS = 20_000_000


class WriteDataset:
    """pyarrow's write_dataset, a file a batch and partition; nothing is deduplicated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        del new
        ds.write_dataset(
            rows,
            self.folder,
            format="parquet",
            partitioning=ds.partitioning(rows.select(PARTITION).schema, flavor="hive"),
            basename_template=f"{uuid.uuid4().hex}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            max_partitions=MAX_PARTITIONS,
            file_options=ds.ParquetFileFormat().make_write_options(compression="zstd", compression_level=LEVEL),
        )


class SyncedDataset(WriteDataset):
    """The same, and what was written survives a power cut, as it does in our store."""

    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        before = time.time_ns()
        super().write(rows, new=new)
        folders = {self.folder}
        for source, day in {(row["source"], row["date"]) for row in rows.select(PARTITION).to_pylist()}:
            folders |= {self.folder / f"source={source}", self.folder / f"source={source}/date={day}"}
        written = (path for folder in folders for path in folder.glob("*.parquet"))
        files = [path for path in written if path.stat().st_mtime_ns >= before - CLOCK_TICK_NS]
        with ThreadPoolExecutor(SYNCERS) as syncers:
            list(syncers.map(sync, files))
            list(syncers.map(sync, folders))


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


class RewrittenDataset(WriteDataset):
    """The same, made to deduplicate by hand: partitions that are touched are read, merged and written anew."""

    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        del new
        partitioning = ds.partitioning(rows.select(PARTITION).schema, flavor="hive")
        keys = {(row["source"], row["date"]) for row in rows.select(PARTITION).to_pylist()}
        folders = [self.folder / f"source={source}/date={day}" for source, day in keys]
        files = [str(path) for folder in folders for path in folder.glob("*.parquet")]
        if files:
            before = ds.dataset(
                files, schema=rows.schema, partitioning=partitioning, partition_base_dir=str(self.folder)
            )
            known = before.to_table()
            kept = known.filter(~ds.field("article_id").isin(rows["article_id"].to_pylist()))
            rows = pa.concat_tables([kept, rows])
        ds.write_dataset(
            rows,
            self.folder,
            format="parquet",
            partitioning=partitioning,
            existing_data_behavior="delete_matching",
            max_partitions=MAX_PARTITIONS,
            file_options=ds.ParquetFileFormat().make_write_options(compression="zstd", compression_level=LEVEL),
        )


class DeltaAppend:
    """delta-rs, appending; nothing is deduplicated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        del new
        from deltalake import write_deltalake

        write_deltalake(str(self.folder), rows, partition_by=PARTITION, mode="append")


class DeltaMerge(DeltaAppend):
    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        from deltalake import DeltaTable

        if new or not (self.folder / "_delta_log").is_dir():
            super().write(rows)
            return
        (
            DeltaTable(str(self.folder))
            .merge(rows, SAME, source_alias="new", target_alias="old")
            .when_matched_update_all("new.text_hash != old.text_hash")
            .when_not_matched_insert_all()
            .execute()
        )


class Iceberg:
    """pyiceberg with a catalogue in SQLite."""

    def __init__(self, folder: Path) -> None:
        from pyiceberg.catalog.sql import SqlCatalog

        folder.mkdir(exist_ok=True)
        self.catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
        self.table: Any = None

    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        table = self._table(rows.schema)
        if new:
            table.append(rows)
        else:
            table.upsert(rows, join_cols=["article_id"])

    def _table(self, schema: pa.Schema) -> Any:  # noqa: ANN401 - a class of pyiceberg
        if self.table is None:
            from pyiceberg.transforms import IdentityTransform

            self.catalog.create_namespace_if_not_exists("news")
            self.table = self.catalog.create_table_if_not_exists("news.articles", schema=schema)
            if not self.table.spec().fields:
                with self.table.update_spec() as update:
                    for name in PARTITION:
                        update.add_field(name, IdentityTransform(), name)
        return self.table


class DltMerge:
    """dlt's filesystem destination with Delta tables, upserting; without them it does not merge."""

    def __init__(self, folder: Path) -> None:
        import dlt

        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        self.pipeline = dlt.pipeline(
            f"bench_{uuid.uuid4().hex[:8]}",
            pipelines_dir=str(folder / "pipeline"),
            destination=dlt.destinations.filesystem(f"file://{folder}/data"),
            dataset_name="news",
        )

    def write(self, rows: pa.Table, *, new: bool = False) -> None:
        how: Any = "append" if new else {"disposition": "merge", "strategy": "upsert"}
        self.pipeline.run(
            rows,
            table_name="articles",
            write_disposition=how,
            primary_key="article_id",
            table_format="delta",
            columns={name: {"partition": True} for name in PARTITION},  # type: ignore[misc]
        )


STORES = {
    "write_dataset": WriteDataset,
    "write_dataset, of tables": WriteDataset,
    "write_dataset, synced": SyncedDataset,
    "write_dataset, rewritten": RewrittenDataset,
    "delta append": DeltaAppend,
    "delta merge": DeltaMerge,
    "iceberg upsert": Iceberg,
    "dlt merge": DltMerge,
}


def main() -> None:
    logging.disable(logging.WARNING)
    name, task, folder, rows = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    meter = Meter(limit_seconds=float(sys.argv[5]))
    store = STORES[name](folder)
    known: set[str] = set()
    makes_tables = task == "bulk" and name in FROM_ARTICLES
    batches: Iterator[Any] = batches_of(rows) if makes_tables else tables_of(rows)
    for batch in meter.until_late(batches):
        with meter.batch(len(batch)):
            table = as_table(batch) if makes_tables else batch
            store.write(table, new=task == "bulk")
        known |= set(table["article_id"].to_pylist())
        if task == "flat-out":
            fresh = folder.with_name(f"{folder.name}.fresh")
            fresh.write_text(str(len(known)), encoding="ascii")
            fresh.replace(folder.with_name(f"{folder.name}.committed"))
    meter.report(folder, distinct=len(known))


if __name__ == "__main__":
    main()

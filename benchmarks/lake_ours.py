"""Our own store on the batches of benchmarks.lake, in a process of its own.

python -m benchmarks.lake_ours small|bulk|flat-out FOLDER ROWS LIMIT_SECONDS  >  one JSON document
"""

from __future__ import annotations

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from articles.records import Article
from benchmarks.lake_meter import Meter
from benchmarks.lake_rows import batches_of
from storage.lake import WRITERS, Lake
from storage.partitions import Partition, changed, partition_key
from storage.schema import Row, observed_row
from storage.store import Store, open_store


def main() -> None:
    task, folder, rows, limit_seconds = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    meter = Meter(limit_seconds=limit_seconds)
    if task == "rows":
        store_rows(folder, rows, meter)
        return
    known: set[str] = set()
    with Lake.open(folder) as lake:
        for batch in meter.until_late(batches_of(rows)):
            with meter.batch(len(batch)):
                lake.commit(batch, run_id=task)
            known |= {article.article_id for article in batch}
            if task == "flat-out":
                tell(folder, len(known))
    meter.report(folder, distinct=len(known))


def store_rows(folder: Path, rows: Path, meter: Meter) -> None:
    store, count = open_store(folder), 0
    store.prepare()
    with ThreadPoolExecutor(WRITERS) as writers:
        for batch in meter.until_late(batches_of(rows)):
            with meter.batch(len(batch)):
                partitions: dict[Partition, list[Row]] = defaultdict(list)
                for article in batch:
                    partitions[Partition.of(article.source, article.date)].append(_row(article))
                list(writers.map(lambda each: _add(store, *each), partitions.items()))
                store.sync(writers)
            count += len(batch)
    meter.report(folder, distinct=count)


def _row(article: Article) -> Row:
    history = {"revision": 1, "first_seen_at": article.fetched_at, "ingest_seq": 1, "cluster_id": article.article_id}
    return observed_row(article) | history


def _add(store: Store, partition: Partition, rows: list[Row]) -> None:
    key = partition_key("articles", partition)
    before = store.read(key)
    data = changed(before.data if before else None, key, "articles", (), rows)
    store.put(key, data, before.version if before else None)


def tell(folder: Path, count: int) -> None:
    """So many articles are committed: readers must see them."""
    fresh = folder.with_name(f"{folder.name}.fresh")
    fresh.write_text(str(count), encoding="ascii")
    fresh.replace(folder.with_name(f"{folder.name}.committed"))


if __name__ == "__main__":
    main()

"""Our own store on the batches of benchmarks.lake, in a process of its own.

python -m benchmarks.lake_ours small|bulk|flat-out FOLDER ROWS LIMIT_SECONDS  >  one JSON document
"""

from __future__ import annotations

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from articles.decide import CopyKey, Place
from articles.records import Article
from benchmarks.lake_feed import batches_of
from benchmarks.lake_meter import Meter
from storage.lake import WRITERS, Lake
from storage.ledger import Stored
from storage.merge import COPY_TREES, Contents, merge
from storage.partitions import Partition, PartitionFile, encode, partition_key
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
                partitions: dict[Partition, list[Article]] = defaultdict(list)
                for article in batch:
                    partitions[Partition.of(article.source, article.date)].append(article)
                list(writers.map(lambda each: _add(store, *each), partitions.items()))
                store.sync(writers)
            count += len(batch)
    meter.report(folder, distinct=count)


def _add(store: Store, partition: Partition, articles: list[Article]) -> None:
    """What Lake does for a partition when all is decided: each article is the first of its cluster."""
    key = partition_key("articles", partition)
    blob = store.read(key)
    before = PartitionFile(blob.data, key) if blob else None
    held: Contents = dict.fromkeys(COPY_TREES) | {
        "articles": before.rows_of([article.article_id for article in articles]) if before else None
    }
    for change in merge(held, articles, list(map(_stored, articles)), 1):
        data = before.changed("articles", change.replaced, change.rows) if before else encode(change.rows, "articles")
        store.put(key, data, blob.version if blob else None)


def _stored(article: Article) -> Stored:
    place = Place(article.article_id, None, None, None)
    return Stored(CopyKey(article.article_id, article.source), article.date, article.fetched_at, None, place)


def tell(folder: Path, count: int) -> None:
    """So many articles are committed: readers must see them."""
    fresh = folder.with_name(f"{folder.name}.fresh")
    fresh.write_text(str(count), encoding="ascii")
    fresh.replace(folder.with_name(f"{folder.name}.committed"))


if __name__ == "__main__":
    main()

"""Our own store on the batches of benchmarks.lake, in a process of its own.

python -m benchmarks.lake_ours small|bulk|flat-out FOLDER ROWS LIMIT_SECONDS  >  one JSON document
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from itertools import starmap
from pathlib import Path

from articles.decide import CopyKey, Place
from articles.records import Article
from benchmarks.lake_feed import batches_of
from benchmarks.lake_meter import Meter
from storage.lake import WRITERS, Lake
from storage.ledger import Stored
from storage.merge import COPY_TREES, Change, Contents, FirstVersion, first_changes, merge
from storage.partitions import Partition, PartitionFile, encode, partition_key
from storage.store import Store, open_store

SEQ = 1


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
            decided = [FirstVersion(_stored(article), article) for article in batch]
            with meter.batch(len(batch)):
                store_batch(store, decided, writers)
            count += len(batch)
    meter.report(folder, distinct=count)


def store_batch(store: Store, decided: Iterable[FirstVersion], writers: ThreadPoolExecutor) -> None:
    """What Lake does when all is decided: each article is the first of its cluster."""
    parts: dict[tuple[str, date | None], list[FirstVersion]] = defaultdict(list)
    for first in decided:
        parts[first.copy.key.source, first.copy.day].append(first)
    changes = first_changes(parts.values(), SEQ)
    list(writers.map(partial(_add, store), starmap(Partition.of, parts), parts.values(), changes))
    store.sync(writers)


def _add(store: Store, partition: Partition, firsts: list[FirstVersion], changes: list[Change]) -> None:
    key = partition_key("articles", partition)
    blob = store.read(key)
    before = PartitionFile(blob.data, key) if blob else None
    copies, articles = zip(*firsts, strict=True)
    if before and (rows := before.rows_of([article.article_id for article in articles])):
        held: Contents = dict.fromkeys(COPY_TREES) | {"articles": rows}
        changes = merge(held, articles, copies, SEQ)
    for change in changes:
        data = (
            before.changed("articles", change.replaced, change.rows)
            if before
            else encode(change.rows, "articles", in_order=True)
        )
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

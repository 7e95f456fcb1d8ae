"""A ledger made anew from the partitions: when it was lost, is older than the lake, or newer than a restored lake.

The rows are decided about once more. Since decisions are a function of the set of articles, they come out as they were;
where a row stands otherwise in the lake – a commit was cut short – its copy is put down as a batch to be finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from articles.decide import CopyKey, decide
from articles.fingerprint import with_fingerprints
from articles.records import Article
from storage.ledger import Ledger
from storage.merge import COPY_TREES, GONE_AT, Contents, merge
from storage.partitions import Partition, last_seq, partition_path, partitions, read_partition
from storage.schema import article_of

REBUILT = "rebuilt"
BATCH = 1000
# Files written about when the ledger last looked are looked at again.
SLACK = timedelta(seconds=2)

Days: TypeAlias = Mapping[tuple[str, str, str], date | None]
"""article_id, source and text_hash of a version → the day it was published, where better rules have found another."""
NO_DAYS: Days = MappingProxyType({})


def agrees(ledger: Ledger, lake: Path) -> bool:
    """Whether ledger and lake are of one time, by the numbers of commits. Reads a few footers, no rows."""
    head, newest = ledger.head(), ledger.last_seq()
    if not head.whole or ledger.lacks_index() or (head.path and last_seq(lake / head.path) < head.seq):
        return False
    since = (head.at - SLACK).timestamp()
    files = (path for tree in COPY_TREES for _, path in partitions(lake, tree))
    return all(last_seq(path) <= newest for path in files if path.stat().st_mtime >= since)


def rebuild(ledger: Ledger, lake: Path, days: Days = NO_DAYS) -> None:
    """Fill the ledger from the lake, in the caller's transaction. `days` names versions that lie under another day."""
    ledger.clear()
    every = sorted({partition for tree in COPY_TREES for partition, _ in partitions(lake, tree)})
    articles = (article for partition in every for article in _articles(partition, _contents(lake, partition), days))
    while batch := list(islice(articles, BATCH)):
        ledger.record(decide(with_fingerprints(batch), ledger))
        for article in batch:
            if gone_at := article.extra.get(GONE_AT):
                ledger.mark_gone([article.article_id], datetime.fromisoformat(gone_at), article.source)
    unfinished = {key for partition in every for key in _unfinished(ledger, partition, _contents(lake, partition))}
    seq, path = max(
        ((last_seq(path), path) for tree in COPY_TREES for _, path in partitions(lake, tree)), default=(0, lake)
    )
    ledger.raise_seq(seq)
    if unfinished:
        ledger.touch(ledger.begin_batch(REBUILT, REBUILT, 0), unfinished)
    ledger.set_head(seq, str(path.relative_to(lake)) if seq else "")


def _contents(lake: Path, partition: Partition) -> Contents:
    return {tree: read_partition(partition_path(lake, tree, partition)) for tree in COPY_TREES}


def _articles(partition: Partition, contents: Contents, days: Days) -> Iterator[Article]:
    for table in contents.values():
        for row in table.to_pylist() if table else ():
            version = row["article_id"], partition.owner, row["text_hash"]
            yield article_of(row, source=partition.owner, day=days.get(version, partition.date))


def _unfinished(ledger: Ledger, partition: Partition, contents: Contents) -> set[CopyKey]:
    """Copies whose rows here are not what the ledger says of them."""
    ids = {article_id for table in contents.values() if table for article_id in table["article_id"].to_pylist()}
    copies = ledger.stored(CopyKey(article_id, partition.owner) for article_id in sorted(ids))
    strays = {copy.key for copy in copies if copy.day != partition.date}
    for key in strays:
        ledger.move(key, partition.date)
    at_home = [copy for copy in copies if copy.key not in strays]
    return strays | ({copy.key for copy in at_home} if merge(contents, [], at_home, 0) else set())

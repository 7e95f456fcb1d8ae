"""A ledger made anew from the partitions: when it was lost, is older than the lake, or newer than a restored lake.

The rows are decided about once more. Since decisions are a function of the set of articles, they come out as they were;
where a row stands otherwise in the lake – a commit was cut short – its copy is put down as a batch to be finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import date, datetime
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import pyarrow as pa

from articles.decide import CopyKey, decide
from articles.fingerprint import with_fingerprints
from articles.records import Article
from storage.errors import LakeError
from storage.ledger import Ledger
from storage.merge import COPY_TREES, GONE_AT, Contents, merge
from storage.partitions import Partition, decode, files, last_seq_of, partition_key
from storage.schema import Tree, article_of
from storage.store import Store

REBUILT = "rebuilt"
BATCH = 1000

Days: TypeAlias = Mapping[tuple[str, str, str], date | None]
"""article_id, source and text_hash of a version → the day it was published, where better rules have found another."""
NO_DAYS: Days = MappingProxyType({})


def agrees(ledger: Ledger, store: Store) -> bool:
    """Whether ledger and lake are of one time, by the numbers of commits. Reads a few footers, no rows."""
    head, newest = ledger.head(), ledger.last_seq()
    if not head.whole or ledger.lacks_index() or (head.path and _last_seq(store, head.path) < head.seq):
        return False
    since = head.at - store.slack
    listed = (file for tree in COPY_TREES for _, file in files(store, tree))
    return all(_last_seq(store, file.key) <= newest for file in listed if file.modified_at >= since)


def changed_unseen(ledger: Ledger, store: Store, seen: Mapping[str, str]) -> dict[str, str] | None:
    """Versions of the files that are not as the ledger has `seen` them, if they hold nothing but what it says; else
    None. What is pending is left to those who finish it."""
    listed = ((partition, file) for tree in COPY_TREES for partition, file in files(store, tree))
    other = sorted({partition for partition, file in listed if seen.get(file.key) != file.version})
    pending = {key for batch in ledger.pending() for key in ledger.touched(batch)}
    versions: dict[str, str] = {}
    for partition in other:
        read = _read(store, partition)
        if not _says(ledger, partition, read.contents, pending):
            return None
        versions |= read.versions
    return versions


def rebuild(ledger: Ledger, store: Store, days: Days = NO_DAYS) -> dict[str, str]:
    """Fill the ledger from the lake, in the caller's transaction. `days` names versions that lie under another day.

    Gives the versions of all files that it knows now.
    """
    ledger.clear()
    every = sorted({partition for tree in COPY_TREES for partition, _ in files(store, tree)})
    articles = (
        article for partition in every for article in _articles(partition, _read(store, partition).contents, days)
    )
    while batch := list(islice(articles, BATCH)):
        ledger.record(decide(with_fingerprints(batch), ledger))
        for article in batch:
            if gone_at := article.extra.get(GONE_AT):
                ledger.mark_gone([article.article_id], datetime.fromisoformat(gone_at), article.source)
    unfinished, versions = set[CopyKey](), dict[str, str]()
    for partition in every:
        read = _read(store, partition)
        unfinished |= _unfinished(ledger, partition, read.contents)
        versions |= read.versions
    seq, key = max(
        ((_last_seq(store, file.key), file.key) for tree in COPY_TREES for _, file in files(store, tree)),
        default=(0, ""),
    )
    ledger.raise_seq(seq)
    if unfinished:
        ledger.touch(ledger.begin_batch(REBUILT, REBUILT, 0), unfinished)
    ledger.set_head(seq, key if seq else "")
    ledger.filled()
    return versions


def _last_seq(store: Store, key: str) -> int:
    try:
        with store.open(key) as file:
            return last_seq_of(file, f"{store.url}/{key}")
    except FileNotFoundError:
        return 0


class _Read(NamedTuple):
    contents: Contents
    versions: dict[str, str]


def _read(store: Store, partition: Partition) -> _Read:
    contents: dict[Tree, pa.Table | None] = {}
    versions = {}
    for tree in COPY_TREES:
        key = partition_key(tree, partition)
        blob = store.read(key)
        contents[tree] = decode(blob.data, f"{store.url}/{key}") if blob else None
        if blob:
            versions[key] = blob.version
    return _Read(contents, versions)


def _says(ledger: Ledger, partition: Partition, contents: Contents, pending: Set[CopyKey]) -> bool:
    """Whether the ledger knows every row, and would have it where it is."""
    rows = (
        row for table in contents.values() if table for row in table.select(["article_id", "text_hash"]).to_pylist()
    )
    texts = {(CopyKey(row["article_id"], partition.owner), row["text_hash"]) for row in rows}
    texts = {(key, text) for key, text in texts if key not in pending}
    known = ledger.copies({key.article_id for key, _ in texts})
    if not texts <= {(copy.key, version.text_hash) for copy in known for version in copy.versions}:
        return False
    copies = ledger.stored(sorted({key for key, _ in texts}))
    return all(copy.day == partition.date for copy in copies) and not merge(contents, [], copies, 0)


def _articles(partition: Partition, contents: Contents, days: Days) -> Iterator[Article]:
    for table in contents.values():
        for row in table.to_pylist() if table else ():
            version = row["article_id"], partition.owner, row["text_hash"]
            yield article_of(row, source=partition.owner, day=days.get(version, partition.date))


def _unfinished(ledger: Ledger, partition: Partition, contents: Contents) -> set[CopyKey]:
    """Copies whose rows here are not what the ledger says of them."""
    ids = {article_id for table in contents.values() if table for article_id in table["article_id"].to_pylist()}
    try:
        copies = ledger.stored(CopyKey(article_id, partition.owner) for article_id in sorted(ids))
    except KeyError as error:
        # It came after the ledger was filled: who had the lake before is still at the commit that will end his run.
        name = partition_key("articles", partition)
        raise LakeError(f"{name}: another run adds rows while the ledger is made anew; try again") from error
    strays = {copy.key for copy in copies if copy.day != partition.date}
    for key in strays:
        ledger.move(key, partition.date)
    at_home = [copy for copy in copies if copy.key not in strays]
    return strays | {copy.key for copy in at_home if merge(contents, [], [copy], 0)}

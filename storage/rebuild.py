"""A ledger made anew from the partitions, when it was lost. Where an article belongs stands in its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from articles.decide import CopyKey, Place
from storage.ledger import Ledger
from storage.merge import COPY_TREES
from storage.partitions import Partition, partition_path, partitions, read_partition
from storage.schema import Row, Tree, article_of

REBUILT = "rebuilt"


def rebuild(ledger: Ledger, lake: Path) -> None:
    """Fill an empty ledger. A copy that a cut-short commit left in two trees is put down as a batch to be finished."""
    firsts = set(_ids(lake))
    everywhere = {partition for tree in COPY_TREES for partition, _ in partitions(lake, tree)}
    doubled: list[CopyKey] = []
    last_seq = 0
    with ledger.transaction():
        for partition in sorted(everywhere):
            for article_id, rows in _rows(lake, partition).items():
                articles = [article_of(row, source=partition.owner, day=partition.date) for _, row in rows]
                ledger.restore(_place(article_id, rows, firsts), articles)
                last_seq = max(last_seq, *(row["ingest_seq"] for _, row in rows))
                if {"articles", "duplicates"} <= {tree for tree, _ in rows}:
                    doubled.append(CopyKey(article_id, partition.owner))
        ledger.raise_seq(last_seq)
        if doubled:
            ledger.touch(ledger.begin_batch(REBUILT, REBUILT, 0), doubled)


def _ids(lake: Path) -> Iterable[str]:
    for path in (path for _, path in partitions(lake, "articles")):
        table = read_partition(path, ["article_id"])
        yield from table["article_id"].to_pylist() if table else ()


def _rows(lake: Path, partition: Partition) -> dict[str, list[tuple[Tree, Row]]]:
    rows: dict[str, list[tuple[Tree, Row]]] = defaultdict(list)
    for tree in COPY_TREES:
        table = read_partition(partition_path(lake, tree, partition))
        for row in table.to_pylist() if table else ():
            rows[row["article_id"]].append((tree, row))
    return rows


def _place(article_id: str, rows: Iterable[tuple[Tree, Row]], firsts: set[str]) -> Place:
    for tree, row in rows:
        # A commit cut short may have told a copy to step down before the new first was there.
        if tree == "duplicates" and (row["cluster_id"] in firsts - {article_id} or article_id not in firsts):
            return Place(*(row[name] for name in Place._fields))
    return Place(article_id)

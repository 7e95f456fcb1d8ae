"""Bringing files that an older finnews wrote into the columns of today: what was added since is null in their rows.

finnews reads them as they are. Other readers of many files at once are not so patient: Polars refuses a set of files of
which some lack a column, pandas and Spark take the columns of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from storage.partitions import decode, encode, files, has_all_columns, is_sealed
from storage.schema import TREES, Tree
from storage.store import Listed, Store


@dataclass(frozen=True, slots=True)
class Migrated:
    key: str
    rows: int


def migrate(store: Store, *, dry_run: bool = False, may_write: Callable[[], None] = lambda: None) -> Iterator[Migrated]:
    """Rewrite what lacks a column. A file that somebody else writes to meanwhile comes out right by that.

    `may_write` raises if we are not to. Raises LakeError for a file of a newer version, or one that cannot be read.
    """
    for tree in TREES:
        for _, file in files(store, tree):
            may_write()
            migrated = _migrate(store, tree, file, dry_run)
            if migrated:
                yield migrated
    store.sync()


def _migrate(store: Store, tree: Tree, file: Listed, dry_run: bool) -> Migrated | None:
    name = f"{store.url}/{file.key}"
    with store.open(file.key) as opened:
        if has_all_columns(opened, name, tree):
            return None
        opened.seek(0)
        sealed = is_sealed(opened, name)
    blob = store.read(file.key)
    if blob is None:
        return None
    rows = decode(blob.data, name)
    if not dry_run and store.put(file.key, encode(rows, tree, sealed=sealed), blob.version) is None:
        return None
    return Migrated(file.key, len(rows))

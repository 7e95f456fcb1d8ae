"""Sealing: days gone quiet are written once more, in canonical order and compressed for good.

The bytes of a sealed file are a function of its rows alone. It takes the place of the old file in one step, and only if
that has not changed since it was read; a reader meets the one or the other, with the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from storage.errors import LakeError
from storage.partitions import HIVE_NULL, Partition, decode, encode, files, is_sealed
from storage.schema import TREES, Tree
from storage.store import Listed, Store


@dataclass(frozen=True, slots=True)
class Sealed:
    """What became of one file; a file that could not be read has an error, and is left as it is."""

    key: str
    bytes_before: int
    bytes_after: int
    error: str = ""


def compact(
    store: Store,
    before: date,
    *,
    sources: Collection[str] = (),
    dry_run: bool = False,
    may_write: Callable[[], None] = lambda: None,
    writers: Executor | None = None,
) -> Iterator[Sealed]:
    """Seal the partitions of days before this one; those of no day, if they were last written before it.

    A file that somebody else writes to meanwhile is left for the next time. `may_write` raises if we are not to.
    """

    def seal(quiet: tuple[Tree, Listed]) -> Sealed | None:
        tree, file = quiet
        may_write()
        try:
            return _seal(store, tree, file, dry_run)
        except LakeError as error:
            return Sealed(file.key, file.size_bytes, file.size_bytes, str(error))

    every = ((tree, partition, file) for tree in TREES for partition, file in files(store, tree))
    quiet = [(tree, file) for tree, partition, file in every if _is_quiet(tree, partition, file, before, sources)]
    for sealed in (writers.map if writers else map)(seal, quiet):
        if sealed:
            yield sealed
    store.sync(writers)


def _is_quiet(tree: Tree, partition: Partition, file: Listed, before: date, sources: Collection[str]) -> bool:
    # The quarantine is by reason, not by source.
    if sources and (tree == "quarantine" or partition.owner not in sources):
        return False
    if partition.day == HIVE_NULL:
        return file.modified_at < datetime.combine(before, time(), UTC)
    return partition.day < before.isoformat()


def _seal(store: Store, tree: Tree, file: Listed, dry_run: bool) -> Sealed | None:
    name = f"{store.url}/{file.key}"
    with store.open(file.key) as opened:
        if is_sealed(opened, name):
            return None
    blob = store.read(file.key)
    if blob is None:
        return None
    data = encode(decode(blob.data, name), tree, sealed=True)
    if not dry_run and store.put(file.key, data, blob.version) is None:
        return None
    return Sealed(file.key, len(blob.data), len(data))

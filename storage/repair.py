"""What can be put right: damage is set aside with its bytes, and what it held is read again from the page archive.

    set_aside ──▶ LAKE/_state/quarantine/<number>/<where it lay>     no byte is thrown away, rows that are whole stay
    lost pages ──▶ LAKE/_state/quarantine/lost.json                  remembered until their rows are there again

Killed anywhere, it goes on where it was: what is lost is remembered before anything is moved. What the archive has lost
as well stays in that list, and is named by every check until it is back.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from storage.errors import LakeError
from storage.merge import COPY_TREES
from storage.partitions import decode, encode, files, partition_at
from storage.schema import SCHEMAS, Tree
from storage.store import Blob, Store, sync_folder
from storage.verify import Findings

FOLDER = "_state/quarantine"
LOST = f"{FOLDER}/lost.json"


@dataclass(slots=True)
class Lost:
    """What the lake has to get back."""

    raw_refs: set[str] = field(default_factory=set)
    gone: set[tuple[str, str, str]] = field(default_factory=set)
    """article_id, source, since when its page is gone: no page says so."""
    sources: set[str] = field(default_factory=set)
    """All pages of these have to be looked through: it is not known which are lost."""
    copies: dict[tuple[str, str], int] = field(default_factory=dict)
    """article_id and source of copies that lost a text → how many texts they had."""
    unreadable: set[str] = field(default_factory=set)
    """Of the raw_refs those that were asked for, and are lost or damaged as well."""
    unknown: set[str] = field(default_factory=set)
    """Files of which nothing tells what they held: the ledger was lost with them."""

    def __bool__(self) -> bool:
        return bool(self.raw_refs or self.sources)


def remember_lost(store: Store, findings: Findings) -> Lost:
    """What is lost by these findings, and what earlier ones found that is not restored yet."""
    blob, lost = store.read(LOST), still_lost(store)
    for key in findings.damaged:
        found = partition_at(key)
        if found is None:
            continue
        damaged = store.read(key)
        refs, all_of_them = _named_in(damaged.data if damaged else b"", found[0])
        lost.raw_refs |= refs
        if not all_of_them and found[0] == "quarantine":
            lost.raw_refs.update(findings.refused)
        elif not all_of_them:
            lost.sources.add(found[1].owner)
            if not findings.checks["ledger"].looked_at:
                lost.unknown.add(key)
    for article_id, source, raw_ref, gone_at, texts, of in findings.lost:
        lost.copies[article_id, source] = max(of, lost.copies.get((article_id, source), 0))
        if raw_ref:
            lost.raw_refs.add(raw_ref)
        if texts > bool(raw_ref):
            lost.sources.add(source)
        if gone_at:
            lost.gone.add((article_id, source, gone_at))
    if lost:
        _put(store, LOST, _written(lost), blob)
    return lost


def still_lost(store: Store) -> Lost:
    """What earlier repairs could not restore; nothing, if there is none."""
    blob = store.read(LOST)
    return _remembered(blob.data) if blob else Lost()


def settle_lost(store: Store, lost: Lost, unreadable: Collection[str]) -> Lost:
    """Forget what is restored; gives what is not: `unreadable` are the pages that are lost as well."""
    refs, rows = set[str](), dict.fromkeys(lost.copies, 0)
    for tree in COPY_TREES:
        for partition, file in files(store, tree):
            blob = store.read(file.key)
            held = decode(blob.data, file.key, ["article_id", "raw_ref"]).to_pylist() if blob else []
            refs.update(row["raw_ref"] for row in held)
            for row in held:
                if (row["article_id"], partition.owner) in rows:
                    rows[row["article_id"], partition.owner] += 1
    left = Lost(raw_refs={ref for ref in unreadable if ref not in refs})
    left.unreadable = set(left.raw_refs)
    left.copies = {copy: texts for copy, texts in lost.copies.items() if rows[copy] < texts}
    left.gone = {gone for gone in lost.gone if gone[:2] in left.copies}
    # Its page may lie anywhere: a file of the archive that is put back has to be looked through.
    left.sources = {source for _, source in left.copies}
    blob = store.read(LOST)
    if left:
        _put(store, LOST, _written(left), blob)
    else:
        store.delete(LOST)
    return left


def set_aside(store: Store, findings: Findings) -> int:
    """Move what cannot be used out of the way; gives how many files. Only for who has the lake for himself."""
    for key in (*findings.damaged, *findings.foreign):
        if blob := store.read(key):
            _put(store, f"{FOLDER}/{uuid.uuid4().hex[:12]}/{key}", blob.data, None)
            if whole := _whole_rows(blob.data, key):
                _put(store, key, whole, blob)
            else:
                store.delete(key)
    count = len(findings.damaged) + len(findings.foreign)
    return count + (_set_aside_ledger(findings.unreadable_ledger) if findings.unreadable_ledger else 0)


def _whole_rows(data: bytes, key: str) -> bytes | None:
    """A file of those of its row groups that can be read: their pages may be lost as well, or rules have changed since.

    None if it has none.
    """
    found, file = partition_at(key), _opened(data)
    whole = [rows for _, rows in _groups(file, found[0]) if rows] if found and file else []
    return encode(pa.concat_tables(whole), found[0]) if found and whole else None


def _opened(data: bytes) -> pq.ParquetFile | None:
    try:
        return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        return None


def _groups(file: pq.ParquetFile, tree: Tree) -> Iterator[tuple[int, pa.Table | None]]:
    """Each row group with its rows; None if they cannot be read, or are not in our columns."""
    ours = file.schema_arrow.equals(SCHEMAS[tree])
    for group in range(file.num_row_groups):
        try:
            yield group, file.read_row_group(group, use_threads=False) if ours else None
        except (OSError, pa.ArrowException):
            yield group, None


def _set_aside_ledger(path: Path) -> int:
    """A database goes with its log, or the log would be played into the next one."""
    files = [file for ending in ("", "-wal", "-shm") if (file := Path(f"{path}{ending}")).exists()]
    folder = path.parent / "quarantine" / uuid.uuid4().hex[:12]
    folder.mkdir(parents=True)
    for file in files:
        file.rename(folder / file.name)
    sync_folder(folder)
    sync_folder(path.parent)
    return len(files)


def _put(store: Store, key: str, data: bytes, before: Blob | None) -> None:
    if store.put(key, data, before.version if before else None) is None:
        raise LakeError(f"{store.url}/{key}: somebody else writes to it; try again")
    store.sync()


def _named_in(data: bytes, tree: Tree) -> tuple[set[str], bool]:
    """The raw_refs that can still be read of the damaged parts of a file, and whether these are all."""
    refs: set[str] = set()
    file = _opened(data)
    if file is None:
        return refs, False
    all_of_them = True
    for group in [group for group, rows in _groups(file, tree) if rows is None]:
        try:
            refs.update(filter(None, file.read_row_group(group, columns=["raw_ref"])["raw_ref"].to_pylist()))
        except (OSError, pa.ArrowException, KeyError):
            all_of_them = False
    return refs, all_of_them


def _remembered(data: bytes) -> Lost:
    found: dict[str, list[Any]] = json.loads(data)
    return Lost(
        raw_refs=set(found["raw_refs"]),
        gone={(a, b, c) for a, b, c in found["gone"]},
        sources=set(found["sources"]),
        copies={(article_id, source): texts for article_id, source, texts in found.get("copies", ())},
        unreadable=set(found.get("unreadable", ())),
        unknown=set(found.get("unknown", ())),
    )


def _written(lost: Lost) -> bytes:
    copies = sorted([article_id, source, texts] for (article_id, source), texts in lost.copies.items())
    return json.dumps(
        {name: sorted(getattr(lost, name)) for name in ("raw_refs", "gone", "sources", "unreadable", "unknown")}
        | {"copies": copies}
    ).encode()

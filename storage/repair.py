"""What can be put right: damage is set aside with its bytes, and what it held is read again from the page archive.

    set_aside ──▶ LAKE/_state/quarantine/<number>/<where it lay>     no byte is thrown away
    lost pages ──▶ LAKE/_state/quarantine/lost.json                  remembered until their rows are there again

Killed anywhere, it goes on where it was: what is lost is remembered before anything is moved.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from storage.errors import LakeError
from storage.partitions import partition_at
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

    def __bool__(self) -> bool:
        return bool(self.raw_refs or self.sources)


def remember_lost(store: Store, findings: Findings) -> Lost:
    """What is lost by these findings, and what earlier ones found that is not restored yet."""
    blob = store.read(LOST)
    lost = _remembered(blob.data) if blob else Lost()
    for key in findings.damaged:
        found = partition_at(key)
        if found is None:
            continue
        refs, all_of_them = _salvaged(store, key)
        lost.raw_refs |= refs
        if not all_of_them and found[0] == "quarantine":
            lost.raw_refs.update(findings.refused)
        elif not all_of_them:
            lost.sources.add(found[1].owner)
    for article_id, source, raw_ref, gone_at, texts in findings.lost:
        if raw_ref:
            lost.raw_refs.add(raw_ref)
        if texts > bool(raw_ref):
            lost.sources.add(source)
        if gone_at:
            lost.gone.add((article_id, source, gone_at))
    if lost:
        _put(store, LOST, _written(lost), blob)
    return lost


def forget_lost(store: Store) -> None:
    """All of it is restored."""
    store.delete(LOST)


def set_aside(store: Store, findings: Findings) -> int:
    """Move what cannot be used out of the way; gives how many files. Only for who has the lake for himself."""
    keys = (*findings.damaged, *findings.foreign)
    for key in keys:
        if blob := store.read(key):
            _put(store, f"{FOLDER}/{uuid.uuid4().hex[:12]}/{key}", blob.data, None)
            store.delete(key)
    return len(keys) + (_set_aside_ledger(findings.unreadable_ledger) if findings.unreadable_ledger else 0)


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


def _salvaged(store: Store, key: str) -> tuple[set[str], bool]:
    """The raw_refs that can still be read of a damaged file, and whether these are all."""
    refs: set[str] = set()
    blob = store.read(key)
    try:
        file = pq.ParquetFile(pa.BufferReader(blob.data if blob else b""), page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        return refs, False
    whole = True
    for group in range(file.num_row_groups):
        try:
            refs.update(filter(None, file.read_row_group(group, columns=["raw_ref"])["raw_ref"].to_pylist()))
        except (OSError, pa.ArrowException, KeyError):
            whole = False
    return refs, whole


def _remembered(data: bytes) -> Lost:
    found: dict[str, list[Any]] = json.loads(data)
    return Lost(set(found["raw_refs"]), {(a, b, c) for a, b, c in found["gone"]}, set(found["sources"]))


def _written(lost: Lost) -> bytes:
    return json.dumps(
        {"raw_refs": sorted(lost.raw_refs), "gone": sorted(lost.gone), "sources": sorted(lost.sources)}
    ).encode()

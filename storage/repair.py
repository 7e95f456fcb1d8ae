"""What can be put right: damage is set aside with its bytes, and what it held is read again from the page archive.

    set_aside ──▶ LAKE/_state/quarantine/<number>/<where it lay>     nothing is deleted
    lost pages ──▶ LAKE/_state/quarantine/lost.json                  remembered until their rows are there again

Killed anywhere, it goes on where it was: what is lost is remembered before anything is moved.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from storage.ledger import ledger_path
from storage.store import sync_folder, write_synced
from storage.verify import Findings

FOLDER = Path("_state/quarantine")
LOST = FOLDER / "lost.json"


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


def remember_lost(lake: Path, findings: Findings) -> Lost:
    """What is lost by these findings, and what earlier ones found that is not restored yet."""
    lost = _remembered(lake)
    for path in findings.damaged:
        refs, all_of_them = _salvaged(path)
        lost.raw_refs |= refs
        if all_of_them:
            continue
        if source := _source_of(path):
            lost.sources.add(source)
        else:
            lost.raw_refs.update(findings.refused)
    for article_id, source, raw_ref, gone_at, texts in findings.lost:
        if raw_ref:
            lost.raw_refs.add(raw_ref)
        if texts > bool(raw_ref):
            lost.sources.add(source)
        if gone_at:
            lost.gone.add((article_id, source, gone_at))
    if lost:
        _remember(lake, lost)
    return lost


def forget_lost(lake: Path) -> None:
    """All of it is restored."""
    (lake / LOST).unlink(missing_ok=True)


def set_aside(lake: Path, findings: Findings) -> list[Path]:
    """Move what cannot be used out of the way; gives where it lies now. Only for the holder of the lake's lock."""
    moved = []
    for path in (*findings.damaged, *findings.foreign, *_with_companions(lake, findings.unreadable_state)):
        target = lake / FOLDER / uuid.uuid4().hex[:12] / path.relative_to(lake)
        target.parent.mkdir(parents=True)
        path.rename(target)
        sync_folder(target.parent)
        sync_folder(path.parent)
        moved.append(target)
    return moved


def _with_companions(lake: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """A database goes with its log, or the log would be played into the next one."""
    for path in paths:
        yield path
        if path == ledger_path(lake):
            yield from (log for ending in ("-wal", "-shm") if (log := Path(f"{path}{ending}")).exists())


def _salvaged(path: Path) -> tuple[set[str], bool]:
    """The raw_refs that can still be read of a damaged file, and whether these are all."""
    refs: set[str] = set()
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            groups, whole = file.num_row_groups, True
            for group in range(groups):
                try:
                    refs.update(filter(None, file.read_row_group(group, columns=["raw_ref"])["raw_ref"].to_pylist()))
                except (OSError, pa.ArrowException, KeyError):
                    whole = False
    except (OSError, pa.ArrowException):
        return refs, False
    return refs, whole


def _source_of(path: Path) -> str | None:
    return next((name.removeprefix("source=") for name in path.parts if name.startswith("source=")), None)


def _remembered(lake: Path) -> Lost:
    try:
        found: dict[str, list[Any]] = json.loads((lake / LOST).read_bytes())
    except FileNotFoundError:
        return Lost()
    return Lost(set(found["raw_refs"]), {(a, b, c) for a, b, c in found["gone"]}, set(found["sources"]))


def _remember(lake: Path, lost: Lost) -> None:
    found = {"raw_refs": sorted(lost.raw_refs), "gone": sorted(lost.gone), "sources": sorted(lost.sources)}
    fresh = lake / FOLDER / f"lost-{uuid.uuid4().hex}.json"
    fresh.parent.mkdir(parents=True, exist_ok=True)
    write_synced(fresh, json.dumps(found).encode())
    fresh.replace(lake / LOST)
    sync_folder(fresh.parent)

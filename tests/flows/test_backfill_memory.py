"""A backfill keeps no more in memory the longer it goes on (`benchmarks.backfill_memory` for a hundred thousand)."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from benchmarks.backfill_archive import write_documents
from flows.core.runs import BATCH, backfill_archives
from flows.settings import Settings

BATCHES = 5
# 2,000 characters each: kept by mistake, those between the two looks would be 12 MB and more.
SENTENCES = 44
MAY_GROW_BYTES = 6 << 20


class Looks:
    """Bytes of Python's objects after each batch; not the caches of SQLite, which have bounds of their own."""

    def __init__(self) -> None:
        self.held: list[int] = []

    def reached(self, name: str, done: int, total: int | None) -> None:
        del total
        if name == "documents" and done // BATCH > len(self.held):
            gc.collect()
            self.held.append(tracemalloc.get_traced_memory()[0])


@pytest.mark.slow
def test_what_is_committed_is_let_go(tmp_path: Path) -> None:
    archive = write_documents(tmp_path / "documents.jsonl", BATCHES * BATCH, sentences=SENTENCES)
    looks = Looks()
    tracemalloc.start()
    try:
        backfill_archives(Settings(lake=str(tmp_path / "lake"), workers=1), [archive], watch=looks)
    finally:
        tracemalloc.stop()
    assert len(looks.held) == BATCHES
    assert looks.held[-1] - looks.held[1] < MAY_GROW_BYTES, [held >> 20 for held in looks.held]

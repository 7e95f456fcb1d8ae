"""Memory of the process that commits, while many small documents go through a backfill: only caches with bounds grow.

    python -m benchmarks.backfill_memory --pages 100000

Documents are lines of JSON with a few invented sentences, so that most of the time is the lake's and not extraction's.
SQLite keeps up to 64 MiB of pages for each database, the index of near duplicates up to 256 MiB of segments.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.backfill_archive import write_documents
from benchmarks.tables import say
from flows.core.runs import BATCH

ROOT = Path(__file__).parents[1]
LOOK_SECONDS = 0.2
STEPS = 10


class Memory(NamedTuple):
    """MiB of a process; compared by the whole."""

    whole: int
    own: int
    mapped: int
    """Of files, libraries among them: the system may take it back."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archive = write_documents(Path(scratch) / "documents.jsonl", asked.pages)
        began = time.monotonic()
        peaks = peaks_of(archive, Path(scratch) / "lake", asked.pages)
        for step, peak in sorted(peaks.items()):
            say(
                f"to page {(step + 1) * asked.pages // STEPS:>9,}: {peak.whole} MiB,"
                f" {peak.own} of its own and {peak.mapped} of files"
            )
        say(f"{asked.pages / (time.monotonic() - began):.0f} documents a second, load {os.getloadavg()[0]:.1f}")


def peaks_of(archive: Path, lake: Path, documents: int) -> dict[int, Memory]:
    """Tenth of the documents → the most that the committing process had while that tenth was committed."""
    command = [sys.executable, "-m", "flows.cli", "backfill", "--from", str(archive), "--lake", str(lake), "--quiet"]
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    run = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    peaks: dict[int, Memory] = {}
    while run.poll() is None:
        step = min(STEPS - 1, committed(lake) * STEPS // documents)
        try:
            now = memory(run.pid)
        except FileNotFoundError:
            break
        peaks[step] = max(peaks.get(step, now), now)
        time.sleep(LOOK_SECONDS)
    if run.wait():
        raise RuntimeError(f"the backfill ended with {run.returncode}")
    return peaks


def memory(pid: int) -> Memory:
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Memory(*(int(told.get(name, "0 kB").split()[0]) >> 10 for name in ("VmRSS", "RssAnon", "RssFile")))


def committed(lake: Path) -> int:
    """Documents of the batches that the lake has decided."""
    ledger = lake / "_state" / "ledger.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=0.05)) as connection:
            return int(connection.execute("select count(*) from batches").fetchone()[0]) * BATCH
    except sqlite3.Error:
        return 0


if __name__ == "__main__":
    main()

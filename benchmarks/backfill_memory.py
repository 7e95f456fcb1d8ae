"""Memory of the process that commits, while many small documents go through a backfill: only caches with bounds grow.

    python -m benchmarks.backfill_memory --pages 100000

Documents are lines of JSON with a few invented sentences, so that most of the time is the lake's and not extraction's.
SQLite keeps up to 64 MiB of pages for each database, the index of near duplicates up to 256 MiB of segments.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil

from benchmarks.tables import say
from flows.core.runs import BATCH

ROOT = Path(__file__).parents[1]
LOOK_SECONDS = 0.2
STEPS = 10
WORDS = "股债汇市券商基金银行公告季度增长收益成交指数虚构样本港口钢厂电缆运价"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archive = write_documents(Path(scratch) / "documents.jsonl", asked.pages)
        began = time.monotonic()
        peaks = peak_bytes(archive, Path(scratch) / "lake", asked.pages)
        for step, peak in sorted(peaks.items()):
            say(f"to page {(step + 1) * asked.pages // STEPS:>9,}: {peak >> 20} MiB")
        say(f"{asked.pages / (time.monotonic() - began):.0f} documents a second, load {os.getloadavg()[0]:.1f}")


def write_documents(path: Path, count: int, *, sentences: int = 4) -> Path:
    chance = random.Random(11)
    with path.open("w", encoding="utf-8") as lines:
        for number in range(count):
            text = [f"{''.join(chance.choices(WORDS, k=40))}，第{number}号。" for _ in range(sentences)]
            document = {
                "url": f"https://archive.example/a/{number}.html",
                "title": f"题目{number}号",
                "text": "\n".join(text),
                "published_at": f"2026-{1 + number * 9 // count:02}-{1 + number % 28:02} 09:30:00",
            }
            lines.write(json.dumps(document, ensure_ascii=False) + "\n")
    return path


def peak_bytes(archive: Path, lake: Path, documents: int) -> dict[int, int]:
    """Tenth of the documents → the most that the committing process had while that tenth was committed."""
    command = [sys.executable, "-m", "flows.cli", "backfill", "--from", str(archive), "--lake", str(lake), "--quiet"]
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    run = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    peaks: dict[int, int] = {}
    while run.poll() is None:
        step = min(STEPS - 1, committed(lake) * STEPS // documents)
        try:
            peaks[step] = max(peaks.get(step, 0), psutil.Process(run.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(LOOK_SECONDS)
    if run.wait():
        raise RuntimeError(f"the backfill ended with {run.returncode}")
    return peaks


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

"""Row W01 for archives: `backfill --from` killed at seeded moments and run again makes the lake of an undisturbed run.

By the processes of this machine and by a Dask cluster. `FINNEWS_KILLS=20` for as many moments of each.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from benchmarks.backfill_archive import write_archive
from storage.lake import Lake

ROOT = Path(__file__).parents[2]
LOAD_SECONDS = 300
PAGES = 240
BATCH = 30
PART_BYTES = 200_000
KILLS = int(os.environ.get("FINNEWS_KILLS", "1"))
RUNNERS = ("", "dask")
# Times of a run, its numbers, and where it put the page.
OWN = "ingest_seq, first_seen_at, fetched_at, raw_ref"
# Smaller batches and parts, or the first commit would be the last.
LOAD = f"""
import sys
from pathlib import Path
from flows.core import runs, spread
from flows.settings import Settings
archive, lake, runner = sys.argv[1:]
runs.BATCH, spread.SMALLEST_PART_BYTES = {BATCH}, {PART_BYTES}
runs.backfill_archives(Settings(lake=lake, workers=2), [Path(archive)], runner=runner)
"""

pytestmark = pytest.mark.slow


def start(archive: Path, lake: Path, runner: str) -> subprocess.Popen[bytes]:
    """In a session of its own, with all processes that it starts."""
    command = [sys.executable, "-c", LOAD, str(archive), str(lake), runner]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)


def rows(lake: Path) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for tree in ("articles", "duplicates", "revisions"):
        files = sorted(str(path) for path in lake.glob(f"{tree}/*/*/*.parquet"))
        table = f"read_parquet({files}, hive_partitioning = true)"
        sql = f"select * exclude ({OWN}) from {table} order by article_id, source"
        found[tree] = duckdb.sql(sql).fetchall() if files else []
    return found


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "pages.warc.gz"
    write_archive(path, PAGES)
    return path


@pytest.fixture(scope="module")
def undisturbed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    lake = tmp_path_factory.mktemp("undisturbed") / "lake"
    assert start(archive, lake, "").wait(LOAD_SECONDS) == 0
    return rows(lake)


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("seed", range(KILLS))
def test_w01_an_archive_load_killed_anywhere_leads_to_the_same_lake(
    seed: int, runner: str, archive: Path, undisturbed: dict[str, list[tuple[object, ...]]], tmp_path: Path
) -> None:
    moments, lake = random.Random(f"{seed} {runner}"), tmp_path / "lake"
    run = start(archive, lake, runner)
    wait_for(lake, moments.randint(0, PAGES // BATCH - 1), run)
    time.sleep(moments.uniform(0, 0.5))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert start(archive, lake, runner).wait(LOAD_SECONDS) == 0
    assert rows(lake) == undisturbed
    with Lake.open(lake) as opened:
        assert not opened.ledger.pending()


def wait_for(lake: Path, commits: int, run: subprocess.Popen[bytes]) -> None:
    """Until so many commits are decided; the lake tells by its ledger."""
    ledger, deadline = lake / "_state" / "ledger.sqlite", time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline:
        if ledger.exists() and decided(ledger) >= commits:
            return
        time.sleep(0.01)


def decided(ledger: Path) -> int:
    try:
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
            return int(connection.execute("select count(*) from batches").fetchone()[0])
    except sqlite3.Error:
        return 0

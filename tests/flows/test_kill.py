"""SIGKILL at random moments of the demo, then the same command again: nothing lost, nothing doubled, all readable."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from flows.core.runs import ingest_sources
from flows.sample.content import SOURCES
from flows.sample.site import SampleSite
from flows.settings import load_settings

ROOT = Path(__file__).parents[2]
KILLS_PER_LAKE = 5
LAKES = 4
# What a row says, whichever run wrote it; times of fetching and run numbers differ.
CONTENT = "article_id, revision, title, text, published_at, publisher, editor, source, date"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[dict[str, list[tuple]], float]:
    """The rows of a demo that nobody disturbed, and its length in seconds."""
    lake = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    assert start_demo(lake).wait(120) == 0
    return rows(lake), time.monotonic() - started


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(LAKES))
def test_killed_demos_lose_and_double_nothing(seed: int, tmp_path: Path, undisturbed) -> None:
    wanted, seconds = undisturbed
    moments = random.Random(seed)
    with Reader(tmp_path) as reader:
        for _ in range(KILLS_PER_LAKE):
            demo = start_demo(tmp_path)
            try:
                demo.wait(moments.uniform(0.2, 0.9) * seconds)
            except subprocess.TimeoutExpired:
                os.killpg(demo.pid, signal.SIGKILL)
                demo.wait()
        assert start_demo(tmp_path).wait(120) == 0
    assert rows(tmp_path) == wanted
    assert reader.errors == []
    assert reader.reads > 20


@pytest.mark.slow
def test_what_the_lists_of_the_second_edition_named_is_stored_by_a_run_that_begins_with_the_first(
    tmp_path: Path, undisturbed
) -> None:
    for edition, limit in ((1, None), (2, 0)):
        with SampleSite(edition=edition) as site:
            there = {"connect_to": {"*": site.address}, "delay_seconds": 0.0}
            ingest_sources(load_settings(lake=str(tmp_path)).model_copy(update=there), sorted(SOURCES), limit=limit)
    assert start_demo(tmp_path).wait(120) == 0
    assert rows(tmp_path) == undisturbed[0]


class Reader:
    """Globs the lake like any consumer, over and over, while it is written and its writers are killed."""

    def __init__(self, lake: Path) -> None:
        self.lake, self.reads = lake, 0
        self.errors: list[str] = []
        self._seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read_on)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read_on(self) -> None:
        while not self._stop.wait(0.1):
            try:
                self._read()
            except (duckdb.Error, AssertionError) as error:
                self.errors.append(str(error))

    def _read(self) -> None:
        ids = [row[0] for row in select(self.lake, "articles", "article_id")]
        assert len(ids) == len(set(ids)), "an article twice"
        everywhere = set(ids) | {row[0] for row in select(self.lake, "duplicates", "article_id")}
        assert self._seen <= everywhere, "an article that was there is gone"
        self._seen = everywhere
        self.reads += 1


def start_demo(lake: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "demo", "--lake", str(lake), "--json"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def rows(lake: Path) -> dict[str, list[tuple]]:
    return {tree: sorted(select(lake, tree, CONTENT), key=str) for tree in ("articles", "duplicates", "revisions")}


def select(lake: Path, tree: str, columns: str) -> list[tuple]:
    if not any((lake / tree).rglob("*.parquet")):
        return []
    glob = f"{lake}/{tree}/**/*.parquet"
    return (
        duckdb.connect().execute(f"select {columns} from read_parquet('{glob}', hive_partitioning = true)").fetchall()
    )

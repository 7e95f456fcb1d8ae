"""Archives read by a Dask cluster: the lake that this machine's own processes make."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import duckdb
import pytest

from benchmarks.backfill_archive import write_archive
from flows.core.accounting import Account
from flows.core.rereading import open_reader
from flows.core.runs import backfill_archives
from flows.settings import Settings
from spiders.catalogue import Catalogue

PAGES = 150
ROWS = """
SELECT article_id, source, date, title, text, published_at, publisher, text_hash, fingerprint, cluster_id, flags
FROM read_parquet('{}/{}/*/*/*.parquet', hive_partitioning = true) ORDER BY 1, 2
"""

pytestmark = pytest.mark.slow


def rows(lake: Path) -> list[tuple[object, ...]]:
    return [row for tree in ("articles", "duplicates") for row in duckdb.sql(ROWS.format(lake, tree)).fetchall()]


def settings(lake: Path) -> Settings:
    return Settings(lake=str(lake), workers=2)


def outcomes(account: Account) -> tuple[int, ...]:
    return account.discovered, account.stored, account.duplicates, account.quarantined


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "pages.warc.gz"
    write_archive(path, PAGES)
    return path


@pytest.fixture(scope="module")
def undisturbed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Account]:
    lake = tmp_path_factory.mktemp("embedded") / "lake"
    return lake, backfill_archives(settings(lake), [archive]).totals


def test_a_cluster_makes_the_lake_that_this_machine_makes(
    archive: Path, undisturbed: tuple[Path, Account], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.core.spread.SMALLEST_PART_BYTES", 100_000)
    lake, account = undisturbed
    made = backfill_archives(settings(tmp_path / "lake"), [archive], runner="dask").totals
    assert outcomes(made) == outcomes(account)
    assert rows(tmp_path / "lake") == rows(lake)
    again = backfill_archives(settings(tmp_path / "lake"), [archive], runner="dask").totals
    assert (again.discovered, again.unchanged) == (PAGES, PAGES)


def test_a_worker_that_is_killed_costs_no_row(
    archive: Path, undisturbed: tuple[Path, Account], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr("flows.core.spread.SMALLEST_PART_BYTES", 100_000)
    lake, account = undisturbed
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        over = threading.Event()

        def kill_now_and_then() -> None:
            # The first kill soon, for a quick machine; the others far enough apart for a new worker to do something.
            pause_seconds = 0.7
            while not over.wait(pause_seconds):
                pause_seconds = 3.0
                pids = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
                if pids:
                    os.kill(pids[0], signal.SIGKILL)
                    killed.append(pids[0])

        killed: list[int] = []
        killer = threading.Thread(target=kill_now_and_then)
        killer.start()
        try:
            address = cluster.scheduler_address
            made = backfill_archives(settings(tmp_path / "lake"), [archive], runner=f"dask={address}").totals
        finally:
            over.set()
            killer.join()
    assert outcomes(made) == outcomes(account)
    assert rows(tmp_path / "lake") == rows(lake)
    assert killed


def test_stored_pages_are_read_again_by_a_cluster(undisturbed: tuple[Path, Account]) -> None:
    from flows.core.spread import open_reader_of

    lake, _ = undisturbed
    catalogue = Catalogue.load()
    refs = [ref for (ref,) in duckdb.sql(f"select raw_ref from '{lake}/articles/*/*/*.parquet' limit 30").fetchall()]
    with open_reader(settings(lake), catalogue) as read:
        here = list(read(refs))
    with open_reader_of("dask", settings(lake), catalogue) as read:
        assert list(read(refs)) == here

"""A little of `make torture`, and what else of group W needs two processes or a broken disk."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import store as store_module
from storage.errors import LakeError
from storage.failpoint import VARIABLE
from storage.lake import Lake
from storage.partitions import Partition, changed, partition_key
from storage.schema import observed_row
from storage.store import LocalStore
from tests.storage.builders import MORNING, make_article
from tests.storage.test_compact import seal
from tests.storage.test_lake import commit, everything, glob_ids, ids
from tests.storage.torture import FORK, SOURCES, filled_up, killed_at_points, killed_at_random

POINTS = [("kill", "added"), ("fail", "write"), ("fail", "rename"), ("fail", "fsync")]


@pytest.mark.slow
def test_w02_w03_w10_w17_w18_kills_at_random_moments_beside_a_reader(tmp_path):
    result = killed_at_random(tmp_path, kills=20, seed=5)
    assert result.kills >= 20
    assert result.sound, result


@pytest.mark.parametrize("point", [POINTS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in POINTS[1:])])
def test_w03_every_operation_of_a_commit_can_fail(tmp_path, point):
    result = killed_at_points(tmp_path, [point])
    assert result.kills + result.failures >= (1 if point[0] == "kill" else 8)
    assert result.sound, result


@pytest.mark.slow
def test_w04_a_disk_that_is_full_for_a_while(tmp_path):
    result = filled_up(tmp_path, limits=(8_000, 60_000))
    assert result.sound, result


def test_w18_a_reader_beside_compaction_misses_nothing(tmp_path):
    commit(tmp_path, [make_article(n, source=SOURCES[n % 3]) for n in range(9)])
    whole, stop, problems = ids(tmp_path), threading.Event(), list[object]()

    def read() -> None:
        while not stop.is_set():
            found = sorted(glob_ids(tmp_path, "articles"))
            if found != whole:
                problems.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    sealed = [len(seal(tmp_path))]
    for n in range(3):
        # Written anew, the file is sealed no more.
        commit(tmp_path, [make_article(0, source=SOURCES[0], title=f"又一个标题{n}", minutes=n + 1)])
        sealed.append(len(seal(tmp_path)))
    stop.set()
    reader.join()
    assert problems == []
    assert all(sealed)


def test_w20_files_staged_in_the_same_moment_do_not_collide(tmp_path):
    stores = [LocalStore(tmp_path) for _ in range(2)]
    stores[0].prepare()

    def put(at: int) -> list[str | None]:
        return [stores[at % 2].put(f"a/{at}-{n}.parquet", b"x", None) for n in range(25)]

    with ThreadPoolExecutor(8) as writers:
        assert all(version for versions in writers.map(put, range(8)) for version in versions)
    assert len(list(stores[0].entries("a"))) == 200
    assert list(stores[0].entries("_state/staging")) == []


def test_two_writers_at_once_on_one_file_give_the_union(tmp_path):
    """Each with a store of its own, and no lock: what is left of the protocol when all else has failed."""
    LocalStore(tmp_path).prepare()
    key = partition_key("articles", Partition("acme", "2024-03-05"))

    def write(mine: int) -> int:
        store, lost = LocalStore(tmp_path), 0
        for n in range(mine, 60, 2):
            row = {**observed_row(make_article(n)), "revision": 1, "first_seen_at": MORNING, "ingest_seq": n}
            while True:
                before = store.read(key)
                data = changed(before and before.data, key, "articles", (), [row | {"cluster_id": f"acme:{n}"}])
                if store.put(key, data, before and before.version):
                    break
                lost += 1
        return lost

    with ThreadPoolExecutor(2) as writers:
        assert sum(writers.map(write, range(2))) > 0, "they never met"
    assert sorted(ids(tmp_path)) == sorted(f"acme:{n}" for n in range(60))


# W16: asleep for ten minutes, and taken for dead


def asleep(root: Path, point: str, said: Path):
    """A writer that goes to sleep in the middle of a commit; what becomes of it is said when it wakes."""

    def work() -> None:
        os.environ[VARIABLE] = f"stop:{point}"
        try:
            commit(root, [make_article(1, title="新标题", minutes=9), make_article(2)])
            said.write_text("committed")
        except LakeError as error:
            said.write_text(str(error))

    child = FORK.Process(target=work)
    child.start()
    while not os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1]):
        pass
    return child


@pytest.mark.parametrize("point", ["journaled", "decided", "write:2", "staged:2", "published:2", "added"])
def test_w16_a_writer_that_slept_wakes_to_a_refusal(tmp_path, point):
    root, said = tmp_path / "lake", tmp_path / "said"
    commit(root, [make_article(1)])
    child = asleep(root, point, said)
    # Somebody takes its lock for stale.
    (root / "_state" / "lock").unlink()
    commit(root, [make_article(3)], [make_article(1, title="又一个标题", minutes=20)])
    taken_over = everything(root)
    os.kill(child.pid, signal.SIGCONT)
    deadline = time.monotonic() + 30
    while not said.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    child.join(1)
    assert "taken the lake over" in said.read_text()
    assert everything(root) == taken_over
    commit(root)
    # Its batch was finished by who came after it.
    assert everything(root) == taken_over
    assert ids(root) == ["acme:1", "acme:2", "acme:3"]


def test_w16_asleep_right_before_a_rename_it_is_named(tmp_path, monkeypatch):
    root, said = tmp_path / "lake", tmp_path / "said"
    commit(root, [make_article(1)])
    child = asleep(root, "rename:2", said)
    (root / "_state" / "lock").unlink()
    monkeypatch.setattr(store_module, "STRIPE_SECONDS", 0.2)
    with pytest.raises(LakeError, match="stands still right before it"):
        Lake.open(root)
    os.kill(child.pid, signal.SIGCONT)
    child.join(30)
    commit(root)
    assert ids(root) == ["acme:1", "acme:2"]

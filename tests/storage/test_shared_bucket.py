"""A lake in a bucket with several writers: each with a folder of its own, one ledger in PostgreSQL for all, or none."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from articles.records import Article
from storage import lake as lake_module
from storage.archive import PageArchive
from storage.errors import LakeError
from storage.failpoint import VARIABLE
from storage.lake import Lake
from storage.partitions import Partition, decode, encode, files, partition_key
from storage.retention import EXPIRED, expire
from storage.store import home_of, open_store
from tests.storage.builders import MORNING, make_article, plan
from tests.storage.objects import Bucket, serving
from tests.storage.test_kill_bulk import news
from tests.storage.test_lake import commit, everything
from tests.storage.test_objects import ids, page, stored
from tests.storage.test_shared_lake import batches

# Forked from a server that has never spoken to a bucket: the threads of a client do not survive a fork.
SERVER = multiprocessing.get_context("forkserver")
SECONDS = 240
REOPENED = 200
LONGEST_WAIT_SECONDS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with serving() as bucket:
        yield bucket


@pytest.fixture
def bucket(server: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return server


@pytest.fixture
def url(bucket: Bucket, request: pytest.FixtureRequest) -> str:
    return bucket.url(f"lakes/{random.Random(request.node.nodeid).randrange(10**9)}")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    """The lake of one writer in a folder."""
    root = tmp_path_factory.mktemp("alone")
    commit(root, *batches(news()))
    return everything(root)


def write(home: Path, ledger: str, mine: Sequence[Sequence[Article]], environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    with Lake.open(home, ledger) as lake:
        for batch in mine:
            lake.commit(batch, run_id=home.name)


def insist(home: Path, mine: Sequence[Sequence[Article]], environment: Mapping[str, str]) -> None:
    """A writer with a ledger of its own, who takes the lake over as often as it is taken from him."""
    os.environ.update(environment)
    dice, done, losses = random.Random(home.name), 0, 0
    for _ in range(REOPENED):
        try:
            with Lake.open(home) as lake:
                while done < len(mine):
                    lake.commit(mine[done], run_id=home.name)
                    done, losses = done + 1, 0
                return
        except LakeError:
            # Longer each time: two that come back at once take the lake from each other for ever.
            losses += 1
            time.sleep(dice.uniform(0, min(0.5 * 2**losses, LONGEST_WAIT_SECONDS)))
    raise AssertionError("it never had its turn")


def started(bucket: Bucket, work: object, *arguments: object, failpoint: str = "") -> BaseProcess:
    environment = {**bucket.environment(), VARIABLE: failpoint, "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
    process = SERVER.Process(target=work, args=(*arguments, environment))
    process.start()
    return process


def homes(url: str, folder: Path, count: int = 2) -> list[Path]:
    """Of workers on as many machines."""
    return [home_of(url, str(folder / f"worker{n}")) for n in range(count)]


def shuffled(seed: int) -> list[Sequence[Article]]:
    return batches(random.Random(seed).sample(news(), len(news())), 14 + seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_two_workers_on_one_bucket_make_the_lake_of_one(url, bucket, tmp_path, postgres, alone, seed):
    every = shuffled(seed)
    workers = [started(bucket, write, home, postgres, every[n::2]) for n, home in enumerate(homes(url, tmp_path))]
    for worker in workers:
        worker.join(SECONDS)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert stored(url) == alone


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_w01_a_worker_killed_in_the_middle_leaves_nothing_half_done(url, bucket, tmp_path, postgres, alone, seed):
    every, dice = shuffled(seed), random.Random(seed)
    one, other = homes(url, tmp_path)
    points = [f"kill:{point}:{dice.randint(1, 4)}" for point in ("put", "published", "added", "decided")]
    living = started(bucket, write, one, postgres, every[::2])
    for point in dice.sample(points, 3):
        dying = started(bucket, write, other, postgres, every[1::2], failpoint=point)
        dying.join(SECONDS)
        assert dying.exitcode in (-signal.SIGKILL, 0)
    living.join(SECONDS)
    assert living.exitcode == 0
    last = started(bucket, write, other, postgres, every[1::2])
    last.join(SECONDS)
    assert last.exitcode == 0
    assert stored(url) == alone


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_two_workers_with_a_ledger_each_take_turns_and_lose_nothing(url, bucket, tmp_path, alone, seed):
    """Refused in the middle of a commit, each begins anew with what the rows say; in the end all is there, once."""
    every = batches(random.Random(seed).sample(news(), len(news())), 40)
    workers = [started(bucket, insist, home, every[n::2]) for n, home in enumerate(homes(url, tmp_path))]
    for worker in workers:
        worker.join(SECONDS)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with Lake.open(homes(url, tmp_path)[0]) as lake:
        assert lake.ledger.count() == len(alone["articles"]) + len(alone["duplicates"])
    assert stored(url) == alone


# A write that is refused: 412


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody writes to a partition's file right before each of the first writes to it; gives the files."""
    seen: list[str] = []
    put = lake_module.Lake._put

    def late(lake: Lake, partition: Partition, found, tree, out, rows) -> bool:
        key = partition_key(tree, partition)
        if seen.count(key) < 3:
            seen.append(key)
            there = lake.store.read(key)
            # Other bytes with the same rows.
            again = encode(decode(there.data, key), tree, sealed=len(seen) % 2 == 1) if there else b""
            if there:
                assert lake.store.put(key, again, there.version)
        return put(lake, partition, found, tree, out, rows)

    monkeypatch.setattr(lake_module.Lake, "_put", late)
    return seen


def test_a_refused_write_is_read_and_merged_again(url, tmp_path, overtaken):
    commit(url, plan()[:20], plan()[20:])
    assert len(overtaken) > 6, "nobody got in before"
    commit(tmp_path / "folder", plan()[:20], plan()[20:])
    assert stored(url) == everything(tmp_path / "folder")


def test_a_file_that_is_written_to_without_pause_is_one_line(url, monkeypatch):
    commit(url, [make_article(1)])
    monkeypatch.setattr(lake_module, "ATTEMPTS", 3)
    with Lake.open(url) as lake:
        monkeypatch.setattr(lake_module.Lake, "_put", lambda *_: False)
        with pytest.raises(LakeError, match="written to without pause; try again"):
            lake.commit([make_article(2)], run_id="run")
        monkeypatch.undo()
    monkeypatch.setattr(lake_module, "ATTEMPTS", 60)


def test_a_write_whose_answer_is_lost_is_not_made_twice(url, bucket, tmp_path):
    """The store has it, says 503, and refuses the client's second try with 412."""
    with Lake.open(url) as lake:
        lake.commit([make_article(n) for n in range(4)], run_id="run")
        bucket.loses = 3
        lake.commit([make_article(n, minutes=5) for n in range(2, 8)], run_id="run")
    assert bucket.loses == 0
    assert ids(url) == [f"acme:{n}" for n in range(8)]
    commit(url)
    assert sorted(ids(url)) == [f"acme:{n}" for n in range(8)]


# Pages


def keep(home: Path, first: int, dying: bool, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    refs = []
    with PageArchive(home, rotate_bytes=2_000) as archive:
        for number in range(first, first + 12):
            refs.append(archive.append(page(number)).raw_ref)
            if number % 4 == 3:
                archive.sync()
        (home / "refs.json").write_text(json.dumps(refs))
        if dying:
            archive.append(page(first + 12))
            os.kill(os.getpid(), signal.SIGKILL)


def test_pages_of_several_workers_lie_side_by_side(url, bucket, tmp_path):
    one, other, third = homes(url, tmp_path, 3)
    workers = [
        started(bucket, keep, one, 0, False),
        started(bucket, keep, other, 20, True),
    ]
    for worker in workers:
        worker.join(SECONDS)
    assert [worker.exitcode for worker in workers] == [0, -signal.SIGKILL]
    with PageArchive(other) as archive:
        # What the killed one had not sent, the next on its machine does.
        assert archive.adopt() >= 1
    for home, first in ((one, 0), (other, 20)):
        refs = json.loads((home / "refs.json").read_text())
        with PageArchive(third) as archive:
            read = [archive.read(raw_ref) for raw_ref in refs]
        assert [each.url for each in read] == [f"https://acme.example/{n}" for n in range(first, first + 12)]
    with PageArchive(third) as archive:
        assert len(list(archive.refs("acme"))) == 25


def test_retention_of_several_workers_at_once(url, bucket, tmp_path):
    one, other = homes(url, tmp_path)
    with PageArchive(one) as archive:
        kept = [archive.append(page(n)) for n in range(4)]
    days = [date(2024, 3, 6), date(2024, 3, 5)] * 2
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda at: expire(open_store((one, other)[at % 2]), days[at]), range(4)))
    assert json.loads(open_store(one).read(EXPIRED).data) == {"acme": "2024-03-06"}
    left = [each for each in kept if each.fetched_at.date() >= date(2024, 3, 6)]
    with PageArchive(other) as archive:
        assert sorted(archive.refs("acme")) == sorted(each.raw_ref for each in left)
    assert {each.fetched_at.date() for each in kept} == {MORNING.date(), date(2024, 3, 6)}
    assert not list(files(open_store(one), "articles"))

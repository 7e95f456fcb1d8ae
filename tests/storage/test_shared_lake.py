"""A lake whose ledger is in PostgreSQL: several writers at a time, and the lake of a single one."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from multiprocessing.context import ForkProcess
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.decide import decide
from articles.fingerprint import with_fingerprints
from articles.records import Article
from storage.database import Schema
from storage.errors import LedgerError, LockHeld, StorageError
from storage.failpoint import POINTS, VARIABLE
from storage.lake import Lake
from storage.ledger import Holds, KnownArticles, Ledger, ledger_location
from tests.storage.builders import MORNING, make_article, plan, retold
from tests.storage.test_kill_bulk import news
from tests.storage.test_lake import commit, content, everything, ids, rejected, rows

FORK = multiprocessing.get_context("fork")
BATCH = 12
SECONDS = 60


def batches(articles: Sequence[Article], size: int = BATCH) -> list[Sequence[Article]]:
    return [articles[at : at + size] for at in range(0, len(articles), size)]


def write(root: Path, url: str, mine: Sequence[Sequence[Article]], failpoint: str = "") -> None:
    os.environ[VARIABLE] = failpoint
    with Lake.open(root, url) as lake:
        for batch in mine:
            lake.commit(batch, run_id="run")


def start(root: Path, url: str, mine: Sequence[Sequence[Article]], failpoint: str = "") -> ForkProcess:
    """A writer in a process of its own. Forked: starting Python anew takes longer than all the rest."""
    process = FORK.Process(target=write, args=(root, url, mine, failpoint))
    process.start()
    return process


def result(root: Path, url: str = "") -> tuple[dict, list]:
    with Lake.open(root, url) as lake:
        assert lake.ledger.pending() == []
        return everything(root), lake.ledger.links()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> tuple[dict, list]:
    """The lake of one writer with a ledger in SQLite."""
    root = tmp_path_factory.mktemp("alone")
    commit(root, *batches(news()))
    return result(root)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_lake_is_the_same_with_either_ledger(tmp_path, postgres, seed):
    commit(tmp_path / "sqlite", plan())
    shuffled = random.Random(seed).sample(plan(), len(plan()))
    write(tmp_path / "postgres", postgres, batches(shuffled, seed + 4))
    assert everything(tmp_path / "postgres") == everything(tmp_path / "sqlite")


def known(ledger: Ledger, articles: Sequence[Article], step: int) -> tuple[set, list]:
    """All that the ledger knows of articles that were recorded so many at a time."""
    for batch in batches(with_fingerprints(articles), step):
        with ledger.transaction():
            ledger.record(decide(batch, ledger))
    copies = ledger.copies({article.article_id for article in articles})
    places = {place.key: place for place in ledger.stored(copy.key for copy in copies)}
    return {(copy, copy.group_id, copy.place, places[copy.key]) for copy in copies}, ledger.links()


@settings(max_examples=12)
@given(order=st.permutations([*retold(), *plan()[:20]]), step=st.integers(1, 40))
def test_either_database_knows_the_same_in_whatever_order_it_came(tmp_path_factory, postgres, order, step):
    folder = tmp_path_factory.mktemp("ledgers")
    # Of a schema after its folder, which no other example has.
    there = Ledger(ledger_location(folder, postgres))
    here = Ledger(folder / "ledger.sqlite")
    try:
        assert known(there, order, step) == known(here, order, step)
    finally:
        there.close()
        here.close()


def test_two_writers_at_a_time_make_the_lake_of_one(tmp_path, postgres, alone):
    every = batches(news())
    seen: list[dict[tuple, int]] = []
    writers = [start(tmp_path, postgres, every[at::2]) for at in range(2)]
    while any(writer.is_alive() for writer in writers):
        seen.append({(row["article_id"], row["revision"]): row["ingest_seq"] for row in rows(tmp_path, "articles")})
        time.sleep(0.02)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert result(tmp_path, postgres) == alone
    # Who has read up to a number has missed nothing below it.
    for before, after in pairwise(seen):
        newest = max(before.values(), default=0)
        assert all(seq >= newest for row, seq in after.items() if before.get(row) != seq)
    assert len(seen) > 3


@pytest.mark.slow
def test_killed_writers_beside_living_ones(tmp_path, postgres, alone):
    every, moments, killed = batches(news()), random.Random(5), 0
    living = start(tmp_path, postgres, every[::2])
    for _ in range(6):
        dying = start(tmp_path, postgres, every[1::2])
        dying.join(moments.uniform(0.05, 0.5))
        dying.kill()
        dying.join()
        killed += dying.exitcode == -signal.SIGKILL
    living.join(SECONDS)
    assert living.exitcode == 0
    write(tmp_path, postgres, every[1::2])
    assert result(tmp_path, postgres) == alone
    assert killed >= 3


@pytest.mark.parametrize("point", POINTS)
def test_a_commit_cut_short_is_finished_by_the_next_writer(tmp_path, postgres, point):
    first, second = [make_article(n) for n in range(4)], [make_article(n, minutes=9) for n in range(2, 6)]
    with Lake.open(tmp_path, postgres) as other:
        dying = start(tmp_path, postgres, [first], f"kill:{point}")
        dying.join(SECONDS)
        assert dying.exitcode == -signal.SIGKILL
        # Open already; it takes its turn.
        other.commit(second, run_id="other")
        assert set(ids(tmp_path)) >= {f"acme:{n}" for n in range(2, 6)}
    write(tmp_path, postgres, [first])
    write(tmp_path / "undisturbed", postgres, [first, second])
    assert everything(tmp_path)["articles"] == everything(tmp_path / "undisturbed")["articles"]


def test_a_writer_in_its_turn_keeps_the_others_waiting(tmp_path, postgres):
    with Lake.open(tmp_path, postgres) as lake:
        with lake.ledger.turn():
            other = start(tmp_path, postgres, [[make_article(1)]])
            other.join(0.4)
            assert other.is_alive()
            assert ids(tmp_path) == []
        other.join(SECONDS)
        assert lake.commit([make_article(1)], run_id="late")[0].kind == "unchanged"


def test_a_writer_without_the_shared_ledger_is_kept_out_of_a_turn(tmp_path, postgres):
    with Lake.open(tmp_path, postgres) as shared:
        with Lake.open(tmp_path), pytest.raises(LockHeld):
            shared.commit([make_article(1)], run_id="shared")
        shared.commit([make_article(1)], run_id="shared")


def test_a_lost_connection_fails_one_commit(tmp_path, postgres):
    with Lake.open(tmp_path, postgres) as lake:
        lake.commit([make_article(1)], run_id="run")
        with psycopg.connect(postgres, autocommit=True) as server:
            schema = ledger_location(tmp_path, postgres)
            assert isinstance(schema, Schema)
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
                " AND application_name = 'finnews'"
            )
        with pytest.raises(StorageError, match=f"schema {schema.name}: .*terminat"):
            lake.commit([make_article(2)], run_id="run")
        assert [d.kind for d in lake.commit([make_article(2)], run_id="run")] == ["new"]
    assert ids(tmp_path) == ["acme:1", "acme:2"]


def test_lost_and_restored_state(tmp_path, postgres):
    root = tmp_path / "lake"
    write(root, postgres, [plan()])
    before = content(root)
    with psycopg.connect(postgres, autocommit=True) as server:
        schema = ledger_location(root, postgres)
        assert isinstance(schema, Schema)
        server.execute(f"DROP SCHEMA {schema.name} CASCADE")
    with Lake.open(root, postgres) as lake:
        assert lake.ledger.count() == len(ids(root)) + len(ids(root, "duplicates"))
        assert lake.reindex() == lake.ledger.count()
        assert {decision.kind for decision in lake.commit(plan(), run_id="again")} == {"unchanged"}
    assert content(root) == before


def test_quarantine_and_tombstones(tmp_path, postgres):
    with Lake.open(tmp_path, postgres) as one, Lake.open(tmp_path, postgres) as other:
        one.commit([make_article(1, minutes=-90)], run_id="one")
        assert other.quarantine([rejected()], run_id="other") == 1
        assert one.quarantine([rejected()], run_id="one") == 0
        assert len(other.mark_gone(["acme:1"], at=MORNING, run_id="other")) == 1
    assert rows(tmp_path, "articles")[0]["flags"] == ["gone"]
    known = KnownArticles(tmp_path, postgres)
    assert "acme:1" in known
    known.close()


def test_what_one_worker_holds_no_other_gets_until_it_lets_go_or_dies(tmp_path, postgres):
    mine = Holds(tmp_path, postgres)
    assert mine.take("crawl a") and mine.take("crawl a") and mine.take("crawl b")
    got = FORK.Queue()

    def ask() -> None:
        theirs = Holds(tmp_path, postgres)
        got.put([theirs.take(f"crawl {name}") for name in "abc"])
        got.close()
        got.join_thread()
        os.kill(os.getpid(), signal.SIGKILL)

    mine.release("crawl b")
    process = FORK.Process(target=ask)
    process.start()
    assert got.get(timeout=SECONDS) == [False, True, True]
    process.join(SECONDS)
    until = time.monotonic() + SECONDS
    while not mine.take("crawl c"):
        assert time.monotonic() < until, "what a dead process held is not free again"
        time.sleep(0.05)
    mine.close()


def test_lakes_keep_apart_and_a_name_brings_them_together(tmp_path, postgres):
    named = f"{postgres}?schema=shared"
    places = [ledger_location(tmp_path / name, url) for name in "ab" for url in (postgres, named)]
    assert len({place.name for place in places if isinstance(place, Schema)}) == 3
    assert places[1] == places[3]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://somewhere/db", "mysql: a ledger is postgresql://"),
        ("postgresql://user:secret@127.0.0.1:1/db", r"postgresql://127\.0\.0\.1:1/db, schema lake_\w+: connection"),
    ],
)
def test_a_ledger_that_cannot_be_reached_is_one_line_without_the_password(tmp_path, url, said):
    with pytest.raises(StorageError, match=said) as raised:
        Lake.open(tmp_path, url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(LedgerError):
        KnownArticles(tmp_path, url)

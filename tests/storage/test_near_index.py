import pickle
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.fingerprint import fingerprints
from storage import near_index
from storage.database import Database, Location, Sqlite, connect
from storage.ledger import ledger_location
from storage.near_index import TABLES, Entry, Link, NearIndex, NearIndexError

ROOT = Path(near_index.__file__).parents[1]
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
WORDS = (
    "库存",
    "订单",
    "利率",
    "监管",
    "消费",
    "出口",
    "估值",
    "分红",
    "产能",
    "汇率",
    "回升",
    "放缓",
    "调整",
    "扩大",
    "谨慎",
    "持续",
)


def story(seed: int, sentences: int = 8) -> str:
    random = Random(seed)
    return "".join(
        f"{''.join(random.choices(WORDS, k=6))}约{random.randint(10, 999)}亿元，{''.join(random.choices(WORDS, k=5))}。"
        for _ in range(sentences)
    )


def entries(*documents: tuple[str, str, timedelta]) -> list[Entry]:
    """(article_id, text, after NOON) each."""
    prints = fingerprints([("", text) for _, text, _ in documents])
    return [Entry(name, NOON + later, mark) for (name, _, later), mark in zip(documents, prints, strict=True)]


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


# Three stories with edited copies some weeks apart, an exact copy, and a stranger.
NEWS = entries(
    ("a1", story(1), hours(0)),
    ("a2", "来源：晨星财经。" + story(1), hours(5)),
    ("a3", story(1)[:200], timedelta(days=29)),
    ("a4", story(1) + "记者沈一凡。", timedelta(days=45)),
    ("a5", story(1), hours(7)),
    ("b1", story(2, 12), hours(1)),
    ("b2", story(2, 11), timedelta(days=-20)),
    ("c1", story(3), timedelta(days=200)),
    ("c2", story(3) + "责任编辑陈婷。", timedelta(days=201)),
    ("d1", story(3, 2) + story(4, 20) + story(5, 20), hours(2)),
    ("e1", story(6), hours(3)),
)


def index(path: str | Path = ":memory:") -> NearIndex:
    return NearIndex(Sqlite(path))


def built(news: list[Entry]) -> list[Link]:
    made = index()
    made.add(news)
    return made.links()


@pytest.fixture
def location(tmp_path: Path, ledger_url: str) -> Location:
    return ledger_location(tmp_path, ledger_url) if ledger_url else tmp_path / "ledger.sqlite"


@pytest.fixture
def opened(location: Location):
    """Opens the index of this test, as often as it is called."""
    databases: list[Database] = []

    def open_index(**options) -> NearIndex:
        databases.append(connect(location, "ledger"))
        return NearIndex(databases[-1], **options)

    yield open_index
    for database in databases:
        database.close()


def dump(made: NearIndex) -> list[list[tuple]]:
    return [sorted(made._database.query(f"SELECT * FROM {table}")) for table in (*TABLES, "numbers")]


def pairs(links: list[Link]) -> set[tuple[str, str]]:
    return {(link.one, link.other) for link in links if link.duplicate}


def test_copies_are_found_within_the_window():
    links = built(NEWS)
    assert pairs(links) == {("a1", "a2"), ("a1", "a3"), ("a2", "a3"), ("a2", "a5"), ("a3", "a4"), ("a3", "a5"),
                            ("b1", "b2"), ("c1", "c2")}  # fmt: skip
    assert all(0.3 < link.similarity < 1 for link in links)


def test_the_window_is_exact():
    text, copy = story(1), story(1) + "编者注。"
    for apart, found in ((timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)):
        # Wherever the borders between periods lie.
        for start in range(0, 40, 8):
            moved = entries(("x", text, timedelta(days=start)), ("y", copy, timedelta(days=start) - apart))
            assert len(built(moved)) == found


def test_an_article_inside_a_digest_is_linked_as_such():
    digest = story(7, 6) + story(8, 12) + story(9, 12)
    (link,) = built(entries(("item", story(7, 6), hours(0)), ("digest", digest, hours(1))))
    assert (link.one, link.other, link.kind, link.duplicate) == ("digest", "item", "contained", False)


@settings(max_examples=40)
@given(st.permutations(NEWS), st.sets(st.integers(1, len(NEWS) - 1)))
def test_links_are_a_function_of_the_set(order, cuts):
    made, told = index(), []
    borders = [0, *sorted(cuts), len(order)]
    for start, end in pairwise(borders):
        told += made.add(order[start:end])
    assert made.links() == sorted(told) == built(NEWS)


def test_a_second_run_adds_nothing(opened):
    made = opened()
    made.add(NEWS)
    before = dump(made)
    assert made.add(NEWS[3:7]) == []
    assert dump(made) == before


def test_many_small_batches_are_merged(opened):
    made = opened()
    news = entries(*((f"n{at:03d}", story(at // 2) + "编者。" * (at % 2), hours(at)) for at in range(300)))
    for entry in news:
        made.add([entry])
    [(segments,)] = made._database.query("SELECT count(*) FROM near_segments")
    assert segments < 30
    assert len(made) == 300
    assert made.links() == built(news)
    assert len(pairs(made.links())) == 150


def test_a_changed_article_takes_the_place_of_the_former(opened):
    made = opened()
    made.add(NEWS)
    (changed,) = entries(("a2", story(10), hours(5)))
    assert made.add([changed]) == []
    assert made.links() == built([*(entry for entry in NEWS if entry.article_id != "a2"), changed])
    (back,) = entries(("e2", story(6) + "编者。", hours(4)))
    assert pairs(made.add([back])) == {("e1", "e2")}


def test_a_removed_article_is_found_no_more(opened):
    made = opened()
    made.add(NEWS)
    made.remove(["a1", "c2", "unknown"])
    assert made.links() == built([entry for entry in NEWS if entry.article_id not in ("a1", "c2")])
    assert pairs(made.add(entries(("a9", story(1) + "又。", hours(9))))) == {("a2", "a9"), ("a3", "a9"), ("a5", "a9")}


def test_rebuilt_it_is_the_same(opened):
    made = opened()
    made.add(NEWS[:5])
    made._database.execute("UPDATE near_segments SET content = ?", b"\0")
    made.rebuild(reversed(NEWS))
    assert made.links() == built(NEWS)


def test_the_past_of_a_component(opened):
    made = opened()
    made.add(NEWS)
    assert pairs(made.duplicates_around(["a4"])) == {pair for pair in pairs(made.links()) if pair[0].startswith("a")}
    assert made.duplicates_around(["e1", "unknown"]) == []


def test_what_is_rolled_back_is_gone(opened):
    made = opened()
    made.add(NEWS[:2])
    for news in (NEWS[2:7], NEWS[5:]):
        # The second batch gets the segment numbers of the first, with other contents.
        with suppress(ZeroDivisionError), made._database.transaction():
            made.add(news)
            _ = 1 / 0
    made.add(NEWS[5:])
    made.add(NEWS)
    assert made.links() == built(NEWS)


def test_two_connections_see_each_others_articles(opened):
    one, other = opened(), opened()
    for at, entry in enumerate(NEWS):
        (one, other)[at % 2].add([entry])
    assert one.links() == other.links() == built(NEWS)


def test_more_candidates_than_are_held_at_once(monkeypatch):
    monkeypatch.setattr(near_index, "CANDIDATES_AT_ONCE", 3)
    monkeypatch.setattr(near_index, "JUDGED_AT_ONCE", 2)
    limited = built(NEWS)
    monkeypatch.undo()
    assert limited == built(NEWS)


def test_segments_that_do_not_fit_the_cache(opened):
    made = opened(cache_bytes=1)
    for entry in NEWS:
        made.add([entry])
    assert made.links() == built(NEWS)


def test_segments_of_a_time_that_is_over_are_let_go(opened):
    """A load of years, in the order of publication, holds what lies within the window and no more."""
    made = opened()
    held = []
    for week in range(120):
        made.add(entries(*((f"{week}-{n}", story(week * 10 + n), hours(week * 168 + n)) for n in range(8))))
        held.append(made._segments._bytes)
    assert max(held[60:]) <= 1.3 * max(held[:60])
    made.add(entries(("copy", story(3) + "责任编辑陈婷。", hours(3))))
    assert ("0-3", "copy") in pairs(made.links())


def test_damage_is_noticed(opened):
    opened().add(NEWS)
    made = opened()
    made._database.execute("UPDATE near_segments SET content = ?", b"\0" * 5000)
    with pytest.raises(NearIndexError, match="damaged: rebuild"):
        made.add(entries(("z", story(1), hours(1))))


def test_another_version_is_refused(tmp_path, monkeypatch):
    index(tmp_path / "ledger.sqlite")
    monkeypatch.setattr(near_index, "VERSION", 2)
    with pytest.raises(NearIndexError, match="rebuild"):
        index(tmp_path / "ledger.sqlite")


CHILD = """
import pickle, sys
from storage.database import connect
from storage.near_index import NearIndex

location, news = pickle.load(sys.stdin.buffer)
database = connect(location, "ledger")
made = NearIndex(database)
print("ready", flush=True)
for at in range(0, len(news), 10):
    with database.transaction():
        made.add(news[at : at + 10])
"""


def test_killed_at_any_moment_and_run_again(location, opened):
    sizes = [0]
    news = entries(*((f"n{at:04d}", story(at // 3) + "编者。" * (at % 3), hours(at)) for at in range(600)))
    for seed in range(3):
        command = [sys.executable, "-c", CHILD]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdin and child.stdout
            child.stdin.write(pickle.dumps((location, news)))
            child.stdin.close()
            assert child.stdout.readline() == b"ready\n"
            time.sleep(Random(seed).uniform(0, 0.2))
            child.kill()
        sizes.append(len(opened()))
    assert sizes == sorted(sizes)
    assert all(size % 10 == 0 for size in sizes)
    made = opened()
    made.add(news)
    assert made.links() == built(news)
    if isinstance(location, Path):
        assert made._database.query("PRAGMA integrity_check") == [("ok",)]

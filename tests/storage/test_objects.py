"""A lake in a bucket: the same rows as in a folder, whoever writes beside us, and a probe that tells stores apart."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from articles.decide import CopyKey
from articles.records import Page
from storage.archive import PageArchive
from storage.errors import ArchiveError, LakeError, QueryError
from storage.failpoint import VARIABLE
from storage.lake import Lake
from storage.ledger import ledger_path
from storage.partitions import decode, files
from storage.query import query
from storage.schema import TREES
from storage.store import LocalStore, home_of, open_store, probe
from tests.storage.builders import LONG, MORNING, make_article, plan
from tests.storage.objects import Bucket, serving
from tests.storage.test_lake import commit, everything, rejected
from tests.storage.test_shared_lake import batches


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with serving() as bucket:
        yield bucket


@pytest.fixture
def bucket(server: Bucket, monkeypatch, tmp_path) -> Bucket:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return server


@pytest.fixture
def url(bucket: Bucket, request) -> str:
    """Of a lake of one's own."""
    return bucket.url(f"lakes/{random.Random(request.node.nodeid).randrange(10**9)}")


def stored(url: str) -> dict[str, list[dict]]:
    """As tests of a folder see it: all rows by tree, without numbers of commits."""
    store = open_store(url)
    found = {
        tree: [
            {"source": partition.owner, "date": partition.date, **row}
            for partition, file in files(store, tree)
            for row in decode(store.read(file.key).data, file.key).to_pylist()
        ]
        for tree in TREES
        if tree != "quarantine"
    }
    for rows in found.values():
        for row in rows:
            del row["ingest_seq"]
        rows.sort(key=lambda row: (row["article_id"], row["source"], row["revision"]))
    return found


def ids(url: str) -> list[str]:
    return [row["article_id"] for row in stored(url)["articles"]]


def test_the_same_rows_as_in_a_folder(url, tmp_path):
    commit(tmp_path / "folder", plan()[:20], plan()[20:])
    commit(url, plan()[:20], plan()[20:])
    assert stored(url) == everything(tmp_path / "folder")
    with Lake.open(url) as lake:
        assert {each.kind for each in lake.commit(plan(), run_id="again")} == {"unchanged"}
    # Nothing but partitions in the trees, and of the state the ledger's name.
    keys = [file.key for file in open_store(url).entries("")]
    assert [key for key in keys if key.startswith("_state")] == ["_state/ledger"]
    assert len(keys) == 1 + sum(1 for tree in TREES for _ in files(open_store(url), tree))


def test_a_few_new_rows_are_appended(url):
    store = open_store(url)
    with Lake.open(url) as lake:
        lake.commit([make_article(1)], run_id="run")
        [(_, file)] = files(store, "articles")
        before = store.read(file.key).data
        lake.commit([make_article(2)], run_id="run")
    after = store.read(file.key).data
    assert after.startswith(before)
    with store.open(file.key) as opened:
        assert pq.read_metadata(opened).num_row_groups == 2


def test_quiet_days_are_sealed_in_place(url, tmp_path):
    commit(url, plan()[:20], plan()[20:])
    before = stored(url)
    with Lake.open(url) as lake:
        assert len(list(lake.compact(date(2024, 4, 1)))) == sum(1 for tree in TREES for _ in files(lake.store, tree))
        assert list(lake.compact(date(2024, 4, 1))) == []
    assert stored(url) == before


def test_duckdb_reads_it(url, tmp_path):
    home = home_of(url)
    with pytest.raises(QueryError, match=r"s3://.*no lake here"):
        query(home, "select count(*) from articles")
    commit(url)
    assert query(home, "select count(*) from articles")[1] == [(0,)]
    commit(tmp_path / "folder", plan())
    commit(url, plan(), [make_article(99, date=None, published_at=None, published_precision="none")])
    for question in (
        "select source, date, count(*) from duplicates group by all order by all",
        "select article_id, cluster_id, published_at, flags from articles where date is not null order by article_id",
        "select article_id, revision from as_of('2030-01-01'::timestamptz) order by all",
    ):
        assert query(home, question) == query(tmp_path / "folder", question)
    assert query(home, "select article_id, source from articles where date is null")[1] == [("acme:99", "acme")]


def test_quarantine_lies_there_as_well(url):
    with Lake.open(url) as lake:
        assert lake.quarantine([rejected(), rejected("https://acme.example/y")], run_id="one") == 2
        assert lake.quarantine([rejected(), rejected("https://acme.example/z")], run_id="two") == 1
    assert query(home_of(url), "select count(*), count(distinct url) from quarantine")[1] == [(3, 3)]


# Several writers


def test_two_writers_at_once_on_one_partition_give_the_union(url, tmp_path, monkeypatch):
    """Each with a ledger of its own, and the claim switched off: nothing but the bucket is between them."""
    monkeypatch.setattr("storage.lake.Claim.is_ours", lambda _: True)
    halves = [[make_article(n) for n in range(first, 40, 2)] for first in (0, 1)]
    lakes = [Lake.open(home_of(url, str(tmp_path / name))) for name in ("one", "other")]
    start = threading.Barrier(2)

    def write(mine: int) -> None:
        start.wait()
        for article in halves[mine]:
            lakes[mine].commit([article], run_id=str(mine))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for lake in lakes:
        lake.close()
    assert sorted(ids(url)) == sorted(f"acme:{n}" for n in range(40))


def test_whoever_comes_with_another_ledger_takes_the_lake_over(url, tmp_path):
    one, other = (str(tmp_path / name) for name in ("one", "other"))
    with Lake.open(home_of(url, one)) as first:
        first.commit([make_article(1), make_article(2, text=LONG)], run_id="one")
        with Lake.open(home_of(url, other)) as second:
            assert second.ledger.count() == 2
            assert [each.kind for each in second.commit([make_article(1), make_article(3)], run_id="b")] == [
                "unchanged",
                "new",
            ]
            with pytest.raises(LakeError, match="another ledger has taken the lake over"):
                first.commit([make_article(4)], run_id="one")
    # The first comes back: its ledger is filled anew.
    with Lake.open(home_of(url, one)) as first:
        assert first.ledger.count() == 3
        assert [each.kind for each in first.commit([make_article(3), make_article(4)], run_id="a")] == [
            "unchanged",
            "new",
        ]
    assert ids(url) == ["acme:1", "acme:2", "acme:3", "acme:4"]


def test_a_take_over_in_the_middle_of_a_commit_is_noticed_by_both(url, tmp_path):
    with Lake.open(home_of(url, str(tmp_path / "one"))) as first:
        second = []

        def take_over(original=first.ledger.applied):
            raise AssertionError("the commit must not end")

        first.ledger.applied = lambda *_: take_over()
        published = first.store.put

        def put_and_be_overtaken(key: str, data: bytes, version: str | None) -> str | None:
            made = published(key, data, version)
            if key.startswith("articles") and not second:
                second.append(Lake.open(home_of(url, str(tmp_path / "other"))))
            return made

        first.store.put = put_and_be_overtaken
        with pytest.raises(LakeError, match="another ledger"):
            first.commit([make_article(1)], run_id="one")
    with second[0] as other, pytest.raises(LakeError, match="another ledger"):
        # What the first has put, this ledger may not know.
        other.commit([make_article(2)], run_id="other")
    with Lake.open(home_of(url, str(tmp_path / "other"))) as other:
        assert [each.kind for each in other.commit([make_article(1)], run_id="other")] == ["unchanged"]


class Killed(BaseException):
    pass


@pytest.fixture
def taken_over(url, tmp_path, monkeypatch) -> Iterator[tuple[Lake, list[Lake]]]:
    """A writer who dies right after the first file that he puts; before it, the lake is taken over and filled into
    another ledger. Gives both writers, the second in a list."""
    others: list[Lake] = []
    with Lake.open(home_of(url, str(tmp_path / "one"))) as first:
        first.commit([make_article(1), make_article(2, text=LONG)], run_id="one")
        put = first._put

        def late(*asked: object) -> bool:
            for entry in list(first.store.entries("_state/journal")):
                # As if it came later than the new owner looks for it, and was never seen.
                first.store.delete(entry.key)
            others.append(Lake.open(home_of(url, str(tmp_path / "other"))))
            assert put(*asked)
            raise Killed

        monkeypatch.setattr(first, "_put", late)
        yield first, others


def reopened(url: str, others: list[Lake], folder: Path, caplog: pytest.LogCaptureFixture) -> tuple[Lake, str]:
    """The new owner's lake after a commit elsewhere, and what he is told when he opens it again."""
    others[0].commit([make_article(7, source="other")], run_id="other")
    others[0].close()
    caplog.clear()
    return Lake.open(home_of(url, str(folder / "other"))), caplog.text


def test_rows_put_after_a_take_over_by_a_run_that_died_are_found(url, tmp_path, taken_over, caplog):
    """No journal tells of them, and the numbers of commits are equal."""
    first, others = taken_over
    with pytest.raises(Killed):
        first.mark_gone(["acme:1"], at=MORNING + timedelta(days=9), run_id="one")
    lake, told = reopened(url, others, tmp_path, caplog)
    with lake:
        assert "of another time than the lake" in told
        assert [copy.gone_at for copy in lake.ledger.stored([CopyKey("acme:1", "acme")])] == [
            MORNING + timedelta(days=9)
        ]
    with Lake.open(home_of(url, str(tmp_path / "other"))):
        assert "of another time" not in caplog.text.removeprefix(told)


def test_articles_put_after_a_take_over_are_known_to_the_next(url, tmp_path, taken_over, caplog):
    first, others = taken_over
    with pytest.raises(Killed):
        first.commit([make_article(3)], run_id="one")
    lake, _ = reopened(url, others, tmp_path, caplog)
    with lake:
        assert lake.ledger.count() == 4
        assert [each.kind for each in lake.commit([make_article(3)], run_id="other")] == ["unchanged"]


def test_of_files_that_the_ledger_has_written_none_is_looked_at_again(url, monkeypatch):
    with Lake.open(url) as lake:
        for batch in batches(plan(), 9):
            lake.commit(batch, run_id="run")
        lake.mark_gone(["acme:1"], at=MORNING + timedelta(days=9), run_id="run")
        list(lake.compact(date.max))
    monkeypatch.setattr("storage.rebuild._read", None)
    Lake.open(url).close()


def test_a_lost_home_loses_nothing(url, tmp_path):
    commit(url, plan()[:20])
    shutil.rmtree(tmp_path / "state")
    commit(url, plan()[20:])
    commit(tmp_path / "folder", plan()[:20], plan()[20:])
    assert stored(url) == everything(tmp_path / "folder")


SLOWER = ("journaled", "decided", "published:2", "added", "applied")
COMMIT = """
import sys
from storage.lake import Lake
from tests.storage.builders import plan
with Lake.open(sys.argv[1]) as lake:
    lake.commit(plan()[20:], run_id="run")
"""


@pytest.mark.parametrize(
    "point",
    [
        "put:4",
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("journaled", "decided", "published:2", "added", "applied")),
    ],
)
def test_w03_a_kill_at_any_point_loses_and_doubles_nothing_in_a_bucket(url, tmp_path, point):
    commit(tmp_path / "folder", plan()[:20], plan()[20:])
    commit(url, plan()[:20])
    # A process of its own: the threads of a client do not survive a fork.
    killed = subprocess.run(
        [sys.executable, "-c", COMMIT, url], env={**os.environ, VARIABLE: f"kill:{point}"}, timeout=120, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    if point == "applied":
        shutil.rmtree(ledger_path(home_of(url)).parent)
    commit(url)
    assert stored(url) == everything(tmp_path / "folder")


# The page archive


def page(number: int) -> Page:
    return Page(
        source="acme",
        url=f"https://acme.example/{number}",
        final_url=f"https://acme.example/{number}",
        status=200,
        body=f"<p>{number}</p>".encode() * 100,
        fetched_at=MORNING + timedelta(days=number % 2),
        headers={"content-type": "text/html"},
    )


def test_pages_go_to_the_bucket_as_their_files_are_closed(url, tmp_path):
    home = home_of(url)
    with PageArchive(home) as archive:
        kept = [archive.append(page(n)) for n in range(4)]
        # On their way they are read from here.
        assert [archive.read(each.raw_ref) for each in kept] == kept
        archive.sync()
        assert list((home / "pages").rglob("*.warc.gz")) == []
        later = archive.append(page(4))
    assert list((home / "pages").rglob("*.warc.gz")) == []
    with PageArchive(home) as archive:
        assert [archive.read(each.raw_ref) for each in (*kept, later)] == [*kept, later]
        assert sorted(archive.refs("acme")) == sorted(each.raw_ref for each in (*kept, later))
        with pytest.raises(ArchiveError, match=r"No such|not found"):
            archive.read(later.raw_ref.replace(".warc.gz", "x.warc.gz"))


def test_what_a_killed_writer_left_is_sent_up_to_its_last_whole_record(url, tmp_path):
    home = home_of(url)
    archive = PageArchive(home)
    kept = [archive.append(page(2 * n)) for n in range(3)]
    # Killed: nothing is closed, and the last record is torn.
    [path] = (home / "pages").rglob("*.warc.gz")
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with PageArchive(home) as after:
        assert after.adopt() == 0, "its writer is alive"
        archive._files.popitem()[1]._file.close()
        assert after.adopt() == 1
        assert [after.read(each.raw_ref) for each in kept[:2]] == kept[:2]
        with pytest.raises(ArchiveError, match=r"0001\.warc\.gz"):
            after.read(kept[2].raw_ref)
        assert list(after.refs("acme")) == [each.raw_ref for each in kept[:2]]
    assert not path.exists()


def test_a_file_that_its_writer_sends_while_another_adopts_it_is_sent_once_or_twice_and_never_lost(url, tmp_path):
    home = home_of(url)
    with PageArchive(home, rotate_bytes=1) as writer, PageArchive(home) as other, ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: [writer.append(page(n)) for n in range(60)] + [writer.close()])
        while not written.done():
            other.adopt()
        *pages, _ = written.result()
        assert [other.read(each.raw_ref) for each in pages] == pages
    assert not list((home / "pages").rglob("*.warc.gz"))


# Stores


def test_probe_trusts_a_bucket_that_refuses_stale_writes(url):
    report = probe(url)
    assert report.sound, report.failed
    assert len(report.passed) == 9
    assert list(open_store(url).entries("_state")) == []


def test_probe_names_what_a_store_does_not_keep_to(bucket, url):
    bucket.obeys = False
    try:
        report = probe(url)
    finally:
        bucket.obeys = True
    assert not report.sound
    assert "refuses to replace an older version" in report.failed
    assert "refuses to create what is there" in report.failed
    assert "creates what is not there" in report.passed


def test_probe_of_a_folder(tmp_path):
    assert probe(tmp_path / "lake").sound
    assert list(LocalStore(tmp_path / "lake").entries("_state/staging")) == []


def test_a_store_that_does_not_answer_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("FINNEWS_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("FINNEWS_S3_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("FINNEWS_S3_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("storage.objects.RETRIES", 0)
    with pytest.raises(LakeError, match=r"^s3://finnews/none/[^\n]*$"):
        Lake.open("s3://finnews/none")
    assert [line.startswith("answers: ") for line in probe("s3://finnews/none").failed] == [True]


def test_a_home_belongs_to_one_lake(tmp_path):
    home_of("s3://bucket/one", str(tmp_path))
    assert home_of("s3://bucket/one", str(tmp_path)) == tmp_path
    with pytest.raises(LakeError, match="holds the state of s3://bucket/one"):
        home_of("s3://bucket/other", str(tmp_path))


@pytest.mark.parametrize("wrong", ["ftp://host/lake", "s3://", "http://host/lake"])
def test_other_addresses_are_refused(wrong, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(LakeError, match=r"s3://bucket/prefix"):
        Lake.open(wrong)


def test_the_local_store_replaces_only_what_was_read(tmp_path):
    store = LocalStore(tmp_path)
    store.prepare()
    first = store.put("a/b.parquet", b"one", None)
    assert store.put("a/b.parquet", b"two", None) is None
    second = store.put("a/b.parquet", b"two", first)
    assert store.put("a/b.parquet", b"three", first) is None
    assert store.read("a/b.parquet") == (b"two", second)
    assert store.read_range("a/b.parquet", 1, 9) == b"wo"
    assert [file.key for file in store.entries("a")] == ["a/b.parquet"]
    store.delete("a/b.parquet")
    store.delete("a/b.parquet")
    assert store.read("a/b.parquet") is None
    assert list((tmp_path / "_state" / "staging").iterdir()) == []

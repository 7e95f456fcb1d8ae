"""What is written is what is read back; doing it again changes no byte; order and kills make no difference."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from articles.records import Article, Reason, Rejected
from storage import rebuild as rebuilding
from storage.errors import LakeError, LedgerError, LockHeld
from storage.failpoint import POINTS, VARIABLE, FailpointError
from storage.lake import Lake
from storage.ledger import KnownArticles, ledger_path
from storage.partitions import HIVE_NULL, partitions, read_partition
from storage.schema import SCHEMAS, TREES, article_of
from tests.storage.builders import LONG, MORNING, STORY, make_article, plan, retold, telling
from tests.storage.faults import file_size_limit

DAY = date(2024, 3, 5)


def commit(root: Path, *batches) -> list[list[str]]:
    with Lake.open(root) as lake:
        return [[decision.kind for decision in lake.commit(batch, run_id="run")] for batch in batches]


def commit_killed(root: Path, batch: list[Article], point: str) -> None:
    """Commit in a child that is killed on the way."""
    killed(lambda: commit(root, batch), point)


def killed(work: Callable[[], object], point: str) -> None:
    """Forked: starting Python anew takes longer than all the rest."""

    def armed() -> None:
        os.environ[VARIABLE] = f"kill:{point}"
        work()

    child = multiprocessing.get_context("fork").Process(target=armed)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def rows(root: Path, tree: str) -> list[dict]:
    """All rows of a tree with their partition, in an order of their own."""
    found = [
        {"source": partition.owner, "date": partition.date, **row}
        for partition, path in partitions(root, tree)
        for row in read_partition(path).to_pylist()
    ]
    return sorted(found, key=lambda row: (row.get("article_id", ""), row["source"], row.get("revision", 0)))


def content(root: Path) -> dict[str, bytes]:
    """Every file outside _state."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files if "_state" not in path.parts}


def ids(root: Path, tree: str = "articles") -> list[str]:
    return [row["article_id"] for row in rows(root, tree)]


# What is written


def test_an_article_comes_back_as_it_went_in(tmp_path):
    article = make_article(
        tags=("宏观", "政策"),
        images=("https://acme.example/1.png",),
        symbols=("600519.SH",),
        flags=("truncated",),
        removed=("文末二维码",),
        updated_at=MORNING,
        extra={"列": "值"},
    )
    commit(tmp_path, [article])
    [(partition, path)] = partitions(tmp_path, "articles")
    [row] = read_partition(path).to_pylist()
    assert article_of(row, source=partition.owner, day=partition.date) == article
    assert (row["revision"], row["cluster_id"], row["first_seen_at"]) == (1, "acme:1", article.fetched_at)


@pytest.mark.parametrize("fingerprint", [None, b"", b"\x00\x01", b"\x00" * 352])
def test_a_fingerprint_that_is_missing_or_of_another_version_is_computed(tmp_path, fingerprint):
    commit(tmp_path, [make_article(fingerprint=fingerprint)])
    assert rows(tmp_path, "articles")[0]["fingerprint"] == make_article().fingerprint


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
made_articles = st.lists(
    st.builds(
        lambda n, fields: make_article(n, **fields),
        st.integers(0, 10**6),
        st.fixed_dictionaries(
            {
                "title": text,
                "text": text,
                "source": st.sampled_from(["acme", "other"]),
                "date": st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)),
                "summary": st.none() | text,
                "publisher": st.none() | text,
                "tags": st.lists(text, max_size=2).map(tuple),
                "published_at": times,
                "updated_at": times,
                "extra": st.dictionaries(text, text, max_size=2),
            }
        ),
    ),
    max_size=6,
    unique_by=lambda article: article.article_id,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(batch=made_articles)
def test_whatever_is_written_is_read_back_and_a_second_run_changes_no_byte(tmp_path_factory, batch):
    root = tmp_path_factory.mktemp("lake")
    commit(root, batch)
    stored = {
        (row["article_id"], row["source"]): article_of(row, source=row["source"], day=row["date"])
        for tree in ("articles", "duplicates")
        for row in rows(root, tree)
    }
    assert stored == {(article.article_id, article.source): article for article in batch}
    before = content(root)
    assert {kind for kinds in commit(root, batch) for kind in kinds} <= {"unchanged"}
    assert content(root) == before


def test_w14_a_second_run_changes_no_byte_and_says_unchanged(tmp_path):
    batch = [make_article(n) for n in range(5)] + [make_article(9, text=LONG), make_article(10, text=LONG)]
    commit(tmp_path, batch)
    before = content(tmp_path)
    later = [replace(article, fetched_at=article.fetched_at + timedelta(days=1)) for article in batch]
    assert commit(tmp_path, batch, later, batch[::-1]) == [["unchanged"] * 7] * 3
    assert content(tmp_path) == before


def test_w12_every_file_has_every_column_with_its_type(tmp_path):
    commit(tmp_path, [make_article(1), make_article(2, date=date(2024, 3, 6), tags=("a",), author="某某")])
    for _, path in partitions(tmp_path, "articles"):
        file = pq.ParquetFile(path)
        assert file.schema_arrow.equals(SCHEMAS["articles"])
        assert all(b"description" in field.metadata for field in file.schema_arrow)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        assert "source" not in file.schema_arrow.names


def test_undated_articles_lie_in_the_hive_null_partition(tmp_path):
    commit(tmp_path, [make_article(date=None, published_at=None, published_precision="none")])
    assert list(content(tmp_path)) == [f"articles/source=acme/date={HIVE_NULL}/articles.parquet"]


def test_large_partitions_are_written_in_row_groups(tmp_path):
    commit(tmp_path, [make_article(n, text=os.urandom(16).hex()) for n in range(2500)])
    [(_, path)] = partitions(tmp_path, "articles")
    assert [pq.read_metadata(path).row_group(n).num_rows for n in range(3)] == [1024, 1024, 452]


@pytest.mark.parametrize("source", ["../../x", "/etc/x", "a/b", "a\0b", "x" * 300, "", "..", "true", "Acme", "1e5"])
def test_s16_nothing_but_a_source_id_becomes_a_folder(tmp_path, source):
    root = tmp_path / "lake"
    with pytest.raises(LakeError, match="not a source id"):
        commit(root, [make_article(), make_article(2, source=source)])
    assert content(tmp_path) == {}


# Revisions, duplicates, elections


def test_d02_the_superseded_text_stays_readable(tmp_path):
    edited = make_article(minutes=30, text=LONG + "更正：建设期三年。", date=date(2024, 3, 6))
    assert commit(tmp_path, [make_article()], [edited]) == [["new"], ["revision"]]
    [current], [superseded] = rows(tmp_path, "articles"), rows(tmp_path, "revisions")
    assert (superseded["revision"], superseded["text"]) == (1, make_article().text)
    assert (current["revision"], current["text"], current["fetched_at"]) == (2, edited.text, edited.fetched_at)
    # In the partition of its first revision, first seen when it first was.
    assert (current["date"], current["first_seen_at"]) == (DAY, MORNING)
    assert '"changed":"text"' in current["extra"]
    assert current["ingest_seq"] > 1


def test_d05_a_replaced_article_carries_the_flag(tmp_path):
    commit(
        tmp_path,
        [make_article()],
        [make_article(minutes=9, title="交易所通知", text="自下月起调整部分合约保证金比例。")],
    )
    assert rows(tmp_path, "articles")[0]["flags"] == ["replaced"]


def test_d09_two_hundred_copies_are_one_article_and_199_duplicates(tmp_path):
    [kinds] = commit(tmp_path, [make_article(n, title="公告", text=LONG, minutes=n) for n in range(200)])
    assert sorted(kinds) == ["duplicate"] * 199 + ["new"]
    assert (len(rows(tmp_path, "articles")), len(rows(tmp_path, "duplicates"))) == (1, 199)


def test_a_late_found_earlier_copy_takes_the_first_place(tmp_path):
    late = [make_article(n, source="late", title="公告", text=LONG, published_at=MORNING) for n in (1, 2)]
    hour_before = {"published_at": MORNING - timedelta(hours=1), "date": date(2024, 3, 4)}
    early = make_article(3, source="early", title="公告", text=LONG, **hour_before)
    assert commit(tmp_path, late, [early]) == [["new", "duplicate"], ["new"]]
    assert ids(tmp_path) == ["early:3"]
    assert [(row["article_id"], row["duplicate_of"], row["cluster_id"]) for row in rows(tmp_path, "duplicates")] == [
        ("late:1", "early:3", "early:3"),
        ("late:2", "early:3", "early:3"),
    ]


def election() -> tuple[list[Article], list[Article]]:
    """A reprint stored first, and then what it was copied from."""
    same = {"title": "公告", "text": LONG}
    hour_before = {"published_at": MORNING - timedelta(hours=1), "date": date(2024, 3, 4)}
    return [make_article(1, source="a_late", **same)], [make_article(2, source="z_early", **same, **hour_before)]


def test_an_elected_first_is_there_before_the_former_one_goes(tmp_path, monkeypatch):
    late, early = election()
    commit(tmp_path, late)
    monkeypatch.setenv(VARIABLE, "raise:added")
    with pytest.raises(FailpointError):
        commit(tmp_path, early)
    assert ids(tmp_path) == ["a_late:1", "z_early:2"]
    assert ids(tmp_path, "duplicates") == ["a_late:1"]
    monkeypatch.delenv(VARIABLE)
    commit(tmp_path)
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["z_early:2"], ["a_late:1"])


def test_an_election_cut_short_is_undone_if_all_state_is_lost(tmp_path, monkeypatch):
    late, early = election()
    commit(tmp_path, late)
    monkeypatch.setattr("storage.lake.WRITERS", 1)
    # After the journal entry: the former first is among the duplicates, the new one is nowhere yet.
    commit_killed(tmp_path, early, "published:2")
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["a_late:1"], ["a_late:1"])
    shutil.rmtree(tmp_path / "_state")
    commit(tmp_path)
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["a_late:1"], [])
    assert commit(tmp_path, early) == [["new"]]
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["z_early:2"], ["a_late:1"])


def test_bytes_do_not_depend_on_the_order_within_a_batch(tmp_path):
    commit(tmp_path / "one", plan())
    commit(tmp_path / "other", plan()[::-1])
    assert content(tmp_path / "one") == content(tmp_path / "other")


def test_a_partition_that_is_written_anew_is_in_the_order_of_publication(tmp_path):
    published = [{"published_at": MORNING - timedelta(minutes=n)} for n in range(3)]
    commit(
        tmp_path, *([make_article(n, **published[n])] for n in range(3)), [make_article(2, title="新标题", minutes=9)]
    )
    [(_, path)] = partitions(tmp_path, "articles")
    assert read_partition(path)["article_id"].to_pylist() == ["acme:2", "acme:1", "acme:0"]


def test_a_superseded_row_keeps_the_number_of_the_commit_that_moved_it(tmp_path):
    commit(tmp_path, *([make_article(minutes=n, text=f"{LONG}{n}")] for n in range(4)))
    assert [(row["revision"], row["ingest_seq"]) for row in rows(tmp_path, "revisions")] == [(1, 2), (2, 3), (3, 4)]


def without_details(row: dict) -> dict:
    return {name: value for name, value in row.items() if name != "ingest_seq"}


def everything(root: Path) -> dict[str, list[dict]]:
    return {tree: [without_details(row) for row in rows(root, tree)] for tree in TREES if tree != "quarantine"}


@pytest.mark.parametrize("seed", range(6))
def test_order_and_batches_make_no_difference_to_the_rows(tmp_path, seed):
    commit(tmp_path / "once", plan())
    shuffled = random.Random(seed).sample(plan(), len(plan()))
    step = seed + 3
    commit(tmp_path / "pieces", *(shuffled[at : at + step] for at in range(0, len(shuffled), step)))
    assert everything(tmp_path / "pieces") == everything(tmp_path / "once")


def test_ingest_seq_rises_only_where_rows_change(tmp_path):
    commit(
        tmp_path, [make_article(1)], [make_article(1), make_article(2)], [make_article(1, minutes=5, title="新标题")]
    )
    assert [row["ingest_seq"] for row in rows(tmp_path, "articles")] == [3, 2]


# Quarantine


def rejected(url: str = "https://acme.example/x", **changes) -> Rejected:
    fields = {
        "source": "acme",
        "url": url,
        "reason": Reason.NO_TEXT,
        "detail": "no text",
        "fetched_at": MORNING,
        "raw_ref": "p#0+1",
    }
    return Rejected(**fields | changes)


def test_quarantine_keeps_each_refusal_once(tmp_path):
    batch = [rejected(), rejected("https://acme.example/y"), rejected(reason=Reason.EMPTY)]
    with Lake.open(tmp_path) as lake:
        assert lake.quarantine(batch, run_id="one") == 3
        before = content(tmp_path)
        assert lake.quarantine([replace(each, raw_ref="elsewhere#0+9") for each in batch], run_id="two") == 0
    assert content(tmp_path) == before
    assert sorted(before) == [
        "quarantine/reason=empty/date=2024-03-05/quarantine.parquet",
        "quarantine/reason=notext/date=2024-03-05/quarantine.parquet",
    ]


def test_quarantine_tells_documents_without_address_apart(tmp_path):
    with Lake.open(tmp_path) as lake:
        assert lake.quarantine([rejected("", raw_ref="a#0+1"), rejected("", raw_ref="a#1+1")], run_id="one") == 2


# Locks


def test_w15_a_second_writer_is_told_who_holds_the_lake(tmp_path):
    with Lake.open(tmp_path), pytest.raises(LockHeld, match=f"pid {os.getpid()} on .* since 20") as held:
        Lake.open(tmp_path)
    assert held.value.pid == os.getpid()
    Lake.open(tmp_path).close()


HOLD = """
import subprocess, sys, time
from pathlib import Path
from storage.lake import Lake
lake = Lake.open(Path(sys.argv[1]))
if len(sys.argv) > 2:
    import os
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
print("held", flush=True)
time.sleep(60)
"""


def holder(root: Path, *arguments: str) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root), *arguments], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.parametrize("arguments", [(), ("with a child that survives it",)])
def test_w15_the_lock_of_a_dead_writer_is_taken_over(tmp_path, arguments):
    process = holder(tmp_path, *arguments)
    try:
        with pytest.raises(LockHeld):
            Lake.open(tmp_path)
        process.kill()
        process.wait()
        Lake.open(tmp_path).close()
    finally:
        # The child it left behind.
        if arguments:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def test_w16_a_writer_that_was_taken_for_dead_is_refused(tmp_path):
    with Lake.open(tmp_path) as paused:
        (tmp_path / "_state" / "lock").unlink()
        with Lake.open(tmp_path) as other:
            other.commit([make_article(1)], run_id="other")
            with pytest.raises(LakeError, match="taken the lake over"):
                paused.commit([make_article(2)], run_id="paused")
    commit(tmp_path)
    assert ids(tmp_path) == ["acme:1"]


def test_threads_share_a_lake(tmp_path):
    with Lake.open(tmp_path) as lake:
        threads = [
            threading.Thread(target=lake.commit, args=([make_article(n), make_article(n + 1)],), kwargs={"run_id": "r"})
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ids(tmp_path)) == 9


# Faults


def test_w04_a_full_disk_is_one_line_and_leaves_no_stump(tmp_path):
    # The ledger is there already: it may grow by a page and would meet the limit first.
    commit(tmp_path, [make_article(n) for n in range(50)])
    before = content(tmp_path)
    big = [make_article(n + 100, text=os.urandom(30_000).hex()) for n in range(50)]
    with Lake.open(tmp_path) as lake:
        with file_size_limit(1_000_000), pytest.raises(LakeError, match=r"File too large") as error:
            lake.commit(big, run_id="run")
        assert "\n" not in str(error.value)
        assert list((tmp_path / "_state" / "staging").iterdir()) == []
        assert content(tmp_path) == before
        assert {d.kind for d in lake.commit(big, run_id="run")} == {"new"}
    assert len(ids(tmp_path)) == 100


def test_w04_a_disk_that_fills_while_publishing_is_finished_later(tmp_path, monkeypatch):
    with Lake.open(tmp_path) as lake:
        monkeypatch.setenv(VARIABLE, "raise:decided")
        with pytest.raises(FailpointError):
            lake.commit([make_article(1)], run_id="run")
        monkeypatch.delenv(VARIABLE)
        assert [d.kind for d in lake.commit([make_article(1), make_article(2)], run_id="run")] == ["unchanged", "new"]
    assert ids(tmp_path) == ["acme:1", "acme:2"]


def test_w05_a_full_ledger_is_one_line_and_nothing_counts_as_done(tmp_path):
    batch = [make_article(n) for n in range(300)]
    with Lake.open(tmp_path) as lake:
        lake.ledger.execute("PRAGMA max_page_count = 40")
        with pytest.raises(LedgerError, match=r"ledger\.sqlite: database or disk is full"):
            lake.commit(batch, run_id="run")
        assert content(tmp_path) == {}
        lake.ledger.execute("PRAGMA max_page_count = 100000")
        assert {decision.kind for decision in lake.commit(batch, run_id="run")} == {"new"}


def test_w06_a_lake_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LakeError, match=r"cannot write to the lake \(Not a directory\)"):
        Lake.open(tmp_path / "file" / "lake")


def test_w06_a_folder_removed_in_a_run_is_one_line(tmp_path):
    with Lake.open(tmp_path) as lake:
        (tmp_path / "_state" / "staging").rmdir()
        with pytest.raises(LakeError, match="No such file"):
            lake.commit([make_article()], run_id="run")


def test_w07_a_stump_in_a_partition_is_named_and_foreign_files_are_left_alone(tmp_path):
    commit(tmp_path, [make_article()])
    [(_, path)] = partitions(tmp_path, "articles")
    (path.parent / "part-0.parquet").write_bytes(b"PAR1 a stump")
    assert commit(tmp_path, [make_article(2)]) == [["new"]]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LakeError, match=r"articles\.parquet: not a readable Parquet file"):
        commit(tmp_path, [make_article(3)])


def test_w08_a_flipped_bit_is_found_before_a_file_is_written_anew(tmp_path):
    commit(tmp_path, [make_article(text=os.urandom(5000).hex())])
    [(_, path)] = partitions(tmp_path, "articles")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 6] ^= 1
    path.write_bytes(raw)
    # Appended to, the file is as damaged as before: its checksums are copied with it.
    commit(tmp_path, [make_article(2)])
    assert path.read_bytes().startswith(raw)
    with pytest.raises(LakeError, match="not a readable Parquet file"):
        commit(tmp_path, [make_article(minutes=9, title="新标题")])


def test_w13_a_newer_schema_is_refused_with_a_reason(tmp_path):
    commit(tmp_path, [make_article()])
    [(_, path)] = partitions(tmp_path, "articles")
    newer = pq.read_table(path, partitioning=None).replace_schema_metadata({"finnews_schema_version": "2"})
    pq.write_table(newer, path)
    with pytest.raises(LakeError, match="schema version 2, this finnews reads and writes 1"):
        commit(tmp_path, [make_article(2)])


# Never made smaller: each example is a lake.
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(order=st.permutations(range(len(retold()))), cuts=st.sets(st.integers(1, len(retold()) - 1), max_size=6))
def test_near_clusters_do_not_depend_on_order_and_batches(tmp_path_factory, order, cuts):
    root, news = tmp_path_factory.mktemp("lake"), retold()
    commit(root / "once", news)
    edges = [0, *sorted(cuts), len(news)]
    commit(root / "pieces", *([news[at] for at in order[start:end]] for start, end in pairwise(edges)))
    assert everything(root / "pieces") == everything(root / "once")
    before = content(root / "pieces")
    with Lake.open(root / "pieces") as lake:
        assert lake.reindex() == lake.ledger.count() > 0
    assert content(root / "pieces") == before
    assert {kind for kinds in commit(root / "pieces", news) for kind in kinds} == {"unchanged"}


def test_a_ledger_that_is_outdated_is_made_anew_whatever_is_committed_to_it(tmp_path):
    with Lake.open(tmp_path) as lake:
        lake.commit([make_article(1)], run_id="run")
        lake.ledger.outdate()
        lake.commit([make_article(2)], run_id="run")
        assert not lake.ledger.head().whole
    with Lake.open(tmp_path) as lake:
        assert lake.ledger.head().whole and lake.ledger.count() == 2


def test_a_near_copy_is_a_duplicate_of_what_it_is_nearly_the_same_as(tmp_path):
    first, copy = telling(1), telling(2, STORY + "编者：某人。", source="other", minutes=5)
    assert commit(tmp_path, [first], [copy]) == [["new"], ["duplicate"]]
    [row] = rows(tmp_path, "duplicates")
    assert (row["duplicate_of"], row["duplicate_kind"], row["cluster_id"]) == ("acme:1", "near", "acme:1")
    assert 0.8 < row["similarity"] < 1


def test_a_revision_can_join_a_near_cluster_and_leave_it(tmp_path):
    versions = [telling(2, text, minutes=n, source="other") for n, text in enumerate([LONG, STORY[:-9], LONG[:30]])]
    first, [apart, joining, leaving] = telling(1), versions
    assert commit(tmp_path, [first, apart]) == [["new", "new"]]
    assert commit(tmp_path, [joining]) == [["revision"]]
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["acme:1"], ["other:2"])
    assert commit(tmp_path, [leaving]) == [["revision"]]
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["acme:1", "other:2"], [])


def test_a_first_that_is_revised_away_frees_its_copies(tmp_path):
    first, copy = telling(1), telling(2, STORY + "编者：某人。", source="other", minutes=5)
    commit(tmp_path, [first, copy], [telling(1, LONG, minutes=9)])
    assert (ids(tmp_path), ids(tmp_path, "duplicates")) == (["acme:1", "other:2"], [])
    assert {row["cluster_id"] for row in rows(tmp_path, "articles")} == {"acme:1", "other:2"}


def test_an_earlier_revision_found_late_joins_the_others_where_they_lie(tmp_path):
    later = make_article(minutes=30, text=LONG, date=date(2024, 3, 6))
    for batches, day in (
        ([[make_article(), later]], DAY),
        ([[make_article()], [later]], DAY),
        ([[later], [make_article()]], date(2024, 3, 6)),
    ):
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        commit(root, *batches)
        for _ in range(2):
            found = [*rows(root, "articles"), *rows(root, "revisions")]
            assert [(row["date"], row["revision"], row["text"]) for row in found] == [
                (day, 2, LONG),
                (day, 1, make_article().text),
            ]
            # The place is told by the rows themselves.
            ledger_path(root).unlink()
            commit(root, [later, make_article()])


def test_d12_a_damaged_near_index_is_rebuilt_on_the_way(tmp_path):
    first, copy = telling(1), telling(2, STORY + "编者：某人。", source="other", minutes=5)
    commit(tmp_path, [first])
    with Lake.open(tmp_path) as lake:
        lake.ledger.execute("UPDATE near_segments SET content = zeroblob(length(content))")
        assert [decision.kind for decision in lake.commit([copy], run_id="run")] == ["duplicate"]


def test_d12_an_index_of_another_version_is_rebuilt(tmp_path):
    first, copy = telling(1), telling(2, STORY + "编者：某人。", source="other", minutes=5)
    commit(tmp_path, [first])
    with Lake.open(tmp_path) as lake:
        lake.ledger.execute("UPDATE near_version SET layout = 0")
    assert commit(tmp_path, [copy]) == [["duplicate"]]


@pytest.mark.parametrize("restored", ["ledger", "lake"])
def test_w11_a_restored_backup_is_recognised(tmp_path, restored):
    root, backup = tmp_path / "lake", tmp_path / "backup"
    commit(root, plan()[:20])
    shutil.copytree(root, backup)
    commit(root, plan()[20:])
    whole = everything(root)
    if restored == "ledger":
        shutil.copy2(ledger_path(backup), ledger_path(root))
    else:
        for tree in ("articles", "duplicates", "revisions"):
            shutil.rmtree(root / tree)
            if (backup / tree).exists():
                shutil.copytree(backup / tree, root / tree)
    commit(root)
    with Lake.open(root) as lake:
        assert lake.ledger.count() == sum(len(rows(root, tree)) for tree in ("articles", "duplicates"))
    commit(root, plan()[20:])
    assert everything(root) == whole


@pytest.mark.parametrize("state", ["lost", "older", "garbage"])
def test_w10_a_lost_ledger_loses_and_doubles_nothing(tmp_path, state):
    whole = plan()
    commit(tmp_path, whole[:20])
    path = ledger_path(tmp_path)
    older = path.read_bytes()
    commit(tmp_path, whole[20:])
    before = content(tmp_path)
    if state == "lost":
        path.unlink()
    if state == "older":
        path.write_bytes(older)
    if state == "garbage":
        path.write_bytes(b"not a database" * 1000)
        with pytest.raises(LakeError, match="move it away"):
            Lake.open(tmp_path)
        path.unlink()
    commit(tmp_path, whole)
    assert content(tmp_path) == before
    assert whole[0].article_id in KnownArticles(tmp_path)


def test_a_rebuild_cut_short_is_begun_again(tmp_path):
    commit(tmp_path, plan())
    ledger_path(tmp_path).unlink()
    path = [path for _, path in partitions(tmp_path, "articles")][-1]
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(LakeError, match="not a readable Parquet file"):
        Lake.open(tmp_path)
    path.write_bytes(whole)
    assert {kind for kinds in commit(tmp_path, plan()) for kind in kinds} == {"unchanged"}


def test_rows_that_come_while_the_ledger_is_made_anew_end_it_with_a_word(tmp_path, monkeypatch):
    """As in a bucket, from a run that had the lake before and is at the commit that will end it."""
    commit(tmp_path, [make_article(1)])
    [(_, path)] = partitions(tmp_path, "articles")
    before = path.read_bytes()
    commit(tmp_path, [make_article(2)])
    after = path.read_bytes()
    path.write_bytes(before)
    ledger_path(tmp_path).unlink()
    read = rebuilding._read

    def read_and_overtaken(*place):
        found = read(*place)
        path.write_bytes(after)
        return found

    with monkeypatch.context() as overtaken, pytest.raises(LakeError, match="another run adds rows"):
        overtaken.setattr(rebuilding, "_read", read_and_overtaken)
        Lake.open(tmp_path)
    with Lake.open(tmp_path) as lake:
        assert lake.ledger.count() == 2


# Kills


@pytest.fixture(scope="module")
def half_done(tmp_path_factory) -> tuple[Path, dict]:
    """A lake with half of the plan, and the rows of one that has all of it."""
    root = tmp_path_factory.mktemp("kills")
    commit(root / "half", plan()[:20])
    commit(root / "whole", plan()[:20], plan()[20:])
    return root / "half", everything(root / "whole")


@pytest.mark.parametrize("point", [*POINTS, "staged:2", "staged:4", "published:2", "published:5"])
def test_w02_w03_a_kill_at_any_point_loses_and_doubles_nothing(tmp_path, half_done, point):
    half, whole = half_done
    root = tmp_path / "lake"
    shutil.copytree(half, root)
    before = {*ids(root), *ids(root, "duplicates")}
    commit_killed(root, plan()[20:], point)
    seen = glob_ids(root, "articles")
    assert len(seen) == len(set(seen))
    assert before <= {*seen, *glob_ids(root, "duplicates")}
    with Lake.open(root) as lake:
        assert lake.recover() == 0
    # Killed before its journal entry had its place, the batch was never there; from then on it is, without being asked.
    assert everything(root) == (everything(half) if point == "staged" else whole)
    commit(root, plan()[20:])
    assert everything(root) == whole
    assert [path.name for folder in ("journal", "staging") for path in (root / "_state" / folder).iterdir()] == []


def glob_ids(root: Path, tree: str) -> list[str]:
    """As a reader sees it who knows nothing of us, and opens each file once."""
    found = []
    for path in sorted((root / tree).glob("**/*.parquet")):
        with path.open("rb") as file:
            found += pq.ParquetFile(file).read(columns=["article_id"])["article_id"].to_pylist()
    return found


def test_a_reader_beside_the_writer_never_sees_an_article_twice_or_not_at_all(tmp_path):
    stop, problems = threading.Event(), list[object]()
    commit(tmp_path, plan()[:5])

    def read() -> None:
        known: set[str] = set()
        while not stop.is_set():
            articles, duplicates = glob_ids(tmp_path, "articles"), glob_ids(tmp_path, "duplicates")
            if len(articles) != len(set(articles)):
                problems.append("doubled")
            if not known <= {*articles, *duplicates}:
                problems.append("missing")
            known = {*articles}

    def watched() -> None:
        try:
            read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to show it
            problems.append(error)

    reader = threading.Thread(target=watched)
    reader.start()
    with Lake.open(tmp_path) as lake:
        for article in plan()[5:]:
            lake.commit([article], run_id="run")
    stop.set()
    reader.join()
    assert problems == []

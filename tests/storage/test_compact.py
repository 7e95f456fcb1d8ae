"""Sealing changes bytes and no row: the same bytes for the same rows, never both files, never none."""

from __future__ import annotations

import io
import os
import random
import shutil
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from storage.compact import Sealed, compact
from storage.lake import Lake
from storage.partitions import KEPT_BYTES, MAX_APPENDED, MAX_GROUPS, changed, decode, is_sealed, partitions
from storage.schema import SCHEMAS
from storage.store import LocalStore, open_store
from tests.storage.builders import make_article, plan
from tests.storage.test_lake import commit, content, everything, ids, killed, rejected

LATER = date(2024, 4, 1)


def seal(root: Path, before: date = LATER, **options) -> list[Sealed]:
    with Lake.open(root) as lake:
        return list(lake.compact(before, **options))


def sealed_files(root: Path) -> list[bool]:
    files = [path for tree in SCHEMAS for _, path in partitions(root, tree)]
    return [is_sealed(io.BytesIO(path.read_bytes()), str(path)) for path in files]


def only_file(root: Path) -> Path:
    [(_, path)] = partitions(root, "articles")
    return path


# Appending


def test_an_older_version_stays_a_prefix_of_the_file_and_readable(tmp_path):
    versions = []
    with Lake.open(tmp_path) as lake:
        for n in range(0, MAX_GROUPS * 3, 3):
            lake.commit([make_article(at) for at in range(n, n + 3)], run_id="run")
            versions.append(only_file(tmp_path).read_bytes())
    newest = versions[-1]
    for number, version in enumerate(versions, 1):
        assert newest.startswith(version)
        file = tmp_path / "older.parquet"
        file.write_bytes(version)
        expected = {f"acme:{n}" for n in range(number * 3)}
        found = pq.ParquetFile(file, page_checksum_verification=True).read()
        assert found.schema.equals(SCHEMAS["articles"], check_metadata=True)
        by_duckdb = duckdb.sql(f"SELECT article_id FROM read_parquet('{file}')").fetchall()
        assert {row[0] for row in by_duckdb} == set(found["article_id"].to_pylist()) == expected
        assert set(pl.read_parquet(file)["article_id"]) == expected
        # A footer that was read before the file grew still points to what it did.
        with file.open("r+b") as opened:
            footer = pq.read_metadata(opened)
            opened.seek(0)
            opened.write(newest)
            assert pq.ParquetFile(opened, metadata=footer).read().num_rows == number * 3


def test_w19_a_file_is_written_anew_after_sixteen_appends(tmp_path):
    groups = []
    with Lake.open(tmp_path) as lake:
        for n in range(2 * MAX_GROUPS + 3):
            lake.commit([make_article(n)], run_id="run")
            groups.append(pq.read_metadata(only_file(tmp_path)).num_row_groups)
    assert (max(groups), groups[MAX_GROUPS]) == (MAX_GROUPS, 1)
    assert len(ids(tmp_path)) == 2 * MAX_GROUPS + 3


@pytest.mark.parametrize(("articles", "groups"), [(MAX_APPENDED, 2), (MAX_APPENDED + 1, 1)])
def test_many_new_rows_are_not_appended(tmp_path, articles, groups):
    commit(tmp_path, [make_article(n) for n in range(5)], [make_article(n) for n in range(5, 5 + articles)])
    assert pq.read_metadata(only_file(tmp_path)).num_row_groups == groups


def test_a_revision_has_the_file_written_anew(tmp_path):
    commit(tmp_path, [make_article(1)], [make_article(2)], [make_article(1, title="新标题", minutes=9)])
    assert pq.read_metadata(only_file(tmp_path)).num_row_groups == 1


def test_a_file_written_anew_keeps_its_older_version_in_front_until_that_is_too_long(tmp_path):
    versions = []
    with Lake.open(tmp_path) as lake:
        for n in range(40):
            article = make_article(1, title=f"标题{n}", text=random.Random(n).randbytes(40_000).hex(), minutes=n)
            lake.commit([article], run_id="run")
            versions.append(only_file(tmp_path).read_bytes())
            assert pq.read_metadata(only_file(tmp_path)).num_rows == 1
    kept = [newer.startswith(older) for older, newer in pairwise(versions)]
    assert kept[0]
    assert not all(kept)
    assert max(map(len, versions)) < KEPT_BYTES + 200_000
    for older, newer, in_front in zip(versions, versions[1:], kept, strict=False):
        if in_front:
            # Who planned with the older one finds its footer, and its rows.
            assert pq.read_table(io.BytesIO(newer[: len(older)])).equals(pq.read_table(io.BytesIO(older)))


# Sealing


def test_sealed_bytes_are_a_function_of_the_rows(tmp_path):
    batch = [make_article(n, text=f"{n}" * 50) for n in range(40)]
    commit(tmp_path / "once", batch)
    with Lake.open(tmp_path / "pieces") as lake:
        # Numbers of commits are part of the rows: only the files differ.
        lake.commit(batch, run_id="run")
    path = only_file(tmp_path / "pieces")
    data = None
    whole = decode(path.read_bytes(), "whole").to_pylist()
    for row in whole[::-1]:
        data = changed(data, "pieces", "articles", (), [row])
    path.write_bytes(data)
    before = everything(tmp_path / "pieces")
    [one], [other] = seal(tmp_path / "once"), seal(tmp_path / "pieces")
    assert (one.key, one.bytes_after) == (other.key, other.bytes_after)
    assert other.bytes_after < other.bytes_before / 2
    assert content(tmp_path / "once") == content(tmp_path / "pieces")
    assert everything(tmp_path / "pieces") == before
    assert seal(tmp_path / "once") == []


def test_only_quiet_days_of_the_named_sources_are_sealed(tmp_path):
    commit(tmp_path, [make_article(1), make_article(2, date=date(2024, 3, 8)), make_article(3, source="other")])
    undated = make_article(4, date=None, published_at=None, published_precision="none")
    commit(tmp_path, [undated])
    with Lake.open(tmp_path) as lake:
        lake.quarantine([rejected()], run_id="run")
        found = [sealed.key.split("/")[1:3] for sealed in lake.compact(date(2024, 3, 8), sources=["acme"])]
        assert found == [["source=acme", "date=2024-03-05"]]
        found = [sealed.key.split("/")[:2] for sealed in lake.compact(date(2024, 3, 8))]
        assert found == [["articles", "source=other"], ["quarantine", "reason=notext"]]
        # The undated ones are quiet when nothing has come for as long.
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        assert len(list(lake.compact(tomorrow, sources=["acme"]))) == 2


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path):
    commit(tmp_path, plan()[:20], plan()[20:])
    before = content(tmp_path)
    said = list(compact(open_store(tmp_path), LATER, dry_run=True))
    assert content(tmp_path) == before
    assert said == seal(tmp_path)


def test_a_sealed_day_takes_late_articles_and_is_sealed_again(tmp_path):
    commit(tmp_path, [make_article(1)])
    seal(tmp_path)
    commit(tmp_path, [make_article(2)])
    assert sealed_files(tmp_path) == [False]
    assert pq.read_metadata(only_file(tmp_path)).num_row_groups == 1
    assert len(seal(tmp_path)) == 1
    assert ids(tmp_path) == ["acme:1", "acme:2"]


def test_a_damaged_file_is_named_and_the_others_are_sealed(tmp_path):
    commit(tmp_path, [make_article(1), make_article(2, source="other", text=os.urandom(5000).hex())])
    path = [path for _, path in partitions(tmp_path, "articles")][1]
    data = bytearray(path.read_bytes())
    data[len(data) // 6] ^= 1
    path.write_bytes(data)
    fine, broken = seal(tmp_path)
    assert (fine.error, broken.key) == ("", "articles/source=other/date=2024-03-05/articles.parquet")
    assert "not a readable Parquet file" in broken.error
    assert path.read_bytes() == data


def test_a_file_that_is_written_to_meanwhile_is_left_for_the_next_time(tmp_path, monkeypatch):
    commit(tmp_path, [make_article(1)])
    store, read = open_store(tmp_path), LocalStore.read

    def read_and_be_overtaken(self: LocalStore, key: str):
        blob = read(self, key)
        if self is store:
            commit(tmp_path, [make_article(2)])
        return blob

    monkeypatch.setattr(LocalStore, "read", read_and_be_overtaken)
    assert list(compact(store, LATER)) == []
    assert ids(tmp_path) == ["acme:1", "acme:2"]


@pytest.mark.parametrize("point", ["write:2", "fsync:3", "rename", "rename:3", "staged:2", "published", "published:4"])
def test_w17_a_compaction_that_is_killed_leaves_old_files_or_new_ones(tmp_path, point):
    root = tmp_path / "lake"
    commit(root, plan()[:20], plan()[20:])
    whole = everything(root)
    old = content(root)
    shutil.copytree(root, tmp_path / "other")
    seal(tmp_path / "other")
    new = content(tmp_path / "other")
    killed(lambda: seal(root), point)
    found = content(root)
    assert found.keys() == old.keys()
    assert all(data in (old[key], new[key]) for key, data in found.items())
    assert everything(root) == whole
    seal(root)
    assert content(root) == new
    assert list((root / "_state" / "staging").iterdir()) == []

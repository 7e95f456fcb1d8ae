"""A pack holds a month's rows as the partitions do, and is made anew only when they change."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import duckdb

from storage.lake import Lake
from storage.pack import pack, pack_key
from storage.query import query
from tests.storage.builders import MORNING, make_article, plan

KEY = "article_id, source, date, revision, text"


def rows_of_packs(root):
    glob = str(root / "packs/**/*.parquet")
    return duckdb.sql(f"SELECT {KEY} FROM read_parquet('{glob}') ORDER BY ALL").fetchall()


def test_packs_hold_what_the_partitions_hold(tmp_path):
    april = make_article(50, date=date(2024, 4, 1), published_at=MORNING + timedelta(days=27))
    undated = make_article(51, date=None, published_at=None, published_precision="none")
    with Lake.open(tmp_path) as lake:
        lake.commit([*plan(), april, undated], run_id="run")
    packed = pack(tmp_path)
    assert packed.written == ("2024-03", "2024-04", "__HIVE_DEFAULT_PARTITION__")
    expected = query(tmp_path, f"SELECT {KEY} FROM articles ORDER BY ALL")[1]
    assert rows_of_packs(tmp_path) == expected


def written_at(path: Path) -> tuple[int, int]:
    """Which file it is and when its bytes changed; reading it changes its access time."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


def test_only_months_that_changed_are_written(tmp_path):
    shanghai = timezone(timedelta(hours=8))
    for month in (3, 4):
        at = datetime(2024, month, 5, 9, tzinfo=shanghai)
        with Lake.open(tmp_path) as lake:
            lake.commit([make_article(month, date=at.date(), published_at=at)], run_id="run")
    assert pack(tmp_path).written == ("2024-03", "2024-04")
    before = written_at(tmp_path / pack_key("2024-03"))
    with Lake.open(tmp_path) as lake:
        lake.commit([make_article(9, date=date(2024, 4, 5))], run_id="run")
    assert pack(tmp_path).written == ("2024-04",)
    assert written_at(tmp_path / pack_key("2024-03")) == before
    assert pack(tmp_path).written == ()


def test_a_month_that_lost_its_last_article_loses_its_pack(tmp_path):
    with Lake.open(tmp_path) as lake:
        lake.commit([make_article(1)], run_id="run")
    pack(tmp_path)
    next((tmp_path / "articles").rglob("*.parquet")).unlink()
    assert pack(tmp_path).removed == ("2024-03",)
    assert not (tmp_path / pack_key("2024-03")).exists()


def test_a_torn_pack_is_made_anew(tmp_path):
    with Lake.open(tmp_path) as lake:
        lake.commit([make_article(1)], run_id="run")
    pack(tmp_path)
    path = tmp_path / pack_key("2024-03")
    path.write_bytes(path.read_bytes()[:100])
    assert pack(tmp_path).written == ("2024-03",)
    assert len(rows_of_packs(tmp_path)) == 1

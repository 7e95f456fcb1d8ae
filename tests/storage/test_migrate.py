"""Files of another age: an older one is read, written to and brought up to date; a newer one is left alone, loudly."""

from __future__ import annotations

from pathlib import Path

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from storage.errors import LakeError
from storage.lake import Lake
from storage.partitions import read_partition
from storage.query import query
from storage.schema import SCHEMAS
from tests.storage.builders import make_article

SEEN = "SELECT article_id, title, text, summary FROM articles ORDER BY article_id"


@pytest.fixture
def lake(tmp_path) -> Path:
    with Lake.open(tmp_path) as lake:
        lake.commit([make_article(n, summary="摘要") for n in range(3)], run_id="run")
    return tmp_path


def rewritten(lake: Path, change) -> Path:
    """The one partition, as another finnews would have written it."""
    [path] = (lake / "articles").rglob("*.parquet")
    table = change(pq.read_table(path, partitioning=None))
    pq.write_table(table, path, write_page_checksum=True)
    return path


def without_summary(table: pa.Table) -> pa.Table:
    """As if `summary` had been added since."""
    return table.drop_columns(["summary"])


def with_mood(table: pa.Table) -> pa.Table:
    return table.append_column("mood", pa.array(["calm"] * len(table)))


def test_w13_an_older_file_is_read_with_nulls(lake):
    table = read_partition(rewritten(lake, without_summary))
    assert table.schema.equals(SCHEMAS["articles"])
    assert table["summary"].null_count == 3


def test_w13_an_older_file_takes_new_rows(lake):
    path = rewritten(lake, without_summary)
    with Lake.open(lake) as opened:
        opened.commit([make_article(3, summary="新")], run_id="later")
    assert [row[3] for row in query(lake, SEEN)[1]] == [None, None, None, "新"]
    assert pq.read_schema(path).names == SCHEMAS["articles"].names


def test_w13_a_newer_file_keeps_its_column(lake):
    """Rewriting it would lose what we do not know of: nothing is written, and the error says what to do."""
    path = rewritten(lake, with_mood)
    before = path.read_bytes()
    with pytest.raises(LakeError, match=r"columns of a newer finnews \(mood\); upgrade"), Lake.open(lake) as opened:
        opened.commit([make_article(3)], run_id="later")
    assert path.read_bytes() == before
    assert len(query(lake, SEEN)[1]) == 3


def test_migrate_gives_every_file_the_columns_of_today(lake):
    rewritten(lake, without_summary)
    with Lake.open(lake) as opened:
        opened.commit([make_article(9, source="other")], run_id="later")
    with pytest.raises(polars.exceptions.PolarsError):
        polars.read_parquet(lake / "articles", hive_partitioning=True)
    before = query(lake, SEEN.replace(", summary", ""))[1]
    with Lake.open(lake) as opened:
        assert [migrated.rows for migrated in opened.migrate()] == [3]
        assert list(opened.migrate()) == []
    assert query(lake, SEEN.replace(", summary", ""))[1] == before
    assert polars.read_parquet(lake / "articles", hive_partitioning=True).height == 4

"""What is exported is what the lake holds, whole or not at all."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta

import duckdb
import polars
import pytest

from storage.errors import QueryError
from storage.export import Selection, export
from storage.lake import Lake
from storage.query import query
from tests.storage.builders import MORNING, make_article, plan


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("lake")
    odd = make_article(77, title='Says "one, two"\n三', tags=('a"b', "c,d"), source="odd")
    with Lake.open(root) as lake:
        lake.commit([*plan(), odd], run_id="run")
    return root


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [row | {"tags": json.loads(row["tags"])} for row in csv.DictReader(file)]


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_duckdb(path):
    with duckdb.connect(path, read_only=True) as connection:
        return connection.sql("from articles").pl().to_dicts()


def read_parquet(path):
    return polars.read_parquet(path, hive_partitioning=False).to_dicts()


READERS = {"csv": read_csv, "jsonl": read_jsonl, "duckdb": read_duckdb, "parquet": read_parquet}


@pytest.mark.parametrize("suffix", READERS)
def test_all_formats_hold_the_same_rows(lake, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    count = export(lake, out, Selection())
    rows = READERS[suffix](out)
    expected = query(lake, "SELECT article_id, source, title, text, tags FROM articles ORDER BY article_id")[1]
    got = [(row["article_id"], row["source"], row["title"], row["text"], row["tags"]) for row in rows]
    assert sorted(got) == expected
    assert count == len(rows) > 5


def test_a_table_without_texts(lake, tmp_path):
    export(lake, tmp_path / "out.jsonl", Selection(with_text=False))
    row = read_jsonl(tmp_path / "out.jsonl")[0]
    assert row["title"]
    assert not {"text", "removed", "fingerprint"} & set(row)


def test_days_and_sources(lake, tmp_path):
    out = tmp_path / "out.jsonl"
    export(lake, out, Selection(sources=["acme", "odd"], since=date(2024, 3, 5), until=date(2024, 3, 5)))
    assert {(row["source"], row["date"]) for row in read_jsonl(out)} == {("odd", "2024-03-05")}
    export(lake, out, Selection(sources=["acme"], since=date(2024, 3, 4), until=date(2024, 3, 4)))
    assert {(row["source"], row["date"]) for row in read_jsonl(out)} == {("acme", "2024-03-04")}


def test_as_of_a_moment(lake, tmp_path):
    assert export(lake, tmp_path / "out.csv", Selection(as_of=MORNING - timedelta(days=1))) == 0
    assert export(lake, tmp_path / "out.csv", Selection(as_of=MORNING + timedelta(days=1))) > 5


@pytest.mark.parametrize("tree", ["duplicates", "revisions", "quarantine"])
def test_the_other_tables(lake, tmp_path, tree):
    count = export(lake, tmp_path / "out.parquet", Selection(tree=tree))
    assert count == query(lake, f"SELECT count(*) FROM {tree}")[1][0][0]


def test_what_is_there_stays_until_the_new_one_is_whole(lake, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("former", encoding="utf-8")
    with pytest.raises(QueryError, match="no duplicates"):
        export(lake, out, Selection(tree="duplicates", as_of=MORNING))
    assert out.read_text(encoding="utf-8") == "former"
    with pytest.raises(QueryError, match="no_such_folder"):
        export(lake, tmp_path / "no_such_folder" / "out.csv", Selection())
    assert list(tmp_path.iterdir()) == [out]


def test_an_unknown_format_names_the_known(lake, tmp_path):
    with pytest.raises(QueryError, match="csv, jsonl, duckdb, parquet"):
        export(lake, tmp_path / "out.xls", Selection())


@pytest.mark.parametrize(
    "title", ['=HYPERLINK("http://evil.example")', "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1"]
)
def test_s19_a_spreadsheet_takes_no_title_for_a_formula(tmp_path, title):
    root, out = tmp_path / "lake", tmp_path / "out.csv"
    with Lake.open(root) as lake:
        lake.commit([make_article(1, title=title), make_article(2)], run_id="run")
    export(root, out, Selection())
    assert [row["title"] for row in read_csv(out)] == [f"'{title}", "第2号公告"]
    export(root, tmp_path / "out.jsonl", Selection())
    assert read_jsonl(tmp_path / "out.jsonl")[0]["title"] == title

"""The schema is complete, described, and says the same in every form."""

from __future__ import annotations

import json

from articles.records import Article, Decision
from storage.schema import (
    COLUMNS,
    DICTIONARY,
    HISTORY,
    JOURNAL,
    SCHEMAS,
    SORT,
    STATISTICS,
    TREES,
    article_of,
    observed_row,
    schema_document,
    schema_markdown,
)
from tests.storage.builders import make_article


def test_every_field_of_every_tree_is_described():
    for schema in SCHEMAS.values():
        assert all(field.metadata[b"description"] for field in schema)


def test_a_row_is_the_article_and_its_history():
    row = observed_row(make_article())
    assert {*row, *HISTORY} >= {column.name for column in COLUMNS}
    assert set(row).isdisjoint(HISTORY)
    assert {*row, "source", "date"} == set(JOURNAL.names)


def test_no_field_of_the_records_is_forgotten():
    known = {column.name for columns in TREES.values() for column in columns} | {"source", "date"}
    # The digest travels in `extra`, the day in the path; keys, groups and elections are for the ledger.
    assert set(Article.__dataclass_fields__) - known == {"page_digest"}
    assert set(Decision.__dataclass_fields__) - known == {
        "kind",
        "article",
        "day",
        "exact_key",
        "group_id",
        "elections",
    }


def test_an_article_survives_its_row():
    article = make_article(tags=("a",), extra={"k": "v"})
    assert article_of(observed_row(article), source=article.source, day=article.date) == article


def test_tables_of_columns_name_columns_that_exist():
    names = {column.name for columns in TREES.values() for column in columns}
    assert {name.partition(".")[0] for name in DICTIONARY} <= names
    assert set(STATISTICS) <= names
    assert all(set(order) <= set(SCHEMAS[tree].names) for tree, order in SORT.items())


def test_the_document_and_the_page_name_every_column():
    document, page = schema_document(), schema_markdown()
    assert json.loads(json.dumps(document)) == document
    for tree, columns in TREES.items():
        assert [each["name"] for each in document["trees"][tree]["columns"]] == [column.name for column in columns]
        assert f"## {tree}" in page
        assert all(f"| {column.name} |" in page for column in columns)

"""as_of(t) on today's lake is what `articles` was at t: nothing learnt later shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from articles.records import Article
from storage.lake import Lake
from storage.query import query
from tests.storage.builders import MORNING, make_article, plan, retold, telling

SEEN = "SELECT article_id, source, date, revision, title, text, url, flags, extra FROM {} ORDER BY ALL"


def as_of(root: Path, moment: datetime, *, undated: bool = True) -> list[tuple]:
    return query(root, SEEN.format(f"as_of(timestamptz '{moment.isoformat()}', undated := {undated})"))[1]


def commit_in_order(root: Path, articles: list[Article]) -> dict[datetime, list[tuple]]:
    """What a reader of `articles` saw after each commit."""
    saw = {}
    with Lake.open(root) as lake:
        for moment in sorted({article.fetched_at for article in articles}):
            lake.commit([article for article in articles if article.fetched_at == moment], run_id="run")
            saw[moment] = query(root, SEEN.format("articles"))[1]
    return saw


@pytest.mark.parametrize("story", [plan, retold])
def test_as_of_a_commit_is_what_was_read_after_it(tmp_path, story):
    """Revisions, reprints, mirrors, late earlier copies."""
    for moment, rows in commit_in_order(tmp_path, story()).items():
        assert as_of(tmp_path, moment) == rows, moment


def test_a_later_first_does_not_take_the_place_of_the_one_known_then(tmp_path):
    reprint = telling(1, source="other", published_at=MORNING, minutes=0)
    original = telling(2, source="acme", published_at=MORNING - timedelta(hours=3), minutes=60)
    commit_in_order(tmp_path, [reprint, original])
    assert [row[0] for row in query(tmp_path, SEEN.format("articles"))[1]] == ["acme:2"]
    assert [row[0] for row in as_of(tmp_path, MORNING + timedelta(minutes=59))] == ["other:1"]
    assert [row[0] for row in as_of(tmp_path, MORNING + timedelta(minutes=60))] == ["acme:2"]


def test_a_deletion_shows_from_when_it_was_seen(tmp_path):
    saw = commit_in_order(tmp_path, [make_article(1)])
    with Lake.open(tmp_path) as lake:
        lake.mark_gone(["acme:1"], at=MORNING + timedelta(hours=2), run_id="run")
    assert as_of(tmp_path, MORNING + timedelta(hours=1)) == saw[MORNING]
    [after] = as_of(tmp_path, MORNING + timedelta(hours=2))
    assert after[-2] == ["gone"]
    assert "gone_at" in after[-1]


def test_undated_articles_are_left_out_unless_asked_for(tmp_path):
    undated = make_article(2, date=None, published_at=None, published_precision="none")
    commit_in_order(tmp_path, [make_article(1), undated])
    assert [row[0] for row in as_of(tmp_path, MORNING, undated=False)] == ["acme:1"]
    assert len(as_of(tmp_path, MORNING)) == 2


def test_c13_as_of_before_the_first_commit_is_empty(tmp_path):
    commit_in_order(tmp_path, [make_article(1)])
    assert as_of(tmp_path, datetime(1990, 1, 1, tzinfo=UTC)) == []


def test_c13_as_of_a_lake_without_any_commit_is_empty(tmp_path):
    assert as_of(tmp_path, MORNING) == []

"""Rows of first versions, made for many partitions at once: what merging makes of each by itself, byte for byte."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from articles.decide import CopyKey, Place
from articles.records import Article
from storage.ledger import Stored
from storage.merge import COPY_TREES, ROWS_AT_ONCE, Change, FirstVersion, first_changes, first_versions, merge
from storage.partitions import encode
from storage.schema import table
from tests.storage.builders import MORNING, make_article

SEQ = 7
FIRST = make_article(1000)


def first_of(article: Article, duplicate_of: str | None = None) -> FirstVersion:
    place = Place(duplicate_of or article.article_id, duplicate_of, "exact" if duplicate_of else None, None)
    stored = Stored(CopyKey(article.article_id, article.source), article.date, article.fetched_at, None, place)
    return FirstVersion(stored, article)


def merged_alone(firsts: list[FirstVersion]) -> list[Change]:
    """Beside a row that has nothing to do with them, so that they are compared."""
    other = first_of(make_article(999))
    [beside] = merge(dict.fromkeys(COPY_TREES), [other.article], [other.copy], SEQ)
    before = {tree: beside.rows if tree == "articles" else table(tree, ()) for tree in COPY_TREES}
    copies, articles = zip(*firsts, strict=True)
    return merge(before, articles, copies, SEQ)


def files(changes: list[Change], *, in_order: bool) -> dict[str, bytes]:
    return {change.tree: encode(change.rows, change.tree, in_order=in_order) for change in changes}


firsts = st.builds(
    lambda number, minutes, is_copy: first_of(
        make_article(
            number,
            published_at=None if minutes == 0 else MORNING - timedelta(minutes=minutes),
            # What the page says of its predecessor is told anew.
            flags=("short", "replaced") if number % 3 else (),
            extra={"changed": "title"} if number % 2 else {},
        ),
        FIRST.article_id if is_copy else None,
    ),
    st.integers(1, 40),
    st.integers(0, 3),
    st.booleans(),
)
parts = st.lists(st.lists(firsts, min_size=1, max_size=12, unique_by=lambda first: first.copy.key), max_size=5)


@given(parts)
def test_first_rows_of_many_partitions_are_those_of_each_alone(parts):
    observed = [first_versions(*zip(*part, strict=True)) for part in parts]
    at_once = [files(changes, in_order=True) for changes in first_changes(observed, SEQ)]
    assert at_once == [files(merged_alone(part), in_order=False) for part in parts]


def test_partitions_are_told_in_their_order_however_many_rows_they_have():
    sizes = (3, 0, ROWS_AT_ONCE, 1, 0, ROWS_AT_ONCE + 5, 2)
    numbers = iter(range(sum(sizes)))
    parts = [[first_of(make_article(next(numbers))) for _ in range(size)] for size in sizes]
    changes = list(first_changes(parts, SEQ))
    assert [sum(len(change.rows) for change in each) for each in changes] == list(sizes)
    assert [change.rows["article_id"].to_pylist() for each in changes for change in each] == [
        sorted(first.article.article_id for first in part) for part in parts if part
    ]


def test_a_copy_seen_in_two_versions_or_not_at_all_or_gone_is_compared():
    article = make_article(1)
    copy = first_of(article).copy
    assert first_versions([copy], [article])
    assert not first_versions([copy], [article, make_article(1, text="另一个版本。")])
    assert not first_versions([copy], [])
    gone = Stored(copy.key, copy.day, copy.first_seen_at, MORNING, copy.place)
    assert not first_versions([gone], [article])

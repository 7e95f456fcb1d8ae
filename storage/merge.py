"""One partition before and after a commit: a pure function of the rows it holds and the versions observed.

All rows of a copy lie in one partition: the current one in `articles` or `duplicates`, the superseded ones in
`revisions`. Merging the same versions again, in any order, changes nothing; that is what lets recovery replay a batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from articles.decide import Place, Version, chain, changed, is_replaced, version_of
from articles.records import Article
from storage.ledger import Stored
from storage.schema import SCHEMAS, Row, Tree, article_of, observed_row, observed_table, table

# Superseded and repeated rows appear before they go from where they were: nothing is ever missing.
COPY_TREES: tuple[Tree, ...] = ("revisions", "duplicates", "articles")
# Where a copy can be of which there is one version.
FIRST_TREES: tuple[Tree, ...] = ("duplicates", "articles")
ROWS_AT_ONCE = 512

# In `extra`, beside the flag `gone`.
GONE_AT = "gone_at"
# What a row says beside its page: how it differs from its predecessor, and that the page is gone.
COMPARISON_FLAGS = frozenset({"replaced", "gone"})
COMPARISON_EXTRA = frozenset({"changed", GONE_AT})

Contents: TypeAlias = Mapping[Tree, pa.Table | None]
"""What the files of a partition hold, at least of the copies to be merged; None where there is nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one file."""

    tree: Tree
    rows: pa.Table
    """To be added, in the place of those of `replaced`."""
    replaced: frozenset[str]
    """article_ids whose rows go as these come."""
    gone: frozenset[str]
    """article_ids whose rows have moved to another file: they go when they are visible there."""
    gained: bool
    """Are there rows with the number of this commit?"""


class FirstVersion(NamedTuple):
    """All that was seen of a copy."""

    copy: Stored
    article: Article


def merge(before: Contents, observed: Iterable[Article], copies: Iterable[Stored], seq: int) -> list[Change]:
    """`copies` names the copies to bring up to date, with their places; `observed` what was seen of them."""
    observed, copies = list(observed), list(copies)
    if not any(before.values()) and (firsts := first_versions(copies, observed)):
        return next(first_changes([firsts], seq))
    seen = _by_id(observed)
    touched = pa.array([copy.key.article_id for copy in copies], pa.string())
    old_rows = {tree: _rows_of(before[tree], touched) for tree in COPY_TREES}
    new_rows: dict[Tree, dict[str, list[Row]]] = {tree: defaultdict(list) for tree in COPY_TREES}
    for copy in copies:
        article_id = copy.key.article_id
        old = {tree: old_rows[tree].get(article_id, []) for tree in COPY_TREES}
        for tree, row in _rows(copy, old, seen[article_id], seq):
            new_rows[tree][article_id].append(row)
    changes = (_change(tree, old_rows[tree], new_rows[tree], seq) for tree in COPY_TREES)
    return [change for change in changes if change]


def first_versions(copies: Sequence[Stored], observed: Iterable[Article]) -> list[FirstVersion]:
    """The copies with what was seen of them, if that is one version of each; else none."""
    seen = _by_id(observed)
    if any(len(seen[copy.key.article_id]) != 1 or copy.gone_at for copy in copies):
        return []
    return [
        FirstVersion(copy, _without_comparison(article)) for copy in copies for article in seen[copy.key.article_id]
    ]


def first_changes(partitions: Iterable[Sequence[FirstVersion]], seq: int) -> Iterator[list[Change]]:
    """What `merge` says of each partition where nothing of these copies is there, and so nothing is to be compared. The
    rows of many come about at once, column by column, and are cut: a third of the time of making them file by file. Not
    of all: while those of some are written, the next are made."""
    for some in _by_rows(partitions):
        changes: list[list[Change]] = [[] for _ in some]
        for tree in FIRST_TREES:
            parts = [sorted((each for each in part if _tree_of(each.copy) == tree), key=_in_order) for part in some]
            for number, rows in _first_rows(tree, parts, seq):
                changes[number].append(Change(tree, rows, replaced=frozenset(), gone=frozenset(), gained=True))
        yield from changes


def _by_rows(partitions: Iterable[Sequence[FirstVersion]]) -> Iterator[list[Sequence[FirstVersion]]]:
    some, rows = list[Sequence[FirstVersion]](), 0
    for part in partitions:
        some.append(part)
        rows += len(part)
        if rows >= ROWS_AT_ONCE:
            yield some
            some, rows = [], 0
    yield some


def _by_id(observed: Iterable[Article]) -> dict[str, list[Article]]:
    seen: dict[str, list[Article]] = defaultdict(list)
    for article in observed:
        seen[article.article_id].append(article)
    return seen


def _first_rows(tree: Tree, parts: Sequence[Sequence[FirstVersion]], seq: int) -> Iterator[tuple[int, pa.Table]]:
    """Of each part that has any, with its number."""
    firsts = [each for part in parts for each in part]
    if not firsts:
        return
    places = {name: [getattr(each.copy.place, name) for each in firsts] for name in Place._fields}
    history: dict[str, list[Any]] = {
        "revision": [1] * len(firsts),
        "first_seen_at": [each.copy.first_seen_at for each in firsts],
        "ingest_seq": [seq] * len(firsts),
    }
    rows, past = observed_table(SCHEMAS[tree], [each.article for each in firsts], **history, **places), 0
    for number, part in enumerate(parts):
        if part:
            yield number, rows.slice(past, len(part))
            past += len(part)


def _in_order(first: FirstVersion) -> tuple[bool, datetime | None, str]:
    """As SORT has it for both trees: what has no time stands last."""
    article = first.article
    return article.published_at is None, article.published_at, article.article_id


def _rows_of(table: pa.Table | None, ids: pa.Array) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = defaultdict(list)
    if table is not None:
        for row in table.filter(pc.is_in(table["article_id"], ids)).to_pylist():
            rows[row["article_id"]].append(row)
    return rows


def _rows(
    copy: Stored, old: Mapping[Tree, Sequence[Row]], observed: Iterable[Article], seq: int
) -> list[tuple[Tree, Row]]:
    """All rows of one copy, each with its tree."""
    articles: dict[Version, Article] = {}
    stored = [article_of(row, source=copy.key.source, day=copy.day) for rows in old.values() for row in rows]
    # What is observed may be a row that comes from another partition.
    for article in map(_without_comparison, (*stored, *observed)):
        articles.setdefault(version_of(article, ""), article)
    versions = [articles[version] for version in chain(articles)]
    rows = []
    for revision, article in enumerate(versions, 1):
        if revision > 1:
            article = _compared(versions[revision - 2], article)
        if revision == len(versions) and copy.gone_at is not None:
            article = _gone(article, copy.gone_at)
        tree: Tree = "revisions"
        if revision == len(versions):
            tree = _tree_of(copy)
        row = observed_row(article) | _history(copy, tree, revision)
        rows.append((tree, row | {"ingest_seq": _seq_of(row, old[tree], seq)}))
    return rows


def _tree_of(copy: Stored) -> Tree:
    return "duplicates" if copy.place.duplicate_of else "articles"


def _without_comparison(article: Article) -> Article:
    """As it was observed: what it differs in from its predecessor is told anew, for that may be another one now."""
    if COMPARISON_FLAGS.isdisjoint(article.flags) and COMPARISON_EXTRA.isdisjoint(article.extra):
        return article
    extra = {name: value for name, value in article.extra.items() if name not in COMPARISON_EXTRA}
    return replace(article, extra=extra, flags=tuple(flag for flag in article.flags if flag not in COMPARISON_FLAGS))


def _compared(before: Article, after: Article) -> Article:
    extra = {**after.extra, "changed": ",".join(changed(before, after))}
    flags = (*after.flags, "replaced") if is_replaced(before, after) else after.flags
    return replace(after, extra=extra, flags=flags)


def _gone(article: Article, at: datetime) -> Article:
    """A tombstone: the text stays."""
    return replace(article, extra={**article.extra, GONE_AT: at.isoformat()}, flags=(*article.flags, "gone"))


def _history(copy: Stored, tree: Tree, revision: int) -> Row:
    history = {"revision": revision, "first_seen_at": copy.first_seen_at, "cluster_id": copy.place.cluster_id}
    if tree == "duplicates":
        history |= copy.place._asdict()
    return history


def _seq_of(row: Row, old: Iterable[Row], seq: int) -> int:
    """A row that stays as it is keeps its number: readers of what is new must not see it again."""
    same = (known for known in old if row == {name: value for name, value in known.items() if name != "ingest_seq"})
    return next((int(known["ingest_seq"]) for known in same), seq)


def _change(tree: Tree, old: Mapping[str, list[Row]], new: Mapping[str, list[Row]], seq: int) -> Change | None:
    other = {
        article_id for article_id, rows in new.items() if _by_revision(rows) != _by_revision(old.get(article_id, ()))
    }
    gone = frozenset(old.keys() - new.keys())
    if not other and not gone:
        return None
    rows = [row for article_id in sorted(other) for row in new[article_id]]
    gained = any(row["ingest_seq"] == seq for row in rows)
    return Change(tree, table(tree, rows), frozenset(other & old.keys()), gone, gained)


def _by_revision(rows: Iterable[Row]) -> dict[int, Row]:
    return {row["revision"]: row for row in rows}

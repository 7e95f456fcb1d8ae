"""The same page, read again by better rules: what becomes of its row. Not a revision, for the site has changed nothing.

What the page says is replaced in place: title, text, fields, published_at. What happened stays: article_id, revision,
fetched_at, first_seen_at, raw_ref. Where the new reading makes two versions one text, or names another day or first of
a cluster, the lake's ledger is made anew from the rows and brings them up to date, as for any batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from articles.fingerprint import with_fingerprints
from articles.records import Article
from storage.merge import COMPARISON_EXTRA, COMPARISON_FLAGS
from storage.schema import HISTORY, PAGE_DIGEST, Row, dump_extra, load_extra, observed_row

# A reader of what is new need not see a row again because another version has come to the same.
SILENT = ("extractor", "ingest_seq")
STAYS = ("article_id", "fetched_at", "raw_ref")
# What identities, revisions, clusters and partitions are decided by.
DECIDING = ("text_hash", "canonical_url", "published_at", "published_precision", "updated_at", "lang", "fingerprint")


RowKey: TypeAlias = tuple[str, int, str, str]


def row_key(row: Mapping[str, Any]) -> RowKey:
    """Tells a row of a file from the others, and from what became of it."""
    return row["article_id"], row["revision"], row["raw_ref"] or "", row["extractor"]


def reread_rows(rows: Sequence[Row], articles: Sequence[Article], seq: int) -> list[Row]:
    """The rows of versions whose pages now read as `articles`; with the number of this commit where that is news."""
    return [_reread(row, article, seq) for row, article in zip(rows, with_fingerprints(articles), strict=True)]


def decides(before: Row, after: Row) -> bool:
    """Could something else be decided about these rows?"""
    return any(before[name] != after[name] for name in DECIDING)


def _reread(row: Row, article: Article, seq: int) -> Row:
    fresh = observed_row(article)
    history = {name: row[name] for name in (*HISTORY, *STAYS) if name in row}
    said = load_extra(row["extra"])
    extra = load_extra(fresh["extra"]) | {name: said[name] for name in (*COMPARISON_EXTRA, PAGE_DIGEST) if name in said}
    flags = [*fresh["flags"], *(flag for flag in row["flags"] if flag in COMPARISON_FLAGS)]
    fresh |= history | {"extra": dump_extra(extra), "flags": flags}
    return fresh if _says(fresh) == _says(row) else fresh | {"ingest_seq": seq}


def _says(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in SILENT}

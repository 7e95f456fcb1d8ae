"""Deduplication of documents that go into no lake: the same decisions, in a ledger of its own that is thrown away.

Whatever the order of the documents, the verdicts are the same, and they are given in the order the documents came in.
Memory is bounded by the near index's cache; the rest lies on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from articles.decide import CopyKey, decide
from articles.fingerprint import with_fingerprints
from articles.records import Article, Decision, DuplicateKind
from storage.ledger import Ledger
from storage.near_index import WINDOW

LINES = """
CREATE TABLE IF NOT EXISTS lines (
    number INTEGER PRIMARY KEY, article_id TEXT NOT NULL, source TEXT NOT NULL, text_hash TEXT NOT NULL,
    repeated INTEGER NOT NULL       -- the same text of the same document came before
)
"""
ADD_LINE = "INSERT INTO lines (article_id, source, text_hash, repeated) VALUES (?, ?, ?, ?)"
VERDICTS = """
SELECT l.article_id, l.source, l.text_hash, repeated, duplicate_of, duplicate_kind, similarity,
       (SELECT count(*) FROM versions v WHERE v.article_id = l.article_id AND v.source = l.source)
FROM lines l JOIN copies c USING (article_id, source) ORDER BY number
"""


class Verdict(NamedTuple):
    article_id: str
    verdict: Literal["new", "duplicate", "revision", "unchanged"]
    duplicate_of: str | None
    kind: DuplicateKind | None
    similarity: float | None


class Bulk:
    """`add` documents in any number of batches, then ask for the `verdicts`."""

    def __init__(self, folder: Path, *, window: timedelta = WINDOW, durable: bool = False) -> None:
        self.ledger = Ledger(folder / "ledger.sqlite", window=window, durable=durable)
        self.ledger.execute(LINES)

    def add(self, articles: Sequence[Article]) -> list[Decision]:
        """All of a batch, or nothing of it. What is decided here, later articles may change."""
        articles = with_fingerprints(articles)
        with self.ledger.transaction():
            decisions = decide(articles, self.ledger)
            self.ledger.record(decisions)
            self.ledger.execute_many(ADD_LINE, map(_line, decisions))
        return decisions

    def verdicts(self) -> Iterator[Verdict]:
        """One for each document, in the order in which they were added."""
        for article_id, source, text_hash, repeated, of, kind, similarity, versions in self.ledger.execute(VERDICTS):
            place = of, kind, similarity
            if repeated:
                yield Verdict(article_id, "unchanged", *place)
            elif versions > 1 and self._first_text(CopyKey(article_id, source)) != text_hash:
                yield Verdict(article_id, "revision", *place)
            else:
                yield Verdict(article_id, "duplicate" if of else "new", *place)

    def close(self) -> None:
        self.ledger.close()

    def _first_text(self, key: CopyKey) -> str:
        [copy] = [copy for copy in self.ledger.copies([key.article_id]) if copy.key == key]
        return copy.versions[0].text_hash


def _line(decision: Decision) -> tuple[str, str, str, int]:
    article = decision.article
    return article.article_id, article.source, article.text_hash, int(decision.kind == "unchanged")

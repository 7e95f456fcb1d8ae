"""The latest texts of a source, for whoever learns from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from storage.query import connect

LATEST = """
SELECT article_id, date, text, raw_ref FROM articles
WHERE source = ? ORDER BY published_at DESC NULLS LAST, article_id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class StoredText:
    article_id: str
    day: date | None
    text: str
    raw_ref: str


def latest_texts(lake: Path, source: str, limit: int) -> list[StoredText]:
    """Newest first. Raises QueryError if there is no lake."""
    with connect(lake) as connection:
        return [StoredText(*row) for row in connection.execute(LATEST, [source, limit]).fetchall()]

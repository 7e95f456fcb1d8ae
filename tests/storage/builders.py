"""Small invented articles for the tests of storage and of decisions."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from articles.identity import text_hash
from articles.records import Article

MORNING = datetime(2024, 3, 5, 1, 0, tzinfo=UTC)
LONG = "某某股份有限公司今日公告称，拟投资建设新的生产线，项目建设期两年，资金来源为自有资金。"


def make_article(number: int = 1, *, source: str = "acme", minutes: int = 0, **changes: Any) -> Article:
    """Article `number` of a source, fetched so many minutes after the morning began."""
    published_at = MORNING - timedelta(minutes=5)
    fields: dict[str, Any] = {
        "article_id": f"{source}:{number}",
        "source": source,
        "date": date(2024, 3, 5),
        "url": f"https://{source}.example/a/{number}.html",
        "canonical_url": f"https://{source}.example/a/{number}.html",
        "title": f"第{number}号公告",
        "text": f"{LONG}公告编号为{source}{number}。",
        "published_at": published_at,
        "published_precision": "minute",
        "fetched_at": MORNING + timedelta(minutes=minutes),
        "extractor": "test 1",
        "raw_ref": f"pages/source={source}/2024-03-05/{number}.warc.gz#0+{number}",
        "page_digest": hashlib.sha256(f"{source}{number}".encode()).hexdigest(),
    } | changes
    return Article(**fields | {"text_hash": text_hash(fields["title"], fields["text"])})


def plan() -> list[Article]:
    """Repeats, revisions, reprints, a mirror and elections, over three sources and three days."""
    made = []
    for n in range(40):
        number, source = n % 9, ("acme", "other", "third")[n % 3]
        made.append(
            make_article(
                number,
                source="mirror" if n % 11 == 10 else source,
                minutes=n,
                article_id=f"{source}:{number}",
                date=date(2024, 3, 4 + number % 3),
                published_at=MORNING - timedelta(minutes=(number * 7 + n % 3 * 5) % 60),
                text=f"{LONG}{number // 3}" + ("更新" if n > 30 else ""),
            )
        )
    return made

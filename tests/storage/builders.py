"""Small invented articles for the tests of storage and of decisions."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from articles.fingerprint import Signature
from articles.identity import text_hash
from articles.records import Article

MORNING = datetime(2024, 3, 5, 1, 0, tzinfo=UTC)
LONG = "某某股份有限公司今日公告称，拟投资建设新的生产线，项目建设期两年，资金来源为自有资金。"

PARAGRAPHS = (
    "港口集团上半年完成货物吞吐量一亿二千万吨，同比增长8.4%，集装箱吞吐量为316万标准箱，创下历年同期新高。",
    "集团负责人表示，新开通的七条近洋航线带动了外贸货源，下半年将继续扩建北岸码头，预计投入26.5亿元。",
    "分析人士认为，区域内几家港口的竞争正由价格转向服务，堆存费用和通关时间成为货主最关心的两项指标。",
    "截至六月末，集团总资产为842亿元，负债率比年初下降1.3个百分点，经营现金流保持净流入。",
)
STORY = "\n".join(PARAGRAPHS)
TRADITIONAL = str.maketrans(
    "团吞长标创历负责开线带动货将续扩码头预计资产为现务两项关师认竞争价转费时间经业绩",
    "團吞長標創歷負責開線帶動貨將續擴碼頭預計資產為現務兩項關師認競爭價轉費時間經業績",
)


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
    said = fields["title"], fields["text"]
    return Article(**{"text_hash": text_hash(*said), "fingerprint": Signature.of(*said).to_bytes()} | fields)


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


def telling(number: int, text: str = STORY, **changes: Any) -> Article:
    """An article about the port: its title, unlike those of notices, names no number that would set it apart."""
    return make_article(number, **{"title": "港口集团上半年业绩", "text": text} | changes)


def retold() -> list[Article]:
    """A story, nearly the same from one telling to the next; its copies; pages revised into and out of it."""
    tellings = ["\n".join(PARAGRAPHS[at] for at in kept) for kept in ((0, 1), (0, 1, 2), (1, 2), (1, 2, 3), (2, 3))]
    told = [
        telling(n, tellings[n], source=source, published_at=MORNING + timedelta(hours=hours), minutes=n)
        for n, source, hours in ((0, "acme", 3), (1, "other", 1), (2, "third", 4), (3, "acme", 0), (4, "other", 5))
    ]
    return [
        *told,
        # An exact copy under another title, and the mirror of one.
        telling(10, tellings[2], source="third", title="转载", published_at=MORNING - timedelta(hours=1)),
        telling(1, tellings[1] + "（完）", source="mirror", article_id="other:1", minutes=50),
        # Revised into another telling; revised into something else; found again as it was, fetched earlier.
        telling(4, tellings[1], source="other", minutes=70, published_at=MORNING + timedelta(hours=5)),
        telling(3, LONG, source="acme", minutes=80),
        telling(4, tellings[3], source="other", minutes=-20),
        telling(20, LONG, source="acme", title="又一则"),
        telling(21, STORY, source="other", date=None, published_at=None, published_precision="none"),
    ]

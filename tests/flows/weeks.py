"""An invented lake with a past: weeks of articles from sources of different habits, reprints, gaps, failures, runs.

    busy    (sina)          around the clock, most in market hours; its list rolled over once
    steady  (eastmoney)     working days, 9 to 17; silent since three working days
    copier  (wallstreetcn)  reprints sina, two hours later
    seldom  (stats)         three a week
    broken  (chinanews)     its last runs failed

Everything is a function of `now` and the seed. Titles and texts are random words.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from articles.identity import text_hash
from articles.records import Article, Reason, Rejected
from storage.frontier import Frontier
from storage.lake import Lake

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Words that no rule takes for a wrapper.
WORDS = tuple("青屿港吞吐箱航线码头同比增长公告收购水务机床板块午后走强租赁晨星泥库存下降棉花期货合约持仓交割")
SOURCES = ("sina", "eastmoney", "wallstreetcn", "stats", "chinanews")
MARKET_HOURS = (9, 10, 11, 13, 14)
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m</td> & \"quotes\" 'n' {{ 7 * 7 }}"


def make_lake(root: Path, now: datetime, *, weeks: int = 8, share: float = 1.0, seed: int = 7) -> Path:
    """`share` scales how many articles there are."""
    rng = random.Random(seed)
    since = now - timedelta(weeks=weeks)
    with Lake.open(root) as lake:
        articles = sorted(_articles(rng, since, now, share), key=lambda article: article.fetched_at)
        for at in range(0, len(articles), 1000):
            lake.commit(articles[at : at + 1000], run_id="r")
        lake.quarantine(_refused(rng, now), run_id="r")
        _add_runs(lake, rng, since, now)
        for source, hours in (
            ("sina", 0.2),
            ("wallstreetcn", 0.2),
            ("stats", 0.2),
            ("chinanews", 0.2),
            ("eastmoney", 0.2),
        ):
            newest = max(a.published_at for a in articles if a.source == source and a.published_at)
            at = now - timedelta(hours=hours)
            lake.ledger.record_crawl(source, at=at, succeeded=source != "chinanews", newest_at=newest)
    with Frontier(root, "sina") as frontier:
        begin = now - timedelta(days=6)
        frontier.gap("https://list.example/roll?page=1", begin, begin + timedelta(days=2))
    return root


def _articles(rng: random.Random, since: datetime, now: datetime, share: float) -> Iterator[Article]:
    hour = since.replace(minute=0, second=0, microsecond=0)
    number = 0
    while hour < now - timedelta(hours=2):
        local = hour.astimezone(SHANGHAI)
        working, market = local.weekday() < 5, local.hour in MARKET_HOURS
        rates = {
            "sina": (4.0 if working and market else 0.6) * share,
            "eastmoney": (2.0 * share if working and 9 <= local.hour <= 17 and now - hour > timedelta(days=4) else 0.0),
            "stats": (1.0 if local.weekday() in (0, 2, 4) and local.hour == 10 else 0.0),
            "chinanews": (0.8 * share if now - hour > timedelta(hours=30) else 0.0),
        }
        for source, rate in rates.items():
            for _ in range(int(rate) + (rng.random() < rate % 1)):
                number += 1
                article = _article(rng, source, number, hour + timedelta(minutes=rng.randrange(60)))
                yield article
                if source == "sina" and rng.random() < 0.12:
                    yield _reprint(article, "wallstreetcn", number, hours=rng.uniform(0.5, 4))
        if rng.random() < 0.4 * share:
            number += 1
            yield _article(rng, "wallstreetcn", number, hour + timedelta(minutes=rng.randrange(60)))
        hour += timedelta(hours=1)


def _article(rng: random.Random, source: str, number: int, published_at: datetime) -> Article:
    sentences = ["".join(rng.choices(WORDS, k=24)) + f"{rng.randrange(10_000)}。" for _ in range(rng.randint(2, 14))]
    title, text = "".join(rng.choices(WORDS, k=10)) + str(number), "\n".join(sentences)
    return Article(
        article_id=f"{source}:{number}",
        source=source,
        date=published_at.astimezone(SHANGHAI).date(),
        url=f"https://{source}.example/{number}.html",
        canonical_url=f"https://{source}.example/{number}.html",
        title=title,
        text=text,
        publisher=rng.choice(("晨星财讯", "江海证券报", None)),
        author="陆行简" if rng.random() < 0.3 else None,
        published_at=published_at,
        published_precision="minute",
        fetched_at=published_at + timedelta(minutes=rng.randint(3, 40)),
        text_hash=text_hash(title, text),
        removed=("（文章来源：晨星财讯）",) if rng.random() < 0.7 else (),
        flags=("short",) if len(text) < 100 else (),
        extractor="test 1",
    )


def _reprint(article: Article, source: str, number: int, hours: float) -> Article:
    at = article.published_at + timedelta(hours=hours) if article.published_at else None
    return replace(
        article,
        article_id=f"{source}:r{number}",
        source=source,
        date=at.astimezone(SHANGHAI).date() if at else None,
        url=f"https://{source}.example/r{number}.html",
        canonical_url=f"https://{source}.example/r{number}.html",
        published_at=at,
        fetched_at=article.fetched_at + timedelta(hours=hours),
    )


def _refused(rng: random.Random, now: datetime) -> Iterator[Rejected]:
    for number in range(60):
        source = rng.choice(("sina", "sina", "chinanews", "eastmoney"))
        reason = rng.choice((Reason.NO_TEXT, Reason.NO_TEXT, Reason.HTTP, Reason.CHALLENGE, Reason.TIMEOUT))
        yield Rejected(
            source=source,
            url=f"https://{source}.example/bad/{number}.html",
            reason=reason,
            detail=f"what was seen on page {number}",
            fetched_at=now - timedelta(hours=rng.uniform(1, 400)),
            raw_ref=f"pages/source={source}/x.warc.gz#{number}+10",
        )
    for url in (f"javascript:alert(1)//{HOSTILE}", f"https://sina.example/?q={HOSTILE}"):
        yield Rejected(source="sina", url=url, reason=Reason.TYPE, detail=HOSTILE, fetched_at=now - timedelta(hours=1))


def _add_runs(lake: Lake, rng: random.Random, since: datetime, now: datetime) -> None:
    at, number = max(since, now - timedelta(days=12)), 0
    while at < now:
        number += 1
        failed = now - at < timedelta(hours=30)
        sources = {
            source: {"error": f"E-HTTP {HOSTILE}" if failed and source == "chinanews" else None, "gate_failures": []}
            for source in SOURCES
        }
        report = {
            "command": "ingest",
            "exit_code": 3 if failed else 0,
            "sources": sources,
            "totals": {
                "discovered": rng.randint(20, 60),
                "stored": rng.randint(5, 20),
                "requests": rng.randint(20, 80),
            },
        }
        seconds = rng.lognormvariate(3, 0.4)
        row = (f"run{number:04}", _us(at), _us(at + timedelta(seconds=seconds)), json.dumps(report))
        lake.ledger.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", *row)
        at += timedelta(hours=6)
    lake.ledger.execute("INSERT INTO runs VALUES ('killed', ?, NULL, NULL)", _us(now - timedelta(hours=2)))


def _us(at: datetime) -> int:
    return int(at.timestamp() * 1e6)


if __name__ == "__main__":
    import sys

    make_lake(Path(sys.argv[1]), datetime.now(UTC))

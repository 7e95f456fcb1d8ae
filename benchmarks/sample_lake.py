"""An invented corpus, written as a lake: five sources, their reprints, revisions and late originals.

    python -m benchmarks.sample_lake sample-lake --days 60

For examples that need weeks of history, which the bundled sample site cannot have. The same seed gives the same rows.
Companies, media and figures are made up.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from articles.identity import text_hash
from articles.records import Article
from storage.lake import Lake

ZONE = ZoneInfo("Asia/Shanghai")
FIRST_DAY = date(2024, 3, 1)
# Articles on a working day; at weekends a fifth of it.
SOURCES = {"harbor": 14, "lantern": 10, "meadow": 8, "canal": 6, "summit": 4}
NAMES = {"harbor": "港湾财经", "lantern": "灯塔日报", "meadow": "草原证券网", "canal": "运河新闻", "summit": "峰会观察"}
COMPANIES = [
    f"{place}{trade}"
    for place in ("云帆", "北辰", "南岭", "青禾", "赤岩")
    for trade in ("重工", "生物", "电力", "物流")
]
CODES = {company: f"99{number:04d}.SH" for number, company in enumerate(COMPANIES, 1)}
# What share of articles others reprint, sites rewrite, and we find only after their reprints.
REPRINTED, REVISED, LATE = 0.25, 0.05, 0.02
OPENINGS = (
    "{company}{day}晚间披露业绩预告，预计本季度净利润{profit}万元，同比{direction}{percent}%。",
    "{company}{day}发布公告称，公司本季度实现净利润{profit}万元，较上年同期{direction}{percent}%。",
    "据{company}{day}公布的数据，本季度净利润为{profit}万元，{direction}幅度为{percent}%。",
)
REASONS = {
    "增长": (
        "主要产品销量上升，单位成本下降。",
        "新签订单集中交付，毛利率回升。",
        "海外市场收入占比提高，汇兑收益增加。",
    ),
    "下降": (
        "原材料价格上涨，订单交付推迟。",
        "主要客户减少采购，存货跌价准备增加。",
        "检修停产时间延长，单位成本上升。",
    ),
}
DETAILS = (
    "报告期内公司研发投入{research}万元，在建项目{projects}个，其中{done}个已经投产。",
    "截至期末，公司在手订单{orders}万元，资产负债率为{debt}%，经营现金流净额{cash}万元。",
    "公司表示，下一季度计划投资{plan}万元扩建{site}号厂区，预计新增产能{capacity}%。",
    "机构调研记录显示，近一个月有{visits}家机构到访，关注点为{site}号厂区的排产和交付。",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    count = write(arguments.lake, days=arguments.days, seed=arguments.seed)
    print(f"{count} observations over {arguments.days} days in {arguments.lake}")


def write(root: Path, *, days: int, seed: int = 1) -> int:
    """Commit the corpus hour by hour, as a schedule would have; gives the number of observations."""
    observed = sorted(corpus(days=days, seed=seed), key=lambda article: (article.fetched_at, article.article_id))
    with Lake.open(root) as lake:
        for day in sorted({article.fetched_at.date() for article in observed}):
            lake.commit([article for article in observed if article.fetched_at.date() == day], run_id=f"sample-{day}")
    return len(observed)


def corpus(*, days: int, seed: int = 1) -> Iterator[Article]:
    """Articles, their revisions and their reprints, in no particular order."""
    dice = random.Random(seed)
    for day in (FIRST_DAY + timedelta(days=n) for n in range(days)):
        for source, per_day in SOURCES.items():
            usual = per_day if day.weekday() < 5 else per_day / 5
            for number in range(round(usual * dice.uniform(0.7, 1.3))):
                yield from _story(dice, source, day, number)


def _story(dice: random.Random, source: str, day: date, number: int) -> Iterator[Article]:
    published_at = datetime.combine(day, time(7), ZONE) + timedelta(minutes=dice.randrange(15 * 60))
    company, direction = dice.choice(COMPANIES), dice.choice(("增长", "下降"))
    percent = f"{dice.uniform(2, 80):.1f}"
    text = _text(dice, company, direction, percent, published_at)
    original = _article(
        source,
        f"{day:%Y%m%d}{number:03d}",
        title=f"{company}：本季度净利润{direction}{percent}%",
        text=text,
        published_at=published_at,
        fetched_at=published_at + timedelta(minutes=dice.randrange(1, 20)),
        symbols=(CODES[company],),
        tags=(direction,),
    )
    if dice.random() < LATE:
        original = replace(original, fetched_at=original.fetched_at + timedelta(hours=30))
    yield original
    if dice.random() < REVISED:
        yield _revised(dice, original)
    if dice.random() < REPRINTED:
        for other in dice.sample([each for each in SOURCES if each != source], dice.randint(1, 3)):
            yield _reprint(dice, original, other)


def _revised(dice: random.Random, original: Article) -> Article:
    """The site corrects itself: growth was a fall. Who reads today's row for that morning knows too much."""
    swap = {"增长": "下降", "下降": "增长"}
    [tag] = original.tags
    title, text = (said.replace(tag, swap[tag]) for said in (original.title, original.text))
    later = original.fetched_at + timedelta(hours=dice.randint(2, 30))
    return replace(
        original, title=title, text=text, tags=(swap[tag],), text_hash=text_hash(title, text), fetched_at=later
    )


def _reprint(dice: random.Random, original: Article, source: str) -> Article:
    assert original.published_at is not None
    published_at = original.published_at + timedelta(minutes=int(dice.lognormvariate(4.5, 1)))
    title = original.title if dice.random() < 0.5 else original.title.replace("：", "公布业绩 ")
    text = original.text if dice.random() < 0.5 else original.text + "\n（转载自合作媒体）"
    return _article(
        source,
        f"r{original.article_id.partition(':')[2]}{original.source[:2]}",
        title=title,
        text=text,
        published_at=published_at,
        fetched_at=published_at + timedelta(minutes=dice.randrange(1, 20)),
        symbols=original.symbols,
        tags=original.tags,
        publisher=NAMES[original.source],
    )


def _text(dice: random.Random, company: str, direction: str, percent: str, at: datetime) -> str:
    figures = {
        name: dice.randrange(2, 99_999)
        for name in ("profit", "research", "projects", "done", "orders", "cash", "plan", "site", "capacity", "visits")
    }
    values = {"company": company, "day": f"{at.month}月{at.day}日", "direction": direction, "percent": percent}
    values |= {name: str(figure) for name, figure in figures.items()} | {"debt": f"{dice.uniform(20, 80):.1f}"}
    details = dice.sample(DETAILS, 3)
    lines = (dice.choice(OPENINGS), "公司称，" + dice.choice(REASONS[direction]), *details)
    return "\n".join(line.format(**values) for line in lines)


def _article(
    source: str,
    number: str,
    *,
    title: str,
    text: str,
    published_at: datetime,
    fetched_at: datetime,
    symbols: tuple[str, ...],
    tags: tuple[str, ...],
    publisher: str | None = None,
) -> Article:
    url = f"https://{source}.example/{number}.html"
    return Article(
        article_id=f"{source}:{number}",
        source=source,
        date=published_at.date(),
        url=url,
        canonical_url=url,
        title=title,
        text=text,
        publisher=publisher or NAMES[source],
        symbols=symbols,
        tags=tags,
        published_at=published_at.astimezone(UTC),
        published_precision="minute",
        fetched_at=fetched_at.astimezone(UTC),
        text_hash=text_hash(title, text),
        extractor="sample 1",
    )


if __name__ == "__main__":
    main()

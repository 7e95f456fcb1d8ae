"""An invented site whose pages are stored and read again, and its source file in two states of its rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from articles.records import Page
from articles.source import Source
from flows.core.rereading import Reader, read_batch
from flows.core.runs import open_run
from flows.settings import Settings

MORNING = datetime(2024, 3, 8, 1, 0, tzinfo=UTC)
RULES = """\
id = "acme"
name = "某某财讯"
hosts = ["acme.example"]
id_regex = '/a/(\\d+)\\.html'

[article]
body = ["div.content"]
"""
# Lets the line of the advertisement through, and takes the wrong time.
FIRST_RULES = RULES + 'published = ["div.visited"]\n'
BETTER_RULES = RULES + 'published = ["div.info"]\ndrop = ["p.promo"]\neditor = ["span.desk"]\n'
PAGE = """\
<html><head><title>{title}_某某财讯</title></head><body><h1>{title}</h1>
<div class="info">{day} <span class="medium">{medium}</span> <span class="desk">{desk}</span></div>
<div class="content"><p>{lead}</p><p class="promo">{promo}</p><p>{rest}</p></div>
<div class="visited">{visited}</div></body></html>
"""
PLACES = ("青屿", "云汀", "南浦", "松岭", "白沙", "临川", "石湖", "金溪")
GOODS = ("铁矿石", "液化天然气", "大豆", "集装箱", "钢材", "化肥", "汽车", "木材")


def page(
    number: int, *, minutes: int = 0, day: int = 5, promo: str = "点击领取独家研报，限时开放", told: str = ""
) -> Page:
    """Article `number`, fetched so many minutes after the morning began. `told` is added to its text."""
    place, goods = PLACES[number % 8], GOODS[number // 8 % 8]
    url = f"https://acme.example/a/{number}.html"
    html = PAGE.format(
        title=f"{place}港{goods}吞吐量创新高",
        day=f"2024-03-{day:02d} 08:{number % 60:02d}",
        medium=f"{place}日报",
        desk=f"{place}海",
        visited=f"2024-03-{day + number % 2:02d} 08:30",
        lead=f"{place}港务局公布，今年前两个月{goods}吞吐量达{number * 37 % 991}.{number % 10}万吨，"
        f"同比增长{number % 17}.3%，第{number}号泊位贡献最大。{told}",
        promo=promo,
        rest=f"该局负责人说，{goods}的需求主要来自内陆的{number * 7 % 53}家企业，"
        f"下半年将再投入{number * 13 % 89}亿元扩建码头和堆场。",
    )
    return Page(
        source="acme",
        url=url,
        final_url=url,
        status=200,
        headers={"content-type": "text/html; charset=utf-8"},
        body=html.encode(),
        fetched_at=MORNING + timedelta(minutes=minutes),
    )


def shell(number: int) -> Page:
    """A page without an article."""
    url = f"https://acme.example/a/{number}.html"
    body = b"<html><body><div id=app></div></body></html>"
    return Page(source="acme", url=url, final_url=url, status=200, body=body, fetched_at=MORNING)


def settings_with(folder: Path, rules: str, lake: str = "lake") -> Settings:
    sources = folder / "sources"
    sources.mkdir(exist_ok=True)
    (sources / "acme.toml").write_text(rules, encoding="utf-8")
    return Settings(lake=str(folder / lake), sources=[sources], workers=1)


@contextmanager
def read_here(settings: Settings, sources: Mapping[str, Source]) -> Iterator[Reader]:
    """In place of flows.core.rereading.open_reader: a pool of processes takes longer to start than all the rest."""
    yield lambda raw_refs: iter(read_batch(settings.lake_path, sources, list(raw_refs)))


def store(settings: Settings, *batches: list[Page]) -> None:
    for batch in batches:
        with open_run(settings, "backfill") as run:
            run.load_documents(batch)

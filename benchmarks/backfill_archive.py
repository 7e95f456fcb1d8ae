"""A web archive of invented news pages, for measuring the backfill: mark-up of several sites, sizes as of real pages.

    python -m benchmarks.backfill_archive pages.warc.gz --pages 50000

Words come from benchmarks.dedup_templates, mark-up from the sample site, and around it what real pages carry: menus,
scripts, lists of other headlines, a footer. One page in eight reprints another; one in ten is of a site that nobody has
described. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import html
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import ascii_lowercase

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.dedup_templates import Document, document
from flows.sample.content import SHANGHAI, SampleArticle
from flows.sample.pages import chinanews_page, chinanews_url, east_money_page, east_money_url, sina_page, sina_url

START = datetime(2026, 3, 2, 6, 0, tzinfo=SHANGHAI)
# What the described sites of the sample publish in a day or so.
A_DAY = 800
REPRINTS = 0.125
# Crawl order is nearly that of publication.
STRAGGLERS = 0.03
MEDIA = ("潮汐财经", "柳溪晚报", "云岭日报", "河湾商报", "青垣证券报", "北渡观察")
EDITORS = ("孟河", "陆一舟", "沈溪", "顾南", "韩汀")
SHARES = {"eastmoney": 0.4, "sina": 0.3, "chinanews": 0.2, "unknown": 0.1}
WORDS = "股债汇市券商基金银行公告季度增长收益成交指数虚构样本港口钢厂电缆运价"
UNKNOWN_HOSTS = ("www.hewan-shangbao.example", "news.beidu.example", "finance.liuxi.example")


@dataclass(frozen=True, slots=True)
class WebPage:
    url: str
    body: bytes
    fetched_at: datetime


def web_pages(count: int, *, seed: int = 0) -> Iterator[WebPage]:
    random = Random(f"archive {seed}")
    minutes = 24 * 60 / A_DAY
    for number in range(count):
        at = START + timedelta(minutes=number * minutes)
        if random.random() < STRAGGLERS:
            at -= timedelta(days=random.randint(1, 20))
        told = number
        if number and random.random() < REPRINTS:
            told = number - random.randint(1, min(number, 200))
        (site,) = random.choices(list(SHARES), SHARES.values())
        yield SITES[site](_article(site, number, document(seed * 10_000_000 + told), at, random), random)


def write_archive(path: Path, count: int, *, seed: int = 0) -> int:
    """As gzip members, if the name ends in .gz; gives the bytes of all pages."""
    total = 0
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")
        for page in web_pages(count, seed=seed):
            total += len(page.body)
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                page.url,
                "response",
                payload=io.BytesIO(page.body),
                length=len(page.body),
                http_headers=headers,
                warc_headers_dict={"WARC-Date": f"{page.fetched_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"},
            )
            writer.write_record(record)
    return total


def write_documents(path: Path, count: int, *, sentences: int = 4) -> Path:
    """Short documents as lines of JSON, for what is measured of the lake and not of extraction."""
    chance = Random(11)
    with path.open("w", encoding="utf-8") as lines:
        for number in range(count):
            text = [f"{''.join(chance.choices(WORDS, k=40))}，第{number}号。" for _ in range(sentences)]
            document = {
                "url": f"https://archive.example/a/{number}.html",
                "title": f"题目{number}号",
                "text": "\n".join(text),
                "published_at": f"2026-{1 + number * 9 // count:02}-{1 + number % 28:02} 09:30:00",
            }
            lines.write(json.dumps(document, ensure_ascii=False) + "\n")
    return path


def _article(site: str, number: int, told: Document, at: datetime, random: Random) -> SampleArticle:
    letters = "".join(random.choices(ascii_lowercase, k=7))
    native_id = {"eastmoney": f"{at:%Y%m%d}{number:010d}", "sina": f"{letters}{number:07d}"}.get(site, f"{number:08d}")
    return SampleArticle(
        key=native_id,
        source=site,
        native_id=native_id,
        title=told.title,
        body="\n".join(told.paragraphs),
        published=at.replace(second=0),
        publisher=random.choice(MEDIA),
        editor=random.choice(EDITORS),
        layout="old" if random.random() < 0.2 else "modern",
        keywords=tuple(random.sample(("债市", "港口", "钢材", "电缆", "运价", "基金"), 2)),
    )


def _described(page: Callable[[SampleArticle], str], url: Callable[[SampleArticle], str]) -> Site:
    def made(article: SampleArticle, random: Random) -> WebPage:
        return _in_its_frame(url(article), page(article), article, random)

    return made


def _unknown(article: SampleArticle, random: Random) -> WebPage:
    title = html.escape(article.title)
    paragraphs = "".join(f"<p>{html.escape(line)}</p>\n" for line in article.body.split("\n"))
    page = (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title}_商报网</title></head><body>"
        f"<div class='main-box'><div class='left-col'><h1 class='headline'>{title}</h1><div class='meta'>"
        f"<span>{article.published:%Y-%m-%d %H:%M}</span> <span>来源：{article.publisher}</span></div>"
        f"<div class='detail-txt'>{paragraphs}<p>（责任编辑：{article.editor}）</p></div></div></div></body></html>"
    )
    url = f"https://{random.choice(UNKNOWN_HOSTS)}/c/{article.published:%Y%m%d}/{article.native_id}.html"
    return _in_its_frame(url, page, article, random)


def _in_its_frame(url: str, page: str, article: SampleArticle, random: Random) -> WebPage:
    frame = _FRAMES.setdefault(article.source, _frame(article.source))
    before, after = page.index(">", page.index("<body")) + 1, page.rindex("</body>")
    headlines = "".join(
        f"<li><a href='/c/{random.randrange(10**8)}.html' title='{line}'>{line}</a></li>\n"
        for line in random.choices(_HEADLINES, k=60)
    )
    body = (
        f"{page[:before]}{frame[0]}{page[before:after]}"
        f"<div class='hot-list side'><h3>热门推荐</h3><ul>{headlines}</ul></div>{frame[1]}{page[after:]}"
    )
    assert article.published is not None
    return WebPage(url, body.encode(), article.published + timedelta(hours=1))


def _frame(name: str) -> tuple[str, str]:
    """Menus and scripts before the page's own content, and more of them behind it."""
    random = Random(f"frame {name}")
    words = ["".join(random.choices("股债基汇期商保银车房港美欧亚科医能材农矿", k=2)) for _ in range(120)]
    menu = "".join(f"<li><a href='/{number}/' target='_blank'>{word}</a></li>" for number, word in enumerate(words))
    return (
        f"<div class='topbar'><ul class='nav clearfix'>{menu}</ul></div>\n{_script(random, 90)}",
        f"<div class='footer'><ul>{menu}</ul><p>本站所载内容均为虚构，仅供测试。</p></div>\n{_script(random, 160)}",
    )


def _script(random: Random, lines: int) -> str:
    code = "\n".join(
        f"window._q{random.randrange(10**6)} = {{ id: 'u{random.randrange(10**9)}', w: {random.randint(1, 999)},"
        f" url: '//static.example/js/{random.randrange(10**9):x}.js', on: function (e) {{ return e && e.id; }} }};"
        for _ in range(lines)
    )
    return f"<script type='text/javascript'>\n{code}\n</script>\n"


Site = Callable[[SampleArticle, Random], WebPage]
SITES: dict[str, Site] = {
    "eastmoney": _described(east_money_page, east_money_url),
    "sina": _described(sina_page, sina_url),
    "chinanews": _described(chinanews_page, chinanews_url),
    "unknown": _unknown,
}
_FRAMES: dict[str, tuple[str, str]] = {}
_HEADLINES = [document(-number).title for number in range(1, 400)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--pages", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_archive(options.path, options.pages, seed=options.seed)


if __name__ == "__main__":
    main()

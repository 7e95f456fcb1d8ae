"""The lists that backfills page through, as their sites are known to want them asked: a server on loopback answers the
request it knows, to the letter, and 400 to every other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import duckdb
import pytest

from flows.core.accounting import Account
from flows.core.backfilling import backfill_sources
from flows.settings import Settings

ZONE = ZoneInfo("Asia/Shanghai")
NEWEST = date(2026, 9, 18)
DAYS = SINCE, UNTIL = date(2026, 9, 14), date(2026, 9, 16)
BEGUN = date(2026, 9, 10)
WORDS = "港口吞吐集装箱船期运价钢材线缆样本公司虚构数据"
# Where the value may be any, what it has to look like.
NUMBER, DAY = r"\d+", r"\d{4}-\d\d-\d\d"
NEWS_COLUMNS = {
    "client": "web",
    "biz": "web_news_col",
    "column": NUMBER,
    "order": "[12]",
    "needInteractData": "0",
    "page_index": NUMBER,
    "page_size": "20",
    "req_trace": ".+",
    "fields": "code,showTime,title,mediaName,summary,image,url,uniqueUrl,Np_dst",
}
ROLL_OF_A_DAY = {
    **dict.fromkeys(("lid", "page", "etime", "stime", "ctime"), NUMBER),
    "pageid": "153",
    "k": "",
    "num": "50",
    "date": DAY,
}
UNIT_OF_A_PAGE = {
    "parseType": "bulidstatic",
    "webId": "8f43c7ad3afc411fb56f281724b73708",
    "tplSetId": "52551ea0e2c14bca8c84792f7aa37ead",
    "pageType": "column",
    "tagId": "分页列表",
    "editType": "null",
    "pageId": "95d89972d8aa4fcea511701cd0f212d9",
    "paramJson": r'\{"pageNo":\d+,"pageSize":15\}',
}
FLASHES = {"channel": "global-channel", "client": "pc", "limit": "100", "cursor": r"\d*"}
ANNOUNCEMENTS = {
    **dict.fromkeys(("plate", "stock", "searchkey", "secid", "category", "trade", "sortName", "sortType"), ""),
    "pageNum": NUMBER,
    "pageSize": "30",
    "column": "szse|sse|hke|third|fund|bond",
    "tabName": "fulltext",
    "seDate": f"{DAY}~{DAY}",
    "isHLtitle": "true",
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Asked:
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


class WrongRequestError(Exception):
    """400, with what is wrong."""


@dataclass
class Story:
    """One invented article; numbers rise with the time."""

    number: int
    at: datetime

    @property
    def title(self) -> str:
        return f"样本港口第{self.number}号船期公告"

    @property
    def text(self) -> str:
        return (
            f"第{self.number}号：" + "".join(WORDS[(self.number * 7 + n * n) % len(WORDS)] for n in range(160)) + "。"
        )


def stories(a_day: int) -> list[Story]:
    """Newest first."""
    days = [BEGUN + timedelta(days=n) for n in range((NEWEST - BEGUN).days + 1)]
    times = [datetime.combine(day, time(8), ZONE) + timedelta(minutes=7 * n) for day in days for n in range(a_day)]
    return [Story(1000 + number, at) for number, at in enumerate(times)][::-1]


@dataclass
class Site:
    """The list of one source. `a_day` of its stories are more than one page."""

    list_host: str
    list_path: str
    a_day: int
    answer: Callable[[Site, Asked], Any]
    page: Callable[[Story], str] = lambda story: ""
    number_in: str = r"(\d{4})\.s?html$"
    """In the address of a page."""
    method: str = "GET"
    asked: list[Asked] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def stories(self) -> list[Story]:
        return stories(self.a_day)

    def respond(self, asked: Asked) -> tuple[int, str, bytes]:
        if asked.path == "/robots.txt":
            return 404, "text/plain", b""
        found = re.search(self.number_in, asked.path)
        if found and asked.path != self.list_path:
            [story] = [story for story in self.stories if story.number == int(found[1])]
            return 200, "text/html; charset=utf-8", self.page(story).encode()
        self.asked.append(asked)
        try:
            if (asked.method, asked.host, asked.path) != (self.method, self.list_host, self.list_path):
                raise WrongRequestError(f"{asked.method} {asked.host}{asked.path}")
            return 200, "application/json", json.dumps(self.answer(self, asked), ensure_ascii=False).encode()
        except WrongRequestError as error:
            self.wrong.append(str(error))
            return 400, "text/plain", str(error).encode()


def of_shape(given: Mapping[str, str], shape: Mapping[str, str]) -> None:
    odd = given.keys() ^ shape.keys()
    wrong = [name for name in given.keys() & shape.keys() if not re.fullmatch(shape[name], given[name])]
    if odd or wrong:
        raise WrongRequestError(f"{sorted(odd)} {[(name, given[name]) for name in wrong]}")


def page_of(rows: list[Any], number: int, size: int) -> list[Any]:
    return rows[(number - 1) * size : number * size]


def columns(site: Site, asked: Asked) -> Any:
    of_shape(asked.query, NEWS_COLUMNS)
    number = int(asked.query["page_index"])
    rows = [
        {
            "code": east_money_code(story),
            "showTime": f"{story.at:%Y-%m-%d %H:%M:%S}",
            "title": story.title,
            "mediaName": "柳溪晚报",
            "summary": story.text[:30],
            "uniqueUrl": f"http://finance.eastmoney.com/a/{east_money_code(story)}.html",
            "url": f"http://finance.eastmoney.com/news/1345,{east_money_code(story)}.html",
        }
        for story in site.stories
    ]
    data = {"page_index": number, "page_size": 20, "totle_hits": len(rows), "list": page_of(rows, number, 20)}
    return {"req_trace": asked.query["req_trace"], "code": "1", "message": "success", "data": data}


def east_money_code(story: Story) -> str:
    return f"{story.at:%Y%m%d}{story.number:010d}"


def roll_of_a_day(site: Site, asked: Asked) -> Any:
    of_shape(asked.query, ROLL_OF_A_DAY)
    day = date.fromisoformat(asked.query["date"])
    begins = int(datetime.combine(day, time(), ZONE).timestamp())
    window = tuple(int(asked.query[name]) for name in ("etime", "stime", "ctime"))
    if window != (begins, begins + 86_400, begins + 86_400):
        raise WrongRequestError(f"{day}: {window}")
    return roll(asked, [story for story in site.stories if story.at.date() == day])


def roll_whatever_the_day(site: Site, asked: Asked) -> Any:
    return roll(asked, site.stories)


def roll(asked: Asked, told: list[Story]) -> Any:
    rows = [
        {
            "docid": f"comos:sample{story.number:07d}",
            "url": f"https://finance.sina.com.cn/wm/{story.at:%Y-%m-%d}/doc-isample{story.number:07d}.shtml",
            "title": story.title,
            "intro": story.text[:30],
            "media_name": "柳溪晚报",
            "ctime": f"{story.at.timestamp():.0f}",
            "mtime": f"{story.at.timestamp():.0f}",
            # One is a video page.
            "vid": "77" if story.at.minute == 21 and story.at.hour == 8 else "0",
        }
        for story in told
    ]
    data = page_of(rows, int(asked.query["page"]), 50)
    return {"result": {"status": {"code": 0, "msg": "succ"}, "total": len(rows), "lid": 2516, "data": data}}


def gateway(site: Site, asked: Asked) -> Any:
    of_shape(asked.query, UNIT_OF_A_PAGE)
    number = json.loads(asked.query["paramJson"])["pageNo"]
    rows = "".join(
        f'<li><a href="/xwfb/rcxwfb/art/2026/art_{story.number:032}.html" title="{story.title}">{story.title}</a>'
        f"<span>[{story.at:%Y-%m-%d}]</span></li>"
        for story in page_of(site.stories, number, 15)
    )
    html = f'<ul>{rows}</ul><div class="pagination" rows="15" pageNo="{number}" count="{len(site.stories)}"></div>'
    return {"code": "200", "success": True, "data": {"html": html}}


def flashes(site: Site, asked: Asked) -> Any:
    of_shape(asked.query, FLASHES)
    before = asked.query["cursor"] or "9999999999"
    rows = [story for story in site.stories if story.at.timestamp() < int(before)][:100]
    items = [
        {
            "id": story.number,
            "title": story.title,
            "content": f"<p>{story.text}</p>",
            "content_text": story.text,
            "display_time": int(story.at.timestamp()),
            "author": {"display_name": "孟河"},
        }
        for story in rows
    ]
    following = f"{rows[-1].at.timestamp():.0f}" if rows else ""
    return {"code": 20000, "message": "OK", "data": {"items": items, "next_cursor": following}}


def announcements(site: Site, asked: Asked) -> Any:
    of_shape(asked.form, ANNOUNCEMENTS)
    if not asked.headers["content-type"].startswith("application/x-www-form-urlencoded"):
        raise WrongRequestError(asked.headers["content-type"])
    since, until = (date.fromisoformat(day) for day in asked.form["seDate"].split("~"))
    told = [story for story in site.stories if since <= story.at.date() <= until]
    rows = [
        {
            "announcementId": f"12259{story.number:05d}",
            "secCode": "000002",
            "secName": "样本股份",
            "orgId": "gssz0000002",
            "announcementTitle": f"关于<em>船期</em>的公告（{story.number}）",
            "announcementTime": int(datetime.combine(story.at.date(), time(), UTC).timestamp() * 1000),
            "adjunctUrl": f"finalpage/{story.at:%Y-%m-%d}/12259{story.number:05d}.PDF",
        }
        for story in page_of(told, int(asked.form["pageNum"]), 30)
    ]
    return {"totalAnnouncement": len(told), "announcements": rows or None, "hasMore": len(rows) == 30}


def east_money_page(story: Story) -> str:
    return (
        f"<html><head><title>{story.title}_东方财富网</title></head><body><div id='topbox'>"
        f"<div class='title'>{story.title}</div><div class='infos'>"
        f"<div class='item'>{story.at:%Y年%m月%d日 %H:%M}</div>"
        f"<div class='item'>来源：<a>柳溪晚报</a></div></div></div>"
        f"<div id='ContentBody'><p>{story.text}</p></div></body>"
    )


def sina_page(story: Story) -> str:
    return (
        f"<html><head><title>{story.title}_新浪财经</title></head><body><h1 class='main-title'>{story.title}</h1>"
        f"<div class='date-source'><span class='date'>{story.at:%Y年%m月%d日 %H:%M}</span>"
        f"<span class='source'>柳溪晚报</span></div><div id='artibody'><p>{story.text}</p></div></body>"
    )


def ministry_page(story: Story) -> str:
    return (
        f"<html><head><meta name='ArticleTitle' content='{story.title}'>"
        f"<meta name='PubDate' content='{story.at:%Y-%m-%d %H:%M}'></head>"
        f"<body><div class='art-con'><p>{story.text}</p></div></body>"
    )


SITES = {
    "eastmoney": lambda: Site("np-listapi.eastmoney.com", "/comm/web/getNewsByColumns", 12, columns, east_money_page),
    "sina": lambda: Site("feed.mix.sina.com.cn", "/api/roll/get", 60, roll_of_a_day, sina_page),
    "mofcom": lambda: Site(
        "www.mofcom.gov.cn",
        "/api-gateway/jpaas-publish-server/front/page/build/unit",
        9,
        gateway,
        ministry_page,
    ),
    "wallstreetcn": lambda: Site("api-one.wallstcn.com", "/apiv1/content/lives", 70, flashes),
    "cninfo": lambda: Site("www.cninfo.com.cn", "/new/hisAnnouncement/query", 40, announcements, method="POST"),
}
# Articles of the days asked for, and requests for lists.
EXPECTED = {
    # The pages from the newest on, until one is older than the days.
    "eastmoney": (3 * 12, 4),
    "mofcom": (3 * 9, 4),
    # Of each day two pages of rows and one without; one row is a video.
    "sina": (3 * 59, 9),
    # From cursor to cursor, until all is older.
    "wallstreetcn": (3 * 70, 5),
    # Of each day two pages of rows and one without.
    "cninfo": (3 * 40, 9),
}


@dataclass
class Served:
    site: Site
    settings: Settings

    def backfill(self, source: str) -> Account:
        return backfill_sources(self.settings, [source], *DAYS, retry_seconds=0.05).sources[source]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Site], Served]]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    servers = []

    def begin(site: Site) -> Served:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        lake = str(tmp_path / "lake")
        return Served(site, Settings(lake=lake, connect_to={"*": address}, workers=1, delay_seconds=0))

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            query, form = (dict(parse_qsl(text, keep_blank_values=True)) for text in (parts.query, sent))
            headers = {name.lower(): value for name, value in self.headers.items()}
            host = headers["host"].partition(":")[0]
            status, kind, body = site.respond(Asked(self.command, host, parts.path, query, form, headers))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.mark.parametrize("source", SITES)
def test_a_list_is_asked_as_its_site_wants_and_paged_to_its_end(source: str, serve: Callable[[Site], Served]) -> None:
    served = serve(SITES[source]())
    account = served.backfill(source)
    assert served.site.wrong == []
    stored, pages = EXPECTED[source]
    assert (account.stored, account.pending, account.units["failed"]) == (stored, 0, 0), account
    assert len(served.site.asked) == pages
    assert days_in(served.settings.lake) == [SINCE, date(2026, 9, 15), UNTIL]


def test_a_roll_that_minds_no_window_is_noticed(serve: Callable[[Site], Served]) -> None:
    site = SITES["sina"]()
    site.answer = roll_whatever_the_day
    account = serve(site).backfill("sina")
    assert (account.stored, account.units["failed"]) == (0, 1)
    assert "E-WINDOW" in account.failures[0]


def days_in(lake: str) -> list[date]:
    found = duckdb.sql(f"select distinct date from read_parquet('{lake}/articles/*/*/*.parquet') order by 1").fetchall()
    return [day for (day,) in found]

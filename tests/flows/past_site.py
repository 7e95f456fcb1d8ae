"""A site of invented articles whose lists page back in three ways, for tests of the backfill.

Every day of 2026-08 and 2026-09 but two has six articles. /day lists one day, /page all of them twenty a page, /cursor
all of them behind a cursor that is a time; all newest first. /year lists one article for each day of any year.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

sys.path.append(str(Path(__file__).parents[1] / "spiders"))

import faultserver as faults

WHOLE = FIRST, LAST = date(2026, 8, 1), date(2026, 9, 30)
HOLIDAYS = {date(2026, 8, 16), date(2026, 9, 13)}
ZONE = ZoneInfo("Asia/Shanghai")
A_DAY, A_PAGE = 6, 20
WORDS = "股债汇市券商基金银行公告季度增长收益成交指数虚构样本港口钢厂电缆运价"

SOURCE = r"""
id = "{id}"
name = "a site that pages back"
hosts = ["{id}.test"]
id_regex = '/a/(\d+)\.html'

[[list]]
kind = "json"
url = "http://{id}.test/{path}"
items = "data"
fields = {{ url = "url", title = "title", published = "time" }}
paging = {paging}

[rate]
delay_seconds = 0
"""
YEARLY = SOURCE.format(id="yearly", path="year?date={date}", paging='{ by = "day", max_pages = 1, since = 2000-01-01 }')
KINDS = {
    "daily": ("day?date={date}&page={page}", '{ by = "day", max_pages = 9, size = 5, since = 2026-08-01 }'),
    "paged": ("page?page={page}", '{ by = "page", max_pages = 40, size = 20 }'),
    "cursed": ("cursor?before={cursor}", '{ by = "cursor", cursor = "next", start = "{day_end}", size = 20 }'),
}


def write_sources(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, (path, paging) in KINDS.items():
        (folder / f"{name}.toml").write_text(SOURCE.format(id=name, path=path, paging=paging), encoding="utf-8")
    (folder / "yearly.toml").write_text(YEARLY, encoding="utf-8")
    return folder


def ids(since: date, until: date) -> list[int]:
    """Of all articles of these days, newest first."""
    return [number for day in days(since, until) for number in reversed(range(*_numbers(day)))]


def days(since: date, until: date) -> Iterator[date]:
    return (until - timedelta(days=number) for number in range((until - since).days + 1))


def _numbers(day: date) -> tuple[int, int]:
    if day in HOLIDAYS or not FIRST <= day <= LAST:
        return 0, 0
    first = (day - FIRST).days * A_DAY
    return first, first + A_DAY


def _time(number: int) -> datetime:
    day = FIRST + timedelta(days=number // A_DAY)
    return datetime(day.year, day.month, day.day, 9 + number % A_DAY, 30, tzinfo=ZONE)


def _row(host: str, number: int) -> dict[str, str]:
    return {
        "url": f"http://{host}/a/{number}.html",
        "title": f"题目{number}号",
        "time": f"{_time(number):%Y-%m-%d %H:%M:%S}",
    }


def answer(turn: faults.Turn) -> None:
    parts = urlsplit(turn.asked.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    host = turn.asked.host.partition(":")[0]
    everything = ids(FIRST, LAST)
    if parts.path == "/robots.txt":
        faults.no_robots(turn)
    elif parts.path == "/day":
        day, page = date.fromisoformat(query["date"]), int(query["page"])
        rows = ids(day, day)[(page - 1) * 5 : page * 5]
        _list(turn, [_row(host, number) for number in rows])
    elif parts.path == "/year":
        number = int(query["date"].replace("-", ""))
        _list(turn, [{**_row(host, 0), "url": f"http://{host}/a/{number}.html", "time": f"{query['date']} 09:30:00"}])
    elif parts.path == "/page":
        page = int(query["page"])
        _list(turn, [_row(host, number) for number in everything[(page - 1) * A_PAGE : page * A_PAGE]])
    elif parts.path == "/cursor":
        older = [number for number in everything if _time(number).timestamp() < float(query["before"])]
        rows = older[:A_PAGE]
        _list(turn, [_row(host, number) for number in rows], next=str(_time(rows[-1]).timestamp()) if rows else None)
    else:
        turn.answer(page_of(host, int(parts.path[3:-5])))


def page_of(host: str, number: int) -> bytes:
    # Each text its own: what is tested here is not the search for duplicates.
    words = random.Random(f"{host}{number}").choices(WORDS, k=240)
    text = "".join(f"<p>{''.join(words[at : at + 40])}，第{number}号。</p>" for at in range(0, 240, 40))
    return f"<html><body><h1>题目{number}号</h1><div>{text}</div></body></html>".encode()


def _list(turn: faults.Turn, rows: list[dict[str, str]], **more: str | None) -> None:
    turn.answer(json.dumps({"data": rows, **more}).encode(), content_type="application/json")

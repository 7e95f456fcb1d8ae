"""Pages that would hang, flood or kill an extracting process cost themselves, and nothing before, behind or beside.

Rows S12 to S15 and H10 are the bombs of the fault list; H11 and T17 say that a row depends on nothing but its page.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import psutil
import pytest

from articles.records import Article, Page, Reason, Rejected
from articles.source import ArticleRules, Source
from flows.core.extraction import AHEAD, CHUNK, Extractors, refuse

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
TITLE = "某省外贸进出口增长一成"
LINE = "全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快，企业信心增强。"
SOURCES = {"known": Source(id="known", name="某某网", hosts=[], article=ArticleRules(body=["#body"]))}
# Of one page, from the moment it is handed over until its fate is known, with the second try that names it.
FEW_SECONDS = 40


def page(inside: str, number: int = 0) -> Page:
    url = f"https://news.example/a/{number}.html"
    html = f"<html><head><title>{TITLE}_某某网</title></head><body><h1>{TITLE}</h1><div id=body>{inside}</div></body>"
    return Page(
        source="known", url=url, final_url=url, status=200, body=html.encode(), fetched_at=NOW, raw_ref=f"ref-{number}"
    )


def sound(number: int) -> Page:
    return page(f"<p>{LINE}</p><p>第{number}条：分析人士认为，下半年的增速有望继续回升。</p>", number)


def outcomes(pages: Sequence[Page], **limits: float) -> list[Article | Rejected]:
    with Extractors(SOURCES, workers=2, **limits) as extractors:
        pairs = list(extractors.run(pages))
    assert [asked for asked, _ in pairs] == list(pages)
    return [found for _, found in pairs]


BOMBS = {
    "S12-200000-attributes": lambda: page("<p " + " ".join(f"a{n}=1" for n in range(200_000)) + f">{LINE}</p>"),
    "S12-bare-attributes": lambda: page("<p " + " ".join(f"a{n}" for n in range(200_000)) + f">{LINE}</p>"),
    "S12-on-many-tags": lambda: page(("<p " + " ".join(f"a{n}=1" for n in range(6_000)) + f">{LINE}</p>") * 75),
    "S12-ends-in-quotes": lambda: page("<p " + " ".join(f'a{n}=">"' for n in range(200_000)) + f">{LINE}</p>"),
    "S13-100000-nested-divs": lambda: page("<div>" * 100_000 + LINE),
    "S13-100000-nested-tables": lambda: page("<table><tr><td>" * 100_000 + LINE),
    "S14-200000-links": lambda: page("".join(f"<a href='/{n}'>链接</a>" for n in range(200_000))),
    "S15-50000-rows": lambda: page("<table>" + "<tr><td>品种</td><td>1.5%</td></tr>" * 50_000 + "</table>"),
    "S15-56000-cells": lambda: page("<table><tr>" + "<td>正文一句，到此为止。</td>" * 56_000 + "</tr></table>"),
    "H09-entities": lambda: page("<p>" + "&amp;&lt;&nbsp;" * 200_000),
    "H10-8-MB": lambda: page(f"<p>{LINE}</p>" * (8_000_000 // (len(LINE.encode()) + 7))),
    "H07-unclosed-tags": lambda: page(f"<p><b><i><font>{LINE}" * 10_000),
    "short-paragraphs": lambda: page("<p>甲、</p>" * 55_000),
    "stars-and-digits": lambda: page("<p>" + "2022-01-23 " * 350_000),
    "open-brackets": lambda: page("<p>" + "（来源：" * 300_000),
    "open-quotes-in-a-script": lambda: page("<script>" + '"content":"x' * 300_000 + "</script>"),
    "backslashes-in-a-script": lambda: page('<script>"content":"' + "\\" * 3_900_000 + "</script>"),
    "less-than-signs": lambda: page("<" * 3_900_000),
    "one-long-title": lambda: replace(page(""), body=("<title>" + "字 - " * 700_000).encode()),
    "random-bytes": lambda: replace(page(""), body=bytes((n * n * 7919 >> 5) & 255 for n in range(1_000_000))),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_ends_in_an_article_or_a_reason_and_its_neighbours_are_kept(bomb) -> None:
    pages = [*(sound(number) for number in range(1, 4)), bomb(), *(sound(number) for number in range(4, 12))]
    started = time.monotonic()
    found = outcomes(pages, page_seconds=3)
    assert time.monotonic() - started < FEW_SECONDS
    hit = found.pop(3)
    assert [article.url for article in found] == [page.url for page in pages[:3] + pages[4:]]
    assert all(isinstance(article, Article) and LINE in article.text for article in found)
    if isinstance(hit, Rejected):
        assert hit.reason in (Reason.LIMIT, Reason.TIMEOUT, Reason.NO_TEXT, Reason.NO_TITLE), hit
        assert hit.detail


def slow_page(paragraphs: int, number: int = 0) -> Page:
    """Honest work: 20 to 50 microseconds a paragraph."""
    return page("<p>甲、</p>" * paragraphs, number)


@pytest.mark.slow
def test_a_page_over_its_cpu_time_is_named_and_its_process_replaced() -> None:
    pages = [sound(1), slow_page(55_000, 100), sound(2), slow_page(55_000, 101), *map(sound, range(3, 30))]
    found = outcomes(pages, page_seconds=0.5)
    refused = [one for one in found if isinstance(one, Rejected)]
    assert [(one.reason, one.raw_ref) for one in refused] == [(Reason.TIMEOUT, "ref-100"), (Reason.TIMEOUT, "ref-101")]
    assert "0.5 CPU seconds" in refused[0].detail
    assert len(found) - len(refused) == 29


@pytest.mark.slow
def test_the_limit_is_of_cpu_time_so_that_a_busy_machine_refuses_nothing() -> None:
    """More workers than cores, each at one slow page: by the wall clock, every page takes longer than its limit."""
    workers = 3 * len(os.sched_getaffinity(0))
    pages = [page for number in range(workers) for page in (slow_page(8_000, number), *map(sound, range(CHUNK - 1)))]
    with Extractors(SOURCES, workers=workers, page_seconds=2) as extractors:
        assert all(isinstance(found, Article) for _, found in extractors.run(pages))


@pytest.mark.slow
def test_a_page_that_eats_the_memory_is_refused_whole_or_read_whole() -> None:
    """Whatever runs out first, libxml2's memory or Python's: never a part of an article as if it were all."""
    large = page("".join(f"<p>{LINE}{n}</p>" for n in range(28_000)))
    (whole,) = outcomes([large])
    assert isinstance(whole, Article)
    met = set()
    for megabytes in (120, 160, 500):
        before, hit, behind = outcomes([sound(1), large, sound(2)], page_memory_mb=megabytes)
        assert isinstance(before, Article), f"{megabytes} MiB: {before}"
        assert isinstance(behind, Article), f"{megabytes} MiB: {behind}"
        # Where it is libxml2 that gets no memory, it says so by whatever error it was about to raise.
        refused = isinstance(hit, Rejected) and hit.reason in (Reason.LIMIT, Reason.ERROR)
        assert refused or hit == whole, f"{megabytes} MiB: {hit}"
        met.add(type(hit))
    assert met == {Article, Rejected}, "the limits tried show nothing"


@pytest.mark.slow
@pytest.mark.parametrize("pages", [2, 5 * CHUNK, 200 * CHUNK])
def test_processes_ended_from_outside_cost_nothing(pages: int) -> None:
    """While they are idle, and with more in their pipe than it takes: as by a kernel that is short of memory."""
    with Extractors(SOURCES, workers=2) as extractors:
        assert [type(found) for _, found in extractors.run([sound(0)])] == [Article]
        for killed in (2, 1):
            for pid in idle_processes()[:killed]:
                os.kill(pid, signal.SIGKILL)
            found = [article.url for _, article in extractors.run(map(sound, range(pages)))]
            assert found == [sound(number).url for number in range(pages)]


def idle_processes() -> list[int]:
    """Both extracting processes, once they are there; the server that forks them is a child of this process."""
    found: list[int] = []
    while len(found) < 2:
        servers = [child for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())]
        found = [child.pid for server in servers for child in server.children()]
    return found


def test_refusals_pass_through_in_their_place() -> None:
    earlier = refuse(sound(1), Reason.HTTP, "404")
    pages = [sound(2), earlier, sound(3)]
    assert outcomes(pages)[1] == earlier


def test_order_is_kept_over_many_chunks() -> None:
    pages = [sound(number) for number in range(5 * CHUNK + 3)]
    assert [one.url for one in outcomes(pages)] == [one.url for one in pages]


def test_pages_are_asked_for_as_they_are_needed() -> None:
    """A crawl of any length passes through: what was not yet asked for takes no memory."""
    asked = 0

    def endless() -> Iterator[Page]:
        nonlocal asked
        while True:
            asked += 1
            yield sound(asked)

    with pytest.raises(StopIteration), Extractors(SOURCES, workers=1) as extractors:
        results = extractors.run(endless())
        for _ in range(CHUNK):
            next(results)
        assert asked <= (AHEAD + 3) * CHUNK
        raise StopIteration


def test_a_broken_rule_costs_its_page() -> None:
    broken = Source(id="broken", name="某某网", hosts=[], article=ArticleRules(body=["div[["]))
    with Extractors(SOURCES | {"broken": broken}, workers=1) as extractors:
        found = [one for _, one in extractors.run([sound(1), replace(sound(2), source="broken"), sound(3)])]
    assert [type(one) for one in found] == [Article, Rejected, Article]
    assert found[1].reason == Reason.ERROR


ROWS = """
import sys
sys.path.insert(0, {root!r})
import json
from dataclasses import asdict
from flows.core.extraction import Extractors
from tests.flows.test_extraction import SOURCES, various
if __name__ == "__main__":
    order = [int(number) for number in sys.argv[2].split(",")]
    pages = various()
    with Extractors(SOURCES, workers=int(sys.argv[1])) as extractors:
        rows = dict((page.raw_ref, asdict(found)) for page, found in extractors.run([pages[at] for at in order]))
    print(json.dumps(rows, sort_keys=True, default=str))
"""


def various() -> list[Page]:
    """Times without a zone or a year, tables, scripts, codecs, copies of one another, and one without text."""
    relative = "<p>3小时前 来源：某某社</p>" + f"<p>{LINE}</p>"
    pages = [
        *(sound(number) for number in (1, 1, 2)),
        page(relative, 3),
        page(f"<p>11-07 01:30 作者：张三</p><p>{LINE}</p>", 4),
        page(f"<table><tr><td>品种</td><td>1.5%</td></tr></table><p>{LINE}</p>", 5),
        replace(sound(6), body=sound(6).body.decode().encode("gb18030")),
        replace(page(f"<p>{LINE}</p>" * 3, 7), source="of nobody"),
        page("", 8),
        page(f"<p>（记者张三）{LINE}</p><p>责任编辑：李昂</p><p>扫码下载，随时看资讯</p>", 9),
    ]
    return [replace(one, raw_ref=f"{at}", fetched_at=NOW) for at, one in enumerate(pages)]


@pytest.mark.slow
def test_the_same_bytes_give_the_same_row_in_every_process_order_seed_and_zone(tmp_path) -> None:  # H11, T17
    script = tmp_path / "rows.py"
    script.write_text(ROWS.format(root=str(ROOT)))
    upwards = ",".join(map(str, range(len(various()))))
    downwards = ",".join(map(str, reversed(range(len(various())))))
    printed = {
        subprocess.run(
            [sys.executable, str(script), workers, order],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale},
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        ).stdout
        for workers, order, seed, zone, locale in (
            ("1", upwards, "0", "UTC", "C.UTF-8"),
            ("2", downwards, "1", "America/New_York", "C"),
            ("2", upwards, "4242", "Asia/Shanghai", "POSIX"),
        )
    }
    assert len(printed) == 1
    rows = json.loads(printed.pop())
    assert rows["3"]["published_at"] == "2026-01-02 08:04:00+08:00"
    assert rows["4"]["published_precision"] == "minute"


def test_what_was_read_before_leaves_no_trace() -> None:  # H11
    """trafilatura's own deduplication remembers; each order of the same pages must give the same rows."""
    pages = various()[:3] + various()[7:8]
    rows = {
        json.dumps(sorted(json.dumps(asdict(one), default=str) for one in outcomes(list(order))))
        for order in list(permutations(pages))[::8]
    }
    assert len(rows) == 1

"""Rows N and P of the fault table that strike a list: each list on a host of its own, all in one crawl."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import faultserver as faults
import pytest
from crawling import FIELDS, Crawled, crawl, json_list, source_of
from faultserver import FaultServer

from articles.source import Gates, ListRule

JSON = "application/json"
XML = "text/xml"


def rows(label: str, count: int = 2, **fields: object) -> bytes:
    listed = [
        {"url": f"http://{label}.faulty.test/a/{number}.html", "title": "题目", "time": "2026-11-20 09:30:00", **fields}
        for number in range(count)
    ]
    return json.dumps({"data": listed}).encode()


def rss(label: str, count: int = 3, date: str = "Fri, 20 Nov 2026 09:30:00 +0800") -> bytes:
    items = "".join(
        f"<item><title>第{number}条</title><link>http://{label}.faulty.test/a/{number}.html</link>"
        f"<pubDate>{date}</pubDate><description>&lt;p&gt;虚构的全文，第{number}段。&lt;/p&gt;</description></item>"
        for number in range(count)
    )
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()


def moved(turn: faults.Turn) -> None:
    if "new" in turn.asked.path:
        turn.answer(rows("n21"), content_type=JSON)
    elif turn.asked.path.startswith("/a/"):
        faults.article(turn)
    else:
        turn.answer(status="301 Moved Permanently", Location="/new/list")


def not_modified_once(turn: faults.Turn) -> None:
    if turn.asked.path.startswith("/a/"):
        faults.article(turn)
    elif turn.number == 1:
        turn.answer(status="304 Not Modified")
    else:
        turn.answer(rows("n22once"), content_type=JSON)


def listing(data: bytes, content_type: str = JSON) -> faults.Fault:
    def answer(turn: faults.Turn) -> None:
        if turn.asked.path.startswith("/a/"):
            faults.article(turn)
        else:
            turn.answer(data, content_type=content_type)

    return answer


def pages_without_end(turn: faults.Turn) -> None:
    """Every page of the list is the first one."""
    if turn.asked.path.startswith("/a/"):
        faults.article(turn)
    else:
        turn.answer(rows("p10"), content_type=JSON)


LINKS = json.dumps(
    {
        "data": [
            {"url": "javascript:alert(1)", "title": "a"},
            {"url": "data:text/html,x", "title": "b"},
            {"url": "file:///etc/passwd", "title": "c"},
            {"url": "http://reader:hunter2@s07.faulty.test/a/1.html", "title": "d"},
            {"url": "", "title": "e"},
            {"url": "http://elsewhere.test/a/1.html", "title": "f"},
            {"url": "/a/relative.html#top", "title": "g"},
            {"url": "//S07.faulty.test/a/relative.html", "title": "h"},
        ]
    }
).encode()

ANSWERS: dict[str, faults.Fault] = {
    "n21": moved,
    "n22once": not_modified_once,
    "n22always": faults.status("304 Not Modified"),
    "n23": faults.body(b"", JSON),
    "n06": faults.body(gzip.compress(rows("n06") * 9)[:-9], JSON, Content_Encoding="gzip"),
    "n24": faults.body("<html><title>访问验证</title><div id=nocaptcha></div></html>".encode()),
    "p01": faults.body(b"<!DOCTYPE html><html><body>503 page</body></html>", XML),
    "p02": faults.body(b"", XML),
    "p03": faults.body(b'{"error": "no such feed"}', XML),
    "p04": listing(rss("p04")[:-140], XML),
    "p05": listing(rss("p05", date="Fri, 20 Nov 2020 09:30:00 +0800"), XML),
    "p07": listing(b'{"passportWeb": {"login": false}}'),
    "p08": listing(b'{"data": {"list": []}}'),
    "p09": listing(b"renamed_callback_77(" + rows("p09") + b");"),
    "p10": pages_without_end,
    "p11": listing(rows("p11", 3)),
    "s05": faults.redirect("file:///etc/passwd"),
    "s06": faults.body(b"/etc/passwd", XML),
    "s07": listing(LINKS),
    "few": listing(rows("few", 0)),
    "full": listing(rss("full"), XML),
}
FEEDS = {"p01", "p02", "p03", "p04", "p05", "s06"}


def rule(label: str) -> ListRule:
    url = f"http://{label}.faulty.test/list"
    if label == "full":
        return ListRule(kind="feed", url=url, full_text=True)
    if label in FEEDS:
        return ListRule(kind="feed", url=url)
    if label == "p10":
        return json_list(url + "?page={page}", paging={"by": "page", "max_pages": 50})
    return json_list(url)


@dataclass(frozen=True)
class Fetched:
    crawled: Crawled
    server: FaultServer

    def failure(self, label: str) -> str:
        """What the list's gate said, "" if it let it pass."""
        found = (failure for failure in self.crawled.report.gate_failures if f"//{label}." in failure)
        return next(found, "")

    def fetched(self, label: str) -> int:
        urls = (self.crawled.archive[page.raw_ref].url for page in self.crawled.pages)
        return sum(f"//{label}." in url.lower() for url in urls)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    with FaultServer() as server:
        server.faults.update(ANSWERS)
        source = source_of(*map(rule, ANSWERS), gates=Gates(max_age_hours=24 * 365))
        yield Fetched(
            crawl(source, tmp_path_factory.mktemp("lists") / "crawl", connect_to={"*": server.address}), server
        )


@pytest.mark.parametrize(
    ("row", "label", "failure"),
    [
        ("N06", "n06", "E-TRUNC"),
        ("N22", "n22always", "E-HTTP"),
        ("N23", "n23", "the answer is empty"),
        ("N24", "n24", "E-CHALLENGE .* a check page instead of a list: «访问验证»"),
        ("P01", "p01", "E-FEED .* an HTML page"),
        ("P02", "p02", "E-FEED .* empty"),
        ("P03", "p03", "E-FEED .* JSON"),
        ("P05", "p05", "E-FROZEN .* 2020-11-20"),
        ("P07", "p07", "E-FEED .* data is missing; the answer has passportWeb"),
        ("P08", "p08", "E-FEED .* data is an object, not a list"),
        ("S05", "s05", "E-SSRF"),
        ("S06", "s06", "E-FEED"),
        ("gate", "few", "E-EMPTY .* 0 entries, fewer than 1"),
    ],
)
def test_the_failure_is_named(fetched: Fetched, row: str, label: str, failure: str) -> None:
    assert re.search(failure, fetched.failure(label)), (row, fetched.failure(label))


@pytest.mark.parametrize(
    ("row", "label", "articles"),
    [
        ("N21", "n21", 2),
        ("N22", "n22once", 2),
        ("P04", "p04", 3),
        ("P09", "p09", 2),
        ("P10", "p10", 2),
        ("P11", "p11", 3),
    ],
)
def test_the_list_is_used(fetched: Fetched, row: str, label: str, articles: int) -> None:
    assert (fetched.fetched(label), fetched.failure(label)) == (articles, ""), row


def test_a_sick_list_stops_no_other(fetched: Fetched) -> None:
    assert fetched.crawled.report.finish_reason == "finished"
    assert fetched.fetched("full") == 3


def test_n21_a_list_that_moved_is_a_warning(fetched: Fetched) -> None:
    assert any("has moved to http://n21.faulty.test/new/list" in each for each in fetched.crawled.report.warnings)


def test_n22_a_304_nobody_asked_for_is_asked_again_once(fetched: Fetched) -> None:
    first, second = fetched.server.requests("n22always")
    assert "if-none-match" not in first.headers
    assert second.headers["cache-control"] == "no-cache"


def test_p04_a_feed_cut_short_is_a_warning(fetched: Fetched) -> None:
    assert any("p04" in each and "cut short" in each for each in fetched.crawled.report.warnings)


def test_p10_paging_ends_where_a_page_repeats_the_last(fetched: Fetched) -> None:
    lists = [asked for asked in fetched.server.requests("p10") if asked.path.startswith("/list")]
    assert [asked.path for asked in lists] == ["/list?page=1", "/list?page=2"]
    assert any("repeats what was listed before" in each for each in fetched.crawled.report.warnings)


def test_s07_links_that_lead_nowhere_we_go_are_counted(fetched: Fetched) -> None:
    filtered = fetched.crawled.report.filtered
    assert filtered == {"scheme": 3, "credentials": 1, "no_link": 1, "offsite": 1}


def test_p13_spellings_of_one_link_are_one_article(fetched: Fetched) -> None:
    assert fetched.fetched("s07") == 1


def test_every_list_answer_is_in_the_archive(fetched: Fetched) -> None:
    kept = {page.url for page in fetched.crawled.archive.values() if page.form == "list"}
    answered = set(ANSWERS) - {"s05"}  # its redirect was refused
    assert {f"http://{label}.faulty.test/list" for label in answered - {"p10"}} <= kept


def test_full_text_entries_are_pages_of_their_own(fetched: Fetched) -> None:
    page = fetched.crawled.page("//full.")
    assert page.form == "fragment"
    assert page.body.decode() == "<p>虚构的全文，第0段。</p>"
    assert page.listed.title == "第0条"
    assert not [asked for asked in fetched.server.requests("full") if asked.path.startswith("/a/")]


def test_fields_are_those_of_the_rule() -> None:
    assert set(FIELDS) == {"url", "title", "published"}

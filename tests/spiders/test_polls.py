"""Row P06 and what is around it: lists that move on between two polls, and articles that are looked at again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faultserver as faults
import pytest
from crawling import Crawled, KnownBefore, crawl, json_list, source_of
from faultserver import FaultServer

from articles.source import ListRule, Source
from spiders.walks import Walk
from storage import frontier as frontiers
from storage.frontier import Frontier, Poll

A_PAGE = 10
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Site:
    """A list of articles, newest first, ten a page; each newer than the one before by a minute."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.published = 10
        self.text = "第一版"
        self.status = "200 OK"
        self.pinned: tuple[int, ...] = ()
        self.fails_at_page = 0
        self.stored: dict[str, str] = {}
        server.faults["site"] = self.answer

    def source(self, **options: object) -> Source:
        paging = {"by": "page", "max_pages": 5}
        url = "http://site.faulty.test/list?page={page}"
        return source_of(json_list(url, paging=paging), id_regex=r"/a/(\d+)\.html", **options)

    def answer(self, turn: faults.Turn) -> None:
        path, _, page = turn.asked.path.partition("?page=")
        if path != "/list":
            turn.answer(faults.ARTICLE + self.text.encode(), status=self.status)
        elif int(page) == self.fails_at_page:
            turn.answer(status="404 Not Found")
        else:
            turn.answer(json.dumps({"data": self.rows(int(page))}).encode(), content_type="application/json")

    def rows(self, page: int) -> list[dict[str, str]]:
        newest = self.published - (page - 1) * A_PAGE
        pinned = self.pinned if page == 1 else ()
        return [
            {
                "url": f"http://site.faulty.test/a/{number}.html",
                "title": f"题目{number}",
                "time": f"{START + timedelta(minutes=number):%Y-%m-%d %H:%M:%S}",
            }
            for number in (*pinned, *range(newest, max(newest - A_PAGE, 0), -1))
        ]

    def visit(self, folder: Path, before: Crawled | None = None, **source: object) -> Crawled:
        """`before` is loaded first, as a run does between two crawls."""
        self.server.log.clear()
        lake = folder.parent / "lake"
        if before:
            self.stored |= before.load(lake).digests
        known = KnownBefore(self.stored)
        return crawl(self.source(**source), folder, known, lake, connect_to={"*": self.server.address})

    @property
    def pages_asked(self) -> list[str]:
        return [asked.path[-1] for asked in self.server.log if asked.path.startswith("/list")]


@pytest.fixture
def site() -> Iterator[Site]:
    with FaultServer() as server:
        yield Site(server)


def test_p06_a_list_that_moved_on_is_followed_to_where_the_last_poll_was(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    site.published = 33
    second = site.visit(tmp_path / "2", first)
    assert (second.report.fetched, second.report.gaps, site.pages_asked) == (23, (), ["1", "2", "3"])


def test_p06_a_list_that_rolled_over_is_a_gap_with_its_span(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    site.published = 100
    second = site.visit(tmp_path / "2", first)
    (gap,) = second.report.gaps
    assert len(site.pages_asked) == 5, "as deep as the source allows"
    assert second.report.fetched == 50
    assert (gap.until - gap.since) == timedelta(minutes=51 - 10)
    assert second.report.gate_failures[0].startswith("E-GAP http://site.faulty.test/list?page={page} nothing of the")
    with Frontier(tmp_path / "lake", "faulty") as frontier:
        (kept,) = frontier.gaps(datetime(2020, 1, 1, tzinfo=UTC))
    assert (kept.since, kept.until) == (gap.since, gap.until)
    assert not site.visit(tmp_path / "3", second).report.gaps, "one gap is told once"


def test_p06_pinned_articles_hide_no_gap(site: Site, tmp_path: Path) -> None:
    site.pinned = (3, 2)
    first = site.visit(tmp_path / "1")
    site.published = 100
    assert len(site.visit(tmp_path / "2", first).report.gaps) == 1


def test_a_walk_that_breaks_off_is_taken_up_by_the_next(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    site.published, site.fails_at_page = 33, 2
    second = site.visit(tmp_path / "2", first)
    assert not second.report.validators, "a later «nothing new» would hide the pages that were not read"
    site.fails_at_page = 0
    third = site.visit(tmp_path / "3", second)
    assert (second.report.fetched, third.report.fetched) == (10, 13)
    assert not third.report.gaps


def test_a_poll_with_little_news_reads_one_page(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    site.published = 13
    assert site.visit(tmp_path / "2", first).report.fetched == 3
    assert site.pages_asked == ["1"]


def test_a_page_that_was_refused_is_not_asked_for_at_every_poll(site: Site, tmp_path: Path) -> None:
    site.status = "404 Not Found"
    first = site.visit(tmp_path / "1")
    assert first.report.rejected == 10
    site.published, site.status = 11, "200 OK"
    second = site.visit(tmp_path / "2", first)
    assert (second.report.fetched, second.report.filtered) == (1, {"refused_before": 9})


def test_pages_that_came_online_after_their_list_are_fetched_though_the_list_has_gone_on(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontiers, "SHELVED_FOR", [timedelta(0)])
    site.status = "404 Not Found"
    first = site.visit(tmp_path / "1")
    assert first.report.rejected == 10
    site.published, site.status = 25, "200 OK"
    second = site.visit(tmp_path / "2", first)
    assert (second.report.fetched, site.pages_asked) == (25, ["1", "2"]), "the first five are on neither"


def test_revisits_find_what_was_edited_and_keep_nothing_else(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1", revisit=["1h"])
    assert first.report.fetched == 10
    second = site.visit(tmp_path / "2", first, revisit=["1h"])  # its loader plans the second look at once
    assert (second.report.fetched, second.report.unchanged, second.report.requests) == (0, 10, 11)
    assert all(page.form == "list" for page in second.archive.values())
    assert site.visit(tmp_path / "3", revisit=["1h"]).report.requests == 1, "one look was planned, one was taken"


def test_an_edited_page_is_handed_over(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1", revisit=["1h"])
    site.text = "第二版"
    second = site.visit(tmp_path / "2", first, revisit=["1h"])
    assert second.report.fetched == 10


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_a_page_that_is_gone_since_is_reported_once(site: Site, tmp_path: Path, status: str) -> None:
    first = site.visit(tmp_path / "1", revisit=["1h", "7d"])
    site.status = status
    second = site.visit(tmp_path / "2", first, revisit=["1h", "7d"])
    assert {refusal.detail for refusal in second.rejected} == {f"status {status[:3]}: gone since it was stored"}
    assert second.report.rejected == 10
    with Frontier(tmp_path / "lake", "faulty") as frontier:
        assert not frontier.due(100)


def poll(*ids: str) -> Poll:
    return Poll(walked_at=datetime(2026, 11, 20, tzinfo=UTC), newest_at=None, head=frozenset(ids))


@pytest.mark.parametrize(
    ("head", "pages", "overlaps"),
    [
        ("abc", ["xyz"], False),
        ("abc", ["xyza"], False),  # one may be chance
        ("abc", ["xya", "bcq"], True),
        ("abc", ["abcx"], True),
        ("a", ["xa"], True),
        ("abcd", ["xyzw", "vabc"], True),
    ],
)
def test_p06_when_two_polls_meet(head: str, pages: list[str], overlaps: bool) -> None:
    walk = Walk("list", poll(*head))
    for page in pages:
        walk.turn(list(page), [])
    assert walk.overlaps == overlaps
    assert (walk.gap() is None) == overlaps


def test_p11_a_page_out_of_order_ends_no_walk_early() -> None:
    walk = Walk("list", poll(*"abcdef"))
    walk.turn(["n1", "a", "n2", "b", "c", "n3"], [])
    assert walk.goes_on(fresh=3, number=2, first_pages=5, gap_pages=50)


def test_p10_a_list_without_end_ends_at_the_page_that_repeats() -> None:
    walk = Walk("list", poll("old"))
    walk.turn(["a", "b"], [])
    walk.turn(["b", "a"], [])
    assert not walk.goes_on(fresh=0, number=3, first_pages=5, gap_pages=50)


def test_a_page_without_rows_behind_the_last_one_ends_an_html_list(site: Site, tmp_path: Path) -> None:
    def answer(turn: faults.Turn) -> None:
        path, _, page = turn.asked.path.partition("?page=")
        row = '<li><a href="http://site.faulty.test/a/7.html">青屿港新开近洋航线</a></li>'
        if path == "/list":
            turn.answer(f"<html><body><ul>{row if page == '1' else ''}</ul></body></html>".encode())
        else:
            turn.answer(faults.ARTICLE)

    site.server.faults["site"] = answer
    fields = {"url": {"css": "a::attr(href)"}, "title": {"css": "a::text"}}
    url = "http://site.faulty.test/list?page={page}"
    paged = ListRule(kind="html", url=url, items="li", fields=fields, paging={"by": "page", "max_pages": 5})
    source = source_of(paged, id_regex=r"/a/(\d+)\.html")
    crawled = crawl(source, tmp_path / "crawl", KnownBefore(), tmp_path / "lake", connect_to={"*": site.server.address})
    assert (site.pages_asked, crawled.report.gate_failures, len(crawled.pages)) == (["1", "2"], (), 1)

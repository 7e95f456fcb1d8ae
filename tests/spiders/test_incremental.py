"""The second visit: what is known is not asked for again, and what changed is noticed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from email.utils import formatdate
from pathlib import Path

import faultserver as faults
import pytest
from crawling import Crawled, crawl, json_list, source_of
from faultserver import FaultServer, Turn

from articles.source import ListRule, Source
from storage.frontier import frontier_path


class Site:
    """A list with an ETag, and a full-text feed with none."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.etag = '"1"'
        self.numbers = [1, 2, 3]
        self.text = "第一版"
        server.faults.update(site=self.answer, feed=self.feed)

    @property
    def source(self) -> Source:
        feed = ListRule(kind="feed", url="http://feed.faulty.test/rss", full_text=True)
        return source_of(json_list("http://site.faulty.test/list"), feed)

    def answer(self, turn: Turn) -> None:
        if turn.asked.path != "/list":
            faults.article(turn)
        elif turn.asked.headers.get("if-none-match") == self.etag:
            turn.answer(status="304 Not Modified", ETag=self.etag)
        else:
            listed = faults.Listed()
            for number in self.numbers:
                listed.add(f"http://site.faulty.test/a/{number}.html")
            body = json.dumps({"data": listed.rows}).encode()
            turn.answer(body, content_type="application/json", ETag=self.etag, Last_Modified=formatdate(0, usegmt=True))

    def feed(self, turn: Turn) -> None:
        items = "".join(
            f"<item><title>快讯{number}</title><link>http://feed.faulty.test/f/{number}</link>"
            f"<description>&lt;p&gt;{self.text if number == 1 else '不变'}，虚构内容。&lt;/p&gt;</description></item>"
            for number in (1, 2)
        )
        turn.answer(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), content_type="text/xml")

    def visit(self, folder: Path, before: Crawled | None = None, **options: object) -> Crawled:
        """`before` is loaded first, as a run does between two crawls."""
        self.server.log.clear()
        lake = folder.parent / "lake"
        known = before.load(lake) if before else None
        return crawl(self.source, folder, known, lake, connect_to={"*": self.server.address}, **options)


@pytest.fixture
def site() -> Iterator[Site]:
    with FaultServer() as server:
        yield Site(server)


def test_an_unchanged_site_costs_a_request_a_list(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    second = site.visit(tmp_path / "2", first)
    assert first.report.fetched == 5
    assert second.report.discovered == second.report.fetched == 0
    asked = [asked for asked in site.server.log if asked.path != "/robots.txt"]
    assert [asked.path for asked in asked] == ["/rss", "/list"]
    assert asked[1].headers["if-none-match"] == '"1"'
    assert asked[1].headers["if-modified-since"] == formatdate(0, usegmt=True)


def test_only_what_is_new_is_fetched(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    site.etag, site.numbers = '"2"', [4, 2, 1]
    second = site.visit(tmp_path / "2", first)
    assert (second.report.fetched, second.report.unchanged) == (1, 2)
    assert second.outcome("/a/4.html") == "fetched"


def test_an_edited_entry_of_a_full_text_feed_is_handed_over_again(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    site.text = "改后的第二版"
    second = site.visit(tmp_path / "2", first)
    assert (second.report.fetched, second.report.unchanged) == (1, 1)
    assert "改后" in second.page("/f/1").body.decode()


def test_the_limit_leaves_the_rest_for_the_next_crawl_though_no_list_has_changed(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1", limit=3)
    assert (first.report.fetched, first.report.pending) == (3, {"limit": 2})
    second = site.visit(tmp_path / "2", first)
    assert (second.report.discovered, second.report.fetched, second.report.unchanged) == (2, 2, 0)
    assert [asked.path for asked in site.server.requests("site")] == ["/a/2.html", "/a/3.html", "/list"]


def test_entries_beyond_the_limit_are_kept_although_the_feed_drops_them(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1", limit=1)
    site.server.faults["feed"] = faults.body(b"<rss version='2.0'><channel/></rss>", "text/xml")
    second = site.visit(tmp_path / "2", first)
    assert (first.report.pending, second.report.fetched) == ({"limit": 4}, 4)


def test_a_list_is_asked_for_whole_if_its_last_walk_is_unknown(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    known = first.load(tmp_path / "lake")
    crawl(site.source, tmp_path / "2", known, tmp_path / "another", connect_to={"*": site.server.address})
    last = site.server.requests("site")[-1]
    assert (last.path, "if-none-match" in last.headers) == ("/list", False)


def test_r07_rules_that_change_between_runs_are_obeyed(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    with closing(sqlite3.connect(frontier_path(tmp_path / "lake"))) as frontier, frontier:
        frontier.execute("UPDATE robots SET fetched_at = fetched_at - 6 * 3600")  # six hours later
    site.server.robots["site"] = faults.rules("User-agent: finnews\nDisallow: /\n")
    second = site.visit(tmp_path / "2", first)
    assert not site.server.requests("site")
    assert second.report.gate_failures == ("E-ROBOTS http://site.faulty.test/list robots.txt disallows it",)


def test_robots_are_asked_for_once_in_six_hours(site: Site, tmp_path: Path) -> None:
    first = site.visit(tmp_path / "1")
    assert len(site.server.requests("site", robots=True)) == 1
    second = site.visit(tmp_path / "2", first)
    assert (second.report.requests, len(site.server.log)) == (2, 2), "one for each list, and nothing else"


def test_a_wait_beyond_the_deadline_is_not_begun(site: Site, tmp_path: Path) -> None:
    site.server.faults["site"] = faults.asks_once("30")
    crawled = site.visit(tmp_path / "1", soft_seconds=5)
    assert crawled.report.seconds < 4
    assert crawled.report.gate_failures == ("E-HTTP http://site.faulty.test/list status 503",)


def test_the_deadline_leaves_what_is_listed_pending(site: Site, tmp_path: Path) -> None:
    crawled = site.visit(tmp_path / "1", soft_seconds=1, delay_seconds=0.4)
    report = crawled.report
    assert report.finish_reason == "timeout"
    assert report.pending.get("timeout", 0) >= 1
    assert report.seconds < 5

"""Row W01 at the crawl: SIGKILL at seeded moments, and the crawl that follows takes up what was left."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import faultserver as faults
import pytest
from crawling import PROCESSES, json_list, source_of
from faultserver import FaultServer

from articles.source import Source
from spiders.crawl import CrawlSpec, NothingKnown
from spiders.engine import run
from spiders.spool import CrawledPage, read_report, read_results
from storage.archive import PageArchive
from storage.frontier import Frontier

PAGES = 300
A_PAGE = 50
KILLS = 6


class Loaded(NothingKnown):
    """What a loader between two crawls has stored."""

    def __init__(self, article_ids: set[str]) -> None:
        self.article_ids = article_ids

    def __contains__(self, article_id: object) -> bool:
        return article_id in self.article_ids


def site(turn: faults.Turn) -> None:
    """Six list pages of fifty articles, and the articles."""
    path, _, page = turn.asked.path.partition("?page=")
    if path != "/list":
        faults.article(turn)
        return
    first = (int(page) - 1) * A_PAGE
    rows = [
        {"url": f"http://site.faulty.test/a/{number}.html", "title": f"题目{number}", "time": "2026-11-20 09:30:00"}
        for number in range(first, min(first + A_PAGE, PAGES))
    ]
    turn.answer(json.dumps({"data": rows}).encode(), content_type="application/json")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.faults["site"] = site
        yield running


def source() -> Source:
    paging = {"by": "page", "max_pages": 10}
    return source_of(json_list("http://site.faulty.test/list?page={page}", paging=paging), id_regex=r"/a/(\d+)\.html")


def crawl_in_child(spec: CrawlSpec, lake: Path, loaded: set[str]) -> None:
    with PageArchive(lake) as archive, Frontier(lake, "faulty") as frontier:
        run(spec, source=source(), archive=archive, known=Loaded(loaded), frontier=frontier)


class Resuming:
    """Crawls into one lake, one after the other; each may be killed, and its results loaded or not."""

    def __init__(self, server: FaultServer, lake: Path) -> None:
        self.server, self.lake, self.crawls = server, lake, 0
        self.loaded: Counter[str] = Counter()

    def crawl(self, *, kill_after: int | None = None) -> Path:
        """The spool of a crawl, which dies once the site has seen so many requests."""
        self.crawls += 1
        spool = self.lake / f"spool{self.crawls}"
        spec = CrawlSpec(
            source="faulty",
            run_id="test",
            spool=str(spool),
            connect_to={"*": self.server.address},
            list_pages=10,
            requests_per_host=4,
        )
        child = PROCESSES.Process(target=crawl_in_child, args=(spec, self.lake, set(self.loaded)))
        child.start()
        seen, deadline = len(self.server.log), time.monotonic() + 40
        while kill_after is not None and child.is_alive() and len(self.server.log) - seen < kill_after:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        if kill_after is not None:
            child.kill()
        child.join(40)
        return spool

    def load(self, spool: Path) -> None:
        pages = [page for page in read_results(spool) if isinstance(page, CrawledPage)]
        with PageArchive(self.lake) as archive:
            assert all(archive.read(page.raw_ref).body == faults.ARTICLE for page in pages)
        self.loaded.update(page.article_id for page in pages)
        with Frontier(self.lake, "faulty") as frontier:
            frontier.loaded([page.article_id for page in pages])


@pytest.mark.slow
def test_w01_a_crawl_killed_six_times_loses_and_doubles_nothing(server: FaultServer, tmp_path: Path) -> None:
    crawls, moments = Resuming(server, tmp_path), random.Random(4)
    for kill in range(KILLS):
        spool = crawls.crawl(kill_after=moments.randint(1, PAGES // KILLS))
        assert read_report(spool) is None, "it was killed"
        if kill % 2:  # else the parent is killed too, and the spool is lost
            crawls.load(spool)
    last = crawls.crawl()
    crawls.load(last)
    report = read_report(last)
    assert report is not None
    assert report.balanced
    assert not report.pending
    assert len(crawls.loaded) == PAGES
    assert set(crawls.loaded.values()) == {1}, "no article is handed to the loader twice"
    asked = Counter(asked.path for asked in server.log if asked.path.startswith("/a/"))
    # What was on its way when a crawl died is asked for once more; what had arrived is not, loaded or not.
    assert sum(asked.values()) <= PAGES + 12 * KILLS

"""What a crawl costs: `python -m benchmarks.crawl [--articles 1000] [--repeats 5] [--polls 96] [--json]`.

    polling      requests per new article over a simulated day of polls, every fifteen minutes (the day passes in a
                 minute: the robots.txt that is asked for every six hours is not in it)
    throughput   pages a second with delays off, archive, frontier and hand-over included, beside a bare Scrapy spider
                 that only downloads the same pages, with as many requests at a time; the two take turns

The politeness rule of one request at a time is lifted for both: it would measure the site.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from articles.records import Validators
from articles.source import Source
from benchmarks.crawl_site import HOST, Site, listed
from spiders.crawl import CrawlSpec, NothingKnown
from spiders.engine import run
from spiders.spool import CrawledPage, read_report, read_results
from storage.archive import PageArchive
from storage.frontier import Frontier

AT_A_TIME = 8
A_DAY_BEFORE = 100
# Forked from a process that has Scrapy loaded: what is measured is the crawl.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["spiders.engine", "spiders.wire", "spiders.manners"])

SOURCE = Source.model_validate(
    {
        "id": "bench",
        "name": "a site on loopback",
        "hosts": [HOST],
        "id_regex": r"/a/(\d+)\.html",
        "rate": {"delay_seconds": 0},
        "list": [
            {
                "kind": "json",
                "url": f"http://{HOST}/list?page={{page}}",
                "items": "data",
                "fields": {"url": "url", "title": "title", "published": "time"},
                "paging": {"by": "page", "max_pages": 1000},
            }
        ],
    }
)


# A busy source: two hundred articles between eight in the morning and eight in the evening.
DAY_ARTICLES = 200
POLLS_A_DAY = 96


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--polls", type=int, default=POLLS_A_DAY, help="0: no polling")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = {"throughput": throughput(options.articles, options.repeats)} if options.repeats else {}
    measured |= {"polling": polling(options.polls)} if options.polls else {}
    print(json.dumps(measured) if options.json else "\n".join(map(_described, measured, measured.values())))


def _described(name: str, figures: dict[str, Any]) -> str:
    return "\n".join([name, *(f"  {key.replace('_', ' '):<40}{value}" for key, value in figures.items())])


def throughput(articles: int, repeats: int) -> dict[str, Any]:
    ours, bare = [], []
    with Site(articles) as site:
        for turn in range(repeats):
            takers = [(_ours, ours), (_bare, bare)]
            # Who goes first alternates: the second may find the machine as the first left it.
            for measure, costs in takers if turn % 2 else reversed(takers):
                costs.append(_in_child(measure, site.address, articles))
    rates = [theirs.seconds / mine.seconds for mine, theirs in zip(ours, bare, strict=True)]
    cpu = [theirs.cpu_seconds / mine.cpu_seconds for mine, theirs in zip(ours, bare, strict=True)]
    return {
        "pages": articles,
        "requests_at_a_time": AT_A_TIME,
        "bare_scrapy_pages_per_second": round(articles / statistics.median(cost.seconds for cost in bare), 1),
        "finnews_pages_per_second": round(articles / statistics.median(cost.seconds for cost in ours), 1),
        "ratio": round(statistics.median(rates), 2),
        "ratios": [round(rate, 2) for rate in rates],
        "bare_scrapy_cpu_ms_per_page": round(1e3 * statistics.median(cost.cpu_seconds for cost in bare) / articles, 2),
        "finnews_cpu_ms_per_page": round(1e3 * statistics.median(cost.cpu_seconds for cost in ours) / articles, 2),
        "ratio_by_cpu": round(statistics.median(cpu), 2),
    }


def polling(polls: int) -> dict[str, Any]:
    """A day of polls, each a crawl of its own into the same lake; the loader between them is played here."""
    online = [0, *(_online(poll / polls) for poll in range(polls))]
    with tempfile.TemporaryDirectory() as folder, Site(A_DAY_BEFORE + DAY_ARTICLES) as site:
        digests: dict[str, str] = {}
        validators: dict[str, Validators] = {}
        for poll, count in enumerate(online):
            site.publish(A_DAY_BEFORE + count)
            _in_child(_poll, site.address, Path(folder), f"poll{poll}", digests, validators)
            _load(Path(folder), f"poll{poll}", digests, validators)
            if poll == 0:  # what was there before the day began
                before = site.requests
    requests = {kind: count - before[kind] for kind, count in site.requests.items()}
    return {
        "polls": polls,
        "new_articles": DAY_ARTICLES,
        "articles_stored": len(digests) - A_DAY_BEFORE,
        **{f"requests_for_{kind.replace(' ', '_')}": count for kind, count in requests.items()},
        "requests_per_new_article": round(sum(requests.values()) / DAY_ARTICLES, 2),
    }


def _online(part_of_day: float) -> int:
    return round(DAY_ARTICLES * min(1.0, max(0.0, (part_of_day - 1 / 3) * 2)))


@dataclass(frozen=True, slots=True)
class Cost:
    """From the opening of the spider to its close."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Stored(NothingKnown):
    digests: dict[str, str]
    lists: dict[str, Validators]

    def __contains__(self, article_id: object) -> bool:
        return article_id in self.digests

    def page_digest(self, article_id: str) -> str | None:
        return self.digests.get(article_id)

    def validators(self, url: str) -> Validators | None:
        return self.lists.get(url)


def _in_child(measure: Callable[..., Cost], *arguments: object) -> Cost:
    """A process crawls once."""
    here, there = PROCESSES.Pipe()
    child = PROCESSES.Process(target=_tell, args=(there, measure, *arguments))
    child.start()
    cost: Cost = here.recv()
    child.join()
    return cost


def _tell(told: Connection, measure: Callable[..., Cost], *arguments: object) -> None:
    told.send(measure(*arguments))


def _spec(address: str, spool: Path, **options: Any) -> CrawlSpec:  # noqa: ANN401 - fields of the spec
    return CrawlSpec(source=SOURCE.id, run_id="bench", spool=str(spool), connect_to={"*": address}, **options)


def _ours(address: str, articles: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder)
        spec = _spec(address, lake / "spool", list_pages=1_000, requests_per_host=AT_A_TIME)
        started = time.process_time()
        with PageArchive(lake) as archive, Frontier(lake, SOURCE.id) as frontier:
            report = run(spec, source=SOURCE, archive=archive, known=NothingKnown(), frontier=frontier)
        assert report.fetched == articles, report
        return Cost(report.seconds, time.process_time() - started)


def _poll(address: str, lake: Path, name: str, digests: dict[str, str], lists: dict[str, Validators]) -> Cost:
    known = Stored(digests, lists)
    with PageArchive(lake) as archive, Frontier(lake, SOURCE.id) as frontier:
        spec = _spec(address, lake / name, check_age=False)
        return Cost(run(spec, source=SOURCE, archive=archive, known=known, frontier=frontier).seconds, 0.0)


def _load(lake: Path, name: str, digests: dict[str, str], lists: dict[str, Validators]) -> None:
    report = read_report(lake / name)
    assert report is not None
    pages = [page for page in read_results(lake / name) if isinstance(page, CrawledPage)]
    with PageArchive(lake) as archive, Frontier(lake, SOURCE.id) as frontier:
        digests |= {page.article_id: archive.read(page.raw_ref).digest for page in pages}
        frontier.loaded([page.article_id for page in pages])
    lists |= {each.url: each for each in report.validators}


def _bare(address: str, articles: int) -> Cost:
    """Scrapy as it comes, but for its two ports, its log and the concurrency."""
    from scrapy import Request, Spider
    from scrapy.crawler import AsyncCrawlerProcess

    class Bare(Spider):
        name = "bare"
        pages = 0

        async def start(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            for number in range(articles):
                url = listed(number)["url"].replace(HOST, address)
                yield Request(url, callback=self.parse)

        def parse(self, response: Any) -> None:  # noqa: ANN401
            type(self).pages += response.status == 200

    started = time.process_time()
    process = AsyncCrawlerProcess(
        {
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": AT_A_TIME,
            "DOWNLOAD_DELAY": 0,
            "LOG_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
        }
    )
    crawler = process.create_crawler(Bare)
    process.crawl(crawler)
    process.start()
    assert Bare.pages == articles, Bare.pages
    return Cost(crawler.stats.get_value("elapsed_time_seconds"), time.process_time() - started)


if __name__ == "__main__":
    main()

"""Runs a crawl as it runs in earnest, in a process of its own, and brings back all that it left."""

from __future__ import annotations

import logging
import multiprocessing
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from articles.records import Page, Rejected, Validators
from articles.source import ListRule, Source
from spiders.crawl import CrawlReport, CrawlSpec
from spiders.engine import run
from spiders.spool import CrawledPage, read_report, read_results
from storage.frontier import Frontier

# What its server has loaded: tests/conftest.py.
PROCESSES = multiprocessing.get_context("forkserver")
CRAWL_SECONDS = 40

FIELDS: dict[str, Any] = {"url": "url", "title": "title", "published": "time"}


@dataclass
class FolderArchive:
    """Each page in a file of its own, in the order they came."""

    folder: Path
    count: int = 0

    def append(self, page: Page) -> Page:
        self.count += 1
        kept = replace(page, raw_ref=f"{self.count:05d}")
        (self.folder / f"{kept.raw_ref}.page").write_bytes(pickle.dumps(kept))
        return kept


@dataclass
class KnownBefore:
    """What an earlier crawl stored."""

    digests: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Validators] = field(default_factory=dict)

    def __contains__(self, article_id: object) -> bool:
        return article_id in self.digests

    def page_digest(self, article_id: str) -> str | None:
        return self.digests.get(article_id)

    def validators(self, url: str) -> Validators | None:
        return self.lists.get(url)


@dataclass(frozen=True)
class Crawled:
    report: CrawlReport
    pages: list[CrawledPage]
    rejected: list[Rejected]
    archive: dict[str, Page]
    log: str

    def outcome(self, url_part: str) -> str:
        """What became of the one article whose url contains this: fetched, E-CODE or pending."""
        if any(url_part in self.archive[page.raw_ref].url for page in self.pages):
            return "fetched"
        return next((refusal.reason.code for refusal in self.rejected if url_part in refusal.url), "pending")

    def refusal(self, url_part: str) -> Rejected:
        return next(refusal for refusal in self.rejected if url_part in refusal.url)

    def page(self, url_part: str) -> Page:
        return next(page for page in self.archive.values() if url_part in page.url and page.form != "list")

    def load(self, lake: Path) -> KnownBefore:
        """Stores everything; gives what the ledger knows from then on."""
        with Frontier(lake, self.report.source) as frontier:
            frontier.loaded(
                [page.article_id for page in self.pages],
                refused_urls=[refusal.url for refusal in self.rejected],
                first_seen=[page.article_id for page in self.pages],
                revisit=[timedelta(0)],
            )
        return KnownBefore(
            digests={page.article_id: self.archive[page.raw_ref].digest for page in self.pages},
            lists={validators.url: validators for validators in self.report.validators},
        )


def crawl(
    source: Source, folder: Path, known: KnownBefore | None = None, lake: Path | None = None, **options: Any
) -> Crawled:
    """`lake` holds the frontier of earlier crawls."""
    folder.mkdir(parents=True)
    (folder / "archive").mkdir()
    spec = CrawlSpec(source=source.id, run_id="test", spool=str(folder), **{"backoff_seconds": 0.05, **options})
    child = PROCESSES.Process(target=_child, args=(spec, source, folder, lake or folder, known or KnownBefore()))
    child.start()
    child.join(CRAWL_SECONDS)
    if child.is_alive():
        child.kill()
    log = (folder / "log").read_text() if (folder / "log").exists() else ""
    report = read_report(folder)
    assert report is not None, f"the crawl ended with {child.exitcode}:\n{log[-3000:]}"
    assert report.balanced, report
    results = list(read_results(folder))
    return Crawled(
        report=report,
        pages=[result for result in results if isinstance(result, CrawledPage)],
        rejected=[result for result in results if isinstance(result, Rejected)],
        archive={path.stem: pickle.loads(path.read_bytes()) for path in sorted((folder / "archive").glob("*.page"))},
        log=log,
    )


def source_of(*lists: ListRule, hosts: tuple[str, ...] = ("faulty.test",), **options: Any) -> Source:
    rate = {"delay_seconds": 0, "timeout_seconds": 1.5, **options.pop("rate", {})}
    return Source(id="faulty", name="a site with faults", hosts=list(hosts), list=list(lists), rate=rate, **options)


def json_list(url: str, **options: Any) -> ListRule:
    return ListRule(kind="json", url=url, items="data", fields=FIELDS, **options)


def _child(spec: CrawlSpec, source: Source, folder: Path, lake: Path, known: KnownBefore) -> None:
    logging.basicConfig(filename=folder / "log", level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
    with Frontier(lake, source.id) as frontier:
        run(spec, source=source, archive=FolderArchive(folder / "archive"), known=known, frontier=frontier)

"""One Scrapy process around one crawl: settings, signals, deadline, and the report at the end."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

import spiders.settings
from articles.source import Source
from spiders.crawl import Archive, CrawlReport, CrawlSpec, Frontier, Known
from spiders.guard import AddressPolicy, GuardedResolver
from spiders.hosts import Hosts, Pace
from spiders.job import Job
from spiders.past_spider import PastSpider
from spiders.spider import SourceSpider
from spiders.spool import Spool

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""How often the deadline and the parent are looked at."""


def run(
    spec: CrawlSpec,
    *,
    source: Source,
    archive: Archive,
    known: Known,
    frontier: Frontier,
    wanted: Callable[[], bool] = lambda: True,
) -> CrawlReport:
    """Crawls once in this process, which can do so only once; `wanted` is asked each second whether to go on."""
    policy = AddressPolicy(_allowed(spec))
    job = Job(
        spec=spec,
        source=source,
        archive=archive,
        known=known,
        frontier=frontier,
        spool=Spool(Path(spec.spool)),
        wanted=wanted,
        policy=policy,
        hosts=Hosts(
            source.rate.delay_seconds if spec.delay_seconds is None else spec.delay_seconds,
            pace=Pace(Path(spec.hosts_dir)) if spec.hosts_dir else None,
            yields=spec.span is not None,
        ),
    )
    # Before the reactor runs: a stop that comes early is then no kill. The watcher sees it at its next look.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: job.stop("stopped"))
    process = AsyncCrawlerProcess(_settings(job))
    crawler = process.create_crawler(PastSpider if spec.span else SourceSpider)
    ended: dict[str, str] = {}
    crawler.signals.connect(lambda reason: ended.update(reason=reason), signals.spider_closed, weak=False)
    crawler.signals.connect(lambda: _count_error(job), signals.spider_error, weak=False)
    crawler.signals.connect(lambda: _watch(crawler, job), signals.spider_opened, weak=False)
    process.crawl(crawler, job=job, **({"span": spec.span} if spec.span else {}))
    process.start(install_signal_handlers=False)
    if process.bootstrap_failed:
        raise RuntimeError(f"the crawl of {source.id} did not start")
    report = _report(job, cast(SourceSpider, crawler.spider), ended.get("reason", "killed"))
    job.spool.finish(report)
    return report


def _allowed(spec: CrawlSpec) -> tuple[str, ...]:
    """Where the spec itself sends requests is no surprise."""
    return (*spec.allow_addresses, *(address.rpartition(":")[0].strip("[]") for address in spec.connect_to.values()))


def _settings(job: Job) -> Settings:
    settings = Settings()
    settings.setmodule(spiders.settings)
    settings.update(
        {
            "DOWNLOAD_VERIFY_CERTIFICATES": job.source.tls == "verify",
            "CONCURRENT_REQUESTS_PER_DOMAIN": job.spec.requests_per_host,
            "TWISTED_DNS_RESOLVER": GuardedResolver.bound_to(job.policy),
        },
        priority="cmdline",
    )
    return settings


def _count_error(job: Job) -> None:
    job.errors += 1


def _watch(crawler: Crawler, job: Job) -> None:
    """Ends the crawl in order: on SIGTERM or SIGINT, at the deadline, or when nobody wants it any more."""
    job.started = time.monotonic()
    job.watcher = asyncio.get_running_loop().create_task(_close_when_due(crawler, job))


async def _close_when_due(crawler: Crawler, job: Job) -> None:
    while not job.stopping.is_set():
        if job.seconds_left <= 0:
            job.stop("timeout")
        elif not job.wanted():
            job.stop("unwanted")
        else:
            await job.rest(min(LOOK_SECONDS, job.seconds_left))
    await crawler.engine.close_spider_async(reason=job.stop_reason)


def _report(job: Job, spider: SourceSpider, reason: str) -> CrawlReport:
    tally = job.tally
    tally.close(reason if reason != "finished" else "lost")
    return CrawlReport(
        source=job.source.id,
        discovered=len(tally),
        fetched=tally.count("fetched"),
        rejected=tally.count("rejected"),
        unchanged=tally.count("unchanged"),
        filtered=tally.reasons("filtered"),
        pending=tally.reasons("pending"),
        requests=job.requests,
        seconds=round(time.monotonic() - job.started, 3),
        gate_failures=tuple(job.gate_failures),
        warnings=tuple(dict.fromkeys(job.warnings)),
        validators=tuple(spider.validators),
        gaps=tuple(job.gaps),
        newest_at=spider.newest_at,
        walked=spider.walked,
        finish_reason="error" if job.errors and reason == "finished" else reason,
    )

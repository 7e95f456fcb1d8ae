"""What the parts of one running crawl share: the spider, the middlewares and the download handler hang on this."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from scrapy.crawler import Crawler

from articles.source import Source
from spiders.crawl import Archive, CrawlSpec, Frontier, Gap, Known
from spiders.guard import AddressPolicy
from spiders.hosts import Hosts
from spiders.spool import Spool
from spiders.tally import Tally


@dataclass(slots=True, kw_only=True)
class Job:
    spec: CrawlSpec
    source: Source
    archive: Archive
    known: Known
    frontier: Frontier
    spool: Spool
    wanted: Callable[[], bool]
    policy: AddressPolicy
    hosts: Hosts
    tally: Tally = field(default_factory=Tally)
    turns: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    """Host → held by the request that is on the wire."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    stop_reason: str = ""
    gate_failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    errors: int = 0
    """Exceptions that were bugs of ours."""
    requests: int = 0
    started: float = field(default_factory=time.monotonic)
    watcher: asyncio.Task[None] | None = None
    """Kept here because the event loop keeps no task alive."""

    def turn(self, host: str) -> asyncio.Semaphore:
        if host not in self.turns:
            self.turns[host] = asyncio.Semaphore(self.spec.requests_per_host)
        return self.turns[host]

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.spec.soft_seconds - (time.monotonic() - self.started))

    def backoff_seconds(self, attempt: int) -> float:
        """Doubling, and never the same for two, so that a host that comes back is not met by all at once."""
        return float(self.spec.backoff_seconds * 2 ** (attempt - 1) * random.uniform(1, 1.5))

    def stop(self, reason: str) -> None:
        """No further request; whoever waits is woken."""
        self.stop_reason = self.stop_reason or reason
        self.stopping.set()

    async def rest(self, seconds: float) -> bool:
        """Waits; False if the crawl is to stop in the meantime."""
        if seconds > 0 and not self.stopping.is_set():
            try:
                await asyncio.wait_for(self.stopping.wait(), seconds)
            except TimeoutError:
                return True
        return not self.stopping.is_set()


def job_of(crawler: Crawler) -> Job:
    return cast(Job, crawler.spider.job)  # type: ignore[union-attr]

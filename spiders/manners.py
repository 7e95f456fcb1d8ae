"""How we behave towards a site: downloader middlewares, in the order a request meets them.

Gate       urls, hosts and addresses that are never asked for; hosts that are left alone
Robots     robots.txt, failing closed
Patience   second tries, after a wait, or after the one the host asked for
Redirects  at most five, each of them through the gate again
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser
from w3lib.url import safe_url_string

from articles.records import Reason
from spiders.failures import DOWNLOAD_ERRORS, Failure, Refused, explain, without_credentials
from spiders.hosts import MAX_PAUSE_SECONDS, retry_after_seconds
from spiders.job import Job, job_of

logger = logging.getLogger(__name__)

PRODUCT = "finnews"
TRIES = 3
RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
REFUSING_STATUSES = frozenset({401, 403, 429})
MAX_REDIRECTS = 5
ROBOTS_BYTES = 512 * 1024  # RFC 9309 asks for at least 500 KiB; the rest is ignored
MAX_CRAWL_DELAY_SECONDS = 60.0

ROBOTS = "robots_txt"
TRY = "try"
HOPS = "hops"
SPENT = "spent_seconds"
"""Request meta: time on the wire of all tries and redirects together, which the source's timeout limits."""


class Middleware:
    def __init__(self, crawler: Crawler, job: Job) -> None:
        self.crawler = crawler
        self.job = job

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, job_of(crawler))


class Gate(Middleware):
    def process_request(self, request: Request) -> None:
        url = request.url
        if objection := self.job.policy.objection(url):
            raise Refused(Reason.BLOCKED, objection)
        host = _host(request)
        if not self.job.source.owns(host):
            raise Refused(Reason.HTTP, f"leads to {host}, which is not among the source's hosts")
        if why := self.job.hosts.closed(host):
            raise Refused(Reason.NETWORK, f"{host} is left alone: {why}", temporary=True)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host's robots.txt says; without a parser, everything or nothing is allowed."""

    parser: ProtegoRobotParser | None = None
    failure: Failure | None = None
    """Why there is no answer: nothing is allowed then."""

    def allows(self, url: str) -> bool:
        return self.parser is None or self.parser.allowed(url, PRODUCT)


class Robots(Middleware):
    """RFC 9309: rules are obeyed, 4xx means there are none, anything else that is no answer means keep out."""

    def __init__(self, crawler: Crawler, job: Job) -> None:
        super().__init__(crawler, job)
        self._rules: dict[str, asyncio.Task[Rules]] = {}

    async def process_request(self, request: Request) -> None:
        if request.meta.get(ROBOTS) or self.job.source.robots == "ignore":
            return
        rules = await self._rules_for(request)
        if rules.failure and rules.failure.reason is Reason.BLOCKED:
            raise Refused(Reason.BLOCKED, rules.failure.detail)
        if rules.failure:
            raise Refused(Reason.ROBOTS, f"robots.txt is unavailable: {rules.failure.detail}", temporary=True)
        if not rules.allows(request.url):
            raise Refused(Reason.ROBOTS, "robots.txt disallows it")

    async def _rules_for(self, request: Request) -> Rules:
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.get_running_loop().create_task(self._fetch(origin))
        return await asyncio.shield(self._rules[origin])

    async def _fetch(self, origin: str) -> Rules:
        """The rules, from a crawl not long ago or from the host; what is no answer is asked for again next time."""
        kept = self.job.frontier.robots(origin)
        if kept is not None:
            return self._read(origin, kept)
        url = f"{origin}/robots.txt"
        request = Request(url, callback=NO_CALLBACK, meta={ROBOTS: True}, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except DOWNLOAD_ERRORS as error:
            failure = explain(error)
            if failure and failure.reason is Reason.LOOP:
                self.job.warnings.append(f"{url} redirects without end: read as if there were none")
                return Rules()
            return Rules(failure=failure)
        if response.status == 429 or response.status >= 500:
            return Rules(failure=Failure(reason=Reason.HTTP, detail=f"status {response.status}"))
        body = response.body[:ROBOTS_BYTES] if response.status == 200 else b""
        if body.lstrip().startswith(b"<"):
            self.job.warnings.append(f"{url} is a page, not rules: read as if there were none")
            body = b""
        self.job.frontier.keep_robots(origin, body)
        return self._read(origin, body)

    def _read(self, origin: str, body: bytes) -> Rules:
        parser = ProtegoRobotParser(body, self.crawler.spider)
        self._slow_down((urlsplit(origin).hostname or "").lower(), parser.crawl_delay(PRODUCT))
        return Rules(parser=parser)

    def _slow_down(self, host: str, crawl_delay: float | None) -> None:
        if crawl_delay and self.job.spec.delay_seconds is None:
            self.job.hosts.slow_down(host, min(crawl_delay, MAX_CRAWL_DELAY_SECONDS))


class Patience(Middleware):
    async def process_response(self, request: Request, response: Response) -> Request | Response:
        host = _host(request)
        if response.status in RETRIED_STATUSES:
            return await self._again_after(request, response, host) or response
        if response.status in REFUSING_STATUSES:
            self.job.hosts.failed(host, f"status {response.status}")
        else:
            self.job.hosts.answered(host)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        failure = explain(exception)
        if failure is None or _is_ours(failure):
            return None
        again = await self._again(request, failure.detail) if failure.retry else None
        if again is None and failure.temporary:
            self.job.hosts.failed(_host(request), failure.detail)
        return again

    async def _again_after(self, request: Request, response: Response, host: str) -> Request | None:
        """Another try; a host that names its time is given it, or is left alone if it is longer than we stay."""
        asked = self._asked_for(response)
        if asked is None:
            again = await self._again(request, f"status {response.status}")
        elif asked > min(MAX_PAUSE_SECONDS, self.job.seconds_left):
            self.job.hosts.close(host, f"it asked to wait for {asked:.0f} s")
            return None
        else:
            logger.info("%s asks to wait for %.0f s", host, asked)
            self.job.hosts.pause(host, asked)
            again = _next_try(request)
        if again is None:
            self.job.hosts.failed(host, f"status {response.status}")
        return again

    async def _again(self, request: Request, why: str) -> Request | None:
        again = _next_try(request) if request.meta.get(SPENT, 0.0) < self.job.source.rate.timeout_seconds else None
        if again is None or not await self.job.rest(self.job.backoff_seconds(again.meta[TRY])):
            return None
        logger.info("try %d of %s: %s", again.meta[TRY] + 1, without_credentials(request.url), why)
        return again

    def _asked_for(self, response: Response) -> float | None:
        value = _header(response, "Retry-After")
        if not value:
            return None
        asked = retry_after_seconds(value, date=_header(response, "Date"))
        if asked is None:
            self.job.warnings.append(f"{_host(response)} sent a Retry-After that says nothing: {value[:80]!r}")
        return asked


class Redirects(Middleware):
    def process_response(self, request: Request, response: Response) -> Request | Response:
        location = _header(response, "Location")
        if response.status not in (301, 302, 303, 307, 308) or not location:
            return response
        hops = request.meta.get(HOPS, 0) + 1
        if hops > MAX_REDIRECTS:
            raise Refused(Reason.LOOP, f"more than {MAX_REDIRECTS} redirects")
        url = urljoin(request.url, safe_url_string(location))
        # A Request cannot be made of any url; the gate refuses the rest when it is sent.
        if objection := self.job.policy.objection(url):
            raise Refused(Reason.BLOCKED, f"redirect: {objection}")
        self._note_move(request, response, url)
        meta = {**request.meta, HOPS: hops}
        meta.pop("download_slot", None)
        redirected = request.replace(url=url, meta=meta)
        return redirected.replace(method="GET", body="") if _becomes_get(request, response) else redirected

    def _note_move(self, request: Request, response: Response, url: str) -> None:
        if response.status in (301, 308) and request.meta.get("list"):
            self.job.warnings.append(f"the list {without_credentials(request.url)} has moved to {url}")


def _becomes_get(request: Request, response: Response) -> bool:
    return response.status in (301, 302, 303) and request.method not in ("GET", "HEAD")


def _next_try(request: Request) -> Request | None:
    tried = request.meta.get(TRY, 0) + 1
    return request.replace(meta={**request.meta, TRY: tried}) if tried < TRIES else None


def _is_ours(failure: Failure) -> bool:
    """Refused by one of us before it was sent: neither the host's fault nor worth another try."""
    return not failure.retry and failure.reason in (Reason.BLOCKED, Reason.ROBOTS, Reason.LOOP, Reason.HTTP)


def _host(request: Request | Response) -> str:
    return (urlsplit(request.url).hostname or "").rstrip(".").lower()


def _header(response: Response, name: str) -> str:
    value = response.headers.get(name)
    return value.decode("latin-1").strip() if value else ""

"""The innermost part of a request: when it is sent, where to, for how long, and that the answer is whole."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response

from articles.records import Reason
from spiders.encodings import EncodingError, decoded
from spiders.failures import Refused
from spiders.job import job_of
from spiders.manners import SPENT

# So long at most a request of a backfill steps back for a live crawl.
YIELD_SECONDS = 60.0
# What bytes are, whatever their header says: nothing an article could be read from.
MAGIC = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"\x00\x00\x00\x18ftyp", "a video"),
    (b"\x00\x00\x00\x20ftyp", "a video"),
    (b"ID3", "a sound"),
)


class WireHandler(HTTP11DownloadHandler):
    """Scrapy's handler, with the host's delay before a request and a body that is checked to its end after it.

    One request at a time per host is kept here: Scrapy 2.19 counts a transfer only once its task runs, so a burst with
    no delay leaves its queue all at once. Waiting holds the host's turn, so the host rests and others go on.
    """

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._job = job_of(crawler)
        self._max_bytes = crawler.settings.getint("DOWNLOAD_MAXSIZE")

    async def download_request(self, request: Request) -> Response:
        host = urlsplit(request.url).hostname or ""
        async with self._job.turn(host):
            await self._wait_for(host)
            return self._whole(await self._fetch(request, host))

    async def _fetch(self, request: Request, host: str) -> Response:
        routed = self._routed(request)
        started = time.monotonic()
        self._job.requests += 1
        self._job.hosts.sent(host)
        try:
            response = await super().download_request(routed)
        except CannotResolveHostError as error:
            raise self._unresolved(routed, error) from error
        finally:
            request.meta[SPENT] = request.meta.get(SPENT, 0.0) + time.monotonic() - started
        return response.replace(url=request.url)

    async def _wait_for(self, host: str) -> None:
        """First what we owe the host ourselves, then our turn among all crawls of this machine."""
        hosts = self._job.hosts
        patient_until = time.monotonic() + YIELD_SECONDS
        while (seconds := hosts.seconds_to_yield(host)) and time.monotonic() < patient_until:
            if not await self._job.rest(seconds):
                break
        for seconds_to_wait in (hosts.seconds_to_wait, hosts.seconds_to_slot, hosts.seconds_to_resume):
            if not await self._job.rest(seconds_to_wait(host)):
                raise Refused(Reason.NETWORK, f"the crawl is stopping ({self._job.stop_reason})", temporary=True)
        if why := self._job.hosts.closed(host):
            raise Refused(Reason.NETWORK, f"{host} is left alone: {why}", temporary=True)

    def _routed(self, request: Request) -> Request:
        """The request as it is sent: with what is left of its time, and to where the spec sends it."""
        left = self._job.source.rate.timeout_seconds - request.meta.get(SPENT, 0.0)
        if left <= 0:
            raise Refused(Reason.TIMEOUT, "no complete answer in time, all tries together", temporary=True)
        meta = {**request.meta, "download_timeout": left}
        parts = urlsplit(request.url)
        connect_to = self._job.spec.connect_to
        address = connect_to.get(parts.hostname or "") or connect_to.get("*")
        if address is None:
            return request.replace(meta=meta)
        headers = request.headers.copy()
        headers["Host"] = parts.netloc
        return request.replace(url=parts._replace(scheme="http", netloc=address).geturl(), headers=headers, meta=meta)

    def _unresolved(self, request: Request, error: CannotResolveHostError) -> Exception:
        host = urlsplit(request.url).hostname or ""
        address = self._job.policy.blocked.get(host)
        if address is None:
            return error
        return Refused(Reason.BLOCKED, f"{host} resolves to {address}, which is not public")

    def _whole(self, response: Response) -> Response:
        encodings = content_encodings(response)
        if not encodings:
            return response
        try:
            body = decoded(response.body, encodings, limit_bytes=self._max_bytes)
        except EncodingError as error:
            retry = error.reason is not Reason.TOO_BIG
            raise Refused(error.reason, error.detail, retry=retry, response=response) from error
        headers = response.headers.copy()
        for name in ("Content-Encoding", "Content-Length"):
            headers.pop(name, None)
        return response.replace(body=body, headers=headers)


def content_encodings(response: Response) -> Sequence[str]:
    values = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
    return [name for each in values.split(",") if (name := each.strip().lower())]


def not_text(body: bytes) -> str:
    """What the bytes are if they are no text, by their first few; "" otherwise."""
    return next((name for magic, name in MAGIC if body.startswith(magic)), "")

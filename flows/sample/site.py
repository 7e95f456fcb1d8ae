"""Serves the sample site over real HTTP on loopback, one server for all its hosts, told apart by the Host header.

    with SampleSite() as site:
        …crawl with every connection sent to site.address…
        site.edition = 2          # an hour later: some new articles, one corrected, other ETags on the lists

It behaves as the real hosts do: lists with ETag and Last-Modified that answer 304, gzip for who asks, GBK bytes without
a charset header, robots.txt on some hosts and 404 on others.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

from flows.sample import pages
from flows.sample.content import EDITION_TIMES, EDITIONS, SampleArticle, articles

HTML = "text/html; charset=utf-8"
HTML_WITHOUT_CHARSET = "text/html"
JSON = "application/json; charset=utf-8"
XML = "text/xml; charset=utf-8"

# Hosts that answer 404 for robots.txt, as theirs do, are not in here.
ROBOTS = {
    "finance.eastmoney.com": "User-agent: *\nDisallow: /api/\n",
    "finance.sina.com.cn": "User-agent: *\nAllow: /\n",
    "wallstreetcn.com": "User-agent: *\nDisallow: /search\n",
    "www.chinanews.com.cn": "User-agent: *\nDisallow: /search/\nDisallow: /common/\n",
}
Query = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the site's access log."""

    host: str
    target: str
    status: int
    conditional: bool
    """Did it carry If-None-Match or If-Modified-Since?"""


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    content_type: str
    changed: datetime | None = None
    """Of lists: when their edition was put online. Lists are what can be asked for conditionally."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'


class SampleSite:
    """Context manager; `.address` is where to connect to, whatever host a url names."""

    def __init__(self, *, edition: int = 1) -> None:
        self.edition = edition
        self.requests: list[Request] = []
        self._server = _Server(self)

    @property
    def edition(self) -> int:
        return self._edition

    @edition.setter
    def edition(self, edition: int) -> None:
        if edition not in EDITIONS:
            raise ValueError(f"the sample site has editions {EDITIONS}, not {edition}")
        self._edition = edition

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="sample-site", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, host: str, target: str) -> Answer | None:
        """What the site says to one request; None is a 404."""
        parts = urlsplit(target)
        if parts.path == "/robots.txt":
            return Answer(ROBOTS[host].encode(), "text/plain") if host in ROBOTS else None
        listing = _list(host, parts.path, parse_qs(parts.query), self.edition)
        return listing or next(_pages(host, parts.path, from_edition=self.edition), None)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(host: str, path: str, query: Query, edition: int) -> Answer | None:
    online = EDITION_TIMES[edition]
    if feed := FEEDS.get((host, path)):
        return Answer(feed.render(feed.listed(edition)).encode(), XML, changed=online)
    if api := APIS.get((host, path)):
        page, page_size = _number(query, api.page, 1), _number(query, api.page_size, 20)
        return Answer(api.render(api.listed(edition), page, page_size).encode(), JSON, changed=online)
    return None


@dataclass(frozen=True, slots=True)
class _Listed:
    source: str
    via: Literal["feed", "list"]

    def listed(self, edition: int) -> list[SampleArticle]:
        ways = (self.via, "both")
        return [article for article in articles(edition) if article.source == self.source and article.via in ways]


@dataclass(frozen=True, slots=True)
class Feed(_Listed):
    render: Callable[[list[SampleArticle]], str]


@dataclass(frozen=True, slots=True)
class Api(_Listed):
    render: Callable[[list[SampleArticle], int, int], str]
    page: str
    page_size: str


FEEDS = {
    ("rss.eastmoney.com", "/rss_partener.xml"): Feed("eastmoney", "feed", pages.east_money_feed),
    ("dedicated.wallstreetcn.com", "/rss.xml"): Feed("wallstreetcn", "list", pages.wallstreetcn_feed),
    ("www.chinanews.com.cn", "/rss/finance.xml"): Feed("chinanews", "list", pages.chinanews_feed),
}
APIS = {
    ("np-listapi.eastmoney.com", "/comm/web/getNewsByColumns"): Api(
        "eastmoney", "list", pages.east_money_list, "page_index", "page_size"
    ),
    ("feed.mix.sina.com.cn", "/api/roll/get"): Api("sina", "list", pages.sina_list, "page", "num"),
}


def _number(query: Query, name: str, default: int) -> int:
    value = query.get(name, [""])[0]
    return int(value) if value.isdecimal() and int(value) else default


# ── article pages ────────────────────────────────────────────────────────────────────────────────────────────────────


def _pages(host: str, path: str, *, from_edition: int) -> Iterator[Answer]:
    """The page in this edition, and in later ones: a page is online before any list names it, and a crawl that was
    killed after the lists of the second edition asks for it while the next run is at the first."""
    for edition in EDITIONS:
        if edition >= from_edition:
            yield from (_rendered(article) for article in articles(edition) if (host, path) in _places(article))


def _places(article: SampleArticle) -> set[tuple[str | None, str]]:
    """Host and path of an article's page. Wallstreetcn's pages are built by script and hold nothing: there are none."""
    match article.source:
        case "eastmoney":
            return {
                ("finance.eastmoney.com", urlsplit(pages.east_money_url(article)).path),
                ("finance.eastmoney.com", f"/news/1345,{article.native_id}.html"),
            }
        case "sina":
            return {("finance.sina.com.cn", urlsplit(pages.sina_url(article)).path)}
        case "chinanews":
            return {("www.chinanews.com.cn", urlsplit(pages.chinanews_url(article)).path)}
        case _:
            return set()


def _rendered(article: SampleArticle) -> Answer:
    match article.source, article.layout:
        case "eastmoney", _:
            return Answer(pages.east_money_page(article).encode(), HTML)
        case "sina", "old":
            # The header names no charset and the meta claims gb2312; the bytes are GBK, as everywhere of that age.
            return Answer(pages.sina_page(article).encode("gbk"), HTML_WITHOUT_CHARSET)
        case "sina", _:
            return Answer(pages.sina_page(article).encode(), HTML)
        case _:
            return Answer(pages.chinanews_page(article).encode(), HTML)


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: SampleSite) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site
        self.log_lock = Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    # Headers and body leave in two writes; without this each answer waits 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0].lower()
        answer = self.server.site.answer(host, self.path)
        if answer is None:
            status = 404
            self._send(status, Answer(b"<html><body><h1>404 Not Found</h1></body></html>", HTML))
        elif answer.changed and self._is_known(answer):
            status = 304
            self._send(status, answer)
        else:
            status = 200
            self._send(status, answer)
        with self.server.log_lock:
            self.server.site.requests.append(Request(host, self.path, status, self._conditional))

    @property
    def _conditional(self) -> bool:
        return "If-None-Match" in self.headers or "If-Modified-Since" in self.headers

    def _is_known(self, answer: Answer) -> bool:
        if etags := self.headers.get("If-None-Match"):
            return answer.etag in [etag.strip().removeprefix("W/") for etag in etags.split(",")]
        since = self.headers.get("If-Modified-Since")
        return bool(since and answer.changed and answer.changed <= parsedate_to_datetime(since))

    def _send(self, status: int, answer: Answer) -> None:
        body = b"" if status == 304 else answer.body
        self.send_response(status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Vary", "Accept-Encoding")
        if answer.changed:
            self.send_header("ETag", answer.etag)
            self.send_header("Last-Modified", format_datetime(answer.changed.astimezone(UTC), usegmt=True))
        if body and "gzip" in (self.headers.get("Accept-Encoding") or ""):
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The log is `SampleSite.requests`."""

"""A site on loopback that costs next to nothing to ask, so that what is measured is the one who asks.

with Site(articles=600) as site: …http://site.address/list?page=1, /a/0.html…
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any, Self

ADDRESS = "127.0.0.2"  # an address that the guard refuses unless it is allowed
HOST = "site.test"
A_PAGE = 100
KINDS = ("robots.txt", "lists", "not modified", "articles")
START = datetime(2026, 11, 20, 9, 30)  # noqa: DTZ001 - the site's own clock
SENTENCE = "<p>本周虚构指数收涨百分之一，成交温和放大，样本公司发布季度数据，机构称后市仍需观察。</p>\n"
# The size of a news page: some thirty kilobytes of mark-up and scripts around two of text.
FRAME = "<div class='nav'><a href='/'>首页</a><script>var q=[1,2,3,4,5,6,7,8,9];</script></div>\n" * 300


class Site:
    """Runs in a process of its own; `published` says how many of its articles are online."""

    def __init__(self, articles: int) -> None:
        self._articles = articles
        self._published = multiprocessing.Value("i", articles)
        self._counts = multiprocessing.Array("i", 4)

    def __enter__(self) -> Self:
        here, there = multiprocessing.Pipe()
        arguments = (self._articles, self._published, self._counts, there)
        self._process = multiprocessing.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        self.address = f"{ADDRESS}:{here.recv()}"
        return self

    def publish(self, count: int) -> None:
        self._published.value = count

    @property
    def requests(self) -> dict[str, int]:
        return dict(zip(KINDS, self._counts, strict=True))

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.join()


def listed(number: int) -> dict[str, str]:
    published = START + timedelta(minutes=number)
    return {"url": f"http://{HOST}/a/{number}.html", "title": f"题目{number}", "time": f"{published:%Y-%m-%d %H:%M:%S}"}


def page(number: int) -> bytes:
    body = f"<h1>题目{number}</h1><div class='content'>{SENTENCE * 20}<p>第{number}篇。</p></div>"
    head = f"<head><meta charset='utf-8'><title>题目{number}</title></head>"
    return f"<html>{head}<body>{FRAME}{body}</body></html>".encode()


class _Protocol(asyncio.Protocol):
    """Lists are newest first, and have an ETag."""

    def __init__(self, pages: list[bytes], published: Any, counts: Any) -> None:  # noqa: ANN401 - shared memory
        self._pages, self._published, self._counts = pages, published, counts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._answer(head.decode())

    def _answer(self, head: str) -> None:
        path, _, number = head.split(" ", 2)[1].partition("?page=")
        if path == "/list":
            newest = self._published.value
            if number == "1" and f'"{newest}"' in head:
                self._send("not modified", b"", status="304 Not Modified")
                return
            first = newest - (int(number) - 1) * A_PAGE
            rows = [listed(each) for each in range(first - 1, max(first - A_PAGE, 0) - 1, -1)]
            self._send("lists", json.dumps({"data": rows}).encode(), "application/json", etag=f'"{newest}"')
        elif path.startswith("/a/"):
            self._send("articles", self._pages[int(path[3:-5])], "text/html; charset=utf-8")
        else:
            self._send("robots.txt", b"", status="404 Not Found")

    def _send(
        self, kind: str, body: bytes, content_type: str = "text/plain", *, status: str = "200 OK", etag: str = '"-"'
    ) -> None:
        self._counts[KINDS.index(kind)] += 1
        lines = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\nETag: {etag}\r\n"
        self._transport.write(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)


def _serve(articles: int, published: Any, counts: Any, told: Connection) -> None:  # noqa: ANN401
    pages = [page(number) for number in range(articles)]

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Protocol(pages, published, counts), ADDRESS, 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())

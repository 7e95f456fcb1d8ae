"""A loopback server that misbehaves on purpose: one host name, one fault.

    with FaultServer() as server:
        server.faults["n06"] = truncated_gzip
        …http://n06.faulty.test/… over a connection to server.address…

It speaks through the bare socket, so that it can also break the protocol. Every request is logged with its time.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from threading import Thread

ADDRESS = "127.0.0.2"  # not 127.0.0.1, which the guard must go on refusing
ARTICLE = (
    "<html><head><meta charset='utf-8'><title>测试市场周报</title></head><body><h1>测试市场周报</h1>"
    + "<p>本周虚构指数收涨百分之一，成交温和放大，样本公司发布季度数据。</p>" * 12
    + "</body></html>"
).encode()


@dataclass(frozen=True, slots=True)
class Asked:
    at: float
    host: str
    path: str
    headers: dict[str, str]

    @property
    def label(self) -> str:
        return self.host.partition(".")[0]


@dataclass(slots=True)
class Turn:
    """One request and the socket to answer on; `number` counts the requests for this path."""

    asked: Asked
    number: int
    connection: socket.socket

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(
        self, body: bytes = b"", status: str = "200 OK", content_type: str = "text/html", **headers: str
    ) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = {"Content-Type": content_type, "Content-Length": str(len(body)), "Connection": "close", **names}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def redirect(self, url: str) -> None:
        self.answer(status="302 Found", Location=url)


Fault = Callable[[Turn], None]


class FaultServer:
    def __init__(self) -> None:
        self.faults: dict[str, Fault] = {}
        self.robots: dict[str, Fault] = {}
        self.log: list[Asked] = []
        self._counts: dict[tuple[str, str], int] = {}
        self._listening = socket.create_server((ADDRESS, 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]

    @property
    def address(self) -> str:
        return f"{ADDRESS}:{self.port}"

    def __enter__(self) -> FaultServer:
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def requests(self, label: str, *, robots: bool = False) -> list[Asked]:
        return [asked for asked in self.log if asked.label == label and asked.path.startswith("/robots.txt") == robots]

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            asked = _read_request(connection)
            if asked is None:
                return
            self.log.append(asked)
            key = (asked.host, asked.path)
            self._counts[key] = self._counts.get(key, 0) + 1
            self._choose(asked)(Turn(asked, self._counts[key], connection))

    def _choose(self, asked: Asked) -> Fault:
        if asked.path.startswith("/robots.txt"):
            return self.robots.get(asked.label, no_robots)
        return self.faults.get(asked.label, article)


def _read_request(connection: socket.socket) -> Asked | None:
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        if not received:
            return None
        head += received
    first, *lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(time.monotonic(), headers.get("host", ""), first.split(" ")[1], headers)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def no_robots(turn: Turn) -> None:
    turn.answer(status="404 Not Found")


def article(turn: Turn) -> None:
    turn.answer(ARTICLE, content_type="text/html; charset=utf-8")


def rules(text: str) -> Fault:
    return lambda turn: turn.answer(text.encode(), content_type="text/plain")


def status(line: str, **headers: str) -> Fault:
    return lambda turn: turn.answer(b"no", status=line, **headers)


def body(data: bytes, content_type: str = "text/html", **headers: str) -> Fault:
    return lambda turn: turn.answer(data, content_type=content_type, **headers)


def redirect(url: str) -> Fault:
    return lambda turn: turn.redirect(url)


def redirect_without_end(turn: Turn) -> None:
    path, _, hops = turn.asked.path.partition("?")
    turn.redirect(f"{path}?{hops}x")


def truncated_gzip(turn: Turn) -> None:
    turn.answer(gzip.compress(ARTICLE * 5)[:-20], Content_Encoding="gzip")


def shorter_than_said(turn: Turn) -> None:
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999\r\n\r\n" + ARTICLE)


def endless(turn: Turn) -> None:
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
    for _ in range(2_000):
        turn.send(b"x" * 65536)


def reset(turn: Turn) -> None:
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<html>")
    turn.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drop(turn: Turn) -> None:
    """Closes without a word."""


def slow_body(turn: Turn) -> None:
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        turn.send(b"<p>")
        time.sleep(0.1)


def slow_headers(turn: Turn) -> None:
    turn.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        turn.send(f"X-{number}: a\r\n".encode())
        time.sleep(0.1)


def huge_header(turn: Turn) -> None:
    turn.send(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 300_000 + b"\r\nContent-Length: 2\r\n\r\nok")


def bad_chunks(turn: Turn) -> None:
    turn.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n"
    )


def busy_once(line: str, *, seconds: int = 1, as_date: bool = False) -> Fault:
    """Asks for patience, in seconds or by a date on its own clock, which is a day off; then gives the article."""

    def answer(turn: Turn) -> None:
        if turn.number > 1:
            article(turn)
        elif as_date:
            clock = time.time() - 86_400
            later = formatdate(clock + seconds, usegmt=True)
            turn.answer(b"busy", status=line, Date=formatdate(clock, usegmt=True), Retry_After=later)
        else:
            turn.answer(b"busy", status=line, Retry_After=str(seconds))

    return answer


def asks_once(retry_after: str) -> Fault:
    return lambda turn: (
        article(turn) if turn.number > 1 else turn.answer(status="503 Service Unavailable", Retry_After=retry_after)
    )


def every_third_fails(turn: Turn) -> None:
    if turn.number == 1 and hash_of(turn.asked.path) % 3 == 0:
        drop(turn)
    else:
        article(turn)


@dataclass(slots=True)
class HeldBack:
    """Keeps each answer back for a moment and counts the requests that wait for one."""

    waiting: int = 0
    most_at_once: int = 0

    def __call__(self, turn: Turn) -> None:
        self.waiting += 1
        self.most_at_once = max(self.most_at_once, self.waiting)
        time.sleep(0.05)
        self.waiting -= 1
        article(turn)


def hash_of(path: str) -> int:
    return zlib.crc32(path.encode())


@dataclass(slots=True)
class Listed:
    """The rows of a JSON list, filled as the tests are set up."""

    rows: list[dict[str, str]] = field(default_factory=list)

    def add(self, url: str, **fields: str) -> None:
        self.rows.append({"url": url, "title": f"题目 {len(self.rows)}", "time": "2026-11-20 09:30:00", **fields})

    def __call__(self, turn: Turn) -> None:
        turn.answer(json.dumps({"data": self.rows}).encode(), content_type="application/json")

"""Two hundred answers that are wrong in random ways, over a real connection: each comes to an end that has a name.

The answers are sound ones, damaged by a seeded hand: bytes flipped, cut, doubled, swapped, headers that lie, values of
other types, links that lead nowhere. What the crawl lets through is then extracted.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import faultserver as faults
import pytest
from crawling import FIELDS, Crawled, crawl, source_of
from faultserver import FaultServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from articles.extract import extract
from articles.records import Article, Page, Reason, Rejected
from articles.source import ListRule, Source
from spiders.listing import READERS, read
from spiders.rows import ListError, Listing

LISTS = 60
PAGES = 140
URL = "http://list.faulty.test/list"
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 1e308, "", "\ud800", "\x00", "长" * 5_000, [], {}, [[[]]], {"a": {}}),
    *("javascript:alert(1)", "//", "http://[", "http://a\u202eb/", "http://faulty.test:0/", "http://用户@faulty.test/"),
    *("../../..", "２０２６年", "0000-00-00", "%ZZ", "http://\ud800.faulty.test/", "http://" + "a" * 3_000),
)
HEADERS = (
    *(b"Content-Encoding: " + name for name in (b"gzip", b"br", b"zstd, gzip", b"nonsense")),
    *(b"Content-Type: " + name for name in (b"text/html; charset=gb2312", b"\xff\xfe", b"application/pdf")),
    b"Content-Type: text/html; charset=" + b"x" * 200,
    *(b"Content-Length: " + length for length in (b"-1", b"99999999999999999999", b"3")),
    *(b"Transfer-Encoding: " + name for name in (b"chunked", b"gzip")),
    *(b"Location: /", b"Retry-After: -99999999999999", b"Set-Cookie: a=b", b"Refresh: 0; url=/"),
    *(b"no colon at all", b": no name", b"ETag: " + b"\x80" * 50),
)
STATUSES = (
    *((b"200 OK",) * 12),
    *(b"206 Partial", b"204 No", b"302 Found", b"418 Tea", b"999 ?", b"200", b"abc def", b"100 Go"),
)
INSERTS = (
    *(b"\x00", b"]]>", b"<!--", b"<![CDATA[", b"</", b"&#0;", b"&#xD800;", b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"{" * 2_000, b"<p>" * 500),
)


def sound_list(kind: str, label: str) -> bytes:
    urls = [f"http://{label}.faulty.test/a/{number}.html" for number in range(3)]
    if kind == "json":
        rows = [{"url": url, "title": "题目", "time": "2026-11-20 09:30:00"} for url in urls]
        return json.dumps({"data": rows}, ensure_ascii=False).encode()
    if kind == "feed":
        items = "".join(f"<item><title>题目</title><link>{url}</link></item>" for url in urls)
        return f"<?xml version='1.0'?><rss version='2.0'><channel>{items}</channel></rss>".encode()
    if kind == "sitemap":
        return f"<urlset>{''.join(f'<url><loc>{url}</loc></url>' for url in urls)}</urlset>".encode()
    return f"<ul class='list'>{''.join(f'<li><a href={url!r}>题目</a></li>' for url in urls)}</ul>".encode()


def rule(kind: str, url: str) -> ListRule:
    if kind == "json":
        return ListRule(kind="json", url=url, items="data", fields=FIELDS)
    if kind == "html":
        return ListRule(kind="html", url=url, items="ul.list li", fields={"url": "a::attr(href)", "title": "a::text"})
    return ListRule(kind=kind, url=url)  # type: ignore[arg-type]


def damaged(body: bytes, hand: random.Random) -> bytes:
    for _ in range(hand.randint(1, 4)):
        body = hand.choice((flipped, cut, doubled, spliced, retyped, nested))(body, hand)
    return body


def flipped(body: bytes, hand: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(hand.randint(1, 20) if changed else 0):
        changed[hand.randrange(len(changed))] = hand.randrange(256)
    return bytes(changed)


def cut(body: bytes, hand: random.Random) -> bytes:
    return body[: hand.randint(0, len(body))]


def doubled(body: bytes, hand: random.Random) -> bytes:
    first, last = sorted((hand.randint(0, len(body)), hand.randint(0, len(body))))
    return body[:last] + body[first:last] * hand.choice((1, 5, 50)) + body[last:]


def spliced(body: bytes, hand: random.Random) -> bytes:
    at = hand.randint(0, len(body))
    return body[:at] + hand.choice(INSERTS) + body[at:]


def retyped(body: bytes, hand: random.Random) -> bytes:
    """A value of another type or shape, where there is JSON."""
    try:
        answer = json.loads(body)
        row = hand.choice(answer["data"])
        row[hand.choice(list(row))] = hand.choice(VALUES)
        return json.dumps(hand.choice((answer, answer["data"], {"data": {"0": row}}, {"data": [row, 1]}))).encode()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return body


def nested(body: bytes, hand: random.Random) -> bytes:
    depth = hand.choice((10, 300, 3_000))
    opening, closing = hand.choice(((b"<div>", b"</div>"), (b"[", b"]"), (b'{"data":', b"}")))
    return opening * depth + body + closing * depth


def on_the_wire(body: bytes, hand: random.Random) -> bytes:
    """A whole HTTP answer, most of them with a head that fits."""
    lines = [b"HTTP/1.1 " + hand.choice(STATUSES), b"Connection: close"]
    lines += [hand.choice(HEADERS) for _ in range(hand.choice((0, 0, 0, 1, 2)))]
    if hand.random() < 0.2:
        body, lines = gzip.compress(body), [*lines, b"Content-Encoding: gzip"]
    answer = b"\r\n".join(lines) + b"\r\n\r\n" + body
    return flipped(answer, hand) if hand.random() < 0.1 else answer


def answering(seed: int, sound: Callable[[], bytes]) -> faults.Fault:
    return lambda turn: turn.send(on_the_wire(damaged(sound(), random.Random(seed)), random.Random(-seed)))


@contextmanager
def five_seconds() -> Iterator[None]:
    """Of work, however busy the machine is; on a quiet one the worst takes half a second."""
    started = time.process_time()
    yield
    assert time.process_time() - started < 5


@dataclass(frozen=True)
class Survived:
    crawled: Crawled
    source: Source


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survived]:
    kinds = [sorted(READERS)[number % len(READERS)] for number in range(LISTS)]
    with FaultServer() as server:
        rows = faults.Listed()
        for number in range(PAGES):
            server.faults[f"p{number}"] = answering(number + 1, lambda: faults.ARTICLE)
            rows.add(f"http://p{number}.faulty.test/a.html")
        server.faults["list"] = rows
        for number, kind in enumerate(kinds):
            seed, label = 1_000 + number, f"l{number}"
            answer = answering(seed, lambda kind=kind, label=label: sound_list(kind, label))
            server.faults[label] = lambda turn, answer=answer: (
                faults.article(turn) if turn.asked.path.startswith("/a/") else answer(turn)
            )
        lists = [rule(kind, f"http://l{number}.faulty.test/list") for number, kind in enumerate(kinds)]
        source = source_of(rule("json", URL), *lists, robots="ignore", rate={"timeout_seconds": 0.6})
        folder = tmp_path_factory.mktemp("hostile") / "crawl"
        yield Survived(
            crawl(source, folder, connect_to={"*": server.address}, soft_seconds=30, backoff_seconds=0.01), source
        )


def test_every_answer_came_to_an_end_that_has_a_name(survived: Survived) -> None:
    report = survived.crawled.report
    assert report.finish_reason == "finished", survived.crawled.log[-3000:]
    assert "Traceback" not in survived.crawled.log
    assert report.discovered >= PAGES
    assert "error" not in report.pending
    assert Reason.ERROR not in {refusal.reason for refusal in survived.crawled.rejected}
    settled = Counter(reason for reason in report.pending) + Counter(each.reason for each in survived.crawled.rejected)
    assert len(settled) >= 4, f"the hand is too gentle: {settled}"


def test_every_list_was_read_or_refused_by_name(survived: Survived) -> None:
    assert all(failure.startswith("E-") for failure in survived.crawled.report.gate_failures)
    assert 5 < len(survived.crawled.report.gate_failures) < LISTS, "some were too damaged, some were not"


def test_what_was_let_through_is_extracted_or_refused_by_name(survived: Survived) -> None:
    pages = [survived.crawled.archive[page.raw_ref] for page in survived.crawled.pages]
    assert len(pages) > PAGES // 4
    for page in pages:
        assert isinstance(extract(page, survived.source), Article | Rejected)


@settings(max_examples=200, derandomize=True, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(sorted(READERS)), seed=st.integers(0, 10**9))
def test_any_damaged_list_is_rows_or_a_list_error(kind: str, seed: int) -> None:
    body = damaged(sound_list(kind, "list"), random.Random(seed))
    with five_seconds():
        try:
            listing = read(body, rule(kind, URL), url=URL)
        except ListError:
            return
    assert isinstance(listing, Listing)
    assert all(row.url.startswith(("http://", "https://")) for row in listing.rows)
    assert all(row.url.encode() for row in listing.rows), "a lone surrogate is no part of an address"


@settings(max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_any_damaged_page_is_an_article_or_a_refusal(seed: int) -> None:
    page = Page(
        source="faulty",
        url="http://faulty.test/a.html",
        final_url="http://faulty.test/a.html",
        status=200,
        body=damaged(faults.ARTICLE, random.Random(seed)),
        fetched_at=datetime(2026, 11, 20, tzinfo=UTC),
    )
    with five_seconds():
        assert isinstance(extract(page, source_of()), Article | Rejected)

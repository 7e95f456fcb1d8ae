"""Rows N15 to N18 and R06 without a network: whose turn it is, on a clock that the test winds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.hosts import FAILURES_TO_CLOSE, MAX_PAUSE_SECONDS, Hosts, retry_after_seconds


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def hosts(delay_seconds: float = 2.0) -> tuple[Hosts, Clock]:
    clock = Clock()
    return Hosts(delay_seconds, clock), clock


def test_the_delay_counts_from_the_last_request_of_that_host() -> None:
    known, clock = hosts()
    assert known.seconds_to_wait("a") == 0
    known.sent("a")
    clock.now += 0.5
    assert known.seconds_to_wait("a") == 1.5
    assert known.seconds_to_wait("b") == 0


def test_a_crawl_delay_is_kept_where_it_is_longer() -> None:
    known, _ = hosts(delay_seconds=2)
    known.slow_down("slow", 10)
    known.slow_down("fast", 1)
    for host in ("slow", "fast"):
        known.sent(host)
    assert (known.seconds_to_wait("slow"), known.seconds_to_wait("fast")) == (10, 2)


def test_a_pause_is_never_shortened_and_never_longer_than_the_limit() -> None:
    known, _ = hosts()
    known.pause("a", 30)
    known.pause("a", 5)
    known.pause("b", 10 * 365 * 86_400)
    assert known.seconds_to_wait("a") == 30
    assert known.seconds_to_wait("b") == MAX_PAUSE_SECONDS


def test_a_host_that_keeps_failing_is_left_alone_and_one_answer_makes_it_good() -> None:
    known, _ = hosts()
    for _attempt in range(FAILURES_TO_CLOSE - 1):
        known.failed("a", "status 403")
    known.answered("a")
    known.failed("a", "status 403")
    assert not known.closed("a")
    for _attempt in range(FAILURES_TO_CLOSE):
        known.failed("a", "status 403")
    assert "status 403" in known.closed("a")
    assert not known.closed("b")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Fri, 20 Nov 2026 09:30:05 GMT", 5.0),
        ("Fri, 20 Nov 2026 09:29:00 GMT", 0.0),
        ("Fri, 99 Nov 2026 09:30:05 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, date="Fri, 20 Nov 2026 09:30:00 GMT") == seconds


def test_a_date_without_one_beside_it_counts_from_our_clock() -> None:
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", now=20) == 40


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_header_is_a_wait_or_nothing(value: str, sent: str) -> None:
    seconds = retry_after_seconds(value, date=sent, now=0)
    assert seconds is None or seconds >= 0

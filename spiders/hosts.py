"""What we owe each host: a delay between requests, a pause it asked for, and silence once it keeps failing."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

FAILURES_TO_CLOSE = 3
MAX_PAUSE_SECONDS = 3_600

_SECONDS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(slots=True)
class _Host:
    sent_at: float = -math.inf
    resume_at: float = -math.inf
    delay_seconds: float | None = None
    failures_in_a_row: int = 0
    closed: str = ""


class Hosts:
    def __init__(self, delay_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._delay_seconds = delay_seconds
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    def pause(self, host: str, seconds: float) -> None:
        state = self._of(host)
        state.resume_at = max(state.resume_at, self._clock() + min(seconds, MAX_PAUSE_SECONDS))

    def slow_down(self, host: str, delay_seconds: float) -> None:
        """The host's own delay, where it is longer than ours."""
        self._of(host).delay_seconds = max(delay_seconds, self._delay_seconds)

    def sent(self, host: str) -> None:
        self._of(host).sent_at = self._clock()

    def seconds_to_wait(self, host: str) -> float:
        state = self._of(host)
        delay = self._delay_seconds if state.delay_seconds is None else state.delay_seconds
        return max(0.0, state.sent_at + delay - self._clock(), state.resume_at - self._clock())

    def answered(self, host: str) -> None:
        self._of(host).failures_in_a_row = 0

    def failed(self, host: str, detail: str) -> None:
        """A request was given up; too many in a row and the host is left alone for the rest of the crawl."""
        state = self._of(host)
        state.failures_in_a_row += 1
        if state.failures_in_a_row >= FAILURES_TO_CLOSE:
            self.close(host, f"{state.failures_in_a_row} failures in a row, the last: {detail}")

    def close(self, host: str, why: str) -> None:
        self._of(host).closed = self._of(host).closed or why

    def closed(self, host: str) -> str:
        """Why nothing more is asked of the host, "" if it may be."""
        return self._of(host).closed

    def _of(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())


def retry_after_seconds(value: str, *, date: str = "", now: float | None = None) -> float | None:
    """Retry-After as seconds, None if it says nothing; a date counts from the answer's own Date, for clocks differ."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _timestamp(value)
    if until is None:
        return None
    sent = _timestamp(date)
    return max(0.0, until - (sent if sent is not None else now if now is not None else time.time()))


def _timestamp(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None

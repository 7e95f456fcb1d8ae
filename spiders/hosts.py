"""What we owe each host: a delay between requests, a pause it asked for, and silence once it keeps failing.

The delay and the pause are owed by all crawls of this machine together: `Pace` keeps them in a small file per host.
"""

from __future__ import annotations

import fcntl
import math
import os
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from io import FileIO
from pathlib import Path
from urllib.parse import quote

FAILURES_TO_CLOSE = 3
MAX_PAUSE_SECONDS = 3_600

# A host is a live crawl's as long as that asked for something within so many delays.
LIVE_DELAYS = 2.5

_PACE = re.compile(rb"(\S+) +(-?[\d.]+|-inf) +(-?[\d.]+|-inf) +(-?[\d.]+|-inf)\n")
_SECONDS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(slots=True)
class _Host:
    sent_at: float = -math.inf
    resume_at: float = -math.inf
    delay_seconds: float | None = None
    failures_in_a_row: int = 0
    challenges_in_a_row: int = 0
    closed: str = ""


class Hosts:
    def __init__(
        self,
        delay_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        *,
        yields: bool = False,
    ) -> None:
        """A backfill yields to the live crawls of the same host."""
        self._yields = yields
        self._delay_seconds = delay_seconds
        self._clock = clock
        self._pace = pace
        self._hosts: dict[str, _Host] = {}

    def pause(self, host: str, seconds: float) -> None:
        state = self._of(host)
        state.resume_at = max(state.resume_at, self._clock() + min(seconds, MAX_PAUSE_SECONDS))
        if self._pace and self._delay(state):
            self._pace.pause(host, min(seconds, MAX_PAUSE_SECONDS))

    def slow_down(self, host: str, delay_seconds: float) -> None:
        """The host's own delay, where it is longer than ours."""
        self._of(host).delay_seconds = max(delay_seconds, self._delay_seconds)

    def sent(self, host: str) -> None:
        self._of(host).sent_at = self._clock()

    def seconds_to_wait(self, host: str) -> float:
        """Of our own requests alone."""
        state = self._of(host)
        return max(0.0, state.sent_at + self._delay(state) - self._clock(), state.resume_at - self._clock())

    def seconds_to_yield(self, host: str) -> float:
        """For how long a live crawl has the host, as far as is known now."""
        delay = self._delay(self._of(host))
        return self._pace.live_left(host, LIVE_DELAYS * delay) if self._yields and self._pace and delay else 0.0

    def seconds_to_slot(self, host: str) -> float:
        """Takes the next free moment among all crawls of this machine, and gives how far off it is."""
        delay = self._delay(self._of(host))
        return self._pace.reserve(host, delay, live=not self._yields) if self._pace and delay else 0.0

    def seconds_to_resume(self, host: str) -> float:
        """Of a pause that another crawl was asked for."""
        return self._pace.pause_left(host) if self._pace and self._delay(self._of(host)) else 0.0

    def answered(self, host: str) -> None:
        self._of(host).failures_in_a_row = 0

    def failed(self, host: str, detail: str) -> None:
        """A request was given up; too many in a row and the host is left alone for the rest of the crawl."""
        state = self._of(host)
        state.failures_in_a_row += 1
        if state.failures_in_a_row >= FAILURES_TO_CLOSE:
            self.close(host, f"{state.failures_in_a_row} failures in a row, the last: {detail}")

    def welcomed(self, host: str) -> None:
        self._of(host).challenges_in_a_row = 0

    def challenged(self, host: str, detail: str) -> None:
        """It answered with a check for robots: one may be chance, and whoever goes on after several is a nuisance."""
        state = self._of(host)
        state.challenges_in_a_row += 1
        if state.challenges_in_a_row >= FAILURES_TO_CLOSE:
            self.close(host, f"{state.challenges_in_a_row} checks for robots in a row: {detail}")

    def close(self, host: str, why: str) -> None:
        self._of(host).closed = self._of(host).closed or why

    def closed(self, host: str) -> str:
        """Why nothing more is asked of the host, "" if it may be."""
        return self._of(host).closed

    def _delay(self, state: _Host) -> float:
        return self._delay_seconds if state.delay_seconds is None else state.delay_seconds

    def _of(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())


class Pace:
    """Next free moment, end of pause and last live request of each host, shared through a folder.

    Times are of the monotonic clock, which all processes of one boot read alike and nobody sets back.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock

    def reserve(self, host: str, delay_seconds: float, *, live: bool = True) -> float:
        with self._open(host) as file:
            next_at, resume_at, live_at = self._read(file)
            now = self._clock()
            slot = max(now, next_at, resume_at)
            self._write(file, slot + delay_seconds, resume_at, slot if live else live_at)
        return slot - now

    def live_left(self, host: str, seconds: float) -> float:
        """Until a live crawl's last request is so many seconds ago."""
        with self._open(host) as file:
            return max(0.0, self._read(file)[2] + seconds - self._clock())

    def pause(self, host: str, seconds: float) -> None:
        with self._open(host) as file:
            next_at, resume_at, live_at = self._read(file)
            self._write(file, next_at, max(resume_at, self._clock() + seconds), live_at)

    def pause_left(self, host: str) -> float:
        with self._open(host) as file:
            return max(0.0, self._read(file)[1] - self._clock())

    def _open(self, host: str) -> FileIO:
        path = self._folder / quote(host or "-", safe="")[:200]
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+")
        # Held for microseconds; gone with the process that held it.
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _read(self, file: FileIO) -> tuple[float, float, float]:
        file.seek(0)
        found = _PACE.fullmatch(file.read(200))
        if found is None or found[1].decode() != _boot():
            return -math.inf, -math.inf, -math.inf
        return float(found[2]), float(found[3]), float(found[4])

    def _write(self, file: FileIO, next_at: float, resume_at: float, live_at: float) -> None:
        # Of one length and in one write: whoever is killed leaves the old line or the new one.
        line = f"{_boot():<40} {next_at:>24.4f} {resume_at:>24.4f} {live_at:>24.4f}\n"
        os.pwrite(file.fileno(), line.encode(), 0)


def shared_folder() -> Path:
    """Where all crawls of this user meet, whatever lake they write to."""
    state = os.environ.get("XDG_STATE_HOME")
    if state:
        return Path(state) / "finnews" / "hosts"
    with suppress(RuntimeError):  # a user without a home
        home = Path.home()
        if os.access(home, os.W_OK):
            return home / ".local" / "state" / "finnews" / "hosts"
    return Path(tempfile.gettempdir()) / f"finnews-{os.getuid()}" / "hosts"


@cache
def _boot() -> str:
    """The monotonic clock begins anew with each boot."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "boot"


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

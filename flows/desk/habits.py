"""When a source publishes, learned from its own past, and whether its present silence is longer than it ever is.

Silence is measured in articles that would have come, not in hours: a night, a weekend, the lunch break of the exchange
weigh what they weigh in that source's own week. A holiday is not known to it, and counts as silence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import accumulate, pairwise
from statistics import median

PERIOD = timedelta(days=56)
WEEK_HOURS = 168
HOUR = timedelta(hours=1)
A_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001 - local time of whatever zone
# With less, a habit is a guess.
MIN_ARTICLES = 30
MIN_SPAN = timedelta(days=14)
MIN_GAPS = 8
# Silence is unusual once so many articles are missing, and it is half as long again as it has been before.
MISSING = 5.0
LONGER = 1.5


@dataclass(frozen=True, slots=True)
class Week:
    """How many articles come in each hour of a week that begins on Monday, in the source's zone."""

    rates: tuple[float, ...]
    before: tuple[float, ...]
    """Their sums: articles from the beginning of the week to that of each hour, and to its end."""
    zone: tzinfo

    @classmethod
    def of(cls, times: Sequence[datetime], zone: tzinfo) -> Week:
        clocks = [int(_clock(at, zone)) for at in times]
        counts, lived = [0] * WEEK_HOURS, [0] * WEEK_HOURS
        for clock in clocks:
            counts[clock % WEEK_HOURS] += 1
        for clock in range(clocks[0], clocks[-1] + 1):
            lived[clock % WEEK_HOURS] += 1
        rates = tuple(count / max(hours, 1) for count, hours in zip(counts, lived, strict=True))
        return cls(rates, (0.0, *accumulate(rates)), zone)

    def expected(self, since: datetime, until: datetime) -> float:
        """Articles that usually come in that time."""
        return max(0.0, self._by(until) - self._by(since))

    def _by(self, at: datetime) -> float:
        weeks, hours = divmod(_clock(at, self.zone), WEEK_HOURS)
        hour = int(hours)
        return weeks * self.before[-1] + self.before[hour] + self.rates[hour] * (hours - hour)


@dataclass(frozen=True, slots=True)
class Habit:
    week: Week
    longest: float
    """The longest silence but one, in articles that would usually have come: one failure of ours is no habit."""
    usual_hours: float
    """From one article to the next, in the middle."""
    longest_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How long nothing has come, against the habit."""

    hours: float
    usual_hours: float
    longest_hours: float
    missing: float
    """Articles that would usually have come."""
    longest: float
    """As many were missing in its longest silences."""
    unusual: bool


def habit_of(times: Sequence[datetime], zone: tzinfo) -> Habit | None:
    """What can be learned from times of publication, in order; None if that is too little."""
    if not times:
        return None
    times = times[bisect_right(times, times[-1] - PERIOD) :]
    gaps = [(earlier, later) for earlier, later in pairwise(times) if later > earlier]
    if len(times) < MIN_ARTICLES or len(gaps) < MIN_GAPS or times[-1] - times[0] < MIN_SPAN:
        return None
    week = Week.of(times, zone)
    hours = [(later - earlier) / HOUR for earlier, later in gaps]
    silences = sorted(week.expected(*gap) for gap in gaps)
    return Habit(week, silences[-2], median(hours), max(hours))


def silence_of(habit: Habit, newest: datetime, looked_at: datetime) -> Silence:
    """The silence from the newest article to the last look at the source."""
    missing = habit.week.expected(newest, looked_at)
    return Silence(
        hours=round(max(0.0, (looked_at - newest) / HOUR), 1),
        usual_hours=round(habit.usual_hours, 2),
        longest_hours=round(habit.longest_hours, 1),
        missing=round(missing, 1),
        longest=round(habit.longest, 1),
        unusual=missing > max(MISSING, LONGER * habit.longest),
    )


def _clock(at: datetime, zone: tzinfo) -> float:
    """Hours on the wall since a Monday long ago."""
    return (at.astimezone(zone).replace(tzinfo=None) - A_MONDAY) / HOUR

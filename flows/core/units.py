"""What a backfill has to do: which days of which lists, in units of a month or of some pages, and what they will cost.

Pure but for today's date, which is handed in. A day is covered by the unit that holds it, whatever range was asked for
when that unit was made: a range that is grown later costs only what is new in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, cast, get_args

from articles.source import UNITS, WAIT, ListRule, Paging, Source
from spiders.listing import list_key
from storage.units import Unit

PAGES_A_UNIT = 10
# No Chinese site is older than the public internet in China.
EARLIEST = date(1995, 1, 1)
DAY = timedelta(days=1)


Reprocess = Literal["missing", "failed", "all"]


class RangeError(ValueError):
    """Days, or a source, that no backfill can be made of: one line, with what would do."""


@dataclass(frozen=True, slots=True)
class Days:
    """Both ends included."""

    since: date
    until: date

    def __iter__(self) -> Iterator[date]:
        return (self.since + number * DAY for number in range(len(self)))

    def __len__(self) -> int:
        return (self.until - self.since).days + 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests of a unit, as far as they can be told beforehand."""

    lists: int
    articles: int | None
    """None if nothing is known of how much the source publishes."""
    bound: str
    """How to read the two: at most, about, at least."""


def asked_days(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    """The two ends of a range, as they were typed. Raises RangeError."""
    return _day("--since", since), _day("--until", until)


def asked_reprocess(word: str) -> Reprocess:
    for known in get_args(Reprocess):
        if word == known:
            return cast(Reprocess, known)
    raise RangeError(f"--reprocess {word}: it is one of {', '.join(get_args(Reprocess))}")


def days_within_reach(source: Source, since: date | None, until: date | None, *, today: date) -> Days:
    """The days to ask for. Raises RangeError for a range that is reversed, to come, or before all that is listed."""
    if not source.past_lists:
        raise RangeError(f"{source.id}: none of its lists pages back; see `finnews sources show {source.id}`")
    if since is None:
        raise RangeError("say how far back to go: --since DAY")
    until = until or today
    if since > today:
        raise RangeError(f"--since {since} lies in the future: today is {today} in {source.tz}")
    if since > until:
        raise RangeError(f"the range is empty: --since {since} is after --until {until}")
    if until > today:
        raise RangeError(f"--until {until} lies in the future: today is {today} in {source.tz}")
    oldest = min(oldest_day(rule.paging, today) for rule in source.past_lists if rule.paging)
    if until < oldest:
        raise RangeError(f"{source.id}: --until {until} lies before its lists begin, which is {oldest}")
    return Days(max(since, oldest), until)


def oldest_day(paging: Paging, today: date) -> date:
    found = WAIT.fullmatch(paging.reach) if paging.reach else None
    rolling = today - timedelta(**{UNITS[found[2]]: int(found[1])}) if found else EARLIEST
    return max(paging.since or EARLIEST, rolling)


def plan(source: Source, days: Days, existing: Sequence[Unit], *, today: date) -> list[Unit]:
    """The units for the days that none of the existing ones covers, newest first."""
    units: list[Unit] = []
    for rule in source.past_lists:
        assert rule.paging is not None
        key = list_key(rule)
        asked = Days(max(days.since, oldest_day(rule.paging, today)), days.until)
        covered = covered_days(unit for unit in existing if unit.list == key)
        for free in _without(asked, covered):
            units += _units(source, rule, key, free)
    return units


def covered_days(units: Iterable[Unit]) -> list[Days]:
    """Days that are done or will be. Of what was asked for while its last day was not over, that day is not."""
    found: dict[Days, list[Unit]] = {}
    for unit in units:
        found.setdefault(Days(unit.since, unit.until), []).append(unit)
    covered = []
    for days, parts in found.items():
        begun = [part.begun_on for part in parts if part.begun_on]
        if all(part.state == "done" for part in parts) and begun:
            days = Days(days.since, min(days.until, min(begun) - DAY))
        covered.append(days)
    return covered


def steps(unit: Unit) -> int:
    """How long it is, to show how far the whole has come: pages, or days."""
    return unit.last_page - unit.first_page + 1 if unit.last_page else len(Days(unit.since, unit.until))


def steps_done(unit: Unit, place: str | None) -> int:
    """How many of its steps lie behind the place that a crawl has written down; cursors do not tell."""
    at = json.loads(place) if place else {}
    if "verdict" in at:
        return steps(unit)
    if unit.last_page:
        return max(0, int(at.get("number", 1)) - 1)
    return (unit.until - date.fromisoformat(at["day"])).days if at.get("day") else 0


def cost(unit: Unit, source: Source, *, articles_a_day: float | None) -> Cost:
    rule = next((rule for rule in source.past_lists if list_key(rule) == unit.list), None)
    if rule is None or rule.paging is None:
        return Cost(0, 0, "at most")
    size = rule.paging.size
    if unit.last_page:
        pages = steps(unit)
        return Cost(pages, 0 if rule.full_text else pages * size if size else None, "at most")
    days = steps(unit)
    if articles_a_day is None or size is None:
        return Cost(days if rule.paging.by == "day" else 1, 0 if rule.full_text else None, "at least")
    pages_a_day = articles_a_day / size
    # The page behind the last one of a day has to be asked for to know that it is empty.
    pages = days * (math.ceil(pages_a_day) + 1) if rule.paging.by == "day" else math.ceil(days * pages_a_day) + 1
    return Cost(pages, 0 if rule.full_text else math.ceil(days * articles_a_day), "about")


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RangeError(f"{option} {text!r} is not a day such as 2026-06-01") from None


def _units(source: Source, rule: ListRule, key: str, days: Days) -> Iterator[Unit]:
    paging = rule.paging
    assert paging is not None
    if paging.by == "page":
        for first in range(1, paging.max_pages + 1, PAGES_A_UNIT):
            last = min(first + PAGES_A_UNIT - 1, paging.max_pages)
            yield Unit(source=source.id, list=key, since=days.since, until=days.until, first_page=first, last_page=last)
    else:
        # A cursor that is no time can only be walked from the newest entry on: once, for the whole range.
        parts = _months(days) if paging.by == "day" or "{" in paging.start else [days]
        for part in parts:
            yield Unit(source=source.id, list=key, since=part.since, until=part.until)


def _months(days: Days) -> Iterator[Days]:
    until = days.until
    while until >= days.since:
        since = max(until.replace(day=1), days.since)
        yield Days(since, until)
        until = since - DAY


def _without(days: Days, covered: Iterable[Days]) -> Iterator[Days]:
    """What is left of `days`, newest first."""
    until = days.until
    for part in sorted(covered, key=lambda part: part.until, reverse=True):
        if part.since > until or part.until < days.since or part.until < part.since:
            continue
        if part.until < until:
            yield Days(part.until + DAY, until)
        until = min(until, part.since - DAY)
    if until >= days.since:
        yield Days(days.since, until)

"""Silence against a source's own habit: nights and weekends are none, a dead working day is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.desk.habits import Silence, Week, habit_of, silence_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 9, 7, tzinfo=SHANGHAI)


def office_hours(weeks: int, *, days: int = 5, missing: tuple[int, ...] = ()) -> list[datetime]:
    """Three articles an hour from 9 to 17 on working days; `missing` are days without."""
    return [
        MONDAY + timedelta(weeks=week, days=day, hours=hour, minutes=minute)
        for week in range(weeks)
        for day in range(days)
        if week * 7 + day not in missing
        for hour in range(9, 17)
        for minute in (5, 25, 45)
    ]


def after(times: list[datetime], **later: float) -> Silence:
    habit = habit_of(times, SHANGHAI)
    assert habit
    return silence_of(habit, times[-1], times[-1] + timedelta(**later))


def test_a_weekend_is_no_silence() -> None:
    found = after(office_hours(4), hours=64)
    assert not found.unusual
    assert found.missing < 2


def test_a_working_day_without_articles_is() -> None:
    found = after(office_hours(4), hours=64 + 8)
    assert found.unusual
    assert 20 < found.missing < 26


def test_one_failure_of_ours_in_the_past_hides_no_later_one() -> None:
    assert after(office_hours(4, missing=(9,)), hours=64 + 8).unusual


def test_what_is_often_silent_may_be_silent() -> None:
    times = office_hours(8, missing=(1, 2, 15, 16, 29, 30, 43, 44))
    assert not after(times, hours=64 + 16).unusual


@pytest.mark.parametrize("times", [[], office_hours(1), office_hours(4)[::20]], ids=["none", "a week", "too few"])
def test_too_little_is_no_habit(times: list[datetime]) -> None:
    assert habit_of(times, SHANGHAI) is None


def test_a_habit_is_of_the_last_weeks_before_it_fell_silent() -> None:
    old = [at - timedelta(weeks=50) for at in office_hours(8, days=7)]
    assert habit_of(old + office_hours(8), SHANGHAI) == habit_of(office_hours(8), SHANGHAI)


times = st.lists(st.integers(0, 40 * 24 * 60), min_size=2, max_size=200).map(
    lambda minutes: sorted(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=at) for at in minutes)
)


@given(times, st.floats(0, 2000), st.floats(0, 2000))
def test_expected_articles_add_up(found: list[datetime], one: float, other: float) -> None:
    week = Week.of(found, SHANGHAI)
    start = found[0]
    middle, end = start + timedelta(hours=one), start + timedelta(hours=one + other)
    whole = week.expected(start, middle) + week.expected(middle, end)
    assert week.expected(start, end) == pytest.approx(whole, abs=1e-6)
    assert week.expected(end, start) == 0 or one + other == 0

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from articles.source import ListRule, Paging, Source
from flows.core.units import Days, plan, steps
from spiders.listing import list_key
from storage.units import Unit

TODAY = date(2026, 11, 20)
BY_DAY = ListRule(kind="json", url="http://a.test/?d={date}", paging=Paging(by="day", max_pages=9))
BY_PAGE = ListRule(kind="json", url="http://a.test/?p={page}", paging=Paging(by="page", max_pages=25))

days_of_a_year = st.integers(0, 364).map(lambda number: date(2025, 11, 20) + timedelta(days=number))
ranges = st.tuples(days_of_a_year, days_of_a_year).map(lambda pair: Days(min(pair), max(pair)))


def source(rule: ListRule) -> Source:
    return Source.model_validate({"id": "aa", "name": "a", "hosts": ["a.test"], "list": [rule]})


@given(earlier=st.lists(ranges, max_size=4), asked=ranges)
def test_each_day_belongs_to_one_unit_whatever_was_asked_for_before(earlier: list[Days], asked: Days) -> None:
    known: list[Unit] = []
    for days in (*earlier, asked):
        known += plan(source(BY_DAY), days, known, today=TODAY)
    covered = [day for unit in known for day in Days(unit.since, unit.until)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {day for days in (*earlier, asked) for day in days}
    assert all(unit.since.month == unit.until.month and steps(unit) <= 31 for unit in known)


def test_pages_are_ranges_of_the_whole_list() -> None:
    units = plan(source(BY_PAGE), Days(date(2026, 9, 1), date(2026, 10, 31)), [], today=TODAY)
    assert [(unit.first_page, unit.last_page) for unit in units] == [(1, 10), (11, 20), (21, 25)]


def test_a_day_that_was_not_over_is_asked_for_again() -> None:
    begun = date(2026, 11, 18)
    done = Unit(source="aa", list=list_key(BY_DAY), since=date(2026, 11, 1), until=begun, state="done", begun_on=begun)
    (left,) = plan(source(BY_DAY), Days(date(2026, 11, 1), TODAY), [done], today=TODAY)
    assert (left.since, left.until) == (begun, TODAY)


def test_a_list_that_forgets_is_asked_for_what_it_still_has() -> None:
    rule = BY_DAY.model_copy(update={"paging": Paging(by="day", max_pages=9, reach="10d")})
    (unit,) = plan(source(rule), Days(date(2026, 11, 1), TODAY), [], today=TODAY)
    assert (unit.since, unit.until) == (date(2026, 11, 10), TODAY)

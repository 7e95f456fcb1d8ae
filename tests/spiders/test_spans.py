"""Which list pages a backfill asks for, one after the other."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from articles.source import ListRule, Paging
from spiders.crawl import Span
from spiders.listing import ListPage, list_key
from spiders.spans import Verdict, after, first, read_place, written

ZONE = ZoneInfo("Asia/Shanghai")


def rule(paging: Paging) -> ListRule:
    return ListRule(kind="json", url="http://a.test/{date}/{yyyymmdd}/{page}/{cursor}", paging=paging)


def asked(rule: ListRule, span: Span, answers: list[tuple[int, list[date], str | None]]) -> list[str]:
    """The addresses up to the verdict; each answer is a number of rows, their days, and the next cursor."""
    at: ListPage | Verdict = first(span, rule, zone=ZONE)
    found = []
    for rows, days, cursor in answers:
        assert isinstance(at, ListPage)
        found.append(at.url.removeprefix("http://a.test/"))
        # Written down and read again, as by a crawl that was killed here.
        at = after(at, span, rows=rows, days=days, next_cursor=cursor, zone=ZONE)
        at = read_place(written(at), rule, zone=ZONE)
    return [*found, at if isinstance(at, str) else at.url.removeprefix("http://a.test/")]


def span(rule: ListRule, **pages: int) -> Span:
    return Span(list=list_key(rule), since=date(2026, 2, 28), until=date(2026, 3, 1), **pages)


def test_day_by_day_until_a_day_has_no_more() -> None:
    by_day = rule(Paging(by="day", max_pages=2))
    assert asked(by_day, span(by_day), [(5, [], None), (1, [], None), (0, [], None)]) == [
        "2026-03-01/20260301/1/",
        "2026-03-01/20260301/2/",  # as many as a day may have
        "2026-02-28/20260228/1/",
        "through",
    ]


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([(5, [], None), (5, [], None), (5, [], None)], "through"),
        ([(5, [date(2026, 4, 1)], None), (0, [], None)], "exhausted"),
        ([(5, [date(2026, 2, 27), date(2025, 1, 1)], None)], "exhausted"),
    ],
)
def test_page_by_page_until_all_is_older(answers: list[tuple[int, list[date], str | None]], verdict: str) -> None:
    by_page = rule(Paging(by="page", first=0, step=10, max_pages=99))
    pages = asked(by_page, span(by_page, first_page=3, last_page=5), answers)
    assert pages[:-1] == [f"2026-03-01/20260301/{page}/" for page in (20, 30, 40)][: len(answers)]
    assert pages[-1] == verdict


def test_cursor_by_cursor_from_the_end_of_the_last_day() -> None:
    by_cursor = rule(Paging(by="cursor", cursor="next", start="{day_end}"))
    answers = [(5, [], "170"), (5, [], "160"), (5, [], "160")]
    assert asked(by_cursor, span(by_cursor), answers) == [
        "2026-03-01/20260301/1/1772380800",
        "2026-03-01/20260301/1/170",
        "2026-03-01/20260301/1/160",
        "exhausted",
    ]


def test_a_first_page_with_an_address_of_its_own() -> None:
    paging = Paging(by="page", first=0, max_pages=9, first_url="http://a.test/index.html")
    series = ListRule(kind="html", url="http://a.test/index_{page}.html", paging=paging)
    pages = asked(series, span(series, first_page=1, last_page=9), [(5, [], None), (5, [], None)])
    assert pages == ["index.html", "index_1.html", "index_2.html"]

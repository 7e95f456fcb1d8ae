"""A stretch of a list's past, page by page: what a backfill asks for, and when it is through.

    Span ──first──▶ ListPage ──fetched──▶ Listing ──after──▶ ListPage … or the verdict: through, exhausted

Pure: what is fetched, when and how politely is the spider's business. The place reached can be written down and gone on
from, so that a crawl killed in a month asks for no list page of that month twice.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from articles.source import ListRule, Source
from spiders.crawl import Span
from spiders.listing import ListPage, list_key, list_page

Verdict = Literal["through", "exhausted"]
"""All that was asked for is listed; besides, the list has nothing older than that."""


class NoListError(ValueError):
    """A span of a list that the source file does not describe any more."""


def rule_of(span: Span, source: Source) -> ListRule:
    for rule in source.past_lists:
        if list_key(rule) == span.list:
            return rule
    raise NoListError(f"{source.id}: no list {span.list!r} in its source file any more")


def first(span: Span, rule: ListRule, *, zone: ZoneInfo) -> ListPage:
    """The newest page; days are walked back."""
    paging = rule.paging
    assert paging is not None
    page = paging.first + (max(span.first_page, 1) - 1) * paging.step
    return list_page(rule, zone=zone, number=1, page=page, day=span.until)


def after(
    current: ListPage, span: Span, *, rows: int, days: Collection[date], next_cursor: str | None, zone: ZoneInfo
) -> ListPage | Verdict:
    """The page after `current`, which has so many rows, of these days."""
    rule, paging = current.rule, current.rule.paging
    assert paging is not None
    number = current.number + 1
    if paging.by == "day":
        return _after_by_day(current, span, rows=rows, zone=zone)
    if not rows or (days and max(days) < span.since):
        return "exhausted"
    if paging.by == "cursor":
        if not next_cursor or next_cursor == current.cursor:
            return "exhausted"
        return list_page(rule, zone=zone, number=number, page=current.page, day=current.day, cursor=next_cursor)
    if _steps(current) >= span.last_page:
        return "through"
    return list_page(rule, zone=zone, number=number, page=current.page + paging.step, day=current.day)


def day_before(current: ListPage, span: Span, *, zone: ZoneInfo) -> ListPage | Verdict:
    """The first page of the day before that of `current`."""
    paging = current.rule.paging
    assert paging is not None and current.day is not None
    if current.day <= span.since:
        return "through"
    day = current.day - timedelta(days=1)
    return list_page(current.rule, zone=zone, number=current.number + 1, page=paging.first, day=day)


def _after_by_day(current: ListPage, span: Span, *, rows: int, zone: ZoneInfo) -> ListPage | Verdict:
    paging = current.rule.paging
    assert paging is not None
    if not rows or _steps(current) >= paging.max_pages:
        return day_before(current, span, zone=zone)
    page = current.page + paging.step
    return list_page(current.rule, zone=zone, number=current.number + 1, page=page, day=current.day)


def _steps(page: ListPage) -> int:
    """How many pages of the list, or of its day, lie before this one and with it."""
    paging = page.rule.paging
    assert paging is not None
    return (page.page - paging.first) // paging.step + 1


# ── a place in a span, as text ───────────────────────────────────────────────────────────────────────────────────────


def written(place: ListPage | Verdict) -> str:
    if isinstance(place, str):
        return json.dumps({"verdict": place})
    day = place.day.isoformat() if place.day else None
    return json.dumps({"number": place.number, "page": place.page, "cursor": place.cursor, "day": day})


def read_place(text: str, rule: ListRule, *, zone: ZoneInfo) -> ListPage | Verdict:
    """Where an earlier crawl had come to."""
    place = json.loads(text)
    if "verdict" in place:
        return "exhausted" if place["verdict"] == "exhausted" else "through"
    day = date.fromisoformat(place["day"]) if place["day"] else None
    return list_page(rule, zone=zone, number=place["number"], page=place["page"], day=day, cursor=place["cursor"])

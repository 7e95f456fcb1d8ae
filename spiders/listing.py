"""From a list rule to requests, and from their answers to rows.

    ListRule ──first──▶ ListPage ──fetched──▶ read ──▶ Listing ──following──▶ ListPage …

Pure: what is fetched, when and how politely is the spider's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from articles.decode import decode
from articles.source import ListRule
from spiders.kinds import feed, html_list, json_list, sitemap
from spiders.rows import ListError, Listing

READERS: dict[str, Callable[..., Listing]] = {
    "feed": feed.read,
    "json": json_list.read,
    "html": html_list.read,
    "sitemap": sitemap.read,
}
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,12})|([0-9]{1,12}));?")
_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One request for one page of one list."""

    rule: ListRule
    key: str
    """Names the list, whatever page or day of it is asked for."""
    url: str
    body: str | None = None
    number: int = 1
    """How many pages of this list were asked for, this one included."""
    page: int = 1
    cursor: str = ""
    day: date | None = None


def read(body: bytes, rule: ListRule, *, url: str, content_type: str | None = None) -> Listing:
    """The rows of an answer; `ListError` if it is not the list that was asked for."""
    if not body.strip():
        raise ListError("the answer is empty")
    text = _REFERENCE.sub(_sound, decode(body, content_type=content_type, charset=rule.charset).text)
    return READERS[rule.kind](text, rule, url=url)


def _sound(reference: re.Match[str]) -> str:
    """A reference to a lone surrogate or to nothing breaks each parser in its own way."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return "" if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else reference[0]


def first_page(rule: ListRule, *, zone: ZoneInfo, day: date) -> ListPage:
    """The newest page; `day` is where day windows begin, walking back."""
    paging = rule.paging
    return list_page(rule, zone=zone, number=1, page=paging.first if paging else 1, day=day)


def following(current: ListPage, listing: Listing, *, zone: ZoneInfo, until: date | None = None) -> ListPage | None:
    """The page after this one, or None at the end of the list: an empty page, no cursor, or a day before `until`."""
    rule, paging = current.rule, current.rule.paging
    if paging is None or current.number >= paging.max_pages:
        return None
    number = current.number + 1
    if paging.by == "cursor":
        cursor = listing.next_cursor
        if not cursor or cursor == current.cursor:
            return None
        return list_page(rule, zone=zone, number=number, page=current.page, cursor=cursor, day=current.day)
    if listing.rows or listing.dropped:
        return list_page(rule, zone=zone, number=number, page=current.page + paging.step, day=current.day)
    if paging.by == "day" and current.day and until and current.day > until:
        return list_page(rule, zone=zone, number=number, page=paging.first, day=current.day - timedelta(days=1))
    return None


def list_key(rule: ListRule) -> str:
    """Names a list, whatever page or day of it is asked for."""
    return " ".join(filter(None, (_filled(rule.url, rule.params), _filled(rule.body or "", rule.params))))


def list_page(
    rule: ListRule, *, zone: ZoneInfo, number: int, page: int, day: date | None, cursor: str | None = None
) -> ListPage:
    """One page of a list; without a cursor, that of the paging's start."""
    if cursor is None:
        cursor = _filled(rule.paging.start, dict(_day_values(day, zone))) if rule.paging else ""
    values: dict[str, str | int] = {**rule.params, "page": page, "cursor": cursor, **dict(_day_values(day, zone))}
    paging = rule.paging
    template = paging.first_url if paging and paging.first_url and page == paging.first else rule.url
    return ListPage(
        rule=rule,
        key=list_key(rule),
        url=_filled(template, values),
        body=_filled(rule.body, values) if rule.body is not None else None,
        number=number,
        page=page,
        cursor=cursor,
        day=day,
    )


def _day_values(day: date | None, zone: ZoneInfo) -> Iterator[tuple[str, str | int]]:
    """The window of a day as the APIs want it: the date, and its first second and that of the next day."""
    if day is None:
        return
    yield "date", day.isoformat()
    yield "yyyymmdd", f"{day:%Y%m%d}"
    yield from zip(("yyyy", "mm", "dd"), day.isoformat().split("-"), strict=True)
    yield "day_start", int(datetime.combine(day, time(), zone).timestamp())
    yield "day_end", int(datetime.combine(day + timedelta(days=1), time(), zone).timestamp())


def _filled(template: str, values: Mapping[str, str | int]) -> str:
    return _HOLE.sub(lambda hole: str(values.get(hole[1], hole[0])), template)

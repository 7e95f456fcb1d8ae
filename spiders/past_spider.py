"""The spider of a backfill: one span of one list, from its newest page to its oldest.

Apart from which list pages it asks for it is the spider of every crawl. A list page is asked for once the articles of
the one before are done with, so that a month of them is never in memory; and what lies outside the span is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from scrapy import Request

from articles.dates import parse_time
from articles.records import Page, Validators
from spiders.crawl import Span
from spiders.job import Job
from spiders.listing import ListPage
from spiders.rows import Listing, Row
from spiders.spans import Verdict, after, day_before, first, read_place, rule_of, written
from spiders.spider import SourceSpider
from spiders.walks import Walk


class PastSpider(SourceSpider):
    name = "past"
    list_priority = -10

    def __init__(self, job: Job, span: Span) -> None:
        super().__init__(job)
        self.span = span
        rule = rule_of(span, self.source)
        left = job.frontier.place(span.list)
        zone = self.source.zone
        begin = read_place(left, rule, zone=zone) if left else first(span, rule, zone=zone)
        self.lists.clear()
        self._go_on(begin)

    def _due(self) -> Iterator[Request]:
        return iter(())

    def _next_list(self) -> Iterator[Request]:
        if self.lists:
            page = self.lists.popleft()
            self.walks.setdefault(page.key, Walk(page.key, None))
            yield self._list_request(page)

    def _remembered(self, page: ListPage) -> Validators | None:
        del page  # the past is asked for because it was not read
        return None

    def _check_list(self, listing: Listing, page: ListPage, kept: Page) -> None:
        del kept  # old by intention, and a holiday is empty
        if listing.problem:
            self.job.warnings.append(f"{page.url}: {listing.problem}")

    def _take(self, listing: Listing, page: ListPage, kept: Page) -> Iterator[Request]:
        dated = [(row, self._day(row, kept.fetched_at)) for row in listing.rows]
        days = [day for _, day in dated if day]
        if page.day and page.rule.paging and page.rule.paging.by == "day" and days and page.day not in days:
            seen = f"{min(days)} to {max(days)}" if min(days) < max(days) else f"{days[0]}"
            self.outcomes.gate(f"E-WINDOW {page.url} asked for {page.day}, it answers with entries of {seen}")
            return
        inside = tuple(row for row, day in dated if day is None or self.span.holds(day))
        self._leave_out([row for row, day in dated if day is not None and not self.span.holds(day)])
        yield from self._take_rows(replace(listing, rows=inside), page, kept)
        count = len(listing.rows) + len(listing.dropped)
        if count and self._repeats(dated, page):
            self._go_on(self._behind_a_repetition(page))
        else:
            self._go_on(
                after(page, self.span, rows=count, days=days, next_cursor=listing.next_cursor, zone=self.source.zone)
            )
        yield from self._next_list()

    def _day(self, row: Row, fetched_at: datetime) -> date | None:
        raw = row.listed.published
        at = parse_time(raw, fetched_at=fetched_at, zone=self.source.zone).at if raw else None
        return at.astimezone(self.source.zone).date() if at else None

    def _leave_out(self, rows: list[Row]) -> None:
        for target, _ in self._named(Listing(rows=tuple(rows))):
            self.outcomes.filter(target.article_id, "outside_range")

    def _repeats(self, dated: list[tuple[Row, date | None]], page: ListPage) -> bool:
        """Does it name nothing new? Some sites give their last page for every later one."""
        walk = self.walks[page.key]
        walk.turn([row.url for row, _ in dated], [])
        return bool(dated) and walk.repeats and page.number > 1

    def _behind_a_repetition(self, page: ListPage) -> ListPage | Verdict:
        self.job.warnings.append(f"{page.url} repeats what was listed before")
        if page.rule.paging and page.rule.paging.by == "day":
            return day_before(page, self.span, zone=self.source.zone)
        return "exhausted"

    def _go_on(self, place: ListPage | Verdict) -> None:
        """All that the pages before `place` named is in the frontier: from here a later crawl may go on."""
        self.job.frontier.keep_place(self.span.list, written(place))
        if isinstance(place, str):
            self.walked = place
        else:
            self.lists.append(place)

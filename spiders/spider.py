"""The one spider: what earlier crawls left, then the lists of a source one after the other, and what they lead to.

    frontier  ──▶ pages that were listed before, articles that are due for a second look
    list page ──▶ rows ──┬─ full text: a page of its own, at once
                         └─ a link: the page is fetched, if it is not known

Whatever arrives is in the archive before anything reads it, what a list names is in the frontier before anything of it
is asked for, and every article is settled in the tally.
"""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import Response
from twisted.python.failure import Failure as TwistedFailure

from articles.challenge import HEAD_CHARS, challenge_in, is_unwelcome
from articles.dates import parse_time
from articles.decode import decode
from articles.identity import NoIdentityError, article_id
from articles.records import Page, Reason, Validators
from spiders.failures import Failure, explain, without_credentials
from spiders.job import Job
from spiders.listing import ListPage, first_page, following, read
from spiders.manners import RETRIED_STATUSES
from spiders.outcomes import Outcomes, Target, page_of
from spiders.rows import ListError, Listing, NoRowError, Row
from spiders.walks import Walk
from spiders.wire import not_text

logger = logging.getLogger(__name__)

# The site refuses us, now: an article is not bad for that.
PENDING_STATUSES = RETRIED_STATUSES | {401, 403}
GONE_STATUSES = frozenset({404, 410})
FRAGMENT_HEADERS = {"content-type": "text/html; charset=utf-8"}


class SourceSpider(Spider):
    name = "source"
    list_priority = 10

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.source = job.source
        self.outcomes = Outcomes(job)
        rules = self.source.live_lists if job.spec.lists else ()
        whole_first = sorted(rules, key=lambda rule: not rule.full_text)  # they save a request each
        today = datetime.now(self.source.zone).date()
        self.lists = deque(first_page(rule, zone=self.source.zone, day=today) for rule in whole_first)
        self.walks: dict[str, Walk] = {}
        self.found: dict[str, Validators] = {}
        """What the first page of a list said about itself, until the walk through the list is done."""
        self.validators: list[Validators] = []
        self.newest_at: datetime | None = None
        self.walked = ""
        """Of a backfill: whether its span was gone through to the end."""

    async def start(self) -> AsyncIterator[Request]:
        for request in (*self._left_over(), *self._due(), *self._next_list()):
            yield request

    # ── what earlier crawls left ─────────────────────────────────────────────────────────────────────────────────────

    def _left_over(self) -> Iterator[Request]:
        self.job.frontier.unshelve()
        for waiting in self.job.frontier.waiting():
            self.job.tally.discover(waiting.article_id)
            if waiting.state != "listed":
                self.outcomes.resume(waiting)
            elif waiting.article_id in self.job.known:
                self.job.frontier.drop(waiting.article_id)
                self.outcomes.unchanged(waiting.article_id)
            elif not self.outcomes.take():
                self.outcomes.wait(waiting.article_id, "limit")
            else:
                yield self._article_request(
                    Target(article_id=waiting.article_id, url=waiting.url, listed=waiting.listed)
                )

    def _due(self) -> Iterator[Request]:
        if not self.source.revisit_after:
            return
        for due in self.job.frontier.due(self.job.spec.revisits):
            if self.job.tally.discover(due.article_id):
                yield self._article_request(
                    Target(article_id=due.article_id, url=due.url, listed=due.listed, stored=True)
                )

    # ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _next_list(self) -> Iterator[Request]:
        """Lists are read one after the other, so that which of them an article is taken from is no accident."""
        if self.lists:
            page = self.lists.popleft()
            resumed = self.job.frontier.sets_out(page.key)
            self.walks[page.key] = Walk(page.key, self.job.frontier.poll(page.key), resumed)
            yield self._list_request(page)

    def _list_request(self, page: ListPage, *, conditional: bool = True) -> Request:
        headers = dict(page.rule.headers)
        known = self._remembered(page) if conditional else None
        if known and known.etag:
            headers["If-None-Match"] = known.etag
        if known and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        if not conditional:
            headers["Cache-Control"] = "no-cache"
        return Request(
            page.url,
            callback=self.on_list,
            errback=self.on_list_failed,
            method=page.rule.method,
            body=page.body or "",
            headers=headers,
            cb_kwargs={"page": page, "conditional": bool(known), "repeated": not conditional},
            meta={"list": True},
            dont_filter=True,
            priority=self.list_priority,
        )

    def _remembered(self, page: ListPage) -> Validators | None:
        """Of the first page; none for a list whose last walk is unknown, for what it named then is unknown too."""
        if page.number > 1 or self.walks[page.key].before is None:
            return None
        return self.job.known.validators(page.url)

    def on_list(self, response: Response, page: ListPage, conditional: bool, repeated: bool) -> Iterator[Request]:
        if response.status == 304 and conditional:
            logger.info("not modified: %s", page.url)
            yield from self._next_list()
            return
        if response.status == 304 and not repeated:
            # An answer to a question we did not ask; some caches do this once.
            yield self._list_request(page, conditional=False)
            return
        kept = self.outcomes.keep(page_of(response, source=self.source.id, form="list", url=page.url))
        if response.status != 200:
            self.outcomes.gate(f"{Reason.HTTP.code} {page.url} status {response.status}")
            yield from self._next_list()
            return
        yield from self._read_list(kept, page)

    def on_list_failed(self, failure: TwistedFailure) -> Iterator[Request]:
        page: ListPage = failure.request.cb_kwargs["page"]  # type: ignore[attr-defined]
        known = self._explained(failure)
        if known.response is not None:
            self.outcomes.keep(page_of(known.response, source=self.source.id, form="list", url=page.url))
        self.outcomes.gate(f"{known.reason.code} {page.url} {known.detail}")
        yield from self._next_list()

    def _read_list(self, kept: Page, page: ListPage) -> Iterator[Request]:
        found = Validators(
            url=page.url,
            etag=kept.headers.get("etag"),
            last_modified=kept.headers.get("last-modified"),
            body_sha256=hashlib.sha256(kept.body).hexdigest(),
        )
        known = self._remembered(page)
        if known and known.body_sha256 == found.body_sha256:
            logger.info("same bytes as before: %s", page.url)
            self.validators.append(found)  # its ETag may be another one
            yield from self._next_list()
            return
        listing = self._read(page, kept)
        if listing is None:
            yield from self._next_list()
            return
        if page.number == 1:
            self.found[page.key] = found
            self._check_list(listing, page, kept)
        yield from self._take(listing, page, kept)

    def _read(self, page: ListPage, kept: Page) -> Listing | None:
        """The rows of an answer; None, and a gate failure, if it is no list."""
        try:
            return read(kept.body, page.rule, url=kept.final_url, content_type=kept.headers.get("content-type"))
        except ListError as error:
            if page.number > 1 and isinstance(error, NoRowError) and not _challenge_in(kept):
                return Listing()  # the page behind the last one
            reason, detail = self._what_it_is(kept, error)
            self.outcomes.gate(f"{reason.code} {page.url} {detail}")
            return None

    def _what_it_is(self, kept: Page, error: ListError) -> tuple[Reason, str]:
        """A check page in place of a list says more than that it is no list."""
        if words := _challenge_in(kept):
            return Reason.CHALLENGE, f"a check page instead of a list: «{words}»"
        return error.reason, error.detail

    def _check_list(self, listing: Listing, page: ListPage, kept: Page) -> None:
        gates = self.source.gates
        count = len(listing.rows) + len(listing.dropped) + len(listing.more)
        if count < gates.min_items:
            self.outcomes.gate(f"{Reason.EMPTY.code} {page.url} {count} entries, fewer than {gates.min_items}")
        if listing.problem:
            self.job.warnings.append(f"{page.url}: {listing.problem}")
        newest = max(self._times(listing, kept.fetched_at), default=None)
        if gates.max_age_hours is None or newest is None or not self.job.spec.check_age:
            return
        if kept.fetched_at - newest > timedelta(hours=gates.max_age_hours):
            self.outcomes.gate(f"E-FROZEN {page.url} the newest entry is of {newest:%Y-%m-%d %H:%M}")

    def _times(self, listing: Listing, fetched_at: datetime) -> list[datetime]:
        raws = (row.listed.published for row in listing.rows if row.listed.published)
        moments = (parse_time(raw, fetched_at=fetched_at, zone=self.source.zone).at for raw in raws)
        return [moment for moment in moments if moment is not None]

    def _take(self, listing: Listing, page: ListPage, kept: Page) -> Iterator[Request]:
        """Every row of a list page, and then the page after it, while there is something new on this one."""
        fresh = yield from self._take_rows(listing, page, kept)
        times = self._times(listing, kept.fetched_at)
        walk = self.walks[page.key]
        walk.turn([target.article_id for target, _ in self._named(listing)], times)
        if listing.rows and walk.repeats:
            self.job.warnings.append(f"{page.url} repeats what was listed before")
        self.newest_at = max(filter(None, (self.newest_at, *times)), default=None)
        yield from self._after(listing, page, fresh)

    def _take_rows(self, listing: Listing, page: ListPage, kept: Page) -> Generator[Request, None, int]:
        """Settles every row or asks for its page; returns how many no crawl had seen."""
        for dropped in listing.dropped:
            self.outcomes.filter(f"dropped:{without_credentials(dropped.link)}", dropped.reason)
        for link in listing.more:
            self.lists.append(ListPage(rule=page.rule, key=link, url=link))
        named = self._named(listing)
        targets = [target for target, _ in named if self.job.tally.discover(target.article_id)]
        html = {target.article_id: row.html for target, row in reversed(named)}
        if page.rule.full_text:
            return self._take_full_text(targets, html, kept)
        return (yield from self._take_links(targets))

    def _named(self, listing: Listing) -> list[tuple[Target, Row]]:
        named = []
        for row in listing.rows:
            try:
                identity = article_id(
                    self.source, row.url, native_id=row.listed.native_id, fallback_text=row.listed.title or ""
                )
            except NoIdentityError:
                self.outcomes.filter(f"dropped:{row.url}", "no_identity")
            else:
                named.append((Target(article_id=identity, url=row.url, listed=row.listed), row))
        return named

    def _after(self, listing: Listing, page: ListPage, fresh: int) -> Iterator[Request]:
        """The next page of this list, or the end of the walk through it and the next list."""
        walk, spec = self.walks[page.key], self.job.spec
        until = walk.before.newest_at if walk.before else None
        after = following(
            page, listing, zone=self.source.zone, until=until.astimezone(self.source.zone).date() if until else None
        )
        full = spec.limit is not None and self.outcomes.taken >= spec.limit and walk.before is None
        if (
            after
            and not full
            and walk.goes_on(fresh=fresh, number=after.number, first_pages=spec.list_pages, gap_pages=spec.gap_pages)
        ):
            yield self._list_request(after)
            return
        self._end_walk(walk)
        yield from self._next_list()

    def _end_walk(self, walk: Walk) -> None:
        """All that the list named is kept by now: only then may a later answer be «nothing new»."""
        if gap := walk.gap():
            self.job.gaps.append(gap)
            self.job.frontier.gap(gap.list, gap.since, gap.until)
            self.outcomes.gate(str(gap))
        if walk.head:
            self.job.frontier.walked(walk.key, walk.head, walk.newest_at)
        self.validators.append(self.found[walk.key])

    # ── articles ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_links(self, targets: Sequence[Target]) -> Generator[Request, None, int]:
        """Asks for the pages that are not known; returns how many no crawl had seen."""
        wanted = [target for target in targets if self._is_wanted(target)]
        fresh, shelved = self.job.frontier.add((each.article_id, each.url, each.listed) for each in wanted)
        for target in wanted:
            if target.article_id in shelved:
                self.job.tally.settle(target.article_id, "filtered", "refused_before")
            elif self.outcomes.take():
                yield self._article_request(target)
            else:
                self.outcomes.wait(target.article_id, "limit")
        return len(fresh)

    def _is_wanted(self, target: Target) -> bool:
        if target.article_id in self.job.known:
            self.outcomes.unchanged(target.article_id)
        elif not self.source.owns(urlsplit(target.url).hostname or ""):
            self.job.tally.settle(target.article_id, "filtered", "offsite")
        else:
            return True
        return False

    def _take_full_text(self, targets: Sequence[Target], html: dict[str, str | None], kept: Page) -> int:
        """Entries are read again although they are known: that is how an edit is noticed."""
        fresh = 0
        for target in targets:
            page = Page(
                source=self.source.id,
                url=target.url,
                final_url=target.url,
                status=200,
                headers=FRAGMENT_HEADERS,
                body=(html[target.article_id] or "").encode("utf-8", "replace"),
                form="fragment",
                fetched_at=kept.fetched_at,
                listed=target.listed,
            )
            known = target.article_id in self.job.known
            fresh += not known
            if not page.body.strip():
                detail = "an entry without text in a full-text feed"
                self.outcomes.reject(target, Reason.EMPTY, detail, kept.raw_ref)
            elif known and self.job.known.page_digest(target.article_id) == page.digest:
                self.outcomes.unchanged(target.article_id)
            elif known or self.outcomes.take():
                self.outcomes.hand_over(target, self.outcomes.keep(page), whole=True)
            else:
                page = self.outcomes.keep(page)
                self.job.frontier.fetched(target.article_id, target.url, target.listed, page.raw_ref, whole=True)
                self.outcomes.wait(target.article_id, "limit")
        return fresh

    def _article_request(self, target: Target) -> Request:
        return Request(
            target.url,
            callback=self.on_page,
            errback=self.on_page_failed,
            cb_kwargs={"target": target},
            dont_filter=True,
        )

    def on_page(self, response: Response, target: Target) -> None:
        page = page_of(response, source=self.source.id, form="html", url=target.url, listed=target.listed)
        if target.stored:
            self._look_again(target, page)
            return
        page = self.outcomes.keep(page)
        if response.status in PENDING_STATUSES:
            reason = f"status_{response.status}"
            self.outcomes.later(target, reason, f"status {response.status}", raw_ref=page.raw_ref)
        else:
            self._judge(target, page)

    def _judge(self, target: Target, page: Page) -> None:
        if page.status != 200:
            self.outcomes.reject(target, Reason.HTTP, f"status {page.status}", page.raw_ref)
        elif not page.body.strip():
            self.outcomes.reject(target, Reason.EMPTY, "status 200 and no bytes", page.raw_ref)
        elif kind := not_text(page.body):
            self.outcomes.reject(target, Reason.TYPE, f"{kind} where a page was expected", page.raw_ref)
        elif words := _challenge_in(page):
            detail = f"a check or error page instead of an article: «{words}»"
            if is_unwelcome(words):
                self.job.hosts.challenged(urlsplit(page.url).hostname or "", detail)
            self.outcomes.reject(target, Reason.CHALLENGE, detail, page.raw_ref)
        else:
            self.job.hosts.welcomed(urlsplit(page.url).hostname or "")
            self.outcomes.hand_over(target, page)

    def _look_again(self, target: Target, page: Page) -> None:
        """A second look: mostly nothing has changed, and then nothing is kept."""
        if page.status == 200 and self.job.known.page_digest(target.article_id) == page.digest:
            self.outcomes.unchanged(target.article_id)
        elif page.status in PENDING_STATUSES:
            self.outcomes.wait(target.article_id, f"status_{page.status}")
        elif page.status in GONE_STATUSES:
            detail = f"status {page.status}: gone since it was stored"
            self.outcomes.reject(target, Reason.GONE, detail, self.outcomes.keep(page).raw_ref)
            self.job.frontier.forget(target.article_id)
        else:
            self._judge(target, self.outcomes.keep(page))
        self.job.frontier.revisited(target.article_id, self.source.revisit_after)

    def on_page_failed(self, failure: TwistedFailure) -> None:
        target: Target = failure.request.cb_kwargs["target"]  # type: ignore[attr-defined]
        known = self._explained(failure)
        raw_ref = ""
        if known.response is not None:
            page = page_of(known.response, source=self.source.id, form="html", url=target.url, listed=target.listed)
            raw_ref = self.outcomes.keep(page).raw_ref
        if known.reason is Reason.ROBOTS and not known.temporary:
            self.outcomes.disallow(target)
        elif known.temporary and self.job.stopping.is_set():
            return  # settled at the close, with the reason for it
        elif known.temporary and known.retry:
            self.outcomes.later(target, known.reason.value, known.detail, raw_ref=raw_ref)
        elif known.temporary:  # it was never asked for
            self.outcomes.wait(target.article_id, known.reason.value)
        else:
            self.outcomes.reject(target, known.reason, known.detail, raw_ref)
        if target.stored:
            self.job.frontier.revisited(target.article_id, self.source.revisit_after)

    def _explained(self, failure: TwistedFailure) -> Failure:
        known = explain(failure.value) if failure.value else None
        if known is None:
            self.job.errors += 1
            logger.error("unexpected %r", failure.value, exc_info=failure.value)
            return Failure(reason=Reason.ERROR, detail=f"unexpected {failure.value!r}")
        return known


def _challenge_in(page: Page) -> str:
    # One byte more than is looked at says that there is more.
    return challenge_in(decode(page.body[: 4 * HEAD_CHARS + 1], content_type=page.headers.get("content-type")).text)

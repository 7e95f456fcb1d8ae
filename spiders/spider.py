"""The one spider: it asks for the lists of a source, one after the other, and for the pages they lead to.

    list page ──▶ rows ──┬─ full text: a page of its own, at once
                         └─ a link: the page is fetched, if it is not known

Whatever arrives is in the archive before anything reads it, and every article that was listed is settled in the tally.
"""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import Response
from twisted.python.failure import Failure as TwistedFailure

from articles.dates import parse_time
from articles.identity import NoIdentityError, article_id
from articles.records import Form, Listed, Page, Reason, Rejected
from spiders.crawl import Validators
from spiders.failures import Failure, explain, without_credentials
from spiders.job import Job
from spiders.listing import ListPage, first_page, following, read
from spiders.manners import RETRIED_STATUSES
from spiders.rows import ListError, Listing, Row
from spiders.spool import CrawledPage
from spiders.wire import content_encodings, not_text

logger = logging.getLogger(__name__)

# Of this connection or of this visitor, not of the page.
UNKEPT_HEADERS = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "alt-svc", "nel", "report-to", "p3p"}
    | {"set-cookie", "set-cookie2", "authorization", "www-authenticate", "authentication-info"}
    | {"proxy-authenticate", "proxy-authorization"}
)
# The site refuses us, now: an article is not bad for that.
PENDING_STATUSES = RETRIED_STATUSES | {401, 403}
FRAGMENT_HEADERS = {"content-type": "text/html; charset=utf-8"}


class SourceSpider(Spider):
    name = "source"

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.source = job.source
        self.lists: deque[ListPage] = deque(
            first_page(rule, zone=self.source.zone, day=datetime.now(self.source.zone).date())
            for rule in sorted(self.source.lists, key=lambda rule: not rule.full_text)  # whole articles save a request
        )
        self.taken = 0
        """New articles that count towards the limit."""
        self.listed_by: dict[str, list[str]] = {}
        self.validators: list[Validators] = []

    async def start(self) -> AsyncIterator[Request]:
        for request in self._next_list():
            yield request

    # ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _next_list(self) -> Iterator[Request]:
        """Lists are read one after the other, so that which of them an article is taken from is no accident."""
        if self.lists:
            yield self._list_request(self.lists.popleft())

    def _list_request(self, page: ListPage, *, conditional: bool = True) -> Request:
        headers = dict(page.rule.headers)
        known = self.job.known.validators(page.url) if conditional and page.number == 1 else None
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
            priority=10,
        )

    def on_list(self, response: Response, page: ListPage, conditional: bool, repeated: bool) -> Iterator[Request]:
        if response.status == 304 and conditional:
            logger.info("not modified: %s", page.url)
            yield from self._next_list()
            return
        if response.status == 304 and not repeated:
            # An answer to a question we did not ask; some caches do this once.
            yield self._list_request(page, conditional=False)
            return
        kept = self._keep(response, form="list", url=page.url)
        if response.status != 200:
            self._gate(f"{Reason.HTTP.code} {page.url} status {response.status}")
            yield from self._next_list()
            return
        yield from self._read_list(kept, page)

    def on_list_failed(self, failure: TwistedFailure) -> Iterator[Request]:
        page: ListPage = failure.request.cb_kwargs["page"]  # type: ignore[attr-defined]
        known = self._explained(failure)
        if known.response is not None:
            self._keep(known.response, form="list", url=page.url)
        self._gate(f"{known.reason.code} {page.url} {known.detail}")
        yield from self._next_list()

    def _read_list(self, kept: Page, page: ListPage) -> Iterator[Request]:
        found = Validators(
            url=page.url,
            etag=kept.headers.get("etag"),
            last_modified=kept.headers.get("last-modified"),
            body_sha256=hashlib.sha256(kept.body).hexdigest(),
        )
        known = self.job.known.validators(page.url)
        if page.number == 1 and known and known.body_sha256 == found.body_sha256:
            logger.info("same bytes as before: %s", page.url)
            self.validators.append(found)  # its ETag may be another one
            yield from self._next_list()
            return
        try:
            content_type = kept.headers.get("content-type")
            listing = read(kept.body, page.rule, url=kept.final_url, content_type=content_type)
        except ListError as error:
            self._gate(f"{error.reason.code} {page.url} {error.detail}")
            yield from self._next_list()
            return
        if page.number == 1:
            self.validators.append(found)
            self._check_list(listing, page, kept)
        yield from self._take(listing, page, kept)

    def _check_list(self, listing: Listing, page: ListPage, kept: Page) -> None:
        gates = self.source.gates
        count = len(listing.rows) + len(listing.dropped) + len(listing.more)
        if count < gates.min_items:
            self._gate(f"{Reason.EMPTY.code} {page.url} {count} entries, fewer than {gates.min_items}")
        if listing.problem:
            self.job.warnings.append(f"{page.url}: {listing.problem}")
        newest = self._newest(listing, kept.fetched_at)
        if gates.max_age_hours is None or newest is None or not self.job.spec.check_age:
            return
        if kept.fetched_at - newest > timedelta(hours=gates.max_age_hours):
            self._gate(f"E-FROZEN {page.url} the newest entry is of {newest:%Y-%m-%d %H:%M}")

    def _newest(self, listing: Listing, fetched_at: datetime) -> datetime | None:
        raws = (row.listed.published for row in listing.rows if row.listed.published)
        moments = (parse_time(raw, fetched_at=fetched_at, zone=self.source.zone).at for raw in raws)
        return max((moment for moment in moments if moment is not None), default=None)

    def _take(self, listing: Listing, page: ListPage, kept: Page) -> Iterator[Request]:
        """Every row of a list page, and then the page after it, while there is something new on this one."""
        self.listed_by.setdefault(page.url, [])
        for dropped in listing.dropped:
            self._filter(f"dropped:{without_credentials(dropped.link)}", dropped.reason)
        new = repeated = 0
        for row in listing.rows:
            identity = self._identity(row)
            if identity is None or not self.job.tally.discover(identity):
                repeated += 1
                continue
            self.listed_by[page.url].append(identity)
            new += identity not in self.job.known
            yield from self._row(row, identity, page, kept)
        for link in listing.more:
            self.lists.append(ListPage(rule=page.rule, url=link))
        if listing.rows and repeated == len(listing.rows) and page.number > 1:
            self.job.warnings.append(f"{page.url} repeats what was listed before")
        yield from self._after(listing, page, new)

    def _after(self, listing: Listing, page: ListPage, new: int) -> Iterator[Request]:
        after = following(page, listing, zone=self.source.zone)
        if after and new and after.number <= self.job.spec.list_pages and not self._limit_reached():
            yield self._list_request(after)
        else:
            yield from self._next_list()

    def _identity(self, row: Row) -> str | None:
        try:
            return article_id(
                self.source, row.url, native_id=row.listed.native_id, fallback_text=row.listed.title or ""
            )
        except NoIdentityError:
            return None

    # ── articles ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self, row: Row, identity: str, page: ListPage, kept: Page) -> Iterator[Request]:
        tally, known = self.job.tally, identity in self.job.known
        if page.rule.full_text:
            self._take_full_text(row, identity, kept, known=known)
        elif known:
            tally.settle(identity, "unchanged")
        elif not self.source.owns(urlsplit(row.url).hostname or ""):
            tally.settle(identity, "filtered", "offsite")
        elif self._limit_reached():
            tally.settle(identity, "pending", "limit")
        else:
            self.taken += 1
            yield self._article_request(row, identity)

    def _take_full_text(self, row: Row, identity: str, kept: Page, *, known: bool) -> None:
        """An entry is read again although it is known: that is how an edit is noticed."""
        page = Page(
            source=self.source.id,
            url=row.url,
            final_url=row.url,
            status=200,
            headers=FRAGMENT_HEADERS,
            body=(row.html or "").encode("utf-8", "replace"),
            form="fragment",
            fetched_at=kept.fetched_at,
            listed=row.listed,
        )
        if not page.body.strip():
            self._reject(row.url, identity, Reason.EMPTY, "an entry without text in a full-text feed", kept.raw_ref)
        elif known and self.job.known.page_digest(identity) == page.digest:
            self.job.tally.settle(identity, "unchanged")
        elif not known and self._limit_reached():
            self.job.tally.settle(identity, "pending", "limit")
        else:
            self.taken += not known
            self._hand_over(self.job.archive.append(page), identity)

    def _article_request(self, row: Row, identity: str) -> Request:
        return Request(
            row.url,
            callback=self.on_page,
            errback=self.on_page_failed,
            cb_kwargs={"row": row, "identity": identity},
            dont_filter=True,
        )

    def on_page(self, response: Response, row: Row, identity: str) -> None:
        page = self._keep(response, form="html", url=row.url, listed=row.listed)
        if response.status in PENDING_STATUSES:
            self.job.tally.settle(identity, "pending", f"status_{response.status}")
        elif response.status != 200:
            self._reject(row.url, identity, Reason.HTTP, f"status {response.status}", page.raw_ref)
        elif not page.body.strip():
            self._reject(row.url, identity, Reason.EMPTY, "status 200 and no bytes", page.raw_ref)
        elif kind := not_text(page.body):
            self._reject(row.url, identity, Reason.TYPE, f"{kind} where a page was expected", page.raw_ref)
        else:
            self._hand_over(page, identity)

    def on_page_failed(self, failure: TwistedFailure) -> None:
        row: Row = failure.request.cb_kwargs["row"]  # type: ignore[attr-defined]
        identity: str = failure.request.cb_kwargs["identity"]  # type: ignore[attr-defined]
        known = self._explained(failure)
        raw_ref = ""
        if known.response is not None:
            raw_ref = self._keep(known.response, form="html", url=row.url, listed=row.listed).raw_ref
        if known.reason is Reason.ROBOTS and not known.temporary:
            self.job.tally.settle(identity, "filtered", "robots")
        elif known.temporary and self.job.stopping.is_set():
            pass  # settled at the close, with the reason for it
        elif known.temporary:
            logger.info("%s %s %s: left for a later run", known.reason.code, row.url, known.detail)
            self.job.tally.settle(identity, "pending", known.reason.value)
        else:
            self._reject(row.url, identity, known.reason, known.detail, raw_ref)

    # ── outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _keep(self, response: Response, *, form: Form, url: str, listed: Listed | None = None) -> Page:
        page = Page(
            source=self.source.id,
            url=url,
            final_url=response.url,
            status=response.status,
            headers=_kept_headers(response),
            body=response.body,
            form=form,
            fetched_at=datetime.now(UTC),
            listed=listed or Listed(),
        )
        return self.job.archive.append(page)

    def _hand_over(self, page: Page, identity: str) -> None:
        self.job.spool.page(CrawledPage(raw_ref=page.raw_ref, article_id=identity))
        self.job.tally.settle(identity, "fetched")

    def _reject(self, url: str, identity: str, reason: Reason, detail: str, raw_ref: str) -> None:
        rejected = Rejected(
            source=self.source.id,
            url=without_credentials(url),
            reason=reason,
            detail=detail,
            fetched_at=datetime.now(UTC),
            raw_ref=raw_ref,
        )
        logger.warning("%s", rejected)
        self.job.spool.rejected(rejected)
        self.job.tally.settle(identity, "rejected", reason.value)

    def _filter(self, identity: str, reason: str) -> None:
        if self.job.tally.discover(identity):
            self.job.tally.settle(identity, "filtered", reason)

    def _gate(self, failure: str) -> None:
        logger.error("%s", failure)
        self.job.gate_failures.append(failure)

    def _limit_reached(self) -> bool:
        return self.job.spec.limit is not None and self.taken >= self.job.spec.limit

    def _explained(self, failure: TwistedFailure) -> Failure:
        known = explain(failure.value) if failure.value else None
        if known is None:
            self.job.errors += 1
            logger.error("unexpected %r", failure.value, exc_info=failure.value)
            return Failure(reason=Reason.ERROR, detail=f"unexpected {failure.value!r}")
        return known


def _kept_headers(response: Response) -> dict[str, str]:
    """Names in lower case; the encoding is kept only where the body still has it."""
    names = {name.decode("latin-1").lower(): name for name in response.headers}
    kept = {
        name: b", ".join(response.headers.getlist(raw)).decode("latin-1")
        for name, raw in names.items()
        if name not in UNKEPT_HEADERS
    }
    if not content_encodings(response):
        kept.pop("content-encoding", None)
    return kept

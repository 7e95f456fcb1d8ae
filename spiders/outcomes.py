"""What becomes of each article of a crawl: into the spool for the loader, into the frontier for a later crawl.

The spool is written first: what stands in the frontier as fetched or refused and was never loaded is handed over again
by the next crawl, and loading a page twice changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scrapy.http import Response

from articles.records import Form, Listed, Page, Reason, Rejected
from spiders.crawl import Waiting
from spiders.failures import without_credentials
from spiders.job import Job
from spiders.spool import CrawledPage
from spiders.wire import content_encodings

logger = logging.getLogger(__name__)

# Of this connection or of this visitor, not of the page.
UNKEPT_HEADERS = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "alt-svc", "nel", "report-to", "p3p"}
    | {"set-cookie", "set-cookie2", "authorization", "www-authenticate", "authentication-info"}
    | {"proxy-authenticate", "proxy-authorization"}
)
# A page that fails run after run is given up; a site that is away for two days is not.
TRIES = 6
PATIENCE = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An article whose page is asked for."""

    article_id: str
    url: str
    listed: Listed
    stored: bool = False
    """It is in the lake: this is a second look."""


class Outcomes:
    def __init__(self, job: Job) -> None:
        self._job = job
        self.taken = 0
        """New articles that count towards the limit."""

    def keep(self, page: Page) -> Page:
        kept = self._job.archive.append(page)
        if kept.form == "list":
            self._job.spool.list_answer(kept.raw_ref)
        return kept

    def take(self) -> bool:
        """One more new article? Not beyond the limit."""
        limit = self._job.spec.limit
        if limit is not None and self.taken >= limit:
            return False
        self.taken += 1
        return True

    def hand_over(self, target: Target, page: Page, *, whole: bool = False) -> None:
        self._job.spool.page(CrawledPage(raw_ref=page.raw_ref, article_id=target.article_id))
        self._job.frontier.fetched(target.article_id, target.url, target.listed, page.raw_ref, whole=whole)
        self._job.tally.settle(target.article_id, "fetched")

    def resume(self, waiting: Waiting) -> None:
        """Hands over what an earlier crawl fetched or refused, and nobody loaded."""
        if waiting.refusal is not None:
            self._job.spool.rejected(waiting.refusal)
            self._job.tally.settle(waiting.article_id, "rejected", waiting.refusal.reason.value)
        elif self.take():
            self._job.spool.page(CrawledPage(raw_ref=waiting.raw_ref, article_id=waiting.article_id))
            self._job.tally.settle(waiting.article_id, "fetched")
        else:
            self.wait(waiting.article_id, "limit")

    def wait(self, article_id: str, reason: str) -> None:
        self._job.tally.settle(article_id, "pending", reason)

    def later(self, target: Target, reason: str, detail: str, *, raw_ref: str = "") -> None:
        """It was asked for and came to nothing: a later crawl tries again, but not for ever."""
        tries, listed_at = self._job.frontier.tried(target.article_id)
        if tries >= TRIES and datetime.now(UTC) - listed_at > PATIENCE:
            self.reject(target, Reason.NETWORK, f"given up after {tries} crawls: {detail}", raw_ref)
        else:
            logger.info("%s %s: left for a later run", target.url, detail)
            self.wait(target.article_id, reason)

    def unchanged(self, article_id: str) -> None:
        self._job.tally.settle(article_id, "unchanged")

    def reject(self, target: Target, reason: Reason, detail: str, raw_ref: str) -> None:
        rejected = Rejected(
            source=self._job.source.id,
            url=without_credentials(target.url),
            reason=reason,
            detail=detail,
            fetched_at=datetime.now(UTC),
            raw_ref=raw_ref,
            article_id=target.article_id,
        )
        logger.warning("%s", rejected)
        self._job.spool.rejected(rejected)
        self._job.frontier.refused(target.article_id, rejected)
        self._job.tally.settle(target.article_id, "rejected", reason.value)

    def disallow(self, target: Target) -> None:
        self._job.frontier.drop(target.article_id)
        self._job.tally.settle(target.article_id, "filtered", "robots")

    def filter(self, article_id: str, reason: str) -> None:
        """An entry that is no article of ours."""
        if self._job.tally.discover(article_id):
            self._job.tally.settle(article_id, "filtered", reason)

    def gate(self, failure: str) -> None:
        logger.error("%s", failure)
        self._job.gate_failures.append(failure)


def page_of(response: Response, *, source: str, form: Form, url: str, listed: Listed | None = None) -> Page:
    return Page(
        source=source,
        url=url,
        final_url=response.url,
        status=response.status,
        headers=_kept_headers(response),
        body=response.body,
        form=form,
        fetched_at=datetime.now(UTC),
        listed=listed or Listed(),
    )


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

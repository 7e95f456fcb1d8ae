"""One crawl of one source: what is asked for, what it needs to know, and what it reports.

    CrawlSpec ──run──▶ pages in the archive, lines in the spool, CrawlReport

Records and protocols only: whoever starts a crawl in a child process pays neither for Scrapy nor for its reactor.
spiders.engine runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol

from pydantic import TypeAdapter

from articles.records import Listed, Page, Rejected, Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days of one list, both ends included; of a list that pages by number, a range of its pages besides."""

    list: str
    """`spiders.listing.list_key` of its rule."""
    since: date
    until: date
    first_page: int = 0
    last_page: int = 0
    """In steps from the list's first page, which is 1; 0 where days or cursors say where to begin."""

    def holds(self, day: date) -> bool:
        return self.since <= day <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSpec:
    """All a crawl is told; the file that a child process is started with."""

    source: str
    run_id: str
    spool: str
    """Folder for the results; one crawl, one folder."""
    source_dirs: tuple[str, ...] = ()
    lake: str = ""
    """For the child process, which opens the archive and the ledger in it."""
    limit: int | None = None
    """New articles to take; the others listed stay pending."""
    lists: bool = True
    """Off: only what earlier crawls left, and the articles that are due for a second look."""
    list_pages: int = 5
    """Pages of one list to go through at most on the first visit, when all that is on them is new."""
    gap_pages: int = 50
    """The same on later visits: so deep is the last poll looked for."""
    revisits: int = 200
    """Stored articles to look at again at most, where the source wants that."""
    soft_seconds: float = 900
    """After this no further request is sent."""
    span: Span | None = None
    """Of a backfill: the part of one list's past to go through, in place of the newest entries of all lists."""
    unit: str = ""
    """Name of the part of the backfill that this crawl belongs to; its frontier lies apart."""
    check_age: bool = True
    """Off for a site whose newest article is meant to be old."""
    delay_seconds: float | None = None
    """Instead of the source's own."""
    hosts_dir: str = ""
    """Folder through which all crawls of this machine keep the delay of a host together; "" for a crawl by itself."""
    requests_per_host: int = 1
    """At a time; more only for a host of one's own."""
    backoff_seconds: float = 2.0
    """Wait before the first retry; doubled for the second, with jitter."""
    connect_to: Mapping[str, str] = field(default_factory=dict)
    """Host, or *, → `address:port` that is asked over plain HTTP in its place: a sample site, a recording."""
    allow_addresses: tuple[str, ...] = ()
    """Addresses to connect to although they are not public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A list rolled over between two polls: nothing that the last one saw was on it, as deep as we looked."""

    list: str
    since: datetime
    until: datetime

    def __str__(self) -> str:
        span = f"{self.since.astimezone(UTC):%Y-%m-%d %H:%M} to {self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"E-GAP {self.list} nothing of the last poll is left on it: {span} may be missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlReport:
    """discovered = fetched + rejected + unchanged + filtered + pending."""

    source: str
    discovered: int = 0
    """Distinct articles listed."""
    fetched: int = 0
    rejected: int = 0
    unchanged: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    pending: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    seconds: float = 0.0
    gate_failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What a person should know and no run fails for: a list that moved, a feed cut short."""
    validators: tuple[Validators, ...] = ()
    """To be remembered once the articles are durable; only of lists that were gone through to their end."""
    gaps: tuple[Gap, ...] = ()
    newest_at: datetime | None = None
    """Publication of the newest article on any list; None if they were all unchanged."""
    walked: str = ""
    """Of a backfill: `through` its span, or the list `exhausted` before its end; empty if neither was reached."""
    finish_reason: str = "finished"

    @property
    def balanced(self) -> bool:
        settled = self.fetched + self.rejected + self.unchanged
        return self.discovered == settled + sum(self.filtered.values()) + sum(self.pending.values())


SPEC_JSON = TypeAdapter(CrawlSpec)
REPORT_JSON = TypeAdapter(CrawlReport)


class Archive(Protocol):
    def append(self, page: Page) -> Page:
        """Keeps the page and returns it with its `raw_ref`."""


class Known(Protocol):
    """What earlier runs have stored."""

    def __contains__(self, article_id: object) -> bool: ...

    def page_digest(self, article_id: str) -> str | None:
        """`Page.digest` of the page that the article was last read from."""

    def validators(self, url: str) -> Validators | None: ...


class NothingKnown:
    """A first run."""

    def __contains__(self, article_id: object) -> bool:
        return False

    def page_digest(self, article_id: str) -> str | None:  # noqa: ARG002
        return None

    def validators(self, url: str) -> Validators | None:  # noqa: ARG002
        return None


class Waiting(Protocol):
    """An article that an earlier crawl listed and nobody has stored yet."""

    @property
    def article_id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def listed(self) -> Listed: ...
    @property
    def state(self) -> Literal["listed", "fetched", "refused"]: ...
    @property
    def raw_ref(self) -> str: ...
    @property
    def refusal(self) -> Rejected | None: ...


class Due(Protocol):
    """A stored article to look at again."""

    @property
    def article_id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def listed(self) -> Listed: ...


class Poll(Protocol):
    """The last walk through a list that came to its end."""

    @property
    def walked_at(self) -> datetime: ...
    @property
    def newest_at(self) -> datetime | None: ...
    @property
    def head(self) -> frozenset[str]: ...


class Frontier(Protocol):
    """What was listed and is not stored, kept through any death of this process; storage.frontier says more."""

    def unshelve(self) -> None: ...
    def waiting(self) -> Sequence[Waiting]: ...
    def add(self, rows: Iterable[tuple[str, str, Listed]]) -> tuple[set[str], set[str]]: ...
    def fetched(self, article_id: str, url: str, listed: Listed, raw_ref: str, *, whole: bool = False) -> None: ...
    def refused(self, article_id: str, refusal: Rejected) -> None: ...
    def tried(self, article_id: str) -> tuple[int, datetime]: ...
    def drop(self, article_id: str) -> None: ...
    def sets_out(self, key: str) -> bool: ...
    def poll(self, key: str) -> Poll | None: ...
    def walked(self, key: str, head: Sequence[str], newest_at: datetime | None) -> None: ...
    def gap(self, key: str, since: datetime, until: datetime) -> None: ...
    def place(self, key: str) -> str | None: ...
    def keep_place(self, key: str, place: str) -> None: ...
    def due(self, limit: int) -> Sequence[Due]: ...
    def revisited(self, article_id: str, plan: Sequence[timedelta]) -> None: ...
    def forget(self, article_id: str) -> None: ...
    def robots(self, origin: str) -> bytes | None: ...
    def keep_robots(self, origin: str, body: bytes) -> None: ...

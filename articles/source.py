"""What is known of one site: how it lists, how it names its articles, and what around a body is not the article.

One TOML file per source describes exactly this (spiders/sources/<id>.toml). The models check shapes only; finding the
file, the line of an error and the misspelt key is the work of spiders.catalogue.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta
from functools import cached_property
from itertools import chain
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

SOURCE_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
# Hive readers infer types: these would come back as booleans or nulls.
RESERVED_IDS = frozenset({"true", "false", "null", "nan", "inf", "infinity", "none"})
WAIT = re.compile(r"([1-9]\d{0,3})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _source_id(value: str) -> str:
    if not SOURCE_ID.fullmatch(value) or value in RESERVED_IDS:
        reserved = ", ".join(sorted(RESERVED_IDS))
        raise ValueError(f"{value!r} is not a source id: [a-z][a-z0-9_]{{1,39}}, and not one of {reserved}")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is not a time zone") from error
    return value


def _wait(value: str) -> str:
    if not WAIT.fullmatch(value):
        raise ValueError(f"{value!r} is not a time to wait, such as 30m, 1h or 7d")
    return value


SourceId = Annotated[str, AfterValidator(_source_id)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Zone = Annotated[str, AfterValidator(_zone)]
Wait = Annotated[str, AfterValidator(_wait)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Rules(BaseModel):
    """Base of all parts of a source file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldRule(Rules):
    """Where a list row holds a field, when a bare path does not say enough."""

    path: str | None = None
    """Dotted path in a JSON row; `0` picks from an array."""
    css: str | None = None
    """Selector in an HTML row, with ::text or ::attr(name)."""
    template: str | None = None
    """Text with {dotted.path} holes, filled from the row."""
    regex: Pattern | None = None
    """Applied to the value; its first group is taken."""


class Paging(Rules):
    by: Literal["page", "cursor", "day"] = "page"
    first: int = 1
    step: int = 1
    max_pages: int = Field(default=1, ge=1, le=100_000)
    cursor: str | None = None
    """Dotted path of the next cursor in the answer."""
    start: str = ""
    """The first cursor; {day_end} and the other holes of a day are filled, where a cursor is a time."""
    first_url: str = ""
    """Address of the first page, where it is not one of the series."""
    size: int | None = Field(default=None, ge=1)
    """Rows of a full page, by which the requests of a backfill are reckoned."""
    since: date | None = None
    """The oldest day the list is known to reach back to."""
    reach: Wait | None = None
    """How far back from today it reaches, such as 60d, where the oldest entries fall off."""


class ListRule(Rules):
    """One list of a site: a feed, a JSON API, an HTML page of links, or a sitemap."""

    kind: Literal["feed", "json", "html", "sitemap"]
    use: Literal["both", "live", "backfill"] = "both"
    """Which runs ask for it; one for backfill alone replaces the others there."""
    url: str
    """{name} holes are filled from params and paging ({page}, {cursor}, {date}, {yyyymmdd}, {day_start}, {day_end})."""
    method: Literal["GET", "POST"] = "GET"
    body: str | None = None
    headers: dict[str, str] = {}
    params: dict[str, str | int] = {}
    charset: str | None = None
    items: str = ""
    """Dotted path of the rows (json), or the selector of a row (html)."""
    row: str = ""
    """Selector of a row, where `items` of a json list holds a piece of HTML instead of rows."""
    fields: dict[str, str | FieldRule] = {}
    """Names of articles.records.Listed, and url and html."""
    ok: dict[str, str | int] = {}
    """Dotted path → value an answer must have."""
    skip_if: dict[str, list[str | int]] = {}
    """Field of a row → values that mean it is no article (videos, advertisements)."""
    keep_if: dict[str, list[str | int]] = {}
    full_text: bool = False
    """The list carries whole articles: no page is fetched."""
    paging: Paging | None = None


class ArticleRules(Rules):
    """Selectors and line patterns of the article page. Every list is tried in order; the first that matches counts."""

    body: list[str] = []
    title: list[str] = []
    published: list[str] = []
    updated: list[str] = []
    publisher: list[str] = []
    author: list[str] = []
    editor: list[str] = []
    section: list[str] = []
    summary: list[str] = []
    tags: list[str] = []
    drop: list[str] = []
    """Elements inside the body that are not the article."""
    unwrap: list[str] = []
    """Elements whose tags go and whose text stays."""
    drop_lines: list[Pattern] = []
    """Whole lines that are not the article."""
    keep_lines: list[Pattern] = []
    """Lines that stay, whatever the general patterns say."""
    charset: str | None = None

    @cached_property
    def selectors(self) -> tuple[str, ...]:
        """All of them, of whatever."""
        lists = (self.body, self.title, self.published, self.updated, self.publisher, self.author, self.editor)
        return tuple(chain(*lists, self.section, self.summary, self.tags, self.drop, self.unwrap))

    @cached_property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """Those of each field."""
        named = (self.title, self.published, self.updated, self.publisher, self.author, self.editor, self.section)
        return tuple(map(tuple, (*named, self.summary, self.tags)))

    @cached_property
    def digest(self) -> str:
        """Of all the rules: where it is equal, so are they."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]


class Gates(Rules):
    """What must hold, or the source is reported as broken."""

    min_items: int = Field(default=1, ge=0)
    max_age_hours: float | None = Field(default=None, gt=0)
    min_text: int = Field(default=0, ge=0)
    """Characters below which a text carries the flag `short`."""
    require: list[Literal["title", "text", "published_at", "publisher", "author", "editor"]] = ["title", "text"]
    min_share: float = Field(default=0.5, ge=0, le=1)
    """Share of a run's articles that must have each required field."""


class Rate(Rules):
    delay_seconds: Seconds = 2.0
    timeout_seconds: Seconds = 60.0


class Source(Rules):
    id: SourceId
    name: str
    tz: Zone = "Asia/Shanghai"
    language: str = "zh-Hans"
    hosts: list[str]
    """Host names the source may fetch from and whose pages are its own; a sub-domain matches too."""
    namespace: SourceId | None = None
    """Prefix of article ids; a mirror names the source it copies, so that both copies are one identity."""
    id_regex: Pattern | None = None
    """Its first non-empty group is the native id, searched in the url."""
    query_keys: list[str] = []
    """Query parameters that tell articles apart; all others are dropped from the canonical url."""
    publisher: str | None = None
    """Medium that all articles are by, when the pages name none because it is the site itself."""
    lists: list[ListRule] = Field(default=[], alias="list")
    archives: list[Literal["posts", "jsonl", "text", "html", "warc"]] = []
    """Kinds of archive on disk that belong to this source even when no host says so."""
    article: ArticleRules = ArticleRules()
    gates: Gates = Gates()
    rate: Rate = Rate()
    revisit: list[Wait] = []
    """When the pages of new articles are looked at again, such as 1h, 24h, 7d: for sites that edit them."""
    robots: Literal["obey", "ignore"] = "obey"
    """`ignore` is for a site of your own."""
    tls: Literal["verify", "insecure"] = "verify"
    enabled: bool = True
    verified: str = ""
    """What was checked, how and when: for docs/sources.md."""

    @model_validator(mode="after")
    def _id_regex_has_a_group(self) -> Source:
        if self.id_regex is not None and re.compile(self.id_regex).groups == 0:
            raise ValueError("id_regex needs a group that holds the native id")
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    @cached_property
    def id_pattern(self) -> re.Pattern[str] | None:
        return re.compile(self.id_regex) if self.id_regex else None

    @cached_property
    def revisit_after(self) -> tuple[timedelta, ...]:
        found = (WAIT.fullmatch(each) for each in self.revisit)
        return tuple(sorted(timedelta(**{UNITS[wait[2]]: int(wait[1])}) for wait in found if wait))

    @property
    def live_lists(self) -> list[ListRule]:
        """What a poll of the newest articles asks for."""
        return [rule for rule in self.lists if rule.use != "backfill"]

    @property
    def past_lists(self) -> list[ListRule]:
        """What a backfill asks for: the lists made for it, else all that page back."""
        paging = [rule for rule in self.lists if rule.paging and rule.use != "live"]
        return [rule for rule in paging if rule.use == "backfill"] or paging

    def owns(self, host: str) -> bool:
        """Is `host` one of the source's, or below one of them?"""
        host = host.lower().rstrip(".")
        return any(host == own or host.endswith("." + own) for own in self.hosts)


# Pages of sites that nobody has described, and documents without any address.
UNKNOWN = Source(
    id="local", name="unknown site or local file", hosts=[], archives=["posts", "jsonl", "text", "html", "warc"]
)

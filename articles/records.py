"""The records that pass between the rooms. Nothing here reads, decides or stores.

    Page ──extract──▶ Article | Rejected ──decide──▶ Decision ──commit──▶ partition

All are frozen; every time carries a zone; collections are tuples, so that a record can be hashed and compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

Form = Literal["html", "fragment", "post", "text", "list"]
"""What the bytes of a page are.

html      a whole document
fragment  the article's own HTML, as full-text feeds and JSON answers carry it: all of it is the body
post      Markdown or HTML under YAML front matter (Jekyll, Hexo)
text      plain text
list      a feed, a list answer or a sitemap: archived, never an article
"""

Precision = Literal["second", "minute", "day", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list said about a page before it was fetched. Strings are as found; `published` is not parsed yet."""

    title: str | None = None
    published: str | None = None
    updated: str | None = None
    summary: str | None = None
    publisher: str | None = None
    author: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    native_id: str | None = None


LISTED = tuple(each.name for each in fields(Listed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a site, or one document of an archive: bytes and what is known about them."""

    source: str
    url: str
    """As asked for; empty for a document that has none (a text file)."""
    final_url: str
    """After redirects."""
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes
    form: Form = "html"
    fetched_at: datetime
    raw_ref: str = ""
    """Where the archive keeps it; empty until archived."""
    listed: Listed = Listed()

    @property
    def digest(self) -> str:
        """sha256 (hex) of all that an article is read from: the same digest and rules give the same article."""
        listed = tuple(getattr(self.listed, name) for name in LISTED)
        said = repr((self.url, self.form, listed)).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(said + b"\0")
        # Without a copy of the body.
        digest.update(self.body)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a list answer said about itself, verbatim, for the next conditional request."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    body_sha256: str = ""


class Reason(StrEnum):
    """Why something was not stored. The value is the slug of the quarantine partition."""

    ARCHIVE = "archive"  # a file or a record of an archive on disk that cannot be read
    BLOCKED = "ssrf"  # address, scheme or credentials that we never connect to
    CHALLENGE = "challenge"  # captcha, JavaScript check or maintenance page in place of the article
    DECODE = "decode"  # content encoding or character set that cannot be read
    EMPTY = "empty"  # no bytes
    ERROR = "error"  # our own code failed on it: a bug to report
    FEED = "feed"  # a list that is no list
    FRONT_MATTER = "frontmatter"
    GONE = "gone"  # a page that the site had, and has no more: the article that was read from it stays
    HTTP = "http"  # a status other than 200
    IDENTITY = "identity"  # neither url, nor native id, nor text to name it by
    LIMIT = "limit"  # too many elements, too deep
    LOOP = "loop"  # redirects without end
    NETWORK = "network"  # no answer
    NO_TEXT = "notext"
    NO_TITLE = "notitle"
    PROTOCOL = "proto"  # an answer that is not HTTP
    ROBOTS = "robots"
    TIMEOUT = "timeout"
    TOO_BIG = "toobig"
    TRUNCATED = "trunc"
    TYPE = "type"  # a PDF or an image where HTML was promised

    @property
    def code(self) -> str:
        """The name used in logs and error lines, such as `E-NOTEXT`."""
        return f"E-{self.value.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A page that gave no article, and why. Goes to quarantine; its bytes stay in the archive under `raw_ref`."""

    source: str
    url: str
    reason: Reason
    detail: str
    """One line for a person: what was seen, and what to do next."""
    fetched_at: datetime
    raw_ref: str = ""
    article_id: str = ""
    """As its list names it; empty where there was no list."""
    file: str = ""
    """Of a document on disk: where it stands."""

    def __str__(self) -> str:
        return f"{self.reason.code} {self.source} {self.url or self.raw_ref} {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One version of one article, as read from one page. Columns of the row that depend on history are in Decision."""

    article_id: str
    source: str
    date: date | None
    """Calendar day of `published_at` in the source's zone; None when the time is unknown."""
    url: str
    canonical_url: str
    title: str
    text: str
    """Paragraphs separated by a line feed."""
    summary: str | None = None
    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision = "none"
    published_raw: str | None = None
    updated_at: datetime | None = None
    fetched_at: datetime
    lang: str = "zh-Hans"
    text_hash: str
    fingerprint: bytes | None = None
    removed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    extractor: str
    raw_ref: str = ""
    page_digest: str = ""
    """`digest` of the page it was read from: the same page need not be archived and read again."""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def text_chars(self) -> int:
        return len(self.text)


DecisionKind = Literal["new", "duplicate", "revision", "unchanged"]
DuplicateKind = Literal["url", "exact", "near", "script"]
"""How a copy is known to be one: same page, same text, nearly the same, or the same in the other Chinese script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Election:
    """An article stored earlier whose place changes: an earlier copy has come to light, or it is a copy no more."""

    article_id: str
    source: str
    group_id: str
    cluster_id: str
    duplicate_of: str | None = None
    """None if it is now the first itself."""
    duplicate_kind: DuplicateKind | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done with an article, given all that was seen before it."""

    kind: DecisionKind
    article: Article
    revision: int
    first_seen_at: datetime
    day: date | None
    """Of its partition, where the article is new: the day of the first revision. Rows that are stored stay put."""
    group_id: str
    """article_id of the earliest that is certainly the same: by id, address or text."""
    cluster_id: str
    """article_id of the first of its cluster; its own, if it is the first."""
    duplicate_of: str | None = None
    duplicate_kind: DuplicateKind | None = None
    similarity: float | None = None
    exact_key: str = ""
    """What later copies of the same text are recognised by; empty for a text too short for that."""
    elections: tuple[Election, ...] = ()
    """What its arrival changes for others, each told once in a batch."""

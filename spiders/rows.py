"""What a list answer holds: rows that lead to articles, and links that lead nowhere we go.

Shared by all kinds of list. Strings stay as the site wrote them; only links are made absolute here, because a link
means nothing without the address of its list.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from articles.records import Listed, Reason

# A feed of 20,000 entries takes two seconds to read; what lies beyond this is left for the next poll.
MAX_ROWS = 5_000
MAX_FIELD_CHARS = 2_000
MAX_URL_CHARS = 2_000

NOTHING_LISTED = Listed()

_INLINE_TAG = re.compile(r"</?(?:em|b|strong|i|u|font|span|sup|sub|br|wbr)\b[^>]*>", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
# Browsers drop these anywhere in a link, so `java\nscript:` is javascript.
_NOT_IN_LINKS = re.compile(r"[\x00-\x20\x7f\u200b-\u200f\u2028-\u202e\ufeff]+")


class ListError(ValueError):
    """An answer that is not the list that was asked for."""

    def __init__(self, detail: str, *, reason: Reason = Reason.FEED) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason.code} {self.detail}"


class NoRowError(ListError):
    """A page without the rows of a list: behind the last page of one, that is its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a list."""

    url: str
    listed: Listed = NOTHING_LISTED
    html: str | None = None
    """The article's own HTML, where the list carries it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """An entry that is no article of ours."""

    link: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list answer, read."""

    rows: tuple[Row, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    more: tuple[str, ...] = ()
    """Further lists that this one names (a sitemap index)."""
    next_cursor: str | None = None
    problem: str = ""
    """Why it may be incomplete, if it may."""


@dataclass(slots=True)
class RowBuilder:
    """Collects rows, and what was dropped on the way, in the order of the list."""

    base_url: str
    rows: list[Row] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)

    def add(self, link: str | None, values: Mapping[str, str | None], *, tags: tuple[str, ...] = ()) -> None:
        url, refused = resolve(self.base_url, link)
        if refused:
            self.drop(link or "", refused)
            return
        content = values.get("html")
        texts = {name: tidy(value) for name, value in values.items() if name != "html" and value}
        self.rows.append(Row(url=url, listed=Listed(**texts, tags=tags), html=content))

    def drop(self, link: str, reason: str) -> None:
        self.dropped.append(Dropped(link=link[:MAX_URL_CHARS], reason=reason))

    def listing(self, *, more: tuple[str, ...] = (), next_cursor: str | None = None, problem: str = "") -> Listing:
        return Listing(
            rows=tuple(self.rows), dropped=tuple(self.dropped), more=more, next_cursor=next_cursor, problem=problem
        )


def resolve(base_url: str, link: str | None) -> tuple[str, str]:
    """The absolute url of a link without its fragment, and why it is not followed ("" if it is)."""
    stripped = _NOT_IN_LINKS.sub("", link or "")
    if not stripped:
        return "", "no_link"
    if len(stripped) > MAX_URL_CHARS:
        return "", "link_too_long"
    try:
        parts = urlsplit(urljoin(base_url, stripped))
        host, port = parts.hostname, parts.port
    except ValueError:
        return "", "bad_link"
    if parts.scheme not in ("http", "https"):
        return "", "scheme"
    if not host or port == 0:
        return "", "bad_link"
    if parts.username is not None or parts.password is not None:
        return "", "credentials"
    return parts._replace(fragment="").geturl(), ""


def tidy(value: str) -> str:
    """A field as one line of text: entities decoded once, emphasis of search results gone, cut at a limit."""
    text = _INLINE_TAG.sub("", value) if "<" in value else value
    text = html.unescape(text) if "&" in text else text
    return _SPACES.sub(" ", text).strip()[:MAX_FIELD_CHARS]


def first_group(pattern: str | None, value: str | None) -> str | None:
    """The first non-empty group of the pattern in the value, or all it matched; the value itself without a pattern."""
    if pattern is None or not value:
        return value
    found = re.search(pattern, value)
    if not found:
        return None
    return next((group for group in found.groups() if group), found[0])

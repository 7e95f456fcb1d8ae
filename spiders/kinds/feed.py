"""RSS, Atom and RDF by feedparser.

feedparser gets our own decoded text, re-encoded as UTF-8 under a declaration that says so: left alone it reads a GBK
feed that claims UTF-8 as windows-1252. It gets a stream, never bytes or a string, because it opens those as a file or
an address first. It must not clean or re-write the HTML of entries either: that is the extractor's work, and a
re-serialised `display: none` no longer matches the rule that drops it.
"""

from __future__ import annotations

import io
import re
from typing import Any

import feedparser

from articles.source import ListRule
from spiders.rows import MAX_ROWS, ListError, Listing, RowBuilder

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# Entities of a document type are never expanded: they are how a feed of 1 KB becomes one of 1 GB.
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.IGNORECASE | re.DOTALL)
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_HTML = re.compile(r"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL)
_CUT = re.compile(r"</(?:rss|feed|rdf:RDF)>\s*(?:<!--.*?-->\s*)*$", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")

Entry = dict[str, Any]


def read(text: str, rule: ListRule, *, url: str) -> Listing:
    _refuse_what_is_no_feed(text)
    text = _DOCTYPE.sub("", _DECLARATION.sub("", _NOT_XML.sub("", text), count=1), count=1)
    parsed = _parsed(text, url)
    if not parsed.version and not parsed.entries:
        raise ListError("no feed: neither RSS, Atom nor RDF")
    builder = RowBuilder(url)
    # In Atom (RFC 4287, 4.2.1) the author of the feed is that of every entry that names none.
    author = _text(parsed.feed, "author") if str(parsed.version).startswith("atom") else None
    for entry in parsed.entries[:MAX_ROWS]:
        values = _values(entry, full_text=rule.full_text)
        builder.add(_link(entry), {**values, "author": values["author"] or author}, tags=_tags(entry))
    for entry in parsed.entries[MAX_ROWS:]:
        builder.drop(_link(entry) or "", "excess")
    return builder.listing(problem="" if _CUT.search(text) else "the feed is cut short")


def _parsed(text: str, url: str) -> Any:  # noqa: ANN401 - feedparser's own dictionary
    try:
        return feedparser.parse(
            io.BytesIO(b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode()),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    # It promises not to raise, and does on damaged feeds; what was met so far.
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ListError(f"no feed: the parser gave up ({type(error).__name__}: {error})") from error


def _refuse_what_is_no_feed(text: str) -> None:
    start = text[:2_000].lstrip("\ufeff \t\r\n")
    if not start:
        raise ListError("no feed: the answer is empty")
    if start[0] in "{[":
        raise ListError(f"no feed: JSON, {start[:80]!r}")
    if _HTML.match(start):
        raise ListError("no feed: an HTML page")


def _link(entry: Entry) -> str | None:
    return _text(entry, "link") or next(filter(None, (_text(each, "href") for each in _parts(entry, "links"))), None)


def _values(entry: Entry, *, full_text: bool) -> dict[str, str | None]:
    return {
        "title": _text(entry, "title"),
        # Not entry.published: feedparser's own attribute stands in `updated` where there is none.
        "published": _text(entry, "published") or _text(entry, "updated") or _text(entry, "created"),
        "updated": _text(entry, "updated"),
        "summary": None if full_text else _TAG.sub("", _text(entry, "summary") or ""),
        "publisher": next((_text(each, "title") for each in _parts(entry, "source")), None),
        "author": _text(entry, "author"),
        "section": next(iter(_tags(entry)), None),
        "html": _body(entry) if full_text else None,
    }


def _body(entry: Entry) -> str | None:
    """The longest of the places where feeds put whole articles."""
    candidates = [_text(each, "value") or "" for each in _parts(entry, "content")] + [_text(entry, "summary") or ""]
    return max(candidates, key=len) or None


def _tags(entry: Entry) -> tuple[str, ...]:
    terms = (_text(tag, "term") or "" for tag in _parts(entry, "tags"))
    return tuple(dict.fromkeys(term.strip() for term in terms if term.strip()))


def _text(entry: Entry, name: str) -> str | None:
    """An element of the feed that is named like one of feedparser's keys may stand in its place, as anything."""
    value = dict.get(entry, name)
    return value if isinstance(value, str) and value else None


def _parts(entry: Entry, name: str) -> list[Entry]:
    value = dict.get(entry, name)
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]

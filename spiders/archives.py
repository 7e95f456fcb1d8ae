"""Documents on disk as Pages: posts, plain texts, JSON, saved feeds, mails and pages, web archives.

What a document is follows from its name, and for names that say nothing, from its first bytes. Files are taken in the
order of their names, read one at a time, and a bad one is reported and left behind; only a path that is not there
stops the whole.
"""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import json
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast
from zoneinfo import ZoneInfo

# The only reading of web archives outside storage: there warcio keeps our own pages, here it opens other people's.
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeadersParserException

from articles.dates import parse_time
from articles.decode import decode
from articles.markups import is_marked_up
from articles.nested import record_of, rows_in, tree_of
from articles.normalise import clean_line
from articles.page_header import PAGE_HEADER, page_of
from articles.posts import BadPost, Post, looks_like_post, parse_post
from articles.records import Form, Listed, Page, Reason, Rejected
from articles.source import UNKNOWN, ListRule, Source
from spiders.catalogue import Catalogue
from spiders.listing import read as read_list
from spiders.mails import read_mail
from spiders.rows import ListError

MAX_BYTES = 16 * 1024 * 1024  # of one document, as in a crawl
SNIFFED_BYTES = 64 * 1024
SPECIAL = "neither a file nor a folder"
READABLE = (
    "what is read ends in .md, .org, .adoc, .rst, .jsonl, .json, .xml, .enex, .eml, .mhtml, .txt, .html, .warc (.gz), "
    "or in nothing"
)
FILE_HEADER = "x-archive-file"
"""Name under which a page's headers tell the file it comes from."""

# Sources that collect the posts of a dialect, where the post itself names no other.
JEKYLL, HEXO = "finews", "rsshub"

WARC_ERRORS = (ArchiveLoadFailed, StatusAndHeadersParserException, zlib.error, EOFError, ValueError, OSError)
HTML_TYPES = ("text/html", "application/xhtml")  # the rest of what a crawl saves is not worth a line in quarantine
GZIP_MARK = b"\x1f\x8b\x08"
CUT = "the record ends before its length"
NEXT_RECORD = re.compile(rb"WARC/1\.\d(?:\r\nWARC-|\Z)")
WARC_NAME = re.compile(r"\.warc(\.gz)?$", re.I)
RECORD_HEAD = re.compile(rb"WARC/1\.\d\r\n(?:[^\r\n]+\r\n)*?Content-Length: *(\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", re.I)
BLOCK_BYTES = 64 * 1024
PART_FILES = 2_000
CHECKED_BYTES = 2 * MAX_BYTES

BLOCK_TAG = re.compile(r"<(?:p|br|div|span|a|img|table|h[1-6]|strong|b|em|ul|ol|li|section|article|blockquote)\b", re.I)
PARAGRAPH_TAG = re.compile(r"<(?:p|br|div|table|h[1-6]|ul|ol|li|section|article)\b", re.I)
# In front of JSON that is handed to a function, or put into a variable.
CALL = re.compile(r"\s*(?:/\*.{0,200}?\*/\s*)?(?:(?:var|let|const)\s+)?(?:window\.)?[\w$.]+\s*[(=]\s*(?=[{\[])", re.S)
# Marks of Markdown where no tag is; two stars in a line stand for what a censor took out, too.
MARKDOWN = re.compile(r"^#{1,6}[ \t]+\S|^\*\*[^\s*][^*\n]{0,100}\*\*[ \t]*$|!?\[[^\]\n]{0,100}\]\(https?:", re.M)
DOCUMENT_TAG = re.compile(r"<(?:!doctype|html|head|body)\b", re.I)
WORDPRESS_AUTHOR = re.compile(
    rb"<wp:author_login>(?:<!\[CDATA\[)?([^<>\]]{1,60})(?:\]\]>)?</wp:author_login>"
    rb"(?:(?!</wp:author>).){0,600}?<wp:author_display_name>(?:<!\[CDATA\[)?([^<>\]]{1,60})",
    re.S,
)
OPML = re.compile(rb"<opml\b", re.I)
SITEMAP = re.compile(rb"<(?:urlset|sitemapindex)\b", re.I)
FEED_TAG = re.compile(rb"<(?:rss|feed|rdf:RDF)\b")
# A saved feed is read as one whose entries are whole.
SAVED_FEED = ListRule(kind="feed", url="", full_text=True)

# Of a note whose name is its title; behind it, some tools write a code.
TITLE_IN_NAME = re.compile(
    r"(?:\d{4}-?\d\d-?\d\d[ _-]+)?(.*?)(?:[ _-][0-9a-f]{16,32})?\.(?:md|markdown|org|adoc|rst)", re.I
)
HAN = re.compile(r"[\u4e00-\u9fff]")
# "2024-03-01-title.md" of Jekyll, and "20240301.md" of who keeps a file a day.
DAY_IN_NAME = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<mark>[-_.]?)(?P<month>0[1-9]|1[0-2])(?P=mark)(?P<day>0[1-9]|[12]\d|3[01])[-_. ]"
)
CODE_IN_NAME = re.compile(r"(?<![A-Za-z\d])((?:NW)?20\d{16})(?!\d)")
DAY_OF_CODE = re.compile(r"(?<!\d)(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)\d{10}(?!\d)")
NAVIGATION_HOME = re.compile(r"\[返回首页\]\(")
CANONICAL = (
    re.compile(rb"<link\b[^<>]{0,500}?\brel\s*=\s*[\"']?canonical[\"']?[^<>]{0,500}>", re.I),
    re.compile(rb"<meta\b[^<>]{0,500}?\b(?:property|name)\s*=\s*[\"']?og:url[\"']?[^<>]{0,500}>", re.I),
)
ADDRESS = re.compile(rb"\b(?:href|content)\s*=\s*[\"']?\s*((?:https?:)?//[^\"'\s<>]+)", re.I)
SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d+\)(https?://\S+)")


NOTHING_LISTED = Listed()


Reached = Callable[[Path, int], None]
"""Told how far the reading has come: a file, and the bytes of it that lie behind."""


class ArchiveError(ValueError):
    """A path that holds no archive: one line, with the path."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is the same for all documents of one call."""

    catalogue: Catalogue
    source: Source | None
    fetched_at: datetime
    reached: Reached | None = None

    def at(self, path: Path, offset: int) -> None:
        if self.reached is not None:
            self.reached(path, offset)

    def source_of(self, url: str, dialect: str = "") -> Source:
        if self.source is not None:
            return self.source
        return (self.catalogue.for_url(url) if url else None) or self.catalogue.get(dialect) or UNKNOWN

    def page(
        self, body: bytes, form: Form, where: str, *, url: str = "", listed: Listed = NOTHING_LISTED, dialect: str = ""
    ) -> Page:
        source = self.source_of(url, dialect)
        if source is UNKNOWN:
            # Ids of nobody's: the 1 of one file and the 1 of the next are two articles.
            listed = replace(listed, native_id=None)
        return Page(
            source=source.id,
            url=url,
            final_url=url,
            status=200,
            headers={FILE_HEADER: where},
            body=body,
            form=form,
            fetched_at=self.fetched_at,
            listed=listed,
        )

    def rejected(self, reason: Reason, where: str, detail: str, *, url: str = "") -> Rejected:
        return Rejected(
            source=self.source_of(url).id,
            url=url,
            reason=reason,
            detail=f"{where}: {detail}",
            fetched_at=self.fetched_at,
            file=where,
        )


Reader = Callable[[Path, _Reading], Iterator[Page | Rejected]]


def read_archive(
    paths: Iterable[Path | str],
    *,
    catalogue: Catalogue,
    source: Source | None,
    fetched_at: datetime,
    reached: Reached | None = None,
) -> Iterator[Page | Rejected]:
    """Every document below `paths`. The source is the one given, else the owner of the document's url, else that of its
    dialect, else `local`. Raises ArchiveError before anything is read if a path is missing or holds nothing.
    """
    reading = _Reading(catalogue, source, fetched_at, reached)
    roots = [_checked(path) for path in paths]
    if not roots:
        raise ArchiveError("no path of an archive was given")
    return itertools.chain.from_iterable(_read_root(root, reading) for root in roots)


@dataclass(frozen=True, slots=True)
class Part:
    """Some files of an archive, or a stretch of one web archive: what one of several workers reads."""

    paths: tuple[Path, ...]
    start: int = 0
    end: int | None = None
    """Records that begin before it are read to their end; None at the end of the file."""

    def __str__(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}" + (f" from byte {self.start:,}" if self.start else "")


def archive_bytes(paths: Iterable[Path]) -> int:
    """Of all documents below these paths."""
    files = itertools.chain.from_iterable(_files(path) if path.is_dir() else (path,) for path in paths)
    return sum(file.stat().st_size for file in files if file.is_file())


def parts_of(paths: Iterable[Path | str], *, part_bytes: int) -> Iterator[Part]:
    """All that is below `paths`, cut so that the parts, read in their order, give the documents of `read_archive`.

    Raises ArchiveError like that.
    """
    roots = [_checked(path) for path in paths]
    files = itertools.chain.from_iterable(_files(root) if root.is_dir() else (root,) for root in roots)
    return _cut(files, part_bytes)


def read_part(
    part: Part, *, catalogue: Catalogue, source: Source | None, fetched_at: datetime
) -> Iterator[Page | Rejected]:
    reading = _Reading(catalogue, source, fetched_at)
    for path in part.paths:
        reader = _reader_of(path) or _read_sniffed
        if part.start or part.end is not None:
            reader = partial(_read_torn, start=part.start, end=part.end)
        yield from _read_file(path, reader, reading)


def _cut(files: Iterable[Path], part_bytes: int) -> Iterator[Part]:
    small: list[Path] = []
    small_bytes = 0
    for file in files:
        size = file.stat().st_size if file.is_file() else 0
        if small and (small_bytes + size > part_bytes or len(small) >= PART_FILES):
            yield Part(tuple(small))
            small, small_bytes = [], 0
        if size > part_bytes and WARC_NAME.search(file.name):
            cuts = [0, *_cuts(file, size, part_bytes)]
            yield from (Part((file,), start, end) for start, end in zip(cuts, [*cuts[1:], None], strict=True))
        else:
            small.append(file)
            small_bytes += size
    if small:
        yield Part(tuple(small))


def _cuts(path: Path, size: int, part_bytes: int) -> Iterator[int]:
    """Where a web archive may be cut: anywhere between zipped records, which tell where they begin, or at one."""
    with path.open("rb") as file:
        if file.read(len(GZIP_MARK)) == GZIP_MARK:
            yield from range(part_bytes, size, part_bytes)
            return
        at, cut = 0, part_bytes
        while at < size:
            file.seek(at)
            found = RECORD_HEAD.match(file.read(BLOCK_BYTES))
            if not found:  # torn here: what follows is for one reader to make out
                return
            if at >= cut:
                yield at
                cut = at + part_bytes
            at += found.end() + int(found[1]) + len(b"\r\n\r\n")


# ── finding files ────────────────────────────────────────────────────────────────────────────────────────────────────


def _checked(path: Path | str) -> Path:
    if not str(path).strip():
        raise ArchiveError("the path of an archive is empty")
    path = Path(path)
    try:
        if not path.exists():
            raise ArchiveError(f"{path}: no such file or folder")
        if _is_special(path):
            raise ArchiveError(f"{path}: {SPECIAL}")
        if not os.access(path, os.R_OK):
            raise ArchiveError(f"{path}: may not be read")
        if path.is_dir() and next(_files(path), None) is None:
            raise ArchiveError(f"{path}: no documents in this folder; {READABLE}")
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror or error}") from error
    return path


def _read_root(root: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    if not root.is_dir():
        yield from _read_file(root, _reader_of(root) or _read_sniffed, reading)
        return
    for path in _files(root):
        reader = _reader_of(path)
        yield from _read_file(path, reader or _read_sniffed, reading)


def _files(folder: Path, inside: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """Documents below a folder, by name. A link back to a folder that we are in is a loop, and is not followed."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in inside:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError:
        yield folder  # opening it will say what is wrong
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if path.is_dir():
            yield from _files(path, inside | {here})
        elif _reader_of(path) is not None or not path.suffix:
            yield path


def _read_file(path: Path, reader: Reader, reading: _Reading) -> Iterator[Page | Rejected]:
    try:
        if _is_special(path):
            yield reading.rejected(Reason.ARCHIVE, str(path), SPECIAL)
            return
        if path.is_file() and path.stat().st_size == 0:
            yield reading.rejected(Reason.EMPTY, str(path), "the file is empty")
            return
        yield from reader(path, reading)
        reading.at(path, path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        yield reading.rejected(Reason.ARCHIVE, str(path), f"cannot be read: {error}")


def _is_special(path: Path) -> bool:
    """A pipe would keep us waiting for its writer, for ever."""
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _reader_of(path: Path) -> Reader | None:
    return next((reader for pattern, reader in READERS if pattern.search(path.name)), None)


def _read_sniffed(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200]
    if head.startswith((b"WARC/", b"filedesc:", b"\x1f\x8b")):
        return _read_warc(path, reading)
    if start.startswith((b"{", b"[{")) or CALL.match(start.decode("latin-1")):
        return _read_json_lines(path, reading) if _is_lines(head) else _read_json(path, reading)
    if FEED_TAG.search(start):
        return _read_feed(path, reading)
    if DOCUMENT_TAG.search(start.decode("latin-1")):
        return _read_html(path, reading)
    if b"\0" in head and not decode(head).codec.startswith("utf-16"):
        return iter([reading.rejected(Reason.TYPE, str(path), "neither text nor an archive")])
    return _read_text(path, reading)


# ── documents that are files ─────────────────────────────────────────────────────────────────────────────────────────


def _whole(path: Path, reading: _Reading) -> bytes | Rejected:
    with _open(path) as file:
        body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return reading.rejected(Reason.TOO_BIG, str(path), f"more than {MAX_BYTES:,} bytes")
    return body


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _read_text(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    """A text file is a post if it begins as one."""
    body = _whole(path, reading)
    if isinstance(body, Rejected):
        yield body
    elif looks_like_post(head := decode(body[:SNIFFED_BYTES]).text) or is_marked_up(head):
        yield _post(path, body, reading)
    else:
        yield reading.page(body, "text", str(path))


def _read_post(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    body = _whole(path, reading)
    yield body if isinstance(body, Rejected) else _post(path, body, reading)


def _post(path: Path, body: bytes, reading: _Reading) -> Page:
    text = decode(body).text
    post = parse_post(text)
    if isinstance(post, BadPost):  # for extraction to refuse, once its bytes are in the archive
        return reading.page(body, "post", str(path))
    listed = _with_name(post.listed, path.name, post.url, reading)
    return reading.page(body, "post", str(path), url=post.url, listed=listed, dialect=_dialect(post, text))


def _with_name(listed: Listed, name: str, url: str, reading: _Reading) -> Listed:
    """What the front matter leaves out or garbles, the file's name may hold: the day, and the article's code, which
    begins with the day too."""
    zone = reading.source.zone if reading.source else ZoneInfo(UNKNOWN.tz)
    written = parse_time(listed.published or "", fetched_at=reading.fetched_at, zone=zone)
    if written.at is None and (found := DAY_IN_NAME.match(name) or DAY_OF_CODE.search(f"{name} {url}")):
        listed = replace(listed, published="-".join(found.group("year", "month", "day")))
    if listed.title is None and (titled := TITLE_IN_NAME.fullmatch(name)) and len(HAN.findall(titled[1])) >= 6:
        listed = replace(listed, title=clean_line(titled[1].replace("_", " ")))
    if listed.native_id is None and (found := CODE_IN_NAME.search(name)):
        listed = replace(listed, native_id=found[1])
    return listed


def _dialect(post: Post, text: str) -> str:
    if "layout" in post.meta and NAVIGATION_HOME.search(text):
        return JEKYLL
    fed = {"headimg", "thumbnail", "comments"} & set(post.meta)
    if fed and "layout" not in post.meta and isinstance(post.meta.get("categories"), tuple):
        return HEXO
    return ""


def _read_mail(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    body = _whole(path, reading)
    if isinstance(body, Rejected):
        yield body
    elif mail := read_mail(body):
        form: Form = "text" if not mail.is_html else "html" if mail.url else "fragment"
        yield reading.page(mail.body, form, str(path), url=mail.url, listed=mail.listed)
    else:
        yield reading.rejected(Reason.NO_TEXT, str(path), "the mail has no text")


def _read_html(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    body = _whole(path, reading)
    if isinstance(body, Rejected):
        yield body
    else:
        yield reading.page(body, "html", str(path), url=_own_address(body[:SNIFFED_BYTES]))


def _own_address(head: bytes) -> str:
    """What the page calls itself, or what the browser noted when it was saved."""
    for pattern in CANONICAL:
        for tag in pattern.findall(head):
            if found := ADDRESS.search(tag):
                return _text_of(found[1])
    found = SAVED_FROM.search(head)
    return _text_of(found[1]) if found else ""


def _text_of(address: bytes) -> str:
    url = decode(address).text.replace("&amp;", "&")
    return "https:" + url if url.startswith("//") else url


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_json_lines(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    with _open(path) as file:
        read_line = _line_reader(file)
        for number in itertools.count(1):
            line = read_line(MAX_BYTES + 1)
            if not line:
                return
            where = f"{path}:{number}"
            if len(line) > MAX_BYTES:
                yield reading.rejected(Reason.TOO_BIG, where, f"more than {MAX_BYTES:,} bytes")
                while line and not line.endswith(b"\n"):
                    line = read_line(MAX_BYTES)
            elif line.strip():
                yield from _records(line, where, reading)


def _line_reader(file: IO[bytes]) -> Callable[[int], bytes]:
    """Lines end at a line feed; one of UTF-16 takes two bytes, and Windows writes that unasked."""
    head = file.read(2)
    file.seek(0)
    if head not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return file.readline
    text = io.TextIOWrapper(cast(BinaryIO, file), encoding="utf-16", errors="replace", newline="\n")
    return lambda size: text.readline(size).encode()


def _read_json(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    """One record, an array of them, or an object that holds them."""
    body = _whole(path, reading)
    if isinstance(body, Rejected):
        yield body
    elif _is_lines(body):
        yield from _read_json_lines(path, reading)
    else:
        yield from _records(body, str(path), reading)


def _is_lines(body: bytes) -> bool:
    """Is it an object to a line, under the name of one?"""
    first, _, rest = body.strip().partition(b"\n")
    return (
        first.rstrip().endswith(b"}")
        and rest.lstrip().startswith(b"{")
        and first.lstrip(b"\xef\xbb\xbf").startswith(b"{")
    )


def _records(body: bytes, where: str, reading: _Reading) -> Iterator[Page | Rejected]:
    try:
        loaded = _loaded(decode(body).text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        yield reading.rejected(Reason.ARCHIVE, where, f"is no JSON: {error}")
        return
    rows = rows_in(loaded)
    for number, row in enumerate(rows):
        place = where if len(rows) == 1 else f"{where}[{number}]"
        if isinstance(row, dict):
            yield _record(row, place, reading)
        else:
            yield reading.rejected(Reason.ARCHIVE, place, f"a {type(row).__name__} where a record was expected")


def _loaded(text: str) -> object:
    """JSON, also as it is handed to a function or put into a variable."""
    try:
        return json.loads(text)
    except ValueError:
        called = CALL.match(text)
        if called is None:
            raise
        return json.JSONDecoder().raw_decode(text, called.end())[0]


def _record(row: Mapping[str, object], where: str, reading: _Reading) -> Page | Rejected:
    record = record_of(row)
    body = record.body
    if not body.strip():
        return reading.rejected(Reason.NO_TEXT, where, "the record has neither text nor summary", url=record.url)
    form = _form_of(body)
    return reading.page(body.encode("utf-8", "surrogatepass"), form, where, url=record.url, listed=record.listed)


def _form_of(body: str) -> Form:
    if DOCUMENT_TAG.search(body[:2_000]):
        return "html"
    marks = len(MARKDOWN.findall(body))
    if marks > len(PARAGRAPH_TAG.findall(body)):  # pictures and other tags may stand in Markdown
        return "post"
    if BLOCK_TAG.search(body):
        return "fragment"
    return "post" if looks_like_post(body[:SNIFFED_BYTES]) or is_marked_up(body) else "text"


# ── feeds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_feed(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    body = _whole(path, reading)
    if isinstance(body, Rejected):
        yield body
        return
    try:
        saved = read_list(body, SAVED_FEED, url="")
    except ListError as error:
        yield from _read_other_xml(body, path, error.detail, reading)
        return
    names = _names_of_authors(body)
    for number, row in enumerate(saved.rows):
        where = f"{path}[{number}]"
        if row.html:
            listed = replace(row.listed, author=names.get(row.listed.author or "", row.listed.author))
            yield reading.page(row.html.encode(), _form_of(row.html), where, url=row.url, listed=listed)
        else:
            yield reading.rejected(Reason.NO_TEXT, where, "the entry has no text", url=row.url)
    for dropped in saved.dropped:
        yield reading.rejected(Reason.ARCHIVE, str(path), f"an entry was left out, {dropped.reason}: {dropped.link}")
    if saved.problem:
        yield reading.rejected(Reason.TRUNCATED, str(path), saved.problem)


def _names_of_authors(feed: bytes) -> dict[str, str]:
    """Names by login, as WordPress puts them at the head of an export."""
    return {decode(login).text: decode(name).text for login, name in WORDPRESS_AUTHOR.findall(feed[:SNIFFED_BYTES])}


def _read_other_xml(body: bytes, path: Path, problem: str, reading: _Reading) -> Iterator[Page | Rejected]:
    """The notes of an export, or the text that an agency sends."""
    head = body[:SNIFFED_BYTES]
    if OPML.search(head):
        yield reading.rejected(Reason.ARCHIVE, str(path), "a list of subscriptions (OPML), which holds no article")
        return
    tree = tree_of(decode(body).text.encode("utf-8", "surrogatepass")) if not SITEMAP.search(head) else None
    rows = _rows_with_text(tree) or _rows_with_text(next(iter(tree.values()))) if tree else []
    if not rows:
        yield reading.rejected(Reason.ARCHIVE, str(path), problem)
    for number, row in enumerate(rows):
        yield _record(row, str(path) if len(rows) == 1 else f"{path}[{number}]", reading)


def _rows_with_text(held: object) -> list[dict[str, object]]:
    return [row for row in rows_in(held) if isinstance(row, dict) and record_of(row).body.strip()]


# ── web archives ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_warc(path: Path, reading: _Reading) -> Iterator[Page | Rejected]:
    outcomes = 0
    for outcome in _read_torn(path, reading):
        outcomes += 1
        yield outcome
    if not outcomes:
        yield reading.rejected(Reason.ARCHIVE, str(path), "holds no page")


def _read_torn(
    path: Path, reading: _Reading, *, start: int | None = 0, end: int | None = None
) -> Iterator[Page | Rejected]:
    """Read on behind every tear: the next record's start is looked for in the bytes."""
    with path.open("rb") as file:
        zipped = file.read(len(GZIP_MARK)) == GZIP_MARK
        if zipped and start:
            start = _first_member(file, start)
        reported = False
        while start is not None and (end is None or start < end):
            file.seek(start)
            stream = _Member(file) if zipped else file
            archive = ArchiveIterator(stream, arc2warc=True)
            at, record = start, _next_record(archive)
            while isinstance(record, ArcWarcRecord):
                at = start if zipped else archive.offset
                if end is not None and at >= end:
                    return
                outcome = _response(record, f"{path}@{at}", reading)
                record = _next_record(archive)
                if archive.err_count or (isinstance(outcome, Rejected) and outcome.reason is Reason.TRUNCATED):
                    record = CUT  # what follows is no record: the length of this one led into the next
                if record == CUT and isinstance(outcome, Page):
                    outcome = reading.rejected(Reason.TRUNCATED, f"{path}@{at}", CUT, url=outcome.url)
                if outcome is not None:
                    yield outcome
                reported = isinstance(outcome, Rejected)
            tear = record or (stream.tear if isinstance(stream, _Member) else "")
            if not zipped and tear != CUT:
                at = archive.offset
            if end is not None and at >= end:
                return  # whoever reads from there on finds it, too
            if tear and not reported:
                reported = True
                yield reading.rejected(Reason.ARCHIVE, f"{path}@{at}", tear)
            start = _next_start(file, at, stream, tear)
            reading.at(path, start or at)


def _first_member(file: IO[bytes], at: int) -> int | None:
    """The first zipped record that begins at this byte or behind it. Its mark may stand anywhere by chance."""
    found = _find(file, GZIP_MARK, at)
    while found is not None:
        file.seek(found)
        with suppress(zlib.error):
            if zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(file.read(BLOCK_BYTES), 8).startswith(b"WARC/"):
                return found
        found = _find(file, GZIP_MARK, found + 1)
    return None


class _Member:
    """One member of a gzip file as a stream, checked before it is read.

    Where a member was cut and another follows, its bytes unzip to plausible rubbish, and only the checksum tells: a
    member that fails gives nothing. One that ends with the file gives what there is; records know their length.
    warcio's own unzipping swallows both.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._read_bytes = 0
        self.tear = ""
        start = file.tell()
        try:
            self._ahead = io.BytesIO(b"".join(self._unzipped(CHECKED_BYTES)))
        except zlib.error as error:
            self._ahead, self.tear = io.BytesIO(), str(error)
        if self.tear and _find(file, GZIP_MARK, start + 1) is not None:
            self._ahead = io.BytesIO()

    @property
    def end(self) -> int:
        """Where the next member begins, once this one is read."""
        return self._file.tell() - len(self._unzip.unused_data)

    def tell(self) -> int:
        return self._read_bytes

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        text = self._ahead.read(size)
        try:
            text = text or next(self._unzipped(size), b"")
        except zlib.error as error:
            self.tear = str(error)
        self._read_bytes += len(text)
        return text

    def close(self) -> None:
        """The file is closed by whoever opened it."""

    def _unzipped(self, size: int) -> Iterator[bytes]:
        while size > 0 and not self._unzip.eof and not self.tear:
            zipped = self._unzip.unconsumed_tail or self._file.read(BLOCK_BYTES)
            text = self._unzip.decompress(zipped, size)
            if text:
                size -= len(text)
                yield text
            elif not zipped:
                self.tear = "the zipped record is cut"


def _next_record(archive: ArchiveIterator) -> ArcWarcRecord | str:
    """What is wrong, where there is no record; nothing at the end. Cut headers make warcio raise errors of any kind."""
    try:
        return next(archive, "")
    except (*WARC_ERRORS, AttributeError, TypeError, LookupError) as error:
        return _first_line(error)


def _next_start(file: IO[bytes], offset: int, stream: object, tear: str) -> int | None:
    """Of a gzip member or a record, behind the one at `offset`; None at the end of the file."""
    if isinstance(stream, _Member):
        if tear:
            return _find(file, GZIP_MARK, offset + 1)
        while stream.read():  # what is left of the member behind its last record
            pass
        return stream.end if stream.end < os.fstat(file.fileno()).st_size else None
    return _find(file, b"WARC/1.", offset + 1) if tear else None


def _find(file: IO[bytes], mark: bytes, at: int) -> int | None:
    file.seek(at)
    tail = b""
    while block := file.read(BLOCK_BYTES):
        if (found := (tail + block).find(mark)) >= 0:
            return at - len(tail) + found
        at += len(block)
        tail = (tail + block)[1 - len(mark) :]
    return None


def _response(record: ArcWarcRecord, where: str, reading: _Reading) -> Page | Rejected | None:
    """The page of a record; nothing for requests, revisits, and what is no HTML."""
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    if described := record.rec_headers.get_header(PAGE_HEADER):
        return _described_page(record, described, url, where, reading)
    if record.rec_type not in ("response", "resource") or not url.startswith("http"):
        return None
    if record.rec_type == "response" and not _status(record):
        return reading.rejected(Reason.PROTOCOL, where, "an answer without HTTP status", url=url)
    if record.rec_type == "response" and _status(record) != 200:
        return reading.rejected(Reason.HTTP, where, f"status {_status(record)}", url=url)
    if _type(record).lower().startswith(HTML_TYPES):
        return _archived_page(record, url, where, reading)
    return None


def _described_page(
    record: ArcWarcRecord, described: str, url: str, where: str, reading: _Reading
) -> Page | Rejected | None:
    """A page of the archive of a lake, with what its list said of it; nothing for the lists, which lie there too."""
    body = _body_of(record, url, where, reading)
    if isinstance(body, Rejected):
        return body
    try:
        page = page_of(described, body)
    except ValueError as error:
        return reading.rejected(Reason.DECODE, where, str(error), url=url)
    if page.form == "list":
        return None
    if page.status != 200:
        return reading.rejected(Reason.HTTP, where, f"status {page.status}", url=page.url)
    source = reading.source or reading.catalogue.get(page.source) or reading.source_of(page.url)
    listed = replace(page.listed, native_id=None) if source is UNKNOWN else page.listed
    return replace(page, source=source.id, listed=listed, headers={**page.headers, FILE_HEADER: where})


def _archived_page(record: ArcWarcRecord, url: str, where: str, reading: _Reading) -> Page | Rejected:
    body = _body_of(record, url, where, reading)
    if isinstance(body, Rejected):
        return body
    page = reading.page(body, "html", where, url=url)
    headers = {name.lower(): value for name, value in record.http_headers.headers} if record.http_headers else {}
    return replace(page, headers={**headers, **page.headers}, fetched_at=_archived_at(record) or page.fetched_at)


def _body_of(record: ArcWarcRecord, url: str, where: str, reading: _Reading) -> bytes | Rejected:
    try:
        body: bytes = record.content_stream().read(MAX_BYTES + 1)
    except WARC_ERRORS as error:
        return reading.rejected(Reason.DECODE, where, _first_line(error), url=url)
    if len(body) > MAX_BYTES:
        return reading.rejected(Reason.TOO_BIG, where, f"more than {MAX_BYTES:,} bytes", url=url)
    # warcio hands over the torn end of a file as if it were a whole record.
    if _missing(record, len(body)) or NEXT_RECORD.search(body) or record.rec_headers.get_header("WARC-Truncated"):
        return reading.rejected(Reason.TRUNCATED, where, CUT, url=url)
    if not body:
        return reading.rejected(Reason.EMPTY, where, "no body", url=url)
    return body


def _missing(record: ArcWarcRecord, read_bytes: int) -> bool:
    """Is the record shorter than it says? Where the archive's and the site's lengths differ, the site knows."""
    promised = record.http_headers.get_header("Content-Length") if record.http_headers else None
    if promised == str(read_bytes):
        return False
    stream = record.raw_stream
    while stream.limit > 0 and stream.read(64 * 1024):
        pass
    return bool(stream.limit > 0)


def _status(record: ArcWarcRecord) -> int:
    code = record.http_headers.get_statuscode() if record.http_headers else None
    return int(code) if code and code.isdigit() else 0


def _type(record: ArcWarcRecord) -> str:
    headers = record.http_headers or record.rec_headers
    return headers.get_header("Content-Type") or ""


def _archived_at(record: ArcWarcRecord) -> datetime | None:
    """The day of the crawl, which «five minutes ago» on the page is counted from."""
    try:
        at = datetime.fromisoformat(record.rec_headers.get_header("WARC-Date") or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _first_line(error: BaseException) -> str:
    # Of a file of zeros the error would repeat the file.
    return next((line.strip()[:200] for line in str(error).splitlines() if line.strip()), type(error).__name__)


READERS: tuple[tuple[re.Pattern[str], Reader], ...] = (
    # Crawlers mark files that are open or bad by one more ending.
    (re.compile(r"\.w?arc(\.gz)?(\.(open|bad|part|tmp))?$", re.I), _read_warc),
    (re.compile(r"\.(jsonl|ndjson)(\.gz)?$", re.I), _read_json_lines),
    (re.compile(r"\.(json|jsonp|ipynb)(\.gz)?$", re.I), _read_json),
    (re.compile(r"\.(xml|rss|atom|rdf|enex|opml)(\.gz)?$", re.I), _read_feed),
    (re.compile(r"\.(mdx?|markdown|mkd|qmd|rmd|org|adoc|asciidoc|rst|rest|wiki|tid)$", re.I), _read_post),
    (re.compile(r"\.(txt|text)$", re.I), _read_text),
    (re.compile(r"\.(eml|mht|mhtml)$", re.I), _read_mail),
    # wget keeps the query of a page in its name.
    (re.compile(r"\.([sx]?html?$|(php|aspx?|jsp)\b)", re.I), _read_html),
)

"""The page archive: every answer as it came, in WARC files, written before anything reads it.

    LAKE/pages/source=<id>/<day of fetching, UTC>/<writer>-<number>.warc.gz

Of a lake in a bucket, files grow in the folder of its state and go to the bucket as they are closed, for good.

One page is one record, compressed for itself, so that `raw_ref` (file#offset+length) reaches it in one seek. What WARC
has no field for travels as JSON in `Finnews-Page`; the HTTP block beside it is for other WARC tools. Each writer has
files of its own: the torn tail that a killed writer leaves is never appended to, and only the last record is lost.
"""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import uuid
import zlib
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from hashlib import sha1
from http import HTTPStatus
from io import BytesIO, FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from urllib.parse import quote

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordbuilder import RecordBuilder
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from articles.page_header import PAGE_HEADER, describe, page_of
from articles.records import Page
from articles.source import SOURCE_ID
from storage.errors import ArchiveError, LakeError
from storage.store import LocalStore, open_store, remote_of

ROTATE_BYTES = 256 * 1024 * 1024
# Sent in one request, from memory.
REMOTE_ROTATE_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
MAX_OPEN_FILES = 64
# 7 % larger than with 6, in half the time.
GZIP_LEVEL = 3
WARC_VERSION = "1.1"
SUFFIX = ".warc.gz"
# How gzip begins what `_pack` makes.
MEMBER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
PAGE_LINE = f"\r\n{PAGE_HEADER}:".encode()
RAW_REF = re.compile(
    r"(?P<path>pages/source=[a-z][a-z0-9_]{1,39}/\d{4}-\d\d-\d\d/[\w.-]+\.warc\.gz)#(?P<offset>\d+)\+(?P<length>\d+)"
)
# The body is archived decoded: these would make other tools decode it again, or cut it.
TRANSFER_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length"})


class PageArchive:
    """Appends pages to files of its own and reads any page by its raw_ref. A context manager, or call `close`."""

    def __init__(self, root: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        """`root` is the folder of the lake: raw references are relative to it."""
        self.root = Path(root)
        self._remote = open_store(root) if remote_of(self.root) else None
        self._rotate_bytes = min(rotate_bytes, REMOTE_ROTATE_BYTES) if self._remote else rotate_bytes
        # A name from the clock collides when two writers start in the same millisecond.
        self._writer = uuid.uuid4().hex[:16]
        self._files: dict[tuple[str, str], _WarcFile] = {}
        self._files_made = 0

    def append(self, page: Page, record: bytes = b"") -> Page:
        """Write one page and return it with its raw_ref. The record has left the process when this returns.

        `record` is what `pack` made of the page, where that was done elsewhere.
        """
        record = record or pack(page)
        file = self._file(page)
        offset = file.append(record)
        raw_ref = f"{file.path.relative_to(self.root).as_posix()}#{offset}+{len(record)}"
        return replace(page, raw_ref=raw_ref)

    def read(self, raw_ref: str) -> Page:
        """The page as it was appended. Raises ArchiveError when the record is missing, torn or damaged."""
        found = RAW_REF.fullmatch(raw_ref)
        if not found:
            raise ArchiveError(f"{raw_ref!r}: not a reference into the page archive")
        offset, length = int(found["offset"]), int(found["length"])
        try:
            packed = self._bytes(found["path"], offset, length)
        except OSError as error:
            raise ArchiveError(f"{raw_ref}: {error.strerror or error}") from error
        except LakeError as error:
            raise ArchiveError(f"{raw_ref}: {error}") from error
        # warcio returns a record that ends too early as if it were whole: length and checksum are ours to test.
        if len(packed) < length:
            raise ArchiveError(f"{raw_ref}: the file ends {length - len(packed)} bytes before the record does")
        return _decode(packed, raw_ref)

    def refs(self, source: str) -> Iterator[str]:
        """Every page of a source, as it came. What a killed writer left torn at the end of a file is not among them."""
        for store in (LocalStore(self.root), *([self._remote] if self._remote else [])):
            for listed in store.entries(f"pages/source={source}"):
                if listed.key.endswith(SUFFIX):
                    with store.open(listed.key) as file:
                        yield from _refs(file, listed.key)

    def sync(self) -> None:
        """Make everything appended so far survive a power cut; in a bucket, the loss of this machine."""
        if self._remote:
            self.close()
        for file in self._files.values():
            file.sync()

    def close(self) -> None:
        while self._files:
            self._end(self._files.popitem()[1])

    def adopt(self) -> int:
        """Send what killed writers left here to the bucket, each up to its last whole record; gives how many files."""
        found = sorted((self.root / "pages").glob(f"*/*/*{SUFFIX}")) if self._remote else []
        return sum(map(self._adopt, found))

    def __enter__(self) -> PageArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bytes(self, path: str, offset: int, length: int) -> bytes:
        here = LocalStore(self.root)
        if not self._remote:
            return here.read_range(path, offset, length)
        try:
            return here.read_range(path, offset, length)
        except FileNotFoundError:
            return self._remote.read_range(path, offset, length)

    def _adopt(self, path: Path) -> bool:
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            # Its writer has sent it since it was found.
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Its writer is alive.
                return False
            whole = _whole_bytes(file)
            if not whole:
                # Its writer died before the first record, or has only just made it, and makes it again.
                path.unlink()
                return False
            file.truncate(whole)
            self._send(path)
            return True

    def _end(self, file: _WarcFile) -> None:
        file.close()
        if self._remote:
            self._send(file.path)

    def _send(self, path: Path) -> None:
        """A writer that has let go of its file may meet one who adopts it: then both send it, or one finds it sent."""
        assert self._remote is not None
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        try:
            # If it is there, it was sent by somebody who did not live to delete it here: no two files have one name.
            self._remote.put(path.relative_to(self.root).as_posix(), content, None)
        except LakeError as error:
            raise ArchiveError(str(error)) from error
        path.unlink(missing_ok=True)

    def _file(self, page: Page) -> _WarcFile:
        if not SOURCE_ID.fullmatch(page.source):
            raise ArchiveError(f"{page.url}: {page.source!r} is not a source id")
        key = (page.source, f"{page.fetched_at.astimezone(UTC):%Y-%m-%d}")
        file = self._files.get(key)
        if file is not None and file.size >= self._rotate_bytes:
            self._end(self._files.pop(key))
            file = None
        if file is None:
            file = self._files[key] = self._new_file(*key)
        return file

    def _new_file(self, source: str, day: str) -> _WarcFile:
        if len(self._files) >= MAX_OPEN_FILES:
            self._end(self._files.pop(next(iter(self._files))))
        self._files_made += 1
        name = f"{self._writer}-{self._files_made:04d}{SUFFIX}"
        return _WarcFile(self.root / "pages" / f"source={source}" / day / name)


class _WarcFile:
    """One file that one writer appends to. Unbuffered: a record that was appended has left the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _held(path)
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror}") from error
        self.append(_pack(_warcinfo(path.name)))

    def append(self, record: bytes) -> int:
        """Write one record; gives its offset."""
        offset, left = self.size, memoryview(record)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            # A full disk: cut the torn record off, so that the file still ends with a whole one.
            self._file.truncate(offset)
            self._file.seek(offset)
            raise ArchiveError(f"{self.path}: {error.strerror}") from error
        self.size += len(record)
        return offset

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self.sync()
        self._file.close()


def _held(path: Path) -> FileIO:
    """A new file, held: whoever finds it free knows that its writer is dead. Found so before that, it is made again."""
    while True:
        file = FileIO(path, "xb")
        fcntl.flock(file, fcntl.LOCK_SH)
        if path.exists():
            return file
        file.close()


def _whole_bytes(file: BinaryIO) -> int:
    """Up to where a file consists of whole records."""
    at = 0
    while record := _record(file, at):
        at += record[1]
    return at


def _refs(file: BinaryIO, path: str) -> Iterator[str]:
    """Of every whole record that is a page, also behind one that is damaged: warcio would take both for one."""
    at: int | None = 0
    while at is not None:
        record = _record(file, at)
        if record is None:
            at = _next_record(file, at + 1)
            continue
        head, length = record
        if PAGE_LINE in head[: head.find(b"\r\n\r\n")]:
            yield f"{path}#{at}+{length}"
        at += length


def _record(file: BinaryIO, at: int) -> tuple[bytes, int] | None:
    """How the record that begins there begins, and its length packed; None if there is none, or not a whole one."""
    file.seek(at)
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    head, read_bytes = b"", 0
    while chunk := file.read(CHUNK_BYTES):
        read_bytes += len(chunk)
        try:
            unpacked = member.decompress(chunk)
        except zlib.error:
            return None
        head = head or unpacked
        if member.eof:
            return head, read_bytes - len(member.unused_data)
    return None


def _next_record(file: BinaryIO, at: int) -> int | None:
    """Where one may begin, from here on."""
    file.seek(at)
    kept = b""
    while chunk := file.read(CHUNK_BYTES):
        searched = kept + chunk
        if (found := searched.find(MEMBER)) >= 0:
            return at - len(kept) + found
        at += len(chunk)
        kept = searched[1 - len(MEMBER) :]
    return None


def pack(page: Page) -> bytes:
    """The page as a record of the archive: the larger part of the work of appending it."""
    fetched = _was_fetched(page)
    return _pack(
        RecordBuilder(warc_version=WARC_VERSION).create_warc_record(
            _target(page),
            "response" if fetched else "resource",
            payload=BytesIO(page.body),
            length=len(page.body),
            http_headers=_http_block(page) if fetched else None,
            warc_content_type="" if fetched else "application/octet-stream",
            warc_headers_dict={
                # Left to warcio, it would go through the body twice, in pieces.
                "WARC-Payload-Digest": f"sha1:{b32encode(sha1(page.body, usedforsecurity=False).digest()).decode()}",
                "WARC-Date": page.fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                PAGE_HEADER: describe(page),
            },
        )
    )


def _was_fetched(page: Page) -> bool:
    """WARC tools look for an HTTP block only under an http address; a document from disk has neither."""
    return bool(page.headers) and (page.final_url or page.url).startswith(("http:", "https:"))


def _target(page: Page) -> str:
    url = page.final_url or page.url
    # A document from a file has no address, but every record needs a target.
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]") if url else f"urn:finnews:{page.source}"


def _http_block(page: Page) -> StatusAndHeaders:
    headers = [
        (f"X-Archive-Orig-{name}" if name.lower() in TRANSFER_HEADERS else name, _one_line(value))
        for name, value in page.headers.items()
    ]
    headers.append(("Content-Length", str(len(page.body))))
    return StatusAndHeaders(f"{page.status} {_phrase(page.status)}", headers, protocol="HTTP/1.1")


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"


def _one_line(value: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", value)


def _warcinfo(name: str) -> ArcWarcRecord:
    return RecordBuilder(warc_version=WARC_VERSION).create_warcinfo_record(name, {"software": "finnews"})


def _pack(record: ArcWarcRecord) -> bytes:
    buffer = BytesIO()
    WARCWriter(buffer, gzip=False, warc_version=WARC_VERSION).write_record(record)
    return gzip.compress(buffer.getvalue(), GZIP_LEVEL, mtime=0)


def _decode(packed: bytes, raw_ref: str) -> Page:
    try:
        record = next(iter(ArchiveIterator(BytesIO(gzip.decompress(packed)), no_record_parse=True)))
        return page_of(record.rec_headers.get_header(PAGE_HEADER), record.raw_stream.read(), raw_ref)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArchiveError(f"{raw_ref}: damaged record ({error})") from error
    except (ArchiveLoadFailed, StopIteration, TypeError, ValueError) as error:
        raise ArchiveError(f"{raw_ref}: no page at this place ({error or type(error).__name__})") from error

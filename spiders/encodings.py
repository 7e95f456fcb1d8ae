"""Content encodings undone to their last byte.

Scrapy gives what it could read of a truncated gzip stream as if it were the page. Here a stream that does not reach its
end, or grows past the limit, is an error.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence

import brotli  # type: ignore[import-untyped]

from articles.records import Reason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 1 << 16
GZIP, ZLIB, RAW = 31, 15, -15
GZIP_MAGIC = b"\x1f\x8b"


class EncodingError(ValueError):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def decoded(body: bytes, encodings: Sequence[str], *, limit_bytes: int) -> bytes:
    """The body as it was before the server encoded it; the encodings stand in the order they were applied."""
    for encoding in reversed(encodings):
        if encoding in ("", "identity"):
            continue
        decoder = DECODERS.get(encoding)
        if decoder is None:
            raise EncodingError(Reason.DECODE, f"unknown content encoding {encoding!r}")
        # An empty body is not an encoded one, whatever the header says; some servers send it with 304 and errors.
        body = decoder(body, limit_bytes) if body else body
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    out = b""
    # Some servers send one member per flush; zeros or garbage after the last are padding.
    while body.startswith(GZIP_MAGIC) or not out:
        part, body = _inflate(zlib.decompressobj(GZIP), body, limit - len(out), "gzip")
        out += part
        if not part:
            break
    return out


def _deflate(body: bytes, limit: int) -> bytes:
    """zlib as the standard has it, or the bare stream that some servers send under the same name."""
    try:
        return _inflate(zlib.decompressobj(ZLIB), body, limit, "deflate")[0]
    except EncodingError as error:
        if error.reason is not Reason.DECODE:
            raise
        return _inflate(zlib.decompressobj(RAW), body, limit, "deflate")[0]


def _unbrotli(body: bytes, limit: int) -> bytes:
    decompressor, parts, size, data = brotli.Decompressor(), [], 0, body
    try:
        while not decompressor.is_finished():
            part = decompressor.process(data, output_buffer_limit=CHUNK_BYTES)
            if not part and decompressor.can_accept_more_data():
                raise EncodingError(Reason.TRUNCATED, "the br stream is cut short")
            data = b""
            size += len(part)
            _check(size, limit)
            parts.append(part)
    except brotli.error as error:
        raise EncodingError(Reason.DECODE, f"not br: {error}") from error
    return b"".join(parts)


def _inflate(stream: zlib._Decompress, body: bytes, limit: int, name: str) -> tuple[bytes, bytes]:
    parts, size = [], 0
    try:
        while body and not stream.eof:
            part = stream.decompress(body, CHUNK_BYTES)
            body = stream.unconsumed_tail
            size += len(part)
            _check(size, limit)
            parts.append(part)
    except zlib.error as error:
        raise EncodingError(Reason.DECODE, f"not {name}: {error}") from error
    if not stream.eof:
        raise EncodingError(Reason.TRUNCATED, f"the {name} stream is cut short")
    return b"".join(parts), stream.unused_data


def _unzstd(body: bytes, limit: int) -> bytes:
    stream, parts, size = zstd.ZstdDecompressor(), [], 0
    try:
        while not stream.eof:
            part = stream.decompress(body, CHUNK_BYTES)
            body = b""
            size += len(part)
            _check(size, limit)
            parts.append(part)
            if not part and stream.needs_input:
                raise EncodingError(Reason.TRUNCATED, "the zstd stream is cut short")
    except zstd.ZstdError as error:
        raise EncodingError(Reason.DECODE, f"not zstd: {error}") from error
    return b"".join(parts)


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise EncodingError(Reason.TOO_BIG, f"decodes to more than {limit >> 20} MiB")


DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}

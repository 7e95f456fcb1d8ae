"""Rows N06 to N09: content encodings to their last byte."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from articles.records import Reason
from spiders.encodings import EncodingError, decoded

TEXT = "虚构指数收涨，成交温和放大。".encode() * 3_000
LIMIT = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstd.compress,
}
each_encoding = pytest.mark.parametrize("encoding", PACKERS)


@each_encoding
def test_whole(encoding: str) -> None:
    assert decoded(PACKERS[encoding](TEXT), [encoding], limit_bytes=LIMIT) == TEXT


@each_encoding
@pytest.mark.parametrize("missing_bytes", [1, 5, 20])
def test_cut_short(encoding: str, missing_bytes: int) -> None:
    packed = PACKERS[encoding](TEXT)
    with pytest.raises(EncodingError) as caught:
        decoded(packed[:-missing_bytes], [encoding], limit_bytes=LIMIT)
    assert caught.value.reason is Reason.TRUNCATED


@each_encoding
def test_a_bomb(encoding: str) -> None:
    with pytest.raises(EncodingError) as caught:
        decoded(PACKERS[encoding](bytes(20 * LIMIT)), [encoding], limit_bytes=LIMIT)
    assert caught.value.reason is Reason.TOO_BIG


@given(st.binary(min_size=1, max_size=200), st.sampled_from(sorted(PACKERS)))
def test_any_bytes_are_decoded_or_refused(body: bytes, encoding: str) -> None:
    try:
        assert len(decoded(body, [encoding], limit_bytes=LIMIT)) <= LIMIT
    except EncodingError as error:
        assert error.detail


def test_in_the_order_they_were_applied() -> None:
    assert decoded(brotli.compress(gzip.compress(TEXT)), ["gzip", "br"], limit_bytes=LIMIT) == TEXT


def test_what_servers_do() -> None:
    assert decoded(raw_deflate(TEXT), ["deflate"], limit_bytes=LIMIT) == TEXT
    assert decoded(gzip.compress(TEXT) + gzip.compress(TEXT) + b"\0" * 9, ["gzip"], limit_bytes=LIMIT) == TEXT * 2
    assert decoded(b"", ["gzip"], limit_bytes=LIMIT) == b""
    assert decoded(TEXT, ["identity", ""], limit_bytes=LIMIT) == TEXT
    with pytest.raises(EncodingError, match="unknown content encoding 'compress'"):
        decoded(TEXT, ["compress"], limit_bytes=LIMIT)

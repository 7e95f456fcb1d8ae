"""Archives cut into parts for several workers: the documents, and the complaints, of one reader."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from articles.records import Page, Rejected
from spiders.archives import archive_bytes, parts_of, read_archive, read_part
from spiders.catalogue import Catalogue

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CATALOGUE = Catalogue.load()
PAGES = 40


def page(number: int) -> bytes:
    # The marks of both formats stand in the pages, too.
    marks = b"\x1f\x8b\x08 WARC/1.1\r\n" if number % 3 == 0 else b""
    return f"<html><title>题目{number}</title><p>{'正文，' * (number * 7 % 90 + 5)}</p>".encode() + marks


def web_archive(path: Path) -> Path:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "a test"}))
        for number in range(PAGES):
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            body = page(number)
            writer.write_record(
                writer.create_warc_record(
                    f"https://news.example/{number}.html",
                    "response",
                    payload=io.BytesIO(body),
                    length=len(body),
                    http_headers=headers,
                )
            )
    return path


def torn(path: Path) -> Path:
    whole = path.read_bytes()
    third = len(whole) // 3
    path.write_bytes(whole[:third] + whole[third + 50 : -30])
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    for number in range(9):
        (path / f"{number}.html").write_bytes(page(number))
    web_archive(path / "5b.warc.gz")
    return path


def told(document: Page | Rejected) -> tuple[str, ...]:
    if isinstance(document, Rejected):
        return (document.reason, document.detail, document.url)
    return (document.digest, *document.headers.values(), str(document.fetched_at))


@pytest.mark.parametrize("part_bytes", [400, 1_500, 7_000, 1 << 30])
@pytest.mark.parametrize("kind", ["gzip", "plain", "torn gzip", "torn plain", "folder"])
def test_the_parts_of_an_archive_give_what_is_in_it(kind: str, part_bytes: int, tmp_path: Path) -> None:
    makers = {
        "gzip": lambda: web_archive(tmp_path / "a.warc.gz"),
        "plain": lambda: web_archive(tmp_path / "a.warc"),
        "torn gzip": lambda: torn(web_archive(tmp_path / "a.warc.gz")),
        "torn plain": lambda: torn(web_archive(tmp_path / "a.warc")),
        "folder": lambda: folder(tmp_path / "pages"),
    }
    path = makers[kind]()
    whole = [told(each) for each in read_archive([path], catalogue=CATALOGUE, source=None, fetched_at=NOW)]
    parts = list(parts_of([path], part_bytes=part_bytes))
    read = [told(each) for part in parts for each in read_part(part, catalogue=CATALOGUE, source=None, fetched_at=NOW)]
    assert read == whole
    assert len(whole) > PAGES / 2
    assert (len(parts) > 1) == (part_bytes < 1 << 30) or kind == "torn plain"


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc", "pages"])
def test_how_far_the_reading_has_come_only_grows_and_ends_at_all(name: str, tmp_path: Path) -> None:
    path = folder(tmp_path / name) if name == "pages" else web_archive(tmp_path / name)
    seen: dict[Path, list[int]] = {}

    def reached(file: Path, offset: int) -> None:
        seen.setdefault(file, []).append(offset)

    for _ in read_archive([path], catalogue=CATALOGUE, source=None, fetched_at=NOW, reached=reached):
        pass
    assert all(offsets == sorted(offsets) for offsets in seen.values())
    assert sum(offsets[-1] for offsets in seen.values()) == archive_bytes([path])
    assert name != "a.warc.gz" or len(seen[path]) >= PAGES

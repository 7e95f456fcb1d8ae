"""The archive gives back what it was given, stays readable for other tools, and never vouches for a torn record."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from articles.records import Listed, Page
from storage.archive import PageArchive
from storage.errors import ArchiveError
from tests.storage.faults import file_size_limit

FETCHED = datetime(2024, 3, 5, 1, 2, 3, 456789, tzinfo=UTC)


def page(**changes) -> Page:
    fields = {
        "source": "acme",
        "url": "https://news.example/a/1.html",
        "final_url": "https://news.example/a/1.html",
        "status": 200,
        "headers": {"content-type": "text/html; charset=gbk"},
        "body": "<p>某公司发布公告</p>".encode("gbk"),
        "fetched_at": FETCHED,
    }
    return Page(**(fields | changes))


short_text = st.text(max_size=30)
pages = st.builds(
    Page,
    source=st.sampled_from(["acme", "other_1"]),
    url=short_text,
    final_url=short_text,
    status=st.sampled_from([0, 200, 304, 404, 520, 999]),
    headers=st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,15}", fullmatch=True), short_text, max_size=4),
    body=st.binary(max_size=300),
    form=st.sampled_from(["html", "fragment", "post", "text", "list"]),
    fetched_at=st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    listed=st.builds(
        Listed,
        title=st.none() | short_text,
        tags=st.lists(short_text, max_size=3).map(tuple),
        native_id=st.none() | short_text,
    ),
)


@settings(max_examples=60)
@given(batch=st.lists(pages, max_size=5))
def test_what_is_appended_is_what_is_read_back(tmp_path_factory, batch):
    root = tmp_path_factory.mktemp("lake")
    with PageArchive(root) as archive:
        kept = [archive.append(page) for page in batch]
        assert [archive.read(page.raw_ref) for page in kept] == kept
    assert [PageArchive(root).read(page.raw_ref) for page in kept] == kept


def test_raw_ref_is_relative_to_the_lake_and_names_source_and_day(tmp_path):
    with PageArchive(tmp_path) as archive:
        kept = archive.append(page())
    assert kept.raw_ref.startswith("pages/source=acme/2024-03-05/")
    assert (tmp_path / kept.raw_ref.partition("#")[0]).is_file()


def test_other_warc_tools_read_status_headers_and_body(tmp_path):
    body = "正文".encode() * 100
    with PageArchive(tmp_path) as archive:
        archive.append(page(status=404, headers={"content-encoding": "gzip", "x-note": "a\r\nb"}, body=body))
        archive.append(page(url="", final_url="", headers={}, body=b"plain", form="text"))
    [path] = tmp_path.rglob("*.warc.gz")
    with path.open("rb") as file:
        seen = [
            (r.rec_type, r.http_headers and r.http_headers.get_statuscode(), r.content_stream().read())
            for r in ArchiveIterator(file)
        ]
    assert [kind for kind, _, _ in seen] == ["warcinfo", "response", "resource"]
    assert seen[1][1:] == ("404", body)
    assert seen[2][1:] == (None, b"plain")


def test_w20_every_writer_has_files_of_its_own(tmp_path):
    for _ in range(20):
        with PageArchive(tmp_path) as archive:
            archive.append(page())
    assert len(list(tmp_path.rglob("*.warc.gz"))) == 20


def test_a_torn_tail_is_named_and_the_records_before_it_stay(tmp_path):
    with PageArchive(tmp_path) as archive:
        first, last = archive.append(page()), archive.append(page(body=b"x" * 5000))
    path = tmp_path / first.raw_ref.partition("#")[0]
    path.write_bytes(path.read_bytes()[:-9])
    with PageArchive(tmp_path) as archive:
        archive.append(page())
        assert archive.read(first.raw_ref) == first
        with pytest.raises(ArchiveError, match="9 bytes before"):
            archive.read(last.raw_ref)
    assert len(list(tmp_path.rglob("*.warc.gz"))) == 2


def test_a_flipped_bit_is_found(tmp_path):
    with PageArchive(tmp_path) as archive:
        # Nothing repeats in it: in what does, a flipped bit can point to another copy of the same bytes.
        kept = archive.append(page(body=random.Random(7).randbytes(2560)))
    path = tmp_path / kept.raw_ref.partition("#")[0]
    raw = bytearray(path.read_bytes())
    raw[-20] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArchiveError, match="damaged"):
        PageArchive(tmp_path).read(kept.raw_ref)


@pytest.mark.parametrize(
    "raw_ref",
    [
        "",
        "nonsense",
        "pages/source=acme/2024-03-05/none.warc.gz#0+10",
        "pages/source=acme/2024-03-05/../../x.warc.gz#0+1",
        "/etc/passwd#0+1",
    ],
)
def test_a_reference_to_nothing_is_an_archive_error(tmp_path, raw_ref):
    with pytest.raises(ArchiveError):
        PageArchive(tmp_path).read(raw_ref)


def test_s17_a_source_id_cannot_leave_the_archive(tmp_path):
    with pytest.raises(ArchiveError), PageArchive(tmp_path / "lake") as archive:
        archive.append(page(source="../../x"))
    assert list(tmp_path.rglob("*.gz")) == []


def test_w04_a_full_disk_is_named_and_leaves_whole_records(tmp_path):
    with PageArchive(tmp_path) as archive:
        first = archive.append(page())
        path = tmp_path / first.raw_ref.partition("#")[0]
        with file_size_limit(path.stat().st_size + 100), pytest.raises(ArchiveError, match="File too large"):
            archive.append(page(body=os.urandom(3000)))
        again = archive.append(page(body=os.urandom(3000)))
    assert PageArchive(tmp_path).read(first.raw_ref) == first
    assert PageArchive(tmp_path).read(again.raw_ref) == again
    with path.open("rb") as file:
        assert len(list(ArchiveIterator(file))) == 3


def test_files_rotate_by_size(tmp_path):
    with PageArchive(tmp_path, rotate_bytes=1) as archive:
        kept = [archive.append(page()) for _ in range(3)]
    assert len({page.raw_ref.partition("#")[0] for page in kept}) == 3

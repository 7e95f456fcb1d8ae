"""Rows S17 and S18: archives that climb out of their folder, and titles that write on the terminal."""

from __future__ import annotations

import io
import json
import logging
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from articles.records import Reason, Rejected
from flows.core.crawl_child import JsonLines
from flows.terminal import Terminal, printable
from spiders.archives import ArchiveError, read_archive
from spiders.catalogue import Catalogue
from storage.archive import PageArchive
from storage.errors import ArchiveError as PageArchiveError

HOSTILE_TITLE = "题目\n\x1b[31mERROR\x1b[0m \u202e反\u2066 %s {0} \x07"


def test_s17_a_packed_archive_is_not_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    with zipfile.ZipFile(folder / "posts.zip", "w") as archive:
        archive.writestr("../../climbed.md", "---\ntitle: 题目\n---\n正文。")
    try:
        found = list(
            read_archive([folder / "posts.zip"], catalogue=Catalogue({}), source=None, fetched_at=datetime.now(UTC))
        )
    except ArchiveError:
        found = []
    assert all(isinstance(each, Rejected) for each in found)
    assert {path.name for path in tmp_path.rglob("*")} == {"inbox", "posts.zip"}


@pytest.mark.parametrize(
    "raw_ref",
    [
        "pages/source=sina/2026-11-20/../../../../secret.warc.gz#0+10",
        "../secret.warc.gz#0+10",
        "/etc/passwd#0+10",
        "pages/source=../2026-11-20/x.warc.gz#0+10",
        "pages/source=sina/2026-11-20/x.warc.gz\x00#0+10",
    ],
)
def test_s17_a_reference_that_climbs_is_none(tmp_path: Path, raw_ref: str) -> None:
    (tmp_path / "secret.warc.gz").write_bytes(b"secret....")
    with PageArchive(tmp_path / "lake") as archive, pytest.raises(PageArchiveError):
        archive.read(raw_ref)


def test_s18_a_log_record_stays_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    handler = JsonLines()
    refused = Rejected(
        source="sina", url="http://a/\r\nb", reason=Reason.FEED, detail=HOSTILE_TITLE, fetched_at=datetime.now(UTC)
    )
    handler.handle(logging.LogRecord("spiders", logging.WARNING, "", 0, "%s", (refused,), None))
    (line,) = stderr.getvalue().splitlines()
    assert json.loads(line)["m"] == str(refused)


def test_s18_nothing_reaches_the_terminal_but_text(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say(HOSTILE_TITLE)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not {"\x1b", "\u202e", "\u2066", "\x07"} & set(said)
    assert "%s {0}" in said
    assert printable("\x9b31m") == "31m"

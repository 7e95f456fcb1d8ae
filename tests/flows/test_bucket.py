"""The whole path into a bucket, by the command line: crawl, archive, lake, and the questions asked afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from flows.cli import run
from storage.store import home_of, open_store
from tests.storage.objects import Bucket, serving

SETTLED = ("stored", "revised", "duplicates", "unchanged", "filtered", "quarantined", "pending")


@pytest.fixture
def bucket(monkeypatch, tmp_path) -> Iterator[Bucket]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("FINNEWS_WORKERS", "1")
    with serving() as bucket:
        for name, value in bucket.environment().items():
            monkeypatch.setenv(name, value)
        yield bucket


def finnews(capsys, *arguments: str) -> object:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    out, words = capsys.readouterr()
    assert code == 0, words
    return json.loads(out)


@pytest.mark.slow
def test_demo_and_what_reads_its_lake(bucket, capsys):
    url = bucket.url("demo")
    totals = finnews(capsys, "demo", "--lake", url)["totals"]
    assert totals["discovered"] == sum(totals[outcome] for outcome in SETTLED)
    assert totals["stored"] > 0
    question = "select count(*) as n, count(distinct article_id) as ids, count(raw_ref) as pages from articles"
    [row] = finnews(capsys, "read", question, "--lake", url)
    assert (row["n"], row["ids"], row["pages"]) == (totals["stored"],) * 3
    # Pages went there, too: none is left on this machine.
    keys = [file.key for file in open_store(url).entries("pages")]
    assert keys
    assert list((home_of(url) / "pages").rglob("*.warc.gz")) == []
    assert {key.split("/")[0] for key in (file.key for file in open_store(url).entries(""))} == {
        *("_state", "articles", "duplicates", "pages", "quarantine", "revisions")
    }
    assert finnews(capsys, "compact", "--older-than", "0", "--lake", url)["sealed"] > 0
    assert finnews(capsys, "read", question, "--lake", url) == [row]
    # Some 420 for some 40 files: a request too many for each file would show.
    assert len(bucket.requests) < 500
    again = finnews(capsys, "demo", "--lake", url)["totals"]
    assert again["stored"] == again["duplicates"] == 0

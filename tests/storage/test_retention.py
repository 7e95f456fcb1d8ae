"""Pages that are kept for so long, and no longer; and what went is known to have gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from articles.records import Page
from flows.commands.compacting import compact_command
from flows.settings import Settings
from flows.terminal import Terminal
from storage.archive import PageArchive
from storage.errors import ArchiveError
from storage.lake import Lake
from storage.retention import EXPIRED, Expired, expire
from storage.store import open_store

PAGE = Page(
    source="acme",
    url="https://acme.example/a/1.html",
    final_url="https://acme.example/a/1.html",
    status=200,
    body="一页".encode(),
    fetched_at=datetime(2024, 3, 5, 1, tzinfo=UTC),
)


def archived(root, *days: int) -> list[str]:
    with PageArchive(root) as archive:
        return [archive.append(replace(PAGE, fetched_at=PAGE.fetched_at + timedelta(days=day))).raw_ref for day in days]


def test_older_pages_go_and_are_remembered(tmp_path):
    old, new = archived(tmp_path, 0, 1)
    store = open_store(tmp_path)
    store.prepare()
    assert len(expire(store, date(2024, 3, 6), dry_run=True)) == 1
    assert not Expired.of(store).covers(old)
    assert len(expire(store, date(2024, 3, 6))) == 1
    expired = Expired.of(store)
    assert (expired.covers(old), expired.covers(new)) == (True, False)
    assert not expired.covers(old.replace("acme", "other"))
    with PageArchive(tmp_path) as archive:
        assert archive.read(new).body == PAGE.body
        with pytest.raises(ArchiveError):
            archive.read(old)


def test_twice_changes_nothing_and_a_shorter_time_forgets_nothing(tmp_path):
    store = open_store(tmp_path)
    store.prepare()
    archived(tmp_path, 0, 1, 2)
    expire(store, date(2024, 3, 7))
    assert expire(store, date(2024, 3, 7)) == []
    archived(tmp_path, 0)
    assert len(expire(store, date(2024, 3, 6))) == 1
    assert Expired.of(store).before == {"acme": "2024-03-07"}


def test_a_garbled_memory_is_named(tmp_path):
    store = open_store(tmp_path)
    store.prepare()
    archived(tmp_path, 0)
    (tmp_path / EXPIRED).write_text("{", encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"expired\.json"):
        Expired.of(store)


@pytest.mark.parametrize(("days", "left"), [(0, 1), (30, 0)])
def test_compact_keeps_pages_as_long_as_the_setting_says(tmp_path, days, left):
    with Lake.open(tmp_path):
        archived(tmp_path, 0)
    settings = Settings(lake=str(tmp_path), keep_pages_days=days)
    compact_command(settings, Terminal(quiet=True), older_than_days=7)
    assert len(list(tmp_path.glob("pages/**/*.warc.gz"))) == left

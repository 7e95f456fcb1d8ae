"""Checks, repairs and better readings of a lake that lies in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest

from flows.commands import verifying
from flows.commands.reextracting import reextract_command
from flows.commands.verifying import verify_command
from flows.core import spread
from flows.settings import Settings
from flows.terminal import Terminal
from storage.partitions import decode, files
from storage.retention import expire
from storage.store import open_store
from tests.flows.acme import BETTER_RULES, FIRST_RULES, page, read_here, settings_with, shell, store
from tests.storage.objects import Bucket, serving


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with serving() as served:
        yield served


@pytest.fixture
def settings(bucket, tmp_path, monkeypatch) -> Settings:
    for name, value in bucket.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(verifying, "open_reader", read_here)
    monkeypatch.setattr(spread, "open_reader", read_here)
    local = settings_with(tmp_path, FIRST_RULES)
    made = local.model_copy(update={"lake": bucket.url(tmp_path.name), "state": str(tmp_path / "state")})
    store(made, [*(page(n, day=4) for n in range(4)), shell(9)])
    return made


def verify(settings: Settings, capsys, *, repair: bool = False) -> tuple[int, dict]:
    capsys.readouterr()
    code = verify_command(settings, Terminal(as_json=True, quiet=True), repair=repair, deep=True)
    return code, json.loads(capsys.readouterr().out)


def texts(settings: Settings) -> list[str]:
    lake = open_store(settings.lake_path)
    return [
        row["text"]
        for _, file in files(lake, "articles")
        for row in decode(lake.read(file.key).data, file.key).to_pylist()
    ]


def test_damage_is_found_and_put_right(settings, capsys):
    assert verify(settings, capsys)[0] == 0
    before = texts(settings)
    lake = open_store(settings.lake_path)
    (_, file), *_ = files(lake, "articles")
    blob = lake.read(file.key)
    lake.put(file.key, blob.data[: len(blob.data) // 2], blob.version)
    lake.put("articles/part-0.parquet", b"PAR1", None)
    code, found = verify(settings, capsys)
    assert code == 4 and {each["name"] for each in found["checks"] if each["problems"]} == {
        "files",
        "ledger",
        "orphans",
    }
    code, found = verify(settings, capsys, repair=True)
    assert (code, found["repaired"]["set aside"], found["repaired"]["restored"]) == (0, 2, 2)
    assert texts(settings) == before


def test_w08_a_row_that_is_lost_with_its_page_is_named_until_it_is_back(settings, capsys):
    before = texts(settings)
    lake = open_store(settings.lake_path)
    [pages] = list(lake.entries("pages"))
    archived = lake.read(pages.key)
    # Half of the archive and all rows are gone.
    lake.put(pages.key, archived.data[: len(archived.data) // 2], archived.version)
    for _, file in list(files(lake, "articles")):
        blob = lake.read(file.key)
        lake.put(file.key, blob.data[: len(blob.data) // 2], blob.version)
    for _ in range(2):
        code, found = verify(settings, capsys, repair=True)
        lost = next(check for check in found["checks"] if check["name"] == "lost")
        assert (code, bool(lost["problems"])) == (4, True)
        assert 0 < len(texts(settings)) < len(before)
    [archive] = [file for partition, file in files(lake, "quarantine") if partition.owner == "archive"]
    assert len(decode(lake.read(archive.key).data, archive.key)) == len(before) - len(texts(settings))
    torn = lake.read(pages.key)
    lake.put(pages.key, archived.data, torn.version)
    assert verify(settings, capsys, repair=True)[0] == 0
    assert texts(settings) == before
    assert not any(
        len(decode(lake.read(file.key).data, file.key)) for _, file in files(lake, "quarantine", ["archive"])
    )


def test_better_rules_and_retention(settings, capsys, tmp_path):
    assert all("领取" in text for text in texts(settings))
    settings_with(tmp_path, BETTER_RULES)
    assert reextract_command(settings, Terminal(as_json=True, quiet=True)) == 0
    assert not any("领取" in text for text in texts(settings))
    assert len(expire(open_store(settings.lake_path), date(2024, 3, 9))) >= 1
    code, found = verify(settings, capsys)
    assert code == 0 and any("expired" in note for check in found["checks"] for note in check["notes"])

"""Better rules make of a lake what they would have made of it from the beginning, and no revision; killed or not."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from flows.commands import reextracting
from flows.commands.verifying import look
from flows.core import spread
from flows.settings import Settings
from flows.terminal import Terminal
from storage.failpoint import VARIABLE
from storage.lake import Lake
from storage.partitions import partitions, read_partition
from storage.retention import expire
from storage.store import open_store
from tests.flows.acme import BETTER_RULES, FIRST_RULES, MORNING, RULES, page, read_here, settings_with, store

GONE_AT = MORNING + timedelta(days=1)


def moved(number: int, other: int, **changes) -> object:
    """The page of one article under the address of another."""
    url = f"https://acme.example/a/{other}.html"
    return replace(page(number, **changes), url=url, final_url=url)


BATCHES = [
    [page(n, day=4 + n % 3) for n in range(10)],
    [
        # The publisher's revision; and pages on which only the advertisement is another one.
        page(1, day=5, minutes=30, told="此前的数字有误，现已更正。"),
        page(2, day=6, minutes=30, promo="扫码下载客户端，行情早知道"),
        # A copy that only today's rules see to be an exact one, found before what it copies; and a near one.
        moved(3, 90, day=4, minutes=-30, promo="本栏目由某某赞助播出，详情请致电"),
        moved(4, 91, day=5, minutes=31),
    ],
]


def make(folder: Path, rules: str) -> Settings:
    settings = settings_with(folder, rules)
    store(settings, *BATCHES)
    with Lake.open(settings.lake_path) as lake:
        lake.mark_gone(["acme:7"], at=GONE_AT, run_id="run")
    return settings


@pytest.fixture(scope="module")
def wanted(tmp_path_factory) -> list[dict]:
    """The rows of a lake whose pages today's rules have read from the beginning."""
    return rows(make(tmp_path_factory.mktemp("wanted"), BETTER_RULES))


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    make(folder, FIRST_RULES)
    return folder


@pytest.fixture
def settings(stored, tmp_path, monkeypatch) -> Settings:
    monkeypatch.setattr(spread, "open_reader", read_here)
    shutil.copytree(stored, tmp_path, dirs_exist_ok=True)
    return settings_with(tmp_path, BETTER_RULES)


def rows(settings: Settings) -> list[dict]:
    """All that a reader can see, but for the numbers of commits and where in the archive a page lies."""
    hidden = {"ingest_seq": 0, "raw_ref": ""}
    return sorted(
        (
            {"tree": tree, "source": partition.owner, "day": partition.day, **row, **hidden}
            for tree in ("articles", "duplicates", "revisions")
            for partition, path in partitions(settings.lake_path, tree)
            for row in read_partition(path).to_pylist()
        ),
        key=repr,
    )


def content(settings: Settings) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for tree in ("articles", "duplicates", "revisions")
        for path in (settings.lake_path / tree).rglob("*.parquet")
    }


@pytest.fixture
def reextract(settings, capsys) -> Callable[..., dict]:
    def command(**options) -> dict:
        capsys.readouterr()
        assert reextracting.reextract_command(settings, Terminal(as_json=True, quiet=True), **options) == 0
        return json.loads(capsys.readouterr().out)["sources"]

    return command


def test_the_lake_becomes_what_these_rules_would_have_made_of_it(settings, wanted, reextract):
    assert rows(settings) != wanted
    reextract()
    assert rows(settings) == wanted
    assert look(settings, deep=True).sound


def test_a_better_reading_is_no_revision(settings, reextract):
    before = {row["article_id"]: row for row in rows(settings) if row["tree"] == "articles"}
    reextract()
    after = {row["article_id"]: row for row in rows(settings) if row["tree"] == "articles"}
    for article_id in ("acme:1", "acme:5"):
        was, now = before[article_id], after[article_id]
        assert "领取" in was["text"] and "领取" not in now["text"]
        assert now["editor"] and not was["editor"]
        for name in ("revision", "first_seen_at", "fetched_at"):
            assert was[name] == now[name]
    assert (before["acme:2"]["revision"], after["acme:2"]["revision"]) == (2, 1)
    assert "gone" in after["acme:7"]["flags"] and json.loads(after["acme:7"]["extra"])["gone_at"] == GONE_AT.isoformat()


def test_a_dry_run_tells_and_changes_nothing(settings, reextract):
    before = content(settings)
    [(source, changes)] = reextract(dry_run=True).items()
    assert content(settings) == before
    assert source == "acme" and (changes["read"], changes["changed"], changes["bodies"]) == (14, 14, 13)
    assert changes["gained"]["editor"] == 14 and not changes["lost"].get("publisher")
    assert any(line.startswith("-text: ") for line in changes["examples"][0]["diff"])


def test_twice_changes_nothing(settings, reextract):
    reextract()
    before = content(settings)
    assert reextract() == {}
    assert content(settings) == before


def test_only_the_days_and_sources_asked_for(settings, reextract):
    found = reextract(since=date(2024, 3, 6), until=date(2024, 3, 6), source_ids=["acme"], dry_run=True)
    assert 0 < found["acme"]["read"] < 14
    assert reextract(source_ids=["sina"], dry_run=True) == {}


def test_expired_pages_leave_their_rows_as_they_are(settings, reextract):
    before = rows(settings)
    expire(open_store(settings.lake_path), date(2024, 3, 9))
    assert reextract()["acme"]["kept"] == {"expired": 14}
    assert rows(settings) == before


@pytest.mark.parametrize(
    "point",
    [
        *("published:3", "added"),
        *(pytest.param(point, marks=pytest.mark.slow) for point in ("published:1", "published:5", "published:7")),
        *(pytest.param(point, marks=pytest.mark.slow) for point in ("published:9", "staged:2", "applied")),
    ],
)
def test_killed_anywhere_and_run_again(point, settings, wanted, reextract):
    killed_at(point, settings)
    reextract()
    assert rows(settings) == wanted
    assert look(settings).sound


def test_killed_with_all_rows_in_place_and_the_ledger_yet_to_be_made_anew(settings, wanted, reextract):
    # No row has another day: what is left to do can be seen of the ledger alone.
    shutil.rmtree(settings.lake_path)
    make(settings.lake_path.parent, RULES + 'published = ["div.info"]\n')
    settings_with(settings.lake_path.parent, BETTER_RULES)
    killed_at("applied:1", settings)
    reextract()
    assert rows(settings) == wanted
    assert look(settings).sound


@pytest.mark.parametrize("point", ["published:1", "published:2", "published:3"])
def test_killed_while_one_version_reads_as_another_one_did(point, settings, reextract):
    # The former revision says now what the present one said, which has gained a line.
    first, second = page(1), page(1, minutes=30)
    note = '<p class="note">编者注：该数字只含外贸货物，内贸另计。</p>'
    promo = '<p class="promo">点击领取独家研报，限时开放</p>'
    second = replace(second, body=second.body.replace(promo.encode(), note.encode()))
    folder = settings.lake_path.parent
    wanted = settings_with(folder, BETTER_RULES, "wanted")
    store(wanted, [first], [second])
    shutil.rmtree(settings.lake_path)
    store(settings_with(folder, BETTER_RULES.replace("p.promo", "p.note")), [first], [second])
    settings_with(folder, BETTER_RULES)
    killed_at(point, settings)
    reextract()
    assert [row["revision"] for row in rows(settings) if row["tree"] == "articles"] == [2]
    assert rows(settings) == rows(wanted)


def killed_at(point: str, settings: Settings) -> None:
    def work() -> None:
        os.environ[VARIABLE] = f"kill:{point}"
        reextracting.reextract_command(settings, Terminal(quiet=True))

    # Forked: starting Python anew takes longer than all the rest.
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL

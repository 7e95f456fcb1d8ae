"""What is wrong with a lake is found and put right as far as it can be: every row is back, no byte is thrown away."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from articles.extract import extract
from flows.commands import verifying
from flows.commands.verifying import look, verify_command
from flows.settings import Settings
from flows.terminal import Terminal
from spiders.catalogue import Catalogue
from storage.errors import LockHeld
from storage.failpoint import VARIABLE
from storage.lake import Lake
from storage.ledger import Ledger, ledger_path
from storage.lock import WriterLock
from storage.partitions import partitions, read_partition
from storage.retention import expire
from storage.store import open_store
from tests.flows.acme import BETTER_RULES, MORNING, page, read_here, settings_with, shell, store

ROOT = Path(__file__).parents[2]
TREES = ("articles", "duplicates", "revisions", "quarantine")
COPY = replace(page(1), url="https://acme.example/a/90.html", final_url="https://acme.example/a/90.html")
FIRST_BATCH = [page(n, day=4 + n % 3) for n in range(8)]
SECOND_BATCH = [
    page(1, day=5, minutes=30, told="此前的数字有误，现已更正。"),
    replace(COPY, fetched_at=MORNING + timedelta(minutes=5)),
    page(9, day=6, minutes=31),
    shell(40),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Path:
    """A folder with the lake of two batches, and a copy of it as it was after the first."""
    folder = tmp_path_factory.mktemp("stored")
    settings = settings_with(folder, BETTER_RULES)
    store(settings, FIRST_BATCH)
    with Lake.open(settings.lake_path) as lake:
        lake.mark_gone(["acme:2"], at=MORNING + timedelta(days=1), run_id="run")
    shutil.copytree(settings.lake_path, folder / "earlier")
    store(settings, SECOND_BATCH)
    return folder


@pytest.fixture
def settings(stored, tmp_path, monkeypatch) -> Settings:
    monkeypatch.setattr(verifying, "open_reader", read_here)
    shutil.copytree(stored, tmp_path, dirs_exist_ok=True)
    return settings_with(tmp_path, BETTER_RULES)


def rows(settings: Settings) -> list[dict]:
    """All that a reader can see, but for the numbers of commits and runs."""
    return sorted(
        (
            {"tree": tree, "owner": partition.owner, "day": partition.day, **row, "ingest_seq": 0, "run_id": ""}
            for tree in TREES
            for partition, path in partitions(settings.lake_path, tree)
            for row in read_partition(path).to_pylist()
        ),
        key=repr,
    )


def problems(settings: Settings, *, deep: bool = False) -> dict[str, int]:
    return {name: check.problems for name, check in look(settings, deep=deep).checks.items() if check.problems}


def verify(settings: Settings, capsys, **options: bool) -> tuple[int, dict]:
    capsys.readouterr()
    code = verify_command(settings, Terminal(as_json=True, quiet=True), deep=True, **options)
    return code, json.loads(capsys.readouterr().out)


def test_a_lake_as_it_was_written_is_sound(settings, capsys):
    code, found = verify(settings, capsys)
    assert code == 0 and found["sound"]
    looked_at = {check["name"]: check["looked_at"] for check in found["checks"]}
    assert looked_at["keys"] == 11 and looked_at["clusters"] == 10 and looked_at["pages"] == 12
    assert looked_at["runs"] == 2 and looked_at["files"] >= 5


def lake_file(settings: Settings, tree: str, day: str = "") -> Path:
    return next(path for partition, path in partitions(settings.lake_path, tree) if day in partition.day)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        [byte] = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 4]))


def flip_in_texts(settings: Settings, day: str = "2024-03-05") -> None:
    path = lake_file(settings, "articles", day)
    group = pq.read_metadata(path).row_group(0)
    texts = next(group.column(n) for n in range(group.num_columns) if group.column(n).path_in_schema == "text")
    flip(path, texts.data_page_offset + texts.total_compressed_size - 9)


def flip_in_a_name(settings: Settings) -> None:
    """In the footer, which has no checksum: another name of a column."""
    path = lake_file(settings, "articles", "2024-03-05")
    data = path.read_bytes()
    footer_bytes = int.from_bytes(data[-8:-4], "little")
    flip(path, data.index(b"flags", len(data) - 8 - footer_bytes))


def cut(tree: str) -> Callable[[Settings], None]:
    def damage(settings: Settings) -> None:
        path = lake_file(settings, tree)
        os.truncate(path, path.stat().st_size // 2)

    return damage


def cut_and_lose_the_ledger(settings: Settings) -> None:
    cut("articles")(settings)
    for path in (settings.lake_path / "_state").glob("ledger*"):
        path.unlink()


def stumps(settings: Settings) -> None:
    folder = lake_file(settings, "articles").parent
    (folder / "part-0.parquet").write_bytes(b"PAR1 cut short")
    (folder / ".tmp-articles.parquet").write_bytes(b"")
    (settings.lake_path / "articles" / "notes.txt").write_text("not ours", encoding="utf-8")


def lose_the_ledger(settings: Settings) -> None:
    for path in (settings.lake_path / "_state").glob("ledger*"):
        path.unlink()


def garble_the_ledger(settings: Settings) -> None:
    path = ledger_path(settings.lake_path)
    path.write_bytes(b"no database at all" * 300)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def older_ledger(settings: Settings) -> None:
    lose_the_ledger(settings)
    for path in (settings.lake_path.parent / "earlier/_state").glob("ledger*"):
        shutil.copy(path, settings.lake_path / "_state")


def newer_ledger(settings: Settings) -> None:
    for tree in ("articles", "duplicates", "revisions"):
        shutil.rmtree(settings.lake_path / tree, ignore_errors=True)
        if (earlier := settings.lake_path.parent / "earlier" / tree).is_dir():
            shutil.copytree(earlier, settings.lake_path / tree)


def doubled_partition(settings: Settings) -> None:
    folder = lake_file(settings, "articles", "2024-03-05").parent
    shutil.copytree(folder, folder.with_name("date=2024-03-01"))


def other_columns(settings: Settings) -> None:
    pq.write_table(pa.table({"article_id": ["acme:1"]}), lake_file(settings, "articles"))


def unfinished_commit(settings: Settings) -> None:
    source = Catalogue.load(settings.sources)["acme"]
    article = extract(page(2, day=6, minutes=90, told="又有更正。"), source)

    def work() -> None:
        os.environ[VARIABLE] = "kill:decided"
        with Lake.open(settings.lake_path) as lake:
            lake.commit([article], run_id="run")

    # Forked: starting Python anew takes longer than all the rest.
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def garbled_journal(settings: Settings) -> None:
    (settings.lake_path / "_state/journal" / "0123.arrow").write_bytes(b"ARROW1 no more")


FAULTS = {
    "W07-stumps": (stumps, {"orphans"}),
    "W08-bit-in-text": (flip_in_texts, {"files", "keys", "clusters", "ledger"}),
    "W08-bit-in-name": (flip_in_a_name, {"files", "keys", "clusters", "ledger"}),
    "W08-articles-cut": (cut("articles"), {"files", "ledger"}),
    "W08-revisions-cut": (cut("revisions"), {"files", "keys", "ledger"}),
    "W08-duplicates-cut": (cut("duplicates"), {"files", "ledger"}),
    "W08-quarantine-cut": (cut("quarantine"), {"files"}),
    "W08-W10-cut-and-ledger-lost": (cut_and_lose_the_ledger, {"files", "ledger"}),
    "W10-lost": (lose_the_ledger, {"ledger"}),
    "W10-garbled": (garble_the_ledger, {"ledger"}),
    "W11-older-ledger": (older_ledger, {"ledger"}),
    "W11-newer-ledger": (newer_ledger, {"ledger"}),
    "W07-other-columns": (other_columns, {"files", "ledger"}),
    "doubled-partition": (doubled_partition, {"keys", "places", "ledger"}),
    "garbled-journal": (garbled_journal, {"orphans"}),
}


# The others are variations of these.
QUICK = ("W07-stumps", "W08-bit-in-text", "W08-articles-cut", "W10-garbled", "W11-older-ledger", "doubled-partition")


@pytest.mark.parametrize(
    "fault", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_is_found_and_put_right(fault, settings, capsys):
    damage, expected = FAULTS[fault]
    before = rows(settings)
    damage(settings)
    assert set(problems(settings)) == expected
    code, found = verify(settings, capsys, repair=True)
    assert (code, found["sound"]) == (0, True), found
    assert rows(settings) == before
    # Again: nothing is left to do.
    assert verify(settings, capsys, repair=True)[1]["repaired"] == {"set aside": 0}


def test_w07_what_is_set_aside_keeps_its_bytes(settings, capsys):
    stumps(settings)
    verify(settings, capsys, repair=True)
    kept = [path for path in (settings.lake_path / "_state/quarantine").rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == [".tmp-articles.parquet", "notes.txt", "part-0.parquet"]
    assert b"PAR1 cut short" in {path.read_bytes() for path in kept}


def test_an_unfinished_commit_is_named_and_finished(settings, capsys):
    unfinished_commit(settings)
    assert set(problems(settings)) == {"orphans"}
    assert verify(settings, capsys, repair=True)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("point", ["journaled", "decided", "staged:2", "added", "applied"])
def test_a_repair_killed_anywhere_is_taken_up_again(point, settings, capsys):
    before = rows(settings)
    flip_in_texts(settings)
    command = ["verify", "--repair", "--lake", settings.lake, "--sources", str(settings.sources[0])]
    killed = subprocess.run(
        [sys.executable, "-m", "flows.cli", *command], cwd=ROOT, env={**os.environ, VARIABLE: f"kill:{point}"}
    )
    assert killed.returncode == -signal.SIGKILL
    assert verify(settings, capsys, repair=True)[0] == 0
    assert rows(settings) == before


def test_a_page_that_is_lost_is_named_and_no_repair_hides_it(settings, capsys):
    for path in (settings.lake_path / "pages").rglob("*.warc.gz"):
        os.truncate(path, path.stat().st_size - 20)
    assert set(problems(settings)) == {"pages"}
    assert verify(settings, capsys, repair=True)[0] == 4


def test_a_flipped_bit_in_a_page_is_found_by_reading_deep(settings):
    path = next((settings.lake_path / "pages").rglob("*.warc.gz"))
    flip(path, path.stat().st_size - 200)
    assert problems(settings) == {}
    assert problems(settings, deep=True) == {"pages": 1}


def test_pages_that_have_expired_are_not_lost(settings, capsys):
    store = open_store(settings.lake_path)
    assert {listed.key.split("/")[2] for listed in expire(store, date(2024, 3, 9))} == {"2024-03-08"}
    code, found = verify(settings, capsys)
    [notes] = [check["notes"] for check in found["checks"] if check["name"] == "pages"]
    assert code == 0 and "12 pages expired" in notes[0]


def damage_a_page(settings: Settings, number: int) -> str:
    """A bit of the record that an article was read from; gives its raw_ref."""
    [raw_ref] = {row["raw_ref"] for row in rows(settings) if row.get("article_id") == f"acme:{number}"}
    path, place = raw_ref.split("#")
    first, length = map(int, place.split("+"))
    flip(settings.lake_path / path, first + length // 2)
    return raw_ref


def test_w08_a_damaged_page_leaves_its_row_as_it_is(settings, capsys):
    before = rows(settings)
    raw_ref = damage_a_page(settings, 4)
    for repair in (False, True, True):
        code, found = verify(settings, capsys, repair=repair)
        [pages] = [check for check in found["checks"] if check["problems"]]
        assert (code, pages["name"], pages["problems"]) == (4, "pages", 1)
        assert pages["examples"][0].startswith(raw_ref)
        assert rows(settings) == before


def test_w08_a_row_that_is_lost_with_its_page_is_named_until_it_is_back(settings, capsys):
    before = rows(settings)
    whole = settings.lake_path.parent / "backup"
    shutil.copytree(settings.lake_path / "pages", whole)
    raw_ref = damage_a_page(settings, 4)
    flip_in_texts(settings)
    code, found = verify(settings, capsys, repair=True)
    assert (code, found["repaired"]["pages lost as well"]) == (4, 1)
    assert {check["name"] for check in found["checks"] if check["problems"]} == {"lost", "pages"}
    assert problems(settings)["lost"] == 2, "the copy and the page"
    # All others are back, and what is not is named where refusals are, once.
    assert [row for row in rows(settings) if row["owner"] != "archive"] == [
        row for row in before if row.get("article_id") != "acme:4"
    ]
    assert verify(settings, capsys, repair=True)[0] == 4
    [refused] = [row for row in rows(settings) if row["owner"] == "archive"]
    assert (refused["raw_ref"], refused["source"]) == (raw_ref, "acme")
    # The file of the archive is put back from a backup.
    shutil.rmtree(settings.lake_path / "pages")
    shutil.copytree(whole, settings.lake_path / "pages")
    assert verify(settings, capsys, repair=True)[0] == 0
    assert rows(settings) == before


def test_w08_a_loss_that_is_accepted_is_named_and_no_fault(settings, capsys):
    before = rows(settings)
    whole = settings.lake_path.parent / "backup"
    shutil.copytree(settings.lake_path / "pages", whole)
    damage_a_page(settings, 4)
    flip_in_texts(settings)
    assert verify(settings, capsys, accept_lost=True)[0] == 4, "not repaired yet"
    assert verify(settings, capsys, repair=True)[0] == 4
    code, found = verify(settings, capsys, accept_lost=True)
    assert (code, found["repaired"]) == (0, {"accepted": 2}), "the copy and the page"
    for code, found in (verify(settings, capsys), verify(settings, capsys, accept_lost=True)):
        notes = [note for check in found["checks"] if check["name"] == "lost" for note in check["notes"]]
        assert code == 0 and ["accepted by" in note for note in notes] == [True]
    # Another one is a fault as ever.
    damage_a_page(settings, 5)
    assert problems(settings, deep=True) == {"pages": 1}
    # And what comes back after all, is restored.
    shutil.rmtree(settings.lake_path / "pages")
    shutil.copytree(whole, settings.lake_path / "pages")
    assert verify(settings, capsys, repair=True)[0] == 0
    assert rows(settings) == before


def test_w08_files_of_the_archive_that_are_gone_for_good_can_be_accepted(settings, capsys):
    before = rows(settings)
    shutil.rmtree(settings.lake_path / "pages")
    assert problems(settings)["pages"] == 12
    code, found = verify(settings, capsys, accept_lost=True)
    assert (code, found["repaired"]) == (0, {"accepted": 12})
    assert rows(settings) == before


def test_w08_rows_that_are_whole_stay_though_their_pages_are_lost(settings, capsys):
    """Of two row groups the first is damaged, and the whole archive is gone."""
    day = "2024-03-06"
    before = [row for row in rows(settings) if row["tree"] == "articles" and row["day"] == day]
    damaged = pq.read_metadata(lake_file(settings, "articles", day)).row_group(0).num_rows
    assert len(before) > damaged
    flip_in_texts(settings, day)
    shutil.rmtree(settings.lake_path / "pages")
    code, found = verify(settings, capsys, repair=True)
    assert (code, found["repaired"]["pages lost as well"]) == (4, damaged)
    after = [row for row in rows(settings) if row["tree"] == "articles" and row["day"] == day]
    assert len(after) == len(before) - damaged and all(row in before for row in after)
    assert problems(settings)["lost"] == 2 * damaged


def test_w08_w10_what_a_file_held_that_is_lost_with_the_ledger_nobody_claims_to_know(settings, capsys):
    cut_and_lose_the_ledger(settings)
    assert verify(settings, capsys, repair=True)[1]["repaired"]["files of unknown content"] == 1


def test_accounts_that_do_not_add_up_are_found(settings):
    with closing(Ledger(ledger_path(settings.lake_path))) as ledger:
        ledger.begin_run("bad")
        account = dict.fromkeys(
            ("stored", "revised", "duplicates", "unchanged", "filtered", "quarantined", "pending"), 1
        )
        ledger.end_run("bad", {"sources": {"acme": {"discovered": 8, **account}}})
    assert problems(settings) == {"runs": 1}


def test_waits_for_no_writer(settings, capsys):
    lock = WriterLock(settings.lake_path)
    lock.take()
    try:
        with pytest.raises(LockHeld):
            verify(settings, capsys)
    finally:
        lock.release()

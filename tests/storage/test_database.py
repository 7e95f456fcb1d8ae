"""A new SQLite file that several processes open at the same moment, as the crawls of a first run do."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Timer

import pytest

from storage.database import Sqlite
from storage.errors import LedgerError
from storage.frontier import Frontier

PROCESSES = 4
ROUNDS = 25


def test_a_new_file_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN IMMEDIATE")
        ending = Timer(0.2, other.execute, ["COMMIT"])
        ending.start()
        with closing(Sqlite(path)) as database:
            assert database.query("PRAGMA journal_mode") == [("wal",)]
        ending.join()


def test_a_file_that_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    path.write_bytes(b"no database at all" * 99)
    with pytest.raises(LedgerError, match=r"new\.sqlite: file is not a database"):
        Sqlite(path)


def test_a_file_made_while_we_look_for_it_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new.sqlite"
    access = os.access

    def access_before_it_is_made(asked: Path, mode: int) -> bool:
        answer = access(asked, mode)
        sqlite3.connect(path).close()
        return answer

    monkeypatch.setattr(os, "access", access_before_it_is_made)
    with closing(Sqlite(path)) as database, database.transaction():
        database.create("CREATE TABLE t (x)")
    assert database.name == str(path)


def test_processes_that_open_a_new_lake_together_all_can(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    together = context.Barrier(PROCESSES)
    openers = [context.Process(target=open_new_frontiers, args=(tmp_path, together)) for _ in range(PROCESSES)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(60)
    assert [opener.exitcode for opener in openers] == [0] * PROCESSES


def open_new_frontiers(folder: Path, together: Barrier) -> None:
    for number in range(ROUNDS):
        together.wait(60)
        with Frontier(folder / str(number), "sina") as frontier:
            assert frontier.waiting() == []

"""Units of a backfill and who works on them: months or page ranges of one list, in the ledger's database.

    pending ──claim──▶ running ──finish──▶ done | failed
       ▲                  │
       └──── release ─────┴── the lease ran out, or its owner is dead: whoever claims next goes on

Any number of drivers may share the units of a lake. Of one source, one unit at a time is worked on, by whomever: that
is how politeness follows by construction. Losing the table loses what was done; it is then listed again, not fetched.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow.parquet as pq

from storage.database import Database, connect, exists
from storage.ledger import ledger_location
from storage.partitions import partition_at
from storage.schema import Tree
from storage.store import Store, open_store

LEASE_SECONDS: Final = 60.0
PART: Final = "units"
LATEST_DAYS: Final = 30

TABLE: Final = """
CREATE TABLE units (
    unit TEXT PRIMARY KEY, source TEXT NOT NULL, list TEXT NOT NULL,
    since TEXT NOT NULL, until TEXT NOT NULL,       -- days, both included
    first_page INTEGER NOT NULL, last_page INTEGER NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0,
    begun_on TEXT NOT NULL DEFAULT '',              -- the day it was first asked for: its last days may not be over
    articles INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID
"""
ADD: Final = """
INSERT INTO units (unit, source, list, since, until, first_page, last_page, state)
VALUES (?, ?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT DO NOTHING
"""
FIELDS: Final = "unit, source, list, since, until, first_page, last_page, state, begun_on, articles, error"
TOUCHING: Final = f"""
SELECT {FIELDS} FROM units WHERE source = ? AND until >= ? AND since <= ? ORDER BY until DESC, list, first_page
"""
# Newest first, like the lists themselves.
NEXT: Final = f"""
SELECT {FIELDS} FROM units WHERE source = ? AND until >= ? AND since <= ? AND state IN ('pending', 'running')
ORDER BY until DESC, list, first_page LIMIT 1
"""
CLAIM: Final = """
UPDATE units SET state = 'running', owner = ?, lease_until = ?, error = '',
    begun_on = CASE WHEN begun_on = '' THEN ? ELSE begun_on END WHERE unit = ?
"""

State = Literal["pending", "running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    source: str
    list: str
    since: date
    until: date
    first_page: int = 0
    last_page: int = 0
    """Of a list that pages by number only; 0 where days say where to look."""
    state: State = "pending"
    begun_on: date | None = None
    articles: int = 0
    error: str = ""

    @property
    def name(self) -> str:
        """Tells it from all others; begins with the source and the days."""
        pages = f" {self.first_page}-{self.last_page}" if self.last_page else ""
        return f"{self.source} {self.since}..{self.until}{pages} {self.list}"

    def __str__(self) -> str:
        pages = f" pages {self.first_page} to {self.last_page}" if self.last_page else ""
        return f"{self.source} {self.since} to {self.until}{pages}"


class Units:
    """One driver's view; safe for its threads."""

    def __init__(self, lake: Path, ledger: str = "", *, lease_seconds: float = LEASE_SECONDS) -> None:
        """`ledger` is the url of a PostgreSQL database, "" for the lake's own file."""
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.lease_seconds = lease_seconds
        location = ledger_location(lake, ledger)
        if isinstance(location, Path):
            location.parent.mkdir(parents=True, exist_ok=True)
        self._database = connect(location, PART)
        try:
            with self._database.transaction():
                if not self._database.has_table("units"):
                    self._database.execute(TABLE)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Units:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def add(self, units: Iterable[Unit]) -> None:
        """Those that are there already stay as they are."""
        with self._database.transaction():
            for unit in units:
                days = unit.since.isoformat(), unit.until.isoformat()
                self._database.execute(ADD, unit.name, unit.source, unit.list, *days, unit.first_page, unit.last_page)

    def of(self, source: str, since: date, until: date) -> list[Unit]:
        """All that touch these days, newest first."""
        return _touching(self._database, source, since, until)

    def reset(self, units: Iterable[Unit]) -> None:
        """To be done again, from the start."""
        with self._database.transaction():
            for unit in units:
                self._database.execute(
                    "UPDATE units SET state = 'pending', begun_on = '', articles = 0, error = '' WHERE unit = ?"
                    " AND state IN ('done', 'failed')",
                    unit.name,
                )

    def reopen(self, units: Iterable[Unit]) -> None:
        """Failed ones, to be gone on with where they stopped."""
        with self._database.transaction():
            for unit in units:
                self._database.execute(
                    "UPDATE units SET state = 'pending', error = '' WHERE unit = ? AND state = 'failed'", unit.name
                )

    def claim(self, source: str, since: date, until: date, *, today: date) -> Unit | Literal["busy"] | None:
        """The next unit to work on; `busy` while another driver works on this source."""
        with self._database.transaction():
            if self._is_busy(source):
                return "busy"
            rows = self._database.query(NEXT, source, since.isoformat(), until.isoformat())
            if not rows:
                return None
            unit = _unit(rows[0])
            self._database.execute(CLAIM, self.owner, time.time() + self.lease_seconds, today.isoformat(), unit.name)
        return unit

    def renew(self, unit: Unit) -> bool:
        """False if the unit is somebody else's by now."""
        return self._held("UPDATE units SET lease_until = ? WHERE", time.time() + self.lease_seconds, unit=unit)

    def finish(self, unit: Unit, *, articles: int) -> bool:
        return self._held("UPDATE units SET state = 'done', articles = ?, owner = '' WHERE", articles, unit=unit)

    def fail(self, unit: Unit, error: str) -> bool:
        return self._held("UPDATE units SET state = 'failed', error = ?, owner = '' WHERE", error[:500], unit=unit)

    def release(self, unit: Unit) -> bool:
        """Not done, and to be gone on with."""
        return self._held("UPDATE units SET state = 'pending', owner = '' WHERE", unit=unit)

    def end_list(self, unit: Unit) -> None:
        """There is nothing behind this range of pages: the ranges after it are done."""
        self._database.execute(
            "UPDATE units SET state = 'done' WHERE source = ? AND list = ? AND since = ? AND until = ?"
            " AND first_page > ? AND state = 'pending'",
            unit.source,
            unit.list,
            unit.since.isoformat(),
            unit.until.isoformat(),
            unit.last_page,
        )

    def _is_busy(self, source: str) -> bool:
        rows = self._database.query(
            "SELECT owner FROM units WHERE source = ? AND state = 'running' AND lease_until > ?", source, time.time()
        )
        return any(not _is_dead(owner) for (owner,) in rows)

    def _held(self, update: str, *values: str | float, unit: Unit) -> bool:
        mine = "unit = ? AND owner = ? AND state = 'running'"
        return self._database.execute(f"{update} {mine}", *values, unit.name, self.owner).rowcount == 1


def units_of(lake: Path, ledger: str, source: str, since: date, until: date) -> list[Unit]:
    """As `Units.of`, for whoever only looks: nothing is made or written, so a lake that may only be read will do."""
    location = ledger_location(lake, ledger)
    if not exists(location):
        return []
    database = connect(location, PART, read_only=True)
    try:
        return _touching(database, source, since, until) if database.has_table("units") else []
    finally:
        database.close()


def days_with_articles(lake: Path, source: str, since: date, until: date) -> set[date]:
    """Days of which the lake holds at least one article of the source, be it a reprint."""
    trees: tuple[Tree, ...] = ("articles", "duplicates")
    days = {day for tree in trees for day, _ in _dated_files(open_store(lake), tree, source)}
    return {day for day in days if since <= day <= until}


def articles_a_day(lake: Path, source: str) -> float | None:
    """What the source brought on the latest days that the lake holds; None if it holds none."""
    store, rows = open_store(lake), []
    for _, key in list(_dated_files(store, "articles", source))[-LATEST_DAYS:]:
        with store.open(key) as file:
            rows.append(pq.read_metadata(file).num_rows)
    return sum(rows) / len(rows) if rows else None


def _dated_files(store: Store, tree: Tree, source: str) -> Iterator[tuple[date, str]]:
    """The files of one source by their days, in order."""
    for file in store.entries(f"{tree}/source={source}"):
        found = partition_at(file.key)
        if found and found[1].date:
            yield found[1].date, file.key


def _touching(database: Database, source: str, since: date, until: date) -> list[Unit]:
    rows = database.query(TOUCHING, source, since.isoformat(), until.isoformat())
    return [_unit(row) for row in rows]


def _unit(row: Sequence[Any]) -> Unit:
    _, source, key, since, until, first_page, last_page, state, begun_on, articles, error = row
    return Unit(
        source=source,
        list=key,
        since=date.fromisoformat(since),
        until=date.fromisoformat(until),
        first_page=first_page,
        last_page=last_page,
        state=state,
        begun_on=date.fromisoformat(begun_on) if begun_on else None,
        articles=articles,
        error=error,
    )


def _is_dead(owner: str) -> bool:
    """Certain only for a process of this host: of the others, the lease has to run out."""
    host, pid, _ = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

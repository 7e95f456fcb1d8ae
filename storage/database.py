"""The two databases that ledger and frontier run on: SQLite for one writer, PostgreSQL for several workers.

    connect(location) ──▶ Database.execute, query, transaction, turn      a Path: SQLite; a Schema: PostgreSQL

Statements are written in what both understand, in SQLite's spelling: ? and ?1 for values, json_each(?) for a list of
strings, CROSS JOIN for a join in just this order. What PostgreSQL calls otherwise is in SPELLING, at one place; nothing
else of storage/ knows which of the two it talks to. Numbers that rise (of batches, of rows) are rows of a table and not
sequences: a number that was rolled back is given again, and none is visible before a lower one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from storage.errors import LedgerError
from storage.store import remote_of

if TYPE_CHECKING:
    import psycopg

SCHEMES: Final = ("postgresql", "postgres")
BUSY_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.01
# An extended code of SQLite holds the primary one in its low byte.
PRIMARY_CODE: Final = 0xFF
CACHE_BYTES: Final = 64 << 20
WAL_PAGES: Final = 16_384
# So long a worker waits for others to end their commits. One that is stopped in the middle keeps all others waiting.
TURN_SECONDS: Final = 600
# A machine that is gone without a word holds its locks until the server has noticed.
KEEPALIVES: Final = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}
ROWS_AT_ONCE: Final = 50
NUMBERS: Final = "CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, number INTEGER NOT NULL)"

# Compared by bytes, as Python and SQLite compare text: the outcome must not depend on the server's language.
TYPES: Final = {"INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA", "TEXT": 'TEXT COLLATE "C"'}
SPELLING: Final = (
    (") WITHOUT ROWID", ")"),
    ("json_each(?)", "json_array_elements_text(?::json) AS each (value)"),
    ("CROSS JOIN", "JOIN"),
)
COLUMN_TYPE: Final = re.compile(rf"\b({'|'.join(TYPES)})\b")
PLACEHOLDER: Final = re.compile(r"\?(\d*)")

Durability: TypeAlias = Literal["commit", "sync", "none"]
"""What a power cut leaves: every commit, those before the last `sync`, or nothing for certain."""
Value: TypeAlias = str | bytes | int | float | None


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...  # noqa: ANN401 - a row is what was asked for
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True, slots=True)
class Schema:
    """One lake's part of a PostgreSQL database."""

    url: str = field(repr=False)
    """Without the schema; it may hold a password."""
    name: str

    @classmethod
    def of(cls, url: str, lake: str) -> Schema:
        """The schema that the url names (`?schema=…`), else one of the lake's own, after its location."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        name = options.pop("schema", "") or f"lake_{hashlib.blake2b(lake.encode(), digest_size=6).hexdigest()}"
        return cls(_unsplit(url, options), name)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2] or dict(parse_qsl(parts.query)).get("host", "")
        return f"postgresql://{host}{parts.path}, schema {self.name}"


Location: TypeAlias = Path | Schema


def located(path: Path, lake: Path, url: str) -> Location:
    """The lake's own file, unless `url` names a PostgreSQL database: there it is a schema of the lake's own, named
    after where the lake lies, or as `?schema=` says, for a lake that workers know under different paths."""
    if not url:
        return path
    if urlsplit(url).scheme not in SCHEMES:
        raise LedgerError(
            f"{url.partition(':')[0]}: a ledger is postgresql://…, or the lake's own file if none is named"
        )
    return Schema.of(url, remote_of(Path(lake)) or str(Path(lake).resolve()))


def connect(location: Location, part: str, *, durability: Durability = "commit", read_only: bool = False) -> Database:
    """`part` tells what shares a PostgreSQL schema apart: each has its version, and transactions of its own."""
    if isinstance(location, Schema):
        return Postgres(location, part, durability=durability, read_only=read_only)
    return Sqlite(location, durability=durability, read_only=read_only)


def exists(location: Location) -> bool:
    """Has anything been written there?"""
    if isinstance(location, Path):
        return location.exists()
    database = Postgres(location, "", read_only=True)
    try:
        return database.has_schema()
    finally:
        database.close()


def listed(values: Iterable[str | int]) -> str:
    """For `json_each`: one query for many values."""
    return json.dumps(list(values))


class Database(ABC):
    """One connection, for all threads of a process: a transaction keeps the other threads waiting."""

    name: str
    shared: bool
    """May other processes write at the same time?"""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @abstractmethod
    def execute(self, statement: str, *values: Value) -> Rows: ...

    @abstractmethod
    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None: ...

    @abstractmethod
    def has_table(self, table: str) -> bool: ...

    @abstractmethod
    def version(self) -> int:
        """Of the tables; 0 before there are any."""

    @abstractmethod
    def set_version(self, version: int) -> None: ...

    @abstractmethod
    def sync(self) -> None:
        """From here on a power cut loses nothing."""

    @abstractmethod
    @contextmanager
    def turn(self) -> Iterator[None]:
        """Alone among the workers of this lake, over several transactions. Ends with the process, however it ends."""

    @abstractmethod
    @contextmanager
    def lease(self, name: str) -> Iterator[bool]:
        """Whether this process alone has what the name stands for; nobody is waited for."""

    def damage(self) -> list[str]:
        """What is wrong with the file, as far as the database can tell."""
        return []

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _roll_back(self) -> None: ...

    def query(self, statement: str, *values: Value) -> list[tuple[Any, ...]]:
        with self._lock:
            return self.execute(statement, *values).fetchall()

    def execute_rows(self, statement: str, rows: Sequence[Sequence[Value]]) -> list[tuple[Any, ...]]:
        """`{rows}` in the statement stands for as many of them as go into one; gives what it returns."""
        found: list[tuple[Any, ...]] = []
        for at in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[at : at + ROWS_AT_ONCE]
            listed_rows = ", ".join(f"({', '.join('?' * len(row))})" for row in some)
            found += self.query(statement.format(rows=listed_rows), *(value for row in some for value in row))
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends; the only one at this time in its part of the database."""
        with self._lock:
            try:
                self._begin()
                yield
                self.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def create(self, tables: str) -> None:
        """Statements that end in a semicolon each, in the caller's transaction."""
        for statement in filter(str.strip, tables.split(";\n")):
            self.execute(statement)

    def number(self, name: str) -> int:
        """The last one given."""
        rows = self.query("SELECT number FROM numbers WHERE name = ?", name)
        return int(rows[0][0]) if rows else 0

    def next_numbers(self, name: str, count: int = 1) -> range:
        [(last,)] = self.query(
            "INSERT INTO numbers VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = numbers.number + ?2"
            " RETURNING number",
            name,
            count,
        )
        return range(last - count + 1, last + 1)

    def set_number(self, name: str, number: int) -> None:
        self.execute("INSERT INTO numbers VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = ?2", name, number)


class Sqlite(Database):
    """A file. The lock of the lake sees to it that one process writes; readers do not wait for it."""

    shared = False

    def __init__(self, path: Path | str, *, durability: Durability = "commit", read_only: bool = False) -> None:
        super().__init__()
        self.name = str(path)
        # Of a backup, or of somebody else's lake: there is nobody to wait for, and no lock could be taken.
        self._is_sealed = _is_sealed(Path(path))
        mode = "?mode=ro" + "&immutable=1" * self._is_sealed
        by_address = read_only or self._is_sealed
        address = Path(path).absolute().as_uri() + mode if by_address else str(path)
        try:
            self._connection = sqlite3.connect(
                address, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=by_address
            )
        except sqlite3.Error as error:
            raise LedgerError(f"{self.name}: {error}") from error
        if not by_address:
            self._set_up(durability)

    def execute(self, statement: str, *values: Value) -> Rows:
        # Written out: a hundred thousand times a minute, a context manager is felt.
        with self._lock:
            try:
                return self._connection.execute(statement, values)
            except sqlite3.Error as error:
                raise LedgerError(f"{self.name}: {error}") from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        with self._lock:
            try:
                self._connection.executemany(statement, rows)
            except sqlite3.Error as error:
                raise LedgerError(f"{self.name}: {error}") from error

    def has_table(self, table: str) -> bool:
        return bool(self.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table))

    def version(self) -> int:
        [(version,)] = self.query("PRAGMA user_version")
        return int(version)

    def set_version(self, version: int) -> None:
        self.execute(f"PRAGMA user_version = {version}")

    def sync(self) -> None:
        self.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield

    @contextmanager
    def lease(self, name: str) -> Iterator[bool]:
        del name
        yield True

    def damage(self) -> list[str]:
        return [line for (line,) in self.query("PRAGMA quick_check(5)") if line != "ok"]

    def close(self) -> None:
        self._connection.close()

    def _set_up(self, durability: Durability) -> None:
        self._keep_a_wal()
        # Keys are hashes and meet the whole file at random: with the default of 2 MB most pages of a large ledger are
        # read again and again, and written back at every commit.
        self.execute(f"PRAGMA cache_size = -{CACHE_BYTES >> 10}")
        self.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        self.execute(f"PRAGMA synchronous = {({'commit': 'FULL', 'sync': 'NORMAL', 'none': 'OFF'})[durability]}")
        self.execute(NUMBERS)

    def _keep_a_wal(self) -> None:
        """Of a new file, which others may be setting up at this moment: the crawls of a first run do.

        Here alone SQLite does not wait by itself: two that have read and want to write would wait for each other.
        """
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.execute("PRAGMA journal_mode = WAL")
                return
            except LedgerError as error:
                if not _is_busy(error.__cause__) or time.monotonic() > deadline:
                    raise
            time.sleep(LOOK_SECONDS)

    def _begin(self) -> None:
        self.execute("BEGIN" if self._is_sealed else "BEGIN IMMEDIATE")

    def _roll_back(self) -> None:
        # On a full disk SQLite may have rolled back by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _is_busy(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY


def _is_sealed(path: Path) -> bool:
    """Can nobody like us write there, and has its last writer left nothing beside it?"""
    # Asked first: of a file that another process makes a moment later, `os.access` has said that we may not write.
    if not path.exists():
        return False
    beside = path.with_name(f"{path.name}-wal")
    may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return not may_write and not (beside.exists() and beside.stat().st_size)


class Postgres(Database):
    """A schema on a server. What SQLite and the lake's lock see to, advisory locks of the schema do."""

    shared = True

    def __init__(
        self, schema: Schema, part: str, *, durability: Durability = "commit", read_only: bool = False
    ) -> None:
        super().__init__()
        self.name = str(schema)
        self._schema, self._part, self._durability, self._read_only = schema, part, durability, read_only
        self._held: set[str] = set()
        self._connection = self._connected()
        if not read_only:
            with self.transaction():
                # Asked for first: `IF NOT EXISTS` wants the right to make one even if it is there.
                if not self.has_schema():
                    self.execute(f"CREATE SCHEMA {_quoted(schema.name)}")
                self.execute(NUMBERS)

    def execute(self, statement: str, *values: Value) -> Rows:
        import psycopg

        text, order = spelt(statement)
        with self._lock:
            try:
                return self._connection.execute(text, [values[at] for at in order] if order else None)
            except psycopg.Error as error:
                raise self._named(error) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        import psycopg

        text, order = spelt(statement)
        with self._lock, self._connection.cursor() as cursor:
            try:
                cursor.executemany(text, ([row[at] for at in order] for row in rows))
            except psycopg.Error as error:
                raise self._named(error) from error

    def has_schema(self) -> bool:
        return bool(self.query("SELECT 1 FROM pg_namespace WHERE nspname = ?", self._schema.name))

    def has_table(self, table: str) -> bool:
        return bool(self.query("SELECT 1 WHERE to_regclass(?) IS NOT NULL", f"{_quoted(self._schema.name)}.{table}"))

    def version(self) -> int:
        return self.number(f"{self._part} version")

    def set_version(self, version: int) -> None:
        self.set_number(f"{self._part} version", version)

    def sync(self) -> None:
        """Every commit is durable."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._lock:
            self._connect_again()
            self.execute("SELECT pg_advisory_lock(?)", self._key("turn"))
        with self._holding("turn"):
            yield

    @contextmanager
    def lease(self, name: str) -> Iterator[bool]:
        name = f"lease {name}"
        with self._lock:
            self._connect_again()
            # The server would give a session what it has a second time.
            if name in self._held or self.query("SELECT pg_try_advisory_lock(?)", self._key(name)) == [(False,)]:
                yield False
                return
        with self._holding(name):
            yield True

    @contextmanager
    def _holding(self, name: str) -> Iterator[None]:
        self._held.add(name)
        try:
            yield
        finally:
            self._held.discard(name)
            # With the connection the lock would be gone, too.
            if not self._connection.closed:
                self.execute("SELECT pg_advisory_unlock(?)", self._key(name))

    def close(self) -> None:
        self._connection.close()

    def _begin(self) -> None:
        self._connect_again()
        self.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        # First of all: what is read afterwards is what the transaction before this one has left.
        self.execute("SELECT pg_advisory_xact_lock(?)", self._key("transaction"))

    def _roll_back(self) -> None:
        if not self._connection.closed:
            self._connection.execute("ROLLBACK")

    def _connect_again(self) -> None:
        """After the server was started anew, say. Never while something is held: with the connection, it was lost."""
        if self._connection.closed and not self._held:
            self._connection = self._connected()

    def _connected(self) -> psycopg.Connection[Any]:
        try:
            import psycopg
        except ImportError as error:
            raise LedgerError(f"{self.name}: psycopg is missing; pip install 'finnews[postgres]'") from error
        try:
            connection = psycopg.connect(
                self._schema.url,
                autocommit=True,
                client_encoding="utf8",
                application_name="finnews",
                connect_timeout=int(BUSY_SECONDS),
            )
            for name, setting in self._settings().items():
                connection.execute(f"SET {name} TO {setting}".encode())
        except psycopg.Error as error:
            raise self._named(error) from error
        return connection

    def _settings(self) -> dict[str, str | int]:
        return {
            "search_path": _quoted(self._schema.name),
            "lock_timeout": f"'{TURN_SECONDS}s'",
            "synchronous_commit": "off" if self._durability == "none" else "on",
            "default_transaction_read_only": "on" if self._read_only else "off",
            "client_min_messages": "warning",
            **KEEPALIVES,
        }

    def _named(self, error: Exception) -> LedgerError:
        return LedgerError(f"{self.name}: {' '.join(str(error).split())}")

    def _key(self, purpose: str) -> int:
        """Of an advisory lock; these are numbers, the same for all of a database."""
        digest = hashlib.blake2b(f"{self._schema.name}\n{self._part}\n{purpose}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little", signed=True)


@lru_cache(maxsize=512)
def spelt(statement: str) -> tuple[bytes, tuple[int, ...]]:
    """A statement as PostgreSQL has it, and which value goes to each of its placeholders."""
    for ours, theirs in SPELLING:
        statement = statement.replace(ours, theirs)
    if statement.lstrip().startswith("CREATE TABLE"):
        statement = COLUMN_TYPE.sub(lambda found: TYPES[found[1]], statement)
    order = tuple(int(found[1]) - 1 if found[1] else at for at, found in enumerate(PLACEHOLDER.finditer(statement)))
    if order:
        statement = PLACEHOLDER.sub("%s", statement.replace("%", "%%"))
    return statement.encode(), order


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _unsplit(url: str, options: dict[str, str]) -> str:
    head = url.partition("?")[0]
    return f"{head}?{urlencode(options)}" if options else head

"""The ledger: what is known of every article, in one SQLite file. Look-ups and records; it decides nothing.

    copies, versions, near_*    what articles.decide needs to know of all that was ever stored
    pages                       where the pages lie that articles were read from
    batches, touched, moves     commits on their way into the partitions
    head                        how far the lake had come, by which a restored backup is recognised
    runs, validators, crawls    what happened, what lists answered, how fresh a source is

All but the last line can be rebuilt from the lake; a lost ledger costs the history of runs, never an article. Times
are microseconds since 1970, UTC.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from articles.decide import MARK_CHARS, Copy, CopyKey, NearLink, NewText, Place, TextKey, Version, chain, version_of
from articles.near import KINDS
from articles.records import Decision, Validators
from storage.errors import LedgerError
from storage.near_index import TABLES as NEAR_TABLES
from storage.near_index import WINDOW, Entry, Link, NearIndex, NearIndexError

VERSION: Final = 4
BUSY_SECONDS: Final = 30.0
CACHE_BYTES: Final = 64 << 20
WAL_PAGES: Final = 16_384

# What can be rebuilt from the lake, and so is made anew where its layout has changed.
DERIVED: Final = """
CREATE TABLE copies (
    article_id TEXT NOT NULL, source TEXT NOT NULL,
    day TEXT,                       -- partition, that of the first revision; null if undated
    first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,
    page_digest TEXT NOT NULL,      -- of the page it was last read from
    gone_at INTEGER,                -- when the site was first found to have it no more; null while it has
    group_id TEXT NOT NULL, cluster_id TEXT NOT NULL, duplicate_of TEXT, duplicate_kind TEXT, similarity REAL,
    PRIMARY KEY (article_id, source)
) WITHOUT ROWID;
CREATE INDEX copies_by_group ON copies (group_id);

CREATE TABLE versions (
    article_id TEXT NOT NULL, source TEXT NOT NULL, text_hash TEXT NOT NULL,
    exact_key TEXT NOT NULL, canonical_url TEXT NOT NULL,
    fetched_at INTEGER NOT NULL, edited_at INTEGER NOT NULL, claimed_at INTEGER NOT NULL,
    day TEXT, lang TEXT NOT NULL,
    PRIMARY KEY (article_id, source, text_hash)
) WITHOUT ROWID;
CREATE INDEX versions_by_text ON versions (exact_key) WHERE exact_key != '';
CREATE INDEX versions_by_url ON versions (canonical_url) WHERE canonical_url != '';

CREATE TABLE pages (
    digest TEXT PRIMARY KEY, raw_ref TEXT NOT NULL, extractor TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE batches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, batch_id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL,
    articles INTEGER NOT NULL, applied INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE touched (
    seq INTEGER NOT NULL, article_id TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (seq, article_id, source)
) WITHOUT ROWID;
CREATE TABLE moves (                -- rows that have to leave a partition: an earlier revision names another day
    article_id TEXT NOT NULL, source TEXT NOT NULL, day TEXT NOT NULL, PRIMARY KEY (article_id, source, day)
) WITHOUT ROWID;
CREATE TABLE head (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    seq INTEGER NOT NULL,           -- the highest ingest_seq in the lake, and one of the files that have it
    path TEXT NOT NULL,
    at INTEGER NOT NULL,            -- when it was written
    whole INTEGER NOT NULL          -- 0 until the tables above have been filled from the lake
);
INSERT INTO head VALUES (0, 0, '', 0, 0);
"""
HISTORY: Final = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, started_at INTEGER NOT NULL, finished_at INTEGER, report TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS validators (
    url TEXT PRIMARY KEY, etag TEXT, last_modified TEXT, body_sha256 TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS crawls (
    source TEXT PRIMARY KEY, tried_at INTEGER NOT NULL, succeeded_at INTEGER, newest_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fence (only INTEGER PRIMARY KEY CHECK (only = 0), token INTEGER NOT NULL);
INSERT OR IGNORE INTO fence VALUES (0, 0);
"""
DERIVED_TABLES: Final = ("copies", "versions", "pages", "batches", "touched", "moves", "head", *NEAR_TABLES)

COPIES = """
SELECT c.article_id, c.source, c.group_id, c.cluster_id, c.duplicate_of, c.duplicate_kind, c.similarity,
       v.text_hash, v.exact_key, v.canonical_url, v.fetched_at, v.edited_at, v.claimed_at, v.day, v.lang
FROM json_each(?) CROSS JOIN copies c ON c.{column} = value JOIN versions v USING (article_id, source)
"""
# One holder of each text: its group is that of all. There may be thousands.
GROUPS_OF = """
SELECT value, (SELECT c.group_id FROM versions v JOIN copies c USING (article_id, source)
               WHERE v.exact_key = value AND v.exact_key != '' LIMIT 1) AS group_id
FROM json_each(?) WHERE group_id IS NOT NULL
"""
# A text that was seen before keeps the version that was fetched first, as articles.decide.chain does.
ADD_VERSION = """
INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET canonical_url = excluded.canonical_url,
    fetched_at = excluded.fetched_at, edited_at = excluded.edited_at, claimed_at = excluded.claimed_at,
    day = excluded.day, lang = excluded.lang
WHERE (excluded.fetched_at, excluded.edited_at, excluded.claimed_at, excluded.canonical_url)
    < (fetched_at, edited_at, claimed_at, canonical_url)
"""
ADD_COPY = """
INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first_seen_at = min(first_seen_at, excluded.first_seen_at), day = excluded.day,
    page_digest = CASE WHEN excluded.last_seen_at >= last_seen_at THEN excluded.page_digest ELSE page_digest END,
    last_seen_at = max(last_seen_at, excluded.last_seen_at),
    gone_at = iif(excluded.last_seen_at >= gone_at, NULL, gone_at),
    group_id = excluded.group_id, cluster_id = excluded.cluster_id,
    duplicate_of = excluded.duplicate_of, duplicate_kind = excluded.duplicate_kind, similarity = excluded.similarity
"""
MOVE_COPY = """
UPDATE copies SET group_id = ?, cluster_id = ?, duplicate_of = ?, duplicate_kind = ?, similarity = ?
WHERE article_id = ? AND source = ?
"""
# The first time it was missed counts, unless it was seen since.
MARK_GONE = """
UPDATE copies SET gone_at = ?1
WHERE article_id = ?2 AND source = ifnull(?3, source) AND last_seen_at < ?1 AND ?1 < ifnull(gone_at, ?1 + 1)
RETURNING article_id, source
"""

CONTAINED_KIND: Final = KINDS.index("contained")
CONTAINED = """
SELECT a.article_id, b.article_id FROM near_links
JOIN near_articles a ON a.serial = one JOIN near_articles b ON b.serial = other WHERE kind = ? AND one < other
"""

Value: TypeAlias = str | int | float | None
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Batch:
    seq: int
    batch_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a copy stands in the lake."""

    key: CopyKey
    day: date | None
    first_seen_at: datetime
    gone_at: datetime | None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    run_id: str
    started_at: datetime
    finished_at: datetime | None
    """None while it runs, and for ever if it was killed."""
    report: Mapping[str, Any]
    """Exit code and accounting by source; empty until it ends."""


@dataclass(frozen=True, slots=True)
class KnownPage:
    raw_ref: str
    extractor: str
    """Version of what last read an article from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    source: str
    tried_at: datetime
    succeeded_at: datetime | None
    newest_at: datetime | None
    """Publication of the newest article ever listed."""


class Head(NamedTuple):
    """How far the lake had come when the ledger last looked."""

    seq: int
    path: str
    """Of one of the files that hold this seq; empty in an empty lake."""
    at: datetime
    whole: bool
    """False for a ledger that has yet to be filled from the lake."""


class Ledger:
    """For the one writer of a lake; safe for its threads. Satisfies `articles.decide.Known`."""

    def __init__(self, path: Path, *, window: timedelta = WINDOW, durable: bool = True) -> None:
        """Of a ledger that is not durable, nothing has to be left after a power cut."""
        self.path = path
        self._window = window
        self._lock = threading.RLock()
        with self._named_errors():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        self.execute("PRAGMA journal_mode = WAL")
        # Keys are hashes and meet the whole file at random: with the default of 2 MB most pages of a large ledger are
        # read again and again, and written back at every commit.
        self.execute(f"PRAGMA cache_size = -{CACHE_BYTES >> 10}")
        self.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        # A commit that returned survives a power cut.
        self.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        self._prepare()
        self._open_index()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends."""
        with self._lock:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite may have rolled back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    # What is known: articles.decide.Known

    def copies(self, article_ids: Collection[str]) -> list[Copy]:
        return self._copies("article_id", article_ids)

    def members(self, group_ids: Collection[str]) -> list[Copy]:
        return self._copies("group_id", group_ids)

    def at_urls(self, canonical_urls: Collection[str]) -> list[tuple[str, CopyKey, str]]:
        rows = self._query(
            "SELECT DISTINCT canonical_url, article_id, source, group_id FROM json_each(?)"
            " CROSS JOIN versions ON canonical_url = value AND canonical_url != ''"
            " JOIN copies USING (article_id, source)",
            _listed(canonical_urls),
        )
        return [(url, CopyKey(article_id, source), group_id) for url, article_id, source, group_id in rows]

    def groups_of(self, exact_keys: Collection[str]) -> dict[str, str]:
        return dict(self._query(GROUPS_OF, _listed(exact_keys)))

    def remember(self, texts: Sequence[NewText]) -> None:
        with self._lock, self._named_errors():
            self._index.add(Entry(_name(text.key), text.published_at, text.fingerprint) for text in texts)

    def near(self, texts: Iterable[TextKey]) -> list[NearLink]:
        with self._lock, self._named_errors():
            links = self._index.duplicates_around(map(_name, texts))
        return [NearLink(_text_key(link.one), _text_key(link.other), link.similarity) for link in links]

    def links(self) -> list[Link]:
        """Every link of the near index, sorted."""
        with self._lock, self._named_errors():
            return self._index.links()

    def lacks_index(self) -> bool:
        """Was the near index lost, while the rest is there?"""
        [(lost,)] = self._query("SELECT EXISTS (SELECT 1 FROM versions) > EXISTS (SELECT 1 FROM near_articles)")
        return bool(lost)

    def _copies(self, column: str, values: Collection[str]) -> list[Copy]:
        found: dict[CopyKey, tuple[str, Place, list[Version]]] = {}
        for article_id, source, group_id, cluster_id, of, kind, similarity, *version in self._query(
            COPIES.format(column=column), _listed(values)
        ):
            place = Place(cluster_id, of, kind, similarity)
            found.setdefault(CopyKey(article_id, source), (group_id, place, []))[2].append(_version(version))
        return [
            Copy(key=key, versions=chain(versions), group_id=group_id, place=place)
            for key, (group_id, place, versions) in found.items()
        ]

    # What is recorded

    def record(self, decisions: Iterable[Decision]) -> set[CopyKey]:
        """Remember what was decided; gives the copies whose rows in the lake have to change."""
        touched: set[CopyKey] = set()
        for decision in decisions:
            article, version = decision.article, version_of(decision.article, decision.exact_key)
            key = CopyKey(article.article_id, article.source)
            if decision.kind != "new" and self._comes_back(key, decision):
                touched.add(key)
            self._add_copy(key, decision)
            self._add_page(article.page_digest, article.raw_ref, article.extractor)
            if self._add_version(key, version):
                touched.add(key)
            for e in decision.elections:
                place = (e.cluster_id, e.duplicate_of, e.duplicate_kind, e.similarity)
                self.execute(MOVE_COPY, e.group_id, *place, e.article_id, e.source)
                touched.add(CopyKey(e.article_id, e.source))
        return touched

    def mark_gone(self, article_ids: Iterable[str], at: datetime, source: str | None = None) -> list[CopyKey]:
        """Remember that a site has these no more; gives the copies for which that is news."""
        changed: list[CopyKey] = []
        for article_id in article_ids:
            changed += (CopyKey(*row) for row in self._query(MARK_GONE, _us(at), article_id, source))
        return changed

    def remember_refused(self, digest: str, raw_ref: str) -> None:
        """A page that gave no article need not be archived again; it is read again, by rules that may be better."""
        self._add_page(digest, raw_ref, "")

    def page(self, digest: str) -> KnownPage | None:
        """Where a page lies that was read before; `extractor` is empty if it gave no article."""
        rows = self._query("SELECT raw_ref, extractor FROM pages WHERE digest = ?", digest)
        return KnownPage(*rows[0]) if rows else None

    def clear(self) -> None:
        """Forget all that can be rebuilt from the lake; the history of runs and what lists said stay."""
        for table in ("copies", "versions", "batches", "touched", "moves"):
            self.execute(f"DELETE FROM {table}")
        # A page that gave no article has left no row in the lake.
        self.execute("DELETE FROM pages WHERE extractor != ''")
        self.execute("UPDATE head SET seq = 0, path = '', at = 0, whole = 0")
        with self._lock, self._named_errors():
            self._index.rebuild([])

    def stored(self, keys: Iterable[CopyKey]) -> list[Stored]:
        found = []
        for key in keys:
            [(day, first_seen_at, gone_at, *place)] = self._query(
                "SELECT day, first_seen_at, gone_at, cluster_id, duplicate_of, duplicate_kind, similarity FROM copies"
                " WHERE article_id = ? AND source = ?",
                *key,
            )
            seen = _time(first_seen_at), _maybe_time(gone_at)
            found.append(Stored(key, date.fromisoformat(day) if day else None, *seen, Place(*place)))
        return found

    def count(self) -> int:
        """How many copies are known."""
        [(count,)] = self._query("SELECT count(*) FROM copies")
        return int(count)

    # Batches

    def begin_batch(self, batch_id: str, run_id: str, articles: int) -> Batch:
        cursor = self.execute(
            "INSERT INTO batches (batch_id, run_id, articles) VALUES (?, ?, ?)", batch_id, run_id, articles
        )
        assert cursor.lastrowid is not None
        return Batch(cursor.lastrowid, batch_id, run_id)

    def touch(self, batch: Batch, keys: Iterable[CopyKey]) -> None:
        """These copies' rows in the lake have to be brought up to date before the batch is applied."""
        with self._lock, self._named_errors():
            self._connection.executemany("INSERT INTO touched VALUES (?, ?, ?)", [(batch.seq, *key) for key in keys])

    def touched(self, batch: Batch) -> list[CopyKey]:
        return [CopyKey(*row) for row in self._query("SELECT article_id, source FROM touched WHERE seq = ?", batch.seq)]

    def move(self, key: CopyKey, day: date | None) -> None:
        """The copy's rows in this partition have to go."""
        self.execute("INSERT OR IGNORE INTO moves VALUES (?, ?, ?)", *key, day.isoformat() if day else "")

    def moves(self, keys: Iterable[CopyKey]) -> list[tuple[CopyKey, date | None]]:
        """Which of these copies have rows left in a partition that is not theirs any more."""
        return [
            (key, date.fromisoformat(day) if day else None)
            for key in keys
            for (day,) in self._query("SELECT day FROM moves WHERE article_id = ? AND source = ?", *key)
        ]

    def pending(self) -> list[Batch]:
        """Batches decided but not known to have reached the partitions, oldest first."""
        return [
            Batch(*row)
            for row in self._query("SELECT seq, batch_id, run_id FROM batches WHERE NOT applied ORDER BY seq")
        ]

    def applied(self, batch: Batch, path: str = "") -> None:
        """`path`, a file of the lake, has got rows with the batch's number; empty if none has."""
        with self.transaction():
            self.execute(
                "DELETE FROM moves WHERE (article_id, source) IN"
                " (SELECT article_id, source FROM touched WHERE seq = ?)",
                batch.seq,
            )
            self.execute("DELETE FROM touched WHERE seq = ?", batch.seq)
            if path:
                self.set_head(batch.seq, path)
            self.execute("UPDATE batches SET applied = 1 WHERE seq = ?", batch.seq)

    def has_batch(self, batch_id: str) -> bool:
        return bool(self._query("SELECT 1 FROM batches WHERE batch_id = ?", batch_id))

    def head(self) -> Head:
        [(seq, path, at, whole)] = self._query("SELECT seq, path, at, whole FROM head")
        return Head(seq, path, _time(at), bool(whole))

    def set_head(self, seq: int, path: str) -> None:
        self.execute("UPDATE head SET seq = ?, path = ?, at = ?, whole = 1", seq, path, _now())

    def last_seq(self) -> int:
        """The number of the latest batch."""
        rows = self._query("SELECT seq FROM sqlite_sequence WHERE name = 'batches'")
        return int(rows[0][0]) if rows else 0

    def raise_seq(self, seq: int) -> None:
        """Number the next batch above `seq`, which the lake already holds."""
        self.execute("DELETE FROM sqlite_sequence WHERE name = 'batches'")
        self.execute("INSERT INTO sqlite_sequence VALUES ('batches', ?)", seq)

    # Fencing: a writer that was taken for dead must not commit any more

    def take_fence(self) -> int:
        with self.transaction():
            self.execute("UPDATE fence SET token = token + 1")
            return self.fence()

    def fence(self) -> int:
        """The number of the last writer; 0 in a ledger that no writer has used yet."""
        [(token,)] = self._query("SELECT token FROM fence")
        return int(token)

    # Runs, lists, sources

    def begin_run(self, run_id: str) -> None:
        self.execute("INSERT INTO runs (run_id, started_at) VALUES (?, ?)", run_id, _now())

    def end_run(self, run_id: str, report: Mapping[str, Any]) -> None:
        """`report` is the run's accounting by source, and its exit code."""
        document = json.dumps(report, ensure_ascii=False, sort_keys=True)
        self.execute("UPDATE runs SET finished_at = ?, report = ? WHERE run_id = ?", _now(), document, run_id)

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The latest runs, newest first."""
        rows = self._query(
            "SELECT run_id, started_at, finished_at, report FROM runs ORDER BY started_at DESC, run_id DESC LIMIT ?",
            limit,
        )
        return [
            RunRecord(
                run_id=run_id,
                started_at=_time(started_at),
                finished_at=_maybe_time(finished_at),
                report=json.loads(report) if report else {},
            )
            for run_id, started_at, finished_at, report in rows
        ]

    def save_validators(self, validators: Iterable[Validators]) -> None:
        """To be called once the articles of those lists are durable."""
        with self.transaction():
            for v in validators:
                self.execute(
                    "INSERT OR REPLACE INTO validators VALUES (?, ?, ?, ?)",
                    v.url,
                    v.etag,
                    v.last_modified,
                    v.body_sha256,
                )

    def validators(self, url: str) -> Validators | None:
        return _validators(self._connection, url)

    def record_crawl(self, source: str, *, at: datetime, succeeded: bool, newest_at: datetime | None) -> None:
        self.execute(
            "INSERT INTO crawls VALUES (?1, ?2, iif(?3, ?2, NULL), ?4) ON CONFLICT DO UPDATE SET tried_at = ?2,"
            " succeeded_at = iif(?3, ?2, succeeded_at), newest_at = max(ifnull(?4, newest_at), ifnull(newest_at, ?4))",
            source,
            _us(at),
            succeeded,
            _us(newest_at) if newest_at else None,
        )

    def freshness(self) -> list[Freshness]:
        rows = self._query("SELECT source, tried_at, succeeded_at, newest_at FROM crawls ORDER BY source")
        return [
            Freshness(
                source=source,
                tried_at=_time(tried_at),
                succeeded_at=_maybe_time(succeeded_at),
                newest_at=_maybe_time(newest_at),
            )
            for source, tried_at, succeeded_at, newest_at in rows
        ]

    def _prepare(self) -> None:
        with self.transaction():
            [(version,)] = self._query("PRAGMA user_version")
            if version > VERSION:
                raise LedgerError(
                    f"{self.path}: written by a newer finnews (ledger {version}, this one knows {VERSION})"
                )
            if version < VERSION:
                for table in DERIVED_TABLES:
                    self.execute(f"DROP TABLE IF EXISTS {table}")
                # executescript would end the transaction.
                for statement in (DERIVED + HISTORY).split(";\n"):
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {VERSION}")

    def _open_index(self) -> None:
        """An index of another version is dropped; it is filled again with the rest."""
        with self.transaction(), self._named_errors():
            try:
                self._index = NearIndex(self._connection, window=self._window)
            except NearIndexError:
                for table in NEAR_TABLES:
                    self.execute(f"DROP TABLE {table}")
                self.execute("UPDATE head SET whole = 0")
                self._index = NearIndex(self._connection, window=self._window)

    def _comes_back(self, key: CopyKey, decision: Decision) -> bool:
        """Was it gone and is there again? Notes the partition it was in, too, if its first revision is another now."""
        for day, gone_at in self._query("SELECT day, gone_at FROM copies WHERE article_id = ? AND source = ?", *key):
            before = date.fromisoformat(day) if day else None
            if before != decision.day:
                self.move(key, before)
            return gone_at is not None and gone_at <= _us(decision.article.fetched_at)
        return False

    def _add_copy(self, key: CopyKey, decision: Decision) -> None:
        day, seen_at = decision.day, _us(decision.article.fetched_at)
        self.execute(
            ADD_COPY,
            *key,
            day.isoformat() if day else None,
            seen_at,
            seen_at,
            decision.article.page_digest,
            decision.group_id,
            decision.cluster_id,
            decision.duplicate_of,
            decision.duplicate_kind,
            decision.similarity,
        )

    def _add_page(self, digest: str, raw_ref: str, extractor: str) -> None:
        if digest:
            self.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", digest, raw_ref, extractor)

    def _add_version(self, key: CopyKey, version: Version) -> bool:
        cursor = self.execute(
            ADD_VERSION,
            *key,
            version.text_hash,
            version.exact_key,
            version.canonical_url,
            _us(version.fetched_at),
            _us(version.edited_at),
            _us(version.claimed_at),
            version.day.isoformat() if version.day else None,
            version.lang,
        )
        return cursor.rowcount > 0

    def execute(self, statement: str, *values: Value) -> sqlite3.Cursor:
        """A statement of one's own, in the same transaction and with the same errors."""
        # Not by `_named_errors`: a hundred thousand times a minute, a generator is felt.
        with self._lock:
            try:
                return self._connection.execute(statement, values)
            except sqlite3.Error as error:
                raise LedgerError(f"{self.path}: {error}") from error

    def _query(self, statement: str, *values: Value) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise LedgerError(f"{self.path}: {error}") from error

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: {error}") from error


class KnownArticles:
    """The read side, for a crawl beside the writer. A lake without a ledger knows nothing."""

    def __init__(self, lake: Path) -> None:
        path = ledger_path(lake)
        self._connection = None
        if path.exists():
            try:
                self._connection = sqlite3.connect(
                    f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS
                )
                self._connection.execute("SELECT 1 FROM copies LIMIT 1")
            except sqlite3.Error as error:
                raise LedgerError(f"{path}: {error}") from error

    def __contains__(self, article_id: object) -> bool:
        return self._first("SELECT 1 FROM copies WHERE article_id = ? LIMIT 1", str(article_id)) is not None

    def page_digest(self, article_id: str) -> str | None:
        """Digest of the page that the article was last read from; None if it is not known."""
        found = self._first(
            "SELECT page_digest FROM copies WHERE article_id = ? ORDER BY last_seen_at DESC", article_id
        )
        return (found[0] or None) if found else None

    def validators(self, url: str) -> Validators | None:
        return _validators(self._connection, url) if self._connection else None

    def contained(self) -> list[tuple[str, str]]:
        """article_ids of pairs of which one is part of the other, by their current texts."""
        if self._connection is None:
            return []
        links = self._connection.execute(CONTAINED, (CONTAINED_KIND,)).fetchall()
        pairs = [(_text_key(one), _text_key(other)) for one, other in links]
        return sorted(
            {(a.copy.article_id, b.copy.article_id) for a, b in pairs if self._current(a) and self._current(b)}
        )

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _current(self, text: TextKey) -> bool:
        latest = self._first(
            "SELECT text_hash FROM versions WHERE article_id = ? AND source = ?"
            " ORDER BY fetched_at DESC, edited_at DESC, text_hash DESC",
            *text.copy,
        )
        return latest is not None and latest[0].startswith(text.mark)

    def _first(self, statement: str, *values: Value) -> tuple[Any, ...] | None:
        if self._connection is None:
            return None
        found: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return found


def ledger_path(lake: Path) -> Path:
    return Path(lake) / "_state" / "ledger.sqlite"


def _validators(connection: sqlite3.Connection, url: str) -> Validators | None:
    row = connection.execute(
        "SELECT url, etag, last_modified, body_sha256 FROM validators WHERE url = ?", (url,)
    ).fetchone()
    return Validators(url=row[0], etag=row[1], last_modified=row[2], body_sha256=row[3]) if row else None


def _version(row: Sequence[Any]) -> Version:
    text_hash, exact_key, canonical_url, fetched_at, edited_at, claimed_at, day, lang = row
    return Version(
        text_hash=text_hash,
        exact_key=exact_key,
        canonical_url=canonical_url,
        fetched_at=_time(fetched_at),
        edited_at=_time(edited_at),
        claimed_at=_time(claimed_at),
        day=date.fromisoformat(day) if day else None,
        lang=lang,
    )


def _listed(values: Iterable[str]) -> str:
    """For `json_each`: one query for many values."""
    return json.dumps(list(values))


def _name(text: TextKey) -> str:
    """What the near index calls a version: its mark, whose length is fixed, then the copy."""
    return f"{text.mark}{text.copy.source}/{text.copy.article_id}"


def _text_key(name: str) -> TextKey:
    source, _, article_id = name[MARK_CHARS:].partition("/")
    return TextKey(CopyKey(article_id, source), name[:MARK_CHARS])


def _now() -> int:
    return _us(datetime.now(UTC))


def _us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _maybe_time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _time(microseconds)

"""The ledger: what is known of every article, in an SQLite file or a PostgreSQL schema. It decides nothing.

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
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from articles.decide import (
    MARK_CHARS,
    Copy,
    CopyKey,
    NearLink,
    NewText,
    Place,
    TextKey,
    Version,
    chain,
    claimed_at,
    edited_at,
)
from articles.near import KINDS
from articles.records import Article, Decision, Validators
from storage.database import Database, Location, Rows, Value, connect, exists, listed, located
from storage.errors import LedgerError
from storage.failpoint import failpoint
from storage.near_index import TABLES as NEAR_TABLES
from storage.near_index import WINDOW, Entry, Link, NearIndex, NearIndexError

VERSION: Final = 6
PART: Final = "ledger"
BATCHES: Final = "batches"
IDENTITY: Final = "identity"
"""Of `Database.next_numbers`: what readers see as ingest_seq."""

# What can be rebuilt from the lake, and so is made anew where its layout has changed.
DERIVED: Final = """
CREATE TABLE copies (
    article_id TEXT NOT NULL, source TEXT NOT NULL,
    day TEXT,                       -- partition, for good: of the first revision when it was stored; null if undated
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
);
-- With a rowid: without one, every entry of these two would hold the whole primary key. That by text is met at random.
CREATE INDEX versions_by_text ON versions (exact_key) WHERE exact_key != '';
CREATE INDEX versions_by_url ON versions (canonical_url) WHERE canonical_url != '';

CREATE TABLE pages (
    digest TEXT PRIMARY KEY, raw_ref TEXT NOT NULL, extractor TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE batches (
    seq INTEGER PRIMARY KEY, batch_id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL,
    articles INTEGER NOT NULL, applied INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE touched (
    seq INTEGER NOT NULL, article_id TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (seq, article_id, source)
) WITHOUT ROWID;
CREATE TABLE moves (                -- rows that have to leave a partition: a repair has found them another day
    article_id TEXT NOT NULL, source TEXT NOT NULL, day TEXT NOT NULL, PRIMARY KEY (article_id, source, day)
) WITHOUT ROWID;
CREATE TABLE head (
    single INTEGER PRIMARY KEY CHECK (single = 0),
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
CREATE TABLE IF NOT EXISTS fence (single INTEGER PRIMARY KEY CHECK (single = 0), token INTEGER NOT NULL);
INSERT INTO fence VALUES (0, 0) ON CONFLICT DO NOTHING;
"""
DERIVED_TABLES: Final = ("copies", "versions", "pages", "batches", "touched", "moves", "head", *NEAR_TABLES)

COPIES = """
SELECT c.article_id, c.source, c.group_id, c.cluster_id, c.duplicate_of, c.duplicate_kind, c.similarity,
       v.text_hash, v.exact_key, v.canonical_url, v.fetched_at, v.edited_at, v.claimed_at, v.day, v.lang
FROM json_each(?) CROSS JOIN copies c ON c.{column} = value JOIN versions v USING (article_id, source)
"""
# One holder of each text: its group is that of all. There may be thousands.
GROUPS_OF = """
SELECT * FROM (
    SELECT value, (SELECT c.group_id FROM versions v JOIN copies c USING (article_id, source)
                   WHERE v.exact_key = value AND v.exact_key != '' LIMIT 1) AS group_id
    FROM json_each(?)
) AS found WHERE group_id IS NOT NULL
"""
# A text that was seen before keeps the version that was fetched first, as articles.decide.chain does.
ADD_VERSIONS = """
INSERT INTO versions VALUES {rows}
ON CONFLICT (article_id, source, text_hash) DO UPDATE SET canonical_url = excluded.canonical_url,
    fetched_at = excluded.fetched_at, edited_at = excluded.edited_at, claimed_at = excluded.claimed_at,
    day = excluded.day, lang = excluded.lang
WHERE (excluded.fetched_at, excluded.edited_at, excluded.claimed_at, excluded.canonical_url)
    < (versions.fetched_at, versions.edited_at, versions.claimed_at, versions.canonical_url)
"""
VERSION_COLUMNS: Final = 10
FIRST_SEEN: Final = ("new", "duplicate")
"""Kinds of decisions about copies that were not known."""
ADD_COPY = """
INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)
ON CONFLICT (article_id, source) DO UPDATE SET
    first_seen_at = CASE WHEN excluded.first_seen_at < copies.first_seen_at THEN excluded.first_seen_at
                         ELSE copies.first_seen_at END,
    page_digest = CASE WHEN excluded.last_seen_at >= copies.last_seen_at THEN excluded.page_digest
                       ELSE copies.page_digest END,
    last_seen_at = CASE WHEN excluded.last_seen_at > copies.last_seen_at THEN excluded.last_seen_at
                        ELSE copies.last_seen_at END,
    gone_at = CASE WHEN excluded.last_seen_at >= copies.gone_at THEN NULL ELSE copies.gone_at END,
    group_id = excluded.group_id, cluster_id = excluded.cluster_id,
    duplicate_of = excluded.duplicate_of, duplicate_kind = excluded.duplicate_kind, similarity = excluded.similarity
"""
MOVE_COPY = """
UPDATE copies SET group_id = ?, cluster_id = ?, duplicate_of = ?, duplicate_kind = ?, similarity = ?
WHERE article_id = ? AND source = ?
"""
GONE = """
SELECT article_id, source, gone_at FROM json_each(?) CROSS JOIN copies ON article_id = value WHERE gone_at IS NOT NULL
"""
# The first time it was missed counts, unless it was seen since.
MARK_GONE = """
UPDATE copies SET gone_at = ?1
WHERE article_id = ?2 AND source = coalesce(?3, source) AND last_seen_at < ?1 AND (gone_at IS NULL OR ?1 < gone_at)
RETURNING article_id, source
"""

# By article_id alone: a source that has the same one is told apart afterwards.
STORED = """
SELECT article_id, source, day, first_seen_at, gone_at, cluster_id, duplicate_of, duplicate_kind, similarity
FROM json_each(?) CROSS JOIN copies ON article_id = value
"""
MOVES = "SELECT article_id, source, day FROM json_each(?) CROSS JOIN moves ON article_id = value"

CONTAINED_KIND: Final = KINDS.index("contained")
CONTAINED = """
SELECT a.article_id, b.article_id FROM near_links
JOIN near_articles a ON a.serial = one JOIN near_articles b ON b.serial = other WHERE kind = ? AND one < other
"""

ADD_PAGE = """
INSERT INTO pages VALUES (?, ?, ?)
ON CONFLICT (digest) DO UPDATE SET raw_ref = excluded.raw_ref, extractor = excluded.extractor
"""
ADD_VALIDATORS = """
INSERT INTO validators VALUES (?, ?, ?, ?)
ON CONFLICT (url) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified,
    body_sha256 = excluded.body_sha256
"""
VALIDATORS = "SELECT url, etag, last_modified, body_sha256 FROM validators WHERE url = ?"
ADD_CRAWL = """
INSERT INTO crawls VALUES (?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET tried_at = excluded.tried_at,
    succeeded_at = coalesce(excluded.succeeded_at, crawls.succeeded_at),
    newest_at = CASE WHEN crawls.newest_at > excluded.newest_at THEN crawls.newest_at
                     ELSE coalesce(excluded.newest_at, crawls.newest_at) END
"""

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
    """For who writes to a lake; safe for its threads. Satisfies `articles.decide.Known`."""

    def __init__(self, location: Location, *, window: timedelta = WINDOW, durable: bool = True) -> None:
        """Of a ledger that is not durable, nothing has to be left after a power cut."""
        self._database = connect(location, PART, durability="commit" if durable else "none")
        self._window = window
        try:
            self._prepare()
            self._open_index()
        except BaseException:
            self._database.close()
            raise

    @property
    def name(self) -> str:
        """Where it is, for a person."""
        return self._database.name

    @property
    def shared(self) -> bool:
        """May several processes write to it? Then each commit is to be made in a `turn`."""
        return self._database.shared

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends; no other writer's lies in between."""
        with self._database.transaction():
            yield

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One writer's commit, from the decision to the partitions: the others wait. Whatever is pending when it
        begins was left by a writer that died."""
        with self._database.turn():
            yield

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
            listed(canonical_urls),
        )
        return [(url, CopyKey(article_id, source), group_id) for url, article_id, source, group_id in rows]

    def groups_of(self, exact_keys: Collection[str]) -> dict[str, str]:
        return dict(self._query(GROUPS_OF, listed(exact_keys)))

    def remember(self, texts: Sequence[NewText]) -> set[TextKey]:
        found = self._index.add(Entry(_name(text.key), text.published_at, text.fingerprint) for text in texts)
        return {_text_key(end) for link in found for end in (link.one, link.other)}

    def near(self, texts: Iterable[TextKey]) -> list[NearLink]:
        links = self._index.duplicates_around(map(_name, texts))
        return [NearLink(_text_key(link.one), _text_key(link.other), link.similarity) for link in links]

    def links(self) -> list[Link]:
        """Every link of the near index, sorted."""
        return self._index.links()

    def lacks_index(self) -> bool:
        """Was the near index lost, while the rest is there?"""
        [(lost,)] = self._query("SELECT EXISTS (SELECT 1 FROM versions) > EXISTS (SELECT 1 FROM near_articles)")
        return bool(lost)

    def _copies(self, column: str, values: Collection[str]) -> list[Copy]:
        found: dict[CopyKey, tuple[str, Place, list[Version]]] = {}
        for article_id, source, group_id, cluster_id, of, kind, similarity, *version in self._query(
            COPIES.format(column=column), listed(values)
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
        decisions = list(decisions)
        touched = self._come_back([decision for decision in decisions if decision.kind != "new"])
        elections = [election for decision in decisions for election in decision.elections]
        self._database.execute_many(ADD_COPY, map(_copy_row, decisions))
        self._database.execute_many(
            ADD_PAGE, ((a.page_digest, a.raw_ref, a.extractor) for a in _articles(decisions) if a.page_digest)
        )
        self._database.execute_many(
            MOVE_COPY,
            (
                (e.group_id, e.cluster_id, e.duplicate_of, e.duplicate_kind, e.similarity, e.article_id, e.source)
                for e in elections
            ),
        )
        touched |= self._add_versions(decisions)
        return touched | {CopyKey(election.article_id, election.source) for election in elections}

    def mark_gone(self, article_ids: Iterable[str], at: datetime, source: str | None = None) -> list[CopyKey]:
        """Remember that a site has these no more; gives the copies for which that is news."""
        changed: list[CopyKey] = []
        for article_id in article_ids:
            changed += (CopyKey(*row) for row in self._query(MARK_GONE, _us(at), article_id, source))
        return changed

    def remember_refused(self, digest: str, raw_ref: str) -> None:
        """A page that gave no article need not be archived again; it is read again, by rules that may be better."""
        if digest:
            self.execute(ADD_PAGE, digest, raw_ref, "")

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
        self._index.rebuild([])

    def stored(self, keys: Iterable[CopyKey]) -> list[Stored]:
        """What is known of these copies, in their order. Raises KeyError for one that is not known."""
        keys, found = list(keys), {}
        for *key, day, first_seen_at, gone_at, cluster_id, of, kind, similarity in self._query(STORED, _ids(keys)):
            copy = CopyKey(*key)
            place = Place(cluster_id, of, kind, similarity)
            home = date.fromisoformat(day) if day else None
            found[copy] = Stored(copy, home, _time(first_seen_at), _maybe_time(gone_at), place)
        return [found[key] for key in keys]

    def count(self) -> int:
        """How many copies are known."""
        [(count,)] = self._query("SELECT count(*) FROM copies")
        return int(count)

    # All of it, for whoever compares it with the lake

    def places(self) -> Iterator[tuple[str | None, ...]]:
        """article_id, source, day (empty if undated), cluster_id and duplicate_of of every copy; where the page it was
        last read from lies, and since when it is gone."""
        for *place, gone_at in self.execute(
            "SELECT article_id, source, coalesce(day, ''), cluster_id, duplicate_of, raw_ref, gone_at"
            " FROM copies LEFT JOIN pages ON digest = page_digest"
        ):
            yield *place, None if gone_at is None else _time(gone_at).isoformat()

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """article_id, source and text_hash of every version of every copy."""
        yield from self.execute("SELECT article_id, source, text_hash FROM versions")

    def refused_pages(self) -> list[str]:
        """Where the pages lie that gave no article."""
        return [raw_ref for (raw_ref,) in self._query("SELECT raw_ref FROM pages WHERE extractor = ''")]

    def damage(self) -> list[str]:
        """What the database itself finds wrong with its file. PostgreSQL looks after its own."""
        return self._database.damage()

    # Batches

    def begin_batch(self, batch_id: str, run_id: str, articles: int) -> Batch:
        [seq] = self._database.next_numbers(BATCHES)
        self.execute(
            "INSERT INTO batches (seq, batch_id, run_id, articles) VALUES (?, ?, ?, ?)", seq, batch_id, run_id, articles
        )
        return Batch(seq, batch_id, run_id)

    def touch(self, batch: Batch, keys: Iterable[CopyKey]) -> None:
        """These copies' rows in the lake have to be brought up to date before the batch is applied."""
        self._database.execute_many("INSERT INTO touched VALUES (?, ?, ?)", ((batch.seq, *key) for key in keys))

    def touched(self, batch: Batch) -> list[CopyKey]:
        return [CopyKey(*row) for row in self._query("SELECT article_id, source FROM touched WHERE seq = ?", batch.seq)]

    def move(self, key: CopyKey, day: date | None) -> None:
        """The copy's rows in this partition have to go."""
        self.execute("INSERT INTO moves VALUES (?, ?, ?) ON CONFLICT DO NOTHING", *key, day.isoformat() if day else "")

    def moves(self, keys: Collection[CopyKey]) -> list[tuple[CopyKey, date | None]]:
        """Which of these copies have rows left in a partition that is not theirs any more."""
        left = ((CopyKey(*key), day) for *key, day in self._query(MOVES, _ids(keys)))
        return [(key, date.fromisoformat(day) if day else None) for key, day in left if key in keys]

    def pending(self) -> list[Batch]:
        """Batches decided but not known to have reached the partitions, oldest first."""
        return [
            Batch(*row)
            for row in self._query("SELECT seq, batch_id, run_id FROM batches WHERE applied = 0 ORDER BY seq")
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
        failpoint("applied")

    def has_batch(self, batch_id: str) -> bool:
        return bool(self._query("SELECT 1 FROM batches WHERE batch_id = ?", batch_id))

    def head(self) -> Head:
        [(seq, path, at, whole)] = self._query("SELECT seq, path, at, whole FROM head")
        return Head(seq, path, _time(at), bool(whole))

    def outdate(self) -> None:
        """What it says of the lake is no longer so: whoever opens it next fills it anew."""
        self.execute("UPDATE head SET whole = 0")

    def filled(self) -> None:
        """It says what the lake holds. No commit makes it so: one that is applied may lie above what is outdated."""
        self.execute("UPDATE head SET whole = 1")

    def set_head(self, seq: int, path: str) -> None:
        self.execute("UPDATE head SET seq = ?, path = ?, at = ?", seq, path, _now())

    def last_seq(self) -> int:
        """The number of the latest batch."""
        return self._database.number(BATCHES)

    def raise_seq(self, seq: int) -> None:
        """Number the next batch above `seq`, which the lake already holds."""
        self._database.set_number(BATCHES, seq)

    # Fencing: a writer that was taken for dead must not commit any more

    def take_fence(self) -> int:
        with self.transaction():
            self.execute("UPDATE fence SET token = token + 1")
            return self.fence()

    def fence(self) -> int:
        """The number of the last writer; 0 in a ledger that no writer has used yet."""
        [(token,)] = self._query("SELECT token FROM fence")
        return int(token)

    def identity(self) -> str:
        """Of this ledger, for good: another one, filled from the same lake, has another."""
        with self.transaction():
            if not self._database.number(IDENTITY):
                self._database.set_number(IDENTITY, secrets.randbits(62) + 1)
            return f"{self._database.number(IDENTITY):x}"

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
            self._database.execute_many(
                ADD_VALIDATORS, ((v.url, v.etag, v.last_modified, v.body_sha256) for v in validators)
            )

    def validators(self, url: str) -> Validators | None:
        return _validators(self._query(VALIDATORS, url))

    def record_crawl(self, source: str, *, at: datetime, succeeded: bool, newest_at: datetime | None) -> None:
        tried_at = _us(at)
        self.execute(
            ADD_CRAWL, source, tried_at, tried_at if succeeded else None, _us(newest_at) if newest_at else None
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
            version = self._database.version()
            if version > VERSION:
                raise LedgerError(
                    f"{self.name}: written by a newer finnews (ledger {version}, this one knows {VERSION})"
                )
            if version < VERSION:
                for table in DERIVED_TABLES:
                    self.execute(f"DROP TABLE IF EXISTS {table}")
                self._database.create(DERIVED + HISTORY)
                self._database.set_version(VERSION)

    def _open_index(self) -> None:
        """An index of another version is dropped; it is filled again with the rest."""
        with self.transaction():
            try:
                self._index = NearIndex(self._database, window=self._window)
            except NearIndexError:
                for table in NEAR_TABLES:
                    self.execute(f"DROP TABLE {table}")
                self.execute("UPDATE head SET whole = 0")
                self._index = NearIndex(self._database, window=self._window)

    def _come_back(self, decisions: Sequence[Decision]) -> set[CopyKey]:
        """Those that were gone and are there again."""
        names = listed({article.article_id for article in _articles(decisions)})
        gone = {CopyKey(*key): gone_at for *key, gone_at in self._query(GONE, names)}
        seen = ((CopyKey(a.article_id, a.source), _us(a.fetched_at)) for a in _articles(decisions))
        return {key for key, seen_at in seen if key in gone and gone[key] <= seen_at}

    def _add_versions(self, decisions: Sequence[Decision]) -> set[CopyKey]:
        """Gives the copies that have got another version, or one that was fetched earlier than was known."""
        news = [_version_row(decision) for decision in decisions if decision.kind in FIRST_SEEN]
        self._database.execute_many(ADD_VERSIONS.format(rows=f"({', '.join('?' * VERSION_COLUMNS)})"), news)
        others: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for row in (_version_row(decision) for decision in decisions if decision.kind not in FIRST_SEEN):
            # A statement must not meet the same row twice.
            others[row[:3]] = min(row, others.get(row[:3], row), key=_version_age)
        changed = self._database.execute_rows(f"{ADD_VERSIONS} RETURNING article_id, source", list(others.values()))
        return {CopyKey(*row[:2]) for row in (*news, *changed)}

    def execute(self, statement: str, *values: Value) -> Rows:
        """A statement of one's own, in the same transaction and with the same errors."""
        return self._database.execute(statement, *values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        self._database.execute_many(statement, rows)

    def _query(self, statement: str, *values: Value) -> list[tuple[Any, ...]]:
        return self._database.query(statement, *values)


class Holds:
    """What a process keeps from the other workers of a shared ledger, such as a source that it crawls, until it lets go
    or its connection ends: at once if it dies, within a minute if its machine is gone without a word.

    Nobody waits: who does not get it does something else. Where one process writes at a time anyway, it gets all it
    asks for. On a connection of its own, for a ledger connects anew only while it holds nothing; should this one be
    lost, the worst is that two workers do one thing.
    """

    def __init__(self, lake: Path, ledger: str = "") -> None:
        """`ledger` is the url of a PostgreSQL database, "" for the lake's own file."""
        self._database = connect(ledger_location(lake, ledger), PART) if ledger else None
        self._held: dict[str, ExitStack] = {}
        self._lock = Lock()

    def take(self, name: str) -> bool:
        """Also true for what is held already."""
        with self._lock:
            if self._database and name not in self._held:
                held = ExitStack()
                if not held.enter_context(self._database.lease(name)):
                    return False
                self._held[name] = held
            return True

    def release(self, name: str) -> None:
        with self._lock:
            if held := self._held.pop(name, None):
                held.close()

    def close(self) -> None:
        for name in list(self._held):
            self.release(name)
        if self._database:
            self._database.close()


class KnownArticles:
    """The read side, for a crawl beside the writer. A lake without a ledger knows nothing."""

    def __init__(self, lake: Path, ledger: str = "") -> None:
        """`ledger` is the url of a PostgreSQL database, "" for the lake's own file."""
        location = ledger_location(lake, ledger)
        self._database: Database | None = None
        if exists(location):
            database = connect(location, PART, read_only=True)
            if database.has_table("copies"):
                self._database = database
            else:
                database.close()

    def __contains__(self, article_id: object) -> bool:
        return self._first("SELECT 1 FROM copies WHERE article_id = ? LIMIT 1", str(article_id)) is not None

    def page_digest(self, article_id: str) -> str | None:
        """Digest of the page that the article was last read from; None if it is not known."""
        found = self._first(
            "SELECT page_digest FROM copies WHERE article_id = ? ORDER BY last_seen_at DESC LIMIT 1", article_id
        )
        return (found[0] or None) if found else None

    def validators(self, url: str) -> Validators | None:
        return _validators(self._rows(VALIDATORS, url))

    def contained(self) -> list[tuple[str, str]]:
        """article_ids of pairs of which one is part of the other, by their current texts."""
        links = self._rows(CONTAINED, CONTAINED_KIND)
        pairs = [(_text_key(one), _text_key(other)) for one, other in links]
        return sorted(
            {(a.copy.article_id, b.copy.article_id) for a, b in pairs if self._current(a) and self._current(b)}
        )

    def close(self) -> None:
        if self._database:
            self._database.close()

    def _current(self, text: TextKey) -> bool:
        latest = self._first(
            "SELECT text_hash FROM versions WHERE article_id = ? AND source = ?"
            " ORDER BY fetched_at DESC, edited_at DESC, text_hash DESC",
            *text.copy,
        )
        return latest is not None and latest[0].startswith(text.mark)

    def _first(self, statement: str, *values: Value) -> tuple[Any, ...] | None:
        return next(iter(self._rows(statement, *values)), None)

    def _rows(self, statement: str, *values: Value) -> list[tuple[Any, ...]]:
        return self._database.query(statement, *values) if self._database else []


def ledger_path(lake: Path) -> Path:
    return Path(lake) / "_state" / "ledger.sqlite"


def ledger_location(lake: Path | str, url: str = "") -> Location:
    return located(ledger_path(Path(lake)), Path(lake), url)


def _validators(rows: Sequence[tuple[str, str | None, str | None, str]]) -> Validators | None:
    for url, etag, last_modified, body_sha256 in rows:
        return Validators(url=url, etag=etag, last_modified=last_modified, body_sha256=body_sha256)
    return None


def _ids(keys: Iterable[CopyKey]) -> str:
    return listed({key.article_id for key in keys})


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


def _articles(decisions: Iterable[Decision]) -> Iterator[Article]:
    return (decision.article for decision in decisions)


def _copy_row(decision: Decision) -> tuple[Value, ...]:
    article, seen_at = decision.article, _us(decision.article.fetched_at)
    return (
        article.article_id,
        article.source,
        decision.day.isoformat() if decision.day else None,
        seen_at,
        seen_at,
        article.page_digest,
        decision.group_id,
        decision.cluster_id,
        decision.duplicate_of,
        decision.duplicate_kind,
        decision.similarity,
    )


def _version_row(decision: Decision) -> tuple[Any, ...]:
    article = decision.article
    return (
        article.article_id,
        article.source,
        article.text_hash,
        decision.exact_key,
        article.canonical_url,
        _us(article.fetched_at),
        _us(edited_at(article)),
        _us(claimed_at(article)),
        article.date.isoformat() if article.date else None,
        article.lang,
    )


def _version_age(row: Sequence[Any]) -> tuple[Any, ...]:
    return *row[5:8], row[4]


def _name(text: TextKey) -> str:
    """What the near index calls a version: the copy, then its mark, whose length is fixed.

    In this order, for what comes in together lies together in an index of names then.
    """
    return f"{text.copy.source}/{text.copy.article_id}{text.mark}"


def _text_key(name: str) -> TextKey:
    source, _, article_id = name[:-MARK_CHARS].partition("/")
    return TextKey(CopyKey(article_id, source), name[-MARK_CHARS:])


def _now() -> int:
    return _us(datetime.now(UTC))


def _us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _maybe_time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _time(microseconds)

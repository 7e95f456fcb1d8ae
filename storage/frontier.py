"""What was listed and is not stored yet, in a database of its own: a crawl killed at any moment loses none of it.

    listed ──fetched──▶ fetched ──loaded──▶ gone from here (and planned for a second look, where the source wants one)
       │                   │
       └────refused────────┴──▶ refused ──loaded──▶ shelved: in quarantine, not asked for again for a while; then
                                                    listed, if a list still names it or the site may have been the cause

The crawl writes while its parent commits to the lake, so this is not the ledger: another SQLite file, or other tables
of the lake's PostgreSQL schema. Losing it loses what was waiting in it and the memory of the last polls; the crawl then
asks for its lists unconditionally.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from articles.records import Listed, Reason, Rejected
from storage.database import Location, Rows, Value, connect, exists, located
from storage.errors import LedgerError

VERSION: Final = 2
PART: Final = "frontier"
# A page that was refused is not asked for again at every poll, as long as its list names it.
SHELVED_FOR: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))
# Of these the site may be the cause, and not the page: a list is often online before the pages it names. They are asked
# for again although the list has gone on; so often.
MAY_PASS: Final = (Reason.HTTP, Reason.CHALLENGE)
ASKED_AGAIN: Final = 2
# RFC 9309 allows a day; a site that changes its mind is obeyed sooner.
ROBOTS_KEPT: Final = timedelta(hours=6)
FORGOTTEN_AFTER: Final = timedelta(days=60)

TABLES: Final = """
CREATE TABLE waiting (
    source TEXT NOT NULL, article_id TEXT NOT NULL, url TEXT NOT NULL,
    listed TEXT NOT NULL,              -- what the list said, as JSON
    whole INTEGER NOT NULL DEFAULT 0,  -- 1: the list carried the article itself
    state TEXT NOT NULL, listed_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    raw_ref TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '',
    changed_at REAL NOT NULL, next_at REAL NOT NULL DEFAULT 0,
    UNIQUE (source, article_id)
);
CREATE TABLE walks (source TEXT NOT NULL, list TEXT NOT NULL, PRIMARY KEY (source, list)) WITHOUT ROWID;
CREATE TABLE polls (
    source TEXT NOT NULL, list TEXT NOT NULL, walked_at REAL NOT NULL, newest_at REAL,
    head TEXT NOT NULL,                -- ids on its first page, as JSON
    PRIMARY KEY (source, list)
) WITHOUT ROWID;
CREATE TABLE gaps (
    source TEXT NOT NULL, list TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL, noticed_at REAL NOT NULL
);
CREATE TABLE revisits (
    source TEXT NOT NULL, article_id TEXT NOT NULL, url TEXT NOT NULL, listed TEXT NOT NULL,
    first_at REAL NOT NULL, due_at REAL NOT NULL,
    PRIMARY KEY (source, article_id)
) WITHOUT ROWID;
CREATE INDEX revisits_due ON revisits (source, due_at);
CREATE TABLE robots (
    source TEXT NOT NULL, origin TEXT NOT NULL, body BLOB, fetched_at REAL NOT NULL, PRIMARY KEY (source, origin)
);
CREATE TABLE quality (
    source TEXT NOT NULL, run_id TEXT NOT NULL, at REAL NOT NULL, articles INTEGER NOT NULL,
    shares TEXT NOT NULL,              -- field → share of the articles that have it, as JSON
    median_chars REAL NOT NULL,
    PRIMARY KEY (source, run_id)
)
"""

SINCE_2: Final = """
CREATE TABLE places (                  -- how far a backfill has come in a list
    source TEXT NOT NULL, list TEXT NOT NULL, place TEXT NOT NULL, PRIMARY KEY (source, list)
) WITHOUT ROWID
"""

ADD: Final = """
INSERT INTO waiting (source, article_id, url, listed, state, listed_at, changed_at)
VALUES (?1, ?2, ?3, ?4, 'listed', ?5, ?6)
ON CONFLICT (source, article_id) DO UPDATE SET state = 'listed', changed_at = ?6
WHERE waiting.state = 'shelved' AND waiting.next_at <= ?6
"""
FETCHED: Final = """
INSERT INTO waiting (source, article_id, url, listed, whole, state, listed_at, raw_ref, changed_at)
VALUES (?1, ?2, ?3, ?4, ?5, 'fetched', ?7, ?6, ?7)
ON CONFLICT (source, article_id) DO UPDATE SET state = 'fetched', raw_ref = ?6, whole = ?5, listed = ?4, changed_at = ?7
"""
# From the first answer on, refusals are counted; not the requests that came to nothing before it.
REFUSED: Final = """
INSERT INTO waiting (source, article_id, url, listed, state, listed_at, raw_ref, reason, detail, changed_at)
VALUES (?1, ?2, ?3, '{}', 'refused', ?7, ?4, ?5, ?6, ?7)
ON CONFLICT (source, article_id) DO UPDATE SET state = 'refused', raw_ref = ?4, reason = ?5, detail = ?6,
    changed_at = ?7, attempts = CASE WHEN waiting.next_at = 0 THEN 0 ELSE waiting.attempts END
"""
OFF_THE_SHELF: Final = f"""
UPDATE waiting SET state = 'listed', raw_ref = '', changed_at = ?2
WHERE source = ?1 AND state = 'shelved' AND next_at <= ?2 AND attempts <= {ASKED_AGAIN}
    AND reason IN ({", ".join(f"'{reason.value}'" for reason in MAY_PASS)})
"""
ADD_POLL: Final = """
INSERT INTO polls VALUES (?, ?, ?, ?, ?)
ON CONFLICT (source, list) DO UPDATE SET walked_at = excluded.walked_at, newest_at = excluded.newest_at,
    head = excluded.head
"""
ADD_ROBOTS: Final = """
INSERT INTO robots VALUES (?, ?, ?, ?)
ON CONFLICT (source, origin) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at
"""
ADD_QUALITY: Final = """
INSERT INTO quality VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (source, run_id) DO UPDATE SET at = excluded.at, articles = excluded.articles, shares = excluded.shares,
    median_chars = excluded.median_chars
"""
# A list is taken in at one moment; this keeps its order, and a float of today's size can still tell it apart.
NEXT_ON_LIST: Final = 1e-6

State = Literal["listed", "fetched", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One article on its way from a list into the lake."""

    article_id: str
    url: str
    listed: Listed
    state: State
    raw_ref: str = ""
    """Where its page lies, if it was fetched or refused for what it holds."""
    refusal: Rejected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    article_id: str
    url: str
    listed: Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """The last walk through a list that came to its end."""

    walked_at: datetime
    newest_at: datetime | None
    head: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Between two polls a list rolled over: what it named in the meantime was never seen."""

    source: str
    list: str
    since: datetime
    until: datetime
    noticed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the articles of one run looked like, to compare later runs with."""

    run_id: str
    at: datetime
    articles: int
    shares: Mapping[str, float]
    median_chars: float


class Frontier:
    """The part of one source. The crawl and the loader of that source may hold one each at a time."""

    def __init__(self, lake: Path, source: str, ledger: str = "", unit: str = "") -> None:
        """`ledger` is the url of a PostgreSQL database, "" for the lake's own file. What belongs to a unit of
        a backfill lies apart: the live crawl has its own to do."""
        self._site = source
        self.source = unit or source
        location = frontier_location(lake, ledger)
        if isinstance(location, Path):
            location.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Every change survives the death of this process at once, and a power cut from the next `sync` on.
            self._database = connect(location, PART, durability="sync")
        except LedgerError as error:
            raise LedgerError(f"{error}; move it away and the lists are read anew") from error
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Frontier:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # The crawl

    def waiting(self) -> list[Waiting]:
        """All that earlier crawls left, oldest first."""
        rows = self._query(
            "SELECT article_id, url, listed, state, raw_ref, reason, detail, changed_at FROM waiting"
            " WHERE source = ? AND state != 'shelved' ORDER BY listed_at, article_id",
            self.source,
        )
        return [self._waiting(row) for row in rows]

    def unshelve(self) -> None:
        """What was refused for something that may have passed is listed again, once it has rested."""
        self._execute(OFF_THE_SHELF, self.source, _now())

    def add(self, rows: Iterable[tuple[str, str, Listed]]) -> tuple[set[str], set[str]]:
        """Keeps what a list names: id, url, what it said. Gives the ids that are new here, and those to leave alone."""
        now = _now()
        fresh: set[str] = set()
        shelved: set[str] = set()
        with self._transaction():
            for at, (article_id, url, listed) in enumerate(rows):
                listed_at = now + at * NEXT_ON_LIST
                if self._execute(ADD, self.source, article_id, url, _dumped(listed), listed_at, now).rowcount:
                    fresh.add(article_id)
                elif self._state(article_id) == "shelved":
                    shelved.add(article_id)
        return fresh, shelved

    def fetched(self, article_id: str, url: str, listed: Listed, raw_ref: str, *, whole: bool = False) -> None:
        """The page is in the archive, and not in the lake yet."""
        self._execute(FETCHED, self.source, article_id, url, _dumped(listed), int(whole), raw_ref, _now())

    def refused(self, article_id: str, refusal: Rejected) -> None:
        """There will be no article, and the quarantine does not know yet."""
        self._execute(
            REFUSED, self.source, article_id, refusal.url, refusal.raw_ref, refusal.reason, refusal.detail, _now()
        )

    def tried(self, article_id: str) -> tuple[int, datetime]:
        """Counts a request that came to nothing for now; gives how many there were, and since when it is listed."""
        self._execute(
            "UPDATE waiting SET attempts = attempts + 1, changed_at = ? WHERE source = ? AND article_id = ?",
            _now(),
            self.source,
            article_id,
        )
        rows = self._query(
            "SELECT attempts, listed_at FROM waiting WHERE source = ? AND article_id = ?", self.source, article_id
        )
        return (rows[0][0], _time(rows[0][1])) if rows else (0, datetime.now(UTC))

    def drop(self, article_id: str) -> None:
        """Nothing of ours any more: stored meanwhile, or the site does not allow it."""
        self._execute("DELETE FROM waiting WHERE source = ? AND article_id = ?", self.source, article_id)

    def sets_out(self, key: str) -> bool:
        """Before the first page of a list is asked for; was the walk before this one cut short?"""
        row = (self.source, key)
        return self._execute("INSERT INTO walks VALUES (?, ?) ON CONFLICT DO NOTHING", *row).rowcount == 0

    def poll(self, key: str) -> Poll | None:
        rows = self._query(
            "SELECT walked_at, newest_at, head FROM polls WHERE source = ? AND list = ?", self.source, key
        )
        if not rows:
            return None
        walked_at, newest_at, head = rows[0]
        return Poll(walked_at=_time(walked_at), newest_at=_maybe(newest_at), head=frozenset(json.loads(head)))

    def walked(self, key: str, head: Sequence[str], newest_at: datetime | None) -> None:
        """A list was gone through to its end, and all that it named is kept."""
        newest = newest_at.timestamp() if newest_at else None
        with self._transaction():
            self._execute("DELETE FROM walks WHERE source = ? AND list = ?", self.source, key)
            self._execute(ADD_POLL, self.source, key, _now(), newest, json.dumps(head))

    def gap(self, key: str, since: datetime, until: datetime) -> None:
        self._execute(
            "INSERT INTO gaps VALUES (?, ?, ?, ?, ?)", self.source, key, since.timestamp(), until.timestamp(), _now()
        )

    def due(self, limit: int) -> list[Revisit]:
        """Stored articles that it is time to look at again."""
        rows = self._query(
            "SELECT article_id, url, listed FROM revisits WHERE source = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
            self.source,
            _now(),
            limit,
        )
        return [Revisit(article_id=each[0], url=each[1], listed=_listed(each[2])) for each in rows]

    def due_sources(self) -> list[str]:
        """All sources that have any of these."""
        return [source for (source,) in self._query("SELECT DISTINCT source FROM revisits WHERE due_at <= ?", _now())]

    def revisited(self, article_id: str, plan: Sequence[timedelta]) -> None:
        """Puts the article at its next date; what was missed meanwhile is not made up for."""
        rows = self._query("SELECT first_at FROM revisits WHERE source = ? AND article_id = ?", self.source, article_id)
        later = [rows[0][0] + step.total_seconds() for step in plan] if rows else []
        due_at = next((at for at in sorted(later) if at > _now()), None)
        if due_at is None:
            self.forget(article_id)
        else:
            self._execute(
                "UPDATE revisits SET due_at = ? WHERE source = ? AND article_id = ?", due_at, self.source, article_id
            )

    def forget(self, article_id: str) -> None:
        """No further look at an article: its plan is worked off, or it is gone."""
        self._execute("DELETE FROM revisits WHERE source = ? AND article_id = ?", self.source, article_id)

    def robots(self, origin: str) -> bytes | None:
        """What the robots.txt of a host said not long ago: its rules, b"" if it has none; None if that is not known."""
        rows = self._query(
            "SELECT body FROM robots WHERE source = ? AND origin = ? AND fetched_at BETWEEN ? AND ?",
            self._site,
            origin,
            _now() - ROBOTS_KEPT.total_seconds(),
            _now(),
        )
        return rows[0][0] if rows else None

    def keep_robots(self, origin: str, body: bytes) -> None:
        self._execute(ADD_ROBOTS, self._site, origin, body, _now())

    def place(self, key: str) -> str | None:
        """How far an earlier crawl of this unit has come in a list."""
        rows = self._query("SELECT place FROM places WHERE source = ? AND list = ?", self.source, key)
        return str(rows[0][0]) if rows else None

    def keep_place(self, key: str, place: str) -> None:
        """All that the list named up to here is kept."""
        self._execute(
            "INSERT INTO places VALUES (?, ?, ?) ON CONFLICT (source, list) DO UPDATE SET place = excluded.place",
            self.source,
            key,
            place,
        )

    def clear(self) -> None:
        """Forget this unit: what it had to do is done, or to be done anew."""
        with self._transaction():
            for table in ("waiting", "places"):
                self._execute(f"DELETE FROM {table} WHERE source = ?", self.source)

    # The loader

    def loaded(
        self,
        article_ids: Iterable[str],
        *,
        refused_urls: Collection[str] = (),
        first_seen: Collection[str] = (),
        revisit: Sequence[timedelta] = (),
    ) -> None:
        """The lake holds these now; of the refused ones the quarantine knows. Plans the second look at new articles."""
        now = _now()
        with self._transaction():
            for article_id in article_ids:
                if revisit and article_id in first_seen:
                    self._plan(article_id, now, min(revisit))
                self.drop(article_id)
            for url in refused_urls:
                self._shelve(url, now)
            self._execute(
                "DELETE FROM waiting WHERE source = ? AND state = 'shelved' AND next_at < ?",
                self.source,
                now - FORGOTTEN_AFTER.total_seconds(),
            )
        self.sync()

    def again(self, article_id: str) -> None:
        """What was fetched cannot be read any more: it is to be fetched again."""
        self._execute(
            "UPDATE waiting SET state = 'listed', raw_ref = '', changed_at = ? WHERE source = ? AND article_id = ?",
            _now(),
            self.source,
            article_id,
        )

    def sync(self) -> None:
        """From here on a power cut loses nothing of what stands here."""
        self._database.sync()

    # Looking back

    def gaps(self, since: datetime) -> list[Gap]:
        """Noticed since then, newest first."""
        rows = self._query(
            "SELECT list, since, until, noticed_at FROM gaps WHERE source = ? AND noticed_at >= ? ORDER BY 4 DESC",
            self.source,
            since.timestamp(),
        )
        return [
            Gap(source=self.source, list=key, since=_time(begin), until=_time(end), noticed_at=_time(noticed_at))
            for key, begin, end, noticed_at in rows
        ]

    def record_quality(self, quality: Quality) -> None:
        self._execute(
            ADD_QUALITY,
            self.source,
            quality.run_id,
            quality.at.timestamp(),
            quality.articles,
            json.dumps(dict(quality.shares)),
            quality.median_chars,
        )

    def quality(self, limit: int = 30) -> list[Quality]:
        """Of the latest runs that brought something, newest first."""
        rows = self._query(
            "SELECT run_id, at, articles, shares, median_chars FROM quality WHERE source = ? ORDER BY at DESC LIMIT ?",
            self.source,
            limit,
        )
        return [
            Quality(run_id=run_id, at=_time(at), articles=count, shares=json.loads(shares), median_chars=median)
            for run_id, at, count, shares, median in rows
        ]

    # The database

    def _plan(self, article_id: str, now: float, first: timedelta) -> None:
        """A list that carries whole articles shows an edit by itself: no second look at those."""
        self._execute(
            "INSERT INTO revisits SELECT source, article_id, url, listed, ?3, ?4 FROM waiting"
            " WHERE source = ?1 AND article_id = ?2 AND whole = 0 ON CONFLICT DO NOTHING",
            self.source,
            article_id,
            now,
            now + first.total_seconds(),
        )

    def _shelve(self, url: str, now: float) -> None:
        rows = self._query(
            "SELECT article_id, attempts FROM waiting WHERE source = ? AND url = ? AND state IN ('fetched', 'refused')",
            self.source,
            url,
        )
        for article_id, attempts in rows:
            rest = SHELVED_FOR[min(attempts, len(SHELVED_FOR) - 1)].total_seconds()
            self._execute(
                "UPDATE waiting SET state = 'shelved', attempts = attempts + 1, next_at = ?, changed_at = ?"
                " WHERE source = ? AND article_id = ?",
                now + rest,
                now,
                self.source,
                article_id,
            )

    def _state(self, article_id: str) -> str:
        rows = self._query("SELECT state FROM waiting WHERE source = ? AND article_id = ?", self.source, article_id)
        return rows[0][0] if rows else ""

    def _waiting(self, row: Sequence[Any]) -> Waiting:
        article_id, url, listed, state, raw_ref, reason, detail, changed_at = row
        refusal = None
        if state == "refused":
            refusal = Rejected(
                source=self._site,
                url=url,
                reason=Reason(reason),
                detail=detail,
                fetched_at=_time(changed_at),
                raw_ref=raw_ref,
                article_id=article_id,
            )
        return Waiting(
            article_id=article_id, url=url, listed=_listed(listed), state=state, raw_ref=raw_ref, refusal=refusal
        )

    def _prepare(self) -> None:
        with self._transaction():
            version = self._database.version()
            if version > VERSION:
                raise LedgerError(
                    f"{self._database.name}: written by a newer finnews (version {version}, this one knows {VERSION})"
                )
            if version == 0:
                self._database.create(TABLES)
            if version < VERSION:
                self._database.create(SINCE_2)
                self._database.set_version(VERSION)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._database.transaction():
            yield

    def _execute(self, statement: str, *values: Value) -> Rows:
        return self._database.execute(statement, *values)

    def _query(self, statement: str, *values: Value) -> list[tuple[Any, ...]]:
        return self._database.query(statement, *values)


def due_sources(lake: Path, ledger: str = "") -> list[str]:
    """Sources with stored articles that it is time to look at again."""
    if not exists(frontier_location(lake, ledger)):
        return []
    with Frontier(lake, "", ledger) as frontier:
        return frontier.due_sources()


def frontier_path(lake: Path) -> Path:
    return Path(lake) / "_state" / "frontier.sqlite"


def frontier_location(lake: Path | str, url: str = "") -> Location:
    return located(frontier_path(Path(lake)), Path(lake), url)


def _dumped(listed: Listed) -> str:
    # As ASCII: a lone surrogate in a title is no text that SQLite takes.
    return json.dumps({name: value for name, value in asdict(listed).items() if value})


def _listed(dumped: str) -> Listed:
    found = json.loads(dumped)
    return Listed(**found | {"tags": tuple(found.get("tags", ()))})


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)

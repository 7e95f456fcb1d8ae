"""Finds the near duplicates of new articles among all stored ones of about the same time, inside the ledger's database.

    near_articles   serial ↔ article_id
    near_segments   immutable blobs, each with the signatures and the sorted candidate keys of articles of one period
    near_links      pairs that are the same, near, or one contained in the other

Whether two articles are linked depends on these two alone – shared candidate key, times no further apart than the
window, verdict of `articles.near` – so the links are a function of the set of articles: no order of arrival, no
batches, no limit that a busy day could reach. Everything is written in the caller's transaction: a killed process
leaves what was committed. Nothing here is a source of truth; `rebuild` makes it anew from the lake's rows.

Pairs with equal texts and equal exact keys are left out. They are found by the key, over all history, and a thousand
copies of one text would be half a million links.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from articles.fingerprint import NO_KEY, SIGNATURE, VERSION, Records, records
from articles.near import DIFFERENT, FORM_CHARS, KINDS, NEAR, Judged, Kind, figure_masks, figures_may_agree, relations
from storage.database import Database, Value, listed

# Bump when the layout of a segment or the verdicts of `articles.near` change; an index of another layout or fingerprint
# version is rebuilt.
LAYOUT: Final = 7

WINDOW: Final = timedelta(days=30)
"""Copies published further apart are found only if their texts are equal. Reprints come within days."""
PERIOD_SECONDS = 32 * 86_400
"""Segments hold one period each; with a window no longer than a period, three of them are searched."""
# Segments of one size class are merged when there are this many; so an article is rewritten a few times, not often.
FAN_OUT = 8
LARGEST_SEGMENT = 65_536
# Verdicts asked for at once, and candidates held at once; they bound memory, whatever a batch brings up.
JUDGED_AT_ONCE = 1 << 14
CANDIDATES_AT_ONCE = 1 << 20
LOW_32 = 0xFFFFFFFF
CACHE_BYTES = 256 << 20
# A segment that so many batches did not look at is of a time that is over, or has been merged into another.
KEPT_BATCHES = 16
REBUILD_BATCH = 4_096

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS near_version (layout INTEGER NOT NULL, fingerprint INTEGER NOT NULL)",
    # A serial is never given again: segments keep rows of articles since replaced.
    "CREATE TABLE IF NOT EXISTS near_articles (serial INTEGER PRIMARY KEY,"
    " article_id TEXT NOT NULL UNIQUE, stamp INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS near_segments (number INTEGER PRIMARY KEY, period INTEGER NOT NULL,"
    " articles INTEGER NOT NULL, stamp INTEGER NOT NULL, content BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS near_segments_period ON near_segments (period, articles, stamp)",
    # Each link is stored both ways round.
    "CREATE TABLE IF NOT EXISTS near_links (one INTEGER NOT NULL, other INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " similarity REAL NOT NULL, PRIMARY KEY (one, other)) WITHOUT ROWID",
)
TABLES = ("near_articles", "near_segments", "near_links", "near_version")
SERIALS, SEGMENTS = "near_articles", "near_segments"
"""Of `Database.next_numbers`."""

SEGMENT_RECORD = np.dtype([(name, SIGNATURE[name]) for name in SIGNATURE.names or () if name != "keys"])
"""A signature without its keys: the segment has those sorted."""

Ints = NDArray[np.int64]
Keys = NDArray[np.uint32]


class NearIndexError(RuntimeError):
    """The index cannot be used as it is: of another version, or damaged. Rebuild it from the lake."""


class Entry(NamedTuple):
    """What the index needs to know of an article: as its row in the lake has it."""

    article_id: str
    published_at: datetime
    """Where the time of publication is unknown, the first time the article was seen."""
    fingerprint: bytes


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Two articles that are more than different; one < other."""

    one: str
    other: str
    kind: Kind
    similarity: float

    @property
    def duplicate(self) -> bool:
        return self.kind in ("same", "near")


class NearIndex:
    """Near duplicates of articles, kept in tables of a database that belongs to the caller.

    No method begins or ends a transaction.
    """

    def __init__(self, database: Database, *, window: timedelta = WINDOW, cache_bytes: int = CACHE_BYTES) -> None:
        self._database = database
        self._window = int(window.total_seconds())
        self._reach = -(-self._window // PERIOD_SECONDS)
        self._segments = _SegmentCache(database, cache_bytes)
        for statement in SCHEMA:
            database.execute(statement)
        self._check_version()

    def add(self, entries: Iterable[Entry]) -> list[Link]:
        """Index articles; gives their links with one another and with all that were there.

        An article that is there already with the same time and fingerprint changes nothing and gives nothing; with
        another of either, it takes the place of the former.
        """
        fresh = self._fresh(entries)
        if not fresh:
            return []
        batch = _segments_by_period(self._register(fresh), [entry for entry, _ in fresh])
        links = self._link(batch)
        for period, segment in batch.items():
            self._write(period, segment)
            self._compact(period)
        self._segments.forget_unused()
        return links

    def remove(self, article_ids: Iterable[str]) -> None:
        """Forget articles. What segments hold of them is passed over from now on."""
        serials = self._database.query(
            "SELECT serial FROM near_articles WHERE article_id IN (SELECT value FROM json_each(?))", listed(article_ids)
        )
        links = self._database.query(
            "SELECT one, other FROM near_links WHERE one IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
            listed(serial for (serial,) in serials),
        )
        for way in (1, -1):
            self._database.execute_many(
                "DELETE FROM near_links WHERE one = ? AND other = ?", (tuple(link)[::way] for link in links)
            )
        self._database.execute_many("DELETE FROM near_articles WHERE serial = ?", serials)

    def duplicates_around(self, article_ids: Iterable[str]) -> list[Link]:
        """All duplicate links of the components these articles are in: what `near.cluster` must see of the past."""
        return self._links(
            "WITH RECURSIVE reached (serial) AS ("
            " SELECT serial FROM near_articles WHERE article_id IN (SELECT value FROM json_each(?))"
            " UNION SELECT other FROM near_links JOIN reached ON one = serial WHERE kind >= ?)"
            " SELECT a.article_id, b.article_id, kind, similarity FROM reached JOIN near_links ON one = reached.serial"
            " JOIN near_articles a ON a.serial = one JOIN near_articles b ON b.serial = other"
            " WHERE one < other AND kind >= ?",
            listed(article_ids),
            NEAR,
            NEAR,
        )

    def links(self) -> list[Link]:
        """Every link, sorted."""
        return self._links(
            "SELECT a.article_id, b.article_id, kind, similarity FROM near_links"
            " JOIN near_articles a ON a.serial = one JOIN near_articles b ON b.serial = other WHERE one < other"
        )

    def rebuild(self, entries: Iterable[Entry]) -> None:
        """Forget everything and index these."""
        for table in TABLES:
            self._database.execute(f"DELETE FROM {table}")
        self._database.set_number(SERIALS, 0)
        self._check_version()
        remaining = iter(entries)
        while batch := list(islice(remaining, REBUILD_BATCH)):
            self.add(batch)

    def __len__(self) -> int:
        [(count,)] = self._database.query("SELECT count(*) FROM near_articles")
        return int(count)

    def _check_version(self) -> None:
        found = self._database.query("SELECT layout, fingerprint FROM near_version")
        if not found:
            self._database.execute("INSERT INTO near_version VALUES (?, ?)", LAYOUT, VERSION)
        elif found != [(LAYOUT, VERSION)]:
            raise NearIndexError(
                f"near index of layout {found[0][0]} and fingerprint version {found[0][1]}; "
                f"this code has {LAYOUT} and {VERSION}: rebuild it from the lake"
            )

    def _fresh(self, entries: Iterable[Entry]) -> list[tuple[Entry, int]]:
        """Entries that are new or changed, once each, with their stamps."""
        latest = {entry.article_id: entry for entry in entries}
        known = dict(
            self._database.query(
                "SELECT article_id, stamp FROM near_articles WHERE article_id IN (SELECT value FROM json_each(?))",
                listed(latest),
            )
        )
        stamps = ((entry, _stamp_of(entry)) for entry in latest.values())
        fresh = [(entry, stamp) for entry, stamp in stamps if known.get(entry.article_id) != stamp]
        self.remove(entry.article_id for entry, _ in fresh if entry.article_id in known)
        return fresh

    def _register(self, fresh: Sequence[tuple[Entry, int]]) -> range:
        serials = self._database.next_numbers(SERIALS, len(fresh))
        self._database.execute_many(
            "INSERT INTO near_articles VALUES (?, ?, ?)",
            [(serial, entry.article_id, stamp) for serial, (entry, stamp) in zip(serials, fresh, strict=True)],
        )
        return serials

    def _link(self, batch: Mapping[int, _Segment]) -> list[Link]:
        found: dict[tuple[int, int], tuple[int, float]] = {}
        for period, new in batch.items():
            around = range(period - self._reach, period + self._reach + 1)
            for segment in (*self._stored(around), *(batch[p] for p in around if p in batch)):
                for one, other, judged in _judge(new, segment, self._window):
                    verdicts = zip(judged.kind.tolist(), judged.similarity.tolist(), strict=True)
                    found |= zip(zip(one.tolist(), other.tolist(), strict=True), verdicts, strict=True)
        return self._store_links(found)

    def _stored(self, periods: range) -> Iterator[_Segment]:
        rows = self._database.query(
            "SELECT number, stamp FROM near_segments WHERE period BETWEEN ? AND ? ORDER BY number",
            periods[0],
            periods[-1],
        )
        return (self._segments.read(number, stamp) for number, stamp in rows)

    def _store_links(self, found: dict[tuple[int, int], tuple[int, float]]) -> list[Link]:
        """Links whose two ends are still there; a segment may name an article that has been replaced."""
        ids = dict(
            self._database.query(
                "SELECT serial, article_id FROM near_articles"
                " WHERE serial IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
                listed(sorted({serial for pair in found for serial in pair})),
            )
        )
        alive = {pair: verdict for pair, verdict in found.items() if pair[0] in ids and pair[1] in ids}
        for way in (1, -1):
            self._database.execute_many(
                "INSERT INTO near_links VALUES (?, ?, ?, ?)",
                ((*pair[::way], *verdict) for pair, verdict in alive.items()),
            )
        return sorted(_link(ids[one], ids[other], *verdict) for (one, other), verdict in alive.items())

    def _links(self, query: str, *values: Value) -> list[Link]:
        return sorted(_link(*row) for row in self._database.query(query, *values))

    def _write(self, period: int, segment: _Segment) -> None:
        content = segment.to_bytes()
        [number] = self._database.next_numbers(SEGMENTS)
        self._database.execute(
            "INSERT INTO near_segments VALUES (?, ?, ?, ?, ?)",
            number,
            period,
            len(segment.serial),
            _stamp(content),
            content,
        )

    def _compact(self, period: int) -> None:
        """Merge the segments of a size class that has become full; the result may fill the next class."""
        classes: dict[int, list[tuple[int, int]]] = {}
        for number, articles, stamp in self._database.query(
            "SELECT number, articles, stamp FROM near_segments WHERE period = ? AND articles < ? ORDER BY number",
            period,
            LARGEST_SEGMENT,
        ):
            classes.setdefault((articles.bit_length() - 1) // (FAN_OUT.bit_length() - 1), []).append((number, stamp))
        for members in classes.values():
            if len(members) >= FAN_OUT:
                merged = _Segment.merge([self._segments.read(number, stamp) for number, stamp in members])
                self._database.execute_many(
                    "DELETE FROM near_segments WHERE number = ?", [(number,) for number, _ in members]
                )
                self._write(period, merged)
                self._compact(period)
                return


# ---------------------------------------------------------------- segments


@dataclass(frozen=True, slots=True)
class _Segment:
    """Articles of one period in columns, and their candidate keys in order, each with the row that has it."""

    serial: Ints
    published: Ints
    figures: NDArray[np.uint64]
    """The masks of `near.figure_masks`."""
    record: Records
    key: Keys
    row: Keys

    @classmethod
    def of(cls, serial: Ints, published: Ints, signed: Records) -> Self:
        row, column = np.nonzero(signed["keys"] != NO_KEY)
        key = signed["keys"][row, column]
        order = np.argsort(key, kind="stable")
        record = np.empty(len(signed), SEGMENT_RECORD)
        for name in SEGMENT_RECORD.names or ():
            record[name] = signed[name]
        return cls(serial, published, figure_masks(signed), record, key[order], row[order].astype(np.uint32))

    @classmethod
    def merge(cls, parts: Sequence[Self]) -> Self:
        starts = np.cumsum([0, *(len(part.serial) for part in parts[:-1])])
        key = np.concatenate([part.key for part in parts])
        row = np.concatenate([part.row + np.uint32(start) for part, start in zip(parts, starts, strict=True)])
        order = np.argsort(key, kind="stable")
        return cls(
            np.concatenate([part.serial for part in parts]),
            np.concatenate([part.published for part in parts]),
            np.concatenate([part.figures for part in parts]),
            np.concatenate([part.record for part in parts]),
            key[order],
            row[order],
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        articles, keys = np.frombuffer(content, "<u4", 2).tolist()
        at = 8
        serial = np.frombuffer(content, "<i8", articles, at)
        published = np.frombuffer(content, "<i8", articles, at := at + serial.nbytes)
        figures = np.frombuffer(content, "<u8", articles, at := at + published.nbytes)
        record = np.frombuffer(content, SEGMENT_RECORD, articles, at := at + figures.nbytes)
        key = np.frombuffer(content, "<u4", keys, at := at + record.nbytes)
        return cls(serial, published, figures, record, key, np.frombuffer(content, "<u4", keys, at + key.nbytes))

    def to_bytes(self) -> bytes:
        """Little-endian throughout: numpy's native order on every machine this runs on."""
        sizes = np.array([len(self.serial), len(self.key)], "<u4")
        columns = (sizes, self.serial, self.published, self.figures, self.record, self.key, self.row)
        return b"".join(column.tobytes() for column in columns)


class _Held(NamedTuple):
    segment: _Segment
    size: int
    batch: int
    """That read it last."""


class _SegmentCache:
    """Parsed segments, as long as they are in use; the least recently used ones go first. Known by number and stamp:
    after a rollback the same number may be given to another content."""

    def __init__(self, database: Database, limit_bytes: int) -> None:
        self._database = database
        self._limit = limit_bytes
        self._held: OrderedDict[tuple[int, int], _Held] = OrderedDict()
        self._bytes = 0
        self._batch = 0

    def read(self, number: int, stamp: int) -> _Segment:
        held = self._held.pop((number, stamp), None)
        if held is None:
            held = self._load(number, stamp)
            self._bytes += held.size
        self._held[number, stamp] = held._replace(batch=self._batch)
        while self._bytes > self._limit and len(self._held) > 1:
            self._drop_oldest()
        return held.segment

    def forget_unused(self) -> None:
        """At the end of a batch."""
        self._batch += 1
        while self._held and next(iter(self._held.values())).batch < self._batch - KEPT_BATCHES:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._bytes -= self._held.popitem(last=False)[1].size

    def _load(self, number: int, stamp: int) -> _Held:
        [(content,)] = self._database.query("SELECT content FROM near_segments WHERE number = ?", number)
        if _stamp(content) != stamp:
            raise NearIndexError(f"segment {number} of the near index is damaged: rebuild it from the lake")
        return _Held(_Segment.from_bytes(content), len(content), self._batch)


# ---------------------------------------------------------------- search


def _segments_by_period(serials: range, entries: Sequence[Entry]) -> dict[int, _Segment]:
    serial = np.array(serials, np.int64)
    published = np.array([_seconds(entry) for entry in entries], np.int64)
    signed = records([entry.fingerprint for entry in entries])
    period = published // PERIOD_SECONDS
    chosen = {p: period == p for p in np.unique(period).tolist()}
    return {p: _Segment.of(serial[rows], published[rows], signed[rows]) for p, rows in chosen.items()}


def _judge(new: _Segment, known: _Segment, window: int) -> Iterator[tuple[Ints, Ints, Judged]]:
    """Serials of known and new articles that are more than different, and what they are to one another."""
    for candidates in _candidates(new, known, window):
        for at in range(0, len(candidates), JUDGED_AT_ONCE):
            a, b = (candidates[at : at + JUDGED_AT_ONCE] & LOW_32), (candidates[at : at + JUDGED_AT_ONCE] >> 32)
            judged = relations(known.record[a], new.record[b])
            linked = judged.kind != DIFFERENT
            if linked.any():
                yield known.serial[a[linked]], new.serial[b[linked]], judged.where(linked)


def _candidates(new: _Segment, known: _Segment, window: int) -> Iterator[Ints]:
    """Pairs that share a key and lie within the window, each once: the new row in the upper, the known in the lower
    half of a number."""
    hit, first, count = _matches(new.key, known.key)
    # By row, so that all keys of a pair come in one block.
    order = np.argsort(new.row[hit], kind="stable")
    hit, first, count = hit[order], first[order], count[order]
    all_earlier, all_within = _all_earlier(new, known), _all_within(new, known, window)
    for block in _blocks(count, new.row[hit]):
        asked, a = new.row[hit[block]], known.row[_ranges(first[block], count[block])]
        # Most of many are other reports from one template; that goes first.
        likely = figures_may_agree(known.figures[a], np.repeat(new.figures[asked], count[block]))
        a, b = a[likely].astype(np.int64), np.repeat(asked, count[block])[likely].astype(np.int64)
        if not all_earlier:
            # Of two articles that are both new, only the later one asks.
            kept = known.serial[a] < new.serial[b]
            a, b = a[kept], b[kept]
        if not all_within:
            kept = np.abs(known.published[a] - new.published[b]) <= window
            a, b = a[kept], b[kept]
        pairs = np.unique((b << 32) | a)
        yield pairs[_not_one_text(known.record, pairs & LOW_32, new.record, pairs >> 32)]


def _matches(asked: Keys, known: Keys) -> tuple[Ints, Ints, Ints]:
    """Which of the asked keys are known, and where: from `first` on, `count` of them. Both are sorted."""
    first = np.searchsorted(known, asked, side="left")
    # Most are in no other article; only for the others it is asked how many there are.
    hit = np.flatnonzero(known[np.minimum(first, len(known) - 1)] == asked) if len(known) else first[:0]
    first = first[hit]
    return hit, first, np.searchsorted(known, asked[hit], side="right") - first


def _all_earlier(new: _Segment, known: _Segment) -> bool:
    return int(known.serial.max()) < int(new.serial.min())


def _all_within(new: _Segment, known: _Segment, window: int) -> bool:
    ends = (
        int(new.published.max()) - int(known.published.min()),
        int(known.published.max()) - int(new.published.min()),
    )
    return max(ends) <= window


def _not_one_text(known: Records, a: Ints, new: Records, b: Ints) -> NDArray[np.bool_]:
    """False where equal texts are recognised by their exact key: always, but for short ones under unlike titles."""
    # A column at a time: a record is forty times as wide as what is asked of it.
    kept: NDArray[np.bool_] = known["text"][a] != new["text"][b]
    equal = np.flatnonzero(~kept)
    a, b = a[equal], b[equal]
    kept[equal] = (known["periods"][a] != new["periods"][b]).any(axis=1) & (known["chars"][a] < FORM_CHARS)
    return kept


def _blocks(count: Ints, row: Keys) -> Iterator[slice]:
    """Stretches with about CANDIDATES_AT_ONCE candidates each, never parting those of one row."""
    if not len(row):
        return
    ends = np.append(np.flatnonzero(np.diff(row)) + 1, len(row))
    block = np.cumsum(count)[ends - 1] // CANDIDATES_AT_ONCE
    start = 0
    for end in ends[np.append(np.flatnonzero(np.diff(block)), len(ends) - 1)].tolist():
        yield slice(start, end)
        start = end


def _ranges(first: Ints, count: Ints) -> Ints:
    """first[0], first[0] + 1 … (count[0] of them), first[1] …"""
    ends = np.cumsum(count)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + count, count)


def _link(one: str, other: str, kind: int, similarity: float) -> Link:
    return Link(min(one, other), max(one, other), KINDS[kind], round(similarity, 4))


def _seconds(entry: Entry) -> int:
    return int(entry.published_at.timestamp())


def _stamp_of(entry: Entry) -> int:
    return _stamp(entry.fingerprint + _seconds(entry).to_bytes(8, "little", signed=True))


def _stamp(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little", signed=True)

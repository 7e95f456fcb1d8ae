"""The lake: commits batches of articles into Parquet partitions, so that any reader at any moment sees whole rows.

    journal ──▶ ledger: decide, record as pending ──▶ partitions: additions, then removals ──▶ ledger: applied
    (fsync)     (one transaction, with the index)     (merge, stage, fsync, rename)

Every step can be repeated: a writer killed anywhere is finished by the next one that opens the lake. The ledger decides
where a copy belongs, the journal and the partitions hold what it says. State can be lost, or be of another time than
the lake: it is rebuilt from the lake.
"""

from __future__ import annotations

import errno
import logging
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pyarrow as pa

from articles.decide import CopyKey, decide
from articles.fingerprint import with_fingerprints
from articles.records import Article, Decision, Rejected
from storage.claim import Claim
from storage.compact import Sealed, compact
from storage.errors import LakeError, LedgerError, NotWritable
from storage.failpoint import failpoint
from storage.journal import Entry, Journal
from storage.ledger import Batch, Ledger, Stored, ledger_location
from storage.lock import WriterLock
from storage.merge import COPY_TREES, Change, first_changes, first_versions, merge
from storage.migrate import Migrated, migrate
from storage.near_index import NearIndexError
from storage.partitions import Partition, PartitionFile, decode, encode, partition_key
from storage.rebuild import NO_DAYS, Days, agrees, changed_unseen, rebuild
from storage.reread import RowKey, row_key
from storage.schema import Row, Tree, article_of, rejected_row, table
from storage.seen import Seen
from storage.store import Blob, home_of, open_store, remote_of

log = logging.getLogger("finnews.lake")

WRITERS = 4
# Writes to one file that others may get in before; each wait is longer, up to a second.
ATTEMPTS = 60
# Waiting helps with a full disk; with these it does not.
WRONG_PLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


class Lake:
    """A writer of a lake; its threads may share it. Use `Lake.open` in a with statement.

    With a ledger in SQLite it is the only writer as long as it is open. With one in PostgreSQL there may be several:
    each commit is made in a turn of its own, and in its turn a writer is alone.
    """

    def __init__(self, lake: str | Path, ledger: str = "", *, brief: bool = False) -> None:
        self.store = open_store(lake)
        self.root = home_of(str(lake))
        self._mutex = threading.RLock()
        self._unfinished = False
        self._fence = -1
        self._lock = WriterLock(self.root, brief=brief)
        self.store.prepare()
        try:
            (self.root / "_state").mkdir(parents=True, exist_ok=True)
            if not ledger:
                self._lock.take()
        except OSError as error:
            kind = NotWritable if error.errno in WRONG_PLACE else LakeError
            raise kind(f"{self.root}: cannot write to the lake ({error.strerror})") from error
        self._journal = Journal(self.store)
        self._pool = ThreadPoolExecutor(WRITERS)
        try:
            self.ledger = self._open_ledger(ledger)
        except BaseException:
            self._lock.release()
            raise
        if not self.ledger.shared:
            self._fence = self.ledger.take_fence()
        shared = bool(remote_of(self.root))
        self._claim = Claim(self.store, self.ledger.identity()) if shared else None
        self._seen = Seen(self.store, self.ledger) if shared else None

    @classmethod
    def open(cls, lake: str | Path, ledger: str = "", *, brief: bool = False) -> Lake:
        """Finish what a killed writer left. `lake` is where it is, or its folder; `ledger` is the url of a PostgreSQL
        database, "" for a file in that folder.

        Raises LockHeld while another run writes to a lake with such a file; a brief one lets go within seconds, so that
        others need not give up.
        """
        opened = cls(lake, ledger, brief=brief)
        try:
            opened.recover()
        except BaseException:
            opened.close()
            raise
        return opened

    def close(self) -> None:
        self._pool.shutdown()
        self.ledger.close()
        self._lock.release()

    def __enter__(self) -> Lake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def commit(self, articles: Sequence[Article], *, run_id: str) -> list[Decision]:
        """Decide about each article and store what is new, all or nothing. Durable when it returns."""
        if not articles:
            return []
        for article in articles:
            Partition.of(article.source, article.date)
        articles = with_fingerprints(articles)
        with self._turn():
            entry = Entry(uuid.uuid4().hex, run_id, articles)
            self._journal.add(entry)
            failpoint("journaled")
            # Until it has reached the partitions, the next commit has to finish this one first.
            self._unfinished = True
            try:
                batch, decisions = self._decide(entry)
            except BaseException:
                # What was not decided is not to be replayed: the caller knows that it failed.
                if not self.ledger.has_batch(entry.batch_id):
                    self._journal.remove(entry.batch_id)
                raise
            failpoint("decided")
            self._apply(batch, entry.articles)
            return decisions

    def mark_gone(
        self, article_ids: Iterable[str], *, at: datetime, run_id: str, source: str | None = None
    ) -> list[CopyKey]:
        """Flag articles whose pages a site (every one, if none is named) answers with 404 or 410; their texts stay.

        Seen again later, they lose the flag. Gives the copies for which it is news.
        """
        with self._turn():
            with self.ledger.transaction():
                self._require_fence()
                gone = self.ledger.mark_gone(article_ids, at, source)
                if not gone:
                    return []
                batch = self.ledger.begin_batch(uuid.uuid4().hex, run_id, 0)
                self.ledger.touch(batch, gone)
            self._unfinished = True
            self._apply(batch, ())
            return gone

    def quarantine(self, rejected: Iterable[Rejected], *, run_id: str) -> int:
        """Keep what gave no article, once a day for each page and reason. Gives how many were not known."""
        by_partition: dict[Partition, list[Rejected]] = defaultdict(list)
        for each in rejected:
            by_partition[Partition(each.reason, f"{each.fetched_at.astimezone(UTC):%Y-%m-%d}")].append(each)
        with self._turn():
            self._require_fence()
            added = sum(self._quarantine(partition, each, run_id) for partition, each in by_partition.items())
            self.store.sync()
        return added

    def release(self, partition: Partition, released: Collection[tuple[str, str]]) -> None:
        """Take refusals out of quarantine: (source, url) of each; in place of an address it has not, its raw_ref, or
        else its detail."""
        key = partition_key("quarantine", partition)
        with self._turn():
            self._require_fence()
            before = self.store.read(key)
            rows = decode(before.data, self._name(key)).to_pylist() if before else []
            kept = [row for row in rows if _refused(row) not in released]
            if before and len(kept) < len(rows):
                self._replace(key, before, encode(table("quarantine", kept), "quarantine"))
                self.store.sync()

    def compact(self, before: date, *, sources: Collection[str] = ()) -> Iterator[Sealed]:
        """Seal the partitions of days before this one. No row changes, and readers need not stop."""
        with self._turn():
            yield from compact(self.store, before, sources=sources, may_write=self._require_fence, writers=self._pool)

    def migrate(self) -> Iterator[Migrated]:
        """Bring files of an older finnews into the columns of today. No value changes, and readers need not stop."""
        with self._turn():
            yield from migrate(self.store, may_write=self._require_fence)

    def recover(self) -> int:
        """Finish the commits that were cut short; gives how many. May be repeated, and readers need not stop."""
        with self._turn(finish=False, claimed=False):
            if self._claim and not self._claim.is_ours():
                # First of all: killed from here on, we know that our ledger is of another lake.
                self.ledger.outdate()
                self._claim.take()
            if not agrees(self.ledger, self.store) or not self._knows_all():
                self._rebuild()
                if self.ledger.count():
                    log.warning("%s: lost, or of another time than the lake; rebuilt from its rows", self.ledger.name)
            return self._finish()

    def number(self, run_id: str) -> Batch:
        """A commit's number for rows that are rewritten."""
        with self._turn():
            return self.ledger.begin_batch(uuid.uuid4().hex, run_id, 0)

    def rewrite(self, partition: Partition, tree: Tree, rows: Mapping[RowKey, Row], *, outdated: bool) -> None:
        """Put other rows in place of those named. If `outdated`, the ledger no longer knows what they say: until
        `reindex`, whoever opens the lake makes it anew."""
        with self._turn():
            self._require_fence()
            key = partition_key(tree, partition)
            before = self.store.read(key)
            if before is None:
                return
            if outdated:
                self.ledger.outdate()
            after = [rows.get(row_key(row), row) for row in decode(before.data, self._name(key)).to_pylist()]
            self._replace(key, before, encode(table(tree, after), tree))
            self.store.sync()

    def reindex(self, days: Days = NO_DAYS) -> int:
        """Make ledger and near index anew from the rows; gives how many articles they know.

        Nothing else changes, but for versions named in `days`: they move to the day they were published.
        """
        with self._turn():
            self._finish()
            self._rebuild(days)
            self._finish()
            return self.ledger.count()

    @contextmanager
    def _turn(self, *, finish: bool = True, claimed: bool = True) -> Iterator[None]:
        """Nobody else writes; what was cut short before is finished first."""
        with self._mutex, self._alone(finish=finish, claimed=claimed):
            yield
            if self._seen:
                self._seen.keep()

    @contextmanager
    def _alone(self, *, finish: bool, claimed: bool) -> Iterator[None]:
        if self._lock.is_held:
            if claimed:
                self._require_claim()
            if finish and self._unfinished:
                self._finish()
            yield
            return
        with self.ledger.turn(), self._lock:
            self._fence = self.ledger.take_fence()
            if claimed:
                self._require_claim()
            if finish and self.ledger.pending():
                self._finish()
            yield

    def _knows_all(self) -> bool:
        """Whether whoever had the lake before has put nothing since."""
        if self._seen:
            unseen = changed_unseen(self.ledger, self.store, self._seen.versions())
            if unseen is None:
                return False
            with self.ledger.transaction():
                self._seen.add(unseen)
        return True

    def _finish(self) -> int:
        self._require_fence()
        self.store.sweep()
        waiting = self._journal.batch_ids()
        pending = self.ledger.pending()
        for batch in pending:
            entry = self._journal.entry(batch.batch_id) if batch.batch_id in waiting else None
            self._apply(batch, entry.articles if entry else ())
        undecided = 0
        for batch_id in waiting:
            if self.ledger.has_batch(batch_id):
                # Applied, but killed before the entry was taken out.
                self._journal.remove(batch_id)
            elif entry := self._journal.entry(batch_id):
                batch, _ = self._decide(entry)
                self._apply(batch, entry.articles)
                undecided += 1
        self._unfinished = False
        return len(pending) + undecided

    def _open_ledger(self, url: str) -> Ledger:
        try:
            return Ledger(ledger_location(self.root, url))
        except LedgerError as error:
            hint = "" if url else "; move it away and it is rebuilt from the lake"
            raise LakeError(f"{error}{hint}") from error

    def _rebuild(self, days: Days = NO_DAYS) -> None:
        with self.ledger.transaction():
            self._require_fence()
            versions = rebuild(self.ledger, self.store, days)
            if self._seen:
                self._seen.reset(versions)

    def _require_fence(self) -> None:
        if self.ledger.fence() != self._fence or not self._lock.is_ours():
            raise LakeError(f"{self.store.url}: another run has taken the lake over; this one may not write any more")

    def _require_claim(self) -> None:
        if self._claim and not self._claim.is_ours():
            raise LakeError(f"{self.store.url}: a run with another ledger has taken the lake over; this one stops")

    def _decide(self, entry: Entry) -> tuple[Batch, list[Decision]]:
        try:
            return self._decide_once(entry)
        except NearIndexError as error:
            log.warning("%s: %s; it is rebuilt", self.ledger.name, error)
            self._rebuild()
            return self._decide_once(entry)

    def _decide_once(self, entry: Entry) -> tuple[Batch, list[Decision]]:
        with self.ledger.transaction():
            self._require_fence()
            decisions = decide(entry.articles, self.ledger)
            batch = self.ledger.begin_batch(entry.batch_id, entry.run_id, len(entry.articles))
            self.ledger.touch(batch, self.ledger.record(decisions))
        return batch, decisions

    def _apply(self, batch: Batch, articles: Iterable[Article]) -> None:
        """Bring the partitions to what the ledger says. Readers see additions before removals."""
        touched = self.ledger.touched(batch)
        shares, strays = self._shares(touched, articles), list(self._strays(touched))
        left = self._bring_all(shares, batch)
        failpoint("added")
        self._bring_all(left, batch, removing=True)
        for key, partition in strays:
            self._take_out(partition, key.article_id)
        self.store.sync(self._pool)
        self._require_fence()
        if self._claim and not self._claim.is_ours():
            # What was put just now, the other ledger may have looked for too early.
            self._claim.give_up()
            self._require_claim()
        self.ledger.applied(batch, next((share.gained for share in shares if share.gained), ""))
        self._journal.remove(batch.batch_id)
        self._unfinished = False

    def _shares(self, touched: Collection[CopyKey], articles: Iterable[Article]) -> list[_Share]:
        """What a batch means for each partition. A copy stays in its partition, whatever day a later revision names."""
        shares: dict[Partition, _Share] = {}
        home: dict[CopyKey, _Share] = {}
        for copy in self.ledger.stored(touched):
            partition = Partition.of(copy.key.source, copy.day)
            home[copy.key] = share = shares.setdefault(partition, _Share(partition))
            share.copies.append(copy)
        for key, partition in self._strays(home):
            home[key].observed += self._versions(partition, key)
        for article in articles:
            if share_of := home.get(CopyKey(article.article_id, article.source)):
                share_of.observed.append(article)
        return [shares[partition] for partition in sorted(shares)]

    def _strays(self, keys: Collection[CopyKey]) -> Iterator[tuple[CopyKey, Partition]]:
        """Copies with the partitions that a repair has found not to be theirs."""
        for key, day in self.ledger.moves(keys):
            yield key, Partition.of(key.source, day)

    def _versions(self, partition: Partition, key: CopyKey) -> Iterator[Article]:
        for rows in self._read(partition, [key.article_id]).rows.values():
            for row in rows.to_pylist() if rows else ():
                yield article_of(row, source=key.source, day=partition.date)

    def _take_out(self, partition: Partition, article_id: str) -> None:
        files = self._read(partition, [article_id])
        for tree in COPY_TREES:
            if files.rows[tree] and not self._put(partition, files, tree, [article_id], table(tree, ())):
                raise LakeError(f"{self._name(partition_key(tree, partition))}: somebody else writes to it; try again")

    def _bring_all(self, shares: Sequence[_Share], batch: Batch, *, removing: bool = False) -> list[_Share]:
        """Durable when it returns; gives the partitions that have more to lose."""
        # Mostly waiting for the disk to confirm.
        seen = ([] if removing else first_versions(share.copies, share.observed) for share in shares)
        firsts = first_changes(seen, batch.seq)
        more = list(self._pool.map(lambda share, first: self._bring(share, first, batch, removing), shares, firsts))
        self.store.sync(self._pool)
        return [share for share, has_more in zip(shares, more, strict=True) if has_more]

    def _bring(self, share: _Share, first: list[Change], batch: Batch, removing: bool) -> bool:
        """Publish what a partition gains and, when `removing`, what it loses. Tells whether there is more to lose.
        `first` is what it gains if it holds nothing of these copies, and the ledger still says of them what it did."""
        for attempt in range(ATTEMPTS):
            files = self._read(share.partition, {copy.key.article_id for copy in share.copies})
            # After the files: whoever decides from now on has yet to write to them.
            copies = self.ledger.stored(copy.key for copy in share.copies)
            is_first = first and copies == share.copies and not any(files.rows.values())
            changes = first if is_first else merge(files.rows, share.observed, copies, batch.seq)
            if self._publish(share.partition, files, changes, removing):
                share.gained = share.gained or next(
                    (partition_key(change.tree, share.partition) for change in changes if change.gained), ""
                )
                return not removing and any(change.gone for change in changes)
            _wait(attempt)
        raise LakeError(f"{self.store.url}: {share.partition} is written to without pause; try again")

    def _read(self, partition: Partition, ids: Collection[str]) -> _Files:
        found = _Files({}, {})
        # Rows move into revisions: looked for there last, none is missed on its way.
        for tree in reversed(COPY_TREES):
            key = partition_key(tree, partition)
            blob = self.store.read(key)
            file = found.read[tree] = _Read.of(blob, self._name(key)) if blob else None
            found.rows[tree] = file.content.rows_of(ids) if file else None
        return found

    def _publish(self, partition: Partition, files: _Files, changes: Sequence[Change], removing: bool) -> bool:
        """False if somebody else has written to one of the files since it was read."""
        for change in changes:
            if change.rows and not self._put(partition, files, change.tree, change.replaced, change.rows):
                return False
        if not removing:
            return True
        gone = [change for change in changes if change.gone]
        return all(self._put(partition, files, change.tree, change.gone, table(change.tree, ())) for change in gone)

    def _put(self, partition: Partition, files: _Files, tree: Tree, out: Collection[str], rows: pa.Table) -> bool:
        key, before = partition_key(tree, partition), files.read[tree]
        data = before.content.changed(tree, out, rows) if before else encode(rows, tree, in_order=True)
        self._require_fence()
        try:
            version = self.store.put(key, data, before.version if before else None)
        except LakeError:
            # Who took the lake over has swept what we had staged.
            self._require_fence()
            raise
        if version is None:
            return False
        files.read[tree] = _Read.of(Blob(data, version), self._name(key))
        return True

    def _replace(self, key: str, before: Blob | None, data: bytes) -> None:
        """For who has the lake for himself."""
        if self.store.put(key, data, before.version if before else None) is None:
            raise LakeError(f"{self._name(key)}: somebody else writes to it; try again")

    def _name(self, key: str) -> str:
        """For a person."""
        return f"{self.store.url}/{key}"

    def _quarantine(self, partition: Partition, rejected: Sequence[Rejected], run_id: str) -> int:
        key = partition_key("quarantine", partition)
        for attempt in range(ATTEMPTS):
            blob = self.store.read(key)
            before = _Read.of(blob, self._name(key)) if blob else None
            known = set[tuple[str, str]]()
            if before:
                known.update(map(_refused, before.content.read(["source", "url", "raw_ref", "detail"]).to_pylist()))
            rows = {_refused(row): row for row in (rejected_row(each, run_id) for each in reversed(rejected))}
            added = [row for refused, row in reversed(rows.items()) if refused not in known]
            files = _Files({"quarantine": before}, {})
            if not added or self._put(partition, files, "quarantine", (), table("quarantine", added)):
                return len(added)
            _wait(attempt)
        raise LakeError(f"{self.store.url}/{key} is written to without pause; try again")


@dataclass(slots=True)
class _Share:
    """What a batch means for one partition."""

    partition: Partition
    copies: list[Stored] = field(default_factory=list)
    """As the ledger had them when this began."""
    observed: list[Article] = field(default_factory=list)
    gained: str = ""
    """A file that rows of this batch went to."""


class _Read(NamedTuple):
    """A file as it was found."""

    content: PartitionFile
    version: str

    @classmethod
    def of(cls, blob: Blob, name: str) -> _Read:
        return cls(PartitionFile(blob.data, name), blob.version)


class _Files(NamedTuple):
    """The files of a partition, and what they hold of the copies that are looked for."""

    read: dict[Tree, _Read | None]
    rows: dict[Tree, pa.Table | None]


def _refused(row: Row) -> tuple[str, str]:
    """Fetched again, a page lies in another place of the archive: that tells only documents without address apart. Of a
    line that could not be read there is no page either: what is wrong with it begins with its file and number."""
    return row["source"], row["url"] or row["raw_ref"] or row["detail"]


def _wait(attempt: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.01 * 2 ** min(attempt, 7))))

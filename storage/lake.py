"""The lake: commits batches of articles into Parquet partitions, so that any reader at any moment sees whole rows.

    journal ──▶ ledger: decide, record as pending ──▶ partitions: additions, then removals ──▶ ledger: applied
    (fsync)     (one transaction, with the index)     (merge, stage, fsync, rename)

Every step can be repeated: a writer killed anywhere is finished by the next one that opens the lake. The ledger decides
where a copy belongs, the journal and the partitions hold what it says. State can be lost, or be of another time than
the lake: it is rebuilt from the lake.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc

from articles.decide import CopyKey, decide
from articles.fingerprint import with_fingerprints
from articles.records import Article, Decision, Rejected
from storage.errors import LakeError, LedgerError
from storage.failpoint import failpoint
from storage.journal import Entry, Journal
from storage.ledger import Batch, Ledger, Stored, ledger_location
from storage.lock import WriterLock
from storage.merge import COPY_TREES, Change, merge
from storage.near_index import NearIndexError
from storage.partitions import Partition, Publisher, encode, partition_path, read_partition
from storage.rebuild import NO_DAYS, Days, agrees, rebuild
from storage.schema import Row, Tree, article_of, rejected_row, table

log = logging.getLogger("finnews.lake")

WRITERS = 4


class Lake:
    """A writer of a lake; its threads may share it. Use `Lake.open` in a with statement.

    With a ledger in SQLite it is the only writer as long as it is open. With one in PostgreSQL there may be several:
    each commit is made in a turn of its own, and in its turn a writer is alone.
    """

    def __init__(self, root: Path, ledger: str = "", *, brief: bool = False) -> None:
        self.root = root
        self._mutex = threading.RLock()
        self._unfinished = False
        self._fence = -1
        self._lock = WriterLock(root, brief=brief)
        state = root / "_state"
        try:
            state.mkdir(parents=True, exist_ok=True)
            if not ledger:
                self._lock.take()
            self._publisher = Publisher(root)
            self._journal = Journal(state / "journal", self._publisher)
        except OSError as error:
            raise LakeError(f"{root}: cannot write to the lake ({error.strerror})") from error
        try:
            self.ledger = self._open_ledger(ledger)
        except BaseException:
            self._lock.release()
            raise
        if not self.ledger.shared:
            self._fence = self.ledger.take_fence()

    @classmethod
    def open(cls, root: Path, ledger: str = "", *, brief: bool = False) -> Lake:
        """Finish what a killed writer left. `ledger` is the url of a PostgreSQL database, "" for a file of the lake.

        Raises LockHeld while another run writes to a lake with such a file; a brief one lets go within seconds, so that
        others need not give up.
        """
        lake = cls(Path(root), ledger, brief=brief)
        try:
            lake.recover()
        except BaseException:
            lake.close()
            raise
        return lake

    def close(self) -> None:
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
            self._publisher.sync()
        return added

    def release(self, partition: Partition, released: Collection[tuple[str, str]]) -> None:
        """Take refusals out of quarantine: (source, url) of each, its raw_ref in place of an address it has not."""
        with self._turn():
            self._require_fence()
            before = read_partition(partition_path(self.root, "quarantine", partition))
            kept = [row for row in (before.to_pylist() if before else ()) if _refused(row) not in released]
            if before is not None and len(kept) < len(before):
                self._publish(partition, "quarantine", table("quarantine", kept))
                self._publisher.sync()

    def recover(self) -> int:
        """Finish the commits that were cut short; gives how many. May be repeated, and readers need not stop."""
        with self._turn(finish=False):
            if not agrees(self.ledger, self.root):
                self._rebuild()
                if self.ledger.count():
                    log.warning("%s: lost, or of another time than the lake; rebuilt from its rows", self.ledger.name)
            return self._finish()

    def number(self, run_id: str) -> Batch:
        """A commit's number for rows that are rewritten."""
        with self._turn():
            return self.ledger.begin_batch(uuid.uuid4().hex, run_id, 0)

    def rewrite(self, partition: Partition, tables: Mapping[Tree, pa.Table], *, outdated: bool) -> None:
        """Put these rows in the place of a partition's own. If `outdated`, the ledger no longer knows what they say:
        until `reindex`, whoever opens the lake makes it anew."""
        with self._turn():
            self._require_fence()
            if outdated:
                self.ledger.outdate()
            for tree, rows in tables.items():
                self._publish(partition, tree, rows)
            self._publisher.sync()

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
    def _turn(self, *, finish: bool = True) -> Iterator[None]:
        """Nobody else writes; what was cut short before is finished first."""
        with self._mutex:
            if self._lock.is_held:
                if finish and self._unfinished:
                    self._finish()
                yield
                return
            with self.ledger.turn(), self._lock:
                self._fence = self.ledger.take_fence()
                if finish and self.ledger.pending():
                    self._finish()
                yield

    def _finish(self) -> int:
        self._require_fence()
        self._publisher.sweep()
        entries = {batch_id: self._journal.entry(batch_id) for batch_id in self._journal.batch_ids()}
        pending = self.ledger.pending()
        for batch in pending:
            entry = entries.get(batch.batch_id)
            self._apply(batch, entry.articles if entry else ())
        undecided = [entry for entry in entries.values() if not self.ledger.has_batch(entry.batch_id)]
        for entry in undecided:
            batch, _ = self._decide(entry)
            self._apply(batch, entry.articles)
        # Applied, but killed before the entry was taken out.
        for batch_id in entries:
            self._journal.remove(batch_id)
        self._unfinished = False
        return len(pending) + len(undecided)

    def _open_ledger(self, url: str) -> Ledger:
        try:
            return Ledger(ledger_location(self.root, url))
        except LedgerError as error:
            hint = "" if url else "; move it away and it is rebuilt from the lake"
            raise LakeError(f"{error}{hint}") from error

    def _rebuild(self, days: Days = NO_DAYS) -> None:
        with self.ledger.transaction():
            self._require_fence()
            rebuild(self.ledger, self.root, days)

    def _require_fence(self) -> None:
        if self.ledger.fence() != self._fence or not self._lock.is_ours():
            raise LakeError(f"{self.root}: another run has taken the lake over; this one may not write any more")

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
        copies: dict[Partition, list[Stored]] = defaultdict(list)
        partition_of: dict[CopyKey, Partition] = {}
        touched = self.ledger.touched(batch)
        for copy in self.ledger.stored(touched):
            partition = partition_of[copy.key] = Partition.of(copy.key.source, copy.day)
            copies[partition].append(copy)
        observed: dict[Partition, list[Article]] = defaultdict(list)
        strays = self._strays(touched, partition_of)
        for article in (*articles, *(article for found in strays.values() for article in found)):
            # An article stays in the partition of its first revision, whatever day a later one names.
            key = CopyKey(article.article_id, article.source)
            if key in partition_of:
                observed[partition_of[key]].append(article)

        def add(partition: Partition) -> list[tuple[Partition, Change]]:
            return self._add(partition, observed[partition], copies[partition], batch.seq)

        # Mostly waiting for the disk to confirm.
        with ThreadPoolExecutor(WRITERS) as writers:
            changes = [change for changes in writers.map(add, sorted(copies)) for change in changes]
        self._publisher.sync()
        failpoint("added")
        for partition, change in changes:
            if change.with_removed is not None:
                self._publish(partition, change.tree, change.after)
        for partition, articles_left in strays.items():
            self._take_out(partition, {article.article_id for article in articles_left})
        self._publisher.sync()
        self.ledger.applied(batch, self._path_of(changes))
        failpoint("applied")
        self._journal.remove(batch.batch_id)
        self._unfinished = False

    def _add(
        self, partition: Partition, observed: Iterable[Article], copies: Iterable[Stored], seq: int
    ) -> list[tuple[Partition, Change]]:
        """Publish what a partition gains; gives its changes, of which the rows they take away are left for later."""
        before = {tree: read_partition(partition_path(self.root, tree, partition)) for tree in COPY_TREES}
        changes = merge(before, observed, copies, seq)
        for change in changes:
            self._publish(partition, change.tree, change.after if change.with_removed is None else change.with_removed)
        return [(partition, change) for change in changes]

    def _strays(
        self, touched: Iterable[CopyKey], partition_of: Mapping[CopyKey, Partition]
    ) -> dict[Partition, list[Article]]:
        """Versions that lie in a partition which is not their copy's any more."""
        strays: dict[Partition, list[Article]] = defaultdict(list)
        for key, day in self.ledger.moves(touched):
            partition = Partition.of(key.source, day)
            if partition == partition_of[key]:
                continue
            for tree in COPY_TREES:
                table = read_partition(partition_path(self.root, tree, partition))
                rows = table.filter(pc.equal(table["article_id"], key.article_id)).to_pylist() if table else ()
                strays[partition] += [article_of(row, source=key.source, day=day) for row in rows]
        return strays

    def _take_out(self, partition: Partition, ids: Collection[str]) -> None:
        for tree in COPY_TREES:
            table = read_partition(partition_path(self.root, tree, partition))
            if table is None:
                continue
            kept = table.filter(pc.invert(pc.is_in(table["article_id"], pa.array(ids, pa.string()))))
            if len(kept) < len(table):
                self._publish(partition, tree, kept)

    def _path_of(self, changes: Sequence[tuple[Partition, Change]]) -> str:
        """A file that rows of this batch went to: what changes has its number in one tree or another."""
        for partition, change in changes:
            path = partition_path(self.root, change.tree, partition)
            if change.gained:
                return str(path.relative_to(self.root))
        return ""

    def _publish(self, partition: Partition, tree: Tree, rows: pa.Table) -> None:
        self._publisher.publish(partition_path(self.root, tree, partition), encode(rows, tree))

    def _quarantine(self, partition: Partition, rejected: Iterable[Rejected], run_id: str) -> int:
        before = read_partition(partition_path(self.root, "quarantine", partition))
        rows = {_refused(row): row for row in (before.to_pylist() if before else ())}
        known = len(rows)
        for each in rejected:
            row = rejected_row(each, run_id)
            rows.setdefault(_refused(row), row)
        if len(rows) > known:
            self._publish(partition, "quarantine", table("quarantine", rows.values()))
        return len(rows) - known


def _refused(row: Row) -> tuple[str, str]:
    """Fetched again, a page lies in another place of the archive: that tells only documents without address apart."""
    return row["source"], row["url"] or row["raw_ref"]

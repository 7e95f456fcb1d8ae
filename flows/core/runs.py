"""A run over a lake, as plain functions: the command line calls them directly, the Prefect flows as tasks.

with open_run(settings, "ingest") as run:          # holds the lake's lock, recovers what a killed run left
    outcome = run.crawl("sina")                    # a child process; pages lie in the archive afterwards
    run.load("sina", outcome)                      # extract, decide, commit, then the list validators
run.report                                         # every discovered article counted once
"""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf
from pathlib import Path
from random import uniform
from threading import Event
from typing import Protocol, TypeVar

from articles.records import Article, Decision, Page, Reason, Rejected
from flows.core.accounting import Account, RunReport
from flows.core.cluster import address_of, cluster
from flows.core.crawl import CrawlOutcome, left_to_another, never_begun, run_crawl
from flows.core.documents import documents_of
from flows.core.extraction import Document, Extractors, Finished, finished, open_extractors
from flows.core.noticing import Noticed, complaints
from flows.settings import Settings
from spiders.archives import FILE_HEADER, archive_bytes
from spiders.catalogue import Catalogue
from spiders.crawl import CrawlSpec
from spiders.hosts import shared_folder
from storage.archive import PageArchive
from storage.errors import ArchiveError, LockHeld
from storage.frontier import Frontier, Waiting
from storage.lake import Lake
from storage.ledger import Holds

log = logging.getLogger("finnews.runs")

# Articles committed together: enough to rewrite a partition rarely, few enough to lose little work to a kill.
BATCH = 1000
# Where crawls hand over their results, a folder for each run. What a killed run left nobody reads.
# Stored articles of one source to look at again in one pass, at most.
REVISITS = 200
SPOOLS = "_state/spool"
SPOOLS_KEPT = timedelta(days=2)
LOOPBACK = ("127.0.0.1",)
# Longest that a run waits for one which holds the lake only in between.
BRIEF_SECONDS = 120.0
LOOK_SECONDS = 0.1
Advance = Callable[[int], None]


class Watch(Protocol):
    """Whoever shows how far it has come; there may be no telling how far it is."""

    def reached(self, name: str, done: int, total: int | None) -> None: ...


class Unwatched:
    def reached(self, name: str, done: int, total: int | None) -> None: ...


T = TypeVar("T")


def silent(steps: int) -> None:
    """Progress that nobody watches."""
    del steps


@dataclass(slots=True)
class Run:
    """One writing pass over a lake. Made by `open_run`."""

    settings: Settings
    catalogue: Catalogue
    lake: Lake
    archive: PageArchive
    extractors: Extractors
    report: RunReport
    holds: Holds
    stop: Event = field(default_factory=Event)
    outcomes: dict[str, CrawlOutcome] = field(default_factory=dict)
    """Of the crawls of lanes, until they are loaded."""

    def crawl(
        self, source_id: str, *, limit: int | None = None, lists: bool = True, revisits: int = REVISITS
    ) -> CrawlOutcome:
        """Lists and fetches one source in a child process; nothing of the lake's tables changes."""
        if self.stop.is_set():
            return never_begun(source_id)
        if not self.holds.take(_crawl_of(source_id)):
            log.info("%s: another worker is crawling it", source_id)
            return left_to_another(source_id)
        spool = self.lake.root / SPOOLS / self.report.run_id / f"{source_id}-{secrets.token_hex(3)}"
        spec = crawl_spec(self.settings, source_id, self.report.run_id, spool)
        spec = replace(spec, limit=limit, lists=lists, revisits=revisits)
        return crawl(spec, stop=self.stop, ledger=self.settings.ledger)

    def crawl_lane(
        self,
        source_ids: Sequence[str],
        *,
        retry_seconds: Sequence[float],
        limit: int | None,
        lists: bool,
        revisits: int,
    ) -> None:
        """Crawls sources one after the other into `outcomes`; those that failed in a way that may pass, again later.

        Raises CrawlError if one brought nothing to the last.
        """
        left = list(source_ids)
        for wait_seconds in (*retry_seconds, 0.0):
            for source_id in left:
                self.outcomes[source_id] = self.crawl(source_id, limit=limit, lists=lists, revisits=revisits)
            left = [source_id for source_id in left if self.outcomes[source_id].worth_another_try]
            # Not a retry of Prefect's: its wait cannot be ended, and a stop has eight seconds.
            if not left or self.stop.wait(wait_seconds * uniform(1, 1.5)):
                break
        for source_id in source_ids:
            self.outcomes[source_id].or_raise()

    @contextmanager
    def ending_crawls(self) -> Iterator[None]:
        """What goes wrong in here ends the crawls that are under way, in order, and begins no others."""
        try:
            yield
        except BaseException:
            self.stop.set()
            raise

    def load(self, source_id: str, outcome: CrawlOutcome, *, polled: bool = True) -> Account:
        """Makes the crawled pages durable as articles, then remembers what the lists said about themselves.

        A crawl that asked for no list says nothing of how fresh the source is: it was not polled.
        """
        if outcome.status == "left":
            self.report.left.append(source_id)
            return Account()
        started = time.monotonic()
        account = self.report.account(source_id)
        with Frontier(self.lake.root, source_id, self.settings.ledger) as frontier:
            settle(account, outcome, frontier.waiting())
            self.archive.adopt()
            self._refuse(outcome.rejected)
            self._mark_gone(outcome)
            noticed = Noticed(self.catalogue[source_id])
            for decisions, refusals in self._store(self._crawled(outcome, frontier)):
                noticed.add(decisions, refusals)
            self._remember(noticed, outcome, frontier)
        if polled:
            self._record_poll(outcome)
        self.holds.release(_crawl_of(source_id))
        account.seconds += time.monotonic() - started
        return account

    def load_unit(self, unit: str, outcome: CrawlOutcome) -> int:
        """The same for a crawl of a backfill, which says nothing of how fresh its source is; gives what is pending."""
        account = self.report.account(outcome.source)
        pending = account.pending
        with Frontier(self.lake.root, outcome.source, self.settings.ledger, unit) as frontier:
            settle(account, outcome, frontier.waiting())
            self._refuse(outcome.rejected)
            noticed = Noticed(self.catalogue[outcome.source])
            for decisions, refusals in self._store(self._crawled(outcome, frontier)):
                noticed.add(decisions, refusals)
            refused_urls = [refusal.url for refusal in (*outcome.rejected, *noticed.refusals)]
            frontier.loaded(noticed.article_ids, refused_urls=refused_urls)
        return account.pending - pending

    def _mark_gone(self, outcome: CrawlOutcome) -> None:
        """Tombstones for stored articles that a second look did not find."""
        gone = {refusal.article_id: refusal.fetched_at for refusal in outcome.rejected if refusal.reason is Reason.GONE}
        if gone:
            at = min(gone.values())
            self.lake.mark_gone(gone, at=at, run_id=self.report.run_id, source=outcome.source)

    def _crawled(self, outcome: CrawlOutcome, frontier: Frontier) -> Iterator[Page]:
        """The pages of a crawl; one that a power cut took out of the archive is fetched again."""
        for crawled in outcome.pages:
            try:
                yield self.archive.read(crawled.raw_ref)
            except ArchiveError as error:
                log.warning("%s; it is fetched again", error)
                frontier.again(crawled.article_id)
                self.report.account(outcome.source).pending += 1

    def _remember(self, noticed: Noticed, outcome: CrawlOutcome, frontier: Frontier) -> None:
        """After all is durable: what the frontier need not keep, what the lists said, what the articles are like."""
        frontier.loaded(
            noticed.article_ids,
            refused_urls=[refusal.url for refusal in (*outcome.rejected, *noticed.refusals)],
            first_seen=noticed.first_seen,
            revisit=noticed.source.revisit_after,
        )
        if quality := noticed.quality(self.report.run_id):
            frontier.record_quality(quality)
            self.report.account(outcome.source).gate_failures += complaints(frontier.quality(), noticed.source)

    def _record_poll(self, outcome: CrawlOutcome) -> None:
        newest_at = None
        if outcome.report is not None:
            self.lake.ledger.save_validators(outcome.report.validators)
            newest_at = outcome.report.newest_at
        succeeded = outcome.error is None and outcome.report is not None
        self.lake.ledger.record_crawl(outcome.source, at=datetime.now(UTC), succeeded=succeeded, newest_at=newest_at)

    def load_documents(self, documents: Iterable[Page | Rejected], advance: Advance = silent) -> None:
        """Loads documents of archives. What the lake holds from the same bytes is not read again."""
        self.load_finished(self.extractors.run_archive(self._unknown(documents, advance)), advance)

    def load_finished(self, documents: Iterable[Finished], advance: Advance = silent) -> None:
        """Keeps and commits what was read of archives, here or elsewhere."""
        for decisions, refusals in self._commit(self._archived(documents, advance)):
            advance(len(decisions) + len(refusals))

    def _unknown(self, documents: Iterable[Document], advance: Advance) -> Iterator[Document]:
        for document in documents:
            known = self.lake.ledger.page(document.digest) if isinstance(document, Page) else None
            if known is None:
                yield document
            elif known.extractor:
                # What better rules make of it is for `reextract`: it is no news, and no revision.
                self._unchanged(document, advance)
            else:
                yield replace(document, raw_ref=known.raw_ref)

    def _unchanged(self, document: Document, advance: Advance) -> None:
        account = self.report.account(document.source)
        account.discovered += 1
        account.unchanged += 1
        advance(1)

    def _archived(self, documents: Iterable[Finished], advance: Advance) -> Iterator[Finished]:
        """Each with its place in the archive, written there unless it lies there already."""
        for each in documents:
            page, result = each.document, each.result
            if isinstance(page, Page) and not page.raw_ref:
                known = self.lake.ledger.page(each.digest)
                if known and known.extractor:
                    self._unchanged(page, advance)
                    continue
                page = replace(page, raw_ref=known.raw_ref) if known else self.archive.append(page, each.record)
                result = replace(result, raw_ref=page.raw_ref)
            self.report.account(page.source).discovered += 1
            yield Finished(page, result, each.digest)

    def _store(self, pages: Iterable[Page]) -> Iterator[tuple[list[Decision], list[Rejected]]]:
        """Extracts and commits, batch by batch; gives what was decided and what was refused."""
        return self._commit(finished(page, result, b"") for page, result in self.extractors.run(pages))

    def _commit(self, documents: Iterable[Finished]) -> Iterator[tuple[list[Decision], list[Rejected]]]:
        for batch in batches(documents, BATCH):
            refused = [(each, each.result) for each in batch if isinstance(each.result, Rejected)]
            self.archive.sync()
            self._refuse([_with_file(each.document, result) for each, result in refused])
            for each, result in refused:
                if isinstance(each.document, Page):
                    self.lake.ledger.remember_refused(each.digest, result.raw_ref)
            articles = [each.result for each in batch if isinstance(each.result, Article)]
            decisions = self.lake.commit(articles, run_id=self.report.run_id)
            for decision in decisions:
                self.report.account(decision.article.source).decide(decision)
            yield decisions, [result for _, result in refused]

    def _refuse(self, rejected: Sequence[Rejected]) -> None:
        for refusal in rejected:
            log.info("%s", refusal)
            self.report.account(refusal.source).refuse(refusal.reason.code)
        self.lake.quarantine(rejected, run_id=self.report.run_id)


@contextmanager
def open_run(settings: Settings, command: str, *, patience_seconds: float = 0) -> Iterator[Run]:
    """A run that holds the lake; what a killed run left half done is finished first.

    Raises LockHeld if another run still has it after `patience_seconds`.
    """
    catalogue = Catalogue.load(settings.sources)
    report = RunReport(run_id())
    with (
        open_lake(settings, patience_seconds=patience_seconds) as lake,
        PageArchive(lake.root) as archive,
        open_extractors(catalogue, settings) as extractors,
        closing(Holds(lake.root, settings.ledger)) as holds,
    ):
        _sweep_spools(lake)
        lake.ledger.begin_run(report.run_id)
        yield Run(settings, catalogue, lake, archive, extractors, report, holds)
        lake.ledger.end_run(report.run_id, report.document() | {"command": command})
        shutil.rmtree(lake.root / SPOOLS / report.run_id, ignore_errors=True)


def _crawl_of(source_id: str) -> str:
    return f"crawl {source_id}"


def _sweep_spools(lake: Lake) -> None:
    """Those of killed runs: on a lake that is ours alone, all; on a shared one, what is too old to be in use."""
    spools = lake.root / SPOOLS
    oldest = datetime.now(UTC) - SPOOLS_KEPT
    for spool in spools.iterdir() if spools.is_dir() else ():
        if not lake.ledger.shared or datetime.fromtimestamp(spool.stat().st_mtime, UTC) < oldest:
            shutil.rmtree(spool, ignore_errors=True)


def open_lake(
    settings: Settings, *, brief: bool = False, stop: Event | None = None, patience_seconds: float = 0
) -> Lake:
    """The lake as its one writer. A backfill holds it for seconds at a time, waits for all, and all wait for it."""
    return when_free(
        lambda: Lake.open(settings.lake_path, settings.ledger, brief=brief),
        stop=stop,
        patience_seconds=inf if brief else patience_seconds,
    )


def when_free(take: Callable[[], T], *, stop: Event | None = None, patience_seconds: float = 0) -> T:
    """What `take` gives, once nobody holds the lake; who holds it only in between is waited for. Raises LockHeld."""
    started = time.monotonic()
    stop = stop or Event()
    while True:
        try:
            return take()
        except LockHeld as held:
            patience = max(patience_seconds, BRIEF_SECONDS if held.brief else 0)
            if stop.wait(LOOK_SECONDS) or time.monotonic() >= started + patience:
                raise


def crawl_spec(settings: Settings, source_id: str, run_id: str, spool: Path) -> CrawlSpec:
    """`spool` is a folder for each attempt: what an earlier one left would be counted twice."""
    return CrawlSpec(
        source=source_id,
        run_id=run_id,
        spool=str(spool),
        source_dirs=tuple(str(folder) for folder in settings.sources),
        lake=str(settings.lake_path),
        soft_seconds=settings.crawl_seconds,
        check_age=not settings.connect_to,
        delay_seconds=settings.delay_seconds,
        hosts_dir=str(shared_folder()),
        connect_to=settings.connect_to,
        allow_addresses=LOOPBACK if settings.connect_to else (),
    )


def crawl(spec: CrawlSpec, *, stop: Event, ledger: str) -> CrawlOutcome:
    return run_crawl(spec, deadline_seconds=spec.soft_seconds * 1.2 + 30, stop=stop, log=log, ledger=ledger)


def ingest_sources(
    settings: Settings, source_ids: Sequence[str], *, limit: int | None = None, advance: Advance = silent
) -> RunReport:
    """One incremental pass; a source that fails stops no other."""
    with open_run(settings, "ingest") as run:
        chosen = run.catalogue.choose(source_ids)
        with ThreadPoolExecutor(settings.crawls) as crawlers, run.ending_crawls():
            crawls = {source_id: crawlers.submit(run.crawl, source_id, limit=limit) for source_id in chosen}
            for source_id, crawl in crawls.items():
                run.load(source_id, crawl.result())
                advance(1)
    return run.report


def backfill_archives(
    settings: Settings,
    paths: Sequence[Path],
    *,
    source_id: str | None = None,
    runner: str = "",
    watch: Watch | None = None,
    patience_seconds: float = 0,
) -> RunReport:
    """Loads archives on disk into the lake. A path or a source that is not there ends it before a lake is made.

    `runner` is `dask`, or `dask=ADDRESS`, to have them read by a cluster: see flows.core.spread.
    """
    catalogue = Catalogue.load(settings.sources)
    watched = _Watched(watch or Unwatched(), paths)
    documents = documents_of(catalogue, paths, source_id, reached=watched.reached)
    address = address_of(runner)
    if address is None:
        with open_run(settings, "backfill", patience_seconds=patience_seconds) as run:
            run.load_documents(documents, watched.advance)
        return run.report
    # Only for a cluster: it reads pages in this process, too, and all that reads pages would be imported.
    from flows.core.spread import read_archive_by

    source = catalogue.find(source_id) if source_id else None
    with (
        cluster(address, settings.worker_count) as client,
        open_run(settings, "backfill", patience_seconds=patience_seconds) as run,
    ):
        read = read_archive_by(client, paths, source, catalogue=catalogue, settings=settings, extractors=run.extractors)
        run.load_finished(read, watched.advance)
    return run.report


class _Watched:
    """How far a load of archives has come: documents, of which nobody knows how many there are, and bytes."""

    def __init__(self, watch: Watch, paths: Sequence[Path]) -> None:
        self._watch = watch
        self._paths = paths
        self._kib: int | None = None
        self._documents = 0
        self._file: Path | None = None
        self._bytes_before = 0

    def advance(self, documents: int) -> None:
        self._documents += documents
        self._watch.reached("documents", self._documents, None)

    def reached(self, path: Path, offset: int) -> None:
        if self._kib is None:
            self._kib = archive_bytes(self._paths) >> 10
        if self._file is not None and path != self._file:
            self._bytes_before += self._file.stat().st_size
        self._file = path
        self._watch.reached("KiB", (self._bytes_before + offset) >> 10, self._kib)


def _with_file(page: Page | Rejected, refusal: Rejected) -> Rejected:
    """The refusal of a document on disk, with the file it is in."""
    file = page.headers.get(FILE_HEADER) if isinstance(page, Page) else None
    return replace(refusal, detail=f"{file}: {refusal.detail}") if file else refusal


def settle(account: Account, outcome: CrawlOutcome, waiting: Iterable[Waiting]) -> None:
    """Enters what the crawl itself decided; the pages it fetched are counted when they are stored."""
    report = outcome.report
    account.error = outcome.error
    if report is None:  # killed: what it had listed and not handed over waits for the next crawl
        ids, urls = {page.article_id for page in outcome.pages}, {refusal.url for refusal in outcome.rejected}
        left = sum(each.article_id not in ids and each.url not in urls for each in waiting)
        account.discovered += len(outcome.pages) + len(outcome.rejected) + left
        account.pending += left
        return
    account.discovered += report.discovered
    account.unchanged += report.unchanged
    account.filtered += sum(report.filtered.values())
    account.pending += sum(report.pending.values())
    account.requests += report.requests
    account.seconds += report.seconds
    account.gate_failures += report.gate_failures


def run_id() -> str:
    """Sorts by time; the tail keeps two runs of one second apart."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch

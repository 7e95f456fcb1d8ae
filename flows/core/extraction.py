"""Pages to articles in worker processes, so that one hostile page costs seconds and a worker, never the run.

Processes, not threads: extraction holds the interpreter lock. Pages travel in chunks, because a page takes less time
to extract than to be announced; a chunk that dies or runs over its time is tried again page by page.

A worker that dies at a page costs that page. One that dies between pages (the kernel was short of memory, somebody
ended it) takes the whole pool with it, which is then made anew; nothing that was handed over is lost.

The limits of a page are kept by the kernel, since nothing in Python can interrupt a parser in C: a timer that runs with
the CPU time of the worker ends it, so that a busy machine refuses no page that an idle one reads.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import resource
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from articles.records import Article, Page, Reason, Rejected
from articles.source import UNKNOWN, Source
from flows.settings import Settings
from storage.archive import pack

log = logging.getLogger("finnews.extraction")

Document = Page | Rejected
"""What comes in: a page, or what was refused before, which passes through in its place."""
Extracted = Article | Rejected
_Result = tuple[Extracted, bytes]
_Read = tuple[Document, Extracted, bytes]
CHUNK = 8
# Chunks under way per worker: enough to keep it busy while a batch is committed, and bytes of them for memory's sake.
AHEAD = 64
AHEAD_BYTES = 64 << 20
# A worker that has read this many chunks is replaced: what lxml leaks, it leaks here.
CHUNKS_PER_WORKER = 500
# Wall time a page may take for each CPU second it may use: only a worker that hangs without working needs as long.
WALL_SECONDS_PER_CPU_SECOND = 3
# Pools that may break in the life of one `Extractors`: more is no accident.
POOLS = 10
LOOK_SECONDS = 1.0
# Of a worker that gave up for want of memory.
OUT_OF_MEMORY = 77


@dataclass(frozen=True, slots=True)
class Finished:
    """A document of an archive that was read somewhere else, and is to be kept."""

    document: Document
    """Without its body, if the record has it."""
    result: Extracted
    digest: str = ""
    """Of the page."""
    record: bytes = b""
    """The page packed for the archive; empty if it lies there already."""


@dataclass(frozen=True, slots=True)
class _Task:
    chunk: list[Document]
    future: ProcessFuture[list[_Result]]
    pool: ProcessPool

    def ended(self) -> bool:
        """Waits. False if it died with its pool, or never will end: a pool that breaks forgets what it had queued."""
        while not self.future.done():
            if not self.pool.active:
                return False
            wait([self.future], LOOK_SECONDS)
        return not isinstance(self.future.exception(), BrokenProcessPool)


class Extractors(AbstractContextManager["Extractors"]):
    """A pool of extracting processes.

    with Extractors(sources, workers=2) as extractors:
        for page, article in extractors.run(pages): ...
    """

    def __init__(
        self, sources: Mapping[str, Source], *, workers: int, page_seconds: float = 20, page_memory_mb: int = 2048
    ) -> None:
        self._page_seconds = page_seconds
        self._page_memory_mb = page_memory_mb
        self._window = workers * AHEAD
        self._workers = workers
        self._sources = dict(sources)
        self._pools = 1
        self._pool = self._new_pool()

    def run(self, documents: Iterable[Document]) -> Iterator[tuple[Document, Extracted]]:
        """Each document with what came of it, in the order of `documents`."""
        return ((document, result) for document, result, _ in self._run(documents, packed=False))

    def run_archive(self, documents: Iterable[Document]) -> Iterator[Finished]:
        """The same for documents that are to be kept, as all without a `raw_ref` are."""
        for document, result, record in self._run(documents, packed=True):
            yield finished(document, result, record)

    def _run(self, documents: Iterable[Document], *, packed: bool) -> Iterator[_Read]:
        pending: deque[_Task] = deque()
        ahead_bytes = 0
        for chunk in _chunks(documents):
            pending.append(self._submit(chunk, packed))
            ahead_bytes += _size(chunk)
            while len(pending) > self._window or ahead_bytes > AHEAD_BYTES or pending[0].future.done():
                first = pending.popleft()
                ahead_bytes -= _size(first.chunk)
                yield from self._collect(first, packed)
                if not pending:
                    break
        while pending:
            yield from self._collect(pending.popleft(), packed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pool.close()  # type: ignore[no-untyped-call]
        else:
            self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def __enter__(self) -> Self:
        return self

    def _new_pool(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["articles.extract", "flows.core.extraction"])
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=CHUNKS_PER_WORKER,
            initializer=_start_worker,
            initargs=(self._sources, self._page_seconds, self._page_memory_mb << 20),
            context=context,
        )

    def _mend(self, error: RuntimeError) -> None:
        """A new pool in place of one that broke; what that had in hand is handed over again when it is due."""
        if self._pools == POOLS:
            raise error
        self._pools += 1
        log.warning("an extracting process died without a page: all of them are started anew")
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._pool = self._new_pool()

    def _submit(self, chunk: list[Document], packed: bool) -> _Task:
        wall_seconds = len(chunk) * self._page_seconds * WALL_SECONDS_PER_CPU_SECOND
        while True:
            try:
                future = self._pool.schedule(_extract_chunk, args=(chunk, packed), timeout=wall_seconds)
                return _Task(chunk, future, self._pool)
            except RuntimeError as error:  # pebble's word for a pool that broke
                self._mend(error)

    def _collect(self, task: _Task, packed: bool) -> Iterator[_Read]:
        chunk = task.chunk
        if not task.ended():
            yield from self._collect(self._submit(chunk, packed), packed)
            return
        try:
            results = task.future.result()
        except (FutureTimeout, ProcessExpired, MemoryError) as error:
            if len(chunk) == 1:
                yield chunk[0], self._refusal(chunk[0], error), b""
                return
            for document in chunk:
                yield from self._collect(self._submit([document], packed), packed)
            return
        for document, (result, record) in zip(chunk, results, strict=True):
            yield document, result, record

    def _refusal(self, document: Document, error: BaseException) -> Rejected:
        code = error.exitcode if isinstance(error, ProcessExpired) else None
        if isinstance(error, FutureTimeout) or code == -signal.SIGPROF:
            return refuse(document, Reason.TIMEOUT, f"not read within {self._page_seconds:g} CPU seconds")
        if isinstance(error, MemoryError) or code == OUT_OF_MEMORY:
            return refuse(document, Reason.LIMIT, f"not read within {self._page_memory_mb} MiB of memory")
        return refuse(document, Reason.LIMIT, f"the extracting process died on it (exit status {code})")


def open_extractors(sources: Mapping[str, Source], settings: Settings) -> Extractors:
    return Extractors(
        sources,
        workers=settings.worker_count,
        page_seconds=settings.page_seconds,
        page_memory_mb=settings.page_memory_mb,
    )


def finished(document: Document, result: Extracted, record: bytes) -> Finished:
    if isinstance(document, Rejected):
        return Finished(document, result)
    digest = result.page_digest if isinstance(result, Article) else document.digest
    return Finished(replace(document, body=b"") if record else document, result, digest, record)


def refuse(document: Document, reason: Reason, detail: str) -> Rejected:
    return Rejected(
        source=document.source,
        url=document.url,
        reason=reason,
        detail=detail,
        fetched_at=document.fetched_at,
        raw_ref=document.raw_ref,
    )


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    iterator = iter(documents)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


_SOURCES: dict[str, Source] = {}
_page_seconds = 0.0


def _start_worker(sources: dict[str, Source], page_seconds: float, memory_bytes: int) -> None:
    global _page_seconds
    _SOURCES.update(sources)
    _page_seconds = page_seconds
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    from articles.extract import extract

    # What extraction makes once takes 0.2 s, and must not be charged to the first page.
    extract(_any_page(), UNKNOWN)
    # Modules and rules stay for ever: not to be searched for garbage with every tenth page.
    gc.collect()
    gc.freeze()


def _any_page() -> Page:
    html = "<html><title>标题一则，写在页首</title><h1>标题一则，写在页首</h1><p>正文一句，到此为止。</p></html>"
    return Page(
        source=UNKNOWN.id,
        url="https://news.example/1.html",
        final_url="https://news.example/1.html",
        status=200,
        body=html.encode(),
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _size(chunk: list[Document]) -> int:
    return sum(len(document.body) for document in chunk if isinstance(document, Page))


def _extract_chunk(chunk: list[Document], packed: bool) -> list[_Result]:
    return [
        (extract_within(document, _SOURCES, _page_seconds), record_of(document) if packed else b"")
        for document in chunk
    ]


def record_of(document: Document) -> bytes:
    """Packed by the worker: compressing a page takes longer than all that is left to do for whoever commits it."""
    return pack(document) if isinstance(document, Page) and not document.raw_ref else b""


def extract_within(document: Document, sources: Mapping[str, Source], page_seconds: float) -> Extracted:
    """Ends the whole process if the page takes longer, or more memory than there is."""
    if isinstance(document, Rejected):
        return document
    # Here, not at the top: whoever starts the processes would pay half a second for what it never does itself.
    from articles.extract import extract

    # Its signal ends the process, in whatever it is.
    signal.setitimer(signal.ITIMER_PROF, page_seconds)
    try:
        return extract(document, sources.get(document.source, UNKNOWN))
    except MemoryError:
        # Where memory ran out, half a tree or a cache may be left behind: the next page gets a new process.
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - the edge: a bug in a rule costs its page, not the run
        return refuse(document, Reason.ERROR, f"{type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)

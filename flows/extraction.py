"""Pages to articles in worker processes, so that one hostile page costs seconds and a worker, never the run.

Processes, not threads: extraction holds the interpreter lock. Pages travel in chunks, because a page takes less time
to extract than to be announced; a chunk that dies or runs over its time is tried again page by page.

The limits of a page are kept by the kernel, since nothing in Python can interrupt a parser in C: a timer that runs with
the CPU time of the worker ends it, so that a busy machine refuses no page that an idle one reads.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from articles.extract import extract
from articles.records import Article, Page, Reason, Rejected
from articles.source import UNKNOWN, Source
from flows.settings import Settings

Document = Page | Rejected
"""What comes in: a page, or what was refused before, which passes through in its place."""
Extracted = Article | Rejected
CHUNK = 8
# Chunks under way per worker: enough to keep it busy, few enough to keep memory flat.
AHEAD = 4
# A worker that has read this many chunks is replaced: what lxml leaks, it leaks here.
CHUNKS_PER_WORKER = 500
# Wall time a page may take for each CPU second it may use: only a worker that hangs without working needs as long.
WALL_SECONDS_PER_CPU_SECOND = 3
# Of a worker that gave up for want of memory.
OUT_OF_MEMORY = 77


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
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["articles.extract"])
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=CHUNKS_PER_WORKER,
            initializer=_start_worker,
            initargs=(dict(sources), page_seconds, page_memory_mb << 20),
            context=context,
        )

    def run(self, documents: Iterable[Document]) -> Iterator[tuple[Document, Extracted]]:
        """Each document with what came of it, in the order of `documents`."""
        pending: deque[tuple[list[Document], ProcessFuture[list[Extracted]]]] = deque()
        for chunk in _chunks(documents):
            pending.append((chunk, self._submit(chunk)))
            if len(pending) > self._window:
                yield from self._collect(*pending.popleft())
        while pending:
            yield from self._collect(*pending.popleft())

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

    def _submit(self, chunk: list[Document]) -> ProcessFuture[list[Extracted]]:
        wall_seconds = len(chunk) * self._page_seconds * WALL_SECONDS_PER_CPU_SECOND
        return self._pool.schedule(_extract_chunk, args=(chunk,), timeout=wall_seconds)

    def _collect(
        self, chunk: list[Document], future: ProcessFuture[list[Extracted]]
    ) -> Iterator[tuple[Document, Extracted]]:
        try:
            yield from zip(chunk, future.result(), strict=True)
        except (FutureTimeout, ProcessExpired, MemoryError) as error:
            if len(chunk) == 1:
                yield chunk[0], self._refusal(chunk[0], error)
                return
            for document in chunk:
                yield from self._collect([document], self._submit([document]))

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


def _extract_chunk(chunk: list[Document]) -> list[Extracted]:
    return [_extract(document) for document in chunk]


def _extract(document: Document) -> Extracted:
    if isinstance(document, Rejected):
        return document
    # Its signal ends the process, in whatever it is.
    signal.setitimer(signal.ITIMER_PROF, _page_seconds)
    try:
        return extract(document, _SOURCES.get(document.source, UNKNOWN))
    except MemoryError:
        # Where memory ran out, half a tree or a cache may be left behind: the next page gets a new process.
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - the edge: a bug in a rule costs its page, not the run
        return refuse(document, Reason.ERROR, f"{type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)

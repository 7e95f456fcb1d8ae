"""Archives and stored pages read by the workers of a Dask cluster; everything that writes stays here.

    parts ──▶ workers: read, extract, pack ──▶ Finished, in the order of the parts ──▶ one committer

Workers read the files themselves, so they have to see them under the same paths. A part is ten seconds of work or more,
against the milliseconds that a task costs. A worker that dies costs its part, which another reads again; a part that
several died of is read here, page by page, in processes with limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from articles.records import Article, Rejected
from articles.source import Source
from flows.core.cluster import address_of, cluster, mapped
from flows.core.extraction import Extractors, Finished, extract_within, finished, record_of
from flows.core.rereading import Reader, open_reader, read_batch
from flows.settings import Settings
from spiders.archives import Part, archive_bytes, parts_of, read_part
from spiders.catalogue import Catalogue

if TYPE_CHECKING:
    from distributed import Client

# Zipped, some 1,300 pages of sixty kilobytes each: about ten seconds.
PART_BYTES = 16 << 20
# So many parts for each worker at least, or some would stand idle at the end.
PARTS_A_WORKER = 4
SMALLEST_PART_BYTES = 1 << 20
PAGES_A_BATCH = 1_000


def read_archive_by(
    client: Client,
    paths: Sequence[Path],
    source: Source | None,
    *,
    catalogue: Catalogue,
    settings: Settings,
    extractors: Extractors,
) -> Iterator[Finished]:
    """Every document below `paths`, in their order. Raises ArchiveError at once for a path that holds nothing.

    The extractors are for what workers die of.
    """
    now = datetime.now(UTC)
    parts = parts_of(paths, part_bytes=_part_bytes(paths, client))

    def here(part: Part) -> list[Finished]:
        documents = read_part(part, catalogue=catalogue, source=source, fetched_at=now)
        return list(extractors.run_archive(documents))

    there = partial(_read, catalogue=catalogue, source=source, fetched_at=now, page_seconds=settings.page_seconds)
    return (document for documents in mapped(client, there, parts, here=here) for document in documents)


@contextmanager
def open_reader_of(runner: str, settings: Settings, catalogue: Catalogue) -> Iterator[Reader]:
    """The reader that `--runner` asks for: this machine's processes, or a cluster."""
    address = address_of(runner)
    if address is None:
        with open_reader(settings, catalogue) as read:
            yield read
        return
    with cluster(address, settings.worker_count) as client, open_reader_by(client, settings, catalogue) as read:
        yield read


@contextmanager
def open_reader_by(client: Client, settings: Settings, catalogue: Catalogue) -> Iterator[Reader]:
    """The reader of flows.core.rereading, with the work done by a cluster. Its workers have to see the lake."""
    there = partial(_reread, lake=settings.lake_path.resolve(), catalogue=catalogue)
    with open_reader(settings, catalogue) as read_here:

        def here(raw_refs: Sequence[str]) -> list[Article | Rejected]:
            return list(read_here(raw_refs))

        def read(raw_refs: Iterable[str]) -> Iterator[Article | Rejected]:
            return (found for batch in mapped(client, there, _batches(raw_refs), here=here) for found in batch)

        yield read


def _part_bytes(paths: Sequence[Path], client: Client) -> int:
    workers = max(1, len(client.nthreads()))  # type: ignore[no-untyped-call]
    return max(SMALLEST_PART_BYTES, min(PART_BYTES, archive_bytes(paths) // (workers * PARTS_A_WORKER)))


def _batches(raw_refs: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(raw_refs)
    while batch := list(islice(iterator, PAGES_A_BATCH)):
        yield batch


# ── in the workers ───────────────────────────────────────────────────────────────────────────────────────────────────


def _read(
    part: Part, *, catalogue: Catalogue, source: Source | None, fetched_at: datetime, page_seconds: float
) -> list[Finished]:
    documents = read_part(part, catalogue=catalogue, source=source, fetched_at=fetched_at)
    return [
        finished(document, extract_within(document, catalogue, page_seconds), record_of(document))
        for document in documents
    ]


def _reread(raw_refs: Sequence[str], *, lake: Path, catalogue: Catalogue) -> list[Article | Rejected]:
    return read_batch(lake, catalogue, raw_refs)

"""Pages of the archive, read once more: by better rules, or because their rows were lost or refused.

    raw refs ──Reader──▶ Article | Rejected      one for each, in their order

Here a reader is a pool of processes; `read_batch` is the same for one batch, to be mapped over a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from articles.extract import extract
from articles.records import Article, Page, Reason, Rejected
from articles.source import UNKNOWN, Source
from flows.core.extraction import open_extractors
from flows.settings import Settings
from storage.archive import RAW_REF, PageArchive
from storage.errors import ArchiveError

Reader = Callable[[Iterable[str]], Iterator[Article | Rejected]]


@contextmanager
def open_reader(settings: Settings, sources: Mapping[str, Source]) -> Iterator[Reader]:
    """Reads on all cores of this machine; a hostile page costs itself."""
    with PageArchive(settings.lake_path) as archive, open_extractors(sources, settings) as extractors:

        def read(raw_refs: Iterable[str]) -> Iterator[Article | Rejected]:
            return (found for _, found in extractors.run(_page(archive, raw_ref) for raw_ref in raw_refs))

        yield read


def read_batch(lake: Path, sources: Mapping[str, Source], raw_refs: Sequence[str]) -> list[Article | Rejected]:
    """A batch in this process, without the limits of a pool: its worker has to have its own."""
    with PageArchive(lake) as archive:
        pages = (_page(archive, raw_ref) for raw_ref in raw_refs)
        return [
            page if isinstance(page, Rejected) else extract(page, sources.get(page.source, UNKNOWN)) for page in pages
        ]


def _page(archive: PageArchive, raw_ref: str) -> Page | Rejected:
    try:
        return archive.read(raw_ref)
    except ArchiveError as error:
        return Rejected(
            source=source_of(raw_ref),
            url="",
            reason=Reason.ARCHIVE,
            detail=str(error),
            fetched_at=datetime.now(UTC),
            raw_ref=raw_ref,
        )


def source_of(raw_ref: str) -> str:
    """The source that a reference into the archive names; empty if it is no such reference."""
    return raw_ref.split("/")[1].removeprefix("source=") if RAW_REF.fullmatch(raw_ref) else ""

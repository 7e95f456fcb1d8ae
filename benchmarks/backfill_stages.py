"""Where a backfill of archives spends its time: CPU milliseconds a page of each stage, in one process, one by one.

    python -m benchmarks.backfill_stages [pages.warc.gz] [--pages 2000]

Reading, deciding and committing are one process's, extraction and packing are shared by all: what they leave of a page
to the first is what the number of cores cannot shorten.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar

from articles.extract import extract
from articles.records import Article, Page
from articles.source import UNKNOWN
from benchmarks.backfill_archive import write_archive
from benchmarks.tables import say, table
from flows.core.documents import documents_of
from flows.core.extraction import CHUNK, finished, record_of
from flows.core.runs import BATCH, batches
from spiders.catalogue import Catalogue
from storage.archive import PageArchive
from storage.lake import Lake

HERE = ("read WARC", "to a process and back", "keep the page", "decide and commit")
T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, nargs="?", help="made if none is named")
    parser.add_argument("--pages", type=int, default=2_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archive = asked.archive or Path(scratch) / "pages.warc.gz"
        if asked.archive is None:
            write_archive(archive, asked.pages)
        spent = stages(archive, asked.pages)
    whole = sum(spent.values())
    rows = [(stage, 1000 * seconds / asked.pages, 100 * seconds / whole) for stage, seconds in spent.items()]
    table(("stage", "ms a page", "%"), rows, lambda value: value if isinstance(value, str) else f"{value:.2f}")
    here = sum(spent[stage] for stage in HERE)
    say(f"{whole / asked.pages * 1000:.2f} ms a page, of which {here / asked.pages * 1000:.2f} in the one that commits")


def stages(archive: Path, pages: int) -> dict[str, float]:
    spent: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        began = time.process_time()
        try:
            return work()
        finally:
            spent[stage] = spent.get(stage, 0.0) + time.process_time() - began

    catalogue = Catalogue.load([])
    documents = timed("read WARC", lambda: list(islice(documents_of(catalogue, [archive], None), pages)))
    read = [page for page in documents if isinstance(page, Page)]
    _ = extract(read[0], UNKNOWN)  # what is made once is no page's
    with tempfile.TemporaryDirectory() as scratch, Lake.open(Path(scratch)) as lake, PageArchive(lake.root) as kept:
        for batch in batches(read, BATCH):
            results = timed(
                "extract", lambda batch=batch: [extract(p, catalogue.get(p.source, UNKNOWN)) for p in batch]
            )
            records = timed("pack", lambda batch=batch: [record_of(page) for page in batch])
            there = list(zip(results, records, strict=True))
            timed("to a process and back", lambda batch=batch, there=there: _travel(batch, there))
            done = [finished(page, result, record) for page, (result, record) in zip(batch, there, strict=True)]
            timed("keep the page", lambda done=done: [kept.append(each.document, each.record) for each in done])
            articles = [each.result for each in done if isinstance(each.result, Article)]
            timed("decide and commit", lambda articles=articles: lake.commit(articles, run_id="bench"))
    return spent


def _travel(pages: list[Page], results: list[object]) -> None:
    """Pickled in chunks there and back, as multiprocessing does; the pipe itself is not counted."""
    for things in (pages, results):
        for chunk in batches(things, CHUNK):
            pickle.loads(pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    main()

"""Batches on their way into the lake, one Arrow file each: durable before anything is decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from articles.records import Article
from storage.errors import LakeError
from storage.partitions import Publisher
from storage.schema import JOURNAL, article_of, observed_row

OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class Entry:
    batch_id: str
    run_id: str
    articles: Sequence[Article]


class Journal:
    def __init__(self, folder: Path, publisher: Publisher) -> None:
        self._folder = folder
        self._publisher = publisher
        folder.mkdir(exist_ok=True)

    def add(self, entry: Entry) -> None:
        rows = [{**observed_row(article), "source": article.source, "date": article.date} for article in entry.articles]
        table = pa.Table.from_pylist(rows, schema=JOURNAL.with_metadata({"run_id": entry.run_id}))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema, options=OPTIONS) as writer:
            writer.write_table(table)
        self._publisher.publish(self._path(entry.batch_id), sink.getvalue())
        self._publisher.sync()

    def remove(self, batch_id: str) -> None:
        self._path(batch_id).unlink(missing_ok=True)

    def batch_ids(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob("*.arrow"))

    def entry(self, batch_id: str) -> Entry:
        return read_entry(self._path(batch_id))

    def _path(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id}.arrow"


def read_entry(path: Path) -> Entry:
    """Raises LakeError for a file that is no entry, or not a whole one."""
    try:
        table = pa.ipc.open_file(path.read_bytes()).read_all()
        run_id = table.schema.metadata[b"run_id"].decode()
        articles = [article_of(row, source=row["source"], day=row["date"]) for row in table.to_pylist()]
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise LakeError(f"{path}: cannot read the journal ({error}); see `finnews verify --repair`") from error
    return Entry(path.stem, run_id, articles)

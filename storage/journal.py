"""Batches on their way into the lake, one Arrow file each: durable before anything is decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePosixPath

import pyarrow as pa

from articles.records import Article
from storage.errors import LakeError
from storage.schema import JOURNAL, article_of, observed_table
from storage.store import Store

FOLDER, SUFFIX = "_state/journal", ".arrow"
OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class Entry:
    batch_id: str
    run_id: str
    articles: Sequence[Article]


class Journal:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, entry: Entry) -> None:
        partition = {name: list(map(attrgetter(name), entry.articles)) for name in ("source", "date")}
        table = observed_table(JOURNAL.with_metadata({"run_id": entry.run_id}), entry.articles, **partition)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema, options=OPTIONS) as writer:
            writer.write_table(table)
        self._store.put(_key(entry.batch_id), sink.getvalue().to_pybytes(), None)
        self._store.sync()

    def remove(self, batch_id: str) -> None:
        self._store.delete(_key(batch_id))

    def batch_ids(self) -> list[str]:
        found = self._store.entries(FOLDER)
        return [PurePosixPath(each.key).stem for each in found if each.key.endswith(SUFFIX)]

    def entry(self, batch_id: str) -> Entry | None:
        """None if it has been removed meanwhile."""
        blob = self._store.read(_key(batch_id))
        return read_entry(blob.data, f"{self._store.url}/{_key(batch_id)}") if blob else None


def read_entry(data: bytes, name: str) -> Entry:
    """`name` says where it lies. Raises LakeError for what is no entry, or not a whole one."""
    try:
        table = pa.ipc.open_file(data).read_all()
        run_id = table.schema.metadata[b"run_id"].decode()
        articles = [article_of(row, source=row["source"], day=row["date"]) for row in table.to_pylist()]
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise LakeError(f"{name}: cannot read the journal ({error}); see `finnews verify --repair`") from error
    return Entry(PurePosixPath(name).stem, run_id, articles)


def _key(batch_id: str) -> str:
    return f"{FOLDER}/{batch_id}{SUFFIX}"

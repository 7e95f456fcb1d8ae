"""Partitions as files: where they are, how their bytes come about, how one takes the place of another.

A published tree holds one file per partition and nothing else. A file is only ever replaced as a whole: written to the
staging folder on the same file system, synced, renamed. The same rows always give the same bytes.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from articles.source import RESERVED_IDS, SOURCE_ID
from storage.errors import LakeError
from storage.failpoint import failpoint
from storage.schema import DICTIONARY, SCHEMAS, SORT, STATISTICS, VERSION, Tree

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
ROW_GROUP = 1024
ZSTD_LEVEL = 3
FOLDER = re.compile(r"(?:source|reason|date)=(?P<value>[^/]+)")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One folder of a tree: `owner` is the source, or the reason in the quarantine."""

    owner: str
    day: str
    """ISO date, or HIVE_NULL."""

    @classmethod
    def of(cls, source: str, day: date | None) -> Partition:
        # The path is built from it: anything but an id could leave the tree, and Hive readers guess other types.
        if not SOURCE_ID.fullmatch(source) or source in RESERVED_IDS:
            raise LakeError(f"{source!r} is not a source id: lower-case letters, digits and _, at most 40")
        return cls(source, day.isoformat() if day else HIVE_NULL)

    @property
    def date(self) -> date | None:
        return None if self.day == HIVE_NULL else date.fromisoformat(self.day)


def partition_path(lake: Path, tree: Tree, partition: Partition) -> Path:
    owner = "reason" if tree == "quarantine" else "source"
    return lake / tree / f"{owner}={partition.owner}" / f"date={partition.day}" / f"{tree}.parquet"


def partitions(lake: Path, tree: Tree) -> Iterator[tuple[Partition, Path]]:
    """Those on disk, in order. Whatever else lies in the tree is not looked at."""
    # A glob of ten thousand files takes a second; this, a tenth.
    for owner, folder in _folders(str(lake / tree)):
        for day, place in _folders(folder):
            path = os.path.join(place, f"{tree}.parquet")  # noqa: PTH118
            if os.path.exists(path):  # noqa: PTH110
                yield Partition(owner, day), Path(path)


def read_partition(path: Path, columns: list[str] | None = None) -> pa.Table | None:
    """The rows of one file, with checksums verified; None if there is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LakeError(f"{path}: {error.strerror}") from error
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        _check_version(path, file.schema_arrow)
        table = file.read(columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"{path}: not a readable Parquet file ({_line(error)}); see `finnews verify`") from error
    return table


def last_seq(path: Path) -> int:
    """The highest ingest_seq in a file, from its footer; 0 if there is none."""
    try:
        footer = pq.read_metadata(path)
    except FileNotFoundError:
        return 0
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"{path}: not a readable Parquet file ({_line(error)}); see `finnews verify`") from error
    at = footer.schema.to_arrow_schema().get_field_index("ingest_seq")
    groups = (footer.row_group(n).column(at) for n in range(footer.num_row_groups) if footer.row_group(n).num_rows)
    return max((int(column.statistics.max) for column in groups), default=0)


def encode(table: pa.Table, tree: Tree) -> bytes:
    """Canonical bytes of a set of rows."""
    names = table.schema.names
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.cast(SCHEMAS[tree]).sort_by([(name, "ascending") for name in SORT[tree]]),
        sink,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=[name for name in DICTIONARY if name.partition(".")[0] in names],
        write_statistics=[name for name in STATISTICS if name in names],
        write_page_checksum=True,
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


class Publisher:
    """Puts files in their places, each at once and for good."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake
        self._staging = lake / "_state" / "staging"
        self._staging.mkdir(exist_ok=True)
        self._unsynced: set[Path] = set()

    def publish(self, path: Path, data: bytes) -> None:
        """Readers see the old file or the new one. Survives a power cut after the next `sync`."""
        # No clock in the name: two writers may start in the same millisecond.
        staged = self._staging / f"{uuid.uuid4().hex}.parquet"
        try:
            try:
                write_synced(staged, data)
                failpoint("staged")
                self._make_folder(path.parent)
                staged.replace(path)
            except BaseException:
                staged.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise LakeError(f"{path}: {error.strerror}") from error
        self._unsynced.add(path.parent)
        failpoint("published")

    def sync(self) -> None:
        for folder in self._unsynced:
            sync_folder(folder)
        self._unsynced.clear()

    def sweep(self) -> None:
        """Remove what killed writers left. Only for the holder of the lake's lock."""
        for path in self._staging.iterdir():
            path.unlink()

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            self._unsynced.update(parent for parent in folder.parents if parent.is_relative_to(self._lake))


def write_synced(path: Path, data: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folders(parent: str) -> list[tuple[str, str]]:
    """Values and paths of `key=value` folders, in order."""
    try:
        with os.scandir(parent) as entries:
            found = [(FOLDER.fullmatch(entry.name), entry.path) for entry in entries if "=" in entry.name]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted((name["value"], path) for name, path in found if name)


def _check_version(path: Path, schema: pa.Schema) -> None:
    written = (schema.metadata or {}).get(b"finnews_schema_version", b"none").decode()
    if written != str(VERSION):
        raise LakeError(f"{path}: schema version {written}, this finnews reads and writes {VERSION}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

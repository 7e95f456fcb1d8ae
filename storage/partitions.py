"""Partitions as files: where they are and how their bytes come about. storage/store.py puts them in their places.

A published tree holds one file per partition and nothing else. Few new rows are appended: the old file as it is, a row
group, and a footer over both. Everything else writes the file anew, and then the same rows always give the same bytes.
A sealed file is that of a day gone quiet: canonical order, compressed for good.
"""

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from articles.source import RESERVED_IDS, SOURCE_ID
from storage.errors import LakeError, QueryError
from storage.schema import DICTIONARY, LONG, SCHEMAS, SORT, STATISTICS, VERSION, Row, Tree, table
from storage.store import Listed, Store, remote_of

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
ROW_GROUP = 1024
HOT_LEVEL, SEALED_LEVEL = 3, 9
# In the file's metadata, beside the version of the schema.
SEALED = b"finnews_sealed"
# Each appended row group costs a footer, and readers a little.
MAX_GROUPS = 16
MAX_APPENDED = 256
# Old bytes stay in front of a file that is written anew up to here, or so many times what its rows are unpacked.
KEPT_BYTES, KEPT_TIMES = 1 << 20, 2
# Of so few rows, only columns that are long in themselves are compressed.
FEW = 32
MAGIC_BYTES = 4
# Whose names are known to be ids.
SOURCES = 1024
KEY = re.compile(r"(?P<tree>\w+)/(?:source|reason)=(?P<owner>[^/]+)/date=(?P<day>[^/]+)/\w+\.parquet")
FOLDER = re.compile(r"(?:source|reason|date)=(?P<value>[^/]+)")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One folder of a tree: `owner` is the source, or the reason in the quarantine."""

    owner: str
    day: str
    """ISO date, or HIVE_NULL."""

    @classmethod
    def of(cls, source: str, day: date | None) -> Partition:
        if not _is_source_id(source):
            raise LakeError(f"{source!r} is not a source id: lower-case letters, digits and _, at most 40")
        return cls(source, day.isoformat() if day else HIVE_NULL)

    @property
    def date(self) -> date | None:
        return None if self.day == HIVE_NULL else date.fromisoformat(self.day)


def partition_key(tree: Tree, partition: Partition) -> str:
    """Its path in the lake."""
    owner = "reason" if tree == "quarantine" else "source"
    return f"{tree}/{owner}={partition.owner}/date={partition.day}/{tree}.parquet"


def partition_at(key: str) -> tuple[Tree, Partition] | None:
    """What `partition_key` was made of; None for any other path."""
    found = KEY.fullmatch(key)
    if not found:
        return None
    tree: Tree = found["tree"]  # type: ignore[assignment]
    partition = Partition(found["owner"], found["day"])
    return (tree, partition) if partition_key(tree, partition) == key else None


def partitions(
    lake: Path, tree: Tree, owners: Collection[str] = (), days: Collection[str] | None = None
) -> Iterator[tuple[Partition, Path]]:
    """Those on disk, in order: of all owners, if none is named, and all days, if that is None. Whatever else lies in
    the tree is not looked at."""
    if url := remote_of(lake):
        raise QueryError(f"{url}: this needs a lake in a folder; copy it there, or ask with `finnews read`")
    # A glob of ten thousand files takes a second; this, a tenth; and days that are named, a hundredth of that.
    for owner, folder in _folders(str(lake / tree)):
        if owners and owner not in owners:
            continue
        for day, place in _folders(folder) if days is None else ((day, f"{folder}/date={day}") for day in sorted(days)):
            path = os.path.join(place, f"{tree}.parquet")  # noqa: PTH118
            if os.path.exists(path):  # noqa: PTH110
                yield Partition(owner, day), Path(path)


def files(store: Store, tree: Tree, owners: Collection[str] = ()) -> Iterator[tuple[Partition, Listed]]:
    """The partitions of a store, in order; of all owners, if none is named."""
    owner_is = "reason" if tree == "quarantine" else "source"
    for folder in [f"{tree}/{owner_is}={owner}" for owner in sorted(owners)] or [tree]:
        for file in store.entries(folder):
            found = partition_at(file.key)
            if found and found[0] == tree:
                yield found[1], file


def read_partition(path: Path, columns: list[str] | None = None) -> pa.Table | None:
    """The rows of one file, with checksums verified; None if there is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LakeError(f"{path}: {error.strerror}") from error
    return decode(data, str(path), columns)


class PartitionFile:
    """The bytes of one file, whose footer is read once for all that is asked of them. Raises LakeError where they are
    not what they should be; not before something is asked."""

    def __init__(self, data: bytes, name: str) -> None:
        """`name` is for a person."""
        self.data, self._name = data, name

    def read(self, columns: list[str] | None = None) -> pa.Table:
        with self._named():
            rows = self._parquet.read(columns=columns, use_threads=False)
        return _with_all_columns(rows, self._name) if columns is None else rows

    def rows_of(self, ids: Collection[str]) -> pa.Table | None:
        """The rows of these articles; None if it has none. Of a file that has none, hardly anything is read, and of
        others only the row groups that have."""
        wanted = pa.array(sorted(ids), pa.string())
        is_wanted = pc.is_in(self.read(["article_id"])["article_id"], wanted)
        if not pc.any(is_wanted).as_py():
            return None
        footer, first, groups = self._parquet.metadata, 0, []
        for number in range(footer.num_row_groups):
            past = first + footer.row_group(number).num_rows
            if pc.any(is_wanted.slice(first, past - first)).as_py():
                groups.append(number)
            first = past
        with self._named():
            rows = self._parquet.read_row_groups(groups, use_threads=False)
        rows = _with_all_columns(rows, self._name)
        return rows.filter(pc.is_in(rows["article_id"], wanted))

    def changed(self, tree: Tree, out: Collection[str], added: pa.Table) -> bytes:
        """Its bytes without the rows of some articles, and with new ones, which come in order."""
        if not out and len(added) <= MAX_APPENDED and self._takes_more(added.schema):
            return _appended(self.data, self._parquet.metadata, added, tree)
        kept = self.read()
        if out:
            kept = kept.filter(pc.invert(pc.is_in(kept["article_id"], pa.array(sorted(out), pa.string()))))
        after = pa.concat_tables([kept, added])
        return encode(after, tree, behind=self.data if self._may_stay() else b"")

    def _may_stay(self) -> bool:
        """In front of what takes its place: a reader between footer and rows goes on with what it has begun."""
        footer = self._parquet.metadata
        unpacked: int = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
        return len(self.data) <= max(KEPT_BYTES, KEPT_TIMES * unpacked)

    def _takes_more(self, schema: pa.Schema) -> bool:
        footer = self._parquet.metadata
        alike = self._parquet.schema_arrow.names == schema.names
        return alike and footer.num_row_groups < MAX_GROUPS and SEALED not in footer.metadata

    @cached_property
    def _parquet(self) -> pq.ParquetFile:
        with self._named():
            file = pq.ParquetFile(pa.BufferReader(self.data), page_checksum_verification=True)
        _check_version(self._name, file.schema_arrow)
        return file

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(self._name, error) from error


def decode(data: bytes, name: str, columns: list[str] | None = None) -> pa.Table:
    return PartitionFile(data, name).read(columns)


def last_seq_of(file: BinaryIO, name: str) -> int:
    """The highest ingest_seq in a file, from its footer; 0 if there is none."""
    footer = _footer(file, name)
    at = footer.schema.to_arrow_schema().get_field_index("ingest_seq")
    groups = (footer.row_group(n).column(at) for n in range(footer.num_row_groups) if footer.row_group(n).num_rows)
    return max((int(column.statistics.max) for column in groups), default=0)


def is_sealed(file: BinaryIO, name: str) -> bool:
    return SEALED in (_footer(file, name).metadata or {})


def has_all_columns(file: BinaryIO, name: str, tree: Tree) -> bool:
    """False for a file of an older finnews, which lacks columns that were added since."""
    return set(SCHEMAS[tree].names) <= set(_footer(file, name).schema.to_arrow_schema().names)


def encode(rows: pa.Table, tree: Tree, *, in_order: bool = False, sealed: bool = False, behind: bytes = b"") -> bytes:
    """Bytes of a set of rows: canonical, unless they go `behind` those of an older file. If they are not known to be
    `in_order`, they are brought there."""
    schema = SCHEMAS[tree].with_metadata({**SCHEMAS[tree].metadata, SEALED: b"1"}) if sealed else SCHEMAS[tree]
    options = _options(tree, SEALED_LEVEL) if sealed else _options(tree, HOT_LEVEL, few=len(rows) <= FEW)
    rows = _as(schema, rows)
    data: bytes = _written(rows if in_order else _in_order(rows, tree), options, behind).to_pybytes()
    return data


def changed(data: bytes | None, name: str, tree: Tree, out: Collection[str], rows: Sequence[Row]) -> bytes:
    """The bytes of a file without the rows of some articles, and with new ones."""
    added = table(tree, rows)
    return encode(added, tree, in_order=True) if data is None else PartitionFile(data, name).changed(tree, out, added)


def _appended(data: bytes, footer: pq.FileMetaData, rows: pa.Table, tree: Tree) -> bytes:
    """The old bytes, a row group, and a footer over all. A reader that has the old footer finds all it points to."""
    group = list[pq.FileMetaData]()
    options = _options(tree, HOT_LEVEL, few=len(rows) <= FEW)
    body = memoryview(_written(rows, {**options, "metadata_collector": group}, data))
    footer.append_row_groups(*group)
    [footer_bytes] = struct.unpack("<I", body[-8:-4])
    over_all = io.BytesIO()
    footer.write_metadata_file(over_all)
    return b"".join((body[: -8 - footer_bytes], over_all.getbuffer()[MAGIC_BYTES:]))


def _written(rows: pa.Table, options: Mapping[str, Any], behind: bytes) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, rows.schema, **options) as writer:
        # The writer has put down the magic bytes that every file begins with; it counts from where the sink stands.
        if behind:
            sink.write(memoryview(behind)[MAGIC_BYTES:])
        writer.write_table(rows, row_group_size=ROW_GROUP)
    return sink.getvalue()


def _as(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    return rows if rows.schema.equals(schema, check_metadata=True) else rows.cast(schema)


def _in_order(rows: pa.Table, tree: Tree) -> pa.Table:
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in SORT[tree]])
    # Of few rows, to take every column anew is a tenth of writing them; mostly they come in order.
    return rows if order.to_pylist() == list(range(len(rows))) else rows.take(order)


@cache
def _options(tree: Tree, level: int, *, few: bool = False) -> Mapping[str, Any]:
    columns = [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name for field in SCHEMAS[tree]]
    # A column of a few bytes grows when it is packed, and setting that up takes longer than all else.
    packed = [name for name in columns if not few or name in LONG]
    return {
        "compression": dict.fromkeys(packed, "zstd"),
        "compression_level": dict.fromkeys(packed, level),
        "use_dictionary": [name for name in columns if name in DICTIONARY],
        "write_statistics": [name for name in columns if name in STATISTICS],
        "write_page_checksum": True,
    }


def _footer(file: BinaryIO, name: str) -> pq.FileMetaData:
    try:
        footer = pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(name, error) from error
    _check_version(name, footer.schema.to_arrow_schema())
    return footer


@lru_cache(SOURCES)
def _is_source_id(source: str) -> bool:
    """The path is built from it: anything but an id could leave the tree, and Hive readers guess other types."""
    return bool(SOURCE_ID.fullmatch(source)) and source not in RESERVED_IDS


def _folders(parent: str) -> list[tuple[str, str]]:
    """Values and paths of `key=value` folders, in order."""
    try:
        with os.scandir(parent) as entries:
            found = [(FOLDER.fullmatch(entry.name), entry.path) for entry in entries if "=" in entry.name]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted((name["value"], path) for name, path in found if name)


def _check_version(name: str, schema: pa.Schema) -> None:
    written = (schema.metadata or {}).get(b"finnews_schema_version", b"none").decode()
    if written != str(VERSION):
        raise LakeError(f"{name}: schema version {written}, this finnews reads and writes {VERSION}")


def _with_all_columns(rows: pa.Table, name: str) -> pa.Table:
    """In the columns of today. Those that were added since the file was written are null in it.

    Columns may be added within a version, if they may be null; one that we do not know would be lost in a rewrite.
    """
    schema = SCHEMAS.get(Path(name).stem)  # type: ignore[call-overload]
    if schema is None or schema.names == rows.schema.names:
        return rows
    unknown = sorted(set(rows.schema.names) - set(schema.names))
    if unknown:
        raise LakeError(f"{name}: columns of a newer finnews ({', '.join(unknown)}); upgrade to read and write it")
    missing = [field for field in schema if field.name not in rows.schema.names]
    for field in missing:
        rows = rows.append_column(field, pa.nulls(len(rows), field.type))
    return rows.select(schema.names).cast(schema)


def _unreadable(name: str, error: Exception) -> LakeError:
    said = " ".join(str(error).split())[:200]
    return LakeError(f"{name}: not a readable Parquet file ({said}); see `finnews verify`")

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
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from articles.source import RESERVED_IDS, SOURCE_ID
from storage.errors import LakeError, QueryError
from storage.schema import DICTIONARY, SCHEMAS, SORT, STATISTICS, VERSION, Row, Tree, table
from storage.store import Listed, Store, remote_of

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
ROW_GROUP = 1024
HOT_LEVEL, SEALED_LEVEL = 3, 9
# In the file's metadata, beside the version of the schema.
SEALED = b"finnews_sealed"
# Each appended row group costs a footer, and readers a little.
MAX_GROUPS = 16
MAX_APPENDED = 256
MAGIC_BYTES = 4
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
        # The path is built from it: anything but an id could leave the tree, and Hive readers guess other types.
        if not SOURCE_ID.fullmatch(source) or source in RESERVED_IDS:
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


def decode(data: bytes, name: str, columns: list[str] | None = None) -> pa.Table:
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        _check_version(name, file.schema_arrow)
        rows = file.read(columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"{name}: not a readable Parquet file ({_line(error)}); see `finnews verify`") from error
    return _with_all_columns(rows, name) if columns is None else rows


def rows_of(data: bytes, name: str, ids: Collection[str]) -> pa.Table | None:
    """The rows of these articles; None if it has none. A file that has none is hardly read."""
    wanted = pa.array(sorted(ids), pa.string())
    if not pc.any(pc.is_in(decode(data, name, ["article_id"])["article_id"], wanted)).as_py():
        return None
    rows = decode(data, name)
    return rows.filter(pc.is_in(rows["article_id"], wanted))


def last_seq(path: Path) -> int:
    """The highest ingest_seq in a file, from its footer; 0 if there is none."""
    try:
        with path.open("rb") as file:
            return last_seq_of(file, str(path))
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise LakeError(f"{path}: {error.strerror}") from error


def last_seq_of(file: BinaryIO, name: str) -> int:
    footer = _footer(file, name)
    at = footer.schema.to_arrow_schema().get_field_index("ingest_seq")
    groups = (footer.row_group(n).column(at) for n in range(footer.num_row_groups) if footer.row_group(n).num_rows)
    return max((int(column.statistics.max) for column in groups), default=0)


def is_sealed(file: BinaryIO, name: str) -> bool:
    return SEALED in (_footer(file, name).metadata or {})


def has_all_columns(file: BinaryIO, name: str, tree: Tree) -> bool:
    """False for a file of an older finnews, which lacks columns that were added since."""
    return set(SCHEMAS[tree].names) <= set(_footer(file, name).schema.to_arrow_schema().names)


def encode(rows: pa.Table, tree: Tree, *, sealed: bool = False) -> bytes:
    """Canonical bytes of a set of rows."""
    schema = SCHEMAS[tree].with_metadata({**SCHEMAS[tree].metadata, SEALED: b"1"}) if sealed else SCHEMAS[tree]
    ordered = rows.cast(SCHEMAS[tree]).sort_by([(name, "ascending") for name in SORT[tree]])
    sink = pa.BufferOutputStream()
    level = SEALED_LEVEL if sealed else HOT_LEVEL
    pq.write_table(ordered.cast(schema), sink, row_group_size=ROW_GROUP, **_options(schema, level))
    data: bytes = sink.getvalue().to_pybytes()
    return data


def changed(data: bytes | None, name: str, tree: Tree, out: Collection[str], rows: Sequence[Row]) -> bytes:
    """The bytes of a file without the rows of some articles, and with new ones."""
    added = table(tree, rows)
    if data is None:
        return encode(added, tree)
    if not out and len(rows) <= MAX_APPENDED:
        footer = _footer(io.BytesIO(data), name)
        alike = footer.schema.to_arrow_schema().names == added.schema.names
        if alike and footer.num_row_groups < MAX_GROUPS and SEALED not in footer.metadata:
            return _appended(data, footer, added, tree)
    before = decode(data, name)
    kept = (
        before.filter(pc.invert(pc.is_in(before["article_id"], pa.array(sorted(out), pa.string())))) if out else before
    )
    return encode(pa.concat_tables([kept, added]), tree)


def _appended(data: bytes, footer: pq.FileMetaData, rows: pa.Table, tree: Tree) -> bytes:
    """The old bytes, a row group, and a footer over all. A reader that has the old footer finds all it points to."""
    ordered = rows.sort_by([(name, "ascending") for name in SORT[tree]])
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, ordered.schema, **_options(ordered.schema, HOT_LEVEL)) as writer:
        # The writer has put down the magic bytes that every file begins with; it counts from where the sink stands.
        sink.write(memoryview(data)[MAGIC_BYTES:])
        writer.write_table(ordered, row_group_size=ROW_GROUP)
    written = sink.getvalue()
    footer.append_row_groups(pq.read_metadata(pa.BufferReader(written)))
    [footer_bytes] = struct.unpack("<I", written[-8:-4].to_pybytes())
    over_all = io.BytesIO()
    footer.write_metadata_file(over_all)
    body: bytes = written[: len(written) - 8 - footer_bytes].to_pybytes()
    return body + over_all.getvalue()[MAGIC_BYTES:]


def _options(schema: pa.Schema, level: int) -> dict[str, Any]:
    return {
        "compression": "zstd",
        "compression_level": level,
        "use_dictionary": [name for name in DICTIONARY if name.partition(".")[0] in schema.names],
        "write_statistics": [name for name in STATISTICS if name in schema.names],
        "write_page_checksum": True,
    }


def _footer(file: BinaryIO, name: str) -> pq.FileMetaData:
    try:
        footer = pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"{name}: not a readable Parquet file ({_line(error)}); see `finnews verify`") from error
    _check_version(name, footer.schema.to_arrow_schema())
    return footer


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


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

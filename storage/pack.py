"""Monthly packs: the articles of one month, of all sources, in one file, for scans over years.

    LAKE/packs/month=<YYYY-MM>/articles.parquet      source and date are columns of the file

A pack is a copy, made from the partitions and never read by us. It names the files it was made from, so that making
packs again touches only the months in which something changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from storage.errors import LakeError
from storage.partitions import HIVE_NULL, Partition, partitions, read_partition
from storage.schema import COLUMNS, DICTIONARY, PARTITION, SCHEMAS
from storage.store import sync_folder

MADE_FROM = b"finnews_pack_of"
# Rows of many small partitions are gathered until they fill a row group.
ROW_GROUP = 16_384
SCHEMA = pa.schema(
    [pa.field(column.name, column.type, not column.required) for column in (*PARTITION, *COLUMNS)],
    SCHEMAS["articles"].metadata,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What one call did."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    """Months that no longer have any article."""


def pack(lake: Path, advance: Callable[[int], None] = lambda _: None) -> Packed:
    """Bring the packs up to date, month by month, each file replaced as a whole. Raises LakeError."""
    months: dict[str, list[tuple[Partition, Path]]] = defaultdict(list)
    for partition, path in partitions(lake, "articles"):
        months[HIVE_NULL if partition.day == HIVE_NULL else partition.day[:7]].append((partition, path))
    written, unchanged = [], []
    for month, files in sorted(months.items()):
        out = pack_path(lake, month)
        made_from = _state_of(files)
        if _made_from(out) == made_from:
            unchanged.append(month)
        else:
            _write(out, files, made_from)
            written.append(month)
        advance(1)
    removed = [path.parent for path in (lake / "packs").glob("month=*/articles.parquet")]
    removed = [folder for folder in removed if folder.name.removeprefix("month=") not in months]
    for folder in removed:
        (folder / "articles.parquet").unlink()
        folder.rmdir()
    gone = tuple(sorted(folder.name.removeprefix("month=") for folder in removed))
    return Packed(written=tuple(written), unchanged=tuple(unchanged), removed=gone)


def pack_path(lake: Path, month: str) -> Path:
    return lake / "packs" / f"month={month}" / "articles.parquet"


def _state_of(files: Iterable[tuple[Partition, Path]]) -> bytes:
    """Changes with any of the files: each is only ever replaced, or appended to."""
    state = blake2b(digest_size=16)
    for partition, path in files:
        stat = path.stat()
        state.update(f"{partition.owner} {partition.day} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n".encode())
    return state.hexdigest().encode()


def _made_from(pack_file: Path) -> bytes | None:
    try:
        return (pq.read_schema(pack_file).metadata or {}).get(MADE_FROM)
    except (OSError, pa.ArrowException):
        return None  # not there, or not whole: made anew either way


def _write(out: Path, files: Sequence[tuple[Partition, Path]], made_from: bytes) -> None:
    staged = out.with_name(".articles.parquet.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _write_file(staged, files, made_from)
        staged.replace(out)
        sync_folder(out.parent)
    except OSError as error:
        raise LakeError(f"{out}: {error.strerror}") from error
    finally:
        staged.unlink(missing_ok=True)


def _write_file(path: Path, files: Sequence[tuple[Partition, Path]], made_from: bytes) -> None:
    schema = SCHEMA.with_metadata({**(SCHEMA.metadata or {}), MADE_FROM: made_from})
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=["source", *DICTIONARY],
        write_page_checksum=True,
    ) as writer:
        held: list[pa.Table] = []
        for partition, file in files:
            table = read_partition(file)
            if table is not None:
                held.append(_with_partition(table, partition))
            if sum(map(len, held)) >= ROW_GROUP:
                held = _flush(writer, held, schema)
        _flush(writer, held, schema)


def _with_partition(table: pa.Table, partition: Partition) -> pa.Table:
    source = pa.array([partition.owner] * len(table), pa.string())
    day = pa.array([partition.date] * len(table), pa.date32())
    return table.add_column(0, SCHEMA.field("source"), source).add_column(1, SCHEMA.field("date"), day)


def _flush(writer: pq.ParquetWriter, held: list[pa.Table], schema: pa.Schema) -> list[pa.Table]:
    if held:
        writer.write_table(pa.concat_tables(held).cast(schema), row_group_size=ROW_GROUP)
    return []

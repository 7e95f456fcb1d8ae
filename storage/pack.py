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
from storage.partitions import HIVE_NULL, Partition, decode, files
from storage.schema import COLUMNS, DICTIONARY, PARTITION, SCHEMAS
from storage.store import Listed, Store, open_store, remote_of, require_lake, sync_folder

PACKS = "packs"
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
    require_lake(lake)
    store = open_store(lake)
    months: dict[str, list[tuple[Partition, Listed]]] = defaultdict(list)
    for partition, file in files(store, "articles"):
        months[HIVE_NULL if partition.day == HIVE_NULL else partition.day[:7]].append((partition, file))
    before = {month: file for file in store.entries(PACKS) for month in _month_of(file.key)}
    written, unchanged = [], []
    for month, of_month in sorted(months.items()):
        made_from = _state_of(of_month)
        if month in before and _made_from(store, pack_key(month)) == made_from:
            unchanged.append(month)
        else:
            _Packing(store, lake).write(month, of_month, made_from, before.get(month))
            written.append(month)
        advance(1)
    removed = sorted(before.keys() - months.keys())
    for month in removed:
        store.delete(pack_key(month))
    return Packed(written=tuple(written), unchanged=tuple(unchanged), removed=tuple(removed))


def pack_key(month: str) -> str:
    return f"{PACKS}/month={month}/articles.parquet"


def _month_of(key: str) -> list[str]:
    month = key.split("/")[1].removeprefix("month=")
    return [month] if pack_key(month) == key else []


def _state_of(packed: Iterable[tuple[Partition, Listed]]) -> bytes:
    """Changes with any of the files."""
    state = blake2b(digest_size=16)
    for _, file in packed:
        state.update(f"{file.key} {file.version}\n".encode())
    return state.hexdigest().encode()


def _made_from(store: Store, key: str) -> bytes | None:
    try:
        with store.open(key) as file:
            return (pq.read_schema(file).metadata or {}).get(MADE_FROM)
    except (OSError, pa.ArrowException):
        return None  # not there, or not whole: made anew either way


@dataclass(frozen=True, slots=True)
class _Packing:
    """Writes a pack on this machine, row group by row group, and then puts it in its place."""

    store: Store
    lake: Path

    def write(
        self, month: str, packed: Sequence[tuple[Partition, Listed]], made_from: bytes, before: Listed | None
    ) -> None:
        # Outside the trees that are globbed, and outside those that a writer sweeps.
        staged = self.lake / "_state" / f"pack-{month}.parquet"
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
            self._write_file(staged, packed, made_from)
            self._publish(staged, pack_key(month), before)
        except OSError as error:
            raise LakeError(f"{self.store.url}/{pack_key(month)}: {error.strerror}") from error
        finally:
            staged.unlink(missing_ok=True)

    def _publish(self, staged: Path, key: str, before: Listed | None) -> None:
        if remote_of(self.lake):
            if self.store.put(key, staged.read_bytes(), before.version if before else None) is None:
                raise LakeError(f"{self.store.url}/{key}: somebody else packs this month; try again")
            return
        out = self.lake / key
        out.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(out)
        sync_folder(out.parent)

    def _write_file(self, path: Path, packed: Sequence[tuple[Partition, Listed]], made_from: bytes) -> None:
        schema = SCHEMA.with_metadata({**(SCHEMA.metadata or {}), MADE_FROM: made_from})
        with pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=["source", *DICTIONARY],
            write_page_checksum=True,
        ) as writer:
            held: list[pa.Table] = []
            for partition, file in packed:
                if blob := self.store.read(file.key):
                    held.append(_with_partition(decode(blob.data, f"{self.store.url}/{file.key}"), partition))
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

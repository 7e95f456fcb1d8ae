"""Is the lake what it says it is? Every file is read, page checksums included, and every row looked up in all the rest.

    trees ──every file──▶ files, places, orphans      one partition in memory at a time
          ──keys of rows──▶ a database of its own ──▶ keys, clusters, ledger, pages      (in a temporary folder)

Nothing is changed; what to do about what is found is another module's. To be asked while nobody writes: a writer at
work is between two states.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from storage.accepted import acceptances, accepted_refs, still_unreadable
from storage.archive import PageArchive
from storage.database import Location, exists
from storage.errors import ArchiveError, LakeError, LedgerError
from storage.journal import FOLDER, read_entry
from storage.ledger import Ledger, ledger_location
from storage.partitions import HIVE_NULL, Partition, decode, partition_at
from storage.retention import Expired
from storage.schema import PAGE_DIGEST, SCHEMAS, TREES, VERSION, Tree, load_extra
from storage.store import STAGING, open_store

CHECKS: Mapping[str, str] = {
    "files": "every Parquet file is whole, checksums included, and has the columns of its version",
    "keys": "every article once in articles, every copy and every revision once, and none missing",
    "places": "every row lies in the partition of a day that one of its revisions was published on",
    "clusters": "every duplicate leads to an article, and every cluster to its first",
    "ledger": "ledger and lake agree both ways: copies, texts, commits",
    "pages": "every raw_ref leads into the page archive",
    "orphans": "no staged file, no unfinished commit, no foreign file among the partitions",
}
EXAMPLES = 5
# Rows handed to the database at once.
CHUNK = 50_000
UNDATED = ""

HELD = pa.schema(
    [
        *((name, pa.string()) for name in ("tree", "source", "day", "article_id")),
        ("revision", pa.int32()),
        ("ingest_seq", pa.int64()),
        *((name, pa.string()) for name in ("text_hash", "cluster_id", "duplicate_of", "raw_ref", "page_digest")),
        ("says", pa.string()),  # day of the row's own published_at
    ]
)
KNOWN = pa.schema(
    [
        (name, pa.string())
        for name in ("article_id", "source", "day", "cluster_id", "duplicate_of", "raw_ref", "gone_at")
    ]
)
TEXTS = pa.schema([(name, pa.string()) for name in ("article_id", "source", "text_hash")])
KEYS = pa.schema([(name, pa.string()) for name in ("article_id", "source")])
REFUSED = pa.schema([(name, pa.string()) for name in ("source", "url", "raw_ref")])
ACCEPTED = pa.schema([("raw_ref", pa.string())])
TABLES = {
    "held": HELD,
    "refused": REFUSED,
    "known": KNOWN,
    "texts": TEXTS,
    "unfinished": KEYS,
    "accepted": ACCEPTED,
}
# Every reference into the archive, with where it stands, but for lost ones that somebody accepted; and the pages that
# they name.
VIEWS = r"""
create view refs as from (
    select source || ' ' || article_id as place, raw_ref, page_digest from held where raw_ref != ''
    union all select source || ' ' || url, raw_ref, '' from refused where raw_ref != ''
) anti join accepted using (raw_ref);
create view pages as
    select raw_ref, max(page_digest) as page_digest, named.path as path, named.first::bigint as first,
           named.length::bigint as length
    from (select *, regexp_extract(raw_ref, '^(pages/[^#]+)#(\d+)\+(\d+)$', ['path', 'first', 'length']) as named
          from refs)
    where named.path != '' group by all
"""

# A first revision that came to light late joins the others, on the day that they name.
ASTRAY = (
    "anti join (select source, article_id, day from held where says = day) using (source, article_id, day)"
    " where revision = 1"
)
CURRENT = "(select * from held where tree in ('articles', 'duplicates'))"
# Check → queries for what is wrong: where, and what.
QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "keys",
        "select article_id, 'lies in articles ' || count(*) || ' times: ' || string_agg(source || ' ' || day, ', ')"
        " from held where tree = 'articles' group by article_id having count(*) > 1",
    ),
    (
        "keys",
        f"select source || ' ' || article_id, 'stands ' || count(*) || ' times among articles and duplicates'"
        f" from {CURRENT} group by source, article_id having count(*) > 1",
    ),
    (
        "keys",
        "select source || ' ' || article_id, 'revision ' || revision || ' lies there ' || count(*) || ' times'"
        " from held where tree = 'revisions' group by source, article_id, revision having count(*) > 1",
    ),
    (
        "keys",
        f"select now.source || ' ' || now.article_id, 'is at revision ' || now.revision || ' after ' || ifnull(n, 0)"
        f" from {CURRENT} now left join (select source, article_id, count(distinct revision) n, max(revision) last"
        " from held where tree = 'revisions' group by all) before using (source, article_id)"
        " where now.revision - 1 != ifnull(n, 0) or now.revision - 1 != ifnull(last, 0)",
    ),
    (
        "keys",
        "select distinct held.source || ' ' || held.article_id, 'has earlier revisions and no latest one'"
        f" from held anti join {CURRENT} using (source, article_id) where tree = 'revisions'",
    ),
    (
        "places",
        "select tree || ' ' || source || ' ' || article_id,"
        " 'lies under ' || if(day = '', 'no day', day) || ', was published ' || if(says = '', 'on no known day', says)"
        f" from held {ASTRAY}",
    ),
    (
        "places",
        "select min(source || ' ' || article_id), 'has rows on ' || count(distinct day) || ' days'"
        " from held group by source, article_id having count(distinct day) > 1",
    ),
    (
        "clusters",
        "select source || ' ' || article_id, 'repeats ' || duplicate_of || ', which is not in articles'"
        " from held where tree = 'duplicates'"
        " and duplicate_of not in (select article_id from held where tree = 'articles')",
    ),
    (
        "clusters",
        f"select source || ' ' || article_id, 'is of cluster ' || cluster_id || ', which has no such first'"
        f" from {CURRENT} where cluster_id not in"
        " (select article_id from held where tree = 'articles' and cluster_id = article_id)",
    ),
    (
        "ledger",
        "select source || ' ' || article_id, 'has a text that the ledger does not know: revision ' || revision"
        " from held anti join texts using (article_id, source, text_hash)"
        " anti join unfinished using (article_id, source)",
    ),
    (
        "ledger",
        "select source || ' ' || article_id, 'is known to the ledger with a text that is not in the lake'"
        " from texts anti join held using (article_id, source, text_hash)"
        " anti join unfinished using (article_id, source)",
    ),
    (
        "ledger",
        "select source || ' ' || article_id, 'stands otherwise in the ledger: ' || known.day || ' ' || known.cluster_id"
        f" from known join {CURRENT} now using (article_id, source) anti join unfinished using (article_id, source)"
        " where (known.day, known.cluster_id, known.duplicate_of)"
        " is distinct from (now.day, now.cluster_id, now.duplicate_of)",
    ),
)
NO_REFERENCE = (
    "select place, 'its raw_ref is no reference: ' || raw_ref from refs anti join pages using (raw_ref) order by place"
)
# Of each copy the page it was last read from, if no row is; other versions of it can only be looked for.
LOST = """
select article_id, source, if(known.raw_ref in (select raw_ref from held), null, known.raw_ref), gone_at, count(*),
       (select count(*) from texts every where every.article_id = texts.article_id and every.source = texts.source)
from texts anti join held using (article_id, source, text_hash) anti join unfinished using (article_id, source)
join known using (article_id, source) group by all order by all
"""
MISPLACED = f"select article_id, source, text_hash, says from held {ASTRAY}"
PAGE_FILES = "select path, max(first + length), count(*) from pages group by path order by path"
PAGES_BEHIND = "select raw_ref from pages where path = ? and first + length > ? order by first"
PAGES = "select raw_ref, page_digest from pages order by path, first"


@dataclass(slots=True)
class Check:
    """One promise, and what was found of it."""

    name: str
    about: str
    looked_at: int = 0
    problems: int = 0
    examples: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is as it should be, and still worth a line."""

    def found(self, where: object, what: object, count: int = 1) -> None:
        self.problems += count
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{where}: {what}")


@dataclass(slots=True)
class Findings:
    checks: dict[str, Check]
    damaged: list[str] = field(default_factory=list)
    """Files of partitions and of the journal that cannot be read."""
    foreign: list[str] = field(default_factory=list)
    """What lies in a published tree and is no partition."""
    unreadable_ledger: Path | None = None
    lost: list[tuple[str, str, str | None, str | None, int, int]] = field(default_factory=list)
    """Copies with texts that the ledger knows and the lake has not: article_id, source, where the last page lies if no
    row is of it, since when it is gone, number of these texts and of all."""
    lost_pages: list[str] = field(default_factory=list)
    """References to pages that the archive should have and cannot give."""
    refused: list[str] = field(default_factory=list)
    """Where the pages lie that the ledger knows to have been refused."""
    misplaced: list[tuple[str, str, str, str]] = field(default_factory=list)
    """First revisions under another day than theirs: article_id, source, text_hash, the day."""

    @property
    def sound(self) -> bool:
        return not any(check.problems for check in self.checks.values())


def verify(
    lake: Path,
    *,
    zones: Mapping[str, tzinfo],
    zone: tzinfo,
    ledger: str = "",
    deep: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Findings:
    """`zones` are those of the sources, `zone` that of any other. `ledger` is the url of a shared one.

    `deep` reads every page of the archive as well.

    `advance` is told of every file, and of every page that is read.
    """
    with tempfile.TemporaryDirectory(prefix="finnews-verify-") as folder:
        return _Look(lake, ledger_location(lake, ledger), Path(folder), {**zones, "": zone}, advance).all(deep=deep)


def steps(lake: Path) -> int:
    """How many files `verify` will read."""
    store = open_store(lake)
    return sum(1 for tree in TREES for _ in store.entries(tree))


class _Look:
    """One pass over a lake."""

    def __init__(
        self,
        lake: Path,
        location: Location,
        folder: Path,
        zones: Mapping[str, tzinfo],
        advance: Callable[[int], None],
    ) -> None:
        self._lake = lake
        self._store = open_store(lake)
        self._expired = Expired.of(self._store)
        self._older = 0
        self._location = location
        self._zones = zones
        self._advance = advance
        self._findings = Findings({name: Check(name, about) for name, about in CHECKS.items()})
        self._database = duckdb.connect(str(folder / "verify.duckdb"))
        self._waiting: dict[str, list[pa.Table]] = {}
        for name, schema in TABLES.items():
            self._database.register("shape", schema.empty_table())
            self._database.execute(f"CREATE TABLE {name} AS SELECT * FROM shape")
            self._database.unregister("shape")
        self._database.execute(VIEWS)

    def all(self, *, deep: bool) -> Findings:
        with closing(self._database):
            for tree in TREES:
                self._tree(tree)
            if self._older:
                self._findings.checks["files"].notes.append(
                    f"{self._older} files lack columns that were added since; `finnews migrate` writes them anew"
                )
            self._state()
            self._ledger()
            self._flush()
            for name, question in QUESTIONS:
                self._ask(name, question)
            self._findings.lost = list(self._rows(LOST))
            self._findings.misplaced = list(self._rows(MISPLACED))
            self._count()
            self._pages()
            if deep:
                self._every_page()
        return self._findings

    # Files

    def _tree(self, tree: Tree) -> None:
        for listed in self._store.entries(tree):
            found = partition_at(listed.key)
            if found and found[0] == tree:
                self._partition(tree, found[1], listed.key)
            else:
                self._findings.foreign.append(listed.key)
                self._found(
                    "orphans", listed.key, "is no file of ours; readers that glob the tree fail on it or read it"
                )
            self._advance(1)

    def _partition(self, tree: Tree, partition: Partition, key: str) -> None:
        check = self._findings.checks["files"]
        check.looked_at += 1
        blob = self._store.read(key)
        if blob is None:
            return
        try:
            schema = pq.read_schema(pa.BufferReader(blob.data))
            if newer := _newer(schema, tree):
                check.found(key, newer)
                return
            _require_ours(schema, tree)
            rows = decode(blob.data, key)
        except (LakeError, OSError, pa.ArrowException) as error:
            self._findings.damaged.append(key)
            check.found(key, _without_place(error, key))
            return
        self._older += len(schema) < len(SCHEMAS[tree])
        if tree == "quarantine":
            self._add("refused", rows.select(REFUSED.names).cast(REFUSED))
        else:
            self._add("held", self._held(tree, partition, rows))

    def _held(self, tree: Tree, partition: Partition, rows: pa.Table) -> pa.Table:
        day = UNDATED if partition.day == HIVE_NULL else partition.day
        zone = self._zones.get(partition.owner, self._zones[""])
        digests = [load_extra(extra).get(PAGE_DIGEST, "") for extra in rows["extra"].to_pylist()]
        columns = {name: rows[name] for name in HELD.names if name in rows.schema.names} | {
            "tree": pa.repeat(tree, len(rows)),
            "source": pa.repeat(partition.owner, len(rows)),
            "day": pa.repeat(day, len(rows)),
            "duplicate_of": rows["duplicate_of"] if tree == "duplicates" else pa.nulls(len(rows), pa.string()),
            "page_digest": pa.array(digests, pa.string()),
            "says": _days(rows["published_at"], zone),
        }
        return pa.table({name: columns[name] for name in HELD.names}, HELD)

    # Ledger and state

    def _state(self) -> None:
        """What killed writers left. Their commits are finished by the next writer."""
        for listed in self._store.entries(STAGING):
            self._found("orphans", listed.key, "was staged and never published")
        for listed in self._store.entries(FOLDER):
            blob = self._store.read(listed.key)
            try:
                entry = read_entry(blob.data, listed.key) if blob else None
            except LakeError as error:
                self._findings.damaged.append(listed.key)
                self._found("orphans", listed.key, _without_place(error, listed.key))
                continue
            if entry:
                self._found("orphans", listed.key, f"run {entry.run_id} did not finish this commit; the next run does")

    def _ledger(self) -> None:
        place = self._location
        if not exists(place):
            if self._findings.checks["files"].looked_at:
                self._found("ledger", place, "is lost; the next run makes it anew from the lake")
            return
        try:
            with closing(Ledger(place)) as ledger:
                self._read_ledger(ledger)
        except LedgerError as error:
            if isinstance(place, Path):
                self._findings.unreadable_ledger = place
            self._found("ledger", place, _without_place(error, place))

    def _read_ledger(self, ledger: Ledger) -> None:
        if complaints := ledger.damage():
            raise LedgerError(f"{ledger.name}: {'; '.join(complaints)}")
        if ledger.lacks_index():
            self._found("ledger", ledger.name, "has lost the near-duplicate index")
        for batch in ledger.pending():
            self._add("unfinished", _rows(KEYS, ledger.touched(batch)))
        self._add("known", _rows(KNOWN, ledger.places()))
        self._add("texts", _rows(TEXTS, ledger.texts()))
        self._findings.refused = ledger.refused_pages()
        self._flush()
        head, newest = ledger.head().seq, ledger.last_seq()
        self._ask(
            "ledger",
            f"select 'commit {head}', 'is nowhere in the lake: the ledger is newer, or rows are lost'"
            f" from held having {head} > ifnull(max(ingest_seq), 0)",
        )
        self._ask(
            "ledger",
            "select tree || ' ' || source || ' ' || day, 'holds commit ' || max(ingest_seq) || ', the ledger ends at"
            f" {newest}: it is older than the lake' from held where ingest_seq > {newest} group by tree, source, day",
        )

    # Pages

    def _pages(self) -> None:
        """Whether the archive is long enough: no record is read."""
        check, expired = self._findings.checks["pages"], 0
        self._accept()
        self._ask("pages", NO_REFERENCE)
        sizes = {listed.key: listed.size_bytes for listed in self._store.entries("pages")}
        for path, ends, count in self._rows(PAGE_FILES):
            check.looked_at += count
            size = sizes.get(path)
            if size is None and self._expired.covers(path):
                expired += count
                continue
            if size is None:
                check.found(path, f"is lost, with {count} pages", count)
            elif size < ends:
                check.found(path, f"ends at {size:,} bytes, the last page at {ends:,}")
            self._findings.lost_pages += (raw_ref for (raw_ref,) in self._rows(PAGES_BEHIND, [path, size or 0]))
        if expired:
            check.notes.append(f"{expired} pages expired by retention; their rows are all that is left of them")

    def _accept(self) -> None:
        """Leave out the pages whose loss somebody has accepted."""
        accepted = acceptances(self._store)
        unreadable = still_unreadable(self._lake, accepted_refs(accepted))
        self._add("accepted", _rows(ACCEPTED, ((raw_ref,) for raw_ref in unreadable)))
        self._flush()
        if unreadable:
            self._findings.checks["pages"].notes.append(f"{len(unreadable)} pages are lost, and were accepted as such")

    def _every_page(self) -> None:
        check = self._findings.checks["pages"]
        with PageArchive(self._lake) as archive:
            for raw_ref, digest in self._rows(PAGES):
                self._advance(1)
                if self._expired.covers(raw_ref):
                    continue
                try:
                    page = archive.read(raw_ref)
                except ArchiveError as error:
                    check.found(raw_ref, _without_place(error, raw_ref))
                    self._findings.lost_pages.append(raw_ref)
                    continue
                if digest and page.digest != digest:
                    check.found(raw_ref, "is another page than the one the row was read from")

    # Findings

    def _found(self, name: str, where: object, what: object) -> None:
        self._findings.checks[name].found(where, what)

    def _ask(self, name: str, question: str) -> None:
        for where, what in self._rows(question):
            self._findings.checks[name].found(where, what)

    def _count(self) -> None:
        [(rows, copies)] = self._rows(f"select count(*), (select count(*) from {CURRENT}) from held")
        [(known,)] = self._rows("select count(*) from known")
        for name, count in {"keys": rows, "places": rows, "clusters": copies, "ledger": known}.items():
            self._findings.checks[name].looked_at = count

    def _rows(self, question: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        cursor = self._database.cursor().execute(question, values)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows

    def _add(self, name: str, rows: pa.Table) -> None:
        waiting = self._waiting.setdefault(name, [])
        waiting.append(rows)
        if sum(map(len, waiting)) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        for name, tables in self._waiting.items():
            self._database.register("added", pa.concat_tables(tables))
            self._database.execute(f"INSERT INTO {name} SELECT * FROM added")
            self._database.unregister("added")
        self._waiting.clear()


def _newer(schema: pa.Schema, tree: Tree) -> str:
    """Why a file has to wait for a newer finnews; empty if it has not."""
    version = str((schema.metadata or {}).get(b"finnews_schema_version", b"").decode())
    if version.isdecimal() and version != str(VERSION):
        return f"is of schema version {version}, this finnews reads and writes {VERSION}"
    # Columns are added and none is taken away: where one of ours is missing, its name is damaged.
    unknown, missing = set(schema.names) - set(SCHEMAS[tree].names), set(SCHEMAS[tree].names) - set(schema.names)
    if version and unknown and not missing:
        return f"has columns of a newer finnews: {', '.join(sorted(unknown))}"
    return ""


def _require_ours(schema: pa.Schema, tree: Tree) -> None:
    """An older file may lack columns that may be null; else it has ours."""
    unlike = [
        field.name
        for field in SCHEMAS[tree]
        if (field.name in schema.names and schema.field(field.name).type != field.type)
        or (field.name not in schema.names and not field.nullable)
    ]
    unlike += sorted(set(schema.names) - set(SCHEMAS[tree].names))
    if unlike:
        raise LakeError(f"is no file of {tree}: {', '.join(unlike)}")


def _days(times: pa.ChunkedArray, zone: tzinfo) -> pa.ChunkedArray:
    """The day of each time, in the zone of its source."""
    local = pc.local_timestamp(times.cast(pa.timestamp("us", str(zone))))
    return pc.fill_null(pc.strftime(local, format="%Y-%m-%d"), UNDATED)


def _rows(schema: pa.Schema, rows: Iterable[Sequence[str | None]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema)


def _without_place(error: Exception, where: object) -> str:
    """Errors begin with the file, as findings do."""
    return " ".join(str(error).removeprefix(f"{where}: ").split())

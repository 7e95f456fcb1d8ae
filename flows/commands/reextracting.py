"""`finnews reextract`: stored pages read again by today's rules, without fetching anything.

    partitions ──rows of older rules──▶ raw refs ──Reader──▶ articles ──compared──▶ rows in place ──▶ ledger made anew

A page that reads better is no revision of its publisher's: see storage.reread. Rows of today's rules are not touched:
a second run finds nothing to do, and one after a kill goes on where that was.
"""

from __future__ import annotations

import difflib
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from articles.dates import day_of
from articles.decide import CopyKey
from articles.extract import extractor_of
from articles.records import Article, Rejected
from articles.source import UNKNOWN, Source
from flows.core.accounting import Exit
from flows.core.rereading import Reader
from flows.core.runs import Advance, open_lake, run_id, silent
from flows.core.spread import open_reader_of
from flows.settings import Settings, SettingsError
from flows.terminal import Terminal
from spiders.catalogue import Catalogue
from storage.ledger import Ledger
from storage.merge import COPY_TREES
from storage.partitions import HIVE_NULL, Partition, decode, files
from storage.reread import RowKey, decides, reread_rows, row_key
from storage.retention import Expired
from storage.schema import Row, Tree
from storage.store import open_store, require_lake

# What a reader sees of an article; the rest follows from it.
FIELDS = (
    *("title", "text", "summary", "publisher", "author", "editor", "section", "tags", "images", "symbols"),
    *("published_at", "published_precision", "published_raw", "updated_at", "lang", "removed", "flags"),
)
NEEDED = ["article_id", "revision", "text_hash", "published_at", "extractor", "raw_ref"]
EXAMPLES = 3
EXAMPLE_LINES = 6
EXAMPLE_CHARS = 100


@dataclass(slots=True)
class Changes:
    """What better rules make of the rows of one source."""

    read: int = 0
    changed: int = 0
    """Rows of which a reader would see that they changed."""
    bodies: int = 0
    titles: int = 0
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    """First revisions that were published on another day than their partition's."""
    renamed: int = 0
    """Pages that today's rules would give another article_id: they keep the one they have."""
    kept: Counter[str] = field(default_factory=Counter)
    """Rows that stay as they are because their page gives no article any more, by E-CODE; `expired` by retention."""
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    """One file of the lake, of which some rows are to be read again."""

    tree: Tree
    partition: Partition
    key: str
    rows: list[Row]
    stale: list[int]
    found: list[Article | Rejected] = field(default_factory=list)


def reextract_command(
    settings: Settings,
    terminal: Terminal,
    *,
    source_ids: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    runner: str = "",
    dry_run: bool = False,
) -> Exit:
    if since and until and since > until:
        raise SettingsError(f"--since {since} is after --until {until}")
    require_lake(settings.lake_path)
    catalogue = Catalogue.load(settings.sources)
    chosen = catalogue.choose(source_ids) if source_ids else []
    with open_reader_of(runner, settings, catalogue) as read, terminal.progress("pages") as advance:
        reading = Rereading(settings, catalogue, chosen, since, until)
        changes = reading.compare(read, advance) if dry_run else reading.commit(read, advance)
    _tell(changes, dry_run, terminal)
    return Exit.OK


class Rereading:
    """All rows of some sources and days that older rules have read."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        source_ids: Collection[str] = (),
        since: date | None = None,
        until: date | None = None,
    ) -> None:
        """No source and no day named: all. Undated rows belong to no day."""
        self._settings = settings
        self._catalogue = catalogue
        self._source_ids = source_ids
        self._since, self._until = since, until
        self._store = open_store(settings.lake_path)
        self._expired = Expired.of(self._store)
        self._changes: dict[str, Changes] = {}
        self._days: dict[tuple[str, str, str], date | None] = {}
        self._outdated = False

    def compare(self, read: Reader, advance: Advance = silent) -> dict[str, Changes]:
        """What `commit` would change, by source. Takes no lock and writes nothing."""
        for file in self._read(read, advance):
            self._reread(file, 0)
        return self._changes

    def commit(self, read: Reader, advance: Advance = silent) -> dict[str, Changes]:
        """Put what is read now in place of the rows, and decide anew if anything could be decided otherwise."""
        with open_lake(self._settings) as lake:
            run = run_id()
            lake.ledger.begin_run(run)
            batch, path = lake.number(run), ""
            put_off: list[tuple[Partition, Tree, dict[RowKey, Row]]] = []
            for file in self._read(read, advance):
                rows = self._reread(file, batch.seq)
                if any(row["ingest_seq"] == batch.seq for row in rows):
                    path = file.key
                fresh = {row_key(was): row for was, row in zip(file.rows, rows, strict=True) if row is not was}
                if later := _meeting(file, fresh, lake.ledger):
                    put_off.append((file.partition, file.tree, later))
                now = {key: row for key, row in fresh.items() if key not in later}
                lake.rewrite(file.partition, file.tree, now, outdated=self._outdated)
            for partition, tree, later in put_off:
                lake.rewrite(partition, tree, later, outdated=self._outdated)
            lake.ledger.applied(batch, path)
            if self._outdated or self._days:
                lake.reindex(self._days)
            lake.ledger.end_run(run, {"command": "reextract", "exit_code": 0, "changes": document(self._changes)})
        return self._changes

    def _read(self, read: Reader, advance: Advance) -> Iterator[_File]:
        """Every file with rows to read again, and what their pages say now; many files are under way at once."""
        under_way: deque[_File] = deque()
        for found in read(self._raw_refs(under_way)):
            file = under_way[0]
            file.found.append(found)
            advance(1)
            if len(file.found) == len(file.stale):
                yield under_way.popleft()

    def _raw_refs(self, under_way: deque[_File]) -> Iterator[str]:
        for file in self._files():
            under_way.append(file)
            for at in file.stale:
                yield file.rows[at]["raw_ref"] or ""

    def _files(self) -> Iterator[_File]:
        for tree in COPY_TREES:
            for partition, listed in files(self._store, tree):
                source = self._source(partition)
                if source is None or not self._is_asked_for(partition):
                    continue
                blob = self._store.read(listed.key)
                if blob and (
                    stale := self._stale(partition, decode(blob.data, listed.key, NEEDED).to_pylist(), source)
                ):
                    yield _File(tree, partition, listed.key, decode(blob.data, listed.key).to_pylist(), stale)

    def _source(self, partition: Partition) -> Source | None:
        """None for a source whose file is not here: general rules would read its pages worse than its own did."""
        return UNKNOWN if partition.owner == UNKNOWN.id else self._catalogue.get(partition.owner)

    def _is_asked_for(self, partition: Partition) -> bool:
        if self._source_ids and partition.owner not in self._source_ids:
            return False
        if self._since is None and self._until is None:
            return True
        first, last = (self._since or date.min).isoformat(), (self._until or date.max).isoformat()
        return partition.day != HIVE_NULL and first <= partition.day <= last

    def _stale(self, partition: Partition, rows: Sequence[Row], source: Source) -> list[int]:
        """Which rows older rules have read. A row whose day is wrong, as a killed run can leave it, is noted, too."""
        extractor, changes = extractor_of(source), self._changes_of(partition.owner)
        stale = []
        for at, row in enumerate(rows):
            if row["extractor"] == extractor:
                day = day_of(row["published_at"], source.zone) if row["published_at"] else None
                if row["revision"] == 1 and day != partition.date:
                    self._days[row["article_id"], partition.owner, row["text_hash"]] = day
            elif self._expired.covers(row["raw_ref"] or ""):
                changes.kept["expired"] += 1
            else:
                stale.append(at)
        return stale

    def _reread(self, file: _File, seq: int) -> list[Row]:
        """The rows of a file as they are to be, in their order; what changes is counted."""
        changes = self._changes_of(file.partition.owner)
        changes.read += len(file.stale)
        pairs = [(at, found) for at, found in zip(file.stale, file.found, strict=True) if isinstance(found, Article)]
        changes.kept.update(found.reason.code for found in file.found if isinstance(found, Rejected))
        rows = list(file.rows)
        fresh = reread_rows([rows[at] for at, _ in pairs], [article for _, article in pairs], seq)
        for (at, article), row in zip(pairs, fresh, strict=True):
            self._outdated |= decides(rows[at], row)
            if article.date != file.partition.date:
                self._days[row["article_id"], file.partition.owner, row["text_hash"]] = article.date
                changes.moved += row["revision"] == 1
            changes.renamed += article.article_id != row["article_id"]
            _count(changes, rows[at], row)
            rows[at] = row
        return rows

    def _changes_of(self, source_id: str) -> Changes:
        return self._changes.setdefault(source_id, Changes())


def _meeting(file: _File, fresh: Mapping[RowKey, Row], ledger: Ledger) -> dict[RowKey, Row]:
    """Rows that say now what another version of their copy said until now: they come when that one has been read again.
    A run that is killed while they stand beside each other leaves what the next one takes for one text."""
    before = {row_key(row): row["text_hash"] for row in file.rows}
    other = {key: row for key, row in fresh.items() if row["text_hash"] != before[key]}
    known = {
        (copy.key, version.text_hash)
        for copy in ledger.copies({row["article_id"] for row in other.values()})
        for version in copy.versions
    }
    owner = file.partition.owner
    return {key: row for key, row in other.items() if (CopyKey(row["article_id"], owner), row["text_hash"]) in known}


def document(changes: dict[str, Changes]) -> dict[str, Any]:
    """Those of the sources that had anything to read again."""
    return {source_id: _plain(each) for source_id, each in sorted(changes.items()) if each.read or each.kept}


def _plain(changes: Changes) -> dict[str, Any]:
    # asdict takes a Counter for a mapping of pairs.
    named = {each.name: getattr(changes, each.name) for each in fields(changes)}
    return {name: dict(value) if isinstance(value, Counter) else value for name, value in named.items()}


def _count(changes: Changes, before: Row, after: Row) -> None:
    differing = [name for name in FIELDS if before[name] != after[name]]
    if not differing:
        return
    changes.changed += 1
    changes.bodies += "text" in differing
    changes.titles += "title" in differing
    for name in differing:
        if not before[name]:
            changes.gained[name] += 1
        elif not after[name]:
            changes.lost[name] += 1
        else:
            changes.altered[name] += 1
    if len(changes.examples) < EXAMPLES:
        changes.examples.append(
            {"article_id": after["article_id"], "url": after["url"], "diff": list(_diff(differing, before, after))}
        )


def _diff(differing: Iterable[str], before: Row, after: Row) -> Iterator[str]:
    """A few lines: of texts what came and went, of fields the two values."""
    lines: list[str] = []
    for name in differing:
        if name in ("text", "removed"):
            was, now = (row[name].split("\n") if name == "text" else row[name] for row in (before, after))
            came_and_went = [*difflib.unified_diff(was, now, lineterm="", n=0)][2:]
            lines += [f"{line[0]}{name}: {line[1:]}" for line in came_and_went if line[0] in "+-"]
        else:
            lines += [
                f"{sign}{name}: {row[name]}" for sign, row in zip("-+", (before, after), strict=True) if row[name]
            ]
    yield from (line[:EXAMPLE_CHARS] for line in lines[:EXAMPLE_LINES])


def _tell(changes: dict[str, Changes], dry_run: bool, terminal: Terminal) -> None:
    if terminal.as_json:
        terminal.document({"dry_run": dry_run, "sources": document(changes)})
        return
    rows = [
        (
            source_id,
            each.read,
            each.changed,
            each.bodies,
            _counted(each.gained),
            _counted(each.lost),
            _counted(each.altered),
            _counted(each.kept),
        )
        for source_id, each in sorted(changes.items())
        if each.read or each.kept
    ]
    columns = ("source", "read", "changed", "bodies", "gained", "lost", "altered", "kept as they are")
    terminal.table(columns, rows, title="would change" if dry_run else "changed")
    for _, each in sorted(changes.items()):
        for example in each.examples:
            terminal.say(f"{example['article_id']} {example['url']}")
            for line in example["diff"]:
                terminal.say(f"  {line}")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())

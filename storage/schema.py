"""What a row of the lake is: columns, their types and what they mean. The one place to look a column up.

`articles` and `revisions` share one schema; `duplicates` adds whom a row repeats; `quarantine` has one of its own.
The partition columns (source, date; reason, date) are in the path and never in the file: pandas and pyarrow refuse
files that have both. Every file carries every column with its full type, since a column that is null throughout one
file must not become a column of type null.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import pyarrow as pa

from articles.records import Article, Rejected

# Columns are frozen within a version: readers drop, or trip over, a column that only some files have.
VERSION = 1

Row = dict[str, Any]
Tree = Literal["articles", "duplicates", "revisions", "quarantine"]

STRING, STRINGS, TIME = pa.string(), pa.list_(pa.field("element", pa.string())), pa.timestamp("us", "UTC")

# What `extra` keeps of records that have no column for it.
PAGE_DIGEST = "page_digest"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: pa.DataType
    description: str
    required: bool = False


PARTITION = (
    Column("source", STRING, "id of the source the article was ingested from (in the path)", True),
    Column("date", pa.date32(), "day of published_at in the source's zone (in the path); null if unknown"),
)
COLUMNS = (
    Column("article_id", STRING, "stable identity: namespace and native id, or a hash of the address", True),
    Column("revision", pa.int32(), "1 for the first version seen, +1 for each other title or text", True),
    Column("url", STRING, "address as fetched", True),
    Column("canonical_url", STRING, "normalised address", True),
    Column("title", STRING, "headline as displayed, without the site's name", True),
    Column("text", STRING, "clean body, paragraphs separated by a line feed, no mark-up", True),
    Column("summary", STRING, "summary given by the list or the page's meta data"),
    Column("publisher", STRING, "medium named in the source line, apart from the site"),
    Column("author", STRING, "reporters"),
    Column("editor", STRING, "responsible editor"),
    Column("section", STRING, "column or category on the site"),
    Column("tags", STRINGS, "tags given by the page"),
    Column("images", STRINGS, "addresses of the images in the body"),
    Column("symbols", STRINGS, "securities the page itself marks or spells out, as 600519.SH; never guessed"),
    Column("published_at", TIME, "time of publication; null if unknown, never a guess"),
    Column("published_precision", STRING, "second, minute, day or none", True),
    Column("published_raw", STRING, "the string published_at was read from"),
    Column("updated_at", TIME, "time of the last change that the page claims"),
    Column("first_seen_at", TIME, "when the pipeline first had the article: the point-in-time key", True),
    Column("fetched_at", TIME, "when this revision was first fetched", True),
    Column("ingest_seq", pa.int64(), "rises with every commit: what is new since the last read", True),
    Column("lang", STRING, "zh-Hans, zh-Hant, en ...", True),
    Column("text_chars", pa.int32(), "characters of text", True),
    Column("text_hash", STRING, "hash of normalised title and text; another hash is another revision", True),
    Column("fingerprint", pa.binary(), "versioned signature for near duplicates"),
    Column("cluster_id", STRING, "article_id of the first of its cluster; its own, if it is the first", True),
    Column("removed", STRINGS, "lines taken out of the body, for audit"),
    Column(
        "flags", STRINGS, "truncated, encoding_errors, date_conflict, date_future, paywall, short, replaced, gone ..."
    ),
    Column("extractor", STRING, "version of extractor and source rules", True),
    Column("raw_ref", STRING, "where the raw page lies in the archive: file#offset+length"),
    Column("extra", STRING, "JSON object of what has no column: page_digest, changed (title, text), gone_at ..."),
)
DUPLICATE_COLUMNS = (
    Column("duplicate_of", STRING, "article_id of the article it repeats", True),
    Column("duplicate_kind", STRING, "url (same page), exact (same text), near, script (other script)", True),
    Column("similarity", pa.float64(), "1 for an equal text; null where addresses were compared"),
)
QUARANTINE_PARTITION = (
    Column("reason", STRING, "why it was not stored (in the path)", True),
    Column("date", pa.date32(), "day of fetched_at, UTC (in the path)", True),
)
QUARANTINE_COLUMNS = (
    Column("source", STRING, "id of the source", True),
    Column("url", STRING, "address; empty for a document that has none", True),
    Column("detail", STRING, "one line: what was seen, and what to do next", True),
    Column("fetched_at", TIME, "when it was fetched", True),
    Column("raw_ref", STRING, "where its bytes lie in the archive: file#offset+length", True),
    Column("run_id", STRING, "the run that refused it", True),
)
# Few distinct values in a partition.
DICTIONARY = [
    *("revision", "publisher", "author", "editor", "section", "tags.list.element", "symbols.list.element"),
    *("published_precision", "ingest_seq", "lang", "flags.list.element", "extractor"),
    *("duplicate_kind", "source", "run_id"),
]
# Long in a single row, or alike from row to row without being equal.
LONG = [
    *(
        "article_id",
        "cluster_id",
        "title",
        "text",
        "summary",
        "images.list.element",
        "removed.list.element",
        "url",
        "canonical_url",
    ),
    *("text_hash", "raw_ref", "extra", "detail"),
]
# Minimum and maximum help readers skip; on texts they would only cost bytes.
STATISTICS = [
    *("article_id", "revision", "canonical_url", "publisher", "section", "published_at", "published_precision"),
    *("updated_at", "first_seen_at", "fetched_at", "ingest_seq", "text_chars", "duplicate_kind", "source"),
]
# What a commit adds to an article; the rest of a row is the article itself.
HISTORY = ("revision", "first_seen_at", "ingest_seq", "cluster_id", "duplicate_of", "duplicate_kind", "similarity")

TO_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

TREES: dict[Tree, tuple[Column, ...]] = {
    "articles": COLUMNS,
    "duplicates": COLUMNS + DUPLICATE_COLUMNS,
    "revisions": COLUMNS,
    "quarantine": QUARANTINE_COLUMNS,
}
PARTITIONS: dict[Tree, tuple[Column, ...]] = {
    "articles": PARTITION,
    "duplicates": PARTITION,
    "revisions": PARTITION,
    "quarantine": QUARANTINE_PARTITION,
}
SORT: dict[Tree, tuple[str, ...]] = {
    "articles": ("published_at", "article_id"),
    "duplicates": ("published_at", "article_id"),
    "revisions": ("article_id", "revision"),
    "quarantine": ("source", "url", "raw_ref"),
}
ABOUT: dict[Tree, str] = {
    "articles": "One row per distinct article, in its latest revision.",
    "duplicates": "Copies of articles, as complete rows: nothing is thrown away.",
    "revisions": "Superseded versions of articles and duplicates; revision counts up.",
    "quarantine": "What gave no article, and why; its bytes are in the page archive.",
}


def _schema(columns: Iterable[Column]) -> pa.Schema:
    return pa.schema(
        [pa.field(c.name, c.type, not c.required, {"description": c.description}) for c in columns],
        {"finnews_schema_version": str(VERSION)},
    )


def _extra_of(article: Article) -> str | None:
    extra = dict(article.extra)
    return dump_extra(extra | {PAGE_DIGEST: article.page_digest} if article.page_digest else extra)


# Column → what an article says there.
OBSERVED: Mapping[str, Callable[[Article], Any]] = {
    column.name: _extra_of if column.name == "extra" else attrgetter(column.name)
    for column in COLUMNS
    if column.name not in HISTORY
}

SCHEMAS: dict[Tree, pa.Schema] = {tree: _schema(columns) for tree, columns in TREES.items()}
# A batch on its way into the lake: all that an article knows of itself, with its partition.
JOURNAL = _schema([*PARTITION, *(c for c in COLUMNS if c.name not in HISTORY)])


def observed_row(article: Article) -> Row:
    """The columns that the article itself gives, without its partition; HISTORY is missing."""
    values = ((name, value_of(article)) for name, value_of in OBSERVED.items())
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


def observed_table(schema: pa.Schema, articles: Sequence[Article], **others: Sequence[Any]) -> pa.Table:
    """A row for each article, column by column: a third of the time of one by one. `others` are the columns of the
    schema that an article does not give."""
    columns = {name: list(map(value_of, articles)) for name, value_of in OBSERVED.items()} | others
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def article_of(row: Mapping[str, Any], *, source: str, day: date | None) -> Article:
    """The article that a row was made from."""
    fields = {name: value for name, value in row.items() if name in Article.__dataclass_fields__}
    for name in ("tags", "images", "symbols", "removed", "flags"):
        fields[name] = tuple(fields[name])
    extra = load_extra(row["extra"])
    page_digest = extra.pop(PAGE_DIGEST, "")
    return Article(**{**fields, "source": source, "date": day, "extra": extra, "page_digest": page_digest})


def rejected_row(rejected: Rejected, run_id: str) -> Row:
    return {
        "source": rejected.source,
        "url": rejected.url,
        "detail": rejected.detail,
        "fetched_at": rejected.fetched_at,
        "raw_ref": rejected.raw_ref,
        "run_id": run_id,
    }


def table(tree: Tree, rows: Iterable[Row]) -> pa.Table:
    """In the order of SORT."""
    return pa.Table.from_pylist(sorted(rows, key=partial(_sort_key, SORT[tree])), schema=SCHEMAS[tree])


def dump_extra(extra: Mapping[str, str]) -> str | None:
    return TO_JSON(extra) if extra else None


def load_extra(extra: str | None) -> dict[str, str]:
    return json.loads(extra) if extra else {}


def schema_document() -> dict[str, Any]:
    """The schema as one JSON document."""
    return {
        "version": VERSION,
        "trees": {
            tree: {
                "about": ABOUT[tree],
                "path": path_pattern(tree),
                "partition": [_described(column) for column in PARTITIONS[tree]],
                "columns": [_described(column) for column in columns],
            }
            for tree, columns in TREES.items()
        },
    }


def schema_markdown() -> str:
    """The schema as a page for docs/schema.md."""
    parts = [
        "# Schema\n",
        f"Version {VERSION}, written into every file as `finnews_schema_version`. This page is generated from",
        "`storage/schema.py` (`finnews schema`); the descriptions are also in the metadata of every field.\n",
    ]
    for tree, columns in TREES.items():
        parts += [f"## {tree}\n", f"{ABOUT[tree]}\n", f"    LAKE/{path_pattern(tree)}\n"]
        parts += ["| column | type | null | meaning |", "|---|---|---|---|"]
        parts += [_markdown_row(column) for column in (*PARTITIONS[tree], *columns)]
        parts.append("")
    return "\n".join(parts)


def path_pattern(tree: Tree) -> str:
    first, second = (column.name for column in PARTITIONS[tree])
    return f"{tree}/{first}=<{first}>/{second}=<day>/{tree}.parquet"


def _sort_key(names: Sequence[str], row: Row) -> list[tuple[bool, Any]]:
    return [(row[name] is None, row[name]) for name in names]


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": _type_name(column.type),
        "nullable": not column.required,
        "description": column.description,
    }


def _markdown_row(column: Column) -> str:
    return f"| {column.name} | {_type_name(column.type)} | {'' if column.required else 'yes'} | {column.description} |"


def _type_name(kind: pa.DataType) -> str:
    return str(kind).replace("element: ", "").replace("tz=", "")

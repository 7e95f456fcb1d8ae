"""`finnews dedup`, `duplicates` and `reindex`: which documents are copies, of a file or in the lake.

{id, source, title, text, published_at} lines ──▶ {id, verdict, duplicate_of, kind, similarity} lines, in their order
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from articles.dates import Moment, parse_time
from articles.fingerprint import with_fingerprints
from articles.identity import text_hash
from articles.language import language_of
from articles.records import Article
from flows.core.accounting import Exit
from flows.core.cluster import cluster, mapped
from flows.core.runs import batches
from flows.settings import Settings
from flows.terminal import Terminal, as_records, counted
from storage.bulk import Bulk, Verdict
from storage.lake import Lake
from storage.query import digests, query
from storage.store import require_lake

BATCH = 1000
# Lines that a worker of a cluster is given at a time: some seconds of work.
TASK = 4000
ZONE = ZoneInfo("Asia/Shanghai")
# Documents without a time are compared with one another; nothing was fetched.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
# No time of publication is after this: a file of documents may be of any age.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
DOCUMENTS = "documents"
SHAPE = '{"id", "source"?, "title"?, "text", "published_at"?}'

WHO_REPRINTS_WHOM = """
with pairs as (
    select a.source as original, d.source as reprint, duplicate_kind as kind,
           date_diff('second', a.published_at, d.published_at) / 3600 as hours
    from duplicates as d join articles as a on d.duplicate_of = a.article_id
)
select original, reprint, count(*) as copies, count(*) filter (kind in ('url', 'exact')) as exact,
       count(*) filter (kind = 'near') as near, count(*) filter (kind = 'script') as script,
       round(median(hours), 1) as median_hours, round(min(hours), 1) as fastest, round(max(hours), 1) as slowest
from pairs group by original, reprint order by copies desc, original, reprint
"""


class DocumentsError(ValueError):
    """A file of documents that cannot be read: file, line, and what is wrong with it."""


def dedup_command(
    path: Path, settings: Settings, terminal: Terminal, *, window_days: int, address: str | None = None
) -> Exit:
    """Reads all documents, then says of each what it is: the first of a story may be the last line of the file.

    `address` is that of a Dask cluster that reads and signs them, "" for one of its own; None: this process does.
    """
    with (
        tempfile.TemporaryDirectory(prefix="finnews-dedup-") as folder,
        closing(Bulk(Path(folder), window=timedelta(days=window_days))) as bulk,
        terminal.progress("documents") as advance,
        closing(_signed(path, settings, address)) as signed,
    ):
        for batch in signed:
            bulk.add(batch)
            advance(len(batch))
        for found in bulk.verdicts():
            terminal.line(_verdict_line(found))
    return Exit.OK


def duplicates_command(settings: Settings, terminal: Terminal, *, of_digests: bool = False) -> Exit:
    """Who reprints whom, and how many hours later; or which digests contain which articles."""
    columns, rows = (
        digests(settings.lake_path, settings.ledger) if of_digests else query(settings.lake_path, WHO_REPRINTS_WHOM)
    )
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows)
    return Exit.OK


def reindex_command(settings: Settings, terminal: Terminal) -> Exit:
    require_lake(settings.lake_path)
    with Lake.open(settings.lake_path, settings.ledger) as lake:
        known = lake.reindex()
    if terminal.as_json:
        terminal.document({"articles": known})
    else:
        terminal.say(f"{counted(known, 'row')} of articles and duplicates indexed")
    return Exit.OK


def _signed(path: Path, settings: Settings, address: str | None) -> Generator[Sequence[Article], None, None]:
    """The documents of a file in batches, `-` for stdin, as articles of no source. Raises DocumentsError at the first
    bad line."""
    if address is None:
        yield from map(documents, batches(read_lines(path), BATCH))
        return
    with cluster(address, settings.worker_count) as client:
        yield from mapped(client, signed_documents, batches(read_lines(path), TASK))


def read_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Each line that holds something, with its place."""
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}:{number}", line
    except OSError as error:
        raise DocumentsError(f"{path}: {error.strerror}") from error


def documents(lines: Iterable[tuple[str, bytes]]) -> list[Article]:
    return [_document(line, place) for place, line in lines]


def signed_documents(lines: Iterable[tuple[str, bytes]]) -> list[Article]:
    """What a worker of a cluster sends back: all that a decision needs, which is not the text."""
    return [replace(article, text="") for article in with_fingerprints(documents(lines))]


def _document(line: bytes, place: str) -> Article:
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except ValueError as error:
        raise DocumentsError(f"{place}: not JSON in UTF-8: {error}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("id"), str | int) or "text" not in fields:
        raise DocumentsError(f"{place}: a line is {SHAPE}")
    try:
        str(fields["id"]).encode()
    except UnicodeEncodeError as error:
        raise DocumentsError(f"{place}: an id that cannot be written: {error}") from error
    title, text, source = (_string(fields, name, place) for name in ("title", "text", "source"))
    moment = _published(fields, place)
    return Article(
        # Ids need be unique within a source only. What has no url is never one by its url.
        article_id=json.dumps([source, fields["id"]], separators=(",", ":")),
        source=DOCUMENTS,
        date=None,
        url="",
        canonical_url="",
        title=title,
        text=text,
        published_at=moment.at.astimezone(UTC) if moment and moment.at else None,
        published_precision=moment.precision if moment else "none",
        fetched_at=UNDATED,
        lang=language_of(text, "zh-Hans"),
        text_hash=text_hash(title, text),
        extractor="",
    )


def _string(fields: dict[str, Any], name: str, place: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str | None):
        raise DocumentsError(f"{place}: {name} is no string; a line is {SHAPE}")
    return value or ""


def _published(fields: dict[str, Any], place: str) -> Moment | None:
    raw = fields.get("published_at")
    if raw is None or raw == "":
        return None
    moment = parse_time(str(raw), fetched_at=LATEST, zone=ZONE)
    if moment.at is None:
        raise DocumentsError(
            f"{place}: published_at {str(raw)[:40]!r} is not a time, such as 2024-03-05T09:30:00+08:00"
        )
    return moment


def _verdict_line(found: Verdict) -> dict[str, Any]:
    return {
        "id": json.loads(found.article_id)[1],
        "verdict": found.verdict,
        "duplicate_of": json.loads(found.duplicate_of)[1] if found.duplicate_of else None,
        "kind": found.kind,
        "similarity": found.similarity,
    }

"""Documents on disk: by path or by manifest, and `finnews extract`, which prints a JSON line for each."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from articles.records import Article, Page, Reason, Rejected
from articles.source import UNKNOWN, Source
from flows.core.accounting import Exit
from flows.core.extraction import Document, Extracted, open_extractors
from flows.settings import Settings
from flows.terminal import Terminal, counted
from spiders.archives import FILE_HEADER, ArchiveError, Reached, read_archive
from spiders.catalogue import Catalogue

log = logging.getLogger("finnews.documents")

COLUMNS = (
    *(
        "article_id",
        "title",
        "text",
        "summary",
        "publisher",
        "author",
        "editor",
        "section",
        "tags",
        "images",
        "symbols",
    ),
    *("published_at", "published_precision", "published_raw", "updated_at", "lang", "removed", "flags", "extractor"),
)


class ManifestError(ValueError):
    """A manifest that cannot be read: file, line, and what is wrong with it."""


def extract_command(
    paths: Sequence[Path],
    manifest: Path | None,
    settings: Settings,
    terminal: Terminal,
    *,
    source_id: str | None = None,
) -> Exit:
    """JSON lines on stdout, one per document and in their order; what was refused has `error` in place of a text."""
    catalogue = Catalogue.load(settings.sources)
    if bool(paths) == (manifest is not None):
        raise ManifestError("give either pages, as paths, or a --manifest that names them")
    if manifest is not None:
        documents = manifest_documents(manifest, catalogue, catalogue.find(source_id) if source_id else None)
    else:
        documents = documents_of(catalogue, paths, source_id)
    refused = Counter[str]()
    with open_extractors(catalogue, settings) as extractors, terminal.progress("documents") as advance:
        for document, result in extractors.run(documents):
            line = reading_line(document, result)
            refused.update([line["error"]] if "error" in line else [])
            terminal.line(line)
            advance(1)
    for code, count in sorted(refused.items()):
        terminal.say(f"{counted(count, 'document')} gave no article, {code}: see `detail` on stdout")
    return Exit.SOME_FAILED if refused[Reason.ARCHIVE.code] else Exit.OK


def documents_of(
    catalogue: Catalogue, paths: Sequence[Path], source_id: str | None, *, reached: Reached | None = None
) -> Iterator[Page | Rejected]:
    """The documents of archives on disk. Raises ArchiveError, at once, for a path that is missing or holds nothing."""
    source = catalogue.find(source_id) if source_id else None
    return read_archive(paths, catalogue=catalogue, source=source, fetched_at=datetime.now(UTC), reached=reached)


def manifest_documents(manifest: Path, catalogue: Catalogue, source: Source | None) -> Iterator[Document]:
    """The documents of a manifest; a file that is missing is refused in its place. Raises ManifestError."""
    fetched_at = datetime.now(UTC)
    for entry in _entries(manifest):
        own_source = source or _source_of(entry, catalogue)
        try:
            documents = read_archive(
                [manifest.parent / entry["file"]], catalogue=catalogue, source=own_source, fetched_at=fetched_at
            )
            for document in documents:
                yield _as_told(document, entry)
        except ArchiveError as error:
            yield Rejected(
                source=(own_source or UNKNOWN).id,
                url=entry.get("url") or "",
                reason=Reason.ARCHIVE,
                detail=str(error),
                fetched_at=fetched_at,
                file=entry["file"],
            )


def reading_line(document: Document, result: Extracted) -> dict[str, Any]:
    """What is printed for one document: the article's columns, or `error` and `detail`."""
    file = document.file if isinstance(document, Rejected) else document.headers.get(FILE_HEADER, "")
    line: dict[str, Any] = {"file": file, "url": result.url or None, "source": result.source}
    if isinstance(result, Article):
        return line | {column: _plain(getattr(result, column)) for column in COLUMNS}
    return line | {"title": None, "text": "", "error": result.reason.code, "detail": result.detail}


def _entries(manifest: Path) -> Iterator[dict[str, Any]]:
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{manifest}: {getattr(error, 'strerror', None) or error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _entry(line, f"{manifest}:{number}")


def _entry(line: str, place: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{place}: not JSON: {error}") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
        raise ManifestError(f'{place}: a line is {{"file": …, "url"?, "source"?, "headers"?}}')
    return entry


def _source_of(entry: Mapping[str, Any], catalogue: Catalogue) -> Source | None:
    """The source a line names; else the owner of its url. A name that no file defines leaves it to the document."""
    named = str(entry.get("source") or "")
    if named in catalogue:
        return catalogue[named]
    if named:
        log.warning("%s: no source %r; taken by its address", entry["file"], named)
    return catalogue.for_url(entry["url"]) if entry.get("url") else None


def _as_told(document: Document, entry: Mapping[str, Any]) -> Document:
    """The document with what the manifest says about it."""
    if isinstance(document, Rejected):
        return replace(document, url=entry.get("url") or document.url, file=entry["file"])
    headers = {str(name).lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
    url = entry.get("url") or document.url
    return replace(
        document,
        url=url,
        final_url=url,
        headers={**document.headers, **headers, FILE_HEADER: entry["file"]},
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value

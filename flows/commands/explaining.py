"""`finnews explain`: what was kept of a document or a page on the network, what was taken out, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from articles.explain import Explanation, explain
from articles.records import Page, Rejected
from articles.source import UNKNOWN
from flows.core.accounting import Exit
from flows.core.documents import documents_of, reading_line
from flows.core.extraction import Document
from flows.settings import Settings
from flows.terminal import Terminal, printable
from spiders.archives import FILE_HEADER
from spiders.catalogue import Catalogue

SHOWN_CHARS = 100
SCHEMES = ("http://", "https://")
FIELDS = ("title", "published_at", "publisher", "author", "editor", "section", "lang", "flags")


def explain_command(places: Sequence[str], settings: Settings, terminal: Terminal, *, source_id: str | None) -> Exit:
    """Paths, then addresses, one after the other; exit code 4 if any gave no article."""
    catalogue = Catalogue.load(settings.sources)
    refused = 0
    for document in _documents(places, catalogue, settings, source_id):
        outcome = _explained(document, catalogue)
        refused += isinstance(outcome, Rejected)
        if terminal.as_json:
            terminal.line(_line(document, outcome))
        elif isinstance(outcome, Rejected):
            terminal.print(str(outcome))
        else:
            _show(document, outcome, terminal)
    return Exit.GATE if refused else Exit.OK


def _documents(
    places: Sequence[str], catalogue: Catalogue, settings: Settings, source_id: str | None
) -> Iterator[Document]:
    paths = [Path(place) for place in places if not place.startswith(SCHEMES)]
    if paths:
        yield from documents_of(catalogue, paths, source_id)
    for url in places:
        if url.startswith(SCHEMES):
            yield _fetched(url, catalogue, settings, source_id)


def _fetched(url: str, catalogue: Catalogue, settings: Settings, source_id: str | None) -> Page:
    from flows.core.fetching import fetch_page  # half a second, for nothing where all pages are on disk

    source = catalogue.find(source_id) if source_id else catalogue.for_url(url) or UNKNOWN
    return replace(fetch_page(url, settings), source=source.id, form="html", raw_ref="")


def _explained(document: Document, catalogue: Catalogue) -> Explanation | Rejected:
    if isinstance(document, Rejected):
        return document
    return explain(document, catalogue.get(document.source, UNKNOWN))


def _line(document: Document, outcome: Explanation | Rejected) -> dict[str, Any]:
    if isinstance(outcome, Rejected):
        return reading_line(document, outcome)
    found = {"lane": outcome.lane, "kept": outcome.kept, "witnesses": dict(outcome.witnesses)}
    return reading_line(document, outcome.article) | found | {"removed": [asdict(line) for line in outcome.removed]}


def _show(document: Document, outcome: Explanation, terminal: Terminal) -> None:
    article = outcome.article
    file = "" if isinstance(document, Rejected) else document.headers.get(FILE_HEADER, "")
    fields = [(name, getattr(article, name), outcome.witnesses.get(name, "")) for name in FIELDS]
    terminal.print(printable(f"{file or article.url}: source {article.source}, lane {outcome.lane}"))
    terminal.table(("field", "value", "named by"), fields)
    lines = [("kept", "", _short(line)) for line in outcome.kept]
    lines += [("taken out", line.rule, _short(line.line)) for line in outcome.removed]
    terminal.table(("what", "rule", "line"), lines)


def _short(line: str) -> str:
    return line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1]}…"

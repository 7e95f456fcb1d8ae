"""`sources new`, `sources schema`, `sources check --live`: the commands for whoever writes a source file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from articles.source import Source
from flows.core.accounting import Exit
from flows.core.fetching import fetch_page
from flows.core.runs import ingest_sources
from flows.settings import Settings
from flows.terminal import Terminal, counted
from flows.writing import write_whole
from spiders.catalogue import Catalogue
from spiders.drafting import Draft, NoDraftError, draft
from storage.query import query

ROWS_SHOWN = 10
LIVE_ARTICLES = 3
NEXT = (
    "Next: say in [article] where the body is, unless the vote finds it, and try it:",
    "  finnews sources check {id} --live --sources {folder}",
    "  finnews ingest {id} --limit 20 --sources {folder}",
)
LIVE = "select title, published_at, publisher, text_chars, flags, url from articles order by published_at desc"


def sources_new_command(
    url: str, settings: Settings, terminal: Terminal, *, file: Path | None = None, folder: Path | None = None
) -> Exit:
    """A first source file for a feed or a list page, and what it would ingest. Raises NoDraftError, NoAnswerError."""
    found = draft(file.read_bytes(), url=url) if file else _drafted_live(url, settings)
    if folder is not None:
        path = folder / f"{found.source.id}.toml"
        if path.exists():
            raise NoDraftError(f"{path} exists; move it away, or draft into another folder")
        write_whole(path, found.toml)
        terminal.say(f"written to {path}")
    if terminal.as_json:
        terminal.document(_described(found))
        return Exit.OK
    if folder is None:
        terminal.print(found.toml)
    rows, dropped = found.listing.rows, len(found.listing.dropped)
    terminal.say(f"{counted(len(rows), 'article')} would be ingested, {dropped} of the entries dropped:")
    for row in rows[:ROWS_SHOWN]:
        terminal.say(f"  {row.listed.published or '(no time)'}  {row.listed.title or '(no title)'}  {row.url}")
    for line in NEXT:
        terminal.say(line.format(id=found.source.id, folder=folder or "FOLDER"))
    return Exit.OK


def sources_schema_command(terminal: Terminal) -> Exit:
    """JSON Schema of a source file, for editors."""
    schema = Source.model_json_schema(by_alias=True)
    terminal.print(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema, indent=2))
    return Exit.OK


def check_live_command(source_id: str, settings: Settings, terminal: Terminal) -> Exit:
    """Runs one source on the network, into a lake that is thrown away: its lists, and a few of its articles."""
    source = Catalogue.load(settings.sources).find(source_id)
    with tempfile.TemporaryDirectory() as folder:
        report = ingest_sources(
            settings.model_copy(update={"lake": folder, "ledger": ""}), [source.id], limit=LIVE_ARTICLES
        )
        columns, rows = query(Path(folder), LIVE)
    if terminal.as_json:
        articles = [dict(zip(columns, row, strict=True)) for row in rows]
        terminal.document(report.document() | {"articles": articles})
    else:
        terminal.report(report)
        terminal.table(columns, rows)
    return report.exit_code


def _drafted_live(url: str, settings: Settings) -> Draft:
    if not urlsplit(url).netloc or urlsplit(url).scheme not in ("http", "https"):
        raise NoDraftError(f"{url}: is no http or https address; a saved answer is named by --from")
    page = fetch_page(url, settings)
    return draft(page.body, url=url, content_type=page.headers.get("content-type"))


def _described(found: Draft) -> dict[str, Any]:
    rows = [{"url": row.url, **{k: v for k, v in asdict(row.listed).items() if v}} for row in found.listing.rows]
    return {"id": found.source.id, "toml": found.toml, "rows": rows, "feeds": list(found.feeds)}

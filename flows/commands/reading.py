"""The commands that look at the lake and its schema."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime

from flows.core.accounting import Exit
from flows.desk.status import STATES, status
from flows.settings import Settings, SettingsError
from flows.terminal import Terminal, as_records, counted
from storage.database import exists
from storage.ledger import ledger_location
from storage.query import query
from storage.schema import schema_document, schema_markdown


def read_command(sql: str, settings: Settings, terminal: Terminal) -> Exit:
    columns, rows = query(settings.lake_path, sql)
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows)
    return Exit.OK


def status_command(settings: Settings, terminal: Terminal, *, notify: bool = False) -> Exit:
    """Ends with 4 if a source is stale or broken."""
    found = status(settings)
    if notify:
        _tell(settings, terminal)
    if terminal.as_json:
        terminal.document([asdict(each) for each in found])
    else:
        asked = sorted((each for each in found if each.tried_at), key=lambda each: STATES.index(each.state))
        rows = [
            (each.source, each.state, _day(each.newest_at), each.waiting, len(each.gaps), "; ".join(each.reasons))
            for each in asked
        ]
        if rows:
            terminal.table(("source", "state", "newest", "waiting", "gaps", "why"), rows)
        if not exists(ledger_location(settings.lake_path, settings.ledger)):
            terminal.say(f"{settings.lake}: no run has been here yet; is it the right --lake?")
        if idle := [each.source for each in found if not each.tried_at]:
            terminal.say(f"never crawled: {', '.join(idle)}")
    return Exit.OK if all(each.keeps_its_contract for each in found) else Exit.GATE


def _tell(settings: Settings, terminal: Terminal) -> None:
    from flows.desk.notifying import tell_changes

    if not settings.notify_urls:
        raise SettingsError("nobody to notify: set notify_urls in finnews.toml, or FINNEWS_NOTIFY_URLS")
    told = tell_changes(settings)
    terminal.say(f"{counted(len(told), 'change')} told")
    for change in told:
        terminal.say(str(change))


def schema_command(terminal: Terminal, *, markdown: bool = False) -> Exit:
    if markdown:
        sys.stdout.write(schema_markdown())
    elif terminal.as_json:
        terminal.document(schema_document())
    else:
        for tree, described in schema_document()["trees"].items():
            rows = [(column["name"], column["type"], column["description"]) for column in described["columns"]]
            terminal.table(("column", "type", "meaning"), rows, title=f"{tree}: {described['about']}")
    return Exit.OK


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}" if at else ""

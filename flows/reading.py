"""The commands that look at the lake and its schema."""

from __future__ import annotations

import sys

from flows.accounting import Exit
from flows.settings import Settings
from flows.terminal import Terminal, as_records
from storage.query import query
from storage.schema import schema_document, schema_markdown


def read_command(sql: str, settings: Settings, terminal: Terminal) -> Exit:
    columns, rows = query(settings.lake_path, sql)
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows)
    return Exit.OK


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

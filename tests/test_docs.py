"""Pages that are generated say what the code says."""

from __future__ import annotations

from pathlib import Path

from storage.schema import schema_markdown

ROOT = Path(__file__).parents[1]


def test_schema_page_is_generated_from_the_schema() -> None:
    page = (ROOT / "docs/schema.md").read_text(encoding="utf-8")
    assert page == schema_markdown(), "docs/schema.md is out of date: run `make docs`"

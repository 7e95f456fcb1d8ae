"""docs/sources.md is what the source files say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from articles.source import Source
from spiders.catalogue import Catalogue
from spiders.sources_page import sources_markdown

ROOT = Path(__file__).parents[2]
COMMAND = "python -m spiders.sources_page > docs/sources.md"


def test_page_is_generated_from_the_source_files() -> None:
    page = (ROOT / "docs/sources.md").read_text(encoding="utf-8")
    assert page == sources_markdown(Catalogue.load()), f"docs/sources.md is out of date: run `{COMMAND}`"


def test_command_writes_the_page() -> None:
    command = [sys.executable, "-m", "spiders.sources_page"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode("utf-8") == sources_markdown(Catalogue.load())
    assert COMMAND in done.stdout.decode("utf-8")


def test_every_source_says_how_it_was_checked() -> None:
    assert [source.id for source in Catalogue.load().values() if not source.verified] == []


def test_row_of_a_source() -> None:
    source = Source.model_validate(
        {
            "id": "example",
            "name": "例子 | 财经",
            "hosts": ["example.test"],
            "enabled": False,
            "archives": ["posts"],
            "verified": "nothing yet",
            "list": [
                {"kind": "feed", "url": "https://example.test/rss.xml", "full_text": True},
                {
                    "kind": "json",
                    "method": "POST",
                    "url": "https://example.test/list",
                    "paging": {"by": "cursor", "max_pages": 1_200},
                },
            ],
            "gates": {"max_age_hours": 36, "min_share": 0.8},
            "rate": {"delay_seconds": 2.5},
        }
    )
    *_, row = sources_markdown({"example": source}).splitlines()
    assert row == (
        "| example (off) | 例子 \\| 财经 | feed, whole articles<br>json (POST)<br>posts on disk "
        "| none<br>1,200 pages, by cursor | 2.5 s | entries ≥ 1, newest ≤ 36 h; title, text in ≥ 80% | nothing yet |"
    )


def test_source_without_lists_has_nothing_to_be_polite_about() -> None:
    source = Source(id="archive_only", name="an archive", hosts=[], archives=["posts"])
    page = sources_markdown({"archive_only": source})
    assert page.splitlines()[-1] == "| archive_only | an archive | posts on disk | – | – | – | – |"
    assert "1 sources: 0 are polled, 1 are" in page

"""The folder through which a crawl hands its results to whoever loads them.

SPOOL/pages.jsonl   a line for each page or refusal, written as it happens: it stands even if the crawl is killed
SPOOL/lists.jsonl   where the answers of the lists lie in the archive
SPOOL/_stats.json   the report, written last: it says that the crawl came to an orderly end
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from articles.records import Reason, Rejected
from spiders.crawl import REPORT_JSON, CrawlReport

PAGES = "pages.jsonl"
LISTS = "lists.jsonl"
REPORT = "_stats.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawledPage:
    raw_ref: str
    article_id: str


class Spool:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lines = (folder / PAGES).open("a", encoding="utf-8")

    def page(self, page: CrawledPage) -> None:
        self._write(asdict(page))

    def rejected(self, rejected: Rejected) -> None:
        self._write({"rejected": asdict(rejected) | {"fetched_at": rejected.fetched_at.isoformat()}})

    def list_answer(self, raw_ref: str) -> None:
        with (self._folder / LISTS).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"raw_ref": raw_ref}) + "\n")

    def finish(self, report: CrawlReport) -> None:
        self._lines.flush()
        os.fsync(self._lines.fileno())
        self._lines.close()
        draft = self._folder / (REPORT + ".part")
        with draft.open("wb") as file:
            file.write(REPORT_JSON.dump_json(report, indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / REPORT)

    def _write(self, line: dict[str, Any]) -> None:
        self._lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._lines.flush()


def read_results(folder: Path) -> Iterator[CrawledPage | Rejected]:
    """All that the crawl left, whether or not it ended well; the line it was killed in is no line."""
    path = folder / PAGES
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(json.JSONDecodeError):
                yield _result(json.loads(line))


def read_lists(folder: Path) -> list[str]:
    """References of the list answers, in the order they came."""
    path = folder / LISTS
    return [json.loads(line)["raw_ref"] for line in path.read_text().splitlines()] if path.exists() else []


def read_report(folder: Path) -> CrawlReport | None:
    path = folder / REPORT
    return REPORT_JSON.validate_json(path.read_bytes()) if path.exists() else None


def _result(line: dict[str, Any]) -> CrawledPage | Rejected:
    refusal = line.get("rejected")
    if refusal is None:
        return CrawledPage(**line)
    return Rejected(
        **refusal | {"reason": Reason(refusal["reason"]), "fetched_at": datetime.fromisoformat(refusal["fetched_at"])}
    )

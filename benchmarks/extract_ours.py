"""Our own extraction under the protocol of benchmarks.extract_peers, so that it is measured as the other tools are.

    python -m benchmarks.extract_ours known|unknown

Where the others get decoded text, this starts from bytes and ends with the whole row.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import Any

from articles.explain import explain
from articles.extract import VERSION, extract
from articles.records import Article, Page, Rejected
from articles.source import Source
from benchmarks.extract_pages import page_of


def main() -> None:
    known = sys.argv[1] == "known"
    pages: list[tuple[Page, Source]] = []
    for line in sys.stdin:
        asked = json.loads(line)
        if "files" in asked:
            pages = [page_of(file, known=known) for file in asked["files"]]
            answer: dict[str, Any] = {"version": VERSION, "read": [_read(*page) for page in pages]}
        else:
            # As in the other tools' rounds, and in the processes that ingest uses.
            gc.collect()
            gc.freeze()
            answer = {"seconds": [_seconds(*pages[place]) for place in asked["places"]]}
        print(json.dumps(answer), flush=True)


def _read(page: Page, source: Source) -> dict[str, str | None]:
    found = explain(page, source)
    if isinstance(found, Rejected):
        return {"title": None, "text": "", "error": str(found), "lane": None}
    article: Article = found.article
    return {"title": article.title, "text": article.text, "error": None, "lane": found.lane}


def _seconds(page: Page, source: Source) -> float:
    began = time.process_time()
    extract(page, source)
    return time.process_time() - began


if __name__ == "__main__":
    main()

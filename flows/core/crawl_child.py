"""The child process of a crawl: `python -m flows.core.crawl_child SPEC.json`.

Reads a spec, writes JSON log lines to stderr and results to the spec's spool. Exit codes: 0 finished, 3 stopped before
the end, 4 an error of ours. It ends in order when its parent is gone: being killed by the kernel with the parent would
lose pages that are not yet flushed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from flows.core.crawl import LEDGER
from spiders.catalogue import Catalogue
from spiders.crawl import SPEC_JSON, CrawlReport, CrawlSpec
from spiders.engine import run
from storage.archive import PageArchive
from storage.frontier import Frontier
from storage.ledger import KnownArticles

FINISHED, STOPPED, ERROR = 0, 3, 4
STOP_REASONS = frozenset({"stopped", "timeout", "unwanted"})


class JsonLines(logging.Handler):
    """An object a record: the parent logs it again at its level, and a newline in a title stays inside."""

    def __init__(self) -> None:
        super().__init__()
        # Scrapy tells its settings and components, the same ones in every crawl.
        self.addFilter(lambda record: record.levelno >= logging.WARNING or not record.name.startswith("scrapy"))

    def emit(self, record: logging.LogRecord) -> None:
        line = {"t": record.created, "l": record.levelno, "n": record.name, "m": record.getMessage()}
        if record.exc_info:
            line["x"] = logging.Formatter().formatException(record.exc_info)
        try:
            sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
            sys.stderr.flush()
        except OSError:  # nobody reads any more; the crawl itself ends in order
            logging.getLogger().removeHandler(self)


def main(arguments: list[str]) -> int:
    parent = os.getppid()
    log_as_json_lines()
    spec = SPEC_JSON.validate_json(Path(arguments[0]).read_bytes())
    report = crawl(spec, parent)
    return exit_code(report)


def crawl(spec: CrawlSpec, parent: int) -> CrawlReport:
    source = Catalogue.load([Path(folder) for folder in spec.source_dirs])[spec.source]
    lake, ledger = Path(spec.lake), os.environ.get(LEDGER, "")
    with PageArchive(lake) as archive, Frontier(lake, spec.source, ledger, spec.unit) as frontier:
        known = KnownArticles(lake, ledger)
        try:
            return run(
                spec,
                source=source,
                archive=archive,
                known=known,
                frontier=frontier,
                wanted=lambda: os.getppid() == parent,
            )
        finally:
            known.close()


def exit_code(report: CrawlReport) -> int:
    if report.finish_reason == "finished":
        return FINISHED
    return STOPPED if report.finish_reason in STOP_REASONS else ERROR


def log_as_json_lines() -> None:
    root = logging.getLogger()
    root.handlers[:] = [JsonLines()]
    root.setLevel(logging.INFO)


if __name__ == "__main__":
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))

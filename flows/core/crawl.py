"""Starts a crawl in a child process, forwards its log, holds it to its deadline, and reads what it left.

A process for each crawl, because Twisted's reactor starts once, because a crawl can then be ended from outside whatever
it is doing, and because what it leaves in the spool stands even if it dies.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO, Literal, Self

from articles.records import Rejected
from spiders.crawl import SPEC_JSON, CrawlReport, CrawlSpec
from spiders.spool import REPORT, CrawledPage, read_report, read_results

CHILD = "flows.core.crawl_child"
# In the child's environment, not in its spec: the url may hold a password, and the spec lies on disk.
LEDGER = "FINNEWS_LEDGER"
ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.1
GRACE_SECONDS = 8.0
"""Docker kills ten seconds after it has asked."""
KEPT_LINES = 20
PASSING = re.compile(r"E-(?:NETWORK|TIMEOUT|TRUNC|PROTO|ROBOTS)\b|status (?:429|5\d\d)\b")

Status = Literal["finished", "stopped", "failed", "crashed", "timeout", "left"]
STATUS_OF: dict[int, Status] = {0: "finished", 3: "stopped", 4: "failed"}


class CrawlError(RuntimeError):
    """A crawl that brought nothing because the site, or we, failed."""

    def __init__(self, outcome: CrawlOutcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOutcome:
    source: str
    status: Status
    returncode: int
    report: CrawlReport | None
    """None if the crawl did not come to an orderly end."""
    pages: list[CrawledPage]
    rejected: list[Rejected]
    error: str | None = None
    """Why the source failed as a whole."""

    @property
    def may_pass(self) -> bool:
        """Is it worth trying again in minutes? A list that is not there, or is no list, is as it is."""
        return self.status in ("crashed", "timeout") or bool(PASSING.search(self.error or ""))

    @property
    def brought_nothing(self) -> bool:
        return self.error is not None and not self.pages

    @property
    def worth_another_try(self) -> bool:
        return self.brought_nothing and self.may_pass

    def or_raise(self) -> Self:
        if self.brought_nothing:
            raise CrawlError(self)
        return self


def never_begun(source_id: str) -> CrawlOutcome:
    """Of a crawl that was still to come when the run was told to end."""
    return CrawlOutcome(source=source_id, status="stopped", returncode=0, report=None, pages=[], rejected=[])


def left_to_another(source_id: str) -> CrawlOutcome:
    """Of a source that another worker is crawling."""
    return CrawlOutcome(source=source_id, status="left", returncode=0, report=None, pages=[], rejected=[])


def run_crawl(
    spec: CrawlSpec, *, deadline_seconds: float, log: logging.Logger, stop: Event | None = None, ledger: str = ""
) -> CrawlOutcome:
    """One crawl from start to end. `stop` ends it early and in order, as does an exception in this thread."""
    spool = Path(spec.spool)
    spool.mkdir(parents=True, exist_ok=True)
    spec_path = spool / "_spec.json"
    spec_path.write_bytes(SPEC_JSON.dump_json(spec, indent=1))
    stop = stop or Event()
    child = _start(spec_path, ledger)
    lines: list[str] = []
    # In the context of this run, or Prefect would not know whose log the lines belong to.
    reader = Thread(target=copy_context().run, args=(_forward, child.stderr, log, lines), daemon=True)
    reader.start()
    try:
        overdue = not _wait(child, deadline_seconds, stop)
        if overdue:
            log.error("%s: no end after %.0f s, stopping the crawl", spec.source, deadline_seconds)
    finally:
        returncode = _stop(child)
        reader.join(5)
    status = "timeout" if overdue else _status(returncode, spool, stopped=stop.is_set())
    return _outcome(spec, spool, returncode, status, lines)


def _start(spec_path: Path, ledger: str) -> subprocess.Popen[str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", CHILD, str(spec_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), LEDGER: ledger},
        # A group of its own: Ctrl-C reaches the parent alone, which then ends the crawl in order.
        start_new_session=True,
    )


def _forward(stderr: IO[str] | None, log: logging.Logger, lines: list[str]) -> None:
    for line in stderr or ():
        try:
            record = json.loads(line)
            log.log(record["l"], "%s: %s", record["n"], record["m"] + ("\n" + record["x"] if "x" in record else ""))
            lines.append(record["m"])
        except (ValueError, KeyError, TypeError):
            log.warning("%s", line.rstrip())
            lines.append(line.rstrip())
        del lines[:-KEPT_LINES]


def _wait(child: subprocess.Popen[str], deadline_seconds: float, stop: Event) -> bool:
    """False if the deadline passed; returns early when the crawl ends or is to be stopped."""
    deadline = time.monotonic() + deadline_seconds
    while child.poll() is None:
        if time.monotonic() > deadline:
            return False
        if stop.wait(LOOK_SECONDS):
            return True
    return True


def _stop(child: subprocess.Popen[str]) -> int:
    """Asks, waits, then kills the whole group."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


def _status(returncode: int, spool: Path, *, stopped: bool) -> Status:
    if stopped and returncode < 0:
        return "stopped"  # by our own signal, before it could answer in order
    return STATUS_OF.get(returncode, "crashed") if (spool / REPORT).exists() else "crashed"


def _outcome(spec: CrawlSpec, spool: Path, returncode: int, status: Status, lines: list[str]) -> CrawlOutcome:
    results = list(read_results(spool))
    report = read_report(spool)
    return CrawlOutcome(
        source=spec.source,
        status=status,
        returncode=returncode,
        report=report,
        pages=[result for result in results if isinstance(result, CrawledPage)],
        rejected=[result for result in results if isinstance(result, Rejected)],
        error=_error(status, report, lines),
    )


def _error(status: Status, report: CrawlReport | None, lines: list[str]) -> str | None:
    if report is None or status in ("failed", "crashed", "timeout"):
        return f"the crawl {status}: {lines[-1] if lines else 'no word from it'}"
    if report.discovered == 0 and report.gate_failures:
        return report.gate_failures[0]
    return None

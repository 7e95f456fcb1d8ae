"""What a flow run leaves beside itself in Prefect: its accounts as a table, a report to read, an event for each gate.

Prefect's database is a place to look, never one to build on: all of this stands in the ledger too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import cast
from uuid import UUID

from prefect import task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from flows.core.accounting import COUNTS, Account, RunReport
from flows.terminal import counted
from storage.compact import Sealed
from storage.verify import Findings

GATE_FAILED = "finnews.gate.failed"
# An update is a request to the server: a bar that moves every other second is alive enough.
PROGRESS_SECONDS = 2.0


@task(cache_policy=NO_CACHE, persist_result=False)
def account(report: RunReport) -> None:
    """Publishes what became of everything."""
    rows = [{"source": source_id, **numbers} for source_id, numbers in report.document()["sources"].items()]
    create_table_artifact(key="accounting", table=rows, description=f"run {report.run_id}")
    create_markdown_artifact(key="run-report", markdown=as_markdown(report), description=f"run {report.run_id}")
    for source_id, failed in sorted(report.sources.items()):
        _emit_failures(report.run_id, source_id, failed)


def publish_sealed(sealed: Sequence[Sealed]) -> None:
    """What sealing has gained, and the files it could not read."""
    sound = [each for each in sealed if not each.error]
    before, after = sum(each.bytes_before for each in sound), sum(each.bytes_after for each in sound)
    lines = [
        f"{counted(len(sound), 'file')} sealed: {before:,} bytes, now {after:,}.",
        *(_cell(each.error) for each in sealed if each.error),
    ]
    create_markdown_artifact(key="sealed", markdown="\n\n".join(lines), description="days gone quiet, written for good")


def publish_findings(findings: Findings) -> None:
    rows = [
        {"check": check.name, "looked at": check.looked_at, "problems": check.problems, "what": check.about}
        for check in findings.checks.values()
    ]
    create_table_artifact(key="verify", table=rows, description="every promise of the lake")


def as_failure(findings: Findings) -> str:
    """What is wrong, in one line; "" for a sound lake."""
    if findings.sound:
        return ""
    wrong = [
        f"{check.name}: {check.problems}, {'; '.join(check.examples)}"
        for check in findings.checks.values()
        if check.problems
    ]
    return f"`finnews verify --repair` puts right what can be: {'; '.join(wrong)}"


def as_markdown(report: RunReport) -> str:
    """For the person who opens the run: what came in, and what is wrong with whom."""
    totals = report.totals
    lines = [
        f"# {report.exit_code.name}: {totals.stored} new, {totals.revised} revised, {totals.duplicates} duplicates",
        "",
        f"Run `{report.run_id}`: {counted(len(report.sources), 'source')}, {counted(totals.requests, 'request')},"
        f" {totals.discovered} discovered, {totals.pending} pending, {totals.quarantined} quarantined.",
        "",
    ]
    wrong = [
        f"- **{source_id}**: {_cell(problem)}"
        for source_id, account in sorted(report.sources.items())
        for problem in _problems(account)
    ]
    lines += ["## What is wrong", "", *wrong, ""] if wrong else []
    lines += [f"| source | {' | '.join(COUNTS)} |", f"|---|{'---:|' * len(COUNTS)}"]
    lines += [
        f"| {source_id} | {' | '.join(str(getattr(account, name)) for name in COUNTS)} |"
        for source_id, account in sorted(report.sources.items())
    ]
    return "\n".join(lines) + "\n"


class Bars:
    """A progress bar for each source beside the flow run: what a backfill tells how far it has come."""

    def __init__(self) -> None:
        self._bars: dict[str, tuple[UUID, float]] = {}

    def reached(self, name: str, done: int, total: int | None) -> None:
        if total is None:  # a bar needs an end
            return
        percent = 100.0 * done / total if total else 100.0
        if name not in self._bars:
            key = f"backfill-{name.lower().replace('_', '-')}"
            bar = cast(UUID, create_progress_artifact(progress=percent, key=key, description=name))
            self._bars[name] = bar, time.monotonic()
            return
        bar, shown_at = self._bars[name]
        if done >= total or time.monotonic() - shown_at >= PROGRESS_SECONDS:
            self._bars[name] = bar, time.monotonic()
            update_progress_artifact(artifact_id=bar, progress=percent)


def _emit_failures(run_id: str, source_id: str, account: Account) -> None:
    for failure in account.gate_failures:
        emit_event(
            GATE_FAILED,
            resource={"prefect.resource.id": f"finnews.source.{source_id}", "prefect.resource.name": source_id},
            payload={"run_id": run_id, "code": failure.partition(" ")[0], "failure": failure},
        )


def _problems(account: Account) -> Iterator[str]:
    if account.error:
        yield f"failed: {account.error}"
    yield from (f"gate failed: {failure}" for failure in account.gate_failures if failure != account.error)
    yield from (f"{count} refused, {code}" for code, count in sorted(account.reasons.items()))
    if not account.balanced:
        yield f"the accounts do not add up: {account.discovered} discovered, {account.accounted} accounted for"


def _cell(text: str) -> str:
    """Lists and pages name themselves in errors: neither a line of its own nor markup comes of it."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in " ".join(text.split()))

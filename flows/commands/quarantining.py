"""`finnews quarantine list|show|retry`: what was refused, why, and whether today's rules make an article of it.

refused ──raw_ref──▶ page in the archive ──read again──▶ article: committed, then taken out of quarantine
                                                         refused: stays, under the reason it has now
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from articles.decode import decode
from articles.records import Article, Reason, Rejected
from flows.commands.sources import require_sources
from flows.core.accounting import Account, Exit, RunReport
from flows.core.rereading import Reader, open_reader
from flows.core.runs import BATCH, Advance, batches, open_lake, run_id
from flows.settings import Settings
from flows.terminal import Terminal, as_records, printable
from spiders.catalogue import Catalogue
from storage.archive import PageArchive
from storage.errors import ArchiveError, QueryError
from storage.lake import Lake
from storage.partitions import Partition, files
from storage.partitions import decode as decode_rows
from storage.schema import Row
from storage.store import open_store, require_lake

HEAD_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of the quarantine."""

    reason: str
    day: str
    source: str
    url: str
    detail: str
    fetched_at: datetime
    raw_ref: str
    run_id: str

    @classmethod
    def of(cls, partition: Partition, row: Row) -> Refusal:
        return cls(partition.owner, partition.day, **row)

    @property
    def partition(self) -> Partition:
        return Partition(self.reason, self.day)

    @property
    def key(self) -> tuple[str, str]:
        """As storage.lake.Lake.release names it."""
        return self.source, self.url or self.raw_ref or self.detail


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which refusals are meant; all that is not said is any. A reason is `notext`, or E-NOTEXT as runs tell it."""

    reason: str | None = None
    source: str | None = None
    day: date | None = None

    @property
    def slug(self) -> str | None:
        return self.reason and self.reason.lower().removeprefix("e-")

    def __contains__(self, refusal: object) -> bool:
        return (
            isinstance(refusal, Refusal)
            and self.slug in (None, refusal.reason)
            and self.source in (None, refusal.source)
            and (self.day is None or self.day.isoformat() == refusal.day)
        )


def list_command(settings: Settings, terminal: Terminal, chosen: Chosen) -> Exit:
    """How many, by reason, source and day; with the latest of each."""
    latest: dict[tuple[str, str, str], Refusal] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for refusal in refusals(settings.lake_path, chosen):
        kind = refusal.reason, refusal.source, refusal.day
        counts[kind] += 1
        if kind not in latest or latest[kind].fetched_at < refusal.fetched_at:
            latest[kind] = refusal
    if not counts:
        _require_meant(chosen, settings)
    rows = [(*kind, count, latest[kind].key[1]) for kind, count in sorted(counts.items())]
    columns = ("reason", "source", "day", "pages", "latest")
    if terminal.as_json:
        terminal.document(as_records(columns, rows))
    else:
        terminal.table(columns, rows)
    return Exit.OK


def _require_meant(chosen: Chosen, settings: Settings) -> None:
    """Where nothing was found, nothing may be misspelt. Raises QueryError, UnknownSourceError."""
    if chosen.slug and chosen.slug not in set(Reason):
        close = get_close_matches(chosen.slug, list(Reason), n=1)
        raise QueryError(f"no reason {chosen.slug!r}; " + (f"did you mean {close[0]}?" if close else ", ".join(Reason)))
    require_sources([chosen.source] if chosen.source else [], settings)


def show_command(settings: Settings, terminal: Terminal, named: str) -> Exit:
    """The latest refusal whose address, raw_ref or detail is, or holds, what is named; with the head of its page."""
    found = [
        refusal
        for refusal in refusals(settings.lake_path)
        if any(named in told for told in (refusal.url, refusal.raw_ref, refusal.detail))
    ]
    if not found:
        raise QueryError(
            f"nothing in quarantine has {named!r} in its address, raw_ref or detail; see `finnews quarantine list`"
        )
    exact = [refusal for refusal in found if named in (refusal.url, refusal.raw_ref)]
    refusal = max(exact or found, key=lambda refusal: refusal.fetched_at)
    shown = {name: getattr(refusal, name) for name in Refusal.__slots__} | _page(settings.lake_path, refusal.raw_ref)
    if terminal.as_json:
        terminal.document(shown)
    else:
        for name, value in shown.items():
            if name != "head":
                terminal.print(printable(f"{name}: {value}"))
        terminal.print("\n" + "\n".join(map(printable, str(shown.get("head", "")).splitlines())))
        if len(found) > 1:
            terminal.say(f"{len(found) - 1} more have {named!r} in their address, raw_ref or detail")
    return Exit.OK


def retry_command(settings: Settings, terminal: Terminal, chosen: Chosen, *, dry_run: bool = False) -> Exit:
    """Reads the pages again. Ends like any run, with the accounts of what became of them."""
    asked = list(refusals(settings.lake_path, chosen))
    if not asked:
        _require_meant(chosen, settings)
    readable = [refusal for refusal in asked if refusal.raw_ref]
    with ExitStack() as stack:
        read = stack.enter_context(open_reader(settings, Catalogue.load(settings.sources)))
        advance = stack.enter_context(terminal.progress("pages", total=len(readable)))
        report = try_out(readable, read, advance) if dry_run else retry(settings, readable, read, advance)
    if without := len(asked) - len(readable):
        terminal.say(f"{without} left as they are: there was no answer to keep")
    if dry_run:
        terminal.say("nothing was written; `stored` is what would leave the quarantine")
    terminal.report(report)
    return report.exit_code


def retry(settings: Settings, chosen: Sequence[Refusal], read: Reader, advance: Advance) -> RunReport:
    """What passes is committed before it leaves the quarantine: killed in between, it is in both, and the next retry
    finds it unchanged."""
    report = RunReport(run_id())
    with open_lake(settings) as lake:
        lake.ledger.begin_run(report.run_id)
        for batch in batches(_read(chosen, read), BATCH):
            passed = [(refusal, found) for refusal, found in batch if isinstance(found, Article)]
            for decision in lake.commit([article for _, article in passed], run_id=report.run_id):
                _count(report, decision.article.source).decide(decision)
            refused = [(refusal, found) for refusal, found in batch if isinstance(found, Rejected)]
            for refusal, found in refused:
                _count(report, refusal.source).refuse(found.reason.code)
            # A page that is not in the archive any more stays under the reason it was refused for.
            otherwise = [
                (refusal, found) for refusal, found in refused if found.reason not in (refusal.reason, Reason.ARCHIVE)
            ]
            lake.quarantine([found for _, found in otherwise], run_id=report.run_id)
            _release(lake, [refusal for refusal, _ in (*passed, *otherwise)])
            advance(len(batch))
        lake.ledger.end_run(report.run_id, report.document() | {"command": "quarantine retry"})
    return report


def try_out(chosen: Sequence[Refusal], read: Reader, advance: Advance) -> RunReport:
    """What a retry would do, but for what it would find to be a copy."""
    report = RunReport("dry run")
    for refusal, found in _read(chosen, read):
        account = _count(report, refusal.source)
        if isinstance(found, Article):
            account.stored += 1
        else:
            account.refuse(found.reason.code)
        advance(1)
    return report


def refusals(lake: Path, chosen: Chosen | None = None) -> Iterator[Refusal]:
    """Those in quarantine, by reason and day."""
    require_lake(lake)
    store = open_store(lake)
    for partition, file in files(store, "quarantine"):
        blob = store.read(file.key)
        for row in decode_rows(blob.data, file.key).to_pylist() if blob else ():
            refusal = Refusal.of(partition, row)
            if chosen is None or refusal in chosen:
                yield refusal


def _read(chosen: Sequence[Refusal], read: Reader) -> Iterator[tuple[Refusal, Article | Rejected]]:
    return zip(chosen, read(refusal.raw_ref for refusal in chosen), strict=True)


def _count(report: RunReport, source_id: str) -> Account:
    account = report.account(source_id)
    account.discovered += 1
    return account


def _release(lake: Lake, released: Sequence[Refusal]) -> None:
    for partition in sorted({refusal.partition for refusal in released}):
        lake.release(partition, {refusal.key for refusal in released if refusal.partition == partition})


def _page(lake: Path, raw_ref: str) -> dict[str, Any]:
    if not raw_ref:
        return {"page": "there was no answer to keep"}
    try:
        with PageArchive(lake) as archive:
            page = archive.read(raw_ref)
    except ArchiveError as error:
        return {"page": str(error)}
    text = decode(page.body, content_type=page.headers.get("content-type")).text
    return {
        "status": page.status,
        "content_type": page.headers.get("content-type", ""),
        "body_bytes": len(page.body),
        "form": page.form,
        "head": text[:HEAD_CHARS],
    }

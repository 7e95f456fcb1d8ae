"""`finnews verify [--repair] [--accept-lost]`: whether the lake is what it says it is, and putting right what is not.

verify ──▶ remember what is lost ──▶ set damage aside ──▶ finish commits, make the ledger anew ──▶ read the lost again
  ▲                                                                                                      │
  └──────────────────────────────────────────────────────────────────────────────────────────────────────┘

What cannot be put right stays a fault until somebody accepts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from getpass import getuser
from pathlib import Path
from socket import gethostname
from typing import Any

from articles.records import Article, Reason, Rejected
from articles.source import UNKNOWN
from flows.core.accounting import OUTCOMES, Exit
from flows.core.rereading import open_reader, source_of
from flows.core.runs import BATCH, batches, open_lake, run_id, when_free
from flows.settings import Settings
from flows.terminal import Terminal, counted
from spiders.catalogue import Catalogue
from storage.accepted import accept, acceptances, accepted_copies, accepted_refs
from storage.archive import PageArchive
from storage.database import exists
from storage.errors import NotWritable
from storage.lake import Lake
from storage.ledger import Ledger, ledger_location
from storage.lock import WriterLock
from storage.merge import COPY_TREES
from storage.partitions import decode, files
from storage.repair import Lost, remember_lost, set_aside, settle_lost, still_lost
from storage.store import Store, open_store, require_lake
from storage.verify import Check, Findings, steps, verify

# Every run that the ledger remembers.
ALL_RUNS = 1_000_000
# What the ledger has to be made anew for.
LEDGER_CHECKS = ("keys", "places", "clusters", "ledger")


def verify_command(
    settings: Settings, terminal: Terminal, *, repair: bool = False, deep: bool = False, accept_lost: bool = False
) -> Exit:
    require_lake(settings.lake_path)
    with (
        terminal.progress("files and pages" if deep else "files", total=_steps(settings, deep)) as advance,
        quiet(settings, repairing=repair),
    ):
        findings = look(settings, deep=deep, advance=advance)
        lost, aside = _clear_the_way(settings.lake_path, findings) if repair else (Lost(), 0)
    done: dict[str, int] = {}
    if repair:
        done = {"set aside": aside} | put_right(settings, terminal, findings, lost)
        with terminal.progress("once more", total=_steps(settings, deep)) as advance, quiet(settings):
            findings = look(settings, deep=deep, advance=advance)
    if accept_lost:
        with quiet(settings):
            done["accepted"] = accept_losses(settings, findings)
            findings = look(settings, deep=deep)
    _tell(findings, done, terminal)
    return Exit.OK if findings.sound else Exit.GATE


def look(settings: Settings, *, deep: bool = False, advance: Callable[[int], None] = lambda _: None) -> Findings:
    """All checks. Only while nobody writes."""
    zones = {source.id: source.zone for source in Catalogue.load(settings.sources).values()}
    findings = verify(
        settings.lake_path, zones=zones, zone=UNKNOWN.zone, ledger=settings.ledger, deep=deep, advance=advance
    )
    findings.checks["runs"] = _accounts(settings, findings)
    findings.checks["lost"] = _still_lost(settings)
    return findings


def put_right(settings: Settings, terminal: Terminal, findings: Findings, lost: Lost) -> dict[str, int]:
    """Everything that can be; gives what was done, and how often."""
    with open_lake(settings) as lake:
        done: dict[str, int] = {}
        if lost or any(findings.checks[name].problems for name in LEDGER_CHECKS):
            done["articles indexed"] = lake.reindex(_days(findings))
        if lost:
            done |= _restore(lake, settings, terminal, lost)
    return done


def accept_losses(settings: Settings, findings: Findings) -> int:
    """What repairs could not bring back, and pages that the archive has no more, are a fault no longer."""
    store, by = open_store(settings.lake_path), f"{getuser()}@{gethostname()}"
    lost = still_lost(store)
    raw_refs = lost.raw_refs.union(findings.lost_pages)
    return accept(store, by=by, at=datetime.now(UTC), copies=lost.copies.keys(), raw_refs=raw_refs)


def _steps(settings: Settings, deep: bool) -> int | None:
    """How many pages there are to read is known only on the way."""
    return None if deep else steps(settings.lake_path)


def _clear_the_way(lake: Path, findings: Findings) -> tuple[Lost, int]:
    """What is lost is remembered before damage is moved."""
    store = open_store(lake)
    lost = remember_lost(store, findings)
    return lost, set_aside(store, findings)


@contextmanager
def quiet(settings: Settings, *, repairing: bool = False) -> Iterator[None]:
    """Nobody writes meanwhile. Where nothing may be written at all, as in a backup, nobody does anyway."""
    location = ledger_location(settings.lake_path, settings.ledger)
    with ExitStack() as stack:
        if not isinstance(location, Path) and exists(location):
            stack.enter_context(stack.enter_context(closing(Ledger(location))).turn())
        if (settings.lake_path / "_state").is_dir():
            lock = WriterLock(settings.lake_path)
            try:
                when_free(lock.take)
                stack.callback(lock.release)
            except PermissionError as error:
                if repairing:
                    raise NotWritable(f"{settings.lake_path}: cannot be repaired ({error.strerror})") from error
        yield


def _accounts(settings: Settings, findings: Findings) -> Check:
    check = Check("runs", "what every run was offered is accounted for")
    location = ledger_location(settings.lake_path, settings.ledger)
    if not exists(location) or location == findings.unreadable_ledger:
        return check
    with closing(Ledger(location)) as ledger:
        runs = ledger.runs(ALL_RUNS)
    for run in runs:
        check.looked_at += 1
        for source_id, account in run.report.get("sources", {}).items():
            accounted = sum(account[outcome] for outcome in OUTCOMES)
            if account["discovered"] != accounted:
                check.found(run.run_id, f"{source_id}: {account['discovered']} discovered, {accounted} accounted for")
    if unfinished := sum(run.finished_at is None for run in runs):
        check.notes.append(f"{counted(unfinished, 'killed run')} could not account; later runs took up what was left")
    return check


def _still_lost(settings: Settings) -> Check:
    check, store = (
        Check("lost", "what was damaged has been read again from the archive"),
        open_store(settings.lake_path),
    )
    lost, accepted = still_lost(store), acceptances(store)
    check.looked_at = len(lost.copies) + len(lost.raw_refs)
    check.notes += map(str, accepted)
    for article_id, source in sorted(lost.copies.keys() - accepted_copies(accepted)):
        check.found(f"{source} {article_id}", "a text of it is lost")
    for raw_ref in sorted(lost.raw_refs - accepted_refs(accepted)):
        check.found(raw_ref, "was read for rows that are lost" + (", and is lost too" * (raw_ref in lost.unreadable)))
    if check.problems:
        check.notes.append(
            "put files of the archive back from a backup, and repair again; or accept it with --accept-lost"
        )
    return check


def _days(findings: Findings) -> dict[tuple[str, str, str], date | None]:
    return {
        (article_id, source, text_hash): date.fromisoformat(day) if day else None
        for article_id, source, text_hash, day in findings.misplaced
    }


def _restore(lake: Lake, settings: Settings, terminal: Terminal, lost: Lost) -> dict[str, int]:
    """Read lost pages again, and store what they say. A page that is lost as well is named among the refused."""
    run, unreadable = run_id(), dict[str, Rejected]()
    done = {"restored": 0, "refused": 0}
    with (
        open_reader(settings, Catalogue.load(settings.sources)) as read,
        terminal.progress("pages", total=None if lost.sources else len(lost.raw_refs)) as advance,
    ):
        for batch in batches(read(_pages(lake, lost)), BATCH):
            refused = [found for found in batch if isinstance(found, Rejected) and found.reason != Reason.ARCHIVE]
            articles = [found for found in batch if isinstance(found, Article)]
            # Of a source that is read as a whole, most were refused before, and some are lists.
            lake.quarantine([found for found in refused if found.raw_ref in lost.raw_refs], run_id=run)
            lake.commit(articles, run_id=run)
            done["restored"] += len(articles)
            done["refused"] += len(refused)
            lost_too = (found for found in batch if isinstance(found, Rejected) and found.reason == Reason.ARCHIVE)
            unreadable |= {found.raw_ref: found for found in lost_too}
            advance(len(batch))
    for article_id, source, at in sorted(lost.gone):
        lake.mark_gone([article_id], at=datetime.fromisoformat(at), run_id=run, source=source)
    left = settle_lost(lake.store, lost, unreadable.keys())
    lake.quarantine([unreadable[ref] for ref in sorted(left.raw_refs - lost.unreadable)], run_id=run)
    _release(lake, lost.unreadable - left.raw_refs)
    done["pages lost as well"] = len(left.raw_refs)
    if lost.unknown:
        # All that the archive has of their sources is there again; whether that is all, nobody can say.
        done["files of unknown content"] = len(lost.unknown)
    return done


def _release(lake: Lake, found_again: Set[str]) -> None:
    """Their pages were put back into the archive, and are rows again."""
    if found_again:
        for partition, _ in list(files(lake.store, "quarantine", [Reason.ARCHIVE.value])):
            lake.release(partition, {(source_of(raw_ref), raw_ref) for raw_ref in found_again})


def _pages(lake: Lake, lost: Lost) -> Iterator[str]:
    """Where the lost pages lie. Of a source that lost it is not known what: all that no row was read from."""
    yield from sorted(lost.raw_refs)
    with PageArchive(lake.root) as archive:
        for source in sorted(lost.sources):
            held = lost.raw_refs.union(_references(lake.store, source))
            yield from (ref for ref in archive.refs(source) if ref not in held)


def _references(store: Store, source: str) -> Iterator[str]:
    for tree in COPY_TREES:
        for partition, file in files(store, tree):
            blob = store.read(file.key) if partition.owner == source else None
            yield from decode(blob.data, file.key, ["raw_ref"])["raw_ref"].to_pylist() if blob else ()


def _tell(findings: Findings, done: Mapping[str, int], terminal: Terminal) -> None:
    checks = findings.checks.values()
    if terminal.as_json:
        terminal.document(_document(findings, done))
        return
    rows = [(check.name, check.looked_at, check.problems, check.about) for check in checks]
    terminal.table(("check", "looked at", "problems", "what"), rows)
    for check in checks:
        for line in (*check.examples, *check.notes):
            terminal.say(f"{check.name}: {line}")
    for what, count in done.items():
        terminal.say(f"{what}: {count}")
    if not findings.sound and not done:
        terminal.say("`finnews verify --repair` puts right what can be")


def _document(findings: Findings, done: Mapping[str, int]) -> dict[str, Any]:
    return {"sound": findings.sound, "checks": list(map(asdict, findings.checks.values())), "repaired": dict(done)}

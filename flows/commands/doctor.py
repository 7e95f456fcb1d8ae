"""`finnews doctor`: whether what a run needs is there, and what to do where it is not. Nothing is changed.

What is wrong with this machine or its settings ends with 2, what is wrong with the lake's own state with 4. The rows of
the lake are not read: `finnews verify` does that.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
import tempfile
import tomllib
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from packaging.requirements import Requirement

from flows.core.accounting import Exit
from flows.desk.notifying import addresses
from flows.settings import Settings, SettingsError, unknown_variables
from flows.terminal import Terminal, counted
from spiders.catalogue import Catalogue, SourceFileError
from storage.claim import is_anothers
from storage.errors import StorageError
from storage.lock import writer_of
from storage.overview import History, history
from storage.store import is_remote, probe

ROOT = Path(__file__).parents[2]
TESTED_PYTHON = ((3, 11), (3, 14))
LOW_BYTES, TOO_LOW_BYTES = 5 << 30, 500 << 20
LOW_FILES = 10_000
ZONE = "Asia/Shanghai"
OLDEST = datetime(2026, 1, 1, tzinfo=UTC)
SKEW = timedelta(minutes=5)
PREFECT_SECONDS = 3.0
# A lock for all platforms may pin a package more than once.
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    verdict: Verdict
    what: str
    advice: str = ""
    exit_code: Exit = Exit.USAGE
    """What a failure ends with."""


def doctor_command(settings: Settings, terminal: Terminal) -> Exit:
    found = [finding for check in CHECKS for finding in check(settings)]
    if terminal.as_json:
        terminal.document([asdict(each) for each in found])
    else:
        rows = [(each.verdict, each.check, each.what, each.advice) for each in found]
        terminal.table(("", "check", "found", "what to do"), rows)
    failed = {each.exit_code for each in found if each.verdict == "fail"}
    return min(failed, default=Exit.OK)


def _python(settings: Settings) -> Iterator[Finding]:
    del settings
    running = sys.version_info[:2]
    shown = f"Python {sys.version.split()[0]}"
    if TESTED_PYTHON[0] <= running <= TESTED_PYTHON[1]:
        yield Finding("python", "ok", shown)
    else:
        yield Finding("python", "warn", shown, "finnews is made for Python 3.11 to 3.14")


def _packages(settings: Settings) -> Iterator[Finding]:
    """Against the bounds that the project declares, and the versions that it was tested with."""
    del settings
    wrong = [problem for requirement in _requirements() if (problem := _unmet(requirement))]
    if wrong:
        yield Finding("packages", "fail", "; ".join(wrong), "install requirements.lock anew: `make setup`")
        return
    differing = list(_off_lock())
    if differing:
        shown = ", ".join(differing[:3]) + (" …" if len(differing) > 3 else "")
        yield Finding("packages", "warn", f"{len(differing)} not as in requirements.lock: {shown}", "`make setup`")
    else:
        yield Finding("packages", "ok", "all within their bounds")


def _requirements() -> list[Requirement]:
    """Of the installed package, or of the checkout this runs from."""
    try:
        declared = importlib.metadata.requires("finnews") or []
    except importlib.metadata.PackageNotFoundError:
        project = ROOT / "pyproject.toml"
        declared = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    requirements = map(Requirement, declared)
    return [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]


def _unmet(requirement: Requirement) -> str | None:
    try:
        installed = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(installed, prereleases=True):
        return None
    return f"{requirement.name} {installed} is not {requirement.specifier}"


def _off_lock() -> Iterator[str]:
    """Packages in another version than the lock's; those that are not installed were left out on purpose."""
    lock = ROOT / "requirements.lock"
    pinned: dict[str, list[str]] = defaultdict(list)
    for name, version in PIN.findall(lock.read_text(encoding="utf-8")) if lock.is_file() else ():
        pinned[name].append(version)
    for name, versions in pinned.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if installed not in versions:
            yield f"{name} {installed} for {' or '.join(versions)}"


def _zone(settings: Settings) -> Iterator[Finding]:
    del settings
    try:
        shanghai = datetime.now(ZoneInfo(ZONE))
    except ZoneInfoNotFoundError:
        yield Finding("time zones", "fail", f"{ZONE} is not known", "install the package tzdata")
    else:
        yield Finding("time zones", "ok", f"{shanghai:%Y-%m-%d %H:%M} in Shanghai")


def _settings(settings: Settings) -> Iterator[Finding]:
    del settings
    problems = list(unknown_variables())
    for problem in problems:
        yield Finding("settings", "warn", problem, "it has no effect")
    if not problems:
        yield Finding("settings", "ok", "see `finnews config show`")


def _sources(settings: Settings) -> Iterator[Finding]:
    try:
        catalogue = Catalogue.load(settings.sources)
    except SourceFileError as error:
        yield Finding(
            "sources", "fail", str(error), "mend the file; `finnews sources check FILE` says when it is right"
        )
        return
    enabled = sum(source.enabled and bool(source.lists) for source in catalogue.values())
    yield Finding("sources", "ok", f"{len(catalogue)} known, {enabled} crawled")


def _disk(settings: Settings) -> Iterator[Finding]:
    place = _existing(settings.lake_path)
    free, files = shutil.disk_usage(place).free, os.statvfs(place)
    shown = f"{free / 2**30:.1f} GiB free at {place}"
    if free < TOO_LOW_BYTES:
        yield Finding("disk", "fail", shown, "make room: a run stops cleanly, and stores nothing, when it is full")
    elif free < LOW_BYTES or (files.f_files and files.f_favail < LOW_FILES):
        few = f", {files.f_favail} files" if files.f_files else ""
        yield Finding("disk", "warn", shown + few, "make room: a page kept raw takes about 10 KB")
    else:
        yield Finding("disk", "ok", shown)


def _lake(settings: Settings) -> Iterator[Finding]:
    if is_remote(settings.lake):
        yield _bucket(settings.lake)
        yield _writer(settings.lake_path)
        yield from _claim(settings)
        return
    lake = settings.lake_path
    if not lake.exists():
        parent = _existing(lake)
        if os.access(parent, os.W_OK | os.X_OK):
            yield Finding("lake", "ok", f"{lake}: not there yet; the first run makes it")
        else:
            yield Finding("lake", "fail", f"{lake}: cannot be made", f"give this user the right to write to {parent}")
        return
    problem = _cannot_replace(lake / "_state" if (lake / "_state").is_dir() else lake)
    if problem:
        yield Finding("lake", "fail", f"{lake}: {problem}", "give this user the right to write there")
    else:
        yield Finding("lake", "ok", f"{lake}: can be written")
        yield _writer(lake)


def _bucket(url: str) -> Finding:
    """Tried with a file of its own, which is taken away again."""
    try:
        tried = probe(url)
    except StorageError as error:
        return Finding("lake", "fail", str(error), "look at the bucket's name, endpoint and credentials (AWS_…)")
    if tried.sound:
        return Finding("lake", "ok", f"{url}: refuses stale writes ({tried.seconds:.1f} s)")
    return Finding(
        "lake", "fail", f"{url}: not so: {'; '.join(tried.failed)}", "writers would overwrite each other here"
    )


def _claim(settings: Settings) -> Iterator[Finding]:
    try:
        anothers = is_anothers(settings.lake_path, settings.ledger)
    except StorageError:
        # The bucket, or the ledger, has a line of its own.
        return
    if anothers:
        advice = "give all machines one ledger: --ledger postgresql://…; else the next run here takes the lake over"
        yield Finding("claim", "warn", f"{settings.lake}: goes by the ledger of another machine", advice)


def _cannot_replace(folder: Path) -> str | None:
    """What keeps a file from being written and taking another's place in one step."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix="doctor-") as scratch:
            staged, place = Path(scratch) / "staged", Path(scratch) / "place"
            place.write_bytes(b"old")
            staged.write_bytes(b"new")
            staged.replace(place)
            return None if place.read_bytes() == b"new" else "a renamed file does not take the other's place"
    except OSError as error:
        return error.strerror or str(error)


def _writer(lake: Path) -> Finding:
    holder = writer_of(lake)
    if holder is None:
        return Finding("lock", "ok", "nobody writes")
    return Finding("lock", "ok", f"pid {holder.get('pid')} on {holder.get('host')} writes, since {holder.get('since')}")


def _ledger(settings: Settings) -> Iterator[Finding]:
    try:
        past = history(settings.lake_path, 1, settings.ledger)
    except StorageError as error:
        advice = "is the database running?" if settings.ledger else "move it away: it is made anew from the rows"
        yield Finding("ledger", "fail", str(error), advice, Exit.GATE)
        return
    if not past.runs:
        yield Finding("ledger", "ok", "no runs yet")
    elif past.runs[0].finished_at is None and not writer_of(settings.lake_path):
        yield Finding("ledger", "warn", f"the last run, {past.runs[0].run_id}, did not end", "the next run finishes it")
    else:
        yield Finding("ledger", "ok", f"last run {past.runs[0].started_at:%Y-%m-%d %H:%MZ}")
    yield _clock(past)


def _clock(past: History) -> Finding:
    """Nothing begins later than now, and nothing began before there was a finnews."""
    now = datetime.now(UTC)
    latest = max((run.started_at for run in past.runs), default=OLDEST)
    if now < latest - SKEW:
        return Finding("clock", "fail", f"{now:%Y-%m-%d %H:%MZ}, and the last run was later", "set the clock")
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%MZ}")


def _prefect(settings: Settings) -> Iterator[Finding]:
    del settings
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        yield Finding("prefect", "ok", "not configured: runs need no server")
        return
    try:
        with urllib.request.urlopen(_without_user(url) + "/health", timeout=PREFECT_SECONDS) as answer:
            healthy = answer.status == 200
    except (OSError, ValueError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        advice = "start it (`prefect server start`), or unset PREFECT_API_URL"
        yield Finding("prefect", "fail", f"{_without_user(url)}: {reason}", advice)
        return
    yield Finding("prefect", "ok" if healthy else "fail", f"{_without_user(url)} answers")


def _notify(settings: Settings) -> Iterator[Finding]:
    try:
        addresses(settings)
    except SettingsError as error:
        yield Finding("notify", "fail", str(error), "see the list of services in apprise's documentation")
        return
    if settings.notify_urls:
        yield Finding("notify", "ok", f"alarms go to {counted(len(settings.notify_urls), 'place')}")
    else:
        yield Finding("notify", "ok", "alarms go nowhere", "set notify_urls to be told when a source falls ill")


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def _existing(path: Path) -> Path:
    """The path, or the closest folder above it that is there."""
    absolute = path.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.exists())


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _settings,
    _sources,
    _zone,
    _disk,
    _lake,
    _ledger,
    _prefect,
    _notify,
)

"""Tells people when a source falls ill and when it is well again, by whatever apprise can reach.

    status ──▶ what was told last (LAKE/_state/alarms.json) ──▶ changes ──▶ one message ──▶ remembered as told

What was told is remembered in the lake, so that several machines on one bucket tell it once. Only changes are told, all
of one check in one message, and a source that comes and goes at most every QUIET hours. What could not be sent is not
remembered, so the next check tells it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from apprise import Apprise, NotifyFormat

from flows.desk.status import SourceStatus, status
from flows.settings import Settings, SettingsError, masked
from flows.terminal import printable
from storage.errors import LakeError
from storage.store import Blob, Store, open_store

log = logging.getLogger("finnews.notifying")
# Its warnings name addresses in full; ours do not.
logging.getLogger("apprise").setLevel(logging.CRITICAL)

QUIET = timedelta(hours=6)
# Worse is told at once; better only when it is well again. Silent: it has been asked before, and is no more.
GRAVITY = {"fresh": 0, "silent": 1, "stale": 2, "broken": 3}
ALARMS = "_state/alarms.json"


@dataclass(frozen=True, slots=True)
class Told:
    """What people were last told of a source."""

    state: str
    at: datetime
    """Of the last alarm, not of the recovery."""


@dataclass(frozen=True, slots=True)
class Change:
    source: str
    kind: Literal["alarm", "recovery"]
    state: str
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "recovery":
            return f"{self.source}: fresh again"
        return printable(f"{self.source}: {self.state}: {'; '.join(self.reasons)}")


def tell_changes(settings: Settings, now: datetime | None = None) -> list[Change]:
    """Looks at all sources and notifies about what has changed since the last time; gives what was told.

    Nobody to tell, or nothing to tell: nothing happens. A message that cannot be sent is a warning, never an error.
    """
    if not settings.notify_urls or not settings.lake_path.is_dir():
        return []
    now = now or datetime.now(UTC)
    store = open_store(settings.lake_path)
    blob = store.read(ALARMS)
    told = read_told(blob.data, f"{store.url}/{ALARMS}") if blob else {}
    found, remembered = changes(told, status(settings, now), now)
    if found and not notify(title_of(found), "\n".join(map(str, found)), settings):
        return []
    if remembered != told:
        _remember(store, blob, remembered)
    return found


def notify(title: str, body: str, settings: Settings) -> bool:
    """Sends one message to every address of `notify_urls`; False, and a warning, if any could not be reached.

    Raises SettingsError for an address that is none.
    """
    sent = bool(addresses(settings).notify(title=title, body=body, body_format=NotifyFormat.TEXT))
    if not sent:
        log.warning("not everybody could be told «%s»: %s", title, ", ".join(map(masked, settings.notify_urls)))
    return sent


def addresses(settings: Settings) -> Apprise:
    """Raises SettingsError for an address that is none."""
    known = Apprise()
    for number, url in enumerate(settings.notify_urls, start=1):
        if not known.add(url):
            raise SettingsError(f"notify_urls: number {number} ({masked(url)}) is no address that apprise knows")
    return known


def changes(
    told: Mapping[str, Told], sources: Sequence[SourceStatus], now: datetime
) -> tuple[list[Change], dict[str, Told]]:
    """What is to be told, the worst first, and what will have been told then."""
    found: list[Change] = []
    remembered = dict(told)
    for each in sources:
        before = told.get(each.source)
        if each.tried_at is None:
            continue
        if each.state == "fresh":
            if before and before.state != "fresh":
                found.append(Change(each.source, "recovery", each.state))
                remembered[each.source] = Told("fresh", before.at)
        elif _is_news(each.state, before, now):
            found.append(Change(each.source, "alarm", each.state, each.reasons))
            remembered[each.source] = Told(each.state, now)
    return sorted(found, key=lambda change: (-GRAVITY[change.state], change.source)), remembered


def title_of(found: Sequence[Change]) -> str:
    alarms = sum(change.kind == "alarm" for change in found)
    recoveries = len(found) - alarms
    parts = [f"{count} {what}" for count, what in ((alarms, "in trouble"), (recoveries, "fresh again")) if count]
    return f"finnews: {', '.join(parts)}"


def read_told(data: bytes, name: str) -> dict[str, Told]:
    """What cannot be read has told nothing: at worst something is told twice."""
    try:
        written = json.loads(data)
        return {source: Told(each["state"], datetime.fromisoformat(each["at"])) for source, each in written.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s: cannot be read (%s); all alarms are told anew", name, error)
        return {}


def _is_news(state: str, before: Told | None, now: datetime) -> bool:
    if before is None:
        return True
    if before.state == "fresh":
        return now - before.at >= QUIET
    return GRAVITY[state] > GRAVITY[before.state]


def _remember(store: Store, before: Blob | None, told: Mapping[str, Told]) -> None:
    written = {source: asdict(each) for source, each in sorted(told.items())}
    data = json.dumps(written, default=str, indent=1).encode()
    try:
        store.prepare()
        if store.put(ALARMS, data, before.version if before else None) is None:
            log.warning("%s/%s: told by somebody else at the same time; it may have been told twice", store.url, ALARMS)
    except LakeError as error:
        log.warning("%s; the same will be told again", error)

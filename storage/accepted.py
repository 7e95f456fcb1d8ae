"""Losses that somebody has accepted: texts and pages that nobody will bring back. They are named ever after, and no
longer a fault.

    LAKE/_state/quarantine/accepted.json      who, when, what: a list that only grows

What comes back nevertheless is looked at like anything else: an acceptance says nothing of a page that can be read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from storage.archive import PageArchive
from storage.errors import ArchiveError, LakeError
from storage.store import Store

ACCEPTED = "_state/quarantine/accepted.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    by: str
    at: str
    copies: tuple[tuple[str, str], ...]
    """article_id and source of those that lost a text."""
    raw_refs: tuple[str, ...]
    """Where the pages lay."""

    def __str__(self) -> str:
        return f"{len(self.copies)} articles and {len(self.raw_refs)} pages, accepted by {self.by} at {self.at}"


def accept(
    store: Store, *, by: str, at: datetime, copies: Collection[tuple[str, str]], raw_refs: Collection[str]
) -> int:
    """Gives how much of it is news; what was accepted before stays as it was."""
    blob, before = store.read(ACCEPTED), acceptances(store)
    known_copies, known_refs = accepted_copies(before), accepted_refs(before)
    news = Acceptance(
        by=by,
        at=at.isoformat(timespec="seconds"),
        copies=tuple(sorted(set(copies) - known_copies)),
        raw_refs=tuple(sorted(set(raw_refs) - known_refs)),
    )
    count = len(news.copies) + len(news.raw_refs)
    if count:
        data = json.dumps([asdict(each) for each in (*before, news)], ensure_ascii=False, indent=1).encode()
        if store.put(ACCEPTED, data, blob.version if blob else None) is None:
            raise LakeError(f"{store.url}/{ACCEPTED}: somebody else writes to it; try again")
        store.sync()
    return count


def acceptances(store: Store) -> list[Acceptance]:
    blob = store.read(ACCEPTED)
    return [
        Acceptance(
            by=each["by"],
            at=each["at"],
            copies=tuple((article_id, source) for article_id, source in each["copies"]),
            raw_refs=tuple(each["raw_refs"]),
        )
        for each in (json.loads(blob.data) if blob else ())
    ]


def accepted_copies(accepted: Sequence[Acceptance]) -> set[tuple[str, str]]:
    return set(chain.from_iterable(each.copies for each in accepted))


def accepted_refs(accepted: Sequence[Acceptance]) -> set[str]:
    return set(chain.from_iterable(each.raw_refs for each in accepted))


def still_unreadable(lake: Path, raw_refs: Collection[str]) -> list[str]:
    """Those of accepted pages that have not come back."""
    with PageArchive(lake) as archive:
        return [raw_ref for raw_ref in sorted(raw_refs) if not _can_be_read(archive, raw_ref)]


def _can_be_read(archive: PageArchive, raw_ref: str) -> bool:
    try:
        archive.read(raw_ref)
    except ArchiveError:
        return False
    return True

"""How long pages are kept. What went is remembered: a page that has expired is never taken for one that is lost.

LAKE/pages/expired.json     {source: day}: pages fetched before that day have been deleted
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from storage.errors import ArchiveError, LakeError
from storage.store import Listed, Store

EXPIRED = "pages/expired.json"
# Several workers may be at it.
ATTEMPTS = 20
PLACE = re.compile(r"pages/source=(?P<source>[^/]+)/(?P<day>\d{4}-\d\d-\d\d)/")


@dataclass(frozen=True, slots=True)
class Expired:
    """What retention has deleted."""

    before: Mapping[str, str]
    """Source → day."""

    @classmethod
    def of(cls, store: Store) -> Expired:
        blob = store.read(EXPIRED)
        try:
            return cls(json.loads(blob.data) if blob else {})
        except ValueError as error:
            raise ArchiveError(
                f"{store.url}/{EXPIRED}: not JSON ({error}); without it, pages that have expired count as lost"
            ) from error

    def covers(self, place: str) -> bool:
        """Of a raw_ref, or the path of a file in the archive."""
        found = PLACE.match(place)
        return found is not None and found["day"] < self.before.get(found["source"], "")


def expire(store: Store, before: date, *, dry_run: bool = False) -> list[Listed]:
    """Delete the pages that were fetched before this day; gives their files. Rows keep their raw_ref."""
    old = [listed for listed in store.entries("pages") if _day(listed) < before.isoformat()]
    if old and not dry_run:
        # Said before it is done: killed in between, the rest goes next time.
        _remember(store, {listed.key.split("/")[1].removeprefix("source=") for listed in old}, before)
        for listed in old:
            store.delete(listed.key)
    return old


def _day(listed: Listed) -> str:
    found = PLACE.match(listed.key)
    return found["day"] if found else "9999-99-99"


def _remember(store: Store, sources: Collection[str], before: date) -> None:
    for _ in range(ATTEMPTS):
        # The version first: what is read after it is no older.
        blob = store.read(EXPIRED)
        expired = dict(Expired.of(store).before)
        expired |= {source: max(before.isoformat(), expired.get(source, "")) for source in sources}
        data = json.dumps(expired, indent=2, sort_keys=True).encode()
        if store.put(EXPIRED, data, blob.version if blob else None) is not None:
            store.sync()
            return
    raise LakeError(f"{store.url}/{EXPIRED}: is written to without pause; try again")

"""Which versions of a bucket's files hold nothing but what the ledger knows.

A run that was taken for dead may put rows after its lake was taken over, and die before it is told. The numbers of its
commits may be equal to those of the new ledger: they tell nothing. So the ledger keeps the version of every file that
it was filled from or has written itself, and what is of another version is looked at when the lake is opened.
"""

from __future__ import annotations

from collections.abc import Mapping

from storage.ledger import Ledger
from storage.merge import COPY_TREES
from storage.store import Store

TABLE = "CREATE TABLE IF NOT EXISTS seen (path TEXT PRIMARY KEY, version TEXT NOT NULL)"
ADD = "INSERT INTO seen VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET version = excluded.version"
CREATED = "INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING"
# In the place of a version that was not known, there may be rows that are not, either.
REPLACED = "UPDATE seen SET version = ? WHERE path = ? AND version = ?"


class Seen:
    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._ledger = ledger
        self._put: list[tuple[str, str | None, str]] = []
        store.on_put = self._note
        with ledger.transaction():
            ledger.execute(TABLE)

    def versions(self) -> dict[str, str]:
        return dict(self._ledger.execute("SELECT path, version FROM seen"))

    def add(self, versions: Mapping[str, str]) -> None:
        """In the caller's transaction."""
        self._ledger.execute_many(ADD, versions.items())

    def reset(self, versions: Mapping[str, str]) -> None:
        """These and no others. In the caller's transaction."""
        self._ledger.execute("DELETE FROM seen")
        self.add(versions)

    def keep(self) -> None:
        """Write down what was put since. Until then, it would be looked at once more."""
        put, self._put = self._put, []
        if put:
            with self._ledger.transaction():
                self._ledger.execute_many(CREATED, ((path, made) for path, before, made in put if before is None))
                self._ledger.execute_many(REPLACED, ((made, path, before) for path, before, made in put if before))

    def _note(self, path: str, before: str | None, made: str) -> None:
        if path.partition("/")[0] in COPY_TREES:
            self._put.append((path, before, made))

"""Which ledger a lake in a bucket goes by: two that know nothing of each other would each decide what is new.

Whoever opens the lake with another ledger takes it over: that ledger is filled from the rows, and the former one is
told at its next commit. Rows are safe either way, since no file is replaced but as the version that was read.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from storage.database import exists
from storage.errors import LakeError
from storage.ledger import Ledger, ledger_location
from storage.store import Store, open_store

KEY = "_state/ledger"


class Claim:
    def __init__(self, store: Store, identity: str) -> None:
        self._store = store
        self._identity = identity.encode()

    def is_ours(self) -> bool:
        blob = self._store.read(KEY)
        return blob is not None and blob.data == self._identity

    def take(self) -> None:
        blob = self._store.read(KEY)
        if self._store.put(KEY, self._identity, blob.version if blob else None) is None:
            raise LakeError(f"{self._store.url}: another run is taking the lake over; try again")

    def give_up(self) -> None:
        """Nobody's: what was written last may be known to no ledger, and whoever comes next looks at the rows."""
        self._store.delete(KEY)


def is_anothers(lake: Path, ledger: str = "") -> bool:
    """Whether a lake in a bucket goes by another ledger than this machine's; a run here would take it over."""
    blob, location = open_store(lake).read(KEY), ledger_location(lake, ledger)
    if blob is None or not exists(location):
        return blob is not None
    with closing(Ledger(location)) as ours:
        return blob.data != ours.identity().encode()

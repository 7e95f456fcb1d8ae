"""What can go wrong in storage. Each message is one line for a person: path, what is wrong, what to do.

StorageError
├── ArchiveError     a record that is not there, or not whole
├── LedgerError      a ledger that cannot be used
├── LakeError        a lake that cannot be read or written
│   └── NotWritable  there is none, and none can be made there; or it is not ours to write to
├── QueryError       SQL that does not run
└── LockHeld         another run is writing
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class StorageError(Exception):
    pass


class ArchiveError(StorageError):
    """Starts with the raw_ref, or the file."""


class LedgerError(StorageError):
    pass


class LakeError(StorageError):
    pass


class NotWritable(LakeError):  # noqa: N818 - what is wrong, for a person to change
    pass


class QueryError(StorageError):
    pass


class LockHeld(StorageError):  # noqa: N818 - a state of the world, not an error of anyone
    def __init__(self, lake: Path, holder: Mapping[str, str | int]) -> None:
        self.pid, self.host, self.since = holder.get("pid"), holder.get("host"), holder.get("since")
        self.brief = bool(holder.get("brief", not holder))
        """It is let go within seconds; so is one that its holder has yet to sign."""
        super().__init__(f"{lake}: another run is writing (pid {self.pid} on {self.host} since {self.since})")

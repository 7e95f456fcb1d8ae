"""One writer per lake: a lock that names its holder.

The lock itself is flock, which the kernel lets go of when the holder dies; what the file says is for the person who has
to wait, and for one case that flock gets wrong: a child that outlives its killed parent still holds the parent's lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

from storage.errors import LockHeld

ATTEMPTS = 10


class WriterLock:
    """Held from `take` to `release`."""

    def __init__(self, lake: Path, *, brief: bool = False) -> None:
        """A brief holder lets go within seconds: others may wait for it."""
        self.lake = lake
        self._brief = brief
        self.path = lake / "_state" / "lock"
        self._file = -1

    def take(self) -> None:
        """Raises LockHeld at once if a living run has it."""
        for _ in range(ATTEMPTS):
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            if self._locked(file) and self._is_current(file):
                self._file = file
                self._sign()
                return
            os.close(file)
        raise LockHeld(self.lake, _holder(self.path))

    def release(self) -> None:
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            # Closing is not enough: a child forked meanwhile has the file open as well.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *exception: object) -> None:
        self.release()

    @property
    def is_held(self) -> bool:
        return self._file >= 0

    def is_ours(self) -> bool:
        return self._file >= 0 and self._is_current(self._file)

    def _locked(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self.path)
            if not _is_dead(holder):
                os.close(file)
                raise LockHeld(self.lake, holder) from None
            self._set_aside()
            return False
        return True

    def _set_aside(self) -> None:
        """Put a fresh file in place of one that only orphans of a dead writer hold."""
        fresh = self.path.with_name(f"lock-{uuid.uuid4().hex}")
        fresh.touch()
        fresh.replace(self.path)

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self.path.stat())
        except FileNotFoundError:
            return False

    def _sign(self) -> None:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(holder | {"brief": self._brief}).encode(), 0)


def writer_of(lake: Path) -> dict[str, str | int] | None:
    """Who holds the lock, as the holder signed it; None if nobody does. Does not touch the lock."""
    holder = _holder(lake / "_state" / "lock")
    return None if not holder or _is_dead(holder) else holder


def _holder(path: Path) -> dict[str, str | int]:
    try:
        holder = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        # Between taking the lock and signing it.
        return {}
    return holder if isinstance(holder, dict) else {}


def _is_dead(holder: dict[str, str | int]) -> bool:
    """Certain only for a process of this host."""
    pid = holder.get("pid")
    if holder.get("host") != socket.gethostname() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

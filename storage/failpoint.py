"""Named places where tests make a commit fail.

`FINNEWS_FAILPOINT=kill:staged:3` dies at the third file that is staged, as under SIGKILL; `raise:decided` raises;
`fail:fsync:2` has the second fsync fail as a broken disk makes it fail; `stop:rename` goes to sleep there, until
somebody sends SIGCONT.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections import Counter
from typing import Literal, get_args

VARIABLE = "FINNEWS_FAILPOINT"

Operation = Literal["write", "fsync", "rename", "put"]
"""Each comes before every such operation; `put` is one of an object store."""
Point = Literal["journaled", "decided", "staged", "published", "added", "applied"]
"""In the order a commit meets them; `staged` and `published` once for every file, the journal's first."""
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
POINTS: tuple[Point, ...] = get_args(Point)


_passed: Counter[str] = Counter()
# Files are staged by several threads: counted by one alone, each passage has a number of its own.
_counting = threading.Lock()


class FailpointError(RuntimeError):
    pass


def failpoint(point: Point | Operation) -> None:
    asked = os.environ.get(VARIABLE)
    if not asked:
        return
    action, name, time = (*asked.split(":"), "1")[:3]
    if name != point:
        return
    with _counting:
        _passed[asked] += 1
        passed = _passed[asked]
    if passed != int(time):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        # To this thread: one sent to the process may find it a few lines further on.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    elif action == "fail":
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    else:
        raise FailpointError(point)

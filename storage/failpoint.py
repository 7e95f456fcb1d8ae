"""Named places where tests make a commit fail.

`FINNEWS_FAILPOINT=kill:staged:3` dies at the third file that is staged, as under SIGKILL; `raise:decided` raises.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Literal, get_args

VARIABLE = "FINNEWS_FAILPOINT"

Point = Literal["journaled", "decided", "staged", "published", "added", "applied"]
"""In the order a commit meets them; `staged` and `published` once for every file, the journal's first."""
POINTS: tuple[Point, ...] = get_args(Point)


_passed: Counter[str] = Counter()


class FailpointError(RuntimeError):
    pass


def failpoint(point: Point) -> None:
    asked = os.environ.get(VARIABLE)
    if not asked:
        return
    action, name, time = (*asked.split(":"), "1")[:3]
    if name != point:
        return
    _passed[asked] += 1
    if _passed[asked] != int(time):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise FailpointError(point)

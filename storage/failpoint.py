"""Named places where tests make a commit fail. `FINNEWS_FAILPOINT=kill:staged` dies there as under SIGKILL."""

from __future__ import annotations

import os
import signal
from typing import Literal, get_args

VARIABLE = "FINNEWS_FAILPOINT"

Point = Literal["journaled", "decided", "staged", "published", "added", "applied"]
"""In the order a commit meets them; `staged` and `published` once for every file."""
POINTS: tuple[Point, ...] = get_args(Point)


class FailpointError(RuntimeError):
    """Raised at `raise:<point>`, or at `<point>` alone."""


def failpoint(point: Point) -> None:
    asked = os.environ.get(VARIABLE)
    if not asked:
        return
    action, _, name = asked.rpartition(":")
    if name != point:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise FailpointError(point)

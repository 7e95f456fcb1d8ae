"""What benchmarks print: tables and lines on stdout, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

say: Callable[..., None] = partial(print, flush=True)
progress: Callable[..., None] = partial(print, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], cell: Callable[[Any], str]) -> None:
    """The first column to the left, the others to the right; `cell` writes a value."""
    cells = [[cell(value) for value in row] for row in (head, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    for row in cells:
        first, *rest = (f"{text:>{width}}" for text, width in zip(row, widths, strict=True))
        say("  ".join([row[0].ljust(widths[0]), *rest]).rstrip() if first else "")

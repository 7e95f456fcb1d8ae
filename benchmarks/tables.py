"""What benchmarks print: tables and lines on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

say: Callable[..., None] = partial(print, flush=True)
progress: Callable[..., None] = partial(print, file=sys.stderr, flush=True)


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """A type of arguments. The `choices` of argparse refuse an empty list of them."""
    known = list(names)

    def checked(name: str) -> str:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return name

    return checked


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], cell: Callable[[Any], str]) -> None:
    """The first column to the left, the others to the right; `cell` writes a value."""
    cells = [[cell(value) for value in row] for row in (head, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    for row in cells:
        first, *rest = (f"{text:>{width}}" for text, width in zip(row, widths, strict=True))
        say("  ".join([row[0].ljust(widths[0]), *rest]).rstrip() if first else "")

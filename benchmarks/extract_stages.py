"""Where extraction spends its time: CPU seconds of each step, without those of the steps it calls.

The steps are functions that articles.extract calls by name. They are wrapped for the time of the measurement; one that
has been renamed is an error here, not a gap in the table.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from articles import extract as extraction
from articles import locate
from articles.records import Page
from articles.source import Source

# Step → module and names of its functions.
STEPS: dict[str, tuple[tuple[ModuleType, str], ...]] = {
    "decode": ((extraction, "decode"),),
    "parse": ((extraction, "_parse"),),
    "locate": (
        (extraction, "cut_around"),
        *((locate, name) for name in ("containers", "mark_noise", "vote", "choose")),
    ),
    "canonicalise": ((extraction, "read_runs"), (extraction, "canonical")),
    "trafilatura": ((extraction, "_through_trafilatura"), (extraction, "_trafilatura")),
    "wrapper lines": ((extraction, "strip_wrapper"), (extraction, "join_unfinished")),
    "fields": tuple(
        (extraction, name) for name in ("read_head", "find_headline", "scene_of", "read_fields", "images_of")
    ),
    "row": ((extraction, "_outcome"),),
}
REST = "all else"


class Clock:
    """Time by step; of nested steps, each has its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys((*STEPS, REST), 0.0)
        self._inner = [0.0]

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*positional: Any, **named: Any) -> Any:  # noqa: ANN401 - any function's
            self._inner.append(0.0)
            began = time.process_time()
            try:
                return function(*positional, **named)
            finally:
                took = time.process_time() - began
                self.seconds[step] += took - self._inner.pop()
                self._inner[-1] += took

        return run


def step_seconds(pages: Sequence[tuple[Page, Source]]) -> dict[str, float]:
    """CPU seconds of each step over one reading of all pages."""
    clock = Clock()
    gc.collect()
    gc.freeze()
    with _wrapped(clock):
        read = clock.timed(REST, extraction.extract)
        for page, source in pages:
            read(page, source)
    return clock.seconds


@contextmanager
def _wrapped(clock: Clock) -> Iterator[None]:
    functions = [(module, name, getattr(module, name)) for names in STEPS.values() for module, name in names]
    try:
        for step, names in STEPS.items():
            for module, name in names:
                setattr(module, name, clock.timed(step, getattr(module, name)))
        yield
    finally:
        for module, name, function in functions:
            setattr(module, name, function)

"""What a writer is measured by, whichever store it writes to. Imports nothing but the standard library."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

PEAKS = (50_000, 100_000, 150_000, 200_000)

T = TypeVar("T")


@dataclass(slots=True)
class Meter:
    """Time and bytes of writing alone: what comes before a batch is handed over is not counted."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of all threads: what a busy machine does not distort."""
    articles: int = 0
    batches: int = 0
    written_bytes: int = 0
    limit_seconds: float = float("inf")
    began_mb: float = field(default_factory=lambda: _peak_mb())
    peaks: dict[int, float] = field(default_factory=dict)
    """Megabytes after so many articles, at each of PEAKS."""

    def batch(self, articles: int) -> _Batch:
        return _Batch(self, articles)

    def until_late(self, batches: Iterable[T]) -> Iterator[T]:
        """As many as there is time for."""
        for batch in batches:
            if self.seconds > self.limit_seconds:
                return
            yield batch

    def report(self, folder: Path, **more: Any) -> None:  # noqa: ANN401
        files = [path for path in folder.rglob("*") if path.is_file()]
        print(
            json.dumps(
                {
                    "seconds": self.seconds,
                    "cpu_seconds": self.cpu_seconds,
                    "articles": self.articles,
                    "batches": self.batches,
                    "written_bytes": self.written_bytes,
                    "files": len(files),
                    "bytes": sum(path.stat().st_size for path in files),
                    "peak_mb": _peak_mb(),
                    "began_mb": self.began_mb,
                    "peaks": self.peaks or {self.articles: _peak_mb()},
                    **more,
                }
            )
        )


class _Batch:
    def __init__(self, meter: Meter, articles: int) -> None:
        self._meter, self._articles = meter, articles

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time(), written_bytes()

    def __exit__(self, *_: object) -> None:
        self._meter.seconds += time.perf_counter() - self._began[0]
        self._meter.cpu_seconds += time.process_time() - self._began[1]
        self._meter.written_bytes += written_bytes() - self._began[2]
        self._meter.articles += self._articles
        self._meter.batches += 1
        self._meter.peaks |= {
            peak: _peak_mb() for peak in PEAKS if peak <= self._meter.articles and peak not in self._meter.peaks
        }


def written_bytes() -> int:
    """All that this process has handed to write(), whether or not it has reached the disk."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("wchar")))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

"""Backfill of a web archive, end to end to committed partitions, beside two ways it is done elsewhere.

    python -m benchmarks.backfill --pages 50000 --peer-pages 3000 --folder /var/tmp/bench    # about 20 min on two cores
    python -m benchmarks.backfill --pages 5000 --peer-pages 500

The archive is generated (benchmarks.backfill_archive): invented articles in the mark-up of three described sites and an
unknown one, sixty kilobytes a page. Ours reads it, extracts, finds duplicates, archives the raw pages and commits
Parquet. The peers do less: (a) trafilatura's own command line turns pages in a folder into JSON files; (b) a Scrapy
spider asks a server on loopback for them and a pipeline with trafilatura writes JSON lines. They get a sample of the
pages, since pages a second do not depend on how many there are. All take turns, round after round, so that whatever
else the machine does, it does to all; the best round of each counts. CPU seconds are those of all processes. Memory is
told on the way, too: it is to be flat. With --folder the archive is kept there for the next time.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psutil

from benchmarks.backfill_archive import web_pages, write_archive
from benchmarks.backfill_memory import committed

ROOT = Path(__file__).parents[1]
GOALS = {"trafilatura": 6.0, "scrapy": 4.0, "dask": 0.85}
SAMPLE_SECONDS = 0.1
# Parts of all pages after which memory is told.
MARKS = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Measured:
    pages: int
    seconds: float
    cpu_seconds: float
    """Of the process and all below it."""
    peak_mib: float
    """The largest process; all of them together at once are at most so many times it."""
    marks: tuple[str, ...] = ()
    """Memory on the way."""

    @property
    def pages_a_second(self) -> float:
        return self.pages / self.seconds


def main() -> int:
    options = _options()
    cores = sorted(os.sched_getaffinity(0))
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-backfill-", dir=options.folder) as scratch:
        folder = Path(scratch)
        archive = _archive(options.folder or folder, options.pages)
        size = _write_sample(folder / "sample", options.peer_pages)
        _say(
            f"{options.pages:,} pages of {size / options.peer_pages / 1024:.0f} KiB in"
            f" {archive.stat().st_size >> 20} MiB; peers: {options.peer_pages} of them; {platform.machine()},"
            f" {len(cores)} cores, load {os.getloadavg()[0]:.1f}"
        )
        runs = _runs(folder, archive, options.pages, options.peer_pages, cores)
        found: dict[str, list[Measured]] = {}
        for number in range(options.rounds):
            for name, run in runs.items():
                measured = run()
                found.setdefault(name, []).append(measured)
                _say(_line(f"round {number + 1}: {name}", measured))
                for mark in measured.marks:
                    _say(f"    {mark}")
    best = {name: max(measured, key=lambda each: each.pages_a_second) for name, measured in found.items()}
    return _verdict(best, len(cores))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=50_000)
    parser.add_argument("--peer-pages", type=int, default=3_000, help="how many of them the peers get")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--folder", type=lambda path: Path(path).resolve(), help="where the archive and the lakes are made"
    )
    return parser.parse_args()


def _runs(folder: Path, archive: Path, pages: int, sample: int, cores: list[int]) -> dict[str, Callable[[], Measured]]:
    def ours(workers: int, *options: str) -> Callable[[], Measured]:
        def run() -> Measured:
            lake = folder / "lake"
            shutil.rmtree(lake, ignore_errors=True)
            command = [sys.executable, "-m", "flows.cli", "backfill", "--from", str(archive), "--lake", str(lake)]
            settings = {"FINNEWS_WORKERS": str(workers), "PYTHONPATH": str(ROOT)}
            return _measure([*command, "--quiet", *options], pages, cores[:workers], settings, lake)

        return run

    def trafilatura() -> Measured:
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        command = [str(Path(sys.executable).with_name("trafilatura")), "--input-dir", str(folder / "sample")]
        options = ["--parallel", str(len(cores)), "--json", "--with-metadata", "-o", str(out)]
        return _measure([*command, *options], sample, cores)

    def scrapy() -> Measured:
        command = [
            sys.executable,
            "-m",
            "benchmarks.backfill_scrapy",
            str(folder / "sample"),
            str(folder / "out.jsonl"),
        ]
        return _measure(command, sample, cores, {"PYTHONPATH": str(ROOT)})

    several = {f"finnews, {len(cores)} cores": ours(len(cores)), "finnews, 1 core": ours(1)}
    if len(cores) == 1:
        del several["finnews, 1 core"]
    return {
        **several,
        f"finnews, Dask, {len(cores)} workers": ours(len(cores), "--runner", "dask"),
        f"trafilatura --parallel {len(cores)}": trafilatura,
        "Scrapy and trafilatura": scrapy,
    }


def _archive(folder: Path, pages: int) -> Path:
    """Made if it is not there from the last time; it takes 2 to 3 ms a page."""
    archive = folder / f"pages-{pages}.warc.gz"
    if not archive.exists():
        half = archive.with_name(f"half-{archive.name}")
        write_archive(half, pages)
        half.replace(archive)
    return archive


def _write_sample(folder: Path, count: int) -> int:
    """The first pages of the archive as files; gives their bytes."""
    folder.mkdir()
    sizes = (
        (folder / f"{number:06d}.html").write_bytes(page.body)
        for number, page in enumerate(islice(web_pages(count), count))
    )
    return sum(sizes)


def _measure(
    command: list[str],
    pages: int,
    cores: list[int],
    settings: Mapping[str, str] | None = None,
    lake: Path | None = None,
) -> Measured:
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(settings or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    watched = _Watched(process.pid, pages, lake)
    watcher = threading.Thread(target=watched.watch, daemon=True)
    watcher.start()
    _, words = process.communicate()
    seconds = time.monotonic() - started
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{words.decode()[-2000:]}")
    return Measured(pages, seconds, watched.cpu_seconds, watched.peak_bytes / 2**20, tuple(watched.marks()))


class _Watched:
    """A process and all below it, looked at until it ends; what one has used since the last look is lost."""

    def __init__(self, pid: int, pages: int, lake: Path | None) -> None:
        self._process = psutil.Process(pid)
        self._pages = pages
        self._lake = lake
        self._cpu: dict[int, float] = {}
        self._looks: list[tuple[int, int, int]] = []
        """Pages that were committed, bytes of the process that commits, of the largest below it."""
        self.peak_bytes = 0

    def watch(self) -> None:
        looked_at, pages = 0.0, 0
        while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            first, *rest = [self._look(each) for each in self._all()] or [0]
            self.peak_bytes = max(self.peak_bytes, first, *rest)
            if self._lake is not None and time.monotonic() - looked_at > 1:
                looked_at, pages = time.monotonic(), committed(self._lake)
            self._looks.append((pages, first, max(rest, default=0)))
            time.sleep(SAMPLE_SECONDS)

    def marks(self) -> Iterator[str]:
        """The most that was seen until each part of the pages was committed, since the part before it."""
        before = 0.0
        for mark in MARKS if self._lake is not None else ():
            looks = [look for look in self._looks if before <= look[0] / self._pages <= mark]
            before = mark
            if looks:
                peaks = [max(look[at] for look in looks) >> 20 for at in (1, 2)]
                yield f"to page {int(mark * self._pages):,}: {peaks[0]} MiB commits, {peaks[1]} MiB the largest other"

    @property
    def cpu_seconds(self) -> float:
        return sum(self._cpu.values())

    def _look(self, process: psutil.Process) -> int:
        try:
            times, memory = process.cpu_times(), process.memory_info()
        except psutil.Error:
            return 0
        self._cpu[process.pid] = times.user + times.system
        return int(memory.rss)

    def _all(self) -> Iterator[psutil.Process]:
        try:
            yield self._process
            yield from self._process.children(recursive=True)
        except psutil.Error:
            return


def _verdict(best: Mapping[str, Measured], cores: int) -> int:
    ours = best[f"finnews, {cores} cores"]
    ratios = {
        "trafilatura": (ours, best[f"trafilatura --parallel {cores}"]),
        "scrapy": (ours, best["Scrapy and trafilatura"]),
        "dask": (best[f"finnews, Dask, {cores} workers"], ours),
    }
    _say("\nbest of each:")
    for name, measured in best.items():
        _say(_line(name, measured))
    reached = True
    for name, (one, other) in ratios.items():
        ratio, cpu = one.pages_a_second / other.pages_a_second, _cpu_ms(other) / _cpu_ms(one)
        reached &= ratio >= GOALS[name]
        _say(f"{name}: {ratio:.2f} times its pages a second (goal {GOALS[name]:g}); of CPU time {cpu:.2f}")
    return 0 if reached else 1


def _cpu_ms(measured: Measured) -> float:
    return 1000 * measured.cpu_seconds / measured.pages


def _line(name: str, measured: Measured) -> str:
    return (
        f"{name:<34} {measured.pages_a_second:8.1f} pages/s  {_cpu_ms(measured):6.1f} ms CPU/page"
        f"  {measured.seconds:7.1f} s  peak {measured.peak_mib:4.0f} MiB a process  load {os.getloadavg()[0]:.1f}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

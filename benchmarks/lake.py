"""The lake beside other stores, in one run: `python -m benchmarks.lake` (`make bench-lake`).

    small      a live pass: batches of 50, some of them seen before, some revised. Every commit durable
    bulk       a history, as archives come
    queries    the usual questions to that history, with DuckDB and Polars
    tiny       commits of one article each, and what they cost readers
    readers    consumers that glob the plain files while a writer runs flat out: what they see that is not so

Every writer is a process of its own and is fed the same invented articles from one file; its own time alone is counted.
The others run in .bench/lake-venv. Ours decides about exact and near duplicates as well, where a merge compares ids;
what each does beside writing is printed with its figures. Wall time is that of a machine that may be busy, so the load
and CPU time are printed as well. The whole of it takes a quarter of an hour, if nothing else runs. Ends with 1 if a
goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.lake_feed import batches_of
from benchmarks.lake_queries import NAMES, best_of
from benchmarks.lake_readers import with_duckdb, with_polars
from benchmarks.lake_rows import write_bulk, write_small
from benchmarks.peers import install_peers, peer_python
from benchmarks.tables import one_of, progress, say, table
from storage.compact import compact
from storage.lake import WRITERS, Lake
from storage.pack import pack
from storage.store import open_store

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench" / "lake"
OLD = FOLDER / "old"
OURS = "finnews"
# What of it is storing, when all is decided: the same work that bare write_dataset does, made durable.
ROWS_ALONE = "finnews, rows alone"
# What a store has to do to be compared with: be transactional, and store each article once.
DEDUPLICATING = ("delta merge", "iceberg upsert", "dlt merge")
SMALL = ("write_dataset", "write_dataset, rewritten", "delta append", *DEDUPLICATING)
# From articles to files, as ours; and from tables that somebody else has made.
BARE, SYNCED, OF_TABLES = "write_dataset", "write_dataset, synced", "write_dataset, of tables"
LAYOUTS = (BARE, "delta append", "iceberg upsert")
BULK = (BARE, SYNCED, OF_TABLES, *LAYOUTS[1:])
# What a bulk load does for its articles beside writing them to files by source and day. Hashes are given to all.
SERVICES = {
    OURS: "journal; exact and near duplicates, revisions, elections; ledger; fsync",
    ROWS_ALONE: "canonical order, checksums, dictionaries and statistics by column, files replaced in one step; fsync",
    BARE: "nothing: files appear before they are whole, and a second run writes them again",
    SYNCED: "fsync of files and folders",
    OF_TABLES: "nothing, and it is given tables",
    "delta append": "transaction log",
    "iceberg upsert": "manifests and catalogue (appending)",
}
OUR_LAYOUTS = ("finnews, paths", "finnews, packs", "finnews, glob")
# Where a consumer who knows of no table format would look.
GLOBS = {
    OURS: "articles/**/*.parquet",
    "write_dataset, rewritten": "**/*.parquet",
    "delta merge": "source=*/**/*.parquet",
    "iceberg upsert": "warehouse/**/*.parquet",
}
SMALL_TIMES, BULK_TIMES, LOUD_SHARE = 3.0, 0.9, 0.005
SOURCES, DAYS = 30, 365
TINY_COMMITS = 1_000

Row = dict[str, Any]


def main() -> int:
    options = parsed()
    shape = (
        {"batches": 20, "articles": 4_000, "sources": 6, "days": 60}
        if options.quick
        else {
            "batches": 200,
            "articles": 200_000,
            "sources": SOURCES,
            "days": DAYS,
        }
    )
    if options.articles:
        shape |= {"articles": options.articles, "days": max(1, options.articles * DAYS // 200_000)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not options.ours_only:
        for name, reason in install_peers("lake").items():
            say(f"{name}: not installed: {reason}")
    missed: list[str] = []
    for part in options.parts or PARTS:
        say(f"\n{part}  (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
        missed += PARTS[part](shape, options)
    shutil.rmtree(OLD, ignore_errors=True)
    say("\nevery goal met" if not missed else "\ngoals missed: " + "; ".join(missed))
    return 1 if missed else 0


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def small(shape: dict[str, int], options: argparse.Namespace) -> list[str]:
    found = _measured("small", _pass(shape), SMALL, options)
    _table_of_writers(found, "articles/s", {name: each["articles"] / each["seconds"] for name, each in found.items()})
    peers = [found[name] for name in DEDUPLICATING if name in found]
    if not peers:
        return []
    times, by_cpu = (
        found[OURS]["articles"] / found[OURS][what] / max(peer["articles"] / peer[what] for peer in peers)
        for what in ("seconds", "cpu_seconds")
    )
    say(f"{times:.1f} times the fastest that deduplicates (goal >= {SMALL_TIMES:g}); by CPU time {by_cpu:.1f}")
    return [] if times >= SMALL_TIMES else [f"small commits {SMALL_TIMES:g} times the fastest (it is {times:.1f})"]


def _pass(shape: dict[str, int]) -> Path:
    rows = FOLDER / f"small-{shape['batches']}.parquet"
    if not rows.exists():
        write_small(rows, batches=shape["batches"], size=50, sources=shape["sources"])
    return rows


def bulk(shape: dict[str, int], options: argparse.Namespace) -> list[str]:
    found = _measured("bulk", _history(shape), BULK, options)
    _table_of_writers(found, "articles/s", {name: each["articles"] / each["seconds"] for name, each in found.items()})
    for name, each in found.items():
        peaks = ", ".join(f"{int(count):,}: {mb:.0f}" for count, mb in each["peaks"].items())
        say(f"{name}: {SERVICES[name]}. MB peak at {peaks}")
    if BARE not in found:
        return []
    for peer in (BARE, OF_TABLES, SYNCED):
        for ours in (ROWS_ALONE, OURS):
            wall, cpu = (_ratio(found[ours], found[peer], what) for what in ("seconds", "cpu_seconds"))
            say(f"{ours}: {wall:.2f} of {peer}; by CPU time {cpu:.2f}")
    storing = _ratio(found[ROWS_ALONE], found[BARE], "seconds")
    return [] if storing >= BULK_TIMES else [f"storing {BULK_TIMES:g} of bare write_dataset (it is {storing:.2f})"]


def _ratio(ours: Row, peer: Row, seconds: str) -> float:
    return float(ours["articles"] / ours[seconds] / (peer["articles"] / peer[seconds]))


def _history(shape: dict[str, int]) -> Path:
    rows = FOLDER / f"bulk-{shape['articles']}.parquet"
    if not rows.exists():
        progress(f"inventing {shape['articles']} articles")
        write_bulk(rows, articles=shape["articles"], sources=shape["sources"], days=shape["days"])
    return rows


def _measured(task: str, rows: Path, peers: Iterable[str], options: argparse.Namespace) -> dict[str, Row]:
    found = {}
    ours = (OURS, ROWS_ALONE) if task == "bulk" else (OURS,)
    for name in (*ours, *(() if options.ours_only else peers)):
        progress(f"{task}: {name}")
        with suppress(subprocess.CalledProcessError):
            found[name] = _write(name, task, rows, _limit_seconds(name, task, options))
    return found


def _limit_seconds(name: str, task: str, options: argparse.Namespace) -> float:
    """What writes the history that is asked later, writes all of it."""
    if task == "bulk":
        return float(options.bulk_seconds) if name == OURS else float("inf")
    return float(options.seconds)


def _write(name: str, task: str, rows: Path, limit_seconds: float) -> Row:
    done = subprocess.run(
        _command(name, task, rows, limit_seconds), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=_env()
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _command(name: str, task: str, rows: Path, limit_seconds: float) -> list[str]:
    folder = _folder(name, task)
    _set_aside(folder)
    folder.mkdir(parents=True)
    asked = [task, str(folder), str(rows), str(limit_seconds)]
    if name in (OURS, ROWS_ALONE):
        asked[0] = task if name == OURS else "rows"
        return [sys.executable, "-m", "benchmarks.lake_ours", *asked]
    return [str(peer_python("lake")), str(ROOT / "benchmarks/lake_peers.py"), name, *asked]


def _set_aside(folder: Path) -> None:
    """ext4 looks for an inode that was not given up just now: after ten thousand files are deleted, making others takes
    half as long again, for minutes. What is old goes when all is measured."""
    if folder.exists():
        OLD.mkdir(exist_ok=True)
        folder.rename(OLD / uuid.uuid4().hex)


def _folder(name: str, task: str) -> Path:
    return FOLDER / task / name.replace(", ", "-").replace(" ", "-")


def _table_of_writers(found: dict[str, Row], speed: str, speeds: dict[str, float]) -> None:
    rows = [
        (
            name,
            speeds[name],
            speeds[OURS] / speeds[name],
            each["cpu_seconds"] / each["articles"] * 1000,
            each["articles"],
            each["written_bytes"] / each["bytes"],
            each["files"],
            each["bytes"] / each["distinct"],
            each["began_mb"],
            each["peak_mb"],
        )
        for name, each in found.items()
    ]
    columns = (
        "",
        speed,
        "ours is × this",
        "CPU ms each",
        "articles",
        "written/kept",
        "files",
        "bytes/article",
        "MB before",
        "MB peak",
    )
    _table(columns, rows)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def queries(shape: dict[str, int], options: argparse.Namespace) -> list[str]:
    folder = _folder(ROWS_ALONE, "bulk")
    if not (folder / "articles").is_dir():
        say("no bulk run to ask: run the part bulk first")
        return []
    if not options.no_compact:
        progress("sealing")
        with ThreadPoolExecutor(WRITERS) as writers:
            list(compact(open_store(folder), date.max, writers=writers))
    progress("packing")
    pack(folder)
    found: dict[str, dict[str, Row]] = {}
    for layout in (*OUR_LAYOUTS, *(() if options.ours_only else LAYOUTS)):
        name = ROWS_ALONE if layout in OUR_LAYOUTS else layout
        if not any(_folder(name, "bulk").glob("*")):
            continue
        progress(f"queries: {layout}")
        python = sys.executable if name == ROWS_ALONE else str(peer_python("lake"))
        asked = [layout, str(_folder(name, "bulk")), str(shape["sources"]), str(shape["days"]), str(options.rounds)]
        command = [python, str(ROOT / "benchmarks/lake_queries.py"), *asked]
        found[layout] = _answers(command, options.query_seconds)
    return _table_of_queries(found)


def _answers(command: list[str], limit_seconds: float) -> dict[str, Row]:
    """Of as many queries as there was time for."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=_env()) as asked:
        with suppress(subprocess.TimeoutExpired):
            asked.wait(limit_seconds)
        asked.kill()
        lines = asked.communicate()[0].splitlines()
    return dict(json.loads(lines[-1])) if lines else {}


def _table_of_queries(found: dict[str, dict[str, Row]]) -> list[str]:
    """Milliseconds; - where time was up. A goal is missed if neither paths nor packs are as fast as the best peer."""
    missed = []
    rows = []
    for query in NAMES:
        for engine in ("duckdb", "polars"):
            times = {layout: answers.get(query, {}).get(engine) for layout, answers in found.items()}
            best_of_ours = min((ms for layout, ms in times.items() if ms and layout in OUR_LAYOUTS[:2]), default=None)
            best_peer = min((ms for layout, ms in times.items() if ms and layout not in OUR_LAYOUTS), default=None)
            ratio = best_peer / best_of_ours if best_peer and best_of_ours else None
            rows.append((f"{query}, {engine}", *times.values(), ratio))
            if ratio and ratio < 1:
                missed.append(f"{query} with {engine} as fast as the best peer (it is {ratio:.2f})")
    _table(("ms", *found, "best peer / ours"), rows)
    return missed


def readers(shape: dict[str, int], options: argparse.Namespace) -> list[str]:
    progress("inventing the articles of a long pass")
    rows = _pass(shape | {"batches": shape["batches"] * 5})
    found = []
    missed = []
    for name, glob in GLOBS.items():
        if options.ours_only and name != OURS:
            continue
        progress(f"readers: {name}")
        for engine, seen in _watched(name, glob, rows, 5.0 if options.quick else options.reader_seconds).items():
            reads = max(1, seen["reads"])
            silent = [seen[what] / reads for what in ("duplicates", "missing", "torn")]
            found.append((f"{name}, {engine}", seen["reads"], *silent, seen["errors"] / reads))
            if name == OURS and (any(silent) or seen["errors"] / reads > LOUD_SHARE):
                missed.append(f"readers are right beside a writer ({engine}: {seen})")
    _table(("share of reads with", "reads", "duplicates", "missing", "torn", "errors"), found)
    return missed


def _watched(name: str, glob: str, rows: Path, seconds: float) -> dict[str, Row]:
    """A writer flat out, and a reader with each engine, for so long."""
    folder = _folder(name, "flat-out")
    committed, stop = folder.with_name(f"{folder.name}.committed"), folder.with_name(f"{folder.name}.stop")
    for old in (committed, stop):
        old.unlink(missing_ok=True)
    writer = subprocess.Popen(
        _command(name, "flat-out", rows, seconds), cwd=ROOT, stdout=subprocess.DEVNULL, env=_env(), text=True
    )
    script = str(ROOT / "benchmarks/lake_readers.py")
    watching = {
        engine: subprocess.Popen(
            [sys.executable, script, engine, f"{folder}/{glob}", str(committed), str(stop)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for engine in ("duckdb", "polars")
    }
    deadline = time.monotonic() + seconds * 3 + 60
    while writer.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.touch()
    writer.kill()
    writer.wait()
    seen = {engine: json.loads(reader.communicate()[0]) for engine, reader in watching.items()}
    for engine, each in seen.items():
        for message, count in each["messages"]:
            progress(f"  {name}, {engine}: {count} × {message}")
    return seen


def tiny(shape: dict[str, int], options: argparse.Namespace) -> list[str]:
    """Commits of one article each: what readers pay for the row groups until the day is sealed."""
    folder = _folder(OURS, "tiny")
    _set_aside(folder)
    commits = 100 if options.quick else TINY_COMMITS
    began, cpu_began = time.perf_counter(), time.process_time()
    with Lake.open(folder) as lake:
        for article in islice(chain.from_iterable(batches_of(_pass(shape))), commits):
            lake.commit([article], run_id="tiny")
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    each_ms, each_cpu_ms = (spent / commits * 1000 for spent in (seconds, cpu_seconds))
    say(f"{commits:,} commits of one article: {each_ms:.1f} ms each, {each_cpu_ms:.1f} CPU")
    rows = [("as written", *_read_tiny(folder))]
    list(compact(open_store(folder), date.max))
    rows.append(("sealed", *_read_tiny(folder)))
    _table(("reading all of them", "files", "row groups in one", "KB in one", "DuckDB ms", "Polars ms"), rows)
    return []


def _read_tiny(folder: Path) -> tuple[float, ...]:
    files = list((folder / "articles").rglob("*.parquet"))
    groups = max(pq.read_metadata(file).num_row_groups for file in files)
    kilobytes = sum(file.stat().st_size for file in files) / len(files) / 1000
    glob = f"{folder}/{GLOBS[OURS]}"
    times = (best_of(partial(read, glob), 3) for read in (with_duckdb, with_polars))
    return len(files), groups, kilobytes, *times


# ── odds and ends ────────────────────────────────────────────────────────────────────────────────────────────────────

PARTS: dict[str, Callable[[dict[str, int], argparse.Namespace], list[str]]] = {
    "small": small,
    "bulk": bulk,
    "queries": queries,
    "readers": readers,
    "tiny": tiny,
}


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table(head, rows, _cell)


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a table holds
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts", nargs="*", type=one_of(PARTS), metavar="PART", help=f"{', '.join(PARTS)}; all, if none is named"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--articles", type=int, metavar="N", help="bulk: so many, over as many days less")
    parser.add_argument("--ours-only", action="store_true", help="without the other stores")
    parser.add_argument("--no-compact", action="store_true", help="queries: on files as they were written")
    parser.add_argument("--seconds", type=float, default=40, help="longest that one store writes; then its rate counts")
    parser.add_argument("--bulk-seconds", type=float, default=120, help="longest that ours decides in the part bulk")
    parser.add_argument("--reader-seconds", type=float, default=20, help="writing beside which readers look")
    parser.add_argument("--query-seconds", type=float, default=120, help="longest that one layout is asked")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each query; the best counts")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

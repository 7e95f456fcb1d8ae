"""The commands under torture: each is killed, with a reader beside it, and given again until it ends.

    python -m tests.flows.torture_commands --kills 200 --bucket-kills 16        (part of make torture)

ingest ──▶ backfill ──▶ revisions ──▶ an election ──▶ compact ──▶ reextract, twice ──▶ damage ──▶ verify --repair

What has to be there after each is what an undisturbed run leaves. Commands run in forked children, by the command line,
with one exception: pages are read in that child, and not in a pool of processes, which takes longer to start than all
the rest. The crawl is the child process that it always is.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from articles.extract import extract
from articles.records import Page, Rejected
from articles.source import UNKNOWN, Source
from flows.cli import run
from flows.core import rereading, runs
from flows.core.extraction import Document, Extracted, Finished, finished, record_of
from flows.settings import Settings
from storage.archive import PageArchive
from storage.failpoint import OPERATIONS, POINTS, VARIABLE
from storage.partitions import decode, files
from storage.schema import TREES
from storage.store import home_of, is_remote, open_store
from tests.flows.acme import BETTER_RULES, FIRST_RULES, RULES, page
from tests.storage.torture import FORK, Result, Seen, reader_beside

LIST = """
[[list]]
kind = "json"
url = "http://acme.example/list"
items = "data"
fields = { url = "url", title = "title", published = "time" }

[rate]
delay_seconds = 0
"""
PLAIN_RULES = RULES + 'published = ["div.info"]\n'
OTHER = BETTER_RULES.replace('"acme"', '"third"').replace("acme.example", "third.example")
LISTED, KEPT, COPIED, REVISED = range(8), range(8, 30), range(8, 12), (1, 9, 10, 20)
# Of a run, and where it put the page.
OWN = ("ingest_seq", "first_seen_at", "fetched_at", "raw_ref", "run_id")
BATCH = 6
# A kill that comes too late is none: so often it is tried to hit a command.
TRIES = 4
RESTARTS = 60
SECONDS = 300
HERE_POINTS = [point for point in (*OPERATIONS, *POINTS) if point != "put"]

Rows = dict[tuple[str, ...], dict[str, Any]]


# The work


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    words: tuple[str, ...]
    before: Callable[[Lake], None] | None = None
    """What happens to the lake or to the rules before it is given."""
    moves: bool = False
    """Rows go to another day, and are seen on both until that is done."""


@dataclass(frozen=True, slots=True)
class Lake:
    """One lake, and what commands need beside it."""

    url: str
    folder: Path
    """For its state, if it is in a bucket, and its source files."""
    kit: Kit

    @property
    def here(self) -> bool:
        return not is_remote(self.url)

    @property
    def home(self) -> Path:
        return Path(self.url) if self.here else self.folder / "home"

    def words(self, command: Command) -> list[str]:
        given = [word.format(kit=self.kit.folder) for word in command.words]
        rules = [] if command.name == "compact" else ["--sources", str(self.folder / "sources")]
        return [*given, "--lake", self.url, *rules]

    def environment(self, failpoint: str) -> dict[str, str]:
        return {
            **self.kit.environment,
            VARIABLE: failpoint,
            "FINNEWS_CONNECT_TO": json.dumps({"*": self.kit.site}),
            "FINNEWS_STATE": "" if self.here else str(self.home),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }


@dataclass(slots=True)
class Kit:
    """What all lakes share: the site, the archives, where a bucket is."""

    folder: Path
    site: str
    environment: dict[str, str] = field(default_factory=dict)


def write_archives(folder: Path) -> None:
    copies = [elsewhere(page(n, day=6, minutes=40)) for n in COPIED]
    revised = [page(n, minutes=60, told="此前的数字有误，现已更正。") for n in REVISED]
    # Published a day before what was first until now.
    earlier = [elsewhere(page(n, day=3, minutes=80)) for n in (12, 13, 14)]
    pages = {"base": [*(page(n) for n in KEPT), *copies], "revisions": revised, "earlier": earlier}
    for name, written in pages.items():
        with PageArchive(folder / name) as archive:
            for each in written:
                archive.append(each)


def elsewhere(one: Page) -> Page:
    url = one.url.replace("acme.example", "third.example")
    return replace(one, source="third", url=url, final_url=url)


def rules(lake: Lake, text: str = PLAIN_RULES) -> None:
    folder = lake.folder / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acme.toml").write_text(text + LIST, encoding="utf-8")
    (folder / "third.toml").write_text(OTHER, encoding="utf-8")


def damage(lake: Lake) -> None:
    """A partition is cut in half."""
    store = open_store(lake.url)
    [key] = [file.key for partition, file in files(store, "articles", ["acme"]) if partition.day == "2024-03-05"]
    blob = store.read(key)
    assert blob and store.put(key, blob.data[: len(blob.data) // 2], blob.version)


COMMANDS = (
    Command("ingest", ("ingest", "acme")),
    Command("backfill", ("backfill", "--from", "{kit}/base")),
    Command("revision", ("backfill", "--from", "{kit}/revisions")),
    Command("election", ("backfill", "--from", "{kit}/earlier")),
    Command("compact", ("compact", "--older-than", "0")),
    Command("reextract", ("reextract",), partial(rules, text=BETTER_RULES)),
    Command("other days", ("reextract",), partial(rules, text=FIRST_RULES), moves=True),
    Command("repair", ("verify", "--repair"), damage),
)
# Without a crawl, which takes as long as all the others.
QUICK = [
    command for command in COMMANDS if command.name in ("backfill", "revision", "election", "other days", "repair")
]


class InThisProcess:
    """In place of a pool of extracting processes."""

    def __init__(self, sources: Mapping[str, Source], settings: Settings) -> None:
        del settings
        self._sources = sources

    def __enter__(self) -> InThisProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, documents: Iterable[Document]) -> Iterator[tuple[Document, Extracted]]:
        for each in documents:
            known = isinstance(each, Rejected)
            yield each, each if known else extract(each, self._sources.get(each.source, UNKNOWN))

    def run_archive(self, documents: Iterable[Document]) -> Iterator[Finished]:
        return (finished(each, result, record_of(each)) for each, result in self.run(documents))


def small_steps() -> None:
    """What makes commands quick, in the child that runs one."""
    runs.BATCH = BATCH
    runs.open_extractors = rereading.open_extractors = InThisProcess  # type: ignore[assignment,misc]


def given(
    lake: Lake, command: Command, failpoint: str = "", *, before: Callable[[], None] = small_steps
) -> multiprocessing.Process:
    """The command, in a process of its own that can be killed."""

    def work() -> None:
        os.setsid()
        os.environ.update({name: value for name, value in lake.environment(failpoint).items() if value})
        with (lake.folder / "said").open("ab") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        before()
        sys.exit(run(lake.words(command)))

    return started(work)


def started(work: Callable[[], object]) -> multiprocessing.Process:
    child = FORK.Process(target=work)
    child.start()
    return child


def ended(child: multiprocessing.Process, lake: Lake) -> None:
    child.join(SECONDS)
    assert child.exitcode == 0, f"ended with {child.exitcode}: {(lake.folder / 'said').read_text()[-2000:]}"


def prepared(lake: Lake, command: Command) -> None:
    """In a child: who has spoken to a bucket can no longer be forked."""
    if command.before:
        child = started(partial(_with_environment, lake, partial(command.before, lake)))
        child.join(SECONDS)
        assert child.exitcode == 0


def _with_environment(lake: Lake, work: Callable[[], object]) -> None:
    os.environ.update({name: value for name, value in lake.environment("").items() if value})
    work()


def killed(child: multiprocessing.Process, *, alone: bool) -> bool:
    """With its crawl, as by a machine that goes down, or alone. Tells whether it was still at work."""
    crawls = [] if alone or child.pid is None else _children(child.pid)
    child.kill()
    child.join()
    for pid in crawls:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return child.exitcode == -signal.SIGKILL


def _children(pid: int) -> list[int]:
    """Crawls lead a group of their own; what shares the group of their parent is none."""
    found = [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]
    return [each for each in found if os.getpgid(each) == each]


# What is there


def rows(lake: Lake) -> Rows:
    """Every row by its key, without what is of a run alone; read by a child. A key that is there twice has `twice`."""
    answer = lake.folder / "rows.pickle"

    def read() -> None:
        found: Rows = {}
        store = open_store(lake.url)
        for tree in TREES:
            for partition, file in files(store, tree):
                blob = store.read(file.key)
                for row in decode(blob.data, file.key).to_pylist() if blob else ():
                    named = (row["source"], row["url"]) if tree == "quarantine" else (row["article_id"],)
                    key = (tree, partition.owner, *named, str(row.get("revision", "")))
                    said = {name: value for name, value in row.items() if name not in OWN}
                    found[key] = {**said, "day": "" if tree == "quarantine" else partition.day, "twice": key in found}
        answer.write_bytes(pickle.dumps(found))

    child = started(partial(_with_environment, lake, read))
    child.join(SECONDS)
    assert child.exitcode == 0
    found: Rows = pickle.loads(answer.read_bytes())
    return found


def compare(result: Result, found: Rows, expected: Rows, after: str) -> None:
    """`after`: the command, and how it was killed."""
    result.lost += len(expected.keys() - found.keys())
    result.doubled += len(found.keys() - expected.keys()) + sum(row["twice"] for row in found.values())
    wrong = [key for key, row in expected.items() if key in found and found[key] != row]
    result.wrong += len(wrong)
    odd = [*(expected.keys() ^ found.keys()), *wrong]
    result.reader.examples += [
        f"not as undisturbed after {after}: {key}: {_difference(found.get(key), expected.get(key))}" for key in odd[:3]
    ]


def _difference(found: Mapping[str, Any] | None, expected: Mapping[str, Any] | None) -> str:
    if found is None or expected is None:
        return "is missing" if found is None else "is not known"
    differing = [name for name in found if found[name] != expected[name]]
    return ", ".join(f"{name} {found[name]!r} for {expected[name]!r}" for name in differing)


def sound(lake: Lake) -> bool:
    """Whether `verify --deep` finds nothing, references into the archive among it."""
    child = given(lake, Command("verify", ("verify", "--deep")))
    child.join(SECONDS)
    return child.exitcode == 0


# Torture


@dataclass(slots=True)
class Undisturbed:
    rows: dict[str, Rows] = field(default_factory=dict)
    """After each command."""
    seconds: dict[str, float] = field(default_factory=dict)


def undisturbed(lake: Lake, commands: Sequence[Command], bases: Path | None = None) -> Undisturbed:
    """`bases`: a folder for a copy of the lake as each command finds it."""
    done = Undisturbed()
    for command in commands:
        prepared(lake, command)
        if bases:
            shutil.copytree(lake.folder, bases / command.name)
        began = time.monotonic()
        ended(given(lake, command), lake)
        done.seconds[command.name] = time.monotonic() - began
        done.rows[command.name] = rows(lake)
    assert sound(lake), (lake.folder / "said").read_text()[-2000:]
    return done


def killed_at_random(
    new_lake: Callable[[str], Lake], kills: int, *, each: int = 2, seed: int = 3, commands: Sequence[Command] = COMMANDS
) -> Result:
    """Every command is killed `each` times in a round, at moments of its undisturbed time."""
    result, dice = Result(), random.Random(seed)
    expected = undisturbed(new_lake("undisturbed"), commands)
    while result.kills < kills:
        result.rounds += 1
        lake = new_lake(f"round{result.rounds}")
        for command in commands:
            prepared(lake, command)
            with _reader_of(lake, result, command):
                times = min(each, kills - result.kills)
                moments = _kill(lake, command, times, expected.seconds[command.name], dice, result)
                ended(given(lake, command), lake)
            compare(result, rows(lake), expected.rows[command.name], f"{command.name}, {moments}")
        result.wrong += not sound(lake)
        shutil.rmtree(lake.folder)
    return result


def _kill(lake: Lake, command: Command, times: int, seconds: float, dice: random.Random, result: Result) -> str:
    """Tells when it was killed."""
    moments: list[str] = []
    for _ in range(times * TRIES):
        if len(moments) >= times:
            break
        child = given(lake, command)
        moment, alone = dice.uniform(0, seconds), dice.random() < 0.3
        child.join(moment)
        if killed(child, alone=alone):
            moments.append(f"{moment:.3f} of {seconds:.3f} s")
    result.kills += len(moments)
    return f"killed at {' and '.join(moments)}" if moments else "not killed"


def killed_at_points(
    new_lake: Callable[[str], Lake], points: Sequence[str], *, seed: int = 5, commands: Sequence[Command] = COMMANDS
) -> Result:
    """Every command killed at every named point, the first time that it comes there or one of the next."""
    result, dice = Result(), random.Random(seed)
    first = new_lake("points")
    bases = first.folder.with_name("bases")
    expected = undisturbed(first, commands, bases)
    for command in commands:
        for point in points:
            # Some are passed but once.
            for nth in (dice.randint(1, 3), 1):
                shutil.rmtree(first.folder)
                shutil.copytree(bases / command.name, first.folder)
                child = given(first, command, f"kill:{point}:{nth}")
                child.join(SECONDS)
                if child.exitcode == -signal.SIGKILL:
                    result.kills += 1
                    ended(given(first, command), first)
                    killed_at = f"{command.name}, killed at {point}:{nth}"
                    compare(result, rows(first), expected.rows[command.name], killed_at)
                    break
                assert child.exitcode == 0
    return result


@contextmanager
def _reader_of(lake: Lake, result: Result, command: Command) -> Iterator[None]:
    if command.before is damage:
        # What is cut in half is torn for a reader, until it is repaired.
        yield
        return
    read = None if lake.here else partial(_with_environment, lake, partial(read_bucket, lake))
    doubled, examples = result.reader.doubled, [*result.reader.examples]
    with reader_beside(Path(lake.url) if lake.here else lake.folder, lake.folder, result, read):
        yield
    if command.moves:
        result.reader.doubled, result.reader.examples = doubled, examples


def read_bucket(lake: Lake) -> None:
    """Scan after scan of what is listed, as long as the file `stop` is not there."""
    seen, known, store = Seen(), set[str](), open_store(lake.url)
    while not (lake.folder / "stop").exists():
        found: dict[str, list[str]] = {}
        for name, tree in (("before", "duplicates"), ("now", "articles"), ("after", "duplicates")):
            found[name] = []
            for file in list(store.entries(tree)):
                blob = store.read(file.key)
                seen.files += 1
                found[name] += decode(blob.data, file.key, ["article_id"])["article_id"].to_pylist() if blob else []
        for article_id in {each for each in found["now"] if found["now"].count(each) > 1}:
            seen.met("doubled", article_id)
        for article_id in known - {each for ids in found.values() for each in ids}:
            seen.met("missing", article_id)
        known = set(found["now"])
        seen.scans += bool(known)
    (lake.folder / "seen.json").write_text(json.dumps(asdict(seen)))


# The site and the bucket


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if name == "robots.txt":
            kind, body = "text/plain", b"User-agent: *\nAllow: /\n"
        elif name == "list":
            rows = [
                {"url": f"http://acme.example/a/{n}.html", "title": f"{n}", "time": "2024-03-05 08:00"} for n in LISTED
            ]
            kind, body = "application/json", json.dumps({"data": rows}).encode()
        else:
            kind, body = "text/html; charset=utf-8", page(int(name.removesuffix(".html"))).body
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve_site(told: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    told.send(f"127.0.0.1:{server.server_port}")
    server.serve_forever()


def serve_bucket(told: Any) -> None:
    from tests.storage.objects import serving

    with serving() as bucket:
        told.send(bucket.environment())
        told.recv()


def warm_up() -> None:
    """What every command imports and makes once, before it is forked."""
    for name in ("intake", "verifying", "compacting", "reextracting"):
        import_module(f"flows.commands.{name}")
    extract(page(0), UNKNOWN)
    # With pandas installed, pyarrow imports it at its first list.
    pa.Table.from_pylist([{"a": 1}])


@contextmanager
def kit(folder: Path, *, bucket: bool = False) -> Iterator[Kit]:
    """Servers in processes of their own, before there is any thread."""
    warm_up()
    servers = []
    try:
        answers = []
        for serve in (serve_site, *([serve_bucket] if bucket else [])):
            here, there = FORK.Pipe()
            servers.append(started(partial(serve, there)))
            assert here.poll(SECONDS)
            answers.append((here, here.recv()))
        (folder / "archives").mkdir()
        write_archives(folder / "archives")
        yield Kit(folder / "archives", answers[0][1], answers[1][1] if bucket else {})
    finally:
        for server in servers:
            server.kill()
            server.join()


def lake_in(folder: Path, kit: Kit, name: str) -> Lake:
    (folder / name).mkdir()
    lake = Lake(str(folder / name / "lake"), folder / name, kit)
    rules(lake)
    return lake


def bucket_lake(folder: Path, kit: Kit, name: str) -> Lake:
    (folder / name).mkdir()
    lake = Lake(f"s3://finnews/{folder.name}/{name}", folder / name, kit)
    home_of(lake.url, str(lake.home))
    rules(lake)
    return lake


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--bucket-kills", type=int, default=16)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few commands, and a kill of each")
    options = parser.parse_args(arguments)
    commands, points = (QUICK, ["added"]) if options.quick else (COMMANDS, HERE_POINTS)
    random_kills = partial(killed_at_random, each=1 if options.quick else 2, seed=options.seed, commands=commands)
    with _kit() as made:
        here = partial(lake_in, made.folder.parent, made)
        results = [
            _told("commands killed at random", lambda: random_kills(here, options.kills)),
            _told("commands killed at every point", lambda: killed_at_points(here, points, commands=commands)),
        ]
    with _kit(bucket=True) as made:
        there = partial(bucket_lake, made.folder.parent, made)
        results.append(_told("commands killed over a bucket", lambda: random_kills(there, options.bucket_kills)))
    sys.stdout.write("nothing torn, lost, doubled or wrong\n" if all(results) else "FAILED\n")
    return 0 if all(results) else 1


@contextmanager
def _kit(*, bucket: bool = False) -> Iterator[Kit]:
    with tempfile.TemporaryDirectory(prefix="finnews-torture-") as folder, kit(Path(folder), bucket=bucket) as made:
        yield made


def _told(title: str, torture: Callable[[], Result]) -> bool:
    began = time.monotonic()
    result = torture()
    sys.stdout.write(f"{title} ({time.monotonic() - began:.0f} s): {json.dumps(asdict(result), ensure_ascii=False)}\n")
    sys.stdout.flush()
    return result.sound


if __name__ == "__main__":
    raise SystemExit(main())

"""A lake under torture: killed, failed, filled up and robbed of its ledger, with a reader beside it all the time.

    python -m tests.storage.torture --kills 200        (make torture)

The work is the same in every round, and so is what has to be there at its end: the rows of an undisturbed one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from articles.records import Article
from storage.errors import StorageError
from storage.failpoint import OPERATIONS, POINTS, VARIABLE
from storage.lake import Lake
from storage.ledger import ledger_path
from storage.partitions import partition_at, partitions, read_partition
from storage.schema import TREES
from tests.storage.builders import MORNING, make_article
from tests.storage.faults import file_size_limit

SOURCES = ("acme", "other", "third")
DAYS = (date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 6))
LATER = date(2024, 4, 1)
WORDS = "股债汇市券商基金银行公告季度增长收益成交指数虚构样本港口船舶粮食钢铁"
COMMITS, BULK = 18, 300
# Beyond this a single kill has met a bug that no restart gets over.
RESTARTS = 200
FAILED = 7
# Of the operations of a store in a folder, each can fail; points are only passed.
EVERY_POINT = [
    *(("kill", point) for point in (*OPERATIONS, *POINTS) if point != "put"),
    *(("fail", operation) for operation in OPERATIONS if operation != "put"),
]
FORK = multiprocessing.get_context("fork")

Step = Callable[[Lake], object]


# The work


def steps(seed: int = 7) -> list[Step]:
    """Small commits with repeats, revisions, copies, elections; a bulk load; pages that are gone; sealing between."""
    dice, stored = random.Random(seed), list[Article]()
    work: list[Step] = []
    for turn in range(COMMITS):
        batch = [_one(dice, turn * 10 + n, stored) for n in range(dice.randint(2, 7))]
        stored += batch
        work.append(partial(Lake.commit, articles=batch, run_id=f"run{turn}"))
        if turn % 6 == 5:
            work.append(lambda lake: list(lake.compact(LATER)))
        if turn == COMMITS // 2:
            bulk = [_new(dice, 1000 + n, "acme", DAYS[0]) for n in range(BULK)]
            work.append(partial(Lake.commit, articles=bulk, run_id="bulk"))
            gone = [article.article_id for article in stored[:5]]
            work.append(partial(Lake.mark_gone, article_ids=gone, at=MORNING + timedelta(days=30), run_id="gone"))
    return work


def _one(dice: random.Random, number: int, stored: Sequence[Article]) -> Article:
    chance, known = dice.random(), dice.choice(stored) if stored else None
    source = dice.choice(SOURCES)
    if known is None or chance < 0.5:
        return _new(dice, number, source, dice.choice(DAYS))
    if chance < 0.65:
        return known
    if chance < 0.8:
        later = known.fetched_at + timedelta(minutes=number)
        return signed(known, text=f"{known.text}更正{number}。", fetched_at=later, date=dice.choice(DAYS))
    # A copy, perhaps of an earlier time: then it is the first of its cluster from now on.
    published_at = known.published_at + timedelta(minutes=dice.randint(-90, 30))
    copy = _new(dice, number, source, dice.choice(DAYS))
    return signed(copy, title=known.title, text=known.text, published_at=published_at)


def _new(dice: random.Random, number: int, source: str, day: date) -> Article:
    return make_article(
        number,
        source=source,
        date=day,
        minutes=number,
        title="".join(dice.choices(WORDS, k=12)),
        text="".join(dice.choices(WORDS, k=120)),
        published_at=MORNING + timedelta(minutes=dice.randint(0, 600)),
    )


def signed(article: Article, **changes: object) -> Article:
    """With the hash and fingerprint of what it says now."""
    says = {name: getattr(article, name) for name in ("title", "text")} | changes
    signed = make_article(0, title=says["title"], text=says["text"])
    return replace(article, **changes, text_hash=signed.text_hash, fingerprint=signed.fingerprint)


def worked(root: Path, mark: Path, work: Sequence[Step]) -> None:
    """All steps from where the last run was killed; it may have been in the middle of one."""
    with Lake.open(root) as lake:
        for at in range(int(mark.read_text() or 0) if mark.exists() else 0, len(work)):
            work[at](lake)
            made = mark.with_suffix(".new")
            made.write_text(str(at + 1))
            made.replace(mark)


# What is there


def rows(root: Path) -> dict[tuple[str, str, str, int], dict]:
    """Every row by its key, without the numbers of commits. A key that is there twice is an AssertionError."""
    found: dict[tuple[str, str, str, int], dict] = {}
    for tree in TREES:
        for partition, path in partitions(root, tree):
            for row in read_partition(path).to_pylist():
                del row["ingest_seq"]
                key = tree, partition.owner, row["article_id"], row["revision"]
                assert key not in found, f"twice: {key}"
                found[key] = row | {"date": partition.day}
    return found


def foreign(root: Path) -> list[str]:
    """What lies in a published tree and is no partition; what lies in staging and journal."""
    state = [path for name in ("staging", "journal") for path in (root / "_state" / name).glob("*")]
    published = [path for tree in TREES for path in (root / tree).rglob("*") if path.is_file()]
    keys = ((path.relative_to(root).as_posix(), path) for path in published)
    return [str(path) for path in (*state, *(path for key, path in keys if not partition_at(key)))]


@dataclass
class Seen:
    """What a reader met who globs plain files, and knows nothing of us."""

    scans: int = 0
    files: int = 0
    torn: int = 0
    doubled: int = 0
    missing: int = 0
    examples: list[str] = field(default_factory=list)

    def met(self, what: str, example: str) -> None:
        setattr(self, what, getattr(self, what) + 1)
        self.examples = [*self.examples, f"{what}: {example}"][:5]


def read_on(root: Path, stop: Path, report: Path) -> None:
    """Scan after scan, until the file `stop` is there."""
    seen, known = Seen(), set[str]()
    while not stop.exists():
        # A copy may move to articles and back while they are read.
        before, articles, after = (_ids(root, tree, seen) for tree in ("duplicates", "articles", "duplicates"))
        doubled = [article_id for article_id, count in Counter(articles).items() if count > 1]
        for article_id in doubled:
            seen.met("doubled", article_id)
        for article_id in known - {*before, *articles, *after}:
            seen.met("missing", article_id)
        known = {*articles}
        seen.scans += bool(articles)
    report.write_text(json.dumps(asdict(seen)))


def _ids(root: Path, tree: str, seen: Seen) -> list[str]:
    found: list[str] = []
    for path in sorted((root / tree).glob("**/*.parquet")):
        seen.files += 1
        try:
            with path.open("rb") as file:
                table = pq.ParquetFile(file, page_checksum_verification=True).read()
            found += table["article_id"].to_pylist()
        except (OSError, pa.ArrowException) as error:
            seen.met("torn", f"{path.name}: {error}")
    return found


# Torture


@dataclass
class Result:
    rounds: int = 0
    kills: int = 0
    failures: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    left_over: int = 0
    ledgers_lost: int = 0
    ledgers_older: int = 0
    reader: Seen = field(default_factory=Seen)

    @property
    def sound(self) -> bool:
        reader = self.reader
        wrong = self.lost + self.doubled + self.wrong + self.left_over + reader.torn + reader.doubled + reader.missing
        return wrong == 0

    def compare(self, root: Path, expected: dict) -> None:
        try:
            found = rows(root)
        except AssertionError as error:
            self.doubled += 1
            self.reader.examples.append(str(error))
            return
        self.lost += len(expected.keys() - found.keys())
        self.doubled += len(found.keys() - expected.keys())
        self.wrong += sum(found[key] != row for key, row in expected.items() if key in found)
        self.left_over += len(foreign(root))


def undisturbed(folder: Path, work: Sequence[Step]) -> tuple[dict, float]:
    """The rows of a round that nothing disturbs, and how long it takes."""
    began = time.monotonic()
    assert _ended(_started(partial(worked, folder / "clean", folder / "clean.mark", work))) == 0
    return rows(folder / "clean"), time.monotonic() - began


def killed_at_random(folder: Path, kills: int, seed: int = 11) -> Result:
    """SIGKILL at random moments, over all steps, round after round; now and then the ledger is lost or an older one."""
    work, result, dice = steps(), Result(), random.Random(seed)
    expected, seconds = undisturbed(folder, work)
    pause = max(seconds / 12, 0.05)
    while result.kills < kills:
        result.rounds += 1
        root, mark = folder / f"round{result.rounds}", folder / f"round{result.rounds}.mark"
        with reader_beside(root, folder, result):
            for _ in range(RESTARTS):
                child = _started(partial(worked, root, mark, work))
                child.join(dice.uniform(0, 2 * pause) if result.kills < kills else None)
                if child.exitcode is None:
                    child.kill()
                code = _ended(child)
                if code == 0:
                    break
                assert code == -signal.SIGKILL, f"a restart failed with {code}"
                result.kills += 1
                _rob(root, dice, result)
        result.compare(root, expected)
        shutil.rmtree(root)
    return result


def killed_at_points(folder: Path, points: Sequence[tuple[str, str]] = ()) -> Result:
    """Killed at, and failed by, every operation and every point of one commit, one after the other."""
    result, (before, eventful) = Result(), _eventful()
    base, whole, root = folder / "base", folder / "whole", folder / "lake"
    assert _ended(_started(partial(_once, base, before))) == 0
    shutil.copytree(base, whole)
    assert _ended(_started(partial(_once, whole, eventful))) == 0
    expected = rows(whole)
    for action, point in points or EVERY_POINT:
        for nth in range(1, 1000):
            shutil.copytree(base, root)
            code = _ended(_started(partial(_once, root, eventful, f"{action}:{point}:{nth}")))
            if code != 0:
                result.kills += code == -signal.SIGKILL
                result.failures += code == FAILED
                _look(root, result)
                assert _ended(_started(partial(_once, root, eventful))) == 0
                result.compare(root, expected)
            shutil.rmtree(root)
            if code == 0:
                break
    return result


def filled_up(folder: Path, limits: Sequence[int] = (2_000, 8_000, 30_000, 60_000, 120_000)) -> Result:
    """A disk that is full at some size of a file, and then is not."""
    work, result = steps(), Result()
    expected, _ = undisturbed(folder, work)

    def limited(root: Path, mark: Path, limit: int) -> None:
        with file_size_limit(limit), suppress(StorageError):
            worked(root, mark, work)

    for limit in limits:
        root, mark = folder / f"full{limit}", folder / f"full{limit}.mark"
        assert _ended(_started(partial(limited, root, mark, limit))) == 0
        assert _ended(_started(partial(worked, root, mark, work))) == 0
        result.rounds += 1
        result.compare(root, expected)
    return result


def _eventful() -> tuple[Step, Step]:
    """A lake, and a commit with something of everything: creation, append, fold, revision, election, repeat."""
    dice = random.Random(5)
    known = [_new(dice, n, SOURCES[n % 3], DAYS[n % 2]) for n in range(8)]
    earlier = {"published_at": known[1].published_at - timedelta(hours=3), "title": known[1].title}
    batch = [
        *(_new(dice, 20 + n, SOURCES[n % 3], DAYS[n % 3]) for n in range(3)),
        known[0],
        signed(known[3], text=f"{known[3].text}更正。", fetched_at=known[3].fetched_at + timedelta(days=1)),
        signed(_new(dice, 30, "third", DAYS[2]), text=known[1].text, **earlier),
        signed(_new(dice, 31, "acme", DAYS[0]), text=known[2].text, title=known[2].title),
    ]
    commit = partial(Lake.commit, run_id="run")
    return partial(commit, articles=known), partial(commit, articles=batch)


def _once(root: Path, step: Step, failpoint: str = "") -> None:
    if failpoint:
        os.environ[VARIABLE] = failpoint
    try:
        with Lake.open(root) as lake:
            step(lake)
    except StorageError:
        if not failpoint:
            raise
        sys.exit(FAILED)


def _look(root: Path, result: Result) -> None:
    """Once, as a reader does."""
    seen = Seen()
    ids = _ids(root, "articles", seen)
    result.reader.scans += 1
    result.reader.files += seen.files
    result.reader.torn += seen.torn
    result.reader.doubled += len(ids) - len(set(ids))
    result.reader.examples += seen.examples


def _rob(root: Path, dice: random.Random, result: Result) -> None:
    """As a person does who tidies up, or restores a backup."""
    ledger, chance = ledger_path(root), dice.random()
    if not ledger.exists() or chance > 0.15:
        return
    older = root.with_suffix(".ledger")
    if chance < 0.05:
        for path in ledger.parent.glob("ledger.sqlite*"):
            path.unlink()
        result.ledgers_lost += 1
    elif chance < 0.1:
        shutil.copy2(ledger, older)
    elif older.exists():
        for path in ledger.parent.glob("ledger.sqlite-*"):
            path.unlink()
        shutil.copy2(older, ledger)
        result.ledgers_older += 1


@contextmanager
def reader_beside(root: Path, folder: Path, result: Result, read: Callable[[], None] | None = None) -> Iterator[None]:
    """What it met is added to `result`. `read` is another reader than that of globbed files, with the same report."""
    stop, report = folder / "stop", folder / "seen.json"
    stop.unlink(missing_ok=True)
    reader = _started(read or partial(read_on, root, stop, report))
    try:
        yield
    finally:
        stop.touch()
        _ended(reader)
        seen = json.loads(report.read_text())
        for name in ("scans", "files", "torn", "doubled", "missing"):
            setattr(result.reader, name, getattr(result.reader, name) + seen[name])
        result.reader.examples += seen["examples"]


def _started(work: Callable[[], object]) -> multiprocessing.Process:
    """Forked: starting Python anew takes longer than all the rest."""
    child = FORK.Process(target=work)
    child.start()
    return child


def _ended(child: multiprocessing.Process) -> int:
    child.join(300)
    assert child.exitcode is not None, "it hangs"
    return child.exitcode


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args(arguments)
    sound = True
    for name, torture in (
        ("killed at random", partial(killed_at_random, kills=options.kills, seed=options.seed)),
        ("killed and failed at every point of a commit", killed_at_points),
        ("disk full", filled_up),
    ):
        with tempfile.TemporaryDirectory(prefix="finnews-torture-") as folder:
            began = time.monotonic()
            result = torture(Path(folder))
            told = json.dumps(asdict(result), ensure_ascii=False)
            sys.stdout.write(f"{name} ({time.monotonic() - began:.0f} s): {told}\n")
            sys.stdout.flush()
            sound = sound and result.sound
    sys.stdout.write("nothing torn, lost, doubled or wrong\n" if sound else "FAILED\n")
    return 0 if sound else 1


if __name__ == "__main__":
    raise SystemExit(main())

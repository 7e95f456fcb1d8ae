"""Quality, speed and size of deduplication: `python -m benchmarks.dedup` (`make bench-dedup`).

    labelled pairs   real ones, from the corpus beside the checkout (left out where it is absent)
    invented pairs   edits and look-alikes of benchmarks.dedup_templates
    stream           the lake's own path from articles to decisions, durable in its ledger, on one core
    peers            the same pairs and documents through other tools, in an environment of their own (--peers)

Ends with 1 if a floor is missed. Figures go to stdout, one JSON document with --json.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from articles.fingerprint import NO_KEY, Records, fingerprints, records
from articles.identity import text_hash
from articles.near import relations
from articles.records import Article, Decision
from benchmarks.dedup_templates import EDITS, Document, Pair, article, pairs, retitle
from benchmarks.peers import install_peers, peer_python
from storage.bulk import Bulk

CORPUS = Path(os.environ.get("FINNEWS_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")

FLOORS = {
    "labelled precision": 0.99,
    "labelled recall": 0.95,
    "invented f1": 0.985,
    "articles/s": 3000.0,
    "scheduled run of 200, seconds (at most)": 1.0,
    "growth of time per batch (at most)": 1.5,
    "index bytes an article (at most)": 600.0,
    "memory MiB (at most)": 1024.0,
    "times datatrove's signature": 25.0,
}

PEERS = ("datasketch", "rensa", "datatrove", "text-dedup")
PEER_DOCUMENTS = 2_000
ONE_CORE = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

START = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=365)
SCHEDULED_RUN = 200
CHECKPOINTS = 10
# Of the stream: edited copies and exact copies under another title, of articles of the last few days.
NEAR_SHARE, EXACT_SHARE, COPIED_WITHIN = 0.15, 0.05, timedelta(days=10)


@dataclass(slots=True)
class Score:
    """Pairs taken for one article, against the truth."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def add(self, one_article: bool, taken: bool) -> None:
        self.hits += one_article and taken
        self.false += taken and not one_article
        self.missed += one_article and not taken

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.false)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(1, 2 * self.hits + self.false + self.missed)

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.4f}  recall {self.recall:.4f}  F1 {self.f1:.4f}  "
            f"({self.hits} found, {self.missed} missed, {self.false} false)"
        )


def main() -> int:
    options = _options()
    figures: dict[str, float] = {}
    _say("labelled pairs")
    if (CORPUS / "pairs").is_dir():
        figures |= labelled_pairs(CORPUS / "pairs")
    else:
        _say(f"  left out: no corpus at {CORPUS}; FINNEWS_CORPUS names another place")
    _say("invented pairs")
    figures |= invented_pairs(pairs(options.pairs))
    _say(f"stream of {options.articles:,} articles")
    figures |= stream(options.articles, options.batch, options.stream)
    if options.peers:
        _say("peers, on the invented pairs (best of their settings) and on documents of the stream")
        figures |= peers(pairs(options.pairs), figures["articles/CPU s"])
    missed = [name for name, floor in FLOORS.items() if name in figures and not _holds(name, figures[name], floor)]
    for name in missed:
        _say(f"MISSED {name}: {figures[name]:.4g}, floor {FLOORS[name]:g}")
    if options.json:
        print(json.dumps({"figures": figures, "missed": missed}, ensure_ascii=False, indent=1))
    return 1 if missed else 0


def labelled_pairs(folder: Path) -> dict[str, float]:
    """`same` and `near` are one article, `different` is not. Thresholds were set on the tuned half."""
    documents = {row["id"]: (row["title"] or "", row["text"] or "") for row in _rows(folder / "docs.jsonl")}
    place = {name: at for at, name in enumerate(documents)}
    signed = records(fingerprints(list(documents.values())))
    rows = _rows(folder / "pairs.jsonl")
    taken = _taken(signed[[place[row["a"]] for row in rows]], signed[[place[row["b"]] for row in rows]])
    scores = {"tuned": Score(), "held out": Score(), "": Score()}
    for at, row in enumerate(rows):
        half = "held out" if blake2b((row["a"] + row["b"]).encode()).digest()[0] & 1 else "tuned"
        for name in (half, ""):
            scores[name].add(row["label"] != "different", taken[at])
    for name, score in scores.items():
        _say(f"  {name or 'all':26}{score}")
    return {"labelled precision": scores[""].precision, "labelled recall": scores[""].recall}


def invented_pairs(made: Sequence[Pair]) -> dict[str, float]:
    a = records(fingerprints([(pair.a.title, pair.a.text) for pair in made]))
    b = records(fingerprints([(pair.b.title, pair.b.text) for pair in made]))
    taken = _taken(a, b)
    cases: dict[str, Score] = defaultdict(Score)
    total = Score()
    for at, pair in enumerate(made):
        for score in (cases[pair.case], total):
            score.add(pair.one_article, taken[at])
    for case, score in cases.items():
        asked = score.hits + score.missed
        said = f"recall {score.recall:.3f}" if asked else f"false  {score.false / (len(made) / len(cases)):.3f}"
        _say(f"  {case:26}{said}")
    _say(f"  {'all':26}{total}")
    return {"invented precision": total.precision, "invented recall": total.recall, "invented f1": total.f1}


def _taken(a: Records, b: Records) -> list[bool]:
    """Which pairs are taken for one article. Only those that share a key count: the index sees no others."""
    judged = relations(a, b)
    met = [
        bool((set(one["keys"].tolist()) & set(other["keys"].tolist())) - {NO_KEY}) or one["text"] == other["text"]
        for one, other in zip(a, b, strict=True)
    ]
    return [meets and judged[at].duplicate for at, meets in enumerate(met)]


# ---------------------------------------------------------------- the stream


@dataclass(slots=True)
class Checkpoint:
    """What the latest stretch of the stream took."""

    articles: int = 0
    seconds: float = 0.0
    """Of wall time."""
    cpu_seconds: float = 0.0

    def add(self, articles: int, began: Clock, ended: Clock) -> None:
        self.articles += articles
        self.seconds += ended.wall - began.wall
        self.cpu_seconds += ended.cpu - began.cpu

    def __str__(self) -> str:
        return (
            f"{self.articles:>9,} articles at {self.articles / self.seconds:8,.0f} a second, "
            f"{self.articles / self.cpu_seconds:,.0f} a CPU second"
        )


class Clock(NamedTuple):
    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Clock:
        return cls(time.perf_counter(), time.process_time())


def stream(articles: int, batch: int, kept: Path | None = None) -> dict[str, float]:
    """What a lake does with articles before it writes their rows: fingerprint, decide, remember, durable."""
    with tempfile.TemporaryDirectory() as folder:
        bulk = Bulk(Path(folder), durable=True)
        checkpoints, score = [Checkpoint()], Score()
        # Of each article by its number; a dict of a million would be in the memory that is measured.
        stories = array("l")
        for news in _kept(kept, articles, batch) if kept else _batches(articles, batch):
            if checkpoints[-1].articles >= articles / CHECKPOINTS:
                _say(f"  {checkpoints[-1]}")
                checkpoints.append(Checkpoint())
            began = Clock.now()
            decisions = bulk.add([article for article, _ in news])
            checkpoints[-1].add(len(news), began, Clock.now())
            stories.extend(story for _, story in news)
            _score_stream(score, decisions, stories)
        _say(f"  {checkpoints[-1]}")
        return _stream_figures(checkpoints, score, bulk, Path(folder), articles)


def _kept(path: Path, articles: int, batch: int) -> Iterator[list[tuple[Article, int]]]:
    """The stream from a file, which is made if it is not there: inventing a million articles takes longer than the
    rest."""
    if not path.exists():
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            for news in _batches(articles, batch):
                pickle.dump(news, file)
        draft.replace(path)
    with path.open("rb") as file:
        for _ in range(articles // batch):
            yield pickle.load(file)


def _batches(articles: int, batch: int) -> Iterator[list[tuple[Article, int]]]:
    """Articles in the order of publication over a year, a fifth of them copies of recent ones; each with the
    number of the article it is a copy of, its own if it is none."""
    random = Random("stream")
    step = SPAN / articles
    reach = max(1, COPIED_WITHIN // step)
    news: list[tuple[Article, int]] = []
    stories: dict[int, int] = {}
    for at in range(articles):
        copied = at - random.randint(1, min(at, reach)) if at else 0
        story = stories.get(copied, at)
        made, kind = article(at), random.random()
        if at and kind < NEAR_SHARE:
            made = EDITS[random.choice(sorted(EDITS))](random, article(story))
        elif at and kind < NEAR_SHARE + EXACT_SHARE:
            made = retitle(random, article(story))
        else:
            story = at
        stories[at] = story
        stories.pop(at - reach, None)
        news.append((_article(f"wire:{at:08d}", START + at * step, made), story))
        if len(news) == batch:
            yield news
            news = []
    if news:
        yield news


def _article(article_id: str, published_at: datetime, made: Document) -> Article:
    return Article(
        article_id=article_id,
        source="wire",
        date=published_at.date(),
        url=f"https://wire.example/{article_id}",
        canonical_url=f"https://wire.example/{article_id}",
        title=made.title,
        text=made.text,
        published_at=published_at,
        published_precision="second",
        fetched_at=published_at + timedelta(minutes=3),
        text_hash=text_hash(made.title, made.text),
        extractor="benchmark",
    )


def _score_stream(score: Score, decisions: Sequence[Decision], stories: Sequence[int]) -> None:
    """An article taken for a copy of anything but its own story's articles counts as false and, if a copy, missed."""
    for decision in decisions:
        number, first = _number(decision.article.article_id), _number(decision.cluster_id)
        story, taken = stories[number], first != number
        is_copy = number != story
        right = taken and stories[first] == story
        score.add(is_copy and (right or not taken), taken)
        score.missed += is_copy and taken and not right


def _number(article_id: str) -> int:
    return int(article_id.partition(":")[2])


def _stream_figures(
    checkpoints: Sequence[Checkpoint], score: Score, bulk: Bulk, folder: Path, articles: int
) -> dict[str, float]:
    # In CPU time: what else the machine does must not look like growth. The second tenth is met by an index of a tenth.
    first, last = (checkpoint.cpu_seconds / checkpoint.articles for checkpoint in (checkpoints[1], checkpoints[-1]))
    figures = {
        "articles/s": articles / sum(checkpoint.seconds for checkpoint in checkpoints),
        "articles/CPU s": articles / sum(checkpoint.cpu_seconds for checkpoint in checkpoints),
        "growth of time per batch (at most)": last / first,
        "index bytes an article (at most)": _bytes(bulk, "near_") / articles,
        "ledger bytes an article, index included": _bytes(bulk, "") / articles,
        "memory MiB (at most)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "stream precision": score.precision,
        "stream recall": score.recall,
        "scheduled run of 200, seconds (at most)": _scheduled_run(bulk, folder, articles),
    }
    for name, value in figures.items():
        _say(f"  {name:42}{value:10.3f}")
    return figures


def _bytes(bulk: Bulk, table: str) -> int:
    query = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE ?"
    [(size,)] = bulk.ledger.execute(query, f"%{table}%").fetchall()
    return int(size)


def _scheduled_run(bulk: Bulk, folder: Path, known: int) -> float:
    """Seconds for a small run that has just opened the ledger, with nothing cached by us."""
    bulk.close()
    news = [_article(f"late:{at:03d}", START + SPAN, article(known + at)) for at in range(SCHEDULED_RUN)]
    began = time.perf_counter()
    with closing(Bulk(folder, durable=True)) as reopened:
        reopened.add(news)
    return time.perf_counter() - began


# ---------------------------------------------------------------- peers


def peers(made: Sequence[Pair], ours: float) -> dict[str, float]:
    """Installs what is missing and runs each tool by itself, on one core.

    They are given articles of the stream, which ran at `ours` a CPU second; gives how many times that is datatrove's.
    """
    documents = [article(at) for at in range(PEER_DOCUMENTS)]
    alone = _signatures_a_second(documents)
    _say(f"  {'finnews':12} {alone:,.0f} documents a CPU second (signature only), {ours:,.0f} (the stream, whole way)")
    figures: dict[str, float] = {}
    asked = json.dumps(
        {
            "pairs": [(f"{p.a.title}\n{p.a.text}", f"{p.b.title}\n{p.b.text}", p.one_article) for p in made],
            "documents": [f"{d.title}\n{d.text}" for d in documents],
        }
    )
    missing = install_peers("dedup")
    for name in PEERS:
        if reason := missing.get(name):
            _say(f"  {name:12} not installed: {reason}")
            continue
        run = subprocess.run(
            [peer_python("dedup"), Path(__file__).with_name("dedup_peers.py"), name],
            input=asked,
            capture_output=True,
            text=True,
            env=os.environ | ONE_CORE,
        )
        if run.returncode:
            _say(f"  {name:12} failed: {run.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(run.stdout)
        _say(
            f"  {name:12} {found['version']:8} F1 {found['f1']:.3f} (precision {found['precision']:.3f}, recall "
            f"{found['recall']:.3f}, {found['setting']}), {found['documents/CPU s']:,.0f} documents a CPU second "
            f"({found['covers']})"
        )
        if name == "datatrove":
            whole = found["whole way/CPU s"]
            _say(f"  {'':12} {whole:,.0f} documents a CPU second (signature, buckets, clusters, filter)")
            figures = {"times datatrove's signature": ours / found["documents/CPU s"]}
            figures |= {"times datatrove's whole way": ours / whole}
    for name, value in figures.items():
        _say(f"  {name:42}{value:10.1f}")
    return figures


def _signatures_a_second(documents: Sequence[Document]) -> float:
    texts = [(made.title, made.text) for made in documents]
    fingerprints(texts[:100])
    began = time.process_time()
    fingerprints(texts)
    return len(texts) / (time.process_time() - began)


# ---------------------------------------------------------------- odds and ends


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000, help="length of the stream (1000000 for the full run)")
    parser.add_argument("--batch", type=int, default=1_000, help="articles decided in one transaction")
    parser.add_argument("--stream", type=Path, metavar="FILE", help="the stream; made if it is not there, else read")
    parser.add_argument("--pairs", type=int, default=200, help="invented pairs of each case")
    parser.add_argument("--peers", action="store_true", help="install other tools into .bench/ and run them too")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, words on stderr")
    return parser.parse_args()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _holds(name: str, value: float, floor: float) -> bool:
    return value <= floor if "at most" in name else value >= floor


def _say(line: str) -> None:
    print(line, file=sys.stderr if "--json" in sys.argv else sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Quality and speed of extraction on the corpus of real pages: `python benchmarks/extract_corpus.py [--speed]`.

Every gold page is read twice: as a page of an unknown site, and by the rules of its source where it has some. Results
are also given for two halves of the sites, split by a hash of the site's name: what was tuned on one half must hold on
the other. The reference texts of third parties keep titles and editor lines, so that their F1 is a lower
bound: it serves to notice pages that go wrong. Scoring is the corpus's own score.py.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from statistics import mean
from types import ModuleType
from typing import Any

import trafilatura
from lxml import etree

from articles.extract import extract
from articles.records import Article, Listed, Page
from articles.source import UNKNOWN, Source
from spiders.catalogue import Catalogue

NOW = datetime(2026, 11, 20, tzinfo=UTC)
FIELDS = ("title", "time", "source", "author", "editor")
COLUMNS = ("n", "F1", "P", "R", "leak_file", *FIELDS)
SPEED_PAGES = 40
SPEED_ROUNDS = 4

# Post dialects of the corpus, by folder or end of name, and the source whose rules they follow.
DIALECTS = {"jekyll_finews": "finews", "hexo_rsshub": "rsshub", "_em.json": "eastmoney", "_wscn.json": "wallstreetcn"}


def main() -> int:
    arguments = _arguments()
    corpus = arguments.corpus
    score = _scorer(corpus)
    gold = {name: _lines(corpus / "gold" / f"{name}_gold.jsonl") for name in ("html", "posts")}
    report: dict[str, Any] = {}
    for rules in (False, True):
        for name, records in gold.items():
            rows = _scored(score, corpus, records, rules=rules, workers=arguments.workers)
            report[f"{name}, {'rules' if rules else 'unknown site'}"] = _summaries(score, rows)
            _tell_worst(rows, arguments.worst)
    report["third-party references"] = _references(score, corpus, gold["html"], arguments.workers)
    if arguments.speed:
        report["speed"] = _speed(corpus, gold["html"])
    print(json.dumps(report, ensure_ascii=False, indent=1) if arguments.json else _table(report))
    return 0


def prediction(corpus: Path, file: str, *, rules: bool) -> dict[str, Any]:
    """What the scorer compares: the fields of one file, all empty where it is refused."""
    source = _source_of(file) if rules else UNKNOWN
    article = extract(_page(corpus, file, source), source)
    if not isinstance(article, Article):
        return {"file": file, "text": "", "refused": str(article)}
    return {
        "file": file,
        "title": article.title,
        "text": article.text,
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "source": article.publisher,
        "author": article.author,
        "editor": article.editor,
    }


def _page(corpus: Path, file: str, source: Source) -> Page:
    body = (corpus / file).read_bytes()
    more: dict[str, Any] = {}
    if file.endswith(".json"):
        entry = json.loads(body)
        medium = entry["source"] if isinstance(entry["source"], str) else (entry["source"] or {}).get("title")
        more = {
            "form": "fragment",
            "listed": Listed(title=entry["title"], published=entry["published"], publisher=medium),
        }
        body = entry["summary"].encode()
    elif file.startswith("posts/"):
        more = {"form": "post" if b"---" in body[:10] else "text"}
    return Page(source=source.id, url="", final_url="", status=200, body=body, fetched_at=NOW, **more)


def _source_of(file: str) -> Source:
    for mark, source_id in DIALECTS.items():
        if mark in file:
            return _catalogue()[source_id]
    return _catalogue().for_url(f"https://{file.split('/')[1]}/") or UNKNOWN


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load()


def _scored(
    score: ModuleType, corpus: Path, gold: Sequence[dict[str, Any]], *, rules: bool, workers: int
) -> list[dict[str, Any]]:
    files = [record["file"] for record in gold]
    with ProcessPoolExecutor(workers) as pool:
        predictions = list(pool.map(partial(prediction, corpus, rules=rules), files, chunksize=8))
    return [score.one(record, found, strict=False) for record, found in zip(gold, predictions, strict=True)]


def _summaries(score: ModuleType, rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    halves = {half: [row for row in rows if _half(row["file"]) == half] for half in (0, 1)}
    named = {"all": rows, "half A": halves[0], "half B": halves[1]}
    return {name: _rounded(score.agg(part, FIELDS)) for name, part in named.items() if part}


def _rounded(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: round(summary[name], 4) if isinstance(summary[name], float) else summary[name] for name in COLUMNS}


def _half(file: str) -> int:
    site = file.split("/")[1]
    return int(hashlib.md5(site.encode(), usedforsecurity=False).hexdigest(), 16) % 2


def _references(
    score: ModuleType, corpus: Path, gold: Sequence[dict[str, Any]], workers: int
) -> dict[str, dict[str, Any]]:
    """F1 against texts that others extracted, with our title put before ours where theirs begins with it."""
    has_gold = {record["file"] for record in gold}
    texts = {record["file"]: record["text"] for record in _lines(corpus / "gold" / "third_party_refs.jsonl")}
    files = [file for file in texts if file not in has_gold]
    with ProcessPoolExecutor(workers) as pool:
        predictions = list(pool.map(partial(prediction, corpus, rules=False), files, chunksize=8))
    found: dict[int, list[float]] = {0: [], 1: []}
    for file, predicted in zip(files, predictions, strict=True):
        title = score.norm(predicted.get("title"))
        if title and title in score.norm(texts[file][:300]):
            predicted["text"] = f"{predicted['title']}\n{predicted['text']}"
        record = {"file": file, "body": texts[file].split("\n")}
        found[_half(file)].append(score.one(record, predicted, strict=False)["F"])
    parts = {"all": found[0] + found[1], "half A": found[0], "half B": found[1]}
    return {name: {"n": len(values), "F1": round(mean(values), 4)} for name, values in parts.items()}


def _tell_worst(rows: Sequence[dict[str, Any]], count: int) -> None:
    for row in sorted(rows, key=lambda row: row["F"])[:count]:
        print(f"{row['F']:.3f} {row['file']} leaked={row['leaked']}", file=sys.stderr)


# ── speed ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _speed(corpus: Path, gold: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Milliseconds of CPU a page on one core, in this process, best of three rounds."""
    files = [record["file"] for record in gold[:: max(1, len(gold) // SPEED_PAGES)]]
    known = [record["file"] for record in gold if _source_of(record["file"]) is not UNKNOWN]
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, huge_tree=True)

    def parse(file: str) -> Callable[[], object]:
        return partial(etree.fromstring, (corpus / file).read_bytes(), parser)

    def default(file: str) -> Callable[[], object]:
        html = (corpus / file).read_bytes()
        return partial(trafilatura.bare_extraction, html, with_metadata=True)

    def ours(file: str, *, rules: bool) -> Callable[[], object]:
        source = _source_of(file) if rules else UNKNOWN
        return partial(extract, _page(corpus, file, source), source)

    return {
        "all pages, unknown site": _compared(files, parse, default, partial(ours, rules=False)),
        "pages with rules": _compared(known, parse, default, partial(ours, rules=True)),
    }


def _compared(files: Sequence[str], *jobs: Callable[[str], Callable[[], object]]) -> dict[str, float]:
    """Mean over the pages of the best of some rounds; the jobs take turns, so that load from elsewhere hits all."""
    calls = [[job(file) for file in files] for job in jobs]
    best = [[float("inf")] * len(files) for _ in jobs]
    # What the benchmark itself holds is not to be searched for garbage again and again.
    gc.collect()
    gc.freeze()
    for _ in range(SPEED_ROUNDS):
        for row, job_calls in zip(best, calls, strict=True):
            for page, call in enumerate(job_calls):
                started = time.process_time()
                call()
                row[page] = min(row[page], time.process_time() - started)
    parse, default, ours = (mean(row) * 1_000 for row in best)
    return {
        "pages": len(files),
        "lxml parse alone": round(parse, 2),
        "trafilatura with metadata": round(default, 2),
        "finnews": round(ours, 2),
        "times faster": round(default / ours, 1),
    }


# ── in and out ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).parents[2] / "shared" / "corpus"
    parser.add_argument("--corpus", type=Path, default=default, help="folder with gold/, pages/, posts/ and score.py")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speed", action="store_true", help="measure milliseconds a page beside trafilatura's default")
    parser.add_argument(
        "--worst", type=int, default=0, metavar="N", help="name the N worst pages of each set on stderr"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    return parser.parse_args()


def _scorer(corpus: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus_score", corpus / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _table(report: dict[str, dict[str, dict[str, Any]]]) -> str:
    lines: list[str] = []
    for title, parts in report.items():
        columns = list(dict.fromkeys(column for part in parts.values() for column in part))
        lines += ["", title, _row("", columns)]
        lines += [_row(name, (part.get(column) for column in columns)) for name, part in parts.items()]
    return "\n".join(lines)


def _row(name: str, values: Iterable[Any]) -> str:
    return f"{name:<26}" + "".join(f" {'-' if value is None else value!s:>12}" for value in values)


if __name__ == "__main__":
    sys.exit(main())

"""What extraction is measured on: real pages of the corpus and our own saved cases, read as `finnews extract` does.

Every page can be read twice: by the rules of its source (`known`), and as a page of a site that nobody has described.
The corpus is scored by its own score.py; the saved cases, which are there without it, by `agreement`.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from articles.extract import extract
from articles.records import Article, Page
from articles.source import UNKNOWN, Source
from flows.core.cases import LIST_PREFIX, case_folders, read_page, saved_case
from spiders.archives import read_archive
from spiders.catalogue import Catalogue

ROOT = Path(__file__).parents[1]
CORPUS = Path(os.environ.get("FINNEWS_CORPUS") or ROOT.parent / "shared" / "corpus")
SAVED_CASES = ROOT / "tests" / "sources"
GOLD = ("html", "posts")
# Of score.py: its names for published_at and publisher are these.
FIELDS = ("title", "time", "source", "author", "editor")

# Long after every page was fetched: no time of theirs is of the future.
FETCHED_AT = datetime(2026, 11, 20, tzinfo=UTC)

Record = dict[str, Any]
Score = dict[str, Any]


# ── corpus ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def scorer() -> Any:  # noqa: ANN401 - a module found at run time
    spec = importlib.util.spec_from_file_location("corpus_score", CORPUS / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


@cache
def manifest() -> Mapping[str, Record]:
    """What is known of each file of the corpus."""
    return {line["file"]: line for line in _lines(CORPUS / "MANIFEST.jsonl")}


def gold(name: str) -> list[Record]:
    return _lines(CORPUS / "gold" / f"{name}_gold.jsonl")


def references() -> list[Record]:
    """Texts that others took from pages; they keep headlines and editor lines: F1 has a ceiling."""
    return _lines(CORPUS / "gold" / "third_party_refs.jsonl")


def article_files() -> list[str]:
    return [file for file, line in manifest().items() if line["kind"] == "article"]


def site_of(file: str) -> str:
    return file.split("/")[1]


def source_of(file: str) -> Source | None:
    """The described source of a page; None leaves a post to what it says of itself."""
    domain = manifest()[file].get("domain") or ""
    return (catalogue().for_url(f"https://{domain}/") if domain and file.startswith("pages") else None) or (
        None if file.startswith("posts/") else UNKNOWN
    )


def page_of(file: str, *, known: bool) -> tuple[Page, Source]:
    """The one document of a file, with the source whose rules are applied."""
    source = source_of(file) if known else UNKNOWN
    documents = list(read_archive([CORPUS / file], catalogue=catalogue(), source=source, fetched_at=FETCHED_AT))
    (page,) = documents
    assert isinstance(page, Page), page
    return page, source or catalogue().get(page.source) or UNKNOWN


def prediction(file: str, *, known: bool) -> Record:
    """One line as score.py reads it; all empty where the page is refused."""
    article = extract(*page_of(file, known=known))
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


def scored(records: Sequence[Record], predictions: Iterable[Record]) -> list[Score]:
    return [scorer().one(record, found, False) for record, found in zip(records, predictions, strict=True)]


def summary(scores: Sequence[Score]) -> Score:
    """Means over pages. `named`: publisher, editor and author together, as often as the gold has one."""
    found: Score = scorer().agg(scores, FIELDS)
    named = [score[name] for score in scores for name in ("source", "author", "editor") if name in score]
    found["named"] = mean(named) if named else None
    found["clean"] = None if found["leak_file"] is None else 1 - found["leak_file"]
    return found


def agreement_with_reference(reference: Record, found: Record) -> float:
    """F1 of a text, with its headline where the reference keeps it too."""
    norm = scorer().norm
    title = norm(found.get("title"))
    text = found.get("text") or ""
    if title and title in norm(reference["text"][:300]):
        text = f"{found['title']}\n{text}"
    record = {"file": reference["file"], "body": reference["text"].split("\n")}
    return float(scorer().one(record, {"text": text}, False)["F"])


def _lines(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


# ── saved cases ──────────────────────────────────────────────────────────────────────────────────────────────────────


def saved_cases() -> list[tuple[Source, Path]]:
    """Source and folder of every saved page; the mark-up is the site's, the texts are invented."""
    folders = (folder for source in catalogue() for folder in case_folders(SAVED_CASES / source))
    return [(catalogue()[f.parent.name], f) for f in folders if not f.name.startswith(LIST_PREFIX)]


def saved_score(source: Source, folder: Path, *, known: bool) -> dict[str, float] | None:
    """Body F1 and 0 or 1 for each field the record has, and for none of the lines that must be out being in the text.

    None where a person found that the page holds no article.
    """
    wanted = saved_case(folder)
    if not isinstance(wanted, dict):
        return None
    applied = source if known else UNKNOWN
    article = extract(read_page(folder), applied)
    if not isinstance(article, Article):
        return dict.fromkeys(("F1", "clean", "title"), 0.0)
    optional = set(wanted.get("optional", ()))
    text = [line for line in article.text.split("\n") if line not in optional]
    goal = [line for line in wanted["text"] if line not in optional]
    values = {
        "F1": agreement("".join(goal), "".join(text)),
        "clean": float(not {line for line in wanted["removed"] if len(line) > 3} & set(text) - set(goal)),
        "title": float(article.title == wanted["title"]),
    }
    if wanted["published_at"]:
        values["time"] = float(article.published_at == datetime.fromisoformat(wanted["published_at"]))
    for name in ("publisher", "author", "editor"):
        # What the source file adds for pages that name none cannot be read from a page.
        if wanted[name] and wanted[name] != source.publisher:
            values[name] = float(getattr(article, name) == wanted[name])
    return values


def agreement(wanted: str, found: str) -> float:
    """F1 over the multisets of four-character pieces."""
    if wanted == found:
        return 1.0
    left, right = _pieces(wanted), _pieces(found)
    common = (left & right).total()
    return 2 * common / (left.total() + right.total()) if common else 0.0


def _pieces(text: str) -> Counter[str]:
    text = "".join(text.split())
    return Counter(text[at : at + 4] for at in range(max(1, len(text) - 3)))


def means(scores: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each value over the records that have it."""
    values: dict[str, list[float]] = {}
    for score in scores:
        for name, value in score.items():
            values.setdefault(name, []).append(value)
    return {name: mean(found) for name, found in values.items()}

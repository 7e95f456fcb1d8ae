"""Saved pages and lists of each source, against what a person read in them.

    tests/sources/<source>/<case>/        case.toml, page.html or entry.html, article.json
    tests/sources/<source>/list_<case>/   case.toml, list.json, list.xml or list.html, rows.json

The record says what is right, not what is read today: a field that is known to be read wrongly is named in case.toml as
`open = ["symbols"]` and shows up as xfailed until it is repaired.
`pytest --rewrite` writes article.json and rows.json for you. Then read the diff: a saved mistake passes every day.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from articles.extract import extract
from articles.records import Article, Listed, Page
from spiders import listing
from spiders.catalogue import Catalogue
from spiders.rows import Row

HERE = Path(__file__).parent
CATALOGUE = Catalogue.load()

FIELDS = ("title", "published_precision", "publisher", "author", "editor", "section")


def cases(pattern: str) -> list[Any]:
    found = sorted(path for path in HERE.glob("*/*/case.toml") if path.parent.match(pattern))
    return [pytest.param(path.parent, id=f"{path.parts[-3]}/{path.parts[-2]}") for path in found]


def article_cases() -> list[Any]:
    return [case for case in cases("*") if not case.id.partition("/")[2].startswith("list_")]


@pytest.mark.parametrize("folder", article_cases())
def test_article(folder: Path, request: pytest.FixtureRequest) -> None:
    page = read_page(folder)
    article = extract(page, CATALOGUE[page.source])
    assert isinstance(article, Article), article
    saved = folder / "article.json"
    if request.config.getoption("--rewrite"):
        write_json(saved, described(article) | kept(saved))
        return
    wrong = mistakes(described(article), json.loads(saved.read_text(encoding="utf-8")))
    known = read_case(folder).get("open", ())
    assert not [line for line in wrong if line.partition(":")[0] not in known], "\n".join(wrong)
    if wrong:
        pytest.xfail("; ".join(wrong))


@pytest.mark.parametrize("folder", cases("list_*"))
def test_list(folder: Path, request: pytest.FixtureRequest) -> None:
    rows = list(read_rows(folder))
    saved = folder / "rows.json"
    if request.config.getoption("--rewrite"):
        write_json(saved, rows)
        return
    assert rows == json.loads(saved.read_text(encoding="utf-8"))


@pytest.mark.parametrize("source", [source.id for source in CATALOGUE.values() if source.lists])
def test_every_source_has_cases(source: str) -> None:
    kinds = {
        "list" if path.parent.name.startswith("list_") else "article" for path in HERE.glob(f"{source}/*/case.toml")
    }
    assert kinds == {"list", "article"}, (
        f"tests/sources/{source} needs a saved list and a saved article (CONTRIBUTING.md)"
    )


def mistakes(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What differs, a line each.

    `optional` are captions and the like, which may be in the text or not. `removed` are all wrapper lines inside the
    body as a person sees them; by selector or by pattern is the extractor's business, but nothing else may go.
    """
    optional = wanted.get("optional", [])
    text = [line for line in found["text"] if line not in optional]
    lines = [
        f"text: {mark} {line}"
        for mark, ours, theirs in (("found", text, wanted["text"]), ("missing", wanted["text"], text))
        for line in ours
        if line not in theirs
    ]
    if not lines and text != wanted["text"]:
        lines.append("text: order or repetition of lines")
    lines += [f"removed: {line}" for line in found["removed"] if line not in [*wanted["removed"], *optional]]
    for name, value in wanted.items():
        if name not in ("text", "removed", "optional") and found[name] != value:
            lines.append(f"{name}: found {found[name]!r}, wanted {value!r}")
    return lines


def kept(saved: Path) -> dict[str, Any]:
    """What only a person can say, and rewriting leaves alone."""
    old = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}
    return {"optional": old["optional"]} if "optional" in old else {}


def read_case(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))


def read_page(folder: Path) -> Page:
    case = read_case(folder)
    body = next(path for path in folder.iterdir() if path.stem in ("page", "entry"))
    return Page(
        source=folder.parent.name,
        url=case["url"],
        final_url=case.get("final_url", case["url"]),
        status=200,
        headers=case.get("headers", {}),
        body=body.read_bytes(),
        form=case["form"],
        fetched_at=case["fetched_at"],
        listed=Listed(**case.get("listed", {})),
    )


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    case = read_case(folder)
    rules = CATALOGUE[folder.parent.name].lists
    rule = next(rule for rule in rules if rule.kind == case["kind"] and case.get("rule", "") in rule.url)
    answer = next(path for path in folder.iterdir() if path.stem == "list").read_bytes()
    read = listing.read(answer, rule, url=case["url"], content_type=case.get("content_type"))
    yield from map(described_row, read.rows)


def described(article: Article) -> dict[str, Any]:
    """The part of an article that a person can check, paragraph by paragraph so that a diff is readable."""
    return {
        "article_id": article.article_id,
        "title": article.title,
        "text": article.text.split("\n"),
        "published_at": article.published_at and article.published_at.astimezone(zone(article)).isoformat(),
        **{name: getattr(article, name) for name in FIELDS[1:]},
        "symbols": list(article.symbols),
        "removed": list(article.removed),
    }


def described_row(row: Row) -> dict[str, Any]:
    listed = {name: getattr(row.listed, name) for name in Listed.__dataclass_fields__}
    filled = {name: list(value) if name == "tags" else value for name, value in listed.items() if value}
    return {"url": row.url, **filled, **({"html": row.html} if row.html else {})}


def zone(article: Article) -> Any:
    return CATALOGUE[article.source].zone


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

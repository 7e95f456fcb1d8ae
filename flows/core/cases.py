"""Saved pages and lists of a source, against what a person read in them: for `sources check` and for the test suite.

<source>/<case>/        case.toml, page.html or entry.html, article.json
<source>/list_<case>/   case.toml, list.json, list.xml or list.html, rows.json
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from articles.extract import extract
from articles.records import Article, Listed, Page
from articles.source import Source
from spiders import listing
from spiders.rows import Row

FIELDS = ("published_precision", "publisher", "author", "editor", "section")
LIST_PREFIX = "list_"


@dataclass(frozen=True, slots=True)
class CaseResult:
    source: str
    case: str
    differences: tuple[str, ...]
    """Empty if all is as a person found it."""


def check_source(source: Source, folder: Path) -> list[CaseResult]:
    """All saved cases of a source below its folder; none is a result too."""
    cases = case_folders(folder)
    if not cases:
        return [CaseResult(source.id, "the file", ())]
    return [CaseResult(source.id, case.name, tuple(differences(source, case))) for case in cases]


def case_folders(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/case.toml"))


def differences(source: Source, folder: Path) -> list[str]:
    found, wanted = read_case(source, folder), saved_case(folder)
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _article_differences(found, wanted)
    return [] if found == wanted else [f"rows: {found!r} instead of {wanted!r}"]


def read_case(source: Source, folder: Path) -> Any:  # noqa: ANN401 - JSON
    """What the source's rules give today: an article, or the rows of a list, as plain JSON values."""
    if folder.name.startswith(LIST_PREFIX):
        return read_rows(source, folder)
    article = extract(read_page(folder), source)
    return described(article, source) if isinstance(article, Article) else str(article)


def saved_case(folder: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(saved_path(folder).read_text(encoding="utf-8"))


def saved_path(folder: Path) -> Path:
    return folder / ("rows.json" if folder.name.startswith(LIST_PREFIX) else "article.json")


def read_page(folder: Path) -> Page:
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
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


def read_rows(source: Source, folder: Path) -> list[dict[str, Any]]:
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    rule = next(rule for rule in source.lists if rule.kind == case["kind"] and case.get("rule", "") in rule.url)
    answer = next(path for path in folder.iterdir() if path.stem == "list").read_bytes()
    return [
        described_row(row)
        for row in listing.read(answer, rule, url=case["url"], content_type=case.get("content_type")).rows
    ]


def described(article: Article, source: Source) -> dict[str, Any]:
    """The part of an article that a person can check, paragraph by paragraph so that a diff is readable."""
    return {
        "article_id": article.article_id,
        "title": article.title,
        "text": article.text.split("\n"),
        "published_at": article.published_at and article.published_at.astimezone(source.zone).isoformat(),
        **{name: getattr(article, name) for name in FIELDS},
        "symbols": list(article.symbols),
        "removed": list(article.removed),
    }


def described_row(row: Row) -> dict[str, Any]:
    listed = {name: getattr(row.listed, name) for name in Listed.__dataclass_fields__}
    filled = {name: list(value) if name == "tags" else value for name, value in listed.items() if value}
    return {"url": row.url, **filled, **({"html": row.html} if row.html else {})}


def _article_differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    # Captions and the like: neither their presence nor their absence is wrong.
    optional = set(wanted.get("optional", ()))
    changes = []
    for name in found:
        value, goal = found[name], wanted.get(name)
        if name in ("text", "removed"):
            value = [line for line in value if line not in optional]
        if name == "article_id" and goal is None:  # a hash of the address
            continue
        if value != goal:
            changes.append(f"{name}: {value!r} instead of {goal!r}")
    return changes

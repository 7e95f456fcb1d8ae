"""What the sample site publishes, and what a perfect extraction of it would give.

The words are data (texts/<source>.toml); the mark-up around them is the work of flows.sample.pages. A body is plain
text, one block a line:

    ## a heading      - an item of a list      | a | table | row |      > a quotation      anything else: a paragraph
    @name words       something of the site or about the article, set among the blocks: never part of the text

Inside a line, **…** is emphasis and [[name|code]] a security or a sector that the page links to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any, Literal

SOURCES = ("eastmoney", "sina", "wallstreetcn", "chinanews")
EDITIONS = (1, 2)

SHANGHAI = timezone(timedelta(hours=8), "+08:00")
# When each edition was put online: an hour apart, and a day before anyone reads this.
EDITION_TIMES = {
    1: datetime(2026, 11, 20, 16, 30, tzinfo=SHANGHAI),
    2: datetime(2026, 11, 20, 17, 30, tzinfo=SHANGHAI),
}

HOUSE_PUBLISHER = {"wallstreetcn": "华尔街见闻"}

BlockKind = Literal["paragraph", "heading", "item", "row", "quote", "wrapper"]
BLOCK_MARKS: dict[str, BlockKind] = {"## ": "heading", "- ": "item", "| ": "row", "> ": "quote", "@": "wrapper"}
LINK = re.compile(r"\[\[([^|\]]+)\|([^\]]+)\]\]")
EMPHASIS = re.compile(r"\*\*(.+?)\*\*")

# Market prefixes of East Money's and Sina's links. Sectors (90.BK…) are no securities.
MARKETS = {"1.": ".SH", "0.": ".SZ", "116.": ".HK", "105.": ".US", "sh": ".SH", "sz": ".SZ"}


@dataclass(frozen=True, slots=True)
class Block:
    kind: BlockKind
    words: str
    """With the marks of emphasis and links; of a wrapper, its name and what follows."""

    @property
    def plain(self) -> str:
        words = " ".join(self.cells) if self.kind == "row" else self.words
        return EMPHASIS.sub(r"\1", LINK.sub(r"\1", words))

    @property
    def cells(self) -> list[str]:
        return [cell.strip() for cell in self.words.strip("|").split("|")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleArticle:
    """One article as the data files describe it, in one edition."""

    key: str
    source: str
    native_id: str
    title: str
    body: str
    published: datetime | None = None
    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    section: str | None = None
    summary: str | None = None
    keywords: tuple[str, ...] = ()
    original_title: str | None = None
    """A line 原标题 or 原文标题 that the page prints."""
    via: Literal["feed", "list", "both"] = "list"
    """Which of East Money's two lists names it."""
    layout: Literal["modern", "old"] = "modern"
    kind: Literal["article", "video", "broken"] = "article"
    edition: int = 1
    """The first edition that has it."""
    copy_of: str | None = None
    """source/key of the article whose body this is."""
    publisher_link: tuple[str, ...] = ()
    """Name and code, where the source line links a part of the publisher's name."""
    unclosed_source: bool = False
    combo: bool = False
    """Author and source stand in one line under the text."""
    risk_notice: bool = False

    @property
    def blocks(self) -> list[Block]:
        return [parse_block(line) for line in self.body.strip().splitlines()]

    @property
    def text_blocks(self) -> list[Block]:
        return [block for block in self.blocks if block.kind != "wrapper"]

    @property
    def text(self) -> str:
        return "\n".join(block.plain for block in self.text_blocks)

    @property
    def symbols(self) -> tuple[str, ...]:
        codes = [code for block in self.text_blocks for _, code in LINK.findall(block.words)]
        return tuple(dict.fromkeys(symbol for code in codes if (symbol := symbol_of(code))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be read out of one article of the site."""

    article_id: str
    source: str
    title: str
    text: str
    published_at: datetime | None
    publisher: str | None
    author: str | None
    editor: str | None
    symbols: tuple[str, ...]
    duplicate_of: str | None = None
    """article_id of the article on another source that was published first with the same text."""


def expected(edition: int = 1) -> Iterator[Expected]:
    """The articles that a full crawl of one edition must yield: no videos, no broken pages."""
    for article in articles(edition):
        if article.kind != "article":
            continue
        yield Expected(
            article_id=f"{article.source}:{article.native_id}",
            source=article.source,
            title=article.title,
            text=article.text,
            published_at=article.published,
            publisher=article.publisher,
            author=article.author,
            editor=article.editor,
            symbols=article.symbols,
            duplicate_of=_id_of(article.copy_of) if article.copy_of else None,
        )


@cache
def articles(edition: int = 1) -> tuple[SampleArticle, ...]:
    """Everything the lists of an edition name, newest first; articles without a time last."""
    known = [_in_edition(row, edition) for row in _rows() if row["edition"] <= edition]
    return tuple(
        sorted(known, key=lambda article: article.published or datetime.min.replace(tzinfo=SHANGHAI), reverse=True)
    )


def parse_block(line: str) -> Block:
    for mark, kind in BLOCK_MARKS.items():
        if line.startswith(mark):
            return Block(kind, line if kind == "row" else line.removeprefix(mark))
    return Block("paragraph", line)


def symbol_of(code: str) -> str | None:
    """609318.SH for 1.609318 and sh609318; None for a sector."""
    for prefix, suffix in MARKETS.items():
        if code.startswith(prefix):
            return code.removeprefix(prefix) + suffix
    return None


def _in_edition(row: dict[str, Any], edition: int) -> SampleArticle:
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    change = fields.pop("second_edition", None)
    article = SampleArticle(**fields)
    if change is None or edition < 2:
        return article
    body = article.body
    for old, new in change["replace"]:
        if old not in body:
            raise ValueError(f"{article.source}/{article.key}: nothing to replace: {old}")
        body = body.replace(old, new)
    return replace(article, title=change["title"], body=f"{body.rstrip()}\n{change['append']}\n")


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    rows = [{"source": source, "edition": 1, "body": "", **row} for source in SOURCES for row in _read(source)]
    by_name = {f"{row['source']}/{row['key']}": row for row in rows}
    for row in rows:
        if original := row.get("copy_of"):
            row["body"] = by_name[original]["body"]
        if row["source"] in HOUSE_PUBLISHER:
            row.setdefault("publisher", HOUSE_PUBLISHER[row["source"]])
    return tuple(rows)


def _read(source: str) -> list[dict[str, Any]]:
    text = files("flows.sample").joinpath("texts", f"{source}.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["article"]
    return rows


def _id_of(name: str) -> str:
    row = next(row for row in _rows() if f"{row['source']}/{row['key']}" == name)
    return f"{row['source']}:{row['native_id']}"

"""`finnews sources learn`: proposes the wrapper lines of a source, and writes them to its file if asked to.

    lake: the latest texts ──▶ archive: their pages, read by today's rules ──▶ articles.learning ──▶ drop_lines

The file is edited as text, so that its comments and its order stay, and is only written if it then says what it said
before, and the new lines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from articles.learning import Body, Proposal, propose
from articles.records import Article
from articles.source import Source
from flows.commands.sources import file_of
from flows.core.accounting import Exit
from flows.core.rereading import open_reader
from flows.settings import Settings
from flows.terminal import Terminal, counted
from flows.writing import OutputError, write_whole
from spiders.catalogue import Catalogue
from storage.texts import StoredText, latest_texts

ARTICLE_TABLE = re.compile(r"^[ \t]*\[[ \t]*article[ \t]*\][ \t]*(?:#.*)?$", re.MULTILINE)
ANY_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
DROP_LINES = re.compile(r"^[ \t]*drop_lines[ \t]*=[ \t]*\[", re.MULTILINE)
# What an array of strings is made of; brackets and quotes inside strings and comments do not count.
TOKEN = re.compile(r"""'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"(?:\\.|[^"\\\n])*"|\#[^\n]*|\]|,|\s+""", re.DOTALL)
SHOWN_CHARS = 60


def sources_learn_command(
    source_id: str, settings: Settings, terminal: Terminal, *, limit: int, write: bool = False
) -> Exit:
    source = Catalogue.load(settings.sources).find(source_id)
    bodies = list(_bodies(settings, source, latest_texts(settings.lake_path, source.id, limit), terminal))
    proposals = propose(bodies, [re.compile(pattern) for pattern in source.article.keep_lines])
    file = _to_write(source, settings) if write and proposals else None
    if file is not None:
        write_whole(file, with_drop_lines(file, [each.pattern for each in proposals]))
    if terminal.as_json:
        lines = [asdict(each) | {"pattern": each.pattern} for each in proposals]
        terminal.document({"source": source.id, "articles": len(bodies), "lines": lines, "file": file and str(file)})
        return Exit.OK
    rows = [
        (each.articles, each.days, f"{each.share:.0%}", each.edge, _cut(each.line), each.examples[0])
        for each in proposals
    ]
    if rows:
        terminal.table(("articles", "days", "share", "at the", "line", "for instance"), rows)
    terminal.say(_conclusion(source.id, len(bodies), proposals, file))
    return Exit.OK


def _to_write(source: Source, settings: Settings) -> Path:
    file = file_of(source, settings.sources)
    if file is None:
        raise OutputError(f"{source.id}: no file of its own to write to")
    return file


def with_drop_lines(file: Path, patterns: Sequence[str]) -> str:
    """The file's text with these patterns in `article.drop_lines`. Raises OutputError if it cannot be edited safely."""
    text = file.read_text(encoding="utf-8-sig")
    before: dict[str, Any] = tomllib.loads(text)
    there = before.get("article", {}).get("drop_lines", [])
    new = [pattern for pattern in patterns if pattern not in there]
    if not new:
        return text
    before.setdefault("article", {})["drop_lines"] = [*there, *new]
    edited = _edited(text, new)
    try:
        is_right = tomllib.loads(edited) == before
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise OutputError(f"{file}: cannot be edited safely; add to [article] drop_lines by hand: {_array(new)}")
    return edited


def _bodies(settings: Settings, source: Source, texts: Sequence[StoredText], terminal: Terminal) -> Iterator[Body]:
    """As today's rules read them: what those take out already need not be learned."""
    with (
        open_reader(settings, {source.id: source}) as read,
        terminal.progress("articles read again", total=len(texts)) as advance,
    ):
        kept = [text for text in texts if text.raw_ref]
        reread = {
            text.article_id: found.text
            for text, found in zip(kept, read(text.raw_ref for text in kept), strict=True)
            if isinstance(found, Article)
        }
        for text in texts:
            yield Body.of(text.article_id, text.day, reread.get(text.article_id, text.text))
            advance(1)


def _edited(text: str, patterns: Sequence[str]) -> str:
    table = ARTICLE_TABLE.search(text)
    if table is None:
        return f"{text.rstrip()}\n\n[article]\ndrop_lines = {_array(patterns)}\n"
    following = ANY_TABLE.search(text, table.end())
    array = DROP_LINES.search(text, table.end(), following.start() if following else len(text))
    if array is None:
        return f"{text[: table.end()]}\ndrop_lines = {_array(patterns)}{text[table.end() :]}"
    last, end = _end_of_array(text, array.end())
    comma = "" if text[last - 1] in "[," else ","
    return f"{text[:last]}{comma}{text[last:end].rstrip()}{_elements(patterns)}\n{text[end:]}"


def _end_of_array(text: str, at: int) -> tuple[int, int]:
    """The end of its last element or comma, and where its bracket closes."""
    last = at
    while (token := TOKEN.match(text, at)) and token[0] != "]":
        at = token.end()
        if not token[0].isspace() and not token[0].startswith("#"):
            last = at
    return last, at


def _array(patterns: Sequence[str]) -> str:
    return f"[{_elements(patterns)}\n]"


def _elements(patterns: Sequence[str]) -> str:
    return "".join(f"\n    {_toml_string(pattern)}," for pattern in patterns)


def _toml_string(pattern: str) -> str:
    """Literal, as patterns are written by hand, where that can say it."""
    if "'" not in pattern and pattern.isprintable():
        return f"'{pattern}'"
    escaped = "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in _backslashed(pattern))
    return f'"{escaped}"'


def _backslashed(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace('"', '\\"')


def _cut(line: str) -> str:
    return line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1]}…"


def _conclusion(source_id: str, bodies: int, proposals: Sequence[Proposal], file: Path | None) -> str:
    articles = counted(bodies, "article")
    if not proposals:
        return f"{source_id}: nothing recurs at the edges of its latest {articles}"
    if file is None:
        lines = counted(len(proposals), "line")
        return f"{lines} of {articles}; `finnews sources learn {source_id} --write` drops them"
    return f"written to {file}; look at the diff, then `finnews reextract --source {source_id}` cleans what is stored"

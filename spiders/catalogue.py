"""Reads source files: TOML → `articles.source.Source`, and says exactly what is wrong with a file that is not one.

A file is checked whole before anything is fetched: keys, types, patterns, selectors and the holes in its urls. Fetching
and extraction never see a source that could fail for a spelling mistake.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cssselect import SelectorError
from parsel.csstranslator import HTMLTranslator
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from articles.records import Listed
from articles.source import UNKNOWN, ArticleRules, FieldRule, Gates, ListRule, Paging, Rate, Source

BUILT_IN = Path(__file__).with_name("sources")

# Which model describes the table at a place in the file; positions in arrays are left out.
TABLES: dict[tuple[str, ...], type[BaseModel]] = {
    (): Source,
    ("list",): ListRule,
    ("list", "paging"): Paging,
    ("article",): ArticleRules,
    ("gates",): Gates,
    ("rate",): Rate,
}
SELECTORS = ("body", "title", "published", "updated", "publisher", "author", "editor", "section", "summary", "tags")
SELECTORS_OF_PARTS = ("drop", "unwrap")
FIELDS = frozenset(field.name for field in fields(Listed)) | {"url", "html"}
DAY_HOLES = ("date", "yyyymmdd", "yyyy", "mm", "dd", "day_start", "day_end")
PAGING_HOLES = {"page": "page", "cursor": "cursor"} | dict.fromkeys(DAY_HOLES, "day")
HOLE = re.compile(r"\{(\w+)\}")

_TABLE_LINE = re.compile(r"\s*(\[\[?)\s*([\w.\"' -]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY_LINE = re.compile(r"\s*([\w\"'-][\w.\"' -]*?)\s*=")

Place = tuple[str | int, ...]


class SourceFileError(ValueError):
    """One thing wrong in one source file: where, what, and the key that was probably meant."""

    def __init__(self, file: Path, message: str, *, line: int = 1, key: str = "", suggestion: str = "") -> None:
        self.file, self.line, self.key, self.suggestion = file, line, key, suggestion
        self.message = message + (f"; did you mean {suggestion!r}?" if suggestion else "")
        super().__init__(f"{file}:{line}: {key + ': ' if key else ''}{self.message}")


class UnknownSourceError(ValueError):
    """A source id that no file defines."""


class Catalogue(Mapping[str, Source]):
    """All known sources by id."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)
        self._owners = {host: source for source in reversed(self._sources.values()) for host in source.hosts}

    @classmethod
    def load(cls, extra_dirs: Iterable[Path] = ()) -> Self:
        """The built-in sources; a file in a later folder replaces the source of the same id."""
        sources: dict[str, Source] = {}
        for folder in (BUILT_IN, *extra_dirs):
            sources.update(_load_folder(Path(folder)))
        return cls(sources)

    def for_url(self, url: str) -> Source | None:
        """The source whose page this is; the closest host wins where one source lives below another."""
        host = (urlsplit(url).hostname or "").rstrip(".")
        while host:
            if owner := self._owners.get(host):
                return owner
            host = host.partition(".")[2]
        return None

    def find(self, source_id: str) -> Source:
        """The source of that id; `local` is the one of documents that no site owns. Raises UnknownSourceError."""
        if source_id == UNKNOWN.id:
            return UNKNOWN
        if source_id not in self:
            close = difflib.get_close_matches(source_id, self, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; see `finnews sources list`"
            raise UnknownSourceError(f"unknown source {source_id!r}{hint}")
        return self[source_id]

    def choose(self, source_ids: Iterable[str]) -> list[str]:
        """The ids asked for, each once; those of all enabled sources with a list, if none was asked for."""
        asked = [self.find(source_id).id for source_id in source_ids]
        return list(dict.fromkeys(asked)) or sorted(s.id for s in self.values() if s.enabled and s.lists)

    def __getitem__(self, source_id: str) -> Source:
        return self._sources[source_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def load_source(path: Path) -> Source:
    text = _read(path)
    table = _parse(path, text)
    try:
        source = Source.model_validate(table)
    except ValidationError as error:
        raise _described(path, text, table, error) from error
    _check_lists(path, text, source)
    _check_selectors(path, text, source)
    return source


def _load_folder(folder: Path) -> dict[str, Source]:
    if not folder.is_dir():
        raise SourceFileError(folder, "no such folder of source files")
    sources: dict[str, Source] = {}
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.exists() and not path.is_file():
            # A pipe would keep us waiting for its writer, for ever.
            raise SourceFileError(path, "is no file; move it out of the folder of source files")
        source = load_source(path)
        if source.id in sources:
            line = _line_of(_read(path), ("id",))
            raise SourceFileError(path, f"{source.id!r} is already in {files[source.id].name}", line=line, key="id")
        sources[source.id], files[source.id] = source, path
    return sources


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(path: Path) -> str:
    try:
        # tomllib wants neither a byte order mark nor the lone CR that some editors leave.
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise SourceFileError(path, f"is not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise SourceFileError(path, error.strerror or str(error)) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise SourceFileError(path, str(error), line=line) from error


# ── saying what is wrong ─────────────────────────────────────────────────────────────────────────────────────────────


def _described(path: Path, text: str, table: dict[str, Any], error: ValidationError) -> SourceFileError:
    """The first complaint by line."""
    found = [(_line_of(text, place), place, details) for place, details in _complaints(table, error)]
    line, place, details = min(found, key=lambda each: each[0])
    message, suggestion = _worded(place, details)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return SourceFileError(path, message + more, line=line, key=_dotted(place), suggestion=suggestion)


def _complaints(table: dict[str, Any], error: ValidationError) -> list[tuple[Place, ErrorDetails]]:
    """Pydantic reports each branch of a union; only the one that was meant counts."""
    complaints = []
    for details in error.errors():
        place = tuple(step for step in details["loc"] if step not in ("FieldRule", "str", "int"))
        if "str" in details["loc"] and isinstance(_at(table, place), dict):
            continue
        complaints.append((place, details))
    return complaints


def _at(table: object, place: Place) -> object:
    for step in place:
        if isinstance(table, dict):
            table = table.get(step)
        elif isinstance(table, list) and isinstance(step, int) and step < len(table):
            table = table[step]
        else:
            return None
    return table


def _worded(place: Place, details: ErrorDetails) -> tuple[str, str]:
    if details["type"] == "extra_forbidden":
        return "unknown key", _closest(str(place[-1]), _keys_beside(place))
    if details["type"] == "missing":
        return "is missing", ""
    return details["msg"].removeprefix("Value error, "), ""


def _keys_beside(place: Place) -> list[str]:
    table = tuple(step for step in place[:-1] if isinstance(step, str))
    model = FieldRule if table[:2] == ("list", "fields") else TABLES.get(table, Source)
    return [field.alias or name for name, field in model.model_fields.items()]


def _closest(word: str, words: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word, list(words), n=1)), "")


def _dotted(place: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _line_of(text: str, place: Place) -> int:
    """Line of the key, or of the closest table or key above it that can be found."""
    lines = dict(_places(text))
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 1


def _places(text: str) -> Iterator[tuple[Place, int]]:
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _TABLE_LINE.match(line):
            table = _place(_names(found[2]), counts)
            if found[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield table, number
        elif found := _KEY_LINE.match(line):
            yield (*table, *_names(found[1])), number


def _place(names: list[str], counts: Mapping[Place, int]) -> Place:
    """A table's place: `[list.paging]` after the second `[[list]]` lies in its element 1."""
    place: Place = ()
    for name in names[:-1]:
        place = (*place, name)
        if place in counts:
            place = (*place, counts[place])
    return (*place, names[-1])


def _names(dotted: str) -> list[str]:
    return [name.strip().strip("\"'") for name in dotted.split(".")]


# ── what the models cannot know ──────────────────────────────────────────────────────────────────────────────────────


def _check_lists(path: Path, text: str, source: Source) -> None:
    for index, rule in enumerate(source.lists):
        _check_fields(path, text, index, rule)
        _check_holes(path, text, index, rule)
        _check_host(path, text, index, rule, source)


def _check_fields(path: Path, text: str, index: int, rule: ListRule) -> None:
    for name, field in rule.fields.items():
        place: Place = ("list", index, "fields", name)
        if name not in FIELDS:
            raise SourceFileError(
                path,
                "unknown field",
                line=_line_of(text, place),
                key=_dotted(place),
                suggestion=_closest(name, FIELDS),
            )
        css = field.css if isinstance(field, FieldRule) else field if rule.kind == "html" else None
        _check_selector(path, text, place, css)
    row = rule.items if rule.kind == "html" else rule.row
    _check_selector(path, text, ("list", index, "items" if rule.kind == "html" else "row"), row)
    if rule.kind in ("json", "html") and "url" not in rule.fields:
        place = ("list", index, "fields")
        raise SourceFileError(path, "no field 'url'", line=_line_of(text, place), key=_dotted(place))


def _check_holes(path: Path, text: str, index: int, rule: ListRule) -> None:
    by = rule.paging.by if rule.paging else ""
    known = {*rule.params, *(hole for hole, needs in PAGING_HOLES.items() if by and (needs == by or hole == "page"))}
    start = rule.paging.start if rule.paging else ""
    for key, template, fills in (
        (("url",), rule.url, known),
        (("body",), rule.body or "", known),
        (("paging", "start"), start, {*rule.params, *DAY_HOLES}),
    ):
        for hole in HOLE.findall(template):
            if hole not in fills:
                place: Place = ("list", index, *key)
                message = f"nothing fills {{{hole}}}: neither params nor paging"
                raise SourceFileError(
                    path, message, line=_line_of(text, place), key=_dotted(place), suggestion=_closest(hole, fills)
                )


def _check_host(path: Path, text: str, index: int, rule: ListRule, source: Source) -> None:
    parts = urlsplit(rule.url)
    place: Place = ("list", index, "url")
    if parts.scheme not in ("http", "https"):
        raise SourceFileError(path, "is no http or https url", line=_line_of(text, place), key=_dotted(place))
    first_url = rule.paging.first_url if rule.paging else ""
    for key, netloc in ((place, parts.netloc), (("list", index, "paging", "first_url"), urlsplit(first_url).netloc)):
        host = urlsplit(f"//{netloc}").hostname or ""
        if netloc and "{" not in netloc and not source.owns(host):
            raise SourceFileError(path, f"{host} is not among hosts", line=_line_of(text, key), key=_dotted(key))


def _check_selectors(path: Path, text: str, source: Source) -> None:
    for key in (*SELECTORS, *SELECTORS_OF_PARTS):
        for selector in getattr(source.article, key):
            _check_selector(path, text, ("article", key), selector)


def _check_selector(path: Path, text: str, place: Place, selector: str | None) -> None:
    if not selector:
        return
    try:
        HTMLTranslator().css_to_xpath(selector)
    except SelectorError as error:
        message = f"{selector!r} is not a selector: {error}"
        raise SourceFileError(path, message, line=_line_of(text, place), key=_dotted(place)) from error

"""JSON, JSONP and HTML inside JSON.

A site changes such an answer without notice and with status 200. Whatever the source file counts on is therefore
checked as it is used, and an error names the place: `result.data is an object, not a list`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from parsel import Selector

from articles.source import FieldRule, ListRule
from spiders.kinds.html_list import add_rows
from spiders.rows import MAX_ROWS, ListError, Listing, RowBuilder, first_group

# `callback(…)`, `var answer = …`, `/**/jQuery_12.cb && jQuery_12.cb(…)`: whatever the call is named.
_CALL = re.compile(
    r"\s*(?:/\*.*?\*/\s*)?(?:[\w$.]+\s*&&\s*)?(?:(?:var|let|const)\s+)?[\w$.\[\]'\"]+\s*[(=]\s*", re.DOTALL
)
_AFTER = re.compile(r"[\s);]*\Z")
_HOLE = re.compile(r"\{([\w.]+)\}")
_SHOWN = 120


def read(text: str, rule: ListRule, *, url: str) -> Listing:
    answer = parse(text)
    _check_ok(answer, rule)
    found = at(answer, rule.items)
    if isinstance(found, str) and rule.row:
        listing = _html_rows(found, rule, url)
    else:
        listing = _rows(_as_list(found, rule.items, answer), rule, url)
    return Listing(rows=listing.rows, dropped=listing.dropped, next_cursor=_cursor(answer, rule))


def parse(text: str) -> object:
    """The value in JSON or JSONP."""
    text = text.lstrip("\ufeff \t\r\n")
    if not text:
        raise ListError("no JSON: the answer is empty")
    start = 0 if text[0] in "{[" else _after_call(text)
    try:
        answer, end = json.JSONDecoder().raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ListError(f"no JSON: {error}; it begins {text[:_SHOWN]!r}") from error
    if not _AFTER.match(text, end):
        raise ListError(f"no JSON: more follows at character {end}: {text[end : end + _SHOWN]!r}")
    return answer


def at(value: object, path: str) -> object:
    """What lies at a dotted path, None where it leads nowhere; a number picks from an array."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.lstrip("-").isdigit() and -len(value) <= int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _after_call(text: str) -> int:
    found = _CALL.match(text)
    if not found:
        raise ListError(f"no JSON: it begins {text[:_SHOWN]!r}")
    return found.end()


def _check_ok(answer: object, rule: ListRule) -> None:
    for path, wanted in rule.ok.items():
        if _plain(at(answer, path)) != str(wanted):
            raise ListError(f"{path} is {_short(at(answer, path))}, not {wanted!r}")


def _as_list(found: object, path: str, answer: object) -> list[object]:
    if isinstance(found, list):
        return found
    place = path or "the answer"
    if found is None and _holds_null(answer, path):
        return []  # how some say that a day, or the page behind the last, is empty
    if found is None:
        keys = ", ".join(map(str, answer)) if isinstance(answer, Mapping) else _short(answer)
        raise ListError(f"{place} is missing; the answer has {keys[:_SHOWN]}")
    raise ListError(f"{place} is {_kind(found)}, not a list")


def _holds_null(answer: object, path: str) -> bool:
    before, _, name = path.rpartition(".")
    parent = at(answer, before)
    return isinstance(parent, Mapping) and name in parent


def _rows(rows: list[object], rule: ListRule, url: str) -> Listing:
    builder = RowBuilder(url)
    place = rule.items or "the answer"
    for index, row in enumerate(rows[:MAX_ROWS]):
        if not isinstance(row, Mapping):
            raise ListError(f"{place}.{index} is {_kind(row)}, not an object")
        _add(builder, row, rule, f"{place}.{index}")
    if rows and all(each.reason == "no_link" for each in builder.dropped) and not builder.rows:
        raise ListError(f"none of the {len(rows)} rows of {place} has a url")
    for index in range(MAX_ROWS, len(rows)):
        builder.drop(f"{place}.{index}", "excess")
    return builder.listing()


def _add(builder: RowBuilder, row: Mapping[str, object], rule: ListRule, place: str) -> None:
    values = {name: _field(row, field, place) for name, field in rule.fields.items() if name != "tags"}
    link = values.pop("url", None)
    if reason := _unwanted(row, rule):
        builder.drop(link or place, reason)
    else:
        builder.add(link, values, tags=_tags(row, rule))


def _html_rows(text: str, rule: ListRule, url: str) -> Listing:
    builder = RowBuilder(url)
    add_rows(builder, Selector(text, type="html"), rule, rule.row)
    return builder.listing()


def _field(row: Mapping[str, object], field: str | FieldRule, place: str) -> str | None:
    if isinstance(field, str):
        field = FieldRule(path=field)
    if field.template is not None:
        value = _filled(row, field.template)
    else:
        value = _text(at(row, field.path or ""), f"{place}.{field.path}")
    return first_group(field.regex, value)


def _filled(row: Mapping[str, object], template: str) -> str | None:
    """None if a hole stays empty: an address with a missing part leads to another page."""
    values = {path: _plain(at(row, path)) for path in _HOLE.findall(template)}
    return _HOLE.sub(lambda hole: values[hole[1]], template) if all(values.values()) else None


def _tags(row: Mapping[str, object], rule: ListRule) -> tuple[str, ...]:
    field = rule.fields.get("tags")
    if field is None:
        return ()
    path = field if isinstance(field, str) else field.path or ""
    value = at(row, path)
    found = value if isinstance(value, list) else re.split(r"[,，;；\s]+", _plain(value))
    return tuple(dict.fromkeys(tag for tag in map(_plain, found) if tag))


def _unwanted(row: Mapping[str, object], rule: ListRule) -> str:
    for path, values in rule.skip_if.items():
        if _plain(at(row, path)) in {str(value) for value in values}:
            return f"skip_{path}"
    for path, values in rule.keep_if.items():
        if _plain(at(row, path)) not in {str(value) for value in values}:
            return f"keep_{path}"
    return ""


def _cursor(answer: object, rule: ListRule) -> str | None:
    if not rule.paging or not rule.paging.cursor:
        return None
    return _plain(at(answer, rule.paging.cursor)) or None


def _text(value: object, place: str) -> str | None:
    if isinstance(value, (Mapping, list)):
        raise ListError(f"{place} is {_kind(value)}, not text")
    return _plain(value) or None


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a truth value", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _short(value: object) -> str:
    return _kind(value) if isinstance(value, (dict, list)) else repr(value)[:_SHOWN]

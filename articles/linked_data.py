"""Whom the JSON-LD of a page names: written for programs, and seen by no reader.

Read value by value, wherever the key stands: the object around one is broken on many pages, and of a graph that says
who is who by number, the parts lie apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from articles.normalise import clean_line

MAX_NAME_CHARS = 40
# A longer value is no name; deeper ones would exhaust the stack.
MAX_VALUE_CHARS = 4_000
MAX_BRACKETS = 200

_FIELD_OF = {"publisher": "publisher", "author": "author", "creator": "author", "editor": "editor"}
_KEY = re.compile(rf'"({"|".join(_FIELD_OF)})"\s*:\s*(?=["{{\[])')
_DECODER = json.JSONDecoder(strict=False)


def linked_names(scripts: Iterable[str]) -> dict[str, str]:
    """publisher, author, editor, as far as named; several people with a space between them."""
    names: dict[str, str] = {}
    for script in scripts:
        for key in _KEY.finditer(script):
            field = _FIELD_OF[key[1]]
            if field not in names and (name := _name_of(_value_at(script, key.end()), script)):
                names[field] = name
    return names


def _value_at(script: str, start: int) -> Any:  # noqa: ANN401 - whatever JSON holds
    piece = script[start : start + MAX_VALUE_CHARS]
    if piece.count("[") + piece.count("{") > MAX_BRACKETS:
        return None
    try:
        return _DECODER.raw_decode(piece)[0]
    except ValueError:
        return None


def _name_of(value: Any, script: str) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return " ".join(filter(None, (_name_of(one, script) for one in value)))
    if isinstance(value, dict):
        return _name_of(value.get("name"), script) or _named_elsewhere(value.get("@id"), script)
    name = clean_line(value) if isinstance(value, str) else ""
    return name if 2 <= len(name) <= MAX_NAME_CHARS and "//" not in name else ""


def _named_elsewhere(identity: Any, script: str) -> str:  # noqa: ANN401
    """The name in the object of a graph that has this `@id`."""
    if not isinstance(identity, str) or not identity:
        return ""
    written = re.escape(identity).replace("/", r"\\?/")
    found = re.search(rf'"@id"\s*:\s*"{written}"[^{{}}]{{0,400}}?"name"\s*:\s*("[^"\n]{{2,80}}")', script)
    return _name_of(_value_at(found[1], 0), script) if found else ""

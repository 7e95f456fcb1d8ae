"""The article that a page carries in its scripts, or in fields of a form: pages drawn by a script have it nowhere else.

No script is run. The longest string of running text under a telling key is the body; fields are the values of telling
keys that stand nearest to it. A form has one field for each: `<textarea class="article-content">`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

MIN_BODY_CHARS = 40
# An object of JSON that is larger on either side of the text is not looked through.
AROUND_CHARS = 8_000
MAX_VALUE_CHARS = 200
# The object that holds the text, and those around it: what lists hold there is not the article's.
MAX_OBJECTS = 3

_BODY_KEYS = (
    "articleBody|content|contentHtml|content_html|htmlContent|articleContent|article_content|newsContent|body|html|detail|"
    "text|cnt_html|description_html|txt"
)
# JSON that a page holds as it would stand in an address: %7B%22data%22%3A …
_IN_PERCENT = re.compile(r"\s*%(?:7B|5B)%", re.IGNORECASE)
# Of each field, the better names first.
_FIELD_KEYS = {
    "title": "title articleTitle article_title newsTitle headline name",
    "author": "author authorName author_name authors writer reporter nickname nick_name screen_name",
    "editor": "editor editorName responEditor respEditor responsibleEditor duty_editor",
    "publisher": "source sourceName source_name media mediaName media_name copyfrom copyFrom origin from",
    "time": "publishTime publish_time publishedTime pubTime pub_time pubtime ptime publishedAt published_at "
    "publishDate publish_date pubDate datePublished showTime show_time display_time ctime createTime create_time "
    "created_at time date",
}
# Keys of JavaScript may be bare, its strings in single quotes.
_STRING = r"\"((?:[^\"\\]|\\.){%s})\"|'((?:[^'\\]|\\.){%s})'"
_BODY = re.compile(
    rf"(?<![\w-])[\"']?(?:{_BODY_KEYS})[\"']?\s*:\s*(?:{_STRING % (f'{MIN_BODY_CHARS},', f'{MIN_BODY_CHARS},')})"
)
_VALUE = rf"(?:{_STRING % (f'1,{MAX_VALUE_CHARS}', f'1,{MAX_VALUE_CHARS}')}|(\d{{10,13}})(?!\d))"
# A name may stand in an object of its own: `"author": {"id": 7, "name": …}`.
_NAMED = r"(?:\[?\s*\{[^{}\[\]]{0,300}?[\"']name[\"']\s*:\s*|\[\s*)?"
_FIELDS = {
    name: re.compile(rf"(?<![\w-])[\"']?({keys.replace(' ', '|')})[\"']?\s*:\s*{_NAMED}{_VALUE}")
    for name, keys in _FIELD_KEYS.items()
}


@dataclass(frozen=True, slots=True)
class Embedded:
    html: str
    fields: dict[str, str]
    """title, author, editor, publisher, time: as written."""


# What stands in front of the key in the name of a field: `article-source-name`.
_BEFORE_KEY = re.compile(r"^(?:article|news|art|content|detail|doc)?[^a-z]*")
_KEY_OF = {key.lower().replace("_", ""): name for name, keys in _FIELD_KEYS.items() for key in keys.split()}
_MARK_UP = re.compile(r"<(?:p|div|br|section|article)\b", re.IGNORECASE)


def embedded_article(tree: etree._Element) -> Embedded | None:
    """The longest text in the scripts of a page, with the fields beside it; or that of a field of a form."""
    return _in_scripts(tree) or _in_form(tree)


def _in_form(tree: etree._Element) -> Embedded | None:
    """Mark-up in a field that is not displayed; what the others are is told by their names."""
    areas = list(tree.iter("textarea"))
    pieces = [piece for area in areas if _MARK_UP.search(piece := _inside(area)) and _is_prose(piece)]
    if not pieces:
        return None
    fields: dict[str, str] = {}
    for area in areas:
        key = re.sub(r"[^a-z]", "", _BEFORE_KEY.sub("", (area.get("class") or area.get("name") or "").lower()))
        if (name := _KEY_OF.get(key)) and 0 < len(value := _inside(area).strip()) <= MAX_VALUE_CHARS:
            fields.setdefault(name, value)
    return Embedded(max(pieces, key=len), fields)


def _inside(area: etree._Element) -> str:
    """Its text; libxml2 reads mark-up in it as elements where a browser does not."""
    inner = (str(etree.tostring(child, encoding="unicode", method="html")) for child in area)
    return "".join((area.text or "", *inner))


def _in_scripts(tree: etree._Element) -> Embedded | None:
    best: tuple[str, str, int, int] | None = None
    for script in tree.iter("script"):
        if script.text and len(script.text) > MIN_BODY_CHARS:
            text = unquote(script.text.strip()) if _IN_PERCENT.match(script.text) else script.text
            for found in _BODY.finditer(text):
                longest = len(best[0]) if best else 0
                if len(found[0]) > longest and (piece := _unescaped(found[1], found[2])) and _is_prose(piece):
                    best = (piece, text, found.start(), found.end())
    return Embedded(best[0], _fields_around(*best[1:])) if best else None


def _fields_around(text: str, start: int, end: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, members in enumerate(_objects_around(text, start, end)):
        for name, pattern in _FIELDS.items():
            if name not in fields and (value := _member(pattern, _FIELD_KEYS[name], members, inner=number == 0)):
                fields[name] = value
    return fields


def _objects_around(text: str, start: int, end: int) -> Iterator[str]:
    """The inside of the object that holds the text, without the text, then those of the objects around it."""
    before, behind = text[max(0, start - AROUND_CHARS) : start], text[end : end + AROUND_CHARS]
    opening, closing = len(before), -1
    for _ in range(MAX_OBJECTS):
        opening = _unmatched(before, range(opening - 1, -1, -1), "{", "}")
        closing = _unmatched(behind, range(closing + 1, len(behind)), "}", "{")
        yield before[opening + 1 :] + behind[:closing]
        if opening < 0:
            return


def _unmatched(text: str, places: range, outer: str, inner: str) -> int:
    """Where the brace is that closes what is open here; where the places end if there is none."""
    depth = 0
    for place in places:
        if text[place] == inner:
            depth += 1
        elif text[place] == outer:
            if not depth:
                return place
            depth -= 1
    return places.stop


def _member(pattern: re.Pattern[str], keys: str, members: str, *, inner: bool) -> str:
    """The value whose key lies highest and is the best name; `inner`: in the object of the text itself."""
    order = keys.split()
    found = [(_depth(members, match.start()), match) for match in pattern.finditer(members)]
    ranked = sorted((depth, order.index(m[1]), m.start(), m) for depth, m in found if depth <= 1 + inner)
    for *_, match in ranked:
        if value := (match[4] or _unescaped(match[2], match[3]) or "").strip():
            return value
    return ""


def _depth(members: str, at: int) -> int:
    """In how many objects and lists inside."""
    return sum(members.count(opened, 0, at) - members.count(closed, 0, at) for opened, closed in ("{}", "[]"))


def _is_prose(piece: str) -> bool:
    return "。" in piece or "，" in piece or ". " in piece


def _unescaped(double: str | None, single: str | None) -> str | None:
    """The value of a string literal; HTML that was escaped once more, to be safe inside a script, is unescaped."""
    literal = double if double is not None else (single or "").replace("\\'", "'").replace('"', '\\"')
    try:
        value = str(json.loads(f'"{literal}"', strict=False))
    except ValueError:
        return None
    if ("<" not in value and "&lt;" in value) or value.startswith("&quot;"):
        value = html.unescape(value)
    return value.strip('"')

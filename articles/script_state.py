r"""The data that scripts of a page carry, in one form: objects as they are written, with their values in place.

    window.STATE={title:"…",content:"…"}                          as it stands
    %7B%22title%22%3A…                                            as in an address
    JSON.parse("{\"title\":…}")                                   a string of its own
    (function(a,b){b.id=7;return {title:a,media:b}}("…",{}))      names for what stands there often (Nuxt 2)
    [{"article":1},{"title":2,"content":3},"…","…"]               numbers for places in one list (Nuxt 3)
    {"title":"…","blocks":[{"type":"p","text":"…"},…]}            a list of paragraphs
    self.__next_f.push([1,"5:{\"content\":\"$a\"}\na:T1f,…"])     rows, and texts apart from them (Next.js)

No script is run. Names may stand for names, and one long text for many: what is put in place is limited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import unquote

from lxml import etree

MIN_CHARS = 40
# Of what is put in place of names, numbers and references, all together.
MAX_PUT_CHARS = 1024 * 1024
MAX_FUNCTIONS = 3
MAX_LISTS = 20
MAX_TOKENS = 400_000
MAX_VALUES = 200_000
# Objects in objects of a numbered list; deeper ones are cut.
MAX_DEPTH = 16
# A value may hold names itself.
ROUNDS = 2

# Whatever is open at the end is read to the end: where each quotation mark is tried anew, time is quadratic.
STRING = r"\"(?:[^\"\\]++|\\.)*+(?:\"|\Z)|'(?:[^'\\]++|\\.)*+(?:'|\Z)"
_IN_PERCENT = re.compile(r"\s*%(?:7B|5B)%", re.IGNORECASE)
_PARSED = re.compile(rf"(?:JSON\.parse|decodeURIComponent)\(\s*+({STRING})", re.DOTALL)
_ENCODED = re.compile(r'"(?=[\[{]{1,4}\\")(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_FUNCTION = re.compile(r"\(function\s*+\(([\w$,\s]*+)\)\s*+\{")
_TOKEN = re.compile(rf"{STRING}|[{{}}()\[\],;]", re.DOTALL)
_MEMBER_SET = re.compile(r"\s*+([A-Za-z_$][\w$]*+)\.([\w$]++)=")
_NAME = re.compile(rf"{STRING}|([:\[,]\s*+)([A-Za-z_$][\w$]*+)(?=\s*+[,}}\]])", re.DOTALL)
_PUSH = re.compile(rf"__next_f\.push\(\[1,\s*+({STRING})", re.DOTALL)
_ROW = re.compile(rb"([0-9a-f]{1,8}):(?:T([0-9a-f]{1,8}),)?")
_REFERENCE = re.compile(r'"\$([0-9a-f]{1,8})"')
_LIST = re.compile(r'"(?:contents?|paragraphs|blocks|body|content_?[lL]ist|articleContent)"\s*+:\s*+(?=\[)')
_PARAGRAPH_KEYS = ("text", "content", "value", "html")
# What has one of these is a comment, or another article.
_NO_PARAGRAPH = {"title", "headline", "author", "nick", "nickname", "user", "userName", "summary", "likes", "replies"}
_DECODER = json.JSONDecoder(strict=False)
_NO_JSON = re.compile(r'\\x([0-9a-fA-F]{2})|\\(.)|"', re.DOTALL)


def states_of(tree: etree._Element) -> Iterator[str]:
    """What each script holds; the rows that many scripts hold are one."""
    rows: list[str] = []
    for script in tree.iter("script"):
        text = script.text
        if text and len(text) > MIN_CHARS:
            if "__next_f.push(" in text:
                rows += (string_of(literal) or "" for literal in _PUSH.findall(text))
            else:
                yield _with_lists_joined(_in_one_form(text))
    if rows:
        yield _with_lists_joined(_with_texts("".join(rows)))


def string_of(literal: str) -> str | None:
    """The value of a string as it is written in JSON or JavaScript, with its quotation marks."""
    inside = literal[1:-1]
    if literal[0] == "'" or "\\x" in inside or "\\'" in inside:
        inside = _NO_JSON.sub(_as_in_json, inside)
    try:
        return str(json.loads(f'"{inside}"', strict=False))
    except ValueError:
        return None


def _as_in_json(found: re.Match[str]) -> str:
    if found[1]:
        return f"\\u00{found[1]}"
    escaped: str | None = found[2]
    if escaped is None:
        return '\\"'
    return found[0] if escaped in '"\\/bfnrtu' else escaped


def _in_one_form(script: str) -> str:
    if _IN_PERCENT.match(script):
        return unquote(script.strip())
    if "JSON.parse(" in script or "decodeURIComponent(" in script:
        script = _PARSED.sub(_parsed, script)
    if '{\\"' in script:
        script = _ENCODED.sub(_decoded, script)
    if "(function" in script and "return" in script:
        return _with_arguments(script)
    return _with_values(script) if script.lstrip()[:2] in ("[{", "[[") else script


def _parsed(found: re.Match[str]) -> str:
    value = string_of(found[1]) or ""
    return unquote(value) if _IN_PERCENT.match(value) else value


def _decoded(found: re.Match[str]) -> str:
    literal = found[0]
    return literal if len(literal) < MIN_CHARS else string_of(literal) or literal


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _with_arguments(script: str) -> str:
    """With what a function returns that is called where it stands, in its place."""
    for head in islice(_FUNCTION.finditer(script), MAX_FUNCTIONS):
        statements, end = _parts(script, head.end(), ";")
        returned = next((each for each in statements if each.lstrip().startswith("return")), "")
        if returned and script.startswith("}(", end):
            values, _ = _parts(script, end + len("}("), ",")
            names = [name.strip() for name in head[1].split(",")]
            if len(names) == len(values):
                given = dict(zip(names, values, strict=True)) | _objects_set(statements)
                return f"{script[: head.start()]}{_put(returned, given)}{script[end:]}"
    return script


def _parts(text: str, start: int, mark: str) -> tuple[list[str], int]:
    """What stands from `start` up to the bracket that closes what is open there, cut at each `mark` outside brackets
    and strings; and where that bracket is."""
    parts: list[str] = []
    depth = 0
    for token in islice(_TOKEN.finditer(text, start), MAX_TOKENS):
        char = text[token.start()]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return [*parts, text[start : token.start()]], token.start()
        elif char == mark and not depth:
            parts.append(text[start : token.start()])
            start = token.end()
    return [*parts, text[start:]], len(text)


def _objects_set(statements: Sequence[str]) -> dict[str, str]:
    """Objects that are filled in member by member: `a.id=7;a.name="…"`."""
    members: dict[str, list[str]] = {}
    for statement in statements:
        if found := _MEMBER_SET.match(statement):
            members.setdefault(found[1], []).append(f"{found[2]}:{statement[found.end() :]}")
    return {name: f"{{{','.join(each)}}}" for name, each in members.items()}


def _put(text: str, values: Mapping[str, str]) -> str:
    left = MAX_PUT_CHARS

    def value_of(found: re.Match[str]) -> str:
        nonlocal left
        value = values.get(found[2] or "")
        if value is None or len(value) > left:
            return found[0]
        left -= len(value)
        return f"{found[1]}{value}"

    for _ in range(ROUNDS):
        text = _NAME.sub(value_of, text)
    return text


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _with_values(script: str) -> str:
    """The first value of a list in which all others stand, with these in their places."""
    try:
        values = json.loads(script, strict=False)
    except (ValueError, RecursionError):
        return script
    numbered = isinstance(values[0], dict | list) and all(type(place) is int for place in _places(values[0]))
    return "".join(_Unfolding(values).written(0, 0)) if numbered else script


def _places(value: dict[str, Any] | list[Any]) -> list[Any]:
    """Where the members of a value stand: `["Reactive", 1]` is the value of a place with what is done with it."""
    if isinstance(value, dict):
        return list(value.values())
    return value[1:] if value and isinstance(value[0], str) else value


class _Unfolding:
    """Writes values of a numbered list, as many as it may."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values
        self._left = MAX_VALUES
        self._chars_left = MAX_PUT_CHARS

    def written(self, place: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
        value = self._values[place] if type(place) is int and 0 <= place < len(self._values) else None
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            yield "null"
        elif isinstance(value, dict):
            yield "{"
            for key, member in value.items():
                if self._left < 0:
                    break
                yield f"{json.dumps(key, ensure_ascii=False)}:"
                yield from self.written(member, depth + 1)
                yield ","
            yield "}"
        elif isinstance(value, list):
            yield from self._listed(value, depth)
        else:
            yield self._scalar(value)

    def _listed(self, value: list[Any], depth: int) -> Iterator[str]:
        if len(value) == 2 and isinstance(value[0], str):
            yield from self.written(value[1], depth + 1) if type(value[1]) is int else (self._scalar(value[1]),)
            return
        yield "["
        for member in value:
            if self._left < 0:
                break
            yield from self.written(member, depth + 1)
            yield ","
        yield "]"

    def _scalar(self, value: Any) -> str:  # noqa: ANN401
        if isinstance(value, dict | list) or self._chars_left < 0:
            return "null"
        text = json.dumps(value, ensure_ascii=False)
        self._chars_left -= len(text)
        return text


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _with_texts(rows: str) -> str:
    """The rows of objects, with the texts that stand in rows of their own; these tell their length in bytes."""
    stream = rows.encode("utf-8", "replace")
    texts: dict[str, str] = {}
    objects: list[str] = []
    at = 0
    while at < len(stream):
        row = _ROW.match(stream, at)
        if row and row[2]:
            end = row.end() + int(row[2], 16)
            texts[row[1].decode()] = stream[row.end() : end].decode("utf-8", "replace")
            at = end
            continue
        end = stream.find(b"\n", at)
        end = len(stream) if end < 0 else end
        objects.append(stream[row.end() if row else at : end].decode("utf-8", "replace"))
        at = end + 1
    return _put_texts("\n".join(objects), texts)


def _put_texts(objects: str, texts: Mapping[str, str]) -> str:
    left = MAX_PUT_CHARS

    def text_of(found: re.Match[str]) -> str:
        nonlocal left
        text = texts.get(found[1])
        if text is None or len(text) > left:
            return found[0]
        left -= len(text)
        return json.dumps(text, ensure_ascii=False)

    return _REFERENCE.sub(text_of, objects)


# ── paragraphs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _with_lists_joined(state: str) -> str:
    """With lists of paragraphs as one text each."""
    pieces: list[str] = []
    at = 0
    for found in islice(_LIST.finditer(state), MAX_LISTS):
        if found.start() >= at:
            try:
                paragraphs, end = _DECODER.raw_decode(state, found.end())
            except (ValueError, RecursionError):
                continue
            if all(map(_is_paragraph, paragraphs)):
                joined = "".join(f"<p>{_paragraph(each)}</p>" for each in paragraphs)
                pieces += [state[at : found.start()], f'"content":{json.dumps(joined, ensure_ascii=False)}']
                at = end
    return f"{''.join(pieces)}{state[at:]}"


def _is_paragraph(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) or (isinstance(value, dict) and not _NO_PARAGRAPH & value.keys())


def _paragraph(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    return next((text for key in _PARAGRAPH_KEYS if isinstance(text := value.get(key), str)), "")

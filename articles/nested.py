"""Finds articles in objects of unknown make: answers of APIs, exports of apps, XML of agencies.

    object ──rows_in──▶ what looks like a record each ──record_of──▶ text and fields

Names known from many archives are tried first; where they name nothing, what a key means (articles.meanings) and what
its value looks like decide: the text is the longest that is no summary, headline and time are the nearest to it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from articles.meanings import Meaning, meaning_of, spelt_out, without_site_behind
from articles.normalise import clean_line
from articles.records import Listed

Object = Mapping[str, Any]

# Lower-case names under which archives of feed items and texts keep what a list says. The first that is filled counts.
FIELDS: dict[str, tuple[str, ...]] = {
    "title": ("title", "headline"),
    "published": (
        *("published", "published_at", "publishedat", "pubdate", "pub_date", "pub_time", "publish_time", "publishtime"),
        *("date_published", "datepublished", "publish_date", "publishdate", "release_time", "releasetime", "post_time"),
        *("date", "datetime", "showtime", "ctime", "time", "created_at", "create_time", "createtime"),
    ),
    "updated": ("updated", "updated_at", "modified", "date_modified", "update_time", "updatetime"),
    "publisher": ("source", "publisher", "media", "medianame", "media_name", "source_name", "sourcename"),
    "author": ("author", "authors", "byline", "dc:creator", "creator", "author_name", "authorname"),
    "section": ("section", "category", "channel", "column"),
    "native_id": ("infocode", "newsid", "code", "guid", "id"),
    "summary": ("summary", "description", "abstract", "digest"),
}
# Not sourceUrl and its like: they name the page that a whole day's records were taken from.
URL_NAMES = ("link", "url", "href", "origin_url", "share_url", "shareurl")
NOT_OF_THE_RECORD = ("sourceurl",)
BODY_NAMES = (
    *("content_html", "content:encoded", "html", "content", "body", "article", "text"),
    *("content_text", "full_text", "fulltext"),
)
TAG_NAMES = ("tags", "keywords")
LIST_NAMES = (
    "items",
    "articles",
    "data",
    "entries",
    "list",
    "posts",
    "results",
    "records",
    "docs",
    "news",
    "rows",
    "hits",
)
MEANT: dict[str, Meaning] = {
    "title": "title",
    "published": "published",
    "updated": "updated",
    "publisher": "publisher",
    "author": "author",
    "section": "section",
    "summary": "summary",
}
# Names of the text inside a value that is an object or a list of objects, as feed readers dump them.
NESTED_TEXT = ("title", "name", "value", "term", "text", "href")
NESTED_NAMES = (
    *NESTED_TEXT,
    "rendered",
    "content",
    "html",
    "$date",
    "nickname",
    "screen_name",
    "nick_name",
    "display_name",
    "label",
    "login",
    "username",
    "person",
    "hl1",
    "url",
    "#text",
    "cn",
    "zh",
    "data",
    "attributes",
)
TEXT_LEAVES = (
    "html",
    "rendered",
    "__html",
    "text",
    "value",
    "plain_text",
    "insert",
    "content",
    "markdown",
    "raw",
    "#text",
    "$t",
    "_text",
    "cdata",
    "body",
    "string",
)
# What lies beside an article: other people's words, other articles.
BESIDE = re.compile(
    r".*(?:comment|repl(?:y|ies)|recommend|related|similar|prev|next|rank|advert|banner|breadcrumb|menu|"
    r"nav|follow|quoted|siteinfo|catalogref|retweet|hot|trending|"
    r"highlight|annotation|评论|推荐|相关).*",
    re.I,
)
MAX_DEPTH = 9
MAX_LEAVES = 20_000
MIN_PROSE_CHARS = 40
LONGEST_FIELD = 300
LONGEST_EDITOR = 60

_TAG = re.compile(r"<[^<>]{1,400}>")
_BLOCK = re.compile(r"<(?:p|br|div|section|article|h[1-6]|ul|table|blockquote|en-note)\b", re.I)
_ESCAPED = re.compile(r"&lt;(?:p|div|br|span|section|h\d|table|img|strong|figure|article)\b.{0,300}?&gt;", re.I | re.S)
_DATED = re.compile(
    r"\d{4}\D{1,3}\d{1,2}|\d{8}|^\d{10}(?:\d{3})?(?:\.\d+)?$|\d{1,2} [A-Z][a-z]{2} \d{4}|"
    r"[A-Z][a-z]{2,8} \d{1,2},? \d{4}|刚刚|前|昨天|今天"
)
_EDITOR = re.compile(r"(?:责任|值班)?(?:编辑|編輯)|责编|責編")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PROLOG = re.compile(r"\A\s*(?:<\?xml[^<>]*\?>|<!DOCTYPE\s+en-note[^<>]*>|\s)+", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    body: str
    """HTML, Markdown or plain text; empty where the object has none."""
    url: str
    listed: Listed


def rows_in(loaded: object) -> list[object]:
    """The records of a list, or those that lie in an object that is none itself; else the object."""
    if isinstance(loaded, list):
        return [row for each in loaded for row in (_inside(each, MAX_DEPTH) or [each])]
    if not isinstance(loaded, dict):
        return [loaded]
    rows = _inside(loaded, MAX_DEPTH) or [loaded]
    # In a JSON Feed the authors of the feed are those of every item that names none.
    if "jsonfeed.org/" in str(loaded.get("version")):
        ours = {name: loaded[name] for name in ("authors", "author") if name in loaded}
        rows = [ours | row if not {"authors", "author"} & set(row) else row for row in rows]
    return rows


def record_of(row: Mapping[str, object]) -> Record:
    own = {str(name).lower(): value for name, value in row.items()}
    path, body = _body(own)
    fields = {name: _field(name, path) for name in FIELDS}
    if not body.strip():  # feeds carry the whole text under the name of a summary
        body, fields["summary"] = _text_value(own, FIELDS["summary"]) or fields["summary"] or "", None
    elif path[0] is not own and not fields["title"]:
        fields["title"] = _field("title", [own])
    if fields["title"]:
        fields["title"] = without_site_behind(fields["title"])
    fields["published"] = fields["published"] or fields["updated"]
    listed = Listed(**fields, tags=_tags(path))
    return Record(body=_with_editor(_PROLOG.sub("", body), path), url=_url(path), listed=listed)


def tree_of(xml: bytes) -> dict[str, object] | None:
    """XML as an object: elements by name, those with HTML inside as their mark-up. None where it is no XML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, recover=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return {_local(root): _as_object(root, 0)} if root is not None else None


# ── finding records ──────────────────────────────────────────────────────────────────────────────────────────────────


def _inside(held: object, depth: int) -> list[Any]:
    """Articles inside, the object itself being one included; of lists, all members."""
    if not isinstance(held, dict) or not depth:
        return []
    if _is_article(held):
        return [held]
    lists, singles = _groups_inside(held, depth)
    if len(singles) > 1 and len({frozenset(row) for row in singles}) == 1:
        return singles
    if singles:
        return [max(singles, key=lambda row: len(_body(_lower(row))[1]))]
    if lists:
        return max(lists, key=len)
    return _untitled(held, depth)


def _groups_inside(held: Object, depth: int) -> tuple[list[list[Any]], list[Any]]:
    """Lists of which some are articles, and articles that lie alone."""
    lists: list[list[Any]] = []
    singles: list[Any] = []
    for name, value in held.items():
        if BESIDE.fullmatch(str(name)):
            continue
        if isinstance(value, dict):
            inner_lists, inner = (
                ([], [value]) if _is_article(value) else _groups_inside(value, depth - 1) if depth else ([], [])
            )
            lists += inner_lists
            singles += inner
        elif isinstance(value, list) and depth:
            rows: list[Any] = []
            found = False
            for row in value:
                inside = [row] if isinstance(row, dict) and _is_article(row) else _rows_of_member(row, depth)
                found = found or bool(inside)
                rows += inside or ([row] if _is_entry(row) else [])
            if found:
                lists.append(rows)
    return lists, singles


def _is_entry(row: object) -> bool:
    """Does a member of a list that holds articles claim to be one, or is it nothing we could name?"""
    return not isinstance(row, dict) or bool(_value_of("title", _lower(row)) and _url([_lower(row)]))


def _rows_of_member(row: object, depth: int) -> list[Any]:
    if not isinstance(row, dict) or not depth:
        return []
    lists, singles = _groups_inside(row, depth - 1)
    return singles[:1] if len(singles) == 1 and not lists else max(lists, key=len) if lists else []


def _untitled(held: Object, depth: int) -> list[Any]:
    """The members of the list that has the most text, or has summaries: flashes have no headline."""
    lists = list(_lists_in(held, depth))
    for named in (True, False):
        texts = [
            (
                sum(
                    len(_body(_lower(row))[1]) or (len(_text_value(_lower(row), FIELDS["summary"])) if named else 0)
                    for row in rows
                ),
                rows,
            )
            for name, rows in lists
            if (name.lower() in LIST_NAMES) or not named
        ]
        if texts and (best := max(texts, key=lambda text: text[0]))[0]:
            if not named and _visible(_body(_lower(held))[1]) > best[0]:
                return [held]  # one text, and a list of what is said of it
            return [
                row
                for row in best[1]
                if _body(_lower(row))[1] or _is_entry(row) or _text_value(_lower(row), FIELDS["summary"])
            ]
    return next((rows for name, rows in lists if name.lower() in LIST_NAMES), [])


def _lists_in(held: Object, depth: int) -> Iterator[tuple[str, list[Any]]]:
    for name, value in held.items():
        if BESIDE.fullmatch(str(name)) or meaning_of(str(name)) == "body":
            continue
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            yield str(name), value
        elif isinstance(value, dict) and depth:
            yield from _lists_in(value, depth - 1)


def _is_article(row: Object) -> bool:
    """Has it a headline and a text of its own?"""
    own = _lower(row)
    title = _value_of("title", own)
    return bool(title) and bool(_own_body(own))


def _lower(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in row.items()} if isinstance(row, dict) else {}


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _body(own: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The text of a record, and the objects around it from the innermost out."""
    if body := _own_body(own):
        return [own], body
    found = max(_bodies_inside(own, [own], MAX_DEPTH), key=lambda each: _visible(each[1]), default=None)
    return found if found else ([own], "")


def _own_body(own: dict[str, Any]) -> str:
    """By the names we know, unless another of that meaning holds much more; else the longest prose under any name."""
    first = next((text for name in BODY_NAMES if (text := _flattened(own.get(name)))), "")
    others = [text for name, value in own.items() if meaning_of(name) == "body" and (text := _flattened(value))]
    longest = max(others, key=_visible, default="")
    if first and _visible(first) >= 0.6 * _visible(longest):
        return first
    if longest:
        return next(
            (text for text in others if _BLOCK.search(text) and _visible(text) >= 0.8 * _visible(longest)), longest
        )
    unnamed = [text for name, value in own.items() if (text := _unnamed_text(name, value)) and _is_prose(text)]
    return max(unnamed, key=_visible, default="")


def _unnamed_text(name: str, value: object) -> str:
    if meaning_of(name) is not None or BESIDE.fullmatch(name):
        return ""
    is_paragraphs = isinstance(value, list) and all(isinstance(part, str) for part in value)
    return _flattened(value) if isinstance(value, str) or is_paragraphs else ""


def _bodies_inside(
    held: dict[str, Any], path: list[dict[str, Any]], depth: int
) -> Iterator[tuple[list[dict[str, Any]], str]]:
    for name, value in held.items():
        if not depth or BESIDE.fullmatch(name):
            continue
        inner = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(inner, dict):
            below = _lower(inner)
            if text := _own_body(below):
                yield [below, *path], text
            yield from _bodies_inside(below, [below, *path], depth - 1)


def _is_prose(text: str) -> bool:
    if text.startswith(("http", "data:", "/")):
        return False
    return len(_HAN.findall(text[:4_000])) >= MIN_PROSE_CHARS


def _visible(text: str) -> int:
    return len(_TAG.sub("", text)) if "<" in text else len(text)


def _flattened(value: object, depth: int = 0) -> str:
    """The text of a value, be it text, one under a further name, or a list of blocks as editors keep them."""
    if isinstance(value, str):
        return _unpacked(value)
    if isinstance(value, dict):
        return _of_object(_lower(value), depth)
    if isinstance(value, list) and depth < MAX_DEPTH:
        return _of_blocks(value, depth)
    return as_text(value) if not depth else ""


def _unpacked(text: str) -> str:
    """Objects and HTML are packed into strings, too."""
    start = text.lstrip()[:1]
    if start in ("{", "[") and len(text) < 4_000_000:
        try:
            loaded = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return _flattened(loaded, 1) if isinstance(loaded, dict | list) else text
    if _ESCAPED.match(text.lstrip()) and not _BLOCK.search(text):
        return html.unescape(text)
    return text


def _of_object(own: dict[str, Any], depth: int) -> str:
    if depth >= MAX_DEPTH or (_value_of("title", own) and any(meaning_of(name) == "body" for name in own)):
        return ""  # an article of its own
    if "cell_type" in own:  # of a notebook
        return "".join(own.get("source") or ()) if own["cell_type"] == "markdown" else ""
    texts = [text for name in TEXT_LEAVES if (text := _flattened(own.get(name), depth + 1))]
    if texts:
        best = next((text for text in texts if _BLOCK.search(text)), texts[0])
        return _joined([best, _flattened(own.get("children"), depth + 1)])
    for value in own.values():
        if isinstance(value, dict | list) and (text := _flattened(value, depth + 1)):
            return text
    return ""


def _of_blocks(blocks: list[Any], depth: int) -> str:
    if any(isinstance(block, str) for block in blocks) and any(isinstance(block, dict) for block in blocks):
        return "".join(map(_inline, blocks))
    if all(isinstance(block, str) for block in blocks):
        return _joined(blocks)
    objects = [_lower(block) for block in blocks if isinstance(block, dict)]
    if any("insert" in block for block in objects):
        return "".join(map(_inline, objects))
    if depth and all(_is_leaf(block) for block in objects):
        return "".join(map(_inline, objects))
    if any(_value_of("title", block) and any(meaning_of(name) == "body" for name in block) for block in objects):
        return ""
    return _joined([_flattened(block, depth + 1) for block in objects[:MAX_LEAVES]])


def _joined(texts: list[str]) -> str:
    texts = [text.strip() for text in texts if text.strip()]
    if any(_TAG.search(text) for text in texts):
        return "\n".join(text if _BLOCK.match(text) else f"<p>{text}</p>" for text in texts)
    return "\n\n".join(texts)


def _is_leaf(block: dict[str, Any]) -> bool:
    return not any(
        isinstance(value, list) and any(isinstance(each, dict) and "text" in each for each in value)
        for value in block.values()
    ) and any(isinstance(block.get(name), str) for name in TEXT_LEAVES)


def _inline(part: object) -> str:
    if isinstance(part, str):
        return part
    return (
        next((part[name] for name in TEXT_LEAVES if isinstance(part.get(name), str)), "")
        if isinstance(part, dict)
        else ""
    )


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _field(name: str, path: list[dict[str, Any]]) -> str | None:
    """From the innermost object out, and then from what lies beside it."""
    for own in path:
        if value := _value_of(name, own):
            return value
    for own in path:
        if found := next((value for inner in _beside(own, 2) if (value := _value_of(name, inner))), None):
            return found
    return _by_fallback(name, path)


def _beside(own: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    """Objects that tell more about the one they lie in, such as `base` and `media`; not people nor other articles."""
    for key, value in own.items():
        if (
            not isinstance(value, dict)
            or not depth
            or BESIDE.fullmatch(key)
            or meaning_of(key) not in (None, "body", "tool")
        ):
            continue
        inner = _lower(value)
        if not set(inner) <= {"id", "name", "title", "url"}:
            yield inner
            yield from _beside(inner, depth - 1)


def _value_of(name: str, own: dict[str, Any]) -> str | None:
    known = clean_line(html.unescape(_held(own, FIELDS[name])))
    if name in ("published", "updated"):
        known = spelt_out(known)
    if known and _is_of_kind(name, known, is_known=True):
        return known
    if name in MEANT:
        for key, value in own.items():
            if (
                meaning_of(key) == MEANT[name]
                and (text := clean_line(html.unescape(as_text(value))))
                and _is_of_kind(name, text)
            ):
                return spelt_out(text)
    return known or None if name not in ("author", "publisher", "section") else None


def _is_of_kind(name: str, text: str, *, is_known: bool = False) -> bool:
    if name in ("published", "updated"):
        return bool(_DATED.search(text))
    if name in ("author", "publisher") and _BLOCK.search(text):
        return False
    if name == "author" and text.startswith(("http://", "https://", "//")):
        return False
    if name in ("author", "publisher", "section"):
        return not text.isdigit() and (is_known or (len(text) <= LONGEST_FIELD and not text.startswith(("http", "//"))))
    return is_known or len(text) <= LONGEST_FIELD or name == "summary"


def _with_editor(body: str, path: list[dict[str, Any]]) -> str:
    """With the editor in a line below the text, where pages have him and where he is looked for."""
    for own in [*path, *(inner for outer in path for inner in _beside(outer, 2))]:
        for key, value in own.items():
            text = clean_line(as_text(value)) if key == "tagline" or meaning_of(key) == "editor" else ""
            if not text or len(text) > LONGEST_EDITOR or text.isdigit() or text in body:
                continue
            line = text if _EDITOR.match(text) else f"责任编辑：{text}" if key != "tagline" else ""
            if line:
                return _joined([body, line])
    return body


def _by_fallback(name: str, path: list[dict[str, Any]]) -> str | None:
    """Names that mean this only where nothing better is there."""
    for own in path:
        if name == "title" and (text := clean_line(html.unescape(as_text(own.get("name"))))):
            return text if len(text) <= LONGEST_FIELD else None
        if name == "author" and (text := clean_line(as_text(own.get("user")))) and not text.isdigit():
            return text if _is_of_kind(name, text) else None
        if name == "published":
            for key, value in own.items():
                if (
                    meaning_of(key) == "saved"
                    and key.startswith(("creat", "ctime"))
                    and _DATED.search(text := as_text(value))
                ):
                    return spelt_out(clean_line(text))
    return None


def _url(path: list[dict[str, Any]]) -> str:
    for own in [*path, *(inner for outer in path for inner in _beside(outer, 2))]:
        if known := _held(own, URL_NAMES).strip():
            return known
        for key, value in own.items():
            if (
                key not in NOT_OF_THE_RECORD
                and key not in FIELDS["native_id"]
                and (meaning_of(key) == "url" or key == "alternate")
            ):
                inner = value[0] if isinstance(value, list) and value else value
                text = (_held(_lower(inner), ("href", "url")) if isinstance(inner, dict) else as_text(inner)).strip()
                if text.startswith(("http://", "https://")):
                    return text
    return ""


def _tags(path: list[dict[str, Any]]) -> tuple[str, ...]:
    for own in path:
        names = (*TAG_NAMES, *(key for key in own if meaning_of(key) == "tags"))
        for name in names:
            value = own.get(name)
            texts = (
                re.split(r"[,，;；、]", value) if isinstance(value, str) else value if isinstance(value, list) else []
            )
            if tags := tuple(
                tag for text in texts if not isinstance(text, list | int) and (tag := clean_line(as_text(text)))
            ):
                return tags
    return ()


def _text_value(row: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _flattened(row.get(name)))), "")


def _held(row: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := as_text(row.get(name)))), "")


def as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        # By its language alone, 「{"zh-CN": …}」.
        return _held(_lower(value), NESTED_NAMES) or next(
            (as_text(held) for held in value.values() if len(value) == 1), ""
        )
    if isinstance(value, list):
        return "、".join(text for entry in value[:20] if not isinstance(entry, list) and (text := as_text(entry)))
    return ""


# ── XML ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_HTML_NAMES = frozenset(
    [
        *("p", "br", "div", "span", "img", "a", "b", "i", "em", "strong", "u", "ul", "ol", "li", "table", "section"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "html"),
    ]
)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _as_object(element: etree._Element, depth: int) -> object:
    children = [child for child in element if isinstance(child.tag, str)]
    if not children or depth > MAX_DEPTH * 3:
        text = "".join(map(str, element.itertext())).strip()
        return text or {str(name): str(value) for name, value in element.attrib.items()}
    if any(_local(child).lower() in _HTML_NAMES for child in children):
        inner = [html.escape(element.text or "", quote=False)]
        inner += [str(etree.tostring(child, encoding="unicode")) for child in children]
        return "".join(inner)
    held: dict[str, Any] = {}
    for child in children:
        name, value = _local(child), _as_object(child, depth + 1)
        if name in held:
            held[name] = [*(held[name] if isinstance(held[name], list) else [held[name]]), value]
        else:
            held[name] = value
    return held

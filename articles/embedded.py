"""The article that a page carries in its scripts, or in fields of a form: pages drawn by a script have it nowhere else.

The longest string of running text under a telling key is the body; fields are the values of telling keys that stand
nearest to it. A form has one field for each: `<textarea class="article-content">`.

Where a page displays a text, scripts hold others' texts as well: then only that of an object with the page's own title
is the article, and only where what is displayed is a notice (`is_notice`) or stands without its headline.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from heapq import nlargest

from lxml import etree

from articles.script_state import states_of, string_of

MIN_BODY_CHARS = 40
# An object of JSON that is larger on either side of the text is not looked through.
AROUND_CHARS = 8_000
MAX_VALUE_CHARS = 200
# The object that holds the text, and those around it: what lists hold there is not the article's.
MAX_OBJECTS = 3
# Of the texts in scripts, those that are looked at: the longest.
MAX_TEXTS = 100
SHORTEST_TITLE = 6
# Two titles of one article have a piece of this length in common.
SAME_CHARS = 4

_BODY_KEYS = (
    "articleBody|content|contentHtml|content_html|htmlContent|articleContent|article_content|newsContent|body|html|detail|"
    "text|cnt_html|description_html|txt|__html"
)
# Of each field, the better names first.
_TITLE_KEYS = "title articleTitle article_title newsTitle headline"
_FIELD_KEYS = {
    "title": f"{_TITLE_KEYS} name",
    "author": "author authorName author_name authors writer reporter nickname nick_name screen_name",
    "editor": "editor editorName responEditor respEditor responsibleEditor duty_editor",
    "publisher": "source sourceName source_name media mediaName media_name copyfrom copyFrom origin from",
    "time": "publishTime publish_time publishedTime pubTime pub_time pubtime ptime publishedAt published_at "
    "publishDate publish_date pubDate datePublished publishTimestamp publish_timestamp showTime show_time display_time "
    "releaseTime release_time issueTime ctime createTime create_time created_at createdAt postTime post_time timestamp "
    "timeStr time_str time date",
}
# Keys of JavaScript may be bare, its strings in single quotes.
_STRING = r"(\"(?:[^\"\\]|\\.){%s}+\"|'(?:[^'\\]|\\.){%s}+')"
_BODY = re.compile(
    rf"(?<![\w-])[\"']?(?:{_BODY_KEYS})[\"']?\s*:\s*(?:{_STRING % (f'{MIN_BODY_CHARS},', f'{MIN_BODY_CHARS},')})"
)
_VALUE = rf"(?:{_STRING % (f'1,{MAX_VALUE_CHARS}', f'1,{MAX_VALUE_CHARS}')}|(\d{{10,13}})(?!\d))"
# A name may stand in an object of its own: `"author": {"id": 7, "name": …}`.
_NAMED = r"(?:\[?\s*\{[^{}\[\]]{0,300}?[\"']name[\"']\s*:\s*|\[\s*)?"
_FIELDS = {
    keys: re.compile(rf"(?<![\w-])[\"']?({keys.replace(' ', '|')})[\"']?\s*:\s*{_NAMED}{_VALUE}")
    for keys in (_TITLE_KEYS, *_FIELD_KEYS.values())
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
# An object under these keys may be the text's part of an article that has its title one object further out.
_PART = re.compile(r"article|news|post|detail|content|body|data|text|info|main|page|doc|story", re.IGNORECASE)
_NO_PART = re.compile(r"user|author|account|media|column|topic|summary|digest|^ai", re.IGNORECASE)
_OTHERS = re.compile(r"comment|repl(?:y|ies)|recommend|relat|(?<!p)hot|advert", re.IGNORECASE)
_KEY_BEFORE = re.compile(r"([\w-]{1,40})[\"']?\s{0,4}:\s{0,4}\Z")
# What sites say below, or instead of, an article: whose it is, and that nobody answers for it.
_NOTICE = re.compile(
    r"免责|[声聲]明[：:]|版[权權]|未[经經].{0,12}(?:授[权權]|[许許]可|允[许許]|同意)|[转轉][载載]|侵[权權]|[举舉][报報]|不构成|不構成|不代表|"
    r"仅供参考|僅供參考|[风風][险險](?:自|提示|意[识識]|[揭警])|(?:投[资資]|入市|[决決]策).{0,6}[谨謹]慎|投[资資].{0,4}有[风風][险險]|"
    r"不(?:能|作|做|对|就|對|[会會]|承担|承擔|负|負).{0,60}(?:[责責]任|保[证證]|[陈陳]述|依[据據])|理性(?:看待|投[资資])|"
    r"下[载載].{0,10}(?:APP|客户端|客戶端)|[许許]可[证證]|[备備]案|ICP|本(?:网站|站|平台|[页頁]面|[内內]容|網站)|[邮郵]箱|客服|"
    r"disclaimer|all rights reserved|copyright|not (?:constitute|be liable)",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z]")
_NO_KEY = re.compile(r"[\W_]+")
_SENTENCE_END = re.compile(r"[。！？!?\n]")
_MIN_SENTENCE_CHARS = 8


def embedded_article(tree: etree._Element, headline: str = "") -> Embedded | None:
    """The longest text in the scripts of a page, with the fields beside it; or that of a field of a form. None that has
    a title of its own which has nothing in common with the `headline` that the page displays."""
    for match, state in _texts_of(tree):
        if (piece := _unescaped(match[1])) and _is_prose(piece) and not _is_of_others(state, match, _key(headline)):
            return _with_fields(piece, state, match)
    return _in_form(tree)


def article_titled(tree: etree._Element, titles: Collection[str]) -> Embedded | None:
    """The longest text in the scripts of a page whose own title is one of the page's."""
    keys = [key for title in titles if len(key := _key(title)) >= SHORTEST_TITLE]
    for match, state in _texts_of(tree) if keys else ():
        if _has_title(state, match, keys) and (piece := _unescaped(match[1])) and _is_prose(piece):
            return _with_fields(piece, state, match)
    form = _in_form(tree) if keys else None
    return form if form and _is_one_of(_key(form.fields.get("title", "")), keys) else None


def is_notice(line: str) -> bool:
    """Does the site speak of itself there: of rights, risks, and that it answers for nothing?"""
    return bool(_NOTICE.search(line))


def is_repeated(lines: Collection[str], text: str) -> bool:
    """Does a sentence of the lines stand in the text?"""
    key = _key(text)
    sentences = (_key(sentence) for line in lines for sentence in _SENTENCE_END.split(line))
    return any(len(sentence) >= _MIN_SENTENCE_CHARS and sentence in key for sentence in sentences)


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


def _texts_of(tree: etree._Element) -> list[tuple[re.Match[str], str]]:
    """Values under telling keys, each with the state it stands in; the longest first."""
    found = ((match, state) for state in states_of(tree) for match in _BODY.finditer(state))
    return nlargest(MAX_TEXTS, found, key=lambda each: each[0].end() - each[0].start())


def _with_fields(piece: str, state: str, match: re.Match[str]) -> Embedded:
    fields: dict[str, str] = {}
    for number, (members, _) in enumerate(_objects_around(state, match)):
        for name, keys in _FIELD_KEYS.items():
            if name not in fields and (value := _member(keys, members, 1 + (number == 0))):
                fields[name] = value
    return Embedded(_in_paragraphs(piece), fields)


def _in_paragraphs(piece: str) -> str:
    """A plain text, as browsers are told to display its lines."""
    if "\n" not in piece or _TAG.search(piece):
        return piece
    return "".join(f"<p>{html.escape(line)}</p>" for line in html.unescape(piece).splitlines() if line.strip())


def _is_of_others(state: str, match: re.Match[str], headline: str) -> bool:
    """Is it a comment, or of an article that is recommended?"""
    around = list(_objects_around(state, match))
    title = _key(_member(_TITLE_KEYS, around[0][0], 0)) if headline else ""
    pieces = (title[at : at + SAME_CHARS] for at in range(len(title) - SAME_CHARS + 1))
    is_another = len(title) >= SHORTEST_TITLE and not any(piece in headline for piece in pieces)
    return is_another or any(_OTHERS.search(name) for _, name in around)


def _has_title(state: str, match: re.Match[str], keys: Collection[str]) -> bool:
    """Has the object of a text one of the titles, or one around it of which it is a part?"""
    for members, name in _objects_around(state, match):
        if title := _key(_member(_TITLE_KEYS, members, 0)):
            return _is_one_of(title, keys)
        if not _PART.search(name) or _NO_PART.search(name) or _OTHERS.search(name) or name.endswith("["):
            return False
    return False


def _is_one_of(title: str, keys: Collection[str]) -> bool:
    return len(title) >= SHORTEST_TITLE and any(title in key for key in keys)


def _objects_around(text: str, match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """The inside of the object that holds the text, without the text, then those of the objects around it; each with
    the key it stands under, and a bracket behind this if it stands there in a list."""
    start, end = match.span()
    before, behind = text[max(0, start - AROUND_CHARS) : start], text[end : end + AROUND_CHARS]
    opening, closing = len(before), -1
    members: str | None = None
    for _ in range(MAX_OBJECTS):
        outer = _unmatched(before, range(opening - 1, -1, -1), "{", "}")
        if members is not None:
            yield members, _name_behind(before[outer + 1 : opening])
        closing = _unmatched(behind, range(closing + 1, len(behind)), "}", "{")
        members, opening = before[outer + 1 :] + behind[:closing], outer
        if outer < 0:
            break
    yield members or "", ""


def _name_behind(before: str) -> str:
    """The key at the end of what stands before an object in another, with a bracket if the object stands in a list."""
    bracket = _unmatched(before, range(len(before) - 1, -1, -1), "[", "]")
    key = _KEY_BEFORE.search(before[:bracket][-60:] if bracket >= 0 else before[-60:])
    return f"{key[1] if key else ''}{'[' if bracket >= 0 else ''}"


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


def _member(keys: str, members: str, deepest: int) -> str:
    """The value whose key lies highest and is the best name, in at most so many objects and lists inside."""
    order = keys.split()
    found = [(_depth(members, match.start()), match) for match in _FIELDS[keys].finditer(members)]
    ranked = sorted((depth, order.index(m[1]), m.start(), m) for depth, m in found if depth <= deepest)
    for *_, match in ranked:
        if value := (match[3] or _unescaped(match[2]) or "").strip():
            return value
    return ""


def _depth(members: str, at: int) -> int:
    """In how many objects and lists inside."""
    return sum(members.count(opened, 0, at) - members.count(closed, 0, at) for opened, closed in ("{}", "[]"))


def _is_prose(piece: str) -> bool:
    return "。" in piece or "，" in piece or ". " in piece


def _key(text: str) -> str:
    return _NO_KEY.sub("", html.unescape(text)).casefold()


def _unescaped(literal: str) -> str | None:
    """The value of a string; HTML that was escaped once more, to be safe inside a script, is unescaped."""
    value = string_of(literal)
    if value is None:
        return None
    if ("<" not in value and "&lt;" in value) or value.startswith("&quot;"):
        value = html.unescape(value)
    return value.strip('"')

"""Posts and plain texts: front matter apart from body, Markdown to HTML, and a headline where there is none.

    post ──split──▶ front matter ──YAML, TOML, JSON, or line by line──▶ Listed, url
              └───▶ body ──other markups (articles.markups), frames (articles.frames)──▶ body_html for the extractor

Whatever the engine, the same rules read it; no key has to be there, and what a key means (articles.meanings) counts
where its name is none of those we know.
"""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import yaml
from markdown_it import MarkdownIt

from articles.frames import Values, unframed
from articles.markups import as_markdown
from articles.meanings import Meaning, meaning_of, without_site_behind
from articles.normalise import clean_line, clean_text
from articles.records import Listed

Meta = Mapping[str, str | tuple[str, ...]]
BodyKind = Literal["html", "markdown"]

MAX_HEADER_CHARS = 64 * 1024
FRAMES = 3  # inside each other, such as a heading with a frame above and below
MAX_BRACKETS = 500  # beyond, it is an attack on the parser of YAML

# The first key that holds something counts.
TITLE_KEYS = ("title", "headline", "标题")
PUBLISHED_KEYS = (
    *("date", "published", "published_at", "publishdate", "publish_date", "publish_time", "publishtime", "pubdate"),
    *("pub_date", "pubtime", "pub_time", "datetime", "time", "created", "created_at", "create_time", "post_date"),
    *("发布时间", "发布日期", "日期", "时间"),
)
UPDATED_KEYS = ("updated", "updated_at", "update_time", "lastmod", "last_modified_at", "modified", "更新时间")
SUMMARY_KEYS = ("description", "summary", "excerpt", "digest", "摘要", "简介")
PUBLISHER_KEYS = ("source", "publisher", "media", "来源", "媒体", "出处")
AUTHOR_KEYS = ("author", "authors", "byline", "作者", "记者")
CATEGORY_KEYS = ("categories", "category", "section", "分类", "栏目")
TAG_KEYS = ("tags", "tag", "keywords", "标签", "关键词")
URL_KEYS = (
    "link",
    "url",
    "original_url",
    "source_url",
    "origin",
    "permalink",
    "source",
    "原文链接",
    "链接",
    "原文",
    "网址",
)
NATIVE_ID_KEYS = ("infocode", "newsid", "guid", "id")

OTHER_NAMES: tuple[tuple[tuple[str, ...], Meaning], ...] = (
    (TITLE_KEYS, "title"),
    (PUBLISHED_KEYS, "published"),
    (UPDATED_KEYS, "updated"),
    (SUMMARY_KEYS, "summary"),
    (AUTHOR_KEYS, "author"),
    (CATEGORY_KEYS, "section"),
    (TAG_KEYS, "tags"),
    (URL_KEYS, "url"),
    (PUBLISHER_KEYS, "publisher"),
)

# 「微信公众号“某某财经”」
ACCOUNT = re.compile(r"^(?:(?:微信)?(?:公众号|公眾號|订阅号)|微信)\s*[:：]?\s*[“\"「《【]?([^”\"」》】]+)[”\"」》】]?$")
FENCE = re.compile(r"-{3,}[ \t]*$")
END_FENCE = re.compile(r"(?:-{3,}|\.{3})[ \t]*$")
_CHINESE_KEYS = "|".join(
    key
    for keys in (
        TITLE_KEYS,
        PUBLISHED_KEYS,
        UPDATED_KEYS,
        SUMMARY_KEYS,
        PUBLISHER_KEYS,
        AUTHOR_KEYS,
        CATEGORY_KEYS,
        TAG_KEYS,
        URL_KEYS,
    )
    for key in keys
    if not key.isascii()
)
KEY = re.compile(
    rf"\ufeff?(?:(?:[A-Za-z_][\w.-]{{0,40}}|{_CHINESE_KEYS})[ \t]*[:：](?:[ \t]+|$|(?=[\"'\[]))"
    rf"|(?:{_CHINESE_KEYS})[ \t]*：).*$"
)
LOOSE_KEY = re.compile(rf"([A-Za-z_][\w.-]{{0,40}}|{_CHINESE_KEYS})[ \t]*[:：](.*)$")
# Between fences a key may be any word.
FENCED_KEY = re.compile(r"([A-Za-z_][\w. -]{0,40}|[\u4e00-\u9fff]{1,8})[ \t]*[:：](.*)$")
# Front matter in a comment or a block of code.
WRAPPED = re.compile(
    r"\s*(?:<!--|(`{3,}|~{3,})\w*)[ \t]*\n(?:---\n)?((?:(?!-->|`{3}|~{3}).)*?)(?:---\n)?[ \t]*(?:-->|\1)[ \t]*(?:\n|$)",
    re.DOTALL,
)
# Fences that name their language, as Eleventy has them.
LANGUAGE_FENCE = re.compile(
    r"\s*-{3}[ \t]*(?P<language>ya?ml|toml|json5?)[ \t]*\n(?P<header>.*?)\n-{3}[ \t]*(?:\n|$)",
    re.DOTALL | re.IGNORECASE,
)
ENTRY = re.compile(r"[ \t]*-[ \t]+(.*)$")
# What Joplin writes below a note.
JOPLIN_NOTE = re.compile(r"\n(id: [0-9a-f]{32}\n(?:[a-z_]+:[^\n]*\n)*type_: 1)\s*\Z")
JOPLIN_URL = re.compile(r"^source_url: (https?://\S+)$", re.MULTILINE)
INDENTED = re.compile(r"[ \t]+\S|[ \t]*#|[ \t]*-[ \t]")
QUOTED = re.compile(r"([\"'])(.*)\1[ \t]*$")
SPLIT_TERMS = re.compile(r"[\s,，、;；]+")

# Front matter of other kinds: TOML as Hugo has it, and JSON, in braces or in Hexo's way.
TOML = re.compile(r"\s*\+{3}[ \t]*\n(.*?)\n\+{3}[ \t]*(?:\n|$)", re.DOTALL)
TOML_LINE = re.compile(r"[ \t]*([A-Za-z_][\w.-]{0,40})[ \t]*=[ \t]*(.*?)[ \t]*$")
HEXO_JSON = re.compile(r"\s*(\".*?)\n[ \t]*;{3}[ \t]*(?:\n|$)", re.DOTALL)

# What engines put in place of these is not the writer's text: tags of Liquid, Hexo and Hugo, attributes of kramdown,
# tables of contents, kinds of quotes.
ENGINE_TAG = re.compile(
    r"^[ \t]*[*+-][ \t]+\S{1,20}[ \t]*\n[ \t]*\{:toc\b[^{}\n]{0,60}\}[ \t]*$|"
    r"\{%[^{}\n]{0,300}?%\}|\{\{[^{}\n]{0,300}?\}\}|<%[^<>\n]{0,200}?%>|"
    r"^[ \t]*(?:\{:[^{}\n]{0,200}\}|\{[ \t]*[.#][\w.# =\"-]{1,80}\}|"
    r"@?[\[$]{1,2}\{?_?TOC_?\}?\]{0,2}(?:\([^()\n]{0,40}\))?|"
    r">[ \t]*\[![a-z]{2,12}\][+-]?)[ \t]*$"
    r"|(?<=\))\{[:.#][^{}\n]{0,200}\}|(?<=\S)[ \t]+\{[#.][\w.# =\"-]{1,80}\}[ \t]*$"
    # Of Logseq and Roam: properties of a block, references to blocks.
    r"|^[ \t]*(?:[-*][ \t]+)?[a-z][a-z_-]{1,20}::(?:[ \t].{0,200})?$|\(\([\w-]{9,36}\)\)",
    re.MULTILINE | re.IGNORECASE,
)
# What MDX loads its components with, at the head of the text.
MDX_IMPORT = re.compile(
    r"\A(?:\s*(?:import\s[^\n;]{1,200}\sfrom\s+[\"'][^\"'\n]+[\"'];?|import\s+[\"'][^\"'\n]+[\"'];?"
    r"|export\s+(?:const|default|let|function)\s[^\n]{1,200})[ \t]*(?:\n|\Z))+"
)
EMBED = re.compile(r"!\[\[[^\]\[\n]{1,200}\]\]")
# 「!!! note "风险提示"」, 「=== "第一页"」, 「> [!tip]+ 提示」: only the heading is text.
# A table of contents that the engine writes below its heading, or wrote when the text was saved; a box of links.
CONTENTS = re.compile(
    r"^#{1,6}[ \t]+(?:table of contents|contents|toc|目录|目錄|本文目录|文章目录)[ \t#:：]*\n"
    r"(?:[ \t]*(?:[-*+]|\d{1,2}\.)[ \t]+\[[^\]\n]*\]\(#[^()\n]*\)[ \t]*\n|[ \t]*\n)*(?=#|\Z)",
    re.M | re.I,
)
BOX_OF_LINKS = re.compile(
    r"^:{3,}[ \t]*[a-z]\w*[^\n]{0,60}\n"
    r"(?:[ \t]*(?:[-*+]|\d{1,2}\.)[ \t]+\[[^\]\n]*\]\([^()\n]*\)[ \t]*\n|[ \t]*\n)+:{3,}[ \t]*$",
    re.M,
)
ADMONITION = re.compile(
    r"^[ \t]*(?:!{3}|\?{3}\+?|/{3}|={3}!?)[ \t]+(?:[a-z]+[ \t]*)*(?:\"([^\"\n]*)\"|\|[ \t]*([^\n]*))?[ \t]*$", re.M
)
CALLOUT = re.compile(r"^([ \t]*(?:>[ \t]*)+)\[![\w-]{2,12}\][+-]?[ \t]+(?=\S)", re.M)
# Notes of the writer to himself, and the names that Obsidian gives to paragraphs.
COMMENT = re.compile(r"\{/\*[^{}]{0,500}?\*/\}|%%[^%\n]{1,500}%%|[ \t]\^[a-z0-9]{6}$", re.MULTILINE)
# A button of the page the post was copied from; to Markdown it is no link.
SCRIPT_LINK = re.compile(r"\[([^\]\n]{1,60})\]\(javascript:[^()\n]{0,80}(?:\\?\([^()\n]{0,20}\)[^()\n]{0,10})?\)")
HIGHLIGHT = re.compile(r"==(?=[^\s=])([^=\n]{1,300}?[^\s=])==")
WIKI_LINK = re.compile(r"\[\[(?:[^\]\[|\n]{0,80}\|)?([^\]\[|\n]{1,80})\]\]")
# Of a box, «::: warning 风险提示», and of its end: only the heading is text.
BOX = re.compile(
    r"^[ \t]*:{3,}[ \t]*(?:\{[^{}\n]{0,120}\}|(?:[a-z][a-z-]{0,20}\b)?(?:\{[^{}\n]{0,80}\})?)[ \t]*([^\n]{0,80})$",
    re.MULTILINE,
)
# To CommonMark, asterisks between a full stop and a letter open or close nothing: 「**答：**没有」. In Chinese they do.
STRONG = re.compile(
    r"(?<!\*)\*\*(?=[^\s*、，。；：！？)）])([^*\n]{1,200}?[：，。！？；、”』」）》】:%％)…])\*\*(?=[\w“（《])"
    r"|(?<=\w)\*\*(?=[“《（「『【‘(])([^*\n]{1,200}?[^\s*])\*\*(?!\*)"
)
# The numbers of a list are the writer's, and to be kept: a text refers to them.
NUMBERED = re.compile(r"^[ \t]{0,3}(\d{1,3})([.)])(?=[ \t]+\S)", re.MULTILINE)
TASK = re.compile(r"^([ \t]*[-*+][ \t]+)\[[ xX]\][ \t]+(?=\S)", re.MULTILINE)
NOTE = re.compile(r"^\[\^[\w-]{1,20}\]:[ \t]*", re.MULTILINE)
NOTE_MARK = re.compile(r"\[\^[\w-]{1,20}\]")
ESCAPED_HTML = re.compile(
    r"\s*&lt;(?:p|div|br|span|section|h\d|table|img|strong|figure|article)\b[^<>]{0,300}?&gt;", re.IGNORECASE
)
UNDERLINED = re.compile(r"\s*(\S[^\n]{0,299})\n[ \t]*={3,}[ \t]*(?:\n|$)")

SHARE_LINE = re.compile(r"^[ \t]*<(https?://[^\s<>]+)>[ \t]*$", re.MULTILINE)
EMPTY_SHARE_LINE = re.compile(r"^[ \t]*<>[ \t]*$", re.MULTILINE)
LINK_LINE = re.compile(r"^(?:[ \t|｜·]*\[[^\]\n]{1,60}\]\([^()\n]{0,500}\))+[ \t]*$", re.MULTILINE)
LINK = re.compile(r"\[([^\]\n]{1,60})\]\(([^()\s]*)\)")
ORIGIN_WORDS = "查看原文|阅读原文|阅读全文|查看全文|原文链接|原文地址|原文|来源链接|original"
ORIGIN_LINKS = (
    re.compile(rf"\[(?:{ORIGIN_WORDS})\]\((https?://[^()\s]+)\)", re.IGNORECASE),
    re.compile(rf"(?:{ORIGIN_WORDS})\s*[:：]\s*<?(https?://[^\s<>\"'）)，。]+)", re.IGNORECASE),
    re.compile(
        rf"<a\b[^<>]{{0,300}}?\bhref=[\"'](https?://[^\"'\s<>]+)[\"'][^<>]{{0,300}}>\s*(?:{ORIGIN_WORDS})\s*</a>",
        re.IGNORECASE,
    ),
)
# A tag, a comment or a doctype; not the share link, which an HTML parser takes for a tag, nor Notion's callout.
STARTS_AS_HTML = re.compile(r"\s*<(?!https?:|aside>)(?:!--|[A-Za-z!/])")
MARKDOWN_MARK = re.compile(
    r"^[ \t]{0,3}(?:#{1,6}[ \t]+\S|[-*+][ \t]+\S)|^!\[|\*\*[^\s*][^*\n]{0,200}\*\*", re.MULTILINE
)
LEADING_COMMENTS = re.compile(
    r"\A(?:\s*(?:<!--(?:(?!-->).)*-->|<a (?:name|id)=[^<>\n]{1,80}>[ \t]*</a>))+[ \t]*\n?", re.DOTALL
)
BRACES = {"&#123;": "{", "&#125;": "}"}
# A heading of the second level is the title where it is the only one, or a link.
SECOND_HEADING = re.compile(
    r"\s*##[ \t]+(\[[^\]\n]{1,300}\]\([^()\s]{1,500}\)|.{1,300}?(?=[ \t]*#*[ \t]*\n)(?![\s\S]*^#{1,2}[ \t]))"
    r"[ \t]*#*[ \t]*(?:\n|$)",
    re.MULTILINE,
)
# A line in bold at the head of a message; not a numbered heading of its text, nor a label in front of it.
BOLD_TITLE = re.compile(
    r"\s*\*\*(?![\d一二三四五六七八九十]{1,3}[、.．]|.{0,4}(?:问|答|导读|摘要|按|核心|要点|提示|结论|观点|注|Q\d?|A\d?)[：:])"
    r"([^*\n。]{5,59}[^*\n。：:])\*\*[ \t]*\n[ \t]*\n"
)
HTML_HEADING = re.compile(r"\s*<h1\b[^<>]{0,300}>(.{1,300}?)</h1>", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"<[^<>]{0,300}>")
HEADING = re.compile(r"\s*(?:-[ \t]+)?#[ \t]+(.{1,300}?)[ \t]*#*[ \t]*(?:\n|$)")
DATE_IN_HEADING = re.compile(r"[(（【]\s*(\d{8}|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?)\s*[)）】]\s*$")
MOMENT = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[ T\u3000]*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?!\d)")
SOURCE_LINE = re.compile(r"[\s>*（(【]*(?:文章|稿件|新闻|信息|本文)?(?:来源|來源|转自|轉自)[ \t]*\**[：:][\s*]*\S")
# Not one that is told with the offset of elsewhere.
CHINESE_CLOCK = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T\u3000]*(\d{1,2})[:：](\d{2})(?:[:：]\d{2})?"
    r"(?:\.\d+)?\s?(?:\+08:?00)?"
)
MOMENT_LINES = 6
MOMENT_LINE_CHARS = 120
DAY = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
DIGITS = re.compile(r"\d{2}")
DAY_IN_CODE = re.compile(r"(?<!\d)(20\d\d)(\d\d)(\d\d)\d{9,10}(?!\d)")
# So does one in front of a label: in a note of who wrote a post, and what may be done with it, each line is one.
LABEL_BELOW = re.compile(
    r"(?<=\S)[ \t]*\n(?=[ \t]*(?:[*_]{1,2}|>[ \t]*)?(?:本文|文章|原文|版权|转载|作者|来源|责任编辑|责编|编辑|记者|声明)"
    r"[\u4e00-\u9fa5]{0,4}[ \t]*[*_]{0,2}[ \t]*[：:])"
)
SENTENCE_END = re.compile(r"(?<=[。！？!?；;：:…”」）)])[ \t]*\n(?=[ \t\u3000]*[^\s#>|*+<-])")

DAY_CHARS = len("2026-11-20")
TITLE_CHARS = 60  # longest first line taken for a headline; the longest of 387 real text files has 46
CLAUSE_CHARS = 40
STOPS = "。！？!?；;\n"
PAUSES = "，,：:、 "
NO_HEADLINE_END = ("；", "，", "、", "：", ";", ",", ":")
# In files saved from old pages the indent is all that is left of a paragraph's beginning.
INDENT_IN_LINE = re.compile(r"(?<=\S)[ \xa0]*\u3000{2,}(?=\S)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    meta: Meta
    """Front matter: keys in lower case, values as text."""
    listed: Listed
    url: str
    """Address of the original, if front matter or body name one."""
    body: str
    """What stands below the front matter, less a headline in Markdown that became the title."""
    kind: BodyKind
    flags: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Lines of the frame that a tool wrote around the body."""

    @property
    def body_html(self) -> str:
        return _html_with_links(self.body) if self.kind == "html" else _from_markdown(self.body)


@dataclass(frozen=True, slots=True)
class BadPost:
    """A post whose front matter cannot be read, for Reason.FRONT_MATTER."""

    detail: str


def parse_post(text: str) -> Post | BadPost:
    text = _unwrapped(text.replace("\r\n", "\n").replace("\r", "\n"))
    flags: tuple[str, ...] = ()
    broken = False
    if other := _other_header(text):
        meta, body = other
    else:
        text, noted = _without_note(text)
        header, body, flags = _split(text)
        if len(header) > MAX_HEADER_CHARS:
            return BadPost(f"front matter of {len(header):,} characters, at most {MAX_HEADER_CHARS:,} are read")
        meta, broken = _read_header(header)
        if header.strip() and not meta:
            return BadPost("front matter holds no «key: value» line")
        meta = {**noted, **meta}
    if ESCAPED_HTML.match(body):
        body = html.unescape(body)
    for entity, brace in BRACES.items():
        body = body.replace(entity, brace)
    of_source = _moment_of_source(body)
    meta, title, heading_date, body, removed = _without_frames(_with_meanings(meta), body)
    url = _url(meta, body)
    if said := _moment_above(body) if _is_clipped(meta) else _if_mirrored(of_source, _published(meta)):
        meta["date"] = said
    if broken:
        flags += ("front_matter_broken",)
    if _days_conflict(meta, url):
        flags += ("date_conflict",)
    return Post(
        meta=MappingProxyType(meta),
        listed=_listed(meta, title, heading_date),
        url=url,
        body=body,
        kind=_kind(body),
        flags=flags,
        removed=removed,
    )


def looks_like_post(text: str) -> bool:
    """Is there front matter at its head? Any text may be read as a post; this tells a post from a plain text."""
    head = text.lstrip("\ufeff \t\r\n")[:MAX_HEADER_CHARS]
    lines = head.splitlines()
    if not lines:
        return False
    if LANGUAGE_FENCE.match(head):
        return True
    if head[0] in '+{"' and _other_header(head) is not None:
        return True
    if FENCE.fullmatch(lines[0]):
        return any(LOOSE_KEY.match(line) for line in lines[1:20])
    return bool(KEY.match(lines[0])) and any(FENCE.fullmatch(line) for line in lines[1:20])


def unframed_text(text: str, title: str) -> Post:
    """A plain text without what the tool that saved it wrote around it."""
    framed = unframed(text.replace("\r\n", "\n").replace("\r", "\n"), title)
    if not framed.values and framed.body == text:
        return Post(meta={}, listed=Listed(), url="", body=text, kind="markdown")
    meta = framed.values
    return Post(
        meta=meta,
        listed=_listed(meta, _first(meta, TITLE_KEYS), ""),
        url=_url(meta, ""),
        body=framed.body,
        kind="markdown",
        removed=framed.removed,
    )


def split_title(text: str) -> tuple[str, str]:
    """Headline and the rest of a plain text.

    A short first line that does not end as a sentence does is the headline, and leaves the text. Otherwise the first
    clause is repeated as one: a row needs a title, and the writer's own opening is no invention.
    """
    lines = text.strip("\ufeff\n\r \t").splitlines()
    first = clean_line(lines[0]) if lines else ""
    has_more = any(line.strip() for line in lines[1:])
    if has_more and 0 < len(first) <= TITLE_CHARS and "。" not in first and not first.endswith(NO_HEADLINE_END):
        return first, "\n".join(lines[1:]).strip("\n")
    return first_clause(text), text


def first_clause(text: str, *, max_chars: int = CLAUSE_CHARS) -> str:
    """The opening of `text` up to its first full stop, or the last pause before `max_chars`."""
    opening = clean_text(text[: max_chars * 20])[: max_chars + 1]
    for marks in (STOPS, PAUSES):
        ends = [at for mark in marks if (at := opening.find(mark) if marks is STOPS else opening.rfind(mark)) > 0]
        if ends:
            return opening[: min(ends) if marks is STOPS else max(ends)].strip()
    return opening[:max_chars]


def plain_paragraphs(text: str) -> list[str]:
    """Paragraphs of a plain text: its lines, and what an indent in the middle of a line sets apart."""
    return clean_text(INDENT_IN_LINE.sub("\n", text)).splitlines()


# ── front matter ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _unwrapped(text: str) -> str:
    """With front matter between fences of its kind that stood in a comment, a block of code, or between others."""
    if fenced := LANGUAGE_FENCE.match(text[:MAX_HEADER_CHARS].lstrip("\ufeff")):
        marks = {"y": ("---\n", "\n---\n"), "t": ("+++\n", "\n+++\n"), "j": ("", "\n")}
        opened, closed = marks[fenced["language"][0].lower()]
        return opened + fenced["header"] + closed + text.lstrip("\ufeff")[fenced.end() :]
    found = WRAPPED.match(text[:MAX_HEADER_CHARS].lstrip("\ufeff"))
    lines = [line for line in found[2].split("\n") if line.strip()] if found else []
    keys = [match[1] for line in lines if (match := FENCED_KEY.match(line))]
    if found is None or len(keys) < 2 or len(keys) < len(lines) / 2 or not any(map(meaning_of, keys)):
        return text
    return f"---\n{found[2]}\n---\n{text.lstrip(chr(0xFEFF))[found.end() :]}"


def _split(text: str) -> tuple[str, str, tuple[str, ...]]:
    """Header, body, flags. Text without front matter is all body."""
    text = text.lstrip("\ufeff \t\n") if looks_like_post(text) else text.lstrip("\ufeff")
    lines = text.split("\n")
    opened = bool(FENCE.fullmatch(lines[0]))
    if not opened and not looks_like_post(text):
        return "", text, ()
    start = 1 if opened else 0
    end = _end_of_header(lines, start)
    if end is None:
        end = _end_of_unclosed(lines, start)
        return "\n".join(lines[start:end]), "\n".join(lines[end:]), ("front_matter_unclosed",)
    return "\n".join(lines[start:end]), "\n".join(lines[end + 1 :]), ()


def _without_note(text: str) -> tuple[str, Values]:
    """A text without what Joplin writes below it, and what that tells; its first line is the title."""
    note = JOPLIN_NOTE.search(text)
    if note is None:
        return text, {}
    title, _, body = text[: note.start()].lstrip("\ufeff \t\n").partition("\n")
    url = JOPLIN_URL.search(note[1])
    return body, {"title": title.strip(), **({"url": url[1]} if url else {})}


def _other_header(text: str) -> tuple[Values, str] | None:
    """Values and body of a post whose front matter is TOML or JSON."""
    start = text[:MAX_HEADER_CHARS].lstrip("\ufeff \t\n")
    body_from = len(text) - len(text.lstrip("\ufeff \t\n"))
    loaded: object = None
    end = 0
    if found := TOML.match(start):
        loaded, end = _toml(found[1]), found.end()
    elif found := HEXO_JSON.match(start):
        loaded, end = _json(f"{{{found[1].rstrip(' ,')}}}")[0], found.end()
    elif start.startswith("{"):
        loaded, end = _json(start)
    if not isinstance(loaded, dict):
        return None
    meta = {str(key).lower(): value for key, value in _scalars(_flat(loaded))}
    return (meta, text[body_from + end :]) if any(key in meta for key in (*TITLE_KEYS, *PUBLISHED_KEYS)) else None


def _toml(header: str) -> dict[str, Any]:
    try:
        return tomllib.loads(header)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {found[1]: _value(found[2]) for line in header.split("\n") if (found := TOML_LINE.match(line))}


def _json(text: str) -> tuple[object, int]:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return None, 0


def _flat(loaded: dict[str, Any]) -> dict[str, Any]:
    """With the tables inside, such as Hugo's [params], on one level; times as they are written."""
    inner = {key: value for table in loaded.values() if isinstance(table, dict) for key, value in table.items()}
    named = {key: table["name"] for key, table in loaded.items() if isinstance(table, dict) and table.get("name")}
    flat = inner | named | {key: value for key, value in loaded.items() if not isinstance(value, dict)}
    return {
        key: value if isinstance(value, str | list) else value.isoformat() if isinstance(value, date) else str(value)
        for key, value in flat.items()
    }


def _end_of_header(lines: list[str], start: int) -> int | None:
    """Line of the closing fence; None when most of what precedes it is no header: then it is a rule in the body."""
    strange = 0
    for at in range(start, len(lines)):
        if END_FENCE.fullmatch(lines[at]):
            return at if strange <= (at - start) / 2 else None
        strange += not (_in_header(lines[at]) or FENCED_KEY.match(lines[at])) and bool(lines[at].strip())
    return None


def _end_of_unclosed(lines: list[str], start: int) -> int:
    for at in range(start, len(lines)):
        if not _in_header(lines[at]):
            return at
    return len(lines)


def _in_header(line: str) -> bool:
    return bool(KEY.match(line) or INDENTED.match(line))


def _read_header(header: str) -> tuple[Values, bool]:
    """Values of the front matter, and whether it is broken YAML that had to be read line by line."""
    by_line = _by_line(header)
    if header.count("[") + header.count("{") > MAX_BRACKETS:
        return by_line, True
    try:
        # BaseLoader makes strings of everything and heeds no tag: 2021-12-08 stays as written, and nothing is executed.
        loaded = yaml.load(header, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return by_line, True
    if not isinstance(loaded, dict):
        return by_line if loaded is not None and not isinstance(loaded, list) else {}, bool(by_line)
    # A value that YAML takes for a mapping or a list of lists was meant as a line of text.
    return by_line | {str(key).lower(): value for key, value in _scalars(loaded)}, False


def _scalars(loaded: dict[Any, Any]) -> Iterator[tuple[Any, str | tuple[str, ...]]]:
    """Only text and lists of text are taken: aliases that multiply are never walked."""
    for key, value in loaded.items():
        if isinstance(value, dict):
            # 「source: {name: 某某网, url: …}」
            value = value.get("name")
        if isinstance(value, str):
            yield key, value.strip()
        elif isinstance(value, list) and str(key).lower() not in TITLE_KEYS:
            names = (entry.get("name") if isinstance(entry, dict) else entry for entry in value)
            yield key, tuple(entry.strip() for entry in names if isinstance(entry, str) and entry.strip())


def _by_line(header: str) -> Values:
    meta: Values = {}
    key = ""
    for line in header.split("\n"):
        if found := FENCED_KEY.match(line):
            key, value = found[1].lower(), _value(found[2])
            if value or key not in meta:
                meta[key] = value
        elif key and (entry := ENTRY.match(line)):
            entries = meta[key]
            meta[key] = (*(entries if isinstance(entries, tuple) else ()), _value(entry[1]))
    return meta


def _with_meanings(meta: Values) -> Values:
    """With a value for what no key of ours names but another does: `clip-source`, 「文章链接」."""
    named = dict(meta)
    for keys, meaning in OTHER_NAMES:
        if not any(meta.get(key) for key in keys):
            named |= next(
                ({keys[0]: value} for key, value in meta.items() if value and _means(key, value, meaning)), {}
            )
    return named


def _means(key: str, value: str | tuple[str, ...], meaning: Meaning) -> bool:
    """Where an address stands under the name of a source, it is one."""
    is_address = isinstance(value, str) and value.startswith(("http://", "https://"))
    found = meaning_of(key)
    if meaning == "published" and not (isinstance(value, str) and DIGITS.search(value)):
        return False  # 「publish: true」
    return found == meaning if meaning != "url" else is_address and found in ("url", "publisher")


def _value(written: str) -> str:
    written = written.strip()
    if quoted := QUOTED.match(written):
        return quoted[2].replace('\\"', '"').replace("''", "'").strip()
    return written


# ── meaning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _without_frames(meta: Values, body: str) -> tuple[Values, str, str, str, tuple[str, ...]]:
    """Values, title, a date that its heading carries, the body without heading and frames, and what frames held."""
    removed: tuple[str, ...] = ()
    url = _url(meta, body)
    body = MDX_IMPORT.sub("", LEADING_COMMENTS.sub("", as_markdown(body)))
    title, heading_date, body = _own_title(meta, body)
    for _ in range(FRAMES if _kind(body) == "markdown" else 0):
        framed = unframed(body, title)
        removed += framed.removed
        meta = {**framed.values, **{key: value for key, value in meta.items() if value}}
        title, dated, rest = _own_title({**meta, "title": title} if title else meta, framed.body)
        heading_date = heading_date or dated
        if rest == body:
            break
        body = rest
    if url and not _url(meta, ""):
        meta["link"] = url
    return meta, title, heading_date, body, removed


def _is_clipped(meta: Meta) -> bool:
    """Is all that is said of a moment when a tool took the text in?"""
    return not any(meta.get(key) and meaning_of(key) != "saved" for key in PUBLISHED_KEYS)


def _lines_above(body: str) -> list[str]:
    """Short lines among the first of a text."""
    lines = [line for line in body.split("\n", MOMENT_LINES * 4)[: MOMENT_LINES * 4] if line.strip()][:MOMENT_LINES]
    return [line for line in lines if len(line) <= MOMENT_LINE_CHARS and "。" not in line]


def _moment_above(body: str) -> str:
    """The moment in a short line above the text: 「某某报 记者 某甲 2026-11-05 10:20」."""
    return next((found[0].strip() for line in _lines_above(body) if (found := MOMENT.search(line))), "")


def _moment_of_source(body: str) -> str:
    """The moment in the line above the text that names the source: 「来源：某某报 作者：某甲 2026-11-05 10:20」."""
    source = next(filter(SOURCE_LINE.match, _lines_above(body)), "")
    found = MOMENT.search(source)
    return found[0].strip() if found else ""


def _if_mirrored(of_source: str, published: str) -> str:
    """The moment that the source has for its text, if front matter has a later one of the same day: when the mirror was
    made."""
    told, made = CHINESE_CLOCK.fullmatch(of_source), CHINESE_CLOCK.fullmatch(published)
    if not told or not made:
        return ""
    earlier, later = ([int(part) for part in found.groups()] for found in (told, made))
    return of_source if earlier[:3] == later[:3] and earlier < later else ""


def _own_title(meta: Meta, body: str) -> tuple[str, str, str]:
    """Title, a date that its heading carries, and the body: a heading at its head that is the title leaves it."""
    title = clean_line(html.unescape(_first(meta, TITLE_KEYS)))
    heading = HEADING.match(body) or UNDERLINED.match(body) or HTML_HEADING.match(body)
    if heading is None and not title:
        heading = SECOND_HEADING.match(body) or BOLD_TITLE.match(body)
    if heading is None:
        return title, "", body
    written = clean_line(html.unescape(TAG.sub("", LINK.sub(r"\1", heading[1])))).strip("*_ ")
    dated = DATE_IN_HEADING.search(written)
    if title and title != written and without_site_behind(title) != without_site_behind(written):
        return title, "", body
    written = without_site_behind(written)
    return written, dated[1] if dated else "", body[heading.end() :]


def _listed(meta: Meta, title: str, heading_date: str) -> Listed:
    categories, tags = _terms(meta, *CATEGORY_KEYS), _terms(meta, *TAG_KEYS)
    author, publisher = _first(meta, AUTHOR_KEYS), _first(meta, PUBLISHER_KEYS, names_only=True)
    return Listed(
        title=without_site_behind(title) or None,
        published=_published(meta) or heading_date or None,
        updated=_first(meta, UPDATED_KEYS) or None,
        summary=clean_text(_first(meta, SUMMARY_KEYS)) or None,
        publisher=ACCOUNT.sub(r"\1", publisher) or None,
        # RSSHub writes the name of the feed where an author belongs; it is among the categories as well.
        author=author if author and author not in categories else None,
        section=_section(categories, tags),
        tags=tags,
        native_id=_first(meta, NATIVE_ID_KEYS) or None,
    )


def _published(meta: Meta) -> str:
    """The first that is filled; of the same day, one that has a clock too."""
    first = _first(meta, PUBLISHED_KEYS)
    others = (_first(meta, (key,)) for key in PUBLISHED_KEYS)
    return next((other for other in others if len(first) == DAY_CHARS < len(other) and other.startswith(first)), first)


def _section(categories: tuple[str, ...], tags: tuple[str, ...]) -> str | None:
    """The narrowest category; where Jekyll names it in pinyin for the address, the tag that spells it out."""
    narrowest = categories[-1] if categories else ""
    if narrowest.isascii() and tags:
        return tags[0]
    return narrowest or None


def _kind(body: str) -> BodyKind:
    """What begins as HTML is, unless marks of Markdown follow: a picture or a box may stand at the head of those."""
    return "html" if STARTS_AS_HTML.match(body) and not MARKDOWN_MARK.search(body) else "markdown"


def _url(meta: Meta, body: str) -> str:
    """Address of the original: in front matter, else the share link on its own line, else a single «原文»."""
    for key in URL_KEYS:
        value = meta.get(key, "")
        if isinstance(value, str) and value.startswith(("http://", "https://", "//")):
            return value
    if shared := SHARE_LINE.findall(body):
        return str(shared[-1])
    origins = {html.unescape(url) for pattern in ORIGIN_LINKS for url in pattern.findall(body)}
    return origins.pop() if len(origins) == 1 else ""


def _days_conflict(meta: Meta, url: str) -> bool:
    """Do front matter and the day that the code in the url begins with differ by more than a night?

    The first key of PUBLISHED_KEYS wins all the same, and the url comes last: this is only said.
    """
    written = (meta.get(key, "") for key in PUBLISHED_KEYS)
    found = [DAY.match(value) for value in written if isinstance(value, str)] + [DAY_IN_CODE.search(url)]
    days = [day for match in found if match and (day := _day(match))]
    return len(days) > 1 and (max(days) - min(days)).days > 1


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _first(meta: Meta, keys: tuple[str, ...], *, names_only: bool = False) -> str:
    """The value of the first key that has one; with `names_only`, no address."""
    for key in keys:
        value = meta.get(key, "")
        if isinstance(value, tuple):
            value = " ".join(value)
        if value and not (names_only and value.startswith("http")):
            return WIKI_LINK.sub(r"\1", value)
    return ""


def _terms(meta: Meta, *keys: str) -> tuple[str, ...]:
    """A list, or words in a row as Jekyll has them."""
    for key in keys:
        if value := meta.get(key):
            terms = SPLIT_TERMS.split(value.strip("[]")) if isinstance(value, str) else value
            return tuple(term for term in terms if term)
    return ()


# ── body ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _html_with_links(body: str) -> str:
    """HTML as it is; the lines of Markdown below it become paragraphs, lest `<http://…>` be read as a tag."""
    body = SHARE_LINE.sub(lambda found: _paragraph(_anchor(found[1], found[1])), body)
    body = EMPTY_SHARE_LINE.sub("", body)
    return LINK_LINE.sub(
        lambda found: _paragraph(LINK.sub(lambda link: _anchor(link[2], html.escape(link[1])), found[0].strip())), body
    )


def _anchor(url: str, text: str) -> str:
    return f'<a href="{html.escape(html.unescape(url))}">{text}</a>'


def _paragraph(content: str) -> str:
    return f"<p>{content}</p>"


def _from_markdown(body: str) -> str:
    """A line that ends as a sentence does ends its paragraph too: Chinese is rarely broken by hand."""
    body = NOTE_MARK.sub("", NOTE.sub("\n", ENGINE_TAG.sub("", MDX_IMPORT.sub("", COMMENT.sub("", body)))))
    body = CONTENTS.sub("", BOX_OF_LINKS.sub("", body))
    body = CALLOUT.sub(r"\1", ADMONITION.sub(r"\n\1\2\n", EMBED.sub("", body)))
    for marked in (SCRIPT_LINK, HIGHLIGHT, WIKI_LINK, TASK):
        body = marked.sub(r"\1", body)
    body = NUMBERED.sub(r"\n\1\\\2", BOX.sub(r"\n\1\n", body) if ":::" in body else body)
    if "**" in body:
        body = STRONG.sub(r"<strong>\1\2</strong>", body)
    body = LABEL_BELOW.sub("\n\n", SENTENCE_END.sub("\n\n", EMPTY_SHARE_LINE.sub("", body)))
    rendered: str = _markdown().render(body)
    return rendered


@cache
def _markdown() -> MarkdownIt:
    # Indented lines are paragraphs of people who indent, never program code.
    return MarkdownIt("commonmark", {"html": True}).enable("table").disable("code")

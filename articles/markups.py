"""Turns what people write posts in, besides Markdown, into Markdown: Org, AsciiDoc, reStructuredText, MediaWiki.

Only what such posts are made of is read: headings, links, emphasis, quotes, notes, and the properties at the head,
which stay for articles.frames to read. Which of them a text is shows in its first lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HEAD_LINES = 40

_ORG = re.compile(r"^#\+(?:title|date|author|filetags|options|keywords|startup|property|hugo_\w+)[ \t]*:", re.M | re.I)
_ORG_TREE = re.compile(r"\A\s*\*+[ \t]+\S[^\n]*\n(?:[ \t]*(?:CLOSED|SCHEDULED)[^\n]*\n)?[ \t]*:PROPERTIES:", re.I)
_ADOC = re.compile(r"\A\s*(?:(?://[^\n]*|:[\w-]+:[^\n]*)\n)*=[ \t]+\S[^\n]*\n")
_ADOC_MARK = re.compile(r"^:[\w-]+:|^==+[ \t]+\S|^\[[\w#.,=\" -]+\]$|\blink:|https?://\S+\[|^[\w.+-]+::?\S*\[", re.M)
_PANDOC = re.compile(r"\A\s*%[ \t]+(\S[^\n]*)\n(?:%[ \t]*([^\n]*)\n)?(?:%[ \t]*([^\n]*)\n)?")
_RST_TITLE = re.compile(
    r"\A\s*(?:\.\.[ \t][^\n]*\n(?:[ \t]+[^\n]*\n)*+\s*+)*+"
    r"(?:([=#*~^\"-])\1{2,}[ \t]*\n)?[ \t]*(\S[^\n]*)\n([=#*~^\"-])\3{2,}[ \t]*\n"
)
_RST_MARK = re.compile(r"^\.\.[ \t]+\S|^:\w[\w -]*:[ \t]|`[^`<\n]+<[^<>\n]+>`__?|^([-=~^\"*#'`+])\1{3,}[ \t]*$", re.M)
_WIKI_MARK = re.compile(
    r"^(={2,6})[ \t]*[^=\n]+?[ \t]*\1[ \t]*$|'''[^'\n]+'''|^\{\{[^{}\n]+\}\}[ \t]*$|\[https?://\S+ [^\]\n]+\]", re.M
)


def as_markdown(text: str) -> str:
    """The text in Markdown; as it is, where it is written in nothing else we know."""
    text = _PANDOC.sub(_pandoc_header, text)
    head = "\n".join(text.split("\n", HEAD_LINES)[:HEAD_LINES])
    convert = _reader_of(head, text)
    return convert(text) if convert else text


def is_marked_up(text: str) -> bool:
    """Is it written in one of these?"""
    return as_markdown(text) != text


def _pandoc_header(found: re.Match[str]) -> str:
    names = zip(("title", "author", "date"), found.groups(), strict=True)
    return "".join(f"{name}: {value}\n" for name, value in names if value) + "\n"


def _reader_of(head: str, text: str) -> Callable[[str], str] | None:
    if _ORG.search(head) or _ORG_TREE.match(head):
        return _from_org
    if _ADOC.match(head) and _ADOC_MARK.search(text):
        return _from_asciidoc
    title = _RST_TITLE.match(head)
    if (title and _RST_MARK.search(head, title.end())) or _RST_PROPERTY.match(head.lstrip()):
        return _from_rst
    if len(_WIKI_MARK.findall(text)) >= 2 and not re.search(r"^#{1,6} ", text, re.M):
        return _from_wiki
    return None


# ── Org ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ORG_HEADING = re.compile(
    r"^(\*{1,6})[ \t]+(?:(?:TODO|DONE|NEXT|WAIT|CANCELED)[ \t]+)?(?:\[#[A-Z]\][ \t]+)?(.*?)(?:[ \t]+:[\w@:]+:)?[ \t]*$",
    re.M,
)
_ORG_BLOCK = re.compile(
    r"^[ \t]*#\+(?:begin|end|attr|caption|name|results|header|html|latex|toc|include|options|"
    r"startup)\w*(?:[: ][^\n]*)?$\n?",
    re.M | re.I,
)
# What its writer keeps for himself.
_ORG_UNSEEN = re.compile(r"^[ \t]*#\+begin_(comment|export|src)\b.*?^[ \t]*#\+end_\1[^\n]*\n?", re.M | re.S | re.I)
_ORG_UNSEEN_TREE = re.compile(r"(\*+)[ \t].*:(?:noexport|ARCHIVE):")
_ORG_TABLE_RULE = re.compile(r"^([ \t]*\|[-+]+\|)[ \t]*$", re.M)
_ORG_COMMENT = re.compile(r"^[ \t]*#(?:[ \t][^\n]*)?$\n?", re.M)
_ORG_DRAWER = re.compile(r"^[ \t]*:(?:LOGBOOK|CLOCK):\n.*?^[ \t]*:END:[ \t]*\n?", re.M | re.S | re.I)
_ORG_PROPERTIES = re.compile(r"^[ \t]*:PROPERTIES:[ \t]*\n(.*?)^[ \t]*:END:[ \t]*\n?", re.M | re.S | re.I)
_ORG_PLANNED = re.compile(r"^[ \t]*(?:CLOSED|SCHEDULED|DEADLINE):[^\n]*\n", re.M)
_ORG_IMAGE = re.compile(r"\[\[(?:file:|https?:|\.{0,2}/)[^\]\n]+\.(?:png|jpe?g|gif|webp|svg)[^\]\n]*\]\]", re.I)
_ORG_LINK = re.compile(r"\[\[([^\]\[\n]+)\]\[([^\]\[\n]+)\]\]")
_ORG_BARE_LINK = re.compile(r"\[\[([^\]\[\n]+)\]\]")
_ORG_NOTE = re.compile(r"\[fn:([\w-]*)(?::[^\]\n]*)?\]")
_ORG_BOLD = re.compile(
    r"(?<![\w*])\*([^\s*][^*\n]{0,200}?)\*(?![\w*])|"
    r"(?<=[\u4e00-\u9fff])\*([^\s*][^*\n]{0,200}?)\*(?=[\u4e00-\u9fff，。])"
)
_ORG_CODE = re.compile(r"(?<![\w=~/:])([=~])([^\s=~][^=~\n]{0,100}?)\1(?![\w=~/])")
_ORG_STAMP = re.compile(r"[<\[](\d{4}-\d\d-\d\d)(?:[ \t]+[^\s\d>\]]+)?(?:[ \t]+(\d{1,2}:\d\d))?[>\]]")


def _from_org(text: str) -> str:
    text = _ORG_UNSEEN.sub("", _without_unseen_trees(text))
    first = _ORG_HEADING.search(text)
    first_heading = first.start() if first else len(text)
    text = _ORG_PROPERTIES.sub(lambda found: found[1] if found.start() < first_heading else "", text)
    text = _ORG_PLANNED.sub("", _ORG_DRAWER.sub("", text))
    text = _ORG_STAMP.sub(lambda found: " ".join(filter(None, found.groups())), text)
    text = _ORG_COMMENT.sub("", _ORG_BLOCK.sub("\n", text))
    text = re.sub(r"^#\+hugo_(?!tags|categories|date|publishdate|lastmod)\w+:[^\n]*\n", "", text, flags=re.M | re.I)
    text = _ORG_TABLE_RULE.sub(lambda found: found[1].replace("+", "|"), _ORG_IMAGE.sub("", text))
    text = _ORG_LINK.sub(lambda found: f"[{found[2]}]({found[1]})" if found[1].startswith("http") else found[2], text)
    text = _ORG_BARE_LINK.sub(lambda found: f"<{found[1]}>" if found[1].startswith("http") else "", text)
    text = _ORG_CODE.sub(r"\2", _ORG_NOTE.sub(r"[^\1]", text))
    text = re.sub(r"^\[\^([\w-]+)\](?=[ \t])", r"[^\1]:", text, flags=re.M)
    text = _ORG_BOLD.sub(lambda found: f"**{found[1] or found[2]}**", text)
    return _ORG_HEADING.sub(lambda found: f"\n{'#' * len(found[1])} {found[2]}\n", text)


def _without_unseen_trees(text: str) -> str:
    kept: list[str] = []
    unseen = 0
    for line in text.split("\n"):
        stars = len(line) - len(line.lstrip("*")) if re.match(r"\*+[ \t]", line) else 0
        if stars and stars <= (unseen or stars):
            unseen = stars if _ORG_UNSEEN_TREE.match(line) else 0
        if not unseen:
            kept.append(line)
    return "\n".join(kept)


# ── AsciiDoc ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_ADOC_HEADING = re.compile(r"^(={1,6})[ \t]+(\S[^\n]*)$", re.M)
_ADOC_FENCE = re.compile(r"^(?:={4,}|-{4,}|_{4,}|\*{4,}|\.{4,}|\+{4,}|\|={3,}|--)[ \t]*$\n?", re.M)
_ADOC_ATTRIBUTES = re.compile(r"^\[[^\[\]\n]{0,200}\][ \t]*$\n?", re.M)
_ADOC_MACRO = re.compile(
    r"^(?:image|video|audio|include|toc|ifdef|ifndef|endif|ifeval|gist)::?[^\[\n]*\[[^\]\n]*\][ \t]*$\n?|"
    r"\bimage:[^\s\[:][^\[\n]*\[[^\]\n]*\]",
    re.M,
)
_ADOC_LINK = re.compile(r"(?:link:)?(https?://[^\s\[\]]+)\[([^\]\n]*?)(?:,[^\]\n]*|\^)?\]")
_ADOC_NOTE = re.compile(r"footnote:[\w-]*\[([^\]\n]*)\]")
_ADOC_LABEL = re.compile(r"^(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+", re.M)
_ADOC_BOLD = re.compile(r"(?<![\w*])\*([^\s*][^*\n]{0,200}?)\*(?![\w*])")
_ADOC_COMMENT = re.compile(r"^//(?!/)[^\n]*$\n?|^/{4,}\n.*?^/{4,}[ \t]*$\n?", re.M | re.S)
_ADOC_AUTHOR = re.compile(r"(?P<names>[^\s:=\[][^\n:<>=\[\]]{0,60}?)(?:[ \t]+<[^<>\n]+>)?(?:;[^\n]*)?")
_ADOC_REVISION = re.compile(
    r"(?:v?\d+(?:\.\d+)*,[ \t]*)?(?P<at>\d{4}-\d\d?-\d\d?[^\n:]{0,20}(?::\d\d){0,2})(?:[,:][^\n]*)?"
)
_ADOC_CAPTION = re.compile(r"^\.(?=[^\s.])", re.M)


def _from_asciidoc(text: str) -> str:
    text = _adoc_header(_ADOC_COMMENT.sub("", text))
    text = _ADOC_MACRO.sub("", _ADOC_NOTE.sub("", text))
    text = _ADOC_ATTRIBUTES.sub("", _ADOC_FENCE.sub("\n", text))
    text = _ADOC_LINK.sub(lambda found: f"[{found[2] or found[1]}]({found[1]})", text)
    text = _ADOC_CAPTION.sub("", _ADOC_LABEL.sub("", text))
    text = re.sub(r"^(\*{1,5})(?=[ \t])", lambda found: "  " * (len(found[1]) - 1) + "-", text, flags=re.M)
    text = re.sub(r"^\.{1,5}(?=[ \t])", "1.", text, flags=re.M)
    text = re.sub(r"^\+[ \t]*$|[ \t]\+$", "", text, flags=re.M)
    text = re.sub(
        r"^\|(?![=])([^\n]*)$", lambda found: " ".join(found[1].replace("|", " ").split()) + "\n", text, flags=re.M
    )
    text = _ADOC_BOLD.sub(r"**\1**", text)
    return _ADOC_HEADING.sub(lambda found: f"\n{'#' * len(found[1])} {found[2]}\n", text)


def _adoc_header(text: str) -> str:
    """With author and revision, which stand below the title without a name, as attributes."""
    lines = text.split("\n")
    title = next((number for number, line in enumerate(lines) if line.startswith("= ")), None)
    for number in range(title + 1, min(title + 3, len(lines))) if title is not None else ():
        line = lines[number].strip()
        if not line or line.startswith(":"):
            break
        if revision := _ADOC_REVISION.fullmatch(line):
            lines[number] = f":date: {revision['at']}"
        elif author := _ADOC_AUTHOR.fullmatch(line):
            lines[number] = f":author: {author['names']}"
    return "\n".join(lines)


# ── reStructuredText ─────────────────────────────────────────────────────────────────────────────────────────────────

_RST_HEADING = re.compile(
    r"^(?:([=#*~^\"'`+-])\1{2,}[ \t]*\n)?(?![ \t]*[-=~^\"'`+#*.]{3,}[ \t]*$)(\S[^\n]*)\n([=#*~^\"'`+-])\3{2,}[ \t]*$",
    re.M,
)
_RST_TABLE_RULE = re.compile(r"^[ \t]*(?:=+[ \t]+)+=+[ \t]*$\n?|^[ \t]*\+(?:[-=]+\+)+[ \t]*$\n?", re.M)
_RST_DROPPED = re.compile(
    r"^\.\.[ \t]+(?:image|figure|raw|contents|youtube|math|code|code-block|highlight|include|role|"
    r"default-role|toctree|meta|sectnum|tags|index|only|_[^\n:]+|\|[^|\n]+\|"
    r"[^\n:]*)::?[^\n]*\n(?:[ \t]+[^\n]*\n|[ \t]*\n(?=[ \t]+\S))*",
    re.M,
)
_RST_BOX = re.compile(r"^\.\.[ \t]+(?P<kind>[\w-]+)::[ \t]*(?P<words>[^\n]*)$(?:\n[ \t]+:[\w-]+:[^\n]*)*", re.M)
_RST_NOTE = re.compile(r"^\.\.[ \t]+\[[#\w*-]+\][ \t]+", re.M)
_RST_PROPERTY = re.compile(
    r"^\.\.[ \t]+(?:title|date|author|link|slug|tags|category|description|type|updated|status|\w+):(?:[ \t][^\n]*)?$",
    re.M,
)
_RST_COMMENT = re.compile(r"^\.\.(?:[ \t]++(?![\w-]+::|\[|[\w-]+:)[^\n]*)?\n(?:[ \t]+[^\n]*\n)*", re.M)
_RST_LINK = re.compile(r"`([^`<\n]+?)[ \t]*<([^<>`\n]+)>`__?")
_RST_REFERENCE = re.compile(r"`([^`\n]+)`__?(?!\w)|\[[#\w*]+\]_")
_RST_ROLE = re.compile(r":[\w:-]+:`([^`<\n]+?)(?:[ \t]*<[^<>\n]+>)?`")


def _from_rst(text: str) -> str:
    text += "\n"
    text = _RST_DROPPED.sub("\n", text)
    text = _RST_BOX.sub(lambda found: f"\n{found['words']}\n", text)
    text = _RST_COMMENT.sub("\n", _RST_NOTE.sub("", text))
    text = _RST_TABLE_RULE.sub("\n", text)
    marks: dict[str, int] = {}
    text = _RST_HEADING.sub(
        lambda found: f"\n{'#' * _level(found[3] + (found[1] or ''), marks)} {found[2].strip()}\n", text
    )
    text = _RST_LINK.sub(r"[\1](\2)", _RST_ROLE.sub(r"\1", text))
    return _RST_REFERENCE.sub(lambda found: found[1] or "", text).replace("``", "")


def _level(mark: str, marks: dict[str, int]) -> int:
    """Headings are of the level in which their underlines appear first."""
    return min(marks.setdefault(mark, len(marks) + 1), 6)


# ── MediaWiki and DokuWiki ───────────────────────────────────────────────────────────────────────────────────────────

_WIKI_HEADING = re.compile(r"^(={1,6})[ \t]*([^=\n]+?)[ \t]*\1[ \t]*$", re.M)
_DOKU_EMPHASIS = re.compile(r"(?<![:\w])//(?=\S)([^\n]{1,300}?)//(?![\w/])")
_WIKI_BOLD = re.compile(r"'{3,5}([^'\n]+)'{3,5}")
_WIKI_EMPHASIS = re.compile(r"''([^'\n]+)''")
_WIKI_LINK = re.compile(r"\[(https?://\S+)[ \t]+([^\]\n]+)\]")
_WIKI_INNER_LINK = re.compile(r"\[\[([^\]|\n]*)\|([^\]\n]+)\]\]")
_WIKI_FILE = re.compile(
    r"\[\[(?:File|Image|文件|图像|圖像|檔案|Category|分类|分類):(?:[^\]\[\n]|\[\[[^\]\[\n]*\]\])*\]\]|"
    r"\{\{[^{}]{0,2000}\}\}|__[A-Z]{3,14}__|~~[A-Z]+~~|^\[\[[a-z]{2,3}:[^\]\n]*\]\][ \t]*$",
    re.I | re.M,
)
# Templates that are words of the text: a link to another wiki, a foreign word, the day in whose news it stands.
_WIKI_WORDS = re.compile(r"\{\{(?:w|nowrap|lang)\|(?:[^{}|\n]*\|)*([^{}|\n]+)\}\}", re.I)
_WIKI_FOREIGN_LINK = re.compile(
    r"\{\{(?:link-\w+|internal link helper|le|tsl\|\w+)\|([^{}|\n]+)(?:\|[^{}|\n]*)*\}\}", re.I
)
_WIKI_DAY = re.compile(r"^\{\{(?:日期|date)\|([^{}|\n]{6,30})\}\}[ \t]*$", re.I | re.M)
_WIKI_VARIANT = re.compile(r"-\{(?:[A-Z]*\|)?(?:[^{};]*?zh-(?:hans|cn):)?([^{};:]+)[^{}]*\}-")
_WIKI_EMPTY_ITEM = re.compile(r"^[*#:;]+[ \t]*$\n?", re.M)
_WIKI_EMPTY_SECTION = re.compile(r"^(={2,6})[^=\n]+\1[ \t]*\n(?=\s*(?:\Z|\1(?!=)))", re.M)
_WIKI_REFERENCE = re.compile(r"<ref\b[^<>]*/>|<ref\b[^<>]*>[^<]{0,500}</ref>|<references\s*/?>", re.I)


def _from_wiki(text: str) -> str:
    text = _DOKU_EMPHASIS.sub(r"\1", text)
    text = _WIKI_DAY.sub(r"日期：\1\n", _WIKI_VARIANT.sub(r"\1", text))
    text = _WIKI_FOREIGN_LINK.sub(r"\1", _WIKI_WORDS.sub(r"\1", _WIKI_REFERENCE.sub("", text)))
    text = _WIKI_FILE.sub("", _WIKI_FILE.sub("", text))  # templates stand in templates
    text = _WIKI_EMPTY_SECTION.sub("", _WIKI_EMPTY_ITEM.sub("", text) + "\n")
    text = _WIKI_EMPHASIS.sub(r"\1", _WIKI_BOLD.sub(r"**\1**", text))
    text = _WIKI_LINK.sub(r"[\2](\1)", text)
    text = _WIKI_INNER_LINK.sub(
        lambda found: f"[{found[2]}]({found[1]})" if found[1].startswith("http") else found[2], text
    )
    deepest = max((len(found[1]) for found in _WIKI_HEADING.finditer(text)), default=0)
    if text.lstrip().startswith("======"):  # DokuWiki counts the other way
        return _WIKI_HEADING.sub(lambda found: f"\n{'#' * (7 - len(found[1]))} {found[2]}\n", text)
    return _WIKI_HEADING.sub(lambda found: f"\n{'#' * min(len(found[1]), deepest)} {found[2]}\n", text)

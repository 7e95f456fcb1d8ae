"""A tree of mark-up as a flat list of runs, and runs as the plain element that trafilatura is given.

    <div>甲<br>乙<p>丙<a href=…>丁</a></p></div>   ──read_runs──▶   甲 | 乙 | 丙丁   ──canonical──▶   <article><p>甲</p><p>乙</p>…

A run is what a reader sees as one paragraph: the text between two block borders or line breaks, whatever inline mark-up
is inside. Which runs are the article is decided elsewhere (articles.locate); nothing here looks at what a text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Literal

from lxml import etree
from lxml import html as lxml_html

Kind = Literal["p", "h", "li", "row"]

# More than this is no article page: the largest of 290 real pages has 9,000 elements.
MAX_ELEMENTS = 60_000

MAX_HIDDEN = 20
# Their text is never the article's.
SKIPPED = frozenset(
    """script style noscript iframe frame object embed applet select option button textarea input svg math canvas template
    head title map area video audio source track progress dialog noframes nav footer menu""".split()
)
INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small span
    strike strong sub sup time tt u var wbr img o:p st1:date""".split()
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
BOLD = frozenset(("b", "strong", *HEADINGS))
CELLS = frozenset(("td", "th"))


class Hint:
    """What class and id of an element or of one around it say about a run: bits of a plain int (an IntFlag is ten times
    slower, and they are combined for every element)."""

    NONE = 0
    BODY = 1
    NOISE = 2
    SOURCE = 4
    AUTHOR = 8
    EDITOR = 16
    TIME = 32
    CRUMBS = 64
    CAPTION = 128
    TAGS = 256


MARKS = Hint.SOURCE | Hint.AUTHOR | Hint.EDITOR | Hint.TIME | Hint.CRUMBS | Hint.TAGS

# Words begin at a border (start, separator, or a capital after a small letter, which is turned into a separator before).
_WORDS: tuple[tuple[int, str], ...] = (
    (
        Hint.BODY,
        r"art[iy]?[_-]?(?:body|cont|real|txt|text|main)|artibody|artical[_-]?(?:real|main|cont)|article|content|"
        r"cont(?![a-z])|text[_-]?con|txt|end[_-]?text|zw|zhengwen|post[_-]?(?:body|text|cont)|news[_-]?(?:txt|text|cont|body|con(?![a-z]))|"
        r"entry|story|detail|main[_-]?text|rich|ueditor|trs|tys|nr(?![a-z])|wz",
    ),
    (
        Hint.NOISE,
        r"share|bshare|bdshare|jiathis|comment|pinglun|reply|discuss|relat|relevan|recommend|recom|tuijian|guess|hot(?![a-z])|"
        r"rank|side(?:bar|_|-|$)|foot|nav(?![a-z])|nav[_-]?bar|copy[_-]?right|disclaim|statement|shengming|qr(?![a-z])|qrcode|"
        r"erweima|ewm|weixin|wechat|ad(?:s|vert|box|_|-|$)|gg(?![a-z])|guanggao|banner|tool|login|regist|search|page[rs]?(?![a-z])|"
        r"page(?:nav|_?bar|_?box|ination)|vote|toupiao|survey|download|feedback|report(?![a-z])|jubao|next|prev|"
        r"other[_-]?news|more[_-]?news|hot[_-]?news|also|link[_-]?list|friend[_-]?link|toolbar|follow|guanzhu|widget|"
        r"xgxw|xgyd|xg(?![a-z])|zebian|topic[_-]?list|teaser|read[_-]?more|append[_-]?qr|statement|subscribe|reward|donat|popup|modal|tips?(?![a-z])",
    ),
    (Hint.SOURCE, r"sour?ce|laiyuan|from(?![a-z])|fromsite|media[_-]?name|origin|where(?![a-z])|copyfrom|ly(?![a-z])"),
    (Hint.AUTHOR, r"author|byline|writer|zuozhe|reporter"),
    (Hint.EDITOR, r"editor|bianji|zebian|zrbj"),
    (Hint.TIME, r"time|date|pub[_-]?(?:time|date)|shijian|riqi"),
    (Hint.CRUMBS, r"crumb|breadcrumb|bread|location|position|weizhi|dqwz|daohang|path(?![a-z])|where"),
    (Hint.CAPTION, r"caption|img[_-]?(?:desc|txt|title|note)|pic[_-]?(?:desc|txt|title|note)|image[_-]?(?:desc|note)|tushuo|photo[_-]?(?:desc|note)|figcaption"),
    (Hint.TAGS, r"tags?(?![a-z])|keyword|label(?![a-z])"),
)
_HINTS = tuple((hint, re.compile(rf"(?:^|[^a-z])(?:{words})")) for hint, words in _WORDS)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# Links on a security's name: part of the sentence, not a way off the page.
_STOCK_LINK = re.compile(
    r"quote\.eastmoney|/realstock/|/stock/(?:s[hz])?\d{6}|quotes?\.|/fund/\d|stockpage|/quote/|xueqiu\.com/S/|/hq/|hq\.", re.IGNORECASE
)


@lru_cache(maxsize=8192)
def hints_of(names: str) -> int:
    """What the words of a class or id attribute say. Cached: a site uses few names, and on every page the same."""
    lowered = _CAMEL.sub("_", names).lower()
    found = Hint.NONE
    for hint, pattern in _HINTS:
        if pattern.search(lowered):
            found |= hint
    return found


@dataclass(slots=True)
class Run:
    """One paragraph as displayed."""

    order: int
    block: etree._Element
    kind: Kind
    hints: int
    parts: list[str] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    """The parts outside links."""
    bold_chars: int = 0
    level: int = 0
    """Of a heading, 1 to 6; 0 for all else."""
    noise: bool = False
    """Set by articles.locate, once it is known where the headline is."""

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def pieces(self) -> str:
        """The text with a tab wherever one element ends and another begins: values stand in elements of their own."""
        return "\t".join(" ".join(part.split()) for part in self.parts)

    @property
    def free_text(self) -> str:
        return "".join(self.free)


@dataclass(frozen=True, slots=True)
class Mark:
    """An element whose name says it holds a field, with the run it begins in."""

    hint: int
    element: etree._Element
    order: int


@dataclass(slots=True)
class Reading:
    """What was read from a tree: its runs in order, the marked elements, images and links on securities."""

    runs: list[Run] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    images: list[tuple[int, etree._Element]] = field(default_factory=list)
    stock_links: list[tuple[int, etree._Element]] = field(default_factory=list)
    spans: list[tuple[int, int, int, etree._Element]] = field(default_factory=list)
    """Blocks that hold runs, inner ones first: first run, run after the last, depth, element."""
    noise: list[tuple[int, int]] = field(default_factory=list)
    """First run and run after the last of each block whose name speaks of noise."""
    hidden: dict[str, str] = field(default_factory=dict)
    """What a page tells search engines only: texts of undisplayed elements by id, such as `pubtime_baidu`."""
    elements: int = 0
    too_many: bool = False


def read_runs(root: etree._Element) -> Reading:
    """Every run below `root`, in one pass over the tree.

    One loop with its own stack instead of recursion: the depth of a page is chosen by its author, not by us.
    """
    reading = Reading()
    walker = _Walker(reading, root)
    walker.walk()
    reading.elements = walker.elements
    return reading


@dataclass(slots=True)
class _Frame:
    """What holds inside one open element."""

    element: etree._Element
    children: Iterator[etree._Element]
    breaks: bool
    block: etree._Element
    kind: Kind
    level: int
    hints: int
    linked: bool
    bold: bool
    in_row: bool
    in_pre: bool
    start: int = 0
    noisy: bool = False


class _Walker:
    __slots__ = ("elements", "open", "reading", "stack")

    def __init__(self, reading: Reading, root: etree._Element) -> None:
        self.reading = reading
        self.open: Run | None = None
        self.elements = 0
        self.stack = [_Frame(root, iter(root), True, root, "p", 0, Hint.NONE, False, False, False, False)]

    def walk(self) -> None:
        stack = self.stack
        self.add(stack[0].element.text, stack[0])
        while stack:
            frame = stack[-1]
            child = next(frame.children, None)
            if child is None:
                self.leave(stack.pop())
                continue
            self.elements += 1
            if self.elements > MAX_ELEMENTS:
                self.reading.too_many = True
                return
            inner = self.enter(child, frame)
            if inner is None:
                self.add(child.tail, frame)
            else:
                stack.append(inner)
                self.add(child.text, inner)

    def enter(self, child: etree._Element, frame: _Frame) -> _Frame | None:
        """The frame of a child, or None where nothing of it is to be read."""
        tag = child.tag
        if tag == "br":
            self.line_break(frame)
            return None
        if not isinstance(tag, str) or tag in SKIPPED:
            return None
        if tag == "img":
            self.reading.images.append((len(self.reading.runs), child))
            return None
        style = child.get("style")
        if style is not None and "none" in style and _HIDDEN.search(style):
            self.note_hidden(child)
            return None
        own = self.hints(child)
        hints = frame.hints | (own & ~Hint.NOISE)
        noisy = own & Hint.NOISE != 0
        linked, bold = frame.linked, frame.bold or tag in BOLD
        if tag in INLINE:
            if tag == "a":
                linked = self.is_way_off(child)
            return _Frame(
                child, iter(child), False, frame.block, frame.kind, frame.level, hints, linked, bold, frame.in_row, frame.in_pre
            )
        if frame.in_row:
            self.space(frame)
            return _Frame(
                child, iter(child), False, frame.block, frame.kind, frame.level, hints, linked, bold, True, frame.in_pre
            )
        self.close()
        # A block inside a heading is no heading: old pages leave theirs unclosed.
        kind: Kind = "p" if frame.kind == "h" else frame.kind
        level = 0
        in_row = False
        if tag in HEADINGS:
            kind, level = "h", int(tag[1])
        elif tag == "li":
            kind = "li"
        elif tag == "tr" and is_data_row(child):
            kind, in_row = "row", True
        return _Frame(
            child, iter(child), True, child, kind, level, hints, linked, bold, in_row, frame.in_pre or tag == "pre",
            len(self.reading.runs),
            noisy,
        )

    def hints(self, child: etree._Element) -> int:
        css_class, css_id = child.get("class"), child.get("id")
        if (css_class is None and css_id is None) or child.tag == "body":
            return 0
        own = hints_of(f"{css_class or ''} {css_id or ''}")
        if own & MARKS:
            self.reading.marks.append(Mark(own, child, len(self.reading.runs)))
        if own & Hint.BODY:
            own &= ~Hint.NOISE
        return own

    def note_hidden(self, child: etree._Element) -> None:
        for inner in islice(child.iter(), MAX_HIDDEN):
            name = inner.get("id")
            if name and name.endswith("_baidu"):
                self.reading.hidden.setdefault(name, "".join(inner.itertext()))

    def is_way_off(self, link: etree._Element) -> bool:
        href = link.get("href")
        if href is None:
            return False
        if _STOCK_LINK.search(href):
            self.reading.stock_links.append((len(self.reading.runs), link))
            return False
        return True

    def leave(self, frame: _Frame) -> None:
        if frame.breaks:
            self.close()
            end = len(self.reading.runs)
            if end > frame.start:
                self.reading.spans.append((frame.start, end, len(self.stack), frame.element))
                if frame.noisy:
                    self.reading.noise.append((frame.start, end))
        if self.stack:
            outer = self.stack[-1]
            if outer.in_row and not frame.breaks:
                if frame.element.tag not in INLINE:
                    self.space(outer)
            self.add(frame.element.tail, outer)

    def add(self, text: str | None, frame: _Frame) -> None:
        if not text:
            return
        if frame.in_pre and "\n" in text:
            first, *rest = text.split("\n")
            self.add(first, frame)
            for line in rest:
                self.close()
                self.add(line, frame)
            return
        run = self.open
        if run is None:
            if text.isspace():
                return
            run = self.open = Run(len(self.reading.runs), frame.block, frame.kind, frame.hints, level=frame.level)
        run.parts.append(text)
        if not frame.linked:
            run.free.append(text)
        if frame.bold:
            run.bold_chars += len(text)

    def space(self, frame: _Frame) -> None:
        if self.open is not None:
            self.open.parts.append(" ")

    def line_break(self, frame: _Frame) -> None:
        if frame.in_row:
            self.space(frame)
        else:
            self.close()

    def close(self) -> None:
        if self.open is not None:
            self.reading.runs.append(self.open)
            self.open = None


# A cell longer than this holds prose: the table lays out the page.
MAX_CELL_CHARS = 160
MAX_CELLS = 200


def is_data_row(row: etree._Element) -> bool:
    """Does a table row hold figures, rather than parts of the page's layout?"""
    cells = [cell for cell in row if cell.tag in CELLS]
    if not 2 <= len(cells) <= MAX_CELLS:
        return False
    return all(_is_data_cell(cell) for cell in cells)


def _is_data_cell(cell: etree._Element) -> bool:
    chars = 0
    blocks = 0
    for inner in cell.iter():
        if inner.tag in ("table", "ul", "ol", "h1", "h2", "script", "form"):
            return False
        blocks += inner.tag in ("p", "div")
        chars += len(inner.text or "") + len(inner.tail or "")
        if chars > MAX_CELL_CHARS or blocks > 3:
            return False
    return True


_SPACES = re.compile(r"[ \t\r\f\v]*\n\s*|[ \t\r\f\v]+")


def canonical(paragraphs: Sequence[tuple[Kind, str]]) -> lxml_html.HtmlElement:
    """The document given to trafilatura: a body that holds one article of plain paragraphs.

    Flat and without a class or a link, so that none of trafilatura's tests for density, size or names has a hold on it.
    """
    document = lxml_html.Element("html")
    article = etree.SubElement(etree.SubElement(document, "body"), "article", itemprop="articleBody")
    for _, text in paragraphs:
        etree.SubElement(article, "p").text = text
    return document

"""A tree of mark-up as a flat list of runs, and runs as the plain element that trafilatura is given.

    <div>甲<br>乙<p>丙<a href=…>丁</a></p></div>  ──read_runs──▶  甲 | 乙 | 丙丁  ──canonical──▶  <p>甲</p><p>乙</p>…

A run is what a reader sees as one paragraph: the text between two block borders or line breaks, whatever inline mark-up
is inside. Which runs are the article is decided in articles.locate; nothing here looks at what a text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from lxml import etree
from lxml import html as lxml_html

from articles.normalise import join_wide

Kind = Literal["p", "h", "li", "row"]

# The largest of 290 real pages has 9,000 elements: more than this is no article, and takes seconds to read.
MAX_ELEMENTS = 60_000
# Deeper mark-up is read as text without structure. libxml2 itself stops at 2,048.
MAX_DEPTH = 300
# A cell longer than this holds prose, and its table lays out the page.
MAX_CELL_CHARS = 160
MAX_CELL_BLOCKS = 3
MAX_CELLS = 200
MAX_HIDDEN_ELEMENTS = 20

_INLINE, _BLOCK, _OTHER_BLOCK, _BREAK, _IMAGE, _SKIP = range(6)
_SKIPPED_TAGS = """script style noscript iframe frame object embed applet select option button textarea input svg math
    canvas template head title map area video audio source track progress dialog noframes nav footer menu"""
_INLINE_TAGS = """a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s
    samp small span strike strong sub sup time tt u var wbr o:p st1:date"""
_ACTIONS: Final = {
    **dict.fromkeys(_SKIPPED_TAGS.split(), _SKIP),
    **dict.fromkeys(_INLINE_TAGS.split(), _INLINE),
    # Inside these, other things hold than around them.
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "pre"), _OTHER_BLOCK),
    "br": _BREAK,
    "img": _IMAGE,
}
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_CELLS = frozenset(("td", "th"))
_NEVER_IN_CELLS = frozenset(("table", "ul", "ol", "h1", "h2", "script", "form"))


class Hint:
    """What class and id of elements say about a run: bits of a plain int.

    Not an IntFlag: that is ten times slower, and hints are combined for every element.
    """

    BODY: Final = 1
    NOISE: Final = 2
    SOURCE: Final = 4
    AUTHOR: Final = 8
    EDITOR: Final = 16
    TIME: Final = 32
    CRUMBS: Final = 64
    PART: Final = 128
    QUOTE: Final = 256
    MARKS: Final = SOURCE | AUTHOR | EDITOR | TIME | CRUMBS


_BODY, _NOISE, _PART, _QUOTE, _MARKS = Hint.BODY, Hint.NOISE, Hint.PART, Hint.QUOTE, Hint.MARKS
# What says nothing of the blocks inside.
_OWN = Hint.NOISE | Hint.PART | Hint.QUOTE

# Parts of names in use on Chinese sites, English and pinyin. A word begins at a border: the start, a separator, or a
# capital after a small letter; `(?![a-z])` asks for its end as well.
_WORDS: tuple[tuple[int, str], ...] = (
    (
        Hint.BODY,
        r"art[iy]?[_-]?(?:body|cont|real|txt|text|main)|artibody|artical[_-]?(?:real|main|cont)|article|content|cont(?![a-z])|"
        r"text[_-]?con|txt|end[_-]?text|zw|zhengwen|post[_-]?(?:body|text|cont)|"
        r"news[_-]?(?:txt|text|cont|body|con(?![a-z]))|entry|story|detail|main[_-]?text|rich|ueditor|trs|nr(?![a-z])|wz",
    ),
    (
        Hint.NOISE,
        r"share|bshare|bdshare|jiathis|comment|pinglun|reply|discuss|relat|relevan|recommend|recom|tuijian|guess|hot(?![a-z])|"
        r"rank|side(?:bar|_|-|$)|foot(?!note)|nav(?![a-z])|nav[_-]?bar|copy[_-]?right|disclaim|statement|shengming|qr(?![a-z])|"
        r"qrcode|erweima|ewm|weixin|wechat|ad(?:s|vert|box|_|-|$)|gg(?![a-z])|guanggao|banner|tool|login|regist|search|"
        r"page[rs]?(?![a-z])|page(?:nav|_?bar|_?box|ination)|vote|toupiao|survey|download|feedback|report(?![a-z])|jubao|"
        r"next|prev|other[_-]?news|more[_-]?news|hot[_-]?news|also|link[_-]?list|friend[_-]?link|follow|guanzhu|widget|"
        r"sign(?:ature)?(?![a-z])|tags?[_-]?(?:wrap|list|box|area)|tags(?![a-z])|(?:dian)?zan(?![a-z])|xgxw|xgyd|xg(?![a-z])|zebian|topic[_-]?list|teaser|read[_-]?more|append[_-]?qr|subscribe|reward|donat|popup|"
        r"modal|tips?(?![a-z])",
    ),
    (
        Hint.SOURCE,
        r"sour?ce|js[_-]name|meta[_-]nick[_-]?name|laiyuan|from(?![a-z])|fromsite|media[_-]?name|origin|where(?![a-z])|"
        r"copyfrom|ly(?![a-z])|src(?![a-z])",
    ),
    (
        Hint.AUTHOR,
        r"author|authi(?![a-z])|byline|writer|zuozhe|reporter",
    ),
    (Hint.EDITOR, r"editor|bianji|zebian|zrbj"),
    (Hint.TIME, r"time|date|pub[_-]?(?:time|date)|shijian|riqi"),
    (Hint.CRUMBS, r"crumb|bread|location|position|weizhi|dqwz|daohang|path(?![a-z])"),
    (Hint.QUOTE, r"(?:js|stock|live|real)?[_-]?quotes?(?![a-z])|hq(?![a-z])|hangqing"),
)
_HINTS = tuple((hint, re.compile(rf"(?:^|[^a-z])(?:{words})")) for hint, words in _WORDS)
# The parts of an article that a name may end in: `article__statement`, `detail-share`, `news_vote_box`.
_PART_OF_BODY = re.compile(
    rf"(?:^|[^a-z])(?:{dict(_WORDS)[Hint.BODY]}).*"
    r"[^a-z](?:share|comments?|pinglun|reply|relat(?:ed?|ion|ive)s?|recom\w*|tuijian|copyrights?|disclaimer?|declare|statement|shengming|qr|"
    r"qrcode|erweima|ewm|wechat|weixin|ads?|advert\w*|guanggao|banner|tool\w*|vote|toupiao|survey|download|feedback|foot(?:er)?|tags?|zan|tips?|"
    r"reward|donate|subscribe|follow|guanzhu|side(?:bar)?|promo)(?![a-z])(?!.*body)"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# 「 -1.15 (-2.4%) 成交 9,870萬」: no sentence.
_FIGURES = re.compile(r"\s*[(（]?\s*(?=.*%)[+\-▲▼△▽↑↓]?\s*\d[^，。！？“”]{0,80}")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_PAGE = re.compile(r"(?<![a-z])page(?![a-z])")
_BOARD = re.compile(r"(?:stock|js|real|live|hx)[_-]?quote|(?<![a-z])hq(?![a-z])|hangqing")
# What a text refers to its notes with: 「[1]」, and the way back.
_NOTE_MARK = re.compile(r"\s*[\[(（]?(?:\d{1,3}|[a-z*†‡↩↑^])\ufe0e?[\])）]?\s*")
# Links on the name of a security are part of the sentence, not a way off the page: one paragraph in ten of East Money's
# is links for more than half.
_STOCK_LINK = re.compile(
    r"//quotes?\.|/realstock/|/(?:stock|quotes?)/(?:s[hz])?\d{6}|stockpage|xueqiu\.com/S/|//hq\.|stock/quotes/"
)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What holds inside an element. Inline elements share their parent's, so most elements need none of their own.

    Not a named tuple, of which values are read four times as slowly. Of equal ones there is one only, see `_state`.
    """

    kind: Kind
    level: int
    hints: int
    in_row: bool
    preformatted: bool


# Cached, as a page has few states and makes each of them anew for hundreds of elements.
_state = lru_cache(maxsize=4096)(_State)
_OUTERMOST = _state("p", 0, 0, False, False)


@dataclass(slots=True)
class Run:
    """One paragraph as displayed."""

    order: int
    parts: list[str]
    """Texts of the elements it is made of."""
    text: str
    """White space folded."""
    free: str
    """What of `text` is in no link."""
    kind: Kind
    level: int
    """Of a heading, 1 to 6; 0 for all else."""
    hints: int
    noise: bool = False
    """Set by articles.locate, once it is known where the headline is."""

    @property
    def paragraph(self) -> str:
        """The text as one line: breaks in the source go where no space belongs, between wide characters."""
        if self.kind == "row":
            return self.text
        raw = "".join(self.parts)
        return join_wide(raw.split("\n")) if "\n" in raw else raw

    @property
    def pieces(self) -> str:
        """The text with a tab where one element ends and another begins: values stand in elements of their own."""
        return "\t".join(" ".join(part.split()) for part in self.parts)


class Mark(NamedTuple):
    """An element whose name says that it holds a field, and the run it begins in."""

    hint: int
    element: etree._Element
    order: int


# The runs of one block: the first, the one after the last, and its element. Bare tuples, of which a page has hundreds:
# a named one takes eight times as long to make, which was a tenth of the walk.
Span: TypeAlias = tuple[int, int, etree._Element]


class Image(NamedTuple):
    element: etree._Element
    order: int
    """Of the run behind it."""
    hints: int


@dataclass(slots=True)
class Reading:
    """What was read from a tree."""

    runs: list[Run] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """Inner blocks before the ones around them."""
    noise: list[Span] = field(default_factory=list)
    """Blocks whose name speaks of noise, and forms."""
    parts: list[Span] = field(default_factory=list)
    """Blocks whose name speaks of a part of an article that is none of its text: `article__statement`."""
    marks: list[Mark] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    stock_links: list[tuple[int, str]] = field(default_factory=list)
    """Run and address."""
    hidden: dict[str, str] = field(default_factory=dict)
    """What a page tells search engines only: texts of undisplayed elements by id, such as `pubtime_baidu`."""
    elements: int = 0
    too_deep: bool = False

    @property
    def too_many(self) -> bool:
        return self.elements > MAX_ELEMENTS


def read_runs(root: etree._Element) -> Reading:
    """Every run below `root`, in one pass over the tree."""
    reader = _Reader()
    reader.visit(root, _OUTERMOST, False, 0)
    if reader.parts:
        reader.close()
    reader.reading.elements = reader.elements
    return reader.reading


@lru_cache(maxsize=16384)
def hints_of(names: str) -> int:
    """What the words of a class or id attribute say. Cached: a site uses few names, and on every page the same."""
    lowered = _CAMEL.sub("_", names).lower()
    found = 0
    for hint, pattern in _HINTS:
        if pattern.search(lowered):
            found |= hint
    if found & _BODY and found & _NOISE and any(map(_PART_OF_BODY.search, lowered.split())):
        found |= _PART
    return found


def texts_of(element: etree._Element) -> Iterator[str]:
    """All text inside an element. (To lxml's type stubs it might be bytes, which it is in no tree parsed from HTML.)"""
    return cast("Iterator[str]", element.itertext())


def is_data_row(row: etree._Element) -> bool:
    """Does a table row hold figures, rather than parts of the page's layout?"""
    cells = [cell for cell in row if cell.tag in _CELLS]
    return 2 <= len(cells) <= MAX_CELLS and all(_is_data_cell(cell) for cell in cells)


def canonical(paragraphs: Iterable[str]) -> lxml_html.HtmlElement:
    """The document given to trafilatura: a body that holds one article of plain paragraphs.

    Flat, and without a class or a link, so that no test of trafilatura's for density, size or names has a hold on it.
    """
    document = lxml_html.Element("html")
    body = etree.SubElement(document, "body")
    # Of lxml's plain elements: it asks a function of lxml.html for the class of each other one.
    article = etree.Element("article", itemprop="articleBody")
    for paragraph in paragraphs:
        etree.SubElement(article, "p").text = paragraph
    body.append(article)
    return document


def make_blocks(elements: Iterable[etree._Element]) -> None:
    """Let containers that old pages make of inline tags, `<font id=zoom>`, count as the blocks they are."""
    for element in elements:
        if _ACTIONS.get(element.tag) == _INLINE:
            element.tag = "div"


class _Reader:
    """Walks a tree and cuts its text into runs. The one hot loop of extraction, a quarter of its time without rules:
    hence the long functions that call as few others as they can, plain ints for hints, leaves that are read without a
    call of their own, and a state that most elements share with their parent."""

    __slots__ = ("elements", "free", "parts", "reading", "runs", "state")

    def __init__(self) -> None:
        self.reading = Reading()
        self.runs = self.reading.runs
        self.elements = 0
        self.parts: list[str] = []
        self.free: list[str] = []
        self.state: _State | None = None
        """Of the element in which the open run began."""

    def visit(self, element: etree._Element, state: _State, linked: bool, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.flatten(element, state, linked)
            return
        self.elements += len(element)
        if self.elements > MAX_ELEMENTS:
            return
        if (text := element.text) is not None and (self.parts or not text.isspace()):
            self.add(text, state, linked)
        outer_hints = state.hints
        for child in element:
            tag = child.tag
            action = _ACTIONS.get(tag, _BLOCK)
            if action <= _OTHER_BLOCK and (
                (style := child.get("style")) is None or "none" not in style or not self.is_hidden(child, style)
            ):
                css_class, css_id = child.get("class"), child.get("id")
                own = 0
                if css_class is not None or css_id is not None:
                    own = hints_of(f"{css_class or ''} {css_id or ''}")
                    if own & _MARKS:
                        self.reading.marks.append(Mark(own, child, len(self.runs)))
                if action == _INLINE and own & _QUOTE and _is_quote(child, css_id):
                    pass  # Figures of the market that a script fills in.
                elif tag == "a" and _is_note_mark(child):
                    pass
                elif action == _INLINE:
                    hints = own & ~(outer_hints | _OWN)
                    inner = _hinted(state, hints) if hints else state
                    is_link = self.is_way_off(child) if tag == "a" else linked
                    if len(child):
                        self.visit(child, inner, is_link, depth + 1)
                    elif (text := child.text) is not None and (self.parts or not text.isspace()):
                        self.add(text, inner, is_link)
                elif isinstance(tag, str):
                    self.visit_block(child, tag, action, state, linked, depth, own)
            elif action == _BREAK:
                if state.in_row:
                    self.gap()
                elif self.parts:
                    self.close()
            elif action == _IMAGE:
                self.reading.images.append(Image(child, len(self.runs), outer_hints))
            if (text := child.tail) is not None and (self.parts or not text.isspace()):
                self.add(text, state, linked)

    def visit_block(
        self, child: etree._Element, tag: str, action: int, state: _State, linked: bool, depth: int, own: int
    ) -> None:
        if state.in_row:
            self.gap()
            self.visit(child, state, linked, depth + 1)
            self.gap()
            return
        if self.parts:
            self.close()
        start = len(self.runs)
        if action == _OTHER_BLOCK or state.level or own & ~(state.hints | _OWN):
            state = _state_of(tag, state, own, tag == "tr" and is_data_row(child))
        if len(child):
            self.visit(child, state, linked, depth + 1)
        elif (text := child.text) is not None and not text.isspace():
            self.add(text, state, linked)
        if self.parts:
            self.close()
        if (end := len(self.runs)) > start:
            span = (start, end, child)
            self.reading.spans.append(span)
            # What is named after both an article and its share buttons is the article.
            # So is a form: a survey, a log-in, a place to comment.
            is_noise = own & _NOISE and not own & _BODY and tag != "body" and not _is_anchor(child, tag)
            if (
                (is_noise and not _is_page_of_text(child, self.runs[start:end]))
                or tag == "form"
                or (own & _QUOTE and _is_board(child, self.runs[start:end]))
            ):
                self.reading.noise.append(span)
            elif own & _PART:
                self.reading.parts.append(span)

    def flatten(self, element: etree._Element, state: _State, linked: bool) -> None:
        """What lies too deep, as text without structure."""
        self.reading.too_deep = True
        for text in texts_of(element):
            if self.parts or not text.isspace():
                self.add(text, state, linked)

    def is_hidden(self, child: etree._Element, style: str) -> bool:
        if not _HIDDEN.search(style):
            return False
        for inner in islice(child.iter(), MAX_HIDDEN_ELEMENTS):
            name = inner.get("id")
            if name and name.endswith("_baidu"):
                self.reading.hidden.setdefault(name, "".join(texts_of(inner)))
        return True

    def is_way_off(self, link: etree._Element) -> bool:
        href = link.get("href")
        if href is None:
            # One with a name is a place to lead to; scripts open the others.
            return link.get("name") is None and link.get("id") is None
        if ("quote" in href or "stock" in href or "hq." in href or "xueqiu" in href) and _STOCK_LINK.search(href):
            self.reading.stock_links.append((len(self.runs), href))
            return False
        return True

    def add(self, text: str, state: _State, linked: bool) -> None:
        """The next text of the open run, which none but white space opens."""
        if not self.parts:
            self.state = state
        if state.preformatted and "\n" in text:
            self.add_lines(text, state, linked)
            return
        self.parts.append(text)
        if not linked:
            self.free.append(text)

    def add_lines(self, text: str, state: _State, linked: bool) -> None:
        plain = _state(state.kind, state.level, state.hints, state.in_row, False)
        for at, line in enumerate(text.split("\n")):
            if at and self.parts:
                self.close()
            if self.parts or not line.isspace():
                self.add(line, plain, linked)

    def gap(self) -> None:
        """Between the cells of a row, and the blocks inside them."""
        if self.parts:
            self.parts.append(" ")
            self.free.append(" ")

    def close(self) -> None:
        assert self.state is not None  # set with the first part
        parts, free_parts, state = self.parts, self.free, self.state
        text = " ".join("".join(parts).split())
        if text:
            free = text if len(free_parts) == len(parts) else " ".join("".join(free_parts).split())
            self.runs.append(Run(len(self.runs), parts, text, free, state.kind, state.level, state.hints))
        self.parts, self.free = [], []


@lru_cache(maxsize=4096)
def _is_anchor(child: etree._Element, tag: str) -> bool:
    """Is the name that of a heading's place, which programs make of its words: `<h2 id="statement">`?"""
    return tag in _HEADINGS and not hints_of(child.get("class") or "") & _NOISE


def _state_of(tag: str, outer: _State, own: int, is_row: bool) -> _State:
    """What holds inside a block that is not as its parent is."""
    # A block inside a heading is no heading: old pages leave theirs unclosed.
    kind: Kind = "p" if outer.kind == "h" else outer.kind
    level = 0
    if tag in _HEADINGS:
        kind, level = "h", int(tag[1])
    elif tag == "li":
        kind = "li"
    elif is_row:
        kind = "row"
    return _state(kind, level, outer.hints | (own & ~_OWN), is_row, outer.preformatted or tag == "pre")


@lru_cache(maxsize=4096)
def _hinted(state: _State, hints: int) -> _State:
    return _state(state.kind, state.level, state.hints | hints, state.in_row, state.preformatted)


def _is_note_mark(link: etree._Element) -> bool:
    """Does it lead to a note of the same page, or back from it?"""
    if not (link.get("href") or "").startswith("#"):
        return False
    return bool(_NOTE_MARK.fullmatch("".join(islice(texts_of(link), 3))))


def _is_quote(element: etree._Element, css_id: str | None) -> bool:
    is_named = css_id is not None and css_id.startswith("quote_")
    return is_named or _FIGURES.fullmatch("".join(texts_of(element))) is not None


def _is_page_of_text(block: etree._Element, runs: Sequence[Run]) -> bool:
    """Is it one of the pages that a text is cut into, and no row of their numbers?"""
    named = f"{block.get('class') or ''} {block.get('id') or ''}"
    is_page_only = "page" in named and not hints_of(_PAGE.sub(" ", named)) & _NOISE
    return is_page_only and any("。" in run.free for run in runs)


def _is_board(block: etree._Element, runs: Sequence[Run]) -> bool:
    """Is it a box of prices, which a script fills in, and no quotation?"""
    named = f"{block.get('id') or ''} {block.get('class') or ''}".lower()
    return bool(_BOARD.search(named)) and not any("。" in run.text or "，" in run.text for run in runs)


def _is_data_cell(cell: etree._Element) -> bool:
    chars = blocks = 0
    for inner in cell.iter():
        if inner.tag in _NEVER_IN_CELLS:
            return False
        blocks += inner.tag in ("p", "div")
        chars += len(inner.text or "") + len(inner.tail or "")
        if chars > MAX_CELL_CHARS or blocks > MAX_CELL_BLOCKS:
            return False
    return True

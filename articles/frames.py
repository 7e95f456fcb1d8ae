"""Takes the frame out from around a text: what the tool that saved it wrote above and below.

    text ──head──▶ lines that name, date, link or tag the article ──▶ values
         ──tail──▶ the same below, lists of links below a rule, sections of highlights
         └───────▶ what is left: the writer's

No tool is known here. A line belongs to a frame by what it means (articles.meanings): a key of provenance with a value
of its kind, a tool's own word («Saved with …»), a line of tags, a link to the original. What separates such lines from
「营收：12 亿元」 or 「时间：周五 地点：北京」 in a text:

- they stand at an end of the text, before or behind all prose;
- together they name at least two things we know, or one in a shape that only tools write (`key:: value`);
- one of them is an anchor: a moment that can be read as one, an address, the title itself;
- none tells of an event or a figure, and what we do not know is not the greater part.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from articles.meanings import Meaning, meaning_of, spelt_out
from articles.normalise import clean_line

Values = dict[str, str | tuple[str, ...]]

HEAD_LINES = 60
LONGEST_VALUE = 160
LONGEST_NAME = 60
LONGEST_MOMENT = 40
LONGEST_SUMMARY = 1_000
LONGEST_LINE = 1_200
LONGEST_TOOLS_LINE = 200
SENTENCE_ENDS = ("。", "！", "？")
# Noted among the values where a line says that the text begins behind it; no key can be written so.
_TEXT_BEGINS = "\0"
TITLE_CHARS = 80

# Under these names front matter has them.
NAME_OF: dict[Meaning, str] = {
    "title": "title",
    "published": "date",
    "updated": "updated",
    "url": "link",
    "publisher": "source",
    "author": "author",
    "section": "category",
    "tags": "tags",
    "summary": "summary",
}

_KEY = r"[A-Za-z][\w .()/-]{0,30}?|[\u4e00-\u9fff][\u4e00-\u9fffA-Za-z /（）()]{0,11}?"
_PREFIX = re.compile(r"^[ \t\u3000]*(?:>[ \t]?)*(?:[-*+•·▪◦][ \t]+|\[[ x]\][ \t]+)?")
# Signs that tools decorate keys with.
_SIGNS = re.compile(r"^(?:[^\w\s\[<(（【「《\"'“*_`#:|.!@/\\-]\ufe0f?\s*){1,3}(?=\S)")
_MEANT_BY_SIGN = {
    **dict.fromkeys("📅📆🗓🕒⏰🕐⏱🕓", "date"),
    **dict.fromkeys("✍👤🖊🧑👨👩", "author"),
    **dict.fromkeys("🔗🌐", "url"),
    **dict.fromkeys("📰📡🏢🗞", "source"),
    **dict.fromkeys("🏷🔖", "tags"),
}
_MOMENT = re.compile(
    r"[*_`]{0,2}\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[T \t]*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?[*_`]{0,2}"
)
_PROPERTY = re.compile(
    rf"(?:\*\*|__|[*_`])?(?:【\s*|\[\s*|「)?(?P<key>{_KEY})(?:\s*】|\s*\]|」)?\s*(?:\*\*|__|[*_`])?[ \t]*"
    r"(?:[:：]{1,2}|(?<=】)|(?<=\*\*)(?=[ \t]|$))[ \t]*(?:\*\*|__|[*_`](?=[ \t]))?[ \t]*(?P<value>.*)"
)
# Shapes that only tools write.
_TOOLS_SHAPES = (
    re.compile(r"#\+(?P<key>[A-Za-z_]+):[ \t]*(?P<value>.*)"),
    re.compile(r":(?P<key>[A-Za-z][\w-]{0,30}):(?:[ \t]+(?P<value>.*)|$)"),
    re.compile(r"\.\.[ \t]+(?P<key>[A-Za-z][\w-]{0,30}):(?:[ \t]+(?P<value>.*)|$)"),
    re.compile(rf"(?P<key>{_KEY})::(?:[ \t]+(?P<value>.*)|$)"),
    re.compile(r"(?:@|\\)(?P<key>[a-z]{3,12})[ \t{]+(?P<value>[^{}]*)\}?"),
)
_ROW = re.compile(r"\|(?P<key>[^|]+)\|(?P<value>(?:[^|\\]|\\.)*)\|?")
_ROW_OF_KEYS = re.compile(
    r"\|?[ \t]*(?:属性|字段|字段名|项目|名称|键|元数据|key|property|field|name|item|meta\w*|[ \t]*)[ \t]*\|.*", re.I
)
_BETWEEN = re.compile(r"[ \t]+[|｜·•/][ \t]+|[ \t]*[｜|][ \t]*|\u3000+|[ \t]{2,}|&nbsp;|&emsp;|\t")

_RULE = re.compile(
    r"[ \t]*(?:(?:[-*_=~][ \t]*){3,}|\|?(?:[ \t]*:?-{2,}:?[ \t]*\|?)+|[─━—]{3,}|[`~+]{3,}\w*|--|-[ \t]+-{3,})[ \t]*"
)
_NOTHING = re.compile(
    r"[ \t>\u3000\\]*|[ \t]*<!--.*?-->[ \t]*|:(?:PROPERTIES|END):|[ \t]*:{3,}[ \t]*"
    r"|[ \t]*(?:\{\{[<%].*[>%]\}\}|\{%.*%\})[ \t]*"
    r"|(?:[ \t]*</?(?!https?:)[a-z][^<>\n]*>)+[ \t]*(?:(?:元数据|文章信息|Metadata|属性)[ \t]*</\w+>)?",
    re.I,
)
_BOX = re.compile(r"[ \t]*:{3,}.{0,60}")
_PICTURE = re.compile(
    r"[ \t>]*(?:\[?!\[[^\]\n]*\](?:\([^()\n]*\)|\[[^\]]*\])(?:\([^()\n]*\)|\]\([^()\n]*\))?|!\[\[[^\]\n]+\]\])[ \t]*"
)
_HEADING = re.compile(r"[ \t>-]*(?:#{1,6}[ \t]+|\*\*|__)?(?P<words>[^\n]{1,80}?)(?:\*\*|__)?[ \t#]*[:：]?[ \t]*")
_BOLD_LINE = re.compile(r"[ \t>-]*(?:\*\*[^*\n]{1,80}\*\*|__[^_\n]{1,80}__)[ \t]*[:：]?[ \t]*")
_IS_HEADING = re.compile(r"[ \t>]*(?:-[ \t]+)?#{1,6}[ \t]+\S")
_CALLOUT = re.compile(r"[ \t]*>[ \t]*\[!(?P<kind>[\w-]{2,12})\][+-]?[ \t]*(?P<words>.*)")
_TOP_HEADING = re.compile(r"[ \t]*#[ \t]+\S")

_FRAME_HEADINGS = re.compile(
    r"(?:meta ?data|properties|property|info(?:rmation)?|article info\w*|about(?: this (?:article|note))?|"
    r"front ?matter|document note|bookmark|source|"
    r"元数据|元信息|属性|文章信息|基本信息|笔记信息|文档信息|页面信息|书签信息|来源信息|剪藏信息|信息)",
    re.I,
)
_CONTENT_HEADINGS = re.compile(
    r"(?:full (?:document|text|article|content)|document|content|article(?: content| text)?|main content|"
    r"body|original(?: text| content)?|page content|text|"
    r"正文|全文|原文|文章内容|原文内容|正文内容|文章正文|内容|全文内容|网页正文)",
    re.I,
)
_SIDE_HEADINGS = re.compile(
    r"(?:(?:new )?highlights?(?: (?:first synced|added).*| \(\d+\)|\s*[:：].*)?|annotations?|my (?:notes?|thoughts|"
    r"highlights?)|notes?|comments?|bookmarks|backlinks?|linked (?:references|mentions)|"
    r"unlinked references|related(?: (?:notes?|articles?|posts?|links?|reading))?|"
    r"see also|references?|read (?:next|more)|more (?:from|on) .*|further reading|tags?|links?|"
    r"attachments?|footnotes?|table of contents|toc|"
    r"划线|我的划线|划线笔记|高亮|高亮笔记|标注|批注|我的批注|笔记|我的笔记|读书笔记|阅读笔记|想法|"
    r"我的想法|思考|我的思考|摘录|摘抄|评论|热门评论|精选评论|精选留言|留言区?|评论区|反向链接|反链|双链|相关笔记|"
    r"关联笔记|"
    r"相关(?:阅读|文章|推荐|链接|新闻|报道|内容)|延伸阅读|推荐阅读|更多阅读|猜你喜欢|外部链接|附件|目录|"
    r"标签|待办|todo|链接|上一篇|下一篇|参考|参考资料|参考文献|参考链接|注释|资料来源|"
    r"来源)(?:\s*[（(]\d+[)）]|\s*\d+)?",
    re.I,
)
# Of these, the ones that a writer has no use for.
_READERS_HEADINGS = re.compile(
    r"(?:(?:new )?highlights?.*|annotations?|my .*|backlinks?|(?:un)?linked .*|related notes?|我的.*|"
    r"划线.*|高亮.*|标注|批注|反向链接|反链|双链|相关笔记|关联笔记|读书笔记|阅读笔记|热门评论|精选评论|"
    r"精选留言|留言区?|评论区|(?:网友|读者)(?:评论|留言))(?:\s*[（(]\d+[)）]|\s*\d+)?",
    re.I,
)
# In a text that a tool saved, notes are those of who saved it.
_NOTES_HEADING = re.compile(r"notes?|comments?|笔记|想法", re.I)
_SUMMARY_HEADINGS = re.compile(
    r"(?:(?:ai|gpt|chatgpt|claude|kimi|deepseek|ghostreader|智能|人工智能|机器|自动|通义|"
    r"豆包)[ \t-]*(?:\w+[ \t])?(?:摘要|总结|速览|导读|概要|概述|要点|解读|提炼|summary|abstract|tl;?dr|"
    r"overview|notes?|summarization).{0,12}"
    r"|(?:excerpt|summary|abstract|摘要|tl;?dr|description)(?:[ \t]*[（(].{0,20}[)）])?)",
    re.I,
)
_TOOLS = (
    r"readwise|reader|omnivore|pocket|instapaper|evernote|印象笔记|notion|obsidian|logseq|roam|cubox|flomo|"
    r"simpread|简悦|joplin|wallabag|raindrop|matter|hypothes\.?is|zotero|diigo|"
    r"markdownload|web clipper|clipper|yuque|语雀|feishu|飞书|lark|wolai|思源|siyuan|feedly|inoreader|"
    r"freshrss|miniflux|newsblur|rsshub|rss|singlefile|turndown|pandoc|upnote|bear|craft|onenote|"
    r"有道云笔记|为知笔记|收趣|gofullpage|"
    r"huginn|n8n|ifttt|zapier|typora|hexo|hugo|jekyll|halo|wordpress|typecho|medium|substack|ghost"
)
_TEXT = "本文|此文|该文|本页|全文|内容|文章|原文|笔记|本笔记|文档|本文档|此文档|该内容|此页面|此笔记|本书签"
_DID = (
    "导出|剪藏|收藏|转码|转换|生成|保存|采集|抓取|同步|优化|备份|归档|转存|剪辑|整理而成|制作|擷取|匯出|發佈|重新排版"
)
_DID_IN_ENGLISH = (
    r"saved|clipped|exported|captured|archived|imported|converted|created|generated|synced|downloaded|scraped|printed|"
    r"backed up|bookmarked|highlighted|collected|made|powered|produced|sent|published|mirrored|built"
)
# What tools say of themselves. A line that does not begin with the text ends with what was done to it, or when.
_TOOL_LINE = re.compile(
    "|".join(
        (
            rf"[（(\[【]?(?:{_TEXT})\s*已?(?:由|使用|通过|经|来自|用|自|从|via|by)[^。，；\n]{{1,60}}?(?:{_DID})"
            r"[^。\n]{0,60}[)）\]】。]?",
            rf"[（(\[【]?已?(?:由|使用|通过|经|来自|用|自|从|via|by)[^。，；\n]{{1,40}}?(?:{_DID})"
            r"(?:[于在到]?\s*[\d@（(][^。\n]{0,40})?[)）\]】]?",
            rf"(?:{_DID}|摘录)(?:自|到|至)[^。，；\n]{{1,60}}",
            rf"(?:数据|行情|信息|内容)?(?:{_DID})(?:于|時間|时间)?\s*[:：]?\s*\d{{4}}[-/.年].{{4,60}}",
            rf"(?:this (?:page|article|note|document|file|post) (?:was|is|has been) )?(?:auto(?:matically |-)?)?"
            rf"(?:{_DID_IN_ENGLISH})(?:\s+\w+){{0,3}}?\s+(?:by|from|with|via|to|using|on|at|in|through)\b[^。\n]{{1,160}}",
            rf"(?:via|from|by|sent from|come from|exported:|saved:|clipped:)\s+(?:\w+\s+)?\[?(?:{_TOOLS})\b.{{0,80}}",
            rf"[—–-]{{1,2}}\s*(?:{_TOOLS})\s*[—–-]{{0,2}}",
        )
    ),
    re.I,
)
_ORIGIN = (
    r"(?:点击|點擊|点此|查看|阅读|閱讀|访问|打开|前往|跳转|跳转到|返回|閱覽|浏览)?\s*(?:原文|原网页|"
    r"原始网页|原始链接|原链接|来源|全文|源网页|源站|原帖|网页原文|原文链接|原文地址|來源|網頁)(?:链接|"
    r"连接|地址|出处|网址)?"
    r"|(?:view|read|open|see|visit|go to|link to|show)?\s*(?:the\s+)?(?:original|source|full|web(?:site|"
    r"page)?|article|online|in browser|permalink|link|url)(?:\s+(?:article|page|post|link|source|story|"
    r"version|url|text|website))?"
    rf"|(?:view|open|read|edit|show|listen)\s+(?:\w+\s+)?(?:in|on|with|at)\s+.{{2,30}}|(?:在|"
    rf"于)\s*.{{2,20}}\s*(?:中|上|里)?(?:打开|查看|阅读|编辑)|(?:{_TOOLS})"
)
_LINK = (
    r"(?:\[(?P<words>[^\]\n]{0,120})\]"
    r"\([ \t]*<?(?P<url>[^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)?)>?(?:[ \t]+\"[^\"\n]*\")?[ \t]*\))"
)
_ONE_LINK = re.compile(rf"[^\w\[\n]{{0,6}}{_LINK}[^\w\n]{{0,4}}")
_ANY_LINK = re.compile(_LINK)
_ORIGIN_WORDS = re.compile(rf"[^\w]{{0,4}}(?:{_ORIGIN})[^\w]{{0,4}}", re.I)
_BARE_URL = re.compile(r"[ \t>]*(?:[^\w<\n]{0,3})<?(?P<url>https?://[^\s<>\u3000-\u9fff]+)>?[ \t]*")
_TOOLS_ADDRESS = re.compile(_TOOLS, re.I)
_URL = re.compile(r"https?://[^\s<>()\[\]\"'，。；）】\u4e00-\u9fff]+(?:\([^\s()]*\)[^\s<>()\[\]\"']*)?")
_HOST = re.compile(r"(?:www\.)?[\w-]+(?:\.[\w-]+)+(?:/\S*)?")
_LABELLED_URL = re.compile(r"^(?:[^\s:：]{2,6}[:：][ \t]*)?<?https?://[^\s<>\u3000-\u9fff]+>?$")
_TAG_LINE = re.compile(
    r"[ \t>]*(?:(?:tags?|标签|標籤|话题|关键词)[ \t]*[:：][ \t]*)?(?:(?<![\w#])#(?![\s#\d]{1,4}(?:\s|"
    r"$))[^\s#,，、。]{1,30}#?[ \t,，、]*)+",
    re.I,
)
_TAG = re.compile(r"#([^\s#,，、]{1,30})")
# Who wrote it, without a colon; the wrapper's table knows how to read it.
_BYLINE = re.compile(r"(?:[Bb]y|BY|文|作者|记者|原创|撰文)[ \t丨|/·]+[^。，,:：]{2,40}")
_READING_TIME = re.compile(
    r"(?:阅读|约|阅读约|预计阅读)?\s*\d+\s*(?:分钟|min(?:utes?)?|字|words)(?:阅读|\s+read)?", re.I
)
_MAIL_ADDRESS = re.compile(r"\s*<[^<>\s]+@[^<>\s]+>")
_WIKI = re.compile(r"\[\[(?:[^\]\[|\n]*\|)?([^\]\[|\n]+)\]\]")
_DATE = re.compile(
    r"(?<!\d)\d{4}\s*[-/.年]\s*\d{1,2}(?:\s*[-/.月]\s*\d{1,2})?|(?<!\d)(?:19|20)\d{6}(?!\d)|"
    r"(?<!\d)1\d{9}(?:\d{3})?(?!\d)"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|"
    r"\b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s+\d{4}|"
    r"\d{1,2}/\d{1,2}/\d{4}",
    re.I,
)
_STOP = re.compile(r"[。！？；](?!$)")
# Keys of meetings, offers, securities: where one stands among others, the others tell of the same.
_OF_AN_EVENT = re.compile(
    r".*(?:地点|地點|地址|会场|主办|承办|协办|嘉宾|主持|参会|出席|议程|日程|对象|费用|报名|联系|电话|传真|"
    r"邮箱|代码|简称|公告|价格|金额|数量|"
    r"利率|期限|规模|收盘|开盘|涨|跌|营收|利润|收入|比例|股|评级|目标价|合同|项目|活动|会议|发行|中标|招标|货币).*"
)
_MARKS = re.compile(r"^[\s\"'“”‘’`*_\[\]<>(（]+|[\s\"'“”‘’`*_\[\]<>)）\\]+$")


@dataclass(frozen=True, slots=True)
class Framed:
    values: Values
    """Under the names that front matter has for them."""
    body: str
    removed: tuple[str, ...] = ()
    """Lines of the frame."""


@dataclass(slots=True)
class _Block:
    """Lines read so far as a frame."""

    values: Values = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    """Lines that name people of whom front matter knows nothing; the wrapper's table does."""
    end: int = 0
    known: int = 0
    unknown: int = 0
    anchored: bool = False
    is_tools: bool = False
    is_event: bool = False

    @property
    def is_frame(self) -> bool:
        if self.is_event or self.unknown > self.known + 1:
            return False
        return self.is_tools or (self.anchored and (self.known >= 2 or "link" in self.values))


def unframed(text: str, title: str = "") -> Framed:
    """The text without its frame. A body is never emptied: where nothing would be left, all stays."""
    lines = text.split("\n")
    values: Values = {}
    start = 0
    block = _head(lines, title)
    if not block.is_frame and not title and (first := _first_line(lines)) is not None:
        block = _head(lines, "", first + 1)
        if block.is_frame and block.known:
            values["title"] = _plain(lines[first])
    is_framed = block.is_frame
    if is_framed:
        values = {**values, **block.values}
        start = block.end
    rest = _without_side_sections(lines[start:], is_framed)
    end, below = _tail(rest)
    values = {**below, **values}
    rest = _without_opening_rules(rest[:end]) if is_framed else rest[:end]
    if not any(clean_line(line) and not _only_links(line) for line in rest):
        return Framed({}, text)
    kept = [*block.kept, ""] if is_framed and block.kept else []
    return Framed(values, "\n".join([*kept, *rest]), _missing(lines, [*block.kept, *rest]))


def _missing(lines: Sequence[str], left: Sequence[str]) -> tuple[str, ...]:
    """The lines that are not among those left, each as often."""
    surplus = Counter(lines) - Counter(left)
    removed = []
    for line in lines:
        if surplus[line] and clean_line(line):
            surplus[line] -= 1
            removed.append(clean_line(line))
    return tuple(removed)


# ── above ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _first_line(lines: Sequence[str]) -> int | None:
    """Number of a first line that may be the title."""
    first = next((number for number, line in enumerate(lines) if line.strip("\ufeff \t\u3000")), None)
    if (
        first is None
        or len(lines[first]) > LONGEST_LINE
        or _STOP.search(lines[first])
        or lines[first].rstrip().endswith(("。", "，", "：", ":"))
    ):
        return None
    return first if len(_plain(lines[first])) <= TITLE_CHARS else None


def _head(lines: Sequence[str], title: str, start: int = 0) -> _Block:
    block = _Block(end=start)
    at, follows = start, False
    while at < min(len(lines), start + HEAD_LINES):
        line = lines[at].strip("\ufeff")
        if len(line) > LONGEST_LINE:
            break
        if _NOTHING.fullmatch(line) or _RULE.fullmatch(line) or _PICTURE.fullmatch(line):
            follows = False
            at += 1
            continue
        if block.is_tools and (skipped := _quoted_above_heading(lines, at)) > at:
            block.end = at = skipped
            continue
        if (skipped := _summary_section(lines, at)) > at:
            block.end, block.is_tools = skipped, True
            at = skipped
            continue
        if (end := _table_of_keys(lines, at, block)) > at:
            block.end = at = end
            continue
        if not _take(line, block, title, follows=follows):
            break
        follows = True
        at += 1
        block.end = at
        if _TEXT_BEGINS in block.values:
            del block.values[_TEXT_BEGINS]
            block.is_tools = True
            break
    return block


def _take(line: str, block: _Block, title: str, *, follows: bool) -> bool:
    """Is the line one of a frame? What it tells is noted in the block."""
    if _says_title(line, title) or _is_named(line, _FRAME_HEADINGS):
        return True
    if (callout := _CALLOUT.fullmatch(line)) and not callout["words"].strip():
        return True
    if _is_named(line, _CONTENT_HEADINGS) and block.known:
        block.values[_TEXT_BEGINS] = ""
        return True
    if url := _origin(line, title):
        block.values.setdefault("link", url)
        block.is_tools = True
        return True
    bare = _PREFIX.sub("", line).strip()
    bare = _SIGNS.sub("", bare)
    if _TAG_LINE.fullmatch(bare):
        block.values.setdefault("tags", tuple(_TAG.findall(bare)))
        return True
    if _BYLINE.fullmatch(bare):
        block.kept.append(bare)
        return True
    found = _properties(bare) or _by_sign(line) or []
    if found and all(_note(*each, block, title, follows=follows) for each in found):
        return True
    return _is_tools_line(bare, block) or _ROW_OF_KEYS.fullmatch(bare) is not None


def _is_tools_line(bare: str, block: _Block) -> bool:
    words = _unlinked(bare)
    if len(words) > LONGEST_TOOLS_LINE or not _TOOL_LINE.fullmatch(words):
        return False
    block.is_tools = True
    if urls := [url for url in _URL.findall(bare) if not _TOOLS_ADDRESS.search(url)]:
        block.values.setdefault("link", urls[-1])
    return True


def _note(key: str, value: str, is_tools: bool, block: _Block, title: str, *, follows: bool) -> bool:
    meaning, value = meaning_of(key), spelt_out(value)
    if _OF_AN_EVENT.fullmatch(key) and meaning is None:
        block.is_event = block.is_event or follows or not block.known
        return False
    if meaning == "body":
        if value:
            return False
        block.values[_TEXT_BEGINS] = ""
        return True
    if meaning is None:
        if not (is_tools or follows) or len(value) > LONGEST_NAME or _STOP.search(value) or value.endswith("。"):
            return False
        block.unknown += 1
        block.is_tools = block.is_tools or is_tools
        return True
    if not _fits(meaning, value):
        return False
    if meaning == "publisher" and re.fullmatch(_TOOLS, _plain(value), re.I):
        block.is_tools = True
        return True
    block.known += bool(value) or is_tools
    block.is_tools = block.is_tools or is_tools
    if meaning == "editor":
        block.kept.append(f"编辑：{_plain(value)}" if value else "")
        return True
    block.anchored = (
        block.anchored
        or (bool(value) and meaning in ("published", "updated", "saved", "url"))
        or (meaning == "title" and bool(title) and _same(value, title))
    )
    _keep(meaning, key, value, block)
    return True


def _keep(meaning: Meaning, key: str, value: str, block: _Block) -> None:
    url = _URL.search(value)
    if meaning == "publisher" and url and "link" not in block.values:
        block.values["link"], block.anchored = url[0], True
    name = "created" if meaning == "saved" and key.lower().startswith(("creat", "创建")) else NAME_OF.get(meaning, "")
    if not name or not value:
        return
    if key in ("主题", "主旨") and "source" in block.values and "title" not in block.values:  # of a mail
        name, meaning = "title", "title"
    written: str | tuple[str, ...] = _plain(_MAIL_ADDRESS.sub("", value))
    if meaning == "url":
        written = url[0] if url else ""
    elif meaning == "tags":
        written = tuple(
            filter(None, (_plain(tag).strip("# ") for tag in re.split(r"[,，、;；]|\s+(?=#)|\s{2,}", value)))
        )
    if written and not (meaning != "url" and isinstance(written, str) and _BARE_URL.fullmatch(written)):
        block.values.setdefault(name, spelt_out(written) if isinstance(written, str) else written)


def _fits(meaning: Meaning, value: str) -> bool:
    """Is the value of the kind that the key promises? An empty one is."""
    if not value:
        return True
    if meaning in ("published", "updated", "saved"):
        return bool(_DATE.search(value)) and len(value) <= LONGEST_NAME and not _STOP.search(value)
    if meaning == "url":
        return bool(
            _URL.search(value) or _HOST.fullmatch(_plain(value)) or _ANY_LINK.fullmatch(value) or _WIKI.search(value)
        )
    if meaning == "summary":
        return len(value) <= LONGEST_SUMMARY
    if meaning == "title":
        return len(value) <= LONGEST_VALUE
    if meaning in ("author", "publisher", "section") and _DATE.search(_unlinked(value)):
        return False  # more than a name: the wrapper's table takes it apart
    limit = LONGEST_VALUE if meaning in ("tags", "tool") else LONGEST_NAME
    return len(_plain(value)) <= limit and not _STOP.search(value) and not value.endswith("。")


def _properties(bare: str) -> list[tuple[str, str, bool]] | None:
    """Keys and values of a line that is nothing else, and whether only a tool writes so; None for any other line."""
    for shape in _TOOLS_SHAPES:
        if found := shape.fullmatch(bare):
            return [(found["key"].strip(), (found["value"] or "").strip(), True)]
    if row := _ROW.fullmatch(bare):
        return [(_plain(row["key"]), row["value"].strip(), False)]
    parts = [part.strip() for part in _BETWEEN.split(bare) if part.strip()]
    if len(parts) > 1 and (several := [pair for part in parts if (pair := _part(part))]) and len(several) == len(parts):
        return several
    found = _PROPERTY.fullmatch(bare)
    return [(found["key"].strip(), found["value"].strip(), False)] if found else None


def _part(part: str) -> tuple[str, str, bool] | None:
    """One of several in a line: a key with its value, a moment, a site, tags, or how long it takes to read."""
    if found := _PROPERTY.fullmatch(part):
        return found["key"].strip(), found["value"].strip(), False
    plain = _plain(part)
    if _DATE.match(plain) and len(plain) <= LONGEST_MOMENT:
        return "date", plain, False
    if _HOST.fullmatch(plain):
        return "domain", plain, False
    if _TAG_LINE.fullmatch(part):
        return "tags", part, False
    return ("reading time", plain, False) if _READING_TIME.fullmatch(plain) else None


def _by_sign(line: str) -> list[tuple[str, str, bool]] | None:
    """A value that a sign stands for, 「📅 2024-03-05」, or a moment alone."""
    bare = _PREFIX.sub("", line).strip()
    if _MOMENT.fullmatch(bare):
        return [("date", bare, False)]
    value = _SIGNS.sub("", bare)
    if key := _MEANT_BY_SIGN.get(bare[:1]):
        return [(key, value, False)]
    return None


def _table_of_keys(lines: Sequence[str], at: int, block: _Block) -> int:
    """The end of a table of one row whose heads are all keys; `at` where there is none."""
    rows = [[_plain(cell) for cell in line.strip().strip("|").split("|")] for line in lines[at : at + 4] if "|" in line]
    if len(rows) != 3 or not _RULE.fullmatch(lines[at + 1]) or len(rows[0]) != len(rows[2]):
        return at
    meanings = [meaning_of(cell) for cell in rows[0]]
    if None in meanings or len(meanings) < 2:
        return at
    if not all(_note(key, value, True, block, "", follows=True) for key, value in zip(rows[0], rows[2], strict=True)):
        return at
    return at + 3


def _summary_section(lines: Sequence[str], at: int) -> int:
    """The end of a summary that a machine or a tool gives under a heading of its own; `at` where there is none."""
    line = lines[at]
    callout = _CALLOUT.fullmatch(line)
    words = callout["words"] or callout["kind"] if callout else _heading_words(line) or _summary_key(line)
    if not words or not _SUMMARY_HEADINGS.fullmatch(words.strip(" ：:*_")):
        return at
    if _summary_key(line) and not _heading_words(line):
        return at + 1
    if line.lstrip().startswith(">"):
        while at < len(lines) and lines[at].lstrip().startswith(">"):
            at += 1
        return at
    if not _is_by_machine(line):
        return at
    end = next((n for n in range(at + 1, len(lines)) if _IS_HEADING.match(lines[n]) or _RULE.fullmatch(lines[n])), None)
    return end if end is not None else at


def _summary_key(line: str) -> str:
    """「AI 速览：…」, the whole in one line."""
    found = _PROPERTY.fullmatch(_SIGNS.sub("", _PREFIX.sub("", line).strip()))
    return found["key"].strip() if found and found["value"] and _is_by_machine(found["key"]) else ""


def _quoted_above_heading(lines: Sequence[str], at: int) -> int:
    """The end of a digest that a tool quotes between its own words and the heading; `at` where there is none."""
    end = at
    while end < len(lines) and lines[end].lstrip().startswith(">"):
        end += 1
    below = next((line for line in lines[end:] if line.strip()), "")
    return end if _TOP_HEADING.match(below) else at


def _is_by_machine(line: str) -> bool:
    return re.search(r"AI|GPT|Claude|Kimi|DeepSeek|Ghostreader|智能|机器|自动|通义|豆包", line, re.I) is not None


def _origin(line: str, title: str) -> str:
    """Address of a line that is nothing but a link to the original."""
    bare = _SIGNS.sub("", _PREFIX.sub("", line).strip())
    if found := _BARE_URL.fullmatch(bare):
        return found["url"]
    found = _ONE_LINK.fullmatch(bare)
    if not found or not found["url"].startswith(("http", "//")):
        return ""
    words = _plain(found["words"])
    is_origin = _ORIGIN_WORDS.fullmatch(words) or _HOST.fullmatch(words) or _URL.match(words) or _same(words, title)
    return found["url"] if is_origin else ""


# ── below ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tail(lines: Sequence[str]) -> tuple[int, Values]:
    """Where the text ends, and what stands below it."""
    block = _Block()
    end, links = len(lines), 0
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if len(line) > LONGEST_LINE:
            break
        if _NOTHING.fullmatch(line) or _PICTURE.fullmatch(line):
            continue
        if _RULE.fullmatch(line) or (links and _BOX.fullmatch(line)):
            end = at if links else end
        elif (longer := _with_line_below(line, block)) is None or longer.unknown > block.unknown:
            if not _only_links(line) and longer is None:
                break
            links += _only_links(line)
            block = longer or block
        else:
            is_mark = longer.is_tools != block.is_tools or "tags" in longer.values.keys() - block.values.keys()
            block = longer
            if is_mark or (block.anchored and (block.known >= 2 or "link" in block.values)):
                end = at
    # Nothing but links is a text of links.
    return (end, block.values) if any(map(clean_line, lines[:end])) and end < len(lines) else (len(lines), {})


def _with_line_below(line: str, block: _Block) -> _Block | None:
    """The block with one more line; None if that is the writer's, or names people, whom the wrapper's table reads."""
    is_tags = _TAG_LINE.fullmatch(_PREFIX.sub("", line).strip()) is not None
    longer = replace(block, values=dict(block.values), kept=[])
    is_taken = _take(line, longer, "", follows=True) and not (longer.kept or longer.is_event)
    longer.values.pop(_TEXT_BEGINS, None)
    return longer if is_taken and (is_tags or not _IS_HEADING.match(line)) else None


def _only_links(line: str) -> bool:
    bare = _LABELLED_URL.sub("", _PREFIX.sub("", line).strip())
    rest = _ANY_LINK.sub("", _WIKI.sub("", bare))
    return rest != line.strip() and not re.search(r"\w{3,}", rest)


def _without_side_sections(lines: list[str], is_framed: bool) -> list[str]:
    """Without sections of highlights and links at the end; in a frame, without those before the full text, too."""
    if is_framed:
        lines = lines[_start_of_full_text(lines) :]
    for number in reversed(_headings(lines)):
        words = _heading_words(lines[number])
        below = lines[number + 1 :]
        is_list = all(_only_links(line) or not clean_line(line) or _RULE.fullmatch(line) for line in below)
        is_readers = _READERS_HEADINGS.fullmatch(words) or (is_framed and _NOTES_HEADING.fullmatch(words))
        is_side = _SIDE_HEADINGS.fullmatch(words) and (is_list or is_readers)
        if not is_side or not any(map(clean_line, lines[:number])):
            break
        lines = lines[:number]
    return lines


def _start_of_full_text(lines: Sequence[str]) -> int:
    """Below the heading that says so, if only sections of a tool stand above it."""
    headings = _headings(lines)
    full = next((number for number in headings if _is_named(lines[number], _CONTENT_HEADINGS)), None)
    if full is None:
        return 0
    before = [number for number in headings if number < full]
    opening = lines[: before[0]] if before else lines[:full]
    is_tools = all(_is_side(lines[number]) for number in before) and not any(map(clean_line, opening))
    return full + 1 if is_tools else 0


def _headings(lines: Sequence[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if len(line) <= LONGEST_VALUE and _heading_words(line)]


def _without_opening_rules(lines: list[str]) -> list[str]:
    start = 0
    while start < len(lines) and (_RULE.fullmatch(lines[start]) or not lines[start].strip(" \t>\u3000")):
        start += 1
    return lines[start:]


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _heading_words(line: str) -> str:
    is_heading = _IS_HEADING.match(line) or _BOLD_LINE.fullmatch(line)
    found = _HEADING.fullmatch(line) if is_heading else None
    return _SIGNS.sub("", found["words"].strip()).strip() if found else ""


def _is_named(line: str, names: re.Pattern[str]) -> bool:
    words = _heading_words(line)
    if not words and (callout := _CALLOUT.fullmatch(line)):
        words = callout["words"].strip()
    return bool(words) and names.fullmatch(words.strip(" ：:")) is not None


def _is_side(line: str) -> bool:
    return any(_is_named(line, names) for names in (_SIDE_HEADINGS, _FRAME_HEADINGS, _SUMMARY_HEADINGS))


def _says_title(line: str, title: str) -> bool:
    """A flash may repeat its title as a sentence, which is its text."""
    words = _heading_words(line) or _plain(_PREFIX.sub("", line))
    return bool(title) and _same(words, title) and (words == title or not words.endswith(SENTENCE_ENDS))


def _same(first: str, second: str) -> bool:
    return bool(first) and re.sub(r"\W+", "", _plain(first)) == re.sub(r"\W+", "", second)


def _plain(value: str) -> str:
    """A value without the marks around it; of a link, the words."""
    value = _ANY_LINK.sub(lambda found: found["words"] or found["url"], _WIKI.sub(r"\1", value))
    return clean_line(_MARKS.sub("", value))


def _unlinked(line: str) -> str:
    return _ANY_LINK.sub(lambda found: found["words"] or found["url"], line).strip(" *_>`（）()[]")

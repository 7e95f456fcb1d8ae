"""What a key means, whatever tool wrote it: `publishTimeStr`, `date-published` and 「文章发布时间」 are one.

    key ──words of a name, run together──▶ first pattern that fits ──▶ Meaning, or none

Keys are made of few words: what it is (a time, an address, a name) and what was done then (published, clipped). The
tables name these words; whose value a key is (an author's picture) undoes it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Meaning = Literal[
    "title",
    "published",
    "updated",
    "saved",
    "url",
    "publisher",
    "author",
    "editor",
    "section",
    "tags",
    "summary",
    "native_id",
    "body",
    "tool",
]
"""`saved` is when a tool took the text in; `tool` is whatever else tools note: states, counts, covers."""

LONGEST_KEY = 40

_DIGITS_ONLY = re.compile(r"^((?:19|20)\d\d)(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)(?:\d{3})?(Z|[+-]\d\d:?\d\d)?$")
_SITE_BEHIND = re.compile(
    r"(?:(?:\s+[-–—|｜]+\s+|\s*_\s*)[^\s_|｜—-]{0,10}(?:网|网站|報|报|社|新闻|新聞|财经|財經|周刊|时报|"
    r"频道|资讯|客户端|在线|首页|\.com|\.cn)){1,3}$"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]+")
# Words in front of which a key tells of somebody or something else.
_OTHERS = frozenset(
    [
        "user",
        "comment",
        "related",
        "parent",
        "child",
        "next",
        "prev",
        "previous",
        "image",
        "img",
        "cover",
        "video",
        "audio",
        "file",
        "feed",
        "group",
        "channel",
        "series",
        "book",
        "product",
        "company",
        "stock",
        "event",
        "start",
        "end",
        "min",
        "max",
        "no",
        "is",
        "has",
        "can",
        "show",
        "hide",
        "sort",
        "page",
        "total",
        "sub",
        "short",
        "seo",
        "og",
        "twitter",
    ]
)
_WHEN = (
    r"(?:date|time|datetime|timestamp|at|on|day|ts|when)(?:str|string|text|iso|iso8601|utc|gmt|local|unix|ms|"
    r"format(?:ted)?|display)*"
)
_DONE_BY_TOOLS = (
    r"sav|clip|archiv|add|import|captur|export|crawl|fetch|collect|creat|read|download|scrap|sync|index|"
    r"ingest|load|store|"
    r"bookmark|highlight|insert|retriev|access|note|opened|visit"
)
_ENGLISH: tuple[tuple[Meaning, str], ...] = (
    # Of something else: the picture's address, the feed's title, the author's id.
    (
        "tool",
        r".*(?:image|img|cover|avatar|icon|logo|thumb|video|audio|photo|media|pic|banner|hero)(?:s|url|"
        r"link|src|path|file|id)+",
    ),
    (
        "tool",
        r".*(?:feed|api|comment|next|prev|home(?:page)?|author|user|site|channel|account|profile|edit|"
        r"related)(?:s?)(?:url|link|href|uri)s?",
    ),
    (
        "tool",
        r"(?:sub|short|seo|meta|column|site|alt|share|channel|feed|mobile|book|parent|category|section|related)title",
    ),
    (
        "tool",
        r"(?:reading|read|play|watch|listen)(?:ing)?(?:time|minutes|duration)|timetoread|time?zone|"
        r"duration|expire\w*|deadline|(?:start|end|due|event)(?:date|time|at)|todo\w*",
    ),
    ("editor", r"(?:chief|duty|responsible)?editors?(?:names?)?"),
    (
        "updated",
        rf"(?:last|date|time)?(?:updated?|modif\w*?|edited|revised|changed|lastmod)(?:{_WHEN})?|(?:last|"
        rf"date)mod(?:ified)?(?:{_WHEN})?|mtime",
    ),
    (
        "published",
        rf"(?:\w*?(?:publish|publi|publ|pub|post|issue|release|display|show|news|article|send|sent|content|"
        rf"doc|origin|original|online))(?:ed|d|ing|ication)?{_WHEN}|(?:date|time)?(?:published|posted|"
        rf"issued|released|pubdate)|date(?:published|issued?|released?|publication|line|posted)|pubdate|[pr]time|dt|sent|publish|"
        rf"(?:version|first|content)created|{_WHEN}",
    ),
    (
        "saved",
        rf"(?:user|last|date|first)?(?:{_DONE_BY_TOOLS})[a-z]*?(?:{_WHEN})|ctime|"
        rf"date(?:{_DONE_BY_TOOLS})(?:ed|d|ped)?|(?:created|clipped|saved|archived|captured|exported|"
        rf"imported|added|fetched|crawled|retrieved|accessed|synced|bookmarked|highlighted)",
    ),
    (
        "url",
        r"\w*?(?:url|uri|link|href|permalink)s?|url(?:original|source)|guidlink|canonical(?:url)?|"
        r"originalarticle|original|via|source(?:page)?address|address",
    ),
    (
        "title",
        r"(?:article|news|full|page|post|doc|document|main|display|note|original|item|content|"
        r"web)?(?:title|headline|hedline|subject)(?:text|rendered|cn|zh|plain)?",
    ),
    (
        "author",
        r"(?:dc|article|news|post|original|item)?(?:authors?|byline|writers?|creators?|reporters?|"
        r"journalists?|by)(?:s?names?|list|text|displayname)?|penname|writtenby",
    ),
    (
        "publisher",
        r"(?:article|news|info|page|original|origin|item|copyright|content|web|clip|capture)?(?:source|"
        r"publisher|publication|"
        r"site|website|outlet|provider|newspaper|pubdata|distributor|journal|magazine|blog|feed|mp|account|wechataccount|"
        r"platform|origin|media)(?:s?(?:name|title|nickname))?|publishedin|from",
    ),
    (
        "section",
        r"(?:article|news)?(?:category|categories|section|channel|column|columns|folder|collection|"
        r"notebook|group|cate|catalog|topic)(?:s?(?:name|title))?|(?:primary)?category\w*",
    ),
    ("tags", r"(?:article|news|hash|user|document|item)?(?:tags?|keywords?|labels?|topics)(?:s?(?:list|names?))?"),
    (
        "summary",
        r"(?:article|news|meta|short|ai|auto)?(?:summary|description|abstract|excerpt|digest|intro|"
        r"introduction|brief|lead|lede|desc|deck|subtitle|standfirst|snippet)(?:text|html|rendered)?",
    ),
    (
        "body",
        r"(?:article|news|post|main|full|rich|raw|page|clean|plain|long|html|doc|note|inner|entry|story|md|"
        r"text)?(?:content|contents|body|html|text|fulltext|maintext|article|detail|details|story|markdown|"
        r"md|blocks|paragraphs?|paras?|delta|lexical|richtext|message|cells|children)(?:html|text|md|markdown|rendered|"
        r"raw|encoded|full|plain|cn|zh|str|string|json|v2|detail|data|list)*",
    ),
    ("native_id", r"(?:article|news|post|doc|document|item|note|info)?(?:id|guid|uid|uuid|code)|infocode"),
    (
        "tool",
        r"to|cc|bcc|replyto|layout|draft|slug|type|types|status|state|rating|lang|language|locale|cover|image|images|"
        r"thumbnail|banner|favicon|progress|starred|favorite|like[ds]?|liked|read|unread|pinned|private|"
        r"public|format|version|weight|order|toc|math|comments?|aliases|alias|cssclass(?:es)?|cssclass|"
        r"wordcount|words|word|count|length|highlights?|annotations?|annotationcount|publish|collapsed|"
        r"icon|generator|template|parent|uid|exporter|exportedfrom|exportedby|tool|app|application|via|"
        r"domain|host|hostname|medium|kind|license|copyright|encoding|contenttype|wikiformat|modifier|"
        r"readwiseid|visibility|access|isoriginal|original|wechatid|biz|sn|mid|idx|page|pages|location|"
        r"device|latitude|longitude|altitude|priority|rank|score|views?|reads?|readcount|viewcount|"
        r"likecount|commentcount|sharecount",
    ),
)
_TIME = "(?:时间|日期|時間|时刻|年月日)"
_CHINESE: tuple[tuple[Meaning, str], ...] = (
    (
        "tool",
        r"(?:封面|头图|配图|图片|视频|音频|作者|账号|公众号|头像|订阅|频道|评论)(?:图|链接|地址|网址|ID|id|"
        r"头像|主页|数|区)+",
    ),
    ("title", r"(?:文章|原文|网页|页面|新闻|笔记|完整|本文|内容|主)?(?:标题|標題|题目|題目|题名|篇名)"),
    (
        "saved",
        rf"(?:收藏|剪藏|保存|采集|採集|抓取|导出|導出|匯出|摘录|添加|加入|入库|归档|歸檔|创建|創建|建立|"
        rf"存档|爬取|记录|阅读|读完|收录|下载|备份|同步|访问|擷取|获取|剪报|剪輯|划线|转存|记账|导入|標記|"
        rf"标注)(?:{_TIME}|于|於|自)?",
    ),
    ("updated", rf"(?:最后|最近|上次)?(?:(?:更新|修改|修订|變更|变更){_TIME}?(?:于|於)?|编辑(?:{_TIME}|于))"),
    (
        "published",
        rf"(?:文章|原文|首次|本文|网页|新闻|公开|消息)?(?:发布|发送|寄送|发件|發佈|發布|发表|發表|发文|刊发|刊登|出版|"
        rf"推送|见报|上线|公布|发稿|播出|撰写|写作)?{_TIME}|(?:发布|發佈|發布|发表|發表|发文|刊发|推送|"
        rf"首发)(?:于|於)?",
    ),
    (
        "url",
        r"(?:文章|原文|来源|來源|网页|網頁|原始|页面|本文|分享|阅读|查看)?(?:链接|鏈接|連結|网址|網址|URL|"
        r"url|地址)|原文|原文出处|查看原文|阅读原文|原文見|来源页",
    ),
    (
        "author",
        r"(?:本文|文章|原文|原创)?(?:作者(?:名称|姓名|昵称)?|撰文|撰稿|创作者|发布者|署名|作者名|執筆)|"
        r"记者|記者|博主|作者姓名|答主|主笔",
    ),
    ("editor", r"(?:责任|值班)?(?:编辑|編輯)|责编|責編"),
    (
        "publisher",
        r"(?:文章|内容|信息|新闻|原文|资料|稿件|剪藏|订阅|發布|发布|首发)?(?:来源|來源|出处|出處|媒体|媒體|"
        r"网站|網站|站点|站點|公众号|公眾號|账号|帳號|平台|刊物|报刊|机构|博客|專頁|号|源)(?:名称|名|名字|"
        r"网站|媒体|平台|账号|公众号)?|期刊|报纸|转自|转载自|摘自|来自|订阅号|发件人|寄件人|寄件者|发信人",
    ),
    ("tags", r"(?:文章|内容)?(?:标签|標籤|关键词|關鍵詞|关键字|關鍵字|话题|話題|主题|主題|主题词)"),
    (
        "section",
        r"(?:文章|所属|新闻)?(?:分类|分類|类别|類別|栏目|欄目|频道|頻道|专栏|專欄|目录|文件夹|資料夾|"
        r"笔记本|筆記本|收藏夹|分组|所在|归类|版面|集合|知识库|清单)",
    ),
    ("summary", r"(?:文章|内容|内容)?(?:摘要|简介|簡介|概要|描述|导语|導語|提要|概述)"),
    ("body", r"(?:文章|新闻)?(?:正文|内容|全文|內容|详情|文本)"),
    ("native_id", r"(?:文章)?(?:ID|id|编号)"),
    (
        "tool",
        r"(?:全文|文章)?(?:字数|字數|总字数|阅读时长|阅读时间|閱讀時間|预计阅读|预计阅读时间|预计阅读时长|"
        r"状态|狀態|阅读状态|类型|類型|语言|語言|评分|評分|进度|阅读进度|封面|划线|高亮|笔记|划线数|高亮数|"
        r"笔记数|标注数|阅读量|阅读数|浏览量|浏览|点赞|点赞数|收藏数|评论数|转发数|在看|位置|优先级|"
        r"导出工具|工具|剪藏工具|应用|设备|版权|原创|是否原创|收件人|收件者|抄送|格式|版本|地区|IP属地|"
        r"属地|微信号|已读|星标|"
        r"重要性|备注|序号|模板|图标|别名|相关)",
    ),
)
_PATTERNS = tuple((meaning, re.compile(pattern, re.IGNORECASE)) for meaning, pattern in (*_ENGLISH, *_CHINESE))


@lru_cache(maxsize=16_384)
def meaning_of(key: str) -> Meaning | None:
    """None where the key is nothing we know, or no key at all."""
    if not 0 < len(key) <= LONGEST_KEY:
        return None
    words = [word.lower() for word in _WORDS.findall(key)]
    meaning = _meaning_of_name("".join(words))
    if meaning or len(words) < 2 or words[0] in _OTHERS or _meaning_of_name(words[0]) not in (None, "body"):
        return meaning
    # Of `story_title`, `docAuthor`, whatever the maker calls an article; not of `title_detail`.
    return _meaning_of_name("".join(words[1:]))


def _meaning_of_name(run_together: str) -> Meaning | None:
    return next((meaning for meaning, pattern in _PATTERNS if pattern.fullmatch(run_together)), None)


def spelt_out(moment: str) -> str:
    """A moment whose digits stand in one row, with the marks between them: 「20240305T020000Z」."""
    return _DIGITS_ONLY.sub(r"\1-\2-\3T\4:\5:\6\7", moment)


def without_site_behind(title: str) -> str:
    """A title as pages have it, without the medium's name behind its last separator: 「… - 某某日报」, 「…_某某网」."""
    return _SITE_BEHIND.sub("", title) or title

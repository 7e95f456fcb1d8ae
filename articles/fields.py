"""Title, times, publisher, people and the other fields of a page: where each is looked for, and in which order.

Every field has one written order, the best witness first:

    title      rule · headline that <title>, og:title or list repeats · list · og:title · <title> less the site's name
    published  rule · visible near the headline · undisplayed for search engines · meta · JSON-LD · list ·
               wrapper lines · url
               (seconds also from the update, where its minute is the same)
    publisher  rule · label near the headline · wrapper lines · label right behind the body · element named so ·
               line right behind the body · name beside the time · label behind the body · undisplayed · meta ·
               account · its reporter's · dateline · JSON-LD · list · the source's own
    author     rule · label near the headline · byline near the headline · element named so · wrapper lines ·
               name beside the time · label right behind the body · meta · byline behind the body · account · list
    editor     rule · wrapper lines · labels behind the body or near the headline · element named so · undisplayed

The displayed time outranks the meta, which often is when the page was built; a meta of the same minute lends its
seconds. Nothing here guesses, and no time is taken from the body: a field that nobody names is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, pairwise, takewhile
from operator import attrgetter
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from lxml import etree

from articles.canonical import Hint, Image, Reading, Run, texts_of
from articles.dates import Moment, first_time, parse_time
from articles.normalise import clean_line
from articles.records import Listed
from articles.wrapper import byline, label_values, medium_of, person, simplified
from articles.wrapper_table import PROVINCES, SURNAMES

MAX_TITLE_CHARS = 300
_MAX_VALUE_CHARS = 40
_MAX_NEAR_CHARS = 200
_RUNS_BEFORE_HEADLINE = 4
_RUNS_BEHIND_HEADLINE = 40
_RUNS_BEFORE_BODY = 12
_RUNS_BEHIND_BODY = 15
_MAX_BARS = 4
_MAX_IMAGES = 100
_MAX_TAGS = 30
# Two witnesses further apart than this are in conflict; less, and one of them names the day only.
_CONFLICT_SECONDS = 36 * 3600

_TITLE_METAS = ("og:title", "articletitle", "twitter:title")
_PUBLISHED_METAS = (
    "weibo: article:create_at",
    "weibo:article:create_at",
    "article:published_time",
    "og:published_time",
    "bytedance:published_time",
    "apub:time",
    "og:time",
    "og:release_date",
    "datepublished",
    "_pubtime",
    "publish_time",
    "publishtime",
    "pubdate",
    "pub_date",
    "publishdate",
    "publish-date",
    "firstpublishedtime",
    "dc.date",
    "dc.date.issued",
    "date",
)
_UPDATED_METAS = (
    "article:modified_time",
    "og:updated_time",
    "bytedance:updated_time",
    "weibo: article:update_at",
    "weibo:article:update_at",
    "datemodified",
    "dateupdate",
    "lastmodifieddate",
)
_PUBLISHER_METAS = ("mediaid", "_mediaid", "contentsource", "source", "article:source")
_AUTHOR_METAS = ("author", "article:author", "og:author")
_SUMMARY_METAS = ("description", "og:description", "twitter:description", "abstract")
_KEYWORD_METAS = ("keywords", "news_keywords", "article:tag", "tags")
_SECTION_METAS = ("article:section", "columnname", "og:category")

_SEPARATOR = re.compile(
    r"\s*(?:[_|｜·•»]+|(?<![–—])[–—](?![–—]))\s*|\s+[-－]+\s*|(?<=[\u4e00-\u9fff）”》？！])[-－]+(?=[\u4e00-\u9fff])|\s*-{2,}\s*|\s*<\s*|::"
)
_SITE_WORDS = re.compile(
    r"网$|网站|新闻中心|频道|新浪|网易|腾讯|搜狐|凤凰|财经$|新闻$|首页|日报$|在线$|资讯$|客户端|中心$|\.com|\.cn|"
    r"滚动|正文|澎湃|头条|门户|论坛$|博客$|Powered by|news",
    re.IGNORECASE,
)
# Parts of a <title> that name a site, or a channel of it.
_SITE_ONLY = re.compile(
    r"[^，。：！？]{0,14}(?:公司|电视台|卫视|广播电台|新闻网|网|门户|频道|学会|协会|委员会|办公室|日报|晚报|时报|首页|主页)"
    r"|[^，。：！？]{0,4}(?:新闻|财经|资讯)|[^，。：！？]{0,2}(?:衛視)"
    r"(?:官网|官方网站|首页)?"
    r"|(?:7[x×*]24(?:小时)?)?(?:全球|财经|股市)?(?:实时|滚动)?(?:快讯|电报|直播|播报)(?:详情)?"
    r"|(?:新闻|工作|学会|公司|企业|行业)?(?:动态|中心|资讯|要闻|公告|详情|正文|内容页?|文章)"
)
_LONGEST_SITE = 12
_SHORTEST_HEADLINE, _LONGEST_HEADLINE = 8, 60
_NO_HEADLINE = re.compile(
    r"[。>＞|｜]|\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]|来源|作者|编辑|记者|责任|字体|字号|分享|评论|登录|首页|位置|点击|"
    r"打印|收藏|时间|日期|浏览|欢迎|版权|订阅"
)
_TIME_BEHIND = re.compile(r"\s+\d{4}-\d{2}-\d{2}(?:\s+\d{2}:\d{2}(?::\d{2})?)?$")
_COLON = re.compile(r"[：:]")
# A board, a badge.
_IN_BRACKETS = re.compile(r"[\[【(（].{1,8}[\]】)）]")
_SHORTEST_END = 10
_NO_KEY = re.compile(r"[\W_]+")
_PERSON = re.compile(r"[\u4e00-\u9fa5·]{2,4}(?:[ 、,，/]+[\u4e00-\u9fa5·]{2,4}){0,5}")
_NOT_A_PERSON = re.compile(
    r"报|网|社|新闻|财经|周刊|客户端|电视|广播|频道|编辑|记者|管理员|小编|来源|作者|中心|资讯|综合|整理|公司|微博|专栏|"
    r"时间|日期|个股|大盘|行情|经济|金融|原创|位置|首页|正文|登录|注册|热线|推荐|相关|更多|评论|关注|手机|微信|客服|下载|网友|匿名|未知|佚名|转载|本站|责任"
)
_MEDIUM = re.compile(
    r"《?[\u4e00-\u9fa5A-Za-z0-9]{1,14}(?:报|报道|网站?|社|新闻|财经|周刊|客户端|电视台|电台|在线|杂志|传媒|观察)》?"
)
_MEDIUM_NAME = re.compile(r"(?![\u4e00-\u9fa5]{2,3}$)[\u4e00-\u9fa5A-Za-z0-9]{3,14}")
# Channels, tools and badges that stand beside a time like the name of an account.
_NO_ACCOUNT = re.compile(
    r"[\d\W_]+|.{0,6}(?:财经|股票|公司|产业|科技|国际|国内|社会|要闻|快讯|滚动|独家|头条|视频|图片|专题|深度|时政|宏观|金融|证券|房产|汽车|"
    r"娱乐|体育|军事|教育|健康|生活|文化|历史|评论|观点|新闻|资讯|热点|正文|动态|公告|行业|市场|频道|博客)|[A-Z]{2,4}|"
    r".*(?:来源|作者|编辑|记者|责任|评论|阅读|浏览|点击|次数|人气|字[体号]|分享|转发|打印|收藏|举报|关注|原创|发布|发表|更新|时间|日期|星期|周[一二三四五六日]|"
    r"上午|下午|号$|佚名|匿名|未知|本站|首页|订阅|登录|听新闻|纠错|扫码|手机|微信|微博|朋友圈|二维码|复制|链接|关闭|窗口|返回|縮小|来自|楼主|沙发|倒序|正序|加好友|私信|我来说|说两句|我要|参与|昵称|相关|更多|推荐|文章|行情|简介|跟[帖贴]|放大|缩小|默认|大字|小字|禁止|摘编|提供者|admin).*|"
    rf"(?:{PROVINCES})",
    re.IGNORECASE,
)
# Words of two or three characters that begin like a name.
_NO_NAME_BESIDE = re.compile(
    r"^(?:高清|关注|时尚|时评|家居|公益|文旅|文娱|文史|房价|能源|农业|明星|元宇宙|单位|全文|方正|万科|安全|国防)$|[州市县区省港]$"
)
_PLACE = re.compile(rf"(?:{PROVINCES})(?:省|市)?|中国|海外")
_ACCOUNT = re.compile(r"[\u4e00-\u9fa5A-Za-z][\u4e00-\u9fa5A-Za-z0-9·_-]{1,13}")
_NO_MEDIUM = re.compile(
    r"^(?:即时|最新|今日|本站)(?:新闻|资讯)$|的(?:[\u4e00-\u9fa5]{2})?专栏$|公司$|\d日|[电電]$|^(?:图片|原创|本文.*|博客|网络|昵称|优质.*|本站.*|视频|文章|来源|作者|关注|首发|转载|综合)$"
)
_DAY_OR_CLOCK = re.compile(r"\d{1,4}[-/.年月:：]\d{1,2}")
_PIECES = re.compile(r"\t|\s[·•|｜/]\s")
_TIME_ALONE = re.compile(r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?\s*(?:\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?")
_CLOCK_OF_SITE = re.compile(r"[东西]部时间|当前时间|现在时间|现在是|今天是")
_SHORT_YEAR = re.compile(r"(?:发布|发表)(?:时间|日期|于)?[：:]\s*([12]\d-\d{1,2}-\d{1,2}\s*\d{1,2}:\d{2}(?::\d{2})?)")
_TIME_LABEL = re.compile(r"(?:^|\s|[（(【])(?:发布|发表|发稿)?(?:时间|日期|来源)[：:]|^(?:发布|发表|发稿|来源)")
# A date in elements of its own for year, day and clock: 「2026 ⇥ 11/20 ⇥ 15:42」.
_SCATTERED = re.compile(r"(?<!\d)(\d{4})\s+(\d{1,2})\s*[/\-]\s*(\d{1,2})\s+(\d{1,2}:\d{2}(?::\d{2})?)(?!\d)")
_PART_OF_DATE = re.compile(r"[\d\s/.\-:：年月日]{2,20}")
_DATE_ALONE = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
_BYLINE_CHARS = 60
_MARKED_BELOW = 3
_BEFORE_NAME = re.compile(r"^(?:由|文|[Bb]y)\s+")
_SURNAME = re.compile(f"[{SURNAMES}]")
# What of a page's body of labels is too far behind it to be its own.
_BYLINES_BEHIND = 10
_SIGNS = re.compile(r"[记記]者|作者|撰|文[：:/／丨|｜]|^By")
_EDITED = re.compile(r"[（(]?\s*(?:编辑|最后(?:编辑|更新|修改)|更新|修改|最近更新)(?:时间|日期)?[于在]?\s*[：:]?\s*\d")
_MEDIUM_OF_REPORTER = re.compile(
    r"(?:^|[\s（(])(?!本|每经)([\u4e00-\u9fa5A-Za-z]{2,8}?(?:报|网|社|新闻|财经|周刊|电视台|通讯社))\s?(?:记者|见习记者|特约记者|实习记者)"
)
_DATELINE_MEDIUM = re.compile(
    r"[《【（(]?([\u4e00-\u9fa5A-Za-z]{2,8}(?:社|报|网|财经|新闻))(?:[\u4e00-\u9fa5]{2,4})?(?:[\d０-９]{1,2}月)?[\d０-９]{1,2}日(?:专?[讯电]|消息|报道)"
)
_TITLED_MEDIUM = re.compile(r"([\u4e00-\u9fa5]{0,4}《[\u4e00-\u9fa5A-Za-z]{2,10}》)")
_BRACKETED_MEDIUM = re.compile(r"[（(]([\u4e00-\u9fa5A-Za-z]{2,10})\s+\d{4}[-/]\d{1,2}[-/]\d{1,2}")
# Accounts of these are no persons.
_ORGANISATION = re.compile(
    r"之家|网|报|财经|新闻|研究|观察|证券|基金|资本|公司|中心|电视|频道|官方|大学|协会|快讯|日|社|局|院|会$|[^卖]部$|事务所|交易所|银行|集团|科技|投资|期货|研报|资讯|头条|号$|视频|周刊|商业|产经|"
    r"Daily|News|Finance|Media"
)
_BY_WORDS = frozenset(("由", "文", "作者", "By", "by"))
_LATIN_PERSON = re.compile(r"[A-Z][a-zA-Z.'’-]+(?: [A-Z][a-zA-Z.'’-]*){1,3}")
_NOT_A_LATIN_PERSON = re.compile(
    r"\b(?:News|Post|Times|Daily|Morning|China|Staff|Reporters?|Agency|Media|Journal|Global|Online|Network|Editors?|Desk|"
    r"Team|Press|Home|About|More|Read|Share|Hong Kong|Business|Review|Weekly|Finance|Bureau)\b"
)
_OFFICIAL = re.compile(r"官方(?:账|帐)号$")
_BY = re.compile(
    r"By[:\s]\s*((?:[A-Z][\w.'’-]*\s+){1,3}[A-Z][\w'’-]+(?:(?:,| and|,? &)\s+(?:[A-Z][\w.'’-]*\s+){1,3}[A-Z][\w'’-]+)*)"
)
_DATED_END = re.compile(r"[（(]\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?[）)]")
_BARE = re.compile(
    r"^\s*(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?)?\s*(?:\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?\s*|[\d:\s]+$"
)
_FROM = re.compile(r"^来自\s*[：:]?\s*")
# What a post was written with, or on: 「来自 微博网页版」.
_CLIENT = re.compile(r"(?:新浪)?微博.{0,8}|.{0,12}(?:客户端|网页版|手机版?|超话)")
_SOURCE_AND_GAP = re.compile(r"(?:文章)?来源\s+(\S+)")
# How makers of feeds name that of an account.
_FEED_OF = re.compile(r"(\S{2,20}?)\s*的\s*(?:雪球|微博|知乎|豆瓣|即刻|哔哩哔哩|B站|公众号|专栏|动态|文章)\S{0,8}")
_NO_NAME = re.compile(r"[。，！？：:]|https?|www")
_STEP = re.compile(r"[>＞»→]+")
_NO_SECTION = re.compile(r"正文|首页|详情|内容|(?:大\s*中\s*小|[【\[]?(?:字号|字体)|申请入驻|登录|注册|手机版).*")
_NO_WORDS = re.compile(r"[\d\W_]+")
_LABELS_OF = {Hint.SOURCE: "publisher", Hint.AUTHOR: "author", Hint.EDITOR: "editor"}
_SCRIPT_TIME = re.compile(
    r"(?:\bvar|[,;])\s*(?:create_?[tT]ime|publish_?[tT]ime|pub_?[tT]ime|publish_?[dD]ate|pub_?[dD]ate)\s*=\s*[\"']([^\"']{8,30})[\"']"
)
_EPOCH = re.compile(
    r"(?:time|stamp|created|published?|date)\w{0,8}[\"']?\s*[:=]\s*[\"']?(1\d{9}(?:\d{3})?)(?!\d)", re.IGNORECASE
)
_JSON_TIME = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_JSON_PUBLISHER = re.compile(r'"publisher"\s*:\s*\{[^{}]{0,200}?"name"\s*:\s*"([^"\\]{2,20})"')
_URL_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])(?!\d{1,5}(?:\D|$))")
_IMAGE_ATTRIBUTES = ("data-original", "data-src", "data-url", "src")
_FINENESS = {"second": 3, "minute": 2, "day": 1, "none": 0}


@dataclass(frozen=True, slots=True)
class Head:
    """What a page tells programs: metas by lower-case name, the first of each, the <title>, and times."""

    title: str
    metas: Mapping[str, str]
    json_times: tuple[str, ...] = ()
    json_publisher: str = ""
    first_time: str = ""
    """What the first <time> of the page says to programs."""

    def first(self, names: Iterable[str]) -> str:
        return next((self.metas[name] for name in names if name in self.metas), "")


@dataclass(frozen=True, slots=True)
class Headline:
    text: str
    order: int | None
    """Of its run on the page; None where the title was read elsewhere."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a time on the page is read against."""

    fetched_at: datetime
    zone: ZoneInfo
    url: str
    refused: set[str] = field(default_factory=set)
    """Why strings that look like times were none: articles.dates.Problem."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Said of a page on which a time later than the fetch was refused."""
        return ("date_future",) if "future" in self.refused else ()

    def read(self, raw: str | None) -> Moment | None:
        """The moment that the whole of `raw` states, if it does."""
        if not raw:
            return None
        return self._noted(parse_time(raw, fetched_at=self.fetched_at, zone=self.zone, hint_url=self.url))

    def find(self, line: str) -> Moment | None:
        """The first moment inside a line."""
        moment = first_time(line, fetched_at=self.fetched_at, zone=self.zone, hint_url=self.url)
        return self._noted(moment) if moment else None

    def _noted(self, moment: Moment) -> Moment | None:
        if moment.at is None:
            self.refused.add(moment.problem)
            return None
        return moment


@dataclass(slots=True)
class Found:
    """Fields as read; None where nothing names them."""

    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    section: str | None = None
    summary: str | None = None
    tags: tuple[str, ...] = ()
    published: Moment | None = None
    updated: Moment | None = None
    flags: list[str] = field(default_factory=list)
    witnesses: dict[str, str] = field(default_factory=dict)
    """Which witness named a field: for `explain`."""

    def take(self, name: str, *candidates: tuple[str, str | Callable[[], str | None] | None]) -> None:
        """Set a field that is still open to the first candidate there is: (witness, value, or what looks for it)."""
        if getattr(self, name):
            return
        for witness, candidate in candidates:
            if value := candidate() if callable(candidate) else candidate:
                setattr(self, name, value)
                self.witnesses[name] = witness
                return

    def take_author(self, witness: str, name: str | None) -> None:
        """A person; where a medium stands in the author's place, it is the publisher."""
        if name and is_medium(name):
            self.take("publisher", (witness, name))
        elif name and name.casefold() != (self.publisher or "").casefold():
            self.take("author", (witness, name))


@dataclass(frozen=True, slots=True)
class Scene:
    """Where on a page the fields are: its runs around the headline, and those behind the body."""

    head: Head
    reading: Reading
    headline: Headline
    near: Sequence[Run]
    behind: Sequence[Run]
    removed: Sequence[str]
    """Wrapper lines."""
    first: int
    """First and last run of the body."""
    last: int


def read_head(tree: etree._Element) -> Head:
    metas: dict[str, str] = {}
    title = ""
    times: list[str] = []
    first_time = publisher = ""
    for element in tree.iter("meta", "title", "script", "time"):
        if element.tag == "time":
            first_time = first_time or element.get("datetime") or ""
        elif element.tag == "title":
            title = title or "".join(texts_of(element)).strip()
        elif element.tag == "script":
            if "ld+json" in (element.get("type") or "") and element.text:
                times += _JSON_TIME.findall(element.text)
                publisher = publisher or next(iter(_JSON_PUBLISHER.findall(element.text)), "")
        else:
            name = element.get("property") or element.get("name") or element.get("itemprop")
            content = element.get("content")
            if name and content and (content := content.strip()):
                metas.setdefault(name.strip().lower(), content)
    title = clean_line(title[: MAX_TITLE_CHARS * 2])
    return Head(title, metas, tuple(dict.fromkeys(times)), clean_line(publisher), first_time)


def find_headline(head: Head, reading: Reading, listed: str | None = None) -> Headline:
    """The displayed headline: the run that the <title>, og:title or the list repeats."""
    site = _key(head.metas.get("og:site_name", ""))
    # Some sites fill in the title there.
    site = "" if site == _key(head.title) else site
    meta_title = clean_line(head.first(_TITLE_METAS))
    named = [title for title in (listed or "", meta_title, head.title) if title and _key(title) != site]
    # Some sites have one <title> for all their pages: then no run repeats it but the logo.
    titles = [title for title in named if not _names_site_only(title)]
    keys = [key for title in titles if (key := _key(title))]
    joined = " ".join(titles)
    ends = _ends_of(titles)
    best, best_score = None, 0.0
    for run in reading.runs:
        # Quickly past nearly every run: one that is no heading begins with two characters of a title.
        if not run.level and run.text[:2] not in joined:
            continue
        score = _headline_score(run, keys, ends)
        if score > best_score and _key(run.text) != site:
            best, best_score = run, score
    if best is not None:
        return Headline(_TIME_BEHIND.sub("", _headline_of(best, keys))[:MAX_TITLE_CHARS], best.order)
    return Headline(without_site(clean_line(titles[0]))[:MAX_TITLE_CHARS] if titles else "", None)


def _headline_of(run: Run, keys: Sequence[str]) -> str:
    """The run, or the first of its elements where that alone is the title: time and medium may stand in its line."""
    first = run.parts[0]
    if len(run.parts) > 1 and _key(first) in keys and _key(run.text) not in keys:
        return clean_line(first)
    if len(run.parts) > 1 and _IN_BRACKETS.fullmatch(run.parts[-1].strip()):
        rest = "".join(run.parts[:-1])
        if any(key.startswith(_key(rest)) for key in keys) and not any(_key(run.text) in key for key in keys):
            return clean_line(rest)
    if run.level == 1 and not any(_agreement(_key(run.text), key) for key in keys) and (inner := _parts_in(run, keys)):
        return clean_line(inner[0])
    return clean_line(run.paragraph)


def _parts_in(run: Run, keys: Sequence[str]) -> list[str]:
    """The elements of a run that a title begins with."""
    if len(run.parts) < 2:
        return []
    parts = ((part, _key(part)) for part in run.parts)
    return [part for part, own in parts if len(own) >= 6 and any(key.startswith(own) for key in keys)]


def _names_site_only(title: str) -> bool:
    return all(_SITE_ONLY.fullmatch(part.strip()) for part in _SEPARATOR.split(simplified(title)) if part.strip())


def site_names(head: Head) -> frozenset[str]:
    """What the <title> names behind the headline, and og:site_name."""
    parts = [part.strip("[]【】 ") for part in _SEPARATOR.split(head.title)[1:]]
    last = re.findall(r"[\[【]([^\[【]{2,12})[\]】]$", head.title)
    return frozenset(
        name for name in (*parts, *last, head.metas.get("og:site_name", "")) if 2 <= len(name) <= _LONGEST_SITE
    )


def headline_above(runs: Sequence[Run], body: Sequence[Run]) -> Headline | None:
    """The nearest line above or at the head of a body that can be a headline, where the <title> names the site only."""
    if not body:
        return None
    prose = next((run.order for run in body if "。" in run.free or "，" in run.free), body[0].order)
    for run in reversed(runs[max(0, prose - _RUNS_BEFORE_BODY) : prose]):
        is_line = run.free == run.text and _SHORTEST_HEADLINE <= len(run.text) <= _LONGEST_HEADLINE
        if is_line and not run.noise and not _NO_HEADLINE.search(simplified(run.text)):
            return Headline(clean_line(run.paragraph), run.order)
    return None


def _ends_of(titles: Iterable[str]) -> list[str]:
    """What stands behind the colon of titles, long enough to tell an article: 「某某银行：关于召开股东大会的公告」."""
    parts = [_COLON.split(without_site(title), maxsplit=1)[1:] for title in titles]
    return [key for rest in parts for part in rest if len(key := _key(part)) >= _SHORTEST_END]


def _headline_score(run: Run, keys: Sequence[str], ends: Sequence[str]) -> float:
    text = run.text
    if not 4 <= len(text) <= MAX_TITLE_CHARS or (not run.level and "。" in text):
        return 0.0
    key = _key(text)
    if len(key) < 4:
        return 0.0
    agreed = max((_agreement(key, other) for other in keys), default=0.0)
    if not agreed and run.level == 1:
        # A prefix in an element of its own, 「[心得] …」, or the full name of a company that the <title> shortens.
        agreed = max((len(part) for part in _parts_in(run, keys)), default=0.0)
        agreed = agreed or max((0.8 * len(end) for end in ends if key.endswith(end)), default=0.0)
    if not agreed:
        return 8.0 if run.level == 1 and len(run.free) >= 6 and not keys else 0.0
    # The name of the site is a heading on many pages, and the end of their titles.
    begins = any(other.startswith(key) or key.startswith(other) for other in keys)
    score = agreed + {1: 14, 2: 6, 3: 3}.get(run.level, 0) * (1 if begins or len(key) >= _SHORTEST_END else 0.5)
    # A journal's headlines lead to the pages they stand on.
    if not run.free:
        score *= 0.7 if run.level == 1 and begins else 0.4
    if run.hints & Hint.CRUMBS and not run.level:
        score *= 0.5
    if run.kind == "li":
        score *= 0.6
    return score


def _agreement(key: str, title: str) -> float:
    """How many characters of a run a title repeats: as its beginning, inside, or up to where one was cut."""
    if title.startswith(key):
        return len(key)
    if key in title or key.startswith(title):
        return 0.8 * min(len(key), len(title))
    common = next((at for at, (one, other) in enumerate(zip(key, title, strict=False)) if one != other), 0)
    return 0.7 * common if common >= 6 and common >= 0.6 * len(key) else 0.0


def without_site(title: str) -> str:
    """The <title> without the names of site and channel behind its last separators."""
    parts = _SEPARATOR.split(title)
    if len(parts) == 1:
        return title
    kept = len(parts)
    while kept > 1 and (len(parts[kept - 1]) <= 12 or _SITE_WORDS.search(parts[kept - 1])):
        kept -= 1
    if kept == 1 and len(parts[0]) < 6:
        return max(parts, key=len)
    separators = _SEPARATOR.findall(title)
    leading = zip(parts[: kept - 1], separators, strict=False)
    return "".join(part + separator for part, separator in leading) + parts[kept - 1]


def scene_of(
    head: Head,
    reading: Reading,
    headline: Headline,
    body: Sequence[Run],
    dropped: Sequence[Run],
    removed: Sequence[str],
) -> Scene:
    runs = reading.runs
    at = headline.order
    # Without a body among the runs, what stands below the headline may still name the fields.
    first = body[0].order if body else min(len(runs), (at or 0) + _RUNS_BEFORE_BODY)
    last = body[-1].order if body else first
    if at is None or at > first:
        near = runs[max(0, first - _RUNS_BEFORE_BODY) : first]
    else:
        behind_headline = runs[at + 1 : min(first, at + _RUNS_BEHIND_HEADLINE)]
        near = [*behind_headline, *runs[max(0, at - _RUNS_BEFORE_HEADLINE) : at]]
    # A survey or a list of comments may stand between the body and its signature.
    aside = sum(1 for _ in takewhile(lambda run: run.noise, runs[last + 1 :]))
    behind = [*dropped, *runs[last + 1 : last + aside + _RUNS_BEHIND_BODY]]
    return Scene(head, reading, headline, near, behind, removed, first, last)


def read_fields(scene: Scene, wrapper: Mapping[str, str], clock: Clock) -> Found:
    """Everything but the title, from a page whose body is known. `wrapper` is what its wrapper lines named."""
    found = Found()
    head = scene.head
    near, behind, right_behind = (_labels(runs) for runs in (scene.near, scene.behind, _right_behind(scene)))
    marked = _marked(scene)
    hidden = {name: value for text in scene.reading.hidden.values() for name, value in label_values(text).items()}
    found.take(
        "publisher",
        ("label near the headline", near.get("publisher")),
        ("wrapper line", wrapper.get("publisher")),
        ("label right behind the body", right_behind.get("publisher")),
        ("element named so", marked.get(Hint.SOURCE)),
        ("label of an author", near.get("medium")),
        ("wrapper line", wrapper.get("medium")),
        ("line right behind the body", lambda: _medium_behind(scene)),
        ("name beside the time", lambda: _beside_time(scene.near)),
        ("label behind the body", behind.get("publisher")),
        ("undisplayed", hidden.get("publisher")),
        ("meta", _publisher_meta(head)),
        ("account", lambda: _account(scene, marked)),
        ("its reporter's", lambda: _medium_of_reporter(scene)),
        ("dateline", lambda: _medium_of_dateline(scene)),
        ("JSON-LD", head.json_publisher if not _NO_MEDIUM.search(head.json_publisher) else None),
    )
    places = (("wrapper line", wrapper), ("label behind the body", behind), ("label near the headline", near))
    found.take(
        "editor",
        *((witness, labels.get(name)) for name in ("chief", "editor") for witness, labels in places),
        ("element named so", marked.get(Hint.EDITOR)),
        ("undisplayed", hidden.get("chief")),
    )
    # Where the one who answers for a text signs, and then all who edited it, all are named.
    for _, labels in places:
        if found.editor and found.editor in re.split(r"[ 、,，]+", labels.get("editor", "")):
            found.editor = labels["editor"]
    for witness, author in (
        ("label near the headline", near.get("author")),
        ("byline near the headline", _byline(scene.near)),
        ("element named so", marked.get(Hint.AUTHOR)),
        ("wrapper line", wrapper.get("author")),
        ("name beside the time", _person_beside_time(scene.near)),
        ("label right behind the body", right_behind.get("author")),
        # Templates fill in the editor there.
        ("meta", name if (name := _author_meta(head)) != found.editor else None),
    ):
        found.take_author(witness, author)
    found.take(
        "author",
        ("byline behind the body", lambda: _names_only(_byline(_lines_behind(scene)))),
        ("account", lambda: _author_of(_account(scene, marked))),
    )
    found.section = _section(scene)
    found.summary = clean_line(head.first(_SUMMARY_METAS)) or None
    found.tags = _tags(head.first(_KEYWORD_METAS))
    _read_times(found, scene, clock)
    return found


def fill_from_list(found: Found, listed: Listed, clock: Clock) -> None:
    """What the page did not say, the list may have said."""
    feed = _FEED_OF.fullmatch(listed.publisher or "")
    found.take("publisher", ("list", None if feed else listed.publisher))
    found.take_author("list", person(listed.author) if listed.author else None)
    found.take("author", ("list", feed[1] if feed else None))
    for name in ("section", "summary"):
        found.take(name, ("list", getattr(listed, name)))
    found.tags = found.tags or listed.tags
    known = found.published
    found.published = choose_time([("page", known), ("list", clock.read(listed.published))], found)
    if known is not None and found.published is known:
        found.witnesses.setdefault("published", "page")
    found.updated = found.updated or clock.read(listed.updated)


def fill_from_scripts(found: Found, tree: etree._Element, clock: Clock) -> None:
    """The time that a script of the page sets, where the page waits for it to display one."""
    published = found.published
    if published and published.at and "year" in published.assumed:
        found.published = next(
            filter(None, (_of_some_year(published.at, clock, raw) for raw in _epochs(tree))), published
        )
    if found.published is None:
        times = [time for script in tree.iter("script") for time in _SCRIPT_TIME.findall(script.text or "")]
        found.published = choose_time([("script", clock.read(time)) for time in times], found)


def _epochs(tree: etree._Element) -> Iterator[str]:
    return (epoch for script in tree.iter("script") for epoch in _EPOCH.findall(script.text or ""))


def _of_some_year(shown: datetime, clock: Clock, epoch: str) -> Moment | None:
    """The moment of a script, if the page shows its month, day and minute."""
    moment = clock.read(epoch)
    if moment is None or moment.at is None:
        return None
    local, displayed = (at.astimezone(clock.zone) for at in (moment.at, shown))
    return moment if f"{local:%m-%d %H:%M}" == f"{displayed:%m-%d %H:%M}" else None


def fill_from_lines(found: Found, lines: Iterable[str], clock: Clock) -> None:
    """The time that a byline inside a text tells, where neither page nor list has one: in posts and plain texts."""
    if found.published is None:
        found.published = next((moment for line in lines if (moment := clock.find(line))), None)
        if found.published:
            found.witnesses["published"] = "wrapper line"


def is_medium(name: str) -> bool:
    parts = [part for part in re.split(r"[\s\-－—·]+", simplified(name)) if part]
    return bool(parts) and all(map(_MEDIUM.fullmatch, parts))


def fill_from_url(found: Found, clock: Clock) -> None:
    """The day in an address, where nobody else named one."""
    if found.published is None and (day := _URL_DAY.search(clock.url)):
        found.published = clock.read("-".join(day.groups()))
        found.witnesses["published"] = "url"


def flag_times(found: Found, clock: Clock) -> None:
    """Say where the times are odd; none is changed for that.

    date_ahead    published after the fetch, if by minutes: the post was scheduled, or the site's clock is fast
    update_first  updated before it was published
    """
    published, updated = found.published, found.updated
    found.flags += clock.flags
    if published and published.at and published.at > clock.fetched_at:
        found.flags.append("date_ahead")
    if published and updated and published.at and updated.at and updated.at < published.at:
        coarser = min(published.precision, updated.precision, key=_FINENESS.__getitem__)
        if not _is_same(published.at, updated.at, coarser):
            found.flags.append("update_first")


def choose_time(candidates: Sequence[tuple[str, Moment | None]], found: Found) -> Moment | None:
    """The first candidate, or a finer one of the same moment; candidates of different days are flagged."""
    known = [(witness, moment, moment.at) for witness, moment in candidates if moment and moment.at]
    if not known:
        return None
    witness, chosen, at = known[0]
    for other_witness, other, other_at in known[1:]:
        if _FINENESS[other.precision] > _FINENESS[chosen.precision] and _is_same(at, other_at, chosen.precision):
            witness, chosen, at = other_witness, other, other_at
        elif abs((at - other_at).total_seconds()) >= _CONFLICT_SECONDS and "date_conflict" not in found.flags:
            found.flags.append("date_conflict")
    if witness != "page":
        found.witnesses["published"] = witness
    return chosen


def images_of(images: Iterable[Image], first: int, last: int, url: str) -> tuple[str, ...]:
    """Absolute addresses of the pictures between two runs."""
    found: dict[str, None] = {}
    for image in images:
        if first <= image.order <= last + 1 and (address := _image_address(image.element)):
            found[urljoin(url, address) if url else address] = None
    return tuple(islice(found, _MAX_IMAGES))


def _image_address(image: etree._Element) -> str | None:
    for name in _IMAGE_ATTRIBUTES:
        value = (image.get(name) or "").strip()
        if value and not value.startswith(("data:", "javascript:", "about:")):
            return value
    return None


def _is_same(left: datetime, right: datetime, precision: str) -> bool:
    right = right.astimezone(left.tzinfo)
    if precision == "day":
        return left.date() == right.date()
    if precision == "second":
        return left == right
    return left.replace(second=0, microsecond=0) == right.replace(second=0, microsecond=0)


def _key(text: str) -> str:
    return _NO_KEY.sub("", text).lower()


def _labels(runs: Iterable[Run]) -> dict[str, str]:
    """Labelled values by field, and `medium`, where one stands in an author's place."""
    values: dict[str, str] = {}
    for run in runs:
        # A row of links between bars is no row of labels.
        if len(run.text) > 2 * _MAX_NEAR_CHARS or run.text.count("|") > _MAX_BARS:
            continue
        for name, value in label_values(run.pieces).items():
            if name == "author" and is_medium(value):
                name = "medium"
            if len(value) <= _MAX_VALUE_CHARS and not (name == "author" and _NOT_A_PERSON.search(value)):
                values.setdefault(name, value)
    return values


def _byline(runs: Iterable[Run]) -> str | None:
    """Who is named in a line of his own: 「□本报记者 王一鸣」, "By Wang Yiming"."""
    for run in runs:
        if len(run.text) <= _BYLINE_CHARS and _SURNAME.search(run.text):
            pieces = run.pieces.split("\t") if "记者" in run.text or "記者" in run.text else []
            for line in (run.text, *pieces):
                name = byline(line).get("author", "")
                if name[:1] in SURNAMES and name and not _NOT_A_PERSON.search(name):
                    return name
        if run.text.startswith("By") and len(run.text) <= _MAX_NEAR_CHARS and (english := _BY.match(run.text)):
            return english[1]
    return None


def _right_behind(scene: Scene) -> Iterator[Run]:
    """Further down, labels are those of other articles."""
    return (run for run in scene.behind if scene.last < run.order <= scene.last + 2 and run.kind == "p")


def _lines_behind(scene: Scene) -> Iterator[Run]:
    """Lines below the body, up to the next heading."""
    behind = sorted((run for run in scene.behind if scene.last < run.order), key=attrgetter("order"))
    near = takewhile(lambda run: run.order <= scene.last + _BYLINES_BEHIND and not run.level, behind)
    lines = (run for run in near if run.kind == "p" and not run.noise and run.text == run.free)
    return (run for run in lines if len(run.text) <= _MAX_VALUE_CHARS and _SIGNS.search(run.text))


def _medium_behind(scene: Scene) -> str | None:
    return next(filter(None, (medium_of(run.text) for run in _right_behind(scene))), None)


def _author_of(account: str | None) -> str | None:
    """An account that is no organisation's."""
    return account if account and not _ORGANISATION.search(simplified(account)) else None


def _names_only(names: str | None) -> str | None:
    return (
        names
        if names and all(name[0] in SURNAMES and len(name) <= 3 for name in re.split(r"[ 、,，/]+", names))
        else None
    )


def _medium_of_reporter(scene: Scene) -> str | None:
    """「某某网记者 王一鸣」"""
    for line in (*(run.text for run in scene.near), *scene.removed):
        if len(line) <= _BYLINE_CHARS and (found := _MEDIUM_OF_REPORTER.search(simplified(line))):
            return line[slice(*found.span(1))]
    return None


def _medium_of_dateline(scene: Scene) -> str | None:
    """「某某社5月9日电」, and a title in its marks beside the time."""
    for run in scene.near:
        if len(run.text) <= _BYLINE_CHARS and _DAY_OR_CLOCK.search(run.text):
            for piece in run.pieces.split("\t"):
                if titled := _TITLED_MEDIUM.match(piece.strip()):
                    return titled[1]
            if bracketed := _BRACKETED_MEDIUM.match(run.text):
                return bracketed[1]
    body = scene.reading.runs[scene.first : scene.first + 2]
    found = (_DATELINE_MEDIUM.match(simplified(run.text[:_BYLINE_CHARS])) for run in body)
    return next((run.text[slice(*match.span(1))] for run, match in zip(body, found, strict=True) if match), None)


def _account(scene: Scene, marked: Mapping[int, str]) -> str | None:
    """Who published on a platform; what the page's path names is a channel."""
    account = marked.get(Hint.AUTHOR | Hint.SOURCE) or _account_above_time(scene) or _account_beside_time(scene.near)
    if account is None:
        return None
    above = (run for run in scene.reading.runs[: scene.first] if run.hints & Hint.CRUMBS)
    # The first steps are the site and its front page.
    paths = ([step for piece in run.pieces.split("\t") if (step := piece.strip(" >＞»"))] for run in above)
    return None if any(account in path[2:] for path in paths) else account


def _marked(scene: Scene) -> dict[int, str]:
    """Values of elements whose class or id names a field, near the headline or right behind the body; under both hints,
    the account of a self-publisher."""
    at = scene.headline.order
    start = min(scene.first, at if at is not None else scene.first) - 6
    values: dict[int, str] = {}
    account = ""
    for mark in scene.reading.marks:
        if not (start <= mark.order <= scene.first + 1 or scene.last <= mark.order <= scene.last + 8):
            continue
        pieces = [piece for text in islice(texts_of(mark.element), 12) if (piece := " ".join(text.split()))]
        text = "\t".join(pieces)
        if not 2 <= len(text) <= 60:
            continue
        for hint in _LABELS_OF:
            if mark.hint & hint and (value := _marked_value(hint, text)):
                values.setdefault(hint, value)
        # On platforms of self-publishers the author's name is the medium's.
        if mark.hint & Hint.AUTHOR and pieces and _is_account(pieces[0]) and not _NO_MEDIUM.search(text):
            is_alone = _DAY_OR_CLOCK.search(text) or all(map(_NO_ACCOUNT.fullmatch, map(simplified, pieces[1:])))
            account = account or (pieces[0] if is_alone else "")
    if account:
        values[Hint.AUTHOR | Hint.SOURCE] = account
    return values


def marked_runs(reading: Reading, headline: int | None) -> frozenset[int]:
    """Short lines right below the headline that hold an element named after a time, a source or an author."""
    if headline is None:
        return frozenset()
    hints = Hint.SOURCE | Hint.AUTHOR | Hint.TIME
    below = range(headline + 1, min(headline + 1 + _MARKED_BELOW, len(reading.runs)))
    marks = [mark for mark in reading.marks if mark.hint & hints and mark.order in below]
    return frozenset(mark.order for mark in marks if _is_inside(mark.element, reading.runs[mark.order]))


def _is_inside(element: etree._Element, run: Run) -> bool:
    """Is the whole element in that short line?"""
    text = "".join(islice(texts_of(element), _BYLINE_CHARS)).split()
    return bool(text) and len(run.text) <= _BYLINE_CHARS and "".join(text) in run.text.replace(" ", "")


def _is_account(name: str) -> bool:
    is_name = _MEDIUM_NAME.fullmatch(name) or (_ACCOUNT.fullmatch(name) and not _is_person(name))
    return bool(is_name) and not _NO_ACCOUNT.fullmatch(simplified(name))


def _marked_value(hint: int, text: str) -> str | None:
    if labels := label_values(text):
        return labels.get(_LABELS_OF[hint])
    for piece in text.split("\t"):
        bare = _OFFICIAL.sub("", _BEFORE_NAME.sub("", _FROM.sub("", _BARE.sub("", piece).strip())))
        # 「来源 某某网 廖某」, without a colon.
        if hint == Hint.SOURCE and (unlabelled := _SOURCE_AND_GAP.match(bare)):
            bare = unlabelled[1]
        if not 2 <= len(bare) <= 24 or _NO_NAME.search(bare):
            continue
        if hint == Hint.SOURCE:
            if not _NO_MEDIUM.search(bare) and not _CLIENT.fullmatch(bare) and not _PLACE.fullmatch(bare):
                return bare
        elif hint == Hint.AUTHOR and _is_latin_person(bare):
            return bare
        elif _PERSON.fullmatch(bare := person(bare)) and bare[0] in SURNAMES and not _NOT_A_PERSON.search(bare):
            return None if _PLACE.fullmatch(bare) else bare
    return None


def _is_latin_person(name: str) -> bool:
    return bool(_LATIN_PERSON.fullmatch(name)) and not _NOT_A_LATIN_PERSON.search(name)


def _beside_time(near: Iterable[Run]) -> str | None:
    """A medium's name that stands without a label beside the time: 「2019-11-25 10:37 某某网」."""
    for run in near:
        if len(run.text) <= 120 and _DAY_OR_CLOCK.search(run.text):
            for piece in re.split(r"[\s（()）]+", run.pieces):
                if piece and is_medium(piece) and not _DAY_OR_CLOCK.search(piece) and not _NO_MEDIUM.search(piece):
                    return piece
    return None


def _person_beside_time(near: Iterable[Run]) -> str | None:
    """A name that stands in an element of its own beside the time: 「某某网｜何某｜2011-12-15 23:46」."""
    runs = list(near)
    for at, run in enumerate(runs):
        if len(run.text) <= 120 and _DAY_OR_CLOCK.search(run.text):
            pieces = ("", *(piece.strip(" ·|｜") for piece in _PIECES.split(run.pieces)))
            # Behind a label stands the editor, or whoever it says.
            names = (piece for label, piece in pairwise(pieces) if not label.endswith(("：", ":")))
            if name := next((name for name in names if _is_person(name) and not _NO_NAME_BESIDE.search(name)), None):
                return None if _NOT_A_PERSON.search(name) or _NO_ACCOUNT.fullmatch(name) else name
            # Each in a line of its own.
            if _TIME_ALONE.fullmatch(run.text):
                names = (beside.text for beside in runs[max(0, at - 2) : at + 3] if beside.free == beside.text)
                if name := next((name for name in names if _is_name_alone(name)), None):
                    return name
    return None


def _account_beside_time(near: Iterable[Run]) -> str | None:
    """Who published, on a platform: the one name that stands in an element of its own beside the time."""
    for run in near:
        if len(run.text) <= 60 and _DAY_OR_CLOCK.search(run.text):
            pieces = [piece for part in run.pieces.split("\t") if (piece := part.strip(" |｜·-—"))]
            if any(piece in _BY_WORDS for piece in pieces):
                return None
            names = [
                piece for piece in pieces if _ACCOUNT.fullmatch(piece) and not _NO_ACCOUNT.fullmatch(simplified(piece))
            ]
            return names[0] if len(names) == 1 and not _is_person(names[0]) else None
    return None


def _account_above_time(scene: Scene) -> str | None:
    """A link of its own between headline and time, which leads to the one who posted."""
    at = scene.headline.order
    for run, below in pairwise(scene.near):
        if (
            at is not None
            and run.order == below.order - 1 > at
            and not run.free
            and _DAY_OR_CLOCK.search(below.text[:40])
        ):
            is_account = _ACCOUNT.fullmatch(run.text) and not _NO_ACCOUNT.fullmatch(simplified(run.text))
            return run.text if is_account and len(below.text) <= _BYLINE_CHARS else None
    return None


def _is_name_alone(name: str) -> bool:
    words = (_NO_NAME_BESIDE.search, _NOT_A_PERSON.search, _NO_ACCOUNT.fullmatch, _PLACE.fullmatch)
    return _is_person(name) and not any(matches(name) for matches in words)


def _is_person(name: str) -> bool:
    return 2 <= len(name) <= 3 and name[0] in SURNAMES and bool(_PERSON.fullmatch(name))


def _publisher_meta(head: Head) -> str | None:
    for name in _PUBLISHER_METAS:
        value = clean_line(head.metas.get(name, ""))
        if 2 <= len(value) <= 30 and not _NO_WORDS.fullmatch(value):
            return re.sub(r"^(?:文章)?来源\s*[：:]\s*", "", value)
    return None


def _author_meta(head: Head) -> str | None:
    for name in _AUTHOR_METAS:
        value = person(clean_line(head.metas.get(name, "")))
        if _PERSON.fullmatch(value) and value[0] in SURNAMES and not _NOT_A_PERSON.search(value):
            return value
    return None


def _tags(raw: str) -> tuple[str, ...]:
    words = (clean_line(word) for word in re.split(r"[,，;；、|]+|\s+", raw))
    return tuple(islice(dict.fromkeys(word for word in words if 2 <= len(word) <= 30), _MAX_TAGS))


def _section(scene: Scene) -> str | None:
    """The last step of the breadcrumbs above the headline."""
    named = clean_line(scene.head.first(_SECTION_METAS))
    if named and not _NO_WORDS.fullmatch(named):
        return named
    limit = scene.headline.order if scene.headline.order is not None else scene.first
    for run in reversed(scene.reading.runs[:limit]):
        if (
            len(run.text) <= 80
            and _STEP.search(run.text)
            and (run.hints & Hint.CRUMBS or "正文" in run.text or run.text.startswith("首页"))
        ):
            steps = (re.sub(r"^.*[：:]|(?:正文|详情).*$|[\s\-]+$", "", step).strip() for step in _STEP.split(run.text))
            steps_left = [step for step in steps if step and not _NO_SECTION.fullmatch(step)]
            return steps_left[-1][:30] if steps_left else None
    return None


def _read_times(found: Found, scene: Scene, clock: Clock) -> None:
    head = scene.head
    found.updated = next((moment for name in _UPDATED_METAS if (moment := clock.read(head.metas.get(name)))), None)
    # A visible time without a year is no later than the page's own update.
    if found.updated and found.updated.at and found.updated.at < clock.fetched_at:
        visible = _visible_time(scene, Clock(found.updated.at, clock.zone, clock.url)) or _visible_time(scene, clock)
    else:
        visible = _visible_time(scene, clock)
    found.published = choose_time(
        [
            ("visible", visible),
            ("undisplayed", clock.read(scene.reading.hidden.get("pubtime_baidu"))),
            *(("meta", clock.read(head.metas.get(name))) for name in _PUBLISHED_METAS if name in head.metas),
            *(("JSON-LD", clock.read(raw)) for raw in head.json_times[:1]),
        ],
        found,
    )
    # A day that is displayed has its clock in the same element's attribute.
    told = clock.read(head.first_time) if found.published and found.published.precision == "day" else None
    if found.published and found.published.at and told and told.at and _is_same(found.published.at, told.at, "day"):
        found.published = told
    # A page saved once has its minute of publication as its update, with the seconds.
    shown, saved = found.published, found.updated
    if shown and saved and shown.at and saved.at and shown.precision == "minute" and saved.precision == "second":
        found.published = saved if _is_same(shown.at, saved.at, "minute") else shown


def _scattered_times(near: Sequence[Run]) -> Iterator[str]:
    """Dates whose parts stand in lines or elements of their own, put together."""
    for at, first_run in enumerate(near):
        if not _may_tell_time(first_run.text):
            continue
        texts = (clean_line(" ".join(run.parts)) for run in near[at : at + 3] if len(run.text) <= _MAX_VALUE_CHARS)
        first = next(texts, "")
        joined = " ".join([first, *takewhile(_PART_OF_DATE.fullmatch, texts)])
        if found := _SCATTERED.search(joined):
            yield "{}/{}/{} {}".format(*found.groups())
        elif joined != first and _DATE_ALONE.fullmatch(first):
            yield joined


def _visible_time(scene: Scene, clock: Clock) -> Moment | None:
    """The first time displayed; one of editing only where there is no other."""
    edited: Moment | None = None
    for line in _timed_lines(scene):
        if _may_tell_time(line) and len(line) <= _MAX_NEAR_CHARS and not _CLOCK_OF_SITE.search(line):
            if moment := clock.find(line):
                if not _EDITED.match(simplified(line)):
                    return moment
                edited = edited or moment
            elif short := _SHORT_YEAR.search(line):
                return clock.read(f"20{short[1]}")
    return edited


def _may_tell_time(line: str) -> bool:
    return any(map(str.isdigit, line)) or "年" in line


def _timed_lines(scene: Scene) -> Iterator[str]:
    """Lines in which the time of publication is displayed: near the headline, then elements named after it."""
    at = scene.headline.order
    if at is not None and _TIME_BEHIND.search(scene.reading.runs[at].text):
        yield scene.reading.runs[at].text
    yield from _scattered_times(scene.near)
    for run in scene.near:
        if _may_tell_time(run.text):
            yield clean_line(" ".join(run.parts))
    yield from scene.removed
    for mark in scene.reading.marks:
        is_near = scene.first - 30 <= mark.order <= scene.first + 2 or scene.last <= mark.order <= scene.last + 4
        if mark.hint & Hint.TIME and is_near:
            yield clean_line(" ".join(texts_of(mark.element)))
    for run in scene.behind:
        is_first = run.order == scene.last + 1 and run.kind == "p"
        if _TIME_LABEL.search(run.text[:60]) or (is_first and _DATED_END.match(run.text)):
            yield clean_line(" ".join(run.parts))

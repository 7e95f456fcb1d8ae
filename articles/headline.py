"""The title of a page: what its head tells programs, and the headline that is displayed.

    rule · headline that <title>, og:title or list repeats · list · og:title · <title> less the site's name

Templates fill in <title> and og:title, with the names of site and channel; where a line of the page repeats them, that
line is what readers saw.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from articles.canonical import Hint, Reading, Run, texts_of
from articles.normalise import clean_line
from articles.wrapper import simplified

MAX_TITLE_CHARS = 300
RUNS_BEFORE_BODY = 12
_TITLE_METAS = ("og:title", "articletitle", "twitter:title")
_SEPARATOR = re.compile(
    # Quickly past nearly every character.
    r"(?=[\s_|｜·•»–—\-－<:])(?:"
    r"\s*(?:[_|｜·•»]+|(?<![–—])[–—](?![–—]))\s*|\s+[-－]+\s*|(?<=[\u4e00-\u9fff）”》？！])[-－]+(?=[\u4e00-\u9fff])|\s*-{2,}\s*|\s*<\s*|::)"
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
_DAY = re.compile(r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}")
_DATED_CHARS = 40
TIME_BEHIND = re.compile(r"\s+\d{4}-\d{2}-\d{2}(?:\s+\d{2}:\d{2}(?::\d{2})?)?$")
_COLON = re.compile(r"[：:]")
# Above the notices of a company: 「某某股份(002117.SZ)」.
_SECURITY = re.compile(
    r"[\u4e00-\u9fa5A-Za-z*]{2,10}\s*[（(]?\s*(?:S[HZ]|BJ)?\d{5,6}(?:\.[A-Z]{2})?\s*[)）]?", re.IGNORECASE
)
# A board, a badge.
_IN_BRACKETS = re.compile(r"[\[【(（].{1,8}[\]】)）]")
_SHORTEST_END = 10
_NO_KEY = re.compile(r"[\W_]+")
# The second is Baidu's.
_JSON_TIME = re.compile(r'"(?:datePublished|pubDate)"\s*:\s*"([^"]{8,40})"')


@dataclass(frozen=True, slots=True)
class Head:
    """What a page tells programs: metas by lower-case name, the first of each, the <title>, and times."""

    title: str
    metas: Mapping[str, str]
    json_times: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    """JSON-LD, as it stands in the page."""
    first_time: str = ""
    """What the first <time> of the page says to programs."""

    def first(self, names: Iterable[str]) -> str:
        return next((self.metas[name] for name in names if name in self.metas), "")


@dataclass(frozen=True, slots=True)
class Headline:
    text: str
    order: int | None
    """Of its run on the page; None where the title was read elsewhere."""


def read_head(tree: etree._Element) -> Head:
    metas: dict[str, str] = {}
    title = ""
    times: list[str] = []
    linked: list[str] = []
    first_time = ""
    for element in tree.iter("meta", "title", "script", "time"):
        if element.tag == "time":
            first_time = first_time or element.get("datetime") or ""
        elif element.tag == "title":
            title = title or "".join(texts_of(element)).strip()
        elif element.tag == "script":
            if "ld+json" in (element.get("type") or "") and element.text:
                times += _JSON_TIME.findall(element.text)
                linked.append(element.text)
        else:
            name = element.get("property") or element.get("name") or element.get("itemprop")
            content = element.get("content")
            if name and content and (content := content.strip()):
                metas.setdefault(name.strip().lower(), content)
    title = clean_line(title[: MAX_TITLE_CHARS * 2])
    return Head(title, metas, tuple(dict.fromkeys(times)), tuple(linked), first_time)


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
        score = 0.0 if _SECURITY.fullmatch(run.text) else _headline_score(run, keys, ends)
        if score > best_score and _key(run.text) != site:
            best, best_score = run, score
    if best is not None:
        return Headline(TIME_BEHIND.sub("", _headline_of(best, keys))[:MAX_TITLE_CHARS], best.order)
    return Headline(without_site(clean_line(titles[0]))[:MAX_TITLE_CHARS] if titles else "", None)


def headline_above(runs: Sequence[Run], body: Sequence[Run]) -> Headline | None:
    """The nearest line above or at the head of a body that can be a headline, where the <title> names the site only."""
    if not body:
        return None
    prose = next((run.order for run in body if "。" in run.free or "，" in run.free), body[0].order)
    for run in reversed(runs[max(0, prose - RUNS_BEFORE_BODY) : prose]):
        is_line = run.free == run.text and _SHORTEST_HEADLINE <= len(run.text) <= _LONGEST_HEADLINE
        if is_line and not run.noise and not _NO_HEADLINE.search(simplified(run.text)):
            return Headline(clean_line(run.paragraph), run.order)
    return None


def heading_above(runs: Sequence[Run], body: Sequence[Run]) -> Headline | None:
    """The nearest heading above a body with the time right below it: displayed, whatever the <title> says."""
    if not body:
        return None
    for run in reversed(runs[max(0, body[0].order - RUNS_BEFORE_BODY) : body[0].order]):
        is_line = run.free == run.text and _SHORTEST_HEADLINE <= len(run.text) <= _LONGEST_HEADLINE
        if run.level and is_line and not run.noise and not _NO_HEADLINE.search(simplified(run.text)):
            below = runs[run.order + 1 : run.order + 3]
            is_dated = any(_DAY.search(line.text[:_DATED_CHARS]) for line in below if line.order < body[0].order)
            return Headline(clean_line(run.paragraph), run.order) if is_dated else None
    return None


def site_names(head: Head) -> frozenset[str]:
    """What the <title> names behind the headline, and og:site_name."""
    parts = [part.strip("[]【】 ") for part in _SEPARATOR.split(head.title)[1:]]
    last = re.findall(r"[\[【]([^\[【]{2,12})[\]】]$", head.title)
    return frozenset(
        name for name in (*parts, *last, head.metas.get("og:site_name", "")) if 2 <= len(name) <= _LONGEST_SITE
    )


def blog_owner(head: Head) -> str:
    """Whose blog the <title> names before the site's: 「某题_某某_某浪博客」; "" for any other."""
    *_, owner, site = ("", "", *(part.strip() for part in _SEPARATOR.split(head.title)))
    return owner if site.endswith("博客") and len(site) <= _LONGEST_SITE else ""


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


def _headline_of(run: Run, keys: Sequence[str]) -> str:
    """The run, or the first of its elements where that alone is the title: time and medium may stand in its line."""
    first = run.parts[0]
    if (alone := _before_tools(run)) and any(_key(alone) in key and _key(run.text) not in key for key in keys):
        return clean_line(alone)
    if len(run.parts) > 1 and _key(first) in keys and _key(run.text) not in keys:
        return clean_line(first)
    if len(run.parts) > 1 and _IN_BRACKETS.fullmatch(run.parts[-1].strip()):
        rest = "".join(run.parts[:-1])
        if any(key.startswith(_key(rest)) for key in keys) and not any(_key(run.text) in key for key in keys):
            return clean_line(rest)
    if run.level == 1 and not any(_agreement(_key(run.text), key) for key in keys) and (inner := _parts_in(run, keys)):
        return clean_line(inner[0])
    return clean_line(run.paragraph)


def _before_tools(run: Run) -> str:
    """The first element of a line that goes on in brackets: 「某某公告 (查看PDF)」; "" for any other line."""
    is_so = len(run.parts) > 1 and run.parts[0].rstrip().endswith(("(", "（")) and len(run.parts[0]) > _SHORTEST_END
    return run.parts[0].rstrip(" (（") if is_so else ""


def _parts_in(run: Run, keys: Sequence[str]) -> list[str]:
    """The elements of a run that a title begins with."""
    if len(run.parts) < 2:
        return []
    parts = ((part, _key(part)) for part in run.parts)
    return [part for part, own in parts if len(own) >= 6 and any(key.startswith(own) for key in keys)]


def _names_site_only(title: str) -> bool:
    return all(_SITE_ONLY.fullmatch(part.strip()) for part in _SEPARATOR.split(simplified(title)) if part.strip())


def _ends_of(titles: Iterable[str]) -> list[str]:
    """What stands behind the colon of titles, long enough to tell an article: 「某某银行：关于召开股东大会的公告」."""
    parts = [_COLON.split(without_site(title), maxsplit=1)[1:] for title in titles if _COLON.search(title)]
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
    if not agreed and (first := _key(_before_tools(run))):
        agreed = max((_agreement(first, other) for other in keys if first in other), default=0.0)
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


def _key(text: str) -> str:
    return _NO_KEY.sub("", text).lower()

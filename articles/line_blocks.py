"""What only several lines of a body together show to be the site's.

In texts without mark-up (bulk archives, feeds) nothing else tells a menu from subheads, or a list of other articles'
headlines from the lines of a digest: a menu is a run of words of which several are a menu's, a headline of elsewhere
stands behind a caption and nothing but such lines follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from articles.wrapper_words import HAN, SURNAMES

MENU_LINES = 3
WORD_CHARS = 1
HEAD_LINES = 14
TAIL_LINES = 12
HEADLINE_CHARS = (8, 45)
CAPTIONED_LINES = 2
LONGEST_STATEMENT = 900
LONGEST_VALUE = 16
SELF_CHARS = 60
# Captions and statements stand behind the text, not in it.
LAST_PART = 0.5

_MENU = re.compile(
    r"字[号體体][：:]?.{0,3}|[【\[]?(?:我要)?(?:纠错|打印|收藏|分享|评论|举报|保存|关闭|转发|点赞)[】\]]?|默认|超?大|中|小|[|｜]|"
    r"热点栏目|资金流向|千股千评|个股诊断|最新评级|模拟交易|客户端|自选股?|股吧|研报|公告|龙虎榜|新股申购|行情(?:中心)?|数据(?:中心)?|条件选股|"
    r"首页|EN|登录|注册|退出|个人中心|邮箱|无障碍|更多|导航|搜索|设置|微博|微信|新闻|财经|股票|基金|期货|外汇|债券|视频|图片|直播|专题|论坛|博客|滚动|快讯"
)
_CAPTION = re.compile(r".{2,20}[>＞]{2,4}\s*|[【\[]?(?:相关|延伸|推荐|更多|热点|往期)[^，。]{0,6}[】\]]?[：:]?")
_STATEMENT = re.compile(r"[*＊【\[]?\s*(?:免责声明|免责条款|法律声明|版权声明|重要声明)\s*[】\]]?[：:]?\s*[*＊]?")
# Below a release, in its official name: 「关于某某」, 「某某股份有限公司（“某某”）是…之一」.
_ABOUT = re.compile(r"[【\[]?\s*(?:关于|有关)(?P<who>[^，。：:、？?！\s]{2,20}?)\s*[】\]]?[：:]?")
_OF_ITSELF = re.compile(
    r"(?=[^。]{2,40}(?:公司|集团|Inc|Ltd|Limited|Corp))[^。]{2,80}?"
    r"(?:(?:是|为)[^。]{2,80}(?:之一|公司|集团|企业|机构|平台|[应供务造商]商|品牌)|(?:成立|创立|创办)于|总部|致力于|专注于)"
)
_LABEL = re.compile(
    r"(?P<publisher>(?:文章|稿件|信息|新闻)?来源)\s*[：:]|(?P<author>(?:本文)?作者|记者)\s*[：:]|(?P<editor>(?:责任)?编辑|责编)\s*[：:]"
)
_BARE_LABEL = re.compile(r"(?:文章|本文)?作者|责任编辑|责编|(?:文章|本文)编辑")
_PERSONS = re.compile(rf"[{SURNAMES}][{HAN}]{{1,2}}(?:[ 、,，]+[{SURNAMES}][{HAN}]{{1,2}}){{0,3}}")
_NO_VALUE = re.compile(r"[：:|｜。！？，]|字号|打印|分享|\d{4}-")


class Block(NamedTuple):
    rule: str
    fields: dict[str, str]


def site_blocks(lines: Sequence[str]) -> dict[int, Block]:
    """Number of each line that belongs to such a block. `lines` in simplified script."""
    found: dict[int, Block] = {}
    for number, label in enumerate(lines[:HEAD_LINES]):
        if (match := _LABEL.fullmatch(label)) and _is_value(lines[number + 1 : number + 2]):
            found[number] = Block("label over value", {})
            found[number + 1] = Block("value under label", {str(match.lastgroup): lines[number + 1]})
    for number in _labels_over_names(lines):
        field = "author" if "作者" in lines[number] else "editor"
        found[number] = Block("label over name", {})
        found[number + 1] = Block("name under label", {field: lines[number + 1]})
    for start, end in _menus(lines[:HEAD_LINES]):
        found = dict.fromkeys(range(start, end), Block("menu", {})) | found
    for start, rule in _behind(lines):
        found |= dict.fromkeys(range(start, len(lines)), Block(rule, {}))
    return found


def _labels_over_names(lines: Sequence[str]) -> Iterator[int]:
    """Without a colon, it must be the name of a person that stands below, at an end of the text."""
    for number in range(len(lines) - 1):
        is_at_end = number < HEAD_LINES or number >= len(lines) - TAIL_LINES
        if is_at_end and _BARE_LABEL.fullmatch(lines[number]) and _PERSONS.fullmatch(lines[number + 1]):
            yield number


def _is_value(below: Sequence[str]) -> bool:
    return bool(below) and len(below[0]) <= LONGEST_VALUE and not _NO_VALUE.search(below[0])


def _menus(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs of a menu's words, and of what is no longer than one."""
    start = 0
    for number in range(len(lines) + 1):
        if number < len(lines) and (len(lines[number]) <= WORD_CHARS or _MENU.fullmatch(lines[number])):
            continue
        if sum(_MENU.fullmatch(line) is not None for line in lines[start:number]) >= MENU_LINES:
            yield start, number
        start = number + 1


def _behind(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """From which line on all is headlines of elsewhere, or the text of a statement."""
    behind = sum(map(len, lines))
    before = 0
    for number, line in enumerate(lines):
        before, behind = before + len(line), behind - len(line)
        if before < LAST_PART * (before + behind) or not behind:
            continue
        if _STATEMENT.fullmatch(line) and behind <= LONGEST_STATEMENT:
            yield number, "statement"
            return
        if behind <= LONGEST_STATEMENT and _is_about_itself(line, lines[number + 1]):
            yield number, "about the issuer"
            return
        if _CAPTION.fullmatch(line) and _are_headlines(lines[number + 1 :]):
            yield number, "headlines of elsewhere"
            return


def _is_about_itself(heading: str, below: str) -> bool:
    about = _ABOUT.fullmatch(heading)
    is_issuer = about is not None and (about["who"] in ("我们", "公司", "本公司") or about["who"] in below[:SELF_CHARS])
    return is_issuer and _OF_ITSELF.match(below) is not None


def _are_headlines(lines: Sequence[str]) -> bool:
    least, most = HEADLINE_CHARS
    of_site = [line for line in lines if _LABEL.match(line.lstrip("(（【["))]
    rest = [line for line in lines if line not in of_site]
    return len(rest) >= CAPTIONED_LINES and all(
        least <= len(line) <= most and not line.endswith(("。", "！", "？", "；", "：", "…", "”")) for line in rest
    )

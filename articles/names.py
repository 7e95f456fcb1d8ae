"""What a name is: a person's, a medium's, an account's, or a button's that looks like one.

Patterns only, for names on Chinese pages. Nobody is known by name; who is named where is read by articles.bylines.
"""

from __future__ import annotations

import re

from articles.normalise import clean_line
from articles.wrapper import person, simplified
from articles.wrapper_words import PROVINCES, SURNAMES

FOREIGN_PERSON = re.compile(r"[\u4e00-\u9fa5]{1,8}(?:[·•・‧][\u4e00-\u9fa5]{1,8}){1,3}")
PERSON = re.compile(r"[\u4e00-\u9fa5·]{2,4}(?:[ 、,，/]+[\u4e00-\u9fa5·]{2,4}){0,5}")
_NOT_A_PERSON = re.compile(
    r"报|网|社|新闻|财经|周刊|客户端|电视|广播|频道|编辑|记者|管理员|小编|来源|作者|中心|资讯|综合|整理|公司|微博|专栏|成交|"
    r"时间|日期|个股|大盘|行情|经济|金融|原创|位置|首页|正文|登录|注册|热线|推荐|相关|更多|评论|关注|手机|微信|客服|下载|网友|匿名|未知|佚名|转载|本站|责任|文章|粉丝"
)
_MEDIUM_NAME = re.compile(r"(?![\u4e00-\u9fa5]{2,3}$)[\u4e00-\u9fa5A-Za-z0-9]{3,14}")
_CHANNEL = (
    r"(?:财经|股票|公司|产业|科技|国际|国内|社会|要闻|快讯|滚动|独家|头条|视频|图片|专题|深度|时政|宏观|金融|证券|房产|汽车|"
    r"娱乐|体育|军事|教育|健康|生活|文化|历史|评论|观点|新闻|资讯|热点|正文|动态|公告|行业|市场|频道|博客)"
)
_TOOL = (
    r"[\d\W_]+|[A-Z]{2,4}|"
    r"(?i:print|share|e-?mail|login|sign in|home|more|back|next|follow|subscribe|menu|search|english|comments?)|"
    r".*(?:来源|作者|编辑|记者|责任|评论|阅读|浏览|点击|次数|人气|字[体号]|分享|转发|打印|收藏|举报|关注|原创|发布|发表|更新|时间|日期|星期|周[一二三四五六日]|"
    r"上午|下午|号$|佚名|匿名|未知|本站|首页|订阅|登录|听新闻|纠错|扫码|手机|微信|微博|朋友圈|二维码|复制|链接|关闭|窗口|返回|縮小|来自|楼主|沙发|展开|收起|倒序|正序|加好友|私信|我来说|我有话|说两句|我要|参与|昵称|相关|更多|推荐|文章|行情|简介|跟[帖贴]|放大|缩小|默认|大字|小字|禁止|摘编|提供者|admin|分类|分類|归档|标签|字数|时长|指数).*|"
    rf"(?:{PROVINCES})"
)
# Channels, tools and badges that stand beside a time like the name of an account.
_NO_ACCOUNT = re.compile(rf".{{0,6}}{_CHANNEL}|{_TOOL}", re.IGNORECASE)
# Beside a portrait, and in elements that say so, names may end like channels.
_NO_NAMED_ACCOUNT = re.compile(rf".{{0,2}}{_CHANNEL}|{_TOOL}", re.IGNORECASE)
# Words of two or three characters that begin like a name.
_NO_NAME_BESIDE = re.compile(
    r"^(?:高清|关注|时尚|时评|家居|公益|文旅|文娱|文史|房价|能源|农业|明星|元宇宙|单位|全文|方正|万科|安全|国防)$|[州市县区省港]$"
)
_PLACE = re.compile(rf"(?:{PROVINCES})(?:省|市)?|中国|海外")
ACCOUNT = re.compile(r"[\u4e00-\u9fa5A-Za-z][\u4e00-\u9fa5A-Za-z0-9·_-]{1,13}")
_NO_MEDIUM = re.compile(
    r"^我[要来有]|^(?:即时|最新|今日|本站)(?:新闻|资讯)$|的(?:[\u4e00-\u9fa5]{2})?专栏$|公司$|\d日|^第\d+期|[电電]$|©|版[权權]|[题題头頭首][图圖]|原文(?:链接|地址)?$|^(?:财经|金融|证券|图片|原创|本文.*|博客|网络|昵称|优质.*|本站.*|视频|文章|来源|作者|关注|首发|转载|综合)$"
)
_TEAM = re.compile(
    r"(?:本[报刊网社]|[\u4e00-\u9fa5]{2,6}[报网社])(?:(?:特约|观察)?评论员|编辑部)|"
    r"[\u4e00-\u9fa5]{2,12}(?:调研组|课题组|报道组|采访组|联合调查组|记者团|研究院|研究所|研究中心|研究部|工作室)"
)
# Accounts of these are no persons.
_ORGANISATION = re.compile(
    r"之家|网|报|财经|财讯|新闻|研究[院所部中]|证券|基金|资本|公司|中心|电视|频道|官方|大学|协会|快讯|日|社|局|院|会$|[^卖]部$|事务所|交易所|银行|集团|期货|资讯|周刊|"
    r"Daily|News|Finance|Media"
)
_LATIN_PERSON = re.compile(r"[A-Z][a-zA-Z.'’-]+(?: [A-Z][a-zA-Z.'’-]*){1,3}")
_NOT_A_LATIN_PERSON = re.compile(
    r"\b(?:News|Post|Times|Daily|Morning|China|Staff|Reporters?|Agency|Media|Journal|Global|Online|Network|Editors?|Desk|"
    r"Team|Press|Home|About|More|Read|Share|Hong Kong|Business|Review|Weekly|Finance|Bureau)\b"
)
_LATIN_AND = re.compile(r",? and |,? & |, ")


def is_tool(text: str) -> bool:
    """Is it a channel, a button or a badge, as they stand beside a time?"""
    return bool(_NO_ACCOUNT.fullmatch(simplified(text)))


def is_place(text: str) -> bool:
    """Is it a province or so, as platforms tell where an account is?"""
    return bool(_PLACE.fullmatch(text))


def is_team(text: str) -> bool:
    """Is it a desk or a group, which signs like a person?"""
    return bool(_TEAM.fullmatch(simplified(text)))


def is_organisation(account: str) -> bool:
    """Does the name of an account say that it is no person's?"""
    return bool(_ORGANISATION.search(simplified(account)))


def is_no_medium(text: str) -> bool:
    """Does it hold what no medium's name does, however it is marked?"""
    return bool(_NO_MEDIUM.search(text))


def is_no_person(text: str) -> bool:
    """Does it hold a word that no person's name does?"""
    return bool(_NOT_A_PERSON.search(text))


def is_named(name: str) -> bool:
    """Are these names of persons only, in Chinese or Latin letters?"""
    is_chinese = PERSON.fullmatch(name) and name[0] in SURNAMES and not _NOT_A_PERSON.search(name)
    return bool(is_chinese or FOREIGN_PERSON.fullmatch(name)) or all(map(is_latin_person, _LATIN_AND.split(name)))


def is_name_alone(name: str) -> bool:
    """Is it one person's name also where no label says so?"""
    words = (_NO_NAME_BESIDE.search, _NOT_A_PERSON.search, _NO_ACCOUNT.fullmatch, _PLACE.fullmatch)
    return is_person(name) and not any(matches(name) for matches in words)


def is_one_person(piece: str) -> bool:
    return is_name_alone(piece) or bool(FOREIGN_PERSON.fullmatch(piece)) or is_latin_person(piece)


def is_person(name: str) -> bool:
    return 2 <= len(name) <= 3 and name[0] in SURNAMES and bool(PERSON.fullmatch(name))


def is_latin_person(name: str) -> bool:
    return bool(_LATIN_PERSON.fullmatch(name)) and not _NOT_A_LATIN_PERSON.search(name)


def is_account(name: str) -> bool:
    is_name = _MEDIUM_NAME.fullmatch(name) or (ACCOUNT.fullmatch(name) and not is_person(name))
    return bool(is_name) and not _NO_ACCOUNT.fullmatch(simplified(name))


def is_named_account(name: str) -> bool:
    """As `is_account`, of what a portrait or an element's name says to be one: it may end like a channel."""
    is_name = ACCOUNT.fullmatch(name) and not is_person(name)
    return bool(is_name) and not _NO_NAMED_ACCOUNT.fullmatch(simplified(name))


def one_for_programs(value: str) -> str | None:
    """The person whom a value for programs names: these often name the site."""
    name = person(clean_line(value)) if value else ""
    return name if is_named(name) else None


def pen_name(name: str) -> str | None:
    """A name that a page calls an author's: a person's, or an account's that is no organisation's."""
    if told := one_for_programs(name):
        return told
    is_pen_name = is_named_account(name) and not _ORGANISATION.search(simplified(name)) and not _NO_MEDIUM.search(name)
    return name if is_pen_name else None

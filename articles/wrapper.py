"""Takes the lines around a body out of it, and the fields they name with them.

Two means: the table of patterns (articles.wrapper_table), and labelled lines (「来源：某报 作者：某某」), read by their
labels in whatever number and order they come. Matching is done on the line in simplified script, character for
character, so that one table serves both scripts. A body is never emptied: where nothing would be left, all stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple

from articles.boxes import Box
from articles.edge_lines import SURE, SURE_IN_BOX, SURE_OF_SUBHEAD, Edge, sureness
from articles.line_blocks import site_blocks
from articles.wrapper_table import RULES, LineRule, Scope
from articles.wrapper_words import AND_OTHERS, HAN, NAME, NAMES, NOT_A_NAME, NOTE, PROVINCES, REPORTER, SURNAMES

HEAD_LINES = 8
TAIL_LINES = 12
TAIL_PROSE_LINES = 3
PROSE_CHARS = 30
# Teasers below an article are fewer.
PROSE_OF_ARTICLE = 6
LONGEST_WRAPPER_LINE = 450
LONGEST_LABELLED_LINE = 160
LONGEST_VALUE = 60
LONGEST_NAME = 40
MIN_TEXT_BEFORE_CUT = 40
DATELINE_LINES = 3
END_CHARS = 240
MIN_LEDE_CHARS = 12
# A learned judge is asked about so many lines at each end, and about none that is longer: at the head it is a lede.
JUDGED_LINES = 8
LONGEST_JUDGED: dict[Edge, int] = {"head": 100, "tail": 260}
LONGEST_IN_BOX = 300
LONGEST_REST = 60

_LABELS = {
    "publisher": "文章来源|稿件来源|信息来源|新闻来源|本文来源|消息来源|内容来源|资讯来源|来源于|来源|来自|稿源|"
    "来源媒体|媒体来源|来源单位|供稿单位|原文来源|转载来源|发布来源|文章出处|稿件出处|原文出处|出处|本文转载自|本文转自|文章转自|转载自|转自|"
    "摘自|原载|媒体|Source",
    "author": "本文作者|文章作者|作者|楼主|原创|撰文|执笔|采写|撰稿|本报记者|见习记者|实习记者|特约记者|首席记者|记者|"
    "通讯员|文字|图文|文/图|文图|文|撰稿人|撰文者|撰写|主笔|文字记者|采访记者|本网记者|本刊记者|本社记者|本台记者|全媒体记者|"
    "Author|Reporter|Writer|Written by",
    # The one who answers for a text; apart from `editor`, for where both sign, he is the one that counts.
    "chief": "责任编辑|责任编審|责编|责任编辑/作者|本文责编|本期责编|值班责编|网络责编|版面责编|文字责编|新媒体责编",
    "editor": "本文编辑|本期编辑|见习编辑|实习编辑|网络编辑|值班编辑|执行编辑|文字编辑|新媒体编辑|助理编辑|网编|选稿|"
    "编辑|核稿编辑|新闻编辑|内容编辑|全媒体编辑|融媒体编辑|融媒编辑|微信编辑|排版编辑|当值编辑|客户端编辑|"
    "Web Editor|Web editor|Editor|Edited by",
    "time": "报告发布日期|报告日期|发布时间|发表时间|更新时间|发布日期|发稿时间|时间|日期|发布于|更新于",
    "other": "原标题|原文标题|原题|审稿|发布者|发布人|上传者|录入者|"
    "校对|责任校对|审核|审校|复审|终审|初审|一审|二审|三审|监制|总监制|监督|统筹|策划|研究助理|制图|海报设计|视觉设计|设计|排版|"
    "版式|运营|译者|审读|值班主任|值班编委|值班总编|签发|审签|责审|主编|栏目主编|本版主编|执行主编|编审|本版编辑|视频编辑|图片编辑|"
    "整理人|整理|翻译|编译|视觉|数据|摄影|点击次数|点击数|点击|浏览次数|浏览量|浏览|阅读数|阅读量|阅读|人气|访问量|字号|字体|"
    "评论数|评论|分享|字数|版面|版次|关键词|关键字|标签|专栏|栏目|供稿|来稿|实习生|我要评论|查看评论|出品|播音|剪辑|导演|摄像|编导|制片|制作|配音|主持|后期|拍摄|文案|绘图|插画|图片|题图|题图来自|题图来源|头图来自|头图来源|头图|封面图|配图|校审|校稿|美编|版面编辑|审定|监审|编发|总编辑",
}
_FIELD_OF = {label: name for name, labels in _LABELS.items() for label in labels.split("|")}
_PEOPLE = frozenset(("author", "editor", "chief"))
_WITH_NAMES = frozenset((*_PEOPLE, "other"))


def _one_of(words: Iterable[str]) -> str:
    """A pattern of many words, of which the longest counts: a tree of their letters, five times as fast as a list."""
    ends: dict[str, list[str]] = {}
    for word in words:
        ends.setdefault(word[:1], []).append(word[1:])
    is_word = ends.pop("", None) is not None
    if not ends:
        return ""
    branches = "|".join(re.escape(first) + _one_of(rest) for first, rest in ends.items())
    return f"(?:{branches})?" if is_word else f"(?:{branches})"


# Not the source of a picture or of figures, and not what a notice says about sources.
_LABEL = re.compile(
    # Quickly past nearly every character.
    rf"(?=[{''.join({label[0] for label in _FIELD_OF})}])"
    r"(?<!只看)(?<!该)(?<!图片)(?<!封面)(?<!题图)(?<!数据)(?<!图像)(?<!注明)(?<!注明[“：\"])"
    rf"(?P<label>{_one_of(_FIELD_OF)})"
    r"(?<![原本全正译上下]文)(?:\s*[：:︰丨|｜]\s*|\s*[/／]\s*(?=[^/／]{2,20}$)"
    # 「撰文 / 甲 摄影 / 乙」
    rf"|\s*[/／]\s*(?={NAMES}(?:\t|\s+[{HAN}]{{1,4}}\s*[/／]))|\s+I\s+(?=[{HAN}])"
    # 「撰文 · 甲」, 「编辑—乙」
    rf"|\s*[·•—–－-]{{1,2}}\s*(?=[{SURNAMES}]{NAME}(?:[\s、,，]|$)|[{SURNAMES}][{HAN}]{{1,2}}(?:[\s、,，]|$)))"
)
# 「【责任编辑】王一鸣」
_BRACKETED_LABEL = re.compile(rf"[【\[]({_one_of(_FIELD_OF)})[】\]]\s*[：:]?(?=\s*[{HAN}A-Za-z])")
# 「编辑 甲 二审 乙 三审 丙」: posts and names, each behind a space.
_POSTS = _one_of(label for label, name in _FIELD_OF.items() if name in _WITH_NAMES)
_POST_AND_NAMES = re.compile(
    rf"(?:^|(?<=[\s|｜/／—-]))[{HAN}]{{0,6}}?(?P<label>{_POSTS})\s+"
    rf"(?P<value>(?=[{SURNAMES}]){NAME}(?:[ 、,，/]+(?=[{SURNAMES}])(?!{_POSTS}){NAME}){{0,4}})"
    r"(?:\s*[|｜]?\s+|[/／—-]|$)"
)
_SPACED = re.compile(
    rf"(?:(?:[{HAN}]{{2,6}}\s)?[{HAN}]{{0,6}}(?:记者|见习记者)\s*(?P<author>{NAME}(?:[ 、,，/]+{NAME}){{0,3}}?)\s+)?"
    rf"[{HAN}]{{0,4}}?(?P<label>责任编辑|责编|编辑|见习编辑|校对|作者|文)\s+"
    rf"(?P<value>{NAME}(?:[ 、,，/]+{NAME}){{0,3}}?)"
    rf"(?:\s*[|｜]?\s+(?:校对|审核|监制|主编)\s+{NAME}(?:[ 、,，/]+{NAME}){{0,3}})?"
)
# 「○记者 甲 ○编辑 乙」, 「甲 每经编辑 乙」
_AUTHOR_AND_EDITOR = re.compile(
    rf"(?:[○◎●□■]?\s*(?:记者|記者)\s*)?(?P<author>{NAME}(?:[ 、]+{NAME}){{0,3}}?)\s+[○◎●□■|｜/]?\s*"
    rf"[{HAN}]{{0,4}}?(?:编辑|編輯|责编)\s*[：:]?\s*(?P<editor>{NAME})"
)
_FROM = re.compile(
    r"(?:本文|文章|此文)?(?:来源于|来源自|摘自|转自|转载自|来自于?|提供者)\s*+(?!(?:新浪)?微博|\S{2,14}\s*的\s*\S{0,6}专栏|\S{0,12}(?:客户端|网页版|手机))(?P<publisher>《?[^\s，。；：:]{2,20})"
)
# 「原载《某某日报》2026年11月19日A02版，编辑 某甲」
_FIRST_IN = re.compile(
    rf"[>（(\s]*(?:本文)?(?:原载|首发|刊载|刊)于?《(?P<publisher>[^》]{{2,12}})》(?:.{{0,24}}?编辑[：:\s]\s*(?P<editor>[{SURNAMES}][{HAN}]{{1,2}}?)(?=欢迎|[\s，,。）)]|$))?"
)
_PERSON_AND_MEDIUM = re.compile(
    rf"(?=[{SURNAMES}])(?P<author>{NAME}(?:[ 、]{NAME})*)\s*[/／]\s*"
    rf"(?P<publisher>[{HAN}A-Za-z]{{1,10}}(?:报|网|社|新闻|财经|周刊))"
)
# 「某报 2026年11月19日 本报记者 王一鸣」
_REPORTER_BEHIND = re.compile(
    rf".{{0,60}}\s[{HAN}]{{0,6}}记者\s+(?!{NOT_A_NAME})(?=[{SURNAMES}])(?P<author>{NAMES}){AND_OTHERS}\s*$"
)
# 「来源：某报 第A03版 记者 王一鸣/文」: no colon behind the second label.
_REPORTER_INSIDE = re.compile(
    rf"(?:^|\s)(?:[{HAN}]{{0,6}}记者|by)\s+(?!{NOT_A_NAME})(?=[{SURNAMES}])(?P<author>{NAMES})(?=\s|$|[/／）)])"
)
_BY = re.compile(rf"(?:[Bb]y\s+|Author,\s*)(?=[{SURNAMES}])(?P<author>[{HAN}]{{2,4}})(?:\s.*)?$")
_DATELINE = re.compile(
    rf".{{0,40}}?[（(【](?:文[／/])?(?:[{HAN}]{{0,8}}?(?:[讯电]\s)?)(?:{REPORTER})\s*[：:]?\s*(?:(?:{REPORTER})\s*)?(?P<author>{NAMES})"
    rf"{AND_OTHERS}(?:\s*[图摄][／/][^（）()]{{1,20}}|\s?报[道导])?\s*[）)】]"
)
# 「（某某社記者某某台北20日電）」: no gap between the name and the place.
_PLACE = (
    "台北|新北|桃园|桃園|台中|台南|高雄|新竹|基隆|嘉义|嘉義|彰化|苗栗|南投|云林|雲林|屏东|屏東|宜兰|宜蘭|花莲|花蓮|台东|台東|澎湖|"
    "金门|金門|台湾|臺灣|台灣|华盛顿|華盛頓|纽约|紐約|东京|東京|综合|綜合|即时|即時"
)
_DATELINE_AND_PLACE = re.compile(
    rf"[（(【〔\[][{HAN}]{{0,6}}(?:记者|記者)\s*(?P<author>[{SURNAMES}][{HAN}]{{1,2}}?)\s*[／/]?\s*(?:{_PLACE})[{HAN}／/]{{0,8}}"
    r"(?:\d{1,2}日)?(?:[电電]|[专專][电電]|报[导道]|報[導道])?[）)】〕\]]"
)
# 「某某社1月18日电 (王一鸣)」
_DATELINE_ALONE = re.compile(rf".{{2,20}}\d日[电讯]\s*[（(](?=[{SURNAMES}])(?P<author>{NAMES})[）)]")
# 「【某某网讯】记者王一鸣报道：」
_DATELINE_REPORTS = re.compile(
    rf".{{2,20}}(?:[讯电]|消息)\s*[】〕）)\]]?\s*(?:{REPORTER})\s*(?=[{SURNAMES}])(?P<author>{NAMES}?){AND_OTHERS}报[道导][：:]"
)
# 「【文/某某网 王一鸣 编辑/李某】」 in front of the first paragraph.
_SIGNED = re.compile(
    rf"[【\[（(]\s*(?:文|撰文|作者)\s*[/／|｜:：]\s*(?:[{HAN}A-Za-z]{{2,10}}(?:网|报|社|财经|新闻|周刊)\s+)?(?=[{SURNAMES}])(?P<author>{NAMES}?)"
    rf"(?:[\s，,;；]+(?:责任)?(?:编辑|责编)\s*[/／|｜:：]\s*(?P<editor>{NAME}))?\s*[】\]）)]"
)
# 「本报某地5月12日讯 记者王一鸣 某某今天……」
_DATELINE_BARE = re.compile(
    rf".{{2,20}}\d日(?:[讯电]|专电)\s+(?:{REPORTER})\s*(?!{NOT_A_NAME})"
    rf"(?P<author>[{SURNAMES}][{HAN}]{{1,2}}(?:[、 ][{SURNAMES}][{HAN}]{{1,2}}(?=[、 \u3000]))*)(?=[ \u3000])"
)
_DATELINES = (_DATELINE, _DATELINE_AND_PLACE, _DATELINE_ALONE, _DATELINE_REPORTS, _DATELINE_BARE)
# So far in front of a name its rank begins.
_RANK_CHARS = 6
_RANK = "见习|实习|首席|特约|资深"
_LAST_REPORTER = re.compile(
    rf".*[。！？”]\s*(?:[{HAN}《》]{{0,10}})(?<![向对与和])(?:{REPORTER})\s*(?!{NOT_A_NAME})(?=[{SURNAMES}])(?P<author>{NAMES})"
)
_ROLE = re.compile(rf".*?(?:{REPORTER}|作家|作者|撰稿|见习编辑|分析[师员]|教授)\s*[：:/／]?\s*(?P<names>{NAMES})")
# What stands behind a name: how the text was made, where it was sent from, what its author is.
_BEHIND_NAMES = re.compile(
    r"\s*(?:文[/／]摄|\s[图摄]\s*[/／].*|(?<=.{2})(?:编译|整合|编写|翻译)(?:\s.*)?|(?:综合|整理)|发自.*|文字大小.*)$"
    rf"|\s*[/／|｜]\s*[{HAN}]{{2,6}}(?:报[道导]|电)$|(?<=[{HAN}])\s+(?:[{HAN}]{{2,8}}(?:报[道导]|电|专电)|报[道导])$"
    rf"|(?:(?<=^[{HAN}]{{2}})|(?<=^[{HAN}]{{3}}))(?<!综合)(?<!独家)(?<!专题)报[道导]$|(?<=[{HAN}]{{2}})\s+(?:北京|上海|天津|重庆|广州|深圳|杭州|南京|香港|台北|纽约|华盛顿|伦敦|东京)$"
    rf"|(?<=[{HAN}])\s+(?:[{HAN}]{{2,8}}\s+)?(?:职员|学生|教师|学者|律师|编辑|农民|工人|公务员|自由撰稿人)$"
)
# 「记者 甲 见习记者 乙」: both wrote it, as those who helped did not.
_COLLEAGUES = re.compile(
    rf"(?:{_RANK})?记者\s*[：:]?\s*(?!{NOT_A_NAME})(?=[{SURNAMES}])({NAMES})(?<!报)(?<!报[道导])(?![{HAN}]{{0,4}}记者)"
)
# 「通讯员 甲 记者 乙」
_HELPER_FIRST = re.compile(rf"(?:通讯员|实习生)\s*{NAMES}[ 、,，；;]+(?:{_RANK})?记者")
_HELPERS = re.compile(rf"(?<=[{HAN}])[ 、,，；;]+(?:{REPORTER}|特约通讯员)\s*[：:]?\s*{NAMES}.*$")
_ALL_NAMES = re.compile(NAMES)
# 「某某网 王一鸣」
_MEDIUM_AND_NAME = re.compile(
    rf"(?P<medium>[{HAN}]{{2,8}}(?:网|报|社|财经|新闻|周刊|数据|资讯|在线|观察|之家|客户端))\s+(?P<names>{NAMES})"
)
# 「Nancy，PANews」: for whom he writes, not where it was published.
_NAME_AND_MEDIUM = re.compile(
    rf"(?P<names>[{HAN}]{{2,6}}|[A-Z][\w.'’ -]{{2,24}})[，,]\s*"
    rf"(?:[{HAN}A-Za-z0-9]{{2,8}}(?:网|报|社|财经|新闻|周刊)"
    r"|[A-Z][\w ]{0,24}?(?:News|Daily|Media|Times|Weekly|Journal|Review|Post|Research|Labs?|Capital))"
)
# 「甲（公众号：某某看盘）」
_BY_ACCOUNT = re.compile(
    r"[（(]\s*(?:微信)?(?:公众号|订阅号)\s*[：:]\s*[“「]?(?P<name>[^（）()“”「」：:，,]{2,20})[”」]?\s*[）)]"
)
# 「甲（@jia_2024）」
_ACCOUNT_OF = re.compile(r"\s*[（(]\s*@\s?\w{2,30}\s*[）)]?$")
_PHOTOGRAPHER = re.compile(r"(?<=.{2})摄$|(?<=.{2})[ /／]摄")
# 「方某（北京大学教授）」, 「方某，系北京大学教授」
_POSTS_OF_AUTHORS = r"教授|研究员|院长|所长|主任|博士|律师|分析师|学家"
_NAME_AND_NOTE = re.compile(
    rf"(?=[{SURNAMES}])(?P<names>{NAMES})(?:\s*[（(].+|[，,]\s*(?:系|为|是|现任|任职于|就职于|.{{2,24}}(?:{_POSTS_OF_AUTHORS})$).*"
    rf"|\s+[{HAN}]{{2,20}}(?:{_POSTS_OF_AUTHORS}|大学|学院|研究院|研究所|银行|证券|公司|基金|智库))"
)
# 「老方，某行业观察者」: pen names too.
_NAME_AND_CALLING = re.compile(
    rf"(?P<names>[{HAN}]{{2,4}})[，,]\s*[{HAN}]{{2,12}}(?:观察者|从业者|研究者|爱好者|作家|撰稿人|评论人|媒体人|投资人|分析人士)"
)
# 「方某北京大学经济学院教授」
_NAME_AND_POST = re.compile(
    rf"(?P<names>[{SURNAMES}][{HAN}]{{1,2}}?)[ ，,]?(?:系|为|是)?"
    r"(?:中国|中共|全国|国家|北京|上海|天津|重庆|广东|广州|深圳|浙江|江苏|南京|武汉|香港|清华|复旦|中央|中山|厦门|四川|西南|华东|对外)"
    rf"[{HAN}]{{0,16}}(?:教授|研究员|院长|所长|主任|博士|学家|专家|律师|会长|秘书长|分析师|大学|学院|研究[院所])"
)
_DATE = re.compile(
    r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:\s*(?:星期|周)[一二三四五六日天])?(?:[T\s]*\d{1,2}[：:]\d{2}(?:[：:]\d{2})?)?"
    r"|\d{1,2}[-/月]\d{1,2}日?\s+\d{1,2}[：:]\d{2}(?:[：:]\d{2})?"
)
# The date under an official notice is the notice's; a source in brackets behind it is not.
_DATED_NOTICE = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日\s*[（(【\[]")
# Two characters of a name, set apart so that it is as wide as one of three.
_SPREAD_NAME = re.compile(rf"(?<![{HAN}])([{SURNAMES}])[ \u3000]{{1,3}}([{HAN}])(?![{HAN}])")
_SPREAD_LABEL = re.compile(r"([来來作编編记記出时時日])[ \u3000]{1,4}([源者辑輯处處间間期])(?=\s*[：:])")
_LONGEST_SPREAD = 80
_EDGES = "■□●○◆▲★（）()【】[]［］〖〗〔〕「」『』<>＜＞ \t\u3000\xa0|｜丨/;；,，、·-—"
_SENTENCE = re.compile(r"[。！？]")
_SENTENCE_ENDS = ("。", "！", "？", "”", "…", ".", "」", "）")
# Marks inside a line that end a value: tools and counters that follow it.
_VALUE_END = re.compile(
    r"\t|[，,]\s*原文|[|｜\]】）)；;]|\s(?=\d{4}[-年/.])|我要|我有话|我来|分享|评论(?!员)|字号|字体|大中小|打印|收藏|关注|举报|参与|手机看|微博|跟[帖贴]|"
    r"\d+人|浏览|点击|阅读|文字大小|字级|字級|\s来(?:源于|自)|\s网友|\s微信|扫一扫|扫码"
)
_NOTE_CUT_SHORT = re.compile(r"\s*[（(][^（）()]*$")
_NUMBER_OF_STAFF = re.compile(r"([（(])[A-Za-z]{0,4}\d{1,8}$")
# A link, or a notice of the site.
_BEHIND_VALUE = re.compile(
    r"[，,。；;]\s*(?:原文|来源|链接|未经|转载|版权|著作权|谢绝|不得|请注明|如有|仅供|不代表)"
    r"|(?<=.{2})(?:版权声明|版权所有|版权归|免责声明|未经授权|\s(?:微信|扫一扫|扫码|分享到))"
)
_MEDIUM_BEFORE = re.compile(rf"(?:每经|本报|本刊|本网|本社|[{HAN}]{{1,6}}(?:报|网|社|刊|财经|新闻|周刊))")
_PREFIX = re.compile(rf"\s(?:每经|本报|本刊|本网|本社|[{HAN}]{{1,6}}(?:报|网|社|财经|新闻))$")
# 「某部网（某省新闻网）」
_TWO_NAMES = re.compile(rf"[{HAN}]{{2,8}}(?:网|报|社|新闻)[（(][{HAN}]{{2,8}}(?:网|报|社|新闻)[）)]")
_REACHED_BY = re.compile(r"\s+(?:(?:电话)?[：:]?\s*0\d{2,3}-?\d{7,8}|[^\s：:]{0,4}(?:邮箱|信箱|E-?mail)\s*[：:].*)$")
# What forms and templates fill in where nobody is named.
_NOBODY = re.compile(
    r"未知|不详|佚名|匿名|暂无|admin\w*|root|webmaster|(?:系统|网站)?管理员|站长|小编|网友|游客|本站(?:原创|整理|编辑)?|原创|转载|"
    r"(?:来源于?)?(?:互联)?网络?(?:整理|转载|综合)?|本站编辑",
    re.IGNORECASE,
)
_NOT_A_VALUE = re.compile(r"^(?:认为|显示|指出|表示|部|们|是|的|了|说|称|据)")
_ADDRESS = re.compile(r"https?:|www\.", re.IGNORECASE)
_MEDIUM = re.compile(
    r"《?[\u4e00-\u9fa5A-Za-z0-9]{1,14}(?:(?<![研财])报|报道|网站?|社|新闻|财经|周刊|客户端|电视台|电台|在线|杂志|传媒|观察)》?"
)
# Where a platform says an account is, whose a picture is, which channel the text is in, and the next label: no media.
_NO_MEDIUM = re.compile(
    rf".*的(?:[{HAN}]{{2}})?专栏|(?:{PROVINCES}|中国|海外)(?:省|市)?|资料图片?|图片|视频|视觉中国|图虫创意?|达志影像|东方IC|"
    r"(?i:shutterstock|getty ?images|unsplash|pixabay|pexels|istock(?:photo)?|123rf|freepik|dreamstime|alamy)|"
    rf"金融|证券|股票|基金|期货|银行|保险|房产|汽车|科技|[{HAN}]{{2,6}}[：:].*"
)

# 「已经发布的《某题》」
_NAMES_A_TEXT = re.compile(r".*(?:发布|发表|刊登|刊发|撰写|推出)的《?.*|.{2,}的《")

# Rules of lines whose labels are not the article's: the source of a picture, what a site says of its sources.
_SAYS_NO_FIELDS = frozenset(("picture_credit", "site_statement", "copyright", "site_footer"))

# From when until when: no moment of publication.
_OF_AN_EVENT = re.compile(
    r"(?:时间|日期|時間)\s*[：:].{4,60}?(?:[至起前]|[。]$|\d(?:[：:]\d\d|[时點点日])\s*[-—–~～]\s*\d)"
)
# When, where and whom to ask: at the end of a notice or an invitation these lines are the article's.
_PARTICULAR = re.compile(
    r"(?:[一二三四五六七八九十\d]{1,3}\s*[、.．]\s*|[（(][一二三四五六七八九十\d]{1,3}[）)]\s*)?"
    r"(?!.{0,4}(?:发布|更新|发表|发稿|来源|本文|文章|原文|版权|投稿|新闻|报料|爆料|广告|客服))"
    rf"[{HAN}]{{0,6}}(?P<what>时\s*间|日\s*期|地\s*[点址]|地点及平台|方式|网\s*址|网站|平台|联\s*系\s*人|电\s*话|邮\s*箱|传\s*真|邮\s*编|热线|"
    r"附\s*件|单位|对象|费用|议程|嘉宾|入口|链接)\s*[：:]\s*\S.{1,150}"
)
_WHEN, _WHERE = ("时间", "日期"), ("地点", "方式", "平台", "对象", "议程", "嘉宾", "入口")
_NOTICE = re.compile(
    r"特此(?:通知|公告|公示|通告|函告|说明)|(?:通知|公告|公示|通告|安排|事项|情况)如下[：:。]|公示(?:期|时间)|(?:报名|参会|参展|申报|征集)(?:方式|须知|条件|截止|时间)"
)

# The characters of wrapper lines that differ in traditional script, and its colon.
_TRADITIONAL = str.maketrans(
    "貼傳複經來編輯責記時間發佈報導關閱讀聲轉載權網電視聞學樣點擊圖攝製標題專欄負風險謹僅參應實習聯稿獨輸見總審監籌劃設計評論號體訊財經週刊縣廳處級開啟動態註冊請戶釋譯錄該與個為說認從對這們會進頁連結團資稱"
    "聽國際內華傳書長調內類數據衛臺協員辦門職歡觀業廣財濟證產場訂蹤讚薦錄購買優隨繼續縮萬東絲兩嚴爲舉麼樂喬於雲親億價衆眾餘儲黨蘭興寫農馮決況準幾鳳劉則剛創刪別務勵區單賣佔盧歷厲廂葉後呂吳諮圍塊堅備復頭夾婁"
    "孫寧寶宮賓將盡屬嶽鞏帥師帳幫幹並莊龐張彈強歸當徵願執掃搶擔撥擇換斷無暫機雜條楊構櫃欒歐畢氣湯沒滬測瀏塗漲溫遊滾滿煉熱獻環現暢盤碼稅竇筆籤簡粵糾約紀純線組細終紹給絡絕統維綜緱繆羅羣聶腦腳臉騰節蘇範荊榮獲"
    "營蕭蔣藍藺蟲裝規覽覺討讓議許訪識訴診詞話詢詳語誤諸課謝譚貝貢敗賬貨質費賀賈賞賴贊趙車輔邊過運還違遲選鄧鄔郵鄒鬱鄭採裏裡鍾鈕錢銀鏈鎖錯鍵閉問閔閩閻闞陸陳隱韋韓頂項須顧預領頻顏額饒館饋馬驅駱驗騙魯黃齊龍龔"
    "﹕",
    "贴传复经来编辑责记时间发布报导关阅读声转载权网电视闻学样点击图摄制标题专栏负风险谨仅参应实习联稿独输见总审监筹划设计评论号体讯财经周刊县厅处级开启动态注册请户释译录该与个为说认从对这们会进页连结团资称"
    "听国际内华传书长调内类数据卫台协员办门职欢观业广财济证产场订踪赞荐录购买优随继续缩万东丝两严为举么乐乔于云亲亿价众众余储党兰兴写农冯决况准几凤刘则刚创删别务励区单卖占卢历厉厢叶后吕吴咨围块坚备复头夹娄"
    "孙宁宝宫宾将尽属岳巩帅师帐帮干并庄庞张弹强归当征愿执扫抢担拨择换断无暂机杂条杨构柜栾欧毕气汤没沪测浏涂涨温游滚满炼热献环现畅盘码税窦笔签简粤纠约纪纯线组细终绍给络绝统维综缑缪罗群聂脑脚脸腾节苏范荆荣获"
    "营萧蒋蓝蔺虫装规览觉讨让议许访识诉诊词话询详语误诸课谢谭贝贡败账货质费贺贾赏赖赞赵车辅边过运还违迟选邓邬邮邹郁郑采里里钟钮钱银链锁错键闭问闵闽阎阚陆陈隐韦韩顶项须顾预领频颜额饶馆馈马驱骆验骗鲁黄齐龙龚"
    "：",
)
_HAS_TRADITIONAL = re.compile(f"[{''.join(map(chr, _TRADITIONAL))}]")
_COLON = re.compile(r"[：:︰丨|｜/／]|\sI\s|(?:作者|编辑|责编|撰文|记者|来源|文)\s*[·•—–－-]")


@dataclass(slots=True)
class Stripped:
    """The lines that stay, and what the others said."""

    lines: list[str]
    fields: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)
    """Name of the rule, line."""

    def remove(self, rule: str, line: str, fields: Mapping[str, str]) -> None:
        self.removed.append((rule, line))
        if "author" in fields and (account := _BY_ACCOUNT.search(simplified(line))):
            fields = {"publisher": line[slice(*account.span("name"))], **fields}
        for name, value in _with_colleagues(fields, line).items():
            if name != "other" and (clean := _value(name, value)):
                name = "medium" if name == "author" and is_medium(clean) else name
                self.fields = _people(name, clean) | self.fields


class _Verdict(NamedTuple):
    rule: str
    cut: bool
    fields: dict[str, str]


def strip_wrapper(
    lines: Sequence[str],
    *,
    drop_lines: Iterable[re.Pattern[str]] = (),
    keep_lines: Iterable[re.Pattern[str]] = (),
    site_names: Collection[str] = (),
    boxes: Mapping[str, Box] = MappingProxyType({}),
) -> Stripped:
    """Take out the lines that are not the article. `drop_lines` and `keep_lines` are the source's own patterns.

    A last line that is one of `site_names` is the site's. `boxes` are those of the lines that stand in one.
    """
    drop, keep = tuple(drop_lines), tuple(keep_lines)
    stripped = _by_table(lines, drop, keep)
    if not stripped.lines:
        return Stripped(list(lines), stripped.fields)
    _strip_site_name(stripped, site_names)
    if boxes:
        _strip_cards(stripped, boxes, keep)
    # What is glued to a paragraph would speak against all of it.
    _strip_end(stripped)
    for edge in ("tail", "head"):
        _strip_edge(stripped, edge, keep, boxes)
    if boxes:
        _strip_rests(stripped, boxes, keep)
    _strip_empty_heading(stripped, keep)
    _strip_end(stripped)
    _strip_lede(stripped)
    if "author" not in stripped.fields:
        _take_signature(stripped)
    return stripped


def _by_table(lines: Sequence[str], drop: Sequence[re.Pattern[str]], keep: Sequence[re.Pattern[str]]) -> Stripped:
    """Line by line: the source's own patterns, then the table of rules, then what several lines show together."""
    head_end, tail_start = _head_end(lines), _tail_start(lines)
    stripped = Stripped([])
    blocks = site_blocks([simplified(line) for line in lines])
    for number, line in enumerate(lines):
        if keep and any(pattern.search(line) for pattern in keep):
            stripped.lines.append(line)
        elif drop and any(pattern.fullmatch(line) for pattern in drop):
            stripped.remove("source.drop_lines", line, label_values(line))
        elif (verdict := _verdict(line, number < head_end, number >= tail_start)) is None or (
            number >= tail_start and _is_particular(lines, number)
        ):
            if block := blocks.get(number):
                stripped.remove(block.rule, line, block.fields)
            else:
                stripped.lines.append(line)
        else:
            fields = verdict.fields if verdict.rule in _SAYS_NO_FIELDS else _fields_of(verdict, line)
            stripped.remove(verdict.rule, line, fields)
            if verdict.cut and _may_cut(lines, number):
                for rest in lines[number + 1 :]:
                    stripped.remove(f"behind {verdict.rule}", rest, label_values(rest))
                break
    return stripped


def _take_signature(stripped: Stripped) -> None:
    """The author, of lines that stay: who signs the first one, or reports inside it."""
    if signed := _SIGNED.match(simplified(stripped.lines[0])):
        people = _groups(signed, stripped.lines[0])
        clean = {name: _value(name, value) for name, value in people.items()}
        stripped.fields = {name: value for name, value in clean.items() if value} | stripped.fields
    if "author" not in stripped.fields and (reporter := _reporter_inside(stripped.lines)):
        stripped.fields["author"] = reporter


def _fields_of(verdict: _Verdict, line: str) -> Mapping[str, str]:
    """What the rule names, unless it took the next label for a part of a publisher: 「转自：某报 记者：某某」."""
    if _LABEL.search(simplified(verdict.fields.get("publisher", ""))):
        return label_values(line)
    if verdict.fields and "author" not in verdict.fields and "记者" in line:
        return {**label_values(line), **verdict.fields}
    return verdict.fields or label_values(line)


def is_medium(name: str) -> bool:
    parts = [part for part in re.split(r"[\s\-－—·]+", simplified(name)) if part]
    return bool(parts) and all(map(_MEDIUM.fullmatch, parts))


# Around headlines the same lines stand on page after page of a site. Callers keep their hands off what they are given.
@lru_cache(maxsize=256)
def label_values(line: str) -> Mapping[str, str]:
    """The labelled values of a line, whatever else it holds: tools, counters, dates.

    Tabs in the line are borders of elements: no value reaches beyond one.
    """
    line = straightened(line)
    plain = simplified(line)
    values: dict[str, str] = {}
    for name, value in _segments(line, plain) if _COLON.search(plain) else ():
        if name in ("other", "time") or _NOT_A_VALUE.match(value):
            continue
        both = _TWO_NAMES.match(value.lstrip(_EDGES)) if name == "publisher" else None
        medium = _medium_before(value) if name == "author" else {}
        value = both[0] if both else _VALUE_END.split(value.strip(_EDGES))[0]
        value = _value(name, " ".join(value.split()) if name in _PEOPLE else re.split(r"\s{2,}", value)[0])
        if value and len(value) <= LONGEST_NAME and not _SENTENCE.search(value):
            values = _people(name, value) | values | medium
    if values and "author" not in values and "记者" in plain and (found := _REPORTER_INSIDE.search(plain)):
        values["author"] = line[slice(*found.span("author"))]
    return values or _unlabelled_values(line, plain)


def field_of(label: str) -> str:
    """The field that a label of nothing else names; "" where it is no label."""
    return _FIELD_OF.get(simplified(label).strip(" ：:"), "")


@lru_cache(maxsize=256)
def byline(line: str) -> Mapping[str, str]:
    """The people of a line that is a byline, labelled or not: 「□本报记者 王一鸣」, with a date or without."""
    line = straightened(line)
    verdict = _verdict(" ".join(_DATE.sub(" ", line).split()), True, True)
    fields = (_with_colleagues(verdict.fields, line) or label_values(line)) if verdict else {}
    clean = {name: _value(name, value) for name, value in fields.items() if name in _PEOPLE}
    return {name: value for name, value in clean.items() if value}


@lru_cache(maxsize=64)
def medium_of(line: str) -> str:
    """The medium that a line of nothing else names: 「（某某日报）」."""
    verdict = _verdict(line, False, True)
    return _value("medium", verdict.fields.get("medium", "")) if verdict else ""


def _people(name: str, value: str) -> dict[str, str]:
    """The field, or author and editor where both stand in the author's."""
    both = _AUTHOR_AND_EDITOR.fullmatch(value) if name == "author" else None
    return both.groupdict() if both else {name: value}


def person(value: str) -> str:
    """Names without the title before them: 「某报首席记者 王一鸣」."""
    if names := _colleagues(value):
        return names
    for pattern in (_HELPERS, _BEHIND_NAMES):
        if found := pattern.search(simplified(value)):
            value = value[: found.start()].rstrip(" /／")
    value = re.sub(r"\s*[（(]?微博[)）]?|[/／](?:编译|文|整理|摄|图)$", "", value)
    for pattern in (_NAME_AND_NOTE, _NAME_AND_CALLING, _ROLE, _NAME_AND_POST, _MEDIUM_AND_NAME):
        if found := pattern.fullmatch(simplified(value)):
            return value[slice(*found.span("names"))]
    # Who took the pictures did not write the text.
    return "" if _PHOTOGRAPHER.search(simplified(value)) else value


def _with_colleagues(fields: Mapping[str, str], line: str) -> Mapping[str, str]:
    names = _colleagues(line) if "author_line" in fields else ""
    return {**fields, "author": names} if names else fields


def _colleagues(line: str) -> str:
    """The reporters of a line that names some of them by a rank of their own, or a helper first; "" for any other."""
    found = [line[slice(*match.span(1))] for match in _COLLEAGUES.finditer(simplified(line))]
    return " ".join(found) if len(found) > 1 or (found and _HELPER_FIRST.search(simplified(line))) else ""


# Each line of a text is matched in half a dozen steps.
@lru_cache(maxsize=512)
def simplified(line: str) -> str:
    """`line` with the words of wrapper lines in simplified script, for matching; of the same length."""
    return line.translate(_TRADITIONAL) if _HAS_TRADITIONAL.search(line) else line


def straightened(line: str) -> str:
    """A line with its names in one piece, and a colon behind labels in brackets."""
    if len(line) <= _LONGEST_SPREAD and (" " in line or "\u3000" in line):
        line = _SPREAD_LABEL.sub(_joined, _SPREAD_NAME.sub(_joined, line))
    if "【" in line or "[" in line:
        for label in reversed(list(_BRACKETED_LABEL.finditer(simplified(line)))):
            line = f"{line[: label.start()]} {line[slice(*label.span(1))]}：{line[label.end() :]}"
    return line


def _joined(found: re.Match[str]) -> str:
    # A function costs nothing where nothing is found; a template is read each time.
    return "".join(found.groups())


def _segments(line: str, plain: str) -> list[tuple[str, str]]:
    """Field and raw value behind each label."""
    found = list(_LABEL.finditer(plain))
    ends = [*(match.start() for match in found[1:]), len(line)]
    bordered = zip(found, ends, strict=False)
    values = [(_FIELD_OF[match["label"]], line[match.end() : end]) for match, end in bordered]
    # 「每经记者：某某 每经编辑：某某」: the medium before a label is not part of the value before it.
    again = plain[: found[0].start()].strip(_EDGES) if found else ""
    return [(name, _before(again, value) if name in _PEOPLE else value.strip()) for name, value in values]


def _before(again: str, value: str) -> str:
    """A value without the medium behind it: one known by its name, or what stood in front of the first label."""
    stripped = _PREFIX.sub("", value).strip()
    is_again = 2 <= len(again) <= 6 and stripped.endswith(f" {again}")
    return stripped[: -len(again)].rstrip() if is_again else stripped


def _unlabelled_values(line: str, plain: str) -> dict[str, str]:
    if len(line) <= LONGEST_LABELLED_LINE // 2:
        stripped, start = plain.strip(), len(plain) - len(plain.lstrip())
        behind = (_REPORTER_BEHIND,) if "记者" in plain else ()
        for pattern in (_FIRST_IN, _FROM, _PERSON_AND_MEDIUM, *behind, _BY):
            if found := pattern.match(stripped):
                groups = _groups(found, line[start:])
                return {name: clean for name, value in groups.items() if (clean := _value(name, value))}
    return _spaced_values(line) or {}


def _spaced_values(line: str) -> dict[str, str] | None:
    """「编辑 岳某周 校对 李某辉」: labels that only a space sets apart."""
    line = line.strip(_EDGES + "。")
    # Quickly past nearly every line.
    if len(line.split(None, 1)) < 2:
        return None
    found = _SPACED.fullmatch(simplified(line))
    if found is None:
        return _posts_and_names(line)
    groups = _groups(found, line)
    values = {"author": groups["author"]} if "author" in groups else {}
    if (name := _FIELD_OF[found["label"]]) != "other":
        values[name] = groups["value"]
    return values


def _posts_and_names(line: str) -> dict[str, str] | None:
    """「编辑 甲 二审 乙 三审 丙」, if there is nothing else in the line."""
    plain = simplified(line)
    values: dict[str, str] = {}
    end = 0
    while found := _POST_AND_NAMES.match(plain, end):
        end = found.end()
        if (name := _FIELD_OF[found["label"]]) != "other":
            values.setdefault(name, line[slice(*found.span("value"))])
    return values if end and end == len(line) else None


def _labelled(line: str) -> dict[str, str] | None:
    """The fields of a line that is made of labels and short values only; None for any other line."""
    if len(line) > LONGEST_LABELLED_LINE:
        return None
    line = straightened(line)
    plain = simplified(line)
    first = _LABEL.search(plain) if _COLON.search(plain) else None
    if first is None:
        return _spaced_values(line)
    if (signed := _SIGNED.match(plain)) and len(plain) - signed.end() >= MIN_LEDE_CHARS:
        return None  # the text begins behind it
    before = line[: first.start()]
    lead = _DATE.sub("", before).strip(_EDGES)
    # A label stands at the beginning, or apart from what is before it: 「以下为全文：」 holds none.
    glued = lead and before[-1] not in _EDGES and lead == before.strip(_EDGES)
    is_post = _FIELD_OF[first["label"]] in _PEOPLE and (
        _MEDIUM_BEFORE.fullmatch(plain[: first.start()].strip(_EDGES)) or _names_people_only(line, plain)
    )
    if _DATED_NOTICE.match(plain[: first.end()]) or (glued and not is_post):
        return None
    if len(lead) > 12 or _SENTENCE.search(lead) or _OF_AN_EVENT.match(line):
        return None
    fields: dict[str, str] = {}
    if lead and (origin := _FROM.fullmatch(simplified(lead))):
        fields["publisher"] = lead[slice(*origin.span("publisher"))]
    for name, value in _segments(line, plain):
        if _SENTENCE.search(value.rstrip("。")) or len(value) > LONGEST_VALUE or _NOT_A_VALUE.match(value):
            return None
        fields |= _medium_before(value) if name == "author" else {}
        if value := _value(name, value):
            fields.setdefault(name, value)
    return fields


def _names_people_only(line: str, plain: str) -> bool:
    """「每经记者：甲  每经编辑：乙」: under whatever name, people sign there."""
    values = (value.strip(_EDGES) for _, value in _segments(line, plain))
    return all(value[:1] in SURNAMES and _ALL_NAMES.fullmatch(value) for value in values if value)


def _medium_before(value: str) -> dict[str, str]:
    """「某某网 王一鸣」, where an author should stand."""
    plain = simplified(value.strip(_EDGES))
    both = _MEDIUM_AND_NAME.fullmatch(plain)
    return {"medium": value.strip(_EDGES)[slice(*both.span("medium"))]} if both else {}


def _value(name: str, value: str) -> str:
    if "\ufffd" in value:
        return ""
    if name == "publisher" and _TWO_NAMES.fullmatch(value):
        return value
    value = _BEHIND_VALUE.split(value)[0]
    value = (_DATE.sub(" ", value) if name != "time" else value).strip(_EDGES + "。")
    if name in _PEOPLE:
        # 「甲 记者 | 更新: 2026-11-19」: no label has another for its value.
        is_nobody = _ADDRESS.match(value) or value.endswith(("：", ":"))
        value = "" if is_nobody else _closed(re.split(r"\s*[】）)\]]", value)[0])
    if name == "author":
        value = _ACCOUNT_OF.sub("", value)
        if both := _NAME_AND_MEDIUM.fullmatch(value):
            value = both["names"]
    if _NOBODY.fullmatch(simplified(value)):
        return ""
    if name in ("publisher", "medium"):
        return _medium(value)
    return person(value) if name == "author" else _REACHED_BY.sub("", value)


def _closed(name: str) -> str:
    """With the bracket around a number of staff, which was taken for one around the line: 「王一鸣(A0012)」. What else
    stood in one goes."""
    number = _NUMBER_OF_STAFF.search(name)
    return f"{name}{')' if number[1] == '(' else '）'}" if number else _NOTE_CUT_SHORT.sub("", name)


def _medium(value: str) -> str:
    """A publisher's name ends at the first gap, unless it is in Latin letters."""
    value = re.sub(r"^(?:微信公众号\s*[：:]?|(?:综合|整理|转载?|摘编?|编译)自)\s*", "", value).strip("“”\"‘’'")
    first, *rest = re.split(r"\s+", value)
    while rest and first.isascii() and rest[0].isascii() and rest[0].isalpha():
        first = f"{first} {rest.pop(0)}"
    first = re.split(r"[（(”]|(?<=.{2})(?:综合|整理)自|(?<=.{2})第?\d{2,5}期$", first)[0] or first
    first = first.strip(_EDGES)
    is_none = _ADDRESS.match(first) or _NO_MEDIUM.fullmatch(simplified(first)) or _NAMES_A_TEXT.match(simplified(first))
    return "" if is_none else first


def _head_end(lines: Sequence[str]) -> int:
    """Up to the second long sentence: after a lede there may still be a byline."""
    prose = [number for number, line in enumerate(lines[:HEAD_LINES]) if _is_prose(line)]
    return prose[1] if len(prose) > 1 else min(HEAD_LINES, len(lines))


def _tail_start(lines: Sequence[str]) -> int:
    prose = 0
    for number in range(len(lines) - 1, max(-1, len(lines) - TAIL_LINES - 1), -1):
        prose += _is_prose(lines[number]) and _verdict(lines[number], False, True) is None
        if prose >= TAIL_PROSE_LINES:
            return number
    return max(0, len(lines) - TAIL_LINES)


def _is_prose(line: str) -> bool:
    return len(line) >= PROSE_CHARS and ("。" in line or "，" in line)


def _verdict(line: str, in_head: bool, in_tail: bool) -> _Verdict | None:
    return _judged(line, in_head, in_tail) if len(line) <= LONGEST_WRAPPER_LINE else None


# Near the end of a text, lines are judged twice.
@lru_cache(maxsize=64)
def _judged(line: str, in_head: bool, in_tail: bool) -> _Verdict | None:
    plain = simplified(line)
    scopes = _scopes(in_head, in_tail)
    # Most lines match none of all these rules.
    if any(_any_of(scope).fullmatch(plain) for scope in scopes):
        for rule in RULES:
            if rule.scope in scopes and (found := rule.pattern.fullmatch(plain)):
                if rule.action == "keep":
                    return None
                return _Verdict(rule.name, rule.action == "cut", _groups(found, line))
    if (in_head or in_tail) and (fields := _labelled(line)) is not None:
        return _Verdict("labels", False, fields)
    return None


@cache
def _scopes(in_head: bool, in_tail: bool) -> tuple[Scope, ...]:
    """The scopes of the rules for a line at such a place."""
    is_in: dict[Scope, bool] = {"whole": True, "edge": in_head or in_tail, "head": in_head, "tail": in_tail}
    return tuple(scope for scope, holds in is_in.items() if holds)


# One for each scope, not for each place: of a hundred kilobytes, it had better be in the processor's cache already.
@cache
def _any_of(scope: Scope) -> re.Pattern[str]:
    """One pattern that says whether any rule of a scope matches."""
    unnamed = (re.sub(r"\(\?P<\w+>", "(?:", rule.pattern.pattern) for rule in RULES if rule.scope == scope)
    return re.compile("|".join(f"(?:{pattern})" for pattern in unnamed))


def _is_particular(lines: Sequence[str], number: int) -> bool:
    """Is it one of several lines that tell when and where, or a line of a notice that tells whom to ask?"""
    if not _PARTICULAR.fullmatch(simplified(lines[number])):
        return False
    first, last = number, number + 1
    while first and _PARTICULAR.fullmatch(simplified(lines[first - 1])):
        first -= 1
    while last < len(lines) and _PARTICULAR.fullmatch(simplified(lines[last])):
        last += 1
    labels = [found["what"] for line in lines[first:last] if (found := _PARTICULAR.fullmatch(simplified(line)))]
    told = ["".join(label.split()) for label in labels]
    is_event = any(label in _WHEN for label in told) and any(label in _WHERE for label in told)
    return is_event or any(map(_NOTICE.search, map(simplified, lines)))


def _groups(found: re.Match[str], line: str) -> dict[str, str]:
    """Named groups of a match on the simplified line, in the line's own characters."""
    spans = {name: found.span(name) for name, value in found.groupdict().items() if value}
    return {name: value for name, span in spans.items() if (value := line[slice(*span)].strip())}


def _may_cut(lines: Sequence[str], number: int) -> bool:
    """Only behind the larger part of the text, not where it goes on: papers put whole reports under 「相关链接」."""
    before = sum(map(len, lines[:number]))
    if before < MIN_TEXT_BEFORE_CUT or before < sum(map(len, lines[number + 1 :])):
        return False
    return sum(map(_is_prose, lines[number + 1 :])) < PROSE_OF_ARTICLE


_END_RULES = tuple(rule for rule in RULES if rule.scope == "end")
# One of these is in all that they match: quickly past most paragraphs.
MAY_END = re.compile(r"[（(【\[]|来源|返回|查看|阅读原文|综合|[>＞》]{2}")
_KEEP_RULES = tuple(rule for rule in RULES if rule.action == "keep")
_CELLS = re.compile(r"[^\s|｜]+")
_FEWEST_CELLS = 3
_ROWS_AROUND = 3
_FEWEST_SUBHEADS = 3
_SUBHEAD_CHARS = (8, 40)
_STOPS = ("。", "！", "？", "；", "，", "…", "”", "）")
_NO_CELL = re.compile(r"[。：\[【]")
_FIGURE = re.compile(r"\d")
# The one who took or drew a picture wrote no text.
_CAPTION = re.compile(r"(?:图表?|表)\s*\d*\s*[：:]")
# 「* 汇率……（来源：某行）」: the source is the note's.
_NOTE = re.compile(NOTE)
_HEADING_OF_STATEMENTS = re.compile(
    r"[【\[■●◆▲*＊※]*\s*(?:[一二三四五六七八九十\d]{1,2}\s*[、.．]\s*)?"
    r"(?:(?:风险|特别|重要|温馨|友情|投资|主要风险)提示|(?:免责|法律|版权|重要|特别|郑重|分析师|作者|利益)声明|"
    r"(?:免责|法律)(?:条款|声明)(?:及|和|与|、)(?:风险提示|免责声明)|风险提示(?:及|和|与|、)免责(?:条款|声明)|(?:免责|法律)条款|特别说明|(?:分析师|研究员)承诺|(?:报告|研究报告|文章|版权|联系|团队|作者|公众号|账号|评级|投资评级)(?:的)?"
    r"(?:信息|说明|介绍|简介|方式|定义)|关于(?:我们|作者))\s*[】\]]?\s*[：:]?"
)
_LABELLED_ENDS = frozenset(("end_source", "end_editor"))


def _strip_site_name(stripped: Stripped, names: Collection[str]) -> None:
    """The name of the site in the last line, unless it signs a notice: then the date is below it, or none is there."""
    if len(stripped.lines) < 2 or (last := stripped.lines[-1]).strip(_EDGES) not in names:
        return
    is_notice = any(_NOTICE.search(simplified(line)) for line in stripped.lines)
    if not is_notice or _DATE.match(stripped.lines[-2]):
        stripped.remove("site_name", stripped.lines.pop(), {"medium": last})


def _strip_cards(stripped: Stripped, boxes: Mapping[str, Box], keep: Collection[re.Pattern[str]]) -> None:
    """The last lines and the first, as long as they stand in a card of an author."""
    for at in (-1, 0):
        while len(stripped.lines) > 1 and (box := boxes.get(stripped.lines[at])) and box.is_card:
            if _is_kept(stripped.lines, at, keep):
                break
            line = stripped.lines.pop(at)
            stripped.remove("card of an author", line, label_values(line))


def _strip_rests(stripped: Stripped, boxes: Mapping[str, Box], keep: Collection[re.Pattern[str]]) -> None:
    """Of the boxes that are left, the lines that the judge is sure of, then those without a sentence beside lines that
    were the site's: what they stood over or beside is gone."""
    gone = {box.number for _, line in stripped.removed if (box := boxes.get(line))}
    for number in range(len(stripped.lines) - 1, -1, -1):
        line = stripped.lines[number]
        box = boxes.get(line)
        if not box or len(stripped.lines) == 1:
            continue
        if _is_row(stripped.lines, number) or _is_kept(stripped.lines, number, keep):
            continue
        is_told = len(line) > LONGEST_REST or _SENTENCE.search(line) or _DATE.search(line)
        if box.number in gone and not is_told:
            rule = "rest of a box"
        elif (sure := sureness(simplified(line), "tail")) >= SURE["tail"]:
            rule = f"edge_line {sure:.2f}"
            gone.add(box.number)
        else:
            continue
        del stripped.lines[number]
        stripped.remove(rule, line, label_values(line))


def _strip_edge(stripped: Stripped, edge: Edge, keep: Collection[re.Pattern[str]], boxes: Mapping[str, Box]) -> None:
    """Lines at an end that the learned judge takes for the site's, up to the first that may be the article's."""
    at = 0 if edge == "head" else -1
    for _ in range(min(JUDGED_LINES, len(stripped.lines) - 1)):
        line = stripped.lines[at]
        # What ends in a colon at the head is a heading over what follows.
        is_heading = edge == "head" and line.endswith(("：", ":"))
        in_box = line in boxes
        longest = LONGEST_IN_BOX if in_box else LONGEST_JUDGED[edge]
        if is_heading or len(line) > longest or _is_kept(stripped.lines, at, keep) or _is_row(stripped.lines, at):
            return
        least = SURE_IN_BOX if in_box else SURE[edge]
        if (sure := sureness(simplified(line), edge, least)) < least:
            return
        if edge == "head" and sure < SURE_OF_SUBHEAD and not in_box and _is_first_subhead(stripped.lines):
            return
        del stripped.lines[at]
        stripped.remove(f"edge_line {sure:.2f}", line, {} if _CAPTION.match(line) else label_values(line))


def _is_first_subhead(lines: Sequence[str]) -> bool:
    """Is a digest made of such lines, each over a text of its own?"""
    return _is_subhead(lines, 0) and sum(_is_subhead(lines, at) for at in range(1, len(lines))) >= _FEWEST_SUBHEADS


def _is_subhead(lines: Sequence[str], number: int) -> bool:
    """Does it name nobody and no day, stand over a paragraph, and close the one before it?"""
    line, *below = lines[number : number + 2]
    least, most = _SUBHEAD_CHARS
    is_behind_text = number == 0 or _is_prose(lines[number - 1])
    if not (least <= len(line) <= most and below and _is_prose(below[0]) and is_behind_text):
        return False
    return not (line.endswith(_STOPS) or _COLON.search(simplified(line)) or _DATE.search(line))


def _is_row(lines: Sequence[str], number: int) -> bool:
    """Does a line beside it have as many cells, or are there rows with figures around it?"""
    at = number % len(lines)
    line, cells = lines[at], len(_CELLS.findall(lines[at]))
    has_figure = _FIGURE.search(line) is not None
    # A word that is spaced out has cells of one character; what is in Latin letters has a cell for each word.
    is_spaced = len(line) < 3 * cells - 1 and not has_figure
    if cells < _FEWEST_CELLS or is_spaced or line.isascii():
        return False
    around = [*lines[max(0, at - _ROWS_AROUND) : at], *lines[at + 1 : at + 1 + _ROWS_AROUND]]
    rows = [other for other in around if _FIGURE.search(other) and " " in other and not _NO_CELL.search(other)]
    beside = (*lines[max(0, at - 1) : at], *lines[at + 1 : at + 2])
    is_among_rows = has_figure and len(rows) > 1 and not _NO_CELL.search(line)
    return is_among_rows or any(cells == len(_CELLS.findall(other)) for other in beside)


def _is_kept(lines: Sequence[str], number: int, keep: Collection[re.Pattern[str]]) -> bool:
    """By the source, by a rule of the table, or for what a notice ends with."""
    line = lines[number]
    return (
        any(pattern.search(line) for pattern in keep)
        or any(rule.pattern.fullmatch(simplified(line)) for rule in _KEEP_RULES)
        or _is_particular(lines, number % len(lines))
    )


def _strip_empty_heading(stripped: Stripped, keep: Collection[re.Pattern[str]]) -> None:
    """Headings of statements at the end, of which the lines below are gone."""
    while len(stripped.lines) > 1 and _HEADING_OF_STATEMENTS.fullmatch(simplified(stripped.lines[-1])):
        if _is_kept(stripped.lines, -1, keep):
            return
        stripped.remove("empty heading", stripped.lines.pop(), {})


def _strip_lede(stripped: Stripped) -> None:
    """A first line that comes again word for word is the deck over the article."""
    first = stripped.lines[0]
    if len(first) >= MIN_LEDE_CHARS and any(first in line for line in stripped.lines[1:]):
        stripped.removed.append(("lede repeated below", stripped.lines.pop(0)))


def _strip_end(stripped: Stripped) -> None:
    """What is glued to the end of the last paragraph, such as 「（某某日报）」; twice, for there may be two."""
    for _ in range(2):
        last = stripped.lines[-1]
        if _NOTE.match(last):
            break
        plain = simplified(last)
        if not MAY_END.search(plain, max(0, len(plain) - END_CHARS)):
            break
        glued = ((rule, found) for rule in _END_RULES if (found := _glued(rule, plain)) is not None)
        rule, found = next(glued, (None, None))
        if rule is None or found is None:
            break
        stripped.remove(rule.name, last[found.start() :], _groups(found, last))
        stripped.lines[-1] = last[: found.start()].rstrip()


def _glued(rule: LineRule, last: str) -> re.Match[str] | None:
    end = len(last.rstrip("。 "))
    for found in rule.pattern.finditer(last, max(0, len(last) - END_CHARS)):
        rest = last[: found.start()].rstrip()
        if found.end() == end and rest and (rule.name in _LABELLED_ENDS or rest.endswith(_SENTENCE_ENDS)):
            return found
    return None


def _reporter_inside(lines: Sequence[str]) -> str | None:
    """Whom a dateline names, 「某社巴黎12月9日电（记者某某）」, or the end of the last paragraph. The line stays."""
    # Above the dateline there may be a deck.
    below = (line for line in lines[1:DATELINE_LINES] if "记者" in line or "記者" in line or "日电" in line)
    datelines = ((line, _DATELINES) for line in (lines[0], *below))
    for line, patterns in (*datelines, (lines[-1], (_LAST_REPORTER,))):
        plain = simplified(line)
        if found := next(filter(None, (pattern.match(plain) for pattern in patterns)), None):
            start, end = found.span("author")
            return _colleagues(line[max(0, start - _RANK_CHARS) : found.end()]) or person(line[start:end]) or None
    return None

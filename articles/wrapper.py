"""Takes the lines around a body out of it, and the fields they name with them.

Two means: the table of patterns (articles.wrapper_table), and labelled lines such as 「来源：某报 作者：某某 编辑：某某」, which
are read by their labels in whatever number and order they come. A body is never emptied: where nothing would be left,
everything stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from articles.wrapper_table import NAMES, NOT_A_NAME, REPORTER, RULES, LineRule

HEAD_LINES = 8
TAIL_LINES = 12
PROSE_CHARS = 36
LONGEST_LABELLED = 160

_LABELS: dict[str, str] = {
    "publisher": "文章来源|稿件来源|信息来源|新闻来源|本文来源|消息来源|内容来源|资讯来源|来源于|来源|来自|稿源|出处|转载自|转自|摘自|媒体",
    "author": "本文作者|文章作者|作者|原创|撰文|采写|撰稿|本报记者|见习记者|实习记者|特约记者|首席记者|记者|通讯员|文字|图文|文/图|文图|文",
    # The one who answers for a text; named apart from `editor`, for where both sign, it is him that counts.
    "chief": "责任编辑|责任编審|责编|责任編輯|责任编辑/作者|編輯",
    "editor": "本文编辑|见习编辑|实习编辑|网络编辑|值班编辑|执行编辑|文字编辑|新媒体编辑|助理编辑|编辑",
    "time": "发布时间|发表时间|更新时间|发布日期|发稿时间|时间|日期|发布于|更新于",
    "other": "校对|责任校对|审核|审校|复审|终审|初审|一审|二审|三审|监制|总监制|监督|统筹|策划|制图|海报设计|设计|排版|版式|运营|值班主任|值班编委|"
    "值班总编|签发|审签|责审|主编|栏目主编|本版主编|执行主编|编审|本版编辑|视频编辑|图片编辑|微信编辑|整理人|整理|翻译|编译|视觉|数据|摄影|"
    "点击次数|点击数|点击|浏览次数|浏览量|浏览|阅读数|阅读量|阅读|人气|访问量|字号|字体|评论数|评论|分享|关键词|关键字|标签|专栏|栏目|"
    "选稿|供稿|来稿|实习生|我要评论|查看评论|出品|播音|剪辑|导演|图片|题图",
}
_FIELD_OF = {label: name for name, labels in _LABELS.items() for label in labels.split("|")}
_COLON = r"\s*[：:︰丨|｜]\s*|\s*/\s*(?=[^/]{2,20}$)"
_LABEL = re.compile(
    rf"(?P<label>{'|'.join(sorted(map(re.escape, _FIELD_OF), key=len, reverse=True))})(?:{_COLON})"
)
_SPACED_EDITOR = re.compile(
    r"(?:(?P<reporter>[\u4e00-\u9fa5]{0,6}(?:记者|见习记者))\s*(?P<author>[\u4e00-\u9fa5·]{2,4}(?:[ 、,，/]+[\u4e00-\u9fa5·]{2,4}){0,3}?)\s+)?"
    r"(?P<label>责任编辑|责编|编辑|见习编辑|校对|作者|文)\s+(?P<editor>[\u4e00-\u9fa5·]{2,4}(?:[ 、,，/]+[\u4e00-\u9fa5·]{2,4}){0,3}?)"
    r"(?:\s+(?:校对|审核|监制)\s+[\u4e00-\u9fa5·]{2,4}(?:[ 、,，/]+[\u4e00-\u9fa5·]{2,4}){0,3})?"
)
_DATE_LIKE = re.compile(
    r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:\s*(?:星期|周)[一二三四五六日天])?(?:[T\s]*\d{1,2}[：:]\d{2}(?:[：:]\d{2})?)?|\d{1,2}[-/月]\d{1,2}日?\s+\d{1,2}[：:]\d{2}(?:[：:]\d{2})?"
)
_BRACKETS = "（）()【】[]〔〕「」『』<>＜＞ \t\u3000\xa0|｜丨/;；,，、·-—"
_SENTENCE = re.compile(r"[。！？]")
_STAFF_CODE = re.compile(r"[A-Za-z]{1,4}\d{2,6}")
_ADDRESS = re.compile(r"https?:|www\.", re.IGNORECASE)
_NOT_A_VALUE = re.compile(r"^(?:认为|显示|指出|表示|部|们|是|的|了|说|称|据)")


# The characters of wrapper lines that differ in traditional script. One for one, so that places in a line stay the same.
_TRADITIONAL = str.maketrans(
    "來編輯責記時間發佈報導關閱讀聲轉載權網電視聞學樣點擊圖攝製標題專欄負風險謹僅參應實習聯稿獨輸見總審監審統籌劃設計評論號體訊財經週刊縣廳處級開啟動態註冊請戶註釋譯錄應該與個為說認從對這們會進頁連結團資稱聽國際內華傳書長",
    "来编辑责记时间发布报导关阅读声转载权网电视闻学样点击图摄制标题专栏负风险谨仅参应实习联稿独输见总审监审统筹划设计评论号体讯财经周刊县厅处级开启动态注册请户注释译录应该与个为说认从对这们会进页连结团资称听国际内华传书长",
)


def simplified(line: str) -> str:
    """`line` with the words of wrapper lines in simplified script, for matching; of the same length."""
    return line.translate(_TRADITIONAL)


@dataclass(slots=True)
class Stripped:
    """The lines that stay, and what the others said."""

    lines: list[str]
    fields: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)
    """Name of the rule, line."""


def strip_wrapper(
    lines: Sequence[str],
    *,
    drop_lines: Iterable[re.Pattern[str]] = (),
    keep_lines: Iterable[re.Pattern[str]] = (),
) -> Stripped:
    """Take out the lines that are not the article. `drop_lines` and `keep_lines` are the source's own patterns."""
    drop, keep = tuple(drop_lines), tuple(keep_lines)
    head_end = _head_end(lines)
    tail_start = _tail_start(lines)
    stripped = Stripped([])
    for number, line in enumerate(lines):
        if any(pattern.search(line) for pattern in keep):
            stripped.lines.append(line)
            continue
        if any(pattern.fullmatch(line) for pattern in drop):
            stripped.removed.append(("source.drop_lines", line))
            continue
        verdict = _verdict(line, number < head_end, number >= tail_start)
        if verdict is None:
            stripped.lines.append(line)
            continue
        name, cut, fields = verdict
        stripped.removed.append((name, line))
        for key, value in (fields or label_values(line)).items():
            stripped.fields.setdefault(key, value)
        if cut and _may_cut(lines, number):
            stripped.removed += [(name, rest) for rest in lines[number + 1 :]]
            for rest in lines[number + 1 :]:
                for key, value in label_values(rest).items():
                    stripped.fields.setdefault(key, value)
            break
    if not stripped.lines and lines:
        return Stripped(list(lines), stripped.fields, [])
    _strip_end(stripped)
    return stripped


_DATELINE = re.compile(
    rf".{{0,40}}?[（(【](?:[\u4e00-\u9fa5]{{0,8}})(?:{REPORTER})\s*[：:]?\s*(?P<author>{NAMES})(?:\s*[,，、]?\s*(?:{REPORTER})\s*{NAMES})*\s*[）)】]"
)
_END_REPORTER = re.compile(rf".*[。！？”]\s*(?:[\u4e00-\u9fa5《》]{{0,10}})(?:{REPORTER})\s*(?!{NOT_A_NAME})(?P<author>{NAMES})")


def reporter_inside(lines: Sequence[str]) -> str | None:
    """The reporter whom a dateline names, 「新华社巴黎12月9日电（记者某某）」, or the end of the last paragraph. The line stays."""
    for pattern, line in ((_DATELINE, lines[0]), (_END_REPORTER, lines[-1])) if lines else ():
        if found := pattern.match(simplified(line)):
            return line[slice(*found.span("author"))]
    return None


def labelled(line: str) -> dict[str, str] | None:
    """The fields of a line that is made of labels and short values only; None for any other line."""
    if len(line) > LONGEST_LABELLED:
        return None
    plain = simplified(line)
    found = list(_LABEL.finditer(plain))
    if not found:
        return _spaced_editor(line)
    lead = _DATE_LIKE.sub("", line[: found[0].start()]).strip(_BRACKETS)
    if len(lead) > 12 or _SENTENCE.search(lead):
        return None
    fields: dict[str, str] = {}
    for match, after in zip(found, [*found[1:], None], strict=False):
        value = line[match.end() : after.start() if after else len(line)].strip()
        if _SENTENCE.search(value.rstrip("。")) or len(value) > 60 or _NOT_A_VALUE.match(value):
            return None
        name = _FIELD_OF[match["label"]]
        if value := _value(name, value):
            fields.setdefault(name, value)
    return fields


def _spaced_editor(line: str) -> dict[str, str] | None:
    line = line.strip(_BRACKETS + "。")
    found = _SPACED_EDITOR.fullmatch(simplified(line))
    if found is None:
        return None
    groups = _groups(found, line)
    values = {"author": groups["author"]} if "author" in groups else {}
    if (name := _FIELD_OF[found["label"]]) != "other":
        values[name] = groups["editor"]
    return values


def _value(name: str, value: str) -> str:
    value = _DATE_LIKE.sub(" ", value) if name != "time" else value
    value = value.strip(_BRACKETS + "。")
    if name == "publisher":
        return _medium(value)
    if name == "author":
        return _person(value)
    return value


_ROLE = re.compile(rf".*?(?:{REPORTER}|作家|作者|撰稿|见习编辑|分析师|教授)\s*[：:]?\s*(?P<names>{NAMES})")


def _person(value: str) -> str:
    """Names without the title before them: 「某报首席记者 王一鸣」."""
    value = re.sub(r"\s*[（(]?微博[)）]?|[/／](?:编译|文|整理|摄|图)$", "", value)
    if found := _ROLE.fullmatch(simplified(value)):
        return value[slice(*found.span("names"))]
    return value


def _medium(value: str) -> str:
    """A publisher's name ends at the first gap, unless it is in Latin letters."""
    first, *rest = re.split(r"\s+", value)
    while rest and first.isascii() and rest[0].isascii() and rest[0].isalpha():
        first = f"{first} {rest.pop(0)}"
    first = re.split(r"[（(]", first.lstrip("（("))[0] or first
    return "" if _ADDRESS.match(first) else first.strip(_BRACKETS)


def _head_end(lines: Sequence[str]) -> int:
    """The text has begun with its first long sentence; wrapper lines of the head come before the second."""
    for number, line in enumerate(lines[:HEAD_LINES]):
        if _is_prose(line):
            return number + 1
    return min(HEAD_LINES, len(lines))


def _tail_start(lines: Sequence[str]) -> int:
    prose = 0
    for number in range(len(lines) - 1, -1, -1):
        if len(lines) - number > TAIL_LINES:
            return number + 1
        prose += _is_prose(lines[number]) and _verdict(lines[number], False, True) is None
        if prose >= 3:
            return number
    return 0


def _is_prose(line: str) -> bool:
    return len(line) >= PROSE_CHARS and ("。" in line or "，" in line)


def _verdict(line: str, in_head: bool, in_tail: bool) -> tuple[str, bool, dict[str, str]] | None:
    plain = simplified(line)
    for rule in RULES:
        if not _applies(rule, in_head, in_tail):
            continue
        if found := rule.pattern.fullmatch(plain):
            if rule.action == "keep":
                return None
            return rule.name, rule.action == "cut", _groups(found, line)
    if (in_head or in_tail) and (fields := labelled(line)) is not None:
        # The responsible editor signs at the end: what follows is the site again.
        return "labels", bool(_SIGNATURE.match(plain)), fields
    return None


_SIGNATURE = re.compile(r"[（(【\[\s]*(?:责任编辑|责编)")


def _applies(rule: LineRule, in_head: bool, in_tail: bool) -> bool:
    match rule.scope:
        case "whole":
            return True
        case "head":
            return in_head
        case "tail":
            return in_tail
        case "edge":
            return in_head or in_tail
        case "end":
            return False


def _groups(found: re.Match[str], line: str) -> dict[str, str]:
    """Named groups of a match on the simplified line, in the line's own characters."""
    spans = {name: found.span(name) for name in found.groupdict() if found[name]}
    return {name: value for name, (start, end) in spans.items() if (value := line[start:end].strip())}


def _may_cut(lines: Sequence[str], number: int) -> bool:
    """Cut only behind the larger part of the text."""
    before = sum(map(len, lines[:number]))
    after = sum(map(len, lines[number + 1 :]))
    return before >= 40 and before >= after


_SENTENCE_ENDS = ("。", "！", "？", "”", "…", ".", "」", "）")
_LABELLED_ENDS = frozenset(("end_source", "end_editor"))
_END_RULES = tuple(rule for rule in RULES if rule.scope == "end")


def _strip_end(stripped: Stripped) -> None:
    """What is glued to the end of the last paragraph, such as 「（某某日报）」."""
    if not stripped.lines:
        return
    last = stripped.lines[-1]
    for _ in range(2):
        for rule in _END_RULES:
            for found in rule.pattern.finditer(simplified(last), max(0, len(last) - 60)):
                rest = last[: found.start()].rstrip()
                if found.end() == len(last.rstrip("。 ")) and (rule.name in _LABELLED_ENDS or rest.endswith(_SENTENCE_ENDS)):
                    stripped.removed.append((rule.name, last[found.start() :]))
                    for key, value in _groups(found, last).items():
                        stripped.fields.setdefault(key, value)
                    last = rest
                    break
    stripped.lines[-1] = last


# Marks inside a line that end a value: tools and counters that follow it.
_VALUE_END = re.compile(
    r"\t|[|｜\]】）)；;]|\s(?=\d{4}[-年/.])|我要|我有话|我来|分享|评论(?!员)|字号|字体|大中小|打印|收藏|关注|举报|参与|手机看|微博|跟[帖贴]|\d+人|浏览|点击|阅读"
)
_FROM = re.compile(r"(?:本文|文章|此文)?(?:来源于|来源自|摘自|转自|转载自|来自于?)\s*(?P<publisher>《?[^\s，。；：:]{2,20})")
_PERSON_AND_MEDIUM = re.compile(rf"(?P<author>{NAMES})\s*[/／]\s*(?P<publisher>[\u4e00-\u9fa5A-Za-z]{{2,12}})")


def label_values(line: str) -> dict[str, str]:
    """The labelled values of a line near the headline, whatever else it holds: tools, counters, dates.

    Tabs in the line are borders of elements: no value reaches beyond one.
    """
    plain = simplified(line)
    found = list(_LABEL.finditer(plain))
    values: dict[str, str] = {}
    for match, after in zip(found, [*found[1:], None], strict=False):
        value = line[match.end() : after.start() if after else len(line)].strip()
        name = _FIELD_OF[match["label"]]
        if name in ("other", "time") or _NOT_A_VALUE.match(value):
            continue
        value = _VALUE_END.split(value.strip(_BRACKETS))[0]
        value = " ".join(value.split()) if name in ("author", "editor", "chief") else re.split(r"\s{2,}", value)[0]
        value = _value(name, value)
        if value and len(value) <= 40 and not _SENTENCE.search(value):
            values.setdefault(name, value)
    for pattern in (_FROM, _PERSON_AND_MEDIUM):
        if not values and len(line) <= 80 and (other := pattern.match(plain.strip())):
            start = len(plain) - len(plain.lstrip())
            values = {name: line[start:][slice(*other.span(name))] for name in other.groupdict()}
    if not values and (spaced := _spaced_editor(line)):
        values = spaced
    return values

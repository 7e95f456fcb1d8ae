"""Times as Chinese sites write them. Strict: what cannot be read for certain is no time, with a word that says why.

The only clock is `fetched_at`: the same page read again next year gives the same moment. A time without a zone is in
the source's zone, never in the machine's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from articles.records import Precision

Assumed = Literal["zone", "year", "relative"]
"""What the text left open. zone: read in the source's; year: taken from the url or the fetch; relative: counted back
from the fetch."""
Problem = Literal["", "empty", "unreadable", "vague", "invalid", "zone", "sentinel", "future"]
"""Why there is no time. vague: a span such as 三个月前; invalid: no such day or hour; zone: an abbreviation we cannot
place; sentinel: the null of some database; future: more than ten minutes after the fetch."""

MAX_CHARS = 200
MAX_LINE_CHARS = 1_000
TOLERANCE = timedelta(minutes=10)  # clocks of sites run ahead of ours
SENTINELS = frozenset({date(1, 1, 1), date(1900, 1, 1), date(1969, 12, 31), date(1970, 1, 1)})
OLDEST_YEAR = 1900

# CST is China's here, not Chicago's: it stands for the source's zone, as does BJT.
LOCAL_ZONES = frozenset({"CST", "BJT", "北京时间"})
FIXED_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9} | {
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7
}  # fmt: skip
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS_AGO = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2, "前日": 2}

# The parts. Every group is named, since they are put together in several orders.
HALF = r"上午|下午|晚上|晚间|夜间|凌晨|清晨|早上|早晨|早间|中午|午间|傍晚|[ap]\.?m\.?"
WEEKDAY = r"(?:[(（]?\s*(?:星期|周|礼拜)[一二三四五六日天]\s*[)）]?|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?)"
CLOCK = (
    rf"(?P<half>{HALF})?\s*(?P<hour>\d{{1,2}})\s*[:时点]\s*(?P<minute>\d{{1,2}})"
    r"(?:\s*[:分]\s*(?P<second>\d{1,2})(?:[.,]\d{1,9}|\s?秒)?|\s?分)?(?:\s*(?P<ampm>[ap])\.?m\b\.?)?"
)
OFFSET = r"\s*(?P<offset>(?:(?:GMT|UTC)\s?)?[+-]\d{2}(?::?\d{2})?(?![\d:]))"
ZONE_NAMES = "|".join([*sorted(LOCAL_ZONES), *FIXED_ZONES])
# A whole string that ends in an unknown abbreviation is refused; inside a line that word may be anything, such as APP.
ZONE = rf"(?:{OFFSET}|\s*\(?(?P<zone>(?-i:Z|[A-Z]{{2,5}}|北京时间))\)?)?(?:\s*\([^()]{{1,40}}\))?"
ZONE_INSIDE = rf"(?:{OFFSET}|\s*\(?(?P<zone>(?-i:{ZONE_NAMES}))\b\)?)?"
GAP = rf"(?:(?:\s*[,|·]|\s+-\s)?\s*(?:{WEEKDAY})?\s*)"
# Day and hour may touch only where two digits each leave no doubt: 2022-01-2320:41, and not 2022-1-120:41.
# Hong Kong's broadcaster names the zone between the two: 2012-01-17 HKT 19:37.
JOINT = rf"(?:T|\sHKT\s|{GAP}(?<!\d)|(?<=\D\d\d)(?=\d\d\s?[:时点]))"
YEAR_MONTH_DAY = (
    r"(?P<year>\d{4})(?:\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]?"
    r"|(?P<sep>\s?[-/.]\s?)(?P<month2>\d{1,2})(?P=sep)(?P<day2>\d{1,2})日?)"
)
MONTH_DAY = r"(?:(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]|(?P<month2>\d{1,2})[-/](?P<day2>\d{1,2}))"
MONTH_NAME = rf"(?P<name>{'|'.join(MONTH_NAMES)})[a-z]*\.?"
ENGLISH_DAY = (
    rf"(?:{WEEKDAY}\s*)?(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]{MONTH_NAME},?[ -](?P<year>\d{{4}})"
    rf"|{MONTH_NAME.replace('name', 'name2', 1)}\s?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s?|\s)(?P<year2>\d{{4}}))"
)
# 「15:42 2026/11/20」, "15:42, November 20, 2026"
CLOCK_FIRST = rf"{CLOCK}(?:\s*(?P<offset>(?:GMT|UTC)\s?[+-]\d{{1,2}}))?,?\s+{YEAR_MONTH_DAY}"
ENGLISH_CLOCK_FIRST = rf"{CLOCK}(?:,|\s)\s*{ENGLISH_DAY}"
# What programs print: JavaScript's Date with the year before the clock, C's and Java's with the year at the end.
PROGRAM_TIME = (
    rf"{WEEKDAY}\s*{MONTH_NAME}\s+(?P<day>\d{{1,2}})\s+(?:(?P<year>\d{{4}})\s+{CLOCK}{ZONE}"
    r"|(?P<hour2>\d{1,2}):(?P<minute2>\d{2}):(?P<second2>\d{2})\s+"
    r"(?:(?:(?P<zone2>[A-Z]{2,5})|(?P<offset2>[+-]\d{4}))\s+)?(?P<year2>\d{4}))"
)
DIGITS = (
    r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})(?:(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?)?"
)
RELATIVE = r"(?P<just>刚刚|刚才)|(?P<half>半)小时前|(?P<count>\d{1,3})\s*(?P<unit>秒钟?|分钟?|个?小时|天|日)(?:之?前)"
DAY_AGO = rf"(?P<word>{'|'.join(DAYS_AGO)})(?:\s*{CLOCK})?"
VAGUE = re.compile(
    r"(?:(?:\d+|[一二三四五六七八九十几数两半])\s*个?(?:周|星期|月|年|季度?)(?:之?前)|上周.*|上个?月.*|去年|近日|日前)"
)

# Of four characters only: 「二六年」 might be any century's.
SPELT_OUT = re.compile(
    r"([一二][〇零○O0一二三四五六七八九]{3})年([一二三四五六七八九]|十[一二]?)月((?:[一二三]?十|廿|卅)?[一二三四五六七八九]|[二三]?十|廿|卅)日"
)
OTHER_ZEROS = str.maketrans("零○O0", "〇〇〇〇")
LABEL = re.compile(
    r"(?:(?:最[后近]|首次)?(?:发[布表稿]|更新|修改|编辑|刊[登发]|来源|上传|成文|创建)?(?:时间|日期)|(?:发[布表]|更新)[于在]?"
    r"|published|updated|posted|date|time)(?:\s+(?:on|at))?\s*[::]?\s*",
    re.IGNORECASE,
)
BRACKETS = re.compile(r"[\[(【〔](.*)[\])】〕]", re.DOTALL)
SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime | None
    """In the zone it was written in."""
    precision: Precision
    raw: str
    problem: Problem = ""
    assumed: tuple[Assumed, ...] = ()


class _UnreadableError(Exception):
    """Inside this module only: why the match at hand is no time."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is known beside the text."""

    fetched_at: datetime
    zone: ZoneInfo
    hint_url: str


def parse_time(raw: str, *, fetched_at: datetime, zone: ZoneInfo, hint_url: str = "") -> Moment:
    """The moment that the whole of `raw` states. A year it leaves out is taken from the date in `hint_url`, or else is
    the last one in which the day is not after the fetch.
    """
    raw = raw[:MAX_CHARS].strip()
    text = _plain(raw)
    if not text:
        return Moment(None, "none", raw, "empty")
    frame = _Frame(fetched_at, zone, hint_url)
    for pattern, read in WHOLE:
        if found := pattern.fullmatch(text):
            return _moment(found, read, frame, raw)
    return Moment(None, "none", raw, "vague" if VAGUE.fullmatch(text) else "unreadable")


def first_time(line: str, *, fetched_at: datetime, zone: ZoneInfo, hint_url: str = "") -> Moment | None:
    """The first time inside a visible line, such as 「来源：某报 2022-01-23 20:41 作者」; None if it holds none.

    Bare digits are not looked for, since they are ids and telephone numbers more often, nor is a day without a year
    unless a clock time follows. `raw` is the part that was read.
    """
    text = with_digits(SPACE.sub(" ", unicodedata.normalize("NFKC", line[:MAX_LINE_CHARS])))
    frame = _Frame(fetched_at, zone, hint_url)
    dated = INSIDE[0][0].search(text)
    if dated and not BEGINS_TIME.search(text, 0, dated.start()):
        # As in nearly every line that tells one: no other pattern need be tried.
        return _moment(dated, _read_dated, frame, dated[0].strip())
    found_by = [(found, read) for pattern, read in INSIDE if (found := pattern.search(text))]
    if not found_by:
        return None
    found, read = min(found_by, key=lambda pair: (pair[0].start(), -pair[0].end()))
    return _moment(found, read, frame, found[0].strip())


def with_digits(text: str) -> str:
    """With the dates that official notices spell out, 「二〇二六年十一月十三日」, in figures."""
    return SPELT_OUT.sub(_in_figures, text) if "年" in text else text


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Calendar day in the source's zone: the last minute of a year in Shanghai is still that year."""
    return at.astimezone(zone).date()


def _in_figures(found: re.Match[str]) -> str:
    year = "".join(str("〇一二三四五六七八九".index(char)) for char in found[1].translate(OTHER_ZEROS))
    month, day = (_number(found[group]) for group in (2, 3))
    return f"{year}年{month}月{day}日"


def _number(spelt_out: str) -> int:
    """Up to 39: 十, 十一, 二十, 廿三, 三十一."""
    tens, ten, ones = spelt_out.replace("廿", "二十").replace("卅", "三十").rpartition("十")
    return ("一二三".index(tens) + 1 if tens else bool(ten)) * 10 + "〇一二三四五六七八九".find(ones or "〇")


def _plain(raw: str) -> str:
    """One width, one kind of space, and without the label or the brackets around it."""
    text = with_digits(SPACE.sub(" ", unicodedata.normalize("NFKC", raw)).strip())
    if bracketed := BRACKETS.fullmatch(text):
        text = bracketed[1].strip()
    if label := LABEL.match(text):
        text = text[label.end() :]
    return text.strip()


def _moment(found: re.Match[str], read: Reader, frame: _Frame, raw: str) -> Moment:
    try:
        at, precision, assumed = read(found, frame)
        _check(at, frame)
    except _UnreadableError as error:
        return Moment(None, "none", raw, error.problem)
    except (ValueError, OverflowError):
        return Moment(None, "none", raw, "invalid")
    return Moment(at, precision, raw, "", assumed)


def _check(at: datetime, frame: _Frame) -> None:
    if at.date() in SENTINELS or at.astimezone(frame.zone).date() in SENTINELS or at.year < OLDEST_YEAR:
        raise _UnreadableError("sentinel")
    if at > frame.fetched_at + TOLERANCE:
        raise _UnreadableError("future")


Read = tuple[datetime, Precision, tuple[Assumed, ...]]
Reader = Callable[[re.Match[str], _Frame], Read]


def _read_dated(found: re.Match[str], frame: _Frame) -> Read:
    group = _groups(found)
    year = int(group["year"])
    if year < OLDEST_YEAR:
        raise _UnreadableError("sentinel")
    day = date(year, _month(group), int(group["day"]))
    zone, assumed = _zone(group, frame)
    clock, add, precision = _clock(group)
    return datetime.combine(day, clock, zone) + add, precision, assumed


def _read_yearless(found: re.Match[str], frame: _Frame) -> Read:
    group = _groups(found)
    month, day = int(group["month"]), int(group["day"])
    clock, add, precision = _clock(group)
    if year := _year_in_url(frame.hint_url, month, day):
        at = datetime.combine(date(year, month, day), clock, frame.zone) + add
    else:
        this_year = frame.fetched_at.astimezone(frame.zone).year
        date(2000, month, day)  # a day that no year has is invalid, and not merely missing from these two
        at = _latest(this_year, month, day, clock, frame) + add
    return at, precision, ("zone", "year")


def _read_epoch(found: re.Match[str], frame: _Frame) -> Read:
    digits = found[0]
    seconds, milliseconds = int(digits[:10]), int(digits[10:13] or 0)
    at = datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)
    return at.astimezone(frame.zone), "second", ()


def _read_relative(found: re.Match[str], frame: _Frame) -> Read:
    """Minutes are as precise as they say. «Two hours ago» may be off by nearly an hour, which only a day holds."""
    at = frame.fetched_at.astimezone(frame.zone).replace(second=0, microsecond=0)
    group = found.groupdict()
    if group["just"]:
        return at, "minute", ("relative",)
    if group["half"]:
        return at - timedelta(minutes=30), "minute", ("relative",)
    count, unit = int(group["count"]), group["unit"]
    if unit.startswith("秒"):
        return at - timedelta(seconds=count), "minute", ("relative",)
    if unit.startswith("分"):
        return at - timedelta(minutes=count), "minute", ("relative",)
    if unit.endswith("小时"):
        return at - timedelta(hours=count), "day", ("relative",)
    return _midnight(at.date() - timedelta(days=count), frame), "day", ("relative",)


def _read_day_ago(found: re.Match[str], frame: _Frame) -> Read:
    group = _groups(found)
    today = frame.fetched_at.astimezone(frame.zone).date()
    clock, add, precision = _clock(group)
    day = today - timedelta(days=DAYS_AGO[group["word"]])
    return datetime.combine(day, clock, frame.zone) + add, precision, ("zone", "relative")


def _groups(found: re.Match[str]) -> dict[str, str]:
    """Groups that matched, those of alternatives (day2, month2) under the one name."""
    return {name.rstrip("2"): value for name, value in found.groupdict().items() if value}


def _month(group: dict[str, str]) -> int:
    return MONTH_NAMES.index(group["name"].lower()) + 1 if "name" in group else int(group["month"])


def _clock(group: dict[str, str]) -> tuple[time, timedelta, Precision]:
    """Clock time, what to add to it (24:00 and leap seconds are of the next minute), and how precise it is."""
    if "hour" not in group:
        return time(), timedelta(), "day"
    hour, minute, second = int(group["hour"]), int(group["minute"]), int(group.get("second", 0))
    precision: Precision = "second" if "second" in group else "minute"
    if (hour, minute, second) == (24, 0, 0):
        return time(), timedelta(days=1), precision
    hour = _hour(hour, group)
    if second == 60:
        return time(hour, minute, 59), timedelta(seconds=1), precision
    return time(hour, minute, second), timedelta(), precision


def _hour(hour: int, group: dict[str, str]) -> int:
    half = group.get("half", "")
    # 「2025.05.04 AM 08:12」
    if ampm := group.get("ampm", half[:1] if half.isascii() else "").lower():
        if not 1 <= hour <= 12:
            raise _UnreadableError("invalid")
        return hour % 12 + (12 if ampm == "p" else 0)
    if half in ("晚上", "晚间", "夜间") and hour in (0, 12):
        raise _UnreadableError("vague")  # midnight of which day?
    if half in ("下午", "晚上", "晚间", "夜间", "傍晚") and hour < 12:
        return hour + 12
    if half in ("中午", "午间") and hour < 4:
        return hour + 12
    return 0 if half == "凌晨" and hour == 12 else hour


def _zone(group: dict[str, str], frame: _Frame) -> tuple[tzinfo, tuple[Assumed, ...]]:
    if offset := group.get("offset"):
        return _offset(re.sub(r"[^\d+-]", "", offset)), ()
    name = group.get("zone", "").strip("()").upper()
    if not name:
        return frame.zone, ("zone",)
    if name in LOCAL_ZONES:
        return frame.zone, ()
    if name not in FIXED_ZONES:
        raise _UnreadableError("zone")
    return _offset(f"{FIXED_ZONES[name]:+03d}"), ()


def _offset(signed: str) -> tzinfo:
    delta = timedelta(hours=int(signed[1:3]), minutes=int(signed[3:5] or 0))
    return timezone(-delta if signed[0] == "-" else delta) if delta else UTC


def _latest(year: int, month: int, day: int, clock: time, frame: _Frame) -> datetime:
    """This year's day or last year's, whichever is the last not after the fetch."""
    try:
        at = datetime.combine(date(year, month, day), clock, frame.zone)
    except ValueError:  # 29 February
        at = None
    if at is not None and at <= frame.fetched_at + TOLERANCE:
        return at
    return datetime.combine(date(year - 1, month, day), clock, frame.zone)


def _year_in_url(url: str, month: int, day: int) -> int | None:
    """Year of a date in the url that is this very day, or failing that, month."""
    dated = rf"(?<!\d)((?:19|20)\d\d)[-/_]?{month:02d}"
    for ending in (rf"[-/_]?{day:02d}", r"(?=/)"):
        if found := re.search(dated + ending, url):
            return int(found[1])
    return None


def _midnight(day: date, frame: _Frame) -> datetime:
    return datetime.combine(day, time(), frame.zone)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _inside(text: str) -> re.Pattern[str]:
    """Not the tail of a longer number or date, and not the head of one."""
    return re.compile(rf"(?<![\d.\-/]){text}(?![\d/]|[-.:]\d)", re.IGNORECASE)


DATED_CLOCK = JOINT + CLOCK
# The day of a month can be told from the month only above twelve, or needs not be: 11/12/2026 is no time.
DAY_FIRST = r"(?:(?P<day>1[3-9]|2\d|3[01])/(?P<month>\d{1,2})|(?P<day2>\d{1,2})/(?P<month2>(?P=day2)))/(?P<year>\d{4})"
ENGLISH_CLOCK = rf"(?:,|\s|at)*{CLOCK}"

# Tried in this order, over the whole of a string.
WHOLE: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (_pattern(rf"{YEAR_MONTH_DAY}(?:{DATED_CLOCK}{ZONE})?(?:\s*{WEEKDAY})?"), _read_dated),
    (_pattern(r"\d{10}(?:\d{3})?(?:\d{3})?"), _read_epoch),
    (_pattern(rf"{ENGLISH_DAY}(?:{ENGLISH_CLOCK}{ZONE})?"), _read_dated),
    (_pattern(PROGRAM_TIME), _read_dated),
    (_pattern(CLOCK_FIRST), _read_dated),
    (_pattern(ENGLISH_CLOCK_FIRST), _read_dated),
    (_pattern(DIGITS), _read_dated),
    (_pattern(rf"{DAY_FIRST}(?:{DATED_CLOCK}{ZONE})?"), _read_dated),
    (_pattern(rf"{MONTH_DAY}(?:{JOINT}{CLOCK})?"), _read_yearless),
    (_pattern(RELATIVE), _read_relative),
    (_pattern(DAY_AGO), _read_day_ago),
)
# What a time in front of a date would hold or begin with.
BEGINS_TIME = re.compile(r"[\d刚剛半]")
# All of them searched for in a line; the leftmost counts.
INSIDE: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (_inside(rf"{YEAR_MONTH_DAY}(?:{DATED_CLOCK}{ZONE_INSIDE})?"), _read_dated),
    (_inside(rf"{ENGLISH_DAY}(?:{ENGLISH_CLOCK}{ZONE_INSIDE})?"), _read_dated),
    (_inside(CLOCK_FIRST), _read_dated),
    (_inside(ENGLISH_CLOCK_FIRST), _read_dated),
    (_inside(rf"{DAY_FIRST}(?:{DATED_CLOCK}{ZONE_INSIDE})?"), _read_dated),
    (_inside(MONTH_DAY + JOINT + CLOCK), _read_yearless),
    (_inside(RELATIVE), _read_relative),
    (_inside(rf"(?P<word>{'|'.join(DAYS_AGO)})\s*{CLOCK}"), _read_day_ago),
)

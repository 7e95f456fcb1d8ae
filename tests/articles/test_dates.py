"""Times. Rows T01 to T19 are the ways in which other parsers were seen to invent one."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from articles.dates import INSIDE, TOLERANCE, Moment, day_of, first_time, parse_time

SHANGHAI = ZoneInfo("Asia/Shanghai")
FETCHED = datetime(2022, 9, 20, 9, 0, 30, tzinfo=SHANGHAI)


def read(raw: str, *, fetched_at: datetime = FETCHED, zone: ZoneInfo = SHANGHAI, hint_url: str = "") -> Moment:
    return parse_time(raw, fetched_at=fetched_at, zone=zone, hint_url=hint_url)


def shown(moment: Moment) -> str:
    """Local time as far as it is precise, or the problem in brackets."""
    if moment.at is None:
        return f"[{moment.problem}]"
    digits = {"second": 19, "minute": 16, "day": 10}[moment.precision]
    return moment.at.astimezone(SHANGHAI).isoformat(" ")[:digits]


TIMES = [
    pytest.param("2016/6/29 15:07:41", "2016-06-29 15:07:41", id="T01"),
    pytest.param("2022年1月23日 20:41", "2022-01-23 20:41", id="T02"),
    pytest.param("1640773581", "2021-12-29 18:26:21", id="T03-seconds"),
    pytest.param("1640773581000", "2021-12-29 18:26:21", id="T03-milliseconds"),
    pytest.param("Thu, 15 Sep 2022 16:58:07 CST", "2022-09-15 16:58:07", id="T04"),
    pytest.param("Thu Sep 15 16:58:07 CST 2022", "2022-09-15 16:58:07", id="T04-java"),
    pytest.param("2022-09-15 16:58:07 北京时间", "2022-09-15 16:58:07", id="T04-words"),
    pytest.param("2022-01-23 20:41:04", "2022-01-23 20:41:04", id="T05"),
    pytest.param("0000-00-00 00:00:00", "[sentinel]", id="T06"),
    pytest.param("2022-02-30 10:00", "[invalid]", id="T07-no-such-day"),
    pytest.param("2022-01-23 24:00", "2022-01-24 00:00", id="T07-midnight"),
    pytest.param("2022-01-23 24:30", "[invalid]", id="T07-no-such-hour"),
    pytest.param("今天 08:23", "2022-09-20 08:23", id="T08-today"),
    pytest.param("昨天", "2022-09-19", id="T08-yesterday"),
    pytest.param("前天 21:05", "2022-09-18 21:05", id="T08-before"),
    pytest.param("5分钟前", "2022-09-20 08:55", id="T08-minutes"),
    pytest.param("2小时前", "2022-09-20", id="T08-hours"),
    pytest.param("3天前", "2022-09-17", id="T08-days"),
    pytest.param("刚刚", "2022-09-20 09:00", id="T08-now"),
    pytest.param("2个月前", "[vague]", id="T08-vague"),
    pytest.param("01-23 20:41", "2022-01-23 20:41", id="T09"),
    pytest.param("12-31 23:59", "2021-12-31 23:59", id="T09-last-year"),
    pytest.param("1月23日 20:41", "2022-01-23 20:41", id="T10"),
    pytest.param("1970-01-01 00:00:00", "[sentinel]", id="T11"),
    pytest.param("1970-01-01T08:00:00+08:00", "[sentinel]", id="T11-shifted"),
    pytest.param("0001-01-01T00:00:00", "[sentinel]", id="T11-dotnet"),
    pytest.param("2099-12-31 00:00:00", "[future]", id="T12"),
    pytest.param("2022-09-21", "[future]", id="T12-tomorrow"),
    pytest.param("2022-09-20 09:10", "2022-09-20 09:10", id="T12-a-clock-ahead"),
    pytest.param("2016-12-31 23:59:60", "2017-01-01 00:00:00", id="T19"),
]


@pytest.mark.parametrize(("raw", "expected"), TIMES)
def test_times(raw, expected):
    moment = read(raw)
    assert shown(moment) == expected
    assert moment.raw == raw
    assert (moment.at is None) == bool(moment.problem)


FORMS = [
    ("二〇二一年十二月二十九日", "2021-12-29"),
    ("24/11/2021 17:18", "2021-11-24 17:18"),
    ("11/12/2021 17:18", "[unreadable]"),
    ("08/08/2021 17:18", "2021-08-08 17:18"),
    ("发布时间：二〇二一年三月五日", "2021-03-05"),
    ("二○二一年五月廿三日", "2021-05-23"),
    ("二零一九年十月三十一日 9:30", "2019-10-31 09:30"),
    ("二〇二一年二月三十日", "[invalid]"),
    ("二一年三月五日", "[unreadable]"),
    ("2012-01-17 HKT 19:37", "2012-01-17 19:37"),
    ("21:14 UTC+8, 2021-11-14", "2021-11-14 21:14"),
    ("2021-12-29 18:26:21 +0800", "2021-12-29 18:26:21"),
    ("2022-01-23T12:41:04Z", "2022-01-23 20:41:04"),
    ("2022-01-23T20:41:04.123+08:00", "2022-01-23 20:41:04"),
    ("2022-01-23T20:41:04,5+08", "2022-01-23 20:41:04"),
    ("2022.01.23", "2022-01-23"),
    ("2022年01月23日", "2022-01-23"),
    ("2022 年 1 月 23 日 20 时 41 分 04 秒", "2022-01-23 20:41:04"),
    ("2022年1月23日 下午8:41", "2022-01-23 20:41"),
    ("2022年1月23日星期日 上午8:41", "2022-01-23 08:41"),
    ("2022-01-23（周日）20:41", "2022-01-23 20:41"),
    ("2022-01-23 凌晨12:05", "2022-01-23 00:05"),
    ("2022-01-23 中午12:05", "2022-01-23 12:05"),
    ("2022-01-23 晚上12:05", "[vague]"),
    ("２０２２－０１－２３　２０：４１", "2022-01-23 20:41"),
    ("发布时间：2022-01-23 20:41", "2022-01-23 20:41"),
    ("更新于 2022/1/23 8:05", "2022-01-23 08:05"),
    ("[2022-01-23 20:41]", "2022-01-23 20:41"),
    ("20220123", "2022-01-23"),
    ("20220123204104", "2022-01-23 20:41:04"),
    ("Sun, 23 Jan 2022 12:41:04 GMT", "2022-01-23 20:41:04"),
    ("23 Jan 2022 20:41 +0800", "2022-01-23 20:41"),
    ("Jan 23, 2022 8:41 PM", "2022-01-23 20:41"),
    ("January 23rd, 2022", "2022-01-23"),
    ("Sun Jan 23 2022 20:41:04 GMT+0800 (中国标准时间)", "2022-01-23 20:41:04"),
    ("2022-01-23 20:41 EST", "2022-01-24 09:41"),
    ("2022-01-23 20:41 XYZ", "[zone]"),
    ("", "[empty]"),
    ("近日", "[vague]"),
    ("总结2021年", "[unreadable]"),
    ("22-01-23", "[unreadable]"),
    ("01/23/2022", "[unreadable]"),
    ("2022-01-23 20:41 以后", "[unreadable]"),
    ("2021-12- 14:27", "[unreadable]"),
    ("2022-1-120:41", "[unreadable]"),
    ("2022-01-2320:41", "2022-01-23 20:41"),
    ("2022 - 01 - 23", "2022-01-23"),
    ("2022-13-01", "[invalid]"),
    ("12-32 10:00", "[invalid]"),
    ("一" * 10_000, "[unreadable]"),
    ("20:41 2022/1/23", "2022-01-23 20:41"),
    ("20:41:05, January 23, 2022", "2022-01-23 20:41:05"),
    ("Sun Jan 23 20:41:05 +0800 2022", "2022-01-23 20:41:05"),
    ("Sun Jan 23 12:41:05 +0000 2022", "2022-01-23 20:41:05"),
]


@pytest.mark.parametrize(("raw", "expected"), FORMS)
def test_forms(raw, expected):
    assert shown(read(raw)) == expected


def test_what_was_left_open_is_told():
    assert read("2022-01-23 20:41").assumed == ("zone",)
    assert read("01-23 20:41").assumed == ("zone", "year")
    assert read("5分钟前").assumed == ("relative",)
    assert read("1640773581").assumed == ()


@pytest.mark.parametrize(
    ("raw", "url", "expected"),
    [
        ("01-23 20:41", "https://news.example/2019-01-23/doc-1.html", "2019-01-23 20:41"),
        ("01-23 20:41", "https://news.example/201901/t20190123_7.html", "2019-01-23 20:41"),
        ("01-23 20:41", "https://news.example/2019/01/7.html", "2019-01-23 20:41"),
        ("01-23 20:41", "https://news.example/2019/02/7.html", "2022-01-23 20:41"),
        ("01-23 20:41", "https://news.example/1201901239.html", "2022-01-23 20:41"),
        ("02-29 10:00", "https://news.example/2020-02-29/7.html", "2020-02-29 10:00"),
        ("02-29 10:00", "", "[invalid]"),
    ],
)
def test_a_missing_year_is_taken_from_the_url_and_else_from_the_fetch(raw, url, expected):
    assert shown(read(raw, hint_url=url)) == expected


LINES = [
    ("来源：某某日报 2022-01-23 20:41 作者：张三", "2022-01-23 20:41", "2022-01-23 20:41"),
    ("2022年01月23日20:41  某某网", "2022-01-23 20:41", "2022年01月23日20:41"),
    ("2022-01-2320:41:04来源", "2022-01-23 20:41:04", "2022-01-2320:41:04"),
    ("某某 1月23日 20:41 APP", "2022-01-23 20:41", "1月23日 20:41"),
    ("2022-01-23 20:41 APP", "2022-01-23 20:41", "2022-01-23 20:41"),
    ("张三 · 5分钟前", "2022-09-20 08:55", "5分钟前"),
    ("2022-02-30 10:00 来源", "[invalid]", "2022-02-30 10:00"),
]


@pytest.mark.parametrize(("line", "expected", "raw"), LINES)
def test_first_time_in_a_line(line, expected, raw):
    moment = first_time(line, fetched_at=FETCHED, zone=SHANGHAI)
    assert moment is not None
    assert (shown(moment), moment.raw) == (expected, raw)


@pytest.mark.parametrize(
    "line",
    [
        "电话：010-68205756",
        "编号202112292230241158",
        "1-11月同比增长",
        "2021-2022年度",
        "版本1.2022.01.23",
        "12-31",
        "共 3/15 页",
        "",
    ],
)
def test_no_time_in_a_line(line):
    assert first_time(line, fetched_at=FETCHED, zone=SHANGHAI) is None


PARTS = [
    *(
        "2022-01-23",
        "2022年1月23日",
        "1月3日",
        "20:41",
        "8点5分",
        "5分钟前",
        "半小时前",
        "刚刚",
        "昨天",
        "上午",
        "23/01/2022",
    ),
    *("January 5, 2022", "5 Jan 2022", "周三", " ", "来源：", "（", "3", "-", "/"),
]


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join))
@example("（周三January 5, 2022")
def test_the_first_time_in_a_line_is_the_leftmost_that_any_pattern_finds(line):
    # Wide brackets are read, and told in `raw`, as narrow ones.
    plain = unicodedata.normalize("NFKC", line)
    found = [match for pattern, _ in INSIDE if (match := pattern.search(plain))]
    moment = first_time(line, fetched_at=FETCHED, zone=SHANGHAI)
    if not found:
        assert moment is None
    else:
        assert moment is not None
        assert moment.raw == min(found, key=lambda match: (match.start(), -match.end()))[0].strip()


@pytest.mark.parametrize("line", ["2022-" * 20_000, " " * 50_000 + "2022 年" + " " * 50_000, "今天 " + "1" * 50_000])
def test_a_hostile_line_costs_nothing(line):
    assert first_time(line, fetched_at=FETCHED, zone=SHANGHAI) is None


def test_scheduled_and_updated_times_are_left_to_the_reader_of_the_page():  # T15, T16
    assert read("2022-09-20 09:05").at > FETCHED
    assert read("更新时间：2022-09-01 10:00").at < read("2022-09-02 10:00").at


def test_day_is_the_sources_and_not_utcs():  # T20
    at = datetime(2021, 12, 31, 15, 59, tzinfo=UTC)
    assert day_of(at, SHANGHAI) == date(2021, 12, 31)
    assert day_of(at + timedelta(minutes=1), SHANGHAI) == date(2022, 1, 1)


@pytest.mark.parametrize("machine_zone", ["America/New_York", "UTC", "Asia/Shanghai"])
def test_machine_zone_does_not_matter(machine_zone):  # T17: the hour that New York has twice
    code = (
        "from datetime import datetime; from zoneinfo import ZoneInfo; from articles.dates import parse_time;"
        "z = ZoneInfo('Asia/Shanghai'); f = datetime(2021, 11, 8, tzinfo=z);"
        "print([parse_time(r, fetched_at=f, zone=z).at.isoformat()"
        " for r in ('1636263000', '2021-11-07 01:30', '11-07 14:30', '3小时前')])"
    )
    environment = os.environ | {"TZ": machine_zone}
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=root, check=True
    )
    expected = ["2021-11-07T13:30:00", "2021-11-07T01:30:00", "2021-11-07T14:30:00", "2021-11-07T21:00:00"]
    assert run.stdout.strip() == str([f"{at}+08:00" for at in expected])


# From 1993 on, after China's last summer time.
instants = st.integers(725_846_400, 1_663_500_000).map(lambda seconds: datetime.fromtimestamp(seconds, SHANGHAI))


@given(
    instants,
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%a, %d %b %Y %H:%M:%S +0800"]),
)
def test_written_times_are_read_back(at, form):
    assert read(at.strftime(form)).at == at


@given(instants, st.integers(-12, 14))
def test_zones_are_kept(at, hours):
    abroad = at.astimezone(timezone(timedelta(hours=hours)))
    assert read(abroad.isoformat()).at == at


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9/:. 年月日T+-]{1,30}", fullmatch=True)), instants)
def test_nothing_raises_and_no_time_is_of_the_future(raw, fetched_at):
    for moment in (read(raw, fetched_at=fetched_at), first_time(raw, fetched_at=fetched_at, zone=SHANGHAI)):
        if moment is not None and moment.at is not None:
            assert moment.at.tzinfo is not None
            assert moment.at <= fetched_at + TOLERANCE
            assert moment.precision != "none"

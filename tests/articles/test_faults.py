"""Rows E and T of the fault list on whole pages, from bytes to row; and that no row of E, T and H is without a test.

The parts have tests of their own (decode: E, dates: T, extract: H). Here a fault meets everything at once: what decode
got right may still be lost in the body, and a time that parses may not be the one that is chosen.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from articles.decode import ERRORS, GARBLED, LABEL_WRONG
from articles.extract import extract
from articles.records import Article, Listed, Page
from articles.source import UNKNOWN, Source

SHANGHAI = ZoneInfo("Asia/Shanghai")
FETCHED = datetime(2022, 9, 20, 9, 0, 30, tzinfo=SHANGHAI)
TITLE = "某省外贸进出口增长一成"
LINES = [
    "某省商务厅表示，今年以来外贸进出口总额同比增长，企业利润稳步回升，市场对政策的反应积极。",
    "分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，结构也将继续改善。",
]
TRADITIONAL = [
    "台灣中央銀行表示，今年經濟成長優於預期，出口與投資同時回升，市場對利率決策反應平穩。",
    "分析師認為，隨著海外需求恢復，下半年的增速可望繼續回升，結構也將繼續改善。",
]


def html(lines: list[str], *, title: str = TITLE, charset: str = "", byline: str = "", head: str = "") -> str:
    meta = f'<meta charset="{charset}">' if charset else ""
    body = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f"<html><head>{meta}<title>{title}_某某网</title>{head}</head><body><h1>{title}</h1>"
        f"<div class='info'>{byline}</div><div class='content'>{body}</div></body></html>"
    )


def read(
    body: bytes | str,
    *,
    header: str | None = None,
    listed: Listed | None = None,
    form: str = "html",
    source: Source = UNKNOWN,
    url: str = "https://news.example/a/1.html",
    fetched_at: datetime = FETCHED,
) -> Article:
    page = Page(
        source=source.id,
        url=url,
        final_url=url,
        status=200,
        headers={"content-type": f"text/html; charset={header}"} if header else {},
        body=body if isinstance(body, bytes) else body.encode(),
        form=form,
        fetched_at=fetched_at,
        listed=listed or Listed(),
    )
    article = extract(page, source)
    assert isinstance(article, Article), article
    return article


# ── encodings ────────────────────────────────────────────────────────────────────────────────────────────────────────

RARE = ["朱镕基、王喆二人出席，" + LINES[0], LINES[1]]
LONG = ["𠮷野家表示，" + LINES[0], LINES[1]]
EURO = ["每吨报价1000€，" + LINES[0], LINES[1]]
OLD = ["國內\ue000版，" + LINES[0], LINES[1]]
# NFC itself replaces most compatibility ideographs; these are kept, as are letters of private use on two planes.
COMPATIBLE = [f"报价㈱三①号㎡\U0010fffd𗀀\ue863，{LINES[0]}", LINES[1]]
MOJIBAKE = [line.encode().decode("gb18030", "ignore") for line in LINES]

# Row, bytes, label in the HTTP header, the lines that must be the text, flags that must be there.
ENCODINGS = [
    pytest.param(html(RARE).encode("gbk"), "gb2312", RARE, [], id="E01"),
    pytest.param(html(LONG).encode("gb18030"), "gb2312", LONG, [], id="E02"),
    pytest.param(html(LINES).encode("gbk"), None, LINES, [], id="E03"),
    pytest.param(html(LINES, charset="utf-8").encode("gbk"), "utf-8", LINES, [LABEL_WRONG], id="E04"),
    pytest.param(html(LINES, charset="gbk"), "gbk", LINES, [LABEL_WRONG], id="E05"),
    pytest.param(
        html(LINES).encode("gbk").replace(b"</body>", b"<div id='footer'>\xff\xe9\xa1\xb5\xe8\x84\x9a</div></body>"),
        "gbk",
        LINES,
        [ERRORS],
        id="E06",
    ),
    pytest.param(html(TRADITIONAL, title="央行維持利率不變的說明").encode("big5"), None, TRADITIONAL, [], id="E07"),
    pytest.param(html(EURO).replace("€", "@@").encode("gbk").replace(b"@@", b"\x80"), "gbk", EURO, [], id="E08"),
    pytest.param(
        html([f"\ufeff\u200b{LINES[0]}\0\x01", f"\u3000\u3000{LINES[1]}\u200b\x0b"]), None, LINES, [], id="E09"
    ),
    pytest.param(html(OLD), "utf-8", OLD, [], id="E11"),
    pytest.param(html(COMPATIBLE), "utf-8", COMPATIBLE, [], id="E11-compatible"),
    pytest.param(html(MOJIBAKE), "utf-8", None, [GARBLED], id="E12"),
]


@pytest.mark.parametrize(("body", "header", "lines", "flags"), ENCODINGS)
def test_encodings_of_whole_pages(body, header, lines, flags):
    article = read(body, header=header)
    if lines is not None:
        assert article.text.split("\n") == lines
    assert [flag for flag in (LABEL_WRONG, ERRORS, GARBLED) if flag in article.flags] == flags


@pytest.mark.parametrize("form", ["fragment", "post", "text"], ids=lambda form: f"E10-{form}")
def test_a_label_is_not_believed_in_other_forms_either(form):
    bodies = {
        "fragment": "".join(f"<p>{line}</p>" for line in LINES),
        "post": f"---\ntitle: {TITLE}\ndate: 2022-09-01 10:00:00 +0800\n---\n\n" + "\n\n".join(LINES),
        "text": "\n".join([TITLE, *LINES]),
    }
    listed = Listed(title=TITLE) if form == "fragment" else Listed()
    article = read(bodies[form].encode("gbk"), form=form, header="utf-8", listed=listed)
    assert (article.title, article.text.split("\n")) == (TITLE, LINES)


def test_mojibake_is_not_repaired():  # E12
    assert "某省" not in read(html(MOJIBAKE)).text


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# Row, what the page displays under its headline, local time as far as it is known.
DISPLAYED = [
    pytest.param("2016/6/29 15:07:41", "2016-06-29 15:07:41", id="T01"),
    pytest.param("2022年1月23日 20:41", "2022-01-23 20:41", id="T02"),
    pytest.param("2022-09-15 16:58:07 CST", "2022-09-15 16:58:07", id="T04"),
    pytest.param("2022-01-23 20:41:04", "2022-01-23 20:41:04", id="T05"),
    pytest.param("0000-00-00 00:00:00", None, id="T06"),
    pytest.param("2022-02-30 10:00", None, id="T07-no-such-day"),
    pytest.param("2022-01-23 24:00", "2022-01-24 00:00", id="T07-midnight"),
    pytest.param("今天 08:23", "2022-09-20 08:23", id="T08-today"),
    pytest.param("昨天 21:05", "2022-09-19 21:05", id="T08-yesterday"),
    pytest.param("5分钟前", "2022-09-20 08:55", id="T08-minutes"),
    pytest.param("01-23 20:41", "2022-01-23 20:41", id="T09"),
    pytest.param("12-31 23:59", "2021-12-31 23:59", id="T09-last-year"),
    pytest.param("1月23日 20:41", "2022-01-23 20:41", id="T10"),
    pytest.param("1970-01-01 08:00:00", None, id="T11"),
    pytest.param("2099-12-31 00:00:00", None, id="T12"),
    pytest.param("2022-09-21 10:00", None, id="T12-tomorrow"),
    pytest.param("2016-12-31 23:59:60", "2017-01-01 00:00:00", id="T19"),
]


@pytest.mark.parametrize(("shown", "expected"), DISPLAYED)
@pytest.mark.parametrize("way", ["displayed", "list"])
def test_times_of_whole_pages(shown, expected, way):
    if way == "displayed":
        article = read(html(LINES, byline=f"<span class='time'>{shown}</span> 来源：某某时报"))
    else:
        article = read(html(LINES), listed=Listed(published=shown))
    assert local(article) == expected
    assert article.text.split("\n") == LINES
    if expected is not None:
        assert article.date == date.fromisoformat(expected[:10])


@pytest.mark.parametrize("raw", ["1640773581", "1640773581000"], ids=["T03-seconds", "T03-milliseconds"])
def test_unix_times_come_from_lists_and_metas(raw):
    assert local(read(html(LINES), listed=Listed(published=raw))) == "2021-12-29 18:26:21"
    meta = f"<meta property='article:published_time' content='{raw}'>"
    assert local(read(html(LINES, head=meta))) == "2021-12-29 18:26:21"


@pytest.mark.parametrize("tz", ["Asia/Shanghai", "America/New_York"], ids=lambda tz: f"T05-{tz}")
def test_a_time_without_zone_is_the_sources(tz):
    source = Source(id="known", name="某某网", hosts=[], tz=tz)
    article = read(html(LINES, byline="2022-01-23 20:41:04 来源：某某时报"), source=source)
    assert article.published_at == datetime(2022, 1, 23, 20, 41, 4, tzinfo=ZoneInfo(tz))
    assert article.date == date(2022, 1, 23)


@pytest.mark.parametrize("way", ["displayed", "list"], ids=lambda way: f"T12-flag-{way}")
def test_a_time_of_the_future_is_flagged(way):
    shown = "2099-12-31 00:00:00"
    article = (
        read(html(LINES, byline=f"{shown} 来源：某某时报"))
        if way == "displayed"
        else read(html(LINES), listed=Listed(published=shown))
    )
    assert "date_future" in article.flags
    assert "date_future" not in read(html(LINES)).flags


INVENTED = {
    "T13": html(["总结2021年，" + LINES[0], "2021年1月1日起施行的新规效果显现。" + LINES[1]]),
    "T14": html(LINES)
    .replace("</body>", "<ul><li><a href='/1'>旧闻</a> 2020-01-01 10:00</li></ul></body>")
    .replace("</body>", "<div class='footer'>版权所有 © 2008-2020 某某网 2019-05-05 备案号20100101</div></body>"),
}


@pytest.mark.parametrize("row", INVENTED)
def test_no_time_is_taken_from_text_or_footer(row):
    article = read(INVENTED[row])
    assert (article.published_at, article.published_precision, article.date) == (None, "none", None)


def test_a_scheduled_post_keeps_its_time():
    soon = FETCHED + timedelta(minutes=5)
    article = read(html(LINES, byline=f"{soon:%Y-%m-%d %H:%M} 来源：某某时报"))
    assert local(article) == f"{soon:%Y-%m-%d %H:%M}"


EARLY_UPDATE = "<meta property='article:modified_time' content='2022-09-01T10:00:00+08:00'>"


def test_an_update_before_publication_is_kept():
    article = read(html(LINES, head=EARLY_UPDATE, byline="2022-09-02 10:00 来源：某某时报"))
    assert local(article) == "2022-09-02 10:00"
    assert article.updated_at == datetime(2022, 9, 1, 2, 0, tzinfo=UTC)


ODD_ORDER = [
    pytest.param(f"{FETCHED + timedelta(minutes=5):%Y-%m-%d %H:%M}", "", ("date_ahead",), id="T15"),
    pytest.param(f"{FETCHED:%Y-%m-%d %H:%M}", "", (), id="T15-now"),
    pytest.param("2022-09-02 10:00", EARLY_UPDATE, ("update_first",), id="T16"),
    pytest.param("2022-09-01 10:00", EARLY_UPDATE, (), id="T16-same-minute"),
    pytest.param("2022-09-01", EARLY_UPDATE, (), id="T16-same-day"),
]


@pytest.mark.parametrize(("shown", "head", "flags"), ODD_ORDER)
def test_times_in_an_impossible_order_are_flagged(shown, head, flags):
    assert read(html(LINES, head=head, byline=f"{shown} 来源：某某时报")).flags == flags


@pytest.mark.parametrize("machine_zone", ["America/New_York", "UTC", "Asia/Tokyo"], ids=lambda zone: f"T17-{zone}")
def test_the_zone_of_the_machine_changes_no_row(machine_zone, monkeypatch):
    """In the hour that New York has twice."""
    fetched_at = datetime(2021, 11, 7, 5, 30, tzinfo=UTC)
    pages = [html(LINES, byline=f"{shown} 来源：某某时报") for shown in ("3小时前", "11-07 01:30", "今天 09:00")]
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    at_home = [read(page, fetched_at=fetched_at) for page in pages]
    monkeypatch.setenv("TZ", machine_zone)
    time.tzset()
    try:
        assert [read(page, fetched_at=fetched_at) for page in pages] == at_home
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("shown", "day"),
    [
        pytest.param("2021-12-31 23:59:59", date(2021, 12, 31), id="T20-last-second"),
        pytest.param("2022-01-01 00:00:00", date(2022, 1, 1), id="T20-first-second"),
        pytest.param("2021-12-31T16:00:00Z", date(2022, 1, 1), id="T20-utc"),
    ],
)
def test_the_partition_is_the_sources_own_day(shown, day):
    assert read(html(LINES), listed=Listed(published=shown)).date == day


def local(article: Article) -> str | None:
    if article.published_at is None:
        return None
    digits = {"second": 19, "minute": 16, "day": 10}[article.published_precision]
    return article.published_at.astimezone(SHANGHAI).isoformat(" ")[:digits]

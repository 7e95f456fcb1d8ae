"""Fields of invented pages: every witness, and which one goes first."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from articles.canonical import read_runs
from articles.extract import extract
from articles.fields import images_of
from articles.headline import find_headline, read_head, without_site
from articles.language import language_of
from articles.records import Listed, Page
from articles.scene import Found
from articles.source import UNKNOWN
from articles.symbols import symbols_of
from articles.times import Clock, choose_time, fill_from_url

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
CLOCK = Clock(NOW, ZoneInfo("Asia/Shanghai"), "https://news.example/a/1.html")
NOTHING_LISTED = Listed()
PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
TITLE = "某省外贸进出口增长一成"
BODY = (
    "<p>全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快，企业信心增强。</p>"
    "<p>分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，结构也将继续改善。</p>"
)


def article(
    html="",
    *,
    head="",
    behind="",
    title=TITLE,
    url="https://news.example/story",
    listed=NOTHING_LISTED,
    source=UNKNOWN,
):
    page = (
        f"<html><head><title>{title}_某某网</title>{head}</head><body>"
        "<div class='crumb'>首页 &gt; 财经 &gt; 外贸 &gt; 正文</div>"
        f"<h1>{title}</h1>{html}<div class='content'>{BODY}</div>{behind}</body></html>"
    )
    found = extract(
        Page(source=source.id, url=url, final_url=url, status=200, body=page.encode(), fetched_at=NOW, listed=listed),
        source,
    )
    assert found.title  # an article, no refusal
    return found


def local(at):
    return at.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")


# ── title ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("html", "title"),
    [
        (f"<title>{TITLE} - 某某网</title><h1>{TITLE}</h1>", TITLE),
        (f"<title>某某网_{TITLE}</title><div class='main-title'>{TITLE}</div>", TITLE),
        (f"<title>{TITLE}_财经频道_某某网</title><p>正文</p>", TITLE),
        (f"<meta property='og:title' content='{TITLE}'><title>某某网</title>", TITLE),
        (f"<title>{TITLE}...-某某网</title><h2>{TITLE}：企业信心增强</h2>", f"{TITLE}：企业信心增强"),
        (f"<title>{TITLE}</title><a href='/'>{TITLE}</a><h1>{TITLE}</h1>", TITLE),
        (f"<title>{TITLE}-某某网</title><h1>某某网</h1><h2>{TITLE}</h2>", TITLE),
    ],
    ids=["h1", "site in front", "suffixes", "og", "cut short", "link and h1", "logo in h1"],
)
def test_the_title_is_the_headline_without_the_site(html, title):
    tree = etree.fromstring(html.encode(), PARSER)
    assert find_headline(read_head(tree), read_runs(tree)).text == title


def test_the_site_name_is_no_title():
    metas = "<meta property='og:title' content='某某网'><meta property='og:site_name' content='某某网'>"
    html = f"{metas}<title>{TITLE}</title><h1>{TITLE}</h1>"
    tree = etree.fromstring(html.encode(), PARSER)
    assert find_headline(read_head(tree), read_runs(tree)).text == TITLE


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("某公司业绩增长|财报_某某网", "某公司业绩增长"),
        ("某公司：业绩增长", "某公司：业绩增长"),
        ("对话王某——从零开始的十年创业路_人物_某某网", "对话王某——从零开始的十年创业路"),
    ],
)
def test_suffixes_go_only_where_they_name_a_site(title, bare):
    assert without_site(title) == bare


def test_the_list_names_the_title_of_a_page_that_has_none():
    assert article(title="", listed=Listed(title=TITLE)).title == TITLE


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("html", "head", "listed", "url", "expected", "precision"),
    [
        ("<p>2025-09-26 12:11 来源：某某时报</p>", "", None, "", "2025-09-26 12:11:00", "minute"),
        (
            "<p>2025年9月26日 12:11</p>",
            "<meta property='article:published_time' content='2025-09-26T12:11:37+08:00'>",
            None,
            "",
            "2025-09-26 12:11:37",
            "second",
        ),
        (
            "<p>2025年9月26日 12:11</p>",
            "<meta property='article:published_time' content='2025-09-26T12:19:37+08:00'>",
            None,
            "",
            "2025-09-26 12:11:00",
            "minute",
        ),
        (
            "",
            "<meta name='publishdate' content='2025-09-26'>",
            "2025-09-26 12:11:05",
            "",
            "2025-09-26 12:11:05",
            "second",
        ),
        (
            "",
            '<script type="application/ld+json">{"datePublished": "2025-09-26T12:11:37+08:00"}</script>',
            None,
            "",
            "2025-09-26 12:11:37",
            "second",
        ),
        (
            "<div style='display:none'><b id='pubtime_baidu'>2025-09-26 12:11:37</b></div>",
            "",
            None,
            "",
            "2025-09-26 12:11:37",
            "second",
        ),
        ("", "", "Fri, 26 Sep 2025 04:11:37 GMT", "", "2025-09-26 12:11:37", "second"),
        ("", "", None, "https://news.example/2025-09/26/content_1.htm", "2025-09-26 00:00:00", "day"),
        ("<p>2小时前</p>", "", None, "", "2026-01-02 09:04:00", None),
    ],
    ids=[
        "visible",
        "seconds from meta",
        "meta of another minute",
        "list finer than meta",
        "json",
        "undisplayed",
        "list",
        "url",
        "relative",
    ],
)
def test_times_come_from_their_witnesses_in_order(html, head, listed, url, expected, precision):
    found = article(html, head=head, url=url or "https://news.example/story", listed=Listed(published=listed))
    assert local(found.published_at) == expected
    assert precision is None or found.published_precision == precision


def test_conflicting_witnesses_are_flagged():
    found = article("<p>2025-09-26 12:11</p>", head="<meta name='publishdate' content='2025-09-20'>")
    assert local(found.published_at).startswith("2025-09-26")
    assert "date_conflict" in found.flags


def test_a_time_without_a_year_is_no_later_than_the_update():
    found = article("<p>发布时间：09-30 22:46</p>", head="<meta itemprop='dateUpdate' content='2019-09-30 22:46:13'>")
    # The update of the same minute lends its seconds.
    assert local(found.published_at) == "2019-09-30 22:46:13"


@pytest.mark.parametrize(
    ("html", "behind", "expected"),
    [
        ("<p>发布时间：18-03-08<span>23:16</span></p>", "", "2018-03-08 23:16:00"),
        ("<p>当前时间：2025-12-01 10:00</p><p>2025-09-26 12:11</p>", "", "2025-09-26 12:11:00"),
        ("", "<p>版权说明 来源：某某报 时间：2025-09-23 14:34:05 作者：</p>", "2025-09-23 14:34:05"),
        ("", "<p>(2025-09-23 20:00) 晚间新闻</p>", "2025-09-23 20:00:00"),
    ],
)
def test_times_in_unusual_places(html, behind, expected):
    assert local(article(html, behind=behind).published_at) == expected


def test_update_times_are_kept_apart():
    found = article(
        "<p>2025-09-26 12:11</p>", head="<meta property='article:modified_time' content='2025-09-26T15:00:00+08:00'>"
    )
    assert local(found.updated_at) == "2025-09-26 15:00:00"
    assert local(found.published_at) == "2025-09-26 12:11:00"


@pytest.mark.parametrize("row", ["T13", "T14"])
def test_faults(row):
    html = {
        "T13": "<p>总结2021年，全省外贸增长一成，2021-01-01 起施行的新规效果显现，企业普遍受益。</p>",
        "T14": "",
    }[row]
    behind = {
        "T13": "",
        "T14": "<ul><li><a href='/1'>旧闻</a> 2020-01-01 10:00</li></ul><p>Copyright © 2008-2020 某某网 2019-05-05</p>",
    }[row]
    body = f"<h1>{TITLE}</h1><div class='content'>{html}{BODY}</div>{behind}"
    page = f"<html><head><title>{TITLE}</title></head><body>{body}</body></html>"
    found = extract(
        Page(
            source="local", url="https://news.example/x", final_url="", status=200, body=page.encode(), fetched_at=NOW
        ),
        UNKNOWN,
    )
    assert found.published_at is None
    assert found.published_precision == "none"


def test_the_url_is_asked_last():
    found = Found()
    fill_from_url(found, Clock(NOW, ZoneInfo("Asia/Shanghai"), "https://news.example/20250926/1.html"))
    assert local(found.published.at) == "2025-09-26 00:00:00"
    assert choose_time([], found) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/a/202509261234567890.html",
        "https://news.example/20259926/1.html",
        "https://news.example/id/12025092",
    ],
)
def test_digits_in_a_url_are_no_day(url):
    found = Found()
    fill_from_url(found, Clock(NOW, ZoneInfo("Asia/Shanghai"), url))
    assert found.published is None or url.endswith("890.html")


# ── people and media ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("html", "behind", "publisher", "author", "editor"),
    [
        ("<p>2025-09-26 12:11 来源：某某时报 作者：王一鸣</p>", "<p>责任编辑：李昂</p>", "某某时报", "王一鸣", "李昂"),
        (
            "<p><span>2025-09-26 12:11</span> 来源: <a href='/s'>某某周刊</a><a href='/r'>举报</a></p>",
            "",
            "某某周刊",
            None,
            None,
        ),
        ("<p><span class='date'>2025-09-26</span><span class='source'>某某研究</span></p>", "", "某某研究", None, None),
        (
            "<p><span class='date'>2025-09-26</span><span class='author-name'>陈一鸣</span></p>",
            "",
            None,
            "陈一鸣",
            None,
        ),
        ("<p>2025-09-26 10:37 某某网</p>", "", "某某网", None, None),
        ("<p>摘自某某时报</p>", "", "某某时报", None, None),
        ("<p>某某社记者 王一鸣</p>", "<p>【编辑:邵婉云】</p>", "某某社", "王一鸣", "邵婉云"),
        ("<p>本社记者 王一鸣</p>", "", None, "王一鸣", None),
        ("<p><span class='author'>某某财经 王一鸣</span> 2025-09-26 12:11</p>", "", "某某财经", "王一鸣", None),
        ("<p><span class='author'>某某报 记者 王一鸣 编辑 李昂</span></p>", "", "某某报", "王一鸣", "李昂"),
        ("<p>来源：某部网（某省新闻网）</p>", "", "某部网（某省新闻网）", None, None),
        ("<p>(某某资讯 2025/09/26 12:11:00)</p>", "", "某某资讯", None, None),
        ("<p>文 / 王一鸣\t2025-09-26 12:11</p>", "", None, "王一鸣", None),
        ("", "<p><a href='/1'>又一条新闻的标题</a></p><p>记者：王一鸣</p>", None, "王一鸣", None),
        ("", "<p>责任编辑：李昂 021-00000000</p>", None, None, "李昂"),
        # Who posts on a platform.
        ("<p><a href='/u/1'>一勺盐</a> 2025-09-26 12:11 来源：某某汇</p>", "", "某某汇", "一勺盐", None),
        ("<p><a href='/u/1'>一勺盐</a></p><p>2025-09-26 12:11 阅读 812</p>", "", None, "一勺盐", None),
        ("", "<p>本文来源：某某新闻 责任编辑：史建磊_NB1</p>", "某某新闻", None, "史建磊_NB1"),
        ("<p>来源：http://www.example.com</p>", "", None, None, None),
        ("<p><span class='author'>编辑部</span></p>", "", None, None, None),
        # Whoever stands where the author should and is none.
        ("<p>作者：某某网 2025-09-26 12:11</p>", "", "某某网", None, None),
        ("<p>来源：某某网 作者：某某网</p>", "", "某某网", None, None),
        ("<p>国内 | 国际 | 原创 | 个股 | 基金 | 银行</p><p>来源：某某网</p>", "", "某某网", None, None),
        ("<p>来源：资料图</p><p><span class='source'>某某网</span></p>", "", "某某网", None, None),
        ("<p>来自甘肃</p>", "", None, None, None),
        # How else they are written.
        ("<p>2025-09-26 12:11 某某网站</p>", "", "某某网站", None, None),
        ("<p>某某醒報 (2025-09-26 12:11)</p>", "", "某某醒報", None, None),
        ("<p>某某网 <a href='/x'>何一</a> 2025-09-26 12:11</p>", "", "某某网", "何一", None),
        ("<p><span class='from'>来源 某某网 廖一鸣</span></p>", "", "某某网", None, None),
        ("<p>作者：林一鸣 文字大小：大 中 小</p>", "", None, "林一鸣", None),
        ("", "<p>(作者：方敏北京大学某某学院教授)</p>", None, "方敏", None),
        ("", "<p>（编辑：李昂 王明）</p><p>【责任编辑：李昂】</p>", None, None, "李昂 王明"),
        ("", "<p>责任编辑：\ufffd\ufffd昂</p>", None, None, None),
    ],
)
def test_who_published_wrote_and_edited(html, behind, publisher, author, editor):
    found = article(html, behind=behind)
    assert (found.publisher, found.author, found.editor) == (publisher, author, editor)


def test_a_feed_of_an_account_names_the_account():
    found = article(listed=Listed(publisher="一勺盐 的某乎动态"))
    assert (found.publisher, found.author) == ("一勺盐 的某乎动态", None)
    assert article(listed=Listed(publisher="一勺盐（微信公众号）")).publisher == "一勺盐"
    found = article(listed=Listed(publisher="一勺盐 的雪球全部动态"))
    assert (found.publisher, found.author) == (None, "一勺盐")


def test_who_runs_the_site_is_the_publisher_only_where_it_is_displayed():
    head = '<script type="application/ld+json">{"publisher":{"@type":"Organization","name":"某某早报"}}</script>'
    assert article(head=head).publisher is None
    assert article("<p>某某早报 | 2025-09-26 12:11</p>", head=head).publisher == "某某早报"
    assert article("<p>来源：某某时报</p>", head=head).publisher == "某某时报"


@pytest.mark.parametrize(
    ("html", "time"),
    [
        ("<p class='time'>编辑于 2025-09-26 20:55</p><p class='time'>发布于 2025-09-26 20:10</p>", "2025-09-26 20:10"),
        ("<p class='time'>编辑于 2025-09-26 20:55</p>", "2025-09-26 20:55"),
        ("<p>更新：2025-09-27 20:55 | 發佈：2025-09-26 20:10</p>", "2025-09-26 20:10"),
        ("<p>更新時間｜2025.09.27 20:55 臺北時間</p><p>發布時間　2025.09.26 20:10 臺北時間</p>", "2025-09-26 20:10"),
        ("<p>2025. 09. 26 PM 8:10</p>", "2025-09-26 20:10"),
        # A page of another country, which says so; Greenwich is said by pages of all countries.
        ("<p>2025-09-26 14:28</p><meta property='og:time' content='2025-09-26T14:28:00+09:00'>", "2025-09-26 13:28"),
        ("<p>级别: 队员 注册: 2012-03-08</p><p>2025-09-26 20:10</p>", "2025-09-26 20:10"),
        ("<p>2025-09-26 14:28</p><meta property='og:time' content='2025-09-26T14:28:14+09:00'>", "2025-09-26 13:28"),
        ("<p>2025-09-26 14:28</p><meta property='og:time' content='2025-09-26T14:28:00+00:00'>", "2025-09-26 14:28"),
        (f"<script>var d={{'title': '{TITLE}', 'pubtime': '2025-09-26 20:10:51'}}</script>", "2025-09-26 20:10"),
        # What a page displays may leave the year or the day to whoever reads it now.
        ("<p><time datetime='2025-04-05T20:10:00+08:00'>3小时前</time></p>", "2025-04-05 20:10"),
        ("<p><span itemprop='datePublished' content='2025-04-05 20:10'>4月5日 20:10</span></p>", "2025-04-05 20:10"),
        ("<p>04-05 20:10</p><meta property='og:time' content='2024-04-05 20:10'>", "2024-04-05 20:10"),
        ("<p>26/09/2025 20:10</p>", "2025-09-26 20:10"),
        ("<p>某日 04-05 20:10</p><script>var a={timestamp:1586088600}</script>", "2020-04-05 20:10"),
        ("<p>某日 04-05 20:10</p><script>var a={timestamp:1586088660}</script>", "2025-04-05 20:10"),
    ],
)
def test_which_of_several_times_it_is(html, time):
    found = article(html).published_at
    assert found is not None
    assert f"{found.astimezone(UNKNOWN.zone):%Y-%m-%d %H:%M}" == time


def test_the_list_fills_in_what_the_page_does_not_say():
    found = article(
        listed=Listed(publisher="某某时报", author="王一鸣", section="要闻", summary="摘要一句", tags=("外贸",))
    )
    assert (found.publisher, found.author, found.summary, found.tags) == ("某某时报", "王一鸣", "摘要一句", ("外贸",))


@pytest.mark.parametrize("author", ["某网newtalk | 王一鸣 综合報導", "王一鸣｜某网newtalk"])
def test_the_list_names_a_person_beside_the_medium(author):
    found = article(listed=Listed(author=author))
    assert (found.publisher, found.author) == ("某网newtalk", "王一鸣")


def test_meta_names_what_nobody_displays():
    head = (
        "<meta name='mediaid' content='某某日报'><meta name='author' content='王一鸣'>"
        "<meta name='description' content='一句话'>"
        "<meta name='keywords' content='外贸, 出口,增长'>"
    )
    found = article(head=head)
    assert (found.publisher, found.author, found.summary) == ("某某日报", "王一鸣", "一句话")
    assert found.tags == ("外贸", "出口", "增长")


def test_an_editor_beside_the_time_is_not_the_author():
    line = "<div>来源：<span>某某报</span> 时间：<span>2026-01-01 15:42</span> 编辑：<span>韩某满</span></div>"
    found = article(line)
    assert (found.publisher, found.author, found.editor) == ("某某报", None, "韩某满")


def test_a_meta_that_repeats_the_editor_names_no_author():
    found = article(head="<meta name='author' content='李昂'>", behind="<p>责任编辑：李昂</p>")
    assert (found.author, found.editor) == (None, "李昂")


def test_the_section_is_the_last_breadcrumb():
    assert article().section == "外贸"


@pytest.mark.parametrize(
    "crumbs",
    [
        "<p class='crumb'><a href='/'>首页</a> &gt; <a href='/w'>外贸</a> &gt; 正文 申请入驻</p>",
        "<p class='crumb'><a href='/'>首页</a> &gt; <a href='/w'>外贸</a> &gt; 正文 <a href='/r'>申请入驻</a></p>",
        "<p class='crumb'>您的位置：<a href='/'>首页</a> &gt; <a href='/w'>外贸</a> &gt;&gt; 大 中 小</p>",
        "<p class='crumb'>您的位置：首页 &gt; 外贸 &gt;</p>",
    ],
)
def test_no_button_behind_the_breadcrumbs_is_a_section(crumbs):
    tree = etree.fromstring(f"<body>{crumbs}<h1>{TITLE}</h1>{BODY}</body>".encode(), PARSER)
    page = etree.tostring(tree)
    found = extract(
        Page(source="local", url="https://news.example/s", final_url="", status=200, body=page, fetched_at=NOW), UNKNOWN
    )
    assert found.section == "外贸"


def test_pictures_of_the_body_have_absolute_addresses():
    inside = "<img data-src='/a.jpg' src='data:image/gif;base64,R0'><img src='//cdn.example/b.jpg'><p>乙</p>"
    tree = etree.fromstring(f"<img src='/logo.png'><p>甲</p>{inside}".encode(), PARSER)
    assert images_of(read_runs(tree).images, 1, 1, "https://news.example/x/") == (
        "https://news.example/a.jpg",
        "https://cdn.example/b.jpg",
    )


@pytest.mark.parametrize(
    ("addresses", "text", "symbols"),
    [
        (["http://quote.eastmoney.com/unify/r/1.600519"], "", ("600519.SH",)),
        (
            ["http://quote.eastmoney.com/unify/r/0.000858", "http://quote.eastmoney.com/unify/r/116.00700"],
            "",
            ("000858.SZ", "00700.HK"),
        ),
        (["http://quote.eastmoney.com/unify/r/105.NVDA"], "", ("NVDA.US",)),
        (["http://quote.eastmoney.com/unify/r/90.BK0879", "http://quote.eastmoney.com/unify/r/100.DJIA"], "", ()),
        (["http://finance.sina.com.cn/realstock/company/sh600519/nc.shtml"], "", ("600519.SH",)),
        (["http://stock.finance.sina.com.cn/usstock/quotes/BLK.html"], "", ("BLK.US",)),
        (["http://finance.sina.com.cn/realstock/company/sh000001/nc.shtml"], "", ()),
        ([], "某某股份（600519.SH）与某某科技（00700.HK）、SZ300750。", ("600519.SH", "300750.SZ", "00700.HK")),
        (["http://quotes.money.163.com/0600519.html"], "", ("600519.SH",)),
        (["http://quotes.money.163.com/1000858.html"], "", ("000858.SZ",)),
        ([], "某某股份（600519）与ST某某(300750)公告", ("600519.SH", "300750.SZ")),
        ([], "编号123456的合同，电话600519。文号（200123），见附表 (300750)。", ()),
    ],
)
def test_symbols_are_marked_or_spelled_out_never_guessed(addresses, text, symbols):
    assert set(symbols_of(addresses, text)) == set(symbols)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("这个国家的经济正在增长，企业投资意愿增强。", "zh-Hans"),
        ("這個國家的經濟正在增長，企業投資意願增強。", "zh-Hant"),
        ("Exports rose by a tenth, the ministry said.", "en"),
        ("輸出は一割増えたと発表しました。そのとおりです。", "ja"),
        ("上半年出口增一成。", "zh-Hans"),
    ],
)
def test_language_and_script_come_from_the_characters(text, language):
    assert language_of(text, "zh-Hans") == language


@pytest.mark.parametrize(
    ("above", "title"),
    [
        (f"<h3>{TITLE}</h3><p>发布时间：2025-09-26</p>", TITLE),
        # Of a box, as no time is below it.
        ("<h3>本所近期要闻一览</h3><p>更多</p>", "某某证券交易所"),
        (f"<h3>{TITLE}</h3>" + "<p>导航</p>" * 3 + "<p>2025-09-26</p>", "某某证券交易所"),
    ],
)
def test_a_heading_with_the_time_below_outranks_a_title_that_no_line_repeats(above, title):
    page = f"<html><head><title>某某证券交易所</title></head><body><div>{above}{BODY}</div></body></html>"
    found = extract(
        Page(source="local", url="https://a.example/1", final_url="", status=200, body=page.encode(), fetched_at=NOW),
        UNKNOWN,
    )
    assert found.title == title


def test_a_title_that_only_names_the_site_yields_to_the_line_above_the_body():
    body = f"<div>{TITLE}</div><p>2025-09-26</p>{BODY}"
    page = f"<html><head><title>新闻动态--某某学会官网</title></head><body>{body}</body></html>"
    found = extract(
        Page(source="local", url="https://a.example/1", final_url="", status=200, body=page.encode(), fetched_at=NOW),
        UNKNOWN,
    )
    assert found.title == TITLE
    assert found.text.startswith("全省外贸")

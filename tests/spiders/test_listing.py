"""The kinds of list on invented answers; rows N, P and S of the fault table that need no network."""

from __future__ import annotations

import json
import time
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.records import Listed
from articles.source import ListRule, Paging
from spiders.listing import first_page, following, read
from spiders.rows import MAX_FIELD_CHARS, MAX_ROWS, ListError, Listing, Row, resolve

ZONE = ZoneInfo("Asia/Shanghai")
URL = "https://www.sample.test/lists/news"
JSON_FIELDS: dict[str, Any] = {"url": "link", "title": "title", "published": "at", "publisher": "medium"}


def feed_rule(**options: Any) -> ListRule:
    return ListRule(kind="feed", url=URL, **options)


def json_rule(**options: Any) -> ListRule:
    return ListRule(**{"kind": "json", "url": URL, "items": "data.list", "fields": JSON_FIELDS, **options})


def read_json(answer: object, **options: Any) -> Listing:
    return read(json.dumps(answer).encode(), json_rule(**options), url=URL)


def rss(items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    return f'{head}<rss version="2.0"><channel><title>样本</title>{items}</channel></rss>'


ITEM = (
    "<item><title>央行&amp;市场</title><link>/a/1.html#top</link><pubDate>Fri, 20 Nov 2026 09:30:00 +0800</pubDate>"
    "<source url='https://other.test'>样本时报</source><author>张三</author><category>宏观</category>"
    "<description><![CDATA[<p style='display:none'>x</p><p>虚构摘要</p>]]></description></item>"
)


# ── feeds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_of_a_feed() -> None:
    (row,) = read(rss(ITEM).encode(), feed_rule(), url=URL).rows
    assert row == Row(
        url="https://www.sample.test/a/1.html",
        listed=Listed(
            title="央行&市场",
            published="Fri, 20 Nov 2026 09:30:00 +0800",
            summary="x虚构摘要",
            publisher="样本时报",
            author="张三",
            section="宏观",
            tags=("宏观",),
        ),
    )


def test_full_text_is_kept_as_it_was_written() -> None:
    (row,) = read(rss(ITEM).encode(), feed_rule(full_text=True), url=URL).rows
    assert row.html == "<p style='display:none'>x</p><p>虚构摘要</p>"
    assert row.listed.summary is None


def test_an_atom_feed() -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>标题</title><link href="https://www.sample.test/a/2"/>'
        '<updated>2026-11-20T09:30:00+08:00</updated><content type="html">&lt;p&gt;全文&lt;/p&gt;</content></entry>'
        "</feed>"
    )
    (row,) = read(atom.encode(), feed_rule(full_text=True), url=URL).rows
    assert (row.url, row.html, row.listed.published) == (
        "https://www.sample.test/a/2",
        "<p>全文</p>",
        "2026-11-20T09:30:00+08:00",
    )


@pytest.mark.parametrize("codec", ["gb18030", "utf-16", "big5"])
def test_e10_the_codec_is_found_whatever_is_declared(codec: str) -> None:
    title = "國內經濟新聞：銀行與市場的關係"
    text = rss(f"<item><title>{title}</title><link>/a/1</link></item>").replace("样本", "財經")
    (row,) = read(text.encode(codec), feed_rule(charset=codec if codec == "big5" else None), url=URL).rows
    assert row.listed.title == title


@pytest.mark.parametrize(
    ("row", "answer", "message"),
    [
        ("P01", b"<!DOCTYPE html><html><head><title>502</title></head></html>", "an HTML page"),
        ("P01", b"<!-- cached --><html></html>", "an HTML page"),
        ("P01", b"<script>location='/check'</script>", "an HTML page"),
        ("P02", b"", "empty"),
        ("P02", b" \r\n ", "empty"),
        ("P03", b'{"code": 500}', "JSON"),
        ("S06", b"/etc/passwd", "neither RSS"),
        ("S06", b"file:///etc/passwd", "neither RSS"),
        ("P01", "服务器繁忙".encode(), "neither RSS"),
    ],
)
def test_what_is_no_feed(row: str, answer: bytes, message: str) -> None:
    with pytest.raises(ListError, match=message) as caught:
        read(answer, feed_rule(), url=URL)
    assert str(caught.value).startswith("E-FEED "), row


def test_p04_a_feed_cut_short_gives_its_entries_and_says_so() -> None:
    listing = read(rss(ITEM * 3).encode()[:-60], feed_rule(), url=URL)
    assert len(listing.rows) == 3
    assert "cut short" in listing.problem


@pytest.mark.parametrize(
    ("row", "doctype"),
    [
        ("S09", "<!ENTITY a '" + "x" * 50 + "'>" + "".join(f"<!ENTITY a{n} '{'&a;' * 50}'>" for n in range(9))),
        ("S10", "<!ENTITY a SYSTEM 'file:///etc/passwd'>"),
        ("S11", "<!ENTITY a '" + "x" * 50_000 + "'>"),
    ],
)
def test_entities_are_never_expanded(row: str, doctype: str) -> None:
    text = rss(ITEM.replace("张三", "&a;" * 500), f'<?xml version="1.0"?><!DOCTYPE rss [{doctype}]>')
    started = time.monotonic()
    (found,) = read(text.encode(), feed_rule(), url=URL).rows
    assert time.monotonic() - started < 1, row
    assert found.listed.title == "央行&市场"
    assert "root:" not in str(found) and len(str(found)) < 5_000


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<![CDATA[甲&amp;乙]]>", "甲&乙"),
        ("甲&amp;amp;乙", "甲&乙"),
        ("甲&nbsp;乙", "甲 乙"),
        ("&lt;b&gt;甲&lt;/b&gt;乙", "甲乙"),
        ("甲&#xD800;乙", "甲乙"),
    ],
    ids=["P18-cdata", "P18-escaped-twice", "P18-undeclared", "P18-markup", "P18-no-character"],
)
def test_texts_are_decoded_once(written: str, title: str) -> None:
    (row,) = read(rss(ITEM.replace("央行&amp;市场", written)).encode(), feed_rule(), url=URL).rows
    assert row.listed.title == title


def test_p16_a_feed_without_end_is_read_to_a_limit() -> None:
    items = "".join(f"<item><title>t</title><link>/a/{n}</link></item>" for n in range(MAX_ROWS + 7))
    listing = read(rss(items).encode(), feed_rule(), url=URL)
    assert len(listing.rows) == MAX_ROWS
    assert [each.reason for each in listing.dropped] == ["excess"] * 7


def test_p17_a_field_is_cut_at_a_limit() -> None:
    (row,) = read(rss(ITEM.replace("张三", "长" * 100_000)).encode(), feed_rule(), url=URL).rows
    assert len(row.listed.author or "") == MAX_FIELD_CHARS


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

ROW = {"link": "/a/1.html", "title": "虚构<em>指数</em>收涨", "at": 1790000000, "medium": "样本时报", "vid": "0"}
ANSWER = {"code": "1", "data": {"list": [ROW]}}


def test_a_row_of_json() -> None:
    (row,) = read_json(ANSWER).rows
    listed = Listed(title="虚构指数收涨", published="1790000000", publisher="样本时报")
    assert row == Row(url="https://www.sample.test/a/1.html", listed=listed)


@pytest.mark.parametrize(
    "wrapped",
    [
        "callback({});",
        "jQuery1830_55.cb( {} )",
        "/**/typeof_x.y && typeof_x.y({});",
        "/*-secure-*/ cb({})",
        "var ajaxResult={}",
        "var ajaxResult = {};\n",
        "\ufeff{}",
        "window['list']({})",
    ],
)
def test_p09_jsonp_by_any_name(wrapped: str) -> None:
    text = wrapped.replace("{}", json.dumps(ANSWER))
    assert len(read(text.encode(), json_rule(), url=URL).rows) == 1


def test_null_in_place_of_the_rows_is_an_empty_list() -> None:
    assert read_json({"data": {"list": None}}).rows == ()


@pytest.mark.parametrize(
    ("row", "answer", "message"),
    [
        ("P07", {"passportWeb": {}}, "data.list is missing; the answer has passportWeb"),
        ("P07", {"data": None}, "data.list is missing"),
        ("P08", {"data": {"list": {"0": ROW}}}, "data.list is an object, not a list"),
        ("P08", {"data": {"list": "none"}}, "data.list is text, not a list"),
        ("P08", {"data": {"list": [7]}}, "data.list.0 is a number, not an object"),
        ("P08", {"data": {"list": [{**ROW, "title": ["x"]}]}}, "data.list.0.title is a list, not text"),
        ("P08", {"data": {"list": [{"href": "/a/1"}]}}, "none of the 1 rows of data.list has a url"),
        ("P08", [], "data.list is missing"),
    ],
)
def test_a_broken_contract_names_the_place(row: str, answer: object, message: str) -> None:
    with pytest.raises(ListError, match=message):
        read_json(answer)


@pytest.mark.parametrize("text", ["<html>", "服务不可用", '{"data": ', "cb(", '{"a": 1} {"b": 2}', "[" * 100_000])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ListError, match="no JSON"):
        read(text.encode(), json_rule(), url=URL)


def test_an_answer_must_say_that_it_is_one() -> None:
    assert read_json(ANSWER, ok={"code": 1}).rows
    with pytest.raises(ListError, match="code is '0', not 1"):
        read_json({**ANSWER, "code": "0"}, ok={"code": 1})


def test_rows_that_are_no_articles_are_counted() -> None:
    answer = {"data": {"list": [ROW, {**ROW, "vid": "77"}, {**ROW, "type": "ad"}]}}
    listing = read_json(answer, keep_if={"vid": ["0", ""]}, skip_if={"type": ["ad"]})
    assert len(listing.rows) == 1
    assert sorted(each.reason for each in listing.dropped) == ["keep_vid", "skip_type"]


def test_an_address_with_a_missing_part_is_no_address() -> None:
    fields = {
        "url": {"template": "https://www.sample.test/a/{code}.html"},
        "native_id": {"path": "uri", "regex": r"(\d+)"},
    }
    rows = [{"code": "x1", "uri": "n-55-z"}, {"uri": "n-56-z"}]
    listing = read_json({"data": {"list": rows}}, fields=fields)
    assert [(row.url, row.listed.native_id) for row in listing.rows] == [("https://www.sample.test/a/x1.html", "55")]
    assert [each.reason for each in listing.dropped] == ["no_link"]


def test_html_inside_json() -> None:
    html = "<ul><li><a href='../a/1.html' title='第一条'>第一…</a><span>[2026-11-20]</span></li><li>none</li></ul>"
    fields = {
        "url": "a::attr(href)",
        "title": "a::attr(title)",
        "published": {"css": "span::text", "regex": r"\d+-\d+-\d+"},
    }
    rule = json_rule(items="data.html", row="li", fields=fields)
    listing = read(json.dumps({"data": {"html": html}}).encode(), rule, url=URL)
    listed = Listed(title="第一条", published="2026-11-20")
    assert listing.rows == (Row(url="https://www.sample.test/a/1.html", listed=listed),)


# ── list pages, sitemaps ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_page() -> None:
    html = "<div class=l><a class=t href='/a/9.html'>标 题</a> <i>11-20 09:30</i></div><div class=l><i>ad</i></div>"
    rule = ListRule(
        kind="html",
        url=URL,
        items="div.l",
        fields={"url": "a.t::attr(href)", "title": "a.t::text", "published": "i::text"},
    )
    listing = read(html.encode(), rule, url=URL)
    assert listing.rows[0].listed == Listed(title="标 题", published="11-20 09:30")
    assert [each.reason for each in listing.dropped] == ["no_link"]
    with pytest.raises(ListError, match="no row matches"):
        read(b"<p>new layout</p>", rule, url=URL)


def test_a_row_that_is_itself_the_link() -> None:
    rule = ListRule(kind="html", url=URL, items="a.n", fields={"url": "::attr(href)", "title": "::text"})
    (row,) = read("<a class=n href=/a/1>标题</a>".encode(), rule, url=URL).rows
    assert (row.url, row.listed.title) == ("https://www.sample.test/a/1", "标题")


def test_a_news_sitemap_and_an_index() -> None:
    rule = ListRule(kind="sitemap", url=URL)
    urls = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">'
        "<url><loc> https://www.sample.test/a/1 </loc><lastmod>2026-11-21</lastmod><n:news><n:title>标题</n:title>"
        "<n:publication_date>2026-11-20</n:publication_date></n:news></url></urlset>"
    )
    (row,) = read(urls.encode(), rule, url=URL).rows
    assert row == Row(
        url="https://www.sample.test/a/1", listed=Listed(title="标题", published="2026-11-20", updated="2026-11-21")
    )
    index = "<?xml version='1.0'?><sitemapindex><sitemap><loc>/sitemap-1.xml</loc></sitemap></sitemapindex>"
    assert read(index.encode(), rule, url=URL).more == ("https://www.sample.test/sitemap-1.xml",)
    assert len(read(b"https://www.sample.test/a/1\nhttps://www.sample.test/a/2\n", rule, url=URL).rows) == 2
    with pytest.raises(ListError, match="no sitemap"):
        read(b"<html></html>", rule, url=URL)


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("link", "url", "refused"),
    [
        ("/a/1.html#top", "https://www.sample.test/a/1.html", ""),
        ("//m.sample.test/a", "https://m.sample.test/a", ""),
        ("../b?id=1&utm_source=x", "https://www.sample.test/b?id=1&utm_source=x", ""),
        (" https://www.sample.test/a\n", "https://www.sample.test/a", ""),
        ("javascript:alert(1)", "", "scheme"),
        ("java\nscript:alert(1)", "", "scheme"),
        ("data:text/html,x", "", "scheme"),
        ("file:///etc/passwd", "", "scheme"),
        ("mailto:desk@sample.test", "", "scheme"),
        ("http://u:p@sample.test/", "", "credentials"),
        ("http://[::1", "", "bad_link"),
        ("http://sample.test:99999/", "", "bad_link"),
        ("http:///a", "", "bad_link"),
        ("", "", "no_link"),
        (None, "", "no_link"),
        ("/" + "a" * 5_000, "", "link_too_long"),
    ],
)
def test_links(link: str | None, url: str, refused: str) -> None:
    assert resolve(URL, link) == (url, refused)


@given(st.text())
def test_any_link_is_http_or_refused(link: str) -> None:
    url, refused = resolve(URL, link)
    assert bool(refused) != url.startswith(("http://", "https://"))


@given(st.binary(max_size=400), st.sampled_from(["feed", "json", "html", "sitemap"]))
def test_any_bytes_are_a_listing_or_a_list_error(body: bytes, kind: Any) -> None:
    rule = ListRule(
        kind=kind,
        url=URL,
        items="li" if kind == "html" else "",
        fields=JSON_FIELDS if kind == "json" else {"url": "a::attr(href)"},
    )
    try:
        assert isinstance(read(body, rule, url=URL), Listing)
    except ListError as error:
        assert error.detail


# ── paging ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ONE_ROW = Listing(rows=(Row(url=URL),), next_cursor="c2")
TODAY = date(2026, 11, 20)


def paged(**options: Any) -> ListRule:
    url = URL + "?p={page}&c={cursor}&d={date}&s={day_start}&e={day_end}"
    return json_rule(url=url, paging=Paging(max_pages=3, **options))


def test_page_by_page_to_the_last_allowed() -> None:
    pages = [first_page(paged(by="page", first=0, step=20), zone=ZONE, day=TODAY)]
    while page := following(pages[-1], ONE_ROW, zone=ZONE):
        pages.append(page)
    assert [page.page for page in pages] == [0, 20, 40]
    assert pages[1].url.startswith(URL + "?p=20&")


def test_no_page_after_an_empty_one() -> None:
    assert following(first_page(paged(by="page"), zone=ZONE, day=TODAY), Listing(), zone=ZONE) is None


def test_cursors_until_there_is_none() -> None:
    first = first_page(paged(by="cursor", cursor="data.next", start="c1"), zone=ZONE, day=TODAY)
    second = following(first, ONE_ROW, zone=ZONE)
    assert second is not None
    assert (first.cursor, second.cursor) == ("c1", "c2")
    assert following(second, ONE_ROW, zone=ZONE) is None, "a cursor that stays where it is"
    assert following(second, Listing(rows=ONE_ROW.rows), zone=ZONE) is None


def test_days_walk_back_in_the_zone_of_the_source() -> None:
    first = first_page(paged(by="day"), zone=ZONE, day=TODAY)
    assert "d=2026-11-20&s=1795104000&e=1795190400" in first.url
    before = following(first, Listing(), zone=ZONE, until=date(2026, 11, 19))
    assert before is not None
    assert (before.day, before.page) == (date(2026, 11, 19), 1)
    assert following(before, Listing(), zone=ZONE, until=date(2026, 11, 19)) is None

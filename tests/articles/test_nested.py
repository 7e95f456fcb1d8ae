"""Articles in answers, exports and XML of makers we never saw: one text and one headline under any names."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.nested import record_of, rows_in, tree_of

ONE = "某省商务厅周二表示，前三季度进出口总额同比增长一成，其中出口增长两成。"
TWO = "分析人士认为，四季度增速有望继续回升，企业订单比较充足。"
HTML = f"<p>{ONE}</p><p>{TWO}</p>"
URL = "https://example.com/1"
AT = "2026-11-05T10:20:00"


def span(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


OBJECTS = {
    "rendered": [{"title": {"rendered": "某题"}, "content": {"rendered": HTML}, "date": AT, "link": URL, "author": 12}],
    "reader": {
        "items": [{"title": "某题", "summary": {"content": HTML}, "published": AT, "canonical": [{"href": URL}]}]
    },
    "in two branches": {
        "data": {"base": {"title": "某题", "pubTime": AT, "shareUrl": URL}, "detail": {"contentHtml": HTML}},
        "commentList": [{"nick": "某乙", "content": ONE * 9}],
    },
    "index": [{"_source": {"news_title": "某题", "news_content": f"{ONE}\n{TWO}", "pubDateStr": AT, "web_url": URL}}],
    "own names": {"文章标题": "某题", "正文": f"{ONE}\n{TWO}", "发布时间": {"$date": AT}, "原文链接": URL},
    "microformat": {
        "items": [{"properties": {"name": ["某题"], "published": [AT], "url": [URL], "content": [{"html": HTML}]}}]
    },
    "graph": {
        "@graph": [
            {"@type": "WebSite", "name": "某某网"},
            {"@type": "NewsArticle", "headline": "某题", "articleBody": ONE + TWO, "datePublished": AT, "url": URL},
        ]
    },
    "activity": {"orderedItems": [{"object": {"name": "某题", "content": HTML, "published": AT, "url": URL}}]},
    "blocks of an editor": {
        "post": {
            "headline": "某题",
            "publishedAt": AT,
            "url": URL,
            "blocks": [{"type": "paragraph", "data": {"text": ONE}}, {"type": "paragraph", "data": {"text": TWO}}],
        }
    },
    "tree of an editor": {
        "title": "某题",
        "date": AT,
        "link": URL,
        "body": {
            "type": "doc",
            "content": [
                {"type": "paragraph", "content": [span(ONE[:9]), span(ONE[9:])]},
                {"type": "bulletList", "content": [{"content": [{"type": "paragraph", "content": [span(TWO)]}]}]},
            ],
        },
    },
    "operations": {
        "title": "某题",
        "time": AT,
        "url": URL,
        "delta": {"ops": [{"insert": ONE[:5]}, {"insert": f"{ONE[5:]}\n"}, {"insert": TWO}]},
    },
    "packed": {"title": "某题", "date": AT, "url": URL, "content": json.dumps([span(ONE), {"url": "x"}, span(TWO)])},
    "paragraphs": {"page": {"title": "某题", "dt": AT, "url": URL, "paragraphs": [ONE, TWO]}},
    "outline": [
        {"title": "某题", "date": AT, "url": URL, "children": [{"string": ONE, "children": [{"string": TWO}]}]},
    ],
    "by language": {
        "fields": {"headline": {"zh-CN": "某题"}, "date": AT, "url": URL, "story_text": {"zh-CN": ONE + TWO}}
    },
    "beside others": {
        "props": {
            "post": {"title": "某题", "detail": {"richText": HTML}, "ptime": AT, "url": URL},
            "recommend": [{"title": "另一篇", "content": HTML * 4}],
        }
    },
}


@pytest.mark.parametrize("loaded", OBJECTS.values(), ids=OBJECTS)
def test_an_article_under_any_names(loaded):
    (row,) = rows_in(loaded)
    record = record_of(row)
    assert ONE in record.body
    assert TWO in record.body
    assert "另一篇" not in record.body
    assert (record.listed.title, record.listed.published, record.url) == ("某题", AT, URL)


def test_flashes_have_no_headline():
    rows = rows_in({"status": 200, "data": [{"id": 1, "time": AT, "data": {"content": ONE}}, {"id": 2, "data": {}}]})
    assert [record_of(row).body for row in rows] == [ONE]


def test_messages_in_parts():
    rows = rows_in({"messages": [{"date": AT, "from": "某频道", "text": [ONE[:6], {"type": "bold", "text": ONE[6:]}]}]})
    record = record_of(rows[0])
    assert (record.body, record.listed.publisher) == (ONE, "某频道")


def test_a_notebook():
    cells = [("markdown", [f"# 某题\n\n{ONE}\n"]), ("code", ["print(1)"]), ("markdown", [TWO])]
    notebook = {"cells": [{"cell_type": kind, "source": source} for kind, source in cells], "nbformat": 4}
    assert record_of(notebook).body == f"# 某题\n\n{ONE}\n\n{TWO}"


def test_numbers_are_no_names():
    assert record_of({"title": "某题", "content": ONE, "author": 12, "source": 3}).listed.author is None


def test_notes_of_an_export():
    note = f"<?xml version='1.0'?><!DOCTYPE en-note SYSTEM 'x'><en-note>{HTML}</en-note>"
    xml = (
        f"<en-export><note><title>某题</title><created>20261105T102000Z</created><content><![CDATA[{note}]]></content>"
        f"<note-attributes><author>某甲</author><source-url>{URL}</source-url></note-attributes></note></en-export>"
    )
    record = record_of(rows_in(tree_of(xml.encode()))[0])
    assert record.body.startswith(f"<en-note>{HTML}")
    assert (record.listed.title, record.listed.author, record.url) == ("某题", "某甲", URL)
    assert record.listed.published == "2026-11-05T10:20:00Z"


def test_xml_of_an_agency():
    head = f"<head><NewsTitle>某题</NewsTitle><PubTime>{AT}</PubTime></head>"
    xml = f"<news>{head}<main><Content><p>{ONE}</p><p>{TWO}</p></Content></main></news>"
    (row,) = rows_in(tree_of(xml.encode()))
    record = record_of(row)
    assert (record.listed.title, record.listed.published, record.body) == ("某题", AT, HTML)
    assert tree_of(b"no XML") is None


NITF = f"""<nitf><head><title>X_A06_02</title><meta name="slug" content="外贸-增长"/><meta name="code" content="X"/>
<docdata><date.issue norm="20261105T102000+0800"/></docdata><pubdata name="某某日报"/></head>
<body><body.head><hedline><hl1>某题</hl1><hl2>某副题</hl2></hedline>
<byline>记者 <person>某甲</person></byline></body.head>
<body.content><media><media-caption><p>某地港口。</p></media-caption></media><block>{HTML}</block></body.content>
<body.end><tagline>责任编辑：某乙</tagline></body.end></body></nitf>"""
NEWSML = f"""<NewsML><NewsItem><NewsManagement><FirstCreated>20261105T102000+0800</FirstCreated></NewsManagement>
<NewsComponent><NewsLines><HeadLine>某题</HeadLine><ByLine>某甲</ByLine></NewsLines><AdministrativeMetadata><Provider>
<Party FormalName="某某日报"/></Provider></AdministrativeMetadata>
<ContentItem><DataContent>{HTML}</DataContent></ContentItem></NewsComponent></NewsItem></NewsML>"""
NEWSML_2 = f"""<newsMessage><itemSet><newsItem><catalogRef href="http://example.com/c.xml"/><itemMeta>
<provider><name>某某日报</name></provider><versionCreated>2026-11-05T10:20:00+0800</versionCreated></itemMeta>
<contentMeta><creator><name>某甲</name></creator><headline>某题</headline></contentMeta><contentSet><inlineXML><html><body>{HTML}</body></html></inlineXML></contentSet>
</newsItem></itemSet></newsMessage>"""


@pytest.mark.parametrize("xml", [NITF, NEWSML, NEWSML_2], ids=["nitf", "newsml", "newsml 2"])
def test_one_article_in_the_containers_of_agencies(xml):
    (row,) = rows_in(tree_of(xml.encode()))
    record = record_of(row)
    assert HTML in record.body
    assert ("责任编辑：某乙" in record.body) == ("某乙" in xml)
    assert (record.listed.title, record.listed.author, record.listed.publisher) == ("某题", "某甲", "某某日报")
    assert (record.listed.published, record.url) == (f"{AT}+0800", "")


def test_addresses_of_people_are_no_names_and_editors_stand_below_the_text():
    user = {"id": 1, "url": "https://api.example.com/users/a"}
    article = {"title": "某题", "body": HTML, "user": user, "editor": {"data": {"attributes": {"name": "某乙"}}}}
    assert record_of(article).listed.author is None
    assert record_of(article).body == f"{HTML}\n<p>责任编辑：某乙</p>"
    assert record_of({**article, "user": {**user, "login": "mou-jia"}}).listed.author == "mou-jia"


def test_a_page_of_a_wiki_is_not_published_by_its_site():
    page = (
        f"<page><title>某题</title><revision><timestamp>{AT}Z</timestamp><text>{ONE}\n\n{TWO}</text></revision></page>"
    )
    xml = f"<mediawiki><siteinfo><sitename>某某百科</sitename></siteinfo>{page}</mediawiki>"
    (row,) = rows_in(tree_of(xml.encode()))
    assert record_of(row).body == f"{ONE}\n\n{TWO}"
    assert (record_of(row).listed.title, record_of(row).listed.publisher) == ("某题", None)


def test_entities_are_never_followed():
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "x"}">' for n in range(12))
    started = time.perf_counter()
    tree_of(f"<!DOCTYPE a [{bomb}]><a><title>t</title><content>&a11;</content></a>".encode())
    assert time.perf_counter() - started < 2


names = st.sampled_from(["title", "content", "data", "list", "text", "x", "blocks", "正文", "date", "url", "children"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", ONE, HTML, AT, URL, "[", '{"a": 1}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_object_gives_records(loaded):
    for row in rows_in(loaded):
        if isinstance(row, dict):
            assert isinstance(record_of(row).body, str)


def test_deep_and_wide_objects_cost_no_more_than_their_size():
    deep: object = ONE
    for _ in range(300):
        deep = {"data": deep, "list": [deep] if isinstance(deep, str) else []}
    wide = {f"k{n}": {"x": [{"y": n}]} for n in range(5_000)}
    started = time.perf_counter()
    for loaded in (deep, wide, [wide]):
        for row in rows_in(loaded):
            record_of(row)
    assert time.perf_counter() - started < 5

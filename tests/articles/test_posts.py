"""Posts and plain texts: rows P19 to P22, S21, and every generation of the two dialects."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.extract import extract
from articles.posts import BadPost, Post, first_clause, looks_like_post, parse_post, plain_paragraphs, split_title
from articles.records import Article, Page
from articles.source import UNKNOWN

CODE = "202112282220010001"
SHARE = f"http://share.example/html_News/NewsShare.html?infoCode=NW{CODE}"

JEKYLL = f"""---
layout: post
title: "某省商务经济质效双升"
date: 2021-12-28 14:27:35 +0800
categories: guojiribao
tags: 某某日报新闻
---
<p>全省出口增长两成。</p>
 <p>企业利润回升。</p><p class="em_media">（文章来源：某某日报）</p>

<{SHARE}>

[返回某某日报新闻](//mirror.example/category/x.html)｜[返回首页](//mirror.example/)
"""

JEKYLL_EARLY = """---
layout: post
title: "北向资金净流入"
date: 2021-12-08 10:40:58
categories: emnews
tags: 滚动新闻
---

北向资金今日净流入三十亿元。

<http://hk.eastmoney.com/news/1533,202112080000000001.html>

[返回滚动新闻](../emnews/)
[返回首页](../)
"""

JEKYLL_DIGEST = f"""---
layout: post
title: ""
date: 2021-12- 14:27
categories: x
tags: x
---
> 全省出口增长两成。

<p>全省出口增长两成，企业利润回升。</p>

<{SHARE}>
"""

HEXO = """

---
title: '全国外贸工作会议召开：扎实推进''七方面''工作'
categories:\x20
 - 金融
 - 某某财经
 - 某某财经－国內
author: 某某财经
comments: false
date: Thu, 15 Sep 2022 08:58:07 GMT
thumbnail: 'https://img.example/1.png'
---

<div>\x20\x20\x20
<p>　　会议在京召开。</p><!-- 二维码 -->

            <style>
            .qr&#123;float:left;&#125;
            </style>
<p>责任编辑：张三 </p>
</div>
            """

DIGEST = """# 《某某联播》 (20251025)

## 摘要

首条消息；
次条消息。

### 首条消息

<p>消息的全文。</p>

[查看原文](https://tv.example/1.shtml)

### 次条消息

<p>另一全文。</p>

[查看原文](https://tv.example/2.shtml)

---

(更新时间戳: 1761397202298)
"""


def parsed(text: str) -> Post:
    post = parse_post(text)
    assert isinstance(post, Post)
    return post


def test_jekyll():
    post = parsed(JEKYLL)
    assert (post.kind, post.url, post.flags) == ("html", SHARE, ())
    assert post.listed.title == "某省商务经济质效双升"
    assert post.listed.published == "2021-12-28 14:27:35 +0800"
    assert (post.listed.section, post.listed.tags) == ("某某日报新闻", ("某某日报新闻",))
    # An HTML parser would take the share link for a tag, and everything behind it for its content.
    assert f'<a href="{SHARE}">' in post.body_html
    assert "<http" not in post.body_html
    assert '<p><a href="//mirror.example/category/x.html">返回某某日报新闻</a>' in post.body_html


def test_early_jekyll_is_markdown():
    post = parsed(JEKYLL_EARLY)
    assert (post.kind, post.url) == ("markdown", "http://hk.eastmoney.com/news/1533,202112080000000001.html")
    assert post.body_html == "<p>北向资金今日净流入三十亿元。</p>\n"
    assert post.listed.published == "2021-12-08 10:40:58"


def test_broken_generation_keeps_what_it_has():
    post = parsed(JEKYLL_DIGEST)
    assert (post.listed.title, post.listed.published, post.url) == (None, "2021-12- 14:27", SHARE)
    assert "<blockquote>" in post.body_html
    assert "<p>全省出口增长两成，企业利润回升。</p>" in post.body_html
    assert parsed(JEKYLL_DIGEST.replace(SHARE, "")).url == ""


def test_hexo():  # P20
    post = parsed(HEXO)
    assert (post.kind, post.url, post.flags) == ("html", "", ())
    assert post.listed.title == "全国外贸工作会议召开：扎实推进'七方面'工作"
    assert post.listed.published == "Thu, 15 Sep 2022 08:58:07 GMT"
    assert post.listed.section == "某某财经－国內"
    assert post.listed.author is None, "the name of the feed is no author"
    assert ".qr{float:left;}" in post.body_html


def test_digest_without_front_matter():
    post = parsed(DIGEST)
    assert (post.listed.title, post.listed.published) == ("《某某联播》 (20251025)", "20251025")
    assert post.url == "", "two originals are none"
    assert not post.body.startswith("#")
    assert "<p>首条消息；</p>\n<p>次条消息。</p>" in post.body_html
    assert "<h3>次条消息</h3>\n<p>另一全文。</p>" in post.body_html


BROKEN = [
    pytest.param("\ufeff---\ntitle: 标题\n---\n正文。", "标题", "正文。", (), id="P19-bom"),
    pytest.param(
        "---\ntitle: 标题\ndate: 2022-01-23\n\n正文。\n",
        "标题",
        "\n正文。\n",
        ("front_matter_unclosed",),
        id="P19-unclosed",
    ),
    pytest.param(
        "---\ntitle: 标题\n正文第一行。\n正文第二行。\n正文第三行。\n---\n脚注。",
        "标题",
        "正文第一行。\n正文第二行。\n正文第三行。\n---\n脚注。",
        ("front_matter_unclosed",),
        id="P19-rule-in-the-body",
    ),
    pytest.param(
        "---\ntitle: 标题: 含冒号\n---\n正文。", "标题: 含冒号", "正文。", ("front_matter_broken",), id="P19-colon"
    ),
    pytest.param("---\ntitle:\t标题\n\tdate: x\n---\n正文。", "标题", "正文。", ("front_matter_broken",), id="P19-tab"),
    pytest.param("---\ntitle: 旧题\ntitle: 标题\n---\n正文。", "标题", "正文。", (), id="P19-twice"),
    pytest.param("\n\n \n---\ntitle: 标题\n---\n正文。", "标题", "正文。", (), id="P19-blank-line"),
    pytest.param(
        '---\ntitle: "他说"标题"好"\n---\n正文。', '他说"标题"好', "正文。", ("front_matter_broken",), id="quotes"
    ),
    pytest.param(
        "---\ntitle: [重磅]标题\n---\n正文。", "[重磅]标题", "正文。", ("front_matter_broken",), id="brackets"
    ),
    pytest.param("---\ntitle: [标题]\n---\n正文。", "[标题]", "正文。", (), id="a-list-for-a-title"),
    pytest.param("---\ntitle: {标题}\n---\n正文。", "{标题}", "正文。", (), id="a-map-for-a-title"),
    pytest.param("---\r\ntitle: 标题\r\n---\r\n正文。", "标题", "正文。", (), id="crlf"),
    pytest.param("title: 标题\ndate: 2022-01-23\n---\n正文。", "标题", "正文。", (), id="no-opening"),
    pytest.param("---\ntitle: 甲&amp;乙 &quot;丙&quot;\n---\n正文。", '甲&乙 "丙"', "正文。", (), id="entities"),
    pytest.param("---\n---\n正文。", None, "正文。", (), id="empty"),
    pytest.param("---\ntitle: 标题\n---", "标题", "", (), id="no-body"),
]


@pytest.mark.parametrize(("text", "title", "body", "flags"), BROKEN)
def test_broken_front_matter(text, title, body, flags):
    post = parsed(text)
    assert (post.listed.title, post.body, post.flags) == (title, body, flags)


@pytest.mark.parametrize("header", ["- title: 标题\n- date: x", "- 甲\n- 乙"])
def test_a_list_is_no_front_matter(header):  # P19
    assert parse_post(f"---\n{header}\n---\n正文。") == BadPost("front matter holds no «key: value» line")


def test_tags_of_python_are_text():  # S21
    post = parsed('---\ntitle: !!python/object/apply:os.system ["echo"]\nauthor: !!python/name:os.system\n---\n正文。')
    assert post.listed.title == '!!python/object/apply:os.system ["echo"]'
    assert post.listed.author in (None, "", "!!python/name:os.system")


def test_alias_bomb_is_never_walked():  # S21
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    started = time.perf_counter()
    post = parsed(f"---\ntitle: 标题\na0: &a0 [x, x]\n{levels}\n---\n正文。")
    assert post.listed.title == "标题"
    assert sum(len(value) for value in post.meta.values()) < 10_000
    assert time.perf_counter() - started < 1


def test_huge_and_deep_headers_are_refused_or_read_in_time():  # S21
    huge = parse_post("---\ntitle: 标题\n" + "key: value\n" * 100_000 + "---\n正文。")
    assert isinstance(huge, BadPost)
    assert "characters" in huge.detail
    assert parsed("---\ntitle: 标题\nx: " + "[" * 20_000 + "\n---\n正文。").listed.title == "标题"


HOSTILE = [
    "[a](b)" + " " * 50 + "[a](b)" * 20 + "x",
    ("[a](b)" + " " * 20) * 40 + "x",
    "<a " * 30_000,
    "<a href='https://a.example/" * 10_000,
    "# " + " " * 100_000 + "x",
    "中" + "\u3000" * 100_000 + "x",
    "> " * 20_000,
    "*" * 50_000,
    "[" * 10_000,
    "<!--" * 20_000,
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_cost_no_more_than_their_length(body):
    started = time.perf_counter()
    for text in (body, f"---\ntitle: 标题\n---\n{body}", f"---\ntitle: 标题\n---\n<p>{body}"):
        assert parsed(text).body_html is not None
        split_title(text)
        plain_paragraphs(text)
    assert time.perf_counter() - started < 5


def test_days_that_disagree_are_flagged_and_front_matter_wins():  # P22
    post = parsed(JEKYLL.replace("date: 2021-12-28", "date: 2021-12-20"))
    assert post.flags == ("date_conflict",)
    assert post.listed.published == "2021-12-20 14:27:35 +0800"
    assert parsed(JEKYLL.replace("date: 2021-12-28", "date: 2021-12-29")).flags == (), "a night's difference is none"
    both = parsed("---\ntitle: 标题\npublished: 2022-03-09\ndate: 2022-03-01\n---\n正文。")
    assert (both.listed.published, both.flags) == ("2022-03-01", ("date_conflict",))


URLS = [
    ("---\ntitle: 标题\nlink: https://a.example/1\n---\n正文。\n\n<https://b.example/2>\n", "https://a.example/1"),
    ("---\ntitle: 标题\nsource: 某某报\n---\n正文。\n\n原文链接：https://b.example/2\n", "https://b.example/2"),
    ("---\ntitle: 标题\n---\n正文。\n\n[阅读原文](https://b.example/2)\n", "https://b.example/2"),
    (
        '---\ntitle: 标题\n---\n<p>正文。</p><a class="x" href="https://b.example/2?a=1&amp;b=2">查看原文</a>',
        "https://b.example/2?a=1&b=2",
    ),
    ("---\ntitle: 标题\n---\n正文见 <https://b.example/2> 所述。\n", ""),
    ("---\ntitle: 标题\n---\n正文。\n\n[返回首页](https://b.example/)\n", ""),
]


@pytest.mark.parametrize(("text", "url"), URLS)
def test_address_of_the_original(text, url):
    assert parsed(text).url == url


def test_fields_of_front_matter():
    post = parsed(
        "---\ntitle: 标题\nauthor: 张三\nsource: 某某报\ncategories: [宏观, 外贸]\ntags: 出口 进口\n"
        "updated: 2022-01-24\ndescription: 摘要\ninfoCode: NW1\n---\n正文。"
    )
    listed = post.listed
    assert (listed.author, listed.publisher, listed.section, listed.tags) == (
        "张三",
        "某某报",
        "外贸",
        ("出口", "进口"),
    )
    assert (listed.updated, listed.summary, listed.native_id) == ("2022-01-24", "摘要", "NW1")


def test_a_heading_that_repeats_the_title_leaves_the_body():
    post = parsed("---\ntitle: 标题\n---\n# 标题\n\n正文。")
    assert (post.listed.title, post.body.strip()) == ("标题", "正文。")


def test_markdown_of_people_who_indent():
    html = parsed("---\ntitle: 标题\n---\n    首段缩进四格。\n    次段也是。\n\n折行的\n一段。\n").body_html
    assert html == "<p>首段缩进四格。</p>\n<p>次段也是。</p>\n<p>折行的\n一段。</p>\n"


@pytest.mark.parametrize(
    ("text", "is_post"),
    [
        (JEKYLL, True),
        (HEXO, True),
        ("title: 标题\ndate: 2022-01-23\n---\n正文。", True),
        (DIGEST, False),
        ("2022年是关键之年。做好今年工作。\n一、提高质量", False),
        ("注意：这不是头部\n正文。", False),
        ("---\n一条分隔线\n", False),
        ("", False),
    ],
)
def test_posts_are_told_from_texts(text, is_post):
    assert looks_like_post(text) is is_post


TITLES = [
    ("某省外贸增长\n\n摘要\n出口增长两成。", "某省外贸增长", "摘要\n出口增长两成。"),
    ("2027年是港区改造收官之年。抓好全年工作。\n一、提高质量。", "2027年是港区改造收官之年", None),
    (
        "全省出口增长两成，" + "企业利润回升，" * 20 + "\n次段。",
        "全省出口增长两成，企业利润回升，企业利润回升，企业利润回升，企业利润回升",
        None,
    ),
    ("指数或将回落。美元是关键，\n当初如此。", "指数或将回落", None),
    ("只有一行", "只有一行", None),
    ("没有标点的长句" * 20, ("没有标点的长句" * 20)[:40], None),
    ("", "", None),
]


@pytest.mark.parametrize(("text", "title", "rest"), TITLES)
def test_title_of_a_plain_text(text, title, rest):  # P21
    assert split_title(text) == (title, text if rest is None else rest)


@given(st.text(alphabet="出口增长，。；\n 1.%", max_size=200))
def test_a_plain_text_with_words_gets_a_title_and_loses_none(text):
    title, rest = split_title(text)
    assert len(title) <= 60
    assert "\n" not in title
    assert bool(title) or not text.strip("，。；\n 1.%") or not text.strip()
    squeezed = text.replace("\n", "").replace(" ", "")
    assert squeezed in ((title + rest).replace("\n", "").replace(" ", ""), rest.replace("\n", "").replace(" ", ""))


def test_first_clause_ends_at_a_stop_then_at_a_pause():
    assert first_clause("出口增长！进口持平。") == "出口增长"
    assert first_clause("出口" * 15 + "，" + "进口" * 15) == "出口" * 15


def test_indents_inside_a_line_are_paragraphs():
    assert plain_paragraphs("　　首段。　　次段。\n\n三段") == ["首段。", "次段。", "三段"]


@given(st.text(alphabet="-:\n \"'title标题[]{}*&!|>%@`#date\t\ufeff", max_size=150))
def test_any_text_is_a_post_or_says_why_not(text):
    for start in ("", "---\n", "---\ntitle: "):
        post = parse_post(start + text)
        if isinstance(post, Post):
            assert isinstance(post.body_html, str)
        else:
            assert post.detail


# ── front matter and Markdown of other engines ───────────────────────────────────────────────────────────────────────

ONE = "某省商务厅周二表示，前三季度进出口总额同比增长一成，其中出口增长两成。"
TWO = "分析人士认为，四季度增速有望继续回升，企业订单比较充足。"
AT = "2021-12-28T14:27:35+08:00"
HEADERS = {
    "toml": f'+++\ntitle = "某省外贸增长一成"\ndate = {AT}\ntags = ["出口"]\n[params]\nauthor = "王某"\n+++\n',
    "toml, broken": f'+++\ntitle = "某省外贸增长一成"\ndate = "{AT}"\nauthor = 王某\n+++\n',
    "json": f'{{\n "title": "某省外贸增长一成",\n "date": "{AT}",\n "author": "王某"\n}}\n\n',
    "json between fences": f'---json\n{{"title": "某省外贸增长一成",\n"date": "{AT}",\n"author": "王某"}}\n---\n',
    "toml between fences": f'---toml\ntitle = "某省外贸增长一成"\ndate = {AT}\nauthor = "王某"\n---\n\n',
    "yaml between fences": f"--- yaml\ntitle: 某省外贸增长一成\ndate: {AT}\nauthor: 王某\n---\n",
    "json of hexo": f'"title": "某省外贸增长一成",\n"date": "{AT}",\n"author": "王某",\n;;;\n',
    "chinese keys": "---\n标题: 某省外贸增长一成\n发布时间: 2021年12月28日 14:27:35\n作者: 王某\n分类: 外贸\n---\n",
    "other keys": "---\nTitle: 某省外贸增长一成\ncreated_at: 2021-12-28 14:27:35\nauthors:\n- 王某\n---\n",
    "epoch": "---\ntitle: 某省外贸增长一成\npublish_time: 1640672855\nbyline: 王某\n---\n",
    "byline below the heading": "# 某省外贸增长一成\n\n发布时间：2021-12-28 14:27:35　作者：王某\n\n",
    "underlined heading": "某省外贸增长一成\n========\n\n作者：王某 2021-12-28 14:27:35\n\n",
}


def read(text: str) -> Article:
    fetched_at = datetime(2026, 11, 21, tzinfo=UTC)
    page = Page(
        source="local", url="", final_url="", status=200, body=text.encode(), form="post", fetched_at=fetched_at
    )
    article = extract(page, UNKNOWN)
    assert isinstance(article, Article), article
    return article


@pytest.mark.parametrize("kind", HEADERS)
def test_front_matter_of_other_kinds(kind):
    article = read(f"{HEADERS[kind]}{ONE}\n\n{TWO}\n")
    assert article.title == "某省外贸增长一成"
    assert article.text.split("\n") == [ONE, TWO]
    assert article.author == "王某"
    assert article.published_at == datetime.fromisoformat(AT)


BODIES = {
    "more": f"{ONE}\n<!-- more -->\n{TWO}\n",
    "engine tags": f"[TOC]\n\n{{% asset_img a.jpg %}}\n{ONE}\n\n{{{{< figure src='a.jpg' >}}}}\n\n{TWO}\n{{: x}}\n",
    "html in Markdown": f'<div class="x">\n\n{ONE}\n\n</div>\n\n{TWO}\n\n<script>alert(1)</script>\n',
    "html escaped as a whole": f"&lt;p&gt;{ONE}&lt;/p&gt;&lt;p&gt;{TWO}&lt;/p&gt;\n",
    "lines broken by hand": f"{ONE[:20]}\n{ONE[20:]}\n\n{TWO}\n",
    "indented lines, source at the end": f"　　{ONE}\n　　{TWO}\n　　（来源：某某日报）\n",
    "address of the original": f"<p>{ONE}</p><p>{TWO}</p>\n\n原文：https://news.example/1.html\n",
    "links at the end": f"{ONE}\n\n{TWO}\n\n相关阅读：\n\n- [另一篇](https://a.example/1)\n\n[返回首页](/)\n",
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_of_other_kinds(kind):
    article = read(f"---\ntitle: 某省外贸增长一成\ndate: 2021-12-28\n---\n{BODIES[kind]}")
    assert (article.text.split("\n"), article.author) == ([ONE, TWO], None)


def test_attributes_contents_and_boxes_of_links_are_the_engines():
    contents = "## Table of contents\n\n- [小标题](#a)\n\n"
    box = "::: details 往期\n- [另一篇](./a.md)\n- [又一篇](./b.md)\n:::\n"
    text = f"{ONE}\n{{ .lead }}\n\n{contents}## 小标题\n\n{TWO}\n\n{box}"
    article = read(f"---\ntitle: 某省外贸增长一成\ndate: 2021-12-28\n---\n{text}")
    assert article.text.split("\n") == [ONE, "小标题", TWO]


SIGNED = {
    "two labels behind one": ("转自：某某外贸网　记者：王一鸣\n\n", "", ("某某外贸网", "王一鸣", None)),
    "in front of the text": ("【文/某某网 王一鸣 编辑/李某】", "", (None, "王一鸣", "李某")),
    "a sentence is no medium": ("", "\n本文摘自：2026年1月5日已经发布的《某省外贸》\n", (None, None, None)),
}


@pytest.mark.parametrize("kind", SIGNED)
def test_who_signs_a_post(kind):
    above, below, names = SIGNED[kind]
    article = read(f"# 某省外贸增长一成\n\n{above}{ONE}\n\n{TWO}\n{below}")
    assert (article.publisher if names[0] else None, article.author, article.editor) == names
    assert "发布的" not in (article.publisher or "")
    assert article.text.split("\n") == [("【文/某某网 王一鸣 编辑/李某】" if "front" in kind else "") + ONE, TWO]


def test_a_post_is_of_the_moment_it_was_edited_where_it_names_no_other():
    below = "[编辑于 2026-01-05 22:47](https://example.com/answer/1)・IP 属地浙江\n"
    article = read(f"# 某省外贸增长一成\n\n{ONE}\n\n{TWO}\n\n{below}")
    assert article.published_at == datetime.fromisoformat("2026-01-05T22:47:00+08:00")
    assert article.text.split("\n") == [ONE, TWO]


@pytest.mark.parametrize(
    ("date", "line", "time"),
    [
        # Of the same day the source has an earlier moment: front matter tells when the mirror was made.
        ("2026-01-05 22:47:10", "来源：某某报　作者：王一鸣　2026-01-05 18:22", "2026-01-05T18:22:00"),
        ("2026-01-05T22:47:10+08:00", "> 文章来源：某某报 2026年1月5日 18:22", "2026-01-05T18:22:00"),
        ("2026-01-05 08:47:10", "来源：某某报　2026-01-05 18:22", "2026-01-05T08:47:10"),
        ("2026-01-06 22:47:10", "来源：某某报　2026-01-05 18:22", "2026-01-06T22:47:10"),
        ("2026-01-05T22:47:10Z", "来源：某某报　2026-01-05 18:22", "2026-01-06T06:47:10"),
        ("2026-01-05 22:47:10", "数据截至 2026-01-05 18:22", "2026-01-05T22:47:10"),
        ("2026-01-05 22:47:10", "来源：某某报 2026-01-05", "2026-01-05T22:47:10"),
    ],
)
def test_the_moment_of_the_source_goes_before_that_of_its_mirror(date, line, time):
    article = read(f"---\ntitle: 某省外贸增长一成\ndate: {date}\n---\n{line}\n\n{ONE}\n\n{TWO}\n")
    assert article.published_at is not None
    assert article.published_at.astimezone(UNKNOWN.zone).isoformat() == f"{time}+08:00"


def test_notes_stay_and_their_marks_go():
    article = read(f"---\ntitle: 某省外贸增长一成\ndate: 2021-12-28\n---\n{ONE}[^1]\n\n[^1]: 数据来自某省商务厅。\n")
    assert article.text.split("\n") == [ONE, "数据来自某省商务厅。"]


def test_a_text_lends_its_title_and_keeps_its_first_line():
    fetched_at = datetime(2026, 11, 21, tzinfo=UTC)
    body = f"{ONE}\n{TWO}\n".encode()
    page = Page(source="local", url="", final_url="", status=200, body=body, form="text", fetched_at=fetched_at)
    article = extract(page, UNKNOWN)
    assert isinstance(article, Article)
    assert (article.title, article.text.split("\n")) == (ONE.rstrip("。"), [ONE, TWO])


@pytest.mark.parametrize("text", ['{"a": 1}\n正文', "+++\n不是键\n+++\n正文", "{ 花括号开头的正文。"])
def test_braces_and_pluses_alone_are_no_front_matter(text):
    assert not looks_like_post(text)


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**答：**没有时间表。", "<p><strong>答：</strong>没有时间表。</p>"),
        ("问：**“有没有？”**答没有。", "<p>问：<strong>“有没有？”</strong>答没有。</p>"),
        (
            "降至**1.5%**以下，他说**“不会再降”**。",
            "<p>降至<strong>1.5%</strong>以下，他说<strong>“不会再降”</strong>。</p>",
        ),
        ("甲**、王**都在", "<p>甲**、王**都在</p>"),
        ("1. 甲\n2. 乙", "<p>1. 甲</p>\n<p>2. 乙</p>"),
        ('甲![图](/1.png){: width="640" }', '<p>甲<img src="/1.png" alt="图" /></p>'),
        ("2**3**4 and a ** b ** c", "<p>2<strong>3</strong>4 and a ** b ** c</p>"),
        ("***", "<hr />"),
    ],
)
def test_emphasis_beside_chinese_stops(markdown, html):
    post = parse_post(f"---\ntitle: 某事\n---\n{markdown}\n")
    assert isinstance(post, Post)
    assert post.body_html.strip() == html


@pytest.mark.parametrize(
    "header",
    ["source: https://example.com/1\npublisher: 某某报", "source: {name: 某某报, url: https://example.com/1}"],
)
def test_the_publisher_is_a_name_and_no_address(header):
    post = parse_post(f"---\ntitle: 某事\n{header}\n---\n正文第一段。\n")
    assert isinstance(post, Post)
    assert post.listed.publisher == "某某报"


@pytest.mark.parametrize("contents", ["* TOC\n{:toc}", "[[toc]]", "[TOC]", "> [!NOTE]"])
def test_a_table_of_contents_is_the_engines(contents):
    post = parse_post(f"---\ntitle: 某事\n---\n{contents}\n\n正文第一段。\n")
    assert isinstance(post, Post)
    assert post.body_html.strip() == "<p>正文第一段。</p>"


def test_of_a_box_the_heading_and_the_text_stay():
    post = parse_post("---\ntitle: 某事\n---\n正文第一段。\n\n::: tip 背景\n去年也是这样。\n:::\n\n末段。\n")
    assert isinstance(post, Post)
    assert post.body_html.split() == ["<p>正文第一段。</p>", "<p>背景</p>", "<p>去年也是这样。</p>", "<p>末段。</p>"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("import Box from '../Box.astro';\nimport { Clip } from 'astro-embed';\n\n正文第一段。", "正文第一段。"),
        ("原创 某甲 [某某财报](javascript:void(0);) 正文。", "原创 某甲 某某财报 正文。"),
        ("他说==这一点最要紧==，别的不提。", "他说这一点最要紧，别的不提。"),
        ("参见[[利率笔记|旧文]]与[[汇率笔记]]。", "参见旧文与汇率笔记。"),
        ("式中 a == b 时成立，import 一词不删。", "式中 a == b 时成立，import 一词不删。"),
    ],
)
def test_marks_of_other_engines_are_no_text(body, text):
    post = parse_post(f"---\ntitle: 题\n---\n{body}\n")
    assert re.sub(r"<[^>]+>", "", post.body_html).strip() == text


def test_an_author_in_a_wiki_link_is_a_name():
    assert parse_post('---\ntitle: 题\nauthor:\n  - "[[某某财经]]"\n---\n正文。\n').listed.author == "某某财经"


def test_notions_properties_below_the_heading_are_front_matter():
    written = "作者: 某甲\n发布日期: 2026年11月5日\n来源: 某某所\nCreated: November 6, 2026 9:12 AM\n状态: 待读"
    post = parse_post(f"# 题\n\n{written}\n\n<aside>\n引语\n</aside>\n\n正文。\n")
    assert (post.listed.title, post.listed.author, post.listed.publisher) == ("题", "某甲", "某某所")
    assert (post.listed.published, post.kind, post.body.strip()[-3:]) == ("2026年11月5日", "markdown", "正文。")


@pytest.mark.parametrize(
    "lines", ["时间: 周五\n地点: 北京\n正文。", "作者: 某甲\n正文从这里开始。", "一: 二\n三: 四\n\n正文。"]
)
def test_lines_with_colons_are_text_unless_they_say_who_and_when(lines):
    assert parse_post(f"# 题\n\n{lines}\n").body.strip() == lines


@pytest.mark.parametrize(
    ("bold", "is_title"), [("某省前三季度：售电量增长，电价下行", True), ("问：电价会涨吗", False)]
)
def test_a_line_in_bold_at_the_head_of_a_message_is_its_title(bold, is_title):
    post = parse_post(
        f"---\nid: 4187\ndate: 2026-11-20T02:31:07+00:00\n---\n\n**{bold}**\n\n正文第一段。\n\n正文第二段。\n"
    )
    assert (post.listed.title == bold, bold in post.body) == (is_title, not is_title)


def test_a_label_begins_a_line_of_its_own():
    html = parse_post(
        "# 题\n\n正文没有写完的一行\n接着写。\n\n---\n本文作者：某甲\n**版权声明**：转载请注明出处！\n"
    ).body_html
    assert "<p>本文作者：某甲</p>" in html
    assert "正文没有写完的一行\n接着写。" in html


def test_the_frame_of_simpread():
    link = "[example.com](https://example.com/1.html)"
    frame = f"> 本文由 [简悦 SimpRead](http://example.org/) 转码， 原文地址 {link}\n\n> 导语\n\n"
    post = parse_post(f"{frame}# 题\n\n正文。\n")
    assert (post.url, post.listed.title, post.body.strip()) == ("https://example.com/1.html", "题", "正文。")


def test_the_note_of_joplin():
    known = "created_time: 2026-11-24T01:12:40.118Z\nsource_url: https://example.com/1"
    note = f"id: {'7f' * 16}\nparent_id: \n{known}\ntype_: 1"
    post = parse_post(f"题\n\n正文。\n\n{note}")
    assert (post.listed.title, post.url, post.body.strip()) == ("题", "https://example.com/1", "正文。")


def test_a_day_with_its_clock_counts_before_the_day_alone():
    day = "date: 2026-10-29\npublishDate: 2026-10-29T08:17:00+08:00"
    assert parse_post(f"---\n{day}\n---\n正文。").listed.published == "2026-10-29T08:17:00+08:00"
    assert parse_post(f"---\n{day.replace('-29T', '-30T')}\n---\n正文。").listed.published == "2026-10-29"

"""Posts in other markups than Markdown."""

from __future__ import annotations

import re

import pytest

from articles.posts import parse_post

ONE = "某省商务厅周二表示，前三季度进出口总额同比增长一成。"
TWO = "分析人士认为，四季度增速有望继续回升。"
URL = "https://example.com/1"

POSTS = {
    "org": f"""#+TITLE: 某题
#+DATE: <2026-11-05 四 10:20>
#+AUTHOR: 某甲
:PROPERTIES:
:SOURCE: {URL}
:END:

{ONE}

* DONE 小标题 :外贸:
:PROPERTIES:
:ID: a-1
:END:
这里*要紧*，见[[https://example.com/2][旧文]]。
#+BEGIN_QUOTE
{TWO}
#+END_QUOTE

* 私记 :noexport:
不外传。
""",
    "asciidoc": f"""= 某题
某甲 <a@example.com>
v1.0, 2026-11-05 10:20
:source: {URL}
:toc:

[.lead]
{ONE}

== 小标题

这里*要紧*，见https://example.com/2[旧文]。

[quote, 某人]
____
{TWO}
____
// 不外传。
""",
    "restructured text": f"""某题
====

:date: 2026-11-05 10:20
:author: 某甲
:source: {URL}

{ONE}

小标题
------

.. image:: x.png
   :alt: 不外传。

这里\\ **要紧**\\ ，见 `旧文 <https://example.com/2>`_。

.. note:: {TWO}
""",
    "nikola": f""".. title: 某题
.. date: 2026-11-05 10:20
.. author: 某甲
.. link: {URL}

{ONE}

小标题
------

这里\\ **要紧**\\ ，见 `旧文 <https://example.com/2>`_。

{TWO}
""",
    "pandoc": f"""% 某题
% 某甲
% 2026-11-05 10:20

[原文]({URL})

{ONE}

## 小标题 {{#a .b}}

这里**要紧**，见[旧文](https://example.com/2)。

{TWO}
""",
}


@pytest.mark.parametrize("text", POSTS.values(), ids=POSTS)
def test_other_markups(text):
    post = parse_post(text)
    shown = re.sub(r"<[^>]+>|\\|\s", "", post.body_html)
    assert shown == f"{ONE}小标题这里要紧，见旧文。{TWO}"
    assert (post.listed.title, post.listed.author, post.url) == ("某题", "某甲", URL)
    assert post.listed.published.startswith("2026-11-05 10:20")


def test_a_wikis_page():
    text = f"'''某题'''是一件事。{ONE}\n\n== 小标题 ==\n{TWO}<ref>某报</ref>\n\n[[分类:外贸]]\n"
    assert re.sub(r"<[^>]+>|\s", "", parse_post(text).body_html) == f"某题是一件事。{ONE}小标题{TWO}"


def test_what_a_wiki_puts_around_words_and_below_the_text():
    text = (
        f"{{{{日期|2026年11月5日}}}}\n[[File:a.jpg|thumb|[[港口]]一角]]\n'''某题'''是[[w:某省|某地]]的{{{{w|某省|事}}}}。{ONE}\n\n"
        f"== 小标题 ==\n{TWO}\n\n== 来源 ==\n* {{{{source|url={URL}|title=别题}}}}\n\n{{{{发布}}}}\n[[en:A]]\n"
    )
    shown = re.sub(r"<[^>]+>|\s", "", parse_post(text).body_html)
    assert shown == f"日期：2026年11月5日某题是某地的事。{ONE}小标题{TWO}"


def test_a_wiki_that_counts_headings_the_other_way():
    text = f"====== 某题 ======\n\n//[[{URL}|某某报]]//\n\n{ONE}\n\n===== 小标题 =====\n\n{TWO}\n\n{{{{tag>外贸}}}}\n"
    post = parse_post(text)
    assert (post.listed.title, re.sub(r"<[^>]+>|\s", "", post.body_html)) == ("某题", f"某某报{ONE}小标题{TWO}")


@pytest.mark.parametrize(
    "text",
    [f"* 一\n* 二\n\n{ONE}", f"= {ONE}", f"等式 a == b 与 '''。\n{ONE}", f".. 省略号之后\n{ONE}", f"%5 的增长\n{ONE}"],
)
def test_markdown_stays_markdown(text):
    assert parse_post(text).body.strip() == text

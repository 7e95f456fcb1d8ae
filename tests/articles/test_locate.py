"""Where the article is: votes on pages of unknown sites, rules on known ones."""

from __future__ import annotations

import pytest
from lxml import etree
from lxml.cssselect import CSSSelector

from articles.canonical import read_runs
from articles.locate import Finder, SelectorFaultError, Wanted, choose, containers, vote

PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
TITLE = "某省外贸进出口增长一成"
PROSE = [
    "全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快。",
    "分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，企业的信心也在增强。",
    "有关部门表示，将继续落实各项政策，帮助企业开拓市场、降低成本，稳住外贸基本盘。",
]
NAV = "".join(f"<li><a href='/{n}'>频道{n}</a></li>" for n in range(40))
RELATED = "".join(
    f"<dd><a href='/{n}'>另一篇报道的题目{n}</a></dd>"
    f"<dd>另一篇报道的第一句话，写得很长，也有逗号和句号，足以投票{n}。</dd>"
    for n in range(6)
)
LEGAL = (
    "<div>声明：本网站转载上述内容，不代表本站立场，如有侵权请联系我们删除，投稿邮箱见首页，欢迎监督。</div>"
    "<div>网友评论仅供表达个人看法，登录后可以发表评论，请勿发布违法信息，举报电话见下，版权所有。</div>"
)


def page(body, title=TITLE):
    return etree.fromstring(
        f"<html><body><ul>{NAV}</ul><h1>{title}</h1><div>{body}</div>{LEGAL}<dl>{RELATED}</dl></body></html>".encode(),
        PARSER,
    )


def voted(tree, title=TITLE):
    reading = read_runs(tree)
    headline = next((run.order for run in reading.runs if run.text == title), None)
    return [run.text for run in choose(vote(reading, headline).runs, title, headline).kept]


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"<p>{line}</p>" for line in PROSE),
        "<br><br>".join(PROSE),
        "".join(f"<div><span>{line}</span></div>" for line in PROSE),
        f"<p>{PROSE[0]}<p>{PROSE[1]}<div><p>{PROSE[2]}",
        f"<table><tr><td>{PROSE[0]}<br>{PROSE[1]}<br>{PROSE[2]}</td></tr></table>",
    ],
    ids=["paragraphs", "line breaks", "divs", "unclosed", "layout table"],
)
def test_the_article_is_found_between_links_legal_text_and_related_news(body):
    assert voted(page(body)) == PROSE


def test_a_flash_of_one_sentence_wins_over_longer_notices():
    flash = "某某股份公告，前三季度净利润增长两成。"
    assert voted(page(f"<p>{flash}</p>")) == [flash]


def test_without_a_headline_the_block_of_sentences_is_found():
    tree = page("".join(f"<p>{line}</p>" for line in PROSE), title="")
    assert voted(tree, "") == PROSE


def test_short_lines_beside_the_sentences_belong_to_the_article():
    ranking = [f"{n}、某地" for n in range(1, 8)]
    body = f"<p>{PROSE[0]}</p>" + "".join(f"<p>{line}</p>" for line in ranking)
    assert voted(page(body)) == [PROSE[0], *ranking]


def test_comments_inside_the_container_are_noise():
    comments = "<div class='comment-list'><p>我觉得说得对，支持一下，希望越来越好。</p></div>"
    assert voted(page("".join(f"<p>{line}</p>" for line in PROSE) + comments)) == PROSE


def test_parts_of_an_article_that_are_named_so_are_noise_and_say_nothing_against_it():
    deck = "全市外贸增长一成，出口快于进口。"
    body = "<div class='article-content'>" + "".join(f"<p>{line}</p>" for line in PROSE) + "</div>"
    tags = "<div class='article__tags'><p>外贸</p></div>"
    statement = "<div class='article__statement'><p>观点属于作者，不属于平台。</p></div>"
    assert voted(page(f"<div><p>{deck}</p></div>{body}{tags}{statement}")) == [deck, *PROSE]
    teaser = "<div class='box article-relate'><p>专家建议企业先开拓周边的市场，再谈出海。</p></div>"
    assert voted(page(body.replace("</p>", f"</p>{teaser}", 1))) == PROSE


def test_a_container_named_after_its_buttons_is_no_noise():
    body = "<div class='share-content-wrap sharebox'>" + "".join(f"<p>{line}</p>" for line in PROSE) + "</div>"
    assert voted(page(body)) == PROSE


def test_what_follows_the_signature_is_the_site_again():
    rest = (
        "<p>责任编辑：李某</p><p>海量资讯，精准解读，尽在某某客户端，欢迎下载。</p><p>热门直播正在进行，点击观看。</p>"
    )
    assert voted(page("".join(f"<p>{line}</p>" for line in PROSE) + rest)) == PROSE


def test_link_lists_go_and_the_subheads_of_a_digest_stay():
    lists = "<ul><li><a href='/a'>旧闻一则</a></li><li><a href='/b'>旧闻两则</a></li></ul>"
    assert voted(page("".join(f"<p>{line}</p>" for line in PROSE) + lists)) == PROSE
    items = [f"{line}{other}" for line, other in zip(PROSE, reversed(PROSE), strict=True)]
    digest = "".join(f"<p><a href='/{n}'>要闻的标题在此{n}</a></p><p>{item}</p>" for n, item in enumerate(items))
    assert voted(page(digest)) == [line for n, item in enumerate(items) for line in (f"要闻的标题在此{n}", item)]


def test_a_page_of_links_has_no_article():
    tree = etree.fromstring(f"<html><body><ul>{NAV}</ul></body></html>".encode(), PARSER)
    assert voted(tree) == []


def test_english_sentences_vote_too():
    lines = [
        "Exports rose by a tenth, the ministry said on Monday. Analysts had expected less.",
        "Imports fell, and the surplus grew.",
    ]
    assert voted(page("".join(f"<p>{line}</p>" for line in lines))) == lines


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────

KNOWN = (
    "<div id=a class='left body'><p class=x>甲</p><a class=x href='/u'>乙</a></div><div class='body'><i>丙</i></div>"
)


def test_selectors_take_text_and_attributes():
    tree = etree.fromstring(f"<body>{KNOWN}</body>".encode(), PARSER)
    assert Finder(tree).text(["#none", "p.x::text"]) == "甲"
    assert Finder(tree).text(["a.x::attr(href)"]) == "/u"
    assert Finder(tree).text([]) is None


def test_a_selector_that_cannot_be_read_is_named():
    tree = etree.fromstring(f"<body>{KNOWN}</body>".encode(), PARSER)
    with pytest.raises(SelectorFaultError, match="'p\\[\\['"):
        Finder(tree).text(["p[["])


def test_containers_are_the_outermost_matches_of_the_first_selector_that_has_text():
    tree = etree.fromstring(
        "<body><div class=b></div><div class=c>甲<div class=c>乙</div></div><div class=c>丙</div>".encode(), PARSER
    )
    assert ["".join(e.itertext()) for e in containers(Finder(tree), [".b", ".c"])] == ["甲乙", "丙"]


CHAINS = """<meta name="a b" content=1>
<div id=top class="a b"><p class="x y" title=t>1</p><section class=c><p class=x>2</p><i id=k>3</i></section></div>
<div class=a><p class="x z">4</p></div>"""
SELECTORS = (
    *(".x", "p.x.y", "#top .x", ".a p.x", ".a.b .c .x", "div#top i#k", "section p", "p[title]", ".a > .x", ".none"),
    *("#top, .a", '[class^="x"]', '.a [class*="z"]', 'p[class$="y"]', '[id="k"]', "[class~=b]", 'p[title="t"].x', "p"),
    *('meta[name="a b"]', "meta[content]", ".x:first-child", "#top p", ".a p", ".a.b i", "div #top .c p", ".a #top p"),
)


@pytest.mark.parametrize("selector", SELECTORS)
def test_the_index_finds_what_libxml2_finds(selector):
    tree = etree.fromstring(CHAINS.encode(), PARSER)
    found = CSSSelector(selector)(tree)
    assert Finder(tree).select(selector) == found
    assert Finder(tree, Wanted(SELECTORS)).select(selector) == found


@pytest.mark.parametrize("selector", [".x", "#top .x", "section p", ".x:first-child", "p"])
def test_a_selector_may_be_asked_inside_one_element(selector):
    tree = etree.fromstring(CHAINS.encode(), PARSER)
    (section,) = tree.iter("section")
    assert [element.text for element in Finder(tree).select(selector, section)] == ["2"]

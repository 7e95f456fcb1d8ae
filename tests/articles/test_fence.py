"""What is left out of a page before it is parsed, where a rule fences the body in."""

from __future__ import annotations

import time

import pytest

from articles.fence import cut_around

HEAD = "<html><head><title>某市举行展会_某网</title><meta name=date content=2026-11-20></head>"
LINKS = "".join(f"<li class=nav><a href='/{n}'>另一篇报道的题目{n}</a></li>" for n in range(400))
TIME = "<p class=when>2026-11-20 10:37</p>"
REST = "<p>评论</p>" * 4_000


@pytest.mark.parametrize(
    ("opening", "selector"),
    [
        ('<div class="x" id="body">', "#body"),
        ("<div id=body>", "#body"),
        ('<div class="left body wide">', ".body"),
        ("<DIV CLASS='body'>", "div.body"),
        ('<div class="text_x7Q">', '[class^="text_"]'),
        ("<div id=body>", "[id=body]"),
    ],
)
def test_a_page_is_cut_behind_its_container(opening, selector):
    inside = "<div>甲</div><script>'</div>'</script><!-- </div> --><style>a{}</style>乙"
    rest = "<p>评论</p>" * 4_000
    html = f"<html><body>{opening}{inside}</div>{rest}</body></html>"
    cut = cut_around(html, [selector])
    assert cut is not None
    assert cut.startswith(f"<html><body>{opening}{inside}</div>")
    assert len(cut) < len(html) / 4


@pytest.mark.parametrize("selector", ["div > p", ".body .inner", "div #body", "#other"])
def test_only_an_id_or_a_class_is_a_fence(selector):
    html = "<div id=body class='body'>甲</div>" + "<p>评论</p>" * 4_000
    assert cut_around(html, [selector]) is None


def test_a_container_inside_another_is_found_there():
    html = f"<p class=text_1>甲</p><div class=main_1>乙<p class=text_2>丙</p></div>{REST}<p class=text_3>丁</p>"
    found = cut_around(html, ['[class^="main_"] [class^="text_"]'])
    assert found is not None
    assert found.startswith("<p class=text_1>甲</p><div class=main_1>乙<p class=text_2>丙</p></div>")
    assert "丁" not in found


@pytest.mark.parametrize("rest", ["<p class=text_3>丁</p></div>", "</div><div class=main_2></div>"])
def test_a_body_in_pieces_is_no_fence(rest):
    html = f"<div class=main_1>乙<p class=text_2>丙</p>{rest}{REST}"
    assert cut_around(html, ['[class^="main_"] [class^="text_"]']) is None


def test_a_container_that_never_closes_is_no_fence():
    assert cut_around("<div id=body>甲" + "<p>评论</p>" * 4_000, ["#body"]) is None


@pytest.mark.parametrize(
    "html",
    [
        *("<div id=body1 " + "id=body1 " * 60_000, "body " * 400_000, "<div " * 300_000 + "id=body>"),
        *("<div id=body>" + part * 300_000 for part in ("<!--", "<script>")),
    ],
    ids=["attributes", "words", "tags", "comments", "scripts"],
)
def test_no_page_makes_the_cut_slow(html):
    started = time.process_time()
    assert cut_around(html, ["#body"]) is None
    assert time.process_time() - started < 3


def page(above="", front=LINKS):
    return (
        f"{HEAD}<body>{front}{above}{LINKS[:3000]}<h1>某市举行展会</h1>{TIME}<div id=body>甲</div>{REST}</body></html>"
    )


def cut(html, *fields):
    found = cut_around(html, ["#body"], tuple(fields))
    assert found is not None
    assert found.startswith(HEAD)
    assert f"<h1>某市举行展会</h1>{TIME}<div id=body>甲</div>" in found
    return found


def test_what_stands_between_the_head_and_the_headline_is_left_out():
    assert len(cut(page(), ("h1::text",), (".when::text",), ("meta[name=date]::attr(content)",))) < len(page()) / 4


@pytest.mark.parametrize("selector", [".who", "#who > b:first-child", '[class^="wh"] b', "em.when b", "i"])
def test_an_element_that_a_field_is_read_from_moves_the_cut(selector):
    above = "<em class='who when' id=who><i><b>某报</b></i></em>" + LINKS
    assert above in cut(page(above), ("h1",), (selector,))


def test_a_name_in_a_link_or_a_script_moves_nothing():
    named = page(front=LINKS.replace("</a>", " when</a>") + "<script>var when = {'when': 1}</script>" + LINKS)
    assert len(cut(named, (".when",))) < len(named) / 4


def test_breadcrumbs_stay_that_no_rule_names():
    above = "<p>首页 &gt; 财经 &gt; 正文</p>" + LINKS
    assert above in cut(page(above))


@pytest.mark.parametrize(
    "front",
    [
        *("<meta property=og:title content=甲>", '<script type="application/ld+json">{}</script>'),
        "<div id=pubtime_baidu style='display:none'>2026-11-20</div>",
    ],
)
def test_what_is_read_wherever_it_stands_is_kept(front):
    assert front in cut(page(front + LINKS))


@pytest.mark.parametrize("selectors", [("td:has(> i)",), ("em, .who",)])
def test_nothing_in_front_is_left_out_where_a_selector_tells_no_name(selectors):
    assert LINKS in cut(page(), selectors)


@pytest.mark.parametrize(("opened", "closed"), [("<script>", "</script>"), ("<style>", "</style>"), ("<!--", "-->")])
def test_no_cut_lies_inside_a_script_or_a_comment(opened, closed):
    opaque = opened + "if (a<b) {乙}" * 600 + closed
    assert "乙" not in cut(page(opaque))
    never_closed = opaque.removesuffix(closed)
    assert never_closed in cut(page(never_closed))


def test_a_page_without_a_head_or_a_headline_is_cut_behind_only():
    for html in (page().replace("</head>", ""), page().replace("h1>", "h4>")):
        found = cut_around(html, ["#body"])
        assert found is not None
        assert LINKS in found
        assert len(found) < len(html)


def test_a_headline_may_be_told_by_its_selectors():
    html = page().replace("<h1", "<h4 class=head").replace("h1>", "h4>")
    found = cut_around(html, ["#body"], ((".title::text", ".head::text"),))
    assert found is not None
    assert "<h4 class=head>某市举行展会</h4>" in found
    assert LINKS not in found
    assert len(found) < len(html) / 4


def test_a_field_far_behind_the_body_is_kept():
    html = page().replace(REST, "<p>评论</p>" * 2_000 + "<i id=who>某人</i>" + REST)
    assert "<i id=who>某人</i>" in cut(html, ("h1",), ("#who::text",))
    assert "<i id=who>某人</i>" not in cut(html, ("h1",), (".when", "#who::text"))

"""Runs: what one paragraph is, whatever the mark-up."""

from __future__ import annotations

import pytest
from lxml import etree

from articles.canonical import MAX_DEPTH, Hint, canonical, hints_of, read_runs

PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)


def reading_of(html):
    return read_runs(etree.fromstring(html.encode(), PARSER))


def texts(html):
    return [run.text for run in reading_of(html).runs]


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<div>甲<br>乙<br><br>丙</div>", ["甲", "乙", "丙"]),
        ("<div>甲<p>乙<b>丙</b><span>丁</span></p>戊</div>", ["甲", "乙丙丁", "戊"]),
        ("<p>甲<p>乙<div>丙", ["甲", "乙", "丙"]),
        ("<p>甲<!-- <p>不见</p> -->乙</p>", ["甲乙"]),
        ("<p>见<中文>与5<6</p>", ["见<中文>与5<6"]),
        ("<p>甲<script>var a='乙'</script><style>p{}</style>丙</p>", ["甲丙"]),
        ("<p>甲<span style='display:none'>乙</span>丙</p>", ["甲丙"]),
        ("<p style='visibility:hidden'>甲</p>", ["甲"]),
        ("<ul><li>甲</li><li>乙</li></ul>", ["甲", "乙"]),
        ("<pre>甲\n乙\n\n丙</pre>", ["甲", "乙", "丙"]),
        (
            "<table><tr><td>品种</td><td>涨幅</td></tr><tr><td>铜</td><td><p>1.2%</p></td></tr></table>",
            ["品种 涨幅", "铜 1.2%"],
        ),
        (
            "<table><tr><td>左栏</td><td><p>甲</p><p>乙</p><p>丙</p><p>丁</p></td></tr></table>",
            ["左栏", "甲", "乙", "丙", "丁"],
        ),
        ("<p>\u3000\u3000甲&nbsp;&nbsp;乙</p>", ["甲 乙"]),
    ],
)
def test_one_run_is_one_paragraph_as_displayed(html, lines):
    assert texts(html) == lines


def test_line_breaks_between_wide_characters_are_no_spaces():
    run = reading_of("<p>第一行\n   第二行 three\nfour</p>").runs[0]
    assert run.paragraph == "第一行第二行 three four"


def test_links_on_securities_are_part_of_the_sentence():
    reading = reading_of(
        "<p><a href='//quote.example/x'>某某股份</a>涨<a href='https://quote.eastmoney.com/unify/r/1.600519'>甲</a>"
        "<a href='/n'>乙</a></p>"
    )
    assert reading.runs[0].free == "某某股份涨甲"
    assert [address for _, address in reading.stock_links][-1].endswith("1.600519")


def test_marks_of_notes_are_no_part_of_a_sentence():
    marked = "<p>税在前<a href='#fn1'>1</a>，风险也挪了<sup><a href='#fn2'>[2]</a></sup>。<a href='#top'>回到2</a></p>"
    note = "<div class='footnote'><a href='#back1'>1</a><p>由商家自行承担。</p><a href='#back1'>↩\ufe0e</a></div>"
    reading = reading_of(marked + note)
    assert [run.text for run in reading.runs] == ["税在前，风险也挪了。回到2", "由商家自行承担。"]
    assert not reading.noise


def test_the_name_of_a_headings_place_says_nothing():
    assert not reading_of("<div><h2 id='statement'>声明里少了一句话</h2><p>甲。</p></div>").noise
    assert reading_of("<div><h2 class='statement'>声明</h2><p>甲。</p></div>").noise


def test_links_without_an_address_lead_away_but_for_places_to_lead_to():
    reading = reading_of("<p>甲<a>乙</a><a name='p1'>丙</a><a id='p2'>丁</a></p>")
    assert reading.runs[0].free == "甲丙丁"


def test_quotes_that_a_script_puts_into_a_sentence_are_no_part_of_it():
    quote = "<a href='/s/1'>某股份</a><span class='jsQuote'> -1.15 (-2.4%) 成交 9870萬 </span>"
    said = "<span class='quote'>增长10%，超过预期</span>"
    assert [run.text for run in reading_of(f"<p>{quote}上月出货{said}。</p>").runs] == [
        "某股份上月出货增长10%，超过预期。"
    ]


def test_kinds_and_levels():
    runs = reading_of("<h1>题</h1><h2>节<div>正文</div></h2><li><p>项</p></li>").runs
    assert [(run.kind, run.level) for run in runs] == [("h", 1), ("h", 2), ("p", 0), ("li", 0)]


def test_deep_mark_up_is_read_without_structure():
    depth = MAX_DEPTH + 200
    reading = reading_of("<div>" * depth + "深处的正文" + "</div>" * depth)
    assert [run.text for run in reading.runs] == ["深处的正文"]
    assert reading.too_deep


def test_spans_come_inner_first_and_hold_their_runs():
    reading = reading_of("<body><div id='outer'><div id='inner'><p>甲</p><p>乙</p></div><p>丙</p></div></body>")
    spans = {element.get("id"): (start, end) for start, end, element in reading.spans if element.get("id")}
    assert spans == {"inner": (0, 2), "outer": (0, 3)}
    assert next(iter(spans)) == "inner"


def test_what_is_undisplayed_for_search_engines_is_noted():
    reading = reading_of("<div style='display:none'><span id='pubtime_baidu'>2020-07-04 12:10:24</span></div><p>甲</p>")
    assert reading.hidden == {"pubtime_baidu": "2020-07-04 12:10:24"}
    assert [run.text for run in reading.runs] == ["甲"]


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ("artibody", Hint.BODY),
        ("post_recommend_new", Hint.NOISE),
        ("shareBar", Hint.NOISE),
        ("ep-source cDGray", Hint.SOURCE),
        ("show_author", Hint.AUTHOR),
        ("article-editor", Hint.EDITOR),
        ("date-source", Hint.TIME),
        ("breadcrumb", Hint.CRUMBS),
        ("article__statement", Hint.PART),
        ("detailShare clearfix", Hint.PART),
        ("c-article-wechat", Hint.PART),
    ],
)
def test_names_give_hints(names, hint):
    assert hints_of(names) & hint


@pytest.mark.parametrize("names", ["adapt", "hotel", "header", "gradient", "padding"])
def test_parts_of_other_words_give_none(names):
    assert not hints_of(names) & Hint.NOISE


@pytest.mark.parametrize("names", ["article-page", "share-content", "article-toolkit-body", "detail_adapt", "tags"])
def test_what_is_no_part_of_an_article_is_not_named_so(names):
    assert not hints_of(names) & Hint.PART


def test_the_canonical_tree_is_flat():
    tree = canonical(["甲", "乙"])
    assert etree.tostring(tree, encoding="unicode") == (
        '<html><body><article itemprop="articleBody"><p>甲</p><p>乙</p></article></body></html>'
    )

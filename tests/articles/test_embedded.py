"""Texts that a page carries in its scripts only, in the forms sites are known to use."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.embedded import article_titled, embedded_article, is_notice
from articles.extract import _parse, extract
from articles.records import Article, Page
from articles.source import UNKNOWN

LINE = "某市商务局表示，今年前三季度全市进出口总额同比增长一成，对新兴市场的出口增长更快，企业对下半年的订单普遍乐观。"
SHELL = "<html><head><title>{title}</title></head><body><div id='app'></div><script>{script}</script></body></html>"
PAGES = {
    "state with unicode escapes": (
        "外贸增长一成_某某新闻",
        'window.__INITIAL_STATE__={"detail":{"title":"外贸增长一成","source":"某某日报","author":"记者 王一鸣",'
        f'"content":"\\u003cp\\u003e{LINE}\\u003c/p\\u003e","publishTime":"2026-10-21 09:30:00"}}}};',
    ),
    "bare keys, single quotes, HTML escaped again": (
        "外贸增长一成",
        f"var BASE_DATA = {{ articleInfo: {{ title: '外贸增长一成', content: '&lt;p&gt;{LINE}&lt;/p&gt;', "
        "source: '某某日报', author: '王一鸣', time: '2026-10-21 09:30:00' }} }};",
    ),
    "names as objects, time in milliseconds": (
        "",
        '{"props":{"article":{"id":1,"headline":"外贸增长一成","authors":[{"id":7,"name":"王一鸣"}],'
        f'"media":{{"id":2,"name":"某某日报"}},"publishedAt":1792546200000,"body":"<p>{LINE}</p>"}}}}}}',
    ),
}


def read(title: str, script: str) -> Article:
    return read_page(SHELL.format(title=title, script=script))


def read_page(markup: str) -> Article:
    page = Page(
        source="local",
        url="https://m.example/detail/1",
        final_url="https://m.example/detail/1",
        status=200,
        body=markup.encode(),
        fetched_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    article = extract(page, UNKNOWN)
    assert isinstance(article, Article), article
    return article


@pytest.mark.parametrize("form", PAGES)
def test_text_and_fields_beside_it(form):
    article = read(*PAGES[form])
    assert article.text == LINE
    assert article.title == "外贸增长一成"
    assert article.author == "王一鸣"
    assert article.publisher == "某某日报"
    assert article.published_at == datetime(2026, 10, 21, 1, 30, tzinfo=UTC)


def test_the_longest_text_is_the_article_and_fields_are_the_nearest():
    teaser = (
        '{"title":"另一篇","author":"李某","content":"另一篇的开头在这里，它比正文短得多，不该被当成正文，也不是它。"}'
    )
    main = f'{{"title":"外贸增长一成","author":"王一鸣","content":"{LINE}"}}'
    script = f'{{"list":[{teaser}],"main":{main},"more":[{teaser}]}}'
    found = embedded_article(_parse(SHELL.format(title="", script=script)))
    assert found is not None
    assert (found.html, found.fields) == (LINE, {"title": "外贸增长一成", "author": "王一鸣"})


def test_settings_are_no_text():
    script = '{"content":"width=device-width, initial-scale=1.0; maximum-scale=1.0; user-scalable=no","text":"xxxx"}'
    assert embedded_article(_parse(SHELL.format(title="", script=script))) is None


@pytest.mark.parametrize(
    "piece", [f"&lt;article&gt;&lt;p&gt;{LINE}&lt;/p&gt;&lt;/article&gt;", f"<article><p>{LINE}</p></article>"]
)
def test_a_form_that_is_not_displayed(piece):
    fields = {
        "title": "外贸增长一成",
        "author": "王一鸣",
        "source-name": "某某日报",
        "editor-name": "李某",
        "time": "1792546200000",
    }
    areas = "".join(f"<textarea class='article-{name}'>{value}</textarea>" for name, value in fields.items())
    found = embedded_article(
        _parse(f"<div style='display:none'>{areas}<textarea class='article-content'>{piece}</textarea></div>")
    )
    assert found is not None
    assert found.html == f"<article><p>{LINE}</p></article>"
    assert found.fields == dict(zip(("title", "author", "publisher", "editor", "time"), fields.values(), strict=True))


def test_what_a_reader_may_write_in_is_no_text():
    page = "<form><textarea name='content'>请输入评论，文明发言。</textarea><textarea name='title'>甲</textarea></form>"
    assert embedded_article(_parse(page)) is None


def test_json_that_is_written_as_in_an_address():
    state = quote(f'{{"data":{{"title":"外贸增长一成","content":"<p>{LINE}</p>"}}}}')
    page = f"<title>某某</title><script id='RENDER_DATA' type='application/json'>{state}</script>"
    found = embedded_article(_parse(page))
    assert found is not None
    assert (found.html, found.fields) == (f"<p>{LINE}</p>", {"title": "外贸增长一成"})


# ── a page that displays something else ──────────────────────────────────────────────────────────────────────────────

TITLE = "外贸增长一成，新兴市场成主力"
TEXT = (LINE, "多家出口企业的负责人说，海外仓已经排到明年一月，眼下最缺的是舱位和熟练工，而不是客户。")
HTML = "".join(f"<p>{line}</p>" for line in TEXT)
NOTICES = (
    "以上内容由第三方机构提供，某某网对其真实性、准确性和完整性不作任何保证，投资者据此操作所产生的损失由其自行承担。",
    "投资有风险，入市需谨慎。过往业绩并不预示其未来表现，本页面展示的信息仅供参考，不构成任何投资建议。",
)
OBJECT = {"title": TITLE, "source": "某某日报", "author": "王一鸣", "content": HTML, "time": "2026-10-21 09:30:00"}


def displaying(*lines: str, script: str, title: str = TITLE, heading: str = "") -> str:
    shown = "".join(f"<p>{line}</p>" for line in lines)
    heading = heading and f"<h1>{heading}</h1>"
    return (
        f"<html><head><title>{title}</title></head><body><div id='app'>{heading}<div class='tip'>{shown}</div></div>"
        f"{script}</body></html>"
    )


def state(*, of: object = None) -> str:
    return (
        f"<script>window.__STATE__={json.dumps({'page': 'post', 'detail': of or OBJECT}, ensure_ascii=False)};</script>"
    )


def flight(*rows: str) -> str:
    """Rows of React's server components, torn into pushes anywhere, as they are sent."""
    stream = "".join(rows)
    pieces = (stream[at : at + 70] for at in range(0, len(stream), 70))
    pushes = "".join(f"<script>self.__next_f.push([1,{json.dumps(piece)}])</script>" for piece in pieces)
    return f"<script>(self.__next_f=self.__next_f||[]).push([0])</script>{pushes}"


def text_row(identity: str, text: str) -> str:
    return f"{identity}:T{len(text.encode()):x},{text}"


def numbered() -> str:
    """As Nuxt 3 writes it: each value once, objects as numbers of places."""
    values: list[object] = [["ShallowReactive", 1], {"data": 2}, {"post": 3}]
    places = {key: 4 + number for number, key in enumerate(OBJECT)}
    values += [places, *OBJECT.values()]
    return f"<script type='application/json' id='__NUXT_DATA__'>{json.dumps(values, ensure_ascii=False)}</script>"


WRITTEN = {
    "a state": state(),
    "a string that is parsed": f"<script>var D=JSON.parse({json.dumps(json.dumps({'detail': OBJECT}))});</script>",
    "a list of paragraphs": state(
        of=OBJECT | {"content": [{"type": "p", "text": TEXT[0]}, {"type": "img", "src": "a.png"}, {"text": TEXT[1]}]}
    ),
    "a list of lines": state(of=OBJECT | {"content": "", "paragraphs": [*TEXT]}),
    "a string in a state": f"<script>window.D={json.dumps({'state': json.dumps({'detail': OBJECT})})};</script>",
    "as in an address": f"<script>var D=decodeURIComponent('{quote(json.dumps({'detail': OBJECT}))}');</script>",
    "a function's arguments": '<script>window.__NUXT__=(function(a,b,c,d,e){return {layout:"m",data:[{detail:{title:d,'
    "author:b,source:c,time:e,vip:a,content:"
    + json.dumps(HTML).replace("<", "\\u003C").replace("/", "\\u002F")
    + '},other:[{title:"另一篇",author:b,content:a}]}],error:a,ok:!0}}'
    f'(null,"王一鸣",\'某某日报\',"{TITLE}","2026-10-21 09:30:00"));</script>',
    "a text among the arguments, an object filled in": "<script>window.__NUXT__=(function(a,b,c){b.title=c;b.content=a;"
    'b.author="王一鸣";b.source="某某日报";b.time="2026-10-21 09:30";return {data:[{detail:b}],state:{now:b}}}'
    f'({json.dumps(HTML + "}(")},{{}},"{TITLE}"));</script>',
    "numbers for places": numbered(),
    "rows": flight(
        '1:"$Sreact.fragment"\n',
        text_row("1f", "别的一段文字，它也有自己的长度，\n而且有两行。"),
        f"5:{json.dumps(['$', '$L9', None, {'post': OBJECT | {'content': '$a'}, 'more': '$1f'}])}\n",
        text_row("a", HTML),
        '6:[["$","meta","0",{"name":"viewport","content":"width=device-width"}]]\n',
    ),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_notices_are_displayed_and_the_article_is_in_a_script(form):
    article = read_page(displaying(*NOTICES, script=WRITTEN[form], title=f"{TITLE}_某某网"))
    assert article.text == "\n".join(TEXT).replace("}(", "")
    assert (article.title, article.publisher, article.author) == (TITLE, "某某日报", "王一鸣")
    assert article.published_at == datetime(2026, 10, 21, 1, 30, tzinfo=UTC)


def test_the_headline_is_displayed_above_notices():
    assert read_page(displaying(*NOTICES, script=state(), heading=TITLE)).text == "\n".join(TEXT)
    buttons = ("在应用内阅读全文，体验更佳。", *NOTICES)
    assert read_page(displaying(*buttons, script=state(), heading=TITLE)).text == "\n".join(TEXT)


def test_functions_beside_a_state():
    around = "(function($){var a=1;return a;})(jQuery);%s;(function(){var s;return s.parentNode.removeChild(s);}());"
    scripts = (each.split("<script>")[1].split("</script>")[0] for each in (state(), WRITTEN["a function's arguments"]))
    for script in scripts:
        article = read_page(displaying(*NOTICES, script=f"<script>{around % script.rstrip(';')}</script>"))
        assert (article.author, article.text) == ("王一鸣", "\n".join(TEXT))


def test_one_title_for_all_pages_of_a_site():
    article = read_page(displaying(*NOTICES, script=state(), title="某某财经"))
    assert (article.title, article.text) == (TITLE, "\n".join(TEXT))


def test_a_form_in_a_page_that_displays_notices():
    form = f"<textarea class='article-title'>{TITLE}</textarea><textarea class='article-content'>{HTML}</textarea>"
    assert read_page(displaying(*NOTICES, script=f"<div style='display:none'>{form}</div>")).text == "\n".join(TEXT)


def test_lines_of_a_plain_text_are_paragraphs():
    assert read_page(displaying(script=state(of=OBJECT | {"content": "\n\n".join(TEXT)}))).text == "\n".join(TEXT)


SHOWN = (
    "本市前三季度的外贸数据今天公布，总额比去年同期多出一成，商务部门把原因归结为新市场和新产品，专家则提醒注意汇率的影响。",
    "港口方面说，国庆假期之后的订舱量没有像往年那样回落，十一月的班次已经全部排满，部分货主改走铁路。",
)
OTHERS = {
    "another article": {"title": "另一篇文章的标题在这里", "content": HTML * 5},
    "a comment in a list": {"title": TITLE, "comments": [{"nick": "甲", "content": HTML * 5}]},
    "comments as content": {
        "title": TITLE,
        "content": [{"nick": "甲", "text": HTML * 5}, {"nick": "乙", "text": LINE}],
    },
    "a comment of its own": {"title": TITLE, "topComment": {"content": HTML * 5}},
    "recommended in the article": {"title": TITLE, "recommend": {"data": {"content": HTML * 5}}},
    "the article again": {"title": TITLE, "content": "".join(f"<p>{line}</p>" for line in SHOWN) + HTML * 5},
    "a summary": {"title": TITLE, "content": LINE},
}


@pytest.mark.parametrize("heading", ["", TITLE], ids=["without its headline", "with its headline"])
@pytest.mark.parametrize("other", OTHERS)
def test_a_displayed_article_stays(other, heading):
    article = read_page(displaying(*SHOWN, script=state(of=OTHERS[other]), heading=heading))
    assert article.text == "\n".join(SHOWN)


def test_below_its_headline_even_a_text_of_the_same_title_does_not_replace_it():
    script = state(of={"title": TITLE, "content": HTML * 5})
    assert read_page(displaying(*SHOWN, script=script, heading=TITLE)).text == "\n".join(SHOWN)


@pytest.mark.parametrize("other", ["another article", "a comment in a list", "a comment of its own"])
def test_notices_are_not_replaced_by_what_is_not_the_article(other):
    article = read_page(displaying(*NOTICES * 2, script=state(of=OTHERS[other]), heading=TITLE))
    assert not any(line in article.text for line in TEXT)


def test_a_shell_prefers_the_text_of_its_title_to_a_longer_one():
    both = {"detail": OBJECT, "hot": {"title": "另一篇文章的标题在这里", "content": HTML.replace("一成", "两成") * 3}}
    assert read(TITLE, json.dumps(both, ensure_ascii=False)).text == "\n".join(TEXT)


@pytest.mark.parametrize("author", ["某某社 记者 王一鸣", "记者 王一鸣", "某某社　首席记者：王一鸣"])
def test_an_author_with_medium_and_rank(author):
    assert (
        read(TITLE, json.dumps(OBJECT | {"author": {"id": 0, "name": author}}, ensure_ascii=False)).author == "王一鸣"
    )


def test_notices():
    assert all(map(is_notice, NOTICES))
    assert not any(map(is_notice, (*TEXT, *SHOWN)))


# ── scripts that are broken, or made to be costly ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", WRITTEN)
def test_a_script_that_ends_anywhere(form):
    script = WRITTEN[form]
    for end in range(0, len(script), 37):
        tree = _parse(f"<title>{TITLE}</title>{script[:end]}")
        for found in (embedded_article(tree), article_titled(tree, [TITLE])):
            assert found is None or found.html.startswith(("<p>", LINE, "别的"))


@given(st.text(alphabet="{}[]()\"'\\:,;$a1T\nreturn", max_size=80))
def test_any_brackets_and_quotes(text):
    for script in (
        f"window.__NUXT__=(function(a,b){{return {{{text}}}}}({text}))",
        f"[[1,{text}]]",
        f"self.__next_f.push([1,{json.dumps(text)}])self.__next_f.push([1,{text}])",
        f"JSON.parse({text})",
    ):
        article_titled(_parse(f"<p>x</p><script>{script}{'/' * 40}</script>"), [TITLE])


MANY = 1_000_000
COSTLY = {
    "brackets": "(function(a){return " + "[{" * (MANY // 2) + "}(1))",
    "a list in a list": "[[" * (MANY // 2),
    "quotes that nobody closes": "return(function JSON.parse(" + '"\\"' * (MANY // 3),
    "strings in strings": '"{\\"' * (MANY // 4),
    "openings": "JSON.parse(content:'(function(" * (MANY // 30) + "return",
    "a long text for many names": f"(function(a){{return {{{'content:a,' * (MANY // 10)}}}}}({json.dumps(HTML * 99)}))",
    "names for names": f"(function(a,b){{return {{{'content:a,' * 20_000}}}}}([{'b,' * 2_000}],{json.dumps(HTML)}))",
    "places of places": json.dumps([{"content": 1}, *([at + 1] * 20 for at in range(1, 60)), HTML]),
    "a value that holds itself": json.dumps([{"content": 0, "title": [0, 0]}]),
    "a long text at many places": json.dumps([{"a": 1}, [2] * 100_000, HTML * 50]),
    "one text for many references": flight(text_row("a", HTML * 99), '"$a",' * (MANY // 50)),
    "lists in lists": '{"content":[' * (MANY // 12),
    "lists that end nowhere": ('{"content":["' + LINE * 900 + '",') * 20,
    "rows": f"self.__next_f.push([1,{json.dumps('1:T1,a' * (MANY // 6))}])",
    "texts of one title": f'{{title:"另一个标题",content:"{LINE}"}},' * (MANY // 80),
}


@pytest.mark.parametrize("case", COSTLY)
def test_costly_scripts_end_soon(case):
    tree = _parse(f"<title>{TITLE}</title><script>{COSTLY[case]}</script>")
    started = time.process_time()
    article_titled(tree, [TITLE])
    assert time.process_time() - started < 3, "a second at most on an idle machine"

"""Texts that a page carries in its scripts only, in the forms sites are known to use."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from articles.embedded import embedded_article
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
    page = Page(
        source="local",
        url="https://m.example/detail/1",
        final_url="https://m.example/detail/1",
        status=200,
        body=SHELL.format(title=title, script=script).encode(),
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

"""Whole pages in, articles or reasons out: forms, rules, limits, rows H01 to H16 and S12 to S15 of the fault list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from trafilatura.main_extractor import extract_content
from trafilatura.settings import Extractor
from trafilatura.xml import xmltotxt

from articles.canonical import canonical
from articles.explain import Explanation, explain
from articles.extract import MAX_BYTES, VERSION, _extracted, extract, extractor_of
from articles.normalise import clean_text
from articles.records import Article, Listed, Page, Reason, Rejected
from articles.source import UNKNOWN, ArticleRules, Gates, Source

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
TITLE = "某省外贸进出口增长一成"
LINES = [
    "全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快，企业信心增强。",
    "分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，结构也将继续改善。",
    "有关部门表示，将继续落实各项政策，帮助企业开拓市场、降低成本，稳住外贸基本盘。",
]
BODY = "".join(f"<p>{line}</p>" for line in LINES)
TEXT = "\n".join(LINES)
KNOWN = Source(
    id="known", name="某某网", hosts=["news.example"], article=ArticleRules(body=["#body"], drop=[".promo", "#related"])
)


def page_of(body, *, form="html", source="local", url="https://news.example/a/1.html", listed=None, headers=None):
    data = body if isinstance(body, bytes) else body.encode()
    return Page(
        source=source,
        url=url,
        final_url=url,
        status=200,
        headers=headers or {},
        body=data,
        form=form,
        fetched_at=NOW,
        listed=listed or Listed(),
    )


def html(inside=BODY, *, title=TITLE, container="div class='content'", head="", behind=""):
    nav = "".join(f"<li><a href='/{n}'>频道{n}</a></li>" for n in range(30))
    return (
        f"<html><head><title>{title}_某某网</title>{head}</head><body><ul>{nav}</ul><h1>{title}</h1>"
        f"<p>2025-09-26 12:11 来源：某某时报</p><{container}>{inside}</div>{behind}</body></html>"
    )


def read(body, source=UNKNOWN, **more):
    article = extract(page_of(body, source=source.id, **more), source)
    assert isinstance(article, Article), article
    return article


def refused(body, source=UNKNOWN, **more):
    rejected = extract(page_of(body, source=source.id, **more), source)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_of_an_unknown_site():
    article = read(html(behind="<p>责任编辑：李昂</p>"))
    assert (article.title, article.text) == (TITLE, TEXT)
    assert (article.publisher, article.editor) == ("某某时报", "李昂")
    assert article.date.isoformat() == "2025-09-26"
    assert article.extractor.startswith(f"{VERSION}+")
    assert article.flags == ()


def test_a_fragment_is_all_body():
    article = read(
        BODY + "<p>（文章来源：某某日报）</p>",
        form="fragment",
        listed=Listed(title=TITLE, published="2025-09-26 12:11:05"),
    )
    assert (article.title, article.text, article.publisher) == (TITLE, TEXT, "某某日报")
    assert article.published_precision == "second"


def test_a_post_names_its_fields_above_its_body():
    post = f'---\ntitle: "{TITLE}"\ndate: 2025-09-26 12:11:05 +0800\n---\n{BODY}<p>（文章来源：某某日报）</p>\n\n<https://share.example/1>\n\n[返回某某新闻](//m.example/c)｜[返回首页](//m.example/)\n'
    article = read(post, form="post", url="")
    assert (article.title, article.text, article.publisher) == (TITLE, TEXT, "某某日报")
    assert article.url == "https://share.example/1"


def test_a_text_has_a_title_and_no_time():
    article = read(f"{TITLE}\n{TEXT}", form="text", url="")
    assert (article.title, article.text) == (TITLE, TEXT)
    assert article.published_at is None


def test_a_list_is_no_article():
    assert refused("<rss/>", form="list") == Reason.TYPE


def test_a_body_inside_a_script_is_found_by_the_same_path():
    body = json.dumps({"props": {"article": {"content": BODY + "<p>责任编辑：李昂</p>"}}}, ensure_ascii=False)
    article = read(
        f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1><div id=app></div>"
        f"<script id='__NEXT_DATA__'>{body}</script></body></html>"
    )
    assert article.text == TEXT
    assert article.editor == "李昂"


def test_gbk_is_read_whatever_its_label_says():
    article = read(html().encode("gb18030"), headers={"content-type": "text/html; charset=utf-8"})
    assert article.text == TEXT
    assert "encoding_label_wrong" in article.flags


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rules_go_before_votes():
    promotion = "<div class=promo><p>安装客户端，第一时间接收资讯，还有更多福利等你来拿。</p></div>"
    inside = f"{promotion}{BODY}<div id=related><p>另一篇，写得很长，足以投票。</p></div>"
    article = read(html(inside, container="div id=body", behind="<p>评论，也写得很长，足以投票。</p>" * 400), KNOWN)
    assert article.text == TEXT
    assert article.flags == ()


def test_selectors_name_fields_and_labels_go():
    rules = ArticleRules(
        body=["#body"], title=["h2.t"], published=[".when"], publisher=[".src"], editor=[".ed"], tags=[".tag a"]
    )
    source = Source(id="known", name="某某网", hosts=[], article=rules)
    head = (
        "<h2 class=t>另一个标题</h2><i class=when>时间：2025-09-27 01:02</i><i class=src>来源：某某社</i>"
        "<i class=ed>责任编辑：王某</i><p class=tag><a>甲股</a><a>乙股</a></p>"
    )
    article = read(html(container="div id=body", behind=head), source)
    assert (article.title, article.publisher, article.editor, article.tags) == (
        "另一个标题",
        "某某社",
        "王某",
        ("甲股", "乙股"),
    )
    assert article.date.isoformat() == "2025-09-27"


def test_rows_change_their_extractor_with_the_rules():
    other = KNOWN.model_copy(update={"article": ArticleRules(body=["#other"])})
    assert extractor_of(KNOWN) != extractor_of(other)
    assert extractor_of(KNOWN) == extractor_of(KNOWN.model_copy(update={"name": "改名"}))


@pytest.mark.parametrize("tag", ["font", "span"])
def test_a_container_may_be_an_inline_tag(tag):
    inside = f"<{tag} id='body'>{BODY}</{tag}><p>本网简介：某某网是一家网站，创办于去年，欢迎访问。</p>"
    assert read(html(inside), KNOWN).text == TEXT


def test_a_container_without_a_line_of_its_own_leaves_it_to_the_vote():
    rules = KNOWN.model_copy(update={"article": ArticleRules(body=["#cell"])})
    found = read(html(f"<table><tr><td id='cell'>甲</td><td>乙</td></tr></table>{BODY}"), rules)
    assert LINES[0] in found.text
    assert "drift" in found.flags


LONG_TAIL = "<p><a href='/x'>旧闻一则</a></p>" * 400


def test_a_body_in_two_pieces_is_not_cut_behind_the_first():
    pieces = f"<div id='body'>{BODY}</div><ul><li>图一</li></ul><div id='body'><p>最后一段，写在图集后面。</p></div>"
    found = read(html(pieces, behind=LONG_TAIL), KNOWN)
    assert found.text.endswith("最后一段，写在图集后面。")


def test_a_field_far_behind_the_body_is_still_found():
    rules = ArticleRules(body=["#body"], editor=[".old::text", ".signed::text"])
    source = KNOWN.model_copy(update={"article": rules})
    behind = LONG_TAIL + "<p class='signed'>李昂</p>" + LONG_TAIL
    assert read(html(f"<div id='body'>{BODY}</div>", behind=behind), source).editor == "李昂"


def test_a_text_that_begins_with_its_title_loses_it():
    found = read(f"{TITLE}\n{TEXT}", form="text", listed=Listed(title=f"{TITLE}。"))
    assert found.text == TEXT
    assert found.removed == (TITLE,)


@pytest.mark.parametrize("form", ["text", "fragment"])
def test_better_rules_never_change_an_id(form):
    body = TEXT + "\n每日一句，开卷有益。" if form == "text" else BODY + "<p>每日一句，开卷有益。</p>"
    better = UNKNOWN.model_copy(update={"article": ArticleRules(drop_lines=["每日一句.*"])})
    before, after = (read(body, source, form=form, url="", listed=Listed(title=TITLE)) for source in (UNKNOWN, better))
    assert before.text != after.text
    assert before.article_id == after.article_id


def test_line_patterns_of_the_source_count():
    source = Source(
        id="known", name="某某网", hosts=[], article=ArticleRules(body=["#body"], drop_lines=["每日一句：.*"])
    )
    article = read(html(f"<p>每日一句：开卷有益</p>{BODY}", container="div id=body"), source)
    assert article.text == TEXT
    assert "每日一句：开卷有益" in article.removed


# ── the fault list ───────────────────────────────────────────────────────────────────────────────────────────────────


def h01():
    """Wrapper lines of mirrors and feeds leave the body, and their fields are kept."""
    tail = (
        "<style>.qr{float:left}</style><div class='qr'>扫码下载，随时看资讯</div>"
        "<p>（文章来源：某某日报）</p><p>责任编辑：李昂</p><p>返回首页</p>"
    )
    article = read(html(BODY + tail))
    assert article.text == TEXT
    assert article.editor == "李昂"
    assert {"（文章来源：某某日报）", "责任编辑：李昂"} <= set(article.removed)


def h02():
    flash = "某某股份公告，前三季度净利润同比增长两成。"
    assert read(html(f"<p>{flash}</p>")).text == flash


def h03():
    rows = "".join(f"<tr><td>品种{n}</td><td>{n}.5%</td></tr>" for n in range(5))
    article = read(html(f"<table>{rows}</table>", container="div id=body"), KNOWN)
    assert article.text.split("\n") == [f"品种{n} {n}.5%" for n in range(5)]


def h04():
    article = read(html("<img src='/chart.png'>", container="div id=body"), KNOWN)
    assert (article.text, article.images) == ("", ("https://news.example/chart.png",))
    assert "images_only" in article.flags


def h05():
    shell = "<html><head><title>某某网</title></head><body><div id=app></div><script src=/a.js></script></body></html>"
    assert refused(shell) == Reason.NO_TEXT


def h06():
    article = read(html("<div>" * 1_000 + BODY + "</div>" * 1_000))
    assert "企业信心增强" in article.text
    assert "deep" in article.flags


def h07():
    article = read(
        f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1>"
        + "".join(f"<p><b><i>{LINES[0]}{n}" for n in range(500))
    )
    assert article.text.count("企业信心增强") >= 450 or "deep" in article.flags


def h08():
    article = read(html(f"<p>{LINES[0]}\0\x01\x0b</p><p>{LINES[1]}\u200b\ufeff</p>"))
    assert article.text == "\n".join(LINES[:2])


def h09():
    started = time.process_time()
    article = read(html(BODY + "<p>" + "&amp;&lt;&nbsp;" * 30_000 + "</p>"))
    assert article.text.startswith(LINES[0])
    assert time.process_time() - started < 5


def h10():
    assert refused(html("<p>" + LINES[0] * (MAX_BYTES // 100) + "</p>")) == Reason.LIMIT


def h11():
    assert len({read(html()).text for _ in range(8)}) == 1


def h12():
    article = read(html(f"<p>{LINES[0]}</p><p>{LINES[1][:-1]}……</p><p>登录后阅读全文</p>"))
    assert {"paywall", "truncated"} <= set(article.flags)


def h13():
    article = read(
        html(
            BODY
            + "<p class='pages'><a href='1_2.html'>2</a> <a href='1_3.html'>3</a> <a href='1_2.html'>下一页</a></p>"
        )
    )
    assert "paged" in article.flags
    assert article.text == TEXT


def h14():
    article = read(html(container="div id=renamed"), KNOWN)
    assert article.text == TEXT
    assert "drift" in article.flags


def h15():
    assert (
        read(
            html(head="<meta property='og:title' content='某某网'><meta property='og:site_name' content='某某网'>")
        ).title
        == TITLE
    )
    assert len(read(html(title="长" * 5_000)).title) <= 300
    assert refused(f"<html><body>{BODY}</body></html>") == Reason.NO_TITLE


def h16():
    related = "<div id=related><p>相关阅读：另一篇，写得很长。</p></div>"
    comments = "<div class='comment-list'><p>我觉得说得对，支持。</p></div>"
    assert read(html(BODY + related + comments, container="div id=body"), KNOWN).text == TEXT


def s12():
    attributes = " ".join(f"a{n}=1" for n in range(200_000))
    assert refused(html(f"<p {attributes}>{LINES[0]}</p>")) == Reason.LIMIT


def s13():
    outcome = extract(page_of("<html><body>" + "<div>" * 100_000 + LINES[0]), UNKNOWN)
    assert isinstance(outcome, Rejected)


def s14():
    links = "".join(f"<a href='/{n}'>链接{n}</a>" for n in range(120_000))
    assert refused(html(links)) == Reason.LIMIT


def s15():
    rows = "<tr><td>1</td><td>2</td></tr>" * 50_000
    assert refused(html(f"<table>{rows}</table>")) == Reason.LIMIT


@pytest.mark.parametrize(
    ("attribute", "count"),
    [
        ("a{}", 200_000),
        ("a{}", 30_000),
        ("a{}=1", 200_000),
        ('a{}=">"', 200_000),
        ("a{}='>x'", 50_000),
        ("= a{}", 90_000),
    ],
    ids=lambda value: f"S12-{value}",
)
def test_a_tag_of_too_many_attributes_is_refused_before_lxml_sees_it(attribute, count):
    attributes = " ".join(attribute.format(n) for n in range(count))
    assert refused(html(f"<p {attributes}>{LINES[0]}</p>")) == Reason.LIMIT


def test_a_script_with_nothing_that_ends_a_tag_is_no_tag_of_many_attributes():
    script = "<script>" + "for(i=0;i<n;i++){f(i);g(i)};" * 2_000 + "</script>"
    picture = f"<img src='data:image/png;base64,{'A' * 60_000}'>"
    assert read(html(BODY + script + picture)).text == TEXT


@pytest.mark.parametrize(
    "lines",
    [
        LINES,
        LINES[:1],
        [LINES[0], LINES[0], LINES[1]],
        ["短句。", "短句。", LINES[0]],
        [LINES[0], "Facebook", "Twitter", LINES[1], "分享到微信"],
        ["&amp;lt;某公司&amp;gt;", "A &lt; B", LINES[0]],
        ["  两端\u3000有空格  ", "…", "123", LINES[0]],
        ["Facebook"],
    ],
)
def test_paragraphs_come_back_as_from_the_whole_of_trafilatura(lines):
    body, _ = extract_content(canonical(lines), Extractor(output_format="python", fast=True, recall=True))
    whole = clean_text(xmltotxt(body, include_formatting=False)).split("\n")
    assert list(_extracted(lines)) == (whole if whole != [""] else lines)


def test_many_paragraphs_are_extracted_in_pieces_and_stay_in_order():
    lines = [f"第{number}句：{LINES[0]}" for number in range(700)]
    assert read(html("".join(f"<p>{line}</p>" for line in lines))).text == "\n".join(lines)


FAULTS = (h01, h02, h03, h04, h05, h06, h07, h08, h09, h10, h11, h12, h13, h14, h15, h16, s12, s13, s14, s15)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.upper())
def test_faults(fault):
    started = time.monotonic()
    fault()
    assert time.monotonic() - started < 8, "a page may take a few seconds, never more"


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \r\n ", Reason.EMPTY),
        (b"%PDF-1.7 ...", Reason.TYPE),
        (b"\x89PNG\r\n\x1a\n", Reason.TYPE),
        ("<html><title>安全验证</title><body>请完成安全验证后继续访问</body></html>".encode(), Reason.CHALLENGE),
        (b"<html><body>Just a moment...<script>cf()</script></body></html>", Reason.CHALLENGE),
        (b"<!-- only a comment -->", Reason.NO_TEXT),
    ],
)
def test_pages_that_hold_no_article_say_why(body, reason):
    assert refused(body) == reason


def test_a_refusal_names_page_and_reason():
    rejected = extract(replace(page_of(b""), raw_ref="pages/x"), UNKNOWN)
    assert str(rejected).startswith("E-EMPTY local https://news.example/a/1.html")
    assert rejected.raw_ref == "pages/x"


def test_a_broken_post_is_refused():
    assert refused("---\n- a\n- b\n---\n正文。", form="post") == Reason.FRONT_MATTER


def test_short_texts_are_flagged_where_the_source_says_so():
    source = Source(id="known", name="某某网", hosts=[], gates=Gates(min_text=500))
    assert "short" in read(html(), source).flags


# ── explain, and the same bytes give the same row ────────────────────────────────────────────────────────────────────


def test_explain_tells_what_went_by_which_rule():
    told = explain(page_of(html(BODY + "<p>责任编辑：李昂</p><p><a href='/x'>旧闻一则在此</a></p>")), UNKNOWN)
    assert isinstance(told, Explanation)
    assert told.lane == "vote"
    assert told.kept == tuple(LINES)
    assert told.witnesses["publisher"] == "label near the headline"
    assert any(removed.line == "责任编辑：李昂" for removed in told.removed)


def test_explain_passes_refusals_on():
    assert isinstance(explain(page_of(b""), UNKNOWN), Rejected)


REPEAT = """
import json, sys
from dataclasses import asdict
sys.path.insert(0, sys.argv[1])
from tests.articles.test_extract import KNOWN, html, page_of
from articles.extract import extract
from articles.source import UNKNOWN
boxes = ("div id=body", "div")
rows = [asdict(extract(page_of(html(container=box), source=s.id), s)) for s in (UNKNOWN, KNOWN) for box in boxes]
print(json.dumps(rows, default=str, ensure_ascii=True))
"""


def test_a_row_depends_on_nothing_but_bytes_and_rules():
    root = str(Path(__file__).parents[2])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", REPEAT, root],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale},
            capture_output=True,
            check=True,
            cwd=root,
        ).stdout
        for seed, zone, locale in (("1", "America/New_York", "C"), ("2", "Asia/Tokyo", "C.UTF-8"))
    }
    assert len(outputs) == 1
    assert TITLE in json.loads(outputs.pop())[0]["title"]


def test_articles_can_be_compared_and_hold_the_digest_of_their_page():
    page = page_of(html())
    article = extract(page, UNKNOWN)
    assert article == extract(page, UNKNOWN)
    assert article.page_digest == page.digest
    assert asdict(article)["text"] == TEXT

"""What tools write around a text goes, whatever the tool; lines of the writer's that look alike stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.frames import unframed
from articles.posts import parse_post

ONE = "某省商务厅周二表示，前三季度进出口总额同比增长一成，其中出口增长两成。"
TWO = "分析人士认为，四季度增速有望继续回升，企业订单比较充足。"
TEXT = f"{ONE}\n\n{TWO}"
URL = "https://example.com/1"

KNOWN = {
    "标题": "某题",
    "发布时间": "2026-11-05 10:20",
    "原文链接": URL,
    "来源": "某某报",
    "作者": "某甲",
    "Published": "2026-11-05",
    "Source URL": URL,
    "Author": "某甲",
    "剪藏时间": "2026-11-06 08:00",
    "标签": "外贸, 出口",
    "字数": "1234",
}
ANCHORS = ("发布时间", "原文链接", "Published", "Source URL", "剪藏时间")
SHAPES = {
    "plain": "{key}: {value}",
    "wide colon": "{key}：{value}",
    "bold": "**{key}**: {value}",
    "bold with its colon": "**{key}：** {value}",
    "bullet": "- {key}: {value}",
    "bold bullet": "* **{key}**: {value}",
    "quote": "> {key}：{value}",
    "row": "| {key} | {value} |",
    "logseq": "{key}:: {value}",
    "brackets": "【{key}】{value}",
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@given(st.sets(st.sampled_from(sorted(KNOWN)), min_size=2), st.sampled_from(ANCHORS), st.sampled_from(["", "---\n\n"]))
def test_keys_of_provenance_are_a_frame_in_any_shape(shape, keys, anchor, rule):
    lines = [shape.format(key=key, value=KNOWN[key]) for key in sorted({*keys, anchor})]
    framed = unframed("\n".join(lines) + f"\n\n{rule}{TEXT}", "某题")
    assert framed.body == TEXT


UNKNOWN_KEYS = ["营收", "净利润", "出口", "地点", "主办方", "要点", "结论", "第一", "目标价", "Revenue", "问", "答"]


@given(st.lists(st.tuples(st.sampled_from(UNKNOWN_KEYS), st.sampled_from(["一百亿元", "某地", "两成", "2026年"]))))
def test_lines_of_other_keys_are_the_writers(pairs):
    text = "".join(f"{key}：{value}\n" for key, value in pairs) + f"\n{TEXT}"
    assert unframed(text, "某题").body == text


WRITERS = [
    "时间：2026年11月5日\n地点：某市\n主办：某某协会",
    "股票代码：600000\n公司名称：某某股份\n日期：2026-11-05",
    "| 日期 | 收盘价 |\n|---|---|\n| 2026-11-05 | 3.2 |",
    "| 指标 | 数值 |\n|---|---|\n| 出口 | 两成 |",
    "**要点**\n\n- 出口：两成\n- 时间：前三季度",
    "作者：某甲",
    "- 时间：周五\n- 来源：海关",
    "问：何时公布？\n答：下周。",
    "由于订单减少，该厂周一停产。",
]


@pytest.mark.parametrize("opening", WRITERS)
def test_what_tells_of_an_event_or_a_figure_stays(opening):
    assert unframed(f"{opening}\n\n{TEXT}").body == f"{opening}\n\n{TEXT}"
    assert unframed(f"{TEXT}\n\n{opening}").body == f"{TEXT}\n\n{opening}"


FRAMES_ABOVE = {
    "tool's own line": f"> 本文由 某某工具 剪藏， 原文地址 [example.com]({URL})",
    "english tool": f"Clipped with Web Clipper on November 5, 2026\n[View original]({URL})",
    "link to the original": f"[阅读原文]({URL})",
    "bare address": f"<{URL}>",
    "signs": f"📅 2026-11-05\n🔗 {URL}\n🏷 #外贸 #出口",
    "heading of properties": f"## Metadata\n- Author: [[某甲]]\n- URL: {URL}\n\n## Full Document",
    "table of one row": f"| title | date | link |\n|---|---|---|\n| 某题 | 2026-11-05 | {URL} |",
    "callout": f"> [!info] 文章信息\n> 来源: 某某报\n> 链接: {URL}",
    "summary of a machine": f"> [!summary] AI 摘要\n> 出口增长。\n\n[原文]({URL})",
    "several in a line": f"*example.com* · Nov 5, 2026 · #外贸 · 5 min read\n[原文]({URL})",
    "summary in a line": f"> 💡 AI 速览：出口增长。\n\n来源：某某报\n链接：{URL}",
    "a mail's": f"发件人: 某某早报 <a@example.com>\n发送时间: 2026年11月5日 10:20\n收件人: b@example.com\n链接: {URL}",
    "words where text begins": f"标题：某题\n链接：{URL}\n正文：",
}


@pytest.mark.parametrize("frame", FRAMES_ABOVE.values(), ids=FRAMES_ABOVE)
def test_frames_above_a_text(frame):
    framed = unframed(f"{frame}\n\n{TEXT}", "某题")
    assert (framed.body.strip(), framed.values["link"]) == (TEXT, URL)


FRAMES_BELOW = [
    "---\n[← 上一篇](/1) · [下一篇 →](/2)",
    "#外贸 #出口",
    f"> 来自: [语雀]({URL})",
    f"原文: <{URL}>\n抓取时间: 2026-11-06 08:00",
    "Exported from Some Reader on 2026-11-06",
    "## Highlights\n- 出口增长两成 ([View Highlight](https://example.com/h))",
    "## 我的想法\n\n这一段值得再读。",
    "## 相关文章\n- [另一篇](https://example.com/2)",
    "---\n\n::: details 往期\n- [另一篇](./2.md)\n:::\n\n> 本页由 Some Actions 自动生成",
    "--\n退订：https://example.com/out",
    "***\n\n**留言区**\n\n> 某乙：写得不错",
]


@pytest.mark.parametrize("frame", FRAMES_BELOW)
def test_frames_below_a_text(frame):
    assert unframed(f"{TEXT}\n\n{frame}\n").body.rstrip("\n*") == TEXT


@pytest.mark.parametrize("below", ["## 结论\n\n出口还会增长。", "## 参考\n\n海关的数字见附表。", "——完——"])
def test_sections_of_the_writers_stay(below):
    assert unframed(f"{TEXT}\n\n{below}").body == f"{TEXT}\n\n{below}"


def test_a_flash_that_repeats_its_title_keeps_its_sentence():
    text = "出口增长两成。\n\n[返回首页](../)"
    assert unframed(text, "出口增长两成").body.startswith("出口增长两成。")
    assert unframed(f"出口增长两成\n\n[阅读原文]({URL})\n\n{TEXT}", "出口增长两成").body == TEXT


def test_a_body_is_never_emptied():
    for text in ("", "标题：某题\n链接：https://example.com/1", "[阅读原文](https://example.com/1)", "#外贸 #出口"):
        assert unframed(text).body == text


def test_a_first_line_above_a_frame_is_the_title():
    framed = unframed(f"某题\n\n来源：某某报\n时间：2026-11-05 10:20\n链接：{URL}\n\n{TEXT}")
    assert (framed.values["title"], framed.values["source"], framed.body) == ("某题", "某某报", TEXT)


def test_a_line_that_says_more_than_names_is_left_to_those_who_take_it_apart():
    byline = "来源：某某报 2026-11-05 10:20 记者 某甲"
    assert unframed(f"[阅读原文]({URL})\n\n{byline}\n\n{TEXT}").body == f"{byline}\n\n{TEXT}"


def test_editors_are_left_to_those_who_know_them():
    framed = unframed(f"链接：{URL}\n编辑：某乙\n日期：2026-11-05\n\n{TEXT}")
    assert framed.body == f"编辑：某乙\n\n{TEXT}"


HEADINGS = ["# 某题\n\n{frame}\n\n{text}", "{frame}\n\n# 某题\n\n{text}", "# 某题\n\n{frame}\n\n# 某题\n\n{text}"]


@pytest.mark.parametrize("shape", HEADINGS)
def test_frame_and_heading_in_any_order(shape):
    post = parse_post(shape.format(frame=f"- 来源：某某报\n- 链接：{URL}\n- 日期：2026-11-05", text=TEXT))
    assert (post.listed.title, post.listed.publisher, post.url) == ("某题", "某某报", URL)
    assert post.body.strip() == TEXT


HEADERS = [
    f"---\n文章标题: 某题\n首发于: 2026-11-05\nclip-source: {URL}\n---\n",
    f"---\nclipped: 2026-11-06\n---\n\n---\ntitle: 某题\ndate: 2026-11-05\nurl: {URL}\n---\n",
    f"<!--\ntitle: 某题\ndate: 2026-11-05\nurl: {URL}\n-->\n",
    f"```yaml\ntitle: 某题\ndate: 2026-11-05\nurl: {URL}\n```\n",
    f"Title: 某题\nDate: 2026-11-05\nSource-Url: {URL}\n",
    f"\ufeff标题：某题\r\n日期：2026-11-05\r\n链接：{URL}\r\n",
]


@pytest.mark.parametrize("header", HEADERS)
def test_front_matter_by_what_its_keys_mean(header):
    post = parse_post(f"{header}\n{TEXT}\n")
    assert (post.listed.title, post.listed.published, post.url) == ("某题", "2026-11-05", URL)
    assert post.body.strip() == TEXT


def test_what_engines_and_messages_put_above_the_text():
    components = "import Box from '../Box.astro'\nexport const meta = { draft: false }\n"
    assert parse_post(f"{components}\n# 某题\n\n{TEXT}").listed.title == "某题"
    assert parse_post(f"**某省外贸增长一成**\n\n{TEXT}").listed.title == "某省外贸增长一成"
    for line in ("**一、出口增长两成**", "**出口增长两成。**"):
        assert parse_post(f"{line}\n\n{TEXT}").listed.title is None
    byline = f"By 某甲\n\nURL: {URL}\n\n{TEXT}"
    assert unframed(byline).body == f"By 某甲\n\n{TEXT}"
    assert parse_post(f"---\ntitle: 题\npublish: true\n---\n{TEXT}").listed.published is None


def test_a_moment_above_the_text_counts_before_that_of_clipping():
    body = f"某某报 记者 某甲 2026-11-04 17:26\n\n{TEXT}"
    for key, published in (("created", "2026-11-04 17:26"), ("date", "2026-11-05")):
        assert parse_post(f"---\ntitle: 题\n{key}: 2026-11-05\n---\n{body}").listed.published == published


HOSTILE = [
    "作者：" * 20_000,
    "[" * 30_000,
    "| a " * 20_000,
    "#" * 50_000,
    "> " * 30_000 + "x",
    "- 来源：某\n" * 20_000,
    "📅" * 20_000,
    "\n".join(["---"] * 20_000),
    "saved " * 10_000 + "by",
    ".. a\n  b\n \n" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_frames_cost_no_more_than_their_length(text):
    started = time.perf_counter()
    parse_post(text)
    parse_post(f"# 题\n\n{text}\n\n正文。\n\n{text}")
    assert time.perf_counter() - started < 5

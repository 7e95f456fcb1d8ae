"""Blocks of their own around the paragraphs of a body and among them, and what becomes of their lines."""

from __future__ import annotations

import pytest
from lxml import html

from articles.boxes import MOST_CHARS, Box, boxes_of
from articles.canonical import read_runs
from articles.wrapper import strip_wrapper

BODY = [
    "本市前三季度进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快，进口略有下降。",
    "分析人士认为，随着海外需求恢复，四季度的增速有望继续回升，企业的信心也在增强。",
    "有关部门表示，将继续落实各项政策，帮助企业开拓市场、降低成本，稳住外贸基本盘。",
]
PARAGRAPHS = [f"<p>{line}</p>" for line in BODY]
QUOTE = "<div class='quote-box'><div>铜价行情</div><div>今开 100</div></div>"
CARD = "<div class='article__author'><img src='a.png'><h4>林某珊</h4><p>关注半导体与宏观经济的编辑。</p></div>"
QUIET = {"铜价行情": Box(1, False), "今开 100": Box(1, False)}


def in_boxes(page: str) -> list[str]:
    reading = read_runs(html.fromstring(page))
    boxes = boxes_of(reading, reading.runs)
    return [run.text for run in reading.runs if run.order in boxes]


def test_a_box_among_the_paragraphs_and_one_behind_them():
    page = f"<div><div class='text'>{PARAGRAPHS[0]}{QUOTE}{''.join(PARAGRAPHS[1:])}</div>{CARD}</div>"
    assert in_boxes(page) == ["铜价行情", "今开 100", "林某珊", "关注半导体与宏观经济的编辑。"]
    reading = read_runs(html.fromstring(page))
    assert [box.is_card for _, box in sorted(boxes_of(reading, reading.runs).items())] == [False, False, True, True]


def test_above_the_text_a_card_is_named_after_an_author():
    for card, is_card in ((CARD, True), (CARD.replace("article__author", "article__lead"), False)):
        reading = read_runs(html.fromstring(f"<div>{card}<div class='text'>{''.join(PARAGRAPHS)}</div></div>"))
        assert [box.is_card for box in boxes_of(reading, reading.runs).values()] == [is_card, is_card]


@pytest.mark.parametrize(
    "page",
    [
        "".join(f"<div class='para'>{paragraph}</div>" for paragraph in PARAGRAPHS),
        "<h3>一、外贸</h3>".join(PARAGRAPHS)
        + "<ul><li>出口两千亿元</li></ul><table><tr><td>出口</td><td>2000</td></tr></table>",
        f"{''.join(PARAGRAPHS)}<section>{BODY[0] * (MOST_CHARS // len(BODY[0]) + 1)}</section>",
        "<p>短讯</p>",
    ],
    ids=["paragraphs in blocks", "subheads, lists and tables", "a part of the text", "nothing to compare with"],
)
def test_what_the_text_is_made_of_is_no_box(page):
    assert in_boxes(f"<div class='text'>{page}</div>") == []


def test_the_card_of_an_author_goes():
    boxes = {"林某珊": Box(4, True), "关注半导体与宏观经济的编辑。": Box(4, True)}
    assert strip_wrapper([*BODY, *boxes], boxes=boxes).lines == BODY
    assert strip_wrapper([*BODY, *boxes]).lines[-1] in boxes
    assert strip_wrapper([*boxes, *BODY], boxes=boxes).lines == BODY


def test_what_is_left_of_a_box_goes_with_the_rest_but_no_sentence_and_no_date():
    promotion = {"扫码下载客户端": Box(1, False)}
    kept = {"某某股份有限公司董事会发布的结果如下。": Box(1, False), "2026年11月20日": Box(1, False)}
    lines = [*BODY, *promotion, *QUIET, *kept]
    assert strip_wrapper(lines, boxes=promotion | QUIET | kept).lines == [*BODY, *kept]
    assert strip_wrapper([BODY[0], *QUIET, *BODY[1:]], boxes=QUIET).lines == BODY
    terms = {"专项债": Box(1, False), "为公益项目发行的地方债": Box(1, False)}
    assert strip_wrapper([BODY[0], *terms, *BODY[1:]], boxes=terms).lines == [BODY[0], *terms, *BODY[1:]]


def test_of_a_line_in_a_box_the_judge_need_not_be_as_sure():
    line = "盘中实时行情"
    assert strip_wrapper([*BODY, line]).lines[-1] == line
    assert strip_wrapper([*BODY, line], boxes={line: Box(4, False)}).lines == BODY
    assert strip_wrapper(BODY, boxes={BODY[-1]: Box(4, False)}).lines == BODY

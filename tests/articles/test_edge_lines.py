"""The learned judge of lines at the ends of a body: what it was taught, and what it makes of an unread author."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.edge_lines import SURE, Edge, sureness, weights_of
from articles.wrapper import simplified, strip_wrapper
from training.edge_lines import all_authors, learn

UNREAD = Path(__file__).parent / "edge_lines"
BODY = [
    "全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快。",
    "分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，企业的信心也在增强。",
    "有关部门表示，将继续落实各项政策，帮助企业开拓市场、降低成本，稳住外贸基本盘。",
]


def stays(line: str, edge: Edge) -> bool:
    return line in strip_wrapper([line, *BODY] if edge == "head" else [*BODY, line]).lines


def unread(author: str, kind: str, edge: Edge) -> list[str]:
    return (UNREAD / author / f"{kind}_{edge}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("edge", get_args(Edge))
def test_its_weights_are_what_training_makes(edge: Edge) -> None:
    """If they are not, for its lines or `simplified` changed: `python -m training.edge_lines` writes them anew."""
    learned, shipped = learn(edge, all_authors()), weights_of(edge)
    assert abs(learned.bias - shipped.bias) <= 1
    names = learned.of.keys() | shipped.of.keys()
    # Machines add up in different order.
    assert max(abs(learned.of.get(name, 0) - shipped.of.get(name, 0)) for name in names) <= 1


@pytest.mark.parametrize(
    ("author", "edge", "share"),
    [
        ("d", "tail", 0.9),
        ("d", "head", 0.87),
        ("f", "tail", 0.8),
        ("f", "head", 0.82),
        ("g", "tail", 0.82),
        ("g", "head", 0.75),
        ("h", "tail", 0.84),
        ("h", "head", 0.88),
        ("i", "tail", 0.85),
        ("i", "head", 0.8),
    ],
)
def test_of_lines_it_never_read_most_wrapper_goes(author: str, edge: Edge, share: float) -> None:
    """Of d it has read none, of the others other lines; f to i looked for what is hard to tell."""
    lines = unread(author, "wrapper", edge)
    assert sum(not stays(line, edge) for line in lines) >= share * len(lines)


@pytest.mark.parametrize("edge", get_args(Edge))
@pytest.mark.parametrize(("author", "most"), [("d", 0), ("f", 2), ("g", 6), ("h", 2), ("i", 1)])
def test_of_lines_it_never_read_none_of_a_body_goes(author: str, most: int, edge: Edge) -> None:
    """Captions, and rows of tables: a text that ends in one has another above it."""
    assert len([line for line in unread(author, "body", edge) if not stays(line, edge)]) <= most


def test_it_judges_from_the_end_inwards_and_says_how_sure_it_was() -> None:
    talk, doubt = "把这篇文章分享给爱理财的朋友吧～", "公司秘书：李昂"
    stripped = strip_wrapper([*BODY, doubt, talk])
    assert stripped.lines == [*BODY, doubt]
    assert stripped.removed == [(f"edge_line {sureness(simplified(talk), 'tail'):.2f}", talk)]
    assert strip_wrapper([*BODY[:2], talk, BODY[2]]).lines == [*BODY[:2], talk, BODY[2]]


def test_a_paragraph_that_begins_as_the_article_stays() -> None:
    line = "发布会定于下周三举行，三家公司将各派一名代表。请扫码下载本站客户端，关注我们的公众号！"
    assert sureness(line.split("。")[1], "tail") > SURE["tail"] > sureness(line, "tail")


@settings(max_examples=40)
@given(st.text(max_size=200), st.sampled_from(get_args(Edge)))
def test_it_says_something_of_any_line(line: str, edge: Edge) -> None:
    assert 0 <= sureness(line, edge) <= 1


def test_rows_of_a_table_stay_at_its_end() -> None:
    header, rows = "城市 首套利率 二套利率 放款周期", ["纸浆 银星 5900 持平", "净息差 | 1.92% | 2.04% | -12BP"]
    assert strip_wrapper([*BODY, header, *rows]).lines == [*BODY, header, *rows]
    assert strip_wrapper([*BODY, header, rows[0]]).lines == [*BODY, header, rows[0]]

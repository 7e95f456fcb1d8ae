"""Wrapper lines learned from many bodies: those planted are found, content is not, and no body is ever emptied."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.learning import Body, looks_like_content, propose
from articles.wrapper import strip_wrapper

FOOT = "青屿观察原创内容 欢迎分享给朋友"
HEAD = "本栏目由青屿观察与东岸商报共同推出"
CONTENT = "港口集团上半年完成货物吞吐量一亿吨，外贸货源增长明显，北岸码头将继续扩建。"


def body(number: int, *lines: str) -> Body:
    return Body.of(f"a:{number}", date(2026, 3, 1) + timedelta(days=number % 7), "\n".join(lines))


def prose(number: int, paragraphs: int = 3) -> list[str]:
    return [f"第{number}篇的第{at}段，{CONTENT[at:]}" for at in range(paragraphs)]


def lines_of(bodies: list[Body]) -> list[str]:
    return [proposal.line for proposal in propose(bodies)]


def test_what_stands_at_the_edges_is_found_with_counts_and_examples() -> None:
    bodies = [body(n, *([HEAD] if n % 2 else []), *prose(n), FOOT) for n in range(40)]
    foot, head = propose(bodies)
    assert (foot.line, foot.edge, foot.articles, foot.days, foot.share) == (FOOT, "tail", 40, 7, 1.0)
    assert (head.line, head.edge, head.articles) == (HEAD, "head", 20)
    assert foot.examples == ("a:0", "a:1", "a:2")


def test_lines_behind_a_wrapper_line_are_reached_through_it() -> None:
    bodies = [body(n, *prose(n), "相关声明如下", FOOT) for n in range(40)]
    assert set(lines_of(bodies)) == {"相关声明如下", FOOT}


def test_a_heading_inside_is_content_and_shields_nothing() -> None:
    bodies = [body(n, *prose(n), "行业观点", f"观点{n}各不相同，{CONTENT}") for n in range(40)]
    assert lines_of(bodies) == []


def test_a_line_that_also_stands_inside_is_content() -> None:
    bodies = [body(n, *prose(n, 12), *([CONTENT] if n % 2 else []), *prose(n, 12), FOOT) for n in range(40)]
    bodies += [body(n, *prose(n), CONTENT) for n in range(40, 50)]
    assert lines_of(bodies) == [FOOT]


@pytest.mark.parametrize(
    ("bodies", "why"),
    [
        ([body(0, *prose(n), FOOT) for n in range(40)], "one day"),
        ([body(n, *prose(n), FOOT) for n in range(4)], "four articles"),
        ([body(n, *prose(n), *([FOOT] if n < 6 else [])) for n in range(200)], "three in a hundred"),
        ([], "no articles"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_too_little_proves_nothing(bodies: list[Body], why: str) -> None:
    assert lines_of(bodies) == [], why


@pytest.mark.parametrize(
    "line",
    [
        "截至收盘，沪指报3112点",
        "成交额较上一交易日放大两成",
        "三月制造业数据今日公布",
        "①市场概况",
        "————————",
        "。" * 10,
        "字" * 400,
    ],
)
def test_figures_and_ornaments_are_never_proposed(line: str) -> None:
    assert looks_like_content(line)
    assert lines_of([body(n, *prose(n), line) for n in range(40)]) == []


def test_the_first_heading_of_a_digest_belongs_to_it() -> None:
    assert lines_of([body(n, "今日要闻", *prose(n), "欢迎分享") for n in range(40)]) == ["欢迎分享"]


def test_what_the_source_keeps_is_kept() -> None:
    bodies = [body(n, *prose(n), FOOT) for n in range(40)]
    assert propose(bodies, [re.compile("欢迎分享")]) == []


def test_a_flash_that_is_the_whole_body_is_no_wrapper() -> None:
    flash = "央行今日未开展逆回购操作"
    flashes = [body(n, flash, FOOT) for n in range(40)]
    assert lines_of(flashes) == []
    assert lines_of([*flashes, *(body(n, *prose(n), FOOT) for n in range(40))]) == [FOOT]
    assert lines_of([body(n, flash) for n in range(40)]) == []


words = st.sampled_from(["甲", "乙。", "丙 丁", "戊(己)", "庚*", FOOT, HEAD, "共3页", CONTENT])
many_bodies = st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=30).map(
    lambda texts: [body(number, *lines) for number, lines in enumerate(texts)]
)


@given(many_bodies)
def test_dropping_what_is_proposed_never_empties_a_body(bodies: list[Body]) -> None:
    proposals = propose(bodies)
    patterns = [re.compile(proposal.pattern) for proposal in proposals]
    for each in bodies:
        assert not all(any(pattern.fullmatch(line) for pattern in patterns) for line in each.lines)
        assert strip_wrapper(each.lines, drop_lines=patterns).lines
    for proposal, pattern in zip(proposals, patterns, strict=True):
        assert pattern.fullmatch(proposal.line)
        assert not looks_like_content(proposal.line)

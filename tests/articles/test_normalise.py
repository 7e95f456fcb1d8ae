"""Text for people and text for hashes."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.normalise import clean_line, clean_text, join_unfinished, join_wide, key_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("　　首段。\r\n\r\n  次段\t接着\u2028三段\x0b", "首段。\n次段 接着\n三段"),
        ("\ufeff零\u200b宽\u2060与\u202e方向\xad", "零宽与方向"),
        ("甲\x00乙\x1b[31m丙\x85丁", "甲乙[31m丙\n丁"),
        ("半个\ud842字，整个\ud842\udfb7字", "半个字，整个𠮷字"),
        ("ｅ\u0301全角１２％，ﬁ", "ｅ\u0301全角１２％，ﬁ"),
        ("e\u0301", "é"),
        (" \n\u3000\n", ""),
    ],
)
def test_clean_text(text, clean):
    assert clean_text(text) == clean


@given(st.text())
def test_clean_text_is_idempotent_and_storable(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert all(line and line == line.strip(" ") for line in clean.split("\n") if clean)
    clean.encode("utf-8")


def test_a_title_is_one_line():
    assert clean_line("某省\n　　外贸增长\n by 3%") == "某省外贸增长 by 3%"


def test_key_folds_width_case_and_script():
    assert key_text("滬指收報 ３，１２０.50 點，漲１.２９％！ETF") == key_text("沪指收报3120.50点 涨1.29% etf")


@pytest.mark.parametrize(("one", "other"), [("涨1.29%", "涨12.9%"), ("涨3%", "涨3"), ("3月", "4月"), ("A股", "B股")])
def test_key_keeps_what_changes_a_figure(one, other):
    assert key_text(one) != key_text(other)


@given(st.text(alphabet="某省外贸增长股市", min_size=1), st.text(alphabet=" \n，。！？、（）“”—…　"))
def test_spaces_and_marks_never_change_the_key(text, marks):
    assert key_text(marks.join(text)) == key_text(text)


@given(st.text(alphabet="１5.．…％%，_ \n\u3000ab<＜=\u0338\u0301漢国é\u3099か'（ﬁ½\u200b—·Kß٣"))
def test_key_is_what_its_definition_says(text):
    """The definition, without the shortcuts."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("漢", "汉")
    assert key_text(text) == re.sub(r"(?!(?<=\d)\.(?=\d))[^\w%]|_", "", folded)


@given(st.text())
def test_key_is_idempotent(text):
    assert key_text(key_text(text)) == key_text(text)


def test_lines_are_joined_as_the_script_wants():
    assert join_wide(["增长了", " 三成，", "", "ETF", "份额", "up", "again"]) == "增长了三成， ETF 份额 up again"
    assert join_wide([]) == ""


def test_a_paragraph_cut_at_the_enumeration_comma_goes_on():
    assert join_unfinished(["涉及钢铁、", "煤炭、", "水泥。", "另据"]) == ["涉及钢铁、煤炭、水泥。", "另据"]


@pytest.mark.parametrize(
    "text", ["中" + "\u3000" * 200_000, "\n" * 200_000 + "中", "中\n" * 50_000, "、" * 100_000], ids=range(4)
)
def test_hostile_text_costs_no_more_than_its_length(text):
    started = time.perf_counter()
    clean_line(text)
    key_text(text)
    assert time.perf_counter() - started < 2

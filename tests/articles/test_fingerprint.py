import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.fingerprint import (
    CHUNK_CHARS,
    KEYS,
    PERIODS,
    SIGNATURE,
    VERSION,
    Signature,
    fingerprints,
    records,
)
from articles.normalise import key_text

CHINESE = st.text(st.sampled_from("今日沪指上涨下跌三季度公司回购股份第五期中旬2024年3月15日元%亿abc"), max_size=300)
MARKS = st.sampled_from(["，", "。", " ", "\n", "\u3000", "、", "“", "——", "…", ",", "\u200b", "！", "(", ")"])

REPORT = (
    "远山股份：一季度净利润同比增长12.5%",
    "远山股份（600001）4月18日晚间披露一季报，公司实现营业收入35.61亿元，同比增长8.3%；净利润4.02亿元，同比增长12.5%。"
    "公司表示，第二条生产线将于5月投产，预计全年产能提高三成。",
)


def one(text: str, title: str = "") -> bytes:
    return fingerprints([(title, text)])[0]


@given(CHINESE, st.lists(st.tuples(st.integers(0, 300), MARKS), max_size=20))
def test_spaces_and_punctuation_never_change_a_fingerprint(text, marks):
    marked = text
    for place, mark in marks:
        marked = marked[:place] + mark + marked[place:]
    assert fingerprints([(marked, marked)]) == fingerprints([(text, text)])


@given(st.text(max_size=80))
def test_a_fingerprint_depends_on_the_key_text_alone(text):
    assert one(text) == one(key_text(text))


@pytest.mark.parametrize(
    "text", ["3.5", "３．５", "3 .5", "3. 5", ".5", "5.", "3..5", "a.5", "1.2.3", "٣.٥", "⒈5", "½.5"]
)
def test_decimal_points_are_kept_where_the_key_text_keeps_them(text):
    assert fingerprints([("", text), ("", text)]) == [one(key_text(text))] * 2


def test_a_decimal_point_is_not_made_of_two_documents():
    assert fingerprints([("", "涨3"), ("", "."), ("", "5元")]) == [one("涨3"), one(""), one("5元")]


def test_scripts_and_widths_meet():
    simplified = ("证监会发布新规", "证券监督管理委员会发布关于上市公司分红的规定，自2024年起实行，比例为30%。")
    traditional = ("證監會發布新規", "證券監督管理委員會發布關於上市公司分紅的規定，自２０２４年起實行，比例為３０％。")
    assert fingerprints([simplified]) == fingerprints([traditional])


@pytest.mark.parametrize("text", ["㈱½①⑩㎡", "e\u0301te\u0301", "ｶﾞｽ", "가각", "𠀀𠮷", "İstanbul", "ﬁnance"])
def test_characters_that_fold_to_several_or_join_others(text):
    text = text * 20
    assert one(text) == one(key_text(text))
    assert Signature.from_bytes(one(text)).chars == len(key_text(text))


@given(st.lists(st.tuples(CHINESE, CHINESE), max_size=6))
def test_a_document_is_signed_alike_alone_and_in_a_batch(documents):
    assert fingerprints(documents) == [fingerprints([document])[0] for document in documents]


def test_a_long_document_among_short_ones():
    long = "指数报3021.5点。" * (CHUNK_CHARS // 5)
    signed = fingerprints([REPORT, ("", long), REPORT])
    assert signed[0] == signed[2] == fingerprints([REPORT])[0]
    assert Signature.from_bytes(signed[1]).chars == len(key_text(long))


@pytest.mark.parametrize("text", ["", " ", "。。。", "一", "一二三四", "一二三四五", "a" * 11, "\ud800\udfff", "\x00"])
def test_next_to_nothing_is_signed_too(text):
    signature = Signature.from_bytes(one(text))
    assert signature.to_bytes() == one(text)
    assert signature.keys == ()


def test_the_bytes_belong_to_the_version():
    # When this fails, signatures in existing lakes cannot be compared with new ones: bump VERSION, then the digest.
    assert VERSION == 1
    assert SIGNATURE.itemsize == len(one("")) == 352
    assert hashlib.sha256(fingerprints([REPORT])[0]).hexdigest()[:16] == "a91d397e2540f44e"


def test_keys_are_few_distinct_and_shared_by_a_cut_copy():
    whole, cut = Signature.of(*REPORT), Signature.of("另一标题", REPORT[1][:80])
    assert 0 < len(whole.keys) == len(set(whole.keys)) <= KEYS
    assert set(whole.keys) & set(cut.keys)


@pytest.mark.parametrize(
    ("title", "other", "named"),
    [
        ("2024年3月上旬生产资料价格", "2024年3月中旬生产资料价格", {"ten_days"}),
        ("3月十五日要闻", "3月16日要闻", {"day"}),
        ("十二月份运行情况", "11月份运行情况", {"month"}),
        ("前三季度增长5%", "上半年增长5%", {"quarter"}),
        ("周报第12期", "周报第十三期", {"issue"}),
        ("晨会纪要20240105", "晨会纪要2024-01-06", {"day"}),
        ("周一操作提示", "周五操作提示", {"week"}),
    ],
)
def test_periods_in_titles(title, other, named):
    a, b = (Signature.of(t, "").record["periods"] for t in (title, other))
    assert {name for name, x, y in zip(PERIODS, a, b, strict=True) if x != y} == named


@pytest.mark.parametrize(
    ("title", "other"), [("3月15日", "三月十五日"), ("第12期", "第十二期"), ("2024-01-05", "2024年1月5日")]
)
def test_periods_written_in_another_way(title, other):
    a, b = (Signature.of(t, "").record["periods"] for t in (title, other))
    assert list(a) == list(b)


def test_figures_are_counted_with_their_repetitions():
    assert Signature.of("", "涨5%，跌3.2%，第三季度报2024点，一个公司在中旬").record["fact_count"] == 5
    assert Signature.of("", "5和5和5").record["fact_count"] == 3


@pytest.mark.parametrize("broken", [b"", b"\x02" + bytes(351), bytes([VERSION]) + bytes(10)])
def test_another_version_is_refused(broken):
    with pytest.raises(ValueError, match="this code reads version 1"):
        records([broken])

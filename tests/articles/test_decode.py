"""Bytes to text. Rows E01 to E12 are the faults of the character sets that Chinese sites are known for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.decode import ERRORS, GARBLED, LABEL_WRONG, Decoded, damage, decode
from articles.normalise import clean_text

STORY = "某省商务厅表示，今年以来外贸进出口总额同比增长，企业利润稳步回升，市场对政策的反应积极。" * 6
TRADITIONAL = "台灣中央銀行表示，今年經濟成長優於預期，出口與投資同時回升，市場對利率決策反應平穩。" * 6
RARE = "朱镕基、王喆、囧字"


def page(text: str, charset: str = "") -> str:
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<title>page</title></head><body><p>{text}</p></body></html>"


def header(charset: str) -> str:
    return f"text/html; charset={charset}"


ENCODINGS = [
    pytest.param(page(RARE + STORY).encode("gbk"), header("gb2312"), RARE, "gb18030", (), id="E01"),
    pytest.param(page("𠮷" + STORY).encode("gb18030"), header("gb2312"), "𠮷", "gb18030", (), id="E02"),
    pytest.param(page(STORY).encode("gbk"), None, STORY, "gb18030", (), id="E03"),
    pytest.param(page(STORY, "utf-8").encode("gbk"), header("utf-8"), STORY, "gb18030", (LABEL_WRONG,), id="E04"),
    pytest.param(page(STORY, "gbk").encode(), header("gbk"), STORY, "utf-8", (LABEL_WRONG,), id="E05"),
    pytest.param(
        page(STORY).encode("gbk") + b"\xff" + "<p>页脚导航</p>".encode(),
        header("gbk"),
        STORY,
        "gb18030",
        (ERRORS,),
        id="E06",
    ),
    pytest.param(page(TRADITIONAL).encode("big5"), None, TRADITIONAL, "big5hkscs", (), id="E07"),
    pytest.param(
        page("欧元\N{EURO SIGN}汇率" + STORY)
        .encode("cp936", "ignore")
        .replace("欧元".encode("gbk"), "欧元".encode("gbk") + b"\x80"),
        header("gbk"),
        "欧元€汇率",
        "gb18030",
        (),
        id="E08",
    ),
    pytest.param(page(f"\ufeff\u200b甲\x00{STORY}").encode(), None, STORY, "utf-8", (), id="E09"),
    pytest.param(
        f'<?xml version="1.0" encoding="utf-8"?><rss><title>{STORY}</title></rss>'.encode("gbk"),
        "application/xml",
        STORY,
        "gb18030",
        (LABEL_WRONG,),
        id="E10",
    ),
    pytest.param(page("\ue000\uf900國內" + STORY).encode(), None, "\ue000\uf900國內", "utf-8", (), id="E11"),
    pytest.param(
        page(STORY.encode().decode("gb18030", "replace")).encode(),
        header("utf-8"),
        STORY.encode().decode("gb18030", "replace"),
        "utf-8",
        (),
        id="E12",
    ),
]


@pytest.mark.parametrize(("body", "content_type", "holds", "codec", "flags"), ENCODINGS)
def test_encodings(body, content_type, holds, codec, flags):
    decoded = decode(body, content_type=content_type)
    assert holds in decoded.text
    assert (decoded.codec, decoded.flags) == (codec, flags)
    assert decoded.lost == (decoded.text.count("\ufffd") if ERRORS in flags else 0)


def test_control_characters_go_in_one_place():  # the other half of E09
    assert clean_text("\ufeff\u200b甲\x00\ud800乙\u3000丙") == "甲乙 丙"


def test_mojibake_of_the_source_is_flagged_and_never_repaired():  # the other half of E12
    garbled = STORY.encode().decode("gb18030", "replace")
    assert GARBLED in damage(garbled)
    assert GARBLED in damage(STORY.encode().decode("latin-1"))
    assert ERRORS in damage("利率\ufffd上升")


@pytest.mark.parametrize(
    "text", [STORY, TRADITIONAL, "Rates rose by a quarter point. " * 20, "ソニーは増益を発表した。" * 10, "短句"]
)
def test_sound_text_is_not_called_garbled(text):
    assert damage(text) == ()


@pytest.mark.parametrize("label", ["gb2312", "GBK", "gb18030", "x-gbk", "GB_2312-80", "chinese", "cp936"])
def test_every_gb_label_means_gb18030(label):
    assert decode(("𠮷" + STORY).encode("gb18030"), content_type=header(label)) == Decoded("𠮷" + STORY, "gb18030")


@pytest.mark.parametrize("label", ["big5", "Big5-HKSCS", "cp950", "x-x-big5"])
def test_every_big5_label_means_hkscs(label):
    body = ("粵語嘅" + TRADITIONAL).encode("big5hkscs")
    assert decode(body, content_type=header(label)) == Decoded("粵語嘅" + TRADITIONAL, "big5hkscs")


LABELS = [
    "hex",
    "rot13",
    "idna",
    "undefined",
    "utf-7",
    "mbcs",
    "zlib",
    "punycode",
    "unicode_escape",
    "no-such",
    "\0",
    "中文",
    "a" * 999,
]


@pytest.mark.parametrize("label", LABELS)
def test_any_label_is_survived(label):
    decoded = decode(STORY.encode("gbk"), content_type=header(label), charset=label)
    assert (decoded.text, decoded.codec) == (STORY, "gb18030")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("content_type", [None, header("utf-16")])
def test_utf16_with_and_without_mark(codec, mark, content_type):
    decoded = decode((mark + page(STORY)).encode(codec), content_type=content_type)
    assert decoded == Decoded(page(STORY), codec)


def test_utf16_declared_and_without_markup_or_mark():
    assert decode(STORY.encode("utf-16-le"), content_type=header("utf-16")).text == STORY


def test_utf8_mark_in_front_of_gbk():
    decoded = decode(b"\xef\xbb\xbf" + STORY.encode("gbk"))
    assert decoded == Decoded(STORY, "gb18030", (LABEL_WRONG,))


def test_cut_utf8_stays_utf8_and_says_so():
    decoded = decode(STORY.encode()[:-1], content_type=header("utf-8"))
    assert (decoded.codec, decoded.flags, decoded.lost) == ("utf-8", (ERRORS,), 1)
    assert decoded.text[:-1] == STORY[:-1]


def test_gbk_that_happens_to_be_valid_utf8():
    body = b"\xc2\xb7\xd0\xa1"  # 路小 in GBK
    assert body.decode("utf-8")
    assert decode(body, content_type=header("gbk")).text == "路小"


def test_label_in_a_comment_is_no_label():
    html = page(STORY).replace("<head>", '<head><!-- <meta charset="gbk"> -->')
    assert decode(html.encode()).flags == ()


def test_header_is_asked_before_the_document():
    assert decode(page("é", "gbk").encode("latin-1"), content_type=header("iso-8859-1")).text == page("é", "gbk")


def test_the_usual_charset_of_a_source_decides_where_nothing_is_declared():
    kana = "ソニーは増益を発表した。"
    assert decode(kana.encode("cp932"), charset="shift_jis").text == kana


@given(
    st.binary(max_size=400), st.sampled_from([None, header("gbk"), header("utf-16"), header("big5"), header("utf-8")])
)
def test_any_bytes_give_text_and_no_loss_is_silent(body, content_type):
    decoded = decode(body, content_type=content_type)
    assert decoded.lost == 0 or ERRORS in decoded.flags
    if "\ufffd" in decoded.text and decoded.codec != "utf-8":
        assert ERRORS in decoded.flags or "\ufffd".encode(decoded.codec, "ignore") in body


@given(st.text(max_size=200))
def test_utf8_is_read_back_as_written(text):
    body = text.encode("utf-8", "ignore")
    if not body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) and b"\0" not in body:
        assert decode(body) == Decoded(body.decode(), "utf-8")


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8-sig", "ignore")))
def test_bytes_that_are_kept_are_the_text(body):
    decoded = decode(body, content_type="text/html; charset=gbk")
    assert decoded.utf8 in (None, decoded.text.encode())


# ── real pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("folder", "codec"),
    [("pages_gbk_restored", "gb18030"), ("feeds/real_gb2312", "gb18030"), ("feeds/real_big5", "big5hkscs")],
)
def test_real_pages_of_each_family(corpus_dir, folder, codec):
    for path in sorted(path for path in (corpus_dir / folder).rglob("*") if path.is_file()):
        decoded = decode(path.read_bytes())
        assert (decoded.codec, decoded.flags, damage(decoded.text)) == (codec, (), ()), path


@pytest.mark.corpus
@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
@pytest.mark.parametrize("label", [None, "gbk", "utf-8", "iso-8859-1", "big5"])
def test_real_pages_written_anew_are_read_back_under_any_label(corpus_dir, codec, label):
    for path in sorted((corpus_dir / "pages").rglob("*.html"))[::8]:
        text = path.read_text(encoding="utf-8", errors="ignore").replace("\ufeff", "")
        body = text.encode(codec, "ignore")
        decoded = decode(body, content_type=header(label) if label else None)
        assert decoded.text == body.decode(codec), path

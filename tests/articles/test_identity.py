"""Addresses and ids. Rows P12 to P15 are what feeds and sites do to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.identity import NoIdentityError, article_id, canonical_url, text_hash
from articles.source import Source

CODE = "202201232257810001"
EASTMONEY = Source(
    id="eastmoney",
    name="East Money",
    hosts=["eastmoney.com"],
    id_regex=r"(?:/a/|/news/\d+,|infoCode=NW)(\d{17,18})(?!\d)",
    query_keys=["infoCode"],
)
MIRROR = Source(
    id="mirror", name="a mirror", hosts=["mirror.example"], namespace="eastmoney", id_regex=r"(?:^|NW)(20\d{16})(?!\d)"
)
PLAIN = Source(id="plain", name="no rule", hosts=["plain.example"])

CANONICAL = [
    ("HTTP://WWW.Example.COM:80/a/../b/./c?b=2&a=1#top", "http://www.example.com/b/c?a=1&b=2"),
    ("//m.example.com/a", "https://m.example.com/a"),
    ("https://example.com", "https://example.com/"),
    ("https://example.com.:443/?", "https://example.com/"),
    ("https://user:secret@example.com/a", "https://example.com/a"),
    ("https://example.com/%7efoo/%e4%b8%ad?q=中 文", "https://example.com/~foo/%E4%B8%AD?q=%E4%B8%AD%E6%96%87"),
    ("https://example.com/a?utm_source=x&id=7&from=app&spm=1.2&share_token=z", "https://example.com/a?id=7"),
    ("https://example.com/a;jsessionid=0A1B?x=1", "https://example.com/a?x=1"),
    ("https://example.com/#/detail/7", "https://example.com/#/detail/7"),
    ("https://例子.中国/a", "https://xn--fsqu00a.xn--fiqs8s/a"),
    ("https://example.com/100%", "https://example.com/100%25"),
    ("\u200bhttps://example.com/a\n ", "https://example.com/a"),
    ("http://[::1/", "http://[::1/"),
    ("https://example.com:99999/", "https://example.com:99999/"),
    ("javascript:alert(1)", "javascript:alert(1)"),
    ("", ""),
]


@pytest.mark.parametrize(("url", "canonical"), CANONICAL)
def test_one_spelling(url, canonical):  # P13
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


urls = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["a.example", "A.Example.", "例子.中国", "1.2.3.4", "[::1]"]),
    st.sampled_from(["", ":80", ":443", ":8080", ":"]),
    st.text(alphabet="ab/.%2eE4;=&中 ~!", max_size=20),
    st.text(alphabet="ab=&%3dD中 +?/utm_", max_size=20),
    st.text(alphabet="ab/!", max_size=4),
)


@given(st.one_of(urls, st.text(max_size=60)), st.lists(st.sampled_from(["a", "b", "ab"]), max_size=2))
def test_canonical_url_is_idempotent(url, query_keys):  # P13
    once = canonical_url(url, query_keys=query_keys)
    assert canonical_url(once, query_keys=query_keys) == once


@given(st.permutations(["a=1", "b=2", "c=3"]), st.sampled_from(["", "&utm_medium=x", "&spm=9", "&isappinstalled=0"]))
def test_order_of_the_query_and_tracking_do_not_matter(pairs, tracking):
    assert canonical_url(f"https://example.com/?{'&'.join(pairs)}{tracking}") == "https://example.com/?a=1&b=2&c=3"


def test_an_id_in_the_query_is_kept():  # P14
    first, second = (f"https://share.example/s.html?infoCode=NW{code}&app=1" for code in ("1", "2"))
    assert canonical_url(first) != canonical_url(second)
    assert canonical_url(first, query_keys=["infoCode"]) == "https://share.example/s.html?infoCode=NW1"
    assert article_id(PLAIN, first) != article_id(PLAIN, second)


FORMS = [
    f"https://finance.eastmoney.com/a/{CODE}.html",
    f"http://finance.eastmoney.com/a/{CODE}.html?from=share#comments",
    f"https://wap.eastmoney.com/a/{CODE}.html",
    f"http://hk.eastmoney.com/news/1797,{CODE}.html",
    f"http://m.eastmoney.com/news/1344,{CODE}.html",
    f"http://share.example/html_News/NewsShare.html?infoCode=NW{CODE}",
]


@pytest.mark.parametrize("url", FORMS)
def test_all_addresses_of_an_article_give_one_id(url):  # P15
    assert article_id(EASTMONEY, url) == f"eastmoney:{CODE}"


def test_a_mirror_names_the_article_as_the_site_does():
    assert article_id(MIRROR, f"https://mirror.example/x?infoCode=NW{CODE}") == f"eastmoney:{CODE}"
    assert article_id(MIRROR, "", native_id=f"NW{CODE}") == f"eastmoney:{CODE}"


def test_a_guid_is_a_hint_only():  # P12: missing, doubled, changing
    ids = {
        article_id(PLAIN, "https://plain.example/a?id=1", native_id=guid) for guid in (None, "", "77", "tag:changed")
    }
    assert len(ids) == 1
    assert article_id(PLAIN, "https://plain.example/a?id=2", native_id="77") not in ids


def test_http_and_https_are_one_page():
    assert article_id(PLAIN, "http://plain.example/a") == article_id(PLAIN, "https://plain.example:443/a")


def test_without_url_the_id_then_the_text():
    assert article_id(PLAIN, "", native_id="2022-01-23-7") == "plain:2022-01-23-7"
    assert article_id(PLAIN, "", native_id="条目 7").startswith("plain:n")
    by_text = article_id(PLAIN, "", fallback_text="某省外贸增长")
    assert by_text.startswith("plain:t")
    assert by_text == article_id(PLAIN, " ", fallback_text="某省 外貿增長！")


def test_nothing_to_name_it_by():
    with pytest.raises(NoIdentityError, match="plain"):
        article_id(PLAIN, "", fallback_text="。。。")


def test_hash_heeds_title_and_figures_and_nothing_else():
    known = text_hash("外贸增长", "出口增长3.5%，进口持平。")
    assert known == text_hash(" 外貿增長 ", "出口增长 3.5%；\n进口持平")
    assert known != text_hash("外贸增长", "出口增长3.6%，进口持平。")
    assert known != text_hash("外贸再增长", "出口增长3.5%，进口持平。")
    assert text_hash("甲", "乙丙") != text_hash("甲乙", "丙")
    assert len(known) == 32

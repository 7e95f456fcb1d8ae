"""A first source file from one answer: each kind, and what is no list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spiders.catalogue import load_source
from spiders.drafting import Draft, NoDraftError, draft

URL = "https://finance.sample.com.cn/list/"


def feed(description: str = "摘要") -> bytes:
    items = "".join(
        f"<item><title>题目第{number}条</title><link>https://finance.sample.com.cn/a/20261120{number:06d}.shtml</link>"
        f"<pubDate>Fri, 20 Nov 2026 09:30:00 +0800</pubDate><description>{description}</description></item>"
        for number in range(5)
    )
    return f"<rss version='2.0'><channel><title>样本财经</title>{items}</channel></rss>".encode()


SITEMAP = (
    "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
    + "".join(f"<url><loc>https://finance.sample.com.cn/a/{100000 + number}.html</loc></url>" for number in range(4))
    + "</urlset>"
).encode()
JSON = json.dumps(
    {
        "code": 0,
        "data": {
            "ads": [{"url": "https://ads.test/1"}],
            "list": [
                {"Title": f"题目{n}", "url": f"/a/{200000 + n}.html", "ctime": "2026-11-20 09:30"} for n in range(4)
            ],
        },
    }
).encode()
PAGE = (
    "<html><head><title>要闻 - 样本财经</title>"
    "<link rel='alternate' type='application/rss+xml' href='/rss.xml'></head><body>"
    "<ul class='nav'><li><a href='/stock/'>股票行情频道</a></li><li><a href='/fund/'>基金净值频道</a></li>"
    "<li><a href='/bond/'>债券收益频道</a></li></ul><div class='news-list'><ul>"
    + "".join(
        f"<li><span class='time'>11-20 09:{number:02d}</span>"
        f"<a href='/a/20261120/{300000 + number}.shtml'>样本公司发布第{number}季度业绩预告并说明原因</a></li>"
        for number in range(8)
    )
    + "</ul></div></body></html>"
).encode("gbk")


def drafted(body: bytes, tmp_path: Path, **options: str) -> Draft:
    """The draft, after it went through the check that any source file goes through."""
    found = draft(body, url=URL, **options)
    path = tmp_path / f"{found.source.id}.toml"
    path.write_text(found.toml, encoding="utf-8")
    read = load_source(path)
    assert (read.lists, read.id_regex, read.hosts) == (found.source.lists, found.source.id_regex, found.source.hosts)
    return found


def test_a_feed(tmp_path: Path) -> None:
    found = drafted(feed(), tmp_path)
    (rule,) = found.source.lists
    assert (rule.kind, rule.full_text, len(found.listing.rows)) == ("feed", False, 5)
    assert (found.source.id, found.source.name) == ("sample", "样本财经")
    assert found.source.id_pattern is not None
    assert found.source.id_pattern.search("https://finance.sample.com.cn/a/20261120000003.shtml")[1] == "20261120000003"


def test_id_and_hosts_are_those_of_the_site(tmp_path: Path) -> None:
    body = b"".join(
        b"<url><loc>https://%s.haijia.news/a/%d.html</loc></url>" % (host, 100000 + number)
        for number, host in enumerate([b"www", b"www", b"m", b"www"])
    )
    found = draft(
        b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>" + body + b"</urlset>",
        url="https://www.haijia.news/sitemap.xml",
    )
    assert (found.source.id, found.source.hosts) == ("haijia", ["haijia.news"])


def test_a_full_text_feed(tmp_path: Path) -> None:
    found = drafted(feed("&lt;p&gt;" + "虚构的全文。" * 100 + "&lt;/p&gt;"), tmp_path)
    assert found.source.lists[0].full_text


def test_a_sitemap(tmp_path: Path) -> None:
    assert drafted(SITEMAP, tmp_path).source.lists[0].kind == "sitemap"


def test_a_json_list(tmp_path: Path) -> None:
    found = drafted(JSON, tmp_path)
    (rule,) = found.source.lists
    assert (rule.kind, rule.items) == ("json", "data.list")
    assert rule.fields == {"url": "url", "title": "Title", "published": "ctime"}
    assert found.listing.rows[0].url == "https://finance.sample.com.cn/a/200000.html"


def test_a_page_of_links(tmp_path: Path) -> None:
    found = drafted(PAGE, tmp_path, content_type="text/html; charset=gb2312")
    (rule,) = found.source.lists
    assert (rule.kind, rule.items, len(found.listing.rows)) == ("html", "div.news-list li", 8)
    row = found.listing.rows[1]
    assert (row.listed.title, row.listed.published) == ("样本公司发布第1季度业绩预告并说明原因", "11-20 09:01")
    assert found.feeds == ("https://finance.sample.com.cn/rss.xml",)
    assert "# The page names a feed" in found.toml


@pytest.mark.parametrize("body", [b"", b"<html><p>nothing here</p></html>", b'{"error": 1}', b"\xff\xd8\xff" * 50])
def test_what_is_no_list_says_what_was_tried(body: bytes) -> None:
    with pytest.raises(NoDraftError, match="nothing like a list of articles"):
        draft(body, url=URL)

"""Documents on disk: what becomes of each kind of file, and of each kind of bad one."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from articles.records import Listed, Page, Reason, Rejected
from articles.source import UNKNOWN, Source
from spiders.archives import FILE_HEADER, MAX_BYTES, ArchiveError, read_archive
from spiders.catalogue import Catalogue
from storage.archive import pack

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CODE = "202112282220010001"
POST = f"""---
layout: post
title: "某省商务经济质效双升"
date: 2021-12-28 14:27:35 +0800
categories: x
tags: 某某日报新闻
---
<p>全省出口增长两成。</p>

<http://finews.zning.xyz/html_News/NewsShare.html?infoCode=NW{CODE}>

[返回首页](//mirror.example/)
"""
HEXO = (
    "\n---\ntitle: 标题\ncategories:\n - 金融\ncomments: false\ndate: Thu, 15 Sep 2022 08:58:07 GMT\n---\n<p>正文。</p>"
)
HTML = "<!doctype html><html><head>{}<title>某题</title></head><body><p>正文。</p></body></html>"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
def read(catalogue, tmp_path):
    def read(*paths: Path | str, source: Source | None = None) -> list[Page | Rejected]:
        return list(read_archive(paths or [tmp_path], catalogue=catalogue, source=source, fetched_at=NOW))

    return read


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def only_page(outcomes: list[Page | Rejected]) -> Page:
    assert len(outcomes) == 1, outcomes
    assert isinstance(outcomes[0], Page), outcomes[0]
    return outcomes[0]


def only_rejected(outcomes: list[Page | Rejected]) -> Rejected:
    assert len(outcomes) == 1, outcomes
    assert isinstance(outcomes[0], Rejected), outcomes[0]
    return outcomes[0]


# ── posts, texts, saved pages ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a"])
def test_post_by_name_or_by_looks(read, tmp_path, name):
    path = write(tmp_path / name, POST)
    page = only_page(read(path))
    assert (page.form, page.source) == ("post", "finews")
    assert page.url.endswith(f"infoCode=NW{CODE}")
    assert page.body == POST.encode()
    assert page.listed.title == "某省商务经济质效双升"
    assert page.headers[FILE_HEADER] == str(path)
    assert (page.fetched_at, page.status) == (NOW, 200)


def test_the_dialect_shows_in_what_leaves_the_body(read, tmp_path):
    post = "---\nlayout: post\ntitle: 题\n---\n\n正文。\n\n[返回某某新闻](../x/)\n[返回首页](../)\n"
    assert only_page(read(write(tmp_path / "a.md", post))).source == "finews"


def test_source_is_the_given_one_then_the_hosts_then_the_dialects(read, tmp_path, catalogue):
    on_site = POST.replace(
        "http://finews.zning.xyz/html_News/NewsShare.html?infoCode=NW", "https://finance.eastmoney.com/a/"
    )
    write(tmp_path / "1.md", on_site)
    write(tmp_path / "2.md", POST.replace(f"<http://finews.zning.xyz/html_News/NewsShare.html?infoCode=NW{CODE}>", ""))
    write(tmp_path / "3.md", HEXO)
    write(tmp_path / "4.md", "# 标题\n\n正文。")
    assert [page.source for page in read()] == ["eastmoney", "finews", "rsshub", UNKNOWN.id]
    assert {page.source for page in read(source=catalogue["sina"])} == {"sina"}


@pytest.mark.parametrize(
    ("name", "published", "native_id"),
    [
        (f"2021-12-27-NW{CODE}.md", "2021-12-27", f"NW{CODE}"),
        (f"2021-12--NW{CODE}.md", "2021-12-28", f"NW{CODE}"),
        ("2021-12--x.md", "2021-12-28", None),
        ("20211227.md", "2021-12-27", None),
        ("2021_12_27_早报.md", "2021-12-27", None),
        ("20211327.md", "2021-12-28", None),
    ],
)
def test_a_post_without_day_takes_it_from_its_name_or_its_code(read, tmp_path, name, published, native_id):
    write(tmp_path / name, POST.replace("date: 2021-12-28 14:27:35 +0800", "date: 2021-12- 14:27"))
    page = only_page(read())
    assert (page.listed.published, page.listed.native_id) == (published, native_id)


def test_the_front_matters_own_day_comes_first(read, tmp_path):
    write(tmp_path / "2020-01-01-x.md", POST)
    assert only_page(read()).listed.published == "2021-12-28 14:27:35 +0800"


def test_unreadable_front_matter_is_left_to_extraction_with_its_bytes(read, tmp_path):
    path = write(tmp_path / "a.md", "---\n- a\n- b\n---\n正文。")
    page = only_page(read())
    assert (page.form, page.body, page.headers[FILE_HEADER]) == ("post", path.read_bytes(), str(path))


def test_plain_text_in_gbk(read, tmp_path):
    write(tmp_path / "a.txt", "某省外贸增长\n出口增长两成，企业利润回升。", "gbk")
    page = only_page(read())
    assert (page.form, page.url, page.source) == ("text", "", UNKNOWN.id)


@pytest.mark.parametrize("name", ["a.html", "a.SHTML", "view.php?id=7", "b.aspx"])
def test_saved_pages_by_name(read, tmp_path, name):
    write(tmp_path / name, HTML.format(""))
    assert only_page(read()).form == "html"


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<link rel="canonical" href="https://finance.sina.com.cn/a.shtml">', "https://finance.sina.com.cn/a.shtml"),
        (
            "<link href=//finance.sina.com.cn/a.shtml?x=1&amp;y=2 rel=canonical>",
            "https://finance.sina.com.cn/a.shtml?x=1&y=2",
        ),
        (
            '<meta property="og:url" content="https://finance.sina.com.cn/a.shtml" />',
            "https://finance.sina.com.cn/a.shtml",
        ),
        ("<!-- saved from url=(0033)https://finance.sina.com.cn/a.shtml -->", "https://finance.sina.com.cn/a.shtml"),
        ('<link rel="canonical" href="/a.shtml">', ""),
        ("", ""),
    ],
)
def test_saved_page_says_where_it_is_from(read, tmp_path, head, url):
    write(tmp_path / "deep" / "a.html", HTML.format(head))
    page = only_page(read())
    assert (page.form, page.url) == ("html", url)
    assert page.source == ("sina" if url else UNKNOWN.id)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_feed_items(read, tmp_path):
    rows = [
        {
            "title": "标题\n一",
            "link": f"http://finance.eastmoney.com/news/1,{CODE}.html",
            "published": "Wed, 08 Oct 2025 04:00:48 +0800",
            "source": {"title": "某某社"},
            "summary": "<p>全文甲。</p>",
        },
        {
            "title": "标题二",
            "link": "https://news.example/2",
            "pubDate": 1640773581,
            "source": "某某报",
            "summary": "全文乙。",
        },
        {
            "ID": 7,
            "content": [{"type": "text/html", "value": "<div>全文丙</div>"}],
            "Summary": "提要",
            "tags": ["甲", {"term": "乙"}],
        },
        {"html": HTML.format(""), "keywords": "甲, 乙，丙", "author": [{"name": "张三"}, {"name": "李四"}]},
    ]
    path = write(tmp_path / "a.jsonl", "\ufeff" + "\n".join(json.dumps(row) for row in rows) + "\n\n")
    first, second, third, fourth = read()
    assert (first.form, first.source, first.body) == ("fragment", "eastmoney", "<p>全文甲。</p>".encode())
    assert (first.listed.title, first.listed.publisher, first.listed.summary) == ("标题一", "某某社", None)
    assert (second.form, second.source, second.listed.published) == ("text", UNKNOWN.id, "1640773581")
    assert (third.form, third.listed.summary, third.listed.tags) == ("fragment", "提要", ("甲", "乙"))
    assert third.listed.native_id is None, "the 7 of one file and the 7 of another are two articles"
    assert (fourth.form, fourth.listed.tags, fourth.listed.author) == ("html", ("甲", "乙", "丙"), "张三、李四")
    assert [page.headers[FILE_HEADER] for page in (first, fourth)] == [f"{path}:1", f"{path}:4"]


def test_native_ids_count_where_a_source_is_named(read, tmp_path, catalogue):
    write(tmp_path / "a.jsonl", '{"id": 7, "text": "全文。"}')
    assert only_page(read(source=catalogue["sina"])).listed.native_id == "7"


def test_records_that_share_a_source_url_stay_apart(read, tmp_path):
    rows = [
        {"id": f"2025-10-31-{n}", "title": f"第{n}条", "content": "全文。", "sourceUrl": "https://day.example/20251031"}
        for n in (1, 2)
    ]
    write(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert [page.url for page in read()] == ["", ""]


@pytest.mark.parametrize(
    "wrapped", [lambda row: row, lambda row: [row, row], lambda row: {"version": "1", "items": [row, row]}]
)
def test_json_files_of_one_or_many(read, tmp_path, wrapped):
    row = {"title": "标题", "text": "全文。"}
    write(tmp_path / "a.json", json.dumps(wrapped(row)))
    outcomes = read()
    assert len(outcomes) == (1 if wrapped(row) is row else 2)
    assert all(isinstance(page, Page) and page.listed.title == "标题" for page in outcomes)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('<img src="a.png">\n\n全文甲。\n\n### 小标题\n\n全文乙。', "post"),
        ("见 '''某题'''。\n\n== 小标题 ==\n全文。\n[[分类:外贸]]", "post"),
        ("<p># 全文甲。</p>\n<p>全文乙。</p>\n# 三", "fragment"),
        ("全文甲。\n全文乙。", "text"),
    ],
)
def test_a_field_is_what_its_marks_say(read, tmp_path, text, form):
    write(tmp_path / "a.json", json.dumps({"title": "标题", "body": text}))
    assert only_page(read()).form == form


BAD_LINES = [
    ('{"title": "cut', Reason.ARCHIVE),
    ("[" * 100_000, Reason.ARCHIVE),
    ("7", Reason.ARCHIVE),
    ('[{"text": "全文。"}, 7]', Reason.ARCHIVE),
    ('{"title": "only a title"}', Reason.NO_TEXT),
    ('{"text": 1e999999, "title": null}', None),
    ('{"text": "half \\ud842 pair"}', None),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_costs_only_itself(read, tmp_path, line, reason):
    path = write(tmp_path / "a.jsonl", f'{{"text": "甲。"}}\n{line}\n{{"text": "乙。"}}\n')
    outcomes = read()
    assert [outcome.body for outcome in (outcomes[0], outcomes[-1])] == ["甲。".encode(), "乙。".encode()]
    rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert [each.reason for each in rejected] == ([reason] if reason else [])
    assert all(each.detail.startswith(f"{path}:2") for each in rejected)


def test_a_line_beyond_the_limit_is_stepped_over(read, tmp_path):
    long = b'{"text": "' + b"x" * (MAX_BYTES + 10) + b'"}\n'
    write(tmp_path / "a.jsonl", long + b'{"text": "next"}\n' + long[:-1])
    outcomes = read()
    assert [getattr(outcome, "reason", None) for outcome in outcomes] == [Reason.TOO_BIG, None, Reason.TOO_BIG]


def test_json_lines_are_streamed(catalogue, tmp_path):
    row = json.dumps({"text": "全" * 20_000}) + "\n"
    write(tmp_path / "a.jsonl.gz", gzip.compress(row.encode() * 500, 1))  # 60 MB unzipped
    pages = read_archive([tmp_path], catalogue=catalogue, source=None, fetched_at=NOW)
    tracemalloc.start()
    assert sum(1 for _ in pages) == 500
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 5_000_000


# ── web archives ─────────────────────────────────────────────────────────────────────────────────────────────────────


def warc(*responses: tuple[str, str, bytes, list[tuple[str, str]]], zipped: bool = True) -> bytes:
    file = io.BytesIO()
    writer = WARCWriter(file, gzip=zipped)
    writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "test"}))
    for url, status, body, headers in responses:
        http = StatusAndHeaders(status, headers, protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                url,
                "response",
                payload=io.BytesIO(body),
                http_headers=http,
                warc_headers_dict={"WARC-Date": "2021-05-06T07:08:09Z"},
            )
        )
    return file.getvalue()


TYPE = [("Content-Type", "text/html; charset=gbk")]


def answer(number: int, body: bytes | None = None) -> tuple[str, str, bytes, list[tuple[str, str]]]:
    body = HTML.format(f"第{number}页").encode("gbk") * 20 if body is None else body
    return f"https://finance.sina.com.cn/{number}.shtml", "200 OK", body, TYPE


@pytest.mark.parametrize("zipped", [True, False])
def test_warc(read, tmp_path, zipped):
    other = [
        ("https://finance.sina.com.cn/x.png", "200 OK", b"\x89PNG", [("Content-Type", "image/png")]),
        ("https://finance.sina.com.cn/gone", "404 Not Found", b"<html>", TYPE),
    ]
    path = write(tmp_path / f"a.warc{'.gz' if zipped else ''}", warc(answer(1), *other, answer(2), zipped=zipped))
    first, gone, second = read()
    assert isinstance(first, Page)
    assert (first.url, first.source, first.form, first.status) == (answer(1)[0], "sina", "html", 200)
    assert first.body == answer(1)[2]
    assert first.headers["content-type"] == "text/html; charset=gbk"
    assert first.fetched_at == datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC), "relative times count from the crawl"
    assert isinstance(gone, Rejected)
    assert (gone.reason, gone.url) == (Reason.HTTP, "https://finance.sina.com.cn/gone")
    assert f"{path}@" in gone.detail
    assert second.body == answer(2)[2]


def test_content_encoding_is_undone_and_a_broken_one_named(read, tmp_path):
    plain = HTML.format("").encode()
    zipped = [("Content-Type", "text/html"), ("Content-Encoding", "gzip")]
    good = ("https://a.example/1", "200 OK", gzip.compress(plain), zipped)
    cut = ("https://a.example/2", "200 OK", gzip.compress(plain)[:-20], zipped)
    write(tmp_path / "a.warc.gz", warc(good, cut, answer(3)))
    first, second, third = read()
    assert first.body == plain
    assert isinstance(second, Rejected) or second.body != plain
    assert isinstance(third, Page)


@pytest.mark.parametrize("zipped", [True, False])
def test_every_cut_of_a_warc_ends_in_named_outcomes(read, tmp_path, zipped):
    whole = warc(*(answer(number) for number in (1, 2, 3)), zipped=zipped)
    bodies = {answer(number)[2] for number in (1, 2, 3)}
    for length in range(20, len(whole), 97 if zipped else 331):
        path = write(tmp_path / f"a.warc{'.gz' if zipped else ''}", whole[:length])
        outcomes = read(path)
        assert outcomes
        for outcome in outcomes:
            assert isinstance(outcome, Rejected) or outcome.body in bodies, "half a page was taken for a whole one"


@pytest.mark.parametrize("zipped", [True, False])
def test_the_rest_behind_a_tear_is_read(read, tmp_path, zipped):
    parts = [warc(answer(number), zipped=zipped) for number in (1, 2, 3)]
    bodies = [answer(number)[2] for number in (1, 2, 3)]
    for share in range(20, 100, 5):  # the first tenth is the record about the archive
        cut = parts[1][: len(parts[1]) * share // 100]
        path = write(tmp_path / f"a.warc{'.gz' if zipped else ''}", parts[0] + cut + parts[2])
        outcomes = read()
        pages = [outcome.body for outcome in outcomes if isinstance(outcome, Page)]
        assert pages[0] == bodies[0]
        assert set(pages) <= set(bodies), "half a page was taken for a whole one"
        assert pages[-1] == bodies[2]
        assert any(isinstance(outcome, Rejected) and f"{path}@" in outcome.detail for outcome in outcomes)


def test_rubbish_between_records_is_stepped_over(read, tmp_path):
    parts = [warc(answer(number), zipped=False) for number in (1, 3)]
    path = write(tmp_path / "a.warc", parts[0] + b"WARC/1.0\r\nContent-Length: much\r\n\r\nrubbish" + parts[1])
    first, torn, third = read()
    assert (first.body, third.body) == (answer(1)[2], answer(3)[2])
    assert torn.reason is Reason.ARCHIVE
    assert torn.detail.startswith(f"{path}@")


def test_the_pages_of_a_lake_are_an_archive(read, tmp_path):
    """As when a lake is moved, merged with another, or made anew from its pages: with what the lists said."""
    url = "https://finance.sina.com.cn/7.shtml"
    listed = Listed(title="某题", native_id="7", tags=("甲", "乙"))
    fetched = Page(source="sina", url=url, final_url=url, status=200, body=b"<p>7</p>", fetched_at=NOW, listed=listed)
    fetched = replace(fetched, headers={"content-type": "application/json"}, form="fragment")
    from_disk = replace(fetched, url="", final_url="", headers={}, form="text", body="正文。".encode())
    gone, of_list = replace(fetched, status=404), replace(fetched, form="list")
    path = write(tmp_path / "a.warc.gz", b"".join(map(pack, (fetched, of_list, from_disk, gone))))
    *found, refused = read(path)
    assert [replace(page, headers={}) for page in found] == [replace(fetched, headers={}), from_disk]
    assert all(page.headers[FILE_HEADER].startswith(str(path)) for page in found)
    assert (refused.reason, refused.url) == (Reason.HTTP, url)


def test_a_header_that_describes_no_page_is_named(read, tmp_path):
    page = Page(source="sina", url="", final_url="", status=200, body=b"x", fetched_at=NOW)
    record = gzip.decompress(pack(page))
    path = write(tmp_path / "a.warc", record.replace(b'"listed":{}', b'"stolen":{}'))
    [refused] = read(path)
    assert refused.reason is Reason.DECODE
    assert str(path) in str(refused)


def test_warc_zipped_as_one_file(read, tmp_path):
    write(tmp_path / "a.warc.gz", gzip.compress(warc(answer(1), answer(2), zipped=False)))
    assert [page.url for page in read()] == [answer(1)[0], answer(2)[0]]


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b" + b"rubbish" * 50, b"WARC/1.0\r\n", b"rubbish\n" * 50, os.urandom(5_000)], ids=range(4)
)
def test_what_is_no_warc_is_named(read, tmp_path, content):
    path = write(tmp_path / "a.warc.gz", content)
    outcomes = read()
    assert outcomes
    assert all(isinstance(outcome, Rejected) and str(path) in outcome.detail for outcome in outcomes)


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_come_in_the_order_of_their_names(read, tmp_path):
    for name in ("b/2.txt", "b/1.txt", "a.txt", "c.html", "b/无后缀"):
        write(tmp_path / name, f"正文 {name}")
    write(tmp_path / "style.css", "p {}")
    write(tmp_path / ".git" / "x.md", POST)
    names = [Path(page.headers[FILE_HEADER]).relative_to(tmp_path).as_posix() for page in read()]
    assert names == ["a.txt", "b/1.txt", "b/2.txt", "b/无后缀", "c.html"]


def test_link_loops_end(read, tmp_path):
    write(tmp_path / "a" / "1.txt", "正文。")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self.txt").symlink_to(tmp_path / "a" / "self.txt")
    outcomes = read()
    assert sum(isinstance(outcome, Page) for outcome in outcomes) == 1
    assert all("self.txt" in outcome.detail for outcome in outcomes if isinstance(outcome, Rejected))


def test_dangling_links_and_unreadable_files_are_named(read, tmp_path):
    (tmp_path / "1.txt").symlink_to(tmp_path / "gone")
    secret = write(tmp_path / "2.txt", "正文。")
    secret.chmod(0)
    write(tmp_path / "3.txt", "正文。")
    outcomes = read()
    assert isinstance(outcomes[0], Rejected)
    assert outcomes[0].reason is Reason.ARCHIVE
    assert "1.txt" in outcomes[0].detail
    assert isinstance(outcomes[2], Page)
    if os.geteuid() != 0:
        assert outcomes[1].reason is Reason.ARCHIVE


def test_an_empty_file_is_named(read, tmp_path):
    write(tmp_path / "a.html", "")
    assert only_rejected(read()).reason is Reason.EMPTY


def test_a_file_beyond_the_limit_is_named(read, tmp_path):
    write(tmp_path / "a.html", b"x" * (MAX_BYTES + 1))
    assert only_rejected(read()).reason is Reason.TOO_BIG


def test_a_picture_without_ending_is_named(read, tmp_path):
    path = write(tmp_path / "picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
    assert only_rejected(read(path)).reason is Reason.TYPE


@pytest.mark.parametrize("name", ["", " ", "gone", "empty", "gone/x.md"])
def test_a_path_that_holds_nothing_is_one_line(read, tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError) as raised:
        read(tmp_path / name if name.strip() else name)
    assert "\n" not in str(raised.value)
    assert name.strip() in str(raised.value)


def test_nothing_is_read_if_one_path_is_missing(catalogue, tmp_path):
    path = write(tmp_path / "a.txt", "正文。")
    with pytest.raises(ArchiveError, match="gone"):
        read_archive([path, tmp_path / "gone"], catalogue=catalogue, source=None, fetched_at=NOW)
    with pytest.raises(ArchiveError):
        read_archive([], catalogue=catalogue, source=None, fetched_at=NOW)


@pytest.mark.corpus
def test_every_real_archive_ends_in_named_outcomes(read, corpus_dir):
    for path in sorted((corpus_dir / "warc").iterdir()):
        outcomes = read(path)
        assert outcomes, path
        assert all(isinstance(outcome, Page) or str(path) in outcome.detail for outcome in outcomes)


@pytest.mark.corpus
def test_every_real_post_and_item_becomes_a_page(read, corpus_dir):
    outcomes = read(corpus_dir / "posts")
    assert len(outcomes) > 1_000
    assert not [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    named = {page.source for page in outcomes}
    assert named >= {"finews", "rsshub", "eastmoney", "wallstreetcn", UNKNOWN.id}
    keys = [page.url for page in outcomes if page.url]
    assert max(len(list(group)) for _, group in itertools.groupby(sorted(keys))) < 20


# ── answers of APIs, and feeds ───────────────────────────────────────────────────────────────────────────────────────

RECORD = {
    "title": "某省外贸增长一成",
    "content": "<p>一季度进出口总值三千亿元。</p>",
    "publish_time": "2026-03-02 10:00",
}


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 0, "msg": "success", "data": RECORD},
        {"code": 200, "data": {"article": RECORD, "comments": {"count": 3}}},
        {"result": {"data": {"list": [RECORD]}}},
        {"status": "ok", "payload": {"detail": {"article": RECORD}}},
    ],
)
def test_the_record_inside_an_answer_of_an_api(read, tmp_path, answer):
    page = only_page(read(write(tmp_path / "a.json", json.dumps(answer))))
    assert page.body.decode() == RECORD["content"]
    assert (page.listed.title, page.listed.published) == (RECORD["title"], "2026-03-02 10:00")


def test_a_record_keeps_what_it_holds_itself(read, tmp_path):
    """A record of its own is not left for one inside it, such as the article it quotes."""
    record = {**RECORD, "quoted": {**RECORD, "title": "另一篇"}}
    assert only_page(read(write(tmp_path / "a.json", json.dumps(record)))).listed.title == RECORD["title"]


@pytest.mark.parametrize("name", ["feed.xml", "feed.rss", "feed"])
def test_a_saved_feed(read, tmp_path, name):
    content = "<![CDATA[<p>一季度进出口总值三千亿元。</p>]]>"
    items = [f"<item><title>第{n}条</title><link>https://example.com/{n}</link>" for n in (1, 2)]
    feed = (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>某某</title>'
        f"{items[0]}<content:encoded>{content}</content:encoded>"
        f"<pubDate>Mon, 02 Mar 2026 02:00:00 GMT</pubDate></item>{items[1]}</item></channel></rss>"
    )
    page, empty = read(write(tmp_path / name, feed))
    assert (page.url, page.listed.title, page.form) == ("https://example.com/1", "第1条", "fragment")
    assert (empty.reason, empty.url) == (Reason.NO_TEXT, "https://example.com/2")


def test_the_author_of_an_atom_feed_is_that_of_its_entries(read, tmp_path):
    content = '<content type="html">&lt;p&gt;文&lt;/p&gt;</content>'
    entry = f'<entry><title>题</title><link href="https://example.com/1"/>{content}'
    feed = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><author><name>某甲</name></author>{entry}</entry>'
        f"{entry.replace('/1', '/2')}<author><name>某乙</name></author></entry></feed>"
    )
    assert [page.listed.author for page in read(write(tmp_path / "a.xml", feed))] == ["某甲", "某乙"]


def test_the_authors_of_a_json_feed_are_those_of_its_items(read, tmp_path):
    item = {"title": "题", "content_html": "<p>文。</p>"}
    items = [{**item, "id": "1"}, {**item, "id": "2", "authors": [{"name": "某乙"}]}]
    feed = {"version": "https://jsonfeed.org/version/1.1", "authors": [{"name": "某甲"}], "items": items}
    assert [page.listed.author for page in read(write(tmp_path / "a.json", json.dumps(feed)))] == ["某甲", "某乙"]
    del feed["version"]
    assert [page.listed.author for page in read(write(tmp_path / "a.json", json.dumps(feed)))] == [None, "某乙"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("a.json", "callback({});"),
        ("a.json", "var news = {};"),
        ("a", "window.__DATA__={}"),
        ("a", "[{}]"),
        ("a.json", '{}\n{{"title": "二", "content": "<p>文。</p>"}}'),
        ("a.dump", "{}\n"),
    ],
)
def test_json_in_other_wrappings(read, tmp_path, name, shape):
    first, *_ = read(write(tmp_path / name, shape.format(json.dumps(RECORD))))
    assert (first.body.decode(), first.listed.title) == (RECORD["content"], RECORD["title"])


def test_markdown_inside_a_record_is_read_as_such(read, tmp_path):
    record = {"title": "题", "content": "## 小标题\n\n见[旧文](https://example.com/2)。"}
    assert only_page(read(write(tmp_path / "a.json", json.dumps(record)))).form == "post"
    for text in ("文。\n营收**亿元，同比**。", "文。"):
        assert only_page(read(write(tmp_path / "a.json", json.dumps({**record, "content": text})))).form == "text"


def test_notes_of_an_export_and_lists_of_subscriptions(read, tmp_path):
    note = "<note><title>题</title><content><![CDATA[<en-note><div>文。</div></en-note>]]></content></note>"
    export = f"<en-export>{note}{note.replace('题', '题二')}</en-export>"
    titles = [page.listed.title for page in read(write(tmp_path / "a.enex", export))]
    assert titles == ["题", "题二"]
    opml = '<opml version="2.0"><body><outline xmlUrl="https://example.com/feed"/></body></opml>'
    assert "subscriptions" in only_rejected(read(write(tmp_path / "b.opml", opml))).detail


def test_authors_of_an_export_are_named_not_their_logins(read, tmp_path):
    author = (
        "<wp:author><wp:author_login>wangmou</wp:author_login><wp:author_display_name>王某</wp:author_display_name>"
    )
    names = ("wp", "http://wordpress.org/export/1.2/"), ("dc", "http://purl.org/dc/elements/1.1/")
    spaces = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in names)
    item = "<item><title>题</title><link>https://example.com/1</link><dc:creator>wangmou</dc:creator>"
    text = "<description>&lt;p&gt;文。&lt;/p&gt;</description></item>"
    feed = f'<rss version="2.0" {spaces}><channel>{author}</wp:author>{item}{text}</channel></rss>'
    assert only_page(read(write(tmp_path / "a.xml", feed))).listed.author == "王某"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("外贸增长一成以后的企业.md", "外贸增长一成以后的企业"),
        (f"外贸增长一成以后 {'7f' * 16}.md", "外贸增长一成以后"),
        ("2026-11-05-外贸增长一成以后.md", "外贸增长一成以后"),
        ("20261105.md", None),
        ("早报.md", None),
    ],
)
def test_a_post_without_title_may_have_it_as_its_name(read, tmp_path, name, title):
    assert only_page(read(write(tmp_path / name, "前三季度进出口总额同比增长一成。\n"))).listed.title == title


def test_a_saved_mail(read, tmp_path):
    mail = "Subject: Weekly\nFrom: Some Daily <a@example.com>\nContent-Type: text/html; charset=utf-8\n\n<p>文。</p>"
    page = only_page(read(write(tmp_path / "a.eml", mail)))
    assert (page.form, page.listed.title, page.listed.publisher) == ("fragment", "Weekly", "Some Daily")
    assert only_rejected(read(write(tmp_path / "b.mhtml", "no mail"))).reason is Reason.NO_TEXT


def test_xml_that_is_no_feed_is_named(read, tmp_path):
    sitemap = "<urlset><url><loc>https://example.com/</loc></url></urlset>"
    assert "no feed" in only_rejected(read(write(tmp_path / "sitemap.xml", sitemap))).detail

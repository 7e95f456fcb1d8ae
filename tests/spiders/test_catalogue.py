"""Rows C01 to C04 and S16 of the fault table: source files, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from spiders.catalogue import BUILT_IN, Catalogue, SourceFileError, load_source

GOOD = """\
id = "sample"
name = "样本财经"
hosts = ["sample.test"]

[[list]]
kind = "json"
url = "https://api.sample.test/roll?page={page}&lid={lid}"
params = { lid = 7 }
items = "data"
paging = { by = "page", max_pages = 3 }
[list.fields]
url = { template = "https://www.sample.test/a/{id}.html" }
title = "title"

[[list]]
kind = "html"
url = "https://www.sample.test/list/"
items = "ul.news li"
[list.fields]
url = "a::attr(href)"

[article]
body = ["#body"]
"""


def write(folder: Path, text: str | bytes, name: str = "sample.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def error_of(folder: Path, text: str | bytes) -> SourceFileError:
    with pytest.raises(SourceFileError) as caught:
        load_source(write(folder, text))
    return caught.value


def test_the_built_in_sources_load() -> None:
    catalogue = Catalogue.load()
    assert {"eastmoney", "sina", "wallstreetcn", "chinanews"} <= set(catalogue)
    assert all(source.verified for source in catalogue.values()), "say what was checked, how and when"


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.toml")), ids=lambda path: path.stem)
def test_a_source_file_is_named_after_its_source_and_explains_itself(path: Path) -> None:
    assert load_source(path).id == path.stem
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize(
    ("url", "source_id"),
    [
        ("http://stock.eastmoney.com/a/202611203912345678.html", "eastmoney"),
        ("https://finance.sina.com.cn/roll/2026-11-20/doc-inabcdef1234567.shtml", "sina"),
        ("https://wallstreetcn.com./articles/3756789", "wallstreetcn"),
        ("https://www.chinanews.com/cj/2026/11-20/10461234.shtml", "chinanews"),
        ("https://eastmoney.com.example.org/", None),
        ("no url", None),
        ("", None),
    ],
)
def test_source_of_a_url(url: str, source_id: str | None) -> None:
    found = Catalogue.load().for_url(url)
    assert (found.id if found else None) == source_id


def test_a_closer_host_wins(tmp_path: Path) -> None:
    write(tmp_path, 'id = "column"\nname = "x"\nhosts = ["blog.eastmoney.com"]\n')
    found = Catalogue.load([tmp_path]).for_url("https://blog.eastmoney.com/1")
    assert found is not None
    assert found.id == "column"


def test_a_folder_of_ones_own_replaces_a_source(tmp_path: Path) -> None:
    write(tmp_path, 'id = "sina"\nname = "mine"\nhosts = ["sina.com.cn"]\n', "anything.toml")
    catalogue = Catalogue.load([tmp_path])
    assert catalogue["sina"].name == "mine"
    assert "eastmoney" in catalogue


def test_c01_an_unknown_key_names_the_one_that_was_meant(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD.replace("paging =", "pagging ="))
    assert (error.line, error.key, error.suggestion) == (10, "list[0].pagging", "paging")
    assert str(error) == f"{tmp_path / 'sample.toml'}:10: list[0].pagging: unknown key; did you mean 'paging'?"


@pytest.mark.parametrize(
    ("row", "change", "line", "key", "part"),
    [
        ("C01", ("body = [", "bodi = ["), 23, "article.bodi", "did you mean 'body'"),
        ("C01", ('url = "a::attr(href)"', 'url = { csss = "a" }'), 20, "list[1].fields.url.csss", "did you mean 'css'"),
        ("C01", ('title = "title"', 'titel = "title"'), 13, "list[0].fields.titel", "did you mean 'title'"),
        ("C01", ('by = "page", ', 'bye = "page", '), 10, "list[0].paging.bye", "did you mean 'by'"),
        ("C02", ('["#body"]', "3"), 23, "article.body", "valid list"),
        ("C02", ('["#body"]', '["#body[["]'), 23, "article.body", "is not a selector"),
        ("C02", ('"ul.news li"', '"ul..li"'), 18, "list[1].items", "is not a selector"),
        ("C02", ("a::attr(href)", "a::attr(("), 20, "list[1].fields.url", "is not a selector"),
        ("C02", ('hosts = ["sample.test"]', 'hosts = ["other.test"]'), 7, "list[0].url", "not among hosts"),
        ("C02", ("lid = 7", "lidd = 7"), 7, "list[0].url", "{lid}"),
        ("C02", ('kind = "html"', 'kind = "htm"'), 16, "list[1].kind", "'feed', 'json', 'html' or 'sitemap'"),
        ("C02", ("https://www.sample.test/list/", "file:///etc/passwd"), 17, "list[1].url", "no http or https url"),
        ("C02", ("max_pages = 3", "max_pages = 0"), 10, "list[0].paging.max_pages", "greater than or equal to 1"),
        ("C02", ("[article]", "[rate]\ndelay_seconds = -1\n[article]"), 23, "rate.delay_seconds", "greater than"),
        ("C02", ("[article]", "[article]\ndrop_lines = ['(']"), 23, "article.drop_lines[0]", "regular expression"),
        ("C02", ('name = "样本财经"', 'name = "x"\nid_regex = "abc"'), 1, "", "needs a group"),
        ("C02", ('hosts = ["sample.test"]\n', ""), 1, "hosts", "is missing"),
        ("C03", ('id = "sample"', 'id = "Sample"'), 1, "id", "is not a source id"),
        ("C03", ('id = "sample"', 'id = "样本"'), 1, "id", "is not a source id"),
        ("S16", ('id = "sample"', 'id = "../../x"'), 1, "id", "is not a source id"),
        ("S16", ('id = "sample"', 'id = "true"'), 1, "id", "is not a source id"),
        ("C04", ('id = "sample"', 'id = "sample"\nid = "again"'), 2, "", "overwrite"),
        ("C04", ('name = "样本财经"', "name = "), 2, "", "Invalid value"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, row: str, change: tuple[str, str], line: int, key: str, part: str
) -> None:
    assert change[0] in GOOD
    error = error_of(tmp_path, GOOD.replace(*change, 1))
    assert (error.line, error.key) == (line, key), (row, str(error))
    assert part in str(error), row


def test_c03_two_files_with_one_id(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "a.toml")
    write(tmp_path, GOOD, "b.toml")
    with pytest.raises(SourceFileError, match=r"b\.toml:1: id: 'sample' is already in a\.toml"):
        Catalogue.load([tmp_path])


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_c04_a_byte_order_mark_and_crlf_are_read(tmp_path: Path, text: bytes) -> None:
    assert load_source(write(tmp_path, text)).id == "sample"


def test_c04_what_is_not_utf8(tmp_path: Path) -> None:
    assert "is not UTF-8" in str(error_of(tmp_path, GOOD.encode("gb18030")))


def test_c05_a_file_or_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceFileError, match="No such file"):
        load_source(tmp_path / "none.toml")
    with pytest.raises(SourceFileError, match="no such folder"):
        Catalogue.load([tmp_path / "none"])

"""Sitemaps: XML with or without Google's news tags, an index of sitemaps, or plain text with one url a line."""

from __future__ import annotations

import re

from parsel import Selector

from articles.source import ListRule
from spiders.rows import MAX_ROWS, ListError, Listing, RowBuilder, resolve

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.IGNORECASE | re.DOTALL)


def read(text: str, _rule: ListRule, *, url: str) -> Listing:
    text = text.lstrip("\ufeff \t\r\n")
    if not text:
        raise ListError("no sitemap: the answer is empty")
    if not text.startswith("<"):
        return _lines(text, url)
    root = Selector(_DOCTYPE.sub("", _DECLARATION.sub("", text), count=1), type="xml")
    root.remove_namespaces()
    if root.xpath("/sitemapindex"):
        return _index(root, url)
    if root.xpath("/urlset"):
        return _urls(root, url)
    raise ListError("no sitemap: neither urlset nor sitemapindex")


def _lines(text: str, url: str) -> Listing:
    builder = RowBuilder(url)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not all(line.startswith(("http://", "https://")) for line in lines):
        raise ListError("no sitemap: lines that are no urls")
    for line in lines[:MAX_ROWS]:
        builder.add(line, {})
    for line in lines[MAX_ROWS:]:
        builder.drop(line, "excess")
    return builder.listing()


def _index(root: Selector, url: str) -> Listing:
    links = (resolve(url, each.get())[0] for each in root.xpath("/sitemapindex/sitemap/loc/text()"))
    return RowBuilder(url).listing(more=tuple(dict.fromkeys(link for link in links if link)))


def _urls(root: Selector, url: str) -> Listing:
    builder = RowBuilder(url)
    entries = root.xpath("/urlset/url")
    for entry in entries[:MAX_ROWS]:
        values = {
            "title": entry.xpath("string(news/title)").get(),
            "published": entry.xpath("string(news/publication_date)").get(),
            "publisher": entry.xpath("string(news/publication/name)").get(),
            # lastmod is when the page changed, not when the article came out.
            "updated": entry.xpath("string(lastmod)").get(),
        }
        builder.add(entry.xpath("string(loc)").get(), values)
    for entry in entries[MAX_ROWS:]:
        builder.drop(entry.xpath("string(loc)").get() or "", "excess")
    return builder.listing()

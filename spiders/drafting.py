"""A first source file from one answer of a site: a feed, a sitemap, a JSON list or a page of links.

Pure: what is fetched, and how, is decided elsewhere. A draft is a beginning: it lists, and a person goes on from there.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import urljoin, urlsplit

from parsel import Selector

from articles.decode import decode
from articles.source import ListRule, Source
from spiders.kinds import json_list
from spiders.listing import read
from spiders.rows import ListError, Listing, resolve

MIN_ROWS = 3
MIN_TITLE_CHARS = 6
FULL_TEXT_CHARS = 400
_DATE = re.compile(r"(?:\d{4}[-/年.])?\d{1,2}[-/月.]\d{1,2}日?(?:\s*\d{1,2}:\d\d(?::\d\d)?)?|\d{1,2}:\d\d")
_FEED_LINK = "link[rel~=alternate][type*=rss]::attr(href), link[rel~=alternate][type*=atom]::attr(href)"
_NATIVE_ID = re.compile(r"(\d{6,})")
_NAME = re.compile(r"[A-Za-z][\w-]*")
_URL_KEYS = ("url", "link", "href", "docurl", "arturl", "weburl", "uri", "share_url")
_TITLE_KEYS = ("title", "art_title", "headline", "name", "t")
_TIME_KEYS = ("time", "ctime", "showtime", "publish_time", "published_at", "pubtime", "pubdate", "date", "create_time")
_FIELDS = (("url", _URL_KEYS), ("title", _TITLE_KEYS), ("published", _TIME_KEYS))
# Of a host name, what does not tell whose it is.
_COMMON_LABELS = frozenset(
    [
        "www",
        "rss",
        "feed",
        "feeds",
        "api",
        "news",
        "m",
        "mobile",
        "finance",
        "com",
        "cn",
        "net",
        "org",
        "gov",
        "edu",
        "co",
        "test",
    ]
)


class NoDraftError(ValueError):
    """Nothing in the answer that looks like a list of articles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    source: Source
    listing: Listing
    toml: str
    feeds: tuple[str, ...] = ()
    """Feeds that a page of links names: better than the page."""


def draft(body: bytes, *, url: str, content_type: str | None = None) -> Draft:
    """Raises NoDraftError, with what was tried."""
    text = decode(body, content_type=content_type).text
    tried = []
    for rule in _rules(text, url):
        try:
            listing = read(body, rule, url=url, content_type=content_type)
        except ListError as error:
            tried.append(f"{rule.kind}: {error.detail}")
            continue
        if len(listing.rows) >= 1:
            return _drafted(rule, listing, text, url)
        tried.append(f"{rule.kind}: no entries")
    raise NoDraftError(f"{url}: nothing like a list of articles ({'; '.join(tried) or 'no group of links'})")


def _rules(text: str, url: str) -> Iterator[ListRule]:
    yield ListRule(kind="feed", url=url)
    yield ListRule(kind="sitemap", url=url)
    if rule := _json_rule(text, url):
        yield rule
    if rule := _html_rule(text, url):
        yield rule


def _drafted(rule: ListRule, listing: Listing, text: str, url: str) -> Draft:
    if rule.kind == "feed" and _is_full_text(rule, text):
        rule = rule.model_copy(update={"full_text": True})
    hosts = _hosts(url, listing)
    table: dict[str, Any] = {"id": _source_id(url), "name": _site_name(text) or hosts[0], "hosts": hosts}
    if pattern := _id_regex([row.url for row in listing.rows]):
        table["id_regex"] = pattern
    rule_table = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    source = Source.model_validate(table | {"list": [rule_table]})
    feeds: tuple[str, ...] = ()
    if rule.kind == "html":
        links = Selector(text, type="html").css(_FEED_LINK).getall()
        feeds = tuple(dict.fromkeys(urljoin(url, link) for link in links))
    return Draft(source=source, listing=listing, toml=_toml(table, rule_table, feeds), feeds=feeds)


def _is_full_text(rule: ListRule, text: str) -> bool:
    rows = read(text.encode(), rule.model_copy(update={"full_text": True}), url=rule.url).rows
    lengths = sorted(len(row.html or "") for row in rows)
    return bool(lengths) and lengths[len(lengths) // 2] >= FULL_TEXT_CHARS


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _json_rule(text: str, url: str) -> ListRule | None:
    try:
        answer = json_list.parse(text)
    except ListError:
        return None
    found = max(_row_lists(answer, ""), key=lambda each: len(each[1]), default=None)
    if found is None:
        return None
    path, rows = found
    keys = {key.lower(): key for key in rows[0]}
    fields = {name: keys[key] for name, likely in _FIELDS for key in likely if key in keys}
    return ListRule(kind="json", url=url, items=path, fields=dict(reversed(list(fields.items()))))


def _row_lists(value: object, path: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every list of objects with something like a url in them."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _row_lists(each, f"{path}.{key}".lstrip("."))
    elif _holds_rows(value):
        yield path, value


def _holds_rows(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) for each in value)
        and any(key.lower() in _URL_KEYS for key in value[0])
    )


# ── pages of links ───────────────────────────────────────────────────────────────────────────────────────────────────


def _html_rule(text: str, url: str) -> ListRule | None:
    """The group of links, all in the same place of their rows, that holds the most headline text."""
    groups: dict[str, list[Selector]] = defaultdict(list)
    for link in Selector(text, type="html").css("a[href]"):
        title = "".join(link.css("::text").getall()).strip()
        if len(title) >= MIN_TITLE_CHARS and not resolve(url, link.attrib["href"])[1]:
            groups[_row_selector(link)].append(link)
    likely = {selector: links for selector, links in groups.items() if len(links) >= MIN_ROWS}
    if not likely:
        return None
    selector = max(likely, key=lambda each: _headline_chars(likely[each]))
    fields = {"url": "a::attr(href)", "title": "a::text"}
    if published := _published(likely[selector]):
        fields["published"] = published
    return ListRule(kind="html", url=url, items=selector, fields=dict(fields))


def _row_selector(link: Selector) -> str:
    """The nearest row around the link, and the nearest named box around the row."""
    row = link.xpath("(ancestor::li | ancestor::dd | ancestor::dt | ancestor::tr | ancestor::div)[last()]")
    box = link.xpath("(ancestor::*[@id or @class][not(self::html or self::body)])[last()]")
    inner = _simple(row) if row else "a"
    if not box or (row and box[0].root is row[0].root):
        outer = row.xpath("(ancestor::*[@id or @class][not(self::html or self::body)])[last()]") if row else box
    else:
        outer = box
    return f"{_simple(outer)} {inner}" if outer else inner


def _simple(found: Iterable[Selector]) -> str:
    element = next(iter(found))
    tag = str(element.root.tag)
    names = [name for name in element.attrib.get("class", "").split() if _NAME.fullmatch(name)]
    identifier = element.attrib.get("id", "")
    if _NAME.fullmatch(identifier) and not any(char.isdigit() for char in identifier):
        return f"{tag}#{identifier}"
    return f"{tag}.{names[0]}" if names else tag


def _headline_chars(links: list[Selector]) -> int:
    return sum(min(len("".join(link.css("::text").getall()).strip()), 40) for link in links)


def _published(links: list[Selector]) -> str | None:
    """Where a row of the first link says when."""
    row = links[0].xpath("(ancestor::li | ancestor::dd | ancestor::tr | ancestor::div)[last()]")
    for element in row.css("span, em, i, time, td, p, font"):
        text = "".join(element.css("::text").getall()).strip(" []()（）\n\t")
        if _DATE.fullmatch(text):
            return f"{_simple([element])}::text"
    return None


# ── what the file says ───────────────────────────────────────────────────────────────────────────────────────────────


def _hosts(url: str, listing: Listing) -> list[str]:
    own = (urlsplit(url).hostname or "").lower().removeprefix("www.")
    counts = Counter((urlsplit(row.url).hostname or "").lower() for row in listing.rows)
    # A host stands for all below it.
    others = [host for host, _ in counts.most_common(3) if not host.endswith(f".{own}")]
    return list(dict.fromkeys([own, *others]))


def _source_id(url: str) -> str:
    labels = (urlsplit(url).hostname or "site").lower().split(".")
    labels = labels[:-1] or labels  # .news, .xyz: whatever domain it is in
    telling = [label for label in labels if label not in _COMMON_LABELS] or labels[:1]
    name = re.sub(r"[^a-z0-9]+", "_", telling[-1]).strip("_")
    return name[:40] if re.fullmatch(r"[a-z]\w+", name) else f"site_{name}"[:40]


def _site_name(text: str) -> str:
    found = re.search(r"<title[^>]*>(?:<!\[CDATA\[)?\s*([^<\]]{2,60})", text)
    return re.split(r"[-_|—,，]", found[1])[-1].strip() if found else ""


def _id_regex(urls: list[str]) -> str | None:
    """Digits that every url has, each its own, just before its end."""
    ids = [found[-1] for each in urls if (found := _NATIVE_ID.findall(urlsplit(each).path))]
    if len(ids) < max(MIN_ROWS, len(urls)) or len(set(ids)) < len(set(urls)):
        return None
    tails = [urlsplit(each).path.rpartition(native)[2] for each, native in zip(urls, ids, strict=True)]
    return r"(\d{6,})" + re.escape(tails[0]).replace("/", "/") if len(set(tails)) == 1 and tails[0] else None


def _toml(table: dict[str, Any], rule: dict[str, Any], feeds: tuple[str, ...]) -> str:
    lines = ["# A draft: what it lists was tried, its article pages were not. Say here what is odd about this site."]
    lines += [f"# The page names a feed, which is better than a page of links: {feed}" for feed in feeds]
    lines += ["", *(f"{key} = {_value(value)}" for key, value in table.items()), "", "[[list]]"]
    lines += [f"{key} = {_value(value)}" for key, value in rule.items() if key != "fields"]
    if rule.get("fields"):
        lines += ["", "[list.fields]", *(f"{key} = {_value(value)}" for key, value in rule["fields"].items())]
    lines += [
        "",
        "[article]",
        '# body = ["div.content"]',
        "",
        "[gates]",
        "max_age_hours = 72",
        'require = ["title", "text", "published_at"]',
        "",
    ]
    return "\n".join(lines)


def _value(value: object) -> str:
    """JSON's strings, numbers, booleans and lists of them are TOML's too; a pattern is easier to read raw."""
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)

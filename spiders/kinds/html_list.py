"""List pages: a selector for the rows, selectors within a row for the fields."""

from __future__ import annotations

import re

from parsel import Selector

from articles.source import FieldRule, ListRule
from spiders.rows import MAX_ROWS, ListError, Listing, NoRowError, RowBuilder, first_group

_SPACES = re.compile(r"\s+")
_OWN_ATTRIBUTE = re.compile(r"::attr\(([\w-]+)\)")


def read(text: str, rule: ListRule, *, url: str) -> Listing:
    if not text.strip():
        raise ListError("no list page: the answer is empty")
    builder = RowBuilder(url)
    # Named, or parsel takes a text that is JSON for JSON.
    page = Selector(text, type="html")
    add_rows(builder, page, rule, rule.items)
    return builder.listing()


def add_rows(builder: RowBuilder, root: Selector, rule: ListRule, row_selector: str) -> None:
    rows = root.css(row_selector)
    if not rows:
        raise NoRowError(f"no row matches {row_selector!r}")
    for row in rows[:MAX_ROWS]:
        values = {name: _field(row, field) for name, field in rule.fields.items() if name != "tags"}
        builder.add(values.pop("url", None), values, tags=_tags(row, rule))


def _field(row: Selector, field: str | FieldRule) -> str | None:
    if isinstance(field, str):
        field = FieldRule(css=field)
    if not field.css:
        return None
    value = _SPACES.sub(" ", " ".join(_matches(row, field.css))).strip()
    return first_group(field.regex, value) or None


def _tags(row: Selector, rule: ListRule) -> tuple[str, ...]:
    field = rule.fields.get("tags")
    css = field.css if isinstance(field, FieldRule) else field
    return tuple(dict.fromkeys(tag for each in _matches(row, css or "") if (tag := each.strip())))


def _matches(row: Selector, css: str) -> list[str]:
    if not css:
        return []
    # `::attr(href)` alone means the row itself, which css() would look for among its descendants only.
    own = _OWN_ATTRIBUTE.fullmatch(css)
    found: list[str] = row.xpath(f"@{own[1]}").getall() if own else row.css(css).getall()
    return found

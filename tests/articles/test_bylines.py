"""Who is named around an article, written the ways that sites write it: bylines.toml."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from articles.extract import extract
from articles.records import Article, Page
from articles.source import UNKNOWN

HABITS = tomllib.loads(Path(__file__).with_name("bylines.toml").read_text(encoding="utf-8"))["habit"]
TITLE = "某省外贸进出口增长一成"
PARAGRAPHS = (
    "<p>全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快，企业信心增强。</p>"
    "<p>分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，结构也将继续改善。</p>"
    "<p>海关部门表示，将继续推出便利措施，支持企业开拓新的市场。</p>"
)


def article_of(page: str, head: str = "") -> Article:
    parts = {"title": TITLE, "paragraphs": PARAGRAPHS, "body": f"<div class='content'>{PARAGRAPHS}</div>"}
    html = (
        f"<html><head><title>{TITLE}_某站</title>{head}</head><body><div class='top'><a href='/'>首页</a></div>"
        f"{page.format(**parts)}<div class='footer'><p>版权所有</p></div></body></html>"
    )
    read = extract(
        Page(
            source="local",
            url="https://news.example/story",
            final_url="",
            status=200,
            body=html.encode(),
            fetched_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        ),
        UNKNOWN,
    )
    assert isinstance(read, Article)
    return read


@pytest.mark.parametrize("habit", HABITS, ids=[habit["name"] for habit in HABITS])
def test_who_is_named(habit):
    read = article_of(habit["page"], habit.get("head", ""))
    named = {name: value for name in ("publisher", "author", "editor") if (value := getattr(read, name))}
    assert named == {name: habit[name] for name in ("publisher", "author", "editor") if name in habit}
    # A byline in the text would be one too many; a dateline stays.
    assert read.text.startswith(("全省外贸", "【", "某")) or "电" in read.text[:20]
    assert read.text.endswith("市场。")

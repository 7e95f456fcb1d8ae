"""Who is named around an article, written the ways that sites write it: bylines.toml."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from articles.extract import extract
from articles.records import Article, Page
from articles.source import UNKNOWN
from articles.wrapper import byline, label_values

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
    assert read.text.startswith(("全省外贸", "【", "（"))
    assert read.text.endswith("市场。")


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("本报记者李昂 通讯员王一鸣", "李昂"),
        ("记者李昂/通讯员王一鸣", "李昂"),
        ("记者 李昂 / 通讯员 王一鸣", "李昂"),
        ("记者 李昂｜实习生 王一鸣", "李昂"),
        ("本报首席记者 李昂 见习记者 王一鸣", "李昂 王一鸣"),
        ("江州晚报/江晚全媒体记者 王一鸣", "王一鸣"),
        ("作者：李  昂 王一鸣", "李昂 王一鸣"),
        ("作者：王一鸣（某某大学教授）", "王一鸣"),
        ("作者：王一鸣 某某大学经济学院", "王一鸣"),
        ("撰文 · 王一鸣", "王一鸣"),
    ],
)
def test_reporters_come_before_their_helpers_and_posts(line, author):
    assert byline(line).get("author") == author


@pytest.mark.parametrize("nobody", ["未知", "佚名", "admin", "本站原创", "网络", "小编", "管理员"])
def test_who_is_filled_in_for_nobody_is_nobody(nobody):
    assert not label_values(f"来源：{nobody} 作者：{nobody} 责任编辑：{nobody}")


def test_a_word_that_is_a_label_elsewhere_names_nobody_by_what_follows_it():
    assert article_of("<h1>{title}</h1><p>2025-05-04</p><p>原创</p><p>出口为何增长</p>{body}").author is None


@pytest.mark.parametrize(
    ("line", "publisher", "author", "time"),
    [
        ("岭南财讯报 2025-05-04 21:08", "岭南财讯报", None, "21:08"),
        ("**岭中网**　2025-05-04 18:05　文 | 裴志远", "岭中网", "裴志远", "18:05"),
        ("岭今保 记者 裴志远  2025-05-04 17:26", "岭今保", "裴志远", "17:26"),
        ("2025年05月04日 15:40 · 岭政观察", "岭政观察", None, "15:40"),
        ("原创 裴志远 [地方岭报](javascript:void\\(0\\);) *2025-05-04 07:31* *江西*", "地方岭报", "裴志远", "07:31"),
        ("原创  裴志远  [ 岭商中国 ](javascript:void\\(0\\);)", "岭商中国", "裴志远", None),
        ("岭周刊 本刊编辑部 | 裴志远", None, "裴志远", None),
        ("作者：Sheldon，LNNews", None, "Sheldon", None),
        ("第1187期 2025-05-04", None, None, None),
    ],
)
def test_a_line_above_a_post_names_who_and_when(line, publisher, author, time):
    text = "\n\n".join(re.findall("<p>(.*?)</p>", PARAGRAPHS))
    body = f"---\ntitle: {TITLE}\ndate: 2025-05-04\n---\n{line}\n\n{text}\n".encode()
    fetched_at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    read = extract(
        Page(source="local", url="", final_url="", status=200, body=body, form="post", fetched_at=fetched_at), UNKNOWN
    )
    assert isinstance(read, Article)
    assert (read.publisher, read.author) == (publisher, author)
    assert f"{read.published_at:%H:%M}" == (time or "00:00")
    assert read.text.startswith("全省外贸")

"""Keys of one meaning under many names."""

from __future__ import annotations

import pytest

from articles.meanings import meaning_of, spelt_out, without_site_behind

MEANINGS = {
    "title": "title Title full_title articleTitle 标题 文章标题",
    "published": "date publishTimeStr pub-date datePublished showTime 发布时间 时间 首发于",
    "saved": "created created_at clippedAt 剪藏时间 收藏于",
    "updated": "updated last_modified updateTime 更新时间",
    "url": "url URL original_url Source-URL shareUrl 原文链接 链接",
    "publisher": "source siteName mediaName Publication 来源 公众号 来自",
    "author": "author authorName dc:creator 作者 记者",
    "editor": "editor 责任编辑",
    "tags": "tags Keywords 标签 关键词",
    "section": "category columnName 分类 栏目",
    "summary": "summary description 摘要",
    "body": "content contentHtml content_html articleBody full_text 正文",
    "tool": "imageUrl author_url reading-time status 字数 shareTitle",
}


@pytest.mark.parametrize(("meaning", "keys"), MEANINGS.items(), ids=MEANINGS)
def test_one_meaning_under_many_names(meaning, keys):
    assert {key: meaning_of(key) for key in keys.split()} == dict.fromkeys(keys.split(), meaning)


def test_what_is_no_key_of_ours_means_nothing():
    for key in ("", "营收", "净利润", "地点", "要点", "revenue", "一" * 60, "标题一"):
        assert meaning_of(key) is None


def test_makers_put_their_word_for_an_article_in_front():
    assert [meaning_of(key) for key in ("storyTitle", "art_content", "docPubTime")] == ["title", "body", "published"]
    for key in ("userTitle", "title_detail", "company_name", "commentContent", "maxDate"):
        assert meaning_of(key) in (None, "tool")


def test_moments_in_one_row_of_digits():
    assert spelt_out("20261105T102000Z") == "2026-11-05T10:20:00Z"
    assert spelt_out("20261105102000123") == "2026-11-05T10:20:00"
    assert spelt_out("20261105") == "20261105"


def test_a_medium_behind_a_title_leaves_it():
    assert without_site_behind("出口增长 - 某某日报") == "出口增长"
    assert without_site_behind("出口增长_某某财经_某某网") == "出口增长"
    for title in ("出口增长 - 进口持平", "数据 | 出口增长", "某某网"):
        assert without_site_behind(title) == title

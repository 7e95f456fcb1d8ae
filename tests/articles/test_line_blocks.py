"""Menus, labels over their values, headlines and statements behind a caption: blocks that only several lines show."""

from __future__ import annotations

import pytest

from articles.wrapper import strip_wrapper

BODY = [
    "本市上月新设经营主体一万二千户，比上年同期增长百分之六，其中服务业占了七成，制造业的占比也略有提高。",
    "市场监管部门的负责人介绍，下一步将把开办企业的平均时间压缩到半天以内，并让更多事项可以在线上办理。",
    "多家受访的企业说，开户和领取发票的环节比去年快了不少，成本也下降了。",
]
HEADLINES = ["某某证券：周期股的调整已近尾声", "量化基金四季度加仓名单曝光", "三季报里的隐形冠军(附股)"]


def test_the_menu_of_a_stock_portal_goes_and_its_subheads_stay():
    menu = ["热点栏目", "资金流向", "千股千评", "个股诊断", "客户端"]
    subheads = ["市场概述", "股票", "债市", "宏观经济"]
    assert strip_wrapper([*menu, *subheads, *BODY]).lines == [*subheads, *BODY]


def test_the_tools_of_an_official_page_go_and_tell_the_publisher():
    stripped = strip_wrapper(["来源：", "某某报", "字号：默认", "大", "超大", "|", "打印", *BODY, "相关稿件"])
    assert stripped.lines == BODY
    assert stripped.fields["publisher"] == "某某报"


@pytest.mark.parametrize("below", ["字号：大", "2026-11-20 08:00", "作者：王一鸣", "公司表示，一切正常。"])
def test_a_label_without_a_value_takes_none_from_elsewhere(below):
    stripped = strip_wrapper(["来源：", below, *BODY])
    assert "publisher" not in stripped.fields
    assert stripped.lines[-3:] == BODY


def test_headlines_behind_a_caption_go_with_it():
    stripped = strip_wrapper([*BODY, "专家解读>>>", *HEADLINES, "（责任编辑：王一鸣）"])
    assert stripped.lines == BODY
    assert stripped.fields["chief"] == "王一鸣"


@pytest.mark.parametrize(
    "lines",
    [
        # A digest: sentences follow, or nothing stands before.
        [*BODY, "更多：", HEADLINES[0], BODY[0]],
        ["热点聚焦", *HEADLINES, *BODY],
        [*BODY, "附：入选公司", *HEADLINES],
    ],
)
def test_headlines_of_the_article_stay(lines):
    kept = strip_wrapper(lines).lines
    assert [line for line in lines if line in HEADLINES] == [line for line in kept if line in HEADLINES]


def test_all_behind_a_statement_goes_with_it():
    statement = [
        "榜单由本所独家编制，样本为公开渠道收集的五百家企业。",
        "方法如有更新，将在下一期说明，过往的名次不作追溯。",
    ]
    assert strip_wrapper([*BODY, "免责声明", *statement]).lines == BODY
    # In front of the article it is not known where the statement ends.
    assert strip_wrapper(["免责声明", *statement, *BODY]).lines == [*statement, *BODY]


ITSELF = "某某电子股份有限公司（“某某电子”）成立于2001年，是国内主要的连接器制造商之一，产品销往三十个国家和地区。"


def test_what_an_issuer_says_of_itself_below_a_release_goes():
    for heading in ("关于某某电子", "【關於某某電子】", "有關某某電子", "关于我们"):
        below = ITSELF.replace("某某电子", "某某電子") if "電" in heading else ITSELF
        assert strip_wrapper([*BODY, heading, below]).lines == BODY


@pytest.mark.parametrize(
    "section",
    [
        ["关于服务业", "服务业的占比已经连续三年提高，其中物流与软件两项最快。"],
        ["关于某某电子", "某某电子上月的订单增长两成，分析师把目标价上调到三十元。"],
    ],
)
def test_sections_about_something_stay(section):
    assert strip_wrapper([*BODY, *section]).lines == [*BODY, *section]


def test_tools_glued_to_the_last_sentence_are_cut_however_long():
    tail = " 【纠错】 【责任编辑:王一鸣】 新闻链接 本市出台二十条措施支持小微企业发展 2026-11-19 阅读下一篇："
    stripped = strip_wrapper([*BODY[:-1], BODY[-1] + tail])
    assert stripped.lines == BODY
    assert stripped.fields["editor"] == "王一鸣"


@pytest.mark.parametrize(
    ("below", "fields"),
    [
        (["文章作者", "王一鸣", "责任编辑：李昂"], {"author": "王一鸣", "chief": "李昂"}),
        (["本文作者", "王一鸣、李昂"], {"author": "王一鸣、李昂"}),
        (["责任编辑", "李昂"], {"editor": "李昂"}),
    ],
)
def test_a_label_over_a_name_at_the_end_needs_no_colon(below, fields):
    stripped = strip_wrapper([*BODY, *below])
    assert stripped.lines == BODY
    assert fields.items() <= stripped.fields.items()


def test_a_word_over_what_is_no_name_is_no_label():
    assert strip_wrapper([*BODY, "文章作者", "银行"]).lines[-1] == "银行"
    assert strip_wrapper([*BODY, "文章作者", "王一鸣说，价格还会上涨。"]).lines[-2:] == [
        "文章作者",
        "王一鸣说，价格还会上涨。",
    ]

"""The table of wrapper lines, example by example, and what the lines around a body say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.wrapper import MAY_END, label_values, person, simplified, strip_wrapper
from articles.wrapper_table import RULES

PROSE = "全省外贸进出口总值达到三千亿元，比上年同期增长一成，其中出口增长较快。"
MORE = "分析人士认为，随着海外需求恢复，下半年的增速有望继续回升，企业的信心也在增强。"
LAST = "有关部门表示，将继续落实各项政策，帮助企业开拓市场、降低成本，稳住外贸基本盘。"


@pytest.mark.parametrize(
    ("rule", "line"), [(rule, line) for rule in RULES for line in rule.yes], ids=lambda x: getattr(x, "name", None)
)
def test_a_rule_matches_its_examples(rule, line):
    assert rule.pattern.fullmatch(line)


@pytest.mark.parametrize(
    ("rule", "line"), [(rule, line) for rule in RULES for line in rule.no], ids=lambda x: getattr(x, "name", None)
)
def test_a_rule_leaves_its_counter_examples(rule, line):
    assert not rule.pattern.fullmatch(line)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.scope == "end"], ids=lambda rule: rule.name)
@settings(max_examples=25)
@given(st.data())
def test_what_is_glued_to_an_end_is_seen_quickly(rule, data):
    assert MAY_END.search(data.draw(st.from_regex(rule.pattern, fullmatch=True)))


def test_every_rule_has_examples_of_both_kinds_and_a_name_of_its_own():
    assert all(rule.yes and rule.no for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("来源：某某时报 作者：王一鸣 编辑：李昂", {"publisher": "某某时报", "author": "王一鸣", "editor": "李昂"}),
        ("2019-09-26 12:11来源：某某时报网作者：李在山", {"publisher": "某某时报网", "author": "李在山"}),
        ("来源:\t某某周刊\t举报", {"publisher": "某某周刊"}),
        ("【责任编辑:王頔】", {"chief": "王頔"}),
        ("[责任编辑：杜智 PX209]", {"chief": "杜智 PX209"}),
        ("责任编辑：杨倩_NF4425", {"chief": "杨倩_NF4425"}),
        ("來源：某某日報 責任編輯：余某", {"publisher": "某某日報", "chief": "余某"}),
        ("文丨某某特约评论员 韩涵", {"author": "韩涵"}),
        ("编辑 岳彩周 校对 李世辉", {"editor": "岳彩周"}),
        ("作者 王之言 高孜然", {"author": "王之言 高孜然"}),
        ("石佳/某某青年报", {"author": "石佳", "publisher": "某某青年报"}),
        ("首页 / 财经新闻 / 企业", {}),
        ("发表于 2019-5-16 21:08:37\t|\t只看作者\t|\t倒序", {}),
        ("作者：王一鸣 网编：李昂 2024-05-13", {"author": "王一鸣", "editor": "李昂"}),
        ("责任编辑：王頔  投稿邮箱：news@example.com", {"chief": "王頔"}),
        ("本文来源于《某某网》 2012年01月12日 18:49 我要评论（0）", {"publisher": "《某某网》"}),
        ("来源：https://example.com/", {}),
        ("来源：微信公众号“某某财经”", {"publisher": "某某财经"}),
        ("来源：Wall Street Journal 2020-01-02", {"publisher": "Wall Street Journal"}),
        ("作者认为，来源可靠的数据更值得信任。", {}),
        ("以下为全文：", {}),
        ("王一鸣 记者 | 更新 : 2026-11-19 15:28", {}),
        ("版面：第03版 综合  字数：1024  作者：王一鸣", {"author": "王一鸣"}),
    ],
)
def test_labels_name_fields(line, fields):
    assert label_values(line) == fields


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("某报首席记者 王一鸣", "王一鸣"),
        ("见习编辑 李琼皙", "李琼皙"),
        ("立悟/编译", "立悟"),
        ("王某(微博)", "王某"),
        ("路透", "路透"),
        ("路闻卓立编译 某某交易与研究", "路闻卓立"),
        ("陈智 整合", "陈智"),
        ("王霄 发自上海", "王霄"),
        ("邱一琪 羅二中 台北報導", "邱一琪 羅二中"),
        ("傅一伟 通讯员 刘一韬", "傅一伟"),
        ("方某北京大学某某学院教授", "方某"),
        ("刘某东 易某楠 文/摄", "刘某东 易某楠"),
        ("郭一亮摄", ""),
    ],
)
def test_a_person_has_no_title_before_the_name(value, name):
    assert person(value) == name


def test_head_and_tail_go_and_the_article_stays():
    stripped = strip_wrapper(
        [
            "原标题：某省外贸增长一成",
            "来源：某某日报",
            PROSE,
            "风险提示：海外需求恢复不及预期，汇率大幅波动。",
            MORE,
            "（文章来源：某某日报）",
            "责任编辑：李昂",
            "海量资讯、精准解读，尽在某某财经APP",
        ]
    )
    assert stripped.lines == [PROSE, "风险提示：海外需求恢复不及预期，汇率大幅波动。", MORE]
    assert stripped.fields["publisher"] == "某某日报"
    assert stripped.fields["chief"] == "李昂"
    assert stripped.fields["original_title"] == "某省外贸增长一成"
    assert [rule for rule, _ in stripped.removed][:2] == ["original_title", "labels"]


def test_a_line_in_the_middle_is_not_the_tail():
    lines = [f"{n}、{PROSE}" for n in range(8)] + ["记者 王一鸣"] + [f"{n}、{MORE}" for n in range(8)]
    assert strip_wrapper(lines).lines == lines


def test_related_articles_are_cut_only_behind_the_larger_part():
    behind = strip_wrapper([PROSE, MORE, "相关阅读：", "某公司业绩大增", "某银行降准"])
    assert behind.lines == [PROSE, MORE]
    assert ("behind related", "某银行降准") in behind.removed
    before = strip_wrapper(["相关新闻：", PROSE, MORE, LAST])
    assert before.lines == [PROSE, MORE, LAST]


@pytest.mark.parametrize(
    ("end", "field", "value"),
    [
        ("（某某日报）", "medium", "某某日报"),
        ("（来源：某某研究院网站）", "publisher", "某某研究院网站"),
        ("(立悟/编译)", "author", "立悟"),
        ("（总台某某记者 王善涛）", "author", "王善涛"),
        ("（责任编辑：王某、李某）", "editor", "王某、李某"),
    ],
)
def test_a_signature_glued_to_the_last_sentence_is_cut(end, field, value):
    stripped = strip_wrapper([PROSE, MORE + end])
    assert stripped.lines == [PROSE, MORE]
    assert stripped.fields[field] == value


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("某报  2026年11月19日  本报记者 陈某义", "陈某义"),
        ("by 章某炎 on 2026/11/19 07:12 · 32 views", "章某炎"),
        ("撰文 / 萨某剌　摄影 / 杨某　编辑 / 倪某", "萨某剌"),
        ("某报 2026年11月19日 记者 从公司获悉", None),
        ("by 市场 on Friday", None),
    ],
)
def test_a_line_at_the_head_names_its_author(line, author):
    assert label_values(line).get("author") == author


@pytest.mark.parametrize("end", ["（完）", "（下同）", "（化名）", "（以下简称某某）", "（含税）"])
def test_brackets_that_belong_to_the_sentence_stay(end):
    assert strip_wrapper([PROSE, MORE + end]).lines[-1] == MORE + end


def test_what_is_glued_to_a_paragraph_is_cut_before_it_is_judged():
    stripped = strip_wrapper([PROSE, "盘中会出现震荡……【点击查看全文】"])
    assert stripped.lines == [PROSE, "盘中会出现震荡……"]


def test_the_date_under_a_notice_stays_and_a_source_behind_it_goes():
    stripped = strip_wrapper([PROSE, MORE, "某某股份有限公司董事会", "2007年3月16日（来源：某某证券报）"])
    assert stripped.lines[-1] == "2007年3月16日"
    assert stripped.fields["publisher"] == "某某证券报"


@pytest.mark.parametrize(
    "dateline",
    [
        "某某社里昂3月4日电（记者秦朗）",
        "某某社3月4日电 (秦朗)",
        "本报里昂3月4日讯 记者秦朗 ",
        "【某某报网讯】记者秦朗报道：",
        "某某网讯 实习生李昂、记者秦朗报道：",
        "某某网讯（文/某某日报记者 秦朗 通讯员 李昂 图/受访者提供）",
    ],
)
def test_a_dateline_names_the_reporter_and_stays(dateline):
    line = f"{dateline}当地交通部门宣布，铁路将于本周恢复运行，首批列车已经发出。"
    stripped = strip_wrapper([line, MORE])
    assert stripped.lines[0] == line
    assert stripped.fields["author"] == "秦朗"


def test_a_deck_that_comes_again_goes():
    assert strip_wrapper([MORE, PROSE, MORE]).lines == [PROSE, MORE]


@pytest.mark.parametrize(
    "line",
    [
        "我是某某界作者王某鸣，关注新消费，交流请加微信 example，请备注姓名与公司。",
        "转载开白 | 商务合作 | 读者交流",
        "请添加微信：example2026",
        "※ 歡迎用「轉貼」或「分享」的方式轉傳文章連結；未經授權，請勿複製轉貼文章內容",
        "版权说明：感谢每一位作者的辛苦付出，如转载涉及版权等问题，请发消息至后台与我们联系。",
        "更多早报请关注“早安某某”",
        "（本文仅供交流，所提及的基金不构成推荐）",
        "▼ 往期好文 ▼",
        "回复关键词【养老】可查看历史报告",
        "（本文已获授权发布，未经同意请勿搬运）",
    ],
)
def test_the_last_lines_go_as_long_as_they_speak_to_the_reader(line):
    assert strip_wrapper([PROSE, MORE, LAST, line, "请添加微信：example2026"]).lines == [PROSE, MORE, LAST]
    assert strip_wrapper([PROSE, line, MORE, LAST, LAST]).lines[-3:] == [MORE, LAST, LAST]


@pytest.mark.parametrize(
    "line",
    [
        "专家提醒，请勿点击陌生链接，下载软件要走官方平台。",
        "“我们欢迎各平台转载，也请大家注明出处。”馆长说。",
        "消费者可关注官方微信，点击链接预约。",
        "用户点赞、收藏、转发请求均不计入收入。",
        "下次见到各位股东，我还有更多内容要交流。今天请允许我先道一声感谢：感谢每一位员工，明年的平台建设仍要靠大家。",
        "特此公告。",
        "谢谢大家！",
        "投资者应当关注公告，注意风险。",
        "平台须对内容承担审核责任。",
        "版权方须在三十日内提交声明。",
        "作者须注明引用的出处。",
        "各平台要畅通举报渠道，及时处理侵权内容，不得推诿。",
        "更多企业请求延期交付。",
        "我们更关注内容，而不是平台。",
        "你点击的每一个链接，都在变成别人的收入。",
        "客服告诉她，链接已经失效，请重新下载。",
        "微信公众号不再是我们的流量入口。",
        "加入交流群的会员超过五百人。",
        "感谢阅读本报告的各位同事。",
        "答：谢谢您的关注，请以公司公告为准。",
    ],
)
def test_last_lines_that_report_stay(line):
    assert strip_wrapper([PROSE, MORE, LAST, line]).lines == [PROSE, MORE, LAST, line]


@pytest.mark.parametrize(
    "lines",
    [
        ["时间：2026年11月25日9:00", "地点：某市会议中心三楼", "网址：http://www.example.com/"],
        ["特此公告。", "联系人：王一鸣", "举报电话：010-00000000", "网址：http://www.example.com/"],
        ["时间：2026年11月25日上午9时至11时。"],
        ["更多内容请参见附件。"],
        ["报名请扫描海报上的二维码。"],
        ["免责条款不能免除保险公司的提示说明义务。"],
        ["重要内容提示：", LAST],
        ["要点", LAST],
        ["线索请联系市纪委监委，热线全天开通。"],
        ["本站为该线第三大站，日发送旅客五万人。"],
    ],
)
def test_what_notices_end_with_stays(lines):
    assert strip_wrapper([PROSE, MORE, LAST, *lines]).lines == [PROSE, MORE, LAST, *lines]


def test_lines_of_a_page_below_a_notice_go():
    below = ["发布时间：2026-11-19", "来源：某某网", "网址：www.example.com"]
    assert strip_wrapper([PROSE, MORE, "特此公告。", *below[:2]]).lines == [PROSE, MORE, "特此公告。"]
    assert strip_wrapper([PROSE, MORE, LAST, below[2]]).lines == [PROSE, MORE, LAST]


@pytest.mark.parametrize(
    ("heading", "below"),
    [
        ("风险提示", ["股市有风险，入市需谨慎。"]),
        ("五、风险提示", ["本文不构成投资建议，据此操作风险自担。"]),
        ("報告信息", ["（本文仅供交流，所提及的基金不构成推荐）"]),
        ("联系方式", ["请添加微信：example2026"]),
    ],
)
def test_a_heading_goes_with_the_statement_below_it(heading, below):
    assert strip_wrapper([PROSE, MORE, LAST, heading, *below]).lines == [PROSE, MORE, LAST]
    assert strip_wrapper([PROSE, MORE, heading, LAST]).lines == [PROSE, MORE, heading, LAST]


@pytest.mark.parametrize("last", ["特此声明", "公司简介", "风险提示不足"])
def test_a_last_line_that_is_no_heading_of_statements_stays(last):
    assert strip_wrapper([PROSE, MORE, LAST, last]).lines[-1] == last


def test_the_first_heading_of_a_digest_is_one_of_its_headings():
    # The judge takes both for slogans, and is less sure of the first.
    first, slogan = "多措并举 各地秋粮收购加快推进", "关注我们 一起读懂财经大事小情"
    headings = ["某省港口吞吐量创下新高", "某市试点房屋养老金", "两部门部署秋粮收购"]
    digest = [line for heading in headings for line in (heading, f"{heading}：{PROSE}", f"{heading}：{MORE}")]
    assert strip_wrapper([first, LAST, *digest]).lines == [first, LAST, *digest]
    assert strip_wrapper([slogan, LAST, *digest]).lines == [LAST, *digest]


def test_the_name_of_the_site_signs_a_text():
    stripped = strip_wrapper([PROSE, MORE, LAST, "某财网"], site_names=["某财网"])
    assert stripped.lines == [PROSE, MORE, LAST]
    assert stripped.fields["medium"] == "某财网"
    assert strip_wrapper([PROSE, MORE, LAST, "物联网"], site_names=["某财网"]).lines[-1] == "物联网"


@pytest.mark.parametrize("end", [["某某证监局", "2026年11月19日"], ["某某证监局"]])
def test_who_issues_a_notice_signs_it_on_his_own_site(end):
    notice = [PROSE, MORE, "特此公告。", *end]
    assert strip_wrapper(notice, site_names=["某某证监局"]).lines == notice
    below = strip_wrapper([*notice[:3], "2026年11月19日", "某财网"], site_names=["某财网"])
    assert below.lines[-1] == "2026年11月19日"


def test_reporters_of_all_ranks_wrote_it_and_helpers_did_not():
    assert strip_wrapper(["本报记者 王一鸣 见习记者 李昂", PROSE, MORE]).fields["author"] == "王一鸣 李昂"
    assert strip_wrapper(["本报记者 王一鸣 通讯员 李昂", PROSE, MORE]).fields["author"] == "王一鸣"
    assert strip_wrapper([f"某某报讯（记者 王一鸣 实习记者 李昂）{PROSE}", MORE]).fields["author"] == "王一鸣 李昂"
    assert strip_wrapper([f"某某报讯（通讯员 李昂 记者 王一鸣）{PROSE}", MORE]).fields["author"] == "王一鸣"
    assert label_values("作者：某某日报记者 王一鳴 见习记者 李昂") == {"author": "王一鳴 李昂"}


def test_one_table_serves_both_scripts():
    stripped = strip_wrapper([PROSE, MORE, "（責任編輯 余淩雲）", "未經授權，不得轉載。"])
    assert stripped.lines == [PROSE, MORE]
    assert stripped.fields["chief"] == "余淩雲"


def test_a_body_is_never_emptied():
    lines = ["市场有风险，投资需谨慎。", "责任编辑：李昂"]
    assert strip_wrapper(lines).lines == lines


def test_patterns_of_the_source_go_first():
    drop, keep = [re.compile("每日一句：.*")], [re.compile("^责任编辑：")]
    stripped = strip_wrapper([PROSE, "每日一句：开卷有益", "责任编辑：李昂"], drop_lines=drop, keep_lines=keep)
    assert stripped.lines == [PROSE, "责任编辑：李昂"]
    assert stripped.removed == [("source.drop_lines", "每日一句：开卷有益")]


LINES = st.lists(
    st.text(alphabet="来源作者编辑：。，（）某报王一鸣责任相关阅读 0123年月日", min_size=1, max_size=60), max_size=30
)


# No deadline: under load an example may take any time.
@given(LINES)
def test_lines_keep_their_order_and_something_stays(lines):
    stripped = strip_wrapper(lines)
    assert bool(stripped.lines) == bool(lines)
    rest = iter(lines)
    assert all(any(line.startswith(kept) for line in rest) for kept in stripped.lines)


@given(st.text(max_size=200))
def test_folding_the_script_keeps_places(line):
    assert len(simplified(line)) == len(line)


@pytest.mark.parametrize("line", ["作者：徐远舟（公众号：某某看盘）", "文 / 徐远舟（微信公众號：某某看盘）"])
def test_the_account_behind_an_author_is_the_publisher(line):
    stripped = strip_wrapper([line, PROSE, MORE, LAST])
    assert (stripped.lines, stripped.fields) == ([PROSE, MORE, LAST], {"author": "徐远舟", "publisher": "某某看盘"})

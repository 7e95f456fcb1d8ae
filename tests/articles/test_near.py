from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.fingerprint import Signature, fingerprints, records
from articles.near import DIFFERENT, cluster, compare, figure_masks, figures_may_agree, relations, script_twins
from benchmarks.dedup import invented_pairs, labelled_pairs
from benchmarks.dedup_templates import pairs as invent

BODY = (
    "4月18日晚间，远山股份披露一季报：营业收入35.61亿元，同比增长8.3%；净利润4.02亿元，同比增长12.5%；经营现金流净额2.77亿元。\n"
    "公司表示，增长主要来自海外订单，其中东南亚市场收入11.9亿元，占比33.4%。第二条生产线将于5月20日投产，届时月产能由4200吨提高到5600吨。\n"
    "此前有三家机构上调盈利预测，最高目标价46.8元。截至当日收盘，股价报38.15元，市值412亿元。"
)
COMMENT = (
    "与过去几轮周期不同，这一次企业并不急于补充库存。供应链负责人普遍认为，需求的恢复还不牢固，贸然扩产只会压低价格。\n"
    "更值得注意的是融资端的变化：长期资金开始青睐现金流稳定的公司，而不再追逐规模。治理结构的改善，也许比利润更早反映在估值里。\n"
    "当然，分歧依然存在。乐观者看到政策托底，谨慎者看到消费意愿低迷。两种判断都有道理，区别只在于各自眼里的时间有多长。"
)


def relation(a: tuple[str, str], b: tuple[str, str]):
    there, back = compare(Signature.of(*a), Signature.of(*b)), compare(Signature.of(*b), Signature.of(*a))
    assert there == back
    return there


def test_an_equal_text_under_another_title_is_the_same():
    found = relation(
        ("远山股份一季度净利增长", BODY), ("海外订单拉动业绩", BODY.replace("，", "\u3000,").replace("\n", ""))
    )
    assert (found.kind, found.similarity, found.why) == ("same", 1.0, "equal text")
    assert found.duplicate


@pytest.mark.parametrize(
    "copy",
    [
        "来源：晨星财经 记者 周若水\n" + BODY + "\n（责任编辑：陈婷）",
        BODY.rpartition("\n")[0],
        BODY.partition("\n")[2],
        BODY.replace("披露", "发布").replace("表示", "称").replace("主要来自", "得益于"),
    ],
    ids=["lines added", "tail cut", "first paragraph cut", "reworded"],
)
def test_an_edited_copy_is_a_duplicate(copy):
    assert relation(("远山股份一季度净利增长", BODY), ("远山股份业绩公布", copy)).duplicate


@pytest.mark.parametrize("copy", [COMMENT.rpartition("\n")[0], COMMENT.replace("当然，", "")], ids=["cut", "reworded"])
def test_a_copy_without_figures(copy):
    assert relation(("库存与估值", COMMENT), ("谁在等待复苏", copy)).duplicate


def test_twins_in_two_scripts():
    found = relation(("汇率风险", "汇率风险与信用扩张" * 6), ("匯率風險", "匯率風險與信用擴張" * 6))
    assert (found.kind, found.similarity) == ("same", 1.0)
    assert script_twins("zh-Hans", "zh-Hant")
    assert not script_twins("zh-Hant", "zh-Hant")
    assert not script_twins("zh-Hans", "en")


def test_a_report_with_other_figures_is_another():
    other = BODY.translate(str.maketrans("35678", "46785"))
    found = relation(("远山股份披露季报", BODY), ("远山股份披露季报", other))
    assert (found.kind, found.why) == ("different", "figures differ")
    assert found.containment > 0.6


def test_a_flash_with_one_other_figure_is_another():
    flash = "人民银行今日以固定利率开展7天期逆回购操作，规模为2300亿元，中标利率维持不变，当日无逆回购到期。"
    found = relation(("逆回购", flash), ("逆回购", flash.replace("2300", "2100")))
    assert (found.kind, found.why) == ("different", "figures differ")


def test_decimals_are_figures():
    flash = "交易中心公布，今日人民币对美元中间价报{}元，较上一交易日有所调整，市场供求基本平衡，波动处于合理区间。"
    assert not relation(("中间价", flash.format("7.129")), ("中间价", flash.format("71.29"))).duplicate


def test_ordinals_are_figures():
    text = "各位投资者：本公司第{}次临时股东会将以现场与网络投票相结合的方式召开，请按公告所列方式办理登记手续。"
    assert not relation(("会议通知", text.format("一")), ("会议通知", text.format("三"))).duplicate


def test_titles_for_other_periods_keep_like_texts_apart():
    text = COMMENT + "本期数据详见附表。"
    found = relation(("3月份运行情况", text), ("4月份运行情况", text + "编者注。"))
    assert (found.kind, found.why) == ("different", "titles name other periods")
    assert relation(("3月份运行情况", text), ("三月份运行情况", text + "编者注。")).duplicate


def test_an_empty_form_under_titles_for_other_periods_is_no_copy():
    form = "今日公开市场不开展逆回购操作，具体情况请查阅公告原文以及附件所列的各项说明材料，特此公告，请周知。"
    assert not relation(("5月6日公开市场公告", form), ("5月7日公开市场公告", form)).duplicate


@pytest.mark.parametrize("text", ["", "图解", "详见附件"])
def test_next_to_no_text_is_no_evidence(text):
    assert not relation(("上半年回顾", text), ("货币政策报告", text)).duplicate


def test_short_texts_must_be_equal():
    short = "证监会：今日核发两家企业的发行批文。"
    assert relation(("核发批文", short), ("两家企业获批", short)).kind == "same"
    assert relation(("核发批文", short), ("核发批文", short + "特此公告。")).kind == "different"


def test_an_item_of_a_digest_is_contained():
    digest = "\n".join([COMMENT, BODY, COMMENT[::-1], BODY[::-1].replace("3", "9")])
    found = relation(("远山股份一季度净利增长", BODY), ("四条重要消息", digest))
    assert (found.kind, found.duplicate) == ("contained", False)


def test_round_ups_with_one_other_item_are_two():
    firms = ("甲木科技", "乙水电子", "丙火医药", "丁土材料", "戊金能源", "己光软件")
    items = [
        f"{at}、{firm}公告，签订合同{at}7.{at}亿元，项目预计于明年下半年建成投产，届时产能将有较大提升。"
        for at, firm in enumerate(firms, 1)
    ]
    other = [*items[:3], "4、财政部门表示将适度提高专项债的发行节奏，支持各地重大项目在年内开工建设。", *items[4:]]
    for title in ("上市公司公告要闻速览", "七点财经"):
        found = relation((title, "\n".join(items)), (title, "\n".join(other)))
        assert (found.kind, found.why) == ("different", "editions of one column")


def test_a_list_without_a_word_for_it_and_one_other_item_is_another():
    title = "交易员今天都在看些什么"
    items = [f"{at}、{line}" for at, line in enumerate(f"{BODY}\n{COMMENT}".split("\n"), 1)]
    news = "4、某市拟拿出35.2亿元补贴置换，涉及11.4万户，另有3家企业获得2.6亿元授信，利率下调0.15个百分点。"
    other = [*items[:3], news, *items[4:]]
    found = relation((title, "\n".join(items)), (title, "\n".join(other)))
    assert (found.kind, found.why) == ("different", "one title, and an item of their own each")
    # What is added, cut, or reworded is no other item.
    reworded = [line.replace("企业", "公司").replace("此前", "日前") for line in items]
    for edited in ([*items, "（编辑：陈婷 热线：021-5550 1234）"], items[:-1], reworded):
        assert relation((title, "\n".join(items)), (title, "\n".join(edited))).duplicate


def test_short_reports_that_differ_in_a_name_are_two():
    report = "远山股份董事会收到{}的辞职报告，因个人原因辞去副总经理职务，辞职后不再担任公司任何职务。"
    assert not relation(
        ("远山股份高管变动", report.format("沈一凡")), ("远山股份高管变动", report.format("周若水"))
    ).duplicate


def test_short_texts_with_one_closing_formula_are_two():
    formula = (
        "\n本栏目内容仅供参考，不构成任何投资建议，读者据此操作，风险自行承担。\n"
        "如对内容有疑问，请在工作日与本栏目编辑联系，我们将在核实之后答复。"
    )
    one = "上游企业着手整顿渠道建设，节奏或将早于预期。"
    other = "多家机构谨慎看待分红比例，分歧正在扩大。"
    found = relation(("渠道整顿将近", one + formula * 2), ("分红多少合适", other + formula * 2))
    assert found.kind == "different"
    assert found.containment > 0.7
    copy = one + formula * 2 + "\n（责任编辑：陈婷）"
    assert relation(("渠道整顿将近", one + formula * 2), ("上游着手整顿", copy)).duplicate


def test_boilerplate_without_the_figures_is_no_copy():
    notice = (
        "公司将按照相关规定及时履行信息披露义务，敬请广大投资者理性决策，注意投资风险。本次计划的实施存在不确定性。"
    )
    report = "股东拟减持1200万股，占3.5%，区间为4月1日至9月30日，均价18.66元，此前持股2.4亿股，占比61.2%。" + notice
    assert not relation(("减持计划公告", report), ("风险提示公告", notice)).duplicate


def test_many_pairs_are_judged_as_one_by_one():
    documents = [("甲", BODY), ("乙", COMMENT), ("丙", BODY.partition("\n")[2]), ("丁", "图解"), ("甲", BODY)]
    signed = records(fingerprints(documents))
    a, b = np.divmod(np.arange(len(signed) ** 2), len(signed))
    judged = relations(signed[a], signed[b])
    assert len(judged) == 25
    for at in range(25):
        assert judged[at] == compare(Signature(signed[a[at]]), Signature(signed[b[at]]))


def test_the_filter_of_figures_drops_no_pair_that_is_related():
    random, figures = Random(1), [f"{at}.{at * 7 % 10}亿元" for at in range(100, 160)]
    texts = []
    for _ in range(120):
        count = random.randint(0, 50)
        texts.append(COMMENT[:60] + "，同比增长".join(random.sample(figures[: random.randint(count, 60)], count)))
    signed = records(fingerprints([("", text) for text in texts]))
    a, b = np.divmod(np.arange(len(signed) ** 2), len(signed))
    related = relations(signed[a], signed[b]).kind != DIFFERENT
    masks = figure_masks(signed)
    may_agree = figures_may_agree(masks[a], masks[b])
    assert 0 < related.sum() < related.size
    assert may_agree[related].all()
    assert not may_agree.all()


def test_no_pairs():
    signed = records(fingerprints([("", BODY)]))[:0]
    assert len(relations(signed, signed)) == 0


# ---------------------------------------------------------------- quality, floors that no change may lower


@pytest.mark.corpus
def test_labelled_pairs(corpus_dir):
    figures = labelled_pairs(corpus_dir / "pairs")
    assert figures["labelled precision"] >= 0.99
    assert figures["labelled recall"] >= 0.95


def test_invented_pairs():
    assert invented_pairs(invent(40))["invented f1"] >= 0.985


# ---------------------------------------------------------------- clusters

NODES = range(8)
LINKS = st.sets(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(lambda link: link[0] < link[1]))


@given(LINKS, LINKS, st.permutations(NODES), st.randoms(use_true_random=False))
def test_clusters_are_a_function_of_the_set(near, certain, published, random: Random):
    ages = {node: (published[node],) for node in NODES}
    shuffled = [[link[:: random.choice((1, -1))] for link in links] for links in (near, certain)]
    for links in shuffled:
        random.shuffle(links)
    order = random.sample(NODES, len(NODES))
    assert cluster({node: ages[node] for node in order}, *shuffled) == cluster(ages, near, certain)


@given(LINKS, st.permutations(NODES))
def test_every_duplicate_is_linked_to_an_earlier_first(links, published):
    ages = {node: (published[node],) for node in NODES}
    firsts = cluster(ages, links)
    for node, first in firsts.items():
        assert firsts[first] == first
        assert node == first or (ages[first] < ages[node] and tuple(sorted((node, first))) in links)


@given(LINKS, LINKS, st.permutations(NODES))
def test_what_is_certain_is_never_parted(near, certain, published):
    ages = {node: (published[node],) for node in NODES}
    firsts = cluster(ages, near, certain)
    assert all(firsts[one] == firsts[other] for one, other in certain)
    assert all(ages[first] <= ages[node] for node, first in firsts.items())


@given(LINKS, LINKS, st.permutations(NODES))
def test_components_can_be_clustered_one_at_a_time(near, certain, published):
    ages = {node: (published[node],) for node in NODES}
    together: dict[int, int] = {}
    for component in components(near | certain):
        inside = ([link for link in links if link[0] in component] for links in (near, certain))
        together |= cluster({node: ages[node] for node in component}, *inside)
    assert together == cluster(ages, near, certain)


def components(links):
    parts = [{node} for node in NODES]
    for one, other in links:
        a, b = (next(part for part in parts if node in part) for node in (one, other))
        if a is not b:
            parts.remove(b)
            a |= b
    return parts


def test_a_story_retold_does_not_become_a_copy_of_its_beginning():
    ages = {hour: (hour,) for hour in (9, 10, 11, 12)}
    assert cluster(ages, [(9, 10), (10, 11), (11, 12)]) == {9: 9, 10: 9, 11: 11, 12: 11}

"""Invented finance news for measuring deduplication: bulletins from templates, prose, digests, and edits of them.

Two bulletins of one template are different articles, however alike; an edit of a document is the same article. Every
word is made up here, every document follows from its seed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from random import Random
from typing import Final

from opencc import OpenCC


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents, whether they are one article, and the case they stand for."""

    a: Document
    b: Document
    one_article: bool
    case: str


# ---------------------------------------------------------------- words

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
GIVEN = ("明远", "思齐", "立", "晓岚", "建业", "若水", "志恒", "婷", "一凡", "海宁", "文昭", "振国")
FIRST = "恒泰鑫瑞华宏远盛嘉联信智海东"
SECOND = "源达科创隆辉泽邦元飞通汇能和"
TRADES = ("股份", "科技", "医药", "电子", "材料", "能源", "重工", "物流", "食品", "软件", "环保", "精密")
REGIONS = (
    "河北",
    "山西",
    "辽宁",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "四川",
)
CITIES = (
    "石家庄",
    "太原",
    "沈阳",
    "南京",
    "杭州",
    "合肥",
    "福州",
    "南昌",
    "济南",
    "郑州",
    "武汉",
    "长沙",
    "广州",
    "成都",
)
SECTORS = (
    "光伏",
    "白酒",
    "券商",
    "煤炭",
    "有色",
    "半导体",
    "军工",
    "医疗",
    "传媒",
    "航运",
    "钢铁",
    "化工",
    "农业",
    "汽车",
)
BROKERS = ("东湖证券", "长桥证券", "北辰证券", "远景证券", "海峡证券", "南岭证券", "中岳证券")
MOVES = ("上涨", "下跌", "回落", "走高")
SUBJECTS: tuple[str, ...] = (
    "监管部门",
    "多家机构",
    "市场人士",
    "上市公司",
    "地方政府",
    "出口企业",
    "商业银行",
    "基金经理",
    "产业资本",
    "居民部门",
)
SUBJECTS += (
    "分析师",
    "行业协会",
    "中小企业",
    "外资机构",
    "保险资金",
    "交易所",
    "投资者",
    "制造业企业",
    "平台公司",
    "供应商",
)
VERBS: tuple[str, ...] = (
    "加快推进",
    "重新评估",
    "明显放缓",
    "持续关注",
    "有序扩大",
    "谨慎看待",
    "主动压降",
    "逐步恢复",
    "大幅提高",
    "合理引导",
)
VERBS += (
    "积极布局",
    "适度控制",
    "公开质疑",
    "率先完成",
    "反复强调",
    "普遍下调",
    "着手整顿",
    "暂时搁置",
    "低估了",
    "重视起",
)
OBJECTS: tuple[str, ...] = (
    "库存周期",
    "融资成本",
    "产能利用率",
    "汇率风险",
    "信用扩张",
    "长期资金",
    "研发投入",
    "海外订单",
    "分红比例",
    "资产质量",
)
OBJECTS += (
    "定价机制",
    "减税效应",
    "期限结构",
    "渠道建设",
    "流动性缺口",
    "消费意愿",
    "供应链安全",
    "转型路径",
    "估值中枢",
    "治理结构",
)
LINKS = (
    "与此同时",
    "不过",
    "在此背景下",
    "从中长期看",
    "换言之",
    "值得注意的是",
    "业内普遍认为",
    "受此影响",
    "相比之下",
    "具体来看",
)
TAILS: tuple[str, ...] = (
    "这一变化短期内难以逆转",
    "效果仍有待观察",
    "节奏或将早于预期",
    "分歧正在扩大",
    "空间依然存在",
    "压力主要来自需求端",
)
TAILS += (
    "拐点尚未出现",
    "结构性机会值得把握",
    "各方态度并不一致",
    "后续政策是关键变量",
    "影响总体可控",
    "数据印证了这一判断",
)

# Of what articles go on about after their news: enough of them that six in a row are in one article only.
WORDS = re.findall(
    "..",
    "市场企业公司行业政策经济增长发展投资消费出口进口价格需求供给产业技术创新数据服务平台产品客户渠道品牌"
    "成本利润收入资金银行证券保险基金债券股票期货汇率利率信贷贷款存款财政税收预算支出补贴监管风险合规审计"
    "披露公告股东董事管理团队员工人才薪酬培训研发专利设备工厂生产产能库存物流仓储运输港口航线铁路公路机场"
    "城市乡村农业粮食蔬菜畜牧渔业能源电力煤炭石油天然光伏风电储能电池汽车芯片软件网络通信终端手机家电建材"
    "钢铁水泥化工医药医院药品疫苗教育学校文化旅游酒店餐饮零售电商直播广告媒体影视游戏体育环保减排气候水利"
    "土地住房地产租赁物业装修社区养老就业创业收购重组上市融资估值合同订单招标采购交付验收质量标准认证检测"
    "安全事故调查处罚诉讼仲裁法律条例规划方案试点改革开放合作协议谈判关税贸易海外国内全球亚洲欧洲美洲东部"
    "西部南方北方今年去年上月本周季度年末目前未来近期长期预计表示认为指出强调介绍透露显示提高降低扩大缩小"
    "加快放缓推动支持鼓励限制调整优化完善加强保持实现达到超过低于占据获得失去面临应对解决出现形成带来明显"
    "稳定快速持续逐步全面重点主要部分整体首次再度仍然已经正在可能必须能够由于因此同时此外其中以及对于关于"
    "通过根据",
)

# ---------------------------------------------------------------- bulletins

TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    # {company}, {code}, {year}, {month}, {day}, {region}, {city}, {person} are drawn once for a bulletin, the others
    # at every place. The first string is the title.
    "margin": (
        "{company}：{month}月{day}日融资净买入{amount}万元",
        "{year}年{month}月{day}日，{company}（{code}）获融资买入{amount}万元，融资偿还{amount}万元，融资净买入{amount}万元，"
        "融资余额{money}亿元，占流通市值的{percent}%。",
        "融券方面，当日融券卖出{count}股，融券偿还{count}股，融券余量{count}股，融券余额{amount}万元。",
        "综合来看，{company}两融余额较前一交易日{move}{percent}%，超过近一年{small}%分位水平，处于相对较高位置。",
    ),
    "close": (
        "收盘：沪指{move}{percent}% {sector}板块居前",
        "{month}月{day}日，三大指数收盘涨跌不一。截至收盘，沪指{move}{percent}%，报{index}点；深成指{move}{percent}%，报{index}点；"
        "创业板指{move}{percent}%，报{index}点。两市全天成交{amount}亿元，较前一交易日变动{count}亿元。",
        "盘面上，{sector}、{sector}、{sector}等板块涨幅居前，{sector}、{sector}等板块跌幅居前。全市场{count}只个股上涨，{small}只涨停。",
        "{broker}认为，指数短期仍以震荡为主，可关注{sector}与{sector}方向的轮动机会，注意控制仓位。",
    ),
    "repo": (
        "公开市场今日开展{amount}亿元7天期逆回购操作",
        "公告显示，为维护银行体系流动性合理充裕，{year}年{month}月{day}日以利率招标方式开展了{amount}亿元7天期逆回购操作，"
        "中标利率为{percent}%。当日有{amount}亿元逆回购到期，实现净投放{count}亿元。",
    ),
    "parity": (
        "人民币中间价报{rate}",
        "{year}年{month}月{day}日银行间外汇市场人民币汇率中间价为：1美元对人民币{rate}元，1欧元对人民币{rate}元，100日元对人民币{rate}元，"
        "1港元对人民币{rate}元，1英镑对人民币{rate}元，1瑞士法郎对人民币{rate}元。",
    ),
    "materials": (
        "{year}年{month}月{third}旬重要生产资料价格变动情况",
        "监测显示，{year}年{month}月{third}旬与上期相比，{small}种产品价格上涨，{small}种下降，{small}种持平。",
        "其中，螺纹钢每吨{price}元，{move}{percent}%；电解铜每吨{price}元，{move}{percent}%；铝锭每吨{price}元，{move}{percent}%；"
        "硫酸每吨{price}元，{move}{percent}%；生猪每千克{money}元，{move}{percent}%；焦煤每吨{price}元，{move}{percent}%。",
    ),
    "prices": (
        "{year}年{month}月份居民消费价格同比{move}{percent}%",
        "{month}月份，居民消费价格同比{move}{percent}%。其中，城市{move}{percent}%，农村{move}{percent}%；食品价格{move}{percent}%，"
        "非食品价格{move}{percent}%；消费品价格{move}{percent}%，服务价格{move}{percent}%。",
        "{month}月份，居民消费价格环比{move}{percent}%。其中，鲜菜价格{move}{percent}%，影响指数约{percent}个百分点；"
        "畜肉类价格{move}{percent}%，影响指数约{percent}个百分点。",
    ),
    "reduction": (
        "{company}：股东{person}拟减持不超过{percent}%股份",
        "{company}（{code}）{month}月{day}日晚间公告，持股{percent}%的股东{person}计划在十五个交易日后的六个月内，"
        "以集中竞价、大宗交易方式减持不超过{count}股，占总股本的{percent}%。减持原因为自身资金需求。",
        "本次减持计划的实施具有不确定性，股东将根据市场情况、股价情况等情形决定是否实施。公司将按照相关规定及时履行信息披露义务。",
    ),
    "buyback": (
        "{company}关于回购股份进展的公告",
        "{company}（{code}）于{year}年{month}月{day}日披露，截至上月末，公司以集中竞价交易方式累计回购股份{count}股，"
        "占总股本的{percent}%，最高成交价{money}元，最低成交价{money}元，成交总金额{amount}万元，不含交易费用。",
        "本次回购符合相关法律法规的规定及公司既定的回购方案。公司后续将根据市场情况在回购期限内继续实施，"
        "并依据有关规定及时披露进展，敬请广大投资者注意投资风险。",
    ),
    "meeting": (
        "{company}{year}年第{ordinal}次临时股东大会决议公告",
        "本公司及董事会全体成员保证信息披露的内容真实、准确、完整，没有虚假记载、误导性陈述或重大遗漏。",
        "现场会议于{year}年{month}月{day}日在公司会议室召开，由董事长{person}主持。出席会议的股东共{small}人，代表股份{count}股，"
        "占有表决权股份总数的{percent}%。",
        "表决情况：同意{count}股，占出席会议有表决权股份的{percent}%；反对{count}股，占{percent}%；弃权{count}股，占{percent}%。",
        "见证律师认为，本次会议的召集和召开程序、出席人员资格及表决程序、表决结果合法有效。",
    ),
    "forecast": (
        "{company}：预计{year}年净利润同比增长{small}%",
        "{company}（{code}）{month}月{day}日发布业绩预告，预计{year}年归属于上市公司股东的净利润为{amount}万元至{amount}万元，"
        "同比增长{small}%至{count}%；扣除非经常性损益后为{amount}万元至{amount}万元。",
        "变动的主要原因是：报告期内主营业务稳步增长，产品结构持续优化，{sector}业务收入提升较快，同时加强费用管控，盈利能力增强。",
    ),
    "region": (
        "{region}：前{month}个月外贸进出口增长{percent}%",
        "据当地统计，今年前{month}个月，{region}外贸进出口总值{amount}亿元，同比增长{percent}%。其中，出口{amount}亿元，增长{percent}%；"
        "进口{amount}亿元，{move}{percent}%。",
        "从主体看，民营企业进出口{amount}亿元，占全省总值的{percent}%；外商投资企业进出口{amount}亿元，{move}{percent}%。",
        "当地有关负责人表示，下一步将围绕稳规模、优结构，推动跨境电商、市场采购等新业态发展，支持企业开拓多元化市场，"
        "提升{city}等口岸的通关便利化水平，完善服务保障机制。",
    ),
    "penalty": (
        "某银行{city}分行被罚{small}万元",
        "行政处罚信息公开表显示，某银行{city}分行因贷款资金被挪用、贷后管理不到位，被处以罚款{small}万元。时任该分行副行长{person}"
        "对上述违法违规行为负有责任，被给予警告。作出处罚决定的日期为{year}年{month}月{day}日，文号为第{small}号。",
    ),
    "oil": (
        "国际油价{month}月{day}日{move}",
        "{month}月{day}日，国际油价{move}。截至收盘，近月交货的轻质原油期货价格{move}{money}美元，收于每桶{money}美元，幅度为{percent}%；"
        "近月交货的布伦特原油期货价格{move}{money}美元，收于每桶{money}美元，幅度为{percent}%。",
    ),
    "fund": (
        "ETF资金流向：{sector}主题净流入居首",
        "{year}年{month}月{day}日，两市ETF合计成交{amount}亿元，股票型产品净流入{money}亿元。其中，{sector}主题净流入{money}亿元居首，"
        "{sector}、{sector}主题分别净流入{money}亿元和{money}亿元，{sector}主题净流出{money}亿元，规模降至{amount}亿元。",
    ),
    "bond": (
        "{year}年记账式国债（{ordinal}期）完成招标",
        "{year}年记账式附息（{ordinal}期）国债已完成招标工作。本期国债期限{small}年，计划发行{amount}亿元，实际发行面值{amount}亿元，"
        "票面利率为{percent}%，{month}月{day}日开始计息，招标结束后进行分销，投标倍数{percent}倍，边际倍数{percent}倍。",
    ),
    "board": (
        "龙虎榜：{company}{move}{percent}% 机构净买入{amount}万元",
        "{year}年{month}月{day}日，{company}（{code}）收盘{move}{percent}%，报{money}元，换手率{percent}%，振幅{percent}%，成交额{money}亿元。"
        "机构席位净买入{amount}万元，北向席位净卖出{amount}万元，前五大买入席位合计买入{amount}万元。",
        "近半年该股累计上榜{small}次，上榜次日股价平均变动{percent}%，上榜后五日平均变动{percent}%。",
    ),
    "housing": (
        "{month}月份{small}城新房价格环比上涨",
        "{year}年{month}月份，70个大中城市中，新建住宅销售价格环比上涨的有{small}个，下降的有{small}个。一线城市新建住宅价格环比{move}{percent}%，"
        "同比{move}{percent}%；二线城市环比{move}{percent}%，同比{move}{percent}%；三线城市环比{move}{percent}%，同比{move}{percent}%。",
    ),
    "weather": (
        "{region}发布暴雨{ordinal}号预警",
        "{region}气象部门{month}月{day}日发布预警：预计未来24小时，{city}及周边地区有大到暴雨，累计雨量可达{small}毫米，"
        "局地最大小时雨量{small}毫米，并伴有7级以上阵风。请有关单位做好防范，注意低洼路段积水和山洪地质灾害。",
    ),
}

FLASHES: Final = (
    # Items of digests; the part before the colon serves as the item's title.
    "{company}获{small}亿元订单：{company}（{code}）公告，与客户签订销售合同，金额{money}亿元，预计对{year}年业绩产生积极影响。",
    "{sector}板块获资金关注：{broker}统计显示，近{small}个交易日{sector}板块净流入{money}亿元，居各行业第{ordinal}位。",
    "{city}出台新规：{city}有关部门印发通知，自{month}月{day}日起调整公积金贷款政策，最高额度提高到{small}万元。",
    "{company}拟分红：{company}披露分配预案，拟每10股派发现金{percent}元，合计派发{amount}万元，股权登记日另行公告。",
    "{region}发行专项债：{region}完成{amount}亿元专项债券发行，期限{small}年，中标利率{percent}%，资金投向交通与水利。",
    "{company}高管变动：{company}董事会收到{person}的辞职报告，因个人原因辞去副总经理职务，辞职后不再担任任何职务。",
    "{broker}下调评级：{broker}将{company}评级下调至中性，目标价{money}元，理由是{sector}需求恢复慢于预期。",
    "{sector}价格走势：上周{sector}产品均价{price}元每吨，环比{move}{percent}%，库存{count}吨，开工率{percent}%。",
)

# Documents are no shorter than their templates make them: with these the mean is 1,090 characters, half have less than
# 760, a tenth more than 2,200. Texts that people have marked on news sites: 1,125, 750, 3,100.
MEDIAN_CHARS, SPREAD = 580, 1.03
LEAST_CHARS = 20
"""Half a sentence; less is not added."""

COLUMNS: tuple[str, ...] = ("要闻速览", "财经早餐", "盘前必读要闻", "公告汇总", "晚间消息一览", "七点财经", "市场风向")
# Long enough for a headline, and no word in them says what they are.
COLUMNS += ("交易员今天都在看些什么", "本周不可错过的财经新闻")

SLOT = re.compile(r"\{(\w+)\}")
ONCE = ("company", "code", "year", "month", "day", "region", "city", "person", "third")


def bulletin(seed: int, template: str | None = None, fixed: Mapping[str, str] | None = None) -> Document:
    """One report of a template. `fixed` keeps names or days while all figures are drawn anew."""
    random = Random(seed)
    name = template or random.choice(sorted(TEMPLATES))
    title, *paragraphs = _fill(random, TEMPLATES[name], fixed or {})
    return Document(title, tuple(paragraphs))


def names_of(seed: int) -> dict[str, str]:
    """What a bulletin names once, to be kept or changed from one report to the next."""
    random = Random(f"names {seed}")
    return {slot: _draw(random, slot) for slot in ONCE}


def prose(seed: int, paragraphs: int | None = None) -> Document:
    """A commentary: sentences of its own, few figures."""
    random = Random(f"prose {seed}")
    count = paragraphs or random.randint(3, 9)
    return Document(
        f"{random.choice(SUBJECTS)}{random.choice(VERBS)}{random.choice(OBJECTS)}，{random.choice(TAILS)}",
        tuple("".join(_sentence(random) for _ in range(random.randint(3, 6))) for _ in range(count)),
    )


def flash(seed: int) -> Document:
    random = Random(f"flash {seed}")
    (filled,) = _fill(random, (random.choice(FLASHES),), {})
    title, _, body = filled.partition("：")
    return Document(title, (f"【{title}】{body}",))


def digest(seeds: Sequence[int], title: str) -> Document:
    """A round-up of flashes, numbered."""
    items = [flash(seed) for seed in seeds]
    return Document(title, tuple(f"{at}、{item.text}" for at, item in enumerate(items, 1)))


def _fill(random: Random, strings: Sequence[str], fixed: Mapping[str, str]) -> list[str]:
    once = {slot: _draw(random, slot) for slot in ONCE} | dict(fixed)
    return [SLOT.sub(lambda slot: once.get(slot[1]) or _draw(random, slot[1]), string) for string in strings]


def _draw(random: Random, slot: str) -> str:
    return DRAWS[slot](random)


def _sentence(random: Random) -> str:
    head = f"{random.choice(SUBJECTS)}{random.choice(VERBS)}{random.choice(OBJECTS)}"
    form = random.randrange(4)
    if form == 0:
        return f"{random.choice(LINKS)}，{head}，{random.choice(TAILS)}。"
    if form == 1:
        return f"{head}，而{random.choice(SUBJECTS)}{random.choice(VERBS)}{random.choice(OBJECTS)}。"
    if form == 2:
        change = f"{random.choice(OBJECTS)}变动约{random.uniform(1, 40):.1f}%"
        return f"{random.choice(BROKERS)}测算，{change}，{random.choice(TAILS)}。"
    return f"{random.choice(LINKS)}，{random.choice(OBJECTS)}与{random.choice(OBJECTS)}同步变化，{head}。"


DRAWS: Final[Mapping[str, Callable[[Random], str]]] = {
    "company": lambda r: r.choice(FIRST) + r.choice(SECOND) + r.choice(TRADES),
    "code": lambda r: f"{r.choice(('600', '603', '000', '002', '300', '688'))}{r.randrange(1000):03d}",
    "year": lambda r: str(r.randint(2019, 2025)),
    "month": lambda r: str(r.randint(1, 12)),
    "day": lambda r: str(r.randint(1, 28)),
    "region": lambda r: r.choice(REGIONS),
    "city": lambda r: r.choice(CITIES),
    "person": lambda r: r.choice(SURNAMES) + r.choice(GIVEN),
    "third": lambda r: r.choice("上中下"),
    "ordinal": lambda r: r.choice("一二三四五六七八九"),
    "sector": lambda r: r.choice(SECTORS),
    "broker": lambda r: r.choice(BROKERS),
    "move": lambda r: r.choice(MOVES),
    "percent": lambda r: f"{r.uniform(0.01, 9.9):.2f}",
    "money": lambda r: f"{r.uniform(1, 99):.2f}",
    "amount": lambda r: f"{r.uniform(100, 9999):.2f}",
    "price": lambda r: f"{r.uniform(1000, 70000):.1f}",
    "index": lambda r: f"{r.uniform(1800, 12000):.2f}",
    "rate": lambda r: f"{r.uniform(0.8, 9.5):.4f}",
    "count": lambda r: str(r.randint(1000, 9_999_999)),
    "small": lambda r: str(r.randint(2, 99)),
}

# ---------------------------------------------------------------- edits: still the same article

SYNONYMS = {
    "上涨": "走强",
    "下跌": "走低",
    "不过": "但是",
    "与此同时": "同时",
    "认为": "表示",
    "显示": "表明",
    "持续": "不断",
}
LEADS = ("来源：晨星财经", "本报记者 沈一凡 发自上海", "原标题：编者按", "财联报9日讯 记者 周若水")
FOOTERS = (
    "（责任编辑：陈婷）",
    "免责声明：本文仅代表作者个人观点，与本站无关，其原创性以及文中陈述内容未经证实，请读者仅作参考并自行核实。",
    "更多精彩内容请关注公众号，扫描二维码获取每日资讯。",
    "风险提示：股市有风险，投资需谨慎，以上内容不构成任何投资建议。",
)
WIDE = str.maketrans(
    {chr(code): chr(code + 0xFEE0) for code in range(0x30, 0x3A)} | {"%": "％", "。": ". ", "，": ", "}
)
TRADITIONAL = OpenCC("s2t")


def retitle(random: Random, document: Document) -> Document:
    return replace(document, title=f"{random.choice(SUBJECTS)}：{random.choice(OBJECTS)}迎来变化")


def add_source_lines(random: Random, document: Document) -> Document:
    footers = random.sample(FOOTERS, random.randint(1, 2))
    return replace(document, paragraphs=(random.choice(LEADS), *document.paragraphs, *footers))


def cut_tail(random: Random, document: Document) -> Document:
    return _cut(document, random.uniform(0.5, 0.8), keep_end=False)


def cut_first(_: Random, document: Document) -> Document:
    return _cut(document, max(0.5, 1 - len(document.paragraphs[0]) / len(document.text)), keep_end=True)


def _cut(document: Document, share: float, *, keep_end: bool) -> Document:
    """Keep whole sentences, a share of the text at least. Half, as a rule: what is left of a bulletin after a deeper
    cut may be its closing formula, of which nobody can say where it was copied from."""
    sentences = re.findall(r"[^。\n]*[。\n]+|[^。\n]+$", document.text)[:: -1 if keep_end else 1]
    kept = next(n for n in range(len(sentences) + 1) if len("".join(sentences[:n])) >= share * len(document.text))
    text = "".join(sentences[:kept][:: -1 if keep_end else 1])
    return replace(document, paragraphs=tuple(text.strip().split("\n")))


def merge_paragraphs(_: Random, document: Document) -> Document:
    return replace(document, paragraphs=("　　" + " ".join(document.paragraphs),))


def traditional(_: Random, document: Document) -> Document:
    return Document(TRADITIONAL.convert(document.title), tuple(map(TRADITIONAL.convert, document.paragraphs)))


def widen(_: Random, document: Document) -> Document:
    return replace(document, paragraphs=tuple(paragraph.translate(WIDE) for paragraph in document.paragraphs))


def reword(_: Random, document: Document) -> Document:
    def lightly(paragraph: str) -> str:
        for old, new in SYNONYMS.items():
            paragraph = paragraph.replace(old, new, 1)
        return paragraph

    return replace(document, paragraphs=tuple(map(lightly, document.paragraphs)))


Edit = Callable[[Random, Document], Document]
EDITS: Final[Mapping[str, Edit]] = {
    "other title": retitle,
    "source lines added": add_source_lines,
    "tail cut": cut_tail,
    "first paragraph cut": cut_first,
    "paragraphs merged": merge_paragraphs,
    "traditional script": traditional,
    "full width": widen,
    "lightly reworded": reword,
    "title and source lines": lambda random, document: retitle(random, add_source_lines(random, document)),
    "cut and reworded": lambda random, document: reword(random, cut_tail(random, document)),
}

# ---------------------------------------------------------------- look-alikes: another article


def other_figures(seed: int) -> tuple[Document, Document]:
    """One template, company and day; all figures drawn again."""
    template, names = _template(seed), names_of(seed)
    return bulletin(seed, template, names), bulletin(seed + 1_000_000, template, names)


def serial(seed: int) -> tuple[Document, Document]:
    """The same bulletin of another day and month."""
    template, names = _template(seed), names_of(seed)
    later = names_of(seed + 1)
    return (
        bulletin(seed, template, names),
        bulletin(seed + 1_000_000, template, names | {slot: later[slot] for slot in ("year", "month", "day", "third")}),
    )


def regional(seed: int) -> tuple[Document, Document]:
    """The same release for another place or company on the same day."""
    template, names = _template(seed), names_of(seed)
    other = names_of(seed + 1)
    changed = {slot: other[slot] for slot in ("company", "code", "region", "city", "person")}
    return bulletin(seed, template, names), bulletin(seed + 1_000_000, template, names | changed)


def rolling(seed: int) -> tuple[Document, Document]:
    """A live report an hour later: its background stays, its figures move."""
    names, background = names_of(seed), prose(seed, 2).paragraphs
    early, late = (bulletin(seed + shift, "close", names) for shift in (0, 1_000_000))
    return (
        Document("开盘" + early.title, (*early.paragraphs, *background)),
        Document("午间" + late.title, (*late.paragraphs, *background)),
    )


def digest_of_another_item(seed: int) -> tuple[Document, Document]:
    """Two editions of a round-up: one of six to twelve items was replaced."""
    random = Random(f"digest {seed}")
    seeds = [random.randrange(1 << 30) for _ in range(random.randint(6, 12))]
    other = list(seeds)
    other[random.randrange(len(seeds))] = random.randrange(1 << 30)
    title = random.choice(COLUMNS)
    return digest(seeds, title), digest(other, title)


def item_in_digest(seed: int) -> tuple[Document, Document]:
    random = Random(f"item {seed}")
    seeds = [random.randrange(1 << 30) for _ in range(random.randint(6, 12))]
    return flash(random.choice(seeds)), digest(seeds, random.choice(COLUMNS))


def corrected_flash(seed: int) -> tuple[Document, Document]:
    """Two flashes that differ in one figure."""
    document = flash(seed)
    figures = list(re.finditer(r"\d+", document.text))
    if not figures:
        return document, flash(seed + 1_000_000)
    figure = Random(f"figure {seed}").choice(figures)
    text = f"{document.text[: figure.start()]}{int(figure[0]) + 7}{document.text[figure.end() :]}"
    return document, replace(document, paragraphs=(text,))


def other_prose(seed: int) -> tuple[Document, Document]:
    """Two commentaries with the same footers."""
    return tuple(replace(prose(s), paragraphs=(*prose(s).paragraphs, *FOOTERS)) for s in (seed, seed + 1_000_000))  # type: ignore[return-value]


def short_with_formula(seed: int) -> tuple[Document, Document]:
    """A sentence or two each, and closing formulas of twice that length which both have."""
    random = Random(f"formula {seed}")
    closing = random.sample(FOOTERS, random.randint(2, 4))
    said = ["".join(_sentence(random) for _ in range(random.randint(1, 2))) for _ in range(2)]
    one, other = (Document(text.partition("，")[0], (text, *closing)) for text in said)
    return one, other


LOOK_ALIKES: Final[Mapping[str, Callable[[int], tuple[Document, Document]]]] = {
    "other figures": other_figures,
    "serial bulletin": serial,
    "regional report": regional,
    "rolling broadcast": rolling,
    "digest, one item other": digest_of_another_item,
    "item in digest": item_in_digest,
    "flash, one figure other": corrected_flash,
    "prose, same footer": other_prose,
    "short, same formula": short_with_formula,
}


def document(seed: int) -> Document:
    """Any kind of article: half of them bulletins, a third prose, the rest flashes and digests."""
    random = Random(f"document {seed}")
    kind = random.random()
    if kind < 0.5:
        return bulletin(seed)
    if kind < 0.85:
        return prose(seed)
    if kind < 0.95:
        return flash(seed)
    return digest([random.randrange(1 << 30) for _ in range(random.randint(5, 12))], f"要闻速览第{seed}期")


def article(seed: int) -> Document:
    """A document as long as articles are: it goes on with background of its own until the text is."""
    random, made = Random(f"article {seed}"), document(seed)
    missing = random.lognormvariate(log(MEDIAN_CHARS), SPREAD) - len(made.text)
    paragraphs = list(made.paragraphs)
    while missing > LEAST_CHARS:
        paragraphs.append("")
        for _ in range(random.randint(2, 5)):
            if missing > LEAST_CHARS:
                paragraphs[-1] += (sentence := _background(random))
                missing -= len(sentence)
    return replace(made, paragraphs=tuple(paragraphs))


def pairs(count_per_case: int, seed: int = 0) -> list[Pair]:
    """So many of each edit (one article) and of each look-alike (two articles)."""
    made = []
    for case, edit in EDITS.items():
        for at in range(count_per_case):
            original = document(seed + at)
            edited = edit(Random(f"{case} {seed + at}"), original)
            made.append(Pair(original, edited, True, case))
    for case, look_alike in LOOK_ALIKES.items():
        made += [Pair(*look_alike(seed + at), False, case) for at in range(count_per_case)]
    return made


def _background(random: Random) -> str:
    words = random.choices(WORDS, k=random.randint(8, 22))
    if random.random() < 0.5:
        words[random.randrange(len(words))] += random.choice(("约{percent}%", "{small}家", "{money}亿元", "{year}年"))
    words[len(words) // 2] += "，"
    return SLOT.sub(lambda slot: _draw(random, slot[1]), "".join(words)) + "。"


def _template(seed: int) -> str:
    return sorted(TEMPLATES)[seed % len(TEMPLATES)]

"""Whole pages as the content systems and portals of Chinese sites lay them out, all read as an unknown site's.

The mark-up is true to what such pages have (names of classes, where bylines and tools stand), the texts are invented.
Each layout is here because a general rule was missing before it was tried.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from articles.extract import extract
from articles.records import Article, Page
from articles.source import UNKNOWN

TITLE = "某省电力公司前三季度售电量增长6.2%"
LINES = [
    "某省电力公司周五公布前三季度经营数据，售电量同比增长6.2%，其中工业用电增长5.1%，居民用电增长9.4%。",
    "公司表示，夏季高温持续时间较长是居民用电增长的主要原因，跨省购电比例上升到百分之二十一。",
    "分析师何某认为，随着新机组陆续投产，四季度供需形势将趋于宽松，电价下行压力仍然存在。",
]
ENGLISH = [
    "The provincial power company said on Friday that electricity sales rose 6.2 percent in three quarters.",
    "A long summer was the main reason for the rise in household use, the company said in a statement.",
]
TEASER = "另一家公司昨晚公告，重组方案获得股东大会通过，预计明年一季度完成交割，交易金额为三亿元。"
NAV = "<div class='header'><ul>" + "".join(f"<li><a href='/{n}/'>频道{n}</a></li>" for n in range(12)) + "</ul></div>"
LINKS = "".join(f"<li><a href='/n/{n}.html'>某公司宣布重大资产重组方案第{n}次获批</a></li>" for n in range(6))
FEWER_LINKS = "".join(f"<li><a href='/m/{n}.html'>某公司宣布重大资产重组方案第{n}次获批</a></li>" for n in range(5))
FOOTER = (
    "<div class='footer'><p><a href='/about'>关于我们</a> | <a href='/c'>联系我们</a></p>"
    "<p>Copyright © 2008-2026 某某网 版权所有，未经书面授权，不得转载。京ICP备00000000号</p></div>"
)
PARAGRAPHS = "".join(f"<p>　　{line}</p>" for line in LINES)
WITH_REST_OF_TAG = PARAGRAPHS.replace("公司表示", "公司pcms-style=&quot;font-L&quot;&gt;表示")


HEADLINE = f"<h1>{TITLE}</h1><div class='x2'>2026-11-20 15:42 来源：某某时报</div>"
LATER = [
    LINES[2],
    "从用电结构看，第二产业用电占比继续下降，第三产业和居民生活用电占比分别提高，数据中心与充电设施是主要增量，冷库也在增加。",
    "公司还披露，全年计划投资四百亿元，其中六成用于主网架和农网改造，其余用于配电自动化，年底前将有三条跨省通道投运。",
    "业内人士提醒，来水偏枯可能推高购电成本，若电煤价格同步上涨，四季度毛利率将承压，公司需要更多长协合同来平抑波动。",
]
COMMENT = """<div><b>用户{0}1234</b><div>电价肯定还要再涨，我看明年还有一波，大家等着看吧。</div>
<i>{0}小时前 回复</i></div>"""
ROWS = [
    "品种 昨收 今收 涨跌幅",
    "螺纹钢 3120 3150 0.96%",
    "热卷 3310 3325 0.45%",
    "铁矿石 801 795 -0.75%",
    "焦炭 1 2 1%",
]

TABLE = "".join(f"<tr><td>{'</td><td>'.join(row.split())}</td></tr>" for row in ROWS)


class Layout(NamedTuple):
    body: str
    title: str = TITLE
    head: str = ""
    time: str = "2026-11-20 15:42"
    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    lines: list[str] = LINES
    beside: str = TEASER


LAYOUTS = {
    "wechat": Layout(
        head=f"<meta property='og:title' content='{TITLE}'><meta property='og:site_name' content='微信公众平台'>",
        body=f"""<div id="page-content"><h1 class="rich_media_title" id="activity-name">{TITLE}</h1>
        <div id="meta_content" class="rich_media_meta_list"><span class="rich_media_meta_text">宋某</span>
        <span class="rich_media_meta_nickname" id="profileBt"><a id="js_name">电力观察</a></span>
        <em id="publish_time" class="rich_media_meta_text">2026年11月20日 15:42</em></div>
        <div class="rich_media_content" id="js_content" style="visibility: hidden"><section>
        <p>点击蓝字 关注我们</p></section>
        {"".join(f"<section><p><span>{line}</span></p></section>" for line in LINES)}
        <section><p>END</p><p>来源 | 某某电力报</p><p>编辑 | 周某</p><p>觉得有用，就点个“在看”吧</p></section>
        </div></div>
        <div id="js_pc_qr_code"><p>微信扫一扫<br>关注该公众号</p></div>""",
        publisher="某某电力报",
        editor="周某",
    ),
    "forum thread": Layout(
        body=f"""<div id="postlist"><h1 class="ts"><a id="thread_subject">{TITLE}</a></h1>
        <table><tr><td class="pls"><div class="authi"><a>电力老王</a></div></td><td class="plc">
        <div class="authi"><em id="authorposton1">发表于 2026-11-20 15:42</em> | <a>只看该作者</a></div>
        <table><tr><td class="t_f">{"<br>".join(LINES)}</td></tr></table></td></tr></table>"""
        + "".join(
            f"""<table><tr><td class="pls"><div class="authi">网友{n}</div></td><td class="plc"><div class="authi">
            <em>发表于 2026-11-20 1{n}:50</em></div><table><tr>
        <td class="t_f">说得对，电价还要再涨，等着看。</td></tr>
            </table></td></tr></table>"""
            for n in (6, 7, 8)
        )
        + "</div>",
    ),
    "posts of investors": Layout(
        body=f"""<article class="article__bd"><h1 class="article__bd__title">{TITLE}</h1>
        <div class="article__author"><a class="name">价值老宋</a><a class="time">发布于2026-11-20 15:42</a>
        <span class="source">来自雪球</span></div><div class="article__bd__detail">{PARAGRAPHS}</div>
        <div class="article__bd__from">本话题在雪球有37条讨论，<a>点击查看。</a></div>
        <div>风险提示：用户发表的所有文章
        仅代表个人观点，与雪球的立场无关。投资决策需建立在独立思考之上。</div></article>""",
        publisher="雪球",
        author="价值老宋",
    ),
    "posts and editors of one medium": Layout(
        body=f"""<div class="article-header"><h1>{TITLE}</h1></div><div class="article-info"><span class="author">
        <a>黄某</a></span><span class="date">2026/11/20 15:42</span><span>阅读 2.3w</span>
        <span>来源：某面新闻</span></div>
        <div class="article-content"><p>某面新闻记者 |</p><p>某面新闻编辑 | 许某</p>{PARAGRAPHS}</div>
        <div class="article-source"><p>未经正式授权严禁转载本文，侵权必究。</p></div>""",
        publisher="某面新闻",
        author="黄某",
        editor="许某",
    ),
    "promotion above the body": Layout(
        body=f"""<h1 class="main-title">{TITLE}</h1><div class="date-source">
        <span class="date">2026年11月20日 15:42</span>
        <a class="source">某某证券报</a></div><div class="article" id="artibody"><blockquote>
        <p>炒股就看<a>某某分析师研报</a>，
        权威，专业，及时，全面，助您挖掘潜力主题机会！</p></blockquote><p>　　本报记者 周某</p>{PARAGRAPHS}
        <p class="article-editor">责任编辑：马某</p></div>""",
        publisher="某某证券报",
        author="周某",
        editor="马某",
    ),
    "date in pieces above the headline": Layout(
        body=f"""<div class="header-time"><span class="year"><em>2026</em></span><span class="day">
        <em>11</em>/<em>20</em>
        </span><span class="time">15:42:07</span></div><div class="source">来源：某华网</div><h1>
        <span>{TITLE}</span></h1>
        <div id="detail"><span id="detailContent">{PARAGRAPHS}</span>
        <span class="editor">【责任编辑:李某】</span></div>""",
        time="2026-11-20 15:42:07",
        publisher="某华网",
        editor="李某",
    ),
    "date in lines below the headline": Layout(
        body=f"""<h1>{TITLE}</h1><div class="left-stick"><p class="year">2026</p><p class="md">11/20</p><p>15:42</p>
        <p>某某晚报</p><p>分享</p></div><div class="content-article">{PARAGRAPHS}</div>""",
    ),
    "reporter in a box": Layout(
        body=f"""<div class="articleBox"><h1>{TITLE}</h1><p class="info">某某晚报 <span>2026年11月20日 15:42</span>
        字号：放大+ 默认o 缩小-</p><p>□本报记者 孙某</p><founder-content>{PARAGRAPHS}</founder-content>
        <p>责任编辑：钱某</p></div>""",
        publisher="某某晚报",
        author="孙某",
        editor="钱某",
    ),
    "tools in brackets under a table": Layout(
        body=f"""<table><tr><td align="center"><font size="4">{TITLE}</font></td></tr><tr>
        <td align="center">2026-11-20 15:42
        &nbsp;作者：王某&nbsp;来源：某某参考报</td></tr><tr><td class="text">{"<br><br>".join(LINES)}</td></tr>
        <tr><td align="right">【<a>大</a> <a>中</a> <a>小</a>】【<a>打印</a>】【<a>关闭</a>】</td></tr></table>""",
        publisher="某某参考报",
        author="王某",
    ),
    "two media beside the day": Layout(
        body=f"""<div class="main"><p>{TITLE}</p><p>2026-11-20 某网-某江晨报</p><p>調整字體︰<a>大</a> <a>中</a></p>
        {PARAGRAPHS}<p>某港新聞也有Facebook專頁了，
        讓你隨時知道島內島外的新聞、股市與天氣，也可以轉給朋友看！
        現在就到Facebook為我們的專頁按讚！</p></div>""",
        time="2026-11-20",
        publisher="某网-某江晨报",
    ),
    "headline, time and medium in one line": Layout(
        body=f"""<div class="content-left"><span class="title" id="ctitle">{TITLE}</span>
        <span class="blue" id="cinfo">
        2026-11-20 15:42:07 &nbsp; 来源：<a>国某在线</a> &nbsp; 编辑：<a>马某</a> 打印本页</span><div id="ccontent">
        {PARAGRAPHS}</div></div>""",
        time="2026-11-20 15:42:07",
        publisher="国某在线",
        editor="马某",
    ),
    "reporter and editor behind circles": Layout(
        body=f"""<h1 class="title">{TITLE}</h1><div class="bullet"><span class="timer">2026-11-20 15:42</span>
        <span class="source">来源：<a>某海证券报</a></span><span class="author">作者：○记者 张某 ○编辑 林某
        </span></div>
        <div class="content" id="qmt_content_div">{PARAGRAPHS}</div>""",
        publisher="某海证券报",
        author="张某",
        editor="林某",
    ),
    "a survey before the signature": Layout(
        body=f"""<div id="artical"><h1 id="artical_topic">{TITLE}</h1><div id="artical_sth">2026年11月20日 15:42
        来源：<span>某凤网综合</span></div><div id="artical_real">{PARAGRAPHS}<form action="/poll.php">
        <div id="research">
        <h2>调查</h2><h3>你怎么看电价的走势？</h3>"""
        + "".join(
            f"<table><tr><td><input type='radio'></td><td>{answer}</td></tr></table>"
            for answer in (
                "会涨，煤价还要涨",
                "会跌，新机组投产",
                "很难说，要看明年夏天热不热",
                "不关心，反正家里用得不多",
            )
            * 4
        )
        + """</div></form></div><div class="zb">[责任编辑：李某] 标签：电力</div></div>""",
        publisher="某凤网综合",
        editor="李某",
    ),
    "a heading with links below, rights of the house": Layout(
        body=f"""<h1>{TITLE}</h1><p class="newsDate">2026-11-20 15:42:07　某某经济报道 某某APP　彭某</p>
        <div class="news_content">{PARAGRAPHS}<h2>头条新闻</h2><ul>{LINKS}</ul></div>
        <div>某某经济报道及其客户端所刊载内容的
        知识产权均属某某经济报社所有。未经书面授权，任何人不得以任何方式使用。详情或获取授权信息请点击此处。</div>""",
        publisher="某某经济报道",
    ),
    "lines above the time, rests of tags": Layout(
        body=f"""<h1>{TITLE}</h1><div class="m"><span>能源</span><br><span>深度</span><br>
        <span>2026-11-20 15:42 来源：某某时报
        </span></div><div class="body">{WITH_REST_OF_TAG}</div>""",
        publisher="某某时报",
    ),
    "news agency of Taiwan": Layout(
        title="電力公司首三季售電量升6.2%",
        body="""<h1><span>電力公司首三季售電量升6.2%</span></h1><div class="timeBox"><span>2026/11/20 15:42</span>
        <span>字級：小 中 大</span></div><div class="paragraph">
        <p>（某央社記者陳大文台北20日電）電力公司公布營運數據，售電量按年升6.2%，
        住宅用電升9.4%。</p><p>分析師認為，隨著新機組陸續投產，第四季供求將趨於寬鬆，電價下行壓力仍然存在。
        （編輯：李雲）1151120</p></div>""",
        author="陳大文",
        editor="李雲",
        lines=[
            "（某央社記者陳大文台北20日電）電力公司公布營運數據，售電量按年升6.2%，住宅用電升9.4%。",
            "分析師認為，隨著新機組陸續投產，第四季供求將趨於寬鬆，電價下行壓力仍然存在。",
        ],
    ),
    "comments that no class names": Layout(
        body=f"<div>{HEADLINE}<div>{PARAGRAPHS}</div><div><div>最新评论</div>"
        + "".join(map(COMMENT.format, range(2, 9)))
        + "</div></div>",
        publisher="某某时报",
    ),
    "the next article below": Layout(
        body=f"<div>{HEADLINE}<div>{PARAGRAPHS}</div></div><div><h1>煤价反弹的三个信号</h1>"
        "<div>2026-11-19 10:00 来源：某某晨报</div>"
        + "<div><p>冬季采暖需求提前到来，港口库存连续三周下降，电厂补库意愿增强。</p></div></div>"
        * 4,
        publisher="某某时报",
    ),
    "a flash below a long next article": Layout(
        body=f"<div>{HEADLINE}<div><p>{LINES[0]}</p></div></div><div><h1>煤价反弹的三个信号</h1>"
        "<div>2026-11-19 10:00 来源：某某晨报</div>"
        + "<p>冬季采暖需求提前到来，港口库存连续三周下降，电厂补库意愿增强。</p>" * 6
        + "</div>",
        lines=LINES[:1],
    ),
    "a body in pieces, advertisements between": Layout(
        body=f"<div>{HEADLINE}"
        + "<div class='ad-box'><a href='/ad'>广告：理财产品年化收益百分之五</a></div>".join(
            f"<div><p>{x}</p></div>" for x in LINES
        )
        + "</div>",
    ),
    "a flash beside a player and a chat": Layout(
        body=f"<div>{HEADLINE}<div><p>您的浏览器不支持HTML5视频播放，请升级浏览器或安装Flash插件。</p></div>"
        f"<p>{LINES[0]}</p></div><div><p>您好，欢迎使用在线客服！请留下您的问题与联系方式，我们将在一个工作日内与您联系，谢谢您的支持。</p></div>",
        lines=LINES[:1],
    ),
    "a table and no sentence": Layout(
        body=f"<div>{HEADLINE}<table>" + TABLE + "</table></div>",
        lines=ROWS,
        beside="",
    ),
    "an account beside the time": Layout(
        body=f"""<h1>{TITLE}</h1><div class="article-sub"><span>鞭某士说</span><span>2026-11-20 15:42:07</span></div>
        <div class="article-content">{PARAGRAPHS}</div>""",
        author="鞭某士说",
    ),
    "an account with a badge, the date in lines": Layout(
        body=f"""<h1>{TITLE}</h1><div id="LeftTool"><div class="year">2026</div><div class="md">11/20</div>
        <div class="time">15:42</div><div class="author"><div>扬某眼</div><div>企鹅号</div></div><div>分享</div></div>
        <div class="content-article">{PARAGRAPHS}</div>""",
        author="扬某眼",
    ),
    "account, time in a script": Layout(
        body=f"""<div id="img-content"><h1 class="rich_media_title" id="activity-name">{TITLE}</h1>
        <div id="meta_content">
        <span class="rich_media_meta">原创</span><span class="rich_media_meta">宋某</span><span id="profileBt">
        <a href="#" id="js_name">电力观察室</a></span><em id="publish_time"></em><em>北京</em>
        <span>在小说阅读器读本章</span>
        </div><div id="js_content" style="visibility: hidden"><section><p>作者丨宋某</p><p>编辑丨周某</p></section>
        {"".join(f"<section><span>{line}</span></section>" for line in LINES)}<p>- END -</p><p>往期推荐</p>
        <p><a href="/x">另一家公司的故事</a></p><p>商务合作：请添加微信 example</p></div></div>
        <script>var ct = "x"; var createTime = '2026-11-20 15:42';</script>""",
        publisher="电力观察室",
        author="宋某",
        editor="周某",
    ),
    "headings of a digest lead to its items": Layout(
        body=f"""<div class="wrap"><h1>{TITLE}</h1><div><span>汇闻网</span> <span>2026-11-20 15:42</span></div><div
        class="con"><p><b>公司</b></p>"""
        + "".join(f"<p><a href='/{n}'><b>要闻之{n}：某公司公告</b></a></p><p>{LINES[n]}</p>" for n in range(3))
        + "</div></div>",
        publisher="汇闻网",
        lines=["公司", *(line for n in range(3) for line in (f"要闻之{n}：某公司公告", LINES[n]))],
    ),
    "a flash above other flashes": Layout(
        body=f"""<div class="detail-box"><div class="detail-title">{TITLE}</div>
        <div class="detail-time">2026年11月20日
        15:42:07 星期五</div><div class="detail-content">{LINES[0]}</div><div><span>阅 12.6W</span>
        <span>收藏</span></div>
        </div><div class="detail-list"><h3>电报推荐</h3>"""
        + "".join(f"<div><span>15:{n}</span><p>【某公司公告】{LINES[1]}{n}。</p></div>" for n in (31, 29, 24))
        + "</div>",
        time="2026-11-20 15:42:07",
        lines=LINES[:1],
    ),
    "a prefix in the headline, a motto below the post": Layout(
        body=f"""<div id="postlist"><h1 class="ts"><a href="/t">[心得]</a> <span>{TITLE}</span></h1><table>
        <tr><td>电力老王
        </td><td><em>发表于 2026-11-20 15:42:07</em><table><tr><td class="t_f">{"<br>".join(LINES)}</td>
        </tr></table></td>
        </tr><tr><td><div class="sign">本金安全第一，活着才有机会。</div></td></tr></table></div>""",
        time="2026-11-20 15:42:07",
    ),
    "a full name where the title has a short one": Layout(
        title="某省电力股份有限公司关于召开第二次临时股东大会的公告",
        head="<title>某省电力:关于召开第二次临时股东大会的公告_公告正文_某某网</title>",
        body=f"""<h1>某省电力股份有限公司关于召开第二次临时股东大会的公告</h1><div>公告日期：2026-11-20</div>
        <div class="body">{PARAGRAPHS}</div>""",
        time="2026-11-20",
    ),
    "further articles in the middle of the text": Layout(
        body=f"""{HEADLINE}<section class="article-body"><p>{LINES[0]}</p><h3>【延伸閱讀】</h3><p>
        <a href="/1">外資連三賣</a>
        </p><p>{LINES[1]}</p><p>{LINES[2]}</p></section>""",
        publisher="某某时报",
    ),
    "a province beside the account, the medium below": Layout(
        body=f"""<div class="title">{TITLE}</div><div class="index-author"><p class="authorName">湾区观察</p>
        <div class="articleSource"><span>2026-11-20 15:42</span><span>广东</span><span>湾区观察官方账号
        </span></div></div>
        <div class="content">{PARAGRAPHS}<p>来源：某某早报</p></div>""",
        publisher="某某早报",
    ),
    "a deck above the dateline, an invitation below": Layout(
        body=f"""<h1>{TITLE}</h1><div>2026年11月20日 15:42　来源于 <a href="/">财知网</a></div>
        <div class="text"><p>夏季高温持续</p>
        <p>【财知网】（记者 沈某溪）{LINES[0]}</p><p>{LINES[1]}</p><p>{LINES[2]}</p>
        <p>此文限时免费阅读。感谢热心读者订阅，成为会员，畅读财知网。</p></div>
        <div>责任编辑：唐某 | 版面编辑：施某</div>""",
        publisher="财知网",
        author="沈某溪",
        editor="唐某",
        lines=["夏季高温持续", f"【财知网】（记者 沈某溪）{LINES[0]}", *LINES[1:]],
    ),
    "a day spelt out": Layout(
        body=f"""<table><tr><td>{TITLE}</td></tr><tr><td>发布时间：二〇二六年十一月二十日 文章来源：某某司</td></tr>
        <tr><td class="nr">{PARAGRAPHS}</td></tr></table>""",
        time="2026-11-20",
        publisher="某某司",
    ),
    "an owner of a journal": Layout(
        body=f"""<article class="post"><h1 class="entry-title">{TITLE}</h1><div class="entry-meta"><time
        datetime="2026-11-20T15:42:00+08:00">2026年11月20日 15:42</time> <span class="byline">由
        <a href="/a">何必登楼</a>
        </span></div><div class="entry-content">{PARAGRAPHS}<p>如果这篇文章对你有用，欢迎打赏支持。</p>
        </div></article>""",
        author="何必登楼",
    ),
    "reporters and invitations in English": Layout(
        title="Power sales rise 6.2 pct in three quarters",
        body=f"""<h1>Power sales rise 6.2 pct in three quarters</h1><div>By Zhang Mou and Jane Smith<br>
        Nov 20, 2026 03:42 PM</div><div class="cons-box">{"".join(f"<p>{line}</p>" for line in ENGLISH)}
        <p>Contact reporter Zhang Mou (zhang@example.com) and editor Joel Brown (joel@example.com)</p>
        <p>Download our app to get the news first.</p><p>Sign up for our daily newsletter</p></div>""",
        author="Zhang Mou and Jane Smith",
        editor="Joel Brown",
        lines=ENGLISH,
    ),
    "buttons and invitations in blocks beside the text": Layout(
        body=f"""<section><h1>{TITLE}</h1><div><a href="/u">电力小学生</a><time>2026.11.20 15:42:07</time>
        <span>字数 812</span>
        </div><div><button>语音播报</button></div><article>{PARAGRAPHS}</article><div>0人点过</div><div><div>更多好看的，就在某记APP
        </div></div><div>"小礼物走一走，来某记看看我"</div></section>""",
        time="2026-11-20 15:42:07",
    ),
    "day and clock in a list, a warning behind an asterisk": Layout(
        body=f"""<h1>{TITLE}</h1><ul><li><time>2026.11.20</time></li><li><time>15:42</time></li><li
        class="source">工贸时报</li><li class="author"><a href="/u">乔某</a></li></ul><article>{PARAGRAPHS}
        <p>※投資有風險，請審慎評估。</p></article>""",
        publisher="工贸时报",
        author="乔某",
    ),
    "a person beside the time, no medium": Layout(
        body=f"""<h1>{TITLE}</h1><div class="wrap"><a href="/u">韩某满</a><span> · 2026年11月20日 15:42</span></div>
        <div class="text">{PARAGRAPHS}</div>""",
        author="韩某满",
    ),
    "figures and charts of the market in the text": Layout(
        body=f"""{HEADLINE}<div class="text"><div><span>某电力02777.HK+3.25%</span></div><p>{LINES[0]}</p><p>
        {LINES[1].replace("公司", "公司<span id='quote_1'>(1.023, 0.12%)</span>", 1)}</p><p>{LINES[2]}</p></div>""",
        publisher="某某时报",
    ),
    "the journal's name is a heading, too": Layout(
        head=f"<title>{TITLE} - 电力笔记 - 某文园</title>",
        body=f"""<div id="header"><h1>电力笔记</h1></div><div class="post"><h1><a href="/p/1">{TITLE}</a></h1>
        <div class="postBody">{PARAGRAPHS}</div>
        <div>posted @ <span id="post-date">2026-11-20 15:42</span> 电力笔记</div></div>""",
    ),
    "the clock stands in an attribute": Layout(
        body=f"""<article><h1>{TITLE}</h1><ul><li>作者: <a href="/u">郑某樵</a></li><li>时间: <time
        datetime="2026-11-20T15:42:00+08:00">November 20, 2026</time></li></ul>{PARAGRAPHS}</article>""",
        author="郑某樵",
    ),
    "the clock of another zone, with its own in the attribute": Layout(
        body=f"""<article><h1>{TITLE}</h1><p>发表时间：<time
        datetime="2026-11-20T07:42:20+00:00">20/11/2026 - 08:42</time></p>{PARAGRAPHS}</article>""",
        time="2026-11-20 15:42:20",
    ),
    "an offset that is a mistake": Layout(
        body=f"""<article><h1>{TITLE}</h1><p><time datetime="2026-11-20T15:42:00Z">2026-11-20 15:42</time></p>
        <p><a onclick="window.print()">PRINT</a></p>{PARAGRAPHS}</article>""",
    ),
    "a notice behind the name of the source": Layout(
        body=f"""<h1>{TITLE}</h1><div class="meta"><span class="author">某某数据  云某</span>
        <time>2026-11-20 15:42</time></div>
        <div class="text">{PARAGRAPHS}</div><div class="copyright">本文来源：某某数据，未经授权不得转载</div>""",
        publisher="某某数据",
        author="云某",
    ),
    "time, place and reporter in a line of Taiwan": Layout(
        body=f"""<h1>{TITLE}</h1><table><tr><td>某某新聞 2026-11-20 15:42:44 記者 石某 報導</td></tr></table>
        <div><article>{PARAGRAPHS}</article></div>""",
        time="2026-11-20 15:42:44",
        author="石某",
    ),
    "medium, person, time and counter in a list, notices in boxes": Layout(
        body=f"""<div class="dt"><h1>{TITLE}</h1><ul><li>能见网</li><li>范某大</li><li>2026-11-20 15:42:11</li>
        <li>浏览：2087</li></ul><div class="dt-c">{PARAGRAPHS}<p>校对：尤某</p></div><div>责任编辑： 杨某里</div>
        <div>转载与合作可联系能见网小助手，微信号：example</div><div>网友评论 登录后可以发言 发送</div></div>""",
        time="2026-11-20 15:42:11",
        author="范某大",
        editor="杨某里",
    ),
    "many slashes under a deck": Layout(
        body=f"""<div class="story"><h1>{TITLE}</h1><p class="by">撰文 / 萨某剌　摄影 / 杨某　编辑 / 倪某</p>
        <p class="dt">2026.11.20 15:42</p><div>{PARAGRAPHS}<p>— END —</p>
        <p>点击“阅读原文”订阅某某商刊</p></div></div>""",
        author="萨某剌",
        editor="倪某",
    ),
    "two paragraphs above a box of links": Layout(
        body=f"""{HEADLINE}<div class="text"><p>{LINES[0]}</p><p>{LINES[1]}</p><div><p>推荐阅读</p>
        <ul>{FEWER_LINKS}</ul></div>        {"".join(f"<p>{line}</p>" for line in LATER)}</div>""",
        publisher="某某时报",
        lines=[*LINES[:2], *LATER],
    ),
    "the end of the text below a box of links behind arrows": Layout(
        body=f"""{HEADLINE}<div class="text">{PARAGRAPHS}<div><p>&gt;&gt;&gt;相关报道：</p><p><a
        href="/1">煤价又跌了三个月</a></p>
        <p><a href="/2">跨省购电比例上升</a></p></div><p>{LATER[1]}</p><p>{LATER[2]}</p></div>""",
        publisher="某某时报",
        lines=[*LINES, *LATER[1:3]],
    ),
    "a pager of pictures in the text, a heading over links and the site's name below": Layout(
        body=f"""{HEADLINE}<div class="text"><p>+ 3</p>{PARAGRAPHS}<p>某股智能评分认为某电力偏贵，成长性不足。<a
        href="/r">更多&gt;&gt;</a></p><p>某某网</p><p>更多电力报道</p><p><a href="/1">煤价又跌了三个月</a><br><a
        href="/2">跨省购电比例上升</a></p></div>""",
        publisher="某某时报",
    ),
    "a badge in the headline, bylines behind links": Layout(
        head=f"<title>{TITLE}_某某吧</title>",
        body=f"""<h1>{TITLE}<span>[某某论坛]</span></h1><div>2026-11-20 15:42</div><div class="text">{PARAGRAPHS}
        <p>相關文章：</p><p><a href="/1">煤价又跌了三个月</a></p><p>記者：李某茵</p><p>責任編輯：陳某文</p></div>""",
        author="李某茵",
        editor="陳某文",
    ),
    "the last sentence and a way back in one": Layout(
        body=f"""<h1>{TITLE}</h1><div class="info"><span class="t">2026-11-20 15:42</span><a>来源：某某电力
        </a></div><article>{PARAGRAPHS[:-4]}<a href="/">返回某狐，查看更多</a></p></article>""",
        publisher="某某电力",
    ),
    "an account's copy on another site": Layout(
        body=f"""<div class="readbox"><h1>{TITLE}</h1><p>公众号：电力下午茶　时间：2026-11-20 15:42:00　原文：<a
        href="/o">点击查看</a></p><div><p>点击上方“电力下午茶”，选择“置顶公众号”</p><p>作者 | 史某祖</p>
        <p>编辑 | 高某</p>{PARAGRAPHS}<p>·END·</p><p>转载开白 | 商务合作 | 读者交流</p><p>请添加微信：example2026</p>
        <p>你家的电费涨了多少？在留言区告诉我们</p><p>▼ 往期好文 ▼</p><p><a href="/1">煤价又跌了</a></p>
        <p>觉得不错，请点个赞和在看↓</p></div></div>""",
        author="史某祖",
        editor="高某",
    ),
    "flashes that a machine wrote": Layout(
        body=f"""{HEADLINE}<div class="c">{PARAGRAPHS}
        <p>（以上内容为自选股智能机器写手完成，仅作为用户看盘参考，不能作为操作依据。）</p>
        <p>开户享福利，送投顾服务体验权，一对一指导服务！</p></div><div>点赞(3) 收藏 举报 返回顶部</div>""",
        publisher="某某时报",
    ),
    "a forum whose replies stand in blocks like the first post's": Layout(
        body=f"""<h1><span class="s_title">{TITLE}</span></h1><div class="info"><span>楼主：<a
        href="/u/1">石桥边的猫</a></span><span>时间：2026-11-20 15:42:36</span> <span>点击：48213</span></div>
        <div class="main"><div class="item
        host-item"><div class="con">{"<br>".join(LINES)}</div></div>"""
        + "".join(
            f"""<div class="item"><div class="head"><span>作者：<a href="/u/{n}">过路人{n}</a></span>
            <span>时间：2026-11-20 16:0{n}:02</span></div>
            <div class="con">电价肯定还要再涨，我看明年还有一波，大家等着看吧。</div></div>"""
            for n in range(2, 5)
        )
        + "</div>",
        author="石桥边的猫",
    ),
    "a notice of a company, below its name and code": Layout(
        head=f"<title>某省电力(600999)_公司公告_{TITLE}某浪财经_某浪网</title>",
        body=f"""<div class="hq"><h1 id="stockName">某省电力<span>(600999.SH)</span></h1></div><div class="menu"><a
        href="/a">公司公告</a></div><table><thead><tr><th>{TITLE} (<a href="/x.php">查看PDF公告</a>)</th></tr></thead>
        <tbody><tr><td>公告日期:2026-11-20 15:42</td></tr><tr><td><div id="content">{PARAGRAPHS}</div></td></tr></tbody>
        </table>""",
    ),
    "a box of prices that a script fills in, between the paragraphs": Layout(
        body=f"""{HEADLINE}<div class="art"><p>{LINES[0]}</p><div id="hx_quote" class="stock_box">
        <div>相关股票行情</div><table><tr><td>名称</td><td>最新价</td><td>涨跌幅</td></tr></table></div>
        {PARAGRAPHS.split("</p>", 1)[1]}</div>""",
        publisher="某某时报",
    ),
    "headlines that a script opens, below the body": Layout(
        body=f"""{HEADLINE}<div class="art"><div class="zw">{PARAGRAPHS}</div>
        <div class="zt"><span>财经精选：</span><ul><li>
        <a>某币中间价再创新高</a></li><li><a>某部两千亿元债券获批</a></li></ul></div><div class="gd"><a>某人的原帖：</a>
        <a>补贴政策已有年头了，但是多地标准已数年未涨，落实遭遇尴尬。</a></div></div>""",
        publisher="某某时报",
    ),
    "notes of a release, one with a source of its own": Layout(
        body=f"""{HEADLINE}<div class="art">{PARAGRAPHS}<p>* 本公告所涉及数据未经审计。</p>
        <p>** 2026年9月末汇率：1美元 = 7.10元人民币（来源：外部机构）</p></div>""",
        publisher="某某时报",
        lines=[*LINES, "* 本公告所涉及数据未经审计。", "** 2026年9月末汇率：1美元 = 7.10元人民币（来源：外部机构）"],
    ),
    "a text cut into pages that a script opens": Layout(
        body=f"""<article><div class="head"><h1>{TITLE}</h1><div class="info">
        <span class="time">2026-11-20 15:42:47</span><span class="source">某某时报</span></div></div>
        <div class="content"><div class="page js-page on"><p>{LINES[0]}</p></div>
        <div class="page js-page"><p>{LINES[1]}</p><p>{LINES[2]}</p></div><div class="page"><a href="?p=1">1</a> <a
        href="?p=2">2</a></div></div></article>""",
        publisher="某某时报",
    ),
    "no year but in what Baidu is told": Layout(
        head=f"""<script type="application/ld+json">{{"@context":"https://ziyuan.baidu.com/contexts/cambrian.jsonld",
        "title":"{TITLE}","images":[],"pubDate":"2026-11-20T15:42:00"}}</script>""",
        body=f"""<div class="tit"><h1>{TITLE}</h1><p class="clearfix"><span>11-20 15:42</span>
        <a href="/author/1">电圈儿</a></p></div><div class="con">{PARAGRAPHS}<p>作者：老宋，电力行业观察者</p></div>""",
        author="老宋",
    ),
    "a flash above the comments on it": Layout(
        body=f"""<div class="detail-telegraph-box"><div class="detail-time"><span>2026-11-20 15:42</span></div>
        <div class="f-s-24">{TITLE}</div><div class="detail-telegraph-content"><div>{LINES[0]}</div></div></div>
        <div class="detail-comment"><div class="comment-title">评论(3)</div><ul><li><div class="name">财友_1c2d</div>
        <div class="text">电价肯定还要再涨，我看明年还有一波，大家等着看吧。</div><span>11-20 16:02</span></li><li>
        <div class="text">居民用电涨这么多，空调卖得也好，两头都是生意。</div></li><li>{TEASER}</li></ul></div>""",
        lines=LINES[:1],
    ),
    "a flash above the latest ones": Layout(
        body=f"""<div class="newsflash"><h1 class="item-title">{TITLE}</h1><div><span>2026-11-20 15:42</span></div>
        <pre class="pre-item-des">{LINES[0]}</pre></div><div class="newsflash-more"><h3>最新快讯</h3>
        <div class="newsflash-item"><div class="item-title">另一家公司重组获批</div><div><span>{TEASER}</span></div>
        <span>14分钟前</span></div><div class="newsflash-item"><div class="item-title">三条跨省通道投运</div><div>
        <span>{LATER[2]}</span></div><span>26分钟前</span></div></div>""",
        lines=LINES[:1],
    ),
    "a flash without a headline above others": Layout(
        body=f"""<article><time datetime="2026-11-20T07:42:33.000Z">2026-11-20 15:42</time><div><p>{LINES[0]}</p></div>
        </article><section class="related-live"><h4>更多快讯</h4><ul><li><time>15:40</time><div>{TEASER}</div></li>
        <li><time>15:31</time><div>{LATER[2]}</div></li><li><time>15:25</time><div>{LATER[1]}</div></li></ul></section>""",
        lines=LINES[:1],
    ),
    "a post of a microblog above its answers": Layout(
        body=f"""<div class="WB_detail"><h1>{TITLE}</h1><div><a title="2026-11-20 15:42">2026-11-20 15:42</a></div>
        <div>{LINES[0]}<br>{LINES[1]}<br><br>{LINES[2]}</div></div><div><ul><li>转发 86</li><li>赞 233</li></ul></div>
        <div><label>同时转发到我的微博</label><a>评论</a></div><div class="list"><div><a>甲乙丙</a>：{TEASER}</div>
        <div>11月20日 21:52</div><div><a>丁戊</a>：{LATER[2]}</div><div><a>己庚</a>：{LATER[1]}</div></div>""",
    ),
    "floors of a thread": Layout(
        body=f"""<h3 class="core_title_txt">{TITLE}</h3><div><div>{"<br>".join(LINES)}</div><div><span>来自<a>客户端</a>
        </span> <span>1楼</span> <span>2026-11-20 15:42</span></div></div><div><a>江边的会计</a><div>{TEASER}</div>
        <span>2楼</span> <span>2026-11-20 16:33</span></div><div><div>{LATER[2]}</div><span>3楼</span></div>""",
    ),
    "a counter of comments between lede and body": Layout(
        body=f"""<h1>{TITLE}</h1><div>2026-11-20 15:42</div><div class="art"><p>{LATER[1]}</p><p>评论(3)</p><p>收藏</p>
        {PARAGRAPHS}</div>""",
        lines=[LATER[1], *LINES],
    ),
    "on which floor a meeting is": Layout(
        body=f"""{HEADLINE}<div id="zoom">{PARAGRAPHS}<p>会议地点：某市建设路八十八号电力大厦A座12楼</p>
        <p>{LATER[1]}</p><p>联系地址：某市建设路八十八号 3楼</p><p>{LATER[2]}</p></div>""",
        lines=[
            *LINES,
            "会议地点：某市建设路八十八号电力大厦A座12楼",
            LATER[1],
            "联系地址：某市建设路八十八号 3楼",
            LATER[2],
        ],
    ),
    "days in the rows of a table": Layout(
        body=f"""{HEADLINE}<div id="zoom">{PARAGRAPHS}<table><tr><td>名称</td><td>起息日</td><td>金额</td></tr><tr>
        <td>第三期定期存款</td><td>2026年11月18日</td><td>700亿元</td></tr></table><p>电力公司公开市场操作室</p>
        <p>二〇二六年十一月二十日</p></div>""",
        lines=[
            *LINES,
            "名称 起息日 金额",
            "第三期定期存款 2026年11月18日 700亿元",
            "电力公司公开市场操作室",
            "二〇二六年十一月二十日",
        ],
    ),
    "a table between headline and signature": Layout(
        body=f"""<div class="artcon"><div>{TITLE}</div><p>发布时间：2026-11-20 15:42 浏览次数：318</p>
        <p>{TITLE}，各基金净值如下：</p><table>{TABLE}</table>
        <p>上述净值已经托管人复核。</p><p>某某基金管理有限公司</p><p>2026年11月20日</p><p>风险提示：基金的过往业绩不预示其未来表现，
        投资有风险，投资者应详细阅读基金合同。</p></div>""",
        lines=[
            f"{TITLE}，各基金净值如下：",
            *ROWS,
            "上述净值已经托管人复核。",
            "某某基金管理有限公司",
            "2026年11月20日",
        ],
    ),
    "a listing among the items of a digest": Layout(
        body=f"{HEADLINE}<div><p>1. {LINES[0]}</p><p>2. {LINES[1]}</p><p>3. 某社登陆纽交所，首日涨48%。</p></div>",
        lines=[f"1. {LINES[0]}", f"2. {LINES[1]}", "3. 某社登陆纽交所，首日涨48%。"],
    ),
    "English edition": Layout(
        title="Power sales rise 6.2 pct in three quarters",
        body=f"""<h1>Power sales rise 6.2 pct in three quarters</h1><div class="info">
        <span class="info_l">By Zhang Mou | Example Daily | Updated: 2026-11-20 15:42</span></div>
        <div id="Content">{"".join(f"<p>{line}</p>" for line in ENGLISH)}</div><p>Editor: Li Mou</p>""",
        author="Zhang Mou",
        editor="Li Mou",
        lines=ENGLISH,
    ),
}


def read(layout: Layout) -> Article:
    title = "" if "<title>" in layout.head else f"<title>{layout.title}_某某网</title>"
    aside = f"<div class='rec'><h3>相关阅读</h3><ul>{LINKS}</ul><p>{layout.beside}</p></div>"
    html = (
        f"<html><head><meta charset='utf-8'>{title}{layout.head}</head><body>{NAV}{layout.body}{aside}{FOOTER}</body>"
    )
    url = "https://www.site.example/article/123.html"
    fetched_at = datetime(2026, 11, 21, tzinfo=UTC)
    page = Page(source="local", url=url, final_url=url, status=200, body=html.encode(), fetched_at=fetched_at)
    article = extract(page, UNKNOWN)
    assert isinstance(article, Article), article
    return article


@pytest.mark.parametrize("name", LAYOUTS)
def test_body(name):
    assert read(LAYOUTS[name]).text.split("\n") == LAYOUTS[name].lines


@pytest.mark.parametrize("name", LAYOUTS)
def test_title_and_time(name):
    article = read(LAYOUTS[name])
    assert article.title == LAYOUTS[name].title
    assert article.published_at is not None
    assert article.published_at.astimezone(UNKNOWN.zone).isoformat(" ").startswith(LAYOUTS[name].time)


@pytest.mark.parametrize("field", ["publisher", "author", "editor"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_people_and_medium(name, field):
    if (wanted := getattr(LAYOUTS[name], field)) is not None:
        assert getattr(read(LAYOUTS[name]), field) == wanted

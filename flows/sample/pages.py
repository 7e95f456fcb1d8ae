"""Puts the words of the sample site into the mark-up of its four sources: article pages, feeds and list answers.

The frames are templates/*.html. What differs inside a body (how a stock is linked, where advertisements stand, what
closes a text) is in the `Style` of each source below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby
from string import Template

from flows.sample.content import EMPHASIS, LINK, SHANGHAI, Block, SampleArticle, symbol_of

INDENT = "　　"
EAST_MONEY_QUOTE = "http://quote.eastmoney.com/unify/r/"
HIDDEN_GAP = '<p style="display: none; height: 1px; overflow: hidden;"><br /></p>'

Link = Callable[[str, str, bool], str]
"""Name, code, and whether the page links it for the first time."""


def _plain_name(name: str, _code: str, _first: bool) -> str:
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a source writes the parts of a body."""

    paragraph: str = f"<p>{INDENT}{{}}</p>"
    heading: str = f"<p>{INDENT}<strong>{{}}</strong></p>"
    item: str = "<li>{}</li>"
    quote: str = "<blockquote>\n<p>{}</p>\n</blockquote>"
    emphasis: str = "<strong>{}</strong>"
    table: str = '<table border="1" cellspacing="0" cellpadding="0">'
    between: str = "\n"
    link: Link = _plain_name
    wrappers: Mapping[str, str] = field(default_factory=dict)
    """By name. {} stands for the words after it, {code} for the digits of a security."""


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def body_html(article: SampleArticle, style: Style) -> str:
    """The blocks of a body in order, runs of items and rows as one list and one table."""
    seen: set[str] = set()
    parts: list[str] = []
    for kind, run in groupby(article.blocks, key=lambda block: block.kind):
        blocks = list(run)
        if kind == "row":
            parts.append(_table(blocks, style))
        elif kind == "item":
            items = "\n".join(style.item.format(_inline(block.words, style, seen)) for block in blocks)
            parts.append(f"<ul>\n{items}\n</ul>")
        elif kind == "wrapper":
            parts.extend(_wrapper(block, style) for block in blocks)
        else:
            frame = {"heading": style.heading, "quote": style.quote}.get(kind, style.paragraph)
            parts.extend(frame.format(_inline(block.words, style, seen)) for block in blocks)
    return style.between.join(parts)


def _inline(words: str, style: Style, seen: set[str]) -> str:
    def link(found: re.Match[str]) -> str:
        name, code = found.groups()
        first = code not in seen
        seen.add(code)
        return style.link(name, code, first)

    words = LINK.sub(link, escape(words, quote=False))
    return EMPHASIS.sub(lambda found: style.emphasis.format(found[1]), words)


def _table(rows: list[Block], style: Style) -> str:
    lines = [style.table, "<tbody>"]
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        lines.append("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row.cells) + "</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def _wrapper(block: Block, style: Style) -> str:
    name, _, words = block.words.partition(" ")
    return style.wrappers[name].replace("{}", words).replace("{code}", words.rpartition(".")[2])


# ── East Money ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _east_money_link(name: str, code: str, first: bool) -> str:
    if not first:
        return f'<span class="em_stock_key_common" href="{EAST_MONEY_QUOTE}{code}">{name}</span>'
    kind, quote = ("stock", "quote") if symbol_of(code) else ("bk", "bkquote")
    link = f'<a class="keytip" href="{EAST_MONEY_QUOTE}{code}">{name}</a>'
    return f'<span id="{kind}_{code}">{link}</span><span id="{quote}_{code}"></span>'


def _hidden_module(comment: str, css_class: str, attributes: str = "") -> str:
    return (
        f'{HIDDEN_GAP}<!-- EM_{comment}_Start --><center style="text-align: left;">'
        f'<div class="{css_class}"{attributes} style="display: none;"> </div> </center><!-- EM_{comment}_End -->'
    )


K_LINE = (
    f'{HIDDEN_GAP}<!-- EM_StockImg_Start --><p style="text-align: center;">'
    f'<a class="EmImageRemark" href="{EAST_MONEY_QUOTE}{{}}" target="_blank"><img alt="K图 {{code}}_0" border="0" '
    'height="276" src="https://webquoteklinepic.eastmoney.com/GetPic.aspx?nid={}&amp;imageType=k&amp;at=1" '
    'style="border: #d1d1d1 1px solid;" width="578" /></a></p><!-- EM_StockImg_End -->'
)
EAST_MONEY = Style(
    heading=f'<h3 class="emh3">{INDENT}<strong>{{}}</strong></h3>',
    emphasis='<strong><span style="color: #ea5504;">{}</span></strong>',
    between="",
    link=_east_money_link,
    wrappers={
        "kline": K_LINE,
        "ad": (
            '<p style="text-align: center;"><a href="https://acttg.eastmoney.com/pub/xxlout_random_0007467a">'
            '<img class="em_handle_adv_close" src="https://np-newspic.dfcfw.com/download/D257_w690h389.jpg" /></a></p>'
        ),
        "image": (
            '<center><img src="https://np-newspic.dfcfw.com/download/D249_w1240h918.jpg" width="580" /></center>'
        ),
        "toplink": (
            f'<p>{INDENT}<a class="toplink" target="_blank" href="https://ai.eastmoney.com/">'
            "全新妙想投研助理，立即体验</a></p>"
        ),
        "video": _hidden_module("Video", "em_lk_video"),
        "promo": _hidden_module("Promo_Module", "em_promo_module", ' name="%u725B%u718A%u98CE%u5411%u6807"'),
        "extend": _hidden_module("Module_Extend", "em_module_extend"),
    },
)


def east_money_feed(listed: list[SampleArticle]) -> str:
    """Whole articles in the descriptions, the publisher in `source`."""
    return _feed("东方财富网", "http://www.eastmoney.com/", "".join(map(_east_money_item, listed)))


def _east_money_item(article: SampleArticle) -> str:
    editor = f"<p>(责任编辑：{article.editor})</p>" if article.editor else ""
    html = f'{body_html(article, EAST_MONEY)}<p class="em_media">{_east_money_source(article)}</p>{editor}'
    return (
        f"<item><title>{escape(article.title)}</title><link>{east_money_url(article)}</link>"
        f'<source url="http://www.eastmoney.com/">{article.publisher}</source>'
        f"<pubDate>{_rfc822(article)}</pubDate><description>{escape(html)}</description></item>\n"
    )


def _east_money_source(article: SampleArticle) -> str:
    publisher = article.publisher or ""
    if article.publisher_link:
        name, code = article.publisher_link
        publisher = publisher.replace(name, _east_money_link(name, code, True))
    return f"（文章来源：{publisher}" + ("" if article.unclosed_source else "）")


def east_money_list(listed: list[SampleArticle], page: int, page_size: int) -> str:
    start = (page - 1) * page_size
    rows = [
        {
            "code": article.native_id,
            "np_dst": "CMS",
            "showTime": f"{article.published:%Y-%m-%d %H:%M:%S}",
            "title": article.title,
            "mediaName": article.publisher,
            "summary": summary_of(article),
            "image": "",
            "uniqueUrl": east_money_url(article),
            "url": f"http://finance.eastmoney.com/news/1345,{article.native_id}.html",
        }
        for article in listed[start : start + page_size]
    ]
    data = {"page_index": page, "page_size": page_size, "totle_hits": len(listed), "list": rows}
    return json.dumps({"req_trace": "1", "code": "1", "message": "success", "data": data}, ensure_ascii=False)


def east_money_page(article: SampleArticle) -> str:
    old = article.layout == "old"
    return _filled(
        "eastmoney_old.html" if old else "eastmoney.html",
        article,
        body=body_html(article, EAST_MONEY),
        source_line=_east_money_source(article),
        author_item=f'<div class="{"author" if old else "item"}">作者：{article.author}</div>'
        if article.author
        else "",
    )


def east_money_url(article: SampleArticle) -> str:
    return f"http://finance.eastmoney.com/a/{article.native_id}.html"


# ── Sina ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sina_link(name: str, code: str, first: bool) -> str:
    if not first:
        return name
    url = f"https://finance.sina.com.cn/realstock/company/{code}/nc.shtml"
    link = f'<a href="{url}" class="keyword" target="_blank">{name}</a>'
    return f"<span id=stock_{code}>{link}</span><span id=quote_{code}></span>"


SINA = Style(
    paragraph=f'<p cms-style="font-L">{INDENT}{{}}</p>',
    emphasis='<font cms-style="font-L strong-Bold">{}</font>',
    link=_sina_link,
)
SINA_OLD = Style(between="\n\n", link=_sina_link)


def sina_list(listed: list[SampleArticle], page: int, page_size: int) -> str:
    start = (page - 1) * page_size
    newest = max(map(_published, listed))
    result = {
        "status": {"code": 0, "msg": "succ"},
        "timestamp": f"{newest:%a %b %d %H:%M:%S +0800 %Y}",
        "total": len(listed),
        "lid": 2516,
        "rtime": int(newest.timestamp()),
        "data": [_sina_row(article) for article in listed[start : start + page_size]],
    }
    return json.dumps({"result": result})


def _sina_row(article: SampleArticle) -> dict[str, object]:
    time = str(int(_published(article).timestamp()))
    return {
        "docid": f"comos:{article.native_id}",
        "url": sina_url(article),
        "wapurl": f"https://finance.sina.cn/{_published(article):%Y-%m-%d}/detail-i{article.native_id}.d.html",
        "title": article.title,
        "intro": summary_of(article),
        "media_name": article.publisher,
        "ctime": time,
        "mtime": time,
        "intime": time,
        "keywords": ",".join(article.keywords),
        "lids": "2509,2516",
        "vid": "41170835" if article.kind == "video" else "0",
        "images": [],
        "columnid": "257",
    }


def sina_page(article: SampleArticle) -> str:
    if article.kind == "broken":
        return _template("sina_shell.html").template
    original = article.original_title
    return _filled(
        "sina_old.html" if article.layout == "old" else "sina.html",
        article,
        body=body_html(article, SINA_OLD if article.layout == "old" else SINA),
        original_line=f'<p class="ori_titlesource">{INDENT}原标题：{original}</p>' if original else "",
        keyword_links=" ".join(
            f'<a href="http://tags.finance.sina.com.cn/{word}">{word}</a>' for word in article.keywords
        ),
        url=sina_url(article),
    )


def sina_url(article: SampleArticle) -> str:
    return f"https://finance.sina.com.cn/roll/{_published(article):%Y-%m-%d}/doc-i{article.native_id}.shtml"


# ── Wallstreetcn ─────────────────────────────────────────────────────────────────────────────────────────────────────

WALLSTREETCN = Style(
    paragraph="<p>{}</p>",
    heading="<h2>{}</h2>",
    wrappers={
        "image": '<p><img class=" wscnph" src="https://wpimg-wscn.awtmt.com/12bc3bf2.png" /></p>',
        "byline": '<p style="text-align: left;">{}</p>',
    },
)
RISK_NOTICE = (
    "<div><p><strong>风险提示及免责条款</strong></p><p>市场有风险，投资需谨慎。本文不构成个人投资建议，"
    "也未考虑到个别用户特殊的投资目标、财务状况或需要。</p></div>"
)


def wallstreetcn_feed(listed: list[SampleArticle]) -> str:
    return _feed("华尔街见闻", "https://wallstreetcn.com/", "".join(map(_wallstreetcn_item, listed)))


def _wallstreetcn_item(article: SampleArticle) -> str:
    html = body_html(article, WALLSTREETCN)
    if article.combo:
        grey = f"本文作者：{article.author}，来源：{article.publisher}，原文标题：《{article.original_title}》"
        html += f'\n<p style="text-align: left;"><span style="color: rgb(102, 102, 102);">{grey}</span></p>'
    if article.risk_notice:
        html += f"\n{RISK_NOTICE}"
    html += "<p>本文来自华尔街见闻，欢迎下载APP查看更多</p>"
    date = f"<pubDate>{_rfc822(article)}</pubDate>" if article.published else ""
    link = f"https://wallstreetcn.com/articles/{article.native_id}"
    return (
        f"<item><title>{escape(article.title)}</title><link>{link}</link>"
        f"{date}<description>{escape(html)}</description></item>\n"
    )


# ── China News Service ───────────────────────────────────────────────────────────────────────────────────────────────

CHINANEWS = Style(
    between="\n\n",
    wrappers={
        "byline": f"<p>{INDENT}{{}}</p>",
        "ad": (
            '<table border="0" cellspacing="0" cellpadding="0" align="left" class="adInContent"><tbody><tr><td>'
            '<!--画中画广告start--><div class="_i630znox87b"></div><script type="text/javascript">'
            '(window.slotbydup = window.slotbydup || []).push({ id: "u5891748", container: "_i630znox87b" });'
            "</script><!--画中画广告end--></td></tr></tbody></table><p></p>"
        ),
    },
)


def chinanews_feed(listed: list[SampleArticle]) -> str:
    """Summaries only; the text is on the page."""
    items = "".join(
        f"<item><title><![CDATA[{article.title}]]></title><link>{chinanews_url(article)}</link>"
        f"<description><![CDATA[{summary_of(article)}]]></description><pubDate>{_rfc822(article)}</pubDate></item>\n"
        for article in listed
    )
    return _feed("中国新闻网财经新闻", "https://www.chinanews.com.cn/", items)


def chinanews_page(article: SampleArticle) -> str:
    name = "chinanews_old.html" if article.layout == "old" else "chinanews.html"
    return _filled(name, article, body=body_html(article, CHINANEWS))


def chinanews_url(article: SampleArticle) -> str:
    return f"https://www.chinanews.com.cn/cj/{_published(article):%Y/%m-%d}/{article.native_id}.shtml"


# ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def summary_of(article: SampleArticle) -> str:
    return article.summary or next((block.plain[:100] for block in article.text_blocks), "")


def _feed(title: str, link: str, items: str) -> str:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{title}</title>'
    return f"{head}<link>{link}</link>\n{items}</channel></rss>\n"


def _filled(name: str, article: SampleArticle, **parts: str) -> str:
    published = _published(article)
    words = {
        "title": article.title,
        "publisher": article.publisher or "",
        "editor": article.editor or "",
        "section": article.section or "要闻",
        "summary": summary_of(article),
        "keywords": ",".join(article.keywords),
        "native_id": article.native_id,
        "date_minute": f"{published:%Y年%m月%d日 %H:%M}",
        "date_second": f"{published:%Y-%m-%d %H:%M:%S}",
        "old_date": f"{published:%Y年%m月%d日}&nbsp;{published:%H:%M}",
        # Sina's meta tells when the page was built, not when the article was published.
        "built_time": (published + timedelta(seconds=79)).isoformat(),
        "url": "",
    }
    escaped = {hole: escape(value) if hole != "old_date" else value for hole, value in words.items()}
    return _template(name).substitute(escaped | parts)


@cache
def _template(name: str) -> Template:
    return Template(files("flows.sample").joinpath("templates", name).read_text(encoding="utf-8"))


def _published(article: SampleArticle) -> datetime:
    if article.published is None:
        raise ValueError(f"{article.source}/{article.key}: a page needs a time")
    return article.published.astimezone(SHANGHAI)


def _rfc822(article: SampleArticle) -> str:
    return format_datetime(_published(article))

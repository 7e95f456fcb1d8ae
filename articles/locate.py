"""Where on a page the article is: by the rules of its source, or by a vote of its sentences.

The lanes, from the cheapest to the last resort:

    slice  the page is cut around the container that a rule names by id or class: only that is parsed (articles.fence)
    rule   a selector of the source on the whole parsed page
    vote   no rule: sentences outside links speak for the blocks around them, links and legal text against
    full   nothing voted: trafilatura on the page as it is

Falling through on a source that has rules is the sign that its pages have changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Literal, NamedTuple, cast

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from articles.canonical import Hint, Reading, Run, Span, texts_of
from articles.wrapper_words import NOTE

Lane = Literal["slice", "rule", "vote", "full", "json", "piece"]
Why = Literal["links", "noise", "headline", "behind the signature", "behind the article", "outside the body"]

# What the site says about itself reads like prose, and on a short page there is more of it than of news.
_LEGAL = re.compile(
    # Their first characters: quickly past all others, which takes three quarters of the time.
    r"(?=[版著免过投声转侵举许备公不风未稿联客投本网发评登注验密浏欢下邮建在隐插轉舉專©acfj])(?:"
    r"版权|著作权|免责|过往业绩|投资有风险|声明[：:]|转载|侵权|举报|许可证|备案|公网安备|不代表本|不构成.{0,6}投资|风险自担|未经.{0,12}授权|稿件|联系我们|客服|投稿|"
    r"本网站|本站|本平台|网友|发表评论|评论仅|登录|登陆(?:后|账|帐|注册|[/|·]|\s*$)|(?<=[请員员户])登陆|注册|验证码|密码|浏览器|欢迎.{0,6}关注|下载.{0,8}(?:APP|客户端)|邮箱|建议您?使用|"
    r"在线客服|联系方式|隐私政策|flash|插件|javascript|copyright|cookie|©|all rights reserved|"
    r"著作權|轉載|舉報|專頁|facebook)",
    re.IGNORECASE,
)
# One such word in so many characters is a subject of the news; more is a notice.
_LEGAL_EVERY_CHARS = 60
_LEGAL_ALONE_CHARS = 30
# Around the headline: when, from where, by whom.
_META_LABEL = re.compile(r"来源|來源|责任编辑|責任編輯|作者[：:]|发布时间|字号|评论")
_META_LINE = re.compile(rf"\d{{4}}\s?[-/.年]\s?\d{{1,2}}\s?[-/.月]\s?\d{{1,2}}|{_META_LABEL.pattern}")
_META_LINE_CHARS = 80
_DAY = re.compile(r"\d{1,4}\s?[-/.年月]\s?\d{1,2}")
_DAY_AND_CLOCK = re.compile(r"\d{1,2}\s?[-/.月]\s?\d{1,2}日?\s{0,3}\d{1,2}[:：]\d{2}")
_DATELINE = re.compile(r"\d{1,2}月\d{1,2}日(?:电|讯|消息|電|訊)")
# What stands over comments, where no class says so.
_COMMENTS = re.compile(
    r"(?:最新|热门|全部|网友|精彩|精选|用户|所有)(?:评论|跟[帖贴]|留言|回复)\s*[（(]?\d{0,6}条?[）)]?\s*[：:]?|评论列表|评论区|跟帖评论|"
    r"最新評論|熱門評論|網友評論|全部評論|全部留言|(?:共有?|已有)\s*\d+\s*条(?:评论|跟帖|留言|回复).{0,6}"
)
# What asks for one more. It may stand among the tools above a body as well.
_TO_ANSWER = re.compile(
    r"同时转发到我的微博(?:评论)?|按热度\s*按时间|我[要来](?:说两句|评论|回复).{0,6}|发表(?:我的)?(?:评论|回复|看法|留言)|"
    r"写下[你您]的(?:评论|看法|想法).{0,6}|快来(?:评论|发表|抢).{0,10}|登[录陆]后(?:才能|可以?|即可|方可)?(?:发表)?(?:评论|回复|留言)"
)
# Of a thread: 「2楼 2026-11-20 12:33」; that of the first post stands below it or above it. An address has a floor as
# well, and no time behind it.
_FLOOR = re.compile(
    r"(?=[^楼樓]*+.)(?:第|#)?\d{1,4}\s?[楼樓](?:\s*(?:来自|发表|#|回复|举报|只看)[^，。！？]{0,30})?|"
    r"[^，。！？]{0,40}?(?<!\d)\d{1,4}\s?[楼樓]\s*\d{4}-\d[^，。！？]{0,30}"
)
_COMMENTS_CHARS = 20
# What stands over other flashes or over comments, each with its time; without one, 「评论(3)」 is a button.
_TIMED = re.compile(
    r"(?:(?:更多|最新|实时|滚动|相关|热门)(?:快讯|电报|直播|资讯|播报)|(?:电报|快讯|资讯)推荐|7[x×*]24.{0,8}快讯)[：:>＞]*|"
    r"(?:评论|跟[帖贴]|留言|回复|評論)\s*[（(]\s*\d{1,6}\s*条?\s*[）)]"
)
_CLOCK_ALONE = re.compile(
    r"\d{1,2}\s?(?:秒|分钟|小时)前$|(?:\d{1,4}[-/.月年]){0,2}(?:\d{1,2}日?\s*)?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?!\d)"
)
# Less than this, and it may be the tools between a lede and the body.
_MIN_TOLD = 2.0
# The same of an invitation to answer, and of a page without a headline, where a list may stand above all.
_MIN_TOLD_BEFORE_ANSWERS = 10.0
_MIN_TOLD_WITHOUT_HEADLINE = 5.0
_MIN_LINES, _MIN_LINES_CHARS = 4, 60
_MOST_BESIDE_TABLE_CHARS = 200
# The date under an official notice.
_NOTE = re.compile(NOTE)
_DATED_NOTICE = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日(?!\s*\d)")
_STOPS = "，。；！？"
_LATIN_STOPS = (", ", ". ")
_MIN_SENTENCE_CHARS = 8
# A wider block is taken as long as it costs no more than this of the votes: short lines beside the sentences (lists,
# results, subheads) weigh next to nothing.
_WIDER_COST = 2.0
_WIDER_COST_SHARE = 0.08
_WIDER_COST_MOST = 6.0
# A wider block that costs more is trimmed and taken if it brings so much more, with so few links in between.
_RICHER = 1.25
_MOST_BETWEEN = 3.0
_MOST_BETWEEN_SHARE = 0.5
# So many links behind the first sentence halve the weight of a sentence: what comes then is somebody else's.
_LINKS_TO_HALVE = 6
# What runs weigh that are no sentences.
_LINK = -2.0
_META = -1.5
_AWAY = -1.0
_ASIDE = 0.2
_TEASER = 0.4

# Who signs a text signs it at its end; a label such as 编辑 alone may stand at its head as well.
_SIGNATURE = re.compile(
    r"[（(【\[\s]*(?:纠错】?\s*【?)?(?:本文来源.{2,20}\s)?(?:责任编辑|责编|責任編輯|責編)\s*[：:︰]?\s*\S{0,30}"
)
_SIGNATURE_CHARS = 120
# The head of a reply in a forum, which may stand in line with the first post: 「网友 | 发表于 昨天 10:30」.
_REPLY = re.compile(
    r".{0,20}\d+\s?(?:秒|分钟|小时|天)前\s*(?:回复|举报|来自|赞).{0,16}|"
    r".{0,20}(?:发表|發表|回复|回覆|评论|留言)[于於]\s*[:：]?\s*(?:\d{1,4}[-/.小分天秒月]|今天|昨天|前天|半小时|刚刚).{0,60}"
)
_REPLY_CHARS = 60
# 「作者：某某 时间：2012-10-19 14:40:02」: of an article itself, where less stands above it.
_REPLY_BYLINE = re.compile(r"(?:作者|层主|网友)[：:]\s?\S{1,20}\s+(?:时间|日期)[：:]\s?\d{4}-\d.{0,30}")
_MIN_FIRST_POST_CHARS = 100
_MAX_NAME_CHARS = 16
_MIN_SIGNED_CHARS = 50
_MIN_DIGEST = 3
_SHORTEST_SUBHEAD = 5
_MIN_PARAGRAPH_CHARS = 25
_BULK = 0.8
_FEWEST_IN_BLOCK = 2
_LONGEST_ASIDE = 40
_ENDS = ("。", "！", "？", "）", "”")
# Short lines before the first sentence: a deck, a byline, a place. More of them are the buttons of a player.
_MOST_LEADING = 5
_MOST_BEHIND = 30
# Lines that may stand between a headline and the first paragraph, and what one weighs.
_MOST_ABOVE_OPENING = 6
_MIN_OPENING = 3.0
# Breadcrumbs, tools and a date fit in so many runs; a headline further down is one of a list.
_MAX_ABOVE_HEADLINE = 10

_RELATED = re.compile(
    r"[【\[>＞■●◆▲▼·]*\s*(?:相[关關]|延伸|此前|更多|推[荐薦]|早前|往期)"
    r"(?:报道|报导|報導|阅读|閱讀|新闻|新聞|链接|連結|专题|文章|回顾|推荐)[】\]▼]?\s*[：:]?"
)
_RELATED_CHARS = 12
# What links are about, in whatever words: these stand above a list of them.
_OF_LINKS = re.compile(
    r"更多|相[关關]|推[荐薦]|[阅閱][读讀]|[热熱]|最新|精[选選彩]|延伸|往期|其[他它]|[专專][题題]|[视視][频頻]|图集|[链鏈連][接結]|"
    r"文章|新[闻聞]|[报報][道导導]|[资資][讯訊]|看[点點]|排行|猜|[为為][你您]|大家|[编編][辑輯]|[广廣]告|[关關]注"
)
# Selectors of scrapy's kind: `h1::text`, `a::attr(href)`.
_PSEUDO = re.compile(r"::(?:text|attr\(\s*([\w:-]+)\s*\))\s*$")
_TAG = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
_TEST = re.compile(r"#([A-Za-z_][\w-]*)|\.([A-Za-z_][\w-]*)|\[([\w:-]+)(?:([~^$*]?=)(\"[^\"]+\"|'[^']+'|[\w-]+))?\]")
_COMPOUND = re.compile(rf"(?:{_TAG.pattern}|(?=[#.\[]))(?:{re.sub(r'[(](?![?])', '(?:', _TEST.pattern)})*")
_CHAIN = re.compile(rf"{_COMPOUND.pattern}(?:\s+{_COMPOUND.pattern})*")
# Of values of one attribute, before all are forgotten; longer ones are not kept.
_MAX_KNOWN = 4_096
_MAX_KNOWN_CHARS = 200


class Chosen(NamedTuple):
    """The runs of an article, and the runs of its container that are not of it, with the reason."""

    kept: list[Run]
    dropped: list[tuple[Why, Run]]


class SelectorFaultError(ValueError):
    """A selector that cannot be read."""


class Voted(NamedTuple):
    runs: list[Run]
    behind: list[Run]
    """What the block holds behind them."""


def vote(reading: Reading, headline: int | None) -> Voted:
    """The runs of the article's block on a page of an unknown site; none where nothing reads like one.

    Sentences count for a block, links and legal text against it; the block with the highest sum is the article's. So a
    block does not grow beyond the article: what lies around it is links.
    """
    mark_noise(reading, headline)
    weights = weigh(reading.runs, headline)
    sums = [0.0, *accumulate(weights)]
    gains = [sums[end] - sums[start] for start, end, _ in reading.spans]
    if max(gains, default=0.0) <= 0.0:
        return Voted(_lines_below(reading.runs, headline), [])
    best = reading.spans[gains.index(max(gains))]
    block_end, start, end = _widened(reading.spans, weights, sums, best, headline)
    first, last = _without_edges(reading, _with_opening(reading, weights, start, end, headline), end)
    first, last = _with_table(reading, first, last, headline)
    while last - first > 1 and last < len(reading.runs) and _heads_links(reading.runs[last - 1], reading.runs[last]):
        last -= 1
    # Only now: they say nothing against the block they stand in.
    _mark(reading.runs, reading.parts, headline)
    return Voted(reading.runs[first:last], reading.runs[last : min(block_end, end + _MOST_BEHIND)])


def _with_table(reading: Reading, first: int, last: int, headline: int | None) -> tuple[int, int]:
    """Of a bulletin, whose few sentences say less than its table: all that stands with both in one block, without the
    lines around a headline, links and notices."""
    runs = reading.runs
    if headline is None or sum(len(run.text) for run in runs[first:last]) > _MOST_BESIDE_TABLE_CHARS:
        return first, last
    around = ((at, to) for at, to, _ in reading.spans if at <= first and last <= to and _has_table(runs[at:to]))
    start, end = next(around, (first, last))
    at, to = first, last
    while at > max(start, headline + 1) and _may_be_bulletin(runs[at - 1]):
        at -= 1
    while to < end and runs[to].kind != "h" and _may_be_bulletin(runs[to]):
        to += 1
    return (at, to) if _has_table(runs[at:to]) else (first, last)


def _has_table(runs: Iterable[Run]) -> bool:
    return sum(run.kind == "row" and any(map(str.isdigit, run.text)) for run in runs) >= _MIN_LINES


def _may_be_bulletin(run: Run) -> bool:
    is_lead = run.text.endswith(("：", ":"))
    return not run.noise and run.free == run.text and (run.kind == "row" or is_lead or _weight(run) > _AWAY)


def _with_opening(reading: Reading, weights: Sequence[float], start: int, end: int, headline: int | None) -> int:
    """From the first paragraphs below the headline on, where a box of links parts them from the others of their block.

    A single one is the deck, or a promotion.
    """
    if headline is None or start <= headline + 2:
        return start
    below = range(headline + 1, min(start - 1, headline + 1 + _MOST_ABOVE_OPENING))
    opening = next((at for at in below if min(weights[at : at + 2]) >= _MIN_OPENING), None)
    if opening is None:
        return start
    blocks = ((at, to) for at, to, _ in reading.spans if at <= opening < to and to - at >= _FEWEST_IN_BLOCK)
    _, block_end = next(blocks, (0, 0))
    return opening if block_end >= end else start


def _without_edges(reading: Reading, start: int, end: int) -> tuple[int, int]:
    """Without the short lines before and behind the innermost block that holds the bulk of the sentences: buttons,
    invitations and counters stand in blocks of their own."""
    runs = reading.runs
    chars = [0 if run.noise or _is_aside(run) else len(run.free) for run in runs[start:end]]
    sums = [0, *accumulate(chars)]
    bulk = _BULK * sums[-1]
    if not bulk:
        return start, end
    inside = ((at, to) for at, to, _ in reading.spans if start <= at and to <= end)
    tight = next(((at, to) for at, to in inside if sums[to - start] - sums[at - start] >= bulk), (start, end))
    # A single paragraph is no block of many.
    if tight[1] - tight[0] < _FEWEST_IN_BLOCK:
        return start, end
    first, last = start, end
    while last > tight[1] and _is_aside(runs[last - 1]):
        last -= 1
    while first < tight[0] and _is_aside(runs[first]):
        first += 1
    return first, last


def _is_aside(run: Run) -> bool:
    return run.kind != "row" and len(run.text) <= _LONGEST_ASIDE and not run.text.endswith(_ENDS)


def _lines_below(runs: Sequence[Run], headline: int | None) -> list[Run]:
    """A table or a list right below the headline, on a page without a single sentence."""
    found: list[Run] = []
    for run in runs[headline + 1 :] if headline is not None else ():
        is_away = run.noise or run.free != run.text or bool(_LEGAL.search(run.text))
        if is_away and len(found) >= _MIN_LINES:
            break
        if is_away or (not found and _META_LINE.search(run.text)):
            found.clear()
        else:
            found.append(run)
    return found if len(found) >= _MIN_LINES and sum(len(run.text) for run in found) >= _MIN_LINES_CHARS else []


def _widened(
    spans: Iterable[Span], weights: Sequence[float], sums: Sequence[float], best: Span, headline: int | None
) -> tuple[int, int, int]:
    """The widest block around the best one that costs little, or that adds sentences across few links: where it ends,
    and what is left of it when it is trimmed."""
    start, end, _ = best
    block_end = end
    total = sums[end] - sums[start]
    cost = min(max(_WIDER_COST, _WIDER_COST_SHARE * total), _WIDER_COST_MOST)
    for span in spans:
        wider_start, wider_end, _ = span
        if wider_start > start or wider_end < end or span is best:
            continue
        if sums[wider_end] - sums[wider_start] >= total - cost:
            start, end, block_end = wider_start, wider_end, wider_end
            total = max(total, sums[end] - sums[start])
            continue
        first, last = _trimmed(weights, sums, wider_start, wider_end, headline)
        outside = [*weights[first:start], *weights[end:last]]
        is_richer = first <= start and last >= end and sums[last] - sums[first] > total * _RICHER
        gained = sum(weight for weight in outside if weight > 0)
        lost = -sum(weight for weight in outside if weight < 0)
        if is_richer and lost < max(_MOST_BETWEEN, _MOST_BETWEEN_SHARE * gained):
            start, end, block_end = first, last, wider_end
            total = sums[end] - sums[start]
    return block_end, *_trimmed(weights, sums, start, end, headline)


def _trimmed(
    weights: Sequence[float], sums: Sequence[float], start: int, end: int, headline: int | None
) -> tuple[int, int]:
    """Without the beginning and the end that cost a block more than they bring: it may hold the whole page.

    Lines that weigh next to nothing stay with the sentences beside them. Above the body, the headline is the border.
    """
    behind = sums[end:start:-1]
    last = end - 1 - behind.index(max(behind))
    while last + 1 < end and weights[last + 1] > _AWAY:
        last += 1
    if (
        headline is not None
        and start <= headline
        and sums[last + 1] - sums[headline] > 0.5 * (sums[last + 1] - sums[start])
    ):
        start = min(headline, last)
    before = sums[start : last + 1]
    first = start + before.index(min(before))
    subheads = sum(link == _LINK and text > 0 for link, text in pairwise(weights[first : last + 1]))
    if subheads >= _MIN_DIGEST - 1 and first > start and weights[first - 1] == _LINK:
        first -= 1
    edge = max(start, first - _MOST_LEADING)
    while first > edge and weights[first - 1] > _AWAY:
        first -= 1
    return first, last + 1


def mark_noise(reading: Reading, headline: int | None) -> None:
    """Mark the runs of blocks that are named after comments, shares and the like.

    A block that holds the headline, or half of the page's sentences, is named after something else.
    """
    _mark(reading.runs, reading.noise, headline)


def _mark(runs: Sequence[Run], spans: Iterable[Span], headline: int | None) -> None:
    sums = [0, *accumulate(len(run.free) if _is_prose(run) else 0 for run in runs)]
    for start, end, _ in spans:
        holds_headline = headline is not None and start <= headline < end
        if holds_headline or sums[end] - sums[start] > sums[-1] / 2:
            continue
        for run in runs[start:end]:
            run.noise = True


def weigh(runs: Sequence[Run], headline: int | None) -> list[float]:
    """What each run says for being the article (above 0) or against it."""
    weights: list[float] = []
    subheads = _linked_subheads(runs, headline)
    links = 0
    told = 0.0
    begun = was_link = over = False
    for at, run in enumerate(runs):
        weight = _ASIDE if at in subheads else _weight(run)
        over = over or (told >= _MIN_TOLD and _is_border(runs, at, told, headline))
        if headline is not None and run.order <= headline:
            weight = 0.0 if run.order == headline else weight * 0.3
        elif weight > 0.5:
            weight /= 1 + links / _LINKS_TO_HALVE
            # A sentence under a linked line is the teaser of another article.
            weight *= _TEASER if was_link else 1
            begun = True
            told += weight
        elif weight <= _AWAY and (begun or headline is not None) and not run.noise:
            links += 1
        if over:
            weight = min(weight, _AWAY)
        was_link = weight <= _LINK
        weights.append(weight)
    return weights


def _linked_subheads(runs: Sequence[Run], headline: int | None) -> frozenset[int]:
    """The headings of a digest that lead to its items: links below the headline, each over a paragraph.

    Where sentences stand above the first, they are the teasers of a list below an article.
    """
    found: list[int] = []
    start = len(runs) if headline is None else headline + 1
    for at in range(start, len(runs) - 1):
        run, below = runs[at], runs[at + 1]
        if run.noise or (not found and (at - start > _MAX_ABOVE_HEADLINE or _is_prose(run))):
            break
        if found and (_RELATED.fullmatch(run.text) or (run.free and _weight(run) < -_ASIDE)):
            break
        if run.kind == "li" or not _is_link(run):
            continue
        if len(run.text) > _SHORTEST_SUBHEAD and not below.noise and below.text == below.free and _is_told(below):
            found.append(at)
        elif found:
            break
    return frozenset(found if len(found) >= _MIN_DIGEST else ())


def _is_told(run: Run) -> bool:
    """Is it a paragraph, rather than a teaser that is cut short?"""
    return len(run.text) >= _MIN_PARAGRAPH_CHARS and run.text.endswith(_ENDS)


def _is_border(runs: Sequence[Run], at: int, told: float, headline: int | None) -> bool:
    """Do comments begin here, or other flashes, or the next article of a page that goes on and on: a headline over a
    time?"""
    run, below = runs[at], runs[at + 1 : at + 4]
    if len(run.text) <= _COMMENTS_CHARS:
        if _TIMED.fullmatch(run.text) and any(_CLOCK_ALONE.match(each.text) for each in below):
            return headline is not None or told >= _MIN_TOLD_WITHOUT_HEADLINE
        if _COMMENTS.fullmatch(run.text) or (told >= _MIN_TOLD_BEFORE_ANSWERS and _TO_ANSWER.fullmatch(run.text)):
            return headline is not None
    if headline is None:
        return False
    if told >= _MIN_TOLD_BEFORE_ANSWERS and len(run.text) <= _REPLY_CHARS and _FLOOR.fullmatch(run.text):
        return True
    return run.level in (1, 2) and any(
        len(each.text) < _META_LINE_CHARS and _DAY_AND_CLOCK.search(each.text) for each in below[:2]
    )


def _weight(run: Run) -> float:
    free, text = run.free, run.text
    if run.noise:
        return _AWAY
    chars = len(free)
    stops = sum(map(free.count, _LATIN_STOPS if free.isascii() else _STOPS)) if chars >= _MIN_SENTENCE_CHARS else 0
    if chars < len(text) * (0.6 if run.kind == "li" or not stops else 0.34):
        if "月" in text and len(text) < _META_LINE_CHARS and _DATELINE.search(text):
            return _ASIDE
        return _LINK if len(text) > 6 else _AWAY
    if not stops or run.kind in ("h", "row"):
        is_told = _DATED_NOTICE.match(free) or _NOTE.match(free)
        # Days are figures like others in a table.
        meta = _META_LABEL if run.kind == "row" else _META_LINE
        if chars < _META_LINE_CHARS and meta.search(free) and not is_told:
            return _META
        return _ASIDE if run.hints & Hint.BODY else -_ASIDE
    legal = len(set(_LEGAL.findall(free)))
    if legal * _LEGAL_EVERY_CHARS > chars and (legal > 1 or chars < _LEGAL_ALONE_CHARS):
        return -3.0
    score = stops + min(chars / 40, 10)
    if run.kind == "li":
        score *= 0.5
    if run.hints & Hint.BODY:
        score *= 1.3
    return score


def choose(
    runs: Sequence[Run],
    title: str,
    headline: int | None = None,
    *,
    marked: Collection[int] = (),
    all_body: bool = False,
) -> Chosen:
    """Sort out the runs of a container: link lists, noise, all above the headline and behind the signature go.

    `marked` are runs that an element's name says to tell who published, and when. With `all_body` (a feed's article,
    whose links are the writer's) only the links behind the last paragraph go.
    """
    end = _end_of_article(runs)
    kept = [run for run in runs[:end] if not run.noise]
    # A container named after its share buttons is no noise: where noise is the larger part, the name misleads.
    if sum(len(run.text) for run in kept) < 0.5 * sum(len(run.text) for run in runs[:end]):
        kept = list(runs[:end])
    kept = _without_related_inside(kept)
    kept = _without_last_links(kept) if all_body else _without_last_heading(_without_links(kept), runs)
    body = _below_headline(kept, _key(title), headline, marked)
    above = {run.order for run in kept} - {run.order for run in body}
    stays = {run.order for run in body}
    dropped: list[tuple[Why, Run]] = []
    for index, run in enumerate(runs):
        if run.order not in stays:
            dropped.append((_why(run, behind=index >= end, above=run.order in above), run))
    return Chosen(body, dropped)


def _why(run: Run, *, behind: bool, above: bool) -> Why:
    if behind:
        return "behind the signature"
    if above:
        return "headline"
    return "noise" if run.noise else "links"


def _below_headline(runs: list[Run], key: str, headline: int | None, marked: Collection[int]) -> list[Run]:
    """Without what stands above the headline, unless that is prose, and without its repetitions."""
    start = 0
    above = [run for run in runs if headline is not None and run.order <= headline]
    if len(above) <= _MAX_ABOVE_HEADLINE and not any(map(_is_prose, above[:-1])):
        start = len(above)
    start = max(start, _behind_byline(runs, start, marked))
    while key and start < len(runs) and _key(runs[start].text) == key:
        start += 1
    # A flash may say no more than its headline.
    return runs[start:] if start < len(runs) else runs[-1:]


def _behind_byline(runs: Sequence[Run], start: int, marked: Collection[int]) -> int:
    """Where the lines above the first sentence end with the one that tells the time: none of them is the article's."""
    behind = 0
    for at, run in enumerate(runs[start : start + _MAX_ABOVE_HEADLINE], start):
        if _is_prose(run):
            return behind
        if run.order in marked:
            behind = at + 1
        if len(run.text) < _META_LINE_CHARS and (run.hints & Hint.TIME or _DAY_AND_CLOCK.search(run.text)):
            behind = at + 1 if _DAY.search(run.text) else behind
    return 0


def _end_of_article(runs: Sequence[Run]) -> int:
    """Index behind the last run that can be the article's: at the editor's signature, once there has been prose."""
    prose = 0
    for index, run in enumerate(runs):
        if prose >= _MIN_SIGNED_CHARS and len(run.text) < _SIGNATURE_CHARS and _SIGNATURE.match(run.text):
            return index
        if prose and len(run.text) < _REPLY_CHARS and _REPLY.fullmatch(run.text):
            # Its writer may stand in a line of his own.
            return index - (len(runs[index - 1].text) <= _MAX_NAME_CHARS and not _is_prose(runs[index - 1]))
        if prose >= _MIN_FIRST_POST_CHARS and len(run.text) < _REPLY_CHARS and _REPLY_BYLINE.fullmatch(run.text):
            return index
        if _is_prose(run):
            prose += len(run.free)
    return len(runs)


def _without_links(runs: Sequence[Run]) -> list[Run]:
    """Without the runs that are links only, unless they are the subheads of a digest, each with its paragraph."""
    away = [_is_link(run) for run in runs]
    subheads = [at for at in range(len(runs) - 1) if away[at] and not away[at + 1] and _is_prose(runs[at + 1])]
    is_digest = len(subheads) >= _MIN_DIGEST and len(subheads) * 2 >= sum(away)
    stays = set(subheads) if is_digest else set()
    return [run for at, run in enumerate(runs) if not away[at] or at in stays]


def _without_related_inside(runs: list[Run]) -> list[Run]:
    """Without related articles in the middle of a text: heading and links, where it goes on below them."""
    away: set[int] = set()
    for at, run in enumerate(runs):
        if len(run.text) > _RELATED_CHARS or not _RELATED.fullmatch(run.text):
            continue
        below = at + 1
        while below < len(runs) and _is_link(runs[below]):
            below += 1
        rest = runs[below:]
        if below > at + 1 and any(map(_is_prose, rest)) and not any(map(_is_link, rest)):
            away.update(range(at, below))
    return [run for at, run in enumerate(runs) if at not in away] if away else runs


def _without_last_heading(runs: list[Run], whole: Sequence[Run]) -> list[Run]:
    """Without a heading that has nothing below it: what it stood over was links."""
    is_bare = len(runs) > 1 and runs[-1].kind == "h" and not _is_prose(runs[-1])
    if is_bare and _is_prose(runs[-2]):
        return runs[:-1]
    below = next((run for run in whole if run.order > runs[-1].order), None) if len(runs) > 1 else None
    return runs[:-1] if below is not None and _heads_links(runs[-1], below) else runs


def _heads_links(run: Run, below: Run) -> bool:
    """Does a line that says what links are about stand right above one?"""
    return (
        len(run.text) <= _RELATED_CHARS
        and not run.text.endswith(_ENDS)
        and bool(_OF_LINKS.search(run.text))
        and _is_link(below)
    )


def _without_last_links(runs: Sequence[Run]) -> list[Run]:
    """Without the links behind the last sentence or line that is no link, and without lists of related articles."""
    end = max((at + 1 for at, run in enumerate(runs) if not _is_link(run)), default=len(runs))
    told = max((at + 1 for at, run in enumerate(runs) if _is_prose(run)), default=len(runs))
    kept: list[Run] = []
    related = False
    for at, run in enumerate(runs[:end]):
        related = at >= told or bool(_RELATED.fullmatch(run.text)) or (related and _is_link(run))
        if not (related and _is_link(run)):
            kept.append(run)
    return kept


def _is_link(run: Run) -> bool:
    return len(run.free) < len(run.text) / 3 and not _is_prose(run)


def _is_prose(run: Run) -> bool:
    return "，" in run.free or "。" in run.free or (run.free.isascii() and ", " in run.free)


def is_same(line: str, title: str) -> bool:
    """Do they differ in nothing but spaces and punctuation?"""
    return _key(line) == _key(title) != ""


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def containers(finder: Finder, selectors: Iterable[str]) -> list[etree._Element]:
    """What the first matching selector names; several elements, where a body lies in pieces."""
    for selector in selectors:
        found = [element for element in finder.select(selector) if _holds_something(element)]
        inner = {element for outer in found for element in outer.iterdescendants()} if len(found) > 1 else set()
        if outer := [element for element in found if element not in inner]:
            return outer
    return []


def _holds_something(element: etree._Element) -> bool:
    return not all(map(str.isspace, texts_of(element))) or next(element.iter("img"), None) is not None


class Finder:
    """Looks for selectors below one element. Those of ids, classes and attributes, which nearly all are, are looked up
    in an index made in one pass: a source has thirty of them, and libxml2 goes over the whole page for each.

    With the `wanted` of all selectors that will be asked for, the index holds only what one of them may mean.
    """

    __slots__ = ("_index", "_root", "_wanted")

    def __init__(self, root: etree._Element, wanted: Wanted | None = None) -> None:
        self._root = root
        self._wanted = wanted
        self._index: _Index | None = None

    def select(self, selector: str, inside: etree._Element | None = None) -> list[etree._Element]:
        """Elements in document order, all or those inside one. Raises SelectorFaultError."""
        named = parsed(selector)
        steps, first = named.steps, named.first
        if self._index is None:
            self._index = _index_of(self._root, self._wanted)
        if steps is None:
            # An XPath goes over all that is below an element: of the page, only over what the index names for it.
            starts = [self._root] if first is None else first.candidates(self._index)
            # The only one that may be the outermost is it, or nothing is.
            is_outermost = first is not None and inside is None and len(starts) == 1
            if inside is not None:
                starts = [inside] if starts else []
            find = _compiled(named.plain, "self::" if is_outermost else "descendant-or-self::")
            return list(dict.fromkeys(element for start in starts for element in find(start)))
        if steps[-1].key or len(steps) == 1 or steps[-1].tests:
            return self._found(self._index, steps, inside)
        # `#info p`: the outer element is in the index, and few elements are inside.
        outer = self._found(self._index, steps[:-1], inside)
        return list(dict.fromkeys(inner for each in outer for inner in each.iterdescendants(steps[-1].tag)))

    def _found(self, index: _Index, steps: Sequence[Step], inside: etree._Element | None) -> list[etree._Element]:
        last, outer = steps[-1], steps[:-1]
        candidates = last.candidates(index) if last.key else self._root.iter(last.tag)
        if candidates == ():
            return []
        found = [element for element in candidates if last.fits(element) and (not outer or _stands_in(element, outer))]
        if inside is None:
            return found
        return [element for element in found if element is inside or inside in element.iterancestors()]

    def text(self, selectors: Iterable[str]) -> str | None:
        """Text, or the attribute asked for, of the first selector that finds any."""
        for selector in selectors:
            attribute = parsed(selector).attribute
            for element in self.select(selector):
                value = element.get(attribute) if attribute else "".join(texts_of(element))
                if value and (value := " ".join(value.split())):
                    return value
        return None


class Wanted:
    """The ids and classes that some selectors ask for."""

    __slots__ = ("classes", "ids")

    def __init__(self, selectors: Iterable[str]) -> None:
        steps = [step for each in map(parsed, selectors) for step in (*(each.steps or ())[-2:], each.first) if step]
        tests = {step.key for step in steps if step.key}
        self.ids, self.classes = (_Known(test for test in tests if test[0] == name) for name in ("id", "class"))


class _Known(dict[str, bool]):
    """Whether a value passes any of some tests. A site's pages share most of theirs, so that each is tested once."""

    def __init__(self, tests: Iterable[tuple[str, str, str]]) -> None:
        super().__init__()
        self._tests = tuple(tests)

    def __missing__(self, value: str) -> bool:
        found = any(_COMPARISONS[how](value, part) for _, how, part in self._tests)
        if len(self) >= _MAX_KNOWN:
            self.clear()
        if len(value) <= _MAX_KNOWN_CHARS:
            self[value] = found
        return found


class _Index(NamedTuple):
    """Elements with their place in the document, by value of an attribute: a page has few values for many elements."""

    by_value: dict[str, dict[str, list[tuple[int, etree._Element]]]]
    by_word: dict[str, list[tuple[int, etree._Element]]]
    """Of classes."""


class Step(NamedTuple):
    """One compound of a selector, such as `p.source[id^="big"]`."""

    tag: str | None
    tests: tuple[tuple[str, str, str], ...]
    """Attribute, comparison as in CSS (`~=` holds the word), value."""

    key: tuple[str, str, str] | None
    """The test that the index answers."""

    def candidates(self, index: _Index) -> Sequence[etree._Element]:
        assert self.key is not None
        name, comparison, value = self.key
        if comparison == "~=":
            found = index.by_word.get(value)
        elif comparison == "=":
            found = index.by_value[name].get(value)
        else:
            compare = _COMPARISONS[comparison]
            found = [place for text, places in index.by_value[name].items() if compare(text, value) for place in places]
        # Most of what a source's selectors name is on no one page of it.
        return [element for _, element in sorted(found, key=_place)] if found else ()

    def fits(self, element: etree._Element) -> bool:
        if self.tag is not None and element.tag != self.tag:
            return False
        for name, comparison, value in self.tests:
            found = element.get(name)
            if found is None or not _COMPARISONS[comparison](found, value):
                return False
        return True


_place = itemgetter(0)
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "": lambda _, __: True,
    "=": str.__eq__,
    "^=": str.startswith,
    "$=": str.endswith,
    "*=": str.__contains__,
    "~=": lambda found, value: value in found.split(),
}


class _Parsed(NamedTuple):
    plain: str
    """Without the part that says what is read of the element."""
    attribute: str | None
    """That part."""
    steps: tuple[Step, ...] | None
    """Of a chain of compounds that the index answers."""
    first: Step | None
    """Of any other, the outermost element if that is in the index: without it there is nothing to find."""


@lru_cache(maxsize=2048)
def parsed(selector: str) -> _Parsed:
    pseudo = _PSEUDO.search(selector)
    plain = _PSEUDO.sub("", selector).strip()
    steps = _steps(plain)
    first = _COMPOUND.match(plain) if steps is None and "," not in plain else None
    step = _step(first[0]) if first else None
    return _Parsed(plain, pseudo[1] if pseudo else None, steps, step if step and step.key else None)


def _steps(selector: str) -> tuple[Step, ...] | None:
    """A selector that is a chain of tags, ids, classes and attributes, one inside the other; None for any other."""
    if not _CHAIN.fullmatch(selector):
        return None
    steps = [_step(compound) for compound in _COMPOUND.findall(selector)]
    last = steps[-1]
    is_tag_inside = len(steps) > 1 and not last.tests and steps[-2].key
    return tuple(steps) if last.key or (last.tag and (last.tests or len(steps) == 1)) or is_tag_inside else None


def _step(compound: str) -> Step:
    tag = _TAG.match(compound)
    tests = [
        ("id", "=", css_id) if css_id else ("class", "~=", css_class) if css_class else (name, comparison, value)
        for css_id, css_class, name, comparison, value in _TEST.findall(compound)
    ]
    bare = tuple((name, comparison, value.strip("\"'")) for name, comparison, value in tests)
    key = next((test for test in bare if test[0] in ("id", "class")), None)
    return Step(tag[0].lower() if tag else None, bare, key)


def _index_of(root: etree._Element, wanted: Wanted | None) -> _Index:
    ids: dict[str, list[tuple[int, etree._Element]]] = {}
    classes: dict[str, list[tuple[int, etree._Element]]] = {}
    for place, element in enumerate(root.iter(etree.Element)):
        if (css_id := element.get("id")) is not None and (wanted is None or wanted.ids[css_id]):
            ids.setdefault(css_id, []).append((place, element))
        if (css_class := element.get("class")) is not None and (wanted is None or wanted.classes[css_class]):
            classes.setdefault(css_class, []).append((place, element))
    words: dict[str, list[tuple[int, etree._Element]]] = {}
    for names, places in classes.items():
        for word in set(names.split()):
            words.setdefault(word, []).extend(places)
    return _Index({"id": ids, "class": classes}, words)


def _stands_in(element: etree._Element, steps: Sequence[Step]) -> bool:
    """Is it inside an element that fits the last step, inside one that fits the step before …?"""
    ancestors = element.iterancestors()
    return all(any(step.fits(outer) for outer in ancestors) for step in reversed(steps))


@lru_cache(maxsize=2048)
def _compiled(selector: str, axis: str) -> Callable[[etree._Element], list[etree._Element]]:
    """An XPath whose outermost element is on that axis."""
    try:
        expression = HTMLTranslator().css_to_xpath(selector or "*", axis)
    except SelectorError as error:
        raise SelectorFaultError(f"{selector!r} is not a selector: {error}") from error
    return cast("Callable[[etree._Element], list[etree._Element]]", etree.XPath(expression, regexp=False))

"""Where on a page the article is: by the rules of its source, or by a vote of its sentences.

The lanes, from the cheapest to the last resort (the lane used is told in the article's flags when it is not the expected one):

    slice  the page is cut behind the container that a rule names by id or class, and only the rest is parsed
    rule   a selector of the source on the whole parsed page
    vote   no rule: Chinese commas and full stops outside links vote for their block and for all blocks around it
    full   nothing voted: trafilatura on the page as it is
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from articles.canonical import Hint, Reading, Run

# What the site says about itself reads like prose, and on a short page there is more of it than of news.
LEGAL = re.compile(
    r"版权|著作权|免责|声明[：:]|转载|侵权|举报|许可证|备案|公网安备|不代表本|不构成投资|风险自担|未经.{0,12}授权|稿件|"
    r"联系我们|客服|投稿|本网站|本站|本平台|网友|发表评论|评论仅|登录|登陆|注册|验证码|密码|浏览器|javascript|copyright|"
    r"all rights reserved|cookie|©|邮箱|建议您?使用|欢迎.{0,6}关注|下载.{0,8}(?:APP|客户端)|著作權|轉載|舉報",
    re.IGNORECASE,
)
# Around the headline: when, from where, by whom.
META_LINE = re.compile(r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}|来源|來源|责任编辑|責任編輯|作者[：:]|发布时间|字号|评论")
# Selectors of scrapy's kind: `h1::text`, `a::attr(href)`.
_PSEUDO = re.compile(r"::(?:text|attr\(\s*([\w:-]+)\s*\))\s*$")
_FENCE = re.compile(r"(?:[a-z][a-z0-9]*)?([#.])([A-Za-z_][\w-]*)$")
_TAGS = r"<!--.*?-->|<script\b.*?</script\s*>|<style\b.*?</style\s*>|<(/?)(TAG)\b[^>]*?(/?)>"

_STOPS = "，。；！？"




def vote(reading: Reading, headline: int | None) -> list[Run]:
    """The runs of the article on a page of an unknown site; empty where nothing reads like prose.

    Sentences count for a block, links and legal text against it; the block with the highest sum is the article. So a
    block never grows beyond the article: what lies around it is links.
    """
    mark_noise(reading, headline)
    sums = [0.0, *accumulate(_weights(reading.runs, headline))]
    best, best_sum = None, 0.0
    for start, end, _, _ in reading.spans:
        total = sums[end] - sums[start]
        if total > best_sum:
            best, best_sum = (start, end), total
    if best is None:
        return []
    # Short lines beside the sentences (lists, results, subheads) weigh nothing: take the wider block that costs little.
    for start, end, _, _ in reading.spans:
        if start <= best[0] and end >= best[1] and sums[end] - sums[start] >= best_sum - max(2.0, 0.08 * best_sum):
            best = (start, end)
            best_sum = max(best_sum, sums[end] - sums[start])
    return reading.runs[best[0] : best[1]]


def mark_noise(reading: Reading, headline: int | None) -> None:
    """Mark the runs of blocks that are named after comments, shares and the like.

    A block that holds the headline, or half of the page's sentences, is named after something else.
    """
    runs = reading.runs
    sums = [0, *accumulate(len(run.free_text) if "，" in run.free_text or "。" in run.free_text else 0 for run in runs)]
    for start, end in reading.noise:
        if (headline is not None and start <= headline < end) or sums[end] - sums[start] > sums[-1] / 2:
            continue
        for run in runs[start:end]:
            run.noise = True


def _weights(runs: Sequence[Run], headline: int | None) -> list[float]:
    weights: list[float] = []
    away = 0.0
    begun = False
    for run in runs:
        weight = _weight(run)
        if headline is not None and run.order <= headline:
            weight = min(weight * 0.3, 0.0 if run.order == headline else weight)
        elif weight > 0.5:
            # The further a sentence is from the headline, counted in links between them, the less it counts.
            weight *= 1 / (1 + away / 6)
            begun = True
        elif weight <= -1 and (begun or headline is not None):
            away += 1
        weights.append(weight)
    return weights


def _weight(run: Run) -> float:
    """How much a run speaks for being the article (above 0) or against it."""
    free = " ".join(run.free_text.split())
    chars = len(free)
    text_chars = len(" ".join(run.text.split()))
    stops = sum(map(free.count, _STOPS))
    if chars < text_chars * (0.6 if run.kind == "li" or not stops else 0.34):
        return -2.0 if text_chars > 6 else -1.0
    if run.noise:
        return -1.0
    if not stops or chars < 8 or run.kind in ("h", "row"):
        if META_LINE.search(free) and chars < 80:
            return -1.5
        return 0.2 if run.hints & Hint.BODY else -0.2
    legal = len(set(LEGAL.findall(free)))
    if legal and legal * 60 > chars:
        return -3.0
    score = stops + min(chars / 40, 10)
    if run.kind == "li":
        score *= 0.5
    if run.hints & Hint.BODY:
        score *= 1.3
    return score


def prune(runs: Sequence[Run], title: str) -> tuple[list[Run], list[Run]]:
    """The runs of a container that are the article, and those that are not: link lists, noise, the title repeated, and
    whatever follows the editor's signature."""
    kept = [run for run in runs[: _end_of_article(runs)] if not _leads_away(run)]
    quiet = [run for run in kept if not run.noise]
    # A container named after its share buttons is no noise: where noise is the larger part, the name misleads.
    if sum(len(run.text) for run in quiet) >= 0.5 * sum(len(run.text) for run in kept):
        kept = quiet
    key = _key(title)
    while kept and key and _key(kept[0].text) == key:
        kept.pop(0)
    stays = {run.order for run in kept}
    return kept, [run for run in runs if run.order not in stays]


# Who signs a text signs it at its end; a label such as 编辑 alone may stand at its head as well.
SIGNATURE = re.compile(r"[（(【\[\s]*(?:【?纠错】?\s*)?(?:本文来源.{2,20}\s)?(?:责任编辑|责编|責任編輯|責編)\s*[：:︰]?\s*\S{0,30}")
MIN_SIGNED_CHARS = 50


def _end_of_article(runs: Sequence[Run]) -> int:
    """Index behind the last run that can be the article's: at the editor's signature, once there has been prose."""
    prose = 0
    for index, run in enumerate(runs):
        text = run.text
        if prose >= MIN_SIGNED_CHARS and len(text) < 120 and SIGNATURE.match(text.strip()):
            return index
        if "，" in text or "。" in text:
            prose += len(run.free_text)
    return len(runs)


def _leads_away(run: Run) -> bool:
    text = " ".join(run.text.split())
    free = " ".join(run.free_text.split())
    if not text:
        return True
    return len(free) < len(text) / 3 and not any(stop in free for stop in "，。")


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


class SelectorFault(ValueError):
    """A selector that cannot be read."""


@lru_cache(maxsize=2048)
def _compiled(selector: str) -> tuple[etree.XPath, str | None, bool]:
    """XPath of a selector, the attribute it takes, and whether it takes text."""
    found = _PSEUDO.search(selector)
    plain = selector[: found.start()] if found else selector
    try:
        expression = HTMLTranslator().css_to_xpath(plain.strip() or "*")
    except SelectorError as error:
        raise SelectorFault(f"{selector!r} is not a selector: {error}") from error
    return etree.XPath(expression), found[1] if found else None, found is not None


def select(root: etree._Element, selector: str) -> list[etree._Element]:
    """Elements below `root`, in document order."""
    elements = _compiled(selector)[0](root)
    return [element for element in elements if element is not root]


def select_text(root: etree._Element, selectors: Sequence[str]) -> str | None:
    """Text, or the attribute asked for, of the first selector that finds any."""
    for selector in selectors:
        expression, attribute, _ = _compiled(selector)
        for element in expression(root):
            value = element.get(attribute) if attribute else "".join(element.itertext())
            if value and (value := " ".join(value.split())):
                return value
    return None


def by_rule(tree: etree._Element, selectors: Sequence[str]) -> list[etree._Element]:
    """The container that the first matching selector names; several, where a body lies in pieces."""
    for selector in selectors:
        found = [element for element in select(tree, selector) if any(text.strip() for text in element.itertext())]
        outer = [element for element in found if not any(other is not element and _is_within(element, other) for other in found)]
        if outer:
            return outer
    return []


def cut_behind(html: str, selectors: Sequence[str]) -> str | None:
    """The page up to the end of its body's container, if a selector names that by one id or class; None otherwise.

    Most of a news page lies behind the article: comments, teasers, scripts. What is cut need not be parsed.
    """
    for selector in selectors:
        fence = _FENCE.match(selector.strip())
        if fence is None:
            continue
        opening = _opening(fence[1], fence[2]).search(html)
        if opening is None:
            continue
        tag = opening[1].lower()
        end = _closing(html, opening.end(), tag)
        return html[:end] if end is not None else None
    return None


@lru_cache(maxsize=512)
def _opening(kind: str, name: str) -> re.Pattern[str]:
    attribute = "id" if kind == "#" else "class"
    inside = re.escape(name) if kind == "#" else rf"(?:[^\"'>]*\s)?{re.escape(name)}(?:\s[^\"'>]*)?"
    return re.compile(rf"<([a-zA-Z][a-zA-Z0-9]*)\b[^>]*?\s{attribute}\s*=\s*([\"']?)\s*{inside}\s*\2[\s/>][^>]*", re.DOTALL)


@lru_cache(maxsize=64)
def _tag_pattern(tag: str) -> re.Pattern[str]:
    return re.compile(_TAGS.replace("TAG", tag), re.DOTALL | re.IGNORECASE)


def _closing(html: str, start: int, tag: str) -> int | None:
    depth = 1
    for found in _tag_pattern(tag).finditer(html, start):
        if found[2] is None or found[3]:
            continue
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return None

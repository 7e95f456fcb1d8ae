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
    weights = [_weight(run, headline) for run in reading.runs]
    sums = [0.0, *accumulate(weights)]
    best, best_sum = None, 0.0
    for start, end, _, element in reading.spans:
        total = sums[end] - sums[start]
        if total > best_sum:
            best, best_sum = (start, end), total
    if best is None:
        return []
    return reading.runs[best[0] : best[1]]


def _weight(run: Run, headline: int | None) -> float:
    free = " ".join(run.free_text.split())
    chars = len(free)
    text_chars = len(" ".join(run.text.split()))
    if chars < text_chars / 3:
        return -2.0
    stops = sum(map(free.count, _STOPS))
    if not stops or chars < 8 or run.kind in ("h", "row"):
        if run.hints & Hint.NOISE:
            return -1.0
        if run.hints & Hint.BODY:
            return 0.2
        return -0.2
    if LEGAL.search(free) and chars < 200:
        return -3.0
    score = stops + min(chars / 40, 10)
    if run.kind == "li":
        score *= 0.5
    if run.hints & Hint.NOISE:
        score *= 0.15
    elif run.hints & Hint.BODY:
        score *= 1.3
    if headline is not None:
        distance = run.order - headline
        score *= 0.3 if distance <= 0 else 1 + 1 / (1 + distance / 20)
    return score


def prune(runs: Sequence[Run], title: str) -> list[Run]:
    """The runs of a container without those that lead away from the article: link lists, noise, the title repeated."""
    kept = [run for run in runs if not _leads_away(run)]
    quiet = [run for run in kept if not run.hints & Hint.NOISE]
    # A container named after its share buttons is no noise: where noise is the larger part, the name misleads.
    if sum(len(run.text) for run in quiet) >= 0.5 * sum(len(run.text) for run in kept):
        kept = quiet
    key = _key(title)
    while kept and key and _key(kept[0].text) == key:
        kept.pop(0)
    return kept


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

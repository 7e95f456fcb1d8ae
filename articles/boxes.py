"""Boxes around the paragraphs of a body and among them: the card of an author, a quote, an invitation.

    <div class="text"> <p>…</p> <p>…</p> <div class="quote-box">…</div> <p>…</p> </div> <div class="card">…</div>
                                         ─────── a box ───────                         ───── another ─────

On 250 pages, lines of such blocks were the site's thirty times as often, for one that was the article's, as lines that
stand among the paragraphs. What becomes of them is decided in articles.wrapper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from lxml import etree

from articles.canonical import Hint, Reading, Run, Span, hints_of

# What paragraphs, subheads, lists and tables are made of is no box.
BOX_TAGS = frozenset(("div", "section", "aside", "figure", "center", "dl", "form", "header", "footer", "fieldset"))
MOST_RUNS, MOST_CHARS = 6, 300
# What stands beside a portrait or a code to scan; with more, it is an illustrated part of the text.
MOST_CARD_CHARS = 120
# Where more blocks than these have the same tag, that is how the page makes its paragraphs.
MOST_ALIKE = 0.34
# Of the characters of sentences, in the block that is the body's.
BULK = 0.8
FEWEST_IN_BODY = 2
SENTENCE_CHARS = 40


class Box(NamedTuple):
    number: int
    is_card: bool
    """Behind the body, and named after an author or around a picture: a portrait, a code to scan."""


def boxes_of(reading: Reading, kept: Sequence[Run]) -> Mapping[int, Box]:
    """The box of each run that is in one, by the run's place."""
    spans = [span for span in reading.spans if kept and span[0] <= kept[-1].order and span[1] > kept[0].order]
    body = _body_block(spans, kept)
    if body is None:
        return {}
    around = _outermost(spans, body)
    among = {span[0]: span[2].tag for span in around.values() if body[0] <= span[0] < body[1]}
    frequent = {tag for tag, count in Counter(among.values()).items() if count > MOST_ALIKE * len(among)}
    boxes: dict[int, Box] = {}
    for run in kept:
        span = around.get(run.order)
        if span is None or not _is_small(reading.runs[span[0] : span[1]]):
            continue
        is_behind, is_before = span[0] >= body[1], span[1] <= body[0]
        if is_behind or is_before or (_is_named_block(span[2]) and span[2].tag not in frequent):
            boxes[run.order] = Box(span[0], is_behind and _is_card(reading, span))
    return boxes


def _body_block(spans: Sequence[Span], kept: Sequence[Run]) -> Span | None:
    """The innermost block with the bulk of the sentences."""
    first, last = kept[0].order, kept[-1].order + 1
    chars = [0] * (last - first)
    for run in kept:
        if len(run.text) > SENTENCE_CHARS or run.text.endswith("。"):
            chars[run.order - first] = len(run.free)
    sums = [0, *accumulate(chars)]
    for span in spans:
        start, end = max(span[0], first), min(span[1], last)
        if end - start >= FEWEST_IN_BODY and sums[end - first] - sums[start - first] >= BULK * sums[-1] > 0:
            return span
    return None


def _outermost(spans: Sequence[Span], body: Span) -> dict[int, Span]:
    """For each run the outermost block around it that holds no more than a part of the body's, or nothing of it."""
    found: dict[int, Span] = {}
    for span in spans:
        start, end, _ = span
        inside = body[0] <= start and end <= body[1] and span is not body
        if inside or end <= body[0] or start >= body[1]:
            found.update(dict.fromkeys(range(start, end), span))
    return found


def _is_small(runs: Sequence[Run]) -> bool:
    return len(runs) <= MOST_RUNS and sum(len(run.text) for run in runs) <= MOST_CHARS


def _is_named_block(element: etree._Element) -> bool:
    """Without a name, blocks among paragraphs are subheads and signatures as often."""
    return element.tag in BOX_TAGS and bool(element.get("class") or element.get("id"))


def _is_card(reading: Reading, span: Span) -> bool:
    start, end, element = span
    if hints_of(f"{element.get('class') or ''} {element.get('id') or ''}") & Hint.AUTHOR:
        return True
    chars = sum(len(run.text) for run in reading.runs[start:end])
    return chars <= MOST_CARD_CHARS and next(element.iter("img"), None) is not None

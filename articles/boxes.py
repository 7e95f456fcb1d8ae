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
    """Outside the body and named after an author, or behind it around a picture: a portrait, a code to scan."""


def boxes_of(reading: Reading, kept: Sequence[Run]) -> Mapping[int, Box]:
    """The box of each place in the reading that is in one."""
    if not kept:
        return {}
    first, last = kept[0].order, kept[-1].order
    spans = [span for span in reading.spans if span[0] <= last and span[1] > first]
    body = _body_block(spans, kept)
    if body is None:
        return {}
    blocks = _outermost(spans, body)
    tags = Counter(element.tag for start, _, element in blocks if body[0] <= start < body[1])
    box_tags = BOX_TAGS - {tag for tag, count in tags.items() if count > MOST_ALIKE * tags.total()}
    boxes: dict[int, Box] = {}
    for start, end, element in blocks:
        is_behind, is_before = start >= body[1], end <= body[0]
        is_block = is_behind or is_before or (element.tag in box_tags and _is_named(element))
        if is_block and _is_small(runs := reading.runs[start:end]):
            box = Box(start, _is_card(element, runs) if is_behind else is_before and _is_named_after_author(element))
            boxes.update(dict.fromkeys(range(start, end), box))
    return boxes


def _body_block(spans: Sequence[Span], kept: Sequence[Run]) -> Span | None:
    """The innermost block with the bulk of the sentences."""
    first, last = kept[0].order, kept[-1].order + 1
    chars = [0] * (last - first)
    for run in kept:
        if len(run.text) > SENTENCE_CHARS or run.text.endswith("。"):
            chars[run.order - first] = len(run.free)
    sums = [0, *accumulate(chars)]
    bulk = BULK * sums[-1]
    for span in spans if bulk else ():
        start, end, _ = span
        # Most blocks are single paragraphs.
        if end - start >= FEWEST_IN_BODY and sums[min(end, last) - first] - sums[max(start, first) - first] >= bulk:
            return span
    return None


def _outermost(spans: Sequence[Span], body: Span) -> list[Span]:
    """The blocks of which the body is made, and those beside it, without what is inside them."""
    found: list[Span] = []
    border = spans[-1][1]
    # Inner blocks come before the ones around them.
    for span in reversed(spans):
        start, end, _ = span
        if start < border and not (start <= body[0] and end >= body[1]):
            found.append(span)
            border = start
    return found


def _is_small(runs: Sequence[Run]) -> bool:
    return len(runs) <= MOST_RUNS and sum(len(run.text) for run in runs) <= MOST_CHARS


def _is_named(element: etree._Element) -> bool:
    """Without a name, blocks among paragraphs are subheads and signatures as often."""
    return bool(element.get("class") or element.get("id"))


def _is_card(element: etree._Element, runs: Sequence[Run]) -> bool:
    return _is_named_after_author(element) or (
        sum(len(run.text) for run in runs) <= MOST_CARD_CHARS and next(element.iter("img"), None) is not None
    )


def _is_named_after_author(element: etree._Element) -> bool:
    return bool(hints_of(f"{element.get('class') or ''} {element.get('id') or ''}") & Hint.AUTHOR)

"""Language and script of a text, from its characters alone."""

from __future__ import annotations

import re

_SAMPLE_CHARS = 1_000
_HAN = re.compile(r"[\u3400-\u9fff]+")
_KANA = re.compile(r"[\u3041-\u30ff]+")
_LETTERS = re.compile(r"[A-Za-z]+")
# Everyday characters that exist in one script only.
_TRADITIONAL = re.compile(
    "[這個國們來時對說會為過學發當體機關開見樣聽讀無從還進動長業東間問題電經務員應現實點內總資報場產價數買賣億萬與後將書車門]"
)
_SIMPLIFIED = re.compile(
    "[这个国们来时对说会为过学发当体机关开见样听读无从还进动长业东间问题电经务员应现实点内总资报场产价数买卖亿万与后将书车门]"
)


def language_of(text: str, default: str) -> str:
    """zh-Hans, zh-Hant, ja or en; `default` for a text that shows none of them."""
    sample = text[:_SAMPLE_CHARS]
    # Removing is four times faster than finding: the rest is counted, not listed.
    chars = len(sample)
    others = _HAN.sub("", sample)
    han = chars - len(others)
    if len(others) - len(_KANA.sub("", others)) > 0.2 * (han + 1):
        return "ja"
    if han * 4 < len(others) - len(_LETTERS.sub("", others)):
        return "en"
    traditional = len(_TRADITIONAL.findall(sample))
    # Without a traditional character, one of the other script tells.
    simplified = len(_SIMPLIFIED.findall(sample)) if traditional else bool(_SIMPLIFIED.search(sample))
    if traditional == simplified:
        return default
    return "zh-Hant" if traditional > simplified else "zh-Hans"

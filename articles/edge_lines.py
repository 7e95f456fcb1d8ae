"""Says how sure it is that a line at the edge of a body is the site's: a linear judge of character n-grams and shapes.

Its weights (articles.edge_weights) are learned from invented lines of both kinds, see training/edge_lines.py. It is
asked about lines that the table of patterns (articles.wrapper_table) left at an edge, and knows nothing but the line.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from operator import add
from typing import Final, Literal, NamedTuple

from articles import edge_weights

Edge = Literal["head", "tail"]

# Among the ends of 2,110 real texts, three of the 45 lines above it are the article's.
SURE: Final[Mapping[Edge, float]] = {"head": 0.95, "tail": 0.95}
# In a box of its own (articles.boxes) a line is the site's far more often.
SURE_IN_BOX: Final = 0.4
# Weights are whole numbers of this part.
SCALE = 10

# What stands in n-grams for the borders of a line and for white space: those of the table are set apart by spaces.
_START, _END, _SPACE = "^", "$", "_"
_QUOTES = re.compile("[“”„‘’「」『』']")
_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"\s+")
_LATIN = re.compile(r"[a-z]+")
_FIRST_SENTENCE = re.compile(r".{6,}?[。！？!?](?=.{4})")
# Their names are longer than any n-gram, so that no line can spell one.
_SHAPES = {
    "shape:address": re.compile(r"https?:|www\.|\.com|\.cn|@"),
    "shape:ends-as-a-sentence": re.compile(r'[。!?][")\]]?$'),
    "shape:in-brackets": re.compile(r"[(\[【〔<].*[)\]】〕>]"),
    "shape:bar": re.compile(r"[|丨/·]"),
    "shape:sign": re.compile(r"[^\w\s.,:;!?()\[\]<>{}\"'%$、。+\-*/|~…—·【】〔〕&@#=≤≥±×÷√℃°‰→]"),
    "shape:two-sentences": re.compile(r"[。!?].*[。!?]"),
    "shape:spaced": _SPACES,
}


class Weights(NamedTuple):
    bias: int
    of: Mapping[str, int]


def sureness(plain: str, edge: Edge, least: float = 0.0) -> float:
    """From 0 (the article's) to 1 (the site's), for a line in simplified script; where it is less than `least`, any
    number that is.

    Of a paragraph that has the site's words at its end, the first sentence is the article's.
    """
    weights, first = weights_of(edge), _FIRST_SENTENCE.match(plain)
    # By its first sentence most of the articles' last paragraphs are told, for less than half of the work.
    if first and least >= SURE[edge] and (sure := judged(first[0], weights)) < least:
        return sure
    sure = judged(plain, weights)
    return min(sure, judged(first[0], weights)) if first and sure >= SURE[edge] else sure


def judged(plain: str, weights: Weights) -> float:
    """As `sureness`, of the line as a whole."""
    found = features(plain)
    total = weights.bias + sum(map(weights.of.__getitem__, found & weights.of.keys())) / math.sqrt(len(found))
    return 1 / (1 + math.exp(-total / SCALE))


def features(plain: str) -> set[str]:
    """All n-grams of the line, each once, and what shapes it has."""
    folded = _DIGITS.sub("0", _QUOTES.sub('"', unicodedata.normalize("NFKC", plain).lower()))
    words = _LATIN.findall(folded)
    line = f"{_START}{_SPACES.sub(_SPACE, _LATIN.sub('a', folded))}{_END}"
    # Of one character, of two, of three, of four.
    pairs = list(map(add, line, line[1:]))
    found = {*line, *pairs, *map(add, pairs, line[2:]), *map(add, pairs, pairs[2:])}
    # "shape:spaced" says that there is one.
    found.discard(_SPACE)
    found.update(name for name, shape in _SHAPES.items() if shape.search(folded))
    found.add(f"shape:length-{len(folded).bit_length()}")
    found.update(f"word:{word}" for word in words)
    return found


@cache
def weights_of(edge: Edge) -> Weights:
    """Of a line of the table, the first field is the weight of all others."""
    bias, table = edge_weights.TABLES[edge]
    rows = (row.split() for row in table.splitlines())
    return Weights(bias, {name: int(weight) for weight, *names in rows for name in names})

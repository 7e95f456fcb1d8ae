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

# Among the ends of 2,110 real texts, seven of the 61 lines above it may be the article's.
SURE: Final[Mapping[Edge, float]] = {"head": 0.95, "tail": 0.95}
# In a box of its own (articles.boxes) a line is the site's far more often.
SURE_IN_BOX: Final = 0.4
# Over the first text of a digest, a line like the headings of its others.
SURE_OF_SUBHEAD: Final = 0.99
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
    first = _FIRST_SENTENCE.match(plain)
    # By its first sentence most of the articles' last paragraphs are told, for less than half of the work.
    if first and least >= SURE[edge] and (sure := _judged(first[0], edge, least)) < least:
        return sure
    sure = _judged(plain, edge, least)
    return min(sure, judged(first[0], weights_of(edge))) if first and sure >= SURE[edge] else sure


def judged(plain: str, weights: Weights) -> float:
    """As `sureness`, of the line as a whole."""
    found = features(plain)
    return _sure(sum(map(weights.of.__getitem__, found & weights.of.keys())), len(found), weights)


def features(plain: str) -> set[str]:
    """All n-grams of the line, each once, and what shapes it has."""
    folded, line, pairs = _pairs(plain)
    # Of three and of four characters.
    return {*_short(folded, line), *pairs, *map(add, pairs, line[2:]), *map(add, pairs, pairs[2:])}


def _judged(plain: str, edge: Edge, least: float) -> float:
    """As `judged`; where one and two characters tell that it is less than `least`, the most that it can be: nearly
    always, for half of the work."""
    folded, line, pairs = _pairs(plain)
    found = _short(folded, line)
    short = len(found)
    found.update(pairs)
    told = sum(map(_at_most(edge).__getitem__, found & _at_most(edge).keys()))
    # Of three characters there is at most one fewer than of two, of four there are at most two.
    longer = 2 * (len(found) - short) - 3
    most = _sure(max(0, told), len(found) + longer, weights_of(edge))
    return most if most < least else judged(plain, weights_of(edge))


def _sure(total: int, features: int, weights: Weights) -> float:
    return 1 / (1 + math.exp(-(weights.bias + total / math.sqrt(features)) / SCALE))


def _pairs(plain: str) -> tuple[str, str, list[str]]:
    """The line in one case and width, the same as n-grams see it, and those of two characters."""
    folded = _DIGITS.sub("0", _QUOTES.sub('"', unicodedata.normalize("NFKC", plain).lower()))
    line = f"{_START}{_SPACES.sub(_SPACE, _LATIN.sub('a', folded))}{_END}"
    return folded, line, list(map(add, line, line[1:]))


def _short(folded: str, line: str) -> set[str]:
    """What is no n-gram of two characters or more."""
    found = set(line)
    # "shape:spaced" says that there is one.
    found.discard(_SPACE)
    found.update(name for name, shape in _SHAPES.items() if shape.search(folded))
    found.add(f"shape:length-{len(folded).bit_length()}")
    found.update(f"word:{word}" for word in _LATIN.findall(folded))
    return found


@cache
def _at_most(edge: Edge) -> Mapping[str, int]:
    """The weights; of two characters, with the most that longer n-grams can add that begin with them."""
    most = dict(weights_of(edge).of)
    for name, weight in weights_of(edge).of.items():
        # What is longer is no n-gram.
        if 2 < len(name) <= 4 and weight > 0:
            most[name[:2]] = most.get(name[:2], 0) + weight
    return most


@cache
def weights_of(edge: Edge) -> Weights:
    """Of a line of the table, the first field is the weight of all others."""
    bias, table = edge_weights.TABLES[edge]
    rows = (row.split() for row in table.splitlines())
    return Weights(bias, {name: int(weight) for weight, *names in rows for name in names})

"""Whether two articles are one: judged from their signatures alone, the same way round and in every run.

    shared shingles   ─┐
    shared figures     ├─▶ same | near | contained | different, and why
    periods in titles ─┘

Reports from one template share nearly all their words and are not one article; what sets them apart are their figures
and their dates. So digits are never masked: copies must agree in words *and* in figures. An article inside a digest is
`contained` – a relation to keep, not a duplicate to drop.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from articles.fingerprint import (
    COLUMN_NAME,
    EMPTY_BIN,
    FACTS,
    GRAM,
    NO_FACT,
    PERIODS,
    ROUND_UP,
    Records,
    Signature,
)

Kind = Literal["same", "near", "contained", "different"]
KINDS: Final[tuple[Kind, ...]] = ("different", "contained", "near", "same")
"""In the order of their codes in `Judged.kind`."""
DIFFERENT, CONTAINED, NEAR, SAME = range(4)

SHORT_CHARS = 40
"""Shorter texts are one only when they are equal: too little is left to tell a copy from a look-alike."""
BARE_CHARS = 16
"""Shorter ones are one only when the titles are equal too: 图解, 详见附件."""
FEW_CHARS = 120
"""Shorter texts have to share nearly all their words where no figures speak for them."""
CLOSING_CHARS = 240
"""Below this, a closing formula (a disclaimer, an address to readers) may be most of what two texts have in common."""
FORM_CHARS = 200
"""A shorter text is easily the form of a bulletin: one other figure is another one, and so is an equal text under a
title for another period."""
FEW_FACTS, SOME_FACTS, MANY_FACTS = 3, 5, 8
"""With fewer than some, one other figure is another report; with many, a quarter of them may be written otherwise."""

# An estimate never says what only equal texts are.
NOT_EQUAL = 0.9999
# Below this containment nothing else is looked at; pairs of one subject but another hand stay under it.
LEAST_CONTAINMENT = 0.45
# An hour alone (早报, 收评) is in the title of every edition.
DATES = [at for at, name in enumerate(PERIODS) if name != "hour"]
MASK_BITS = 58
ALL_BITS = np.uint64((1 << MASK_BITS) - 1)
UNCOUNTED = 63
"""As many figures or more."""
# Two random bytes agree in one of so many bins.
CHANCE = 1 / EMPTY_BIN

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Relation:
    """What two articles are to one another."""

    kind: Kind
    similarity: float
    """Estimated Jaccard similarity of their shingles; 1 for equal texts."""
    containment: float
    """Estimated share of the shorter text's shingles that the longer one has."""
    agreement: float
    """Share of the figures that agree, of the text with fewer; 1 where there are none."""
    why: str

    @property
    def duplicate(self) -> bool:
        return self.kind in ("same", "near")


@dataclass(frozen=True, slots=True)
class Judged:
    """Relations of many pairs, in columns: `kind` and `why` are indices into KINDS and RULES."""

    kind: NDArray[np.uint8]
    why: NDArray[np.uint8]
    similarity: Floats
    containment: Floats
    agreement: Floats

    def __len__(self) -> int:
        return len(self.kind)

    def where(self, mask: Mask) -> Judged:
        return Judged(
            self.kind[mask], self.why[mask], self.similarity[mask], self.containment[mask], self.agreement[mask]
        )

    def __getitem__(self, at: int) -> Relation:
        return Relation(
            kind=KINDS[self.kind[at]],
            similarity=round(float(self.similarity[at]), 4),
            containment=round(float(self.containment[at]), 4),
            agreement=round(float(self.agreement[at]), 4),
            why=RULES[self.why[at]].why,
        )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known of each pair when the rules are asked."""

    jaccard: Floats
    containment: Floats
    size_ratio: Floats
    chars: NDArray[np.int64]
    """Of the shorter text."""
    agreement: Floats
    facts: NDArray[np.int64]
    """Figures in the text with fewer …"""
    more_facts: NDArray[np.int64]
    """… and with more."""
    own_facts: NDArray[np.int64]
    """Of these, the ones that the text with more has not."""
    unshared_facts: NDArray[np.int64]
    """Those that either has and the other has not."""
    compared: NDArray[np.int64]
    """Figures of that text that could be looked for in the other: not all, where there are many."""
    equal_text: Mask
    equal_title: Mask
    dated_title: Mask
    """Equal, and naming a day or an issue: the same edition of a column."""
    other_period: Mask
    columns: Mask
    """Both are round-ups, or editions of one column, by their titles."""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: int
    why: str
    holds: Callable[[_Evidence], Mask]


# The first rule that holds decides. Thresholds were set on one half of a set of labelled pairs and on invented
# bulletins (`make bench-dedup` measures both, and the other half).
RULES: Final = (
    _Rule(
        DIFFERENT,
        "too short to compare",
        lambda e: (e.chars < SHORT_CHARS) & ~(e.equal_text & (e.equal_title | (e.chars >= BARE_CHARS))),
    ),
    _Rule(DIFFERENT, "titles name other periods", lambda e: e.other_period & e.equal_text & (e.chars < FORM_CHARS)),
    _Rule(SAME, "equal text", lambda e: e.equal_text),
    _Rule(
        DIFFERENT,
        "titles name other periods",
        lambda e: e.other_period & ~((e.jaccard >= 0.9) & (e.agreement >= 0.95) & (e.facts >= MANY_FACTS)),
    ),
    _Rule(DIFFERENT, "little in common", lambda e: e.containment < LEAST_CONTAINMENT),
    # So small a part is an item of a digest, unless its title says that it is the head of the same article.
    _Rule(
        CONTAINED,
        "one is part of the other",
        lambda e: (e.size_ratio < 0.4) & ~e.equal_title & (e.containment >= 0.65) & (e.agreement >= 0.75),
    ),
    _Rule(DIFFERENT, "small part in common", lambda e: (e.size_ratio < 0.4) & (e.containment < 0.75)),
    _Rule(
        DIFFERENT,
        "no figures in what they share",
        lambda e: (e.facts < FEW_FACTS) & (e.more_facts >= MANY_FACTS) & (e.jaccard < 0.85) & ~e.equal_title,
    ),
    _Rule(
        DIFFERENT,
        "figures differ",
        lambda e: (
            (e.agreement < 0.75)
            | ((e.agreement < 0.8) & (e.facts < MANY_FACTS))
            | ((e.agreement < 0.999) & (e.facts < SOME_FACTS))
            | ((e.agreement < 0.999) & (e.facts < MANY_FACTS) & (e.chars < FORM_CHARS))
        ),
    ),
    # One item of a round-up has gone, another has come; of copies little is lost.
    _Rule(
        DIFFERENT,
        "editions of one column",
        lambda e: e.columns & ~e.dated_title & (e.jaccard < 0.95) & (e.containment < 0.975) & (e.chars >= FORM_CHARS),
    ),
    _Rule(
        DIFFERENT,
        "one title, and figures of their own",
        lambda e: e.equal_title & ~e.dated_title & (e.own_facts >= 2) & (e.containment < 0.925),
    ),
    # As long as the other, yet neither holds all of the other's words and figures: an item was replaced. What is cut or
    # added makes one text longer, and what is reworded keeps its figures.
    _Rule(
        DIFFERENT,
        "one title, and an item of their own each",
        lambda e: (
            e.equal_title & ~e.dated_title & (e.size_ratio >= 0.95) & (e.unshared_facts >= 2) & (e.containment < 0.94)
        ),
    ),
    # Where a few words are all there is, another name makes it another report.
    _Rule(
        DIFFERENT,
        "other words in few",
        lambda e: (
            (e.chars < np.where(e.equal_title, FEW_CHARS, CLOSING_CHARS))
            & (e.facts < FEW_FACTS)
            & (e.containment < 0.88)
        ),
    ),
    _Rule(SAME, "nearly equal text", lambda e: (e.jaccard >= 0.85) & (e.agreement >= 0.9)),
    _Rule(NEAR, "the same figures", lambda e: (e.agreement >= 0.9) & (e.compared >= 12) & (e.jaccard >= 0.2)),
    _Rule(NEAR, "shared words and no other figures", lambda e: e.containment >= 0.75),
    _Rule(DIFFERENT, "other words", lambda e: np.ones(len(e.chars), np.bool_)),
)


def compare(a: Signature, b: Signature) -> Relation:
    """What two articles are to one another; symmetric."""
    return relations(a.record.reshape(1), b.record.reshape(1))[0]


def relations(a: Records, b: Records) -> Judged:
    """`compare` for each pair of two arrays of one length."""
    evidence = _evidence(a, b)
    why = np.select([rule.holds(evidence) for rule in RULES], list(range(len(RULES)))).astype(np.uint8)
    kind = np.array([rule.kind for rule in RULES], np.uint8)[why]
    return Judged(kind, why, evidence.jaccard, evidence.containment, evidence.agreement)


def script_twins(lang: str, other: str) -> bool:
    """Whether two copies are one text in simplified and in traditional characters. Signatures do not tell: both scripts
    give the same."""
    return {lang, other} == {"zh-Hans", "zh-Hant"}


def figure_masks(signed: Records) -> NDArray[np.uint64]:
    """A bit for each figure, and above them how many there are, for `figures_may_agree`."""
    bits = np.left_shift(np.uint64(1), signed["facts"].astype(np.uint64) % np.uint64(MASK_BITS))
    masks: NDArray[np.uint64] = np.bitwise_or.reduce(np.where(signed["facts"] == NO_FACT, np.uint64(0), bits), axis=1)
    count = np.minimum(signed["fact_count"], UNCOUNTED).astype(np.uint64)
    masks |= count << np.uint64(MASK_BITS)
    return masks


def figures_may_agree(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> Mask:
    """False for most pairs that `relations` would find to have other figures, at a fiftieth of its cost.

    A bulletin meets thousands of its template. More than a quarter of figures of one's own is different by the rules;
    each bit that the text with more figures has not is at least one such figure.
    """
    count_a, count_b = a >> np.uint64(MASK_BITS), b >> np.uint64(MASK_BITS)
    fewer_a = count_a <= count_b
    own = (a ^ b) & np.where(fewer_a, a, b) & ALL_BITS
    agree: Mask = 4 * np.bitwise_count(own) <= np.minimum(count_a, count_b)
    # Not all figures of a text with very many are kept.
    agree |= np.maximum(count_a, count_b) > FACTS
    return agree


def _evidence(a: Records, b: Records) -> _Evidence:
    equal_text = a["text"] == b["text"]
    equal_title = (a["title"] == b["title"]) & (a["title"] != 0)
    jaccard = np.where(equal_text, 1.0, np.minimum(_jaccard(a["grams"], b["grams"]), NOT_EQUAL))
    size_a, size_b = _shingles(a), _shingles(b)
    smaller, larger = np.minimum(size_a, size_b), np.maximum(size_a, size_b)
    containment = np.minimum(1.0, jaccard / (1 + jaccard) * (size_a + size_b) / smaller)
    asked = (containment >= LEAST_CONTAINMENT) & ~equal_text
    kept, own = np.zeros(len(a), np.int64), np.zeros(len(a), np.int64)
    kept[asked], own[asked] = _figures(a[asked], b[asked])
    counts = a["fact_count"].astype(np.int64), b["fact_count"].astype(np.int64)
    fewer, more = np.minimum(*counts), np.maximum(*counts)
    return _Evidence(
        jaccard=jaccard,
        containment=containment,
        size_ratio=smaller / larger,
        chars=np.minimum(a["chars"], b["chars"]).astype(np.int64),
        agreement=1 - own / np.maximum(1, kept),
        facts=fewer,
        more_facts=more,
        own_facts=own,
        unshared_facts=more - fewer + 2 * own,
        compared=kept,
        equal_text=equal_text,
        equal_title=equal_title,
        dated_title=equal_title & _dated(a["periods"]),
        other_period=_other_period(a["periods"], b["periods"]),
        columns=_columns(a["column"] & b["column"], equal_title),
    )


def _shingles(signed: Records) -> Floats:
    return np.maximum(1.0, signed["chars"].astype(np.float64) - GRAM + 1)


def _jaccard(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Floats:
    """Agreeing bins among the bins either has filled, less what chance gives."""
    filled_a, filled_b = a != EMPTY_BIN, b != EMPTY_BIN
    agreeing = _count((a == b) & filled_a)
    share: Floats = agreeing / np.maximum(1, _count(filled_a | filled_b))
    return np.maximum(0.0, (share - CHANCE) / (1 - CHANCE))


def _count(bins: Mask) -> NDArray[np.int64]:
    """How many of each row; eight at a time."""
    counted: NDArray[np.int64] = np.bitwise_count(bins.view(np.uint64)).sum(axis=1, dtype=np.int64)
    return counted


def _figures(a: Records, b: Records) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Figures of the text with fewer, and how many of them the other has not.

    Counted among the smallest hashes: up to the lower of the two texts' largest, both lists are complete.
    """
    limit = np.minimum(_complete_up_to(a), _complete_up_to(b))[:, np.newaxis]
    facts_a, facts_b = (np.where(signed["facts"] <= limit, signed["facts"], NO_FACT) for signed in (a, b))
    both = np.sort(np.concatenate([facts_a, facts_b], axis=1), axis=1)
    shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] != NO_FACT)).sum(axis=1)
    fewer = np.minimum((facts_a != NO_FACT).sum(axis=1), (facts_b != NO_FACT).sum(axis=1))
    return fewer, fewer - shared


def _complete_up_to(signed: Records) -> NDArray[np.uint32]:
    return np.where(signed["fact_count"] > FACTS, signed["facts"][:, -1], np.uint32(NO_FACT))


def _columns(both: NDArray[np.uint8], equal_title: Mask) -> Mask:
    found: Mask = ((both & ROUND_UP) != 0) | (((both & COLUMN_NAME) != 0) & equal_title)
    return found


def _dated(periods: NDArray[np.uint16]) -> Mask:
    named: Mask = (periods[:, DATES] != 0).any(axis=1)
    return named


def _other_period(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> Mask:
    """Both titles name a day (a month, an issue …) and not the same."""
    other: Mask = ((a != 0) & (b != 0) & (a != b)).any(axis=1)
    return other


Node = TypeVar("Node", bound=Hashable)


def cluster(
    ages: Mapping[Node, tuple[Any, ...]],
    near: Iterable[tuple[Node, Node]],
    certain: Iterable[tuple[Node, Node]] = (),
) -> dict[Node, Node]:
    """The first of the cluster that each article belongs to; its own, if it is one.

    `ages` orders the articles, earliest first, without ties. What `certain` pairs connect – one id, one address, one
    text – is one article throughout. Of these, from the earliest on, each joins the earliest first that it is itself
    `near` to, else it becomes a first. So every duplicate is a copy of what it is counted under, and a story retold
    hour by hour does not end as a copy of its beginning.

    A function of the three sets: no order of arrival, no batches. What no pair connects can be clustered apart, so a
    new article moves none but those it is connected with.
    """
    twins = _earliest_of_component(ages, certain)
    linked: dict[Node, set[Node]] = {twin: set() for twin in twins.values()}
    for one, other in near:
        linked[twins[one]].add(twins[other])
        linked[twins[other]].add(twins[one])
    firsts: dict[Node, Node] = {}
    for node in sorted(linked, key=ages.__getitem__):
        candidates = [other for other in linked[node] if firsts.get(other) == other]
        firsts[node] = min(candidates, key=ages.__getitem__, default=node)
    return {node: firsts[twin] for node, twin in twins.items()}


def _earliest_of_component(
    ages: Mapping[Node, tuple[Any, ...]], pairs: Iterable[tuple[Node, Node]]
) -> dict[Node, Node]:
    """Disjoint sets whose root is always the earliest."""
    parent = {node: node for node in ages}

    def root(node: Node) -> Node:
        while parent[node] != node:
            # Halving the path on the way keeps the trees flat.
            parent[node] = node = parent[parent[node]]
        return node

    for pair in pairs:
        earlier, later = sorted(map(root, pair), key=ages.__getitem__)
        parent[later] = earlier
    return {node: root(node) for node in ages}

"""Learns what articles.edge_lines judges by, from invented lines of both kinds.

    training/lines/<author>/{wrapper,body}_{head,tail}.txt  ──▶  articles/edge_weights.py

    python -m training.edge_lines            writes the weights
    python -m training.edge_lines --cross    leaves out one author at a time, and says how his lines are judged

Logistic regression with few weights other than zero (elastic net, accelerated gradients) on n-grams that are scaled by
how well they tell the two kinds apart. numpy only, nothing random: the same lines give the same weights.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from articles.edge_lines import SCALE, SURE, Edge, Weights, features, judged
from articles.wrapper import simplified
from benchmarks.tables import say

LINES = Path(__file__).parent / "lines"
TARGET = Path(__file__).parents[1] / "articles" / "edge_weights.py"

STEPS = 200
SPARSE, SMALL = 2e-5, 2e-4
# An n-gram of one line says nothing of others.
MIN_LINES = 2
# How much the telling n-grams are preferred, 0 to 1.
TELLING = 0.7
# Margins come out too small for being held small: by so much, for authors left out.
SLOPE = 5.0
# What clauses of bodies count beside their lines. They have no full stop, as headings have none.
CLAUSES = 0.3
CLAUSE_CHARS = (4, 30)
ROW_WIDTH = 116

Vector = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class _Table:
    """Lines as a sparse matrix: one entry for each n-gram of each line, the smaller the more of them a line has."""

    names: Sequence[str]
    lines: int
    rows: Indices
    columns: Indices
    values: Vector

    def times(self, weights: Vector) -> Vector:
        return np.bincount(self.rows, self.values * weights[self.columns], minlength=self.lines).astype(np.float64)

    def summed(self, of_lines: Vector) -> Vector:
        return np.bincount(self.columns, self.values * of_lines[self.rows], minlength=len(self.names)).astype(
            np.float64
        )


def learn(edge: Edge, authors: Collection[str]) -> Weights:
    wrapper = list(dict.fromkeys(read("wrapper", edge, authors)))
    body = list(dict.fromkeys(read("body", edge, authors)))
    clauses = list(dict.fromkeys(chain.from_iterable(map(_clauses, body))))
    counts = [np.full(len(wrapper), 1 / len(wrapper)), np.ones(len(body)), np.full(len(clauses), CLAUSES)]
    # Both kinds count the same, however many lines there are of each.
    others = np.concatenate(counts[1:])
    share = np.concatenate([counts[0], others / others.sum()]) / 2
    is_wrapper = np.arange(len(share)) < len(wrapper)
    table = _table([*wrapper, *body, *clauses])
    factor = _telling(table, is_wrapper, share)
    bias, weights = _fitted(replace(table, values=table.values * factor[table.columns]), is_wrapper, share)
    whole = np.rint(weights * factor * SLOPE * SCALE).astype(int)
    of = {name: int(weight) for name, weight in zip(table.names, whole, strict=True) if weight}
    return Weights(round(bias * SLOPE * SCALE), of)


def read(kind: str, edge: Edge, authors: Collection[str]) -> Iterator[str]:
    for author in sorted(authors):
        if (path := LINES / author / f"{kind}_{edge}.txt").exists():
            yield from filter(None, map(str.strip, path.read_text(encoding="utf-8").split("\n")))


def _clauses(line: str) -> Iterator[str]:
    shortest, longest = CLAUSE_CHARS
    for clause in re.split(r"[，。,！？；;!?:：]", line):
        if shortest <= len(found := clause.strip(' "“”')) <= longest and found != line:
            yield found


def _table(lines: Sequence[str]) -> _Table:
    found = [sorted(features(simplified(line))) for line in lines]
    counts = Counter(chain.from_iterable(found))
    names = sorted(name for name, count in counts.items() if count >= MIN_LINES)
    column = {name: number for number, name in enumerate(names)}
    entries = [(row, column[name], len(of) ** -0.5) for row, of in enumerate(found) for name in of if name in column]
    rows, columns, values = zip(*entries, strict=True)
    return _Table(names, len(lines), np.array(rows), np.array(columns), np.array(values))


def _telling(table: _Table, is_wrapper: NDArray[np.bool_], share: Vector) -> Vector:
    """How much more often each n-gram stands in lines of one kind than of the other."""
    wrapper, body = (
        1 + 2000 * np.bincount(table.columns, (share * kind)[table.rows], minlength=len(table.names))
        for kind in (is_wrapper, ~is_wrapper)
    )
    return np.abs(np.log(wrapper / body)) ** TELLING + 0.05


def _fitted(table: _Table, is_wrapper: NDArray[np.bool_], share: Vector) -> tuple[float, Vector]:
    step = 1 / (0.25 * _steepness(table, share) + SMALL)
    weights = ahead = np.zeros(len(table.names))
    bias = bias_ahead = 0.0
    momentum = 1.0
    for _ in range(STEPS):
        wrong = share * (1 / (1 + np.exp(-(table.times(ahead) + bias_ahead))) - is_wrapper)
        moved = ahead - step * (table.summed(wrong) + SMALL * ahead)
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * SPARSE, 0)
        new_bias = bias_ahead - step * float(wrong.sum())
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        pull = (momentum - 1) / grown
        ahead, bias_ahead = new + pull * (new - weights), new_bias + pull * (new_bias - bias)
        weights, bias, momentum = new, new_bias, grown
    return bias, weights


def _steepness(table: _Table, share: Vector) -> float:
    """The largest eigenvalue of the squared matrix with its bias, and a little more."""
    direction, bias, size = np.ones(len(table.names)), 1.0, 1.0
    for _ in range(20):
        of_lines = share * (table.times(direction) + bias)
        direction, bias = table.summed(of_lines), float(of_lines.sum())
        size = float(np.hypot(np.linalg.norm(direction), bias))
        direction, bias = direction / size, bias / size
    return 1.05 * size


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────────


def all_authors() -> list[str]:
    return sorted(folder.name for folder in LINES.iterdir())


def source_of(learned: dict[Edge, Weights]) -> str:
    """The module articles.edge_weights."""
    lines = [
        '"""What articles.edge_lines judges by: a bias, and behind each weight the n-grams that have it.',
        "",
        "Made by training/edge_lines.py.",
        '"""',
        "",
        "TABLES = {",
    ]
    for edge, weights in learned.items():
        lines += [
            f'    "{edge}": (',
            f"        {weights.bias},",
            f'        r"""{chr(10).join(_rows(weights.of))}""",',
            "    ),",
        ]
    return "\n".join([*lines, "}", ""])


def _rows(weights: Mapping[str, int]) -> Iterator[str]:
    by_weight: dict[int, list[str]] = {}
    for name, weight in sorted(weights.items()):
        by_weight.setdefault(weight, []).append(name)
    for weight, names in sorted(by_weight.items(), reverse=True):
        row = str(weight)
        for name in names:
            if _width(row) + _width(name) >= ROW_WIDTH:
                yield row
                row = str(weight)
            row += f" {name}"
        yield row


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text)


def crossed(edge: Edge) -> Iterator[str]:
    authors = all_authors()
    for author in authors:
        weights = learn(edge, set(authors) - {author})
        gone = []
        for kind in ("wrapper", "body"):
            sure = [judged(simplified(line), weights) >= SURE[edge] for line in read(kind, edge, [author])]
            gone.append(f"{kind} {sum(sure)} of {len(sure)}, {sum(sure) / max(1, len(sure)):.3f}")
        yield f"{edge} {author}: " + "; ".join(gone)


if __name__ == "__main__":
    if "--cross" in sys.argv:
        for edge in get_args(Edge):
            say(*crossed(edge), sep="\n")
    else:
        TARGET.write_text(source_of({edge: learn(edge, all_authors()) for edge in get_args(Edge)}), encoding="utf-8")

"""Quality by site and by field may not fall below tests/articles/floors.json; nor may that file, nor its totals below
what the project promises.

Extraction gives the same result every time, so a value below its floor is a change of the code. A general rule that
helps one site at the cost of another shows here, where a mean over all sites would hide it.

How the floors are kept from sinking: nobody writes them by hand. `pytest tests/articles/test_floors.py --raise-floors`
takes over what is measured where it is higher, adds what is new, refuses to lower or to drop anything, and closes the
file with a seal over all its numbers. A floor changed by hand, or by a merge that took the wrong side, breaks the seal.
To lower one on purpose: edit the number and the seal (the failing test tells it), and say why in the commit.

    corpus   sites of the gold, with the sources' rules and without, and F1 against the texts that others took from
             further sites (marked corpus; scored by the corpus's own score.py)
    saved    cases of tests/sources, with their source's rules and without (always)
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from benchmarks.extract_pages import (
    GOLD,
    agreement_with_reference,
    gold,
    prediction,
    references,
    saved_cases,
    saved_score,
    scored,
    site_of,
    summary,
)

FILE = Path(__file__).with_name("floors.json")
SEAL = "seal"
TOTAL = "all"
# Each is better the higher: `clean` is the share of pages without a snippet that must not be there.
CORPUS_VALUES = ("F1", "clean", "title", "time", "source", "author", "editor")

# What the project promises: of sites whose rules it has, and of sites and posts never seen.
PEOPLE_KNOWN, PEOPLE_UNSEEN = (dict.fromkeys(("source", "author", "editor"), least) for least in (0.95, 0.85))
PROMISED = {
    "html, rules": {"F1": 0.985, "clean": 0.99, "title": 0.97, "time": 0.98} | PEOPLE_KNOWN,
    "html, no rules": {"F1": 0.95, "clean": 0.97, "title": 0.92, "time": 0.92} | PEOPLE_UNSEEN,
    "posts, rules": {"F1": 0.995, "clean": 0.99, "title": 0.97, "time": 0.98} | PEOPLE_KNOWN,
    "posts, no rules": {"F1": 0.985, "clean": 0.97, "title": 0.92, "time": 0.92} | PEOPLE_UNSEEN,
    "references, no rules": {"F1": 0.95},
}

Floors = dict[str, dict[str, dict[str, float]]]
"""Set of pages → site → value."""


def read_floors() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def seal_of(floors: Floors) -> str:
    return hashlib.sha256(json.dumps(floors, sort_keys=True).encode()).hexdigest()[:16]


def raised(old: Floors, measured: Floors) -> Floors:
    """The higher of both everywhere; what was not measured this time stays."""
    new: Floors = {}
    for part in sorted(old.keys() | measured.keys()):
        sites = old.get(part, {}).keys() | measured.get(part, {}).keys()
        new[part] = {
            site: _higher(old.get(part, {}).get(site, {}), measured.get(part, {}).get(site, {}))
            for site in sorted(sites)
        }
    return new


def _higher(old: dict[str, float], measured: dict[str, float]) -> dict[str, float]:
    names = sorted(old.keys() | measured.keys())
    return {name: max(old.get(name, 0.0), measured.get(name, 0.0)) for name in names}


def below(floors: Floors, measured: Floors) -> list[str]:
    """What is measured below its floor, or not measured any more."""
    return [
        f"{part}: {site}: {name} is {measured[part].get(site, {}).get(name)}, floor {floor}"
        for part in sorted(measured.keys() & floors.keys())
        for site, values in floors[part].items()
        for name, floor in values.items()
        if measured[part].get(site, {}).get(name, -1.0) < floor
    ]


# ── what is measured ─────────────────────────────────────────────────────────────────────────────────────────────────


def measure_saved() -> Floors:
    return {f"saved, {label}": _saved_by_case(known) for label, known in (("rules", True), ("no rules", False))}


def _saved_by_case(known: bool) -> dict[str, dict[str, float]]:
    """Case by case: a source that gets a further, harder page has not become worse."""
    found = {}
    for source, folder in saved_cases():
        if score := saved_score(source, folder, known=known):
            found[f"{source.id}/{folder.name}"] = _floored(score)
    return found


def measure_corpus() -> Floors:
    found: Floors = {}
    for name in GOLD:
        records = gold(name)
        for label, known in (("rules", True), ("no rules", False)):
            scores = scored(records, (prediction(record["file"], known=known) for record in records))
            groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for score in scores:
                groups[site_of(score["file"])].append(score)
            summaries = {site: summary(group) for site, group in (*groups.items(), (TOTAL, scores))}
            found[f"{name}, {label}"] = {
                site: _floored({key: values[key] for key in CORPUS_VALUES if values[key] is not None})
                for site, values in summaries.items()
            }
    return found | {"references, no rules": _references_by_site()}


def _references_by_site() -> dict[str, dict[str, float]]:
    """F1 against texts by others, of pages without gold; they keep titles and editors' lines, so 1 is out of reach."""
    in_gold = {record["file"] for record in gold("html")}
    groups: dict[str, list[float]] = defaultdict(list)
    for text in references():
        if text["file"] not in in_gold:
            agreed = agreement_with_reference(text, prediction(text["file"], known=False))
            for group in (site_of(text["file"]), TOTAL):
                groups[group].append(agreed)
    return {site: _floored({"F1": mean(values)}) for site, values in groups.items()}


def _floored(values: dict[str, float]) -> dict[str, float]:
    """To three places, downwards: the last digits of a float are no quality."""
    return {name: math.floor(value * 1000 + 1e-6) / 1000 for name, value in sorted(values.items())}


# ── tests ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(measured: Floors, *, raise_them: bool) -> None:
    kept = read_floors()
    kept.pop(SEAL, None)
    missed = below(kept, measured)
    assert not missed, "\n".join(missed)
    if raise_them:
        new = raised(kept, measured)
        FILE.write_text(_one_site_a_line(new), encoding="utf-8")


def _one_site_a_line(floors: Floors) -> str:
    parts = [
        f"{json.dumps(part)}: {{\n"
        + ",\n".join(f"  {json.dumps(site)}: {json.dumps(values)}" for site, values in sites.items())
        + "\n }"
        for part, sites in floors.items()
    ]
    return "{\n " + ",\n ".join([*parts, f"{json.dumps(SEAL)}: {json.dumps(seal_of(floors))}"]) + "\n}\n"


def test_saved_cases_stay_above_their_floors(request):
    check(measure_saved(), raise_them=request.config.getoption("--raise-floors"))


@pytest.mark.corpus
def test_the_corpus_stays_above_its_floors(corpus_dir, request):
    check(measure_corpus(), raise_them=request.config.getoption("--raise-floors"))


def test_the_seal_is_whole():
    floors = read_floors()
    seal = floors.pop(SEAL)
    assert seal == seal_of(floors), (
        f"{FILE.name} was changed by hand or by a merge. Floors rise by `pytest --raise-floors`; one that is lowered "
        f"on purpose is named in the commit message, and the seal becomes {seal_of(floors)}"
    )


def test_no_total_is_below_what_was_promised():
    totals = {part: {TOTAL: sites[TOTAL]} for part, sites in read_floors().items() if part in PROMISED}
    assert not below({part: {TOTAL: values} for part, values in PROMISED.items()}, totals)
    assert totals.keys() == PROMISED.keys()


def test_floors_rise_and_never_sink():
    old = {"pages": {"one": {"F1": 0.9, "title": 1.0}, "two": {"F1": 1.0}}}
    measured = {"pages": {"one": {"F1": 0.95, "title": 0.5}, "three": {"F1": 0.7}}}
    assert raised(old, measured) == {
        "pages": {"one": {"F1": 0.95, "title": 1.0}, "three": {"F1": 0.7}, "two": {"F1": 1.0}}
    }
    assert below(old, measured) == [
        "pages: one: title is 0.5, floor 1.0",
        "pages: two: F1 is None, floor 1.0",
    ]
    assert below(old, {"other pages": {}}) == []

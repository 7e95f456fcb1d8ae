"""Quality and speed of extraction, beside other tools: `python -m benchmarks.extract` (`make bench-extract`).

    quality    bodies, leaks and fields against the gold, with the sources' rules and without, by site
    peers      other tools on the same pages in the same run, in an environment of their own (.bench/extract-venv):
               quality, and pages a second on one core, also as a ratio to trafilatura's default with metadata
    scaling    pages a second on 1 and on 2 processes
    steps      where the time goes, beside the floor: lxml parsing alone

Speed is CPU time of one process for each page, the median of rounds in which all tools take turns, so that other work
on the machine hits all alike. Only scaling is wall time, the best of its rounds. Ends with 1 if a target is missed.
Tables go to stdout, progress to stderr.

How far the figures without rules hold for sites never seen: the general rules were written with the gold pages at hand,
so that these pages tell that nothing is broken, not how a new site will do. Nearer to that come sites of which only a
third party's reference text exists, and the saved cases of our own sources read without their rules.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from articles.decode import decode
from articles.source import UNKNOWN
from benchmarks.extract_pages import (
    CORPUS,
    GOLD,
    ROOT,
    Record,
    Score,
    agreement_with_reference,
    article_files,
    catalogue,
    gold,
    means,
    page_of,
    prediction,
    references,
    saved_cases,
    saved_score,
    scored,
    site_of,
    source_of,
    summary,
)
from benchmarks.extract_stages import step_seconds
from benchmarks.peers import install_peers, peer_python
from benchmarks.tables import one_of, progress, say, table
from flows.core.extraction import Extractors

PARTS = ("quality", "peers", "scaling", "steps")
# Row of the table → key of a summary, least (or most) on known sites and on sites never seen.
TARGETS: dict[str, tuple[str, str, float, float]] = {
    "body F1, HTML": ("html", "F1", 0.985, 0.95),
    "body F1, posts and feed items": ("posts", "F1", 0.995, 0.985),
    "files that leak (at most)": ("all", "leak_file", 0.01, 0.03),
    "title exact": ("all", "title", 0.97, 0.92),
    "published_at right": ("all", "time", 0.98, 0.92),
    "publisher, editor, author right": ("all", "named", 0.95, 0.85),
}
TIMES_DEFAULT, TIMES_DEFAULT_WITH_RULES, TIMES_RESILIPARSE, SCALING = 10.0, 20.0, 1.0, 1.8

BASELINE, FLOOR, MAIN_CONTENT = "trafilatura", "lxml parse only", "resiliparse"
# Of benchmarks.extract_peers; the two of trafilatura's other settings are installed with it.
PEERS = (
    *(BASELINE, "trafilatura fast", "trafilatura precision", "gne", "newspaper4k", "readability-lxml", "goose3"),
    *(MAIN_CONTENT, "magic_html", FLOOR),
)
OURS, OURS_KNOWN = "finnews, no rules", "finnews, rules"
FENCED = ("slice",)
# The others are timed on the gold pages, or an evening would pass.
ON_ALL_PAGES = (BASELINE, MAIN_CONTENT, FLOOR, OURS, OURS_KNOWN)
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
SCALING_PASSES = 3


def main() -> int:
    options = parsed()
    missed: list[str] = []
    parts = options.parts or PARTS
    if not CORPUS.is_dir():
        sys.exit(f"no corpus at {CORPUS}; FINNEWS_CORPUS names another place")
    if "quality" in parts:
        missed += quality(options.worst)
    if "peers" in parts:
        missed += peers(options.tools, options.every, options.rounds)
    if "scaling" in parts:
        missed += scaling(options.rounds)
    if "steps" in parts:
        steps(options.rounds)
    say("")
    say("every target met" if not missed else "targets missed: " + "; ".join(missed))
    return 1 if missed else 0


# ── quality ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def quality(worst: int) -> list[str]:
    """The table of targets, then the figures behind it by site."""
    with_rules, without = (_gold_scores(known=known) for known in (True, False))
    known, unknown = _summaries(with_rules), _summaries(without)
    say("Quality (gold: 68 pages, 40 posts and feed items)")
    rows = []
    missed = []
    for name, (part, key, least, least_unseen) in TARGETS.items():
        met = _meets(known[part][key], least, key)
        missed += [] if met else [name]
        rows.append(
            (name, known[part][key], _goal(least, key), _mark(met), unknown[part][key], _goal(least_unseen, key))
        )
    _table(("", "known sites", "goal", "", "no rules", "goal unseen"), rows)
    say("\nEach field, where the gold has it")
    names = ("title", "time", "source", "author", "editor")
    _table(
        ("", *names),
        [
            (name, *(found["all"][field] for field in names))
            for name, found in (("rules", known), ("no rules", unknown))
        ],
    )
    _unseen_estimate()
    _by_site(with_rules, without)
    _worst(without["html"] + without["posts"], worst)
    return missed


def _gold_scores(*, known: bool) -> dict[str, list[Score]]:
    found = {}
    for name in GOLD:
        records = gold(name)
        found[name] = scored(records, (prediction(record["file"], known=known) for record in records))
    return found


def _summaries(scores: dict[str, list[Score]]) -> dict[str, Score]:
    everything = [score for part in scores.values() for score in part]
    return {name: summary(part) for name, part in (*scores.items(), ("all", everything))}


def _unseen_estimate() -> None:
    """No page of these was rated by a person of this project."""
    say("\nSites never seen: an estimate, all read without rules")
    in_gold = {record["file"] for record in gold("html")}
    sites_in_gold = {site_of(file) for file in in_gold}
    texts = references()
    found = {text["file"]: agreement_with_reference(text, prediction(text["file"], known=False)) for text in texts}
    further = [file for file in found if file not in in_gold]
    other_sites = [file for file in further if site_of(file) not in sites_in_gold]
    rows: list[tuple[Any, ...]] = [
        ("all with a third-party reference", found),
        ("… of these, pages without gold", further),
        ("… and of sites without gold", other_sites),
    ]
    _table(
        ("", "pages", "sites", "mean F1", "median", "below 0.9"),
        [
            (name, len(files), len(set(map(site_of, files))), *_spread([found[file] for file in files]))
            for name, files in rows
        ],
    )
    by_site: dict[str, list[float]] = defaultdict(list)
    for file in further:
        by_site[site_of(file)].append(found[file])
    low = sorted((mean(values), len(values), site) for site, values in by_site.items())[:12]
    say("lowest sites: " + ", ".join(f"{site} {value:.2f} ({count})" for value, count, site in low))
    say("\nSaved cases of our own sources (the sites' mark-up, invented texts)")
    names = ("F1", "clean", "title", "time", "publisher", "author", "editor")
    rows = []
    for label, known in (("rules", True), ("no rules", False)):
        values = [score for case in saved_cases() if (score := saved_score(*case, known=known))]
        total = means(values)
        rows.append((label, len(values), *(total.get(name) for name in names)))
    _table(("", "pages", *names), rows)


def _spread(values: Sequence[float]) -> tuple[float, float, int]:
    return mean(values), median(values), sum(value < 0.9 for value in values)


def _by_site(with_rules: dict[str, list[Score]], without: dict[str, list[Score]]) -> None:
    say("\nBy site: without rules (F1 with rules in front)")
    columns = ("F1", "leak_file", "title", "time", "source", "author", "editor")
    rows = []
    for name in GOLD:
        groups: dict[str, tuple[list[Score], list[Score]]] = defaultdict(lambda: ([], []))
        for ruled, bare in zip(with_rules[name], without[name], strict=True):
            both = groups[site_of(ruled["file"])]
            both[0].append(ruled)
            both[1].append(bare)
        for site, (ruled_scores, bare_scores) in sorted(groups.items()):
            bare = summary(bare_scores)
            rows.append((site, bare["n"], summary(ruled_scores)["F1"], *(bare[key] for key in columns)))
    _table(("", "pages", "rules F1", "F1", "leaking", "title", "time", "publisher", "author", "editor"), rows)


def _worst(scores: Sequence[Score], count: int) -> None:
    for score in sorted(scores, key=lambda score: score["F"])[:count]:
        wrong = [name for name in ("title", "time", "source", "author", "editor") if score.get(name) is False]
        say(f"{score['F']:.3f} {score['file']} wrong: {', '.join(wrong) or '-'} leaked: {score['leaked']}")


def _meets(value: float | None, goal: float, key: str) -> bool:
    return value is not None and (value <= goal if key == "leak_file" else value >= goal)


def _goal(goal: float, key: str) -> str:
    return f"{'<=' if key == 'leak_file' else '>='} {goal:g}"


def _mark(met: bool) -> str:
    return "met" if met else "MISSED"


# ── peers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Tool:
    """A process that reads the pages, round by round."""

    name: str
    process: subprocess.Popen[str]
    version: str
    read: list[Record]
    rounds: dict[int, list[float]]
    """CPU seconds of a page, round by round."""

    def run_round(self, places: Sequence[int]) -> None:
        answer = _ask(self.process, json.dumps({"places": places}))
        for place, seconds in zip(places, answer["seconds"], strict=True):
            self.rounds.setdefault(place, []).append(seconds)

    def seconds(self, places: Iterable[int]) -> float | None:
        """CPU seconds for these pages: of each, the median of its rounds; None if not all were measured."""
        places = list(places)
        measured = places and all(place in self.rounds for place in places)
        return sum(median(self.rounds[place]) for place in places) if measured else None


def peers(names: Sequence[str], every: int, rounds: int) -> list[str]:
    """The tools on the same pages: quality of each, then rounds in which they take turns."""
    missing = install_peers("extract")
    files = article_files()[::every]
    files = list(dict.fromkeys([*files, *(record["file"] for record in gold("html"))]))
    texts = [decode(page_of(file, known=False)[0].body).text for file in files]
    python = peer_python("extract")
    with ExitStack() as stack:
        tools: dict[str, Tool] = {}
        for name in names:
            command = [str(python), str(Path(__file__).with_name("extract_peers.py")), name]
            if reason := missing.get(_package_of(name)):
                say(f"{name}: not installed: {reason}")
            elif tool := _start(stack, name, command, {"pages": texts}):
                tools[name] = tool
        for name, mode in ((OURS, "unknown"), (OURS_KNOWN, "known")):
            if tool := _start(stack, name, [sys.executable, "-m", "benchmarks.extract_ours", mode], {"files": files}):
                tools[name] = tool
        everywhere = range(len(files))
        in_gold = {record["file"] for record in gold("html")}
        few = [place for place in everywhere if files[place] in in_gold]
        for number in range(rounds):
            for tool in tools.values():
                progress(f"round {number + 1} of {rounds}: {tool.name}")
                tool.run_round(list(everywhere) if tool.name in ON_ALL_PAGES else few)
    return _tell_peers(tools, files, few)


def _tell_peers(tools: dict[str, Tool], files: Sequence[str], few: Sequence[int]) -> list[str]:
    everywhere = range(len(files))
    ruled = [at for at in everywhere if (source := source_of(files[at])) and source.article.body]
    lanes = [found.get("lane") for found in tools[OURS_KNOWN].read]
    fenced = [at for at in ruled if lanes[at] in FENCED]
    rows = []
    quality_of = {name: _peer_quality(tool, files) for name, tool in tools.items() if name != FLOOR}
    for name, tool in tools.items():
        seconds = tool.seconds(few)
        figures = quality_of.get(name, {})
        rows.append(
            (
                f"{name} {tool.version}",
                *(figures.get(key) for key in ("F1", "leak_file", "title", "references")),
                sum(bool(found["error"]) for found in tool.read),
                round(len(few) / seconds, 1) if seconds else None,
                *(_ratio(tools, name, places) for places in (few, everywhere, ruled, fenced)),
            )
        )
    say(f"\nBeside other tools (gold, one core; then times as fast as {BASELINE} with metadata, on how many pages)")
    head = ("", "F1", "leaking", "title", "F1 refs", "refused", "pages/s")
    groups = (("gold", few), ("all", everywhere), ("ruled", ruled), ("fenced", fenced))
    _table((*head, *(f"{name} ({len(places)})" for name, places in groups)), rows)
    say(f"lanes with rules: {_counted(lanes[at] for at in ruled)}; all pages without: ", end="")
    say(_counted(found.get("lane") for found in tools[OURS].read))
    return _missed_beside(tools, quality_of, everywhere, ruled)


def _peer_quality(tool: Tool, files: Sequence[str]) -> dict[str, float | None]:
    by_file = dict(zip(files, tool.read, strict=True))
    records = gold("html")
    found = summary(scored(records, ({"file": r["file"], **by_file[r["file"]]} for r in records)))
    has_gold = {record["file"] for record in records}
    further = [text for text in references() if text["file"] in by_file and text["file"] not in has_gold]
    agreed = mean(agreement_with_reference(text, by_file[text["file"]]) for text in further) if further else None
    return {"F1": found["F1"], "leak_file": found["leak_file"], "title": found["title"], "references": agreed}


def _missed_beside(
    tools: dict[str, Tool],
    quality_of: dict[str, dict[str, float | None]],
    everywhere: Sequence[int],
    ruled: Sequence[int],
) -> list[str]:
    missed = []
    ours = quality_of[OURS]
    for key in ("F1", "leak_file", "title", "references"):
        own, others = ours[key], [found[key] for name, found in quality_of.items() if name in PEERS]
        sign = -1 if key == "leak_file" else 1
        if own is not None and any(value is not None and sign * value > sign * own for value in others):
            missed.append(f"first in {key} among the tools")
    wanted = (
        (f"{TIMES_DEFAULT:g} times {BASELINE} on all pages", BASELINE, OURS, everywhere, TIMES_DEFAULT),
        (
            f"{TIMES_DEFAULT_WITH_RULES:g} times {BASELINE} with rules",
            BASELINE,
            OURS_KNOWN,
            ruled,
            TIMES_DEFAULT_WITH_RULES,
        ),
        (f"as fast as {MAIN_CONTENT} with rules", MAIN_CONTENT, OURS_KNOWN, ruled, TIMES_RESILIPARSE),
    )
    for text, other, name, places, least in wanted:
        if (times := _times(tools, name, other, places)) is not None and times < least:
            missed.append(f"{text} (it is {times:.1f})")
    return missed


def _ratio(tools: dict[str, Tool], name: str, places: Sequence[int]) -> str | None:
    times = _times(tools, name, BASELINE, places)
    return None if times is None else f"{times:.1f}x"


def _times(tools: dict[str, Tool], name: str, other: str, places: Sequence[int]) -> float | None:
    """How many times as fast as another tool."""
    own, others = tools[name].seconds(places), tools[other].seconds(places) if other in tools else None
    return others / own if own and others else None


def _start(stack: ExitStack, name: str, command: Sequence[str], pages: Record) -> Tool | None:
    """A tool that has read all pages once; None, and the reason in print, if it cannot."""
    progress(f"reading with {name}")
    process = stack.enter_context(_child(command))
    try:
        answer = _ask(process, json.dumps(pages))
    except ValueError:
        say(f"{name}: ended with {process.wait()}; its own words are on stderr")
        return None
    return Tool(name, process, answer["version"], answer["read"], {})


@contextmanager
def _child(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    # What tools complain of on every other page would bury the tables.
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | ONE_CORE,
        stderr=None if "-v" in sys.argv else subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()


def _ask(process: subprocess.Popen[str], line: str) -> Any:  # noqa: ANN401 - JSON
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
    return json.loads(process.stdout.readline())


def _package_of(name: str) -> str:
    return name.split()[0] if name.startswith(BASELINE) else name


# ── scaling and steps ────────────────────────────────────────────────────────────────────────────────────────────────


def scaling(rounds: int) -> list[str]:
    """Pages a second of wall time through the pool that ingest uses, with one worker and with two."""
    pages = [page_of(file, known=True)[0] for file in article_files()] * SCALING_PASSES
    best = {1: 0.0, 2: 0.0}
    own_seconds = []
    for number in range(rounds):
        for workers in best:
            progress(f"scaling, round {number + 1} of {rounds}: {workers} processes")
            with Extractors(catalogue(), workers=workers) as extractors:
                list(extractors.run(pages[:64]))
                own, began = time.process_time(), time.perf_counter()
                list(extractors.run(pages))
                own_seconds.append(time.process_time() - own)
                best[workers] = max(best[workers], len(pages) / (time.perf_counter() - began))
    times = best[2] / best[1]
    say(f"\nProcesses: {best[1]:.0f} pages/s with one, {best[2]:.0f} with two: {times:.2f} times (goal >= {SCALING})")
    say(f"The process that hands out pages and takes rows: {min(own_seconds) / len(pages) * 1000:.2f} CPU ms a page")
    say(f"(wall time, best of {rounds}; load of the machine now {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    return [] if times >= SCALING else [f"two processes {SCALING} times one (it is {times:.2f})"]


def steps(rounds: int) -> None:
    """CPU milliseconds of each step for a mean page."""
    files = article_files()
    unknown = [page_of(file, known=False) for file in files]
    known = [page for file in files if (page := page_of(file, known=True))[1] is not UNKNOWN]
    columns = {"no rules": unknown, "rules": known}
    found: dict[str, dict[str, float]] = {}
    for name, pages in columns.items():
        progress(f"steps: {name}")
        measured = [step_seconds(pages) for _ in range(rounds)]
        found[name] = {step: median(one[step] for one in measured) / len(pages) * 1000 for step in measured[0]}
    say("\nWhere the time goes (CPU ms of a mean page)")
    totals = {name: sum(values.values()) for name, values in found.items()}
    rows = [
        (step, *(cell for name in columns for cell in (found[name][step], f"{found[name][step] / totals[name]:.0%}")))
        for step in found["rules"]
    ]
    rows.append(("together", *(cell for name in columns for cell in (totals[name], ""))))
    _table(("", *(cell for name, pages in columns.items() for cell in (f"{name} ({len(pages)})", "share"))), rows)


# ── odds and ends ────────────────────────────────────────────────────────────────────────────────────────────────────


def _counted(values: Iterable[str | None]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for value in values:
        counts[value or "refused"] += 1
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table(head, rows, _cell)


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a table holds
    if value is None:
        return "-"
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts", nargs="*", type=one_of(PARTS), metavar="PART", help=f"{', '.join(PARTS)}; all, if none is named"
    )
    parser.add_argument("--tools", nargs="+", choices=PEERS, default=PEERS, metavar="TOOL", help="these others only")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="read every Nth page only, and the gold")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="name the N worst gold pages")
    parser.add_argument("-v", action="store_true", help="let the tools complain on stderr")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

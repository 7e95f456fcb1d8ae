"""docs/reliability.md from tests/faults.toml and a run of the tests that belong to its rows.

python -m tests.reliability > docs/reliability.md
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("tests/articles", "tests/flows", "tests/spiders", "tests/storage")
ROW = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]\d\d)(?!\d)")
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S.*?)(?: - .*)?$")

INTRODUCTION = """\
# Reliability

What goes wrong outside of us, and whether it was tried. A row is tried if a test of its own makes the fault happen, on
a server on loopback or with the bytes themselves; it survived if all of these tests pass. `make torture` kills
and fails a lake many more times than these tests do.

This page is generated: `python -m tests.reliability > docs/reliability.md`.
"""


@dataclass(slots=True)
class Row:
    id: str
    what: str
    expected: str = ""
    untried: str = ""
    tests: list[str] = field(default_factory=list)

    def owns(self, node: str) -> bool:
        named = {found.upper() for found in ROW.findall(node.partition("::")[2])}
        return self.id in named or any(each in node for each in self.tests)


@dataclass(slots=True)
class Group:
    id: str
    title: str
    rows: list[Row]


def groups() -> list[Group]:
    table = tomllib.loads((ROOT / "tests/faults.toml").read_text(encoding="utf-8"))
    return [
        Group(name, group.pop("title"), [Row(id=row_id, **row) for row_id, row in group.items()])
        for name, group in table.items()
    ]


def collected() -> list[str]:
    """The ids of all tests, whether or not they would be run."""
    return [line for line in _pytest("--collect-only", "-q").splitlines() if "::" in line]


def outcomes(nodes: Iterable[str]) -> dict[str, str]:
    """Test → PASSED, FAILED …"""
    found = (OUTCOME.match(line) for line in _pytest("-q", "-rA", "-n", "2", *sorted(nodes)).splitlines())
    return {each[2]: each[1] for each in found if each}


def page(results: dict[str, str]) -> str:
    sections = [_section(group, results) for group in groups()]
    return "\n".join([INTRODUCTION, *_summary(results), "", *sections])


def _summary(results: dict[str, str]) -> Iterator[str]:
    yield "| group | rows | tried | survived | tests |"
    yield "|---|---:|---:|---:|---:|"
    counts = [[0, 0, 0, 0]]
    for group in groups():
        tests = [[test for test in results if row.owns(test)] for row in group.rows]
        survived = sum(bool(each) and all(results[test] == "PASSED" for test in each) for each in tests)
        counts.append(
            [len(group.rows), sum(map(bool, tests)), survived, len({test for each in tests for test in each})]
        )
        yield f"| {group.id} {group.title} | {' | '.join(map(str, counts[-1]))} |"
    yield f"| all | {' | '.join(str(sum(column)) for column in zip(*counts, strict=True))} |"


def _section(group: Group, results: dict[str, str]) -> str:
    head = [f"## {group.id}: {group.title}", "", "| row | fault | what happens | |", "|---|---|---|---|"]
    rows = [f"| {row.id} | {row.what} | {row.expected or '–'} | {_verdict(row, results)} |" for row in group.rows]
    return "\n".join([*head, *rows, ""])


def _verdict(row: Row, results: dict[str, str]) -> str:
    if row.untried:
        return f"not tried: {row.untried}"
    tests = [test for test in results if row.owns(test)]
    bad = [test for test in tests if results[test] != "PASSED"]
    files = sorted({f"`{Path(test.partition('::')[0]).name}`" for test in tests})
    if bad:
        # An expected failure is a weakness that is known and not mended yet.
        return f"{'open' if all(results[test] == 'XFAIL' for test in bad) else 'fails'} in {', '.join(bad)}"
    return f"survived, {', '.join(files)}"


def _pytest(*arguments: str) -> str:
    tests = () if any("::" in each for each in arguments) else FOLDERS
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, *tests]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def main() -> None:
    rows = [row for group in groups() for row in group.rows]
    nodes = [node for node in collected() if any(row.owns(node) for row in rows)]
    # By file and function: names of parameters may hold what a command line cannot.
    results = outcomes({node.partition("[")[0] for node in nodes})
    sys.stdout.write(page(results))


if __name__ == "__main__":
    main()

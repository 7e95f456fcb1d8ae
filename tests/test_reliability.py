"""docs/reliability.md speaks of every row of the fault table, and each row that is called tried has a test."""

from __future__ import annotations

import re

import pytest
from conftest import COLLECTED
from reliability import FOLDERS, ROOT, Row, collected, groups

ROWS = {"N": 28, "R": 8, "S": 22, "P": 22, "E": 12, "D": 12, "O": 12, "C": 14, "W": 20, "T": 20, "H": 16}


@pytest.fixture(scope="module")
def tests(request: pytest.FixtureRequest) -> list[str]:
    here = request.config.stash[COLLECTED]
    files = {node.partition("::")[0] for node in here}
    every = {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py")}
    # A session of all tests has collected them already.
    return here if every <= files else collected()


def test_every_row_is_in_the_table() -> None:
    assert {group.id: [row.id for row in group.rows] for group in groups()} == {
        name: [f"{name}{number:02d}" for number in range(1, count + 1)] for name, count in ROWS.items()
    }


def test_every_row_is_tried_or_says_why_not(tests: list[str]) -> None:
    rows = [row for group in groups() for row in group.rows]
    without = [row.id for row in rows if not row.untried and not any(row.owns(test) for test in tests)]
    assert not without


def test_a_row_that_is_not_tried_has_no_test_and_a_reason(tests: list[str]) -> None:
    untried = [row for group in groups() for row in group.rows if row.untried]
    assert not [row.id for row in untried if any(row.owns(test) for test in tests)]


def test_the_page_names_every_row_and_no_failure() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| ([A-Z]\d\d) \|", page, flags=re.MULTILINE)
    assert named == [row.id for group in groups() for row in group.rows]
    assert "fails in" not in page


@pytest.mark.parametrize(
    ("node", "owned"),
    [
        ("tests/a.py::test_outcome[N06-n06-E-TRUNC]", True),
        ("tests/a.py::test_n06_the_bytes", True),
        ("tests/n06.py::test_else", False),
        ("tests/a.py::test_in061", False),
        ("tests/a.py::test_named_elsewhere[x]", True),
    ],
)
def test_whose_test_it_is(node: str, owned: bool) -> None:
    assert Row(id="N06", what="", tests=["a.py::test_named_elsewhere"]).owns(node) == owned

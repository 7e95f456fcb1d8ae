"""The rooms import downwards only, and each framework lives in one room."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {
    "articles": {"articles"},
    "spiders": {"spiders", "articles"},
    "storage": {"storage", "articles"},
    "flows": {"flows", "spiders", "storage", "articles"},
}
# Within flows: who is further right may import what stands left of it. What has no floor (the flows, the settings, the
# terminal) is for all of them.
FLOORS = ("core", "desk", "server", "commands", "groups")
HOME_OF = {
    "trafilatura": {"articles"},
    "lxml": {"articles"},
    "scrapy": {"spiders"},
    "twisted": {"spiders"},
    "feedparser": {"spiders"},
    "parsel": {"spiders"},
    "pyarrow": {"storage"},
    "duckdb": {"storage"},
    "sqlite3": {"storage"},
    "psycopg": {"storage"},
    "obstore": {"storage"},
    "prefect": {"flows"},
    "typer": {"flows"},
    "distributed": {"flows"},
    "matplotlib": {"flows"},
    "apprise": {"flows"},
}
# An article is a function of bytes: nothing that reads a disk, a network, a clock or the environment.
IMPURE = {
    "os",
    "socket",
    "subprocess",
    "pathlib",
    "requests",
    "urllib.request",
    "http",
    "sqlite3",
    "time",
    "random",
    "tempfile",
}

MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stay_in_their_rooms(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        top = name.split(".")[0]
        assert top not in ROOMS or top in ROOMS[room], f"{room} imports {name}"
        assert top not in HOME_OF or room in HOME_OF[top], f"{name} is at home in {HOME_OF[top]}, not in {room}"
        if room == "articles":
            assert name not in IMPURE, f"articles is pure, and imports {name}"


@pytest.mark.parametrize("room", ROOMS)
def test_room_says_what_it_is_and_nothing_else(room: str) -> None:
    body = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1, "__init__ holds a docstring only"
    assert ast.get_docstring(ast.Module(body=body, type_ignores=[]))


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent.name in FLOORS], ids=lambda path: path.stem)
def test_a_floor_of_flows_does_not_know_those_above_it(path: Path) -> None:
    above = FLOORS[FLOORS.index(path.parent.name) + 1 :]
    for name in imports(path):
        assert not name.startswith(tuple(f"flows.{floor}" for floor in above)), f"{path.parent.name} imports {name}"


def test_records_import_no_framework() -> None:
    code = "import articles.records, sys; print(sorted({'lxml', 'trafilatura', 'pydantic'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "[]"


def test_no_drawer_of_odds_and_ends() -> None:
    assert not [path for path in MODULES if path.stem in {"utils", "helpers", "common", "misc"}]

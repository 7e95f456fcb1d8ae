"""What README and docs say of commands is so: each is told of, and each one told of exists, with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from flows.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# In a code span, on an indented line, and in a fenced block.
SPAN = re.compile(r"`finnews ([^`\n]*)`|^    (?:\$ |\.venv/bin/)?finnews ([a-z].*)$", re.MULTILINE)
FENCED = re.compile(r"^```(?:bash|sh|console|text)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_FENCE = re.compile(r"^(?:\$ |\.venv/bin/)?finnews ([a-z].*)$", re.MULTILINE)
WORD = re.compile(r"[a-z]+")


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(leaves(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_of_itself_and_a_place_in_the_readme(path: tuple[str, ...]) -> None:
    epilog = COMMANDS[path].epilog or ""
    assert re.search(rf"(?s)Examples?:.*\bfinnews {' '.join(path)}\b", epilog)
    rows = [row for row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if row.startswith("| `")]
    told = [row.split(" | ")[0] for row in rows if f"finnews {path[0]}" in row or f"`{path[0]} " in row]
    assert any(re.search(rf"\b{path[-1]}\b", row) for row in told), f"finnews {' '.join(path)} is not in the README"


def told_of() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        yield from ((page.name, span or line) for span, line in SPAN.findall(text))
        yield from ((page.name, line) for block in FENCED.findall(text) for line in IN_FENCE.findall(block))


@pytest.mark.parametrize(("page", "line"), sorted(set(told_of())))
def test_what_the_pages_tell_of_exists(page: str, line: str) -> None:
    words = words_of(line)
    names = [word for word in words if WORD.fullmatch(word)]
    path = tuple(names[:2]) if tuple(names[:2]) in COMMANDS else tuple(names[:1])
    groups = {command[0] for command in COMMANDS if len(command) > 1}
    assert not names or path in COMMANDS or path[0] in groups, f"{page}: finnews {line}"
    if path in COMMANDS:
        parameters = COMMANDS[path].params
        known = {name for each in parameters for name in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
        given = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
        assert given <= known, f"{page}: finnews {line}"


def words_of(line: str) -> list[str]:
    """As a shell would split it, up to a pipe or a comment."""
    line = re.split(r"\s[|#>&]|…|\s\[", line)[0]
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()

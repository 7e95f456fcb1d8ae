"""Saved pages and lists of each source, against what a person read in them (the layout is that of flows.core.cases).

`pytest --rewrite` writes article.json and rows.json for you. Then read the diff: a saved mistake passes every day.

The record says what is right, not what is read today; `removed` names the lines that patterns took out, not the
elements that a selector dropped. A field known to be read wrongly is named in case.toml as `open = ["symbols"]` and
shows up as xfailed until it is repaired.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from flows.core.cases import LIST_PREFIX, case_folders, differences, read_case, saved_path
from spiders.catalogue import Catalogue

HERE = Path(__file__).parent
CATALOGUE = Catalogue.load()


def all_cases() -> list[Any]:
    sources = sorted(path for path in HERE.iterdir() if path.name in CATALOGUE)
    return [pytest.param(case, id=f"{path.name}/{case.name}") for path in sources for case in case_folders(path)]


@pytest.mark.parametrize("folder", all_cases())
def test_case(folder: Path, request: pytest.FixtureRequest) -> None:
    source = CATALOGUE[folder.parent.name]
    if request.config.getoption("--rewrite"):
        rewrite(folder, read_case(source, folder))
        return
    wrong = differences(source, folder)
    known = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8")).get("open", ())
    assert not [line for line in wrong if line.partition(":")[0] not in known], "\n".join(wrong)
    if wrong:
        pytest.xfail("; ".join(wrong))


@pytest.mark.parametrize("source", [source.id for source in CATALOGUE.values() if source.lists])
def test_every_source_has_cases(source: str) -> None:
    kinds = {"list" if case.name.startswith(LIST_PREFIX) else "article" for case in case_folders(HERE / source)}
    assert kinds == {"list", "article"}, f"tests/sources/{source}: save a list and a page (CONTRIBUTING.md)"


def test_no_folder_without_a_source() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and any(path.glob("*/case.toml"))}
    assert folders <= set(CATALOGUE)


def rewrite(folder: Path, value: Any) -> None:
    """Leaves alone what only a person can say: which lines may be in the text or not."""
    saved = saved_path(folder)
    old = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}
    if "optional" in old:
        value = value | {"optional": old["optional"]}
    saved.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

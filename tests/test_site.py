"""The documentation site builds without a warning, and the notebook runs and says what it shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs/notebooks/corpus.ipynb"


@pytest.mark.slow
def test_the_site_builds_and_its_links_lead_somewhere(tmp_path):
    """Sphinx warns of every reference to a page or heading that is not there; -W makes that an error."""
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    for page in ("start", "concepts", "reading", "operations", "schema", "guarantees", "comparison", "faq"):
        assert f'href="{page}.html"' in index
    outside = re.findall(r'(?:src|href)="(https?://[^"]+)"', index)
    assert not [
        address
        for address in outside
        if "github.com" not in address and "pradyunsg" not in address and "sphinx-doc" not in address
    ]


@pytest.mark.slow
def test_the_notebook_runs_and_says_what_it_shows(tmp_path):
    """The same seed gives the same figures."""
    folder = tmp_path / "docs/notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "storage").mkdir()
    shutil.copy(ROOT / "storage/as_of.sql", tmp_path / "storage")
    shown = nbformat.read(NOTEBOOK, as_version=4)
    ran = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(ran, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    assert words_of(ran) == words_of(shown)
    assert any("read differently today" in words for words in words_of(shown))


def words_of(notebook: nbformat.NotebookNode) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return [words for words in said if "Figure" not in words]

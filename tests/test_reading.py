"""Every example of docs/reading.md runs, on the lake of the demo; both forms of as_of agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from storage.query import query

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reading.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where `make demo` was run."""
    folder = tmp_path_factory.mktemp("reader")
    demo = [sys.executable, "-m", "flows.cli", "demo", "--lake", str(folder / "demo-lake"), "--quiet"]
    subprocess.run(demo, cwd=ROOT, check=True, capture_output=True)
    return folder


def run_python(block: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", blocks("python"), ids=lambda block: re.findall(r"import (\w+)|from (\w+)", block)[0][0]
)
def test_python_examples_run(folder, block):
    if "pyspark" in block and shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none on this machine")
    assert run_python(block, folder).strip()


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("sql"), ids=lambda block: block.split(" from ")[0][:30])
def test_sql_examples_run(folder, block):
    macro = (ROOT / "storage/as_of.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(f"SET file_search_path = '{folder}'")
        assert connection.execute(block.replace(".read storage/as_of.sql", macro)).fetchall()


@pytest.mark.slow
def test_as_of_in_polars_is_the_macro(tmp_path):
    """On weeks of revisions, reprints and late originals."""
    lake = tmp_path / "lake"
    subprocess.run([sys.executable, "-m", "benchmarks.sample_lake", str(lake), "--days", "12"], cwd=ROOT, check=True)
    [block] = [block for block in blocks("python") if "def as_of" in block]
    probe = """
import json
moments = [datetime(2024, 3, day, hour, tzinfo=timezone.utc) for day in (1, 4, 8, 12, 20) for hour in (2, 14)]
print(json.dumps([sorted(as_of("lake", moment).select("article_id", "revision").rows()) for moment in moments]))
"""
    (tmp_path / "demo-lake").symlink_to(lake)
    by_polars = json.loads(run_python(block + probe, tmp_path).splitlines()[-1])
    moments = [f"2024-03-{day:02d} {hour:02d}:00:00Z" for day in (1, 4, 8, 12, 20) for hour in (2, 14)]
    sql = "select article_id, revision from as_of(timestamptz '{}') order by all"
    by_macro = [[list(row) for row in query(lake, sql.format(moment))[1]] for moment in moments]
    assert by_polars == by_macro
    assert len(by_macro[-1]) > len(by_macro[0]) > 0

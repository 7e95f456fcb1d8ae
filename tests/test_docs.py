"""Pages that are generated say what the code says, and what the README shows runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from storage.schema import schema_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_schema_page_is_generated_from_the_schema() -> None:
    page = (ROOT / "docs/schema.md").read_text(encoding="utf-8")
    assert page == schema_markdown(), "docs/schema.md is out of date: run `make docs`"


@pytest.mark.slow
def test_readme_reads_the_demo_lake(tmp_path: Path) -> None:
    """Each line of Python, and the SQL, as a reader would type them after `make demo`."""
    import duckdb

    demo = [sys.executable, "-m", "flows.cli", "demo", "--lake", str(tmp_path / "demo-lake"), "--json"]
    subprocess.run(demo, cwd=ROOT, check=True, capture_output=True)
    assert PYTHON_BLOCKS
    for block in PYTHON_BLOCKS:
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
    [sql] = re.findall(r'duckdb -c "(.*?)"\n', README)
    rows = duckdb.sql(sql.replace("demo-lake", str(tmp_path / "demo-lake"))).fetchall()
    assert len(rows) > 20
    shutil.rmtree(tmp_path / "demo-lake")

"""Row W01 for backfills: killed at random moments and given again, each leaves the lake of an undisturbed one.

`FINNEWS_KILLS` moments of each; `make torture` has twenty.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("FINNEWS_KILLS", "3"))


@pytest.mark.slow
@pytest.mark.parametrize("backfill", ["archive", "head", "worker", "lists"])
def test_w01_a_backfill_killed_anywhere_leads_to_the_same_lake(backfill: str) -> None:
    """In a process of its own, which forks those that are killed: of an archive, its Dask head or worker, of lists."""
    command = [sys.executable, "-m", "tests.flows.torture_backfills", "--kills", str(KILLS), "--only", backfill]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60 + 60 * KILLS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    [found] = re.findall(r"s\): (\{.*\})$", done.stdout, re.MULTILINE)
    assert json.loads(found)["kills"] == KILLS

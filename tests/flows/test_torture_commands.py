"""A little of `make torture`: commands that are killed, in a folder and in a bucket."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_w01_w02_w03_w17_commands_that_are_killed_leave_what_undisturbed_ones_do() -> None:
    """In a process of its own: one that has spoken to a bucket before can no longer be forked."""
    command = [sys.executable, "-m", "tests.flows.torture_commands", "--quick", "--kills", "5", "--bucket-kills", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    results = [json.loads(found) for found in re.findall(r"s\): (\{.*\})$", done.stdout, re.MULTILINE)]
    assert [result["kills"] for result in results] == [5, 5, 5]

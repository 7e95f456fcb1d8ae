"""The first half hour of a new user goes as the documentation says."""

from __future__ import annotations

import shutil

import pytest

from tests.walkthrough import ROOT, walk


@pytest.mark.slow
def test_the_first_half_hour(tmp_path):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("the walk begins with a clone, and this is no git checkout")
    steps = list(walk(tmp_path))
    assert (steps[0], steps[-1]) == ("clone", "verify")
    assert {"the alarm", "no alarm", "re-extract"} < set(steps)

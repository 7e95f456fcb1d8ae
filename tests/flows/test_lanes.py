"""Bars for several lanes at once."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from flows.terminal import Lanes, Terminal


def test_each_lane_has_its_bar_and_what_was_done_before_stands_in_it() -> None:
    out = Console(file=io.StringIO(), force_terminal=True, width=80)
    progress = Progress(TextColumn("{task.description}"), MofNCompleteColumn(), console=out)
    lanes = Lanes(progress)
    lanes.reached("sina", 30, 365)
    lanes.reached("mofcom", 0, 160)
    lanes.reached("sina", 61, 365)
    assert [(task.description, task.completed, task.total) for task in progress.tasks] == [
        ("sina", 61, 365),
        ("mofcom", 0, 160),
    ]


def test_where_nobody_watches_nothing_is_drawn(capsys) -> None:
    with Terminal().lanes() as lanes:
        lanes.reached("sina", 1, 2)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""

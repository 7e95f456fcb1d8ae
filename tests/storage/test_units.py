from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from storage.database import connect
from storage.ledger import ledger_location
from storage.units import PART, Unit, Units, units_of

JUNE = date(2026, 6, 1), date(2026, 6, 30)
TODAY = date(2026, 7, 1)


def unit(day: int, source: str = "aa", **more: int) -> Unit:
    return Unit(source=source, list="the list", since=date(2026, 6, day), until=date(2026, 6, day), **more)


def claimed(units: Units, source: str = "aa") -> Unit:
    found = units.claim(source, *JUNE, today=TODAY)
    assert isinstance(found, Unit)
    return found


def states(units: Units) -> dict[int, str]:
    return {each.since.day: each.state for each in units.of("aa", *JUNE)}


def test_newest_first_one_at_a_time_and_each_source_for_itself(tmp_path: Path) -> None:
    with Units(tmp_path) as one, Units(tmp_path) as other:
        one.add([unit(1), unit(2), unit(1, "bb")])
        first = claimed(one)
        assert first.since.day == 2
        assert other.claim("aa", *JUNE, today=TODAY) == "busy"
        assert claimed(other, "bb").source == "bb"
        assert one.finish(first, articles=7)
        second = claimed(other)
        assert (second.since.day, other.finish(second, articles=0)) == (1, True)
        assert one.claim("aa", *JUNE, today=TODAY) is None
        assert states(one) == {1: "done", 2: "done"}
        assert [each.articles for each in one.of("aa", *JUNE)] == [7, 0]


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_is_told(tmp_path: Path) -> None:
    with Units(tmp_path, lease_seconds=0) as paused, Units(tmp_path) as other:
        paused.add([unit(1)])
        lost = claimed(paused)
        taken = claimed(other)
        assert not paused.renew(lost)
        assert not paused.finish(lost, articles=1)
        assert not paused.fail(lost, "too late")
        assert other.finish(taken, articles=1)


def test_the_unit_of_a_dead_driver_is_free_at_once(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with Units(tmp_path) as killed, Units(tmp_path) as other:
        killed.owner = f"{socket.gethostname()}:{dead.pid}:00"
        killed.add([unit(1)])
        claimed(killed)
        assert claimed(other).since.day == 1


def test_what_is_behind_the_end_of_a_list_is_done(tmp_path: Path) -> None:
    with Units(tmp_path) as units:
        ranges = [unit(1, first_page=first, last_page=first + 9) for first in (1, 11, 21)]
        units.add([*ranges, unit(2)])
        units.end_list(ranges[1])
        assert [(each.first_page, each.state) for each in units.of("aa", *JUNE)] == [
            (0, "pending"),
            (1, "pending"),
            (11, "pending"),
            (21, "done"),
        ]


@pytest.mark.parametrize("again", ["reset", "reopen"])
def test_failed_units_are_taken_up_again_on_request_only(again: str, tmp_path: Path) -> None:
    with Units(tmp_path) as units:
        units.add([unit(1), unit(2)])
        units.fail(claimed(units), "E-FEED")
        units.finish(claimed(units), articles=1)
        assert states(units) == {1: "done", 2: "failed"}
        units.add([unit(2)])
        assert states(units) == {1: "done", 2: "failed"}
        getattr(units, again)(units.of("aa", *JUNE))
        assert states(units) == {1: "pending" if again == "reset" else "done", 2: "pending"}


@contextmanager
def without_rights() -> Iterator[None]:
    """As somebody who may read what all may read: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_who_only_looks_needs_no_right_to_write() -> None:
    # Not pytest's own folder: none but its owner may look into that.
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        state = ledger_location(lake, "")
        assert isinstance(state, Path)
        state.parent.mkdir(parents=True)
        assert units_of(lake, "", "aa", *JUNE) == []
        assert not state.exists()
        connect(state, PART).close()  # of a lake that no backfill of a source has seen
        assert looked_at(lake, state) == []
        with Units(lake) as units:
            units.add([unit(1), unit(2), unit(1, "bb")])
        assert [each.since.day for each in looked_at(lake, state)] == [2, 1]


def looked_at(lake: Path, state: Path) -> list[Unit]:
    closed = {lake.parent: 0o555, lake: 0o555, state.parent: 0o555, state: 0o444}
    for path, mode in closed.items():
        path.chmod(mode)
    try:
        with without_rights():
            return units_of(lake, "", "aa", *JUNE)
    finally:
        for path in closed:
            path.chmod(0o755)

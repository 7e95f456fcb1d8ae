"""Rows R08 and N03: two crawls on one host keep its delay together; a host that swallows all is left alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import faultserver as faults
import pytest
from crawling import Crawled, crawl, json_list, source_of
from faultserver import ADDRESS, FaultServer
from hypothesis import given
from hypothesis import strategies as st

from spiders.hosts import Hosts, Pace, shared_folder

DELAY_SECONDS = 0.2


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def test_r08_two_crawls_at_a_time_are_never_faster_than_one(server: FaultServer, tmp_path: Path) -> None:
    def visit(name: str) -> Crawled:
        listed = faults.Listed()
        for number in range(4):
            listed.add(f"http://site.faulty.test/{name}/{number}.html")
        server.faults[name] = listed
        source = source_of(json_list(f"http://{name}.faulty.test/list"))
        folder = str(tmp_path / "hosts")
        return crawl(
            source, tmp_path / name, connect_to={"*": server.address}, delay_seconds=DELAY_SECONDS, hosts_dir=folder
        )

    with ThreadPoolExecutor(2) as both:
        reports = [crawled.report for crawled in both.map(visit, ("one", "two"))]
    assert [report.fetched for report in reports] == [4, 4]
    times = sorted(asked.at for asked in server.log if asked.label == "site")
    waits = [later - earlier for earlier, later in pairwise(times)]
    # A request leaves at its moment and is seen when the server comes to it: less is jitter of the machine.
    assert min(waits) > DELAY_SECONDS * 0.5, waits
    assert times[-1] - times[0] > DELAY_SECONDS * (len(times) - 1) * 0.95


class Clock:
    now = 500.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=30))
def test_r08_moments_are_given_out_a_delay_apart(tmp_path_factory: pytest.TempPathFactory, asks: list) -> None:
    clock = Clock()
    folder = tmp_path_factory.mktemp("hosts")
    crawls = {name: Hosts(2.0, clock, Pace(folder, clock)) for name in "ab"}
    given_out = []
    for name, later in asks:
        clock.now += later
        given_out.append(clock.now + crawls[name].seconds_to_slot("host"))
    assert all(after - before >= 2.0 - 1e-3 for before, after in pairwise(given_out))


def test_r08_a_pause_that_one_crawl_was_asked_for_holds_for_all(tmp_path: Path) -> None:
    clock = Clock()
    one, other = (Hosts(2.0, clock, Pace(tmp_path, clock)) for _ in range(2))
    one.pause("host", 30)
    assert other.seconds_to_resume("host") == 30
    assert other.seconds_to_slot("host") == 30
    assert other.seconds_to_resume("elsewhere") == 0


def test_o05_a_backfill_steps_back_while_a_live_crawl_has_the_host(tmp_path: Path) -> None:
    clock = Clock()
    live, past = (Hosts(2.0, clock, Pace(tmp_path, clock), yields=yields) for yields in (False, True))
    past.seconds_to_slot("host")
    assert past.seconds_to_yield("host") == 0
    assert live.seconds_to_slot("host") == 2
    assert (live.seconds_to_yield("host"), past.seconds_to_yield("host")) == (0, 7)
    clock.now += 7
    assert past.seconds_to_yield("host") == 0


def test_r08_a_file_that_makes_no_sense_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "host").write_text("another-boot 99999999 99999999\n")
    assert Pace(tmp_path).reserve("host", 1) == 0
    assert 0.5 < Pace(tmp_path).reserve("host", 1) <= 1


def test_r08_runs_of_one_user_meet_in_one_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert shared_folder() == tmp_path / "finnews" / "hosts"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Accepts nothing: its queue is full, and the kernel drops whoever knocks."""
    with socket.socket() as listening:
        listening.bind((ADDRESS, 0))
        listening.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        yield f"{ADDRESS}:{listening.getsockname()[1]}"
        for caller in callers:
            caller.close()


def test_n03_a_black_hole_costs_its_limit_and_is_then_left_alone(
    server: FaultServer, black_hole: str, tmp_path: Path
) -> None:
    listed = faults.Listed()
    for number in range(8):
        listed.add(f"http://n03.faulty.test/a/{number}.html")
    server.faults["list"] = listed
    source = source_of(json_list("http://list.faulty.test/list"), robots="ignore", rate={"timeout_seconds": 0.4})
    connect_to = {"list.faulty.test": server.address, "n03.faulty.test": black_hole}
    report = crawl(source, tmp_path / "crawl", connect_to=connect_to).report
    # After three in a row it is left alone; a fourth may be on its way by then.
    assert report.pending in ({"timeout": 3, "network": 5}, {"timeout": 4, "network": 4})
    assert report.seconds < 4

"""The backfill over lists that page back, on a loopback site (tests/flows/past_site.py)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

sys.path.append(str(Path(__file__).parent))

import past_site
from past_site import faults

from flows.core.accounting import RunReport
from flows.core.backfilling import backfill_sources, planned_units
from flows.core.units import RangeError, Reprocess
from flows.settings import Settings

ROOT = Path(__file__).parents[2]
A_YEAR = date(2025, 10, 1), date(2026, 9, 30)
AUGUST = date(2026, 8, 1), date(2026, 8, 31)
A_WEEK = date(2026, 9, 10), date(2026, 9, 16)


@dataclass
class Site:
    server: faults.FaultServer
    settings: Settings
    folder: Path
    ledger: str

    def backfill(self, source: str, days: tuple[date, date], reprocess: Reprocess = "missing") -> RunReport:
        return backfill_sources(self.settings, [source], *days, reprocess=reprocess, retry_seconds=0.05)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A run of the command line, in a process group of its own."""
        settings = {
            "FINNEWS_CONNECT_TO": json.dumps({"*": self.server.address}),
            "FINNEWS_LEDGER": self.ledger,
            "FINNEWS_WORKERS": "1",
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        places = ["--lake", str(self.folder / "lake"), "--sources", str(self.folder / "sources"), "--json"]
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *command, *places],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def wait_for(self, requests: int, run: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 120
        while len(self.server.log) < requests and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)

    def asked(self, source: str, part: str) -> list[str]:
        return [asked.path for asked in self.server.log if asked.label == source and part in asked.path]

    def stored(self, source: str) -> list[int]:
        found = duckdb.sql(f"select url from read_parquet('{self.folder}/lake/articles/source={source}/*/*.parquet')")
        return sorted((int(url.rpartition("/")[2][:-5]) for (url,) in found.fetchall()), reverse=True)


@pytest.fixture
def site(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with faults.FaultServer() as server:
        for name in (*past_site.KINDS, "yearly"):
            server.faults[name] = server.robots[name] = past_site.answer
        settings = Settings(
            lake=str(tmp_path / "lake"),
            sources=[past_site.write_sources(tmp_path / "sources")],
            connect_to={"*": server.address},
            workers=1,
            ledger=ledger_url,
        )
        yield Site(server, settings, tmp_path, ledger_url)


@pytest.mark.slow
@pytest.mark.parametrize("source", past_site.KINDS)
def test_every_article_of_the_days_asked_for_and_no_other(source: str, site: Site) -> None:
    account = site.backfill(source, A_WEEK).sources[source]
    assert site.stored(source) == past_site.ids(*A_WEEK)
    assert (account.stored, account.pending, account.balanced) == (36, 0, True)
    assert account.empty_days == ["2026-09-13"]
    assert max(Counter(site.asked(source, "/a/")).values()) == 1


def test_done_days_are_skipped_and_new_ones_are_added(site: Site) -> None:
    site.backfill("daily", A_WEEK)
    asked = len(site.server.log)
    again = site.backfill("daily", A_WEEK).sources["daily"]
    assert (len(site.server.log), again.discovered, again.units["done"]) == (asked, 0, 1)
    planned = planned_units(site.settings, ["daily"], date(2026, 9, 8), date(2026, 9, 18))
    spans = [(each.unit.since.day, each.unit.until.day) for each in planned]
    assert spans == [(17, 18), (8, 9)]
    anew = planned_units(site.settings, ["daily"], *A_WEEK, reprocess="all")
    assert [(each.unit.since, each.unit.until) for each in anew] == [A_WEEK]


@pytest.mark.slow
def test_an_answer_of_other_days_ends_the_unit_and_is_said(site: Site) -> None:
    def newest_whatever_is_asked_for(turn: faults.Turn) -> None:
        asked = turn.asked.path
        if asked.startswith("/day"):
            turn.asked = faults.Asked(turn.asked.at, turn.asked.host, "/page?page=1", turn.asked.headers)
        past_site.answer(turn)

    site.server.faults["daily"] = newest_whatever_is_asked_for
    report = site.backfill("daily", AUGUST)
    account = report.sources["daily"]
    assert account.units == {"done": 0, "failed": 1, "left": 0}
    assert "E-WINDOW" in account.failures[0]
    assert "asked for 2026-08-31, it answers with entries of 2026-09-27 to 2026-09-30" in account.failures[0]
    assert (account.stored, report.exit_code) == (0, 75)


@pytest.mark.slow
def test_a_site_that_stumbles_is_asked_again_and_nothing_is_counted_twice(site: Site) -> None:
    def stumbling(turn: faults.Turn) -> None:
        first_week = turn.asked.path.startswith("/a/") and turn.number <= 3 and int(turn.asked.path[3:-5]) % 7 == 0
        if first_week:
            turn.answer(status="503 Service Unavailable")
        else:
            past_site.answer(turn)

    site.server.faults["paged"] = stumbling
    account = site.backfill("paged", A_WEEK).sources["paged"]
    assert site.stored("paged") == past_site.ids(*A_WEEK)
    outside = account.filtered
    assert (account.discovered - outside, account.stored, account.pending) == (36, 36, 0)
    assert account.units["failed"] == 0


def test_a_dry_run_says_the_units_and_what_they_cost_and_touches_nothing(site: Site) -> None:
    days = date(2026, 8, 15), date(2026, 9, 30)
    by_day, by_page = (planned_units(site.settings, [source], *days) for source in ("daily", "paged"))
    assert [(each.unit.since.isoformat(), each.unit.until.isoformat()) for each in by_day] == [
        ("2026-09-01", "2026-09-30"),
        ("2026-08-15", "2026-08-31"),
    ]
    assert [(each.cost.bound, each.cost.lists, each.cost.articles) for each in by_day] == [
        ("at least", 30, None),
        ("at least", 17, None),
    ]
    assert [(each.unit.first_page, each.unit.last_page) for each in by_page] == [(1, 10), (11, 20), (21, 30), (31, 40)]
    assert (by_page[0].cost.bound, by_page[0].cost.lists, by_page[0].cost.articles) == ("at most", 10, 200)
    assert not site.server.log
    assert not (site.folder / "lake").exists()


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (date(2026, 9, 2), date(2026, 9, 1), "the range is empty: --since 2026-09-02 is after --until 2026-09-01"),
        (date(2026, 9, 2), date(2999, 1, 1), "--until 2999-01-01 lies in the future"),
        (date(2999, 1, 1), None, "--since 2999-01-01 lies in the future"),
        (date(1999, 1, 1), date(1999, 12, 31), "daily: --until 1999-12-31 lies before its lists begin"),
        (None, None, "say how far back to go: --since DAY"),
    ],
)
def test_o07_a_range_that_cannot_be(since: date | None, until: date | None, message: str, site: Site) -> None:
    with pytest.raises(RangeError, match=message):
        backfill_sources(site.settings, ["daily"], since, until)
    assert not (site.folder / "lake").exists()


@pytest.mark.slow
def test_o05_a_live_run_goes_on_beside_a_backfill(site: Site) -> None:
    past = site.start("backfill", "daily", "--since", "2026-08-01", "--until", "2026-09-30")
    site.wait_for(40, past)
    live = site.start("ingest", "paged")
    codes = [ended(run) for run in (live, past)]
    assert codes == [0, 0]
    assert site.stored("daily") == past_site.ids(*past_site.WHOLE)
    assert site.stored("paged") == past_site.ids(*past_site.WHOLE)[:100]


@pytest.mark.slow
def test_o06_a_year_killed_at_two_fifths_goes_on_and_skips_what_is_done(site: Site) -> None:
    year = ("backfill", "yearly", "--since", A_YEAR[0].isoformat(), "--until", A_YEAR[1].isoformat())
    run = site.start(*year)
    site.wait_for(2 * 365 * 2 // 5, run)
    kill(run)
    assert ended(site.start(*year)) == 0
    stored = site.stored("yearly")
    assert stored == [int(f"{day:%Y%m%d}") for day in past_site.days(*A_YEAR)]
    again = [count - 1 for count in Counter(site.asked("yearly", "/year")).values()]
    assert sum(again) <= 2, "days that were done are asked for again"
    assert sum(Counter(site.asked("yearly", "/a/")).values()) <= 365 + 5


@pytest.mark.slow
def test_two_drivers_share_the_units_of_two_sources(site: Site) -> None:
    command = ("backfill", "daily", "paged", "--since", "2026-08-01", "--until", "2026-09-30")
    runs = [site.start(*command) for _ in range(2)]
    assert [ended(run) for run in runs] == [0, 0]
    for source in ("daily", "paged"):
        assert site.stored(source) == past_site.ids(*past_site.WHOLE)
        assert max(Counter(site.asked(source, "/a/")).values()) == 1


@pytest.mark.slow
def test_an_interrupt_ends_with_130_and_the_next_run_goes_on(site: Site) -> None:
    command = ("backfill", "daily", "--since", "2026-08-01", "--until", "2026-09-30")
    run = site.start(*command)
    site.wait_for(100, run)
    run.send_signal(signal.SIGINT)
    assert ended(run) == 130
    assert ended(site.start(*command)) == 0
    assert site.stored("daily") == past_site.ids(*past_site.WHOLE)
    assert sum(Counter(site.asked("daily", "/a/")).values()) <= len(past_site.ids(*past_site.WHOLE)) + 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_w01_a_killed_backfill_asks_for_nothing_that_it_has(seed: int, site: Site) -> None:
    """On either ledger; many kills, by less than whole commands: torture_backfills."""
    source = list(past_site.KINDS)[seed % len(past_site.KINDS)]
    command = ("backfill", source, "--since", "2026-08-25", "--until", "2026-09-20")
    days = date(2026, 8, 25), date(2026, 9, 20)
    moments = random.Random(seed)
    run = site.start(*command)
    site.wait_for(moments.randint(1, len(past_site.ids(*days)) + 20), run)
    time.sleep(moments.uniform(0, 1.0))
    kill(run)
    assert ended(site.start(*command)) == 0
    assert site.stored(source) == past_site.ids(*days)
    assert sum(Counter(site.asked(source, "/a/")).values()) <= len(past_site.ids(*days)) + 5


def kill(run: subprocess.Popen[bytes]) -> None:
    """The driver and its crawl at once, as by a machine that goes down."""
    found = subprocess.run(
        ["ps", "-o", "pid=,pgid=", "--ppid", str(run.pid)], capture_output=True, text=True, check=False
    )
    pairs = (line.split() for line in found.stdout.splitlines())
    for group in [int(child) for child, group in pairs if child == group]:
        os.killpg(group, signal.SIGKILL)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def ended(run: subprocess.Popen[bytes]) -> int:
    _, words = run.communicate(timeout=240)
    if run.returncode not in (0, 130):
        sys.stderr.write(words.decode())
    return run.returncode

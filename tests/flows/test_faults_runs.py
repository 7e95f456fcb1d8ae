"""Rows O of the fault table that need no Prefect server: sources, sites, schedules and servers that fail runs."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

sys.path.append(str(Path(__file__).parents[1] / "spiders"))

import faultserver as faults
from faultserver import FaultServer
from past_site import page_of

from flows.cli import run as finnews
from flows.core.accounting import Exit, RunReport
from flows.core.crawl import CrawlError
from flows.core.runs import REVISITS, ingest_sources, open_lake, open_run
from flows.ingest import LANES, lanes
from flows.settings import Settings
from storage.errors import LockHeld
from storage.frontier import due_sources
from storage.lake import Lake

A_PAGE = 5
SITES = ("one", "two", "three")
SOURCE = r"""
id = "{id}"
name = "a site of numbered articles"
hosts = ["{id}.test"]
id_regex = '/a/(\d+)\.html'
revisit = ["1h"]

[[list]]
kind = "json"
url = "http://{id}.test/list?page={{page}}"
items = "data"
fields = {{ url = "url", title = "title", published = "time" }}
paging = {{ by = "page", max_pages = 20 }}

[rate]
delay_seconds = 0
"""


@dataclass
class Sites:
    """Each has published so many articles; its list shows them all, newest first, five a page."""

    folder: Path
    server: FaultServer
    published: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SITES, 3))
    broken: set[str] = field(default_factory=set)
    edition: int = 1

    def settings(self, **options: object) -> Settings:
        given = {"workers": 1, "crawls": 3, "delay_seconds": 0.0, "connect_to": {"*": self.server.address}, **options}
        return Settings(lake=str(self.folder / "lake"), sources=[self.folder / "sources"], **given)

    def pass_over(self, *ids: str, **options: object) -> RunReport:
        return ingest_sources(self.settings(**options), ids or SITES)

    def answer(self, turn: faults.Turn) -> None:
        path, _, page = turn.asked.path.partition("?page=")
        name = turn.asked.label
        if path == "/robots.txt":
            faults.no_robots(turn)
        elif name in self.broken:
            turn.answer(b"<html>database error</html>")
        elif path == "/list":
            newest = self.published[name] - (int(page) - 1) * A_PAGE
            numbers = range(newest, max(newest - A_PAGE, 0), -1)
            turn.answer(json.dumps({"data": [row(name, number) for number in numbers]}).encode())
        else:
            turn.answer(page_of(f"{name}{self.edition}", int(path[3:-5])))

    def stored(self) -> list[str]:
        files = f"{self.folder}/lake/articles/**/*.parquet"
        found = duckdb.sql(f"select source || right(url, 8) from read_parquet('{files}', hive_partitioning = true)")
        return sorted(name for (name,) in found.fetchall())


def row(name: str, number: int) -> dict[str, str]:
    url = f"http://{name}.test/a/{number:03}.html"
    return {"url": url, "title": f"题目{number}号", "time": f"2026-11-20 09:{number:02}:00"}


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sites]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "sources").mkdir()
    for name in SITES:
        (tmp_path / "sources" / f"{name}.toml").write_text(SOURCE.format(id=name), encoding="utf-8")
    with FaultServer() as server:
        found = Sites(tmp_path, server)
        for name in SITES:
            server.faults[name] = server.robots[name] = found.answer
        yield found


@pytest.mark.slow
def test_o02_a_prefect_server_that_is_away_stops_no_command(sites: Sites, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("FINNEWS_CONNECT_TO", json.dumps({"*": sites.server.address}))
    folders = ["--lake", str(sites.folder / "lake"), "--sources", str(sites.folder / "sources")]
    assert finnews(["ingest", "one", *folders, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["totals"]["stored"] == 3
    assert "no Prefect server answers" in told.err


@pytest.mark.slow
def test_o03_days_without_a_run_are_made_up_from_what_the_lake_knows(sites: Sites) -> None:
    """Nothing tells the next run how long it was away: it goes through the list until it meets the last poll."""
    sites.pass_over("one")
    sites.published["one"] += 6 * A_PAGE  # twice as deep as a first visit would look
    report = sites.pass_over("one")
    assert (report.exit_code, report.totals.stored) == (Exit.OK, 6 * A_PAGE)
    assert len(set(sites.stored())) == len(sites.stored()) == sites.published["one"]


@pytest.mark.slow
def test_o04_a_second_run_ends_at_once_or_waits_its_turn(sites: Sites) -> None:
    settings = sites.settings()
    with open_lake(settings), pytest.raises(LockHeld):
        sites.pass_over("one")
    holder = Lake.open(settings.lake_path)
    threading.Timer(0.5, holder.close).start()
    with open_run(settings, "ingest", patience_seconds=30) as run:
        run.load("one", run.crawl("one"))
    assert run.report.totals.stored == 3


@pytest.mark.slow
def test_o04_workers_of_one_ledger_leave_a_source_to_the_one_that_crawls_it(sites: Sites, postgres: str) -> None:
    with open_run(sites.settings(ledger=postgres), "ingest") as run:
        outcome = run.crawl("one")
        both = sites.pass_over("one", "two", ledger=postgres)
        assert (both.exit_code, both.left, both.totals.stored) == (Exit.OK, ["one"], 3)
        alone = sites.pass_over("one", ledger=postgres)
        assert (alone.exit_code, alone.document()["left"]) == (Exit.LOCKED, ["one"])
        assert run.load("one", outcome).stored == 3
        after = sites.pass_over("one", ledger=postgres)
        assert (after.exit_code, after.left, after.totals.stored) == (Exit.OK, [], 0)
    assert len(sites.stored()) == 6
    fetched = [asked.path for asked in sites.server.requests("one") if asked.path.startswith("/a/")]
    assert len(fetched) == 3


@pytest.mark.slow
def test_o08_a_source_that_fails_stops_no_other(sites: Sites) -> None:
    sites.broken = {"two"}
    report = sites.pass_over()
    assert report.exit_code == Exit.SOME_FAILED
    assert {name: account.stored for name, account in report.sources.items()} == {"one": 3, "two": 0, "three": 3}
    assert report.sources["two"].error


@pytest.mark.slow
def test_o09_o10_nothing_is_marked_seen_while_the_network_is_cut(sites: Sites) -> None:
    """Both runs in one process: the reactor of a crawl could not start twice, so each crawl has its own."""
    cut = sites.pass_over(connect_to={"*": "127.0.0.2:1"})
    assert (cut.exit_code, cut.totals.stored) == (Exit.ALL_FAILED, 0)
    back = sites.pass_over()
    assert (back.exit_code, back.totals.stored) == (Exit.OK, 9)


@pytest.mark.slow
def test_a_crawl_that_was_never_begun_leaves_its_source_as_it_was(sites: Sites) -> None:
    with open_run(sites.settings(), "ingest") as run:
        run.stop.set()
        run.load("one", run.crawl("one"))
    assert run.report.account("one").balanced
    assert sites.pass_over("one").totals.stored == 3


@pytest.mark.slow
def test_young_articles_are_looked_at_again_without_asking_for_lists(sites: Sites) -> None:
    sites.pass_over("one")
    make_due(sites)
    settings = sites.settings()
    assert due_sources(settings.lake_path) == ["one"]
    sites.edition, sites.published["one"] = 2, 9
    with open_run(settings, "revisit") as run:
        run.crawl_lane(["one"], retry_seconds=(), limit=None, lists=False, revisits=REVISITS)
        run.load("one", run.outcomes.pop("one"), polled=False)
    totals = run.report.totals
    assert (totals.revised, totals.stored, totals.discovered) == (3, 0, 3)
    assert due_sources(settings.lake_path) == []


@pytest.mark.slow
def test_a_lane_goes_on_after_a_source_that_fails_and_asks_in_vain_once(sites: Sites) -> None:
    sites.broken = {"one"}
    with open_run(sites.settings(), "ingest") as run:
        with pytest.raises(CrawlError):
            run.crawl_lane(["one", "two"], retry_seconds=(0.0,), limit=None, lists=True, revisits=0)
        for source_id in ("one", "two"):
            run.load(source_id, run.outcomes.pop(source_id))
    assert [asked.path for asked in sites.server.log if asked.label == "one"] == ["/robots.txt", "/list?page=1"]
    assert run.report.account("two").stored == 3


@pytest.mark.parametrize("count", [0, 1, LANES, LANES + 1, 1000])
def test_a_thousand_sources_are_a_hundred_task_runs(count: int) -> None:
    ids = [f"s{number}" for number in range(count)]
    made = lanes(ids)
    assert sorted(" ".join(made).split()) == sorted(ids)
    assert len(made) == min(count, LANES)
    assert 2 * LANES + 1 <= 100


def make_due(sites: Sites) -> None:
    """An hour later, for the plan of second looks."""
    with sqlite3.connect(sites.folder / "lake" / "_state" / "frontier.sqlite") as frontier:
        assert frontier.execute("UPDATE revisits SET due_at = due_at - 3600").rowcount == 3

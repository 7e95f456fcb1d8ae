"""Deployed, scheduled, run by workers, killed: on a Prefect server and a ledger in PostgreSQL, as on a small cluster.

`make production-check` shows it with the times. The fewest servers that prove it: starting one takes 10 to 25 s.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from orchestra import (
    ROOT,
    Prefect,
    answers,
    deployment_file,
    family,
    free_port,
    kill,
    prefect_server,
    process,
    wait_for,
)

from flows.sample.content import SOURCES
from flows.sample.site import SampleSite
from storage.database import connect
from storage.frontier import PART, frontier_location
from tests.storage.objects import serving

# One server for all of them: they have to meet in one process of xdist.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("prefect")]

SOURCE_IDS = sorted(SOURCES)
EVERY_MINUTE = "* * * * *"
# Docker kills ten seconds after it has asked.
DOCKER_SECONDS = 8.0
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def say() -> Say:
    """One line of the story, with its time: shown by `make production-check`."""
    started = time.monotonic()

    def line(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:7.1f} s  {what}\n")

    return line


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The articles of a pass that nobody disturbed."""
    lake = tmp_path_factory.mktemp("undisturbed") / "lake"
    with SampleSite() as site:
        ingest(lake, site)
    return set(stored(lake))


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory, postgres: str, say: Say) -> Iterator[Prefect]:
    folder = tmp_path_factory.mktemp("prefect")
    with prefect_server(folder, database=postgres) as server:
        say("Prefect server answers, on PostgreSQL")
        yield server


def test_a_schedule_fires_on_a_worker_and_fills_the_lake(
    prefect: Prefect, expected: set[str], tmp_path: Path, say: Say
) -> None:
    with SampleSite() as site:
        environment = of_lake(tmp_path / "lake", site)
        file = deployment_file(tmp_path, scheduled=EVERY_MINUTE)
        prefect.command("flows.server.deploying", str(file), **environment)
        say("deployed: a work pool, six deployments, an automation; and once more, which changes nothing")
        prefect.command("flows.server.deploying", str(file), **environment)
        with prefect.worker("first", **environment):
            run = wait_for(lambda: first_run(prefect), 300)
            say(f"the schedule fired: {run['name']} {run['state_type']}")
        prefect.command("flows.server.deploying", str(deployment_file(tmp_path)), **environment)
    assert run["state_type"] == "COMPLETED", prefect.log(run["id"])
    assert (run["auto_scheduled"], run["created_by"]["type"]) == (True, "SCHEDULE")
    assert set(stored(tmp_path / "lake")) == expected
    assert {"accounting", "run-report"} <= set(prefect.artifacts(run["id"]))
    assert "first page" in prefect.log(run["id"]) or "finished" in prefect.log(run["id"]).lower()
    tasks = prefect.ask("/task_runs/count", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    say(f"{tasks} task runs for {len(SOURCE_IDS)} sources")
    assert tasks <= 2 * len(SOURCE_IDS) + 1


def test_o01_two_workers_one_dies_with_its_host_and_the_other_goes_on(
    prefect: Prefect, expected: set[str], postgres: str, tmp_path: Path, say: Say
) -> None:
    """Both take runs; the dead one's is marked by its missing heartbeat and unblocks its deployment; no row twice.

    The lake is a bucket and each worker has a state folder of its own, as on two machines.
    """
    with SampleSite() as site, serving() as bucket:
        lake = bucket.url("two-workers")
        environment = of_lake(lake, site, FINNEWS_LEDGER=postgres, FINNEWS_DELAY_SECONDS="4") | bucket.environment()
        states = {name: environment | {"FINNEWS_STATE": str(tmp_path / name)} for name in ("one", "two")}
        prefect.command("flows.server.deploying", str(deployment_file(tmp_path)), **environment)
        with prefect.worker("one", **states["one"]) as one, prefect.worker("two", **states["two"]):
            first = prefect.start("ingest/manual", sources=SOURCE_IDS[:3])
            second = prefect.start("ingest/scheduled", sources=SOURCE_IDS[3:])
            wait_for(lambda: {prefect.state(first), prefect.state(second)} == {"RUNNING"}, 300)
            workers = {worker_of(prefect, run_id): run_id for run_id in (first, second)}
            say(f"{' and '.join(sorted(workers))} each have a run")
            assert set(workers) == {"one", "two"}
            doomed = workers["one"]
            wait_for(lambda: crawls_below(one.pid), 120)
            for pid in family(one.pid):
                kill(pid)
            killed_at = time.monotonic()
            say("the host of worker one is gone: worker, flow run and crawls killed")
            name = "ingest/manual" if doomed == first else "ingest/scheduled"
            dead = prefect.ended(doomed, 300)
            after = time.monotonic() - killed_at
            say(f"its run is {dead['state_type']} after {after:.0f} s: {dead['state']['message']}")
            again = prefect.ended(prefect.start(name, sources=SOURCE_IDS), 300)
            say(f"the next one is {again['state_type']} after {time.monotonic() - killed_at:.0f} s")
        other = prefect.ended(workers["two"])
        question = ["read", "select article_id from articles", "--lake", lake, "--json"]
        ids = [row["article_id"] for row in json.loads(prefect.command("flows.cli", *question, **states["two"]))]
    assert dead["state_type"] == "CRASHED"
    assert other["state_type"] == "COMPLETED"
    assert again["state_type"] == "COMPLETED", prefect.log(again["id"])
    assert (len(ids), set(ids)) == (len(expected), expected)
    say(f"{len(ids)} articles, none lost, none twice")


def test_second_looks_and_maintenance_are_flow_runs(prefect: Prefect, postgres: str, tmp_path: Path, say: Say) -> None:
    lake, own = tmp_path / "lake", tmp_path / "sources"
    own.mkdir()
    rules = (ROOT / "spiders" / "sources" / "sina.toml").read_text(encoding="utf-8")
    (own / "sina.toml").write_text('revisit = ["1h"]\n' + rules, encoding="utf-8")
    with SampleSite() as site:
        environment = of_lake(lake, site, FINNEWS_LEDGER=postgres, FINNEWS_SOURCES=json.dumps([str(own)]))
        prefect.command("flows.cli", "ingest", "sina", PREFECT_API_URL="", **environment)
        before = stored(lake)
        with closing(connect(frontier_location(lake, postgres), PART)) as frontier:
            frontier.execute("UPDATE revisits SET due_at = 0")
        prefect.command("flows.server.deploying", str(deployment_file(tmp_path)), **environment)
        with prefect.worker("nightly", **environment):
            looked = prefect.ended(prefect.start("revisit/revisit", sources=["sina"]), 300)
            say(f"second looks: {looked['state_type']}")
            page = tmp_path / "report.html"
            kept = prefect.ended(prefect.start("maintain/maintain", seal_after_days=0, page=str(page)), 300)
            say(f"maintenance: {kept['state_type']}")
    assert looked["state_type"] == "COMPLETED", prefect.log(looked["id"])
    [account] = json.loads(prefect.artifacts(looked["id"])["accounting"])
    assert (account["unchanged"], account["stored"]) == (account["discovered"], 0)
    assert account["discovered"] > 0
    assert kept["state_type"] == "COMPLETED", prefect.log(kept["id"])
    assert {"sealed", "verify", "lake-report"} <= set(prefect.artifacts(kept["id"]))
    assert "<html" in page.read_text(encoding="utf-8")
    assert sorted(stored(lake)) == sorted(before)


def test_o02_o11_serve_outlives_its_server_and_ends_in_order(expected: set[str], tmp_path: Path, say: Say) -> None:
    """`finnews serve`: its Prefect server is killed under it, then it is told to end with crawls on their way."""
    lake, port = tmp_path / "lake", free_port()
    api = f"http://127.0.0.1:{port}/api"
    with SampleSite() as site:
        environment = os.environ | of_lake(lake, site, FINNEWS_DELAY_SECONDS="1.5") | {"PYTHONPATH": str(ROOT)}
        environment.pop("PREFECT_API_URL", None)
        command = ["serve", "--lake", str(lake), "--port", str(port)]
        log = tmp_path / "serve.log"
        with process(environment, log, "flows.cli", *command) as serve:
            wait_for(lambda: "deployed" in log.read_text() or serve.poll() is not None, 360)
            assert serve.poll() is None, log.read_text()
            say("finnews serve: server, deployments, worker")
            server = next(pid for pid in family(serve.pid) if "server" in command_of(pid).split())
            for pid in family(server):
                kill(pid)
            wait_for(lambda: "Prefect server ended" in log.read_text(), 120)
            wait_for(lambda: answers(api), 240)
            say("its server was killed, and is back")
            prefect = Prefect(tmp_path, environment | {"PREFECT_API_URL": api})
            run_id = prefect.start("ingest/manual", sources=SOURCE_IDS)
            wait_for(lambda: crawls_below(serve.pid), 240)
            time.sleep(2)
            everyone = family(serve.pid)
            serve.send_signal(signal.SIGTERM)
            told_at = time.monotonic()
            code = serve.wait(60)
            seconds = time.monotonic() - told_at
            say(f"told to end with crawls on their way: exit {code} after {seconds:.1f} s")
        assert (code, seconds < DOCKER_SECONDS) == (130, True), log.read_text()[-3000:]
        wait_for(lambda: not [pid for pid in everyone if command_of(pid)], 5)
        ingest(lake, site)
    ids = stored(lake)
    assert (len(ids), set(ids)) == (len(expected), expected), run_id
    say(f"the next pass has all {len(ids)} articles, none twice")


def first_run(prefect: Prefect) -> dict[str, Any] | None:
    body = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}, "limit": 1}
    found = prefect.ask("/flow_runs/filter", body)
    return found[0] if found else None


def worker_of(prefect: Prefect, run_id: str) -> str:
    """Both may ask for it; the one that gets it writes that it did."""
    won = f"Flow run '{prefect.run(run_id)['name']}' submitted to infrastructure"
    return next(name for name in ("one", "two") if won in (prefect.folder / f"{name}.log").read_text())


def of_lake(lake: Path | str, site: SampleSite, **more: str) -> dict[str, str]:
    connect = json.dumps({"*": site.address})
    return {
        "FINNEWS_LAKE": str(lake),
        "FINNEWS_CONNECT_TO": connect,
        "FINNEWS_DELAY_SECONDS": "0",
        "FINNEWS_WORKERS": "1",
        **more,
    }


def ingest(lake: Path, site: SampleSite) -> None:
    environment = {**os.environ, **of_lake(lake, site), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flows.cli", "ingest", *SOURCE_IDS, "--lake", str(lake), "--json"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def stored(lake: Path) -> list[str]:
    return [
        row[0] for row in duckdb.sql(f"select article_id from read_parquet('{lake}/articles/**/*.parquet')").fetchall()
    ]


def crawls_below(pid: int) -> list[int]:
    return [child for child in family(pid) if "flows.core.crawl_child" in command_of(child)]


def command_of(pid: int) -> str:
    """ "" for a process that has ended, whether or not its parent has asked for its last word."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except FileNotFoundError:
        return ""

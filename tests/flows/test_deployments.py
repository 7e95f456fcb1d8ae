"""prefect.yaml: its entrypoints load, its schedules are Shanghai's, and one of them fires for real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.sample.content import SOURCES
from flows.sample.site import SampleSite

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = FILE["deployments"]
# The next Shanghai minute instead of the next market hour: a test waits for it.
EVERY_MINUTE = "* * * * *"
SECONDS_TO_FIRE = 150


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_entrypoint_loads_and_takes_its_parameters(deployment: dict[str, Any], monkeypatch) -> None:
    from prefect.flows import load_flow_from_entrypoint

    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    flow.validate_parameters(deployment["parameters"])


def test_schedules_are_in_shanghai_and_overlaps_are_settled() -> None:
    schedules = [schedule for deployment in DEPLOYMENTS for schedule in deployment.get("schedules", [])]
    assert schedules
    assert {schedule["timezone"] for schedule in schedules} == {"Asia/Shanghai"}
    strategies = {d["name"]: d["concurrency_limit"]["collision_strategy"] for d in DEPLOYMENTS}
    assert strategies == {
        "scheduled": "CANCEL_NEW",
        "revisit": "CANCEL_NEW",
        "maintain": "CANCEL_NEW",
        "manual": "ENQUEUE",
        "backfill": "ENQUEUE",
        "archives": "ENQUEUE",
    }


@pytest.mark.server
def test_schedule_fires_on_a_worker_and_fills_the_lake(tmp_path: Path) -> None:
    """A server, `deploy --all`, a process worker: the scheduled deployment runs by itself against the sample site."""
    import duckdb

    lake = tmp_path / "lake"
    with SampleSite() as site, server(tmp_path) as environment:
        environment |= {
            "FINNEWS_HOME": str(ROOT),
            "FINNEWS_LAKE": str(lake),
            "FINNEWS_CONNECT_TO": json.dumps({"*": site.address}),
            "FINNEWS_DELAY_SECONDS": "0",
        }
        prefect(environment, "work-pool", "create", "finnews", "--type", "process")
        prefect(environment, "--no-prompt", "deploy", "--all", "--prefect-file", str(hurried(tmp_path)))
        with process(environment, tmp_path / "worker.log", "worker", "start", "--pool", "finnews", "--limit", "1"):
            run = first_finished_run(environment)
        assert run["state_type"] == "COMPLETED", (tmp_path / "worker.log").read_text()[-4000:]
        assert run["auto_scheduled"]
        assert run["created_by"]["type"] == "SCHEDULE"
    [(articles,)] = duckdb.sql(f"select count(*) from read_parquet('{lake}/articles/**/*.parquet')").fetchall()
    assert articles > 10


def hurried(folder: Path) -> Path:
    """prefect.yaml as it is, but for the hour, and for the sources that the sample site has."""
    changed = json.loads(json.dumps(FILE))
    for deployment in changed["deployments"]:
        if "sources" in deployment["parameters"]:
            deployment["parameters"]["sources"] = list(SOURCES)
        for schedule in deployment.get("schedules", [])[:1]:
            schedule["cron"] = EVERY_MINUTE
    path = folder / "prefect.yaml"
    path.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    return path


@contextmanager
def server(folder: Path) -> Iterator[dict[str, str]]:
    """A Prefect server of our own on loopback; gives the environment that reaches it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
    }
    with process(environment, folder / "server.log", "server", "start", "--host", "127.0.0.1", "--port", str(port)):
        wait_for(lambda: healthy(environment), seconds=60)
        yield environment


@contextmanager
def process(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[None]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            [PREFECT, *arguments], cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield
        finally:
            started.terminate()
            try:
                started.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait()


def prefect(environment: dict[str, str], *arguments: str) -> None:
    run = subprocess.run([PREFECT, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


def first_finished_run(environment: dict[str, str]) -> dict[str, Any]:
    body = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}, "limit": 1}
    return wait_for(lambda: ask(environment, "/flow_runs/filter", body), seconds=SECONDS_TO_FIRE)[0]


def ask(environment: dict[str, str], path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        environment["PREFECT_API_URL"] + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def healthy(environment: dict[str, str]) -> bool:
    try:
        with urllib.request.urlopen(environment["PREFECT_API_URL"] + "/health", timeout=2):
            return True
    except OSError:
        return False


def wait_for(condition, *, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.5)
    return value

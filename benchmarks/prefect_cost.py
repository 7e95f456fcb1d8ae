"""What Prefect costs: the same pass and backfill by the core alone, and as flow runs on a running server.

    python -m benchmarks.prefect_cost [--documents 10000] [--passes 3]

Beside them a flow that does nothing: what any flow run costs that has a process of its own, of which the import of
Prefect is most. Last, a run that a worker of a pool starts, with nothing to do: how long until it starts (the worker
looks for runs every ten seconds or so), and the CPU seconds of its process. The server is started for the purpose, on
loopback, with a database of its own; its start is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil

from benchmarks.backfill_archive import write_documents
from flows.sample.content import SOURCES
from flows.sample.site import SampleSite
from flows.server.serving import POOL, answers, serving_environment
from flows.settings import Settings

ROOT = Path(__file__).parents[1]
PORT = 4733
# Of a flow run's process, which is gone when it has ended; the server is asked now and then.
LOOK_SECONDS, LOOKS_A_QUESTION = 0.05, 10
API = f"http://127.0.0.1:{PORT}/api"
NOTHING = """
from prefect import flow

@flow(persist_result=False)
def nothing():
    pass

nothing()
"""
# Runs a command, then tells whether Prefect was imported for it.
COMMAND = """
import sys
from flows.cli import run

code = run(sys.argv[1:])
sys.stderr.write(f"PREFECT={'prefect' in sys.modules}")
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    wall_seconds: float
    cpu_seconds: float
    imported: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--passes", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        archive = write_documents(folder / "archive.jsonl", asked.documents, sentences=12)
        with SampleSite() as site, prefect_server(folder) as environment:
            connect = {"FINNEWS_CONNECT_TO": json.dumps({"*": site.address}), "FINNEWS_DELAY_SECONDS": "0"}
            compare(
                f"ingest, {len(SOURCES)} sources", ["ingest", *SOURCES], environment | connect, folder, asked.passes
            )
            what = f"backfill, {asked.documents} documents"
            compare(what, ["backfill", "--from", str(archive)], environment, folder, 1)
            floor(environment, asked.passes)
            by_worker(environment, folder / "worked", asked.passes)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def compare(what: str, command: list[str], environment: Mapping[str, str], folder: Path, passes: int) -> None:
    alone = {name: value for name, value in environment.items() if name != "PREFECT_API_URL"}
    core = [measured(command, alone, folder / f"core{number}") for number in range(passes)]
    before = task_runs()
    flow = [measured(command, environment, folder / f"flow{number}") for number in range(passes)]
    tasks = (task_runs() - before) / passes
    seconds = [statistics.median(cost.wall_seconds for cost in costs) for costs in (core, flow)]
    cpu = [statistics.median(cost.cpu_seconds for cost in costs) for costs in (core, flow)]
    print(f"{what}, median of {passes}")
    print(f"  core alone     {seconds[0]:7.2f} s   {cpu[0]:7.2f} CPU s   prefect imported: {core[0].imported}")
    print(f"  as a flow run  {seconds[1]:7.2f} s   {cpu[1]:7.2f} CPU s   {tasks:.0f} task runs")
    print(
        f"  costs          {seconds[1] - seconds[0]:7.2f} s   {cpu[1] - cpu[0]:7.2f} CPU s"
        f"   {100 * (seconds[1] / seconds[0] - 1):.1f} %",
        flush=True,
    )


def floor(environment: Mapping[str, str], passes: int) -> None:
    for what, code in (("import prefect", "from prefect import flow"), ("an empty flow", NOTHING)):
        costs = [timed([sys.executable, "-c", code], environment) for _ in range(passes)]
        wall, cpu = (
            statistics.median(each) for each in zip(*((c.wall_seconds, c.cpu_seconds) for c in costs), strict=True)
        )
        print(f"{what:<16} {wall:7.2f} s   {cpu:7.2f} CPU s", flush=True)


def by_worker(environment: Mapping[str, str], lake: Path, passes: int) -> None:
    """Second looks at a lake that has nothing to look at: all that is left is Prefect's, and our imports."""
    told = serving_environment(Settings(lake=str(lake)), PORT)
    # Its PATH has the Python that runs this, which is the `python` of prefect.yaml.
    environment = told | dict(environment) | {"PATH": told["PATH"]}
    subprocess.run([sys.executable, "-m", "flows.server.deploying"], env=environment, check=True, capture_output=True)
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(passes):
            run = ask("/deployments/name/revisit/revisit")["id"]
            run = ask(f"/deployments/{run}/create_flow_run", {"state": {"type": "SCHEDULED"}})
            cpu, peak = 0.0, 0
            while (run := ask(f"/flow_runs/{run['id']}"))["state_type"] not in ("COMPLETED", "FAILED", "CRASHED"):
                for _ in range(LOOKS_A_QUESTION):
                    for process in psutil.Process(worker.pid).children():
                        with suppress(psutil.Error):
                            times = process.cpu_times()
                            cpu, peak = max(cpu, times.user + times.system), max(peak, process.memory_info().rss)
                    time.sleep(LOOK_SECONDS)
            if run["state_type"] != "COMPLETED":
                raise SystemExit(f"by a worker: {run['state']['type']} {run['state']['message']}")
            begun, asked = (datetime.fromisoformat(run[name]) for name in ("start_time", "expected_start_time"))
            print(
                f"by a worker      begun after {(begun - asked).total_seconds():.1f} s,"
                f" took {run['total_run_time']:.1f} s, {cpu:.2f} CPU s, {peak >> 20} MiB",
                flush=True,
            )
    finally:
        worker.terminate()
        worker.wait(60)


def measured(command: list[str], environment: Mapping[str, str], lake: Path) -> Cost:
    return timed([sys.executable, "-c", COMMAND, *command, "--lake", str(lake / command[0]), "--json"], environment)


def timed(command: list[str], environment: Mapping[str, str]) -> Cost:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode != 0:
        raise SystemExit(f"{command} ended with {run.returncode}\n{run.stderr[-3000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, "PREFECT=True" in run.stderr)


def task_runs() -> int:
    """On the server so far; they arrive as events, a moment later."""
    time.sleep(5)
    return int(ask("/task_runs/count", {}))


def ask(path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, sent, {"content-type": "application/json"})
    for wait_seconds in (1, 2, 4, 8, 0):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            # A busy server asks for patience, as it does of Prefect's own client.
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE or not wait_seconds:
                raise
            time.sleep(wait_seconds)
    raise AssertionError("not reached")


@contextmanager
def prefect_server(folder: Path) -> Iterator[dict[str, str]]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": API,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(PORT)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 180
        while not answers(API):
            if time.monotonic() > deadline:
                raise SystemExit("the Prefect server did not start")
            time.sleep(0.5)
        yield environment
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main()

"""A Prefect server with workers, as processes of their own, for the tests that need one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flows.sample.content import SOURCES

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = FILE["deployments"]
ENDED = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
START_SECONDS = 240


@dataclass
class Prefect:
    """A server that answers. Whoever works for it is started with its environment."""

    folder: Path
    environment: dict[str, str]

    def ask(self, path: str, body: Any = None) -> Any:
        """A busy server says 503: it is asked again, as Prefect's own client does."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.environment["PREFECT_API_URL"] + path, data, {"content-type": "application/json"}
        )
        for wait_seconds in (0.5, 1, 2, 4, 8):
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except (urllib.error.HTTPError, TimeoutError) as error:
                if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                    raise
                time.sleep(wait_seconds)
        raise AssertionError(f"{path}: no answer")

    def command(self, module: str, *arguments: str, **environment: str) -> str:
        run = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def start(self, deployment: str, **parameters: Any) -> str:
        """The id of a run that has yet to find a worker."""
        found = self.ask(f"/deployments/name/{deployment}")
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return self.ask(f"/deployments/{found['id']}/create_flow_run", body)["id"]

    def run(self, run_id: str) -> dict[str, Any]:
        return self.ask(f"/flow_runs/{run_id}")

    def state(self, run_id: str) -> str:
        return self.run(run_id)["state_type"]

    def ended(self, run_id: str, seconds: float = 300) -> dict[str, Any]:
        wait_for(lambda: self.state(run_id) in ENDED, seconds)
        return self.run(run_id)

    def artifacts(self, run_id: str) -> dict[str, Any]:
        found = self.ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})
        return {artifact["key"]: artifact["data"] for artifact in found}

    def log(self, run_id: str) -> str:
        lines = self.ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}, "limit": 200})
        return "\n".join(line["message"] for line in lines)

    @contextmanager
    def worker(self, name: str, *, limit: int = 1, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        command = ["worker", "start", "--pool", "finnews", "--name", name, "--limit", str(limit)]
        with process(self.environment | environment, self.folder / f"{name}.log", "prefect", *command) as started:
            yield started


@contextmanager
def prefect_server(folder: Path, database: str = "") -> Iterator[Prefect]:
    """On loopback; `database` is the url of a PostgreSQL database, "" for a SQLite file."""
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "FINNEWS_HOME": str(ROOT),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DO_NOT_TRACK": "1",
    }
    if database:
        environment["PREFECT_API_DATABASE_CONNECTION_URL"] = database.replace("postgresql://", "postgresql+asyncpg://")
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with process(environment, folder / "server.log", "prefect", *command) as started:
        wait_for(lambda: answers(environment["PREFECT_API_URL"]) or started.poll() is not None, START_SECONDS)
        assert started.poll() is None, (folder / "server.log").read_text()[-3000:]
        yield Prefect(folder, environment)


@contextmanager
def process(environment: dict[str, str], log: Path, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(15)
            except subprocess.TimeoutExpired:
                for pid in family(started.pid):
                    kill(pid)
                started.wait()


def deployment_file(folder: Path, **crons: str) -> Path:
    """prefect.yaml as it is, but for the sources that the sample site has, and schedules for those named only."""
    changed = json.loads(json.dumps(FILE))
    for deployment in changed["deployments"]:
        if deployment["entrypoint"].endswith((":ingest", ":revisit")):
            deployment["parameters"]["sources"] = list(SOURCES)
        cron = crons.get(deployment["name"])
        schedules = deployment.pop("schedules", [])
        if cron:
            deployment["schedules"] = [{**schedules[0], "cron": cron}]
    path = folder / "prefect.yaml"
    path.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5):
            return True
    except OSError:
        return False


def family(pid: int) -> list[int]:
    """The process and all that it has started, the youngest first."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found[::-1]


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.3)
    return value

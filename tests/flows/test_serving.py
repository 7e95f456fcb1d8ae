"""The parts that `finnews serve` starts, keeps alive and ends; the whole of it is tried in test_production."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.server import serving
from flows.server.serving import Part, ServingError, answers, end_in_order, serve, serving_environment
from flows.settings import Settings

# A worker with one run, which does not listen to SIGTERM.
WORKER = """
import signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
run = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, start_new_session=True)
run.stdout.readline()
open(sys.argv[1], "w").write(str(run.pid))
run.wait()
time.sleep(60)
"""


class Prefect(BaseHTTPRequestHandler):
    """Says how it is with the status in its path."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]) if self.path.split("/")[1].isdigit() else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Prefect)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "there"), [(200, True), (401, True), (503, False)])
def test_a_server_that_asks_who_we_are_is_one(status: int, there: bool, port: int) -> None:
    assert answers(f"http://127.0.0.1:{port}/{status}") is there


def test_a_port_that_is_taken_is_an_error_with_the_way_out(port: int, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(ServingError, match="name another port, or set PREFECT_API_URL"):
        serve(Settings(lake=str(tmp_path)), port=port, limit=1)


def test_a_part_that_dies_is_started_again_and_given_up_at_last(tmp_path: Path) -> None:
    part = Part("worker", ["no_such_module"], os.environ, tmp_path / "log")
    starts = 0
    while part.keep_alive():
        starts += 1
        assert part.process is not None
        part.process.wait()
    assert starts == serving.RESTARTS + 1
    assert "no_such_module" in (tmp_path / "log").read_text()


def test_a_run_that_does_not_listen_is_killed_in_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(serving, "RUNS_END_SECONDS", 0.3)
    (tmp_path / "worker.py").write_text(WORKER)
    part = Part("worker", ["worker", str(tmp_path / "pid")], {**os.environ, "PYTHONPATH": str(tmp_path)}, None)
    part.start()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    end_in_order([part])
    assert part.returncode is not None
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # its parent, or init, has yet to ask for its last word
            os.kill(int((tmp_path / "pid").read_text()), 0)
            time.sleep(0.05)


def test_flow_runs_are_told_where_things_are_whatever_folder_they_run_in(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    (tmp_path / "finnews.toml").write_text("crawls = 3\n")
    told = serving_environment(Settings(lake="lake", sources=[Path("mine")]), 4200)
    assert told["FINNEWS_LAKE"] == str(tmp_path / "lake")
    assert told["FINNEWS_SOURCES"] == f'["{tmp_path}/mine"]'
    assert told["FINNEWS_CONFIG"] == str(tmp_path / "finnews.toml")
    assert told["PREFECT_HOME"] == str(tmp_path / "lake" / "_state" / "prefect")

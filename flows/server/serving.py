"""`finnews serve`: the schedules of prefect.yaml on one machine, with one command and no server to set up.

    serve ──▶ Prefect server, on loopback, with a database of its own
      ├─────▶ deploys prefect.yaml and automations.yaml there
      └─────▶ worker ──▶ a process for each flow run ──▶ a process for each crawl

The parts are Prefect's own commands, the ones that a larger installation runs on several machines; serve starts them,
starts them again when they die, and ends them in order. With PREFECT_API_URL set a server is there already: serve is
then one more worker of its pool, and deploys nothing.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import IO

from flows.core.accounting import Exit
from flows.settings import PREFIX, Settings, settings_file
from storage.store import is_remote

log = logging.getLogger("finnews.serving")

PREFECT_API = "PREFECT_API_URL"
HOME = Path(__file__).resolve().parents[2]
POOL = "finnews"
LOOK_SECONDS = 0.5
ANSWER_SECONDS = 3.0
START_SECONDS = 120.0
# Docker kills ten seconds after it has asked. Flow runs have crawls to close and a commit to end; the rest has nothing.
RUNS_END_SECONDS = 6.0
REST_ENDS_SECONDS = 1.0
# A part that dies at once each time is broken for good: whoever started serve should know.
RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 600.0
PR_SET_PDEATHSIG = 1


class ServingError(Exception):
    """What keeps serve from running, in one line."""


def serve(settings: Settings, *, port: int, limit: int, prefect_file: Path = HOME / "prefect.yaml") -> Exit:
    """Returns when it was told to end (130), or when a part of it cannot be kept alive (75)."""
    with _told_to_end() as told:
        environment = serving_environment(settings, port)
        parts = [_worker(environment, limit)]
        if PREFECT_API not in os.environ:
            if answers(environment[PREFECT_API]):
                raise ServingError(f"port {port} has a Prefect server already: name another port, or set {PREFECT_API}")
            server = _server(environment, port)
            parts.insert(0, server)
            server.start()
            try:
                _deploy(server, environment, prefect_file, told)
            except BaseException:
                end_in_order(parts)
                raise
        return _watch(parts, told)


def serving_environment(settings: Settings, port: int) -> dict[str, str]:
    """What server, worker and flow runs are told; paths are absolute, for flow runs have another working folder."""
    state = settings.lake_path.resolve()
    lake = settings.lake if is_remote(settings.lake) else str(state)
    environment = {
        PREFECT_API: f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # Runs, logs and events of months ago: Prefect's default keeps all runs for ever.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "DO_NOT_TRACK": "1",
        **os.environ,
        "FINNEWS_HOME": str(HOME),
        "FINNEWS_LAKE": lake,
        # The `python` of prefect.yaml is this one, whether or not its environment is activated.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }
    environment.setdefault("PREFECT_HOME", str(state / "_state" / "prefect"))
    if settings.ledger:
        environment[f"{PREFIX}LEDGER"] = settings.ledger
    if settings.sources:
        environment[f"{PREFIX}SOURCES"] = json.dumps([str(folder.resolve()) for folder in settings.sources])
    if settings_file().is_file():
        environment[f"{PREFIX}CONFIG"] = str(settings_file().resolve())
    return environment


class Part:
    """A command that is to run as long as serve does."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log_file: Path | None
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *command]
        self._environment = environment
        self.log_file = log_file
        self._died_at: list[float] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._output() as output:
            self.process = subprocess.Popen(
                self._command,
                env=dict(self._environment),
                cwd=HOME,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C reaches serve alone, which then ends its parts in order.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    @property
    def returncode(self) -> int | None:
        """None while it runs, and before."""
        return self.process.poll() if self.process is not None else None

    def keep_alive(self) -> bool:
        """Starts it again if it has died; False if it dies too often."""
        if self.process is not None and self.process.poll() is None:
            return True
        if self.process is not None:
            now = time.monotonic()
            self._died_at = [at for at in self._died_at if now - at < RESTARTS_WITHIN_SECONDS] + [now]
            log.error("the %s ended with %d", self.name, self.process.returncode)
            if len(self._died_at) > RESTARTS:
                return False
        self.start()
        return True

    @contextmanager
    def _output(self) -> Iterator[IO[bytes] | None]:
        if self.log_file is None:
            yield None
            return
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            yield output


def end_in_order(parts: Sequence[Part]) -> None:
    """Flow runs first, then worker and server; whoever does not listen is killed."""
    running = [part.process for part in reversed(parts) if part.process is not None and part.process.poll() is None]
    # Before their worker, which kills its runs as soon as it is told to end.
    runs = [run for process in running[:1] for run in _children(process.pid)]
    for run in runs:
        _send(run, signal.SIGTERM)
    _wait_until(lambda: not any(map(_is_alive, runs)), RUNS_END_SECONDS)
    for run in runs:
        if _is_alive(run):
            log.error("flow run in process %d did not end in %.0f s: killed", run, RUNS_END_SECONDS)
            _send(run, signal.SIGKILL)
    for process in running:
        process.terminate()
        try:
            process.wait(REST_ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(api: str) -> bool:
    """Is there a Prefect API? One that wants to know first who asks is one, too."""
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False


def _server(environment: Mapping[str, str], port: int) -> Part:
    command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    log_file = Path(environment.get("PREFECT_HOME", Path.home() / ".prefect")) / "server.log"
    return Part("Prefect server", command, environment, log_file)


def _worker(environment: Mapping[str, str], limit: int) -> Part:
    name = f"serve-{socket.gethostname()}-{os.getpid()}"
    command = ["prefect", "worker", "start", "--pool", POOL, "--name", name, "--limit", str(limit)]
    return Part("worker", command, environment, None)


def _deploy(server: Part, environment: Mapping[str, str], prefect_file: Path, told: Event) -> None:
    api = environment[PREFECT_API]
    if not _wait_until(lambda: answers(api) or told.is_set(), START_SECONDS):
        raise ServingError(f"the Prefect server does not answer at {api}")
    if told.is_set():
        return
    deploying = Part("deployment", ["flows.server.deploying", str(prefect_file)], environment, server.log_file)
    deploying.start()
    _wait_until(lambda: deploying.returncode is not None or told.is_set(), START_SECONDS)
    end_in_order([deploying])
    if deploying.returncode != 0 and not told.is_set():
        raise ServingError(f"{prefect_file} was not deployed; {server.log_file} says why")
    log.warning("%s deployed; the runs are shown at %s", prefect_file.name, api.removesuffix("/api"))


def _watch(parts: Sequence[Part], told: Event) -> Exit:
    code = Exit.INTERRUPTED
    try:
        while not told.is_set():
            if not all(part.keep_alive() for part in parts):
                code = Exit.ALL_FAILED
                break
            told.wait(LOOK_SECONDS)
    finally:
        end_in_order(parts)
    return code


@contextmanager
def _told_to_end() -> Iterator[Event]:
    told = Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    """In the child: a serve that is killed leaves no server and no worker behind. Only Linux knows how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _children(pid: int) -> list[int]:
    """Linux alone tells; elsewhere the runs of a worker end when their own work does."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name, with any character in it) state parent …
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it has ended meanwhile
        if parent == pid:
            found.append(int(stat.parent.name))
    return found


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS / 5)
    return True

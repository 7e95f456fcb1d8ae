"""A PostgreSQL server for the tests: Debian's package, in a temporary folder, on loopback, gone with the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

BINARIES = Path("/usr/lib/postgresql")
USER = "postgres"
# Nothing of it has to be left after a power cut.
OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=100", "shared_buffers=64MB")
# A server whose language sorts otherwise than by bytes: nothing may depend on it.
INITDB = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=zh")
START_SECONDS = 60


def binaries() -> Path | None:
    """The folder of the newest server that is installed."""
    found = sorted(BINARIES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """Started anew; gives its url. It goes when this process does, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="finnews-postgres-"))
    user: tuple[str, ...] = ()
    if os.getuid() == 0:  # it refuses to run as root
        shutil.chown(folder, USER, USER)
        user = (f"--reuid={USER}", f"--regid={USER}", "--init-groups")
    try:
        run = ("setpriv", *user, "--pdeathsig=INT")
        subprocess.run(
            [*run, bin_folder / "initdb", *INITDB, "-U", USER, "-D", folder / "data"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        port = _free_port()
        url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        options = [part for option in OPTIONS for part in ("-c", option)]
        with (folder / "log").open("wb") as log:
            command = [*run, bin_folder / "postgres", "-D", folder / "data", "-k", folder, "-h", "127.0.0.1"]
            process = subprocess.Popen([*command, "-p", str(port), *options], stdout=log, stderr=log, cwd=folder)
        try:
            _wait(process, url, folder / "log")
            yield url
        finally:
            process.send_signal(2)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no server: {log.read_text()}") from error
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The url of a server; lakes keep apart by themselves, each in a schema of its own."""
    folder = binaries()
    if folder is None:
        pytest.skip(f"no PostgreSQL server below {BINARIES} (Debian: apt-get install postgresql)")
    with server(folder) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """Both kinds of ledger, one after the other: "" for the lake's own file."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres")

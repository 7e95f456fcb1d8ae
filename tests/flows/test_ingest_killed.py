"""Row W01 on the command line: `ingest` of 300 pages, SIGKILL at 24 seeded moments, and the same command again.

The parent and its crawl are killed together, as by a machine that goes down; in every third case the crawl alone.
"""

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
from pathlib import Path

import duckdb
import pytest

sys.path.append(str(Path(__file__).parents[1] / "spiders"))

import faultserver as faults
from faultserver import FaultServer

ROOT = Path(__file__).parents[2]
PAGES = 300
A_PAGE = 60
KILLS = 24
# A list page for each sixty articles, robots.txt, and the articles; the load comes after.
REQUESTS = PAGES + PAGES // A_PAGE + 1
SOURCE = r"""
id = "sample"
name = "a site of three hundred pages"
hosts = ["site.test"]
id_regex = '/a/(\d+)\.html'

[[list]]
kind = "json"
url = "http://site.test/list?page={page}"
items = "data"
fields = { url = "url", title = "title", published = "time" }
paging = { by = "page", max_pages = 10 }

[rate]
delay_seconds = 0
"""


def site(turn: faults.Turn) -> None:
    path, _, page = turn.asked.path.partition("?page=")
    if path == "/robots.txt":
        faults.no_robots(turn)
    elif path == "/list":
        first = (int(page) - 1) * A_PAGE
        rows = [
            {"url": f"http://site.test/a/{number}.html", "title": f"题目{number}", "time": "2026-11-20 09:30:00"}
            for number in range(first, min(first + A_PAGE, PAGES))
        ]
        turn.answer(json.dumps({"data": rows}).encode(), content_type="application/json")
    else:
        number = turn.asked.path[3:-5]
        # Each text its own: what is tested here is not the search for duplicates.
        words = random.Random(number).choices("股债汇市券商基金银行公告季度增长收益成交指数虚构样本", k=240)
        text = "".join(f"<p>{''.join(words[at : at + 40])}，第{number}号。</p>" for at in range(0, 240, 40))
        turn.answer(f"<html><body><h1>题目{number}</h1><div>{text}</div></body></html>".encode())


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.faults["site"] = site
        running.robots["site"] = site
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(KILLS))
def test_w01_an_ingest_that_is_killed_loses_and_doubles_nothing(seed: int, server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "sample.toml").write_text(SOURCE, encoding="utf-8")
    moments = random.Random(seed)
    server.log.clear()
    run = start(server, tmp_path)
    kill_after(run, server, moments.randint(1, REQUESTS), moments.uniform(0, 0.3), alone=seed % 3 == 2)
    accounts = [account for account in (ended(run), ended(start(server, tmp_path))) if account]
    for account in accounts:
        settled = ("stored", "revised", "duplicates", "unchanged", "filtered", "quarantined", "pending")
        assert account["discovered"] == sum(account[outcome] for outcome in settled), account
    ids = duckdb.sql(f"select article_id from read_parquet('{tmp_path}/lake/articles/**/*.parquet')").fetchall()
    assert (len(ids), len(set(ids))) == (PAGES, PAGES), accounts
    asked = Counter(asked.path for asked in server.log if asked.path.startswith("/a/"))
    assert sum(asked.values()) <= PAGES + 5, "only what was on its way is asked for again"


def start(server: FaultServer, folder: Path) -> subprocess.Popen[bytes]:
    settings = {
        "FINNEWS_CONNECT_TO": json.dumps({"*": server.address}),
        "FINNEWS_WORKERS": "1",
        "XDG_STATE_HOME": str(folder / "state"),
    }
    command = ["ingest", "sample", "--lake", str(folder / "lake"), "--sources", str(folder / "sources"), "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *command],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_after(run: subprocess.Popen[bytes], server: FaultServer, requests: int, later: float, *, alone: bool) -> None:
    """Once the site has seen so many requests and a moment more; the crawl is in a process group of its own."""
    deadline = time.monotonic() + 60
    while len(server.log) < requests and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(later)
    for pid in children(run.pid):
        os.killpg(pid, signal.SIGKILL)
    if not alone:
        os.killpg(run.pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    """The crawls among the children of a run: those that lead a group."""
    found = subprocess.run(["ps", "-o", "pid=,pgid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    pairs = (line.split() for line in found.stdout.splitlines())
    return [int(child) for child, group in pairs if child == group]


def ended(run: subprocess.Popen[bytes]) -> dict[str, int] | None:
    """The source's account, if the run lived to tell."""
    told = run.communicate(timeout=120)[0]
    return json.loads(told)["sources"]["sample"] if told else None

"""`finnews dedup --runner dask`: the verdicts of a single process, whatever becomes of the workers."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli import run
from flows.commands import dedup
from flows.core import cluster
from tests.flows.test_dedup import DOCUMENTS, write
from tests.storage.builders import PARAGRAPHS

distributed = pytest.importorskip("distributed")


def news() -> list[dict[str, object]]:
    """Stories, each with an exact copy, a near one and a repeat, in no order."""
    made: list[dict[str, object]] = [*DOCUMENTS]
    for n in range(60):
        text = "".join(f"{paragraph[:-1]}，{n * 37 % 91}.{n}。" for paragraph in PARAGRAPHS)
        for kind, copied in enumerate((text, text, f"来源：某报。{text}")):
            hour = (n * 5 + kind * 7) % 24
            fields = {"title": f"{text[4 + n % 20 : 14 + n % 20]}", "published_at": f"2024-03-05T{hour:02}:00:00Z"}
            made.append({"id": f"{n}-{kind}", "source": f"s{kind}", "text": copied, **fields})
    made += made[20:40]
    return random.Random(3).sample(made, len(made))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local:
        yield local.scheduler_address


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "documents.jsonl", news())


def verdicts(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> list[str]:
    capsys.readouterr()
    assert run(["dedup", str(path), "--quiet", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_the_verdicts_are_those_of_one_process(path, capsys, monkeypatch, address):
    alone = verdicts(capsys, path)
    assert {json.loads(line)["verdict"] for line in alone} == {"new", "duplicate", "unchanged"}
    monkeypatch.setattr(dedup, "TASK", 7)
    assert verdicts(capsys, path, "--runner", f"dask={address}") == alone


@pytest.mark.slow
def test_a_worker_that_dies_costs_time_only(path, capsys, monkeypatch, address):
    alone = verdicts(capsys, path)
    monkeypatch.setattr(dedup, "TASK", 3)
    with distributed.Client(address, set_as_default=False) as client:
        pid = client.submit(os.getpid, pure=False).result()
    killer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    killer.start()
    assert verdicts(capsys, path, "--runner", f"dask={address}") == alone
    killer.join()


@pytest.mark.slow
def test_a_cluster_of_its_own_and_a_bad_line(tmp_path, capsys):
    path = write(tmp_path / "documents.jsonl", DOCUMENTS)
    assert verdicts(capsys, path, "--runner", "dask") == verdicts(capsys, path)
    path.write_text('{"id": 1, "text": "x"}\n{"id": 2}\n')
    assert run(["dedup", str(path), "--runner", "dask"]) == 2
    assert f"{path}:2: a line is" in capsys.readouterr().err


@pytest.mark.slow
def test_no_more_is_under_way_than_keeps_the_workers_busy(address):
    taken: list[int] = []

    def works() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    with cluster.cluster(address, 0) as client:
        ahead = cluster.TASKS_AHEAD * sum(client.nthreads().values())
        for done, result in enumerate(cluster.mapped(client, abs, works())):
            assert result == done
            assert len(taken) <= done + 1 + ahead
            time.sleep(0.005)


@pytest.mark.parametrize(
    ("runner", "said"), [("spark", "it is dask, or dask=ADDRESS"), ("dask=tcp://127.0.0.1:9", "no scheduler answers")]
)
def test_a_runner_that_is_not_there_is_one_line(path, capsys, monkeypatch, runner, said):
    monkeypatch.setattr(cluster, "START_SECONDS", 0.5)
    assert run(["dedup", str(path), "--runner", runner]) == 2
    assert said in capsys.readouterr().err

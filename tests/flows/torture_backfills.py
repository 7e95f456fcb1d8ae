"""Backfills under torture: killed at random moments and given again, each leaves the lake of an undisturbed one.

    python -m tests.flows.torture_backfills --kills 20        (part of make torture)

archive   a WARC file, by processes of this machine    the run with its processes is killed, the run alone, one of them
head      the same, by a Dask cluster that lives on    the run is killed
worker    the same                                     a worker is killed, and the run ends by itself
lists     sites that page back in three ways           the run with its crawl is killed, or the run alone

Runs are forked from a process that has imported all they need, and so are the processes that extract for them: to
start them anew takes longer than all their work. Crawls are the child processes that they always are.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import psutil

from benchmarks.backfill_archive import write_archive
from flows.core import extraction, runs, spread
from tests.flows import past_site
from tests.flows.past_site import faults
from tests.flows.torture_commands import (
    SECONDS,
    TRIES,
    Command,
    Kit,
    Lake,
    Undisturbed,
    compare,
    ended,
    given,
    killed,
    rows,
    sound,
    started,
    warm_up,
)
from tests.storage.torture import FORK, Result

KINDS = ("archive", "head", "worker", "lists")
PAGES = 90
# Smaller batches and parts, or the first commit would be the last.
BATCH = 10
PART_BYTES = 80_000
LOOK_SECONDS = 0.5
# verify --deep after so many kills, and what is compared after each.
SOUND_EVERY = 5
DAYS = ("--since", "2026-09-27", "--until", "2026-09-30")

Victim = Literal["all", "run", "extractor", "worker"]


@dataclass(frozen=True, slots=True)
class Backfill:
    name: str
    commands: Sequence[Command]
    victims: Sequence[Victim]


@dataclass(slots=True)
class Cluster:
    """Of two workers, in a process of its own."""

    address: str
    told: Any

    def kill_worker(self) -> None:
        self.told.send("kill")
        assert self.told.poll(SECONDS)
        self.told.recv()


def backfills(kit: Kit, cluster: Cluster) -> list[Backfill]:
    load = ("backfill", "--from", str(kit.folder / "pages.warc.gz"))
    by_dask = Command("dask", (*load, "--runner", f"dask={cluster.address}"))
    lists = [Command(source, ("backfill", source, *DAYS)) for source in past_site.KINDS]
    return [
        Backfill("archive", [Command("archive", load)], ["all", "run", "extractor"]),
        Backfill("head", [by_dask], ["run"]),
        Backfill("worker", [by_dask], ["worker"]),
        Backfill("lists", lists, ["all", "run"]),
    ]


def tortured(backfill: Backfill, kills: int, kit: Kit, cluster: Cluster, dice: random.Random) -> Result:
    """Each kill has a lake of its own; one that comes too late is none."""
    result, expected = Result(), undisturbed(backfill, kit)
    for number in range(kills * TRIES):
        if result.kills == kills:
            break
        command = backfill.commands[number % len(backfill.commands)]
        victim = backfill.victims[result.kills % len(backfill.victims)]
        with lake_for(f"{backfill.name}{number}", kit) as lake:
            run = begun(lake, command)
            run.join(dice.uniform(0, expected.seconds[command.name]))
            if not hit(victim, run, cluster, dice):
                end(run)
                continue
            result.kills += 1
            ended(run if victim in ("extractor", "worker") else begun(lake, command), lake)
            compare(result, rows(lake), expected.rows[command.name], f"{command.name}, {victim} killed")
            if result.kills % SOUND_EVERY == 0:
                result.wrong += not sound(lake)
        sys.stderr.write(f"{backfill.name}: {result.kills} of {kills}, {'sound' if result.sound else 'WRONG'}\n")
    return result


def undisturbed(backfill: Backfill, kit: Kit) -> Undisturbed:
    done = Undisturbed()
    for command in backfill.commands:
        with lake_for(f"{command.name}-undisturbed", kit) as lake:
            began = time.monotonic()
            ended(begun(lake, command), lake)
            done.seconds[command.name] = time.monotonic() - began
            done.rows[command.name] = rows(lake)
            assert done.rows[command.name]
            assert sound(lake), (lake.folder / "said").read_text()[-2000:]
    return done


def begun(lake: Lake, command: Command) -> multiprocessing.Process:
    return given(lake, command, before=small_steps)


def small_steps() -> None:
    """In the child that is to run the command."""
    runs.BATCH, spread.SMALLEST_PART_BYTES = BATCH, PART_BYTES
    # Warm as it is, and not one that a server of forks starts from nothing.
    extraction.multiprocessing.get_context = lambda _: FORK  # type: ignore[attr-defined]


def hit(victim: Victim, run: multiprocessing.Process, cluster: Cluster, dice: random.Random) -> bool:
    """Whether there was still something to kill."""
    if run.exitcode is not None:
        return False
    if victim == "worker":
        cluster.kill_worker()
        return True
    if victim == "extractor":
        extractors = psutil.Process(run.pid).children()
        if extractors:
            os.kill(dice.choice(extractors).pid, signal.SIGKILL)
        return bool(extractors)
    if victim == "all":
        return end(run)
    return killed(run, alone=True)


def end(run: multiprocessing.Process) -> bool:
    """With all its processes: crawls lead groups of their own, extracting processes are of the run's."""
    was_at_work = killed(run, alone=False)
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    return was_at_work


@contextmanager
def lake_for(name: str, kit: Kit) -> Iterator[Lake]:
    folder = kit.folder / name
    folder.mkdir()
    past_site.write_sources(folder / "sources")
    try:
        yield Lake(str(folder / "lake"), folder, kit)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# The site and the cluster


def serve_lists(told: Any) -> None:
    with faults.FaultServer() as server:
        for name in past_site.KINDS:
            server.faults[name] = server.robots[name] = past_site.answer
        told.send(server.address)
        while asked(told):
            pass


def serve_cluster(told: Any) -> None:
    from distributed import LocalCluster

    os.setsid()
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        told.send(cluster.scheduler_address)
        while asked(told):
            for pid in islice((nanny.pid for nanny in cluster.workers.values() if nanny.pid), 1):
                os.kill(pid, signal.SIGKILL)
            told.send("killed")


def asked(told: Any) -> bool:
    """Waits to be asked for something. False when whoever might ask is gone: forks of it keep the pipe open."""
    parent = os.getppid()
    while os.getppid() == parent:
        if told.poll(LOOK_SECONDS):
            told.recv()
            return True
    return False


def warm_up_for_dask() -> None:
    import dask

    # Before the import of distributed, which looks but once.
    dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    from distributed.utils import get_mp_context

    get_mp_context().set_forkserver_preload(["distributed", "articles.extract", "flows.core.spread"])


@contextmanager
def torture_kit() -> Iterator[tuple[Kit, Cluster]]:
    """Servers in processes of their own, before there is any thread."""
    warm_up()
    warm_up_for_dask()
    servers = []
    with tempfile.TemporaryDirectory(prefix="finnews-torture-") as folder:
        try:
            told = []
            for serve in (serve_lists, serve_cluster):
                here, there = FORK.Pipe()
                servers.append(started(partial(serve, there)))
                assert here.poll(SECONDS)
                told.append((here, here.recv()))
            write_archive(Path(folder) / "pages.warc.gz", PAGES)
            # A page may take what a process may that is forked from all this.
            yield Kit(Path(folder), told[0][1], {"FINNEWS_PAGE_MEMORY_MB": "16384"}), Cluster(told[1][1], told[1][0])
        finally:
            for server in servers:
                for kill in (os.kill, os.killpg):
                    with suppress(ProcessLookupError):
                        kill(server.pid, signal.SIGKILL)
                server.join()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="of each")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, help="all of them, if none is named")
    options = parser.parse_args(arguments)
    results = []
    with torture_kit() as (kit, cluster):
        for backfill in backfills(kit, cluster):
            if backfill.name not in options.only:
                continue
            began = time.monotonic()
            dice = random.Random(f"{options.seed} {backfill.name}")
            result = tortured(backfill, options.kills, kit, cluster, dice)
            seconds = time.monotonic() - began
            told = json.dumps(asdict(result), ensure_ascii=False)
            sys.stdout.write(f"backfills killed, {backfill.name} ({seconds:.0f} s): {told}\n")
            sys.stdout.flush()
            results.append(result.sound and result.kills == options.kills)
    sys.stdout.write("nothing torn, lost, doubled or wrong\n" if all(results) else "FAILED\n")
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())

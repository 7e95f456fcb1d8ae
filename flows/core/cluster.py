"""Work mapped over a Dask cluster: one started here for the time it takes, or one that is running somewhere.

Results come back in the order of the work, and no more of it is under way than keeps the workers busy: memory does not
grow with what there is to do. A task whose worker dies is given to another one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from flows.settings import SettingsError

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger("finnews.cluster")

DASK = "dask"
# For each thread of the cluster: one task that it works at, one that it finds when it is done.
TASKS_AHEAD = 2
START_SECONDS = 60
Work = TypeVar("Work")
Result = TypeVar("Result")


def address_of(runner: str) -> str | None:
    """Of `dask=ADDRESS`; "" for `dask`, a cluster of its own; None for no runner, which is this process."""
    name, _, address = runner.partition("=")
    if not runner:
        return None
    if name != DASK:
        raise SettingsError(f"--runner {runner}: it is dask, or dask=ADDRESS of a scheduler")
    return address


@contextmanager
def cluster(address: str, workers: int) -> Iterator[Client]:
    """The cluster at the address; if that is empty, one of so many processes on this machine, which ends with it."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise SettingsError("--runner dask: distributed is missing; pip install 'finnews[dask]'") from error
    if address:
        try:
            with Client(address, timeout=START_SECONDS, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                yield client
        except OSError as error:
            raise SettingsError(f"--runner dask={address}: no scheduler answers ({error})") from error
        return
    with (
        # Its page for people gets any port: None means 8787 all the same.
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0") as local,  # type: ignore[no-untyped-call]
        Client(local, set_as_default=False) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


def mapped(
    client: Client,
    do: Callable[[Work], Result],
    works: Iterable[Work],
    *,
    here: Callable[[Work], Result] | None = None,
) -> Iterator[Result]:
    """`here` takes over what several workers have died of; without it, that ends the whole."""
    remaining = iter(works)
    under_way: deque[tuple[Work, Any]] = deque()
    while True:
        ahead = TASKS_AHEAD * max(1, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]
        # With a worker gone there may be more under way already.
        for work in islice(remaining, max(0, ahead - len(under_way))):
            # Pure tasks of equal input would be one task.
            under_way.append((work, client.submit(do, work, pure=False)))
        if not under_way:
            return
        yield _result(*under_way.popleft(), here)


def _result(work: Work, future: Any, here: Callable[[Work], Result] | None) -> Result:  # noqa: ANN401 - of any cluster
    from distributed import KilledWorker

    try:
        result: Result = future.result()
    except KilledWorker as error:
        if here is None:
            raise
        log.warning("workers died of %s; it is done here (%s)", work, error)
        return here(work)
    finally:
        future.release()
    return result

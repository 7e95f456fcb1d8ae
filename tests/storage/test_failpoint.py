"""A fault that a test asks for comes once, whichever thread is the one to meet it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from storage.failpoint import VARIABLE, failpoint

THREADS, EACH = 4, 60


@pytest.fixture
def restless():
    """Threads take turns as often as the interpreter can let them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("at", range(1, THREADS * EACH, 4))
def test_one_passage_of_many_at_once_fails(monkeypatch, at):
    # A name for itself: passages are counted for as long as the process lives.
    monkeypatch.setenv(VARIABLE, f"fail:fsync:{at}:of_many")
    begin = Barrier(THREADS)

    def failures(_: int) -> int:
        begin.wait()
        failed = 0
        for _ in range(EACH):
            try:
                failpoint("fsync")
            except OSError:
                failed += 1
        return failed

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(failures, range(THREADS))) == 1

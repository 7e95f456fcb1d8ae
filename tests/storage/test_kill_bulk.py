"""SIGKILL at random moments of a bulk run, then the same run again: the lake of an undisturbed one, unasked."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from articles.records import Article
from storage.lake import Lake
from tests.storage.builders import LONG, MORNING, PARAGRAPHS, make_article, retold
from tests.storage.test_lake import commit, everything

BATCH = 15
KILLS = 5
SOURCES = ("acme", "other", "third")


def news() -> list[Article]:
    """Stories with copies before and after them, exact and near, revised pages, over four days; not in order."""
    made = [*retold()]
    for n in range(36):
        text = "".join(f"{paragraph[:-1]}，{n * 37 % 91}.{n}。" for paragraph in PARAGRAPHS)
        at = {"published_at": MORNING + timedelta(hours=n % 9), "date": date(2024, 3, 4 + n % 4)}
        named = {"title": f"{text[4 + n % 20 : 14 + n % 20]}的新进展", "minutes": n}
        for kind, copied in enumerate((text, f"来源：某报。{text}", text)):
            made.append(make_article(100 + n, source=SOURCES[(n + kind) % 3], text=copied, **at, **named))
        if n % 7 == 0:
            made.append(
                make_article(100 + n, source=SOURCES[n % 3], text=LONG + text[:90], **at, **named | {"minutes": 90})
            )
    return random.Random(7).sample(made, len(made))


def run(root: Path) -> None:
    articles = news()
    commit(root, *(articles[at : at + BATCH] for at in range(0, len(articles), BATCH)))


def result(root: Path) -> tuple[dict, list]:
    with Lake.open(root) as lake:
        return everything(root), lake.ledger.links()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[tuple[dict, list], float]:
    root = tmp_path_factory.mktemp("undisturbed")
    began = time.monotonic()
    run(root)
    return result(root), time.monotonic() - began


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))])
def test_killed_at_random_moments_and_run_again(tmp_path, undisturbed, seed):
    expected, seconds = undisturbed
    moments, killed = random.Random(seed), 0
    for _ in range(KILLS):
        # Forked: starting Python anew takes longer than all the rest.
        child = multiprocessing.get_context("fork").Process(target=run, args=(tmp_path,))
        child.start()
        # The undisturbed run also paid for what a process does once; and what earlier runs have done goes quicker.
        child.join(moments.uniform(0, seconds / 5))
        child.kill()
        child.join()
        killed += child.exitcode == -signal.SIGKILL
    run(tmp_path)
    assert result(tmp_path) == expected
    assert killed >= 2

"""Options and fixtures that all tests share."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.storage.postgres import ledger_url, postgres

__all__ = ["ledger_url", "postgres"]

# How long an example takes says what else the machine is doing: no test here is one of time.
settings.register_profile("finnews", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("finnews")

# The corpus of real pages lies beside the checkout: its texts are their publishers' and never part of the project.
CORPUS = Path(os.environ.get("FINNEWS_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")

FORKED_WITH = [
    "spiders.engine",
    "spiders.wire",
    "spiders.manners",
    "articles.extract",
    "storage.lake",
    "storage.archive",
]

# Ids of all tests of the session, also of those that -m leaves out.
COLLECTED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the saved articles and rows of tests/sources anew; then read the diff",
    )
    parser.addoption(
        "--raise-floors",
        action="store_true",
        help="take over the measured quality where it is higher (tests/articles/test_floors.py)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[COLLECTED] = [item.nodeid for item in items]


@pytest.fixture(scope="session", autouse=True)
def crawls_are_forked(request: pytest.FixtureRequest) -> None:
    """A process has one server that forks, and the first that wants one says what it has loaded: with Scrapy in it, a
    crawl of tests/spiders costs 0.2 s instead of 1.5."""
    if any("spiders" in item.path.parts for item in request.session.items):
        multiprocessing.set_forkserver_preload(FORKED_WITH)
        forkserver.ensure_running()


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}; FINNEWS_CORPUS names another place")
    return CORPUS

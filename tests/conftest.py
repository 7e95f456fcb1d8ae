"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}; FINNEWS_CORPUS names another place")
    return CORPUS

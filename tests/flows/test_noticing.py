"""Row H14 as numbers: when a source's own history says that something has changed, and when it says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from articles.source import Gates, Source
from flows.core.noticing import FIELDS, complaints
from storage.frontier import Quality

START = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = Source(id="site", name="样本", hosts=["site.test"], gates=Gates(require=["title", "text", "published_at"]))


def runs(*, count: int, articles: int = 5, chars: float = 800, **shares: float) -> list[Quality]:
    """Newest first; fields not named are always there."""
    return [
        Quality(
            run_id=f"r{number}",
            at=START - timedelta(hours=number),
            articles=articles,
            shares=dict.fromkeys(FIELDS, 1.0) | shares,
            median_chars=chars,
        )
        for number in range(count)
    ]


def test_a_steady_source_is_left_in_peace() -> None:
    assert complaints(runs(count=30, editor=0.4), SOURCE) == []


@pytest.mark.parametrize(
    ("recent", "said"),
    [
        ({"publisher": 0.2}, "E-DRIFT publisher in 20% of the articles, 90% before"),
        ({"chars": 200.0}, "E-DRIFT the middle text has 200 characters, 800 before"),
        ({"chars": 4_000.0}, "E-DRIFT the middle text has 4000 characters, 800 before"),
        ({"published_at": 0.4}, "E-FIELDS published_at in 40% of the latest 20 articles, 50% are required"),
    ],
)
def test_a_change_is_named(recent: dict[str, float], said: str) -> None:
    history = runs(count=4, **({"publisher": 0.9} | recent)) + runs(count=20, publisher=0.9)  # type: ignore[arg-type]
    assert said in complaints(history, SOURCE)


@pytest.mark.parametrize("history", [[], runs(count=3, text=0.0), runs(count=4, chars=10) + runs(count=2)])
def test_few_articles_prove_nothing(history: list[Quality]) -> None:
    assert complaints(history, SOURCE) == []


def test_a_drop_within_the_tolerance_is_chance() -> None:
    history = runs(count=4, editor=0.35) + runs(count=20, editor=0.5)
    assert complaints(history, SOURCE) == []

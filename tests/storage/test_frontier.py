"""The frontier by itself: what stands in it, for how long, and who may take it out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from articles.records import Listed, Reason, Rejected
from storage import frontier as frontiers
from storage.errors import LedgerError
from storage.frontier import Frontier, frontier_path

LISTED = Listed(title="题目 \ud800", published="2026-11-20", tags=("宏观", "央行"))
URL = "http://site.test/a/1.html"


@pytest.fixture
def frontier(tmp_path: Path, ledger_url: str) -> Iterator[Frontier]:
    with Frontier(tmp_path, "sina", ledger_url) as opened:
        yield opened


def refusal(url: str = URL, reason: Reason = Reason.HTTP) -> Rejected:
    return Rejected(
        source="sina", url=url, reason=reason, detail="status 404", fetched_at=datetime.now(UTC), raw_ref="p#0+1"
    )


def test_what_was_listed_is_there_after_the_process_is_gone(
    frontier: Frontier, tmp_path: Path, ledger_url: str
) -> None:
    assert frontier.add([("1", URL, LISTED), ("2", "http://site.test/a/2.html", Listed())]) == ({"1", "2"}, set())
    frontier.fetched("2", "http://site.test/a/2.html", Listed(), "pages/x#1+2")
    with Frontier(tmp_path, "sina", ledger_url) as another:
        first, second = another.waiting()
    assert (first.article_id, first.state, first.listed) == ("1", "listed", LISTED)
    assert (second.state, second.raw_ref) == ("fetched", "pages/x#1+2")


def test_sources_do_not_see_each_other(frontier: Frontier, tmp_path: Path, ledger_url: str) -> None:
    frontier.add([("1", URL, LISTED)])
    with Frontier(tmp_path, "ifeng", ledger_url) as another:
        assert another.waiting() == []


def test_what_is_loaded_is_gone_and_what_is_listed_again_is_not_new(frontier: Frontier) -> None:
    frontier.add([("1", URL, LISTED), ("2", URL, LISTED)])
    assert frontier.add([("1", URL, LISTED)]) == (set(), set())
    frontier.loaded(["1"])
    assert [each.article_id for each in frontier.waiting()] == ["2"]


def test_a_refusal_nobody_loaded_is_told_again_and_then_shelved(
    frontier: Frontier, monkeypatch: pytest.MonkeyPatch
) -> None:
    frontier.add([("1", URL, LISTED)])
    frontier.refused("1", refusal())
    (waiting,) = frontier.waiting()
    assert waiting.refusal is not None
    assert (waiting.refusal.reason, waiting.refusal.detail) == (Reason.HTTP, "status 404")
    frontier.loaded([], refused_urls=[URL])
    assert frontier.waiting() == []
    assert frontier.add([("1", URL, LISTED)]) == (set(), {"1"})
    monkeypatch.setattr(frontiers, "_now", lambda: datetime.now(UTC).timestamp() + 3_700)
    assert frontier.add([("1", URL, LISTED)]) == ({"1"}, set()), "an hour later it is worth another try"


def test_what_the_site_may_be_the_cause_of_is_asked_for_twice_more_though_no_list_names_it(
    frontier: Frontier, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime.now(UTC).timestamp()
    asked: dict[Reason, list[float]] = {Reason.HTTP: [], Reason.CHALLENGE: [], Reason.TYPE: []}
    for reason in asked:
        frontier.add([(reason, f"{URL}?{reason}", LISTED)])
        # The network failed before there was an answer.
        assert [frontier.tried(reason)[0] for _ in range(4)] == [1, 2, 3, 4]
        frontier.refused(reason, refusal(url=f"{URL}?{reason}", reason=reason))
    frontier.loaded([], refused_urls=[f"{URL}?{reason}" for reason in asked])
    for hours in (0.9, 1.1, 20, 26, 200, 2_000):
        monkeypatch.setattr(frontiers, "_now", lambda hours=hours: start + hours * 3_600)
        frontier.unshelve()
        for each in frontier.waiting():
            assert (each.state, each.raw_ref, each.refusal) == ("listed", "", None)
            asked[Reason(each.article_id)].append(hours)
            frontier.refused(each.article_id, refusal(url=each.url, reason=Reason(each.article_id)))
        frontier.loaded([], refused_urls=[f"{URL}?{reason}" for reason in asked])
    assert asked == {Reason.HTTP: [1.1, 26], Reason.CHALLENGE: [1.1, 26], Reason.TYPE: []}


def test_a_page_that_the_extractor_refused_is_shelved_too(frontier: Frontier) -> None:
    frontier.add([("1", URL, LISTED)])
    frontier.fetched("1", URL, LISTED, "p#0+1")
    frontier.loaded([], refused_urls=[URL])
    assert frontier.add([("1", URL, LISTED)]) == (set(), {"1"})


def test_second_looks_follow_the_plan_and_skip_what_was_missed(
    frontier: Frontier, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [timedelta(hours=1), timedelta(days=1), timedelta(days=7)]
    start = datetime.now(UTC).timestamp()
    frontier.add([("1", URL, LISTED)])
    frontier.fetched("2", URL, LISTED, "p#0+1", whole=True)
    frontier.loaded(["1", "2"], first_seen={"1", "2"}, revisit=plan)

    def due(hours: float) -> list[str]:
        monkeypatch.setattr(frontiers, "_now", lambda: start + hours * 3_600)
        return [each.article_id for each in frontier.due(10)]

    assert due(0.9) == []
    assert due(30) == ["1"], "an entry of a full-text feed needs no second look"
    frontier.revisited("1", plan)
    assert due(31) == [], "the look of the first day was missed, and is not made up for"
    assert due(7 * 24 + 1) == ["1"]
    frontier.revisited("1", plan)
    assert due(1_000) == []


def test_a_page_that_left_the_archive_is_fetched_again(frontier: Frontier) -> None:
    frontier.fetched("1", URL, LISTED, "p#0+1")
    frontier.again("1")
    assert [(each.state, each.raw_ref) for each in frontier.waiting()] == [("listed", "")]


def test_tries_are_counted(frontier: Frontier) -> None:
    frontier.add([("1", URL, LISTED)])
    frontier.tried("1")
    tries, since = frontier.tried("1")
    assert tries == 2
    assert datetime.now(UTC) - since < timedelta(minutes=1)


def test_a_file_of_a_newer_version_or_of_none_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    path = frontier_path(tmp_path)
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="newer finnews"):
        Frontier(tmp_path, "sina")
    path.write_bytes(b"no database" * 500)
    with pytest.raises(LedgerError, match="the lists are read anew"):
        Frontier(tmp_path, "sina")

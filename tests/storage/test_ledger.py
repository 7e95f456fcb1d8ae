"""The ledger gives back what it was told, to a crawl beside the writer as well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from articles.decide import decide
from articles.records import Validators
from storage.database import connect
from storage.errors import LedgerError
from storage.ledger import PART, KnownArticles, Ledger, ledger_location, ledger_path
from tests.storage.builders import LONG, MORNING, make_article


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "_state").mkdir()
    return tmp_path


@pytest.fixture
def ledger(lake: Path, ledger_url: str):
    ledger = Ledger(ledger_location(lake, ledger_url))
    yield ledger
    ledger.close()


def record(ledger: Ledger, *articles) -> set[str]:
    with ledger.transaction():
        return {key.article_id for key in ledger.record(decide(articles, ledger))}


def test_a_crawl_reads_what_is_known_beside_the_writer(lake, ledger, ledger_url):
    article = make_article()
    record(ledger, article)
    known = KnownArticles(lake, ledger_url)
    assert "acme:1" in known
    assert "acme:2" not in known
    assert known.page_digest("acme:1") == article.page_digest
    assert known.page_digest("acme:2") is None
    record(ledger, make_article(2))
    assert "acme:2" in known
    known.close()


def test_a_lake_without_a_ledger_knows_nothing(tmp_path):
    known = KnownArticles(tmp_path)
    assert "acme:1" not in known
    assert known.page_digest("acme:1") is None
    assert known.validators("https://acme.example/feed") is None
    known.close()
    assert list(tmp_path.iterdir()) == []


def test_the_digest_is_that_of_the_page_last_seen(lake, ledger, ledger_url):
    record(ledger, make_article(minutes=5, page_digest="new page, same text"))
    record(ledger, make_article(minutes=1, page_digest="an older one, found later"))
    known = KnownArticles(lake, ledger_url)
    assert known.page_digest("acme:1") == "new page, same text"
    known.close()


def test_every_page_that_an_article_was_read_from_is_known(ledger):
    record(
        ledger, make_article(page_digest="one", raw_ref="pages/1"), make_article(page_digest="two", raw_ref="pages/2")
    )
    assert ledger.page("one").raw_ref == "pages/1"
    assert (ledger.page("two").raw_ref, ledger.page("two").extractor) == ("pages/2", "test 1")
    assert ledger.page("three") is None


def test_only_copies_whose_rows_change_are_touched(ledger):
    assert record(ledger, make_article(1), make_article(2)) == {"acme:1", "acme:2"}
    assert record(ledger, make_article(1, minutes=9), make_article(2, minutes=9, title="新标题")) == {"acme:2"}


def test_look_ups_cover_address_text_and_cluster(ledger):
    first = make_article(1, text=LONG * 9, title="原文")
    copy = make_article(2, source="other", text=LONG * 9, published_at=MORNING)
    record(ledger, first, copy)
    assert [key.article_id for _, key, _ in ledger.at_urls([first.canonical_url])] == ["acme:1"]
    assert sorted(copy.key.article_id for copy in ledger.members(["acme:1"])) == ["acme:1", "other:2"]
    [known] = ledger.copies(["other:2"])
    exact_key = known.versions[0].exact_key
    assert ledger.groups_of([exact_key, "unknown", ""]) == {exact_key: "acme:1"}
    assert ledger.at_urls([""]) == []


def test_validators_are_kept_verbatim(lake, ledger, ledger_url):
    told = Validators(url="https://acme.example/feed", etag='W/"a b"', last_modified="Tue, 5 Mar 2024 09:00:00 +0800")
    ledger.save_validators([told])
    known = KnownArticles(lake, ledger_url)
    assert known.validators(told.url) == told == ledger.validators(told.url)
    known.close()


def test_runs_are_listed_newest_first_and_a_killed_one_has_no_end(ledger):
    for run_id in ("one", "two"):
        ledger.begin_run(run_id)
    ledger.end_run("two", {"exit_code": 0, "sources": {"acme": {"stored": 3}}})
    latest, killed = ledger.runs()
    assert (latest.run_id, latest.report["sources"]["acme"]["stored"]) == ("two", 3)
    assert latest.finished_at is not None
    assert (killed.run_id, killed.finished_at, killed.report) == ("one", None, {})


def test_freshness_remembers_the_last_success_and_the_newest_article(ledger):
    hour = timedelta(hours=1)
    ledger.record_crawl("acme", at=MORNING, succeeded=True, newest_at=MORNING - hour)
    ledger.record_crawl("acme", at=MORNING + hour, succeeded=False, newest_at=None)
    [fresh] = ledger.freshness()
    assert (fresh.tried_at, fresh.succeeded_at, fresh.newest_at) == (MORNING + hour, MORNING, MORNING - hour)


def test_t18_batch_numbers_rise_whatever_the_clock_does(ledger):
    with ledger.transaction():
        ledger.raise_seq(41)
        numbers = [ledger.begin_batch(name, "run", 0).seq for name in "ab"]
    assert numbers == [42, 43]


def test_a_transaction_that_fails_leaves_nothing(ledger):
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        ledger.begin_batch("a", "run", 0)
        _ = 1 / 0
    assert ledger.pending() == []


def test_w13_a_newer_ledger_is_refused_with_a_reason(lake, ledger, ledger_url):
    newer = connect(ledger_location(lake, ledger_url), PART)
    newer.set_version(9)
    newer.close()
    with pytest.raises(LedgerError, match="newer finnews"):
        Ledger(ledger_location(lake, ledger_url))


def test_w10_a_file_that_is_no_ledger_is_one_line(lake):
    ledger_path(lake).write_bytes(b"not a database" * 1000)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger(ledger_path(lake))
    with pytest.raises(LedgerError, match="not a database"):
        KnownArticles(lake)

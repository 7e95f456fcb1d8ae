"""`finnews status`, `sources new` and `sources check --live`, on the sample site and on lakes made for the purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.commands.explaining import explain_command
from flows.commands.reading import status_command
from flows.commands.sourcing import check_live_command, sources_new_command, sources_schema_command
from flows.core.accounting import Exit
from flows.core.fetching import NoAnswerError
from flows.core.runs import ingest_sources
from flows.desk.status import SourceStatus, status
from flows.sample.site import SampleSite
from flows.settings import Settings
from flows.terminal import Terminal
from spiders.drafting import NoDraftError
from storage.frontier import Frontier
from storage.ledger import Ledger, ledger_path

# What a command says depends on the clock.
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def site() -> Iterator[SampleSite]:
    with SampleSite() as running:
        yield running


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(as_json=True, quiet=True)


def settings(lake: Path, **options: Any) -> Settings:
    return Settings(lake=str(lake), delay_seconds=0.0, **options)


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def lake_of(
    root: Path, *, tried: timedelta = timedelta(minutes=5), newest: timedelta = timedelta(hours=1), **account: Any
) -> Path:
    """A lake in which sina was crawled once."""
    ledger_path(root).parent.mkdir(parents=True)
    ledger = Ledger(ledger_path(root))
    ledger.begin_run("r1")
    ledger.end_run("r1", {"command": "ingest", "sources": {"sina": {"gate_failures": [], "error": None} | account}})
    ledger.record_crawl("sina", at=NOW - tried, succeeded=not account.get("error"), newest_at=NOW - newest)
    ledger.close()
    return root


def of_sina(lake: Path) -> SourceStatus:
    return next(each for each in status(settings(lake), NOW) if each.source == "sina")


def test_a_lake_that_is_not_there_is_silent_and_stays_away(
    tmp_path: Path, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_command(settings(tmp_path / "lake"), terminal) is Exit.OK
    assert {each["state"] for each in printed(capsys)} == {"silent"}
    assert not (tmp_path / "lake").exists()


def test_fresh(tmp_path: Path) -> None:
    found = of_sina(lake_of(tmp_path))
    assert (found.state, found.reasons) == ("fresh", ())


@pytest.mark.parametrize(
    ("lake", "state", "reason"),
    [
        ({"tried": timedelta(hours=30)}, "silent", "not crawled since"),
        ({"error": "E-ROBOTS robots.txt is unavailable"}, "broken", "robots.txt is unavailable"),
        ({"gate_failures": ["E-EMPTY http://x 0 entries"]}, "broken", "E-EMPTY"),
        ({"newest": timedelta(hours=30)}, "stale", "more than 24 h ago"),
        ({"gate_failures": ["E-FROZEN http://x the newest"]}, "stale", "E-FROZEN"),
    ],
)
def test_p05_what_is_wrong_is_named(tmp_path: Path, lake: dict[str, Any], state: str, reason: str) -> None:
    found = of_sina(lake_of(tmp_path, **lake))
    assert found.state == state
    assert any(reason in each for each in found.reasons), found.reasons


def test_a_broken_contract_is_exit_4(tmp_path: Path, terminal: Terminal) -> None:
    lake = lake_of(tmp_path, gate_failures=["E-EMPTY http://x 0 entries"])
    assert status_command(settings(lake), terminal) is Exit.GATE


def test_p06_gaps_are_told_for_a_week(tmp_path: Path) -> None:
    lake = lake_of(tmp_path)
    with Frontier(lake, "sina") as frontier:
        frontier.gap("http://list", NOW - timedelta(hours=3), NOW - timedelta(hours=2))
    (gap,) = of_sina(lake).gaps
    since, until = (f"{NOW - timedelta(hours=hours):%Y-%m-%d %H:%MZ}" for hours in (3, 2))
    assert gap == f"http://list: {since} to {until}"


def test_a_run_leaves_what_status_needs(site: SampleSite, tmp_path: Path) -> None:
    here = settings(tmp_path, connect_to={"*": site.address}, workers=1)
    ingest_sources(here, ["chinanews"])
    found = next(each for each in status(here) if each.source == "chinanews")
    assert found.newest_at is not None
    assert found.waiting == 0
    with Frontier(tmp_path, "chinanews") as frontier:
        (quality,) = frontier.quality()
    assert quality.articles >= 3
    assert quality.shares["published_at"] == 1.0


def test_a_draft_from_a_feed_on_the_network(
    site: SampleSite, tmp_path: Path, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    here = settings(tmp_path, connect_to={"*": site.address})
    url = "https://www.chinanews.com.cn/rss/finance.xml"
    assert sources_new_command(url, here, terminal, folder=tmp_path) is Exit.OK
    document = printed(capsys)
    assert document["id"] == "chinanews"
    assert len(document["rows"]) >= 3
    assert (tmp_path / "chinanews.toml").read_text(encoding="utf-8") == document["toml"]
    with pytest.raises(NoDraftError, match="exists"):
        sources_new_command(url, here, terminal, folder=tmp_path)


def test_a_draft_of_what_is_not_there_says_why(site: SampleSite, tmp_path: Path, terminal: Terminal) -> None:
    here = settings(tmp_path, connect_to={"*": site.address})
    with pytest.raises(NoAnswerError, match="status 404"):
        sources_new_command("https://www.chinanews.com.cn/nothing", here, terminal)


def test_a_draft_from_a_saved_answer(tmp_path: Path, terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "list.json"
    saved.write_text('{"data": [{"url": "/a/1.html", "title": "题目"}]}', encoding="utf-8")
    assert sources_new_command("https://sample.com/api", settings(tmp_path), terminal, file=saved) is Exit.OK
    assert printed(capsys)["rows"] == [{"url": "https://sample.com/a/1.html", "title": "题目"}]


def test_a_source_checked_live_leaves_nothing(
    site: SampleSite, tmp_path: Path, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    here = settings(tmp_path / "lake", connect_to={"*": site.address}, workers=1)
    assert check_live_command("chinanews", here, terminal) is Exit.OK
    document = printed(capsys)
    assert len(document["articles"]) == 3
    assert not (tmp_path / "lake").exists()


def test_the_schema_names_every_key(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    sources_schema_command(terminal)
    schema = printed(capsys)
    assert {"id", "name", "hosts", "list", "article", "revisit"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_a_page_on_the_network_is_explained_and_not_kept(
    site: SampleSite, tmp_path: Path, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    here = settings(tmp_path / "lake", connect_to={"*": site.address})
    sources_new_command("https://www.chinanews.com.cn/rss/finance.xml", here, terminal)
    url = printed(capsys)["rows"][0]["url"]
    assert explain_command([url], here, terminal, source_id=None) is Exit.OK
    line = json.loads(capsys.readouterr().out)
    assert (line["source"], line["lane"]) == ("chinanews", "rule")
    assert line["kept"] == line["text"].split("\n")
    assert line["witnesses"]["published"] == "rule"
    assert not (tmp_path / "lake").exists()


def test_a_page_that_does_not_answer_is_not_explained(site: SampleSite, tmp_path: Path, terminal: Terminal) -> None:
    here = settings(tmp_path, connect_to={"*": site.address})
    with pytest.raises(NoAnswerError, match="status 404"):
        explain_command(["https://www.chinanews.com.cn/nothing"], here, terminal, source_id=None)
    with pytest.raises(NoAnswerError, match="E-SSRF"):
        explain_command(["http://127.0.0.2:9/x.html"], settings(tmp_path), terminal, source_id=None)

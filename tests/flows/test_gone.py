"""Row D06 from end to end: an article that its site has no more keeps its text, and says since when it is gone."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows.core.accounting import Account
from flows.core.runs import ingest_sources
from flows.settings import Settings
from storage.database import connect
from storage.frontier import PART, frontier_location
from storage.query import query

sys.path.append(str(Path(__file__).parents[1] / "spiders"))

import faultserver as faults
from faultserver import FaultServer

SOURCE = r"""
id = "sample"
name = "a site that looks at its articles again"
hosts = ["site.test"]
id_regex = '/a/(\d+)\.html'
revisit = ["1h", "24h"]

[[list]]
kind = "json"
url = "http://site.test/list"
items = "data"
fields = { url = "url", title = "title", published = "time" }

[rate]
delay_seconds = 0
"""
STATES = """
select article_id, flags, json_extract_string(extra, 'gone_at') as gone_at, text_chars from articles order by 1
"""


@dataclass
class Site:
    server: FaultServer
    folder: Path
    ledger: str
    status: dict[str, str] = field(default_factory=dict)
    """Path → status line, where it is not 200."""

    def answer(self, turn: faults.Turn) -> None:
        if turn.asked.path == "/list":
            rows = [
                {"url": f"http://site.test/a/{number}.html", "title": f"题目{number}", "time": "2026-11-20 09:30:00"}
                for number in (1, 2, 3)
            ]
            turn.answer(json.dumps({"data": rows}).encode(), content_type="application/json")
        else:
            number = turn.asked.path[3:-5]
            words = random.Random(number).choices("股债汇市券商基金银行公告季度增长收益成交指数虚构样本", k=160)
            text = "".join(f"<p>{''.join(words[at : at + 40])}，第{number}号。</p>" for at in range(0, 160, 40))
            page = f"<html><body><h1>题目{number}</h1><div>{text}</div></body></html>".encode()
            turn.answer(page, status=self.status.get(turn.asked.path, "200 OK"))

    def ingest(self, *, an_hour_later: bool = False) -> Account:
        if an_hour_later:
            with closing(connect(frontier_location(self.folder / "lake", self.ledger), PART)) as frontier:
                frontier.execute("UPDATE revisits SET due_at = 0")
        settings = Settings(
            lake=str(self.folder / "lake"),
            ledger=self.ledger,
            sources=[self.folder / "sources"],
            connect_to={"*": self.server.address},
            workers=1,
        )
        report = ingest_sources(settings, ["sample"])
        assert report.exit_code == 0, report.document()
        return report.sources["sample"]

    def states(self) -> list[tuple]:
        return query(self.folder / "lake", STATES)[1]


@pytest.fixture
def site(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "sample.toml").write_text(SOURCE, encoding="utf-8")
    with FaultServer() as server:
        made = Site(server, tmp_path, ledger_url)
        server.faults["site"] = made.answer
        yield made


def test_d06_what_a_site_has_no_more_keeps_its_text_and_a_time(site: Site) -> None:
    assert site.ingest().stored == 3
    site.status = {"/a/1.html": "404 Not Found", "/a/2.html": "410 Gone"}
    account = site.ingest(an_hour_later=True)
    # The lists's own rows are known; of the three looked at again, one has not changed.
    assert (account.quarantined, account.reasons) == (2, {"E-GONE": 2})
    gone, gone_too, there = site.states()
    assert (gone[1], gone_too[1], there[1]) == (["gone"], ["gone"], [])
    assert gone[2] and there[2] is None
    assert gone[3] > 100
    # It is not asked for again, and stays as it is.
    assert site.ingest(an_hour_later=True).quarantined == 0
    assert site.states() == [gone, gone_too, there]

"""Alarms: told once, when something changes, to a webhook on loopback; nothing secret in what is logged."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli import run
from flows.desk.notifying import ALARMS, GRAVITY, QUIET, Told, changes, notify, read_told, tell_changes
from flows.desk.status import SourceStatus
from flows.settings import Settings, SettingsError
from storage.ledger import Ledger, ledger_path

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)


class Webhook:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if webhook.status == 200:
                    webhook.messages.append(json.loads(body))
                self.send_response(webhook.status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://user:hunter2@127.0.0.1:{self.server.server_port}/token-4711"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    running = Webhook()
    yield running
    running.server.shutdown()
    running.server.server_close()


def crawled(lake: Path, *, error: str | None) -> None:
    """A run of sina that ends now."""
    (lake / "_state").mkdir(parents=True, exist_ok=True)
    ledger = Ledger(ledger_path(lake))
    run_id = f"r{len(ledger.runs())}"
    ledger.begin_run(run_id)
    ledger.end_run(run_id, {"command": "ingest", "sources": {"sina": {"error": error, "gate_failures": []}}})
    now = datetime.now(UTC)
    ledger.record_crawl("sina", at=now, succeeded=not error, newest_at=now)
    ledger.close()


def test_an_alarm_is_told_once_and_so_is_the_recovery(tmp_path: Path, webhook: Webhook) -> None:
    settings = Settings(lake=str(tmp_path), notify_urls=[webhook.url])
    crawled(tmp_path, error="E-HTTP 503")
    for _ in range(3):
        tell_changes(settings)
    crawled(tmp_path, error=None)
    for _ in range(3):
        tell_changes(settings)
    alarm, recovery = webhook.messages
    assert (alarm["title"], alarm["message"]) == ("finnews: 1 in trouble", "sina: broken: E-HTTP 503")
    assert (recovery["title"], recovery["message"]) == ("finnews: 1 fresh again", "sina: fresh again")


def test_what_could_not_be_sent_is_told_later(
    tmp_path: Path, webhook: Webhook, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(lake=str(tmp_path), notify_urls=[webhook.url])
    crawled(tmp_path, error="E-HTTP 503")
    webhook.status = 500
    assert tell_changes(settings) == []
    said = caplog.text + "".join(capfd.readouterr())
    assert "not everybody could be told" in said
    assert not [secret for secret in ("hunter2", "4711") if secret in said]
    assert not (tmp_path / ALARMS).exists()
    webhook.status = 200
    assert len(tell_changes(settings)) == 1
    assert len(webhook.messages) == 1


def test_words_of_a_site_are_one_line_of_text(tmp_path: Path, webhook: Webhook) -> None:
    crawled(tmp_path, error="E-HTTP <b>x</b>\n\x1b[31m\u202e")
    tell_changes(Settings(lake=str(tmp_path), notify_urls=[webhook.url]))
    assert webhook.messages[0]["message"] == "sina: broken: E-HTTP <b>x</b> [31m"


def test_an_address_that_is_none_is_named_without_its_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"number 2 \(nonsense://\*\*\*\)"):
        notify("t", "b", Settings(notify_urls=["json://127.0.0.1", "nonsense://u:hunter2@x"]))


def test_status_notifies_and_keeps_its_exit_code(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    crawled(tmp_path, error="E-HTTP 503")
    monkeypatch.setenv("FINNEWS_NOTIFY_URLS", json.dumps([webhook.url]))
    assert run(["status", "--notify", "--lake", str(tmp_path), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)
    assert len(webhook.messages) == 1


def test_nobody_to_notify_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--notify", "--lake", str(tmp_path)]) == 2
    assert "nobody to notify: set notify_urls" in capsys.readouterr().err


def test_a_damaged_memory_tells_again(caplog: pytest.LogCaptureFixture) -> None:
    assert read_told(b'{"sina": 1}', "alarms.json") == {}
    assert "all alarms are told anew" in caplog.text


def seen(state: str) -> SourceStatus:
    return SourceStatus(source="sina", state=state, reasons=("why",), tried_at=NOW)  # type: ignore[arg-type]


def test_never_asked_is_no_alarm() -> None:
    assert changes({}, [SourceStatus(source="sina", state="silent", reasons=("never crawled",))], NOW) == ([], {})


def test_worse_is_told_at_once_and_better_only_when_well() -> None:
    told = {"sina": Told("stale", NOW)}
    [change], told = changes(told, [seen("broken")], NOW + timedelta(minutes=1))
    assert (change.kind, change.state) == ("alarm", "broken")
    assert changes(told, [seen("stale")], NOW + timedelta(hours=1))[0] == []


states = st.lists(st.tuples(st.sampled_from(sorted(GRAVITY)), st.integers(1, 240)), max_size=60)


@given(states)
def test_no_storm_and_no_recovery_without_an_alarm(history: list[tuple[str, int]]) -> None:
    told: dict[str, Told] = {}
    at, alarms, last = NOW, [], ""
    for state, minutes in history:
        at += timedelta(minutes=minutes)
        found, told = changes(told, [seen(state)], at)
        for change in found:
            assert (change.kind, last) != ("recovery", "recovery")
            assert change.kind == "alarm" or last == "alarm"
            last = change.kind
            if change.kind == "alarm":
                alarms.append(at)
    # From the first of a spell it can only get worse, twice.
    assert len(alarms) <= 3 * ((at - NOW) / QUIET + 1)

"""What is left beside a flow run, and who is told; the artifacts themselves are looked at in test_production."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.core.accounting import Account, RunFailedError, RunReport

ROOT = Path(__file__).parents[2]


class Heard(HTTPServer):
    """Somebody who is told, over apprise's json:// address."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Listening)


class Listening(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    server = Heard()
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("FINNEWS_NOTIFY_URLS", json.dumps([f"json://127.0.0.1:{server.server_port}/"]))
    monkeypatch.setenv("FINNEWS_LAKE", str(tmp_path / "lake"))
    yield server
    server.shutdown()
    server.server_close()


def report(**accounts: Account) -> RunReport:
    return RunReport("20261121T180000-abc123", dict(accounts))


def test_a_report_names_what_is_wrong_and_takes_no_markup_from_a_site() -> None:
    from flows.server.publishing import as_markdown

    sick = Account(discovered=2, quarantined=2, error="E-HTTP\n# <b>x|y</b>", reasons={"E-NOTEXT": 2})
    text = as_markdown(report(fine=Account(discovered=1, stored=1), sick=sick))
    assert text.startswith("# SOME_FAILED: 1 new")
    assert "- **sick**: failed: E-HTTP \\# \\<b\\>x\\|y\\</b\\>" in text
    assert "2 refused, E-NOTEXT" in text
    assert [line.count("|") for line in text.splitlines() if line.startswith("|")] == [11, 11, 11, 11]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("no space left on device"), 1),
        # One that did not add up.
        (RunFailedError(report(one=Account(discovered=1))), 1),
        # Sources that fall ill are told when they do, once.
        (RunFailedError(report(one=Account(error="down"), two=Account())), 0),
        (RunFailedError(report(one=Account(gate_failures=["E-FROZEN"]))), 0),
    ],
)
def test_an_alarm_is_for_what_no_source_is_to_blame_for(error: Exception, told: int, somebody: Heard) -> None:
    from prefect.client.schemas.objects import FlowRun
    from prefect.states import Failed

    from flows.maintain import maintain
    from flows.server.alarming import alarm

    run = FlowRun(flow_id="00000000-0000-0000-0000-000000000000", name="brave-otter")
    alarm(maintain, run, Failed(message=str(error), data=error))
    assert [message["title"] for message in somebody.messages] == ["finnews: maintain failed"] * told
    assert all("brave-otter" in message["message"] for message in somebody.messages)


def test_the_core_pays_nothing_for_prefect() -> None:
    modules = "flows.commands.intake, flows.commands.demo, flows.core.backfilling, flows.server.serving"
    told = "sys.exit(any(name.partition('.')[0] == 'prefect' for name in sys.modules))"
    subprocess.run([sys.executable, "-c", f"import sys, {modules}; {told}"], cwd=ROOT, check=True)

"""`doctor`, `config show` and `init`: what is wrong, what to do about it, and no secret on any screen."""

from __future__ import annotations

import json
import os
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from flows.cli import run
from flows.commands.configuring import settings_text
from flows.settings import Settings, load_settings, masked
from storage.ledger import Ledger, ledger_path
from storage.lock import WriterLock


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in json.loads(capsys.readouterr().out)}


def test_all_is_well_here(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    checks = found(capsys)
    assert set(checks) >= {"python", "packages", "settings", "sources", "time zones", "disk", "lake", "ledger", "clock"}
    assert not [each for each in checks.values() if each["verdict"] == "fail"]
    assert list(here.iterdir()) == []


def test_a_lake_in_use_names_its_writer(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "lake/_state").mkdir(parents=True)
    with WriterLock(here / "lake"):
        assert run(["doctor", "--json"]) == 0
    assert f"pid {os.getpid()}" in found(capsys)["lock"]["what"]
    assert run(["doctor", "--json"]) == 0
    assert found(capsys)["lock"]["what"] == "nobody writes"


def test_a_ledger_that_does_not_open_is_exit_4(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger_path(here / "lake").parent.mkdir(parents=True)
    ledger_path(here / "lake").write_bytes(b"no database, but long enough to look like a file of one " * 20)
    assert run(["doctor", "--json"]) == 4
    assert found(capsys)["ledger"]["verdict"] == "fail"


def test_a_run_that_did_not_end_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger_path(here / "lake").parent.mkdir(parents=True)
    ledger = Ledger(ledger_path(here / "lake"))
    ledger.begin_run("r1")
    ledger.close()
    assert run(["doctor", "--json"]) == 0
    assert found(capsys)["ledger"]["verdict"] == "warn"


def test_a_clock_that_went_back_is_exit_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger_path(here / "lake").parent.mkdir(parents=True)
    ledger = Ledger(ledger_path(here / "lake"))
    ledger.execute("INSERT INTO runs VALUES ('r', 4102444800000000, 4102444800000001, '{}')")
    ledger.close()
    assert run(["doctor", "--json"]) == 2
    assert found(capsys)["clock"]["verdict"] == "fail"


def test_what_is_wrong_says_what_to_do(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "own").mkdir()
    (here / "own/mine.toml").write_text('id = "mine"\nnmae = "x"\n', encoding="utf-8")
    monkeypatch.setenv("PREFECT_API_URL", "http://user:hunter2@127.0.0.1:9/api")
    monkeypatch.setenv("FINNEWS_NOTIFY_URLS", '["nonsense://hunter2"]')
    monkeypatch.setenv("FINNEWS_LAEK", "x")
    assert run(["doctor", "--json", "--sources", "own"]) == 2
    output = capsys.readouterr().out
    assert "hunter2" not in output
    checks = {each["check"]: each for each in json.loads(output)}
    failed = {name for name, each in checks.items() if each["verdict"] == "fail"}
    assert failed == {"sources", "prefect", "notify"}
    assert all(checks[name]["advice"] for name in failed)
    assert checks["settings"]["what"] == "FINNEWS_LAEK: no such setting; did you mean FINNEWS_LAKE?"


def test_a_server_that_answers(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Healthy)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api/")
    assert run(["doctor", "--json"]) == 0
    assert found(capsys)["prefect"]["verdict"] == "ok"
    server.shutdown()
    server.server_close()


def test_init_writes_a_file_that_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load_settings()
    assert run(["init"]) == 0
    assert "finnews doctor" in capsys.readouterr().err
    assert load_settings() == before
    text = (here / "finnews.toml").read_text(encoding="utf-8")
    assert all(f"# {name} = " in text for name in Settings.model_fields)
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines() if " = " in line and "…" not in line)
    assert Settings(**tomllib.loads(uncommented)) == before


def test_init_never_writes_over_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "finnews.toml").write_text('lake = "mine"\n', encoding="utf-8")
    assert run(["init", "--lake", "other"]) == 2
    assert "there is one already" in capsys.readouterr().err
    assert (here / "finnews.toml").read_text(encoding="utf-8") == 'lake = "mine"\n'


def test_init_takes_the_lake_along(here: Path) -> None:
    assert run(["init", "--lake", 'with "quotes" and 湖']) == 0
    assert load_settings().lake == 'with "quotes" and 湖'
    assert settings_text() != (here / "finnews.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("postgresql://u:hunter2@h/db", "postgresql://***"),
        ("json://h/hunter2", "json://***"),
        ("hunter2", "***"),
        ("", ""),
        (["mailto://u:hunter2@h", ""], ["mailto://***", ""]),
    ],
)
def test_masks(secret: Any, shown: Any) -> None:
    assert masked(secret) == shown

"""What the command line promises, tried as somebody does who has read the documents and not the code."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from flows.cli import app, run
from flows.errors import exit_code
from flows.writing import OutputError
from storage.database import Sqlite
from storage.ledger import Ledger

ROOT = Path(__file__).parents[2]
RECORD = '{"url": "https://news.example/a/%d.html", "title": "青屿港第%d条航线", "text": "新航线已开通，停靠%d港。"}\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    _write_rows(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loaded")
    _write_rows(folder)
    assert run(["backfill", "--from", str(folder / "rows.jsonl"), "--lake", str(folder / "lake"), "--quiet"]) == 0
    return folder / "lake"


@pytest.fixture
def lake(here: Path, loaded: Path) -> Path:
    return shutil.copytree(loaded, here / "lake")


def _write_rows(folder: Path) -> None:
    (folder / "rows.jsonl").write_text("".join(RECORD % (n, n, n) for n in (3, 4)), encoding="utf-8")


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    return [
        found
        for name, command in group.commands.items()
        for found in (commands(command, *path, name) if hasattr(command, "commands") else [(*path, name)])
    ]


@pytest.mark.parametrize("path", commands(typer.main.get_command(app)), ids=" ".join)  # type: ignore[arg-type]
def test_every_command_may_be_quiet_and_verbose(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    told = capsys.readouterr().out
    assert "--quiet" in told
    assert "--verbose" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["read", ""], "nothing to run"),
        (["read", "/* only this */"], "nothing to run"),
        (["paths", "sinaa"], "unknown source 'sinaa'; did you mean sina?"),
        (["export", "x.csv", "--source", "sinaa"], "did you mean sina?"),
        (["compact", "--source", "sinaa"], "did you mean sina?"),
        (["export", "x.csv", "--since", "2026-03-02", "--until", "2026-03-01"], "the range is empty"),
        (["paths", "--since", "2026-03-02", "--until", "2026-03-01"], "the range is empty"),
        (["export", "x.csv", "--as-of", "2026-03-01"], "2026-03-01T09:00:00+08:00"),
        (["quarantine", "list", "--source", "sinaa"], "did you mean sina?"),
        (["quarantine", "retry", "--source", "sinaa"], "did you mean sina?"),
        (["quarantine", "list", "--reason", "E-NOTEX"], "did you mean notext?"),
        (["backfill", "--from", ""], "the path is empty"),
        (["backfill", "--from", "rows.jsonl", "--since", "2026-03-01"], "an archive is read whole"),
        (["backfill", "--from", "rows.jsonl", "--reprocess", "all"], "an archive is read whole"),
        (["extract", "rows.jsonl", "--manifest", "rows.jsonl"], "either pages"),
        (["extract"], "either pages"),
        (["sources", "new", "news.example"], "no http or https address"),
        (["status", "--lake", ""], "--lake: is empty"),
        (["status", "--lake", "gs://bucket/x"], "a lake is a folder, or s3://bucket/prefix"),
        (["ingest", "--ledger", "mysql://user:geheim@host/db"], "a ledger is postgresql://"),
    ],
)
def test_what_nobody_can_have_meant_is_a_usage_error(
    arguments: list[str], says: str, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(arguments) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert "geheim" not in told
    assert not Path("x.csv").exists()


def test_a_list_in_the_environment_that_is_no_json_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINNEWS_SOURCES", "own")
    assert run(["sources", "list"]) == 2
    assert 'FINNEWS_SOURCES: JSON is expected, such as ["one", "two"]' in capsys.readouterr().err


def test_c09_figures_that_json_has_not_are_null(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["read", "--json", "select 'nan'::double as a, [1.5, 'inf'::double] as b"]) == 0
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == [{"a": None, "b": [1.5, None]}]


def test_c11_home_is_meant_by_a_tilde(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(lake.parent))
    Path("finnews.toml").write_text('lake = "~/lake"\n', encoding="utf-8")
    assert run(["read", "select 1 from articles"]) == 0


def test_c11_a_pipe_keeps_nobody_waiting(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    os.mkfifo("folder/page.html")
    assert run(["extract", "folder/page.html"]) == 2
    assert run(["extract", "folder"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "E-ARCHIVE"
    assert told["file"] == "folder/page.html"


def test_the_file_is_told_as_it_was_given_though_it_gave_no_article(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.html").touch()
    Path("m.jsonl").write_text('{"file": "empty.html", "url": "https://news.example/1"}\n{"file": "gone.html"}\n')
    assert run(["extract", "empty.html"]) == 0
    assert run(["extract", "--manifest", "m.jsonl"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["file"], line["url"]) for line in lines] == [
        ("empty.html", None),
        ("empty.html", "https://news.example/1"),
        ("gone.html", None),
    ]


def test_c08_a_terminal_without_width_is_given_one(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    assert run(["sources", "list"]) == 0
    assert "chinanews" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", [["schema", "--json"], ["--version"]], ids=["much", "little"])
def test_w04_stdout_on_a_full_disk_is_one_line(command: list[str], here: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "flows.cli", *command],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ended.returncode == 75
    assert ended.stderr.decode().count("\n") == 1


def test_json_lines_in_utf16_are_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("wide.jsonl").write_bytes(Path("rows.jsonl").read_text(encoding="utf-8").encode("utf-16"))
    assert run(["extract", "wide.jsonl"]) == 0
    titles = [json.loads(line)["title"] for line in capsys.readouterr().out.splitlines()]
    assert titles == ["青屿港第3条航线", "青屿港第4条航线"]


def test_of_each_line_that_cannot_be_read_there_is_a_row(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.jsonl").write_text('nothing\nneither\n{"title": "x"}\n{"title": "y"}\n')
    for _ in range(2):
        assert run(["backfill", "--from", "bad.jsonl", "--quiet"]) == 0
    capsys.readouterr()
    assert run(["quarantine", "list", "--reason", "E-ARCHIVE", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["pages"] == 2
    assert run(["read", "--json", "select count(*) as n from quarantine"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 4}]
    assert run(["quarantine", "show", "bad.jsonl:2"]) == 0


def test_a_ledger_that_may_not_be_written_to_is_read(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser of a test may write anywhere, so that it is told otherwise."""
    ledger = lake / "_state" / "ledger.sqlite"
    assert not (ledger.parent / "ledger.sqlite-wal").exists()
    monkeypatch.setattr(os, "access", lambda *_: False)
    before = ledger.read_bytes()
    database = Sqlite(ledger)
    database.close()
    read = Ledger(ledger)
    assert read.count() == 2
    assert len(read.runs(9)) == 1
    read.close()
    assert ledger.read_bytes() == before


def test_c11_a_pipe_among_source_files_keeps_nobody_waiting(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("own").mkdir()
    os.mkfifo("own/mine.toml")
    assert run(["sources", "list", "--sources", "own"]) == 2
    assert (
        capsys.readouterr().err == "finnews: own/mine.toml:1: is no file; move it out of the folder of source files\n"
    )


def test_a_misspelt_variable_is_named_whatever_the_command(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINNEWS_WORKRES", "2")
    monkeypatch.setenv("FINNEWS_S3_ENDPOINT", "http://127.0.0.1:9")
    assert run(["sources", "list"]) == 0
    assert capsys.readouterr().err == "FINNEWS_WORKRES: no such setting; did you mean FINNEWS_WORKERS?\n"
    assert run(["sources", "list", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["doctor", "--json"]) in (0, 2)
    shown = capsys.readouterr()
    assert [each["what"] for each in json.loads(shown.out) if each["check"] == "settings"] == [
        "FINNEWS_WORKRES: no such setting; did you mean FINNEWS_WORKERS?"
    ]
    assert shown.err == ""


def test_an_archive_of_which_nothing_came_in_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad").mkdir()
    for name in ("one.html", "other.html"):
        Path("bad", name).write_text("<p>", encoding="utf-8")
    for _ in range(2):
        assert run(["backfill", "--from", "bad"]) == 0
        assert "no article came in: all 2 pages were refused; `finnews quarantine list` says why" in (
            capsys.readouterr().err
        )
    assert run(["backfill", "--from", "bad", "--from", "rows.jsonl"]) == 0
    assert "no article came in" not in capsys.readouterr().err


@pytest.mark.parametrize("path", commands(typer.main.get_command(app)), ids=" ".join)  # type: ignore[arg-type]
def test_help_speaks_no_python(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    assert not re.search(r"<(str|int|list|path|file|dir)\b", capsys.readouterr().out)


def test_one_is_not_plural_and_none_is_said(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["export", "x.csv"]) == 0
    assert run(["pack"]) == 0
    assert run(["duplicates"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "2 rows in x.csv",
        "1 month written, 0 unchanged, 0 removed",
        "none",
    ]


def test_a_full_disk_is_no_slip_of_the_pen() -> None:
    assert exit_code(OutputError(f"r.html: cannot be written ({os.strerror(errno.ENOSPC)})")) == 75
    assert exit_code(OutputError("r.html: cannot be written (Permission denied)")) == 2


def test_where_nothing_is_it_is_said(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["status", "--lake", "nowhere"]) == 0
    assert "nowhere: no run has been here yet" in capsys.readouterr().err
    assert run(["paths", "--since", "1999-01-01", "--until", "1999-01-02"]) == 0
    assert capsys.readouterr().err == "none: no article of these sources and days\n"


def test_explain_names_the_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "rows.jsonl"]) == 0
    out = capsys.readouterr().out
    assert "rows.jsonl:1: source local, lane " in out
    assert "rows.jsonl:2: source local, lane " in out


def test_a_source_that_is_shown_says_where_its_file_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("own").mkdir()
    assert run(["sources", "show", "sina"]) == 0
    file = capsys.readouterr().err.strip().removeprefix("from ")
    shutil.copy(file, "own/mine.toml")
    assert run(["sources", "show", "sina", "--sources", "own"]) == 0
    assert capsys.readouterr().err == "from own/mine.toml\n"

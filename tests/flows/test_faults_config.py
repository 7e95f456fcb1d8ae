"""Rows C05 to C11 and C14: settings, secrets, streams and paths, as somebody at a terminal or a script meets them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli import app, run
from flows.groups.help import Sections
from flows.sample.site import SampleSite
from flows.settings import Settings, SettingsError, load_settings
from spiders.catalogue import BUILT_IN, Catalogue

ROOT = Path(__file__).parents[2]
SECRET = "hunter2"
POST = """\
---
title: 青屿港新开航线
date: 2024-10-21 09:15:00 +0800
---
<p>青屿市港航局公布，新航线已于当日开通，沿途停靠四港。</p>
"""
OTHER: dict[str, Any] = {
    "lake": "elsewhere",
    "ledger": "postgresql://h/db",
    "state": "state",
    "keep_pages_days": 9,
    "sources": ["own"],
    "workers": 3,
    "crawls": 5,
    "crawl_seconds": 60.5,
    "page_seconds": 7.5,
    "page_memory_mb": 512,
    "delay_seconds": 0.5,
    "connect_to": {"*": "127.0.0.1:1"},
    "notify_urls": ["json://h"],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "post.md").write_text(POST, encoding="utf-8")
    return tmp_path


def finnews(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """As a process of its own, with nothing in its environment but what is named."""
    command = [sys.executable, "-m", "flows.cli", *arguments]
    plain = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=plain | environment, capture_output=True, check=False)


# ── the file of settings ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('lake = "x"\nshedule = 1\n', "finnews.toml:2: shedule: no such setting"),
        ("\n\nworkerss = 1\n", "finnews.toml:3: workerss: no such setting; did you mean workers?"),
        ('workers = "many"\n', "finnews.toml:1: workers: Input should be a valid integer"),
        ("delay_seconds = -1\n", "finnews.toml:1: delay_seconds: Input should be greater than or equal to 0"),
        ("# first\n[lake]\nx = 1\n", "finnews.toml:2: lake: Input should be a valid string"),
        ("sources = 'own'\n", "finnews.toml:1: sources: Input should be a valid list"),
        ('lake = "a"\nlake = "b"\n', "finnews.toml: Cannot overwrite a value (at line 2"),
        ("lake = \n", "finnews.toml: Invalid value (at line 1"),
    ],
    ids=["C01-unknown", "C01-meant", "C02-type", "C02-negative", "C02-table", "C02-list", "C04-twice", "C04-no-value"],
)
def test_a_wrong_setting_is_named_with_its_line(
    text: str, says: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "finnews.toml").write_text(text, encoding="utf-8")
    assert run(["status"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


@pytest.mark.parametrize(
    "written",
    [b'\xef\xbb\xbflake = "x"\r\nworkers = 3\r\n', b'lake\t=\t"x"\t# tab\nworkers = 3'],
    ids=["bom-and-crlf", "tabs"],
)
def test_c04_settings_as_editors_write_them(written: bytes, here: Path) -> None:
    (here / "finnews.toml").write_bytes(written)
    assert (load_settings().lake, load_settings().workers) == ("x", 3)


def test_c04_settings_that_are_not_utf8(here: Path) -> None:
    (here / "finnews.toml").write_bytes('lake = "湖"'.encode("gb18030"))
    with pytest.raises(SettingsError, match=r"finnews\.toml: is not UTF-8"):
        load_settings()


def test_c05_a_named_file_that_is_missing_or_no_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINNEWS_CONFIG", "other.toml")
    with pytest.raises(SettingsError, match=r"other\.toml: no such file \(named by FINNEWS_CONFIG\)"):
        load_settings()
    monkeypatch.delenv("FINNEWS_CONFIG")
    (here / "finnews.toml").mkdir()
    with pytest.raises(SettingsError, match=r"finnews\.toml: cannot be read"):
        load_settings()


def test_c05_no_source_is_enabled(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "off").mkdir()
    for source_id in Catalogue.load():
        text = f'id = "{source_id}"\nname = "off"\nhosts = ["off.test"]\nenabled = false\n'
        (here / f"off/{source_id}.toml").write_text(text, encoding="utf-8")
    assert run(["ingest", "--sources", "off"]) == 2
    assert "no source is enabled" in capsys.readouterr().err
    assert not (here / "lake").exists()


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "command",
    [["config", "show"], ["config", "show", "--json"], ["doctor"], ["doctor", "--json"], ["status", "-h"], ["status"]],
    ids=" ".join,
)
def test_c06_a_secret_is_on_no_screen(command: list[str], here: Path) -> None:
    secrets = {
        "FINNEWS_LEDGER": f"postgresql://user:{SECRET}@127.0.0.1:1/db?connect_timeout=1",
        "FINNEWS_NOTIFY_URLS": json.dumps([f"json://u:{SECRET}@127.0.0.1/{SECRET}", f"nonsense://{SECRET}"]),
        "PREFECT_API_URL": f"http://u:{SECRET}@127.0.0.1:1/api",
    }
    ended = finnews(*command, cwd=here, **secrets)
    assert SECRET.encode() not in ended.stdout + ended.stderr
    assert b"Traceback" not in ended.stderr


def test_c06_a_secret_of_a_wrong_type_is_not_repeated(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "finnews.toml").write_text(f"notify_urls = [[{SECRET!r}]]\nledger = [{SECRET!r}]\n", encoding="utf-8")
    assert run(["config", "show"]) == 2
    assert SECRET not in capsys.readouterr().err


def test_c06_no_record_shows_a_secret() -> None:
    settings = Settings(ledger=f"postgresql://u:{SECRET}@h/d", notify_urls=[f"json://{SECRET}"])
    assert SECRET not in repr(settings) + str(settings)


# ── where a setting comes from ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", Settings.model_fields)
def test_c07_flag_before_environment_before_file_before_default(
    name: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A new setting is entered in OTHER.
    default, other = Settings.model_fields[name].default, OTHER[name]

    def value() -> Any:
        return plain(getattr(load_settings(), name))

    def origin() -> str:
        capsys.readouterr()
        assert run(["config", "show", "--json"]) == 0
        return str(json.loads(capsys.readouterr().out)[name]["origin"])

    assert (value(), origin()) == (plain(default), "default")
    (here / "finnews.toml").write_text(f"{name} = {in_toml(other)}\n", encoding="utf-8")
    assert (value(), origin()) == (plain(other), "file")
    # Tables are taken together, key by key.
    said = {"*": "127.0.0.1:9"} if isinstance(other, dict) else other if default in (None, "") else default
    monkeypatch.setenv(f"FINNEWS_{name.upper()}", said if isinstance(said, str) else json.dumps(plain(said)))
    assert (value(), origin()) == (plain(said), "environment")
    assert plain(getattr(load_settings(**{name: other}), name)) == plain(other)


def plain(value: Any) -> Any:
    return [str(each) for each in value] if isinstance(value, list) else value


def in_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {json.dumps(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"TERM": "dumb"},
        {"NO_COLOR": "1"},
    ],
    ids=lambda environment: "-".join(environment),
)
def test_c08_any_locale_and_terminal_gets_utf8_and_no_escapes(environment: dict[str, str], here: Path) -> None:
    ended = finnews("sources", "list", cwd=here, **environment)
    assert ended.returncode == 0, ended.stderr
    assert "新浪财经" in ended.stdout.decode("utf-8")
    assert b"\x1b" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", ["sources list --json", "schema --markdown", "--help"])
def test_c08_a_reader_that_leaves_is_no_error(command: str, here: Path) -> None:
    line = f"{sys.executable} -m flows.cli {command} | head -c 1"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", line], cwd=here, env=environment, capture_output=True, check=False)
    assert ended.stderr == b""


def commands_with_json() -> Iterator[str]:
    import typer

    def below(group: Any, path: str) -> Iterator[str]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from below(command, f"{path}{name} ")
            elif any("--json" in parameter.opts for parameter in command.params):
                yield f"{path}{name}"

    return below(typer.main.get_command(app), "")


# What each needs besides; those that have tests of their own with --json, or wait for a network, are left out.
ARGUMENTS: dict[str, list[str]] = {
    "backfill": ["--from", "post.md"],
    "compact": [],
    "config show": [],
    "doctor": [],
    "duplicates": [],
    "explain": ["post.md"],
    "ingest": ["sina", "--dry-run"],
    "init": [],
    "quarantine list": [],
    "read": ["select title, published_at from articles"],
    "reindex": [],
    "report": [],
    "schema": [],
    "sources check": ["--cases", "none"],
    "sources learn": ["sina"],
    "sources list": [],
    "sources show": ["sina"],
    "status": [],
    "verify": [],
}


@pytest.mark.parametrize("command", ARGUMENTS)
def test_c09_json_is_one_document_on_stdout(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backfill", "--from", "post.md", "--quiet", "--json"]) == 0
    capsys.readouterr()
    code = run([*command.split(), *ARGUMENTS[command], "--json"])
    shown = capsys.readouterr()
    assert code in (0, 4), shown.err
    json.loads(shown.out)


def test_c09_the_table_knows_every_command_it_should() -> None:
    assert set(ARGUMENTS) <= set(commands_with_json())


# ── trying out ───────────────────────────────────────────────────────────────────────────────────────────────────────


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    found = {str(path): path.lstat() for path in folder.rglob("*")}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


def test_c10_a_dry_run_asks_for_nothing_and_writes_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["backfill", "--from", "post.md", "--quiet"]) == 0
    before = listing(here)
    with SampleSite() as site:
        monkeypatch.setenv("FINNEWS_CONNECT_TO", json.dumps({"*": site.address}))
        assert run(["ingest", "--dry-run", "--quiet"]) == 0
        assert run(["backfill", "--from", "post.md", "--dry-run", "--quiet"]) == 0
        assert site.requests == []
    assert listing(here) == before


# ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["with spaces and 'quotes'", "湖/新闻", "[a]*?", "-lake", "a" * 200, "ü%20{x}"])
def test_c11_a_lake_of_any_name_works(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--lake", name] if not name.startswith("-") else [f"--lake={name}"]
    assert run(["backfill", "--from", "post.md", "--quiet", *arguments]) == 0
    capsys.readouterr()
    assert run(["read", "select count(*) as n from articles", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 1}]
    assert run(["report", "--out", "r.html", *arguments]) == 0


@pytest.mark.parametrize(
    ("make", "lake"),
    [
        (lambda here: None, "x" * 300),
        (lambda here: (here / "loop").symlink_to("loop"), "loop"),
        (lambda here: (here / "file").write_text("x"), "file"),
        (lambda here: (here / "file").write_text("x"), "file/lake"),
        (lambda here: None, "nul\0byte"),
    ],
    ids=["too-long", "loop", "a-file", "below-a-file", "nul"],
)
def test_c11_a_lake_that_cannot_be_is_one_line(
    make: Callable[[Path], object], lake: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(here)
    before = listing(here)
    for command in (["backfill", "--from", "post.md"], ["status"], ["report"], ["read", "select 1"]):
        code = run([*command, "--lake", lake])
        err = capsys.readouterr().err
        assert "Traceback" not in err
        assert (code, len(err.splitlines())) == (2, 1), (command, err)
    assert listing(here) == before


# ── the command line itself ──────────────────────────────────────────────────────────────────────────────────────────


def test_help_of_everything_fits_and_leaves_nothing_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for group in ([], ["sources"], ["quarantine"], ["config"]):
        run([*group, "--help"])
        shown = capsys.readouterr().out
        assert not [line for line in shown.splitlines()[1:] if line.endswith("...")]
        assert max(map(len, shown.splitlines())) <= 80


def test_every_command_is_under_a_heading() -> None:
    import typer

    named = [name for names in Sections.headings.values() for name in names]
    assert sorted(named) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ingst"], "No such command 'ingst'. Did you mean 'ingest'"),
        (["ingest", "--lak", "x"], "No such option: --lak. Did you mean --lake? (see `finnews ingest --help`)"),
        (["sources", "lst"], "Did you mean 'list'? (see `finnews sources --help`)"),
        (["read"], "Missing argument"),
        (["report", "--days", "0"], "--days"),
        (["ingest", "snia"], "unknown source 'snia'; did you mean sina?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_was_typed_wrong_is_one_line(
    arguments: list[str], says: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("finnews: ")
    assert says in line


def test_the_version_is_the_project_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert capsys.readouterr().out.startswith(f"finnews {project['version']}")


def test_ids_of_sources_are_completed(here: Path) -> None:
    words = {"_FINNEWS_COMPLETE": "complete_bash", "COMP_WORDS": "finnews ingest s", "COMP_CWORD": "2"}
    ended = finnews(cwd=here, **words)
    assert ended.stdout.decode().split() == sorted(file.stem for file in BUILT_IN.glob("s*.toml"))


@pytest.mark.parametrize("width", [40, 80, 140])
def test_a_table_is_never_wider_than_the_terminal(
    width: int, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", str(width))
    for command in (["sources", "list"], ["doctor"], ["config", "show"]):
        run(command)
        assert max(map(cell_len, capsys.readouterr().out.splitlines())) <= width


# ── what it runs on ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_c14_every_dependency_has_a_lowest_version_and_the_lock_is_within() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", lock, re.MULTILINE))
    for requirement in map(Requirement, project["dependencies"]):
        # Data of time zones is right in its newest version only.
        lowest = [each for each in requirement.specifier if each.operator in (">=", "~=", "==")]
        assert lowest or requirement.name in ("tzdata", "fastapi"), f"{requirement.name} has no lowest version"
        pinned = pins.get(requirement.name)
        assert pinned is None or requirement.specifier.contains(pinned), f"{requirement.name} {pinned}"
    assert project["requires-python"] == ">=3.11"

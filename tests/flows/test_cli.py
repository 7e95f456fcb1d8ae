"""The command line as a user meets it: data on stdout, words on stderr, one line for an error, and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.cli import run

ROOT = Path(__file__).parents[2]
POST = """---
layout: post
title: "青屿港前三季度吞吐量同比增长8.3%"
date: 2024-10-21 09:15:00 +0800
tags: 晨星财讯新闻
---
<p>青屿市港航局10月21日公布，前三季度港口完成货物吞吐量1.32亿吨，同比增长8.3%，其中集装箱吞吐量增长11.6%。</p>
<p>分货类看，铁矿石、粮食、机械设备进出口量增幅居前。该局表示，四季度将新开两条近洋航线。</p>
<p class="em_media">（文章来源：晨星财讯）</p>
"""


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def finnews(capsys, monkeypatch) -> Callable[..., Ended]:
    """Runs one command in this process: its imports are paid for once."""
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*arguments: str, cwd: Path = ROOT) -> Ended:
        monkeypatch.chdir(cwd)
        capsys.readouterr()
        code = run(list(arguments))
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    folder = tmp_path / "posts"
    folder.mkdir()
    (folder / "2024-10-21-port.md").write_text(POST, encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")
    (folder / "shell.html").write_text("<html><body><div id=app></div></body></html>", encoding="utf-8")
    return folder


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'prefect', 'scrapy', 'pyarrow', 'lxml', 'duckdb', 'pydantic'}"
    code = f"import sys, flows.cli; print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "ingest",
        "backfill",
        "extract",
        "explain",
        "read",
        "schema",
        "sources check",
        "verify",
        "reextract",
        "quarantine retry",
    ],
)
def test_every_command_has_an_example_and_a_place_in_the_readme(command: str, finnews) -> None:
    shown = finnews(*command.split(), "--help").stdout
    assert re.search(rf"Examples?:\s+finnews {command}", shown)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"finnews {command.split()[0]}" in readme


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["backfill", "--from", "nowhere"], 2, "nowhere: no such file or folder"),
        (["backfill", "--from", "void"], 2, "void: no documents in this folder"),
        (["backfill", "--from", "posts", "--source", "snia"], 2, "unknown source 'snia'; did you mean sina?"),
        (["ingest", "easmoney"], 2, "did you mean eastmoney?"),
        (["ingest", "--sources", "own"], 2, "own/mine.toml:4: nmae: "),
        (["extract", "nowhere.html"], 2, "nowhere.html: no such file or folder"),
        (["extract", "--manifest", "nowhere.jsonl"], 2, "nowhere.jsonl: No such file"),
        (["read", "--lake", "nowhere", "select 1"], 2, "nowhere: no lake here"),
        (["read", "--lake", "void", "select nonsense"], 2, "nonsense"),
        (["sources", "show", "nobody"], 2, "unknown source 'nobody'"),
        (["ingst"], 2, "ingest"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: list[str], code: int, says: str, tmp_path: Path, posts, finnews
) -> None:
    (tmp_path / "void").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own/mine.toml").write_text(
        'id = "mine"\nname = "x"\nhosts = ["a.test"]\nnmae = "x"\n', encoding="utf-8"
    )
    run = finnews(*arguments, cwd=tmp_path)
    assert run.returncode == code, run.stderr
    assert says in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""
    assert not (tmp_path / "lake").exists()


def test_setting_with_a_slip_names_what_was_meant(tmp_path: Path, finnews) -> None:
    (tmp_path / "finnews.toml").write_text('laek = "x"\n', encoding="utf-8")
    run = finnews("read", "select 1", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (2, "finnews: finnews.toml:1: laek: no such setting; did you mean lake?\n")


def test_settings_precedence_is_flag_environment_file(tmp_path: Path) -> None:
    from flows.settings import load_settings

    code = "from flows.settings import load_settings; print(load_settings(lake={flag!r}).lake)"
    (tmp_path / "finnews.toml").write_text('lake = "of-file"\n', encoding="utf-8")

    def lake(flag: str | None, **environment: str) -> str:
        run = subprocess.run(
            [sys.executable, "-c", code.format(flag=flag)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()

    assert lake("of-flag", FINNEWS_LAKE="of-environment") == "of-flag"
    assert lake(None, FINNEWS_LAKE="of-environment") == "of-environment"
    assert lake(None) == "of-file"
    assert load_settings().lake == "lake"


def test_backfill_twice_changes_no_byte_and_counts_all(posts: Path, tmp_path: Path, finnews) -> None:
    lake = tmp_path / "lake"
    first = json.loads(finnews("backfill", "--from", str(posts), "--lake", str(lake), "--json").stdout)
    outcomes = {name: count for name, count in first["totals"].items() if count and name != "seconds"}
    assert outcomes == {"discovered": 3, "stored": 1, "quarantined": 2}
    before = published_bytes(lake)
    second = json.loads(finnews("backfill", "--from", str(posts), "--lake", str(lake), "--json").stdout)
    assert (second["totals"]["stored"], second["totals"]["unchanged"], second["totals"]["quarantined"]) == (0, 1, 2)
    assert published_bytes(lake) == before


def test_unreadable_front_matter_is_quarantined_with_its_file_and_bytes(tmp_path: Path, finnews) -> None:
    from storage.archive import PageArchive

    bad, lake = tmp_path / "bad.md", tmp_path / "lake"
    bad.write_text("---\n- 标题\n- 日期\n---\n正文。\n", encoding="utf-8")
    run = finnews("backfill", "--from", str(bad), "--lake", str(lake))
    assert (run.returncode, "E-FRONTMATTER" in run.stderr) == (0, True)
    [row] = json.loads(finnews("read", "--lake", str(lake), "--json", "select * from quarantine").stdout)
    assert (row["reason"], row["detail"].startswith(f"{bad}: ")) == ("frontmatter", True)
    assert PageArchive(lake).read(row["raw_ref"]).body == bad.read_bytes()


def test_dry_run_writes_nothing(posts: Path, tmp_path: Path, finnews) -> None:
    run = finnews("backfill", "--from", str(posts), "--lake", str(tmp_path / "lake"), "--dry-run", "--json")
    assert [row["documents"] for row in json.loads(run.stdout)] == [1, 1, 1]
    assert not (tmp_path / "lake").exists()


def test_read_prints_json_and_tables(posts: Path, tmp_path: Path, finnews) -> None:
    lake = str(tmp_path / "lake")
    finnews("backfill", "--from", str(posts), "--lake", lake)
    sql = "select title, publisher, text_chars, date from articles"
    [row] = json.loads(finnews("read", "--lake", lake, "--json", sql).stdout)
    assert (row["publisher"], row["date"]) == ("晨星财讯", "2024-10-21")
    assert "晨星财讯" in finnews("read", "--lake", lake, sql).stdout


def test_extract_gives_a_line_for_each_document_in_order(posts: Path, tmp_path: Path, finnews) -> None:
    manifest = tmp_path / "manifest.jsonl"
    files = ["posts/2024-10-21-port.md", "posts/missing.md", "posts/empty.md"]
    manifest.write_text("".join(json.dumps({"file": file}) + "\n" for file in files), encoding="utf-8")
    run = finnews("extract", "--manifest", str(manifest))
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["file"] for line in lines] == files
    assert [line.get("error") for line in lines] == [None, "E-ARCHIVE", "E-EMPTY"]
    assert "文章来源" not in lines[0]["text"]
    assert run.returncode == 3


def test_explain_names_the_rule_of_each_line_taken_out(posts: Path, finnews) -> None:
    post = str(posts / "2024-10-21-port.md")
    [line] = [json.loads(line) for line in finnews("explain", post, "--json").stdout.splitlines()]
    [removed] = [each for each in line["removed"] if "文章来源" in each["line"]]
    assert removed["rule"]
    assert (line["publisher"], len(line["kept"])) == ("晨星财讯", 2)
    shown = finnews("explain", post, str(posts / "shell.html"))
    assert (removed["rule"] in shown.stdout, "E-NOTEXT" in shown.stdout, shown.returncode) == (True, True, 4)


def test_a_second_run_meets_the_lock(tmp_path: Path, posts: Path, finnews) -> None:
    from storage.lake import Lake

    with Lake.open(tmp_path / "lake"):
        run = finnews("backfill", "--from", str(posts), "--lake", str(tmp_path / "lake"))
    assert run.returncode == 6
    assert f"pid {os.getpid()}" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_ends_soon_with_130_and_one_line(number: int, tmp_path: Path) -> None:
    from flows.sample.site import SampleSite

    with SampleSite() as site:
        command = [sys.executable, "-m", "flows.cli", "ingest", "sina", "--lake", str(tmp_path / "lake"), "--json"]
        environment = {
            **os.environ,
            "FINNEWS_CONNECT_TO": json.dumps({"*": site.address}),
            "FINNEWS_DELAY_SECONDS": "5",
        }
        ingest = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        while not site.requests:
            time.sleep(0.05)
        ingest.send_signal(number)
        started = time.monotonic()
        _, words = ingest.communicate(timeout=30)
    assert (ingest.returncode, words.splitlines()[-1].startswith("finnews: interrupted")) == (130, True), words
    assert "Traceback" not in words
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("command", ["schema --json", "schema"])
def test_pipe_that_closes_early_leaves_no_trace_back(command: str) -> None:
    command = f"{sys.executable} -m flows.cli {command} | true"
    run = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert (run.stderr, run.returncode) == ("", 0)


def published_bytes(lake: Path) -> dict[str, bytes]:
    """All of the lake but its state."""
    files = (path for path in lake.rglob("*") if path.is_file() and "_state" not in path.parts)
    return {str(path.relative_to(lake)): path.read_bytes() for path in files}

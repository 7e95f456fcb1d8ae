"""Every command that takes a lake answers the same for one in a bucket as for one in a folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from flows.cli import run
from flows.commands import quarantining, verifying
from flows.core import spread
from flows.settings import Settings
from storage.partitions import HIVE_NULL, files
from storage.store import open_store
from tests.flows.acme import BETTER_RULES, FIRST_RULES, page, read_here, settings_with, shell, store
from tests.storage.objects import Bucket, serving
from tests.test_commands import COMMANDS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("commands_in_a_bucket")]

FIRST_BATCH = [*(page(n, day=4 + n % 3) for n in range(6)), shell(40)]
SECOND_BATCH = [page(1, day=5, minutes=30, told="此前的数字有误，现已更正。"), page(9, day=6, minutes=31)]
# In this order, on either lake; {out} is a folder, {posts} an archive.
LAKE_COMMANDS = (
    'read "select article_id, source, date, revision, text from articles order by all"',
    "read \"select count(*) from as_of('2030-01-01'::timestamptz)\"",
    "duplicates",
    "duplicates --digests",
    "status",
    "report --out {out}/report.html",
    "report --metrics {out}/finnews.prom",
    "doctor",
    "config show",
    "verify --deep",
    "reindex",
    "paths acme --since 2024-03-04 --until 2024-03-05",
    "paths",
    "pack",
    "export {out}/all.csv",
    "export {out}/known.jsonl --as-of 2024-03-08T09:10:00+08:00 --no-text",
    "export {out}/march.parquet --source acme --since 2024-03-04 --until 2024-03-31",
    "export {out}/lake.duckdb",
    "quarantine list",
    "quarantine show acme.example/a/40.html",
    "quarantine retry --dry-run",
    "quarantine retry",
    "sources learn acme",
    "backfill --from {posts} --source acme --dry-run",
    "backfill --from {posts} --source acme",
    "backfill --from {posts} --source acme",
    "backfill eastmoney --since 2024-03-04 --until 2024-03-06 --dry-run",
    "ingest eastmoney --dry-run",
    "pack",
    "migrate --dry-run",
    "migrate",
    "reextract --dry-run",
    "reextract",
    "compact --older-than 0 --dry-run",
    "compact --older-than 0",
    "verify --repair",
    "verify --deep",
    'read "select article_id, revision, text, flags from articles order by all"',
)
# Takes a lake, and is not asked here.
ELSEWHERE = {
    "demo": "test_bucket.py",
    "serve": "does not end by itself; its flows call the same core",
    "init": "writes the name of a lake into a file, and looks at none",
}


class Lakes(NamedTuple):
    here: Settings
    there: Settings
    """In a bucket."""
    bucket: Bucket


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakes]:
    folder = tmp_path_factory.mktemp("lakes")
    (folder / "post.txt").write_text(
        "南浦港扩建完工\n2024-03-06 10:00\n南浦港三期昨日完工，全年可多装卸三百万吨。\n" * 3
    )
    with serving() as bucket, pytest.MonkeyPatch.context() as patch:
        for name, value in bucket.environment().items():
            patch.setenv(name, value)
        patch.setenv("FINNEWS_WORKERS", "1")
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        for module in (verifying, spread, quarantining):
            patch.setattr(module, "open_reader", read_here)
        here = settings_with(folder, FIRST_RULES)
        there = here.model_copy(update={"lake": bucket.url("commands")})
        for settings in (here, there):
            store(settings, FIRST_BATCH, SECOND_BATCH)
        settings_with(folder, BETTER_RULES)
        yield Lakes(here, there, bucket)


def test_every_command_answers_the_same_in_a_bucket_as_in_a_folder(lakes, tmp_path, capsys):
    for command in LAKE_COMMANDS:
        answers = [
            asked(command, settings, tmp_path / name, capsys) for name, settings in zip("ab", lakes, strict=False)
        ]
        assert answers[0] == answers[1], command
        assert answers[0][0] in (0, 4), (command, answers[0])
    assert whatever(tmp_path / "a") == whatever(tmp_path / "b")


def asked(command: str, settings: Settings, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    """Its exit code, and its document without what differs between any two lakes."""
    out.mkdir(exist_ok=True)
    sources = settings.sources[0]
    words = re.findall(r'"[^"]*"|\S+', command.format(out=out, posts=sources.parent / "post.txt"))
    words = [word.strip('"') for word in words] + ["--lake", settings.lake, "--json"]
    if any("--sources" in each.opts for each in COMMANDS[named(command)].params):
        words += ["--sources", str(sources)]
    capsys.readouterr()
    code = run(words)
    told, said = capsys.readouterr()
    told = told.replace(settings.lake, "LAKE").replace(str(out), "OUT")
    assert told, (command, said)
    return code, plain(json.loads(told), of=named(command))


def named(command: str) -> tuple[str, ...]:
    words = tuple(command.split())
    return words[:2] if words[:2] in COMMANDS else words[:1]


# Of runs, of files of pages, of moments and of machines.
OWN = {"run_id": "", "seconds": 0, "bytes_before": 0, "bytes_after": 0}
OWN_TEXT = re.compile(
    r"\d{8}T\d{6}-[0-9a-f]{6}|[0-9a-f]{16}-\d{4}\.warc\.gz#\d+\+\d+|20(?!24)\d\d-\d\d-\d\d[T ][\d:.]+(\+00:00|Z)?"
)


def plain(value: Any, *, of: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: OWN.get(key, plain(each, of=of)) for key, each in value.items()}
    if isinstance(value, list):
        kept = [each for each in value if not (of == ("doctor",) and each["check"] in ("lake", "disk"))]
        return [plain(each, of=of) for each in kept]
    return OWN_TEXT.sub("…", value) if isinstance(value, str) else value


def whatever(folder: Path) -> dict[str, Any]:
    """What exported files say."""
    database = duckdb.connect(str(folder / "lake.duckdb"), read_only=True)
    article = "article_id, source, date, revision, title, text, published_at, cluster_id"
    return {
        "csv": duckdb.sql(f"select {article} from '{folder}/all.csv' order by all").fetchall(),
        "jsonl": duckdb.sql(f"select article_id, revision from '{folder}/known.jsonl' order by all").fetchall(),
        "parquet": duckdb.sql(f"select {article} from '{folder}/march.parquet' order by all").fetchall(),
        "duckdb": database.sql(f"select {article} from articles order by all").fetchall(),
        "metrics": [line for line in (folder / "finnews.prom").read_text().splitlines() if line.startswith("#")],
    }


def test_no_command_is_forgotten():
    taking = {path for path, command in COMMANDS.items() if any("--lake" in each.opts for each in command.params)}
    assert taking == {named(command) for command in LAKE_COMMANDS} | {(name,) for name in ELSEWHERE}


def test_a_bucket_without_a_lake_is_a_slip_of_the_pen(lakes, capsys):
    for command in ("verify", "pack", "paths", "compact --older-than 0", "read", "quarantine list", "export x.csv"):
        words = [*command.split(), *(["select 1"] if command == "read" else []), "--lake", lakes.bucket.url("typo")]
        assert run(words) == 2
        assert "s3://finnews/typo: no lake here" in capsys.readouterr().err


def test_packs_lie_in_the_bucket(lakes, capsys):
    store = open_store(lakes.there.lake_path)
    run(["pack", "--lake", lakes.there.lake])
    # Which months there are depends on which commands have run on this lake before; undated articles have one as well.
    months = sorted({partition.day.rpartition("-")[0] or HIVE_NULL for partition, _ in files(store, "articles")})
    assert [each.key for each in store.entries("packs")] == [
        f"packs/month={month}/articles.parquet" for month in months
    ]
    for _, file in files(store, "articles"):
        store.delete(file.key)
    capsys.readouterr()
    assert run(["pack", "--lake", lakes.there.lake, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == months
    assert list(store.entries("packs")) == []


def test_doctor_tells_of_a_ledger_on_another_machine(lakes, capsys, monkeypatch, tmp_path):
    def claims() -> list[str]:
        capsys.readouterr()
        run(["doctor", "--lake", lakes.there.lake, "--json"])
        return [each["verdict"] for each in json.loads(capsys.readouterr().out) if each["check"] == "claim"]

    assert claims() == []
    monkeypatch.setenv("FINNEWS_STATE", str(tmp_path / "another"))
    assert claims() == ["warn"]

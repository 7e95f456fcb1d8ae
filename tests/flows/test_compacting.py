"""`finnews compact`: what it says, and that it leaves every row as it is."""

from __future__ import annotations

import json
import os

import pytest

from flows.cli import run
from storage.lake import Lake
from storage.partitions import partitions
from tests.storage.builders import make_article
from tests.storage.test_lake import content, everything


@pytest.fixture
def compact(capsys):
    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(["compact", *arguments])
        return code, *capsys.readouterr()

    return command


def test_compact_seals_quiet_days_once(tmp_path, compact):
    root = tmp_path / "lake"
    with Lake.open(root) as lake:
        for n in range(4):
            lake.commit([make_article(n), make_article(n, source="other")], run_id="run")
    rows, before = everything(root), content(root)
    code, out, _ = compact("--lake", str(root), "--dry-run", "--json")
    assert (code, json.loads(out)["sealed"], content(root)) == (0, 2, before)
    assert json.loads(compact("--lake", str(root), "--source", "acme", "--json")[1])["sealed"] == 1
    code, out, _ = compact("--lake", str(root), "--json")
    assert (code, json.loads(out)["sealed"], everything(root)) == (0, 1, rows)
    assert "0 files sealed" in compact("--lake", str(root))[2]


def test_a_damaged_file_is_a_broken_contract(tmp_path, compact):
    root = tmp_path / "lake"
    with Lake.open(root) as lake:
        lake.commit([make_article(text=os.urandom(5000).hex())], run_id="run")
    [(_, path)] = partitions(root, "articles")
    data = bytearray(path.read_bytes())
    data[len(data) // 6] ^= 1
    path.write_bytes(data)
    code, _, words = compact("--lake", str(root))
    assert (code, str(path) in words) == (4, True)
    assert compact("--lake", str(root / "none"))[0] == 2

"""`finnews sources learn`: from a lake to a source file that says a little more, and is otherwise as it was."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.source import Source
from flows.cli import run
from flows.commands.learning import with_drop_lines
from flows.writing import OutputError
from spiders.catalogue import BUILT_IN, load_source

FOOT = "北岸灯塔(青屿)与潮声同在。"
OWN = """\
# Where the pages come from, and since when.
id = "mine"
name = "青屿观察"
hosts = ["mine.test"]  # one host
archives = ["posts"]

[article]
# What the desk signs with.
keep_lines = ['本报讯.*']
"""
POST = """\
---
title: "第{number}篇：青屿港新开航线"
date: 2024-10-{day:02} 09:15:00 +0800
---
<p>青屿市港航局公布，第{number}条航线已于当日开通，沿途停靠{number}个港口，预计全年运送货物{number}万吨。</p>
<p>该局表示，四季度还将新开两条近洋航线，具体班期另行通知，编号{number}。</p>
<p>北岸灯塔(青屿)与潮声同在。</p>
"""


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/mine.toml").write_text(OWN, encoding="utf-8")
    (tmp_path / "posts").mkdir()
    for number in range(12):
        post = POST.format(number=number, day=1 + number % 5)
        (tmp_path / f"posts/2024-10-01-{number}.md").write_text(post, encoding="utf-8")
    backfill = ["backfill", "--from", "posts", "--source", "mine", "--sources", "own", "--lake", "lake", "--quiet"]
    assert run(backfill) == 0
    return tmp_path / "lake"


def test_what_is_learned_is_written_and_then_dropped(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learn = ["sources", "learn", "mine", "--sources", "own", "--lake", str(lake), "--json"]
    capsys.readouterr()
    assert run(learn) == 0
    [line] = json.loads(capsys.readouterr().out)["lines"]
    assert (line["line"], line["articles"], line["days"], line["edge"]) == (FOOT, 12, 5, "tail")
    assert Path("own/mine.toml").read_text(encoding="utf-8") == OWN
    assert run([*learn, "--write"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == "own/mine.toml"
    written = Path("own/mine.toml").read_text(encoding="utf-8")
    assert set(OWN.splitlines()) <= set(written.splitlines())
    assert [
        re.fullmatch(pattern, FOOT) is not None for pattern in load_source(Path("own/mine.toml")).article.drop_lines
    ]
    # The pages are read by the new rules now: there is nothing left to learn, and the line is gone.
    assert run(learn) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == []
    assert run(["extract", "posts/2024-10-01-3.md", "--source", "mine", "--sources", "own"]) == 0
    text = json.loads(capsys.readouterr().out)["text"]
    assert "班期" in text
    assert FOOT not in text


def test_a_table_for_people(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["sources", "learn", "mine", "--sources", "own", "--lake", str(lake)]) == 0
    shown = capsys.readouterr()
    assert "tail" in shown.out
    assert "finnews sources learn mine --write" in shown.err


def test_nothing_to_learn_and_nothing_there(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sources", "learn", "sina", "--lake", str(lake), "--write"]) == 0
    assert "nothing recurs" in capsys.readouterr().err
    assert run(["sources", "learn", "mien", "--sources", "own", "--lake", str(lake)]) == 2
    assert "did you mean mine?" in capsys.readouterr().err


ARRAYS = [
    "",
    "drop_lines = []\n",
    "drop_lines = ['a', 'b']\n",
    "drop_lines = [\n    'a',  # why ] 'x'\n    \"b]\",\n    # last\n]\n",
    "drop_lines = [\n    'a' # no comma\n]\nbody = ['div']\n",
    "body = ['a[href]']\ndrop_lines = ['''it's''']",
]


BEHIND = [
    "",
    "\n[gates]\nmin_items = 2\n",
    "\n[[list]]\nkind = 'feed'\nurl = 'https://a.test/drop_lines = ['\n",
]
HEAD = "id = 'a_source' # [article]\nname = 'x'\nhosts = ['a.test']\n"


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize(
    "rest", ["", "\n[gates]\nmin_items = 2\n", "\n[[list]]\nkind = 'feed'\nurl = 'https://a.test/drop_lines = ['\n"]
)
def test_every_way_to_write_an_array(array: str, rest: str, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(f"{HEAD}\n[article]\n{array}{rest}", encoding="utf-8")
    before = load_source(file)
    file.write_text(with_drop_lines(file, ["甲.*", 'it\'s "so"', "a"]), encoding="utf-8")
    after = load_source(file)
    assert after.article.drop_lines == list(dict.fromkeys([*before.article.drop_lines, "甲.*", 'it\'s "so"', "a"]))
    assert after.model_copy(update={"article": before.article}) == before


def test_a_file_without_the_table_gets_one(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("id = 'a_source'\nname = 'x'\nhosts = ['a.test']\n", encoding="utf-8")
    file.write_text(with_drop_lines(file, ["甲"]), encoding="utf-8")
    assert load_source(file).article.drop_lines == ["甲"]


def test_what_cannot_be_edited_safely_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("article = { drop_lines = ['a'] }\nid = 'a_source'\n", encoding="utf-8")
    with pytest.raises(OutputError, match="by hand"):
        with_drop_lines(file, ["甲"])


@pytest.mark.parametrize("file", sorted(BUILT_IN.glob("*.toml")), ids=lambda file: file.stem)
def test_every_source_of_ours_can_be_edited(file: Path) -> None:
    text = with_drop_lines(file, ["甲乙丙"])
    assert Source.model_validate(tomllib.loads(text)).article.drop_lines[-1] == "甲乙丙"
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert [line for line in text.splitlines() if line.startswith("#")] == kept


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4, unique=True))
def test_any_pattern_comes_back_as_it_was(patterns: list[str]) -> None:
    import tempfile

    patterns = [pattern for pattern in patterns if pattern.isprintable() or "\ud800" not in pattern]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.toml"
        file.write_text("[article]\n", encoding="utf-8")
        assert tomllib.loads(with_drop_lines(file, patterns))["article"]["drop_lines"] == patterns

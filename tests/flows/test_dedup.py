"""`finnews dedup`, `duplicates` and `reindex`: the same verdicts in any order, and one line for what cannot be read."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run
from flows.commands import dedup
from storage.lake import Lake
from tests.storage.builders import LONG, MORNING, PARAGRAPHS, STORY, TRADITIONAL, make_article, telling
from tests.storage.test_lake import content

TITLE = "港口集团上半年业绩"
DOCUMENTS: list[dict[str, Any]] = [
    {"id": "reprint", "source": "other", "title": "转载", "text": STORY, "published_at": "2024-03-05 11:00"},
    {"id": "near", "source": "third", "title": TITLE, "text": STORY + "（完）", "published_at": "2024-03-05 10:30"},
    {"id": "first", "source": "acme", "title": TITLE, "text": STORY, "published_at": "2024-03-05T01:00:00Z"},
    {"id": "twin", "source": "tw", "title": TITLE, "text": STORY.translate(TRADITIONAL), "published_at": "2024-03-06"},
    {"id": 7, "source": "acme", "title": "产线", "text": LONG, "published_at": None},
    {"id": 7, "source": "other", "title": "别的", "text": "另一家同号的文件，说的是别的事情，与前者无关，也没有时间。"},
    {"id": "short", "text": "见图"},
    {"id": "short too", "text": "见图"},
    {"id": "月报", "source": "acme", "title": "一季度", "text": PARAGRAPHS[3], "published_at": "2021-01-01"},
]  # fmt: skip
EXPECTED = {
    ("other", "reprint"): ("duplicate", "first", "exact"),
    ("third", "near"): ("duplicate", "first", "near"),
    ("tw", "twin"): ("duplicate", "first", "script"),
}


@pytest.fixture
def finnews(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        return (run(list(arguments)), *capsys.readouterr())

    return command


def write(path: Path, documents: Sequence[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(document, ensure_ascii=False) for document in documents), encoding="utf-8")
    return path


@pytest.mark.parametrize(("seed", "batch"), [(None, 1000), (1, 1), (2, 2), (3, 4)])
def test_verdicts_in_the_order_of_the_lines_whatever_it_is(tmp_path, finnews, monkeypatch, seed, batch):
    monkeypatch.setattr(dedup, "BATCH", batch)
    documents = random.Random(seed).sample(DOCUMENTS, len(DOCUMENTS)) if seed else DOCUMENTS
    code, out, err = finnews("dedup", str(write(tmp_path / "documents.jsonl", documents)))
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [line["id"] for line in found] == [document["id"] for document in documents]
    for document, line in zip(documents, found, strict=True):
        expected = EXPECTED.get((document.get("source", ""), document["id"]), ("new", None, None))
        assert (line["verdict"], line["duplicate_of"], line["kind"]) == expected


def test_a_document_that_is_there_twice_is_unchanged_or_a_revision(tmp_path, finnews):
    first, edited = DOCUMENTS[2], DOCUMENTS[2] | {"text": STORY + "更正。", "published_at": "2024-03-05T02:00:00Z"}
    _, out, _ = finnews("dedup", str(write(tmp_path / "documents.jsonl", [edited, first, first])))
    assert [json.loads(line)["verdict"] for line in out.splitlines()] == ["revision", "new", "unchanged"]


def test_the_window_can_be_chosen(tmp_path, finnews):
    late = DOCUMENTS[1] | {"published_at": "2024-05-05"}
    path = str(write(tmp_path / "documents.jsonl", [DOCUMENTS[2], late]))
    verdicts = [
        [json.loads(line)["verdict"] for line in finnews("dedup", path, "--window", days)[1].splitlines()]
        for days in ("30", "90")
    ]
    assert verdicts == [["new", "new"], ["new", "duplicate"]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON in UTF-8"),
        (b'"\xff"', "not JSON in UTF-8"),
        (b"[1]", "a line is"),
        (b'{"id": "a"}', "a line is"),
        (b'{"id": 1.5, "text": ""}', "a line is"),
        (b'{"id": 1, "text": 5}', "text is no string"),
        (b'{"id": 1, "text": "x", "published_at": "yesterday-ish"}', "published_at 'yesterday-ish' is not a time"),
        (b'{"id": "\\ud800", "text": "x"}', "cannot be written"),
    ],
)
def test_a_bad_line_is_named(tmp_path, finnews, line, message):
    path = tmp_path / "documents.jsonl"
    path.write_bytes(b'{"id": 1, "text": "x"}\n\n' + line + b"\n")
    code, out, err = finnews("dedup", str(path))
    assert (code, out) == (2, "")
    assert err.startswith(f"finnews: {path}:3: ")
    assert message in err


def test_a_file_that_is_not_there_is_one_line(tmp_path, finnews):
    code, _, err = finnews("dedup", str(tmp_path / "none.jsonl"))
    assert (code, err) == (2, f"finnews: {tmp_path}/none.jsonl: No such file or directory\n")


@pytest.fixture
def lake(tmp_path) -> Path:
    hours = [{"published_at": MORNING + timedelta(hours=n)} for n in range(6)]
    with Lake.open(tmp_path / "lake") as lake:
        lake.commit(
            [
                telling(1, **hours[0]),
                telling(2, STORY + "（完）", source="other", **hours[1]),
                telling(3, STORY, source="other", title="转载", **hours[3]),
                telling(4, STORY, source="third", **hours[5]),
                make_article(5, title="财经早餐", text=f"{STORY}\n" + LONG * 3 + "另有若干消息。" * 40, **hours[4]),
            ],
            run_id="run",
        )
    return tmp_path / "lake"


def test_who_reprints_whom_by_hours(lake, finnews):
    code, out, _ = finnews("duplicates", "--json", "--lake", str(lake))
    assert code == 0
    whole = {"original": "acme", "exact": 1, "script": 0}
    assert json.loads(out) == [
        whole | {"reprint": "other", "copies": 2, "near": 1, "median_hours": 2.0, "fastest": 1.0, "slowest": 3.0},
        whole | {"reprint": "third", "copies": 1, "near": 0, "median_hours": 5.0, "fastest": 5.0, "slowest": 5.0},
    ]


def test_which_digest_contains_which_article(lake, finnews):
    _, out, _ = finnews("duplicates", "--digests", "--json", "--lake", str(lake))
    assert [(row["digest"], row["item"]) for row in json.loads(out)] == [("acme:5", "acme:1")]


def test_reindex_changes_no_row(lake, finnews):
    before = content(lake)
    code, out, _ = finnews("reindex", "--json", "--lake", str(lake))
    assert (code, json.loads(out)) == (0, {"articles": 5})
    assert content(lake) == before
    assert finnews("reindex", "--lake", str(lake / "none"))[0] == 2

"""Faults of identity, duplicates and revisions, through the lake: what is offered in which commits, what lies there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from articles.records import Article
from storage.lake import Lake
from storage.ledger import ledger_path
from storage.near_index import TABLES as NEAR_TABLES
from tests.storage.builders import LONG, MORNING, STORY, TRADITIONAL, make_article, telling
from tests.storage.test_lake import DAY, commit, content, everything, ids, rows

FLASH = "中国外汇交易中心今日公布，银行间外汇市场人民币汇率中间价为：1美元对人民币{0}元，1欧元对人民币{1}元。"
FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)} | {ord("."): "．", ord("%"): "％"}


class Fault(NamedTuple):
    name: str
    batches: Sequence[Sequence[Article]]
    decided: Sequence[Sequence[str]]
    articles: Sequence[str]
    duplicates: Mapping[str, str] = MappingProxyType({})
    """article_id → duplicate_kind"""
    revisions: int = 0


def daily(number: int, *rates: str) -> Article:
    return make_article(number, title="人民币中间价报", text=FLASH.format(*rates), minutes=number)


FAULTS = [
    Fault("D01 exact repeat", [[make_article()], [make_article(minutes=9)]], [["new"], ["unchanged"]], ["acme:1"]),
    Fault(
        "D02 one character",
        [[make_article()], [make_article(minutes=9, text=make_article().text.replace("两年", "三年"))]],
        [["new"], ["revision"]],
        ["acme:1"],
        revisions=1,
    ),
    Fault(
        "D03 only the wrapper",
        [[make_article()], [make_article(minutes=9, removed=("扫码下载客户端",), page_digest="other", tags=("广告",))]],
        [["new"], ["unchanged"]],
        ["acme:1"],
    ),
    Fault(
        "D04 only the title",
        [[make_article()], [make_article(minutes=9, title="第1号公告（更新）")]],
        [["new"], ["revision"]],
        ["acme:1"],
        revisions=1,
    ),
    Fault(
        "D05 another article under the address",
        [[telling(1), telling(2, STORY + "编者：某人。", source="other")], [telling(1, LONG, title="产线", minutes=9)]],
        [["new", "duplicate"], ["revision"]],
        ["acme:1", "other:2"],
        revisions=1,
    ),
    Fault(
        "D07 reprint with another headline and editor's line",
        [
            [telling(1)],
            [telling(2, "来源：某报\n" + STORY + "\n（责任编辑：某人）", source="other", title="港口集团创新高")],
        ],
        [["new"], ["duplicate"]],
        ["acme:1"],
        {"other:2": "near"},
    ),
    Fault(
        "D08 two flashes from one template",
        [[daily(1, "7.1059", "7.7251")], [daily(2, "7.1048", "7.7312")]],
        [["new"], ["new"]],
        ["acme:1", "acme:2"],
    ),
    Fault(
        "D09 two hundred copies",
        [[make_article(n, title="公告", text=LONG, minutes=n) for n in range(200)]],
        [["new", *["duplicate"] * 199]],
        ["acme:0"],
        {f"acme:{n}": "exact" for n in range(1, 200)},
    ),
    Fault(
        "D10 empty or very short",
        [
            [
                make_article(n, title="图", text=text)
                for n, text in enumerate(("", "", "见图", "见图", "详见附件。", "详见附件"))
            ]
        ],
        [["new"] * 6],
        [f"acme:{n}" for n in range(6)],
    ),
    Fault(
        "D11 traditional twin",
        [[telling(1)], [telling(2, STORY.translate(TRADITIONAL), source="other", lang="zh-Hant")]],
        [["new"], ["duplicate"]],
        ["acme:1"],
        {"other:2": "script"},
    ),
    Fault(
        "D11 full-width twin",
        [[telling(1)], [telling(2, STORY.translate(FULL_WIDTH), source="other")]],
        [["new"], ["duplicate"]],
        ["acme:1"],
        {"other:2": "exact"},
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_dedup_fault(tmp_path: Path, fault: Fault) -> None:
    assert commit(tmp_path, *fault.batches) == fault.decided
    assert ids(tmp_path) == sorted(fault.articles)
    assert {row["article_id"]: row["duplicate_kind"] for row in rows(tmp_path, "duplicates")} == fault.duplicates
    assert len(rows(tmp_path, "revisions")) == fault.revisions


def test_d02_d04_d05_a_revision_says_what_changed(tmp_path):
    versions = [telling(1), telling(1, minutes=5, title="港口集团半年报"), telling(1, LONG, title="产线", minutes=9)]
    commit(tmp_path, *([version] for version in versions))
    found = sorted([*rows(tmp_path, "revisions"), *rows(tmp_path, "articles")], key=lambda row: row["revision"])
    assert [json.loads(row["extra"]).get("changed") for row in found] == [None, "title", "title,text"]
    assert [row["flags"] for row in found] == [[], [], ["replaced"]]


def test_d06_an_article_that_is_gone_keeps_its_text_and_says_since_when(tmp_path):
    commit(tmp_path, [telling(1), telling(2, STORY + "（完）", source="other"), make_article(3)])
    at = MORNING + timedelta(hours=1)
    with Lake.open(tmp_path) as lake:
        assert len(lake.mark_gone(["acme:1", "other:2", "unknown"], at=at, run_id="revisit")) == 2
        before = content(tmp_path)
        assert lake.mark_gone(["acme:1"], at=at + timedelta(hours=5), run_id="revisit") == []
        assert lake.mark_gone(["acme:3"], at=MORNING - timedelta(hours=1), run_id="older than the page") == []
        assert content(tmp_path) == before
    [gone, there], [copy] = rows(tmp_path, "articles"), rows(tmp_path, "duplicates")
    assert (gone["text"], gone["flags"], json.loads(gone["extra"])["gone_at"]) == (STORY, ["gone"], at.isoformat())
    assert (copy["flags"], there["flags"]) == (["gone"], [])
    # The state can be lost, and the page can come back.
    shutil.rmtree(tmp_path / "_state")
    commit(tmp_path)
    assert content(tmp_path) == before
    assert commit(tmp_path, [telling(1, minutes=90)]) == [["unchanged"]]
    assert (rows(tmp_path, "articles")[0]["flags"], rows(tmp_path, "duplicates")[0]["flags"]) == ([], ["gone"])


DAMAGE = {
    "index lost": [f"DROP TABLE {table}" for table in NEAR_TABLES],
    "index emptied": ["DELETE FROM near_articles", "DELETE FROM near_segments"],
    "index truncated": ["UPDATE near_segments SET content = x''"],
    "index damaged": ["UPDATE near_segments SET content = zeroblob(length(content))"],
}


@pytest.mark.parametrize("state", [*DAMAGE, "ledger lost", "all state lost"])
def test_d12_lost_state_is_rebuilt_with_the_same_result(tmp_path, state):
    first = [telling(1), telling(2, STORY + "（完）", source="other", minutes=1), make_article(3)]
    later = [telling(4, "电讯：" + STORY, source="third", minutes=2, date=date(2024, 3, 6)), make_article(3, minutes=5)]
    commit(tmp_path / "whole", first, later)
    root = tmp_path / "lake"
    commit(root, first)
    if state.startswith("index"):
        with Lake.open(root) as lake:
            for statement in DAMAGE[state]:
                lake.ledger.execute(statement)
    elif state == "ledger lost":
        ledger_path(root).unlink()
    else:
        shutil.rmtree(root / "_state")
    commit(root, later)
    assert everything(root) == everything(tmp_path / "whole")
    assert (ids(root), {row["date"] for row in rows(root, "articles")}) == (["acme:1", "acme:3"], {DAY})

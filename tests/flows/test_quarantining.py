"""What was refused can be looked at, and read again: what passes is stored once, and leaves the quarantine."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from articles.records import Reason, Rejected
from flows.commands import quarantining
from flows.commands.quarantining import Chosen, list_command, refusals, retry_command, show_command
from flows.commands.verifying import look
from flows.settings import Settings
from flows.terminal import Terminal
from storage.archive import PageArchive
from storage.errors import QueryError
from storage.failpoint import VARIABLE, FailpointError
from storage.lake import Lake
from storage.partitions import partitions, read_partition
from tests.flows.acme import BETTER_RULES, MORNING, page, read_here, settings_with, shell, store

ALL = Chosen()


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """A lake that refused an empty page, a shell, a host without answer, and, by a bug, an article."""
    monkeypatch.setattr(quarantining, "open_reader", read_here)
    settings = settings_with(tmp_path, BETTER_RULES)
    store(settings, [page(1), shell(2), replace(shell(3), body=b"")])
    with Lake.open(settings.lake_path) as lake:
        with PageArchive(lake.root) as archive:
            kept = archive.append(page(4))
        refused = {"source": "acme", "fetched_at": MORNING}
        lake.quarantine(
            [
                Rejected(url=kept.url, reason=Reason.ERROR, detail="KeyError", raw_ref=kept.raw_ref, **refused),
                Rejected(url="https://acme.example/a/5.html", reason=Reason.NETWORK, detail="no answer", **refused),
            ],
            run_id="earlier",
        )
    return settings


def reasons(settings: Settings) -> dict[str, str]:
    return {refusal.url.rpartition("/")[2]: refusal.reason for refusal in refusals(settings.lake_path)}


def ids(settings: Settings) -> list[str]:
    paths = (path for _, path in partitions(settings.lake_path, "articles"))
    return sorted(each for path in paths for each in read_partition(path)["article_id"].to_pylist())


def test_list_counts_by_reason_source_and_day(settings, capsys):
    list_command(settings, Terminal(as_json=True), ALL)
    found = json.loads(capsys.readouterr().out)
    assert [(each["reason"], each["pages"], each["day"]) for each in found] == [
        ("empty", 1, "2024-03-08"),
        ("error", 1, "2024-03-08"),
        ("network", 1, "2024-03-08"),
        ("notext", 1, "2024-03-08"),
    ]
    list_command(settings, Terminal(as_json=True), Chosen("error", "acme", date(2024, 3, 9)))
    assert json.loads(capsys.readouterr().out) == []


def test_show_gives_the_page(settings, capsys):
    show_command(settings, Terminal(as_json=True), "/a/4.html")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["reason"], shown["status"], shown["detail"]) == ("error", 200, "KeyError")
    assert shown["head"].startswith("<html><head><title>")
    show_command(settings, Terminal(as_json=True), "a/5.html")
    assert json.loads(capsys.readouterr().out)["page"] == "there was no answer to keep"
    with pytest.raises(QueryError):
        show_command(settings, Terminal(), "a/6.html")


def test_a_dry_run_writes_nothing(settings, capsys):
    before = reasons(settings), ids(settings)
    assert retry_command(settings, Terminal(as_json=True, quiet=True), ALL, dry_run=True) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["stored"] == 1
    assert (reasons(settings), ids(settings)) == before


def test_what_passes_is_stored_and_leaves(settings, capsys):
    assert retry_command(settings, Terminal(as_json=True, quiet=True), ALL) == 0
    account = json.loads(capsys.readouterr().out)["sources"]["acme"]
    assert (account["discovered"], account["stored"], account["quarantined"]) == (3, 1, 2)
    assert reasons(settings) == {"2.html": "notext", "3.html": "empty", "5.html": "network"}
    assert ids(settings) == ["acme:1", "acme:4"]
    assert look(settings, deep=True).sound
    # Again: nothing passes, nothing changes.
    assert retry_command(settings, Terminal(as_json=True, quiet=True), ALL) == 0
    assert ids(settings) == ["acme:1", "acme:4"]


def test_refused_for_another_reason_it_is_kept_under_that(settings, capsys):
    [refusal] = refusals(settings.lake_path, Chosen("notext"))
    with Lake.open(settings.lake_path) as lake:
        wrongly = Rejected(
            source="acme",
            url=refusal.url,
            reason=Reason.TYPE,
            detail="taken for a PDF",
            fetched_at=MORNING,
            raw_ref=refusal.raw_ref,
        )
        lake.quarantine([wrongly], run_id="earlier")
    retry_command(settings, Terminal(as_json=True, quiet=True), Chosen(reason="type"))
    assert "type" not in reasons(settings).values()
    assert reasons(settings)["2.html"] == "notext"


def test_cut_short_between_storing_and_leaving(settings, capsys, monkeypatch):
    monkeypatch.setenv(VARIABLE, "raise:applied")
    with pytest.raises(FailpointError):
        retry_command(settings, Terminal(as_json=True, quiet=True), ALL)
    assert reasons(settings)["4.html"] == "error"
    monkeypatch.delenv(VARIABLE)
    retry_command(settings, Terminal(as_json=True, quiet=True), ALL)
    assert "4.html" not in reasons(settings)
    assert ids(settings) == ["acme:1", "acme:4"]

"""The parent of a crawl: a real child process over the sample site, ended in every way there is."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from flows.core import crawl as crawls
from flows.core.crawl import CrawlError, CrawlOutcome, run_crawl
from flows.sample.site import SampleSite
from spiders.crawl import SPEC_JSON, CrawlSpec
from spiders.spool import CrawledPage, read_report, read_results
from storage.archive import PageArchive

log = logging.getLogger("test")


@pytest.fixture(scope="module")
def site() -> Iterator[SampleSite]:
    with SampleSite() as running:
        yield running


@pytest.fixture(scope="module")
def finished(site: SampleSite, tmp_path_factory: pytest.TempPathFactory) -> tuple[CrawlOutcome, Path]:
    folder = tmp_path_factory.mktemp("finished")
    return run_crawl(spec(site, folder, source="eastmoney"), deadline_seconds=60, log=log), folder


def spec(site: SampleSite, folder: Path, **options: object) -> CrawlSpec:
    given: dict[str, object] = {
        "source": "chinanews",
        "run_id": "r1",
        "spool": str(folder / "spool"),
        "lake": str(folder / "lake"),
        "connect_to": {"*": site.address},
        "delay_seconds": 0.0,
        "backoff_seconds": 0.05,
        "check_age": False,
    }
    return CrawlSpec(**given | options)  # type: ignore[arg-type]


def test_a_crawl_leaves_pages_that_the_archive_can_read(finished: tuple[CrawlOutcome, Path]) -> None:
    outcome, folder = finished
    assert (outcome.status, outcome.returncode, outcome.error) == ("finished", 0, None)
    assert outcome.report is not None
    assert outcome.report.fetched == len(outcome.pages) > 0
    with PageArchive(folder / "lake") as archive:
        forms = {archive.read(page.raw_ref).form for page in outcome.pages}
    assert forms == {"fragment", "html"}, "whole articles from the feed, pages from the column list"


def test_what_the_list_said_about_an_article_is_in_the_archive(finished: tuple[CrawlOutcome, Path]) -> None:
    outcome, folder = finished
    with PageArchive(folder / "lake") as archive:
        pages = [archive.read(page.raw_ref) for page in outcome.pages]
    assert all(page.listed.title and page.listed.published for page in pages)


def test_robots_and_lists_are_asked_for_by_their_own_names(
    finished: tuple[CrawlOutcome, Path], site: SampleSite
) -> None:
    hosts = {request.host.partition(":")[0] for request in site.requests}
    assert {"rss.eastmoney.com", "np-listapi.eastmoney.com", "finance.eastmoney.com"} <= hosts
    assert ("finance.eastmoney.com", "/robots.txt") in {(request.host, request.target) for request in site.requests}


def test_a_stop_ends_the_crawl_in_order(site: SampleSite, tmp_path: Path) -> None:
    stop, before = Event(), len(site.requests)
    Thread(target=lambda: wait_for(lambda: len(site.requests) > before) or stop.set()).start()
    outcome = run_crawl(spec(site, tmp_path, delay_seconds=30.0), deadline_seconds=60, log=log, stop=stop)
    assert (outcome.status, outcome.returncode) == ("stopped", 3)
    assert outcome.report is not None
    assert outcome.report.balanced
    assert outcome.report.finish_reason == "stopped"


def test_a_stop_before_the_child_is_ready_is_no_crash(site: SampleSite, tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    outcome = run_crawl(spec(site, tmp_path), deadline_seconds=60, log=log, stop=stop)
    assert (outcome.status, outcome.pages) == ("stopped", [])


def test_the_deadline_ends_a_crawl(site: SampleSite, tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = run_crawl(spec(site, tmp_path, delay_seconds=30.0), deadline_seconds=2.5, log=log)
    assert time.monotonic() - started < 10
    assert outcome.status == "timeout"
    assert outcome.error


def test_a_child_that_does_not_listen_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: SampleSite
) -> None:
    (tmp_path / "deaf.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)\n"
    )
    monkeypatch.setattr(crawls, "CHILD", "deaf")
    monkeypatch.setattr(crawls, "GRACE_SECONDS", 0.3)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    outcome = run_crawl(spec(site, tmp_path), deadline_seconds=1, log=log)
    assert (outcome.status, outcome.returncode, outcome.report) == ("timeout", -signal.SIGKILL, None)


def test_pages_written_before_a_kill_are_not_lost(site: SampleSite, tmp_path: Path) -> None:
    child = start(spec(site, tmp_path, source="sina", delay_seconds=0.4), tmp_path)
    pages = tmp_path / "spool" / "pages.jsonl"
    wait_for(lambda: pages.exists() and pages.read_text().count("\n") >= 1)
    child.kill()
    child.wait()
    results = list(read_results(tmp_path / "spool"))
    assert results
    assert read_report(tmp_path / "spool") is None
    with PageArchive(tmp_path / "lake") as archive:
        assert all(archive.read(page.raw_ref).body for page in results if isinstance(page, CrawledPage))


def test_a_crawl_ends_in_order_when_its_parent_is_gone(site: SampleSite, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(SPEC_JSON.dump_json(spec(site, tmp_path, delay_seconds=1.5)))
    orphaning = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-m', 'flows.core.crawl_child', {str(path)!r}])"
    )
    begun = tmp_path / "spool" / "pages.jsonl"
    # The parent lives until the crawl has begun, then leaves it behind.
    waiting = f"import pathlib, time\nwhile not pathlib.Path({str(begun)!r}).exists(): time.sleep(0.05)"
    subprocess.run(
        [sys.executable, "-c", f"{orphaning}\n{waiting}"], check=True, cwd=crawls.ROOT, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: read_report(tmp_path / "spool") is not None)
    report = read_report(tmp_path / "spool")
    assert report is not None
    assert (report.finish_reason, report.balanced) == ("unwanted", True)


def test_a_source_that_does_not_exist_is_an_error_with_a_reason(site: SampleSite, tmp_path: Path) -> None:
    outcome = run_crawl(spec(site, tmp_path, source="nosuch"), deadline_seconds=30, log=log)
    assert outcome.status == "crashed"
    assert outcome.error is not None
    assert "nosuch" in outcome.error
    with pytest.raises(CrawlError):
        outcome.or_raise()


def test_a_site_that_is_away_is_an_error_with_a_reason(site: SampleSite, tmp_path: Path) -> None:
    outcome = run_crawl(spec(site, tmp_path, connect_to={"*": "127.0.0.1:1"}), deadline_seconds=30, log=log)
    assert outcome.status == "finished"
    assert outcome.error is not None
    assert "E-ROBOTS" in outcome.error
    assert outcome.may_pass


@pytest.mark.parametrize(
    ("error", "again"),
    [
        ("E-HTTP https://sample.test/rss.xml status 503", True),
        ("E-NETWORK https://sample.test/rss.xml refused", True),
        ("E-HTTP https://sample.test/rss.xml status 404", False),
        ("E-FEED https://sample.test/rss.xml data.list is missing", False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: str, again: bool) -> None:
    outcome = CrawlOutcome(
        source="acme", status="finished", returncode=0, report=None, pages=[], rejected=[], error=error
    )
    assert outcome.may_pass is again


def start(crawl: CrawlSpec, folder: Path) -> subprocess.Popen[bytes]:
    path = folder / "spec.json"
    path.write_bytes(SPEC_JSON.dump_json(crawl))
    command = [sys.executable, "-m", "flows.core.crawl_child", str(path)]
    return subprocess.Popen(command, cwd=crawls.ROOT, stderr=subprocess.DEVNULL, env=os.environ)


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)

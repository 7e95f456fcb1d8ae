"""Rows N, R and S of the fault table, one host each, all met in one crawl (docs/reliability.md names the rows)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import brotli
import faultserver as faults
import pytest
from backports import zstd
from crawling import Crawled, crawl, json_list, source_of
from faultserver import FaultServer

TIMEOUT_SECONDS = 3.0  # enough for 16 MiB on a busy machine
NOWHERE = "127.0.0.2:1"

# Row → what the article's host answers.
ANSWERS: dict[str, faults.Fault] = {
    "n04": faults.reset,
    "n05": faults.shorter_than_said,
    "n06": faults.truncated_gzip,
    "n07": faults.body(b"not gzip at all" * 20, Content_Encoding="gzip"),
    "n08": faults.body(gzip.compress(bytes(40 << 20), 1), Content_Encoding="gzip"),
    "n09br": faults.body(brotli.compress(bytes(40 << 20), quality=1), Content_Encoding="br"),
    "n09zstd": faults.body(zstd.compress(bytes(40 << 20)), Content_Encoding="zstd"),
    "n10": faults.endless,
    "n11": faults.slow_body,
    "n12": faults.slow_headers,
    "n13": faults.huge_header,
    "n14": faults.bad_chunks,
    "n15": faults.busy_once("429 Too Many Requests"),
    "n16": faults.busy_once("503 Service Unavailable", as_date=True),
    "n17years": faults.asks_once("315360000"),
    "n17negative": faults.asks_once("-5"),
    "n17text": faults.asks_once("soon"),
    "n18": faults.status("403 Forbidden"),
    "n19": faults.redirect_without_end,
    "n20": faults.redirect("http://advertising.test/landing"),
    "n23": faults.body(b""),
    "n25": faults.body(faults.ARTICLE, "application/octet-stream"),
    "n26": faults.body(b"%PDF-1.7\n" + bytes(1000)),
    "n24maintenance": faults.body("<title>系统维护</title><p>系统维护中，请稍后访问。</p>".encode()),
    "n24check": faults.body(b"<html><script>var arg1='AB';acw_sc__v2(arg1)</script></html>"),
    "gone": faults.status("404 Not Found"),
    "s01": faults.redirect("http://127.0.0.9:80/secret"),
    "s02": faults.redirect("http://169.254.169.254/latest/meta-data/"),
    "s04hex": faults.redirect("http://0x7f.1/secret"),
    "s04decimal": faults.redirect("http://2130706433/secret"),
    "s04mapped": faults.redirect("http://[::ffff:127.0.0.1]/secret"),
    "s04dot": faults.redirect("http://127.0.0.1./secret"),
    "s05": faults.redirect("file:///etc/passwd"),
    "s08": faults.redirect("http://reader:hunter2@s08.faulty.test/"),
}
ROBOTS: dict[str, faults.Fault] = {
    "r01": faults.status("503 Service Unavailable"),
    "r02": faults.drop,
    "r03": faults.body(b"<html><body>please log in</body></html>"),
    "r04": faults.rules("User-agent: *\nDisallow: /a/\n" + "# padding\n" * 500_000),
    "r05": faults.redirect_without_end,
    "r06": faults.rules("User-agent: *\nCrawl-delay: 0.7\n"),
}
# Rows whose host is to be asked for more than one article.
SEVERAL = {"n18": 6, "n24check": 6, "r06": 3, "r08": 5, "n28": 20}


@dataclass(frozen=True)
class Fetched:
    crawled: Crawled
    server: FaultServer

    def outcome(self, label: str) -> str:
        return self.crawled.outcome(f"//{label}.faulty.test/")


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    with FaultServer() as server:
        server.faults.update(ANSWERS, n28=faults.every_third_fails, r08=faults.HeldBack())
        server.robots.update(ROBOTS)
        rows = faults.Listed()
        for label in ("n01", "n02", *ANSWERS, *ROBOTS, "n28", "r08", "whole"):
            for number in range(SEVERAL.get(label, 1)):
                rows.add(f"http://{label}.faulty.test/a/{number}.html")
        rows.add("http://localhost/a/s03.html")
        server.faults["list"] = rows
        connect_to = {
            f"{label}.faulty.test": server.address for label in ("list", "whole", "n28", "r08", *ANSWERS, *ROBOTS)
        }
        source = source_of(
            json_list("http://list.faulty.test/list.json"),
            hosts=("faulty.test", "localhost"),
            rate={"timeout_seconds": TIMEOUT_SECONDS},
        )
        folder: Path = tmp_path_factory.mktemp("faults") / "crawl"
        yield Fetched(crawl(source, folder, connect_to={**connect_to, "n01.faulty.test": NOWHERE}), server)


def test_the_whole_page_beside_the_faults_is_fetched(fetched: Fetched) -> None:
    assert fetched.outcome("whole") == "fetched"
    assert fetched.crawled.page("whole").body == faults.ARTICLE


def test_nothing_of_ours_failed(fetched: Fetched) -> None:
    assert fetched.crawled.report.finish_reason == "finished"
    assert "Traceback" not in fetched.crawled.log


@pytest.mark.parametrize(
    ("row", "label", "outcome", "requests"),
    [
        ("N02", "n02", "pending", 0),
        ("N04", "n04", "pending", 3),
        ("N05", "n05", "pending", 3),
        ("N06", "n06", "E-TRUNC", 3),
        ("N07", "n07", "E-DECODE", 3),
        ("N08", "n08", "E-TOOBIG", 1),
        ("N09", "n09br", "E-TOOBIG", 1),
        ("N09", "n09zstd", "E-TOOBIG", 1),
        ("N10", "n10", "E-TOOBIG", 1),
        # The parser hangs up without a word that tells it from a lost connection.
        ("N13", "n13", "pending", 3),
        ("N15", "n15", "fetched", 2),
        ("N16", "n16", "fetched", 2),
        ("N17", "n17years", "pending", 1),
        ("N17", "n17negative", "fetched", 2),
        ("N17", "n17text", "fetched", 2),
        ("N18", "n18", "pending", 3),
        ("N19", "n19", "E-LOOP", 6),
        ("N20", "n20", "E-HTTP", 1),
        ("N23", "n23", "E-EMPTY", 1),
        ("N25", "n25", "fetched", 1),
        ("N26", "n26", "E-TYPE", 1),
        ("N24", "gone", "E-HTTP", 1),
        ("N24", "n24maintenance", "E-CHALLENGE", 1),
        ("N24", "n24check", "E-CHALLENGE", 3),
        ("R01", "r01", "pending", 0),
        ("R02", "r02", "pending", 0),
        ("R03", "r03", "fetched", 1),
        ("R05", "r05", "fetched", 1),
        ("R06", "r06", "fetched", 3),
        ("S01", "s01", "E-SSRF", 1),
        ("S02", "s02", "E-SSRF", 1),
        ("S04", "s04hex", "E-SSRF", 1),
        ("S04", "s04decimal", "E-SSRF", 1),
        ("S04", "s04mapped", "E-SSRF", 1),
        ("S04", "s04dot", "E-SSRF", 1),
        ("S05", "s05", "E-SSRF", 1),
        ("S08", "s08", "E-SSRF", 1),
    ],
)
def test_outcome(fetched: Fetched, row: str, label: str, outcome: str, requests: int) -> None:
    assert fetched.outcome(label) == outcome, row
    # Of several pages, the next may be on its way while the circuit of its host opens.
    assert requests <= len(fetched.server.requests(label)) <= requests + (label in SEVERAL), row


def test_n01_a_refused_connection_is_left_for_a_later_run(fetched: Fetched) -> None:
    assert fetched.outcome("n01") == "pending"


def test_n06_the_bytes_of_what_cannot_be_read_are_kept(fetched: Fetched) -> None:
    refusal = fetched.crawled.refusal("n06")
    page = fetched.crawled.archive[refusal.raw_ref]
    assert page.body.startswith(b"\x1f\x8b")
    assert page.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(("row", "label"), [("N11", "n11"), ("N12", "n12")])
def test_slow_answers_cost_no_more_than_the_deadline(fetched: Fetched, row: str, label: str) -> None:
    assert fetched.outcome(label) == "pending", row
    assert len(fetched.server.requests(label)) == 1, "no time is left for a second try"
    assert fetched.crawled.report.seconds < 20


def test_n14_bad_chunks_are_never_stored(fetched: Fetched) -> None:
    assert fetched.outcome("n14") in ("pending", "E-PROTO")


@pytest.mark.parametrize(("row", "label"), [("N15", "n15"), ("N16", "n16")])
def test_a_host_that_asks_for_a_second_is_given_it(fetched: Fetched, row: str, label: str) -> None:
    first, second = (asked.at for asked in fetched.server.requests(label))
    assert second - first >= 1.0, row


def test_n17_a_retry_after_without_meaning_is_a_warning(fetched: Fetched) -> None:
    assert any("says nothing: 'soon'" in warning for warning in fetched.crawled.report.warnings)


def test_n28_connections_closed_at_random_lose_nothing(fetched: Fetched) -> None:
    stored = [page for page in fetched.crawled.pages if "n28" in fetched.crawled.archive[page.raw_ref].url]
    assert len(stored) == SEVERAL["n28"]
    assert len(fetched.server.requests("n28")) > SEVERAL["n28"]


def test_r03_a_login_page_for_robots_is_a_warning(fetched: Fetched) -> None:
    assert any("is a page, not rules" in warning for warning in fetched.crawled.report.warnings)


def test_r04_rules_at_the_head_of_five_megabytes_are_obeyed(fetched: Fetched) -> None:
    assert fetched.crawled.report.filtered == {"robots": 1}
    assert not fetched.server.requests("r04")


def test_r05_robots_that_redirect_without_end_are_asked_for_six_times(fetched: Fetched) -> None:
    assert len(fetched.server.requests("r05", robots=True)) == 6
    assert any("redirects without end" in warning for warning in fetched.crawled.report.warnings)


def test_r06_crawl_delay_is_kept(fetched: Fetched) -> None:
    times = [asked.at for asked in fetched.server.requests("r06")]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert min(waits) >= 0.5, waits


def test_s03_a_name_that_points_inwards_is_refused_where_it_is_connected_to(fetched: Fetched) -> None:
    refusal = fetched.crawled.refusal("s03.html")
    assert refusal.reason.code == "E-SSRF"
    assert "localhost resolves to 127.0.0.1" in refusal.detail


def test_s08_a_password_is_in_no_log_and_no_record(fetched: Fetched) -> None:
    assert "hunter2" not in str(fetched.crawled.rejected)
    assert "hunter2" not in "\n".join(fetched.crawled.report.warnings)


def test_requests_say_who_asks_and_carry_nothing_else(fetched: Fetched) -> None:
    assert all(asked.headers["user-agent"].startswith("finnews/") for asked in fetched.server.log)
    assert all("cookie" not in asked.headers and "referer" not in asked.headers for asked in fetched.server.log)


def test_one_request_at_a_time_per_host(fetched: Fetched) -> None:
    held = fetched.server.faults["r08"]
    assert isinstance(held, faults.HeldBack)
    assert len(fetched.server.requests("r08")) == SEVERAL["r08"]
    assert held.most_at_once == 1

"""The report: its figures are those of the lake, its page is safe whatever the sites say, and it works in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from prometheus_client.parser import text_string_to_metric_families
from weeks import HOSTILE, make_lake

from flows.cli import run
from flows.desk.metrics import to_prometheus
from flows.desk.page import is_web, to_html
from flows.desk.reporting import Report, gather, to_markdown
from flows.settings import Settings
from storage.lake import Lake
from storage.query import query

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
VOID = {"meta", "link", "input", "br", "path", "use", "rect"}


class Parsed(HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open in self.raw:
            self.raw[self._open].append(data)
            self._open = ""

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags for key, value in attributes.items() if key == name and value]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lake(tmp_path_factory.mktemp("weeks"), NOW, weeks=4, share=0.4)


@pytest.fixture(scope="module")
def report(lake: Path) -> Report:
    return gather(Settings(lake=str(lake)), NOW, days=35)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return to_html(report)


def test_figures_are_those_of_the_lake(lake: Path, report: Report) -> None:
    _, rows = query(lake, "select source, date, count(*) from articles group by all")
    days = {day: at for at, day in enumerate(report.days)}
    counted = {each.source: each.counts for each in report.sources}
    assert {(source, day, counted[source][days[day]]) for source, day, _ in rows if day in days} == {
        row for row in rows if row[1] in days
    }
    assert report.articles == sum(count for _, day, count in rows if day in days)
    [(refused,)] = query(lake, "select count(*) from quarantine")[1]
    [(copies,)] = query(lake, "select count(*) from duplicates")[1]
    assert (report.refused, report.duplicates) == (refused, copies)
    assert sum(each.copies for each in report.reprints) == copies
    assert {(each.source, each.original) for each in report.reprints} == {("wallstreetcn", "sina")}


def test_states_and_troubles(report: Report) -> None:
    states = {each.source: each.state for each in report.sources if each.articles}
    assert states == {
        "chinanews": "broken",
        "eastmoney": "stale",
        "sina": "fresh",
        "stats": "fresh",
        "wallstreetcn": "fresh",
    }
    assert report.troubles[0][0] == "chinanews"
    assert any("articles usually come" in reason for source, _, reason in report.troubles if source == "eastmoney")
    [sina] = [each for each in report.sources if each.source == "sina"]
    assert [gap.list for gap in sina.gaps] == ["https://list.example/roll?page=1"]


def test_runs_killed_ones_too(report: Report) -> None:
    assert report.runs[0].run_id == "killed"
    assert (report.runs[0].seconds, report.runs[0].exit_code) == (None, None)
    assert any("chinanews: E-HTTP" in failure for run in report.runs for failure in run.failures)


def test_the_same_lake_and_time_give_the_same_bytes(lake: Path, page: str) -> None:
    assert to_html(gather(Settings(lake=str(lake)), NOW, days=35)) == page


def test_json_is_one_document(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--json", "--lake", str(lake), "--days", "7"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["days"]) == 7
    assert set(document["totals"]) == {"articles", "duplicates", "refused", "sources"}
    assert {each["source"] for each in document["sources"]} >= {"sina", "eastmoney"}


def test_metrics_are_read_by_prometheus(report: Report) -> None:
    families = {family.name: family for family in text_string_to_metric_families(to_prometheus(report))}
    articles = {sample.labels["source"]: sample.value for sample in families["finnews_articles"].samples}
    assert articles == {each.source: each.articles for each in report.sources}
    states = families["finnews_source_state"].samples
    assert sum(sample.value for sample in states) == len({sample.labels["source"] for sample in states})
    assert families["finnews_report_seconds"].samples[0].value == NOW.timestamp()
    assert all(family.documentation and family.type == "gauge" for family in families.values())


def test_metrics_labels_are_escaped(report: Report) -> None:
    odd = replace(report, refusals=(replace(report.refusals[0], source='a"\\b\nc'),))
    families = {family.name: family for family in text_string_to_metric_families(to_prometheus(odd))}
    [sample] = families["finnews_refused"].samples
    assert sample.labels["source"] == 'a"\\b\nc'


def test_markdown_stays_text(report: Report) -> None:
    text = to_markdown(report)
    assert "| sina | fresh |" in text
    assert "<script>" not in text
    assert all(line.count(" | ") == 2 for line in text.split("### Sources")[0].splitlines() if line.startswith("| chi"))


def test_page_runs_nothing_but_its_own_and_loads_nothing(page: str) -> None:
    parsed = Parsed(page)
    tags = Counter(tag for tag, _ in parsed.tags)
    assert (tags["script"], tags["style"], tags["link"], tags["img"], tags["iframe"]) == (1, 1, 0, 0, 0)
    assert not parsed.values("style"), "a style attribute needs unsafe-inline"
    assert not parsed.values("src")
    assert not [key for _, attributes in parsed.tags for key in attributes if key.startswith("on")]
    assert all(re.match(r"#|https?://", value) for value in parsed.values("href") + parsed.values("xlink:href"))
    [policy] = [a["content"] for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(parsed.raw[name][0].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_what_sites_say_stays_text(page: str) -> None:
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "javascript:alert" not in " ".join(Parsed(page).values("href"))
    assert not {"\u202e", "\x1b"} & set(page)
    assert "{{ 7 * 7 }}" in page


@pytest.mark.parametrize("name", [HOSTILE, '"><img src=x onerror=alert(1)>', "]]>--><style>*{}</style>", "${alert(1)}"])
def test_hostile_names_of_sources(name: str, report: Report) -> None:
    sources = (replace(report.sources[0], source=name, name=name, counts=(1,) * 35), *report.sources[1:])
    page = to_html(replace(report, lake=name, sources=sources))
    tags = Counter(tag for tag, _ in Parsed(page).tags)
    assert (tags["script"], tags["style"], tags["img"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://a.example/x?q=<b>", True),
        ("http://a.example", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("", False),
        ("http://[", False),
        ("https://a.example/\u202egnp.exe", False),
    ],
)
def test_only_web_addresses_are_links(url: str, allowed: bool) -> None:
    assert is_web(url) == allowed


def test_page_is_labelled(page: str) -> None:
    parsed = Parsed(page)
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert set(parsed.values("aria-labelledby")) <= set(ids)
    assert {value[1:] for value in parsed.values("href") if value.startswith("#")} <= set(ids)
    assert next(attributes for tag, attributes in parsed.tags if tag == "html")["lang"] == "en"
    for tag, attributes in parsed.tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    headings = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(headings))


COLOURS = re.compile(r"--([\w-]+): (#\w{6})")


def test_contrast_of_text_in_light_and_dark() -> None:
    style = (Path(__file__).parents[2] / "flows/desk/report/page.css").read_text(encoding="utf-8")
    light, dark = style.split("prefers-color-scheme: dark")[:2]
    for colours in (dict(COLOURS.findall(light)), dict(COLOURS.findall(dark))):
        for name in ("ink", "muted", "first", "alarm", "warn", "good"):
            for ground in ("paper", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for level in range(6):
            over = colours["on-low" if level < 4 else "on-high"]
            assert contrast(over, colours[f"level{level}"]) >= 4.5, level


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_empty_lake_has_a_page_without_plots(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake"):
        pass
    page = to_html(gather(Settings(lake=str(tmp_path / "lake")), NOW))
    assert "<svg" not in page
    assert "No articles in this time." in page


def test_no_lake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--lake", str(tmp_path / "none"), "--out", str(tmp_path / "x.html")]) == 2
    assert "no lake here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_files_appear_whole(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "finnews.prom"
    assert run(["report", "--lake", str(lake), "--days", "3", "--metrics", str(figures)]) == 0
    assert figures.read_text(encoding="utf-8").startswith("# HELP finnews_articles")
    assert [path.name for path in tmp_path.iterdir()] == ["finnews.prom"]
    assert run(["report", "--lake", str(lake), "--days", "3", "--out", str(tmp_path / "none/x.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    with Browser() as running:
        yield running


@pytest.fixture
def opened(browser: Browser, page: str, tmp_path: Path) -> Browser:
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    browser.complaints.clear()
    browser.requests.clear()
    browser.show(tmp_path / "report.html")
    return browser


def rows_shown(browser: Browser, selector: str) -> list[str]:
    visible = f"[...document.querySelectorAll({json.dumps(selector)})].filter((row) => row.checkVisibility())"
    found: Any = browser.evaluate(f"{visible}.map((row) => row.dataset.source)")
    return list(found)


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1100, False), (1100, True)])
def test_browser_has_no_complaint_and_nothing_overflows(
    browser: Browser, page: str, tmp_path: Path, width: int, dark: bool
) -> None:
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    browser.complaints.clear()
    browser.requests.clear()
    browser.show(tmp_path / "report.html", width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(16, 21, 26)" if dark else "rgb(255, 255, 255)")
    smallest = "Math.min(...[...document.querySelectorAll('figure svg')].filter((e) => e.checkVisibility()).map("
    smallest += "(e) => e.getBoundingClientRect().width / e.viewBox.baseVal.width))"
    assert browser.evaluate(smallest) * 9 >= 9, "letters of a plot are at least 9 px high"
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.endswith("report.html")] == []


def test_browser_filters_by_source_and_days_from_the_keyboard(opened: Browser, report: Report) -> None:
    assert "stats" in rows_shown(opened, ".heat li[data-source]")
    opened.evaluate("document.getElementById('by-source').focus()")
    for letter in "sina":
        opened.press(letter, text=letter)
    assert rows_shown(opened, ".heat li[data-source]") == ["sina"]
    assert set(rows_shown(opened, "tbody tr[data-source]")) == {"sina"}
    assert opened.evaluate("document.getElementById('shown').textContent") == "1 of 5 sources"
    opened.evaluate("document.getElementById('by-days').focus()")
    for _ in range(3):
        opened.press("ArrowUp")
    days = int(opened.evaluate("document.getElementById('by-days').value"))
    [sina] = [each for each in report.sources if each.source == "sina"]
    shown = opened.evaluate("document.querySelector('.heat li[data-source=sina] .total').textContent")
    assert (days, shown) == (7, str(sum(sina.counts[-7:])))
    opened.evaluate("document.querySelector('#filters button').click(); new Promise((done) => setTimeout(done, 20))")
    assert len(rows_shown(opened, ".heat li[data-source]")) == 5
    assert opened.complaints == []


def test_browser_sorts_a_table_both_ways(opened: Browser) -> None:
    table = "document.querySelector('#freshness ~ .scroll')"
    column = f"{table}.querySelectorAll('tbody tr td:nth-child(5)')"
    heading = f"{table}.querySelector('thead th:nth-child(5) button')"
    numbers = f"[...{column}].map((cell) => cell.textContent.trim()).filter(Boolean).map(Number)"
    opened.evaluate(f"{heading}.focus()")
    opened.press("Enter", text="\r")
    once = opened.evaluate(numbers)
    opened.press("Enter", text="\r")
    assert once == sorted(once)
    assert opened.evaluate(numbers) == sorted(once, reverse=True)
    assert opened.evaluate(f"{heading}.parentElement.ariaSort") == "descending"


def test_browser_opens_what_a_number_leads_to(opened: Browser) -> None:
    opened.evaluate("document.querySelector('a[href=\"#refused-1\"]').click()")
    opened.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert opened.evaluate("document.getElementById('refused-1').open") is True
    assert opened.evaluate("typeof alerted") == "undefined"


def test_period_of_a_report_ends_today_in_shanghai(lake: Path) -> None:
    late = NOW.replace(hour=17)
    assert gather(Settings(lake=str(lake)), late, days=2).days[-1] == (NOW + timedelta(days=1)).date()

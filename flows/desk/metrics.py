"""A report in the text format of Prometheus, for the textfile collector of node_exporter or any scraper.

Only what an alarm or a graph needs: states, times, counts. Labels are ids of ours, never words of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from flows.desk.reporting import Report, SourceReport
from flows.desk.status import STATES

Sample = tuple[Mapping[str, str], float]
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Metric(NamedTuple):
    name: str
    help: str
    samples: list[Sample]


def to_prometheus(report: Report) -> str:
    """All metrics are gauges: each is how things stand now."""
    return "".join(_family(metric) for metric in _metrics(report) if metric.samples)


def _metrics(report: Report) -> Iterator[Metric]:
    period = f"of the last {len(report.days)} days"

    def by_source(name: str, text: str, value: Callable[[SourceReport], float | None]) -> Metric:
        found = ((each.source, value(each)) for each in report.sources)
        return Metric(name, text, [({"source": source}, number) for source, number in found if number is not None])

    yield by_source("finnews_articles", f"Distinct articles {period}.", lambda each: each.articles)
    yield by_source("finnews_duplicates", f"Reprints {period}.", lambda each: each.duplicates)
    yield by_source("finnews_gaps", f"Lists that rolled over between two polls {period}.", lambda each: len(each.gaps))
    yield by_source(
        "finnews_newest_article_seconds",
        "Unix time of the newest article listed.",
        lambda each: _unix(each.status.newest_at) if each.status else None,
    )
    yield by_source(
        "finnews_last_success_seconds",
        "Unix time of the last crawl that succeeded.",
        lambda each: _unix(each.status.succeeded_at) if each.status else None,
    )
    yield by_source(
        "finnews_waiting",
        "Articles listed and not stored yet.",
        lambda each: each.status.waiting if each.status else None,
    )
    yield Metric("finnews_source_state", "1 for the state that a source is in.", _states(report))
    yield Metric("finnews_field_share", f"Share of the articles {period} that have a field.", _shares(report))
    refused: list[Sample] = [({"source": r.source, "reason": r.reason}, r.count) for r in report.refusals]
    yield Metric("finnews_refused", f"Pages that gave no article {period}.", refused)
    yield from _last_runs(report)
    yield Metric("finnews_report_seconds", "Unix time of these figures.", [({}, report.now.timestamp())])


def _states(report: Report) -> list[Sample]:
    judged = [each for each in report.sources if each.status]
    return [({"source": s.source, "state": state}, float(s.state == state)) for s in judged for state in STATES]


def _shares(report: Report) -> list[Sample]:
    qualities = [each.quality for each in report.sources if each.quality]
    return [({"source": q.source, "field": name}, share) for q in qualities for name, share in q.shares.items()]


def _last_runs(report: Report) -> Iterator[Metric]:
    """Of the latest run of each command that came to its end."""
    ended = {run.command: run for run in reversed(report.runs) if run.seconds is not None}
    seconds: list[Sample] = [({"command": name}, run.seconds or 0.0) for name, run in ended.items()]
    codes: list[Sample] = [({"command": name}, run.exit_code or 0) for name, run in ended.items()]
    yield Metric("finnews_last_run_seconds", "Duration of the last run that ended.", seconds)
    yield Metric("finnews_last_run_exit_code", "Exit code of the last run that ended.", codes)


def _family(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
    lines += [f"{metric.name}{_labels(labels)} {float(value)!r}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items()) + "}"


def _unix(at: datetime | None) -> float | None:
    return at.timestamp() if at else None

"""A report as one HTML file that needs nothing else: no network, no fonts, no script but its own.

The template fills in and escapes; tables are made here, plots in drawing. Whatever a site has said stays text:
escaped, in one line, isolated from the direction of what is around it, and a link only if it is http or https.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.core.accounting import Exit
from flows.desk.drawing import BREAKS, day_strip, plots
from flows.desk.metrics import to_prometheus
from flows.desk.reporting import Report, SourceReport, code_of, gather, moment, to_markdown
from flows.desk.status import STATES
from flows.settings import Settings
from flows.terminal import Terminal, printable
from flows.writing import write_whole

PAGE: Final = Path("finnews-report.html")
FOLDER: Final = Path(__file__).with_name("report")
SIGNS: Final = {"fresh": "●", "stale": "▲", "broken": "✕", "silent": "○", "archive": "■"}
LONGEST_TEXT: Final = 400
RUN_COUNTS: Final = ("discovered", "stored", "revised", "duplicates", "unchanged", "quarantined", "requests")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    key: str = ""
    """What it is sorted by, if not by its text."""
    kind: str = ""
    """number, state, tight (never wrapped) or words"""


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[Cell, ...]
    source: str = ""
    """Whose row it is, for the filter by source."""
    day: str = ""
    """When it happened, for the filter by days."""
    link: str = ""
    """Id of what its number leads to."""


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the columns, by their first row."""
        return tuple(cell.kind for cell in self.rows[0].cells) if self.rows else ("",) * len(self.columns)


def report_command(
    settings: Settings, terminal: Terminal, *, out: Path | None, metrics: Path | None, markdown: bool, days: int
) -> Exit:
    """A page, unless only the figures are asked for."""
    report = gather(settings, days=days)
    if terminal.as_json:
        terminal.document(report.document())
    if markdown:
        terminal.print(to_markdown(report).rstrip())
    if metrics is not None:
        _deliver(metrics, to_prometheus(report), terminal)
    if out is not None or not (terminal.as_json or markdown or metrics):
        _deliver(out or PAGE, to_html(report), terminal)
    return Exit.OK


def _deliver(path: Path, text: str, terminal: Terminal) -> None:
    """To a file, or to stdout by the name `-`."""
    if str(path) == "-":
        terminal.print(text.rstrip("\n"))
    else:
        write_whole(path, text)
        terminal.say(f"written to {path}")


def to_html(report: Report) -> str:
    """The same report always gives the same page."""
    active = [each for each in report.sources if _is_active(each)]
    style, script = _file("page.css"), _file("page.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            active=active,
            idle=[each.source for each in report.sources if not _is_active(each)],
            states={state: sum(each.state == state for each in active) for state in (*STATES, "archive")},
            signs=SIGNS,
            level_labels=_level_labels(),
            plots={name: {width: Markup(svg) for width, svg in drawn.items()} for name, drawn in plots(report).items()},
            strips={each.source: Markup(day_strip(each, report.days)) for each in active},
            tables=_tables(report, active),
        )
    )


def _is_active(source: SourceReport) -> bool:
    """Was anything ever asked of it, or found?"""
    return bool(source.articles or source.duplicates or (source.status and source.status.tried_at))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "web": is_web, "moment": moment, "code": code_of}
    return environment


def plain(text: str) -> str:
    """One line of what somebody else wrote, of a length that fits."""
    line = printable(text)
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def is_web(url: str) -> bool:
    """May it be a link? Not javascript:, data: or file:."""
    try:
        return urlsplit(url).scheme in ("http", "https") and url == printable(url)
    except ValueError:
        return False


def _level_labels() -> list[str]:
    bounds = (0, *BREAKS)
    ranges = [f"{low}–{high - 1}" if high - low > 1 else str(low) for low, high in zip(bounds, BREAKS, strict=False)]
    return [*ranges, f"{BREAKS[-1]} or more"]


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tables(report: Report, active: Sequence[SourceReport]) -> dict[str, Table]:
    makers: dict[str, Callable[[Report, Sequence[SourceReport]], Table]] = {
        "troubles": _troubles,
        "days": _days,
        "daily": _daily,
        "freshness": _freshness,
        "gaps": _gaps,
        "quality": _quality,
        "lengths": _lengths,
        "flags": _flags,
        "reprints": _reprints,
        "refusals": _refusals,
        "runs": _runs,
    }
    return {name: make(report, active) for name, make in makers.items()}


def _troubles(report: Report, active: Sequence[SourceReport]) -> Table:
    del active
    rows = tuple(_of(source, _state(state), _words(reason)) for source, state, reason in report.troubles)
    return Table("Sources that need a look", ("source", "state", "why"), rows)


def _days(report: Report, active: Sequence[SourceReport]) -> Table:
    rows = tuple(_of(each.source, *map(_number, each.counts)) for each in active)
    return Table("Articles per source and day", ("source", *(f"{day:%m-%d}" for day in report.days)), rows)


def _daily(report: Report, active: Sequence[SourceReport]) -> Table:
    totals = [sum(each.counts[at] for each in active) for at in range(len(report.days))]
    rows = tuple(
        Row((Cell(str(day)), _number(total)), day=str(day)) for day, total in zip(report.days, totals, strict=True)
    )
    return Table("Articles a day, all sources", ("day", "articles"), rows)


def _freshness(report: Report, active: Sequence[SourceReport]) -> Table:
    del report
    columns = ("source", "state", "newest", "last success", "silent, h", "usual, h", "longest, h", "missing", "waiting")
    return Table("Freshness of each source", columns, tuple(_freshness_rows(active)))


def _freshness_rows(active: Sequence[SourceReport]) -> Iterable[Row]:
    for each in active:
        if (found := each.status) is None:
            continue
        silence = found.silence
        numbers = (
            (silence.hours, silence.usual_hours, silence.longest_hours, silence.missing) if silence else (None,) * 4
        )
        yield _of(
            each.source,
            _state(found.state),
            _time(found.newest_at),
            _time(found.succeeded_at),
            *map(_number, numbers),
            _number(found.waiting),
        )


def _gaps(report: Report, active: Sequence[SourceReport]) -> Table:
    del report
    rows = tuple(
        _of(each.source, _words(gap.list), _time(gap.since), _time(gap.until), _time(gap.noticed_at))
        for each in active
        for gap in each.gaps
    )
    return Table("Lists that rolled over between two polls", ("source", "list", "from", "to", "noticed"), rows)


def _quality(report: Report, active: Sequence[SourceReport]) -> Table:
    del report
    found = [each.quality for each in active if each.quality]
    fields = tuple(found[0].shares) if found else ()
    rows = tuple(
        _of(
            each.source,
            _number(each.articles),
            *(Cell(f"{share:.0%}", f"{share:.4f}", "number") for share in each.shares.values()),
            Cell(f"{each.removed_lines / each.articles:.1f}", kind="number"),
            Cell(f"{each.cleaned / each.articles:.0%}", f"{each.cleaned / each.articles:.4f}", "number"),
        )
        for each in found
    )
    columns = ("source", "articles", *(name.removesuffix("_at") for name in fields), "lines removed", "cleaned")
    return Table("Share of the articles that have a field, and wrapper lines taken out of an article", columns, rows)


def _lengths(report: Report, active: Sequence[SourceReport]) -> Table:
    del report
    rows = tuple(_of(each.source, *(_number(round(n)) for n in each.quality.chars)) for each in active if each.quality)
    columns = ("source", "shortest tenth", "quarter", "middle", "three quarters", "longest tenth")
    return Table("Characters of text", columns, rows)


def _flags(report: Report, active: Sequence[SourceReport]) -> Table:
    del report
    rows = tuple(
        _of(each.source, Cell(flag), _number(count))
        for each in active
        if each.quality
        for flag, count in each.quality.flags.items()
    )
    return Table("Articles with a flag", ("source", "flag", "articles"), rows)


def _reprints(report: Report, active: Sequence[SourceReport]) -> Table:
    del active
    rows = tuple(
        _of(
            each.source,
            Cell(each.original),
            _number(each.copies),
            _number(each.near),
            _number(None if each.median_hours is None else round(each.median_hours, 1)),
        )
        for each in report.reprints
    )
    return Table("Reprints", ("source", "reprints", "copies", "of them near", "hours later"), rows)


def _refusals(report: Report, active: Sequence[SourceReport]) -> Table:
    del active
    rows = tuple(
        Row(
            (
                Cell(each.source),
                Cell(code_of(each.reason), kind="tight"),
                _number(each.count),
                _words(each.examples[0].detail),
            ),
            source=each.source,
            link=f"refused-{at}",
        )
        for at, each in enumerate(report.refusals, start=1)
    )
    return Table("Pages refused, by source and reason", ("source", "reason", "pages", "latest"), rows)


def _runs(report: Report, active: Sequence[SourceReport]) -> Table:
    del active
    rows = tuple(
        Row(
            (
                Cell(moment(run.started_at)),
                Cell(run.command),
                _number(None if run.seconds is None else round(run.seconds, 1)),
                Cell("did not end" if run.exit_code is None else str(run.exit_code), kind="number"),
                *(
                    _number(run.counts[name])
                    for name in ("discovered", "stored", "duplicates", "quarantined", "requests")
                ),
                _words("; ".join(run.failures)),
            ),
            day=f"{run.started_at:%Y-%m-%d}",
        )
        for run in report.runs
    )
    columns = (
        "started",
        "command",
        "seconds",
        "exit",
        "found",
        "stored",
        "reprints",
        "refused",
        "requests",
        "failures",
    )
    return Table("Runs", columns, rows)


def _of(source: str, *cells: Cell) -> Row:
    return Row((Cell(source), *cells), source=source)


def _state(state: str) -> Cell:
    # Sorted by how bad it is.
    return Cell(state, str(STATES.index(state)), "state")


def _time(at: datetime | None) -> Cell:
    return Cell(moment(at), kind="tight")


def _words(text: str) -> Cell:
    return Cell(text, kind="words")


def _number(value: float | None) -> Cell:
    return Cell("", kind="number") if value is None else Cell(f"{value:,}", str(value), "number")

"""The plots of a report: numbers in, SVG elements out, ready to stand in a page under a strict content policy.

Matplotlib draws; what it gives is rewritten: no style attributes, scripts, comments or metadata, ids that are unique on
the page, text as text in the page's own font, and names of classes in place of colours, so that the page's style sheet
decides on light and dark. Labels are ids of sources and reasons, never words of a page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from xml.etree import ElementTree

import matplotlib
import numpy as np
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LinearLocator, LogLocator, MaxNLocator, NullLocator

from flows.desk.reporting import Report, SourceReport
from flows.terminal import printable

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
# What is drawn in one of these colours gets the class of that name instead.
INK, MUTED, RULE, FIRST, SECOND, ALARM = ("#010101", "#020202", "#030303", "#040404", "#050505", "#060606")
LEVELS: Final = ("#070700", "#070701", "#070702", "#070703", "#070704", "#070705")
CLASSES: Final = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    FIRST: "first",
    SECOND: "second",
    ALARM: "alarm",
    **{colour: f"level{number}" for number, colour in enumerate(LEVELS)},
}
# Articles on a day from which a cell has the next level. The same for all sources, so that rows can be compared.
BREAKS: Final = (1, 3, 10, 30, 100)
# A folder of a lake can have any name.
LONGEST_NAME: Final = 40
# From this level on, what stands on it has the other colour.
HIGH: Final = 4
# A matrix of fewer columns leaves the rest of its width empty.
FEW: Final = 6
# Points; the page shows the one that fits.
WIDTHS: Final = {"wide": 660.0, "narrow": 262.0}
FONT_POINTS: Final = 9.0
ROW_POINTS: Final = 15.0
DECLARATION: Final = re.compile(r"\s*([\w-]+)\s*:\s*([^;]+?)\s*(?:;|$)")
REFERRING: Final = ("clip-path", f"{{{XLINK}}}href")
TARGET: Final = re.compile(r"#([\w.-]+)")
SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": FONT_POINTS,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
Draw = Callable[[Axes], None]
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def day_strip(source: SourceReport, days: Sequence[date]) -> str:
    """One row of the heat map: a cell a day, empty where nothing came, a bar below where a list rolled over."""

    def draw(axes: Axes) -> None:
        axes.set_axis_off()
        axes.set_position((0, 0, 1, 1))
        axes.set(xlim=(0, len(days)), ylim=(0, 1))
        levels = [int(np.searchsorted(BREAKS, count, side="right")) for count in source.counts]
        for level, colour in enumerate(LEVELS):
            cells = [(at + 0.06, 0.88) for at, found in enumerate(levels) if found == level]
            axes.broken_barh(cells, (0.16, 0.84), facecolors=colour, clip_on=False)
        missed = [
            at for at, day in enumerate(days) if any(g.since.date() <= day <= g.until.date() for g in source.gaps)
        ]
        axes.broken_barh([(at, 1.0) for at in missed], (0, 0.1), facecolors=ALARM, clip_on=False)

    busiest = max(range(len(days)), key=lambda at: source.counts[at])
    silent = sum(not count for count in source.counts)
    label = (
        f"{printable(source.source)}: {sum(source.counts)} articles in {len(days)} days, {silent} days without,"
        f" most on {days[busiest]} ({source.counts[busiest]})"
    )
    svg = _svg(f"days-{printable(source.source)}", label, draw, (len(days) * 10.0, 16.0))
    svg.set("preserveAspectRatio", "none")
    return _text(svg)


def plots(report: Report) -> dict[str, dict[str, str]]:
    """Name of the plot → width → SVG. A plot that would be empty is left out."""
    drawn = {
        "daily": (_daily(report), 170.0),
        "freshness": (_freshness(report), _height(len(_with_silence(report)))),
        "lengths": (_lengths(report), _height(len(_with_lengths(report)))),
        "reprints": (_reprints(report), _height(len({each.source for each in report.reprints}), extra=40)),
        "refusals": (_refusals(report), _height(len({each.reason for each in report.refusals}))),
        "runs": (_runs(report), 170.0),
    }
    return {
        name: {width: _text(_svg(f"{name}-{width}", "", draw, (points, height))) for width, points in WIDTHS.items()}
        for name, (draw, height) in drawn.items()
        if draw is not None
    }


def _daily(report: Report) -> Draw | None:
    """Articles of all sources a day, and a line for how many of them are usual."""
    if not any(any(each.counts) for each in report.sources):
        return None
    totals = np.array([each.counts for each in report.sources]).sum(axis=0)

    def draw(axes: Axes) -> None:
        axes.bar(np.array(report.days, "datetime64[D]"), totals, width=0.8, color=FIRST)
        axes.set_ylabel("articles a day")
        axes.grid(axis="x", visible=False)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        _date_axis(axes, report.days)

    return draw


def _freshness(report: Report) -> Draw | None:
    """For each source its usual and its longest silence, and the present one."""
    rows = _with_silence(report)
    if not rows:
        return None
    silences = [each.status.silence for each in rows if each.status and each.status.silence]

    def draw(axes: Axes) -> None:
        for at, silence in enumerate(silences):
            shortest = max(silence.usual_hours, 0.02)
            axes.plot([shortest, max(silence.longest_hours, shortest)], [at, at], color=SECOND, linewidth=5, alpha=0.55)
        for unusual, colour, marker in ((False, FIRST, "o"), (True, ALARM, "D")):
            found = [(max(each.hours, 0.02), at) for at, each in enumerate(silences) if each.unusual == unusual]
            axes.plot([x for x, _ in found], [y for _, y in found], marker, color=colour, markersize=5)
        axes.set_xscale("log")
        _hours_axis(axes, [each.hours for each in silences] + [each.longest_hours for each in silences])
        _names_axis(axes, [each.source for each in rows])

    return draw


def _lengths(report: Report) -> Draw | None:
    """Where the middle half of the texts is, and the middle eight tenths."""
    rows = _with_lengths(report)
    if not rows:
        return None
    chars = [each.quality.chars for each in rows if each.quality]

    def draw(axes: Axes) -> None:
        for at, (low, quarter, middle, three_quarters, high) in enumerate(chars):
            axes.plot([max(low, 1), max(high, 1)], [at, at], color=FIRST, linewidth=1)
            axes.plot([max(quarter, 1), max(three_quarters, 1)], [at, at], color=FIRST, linewidth=6, alpha=0.45)
            axes.plot([max(middle, 1)], [at], "|", color=INK, markersize=9, markeredgewidth=1.6)
        axes.set_xscale("log")
        axes.set_xlabel("characters")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        _names_axis(axes, [each.source for each in rows])

    return draw


def _reprints(report: Report) -> Draw | None:
    """Rows reprint columns."""
    if not report.reprints:
        return None
    rows = sorted({each.source for each in report.reprints})
    columns = sorted({each.original for each in report.reprints})

    def draw(axes: Axes) -> None:
        for each in report.reprints:
            x, y = columns.index(each.original), rows.index(each.source)
            level = int(np.searchsorted(BREAKS, each.copies, side="right"))
            axes.broken_barh([(x - 0.46, 0.92)], (y - 0.46, 0.92), facecolors=LEVELS[level])
            text = axes.text(x, y, str(each.copies), ha="center", va="center", fontsize=FONT_POINTS - 1)
            text.set_gid("on-high" if level >= HIGH else "on-low")
        axes.set_xlim(-0.5, max(len(columns), FEW) - 0.5)
        axes.xaxis.set_major_locator(FixedLocator(range(len(columns))))
        axes.set_xticklabels(list(map(_short, columns)), rotation=90 if len(columns) > 4 else 0)
        axes.set_xlabel("had it first")
        axes.grid(visible=False)
        _names_axis(axes, rows)

    return draw


def _refusals(report: Report) -> Draw | None:
    if not report.refusals:
        return None
    counts: dict[str, int] = {}
    for each in report.refusals:
        counts[each.reason] = counts.get(each.reason, 0) + each.count
    reasons = sorted(counts, key=lambda reason: (counts[reason], reason))

    def draw(axes: Axes) -> None:
        axes.barh(range(len(reasons)), [counts[reason] for reason in reasons], height=0.6, color=FIRST)
        for at, reason in enumerate(reasons):
            axes.text(counts[reason], at, f" {counts[reason]}", va="center", fontsize=FONT_POINTS - 1)
        axes.margins(x=0.12)
        axes.set_xlabel("pages")
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        _names_axis(axes, reasons, upwards=True)

    return draw


def _runs(report: Report) -> Draw | None:
    """How long each run took; a failed one is another shape as well as another colour."""
    runs = [run for run in report.runs if run.seconds is not None]
    if not runs:
        return None

    def draw(axes: Axes) -> None:
        for failed, colour, marker, label in ((False, FIRST, "o", "in order"), (True, ALARM, "X", "with failures")):
            found = [run for run in runs if bool(run.exit_code) == failed]
            seconds = [run.seconds or 0.0 for run in found]
            axes.plot([run.started_at for run in found], seconds, marker, color=colour, markersize=5, label=label)  # type: ignore[arg-type]
        axes.set_ylabel("seconds")
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0, handletextpad=0.2)
        _moment_axis(axes, [run.started_at for run in runs])

    return draw


def _with_silence(report: Report) -> list[SourceReport]:
    return [each for each in report.sources if each.status and each.status.silence]


def _with_lengths(report: Report) -> list[SourceReport]:
    return [each for each in report.sources if each.quality]


def _height(rows: int, *, extra: float = 0.0) -> float:
    return rows * ROW_POINTS + 44 + extra


def _names_axis(axes: Axes, names: Sequence[str], *, upwards: bool = False) -> None:
    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.set_yticklabels(list(map(_short, names)))
    axes.set_ylim(*((-0.6, len(names) - 0.4) if upwards else (len(names) - 0.4, -0.6)))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _short(name: str) -> str:
    return printable(name)[:LONGEST_NAME]


def _date_axis(axes: Axes, days: Sequence[date]) -> None:
    span = (max(days) - min(days)).days
    narrow = axes.get_figure().get_figwidth() * 72 < WIDTHS["wide"] / 2  # type: ignore[union-attr]
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=2, maxticks=4 if narrow else 8))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%d %b" if span else "%H:%M"))  # type: ignore[no-untyped-call]


def _moment_axis(axes: Axes, moments: Sequence[datetime]) -> None:
    """Days; seconds where all is within minutes, as after a first run."""
    if max(moments) - min(moments) > timedelta(minutes=20):
        _date_axis(axes, [moment.date() for moment in moments])
        return
    axes.xaxis.set_major_locator(LinearLocator(3))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M:%S"))  # type: ignore[no-untyped-call]


def _hours_axis(axes: Axes, hours: Sequence[float]) -> None:
    """Minutes, hours and days as people say them."""
    named = {1 / 60: "1 min", 1 / 6: "10 min", 1: "1 h", 6: "6 h", 24: "1 d", 168: "1 w", 720: "1 m"}
    highest = max(hours)
    shown = [hour for hour in named if hour <= highest * 2]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([named[hour] for hour in shown])


def _svg(name: str, label: str, draw: Draw, size: tuple[float, float]) -> ElementTree.Element:
    with matplotlib.rc_context({**SETTINGS, "svg.hashsalt": name}):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained" if not label else None)
        axes = figure.add_subplot()
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _cleaned(ElementTree.fromstring(buffer.getvalue()), name, label)


def _cleaned(svg: ElementTree.Element, name: str, label: str) -> ElementTree.Element:
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    targets = {found for each in svg.iter() for key in REFERRING for found in TARGET.findall(each.attrib.get(key, ""))}
    for element in svg.iter():
        _rename(element, name, targets)
        _unstyle(element)
        _tidy(element)
    for unwanted in ("width", "height", "version"):
        svg.attrib.pop(unwanted, None)
    # The caption beside it speaks for a plot that has no label of its own.
    svg.attrib.update({"role": "img", "aria-label": label} if label else {"aria-hidden": "true"})
    return svg


def _rename(element: ElementTree.Element, name: str, targets: set[str]) -> None:
    """Only ids that something refers to stay; the plot's name makes them unique on the page."""
    own = element.attrib.pop("id", "")
    if own in targets:
        element.set("id", f"{name}-{own}")
    if own.startswith("on-"):
        element.set("class", own)
    for key in REFERRING:
        if key in element.attrib:
            element.set(key, TARGET.sub(rf"#{name}-\1", element.attrib[key]))


def _unstyle(element: ElementTree.Element) -> None:
    """A style attribute would need a looser policy: attributes of SVG say the same."""
    classes = [element.get("class", "")]
    for key, value in _declarations(element.attrib.pop("style", "")):
        if key in ("fill", "stroke") and value in CLASSES:
            classes.append(f"{key}-{CLASSES[value]}")
        elif key == "font-size":
            element.set(key, value.removesuffix("px"))
        elif key not in ("font-family", "font"):
            element.set(key, value)
    if any(classes):
        element.set("class", " ".join(filter(None, classes)))


def _tidy(element: ElementTree.Element) -> None:
    """Without the white space of the file, and turns by nothing."""
    if "transform" in element.attrib and element.attrib["transform"].startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.tag != f"{{{SVG}}}text" and not (element.text or "").strip():
        element.text = None
    if not (element.tail or "").strip():
        element.tail = None
    if "d" in element.attrib:
        element.set("d", " ".join(element.attrib["d"].split()))


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    yield from DECLARATION.findall(style)


def _text(svg: ElementTree.Element) -> str:
    return ElementTree.tostring(svg, encoding="unicode")

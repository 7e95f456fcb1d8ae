"""What a person sees: tables, progress and one-line errors on stderr; data alone goes to stdout."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from flows.core.accounting import COLUMNS, Account, RunReport

# Log lines and titles come from pages: a bidi override or an escape sequence must not reach the terminal.
UNPRINTABLE = dict.fromkeys((*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
STYLES = {
    **dict.fromkeys(("ok", "fresh"), "green"),
    **dict.fromkeys(("warn", "stale"), "yellow"),
    **dict.fromkeys(("fail", "broken"), "bold red"),
    "silent": "dim",
}
# COLUMNS=0 is what some programs say of a terminal they know nothing about: rich would print nothing at all.
NARROWEST, USUAL = 10, 80
# Columns up to this width are not folded, if each of the others keeps this much room.
SHORT, ROOM = 20, 15
Advance = Callable[[int], None]
DAYS_SHOWN = 10
# Eleven columns in eighty characters.
NARROW = {
    "discovered": "found",
    "revised": "rev.",
    "duplicates": "dupl.",
    "unchanged": "same",
    "filtered": "filt.",
    "quarantined": "quar.",
    "pending": "pend.",
    "requests": "req.",
    "seconds": "s",
}


class Stream(Console):
    """Rich ends a program with 1 whose reader has gone; `finnews … | head` has done nothing wrong."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Terminal:
    """The two streams of one command."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.words = Stream(stderr=True, quiet=quiet, highlight=False)
        self.data = Stream(highlight=False)
        for console in (self.words, self.data):
            if console.width < NARROWEST:
                console.width = USUAL

    def say(self, text: str) -> None:
        self.words.print(escape(printable(text)), soft_wrap=True)

    def print(self, text: str) -> None:
        """A line of data on stdout."""
        sys.stdout.write(text + "\n")

    def document(self, document: object) -> None:
        """One JSON document on stdout."""
        sys.stdout.write(as_json_text(document, indent=2) + "\n")

    def line(self, document: object) -> None:
        """One JSON line on stdout."""
        sys.stdout.write(as_json_text(document) + "\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
        cells = [[_cell(shown(value)) for value in row] for row in rows]
        widths = [
            max(map(cell_len, [name, *column])) for name, *column in zip(columns, *map(_plain, cells), strict=True)
        ]
        short = [width <= SHORT for width in widths]
        # Times and names stay whole, and what is long is folded, as long as that leaves it room.
        left = self.data.width - sum(width + 1 for width, is_short in zip(widths, short, strict=True) if is_short)
        keep = left >= ROOM * short.count(False)
        table = _plain_table(title)
        for column, is_short in zip(columns, short, strict=True):
            table.add_column(column, overflow="fold", no_wrap=keep and is_short)
        for row_cells in cells:
            table.add_row(*row_cells)
        self.data.print(table)
        if not cells:
            self.say("none")

    def report(self, report: RunReport) -> None:
        """The accounting of a run, as JSON or as a table."""
        if self.as_json:
            self.document(report.document())
            return
        self.words.print(accounting_table(report))
        for source_id in sorted(report.left):
            self.say(f"{source_id}: another worker is crawling it, and was left to do so")
        for source_id, account in sorted(report.sources.items()):
            for code, count in sorted(account.reasons.items()):
                self.say(f"{source_id}: {count} refused, {code}")
            self._units(source_id, account)
            for failure in account.gate_failures:
                if failure == account.error:
                    continue
                self.say(f"{source_id}: gate failed: {failure}")
            if account.error:
                self.say(f"{source_id}: failed: {account.error}")

    def _units(self, source_id: str, account: Account) -> None:
        """What is particular to a backfill."""
        if not account.units:
            return
        self.say(f"{source_id}: units: {', '.join(f'{count} {state}' for state, count in account.units.items())}")
        for failure in account.failures:
            self.say(f"failed: {failure}")
        if days := account.empty_days:
            shown = ", ".join(days[:DAYS_SHOWN]) + (" …" if len(days) > DAYS_SHOWN else "")
            self.say(f"{source_id}: {counted(len(days), 'day')} without an article: {shown}")

    @contextmanager
    def progress(self, description: str, total: int | None = None) -> Iterator[Advance]:
        """A bar with rate and time left on a terminal; nothing where nobody watches."""
        with self._bars() as progress:
            task = progress.add_task(description, total=total)
            yield lambda steps: progress.advance(task, steps)

    @contextmanager
    def lanes(self) -> Iterator[Lanes]:
        """The same with a bar for each of several lanes."""
        with self._bars() as progress:
            yield Lanes(progress)

    def _bars(self) -> Progress:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        hidden = self.quiet or not self.words.is_terminal
        return Progress(*columns, console=self.words, transient=True, disable=hidden)


class Lanes:
    """Bars by name, each made when it is first heard of; what was done before counts for no rate."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def reached(self, name: str, done: int, total: int | None) -> None:
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total, completed=done)
        else:
            self._progress.update(self._bars[name], completed=done, total=total)


class RateColumn(ProgressColumn):
    """Steps a second, from the bar's own recent history."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


def accounting_table(report: RunReport) -> Table:
    table = _plain_table(f"run {report.run_id}")
    table.add_column("source", no_wrap=True)
    for column in COLUMNS:
        table.add_column(NARROW.get(column, column), justify="right", no_wrap=True)
    for source_id, account in sorted(report.sources.items()):
        table.add_row(source_id, *(shown(getattr(account, column)) for column in COLUMNS))
    table.add_section()
    table.add_row("all", *(shown(getattr(report.totals, column)) for column in COLUMNS))
    return table


def _plain_table(title: str | None) -> Table:
    """No rules and one space between columns: the accounting has eleven of them."""
    return Table(title=title, title_justify="left", title_style="", header_style="bold", box=None, padding=(0, 1, 0, 0))


def _cell(text: str) -> Text:
    """Verdicts and states in their colour, where there are colours; the word says it alone."""
    return Text(printable(text), style=STYLES.get(text, ""))


def _plain(cells: Iterable[Text]) -> list[str]:
    return [cell.plain for cell in cells]


def counted(count: int, noun: str) -> str:
    """1 file, 1,200 files."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def printable(text: str) -> str:
    """One line without control characters, escape sequences and bidi overrides."""
    return text.replace("\n", " ").translate(UNPRINTABLE)


def as_json_text(document: object, indent: int | None = None) -> str:
    try:
        return json.dumps(document, ensure_ascii=False, indent=indent, default=str, allow_nan=False)
    except ValueError:
        # NaN and infinities, of a query: JSON has none.
        return json.dumps(_finite(document), ensure_ascii=False, indent=indent, default=str)


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON is made of
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(held) for key, held in value.items()}
    return [_finite(held) for held in value] if isinstance(value, list | tuple) else value


def as_records(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]

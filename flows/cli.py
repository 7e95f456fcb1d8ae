"""The command line: `finnews …`. Data on stdout, words on stderr; one line for an error, with the next step.

Nothing heavy is imported before a command runs: `--help` answers without Prefect, Scrapy or pyarrow.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated

import typer

from flows.core.accounting import Exit
from flows.groups import desk, intake, lake, pages, quarantine, sources
from flows.groups.help import Sections, is_plain_help, list_examples, names_of, usage_error

app = typer.Typer(
    name="finnews",
    cls=Sections,
    help="Chinese finance news: fetched, cleaned, deduplicated, in Parquet.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich panels double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (intake.app, pages.app, lake.app, desk.app):
    app.add_typer(group)
app.add_typer(sources.app, name="sources")
app.add_typer(quarantine.app, name="quarantine")
Sections.headings = {
    "Bring articles in": names_of(intake.app),
    "Use and keep the lake": [*names_of(lake.app), "quarantine"],
    "Look after it": [*names_of(desk.app), "sources"],
    "Pages and documents, without a lake": names_of(pages.app),
}
list_examples(app)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from flows.commands.configuring import version

        typer.echo(f"finnews {version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Chinese finance news: fetched, cleaned, deduplicated, in Parquet."""
    del version


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. Not KeyboardInterrupt, which typer turns into exit code 1."""


def main() -> None:
    """Entry point of the console script."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Whatever the locale is. What is no text, such as half of a surrogate pair, is shown and never stops a run.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command, from its words to its exit code. What is expected to go wrong is one line; a bug rises."""
    try:
        ended = int(app(arguments, prog_name="finnews", standalone_mode=False) or 0)
        sys.stdout.flush()  # what fails here is told, too
        return ended
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):  # typer makes 1 of it
            return int(end.code or 0)
        _leave_pipe()
    except BrokenPipeError:
        _leave_pipe()
    except Interrupted:
        return _end("interrupted; what was committed is safe: run the same command again", Exit.INTERRUPTED)
    except Exception as error:
        if is_plain_help(error):
            sys.stderr.write(f"{error}\n")
            return Exit.USAGE
        if line := usage_error(error):
            return _end(line, Exit.USAGE)
        code = _exit_code(error)
        if code is None:
            raise
        if isinstance(error, OSError):
            _leave_pipe()
        return _end(_told(error), code)
    return Exit.OK


def _interrupt(*_: object) -> None:
    raise Interrupted


def _leave_pipe() -> None:
    """`finnews … | head` ends quietly: what is still buffered has no reader."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_code(error: Exception) -> Exit | None:
    """The exit code of an error that is a person's to mend; None for a bug, which keeps its trace back."""
    from flows.errors import exit_code

    return exit_code(error)


def _told(error: Exception) -> str:
    """Of a full disk whatever met it first: stdout, a temporary file, a file that has a name."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; make room and run the same command again (`finnews doctor` tells how much)"
    return str(error)


def _end(message: str, code: Exit) -> Exit:
    sys.stderr.write(f"finnews: {message}\n")
    return code


if __name__ == "__main__":
    main()

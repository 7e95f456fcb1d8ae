"""How the command line explains itself: commands in sections, examples one below the other, errors in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

EXAMPLES = re.compile(r"Examples?: (?P<list>.*)", re.DOTALL)
SOURCES = Path(__file__).parents[2] / "spiders" / "sources"


class Sections(TyperGroup):
    """The commands under headings, in the order of the headings."""

    headings: Mapping[str, Iterable[str]] = {}

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's, or typer's own copy of it
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = max(map(len, commands))
        for heading, names in self.headings.items():
            rows = [
                (f"{name:<{width}}", command.get_short_help_str(formatter.width))
                for name in names
                if (command := commands[name])
            ]
            with formatter.section(heading):
                formatter.write_dl(rows)


class Plain(TyperCommand):
    """Arguments by their names, without the Python type that typer adds."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - click's, or typer's own copy of it
        params = super().get_params(ctx)
        for param in params:
            if param.param_type_name == "argument":
                param.display_type_rich = _no_type  # type: ignore[attr-defined]
        return list(params)


def names_of(app: typer.Typer) -> list[str]:
    """Of the commands and groups of an app, as they are typed."""
    commands = [each.name or _spelled(each.callback) for each in app.registered_commands]
    return [*commands, *(str(group.name) for group in app.registered_groups if group.name)]


def list_examples(app: typer.Typer) -> None:
    """Examples in an epilog, between dots, become a list that can be copied from."""
    for command in app.registered_commands:
        command.cls = Plain
        found = EXAMPLES.fullmatch(command.epilog or "")
        if found:
            examples = "\n".join(f"  {example.strip()}" for example in found["list"].split(" · "))
            # \b: as it stands, not filled like a paragraph.
            command.epilog = f"\b\nExamples:\n{examples}"
    for group in app.registered_groups:
        if group.typer_instance:
            list_examples(group.typer_instance)


def usage_error(error: Exception) -> str | None:
    """One line for a command that was typed wrong, and where it is explained; None for any other error.

    Told by their shape: they are click's, or those of the copy of click that newer versions of typer bring.
    """
    tell, context = getattr(error, "format_message", None), getattr(error, "ctx", None)
    if tell is None:
        return None
    message = " ".join(str(tell()).split())
    options = getattr(error, "possibilities", None)
    if options:
        message = f"{error.args[0]}. Did you mean {' or '.join(sorted(options))}?"
    return f"{message.rstrip('.')} (see `{context.command_path} --help`)" if context else message


def is_plain_help(error: Exception) -> bool:
    """A group that was called without a command: its message is its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def complete_source(incomplete: str) -> list[str]:
    """Ids of the built-in sources, by their files: completion must not take long."""
    return sorted(file.stem for file in SOURCES.glob(f"{_literally(incomplete)}*.toml"))


def _no_type(ctx: object) -> str:
    del ctx
    return ""


def _literally(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def _spelled(callback: Callable[..., Any] | None) -> str:
    return callback.__name__.replace("_", "-") if callback else ""

"""`finnews init` and `finnews config show`: the settings as a file to begin with, and as they are, with where from.

Secrets are told as such by `repr=False` on their field: nothing here prints more of one than the scheme of its url.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic.fields import FieldInfo

from flows.core.accounting import Exit
from flows.settings import PREFIX, Settings, load_settings, masked, read_file, settings_file
from flows.terminal import Terminal
from flows.writing import OutputError, write_whole

Origin = Literal["flag", "environment", "file", "default"]
HEAD = """\
# Settings of finnews. A line that begins with # is the default.
# A flag (--lake) goes before the environment (FINNEWS_LAKE), the environment before this file.
# `finnews config show` tells what counts, and `finnews doctor` whether it works.
"""
SECRET_ADVICE = "it may hold a password: the environment is a better place, as {variable}"
NEXT = """\
Next: `finnews doctor` looks whether all is there, `finnews demo` shows the
      whole path offline, `finnews sources list` the sites, and
      `finnews ingest SOURCE --limit 5` begins in earnest."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: Any
    """Masked, if it is a secret."""
    origin: Origin
    place: str
    """Name of the flag or variable, or the file; empty for a default."""
    description: str


def init_command(terminal: Terminal, *, lake: str | None) -> Exit:
    """Writes a file of settings. Never over one that is there."""
    file = settings_file()
    if file.exists():
        raise OutputError(f"{file}: there is one already; see `finnews config show`, or move it away")
    write_whole(file, settings_text(lake))
    if terminal.as_json:
        terminal.document({"written": str(file)})
    else:
        terminal.say(f"written to {file}")
        for line in NEXT.splitlines():
            terminal.say(line)
    return Exit.OK


def config_show_command(terminal: Terminal, flags: Mapping[str, Any]) -> Exit:
    settings = effective(flags)
    if terminal.as_json:
        terminal.document({each.name: asdict(each) for each in settings})
    else:
        rows = [(each.name, _toml(each.value), each.origin, each.place) for each in settings]
        terminal.table(("setting", "value", "from", "where"), rows)
    return Exit.OK


def effective(flags: Mapping[str, Any]) -> list[Setting]:
    """Every setting as a run with these flags would have it. Raises SettingsError."""
    settings = load_settings(**flags)
    in_file = read_file()
    found = []
    for name, field in Settings.model_fields.items():
        origin, place = _origin(name, flags, in_file)
        value = getattr(settings, name)
        shown = value if field.repr else masked(value)
        found.append(Setting(name, _plain(shown), origin, place, field.description or ""))
    return found


def settings_text(lake: str | None = None) -> str:
    """A file that changes nothing, but perhaps where the lake is: every setting, as a comment."""
    return "\n".join([HEAD, *(_described(name, field, lake) for name, field in Settings.model_fields.items())])


def version() -> str:
    """Of the installed package, or of the checkout this runs from."""
    try:
        return importlib.metadata.version("finnews")
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
        return f"{project['project']['version']} (checkout)"


def _origin(name: str, flags: Mapping[str, Any], in_file: Mapping[str, Any]) -> tuple[Origin, str]:
    if flags.get(name) is not None:
        return "flag", f"--{name.replace('_', '-')}"
    for variable in os.environ:
        if variable.upper() == PREFIX + name.upper():
            return "environment", variable
    if name in in_file:
        return "file", str(settings_file())
    return "default", ""


def _described(name: str, field: FieldInfo, lake: str | None) -> str:
    lines = [f"# {field.description}"]
    if not field.repr:
        lines.append("# " + SECRET_ADVICE.format(variable=PREFIX + name.upper()))
    if name == "lake" and lake is not None:
        lines.append(f"lake = {_toml(lake)}")
    elif field.default is None:
        lines.append(f"# {name} = …")
    else:
        lines.append(f"# {name} = {_toml(field.default)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:  # noqa: ANN401 - a setting is of any type
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str) if value is not None else ""


def _plain(value: Any) -> Any:  # noqa: ANN401 - a setting is of any type
    return [str(each) for each in value] if isinstance(value, list) else value

"""Settings of a run: flag > environment `FINNEWS_…` > finnews.toml > default.

Politeness and sources are not settings: they stand in the source files.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as PydanticSettingsError,
)

from storage.database import SCHEMES
from storage.store import home_of, is_remote

FILE = "finnews.toml"
PREFIX = "FINNEWS_"
# Read by others than the settings: where prefect.yaml finds the project, what tests look at, and by storage.objects.
NO_SETTINGS = (
    *("CONFIG", "HOME", "CORPUS", "FAILPOINT", "KILLS"),
    *("S3_ENDPOINT", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_SESSION_TOKEN"),
)


class SettingsError(ValueError):
    """One line for the person who wrote the setting: where it stands, what is wrong, what was meant."""


def _a_lake(lake: str) -> str:
    """A folder that may be missing, or a bucket. What is there must be a folder, or nothing can come of it."""
    if not lake.strip():
        raise ValueError("is empty: name a folder, or s3://bucket/prefix")
    if is_remote(lake):
        if not lake.startswith("s3://"):
            raise ValueError(f"{lake!r}: a lake is a folder, or s3://bucket/prefix")
        return lake
    lake = _at_home(lake)
    try:
        mode = os.stat(lake).st_mode  # noqa: PTH116 - Path keeps quiet about loops
    except FileNotFoundError:
        return lake
    except (OSError, ValueError) as error:
        raise ValueError(f"{lake[:80]!r} can be no folder ({getattr(error, 'strerror', None) or error})") from error
    if not stat.S_ISDIR(mode):
        raise ValueError(f"{lake!r} is a file, not a folder")
    return lake


def _at_home(path: str) -> str:
    """A shell writes ~ out; the file and the environment are read without one."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path's raises where nobody has that name


def _home_of_path(path: Path) -> Path:
    return Path(_at_home(str(path)))


def _a_ledger(url: str) -> str:
    if url and urlsplit(url).scheme not in SCHEMES:
        # Not the url itself: it may hold a password.
        raise ValueError("a ledger is postgresql://…, or the lake's own file if none is named")
    return url


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX)

    lake: Annotated[str, AfterValidator(_a_lake)] = Field(
        default="lake", description="folder that holds the lake, or s3://bucket/prefix"
    )
    ledger: Annotated[str, AfterValidator(_a_ledger)] = Field(
        default="",
        repr=False,  # it may hold a password
        description="postgresql://… of the ledger, for several workers on one lake; else a file of the lake",
    )
    state: Annotated[str, AfterValidator(_at_home)] = Field(
        default="", description="folder for the state of a lake in a bucket"
    )
    sources: list[Annotated[Path, AfterValidator(_home_of_path)]] = Field(
        default=[], description="folders with source files of your own"
    )
    workers: int = Field(default=0, ge=0, le=256, description="processes that extract; 0: one per core")
    crawls: int = Field(default=2, ge=1, le=64, description="crawls at a time, each of another source")
    crawl_seconds: float = Field(default=1800, gt=0, description="seconds after which a crawl is asked to stop")
    page_seconds: float = Field(default=20, gt=0, description="CPU seconds one page may take to extract")
    page_memory_mb: int = Field(default=2048, ge=256, description="memory one extracting process may take, MiB")
    delay_seconds: float | None = Field(
        default=None, ge=0, description="delay between requests to a host, in place of the source's"
    )
    keep_pages_days: int = Field(default=0, ge=0, description="days that raw pages are kept; 0: for ever")
    connect_to: dict[str, str] = Field(
        default={}, description="host → address:port to connect to in its place, * for all; for tests and the demo"
    )
    notify_urls: list[str] = Field(
        default=[], repr=False, description="where alarms go, as apprise writes them: json://host/path, mailto://…"
    )

    @property
    def lake_path(self) -> Path:
        """Its folder; of a lake in a bucket, that of its state."""
        return home_of(self.lake, self.state)

    @property
    def worker_count(self) -> int:
        return self.workers or len(os.sched_getaffinity(0))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=read_file())


def settings_file() -> Path:
    return Path(os.environ.get(PREFIX + "CONFIG", FILE))


def read_file() -> dict[str, Any]:
    """What the file says, before it is checked; nothing, if there is none. Raises SettingsError."""
    file = settings_file()
    if not file.exists() and PREFIX + "CONFIG" not in os.environ:
        return {}
    try:
        # A byte order mark is what some editors begin a file with.
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise SettingsError(f"{file}: no such file (named by {PREFIX}CONFIG)") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: {error}") from error
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror})") from error


def load_settings(**flags: Any) -> Settings:  # noqa: ANN401 - the flags are the model's own fields
    """Settings of this run. A flag that is None was not given. Raises SettingsError."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem, flags) for problem in error.errors())) from error
    except PydanticSettingsError as error:
        raise SettingsError(_json_expected(error)) from error


def unknown_variables() -> Iterator[str]:
    """A line for each variable that looks like a setting and is none: pydantic takes no notice of them."""
    known = [*(name.upper() for name in Settings.model_fields), *NO_SETTINGS]
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper().startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"{variable}: no such setting" + (f"; did you mean {PREFIX}{close[0]}?" if close else "")


def masked(value: Any) -> Any:  # noqa: ANN401 - a setting is of any type
    """What may be shown of a secret: that there is one, and the scheme of a url."""
    if isinstance(value, list):
        return [masked(each) for each in value]
    scheme, found, _ = str(value).partition("://")
    return (f"{scheme}://***" if found else "***") if value else value


def _json_expected(error: PydanticSettingsError) -> str:
    """Of a variable that should hold a list or a table."""
    name = re.search(r'field "(\w+)"', str(error))
    if name is None:
        return f"{error}: JSON is expected"
    example = '{"example.com": "127.0.0.1:8080"}' if name[1] == "connect_to" else '["one", "two"]'
    return f"{PREFIX}{name[1].upper()}: JSON is expected, such as {example}"


def _sentence(problem: Any, flags: Mapping[str, Any]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    name, key = str(problem["loc"][0]), ".".join(str(part) for part in problem["loc"])
    variable = PREFIX + name.upper()
    if flags.get(name) is not None:
        place = f"--{name}"
    elif variable in os.environ:
        place = variable
    else:
        place = f"{settings_file()}:{_line_of(name)}: {key}"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, Settings.model_fields, n=1)
        return f"{place}: no such setting" + (f"; did you mean {close[0]}?" if close else "")
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def _line_of(name: str) -> int:
    """Where the file sets it."""
    lines = settings_file().read_text(encoding="utf-8-sig").splitlines()
    begins = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(lines, start=1) if begins.match(line)), 1)

"""Settings of a run: flag > environment `FINNEWS_…` > finnews.toml > default.

Politeness and sources are not settings: they stand in the source files.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from storage.store import home_of

FILE = "finnews.toml"
PREFIX = "FINNEWS_"


class SettingsError(ValueError):
    """One line for the person who wrote the setting: where it stands, what is wrong, what was meant."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX)

    lake: str = Field(default="lake", description="folder that holds the lake, or s3://bucket/prefix")
    ledger: str = Field(
        default="",
        repr=False,  # it may hold a password
        description="postgresql://… of the ledger, for several workers on one lake; else a file of the lake",
    )
    state: str = Field(default="", description="folder for the state of a lake in a bucket")
    sources: list[Path] = Field(default=[], description="folders with source files of your own")
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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())


def settings_file() -> Path:
    return Path(os.environ.get(PREFIX + "CONFIG", FILE))


def load_settings(**flags: Any) -> Settings:  # noqa: ANN401 - the flags are the model's own fields
    """Settings of this run. A flag that is None was not given. Raises SettingsError."""
    file = settings_file()
    if PREFIX + "CONFIG" in os.environ and not file.is_file():
        raise SettingsError(f"{file}: no such file (named by {PREFIX}CONFIG)")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem, file) for problem in error.errors())) from error
    except (ValueError, OSError) as error:
        raise SettingsError(f"{file}: {error}") from error


def _sentence(problem: Any, file: Path) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    key = ".".join(str(part) for part in problem["loc"])
    variable = PREFIX + key.upper()
    place = variable if variable in os.environ else f"{file} {key}"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, Settings.model_fields, n=1)
        return f"{place}: no such setting" + (f"; did you mean {close[0]}?" if close else "")
    return f"{place}: {problem['msg']}"

"""Who is told when a flow run goes wrong.

A source that fell ill is told once, when it falls ill and when it is well again, by flows.desk.notifying; that the run
failed for it is no news. What no source is to blame for (the lake, the server, a bug) is told each time.
"""

from __future__ import annotations

import logging
from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow

from flows.core.accounting import Exit, RunFailedError
from flows.settings import Settings, SettingsError, load_settings

log = logging.getLogger("finnews.alarming")

OF_SOURCES = frozenset({Exit.SOME_FAILED, Exit.ALL_FAILED, Exit.GATE})


def alarm(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """The failure hook of every flow."""
    settings = load_settings(lake=flow_run.parameters.get("lake"))
    if not settings.notify_urls or _of_sources(state):
        return
    from flows.desk.notifying import notify

    try:
        notify(f"finnews: {flow.name} failed", f"{flow_run.name}: {state.message}", settings)
    except SettingsError as error:
        log.error("not told: %s", error)


def tell(settings: Settings) -> None:
    """Of sources that fell ill or are well again. An address that is none undoes no run."""
    if not settings.notify_urls:
        return
    # With apprise and DuckDB behind it, which a run that has nobody to tell does not need.
    from flows.desk.notifying import tell_changes

    try:
        tell_changes(settings)
    except SettingsError as error:
        log.error("not told: %s", error)


def _of_sources(state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, RunFailedError) and error.report.exit_code in OF_SOURCES

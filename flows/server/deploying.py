"""Brings a Prefect server up to what stands in prefect.yaml and automations.yaml: `python -m flows.server.deploying`.

Any number of times: the pool is made if it is missing, deployments and automations are brought up to date.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

HOME = Path(__file__).resolve().parents[2]
DEPLOYMENTS = HOME / "prefect.yaml"
AUTOMATIONS = HOME / "automations.yaml"
POOL = "finnews"


def main(arguments: Sequence[str]) -> int:
    file = Path(arguments[0]) if arguments else DEPLOYMENTS
    said = asyncio.run(_bring_up_to_date(AUTOMATIONS))
    sys.stderr.write("".join(f"{line}\n" for line in said))
    return deploy(file)


def deploy(file: Path) -> int:
    """Prefect's own command, which alone knows all that a deployment file may say."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
    environment = {**os.environ, "FINNEWS_HOME": os.environ.get("FINNEWS_HOME", str(HOME))}
    return subprocess.run(command, cwd=HOME, env=environment, check=False).returncode


async def _bring_up_to_date(automations: Path) -> list[str]:
    async with get_client() as client:
        return [await _ensure_pool(client), *[await _apply(client, found) for found in _read(automations)]]


async def _ensure_pool(client: PrefectClient) -> str:
    """A pool that is there keeps its type: process or docker is for who runs the workers to say."""
    try:
        pool = await client.read_work_pool(POOL)
    except ObjectNotFound:
        pool = await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        return f"work pool {pool.name} made, of type {pool.type}"
    return f"work pool {pool.name} is there, of type {pool.type}"


async def _apply(client: PrefectClient, automation: AutomationCore) -> str:
    known = await client.read_automations_by_name(automation.name)
    if known and _same(known[0], automation):
        # An update forgets every heartbeat that it is waiting for the next of: a run dying now would never be marked.
        return f"automation {automation.name} is there"
    if known:
        await client.update_automation(known[0].id, automation)
        return f"automation {automation.name} brought up to date"
    await client.create_automation(automation)
    return f"automation {automation.name} made"


def _same(one: AutomationCore, other: AutomationCore) -> bool:
    fields = set(AutomationCore.model_fields)
    dumped = [_without_ids(each.model_dump(mode="json", include=fields)) for each in (one, other)]
    return bool(dumped[0] == dumped[1])


def _without_ids(dumped: Any) -> Any:  # noqa: ANN401 - JSON
    """Triggers are given an id each time they are read from the file."""
    if isinstance(dumped, dict):
        return {key: _without_ids(value) for key, value in dumped.items() if key != "id"}
    return [_without_ids(each) for each in dumped] if isinstance(dumped, list) else dumped


def _read(file: Path) -> list[AutomationCore]:
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["automations"]
    return [AutomationCore.model_validate(automation) for automation in found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

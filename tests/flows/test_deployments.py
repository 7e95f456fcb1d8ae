"""prefect.yaml, automations.yaml, Dockerfile, compose.yaml: what they name is there, and fits together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = FILE["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_entrypoint_loads_and_takes_its_parameters(deployment: dict[str, Any], monkeypatch) -> None:
    from prefect.flows import load_flow_from_entrypoint

    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    flow.validate_parameters(deployment["parameters"])


def test_schedules_are_in_shanghai_and_overlaps_are_settled() -> None:
    schedules = [schedule for deployment in DEPLOYMENTS for schedule in deployment.get("schedules", [])]
    assert schedules
    assert {schedule["timezone"] for schedule in schedules} == {"Asia/Shanghai"}
    strategies = {d["name"]: d["concurrency_limit"]["collision_strategy"] for d in DEPLOYMENTS}
    assert strategies == {
        "scheduled": "CANCEL_NEW",
        "revisit": "CANCEL_NEW",
        "maintain": "CANCEL_NEW",
        "manual": "ENQUEUE",
        "backfill": "ENQUEUE",
        "archives": "ENQUEUE",
    }

"""prefect.yaml, automations.yaml, Dockerfile, compose.yaml: what they name is there, and fits together."""

from __future__ import annotations

import json
import re
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


def test_the_live_queue_goes_before_the_bulk_one() -> None:
    queues = {d["name"]: d["work_pool"]["work_queue_name"] for d in DEPLOYMENTS}
    assert {name for name, queue in queues.items() if queue == "bulk"} == {"backfill", "archives"}


def test_a_run_is_one_process() -> None:
    """Without a command, a process worker starts another Python with Prefect in it before each run."""
    commands = {d["work_pool"]["job_variables"]["command"] for d in DEPLOYMENTS}
    assert commands == {"python -m prefect.engine"}


def test_automations_are_what_prefect_understands() -> None:
    from prefect.events.schemas.automations import AutomationCore

    document = yaml.safe_load((ROOT / "automations.yaml").read_text(encoding="utf-8"))
    [dead_runs] = [AutomationCore.model_validate(each) for each in document["automations"]]
    assert "prefect.flow-run.heartbeat" in dead_runs.trigger.after
    beats = {int(d["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"]) for d in DEPLOYMENTS}
    assert max(beats) * 2 < dead_runs.trigger.within.total_seconds(), "one beat may be lost"
    assert all("finnews" in d["tags"] for d in DEPLOYMENTS), "by which it knows our runs"


# Without Docker in reach: what its own parser would refuse first, and what it would not refuse and should.
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
ONE_SHOT = {"bucket", "deploy"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_refers_to_what_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
    for other, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert how["condition"] == wanted
        assert (other in ONE_SHOT) != ("healthcheck" in SERVICES[other])
    assert not service["image"].endswith(":latest") or "build" in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_compose_holds_no_secret_and_the_example_names_them_all() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = {line.partition("=")[0] for line in example.splitlines() if "=" in line and not line.startswith("#")}
    assert set(re.findall(r"\$\{(\w+)", text)) <= given
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    assert {word for word, _ in steps} <= {
        *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"),
    }
    froms = [at for at, (word, _) in enumerate(steps) if word == "FROM"]
    assert len(froms) == 2
    assert any("--require-hashes" in rest and "requirements.lock" in rest for _, rest in steps[: froms[1]])
    final = steps[froms[1] :]
    user = next(at for at, (word, rest) in enumerate(final) if word == "USER")
    assert final[user][1] not in ("root", "0")
    assert not [rest for word, rest in final[user:] if word in ("RUN", "COPY")], "nothing is written after it"
    for word, rest in steps:
        if word in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list), "no shell between Docker's signal and us"
        if word == "COPY" and "--from" not in rest:
            assert all((ROOT / source).exists() for source in rest.split()[:-1])


def test_the_docker_pool_is_a_job_template() -> None:
    from prefect.client.schemas.actions import WorkPoolCreate

    template = json.loads((ROOT / "docker-pool.json").read_text(encoding="utf-8"))
    WorkPoolCreate(name="finnews", type="docker", base_job_template=template)
    named = set(re.findall(r"{{ (\w+) }}", json.dumps(template["job_configuration"])))
    assert named == set(template["variables"]["properties"])
    assert set(DEPLOYMENTS[0]["work_pool"]["job_variables"]) <= named

"""prefect.yaml, automations.yaml, Dockerfile, compose.yaml: what they name is there, and fits together."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml

from flows.cli import app
from flows.server import serving
from flows.settings import NO_SETTINGS, Settings

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


def commands() -> dict[str, list[str]]:
    """Of the services that run our image: what its entry point and its command come to."""
    ours = {name: service for name, service in SERVICES.items() if service["image"] == "finnews:latest"}
    return {
        name: [*service.get("entrypoint", ["finnews"]), *service.get("command", [])] for name, service in ours.items()
    }


def test_services_run_commands_that_are_there_with_options_that_these_know() -> None:
    assert set(commands()) == {"prefect", "deploy", "worker"}
    program, *words = commands()["worker"]
    assert program == "finnews"
    group = typer.main.get_command(app)
    name, command, rest = group.resolve_command(click.Context(group), words)
    assert command.make_context(name, rest).params["limit"] == 2
    python, flag, module = commands()["deploy"]
    assert (python, flag) == ("python", "-m")
    assert callable(importlib.import_module(module).main)


@pytest.mark.slow
@pytest.mark.parametrize("words", [commands()["prefect"], ["prefect", *serving._worker({}, 2)._command[3:]]])
def test_prefect_knows_the_options_it_is_given(words: list[str]) -> None:
    """The server's in compose.yaml, and the worker's that `finnews serve` starts."""
    subcommand = words[1:3]
    told = subprocess.run(
        [sys.executable, "-m", "prefect", *subcommand, "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    options = {word for word in words if word.startswith("--")}
    assert options
    assert options <= set(re.findall(r"--[a-z-]+", told))


def test_variables_are_ones_that_somebody_reads() -> None:
    from prefect.settings import Settings as PrefectSettings
    from prefect.settings.legacy import _get_settings_fields

    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "compose.yaml", ".env.example")}
    texts["prefect.yaml"] = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
    named = {found for text in texts.values() for found in re.findall(r"\b(?:FINNEWS|PREFECT)_[A-Z0-9_]+", text)}
    ours = {f"FINNEWS_{name.upper()}" for name in Settings.model_fields} | {"FINNEWS_HOME"}
    of_the_store = set(re.findall(r"FINNEWS_S3_[A-Z_]+", (ROOT / "storage" / "objects.py").read_text(encoding="utf-8")))
    assert of_the_store <= {f"FINNEWS_{name}" for name in NO_SETTINGS}, "else they are called misspelt"
    assert named <= ours | of_the_store | set(_get_settings_fields(PrefectSettings))


def test_the_worker_is_told_from_the_check_that_asks_for_it(tmp_path: Path) -> None:
    check = SERVICES["worker"]["healthcheck"]["test"]
    code = check[3].replace("/proc", str(tmp_path))
    processes = {1: ["/sbin/docker-init", "--", "finnews", "serve"], 7: check[1:]}
    for pid, words in processes.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    ask = [sys.executable, "-c", code]
    assert subprocess.run(ask, check=False).returncode == 1, "nobody but the check itself"
    (tmp_path / "9").mkdir()
    worker = serving._worker({}, 2)._command
    (tmp_path / "9" / "cmdline").write_bytes(b"\0".join(word.encode() for word in worker) + b"\0")
    assert subprocess.run(ask, check=False).returncode == 0


def test_the_image_installs_what_make_setup_installs() -> None:
    def installs(file: str) -> list[set[str]]:
        text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
        found = re.findall(r"(?i)bin\)?/pip install ([^&\n]+)", text)
        return [set(line.split()) - {"--quiet", "--no-cache-dir"} for line in found]

    assert installs("Dockerfile") == installs("Makefile")


def test_what_the_image_does_without_is_in_the_lock_and_nothing_of_ours_imports_it() -> None:
    [gone] = re.findall(r"pip uninstall --yes --quiet ([\w ]+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    rooms = [file for room in ("articles", "spiders", "storage", "flows") for file in (ROOT / room).rglob("*.py")]
    imported = {
        name for file in rooms for name in re.findall(r"(?:import|from) (\w+)", file.read_text(encoding="utf-8"))
    }
    for name in gone.split():
        assert re.search(rf"^{name}==", lock, re.MULTILINE), name
        assert name not in imported


def test_the_docker_pool_is_a_job_template() -> None:
    from prefect.client.schemas.actions import WorkPoolCreate

    template = json.loads((ROOT / "docker-pool.json").read_text(encoding="utf-8"))
    WorkPoolCreate(name="finnews", type="docker", base_job_template=template)
    named = set(re.findall(r"{{ (\w+) }}", json.dumps(template["job_configuration"])))
    assert named == set(template["variables"]["properties"])
    assert set(DEPLOYMENTS[0]["work_pool"]["job_variables"]) <= named

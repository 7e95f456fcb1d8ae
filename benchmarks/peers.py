"""Other tools, each benchmark's in an environment of its own (`.bench/<benchmark>-venv`): never dependencies of ours.

What is installed stands in `<benchmark>_peers.txt`, a tool a line: its name, a colon, and what pip is given for it.
"""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tables import progress

HERE = Path(__file__).parent


def peer_python(benchmark: str) -> Path:
    return HERE.parent / ".bench" / f"{benchmark}-venv" / "bin" / "python"


def install_peers(benchmark: str) -> dict[str, str]:
    """Installs what is missing; names the tools that could not be installed, each with pip's reason."""
    python = peer_python(benchmark)
    environment = python.parents[1]
    if not python.exists():
        progress(f"making {environment}")
        venv.create(environment, with_pip=True)
    done = environment / "installed.json"
    installed: list[str] = json.loads(done.read_text(encoding="utf-8")) if done.exists() else []
    missing: dict[str, str] = {}
    for line in _lines(benchmark):
        if line not in installed:
            name, _, packages = line.partition(":")
            progress(f"installing {packages.strip()}")
            if reason := _refused(python, packages.split()):
                missing[name] = reason
            else:
                installed.append(line)
    done.write_text(json.dumps(installed, indent=1), encoding="utf-8")
    return missing


def _lines(benchmark: str) -> Iterator[str]:
    for line in (HERE / f"{benchmark}_peers.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def _refused(python: Path, packages: list[str]) -> str:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    run = subprocess.run(pip, capture_output=True, text=True)
    if not run.returncode:
        return ""
    return next((line for line in run.stderr.splitlines() if "ERROR" in line), f"pip ended with {run.returncode}")

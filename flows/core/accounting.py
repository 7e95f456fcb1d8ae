"""What became of everything a run was offered. It not adding up is a bug, and ends the run with exit code 5."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Self

from articles.records import Decision

OUTCOMES = ("stored", "revised", "duplicates", "unchanged", "filtered", "quarantined", "pending")
COUNTS = ("discovered", *OUTCOMES, "requests")
COLUMNS = (*COUNTS, "seconds")
OF_BACKFILL = ("units", "failures", "empty_days")
OUTCOME_OF = {"new": "stored", "revision": "revised", "duplicate": "duplicates", "unchanged": "unchanged"}


class Exit(IntEnum):
    """Exit codes of the command line; the same numbers are the state of a run in the ledger."""

    OK = 0
    USAGE = 2
    SOME_FAILED = 3
    GATE = 4
    UNBALANCED = 5
    LOCKED = 6
    ALL_FAILED = 75
    INTERRUPTED = 130


@dataclass(slots=True)
class Account:
    """One source in one run; `discovered` is the sum of all OUTCOMES."""

    discovered: int = 0
    stored: int = 0
    revised: int = 0
    duplicates: int = 0
    unchanged: int = 0
    filtered: int = 0
    quarantined: int = 0
    pending: int = 0
    requests: int = 0
    seconds: float = 0.0
    gate_failures: list[str] = field(default_factory=list)
    error: str | None = None
    """Why the source failed as a whole."""
    reasons: dict[str, int] = field(default_factory=dict)
    """E-CODE → how many were refused for it."""
    units: dict[str, int] = field(default_factory=dict)
    """Of a backfill: how many of its units are done, failed, or left for another run."""
    failures: list[str] = field(default_factory=list)
    """Of a backfill: each failed unit, and why."""
    empty_days: list[str] = field(default_factory=list)
    """Of a backfill: days of its range of which the lake holds no article of the source."""

    @property
    def accounted(self) -> int:
        return sum(getattr(self, outcome) for outcome in OUTCOMES)

    @property
    def balanced(self) -> bool:
        return self.discovered == self.accounted

    def __add__(self, other: Account) -> Account:
        """Numbers and lists add up; an error stays."""
        reasons = Counter(self.reasons) + Counter(other.reasons)
        numbers = {name: getattr(self, name) + getattr(other, name) for name in (*COUNTS, "seconds")}
        return Account(
            **numbers,
            gate_failures=self.gate_failures + other.gate_failures,
            error=self.error or other.error,
            reasons=dict(reasons),
        )

    def decide(self, decision: Decision) -> None:
        outcome = OUTCOME_OF[decision.kind]
        setattr(self, outcome, getattr(self, outcome) + 1)

    def refuse(self, code: str) -> None:
        self.quarantined += 1
        self.reasons[code] = self.reasons.get(code, 0) + 1


@dataclass(slots=True)
class RunReport:
    run_id: str
    sources: dict[str, Account] = field(default_factory=dict)
    interrupted: bool = False
    left: list[str] = field(default_factory=list)
    """Sources that another worker was crawling."""

    def account(self, source_id: str) -> Account:
        return self.sources.setdefault(source_id, Account())

    @property
    def totals(self) -> Account:
        return sum(self.sources.values(), start=Account())

    @property
    def exit_code(self) -> Exit:
        accounts = list(self.sources.values())
        failed = [account for account in accounts if account.error]
        if self.interrupted:
            return Exit.INTERRUPTED
        if not all(account.balanced for account in accounts):
            return Exit.UNBALANCED
        if failed:
            return Exit.ALL_FAILED if len(failed) == len(accounts) else Exit.SOME_FAILED
        if any(account.failures for account in accounts):
            return Exit.SOME_FAILED
        if self.left and not accounts:
            return Exit.LOCKED
        return Exit.GATE if any(account.gate_failures for account in accounts) else Exit.OK

    def or_raise(self) -> Self:
        """Raises RunFailedError unless all went well, here or at another worker: how a flow run fails."""
        if self.exit_code not in (Exit.OK, Exit.LOCKED):
            raise RunFailedError(self)
        return self

    def document(self) -> dict[str, Any]:
        """The JSON that `ingest`, `backfill` and `demo` print."""
        totals = asdict(self.totals)
        for name in ("gate_failures", "error", "reasons", *OF_BACKFILL):
            del totals[name]
        left = {"left": sorted(self.left)} if self.left else {}
        return left | {
            "run_id": self.run_id,
            "exit_code": int(self.exit_code),
            "sources": {source_id: _rounded(asdict(account)) for source_id, account in sorted(self.sources.items())},
            "totals": totals | {"seconds": round(totals["seconds"], 3)},
        }


class RunFailedError(RuntimeError):
    """A run that ended with an exit code other than 0."""

    def __init__(self, report: RunReport) -> None:
        self.report = report
        failures = [
            f"{source_id}: {account.error or ', '.join(account.gate_failures)}"
            for source_id, account in sorted(report.sources.items())
            if account.error or account.gate_failures
        ]
        super().__init__(f"{report.exit_code.name}: {'; '.join(failures) or 'the accounts do not add up'}")


def _rounded(account: dict[str, Any]) -> dict[str, Any]:
    """What only a backfill has is left out where there is none."""
    told = {name: value for name, value in account.items() if name not in OF_BACKFILL or account["units"]}
    return told | {"seconds": round(account["seconds"], 3)}

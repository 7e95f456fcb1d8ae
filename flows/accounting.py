"""What became of everything a run was offered. It not adding up is a bug, and ends the run with exit code 5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import Any

from articles.records import Decision

OUTCOMES = ("stored", "revised", "duplicates", "unchanged", "filtered", "quarantined", "pending")
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

    @property
    def accounted(self) -> int:
        return sum(getattr(self, outcome) for outcome in OUTCOMES)

    @property
    def balanced(self) -> bool:
        return self.discovered == self.accounted

    def decide(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
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

    def account(self, source_id: str) -> Account:
        return self.sources.setdefault(source_id, Account())

    @property
    def totals(self) -> Account:
        total = Account()
        for account in self.sources.values():
            for name in ("discovered", *OUTCOMES, "requests", "seconds"):
                setattr(total, name, getattr(total, name) + getattr(account, name))
        return total

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
        return Exit.GATE if any(account.gate_failures for account in accounts) else Exit.OK

    def document(self) -> dict[str, Any]:
        """The JSON that `ingest`, `backfill` and `demo` print."""
        totals = asdict(self.totals)
        for name in ("gate_failures", "error", "reasons"):
            del totals[name]
        return {
            "run_id": self.run_id,
            "exit_code": int(self.exit_code),
            "sources": {source_id: _rounded(asdict(account)) for source_id, account in sorted(self.sources.items())},
            "totals": _rounded(totals),
        }


def _rounded(account: dict[str, Any]) -> dict[str, Any]:
    return account | {"seconds": round(account["seconds"], 3)}


COLUMNS = tuple(column.name for column in fields(Account) if column.name not in ("gate_failures", "error", "reasons"))

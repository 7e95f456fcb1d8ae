"""What became of every article that a crawl discovered. Each is settled exactly once; nothing vanishes."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Outcome = Literal["fetched", "rejected", "unchanged", "filtered", "pending"]


class Tally:
    def __init__(self) -> None:
        self._settled: dict[str, tuple[Outcome, str] | None] = {}

    def __len__(self) -> int:
        return len(self._settled)

    def discover(self, article_id: str) -> bool:
        """False if it was listed before in this crawl."""
        if article_id in self._settled:
            return False
        self._settled[article_id] = None
        return True

    def settle(self, article_id: str, outcome: Outcome, reason: str = "") -> None:
        if self._settled[article_id] is not None:
            raise RuntimeError(f"{article_id} is settled twice: {self._settled[article_id]}, {outcome} {reason}")
        self._settled[article_id] = (outcome, reason)

    def close(self, reason: str) -> None:
        """What was listed and never came to an end is pending."""
        for article_id, outcome in self._settled.items():
            if outcome is None:
                self._settled[article_id] = ("pending", reason)

    def count(self, outcome: Outcome) -> int:
        return sum(1 for settled in self._settled.values() if settled and settled[0] == outcome)

    def reasons(self, outcome: Outcome) -> dict[str, int]:
        return dict(Counter(settled[1] for settled in self._settled.values() if settled and settled[0] == outcome))

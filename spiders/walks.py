"""One walk through one list, from its newest page back to where the last walk had been.

Pure bookkeeping. The measure is what stood on the first page of the last walk that came to its end: an article that is
merely known may have come in through a walk that was cut short, and what follows it on the list is then still unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spiders.crawl import Gap, Poll

# A pinned article stays at the head of a list for days: one or two common entries prove nothing.
OVERLAP = 3
# Lists are rarely in perfect order; this many familiar entries at the end of a page say that all below is familiar too.
IN_A_ROW = 3
HEAD_LENGTH = 300


@dataclass(slots=True)
class Walk:
    key: str
    before: Poll | None
    resumed: bool = False
    """An earlier walk through this list was cut short: that a page brings nothing fresh does not mean it is the end."""
    head: list[str] = field(default_factory=list)
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    met: int = 0
    """Entries of the last walk's first page that were met again."""
    reached: bool = False
    """The end of a page lies where the last walk had been."""
    repeats: bool = False
    """The last page names nothing that the pages before it did not."""
    _seen: set[str] = field(default_factory=set)

    def turn(self, ids: Sequence[str], times: Sequence[datetime]) -> None:
        """Takes note of one page: its articles in the order of the list."""
        self.repeats = self._seen.issuperset(ids)
        self._seen.update(ids)
        if not self.head:
            self.head = list(ids[:HEAD_LENGTH])
        if times:
            self.newest_at = max(filter(None, (self.newest_at, *times)))
            self.oldest_at = min(filter(None, (self.oldest_at, *times)))
        if self.before and ids:
            self.met += len(self.before.head.intersection(ids))
            self.reached = self.before.head.issuperset(ids[-IN_A_ROW:])

    @property
    def overlaps(self) -> bool:
        """Is the last walk met again, so that nothing can be missing between?"""
        if self.before is None:
            return False
        return self.reached or self.met >= min(OVERLAP, len(self.before.head))

    def goes_on(self, *, fresh: int, number: int, first_pages: int, gap_pages: int) -> bool:
        """Is there a reason to turn to page `number`, after one with so many fresh articles?"""
        if self.repeats:
            return False
        if self.before is None:
            return (fresh > 0 or self.resumed) and number <= first_pages
        return not self.reached and (fresh > 0 or not self.overlaps) and number <= gap_pages

    def gap(self) -> Gap | None:
        """What lies between this walk and the last, if they do not meet."""
        if self.before is None or self.overlaps or not self.head:
            return None
        since = self.before.newest_at or self.before.walked_at
        return Gap(list=self.key, since=since, until=max(since, self.oldest_at or datetime.now(UTC)))

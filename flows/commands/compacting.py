"""`finnews compact`: days gone quiet are written for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from flows.commands.sources import require_sources
from flows.core.accounting import Exit
from flows.settings import Settings
from flows.terminal import Terminal, counted
from storage.compact import compact
from storage.lake import Lake
from storage.retention import expire
from storage.store import Listed, open_store, require_lake


def compact_command(
    settings: Settings, terminal: Terminal, *, older_than_days: int, sources: Sequence[str] = (), dry_run: bool = False
) -> Exit:
    """Ends with 4 if a file cannot be read: the others are sealed all the same."""
    require_lake(settings.lake_path)
    require_sources(sources, settings)
    before = (datetime.now(UTC) - timedelta(days=older_than_days)).date()
    if dry_run:
        found = list(compact(open_store(settings.lake_path), before, sources=sources, dry_run=True))
    else:
        with Lake.open(settings.lake_path, settings.ledger) as lake, terminal.progress("partitions") as advance:
            found = []
            for sealed in lake.compact(before, sources=sources):
                found.append(sealed)
                advance(1)
    expired = expire_pages(settings, dry_run=dry_run)
    sound = [sealed for sealed in found if not sealed.error]
    broken = [sealed for sealed in found if sealed.error]
    sums = {
        "sealed": len(sound),
        "bytes_before": sum(sealed.bytes_before for sealed in sound),
        "bytes_after": sum(sealed.bytes_after for sealed in sound),
        "page_files_expired": len(expired),
        "page_bytes_expired": sum(listed.size_bytes for listed in expired),
    }
    if terminal.as_json:
        terminal.document(sums | {"unreadable": [asdict(sealed) for sealed in broken]})
    else:
        would = "would be sealed" if dry_run else "sealed"
        terminal.say(f"{counted(len(sound), 'file')} {would}: {sums['bytes_before']:,} bytes → {sums['bytes_after']:,}")
        if expired:
            would = "would expire" if dry_run else "expired"
            terminal.say(f"{counted(len(expired), 'file')} of pages {would}: {sums['page_bytes_expired']:,} bytes")
        for sealed in broken:
            terminal.say(sealed.error)
    return Exit.GATE if broken else Exit.OK


def expire_pages(settings: Settings, *, dry_run: bool = False) -> list[Listed]:
    """What retention deletes of the page archive; nothing, unless a setting says how long pages are kept."""
    if not settings.keep_pages_days:
        return []
    before = (datetime.now(UTC) - timedelta(days=settings.keep_pages_days)).date()
    return expire(open_store(settings.lake_path), before, dry_run=dry_run)

"""How long pages are kept. What went is remembered: a page that has expired is never taken for one that is lost.

LAKE/pages/expired.json     {source: day}: pages fetched before that day have been deleted
"""

from __future__ import annotations

import json
import re
import shutil
import uuid
from datetime import date
from pathlib import Path

from storage.errors import ArchiveError
from storage.store import sync_folder, write_synced

PLACE = re.compile(r"pages/source=(?P<source>[^/]+)/(?P<day>\d{4}-\d\d-\d\d)(?:/.*)?")


def expire(lake: Path, before: date, *, dry_run: bool = False) -> list[Path]:
    """Delete the folders of pages that were fetched before this day; gives them. Rows keep their raw_ref."""
    folders = [folder for folder in sorted((lake / "pages").glob("source=*/*")) if _is_before(lake, folder, before)]
    if folders and not dry_run:
        # Said before it is done: killed in between, the rest goes next time.
        _remember(lake, {folder.parent.name.removeprefix("source=") for folder in folders}, before)
        for folder in folders:
            shutil.rmtree(folder)
    return folders


def is_expired(lake: Path, place: str) -> bool:
    """Of a raw_ref, or the path of a file in the archive: has retention deleted it?"""
    found = PLACE.match(place)
    return found is not None and found["day"] < _expired(lake).get(found["source"], "")


def _is_before(lake: Path, folder: Path, before: date) -> bool:
    found = PLACE.fullmatch(folder.relative_to(lake).as_posix())
    return found is not None and found["day"] < before.isoformat()


def _expired(lake: Path) -> dict[str, str]:
    path = lake / "pages" / "expired.json"
    try:
        found: dict[str, str] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ArchiveError(f"{path}: not JSON ({error}); without it, pages that have expired count as lost") from error
    return found


def _remember(lake: Path, sources: set[str], before: date) -> None:
    expired = _expired(lake)
    expired |= {source: max(before.isoformat(), expired.get(source, "")) for source in sources}
    path = lake / "pages" / "expired.json"
    fresh = lake / "_state" / f"expired-{uuid.uuid4().hex}.json"
    write_synced(fresh, json.dumps(expired, indent=2, sort_keys=True).encode())
    fresh.replace(path)
    sync_folder(path.parent)

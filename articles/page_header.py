"""What an archive's record has no field for: everything about a page but its bytes, as JSON in a header beside them.

Written by storage.archive, and read by it and by whoever is given such an archive as any other.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from articles.records import Listed, Page

PAGE_HEADER = "Finnews-Page"


def describe(page: Page) -> str:
    """Without its place in the archive; the length of its body tells where that begins in the record."""
    described = {
        "source": page.source,
        "url": page.url,
        "final_url": page.final_url,
        "status": page.status,
        "headers": dict(page.headers),
        "form": page.form,
        "fetched_at": page.fetched_at.isoformat(),
        "body_bytes": len(page.body),
        "listed": {name: value for name, value in asdict(page.listed).items() if value not in (None, ())},
    }
    return json.dumps(described, ensure_ascii=True, separators=(",", ":"))


def page_of(description: str, block: bytes, raw_ref: str = "") -> Page:
    """The page of a record's block. Raises ValueError, if the description is none."""
    try:
        described = json.loads(description)
        listed = described.pop("listed")
        if "tags" in listed:
            listed["tags"] = tuple(listed["tags"])
        return Page(
            body=block[len(block) - described.pop("body_bytes") :],
            fetched_at=datetime.fromisoformat(described.pop("fetched_at")),
            listed=Listed(**listed),
            raw_ref=raw_ref,
            **described,
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no description of a page ({error})") from error

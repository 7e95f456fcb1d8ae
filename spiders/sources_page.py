"""docs/sources.md from the source files: what each source lists, how far back, what must hold, and how it was checked.

Written anew by

    python -m spiders.sources_page > docs/sources.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from articles.source import Gates, ListRule, Paging, Rate, Source
from spiders.catalogue import Catalogue

INTRODUCTION = """\
# Sources

{total} sources: {polled} are polled, {kept} are switched off or exist for archives on disk alone. Each is one file in
`spiders/sources/`, whose head says where its pages come from and what is odd about them; its saved cases are in
`tests/sources/<id>/`. No source needs a captcha, a signature or a subscription, and none gets around one: what a site
keeps behind such a check is refused with that reason and counted.

"Shape only" means that lists and pages were written down from public code and saved pages and never called live by us.
Try one with `finnews ingest <id> --limit 5` before you rely on it.

This page is generated: `python -m spiders.sources_page > docs/sources.md`.
"""
HEADINGS = ("id", "name", "lists", "paging back", "rate", "gates", "verified")
UNITS = {"page": "pages", "cursor": "pages, by cursor", "day": "pages, by day"}
NONE = "–"
BREAK = "<br>"


def sources_markdown(catalogue: Mapping[str, Source]) -> str:
    """All sources by id, as a page for docs/sources.md."""
    sources = sorted(catalogue.values(), key=lambda source: source.id)
    polled = sum(_is_polled(source) for source in sources)
    introduction = INTRODUCTION.format(total=len(sources), polled=polled, kept=len(sources) - polled)
    table = [_row(HEADINGS), _row("---" for _ in HEADINGS), *(_row(_cells(source)) for source in sources)]
    return "\n".join([introduction, *table, ""])


def main() -> None:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(sources_markdown(Catalogue.load()))


def _is_polled(source: Source) -> bool:
    return source.enabled and bool(source.lists)


def _cells(source: Source) -> tuple[str, ...]:
    return (
        source.id if source.enabled else f"{source.id} (off)",
        source.name,
        BREAK.join([*map(_list, source.lists), *(f"{kind} on disk" for kind in source.archives)]) or NONE,
        BREAK.join(_depth(rule.paging) for rule in source.lists) or NONE,
        _pace(source.rate) if source.lists else NONE,
        _conditions(source.gates) if source.lists else NONE,
        source.verified or NONE,
    )


def _list(rule: ListRule) -> str:
    kind = f"{rule.kind} (POST)" if rule.method == "POST" else rule.kind
    return f"{kind}, whole articles" if rule.full_text else kind


def _depth(paging: Paging | None) -> str:
    return f"{paging.max_pages:,} {UNITS[paging.by]}" if paging else "none"


def _pace(rate: Rate) -> str:
    return f"{rate.delay_seconds:g} s"


def _conditions(gates: Gates) -> str:
    age = f", newest ≤ {gates.max_age_hours:g} h" if gates.max_age_hours else ""
    return f"entries ≥ {gates.min_items}{age}; {', '.join(gates.require)} in ≥ {gates.min_share:.0%}"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main()

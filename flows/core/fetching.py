"""One page from the network, as politely and as guarded as a crawl fetches it, and nothing kept: to try things out."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from articles.records import Page
from flows.core.crawl import run_crawl
from flows.core.runs import LOOPBACK
from flows.settings import Settings
from spiders.crawl import CrawlSpec
from spiders.hosts import shared_folder
from spiders.spool import read_lists
from storage.archive import PageArchive

log = logging.getLogger("finnews.fetching")
# The crawl finds no links on the page, and says so; what matters is the page.
log.setLevel(logging.CRITICAL)

ONE_PAGE_ID = "one_page"
# Any answer to a list is kept before it is read, so the kind asked for does not matter.
ONE_PAGE = """
id = "{id}"
name = "one page"
hosts = {hosts}

[[list]]
kind = "html"
url = {url}
items = "a"
fields = {{ url = "::attr(href)" }}

[gates]
min_items = 0
"""
CRAWL_SECONDS = 120.0


class NoAnswerError(ValueError):
    """A page that was asked for and did not come; says why."""


def fetch_page(url: str, settings: Settings) -> Page:
    """Raises NoAnswerError: refused by robots.txt or the guard, not reachable, or another status than 200."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder)
        hosts = json.dumps([urlsplit(url).hostname or ""])
        (lake / f"{ONE_PAGE_ID}.toml").write_text(
            ONE_PAGE.format(id=ONE_PAGE_ID, hosts=hosts, url=json.dumps(url)), encoding="utf-8"
        )
        spec = CrawlSpec(
            source=ONE_PAGE_ID,
            run_id=ONE_PAGE_ID,
            spool=str(lake / "spool"),
            source_dirs=(folder,),
            lake=folder,
            limit=0,
            list_pages=1,
            soft_seconds=CRAWL_SECONDS,
            hosts_dir=str(shared_folder()),
            delay_seconds=settings.delay_seconds,
            connect_to=settings.connect_to,
            allow_addresses=LOOPBACK if settings.connect_to else (),
        )
        outcome = run_crawl(spec, deadline_seconds=CRAWL_SECONDS * 1.2, log=log)
        kept = read_lists(lake / "spool")
        if not kept:
            failures = outcome.report.gate_failures if outcome.report else ()
            raise NoAnswerError(f"{url}: {'; '.join(failures) or outcome.error or 'no answer'}")
        with PageArchive(lake) as archive:
            page = archive.read(kept[-1])
    if page.status != 200:
        raise NoAnswerError(f"{url}: status {page.status}")
    return page

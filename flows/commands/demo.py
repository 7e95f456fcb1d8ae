"""`finnews demo`: the whole path offline. The real source files meet a sample site on loopback, twice.

edition 1 ──ingest──▶ lake ──edition 2, an hour later──ingest──▶ lake ──▶ a table, and the SQL that reads it
"""

from __future__ import annotations

from flows.core.accounting import Exit, RunReport
from flows.core.runs import ingest_sources
from flows.sample.content import SOURCES
from flows.sample.site import SampleSite
from flows.settings import Settings
from flows.terminal import Terminal
from storage.query import query

SUMMARY = """
select source, count(*) as articles, count(distinct date) as days, sum(text_chars) as characters,
       count(publisher) as with_publisher, count(editor) as with_editor
from articles group by all order by source
"""
EXAMPLE = "select source, date, title, publisher, editor from articles order by published_at desc limit 5"


def run_demo(settings: Settings, terminal: Terminal) -> Exit:
    """Two passes over the sample site into the lake of the settings. Running it again finds all of it unchanged."""
    passes = []
    with SampleSite() as site:
        # Loopback needs no manners; everything else is as in earnest.
        settings = settings.model_copy(update={"connect_to": {"*": site.address}, "delay_seconds": 0.0})
        for site.edition in (1, 2):
            with terminal.progress(f"edition {site.edition} of the sample site", total=len(SOURCES)) as advance:
                passes.append(ingest_sources(settings, sorted(SOURCES), advance=advance))
    report = combined(passes)
    terminal.report(report)
    if not terminal.as_json:
        _show(settings, terminal)
    return report.exit_code


def combined(passes: list[RunReport]) -> RunReport:
    """The accounts of several passes, added up."""
    whole = RunReport("+".join(report.run_id for report in passes))
    for report in passes:
        for source_id, account in report.sources.items():
            whole.sources[source_id] = whole.account(source_id) + account
    return whole


def _show(settings: Settings, terminal: Terminal) -> None:
    terminal.table(*query(settings.lake_path, SUMMARY), title=f"articles in {settings.lake}")
    terminal.table(*query(settings.lake_path, EXAMPLE), title="the latest five")
    files = f"{settings.lake}/articles/**/*.parquet"
    terminal.say("Read it with any tool, for instance:")
    terminal.print(f"  duckdb -c \"select * from read_parquet('{files}', hive_partitioning = true)\"")
    terminal.print(f'  finnews read --lake {settings.lake} "{EXAMPLE}"')

"""Every discovered article is counted once, and the exit code says the worst that happened."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.core.accounting import OUTCOMES, Account, Exit, RunReport

COUNTS = st.fixed_dictionaries({outcome: st.integers(0, 50) for outcome in OUTCOMES})


@given(st.dictionaries(st.sampled_from(["sina", "stcn", "cs"]), COUNTS, min_size=1))
def test_totals_add_up_when_every_source_does(counts: dict[str, dict[str, int]]) -> None:
    report = RunReport("r1", {name: Account(discovered=sum(c.values()), **c) for name, c in counts.items()})
    assert report.totals.balanced
    assert report.exit_code == Exit.OK
    assert report.document()["totals"]["discovered"] == sum(sum(c.values()) for c in counts.values())


def test_one_article_unaccounted_for_is_a_bug() -> None:
    assert RunReport("r1", {"sina": Account(discovered=3, stored=2)}).exit_code == Exit.UNBALANCED


def test_exit_codes_tell_some_from_all() -> None:
    sick, well = Account(error="E-NETWORK refused"), Account(discovered=1, stored=1)
    assert RunReport("r1", {"sina": sick, "cs": well}).exit_code == Exit.SOME_FAILED
    assert RunReport("r1", {"sina": sick}).exit_code == Exit.ALL_FAILED
    assert RunReport("r1", {"sina": Account(gate_failures=["min_items"])}).exit_code == Exit.GATE
    assert RunReport("r1", {"sina": well}, interrupted=True).exit_code == Exit.INTERRUPTED

"""What `make bench-…` calls can be called so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks import extract, lake

PARSERS = [extract.parsed, lake.parsed]


@pytest.mark.parametrize("parsed", PARSERS)
def test_no_part_means_all_of_them(parsed: Callable) -> None:
    assert parsed([]).parts == []


@pytest.mark.parametrize(("parsed", "part"), [(extract.parsed, "quality"), (lake.parsed, "bulk")])
def test_a_part_is_taken_and_a_misspelt_one_refused(parsed: Callable, part: str, capsys: pytest.CaptureFixture) -> None:
    assert parsed([part]).parts == [part]
    with pytest.raises(SystemExit):
        parsed([part[:-1]])
    assert f"'{part[:-1]}' is none of" in capsys.readouterr().err

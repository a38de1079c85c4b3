"""The benchmarks run, small and once; what they show is no concern of the tests."""

from __future__ import annotations

import json
from functools import partial

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.figures import Figure, Result, of_runs
from benchmarks.running import in_turns, ratio

QUICK = ("start", "nothing-new", "one-change", "publish")


@pytest.mark.long
def test_a_quick_run_prints_a_table_for_each_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    """A heading, a table with the requests and no failure."""
    assert main(["--quick", *QUICK]) == 0
    out = capsys.readouterr().out
    assert out.count("\n| what ") == len(QUICK)
    assert "| requests " in out
    assert "posts/s" in out
    assert "FAILED" not in out


def test_a_quick_run_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures by benchmark, with the conditions."""
    assert main(["--quick", "--json", "start"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["conditions"]["Python"]
    assert answer["benchmarks"]["start"]["figures"][0]["unit"] == "s"


def test_an_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """It names what is not there, and the help says what is."""
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "nonsense" in capsys.readouterr().err
    assert "first-sync" in BENCHMARKS


def test_cases_take_turns() -> None:
    """Forwards and backwards, so that nobody always runs first."""
    order: list[str] = []
    in_turns({name: partial(order.append, name) for name in "ab"}, 3)
    assert "".join(order) == "abbaab"


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    """One disturbed round does not decide."""
    assert ratio([2, 4, 90], [1, 2, 3]) == 2


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        (Figure("requests", 12_345, at_most=25_000), ["12,345", "", "≤ 25,000", "met"]),
        (Figure("peak", 151.4, "MB", 150), ["151 MB", "", "≤ 150", "MISSED"]),
        (of_runs("wall", [0.2, 0.1, 0.4567], "s"), ["0.2 s", "0.1 to 0.457, 3 runs", "", ""]),
    ],
)
def test_a_row_says_figure_spread_and_aim(figure: Figure, cells: list[str]) -> None:
    """Whether an aim was missed is said plainly."""
    row = Result("t", [figure]).as_markdown().splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == cells

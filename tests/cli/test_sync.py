"""What `watchbook sync` tells: its progress, and what a run came to."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Book, Run
from watchbook.cli.context import Context
from watchbook.cli.progress import Progress
from watchbook.cli.sync import tell
from watchbook.desk import Outcome
from watchbook.verdict import SyncReport


def test_lanes_that_wait_together_say_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A wait is told once until it is over, and short ones not at all."""
    with Progress() as progress:
        for seconds in (1.0, 130.0, 129.9, 129.8):
            progress.waiting(seconds, "Trakt's rate limit")
        progress.waiting(5.0, "Trakt is not available")
    assert capsys.readouterr().err.splitlines() == [
        "Waiting 2 minutes: Trakt's rate limit",
        "Waiting 5 seconds: Trakt is not available",
    ]


@pytest.mark.parametrize(
    ("held", "advised"), [(0, "`watchbook sync --full` reads everything anew"), (40, "")]
)
def test_an_incomplete_sync_says_what_to_do(
    run: Run, book: Book, monkeypatch: pytest.MonkeyPatch, held: int, advised: str
) -> None:
    """Code 65, and advice unless removals are held back: their own words say what to do."""
    found = [Outcome("history", "incomplete", "some are missing", held=held)]
    report = SyncReport("sandra", "incomplete", "incomplete: history", data_sets=found)
    monkeypatch.setattr("watchbook.cli.sync.run_sync", lambda *_: report)
    ended = run("sync")
    assert ended.code == 65
    assert ended.out.splitlines()[-1].endswith("Incomplete: history.")
    assert advised in ended.err
    assert bool(ended.err) is bool(advised)


def test_data_sets_of_a_kind_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The items of every list are one line, however many lists there are; words are kept."""
    outcomes = [
        Outcome("history", kept=5000, added=5000),
        Outcome("user_stats", kept=1, changed=1),
        Outcome("list_items/7", kept=20, added=20),
        Outcome("list_items/8", kept=3, removed=1, words="2 are missing"),
        Outcome("friends", kept=8),
    ]
    tell(Context(), SyncReport("sandra", data_sets=outcomes))
    assert capsys.readouterr().out.splitlines()[1:-1] == [
        "  history          5,000 rows  +5,000",
        "  user_stats            1 row  ~1",
        "  list_items (2)      23 rows  +20  -1  2 are missing",
    ]

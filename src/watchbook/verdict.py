"""The verdict of a sync: what is kept against what Trakt claims, in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from watchbook.clock import counted
from watchbook.desk import Outcome
from watchbook.ingest import trips_wire
from watchbook.store import datasets, items, plays
from watchbook.store.database import Database
from watchbook.store.datasets import COMPLETE, INCOMPLETE, UNAVAILABLE
from watchbook.trakt.datasets import BY_NAME
from watchbook.trakt.parse import decode_any, lookup


@dataclass
class SyncReport:
    """How a sync ended."""

    account: str
    outcome: str = COMPLETE
    words: str = ""
    seconds: float = 0.0
    requests: int = 0
    plays: int = 0
    nothing_new: bool = False
    data_sets: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the copy holds all that Trakt claims."""
        return self.outcome == COMPLETE

    def as_data(self) -> dict[str, Any]:
        """The report for the run's record and ``--json``, without the ids of every new play."""
        data = asdict(self)
        data["seconds"] = round(self.seconds, 3)
        for outcome in data["data_sets"]:
            del outcome["new_plays"]
        return data

    def total(self, count: str) -> int:
        """The sum of a count (``added``, ``changed``, ``removed``, ``held``) over all data sets."""
        return sum(getattr(outcome, count) for outcome in self.data_sets)


def judged(database: Database, account_id: int, report: SyncReport) -> SyncReport:
    """Give ``report`` its verdict, over all data sets, also those not read in this run."""
    _hold_against_statistics(database, account_id, report)
    with database.read() as conn:
        states = datasets.all_states(conn, account_id)
        report.plays = plays.count(conn, account_id)
    incomplete = [s for s in states.values() if s.state == INCOMPLETE]
    absent = [s for s in states.values() if s.state == UNAVAILABLE]
    if incomplete:
        report.outcome = INCOMPLETE
        report.words = "incomplete: " + "; ".join(f"{s.name}: {s.words}" for s in incomplete)
        return report
    report.words = f"complete: {counted(report.plays, 'play')}, {len(states)} data sets"
    if absent:
        report.words += f", {len(absent)} of them unavailable"
    return report


def _hold_against_statistics(database: Database, account_id: int, report: SyncReport) -> None:
    """Note where Trakt's statistics, if this run read them, count more than it served.

    They lag, so a little is only said; much is a copy that was cut.
    """
    if not any(outcome.name == "user_stats" for outcome in report.data_sets):
        return
    with database.read() as conn:
        stats = decode_any((items.raw(conn, account_id, "user_stats") or "{}").encode())
    for outcome in report.data_sets:
        claimed = _statistic(outcome.name, stats)
        if claimed is None or claimed <= outcome.kept or outcome.state != COMPLETE:
            continue
        words = f"Trakt's statistics count {claimed:,}, it serves {outcome.kept:,}"
        if trips_wire(claimed - outcome.kept, claimed):
            outcome.state = INCOMPLETE
            outcome.add_words(words)
            changes = {"state": INCOMPLETE, "words": outcome.words}
            with database.write() as conn:
                datasets.change(conn, account_id, outcome.name, changes)
        else:
            report.notes.append(f"{outcome.name}: {words}")


def _statistic(name: str, stats: object) -> int | None:
    """How many rows of a data set Trakt's statistics count, where they do."""
    line = BY_NAME.get(name)
    if line is None or not line.stats:
        return None
    counts = [lookup(stats, path) for path in line.stats]
    return sum(counts) if all(isinstance(count, int) for count in counts) else None

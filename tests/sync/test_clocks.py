"""Clocks that are set back, and servers that ask for absurd waits, stop nothing for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from watchbook.store import accounts
from watchbook.store.budget import ReadBudget
from watchbook.store.database import Database
from watchbook.values import Rate

NOON = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC)
RATE = Rate(12, 60)


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=400)])
@pytest.mark.parametrize("blocked", [False, True])
def test_reads_counted_by_a_wrong_clock_are_forgotten(
    database: Database, ahead: timedelta, *, blocked: bool
) -> None:
    """After a clock that was ahead is put right, reading goes on within two minutes or a stop."""
    waits: list[float] = []
    with time_machine.travel(NOON + ahead, tick=False) as time:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            time.shift(seconds)

        with database.write() as conn:
            account = accounts.add(conn, "sandra").id
        budget = ReadBudget(database, account, RATE, sleep=sleep)
        for _ in range(RATE.count):
            budget.spend()
        if blocked:
            budget.block_for(30)
        time.move_to(NOON, tick=False)
        budget.spend()
    assert sum(waits) <= (2 * RATE.seconds if not blocked else ahead.total_seconds() + 30)
    assert sum(waits) <= 3600


def test_no_server_stops_reading_for_years(database: Database) -> None:
    """A Retry-After of a billion seconds stops the reads of all processes for an hour."""
    waits: list[float] = []
    with time_machine.travel(NOON, tick=False) as time:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            time.shift(seconds)

        with database.write() as conn:
            account = accounts.add(conn, "sandra").id
        budget = ReadBudget(database, account, RATE, sleep=sleep)
        budget.block_for(1e9)
        budget.spend()
    assert sum(waits) == 3600

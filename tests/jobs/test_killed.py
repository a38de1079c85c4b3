"""The schedule against kill -9: nothing is lost, nothing is done twice."""

from __future__ import annotations

import random
import subprocess
from contextlib import suppress

import pytest

from tests.jobs.conftest import MakeTown, Town, until

STEPS = (
    "sync.page.committed@2",
    "job.queued",
    "sync.done",
    "backup.tar",
    "job.worked",
    "backup.recorded",
    "job.left",
)
"""Where a process kills itself; a ``None`` among them is somebody else's kill at any moment."""


def live_through(town: Town, deaths: list[str | None], seed: int = 1) -> None:
    """Start the service again after each of these deaths, with news at Trakt each time."""
    chance = random.Random(seed)
    for death in deaths:
        town.sandbox.add_plays(3)
        process = town.start(die_at=death or "")
        if death is not None:
            assert process.wait() == -9, process.log
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(1.0, 4.0))
        process.kill()
    town.sandbox.add_plays(1)
    last = town.start()
    town.settle()
    until(lambda: town.finished("backup"))
    last.kill()


def check(town: Town) -> None:
    """All that a schedule promises."""
    town.check_once()
    town.check_alone()
    town.check_plays()
    assert town.check_archives()


@pytest.mark.daily(1)
def test_schedule_survives_ten_kills(town: Town) -> None:
    """Killed at named steps and at any moment, the service does each slot's run exactly once."""
    live_through(town, [None, *STEPS, None, None])
    check(town)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_schedule_survives_fifty_kills(make_town: MakeTown, database_url: str, seed: int) -> None:
    """However often it is killed, with several accounts at work."""
    town = make_town(database_url, accounts=4)
    live_through(town, [None] * 50, seed)
    check(town)

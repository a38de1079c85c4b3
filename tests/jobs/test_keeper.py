"""The keeper of the schedule, with real rows and a stand-in for the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import TEST_KEY
from watchbook import connecting
from watchbook.addresses import AddressRule
from watchbook.errors import StoreUnavailable
from watchbook.http import HttpClient
from watchbook.jobs.keeper import Keeper
from watchbook.jobs.port import Job, Stand
from watchbook.jobs.reaper import Pulse
from watchbook.settings import load
from watchbook.store import accounts, due, runs
from watchbook.store.opening import Store


class Shelf:
    """An engine that queues, unless it is ``broken``, and does nothing."""

    def __init__(self) -> None:
        self.queued: list[str] = []
        self.broken = False

    def enqueue(self, job: Job) -> None:
        """Put it there, once."""
        if self.broken:
            raise StoreUnavailable("The engine does not answer.")
        if job.id not in self.queued:
            self.queued.append(job.id)

    def stands(self, ids: Iterable[str]) -> Mapping[str, Stand]:
        """What is there is open."""
        return {id_: Stand.OPEN if id_ in self.queued else Stand.UNKNOWN for id_ in ids}

    def pending(self) -> Mapping[str, list[str]]:
        """Nothing is ever begun."""
        return {}

    def resume(self, ids: Iterable[str]) -> None:
        """Nothing to take over."""

    def forget_ended(self, before: int) -> int:
        """Nothing ends."""
        return 0

    def running(self) -> int:
        """Nothing is begun."""
        return 0

    def stop(self, patience: float) -> None:
        """There is nothing to stop."""


@pytest.fixture
def shelf() -> Shelf:
    """Where jobs are put."""
    return Shelf()


@pytest.fixture
def keeper(store: Store, tmp_path: Path, shelf: Shelf) -> Iterator[Keeper]:
    """The keeper of an installation without accounts, once on each database."""
    settings = load({}, tmp_path, {"home": str(tmp_path / "home"), "secret_key": TEST_KEY})
    pulse = Pulse(store.database, "ours")
    with HttpClient(AddressRule()) as http:
        yield Keeper(connecting.Installation(store, settings, http), shelf, pulse)
    pulse.stop()


def with_imports(store: Store, number: int) -> None:
    """So many accounts that live on exports: each wants a backup."""
    with store.database.write() as conn:
        for one in range(number):
            account = accounts.add(conn, f"reader-{one}")
            runs.finish(conn, runs.start(conn, account.id, "import"), runs.COMPLETE, "taken in")
    with store.database.write() as conn:
        rows = [(account.id, "backup", 1, None) for account in accounts.all_accounts(conn)]
        due.add(conn, [due.Due(*row) for row in rows])


def test_long_queue_does_not_hold_up_the_signs_of_life(
    store: Store, keeper: Keeper, shelf: Shelf
) -> None:
    """A thousand jobs that are due at once are queued by several looks, each one once."""
    with_imports(store, 150)
    keeper.look()
    assert len(shelf.queued) == 100
    keeper.look()
    keeper.look()
    assert len(shelf.queued) == 150
    with store.database.read() as conn:
        assert {row.job for row in due.all_rows(conn)} == set(shelf.queued)


def test_start_that_fails_says_why(store: Store, keeper: Keeper, shelf: Shelf) -> None:
    """The reason is not hidden by a fault at the end of what never began."""
    with_imports(store, 1)
    shelf.broken = True
    with pytest.raises(StoreUnavailable):
        keeper.start()
    keeper.stop()
    assert keeper.health.status == "down"

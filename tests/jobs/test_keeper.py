"""The keeper of the schedule, with real rows and a stand-in for the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import TEST_KEY
from watchbook import connecting
from watchbook.addresses import AddressRule
from watchbook.clock import now, to_millis
from watchbook.errors import StoreUnavailable
from watchbook.http import HttpClient
from watchbook.jobs.health import Outbox
from watchbook.jobs.keeper import Keeper
from watchbook.jobs.port import Job, Stand
from watchbook.jobs.reaper import Pulse
from watchbook.settings import load
from watchbook.store import accounts, due, outbox, runs, schema, sites
from watchbook.store.opening import Store
from watchbook.store.outbox import PostState
from watchbook.store.sites import Kind, SiteState


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


def with_site(store: Store, *, due_in: int, state: SiteState = SiteState.WORKING) -> None:
    """An account with a site, and a post for it that is due in so many milliseconds."""
    moment = to_millis(now())
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra")
        site = sites.add(conn, account, "blog", Kind.MICROPUB, "https://blog.example/micropub")
        sites.set_state(conn, site.id, state)
        post = {
            "account_id": account.id,
            "site_id": site.id,
            "slug": "trakt-1",
            "watched_at": moment,
            "state": PostState.WAITING,
            "due_at": moment + due_in,
        }
        outbox.offer(conn, post, 1)
        due.add(conn, [due.Due(account.id, "publish", moment - 1, None)])


@pytest.mark.parametrize(
    ("due_in", "state", "jobs"),
    [
        (-1, SiteState.WORKING, 1),
        (600_000, SiteState.WORKING, 0),
        (-1, SiteState.PAUSED, 0),
        (-1, SiteState.SIGN_IN, 0),
    ],
)
def test_publishing_gets_a_job_when_something_is_due(
    store: Store, keeper: Keeper, shelf: Shelf, due_in: int, state: SiteState, jobs: int
) -> None:
    """Accounts whose sites have nothing to send cost the engine nothing."""
    with_site(store, due_in=due_in, state=state)
    keeper.look()
    assert len([job for job in shelf.queued if job.startswith("publish")]) == jobs


def test_published_posts_are_looked_at_now_and_then(
    store: Store, keeper: Keeper, shelf: Shelf
) -> None:
    """When nothing was due for ten minutes, a job looks for what has changed."""
    with_site(store, due_in=600_000)
    with time_machine.travel(now() + timedelta(minutes=10), tick=True):
        keeper.look()
    assert [job for job in shelf.queued if job.startswith("publish")]


def test_health_tells_of_posts_that_are_not_done(store: Store, keeper: Keeper) -> None:
    """By how they stand; what is published or held needs nobody's attention."""
    with_site(store, due_in=600_000)
    for state, told in (
        (PostState.WAITING, Outbox(waiting=1)),
        (PostState.SENDING, Outbox(waiting=1)),
        (PostState.UNKNOWN, Outbox(unknown=1)),
        (PostState.REJECTED, Outbox(rejected=1)),
        (PostState.PUBLISHED, Outbox()),
        (PostState.HELD, Outbox()),
    ):
        with store.database.write() as conn:
            conn.execute(sa.update(schema.outbox).values(state=state))
        keeper.look()
        assert keeper.health.outbox == told

"""Who is alive and who is not, on PostgreSQL, with real sessions and a stand-in for the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook.jobs.port import Job, Stand
from watchbook.jobs.reaper import Pulse, Reaper
from watchbook.store import workers
from watchbook.store.database import Database
from watchbook.store.opening import migrate
from watchbook.store.schema import leases


class Board:
    """An engine that only knows which worker has begun what."""

    def __init__(self) -> None:
        self.begun: dict[str, list[str]] = {}
        self.resumed: list[str] = []

    def pending(self) -> Mapping[str, list[str]]:
        """What was begun."""
        return self.begun

    def resume(self, ids: Iterable[str]) -> None:
        """Queue again."""
        self.resumed += ids
        self.begun.clear()

    def enqueue(self, job: Job) -> None:
        """Not asked for here."""
        raise NotImplementedError

    def stands(self, ids: Iterable[str]) -> Mapping[str, Stand]:
        """Not asked for here."""
        raise NotImplementedError

    def forget_ended(self, before: int) -> int:
        """Not asked for here."""
        raise NotImplementedError

    def running(self) -> int:
        """Not asked for here."""
        raise NotImplementedError

    def stop(self, patience: float) -> None:
        """Not asked for here."""
        raise NotImplementedError


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """A migrated PostgreSQL."""
    database = Database(postgres_url.replace("postgresql://", "postgresql+psycopg://", 1))
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def board() -> Board:
    """What the workers have begun."""
    return Board()


@pytest.fixture
def other(database: Database) -> Iterator[Pulse]:
    """A living worker."""
    pulse = Pulse(database, "other")
    yield pulse
    pulse.stop()


@pytest.fixture
def reaper(database: Database, board: Board) -> Reaper:
    """That of a worker called ``ours``, which never takes over its own work."""
    board.begun["ours"] = ["sync-9-9"]
    return Reaper(database, board, "ours")


def cut(pulse: Pulse) -> None:
    """End a worker's session as a dead process or a machine that is gone would."""
    assert pulse._lock is not None
    pulse._lock.give_up()


def lapse(database: Database, worker: str) -> None:
    """Let a worker's row end, as when it stands still."""
    ended = sa.update(leases).where(leases.c.name == f"worker:{worker}").values(expires_at=1)
    with database.write() as conn:
        conn.execute(ended)


def known(database: Database) -> dict[str, bool]:
    """The workers, and whether each seems alive."""
    with database.read() as conn:
        return {worker.id: worker.alive for worker in workers.known(conn)}


def test_living_workers_are_left_alone(reaper: Reaper, board: Board, other: Pulse) -> None:
    """Whoever holds the lock and renews the row keeps the work."""
    board.begun["other"] = ["sync-1-1"]
    for _ in range(3):
        reaper.look()
    assert board.resumed == []


def test_dead_worker_is_buried_at_the_second_look(
    database: Database, reaper: Reaper, board: Board, other: Pulse
) -> None:
    """A free lock, seen twice: the work goes to others, and what was held is free."""
    board.begun["other"] = ["sync-1-1", "backup-2-1"]
    account = {"name": "account:1", "holder": other.holder, "taken_at": 1, "expires_at": 2**50}
    foreign = {**account, "name": "account:2", "holder": "host 1 1@mark a sync"}
    with database.write() as conn:
        conn.execute(sa.insert(leases), [account, foreign])
    cut(other)
    reaper.look()
    assert board.resumed == []
    reaper.look()
    assert board.resumed == ["sync-1-1", "backup-2-1"]
    with database.read() as conn:
        assert list(conn.scalars(sa.select(leases.c.name))) == ["account:2"]


def test_worker_that_lost_its_session_for_a_moment_lives_on(
    reaper: Reaper, board: Board, other: Pulse
) -> None:
    """After a restart of the database everybody takes their lock again."""
    board.begun["other"] = ["sync-1-1"]
    cut(other)
    reaper.look()
    other.hold()
    reaper.look()
    cut(other)
    reaper.look()
    assert board.resumed == []


def test_worker_that_stands_still_is_taken_over(
    database: Database, reaper: Reaper, board: Board, other: Pulse
) -> None:
    """Its lock is held, but its row has ended by the database's clock."""
    board.begun["other"] = ["sync-1-1"]
    lapse(database, "other")
    reaper.look()
    assert board.resumed == ["sync-1-1"]
    assert known(database) == {"other": False}
    other.beat()
    assert known(database) == {"other": True}


def test_reapers_take_turns(database: Database, reaper: Reaper, board: Board, other: Pulse) -> None:
    """While one looks, another does not: nothing is taken over twice."""
    board.begun["other"] = ["sync-1-1"]
    lapse(database, "other")
    with database.write() as conn:
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(8423, hashtext('reaper'))"))
        reaper.look()
        assert board.resumed == []
    reaper.look()
    assert board.resumed == ["sync-1-1"]


def test_database_ends_sessions_of_vanished_machines(database: Database, other: Pulse) -> None:
    """Every session asks PostgreSQL to look whether its machine is still there."""
    query = sa.text("SELECT name, source FROM pg_settings WHERE name LIKE 'tcp_%'")
    assert other._lock is not None
    assert other._lock._session is not None
    with database.read() as conn:
        for session in (conn, other._lock._session):
            found = {row[0]: row[1] for row in session.execute(query)}
            assert set(found.values()) == {"session"}
            assert set(found) >= {"tcp_keepalives_idle", "tcp_user_timeout"}
        idle = conn.scalar(sa.text("SHOW idle_in_transaction_session_timeout"))
    assert idle == "1min"


def test_server_that_vanished_is_not_waited_for(database: Database, postgres_url: str) -> None:
    """Our side of a session looks as well, unless the address says for how long."""
    wanted = {"keepalives_idle": "10", "tcp_user_timeout": "30000", "connect_timeout": "10"}
    mark = "&" if "?" in postgres_url else "?"
    own = database.url.render_as_string(hide_password=False) + f"{mark}connect_timeout=99"
    patient = Database(own)
    for one, changed in ((database, {}), (patient, {"connect_timeout": "99"})):
        with one.read() as conn:
            driver: Any = conn.connection.dbapi_connection
            told = driver.info.get_parameters()
        assert told | wanted | changed == told
    patient.close()


def test_good_bye_leaves_nothing(database: Database) -> None:
    """A worker that ends is forgotten at once, with all that it held."""
    pulse = Pulse(database, "short")
    assert known(database) == {"short": True}
    pulse.stop()
    assert known(database) == {}

"""Whose worker died: liveness of workers on PostgreSQL, without trusting anybody's clock.

Each worker holds an advisory lock on a session of its own, which the database ends when the
process dies, and within half a minute when its machine vanished. A process that stands still
(a laptop asleep, a stopped container) keeps its lock, but cannot renew its row; the row ends by
the database's clock. Either way its jobs are queued again, once: reapers take turns.
"""

from __future__ import annotations

import secrets
import socket

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from watchbook.jobs.port import Jobs
from watchbook.logs import logger
from watchbook.store import leases, workers
from watchbook.store.database import Database, bound_sessions, store_errors
from watchbook.store.workers import Worker

_ALIVE = 8422
"""The space of the workers' locks; a lock in it is the hash of a worker's id."""
_REAPING = 8423
_LONGEST = 10_000
"""Milliseconds after which a reaper that stands still itself is no reaper any more."""

_log = logger("jobs")


def new_worker_id() -> str:
    """A name that no process had before, and that says where it runs."""
    return f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}"


class Pulse:
    """The signs of life that a worker gives: a held lock on PostgreSQL, and a row."""

    def __init__(self, database: Database, worker: str) -> None:
        self.worker = worker
        self.holder = leases.holder_name("the schedule")
        self._database = database
        self._lock = None if database.on_sqlite else _HeldLock(database, worker)
        self.hold()
        with database.write() as conn:
            for former in workers.known(conn):
                if former.id == worker:  # on SQLite, where only one may run: it is dead
                    leases.break_those_of(conn, former.holder)
            workers.register(conn, worker, self.holder)

    def hold(self) -> None:
        """See to it that the lock is held; raises StoreError."""
        if self._lock is not None:
            with store_errors():
                self._lock.hold()

    def beat(self) -> None:
        """Renew the row; one that ended meanwhile, because we stood still, begins anew."""
        with self._database.write() as conn:
            if workers.renew(conn, self.worker, self.holder):
                return
            workers.register(conn, self.worker, self.holder)
        _log.warning("This worker stood still; others may have taken over what it did.")

    def stop(self) -> None:
        """Say good-bye: the row and all leases go, and the lock with its session."""
        try:
            with self._database.write() as conn:
                leases.break_those_of(conn, self.holder)
        finally:
            if self._lock is not None:
                self._lock.give_up()


class _HeldLock:
    """An advisory lock that lives as long as a session of its own."""

    def __init__(self, database: Database, worker: str) -> None:
        self._worker = worker
        self._session: sa.Connection | None = None
        self._held = False
        self._engine = sa.create_engine(
            database.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
        )
        bound_sessions(self._engine)

    def hold(self) -> None:
        """Take the lock, or see that the session which holds it still lives."""
        try:
            self._hold()
        except SQLAlchemyError:
            self.give_up()
            self._hold()

    def _hold(self) -> None:
        if self._session is None:
            self._session = self._engine.connect()
        if self._held:
            self._session.execute(sa.text("SELECT 1"))
        else:  # it stays refused while the database has not noticed the end of an old session
            query = sa.text("SELECT pg_try_advisory_lock(:space, hashtext(:name))")
            found = self._session.scalar(query, {"space": _ALIVE, "name": self._worker})
            self._held = bool(found)

    def give_up(self) -> None:
        """End the session, and with it the lock."""
        session, self._session, self._held = self._session, None, False
        if session is not None:
            session.invalidate()
            session.close()


class Reaper:
    """Finds jobs whose worker is gone and queues them again; on PostgreSQL."""

    def __init__(self, database: Database, jobs: Jobs, worker: str) -> None:
        self._database = database
        self._jobs = jobs
        self._worker = worker
        self._suspects: set[str] = set()

    def look(self) -> None:
        """Look at every other worker once; raises StoreError.

        A free lock counts at the second look in a row: after a restart of the database the
        living need a moment to take theirs again.
        """
        with self._database.write() as conn:
            conn.execute(sa.text(f"SET LOCAL idle_in_transaction_session_timeout = {_LONGEST}"))
            if not _lock(conn, _REAPING, "reaper"):
                return  # another worker looks just now
            known = {worker.id: worker for worker in workers.known(conn)}
            pending = self._jobs.pending()
            others = (known.keys() | pending.keys()) - {self._worker}
            unlocked = {other for other in others if _lock(conn, _ALIVE, other)}
            dead = unlocked & self._suspects
            self._suspects = unlocked - dead
            for other in others:
                worker, jobs = known.get(other), pending.get(other, [])
                if other in dead:
                    self._bury(other, worker, jobs)
                elif other not in unlocked and jobs and (worker is None or not worker.alive):
                    self._take_over(other, jobs, "stands still")

    def _bury(self, name: str, worker: Worker | None, jobs: list[str]) -> None:
        """Free what a dead worker held, and only then queue its jobs."""
        if worker is not None:
            with self._database.write() as conn:
                leases.break_those_of(conn, worker.holder)
                workers.forget(conn, name)
        self._take_over(name, jobs, "is gone")

    def _take_over(self, name: str, jobs: list[str], why: str) -> None:
        if jobs:
            self._jobs.resume(jobs)
            _log.warning(f"The worker {name} {why}; its work is taken over.", jobs=len(jobs))


def _lock(conn: sa.Connection, space: int, name: str) -> bool:
    """Take an advisory lock until the transaction ends, if nobody holds it."""
    query = sa.text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:name))")
    return bool(conn.scalar(query, {"space": space, "name": name}))

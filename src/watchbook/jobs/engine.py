"""DBOS behind the port: jobs that outlive the process, on SQLite and on PostgreSQL.

On SQLite the engine has a file of its own beside the store's, on PostgreSQL a schema of its own
in the same database. A job is a workflow without steps: it is begun again when its worker died,
and what must not be done twice is seen to by the job itself.
"""

from __future__ import annotations

import itertools
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus
from dbos import error as dbos_error
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

from watchbook.clock import from_millis, to_iso
from watchbook.errors import StoreUnavailable
from watchbook.jobs.port import Job, Kind, Stand, Work
from watchbook.store.database import Database, bound_sessions, store_errors

FILE = "jobs.db"
"""The engine's file in the home folder, on SQLite."""

SCHEMA = "dbos"
"""The engine's schema in the database, on PostgreSQL."""

_VERSION = "1"
"""Named by us: left to itself the engine strands queued jobs at every change of the program."""
_WORKFLOW = "job"
_SYNCS, _FILES, _PICTURES = "watchbook-syncs", "watchbook-files", "watchbook-pictures"
_QUEUES = {
    Kind.SYNC: _SYNCS,
    Kind.PUBLISH: _SYNCS,
    Kind.WATCHING: _SYNCS,
    Kind.BACKUP: _FILES,
    Kind.COPY: _FILES,
    Kind.PICTURES: _PICTURES,
}
"""Archives lie where the service runs, so only there may what concerns them be done."""
_FILES_AT_ONCE = 2
_PICTURES_AT_ONCE = 1
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_AT_A_TIME = 500
_IDLE_SECONDS = 60


class Engine:
    """Queues and runs jobs, from its making until :meth:`stop`; one in a process.

    Without ``files`` it leaves archives and their copies to others. Raises StoreUnavailable.
    """

    def __init__(
        self,
        database: Database,
        home: Path,
        work: Work,
        *,
        worker: str,
        concurrency: int,
        files: bool = True,
        look_every: float = 1.0,
    ) -> None:
        self._work = work
        self._running = 0
        self._counting = threading.Lock()
        logging.getLogger("dbos").addHandler(logging.NullHandler())  # else it brings its own
        self._pool = _on_sqlite(home / FILE) if database.on_sqlite else _on_postgresql(database)
        with _engine_errors():
            DBOS(config=_config(self._pool, worker))
            DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(self._workflow())
            DBOS.listen_queues([_SYNCS, _PICTURES, *([_FILES] if files else [])])
            DBOS.launch()
            limits = {_SYNCS: concurrency, _FILES: _FILES_AT_ONCE, _PICTURES: _PICTURES_AT_ONCE}
            for queue, at_once in limits.items():
                DBOS.register_queue(
                    queue,
                    partition_concurrency=1,
                    worker_concurrency=at_once,
                    polling_interval_sec=look_every,
                )

    def _workflow(self) -> Any:
        """A plain function: the engine would keep a method's object with each job."""

        def job(id_: str) -> None:
            with self._counted():
                self._work(Job.of(id_))

        return job

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self._running += 1
        try:
            yield
        finally:
            with self._counting:
                self._running -= 1

    def enqueue(self, job: Job) -> None:
        """Queue a job, unless it was queued before; raises StoreUnavailable."""
        options = EnqueueOptions(
            workflow_name=_WORKFLOW,
            queue_name=_QUEUES[job.kind],
            workflow_id=job.id,
            queue_partition_key=str(job.account_id),
            app_version=_VERSION,
        )
        with _engine_errors():
            DBOS.enqueue_workflow_with_options(options, job.id)

    def stands(self, ids: Iterable[str]) -> Mapping[str, Stand]:
        """How each of these jobs stands; raises StoreUnavailable."""
        found: dict[str, Stand] = {}
        for some in _batches(ids):
            found |= dict.fromkeys(some, Stand.UNKNOWN)
            for status in _listed(workflow_ids=some):
                ended = status.status in _ENDED
                found[status.workflow_id] = Stand.ENDED if ended else Stand.OPEN
        return found

    def pending(self) -> Mapping[str, list[str]]:
        """The jobs begun and not ended, by their worker; raises StoreUnavailable."""
        found: dict[str, list[str]] = {}
        for status in _listed(status="PENDING", queue_name=[_SYNCS, _FILES, _PICTURES]):
            found.setdefault(status.executor_id or "", []).append(status.workflow_id)
        return found

    def resume(self, ids: Iterable[str]) -> None:
        """Queue jobs again whose worker is gone; raises StoreUnavailable."""
        queues: dict[str, list[str]] = {}
        for id_ in ids:
            queues.setdefault(_QUEUES[Job.of(id_).kind], []).append(id_)
        with _engine_errors():
            for queue, some in queues.items():
                DBOS.resume_workflows(some, queue_name=queue)

    def forget_ended(self, before: int) -> int:
        """Forget jobs that were queued before that moment and have ended; returns how many."""
        forgotten = 0
        until = to_iso(from_millis(before))
        while some := _listed(status=_ENDED, end_time=until, limit=_AT_A_TIME):
            with _engine_errors():
                DBOS.delete_workflows([status.workflow_id for status in some])
            forgotten += len(some)
        return forgotten

    def running(self) -> int:
        """How many jobs this process works on."""
        return self._running

    def stop(self, patience: float) -> None:
        """Begin nothing any more, and give what runs ``patience`` seconds to end."""
        DBOS.destroy(workflow_completion_timeout_sec=int(patience), destroy_registry=True)
        self._pool.dispose()


def _config(engine: sa.Engine, worker: str) -> DBOSConfig:
    return DBOSConfig(
        name="watchbook",
        system_database_url=engine.url.render_as_string(hide_password=False),
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        application_version=_VERSION,
        executor_id=worker,
        log_level="WARNING",
        serializer=DBOSPortableJSONSerializer(),
        scheduler_polling_interval_sec=3600.0,  # there is nothing on its own schedule
    )


def _on_postgresql(database: Database) -> sa.Engine:
    engine = sa.create_engine(database.url, pool_size=10, max_overflow=6, pool_pre_ping=True)
    bound_sessions(engine, idle_seconds=_IDLE_SECONDS)
    return engine


def _on_sqlite(path: Path) -> sa.Engine:
    Database.prepare_file(path)
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=10, max_overflow=10)
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in (
        "busy_timeout=30000",
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=NORMAL",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if sqlite3.sqlite_version_info < (3, 42):  # knows no unixepoch('subsec')
        connection.create_function("unixepoch", -1, lambda *_: time.time())


def _listed(**wanted: Any) -> list[WorkflowStatus]:
    with _engine_errors():
        return DBOS.list_workflows(load_input=False, load_output=False, **wanted)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(ids)
    while some := list(itertools.islice(left, _AT_A_TIME)):
        yield some


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        with store_errors():
            yield
    except dbos_error.DBOSException as reason:
        raise StoreUnavailable(f"The engine of the jobs refused: {reason}") from reason

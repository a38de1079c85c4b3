"""How the service stands, in numbers: no names, no secrets, nothing that anybody may not see."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_iso, to_millis
from watchbook.errors import StoreError
from watchbook.store import outbox, runs, workers
from watchbook.store.database import Database
from watchbook.store.grants import State
from watchbook.store.schema import accounts, due, grants, leases
from watchbook.store.schema import runs as run_rows

LATE_SECONDS = 900
"""A queue whose oldest job waits longer needs a look."""


class Queue(msgspec.Struct, frozen=True):
    """Jobs that wait and that run."""

    waiting: int = 0
    running: int = 0
    oldest_waiting_seconds: int = 0


class Outbox(msgspec.Struct, frozen=True):
    """Posts that are not done: they wait, lack an answer, or were refused."""

    waiting: int = 0
    unknown: int = 0
    rejected: int = 0


class Health(msgspec.Struct, frozen=True):
    """What ``/healthz`` tells. ``last_*`` are moments, or None when there was none yet."""

    status: str
    accounts: int = 0
    signed_out: int = 0
    failing: int = 0
    last_sync: str | None = None
    last_backup: str | None = None
    queue: Queue = Queue()
    outbox: Outbox = Outbox()
    workers: int = 0
    version: str = version("watchbook")


DOWN = Health("down")
"""What is known while the database, or the keeper of the schedule, does not answer."""


def known(database: Database) -> Health:
    """How everything stands now; down when the database does not answer."""
    try:
        return look(database)
    except StoreError:
        return DOWN


def look(database: Database) -> Health:
    """How everything stands now; raises StoreError."""
    with database.read() as conn:
        total, signed_out = conn.execute(_count_accounts()).one()
        failing, last_sync = conn.execute(_latest_runs("sync")).one()
        _, last_backup = conn.execute(_latest_runs("backup")).one()
        queue = _queue(conn)
        posts = outbox.open_counts(conn)
        living = sum(worker.alive for worker in workers.known(conn))
    worried = signed_out or failing or queue.oldest_waiting_seconds > LATE_SECONDS
    return Health(
        "attention" if worried else "ok",
        total,
        signed_out or 0,
        failing or 0,
        _moment(last_sync),
        _moment(last_backup),
        queue,
        Outbox(posts["waiting"] + posts["sending"], posts["unknown"], posts["rejected"]),
        living,
    )


def _count_accounts() -> sa.Select[Any, Any]:
    """All accounts, and those that only a person can bring back to Trakt."""
    out = accounts.c.locked.is_not(None) | (grants.c.state == State.NEEDED)
    counted = sa.select(sa.func.count(), sa.func.sum(sa.case((out, 1), else_=0)))
    return counted.select_from(accounts.outerjoin(grants, grants.c.account_id == accounts.c.id))


def _latest_runs(kind: str) -> sa.Select[Any]:
    """How many accounts' last run of ``kind`` failed, and when the last one that did not ended."""
    mine = (run_rows.c.account_id == accounts.c.id, run_rows.c.kind == kind)
    newest = run_rows.c.started_at.desc()
    ended = sa.select(run_rows.c.outcome).where(*mine, run_rows.c.finished_at.is_not(None))
    good = sa.select(run_rows.c.finished_at).where(
        *mine, run_rows.c.outcome.in_([runs.COMPLETE, runs.INCOMPLETE])
    )
    failed = ended.order_by(newest).limit(1).scalar_subquery() == runs.FAILED
    last = good.order_by(newest).limit(1).scalar_subquery()
    failing = sa.case((failed & _made_good(kind), 0), (failed, 1), else_=0)
    return sa.select(sa.func.sum(failing), sa.func.max(last)).select_from(accounts)


def _made_good(kind: str) -> sa.ColumnElement[bool]:
    """Whether an account without a sign-in took in an export since its last run of ``kind``."""

    def newest(kind: str, *also: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
        mine = (run_rows.c.account_id == accounts.c.id, run_rows.c.kind == kind)
        return sa.select(sa.func.max(run_rows.c.id)).where(*mine, *also).scalar_subquery()

    taken = newest("import", run_rows.c.outcome.in_([runs.COMPLETE, runs.INCOMPLETE]))
    signed_in = sa.select(grants.c.account_id).where(grants.c.account_id == accounts.c.id).exists()
    return ~signed_in & (taken > newest(kind))


def _queue(conn: sa.Connection) -> Queue:
    """The queue as the store knows it: a job runs while somebody holds its account."""
    moment = to_millis(now())
    held = (
        sa.select(leases.c.name)
        .where(
            leases.c.name == sa.literal("account:") + sa.cast(due.c.account_id, sa.String),
            leases.c.expires_at > moment,
        )
        .exists()
    )
    queued = sa.select(
        sa.func.sum(sa.case((held, 0), else_=1)),
        sa.func.sum(sa.case((held, 1), else_=0)),
        sa.func.min(sa.case((held, None), else_=due.c.next_at)),
    ).where(due.c.job.is_not(None))
    waiting, running, oldest = conn.execute(queued).one()
    seconds = max(0, moment - oldest) // 1000 if oldest is not None else 0
    return Queue(waiting or 0, running or 0, seconds)


def _moment(millis: int | None) -> str | None:
    return None if millis is None else to_iso(from_millis(millis))

"""Workers: which processes do the work of the schedule, told by rows that must be renewed.

A worker's row is a lease called ``worker:ID``. Its end is written and read by the database's
clock where there is one (PostgreSQL), so machines whose clocks differ agree on who stands still.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store.database import upsert
from watchbook.store.leases import LEASE, process_is_gone
from watchbook.store.schema import leases

_PREFIX = "worker:"
_COLUMNS = ["holder", "taken_at", "expires_at"]


@dataclass(frozen=True)
class Worker:
    """A worker by the id of its engine; ``alive`` while its row was renewed in time."""

    id: str
    holder: str
    since: int
    alive: bool

    @property
    def machine(self) -> str:
        """Where it works."""
        return self.holder.split(" ", 1)[0]

    @property
    def process(self) -> int:
        """The number of its process there."""
        return int(self.holder.split(" ", 2)[1])


def register(conn: sa.Connection, worker: str, holder: str) -> None:
    """Write down that the process called ``holder`` works as ``worker``."""
    row = {"name": _PREFIX + worker, "holder": holder, "taken_at": _now(conn)}
    upsert(conn, leases, [row | {"expires_at": _end(conn)}], update=_COLUMNS)


def renew(conn: sa.Connection, worker: str, holder: str) -> bool:
    """Put off the end of a worker's row; whether it was still there and had not ended."""
    ours = (leases.c.name == _PREFIX + worker, leases.c.holder == holder)
    living = leases.c.expires_at > _now(conn)
    renewed = sa.update(leases).where(*ours, living).values(expires_at=_end(conn))
    return conn.execute(renewed).rowcount > 0


def known(conn: sa.Connection) -> list[Worker]:
    """Every worker that has not said good-bye, the longest at work first."""
    moment = _now(conn)
    query = (
        sa.select(leases.c.name, leases.c.holder, leases.c.taken_at, leases.c.expires_at)
        .where(leases.c.name.startswith(_PREFIX, autoescape=True))
        .order_by(leases.c.taken_at)
    )
    return [
        Worker(name.removeprefix(_PREFIX), holder, taken_at, expires_at > moment)
        for name, holder, taken_at, expires_at in conn.execute(query)
    ]


def living(conn: sa.Connection) -> list[Worker]:
    """The workers that live, without those of this machine whose process was killed just now."""
    return [one for one in known(conn) if one.alive and not process_is_gone(one.holder)]


def forget(conn: sa.Connection, worker: str) -> None:
    """Forget a worker that said good-bye, or was found dead."""
    conn.execute(sa.delete(leases).where(leases.c.name == _PREFIX + worker))


def _end(conn: sa.Connection) -> int:
    return _now(conn) + int(LEASE.total_seconds() * 1000)


def _now(conn: sa.Connection) -> int:
    """The moment by the clock that all workers share."""
    if conn.dialect.name != "postgresql":
        return to_millis(now())
    seconds = conn.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp())"))
    return int(seconds * 1000)

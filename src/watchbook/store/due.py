"""What is due when: a row for each account and each kind of work that the schedule knows.

``next_at`` is the moment (milliseconds) of the next slot; ``job`` names what was queued for it,
and is None while nothing is. A slot is left by whoever has done its job, in one statement, so
however often that is repeated the schedule goes on once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from watchbook.store.database import upsert
from watchbook.store.schema import due


@dataclass(frozen=True)
class Due:
    """When an account's work of one kind is due, and the job that was queued for it."""

    account_id: int
    kind: str
    next_at: int
    job: str | None


_COLUMNS = [due.c[name] for name in Due.__dataclass_fields__]
_ORDER = (due.c.next_at, due.c.kind.desc())  # a sync before a backup


def all_rows(conn: sa.Connection) -> list[Due]:
    """Everything that the schedule knows, what is due first in front."""
    return [Due(*row) for row in conn.execute(sa.select(*_COLUMNS).order_by(*_ORDER))]


def of_account(conn: sa.Connection, account_id: int) -> list[Due]:
    """What the schedule knows of one account, what is due first in front."""
    query = sa.select(*_COLUMNS).where(due.c.account_id == account_id).order_by(*_ORDER)
    return [Due(*row) for row in conn.execute(query)]


def add(conn: sa.Connection, rows: Iterable[Due]) -> None:
    """Take in what is not known yet."""
    values = [vars(row) for row in rows]
    upsert(conn, due, values, update=["next_at"], where=lambda _: sa.false())


def drop(conn: sa.Connection, row: Due) -> None:
    """Forget what an account has no need of any more."""
    conn.execute(sa.delete(due).where(*_key(row)))


def queued(conn: sa.Connection, row: Due, job: str) -> None:
    """Note that ``job`` was queued for the slot, unless that is behind by now."""
    same = (due.c.next_at == row.next_at, due.c.job.is_(None))
    conn.execute(sa.update(due).where(*_key(row), *same).values(job=job))


def leave(conn: sa.Connection, row: Due, next_at: int) -> bool:
    """Leave the slot for the next one; whether it was still there to leave.

    A job may end before the row says that it was queued.
    """
    same = sa.or_(due.c.job == row.job, due.c.job.is_(None))
    statement = sa.update(due).where(*_key(row), due.c.next_at == row.next_at, same)
    return conn.execute(statement.values(next_at=next_at, job=None)).rowcount > 0


def hasten(conn: sa.Connection, account_id: int, kind: str, moment: int) -> None:
    """Let what is due later, and was not queued yet, be due at ``moment``."""
    this = (due.c.account_id == account_id, due.c.kind == kind)
    later = (due.c.job.is_(None), due.c.next_at > moment)
    conn.execute(sa.update(due).where(*this, *later).values(next_at=moment))


def _key(row: Due) -> tuple[sa.ColumnElement[bool], ...]:
    return (due.c.account_id == row.account_id, due.c.kind == row.kind)

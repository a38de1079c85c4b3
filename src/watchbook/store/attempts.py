"""Tries at the rows of the outbox: each is written down before anything is sent.

A try that has no end was going on when its process died.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store.outbox import Post
from watchbook.store.schema import attempts, outbox


@dataclass(frozen=True)
class Attempt:
    """One try at a row (``send``) or one look for its post (``look``), and how it ended."""

    what: str
    began_at: int
    ended_at: int | None
    outcome: str | None
    status: int | None
    words: str | None


_COLUMNS = [attempts.c[name] for name in Attempt.__dataclass_fields__]
_POST = [outbox.c[name] for name in Post.__dataclass_fields__]


def begin(conn: sa.Connection, outbox_id: int, what: str) -> int:
    """Write down that a try begins, before anything is sent; returns its id."""
    row = {"outbox_id": outbox_id, "what": what, "began_at": to_millis(now())}
    made: int = conn.execute(sa.insert(attempts).values(row).returning(attempts.c.id)).scalar_one()
    return made


def end(
    conn: sa.Connection, attempt_id: int, outcome: str, status: int | None, words: str | None
) -> None:
    """Write down how a try ended."""
    told = {"ended_at": to_millis(now()), "outcome": outcome, "status": status, "words": words}
    conn.execute(sa.update(attempts).where(attempts.c.id == attempt_id).values(told))


def end_open(conn: sa.Connection, outbox_id: int, outcome: str) -> None:
    """Write down how tries ended whose process died."""
    begun = (attempts.c.outbox_id == outbox_id) & attempts.c.ended_at.is_(None)
    told = {"ended_at": to_millis(now()), "outcome": outcome}
    conn.execute(sa.update(attempts).where(begun).values(told))


def of_post(conn: sa.Connection, outbox_id: int) -> list[Attempt]:
    """Every try at a row, oldest first."""
    query = sa.select(*_COLUMNS).where(attempts.c.outbox_id == outbox_id).order_by(attempts.c.id)
    return [Attempt(*row) for row in conn.execute(query)]


def sent_since(conn: sa.Connection, site_id: int, moment: int) -> Sequence[int]:
    """When something was sent to a site since ``moment``, oldest first."""
    query = (
        sa.select(attempts.c.began_at)
        .join(outbox, outbox.c.id == attempts.c.outbox_id)
        .where(outbox.c.site_id == site_id, attempts.c.what == "send")
        .where(attempts.c.began_at >= moment)
        .order_by(attempts.c.began_at)
    )
    return conn.scalars(query).all()


def latest(conn: sa.Connection, site_id: int, limit: int) -> list[tuple[Post, Attempt]]:
    """The last tries at the rows of a site that have ended, newest first."""
    query = (
        sa.select(*_POST, *_COLUMNS)
        .join(attempts, attempts.c.outbox_id == outbox.c.id)
        .where(outbox.c.site_id == site_id, attempts.c.ended_at.is_not(None))
        .order_by(attempts.c.id.desc())
        .limit(limit)
    )
    width = len(_POST)
    return [(Post(*row[:width]), Attempt(*row[width:])) for row in conn.execute(query)]

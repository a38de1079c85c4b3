"""What an account watches right now, as Trakt said when it was last asked."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store import changes
from watchbook.store.database import upsert
from watchbook.store.schema import watching


@dataclass(frozen=True)
class Watching:
    """A film or episode that runs; moments in milliseconds, ``raw`` is Trakt's JSON."""

    title_key: str
    started_at: int
    expires_at: int
    raw: str


@dataclass(frozen=True)
class LastLook:
    """What Trakt said when it was last asked."""

    found: Watching | None
    """None when nothing was being watched."""
    asked_at: int
    """When it last answered (milliseconds)."""
    words: str | None
    """What went wrong since then, in words; None when nothing did."""


def last_look(conn: sa.Connection, account_id: int) -> LastLook | None:
    """What is known of an account; None when Trakt was never asked."""
    row = conn.execute(sa.select(watching).where(watching.c.account_id == account_id)).first()
    if row is None:
        return None
    found = None
    if row.title_key is not None:
        found = Watching(row.title_key, row.started_at, row.expires_at, row.raw)
    return LastLook(found, row.asked_at, row.words)


def save(conn: sa.Connection, account_id: int, found: Watching | None) -> None:
    """Keep Trakt's answer; only one that differs is told as a change."""
    before = last_look(conn, account_id)
    row = {
        "account_id": account_id,
        "raw": found.raw if found else None,
        "title_key": found.title_key if found else None,
        "started_at": found.started_at if found else None,
        "expires_at": found.expires_at if found else None,
        "asked_at": to_millis(now()),
        "words": None,
    }
    upsert(conn, watching, [row], update=[name for name in row if name != "account_id"])
    if (before.found if before else None) != found:
        changes.tell(conn, changes.of_account(account_id))


def note(conn: sa.Connection, account_id: int, words: str) -> None:
    """Write why Trakt could not be asked; what it said before stays with its moment."""
    row = {"account_id": account_id, "asked_at": 0, "words": words}
    upsert(conn, watching, [row], update=("words",))


def forget(conn: sa.Connection, account_id: int) -> None:
    """Forget what was being watched."""
    conn.execute(sa.delete(watching).where(watching.c.account_id == account_id))
    changes.tell(conn, changes.of_account(account_id))

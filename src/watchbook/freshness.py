"""How fresh a copy is, in words that may be told to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from watchbook.clock import from_millis, now
from watchbook.overview import lives_on_exports
from watchbook.steps import hurried
from watchbook.store import grants, runs
from watchbook.store.accounts import Account
from watchbook.store.grants import State

MISSED_CHECKS = 3
"""Periods without a successful check after which a copy counts as old."""

LEAST = timedelta(minutes=15)
"""It is not called old before that, however short its period."""

LOCKED = "Trakt has locked the account; this is the last known state."
SIGNED_OUT = "The account has to be signed in to Trakt again; this is the last known state."
DISCONNECTED = "The account is not connected to Trakt any more; this is the last known state."
UNREAD = "It has not been read from Trakt completely yet."
FAILED = "Trakt could not be read at the last check; this is the last known state."
OLD = "Trakt has not been asked for a while; this is the last known state."


@dataclass(frozen=True)
class Freshness:
    """Up to when a copy is known to be true, and why it may be older than it should be."""

    as_of: datetime | None
    """When the last sync or import that went well began; None when there was none."""
    reason: str | None
    """Why it is stale; None while it is not."""

    @property
    def stale(self) -> bool:
        """Whether it may be older than it should be."""
        return self.reason is not None


def freshness(conn: sa.Connection, account: Account, sync_every: timedelta) -> Freshness:
    """How fresh the copy of ``account`` is, which is brought up to date every ``sync_every``.

    What lives on exports is as fresh as the last one, and never stale by its age.
    """
    as_of = runs.last_success(conn, account.id, ("sync", "import"))
    moment = None if as_of is None else from_millis(as_of)
    return Freshness(moment, _reason(conn, account, sync_every))


def _reason(conn: sa.Connection, account: Account, sync_every: timedelta) -> str | None:
    if account.locked:
        return LOCKED
    synced = runs.last_success(conn, account.id, ("sync",))
    grant = grants.find(conn, account.id)
    if grant is None:
        away = synced is not None and not lives_on_exports(conn, account)
        return DISCONNECTED if away else None
    if grant.state is State.NEEDED:
        return SIGNED_OUT
    if synced is None:
        return UNREAD
    if _last_failed(conn, account):
        return FAILED
    longest = max(hurried(LEAST), MISSED_CHECKS * hurried(sync_every))
    return OLD if from_millis(synced) < now() - longest else None


def _last_failed(conn: sa.Connection, account: Account) -> bool:
    """Whether the last sync that came to an end was none that went well."""
    ended = (run for run in runs.latest(conn, account.id, "sync", limit=2) if run.finished_at)
    return next((run.outcome == runs.FAILED for run in ended), False)

"""What the schedule does next for an account, and whether anybody sees to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from watchbook.clock import from_millis, in_words, now
from watchbook.store import due, runs, workers
from watchbook.store.accounts import Account
from watchbook.store.due import Due

LATE = timedelta(minutes=15)
"""Work that is due for longer than that has been forgotten by somebody."""


@dataclass(frozen=True)
class Outlook:
    """When what is next; ``warning`` says that it was due long ago, and what to do about that.

    ``since``, ``machine`` and ``process`` are those of the service that is longest at work.
    """

    service: bool
    since: datetime | None
    machine: str | None
    process: int | None
    next_sync: datetime | None
    next_backup: datetime | None
    warning: str | None


def outlook(conn: sa.Connection, account: Account) -> Outlook | None:
    """What comes next for an account; None when no service has ever planned anything for it.

    Whoever went back to cron after that is left in peace.
    """
    rows = {row.kind: row for row in due.of_account(conn, account.id)}
    if not rows:
        return None
    worker = next(iter(workers.living(conn)), None)
    service = worker is not None
    late = now() - from_millis(min(row.next_at for row in rows.values()))
    warning = None
    if late > LATE and service:
        warning = f"late by {in_words(late)} though a service runs: its log says why"
    elif late > LATE and not _was_synced_since(conn, account, rows):
        warning = f"late by {in_words(late)}, and no service runs: `watchbook serve`"
    return Outlook(
        service,
        from_millis(worker.since) if worker else None,
        worker.machine if worker else None,
        worker.process if worker else None,
        _moment(rows, "sync"),
        _moment(rows, "backup"),
        warning,
    )


def _was_synced_since(conn: sa.Connection, account: Account, rows: Mapping[str, Due]) -> bool:
    last = next(iter(runs.latest(conn, account.id, "sync")), None)
    planned = rows.get("sync")
    return last is not None and planned is not None and last.started_at > planned.next_at


def _moment(rows: Mapping[str, Due], kind: str) -> datetime | None:
    row = rows.get(kind)
    return from_millis(row.next_at) if row is not None else None

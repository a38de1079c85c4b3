"""In which years and months there are plays: found by looking at one row for each."""

from __future__ import annotations

import sqlalchemy as sa

from watchbook.store.schema import plays


def newest_before(conn: sa.Connection, account_id: int, moment: int) -> int | None:
    """When the last play before ``moment`` (milliseconds) with a known date was watched."""
    query = _dated(account_id).where(plays.c.watched_at < moment)
    return conn.scalar(query.order_by(plays.c.watched_at.desc()).limit(1))


def any_between(conn: sa.Connection, account_id: int, since: int, until: int) -> bool:
    """Whether anything was watched from ``since`` on and before ``until`` (milliseconds)."""
    found = newest_before(conn, account_id, until)
    return found is not None and found >= since


def _dated(account_id: int) -> sa.Select[int]:
    return sa.select(plays.c.watched_at).where(
        plays.c.account_id == account_id, plays.c.removed_at.is_(None), plays.c.watched_at != 0
    )

"""In which years and months there are plays, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import sqlalchemy as sa

from watchbook.store.schema import plays


class Counted(NamedTuple):
    """How many plays there are of each type."""

    films: int
    episodes: int


def newest_before(conn: sa.Connection, account_id: int, moment: int) -> int | None:
    """When the last play before ``moment`` (milliseconds) with a known date was watched."""
    query = _dated(account_id).where(plays.c.watched_at < moment)
    return conn.scalar(query.order_by(plays.c.watched_at.desc()).limit(1))


def oldest_since(conn: sa.Connection, account_id: int, moment: int) -> int | None:
    """When the first play from ``moment`` (milliseconds) on with a known date was watched."""
    query = _dated(account_id).where(plays.c.watched_at >= moment)
    return conn.scalar(query.order_by(plays.c.watched_at).limit(1))


def counted(conn: sa.Connection, account_id: int, moments: Sequence[int]) -> list[Counted]:
    """How many plays with a known date there are from each moment (milliseconds) up to the next.

    One statement, which reads an index alone.
    """
    spans = list(pairwise(moments))
    films, episodes = ([_count(account_id, kind, *span) for span in spans] for kind in _TYPES)
    row = conn.execute(sa.select(*films, *episodes)).one()
    return [Counted(*pair) for pair in zip(row[: len(spans)], row[len(spans) :], strict=True)]


_TYPES = ("movie", "episode")


def _count(account_id: int, kind: str, since: int, until: int) -> sa.ColumnElement[int]:
    within = (plays.c.watched_at >= since, plays.c.watched_at < until, plays.c.type == kind)
    return _dated(account_id).with_only_columns(sa.func.count()).where(*within).scalar_subquery()


def _dated(account_id: int) -> sa.Select[int]:
    return sa.select(plays.c.watched_at).where(
        plays.c.account_id == account_id, plays.c.removed_at.is_(None), plays.c.watched_at != 0
    )

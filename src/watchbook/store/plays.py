"""Plays in the store: saving pages, and finding what Trakt no longer shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from watchbook.store import changes
from watchbook.store.database import Excluded, upsert
from watchbook.store.schema import plays, titles

CHUNK = 500
_UPDATED = ("type", "title_key", "watched_at", "action", "raw", "generation")


class PlayRow(NamedTuple):
    """A play as Trakt showed it; ``watched_at`` in milliseconds, 0 for an unknown date."""

    history_id: int
    type: str
    title_key: str | None
    watched_at: int
    action: str
    raw: str


def save(
    conn: sa.Connection, account_id: int, rows: Iterable[PlayRow], generation: int, moment: int
) -> tuple[list[int], int]:
    """Insert new plays, update changed ones, bring back removed ones.

    Returns the history ids that were new, and how many known ones had changed.
    """
    unique = {row.history_id: row for row in rows}
    known = _known(conn, account_id, list(unique))
    new = [history_id for history_id in unique if history_id not in known]
    changed = sum(
        known[history_id] != (row.raw, row.watched_at)
        for history_id, row in unique.items()
        if history_id in known
    )
    values = [
        {
            "account_id": account_id,
            "history_id": row.history_id,
            "type": row.type,
            "title_key": row.title_key,
            "watched_at": row.watched_at,
            "action": row.action,
            "raw": row.raw,
            "discovered_at": moment,
            "generation": generation,
            "missing_at": None,
            "removed_at": None,
        }
        for row in unique.values()
    ]
    upsert(conn, plays, values, update=(*_UPDATED, "missing_at", "removed_at"), where=_differs)
    if new or changed:
        changes.tell(conn, changes.of_account(account_id))
    return new, changed


def _differs(excluded: Excluded) -> sa.ColumnElement[bool]:
    return sa.or_(
        plays.c.raw != excluded.raw,
        plays.c.generation != excluded.generation,
        plays.c.missing_at.is_not(None),
        plays.c.removed_at.is_not(None),
    )


def _known(conn: sa.Connection, account_id: int, ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Raw text and moment of those of ``ids`` that are stored and not removed."""
    known = {}
    for start in range(0, len(ids), CHUNK):
        query = sa.select(plays.c.history_id, plays.c.raw, plays.c.watched_at).where(
            plays.c.account_id == account_id,
            plays.c.history_id.in_(ids[start : start + CHUNK]),
            plays.c.removed_at.is_(None),
        )
        known.update({row[0]: (row[1], row[2]) for row in conn.execute(query)})
    return known


def count(conn: sa.Connection, account_id: int) -> int:
    """How many plays Trakt shows, as far as we know."""
    query = sa.select(sa.func.count()).where(
        plays.c.account_id == account_id, plays.c.removed_at.is_(None)
    )
    return conn.scalar(query) or 0


def count_between(conn: sa.Connection, account_id: int, start: int, end: int) -> int:
    """How many plays lie between two moments, both included."""
    query = sa.select(sa.func.count()).where(
        plays.c.account_id == account_id,
        plays.c.removed_at.is_(None),
        plays.c.watched_at.between(start, end),
    )
    return conn.scalar(query) or 0


def latest_moment(conn: sa.Connection, account_id: int) -> int | None:
    """When the play dated last was watched."""
    query = sa.select(sa.func.max(plays.c.watched_at)).where(
        plays.c.account_id == account_id, plays.c.removed_at.is_(None)
    )
    moment: int | None = conn.scalar(query)
    return moment


def moments_by_title(conn: sa.Connection, account_id: int, kind: str) -> Iterable[tuple[str, int]]:
    """Title key and moment of every play of ``kind`` that has a title."""
    query = sa.select(plays.c.title_key, plays.c.watched_at).where(
        plays.c.account_id == account_id,
        plays.c.type == kind,
        plays.c.removed_at.is_(None),
        plays.c.title_key.is_not(None),
    )
    for row in conn.execute(query):
        yield row[0], row[1]


def ids_of_titles(conn: sa.Connection, account_id: int, keys: Collection[str]) -> dict[int, str]:
    """History id and title key of the plays of those titles."""
    wanted = list(keys)
    found: dict[int, str] = {}
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(plays.c.history_id, plays.c.title_key).where(
            plays.c.account_id == account_id,
            plays.c.title_key.in_(wanted[start : start + CHUNK]),
            plays.c.removed_at.is_(None),
        )
        found.update({row[0]: row[1] for row in conn.execute(query)})
    return found


def by_ids(conn: sa.Connection, account_id: int, ids: Collection[int]) -> list[PlayRow]:
    """The plays with those history ids."""
    wanted = list(ids)
    found = []
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(*(plays.c[name] for name in PlayRow._fields)).where(
            plays.c.account_id == account_id,
            plays.c.history_id.in_(wanted[start : start + CHUNK]),
        )
        found += [PlayRow(*row) for row in conn.execute(query)]
    return found


def titles_of(conn: sa.Connection, account_id: int, ids: Collection[int]) -> dict[int, str | None]:
    """The title key of each of those plays."""
    return {row.history_id: row.title_key for row in by_ids(conn, account_id, ids)}


def count_uncounted(conn: sa.Connection, account_id: int, kinds: Collection[str]) -> int:
    """How many plays have no title, or are of another type than ``kinds``."""
    query = sa.select(sa.func.count()).where(
        plays.c.account_id == account_id,
        plays.c.removed_at.is_(None),
        sa.or_(plays.c.title_key.is_(None), plays.c.type.not_in(list(kinds))),
    )
    return conn.scalar(query) or 0


def ids_between(conn: sa.Connection, account_id: int, start: int, end: int) -> set[int]:
    """History ids of the plays between two moments, both included."""
    query = sa.select(plays.c.history_id).where(
        plays.c.account_id == account_id,
        plays.c.removed_at.is_(None),
        plays.c.watched_at.between(start, end),
    )
    return set(conn.scalars(query))


def unseen_ids(conn: sa.Connection, account_id: int, generation: int) -> set[int]:
    """History ids that the reading ``generation`` did not show."""
    query = sa.select(plays.c.history_id).where(
        plays.c.account_id == account_id,
        plays.c.removed_at.is_(None),
        plays.c.generation != generation,
    )
    return set(conn.scalars(query))


def show_keys(conn: sa.Connection, episode_keys: Collection[str]) -> dict[str, str]:
    """The show of each of the episodes, where it is known."""
    wanted = list(episode_keys)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(titles.c.key, titles.c.show_key).where(
            titles.c.key.in_(wanted[start : start + CHUNK]), titles.c.show_key.is_not(None)
        )
        found.update({row[0]: row[1] for row in conn.execute(query)})
    return found


def has_plays(conn: sa.Connection, account_id: int, title_key: str) -> bool:
    """Whether a film, or any episode of a show, has a play."""
    of_title = sa.or_(titles.c.key == title_key, titles.c.show_key == title_key)
    query = (
        sa.select(plays.c.history_id)
        .join(titles, titles.c.key == plays.c.title_key)
        .where(plays.c.account_id == account_id, plays.c.removed_at.is_(None), of_title)
        .limit(1)
    )
    return conn.scalar(query) is not None


def mark(
    conn: sa.Connection, account_id: int, ids: Collection[int], *, column: str, moment: int
) -> None:
    """Set ``missing_at`` (first look) or ``removed_at`` (confirmed) of those plays."""
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        ours = (plays.c.account_id == account_id) & plays.c.history_id.in_(
            wanted[start : start + CHUNK]
        )
        conn.execute(
            sa.update(plays).where(ours, plays.c[column].is_(None)).values({column: moment})
        )
    changes.tell(conn, changes.of_account(account_id))


def newest_ids(conn: sa.Connection, account_id: int, limit: int) -> list[int]:
    """The history ids of the plays watched last, newest first."""
    query = sa.select(plays.c.history_id).where(
        plays.c.account_id == account_id, plays.c.removed_at.is_(None)
    )
    order = (plays.c.watched_at.desc(), plays.c.history_id.desc())
    return list(conn.scalars(query.order_by(*order).limit(limit)))

"""Rows of all data sets but history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from watchbook.store.database import Excluded, upsert
from watchbook.store.schema import items, rejects


@dataclass(frozen=True)
class ItemRow:
    """A row as Trakt showed it, the ``place``-th of its data set (counted from 0)."""

    key: str
    type: str | None
    title_key: str | None
    place: int
    raw: str


@dataclass(frozen=True)
class Saved:
    """How many rows were new, and how many had changed."""

    added: int = 0
    changed: int = 0


def save(
    conn: sa.Connection,
    account_id: int,
    data_set: str,
    rows: Iterable[ItemRow],
    generation: int,
    moment: int,
) -> Saved:
    """Insert new rows, update changed ones, bring back removed ones."""
    unique = {row.key: row for row in rows}
    known = _known(conn, account_id, data_set, list(unique))
    values = [
        {
            "account_id": account_id,
            "data_set": data_set,
            "key": row.key,
            "type": row.type,
            "title_key": row.title_key,
            "place": row.place,
            "raw": row.raw,
            "discovered_at": moment,
            "changed_at": moment,
            "generation": generation,
            "missing_at": None,
            "removed_at": None,
        }
        for row in unique.values()
    ]
    upsert(
        conn,
        items,
        values,
        update=("type", "title_key", "place", "raw", "generation", "missing_at", "removed_at"),
        values=_changed_at,
        where=_differs,
    )
    changed = sum(known[key] != row.raw for key, row in unique.items() if key in known)
    return Saved(added=len(unique) - len(known), changed=changed)


def _changed_at(excluded: Excluded) -> dict[str, Any]:
    """The moment of the last change stays where the raw text did."""
    changed = items.c.raw != excluded.raw
    return {"changed_at": sa.case((changed, excluded.changed_at), else_=items.c.changed_at)}


def _differs(excluded: Excluded) -> sa.ColumnElement[bool]:
    return sa.or_(
        items.c.raw != excluded.raw,
        items.c.place != excluded.place,
        items.c.generation != excluded.generation,
        items.c.missing_at.is_not(None),
        items.c.removed_at.is_not(None),
    )


def _known(conn: sa.Connection, account_id: int, data_set: str, keys: list[str]) -> dict[str, str]:
    found = {}
    for start in range(0, len(keys), 500):
        query = sa.select(items.c.key, items.c.raw).where(
            _of(account_id, data_set),
            items.c.key.in_(keys[start : start + 500]),
            items.c.removed_at.is_(None),
        )
        found.update({row[0]: row[1] for row in conn.execute(query)})
    return found


def _of(account_id: int, data_set: str) -> sa.ColumnElement[bool]:
    return (items.c.account_id == account_id) & (items.c.data_set == data_set)


def save_rejects(
    conn: sa.Connection,
    account_id: int,
    data_set: str,
    found: Iterable[tuple[str, str, str]],
    generation: int,
    moment: int,
) -> None:
    """Keep what could not be read: triples of digest, reason and raw text."""
    values = [
        {
            "account_id": account_id,
            "data_set": data_set,
            "digest": digest,
            "reason": reason,
            "raw": raw,
            "seen_at": moment,
            "generation": generation,
        }
        for digest, reason, raw in found
    ]
    upsert(conn, rejects, values, update=("reason", "seen_at", "generation"))


def count_rejects(conn: sa.Connection, account_id: int, data_set: str) -> int:
    """How many unreadable rows are kept of a data set."""
    query = sa.select(sa.func.count()).where(
        rejects.c.account_id == account_id, rejects.c.data_set == data_set
    )
    return conn.scalar(query) or 0


def forget_rejects(
    conn: sa.Connection, account_id: int, data_set: str, *, but_of: int | None = None
) -> None:
    """Drop what could not be read, all but what the reading ``but_of`` showed."""
    ours = (rejects.c.account_id == account_id) & (rejects.c.data_set == data_set)
    conn.execute(sa.delete(rejects).where(ours, rejects.c.generation.is_distinct_from(but_of)))


def count(conn: sa.Connection, account_id: int, data_set: str) -> int:
    """How many rows Trakt shows, as far as we know."""
    query = sa.select(sa.func.count()).where(
        _of(account_id, data_set), items.c.removed_at.is_(None)
    )
    return conn.scalar(query) or 0


def count_seen(
    conn: sa.Connection, account_id: int, data_set: str, generation: int
) -> tuple[int, int]:
    """How many rows a reading showed: those that were readable, and those that were not."""
    readable = sa.select(sa.func.count()).where(
        _of(account_id, data_set), items.c.generation >= generation
    )
    unreadable = sa.select(sa.func.count()).where(
        rejects.c.account_id == account_id,
        rejects.c.data_set == data_set,
        rejects.c.generation >= generation,
    )
    return conn.scalar(readable) or 0, conn.scalar(unreadable) or 0


def raws(conn: sa.Connection, account_id: int, data_set: str) -> Iterator[tuple[str, str]]:
    """Key and raw text of the rows that Trakt shows, in their order."""
    query = (
        sa.select(items.c.key, items.c.raw)
        .where(_of(account_id, data_set), items.c.removed_at.is_(None))
        .order_by(items.c.place, items.c.key)
    )
    for row in conn.execute(query):
        yield row[0], row[1]


def raws_of(
    conn: sa.Connection, account_id: int, data_set: str, keys: Collection[str]
) -> dict[str, str]:
    """Raw text of those rows of ``keys`` that Trakt shows, by key."""
    query = sa.select(items.c.key, items.c.raw).where(
        _of(account_id, data_set), items.c.key.in_(keys), items.c.removed_at.is_(None)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def page(
    conn: sa.Connection,
    account_id: int,
    data_set: str,
    limit: int,
    *,
    after: tuple[int, str] | None = None,
) -> list[ItemRow]:
    """Up to ``limit`` rows that Trakt shows, in their order, from behind a place and key on."""
    query = sa.select(*(items.c[name] for name in ItemRow.__dataclass_fields__)).where(
        _of(account_id, data_set), items.c.removed_at.is_(None)
    )
    if after is not None:
        here = sa.tuple_(items.c.place, items.c.key)
        query = query.where(here > sa.tuple_(*map(sa.literal, after)))
    rows = conn.execute(query.order_by(items.c.place, items.c.key).limit(limit))
    return [ItemRow(*row) for row in rows]


def raw(conn: sa.Connection, account_id: int, data_set: str) -> str | None:
    """The object of a data set that is one object."""
    return next((text for _, text in raws(conn, account_id, data_set)), None)


def unseen(
    conn: sa.Connection, account_id: int, data_set: str, generation: int
) -> dict[str, str | None]:
    """Keys (and title keys) of the rows that the reading ``generation`` did not show."""
    query = sa.select(items.c.key, items.c.title_key).where(
        _of(account_id, data_set), items.c.removed_at.is_(None), items.c.generation != generation
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def mark(
    conn: sa.Connection,
    account_id: int,
    data_set: str,
    keys: Collection[str],
    *,
    column: str,
    moment: int,
) -> None:
    """Set ``missing_at`` (first look) or ``removed_at`` (confirmed) of those rows."""
    wanted = list(keys)
    for start in range(0, len(wanted), 500):
        ours = _of(account_id, data_set) & items.c.key.in_(wanted[start : start + 500])
        conn.execute(
            sa.update(items).where(ours, items.c[column].is_(None)).values({column: moment})
        )


def mark_all_removed(conn: sa.Connection, account_id: int, data_set: str, moment: int) -> int:
    """Mark every row of a data set removed, because what it belongs to is gone."""
    ours = _of(account_id, data_set) & items.c.removed_at.is_(None)
    values = {"removed_at": moment, "missing_at": sa.func.coalesce(items.c.missing_at, moment)}
    return conn.execute(sa.update(items).where(ours).values(values)).rowcount


def drop(conn: sa.Connection, account_id: int, data_set: str, *, but_of: int | None = None) -> None:
    """Forget rows where only the newest reading counts, all but those of ``but_of``."""
    older = items.c.generation.is_distinct_from(but_of)
    conn.execute(sa.delete(items).where(_of(account_id, data_set), older))

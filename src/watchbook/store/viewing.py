"""All plays of an account at once, in as few bytes as statistics need.

A hundred thousand rows cost a driver a third of a second, so each column comes as one long text.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from watchbook.store.schema import items, plays, titles
from watchbook.store.watched import rating_in

_BETWEEN = "\x1f"
"""Separates values, and is taken out of those that hold it."""
_CHUNK = 5000


class Moments(NamedTuple):
    """Plays as two columns of the same length."""

    watched_at: list[int]
    """Milliseconds, 0 for an unknown date; oldest first."""
    titles: list[str]
    """Keys of titles; the type of the play where Trakt does not say what it was."""


def moments(conn: sa.Connection, account_id: int) -> Moments:
    """Every play of an account that Trakt still shows; read from one index, without its rows."""
    here = (plays.c.account_id == account_id) & plays.c.removed_at.is_(None)
    key = sa.func.coalesce(plays.c.title_key, plays.c.type)
    watched_at, keys = _columns(conn, [sa.cast(plays.c.watched_at, sa.Text), key], here)
    rows = sorted(zip(map(int, watched_at), keys, strict=True))
    return Moments([at for at, _ in rows], [key for _, key in rows])


class Length(NamedTuple):
    """A played film or episode and how long it is."""

    key: str
    show_key: str
    """Empty for a film."""
    runtime: str
    """Minutes, empty when they are not known."""


def lengths(conn: sa.Connection, account_id: int) -> list[Length]:
    """Every title that an account has played."""
    columns = [titles.c.key, _text(titles.c.show_key), _text(titles.c.runtime)]
    played = sa.select(plays.c.title_key).where(plays.c.account_id == account_id)
    return list(map(Length, *_columns(conn, columns, titles.c.key.in_(played))))


class Kind(NamedTuple):
    """What a film or show is, each as Trakt calls it and empty when it is not known."""

    key: str
    runtime: str
    """Minutes; of a show, those of an episode that has none of its own."""
    genres: str
    """Separated by commas."""
    network: str
    country: str


def kinds(conn: sa.Connection, keys: Collection[str]) -> list[Kind]:
    """What those films and shows are."""
    texts = (_without_mark(titles.c[name]) for name in ("genres", "network", "country"))
    columns = [titles.c.key, _text(titles.c.runtime), *texts]
    found: list[Kind] = []
    wanted = list(keys)
    for start in range(0, len(wanted), _CHUNK):
        some = titles.c.key.in_(wanted[start : start + _CHUNK])
        found += map(Kind, *_columns(conn, columns, some))
    return found


class Name(NamedTuple):
    """What a film or show is called."""

    title: str | None
    year: int | None
    slug: str | None


def names(conn: sa.Connection, keys: Collection[str]) -> dict[str, Name]:
    """What those titles are called, by key."""
    columns = [titles.c[name] for name in ("title", "year", "slug")]
    query = sa.select(titles.c.key, *columns).where(titles.c.key.in_(list(keys)))
    return {key: Name(*rest) for key, *rest in conn.execute(query)}


def ratings(conn: sa.Connection, account_id: int, before: int) -> list[int]:
    """The number of each rating that was given before ``before`` (milliseconds)."""
    query = sa.select(items.c.raw).where(
        items.c.account_id == account_id,
        items.c.data_set.like("ratings/_%", escape="/"),
        items.c.removed_at.is_(None),
    )
    found = (rating_in(raw, before) for raw in conn.scalars(query))
    return [rating for rating in found if rating is not None]


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.coalesce(sa.cast(column, sa.Text), "")


def _without_mark(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.replace(_text(column), _BETWEEN, " ")


def _columns(
    conn: sa.Connection, wanted: Sequence[sa.ColumnElement[Any]], where: sa.ColumnElement[bool]
) -> list[list[str]]:
    """Columns of text that hold no NULL, each as a list; all have the same order."""
    together = (sa.func.aggregate_strings(column, _BETWEEN) for column in wanted)
    found = conn.execute(sa.select(*together).where(where)).one()
    return [[] if text is None else text.split(_BETWEEN) for text in found]

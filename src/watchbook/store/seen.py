"""Titles that an account has watched, with what each has in plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from watchbook.store.folding import words_of
from watchbook.store.schema import items, plays, titles
from watchbook.store.searching import named

_show = titles.alias("show")
_rating = items.alias("rating")
_FIELDS = ("key", "type", "show_key", "season", "number", "title", "year", "slug", "released")
_DETAILS = ("runtime", "genres", "country", "language", "network", "certification")


class Seen(NamedTuple):
    """A title with its plays; moments in milliseconds, 0 for an unknown date."""

    key: str
    type: str
    show_key: str | None
    season: int | None
    number: int | None
    title: str | None
    year: int | None
    slug: str | None
    released: str | None
    runtime: int | None
    genres: str | None
    country: str | None
    language: str | None
    network: str | None
    certification: str | None
    trakt: int | None
    imdb: str | None
    tmdb: int | None
    tvdb: int | None
    show_title: str | None
    show_year: int | None
    show_slug: str | None
    show_trakt: int | None
    rating_raw: str | None
    """The rating of the title as Trakt showed it (JSON)."""
    plays: int
    last: int
    first: int
    """The first play whose date is known; 0 when none is."""


@dataclass(frozen=True)
class After:
    """Where a page ends: the last title's newest play (milliseconds) and key."""

    last: int
    key: str


def page(
    conn: sa.Connection,
    account_id: int,
    limit: int,
    *,
    until: int | None = None,
    kind: str | None = None,
    words: str = "",
    after: After | None = None,
) -> list[Seen]:
    """Films and shows, those watched last first; plays from ``until`` (milliseconds) on are unseen.

    ``kind`` is ``movie`` or ``show``; every one of ``words`` is in the title, however written.
    """
    if words and not words_of(words):
        return []
    whole = sa.func.coalesce(titles.c.show_key, plays.c.title_key)
    every = _counted(account_id, until, whole.label("key")).group_by(whole)
    counted = (_found(account_id, until, words_of(words)) if words else every).subquery()
    query = _described(account_id, counted)
    if kind is not None:
        query = query.where(titles.c.type == kind)
    if after is not None:
        here = sa.tuple_(counted.c.last, titles.c.key)
        query = query.where(here < sa.tuple_(sa.literal(after.last), sa.literal(after.key)))
    query = query.order_by(counted.c.last.desc(), titles.c.key.desc()).limit(limit)
    return [Seen._make(row) for row in conn.execute(query)]


def one(conn: sa.Connection, account_id: int, key: str, *, until: int | None = None) -> Seen | None:
    """The film, show, season or episode called ``key``; None unless it was watched."""
    wanted = conn.execute(sa.select(titles).where(titles.c.key == key)).one_or_none()
    if wanted is None:
        return None
    part = titles.alias("part")
    belongs = {
        "show": part.c.show_key == key,
        "season": (part.c.show_key == wanted.show_key) & (part.c.season == wanted.season),
    }
    # Joined by OR, the show and the title would be looked up for every play.
    parts = sa.select(part.c.key).where(belongs.get(wanted.type, part.c.key == key))
    counted = _counted(account_id, until, sa.literal(key).label("key"))
    found = counted.where(plays.c.title_key.in_(parts)).subquery()
    row = conn.execute(_described(account_id, found).where(found.c.plays > 0)).one_or_none()
    return Seen._make(row) if row else None


def _counted(account_id: int, until: int | None, key: sa.ColumnElement[Any]) -> sa.Select[Any]:
    whose = plays.join(titles, titles.c.key == plays.c.title_key)
    ours = plays.c.account_id == account_id
    return _totals(plays, until, key).select_from(whose).where(ours)


def _totals(source: sa.FromClause, until: int | None, key: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """What a title has in the plays of ``source`` that Trakt shows."""
    moment = source.c.watched_at
    dated = sa.case((moment > 0, moment))
    last, first = (sa.func.coalesce(f(dated), 0) for f in (sa.func.max, sa.func.min))
    query = sa.select(
        key, sa.func.count().label("plays"), last.label("last"), first.label("first")
    ).where(source.c.removed_at.is_(None))
    return query if until is None else query.where(moment < until)


def _found(account_id: int, until: int | None, words: Iterable[str]) -> sa.Select[Any]:
    """Films and shows with those words in their names, and what they have in plays.

    It begins at the titles and comes from there to the plays, whatever a database would rather do.
    """
    part = titles.alias("part")
    wholes = sa.select(titles.c.key).where(titles.c.show_key.is_(None), *named(titles, words))
    whole = wholes.cte("wholes").prefix_with("MATERIALIZED")
    parts = sa.union_all(
        sa.select(whole.c.key, whole.c.key.label("part")),
        sa.select(part.c.show_key, part.c.key).where(part.c.show_key.in_(sa.select(whole.c.key))),
    ).subquery()
    here = (plays.c.account_id == account_id) & (plays.c.title_key == parts.c.part)
    columns = (plays.c[name] for name in ("history_id", "watched_at", "removed_at"))
    joined = sa.select(parts.c.key, *columns).select_from(parts.outerjoin(plays, here))
    played = joined.cte("played").prefix_with("MATERIALIZED")
    totals = _totals(played, until, played.c.key).where(played.c.history_id.is_not(None))
    return totals.group_by(played.c.key)


def _described(account_id: int, counted: sa.Subquery) -> sa.Select[Any]:
    """The titles that were counted, with names, details and rating."""
    rates = (
        (_rating.c.account_id == account_id)
        & (_rating.c.data_set == sa.literal("ratings_") + titles.c.type + sa.literal("s"))
        & (_rating.c.key == titles.c.key)
        & _rating.c.removed_at.is_(None)
    )
    joined = (
        counted.join(titles, titles.c.key == counted.c.key)
        .outerjoin(_show, _show.c.key == titles.c.show_key)
        .outerjoin(_rating, rates)
    )
    details = (sa.func.coalesce(titles.c[name], _show.c[name]) for name in _DETAILS)
    return sa.select(
        *(titles.c[name] for name in _FIELDS),
        *details,
        *(titles.c[name] for name in ("trakt_id", "imdb", "tmdb", "tvdb")),
        *(_show.c[name] for name in ("title", "year", "slug", "trakt_id")),
        _rating.c.raw,
        counted.c.plays,
        counted.c.last,
        counted.c.first,
    ).select_from(joined)

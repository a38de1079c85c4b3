"""Plays with what is known of their titles: how everything that shows or hands on reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from operator import gt, lt
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from watchbook.clock import from_iso, to_millis
from watchbook.store.folding import words_of
from watchbook.store.schema import items, plays, titles
from watchbook.store.searching import Hit, anywhere, called, nearby

_title = titles.alias("title")
_show = titles.alias("show")
_rating = items.alias("rating")

_PLAY_COLUMNS = [
    plays.c[name]
    for name in (
        "history_id",
        "type",
        "title_key",
        "watched_at",
        "action",
        "raw",
        "removed_at",
    )
]


def _else_of_show(name: str) -> sa.ColumnElement[object]:
    return sa.func.coalesce(_title.c[name], _show.c[name]).label(name)


_TITLE_COLUMNS: list[sa.ColumnElement[object]] = [
    _title.c.title,
    _title.c.year,
    _title.c.season,
    _title.c.number,
    _title.c.slug,
    _title.c.trakt_id,
    _title.c.imdb,
    _title.c.tmdb,
    _title.c.tvdb,
    _else_of_show("runtime"),
    _title.c.released,
    *map(_else_of_show, ("genres", "country", "language", "network", "certification")),
    _title.c.show_key,
    _show.c.title,
    _show.c.year,
    _show.c.slug,
    _show.c.trakt_id,
    _show.c.imdb,
    _show.c.tmdb,
    _show.c.tvdb,
]


class WatchedPlay(NamedTuple):
    """A play with what is known of its title; moments in milliseconds, 0 for an unknown date."""

    history_id: int
    type: str
    title_key: str | None
    watched_at: int
    action: str
    raw: str
    removed_at: int | None
    rating_raw: str | None
    """The rating of the title as Trakt showed it (JSON); see :attr:`rating`."""
    title: str | None
    """The film's or the episode's own title."""
    year: int | None
    season: int | None
    number: int | None
    slug: str | None
    trakt: int | None
    imdb: str | None
    tmdb: int | None
    tvdb: int | None
    runtime: int | None
    """Minutes; an episode without a runtime of its own has that of its show."""
    released: str | None
    genres: str | None
    """Separated by commas; an episode has those of its show."""
    country: str | None
    language: str | None
    network: str | None
    certification: str | None
    show_key: str | None
    show_title: str | None
    show_year: int | None
    show_slug: str | None
    show_trakt: int | None
    show_imdb: str | None
    show_tmdb: int | None
    show_tvdb: int | None

    @property
    def rating(self) -> int | None:
        """What its owner rated the film or episode, from 1 to 10."""
        return rating_in(self.rating_raw)


class _Rated(msgspec.Struct):
    rating: int | None = None
    rated_at: object = None


_rated = msgspec.json.Decoder(_Rated)


def rating_in(raw: str | None, before: int | None = None) -> int | None:
    """The rating in a row of ratings; None when there is none that can be one.

    Of one that was given at the moment ``before`` (milliseconds) or later nothing is told either.
    """
    try:
        found = _rated.decode(raw or "{}")
    except (ValueError, RecursionError):
        return None
    if found.rating is None or not 1 <= found.rating <= 10:
        return None
    return found.rating if before is None or _moment(found.rated_at) < before else None


def _moment(text: object) -> int:
    """What a moment in a row is in milliseconds; 0 when it cannot be read."""
    try:
        return to_millis(from_iso(text)) if isinstance(text, str) else 0
    except ValueError:
        return 0


def watched() -> sa.Select[Any]:
    """Every play of everybody, as the columns of `WatchedPlay`; to be narrowed by the caller."""
    return _told(plays.outerjoin(_title, _title.c.key == plays.c.title_key))


def _told(joined: sa.FromClause) -> sa.Select[Any]:
    rates = _rates(plays.c.account_id, plays.c.type, plays.c.title_key)
    whole = joined.outerjoin(_show, _show.c.key == _title.c.show_key).outerjoin(_rating, rates)
    return sa.select(*_PLAY_COLUMNS, _rating.c.raw, *_TITLE_COLUMNS).select_from(whole)


def _rates(
    account_id: Any, type_: sa.ColumnElement[str], title_key: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    return sa.and_(
        _rating.c.account_id == account_id,
        _rating.c.data_set == sa.literal("ratings_") + type_ + sa.literal("s"),
        _rating.c.key == title_key,
        _rating.c.removed_at.is_(None),
    )


def as_if_watched(
    conn: sa.Connection, account_id: int, title_key: str, moment: int
) -> WatchedPlay | None:
    """A film or episode as a play of that moment (milliseconds) that is no row of history yet."""
    joined = _title.outerjoin(_show, _show.c.key == _title.c.show_key).outerjoin(
        _rating, _rates(account_id, _title.c.type, _title.c.key)
    )
    query = (
        sa.select(_title.c.type, _rating.c.raw, *_TITLE_COLUMNS)
        .select_from(joined)
        .where(_title.c.key == title_key)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    kind, rating, *told = row
    return WatchedPlay(0, kind, title_key, moment, "watching", "{}", None, rating, *told)


def _shown(account_id: int) -> sa.Select[Any]:
    return watched().where(plays.c.account_id == account_id, plays.c.removed_at.is_(None))


def plays_of(
    conn: sa.Connection,
    account_id: int,
    history_ids: Collection[int],
    *,
    removed: bool = False,
) -> list[WatchedPlay]:
    """Those plays that Trakt still shows, in no order; with ``removed`` those gone, too."""
    ours = watched().where(plays.c.account_id == account_id) if removed else _shown(account_id)
    query = ours.where(plays.c.history_id.in_(history_ids))
    return [WatchedPlay._make(row) for row in conn.execute(query)]


class Place(NamedTuple):
    """Where a page of plays ends: the last one's moment (milliseconds) and history id."""

    watched_at: int
    history_id: int


@dataclass(frozen=True)
class Wanted:
    """Which plays a page shows; an empty filter lets everything pass."""

    types: frozenset[str] = frozenset()
    """Of ``movie`` and ``episode``."""
    title_key: str | None = None
    """A film, an episode, or a show with all its episodes."""
    since: int | None = None
    """Watched at or after this moment (milliseconds)."""
    until: int | None = None
    """And before this."""
    search: str = ""
    """Words that the title or its show holds, however they are written."""
    dated: bool = False
    """None of an unknown date."""

    def spans(self, moment: int) -> bool:
        """Whether plays of that moment (milliseconds, 0 for an unknown date) are among them."""
        since, until = self.since, self.until
        begun, over = since is None or moment >= since, until is not None and moment >= until
        return begun and not over and not (self.dated and moment == 0)


EVERYTHING = Wanted()
TYPES = ("movie", "episode")


def of_type(kind: str | None) -> Wanted:
    """All plays of one of ``TYPES``; of both without one."""
    return EVERYTHING if kind is None else Wanted(types=frozenset({kind}))


def newest(
    conn: sa.Connection,
    account_id: int,
    limit: int,
    *,
    wanted: Wanted = EVERYTHING,
    before: Place | None = None,
) -> list[WatchedPlay]:
    """Up to ``limit`` plays, newest first, from behind ``before`` on.

    Page 2,000 costs what page 1 does, since a page begins at a row and not at a count.
    """
    if wanted.search:
        hits = _searched(conn, account_id, limit, wanted, before, newest_first=True)
        return _plays_at(conn, account_id, hits)
    query = _page(_shown(account_id), wanted, before, newest_first=True)
    rows = conn.execute(query.where(*_about(wanted)).limit(limit))
    return [WatchedPlay._make(row) for row in rows]


def nearest(
    conn: sa.Connection,
    account_id: int,
    limit: int,
    *,
    wanted: Wanted = EVERYTHING,
    after: Place,
) -> list[Place]:
    """Up to ``limit`` places of the plays before ``after`` in such a list, the nearest first.

    They are what a page needs to know that comes from older plays and goes on to newer ones.
    """
    if wanted.search:
        hits = _searched(conn, account_id, limit, wanted, after, newest_first=False)
        return [Place(*hit[:2]) for hit in hits]
    places = _shown(account_id).with_only_columns(plays.c.watched_at, plays.c.history_id)
    query = _page(places, wanted, after, newest_first=False)
    return [Place._make(row) for row in conn.execute(query.where(*_about(wanted)).limit(limit))]


def _page(
    query: sa.Select[Any], wanted: Wanted, behind: tuple[int, int] | None, *, newest_first: bool
) -> sa.Select[Any]:
    """The plays of ``query`` that come behind a place, in their order and of whatever title."""
    order: list[sa.ColumnElement[Any]] = [plays.c.watched_at, plays.c.history_id]
    order = [column.desc() for column in order] if newest_first else order
    query = query.where(*_when(wanted)).order_by(*order)
    if behind is None:
        return query
    here = sa.tuple_(plays.c.watched_at, plays.c.history_id)
    there = sa.tuple_(*map(sa.literal, behind))
    return query.where(_comparing(newest_first=newest_first)(here, there))


def _comparing(*, newest_first: bool) -> Callable[[Any, Any], Any]:
    """How what comes behind a place compares with it."""
    return lt if newest_first else gt


def _when(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.types:
        yield plays.c.type.in_(sorted(wanted.types))
    if wanted.since is not None:
        yield plays.c.watched_at >= wanted.since
    if wanted.until is not None:
        yield plays.c.watched_at < wanted.until
    if wanted.dated:
        yield plays.c.watched_at != 0


def _about(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.title_key is not None:
        key = wanted.title_key
        yield sa.or_(plays.c.title_key == key, _title.c.show_key == key)


def _searched(
    conn: sa.Connection,
    account_id: int,
    limit: int,
    wanted: Wanted,
    behind: Place | None,
    *,
    newest_first: bool,
) -> list[Hit]:
    """Plays whose titles have certain words; none where no letter is looked for."""
    title, words = titles.alias(), words_of(wanted.search)
    if not words:
        return []
    where = [*called(title, words), *_kind(wanted, title)]
    shown = (plays.c.account_id == account_id, plays.c.removed_at.is_(None))
    ours = sa.select(plays.c.watched_at, plays.c.history_id, plays.c.title_key).where(*shown)

    def following(last: tuple[int, int] | None) -> sa.Select[Any]:
        return _page(ours, wanted, last or behind, newest_first=newest_first)

    found, complete = nearby(conn, following, title, where, limit)
    if not complete:
        comes_behind = _comparing(newest_first=newest_first)
        every = (hit for hit in anywhere(conn, account_id, title, where) if wanted.spans(hit[0]))
        rest = (hit for hit in every if behind is None or comes_behind(hit[:2], behind))
        found = sorted(rest, reverse=newest_first)[:limit]
    return found


def _plays_at(conn: sa.Connection, account_id: int, hits: Collection[Hit]) -> list[WatchedPlay]:
    """Those plays in their order, by way of their titles; many ids SQLite seeks in all plays."""
    here = (plays.c.account_id == account_id) & (plays.c.title_key == _title.c.key)
    query = _told(_title.outerjoin(plays, here)).where(_title.c.key.in_({key for *_, key in hits}))
    by_id = {row[0]: row for row in conn.execute(query)}
    return [WatchedPlay._make(by_id[history_id]) for _, history_id, _ in hits]


def _kind(wanted: Wanted, title: sa.FromClause) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.types:
        yield title.c.type.in_(sorted(wanted.types))
    if wanted.title_key is not None:
        yield sa.or_(title.c.key == wanted.title_key, title.c.show_key == wanted.title_key)

"""Statistics of an account, made once for each state of the store."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.render import statistics
from watchbook.render.columns import Plays, Title
from watchbook.render.days import Zone, day_of
from watchbook.render.statistics import (
    TOP,
    Favourites,
    Heatmap,
    Ranked,
    Statistics,
    Year,
)
from watchbook.sharing import Part, Public
from watchbook.store import changes, viewing
from watchbook.store.viewing import Kind

YEARS = range(1900, 2200)
"""Those that can be asked for."""
_MOST_KEPT = 8
"""Accounts whose plays are held in memory: some 20 MB each for 100,000 plays."""
_kept: OrderedDict[tuple[str, int], tuple[object, Plays]] = OrderedDict()
_lock = threading.Lock()


def plays_of(conn: sa.Connection, public: Public) -> Plays:
    """The plays of an account that everybody may see by now; read when the store has changed."""
    account = public.account
    place = (str(conn.engine.url), account.id)
    state = (changes.numbers(conn, [changes.of_account(account.id)]), account.timezone)
    with _lock:
        kept = _kept.get(place)
    if kept is None or kept[0] != state:
        kept = (state, _read(conn, public))
    with _lock:
        _kept[place] = kept
        _kept.move_to_end(place)
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return kept[1].before(public.until)


def _read(conn: sa.Connection, public: Public) -> Plays:
    account = public.account
    seen = viewing.moments(conn, account.id)
    plays = Plays(seen.watched_at, seen.titles, _titles(conn, account.id), account.zone)
    return replace(plays, known_hours=plays.hours)


def _titles(conn: sa.Connection, account_id: int) -> dict[str, Title]:
    """What the played titles are; episodes of a show that are as long as each other share one."""
    lengths = viewing.lengths(conn, account_id)
    subjects = {length.show_key or length.key for length in lengths}
    kinds = {kind.key: kind for kind in viewing.kinds(conn, subjects)}
    made: dict[tuple[str, str], Title] = {}
    found = {}
    for key, show_key, runtime in lengths:
        like = (show_key or key, runtime)
        if like not in made:
            made[like] = _title(show_key, runtime, kinds[like[0]])
        found[key] = made[like]
    return found


def _title(show_key: str, runtime: str, kind: Kind) -> Title:
    minutes = runtime or kind.runtime
    return Title(
        kind.key,
        episode=bool(show_key),
        minutes=int(minutes) if minutes else None,
        genres=tuple(filter(None, kind.genres.split(","))),
        network=kind.network,
        country=kind.country,
    )


def statistics_of(conn: sa.Connection, public: Public, top: int = TOP) -> Statistics:
    """Everything that is told of an account's plays."""
    shown = public.shows(Part.RATINGS)
    ratings = viewing.ratings(conn, public.account.id, public.until) if shown else []
    found = statistics.statistics_of(plays_of(conn, public), to_millis(now()), ratings, top)
    return msgspec.structs.replace(found, favourites=_named(conn, found.favourites))


def year_of(conn: sa.Connection, public: Public, year: int, top: int = TOP) -> Year:
    """A year of an account in review."""
    found = statistics.year_of(plays_of(conn, public), year, top)
    return msgspec.structs.replace(found, favourites=_named(conn, found.favourites))


def heatmap_of(
    conn: sa.Connection, public: Public, year: int | None = None, kind: str | None = None
) -> Heatmap:
    """Plays of each day of a year, or of the year up to today; ``kind`` as `Plays.of_type`."""
    plays = plays_of(conn, public)
    if kind is not None:
        plays = plays.of_type(kind)
    first, last = _span(today_of(public), year)
    return statistics.heatmap_of(plays, first, last)


def today_of(public: Public) -> date:
    """The day that it is where the account lives."""
    return day_of(Zone(public.account.zone).today(to_millis(now())))


def _span(today: date, year: int | None) -> tuple[date, date]:
    if year is None:
        return today - timedelta(days=364), today
    return date(year, 1, 1), date(year, 12, 31)


def _named(conn: sa.Connection, found: Favourites) -> Favourites:
    names = viewing.names(conn, {one.key for one in (*found.shows, *found.films)})

    def named(ranked: Ranked) -> Ranked:
        name = names[ranked.key]
        return msgspec.structs.replace(ranked, title=name.title, year=name.year, slug=name.slug)

    return msgspec.structs.replace(
        found, shows=[*map(named, found.shows)], films=[*map(named, found.films)]
    )

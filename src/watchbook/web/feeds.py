"""Feeds of plays and the calendar.

While the database cannot be read, and a feed is not in memory, there is no answer (503): readers
keep what they have and ask again, and a feed without entries would say that there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa

from watchbook import showing, upcoming
from watchbook.clock import from_millis, now
from watchbook.errors import InputError
from watchbook.render import calendar, feeds
from watchbook.render.calendar import Agenda
from watchbook.render.entries import home_of
from watchbook.render.feeds import Feed
from watchbook.render.plain import plain
from watchbook.sharing import Part
from watchbook.showing import Shown
from watchbook.store import titles
from watchbook.store.watched import Wanted, of_type
from watchbook.upcoming import Upcoming
from watchbook.urls import appended
from watchbook.web.answers import FOR_ANYBODY, Answer, kept_for
from watchbook.web.asking import kind, number, place, place_text
from watchbook.web.front import Asked, View

FEED = (50, 200)
"""Plays of a feed, unless told, and at most."""
EVENTS = (200, 500)
"""Plays of a calendar, which has no pages, likewise."""
KINDS = {"movie": "films", "episode": "episodes"}
NAMES = {"plays": "Watched by {}", "upcoming": "Coming up for {}", None: "Watchbook of {}"}
"""What a calendar is called that holds plays, upcoming episodes, or both."""
_FRESH = kept_for(timedelta(minutes=5), timedelta(hours=1))
_HEADERS = {**FOR_ANYBODY, "X-Robots-Tag": "noindex"}
_NO_SHOW = ""
"""The key of no title: a show that is not known here gives an empty feed."""


@dataclass(frozen=True)
class _Page:
    """Plays of a feed, and what asks for those behind them."""

    shown: list[Shown]
    rest: str | None


def _feed(path: str, media_type: str, write: Callable[[Feed], bytes]) -> View:
    """The view of a feed of plays."""

    def make(conn: sa.Connection, asked: Asked) -> Answer:
        found = _page(conn, asked, _wanted(conn, asked.query), FEED)
        address = f"{asked.base_url}{path}"
        feed = Feed(
            home_of(asked.public.account, asked.base_url),
            found.shown,
            address=_address(address, asked, "type", "show", "limit", "before"),
            first=_address(address, asked, "type", "show", "limit"),
            next=found.rest
            and appended(_address(address, asked, "type", "show", "limit"), {"before": found.rest}),
            has_page=asked.public.shows(Part.HISTORY),
            about=_about(asked.query),
        )
        return Answer(write(feed), media_type, cache=_FRESH, headers=_HEADERS)

    return View(path, Part.FEEDS, make, query=("type", "show", "limit", "before"))


def _agenda(conn: sa.Connection, asked: Asked) -> Answer:
    """The calendar; ``what`` narrows it to plays or to upcoming episodes."""
    what = asked.query.get("what")
    if what not in NAMES:
        raise InputError(
            f"There is no calendar of {what!r}.", hint="Use what=plays or what=upcoming."
        )
    wanted = _wanted(conn, asked.query)
    plays = [] if what == "upcoming" else _page(conn, asked, wanted, EVENTS).shown
    coming, note = ([], "") if what == "plays" else _coming(conn, asked, wanted)
    home = home_of(asked.public.account, asked.base_url)
    agenda = Agenda(
        home,
        ": ".join(filter(None, (NAMES[what].format(home.name), _about(asked.query)))),
        _address(f"{asked.base_url}{CALENDAR}", asked, "what", "type", "show", "limit"),
        plays,
        coming,
        has_page=asked.public.shows(Part.HISTORY),
        note=note,
    )
    body = calendar.calendar(agenda)
    return Answer(body, "text/calendar; charset=utf-8", cache=_FRESH, headers=_HEADERS)


def _coming(conn: sa.Connection, asked: Asked, wanted: Wanted) -> tuple[list[Upcoming], str]:
    """Upcoming episodes of all shows or the one asked for, and what there is to say about them.

    A show that was just begun has upcoming episodes at once: they wait as long as its plays do.
    """
    account_id, show = asked.public.account.id, wanted.title_key
    if not upcoming.is_known(conn, account_id):
        return [], calendar.NOT_KNOWN
    if asked.query.get("type") == "movie":
        return [], ""
    until = from_millis(asked.public.until)
    found = (one for one in upcoming.upcoming(conn, account_id, now()) if one.known_at <= until)
    return [one for one in found if show in {None, f"show:{one.what.show.ids.trakt}"}], ""


def _page(conn: sa.Connection, asked: Asked, wanted: Wanted, counts: tuple[int, int]) -> _Page:
    """The plays that were asked for; those of an unknown date, which come last, are left out."""
    usual, most = counts
    limit = number(asked.query, "limit", range(1, most + 1)) or usual
    before = place(asked.query, "before")
    if wanted.title_key == _NO_SHOW:  # no need to look through all plays for it
        return _Page([], None)
    found = showing.latest(conn, asked.public, limit + 1, wanted=wanted, before=before)
    rest = place_text(found[limit - 1].place) if len(found) > limit else None
    return _Page([one for one in found[:limit] if one.watched_at is not None], rest)


def _wanted(conn: sa.Connection, query: Mapping[str, str]) -> Wanted:
    wanted, show = of_type(kind(query)), query.get("show")
    if show is None:
        return wanted
    return replace(wanted, title_key=titles.show_called(conn, plain(show)) or _NO_SHOW)


def _about(query: Mapping[str, str]) -> str:
    return ", ".join(_said(query))


def _said(query: Mapping[str, str]) -> Iterable[str]:
    if "type" in query:
        yield KINDS[query["type"]]
    if "show" in query:
        yield plain(query["show"])


def _address(base: str, asked: Asked, *names: str) -> str:
    """The address of what was asked for, which names the account whoever the owner is."""
    said = {name: asked.query[name] for name in names if name in asked.query}
    return appended(base, {"account": asked.public.account.name, **said})


CALENDAR = "/feeds/calendar.ics"
VIEWS = (
    _feed("/feeds/plays.atom", "application/atom+xml; charset=utf-8", feeds.atom),
    _feed("/feeds/plays.rss", "application/rss+xml; charset=utf-8", feeds.rss),
    _feed("/feeds/plays.json", "application/feed+json", feeds.json_feed),
    View(CALENDAR, Part.FEEDS, _agenda, query=("what", "type", "show", "limit")),
)

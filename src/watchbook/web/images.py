"""``/images/KEY``: pictures from our own store, and drawn ones where there are none.

A picture is given to strangers only while a public page shows its title. Its name changes with
its bytes, so whoever has it may keep it for ever. What was asked for lately stays in memory; for
everything else a picture without a name is drawn while the database cannot be read, alike for what
is public, what is not, and what does not exist. Nobody may keep it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchbook.pictures.visibility import is_public
from watchbook.render.placeholder import UNKNOWN, key_in, placeholder
from watchbook.store import changes, pictures
from watchbook.store.opening import Store
from watchbook.store.pictures import Kind
from watchbook.store.schema import titles
from watchbook.titles import code_of
from watchbook.web.answers import FOR_ANYBODY, FOR_GOOD, NOT_KEPT, SVG, Answer, kept_for
from watchbook.web.front import NOT_PUBLIC, Front
from watchbook.web.shelf import Offline, Shelf

_DRAWN_FRESH = timedelta(hours=1)
_KEY = re.compile(r"[0-9a-f]{32}")
_TITLE = re.compile(r"(?:movie|show|season|episode)-\d{1,19}")
_TOPICS = (changes.PEOPLE, changes.PICTURES)
Make = Callable[[Store, sa.Connection, str], Answer]
"""Makes an answer for what an address names."""

_NOT_NOW = "Picture not available right now"


class Images:
    """Gives pictures from memory, else from the store."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._shelf: Shelf[Answer] = Shelf(
            front.watcher, give_old=False, weigh=attrgetter("weight")
        )

    @property
    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/images/{key}", self._picture, methods=["GET"]),
            Route("/images/title/{name}.svg", self._title, methods=["GET"]),
        ]

    async def _picture(self, request: Request) -> Response:
        key = request.path_params["key"]
        if not _KEY.fullmatch(key):
            return NOT_PUBLIC.response(request)
        return (await self._answer(key, _kept, _AWAY)).response(request)

    async def _title(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == UNKNOWN:
            return _UNKNOWN.response(request)
        if not _TITLE.fullmatch(name):
            return NOT_PUBLIC.response(request)
        title_key = key_in(name)
        away = _away(title_key)
        return (await self._answer(title_key, _drawn_for_all, away)).response(request)

    async def _answer(self, key: str, make: Make, away: Answer) -> Answer:
        """What ``make`` makes of what ``key`` names; ``away`` when that cannot be known."""
        store = self._front.store

        def made() -> Answer:
            with store.database.read() as conn:
                return make(store, conn, key)

        try:
            return await self._shelf.get((make.__name__, key), _TOPICS, made)
        except Offline:
            return away


def _kept(store: Store, conn: sa.Connection, key: str) -> Answer:
    """A kept picture; one whose bytes are gone is drawn until it was fetched again."""
    found = pictures.kept(store, conn, key)
    if found is None or not is_public(conn, found.title_key):
        return NOT_PUBLIC
    if found.body is None:
        return _drawn(conn, found.title_key, NOT_KEPT)
    return Answer(
        found.body, found.media_type, cache=FOR_GOOD, headers=FOR_ANYBODY, etag=f'"{key}"'
    )


def _drawn_for_all(_store: Store, conn: sa.Connection, title_key: str) -> Answer:
    if not is_public(conn, title_key):
        return NOT_PUBLIC
    return _drawn(conn, title_key, kept_for(_DRAWN_FRESH))


def _drawn(conn: sa.Connection, title_key: str, cache: str) -> Answer:
    """The title's name on its colour; an episode is wider than high, and under its show's name."""
    show = titles.alias("show")
    columns = (titles.c.type, titles.c.title, titles.c.year, titles.c.season, titles.c.number)
    query = sa.select(*columns, show.c.title.label("show"))
    query = query.outerjoin(show, show.c.key == titles.c.show_key)
    row = conn.execute(query.where(titles.c.key == title_key)).one()
    kind, name, under = Kind.POSTER, row.title, str(row.year or "")
    if row.type == "season":
        name, under = row.show or row.title, "" if row.season is None else f"Season {row.season}"
    elif row.type == "episode":
        kind, name = Kind.STILL, row.show or row.title
        under = code_of(row.season, row.number)
    return _svg(placeholder(name, title_key, kind, under), cache)


def _svg(drawn: str, cache: str) -> Answer:
    return Answer(drawn.encode(), SVG, cache=cache, headers=FOR_ANYBODY)


def _away(title_key: str | None) -> Answer:
    """A picture in the title's colour and form, which its key tells, and nothing else of it."""
    kind = Kind.STILL if title_key and title_key.startswith("episode:") else Kind.POSTER
    return _svg(placeholder(_NOT_NOW, title_key, kind), NOT_KEPT)


_AWAY = _away(None)
_UNKNOWN = _svg(placeholder(None, None), kept_for(_DRAWN_FRESH))
"""Tells nothing about anybody."""

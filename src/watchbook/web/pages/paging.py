"""Plays by pages: each begins at a row, and knows the ones beside it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from watchbook import showing
from watchbook.showing import Shown
from watchbook.store import watched
from watchbook.store.watched import EVERYTHING, Place, Wanted
from watchbook.urls import appended
from watchbook.web.asking import place, place_text
from watchbook.web.front import Asked
from watchbook.web.pages.addresses import here

PAGE = 50
"""Plays on one page."""


@dataclass(frozen=True)
class Turn:
    """A link to the page before or behind."""

    address: str
    words: str


@dataclass(frozen=True)
class Page:
    """A page of plays, and those beside it."""

    shown: list[Shown]
    newer: Turn | None
    older: Turn | None


def page_of(conn: sa.Connection, asked: Asked, wanted: Wanted, base: str) -> Page:
    """The plays behind the place that was asked for; raises InputError when it is none.

    ``base`` is where their list begins.
    """
    before = place(asked.query, "before")
    found = showing.latest(conn, asked.public, PAGE + 1, wanted=wanted, before=before)
    rest = found[PAGE - 1].place if len(found) > PAGE else None
    older = Turn(appended(base, {"before": place_text(rest)}), "Older") if rest else None
    newer = Turn(_newer(conn, asked, wanted, base, before), "Newer") if before else None
    return Page(found[:PAGE], newer, older)


def _newer(conn: sa.Connection, asked: Asked, wanted: Wanted, base: str, before: Place) -> str:
    """Where the page ends whose last play is ``before``, as the address of what comes before it."""
    found = _nearest(conn, asked, PAGE, wanted, before)
    if len(found) < PAGE:
        return base
    return appended(base, {"before": place_text(found[-1])})


def beside(conn: sa.Connection, asked: Asked, play: Place) -> Page:
    """A play's own page has none of a list, but the plays right before and after it in time."""
    older = showing.latest(conn, asked.public, 1, before=play)
    newer = _nearest(conn, asked, 1, EVERYTHING, play)

    def turn(to: Place, words: str) -> Turn:
        return Turn(f"{here(asked)}/{to.history_id}", words)

    return Page(
        [],
        turn(newer[0], "Newer") if newer else None,
        turn(older[0].place, "Older") if older else None,
    )


def _nearest(
    conn: sa.Connection, asked: Asked, limit: int, wanted: Wanted, after: Place
) -> list[Place]:
    seen = showing.seen_by_all(asked.public, wanted)
    return watched.nearest(conn, asked.public.account.id, limit, wanted=seen, after=after)

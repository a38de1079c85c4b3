"""Years and months of an account: which there are, how much is in them, and which come next."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from watchbook.clock import from_millis, to_millis
from watchbook.render import book
from watchbook.render.book import Period, Tally, Year
from watchbook.render.entries import Home
from watchbook.store import months
from watchbook.web.front import Asked
from watchbook.web.pages.addresses import here
from watchbook.web.pages.paging import Turn

_FIRST = 1000
"""Years before it have no page: their numbers would be written like no year."""


def span(period: Period, home: Home) -> tuple[int, int]:
    """Its first moment and the first one after it, in milliseconds.

    Raises OverflowError or ValueError where the calendar ends.
    """
    return to_millis(book.begins(period, home)), to_millis(book.begins(period.next, home))


def years(conn: sa.Connection, asked: Asked, home: Home) -> Iterator[Year]:
    """The years in which anything was watched, the newest first."""
    moment = asked.public.until
    while (found := months.newest_before(conn, asked.public.account.id, moment)) is not None:
        year = _period_at(found, home, yearly=True)
        if year.year < _FIRST:
            return
        yield Year(year.year)
        moment = min(found, to_millis(book.begins(year, home)))


def tallies(conn: sa.Connection, asked: Asked, home: Home, year: int) -> list[Tally]:
    """How much was watched in each month of a year; raises as `span` does."""
    named = book.months_of(year)
    ends = [to_millis(book.begins(one, home)) for one in (*named, named[-1].next)]
    found = months.counted(
        conn, asked.public.account.id, [min(one, asked.public.until) for one in ends]
    )
    return [Tally(month, *counted) for month, counted in zip(named, found, strict=True)]


def tally_of(period: Period, by_month: list[Tally]) -> Tally:
    """How much was watched in ``period``, of the tallies of its year."""
    inside = [one for one in by_month if isinstance(period, Year) or one.period == period]
    return Tally(period, sum(one.films for one in inside), sum(one.episodes for one in inside))


def beside(
    conn: sa.Connection, asked: Asked, home: Home, period: Period
) -> tuple[Turn | None, Turn | None]:
    """The next newer and the next older year, or month, in which anything was watched."""
    (since, until), account = span(period, home), asked.public.account.id
    newer = months.oldest_since(conn, account, until)
    older = months.newest_before(conn, account, min(since, asked.public.until))
    seen = newer if newer is not None and newer < asked.public.until else None
    yearly = isinstance(period, Year)
    newer_turn, older_turn = (
        _turn(asked, _period_at(found, home, yearly=yearly)) if found is not None else None
        for found in (seen, older)
    )
    return newer_turn, older_turn


def _turn(asked: Asked, to: Period) -> Turn | None:
    return Turn(f"{here(asked)}/{to}", to.words) if to.year >= _FIRST else None


def _period_at(moment: int, home: Home, *, yearly: bool) -> Period:
    month = book.month_of(from_millis(moment), home)
    return Year(month.year) if yearly else month

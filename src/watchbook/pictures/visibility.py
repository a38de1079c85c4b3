"""Whose pictures everybody may see: those of titles that a public page shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from watchbook import sharing, showing
from watchbook.sharing import Part, Public
from watchbook.store import accounts, watching
from watchbook.store.schema import plays, shares, titles
from watchbook.store.watched import TYPES, of_type

_LAST = 2
"""The last play, and the one before: pages that were given a minute ago still show that."""


def is_public(conn: sa.Connection, title_key: str) -> bool:
    """Whether any account lets everybody see that it watched (or watches) that title.

    A show is seen with any of its episodes, a season with its show.
    """
    query = sa.select(titles.c.type, titles.c.show_key).where(titles.c.key == title_key)
    row = conn.execute(query).first()
    if row is None:
        return False
    key = row.show_key if row.type == "season" and row.show_key else title_key
    if any(_shows(conn, public, first, key) for public, first in _who_watched(conn, key)):
        return True
    return any(_is_watched_now(conn, public, key) for public in _telling_now(conn))


class _First(NamedTuple):
    """When a title was watched for the first time, in milliseconds."""

    ever: int
    """0 for an unknown date."""
    dated: int | None
    """As far as the dates are known."""


def _who_watched(conn: sa.Connection, key: str) -> Iterator[tuple[Public, _First]]:
    """Those who share anything and watched a title, with the moment of the first time."""
    of_title = sa.select(titles.c.key).where((titles.c.key == key) | (titles.c.show_key == key))
    sharing_ = sa.select(shares.c.account_id)
    # SQLite would rather go through the widest index of all plays if it held every column here.
    there = plays.c.removed_at.is_(None) & plays.c.discovered_at.is_not(None)
    first_shown = sa.func.min(sa.case((there, plays.c.watched_at)))
    first_dated = sa.func.min(sa.case((there & (plays.c.watched_at != 0), plays.c.watched_at)))
    query = (
        sa.select(plays.c.account_id, first_shown, first_dated)
        .where(plays.c.account_id.in_(sharing_), plays.c.title_key.in_(of_title))
        .group_by(plays.c.account_id)
        .having(first_shown.is_not(None))
    )
    for account_id, *first in conn.execute(query).all():
        yield sharing.of_account(conn, accounts.get(conn, account_id)), _First(*first)


def _shows(conn: sa.Connection, public: Public, first: _First, key: str) -> bool:
    """Whether the history shows it, a feed (a list by date), or what is said of the last plays.

    Statistics name a few titles and show no picture but in their cards, which bring it along.
    """
    until = public.until
    if public.shows(Part.HISTORY) and first.ever < until:
        return True
    if public.shows(Part.FEEDS) and first.dated is not None and first.dated < until:
        return True
    if not public.shows(Part.LAST):
        return False
    return any(
        key in {shown.play.title_key, shown.play.show_key}
        for kind in TYPES  # the last one of each can be asked for
        for shown in showing.latest(conn, public, _LAST, wanted=of_type(kind))
    )


def _telling_now(conn: sa.Connection) -> Iterator[Public]:
    query = sa.select(shares.c.account_id).where(shares.c.part == Part.NOW)
    for account_id in conn.scalars(query).all():
        yield sharing.of_account(conn, accounts.get(conn, account_id))


def _is_watched_now(conn: sa.Connection, public: Public, key: str) -> bool:
    look = watching.last_look(conn, public.account.id)
    if look is None or look.found is None or look.found.started_at > public.until:
        return False
    query = sa.select(titles.c.show_key).where(titles.c.key == look.found.title_key)
    return key in {look.found.title_key, conn.scalar(query)}

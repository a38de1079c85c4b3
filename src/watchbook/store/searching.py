"""Finding titles by words, and plays by the words of their titles.

Whether the title of a play has a word in it costs two looks into indexes, so it is asked of those
plays only that come next on a page, and as long as that promises to fill the page soon. A word
that is not among them is in few titles, or in plays of long ago. Then the names of all titles are
gone through, which are short, and the plays looked up of those that have the word.

Each statement leaves a database one way to go. SQLite would go over all plays in most of them, as
it takes an account to have ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from watchbook.store.schema import plays, titles

_FIRST = 500
"""So many plays are looked through at first, and each time twice as many as before."""
_FAR = 3_000
"""Where a page seems to need more plays than that, going through all titles is quicker."""

Where = Sequence[sa.ColumnElement[bool]]
Hit = tuple[int, int, str]
"""Moment (milliseconds), history id and title key of a play."""


def named(title: sa.FromClause, words: Iterable[str]) -> Where:
    """That the name of ``title`` has each of ``words`` in it, which are folded."""
    return [title.c.folded.contains(word, autoescape=True) for word in words]


def called(title: sa.FromClause, words: Iterable[str]) -> Where:
    """The same, but a word may stand in the name of its show as well."""
    return [sa.or_(*named(title, [word]), title.c.show_key.in_(_shows(word))) for word in words]


def _shows(word: str) -> sa.Select[Any]:
    """Shows by their names, found by an index among what belongs to no show."""
    show = titles.alias()
    whole = (show.c.show_key.is_(None), show.c.type == "show")
    return sa.select(show.c.key).where(*whole, *named(show, [word]))


def nearby(
    conn: sa.Connection,
    following: Callable[[tuple[int, int] | None], sa.Select[Any]],
    title: sa.FromClause,
    where: Where,
    limit: int,
) -> tuple[list[Hit], bool]:
    """Up to ``limit`` of the next plays whose ``title`` is as ``where`` says, and whether all.

    ``following`` selects hits among the plays behind a moment and id, or from the first on.
    """
    of_play = sa.select(title.c.key).where(title.c.key == plays.c.title_key, *where)
    is_so = of_play.scalar_subquery().is_not(None)
    found: list[Hit] = []
    last, looked, stretch = None, 0, _FIRST
    while len(found) * _FAR >= limit * looked:
        rows = conn.execute(following(last).add_columns(is_so).limit(stretch)).all()
        found += [tuple(hit) for *hit, so in rows if so]
        if len(found) >= limit or len(rows) < stretch:
            return found[:limit], True
        last, looked, stretch = rows[-1][:2], looked + stretch, stretch * 2
    return found, False


def anywhere(
    conn: sa.Connection, account_id: int, title: sa.FromClause, where: Where
) -> Iterator[Hit]:
    """All plays of an account whose ``title`` is as ``where`` says, in no order."""
    shown = plays.c.removed_at.is_(None)
    moment, history_id = (sa.cast(plays.c[name], sa.Text) for name in ("watched_at", "history_id"))
    told = sa.func.aggregate_strings(sa.case((shown, moment + " " + history_id)), ",")
    here = (plays.c.account_id == account_id, plays.c.title_key == title.c.key)
    of_title = sa.select(told).where(*here).scalar_subquery()
    for key, text in conn.execute(sa.select(title.c.key, of_title).where(*where)):
        for at in text.split(",") if text else ():
            when, _, number = at.partition(" ")
            yield int(when), int(number), key

"""A page to look at: one file with the whole book in it, opened from disk without a server.

The page and its scripts are in ``viewer/``. The book goes into it as JSON, in four blocks:
``about``, ``titles``, ``plays`` and ``shelves`` (ratings, lists, notes and comments). Numbers in
the last two are places in the table of titles; times are minutes since 1970 by the clock on the
person's wall, so that no browser needs to know the history of time zones.
"""

from __future__ import annotations

from pathlib import Path

from watchbook.exporting.html.page import Page, blocks
from watchbook.exporting.html.plays import read_plays
from watchbook.exporting.html.shelves import read_shelves
from watchbook.exporting.html.titles import Titles
from watchbook.exporting.html.words import about_book
from watchbook.exporting.moments import Wall
from watchbook.exporting.selection import Selection, selected
from watchbook.exporting.written import Written
from watchbook.store.accounts import Account
from watchbook.store.opening import Store


def write(store: Store, account: Account, selection: Selection, target: Path) -> Written:
    """Write what ``selection`` lets out as one page to ``target``; rows removed at Trakt are not.

    Raises InputError for an unknown list, StoreError, and OSError about the file.
    """
    wall = Wall(account)
    with selected(store, account, selection) as chosen:
        titles = Titles(chosen.conn)
        plays = read_plays(chosen, titles, wall)
        shelves = read_shelves(chosen, titles, wall)
        about = about_book(chosen, wall, plays)
        with target.open("wb") as file:
            page = Page(about)
            file.write(page.head)
            for piece in blocks(about, titles, plays, shelves):
                file.write(piece)
            file.write(page.tail)
    notes = list(about.notes)
    if selection.removed:
        notes.append("What is gone at Trakt does not go onto the page.")
    return Written([target], {"plays": plays.count} | shelves.counts, notes)

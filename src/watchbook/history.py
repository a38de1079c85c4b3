"""Plays: from Trakt into the store.

The first reading takes every page, with a frozen end so that plays added meanwhile do not
shift the pages; later ones take the newest pages until a whole page is known. Neither can see
what was back-dated, edited or deleted: :mod:`watchbook.reconcile` finds that afterwards.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_millis
from watchbook.desk import (
    Desk,
    Outcome,
    Reading,
    begin,
    load_position,
    read_pages,
    save_rejects,
)
from watchbook.errors import RemoteError
from watchbook.publish import news
from watchbook.steps import step
from watchbook.store import plays
from watchbook.store.titles import undetailed
from watchbook.trakt.paging import Page
from watchbook.trakt.parse import ParsedPlay, Reject, parse_play
from watchbook.waits import result_of

_MANY_NEW_PAGES = 4
"""So many pages without a known play, and everything is read in parallel lanes instead."""


def read_all(
    desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None = None
) -> int:
    """Read every page of history as one generation, and tell which.

    An interrupted reading goes on, up to the end that it was frozen at.
    """
    position = load_position(reading)
    generation = reading.before.generation
    if position is None:
        first = first or desk.first_page(reading)
        generation, position = begin(desk, reading, extra=_frozen_end(result_of(first)))
    elif 1 not in position.done:
        first = None  # the newest page is not the first of those up to the frozen end

    def keep(conn: sa.Connection, page: Page) -> None:
        keep_plays(conn, desk, reading, page, generation, outcome)

    read_pages(desk, reading, outcome, position, keep, first, end_at=position.extra or "")
    return generation


def _frozen_end(newest: Page) -> str:
    """The moment up to which history is read: now, or beyond the latest play dated later."""
    moments = [
        play.watched_at for play in map(parse_play, newest.rows) if isinstance(play, ParsedPlay)
    ]
    end = max([to_millis(now()), *moments])
    return from_millis(end).strftime("%Y-%m-%dT%H:%M:59.999Z")


def read_newest(
    desk: Desk, reading: Reading, outcome: Outcome, first: Future[Page] | None = None
) -> set[int] | None:
    """Read the newest pages until a whole page is known.

    Returns the history ids that they showed; None when there is no end to the new.
    """
    shown: set[int] = set()
    generation = reading.before.generation
    for number in range(1, _MANY_NEW_PAGES + 1):
        page = result_of(first) if first and number == 1 else desk.fetch(reading, number)
        before = len(outcome.new_plays)
        with desk.write() as conn:
            shown |= keep_plays(conn, desk, reading, page, generation, outcome)
        step("sync.page.committed")
        desk.listener.reading(reading.name, number, number)
        if len(outcome.new_plays) == before or (not page.full and number >= (page.pages or 1)):
            return shown
    return None


def play_row(play: ParsedPlay) -> plays.PlayRow:
    """A play as the store keeps it."""
    return plays.PlayRow(
        play.history_id, play.type, play.title_key, play.watched_at, play.action, play.raw
    )


def keep_plays(
    conn: sa.Connection,
    desk: Desk,
    reading: Reading,
    page: Page,
    generation: int,
    outcome: Outcome,
) -> set[int]:
    """Store one page of plays; returns the history ids that it showed."""
    good: list[plays.PlayRow] = []
    bad: list[Reject] = []
    titles: list[dict[str, Any]] = []
    for raw in page.rows:
        parsed = parse_play(raw)
        if isinstance(parsed, Reject):
            bad.append(parsed)
            continue
        good.append(play_row(parsed))
        titles += parsed.titles
    desk.titles.save(conn, titles)
    moment = to_millis(now())
    new, changed = plays.save(conn, desk.account_id, good, generation, moment)
    news.offer(conn, desk.account_id, good, new, moment)
    save_rejects(conn, desk.account_id, reading, bad, generation)
    outcome.added += len(new)
    outcome.changed += changed
    outcome.new_plays += new
    return {play.history_id for play in good}


def read_details(desk: Desk, reading: Reading, new: list[int]) -> None:
    """Learn the details of a few new plays' titles from the full form of these plays.

    One request; a failure costs nothing, since the watched data sets tell most of it too.
    """
    with desk.database.read() as conn:
        rows = plays.by_ids(conn, desk.account_id, new)
        bare = undetailed(conn, {row.title_key for row in rows if row.title_key})
        moments = [row.watched_at for row in rows if row.title_key in bare]
    if not moments:
        return
    window = {"start_at": iso_minute(min(moments)), "end_at": iso_minute(max(moments))}
    try:
        page = desk.fetch(reading, 1, extended="full", **window)
    except RemoteError:
        return
    parsed = [play for play in map(parse_play, page.rows) if isinstance(play, ParsedPlay)]
    with desk.write() as conn:
        desk.titles.save(conn, [title for play in parsed for title in play.titles])


def iso_minute(millis: int) -> str:
    """A moment as Trakt's windows take it."""
    return from_millis(millis).strftime("%Y-%m-%dT%H:%M:%S.000Z")

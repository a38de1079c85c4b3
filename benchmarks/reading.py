"""A process that reads while others work: the newest plays of one account after the other.

It prints its milliseconds as a line of JSON when it is told to stop.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from threading import Event
from typing import Any

import sqlalchemy as sa

from watchbook.store.database import Database
from watchbook.store.schema import accounts, plays, titles

EVERY = 0.05
"""Seconds from the beginning of one read to that of the next."""
_ROWS = 50


def newest_plays(account_id: int) -> sa.Select[Any]:
    """The newest plays with their titles, as a page of history shows them."""
    show = titles.alias()
    tables = plays.outerjoin(titles, titles.c.key == plays.c.title_key)
    return (
        sa.select(
            plays.c.history_id,
            plays.c.watched_at,
            plays.c.type,
            plays.c.action,
            titles.c.title,
            titles.c.season,
            titles.c.number,
            titles.c.year,
            show.c.title,
            show.c.slug,
        )
        .select_from(tables.outerjoin(show, show.c.key == titles.c.show_key))
        .where(plays.c.account_id == account_id, plays.c.removed_at.is_(None))
        .order_by(plays.c.watched_at.desc(), plays.c.history_id.desc())
        .limit(_ROWS)
    )


def _main(url: str) -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    database, chance = Database(url), random.Random(1)
    with database.read() as conn:
        ids = list(conn.scalars(sa.select(accounts.c.id)))
    taken: list[float] = []
    while not stop.is_set():
        began = time.perf_counter()
        with database.read() as conn:
            conn.execute(newest_plays(chance.choice(ids))).all()
        seconds = time.perf_counter() - began
        taken.append(seconds * 1000)
        stop.wait(max(0.0, EVERY - seconds))
    database.close()
    print(json.dumps(taken))


if __name__ == "__main__":
    _main(sys.argv[1])

"""Posters that were given to sites: one for each title and site, and how often it was tried.

A try is counted before anything is sent. So one whose answer was lost, or whose process died,
counts, and no picture is sent to a site without end.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store.schema import media

MOST_TRIES = 3
"""So often a title's poster is offered to a site that does not take it."""


def urls(conn: sa.Connection, site_id: int, title_keys: Collection[str]) -> dict[str, str]:
    """Where the posters of titles lie at a site, by title key."""
    query = sa.select(media.c.title_key, media.c.url).where(
        media.c.site_id == site_id, media.c.title_key.in_(title_keys), media.c.url.is_not(None)
    )
    return {row.title_key: row.url for row in conn.execute(query)}


def is_open(conn: sa.Connection, site_id: int, title_key: str) -> bool:
    """Whether a title's poster may be offered to a site: it has none, and has tries left."""
    query = sa.select(media.c.url, media.c.tries).where(*_this(site_id, title_key))
    row = conn.execute(query).one_or_none()
    return row is None or (row.url is None and row.tries < MOST_TRIES)


def begin(conn: sa.Connection, site_id: int, title_key: str, picture: str) -> None:
    """Write down that a poster is offered, before it is sent; ``picture`` is its file's key."""
    tried = {"picture": picture, "tried_at": to_millis(now())}
    again = sa.update(media).where(*_this(site_id, title_key))
    if not conn.execute(again.values(tries=media.c.tries + 1, **tried)).rowcount:
        row = {"site_id": site_id, "title_key": title_key, "tries": 1, **tried}
        conn.execute(sa.insert(media).values(row))


def taken(conn: sa.Connection, site_id: int, title_key: str, url: str) -> None:
    """Write down where a poster lies from now on."""
    this = sa.update(media).where(*_this(site_id, title_key))
    conn.execute(this.values(url=url, uploaded_at=to_millis(now())))


def not_sent(conn: sa.Connection, site_id: int, title_key: str) -> None:
    """Give a try back: nothing came to the site."""
    this = sa.update(media).where(*_this(site_id, title_key))
    conn.execute(this.values(tries=media.c.tries - 1))


def try_again(conn: sa.Connection, site_id: int) -> None:
    """Let the posters that a site did not take be offered anew."""
    sent_away = (media.c.site_id == site_id, media.c.url.is_(None))
    conn.execute(sa.delete(media).where(*sent_away))


def _this(site_id: int, title_key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return media.c.site_id == site_id, media.c.title_key == title_key

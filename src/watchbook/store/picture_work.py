"""The work on pictures: which are wanted, who fetches which, and how it ended.

A picture is claimed by one conditional statement before it is fetched, so however many workers
there are, it is fetched once. The claim of a worker that died ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from watchbook.store import changes
from watchbook.store.outbox import PostState
from watchbook.store.pictures import Kind, State
from watchbook.store.schema import (
    items,
    outbox,
    outbox_plays,
    picture_files,
    pictures,
    plays,
    sites,
    titles,
    watching,
)

NEWEST_STILLS = 100
"""Of so many of an account's newest plays the stills of episodes are kept."""


class Wanted(NamedTuple):
    """A picture that somebody's page would show."""

    title_key: str
    kind: Kind


@dataclass(frozen=True)
class Subject:
    """What is known of a title that helps to find its picture."""

    key: str
    type: str
    title: str | None
    tmdb: int | None
    season: int | None
    number: int | None
    language: str | None
    images: str | None
    """Trakt's own, as JSON: ``{"poster": "host/path", "still": ...}``."""
    show_tmdb: int | None
    show_language: str | None
    show_images: str | None


@dataclass(frozen=True)
class FileMade:
    """A file of a picture with its bytes."""

    key: str
    media_type: str
    width: int
    height: int
    body: bytes


@dataclass(frozen=True)
class Origin:
    """Where a picture came from."""

    source: str
    address: str
    language: str | None


@dataclass(frozen=True)
class Before:
    """What was known of a picture when it was claimed."""

    state: State
    source: str | None
    tries: int
    looked_at: int


def wanted(conn: sa.Connection, account_id: int, moment: int, most: int) -> list[Wanted]:
    """Up to ``most`` pictures of an account that are to be fetched by ``moment``.

    What is about to be posted with a poster comes first, then what is being watched, then what was
    watched last, then what stands in lists.
    """
    found: list[Wanted] = []
    for keys, kind in _subjects(account_id):
        if len(found) < most:
            rows = conn.scalars(_open(keys, kind, moment, most - len(found)))
            found += (Wanted(key, kind) for key in rows)
    return list(dict.fromkeys(found))


def _subjects(account_id: int) -> Iterator[tuple[sa.Subquery, Kind]]:
    """Titles (``key``) with the moment (``at``) by which they are ordered."""
    yield _to_be_posted(account_id), Kind.POSTER
    now = sa.select(_poster_of(watching.c.title_key), watching.c.asked_at.label("at"))
    now = now.join(titles, titles.c.key == watching.c.title_key)
    yield now.where(watching.c.account_id == account_id).subquery(), Kind.POSTER
    mine = (plays.c.account_id == account_id, plays.c.removed_at.is_(None))
    key = _poster_of(plays.c.title_key)
    watched = sa.select(key, sa.func.max(plays.c.watched_at).label("at"))
    watched = watched.join(titles, titles.c.key == plays.c.title_key).where(*mine)
    yield watched.group_by(key).subquery(), Kind.POSTER
    order = (plays.c.watched_at.desc(), plays.c.history_id.desc())
    last = sa.select(plays.c.title_key, plays.c.type, plays.c.watched_at).where(*mine)
    newest = last.order_by(*order).limit(NEWEST_STILLS).subquery()
    stills = sa.select(
        newest.c.title_key.label("key"), sa.func.max(newest.c.watched_at).label("at")
    )
    episodes = (newest.c.type == "episode", newest.c.title_key.is_not(None))
    yield stills.where(*episodes).group_by(newest.c.title_key).subquery(), Kind.STILL
    key = _poster_of(items.c.title_key)
    listed = sa.select(key, sa.func.max(items.c.changed_at).label("at"))
    listed = listed.join(titles, titles.c.key == items.c.title_key)
    there = (items.c.account_id == account_id, items.c.removed_at.is_(None))
    yield listed.where(*there).group_by(key).subquery(), Kind.POSTER


def _to_be_posted(account_id: int) -> sa.Subquery:
    """What waits for sites that show posters; the soonest post counts as the latest moment."""
    key = _poster_of(plays.c.title_key)
    query = (
        sa.select(key, sa.func.max(-outbox.c.due_at).label("at"))
        .join(outbox_plays, outbox_plays.c.outbox_id == outbox.c.id)
        .join(sites, sites.c.id == outbox.c.site_id)
        .join(plays, plays.c.history_id == outbox_plays.c.history_id)
        .join(titles, titles.c.key == plays.c.title_key)
    )
    ways = ('%"poster":"cite"%', '%"poster":"featured"%')
    due = query.where(
        outbox.c.account_id == account_id,
        plays.c.account_id == account_id,
        outbox.c.state == PostState.WAITING,
        sa.or_(*map(sites.c.rules.like, ways)),
    )
    return due.group_by(key).subquery()


def _poster_of(title_key: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The title whose poster stands for another: an episode has that of its show."""
    return sa.case((titles.c.type == "episode", titles.c.show_key), else_=title_key).label("key")


def _open(keys: sa.Subquery, kind: Kind, moment: int, most: int) -> sa.Select[Any]:
    """Those of ``keys`` whose picture was never looked for, or is due again."""
    same = (pictures.c.title_key == keys.c.key) & (pictures.c.kind == kind)
    is_open = pictures.c.title_key.is_(None) | (pictures.c.next_at <= moment)
    query = sa.select(keys.c.key).outerjoin(pictures, same).where(keys.c.key.is_not(None), is_open)
    return query.order_by(keys.c.at.desc(), keys.c.key).limit(most)


def claim(conn: sa.Connection, one: Wanted, moment: int, until: int) -> Before | None:
    """Take the fetching of a picture upon oneself until that moment; None when others have it."""
    insert: Any = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(pictures)
    row = {"title_key": one.title_key, "kind": one.kind, "state": State.WAITING, "tries": 0}
    statement = insert.values(**row, looked_at=moment, next_at=until).on_conflict_do_update(
        index_elements=[pictures.c.title_key, pictures.c.kind],
        set_={"next_at": until},
        where=pictures.c.next_at <= moment,
    )
    known = (pictures.c.state, pictures.c.source, pictures.c.tries, pictures.c.looked_at)
    found = conn.execute(statement.returning(*known)).first()
    return None if found is None else Before(State(found[0]), *found[1:])


def subject(conn: sa.Connection, title_key: str) -> Subject | None:
    """What is known of a title."""
    show = titles.alias("show")
    own = ("key", "type", "title", "tmdb", "season", "number", "language", "images")
    columns = [titles.c[name] for name in own]
    columns += [show.c[name] for name in ("tmdb", "language", "images")]
    query = sa.select(*columns).outerjoin(show, show.c.key == titles.c.show_key)
    row = conn.execute(query.where(titles.c.key == title_key)).first()
    return None if row is None else Subject(*row)


def keep(
    conn: sa.Connection,
    one: Wanted,
    origin: Origin,
    look: tuple[str, str],
    files: Iterable[FileMade],
    times: tuple[int, int],
    *,
    bodies: bool,
) -> list[tuple[str, str]]:
    """Keep a picture in place of the one before; returns key and media type of files let go.

    ``look`` is its colour and its tiny form, ``times`` when it was fetched and when it is due
    again. With ``bodies`` the bytes are kept in the database.
    """
    made = list(files)
    gone = _drop_files(conn, one, {file.key for file in made})
    for file in made:
        if not _knows(conn, file.key):
            conn.execute(sa.insert(picture_files).values(_row(one, file, bodies=bodies)))
    _set(
        conn,
        one,
        state=State.KEPT,
        source=origin.source,
        origin=origin.address,
        language=origin.language,
        colour=look[0],
        tiny=look[1],
        tries=0,
        looked_at=times[0],
        next_at=times[1],
        words=None,
    )
    changes.tell(conn, changes.PICTURES)
    return gone


def _knows(conn: sa.Connection, key: str) -> bool:
    found = sa.select(picture_files.c.key).where(picture_files.c.key == key)
    return conn.scalar(found) is not None


def _row(one: Wanted, file: FileMade, *, bodies: bool) -> dict[str, Any]:
    return {
        "key": file.key,
        "title_key": one.title_key,
        "kind": one.kind,
        "media_type": file.media_type,
        "width": file.width,
        "height": file.height,
        "bytes": len(file.body),
        "body": file.body if bodies else None,
    }


def none_found(
    conn: sa.Connection, one: Wanted, tries: int, looked_at: int, next_at: int
) -> list[tuple[str, str]]:
    """Note that there is no such picture anywhere; one that was kept is let go.

    Returns key and media type of its files.
    """
    known = _drop_files(conn, one, set())
    words = "There is no such picture, at TMDB or at Trakt."
    looked = {"tries": tries, "looked_at": looked_at, "next_at": next_at, "words": words}
    _set(conn, one, state=State.NONE, source=None, **looked)
    if known:
        changes.tell(conn, changes.PICTURES)
    return known


def failed(conn: sa.Connection, one: Wanted, tries: int, next_at: int, words: str) -> None:
    """Note why a picture could not be had; one that is kept stays."""
    state = sa.case((pictures.c.state == State.KEPT, State.KEPT), else_=State.FAILED)
    _set(conn, one, state=state, tries=tries, next_at=next_at, words=words)


def put_off(conn: sa.Connection, one: Wanted, next_at: int) -> None:
    """Give a claim back: nothing was learnt of the picture."""
    _set(conn, one, next_at=next_at)


def outdated(conn: sa.Connection, before: int) -> list[Wanted]:
    """Kept pictures that were last fetched before that moment."""
    query = sa.select(pictures.c.title_key, pictures.c.kind).where(
        pictures.c.state == State.KEPT, pictures.c.looked_at < before
    )
    return [Wanted(key, Kind(kind)) for key, kind in conn.execute(query)]


def let_go(conn: sa.Connection, one: Wanted, words: str) -> list[tuple[str, str]]:
    """Forget a kept picture; returns key and media type of its files."""
    gone = _drop_files(conn, one, set())
    _set(conn, one, state=State.FAILED, words=words)
    changes.tell(conn, changes.PICTURES)
    return gone


def files(conn: sa.Connection) -> list[tuple[str, str, str, str]]:
    """Key, title key, kind and media type of every file whose bytes are not in the database."""
    columns = [picture_files.c[name] for name in ("key", "title_key", "kind", "media_type")]
    query = sa.select(*columns).where(picture_files.c.body.is_(None))
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(query)]


def lost(conn: sa.Connection, keys: Iterable[str], moment: int) -> None:
    """Forget files whose bytes are gone, and let their pictures be fetched again."""
    for key in keys:
        whose = (picture_files.c.title_key, picture_files.c.kind)
        dropped = sa.delete(picture_files).where(picture_files.c.key == key).returning(*whose)
        for title_key, kind in conn.execute(dropped):
            _set(conn, Wanted(title_key, Kind(kind)), next_at=moment)
    changes.tell(conn, changes.PICTURES)


def _drop_files(conn: sa.Connection, one: Wanted, keys: set[str]) -> list[tuple[str, str]]:
    """Forget all files of a picture but those called ``keys``."""
    theirs = (picture_files.c.title_key == one.title_key, picture_files.c.kind == one.kind)
    others = sa.delete(picture_files).where(*theirs, picture_files.c.key.not_in(keys))
    dropped = others.returning(picture_files.c.key, picture_files.c.media_type)
    return [(key, media_type) for key, media_type in conn.execute(dropped)]


def _set(conn: sa.Connection, one: Wanted, **values: Any) -> None:
    this = (pictures.c.title_key == one.title_key, pictures.c.kind == one.kind)
    conn.execute(sa.update(pictures).where(*this).values(**values))

"""Pictures of titles: what is known of each, and the files that were made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from watchbook.store.opening import Store
from watchbook.store.schema import picture_files, pictures

FOLDER = "images"
"""Below the home folder, where the files of pictures lie with SQLite."""

ENDINGS = {"image/webp": "webp", "image/jpeg": "jpg"}
"""The media types of files, and how their names end."""

_CHUNK = 500


class Kind(StrEnum):
    """What a picture shows."""

    POSTER = "poster"
    """Upright, of a film, a show or a season."""
    STILL = "still"
    """A scene of an episode, wider than high."""


class State(StrEnum):
    """How it stands with a picture."""

    WAITING = "waiting"
    """It is being fetched for the first time."""
    KEPT = "kept"
    NONE = "none"
    """There is no such picture anywhere."""
    FAILED = "failed"
    """It could not be had; ``words`` say why, and it is tried again."""


@dataclass(frozen=True)
class PictureFile:
    """One size and format; ``key`` is its name at ``/images/KEY``, sizes are in pixels."""

    key: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """A picture that is kept."""

    title_key: str
    kind: Kind
    colour: str
    """Its dominant colour, ``#rrggbb``."""
    tiny: str
    """A ``data:`` address of a few dozen bytes that stands in while the picture loads."""
    files: tuple[PictureFile, ...]
    """Smallest first."""
    source: str = "tmdb"
    """Whose it is: ``tmdb`` or ``trakt``."""


def of_titles(
    conn: sa.Connection, keys: Collection[str], kind: Kind = Kind.POSTER
) -> dict[str, Picture]:
    """The kept pictures of those titles, by title key."""
    wanted, found = list(dict.fromkeys(keys)), {}
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        files = _files(conn, some, kind)
        columns = [pictures.c[name] for name in ("title_key", "colour", "tiny", "source")]
        query = sa.select(*columns).where(
            pictures.c.title_key.in_(some),
            pictures.c.kind == kind,
            pictures.c.state == State.KEPT,
        )
        for key, colour, tiny, source in conn.execute(query):
            if key in files:
                found[key] = Picture(key, kind, colour, tiny, tuple(files[key]), source)
    return found


def _files(conn: sa.Connection, keys: list[str], kind: Kind) -> dict[str, list[PictureFile]]:
    columns = [picture_files.c[name] for name in PictureFile.__dataclass_fields__]
    query = (
        sa.select(picture_files.c.title_key, *columns)
        .where(picture_files.c.title_key.in_(keys), picture_files.c.kind == kind)
        .order_by(picture_files.c.width, picture_files.c.media_type)
    )
    found = defaultdict(list)
    for title_key, *rest in conn.execute(query):
        found[title_key].append(PictureFile(*rest))
    return found


def best(picture: Picture, width: int, media_type: str) -> PictureFile | None:
    """The smallest file of a type that is at least so many pixels wide, else the widest one."""
    files = [file for file in picture.files if file.media_type == media_type]
    return next((file for file in files if file.width >= width), files[-1] if files else None)


@dataclass(frozen=True)
class Kept:
    """A file of a picture, and whose it is."""

    title_key: str
    media_type: str
    body: bytes | None
    """None when its bytes are gone; they are fetched again."""


def kept(store: Store, conn: sa.Connection, key: str) -> Kept | None:
    """The file called ``key``, with its bytes; None when there is no such file."""
    columns = (picture_files.c.title_key, picture_files.c.media_type, picture_files.c.body)
    row = conn.execute(sa.select(*columns).where(picture_files.c.key == key)).first()
    if row is None:
        return None
    body = row.body
    if body is None:
        with suppress(OSError):
            body = path_of(store, row.title_key, key, row.media_type).read_bytes()
    return Kept(row.title_key, row.media_type, body)


def bytes_of(store: Store, conn: sa.Connection, key: str) -> bytes | None:
    """The bytes of the file called ``key``; None when they are not there."""
    found = kept(store, conn, key)
    return found.body if found else None


def path_of(store: Store, title_key: str, key: str, media_type: str) -> Path:
    """Where the file called ``key`` lies with SQLite: in a folder of its title."""
    return store.home / FOLDER / title_key.replace(":", "-") / f"{key}.{ENDINGS[media_type]}"


def counts(conn: sa.Connection) -> dict[str, int]:
    """How many pictures there are in each state; all accounts share them."""
    query = sa.select(pictures.c.state, sa.func.count()).group_by(pictures.c.state)
    return {row[0]: row[1] for row in conn.execute(query)}

"""Pictures of titles: what is known of each, and the files that were made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from watchbook.store.schema import picture_files, pictures

_CHUNK = 500


class Kind(StrEnum):
    """What a picture shows."""

    POSTER = "poster"
    """Upright, of a film, a show or a season."""
    STILL = "still"
    """A scene of an episode, wider than high."""


class State(StrEnum):
    """How it stands with a picture."""

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


def of_titles(
    conn: sa.Connection, keys: Collection[str], kind: Kind = Kind.POSTER
) -> dict[str, Picture]:
    """The kept pictures of those titles, by title key."""
    wanted, found = list(dict.fromkeys(keys)), {}
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        files = _files(conn, some, kind)
        query = sa.select(pictures.c.title_key, pictures.c.colour, pictures.c.tiny).where(
            pictures.c.title_key.in_(some),
            pictures.c.kind == kind,
            pictures.c.state == State.KEPT,
        )
        for key, colour, tiny in conn.execute(query):
            if key in files:
                found[key] = Picture(key, kind, colour, tiny, tuple(files[key]))
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

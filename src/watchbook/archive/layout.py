"""Which files an account's data sets become in an archive.

The catalogue says how each kind of data set is kept; the store says which there are (a data
set for each personal list). A list's file is named after the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from watchbook.store.schema import data_sets, items
from watchbook.trakt.datasets import BY_NAME, CATALOGUE, DataSet, Shape

_FOLDERS = {"list_items": "lists"}
_LONGEST_SLUG = 60


@dataclass(frozen=True)
class Layout:
    """How one data set is laid out in files.

    ``stem`` is the file without ``.json``; ``split`` are the types (``movies``) that have a
    file of their own; ``single`` is one object instead of an array.
    """

    name: str
    stem: str
    split: tuple[str, ...] = ()
    plays: bool = False
    single: bool = False
    volatile: bool = False
    redacted: tuple[str, ...] = ()


Layouts = Callable[[sa.Connection, int], Sequence[Layout]]


def trakt_layouts(conn: sa.Connection, account_id: int) -> list[Layout]:
    """The layout of every data set of an account, in the catalogue's order."""
    stored = _stored_names(conn, account_id)
    own = [line.name for line in CATALOGUE if line.parent is None]
    parts = sorted(stored - set(own))
    return [_layout(conn, account_id, name) for name in (*own, *parts)]


def _stored_names(conn: sa.Connection, account_id: int) -> set[str]:
    """Data sets with a state or with rows: an interrupted run may have left one without."""
    states = sa.select(data_sets.c.name).where(data_sets.c.account_id == account_id)
    rows = sa.select(items.c.data_set).where(items.c.account_id == account_id).distinct()
    return set(conn.scalars(states)) | set(conn.scalars(rows))


def _layout(conn: sa.Connection, account_id: int, name: str) -> Layout:
    base, _, part = name.partition("/")
    line = BY_NAME.get(base)
    if line is None:
        return Layout(name, slug(name))
    return Layout(
        name,
        _part_stem(conn, account_id, line, part) if part else base,
        split=line.split,
        plays=line.shape is Shape.PLAYS,
        single=line.shape is Shape.OBJECT,
        volatile=line.volatile,
        redacted=line.secrets,
    )


def _part_stem(conn: sa.Connection, account_id: int, line: DataSet, part: str) -> str:
    folder = _FOLDERS.get(line.name, line.name)
    parent = line.parent.data_set if line.parent else None
    raw = conn.scalar(
        sa.select(items.c.raw).where(
            items.c.account_id == account_id, items.c.data_set == parent, items.c.key == part
        )
    )
    called = slug(_name_in(raw)) if raw else ""
    return f"{folder}/{slug(part)}-{called}" if called else f"{folder}/{slug(part)}"


class _Named(msgspec.Struct):
    name: str = ""


def _name_in(raw: str) -> str:
    try:
        return msgspec.json.decode(raw, type=_Named).name
    except msgspec.DecodeError:
        return ""


def slug(text: str) -> str:
    """``Late night!`` as ``late-night``: letters and digits that every file system takes."""
    plain = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")
    return plain[:_LONGEST_SLUG].rstrip("-")

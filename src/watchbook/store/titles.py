"""Titles: films, shows, seasons and episodes, shared by all accounts.

A title's key is its type and Trakt number (``episode:4521``). Short forms, as rows of history
carry them, never take away what a full form told before. Beside its name a title has that name
folded (:mod:`watchbook.store.folding`), by which it is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store.database import Excluded, upsert
from watchbook.store.folding import folded_name
from watchbook.store.schema import titles

NAMES = ("show_key", "season", "number", "title", "year", "slug", "imdb", "tmdb", "tvdb")
DETAILS = (
    "runtime",
    "released",
    "genres",
    "country",
    "language",
    "network",
    "status",
    "certification",
    "aired_episodes",
    "images",
)


class TitleWriter:
    """Saves titles, each form of each only once in its life."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._shows: dict[str, Mapping[str, Any]] = {}
        """The very rows that came last: the same show is read once and named by each play."""

    def save(self, conn: sa.Connection, found: Iterable[Mapping[str, Any]]) -> None:
        """Insert or complete the titles ``found`` (rows of :mod:`watchbook.trakt.parse`)."""
        short: dict[str, dict[str, Any]] = {}
        full: dict[str, dict[str, Any]] = {}
        for title in found:
            if self._shows.get(title["key"]) is title:
                continue
            if title["type"] == "show":
                self._shows[title["key"]] = title
            mark = hash(tuple(title.values()))
            if mark in self._known:
                continue
            self._known.add(mark)
            row = {**title, "folded": title["title"] and folded_name(title["title"])}
            (full if row.pop("detailed") else short)[row["key"]] = row
        moment = to_millis(now())
        names = [_only_names(row) for row in short.values()]
        details = [row | {"detailed_at": moment} for row in full.values()]
        for belongs in (False, True):  # a show, in whatever form, before what refers to it
            _save(conn, _part(names, belongs=belongs), NAMES)
            _save(conn, _part(details, belongs=belongs), (*NAMES, *DETAILS), ("detailed_at",))


def _only_names(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("key", "type", "trakt_id", "folded", *NAMES)}


def _part(rows: list[dict[str, Any]], *, belongs: bool) -> list[dict[str, Any]]:
    """Those of ``rows`` that belong to a show, or the others.

    They have one order everywhere, so that two writers of the same titles on PostgreSQL wait
    for each other instead of locking each other out.
    """
    part = (row for row in rows if (row["show_key"] is not None) is belongs)
    return sorted(part, key=lambda row: str(row["key"]))


def _save(
    conn: sa.Connection,
    rows: list[dict[str, Any]],
    columns: tuple[str, ...],
    stamps: tuple[str, ...] = (),
) -> None:
    merged, differs = _merging(columns, stamps)
    upsert(conn, titles, rows, update=stamps, values=merged, where=differs)


@cache
def _merging(
    columns: tuple[str, ...], stamps: tuple[str, ...]
) -> tuple[Callable[[Excluded], dict[str, Any]], Callable[[Excluded], sa.ColumnElement[bool]]]:
    """How a form that tells ``columns`` completes what is known, and when that is worth it."""

    def merged(excluded: Excluded) -> dict[str, Any]:
        told = (*columns, "folded")
        return {name: sa.func.coalesce(excluded[name], titles.c[name]) for name in told}

    def differs(excluded: Excluded) -> sa.ColumnElement[bool]:
        new = (
            excluded[name].is_not(None) & excluded[name].is_distinct_from(titles.c[name])
            for name in columns
        )
        undetailed = [titles.c[name].is_(None) for name in stamps]
        return sa.or_(*new, *undetailed)

    return merged, differs


def have_pictures(conn: sa.Connection) -> bool:
    """Whether Trakt told of a picture of any title."""
    query = sa.select(titles.c.key).where(titles.c.images.is_not(None)).limit(1)
    return conn.scalar(query) is not None


def undetailed(conn: sa.Connection, keys: Iterable[str]) -> set[str]:
    """Those of ``keys`` whose details no full form has told yet."""
    wanted = list(keys)
    query = sa.select(titles.c.key).where(titles.c.key.in_(wanted), titles.c.detailed_at.is_(None))
    return set(conn.scalars(query))


def show_called(conn: sa.Connection, name: str) -> str | None:
    """The key of the show with that slug or number at Trakt; a slug may be a number, too."""
    called = (titles.c.slug == name, titles.c.key == f"show:{name}")
    query = sa.select(titles.c.key).where(titles.c.type == "show", sa.or_(*called))
    order = (sa.case((called[0], 0), else_=1), titles.c.trakt_id)
    return conn.scalar(query.order_by(*order).limit(1))

"""Ratings and lists, as the API tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from watchbook.store import items
from watchbook.store.items import ItemRow
from watchbook.store.watched import rating_in
from watchbook.trakt.parse import TITLE_TYPES, decode_any, lookup
from watchbook.web.api import shapes
from watchbook.web.api.call import Call, NotThere, cut
from watchbook.web.api.parameters import KEY, Page
from watchbook.web.api.shapes import moment
from watchbook.web.api.subjects import about, millis_in, number, text

EVERYBODYS = {"watchlist": "Watchlist", "favorites": "Favorites"}
"""Lists that every account has: the name of the data set, and of the list."""
_PERSONAL = {"lists": "list_items", "lists_collaborations": "collaboration_items"}
"""Data sets of lists, and those of their rows."""


class _Rated(NamedTuple):
    at: int
    key: str
    """The kind and the key of the title: two seasons of a show may be rated at one moment."""
    rating: int
    row: Mapping[str, Any]
    kind: str


def ratings(conn: sa.Connection, call: Call) -> shapes.Ratings:
    """A page of ratings, newest first."""
    values, limit = call.values, call.values["limit"]
    kinds = TITLE_TYPES if values["type"] is None else (values["type"],)
    rated = (one for kind in kinds for one in _rated(conn, call, kind))
    some = sorted(rated, key=lambda one: (one.at, one.key), reverse=True)
    if values["cursor"] is not None:
        some = [one for one in some if (one.at, one.key) < tuple(values["cursor"])]
    found, after = cut(some, limit, lambda one: Page(one.at, one.key))
    told = [
        shapes.Rating(
            **about(one.row, one.kind, one.key if re.fullmatch(KEY, one.key) else None),
            rating=one.rating,
            rated_at=moment(one.at),
        )
        for one in found
    ]
    return shapes.Ratings(items=told, next=after)


def _rated(conn: sa.Connection, call: Call, kind: str) -> Iterator[_Rated]:
    """The ratings of a kind; strangers learn of none that is newer than what they may see."""
    for key, raw in items.raws(conn, call.account_id, f"ratings_{kind}s"):
        rating, row = rating_in(raw), _row(raw)
        at = millis_in(row, "rated_at")
        if rating is not None and (call.until is None or at < call.until):
            yield _Rated(at, key, rating, row, kind)


def lists(conn: sa.Connection, call: Call) -> shapes.Lists:
    """Every list, those that everybody has first."""
    return shapes.Lists(items=[told for _, told in _lists(conn, call.account_id)])


def list_items(conn: sa.Connection, call: Call) -> shapes.ListRows:
    """A page of the rows of a list; raises NotThere."""
    wanted, limit, cursor = call.values["id"], call.values["limit"], call.values["cursor"]
    sources = {told.id: source for source, told in _lists(conn, call.account_id)}
    if wanted not in sources:
        raise NotThere("There is no such list.")
    after = (cursor.moment, cursor.key) if cursor is not None else None
    found = items.page(conn, call.account_id, sources[wanted], limit + 1, after=after)
    some, rest = cut(found, limit, lambda row: Page(row.place, row.key))
    return shapes.ListRows(items=list(map(_list_row, some)), next=rest)


def _lists(conn: sa.Connection, account_id: int) -> Iterator[tuple[str, shapes.KnownList]]:
    """Every list with the data set of its rows."""
    for source, name in EVERYBODYS.items():
        yield source, _known_list(source, name, {}, items.count(conn, account_id, source))
    for head, parts in _PERSONAL.items():
        for key, raw in items.raws(conn, account_id, head):
            source = f"{parts}/{key}"
            row = _row(raw)
            owner = text(lookup(row, "user.username")) if head != "lists" else None
            rows = items.count(conn, account_id, source)
            name = text(row.get("name")) or "Unnamed list"
            yield source, _known_list(key, name, row, rows, owner)


def _known_list(
    identity: str, name: str, row: Mapping[str, Any], rows: int, owner: str | None = None
) -> shapes.KnownList:
    return shapes.KnownList(
        id=identity,
        name=name,
        description=text(row.get("description")),
        privacy=text(row.get("privacy")),
        owner=owner,
        items=rows,
        updated_at=moment(millis_in(row, "updated_at")),
    )


def _list_row(item: ItemRow) -> shapes.ListRow:
    row = _row(item.raw)
    return shapes.ListRow(
        **about(row, item.type, item.title_key),
        rank=number(row.get("rank")) or item.place + 1,
        listed_at=moment(millis_in(row, "listed_at")),
        note=text(row.get("notes")),
    )


def _row(raw: str) -> Mapping[str, Any]:
    row = decode_any(raw.encode("utf-8", "surrogatepass"))
    return row if isinstance(row, dict) else {}

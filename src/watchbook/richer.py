"""Rows that the API tells with more in them than an export, when a newer export has them too.

Progress by episode, the details of titles, and what a liked comment is about come through the
API only. An export leaves that as the API told it, and lays its own counts and times over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook.store import items, plays
from watchbook.trakt.parse import decode_any

RICHER_BY_API = frozenset({"watched_movies", "watched_shows", "likes_comments"})


def brought_up_to_date(known: str, told: str) -> str:
    """The row ``known`` from the API with what a newer export's row says of the same thing.

    It stays as it is when the thing was not touched since. Of a show the export counts fewer
    plays, since it leaves specials out, so there a later time alone says that it was touched.
    """
    ours, theirs = decode_any(known.encode()), decode_any(told.encode())
    if not (isinstance(ours, dict) and isinstance(theirs, dict) and _touched(ours, theirs)):
        return known
    return msgspec.json.encode(_laid_over(ours, theirs)).decode()


def _touched(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    times = (str(row.get("last_updated_at") or "") for row in (theirs, ours))
    recounted = "movie" in theirs and theirs.get("plays") != ours.get("plays")
    return next(times) > next(times) or recounted


def _laid_over(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """All members of both; where both have one, the export's, objects within alike."""
    found = {**ours, **theirs}
    for name in ours.keys() & theirs.keys():
        if isinstance(ours[name], dict) and isinstance(theirs[name], dict):
            found[name] = _laid_over(ours[name], theirs[name])
    return found


def without_plays(conn: sa.Connection, account_id: int, data_set: str, generation: int) -> set[str]:
    """Keys of the rows that the reading ``generation`` did not show, and whose plays are gone."""
    unseen = items.unseen(conn, account_id, data_set, generation)
    return {
        key
        for key, title in unseen.items()
        if title is not None and not plays.has_plays(conn, account_id, title)
    }

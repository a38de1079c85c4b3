"""Plays of an export that carry no history id: told apart by title and minute."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from watchbook.store.schema import plays
from watchbook.trakt.parse import ParsedPlay, Reject, parse_play

_MINUTE = 60_000


def without_id(raw: bytes) -> ParsedPlay | None:
    """The play of a row that lacks nothing but its history id (which is 1 then)."""
    try:
        row = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or row.get("id") is not None:
        return None
    parsed = parse_play(msgspec.json.encode({**row, "id": 1}))
    if not isinstance(parsed, ParsedPlay):
        return None
    return parsed._replace(raw=raw.decode("utf-8", "replace").replace("\0", "\\u0000"))


def unmatched(conn: sa.Connection, account_id: int, found: Iterable[ParsedPlay]) -> list[Reject]:
    """Those of which no play with that title at that minute is known, to be kept as they are.

    Without an id they cannot be kept as plays: the same play read with its id would double it.
    """
    return [
        Reject("it has no history id, and no play of that title at that minute", play.raw)
        for play in found
        if play.title_key is None or not _is_known(conn, account_id, play.title_key, play)
    ]


def _is_known(conn: sa.Connection, account_id: int, title_key: str, play: ParsedPlay) -> bool:
    start = play.watched_at - play.watched_at % _MINUTE
    query = sa.select(plays.c.history_id).where(
        plays.c.account_id == account_id,
        plays.c.title_key == title_key,
        plays.c.watched_at.between(start, start + _MINUTE - 1),
    )
    return conn.scalar(query.limit(1)) is not None

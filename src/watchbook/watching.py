"""Asking Trakt what is being watched right now, for accounts that let everybody see it.

It costs one read of the account's budget each minute, and is nothing to wait for: what cannot be
had now is asked for at the next slot.
"""

from __future__ import annotations

from typing import NoReturn

import sqlalchemy as sa

from watchbook.clock import from_iso, to_millis
from watchbook.connecting import Installation
from watchbook.errors import RateLimited, RemoteChanged, WatchbookError
from watchbook.http import Timeouts
from watchbook.sharing import Part
from watchbook.store import shares, watching
from watchbook.store.accounts import Account
from watchbook.store.titles import TitleWriter
from watchbook.store.watching import Watching
from watchbook.sync import client_of
from watchbook.trakt.client import Patience
from watchbook.trakt.datasets import BY_NAME
from watchbook.trakt.parse import ParsedItem, Reject, decode_any, object_row, parse_item

_DATA_SET = BY_NAME["user_watching"]
_TIMEOUTS = Timeouts(connect=10, read=20, total=30)


def _not_now(seconds: float) -> NoReturn:
    raise RateLimited(
        "Trakt's rate limit is reached.",
        service="Trakt",
        retry_after=seconds,
        hint="It is asked again by itself.",
    )


def ask(installation: Installation, account: Account) -> Watching | None:
    """What ``account`` watches, asked of Trakt and kept; None for nothing.

    Raises what hinders it, which is written down too. Nothing is kept of an account that has
    stopped to show it meanwhile.
    """
    database = installation.store.database
    patience = Patience(tries=1, timeouts=_TIMEOUTS, sleep=_not_now)
    try:
        with client_of(installation, account, patience) as client:
            answer = client.get(_DATA_SET.path)
        item = _read(answer.body) if answer.status != 204 else None
        found = _watching(item) if item is not None else None
    except WatchbookError as reason:
        with database.write() as conn:
            if _is_shown(conn, account):
                watching.note(conn, account.id, reason.message)
        raise
    with database.write() as conn:
        if not _is_shown(conn, account):
            return None
        if item is not None:
            TitleWriter().save(conn, item.titles)
        watching.save(conn, account.id, found)
    return found


def _is_shown(conn: sa.Connection, account: Account) -> bool:
    return Part.NOW in shares.parts(conn, account.id)


def _read(body: bytes) -> ParsedItem:
    (raw,) = object_row(body)
    item = parse_item(raw, _DATA_SET, 0)
    if isinstance(item, Reject) or item.type not in {"movie", "episode"} or not item.title_key:
        raise _changed()
    return item


def _watching(item: ParsedItem) -> Watching:
    told = decode_any(item.raw.encode())
    assert item.title_key is not None
    try:
        started, expires = (from_iso(told[name]) for name in ("started_at", "expires_at"))
    except (KeyError, TypeError, ValueError):
        raise _changed() from None
    return Watching(item.title_key, to_millis(started), to_millis(expires), item.raw)


def _changed() -> RemoteChanged:
    return RemoteChanged(
        "Trakt does not say any more what is being watched.",
        service="Trakt",
        address=_DATA_SET.path,
        hint="Look for a newer Watchbook.",
    )

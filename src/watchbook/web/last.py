"""`/api/trakt/last`: the last film or episode watched, and what is being watched now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook import showing
from watchbook.clock import from_iso, now
from watchbook.freshness import freshness
from watchbook.render import widget
from watchbook.sharing import Part
from watchbook.store.watched import of_type
from watchbook.web.answers import Answer, as_json, kept_for
from watchbook.web.asking import kind
from watchbook.web.front import Asked, View

FRESH = timedelta(seconds=60)
FRESH_OFFLINE = timedelta(seconds=15)


def last(conn: sa.Connection, asked: Asked) -> Answer:
    """The last play of the kind that is asked for."""
    public = asked.public
    plays = showing.latest(conn, public, 1, wanted=of_type(kind(asked.query)))
    running = showing.now_of(conn, public)
    told = widget.last_of(
        next(iter(plays), None),
        freshness(conn, public.account, asked.sync_every),
        account=public.account.name,
        base_url=asked.base_url,
        now=running,
    )
    ends_at = running.expires_at if running else None
    return as_json(told, cache=kept_for(FRESH), ends_at=ends_at)


def last_known(last: Answer | None, why: str) -> Answer:
    """What was last known, marked as such; that nothing is known, where nothing was."""
    if last is None:
        told: dict[str, Any] = {"ok": False, "reason": why, "as_of": None, "stale": True}
        return as_json(told)
    told = msgspec.json.decode(last.body)
    running = told["now"]
    if running is not None and from_iso(running["expires_at"]) <= now():
        running = None
    told |= {"stale": True, "reason": why if told["ok"] else told["reason"], "now": running}
    return as_json(told, cache=kept_for(FRESH_OFFLINE))


LAST = View("/api/trakt/last", Part.LAST, last, query=("type",), offline=last_known)

"""Grants: sealed tokens, how the permission stands, and all that happened to it.

The history names tokens by fingerprint only. Tokens are sealed to their row and column; one
copied to another account does not open there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_millis
from watchbook.redaction import secret
from watchbook.seal import Sealer, fingerprint
from watchbook.store.accounts import Account
from watchbook.store.database import upsert
from watchbook.store.schema import grant_events, grants

KEPT_EVENTS = 200
"""Events kept for each account; those of the installation (no account) stay for ever."""


class State(StrEnum):
    """How a grant stands."""

    ALIVE = "alive"
    REFRESHING = "refreshing"
    UNCLEAR = "unclear"
    NEEDED = "needed"


class Event(StrEnum):
    """What can happen to a grant."""

    CONNECTED = "connected"
    STARTED = "refresh started"
    REFRESHED = "refreshed"
    PUT_OFF = "put off"
    UNCLEAR = "unclear"
    REFUSED = "refused"
    STRANGER = "another user's consent refused"
    DISCONNECTED = "disconnected"
    SPENT = "environment token spent"
    KEPT = "environment token put off"


@dataclass(frozen=True)
class Tokens:
    """What is sealed of a grant; ``refresh`` is None when Trakt gave none."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """One account's permission at Trakt.

    ``open_tries`` counts how often the present refresh token was sent without a known outcome,
    ``retry_at`` is the moment before which Trakt asked not to be asked again.
    """

    account_id: int
    client_id: str
    redirect_uri: str
    scope: str | None
    origin: str
    issued_at: datetime
    expires_at: datetime
    access_fingerprint: str
    refresh_fingerprint: str | None
    state: State
    state_words: str | None
    state_at: datetime
    open_tries: int
    retry_at: datetime | None
    _sealed: tuple[str, str | None] = field(repr=False)

    @property
    def half_life(self) -> datetime:
        """When the access token has lived half of its life."""
        return self.issued_at + (self.expires_at - self.issued_at) / 2

    def opened(self, sealer: Sealer) -> Tokens:
        """Open the tokens; raises SettingsError when the key is another."""
        access, refresh = self._sealed
        tokens = Tokens(
            sealer.open(access, _place(self.account_id, "access")),
            sealer.open(refresh, _place(self.account_id, "refresh")) if refresh else None,
        )
        for token in filter(None, (tokens.access, tokens.refresh)):
            secret(token)
        return tokens


@dataclass(frozen=True)
class GrantEvent:
    """One line of a grant's history."""

    at: datetime
    event: Event
    origin: str | None
    fingerprint: str | None
    words: str | None


@dataclass(frozen=True)
class Issue:
    """A pair as it was issued, with what a later refresh must repeat (client id, redirect)."""

    tokens: Tokens
    issued_at: datetime
    expires_at: datetime
    client_id: str
    redirect_uri: str
    scope: str | None
    origin: str


def _place(account_id: int, token: str) -> str:
    return f"grant:{account_id}:{token}"


_PLAIN = (
    "account_id",
    "client_id",
    "redirect_uri",
    "scope",
    "origin",
    "state_words",
    "access_fingerprint",
    "refresh_fingerprint",
    "open_tries",
)
_MOMENTS = ("issued_at", "expires_at", "state_at")


def find(conn: sa.Connection, account_id: int, *, lock: bool = False) -> Grant | None:
    """The grant of an account; ``lock`` keeps others from changing it until the commit."""
    query = sa.select(grants).where(grants.c.account_id == account_id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return _read(row) if row else None


def _read(row: sa.RowMapping) -> Grant:
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    values |= {name: from_millis(row[name]) for name in _MOMENTS}
    retry_at = None if row["retry_at"] is None else from_millis(row["retry_at"])
    sealed = (row["access_sealed"], row["refresh_sealed"])
    return Grant(**values, state=State(row["state"]), retry_at=retry_at, _sealed=sealed)


def save(conn: sa.Connection, sealer: Sealer, account_id: int, issue: Issue) -> Grant:
    """Keep a pair as the account's living grant, in place of any other."""
    access, refresh = issue.tokens.access, issue.tokens.refresh
    row = {
        "account_id": account_id,
        "client_id": issue.client_id,
        "redirect_uri": issue.redirect_uri,
        "scope": issue.scope,
        "origin": issue.origin,
        "access_sealed": sealer.seal(access, _place(account_id, "access")),
        "refresh_sealed": sealer.seal(refresh, _place(account_id, "refresh")) if refresh else None,
        "access_fingerprint": fingerprint(access),
        "refresh_fingerprint": fingerprint(refresh) if refresh else None,
        "issued_at": to_millis(issue.issued_at),
        "expires_at": to_millis(issue.expires_at),
        "state": State.ALIVE,
        "state_words": None,
        "state_at": to_millis(now()),
        "open_tries": 0,
        "retry_at": None,
    }
    upsert(conn, grants, [row], update=[name for name in row if name != "account_id"])
    saved = find(conn, account_id)
    assert saved is not None
    return saved


def seal_anew(conn: sa.Connection, sealer: Sealer) -> None:
    """Seal every token with the newest key."""
    columns = ("access_sealed", "refresh_sealed")
    for row in conn.execute(sa.select(grants)).mappings().all():
        values = {}
        for column in columns:
            place = _place(row["account_id"], column.removesuffix("_sealed"))
            if row[column] is not None:
                values[column] = sealer.seal(sealer.open(row[column], place), place)
        conn.execute(
            sa.update(grants).where(grants.c.account_id == row["account_id"]).values(values)
        )


def settle(conn: sa.Connection, grant: Grant, state: State, words: str | None, **more: Any) -> None:
    """Write down how the grant stands now, in words for a person.

    Nothing happens when another pair has taken the place of ``grant`` meanwhile.
    """
    same = grants.c.refresh_fingerprint.is_not_distinct_from(grant.refresh_fingerprint)
    values = {"state": state, "state_words": words, "state_at": to_millis(now()), **more}
    mine = (grants.c.account_id == grant.account_id) & same
    conn.execute(sa.update(grants).where(mine).values(values))


def remove(conn: sa.Connection, account_id: int) -> None:
    """Forget the tokens of an account; its history stays."""
    conn.execute(sa.delete(grants).where(grants.c.account_id == account_id))


def record(
    conn: sa.Connection,
    account_id: int | None,
    event: Event,
    *,
    origin: str | None = None,
    token: str | None = None,
    words: str | None = None,
) -> None:
    """Add a line to the history; ``token`` is a fingerprint.

    ``account_id`` is None for what concerns the installation, not a person.
    """
    row = {
        "account_id": account_id,
        "at": to_millis(now()),
        "event": event,
        "origin": origin,
        "fingerprint": token,
        "words": words,
    }
    conn.execute(sa.insert(grant_events).values(row))
    if account_id is not None:
        _prune(conn, account_id)


def _prune(conn: sa.Connection, account_id: int) -> None:
    mine = grant_events.c.account_id == account_id
    newest = sa.select(grant_events.c.id).where(mine).order_by(grant_events.c.id.desc())
    oldest_kept = newest.offset(KEPT_EVENTS - 1).limit(1).scalar_subquery()
    conn.execute(sa.delete(grant_events).where(mine, grant_events.c.id < oldest_kept))


def history(conn: sa.Connection, account: Account, limit: int = 20) -> list[GrantEvent]:
    """What happened to an account's grants, newest first; the owner sees the installation's too."""
    mine = grant_events.c.account_id == account.id
    if account.owner:
        mine |= grant_events.c.account_id.is_(None)
    columns = [grant_events.c[name] for name in ("at", "event", "origin", "fingerprint", "words")]
    query = sa.select(*columns).where(mine).order_by(grant_events.c.id.desc()).limit(limit)
    return [
        GrantEvent(from_millis(at), Event(event), origin, token, words)
        for at, event, origin, token, words in conn.execute(query)
    ]


def is_spent(conn: sa.Connection, token: str) -> bool:
    """Whether the environment's token with that fingerprint was sent before."""
    spent = sa.select(grant_events.c.id).where(
        grant_events.c.fingerprint == token, grant_events.c.event == Event.SPENT
    )
    return conn.execute(spent.limit(1)).first() is not None


def unspend(conn: sa.Connection, token: str) -> None:
    """Take back that the environment's token was spent: Trakt surely did not see it."""
    spent = (grant_events.c.fingerprint == token) & (grant_events.c.event == Event.SPENT)
    conn.execute(sa.delete(grant_events).where(spent))


def holders(conn: sa.Connection) -> set[int]:
    """The accounts that have a grant, whatever its state."""
    return set(conn.scalars(sa.select(grants.c.account_id)))


def refused(conn: sa.Connection) -> set[int]:
    """The accounts whose grant only a person can renew."""
    needed = grants.c.state == State.NEEDED
    return set(conn.scalars(sa.select(grants.c.account_id).where(needed)))

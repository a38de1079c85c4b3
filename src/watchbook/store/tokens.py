"""API tokens: who may read an account from outside, and when they last did.

A token is 256 random bits behind a prefix by which logs know it. Only its SHA-256 is kept, and
it is found by that: who guesses learns nothing from how long the answer took, and who reads the
database cannot read the account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.errors import InputError
from watchbook.logs import secret
from watchbook.store.accounts import Account
from watchbook.store.schema import tokens

PREFIX = "wb_"
USE_IS_NOTED_EVERY = timedelta(hours=1)
_BYTES = 32
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Token:
    """What is known of a token; moments in milliseconds. The token itself is not kept."""

    id: int
    account_id: int
    name: str
    made_at: int
    used_at: int | None
    """When it was last used, to the hour; None when never."""


_COLUMNS = [tokens.c[name] for name in Token.__dataclass_fields__]


def all_tokens(conn: sa.Connection, account_id: int) -> list[Token]:
    """The tokens of an account, by name."""
    query = sa.select(*_COLUMNS).where(tokens.c.account_id == account_id).order_by(tokens.c.name)
    return [Token(*row) for row in conn.execute(query)]


def add(conn: sa.Connection, account: Account, name: str) -> str:
    """Make a token called ``name``, which is told this once; raises InputError."""
    if any(one.name == name for one in all_tokens(conn, account.id)):
        raise InputError(
            f"{account.name} has a token called {name} already.",
            hint="Choose another name, or remove that one first: `watchbook token remove NAME`.",
        )
    made = secret(PREFIX + secrets.token_urlsafe(_BYTES))
    row = {
        "account_id": account.id,
        "name": checked_name(name),
        "digest": _digest(made),
        "made_at": to_millis(now()),
    }
    conn.execute(sa.insert(tokens).values(row))
    return made


def checked_name(name: str) -> str:
    """``name``, if it can be read aloud; raises InputError."""
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise InputError(
            f"{name!r} cannot be the name of a token.",
            hint=f"Say what it is for, in at most {_LONGEST_NAME} characters. Example: blog",
        )
    return name


def find(conn: sa.Connection, token: str) -> Token | None:
    """The token that ``token`` is; None when it is none, or was removed."""
    wanted = _digest(token)
    query = sa.select(tokens.c.digest, *_COLUMNS).where(tokens.c.digest == wanted)
    row = conn.execute(query).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, wanted):
        return None
    return Token(*row[1:])


def is_used_anew(token: Token) -> bool:
    """Whether so much time has passed since its last known use that this one is to be noted."""
    every = USE_IS_NOTED_EVERY // timedelta(milliseconds=1)
    return token.used_at is None or to_millis(now()) - token.used_at >= every


def note_use(conn: sa.Connection, token: Token) -> None:
    """Write down that a token was used just now."""
    ours = tokens.c.id == token.id
    conn.execute(sa.update(tokens).where(ours).values(used_at=to_millis(now())))


def remove(conn: sa.Connection, account: Account, name: str) -> None:
    """Let a token be worth nothing from now on; raises InputError when there is none."""
    ours = (tokens.c.account_id == account.id) & (tokens.c.name == name)
    if conn.execute(sa.delete(tokens).where(ours)).rowcount == 0:
        known = ", ".join(one.name for one in all_tokens(conn, account.id)) or "none yet"
        raise InputError(
            f"{account.name} has no token called {name}.", hint=f"These are known: {known}."
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()

"""What an account lets everybody see."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store import changes
from watchbook.store.database import upsert
from watchbook.store.schema import shares


def parts(conn: sa.Connection, account_id: int) -> frozenset[str]:
    """The names of the parts that are switched on."""
    return frozenset(
        conn.scalars(sa.select(shares.c.part).where(shares.c.account_id == account_id))
    )


def all_parts(conn: sa.Connection) -> dict[int, frozenset[str]]:
    """The names of the parts that are switched on, by account; those without any are left out."""
    found: dict[int, set[str]] = defaultdict(set)
    for account_id, part in conn.execute(sa.select(shares.c.account_id, shares.c.part)):
        found[account_id].add(part)
    return {account_id: frozenset(some) for account_id, some in found.items()}


def accounts_with(conn: sa.Connection, part: str) -> list[int]:
    """The ids of the accounts that switched ``part`` on."""
    return list(conn.scalars(sa.select(shares.c.account_id).where(shares.c.part == part)))


def switch_on(conn: sa.Connection, account_id: int, part: str) -> None:
    """Let everybody see a part; one that was on stays as it is."""
    row = {"account_id": account_id, "part": part, "shared_at": to_millis(now())}
    upsert(conn, shares, [row], update=("part",))
    changes.tell(conn, changes.PEOPLE)


def switch_off(conn: sa.Connection, account_id: int, part: str) -> None:
    """Show a part to nobody any more."""
    ours = (shares.c.account_id == account_id) & (shares.c.part == part)
    conn.execute(sa.delete(shares).where(ours))
    changes.tell(conn, changes.PEOPLE)

"""Numbers that grow when something that is shown has changed, so that any process can see it.

A topic is an account's book, the pictures that all accounts share, or who the people are. Who
writes counts on in the transaction of the change; who shows asks for the numbers of what it
holds in memory.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from watchbook.store.database import Excluded, upsert
from watchbook.store.schema import changes

PICTURES = "pictures"
PEOPLE = "people"
"""Which accounts there are, how they are called, and what everybody may see of them."""
_CHUNK = 500


def of_account(account_id: int) -> str:
    """The topic of everything that is shown of an account."""
    return f"account:{account_id}"


def tell(conn: sa.Connection, topic: str) -> None:
    """Count a change of ``topic``; it is seen when the transaction commits."""
    upsert(conn, changes, [{"topic": topic, "number": 1}], update=(), values=_one_more)


def _one_more(_excluded: Excluded) -> dict[str, sa.ColumnElement[int]]:
    return {"number": changes.c.number + 1}


def numbers(conn: sa.Connection, topics: Collection[str]) -> dict[str, int]:
    """The number of each of ``topics``; one that never changed has 0."""
    found = dict.fromkeys(topics, 0)
    wanted = list(found)
    for start in range(0, len(wanted), _CHUNK):
        query = sa.select(changes.c.topic, changes.c.number).where(
            changes.c.topic.in_(wanted[start : start + _CHUNK])
        )
        found.update({row.topic: row.number for row in conn.execute(query)})
    return found

"""How far each data set of an account has been read, and with what result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from watchbook.store.database import upsert
from watchbook.store.schema import data_sets

NEVER = "never"
COMPLETE = "complete"
INCOMPLETE = "incomplete"
UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class DataSetState:
    """What is known of one data set of one account.

    ``guard`` is what its timestamps said before it was read, ``kept`` and ``claimed`` count
    rows here and at Trakt, ``held`` those that vanished but wait for a person's word,
    ``position`` says where an interrupted reading stopped (JSON).
    """

    name: str
    state: str = NEVER
    words: str | None = None
    guard: str | None = None
    kept: int | None = None
    claimed: int | None = None
    held: int = 0
    generation: int = 0
    position: str | None = None
    read_at: int | None = None
    tried_at: int | None = None


_NAMES = tuple(DataSetState.__dataclass_fields__)
_COLUMNS = [data_sets.c[name] for name in _NAMES]


def all_states(conn: sa.Connection, account_id: int) -> dict[str, DataSetState]:
    """Every data set that was ever tried, by name."""
    query = sa.select(*_COLUMNS).where(data_sets.c.account_id == account_id)
    return {row[0]: DataSetState(*row) for row in conn.execute(query.order_by(data_sets.c.name))}


def find(conn: sa.Connection, account_id: int, name: str) -> DataSetState:
    """What is known of one data set; a blank state if it was never tried."""
    ours = (data_sets.c.account_id == account_id) & (data_sets.c.name == name)
    row = conn.execute(sa.select(*_COLUMNS).where(ours)).one_or_none()
    return DataSetState(*row) if row else DataSetState(name)


def save(conn: sa.Connection, account_id: int, state: DataSetState) -> None:
    """Write all of ``state``."""
    row = {"account_id": account_id} | {name: getattr(state, name) for name in _NAMES}
    upsert(conn, data_sets, [row], update=_NAMES[1:])


def change(conn: sa.Connection, account_id: int, name: str, values: Mapping[str, Any]) -> None:
    """Set some columns of a data set that was tried before."""
    ours = (data_sets.c.account_id == account_id) & (data_sets.c.name == name)
    conn.execute(sa.update(data_sets).where(ours).values(dict(values)))


def forget(conn: sa.Connection, account_id: int, name: str) -> None:
    """Forget the state of a data set (its rows stay)."""
    ours = (data_sets.c.account_id == account_id) & (data_sets.c.name == name)
    conn.execute(sa.delete(data_sets).where(ours))

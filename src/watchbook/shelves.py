"""The rows of one data set as one reading left them, and what becomes of those not shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from watchbook.desk import Outcome
from watchbook.ingest import trips_wire
from watchbook.store import items, plays
from watchbook.store.schema import items as items_table
from watchbook.store.schema import plays as plays_table
from watchbook.store.schema import rejects

Key = TypeVar("Key")


class Shelf(Protocol[Key]):
    """Rows that are kept under keys of one kind."""

    @property
    def generation(self) -> int:
        """The reading that they are held against."""

    def unseen(self) -> set[Key]:
        """Living rows that the reading did not show."""

    def missing(self) -> set[Key]:
        """Living rows that some reading missed before."""

    def mark(self, keys: Collection[Key], column: str, moment: int) -> None:
        """Set ``missing_at`` or ``removed_at`` where it is not set yet."""

    def count(self) -> int:
        """How many rows there are, unreadable ones too."""

    def forget_rejects(self) -> None:
        """Drop unreadable rows of earlier readings."""


@dataclass(frozen=True)
class ItemShelf:
    """Rows of a data set other than history."""

    conn: sa.Connection
    account_id: int
    name: str
    generation: int

    def unseen(self) -> set[str]:
        """Living rows that the reading did not show."""
        return set(items.unseen(self.conn, self.account_id, self.name, self.generation))

    def missing(self) -> set[str]:
        """Living rows that some reading missed before."""
        return _missing(self.conn, items_table.c.key, items_table.c.data_set == self.name, self)

    def mark(self, keys: Collection[str], column: str, moment: int) -> None:
        """Set ``missing_at`` or ``removed_at`` where it is not set yet."""
        items.mark(self.conn, self.account_id, self.name, keys, column=column, moment=moment)

    def count(self) -> int:
        """How many rows there are, unreadable ones too."""
        rejected = items.count_rejects(self.conn, self.account_id, self.name)
        return items.count(self.conn, self.account_id, self.name) + rejected

    def forget_rejects(self) -> None:
        """Drop unreadable rows of earlier readings."""
        items.forget_rejects(self.conn, self.account_id, self.name, but_of=self.generation)


@dataclass(frozen=True)
class PlayShelf:
    """Plays."""

    conn: sa.Connection
    account_id: int
    name: str
    generation: int

    def unseen(self) -> set[int]:
        """Living plays that the reading did not show."""
        return plays.unseen_ids(self.conn, self.account_id, self.generation)

    def missing(self) -> set[int]:
        """Living plays that some reading missed before."""
        return _missing(self.conn, plays_table.c.history_id, sa.true(), self)

    def mark(self, keys: Collection[int], column: str, moment: int) -> None:
        """Set ``missing_at`` or ``removed_at`` where it is not set yet."""
        plays.mark(self.conn, self.account_id, keys, column=column, moment=moment)

    def count(self) -> int:
        """How many plays there are."""
        return plays.count(self.conn, self.account_id)

    def forget_rejects(self) -> None:
        """Drop unreadable rows of earlier readings."""
        items.forget_rejects(self.conn, self.account_id, self.name, but_of=self.generation)


def settle_newer(shelf: Shelf[Any], outcome: Outcome, moment: int, *, accept: bool) -> None:
    """Mark what a newer reading lacks missing, and removed what an earlier one lacked too.

    When much is lacking at once, all of it is held until a person accepts it.
    """
    unseen = shelf.unseen()
    gone = unseen & shelf.missing()
    shelf.mark(unseen, "missing_at", moment)
    shelf.forget_rejects()
    many = trips_wire(len(unseen), shelf.count())
    if many and not accept:
        outcome.held = len(unseen)
        outcome.kept = shelf.count()
        return
    _remove(shelf, outcome, unseen if many else gone, moment)
    outcome.missing = len(unseen) - outcome.removed


def settle_held(
    shelf: Shelf[Any], outcome: Outcome, moment: int, held: int, *, accept: bool
) -> None:
    """The same reading once more, after rows were held: they go if the person says so."""
    if accept:
        _remove(shelf, outcome, shelf.unseen() & shelf.missing(), moment)
    else:
        outcome.held = held


def settle_known(shelf: Shelf[Any], outcome: Outcome, gone: Collection[Any], moment: int) -> None:
    """Mark removed what is known to be gone without a second look."""
    shelf.mark(gone, "missing_at", moment)
    _remove(shelf, outcome, gone, moment)


def _remove(shelf: Shelf[Any], outcome: Outcome, gone: Collection[Any], moment: int) -> None:
    shelf.mark(gone, "removed_at", moment)
    outcome.removed = len(gone)
    outcome.kept = shelf.count()


def _missing(
    conn: sa.Connection,
    key: sa.Column[Any],
    ours: sa.ColumnElement[bool],
    shelf: ItemShelf | PlayShelf,
) -> set[Any]:
    table = key.table.c
    query = sa.select(key).where(
        table.account_id == shelf.account_id,
        ours,
        table.missing_at.is_not(None),
        table.removed_at.is_(None),
    )
    return set(conn.scalars(query))


def known_rejects(conn: sa.Connection, account_id: int, name: str, generation: int) -> set[str]:
    """The raw text of the unreadable rows that the reading ``generation`` showed."""
    query = sa.select(rejects.c.raw).where(
        rejects.c.account_id == account_id,
        rejects.c.data_set == name,
        rejects.c.generation == generation,
    )
    return set(conn.scalars(query))

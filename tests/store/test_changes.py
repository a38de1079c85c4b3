"""Numbers of changes: counted with what changed, seen by whoever asks, no oftener than needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from watchbook import sharing
from watchbook.sharing import Part
from watchbook.store import accounts, changes, shares
from watchbook.store.database import Database

MINE = changes.of_account(1)
BOTH = (MINE, changes.PEOPLE)


def numbers(database: Database) -> tuple[int, ...]:
    """Those of the account's book and of who the people are."""
    with database.read() as conn:
        return tuple(changes.numbers(conn, BOTH).values())


def test_numbers_grow_with_the_transaction(database: Database) -> None:
    """Each change counts one on; one that was rolled back counts nothing; others stand still."""
    with database.write() as conn:
        changes.tell(conn, MINE)
        changes.tell(conn, MINE)

    def fail() -> None:
        with database.write() as conn:
            changes.tell(conn, MINE)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert numbers(database) == (2, 0)


def test_many_topics_at_once(database: Database) -> None:
    """A thousand accounts may stand in memory, and each has its number."""
    topics = [changes.of_account(number) for number in range(1200)]
    with database.write() as conn:
        changes.tell(conn, topics[1100])
    with database.read() as conn:
        found = changes.numbers(conn, topics)
    assert list(found) == topics
    assert {topic for topic, number in found.items() if number} == {topics[1100]}


def test_who_gets_a_number_anew_gets_nothing_else(database: Database) -> None:
    """An account that is removed counts as a change of its book: the next may have its number."""
    with database.write() as conn:
        account = accounts.add(conn, "sandra")
    before = numbers(database)
    with database.write() as conn:
        accounts.remove(conn, account.id)
    assert numbers(database) == (before[0] + 1, before[1] + 1)


def _rename(conn: sa.Connection) -> None:
    accounts.change(conn, 1, name="tom")


def _read_fully(conn: sa.Connection) -> None:
    accounts.change(conn, 1, full_read_at=5, locked=None)


def _share(conn: sa.Connection) -> None:
    shares.switch_on(conn, 1, Part.LAST)


def _stop_now(conn: sa.Connection) -> None:
    sharing.switch_off(conn, 1, [Part.NOW])


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (_rename, (True, True)),
        (_read_fully, (True, False)),
        (_share, (False, True)),
        (_stop_now, (True, True)),
    ],
)
def test_what_is_told(
    database: Database, act: Callable[[sa.Connection], None], told: tuple[bool, bool]
) -> None:
    """Who the people are is read anew for a name or a part, and not after each sync."""
    with database.write() as conn:
        accounts.add(conn, "sandra")
    before = numbers(database)
    with database.write() as conn:
        act(conn)
    after = numbers(database)
    assert tuple(new > old for new, old in zip(after, before, strict=True)) == told

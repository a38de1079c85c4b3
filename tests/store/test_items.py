from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from watchbook.store import accounts, items
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.items import ItemRow, Saved
from watchbook.store.schema import items as table
from watchbook.store.schema import rejects

ROW = ItemRow("movie:1", "movie", None, 0, '{"rating":8}')
NAME = "ratings_movies"


@pytest.fixture
def account(database: Database) -> Account:
    """An account."""
    with database.write() as conn:
        return accounts.add(conn, "sandra")


def save(
    database: Database, account: Account, *rows: ItemRow, generation: int = 1, moment: int = 5
) -> Saved:
    """Save rows as one page."""
    with database.write() as conn:
        return items.save(conn, account.id, NAME, rows, generation, moment)


def stored(database: Database, key: str = ROW.key) -> dict[str, object]:
    """What is kept of a row."""
    with database.read() as conn:
        return dict(conn.execute(sa.select(table).where(table.c.key == key)).one()._mapping)


def mark(database: Database, account: Account, column: str, moment: int, *keys: str) -> None:
    """Mark rows."""
    with database.write() as conn:
        items.mark(conn, account.id, NAME, keys, column=column, moment=moment)


def test_new_and_known(database: Database, account: Account) -> None:
    """New rows are counted once each; the same again changes nothing at all."""
    assert save(database, account, ROW, replace(ROW, key="movie:2"), ROW) == Saved(2, 0)
    before = stored(database)
    assert save(database, account, ROW, moment=99) == Saved(0, 0)
    assert stored(database) == before


def test_changed(database: Database, account: Account) -> None:
    """Another text is a change with its moment; when the row was found stays."""
    save(database, account, ROW)
    assert save(database, account, replace(ROW, raw="{}"), moment=99) == Saved(0, 1)
    row = stored(database)
    assert (row["raw"], row["discovered_at"], row["changed_at"]) == ("{}", 5, 99)


@pytest.mark.parametrize(("place", "generation"), [(7, 1), (0, 2)])
def test_moved_is_not_changed(
    database: Database, account: Account, place: int, generation: int
) -> None:
    """Another place or reading is written down, but is no change of the row."""
    save(database, account, ROW)
    moved = replace(ROW, place=place)
    assert save(database, account, moved, generation=generation, moment=99) == Saved(0, 0)
    row = stored(database)
    assert (row["place"], row["generation"], row["changed_at"]) == (place, generation, 5)


def test_removed_row_comes_back(database: Database, account: Account) -> None:
    """A removed row that Trakt shows again counts as new, and is whole again."""
    save(database, account, ROW)
    mark(database, account, "missing_at", 10, ROW.key)
    mark(database, account, "removed_at", 11, ROW.key)
    mark(database, account, "removed_at", 12, ROW.key)
    assert stored(database)["removed_at"] == 11
    assert save(database, account, ROW) == Saved(1, 0)
    row = stored(database)
    assert (row["missing_at"], row["removed_at"]) == (None, None)


def test_rows_in_their_order(database: Database, account: Account) -> None:
    """Rows come back in Trakt's order, without the removed ones; one object is one row."""
    rows = [ItemRow(f"k{place}", None, None, place, str(place)) for place in range(12)]
    save(database, account, *reversed(rows))
    mark(database, account, "removed_at", 10, "k0")
    with database.read() as conn:
        assert [raw for _, raw in items.raws(conn, account.id, NAME)] == [
            str(n) for n in range(1, 12)
        ]
        assert items.raw(conn, account.id, NAME) == "1"
        assert items.raw(conn, account.id, "another") is None
        assert items.count(conn, account.id, NAME) == 11


def test_what_a_reading_did_not_show(database: Database, account: Account) -> None:
    """Rows of an older generation are those that the newest reading missed."""
    save(database, account, ROW, *(replace(ROW, key=f"k{n}") for n in range(3)))
    mark(database, account, "removed_at", 10, "k0")
    save(database, account, replace(ROW, key="k1"), generation=2)
    with database.read() as conn:
        assert items.unseen(conn, account.id, NAME, 2) == {ROW.key: None, "k2": None}
        assert items.count_seen(conn, account.id, NAME, 2) == (1, 0)


def test_many_at_once(database: Database, account: Account) -> None:
    """Pages larger than one query's list are saved and marked whole."""
    many = [replace(ROW, key=f"k{n}", place=n) for n in range(1201)]
    assert save(database, account, *many) == Saved(1201, 0)
    assert save(database, account, *many) == Saved(0, 0)
    mark(database, account, "removed_at", 10, *(row.key for row in many))
    with database.read() as conn:
        assert items.count(conn, account.id, NAME) == 0


def test_parent_takes_its_rows_along(database: Database, account: Account) -> None:
    """When what rows belong to is gone, they are marked, not deleted; earlier marks stay."""
    save(database, account, ROW, replace(ROW, key="k1"), replace(ROW, key="k2"))
    mark(database, account, "missing_at", 10, "k1")
    mark(database, account, "removed_at", 11, "k2")
    with database.write() as conn:
        assert items.mark_all_removed(conn, account.id, NAME, 20) == 2
    assert (stored(database)["missing_at"], stored(database)["removed_at"]) == (20, 20)
    assert stored(database, "k1")["missing_at"] == 10
    assert stored(database, "k2")["removed_at"] == 11


def test_only_the_newest_reading(database: Database, account: Account) -> None:
    """Where only the newest reading counts, older rows are forgotten, or all."""
    save(database, account, ROW, replace(ROW, key="old"))
    save(database, account, ROW, generation=2)
    for generation, left in ((2, [ROW.key]), (None, [])):
        with database.write() as conn:
            items.drop(conn, account.id, NAME, but_of=generation)
            assert [key for key, _ in items.raws(conn, account.id, NAME)] == left


def test_unreadable_rows(database: Database, account: Account) -> None:
    """What could not be read is kept once with its reason, until a reading no longer shows it."""
    with database.write() as conn:
        me = account.id
        items.save_rejects(conn, me, NAME, [("d1", "why", "{}"), ("d2", "why", "[]")], 1, 5)
        items.save_rejects(conn, me, NAME, [("d1", "because", "{}")], 2, 9)
        assert items.count_rejects(conn, me, NAME) == 2
        assert items.count_rejects(conn, me, "another") == 0
        assert items.count_seen(conn, me, NAME, 2) == (0, 1)
        items.forget_rejects(conn, me, NAME, but_of=2)
        row = conn.execute(sa.select(rejects)).one()
        assert (row.digest, row.reason, row.seen_at, row.raw) == ("d1", "because", 9, "{}")
        items.forget_rejects(conn, me, NAME)
        assert items.count_rejects(conn, me, NAME) == 0


def test_accounts_and_data_sets_are_apart(database: Database, account: Account) -> None:
    """One key in two data sets or accounts is two rows, and marks do not cross over."""
    with database.write() as conn:
        other = accounts.add(conn, "tom")
        for me, name in ((account.id, NAME), (account.id, "another"), (other.id, NAME)):
            assert items.save(conn, me, name, [ROW], 1, 5) == Saved(1, 0)
        items.mark_all_removed(conn, account.id, NAME, 9)
        items.drop(conn, account.id, NAME)
        assert items.count(conn, account.id, "another") == items.count(conn, other.id, NAME) == 1


def test_nothing_to_save(database: Database, account: Account) -> None:
    """No rows are fine."""
    assert save(database, account) == Saved(0, 0)
    mark(database, account, "missing_at", 1)

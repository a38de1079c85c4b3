from __future__ import annotations

from dataclasses import replace

import pytest

from watchbook.store import accounts, datasets
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.datasets import COMPLETE, NEVER, DataSetState

STATE = DataSetState(
    name="list_items/123",
    state=COMPLETE,
    words="some words",
    guard='["2026"]',
    kept=3,
    claimed=4,
    held=1,
    generation=7,
    position='{"done":[1]}',
    read_at=2**40,
    tried_at=2**41,
)


@pytest.fixture
def account(database: Database) -> Account:
    """An account."""
    with database.write() as conn:
        return accounts.add(conn, "sandra")


def test_state_comes_back_whole(database: Database, account: Account) -> None:
    """Every field of a state is kept; one never tried is blank."""
    with database.write() as conn:
        assert datasets.find(conn, account.id, "history") == DataSetState("history", NEVER)
        datasets.save(conn, account.id, STATE)
    with database.read() as conn:
        assert datasets.find(conn, account.id, STATE.name) == STATE
        assert datasets.all_states(conn, account.id) == {STATE.name: STATE}


def test_saving_replaces_all(database: Database, account: Account) -> None:
    """A state saved again takes the place of the old one, with its empty fields too."""
    with database.write() as conn:
        datasets.save(conn, account.id, STATE)
        datasets.save(conn, account.id, DataSetState(STATE.name))
        assert datasets.find(conn, account.id, STATE.name) == DataSetState(STATE.name)


def test_changing_leaves_the_rest(database: Database, account: Account) -> None:
    """Only the named columns change, and only where there is a state."""
    with database.write() as conn:
        datasets.save(conn, account.id, STATE)
        datasets.change(conn, account.id, STATE.name, {"position": None, "held": 0})
        datasets.change(conn, account.id, "history", {"held": 9})
        assert datasets.all_states(conn, account.id) == {
            STATE.name: replace(STATE, position=None, held=0)
        }


def test_forgetting(database: Database, account: Account) -> None:
    """A forgotten state is as if the data set was never tried; others stay."""
    with database.write() as conn:
        for name in ("a", "b"):
            datasets.save(conn, account.id, replace(STATE, name=name))
        datasets.forget(conn, account.id, "a")
        assert list(datasets.all_states(conn, account.id)) == ["b"]


def test_states_by_name_and_account(database: Database, account: Account) -> None:
    """States are sorted by name, and those of others are not among them."""
    with database.write() as conn:
        other = accounts.add(conn, "tom")
        datasets.save(conn, other.id, STATE)
        for name in ("c", "a", "b"):
            datasets.save(conn, account.id, DataSetState(name))
        assert list(datasets.all_states(conn, account.id)) == ["a", "b", "c"]
        assert list(datasets.all_states(conn, other.id)) == [STATE.name]

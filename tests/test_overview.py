"""How an account stands, on both databases."""

from __future__ import annotations

import pytest

from watchbook.errors import InputError
from watchbook.overview import Health, overviews
from watchbook.store import accounts, datasets, grants, leases, runs
from watchbook.store.budget import ReadBudget
from watchbook.store.datasets import DataSetState
from watchbook.store.opening import Store
from watchbook.values import Rate

RATE = Rate(450, 300)


def test_all_that_is_shown_can_be_read(store: Store) -> None:
    """Runs, data sets, leases, budget and the grant's history are found, whatever the database."""
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra")
        run_id = runs.start(conn, account.id, "import")
        runs.finish(conn, run_id, runs.COMPLETE, "complete", report={"source": "export"})
        runs.start(conn, account.id, "sync")
        datasets.save(conn, account.id, DataSetState("lists", datasets.INCOMPLETE, held=2))
        grants.record(conn, account.id, grants.Event.DISCONNECTED)
    budget = ReadBudget(store.database, account.id, RATE)
    budget.spend()
    with leases.holding(store.database, f"refresh:{account.id}", "a refresh"):
        (found,) = overviews(store, RATE)
    assert found.health is Health.INCOMPLETE
    assert [work.purpose for work in found.running] == ["a refresh"]
    assert found.data_sets.incomplete == {"lists": "no reason known"}
    assert (found.data_sets.held, found.budget.used) == (2, 1)
    assert [event.event for event in found.events] == [grants.Event.DISCONNECTED]
    assert found.backup is None


def test_one_account_or_all(store: Store) -> None:
    """Accounts come with the owner's first; one can be asked for by name."""
    with store.database.write() as conn:
        accounts.add(conn, "tom")
        accounts.add(conn, "ann")
    assert [one.account for one in overviews(store, RATE)] == ["tom", "ann"]
    assert [one.account for one in overviews(store, RATE, "ann")] == ["ann"]
    with pytest.raises(InputError, match="no account called bob"):
        overviews(store, RATE, "bob")


def test_nobody(store: Store) -> None:
    """Without accounts there is nothing to show."""
    assert overviews(store, RATE) == []

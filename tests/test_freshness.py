"""How fresh a copy is: by what happened to it, never by the age of an export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.web.showroom import Owner
from watchbook import freshness as module
from watchbook.clock import now, to_millis
from watchbook.freshness import Freshness, freshness
from watchbook.store import accounts, grants, runs
from watchbook.store.grants import State
from watchbook.store.opening import Store

EXPORT = {"source": "export"}
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def owner(store: Store) -> Owner:
    """An account of which nothing is known."""
    return Owner(store)


def of(owner: Owner, sync_every: timedelta = FIVE_MINUTES) -> Freshness:
    """How fresh it is now."""
    with owner.store.database.read() as conn:
        return freshness(conn, accounts.get(conn, owner.account.id), sync_every)


def test_empty_book_is_not_stale(owner: Owner) -> None:
    """Nobody promised to keep it up to date."""
    assert of(owner) == Freshness(None, None)


def test_signed_in_and_synced(owner: Owner) -> None:
    """It is as of the beginning of the last sync that went well."""
    owner.grant()
    owner.ran(ago=timedelta(minutes=4))
    found = of(owner)
    assert not found.stale
    assert found.as_of is not None
    assert timedelta(minutes=4) <= now() - found.as_of < timedelta(minutes=6)


def _locked(owner: Owner) -> None:
    with owner.store.database.write() as conn:
        accounts.change(conn, owner.account.id, locked="Trakt has locked it.")


def _signed_out(owner: Owner) -> None:
    owner.grant(State.NEEDED)


def _failed(owner: Owner) -> None:
    owner.grant()
    owner.ran(outcome=runs.FAILED)


def _disconnected(owner: Owner) -> None:
    with owner.store.database.write() as conn:
        grants.record(conn, owner.account.id, grants.Event.CONNECTED)
        grants.remove(conn, owner.account.id)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (_locked, module.LOCKED),
        (_signed_out, module.SIGNED_OUT),
        (_failed, module.FAILED),
        (_disconnected, module.DISCONNECTED),
    ],
)
def test_what_makes_it_stale(owner: Owner, happens: Callable[[Owner], None], reason: str) -> None:
    """Each trouble has its own words, none of them those of an error, and as_of stays."""
    owner.ran(ago=timedelta(minutes=1))
    happens(owner)
    found = of(owner)
    assert (found.stale, found.reason) == (True, reason)
    assert found.as_of is not None


def test_sync_that_goes_well_again_ends_it(owner: Owner) -> None:
    """A failed check counts until the next one; one that runs or was interrupted says nothing."""
    owner.grant()
    owner.ran(outcome=runs.FAILED)
    owner.ran()
    with owner.store.database.write() as conn:
        runs.start(conn, owner.account.id, "sync")
    assert not of(owner).stale


def test_not_read_yet(owner: Owner) -> None:
    """Between sign-in and the end of the first sync it is not complete."""
    owner.grant()
    assert of(owner).reason == module.UNREAD


@pytest.mark.parametrize(
    ("every", "ago", "stale"), [("5m", 14, False), ("5m", 16, True), ("1h", 170, False)]
)
def test_several_missed_checks(owner: Owner, every: str, ago: int, *, stale: bool) -> None:
    """It is old after three periods without a check, and never before a quarter of an hour."""
    owner.grant()
    owner.ran(ago=timedelta(minutes=ago))
    period = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1)}[every]
    assert of(owner, period).reason == (module.OLD if stale else None)


def test_export_is_never_stale_by_age(owner: Owner) -> None:
    """A book that lives on exports is as of the last one, however long ago that was."""
    owner.ran("import", ago=timedelta(days=400), report=EXPORT)
    found = of(owner)
    assert not found.stale
    assert found.as_of is not None
    assert now() - found.as_of >= timedelta(days=400)
    owner.ran("sync", ago=timedelta(days=500))
    assert not of(owner).stale


def test_last_good_check_is_never_forgotten(owner: Owner) -> None:
    """Of a month of quiet syncs the last one stays, and with it the moment of the copy."""
    owner.grant()
    for days in (90, 80, 70):
        owner.ran(ago=timedelta(days=days))
    owner.ran(outcome=runs.FAILED, ago=timedelta(days=1))
    before = of(owner)
    with owner.store.database.write() as conn:
        assert runs.forget_quiet(conn, to_millis(now() - timedelta(days=30))) == 2
    assert of(owner) == before
    assert before.as_of is not None


def test_newer_import_does_not_make_checks_newer(owner: Owner) -> None:
    """Who is signed in and was not checked for long is stale, though an export came in today."""
    owner.grant()
    owner.ran(ago=timedelta(days=1))
    owner.ran("import", report=EXPORT)
    found = of(owner)
    assert found.reason == module.OLD
    assert found.as_of is not None
    assert now() - found.as_of < timedelta(hours=1)

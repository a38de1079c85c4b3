"""Statistics of an account: read once for each state of the store, and kept for who asks most."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.web.showroom import Owner
from watchbook import sharing, statistics
from watchbook.clock import now
from watchbook.render.columns import Plays
from watchbook.store.opening import Store


def plays_of(owner: Owner) -> Plays:
    """What is held in memory of an account."""
    with owner.store.database.read() as conn:
        return statistics.plays_of(conn, sharing.of_account(conn, owner.account))


def test_plays_are_read_again_when_they_have_changed(store: Store) -> None:
    """And only then."""
    owner = Owner(store)
    owner.watch(1, now() - timedelta(days=1))
    first = plays_of(owner)
    assert plays_of(owner) is first
    owner.watch(2, now() - timedelta(hours=1))
    assert len(plays_of(owner).keys) == 2


def test_who_was_asked_for_last_is_kept_longest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for a few accounts; one that is asked for all the time is never read again."""
    monkeypatch.setattr(statistics, "_MOST_KEPT", 2)
    sandra, tom, ann = (Owner(store, name) for name in ("sandra", "tom", "ann"))
    first, other = plays_of(sandra), plays_of(tom)
    assert plays_of(sandra) is first
    plays_of(ann)
    assert plays_of(sandra) is first
    assert plays_of(tom) is not other

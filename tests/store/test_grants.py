from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from watchbook.clock import from_millis, now, to_millis
from watchbook.errors import SettingsError
from watchbook.redaction import redact
from watchbook.seal import Sealer, fingerprint
from watchbook.store import accounts, grants
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.grants import Event, Issue, State, Tokens
from watchbook.store.opening import Store
from watchbook.store.schema import grant_events
from watchbook.store.schema import grants as table

ISSUED = from_millis(to_millis(now()))
PAIR = Tokens("an-access-token-of-sandra", "a-refresh-token-of-sandra")
ISSUE = Issue(PAIR, ISSUED, ISSUED + timedelta(days=7), "app", "urn:x", "public", "device code")


def an_account(store: Store, name: str = "sandra") -> Account:
    """An account of that name."""
    with store.database.write() as conn:
        return accounts.add(conn, name)


def saved(store: Store, account: Account, issue: Issue = ISSUE) -> grants.Grant:
    """A grant of that account."""
    with store.database.write(durable=True) as conn:
        return grants.save(conn, store.sealer, account.id, issue)


def found(store: Store, account: Account) -> grants.Grant:
    """What the store holds for that account."""
    with store.database.read() as conn:
        grant = grants.find(conn, account.id)
    assert grant is not None
    return grant


def test_what_is_saved_is_found(store: Store) -> None:
    """A grant comes back with its times, its state and its tokens."""
    account = an_account(store)
    saved(store, account)
    grant = found(store, account)
    assert grant.opened(store.sealer) == PAIR
    assert (grant.state, grant.open_tries, grant.retry_at) == (State.ALIVE, 0, None)
    assert (grant.issued_at, grant.expires_at) == (ISSUED, ISSUED + timedelta(days=7))
    assert grant.half_life == ISSUED + timedelta(days=3.5)
    assert grant.refresh_fingerprint == fingerprint("a-refresh-token-of-sandra")


def test_nothing_readable_lies_in_the_database(store: Store) -> None:
    """Neither token stands in any column, nor in the grant's repr."""
    grant = saved(store, an_account(store))
    with store.database.read() as conn:
        row = str(conn.execute(sa.select(table)).one())
    for token in (PAIR.access, PAIR.refresh):
        assert token is not None
        assert token not in row
        assert token not in f"{grant!r} {grant.opened(store.sealer)!r}"


def test_opened_tokens_are_known_to_the_log(store: Store) -> None:
    """A token that was opened is masked from then on."""
    pair = Tokens("access-" + "x1" * 20, "refresh-" + "x2" * 20)
    grant = saved(store, an_account(store), replace(ISSUE, tokens=pair))
    grant.opened(store.sealer)
    assert pair.access not in redact(f"found {pair.access}")
    assert str(pair.refresh) not in redact(f"found {pair.refresh}")


def test_sealed_tokens_open_in_their_own_row_only(store: Store) -> None:
    """Tokens copied to another account, or into the other column, do not open."""
    sandra, tom = an_account(store), an_account(store, "tom")
    saved(store, sandra)
    saved(store, tom)
    with store.database.write() as conn:
        stolen = sa.select(table.c.access_sealed, table.c.refresh_sealed)
        access, refresh = conn.execute(stolen.where(table.c.account_id == sandra.id)).one()
        here = sa.update(table).where(table.c.account_id == tom.id)
        conn.execute(here.values(access_sealed=access, refresh_sealed=refresh))
        swap = sa.update(table).where(table.c.account_id == sandra.id)
        conn.execute(swap.values(access_sealed=refresh, refresh_sealed=access))
    for account in (sandra, tom):
        with pytest.raises(SettingsError, match="cannot be opened"):
            found(store, account).opened(store.sealer)


def test_state_can_be_read_without_the_key(store: Store) -> None:
    """How a grant stands is told even when the key is another; only the tokens stay shut."""
    account = an_account(store)
    saved(store, account)
    grant = found(store, account)
    assert grant.state is State.ALIVE
    with pytest.raises(SettingsError):
        grant.opened(Sealer(["another key that is long enough too"]))


def test_a_new_pair_takes_the_place_of_the_old(store: Store) -> None:
    """Saving again clears words, tries and waits of the pair before."""
    account = an_account(store)
    grant = saved(store, account)
    with store.database.write() as conn:
        grants.settle(conn, grant, State.UNCLEAR, "No answer.", open_tries=1, retry_at=5)
    saved(store, account, replace(ISSUE, tokens=Tokens("another-access", "another-refresh")))
    grant = found(store, account)
    assert (grant.state, grant.state_words, grant.open_tries) == (State.ALIVE, None, 0)
    assert grant.retry_at is None


def test_settling_spares_a_newer_pair(store: Store) -> None:
    """Bad news about a pair that was replaced meanwhile does not stick to the new one."""
    account = an_account(store)
    old = saved(store, account)
    saved(store, account, replace(ISSUE, tokens=Tokens("another-access", "another-refresh")))
    with store.database.write() as conn:
        grants.settle(conn, old, State.NEEDED, "Refused.")
    assert found(store, account).state is State.ALIVE


def test_grant_without_refresh_token(store: Store) -> None:
    """A grant that cannot be renewed is kept, settled and opened like any other."""
    account = an_account(store)
    grant = saved(store, account, replace(ISSUE, tokens=Tokens("only-an-access-token", None)))
    with store.database.write() as conn:
        grants.settle(conn, grant, State.NEEDED, "It ended.")
    grant = found(store, account)
    assert (grant.state, grant.state_words) == (State.NEEDED, "It ended.")
    assert grant.opened(store.sealer).refresh is None


def test_history_is_private_and_newest_first(store: Store) -> None:
    """Each account sees its own lines; the owner sees those of the installation as well."""
    sandra, tom = an_account(store), an_account(store, "tom")
    with store.database.write() as conn:
        grants.record(conn, sandra.id, Event.CONNECTED, origin="PIN", token="ab")
        grants.record(conn, tom.id, Event.CONNECTED)
        grants.record(conn, None, Event.SPENT, token="cd")
        grants.record(conn, sandra.id, Event.REFUSED, words="No.")
    with store.database.read() as conn:
        mine = [line.event for line in grants.history(conn, sandra)]
        theirs = [line.event for line in grants.history(conn, tom)]
    assert mine == [Event.REFUSED, Event.SPENT, Event.CONNECTED]
    assert theirs == [Event.CONNECTED]


def test_history_stays_after_the_tokens_are_gone(store: Store) -> None:
    """Forgetting a grant forgets the tokens, not what happened."""
    account = an_account(store)
    saved(store, account)
    with store.database.write() as conn:
        grants.record(conn, account.id, Event.DISCONNECTED)
        grants.remove(conn, account.id)
    with store.database.read() as conn:
        assert grants.find(conn, account.id) is None
        assert [line.event for line in grants.history(conn, account)] == [Event.DISCONNECTED]


def test_history_does_not_grow_for_ever(store: Store) -> None:
    """Only the newest lines of an account stay; other accounts' lines are not counted."""
    sandra, tom = an_account(store), an_account(store, "tom")
    with store.database.write() as conn:
        grants.record(conn, tom.id, Event.CONNECTED)
        for number in range(grants.KEPT_EVENTS + 30):
            grants.record(conn, sandra.id, Event.PUT_OFF, words=str(number))
    with store.database.read() as conn:
        kept = grants.history(conn, sandra, limit=1000)
        assert len(grants.history(conn, tom)) == 1
    assert [line.words for line in kept[:2]] == ["229", "228"]
    assert len(kept) == grants.KEPT_EVENTS


def test_a_spent_token_stays_spent(store: Store) -> None:
    """What was spent from the environment is remembered, also when its account goes."""
    account = an_account(store)
    with store.database.write() as conn:
        grants.record(conn, None, Event.SPENT, token="abcd")
        grants.record(conn, account.id, Event.CONNECTED, token="ef")
        accounts.remove(conn, account.id)
        assert grants.is_spent(conn, "abcd")
        assert not grants.is_spent(conn, "ef")
        assert conn.scalar(sa.select(sa.func.count()).select_from(grant_events)) == 1
        grants.unspend(conn, "abcd")
        assert not grants.is_spent(conn, "abcd")


def test_durable_save_reaches_another_connection(database: Database, tmp_path: Path) -> None:
    """A pair that was committed is there for another process at once."""
    store = Store(database, Sealer(["a key that only this test uses, long"]), tmp_path)
    account = an_account(store)
    saved(store, account)
    other = Database(database.url.render_as_string(hide_password=False))
    try:
        with other.read() as conn:
            grant = grants.find(conn, account.id)
        assert grant is not None
        assert grant.opened(store.sealer) == PAIR
    finally:
        other.close()

"""API tokens: made once, kept as a digest, found by it, and worth nothing when removed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from watchbook import clock
from watchbook.errors import InputError
from watchbook.redaction import redact
from watchbook.store import accounts, tokens
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.schema import tokens as table


@pytest.fixture
def sandra(store: Store) -> Account:
    """An account on each database."""
    with store.database.write() as conn:
        return accounts.add(conn, "sandra")


def test_a_token_is_found_by_itself_and_by_nothing_near_it(store: Store, sandra: Account) -> None:
    """The token leads to its account; every other text leads nowhere."""
    with store.database.write() as conn:
        made = tokens.add(conn, sandra, "blog")
        found = tokens.find(conn, made)
        assert found is not None
        assert (found.account_id, found.name, found.used_at) == (sandra.id, "blog", None)
        for wrong in ("", "wb_", made[:-1], made + "a", made.upper(), "wb_\udc00", "a\0b"):
            assert tokens.find(conn, wrong) is None


def test_only_a_digest_is_kept(store: Store, sandra: Account) -> None:
    """No column of the row holds the token, and a second one differs from the first."""
    with store.database.write() as conn:
        made = tokens.add(conn, sandra, "blog")
        other = tokens.add(conn, sandra, "phone")
        kept = str(conn.execute(sa.select(table)).all())
    assert made.startswith("wb_")
    assert len(made) == len("wb_") + 43
    assert made != other
    assert made not in kept
    assert made.removeprefix("wb_") not in kept


def test_a_removed_token_is_worth_nothing(store: Store, sandra: Account) -> None:
    """After the removal it is not found, and its name is free again."""
    with store.database.write() as conn:
        made = tokens.add(conn, sandra, "blog")
        tokens.remove(conn, sandra, "blog")
        assert tokens.find(conn, made) is None
        assert tokens.add(conn, sandra, "blog") != made


def test_a_token_of_somebody_else_is_not_removed(store: Store, sandra: Account) -> None:
    """Names of tokens are those of one account."""
    with store.database.write() as conn:
        tom = accounts.add(conn, "tom")
        made = tokens.add(conn, sandra, "blog")
        with pytest.raises(InputError, match="tom has no token called blog"):
            tokens.remove(conn, tom, "blog")
        assert tokens.find(conn, made) is not None


def test_tokens_go_with_their_account(store: Store, sandra: Account) -> None:
    """Whoever is removed leaves no open door."""
    with store.database.write() as conn:
        made = tokens.add(conn, sandra, "blog")
        accounts.remove(conn, sandra.id)
        assert tokens.find(conn, made) is None


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "\x1b[2J", "x" * 61])
def test_a_name_that_cannot_be_read_aloud_is_refused(
    store: Store, sandra: Account, name: str
) -> None:
    """Names are shown in terminals and pages."""
    with pytest.raises(InputError), store.database.write() as conn:
        tokens.add(conn, sandra, name)


def test_a_use_is_noted_once_an_hour(store: Store, sandra: Account) -> None:
    """The first use counts, the next one after an hour."""
    with store.database.write() as conn:
        made = tokens.add(conn, sandra, "blog")
    start = clock.now()
    for passed, wanted in ((0, True), (59, False), (60, True)):
        moment = start + timedelta(minutes=passed)
        with time_machine.travel(moment, tick=False), store.database.write() as conn:
            found = tokens.find(conn, made)
            assert found is not None
            assert tokens.is_used_anew(found) is wanted
            if wanted:
                tokens.note_use(conn, found)


def test_logs_know_tokens_by_their_prefix(store: Store, sandra: Account) -> None:
    """A token is masked wherever it turns up, also one that another process made."""
    stranger = "wb_" + "a1B2-_" * 7 + "x"
    with store.database.write() as conn:
        made = tokens.add(conn, sandra, "blog")
    for told in (made, stranger):
        assert told not in redact(f"somebody asked with {told} for plays")
        assert told[10:] not in redact(f"https://x.example/?q={told}")

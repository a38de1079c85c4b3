"""Checks of one account by what is stored: sign-in, copy, backups. They change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from watchbook import clock
from watchbook import grants as services
from watchbook.checkup.check import Check, ok, problem, warning
from watchbook.errors import SettingsError
from watchbook.overview import moment, newest_backup, unread_of
from watchbook.store import datasets, grants
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.datasets import DataSetState
from watchbook.store.grants import Grant, State
from watchbook.store.opening import WRONG_KEY_HINT, Store
from watchbook.trakt.auth import App

OLD_BACKUP = timedelta(days=14)


def about(what: str, account: Account) -> str:
    """The name of a check of one account."""
    return f"{what} of {account.name}"


def check_tokens(account: Account, grant: Grant, store: Store) -> Check:
    """Whether the key in force opens the sealed tokens."""
    try:
        grant.opened(store.sealer)
    except SettingsError as reason:
        return problem(about("tokens", account), reason.message, WRONG_KEY_HINT)
    return ok(about("tokens", account), "open with the key in force")


def check_app(account: Account, grant: Grant, app: App | None) -> Check:
    """Whether the app in force is the one that the sign-in was made with."""
    name = about("app", account)
    if app is None or app.client_id != grant.client_id:
        return problem(
            name,
            f"the sign-in was made with another one ({grant.client_id}), and cannot be renewed",
            f"Put that one back, or `watchbook --account {account.name} connect`",
        )
    return ok(name, "the one that the sign-in was made with")


def check_sign_in(account: Account, grant: Grant | None) -> Check:
    """Whether the sign-in is kept alive, by what is written down about it."""
    name = about("sign-in", account)
    if account.locked:
        return problem(name, account.locked, "Write to support@trakt.tv.")
    if grant is None:
        connect = f"`watchbook --account {account.name} connect`"
        return warning(name, "not connected to Trakt", f"{connect}, or import Trakt's export ZIPs")
    words = services.warning(grant, account.name)
    if words is None:
        return ok(name, f"{grant.state}, until {moment(grant.expires_at)}")
    remedy = f"`watchbook --account {account.name} connect`"
    if grant.state is State.NEEDED:
        return problem(name, words, remedy)
    return warning(name, words, f"`watchbook connect --refresh`; when that fails, {remedy}")


def check_data_sets(database: Database, account: Account) -> Check:
    """Whether the copy holds all that Trakt claims, by the last sync."""
    name = about("data sets", account)
    with database.read() as conn:
        states = datasets.all_states(conn, account.id)
        remedy = _reading(account, states, signed_in=grants.find(conn, account.id) is not None)
    partial = [one.name for one in states.values() if one.state == datasets.INCOMPLETE]
    unread = unread_of(states)
    if not states:
        return warning(name, "nothing was read yet", remedy)
    if partial or unread:
        told = [f"incomplete: {', '.join(partial)}"] if partial else []
        told += [f"{len(unread)} not read yet"] if unread else []
        return warning(name, "; ".join(told), f"{remedy}; `watchbook status` says more")
    return ok(name, f"{clock.counted(len(states), 'data set')}, none incomplete")


def _reading(account: Account, states: Mapping[str, DataSetState], *, signed_in: bool) -> str:
    """The command that reads again; who is not signed in has exports only."""
    command = f"watchbook --account {account.name} {'sync' if signed_in else 'import FILE'}"
    if not signed_in and any(state.held for state in states.values()):
        return f"`{command} --accept-removals` with the last export, if what is lacking may go"
    return f"`{command}`"


def check_backup(database: Database, account: Account, home: Path) -> Check:
    """Whether there is a good backup whose bytes were read back not too long ago."""
    name, remedy = about("backup", account), f"`watchbook --account {account.name} backup`"
    with database.read() as conn:
        newest = newest_backup(conn, account, home)
    if newest is None:
        return warning(name, "none that is good", remedy)
    if newest.gone:
        return warning(name, f"{newest.name}: its file is gone", remedy)
    age = clock.now() - newest.proven_at
    words = f"{newest.name}, proven whole {clock.in_words(age)} ago"
    return warning(name, words, remedy) if age > OLD_BACKUP else ok(name, words)

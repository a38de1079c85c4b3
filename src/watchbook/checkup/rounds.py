"""The doctor's rounds: which checks there are, in an order in which one explains the next.

A check that meets what nobody thought of reports that, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from watchbook.checkup import book, machine, remote
from watchbook.checkup.book import about
from watchbook.checkup.check import Check, State, guarded, ok, problem
from watchbook.connecting import Installation, app_of
from watchbook.errors import StoreError
from watchbook.http import Answer, HttpClient
from watchbook.redaction import redact
from watchbook.seal import KEY_FILE, load_sealer
from watchbook.settings import Settings
from watchbook.store import accounts, grants
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.grants import Grant
from watchbook.store.opening import SCHEMA_VERSION, Store, schema_version

Books = list[tuple[Account, Grant | None]]


def rounds(settings: Settings, http: HttpClient | None) -> Iterator[Check]:
    """Every check; without ``http`` nothing is asked over the network."""
    yield guarded("settings", lambda: machine.check_spelling(settings))
    yield guarded("home folder", lambda: machine.check_home(settings.home))
    yield guarded("disk space", lambda: machine.check_room(settings.home))
    yield guarded("secret key", lambda: machine.check_key_file(settings))
    database = _opened(settings)
    if isinstance(database, Check):
        yield database
        yield from _without_store(settings, http)
        return
    try:
        yield from _with_store(settings, database, http)
    finally:
        database.close()


def _opened(settings: Settings) -> Database | Check:
    """The database, or why there is none; a missing file is not made."""
    url = settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return ok("database", "not there yet; the first command makes it")
    try:
        return Database(url)
    except (StoreError, sa.exc.SQLAlchemyError) as reason:
        remedy = "Check WATCHBOOK_DATABASE_URL with `watchbook config`."
        return problem("database", redact(str(reason)), remedy)


def _without_store(settings: Settings, http: HttpClient | None) -> Iterator[Check]:
    yield guarded("time zones", lambda: machine.check_zones([]))
    if http is not None:
        yield from _trakt(settings, http, settings.trakt_app[0])


def _with_store(settings: Settings, database: Database, http: HttpClient | None) -> Iterator[Check]:
    schema = guarded("database", lambda: machine.check_schema(database))
    yield schema
    if schema.state is State.OK:
        yield guarded("integrity", lambda: machine.check_integrity(database))
    if schema.state is not State.OK or schema_version(database) != SCHEMA_VERSION:
        yield from _without_store(settings, http)
        return
    with database.read() as conn:
        books = [(one, grants.find(conn, one.id)) for one in accounts.all_accounts(conn)]
    yield guarded("time zones", lambda: machine.check_zones(one.timezone for one, _ in books))
    if http is not None and not books:
        yield from _trakt(settings, http, settings.trakt_app[0])
    for account, grant in books:
        yield from _about(settings.home, database, account, grant)
        if grant is not None:
            yield from _with_grant(settings, database, http, account, grant)


def _about(
    home: Path, database: Database, account: Account, grant: Grant | None
) -> Iterator[Check]:
    sign_in, copy, backup = (about(what, account) for what in ("sign-in", "data sets", "backup"))
    yield guarded(sign_in, lambda: book.check_sign_in(account, grant))
    yield guarded(copy, lambda: book.check_data_sets(database, account))
    yield guarded(backup, lambda: book.check_backup(database, account, home))


def _with_grant(
    settings: Settings,
    database: Database,
    http: HttpClient | None,
    account: Account,
    grant: Grant,
) -> Iterator[Check]:
    """What can be tried with a grant: opening it, and asking Trakt with it."""
    name = about("tokens", account)
    if settings.secret_keys is None and not (settings.home / KEY_FILE).exists():
        yield problem(name, "sealed, and the key is gone", "Put back your copy of secret.key.")
        return
    opening = guarded(name, lambda: book.check_tokens(account, grant, _store(settings, database)))
    yield opening
    if http is not None and opening.state is State.OK:
        installation = Installation(_store(settings, database), settings, http)
        yield guarded(
            about("app", account),
            lambda: book.check_app(account, grant, app_of(installation, account)),
        )
        yield from _trakt(settings, http, grant.client_id)
        yield guarded(about("token", account), lambda: _try_token(installation, account, grant))


def _store(settings: Settings, database: Database) -> Store:
    return Store(database, load_sealer(settings.home, settings.secret_keys), settings.home)


def _try_token(installation: Installation, account: Account, grant: Grant) -> Check:
    token = grant.opened(installation.store.sealer).access
    api_url = installation.settings.trakt_api_url
    return remote.check_token(
        account, remote.ask(installation.http, api_url, grant.client_id, token)
    )


def _trakt(settings: Settings, http: HttpClient, client_id: str | None) -> Iterator[Check]:
    """Trakt without a token: is it there, does it know the app, what time is it there."""
    answers: list[Answer] = []

    def look() -> Check:
        answers.append(remote.ask(http, settings.trakt_api_url, client_id))
        return remote.check_app(answers[0], client_id)

    yield guarded("Trakt", look, "Check the network of this machine.")
    if answers:
        yield guarded("clock", lambda: remote.check_clock(answers[0]))

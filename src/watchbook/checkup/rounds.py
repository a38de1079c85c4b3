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
from watchbook.checkup.lettering import check_fonts
from watchbook.checkup.pictures import check_pictures
from watchbook.checkup.places import check_places
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


def rounds(settings: Settings, http: HttpClient | None) -> Iterator[Check]:
    """Every check; without ``http`` nothing is asked over the network."""
    yield guarded("settings", lambda: machine.check_spelling(settings))
    yield guarded("home folder", lambda: machine.check_home(settings.home))
    yield guarded("disk space", lambda: machine.check_room(settings.home))
    yield guarded("secret key", lambda: machine.check_key_file(settings))
    outside = _Outside(settings, http) if http is not None else None
    database = _opened(settings)
    if isinstance(database, Check):
        yield database
        yield from _without_store(settings, outside)
        return
    try:
        yield from _with_store(settings, database, outside)
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


def _without_store(settings: Settings, outside: _Outside | None) -> Iterator[Check]:
    yield guarded("time zones", lambda: machine.check_zones([]))
    if outside is not None:
        yield from outside.checks(settings.trakt_app[0])
    yield from check_pictures(settings, outside.http if outside else None, None)


def _with_store(
    settings: Settings, database: Database, outside: _Outside | None
) -> Iterator[Check]:
    schema = guarded("database", lambda: machine.check_schema(database))
    yield schema
    if schema.state is State.OK:
        yield guarded("integrity", lambda: machine.check_integrity(database))
    if schema.state is not State.OK or schema_version(database) != SCHEMA_VERSION:
        yield from _without_store(settings, outside)
        return
    with database.read() as conn:
        books = [(one, grants.find(conn, one.id)) for one in accounts.all_accounts(conn)]
    yield guarded("time zones", lambda: machine.check_zones(one.timezone for one, _ in books))
    if outside is not None and not books:
        yield from outside.checks(settings.trakt_app[0])
    for account, grant in books:
        yield from _about(settings.home, database, account, grant)
        if account.owner:
            yield from check_places(settings, database, account, outside=outside is not None)
        if grant is not None:
            yield from _with_grant(settings, database, outside, account, grant)
    yield from check_pictures(settings, outside.http if outside else None, database)


def _about(
    home: Path, database: Database, account: Account, grant: Grant | None
) -> Iterator[Check]:
    sign_in, copy, backup = (about(what, account) for what in ("sign-in", "data sets", "backup"))
    yield guarded(sign_in, lambda: book.check_sign_in(account, grant))
    yield guarded(copy, lambda: book.check_data_sets(database, account))
    yield guarded(backup, lambda: book.check_backup(database, account, home))
    with database.read() as conn:
        fonts = check_fonts(conn, account)
    if fonts is not None:
        yield fonts


def _with_grant(
    settings: Settings,
    database: Database,
    outside: _Outside | None,
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
    if outside is not None and opening.state is State.OK:
        installation = Installation(_store(settings, database), settings, outside.http)
        yield guarded(
            about("app", account),
            lambda: book.check_app(account, grant, app_of(installation, account)),
        )
        yield from outside.checks(grant.client_id)
        yield outside.check_token(installation, account, grant)


def _store(settings: Settings, database: Database) -> Store:
    return Store(database, load_sealer(settings.home, settings.secret_keys), settings.home)


class _Outside:
    """Trakt as the rounds find it: an app is asked about once, an outage told once."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._settings = settings
        self.http = http
        self._states: dict[str | None, State] = {}
        self._away = False

    def checks(self, client_id: str | None) -> Iterator[Check]:
        """Trakt without a token: is it there, does it know the app, what time is it there."""
        if self._away or client_id in self._states:
            return
        answers: list[Answer] = []

        def look() -> Check:
            answers.append(remote.ask(self.http, self._settings.trakt_api_url, client_id))
            return remote.check_app(answers[0], client_id)

        found = guarded("Trakt", look, "Check the network of this machine.")
        self._states[client_id], self._away = found.state, not answers
        yield found
        if answers:
            yield guarded("clock", lambda: remote.check_clock(answers[0]))

    def check_token(self, installation: Installation, account: Account, grant: Grant) -> Check:
        """Whether Trakt takes the token; where it is away or refuses all, that is not asked."""
        name = about("token", account)
        if self._away or self._states.get(grant.client_id) is not State.OK:
            return ok(name, "not checked, because of what is said about Trakt")
        return guarded(name, lambda: self._try_token(installation, account, grant))

    def _try_token(self, installation: Installation, account: Account, grant: Grant) -> Check:
        token = grant.opened(installation.store.sealer).access
        api_url = self._settings.trakt_api_url
        return remote.check_token(account, remote.ask(self.http, api_url, grant.client_id, token))

"""Connecting an account with Trakt: whose consent it is, keeping it, giving it up.

A consent is worth something only for the account of the Trakt user who gave it. So every new
pair is tried first (one read of the user's settings), and one of another user is handed back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from watchbook import clock
from watchbook.errors import (
    AccountLocked,
    AuthorisationNeeded,
    InputError,
    RateLimited,
    RemoteError,
    RemoteUnavailable,
    StoreBusy,
    WatchbookError,
)
from watchbook.http import HttpClient
from watchbook.logs import logger
from watchbook.seal import fingerprint
from watchbook.settings import Settings
from watchbook.steps import step
from watchbook.store import accounts, due, grants, leases
from watchbook.store.accounts import PROVISIONAL, Account
from watchbook.store.database import Database
from watchbook.store.grants import Event, Issue, Tokens
from watchbook.store.opening import Store
from watchbook.trakt.auth import App, AuthServer, TokenPair
from watchbook.trakt.identity import Identity, identify

CONNECTED_APPS = "https://app.trakt.tv/settings/apps/connected"
LONGEST_REFRESH = 150.0
"""Seconds that others wait: longer than a request may take."""
_LOOK_EVERY = 0.1
_PAUSES = (2.0, 5.0)
_LONGEST_WAIT = 60.0
"""Seconds before a new consent is tried again, unless Trakt names others; and the most of them."""


@dataclass(frozen=True)
class Installation:
    """What the services around grants work with."""

    store: Store
    settings: Settings
    http: HttpClient

    def auth_server(self, app: App) -> AuthServer:
        """Trakt's authorisation server, asked on behalf of ``app``."""
        return AuthServer(self.http, self.settings.trakt_auth_url, app)

    def identify(self, app: App, access: str) -> Identity:
        """The Trakt user to whom ``access`` belongs; raises as that function does."""
        return whose(self.http, self.settings, app, access)


def whose(http: HttpClient, settings: Settings, app: App, access: str) -> Identity:
    """The Trakt user to whom ``access`` belongs.

    Raises as ``identify`` does, and AccountLocked when Trakt has locked that user's account.
    """
    try:
        return identify(http, settings.trakt_api_url, app, access)
    except RemoteError as reason:
        if reason.status != 423:
            raise
        raise AccountLocked(
            "Trakt has locked or deactivated this account (423).",
            hint="Write to support@trakt.tv; when it is unlocked, connect again.",
        ) from None


def asked_patiently(
    ask: Callable[[], Identity], *, sleep: Callable[[float], None] = clock.sleep
) -> Identity:
    """What ``ask`` answers, asked up to three times: a new consent is worth waiting a minute for.

    Raises as ``ask`` does, and at once when Trakt asks for a longer wait.
    """
    for pause in _PAUSES:
        try:
            return ask()
        except RemoteUnavailable as reason:
            wait = reason.retry_after if isinstance(reason, RateLimited) else None
            wait = pause if wait is None else wait
            if wait > _LONGEST_WAIT:
                raise
            told = f"Asked again in {clock.in_words(timedelta(seconds=wait))}."
            logger("connecting").warning(told, reason=reason.message)
        sleep(wait)
    return ask()


def app_of(installation: Installation, account: Account | None) -> App | None:
    """The Trakt app of an account: the settings' for the owner (or the first), else its own."""
    client_id, client_secret = installation.settings.trakt_app
    if client_id and (account is None or account.owner):
        return App(client_id, client_secret or _stored_secret(installation, account, client_id))
    if account is None or account.client_id is None:
        return None
    return App(account.client_id, _stored_secret(installation, account, account.client_id))


def _stored_secret(
    installation: Installation, account: Account | None, client_id: str
) -> str | None:
    if account is None or account.client_id != client_id or not account.client_secret_sealed:
        return None
    return installation.store.sealer.open(account.client_secret_sealed, account.secret_place)


def issue_of(
    pair: TokenPair, app: App, redirect_uri: str, origin: str, kept: str | None = None
) -> Issue:
    """A pair as the store keeps it; ``kept`` is the refresh token when the pair brings none."""
    return Issue(
        Tokens(pair.access, pair.refresh or kept),
        pair.issued,
        pair.expires,
        app.client_id,
        redirect_uri,
        pair.scope,
        origin,
    )


def connect(
    installation: Installation,
    wanted: str | None,
    app: App,
    issue: Issue,
    *,
    sleep: Callable[[float], None] = clock.sleep,
) -> Account:
    """Test a consent and keep it, for the account called ``wanted`` or the one it belongs to.

    Makes the first account, or one called ``wanted``. Raises AuthorisationNeeded, naming both,
    for the consent of another Trakt user than the account's; that grant is not kept.
    """
    access = issue.tokens.access
    identity = asked_patiently(lambda: installation.identify(app, access), sleep=sleep)
    try:
        with installation.store.database.write(durable=True) as conn:
            account = _account_for(conn, wanted, identity)
            account = _adopt(installation, conn, account, identity, app)
            grants.save(conn, installation.store.sealer, account.id, issue)
            token = fingerprint(issue.tokens.access)
            grants.record(conn, account.id, Event.CONNECTED, origin=issue.origin, token=token)
            due.hasten(conn, account.id, "sync", clock.to_millis(clock.now()))
    except (AuthorisationNeeded, InputError) as reason:
        _refuse(installation, wanted, identity, app, issue, reason)
        raise
    step("connect.committed")
    return account


def _refuse(
    installation: Installation,
    wanted: str | None,
    identity: Identity,
    app: App,
    issue: Issue,
    reason: WatchbookError,
) -> None:
    """Hand back a consent that is not kept, and write that down.

    A user who has a living grant here under the same app keeps the stray one: a server may end
    all grants of user and app together when one is revoked.
    """
    with installation.store.database.write() as conn:
        known = accounts.of_user(conn, identity.slug, identity.uuid)
        theirs = grants.find(conn, known.id) if known else None
        concerned = accounts.find(conn, wanted) if wanted else None
        whose, words = concerned.id if concerned else None, reason.message
        grants.record(conn, whose, Event.STRANGER, origin=issue.origin, words=words)
    if theirs is None or theirs.client_id != app.client_id:
        _hand_back(installation, app, issue.tokens)


def _account_for(conn: sa.Connection, wanted: str | None, identity: Identity) -> Account:
    """The account that a consent of ``identity`` is for."""
    known = accounts.all_accounts(conn)
    theirs = accounts.of_user(conn, identity.slug, identity.uuid)
    if wanted is None and theirs is None and len(known) > 1:
        raise _stranger(identity, " or ".join(a.name for a in known))
    target = accounts.find(conn, wanted) if wanted else theirs or next(iter(known), None)
    if theirs is not None and (target is None or target.id != theirs.id):
        raise _stranger(identity, wanted or "", belongs=theirs.name)
    if target is None:
        return accounts.add(conn, accounts.name_for(wanted, identity.slug))
    if target.trakt_slug is not None and not target.is_of(identity.slug, identity.uuid):
        raise _stranger(identity, f"{target.name} (Trakt user {target.trakt_slug})")
    return target


def _stranger(identity: Identity, account: str, belongs: str | None = None) -> AuthorisationNeeded:
    whose = f", who has the account {belongs} here" if belongs else ""
    return AuthorisationNeeded(
        f"The consent was given by the Trakt user {identity.slug}{whose}, "
        f"but the account is {account}. It was not kept.",
        hint="Sign in to Trakt as the right user in that browser and connect again, or give "
        "another user a book of their own: `watchbook --account NAME connect`.",
    )


def _adopt(
    installation: Installation,
    conn: sa.Connection,
    account: Account,
    identity: Identity,
    app: App,
) -> Account:
    """Write down who the account is at Trakt, and its app."""
    values: dict[str, Any] = {"trakt_slug": identity.slug, "trakt_uuid": identity.uuid}
    values["timezone"] = account.timezone or identity.timezone
    values["client_id"] = app.client_id
    if app.client_secret:
        sealed = installation.store.sealer.seal(app.client_secret, account.secret_place)
        values["client_secret_sealed"] = sealed
    name = accounts.name_from(identity.slug)
    if account.trakt_slug is None and account.name == PROVISIONAL:
        values["name"] = name if accounts.find(conn, name) is None else account.name
    accounts.change(conn, account.id, **values)
    return accounts.get(conn, account.id)


def _hand_back(installation: Installation, app: App, tokens: Tokens) -> None:
    """Revoke what is not wanted; that it fails is worth a line in the log, no more."""
    try:
        revoke(installation, app, tokens)
    except WatchbookError as reason:
        logger("grants").warning("a stray grant could not be revoked", reason=reason.message)


def revoke(installation: Installation, app: App, tokens: Tokens) -> None:
    """Take both tokens back at Trakt; one that it does not know any more is no error."""
    server = installation.auth_server(app)
    for token in filter(None, (tokens.refresh, tokens.access)):
        with suppress(AuthorisationNeeded):
            server.revoke(token)


def disconnect(installation: Installation, account: Account) -> str | None:
    """Revoke the account's grant and forget it; what was kept of the history stays.

    Returns what the person still has to do, when Trakt could not be told. Raises InputError
    when there is no grant.
    """
    database = installation.store.database
    with token_lease(database, account.id, f"disconnecting {account.name}"):
        with database.read() as conn:
            grant = grants.find(conn, account.id)
        if grant is None:
            raise InputError(
                f"{account.name} is not connected to Trakt.", hint="There is nothing to forget."
            )
        problem = _revoked(installation, account, grant)
        with database.write(durable=True) as conn:
            grants.remove(conn, account.id)
            token = grant.access_fingerprint
            grants.record(conn, account.id, Event.DISCONNECTED, token=token, words=problem)
    return problem


@contextmanager
def token_lease(database: Database, owner: int | str, purpose: str) -> Iterator[None]:
    """Be the only one who changes the tokens of ``owner`` (an account's id, or a name).

    Waits while another process does. Raises StoreBusy when it takes longer than any refresh.
    """
    with ExitStack() as stack:
        waited = 0.0
        while True:
            try:
                stack.enter_context(leases.holding(database, f"refresh:{owner}", purpose))
                break
            except StoreBusy:
                if waited >= LONGEST_REFRESH:
                    raise
            clock.sleep(_LOOK_EVERY)
            waited += _LOOK_EVERY
        yield


def _revoked(installation: Installation, account: Account, grant: grants.Grant) -> str | None:
    app = app_of(installation, account)
    try:
        if app is None:
            raise AuthorisationNeeded("The app is not known any more.")
        revoke(installation, app, grant.opened(installation.store.sealer))
    except WatchbookError as reason:
        return (
            f"Trakt could not be told ({reason.message}) "
            f"Remove the app yourself at {CONNECTED_APPS}."
        )
    return None


def introduced(installation: Installation, account: Account) -> Account:
    """Learn whose grant it is that came without an introduction; hand back a stranger's.

    While Trakt is away the account keeps its provisional name.
    """
    store = installation.store
    with store.database.read() as conn:
        grant = grants.find(conn, account.id)
    app = app_of(installation, account)
    if grant is None or app is None:
        return account
    tokens = grant.opened(store.sealer)
    try:
        identity = installation.identify(app, tokens.access)
    except RemoteUnavailable:
        return account
    if account.trakt_slug is not None and not account.is_of(identity.slug, identity.uuid):
        stranger = _stranger(identity, f"{account.name} (Trakt user {account.trakt_slug})")
        _hand_back(installation, app, tokens)
        with store.database.write(durable=True) as conn:
            grants.remove(conn, account.id)
            grants.record(conn, account.id, Event.STRANGER, words=stranger.message)
        raise stranger
    with store.database.write(durable=True) as conn:
        return _adopt(installation, conn, account, identity, app)

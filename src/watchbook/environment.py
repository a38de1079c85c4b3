"""The refresh token that the environment holds: swapped, once for ever, for a grant of our own."""

from __future__ import annotations

from watchbook.connecting import Installation, app_of, introduced, issue_of, token_lease
from watchbook.errors import AuthorisationNeeded, OutcomeUnknown, RemoteError, WatchbookError
from watchbook.seal import fingerprint
from watchbook.steps import step
from watchbook.store import accounts, grants
from watchbook.store.accounts import PROVISIONAL, Account
from watchbook.store.grants import Event
from watchbook.trakt.auth import PIN_REDIRECT, App, TokenPair

_ORIGIN = "environment"


def account_or_first(installation: Installation, name: str | None) -> Account:
    """The account to work on; where there is none, one from the environment's refresh token.

    Raises InputError when it is not clear which, AuthorisationNeeded when there is none.
    """
    with installation.store.database.read() as conn:
        known = accounts.all_accounts(conn)
    if known or installation.settings.trakt_refresh_token is None:
        with installation.store.database.read() as conn:
            account = accounts.choose(conn, name)
        unnamed = account.name == PROVISIONAL and account.trakt_slug is None
        return introduced(installation, account) if unnamed else account
    return spend_environment_token(installation, None)


def may_use_environment(installation: Installation) -> bool:
    """Whether the environment holds a token, and there is nobody else it could belong to."""
    if installation.settings.trakt_refresh_token is None:
        return False
    with installation.store.database.read() as conn:
        return len(accounts.all_accounts(conn)) <= 1


def spend_environment_token(installation: Installation, account: Account | None) -> Account:
    """Swap the environment's refresh token, once and for ever, into a grant of our own.

    It is written down as spent before it is sent, and its successor is kept before it is used.
    Raises AuthorisationNeeded when it was spent before or is refused.
    """
    token = installation.settings.trakt_refresh_token
    app = app_of(installation, account)
    if token is None or app is None:
        raise AuthorisationNeeded(
            "WATCHBOOK_TRAKT_REFRESH_TOKEN needs WATCHBOOK_TRAKT_CLIENT_ID and _CLIENT_SECRET.",
            hint="Set all three, or run `watchbook connect`.",
        )
    with token_lease(installation.store.database, _ORIGIN, "the first sign-in"):
        _note_spent(installation, token)
        step("environment.noted")
        pair = _swapped(installation, app, token)
        step("environment.answered")
        issue = issue_of(pair, app, PIN_REDIRECT, _ORIGIN)
        with installation.store.database.write(durable=True) as conn:
            account = account or accounts.add(conn, PROVISIONAL, client_id=app.client_id)
            grants.save(conn, installation.store.sealer, account.id, issue)
            kept = fingerprint(pair.access)
            grants.record(conn, account.id, Event.CONNECTED, origin=_ORIGIN, token=kept)
        step("environment.committed")
    return introduced(installation, account)


def _note_spent(installation: Installation, token: str) -> None:
    with installation.store.database.write(durable=True) as conn:
        if grants.is_spent(conn, fingerprint(token)):
            raise AuthorisationNeeded(
                "WATCHBOOK_TRAKT_REFRESH_TOKEN was used before, and such a token works once.",
                hint="Run `watchbook connect`, or `watchbook connect --print-token` on your own "
                "computer and put the new token into the host's environment.",
            )
        grants.record(conn, None, Event.SPENT, origin=_ORIGIN, token=fingerprint(token))


def _swapped(installation: Installation, app: App, token: str) -> TokenPair:
    try:
        return installation.auth_server(app).refresh(token)
    except WatchbookError as reason:
        untouched = isinstance(reason, RemoteError) and not isinstance(reason, OutcomeUnknown)
        event = Event.KEPT if untouched else Event.REFUSED
        if isinstance(reason, OutcomeUnknown):
            event = Event.UNCLEAR
        with installation.store.database.write(durable=True) as conn:
            if untouched:
                grants.unspend(conn, fingerprint(token))
            grants.record(conn, None, event, origin=_ORIGIN, words=reason.message)
        raise

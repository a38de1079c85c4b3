"""``watchbook connect`` and ``watchbook disconnect``: the door to Trakt.

What a person has to read or answer goes to standard error, so that standard output holds the
result alone.
"""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchbook.cli.asking import hidden
from watchbook.errors import InputError, RateLimited, RemoteUnavailable, WatchbookError

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.connecting import Installation
    from watchbook.settings import Settings
    from watchbook.store.accounts import Account
    from watchbook.store.grants import Issue
    from watchbook.trakt.auth import App, AuthServer, TokenPair


@click.command()
@click.option(
    "--code",
    "pin",
    is_flag=False,
    flag_value="",
    metavar="[PIN]",
    help="Sign in with a PIN that a page of Trakt's shows; asks for it unless given.",
)
@click.option(
    "--refresh",
    "only_refresh",
    is_flag=True,
    help="Only keep the sign-in alive, without a word unless there is trouble; for cron.",
)
@click.option(
    "--print-token",
    is_flag=True,
    help="Print a refresh token for a host's environment, once, and store nothing.",
)
@click.pass_obj
def connect(context: Context, pin: str | None, *, only_refresh: bool, print_token: bool) -> None:
    """Sign in to Trakt.

    Example: watchbook connect
    """
    if sum((pin is not None, only_refresh)) > 1 or (only_refresh and print_token):
        raise InputError(
            "--refresh goes with no other option.", hint="Example: watchbook connect --refresh"
        )
    if only_refresh:
        _keep_alive(context)
        return
    try:
        (_print_token if print_token else _sign_in)(context, pin)
    except (RateLimited, RemoteUnavailable) as reason:
        reason.hint = "Nothing was kept of this sign-in; do it again later."
        raise


@click.command(short_help="Give the permission back to Trakt; the history stays.")
@click.pass_obj
def disconnect(context: Context) -> None:
    """Give the permission back to Trakt and forget it; the history stays.

    Example: watchbook disconnect
    """
    from watchbook import connecting

    account = context.account()
    problem = connecting.disconnect(context.installation, account)
    if problem is not None:
        _tell(problem)
    context.say(f"{account.name} is disconnected; what was stored stays.")
    if context.json:
        context.answer({"account": account.name, "connected": False, "problem": problem})


def _tell(text: str = "") -> None:
    click.echo(text, err=True)


def _sign_in(context: Context, pin: str | None) -> None:
    from watchbook import connecting
    from watchbook.trakt.auth import AppRefused

    installation = context.installation
    app = connecting.app_of(installation, _present(context))
    try:
        issue, app = _consent(installation, app or _ask_app(context.settings), pin)
    except AppRefused as reason:
        if app is None or context.settings.trakt_app[0]:
            raise
        _tell(f"{reason.message} Give another app:")
        issue, app = _consent(installation, _ask_app(context.settings), pin)
    account = connecting.connect(installation, context.account_name, app, issue)
    context.say(f"Connected: the Trakt user {account.trakt_slug}, as account {account.name}.")
    context.say("Next: watchbook sync")
    if context.json:
        context.answer({"account": account.name, "user": account.trakt_slug, "connected": True})


def _present(context: Context) -> Account | None:
    """The account that will be renewed, if it is here already; raises InputError for several."""
    from watchbook.store import accounts

    with context.store.database.read() as conn:
        known = accounts.all_accounts(conn)
    if context.account_name is not None:
        named = next((a for a in known if a.name == context.account_name), None)
        if named is None:
            accounts.checked_name(context.account_name)  # before anybody is asked for a consent
        return named
    with context.store.database.read() as conn:
        return accounts.choose(conn, None) if known else None


def _consent(installation: Installation, app: App, pin: str | None) -> tuple[Issue, App]:
    from watchbook.connecting import issue_of
    from watchbook.trakt.auth import PIN_REDIRECT

    server = installation.auth_server(app)
    pair = _tokens(server, pin)
    origin = "device code" if pin is None else "PIN"
    return issue_of(pair, app, PIN_REDIRECT, origin), app


def _tokens(server: AuthServer, pin: str | None) -> TokenPair:
    return _by_device(server) if pin is None else _by_pin(server, pin)


def _ask_app(settings: Settings) -> App:
    """Ask for the app's id and secret, after saying where they come from."""
    from watchbook.trakt.auth import PIN_REDIRECT, App
    from watchbook.trakt.refusals import REGISTER_APP, ZIP_DOOR

    _tell("Watchbook reads your Trakt account through an app of your own.")
    _tell(f"  1. Register one at {REGISTER_APP} (Trakt asks for VIP membership).")
    _tell("  2. Put these two lines into its field of redirect URIs:")
    _tell(f"       {PIN_REDIRECT}")
    _tell(f"       {settings.base_url}/trakt/callback")
    _tell("  3. Copy its client id and client secret here; the secret is not shown.")
    _tell(ZIP_DOOR)
    try:
        client_id = click.prompt("Client id", err=True).strip()
        client_secret = hidden("Client secret")
    except click.Abort as stopped:
        if not isinstance(stopped.__context__, EOFError):
            raise
        raise InputError(
            "The app's client id is asked for, and standard input ended before its answer.",
            hint="Run it in a terminal, or set WATCHBOOK_TRAKT_CLIENT_ID and "
            "WATCHBOOK_TRAKT_CLIENT_SECRET.",
        ) from None
    return App(client_id, client_secret or None)


def _by_device(server: AuthServer) -> TokenPair:
    from watchbook.redaction import tame

    code = server.start_device()
    if sys.stderr.isatty():
        _tell(_qr_code(code.address))
    _tell(f"Open {tame(code.address)} and enter the code {tame(code.user_code)}")
    _tell("Waiting for you there, until Ctrl-C or the code's end ...")
    return server.poll_device(code)


def _qr_code(address: str) -> str:
    import segno

    drawing = io.StringIO()
    segno.make(address, micro=False).terminal(drawing, compact=True, border=2)
    return drawing.getvalue()


def _by_pin(server: AuthServer, pin: str) -> TokenPair:
    from watchbook.pkce import make_pkce
    from watchbook.trakt.auth import PIN_REDIRECT

    # A PIN given on the command line was shown before there was a verifier of ours.
    pkce = None if pin or server.app.client_secret else make_pkce()
    if not pin:
        _tell("Open this page, agree, and copy the PIN that it shows:")
        _tell(f"  {server.authorize_url(PIN_REDIRECT, pkce=pkce)}")
        pin = hidden("PIN")
    return server.exchange_code(pin.strip(), PIN_REDIRECT, pkce=pkce)


def _print_token(context: Context, pin: str | None) -> None:
    from watchbook.connecting import asked_patiently, whose
    from watchbook.trakt.auth import App, AuthServer

    if not sys.stdout.isatty():
        raise InputError(
            "--print-token shows a secret, so it writes to a terminal only.",
            hint="Run it without a pipe or redirection, and copy the token from the screen.",
        )
    settings = context.settings
    client_id, client_secret = settings.trakt_app
    app = App(client_id, client_secret) if client_id else _stored_app(context)
    app = app or _ask_app(settings)
    pair = _tokens(AuthServer(context.http, settings.trakt_auth_url, app), pin)
    if pair.refresh is None:
        raise InputError(
            "Trakt gave no refresh token.", hint="Sign in with `watchbook connect` on the host."
        )
    user = asked_patiently(lambda: whose(context.http, settings, app, pair.access))
    _tell(f"A refresh token of the Trakt user {user.slug}. It works once, in one place:")
    _tell("put it into the host's environment as WATCHBOOK_TRAKT_REFRESH_TOKEN.")
    click.echo(pair.refresh)


def _stored_app(context: Context) -> App | None:
    """The app that the account was connected with, if there is one; nothing is made for it."""
    from watchbook import connecting

    url = context.settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    with suppress(WatchbookError):  # then it is asked for
        return connecting.app_of(context.installation, _present(context))
    return None


def _keep_alive(context: Context) -> None:
    """Refresh what is due; every account is tried before the first trouble is raised."""
    from watchbook.grants import TokenSource

    installation = context.installation
    refreshed, troubles = {}, []
    for account in _to_refresh(context, installation):
        try:
            refreshed[account.name] = TokenSource(installation, account.id).refresh()
        except WatchbookError as reason:
            troubles.append(reason)
    if context.json:
        context.answer({"refreshed": refreshed})
    for trouble in troubles[1:]:
        _tell(trouble.message)
    if troubles:
        raise troubles[0]


def _to_refresh(context: Context, installation: Installation) -> list[Account]:
    """The named account or the only one; where there are several, all that are connected."""
    from watchbook.environment import account_or_first
    from watchbook.store import accounts, grants

    with context.store.database.read() as conn:
        known = accounts.all_accounts(conn)
        connected = [a for a in known if grants.find(conn, a.id) is not None]
    if context.account_name is None and len(known) > 1:
        return connected
    return [account_or_first(installation, context.account_name)]

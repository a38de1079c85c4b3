"""Connecting a website and parting with it: signing in there, keeping its token, giving it back.

Nothing is kept before the site has said who signed in and its owner's page has confirmed it. For
a token that somebody brings along the site's own Micropub endpoint has to take it; who its owner
is stays unproven then. A site that is connected again keeps its queue and its rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from watchbook.clock import now
from watchbook.connecting import Installation
from watchbook.errors import (
    AuthorisationNeeded,
    RemoteRejected,
    RemoteUnavailable,
    SettingsError,
)
from watchbook.http import HttpClient
from watchbook.indieauth.addresses import is_loopback, profile_url
from watchbook.indieauth.discovery import discover, micropub_of, rejected
from watchbook.indieauth.document import Client, client_at, client_document
from watchbook.indieauth.endpoints import SignIn
from watchbook.indieauth.flow import Pending, start
from watchbook.indieauth.identity import SignedIn, complete
from watchbook.indieauth.tokens import SiteToken, back_on_failure, give_back, not_told
from watchbook.micropub.client import Micropub
from watchbook.micropub.outcome import Kind as Ending
from watchbook.store import leases, media, sites
from watchbook.store.accounts import Account
from watchbook.store.sites import Kind, Site, SiteState

SCOPES = ("create", "update", "delete", "undelete", "media", "profile")

_NO_MICROPUB = (
    "The site needs a Micropub endpoint, named in its page: WordPress has a plugin for it, and "
    "Indiekit gives one to sites that are built from files."
)
_PASSING = {Ending.DOWN, Ending.SLOW_DOWN, Ending.UNKNOWN}


@dataclass(frozen=True)
class Begun:
    """A sign-in under way: where the person agrees, and what is kept until the answer comes."""

    address: str
    pending: Pending


@dataclass(frozen=True)
class Joined:
    """A site that is connected; ``renewed`` when it was here before."""

    site: Site
    renewed: bool


def is_at_home(installation: Installation) -> bool:
    """Whether Watchbook is seen from this machine alone, as on a laptop."""
    return is_loopback(urlsplit(installation.settings.base_url).hostname or "")


def own_document(installation: Installation) -> bytes | None:
    """What websites are told about Watchbook; None where no website would accept it."""
    try:
        client = client_at(installation.settings.base_url)
    except SettingsError:
        return None
    return client_document(client, scope=" ".join(SCOPES))


def check_name(conn: sa.Connection, account: Account, address: str, name: str) -> None:
    """Raise InputError for a name that a site on another host has: before anybody signs in.

    The same host may be the same site, which is signed in to again.
    """
    host = urlsplit(profile_url(address, loopback=True)).hostname
    for site in sites.all_sites(conn, account.id):
        if site.name == name and urlsplit(site.me or "").hostname != host:
            raise sites.name_taken(name)


def begin(installation: Installation, address: str, redirect_uri: str | None = None) -> Begun:
    """Find out where the owner of ``address`` signs in, and begin.

    Without ``redirect_uri`` the browser ends at Watchbook's own address. Raises InputError for
    what is no address, SettingsError, RemoteUnavailable, RemoteRejected and RemoteChanged.
    """
    loopback = is_at_home(installation)
    client = client_at(installation.settings.base_url)
    if redirect_uri is not None:
        client = Client(client.client_id, redirect_uri, client.uri)
    profile = profile_url(address, loopback=loopback)
    found = discover(installation.http.naming_hosts(), profile, loopback=loopback)
    return Begun(*start(found, client, SCOPES, now=now()))


def finish(
    installation: Installation, account: Account, begun: Begun, query: str, name: str | None = None
) -> Joined:
    """Redeem the answer in the callback's query and keep the site, from now on.

    Raises SignInFailed, RemoteRejected for a site without Micropub, AuthorisationNeeded when no
    leave to post was given, InputError for a name that is taken.
    """
    http, loopback = installation.http.naming_hosts(), is_at_home(installation)
    signed = complete(http, begun.pending, query, now=now(), loopback=loopback)
    with back_on_failure(http, signed.endpoints, signed.token):
        endpoint = _endpoint(signed)
        sign_in = SignIn(begun.pending.client_id, signed.endpoints)
        return _keep(installation, account, name, signed.me, endpoint, signed.token, sign_in)


def by_token(
    installation: Installation, account: Account, address: str, token: str, name: str | None = None
) -> Joined:
    """Connect a site with a token that its owner has made there.

    Raises as :func:`begin` does, and AuthorisationNeeded when the site does not take it.
    """
    me = profile_url(address, loopback=is_at_home(installation))
    endpoint = micropub_of(installation.http.naming_hosts(), me)
    if endpoint is None:
        raise _takes_no_posts(me)
    _check_token(installation.http.naming_hosts(), endpoint, token)
    kept = SiteToken(token, "create", now())
    client_id = client_at(installation.settings.base_url).client_id
    return _keep(installation, account, name, me, endpoint, kept, SignIn(client_id))


def part(installation: Installation, site: Site) -> str | None:
    """Give the token back and forget a site; its posts stay where they are.

    Returns what its owner still has to do, when the site could not be told. Raises StoreBusy.
    """
    store = installation.store
    with leases.holding(store.database, f"site:{site.id}", f"the removal of {site.name}") as lease:
        with store.database.read() as conn:
            site = sites.get(conn, site.id)
        told = _give_back(installation, site)
        with lease.write(durable=True) as conn:
            sites.remove(conn, site.id)
    return None if told else not_told(site.endpoint)


def _endpoint(signed: SignedIn) -> str:
    if signed.micropub is None:
        raise _takes_no_posts(signed.me)
    if not signed.token.may_post:
        raise AuthorisationNeeded(
            f"{signed.me} gave leave for {signed.token.scope or 'nothing'}, and not to post.",
            hint="Sign in again and let Watchbook create posts.",
        )
    return signed.micropub


def _takes_no_posts(me: str) -> RemoteRejected:
    return rejected(me, f"{me} takes no posts by Micropub", _NO_MICROPUB)


def _check_token(http: HttpClient, endpoint: str, token: str) -> None:
    outcome = Micropub(http, endpoint, token).test()
    if outcome.good:
        return
    host = urlsplit(endpoint).hostname or "the site"
    status = f" (status {outcome.status})" if outcome.status else ""
    said = f"{status}: {outcome.words}" if outcome.words else f"{status}."
    if outcome.kind in _PASSING:
        raise RemoteUnavailable(f"{host} could not check the token{said}", service=host)
    if outcome.kind in {Ending.SIGN_IN, Ending.MORE_SCOPE}:
        raise AuthorisationNeeded(
            f"{host} does not accept the token{said}", hint="Make a new one there, for Micropub."
        )
    raise RemoteRejected(f"{host} does not answer as a Micropub endpoint{said}", service=host)


def _keep(
    installation: Installation,
    account: Account,
    name: str | None,
    me: str,
    endpoint: str,
    token: SiteToken,
    sign_in: SignIn,
) -> Joined:
    """Make the site, or renew the one that is known by the same ``me``."""
    store = installation.store
    values = {"me": me, "sign_in": msgspec.json.encode(sign_in).decode()}
    with store.database.read() as conn:
        known = sites.all_sites(conn, account.id)
    present = next((site for site in known if site.me == me), None)
    if present is not None:
        _renew(installation, present, token, {**values, "endpoint": endpoint})
    with store.database.write(durable=True) as conn:
        if present is not None:
            return Joined(sites.get(conn, present.id), renewed=True)
        wanted = name or _free_name(me, {site.name for site in known})
        made = sites.add(conn, account, wanted, Kind.MICROPUB, endpoint, **values)
        sites.seal_token(conn, store.sealer, made.id, msgspec.json.encode(token).decode())
        return Joined(sites.get(conn, made.id), renewed=False)


def _renew(
    installation: Installation, site: Site, token: SiteToken, values: dict[str, str]
) -> None:
    store = installation.store
    with (
        leases.holding(store.database, f"site:{site.id}", f"a sign-in with {site.name}") as lease,
        lease.write(durable=True) as conn,
    ):
        sites.change(conn, site.id, **values)
        sites.seal_token(conn, store.sealer, site.id, msgspec.json.encode(token).decode())
        sites.set_state(conn, site.id, SiteState.WORKING, failures=0, retry_at=None)
        media.try_again(conn, site.id)


def _free_name(me: str, taken: set[str]) -> str:
    """The host's name, with a number when there are more sites on it."""
    host = urlsplit(me).hostname or "site"
    names = [host, *(f"{host}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _give_back(installation: Installation, site: Site) -> bool:
    """Give the tokens of a site back; whether the site took them."""
    sealed = site.token(installation.store.sealer)
    sign_in = msgspec.json.decode(site.sign_in, type=SignIn) if site.sign_in else None
    if sealed is None:
        return True
    if sign_in is None or sign_in.endpoints is None:
        return False
    token = msgspec.json.decode(sealed, type=SiteToken)
    return give_back(installation.http.naming_hosts(), sign_in.endpoints, token)

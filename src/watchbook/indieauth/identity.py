"""The end of a sign-in: whoever the server says it is has to be confirmed by their own page.

On a host that many people share one server signs all of them in, and some servers put into a
token whatever address they were asked for. So a ``me`` counts when it was met on the way from the
address typed, or when its own page names the same authorization endpoint (IndieAuth, 5.4).
Nobody is signed in, and nothing is stored, before that.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from watchbook.errors import InputError, WatchbookError
from watchbook.http import HttpClient
from watchbook.indieauth.addresses import profile_url
from watchbook.indieauth.discovery import Discovered, discover
from watchbook.indieauth.endpoints import Endpoints
from watchbook.indieauth.flow import Pending, code_in
from watchbook.indieauth.refusals import failed, host_of
from watchbook.indieauth.tokens import Profile, SiteToken, back_on_failure, redeem


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody who has proved to be ``me`` (canonical: the key of their account)."""

    me: str
    token: SiteToken
    profile: Profile
    endpoints: Endpoints
    micropub: str | None


def complete(
    http: HttpClient, pending: Pending, query: str, *, now: datetime, loopback: bool = False
) -> SignedIn:
    """Read the query of the callback, redeem its code and verify who it is.

    Raises SignInFailed, whatever it was that failed; a token of nobody's is given back.
    """
    redeemed = redeem(http, pending, code_in(query, pending, now=now), now=now)
    endpoints = pending.found.endpoints
    with back_on_failure(http, endpoints, redeemed.token):
        me = _canonical(redeemed.me, pending, loopback=loopback)
        found = verify(http, pending.found, me, loopback=loopback)
    return SignedIn(me, redeemed.token, redeemed.profile, endpoints, found.micropub)


def verify(http: HttpClient, found: Discovered, me: str, *, loopback: bool = False) -> Discovered:
    """What the page of ``me`` says, once it is sure that the server may speak for it.

    Raises SignInFailed when the server that was asked is not the one that the page names.
    """
    if me in found.seen:
        return found
    try:
        theirs = discover(http, me, loopback=loopback)
    except WatchbookError as reason:
        raise failed(
            f"{host_of(found.typed)} says that you are {me}, and that cannot be confirmed: "
            f"{reason.message}"
        ) from None
    if theirs.endpoints.authorization != found.endpoints.authorization:
        raise failed(
            f"{host_of(found.typed)} says that you are {me}, but that page names another server "
            "to sign in with.",
            "Sign in with the address of a page that is your own.",
        )
    return theirs


def _canonical(me: str, pending: Pending, *, loopback: bool) -> str:
    try:
        return profile_url(me, loopback=loopback)
    except InputError as reason:
        raise failed(
            f"{host_of(pending.found.typed)} names somebody whose address {reason.message}",
            "The site's IndieAuth software has to be updated.",
        ) from None

"""From the page where somebody types their address to the code that their site sends back.

Between the two a :class:`Pending` is kept, on our side and bound to the browser; whoever keeps it
sees to it that it is used once.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import msgspec

from watchbook.indieauth.discovery import Discovered
from watchbook.indieauth.document import Client
from watchbook.indieauth.refusals import START_AGAIN, SignInFailed, failed, host_of
from watchbook.pkce import Pkce, make_pkce
from watchbook.redaction import secret
from watchbook.remarks import shown
from watchbook.urls import appended

LIFETIME = timedelta(minutes=10)

_STATE_BYTES = 24
"""They make 32 characters, and django-indieweb refuses a longer state."""
_MOST_FIELDS = 50
_ONCE = ("error", "state", "iss", "code")


class Pending(msgspec.Struct, frozen=True):
    """A sign-in under way. ``verifier`` is a secret; ``started`` is a moment in UTC."""

    state: str
    verifier: str
    found: Discovered
    client_id: str
    redirect_uri: str
    scope: str
    started: datetime

    def __repr__(self) -> str:
        """Say whose it is, and no secret."""
        return f"Pending({self.found.typed!r}, started={self.started})"

    def lapsed(self, now: datetime) -> bool:
        """Whether it is too late for an answer."""
        return not timedelta(0) <= now - self.started <= LIFETIME


def start(
    found: Discovered, client: Client, scopes: Iterable[str], *, now: datetime
) -> tuple[str, Pending]:
    """The address to send the browser to, and what to keep until it comes back.

    ``scopes`` are such as ``create``; without any the site tells who somebody is and no more.
    """
    pkce, scope = make_pkce(), " ".join(scopes)
    state = secret(secrets.token_urlsafe(_STATE_BYTES))
    pending = Pending(
        state, pkce.verifier, found, client.client_id, client.redirect_uri, scope, now
    )
    return _request(pending, pkce), pending


def code_in(query: str, pending: Pending, *, now: datetime) -> str:
    """The code in the query of a callback.

    Raises SignInFailed when the site said no, or the answer is late, incomplete, for another
    sign-in or from another server.
    """
    given = _read(query)
    host = host_of(pending.found.typed)
    if "error" in given:  # perhaps somebody else's words: shown, and believed by nobody
        raise _refused(host, given)
    state = given.get("state", "").encode(errors="replace")
    if not hmac.compare_digest(state, pending.state.encode()):
        raise failed("The answer belongs to another sign-in than the one that began here.")
    if pending.lapsed(now):
        raise failed(f"{host} answered too late: a sign-in ends after ten minutes.")
    _check_issuer(given.get("iss"), pending)
    code = given.get("code")
    if not code:
        raise failed(f"{host} sent no code.")
    return secret(code)


def _request(pending: Pending, pkce: Pkce) -> str:
    query = {
        "response_type": "code",
        "client_id": pending.client_id,
        "redirect_uri": pending.redirect_uri,
        "state": pending.state,
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
        "scope": pending.scope,
        # Optional in the specification; servers refuse requests, or their own tokens, without it.
        "me": pending.found.me,
    }
    given = {name: value for name, value in query.items() if value}
    return appended(pending.found.endpoints.authorization, given)


def _read(query: str) -> dict[str, str]:
    """The fields of a callback; those that decide may stand there once."""
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise failed("The answer holds too much to be one.") from None
    if any(len(found.get(name, ())) > 1 for name in _ONCE):
        raise failed("The answer says the same thing twice.")
    return {name: values[0] for name, values in found.items()}


def _refused(host: str, given: dict[str, str]) -> SignInFailed:
    said = ": ".join(filter(None, (given["error"], given.get("error_description"))))
    if given["error"] == "access_denied":
        return failed("The sign-in was refused on the site's page.", START_AGAIN)
    return failed(f"{host} did not sign you in ({shown(said)[:200]}).")


def _check_issuer(given: str | None, pending: Pending) -> None:
    """Refuse an answer that another server sent (RFC 9207).

    One slash at the end may differ, since servers get it wrong. Without a metadata document there
    is nothing to compare with.
    """
    issuer = pending.found.endpoints.issuer
    if issuer is None:
        return
    host = host_of(pending.found.typed)
    if given is None:
        raise failed(f"{host} does not say who answers (`iss` is missing).", _ISS)
    if given.removesuffix("/") != issuer.removesuffix("/"):
        raise failed(f"The answer comes from another server than the one of {host}.", _ISS)


_ISS = f"{START_AGAIN} If it happens again, the site's IndieAuth software has to be updated."

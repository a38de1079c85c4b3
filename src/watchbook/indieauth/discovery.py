"""Finding out where somebody signs in and where their posts go (IndieAuth, section 4.1).

The metadata document comes first. Only a page that names none is asked for the two endpoints
themselves: to fall back from a broken document would lose the check of ``iss``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from watchbook.errors import InputError, RemoteRejected
from watchbook.http import Answer, HttpClient
from watchbook.indieauth import fetching
from watchbook.indieauth.addresses import is_loopback, profile_url
from watchbook.indieauth.endpoints import Endpoints
from watchbook.indieauth.links import first_link
from watchbook.indieauth.refusals import failed, host_of
from watchbook.urls import absolute, is_https, origin

_SET_UP = (
    "The site needs IndieAuth: a plugin such as IndieAuth for WordPress, or links to a "
    "sign-in server in its pages."
)


class Discovered(msgspec.Struct, frozen=True):
    """What the page of ``typed`` (canonical) told.

    ``me`` is the address after redirects that last; ``seen`` holds every address on the way, all
    canonical. ``micropub`` is None when the site takes no posts.
    """

    typed: str
    me: str
    seen: tuple[str, ...]
    endpoints: Endpoints
    micropub: str | None = None


def discover(http: HttpClient, profile: str, *, loopback: bool = False) -> Discovered:
    """Read the page at ``profile`` (canonical) and, if it names one, the metadata document.

    Raises RemoteUnavailable for a site that cannot or may not be reached, RemoteRejected when
    the page does not say where to sign in or what it says does not hold, RemoteChanged for
    documents that are too large or no JSON.
    """
    answer = fetching.page(http, profile)
    secure = _is_secure(profile, answer)
    return Discovered(
        profile,
        _known(answer.settled, loopback=loopback) or profile,
        _seen(profile, answer, loopback=loopback),
        _endpoints(http, answer, profile, secure=secure),
        _micropub(answer, profile, secure=secure),
    )


def micropub_of(http: HttpClient, me: str) -> str | None:
    """Where the page of ``me`` has posts sent to, whether or not one can sign in there.

    Raises RemoteUnavailable, RemoteRejected and RemoteChanged.
    """
    answer = fetching.page(http, me)
    return _micropub(answer, me, secure=_is_secure(me, answer))


def moved_to(http: HttpClient, me: str, endpoint: str) -> str:
    """Where the Micropub endpoint of ``me`` is now, for a token that was given for ``endpoint``.

    Raises SignInFailed when the site takes no posts any more, or elsewhere than before: a token is
    not sent to a server that a page names perhaps for an hour only. Raises as :func:`micropub_of`.
    """
    found = micropub_of(http, me)
    if found is None:
        raise failed(
            f"{host_of(me)} does not say any more where posts go.", f"Check the site. {_SET_UP}"
        )
    if origin(found) != origin(endpoint):
        raise failed(
            f"{host_of(me)} takes posts at {host_of(found)} now, which Watchbook has no token for.",
            "Sign in with this site again.",
        )
    return found


def rejected(profile: str, what: str, hint: str = _SET_UP) -> RemoteRejected:
    """The error for a site whose page or document does not hold what it should."""
    return RemoteRejected(f"{what}.", service=host_of(profile), address=profile, hint=hint)


def checked(profile: str, name: str, url: str, *, secure: bool) -> str:
    """``url`` when it may serve as the endpoint ``name``; raises RemoteRejected."""
    if secure and not is_https(url):
        raise rejected(
            profile, f"The {name} of {host_of(profile)} is not protected by https: {url}"
        )
    return url


def endpoints_in(
    document: Mapping[str, Any], source: str, profile: str, *, secure: bool
) -> Endpoints:
    """The endpoints of a metadata document that was found at ``source``.

    Raises RemoteRejected when the issuer is not one for this document, or an endpoint is missing
    or not protected.
    """

    def named(member: str) -> str | None:
        value = document.get(member)
        found = absolute(value, source) if isinstance(value, str) and value else None
        return found and checked(profile, member, found, secure=secure)

    issuer = document.get("issuer")
    if not isinstance(issuer, str) or not _is_issuer(issuer, source):
        raise rejected(
            profile,
            f"The sign-in document {source} does not name an issuer that it can speak for",
            "`issuer` has to be an https address that the document's own address begins with.",
        )
    authorization, token = named("authorization_endpoint"), named("token_endpoint")
    if authorization is None or token is None:
        raise rejected(
            profile,
            f"The sign-in document {source} lacks the authorization or the token endpoint",
        )
    return Endpoints(authorization, token, named("revocation_endpoint"), issuer)


def _endpoints(http: HttpClient, answer: Answer, profile: str, *, secure: bool) -> Endpoints:
    source = first_link(answer, "indieauth-metadata")
    if source is not None:
        checked(profile, "sign-in document", source, secure=secure)
        return endpoints_in(fetching.document(http, source), source, profile, secure=secure)
    authorization = first_link(answer, "authorization_endpoint")
    token = first_link(answer, "token_endpoint")
    if authorization is None or token is None:
        raise rejected(profile, f"{profile} does not say where to sign in")
    return Endpoints(
        checked(profile, "authorization endpoint", authorization, secure=secure),
        checked(profile, "token endpoint", token, secure=secure),
    )


def _is_secure(profile: str, answer: Answer) -> bool:
    """Whether the page is protected; raises RemoteRejected when only its address was."""
    if is_https(profile) and not is_https(answer.url):
        raise rejected(profile, f"{profile} leads to a page that is not protected by https")
    return is_https(answer.url)


def _micropub(answer: Answer, profile: str, *, secure: bool) -> str | None:
    found = first_link(answer, "micropub")
    return found and checked(profile, "Micropub endpoint", found, secure=secure)


def _is_issuer(issuer: str, source: str) -> bool:
    """Whether ``issuer`` may speak through the document at ``source`` (RFC 8414, section 2).

    Only on this machine does it go without https.
    """
    if absolute(issuer) != issuer or "?" in issuer or "#" in issuer:
        return False
    protected = is_https(issuer) or is_loopback(urlsplit(issuer).hostname or "")
    return protected and source.startswith(issuer) and origin(source) == origin(issuer)


def _seen(profile: str, answer: Answer, *, loopback: bool) -> tuple[str, ...]:
    met = (_known(url, loopback=loopback) for url in (*answer.history, answer.url))
    return tuple(dict.fromkeys([profile, *filter(None, met)]))


def _known(url: str, *, loopback: bool) -> str | None:
    try:
        return profile_url(url, loopback=loopback)
    except InputError:
        return None

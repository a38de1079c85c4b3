"""What goes wrong between a person, their website and us, said so that they can act on it."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

from watchbook.errors import AuthorisationNeeded, RemoteError, RemoteUnavailable
from watchbook.http import Answer
from watchbook.remarks import remark

Kind = TypeVar("Kind", bound=RemoteError)

START_AGAIN = "Start the sign-in again from the beginning."


class SignInFailed(AuthorisationNeeded):
    """The sign-in is over; a new one may go better."""


class GrantEnded(AuthorisationNeeded):
    """The site does not renew the token any more; only its owner can go on, by signing in."""


def failed(message: str, hint: str = START_AGAIN) -> SignInFailed:
    """The end of a sign-in."""
    return SignInFailed(message, hint=hint)


def unreachable(url: str) -> RemoteUnavailable:
    """The error for a site that does not answer, and for one that may not be asked.

    Both read alike, or Watchbook would tell strangers which addresses of its own network answer.
    """
    return RemoteUnavailable(
        f"{host_of(url)} could not be reached.",
        service=host_of(url),
        hint="Check the address. A site on a network of your own has to be named in "
        "WATCHBOOK_ALLOW_HOSTS.",
    )


def about(kind: type[Kind], answer: Answer, message: str, hint: str | None = None) -> Kind:
    """An error of ``kind`` about ``answer``."""
    return kind(
        message,
        service=host_of(answer.url),
        status=answer.status,
        address=answer.address,
        hint=hint,
    )


def described(answer: Answer) -> str:
    """What came, in brackets: ``(status 403, text/html)``."""
    return f"(status {answer.status}, {answer.content_type or 'no type'})"


def words_of(answer: Answer) -> str:
    """The server's own words with a colon before them, or nothing."""
    words = remark(answer).words[:200]
    return f": {words}" if words else ""


def host_of(url: str) -> str:
    """The name by which a person knows a server."""
    return urlsplit(url).hostname or "the site"

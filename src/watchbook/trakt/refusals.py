"""What the answers of Trakt's authorisation server mean when they are not tokens.

HTML comes from Cloudflare, which guards Trakt, and is never read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from watchbook import clock
from watchbook.errors import (
    AuthorisationNeeded,
    OutcomeUnknown,
    RateLimited,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.redaction import redact, tame

if TYPE_CHECKING:
    from watchbook.http import Answer

Kind = TypeVar("Kind", bound=RemoteError)

REGISTER_APP = "https://app.trakt.tv/settings/apps/api/new"
ZIP_DOOR = (
    "Without an app, Trakt's export works: download it at https://app.trakt.tv/settings/data "
    "and run `watchbook import FILE.zip`."
)
_SHORTEST_BLOCK = 900.0
"""Seconds to stay away after a page of Cloudflare's, unless it names a time itself."""

SERVICE = "Trakt"
_MOST_WORDS = 200
_APP_ERRORS = {"invalid_client", "unauthorized_client"}


class GrantRefused(AuthorisationNeeded):
    """The code or refresh token is not accepted: used, expired or revoked."""


class AppRefused(AuthorisationNeeded):
    """Trakt does not know the app (any more), or not with this secret."""


class Refusal(msgspec.Struct):
    """The error object of OAuth (RFC 6749, 5.2)."""

    error: str | None = None
    error_description: str | None = None


def failure(answer: Answer, what: str) -> WatchbookError:
    """The error that an answer other than 200 stands for; ``what`` was sent in.

    A 401 or 403 with JSON or nothing in it is about the app; with HTML, or a line such as
    "error code: 1010", it is Cloudflare's, and nothing of ours got past that.
    """
    refusal = refusal_of(answer)
    error, status = refusal.error or "", answer.status
    page = answer.body and not answer.is_json
    if status == 429 or (status == 403 and page):
        return _come_back_later(answer)
    if status >= 500:
        if answer.retry_after is not None:
            return _come_back_later(answer)
        return remote(RemoteUnavailable, answer, f"Trakt is not available (status {status}).")
    missing_app = "client_id" in (refusal.error_description or "")
    if error in _APP_ERRORS or missing_app or (status in {401, 403} and error != "invalid_grant"):
        return AppRefused(
            f"Trakt does not accept the app{_words(refusal)}.",
            hint="Apps belong to VIP members: when VIP lapses, Trakt deletes them. Check id and "
            f"secret at {REGISTER_APP.removesuffix('/new')}, then run `watchbook connect`. "
            + ZIP_DOOR,
        )
    if error == "invalid_grant":
        return GrantRefused(
            f"Trakt does not accept {what}{_words(refusal)}.",
            hint="Run `watchbook connect` to sign in again.",
        )
    return remote(
        RemoteRejected, answer, f"Trakt refused {what} with status {status}{_words(refusal)}."
    )


def refresh_failure(answer: Answer) -> WatchbookError:
    """The error of a refused refresh; OutcomeUnknown unless the token surely was not used.

    Of what is no clear refusal only 429, a 403 of Cloudflare's and a 503 that says when to come
    back were turned away at the door.
    """
    turned_away = answer.status == 503 and answer.retry_after is not None
    reason = failure(answer, "the refresh token")
    html = isinstance(reason, RemoteRejected) and answer.is_html
    if html or answer.status == 408 or (answer.status >= 500 and not turned_away):
        return answer_lost(answer)
    return reason


def answer_lost(answer: Answer) -> OutcomeUnknown:
    """The error of a refresh whose answer says nothing about the token."""
    return remote(
        OutcomeUnknown,
        answer,
        f"Trakt's answer to the refresh cannot be read (status {answer.status}, "
        f"{answer.content_type or 'no type'}): the token may have been swapped all the same.",
    )


def _come_back_later(answer: Answer) -> RateLimited:
    wait = answer.retry_after
    if answer.is_html:
        wait = max(wait or 0.0, _SHORTEST_BLOCK)
    who = "Cloudflare, which guards Trakt," if answer.is_html else "Trakt"
    when = f"in {clock.in_words(timedelta(seconds=wait))}" if wait else "later"
    return RateLimited(
        f"{who} asks to come back {when} (status {answer.status}).",
        retry_after=wait,
        service=SERVICE,
        status=answer.status,
        address=answer.address,
        hint="Nothing to do: it is tried again later.",
    )


def remote(kind: type[Kind], answer: Answer, message: str) -> Kind:
    """An error of ``kind`` about ``answer``."""
    return kind(message, service=SERVICE, status=answer.status, address=answer.address)


def refusal_of(answer: Answer) -> Refusal:
    """The OAuth error of an answer; an empty one for anything but JSON."""
    if not answer.is_json:
        return Refusal()
    try:
        return msgspec.convert(answer.json(), Refusal)
    except (msgspec.ValidationError, RemoteChanged):
        return Refusal()


def _words(refusal: Refusal) -> str:
    said = ": ".join(filter(None, (refusal.error, refusal.error_description)))
    return f" ({tame(redact(said))[:_MOST_WORDS]})" if said else ""

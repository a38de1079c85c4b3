"""Asking servers that a stranger has named: little, not for long, and without telling much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbook.errors import (
    AddressRefused,
    RateLimited,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
)
from watchbook.http import Answer, HttpClient, Timeouts
from watchbook.indieauth.refusals import about, described, host_of, unreachable

PAGE_BYTES = 1024 * 1024
JSON_BYTES = 64 * 1024

_PATIENCE = Timeouts(connect=5, read=10, total=15)
_WORTH_ANOTHER_TRY = 500
_BLOCKED = (
    "Some sites turn programs away: if yours has a firewall or a bot filter, let "
    "the User-Agent Watchbook pass."
)


def page(http: HttpClient, url: str) -> Answer:
    """Fetch a person's page, following redirects.

    Raises RemoteUnavailable (also when the address may not be connected to), RemoteRejected for
    an answer that is no page, and RemoteChanged for one that is too large.
    """
    answer = _get(http, url, "text/html, application/xhtml+xml;q=0.9, */*;q=0.5", PAGE_BYTES)
    if not 200 <= answer.status < 300:
        raise _no_page(answer, "The page")
    return answer


def document(http: HttpClient, url: str) -> Mapping[str, Any]:
    """Fetch a JSON object. Raises as :func:`page` does, and RemoteChanged for what is no object."""
    answer = _get(http, url, "application/json", JSON_BYTES)
    if answer.status != 200:
        raise _no_page(answer, "The sign-in document")
    found = answer.json()
    if not isinstance(found, Mapping):
        raise about(RemoteChanged, answer, f"{answer.address} is JSON, but not an object.")
    return found


def post(http: HttpClient, url: str, form: Mapping[str, str]) -> Answer:
    """Send a form; a redirect is an answer like any other, for it holds a code or a token.

    Raises RemoteUnavailable when it surely was not sent, OutcomeUnknown when it may have been.
    """
    try:
        return http.request(
            "POST",
            url,
            form=form,
            headers={"Accept": "application/json"},
            timeout=_PATIENCE,
            max_bytes=JSON_BYTES,
        )
    except (AddressRefused, RemoteUnavailable):
        raise unreachable(url) from None


def come_back_later(answer: Answer) -> RemoteUnavailable:
    """The error of an answer that may be another one later (429, 5xx)."""
    host = host_of(answer.url)
    if answer.status != 429:
        message = f"{host} is not available at the moment {described(answer)}."
        return about(RemoteUnavailable, answer, message, "Try again later.")
    return RateLimited(
        f"{host} asks to come back later {described(answer)}.",
        retry_after=answer.retry_after,
        service=host,
        status=answer.status,
        address=answer.address,
        hint="Try again later.",
    )


def _get(http: HttpClient, url: str, accept: str, max_bytes: int) -> Answer:
    try:
        return http.request(
            "GET",
            url,
            headers={"Accept": accept},
            timeout=_PATIENCE,
            follow_redirects=True,
            max_bytes=max_bytes,
        )
    except (AddressRefused, RemoteUnavailable):
        raise unreachable(url) from None


def _no_page(answer: Answer, what: str) -> RemoteError:
    if answer.status == 429 or answer.status >= _WORTH_ANOTHER_TRY:
        return come_back_later(answer)
    message = f"{what} at {answer.address} was not shown to us {described(answer)}."
    return about(RemoteRejected, answer, message, f"Check the address. {_BLOCKED}")

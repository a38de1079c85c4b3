"""Whose token it is: one read of the user's settings, which also tests a new grant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

import msgspec

from watchbook.errors import AuthorisationNeeded, RemoteChanged
from watchbook.http import HttpClient
from watchbook.trakt.auth import App
from watchbook.trakt.refusals import failure


@dataclass(frozen=True)
class Identity:
    """A Trakt user."""

    slug: str
    uuid: str | None
    timezone: str | None


class _Ids(msgspec.Struct):
    slug: str
    uuid: str | None = None


class _User(msgspec.Struct):
    ids: _Ids


class _Place(msgspec.Struct):
    timezone: str | None = None


class _UserSettings(msgspec.Struct):
    user: _User
    account: _Place | None = None


def identify(http: HttpClient, api_url: str, app: App, access: str) -> Identity:
    """Ask Trakt whose token ``access`` is; this is also the test of a grant.

    Raises AuthorisationNeeded when Trakt does not take the token, and the errors of
    :class:`~watchbook.http.HttpClient`.
    """
    address = f"{api_url}/users/settings"
    answer = http.request("GET", address, headers=_headers(app, access))
    if answer.status == 401:
        raise AuthorisationNeeded(
            "Trakt does not take the token that it just gave.",
            hint="Run `watchbook connect` again.",
        )
    if answer.status != 200:
        raise failure(answer, "the new token")
    try:
        found = msgspec.convert(answer.json(), _UserSettings)
    except msgspec.ValidationError as reason:
        raise RemoteChanged(
            f"Trakt's answer about the user has another shape than known: {reason}.",
            service="Trakt",
            status=answer.status,
            address=answer.address,
        ) from None
    zone = found.account.timezone if found.account else None
    return Identity(
        found.user.ids.slug, found.user.ids.uuid, zone if zone in available_timezones() else None
    )


def _headers(app: App, access: str) -> Mapping[str, str]:
    return {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {access}",
        "trakt-api-key": app.client_id,
        "trakt-api-version": "2",
    }

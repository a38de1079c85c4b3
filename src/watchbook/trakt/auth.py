"""Trakt's OAuth: device code, PIN, browser sign-in with PKCE, refresh and revocation.

Every function makes one request on the ``auth`` host and says what the answer means; nothing
is repeated here, and nothing is remembered. The client's id and secret go into the JSON body,
since Trakt takes no HTTP Basic authentication. HTML comes from Cloudflare and is never read.

A refresh token is good for one use. So :meth:`AuthServer.refresh` is exact about three kinds
of failure: the token was not used (transient errors), it was refused (:class:`GrantRefused`),
or nobody knows (:class:`~watchbook.errors.OutcomeUnknown`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec

from watchbook import clock
from watchbook.errors import OutcomeUnknown, RateLimited, RemoteChanged, RemoteUnavailable
from watchbook.pkce import Pkce
from watchbook.redaction import secret
from watchbook.trakt.refusals import (
    AppRefused,
    GrantRefused,
    answer_lost,
    failure,
    refresh_failure,
    refusal_of,
    remote,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watchbook.http import Answer

__all__ = ["App", "AppRefused", "AuthServer", "DeviceCode", "GrantRefused", "TokenPair"]

Shape = TypeVar("Shape", bound=msgspec.Struct)

PIN_REDIRECT = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect of the PIN page; device codes have none, and their refresh names this one."""


class Http(Protocol):
    """The part of :class:`watchbook.http.HttpClient` that is needed here."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Answer:
        """Make one request."""


@dataclass(frozen=True)
class App:
    """A person's own Trakt app."""

    client_id: str
    client_secret: str | None = field(repr=False)

    def __post_init__(self) -> None:
        """Make the secret known to the log, which hides it."""
        if self.client_secret:
            secret(self.client_secret)

    @property
    def credentials(self) -> dict[str, str]:
        """Id and secret as they stand in a request's body."""
        found = {"client_id": self.client_id}
        return found | ({"client_secret": self.client_secret} if self.client_secret else {})


@dataclass(frozen=True)
class TokenPair:
    """An access token and what renews it.

    ``expires_in`` is in seconds from ``created_at`` (seconds since 1970). ``refresh`` is None
    when Trakt sent none: then the one in use stays in use.
    """

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_in: int
    created_at: int
    scope: str | None = None

    def __post_init__(self) -> None:
        """Make both tokens known to the log, which hides them."""
        for token in filter(None, (self.access, self.refresh)):
            secret(token)

    @property
    def issued(self) -> datetime:
        """When the pair was made."""
        return datetime.fromtimestamp(self.created_at, UTC)

    @property
    def expires(self) -> datetime:
        """When the access token ends."""
        return self.issued + timedelta(seconds=self.expires_in)


@dataclass(frozen=True)
class DeviceCode:
    """What a person types in at ``address`` (``user_code``), and what we poll with."""

    device_code: str = field(repr=False)
    user_code: str
    address: str
    expires_in: float
    interval: float


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int
    created_at: int | None = None
    refresh_token: str | None = None
    scope: str | None = None


class _Device(msgspec.Struct):
    device_code: str
    user_code: str
    verification_url: str
    expires_in: float
    interval: float = 5


class AuthServer:
    """Trakt's authorisation server at ``url``, asked on behalf of ``app``."""

    def __init__(self, http: Http, url: str, app: App) -> None:
        self._http = http
        self._url = url
        self.app = app

    def authorize_url(
        self, redirect_uri: str, *, state: str | None = None, pkce: Pkce | None = None
    ) -> str:
        """The page on which the person consents; with the PIN redirect it shows the PIN.

        ``redirect_uri`` is compared letter by letter with what was registered.
        """
        query = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": redirect_uri,
        }
        if state is not None:
            query["state"] = state
        if pkce is not None:
            query |= {"code_challenge": pkce.challenge, "code_challenge_method": "S256"}
        return f"{self._url}/oauth/authorize?{urlencode(query)}"

    def start_device(self) -> DeviceCode:
        """Ask for a device code. Raises as :meth:`exchange_code`."""
        answer = self._post("/oauth/device/code", {"client_id": self.app.client_id})
        if not _ok(answer):
            raise failure(answer, "a device code")
        found = _decoded(answer, _Device)
        secret(found.device_code)
        return DeviceCode(
            found.device_code,
            found.user_code,
            found.verification_url,
            found.expires_in,
            found.interval,
        )

    def poll_device(self, code: DeviceCode) -> TokenPair:
        """Wait until the person has decided about ``code``.

        Raises AuthorisationNeeded when they refused or the code ended without an answer. A
        server that cannot be reached for a while is asked again until the code ends.
        """
        interval = pause = code.interval
        waited = 0.0
        trouble: Exception | None = None
        while waited + pause <= code.expires_in:
            clock.sleep(pause)
            waited += pause
            pause = interval
            try:
                found, trouble = self.ask_device(code), None
            except RateLimited as reason:
                interval += code.interval
                pause, trouble = max(interval, reason.retry_after or 0.0), reason
            except (RemoteUnavailable, OutcomeUnknown) as reason:
                trouble = reason
            else:
                if found is not None:
                    return found
        raise trouble or _device_ended(_DEVICE_ENDS[410])

    def ask_device(self, code: DeviceCode) -> TokenPair | None:
        """Ask once whether the person has decided: the pair, or None while they have not.

        Raises RateLimited when asked too soon (keep a longer interval from then on), and
        AuthorisationNeeded when the code is over or was refused.
        """
        body = {"code": code.device_code, **self.app.credentials}
        answer = self._post("/oauth/device/token", body)
        if _ok(answer):
            return _pair(answer)
        if answer.status == _PENDING and refusal_of(answer).error in _PENDING_WORDS:
            return None
        if answer.status in _DEVICE_ENDS:
            raise _device_ended(_DEVICE_ENDS[answer.status])
        raise failure(answer, "the device code")

    def exchange_code(self, code: str, redirect_uri: str, *, pkce: Pkce | None = None) -> TokenPair:
        """Turn the code of a sign-in, or a PIN, into tokens.

        With ``pkce`` its verifier stands in for the secret. Raises GrantRefused for a code that
        is wrong, used or too old, AppRefused, RateLimited, RemoteUnavailable, RemoteRejected,
        RemoteChanged and OutcomeUnknown.
        """
        secret(code)
        proof = self.app.credentials
        if pkce is not None:
            proof = {"client_id": self.app.client_id, "code_verifier": pkce.verifier}
        answer = self._post(
            "/oauth/token",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                **proof,
            },
        )
        if not _ok(answer):
            raise failure(answer, "the code")
        return _pair(answer)

    def refresh(self, refresh_token: str, redirect_uri: str = PIN_REDIRECT) -> TokenPair:
        """Swap ``refresh_token``, once.

        Raises GrantRefused and AppRefused when it was refused; RateLimited, RemoteUnavailable
        and RemoteRejected when it was not used; OutcomeUnknown when it may have been.
        """
        secret(refresh_token)
        answer = self._post(
            "/oauth/token",
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "redirect_uri": redirect_uri,
                **self.app.credentials,
            },
        )
        if not _ok(answer):
            raise refresh_failure(answer)
        try:
            return _pair(answer)
        except RemoteChanged as reason:
            raise answer_lost(answer) from reason

    def revoke(self, token: str) -> None:
        """Take back the grant that ``token`` belongs to. Raises as :meth:`exchange_code`."""
        answer = self._post("/oauth/revoke", {"token": token, **self.app.credentials})
        if not _ok(answer):
            raise failure(answer, "the token to revoke")

    def _post(self, path: str, body: dict[str, str]) -> Answer:
        headers = {"Accept": "application/json"}
        return self._http.request("POST", self._url + path, headers=headers, json=body)


_PENDING = 400
_PENDING_WORDS = {None, "authorization_pending", "slow_down"}
_DEVICE_ENDS = {
    404: "Trakt does not know this device code.",
    409: "This device code was used already.",
    410: "The device code ended before anybody entered it.",
    418: "The sign-in was refused on Trakt's page.",
}


def _ok(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _device_ended(words: str) -> GrantRefused:
    return GrantRefused(words, hint="Run `watchbook connect` again for a new code.")


def _pair(answer: Answer) -> TokenPair:
    """Read a token object.

    When Trakt's clock and ours are far apart (more than a quarter of the lifetime), the moment
    of receipt counts: else a wrong clock would refresh at every single call.
    """
    found = _decoded(answer, _Token)
    here = int(clock.now().timestamp())
    issued = here if found.created_at is None else found.created_at
    if abs(issued - here) > found.expires_in / 4:
        issued = here
    return TokenPair(
        found.access_token, found.refresh_token or None, found.expires_in, issued, found.scope
    )


def _decoded(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(answer.json(), shape)
    except msgspec.ValidationError as reason:
        raise remote(
            RemoteChanged, answer, f"Trakt's answer has another shape than known: {reason}."
        ) from None

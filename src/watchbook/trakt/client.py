"""Reading from Trakt's API: headers, retries, and what each status means.

A read that failed for a passing reason is asked again a few times, with the waits that Trakt
names or that its guides advise; everything else becomes an error of our tree at once. What a
status means follows Trakt's guide to status codes (2026-05-19) and to rate limits (2026-10-07).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from watchbook.errors import (
    AccountLocked,
    AuthorisationNeeded,
    NotOffered,
    RateLimited,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
)
from watchbook.http import Answer, HttpClient, Timeouts
from watchbook.redaction import redact, tame
from watchbook.trakt.refusals import SERVICE, ZIP_DOOR
from watchbook.waits import Sleep

_BLOCKED_BY_CLOUDFLARE = 900.0
_OVERLOADED = {502, 503, 504}
_CHANGED = {301, 302, 303, 307, 308, 405, 412}
_PASSING = (408, 429)
_SERVER_ERRORS = 500
Kind = TypeVar("Kind", bound=RemoteError)
_ABSENT = {
    403: "Trakt refuses it to this app (403)",
    404: "Trakt has nothing at that address (404)",
    410: "Trakt has taken it away (410)",
    420: "an account limit is reached (420)",
    426: "it is for Trakt VIP only (426)",
}


class Tokens(Protocol):
    """Where access tokens come from; safe to use from several threads."""

    def current(self) -> str:
        """The access token to use now."""

    def after_401(self, token: str) -> str:
        """Another token, after Trakt refused ``token``; raises AuthorisationNeeded."""


class Budget(Protocol):
    """What lets a read pass."""

    def spend(self) -> None:
        """Take one read, waiting until there is one."""

    def block_for(self, seconds: float) -> None:
        """Let nobody read for that long."""


@dataclass(frozen=True)
class Patience:
    """How often a read is tried, and how long it is waited in between, in seconds.

    ``rate_limited`` are the waits after a 429 without ``Retry-After``; one that asks for more
    than ``longest_asked`` is not waited out.
    """

    tries: int = 4
    first: float = 1.0
    longest: float = 60.0
    overloaded: float = 30.0
    longest_asked: float = 900.0
    rate_limited: tuple[float, ...] = (60.0, 120.0, 240.0)
    timeouts: Timeouts = field(default=Timeouts(connect=10, read=60, total=120))
    sleep: Callable[[float], None] = field(default_factory=Sleep)
    on_wait: Callable[[float, str], None] = field(default=lambda _seconds, _why: None)

    def wait(self, reason: RemoteUnavailable, failed: int) -> float | None:
        """Seconds to wait after the ``failed``-th failure in a row; None means give up."""
        if failed >= self.tries:
            return None
        if isinstance(reason, RateLimited):
            return self._wait_for_leave(reason, failed)
        if reason.status in _OVERLOADED:
            return self.overloaded
        return min(self.longest, self.first * float(2 ** (failed - 1)))

    def _wait_for_leave(self, reason: RateLimited, failed: int) -> float | None:
        if reason.status == 403:  # a block by Cloudflare is not waited out
            return None
        if reason.retry_after is not None:
            wait = reason.retry_after + 1
            return wait if wait <= self.longest_asked else None
        return self.rate_limited[min(failed, len(self.rate_limited)) - 1]


class TraktClient:
    """Reads for one account; several lanes may share it."""

    def __init__(
        self,
        http: HttpClient,
        api_url: str,
        client_id: str,
        *,
        tokens: Tokens,
        budget: Budget,
        patience: Patience | None = None,
    ) -> None:
        self._http = http
        self._api_url = api_url
        self._headers = {
            "Content-Type": "application/json",
            "trakt-api-key": client_id,
            "trakt-api-version": "2",
        }
        self._tokens = tokens
        self._budget = budget
        self._patience = patience or Patience()

    @property
    def requests(self) -> int:
        """How many requests were made so far, those for tokens included."""
        return self._http.requests

    def stop(self) -> None:
        """Wake the lanes that wait to read, and let them end: their run is over."""
        if isinstance(self._patience.sleep, Sleep):
            self._patience.sleep.call_off()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Read ``path``: an answer of status 200 with JSON, or 204 with nothing.

        Raises RemoteUnavailable and RateLimited when patience has run out, NotOffered,
        RemoteRejected, RemoteChanged, AuthorisationNeeded and AccountLocked.
        """
        failed = 0
        while True:
            try:
                return self._once(path, params or {})
            except RemoteUnavailable as reason:
                failed += 1
                wait = self._patience.wait(reason, failed)
                if wait is None:
                    raise
                self._pause(wait, reason)

    def _pause(self, seconds: float, reason: RemoteUnavailable) -> None:
        if isinstance(reason, RateLimited):
            self._budget.block_for(seconds)
        self._patience.on_wait(seconds, reason.message)
        self._patience.sleep(seconds)

    def _once(self, path: str, params: Mapping[str, str | int]) -> Answer:
        token = self._tokens.current()
        answer = self._send(path, params, token)
        if _refuses_token(answer):
            answer = self._send(path, params, self._tokens.after_401(token))
            if _refuses_token(answer):
                raise AuthorisationNeeded(
                    "Trakt does not accept the access token, although it was renewed.",
                    hint="Run `watchbook connect` to sign in again.",
                )
        return _checked(answer)

    def _send(self, path: str, params: Mapping[str, str | int], token: str) -> Answer:
        self._budget.spend()
        return self._http.request(
            "GET",
            self._api_url + path,
            params=dict(params),
            headers={**self._headers, "Authorization": f"Bearer {token}"},
            timeout=self._patience.timeouts,
        )


def _refuses_token(answer: Answer) -> bool:
    """Whether it is about the token; with X-Private-User it is about another person's data."""
    return answer.status == 401 and "x-private-user" not in answer.headers


def _checked(answer: Answer) -> Answer:
    """The answer if it is one to read, else the error that it stands for."""
    status = answer.status
    if status == 204:
        return answer
    if status == 200:
        if answer.is_json and answer.body.strip():
            return answer
        raise _error(
            RemoteUnavailable, answer, "Trakt answered with a page or nothing instead of data."
        )
    if status in _PASSING or status >= _SERVER_ERRORS or _by_cloudflare(answer):
        raise _passing(answer)
    raise _final(answer)


def _by_cloudflare(answer: Answer) -> bool:
    """Whether Cloudflare refused: Trakt itself says 403 in JSON or without a word."""
    return answer.status == 403 and bool(answer.body) and not answer.is_json


def _passing(answer: Answer) -> RemoteUnavailable:
    """The error of an answer that may be another one later."""
    wait = answer.retry_after
    if answer.status in {403, 429} or wait is not None:
        by_cloudflare = answer.is_html or _by_cloudflare(answer)
        if _by_cloudflare(answer):
            wait = max(wait or 0.0, _BLOCKED_BY_CLOUDFLARE)
        who = "Cloudflare, which guards Trakt," if by_cloudflare else "Trakt"
        return RateLimited(
            f"{who} turns our requests away for now (status {answer.status}).",
            retry_after=wait,
            service=SERVICE,
            status=answer.status,
            address=answer.address,
            hint="Wait a quarter of an hour and run it again; what was read is kept.",
        )
    return _error(
        RemoteUnavailable, answer, f"Trakt is not available at present (status {answer.status})."
    )


def _final(answer: Answer) -> Exception:
    """The error of an answer that asking again would not change."""
    status = answer.status
    if status == 423:
        return AccountLocked(
            "Trakt has locked or deactivated this account (423).",
            hint="Write to support@trakt.tv. Watchbook asks nothing more until you run "
            "`watchbook sync --full`; what was kept stays.",
        )
    if status == 401:
        return _error(NotOffered, answer, "its owner keeps it private (401)")
    if status in _ABSENT:
        return _error(NotOffered, answer, _ABSENT[status])
    if status in _CHANGED:
        return _error(
            RemoteChanged,
            answer,
            f"Trakt does not take the request any more (status {status}).",
            "Look for a newer Watchbook.",
        )
    return _error(RemoteRejected, answer, f"Trakt refused (status {status}){_said(answer)}.")


def app_refused(reason: NotOffered) -> AuthorisationNeeded:
    """What a 403 to everything means: the app is gone, or never was approved."""
    return AuthorisationNeeded(
        f"Trakt refuses the app ({reason.message}).",
        hint="Trakt's API needs a VIP membership and an app of one's own: check both at "
        f"https://app.trakt.tv/settings/apps, then run `watchbook connect`. {ZIP_DOOR}",
    )


def _error(kind: type[Kind], answer: Answer, message: str, hint: str | None = None) -> Kind:
    return kind(message, service=SERVICE, status=answer.status, address=answer.address, hint=hint)


def _said(answer: Answer) -> str:
    """The server's own words, when it spoke JSON."""
    if not answer.is_json:
        return ""
    try:
        body = msgspec.json.decode(answer.body, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return ""
    words = body.get("error_description") or body.get("error") or body.get("message")
    return f": {tame(redact(str(words)))[:200]}" if words else ""

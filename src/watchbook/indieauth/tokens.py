"""Tokens of a site: redeeming a code, renewing, revoking; with every shape servers answer in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from watchbook.errors import RemoteChanged, RemoteError, RemoteRejected, WatchbookError
from watchbook.http import Answer, HttpClient
from watchbook.indieauth import fetching
from watchbook.indieauth.endpoints import Endpoints
from watchbook.indieauth.flow import Pending
from watchbook.indieauth.refusals import (
    GrantEnded,
    about,
    described,
    failed,
    host_of,
    words_of,
)
from watchbook.redaction import secret
from watchbook.remarks import decoded, hidden_error, remark
from watchbook.urls import absolute

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_LONGEST_LIFE = timedelta(days=3650)
_LONGEST_SCOPE = 1000
_POSTING = frozenset({"create", "draft", "post"})
_ENDED = frozenset({"invalid_grant", "invalid_token", "invalid_code", "unauthorized", "forbidden"})
_PROFILE = {"name": 200, "url": 2048, "photo": 2048, "email": 254}


class SiteToken(msgspec.Struct, frozen=True):
    """What a site accepts posts with. ``expires`` is None when the site did not tell."""

    access: str
    scope: str
    issued: datetime
    refresh: str | None = None
    expires: datetime | None = None

    def __post_init__(self) -> None:
        """Make both tokens known to the log, which hides them."""
        for token in filter(None, (self.access, self.refresh)):
            secret(token)

    def __repr__(self) -> str:
        """Say everything but the tokens."""
        return f"SiteToken(scope={self.scope!r}, issued={self.issued}, expires={self.expires})"

    @property
    def scopes(self) -> frozenset[str]:
        """What the token may be used for."""
        return frozenset(self.scope.split())

    @property
    def may_post(self) -> bool:
        """Whether posts can be made with it, drafts included."""
        return bool(_POSTING & self.scopes)

    @property
    def makes_drafts(self) -> bool:
        """Whether the site will make drafts of all posts, whatever they say."""
        return "draft" in self.scopes

    @property
    def renew_at(self) -> datetime | None:
        """When to renew it: a little before it ends, a day before the end of a fortnight."""
        if self.expires is None or self.refresh is None:
            return None
        early = (self.expires - self.issued) / 14
        return self.expires - min(max(early, timedelta(minutes=1)), timedelta(days=1))


class Profile(msgspec.Struct, frozen=True):
    """What a site tells about its owner: to be shown, escaped, and to be relied on for nothing."""

    name: str | None = None
    url: str | None = None
    photo: str | None = None
    email: str | None = None


class Redeemed(msgspec.Struct, frozen=True):
    """What a code was worth. ``me`` is what the server says, and is not verified yet."""

    me: str
    token: SiteToken
    profile: Profile


def redeem(http: HttpClient, pending: Pending, code: str, *, now: datetime) -> Redeemed:
    """Turn a code into a token, at the endpoint that was found when the sign-in began.

    A code works once, so every failure ends the attempt: raises SignInFailed. A token that comes
    without saying whose it is is given back.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": pending.client_id,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": pending.verifier,
    }
    try:
        answer = fetching.post(http, pending.found.endpoints.token, form)
    except RemoteError as reason:
        raise failed(reason.message) from None
    found = _members(answer)
    host = host_of(answer.url)
    if not _is_success(answer, found):
        raise failed(f"{host} did not accept the code {described(answer)}{words_of(answer)}.")
    token = _token(found, pending.scope, now)
    if token is None:
        raise failed(f"{host} answered without a token that can be used {described(answer)}.")
    with back_on_failure(http, pending.found.endpoints, token):
        return Redeemed(_whose(found, host), token, _profile(found.get("profile")))


def renew(
    http: HttpClient, endpoint: str, client_id: str, token: SiteToken, *, now: datetime
) -> SiteToken:
    """Swap the refresh token of ``token``; the answer has to be saved before it is used.

    Where the site sends no new one, the old one stays in use. Raises GrantEnded when only
    signing in again helps; RemoteUnavailable and RateLimited when it may be tried again later;
    RemoteRejected and RemoteChanged for answers that mean neither; OutcomeUnknown when the token
    may have been used up and the answer is lost.
    """
    if token.refresh is None:
        raise _ended(endpoint, " for want of a refresh token")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token.refresh,
        "client_id": client_id,
    }
    answer = fetching.post(http, endpoint, form)
    found = _members(answer)
    if not _is_success(answer, found):
        raise _no_renewal(answer)
    renewed = _token(found, token.scope, now)
    if renewed is None:
        message = f"{host_of(answer.url)} renewed the token without sending one"
        raise about(RemoteChanged, answer, f"{message} {described(answer)}.")
    return msgspec.structs.replace(renewed, refresh=renewed.refresh or token.refresh)


def revoke(http: HttpClient, endpoints: Endpoints, token: str) -> bool:
    """Give a token back, as far as the site takes it; say whether it did.

    Without a revocation endpoint the old form goes to the token endpoint.
    """
    form = {"token": token}
    if endpoints.revocation is None:
        form["action"] = "revoke"
    try:
        answer = fetching.post(http, endpoints.revocation or endpoints.token, form)
    except WatchbookError:
        return False
    return 200 <= answer.status < 300


def give_back(http: HttpClient, endpoints: Endpoints, token: SiteToken) -> bool:
    """Give back both tokens of a sign-in; say whether the site took the one that lasts longer.

    A refresh token goes first, and the access token may end with it.
    """
    held = filter(None, (token.refresh, token.access))
    taken = [revoke(http, endpoints, one) for one in held]
    return taken[0]


@contextmanager
def back_on_failure(http: HttpClient, endpoints: Endpoints, token: SiteToken) -> Iterator[None]:
    """Give a token back when the block fails, so that none is left lying about that nobody keeps.

    The reason stays what it was; its hint says so when the site could not be told.
    """
    try:
        yield
    except WatchbookError as reason:
        if not give_back(http, endpoints, token):
            reason.hint = " ".join(filter(None, (reason.hint, not_told(endpoints.token))))
        raise


def not_told(url: str) -> str:
    """What is left to its owner when a site could not be told that a token is given back."""
    return f"{host_of(url)} was not told: take Watchbook's token back there yourself."


def _whose(found: Mapping[str, Any], host: str) -> str:
    me = found.get("me")
    if not isinstance(me, str) or not me:
        raise failed(
            f"{host} does not say whose token it is (`me` is missing).",
            "The site's IndieAuth software has to be updated.",
        )
    return me


def _members(answer: Answer) -> Mapping[str, Any]:
    """The members of a JSON answer, or the fields of one that is a form all the same."""
    found = decoded(answer)
    if isinstance(found, Mapping):
        return found
    if answer.is_html:
        return {}
    try:
        return dict(parse_qsl(answer.text, max_num_fields=50))
    except ValueError:
        return {}


def _is_success(answer: Answer, found: Mapping[str, Any]) -> bool:
    return 200 <= answer.status < 300 and hidden_error(found) is None


def _token(found: Mapping[str, Any], asked: str, now: datetime) -> SiteToken | None:
    access, kind = found.get("access_token"), found.get("token_type", "Bearer")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        return None
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return None
    refresh, scope = found.get("refresh_token"), found.get("scope", asked)
    usable = isinstance(refresh, str) and _TOKEN.fullmatch(refresh)
    life = _lifetime(found.get("expires_in"))
    return SiteToken(
        access,
        scope[:_LONGEST_SCOPE] if isinstance(scope, str) else asked,
        now,
        refresh if usable else None,
        now + life if life is not None else None,
    )


def _lifetime(value: object) -> timedelta | None:
    """How long a token lives; servers write numbers and texts, and some nonsense."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    return timedelta(seconds=min(seconds, _LONGEST_LIFE.total_seconds()))


def _profile(found: object) -> Profile:
    if not isinstance(found, Mapping):
        return Profile()
    texts = {
        name: " ".join(found[name].split())[:longest]
        for name, longest in _PROFILE.items()
        if isinstance(found.get(name), str)
    }
    for name in {"url", "photo"} & texts.keys():
        texts[name] = absolute(texts[name]) or ""
    return Profile(**{name: text for name, text in texts.items() if text})


def _no_renewal(answer: Answer) -> WatchbookError:
    if answer.status == 429 or answer.status >= 500:
        return fetching.come_back_later(answer)
    if answer.status in {400, 401, 403} and remark(answer).error in _ENDED:
        return _ended(answer.url, words_of(answer))
    message = f"{host_of(answer.url)} did not renew the token {described(answer)}"
    return about(RemoteRejected, answer, f"{message}{words_of(answer)}.")


def _ended(url: str, words: str) -> GrantEnded:
    return GrantEnded(
        f"{host_of(url)} does not renew Watchbook's token any more{words}.",
        hint="Sign in with this site again; what waits to be published is kept.",
    )

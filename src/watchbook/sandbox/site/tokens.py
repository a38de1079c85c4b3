"""Codes and tokens of a site: single use, rotation, expiry. No HTTP here."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Literal

from watchbook.sandbox.clock import Clock

CODE_LIFE = 600
"""Seconds for which a code is good."""
ALL_SCOPES = "create update delete undelete media profile"
Reuse = Literal["refused", "theft", "allowed"]
"""What a refresh token means that comes a second time."""


class GrantError(Exception):
    """A grant that cannot be given, in the words of OAuth."""

    def __init__(self, error: str, description: str) -> None:
        """Say why."""
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody said yes to; an empty `client_id` is any app."""

    person: str
    client_id: str
    scope: str
    number: int


@dataclass(slots=True)
class Access:
    """An access token."""

    consent: Consent
    expires: float

    @property
    def person(self) -> str:
        """Whose it is."""
        return self.consent.person

    @property
    def scopes(self) -> frozenset[str]:
        """What it is good for."""
        return frozenset(self.consent.scope.split())


@dataclass(slots=True)
class Refresh:
    """A refresh token."""

    consent: Consent
    spent: bool = False


@dataclass(slots=True)
class Code:
    """An authorization code, good once."""

    consent: Consent
    redirect_uri: str
    challenge: str
    expires: float
    used: bool = False


class Tokens:
    """Every code and token of a site."""

    def __init__(self, clock: Clock, lifetime: int) -> None:
        """Start without tokens; access tokens live `lifetime` seconds."""
        self._clock = clock
        self._lifetime = lifetime
        self._consents = count(1)
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Refresh] = {}
        self._codes: dict[str, Code] = {}

    def consent(self, person: str, client_id: str = "", scope: str = ALL_SCOPES) -> Consent:
        """Somebody says yes."""
        return Consent(person, client_id, scope, next(self._consents))

    def code(self, consent: Consent, redirect_uri: str, challenge: str) -> str:
        """An authorization code for a consent."""
        code = secrets.token_urlsafe(24)
        expires = self._clock.seconds() + CODE_LIFE
        self._codes[code] = Code(consent, redirect_uri, challenge, expires)
        return code

    def redeem(self, fields: Mapping[str, str]) -> Consent:
        """Take a code, once, from the app that asked for it.

        Raises:
            GrantError: the code, the app, the redirect address or the verifier is not right.
        """
        found = self._codes.get(fields.get("code", ""))
        if found is None or found.used or self._clock.seconds() > found.expires:
            raise GrantError("invalid_grant", "The code is unknown, used or expired")
        found.used = True
        if fields.get("client_id") != found.consent.client_id:
            raise GrantError("invalid_grant", "The code was made for another client_id")
        if fields.get("redirect_uri") != found.redirect_uri:
            raise GrantError("invalid_grant", "The redirect_uri is not the one of the first step")
        if _challenge(fields.get("code_verifier", "")) != found.challenge:
            raise GrantError("invalid_grant", "The code_verifier does not fit the code_challenge")
        return found.consent

    def issue(self, consent: Consent, *, forever: bool = False) -> dict[str, object]:
        """New tokens for a consent, as the token endpoint answers them."""
        token = secrets.token_urlsafe(32)
        expires = float("inf") if forever else self._clock.seconds() + self._lifetime
        self._access[token] = Access(consent, expires)
        answer: dict[str, object] = {"access_token": token, "token_type": "Bearer"}
        answer["scope"] = consent.scope
        if not forever:
            refresh = secrets.token_urlsafe(32)
            self._refresh[refresh] = Refresh(consent)
            answer |= {"expires_in": self._lifetime, "refresh_token": refresh}
        return answer

    def spend(self, token: str, client_id: str, reuse: Reuse = "refused") -> Consent:
        """Take a refresh token, once, from the app that it was made for.

        Raises:
            GrantError: the token is unknown, another app's, or came before.
        """
        found = self._refresh.get(token)
        if found is None or found.consent.client_id not in ("", client_id):
            raise GrantError("invalid_grant", "There is no such refresh token")
        if found.spent and reuse != "allowed":
            if reuse == "theft":
                self._end(found.consent)
            raise GrantError("invalid_grant", "The refresh token was used before")
        found.spent = True
        return found.consent

    def who(self, token: str) -> Access | None:
        """What an access token stands for, while it lives."""
        found = self._access.get(token)
        return found if found and self._clock.seconds() < found.expires else None

    def revoke(self, token: str) -> None:
        """Withdraw the consent that a token of either kind stands for."""
        found = self._access.get(token) or self._refresh.get(token)
        if found:
            self._end(found.consent)

    def revoke_all(self, person: str | None = None) -> None:
        """Withdraw every consent of a person, or of everybody."""
        found: list[Access | Refresh] = [*self._access.values(), *self._refresh.values()]
        for consent in [one.consent for one in found]:
            if person in (None, consent.person):
                self._end(consent)

    def expire_all(self, person: str | None = None) -> None:
        """Let the access tokens of a person, or of everybody, end now."""
        for access in self._access.values():
            if person in (None, access.person):
                access.expires = 0

    def _end(self, consent: Consent) -> None:
        access, refresh = self._access, self._refresh
        self._access = {key: one for key, one in access.items() if one.consent is not consent}
        self._refresh = {key: one for key, one in refresh.items() if one.consent is not consent}


def _challenge(verifier: str) -> str:
    digest = sha256(verifier.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()

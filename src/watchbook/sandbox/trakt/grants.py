"""Grants and their tokens: single use, rotation, theft, grace. No HTTP here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from watchbook.sandbox.clock import Clock
from watchbook.sandbox.library.entries import Facts
from watchbook.sandbox.trakt.options import SandboxOptions

CODE_LIFE = 600
"""Seconds for which codes of both kinds are good."""
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class GrantError(Exception):
    """A grant that cannot be given; carries the words of OAuth and the status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        """Say why."""
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(slots=True)
class Access:
    """An access token; all tokens that go back to one consent share its number."""

    slug: str
    expires: float
    consent: int


@dataclass(slots=True)
class Refresh:
    """A refresh token; a spent one knows its successor."""

    slug: str
    redirect_uri: str
    consent: int
    spent_at: float | None = None
    successor: Facts | None = None


@dataclass(slots=True)
class Code:
    """An authorization code, good once."""

    slug: str
    redirect_uri: str
    challenge: str | None
    expires: float
    used: bool = False


@dataclass(slots=True)
class Device:
    """A device that waits to be approved."""

    device_code: str
    user_code: str
    polls_left: int
    expires: float
    slug: str | None = None
    used: bool = field(default=False)


class Grants:
    """Every token of a sandbox."""

    def __init__(self, options: SandboxOptions, clock: Clock) -> None:
        """Start without grants."""
        self._options = options
        self._clock = clock
        self._consents = count(1)
        self.access: dict[str, Access] = {}
        self.refresh: dict[str, Refresh] = {}
        self.codes: dict[str, Code] = {}
        self.devices: dict[str, Device] = {}
        self.mode: Literal["strict", "grace"] = options.refresh

    def issue(self, slug: str, redirect_uri: str = OUT_OF_BAND, consent: int = 0) -> Facts:
        """A new pair of tokens for an account, under a new consent unless one is named."""
        token = secrets.token_hex(32)
        found = Refresh(slug, redirect_uri, consent or next(self._consents))
        self.refresh[token] = found
        return self.issue_access(found, token)

    def issue_access(self, beside: Refresh, refresh: str | None) -> Facts:
        """A new access token, as the token endpoint answers it with or without a refresh token."""
        token, created = secrets.token_hex(32), int(self._clock.seconds())
        lifetime = self._options.expires_in
        self.access[token] = Access(beside.slug, created + lifetime, beside.consent)
        answer: Facts = {"access_token": token, "token_type": "bearer", "expires_in": lifetime}
        if refresh is not None:
            answer["refresh_token"] = refresh
        return {**answer, "scope": "public", "created_at": created}

    def who(self, token: str) -> str | None:
        """The account that an access token speaks for, while it lives."""
        found = self.access.get(token)
        return found.slug if found and self._clock.seconds() < found.expires else None

    def rotate(self, token: str) -> Facts:
        """Swap a refresh token for a new pair; what a second use means depends on the mode.

        Raises:
            GrantError: the token is unknown, or was used before.
        """
        found = self.live(token)
        if found.spent_at is not None:
            return self._again(found)
        found.spent_at = self._clock.seconds()
        found.successor = self.issue(found.slug, found.redirect_uri, found.consent)
        return found.successor

    def live(self, token: str) -> Refresh:
        """A refresh token that exists, spent or not."""
        if token not in self.refresh:
            raise GrantError("invalid_grant", "session not found")
        return self.refresh[token]

    def _again(self, found: Refresh) -> Facts:
        age = self._clock.seconds() - (found.spent_at or 0)
        if self.mode == "grace" and age <= self._options.grace and found.successor:
            return found.successor
        # Somebody holds a stolen copy, or so it looks: nobody keeps anything.
        self.forget(found.slug)
        raise GrantError("invalid_grant", "The refresh token was used before")

    def forget(self, slug: str) -> None:
        """Delete every token of an account."""
        self.access = {k: v for k, v in self.access.items() if v.slug != slug}
        self.refresh = {k: v for k, v in self.refresh.items() if v.slug != slug}

    def revoke(self, token: str) -> None:
        """Withdraw the consent that a token of either kind stands for."""
        found = self.access.get(token) or self.refresh.get(token)
        if found:
            consent = found.consent
            self.access = {k: v for k, v in self.access.items() if v.consent != consent}
            self.refresh = {k: v for k, v in self.refresh.items() if v.consent != consent}

    def code(self, slug: str, redirect_uri: str, challenge: str | None) -> str:
        """An authorization code for somebody who has said yes."""
        code = secrets.token_hex(16)
        expires = self._clock.seconds() + CODE_LIFE
        self.codes[code] = Code(slug, redirect_uri, challenge, expires)
        return code

    def redeem(self, code: str, redirect_uri: str) -> Code:
        """Take a code, once, from whoever sends the same redirect address."""
        found = self.codes.get(code)
        if found is None or found.used or self._clock.seconds() > found.expires:
            raise GrantError("invalid_grant", "The code is unknown, used or expired")
        if redirect_uri != found.redirect_uri:
            raise GrantError("invalid_grant", "The redirect_uri is not the one of the first step")
        found.used = True
        return found

    def device(self) -> Device:
        """A device that wants to be let in."""
        alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        user_code = "".join(secrets.choice(alphabet) for _ in range(8))
        expires = self._clock.seconds() + CODE_LIFE
        found = Device(secrets.token_hex(32), user_code, self._options.device_polls, expires)
        self.devices[found.device_code] = found
        return found

    def poll(self, device_code: str, slug: str) -> tuple[int, Device | None]:
        """The status that a poll is answered with, and the device when it is let in."""
        found = self.devices.get(device_code)
        if found is None:
            return 404, None
        if found.used:
            return 409, None
        if self._clock.seconds() > found.expires:
            return 410, None
        if found.slug is None and found.polls_left != 0:
            found.polls_left -= found.polls_left > 0
            return 400, None
        found.slug = found.slug or slug
        found.used = True
        return 200, found

    def approve(self, user_code: str, slug: str) -> bool:
        """Let a device in from the activation page."""
        for found in self.devices.values():
            if found.user_code == user_code.upper().strip() and not found.used:
                found.slug = slug
                return True
        return False

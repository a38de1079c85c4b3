"""PKCE (RFC 7636): proof that who redeems a code is who asked for it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field

from watchbook.redaction import secret


@dataclass(frozen=True)
class Pkce:
    """A verifier that stays with us and its challenge, which travels (S256)."""

    verifier: str = field(repr=False)
    challenge: str


def make_pkce() -> Pkce:
    """A fresh verifier of 64 characters and its challenge."""
    verifier = secret(secrets.token_urlsafe(48))
    digest = hashlib.sha256(verifier.encode()).digest()
    return Pkce(verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode())

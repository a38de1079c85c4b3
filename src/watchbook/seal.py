"""Sealing secrets for the store: AES-256-GCM, bound to the place where the secret belongs.

A sealed text says which key sealed it, so several keys may be in force while one is rotated
out. The place (``grant:3:access``) is authenticated with the text: a sealed token copied to
another row does not open there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchbook.errors import SettingsError
from watchbook.files import file_errors, make_private_folder, write_private

KEY_FILE = "secret.key"
_NONCE_BYTES = 12
_VERSION = "1"


def fingerprint(secret: str) -> str:
    """A short name for a secret that tells nothing about it (first 16 hex digits of SHA-256)."""
    return hashlib.sha256(b"watchbook fingerprint\0" + secret.encode()).hexdigest()[:16]


class Sealer:
    """Seals with the first of ``keys`` and opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers = {
            fingerprint(key): AESGCM(hashlib.sha256(b"watchbook seal\0" + key.encode()).digest())
            for key in keys
        }
        self.key_name = fingerprint(keys[0])
        self._naming = hashlib.sha256(b"watchbook names\0" + keys[0].encode()).digest()

    @property
    def key_names(self) -> frozenset[str]:
        """Fingerprints of all keys in force."""
        return frozenset(self._ciphers)

    def seal(self, secret: str, place: str) -> str:
        """Seal ``secret`` so that it opens only at ``place``."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.key_name].encrypt(nonce, secret.encode(), place.encode())
        body = base64.urlsafe_b64encode(nonce + sealed).decode()
        return f"{_VERSION}:{self.key_name}:{body}"

    def name(self, text: str, purpose: str) -> str:
        """A name for ``text`` that nobody without the key can guess: 32 hex digits of an HMAC.

        It is the same each time, as long as the newest key stays the same.
        """
        return hmac.digest(self._naming, f"{purpose}\0{text}".encode(), "sha256").hex()[:32]

    def open(self, sealed: str, place: str) -> str:
        """Open what :meth:`seal` made for the same ``place``; raises SettingsError."""
        try:
            version, key_name, body = sealed.split(":")
            cipher = self._ciphers[key_name]
            data = base64.urlsafe_b64decode(body)
            if version != _VERSION:
                raise ValueError(version)
            opened = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode())
        except (ValueError, KeyError, InvalidTag):
            raise SettingsError(
                "A secret in the database cannot be opened with the key in force.",
                hint="Put back the secret.key (or WATCHBOOK_SECRET_KEY) that was used before; "
                "docs/how-to/secret-key.md says what to do when it is lost.",
            ) from None
        return opened.decode()


def load_sealer(home: Path, keys: Sequence[str] | None) -> Sealer:
    """The sealer of this installation: from ``keys`` if set, else from the key file.

    The key file is made at first start, readable by its owner alone.
    """
    return Sealer(keys or [_key_from_file(home)])


def _key_from_file(home: Path) -> str:
    path = home / KEY_FILE
    if not path.exists():
        make_private_folder(home)
        write_private(path, base64.urlsafe_b64encode(os.urandom(32)) + b"\n", replace=False)
    with file_errors(path):
        content = path.read_bytes().strip()
    if not content or not content.isascii():
        raise SettingsError(
            f"{path} is {'not text' if content else 'empty'}.",
            hint="Put back a copy of it, or remove it and sign in anew.",
        )
    return content.decode("ascii")

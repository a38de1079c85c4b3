"""Headers that every answer carries, whoever made it, and policies for pages with styles.

What an answer says of itself is left as it is; what it does not say is said here, strictly: it
runs no script, loads nothing, stands in no frame, is read by no other origin, and is not kept. An
answer that may be framed has a policy of its own::

    Answer(page, HTML, headers={"Content-Security-Policy": policy(frame_ancestors="*", …)})
"""

from __future__ import annotations

import base64
import hashlib
from typing import Self

from watchbook.web.answers import NOT_KEPT

Headers = list[tuple[bytes, bytes]]
CSP = "Content-Security-Policy"
NOBODY = "'none'"
_YEAR = 31_536_000
_FEATURES = "camera geolocation gyroscope magnetometer microphone payment usb".split()


def digest(text: str) -> str:
    """The source by which a policy allows the inline ``<style>`` or ``<script>`` with this text."""
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{found}'"


def policy(*, frame_ancestors: str = NOBODY, **sources: str) -> str:
    """A Content-Security-Policy that allows nothing but ``sources``.

    They are named as the directives are: ``style_src=digest(STYLE)``, ``img_src="'self' data:"``.
    ``frame_ancestors="*"`` lets every page show the answer in a frame. Raises ValueError for
    ``unsafe-…``, which would allow what strangers may have written.
    """
    named = {"default_src": NOBODY, "base_uri": NOBODY, "form_action": NOBODY, **sources}
    named["frame_ancestors"] = frame_ancestors
    told = "; ".join(f"{name.replace('_', '-')} {value}" for name, value in named.items())
    if "'unsafe-" in told:
        raise ValueError(f"an unsafe policy: {told}")
    return told


class Security:
    """Completes the headers of answers; ``https`` when people come by https only."""

    def __init__(self, *, https: bool) -> None:
        features = ", ".join(f"{feature}=()" for feature in _FEATURES)
        told = {
            "Cache-Control": NOT_KEPT,
            "X-Content-Type-Options": "nosniff",
            CSP: policy(),
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": features,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if https:
            told["Strict-Transport-Security"] = f"max-age={_YEAR}"
        self._told = dict(_raw(told))

    @classmethod
    def of(cls, base_url: str) -> Self:
        """For a service that people see at ``base_url``."""
        return cls(https=base_url.startswith("https://"))

    def complete(self, headers: Headers) -> Headers:
        """``headers`` and what is missing among them, names in lower case."""
        said = {name for name, _ in headers}
        whole = headers + [pair for pair in self._told.items() if pair[0] not in said]
        own = next(value for name, value in whole if name == b"content-security-policy")
        if b"frame-ancestors 'none'" in own:
            whole.append((b"x-frame-options", b"DENY"))
        return whole


def _raw(headers: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]

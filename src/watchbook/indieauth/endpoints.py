"""Where somebody signs in, as it is kept; whoever only reads that needs no HTTP client."""

from __future__ import annotations

import msgspec


class Endpoints(msgspec.Struct, frozen=True):
    """Where somebody signs in. ``issuer`` is None when there is no metadata document."""

    authorization: str
    token: str
    revocation: str | None = None
    issuer: str | None = None


class SignIn(msgspec.Struct, frozen=True):
    """How a site's owner signed in; a token given by hand has no endpoints to renew it at."""

    client_id: str
    endpoints: Endpoints | None = None

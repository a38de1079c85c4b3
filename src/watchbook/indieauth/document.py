"""Who asks: Watchbook's own document, which sites show to the person who signs in.

It is served at the client's id, ``BASE_URL/client.json``, as ``application/json`` with no charset
behind it: some servers compare the whole header.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from watchbook.errors import InputError, SettingsError
from watchbook.indieauth.addresses import profile_url

NAME = "Watchbook"
CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Client:
    """How Watchbook names itself to sites. Changing the id makes all tokens another app's."""

    client_id: str
    redirect_uri: str
    uri: str


def client_at(base_url: str) -> Client:
    """The client that lives at ``base_url``, which ends without a slash.

    Raises SettingsError for an address that no site accepts a client at: a number other than
    this machine's own.
    """
    host = urlsplit(base_url).hostname or ""
    try:
        # Names are judged as people's are; a port, which those lack, a client may have.
        profile_url(f"https://[{host}]/" if ":" in host else f"https://{host}/", loopback=True)
    except InputError as reason:
        raise SettingsError(
            f"WATCHBOOK_BASE_URL: {reason.message}",
            hint="Sites accept sign-ins from https://watchbook.example.org and the like, and from "
            "http://localhost:8420 for trying.",
        ) from None
    return Client(f"{base_url}/client.json", f"{base_url}/login/callback", f"{base_url}/")


def client_document(client: Client, *, scope: str | None = None) -> bytes:
    """The document as it is served.

    Its ``note`` is for version 4.4 of WordPress's IndieAuth plugin, which reads every client as
    HTML and asks again without end when it finds no title.
    """
    document = {
        "client_id": client.client_id,
        "client_name": NAME,
        "client_uri": client.uri,
        "redirect_uris": [client.redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "note": f"<title>{NAME}</title>",
    }
    return msgspec.json.encode(document | ({"scope": scope} if scope else {}))

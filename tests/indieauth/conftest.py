"""A website with a sign-in server of its own, and a client that may reach it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.websites import Asked, Said, Website, as_json, html, local_client, serving
from watchbook.http import HttpClient


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client that may reach loopback."""
    with local_client() as client:
        yield client


@pytest.fixture
def site() -> Iterator[Website]:
    """An empty website."""
    with serving(Website()) as website:
        yield website


@dataclass
class Authority:
    """A sign-in server: checks what a strict one checks, and answers as it is told to.

    ``person`` is who sits at the browser; ``says`` takes the place of members of the token.
    """

    site: Website
    person: str = "/"
    iss: str | None = ""
    says: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site.pages["/meta"] = lambda asked: as_json(self.metadata)
        self.site.pages["/token"] = self.token
        self.iss = self.site.url("") if self.iss == "" else self.iss

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.site.url(""),
            "authorization_endpoint": self.site.url("/auth"),
            "token_endpoint": self.site.url("/token"),
            "revocation_endpoint": self.site.url("/revoke"),
        }

    @property
    def head(self) -> str:
        """The links of a page that uses this server."""
        return '<link rel="indieauth-metadata" href="/meta"><link rel="micropub" href="/micropub">'

    def page(self, path: str) -> None:
        """Give somebody a page."""
        self.site.pages[path] = html(f"<html><head>{self.head}</head></html>")

    def consent(self, address: str, **changes: str | None) -> str:
        """What the browser brings back when the person agrees: the callback's query."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"the-code-{len(self.codes)}"
        self.codes[code] = asked
        given = {"code": code, "state": asked["state"], "iss": self.iss} | changes
        return urlencode({name: value for name, value in given.items() if value is not None})

    def token(self, asked: Asked) -> Said:
        form = {name: values[0] for name, values in asked.form.items()}
        if form.get("grant_type") != "authorization_code":
            return as_json({"error": "unsupported_grant_type"}, 400)
        request = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            request is None
            or challenge != request["code_challenge"]
            or form["client_id"] != request["client_id"]
            or form["redirect_uri"] != request["redirect_uri"]
        ):
            return as_json({"error": "invalid_grant"}, 400)
        answer = {
            "access_token": "the-access-token",
            "token_type": "Bearer",
            "scope": request.get("scope", ""),
            "me": self.site.url(self.person),
        }
        return as_json({n: v for n, v in (answer | self.says).items() if v is not None})


@pytest.fixture
def authority(site: Website) -> Authority:
    """A sign-in server on the website, with the owner's page at the root."""
    found = Authority(site)
    found.page("/")
    return found

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from watchbook.sandbox.site import RunningSite, SiteOptions, running

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VERIFIER = "a-verifier-of-more-than-forty-three-characters-as-it-should-be"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
APP = "http://localhost:8420/client.json"
BACK = "http://localhost:8420/login/callback"
PNG = b"\x89PNG\r\n\x1a\n\0\0\r\n--\0"
FILM: dict[str, Any] = {
    "published": ["2026-11-19T21:30:00+01:00"],
    "summary": ["Watched Heat (1995)"],
    "content": ["Watched Heat (1995)"],
    "category": ["watched", "film"],
    "mp-slug": ["trakt-7"],
    "watch-of": [
        {
            "type": ["h-cite"],
            "value": "https://trakt.tv/movies/heat-1995",
            "properties": {
                "name": ["Heat"],
                "url": ["https://trakt.tv/movies/heat-1995"],
                "published": ["1995"],
                "trakt-watch-id": ["7"],
            },
        }
    ],
}


class Visitor:
    """Somebody who talks to a site over plain HTTP and follows no redirects."""

    lost = httpx2.TransportError

    def __init__(self, site: RunningSite) -> None:
        self.site = site
        self.http = httpx2.Client(base_url=site.url, trust_env=False, timeout=20)

    def get(self, path: str, **params: str) -> httpx2.Response:
        """One page."""
        return self.http.get(path, params=params)

    def query(self, token: str | None = None, **params: str) -> httpx2.Response:
        """One query of the Micropub endpoint."""
        return self.http.get("/micropub", params=params, headers=self.bearer(token))

    def bearer(self, token: str | None = None) -> dict[str, str]:
        """The header of a token, the first person's unless another one is given."""
        return {"authorization": f"Bearer {token or self.site.token}"}

    def send(self, body: Any, token: str | None = None) -> httpx2.Response:
        """JSON to the Micropub endpoint."""
        return self.http.post("/micropub", json=body, headers=self.bearer(token))

    def create(self, token: str | None = None, **properties: Any) -> httpx2.Response:
        """A post about a film, with some properties changed; `_` stands for `-`."""
        changed = {name.replace("_", "-"): values for name, values in properties.items()}
        wanted = {k: v for k, v in {**FILM, **changed}.items() if v is not None}
        return self.send({"type": ["h-entry"], "properties": wanted}, token)

    def created(self, **properties: Any) -> str:
        """The address of a post that must be made."""
        response = self.create(**properties)
        assert response.status_code == 201, response.text
        return response.headers["location"]

    def upload(self, name: str = "poster.png", kind: str = "image/png") -> httpx2.Response:
        """A picture."""
        files = {"file": (name, PNG, kind)}
        return self.http.post("/media", files=files, headers=self.bearer())

    def authorize(self, **changes: str | None) -> httpx2.Response:
        """The first step of a sign-in, as a right one unless something is changed."""
        asked = {
            "response_type": "code",
            "client_id": APP,
            "redirect_uri": BACK,
            "state": "a-state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "scope": "create update profile",
            "me": self.site.me,
        }
        wanted = {name: value for name, value in {**asked, **changes}.items() if value is not None}
        return self.http.get("/indieauth/authorize", params=wanted)

    def callback(self, **changes: str | None) -> dict[str, str]:
        """What the app is told after the first step."""
        response = self.authorize(**changes)
        assert response.status_code == 302, response.text
        place = urlsplit(response.headers["location"])
        assert response.headers["location"].startswith(f"{BACK}?")
        return dict(parse_qsl(place.query))

    def redeem(self, code: str, /, **changes: str) -> httpx2.Response:
        """The second step."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": APP,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return self.http.post("/indieauth/token", data={**form, **changes})

    def sign_in(self, **changes: str | None) -> httpx2.Response:
        """Both steps."""
        return self.redeem(self.callback(**changes)["code"])

    def refresh(self, token: str, client_id: str = APP) -> httpx2.Response:
        """One refresh."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
        return self.http.post("/indieauth/token", data=form)


@pytest.fixture
def start() -> Iterator[Callable[..., Visitor]]:
    """Starts sites of their own, with a standing clock unless told else."""
    with ExitStack() as stack:

        def begin(**options: Any) -> Visitor:
            site = stack.enter_context(running(SiteOptions(**{"now": NOW, **options})))
            visitor = Visitor(site)
            stack.callback(visitor.http.close)
            return visitor

        yield begin


@pytest.fixture
def visitor(start: Callable[..., Visitor]) -> Visitor:
    """A site of one person, to be changed at will."""
    return start()

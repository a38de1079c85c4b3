"""Sandboxes to test: one shared by tests that only read, and fresh ones for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from watchbook.sandbox.trakt import RunningSandbox, SandboxOptions, running

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Api:
    """An honest client of one account of a sandbox."""

    def __init__(self, sandbox: RunningSandbox, account: int = 0) -> None:
        self.sandbox = sandbox
        headers = {
            "user-agent": "SandboxTest/1",
            "content-type": "application/json",
            "trakt-api-key": sandbox.client_id,
            "trakt-api-version": "2",
            "authorization": f"Bearer {sandbox.accounts[account].access_token}",
        }
        self.client = httpx2.Client(
            base_url=sandbox.url, headers=headers, trust_env=False, timeout=20
        )
        self.auth = httpx2.Client(
            base_url=sandbox.auth_url,
            headers={"user-agent": "SandboxTest/1"},
            trust_env=False,
            timeout=20,
        )

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """One call, whatever becomes of it."""
        return self.client.get(path, headers=headers)

    def json(self, path: str) -> Any:
        """The body of a call that must succeed."""
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code, response.text[:200])
        return response.json()

    def pages(self, path: str, limit: int = 250) -> list[Any]:
        """All rows of a paged path, as the headers count its pages."""
        rows: list[Any] = []
        page, last = 1, 1
        while page <= last:
            joint = "&" if "?" in path else "?"
            response = self.get(f"{path}{joint}page={page}&limit={limit}")
            rows += response.json()
            last = int(response.headers["x-pagination-page-count"])
            page += 1
        return rows

    def post(self, path: str, **body: object) -> httpx2.Response:
        """One call to the auth host, with the app's own id and secret."""
        app = {"client_id": self.sandbox.client_id, "client_secret": self.sandbox.client_secret}
        return self.auth.post(path, json={**app, **body})

    def refresh(self, token: str) -> httpx2.Response:
        """One refresh."""
        oob = "urn:ietf:wg:oauth:2.0:oob"
        return self.post(
            "/oauth/token", grant_type="refresh_token", refresh_token=token, redirect_uri=oob
        )

    def close(self) -> None:
        """Hang up."""
        self.client.close()
        self.auth.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Api]]:
    """Starts sandboxes of their own: 300 plays, standing clock, no limits, unless told else."""
    with ExitStack() as stack:

        def begin(**options: Any) -> Api:
            usual = {"plays": 300, "now": NOW, "rate_limit": False}
            sandbox = stack.enter_context(running(SandboxOptions(**{**usual, **options})))
            api = Api(sandbox)
            stack.callback(api.close)
            return api

        yield begin


@pytest.fixture
def api(start: Callable[..., Api]) -> Api:
    """A small sandbox of this test's own, to be changed at will."""
    return start()


@pytest.fixture(scope="session")
def shared_api() -> Iterator[Api]:
    """A sandbox for tests that change nothing: 1,500 plays of two accounts."""
    options = SandboxOptions(plays=1_500, accounts=2, now=NOW, rate_limit=False)
    with running(options) as sandbox:
        api = Api(sandbox)
        yield api
        api.close()


@pytest.fixture(scope="session")
def other_api(shared_api: Api) -> Iterator[Api]:
    """The second account of the shared sandbox."""
    api = Api(shared_api.sandbox, account=1)
    yield api
    api.close()


@pytest.fixture
def read(shared_api: Api) -> Iterator[Api]:
    """The shared sandbox; faults set by a test are taken back after it."""
    yield shared_api
    shared_api.sandbox.clear_faults()

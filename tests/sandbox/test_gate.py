from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api


@pytest.mark.parametrize(
    "agent", ["", "python-requests/2.32", "python-httpx2/2.16", "Go-http-client/2.0"]
)
def test_nameless_clients_meet_the_edge(read: Api, agent: str) -> None:
    """403 as HTML, without the application's own headers."""
    response = read.get("/sync/last_activities", **{"user-agent": agent})
    assert response.status_code == 403
    assert response.headers["content-type"].startswith("text/html")
    assert "cf-ray" in response.headers
    assert "x-request-id" not in response.headers


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("content-type", "text/plain", 412),
        ("trakt-api-version", "1", 412),
        ("trakt-api-key", "0" * 64, 403),
        ("authorization", "Bearer nothing", 401),
        ("authorization", "", 401),
        ("authorization", "Basic abc", 401),
    ],
)
def test_headers_are_required(read: Api, name: str, value: str, status: int) -> None:
    """Each header has its own refusal, as JSON by the application."""
    response = read.get("/users/me/history", **{name: value})
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers["x-request-id"]
    assert response.headers["x-runtime"]


def test_the_root_tells_the_application_apart(read: Api) -> None:
    """With a key it is the API's, and lacks a version; without one it is the page for people."""
    assert read.get("/", **{"trakt-api-version": ""}).status_code == 412
    page = read.auth.get("/")
    assert page.status_code == 200
    assert "WATCHBOOK_TRAKT_API_URL" in page.text
    assert "<pre>export WATCHBOOK_HOME=$(mktemp -d)\n" in page.text, "no real home is touched"
    assert read.sandbox.url in page.text
    assert "prefers-color-scheme: dark" in page.text


def test_wrong_methods(read: Api) -> None:
    """405 where the path exists for another method."""
    assert read.client.post("/users/me/history", json={}).status_code == 405
    assert read.auth.get("/oauth/token").status_code == 405
    assert read.auth.get("/oauth/nothing").status_code == 404


def test_titles_may_be_read_without_a_token(read: Api) -> None:
    """A film's summary needs an app but nobody signed in."""
    ids = read.json("/sync/watched/movies?limit=1")[0]["movie"]["ids"]
    assert read.get(f"/movies/{ids['trakt']}", authorization="").status_code == 200


def test_reads_are_limited(start: Callable[..., Api]) -> None:
    """One too many gets 429 with X-Ratelimit and Retry-After, until the window has passed."""
    api = start(rate_limit=True, rate_reads=3)
    assert [api.get("/users/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = api.get("/users/me")
    assert '"name":"AUTHED_API_GET_LIMIT"' in refused.headers["x-ratelimit"]
    assert 290 <= int(refused.headers["retry-after"]) <= 301
    api.sandbox.advance(301)
    assert api.get("/users/me").status_code == 200


def test_writes_are_limited_to_one_a_second(start: Callable[..., Api]) -> None:
    """The second write within a second is refused before it is looked at."""
    api = start(rate_limit=True)
    statuses = [api.client.post("/users/me/history", json={}).status_code for _ in range(2)]
    assert statuses == [405, 429]


def test_each_account_has_its_own_token(read: Api, other_api: Api) -> None:
    """Tokens lead to different people and different plays."""
    assert read.json("/users/settings")["user"]["username"] == "sam-example"
    assert other_api.json("/users/settings")["user"]["username"] == "robin-sample"
    mine, theirs = (api.pages("/users/me/history") for api in (read, other_api))
    assert not {row["id"] for row in mine} & {row["id"] for row in theirs}


def test_control_routes_answer_errors_in_words(read: Api) -> None:
    """A wrong control request says what is wrong with it."""
    for path, body in (
        ("plays/edit", {"id": 1}),
        ("ratings/set", {}),
        ("faults", {"faults": ["x"]}),
    ):
        response = read.auth.post(f"{read.sandbox.url}/_sandbox/{path}", json=body)
        assert response.status_code == 400, path
        assert response.json()["error_description"]
    assert read.auth.get(f"{read.sandbox.url}/_sandbox/nothing").status_code == 404


def test_requests_are_written_down_without_secrets(api: Api) -> None:
    """Path, query, status and account are kept; tokens are not."""
    api.sandbox.reset_requests()
    api.get("/users/me/history?limit=1")
    api.get("/nowhere")
    found = api.sandbox.requests()
    assert found["total"] == 2
    assert found["statuses"] == {"200": 1, "404": 1}
    assert found["paths"] == {"GET /users/me/history": 1, "GET /nowhere": 1}
    row = found["requests"][0]
    assert (row["query"], row["account"], row["faults"]) == ("limit=1", "sam-example", [])
    assert api.sandbox.access_token not in str(found)

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest

from tests.sandbox.site.conftest import BACK, VERIFIER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.site.conftest import Visitor


def test_the_document(visitor: Visitor) -> None:
    """The issuer is a beginning of the document's address, and all endpoints are named."""
    page = visitor.get("/")
    link = next(one for one in page.headers.get_list("link") if "indieauth-metadata" in one)
    source = link.partition("<")[2].partition(">")[0]
    found = visitor.http.get(source).json()
    assert source.startswith(found["issuer"])
    assert found["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint"):
        assert found[name].startswith(f"{visitor.site.url}/")


def test_a_sign_in(visitor: Visitor) -> None:
    """The callback names state and issuer; the token is the person's and good for posting."""
    told = visitor.callback()
    assert told["state"] == "a-state"
    assert told["iss"] == f"{visitor.site.url}/"
    response = visitor.redeem(told["code"])
    found = response.json()
    assert response.status_code == 200
    assert found["me"] == visitor.site.me == f"{visitor.site.url}/"
    assert found["token_type"] == "Bearer"
    assert found["scope"] == "create update profile"
    assert found["expires_in"] == 1_209_600
    assert found["profile"] == {"name": "Alice Example", "url": visitor.site.me}
    assert visitor.create(found["access_token"]).status_code == 201


def test_the_callback_keeps_a_query_of_the_app(visitor: Visitor) -> None:
    """What is sent back is appended."""
    response = visitor.authorize(redirect_uri=f"{BACK}?a=b")
    query = response.headers["location"].partition("?")[2]
    assert parse_qsl(query)[0] == ("a", "b")
    assert "code" in dict(parse_qsl(query))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"response_type": "id"},
    ],
)
def test_wrong_requests_come_back(visitor: Visitor, changes: dict[str, str | None]) -> None:
    """With the error, and without a code."""
    told = visitor.callback(**changes)
    assert told["error"] == "invalid_request"
    assert "code" not in told


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://app.example"},
        {"client_id": "mailto:app@example.org"},
        {"redirect_uri": "https://thief.example/callback"},
        {"redirect_uri": None},
    ],
)
def test_nobody_is_sent_to_a_stranger(visitor: Visitor, changes: dict[str, str | None]) -> None:
    """A page says why, and leads nowhere."""
    response = visitor.authorize(**changes)
    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "another"},
        {"code_verifier": f"{VERIFIER}x"},
        {"code_verifier": ""},
        {"client_id": "http://localhost:8420/other.json"},
        {"redirect_uri": f"{BACK}/"},
    ],
)
def test_a_code_is_for_the_app_that_asked(visitor: Visitor, changes: dict[str, str]) -> None:
    """All of what the first step said has to be said again, and the verifier has to fit."""
    response = visitor.redeem(visitor.callback()["code"], **changes)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_apps_on_this_machine(visitor: Visitor) -> None:
    """They are answered at any port of it, unless the site is strict."""
    elsewhere = "http://127.0.0.1:9999/login/callback"
    assert visitor.authorize(redirect_uri=elsewhere).headers["location"].startswith(elsewhere)
    visitor.site.set_faults("redirect-strict")
    assert visitor.authorize(redirect_uri=elsewhere).status_code == 400
    assert visitor.authorize().status_code == 302


def test_a_code_is_good_once_and_not_for_long(visitor: Visitor) -> None:
    """The second use fails, and so does a late one."""
    code = visitor.callback()["code"]
    assert visitor.redeem(code).status_code == 200
    assert visitor.redeem(code).json()["error"] == "invalid_grant"
    late = visitor.callback()["code"]
    visitor.site.advance(601)
    assert visitor.redeem(late).json()["error"] == "invalid_grant"


def test_without_a_scope_there_is_no_token(visitor: Visitor) -> None:
    """The authorization endpoint says who it is; the token endpoint refuses."""
    assert visitor.sign_in(scope=None).json()["error"] == "invalid_scope"
    form = {"grant_type": "authorization_code", "code": visitor.callback(scope=None)["code"]}
    form |= {"client_id": "http://localhost:8420/client.json", "redirect_uri": BACK}
    response = visitor.http.post("/indieauth/authorize", data={**form, "code_verifier": VERIFIER})
    assert response.json() == {"me": visitor.site.me}


def test_refresh_tokens_are_good_once(visitor: Visitor) -> None:
    """The second use fails, the successor works, and another app's try fails."""
    first = visitor.sign_in().json()["refresh_token"]
    assert visitor.refresh(first, "https://other.example/").json()["error"] == "invalid_grant"
    second = visitor.refresh(first).json()
    assert visitor.refresh(first).json()["error"] == "invalid_grant"
    assert visitor.create(second["access_token"]).status_code == 201
    assert visitor.refresh(second["refresh_token"]).status_code == 200


def test_a_stolen_refresh_token_can_end_the_sign_in(visitor: Visitor) -> None:
    """With the switch a second use takes everything back; with the other it is forgiven."""
    first = visitor.sign_in().json()["refresh_token"]
    visitor.site.set_faults("refresh-theft")
    second = visitor.refresh(first).json()
    assert visitor.refresh(first).status_code == 400
    assert visitor.create(second["access_token"]).status_code == 401
    visitor.site.set_faults("refresh-reusable")
    first = visitor.sign_in().json()["refresh_token"]
    assert [visitor.refresh(first).status_code for _ in range(3)] == [200, 200, 200]


def test_tokens_end(visitor: Visitor) -> None:
    """After their time; the refresh token goes on."""
    found = visitor.sign_in().json()
    visitor.site.advance(found["expires_in"] + 1)
    assert visitor.create(found["access_token"]).json()["error"] == "invalid_token"
    assert visitor.refresh(found["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "form"), [("/indieauth/revoke", {}), ("/indieauth/token", {"action": "revoke"})]
)
def test_tokens_are_given_back(visitor: Visitor, path: str, form: dict[str, str]) -> None:
    """At the endpoint or in the old way; unknown ones are 200, too."""
    found = visitor.sign_in().json()
    for token in (found["refresh_token"], "unknown"):
        assert visitor.http.post(path, data={**form, "token": token}).status_code == 200
    assert visitor.create(found["access_token"]).status_code == 401
    assert visitor.refresh(found["refresh_token"]).status_code == 400


def test_a_shared_host(start: Callable[..., Visitor]) -> None:
    """Whoever says yes is who it is, whatever address was typed."""
    visitor = start(people=2)
    alice, bob = visitor.site.people
    assert alice.me == f"{visitor.site.url}/alice"
    assert visitor.sign_in(me=bob.me).json()["me"] == bob.me
    visitor.site.consent_as("bob")
    assert visitor.sign_in(me=alice.me).json()["me"] == bob.me
    visitor.site.consent_as(None)
    assert visitor.sign_in(me=None).json()["me"] == alice.me
    assert "/bob" in visitor.get("/").text


class Form(HTMLParser):
    """The hidden field and the buttons of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked = ""
        self.buttons: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("name") == "asked":
            self.asked = given["value"] or ""
        if tag == "button":
            self.buttons.append(given["value"] or "")


def test_a_page_that_asks(start: Callable[..., Visitor]) -> None:
    """A button for each person and one for no; what was asked is shown escaped."""
    visitor = start(people=2, consent="asks")
    page = visitor.authorize(scope='create <b>"all"</b>')
    assert page.status_code == 200
    assert "<b>" not in page.text
    form = Form(page.text)
    assert form.buttons == ["alice", "bob", ""]
    told = []
    for button in form.buttons[1:]:
        data = {"asked": form.asked, "answer": button}
        response = visitor.http.post("/indieauth/authorize", data=data)
        told.append(dict(parse_qsl(response.headers["location"].partition("?")[2])))
    assert visitor.redeem(told[0]["code"]).json()["me"] == visitor.site.people[1].me
    assert told[1]["error"] == "access_denied"


def test_shapes_of_the_token_answer(visitor: Visitor) -> None:
    """Each switch changes one thing."""
    visitor.site.set_faults("token-form-encoded@1", "token-201@2", "token-no-type@3")
    encoded, created, untyped = (visitor.sign_in() for _ in range(3))
    assert encoded.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(encoded.text))["me"] == visitor.site.me
    assert created.status_code == 201
    assert "token_type" not in untyped.json()
    visitor.site.set_faults("token-untold@1", "token-forever@2", "token-no-scope@3", "me-missing@4")
    untold, forever, scopeless, nobody = (visitor.sign_in().json() for _ in range(4))
    assert {"expires_in", "refresh_token"}.isdisjoint(untold.keys() | forever.keys())
    assert "scope" not in scopeless
    assert "me" not in nobody
    visitor.site.advance(10**9)
    assert visitor.create(untold["access_token"]).status_code == 401
    assert visitor.create(forever["access_token"]).status_code == 201


def test_somebody_else(start: Callable[..., Visitor]) -> None:
    """A neighbour where there is one, else a stranger; one time only."""
    alone, shared = start(faults=("me-other@1",)), start(people=2, faults=("me-other@1",))
    assert alone.sign_in().json()["me"] == "https://victim.example/"
    assert shared.sign_in().json()["me"] == shared.site.people[1].me
    assert alone.sign_in().json()["me"] == alone.site.me


def test_callbacks_that_are_not_right(visitor: Visitor) -> None:
    """Without issuer, with another one, with another state, with a refusal."""
    visitor.site.set_faults("iss-missing@1", "iss-wrong@2", "state-wrong@3", "consent-refused@4")
    missing, wrong, state, refused = (visitor.callback() for _ in range(4))
    assert "iss" not in missing
    assert wrong["iss"] != f"{visitor.site.url}/"
    assert state["state"] != "a-state"
    assert refused["error"] == "access_denied"
    assert "code" not in refused
    assert visitor.callback()["iss"] == f"{visitor.site.url}/"


def test_a_site_with_the_old_links_only(visitor: Visitor) -> None:
    """No document is named, and no issuer."""
    visitor.site.set_faults("no-metadata")
    told = " ".join(visitor.get("/").headers.get_list("link"))
    assert "indieauth-metadata" not in told
    assert 'rel="token_endpoint"' in told
    assert "iss" not in visitor.callback()


def test_a_token_answer_that_is_lost(visitor: Visitor) -> None:
    """The refresh token is spent, and its successor never arrives."""
    found = visitor.sign_in().json()
    visitor.site.set_faults("reset-after-accept/token@1")
    with pytest.raises(visitor.lost):
        visitor.refresh(found["refresh_token"])
    assert visitor.refresh(found["refresh_token"]).json()["error"] == "invalid_grant"


def test_nothing_secret_is_kept_in_the_log(visitor: Visitor) -> None:
    """Neither codes nor tokens."""
    told = visitor.callback()
    token = visitor.redeem(told["code"]).json()["access_token"]
    visitor.create(token)
    kept = str(visitor.site.requests())
    assert "/indieauth/authorize" in kept
    assert told["code"] not in kept
    assert token not in kept

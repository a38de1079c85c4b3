from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

OOB = "urn:ietf:wg:oauth:2.0:oob"
CALLBACK = "http://localhost:8420/trakt/callback"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def authorize(api: Api, **query: str) -> Any:
    """Send somebody to the authorization page."""
    usual = {
        "response_type": "code",
        "client_id": api.sandbox.client_id,
        "redirect_uri": CALLBACK,
        "state": "s1",
    }
    return api.auth.get("/oauth/authorize", params={**usual, **query})


def code_of(response: Any) -> str:
    """The code in a redirect."""
    assert response.status_code == 302, response.text
    location: str = response.headers["location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def redeem(api: Api, code: str, **fields: str) -> Any:
    """Swap a code for tokens."""
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return api.post("/oauth/token", **{**body, **fields})


def works(api: Api, token: str) -> bool:
    """Whether an access token is accepted."""
    return api.get("/users/settings", authorization=f"Bearer {token}").status_code == 200


def test_signing_in_with_a_secret(api: Api) -> None:
    """The state comes back, the code is good once, and the tokens work."""
    response = authorize(api)
    assert response.headers["location"].startswith(CALLBACK)
    assert "state=s1" in response.headers["location"]
    code = code_of(response)
    tokens = redeem(api, code).json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 604_800
    assert tokens["scope"] == "public"
    assert works(api, tokens["access_token"])
    again = redeem(api, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_signing_in_with_pkce_needs_no_secret(api: Api) -> None:
    """The verifier stands for the secret, and must fit."""
    query = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    body = {
        "grant_type": "authorization_code",
        "client_id": api.sandbox.client_id,
        "redirect_uri": CALLBACK,
    }
    code = code_of(authorize(api, **query))
    wrong = api.auth.post("/oauth/token", json={**body, "code": code, "code_verifier": "x" * 64})
    assert wrong.json()["error"] == "invalid_grant"
    code = code_of(authorize(api, **query))
    right = api.auth.post("/oauth/token", json={**body, "code": code, "code_verifier": VERIFIER})
    assert works(api, right.json()["access_token"])
    assert redeem(api, code_of(authorize(api)), code_verifier=VERIFIER).status_code == 400
    assert redeem(api, code_of(authorize(api, **query))).json()["error"] == "invalid_grant"


def test_the_redirect_address_is_exact(api: Api) -> None:
    """Another one in the second step is refused; fragments and odd schemes in the first."""
    code = code_of(authorize(api))
    response = redeem(api, code, redirect_uri=CALLBACK + "/")
    assert response.json()["error"] == "invalid_grant"
    for bad in ("", "ftp://x/", "https://x/#part", "javascript:alert(1)"):
        assert authorize(api, redirect_uri=bad).status_code == 400
    assert authorize(api, client_id="wrong").status_code == 400
    assert "error=unsupported" in authorize(api, response_type="token").headers["location"]
    plain = authorize(api, code_challenge="x", code_challenge_method="plain")
    assert "error=invalid_request" in plain.headers["location"]


def test_the_pin_page(api: Api) -> None:
    """Without a redirect address the code is shown on a page."""
    page = authorize(api, redirect_uri=OOB)
    assert page.status_code == 200
    code = page.text.partition('id="pin">')[2].partition("<")[0]
    assert works(api, redeem(api, code, redirect_uri=OOB).json()["access_token"])


def test_codes_expire(api: Api) -> None:
    """After ten minutes a code is worth nothing."""
    code = code_of(authorize(api))
    api.sandbox.advance(601)
    assert redeem(api, code).json()["error"] == "invalid_grant"


def test_refusing_and_being_somebody_else(start: Callable[..., Api]) -> None:
    """The person may say no, or be another one than expected."""
    api = start(accounts=2)
    api.sandbox.set_faults("consent-refused@1", "consent-other@2")
    assert "error=access_denied" in authorize(api).headers["location"]
    tokens = redeem(api, code_of(authorize(api))).json()
    settings = api.get("/users/settings", authorization=f"Bearer {tokens['access_token']}").json()
    assert settings["user"]["username"] == "robin-sample"
    api.sandbox.set_faults("consent-refused")
    assert authorize(api, redirect_uri=OOB).status_code == 403
    api.sandbox.clear_faults()
    api.sandbox.consent_as("robin-sample")
    tokens = redeem(api, code_of(authorize(api))).json()
    settings = api.get("/users/settings", authorization=f"Bearer {tokens['access_token']}").json()
    assert settings["user"]["username"] == "robin-sample"


def test_credentials_count_in_a_json_body_only(api: Api) -> None:
    """Forms, broken JSON, Basic authentication and missing fields are refused."""
    fields = {"grant_type": "refresh_token", "refresh_token": api.sandbox.refresh_token}
    assert api.auth.post("/oauth/token", data=fields).json()["error"] == "invalid_request"
    kind = {"content-type": "application/json"}
    broken = api.auth.post("/oauth/token", content=b"{", headers=kind)
    assert broken.json()["error"] == "invalid_request"
    basic = (api.sandbox.client_id, api.sandbox.client_secret)
    only = {**fields, "redirect_uri": OOB, "client_id": api.sandbox.client_id}
    response = api.auth.post("/oauth/token", json=only, auth=basic)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert api.post("/oauth/token", grant_type="refresh_token").json()["error"] == "invalid_request"
    kinds = api.post("/oauth/token", grant_type="password")
    assert kinds.json()["error"] == "unsupported_grant_type"
    nameless = api.auth.post("/oauth/token", json=fields, headers={"user-agent": "httpx2/1"})
    assert nameless.status_code == 403


def test_refresh_tokens_are_good_once(api: Api) -> None:
    """Rotation gives a new pair; the old access token lives on."""
    pair = api.refresh(api.sandbox.refresh_token).json()
    assert pair["refresh_token"] != api.sandbox.refresh_token
    assert works(api, pair["access_token"])
    assert works(api, api.sandbox.access_token)


def test_reuse_of_a_rotated_token_kills_everything(api: Api) -> None:
    """The strict server takes it for theft: no token of the person survives."""
    pair = api.refresh(api.sandbox.refresh_token).json()
    again = api.refresh(api.sandbox.refresh_token)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not works(api, pair["access_token"])
    assert not works(api, api.sandbox.access_token)
    assert api.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_theft_in_one_account_leaves_the_others_alone(start: Callable[..., Api]) -> None:
    """Only tokens of the same person are deleted."""
    api = start(accounts=2)
    api.refresh(api.sandbox.refresh_token)
    api.refresh(api.sandbox.refresh_token)
    assert works(api, api.sandbox.accounts[1].access_token)


def test_grace_gives_the_same_pair_again(start: Callable[..., Api]) -> None:
    """Within the window a retry is forgiven; after it the theft rule holds."""
    api = start(refresh="grace", grace=30.0)
    first, second = (api.refresh(api.sandbox.refresh_token).json() for _ in range(2))
    assert first == second
    api.sandbox.advance(31)
    assert api.refresh(api.sandbox.refresh_token).json()["error"] == "invalid_grant"
    assert not works(api, first["access_token"])


def test_access_tokens_expire(start: Callable[..., Api]) -> None:
    """After `expires_in` seconds, or when a test says so."""
    api = start(expires_in=60)
    assert works(api, api.sandbox.access_token)
    api.sandbox.advance(60)
    assert not works(api, api.sandbox.access_token)
    fresh = api.sandbox.issue_tokens()["access_token"]
    assert works(api, fresh)
    api.sandbox.expire_tokens()
    assert not works(api, fresh)


def test_revoking_withdraws_one_consent(api: Api) -> None:
    """Both tokens of the consent die, those of another consent do not."""
    other = api.sandbox.issue_tokens()
    assert api.post("/oauth/revoke", token=api.sandbox.access_token).status_code == 200
    assert not works(api, api.sandbox.access_token)
    assert api.refresh(api.sandbox.refresh_token).status_code == 400
    assert works(api, other["access_token"])
    assert api.post("/oauth/revoke", token="unknown").status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "rotated"),
    [
        ("refresh-429", 429, False),
        ("refresh-503", 503, False),
        ("refresh-invalid-grant", 400, False),
        ("refresh-invalid-client", 401, False),
        ("refresh-lost-500", 500, True),
        ("refresh-lost-html", 200, True),
    ],
)
def test_refreshes_that_fail(api: Api, fault: str, status: int, rotated: bool) -> None:
    """Some failures leave the old token alone, others have spent it."""
    api.sandbox.set_faults(f"{fault}@1")
    response = api.refresh(api.sandbox.refresh_token)
    assert response.status_code == status
    assert ("retry-after" in response.headers) == (status in (429, 503))
    assert (api.refresh(api.sandbox.refresh_token).status_code == 400) == rotated


def test_a_lost_answer_can_be_fetched_again_in_grace(start: Callable[..., Api]) -> None:
    """The strict server has forgotten the person, the other gives the pair that was lost."""
    api = start(refresh="grace", faults=("refresh-lost-500@1",))
    assert api.refresh(api.sandbox.refresh_token).status_code == 500
    assert api.refresh(api.sandbox.refresh_token).status_code == 200


def test_an_answer_without_a_refresh_token(api: Api) -> None:
    """The old one stays good."""
    api.sandbox.set_faults("refresh-no-successor@1")
    pair = api.refresh(api.sandbox.refresh_token).json()
    assert "refresh_token" not in pair
    assert works(api, pair["access_token"])
    assert "refresh_token" in api.refresh(api.sandbox.refresh_token).json()


def poll(api: Api, code: str) -> Any:
    """Ask whether a device is let in."""
    return api.post("/oauth/device/token", code=code)


def test_a_device_is_let_in_after_a_poll(start: Callable[..., Api]) -> None:
    """Pending, approved, used; and an unknown code."""
    api = start(device_polls=2, device_interval=3)
    device = api.post("/oauth/device/code").json()
    assert device["verification_url"] == f"{api.sandbox.auth_url}/activate"
    assert device["interval"] == 3
    assert len(device["user_code"]) == 8
    codes = [poll(api, device["device_code"]) for _ in range(4)]
    assert [response.status_code for response in codes] == [400, 400, 200, 409]
    assert works(api, codes[2].json()["access_token"])
    assert poll(api, "nothing").status_code == 404


def test_a_device_that_is_too_late(api: Api) -> None:
    """410 once the code has expired."""
    device = api.post("/oauth/device/code").json()
    api.sandbox.advance(device["expires_in"] + 1)
    assert poll(api, device["device_code"]).status_code == 410


def test_a_device_waits_for_the_activation_page(start: Callable[..., Api]) -> None:
    """With negative polls only the page lets it in, whatever the case of the code."""
    api = start(device_polls=-1)
    device = api.post("/oauth/device/code").json()
    assert [poll(api, device["device_code"]).status_code for _ in range(3)] == [400] * 3
    assert "<form" in api.auth.get("/activate").text
    assert api.auth.post("/activate", data={"code": "WRONG"}).status_code == 404
    assert api.auth.post("/activate", data={"code": device["user_code"].lower()}).status_code == 200
    assert poll(api, device["device_code"]).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("device-pending", 400),
        ("device-refused", 418),
        ("device-expired", 410),
        ("device-unknown", 404),
        ("device-used", 409),
        ("device-slow", 429),
    ],
)
def test_every_answer_to_a_poll_can_be_had(
    start: Callable[..., Api], fault: str, status: int
) -> None:
    """A fault gives each status once; the next poll goes on as usual."""
    api = start(device_polls=0)
    code = api.post("/oauth/device/code").json()["device_code"]
    api.sandbox.set_faults(f"{fault}@1")
    assert [poll(api, code).status_code for _ in range(2)] == [status, 200]


def test_somebody_else_approves_the_device(start: Callable[..., Api]) -> None:
    """The tokens are those of another account."""
    api = start(device_polls=0, accounts=2, faults=("device-other", "device-start-429@1"))
    early = api.post("/oauth/device/code")
    assert early.status_code == 429
    assert early.headers["content-type"].startswith("text/plain")
    assert early.headers["retry-after"] == "143"
    tokens = poll(api, api.post("/oauth/device/code").json()["device_code"]).json()
    settings = api.get("/users/settings", authorization=f"Bearer {tokens['access_token']}").json()
    assert settings["user"]["username"] == "robin-sample"

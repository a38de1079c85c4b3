from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from watchbook import clock
from watchbook.addresses import AddressRule
from watchbook.errors import (
    AuthorisationNeeded,
    OutcomeUnknown,
    RateLimited,
    RemoteChanged,
    RemoteRejected,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import HttpClient
from watchbook.pkce import make_pkce
from watchbook.redaction import redact
from watchbook.trakt.auth import (
    PIN_REDIRECT,
    App,
    AppRefused,
    AuthServer,
    DeviceCode,
    GrantRefused,
    TokenPair,
)

URL = "https://auth.trakt.tv"
APP = App("the-client-id", "the-client-secret")
CODE = DeviceCode("the-device-code", "5055CC52", f"{URL}/activate", 600, 5)
HTML = "<html><title>Attention Required! | Cloudflare</title></html>"


def token(**changes: Any) -> httpx2.Response:
    """A token object as Trakt sends it."""
    body = {
        "access_token": "an-access-token-1",
        "token_type": "bearer",
        "expires_in": 604_800,
        "refresh_token": "a-refresh-token-1",
        "scope": "public",
        "created_at": int(clock.now().timestamp()),
    }
    return httpx2.Response(200, json=body | changes)


def refusal(status: int, error: str, description: str = "") -> httpx2.Response:
    """An OAuth error object."""
    return httpx2.Response(status, json={"error": error, "error_description": description})


def page(status: int, **headers: str) -> httpx2.Response:
    """A page of Cloudflare's."""
    return httpx2.Response(status, html=HTML, headers=headers)


class Script:
    """Trakt, answering one response after the other and keeping what it was sent."""

    def __init__(self) -> None:
        self.answers: list[httpx2.Response | Exception] = []
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def bodies(self) -> list[dict[str, str]]:
        """The JSON of every request."""
        return [json.loads(request.content) for request in self.requests]


@pytest.fixture
def script() -> Script:
    """Trakt's answers, to be filled in by the test."""
    return Script()


@pytest.fixture
def server(script: Script) -> Iterator[AuthServer]:
    """The protocol, talking to the script."""
    transport = httpx2.MockTransport(script)
    with HttpClient(AddressRule(), service="Trakt", transport=transport) as http:
        yield AuthServer(http, URL, APP)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    waited: list[float] = []
    monkeypatch.setattr(clock, "sleep", waited.append)
    return waited


def test_device_code_is_asked_with_the_id_alone(server: AuthServer, script: Script) -> None:
    """Starting a device sign-in sends the client's id as JSON and reads all five fields."""
    body = {
        "device_code": "d" * 64,
        "user_code": "5055CC52",
        "verification_url": f"{URL}/activate",
        "expires_in": 600,
        "interval": 5,
    }
    script.answers = [httpx2.Response(200, json=body)]
    code = server.start_device()
    assert (code.user_code, code.expires_in, code.interval) == ("5055CC52", 600, 5)
    assert script.bodies() == [{"client_id": "the-client-id"}]
    assert "d" * 64 not in repr(code)


def test_device_start_too_often_says_when_to_come_back(server: AuthServer, script: Script) -> None:
    """The plain-text 429 of the device endpoint becomes RateLimited with its wait."""
    script.answers = [httpx2.Response(429, text="Slow down", headers={"Retry-After": "143"})]
    with pytest.raises(RateLimited) as caught:
        server.start_device()
    assert caught.value.retry_after == 143


@pytest.mark.parametrize(
    "pending",
    [
        httpx2.Response(400),
        httpx2.Response(400, text="pending"),
        refusal(400, "authorization_pending"),
    ],
    ids=["empty", "text", "json"],
)
def test_poll_waits_while_pending(
    server: AuthServer, script: Script, pauses: list[float], pending: httpx2.Response
) -> None:
    """A 400, with whatever body, means that the person has not decided: wait, ask again."""
    script.answers = [pending, pending, token()]
    pair = server.poll_device(CODE)
    assert pair.access == "an-access-token-1"
    assert pauses == [5, 5, 5]
    assert script.bodies()[0] == {
        "code": "the-device-code",
        "client_id": "the-client-id",
        "client_secret": "the-client-secret",
    }


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "does not know"), (409, "used already"), (410, "ended before"), (418, "refused")],
)
def test_poll_ends(
    server: AuthServer, script: Script, pauses: list[float], status: int, words: str
) -> None:
    """404, 409, 410 and 418 end the polling, each in words of its own."""
    script.answers = [httpx2.Response(400), httpx2.Response(status)]
    with pytest.raises(GrantRefused, match=words) as caught:
        server.poll_device(CODE)
    assert caught.value.hint
    assert not script.answers


def test_poll_slows_down_for_good(server: AuthServer, script: Script, pauses: list[float]) -> None:
    """A 429 adds one interval to all later pauses, and a longer Retry-After is kept."""
    script.answers = [
        httpx2.Response(429),
        httpx2.Response(400),
        httpx2.Response(429, headers={"Retry-After": "60"}),
        httpx2.Response(400),
        token(),
    ]
    server.poll_device(CODE)
    assert pauses == [5, 10, 10, 60, 15]


def test_poll_outlives_a_short_outage(
    server: AuthServer, script: Script, pauses: list[float]
) -> None:
    """A dead network, a lost answer and a 502 do not end a sign-in."""
    script.answers = [
        httpx2.ConnectError("down"),
        httpx2.ReadError("reset"),
        page(502),
        token(),
    ]
    assert server.poll_device(CODE).refresh == "a-refresh-token-1"
    assert pauses == [5, 5, 5, 5]


def test_poll_ends_with_the_code(server: AuthServer, script: Script, pauses: list[float]) -> None:
    """When the code's time is over the polling ends without another request."""
    script.answers = [httpx2.Response(400)] * 200
    with pytest.raises(GrantRefused, match="ended before"):
        server.poll_device(CODE)
    assert sum(pauses) == CODE.expires_in


def test_poll_that_is_blocked_says_so(
    server: AuthServer, script: Script, pauses: list[float]
) -> None:
    """A block that lasts longer than the code is told as a block, not as an expired code."""
    script.answers = [page(403)]
    with pytest.raises(RateLimited, match="Cloudflare"):
        server.poll_device(CODE)


def test_authorize_address_carries_state_and_challenge(server: AuthServer) -> None:
    """The consent page gets state, exact redirect and the S256 challenge, never a secret."""
    pkce = make_pkce()
    redirect = "https://book.example.org/trakt/callback"
    url = urlsplit(server.authorize_url(redirect, state="a state", pkce=pkce))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url._replace(query="").geturl() == f"{URL}/oauth/authorize"
    digest = hashlib.sha256(pkce.verifier.encode()).digest()
    assert query == {
        "response_type": "code",
        "client_id": "the-client-id",
        "redirect_uri": redirect,
        "state": "a state",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }


def test_verifiers_are_long_and_never_alike() -> None:
    """A verifier has 43 to 128 characters of the unreserved set (RFC 7636, 4.1)."""
    first, second = make_pkce(), make_pkce()
    assert first.verifier != second.verifier
    assert 43 <= len(first.verifier) <= 128
    assert first.verifier.replace("-", "").replace("_", "").isalnum()
    assert first.verifier not in repr(first)


def test_pin_is_exchanged_with_the_secret(server: AuthServer, script: Script) -> None:
    """A PIN goes with the out-of-band redirect and the client's secret."""
    script.answers = [token()]
    server.exchange_code("12345678", PIN_REDIRECT)
    assert script.bodies() == [
        {
            "grant_type": "authorization_code",
            "code": "12345678",
            "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
            "client_id": "the-client-id",
            "client_secret": "the-client-secret",
        }
    ]
    assert "authorization" not in script.requests[0].headers


def test_browser_code_is_exchanged_with_the_verifier(server: AuthServer, script: Script) -> None:
    """With PKCE the verifier stands in for the secret."""
    script.answers = [token()]
    pkce = make_pkce()
    server.exchange_code("a-long-code", "https://book.example.org/trakt/callback", pkce=pkce)
    (body,) = script.bodies()
    assert body["code_verifier"] == pkce.verifier
    assert "client_secret" not in body


def test_refresh_repeats_the_redirect(server: AuthServer, script: Script) -> None:
    """A refresh names the redirect that the grant was made with, and sends the secret."""
    script.answers = [token(refresh_token="a-refresh-token-2", expires_at=1, id_token="x")]
    pair = server.refresh("a-refresh-token-1", "https://book.example.org/trakt/callback")
    assert pair.refresh == "a-refresh-token-2"
    (body,) = script.bodies()
    assert body["redirect_uri"] == "https://book.example.org/trakt/callback"
    assert body["client_secret"] == "the-client-secret"


@pytest.mark.parametrize("seconds", [7_776_000, 604_800, 86_400, 3600])
def test_expiry_is_what_trakt_says(server: AuthServer, script: Script, seconds: int) -> None:
    """The end of a token is created_at + expires_in, whatever lifetime Trakt is in the mood for."""
    created = int((clock.now() - timedelta(seconds=seconds / 8)).timestamp())
    script.answers = [token(expires_in=seconds, created_at=created)]
    pair = server.refresh("a-refresh-token-1")
    assert int(pair.expires.timestamp()) == created + seconds


@pytest.mark.parametrize("hours", [-14, 14])
def test_wrong_clock_does_not_end_a_token(server: AuthServer, script: Script, hours: int) -> None:
    """A clock off by most of a day counts from the moment of receipt, so nothing storms."""
    created = int((clock.now() + timedelta(hours=hours)).timestamp())
    script.answers = [token(expires_in=86_400, created_at=created)]
    pair = server.refresh("a-refresh-token-1")
    assert abs((pair.issued - clock.now()).total_seconds()) < 60


@pytest.mark.parametrize("missing", ["created_at", "refresh_token", "scope"])
def test_what_a_token_can_do_without(server: AuthServer, script: Script, missing: str) -> None:
    """Moment, refresh token and scope may be missing from a token object."""
    script.answers = [token(**{missing: None})]
    assert server.refresh("a-refresh-token-1").access == "an-access-token-1"


Case = tuple[Callable[[], httpx2.Response | Exception], type[WatchbookError], type[WatchbookError]]

NEVER_SENT: Case = (lambda: httpx2.ConnectError("x"), RemoteUnavailable, RemoteUnavailable)
FAILURES: dict[str, Case] = {
    # what came back: (what an exchange makes of it, what a refresh makes of it)
    "invalid_grant": (
        lambda: refusal(400, "invalid_grant", "session not found"),
        GrantRefused,
        GrantRefused,
    ),
    "invalid_grant as 401": (lambda: refusal(401, "invalid_grant"), GrantRefused, GrantRefused),
    "invalid_client": (lambda: refusal(401, "invalid_client"), AppRefused, AppRefused),
    "app deleted": (lambda: refusal(400, "x", "client_id is required"), AppRefused, AppRefused),
    "403 json": (lambda: refusal(403, "forbidden"), AppRefused, AppRefused),
    "403 empty": (lambda: httpx2.Response(403), AppRefused, AppRefused),
    "invalid_request": (lambda: refusal(400, "invalid_request"), RemoteRejected, RemoteRejected),
    "400 text": (lambda: httpx2.Response(400, text="?"), RemoteRejected, RemoteRejected),
    "400 broken json": (
        lambda: httpx2.Response(400, content=b"{", headers={"Content-Type": "application/json"}),
        RemoteRejected,
        RemoteRejected,
    ),
    "404 page": (lambda: page(404), RemoteRejected, OutcomeUnknown),
    "302": (lambda: httpx2.Response(302), RemoteRejected, RemoteRejected),
    "408": (lambda: httpx2.Response(408), RemoteRejected, OutcomeUnknown),
    "cloudflare 403": (lambda: page(403), RateLimited, RateLimited),
    "cloudflare 1010": (
        lambda: httpx2.Response(403, text="error code: 1010"),
        RateLimited,
        RateLimited,
    ),
    "cloudflare 429": (lambda: page(429), RateLimited, RateLimited),
    "429": (lambda: httpx2.Response(429), RateLimited, RateLimited),
    "503 polite": (
        lambda: httpx2.Response(503, headers={"Retry-After": "30"}),
        RateLimited,
        RateLimited,
    ),
    "503": (lambda: httpx2.Response(503), RemoteUnavailable, OutcomeUnknown),
    "500": (lambda: httpx2.Response(500), RemoteUnavailable, OutcomeUnknown),
    "502 with a time": (
        lambda: page(502, **{"Retry-After": "30"}),
        RateLimited,
        OutcomeUnknown,
    ),
    "520": (lambda: page(520), RemoteUnavailable, OutcomeUnknown),
    "html as 200": (lambda: page(200), RemoteChanged, OutcomeUnknown),
    "nothing as 200": (lambda: httpx2.Response(200), RemoteChanged, OutcomeUnknown),
    "null": (lambda: httpx2.Response(200, json=None), RemoteChanged, OutcomeUnknown),
    "204": (lambda: httpx2.Response(204), RemoteChanged, OutcomeUnknown),
    "no token": (lambda: httpx2.Response(200, json={}), RemoteChanged, OutcomeUnknown),
    "timeout": (lambda: httpx2.ReadTimeout("x"), OutcomeUnknown, OutcomeUnknown),
    "reset": (lambda: httpx2.ReadError("x"), OutcomeUnknown, OutcomeUnknown),
    "no network": NEVER_SENT,
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_of_an_exchange(server: AuthServer, script: Script, name: str) -> None:
    """Each wrong answer to a code becomes exactly one kind of our errors."""
    answer, kind, _ = FAILURES[name]
    script.answers = [answer()]
    with pytest.raises(WatchbookError) as caught:
        server.exchange_code("a-code-of-trakt", PIN_REDIRECT)
    assert type(caught.value) is kind


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_of_a_refresh(server: AuthServer, script: Script, name: str) -> None:
    """A refresh is refused, not used, or unclear: never taken for one when it is the other."""
    answer, _, kind = FAILURES[name]
    script.answers = [answer()]
    with pytest.raises(WatchbookError) as caught:
        server.refresh("a-refresh-token-1")
    assert type(caught.value) is kind
    assert len(script.requests) == 1, "a refresh is never repeated by itself"


@pytest.mark.parametrize("name", FAILURES)
def test_no_failure_tells_a_secret(server: AuthServer, script: Script, name: str) -> None:
    """No error of a refresh quotes a token or the client's secret."""
    script.answers = [FAILURES[name][0]()]
    with pytest.raises(WatchbookError) as caught:
        server.refresh("a-refresh-token-1")
    told = f"{caught.value!r} {caught.value.hint}"
    assert "a-refresh-token-1" not in told
    assert "the-client-secret" not in told


def test_servers_own_words_are_kept_but_tamed(server: AuthServer, script: Script) -> None:
    """The description of an error reaches the person, without escapes and without the token."""
    script.answers = [refusal(400, "invalid_grant", "gone\x1b[2J: a-refresh-token-1")]
    with pytest.raises(GrantRefused) as caught:
        server.refresh("a-refresh-token-1")
    assert "invalid_grant: gone" in caught.value.message
    assert "\x1b" not in caught.value.message
    assert "a-refresh-token-1" not in caught.value.message


def test_deleted_app_shows_the_other_door(server: AuthServer, script: Script) -> None:
    """Who lost the app reads about VIP and about the export ZIP."""
    script.answers = [refusal(401, "invalid_client")]
    with pytest.raises(AppRefused) as caught:
        server.refresh("a-refresh-token-1")
    assert caught.value.hint is not None
    assert "VIP" in caught.value.hint
    assert "watchbook import" in caught.value.hint
    assert caught.value.exit_code == 77


def test_cloudflare_is_left_alone_for_a_while(server: AuthServer, script: Script) -> None:
    """After a page of Cloudflare's the wait is a quarter of an hour at least."""
    script.answers = [page(403), page(429, **{"Retry-After": "3600"})]
    waits = []
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            server.refresh("a-refresh-token-1")
        waits.append(caught.value.retry_after)
    assert waits == [900, 3600]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17),
        (" 17 ", 17),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_in_all_its_forms(
    server: AuthServer, script: Script, header: str, seconds: float | None
) -> None:
    """Retry-After is a number or a date (RFC 9110, 10.2.3); anything else counts as absent."""
    script.answers = [httpx2.Response(429, headers={b"Retry-After": header.encode()})]
    with pytest.raises(RateLimited) as caught:
        server.refresh("a-refresh-token-1")
    assert caught.value.retry_after == seconds


def test_revoking_what_is_dead_says_so(server: AuthServer, script: Script) -> None:
    """Revocation sends token, id and secret; an unknown token is refused in our words."""
    script.answers = [httpx2.Response(200), refusal(400, "invalid_grant")]
    server.revoke("an-access-token-1")
    assert script.bodies()[0]["token"] == "an-access-token-1"
    with pytest.raises(AuthorisationNeeded):
        server.revoke("an-access-token-1")


def test_secrets_hide_in_repr_and_log() -> None:
    """Pair and app show no secret, and the log's net knows every token that was made."""
    pair = TokenPair("access-token-of-a-test", "refresh-token-of-a-test", 1, 1)
    app = App("an id", "a secret of some test")
    for value in ("access-token-of-a-test", "refresh-token-of-a-test", "a secret of some test"):
        assert value not in f"{pair!r} {app!r} {pair} {app}"
        assert value not in redact(f"saying {value} aloud")

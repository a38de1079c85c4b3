from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import time_machine

from watchbook.addresses import AddressRule
from watchbook.errors import (
    AccountLocked,
    AuthorisationNeeded,
    NotOffered,
    RateLimited,
    RemoteChanged,
    RemoteRejected,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import HttpClient
from watchbook.redaction import secret
from watchbook.trakt.client import Patience, TraktClient, app_refused

URL = "https://api.trakt.tv"
TOKEN = secret("an-access-token-of-this-test")
RENEWED = secret("a-renewed-token-of-this-test")
HTML = "<html><title>Just a moment...</title></html>"
Make = Callable[[], httpx2.Response | Exception]


@dataclass
class Trakt:
    """Trakt, answering from a script (its last answer for ever), and what was done about it."""

    answers: list[Make] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    spent: int = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        make = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = make()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def current(self) -> str:
        """The token."""
        return TOKEN

    def after_401(self, token: str) -> str:
        """Another token."""
        self.refused.append(token)
        return RENEWED

    def spend(self) -> None:
        """One read."""
        self.spent += 1

    def block_for(self, seconds: float) -> None:
        """Nobody reads."""
        self.blocks.append(seconds)

    @property
    def tokens(self) -> list[str]:
        """The token of each request."""
        return [
            request.headers["authorization"].removeprefix("Bearer ") for request in self.requests
        ]


@pytest.fixture
def trakt() -> Trakt:
    """Trakt, to be given answers by the test."""
    return Trakt()


@pytest.fixture
def client(trakt: Trakt) -> Iterator[TraktClient]:
    """A client that talks to the script and never waits."""
    patience = Patience(
        sleep=trakt.waits.append, on_wait=lambda seconds, why: trakt.told.append((seconds, why))
    )
    with HttpClient(AddressRule(), service="Trakt", transport=httpx2.MockTransport(trakt)) as http:
        yield TraktClient(http, URL, "an-id", tokens=trakt, budget=trakt, patience=patience)


def status(code: int, **more: Any) -> Make:
    """An answer of that status."""
    return lambda: httpx2.Response(code, **more)


def page(code: int, **headers: str) -> Make:
    """A page of Cloudflare's."""
    return status(code, html=HTML, headers=headers)


def test_request_carries_what_trakt_requires(client: TraktClient, trakt: Trakt) -> None:
    """Key, version, type, agent and token go along as headers; the query is what was asked."""
    trakt.answers = [status(200, json=[1])]
    answer = client.get("/users/me/history", {"page": 2, "limit": 250})
    assert answer.json() == [1]
    (request,) = trakt.requests
    assert str(request.url) == f"{URL}/users/me/history?page=2&limit=250"
    assert request.headers["trakt-api-key"] == "an-id"
    assert request.headers["trakt-api-version"] == "2"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Watchbook/")
    assert trakt.tokens == [TOKEN]
    assert (client.requests, trakt.spent) == (1, 1)


def test_no_content_is_an_answer(client: TraktClient, trakt: Trakt) -> None:
    """204 says that there is nothing, which is no error."""
    trakt.answers = [status(204)]
    assert client.get("/users/me/watching").body == b""


Case = tuple[Make, type[WatchbookError], list[float], list[float]]
LEAVE = [60.0, 120.0, 240.0]
BACK_OFF = [1.0, 2.0, 4.0]
FAILURES: dict[str, Case] = {
    # what is always answered: (the error in the end, the waits, for how long all reads stop)
    "301": (status(301, headers={"Location": "https://x.org"}), RemoteChanged, [], []),
    "302": (status(302), RemoteChanged, [], []),
    "400": (status(400), RemoteRejected, [], []),
    "402": (status(402), RemoteRejected, [], []),
    "403 json": (status(403, json={}), NotOffered, [], []),
    "403 empty": (status(403), NotOffered, [], []),
    "403 cloudflare": (page(403), RateLimited, [], []),
    "403 error 1010": (status(403, text="error code: 1010"), RateLimited, [], []),
    "404": (status(404), NotOffered, [], []),
    "404 page": (page(404), NotOffered, [], []),
    "405": (status(405), RemoteChanged, [], []),
    "408": (status(408), RemoteUnavailable, BACK_OFF, []),
    "409": (status(409, json={}), RemoteRejected, [], []),
    "410": (status(410), NotOffered, [], []),
    "412": (status(412), RemoteChanged, [], []),
    "418": (status(418), RemoteRejected, [], []),
    "420": (status(420), NotOffered, [], []),
    "422": (status(422, json={"error": "bad"}), RemoteRejected, [], []),
    "423": (status(423), AccountLocked, [], []),
    "426": (status(426), NotOffered, [], []),
    "429": (status(429), RateLimited, LEAVE, LEAVE),
    "429 with seconds": (
        status(429, headers={"Retry-After": "17"}),
        RateLimited,
        [18.0] * 3,
        [18.0] * 3,
    ),
    "429 with zero": (status(429, headers={"Retry-After": "0"}), RateLimited, [1.0] * 3, [1.0] * 3),
    "429 with a date": (
        status(429, headers={"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT"}),
        RateLimited,
        [31.0] * 3,
        [31.0] * 3,
    ),
    "429 with a date gone by": (
        status(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        RateLimited,
        [1.0] * 3,
        [1.0] * 3,
    ),
    "429 with nonsense": (status(429, headers={"Retry-After": "soon"}), RateLimited, LEAVE, LEAVE),
    "429 cloudflare": (page(429), RateLimited, LEAVE, LEAVE),
    "500": (status(500), RemoteUnavailable, BACK_OFF, []),
    "502": (page(502), RemoteUnavailable, [30.0] * 3, []),
    "503": (status(503), RemoteUnavailable, [30.0] * 3, []),
    "503 with seconds": (
        status(503, headers={"Retry-After": "5"}),
        RateLimited,
        [6.0] * 3,
        [6.0] * 3,
    ),
    "504": (status(504), RemoteUnavailable, [30.0] * 3, []),
    "520": (page(520), RemoteUnavailable, BACK_OFF, []),
    "522": (page(522), RemoteUnavailable, BACK_OFF, []),
    "530": (page(530), RemoteUnavailable, BACK_OFF, []),
    "200 page": (page(200), RemoteUnavailable, BACK_OFF, []),
    "200 without a type": (status(200, content=b"[]"), RemoteUnavailable, BACK_OFF, []),
    "200 nothing": (
        status(200, content=b" \n", headers={"Content-Type": "application/json"}),
        RemoteUnavailable,
        BACK_OFF,
        [],
    ),
    "206": (status(206, json=[]), RemoteRejected, [], []),
    "no network": (lambda: httpx2.ConnectError("x"), RemoteUnavailable, BACK_OFF, []),
    "timeout": (lambda: httpx2.ReadTimeout("x"), RemoteUnavailable, BACK_OFF, []),
    "reset": (lambda: httpx2.ReadError("x"), RemoteUnavailable, BACK_OFF, []),
    "too large": (lambda: httpx2.Response(200, content=b"0" * (2**24 + 1)), RemoteChanged, [], []),
}


@pytest.mark.parametrize("name", FAILURES)
@time_machine.travel("2026-11-21T12:00:00Z", tick=False)
def test_what_each_answer_means(client: TraktClient, trakt: Trakt, name: str) -> None:
    """Each status becomes one kind of error, after exactly the tries and waits it deserves."""
    answer, kind, waits, blocks = FAILURES[name]
    trakt.answers = [answer]
    with pytest.raises(WatchbookError) as caught:
        client.get("/users/me/history")
    assert type(caught.value) is kind
    assert trakt.waits == waits
    assert [seconds for seconds, _ in trakt.told] == waits
    assert trakt.blocks == blocks
    assert len(trakt.requests) == trakt.spent == len(waits) + 1
    if not isinstance(caught.value, AuthorisationNeeded):
        assert getattr(caught.value, "service", None) == "Trakt"
        assert f"{URL}/users/me/history" in str(getattr(caught.value, "address", None))


@pytest.mark.parametrize("name", FAILURES)
def test_no_error_tells_a_secret(client: TraktClient, trakt: Trakt, name: str) -> None:
    """Neither the token nor the query stands in an error."""
    trakt.answers = [FAILURES[name][0]]
    with pytest.raises(WatchbookError) as caught:
        client.get("/users/me/history", {"start_at": "a-private-moment"})
    told = f"{caught.value!r} {caught.value.hint} {vars(caught.value)} {trakt.told}"
    assert TOKEN not in told
    assert "a-private-moment" not in told


@pytest.mark.parametrize("name", ["429", "500", "503", "408", "200 page", "reset"])
def test_passing_failure_passes(client: TraktClient, trakt: Trakt, name: str) -> None:
    """After a failure that passes, the same read goes well and the failure is forgotten."""
    passing = FAILURES[name][0]
    trakt.answers = [passing, passing, passing, status(200, json=[7])]
    assert client.get("/x").json() == [7]
    trakt.answers = [passing, status(200, json=[8])]
    assert client.get("/x").json() == [8]
    assert len(trakt.waits) == 4
    assert trakt.waits[3] == trakt.waits[0]


def test_every_reader_stops_while_trakt_says_no(client: TraktClient, trakt: Trakt) -> None:
    """After a 429 the budget is shut for all, this reader waits, and the reason is told."""
    trakt.answers = [status(429), status(200, json=[])]
    client.get("/x")
    assert (trakt.blocks, trakt.waits) == ([60.0], [60.0])
    assert trakt.told == [(60.0, "Trakt turns our requests away for now (status 429).")]


def test_cloudflare_asks_for_a_quarter_of_an_hour(client: TraktClient, trakt: Trakt) -> None:
    """A block by Cloudflare is not waited out, and says how long to stay away."""
    trakt.answers = [page(403), page(403, **{"Retry-After": "3600"})]
    waits = []
    for _ in range(2):
        with pytest.raises(RateLimited, match="Cloudflare") as caught:
            client.get("/x")
        waits.append(caught.value.retry_after)
    assert waits == [900, 3600]


def test_token_is_renewed_once(client: TraktClient, trakt: Trakt) -> None:
    """A 401 renews the token and repeats the read with the new one."""
    trakt.answers = [status(401), status(200, json=[1])]
    assert client.get("/x").json() == [1]
    assert trakt.tokens == [TOKEN, RENEWED]
    assert trakt.refused == [TOKEN]
    assert trakt.spent == 2


def test_renewed_token_refused_too(client: TraktClient, trakt: Trakt) -> None:
    """When the renewed token is refused as well, the person is asked; nothing is tried on."""
    trakt.answers = [status(401)]
    with pytest.raises(AuthorisationNeeded) as caught:
        client.get("/x")
    assert trakt.tokens == [TOKEN, RENEWED]
    assert "watchbook connect" in str(caught.value.hint)


@pytest.mark.parametrize("answers", [1, 2])
def test_private_person_is_no_dead_token(client: TraktClient, trakt: Trakt, answers: int) -> None:
    """A 401 with X-Private-User is about that person's data; the token is left alone."""
    private = status(401, headers={"X-Private-User": "true"})
    trakt.answers = [status(401), private][-answers:]
    with pytest.raises(NotOffered, match="private"):
        client.get("/x")
    assert len(trakt.refused) == answers - 1


def test_locked_account_names_the_support(client: TraktClient, trakt: Trakt) -> None:
    """Who is locked out reads whom to write to."""
    trakt.answers = [status(423, headers={"X-Account-Locked": "true"})]
    with pytest.raises(AccountLocked) as caught:
        client.get("/x")
    assert "support@trakt.tv" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "invalid_page", "error_description": "No such page."}, ": No such page."),
        ({"error": "invalid_page"}, ": invalid_page"),
        ({"message": "gone\x1b[2J\nnow"}, r": gone\x1b[2J\nnow"),
        ({"error": f"about Bearer {TOKEN}"}, ": about Bearer [hidden]"),
        ({"error": "x" * 1000}, ": " + "x" * 200),
        ({"error": None}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_own_words_of_trakt_are_tamed(
    client: TraktClient, trakt: Trakt, body: Any, words: str
) -> None:
    """A refusal quotes Trakt, without secrets and without anything that moves a terminal."""
    trakt.answers = [status(400, json=body)]
    with pytest.raises(RemoteRejected) as caught:
        client.get("/x")
    assert caught.value.message == f"Trakt refused (status 400){words}."


def test_deleted_app_shows_the_other_door() -> None:
    """When everything is refused, the app is gone: VIP and the export ZIP are named."""
    reason = app_refused(NotOffered("Trakt refuses it to this app (403)"))
    assert "(403)" in reason.message
    assert "VIP" in str(reason.hint)
    assert "watchbook import" in str(reason.hint)


def test_patience_grows_to_its_end() -> None:
    """Waits double up to the longest, and end after the tries."""
    patience = Patience(tries=9, longest=20)
    reason = RemoteUnavailable("not now", status=500)
    assert [patience.wait(reason, failed) for failed in range(1, 10)] == [
        1, 2, 4, 8, 16, 20, 20, 20, None,
    ]  # fmt: skip

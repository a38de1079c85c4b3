from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.websites import Asked, Said, Website, as_json, html, redirect
from watchbook.addresses import AddressRule
from watchbook.errors import (
    OutcomeUnknown,
    RateLimited,
    RemoteChanged,
    RemoteRejected,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import HttpClient
from watchbook.indieauth.discovery import Discovered
from watchbook.indieauth.document import client_at
from watchbook.indieauth.endpoints import Endpoints
from watchbook.indieauth.flow import Pending, start
from watchbook.indieauth.refusals import GrantEnded, SignInFailed
from watchbook.indieauth.tokens import Profile, SiteToken, redeem, renew, revoke
from watchbook.redaction import redact

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ME = "https://a.example/"
FORM = "application/x-www-form-urlencoded"
CLIENT = client_at("https://w.example")


def endpoints(site: Website, revocation: str | None = None) -> Endpoints:
    """A site's endpoints."""
    return Endpoints(site.url("/auth"), site.url("/token"), revocation)


def pending(site: Website) -> Pending:
    """A sign-in under way, which asked for ``create media``."""
    found = Discovered(ME, ME, (ME,), endpoints(site))
    return start(found, CLIENT, ["create", "media"], now=NOW)[1]


def as_form(text: str, status: int = 200) -> Said:
    """A form, which some servers answer with."""
    return Said(status, text.encode(), [("Content-Type", FORM)])


ANSWERS: dict[str, tuple[Said, str, datetime | None, str | None]] = {
    "WordPress": (
        as_json(
            {
                "access_token": "token-abc",
                "token_type": "Bearer",
                "scope": "create",
                "me": ME,
                "expires_in": 1209600,
                "refresh_token": "refresh-abc",
                "profile": {"name": "Alice"},
            }
        ),
        "create",
        NOW + timedelta(days=14),
        "refresh-abc",
    ),
    "Indiekit": (
        as_json({"access_token": "token-abc", "token_type": "Bearer", "scope": "draft", "me": ME}),
        "draft",
        None,
        None,
    ),
    "django-indieweb": (
        as_json({"access_token": "token-abc", "me": ME, "scope": "create", "expires_in": 60}, 201),
        "create",
        NOW + timedelta(minutes=1),
        None,
    ),
    "django-indieweb as a form": (
        as_form("access_token=token-abc&me=https%3A%2F%2Fa.example%2F&scope=create+update", 201),
        "create update",
        None,
        None,
    ),
    "Tanzawa": (as_json({"access_token": "token-abc", "me": ME}), "create media", None, None),
    "micropub.rocks": (
        as_form("access_token=token-abc&me=https%3A%2F%2Fa.example%2F&scope=create"),
        "create",
        None,
        None,
    ),
    "bearer in small letters": (
        as_json({"access_token": "token-abc", "token_type": "bearer", "me": ME}),
        "create media",
        None,
        None,
    ),
    "numbers as text": (
        as_json({"access_token": "token-abc", "me": ME, "expires_in": "3600"}),
        "create media",
        NOW + timedelta(hours=1),
        None,
    ),
    "JSON that calls itself something else": (
        Said(200, json.dumps({"access_token": "token-abc", "me": ME}).encode()),
        "create media",
        None,
        None,
    ),
    "an end that is no number": (
        as_json({"access_token": "token-abc", "me": ME, "expires_in": "soon"}),
        "create media",
        None,
        None,
    ),
    "nonsense beside it": (
        as_json(
            {
                "access_token": "token-abc",
                "me": ME,
                "expires_in": -5,
                "refresh_token": "",
                "scope": None,
                "profile": [1],
                "error": None,
            }
        ),
        "create media",
        None,
        None,
    ),
}


@pytest.mark.parametrize("server", ANSWERS)
def test_reads_every_servers_token(http: HttpClient, site: Website, server: str) -> None:
    """Status 200 or 201, JSON or form, with and without type, scope and expiry."""
    said, scope, expires, refresh = ANSWERS[server]
    site.pages["/token"] = said
    found = redeem(http, pending(site), "the-code", now=NOW)
    assert (found.me, found.token.access) == (ME, "token-abc")
    assert (found.token.scope, found.token.expires, found.token.refresh) == (
        scope,
        expires,
        refresh,
    )


def test_sends_what_the_specification_asks_for(http: HttpClient, site: Website) -> None:
    """A form with code and verifier, an Accept header for JSON, no secret of an app."""
    site.pages["/token"] = ANSWERS["WordPress"][0]
    begun = pending(site)
    redeem(http, begun, "the-code", now=NOW)
    [asked] = site.asked
    assert (asked.headers["content-type"], asked.headers["accept"]) == (FORM, "application/json")
    assert {name: values for name, [values] in asked.form.items()} == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "client_id": "https://w.example/client.json",
        "redirect_uri": "https://w.example/login/callback",
        "code_verifier": begun.verifier,
    }


REFUSALS: dict[str, Said] = {
    "usual": as_json({"error": "invalid_grant"}, 400),
    "WordPress": as_json({"error": "invalid_code", "error_description": "<p>old</p>"}, 401),
    "a bare word": as_form("invalid_grant", 400),
    "an error with 200": as_json({"error": "invalid_grant", "access_token": "x", "me": ME}),
    "no me": as_json({"access_token": "token-abc"}),
    "an empty me": as_json({"access_token": "token-abc", "me": ""}),
    "me is no text": as_json({"access_token": "token-abc", "me": [ME]}),
    "no token": as_json({"me": ME}),
    "a token that no header holds": as_json({"access_token": "a\nb", "me": ME}),
    "an empty token": as_json({"access_token": "", "me": ME}),
    "another kind of token": as_json({"access_token": "t", "me": ME, "token_type": "DPoP"}),
    "a redirect": redirect("/elsewhere", 307),
    "a page": html("<h1>Welcome"),
    "nothing": Said(204),
    "a form without end": as_form("&".join(["access_token=token-abc", *["a=b"] * 100])),
    "down": html("oops", status=502),
    "busy": Said(429),
    "too large": as_json({"access_token": "token-abc", "me": ME, "x": "x" * 70_000}),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_code_works_once(http: HttpClient, site: Website, fault: str) -> None:
    """Whatever goes wrong, the sign-in is over, and the code is not sent again or elsewhere."""
    site.pages["/token"] = REFUSALS[fault]
    site.pages["/elsewhere"] = ANSWERS["WordPress"][0]
    with pytest.raises(SignInFailed) as caught:
        redeem(http, pending(site), "the-secret-code", now=NOW)
    assert caught.value.hint is not None
    assert "the-secret-code" not in redact(caught.value.message)
    assert "<p>" not in caught.value.message
    assert [one.form.get("code") for one in site.asked if "code" in one.form] == [
        ["the-secret-code"]
    ]
    assert site.of("POST", "/elsewhere") == []


def test_a_code_is_not_sent_to_a_private_address(site: Website) -> None:
    """An endpoint that leads inside is like one that does not answer."""
    with (
        HttpClient(AddressRule(["9.9.9.9"])) as guarded,
        pytest.raises(SignInFailed, match="could not be reached"),
    ):
        redeem(guarded, pending(site), "the-code", now=NOW)
    assert site.asked == []


def test_a_profile_is_tamed(http: HttpClient, site: Website) -> None:
    """What is shown of a person is short text, and addresses that may be linked to."""
    site.pages["/token"] = as_json(
        {
            "access_token": "token-abc",
            "me": ME,
            "profile": {
                "name": "Al\nice " + "x" * 500,
                "url": "javascript:alert(1)",
                "photo": "https://a.example/me.jpg",
                "email": 5,
                "more": "x",
            },
        }
    )
    found = redeem(http, pending(site), "the-code", now=NOW).profile
    assert found == Profile(("Al ice " + "x" * 500)[:200], None, "https://a.example/me.jpg", None)


TOKEN = SiteToken("token-old", "create", NOW, "refresh-old", NOW + timedelta(days=14))


def test_tokens_are_not_shown() -> None:
    """Neither the value nor its repr in a log shows a token."""
    assert "token-old" not in repr(TOKEN)
    assert redact("token-old refresh-old") == "[hidden] [hidden]"


@pytest.mark.parametrize(
    ("scope", "posts", "drafts"),
    [
        ("create", True, False),
        ("profile create media", True, False),
        ("draft", True, True),
        ("post", True, False),
        ("update", False, False),
        ("", False, False),
        ("created", False, False),
    ],
)
def test_what_a_token_may_be_used_for(scope: str, posts: bool, drafts: bool) -> None:
    """The scope that came back says whether posts can be made, and whether they stay drafts."""
    token = SiteToken("token-new", scope, NOW)
    assert (token.may_post, token.makes_drafts) == (posts, drafts)


@pytest.mark.parametrize(
    ("life", "before"),
    [
        (timedelta(days=14), timedelta(days=1)),
        (timedelta(days=365), timedelta(days=1)),
        (timedelta(minutes=5), timedelta(minutes=1)),
        (timedelta(hours=14), timedelta(hours=1)),
    ],
)
def test_when_to_renew(life: timedelta, before: timedelta) -> None:
    """A little before the end, measured by the length of the life."""
    token = SiteToken("token-new", "create", NOW, "refresh-new", NOW + life)
    assert token.renew_at == NOW + life - before


def test_what_cannot_be_renewed_has_no_time_for_it() -> None:
    """Without a refresh token or an end there is nothing to wait for."""
    assert SiteToken("token-new", "create", NOW, "refresh-new").renew_at is None
    assert SiteToken("token-new", "create", NOW, None, NOW).renew_at is None


def renewed(http: HttpClient, site: Website, said: Said) -> SiteToken:
    """The token after a renewal that is answered so."""
    site.pages["/token"] = said
    return renew(http, site.url("/token"), CLIENT.client_id, TOKEN, now=NOW)


def test_renewing_rotates_both(http: HttpClient, site: Website) -> None:
    """The new refresh token replaces the old one; form and client are what servers ask for."""
    answer = {"access_token": "token-2", "refresh_token": "refresh-2", "expires_in": 60}
    found = renewed(http, site, as_json(answer))
    assert (found.access, found.refresh) == ("token-2", "refresh-2")
    assert found.scope == "create"
    assert found.expires == NOW + timedelta(minutes=1)
    assert {name: values for name, [values] in site.asked[0].form.items()} == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-old",
        "client_id": CLIENT.client_id,
    }


def test_renewing_without_a_new_one_keeps_the_old(http: HttpClient, site: Website) -> None:
    """A server that sends no refresh token lets the one in use be used again."""
    assert renewed(http, site, as_json({"access_token": "token-2"})).refresh == "refresh-old"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (as_json({"error": "invalid_grant"}, 400), GrantEnded),
        (as_json({"error": "invalid_token"}, 401), GrantEnded),
        (as_json({"code": "forbidden", "message": "no"}, 403), GrantEnded),
        (as_form("invalid_grant", 400), GrantEnded),
        (as_json({"error": "invalid_grant"}), RemoteRejected),
        (as_json({"error": "invalid_client"}, 400), RemoteRejected),
        (html("blocked", status=403), RemoteRejected),
        (redirect("/elsewhere"), RemoteRejected),
        (Said(429, b"", [("Retry-After", "30")]), RateLimited),
        (Said(500), RemoteUnavailable),
        (Said(503), RemoteUnavailable),
        (as_json({"scope": "create"}), RemoteChanged),
        (html("<p>hello"), RemoteChanged),
        (as_json({"x": "x" * 70_000}), OutcomeUnknown),
    ],
)
def test_what_a_failed_renewal_means(
    http: HttpClient, site: Website, said: Said, kind: type[WatchbookError]
) -> None:
    """Sign in again, try later, or nobody knows: three things that are never mixed up."""
    with pytest.raises(kind) as caught:
        renewed(http, site, said)
    assert type(caught.value) is kind
    assert "refresh-old" not in caught.value.message


def test_renewing_without_a_refresh_token_asks_nobody(http: HttpClient, site: Website) -> None:
    """Without one only signing in helps."""
    with pytest.raises(GrantEnded, match="refresh token"):
        renew(http, site.url("/token"), "x", SiteToken("token-new", "create", NOW), now=NOW)
    assert site.asked == []


def test_how_long_to_wait_is_told(http: HttpClient, site: Website) -> None:
    """A busy server's Retry-After comes along."""
    with pytest.raises(RateLimited) as caught:
        renewed(http, site, Said(429, b"", [("Retry-After", "30")]))
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    ("revocation", "form"),
    [
        ("/revoke", {"token": ["token-old"]}),
        (None, {"action": ["revoke"], "token": ["token-old"]}),
    ],
)
def test_revokes_in_the_new_way_or_the_old(
    http: HttpClient, site: Website, revocation: str | None, form: dict[str, list[str]]
) -> None:
    """With a revocation endpoint it is told, else the token endpoint is."""
    site.pages["/revoke"] = site.pages["/token"] = Said()
    found = endpoints(site, revocation and site.url(revocation))
    assert revoke(http, found, "token-old")
    assert (site.asked[0].path, site.asked[0].form) == (revocation or "/token", form)


@pytest.mark.parametrize("said", [Said(500), Said(404), redirect("/elsewhere")])
def test_a_failed_revocation_disturbs_nothing(http: HttpClient, site: Website, said: Said) -> None:
    """Whether it worked is said; it is no error when it did not."""
    site.pages["/token"] = said
    assert not revoke(http, endpoints(site), "token-old")
    assert not revoke(http, Endpoints("http://x", "http://localhost:1/"), "token-old")


def test_any_token_answer(http: HttpClient, site: Website) -> None:
    """Whatever the members of an answer are, it is a token or the end of the sign-in."""
    values = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
    )
    names = ["access_token", "me", "scope", "expires_in", "refresh_token", "token_type", "profile"]

    @settings(deadline=None)
    @given(st.dictionaries(st.sampled_from(names), values))
    def check(members: dict[str, Any]) -> None:
        answer = Said(200, json.dumps(members).encode(), [("Content-Type", "application/json")])
        site.pages["/token"] = answer
        try:
            found = redeem(http, pending(site), "the-code", now=NOW)
        except SignInFailed:
            return
        assert found.token.access.isprintable()
        assert found.token.expires is None or found.token.expires > NOW

    check()


def test_no_cookie_comes_along(http: HttpClient, site: Website) -> None:
    """A server that sets a cookie with the token in it does not get it back."""
    cookie = [("Set-Cookie", "token=token-abc; Path=/"), ("Content-Type", "application/json")]
    body = json.dumps({"access_token": "token-abc", "me": ME}).encode()
    handler: Callable[[Asked], Said] = lambda asked: Said(200, body, cookie)  # noqa: E731
    site.pages["/token"] = handler
    for _ in range(2):
        redeem(http, pending(site), "the-code", now=NOW)
    assert not any("cookie" in asked.headers for asked in site.asked)

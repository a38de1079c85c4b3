from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from tests.indieauth.conftest import Authority
from tests.websites import Said, Website, html, redirect, serving
from watchbook.http import HttpClient
from watchbook.indieauth.discovery import discover
from watchbook.indieauth.document import client_at
from watchbook.indieauth.flow import Pending, start
from watchbook.indieauth.identity import SignedIn, complete
from watchbook.indieauth.refusals import SignInFailed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CLIENT = client_at("http://localhost:8420")


def begun(http: HttpClient, url: str) -> tuple[str, Pending]:
    """A sign-in as far as the browser's way to the server."""
    found = discover(http, url, loopback=True)
    return start(found, CLIENT, ["create"], now=NOW)


def signed_in(http: HttpClient, authority: Authority, path: str = "/") -> SignedIn:
    """Type an address, agree, and come back."""
    address, pending = begun(http, authority.site.url(path))
    return complete(http, pending, authority.consent(address), now=NOW, loopback=True)


def test_signs_in(http: HttpClient, authority: Authority) -> None:
    """The whole way: page, document, consent, code with its verifier, and who it is."""
    found = signed_in(http, authority)
    assert found.me == authority.site.url()
    assert found.token.access == "the-access-token"
    assert found.token.may_post
    assert found.micropub == authority.site.url("/micropub")
    assert found.endpoints.revocation == authority.site.url("/revoke")


def test_an_author_page_of_the_same_site_is_confirmed(
    http: HttpClient, authority: Authority
) -> None:
    """Servers answer with another address of the person; its page names the same server."""
    authority.person = "/author/bob/"
    authority.site.pages["/author/bob/"] = html(
        authority.head.replace('href="/micropub"', 'href="/bobs-micropub"')
    )
    found = signed_in(http, authority)
    assert found.me == authority.site.url("/author/bob/")
    assert found.micropub == authority.site.url("/bobs-micropub")


def test_on_a_shared_host_bob_stays_bob(http: HttpClient, authority: Authority) -> None:
    """Bob types Alice's address and agrees as himself: he is signed in as Bob."""
    authority.page("/alice")
    authority.page("/bob")
    authority.person = "/bob"
    found = signed_in(http, authority, "/alice")
    assert found.me == authority.site.url("/bob")


def test_a_server_cannot_say_that_you_are_somebody_else(
    http: HttpClient, authority: Authority
) -> None:
    """A token for a victim with a server of their own is worth nothing."""
    with serving(Website()) as victims:
        Authority(victims).page("/")
        authority.says = {"me": victims.url()}
        with pytest.raises(SignInFailed, match="another server to sign in with"):
            signed_in(http, authority)


def test_a_victim_on_the_same_host_is_safe_too(http: HttpClient, authority: Authority) -> None:
    """That host and port are the same proves nothing; the page has to name the same server."""
    authority.site.pages["/victim"] = html(
        '<link rel="authorization_endpoint" href="/their-auth">'
        '<link rel="token_endpoint" href="/token">'
    )
    authority.person = "/victim"
    with pytest.raises(SignInFailed, match="another server to sign in with"):
        signed_in(http, authority)


@pytest.mark.parametrize(
    "page",
    [html("gone", status=404), html("<p>no links"), redirect("/victim"), Said(500)],
)
def test_a_page_that_confirms_nothing(http: HttpClient, authority: Authority, page: Said) -> None:
    """A person whose page is not there, or says nothing, is nobody."""
    authority.site.pages["/victim"] = page
    authority.person = "/victim"
    with pytest.raises(SignInFailed, match="cannot be confirmed"):
        signed_in(http, authority)


@pytest.mark.parametrize(
    "me",
    ["https://a.example:8080/", "http://10.0.0.1/", "file:///etc/passwd", "x y", "a@b.example"],
)
def test_who_has_no_address_is_nobody(http: HttpClient, authority: Authority, me: str) -> None:
    """The address in the token is judged like one that is typed."""
    authority.says = {"me": me}
    with pytest.raises(SignInFailed):
        signed_in(http, authority)


def test_without_me_there_is_no_sign_in(http: HttpClient, authority: Authority) -> None:
    """A token that does not say whose it is signs nobody in."""
    authority.says = {"me": None}
    with pytest.raises(SignInFailed, match="`me` is missing"):
        signed_in(http, authority)


@pytest.mark.parametrize("path", ["/start", "/middle", "/home"])
def test_every_address_on_the_way_is_the_persons(
    http: HttpClient, authority: Authority, path: str
) -> None:
    """What was typed, and where it led, needs no second look."""
    authority.site.pages["/start"] = redirect("/middle")
    authority.site.pages["/middle"] = redirect("/home")
    authority.page("/home")
    authority.person = path
    assert signed_in(http, authority, "/start").me == authority.site.url(path)
    assert len(authority.site.of("GET", "/home")) == 1


def test_a_slash_makes_another_person(http: HttpClient, authority: Authority) -> None:
    """`/u` and `/u/` are confirmed one by one."""
    authority.page("/u")
    authority.person = "/u/"
    with pytest.raises(SignInFailed, match="cannot be confirmed"):
        signed_in(http, authority, "/u")


def test_the_case_of_the_host_makes_none(http: HttpClient, authority: Authority) -> None:
    """The address in the token is made canonical before it is compared."""
    authority.says = {"me": authority.site.url("").upper().replace("HTTP", "http")}
    assert signed_in(http, authority).me == authority.site.url()


def test_endpoints_are_those_of_the_beginning(http: HttpClient, authority: Authority) -> None:
    """A page that changes meanwhile does not redirect the code."""
    site = authority.site
    address, pending = begun(http, site.url())
    site.pages["/"] = html(
        '<link rel="authorization_endpoint" href="/evil"><link rel="token_endpoint" href="/evil">'
    )
    found = complete(http, pending, authority.consent(address), now=NOW, loopback=True)
    assert found.endpoints.token == site.url("/token")
    assert site.of("POST", "/evil") == []


def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    http: HttpClient, authority: Authority
) -> None:
    """The code of one sign-in cannot be put into the answer to another."""
    stolen, theirs = begun(http, authority.site.url())
    authority.consent(stolen)
    code = next(iter(authority.codes))
    address, pending = begun(http, authority.site.url())
    query = authority.consent(address, code=code)
    with pytest.raises(SignInFailed, match="invalid_grant"):
        complete(http, pending, query, now=NOW, loopback=True)
    assert theirs.verifier != pending.verifier


@pytest.mark.parametrize(
    "changes", [{"iss": None}, {"iss": "http://evil.example/"}, {"state": "x"}]
)
def test_no_code_is_redeemed_that_fails_a_check(
    http: HttpClient, authority: Authority, changes: dict[str, str | None]
) -> None:
    """State and issuer come before the code: a mixed-up one is sent to nobody."""
    address, pending = begun(http, authority.site.url())
    query = authority.consent(address, **changes)
    with pytest.raises(SignInFailed):
        complete(http, pending, query, now=NOW, loopback=True)
    assert authority.site.of("POST", "/token") == []


def test_one_missing_slash_of_the_issuer_is_forgiven(
    http: HttpClient, authority: Authority
) -> None:
    """An issuer that writes itself with a slash in the callback only is taken."""
    authority.iss = authority.site.url("/")
    assert signed_in(http, authority).me == authority.site.url()


def test_old_links_work_with_a_server_that_names_itself(
    http: HttpClient, authority: Authority
) -> None:
    """A site that names only the endpoints of a server that sends `iss` can sign in."""
    authority.site.pages["/"] = html(
        '<link rel="authorization_endpoint" href="/auth"><link rel="token_endpoint" href="/token">'
    )
    assert signed_in(http, authority).me == authority.site.url()


def test_the_token_goes_to_no_page(http: HttpClient, authority: Authority) -> None:
    """Confirming who somebody is sends neither token nor code to their page."""
    authority.page("/author/bob/")
    authority.person = "/author/bob/"
    signed_in(http, authority)
    for asked in authority.site.of("GET", "/author/bob/"):
        assert "authorization" not in asked.headers
        assert "code" not in asked.target


def test_what_came_of_it_can_be_written_down(http: HttpClient, authority: Authority) -> None:
    """A sign-in survives being stored, and shows no token."""
    found = signed_in(http, authority)
    assert msgspec.json.decode(msgspec.json.encode(found), type=SignedIn) == found
    assert "the-access-token" not in repr(found)


# --- A token that nobody keeps -----------------------------------------------------------------

FAILURES: dict[str, dict[str, object]] = {
    "a page that confirms nothing": {"me": "/victim"},
    "no address": {"me": "x y"},
    "no me": {"me": None},
}


def fails(http: HttpClient, authority: Authority, why: str) -> SignInFailed:
    """A sign-in that fails after its code was redeemed, with two tokens."""
    me = FAILURES[why]["me"]
    told = authority.site.url(me) if isinstance(me, str) and me.startswith("/") else me
    authority.says = {"me": told, "refresh_token": "the-refresh-token"}
    authority.site.pages["/victim"] = html("<p>hello")
    with pytest.raises(SignInFailed) as caught:
        signed_in(http, authority)
    return caught.value


@pytest.mark.parametrize("why", FAILURES)
def test_a_token_of_nobody_is_given_back(http: HttpClient, authority: Authority, why: str) -> None:
    """Both tokens, the one that lasts longer first; the reason is told and nothing else."""
    authority.site.pages["/revoke"] = Said(200)
    reason = fails(http, authority, why)
    given = [asked.form["token"] for asked in authority.site.of("POST", "/revoke")]
    assert given == [["the-refresh-token"], ["the-access-token"]]
    assert "not told" not in (reason.hint or "")


@pytest.mark.parametrize("why", FAILURES)
@pytest.mark.parametrize("said", [Said(404), Said(500), redirect("/elsewhere")])
def test_a_site_that_takes_no_token_back(
    http: HttpClient, authority: Authority, why: str, said: Said
) -> None:
    """Its owner is told so, behind the reason, which stays what it was."""
    authority.site.pages["/revoke"] = Said(200)
    usual = fails(http, authority, why)
    authority.site.pages["/revoke"] = said
    reason = fails(http, authority, why)
    assert reason.message == usual.message
    assert (reason.hint or "").startswith(usual.hint or "")
    assert "localhost was not told: take Watchbook's token back there" in (reason.hint or "")


def test_a_server_without_a_revocation_endpoint(http: HttpClient, authority: Authority) -> None:
    """It is told in the old way, at the token endpoint."""
    authority.site.pages["/"] = html(
        '<link rel="authorization_endpoint" href="/auth"><link rel="token_endpoint" href="/token">'
    )
    fails(http, authority, "a page that confirms nothing")
    asked = [one.form for one in authority.site.of("POST", "/token")][1:]
    assert asked[-1] == {"action": ["revoke"], "token": ["the-access-token"]}


def test_a_token_that_is_kept_is_not_given_back(http: HttpClient, authority: Authority) -> None:
    """Whoever is signed in needs it."""
    signed_in(http, authority)
    assert authority.site.of("POST", "/revoke") == []

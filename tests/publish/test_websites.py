"""A website as an outlet: its token is renewed with care, its endpoint followed with caution."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.exporting.conftest import film_play
from tests.publish.conftest import TOKEN, Blog, Home, ago, give_token, token_of
from tests.websites import Asked, Said, as_json, html, redirect
from watchbook.clock import now, to_millis
from watchbook.indieauth.endpoints import Endpoints, SignIn
from watchbook.indieauth.tokens import SiteToken
from watchbook.publish import desk
from watchbook.seal import fingerprint


def publish(home: Home) -> None:
    """One play, published."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    desk.publish(home.installation, home.book.filled.account, home.book.stands())


@pytest.fixture
def renewing(home: Home, blog: Blog) -> Home:
    """A token that is due to be renewed, at the blog's token endpoint."""
    endpoints = Endpoints(blog.site.url("/auth"), blog.site.url("/token"))
    issued = now() - timedelta(days=14)
    token = token_of(refresh="refresh-1", issued=issued, expires=now() + timedelta(minutes=1))
    give_token(home.book, token, SignIn("http://localhost:8420/client.json", endpoints))
    return home


def swap(blog: Blog, home: Home, *, keep_old: bool = False) -> list[str | None]:
    """Let the blog swap refresh tokens, once each; what was noted at each request."""
    noted: list[str | None] = []

    def token(asked: Asked) -> Said:
        noted.append(home.book.stands().renewing)
        given = asked.form["refresh_token"][0]
        if given != f"refresh-{len(noted)}":
            return as_json({"error": "invalid_grant"}, 400)
        fresh = f"access-{len(noted) + 1}"
        blog.tokens = {fresh} | (blog.tokens if keep_old else set())
        answer = {"access_token": fresh, "refresh_token": f"refresh-{len(noted) + 1}"}
        return as_json({**answer, "token_type": "Bearer", "expires_in": 1_209_600})

    blog.site.pages["/token"] = token
    return noted


def test_a_token_is_renewed_before_it_ends(renewing: Home, blog: Blog) -> None:
    """It is noted before it is sent, and the new one is kept and used."""
    noted = swap(blog, renewing)
    publish(renewing)
    assert noted == [fingerprint("refresh-1")]
    assert (renewing.book.states(), renewing.book.stands().renewing) == (["published"], None)
    kept = renewing.book.stands().token(renewing.book.store.sealer) or ""
    assert "access-2" in kept
    assert "refresh-2" in kept


def test_a_401_is_repeated_once_with_a_new_token(home: Home, blog: Blog) -> None:
    """A token that ended early is renewed, and the post made once."""
    endpoints = Endpoints(blog.site.url("/auth"), blog.site.url("/token"))
    give_token(home.book, token_of(refresh="refresh-1"), SignIn("client", endpoints))
    blog.tokens = set()
    swap(blog, home)
    publish(home)
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])
    assert len(blog.site.of("POST", "/micropub")) == 2


def test_a_401_that_stays_asks_for_a_sign_in(renewing: Home, blog: Blog) -> None:
    """The refresh token is sent once in a pass, and the post waits."""
    blog.tokens = set()
    blog.site.pages["/token"] = as_json({"error": "invalid_grant"}, 400)
    publish(renewing)
    assert len(blog.site.of("POST", "/token")) == 1
    assert (renewing.book.states(), renewing.book.stands().state) == (
        ["waiting"],
        "sign in again",
    )


def test_an_unclear_renewal_stays_noted(renewing: Home, blog: Blog) -> None:
    """The old token serves while it lives, and the refresh token is not sent again meanwhile."""
    blog.site.pages["/token"] = Said(200, b"cut", [("Content-Encoding", "gzip")])
    publish(renewing)
    assert renewing.book.states() == ["published"]
    assert renewing.book.stands().renewing == fingerprint("refresh-1")
    renewing.book.watch(film_play(12, 2, ago(minutes=30)))
    desk.publish(renewing.installation, renewing.book.filled.account, renewing.book.stands())
    assert renewing.book.states() == ["published", "published"]
    assert len(blog.site.of("POST", "/token")) == 1


def test_after_an_unclear_renewal_the_old_token_is_the_last_resort(
    renewing: Home, blog: Blog
) -> None:
    """When the access token fails, the refresh token is sent once more."""
    blog.site.pages["/token"] = Said(200, b"cut", [("Content-Encoding", "gzip")])
    publish(renewing)
    swap(blog, renewing)
    blog.tokens = set()
    renewing.book.watch(film_play(12, 2, ago(minutes=30)))
    desk.publish(renewing.installation, renewing.book.filled.account, renewing.book.stands())
    assert renewing.book.states() == ["published", "published"]
    assert renewing.book.stands().renewing is None


def test_a_token_that_another_process_has_renewed_is_taken(renewing: Home, blog: Blog) -> None:
    """The old refresh token is not sent once more by one that slept while its answer was out."""
    given = msgspec.structs.replace(kept_token(renewing), expires=None)
    give_token(renewing.book, given, sign_in_of(renewing))

    def refuse(blog: Blog, _asked: Asked) -> Said:
        blog.tokens = {"access-9"}
        newer = token_of(access="access-9", refresh="refresh-9")
        give_token(renewing.book, newer, sign_in_of(renewing))
        return as_json({"error": "unauthorized"}, 401)

    blog.tricks.append(refuse)
    publish(renewing)
    assert blog.site.of("POST", "/token") == []
    assert (renewing.book.states(), blog.made) == (["published"], ["trakt-11"])
    assert kept_token(renewing).access == "access-9"


def kept_token(home: Home) -> SiteToken:
    """The token that is kept."""
    kept = home.book.stands().token(home.book.store.sealer) or ""
    return msgspec.json.decode(kept, type=SiteToken)


def sign_in_of(home: Home) -> SignIn:
    """How the site was signed in to."""
    return msgspec.json.decode(home.book.stands().sign_in or "", type=SignIn)


@pytest.mark.parametrize(
    "after",
    ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2027 00:00:00 +9" + "9" * 12],
)
def test_a_date_of_no_calendar_is_none(home: Home, blog: Blog, after: str) -> None:
    """The site rests as long as without one, and the post waits."""
    blog.tricks.append(lambda _, __: Said(503, b"", [("Retry-After", after)]))
    publish(home)
    rest = (home.book.stands().retry_at or 0) - to_millis(now())
    assert (home.book.states(), 30_000 < rest <= 60_000) == (["waiting"], True)


def test_a_server_without_json_gets_a_form(home: Home, blog: Blog) -> None:
    """After 415 the same post goes as a form, with what was watched as an address."""
    blog.tricks.append(lambda _, __: Said(415))
    publish(home)
    form = blog.site.of("POST", "/micropub")[-1].form
    assert (form["h"], form["mp-slug"]) == (["entry"], ["trakt-11"])
    assert form["watch-of"][0].startswith("https://")
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])


def moved(blog: Blog, target: str) -> None:
    """Let the endpoint be elsewhere, with the same blog behind both addresses."""
    blog.site.pages["/micropub"] = redirect(target, 307)
    blog.site.pages["/new"] = blog.answer
    blog.site.pages["/"] = html(f'<link rel="micropub" href="{target}">' + LINKS)


LINKS = '<link rel="authorization_endpoint" href="/auth"><link rel="token_endpoint" href="/token">'


def test_an_endpoint_that_moved_on_its_host_is_followed(home: Home, blog: Blog) -> None:
    """The page says where it is now, and that is kept."""
    moved(blog, blog.site.url("/new"))
    publish(home)
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])
    assert home.book.stands().endpoint == blog.site.url("/new")


def test_an_endpoint_is_followed_where_nobody_can_sign_in(home: Home, blog: Blog) -> None:
    """A site whose token was made by hand may name its endpoint and nothing else."""
    target = blog.site.url("/new")
    moved(blog, target)
    blog.site.pages["/"] = html(f'<link rel="micropub" href="{target}">')
    publish(home)
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])


def test_the_token_never_goes_to_another_host(home: Home, blog: Blog) -> None:
    """An endpoint on another host has to be signed in to by the owner."""
    elsewhere = blog.site.url("/new", host="elsewhere.localhost")
    moved(blog, elsewhere)
    publish(home)
    assert (home.book.states(), home.book.stands().state) == (["waiting"], "paused")
    strange = [one for one in blog.site.asked if "elsewhere" in (one.headers.get("host") or "")]
    assert not any(TOKEN in str(one.headers) for one in strange)
    assert blog.site.of("POST", "/new") == []


def test_deleting_what_is_gone_counts_as_deleted(home: Home, blog: Blog) -> None:
    """A site that answers 400 to a second deletion is looked at."""
    home.book.rules(on_removal="delete")
    publish(home)
    home.book.filled.remove_play(11)
    blog.posts.clear()
    blog.tricks.append(lambda _, __: as_json({"error": "invalid_request"}, 400))
    desk.publish(home.installation, home.book.filled.account, home.book.stands())
    assert home.book.posts()[0].state == "withdrawn"

"""Attacks on signing in with a website, one for each check of the flow.

Sandra's blog is connected. Whatever an attacker does with another sign-in, nothing new is kept, her
blog stays as it is, and neither a code nor a token reaches the attacker's server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
import time_machine
from msgspec import structs

from tests.conftest import TEST_KEY
from tests.exporting.conftest import filled
from tests.indieauth.conftest import Authority
from tests.publish.conftest import Book, connected, give_token, token_of
from tests.websites import Said, Website, as_json, html, local_client, redirect, serving
from watchbook.clock import now
from watchbook.connecting import Installation
from watchbook.errors import WatchbookError
from watchbook.publish import joining
from watchbook.publish.joining import Begun
from watchbook.seal import Sealer
from watchbook.settings import load
from watchbook.store import sites
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate

OLD_LINKS = (
    '<link rel="authorization_endpoint" href="/auth"><link rel="token_endpoint" href="/token">'
    '<link rel="micropub" href="/micropub">'
)


@dataclass
class World:
    """Sandra's book and sign-in server, and a server of the attacker's."""

    book: Book
    installation: Installation
    authority: Authority
    evil: Website

    @property
    def site(self) -> Website:
        """Sandra's website."""
        return self.authority.site

    def begin(self, path: str = "/alice") -> Begun:
        """Somebody types an address of the site."""
        return joining.begin(self.installation, self.site.url(path))

    def finish(self, begun: Begun, query: str) -> None:
        """The browser comes back."""
        joining.finish(self.installation, self.book.filled.account, begun, query)

    def answer(self, **changes: str | None) -> None:
        """A sign-in whose callback is tampered with."""
        begun = self.begin()
        self.finish(begun, self.authority.consent(begun.address, **changes))

    def known(self) -> list[tuple[str, str | None, str, str | None]]:
        """The sites that are kept, with their tokens."""
        store = self.book.store
        with store.database.read() as conn:
            found = sites.all_sites(conn)
        return [(one.name, one.me, one.endpoint, one.token(store.sealer)) for one in found]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Everybody in place; pages at `/alice` and `/bob` share one server to sign in with."""
    with ExitStack() as stack:
        site, evil = (stack.enter_context(serving(Website())) for _ in range(2))
        http = stack.enter_context(local_client())
        database = Database(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")
        stack.callback(database.close)
        migrate(database)
        store = Store(database, Sealer([TEST_KEY]), tmp_path / "home")
        authority = Authority(site, person="/alice")
        for path in ("/", "/alice", "/bob"):
            authority.page(path)
        book = connected(
            filled(store, tmp_path / "out"), me=site.url("/"), endpoint=site.url("/micropub")
        )
        give_token(book, token_of())
        home = {"home": str(tmp_path / "home"), "base_url": "http://localhost:8420"}
        yield World(book, Installation(store, load({}, tmp_path, home), http), authority, evil)


def stolen_code(world: World) -> None:
    """The code of another person's sign-in is put into the answer to this one (PKCE)."""
    theirs, mine = world.begin("/bob"), world.begin()
    code = dict(parse_qsl(world.authority.consent(theirs.address)))["code"]
    answer = dict(parse_qsl(world.authority.consent(mine.address)))
    world.finish(mine, urlencode(answer | {"code": code}))


def used_twice(world: World) -> None:
    """An answer that has been used is played back."""
    begun = world.begin()
    query = world.authority.consent(begun.address)
    world.authority.codes.clear()  # as a server does with a code that was redeemed
    world.finish(begun, query)


def too_late(world: World) -> None:
    """An answer is kept back for more than ten minutes."""
    begun = world.begin()
    query = world.authority.consent(begun.address)
    with time_machine.travel(now() + timedelta(minutes=11)):
        world.finish(begun, query)


def said_twice(world: World) -> None:
    """Two codes in one answer, one to be checked and one to be used."""
    begun = world.begin()
    query = world.authority.consent(begun.address)
    world.finish(begun, f"{query}&code=another")


def somebody_else(world: World) -> None:
    """The attacker's server says that its user is a victim, whose page names another server."""
    victim = Authority(world.evil)
    victim.page("/victim")
    world.authority.says = {"me": world.evil.url("/victim")}
    world.answer()


def page_of_a_neighbour(world: World) -> None:
    """The same for a page on the same host that names no server."""
    world.site.pages["/neighbour"] = html("<p>hello")
    world.authority.says = {"me": world.site.url("/neighbour")}
    world.answer()


def nobody(world: World) -> None:
    """The token does not say whose it is."""
    world.authority.says = {"me": None}
    world.answer()


def redirected_code(world: World) -> None:
    """The token endpoint sends the code on to the attacker's server."""
    world.site.pages["/token"] = redirect(world.evil.url("/token"), 307)
    world.evil.pages["/token"] = as_json({"access_token": "x", "me": world.site.url("/alice")})
    world.answer()


def false_issuer(world: World) -> None:
    """A metadata document claims to be another server's, for a mix-up."""
    found = world.authority.metadata | {"issuer": world.evil.url("/")}
    world.site.pages["/meta"] = as_json(found)
    world.begin()


def broken_document(world: World) -> None:
    """The document is knocked out, so that a client falls back to links without `iss`."""
    world.site.pages["/meta"] = Said(500)
    world.site.pages["/alice"] = html(world.authority.head + OLD_LINKS)
    world.begin()


def links_of_a_visitor(world: World) -> None:
    """A comment on the page names the attacker's endpoints."""
    evil = world.evil.url("/")
    rels = ("indieauth-metadata", "authorization_endpoint", "token_endpoint", "micropub")
    anchors = "".join(f'<a rel="{rel}" href="{evil}">x</a>' for rel in rels)
    world.site.pages["/alice"] = html(
        f"<!-- {OLD_LINKS} --><template>{OLD_LINKS}</template>{anchors}"
    )
    world.begin()


def no_leave_to_post(world: World) -> None:
    """The token is good for nothing but a profile."""
    world.authority.says = {"scope": "profile"}
    world.answer()


def other_endpoint_meanwhile(world: World) -> None:
    """The page is changed between the beginning and the answer; the code goes where it was."""
    begun = world.begin()
    evil = world.evil.url("/token")
    world.site.pages["/alice"] = html(f'<link rel="token_endpoint" href="{evil}">')
    query = world.authority.consent(begun.address, state="another")
    world.finish(begun, query)


def forged_pending(world: World) -> None:
    """The answer to a sign-in at the attacker's server is given to one that began here."""
    theirs = Authority(world.evil)
    theirs.page("/")
    there = joining.begin(world.installation, world.evil.url("/"))
    begun = world.begin()
    query = dict(parse_qsl(theirs.consent(there.address)))
    world.finish(begun, urlencode(query | {"state": begun.pending.state}))


ATTACKS: dict[str, tuple[Callable[[World], None], int]] = {
    "state: another sign-in's": (lambda world: world.answer(state="another"), 0),
    "state: none": (lambda world: world.answer(state=None), 0),
    "state: one use": (used_twice, 1),
    "state: ten minutes": (too_late, 0),
    "iss: another server's": (lambda world: world.answer(iss="https://evil.example/"), 0),
    "iss: none, though there is a document": (lambda world: world.answer(iss=None), 0),
    "iss: the answer of another server (mix-up)": (forged_pending, 0),
    "error before code": (lambda world: world.answer(error="server_error"), 0),
    "code: none": (lambda world: world.answer(code=None), 0),
    "code: two": (said_twice, 0),
    "code: another's (PKCE)": (stolen_code, 1),
    "code: goes where it was begun": (other_endpoint_meanwhile, 0),
    "code: follows no redirect": (redirected_code, 1),
    "me: none": (nobody, 1),
    "me: a victim's with a server of their own": (somebody_else, 1),
    "me: a neighbour's on the same host": (page_of_a_neighbour, 1),
    "scope: none to post": (no_leave_to_post, 1),
    "discovery: the issuer is not the document's": (false_issuer, 0),
    "discovery: no falling back": (broken_document, 0),
    "discovery: links of the document only": (links_of_a_visitor, 0),
}
"""By the check that it is about: the attack, and how many codes are redeemed at most."""


@pytest.mark.parametrize("check", ATTACKS)
def test_an_attack_gains_nothing(world: World, check: str) -> None:
    """It ends in an error; no site is kept or changed, and the attacker's server learns nothing."""
    attack, redeemed = ATTACKS[check]
    before = world.known()
    with pytest.raises(WatchbookError) as caught:
        attack(world)
    assert world.known() == before
    assert len(world.site.of("POST", "/token")) == redeemed
    assert world.evil.of("POST", "/token") == []
    seen = [f"{one.target} {one.headers} {one.body!r}" for one in world.evil.asked]
    assert not any("the-code" in one or "the-access-token" in one for one in seen)
    assert "the-code" not in caught.value.message
    assert caught.value.hint


def test_on_a_shared_host_bob_stays_bob(world: World) -> None:
    """Bob types Alice's address and agrees as himself: the site is his, and hers stays."""
    alice = world.known()
    world.authority.person = "/bob"
    world.answer()
    (new,) = [one for one in world.known() if one not in alice]
    assert new[1] == world.site.url("/bob")
    assert set(alice) < set(world.known())


def test_a_token_without_leave_is_given_back(world: World) -> None:
    """What cannot be used is not left lying about at the site."""
    world.site.pages["/revoke"] = Said(200)
    with pytest.raises(WatchbookError):
        no_leave_to_post(world)
    (asked,) = world.site.of("POST", "/revoke")
    assert asked.form["token"] == ["the-access-token"]


def test_a_token_that_could_not_be_given_back_is_told(world: World) -> None:
    """The reason comes first, and then what is left to the owner."""
    world.site.pages["/revoke"] = Said(500)
    with pytest.raises(WatchbookError, match="and not to post") as caught:
        no_leave_to_post(world)
    assert "let Watchbook create posts. localhost was not told" in (caught.value.hint or "")


def test_a_sign_in_of_another_app_is_not_redeemed(world: World) -> None:
    """The code is bound to the app and the redirect that asked for it."""
    begun = world.begin()
    query = world.authority.consent(begun.address)
    elsewhere = structs.replace(begun.pending, redirect_uri="http://localhost:1/callback")
    with pytest.raises(WatchbookError):
        world.finish(replace(begun, pending=elsewhere), query)
    assert [name for name, *_ in world.known()] == ["blog"]

"""Nobody leads Watchbook inside: a real listening socket that may never see a byte (SSRF).

The trap listens on this machine, on every address of it that there is. Each class of address that
is not public, in each notation, is named wherever a person or a server can name an address.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from json import dumps
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import TEST_KEY
from tests.exporting.conftest import filled, film_play
from tests.indieauth.conftest import Authority
from tests.publish.conftest import Blog, Book, ago, connected, give_token, token_of
from tests.websites import Asked, Said, Website, as_json, html, redirect, serving
from watchbook.addresses import AddressRule, system_resolver
from watchbook.connecting import Installation
from watchbook.errors import WatchbookError
from watchbook.http import HttpClient, Timeouts
from watchbook.indieauth.endpoints import Endpoints, SignIn
from watchbook.indieauth.tokens import revoke
from watchbook.micropub.client import Micropub
from watchbook.micropub.media import upload
from watchbook.micropub.parts import File
from watchbook.pictures.desk import fetch
from watchbook.publish import desk, joining
from watchbook.seal import Sealer
from watchbook.settings import load
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.pictures import State
from watchbook.store.schema import pictures, titles

CLASSES = """
    127.0.0.1 127.1 127.0.1 2130706433 017700000001 0177.0.0.1 0x7f.1 0x7f000001 0x7F.0.0.0x1
    127.255.255.254 0 0.0.0.0 0x0 localhost localhost. LOCALHOST a.localhost ①②⑦.0.0.1 127。0。0。1
    [::1] [0:0:0:0:0:0:0:1] [::] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::127.0.0.1]
    [2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::] [2001::f7f0:80ff:fffe]
    [2606:4700::5efe:7f00:1] [fe80::1] [fe80::1%25lo] [fec0::1] [fc00::1] [fd00:ec2::254]
    [ff02::1] [2001:db8::1] [3fff::1] [5f00::1] [100::1]
    10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 167772161 0xc0a80101 100.64.0.1 100.127.255.254
    169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 [::ffff:169.254.169.254]
    [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] 169.254.1.1 192.0.0.8 192.0.2.1 192.88.99.1
    198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
""".split()
"""Loopback, unspecified, mapped, compatible, NAT64, 6to4, Teredo, ISATAP, link-local, site-local,
unique local, multicast, documentation, private, CGNAT, the metadata address, reserved."""

FEW = ("127.0.0.1", "2130706433", "localhost.", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "inside.a")
"""One notation of each kind, and a name that the attacker's own DNS leads inside."""

REDIRECTS = (301, 302, 303, 307, 308)
USERINFO = ("http://a.example@{}/", "http://a.example:80@{}/", "http://{}@a.example@{}/")
SCHEMES = (
    "file:///etc/passwd", "ftp://{}/", "gopher://{}/_GET", "dict://{}/x", "unix:/run/x.sock",
    "data:text/html,x", "javascript:alert(1)", "//{}/", "///{}/", "http:/\\{}/", "\\\\{}\\x",
)  # fmt: skip
TOKEN = "the-access-token"


@dataclass
class Trap:
    """Sockets that listen on one port, on every address of this machine that there is."""

    listeners: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port, the same everywhere."""
        port: int = self.listeners[0].getsockname()[1]
        return port

    def url(self, host: str, scheme: str = "http") -> str:
        """The trap's address, by this name."""
        return f"{scheme}://{host}:{self.port}/"

    def untouched(self) -> bool:
        """Whether nobody has connected."""
        for listener in self.listeners:
            with suppress(BlockingIOError):
                listener.accept()[0].close()
                return False
        return True


def own_addresses() -> list[str]:
    """The addresses of this machine besides 127.0.0.1, as far as it has any."""
    found = {"::1"}
    with suppress(OSError):
        found |= set(system_resolver(socket.gethostname(), 80))
    return sorted(one for one in found if not ip_address(one.partition("%")[0]).is_link_local)


@pytest.fixture
def trap() -> Iterator[Trap]:
    """The listening sockets."""
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        found = Trap([first])
        for address in own_addresses():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with suppress(OSError):
                more = socket.create_server((address, found.port), family=family)
                found.listeners.append(stack.enter_context(more))
        for listener in found.listeners:
            listener.setblocking(False)
        yield found
        assert found.untouched()


@dataclass
class Names:
    """The attacker's DNS: a name that leads inside, and one that does from the second time on."""

    asked: int = 0

    def __call__(self, host: str, port: int) -> list[str]:
        if host == "rebind.a":
            self.asked += 1
            return ["127.0.0.1"] if self.asked > 1 else ["9.9.9.9"]
        known = {"inside.a": ["127.0.0.1"], "both.a": ["9.9.9.9", "127.0.0.1"]}
        return known.get(host) or system_resolver(host, port)


@dataclass
class Person:
    """Sandra with a site on a server that may be reached, and which is the attacker's."""

    site: Website
    book: Book
    installation: Installation

    @property
    def http(self) -> HttpClient:
        """What everything is fetched with."""
        return self.installation.http

    def publish(self) -> None:
        """One pass."""
        desk.publish(self.installation, self.book.filled.account, self.book.stands())


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Only the attacker's port on this machine may be reached, by the setting that names it."""
    with ExitStack() as stack:
        site = stack.enter_context(serving(Website()))
        database = Database(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")
        stack.callback(database.close)
        migrate(database)
        rule = AddressRule([f"127.0.0.1:{site.port}"], resolver=Names())
        http = stack.enter_context(HttpClient(rule))
        store = Store(database, Sealer([TEST_KEY]), tmp_path / "home")
        here = {"host": "127.0.0.1"}
        book = connected(
            filled(store, tmp_path / "out"),
            me=site.url("/", **here),
            endpoint=site.url("/micropub", **here),
        )
        give_token(book, token_of())
        home = {"home": str(tmp_path / "home"), "base_url": "http://localhost:8420"}
        yield Person(site, book, Installation(store, load({}, tmp_path, home), http))


# --- The client that everything is fetched with -------------------------------------------------


@pytest.mark.parametrize("host", [*CLASSES, "inside.a", "both.a"])
def test_no_notation_opens_the_trap(trap: Trap, host: str) -> None:
    """Whatever is asked of it, by GET or POST, encrypted or not."""
    with HttpClient(AddressRule(resolver=Names())) as client:
        for method, scheme in (("GET", "http"), ("POST", "http"), ("GET", "https")):
            with pytest.raises(WatchbookError):
                client.request(method, trap.url(host, scheme))
    assert trap.untouched()


def test_a_name_that_changes_between_two_looks(trap: Trap) -> None:
    """The first answer is public and the second is not: each connection is judged by its own."""
    rule = AddressRule(resolver=Names())
    assert rule.addresses("rebind.a", trap.port) == ["9.9.9.9"]
    with HttpClient(rule) as client, pytest.raises(WatchbookError):
        client.request("GET", trap.url("rebind.a"))
    assert trap.untouched()


@pytest.mark.daily(10)
@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("host", FEW)
def test_no_redirect_opens_the_trap(person: Person, trap: Trap, host: str, status: int) -> None:
    """Every kind of redirect is judged like an address of its own."""
    person.site.pages["/"] = redirect(trap.url(host), status)
    with pytest.raises(WatchbookError):
        person.http.request("GET", person.site.url("/", "127.0.0.1"), follow_redirects=True)
    assert trap.untouched()


@pytest.mark.parametrize("place", [*USERINFO, *SCHEMES])
def test_no_trick_of_spelling_opens_the_trap(person: Person, trap: Trap, place: str) -> None:
    """User names, other schemes and slashes lead nowhere, typed or in a redirect."""
    target = place.replace("{}", f"127.0.0.1:{trap.port}")
    with suppress(WatchbookError):
        person.http.request("GET", target)
    person.site.pages["/"] = redirect(target)
    with suppress(WatchbookError):
        person.http.request("GET", person.site.url("/", "127.0.0.1"), follow_redirects=True)
    assert trap.untouched()


# --- Every door ---------------------------------------------------------------------------------


def typed(person: Person, inside: str) -> None:
    """As the address of a site."""
    joining.begin(person.installation, inside)


def typed_with_a_token(person: Person, inside: str) -> None:
    """As the address of a site whose token is at hand."""
    joining.by_token(person.installation, person.book.filled.account, inside, TOKEN)


def page_that_redirects(person: Person, inside: str) -> None:
    """By the page of a site."""
    person.site.pages["/"] = redirect(inside)
    typed(person, person.site.url("/", "127.0.0.1"))


def in_the_document(member: str) -> Callable[[Person, str], None]:
    """As an endpoint in the metadata document: the whole sign-in is gone through."""

    def sign_in(person: Person, inside: str) -> None:
        authority = Authority(person.site)
        here = person.site.url("", "127.0.0.1")
        told = authority.metadata | {name: f"{here}/{name}" for name in authority.metadata}
        authority.iss = here
        person.site.pages["/meta"] = as_json(told | {"issuer": here, member: inside})
        person.site.pages["/token_endpoint"] = lambda asked: Said(400)
        authority.page("/")
        begun = joining.begin(person.installation, f"{here}/")
        if member != "authorization_endpoint":
            query = authority.consent(begun.address)
            joining.finish(person.installation, person.book.filled.account, begun, query)

    return sign_in


def me_of_the_token(person: Person, inside: str) -> None:
    """As whoever signs in: the page of that address would have to confirm it."""
    authority = Authority(person.site, says={"me": inside})
    here = person.site.url("", "127.0.0.1")
    for name in ("issuer", "authorization_endpoint", "token_endpoint"):
        path = {"issuer": "", "authorization_endpoint": "/auth", "token_endpoint": "/token"}[name]
        authority.says.setdefault(name, f"{here}{path}")
    told = {name: authority.says.pop(name) for name in list(authority.says) if name != "me"}
    authority.iss = here
    person.site.pages["/meta"] = as_json(told)
    authority.page("/")
    begun = joining.begin(person.installation, f"{here}/")
    query = authority.consent(begun.address)
    joining.finish(person.installation, person.book.filled.account, begun, query)


def link_on_the_page(rel: str) -> Callable[[Person, str], None]:
    """As a link of the page."""

    def begin(person: Person, inside: str) -> None:
        person.site.pages["/"] = html(f'<link rel="{rel}" href="{inside}">')
        here = person.site.url("/", "127.0.0.1")
        joining.by_token(person.installation, person.book.filled.account, here, TOKEN)

    return begin


def endpoint_that_redirects(person: Person, inside: str) -> None:
    """By the Micropub endpoint, in answer to a post."""
    person.site.pages["/micropub"] = redirect(inside, 307)
    person.book.watch(film_play(11, 1, ago(hours=1)))
    person.publish()


def endpoint_that_moved(person: Person, inside: str) -> None:
    """By the page, when the endpoint is looked for again."""
    person.site.pages["/"] = html(
        f'<link rel="micropub" href="{inside}"><link rel="authorization_endpoint" href="/a">'
        '<link rel="token_endpoint" href="/t">'
    )
    endpoint_that_redirects(person, inside)


def location_of_a_post(person: Person, inside: str) -> None:
    """As the address of a post that was made, which is read back, updated and deleted."""
    blog = Blog(person.site)
    person.book.rules(living="on", on_removal="delete", film_text="{{ rating or 'x' }}")
    person.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, asked: Said(201, b"", [("Location", inside)]))
    person.publish()
    assert person.book.post().url == inside
    person.book.filled.remove_play(11)
    person.publish()


def location_of_a_promised_post(person: Person, inside: str) -> None:
    """As where a post will be, which is looked at an hour later."""
    blog = Blog(person.site)
    person.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, asked: Said(202, b"", [("Location", inside)]))
    person.publish()
    assert person.book.post().reason == "promised"
    person.book.pass_time(hours=2)
    person.publish()


def look_up_of_a_lost_post(person: Person, inside: str) -> None:
    """By a front page that sends on whoever looks for a post there."""
    blog = Blog(person.site, listing=False)
    person.site.pages["/"] = redirect(inside)
    person.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, asked: Said(504))
    person.publish()
    person.book.pass_time(minutes=1)
    person.publish()
    assert person.book.states() == ["unknown"]


def media_endpoint(person: Person, inside: str) -> None:
    """As the media endpoint that the configuration names, to which a picture is uploaded."""

    def config(_asked: Asked) -> Said:
        return as_json({"media-endpoint": inside})

    person.site.pages["/micropub"] = config
    server = Micropub(person.http, person.site.url("/micropub", "127.0.0.1"), TOKEN)
    media = server.config().media_endpoint
    assert media is None or not upload(person.http, media, TOKEN, File(b"x", "image/png", "x")).good


def token_endpoint_of_a_renewal(person: Person, inside: str) -> None:
    """As the endpoint where a token is renewed."""
    sign_in = SignIn("http://localhost:8420/client.json", Endpoints(inside, inside))
    give_token(person.book, token_of(access="dead", refresh="refresh-1"), sign_in)
    Blog(person.site)
    person.book.watch(film_play(11, 1, ago(hours=1)))
    person.publish()
    assert person.book.states() == ["waiting"]


def revocation_endpoint(person: Person, inside: str) -> None:
    """As the endpoint where a token is given back."""
    here = person.site.url("/", "127.0.0.1")
    assert not revoke(person.http, Endpoints(here, here, inside), TOKEN)


def address_of_a_poster(person: Person, inside: str) -> None:
    """As where a film's poster lies, in somebody's export."""
    person.book.watch(film_play(11, 1, ago(hours=1)))
    with person.installation.store.database.write() as conn:
        conn.execute(sa.update(titles).values(images=dumps({"poster": inside})))
    fetch(person.installation, person.book.filled.account)
    with person.installation.store.database.read() as conn:
        assert conn.scalar(sa.select(pictures.c.state)) == State.FAILED


def poster_that_redirects(person: Person, inside: str) -> None:
    """By the host of a film's poster."""
    person.site.pages["/poster.jpg"] = redirect(inside)
    address_of_a_poster(person, person.site.url("/poster.jpg", "127.0.0.1"))


DOORS: dict[str, Callable[[Person, str], None]] = {
    "site add": typed,
    "site add --token": typed_with_a_token,
    "a page that redirects": page_that_redirects,
    "rel=indieauth-metadata": link_on_the_page("indieauth-metadata"),
    "rel=micropub": link_on_the_page("micropub"),
    "authorization_endpoint": in_the_document("authorization_endpoint"),
    "token_endpoint": in_the_document("token_endpoint"),
    "me of the token": me_of_the_token,
    "a redirect in answer to a post": endpoint_that_redirects,
    "an endpoint that moved": endpoint_that_moved,
    "Location of a post": location_of_a_post,
    "Location of a post that is promised": location_of_a_promised_post,
    "the look-up of a lost post": look_up_of_a_lost_post,
    "the media endpoint": media_endpoint,
    "the renewal of a token": token_endpoint_of_a_renewal,
    "the revocation of a token": revocation_endpoint,
    "the address of a poster": address_of_a_poster,
    "a poster that redirects": poster_that_redirects,
}


@pytest.mark.daily(18)
@pytest.mark.parametrize("host", FEW[3:])
@pytest.mark.parametrize("door", DOORS)
def test_no_door_leads_inside(person: Person, trap: Trap, door: str, host: str) -> None:
    """Wherever an address can be named, the trap sees nothing, and the token stays at home."""
    with suppress(WatchbookError):
        DOORS[door](person, trap.url(host))
    assert trap.untouched()


def test_the_trap_is_a_trap(trap: Trap) -> None:
    """A client that may go there does touch it, so the tests above can fail."""
    with HttpClient(AddressRule(["127.0.0.1"])) as client, suppress(WatchbookError):
        client.request("GET", trap.url("127.0.0.1"), timeout=Timeouts(read=0.05))
    assert not trap.untouched()

"""Publishing to a server that nobody of ours has written: django-indieweb, in a process of its own.

Where it does other things than the specifications say, a test says so; our client copes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.exporting.conftest import Filled, episode_play, filled, film_play, rated
from tests.publish.conftest import SOON, Book, ago
from tests.publish.test_posters import keep_poster
from tests.websites import local_client
from watchbook.clock import now, to_millis
from watchbook.connecting import Installation
from watchbook.errors import AuthorisationNeeded
from watchbook.indieauth.refusals import SignInFailed
from watchbook.micropub.media import upload
from watchbook.micropub.outcome import Kind
from watchbook.micropub.parts import picture
from watchbook.publish import desk, joining
from watchbook.publish.joining import Joined
from watchbook.publish.trying import take_back, try_out
from watchbook.publish.websites import Website
from watchbook.settings import load
from watchbook.store import outbox, runs, sites
from watchbook.store.opening import Store
from watchbook.store.outbox import PostState

NUMBERS = count(21)
"""History ids: the server lives longer than a test, and knows those of the one before."""
ROOT = Path(__file__).parents[2]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "08d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@dataclass(frozen=True)
class Real:
    """The running server, and the session of its owner's browser."""

    url: str
    session: str

    def browse(
        self, method: str, target: str, form: dict[str, str] | None = None, cookie: str = ""
    ) -> tuple[HTTPResponse, str]:
        """What the owner's browser gets, and its text."""
        parts = urlsplit(self.url)
        headers = {"Cookie": f"sessionid={self.session}{cookie}"}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        with closing(HTTPConnection("127.0.0.1", parts.port or 0)) as browser:
            headers["Host"] = parts.netloc
            browser.request(method, target, body, headers)
            answer = browser.getresponse()
            return answer, answer.read().decode()

    def agree(self, address: str, answer: str = "approve") -> str:
        """Press a button of the consent page; the query with which the browser comes back."""
        parts = urlsplit(address)
        page, text = self.browse("GET", f"{parts.path}?{parts.query}")
        assert page.status == 200, text
        form = _Form(text)
        crumb = (page.getheader("set-cookie") or "").partition(";")[0]
        fields = {**form.fields, "action": answer}
        sent, text = self.browse("POST", parts.path, fields, f"; {crumb}")
        assert sent.status == 302, text
        return urlsplit(sent.getheader("location") or "").query


class _Form(HTMLParser):
    """The hidden fields of a page's form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a field."""
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"] or ""] = found["value"] or ""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """The server, until the end of these tests."""
    folder = tmp_path_factory.mktemp("realserver")
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.publish.realserver", folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log.txt").read_text()
        yield Real(**json.loads(line))
    finally:
        process.terminate()
        process.communicate()


@dataclass
class Person:
    """Sandra, who has a site at the real server."""

    real: Real
    filled: Filled
    installation: Installation

    def sign_in(self, answer: str = "approve") -> Joined:
        """Connect the site as `watchbook site add` does."""
        begun = joining.begin(self.installation, f"{self.real.url}/")
        query = self.real.agree(begun.address, answer)
        return joining.finish(self.installation, self.filled.account, begun, query, "blog")

    def book(self) -> Book:
        """Her book with the site, connected a month ago, where posts go out at once."""
        joined = self.sign_in()
        begin = to_millis(now() - timedelta(days=30))
        with self.filled.store.database.write() as conn:
            sites.change(conn, joined.site.id, connected_at=begin)
            sites.set_rules(conn, joined.site.id, SOON)
        return Book(self.filled, joined.site)

    def publish(self, book: Book) -> None:
        """Send what is due."""
        desk.publish(self.installation, self.filled.account, book.stands())

    def outlet(self, book: Book) -> Website:
        """The site, asked with the token that is kept."""
        return Website(self.installation.http.naming_hosts(), self.filled.store, book.stands())


@pytest.fixture
def person(real: Real, store: Store, tmp_path: Path) -> Iterator[Person]:
    """Sandra before she signs in, with a book whose history was read whole."""
    book = filled(store, tmp_path / "out")
    book.read("watched_history")
    with store.database.write() as conn:
        run = runs.start(conn, book.account.id, "sync")
        runs.finish(conn, run, runs.COMPLETE, "complete")
    home = {"home": str(tmp_path / "home"), "base_url": "http://localhost:8420"}
    with local_client() as http:
        yield Person(real, book, Installation(store, load({}, tmp_path, home), http))


def test_signs_in(person: Person) -> None:
    """By its metadata, its consent page and its strict demand for PKCE."""
    site = person.sign_in().site
    assert (site.me, site.state) == (f"{person.real.url}/", "working")
    assert site.endpoint == f"{person.real.url}/indieweb/micropub/"
    assert '"issuer"' in (site.sign_in or "")


def test_a_no_signs_nobody_in(person: Person) -> None:
    """The person presses the other button."""
    with pytest.raises(SignInFailed, match="refused on the site's page"):
        person.sign_in("deny")


def test_a_second_sign_in_ends_the_first_token(person: Person) -> None:
    """The server has one token for each app and person; the newer one is kept and works."""
    book = person.book()
    old = person.outlet(book)
    assert old.read("x").status == 400  # the token is taken
    assert person.sign_in().renewed
    assert old.read("x").status == 401
    assert person.outlet(book).read("x").status == 400


def test_a_token_by_hand_is_checked_with_the_server(person: Person) -> None:
    """Without a browser; a wrong one is refused."""
    token = json.loads(person.sign_in().site.token(person.filled.store.sealer) or "")["access"]
    address = f"{person.real.url}/"
    again = joining.by_token(person.installation, person.filled.account, address, token)
    assert (again.renewed, again.site.endpoint.endswith("/indieweb/micropub/")) == (True, True)
    with pytest.raises(AuthorisationNeeded):
        joining.by_token(person.installation, person.filled.account, address, "another")


def test_a_film_and_an_episode_are_posted_updated_and_deleted(person: Person) -> None:
    """What comes back of each is what was sent; a rating changes it, a deletion takes it away."""
    book = person.book()
    text = "Watched {{ name }}{% if rating %}: {{ rating }}{% endif %}"
    book.rules(living="on", on_removal="delete", film_text=text)
    book.watch(film_play(11, 1, ago(hours=2)), episode_play(12, 701, ago(hours=1)))
    person.publish(book)
    assert book.states() == ["published", "published"]
    film, episode = book.posts()
    for post in (film, episode):
        found = person.outlet(book).read(post.url or "").properties
        assert found == json.loads(post.sent or "")
    assert "episode-of" in json.dumps(json.loads(episode.sent or "")["watch-of"])

    book.filled.items("ratings_movies", rated(1, 8))
    person.publish(book)
    found = person.outlet(book).read(film.url or "").properties
    assert found["content"] == ["Watched Film 1 (2001): 8"]

    book.filled.remove_play(12)
    person.publish(book)
    assert not person.outlet(book).read(episode.url or "").there
    states = {post.id: post.state for post in book.posts()}
    assert (states[film.id], states[episode.id]) == ("published", "withdrawn")


def test_a_post_whose_answer_was_lost_is_found(person: Person) -> None:
    """The server lists its posts, so a process that died leaves no second post behind."""
    book = person.book()
    book.watch(film_play(next(NUMBERS), 1, ago(hours=1)))
    person.publish(book)
    (before,) = book.posts()
    with book.store.database.write() as conn:
        outbox.change(conn, before.id, state=PostState.SENDING, url=None)
    person.publish(book)
    assert book.states() == ["unknown"]
    book.pass_time(minutes=1)
    person.publish(book)
    assert (book.post().state, book.post().url) == ("published", before.url)


def test_a_test_post_comes_and_goes(person: Person) -> None:
    """`watchbook site test`: a draft, read back and deleted."""
    book = person.book()
    trial = try_out(person.installation, person.filled.account, book.site, draft=True)
    assert trial.outcome.good
    assert trial.source is not None
    assert trial.source.properties == trial.sent
    url = trial.outcome.url or ""
    assert take_back(person.installation, book.site, url).good
    assert take_back(person.installation, book.site, url).good  # it was gone already: 400


def test_a_picture_is_taken(person: Person) -> None:
    """The media endpoint of its configuration takes a picture under a name of ours."""
    server = person.outlet(person.book())._server()
    assert server is not None
    media, file = server.config().media_endpoint, picture(PNG)
    assert media == f"{person.real.url}/indieweb/media/"
    assert file is not None
    taken = upload(person.installation.http, media, server.token, file)
    assert (taken.kind, (taken.url or "").startswith(person.real.url)) == (Kind.PUBLISHED, True)


def test_where_it_departs_from_the_specifications(person: Person) -> None:
    """A query that it does not know is 200 with text; a form loses what it does not know."""
    server = person.outlet(person.book())._server()
    assert server is not None
    assert server.query({"q": "nonsense"}) == {}
    fields = {"h": "entry", "content": "Seen", "watch-of": "https://trakt.tv/movies/heat-1995"}
    made = server.create_by_form(fields)
    assert server.source(made.url or "").properties == {"content": ["Seen"]}
    with_uid = server.create({"content": ["Seen"], "uid": ["x"]})
    assert (with_uid.kind, with_uid.status) == (Kind.REFUSED, 400)


@pytest.mark.parametrize("way", ["cite", "featured"])
def test_a_post_shows_its_poster(person: Person, way: str) -> None:
    """It is uploaded once for two posts of a title, and the posts come back as they were sent."""
    book = person.book()
    book.rules(poster=way)
    numbers = next(NUMBERS), next(NUMBERS)
    book.watch(*(film_play(number, 1, ago(hours=2)) for number in numbers))
    keep_poster(book.store, "movie:1")
    person.publish(book)
    found = [person.outlet(book).read(post.url or "").properties for post in book.posts()]
    assert found == [json.loads(post.sent or "") for post in book.posts()]
    (first, second) = (
        one["featured"] if way == "featured" else one["watch-of"][0]["properties"]["photo"]
        for one in found
    )
    assert first == second
    assert first[0]["value"].startswith(person.real.url)
    assert "photo" not in found[0]

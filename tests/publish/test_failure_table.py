"""Every way in which a site says no, row by row, through the real outbox and over HTTP.

Three plays wait. After one pass the posts and the site stand as the row says, and the person is
told; then the trouble ends, time passes or the owner does something, and in the end each play has
one post on the site, whatever happened: a site that numbers doubled posts would show a second.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.conftest import TEST_KEY
from tests.exporting.conftest import filled, film_play
from tests.publish.conftest import Book, ago, connected, give_token, token_of
from tests.websites import local_client
from watchbook.clock import now, to_millis
from watchbook.connecting import Installation
from watchbook.http import Timeouts
from watchbook.indieauth.endpoints import Endpoints, SignIn
from watchbook.micropub import client
from watchbook.publish import desk
from watchbook.publish.sending import Sent
from watchbook.sandbox.site import RunningSite, SiteOptions, running
from watchbook.seal import Sealer
from watchbook.settings import load
from watchbook.store import sites
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate

SLUGS = ("trakt-11", "trakt-12", "trakt-13")


@dataclass
class Desk:
    """Sandra's book, connected with a running stand-in for her site."""

    book: Book
    site: RunningSite
    installation: Installation

    def publish(self) -> Sent:
        """One pass."""
        return desk.publish(self.installation, self.book.filled.account, self.book.stands())

    def passes(self, *minutes: float) -> None:
        """A pass after each of these pauses."""
        for pause in minutes:
            self.book.pass_time(minutes=pause)
            self.publish()

    def sign_in_again(self) -> None:
        """What `watchbook site add` leaves behind."""
        tokens = self.site.issue_tokens()
        self.give(tokens["access_token"], tokens["refresh_token"])
        with self.book.store.database.write() as conn:
            working = sites.SiteState.WORKING
            sites.set_state(conn, self.book.site.id, working, failures=0, retry_at=None)

    def give(self, access: str, refresh: str) -> None:
        """Keep tokens of the site, and where to renew them."""
        url = self.site.url
        endpoints = Endpoints(f"{url}/indieauth/authorize", f"{url}/indieauth/token")
        token = token_of(access=access, refresh=refresh)
        give_token(self.book, token, SignIn("http://localhost:8420/client.json", endpoints))

    def retry(self) -> None:
        """What `watchbook publish --retry` does."""
        with self.book.store.database.write() as conn:
            desk.retry(conn, self.book.stands())

    def endpoint(self, url: str) -> None:
        """Let posts go there."""
        with self.book.store.database.write() as conn:
            sites.change(conn, self.book.site.id, endpoint=url)

    def posted(self) -> int:
        """Requests that asked for something to be made or changed."""
        asked = self.site.requests()["requests"]
        return sum(one["method"] == "POST" and one["path"] == "/micropub" for one in asked)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Three films wait; an answer is waited for half a second."""
    monkeypatch.setattr(client, "PATIENCE", Timeouts(connect=1, read=0.5, total=0.5))
    with ExitStack() as stack:
        site = stack.enter_context(running(SiteOptions()))
        http = stack.enter_context(local_client())
        database = Database(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")
        stack.callback(database.close)
        migrate(database)
        store = Store(database, Sealer([TEST_KEY]), tmp_path / "home")
        book = connected(filled(store, tmp_path / "out"), me=site.me, endpoint=site.micropub)
        settings = load({}, tmp_path, {"home": str(tmp_path / "home")})
        found = Desk(book, site, Installation(store, settings, http))
        found.give(site.token, site.refresh_token)
        book.watch(*(film_play(n, n, ago(hours=20 - n)) for n in (11, 12, 13)))
        yield found


def time_passes(here: Desk) -> None:
    """Nobody does anything: the looks and pauses of the outbox."""
    here.passes(1, 4, 5, 30)


def the_owner_signs_in(here: Desk) -> None:
    """At once."""
    here.sign_in_again()
    here.publish()


def the_owner_retries(here: Desk) -> None:
    """At once."""
    here.retry()
    here.publish()


OUT = ["published"] * 3
WAIT = ["waiting"] * 3
FIRST = {state: [state, "published", "published"] for state in ("rejected", "waiting", "unknown")}
BAD, AGAIN, LOST = FIRST["rejected"], FIRST["waiting"], FIRST["unknown"]


@dataclass(frozen=True)
class Row:
    """What the site does, and how it stands after one pass with ``asked`` requests to post.

    ``told`` is what the person reads, of the site where that is in trouble, else of the post.
    """

    faults: str
    states: list[str]
    asked: int
    told: str = ""
    site: str = "working"
    hint: str = ""
    then: Callable[[Desk], None] = time_passes


def refused(fault: str, told: str) -> Row:
    """Of one post: it is set aside, the others go out."""
    return Row(f"{fault}@1", BAD, 3, told, then=the_owner_retries)


def to_sign_in(fault: str, asked: int, told: str) -> Row:
    """Of the token: everything waits for the owner."""
    return Row(fault, WAIT, asked, told, "sign in again", "site add", the_owner_signs_in)


def moved(fault: str) -> Row:
    """Of the endpoint: it is looked for once, and everything waits."""
    return Row(fault, WAIT, 1, "no posts at this address", "paused", "site add", the_owner_signs_in)


def resting(fault: str, told: str) -> Row:
    """Of a site that is down or asks for patience: everything waits for it."""
    return Row(f"{fault}@1", WAIT, 1, told, "troubled")


def lost(fault: str) -> Row:
    """Of one answer: the post is looked for, and the others go out."""
    return Row(f"{fault}@1", LOST, 3, "not known whether the post was made")


TABLE = {
    "400 invalid_request": refused("http-400", "does not take this"),
    "400 invalid_request as a page": refused("html-errors http-400", "does not take this"),
    "400 for every post, as the token is dead": to_sign_in(
        "http-400 http-401/micropub?q=config", 3, "does not accept Watchbook's token"
    ),
    "400 for every post, whatever the token": Row(
        "http-400", ["rejected"] * 3, 3, "refused 3 posts in a row", "paused", "--retry",
        the_owner_retries,
    ),
    "401, and a new token helps": Row("token-expired@1", OUT, 4),
    "401, and a new token does not": to_sign_in("http-401", 2, "does not accept"),
    "401 in the midst of it": Row(
        "token-revoked@2", ["published", "waiting", "waiting"], 2, "does not accept",
        "sign in again", "site add", the_owner_signs_in,
    ),
    "403 insufficient_scope": to_sign_in("insufficient-scope:403", 1, "has not given"),
    "401 insufficient_scope": to_sign_in("insufficient-scope:401", 1, "has not given"),
    "403 forbidden": to_sign_in("http-403", 2, "does not accept"),
    "404": moved("http-404"),
    "405": moved("http-405"),
    "410": moved("http-410"),
    "301 in answer to a post": moved("redirect-post:301"),
    "302 in answer to a post": moved("redirect-post:302"),
    "307 in answer to a post": moved("redirect-post:307"),
    "308 in answer to a post": moved("redirect-post:308"),
    "409": refused("http-409", "There is such a post"),
    "422": refused("http-422", "does not take this post"),
    "413": refused("http-413", "too much"),
    "415 for JSON, and a form is taken": Row("http-415@1", OUT, 4),
    "415 for either": Row(
        "http-415", ["rejected"] * 3, 6, "refused 3 posts in a row", "paused", "--retry",
        the_owner_retries,
    ),
    "429 with Retry-After": resting("http-429:40", "asks for a pause"),
    "429 without Retry-After": resting("http-429-bare", "asks for a pause"),
    "500, once": Row("http-500@1", AGAIN, 3, "trouble with it"),
    "501": refused("http-501", "cannot do that"),
    "502": resting("http-502", "does not answer"),
    "503 with Retry-After": resting("http-503:30", "does not answer"),
    "504, from a gateway": lost("http-504"),
    "timed out after it was sent": lost("stall-after-accept"),
    "cut off after it was made": lost("reset-after-accept"),
    "cut off before it was made": lost("reset-before-accept"),
    "three answers lost in a row": Row(
        "reset-after-accept", ["unknown"] * 3, 3, "in a row were lost", "troubled"
    ),
    "201 with an empty Location": refused("location-empty", "It is empty"),
    "201 without Location": lost("location-missing"),
    "201 with Location: undefined": lost("location-undefined"),
    "202, and the post appears later": Row("accepted-202-later:60@1", OUT, 3),
}  # fmt: skip


@pytest.mark.daily(20)
@pytest.mark.parametrize("name", TABLE)
def test_each_row_ends_well(name: str, here: Desk) -> None:
    """The post and the site stand as the table says, the person is told, nothing is doubled."""
    row = TABLE[name]
    here.site.set_faults("slug-suffix", *row.faults.split())
    here.publish()
    stands, first = here.book.stands(), here.book.posts()[0]
    assert (here.book.states(), stands.state) == (row.states, row.site)
    assert row.told in ((stands.words if row.site != "working" else first.words) or "")
    assert "<" not in (stands.words or "") + (first.words or "")
    assert row.hint in (stands.hint or "")
    assert here.posted() == row.asked

    here.site.set_faults("slug-suffix")
    here.site.advance(60)
    row.then(here)
    assert (here.book.states(), here.book.stands().state) == (OUT, "working")
    assert here.site.slugs() == dict.fromkeys(SLUGS, 1)
    assert all(post.url for post in here.book.posts())


@pytest.mark.parametrize(
    ("fault", "seconds"), [("http-429:40", 40), ("http-429-bare", 60), ("http-503:9999999", 86400)]
)
def test_a_site_is_left_alone_as_long_as_it_asks(here: Desk, fault: str, seconds: int) -> None:
    """By `Retry-After`, else for a minute at first, and never for more than a day."""
    here.site.set_faults(fault)
    here.publish()
    rest = (here.book.stands().retry_at or 0) - to_millis(now())
    assert abs(rest / 1000 - seconds) < 20
    here.publish()
    assert here.posted() == 1


def test_500_for_ever_is_set_aside(here: Desk) -> None:
    """After three more tries with growing pauses; whoever retries later finds it made once."""
    here.site.set_faults("slug-suffix", "http-500")
    here.publish()
    here.passes(5, 30, 120)
    assert here.book.states() == ["rejected"] * 3
    assert here.posted() == 12
    here.site.set_faults("slug-suffix")
    the_owner_retries(here)
    assert here.site.slugs() == dict.fromkeys(SLUGS, 1)


def test_202_for_a_post_that_never_appears(here: Desk) -> None:
    """Its owner is told after four looks over three days; nothing is sent twice by itself."""
    here.site.set_faults("slug-suffix", "accepted-202-never@1")
    here.publish()
    time_passes(here)
    assert here.book.states() == OUT
    here.passes(*(60 * hours for hours in (1, 5, 18, 48, 24, 24, 24)))
    first = here.book.posts()[0]
    assert (here.book.states(), here.posted()) == (LOST, 3)
    assert f"--settle {first.id} posted|again|drop" in (first.words or "")
    assert here.site.slugs() == dict.fromkeys(SLUGS[1:], 1)


def test_a_server_that_is_not_there(here: Desk) -> None:
    """Nothing was sent: the queue is kept, and goes out when the server is back."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    here.endpoint(f"http://127.0.0.1:{port}/micropub")
    here.publish()
    assert (here.book.states(), here.book.stands().state) == (WAIT, "troubled")
    assert "could not be reached" in (here.book.stands().words or "")
    here.endpoint(here.site.micropub)
    here.passes(1)
    assert here.site.slugs() == dict.fromkeys(SLUGS, 1)


def test_a_server_whose_tls_fails(here: Desk) -> None:
    """Like one that is not there: the token was not sent."""
    here.endpoint(here.site.micropub.replace("http:", "https:"))
    here.publish()
    assert (here.book.states(), here.book.stands().state) == (WAIT, "troubled")
    assert here.posted() == 0
    here.endpoint(here.site.micropub)
    here.passes(1)
    assert here.site.slugs() == dict.fromkeys(SLUGS, 1)


@pytest.mark.parametrize("listing", ["no-source-list", "no-source", "no-source-hidden"])
def test_lost_answers_where_the_site_lists_nothing(here: Desk, listing: str) -> None:
    """Then the post's own address, or the front page, shows it."""
    here.site.set_faults("slug-suffix", listing, "reset-after-accept@2")
    here.publish()
    assert here.book.states() == ["published", "unknown", "published"]
    here.passes(1, 4, 5)
    assert (here.book.states(), here.posted()) == (OUT, 3)


def test_the_words_of_a_post_are_kept_short(here: Desk) -> None:
    """Every attempt is written down with what the site said, and without the token."""
    here.site.set_faults("http-400@1")
    here.publish()
    kept = msgspec.json.encode([post.words for post in here.book.posts()]).decode()
    assert here.site.token not in kept
    assert len(kept) < 2_000


def test_pauses_of_a_site_grow(here: Desk) -> None:
    """A minute, five, fifteen, an hour, six hours, as long as it is down."""
    here.site.set_faults("http-502")
    rests = []
    for _ in range(6):
        here.publish()
        rests.append(round(((here.book.stands().retry_at or 0) - to_millis(now())) / 60_000))
        here.book.pass_time(minutes=rests[-1] + 1)
    assert rests == [1, 5, 15, 60, 360, 360]
    assert timedelta(minutes=rests[-1]) == timedelta(hours=6)

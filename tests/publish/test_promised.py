"""Posts that a site has taken and will make later (202): asked after, never sent again unasked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.exporting.conftest import film_play
from tests.publish.conftest import Blog, Book, Home, Scripted, ago, give_token, token_of
from tests.publish.test_restored import other, restored
from tests.websites import Asked, Said, html, redirect
from watchbook.archive.backup import back_up
from watchbook.micropub.lookup import Lookup, Sight
from watchbook.publish import desk
from watchbook.publish.sending import Sent
from watchbook.store import accounts, outbox
from watchbook.store.opening import Store
from watchbook.store.outbox import PostState, Reason

__all__ = ["other"]

LOOKS = (1, 5, 18, 48)
"""Hours before each look for a promised post."""
PLACE = "/soon/trakt-11"


def promise(blog: Blog, _asked: Asked) -> Said:
    """Say that the post will be there, and make nothing."""
    return Said(202, b"", [("Location", blog.site.url(PLACE))])


def publish(home: Home, **later: float) -> Sent:
    """A pass, so much later."""
    home.book.pass_time(**later)
    return desk.publish(home.installation, home.book.filled.account, home.book.stands())


@pytest.fixture
def promised(home: Home, blog: Blog) -> Home:
    """A post that the blog has only promised."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(promise)
    assert publish(home).counts == {"published": 1}
    assert (home.book.post().state, home.book.post().reason) == ("published", "promised")
    return home


def looked_at(blog: Blog) -> int:
    """How often the promised address was looked at."""
    return len(blog.site.of("GET", PLACE))


def test_a_post_that_never_appears(promised: Home, blog: Blog) -> None:
    """Four looks over three days; then nobody knows, its owner is told, and nothing is sent."""
    told = [publish(promised, hours=hours).counts for hours in LOOKS]
    assert (told, looked_at(blog)) == ([{}, {}, {}, {"missing": 1}], 4)
    post = promised.book.post()
    assert post.state == "unknown"
    for words in (blog.site.url(PLACE), "202", f"--settle {post.id} posted|again|drop"):
        assert words in (post.words or "")
    for _ in range(9):
        publish(promised, days=1)
    assert (promised.book.post().state, promised.book.post().words) == ("unknown", post.words)
    assert len(blog.site.of("POST", "/micropub")) == 1


def test_between_the_looks_the_site_is_left_alone(promised: Home, blog: Blog) -> None:
    """However often a pass is made."""
    for _ in range(20):
        publish(promised, minutes=2)
    assert looked_at(blog) == 0


@pytest.mark.parametrize("looks", [0, 1, 3, 4, 5])
def test_a_post_that_appears_later(promised: Home, blog: Blog, looks: int) -> None:
    """Even after its owner was told: it is published, and not asked after any more."""
    hours = [*LOOKS, 24, 24]
    for number in range(looks):
        publish(promised, hours=hours[number])
    blog.site.pages[PLACE] = html("<h1>Film 1")
    publish(promised, hours=hours[looks])
    post = promised.book.post()
    assert (post.state, post.reason, post.words) == ("published", None, None)
    assert post.url == blog.site.url(PLACE)
    for _ in range(5):
        publish(promised, days=2)
    assert looked_at(blog) == looks + 1
    assert len(blog.site.of("POST", "/micropub")) == 1


def test_the_server_itself_shows_it(promised: Home, blog: Blog) -> None:
    """Under the address that it gives: a site that is built later knows the post before."""
    properties = blog.site.of("POST", "/micropub")[0].json["properties"]
    blog.posts[blog.site.url("/2026/trakt-11")] = properties
    publish(promised, hours=1)
    assert promised.book.post().reason is None
    assert promised.book.post().url == blog.site.url("/2026/trakt-11")


UNCLEAR: dict[str, Said | Callable[[Asked], Said]] = {
    "forbidden": Said(403),
    "down": Said(503),
    "a log-in page": redirect("/login"),
}


@pytest.mark.parametrize("why", UNCLEAR)
def test_a_site_that_shows_nothing(promised: Home, blog: Blog, why: str) -> None:
    """A promise is all there is: the post counts, and says so."""
    blog.listing = False
    blog.site.pages[PLACE] = UNCLEAR[why]
    blog.site.pages["/login"] = html("<h1>Who are you?")
    for hours in (*LOOKS, 24, 24):
        publish(promised, hours=hours)
    post = promised.book.post()
    assert (post.state, post.reason, looked_at(blog)) == ("published", None, 4)
    assert "does not show" in (post.words or "")


@pytest.mark.parametrize(("answer", "state"), [("posted", "published"), ("drop", "withdrawn")])
@pytest.mark.parametrize("looks", [0, 4])
def test_the_owner_settles_it(
    promised: Home, blog: Blog, answer: str, state: str, looks: int
) -> None:
    """At any time; it is not asked after any more."""
    for hours in LOOKS[:looks]:
        publish(promised, hours=hours)
    with promised.book.store.database.write() as conn:
        desk.settle(conn, promised.book.post(), answer)
    for _ in range(3):
        publish(promised, days=2)
    assert (promised.book.post().state, looked_at(blog)) == (state, looks)
    assert len(blog.site.of("POST", "/micropub")) == 1


@pytest.mark.parametrize("looks", [0, 4])
def test_the_owner_has_it_sent_again(promised: Home, blog: Blog, looks: int) -> None:
    """Nobody else does."""
    for hours in LOOKS[:looks]:
        publish(promised, hours=hours)
    with promised.book.store.database.write() as conn:
        desk.settle(conn, promised.book.post(), "again")
    publish(promised)
    assert (promised.book.post().state, promised.book.post().reason) == ("published", None)
    assert blog.made == ["trakt-11"]


def test_a_draft_is_not_asked_after(home: Home, blog: Blog) -> None:
    """No visitor sees one, so its absence says nothing."""
    home.book.rules(status="draft")
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(promise)
    publish(home)
    assert (home.book.post().state, home.book.post().reason) == ("published", None)


def test_a_promise_of_a_private_post(home: Home, blog: Blog) -> None:
    """A visitor gets 404 for one that is there."""
    home.book.rules(visibility="private")
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(promise)
    publish(home)
    for hours in LOOKS:
        publish(home, hours=hours)
    assert (home.book.post().state, looked_at(blog)) == ("published", 0)


def test_a_promise_outlives_the_database(promised: Home, blog: Blog, other: Store) -> None:
    """Brought back from an archive, the post is not sent again unasked, kept or broken."""
    for hours in LOOKS:
        publish(promised, hours=hours)
    with promised.book.store.database.read() as conn:
        account = accounts.choose(conn, None)
    again = restored(promised, back_up(promised.book.store, account).path, other)
    for _ in range(6):
        publish(again, hours=30)
    assert again.book.states() == ["unknown"]
    assert len(blog.site.of("POST", "/micropub")) == 1


def test_a_pass_asks_after_a_few(book: Book, outlet: Scripted) -> None:
    """The oldest first: a long queue of promises does not hold the posts up that wait."""
    book.watch(*(film_play(n, n, ago(hours=n / 10)) for n in range(1, 31)))
    book.rules(pace="100/1m")
    book.run(outlet)
    with book.store.database.write() as conn:
        for post in book.posts():
            outbox.change(conn, post.id, reason=Reason.PROMISED)
    outlet.sights.extend([Lookup(Sight.FOUND)] * 30)
    for left in (10, 0):
        book.run(outlet)
        with book.store.database.read() as conn:
            rows = outbox.find(conn, book.site.id, [PostState.PUBLISHED], reason=Reason.PROMISED)
        assert len(rows) == left


# --- What may be there all the same --------------------------------------------------------------


def made_and_said(said: Said) -> Callable[[Blog, Asked], Said]:
    """Make the post, and answer something else."""

    def answer(blog: Blog, asked: Asked) -> Said:
        blog.obey(asked)
        return said

    return answer


ANSWERS = {
    "502 of a gateway whose server broke off": Said(502),
    "520 of one": Said(520),
    "303 to the new post": redirect("/trakt-11", 303),
    "302 to a page": redirect("/thanks", 302),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_post_that_was_made_in_spite_of_the_answer(home: Home, blog: Blog, answer: str) -> None:
    """It is looked for before it is sent again."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(made_and_said(ANSWERS[answer]))
    publish(home)
    assert home.book.states() == ["waiting"]
    with home.book.store.database.write() as conn:
        desk.retry(conn, home.book.stands())
    publish(home, hours=1)
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])


def test_a_post_with_which_a_server_had_trouble(home: Home, blog: Blog) -> None:
    """Made by the last of four tries and set aside: `--retry` finds it first."""
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.extend([lambda _, __: Said(500)] * 3)
    blog.tricks.append(made_and_said(Said(500)))
    for _ in range(4):
        publish(home, hours=3)
    assert home.book.states() == ["rejected"]
    with home.book.store.database.write() as conn:
        desk.retry(conn, home.book.stands())
    publish(home)
    assert (home.book.states(), blog.made) == (["published"], ["trakt-11"])


HIDDEN = ({"status": "draft"}, {"visibility": "private"}, {"visibility": "unlisted"})


@pytest.mark.parametrize("rules", HIDDEN, ids=lambda rules: next(iter(rules.values())))
@pytest.mark.parametrize("listing", [True, False])
def test_what_nobody_sees_is_not_missed(
    home: Home, blog: Blog, rules: dict[str, str], listing: bool
) -> None:
    """Neither a front page nor a list says that a draft is not there: its owner decides."""
    shown = '<div class="h-entry"><time class="dt-published" datetime="2020-01-01T00:00:00Z">'
    front = f'{shown}</time><a class="u-watch-of" href="https://trakt.tv/movies/x">x</a></div>'
    blog.site.pages["/"] = html(f'<link rel="micropub" href="/micropub">{front}')
    blog.listing = listing
    if listing:
        old = {"published": ["2020-01-01T00:00:00Z"], "content": ["x"]}
        blog.posts = {blog.site.url("/old"): old}
    home.book.rules(**rules)
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, __: Said(504))  # the draft was made; nothing shows it
    publish(home)
    for minutes in (1, 4, 5, 60):
        publish(home, minutes=minutes)
    assert (home.book.states(), len(blog.site.of("POST", "/micropub"))) == (["unknown"], 1)
    assert f"--settle {home.book.post().id} " in (home.book.post().words or "")


def test_a_token_for_drafts_alone(home: Home, blog: Blog) -> None:
    """It makes drafts whatever the rules say."""
    give_token(home.book, token_of(scope="draft update delete"))
    blog.posts = {blog.site.url("/old"): {"published": ["2020-01-01T00:00:00Z"]}}
    home.book.watch(film_play(11, 1, ago(hours=1)))
    blog.tricks.append(lambda _, __: Said(504))
    publish(home)
    for minutes in (1, 4, 5, 60):
        publish(home, minutes=minutes)
    assert (home.book.states(), len(blog.site.of("POST", "/micropub"))) == (["unknown"], 1)

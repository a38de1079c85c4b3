"""What becomes a post, decided when a play is stored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.exporting.conftest import episode_play, filled, film_play
from tests.publish.conftest import Book, ago, connected
from watchbook.clock import from_iso, now, to_iso, to_millis
from watchbook.publish import desk
from watchbook.store import outbox, sites
from watchbook.store.opening import Store
from watchbook.store.schema import runs

UNKNOWN = "1970-01-01T00:00:00.000Z"


def test_a_new_play_waits_to_be_posted_once(book: Book) -> None:
    """However often a play is read, it has one post, with a slug of its own."""
    for _ in range(2):
        book.watch(film_play(11, 1, ago(hours=1)))
    assert (book.post().state, book.post().slug) == ("waiting", "trakt-11")


def test_the_delay_lets_corrections_settle(book: Book) -> None:
    """A post is due when the delay is over."""
    book.rules(delay="10m")
    book.watch(film_play(11, 1, ago(hours=1)))
    post = book.post()
    assert post.due_at - post.made_at in range(590_000, 601_000)


def test_what_is_older_is_held(book: Book) -> None:
    """Plays from before the site, and those entered long afterwards, are held with the reason."""
    book.watch(film_play(11, 1, ago(days=400)), film_play(12, 2, ago(days=20)))
    assert book.states() == ["held", "held"]
    assert {post.reason for post in book.posts()} == {"older"}


def test_the_minute_in_which_a_site_was_connected_is_news(store: Store, tmp_path: Path) -> None:
    """Trakt tells whole minutes: a play of that minute is news, one of the minute before not."""
    minute = now().replace(second=0, microsecond=0) - timedelta(hours=1)
    late = to_millis(minute + timedelta(seconds=59))
    book = connected(filled(store, tmp_path / "out"), connected_at=late)
    before = to_iso(minute - timedelta(minutes=1))
    book.watch(film_play(11, 1, to_iso(minute)), film_play(12, 2, before))
    assert {post.slug: post.state for post in book.posts()} == {
        "trakt-11": "waiting",
        "trakt-12": "held",
    }


def test_an_outage_of_ours_loses_nothing(book: Book) -> None:
    """What was watched within a week before the last good check is news, however late it comes."""
    with book.store.database.write() as conn:
        week = 7 * 86_400_000
        conn.execute(runs.update().values(started_at=runs.c.started_at - 2 * week))
    book.watch(film_play(11, 1, ago(days=20)), film_play(12, 2, ago(days=22)))
    assert book.states() == ["held", "waiting"]


def test_older_plays_go_out_where_the_rules_say_so(book: Book) -> None:
    """The rule `older` lets everything be news."""
    book.rules(older="publish")
    book.watch(film_play(11, 1, ago(days=400)))
    assert book.states() == ["waiting"]


def test_unknown_dates_are_held_or_undated(book: Book) -> None:
    """A play whose date nobody knows waits for its owner's word."""
    book.watch(film_play(11, 1, UNKNOWN))
    book.rules(unknown_dates="undated")
    book.watch(film_play(12, 2, UNKNOWN))
    assert [(post.state, post.reason) for post in book.posts()] == [
        ("held", "undated"),
        ("waiting", None),
    ]


def test_the_first_check_is_no_news(store: Store, tmp_path: Path) -> None:
    """Before a check has ended well, nothing that is read becomes a post."""
    book = connected(filled(store, tmp_path / "out"))
    with store.database.write() as conn:
        conn.execute(runs.delete())
    book.watch(film_play(11, 1, ago(hours=1)))
    assert book.posts() == []


def test_a_binge_is_one_post(book: Book) -> None:
    """Episodes of a show join its post while the binge goes on, and not those before or after."""
    book.rules(binge="on", binge_pause="1h")
    book.watch(
        episode_play(1, 701, ago(hours=9)),
        episode_play(2, 702, ago(hours=2), place=2),
        episode_play(3, 703, ago(hours=1.5), place=3),
        episode_play(4, 704, ago(hours=1), place=4),
    )
    with book.store.database.read() as conn:
        found = [outbox.plays_of(conn, post.id) for post in book.posts()]
    assert found == [[1], [2, 3, 4]]


def test_older_plays_on_demand(book: Book) -> None:
    """Since a date, or everything: held ones are freed, unknown dates obey their rule."""
    book.filled.plays(film_play(1, 1, ago(days=500)), film_play(2, 2, UNKNOWN))
    book.watch(film_play(3, 3, ago(days=400)))
    with book.store.database.write() as conn:
        assert desk.take_older(conn, book.site, from_iso(ago(days=450))) == 1
        assert desk.take_older(conn, book.site, desk.EVERYTHING) == 1
        assert desk.take_older(conn, book.site, desk.EVERYTHING) == 0
    assert {post.slug: post.state for post in book.posts()} == {
        "trakt-1": "waiting",
        "trakt-2": "held",
        "trakt-3": "waiting",
    }


def test_each_site_has_posts_of_its_own(book: Book) -> None:
    """A play is posted once at every site, by the rules of each."""
    with book.store.database.write() as conn:
        begin = to_millis(from_iso(ago(days=30)))
        where = "https://other.example/micropub"
        other = sites.add(
            conn, book.filled.account, "other", sites.Kind.MICROPUB, where, connected_at=begin
        )
        sites.set_rules(conn, other.id, {"types": "episodes"})
    book.watch(film_play(11, 1, ago(hours=1)))
    mine = book.post()
    book.site = other
    assert (mine.slug, mine.id) != (book.post().slug, book.post().id)
    assert book.post().slug == mine.slug

"""What others do while a pass over a site goes on: owners, commands, syncs, other processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.exporting.conftest import episode_play, film_play
from tests.publish.conftest import Book, Scripted, ago
from watchbook.clock import now, to_millis
from watchbook.micropub.lookup import ABSENT, CANNOT_TELL, Lookup, Sight
from watchbook.micropub.outcome import Kind
from watchbook.publish import desk
from watchbook.store import accounts, outbox, sites
from watchbook.store.outbox import PostState
from watchbook.store.sites import SiteState


def films(book: Book, number: int = 3) -> None:
    """So many films are watched, one after the other."""
    book.watch(*(film_play(10 + n, n, ago(hours=9 - n)) for n in range(1, number + 1)))


def settling(book: Book, place: int, answer: str) -> Callable[[], None]:
    """The owner says what became of the post at ``place``."""

    def settle() -> None:
        with book.store.database.write() as conn:
            desk.settle(conn, book.posts()[place], answer)

    return settle


def pausing(book: Book) -> None:
    """The owner pauses the site."""
    with book.store.database.write() as conn:
        words = "Paused by its owner."
        sites.set_state(conn, book.site.id, SiteState.PAUSED, words, retry_at=None, failures=0)


@pytest.mark.parametrize(("answer", "state"), [("posted", "published"), ("drop", "withdrawn")])
def test_a_post_that_is_settled_meanwhile_is_not_sent(
    book: Book, outlet: Scripted, answer: str, state: str
) -> None:
    """What the owner says while others go out counts, however long ago the queue was read."""
    films(book)
    outlet.meanwhile.append(settling(book, 2, answer))
    book.run(outlet)
    assert [post.slug for post in outlet.created] == ["trakt-11", "trakt-12"]
    assert book.states() == ["published", "published", state]


@pytest.mark.parametrize("sight", [ABSENT, CANNOT_TELL, Lookup(Sight.FOUND, "https://x.example/")])
@pytest.mark.parametrize(("answer", "state"), [("posted", "published"), ("drop", "withdrawn")])
def test_a_post_that_is_settled_while_it_is_looked_for(
    book: Book, outlet: Scripted, answer: str, state: str, sight: Lookup
) -> None:
    """It stays as its owner said, though that was its third look, and is not sent again."""
    films(book, 1)
    outlet.script.append(Kind.UNKNOWN)
    book.run(outlet)
    outlet.sights.extend([ABSENT, ABSENT, sight])
    for minutes in (1, 4):
        book.pass_time(minutes=minutes)
        book.run(outlet)
    book.pass_time(minutes=5)
    outlet.meanwhile.append(settling(book, 0, answer))
    book.run(outlet)
    book.pass_time(days=2)
    book.run(outlet)
    assert (book.states(), len(outlet.created)) == ([state], 1)


def test_a_change_that_is_dropped_meanwhile_is_not_asked_for(book: Book, outlet: Scripted) -> None:
    """Neither is a withdrawal that the owner has thought better of."""
    book.rules(on_removal="delete")
    films(book, 2)
    book.run(outlet)
    for number in (11, 12):
        book.filled.remove_play(number)
    outlet.meanwhile.append(settling(book, 3, "drop"))
    book.run(outlet)
    assert outlet.deleted == ["https://blog.example/trakt-11"]


@pytest.mark.parametrize("answer", [Kind.PUBLISHED, Kind.DOWN, Kind.SIGN_IN, Kind.REFUSED])
def test_a_pause_counts_at_once(book: Book, outlet: Scripted, answer: Kind) -> None:
    """Whatever is on its way ends; nothing follows it, and no answer undoes the pause."""
    films(book)
    with book.store.database.write() as conn:
        sites.set_state(conn, book.site.id, SiteState.TROUBLED, "It was down.", failures=2)
    if answer is not Kind.PUBLISHED:
        outlet.script.append(answer)
    outlet.meanwhile.append(lambda: pausing(book))
    assert book.run(outlet).stopped
    assert len(outlet.created) == 1
    assert (book.stands().state, book.stands().words) == ("paused", "Paused by its owner.")
    assert (book.run(outlet).stopped, len(outlet.created)) == ("Paused by its owner.", 1)


def test_a_pause_counts_while_posts_are_looked_for(book: Book, outlet: Scripted) -> None:
    """Nothing more is asked of the site."""
    films(book, 5)
    outlet.script.extend([Kind.UNKNOWN, Kind.UNKNOWN])
    book.run(outlet)
    book.pass_time(minutes=1)
    outlet.meanwhile.append(lambda: pausing(book))
    assert book.run(outlet).stopped == "Paused by its owner."
    assert (outlet.looks, book.stands().state) == (1, "paused")


def test_a_pass_looks_for_a_few(book: Book, outlet: Scripted) -> None:
    """A site counts requests: what came back from an archive is looked for bit by bit."""
    films(book, 8)
    book.watch(*(film_play(n, n, ago(hours=1)) for n in range(20, 37)))
    with book.store.database.write() as conn:
        for post in book.posts():
            outbox.change(conn, post.id, state=PostState.UNKNOWN)
    for looks in (20, 25):
        book.run(outlet)
        assert outlet.looks == looks


def test_new_rules_count_from_the_next_post_on(book: Book, outlet: Scripted) -> None:
    """The pass ends; the next one goes by the rules as they are."""
    films(book)
    outlet.meanwhile.append(lambda: book.rules(types="episodes"))
    assert "rules" in (book.run(outlet).stopped or "")
    book.run(outlet)
    assert (len(outlet.created), book.states()) == (1, ["published", "withdrawn", "withdrawn"])


def test_quiet_hours_begin_in_the_midst_of_a_pass(book: Book, outlet: Scripted) -> None:
    """What has not gone out by then waits."""
    local = now().astimezone(book.filled.account.zone)
    begin, end = local + timedelta(hours=1), local + timedelta(hours=3)
    book.rules(quiet_hours=f"{begin:%H:%M}-{end:%H:%M}")
    films(book)
    with time_machine.travel(now(), tick=False) as clock:
        outlet.meanwhile.append(lambda: clock.shift(timedelta(hours=2)))
        sent = book.run(outlet)
    assert (sent.stopped, len(outlet.created)) == ("These are quiet hours.", 1)


def test_a_pause_counts_while_three_posts_in_a_row_are_refused(
    book: Book, outlet: Scripted
) -> None:
    """Neither the refusals nor what the site says of the token then is put in its place."""
    films(book)
    outlet.script.extend([Kind.REFUSED] * 3)
    outlet.open = Kind.SIGN_IN
    outlet.meanwhile.extend([int, int, lambda: pausing(book)])
    book.run(outlet)
    assert (book.stands().state, book.stands().words) == ("paused", "Paused by its owner.")


NIGHTS = {
    "2027-10-31T00:10:00Z": True,  # 02:10 in summer
    "2027-10-31T00:40:00Z": False,
    "2027-10-31T01:10:00Z": True,  # 02:10 once more, in winter
    "2027-03-28T00:59:00Z": False,  # the last minute before 03:00
    "2027-03-28T01:00:00Z": False,
    "2027-03-29T00:10:00Z": True,
}


@pytest.mark.parametrize("moment", NIGHTS)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(
    book: Book, outlet: Scripted, moment: str
) -> None:
    """In the nights in which it is put forward and back, too."""
    with time_machine.travel(moment, tick=False):
        book.rules(quiet_hours="02:00-02:30", timezone="Europe/Berlin")
        films(book, 1)
        book.run(outlet)
        assert bool(outlet.created) is not NIGHTS[moment]


@pytest.mark.parametrize("what", ["site", "account"])
def test_what_is_removed_meanwhile(book: Book, outlet: Scripted, what: str) -> None:
    """The pass ends with a sentence; nothing more is sent."""
    films(book)

    def remove() -> None:
        with book.store.database.write() as conn:
            if what == "site":
                sites.remove(conn, book.site.id)
            else:
                accounts.remove(conn, book.filled.account.id)

    outlet.meanwhile.append(remove)
    sent = book.run(outlet)
    assert (sent.stopped, len(outlet.created)) == ("The site was removed meanwhile.", 1)


# --- Binges ------------------------------------------------------------------------------------


def binge(book: Book) -> None:
    """A film, and a binge of one episode that is over, wait."""
    book.rules(binge="on", binge_pause="1h")
    book.watch(film_play(11, 1, ago(hours=3)), episode_play(12, 701, ago(hours=2)))


def told(outlet: Scripted) -> list[int]:
    """The plays that posts were made of."""
    return sorted(one.history_id for post in outlet.created for one in post.watched)


def test_an_episode_that_comes_while_others_go_out(book: Book, outlet: Scripted) -> None:
    """Its binge waits for it: one post tells of both, once."""
    binge(book)
    late = episode_play(13, 702, ago(minutes=70), place=2)
    outlet.meanwhile.append(lambda: book.watch(late))
    book.run(outlet)
    book.pass_time(hours=3)
    book.run(outlet)
    assert [len(post.watched) for post in outlet.created] == [1, 2]
    assert told(outlet) == [11, 12, 13]


def test_an_episode_never_joins_a_post_that_may_have_been_made(
    book: Book, outlet: Scripted
) -> None:
    """A site that answered 500 may have it: the episode gets a post of its own."""
    binge(book)
    outlet.script.extend([Kind.PUBLISHED, Kind.TROUBLE])
    book.run(outlet)
    book.watch(episode_play(13, 702, ago(minutes=70), place=2))
    outlet.sights.append(Lookup(Sight.FOUND, "https://blog.example/made"))
    for _ in range(2):
        book.pass_time(hours=3)
        book.run(outlet)
    assert [post.slug for post in outlet.created] == ["trakt-11", "trakt-12", "trakt-13"]
    assert book.states() == ["published"] * 3


def test_a_sync_and_a_pass_at_the_same_moment(book: Book, outlet: Scripted) -> None:
    """Whoever has the binge's row first, each episode is told of once."""
    binge(book)
    book.run(outlet.__class__(script=outlet.script))  # the film is out of the way
    with book.store.database.write() as conn:
        outbox.change(conn, book.posts()[1].id, state=PostState.WAITING, url=None, tries=0)
        show = book.posts()[1].show_key
    ended = threading.Thread(target=book.run, args=(outlet,))
    with book.store.database.write() as conn:
        joined = outbox.open_binge(conn, book.site.id, str(show))
        assert joined is not None
        ended.start()
        while ended.is_alive() and not waits_for_a_row(book):
            pass
        outbox.link(conn, book.site.id, 13, joined.id)
        outbox.change(conn, joined.id, due_at=to_millis(now() + timedelta(hours=1)))
    ended.join()
    assert (outlet.created, book.states()[1]) == ([], "waiting")


def waits_for_a_row(book: Book) -> bool:
    """Whether somebody stands in a queue; SQLite lets nobody begin meanwhile."""
    if book.store.database.on_sqlite:
        return True
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with book.store.database.read() as conn:
        return bool(conn.scalar(sa.text(query)))

"""After the database was lost: what an archive brings back is not posted a second time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import TEST_KEY
from tests.exporting.conftest import film_play
from tests.publish.conftest import Blog, Book, Home, ago, give_token, token_of
from watchbook.archive.backup import back_up
from watchbook.archive.reading_back import import_archive
from watchbook.publish import desk
from watchbook.seal import Sealer
from watchbook.store import accounts, sites
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.sites import SiteState


class Silent:
    """Nobody who listens."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """Nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing."""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    database = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate(database)
    yield Store(database, Sealer([TEST_KEY]), tmp_path / "other")
    database.close()


def publish(home: Home) -> None:
    """One pass over the blog."""
    desk.publish(home.installation, home.book.filled.account, home.book.stands())


def restored(home: Home, archive: Path, store: Store) -> Home:
    """The book as it comes back from an archive, signed in with the blog again."""
    import_archive(store, archive, None, Silent())
    with store.database.read() as conn:
        account = accounts.choose(conn, None)
        site = sites.choose(conn, account, "blog")
    assert site.state == "sign in again"
    book = Book(replace(home.book.filled, store=store, account=account), site)
    found = Home(book, replace(home.installation, store=store))
    publish(found)  # without a sign-in nothing happens
    give_token(book, token_of())
    with store.database.write() as conn:
        sites.set_state(conn, site.id, SiteState.WORKING)
    return found


def test_nothing_is_posted_twice(home: Home, blog: Blog, other: Store) -> None:
    """Neither what was out, nor what went out or was watched after the archive was written."""
    home.book.watch(film_play(11, 1, ago(hours=4)))
    publish(home)
    waits = film_play(12, 2, ago(hours=3))
    home.book.watch(waits)
    with home.book.store.database.read() as conn:
        account = accounts.choose(conn, None)
    archive = back_up(home.book.store, account).path
    later = film_play(13, 3, ago(hours=2))
    home.book.watch(later)
    publish(home)
    assert blog.made == ["trakt-11", "trakt-12", "trakt-13"]

    again = restored(home, archive, other)
    again.book.watch(later)
    for _ in range(4):
        publish(again)
        again.book.pass_time(minutes=6)
    assert blog.made == ["trakt-11", "trakt-12", "trakt-13"]
    assert again.book.states() == ["published", "published", "held"]
    assert again.book.posts()[1].url == home.book.posts()[1].url


def test_what_had_not_gone_out_still_does(home: Home, blog: Blog, other: Store) -> None:
    """Once three looks have shown that it is not on the site."""
    home.book.watch(film_play(11, 1, ago(hours=4)))
    publish(home)
    home.book.watch(film_play(12, 2, ago(hours=3)))
    with home.book.store.database.read() as conn:
        account = accounts.choose(conn, None)
    again = restored(home, back_up(home.book.store, account).path, other)
    publish(again)
    assert (blog.made, again.book.states()) == (["trakt-11"], ["published", "unknown"])
    for _ in range(3):
        again.book.pass_time(minutes=6)
        publish(again)
    assert blog.made == ["trakt-11", "trakt-12"]
    assert again.book.states() == ["published", "published"]

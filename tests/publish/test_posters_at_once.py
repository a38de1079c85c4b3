"""One poster, two workers: uploaded once, and where one stands still twice; posted once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from tests.exporting.conftest import film_play
from tests.publish.conftest import Blog, Home, ago, environment
from tests.publish.test_posters import keep_poster
from tests.websites import Asked, Said
from watchbook.errors import StoreBusy, TakenOver
from watchbook.publish import desk
from watchbook.store.database import Database
from watchbook.store.opening import Store
from watchbook.store.schema import leases, media

BUSY = 75


@dataclass
class Shelf:
    """A blog's media endpoint; each file gets an address of its own, even one that it has."""

    home: Home
    blog: Blog
    files: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blog.config = {"media-endpoint": self.blog.site.url("/media")}
        self.blog.site.pages["/media"] = self.take

    def take(self, asked: Asked) -> Said:
        """Keep a file."""
        self.files.append(asked.body)
        return Said(201, b"", [("Location", f"/files/{len(self.files)}.jpg")])

    def shown(self) -> list[str]:
        """The pictures of the posts on the blog."""
        pictures = [post["featured"][0]["value"] for post in self.blog.posts.values()]
        return [url.rpartition("/")[2] for url in pictures]


@pytest.fixture
def shelf(home: Home, blog: Blog) -> Shelf:
    """Three plays of one film wait, whose poster is kept."""
    home.book.rules(poster="featured")
    home.book.watch(*(film_play(n, 1, ago(hours=20 - n)) for n in (11, 12, 13)))
    keep_poster(home.book.store, "movie:1")
    return Shelf(home, blog)


@pytest.fixture
def colleague(home: Home, database_url: str) -> Iterator[Home]:
    """Another worker, with connections of its own."""
    database = Database(database_url)
    store = Store(database, home.book.store.sealer, home.book.store.home)
    yield replace(home, installation=replace(home.installation, store=store))
    database.close()


def publish(home: Home) -> None:
    """One pass."""
    desk.publish(home.installation, home.book.filled.account, home.book.stands())


def test_two_workers_at_once(shelf: Shelf, colleague: Home) -> None:
    """One of them works; the title's poster is uploaded once, for all its posts."""
    start, refused = Barrier(2), []

    def work(home: Home) -> None:
        start.wait()
        try:
            publish(home)
        except StoreBusy as reason:
            refused.append(reason)

    workers = [Thread(target=work, args=(one,)) for one in (shelf.home, colleague)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (len(shelf.files), len(refused) <= 1) == (1, True)
    assert sorted(shelf.blog.made) == ["trakt-11", "trakt-12", "trakt-13"]
    assert shelf.shown() == ["1.jpg"] * 3


def test_two_processes_at_once(shelf: Shelf, database_url: str, tmp_path: Path) -> None:
    """The same with real ones, started together."""
    env = environment(tmp_path / "home", database_url)
    command = [sys.executable, "-m", "watchbook", "publish"]
    processes = [subprocess.Popen(command, env=env) for _ in range(2)]
    codes = {process.wait() for process in processes}
    assert codes <= {0, BUSY}
    assert 0 in codes
    assert (len(shelf.files), shelf.shown()) == (1, ["1.jpg"] * 3)
    assert sorted(shelf.blog.made) == ["trakt-11", "trakt-12", "trakt-13"]


def test_a_worker_that_stood_still_in_an_upload(shelf: Shelf, colleague: Home) -> None:
    """Taken over meanwhile, it gives the poster a second time, and no post: that is the other's."""
    plain = shelf.take

    def stand_still(asked: Asked) -> Said:
        """Answer the first worker when its lease has ended and the second one is done."""
        shelf.blog.site.pages["/media"] = plain
        with colleague.installation.store.database.write() as conn:
            conn.execute(sa.update(leases).values(expires_at=0))
        publish(colleague)
        return plain(asked)

    shelf.blog.site.pages["/media"] = stand_still
    with pytest.raises(TakenOver):
        publish(shelf.home)
    assert len(shelf.files) == 2
    assert sorted(shelf.blog.made) == ["trakt-11", "trakt-12", "trakt-13"]
    assert shelf.shown() == ["1.jpg"] * 3
    with colleague.installation.store.database.read() as conn:
        (url,) = conn.scalars(sa.select(media.c.url))
    assert str(url).endswith("/1.jpg")
    publish(shelf.home)
    assert len(shelf.files) == 2

"""Posters in posts: once for each title and site, never in the way of a post."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml  # type: ignore[import-untyped]
from PIL import Image

from tests.conftest import TEST_KEY
from tests.exporting.conftest import episode_play, filled, film_play, rated
from tests.publish.conftest import TOKEN, Blog, Book, Home, ago, connected, give_token, token_of
from tests.websites import Said, Website, local_client, redirect, serving
from watchbook.archive.backup import back_up
from watchbook.archive.reading_back import import_archive
from watchbook.clock import now, to_millis
from watchbook.connecting import Installation
from watchbook.errors import InputError
from watchbook.publish import desk
from watchbook.sandbox.site import RunningSite, SiteOptions, running
from watchbook.seal import Sealer
from watchbook.settings import load
from watchbook.store import accounts, attempts, outbox, picture_work, sites
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.store.picture_work import FileMade, Origin, Wanted
from watchbook.store.pictures import Kind
from watchbook.store.schema import media

KILLED = -9


def jpeg(colour: str = "red") -> bytes:
    """A small picture of one colour."""
    made = BytesIO()
    Image.new("RGB", (40, 60), colour).save(made, "JPEG")
    return made.getvalue()


def keep_poster(store: Store, title_key: str, colour: str = "red") -> None:
    """Let the store have the poster of a title."""
    key = f"{title_key.replace(':', '')}{colour}"
    file = FileMade(key, "image/jpeg", 400, 600, jpeg(colour))
    moment = to_millis(now())
    with store.database.write() as conn:
        wanted = Wanted(title_key, Kind.POSTER)
        picture_work.claim(conn, wanted, moment, moment)
        origin, look = Origin("tmdb", "https://tmdb.example/x", None), ("#ff0000", "data:,")
        times = (moment, moment + 10**9)
        picture_work.keep(conn, wanted, origin, look, [file], times, bodies=True)


@dataclass
class Desk:
    """Sandra's book, connected with a stand-in for her site."""

    book: Book
    site: RunningSite
    installation: Installation

    def publish(self) -> None:
        """One pass."""
        desk.publish(self.installation, self.book.filled.account, self.book.stands())

    def posts(self) -> list[dict[str, Any]]:
        """The properties of the posts at the site."""
        return [one["properties"] for one in self.site.posts()]

    def photos(self) -> list[Any]:
        """What each post at the site has as the picture of what was watched."""
        return [one["watch-of"][0]["properties"].get("photo") for one in self.posts()]

    def tries(self) -> list[tuple[str, str | None]]:
        """What was tried for the posts, and how it ended."""
        with self.book.store.database.read() as conn:
            return [
                (one.what, one.outcome)
                for post in self.book.posts()
                for one in attempts.of_post(conn, post.id)
            ]

    def films(self, *numbers: int) -> None:
        """Watch films of those numbers, one after the other; their posters are kept."""
        start = len(self.book.posts()) + 11
        for place, number in enumerate(numbers):
            self.book.watch(film_play(start + place, number, ago(minutes=60 - start - place)))
            keep_poster(self.book.store, f"movie:{number}")


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[Desk]:
    """A book and a site with a media endpoint, once on each database."""
    with ExitStack() as stack:
        site = stack.enter_context(running(SiteOptions()))
        http = stack.enter_context(local_client())
        book = connected(filled(store, tmp_path / "out"), me=site.me, endpoint=site.micropub)
        give_token(book, token_of(access=site.token))
        book.rules(poster="cite")
        settings = load({}, tmp_path, {"home": str(tmp_path / "home")})
        yield Desk(book, site, Installation(store, settings, http))


def test_a_poster_is_off_unless_it_is_asked_for(here: Desk) -> None:
    """Nothing is uploaded, and the post names no picture."""
    here.book.rules()
    here.films(1)
    here.publish()
    assert (here.photos(), here.site.media()) == ([None], [])


def test_a_poster_stands_with_what_was_watched(here: Desk) -> None:
    """With words for who cannot see it; never as the post's own photo, which makes it a photo."""
    here.films(1)
    here.publish()
    (picture,) = here.site.media()
    url = f"{here.site.url}/media/{picture['name']}"
    assert here.photos() == [[{"value": url, "alt": "Poster of Film 1 (2001)"}]]
    assert not {"photo", "featured"} & here.posts()[0].keys()
    assert here.tries() == [("poster", "published"), ("send", "published")]


def test_a_poster_is_featured(here: Desk) -> None:
    """Then the citation has none."""
    here.book.rules(poster="featured")
    here.films(1)
    here.publish()
    (picture,) = here.site.media()
    url = f"{here.site.url}/media/{picture['name']}"
    assert here.posts()[0]["featured"] == [{"value": url, "alt": "Poster of Film 1 (2001)"}]
    assert here.photos() == [None]


def test_a_form_carries_the_address_alone(here: Desk) -> None:
    """A site that takes no JSON gets the featured picture without its words."""
    here.book.rules(poster="featured")
    here.films(1)
    here.site.set_faults("http-415/micropub@3")  # two questions for the media endpoint before it
    here.publish()
    assert here.book.states() == ["published"]
    (picture,) = here.site.media()
    assert here.posts()[0]["featured"] == [f"{here.site.url}/media/{picture['name']}"]


def test_an_address_alone_has_no_poster(here: Desk) -> None:
    """Nothing is uploaded that no post would show."""
    here.book.rules(poster="cite", payload="url")
    here.films(1)
    here.publish()
    assert (here.site.media(), here.book.states()) == ([], ["published"])


def test_posts_of_one_title_share_a_poster(here: Desk) -> None:
    """It is uploaded once, and an episode has the poster of its show."""
    here.films(1, 1, 2)
    here.publish()
    here.films(1)
    here.publish()
    first, second, third, fourth = here.photos()
    assert first == second == fourth != third
    assert len(here.site.media()) == 2


def test_an_episode_has_the_poster_of_its_show(here: Desk) -> None:
    """Two episodes need one picture."""
    plays = episode_play(11, 701, ago(hours=2)), episode_play(12, 702, ago(hours=1))
    here.book.watch(*plays)
    with here.book.store.database.read() as conn:
        key = conn.scalar(sa.text("SELECT key FROM titles WHERE type = 'show'"))
    keep_poster(here.book.store, str(key))
    here.publish()
    first, second = here.photos()
    assert first == second
    assert first[0]["alt"].startswith("Poster of ")
    assert len(here.site.media()) == 1


def test_a_missing_picture_holds_nothing_back(here: Desk) -> None:
    """The post goes out without one, and nothing is said of it."""
    here.book.watch(film_play(11, 1, ago(hours=1)))
    here.publish()
    assert (here.photos(), here.tries()) == ([None], [("send", "published")])


TROUBLES = {
    "media-403": "sign in again",
    "media-415": "type refused",
    "http-413/media": "too large",
    "http-422/media": "refused",
    "http-500/media": "server trouble with this post",
    "http-503/media": "server down",
    "http-429/media": "slow down",
    "reset-after-accept/media": "unknown",
}


@pytest.mark.parametrize("fault", TROUBLES)
def test_a_failed_upload_never_stops_a_post(here: Desk, fault: str) -> None:
    """It goes out without the poster, the site stays as it was, and the attempt says why."""
    here.site.set_faults(fault)
    here.films(1)
    here.publish()
    assert here.photos() == [None]
    assert (here.book.states(), here.book.stands().state) == (["published"], "working")
    assert here.tries() == [("poster", TROUBLES[fault]), ("send", "published")]
    here.site.clear_faults()
    here.films(1)
    here.publish()
    assert here.photos()[0] is None
    assert here.photos()[1] is not None


@pytest.mark.parametrize("fault", ["reset-after-accept/media", "http-500/media", "media-415"])
def test_a_picture_is_not_offered_without_end(here: Desk, fault: str) -> None:
    """After three tries its title goes without, until the rule is set anew."""
    here.site.set_faults(fault)
    for _ in range(5):
        here.films(1)
        here.publish()
    assert [what for what, _ in here.tries()].count("poster") == 3
    assert here.book.states() == ["published"] * 5
    here.site.clear_faults()
    with here.book.store.database.write() as conn:
        desk.change_rules(conn, here.book.stands(), {"poster": "cite"})
    here.films(1)
    here.publish()
    assert here.photos()[-1] is not None


def test_a_site_without_pictures_is_asked_little(here: Desk) -> None:
    """After three failures in a row a pass offers no more, and nothing is held against a title."""
    here.site.set_faults("no-config")
    here.films(1, 2, 3, 4, 5)
    here.publish()
    assert [what for what, _ in here.tries()].count("poster") == 3
    assert here.book.states() == ["published"] * 5
    here.site.clear_faults()
    here.films(1)
    here.publish()
    assert len(here.site.media()) == 1


def test_a_rule_needs_a_media_endpoint(here: Desk) -> None:
    """A site that answers and names none refuses the rule; one that is away may have one."""
    desk.check_media(here.installation, here.book.stands(), {"poster": "cite"})
    with here.book.store.database.write() as conn:
        sites.change(conn, here.book.site.id, endpoint=f"{here.site.url}/nowhere")
    desk.check_media(here.installation, here.book.stands(), {"poster": "cite"})


def test_a_rule_is_refused_where_no_picture_is_taken(home: Home) -> None:
    """In words that name the reason: the blog's configuration is empty."""
    stands = home.book.stands()
    with pytest.raises(InputError, match="takes no pictures"):
        desk.check_media(home.installation, stands, {"poster": "featured"})
    desk.check_media(home.installation, stands, {"poster": "off"})
    desk.check_media(home.installation, stands, {"delay": "1h"})


def test_pictures_may_be_taken_on_another_host(home: Home, blog: Blog) -> None:
    """The token goes where the site's own configuration says, and no redirect leads it on."""
    home.book.rules(poster="featured")
    with serving(Website()) as elsewhere, serving(Website()) as stranger:
        blog.config = {"media-endpoint": elsewhere.url("/media")}
        elsewhere.pages["/media"] = redirect(stranger.url("/media"), 307)
        home.book.watch(film_play(11, 1, ago(hours=2)))
        keep_poster(home.book.store, "movie:1")
        desk.publish(home.installation, home.book.filled.account, home.book.stands())
        assert stranger.asked == []
        elsewhere.pages["/media"] = Said(201, b"", [("Location", "/files/1.jpg")])
        home.book.watch(film_play(12, 1, ago(hours=1)))
        desk.publish(home.installation, home.book.filled.account, home.book.stands())
        (_, asked) = elsewhere.asked
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        first, second = blog.posts.values()
        assert "featured" not in first
        assert second["featured"][0]["value"] == elsewhere.url("/files/1.jpg")


def test_a_living_post_keeps_its_poster(here: Desk) -> None:
    """A rating replaces the text alone; a post without a poster does not get one later."""
    text = "Watched {{ name }}{% if rating %}: {{ rating }}{% endif %}"
    here.book.rules(poster="cite", living="on", film_text=text)
    here.films(1)
    here.book.watch(film_play(30, 2, ago(minutes=5)))
    here.publish()
    before = here.photos()
    keep_poster(here.book.store, "movie:2")
    here.films(2)
    here.publish()
    assert len(here.book.posts()) == 3  # no update of the second
    here.book.filled.items("ratings_movies", rated(1, 8), rated(2, 7))
    here.publish()
    assert here.photos()[:2] == before
    assert [one["content"] for one in here.posts()[:2]] == [
        ["Watched Film 1 (2001): 8"],
        ["Watched Film 2 (2001): 7"],
    ]
    assert len(here.site.media()) == 2


@pytest.mark.daily(2)
@pytest.mark.parametrize(("die_at", "uploads"), [("poster.begun", 1), ("poster.answered", 2)])
def test_a_kill_around_an_upload(
    here: Desk, database_url: str, tmp_path: Path, die_at: str, uploads: int
) -> None:
    """What was not remembered is uploaded once more, and the post is made once."""
    here.films(1)
    plain = {name: value for name, value in os.environ.items() if "WATCHBOOK" not in name}
    ours = {
        "WATCHBOOK_HOME": str(tmp_path / "home"),
        "WATCHBOOK_DATABASE_URL": database_url.replace("postgresql+psycopg://", "postgresql://"),
        "WATCHBOOK_SECRET_KEY": TEST_KEY,
        "WATCHBOOK_ALLOW_HOSTS": "127.0.0.0/8,::1",
    }
    for step, code in ((die_at, KILLED), ("", 0), ("", 0)):
        done = subprocess.run(
            [sys.executable, "-m", "watchbook", "publish"],
            env=plain | ours | {"_WATCHBOOK_DIE_AT": step},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
    assert len(here.site.media()) == uploads
    assert here.photos()[0] is not None
    assert here.site.slugs() == {"trakt-11": 1}
    assert here.tries() == [
        ("poster", "unknown"),
        ("poster", "published"),
        ("send", "published"),
    ]


def test_what_is_to_be_posted_is_fetched_first(here: Desk) -> None:
    """Before newer plays, as soon as the site's rules ask for posters."""
    here.book.watch(*(film_play(n, n, ago(hours=30 - n)) for n in (11, 12)))
    newest = here.book.posts()[1]
    with here.book.store.database.write() as conn:
        outbox.settle(conn, newest.id, outbox.PostState.WITHDRAWN)
    for poster, first in (("off", "movie:12"), ("cite", "movie:11")):
        here.book.rules(poster=poster)
        with here.book.store.database.read() as conn:
            found = picture_work.wanted(conn, here.book.filled.account.id, to_millis(now()), 9)
        assert found[0].title_key == first


def test_an_archive_remembers_the_posters(here: Desk, tmp_path: Path) -> None:
    """Read back, the site's posters are known, so none is uploaded a second time."""
    here.films(1)
    here.publish()
    with here.book.store.database.read() as conn:
        archive = back_up(here.book.store, accounts.choose(conn, None)).path
    database = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate(database)
    other = Store(database, Sealer([TEST_KEY]), tmp_path / "other")
    import_archive(other, archive, None, _Silent())
    columns = (media.c.title_key, media.c.url, media.c.picture, media.c.uploaded_at)
    known = []
    for store in (here.book.store, other):
        with store.database.read() as conn:
            known.append([tuple(row) for row in conn.execute(sa.select(*columns))])
    database.close()
    assert known[0] == known[1]
    assert len(known[0]) == 1


class _Silent:
    """Nobody who listens."""

    def reading(self, name: str, page: int, pages: int) -> None:
        """Nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing."""


def test_the_dry_run_shows_the_poster_that_is_there(here: Desk) -> None:
    """As it would be sent now."""
    here.films(1)
    here.publish()
    here.films(1)
    with here.book.store.database.read() as conn:
        account = here.book.filled.account
        (waits,) = desk.previews(conn, account, here.book.stands())
    assert "Poster of Film 1" in json.dumps(waits.properties)


# --- Folders -----------------------------------------------------------------------------------

SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "hugo": ("static/watched/posters", {"images": ["/watched/posters/NAME"], "imageAlt": "ALT"}),
    "jekyll": (
        "assets/watched/posters",
        {"image": {"path": "/assets/watched/posters/NAME", "alt": "ALT"}},
    ),
    "eleventy": ("watched/posters", {"image": "/watched/posters/NAME", "imageAlt": "ALT"}),
    "astro": ("src/content/watched/posters", {"image": "../posters/NAME", "imageAlt": "ALT"}),
}


@pytest.fixture
def folder(here: Desk, tmp_path: Path) -> Path:
    """A folder in the place of the site; Sandra is the owner."""
    top = tmp_path / "my-site"
    top.mkdir()
    with here.book.store.database.write() as conn:
        sites.change(conn, here.book.site.id, kind=sites.Kind.FOLDER, endpoint=str(top), me=None)
        accounts.change(conn, here.book.filled.account.id, owner=True)
    return top


@pytest.mark.parametrize("generator", SHOWN)
def test_a_folder_has_the_poster_once(here: Desk, folder: Path, generator: str) -> None:
    """Where its generator shows it from, and every post of the title names it as that wants."""
    here.book.rules(poster="cite", generator=generator)
    here.films(1, 1)
    here.publish()
    place, fields = SHOWN[generator]
    (picture,) = (folder / place).iterdir()
    assert picture.read_bytes() == jpeg()
    assert picture.stat().st_mode & 0o777 == 0o644
    told = (
        json.dumps(fields).replace("NAME", picture.name).replace("ALT", "Poster of Film 1 (2001)")
    )
    posts = sorted(folder.rglob("*.md"))
    assert len(posts) == 2
    for post in posts:
        head = yaml.safe_load(post.read_text("utf-8").split("---\n")[1])
        assert {name: head[name] for name in fields} == json.loads(told)
        if generator == "astro":
            assert (post.parent / head["image"]).resolve() == picture


def test_a_folder_has_no_poster_unless_it_is_asked_for(here: Desk, folder: Path) -> None:
    """Neither a file nor a word of it."""
    here.book.rules(generator="hugo")
    here.films(1)
    here.publish()
    (post,) = (path for path in folder.rglob("*") if path.is_file())
    assert "image" not in post.read_text("utf-8")


def test_a_file_of_somebody_else_stays(here: Desk, folder: Path) -> None:
    """However unlikely its name; the post goes out without a poster."""
    here.book.rules(poster="cite", generator="hugo")
    here.films(1)
    name = f"{hashlib.sha256(jpeg()).hexdigest()[:32]}.jpg"
    theirs = folder / "static/watched/posters" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    here.publish()
    assert theirs.read_bytes() == b"theirs"
    (post,) = folder.rglob("*.md")
    assert "image" not in post.read_text("utf-8")
    assert here.book.states() == ["published"]

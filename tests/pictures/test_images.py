"""`/images/KEY` over HTTP: the right bytes, kept for ever, and only of what everybody may see."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.pictures.conftest import EPISODE, FILM, FILMS, SEASON, SHOW, Gallery
from tests.web.showroom import Told, Visitor, served
from watchbook import sharing
from watchbook.clock import now, to_millis
from watchbook.render.placeholder import address_of
from watchbook.sharing import Part
from watchbook.store import accounts, watching
from watchbook.store.pictures import Kind
from watchbook.store.schema import titles
from watchbook.store.watching import Watching

OLD = "movie:12003"


class Museum:
    """A gallery with its pictures, and a stranger in front of it."""

    def __init__(self, gallery: Gallery, visitor: Visitor) -> None:
        self.gallery = gallery
        self.visitor = visitor

    def ask(self, path: str, method: str = "GET", **headers: str) -> Told:
        """What the stranger is told of the state that the store is in now."""
        self.visitor.look()
        return self.visitor.ask(path, method, **headers)

    def key(self, title: str = FILM, kind: Kind = Kind.POSTER) -> str:
        """The key of the smallest file of a picture."""
        return self.gallery.kept(title, kind).files[0].key

    def sees(self, title: str, kind: Kind = Kind.POSTER) -> bool:
        """Whether the stranger sees a title's picture; the drawn one goes with it."""
        status = self.ask(f"/images/{self.key(title, kind)}").status
        assert self.ask(address_of(title)).status == status
        return status == 200

    def share(self, *parts: Part, on: bool = True, after: str | None = None) -> None:
        """Switch parts on or off, and set the delay."""
        account = self.gallery.account
        with self.gallery.store.database.write() as conn:
            (sharing.switch_on if on else sharing.switch_off)(conn, account.id, parts)
            accounts.change(conn, account.id, show_after=after)


@pytest.fixture
def museum(gallery: Gallery) -> Iterator[Museum]:
    """An account that watched a film, then an episode, then the episode once more."""
    gallery.watch(EPISODE, 3, to_millis(now() + timedelta(milliseconds=1)))
    gallery.fetch()
    gallery.travel.shift(timedelta(minutes=1))
    with served(gallery.store) as visitor:
        yield Museum(gallery, visitor)


def test_a_picture_is_given_with_its_type_and_for_ever(museum: Museum) -> None:
    """Real bytes of that size, immutable for a year, readable by pages of any origin."""
    museum.share(Part.HISTORY)
    for file in museum.gallery.kept().files:
        told = museum.ask(f"/images/{file.key}")
        assert told.status == 200
        assert told.headers["content-type"] == file.media_type
        assert told.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["cross-origin-resource-policy"] == "cross-origin"
        assert told.headers["x-content-type-options"] == "nosniff"
        with Image.open(BytesIO(told.body)) as picture:
            assert picture.size == (file.width, file.height)


def test_who_has_it_is_not_given_it_again(museum: Museum) -> None:
    """304 without a body for the tag that came with it."""
    museum.share(Part.HISTORY)
    path = f"/images/{museum.key()}"
    told = museum.ask(path, If_None_Match=museum.ask(path).headers["etag"])
    assert (told.status, told.body) == (304, b"")


def test_a_private_account_shows_no_picture(museum: Museum) -> None:
    """Neither kept nor drawn ones; the answer is that for a key that never was."""
    told = museum.ask(f"/images/{museum.key()}")
    assert told.status == 404
    assert told.body == museum.ask("/images/" + "0" * 32).body
    assert museum.ask(address_of(FILM)).status == 404


@pytest.mark.parametrize("part", [Part.HISTORY, Part.FEEDS])
def test_parts_that_show_every_play_show_every_picture(museum: Museum, part: Part) -> None:
    """Of films, shows and episodes; when it is switched off again, of none."""
    museum.share(part)
    assert museum.sees(FILM)
    assert museum.sees(SHOW)
    assert museum.sees(EPISODE, Kind.STILL)
    museum.share(part, on=False)
    assert not museum.sees(FILM)


def test_what_is_unknown_is_drawn_for_everybody(museum: Museum) -> None:
    """A play of which Trakt does not say what it was: the picture tells nothing of anybody."""
    told = museum.ask(address_of(None))
    assert (told.status, told.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    assert b"Untitled" in told.body


@pytest.mark.parametrize("part", [Part.RATINGS, Part.STATISTICS])
def test_parts_without_pictures_show_none(museum: Museum, part: Part) -> None:
    """Else whoever asks for one title after the other would learn of every play."""
    museum.share(part)
    assert not museum.sees(FILM)
    assert not museum.sees(SHOW)


def test_a_play_without_a_date_is_in_no_feed(museum: Museum) -> None:
    """And its picture is not there with the feeds; with the history it is."""
    museum.gallery.add_title(OLD, title="Soon")
    museum.gallery.watch(OLD, 4, 0)
    museum.share(Part.FEEDS)
    assert museum.ask(address_of(OLD)).status == 404
    museum.share(Part.HISTORY)
    assert museum.ask(address_of(OLD)).status == 200


def test_the_last_watch_shows_nothing_older(museum: Museum) -> None:
    """The last film and the last show can be asked for; what came two films before cannot."""
    museum.share(Part.LAST)
    assert museum.sees(SHOW)
    assert museum.sees(FILM)
    museum.gallery.add_title(OLD, title="Soon")
    for number in (4, 5):
        museum.gallery.watch(OLD, number, to_millis(now() - timedelta(seconds=1)))
    museum.share(Part.LAST)
    assert not museum.sees(FILM)
    assert museum.ask(address_of(OLD)).status == 200


def test_a_picture_shows_no_sooner_than_its_play(museum: Museum) -> None:
    """With a delay of two hours, a title watched for the first time an hour ago is a secret."""
    museum.share(Part.HISTORY, Part.LAST, after="2h")
    assert not museum.sees(FILM)
    museum.gallery.watch(FILM, 4, to_millis(now() - timedelta(hours=3)))
    museum.share(Part.HISTORY, after="2h")
    assert museum.sees(FILM)


def test_what_is_removed_is_not_shown(museum: Museum) -> None:
    """The picture of a title whose only play is gone at Trakt."""
    with museum.gallery.store.database.write() as conn:
        conn.execute(
            sa.text("UPDATE plays SET removed_at = 1 WHERE title_key = :key"), {"key": FILM}
        )
    museum.share(Part.HISTORY)
    assert not museum.sees(FILM)


def test_what_is_watched_now_is_shown_with_that_part(museum: Museum) -> None:
    """The poster of a film that has no play yet."""
    gallery = museum.gallery
    gallery.add_title(OLD, title="Soon", tmdb=FILMS + 12003)
    with gallery.store.database.write() as conn:
        watching.save(conn, gallery.account.id, Watching(OLD, 1, 2, "{}"))
    gallery.fetch()
    museum.share(Part.LAST)
    assert not museum.sees(OLD)
    museum.share(Part.NOW)
    assert museum.sees(OLD)


def test_what_is_watched_now_waits_for_the_delay(museum: Museum) -> None:
    """What was begun an hour ago is a secret where plays show after two."""
    gallery, begun = museum.gallery, to_millis(now() - timedelta(hours=1))
    gallery.add_title(OLD, title="Soon")
    with gallery.store.database.write() as conn:
        watching.save(conn, gallery.account.id, Watching(OLD, begun, begun + 9_000_000, "{}"))
    for delay, status in ((None, 200), ("2h", 404), ("30m", 200)):
        museum.share(Part.NOW, after=delay)
        assert museum.ask(address_of(OLD)).status == status


def test_a_season_is_seen_with_its_show(museum: Museum) -> None:
    """Also when nobody keeps a poster of it: it is drawn."""
    museum.gallery.add_title(SEASON, show_key=SHOW, season=1)
    museum.share(Part.HISTORY)
    told = museum.ask(address_of(SEASON))
    assert told.status == 200
    assert b"Silo" in told.body
    assert b"Season 1" in told.body


def test_a_drawn_picture_says_the_name(museum: Museum) -> None:
    """SVG without script or style, which may be kept for an hour."""
    museum.share(Part.HISTORY)
    told = museum.ask(address_of(FILM))
    assert told.headers["content-type"].startswith("image/svg+xml")
    assert told.headers["access-control-allow-origin"] == "*"
    assert "default-src 'none'" in told.headers["content-security-policy"]
    assert "max-age=3600" in told.headers["cache-control"]
    assert "Alien" in "".join(ET.fromstring(told.body).itertext())


def test_lost_bytes_leave_no_hole(museum: Museum) -> None:
    """The drawn picture stands in, and is not kept by anybody."""
    museum.share(Part.HISTORY)
    key = museum.key()
    if museum.gallery.store.database.on_sqlite:
        for path in (museum.gallery.store.home / "images").rglob(f"{key}.*"):
            path.unlink()
    else:
        with museum.gallery.store.database.write() as conn:
            conn.execute(
                sa.text("UPDATE picture_files SET body = NULL WHERE key = :key"), {"key": key}
            )
    told = museum.ask(f"/images/{key}")
    assert told.status == 200
    assert told.headers["content-type"].startswith("image/svg+xml")
    assert told.headers["cache-control"] == "no-store"


@pytest.mark.daily(6)
@pytest.mark.parametrize(
    "path",
    [
        "/images/../watchbook.db",
        "/images/..%2fwatchbook.db",
        "/images/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/images/movie-12000",
        "/images/title/..%2f..%2fwatchbook.svg",
        "/images/title/movie-12000%00.svg",
        "/images/title/movie:12000.svg",
        "/images/title/list-1.svg",
        "/images/title/movie-99999999999999999999.svg",
        "/images/",
    ],
)  # fmt: skip
def test_no_address_leads_elsewhere(museum: Museum, path: str) -> None:
    """Only keys of ours and titles that are shown are answered."""
    museum.share(Part.HISTORY)
    assert museum.ask(path).status == 404


def test_what_trakt_does_not_number_is_drawn_without_numbers(museum: Museum) -> None:
    """An episode of which nobody knows the place has its show's name, and no word for nothing."""
    museum.share(Part.HISTORY)
    museum.gallery.add_title(SEASON, show_key=SHOW, season=1)
    with museum.gallery.store.database.write() as conn:
        nowhere = sa.update(titles).values(season=None, number=None)
        conn.execute(nowhere.where(titles.c.key.in_((EPISODE, SEASON))))
    for title in (EPISODE, SEASON):
        drawn = museum.ask(address_of(title))
        assert drawn.status == 200
        assert b"None" not in drawn.body

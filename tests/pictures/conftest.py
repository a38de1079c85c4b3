"""A gallery: an account with a few plays, and TMDB's stand-in that knows the same titles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import TEST_KEY
from watchbook.addresses import AddressRule
from watchbook.clock import now, to_millis
from watchbook.connecting import Installation
from watchbook.http import HttpClient
from watchbook.pictures.desk import Run, fetch
from watchbook.sandbox.tmdb import RunningTmdb, TmdbOptions, running
from watchbook.settings import load
from watchbook.store import accounts, pictures
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.pictures import Kind, Picture
from watchbook.store.schema import plays, titles

FILM, SHOW, EPISODE, SEASON = "movie:12000", "show:1390", "episode:4000001", "season:61001"
"""Titles that the stand-in knows, of which the account watched the film and the episode."""
FILMS = 900_000
SHOWS = 700_000


@dataclass
class Gallery:
    """An installation with one account, and what its pictures are fetched from."""

    tmdb: RunningTmdb
    installation: Installation
    account: Account
    travel: time_machine.Traveller

    @property
    def store(self) -> Store:
        """Where the pictures are kept."""
        return self.installation.store

    def fetch(self, **options: Any) -> Run:
        """Fetch what is wanted."""
        return fetch(self.installation, self.account, **options)

    def picture(self, key: str = FILM, kind: Kind = Kind.POSTER) -> Picture | None:
        """The kept picture of a title."""
        with self.store.database.read() as conn:
            return pictures.of_titles(conn, [key], kind).get(key)

    def kept(self, key: str = FILM, kind: Kind = Kind.POSTER) -> Picture:
        """The kept picture of a title, which must be there."""
        found = self.picture(key, kind)
        assert found is not None
        return found

    def row(self, key: str = FILM, kind: Kind = Kind.POSTER) -> dict[str, Any]:
        """What is known of a picture."""
        query = "SELECT * FROM pictures WHERE title_key = :key AND kind = :kind"
        with self.store.database.read() as conn:
            values = {"key": key, "kind": kind.value}
            return dict(conn.execute(sa.text(query), values).mappings().one())

    def bytes_of(self, key: str) -> bytes | None:
        """The bytes of a file."""
        with self.store.database.read() as conn:
            return pictures.bytes_of(self.store, conn, key)

    def add_title(self, key: str, **columns: Any) -> None:
        """A title of which nothing else is known."""
        kind, _, number = key.partition(":")
        row = {"key": key, "type": kind, "trakt_id": int(number), **columns}
        with self.store.database.write() as conn:
            conn.execute(sa.insert(titles).values(row))

    def watch(self, key: str, history_id: int, watched_at: int | None = None) -> None:
        """A play of a title."""
        moment = to_millis(now()) if watched_at is None else watched_at
        row = {
            "account_id": self.account.id,
            "history_id": history_id,
            "type": key.partition(":")[0],
            "title_key": key,
            "watched_at": moment,
            "action": "watch",
            "raw": "{}",
            "discovered_at": moment,
        }
        with self.store.database.write() as conn:
            conn.execute(sa.insert(plays).values(row))


MakeGallery = Callable[..., Gallery]


@pytest.fixture
def tmdb() -> Iterator[RunningTmdb]:
    """TMDB's stand-in."""
    with running(TmdbOptions(plays=300)) as stand_in:
        yield stand_in


@pytest.fixture
def make_gallery(store: Store, tmdb: RunningTmdb, tmp_path: Path) -> Iterator[MakeGallery]:
    """Makes a gallery whose settings may differ; once on each database."""
    with ExitStack() as stack:
        yield lambda **own: _gallery(stack, store, tmdb, tmp_path, own)


def settings_of(tmdb: RunningTmdb, home: Path) -> dict[str, str]:
    """Settings under which pictures come from the stand-in."""
    return {
        "home": str(home),
        "secret_key": TEST_KEY,
        "tmdb_token": tmdb.token,
        "tmdb_api_url": tmdb.api_url,
        "tmdb_image_url": tmdb.image_url,
    }


def _gallery(
    stack: ExitStack, store: Store, tmdb: RunningTmdb, folder: Path, own: dict[str, str]
) -> Gallery:
    wanted = {**settings_of(tmdb, folder / "home"), **own}
    settings = load({}, folder, {name: value for name, value in wanted.items() if value})
    http = stack.enter_context(HttpClient(AddressRule(settings.allowed_hosts), service="Trakt"))
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra")
    travel = stack.enter_context(time_machine.travel(datetime.now(UTC), tick=True))
    gallery = Gallery(tmdb, Installation(store, settings, http), account, travel)
    trakts = f'"poster":"{tmdb.trakt_images}'
    poster = "000/posters/medium/abc.jpg.webp"
    gallery.add_title(
        FILM,
        title="Alien",
        year=1979,
        tmdb=FILMS + 12000,
        language="en",
        images=f'{{{trakts}/movies/000012/{poster}"}}',
    )
    shows = f'{{{trakts}/shows/000001/390/posters/medium/abc.jpg.webp"}}'
    gallery.add_title(SHOW, title="Silo", tmdb=SHOWS + 1390, language="en", images=shows)
    gallery.add_title(EPISODE, show_key=SHOW, season=1, number=2, tmdb=3_000_001)
    gallery.watch(FILM, 1)
    gallery.watch(EPISODE, 2)
    return gallery


@pytest.fixture
def gallery(make_gallery: MakeGallery) -> Gallery:
    """A gallery without any picture yet, once on each database."""
    return make_gallery()

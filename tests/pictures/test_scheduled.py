"""Pictures are fetched by the service: after syncs, and only where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.jobs.conftest import MakeTown, Town, make_town, until
from tests.jobs.test_keeper import Shelf
from tests.pictures.conftest import Gallery, MakeGallery
from tests.web.showroom import served
from watchbook import sharing
from watchbook.clock import now, to_millis
from watchbook.jobs import plan
from watchbook.jobs.keeper import Keeper
from watchbook.jobs.port import Job, Kind
from watchbook.jobs.reaper import Pulse
from watchbook.jobs.work import Worker
from watchbook.sandbox.tmdb import RunningTmdb, TmdbOptions, running
from watchbook.sharing import Part
from watchbook.store import due, runs
from watchbook.store.pictures import State

__all__ = ["make_town"]


@pytest.fixture
def tmdb() -> Iterator[RunningTmdb]:
    """TMDB's stand-in, which knows what a town's people watched."""
    with running(TmdbOptions(plays=40)) as stand_in:
        yield stand_in


def pictured_town(make_town: MakeTown, database_url: str, tmdb: RunningTmdb) -> Town:
    """A town of one person, whose pictures come from the stand-in."""
    settings = {
        "tmdb_token": tmdb.token,
        "tmdb_api_url": tmdb.api_url,
        "tmdb_image_url": tmdb.image_url,
        "sync_every": "1h",
        "backup_every": "30d",
    }
    return make_town(database_url, settings=settings, pictures=tmdb.trakt_images, plays=40)


def kept(town: Town) -> int:
    """How many pictures are kept."""
    return int(town.rows("SELECT count(*) FROM pictures WHERE state = 'kept'")[0][0])


def test_a_service_fetches_what_a_sync_has_brought(
    make_town: MakeTown, database_url: str, tmdb: RunningTmdb
) -> None:
    """What was watched has its pictures, each asked for once."""
    town = pictured_town(make_town, database_url, tmdb)
    town.start(speed=20)
    until(lambda: kept(town) >= 3)
    paths = tmdb.requests()["paths"]
    posters = {path: count for path, count in paths.items() if path.startswith("GET /t/p/")}
    assert posters
    assert set(posters.values()) == {1}


@pytest.mark.daily(2)
@pytest.mark.parametrize("place", ["pictures.claimed", "pictures.written"])
def test_a_killed_service_goes_on(
    make_town: MakeTown, database_url: str, tmdb: RunningTmdb, place: str
) -> None:
    """What was claimed by the one that died is fetched by the next."""
    town = pictured_town(make_town, database_url, tmdb)
    killed = town.start(die_at=place, speed=20)
    until(lambda: not killed.runs)
    assert kept(town) == 0
    town.start(speed=20)
    until(lambda: kept(town))


def kinds(gallery: Gallery) -> set[str]:
    """The kinds of work that the schedule knows."""
    return {row.kind for row in plan.keep_rows(gallery.installation)}


def test_the_schedule_knows_of_pictures_where_there_are_any(make_gallery: MakeGallery) -> None:
    """With a key, or once Trakt told where some are; an account without data needs none."""
    gallery = make_gallery()
    assert "pictures" not in kinds(gallery)
    with gallery.store.database.write() as conn:
        number = runs.start(conn, gallery.account.id, "import")
        runs.finish(conn, number, runs.COMPLETE, "")
    assert "pictures" in kinds(gallery)


def test_the_job_says_when_it_comes_again(gallery: Gallery) -> None:
    """At once while there is more, in an hour when something failed, else after six hours."""
    worker = Worker(gallery.installation)

    def hours() -> float:
        moment = to_millis(now())
        slot = due.Due(gallery.account.id, "pictures", moment, None)
        with gallery.store.database.write() as conn:
            for row in due.of_account(conn, gallery.account.id):
                due.drop(conn, row)
            due.add(conn, [slot])
        worker(Job(Kind.PICTURES, gallery.account.id, moment))
        with gallery.store.database.read() as conn:
            (row,) = due.of_account(conn, gallery.account.id)
        return (row.next_at - to_millis(now())) / 3_600_000

    gallery.tmdb.set_faults("picture-broken")
    assert 0.9 < hours() <= 1
    gallery.tmdb.clear_faults()
    assert gallery.row()["state"] == State.FAILED
    assert hours() <= 6


def test_what_nobody_can_fetch_again_is_let_go(gallery: Gallery) -> None:
    """Six months after it was fetched, also of a disconnected account that shares, without a job.

    Its address answers as one that never was, and no file is left.
    """
    gallery.fetch()
    file = gallery.kept().files[0]
    with gallery.store.database.write() as conn:
        sharing.switch_on(conn, gallery.account.id, [Part.HISTORY])
    assert "pictures" not in kinds(gallery), "its account has no sign-in"
    pulse = Pulse(gallery.store.database, "ours")
    try:
        for days, status in ((179, 200), (2, 404)):
            gallery.travel.shift(timedelta(days=days))
            Keeper(gallery.installation, Shelf(), pulse).look()
            with served(gallery.store) as visitor:
                assert visitor.ask(f"/images/{file.key}").status == status
    finally:
        pulse.stop()
    assert gallery.picture() is None
    assert gallery.bytes_of(file.key) is None
    assert list(gallery.store.home.glob("images/*/*")) == []

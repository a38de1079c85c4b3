"""Pictures are found, checked, made smaller and kept; whatever goes wrong is written down."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from tests.pictures.conftest import EPISODE, FILM, FILMS, SEASON, SHOW, SHOWS, Gallery, MakeGallery
from watchbook.clock import now, to_millis
from watchbook.pictures.desk import SIX_MONTHS
from watchbook.store import changes
from watchbook.store.pictures import Kind, State, best

DAY = timedelta(days=1)


def test_a_film_a_show_and_an_episode_have_pictures(gallery: Gallery) -> None:
    """The posters of the film and of the episode's show, and the episode's still."""
    run = gallery.fetch()
    assert run.counts == {State.KEPT: 3}
    assert not run.more
    assert gallery.row()["source"] == "tmdb"
    assert {gallery.kept(FILM).kind, gallery.kept(SHOW).kind} == {Kind.POSTER}
    assert gallery.kept(EPISODE, Kind.STILL).files[0].width == 300
    assert gallery.picture(EPISODE) is None


def test_every_size_is_a_real_picture(gallery: Gallery) -> None:
    """Each file decodes to the size and the format that its row says; JPEG and WebP in each."""
    gallery.fetch()
    for kind, key, widths in (
        (Kind.POSTER, FILM, [200, 400, 780]),
        (Kind.STILL, EPISODE, [300, 780]),
    ):
        picture = gallery.kept(key, kind)
        for media_type, name in (("image/webp", "WEBP"), ("image/jpeg", "JPEG")):
            files = [file for file in picture.files if file.media_type == media_type]
            assert [file.width for file in files] == widths
            for file in files:
                body = gallery.bytes_of(file.key)
                assert body is not None
                with Image.open(BytesIO(body)) as found:
                    found.load()
                    assert (found.format, found.size) == (name, (file.width, file.height))


def test_a_colour_and_a_tiny_form_are_kept(gallery: Gallery) -> None:
    """A colour as CSS writes it, and a picture of a few pixels as a short `data:` address."""
    gallery.fetch()
    picture = gallery.kept()
    assert len(picture.colour) == 7
    assert int(picture.colour[1:], 16) >= 0
    assert len(picture.tiny) < 600
    with Image.open(BytesIO(base64.b64decode(picture.tiny.partition(",")[2]))) as tiny:
        assert tiny.size[0] == 16


def test_the_best_file_is_the_smallest_that_is_wide_enough(gallery: Gallery) -> None:
    """Of the wanted type; the widest when none is wide enough; none of a type that is not there."""
    gallery.fetch()
    picture = gallery.kept()
    widths = {width: best(picture, width, "image/webp") for width in (1, 200, 201, 400, 5000)}
    assert [file.width for file in widths.values() if file] == [200, 200, 400, 400, 780]
    assert best(picture, 1, "image/avif") is None


def test_what_is_kept_is_not_asked_for_again(gallery: Gallery) -> None:
    """A second run makes no request."""
    gallery.fetch()
    gallery.tmdb.reset_requests()
    assert gallery.fetch().counts == {}
    assert gallery.tmdb.requests()["total"] == 0


def test_a_v3_key_serves_as_well_and_is_never_shown(
    make_gallery: MakeGallery, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes into the query, and no error, log or row holds it."""
    gallery = make_gallery(tmdb_token="")
    key = gallery.tmdb.key
    gallery = _with_token(gallery, key)
    gallery.tmdb.set_faults("http-500@1")
    gallery.fetch(most=1)
    assert gallery.fetch().counts[State.KEPT] == 2
    with gallery.store.database.read() as conn:
        words = [str(row) for row in conn.execute(sa.text("SELECT * FROM pictures"))]
    assert key not in "".join(words) + caplog.text


def _with_token(gallery: Gallery, token: str) -> Gallery:
    from dataclasses import replace  # noqa: PLC0415

    from watchbook.settings import Settings  # noqa: PLC0415
    from watchbook.settings.sources import Chosen  # noqa: PLC0415

    settings = gallery.installation.settings
    chosen = {one.setting.name: one for one in settings}
    chosen["tmdb_token"] = Chosen(chosen["tmdb_token"].setting, token, "test")
    return replace(gallery, installation=replace(gallery.installation, settings=Settings(chosen)))


@pytest.mark.daily(4)
@pytest.mark.parametrize(
    ("language", "number", "found"),
    [("en", 12003, "en"), ("de", 12003, "de"), ("de", 12009, "en"), ("pt-BR", 12003, "en")],
)
def test_posters_are_in_the_language_that_is_set(
    make_gallery: MakeGallery, language: str, number: int, found: str
) -> None:
    """Else in the title's own or in English, when there are none in it."""
    gallery = make_gallery(tmdb_language=language)
    gallery.add_title(f"movie:{number}", tmdb=FILMS + number, language="en")
    gallery.watch(f"movie:{number}", 3)
    gallery.fetch()
    assert gallery.row(f"movie:{number}")["language"] == found


def test_a_season_has_its_own_poster_else_that_of_its_show(gallery: Gallery) -> None:
    """TMDB is asked for the season first."""
    gallery.add_title(SEASON, show_key=SHOW, season=1)
    gallery.add_title("season:61099", show_key=SHOW, season=99)
    with gallery.store.database.write() as conn:
        for place, key in enumerate((SEASON, "season:61099")):
            conn.execute(
                sa.text(
                    "INSERT INTO items (account_id, data_set, key, type, title_key, place, raw, "
                    "discovered_at, changed_at, generation) VALUES "
                    "(:account, 'ratings_seasons', :key, 'season', :key, :place, '{}', 1, 1, 0)"
                ),
                {"account": gallery.account.id, "key": key, "place": place},
            )
    assert gallery.fetch().counts == {State.KEPT: 5}
    assert gallery.row(SEASON)["origin"].startswith(f"/tv-{SHOWS + 1390}-1-")
    assert gallery.row("season:61099")["origin"].startswith(f"/tv-{SHOWS + 1390}-en")


def test_without_a_key_trakts_own_pictures_serve(make_gallery: MakeGallery) -> None:
    """TMDB is not asked for anything."""
    gallery = make_gallery(tmdb_token="")
    run = gallery.fetch()
    assert run.counts == {State.KEPT: 2, State.NONE: 1}
    assert gallery.row()["source"] == "trakt"
    assert gallery.tmdb.asked_for("/3/") == 0


@pytest.mark.daily(4)
@pytest.mark.parametrize(
    "fault",
    ["http-401/3", "http-403/3", "http-404/3", "no-picture", "odd-path", "picture-gone/t/p"],
)
def test_trakts_own_picture_stands_in(gallery: Gallery, fault: str) -> None:
    """Where TMDB refuses, or has nothing that can be used."""
    gallery.tmdb.set_faults(fault)
    gallery.fetch()
    assert gallery.row()["source"] == "trakt"
    assert gallery.picture() is not None


@pytest.mark.daily(12)
@pytest.mark.parametrize(
    "fault",
    [
        "http-500", "http-502", "http-503", "html-200", "empty-200", "list-200", "reset",
        "cut-body", "picture-broken", "picture-fake", "picture-type",
        "picture-huge", "picture-dot", "picture-heavy", "picture-gone", "http-401",
    ],
)  # fmt: skip
def test_every_failure_is_written_down_and_passes(gallery: Gallery, fault: str) -> None:
    """No picture, a state that says why in words, a later moment; then all is well (I11)."""
    gallery.tmdb.set_faults(fault)
    run = gallery.fetch()
    assert run.counts[State.KEPT] == 0
    row = gallery.row()
    assert row["state"] in {State.FAILED, State.NONE}
    assert row["words"]
    assert row["next_at"] > to_millis(now())
    assert gallery.tmdb.token not in row["words"]
    gallery.tmdb.clear_faults()
    gallery.travel.shift(7 * DAY)
    gallery.fetch()
    assert gallery.row()["state"] == State.KEPT
    assert gallery.row()["words"] is None


def test_pauses_grow(gallery: Gallery) -> None:
    """An hour, four, a day, a week."""
    gallery.tmdb.set_faults("picture-broken")
    pauses = []
    for _ in range(5):
        gallery.fetch()
        row = gallery.row()
        pauses.append(round((row["next_at"] - to_millis(now())) / 3_600_000))
        gallery.travel.move_to((row["next_at"] + 1000) / 1000)
    assert pauses == [1, 4, 24, 168, 168]


def test_a_wait_that_tmdb_asks_for_is_kept(gallery: Gallery) -> None:
    """429 ends the run; nothing is asked before the time is over, and no title is blamed."""
    gallery.tmdb.set_faults("http-429:600@1")
    run = gallery.fetch()
    assert run.waits == timedelta(seconds=600)
    assert gallery.tmdb.requests()["total"] == 1
    gallery.travel.shift(timedelta(seconds=601))
    assert gallery.fetch().counts == {State.KEPT: 3}


def test_tmdb_is_left_alone_when_it_is_down(gallery: Gallery) -> None:
    """After three failures in a row the run goes on with Trakt's pictures only."""
    for number in range(12003, 12030, 3):
        gallery.add_title(f"movie:{number}", tmdb=FILMS + number)
        gallery.watch(f"movie:{number}", number)
    gallery.tmdb.set_faults("http-503/3")
    gallery.fetch()
    assert gallery.tmdb.asked_for("/3/") == 3


def test_a_picture_is_renewed_within_six_months(gallery: Gallery) -> None:
    """New artwork replaces the old; the old files are gone, and their names lead nowhere."""
    gallery.fetch()
    before = gallery.kept()
    gallery.tmdb.new_artwork()
    gallery.travel.shift(SIX_MONTHS - 25 * DAY)
    gallery.fetch()
    after = gallery.kept()
    assert {file.key for file in before.files}.isdisjoint(file.key for file in after.files)
    assert gallery.bytes_of(before.files[0].key) is None
    assert gallery.bytes_of(after.files[0].key) is not None
    folder = gallery.store.home / "images"
    on_disk = {path.stem for path in folder.rglob("*.*")} if folder.exists() else set()
    assert on_disk.isdisjoint(file.key for file in before.files)


def test_a_renewal_that_fails_leaves_what_is_kept(gallery: Gallery) -> None:
    """Until six months are over: then it is let go."""
    gallery.fetch()
    gallery.tmdb.set_faults("http-503")
    gallery.travel.shift(160 * DAY)
    gallery.fetch()
    assert gallery.picture() is not None
    assert gallery.row()["words"]
    gallery.travel.shift(21 * DAY)
    gallery.fetch()
    assert gallery.picture() is None
    assert gallery.row()["state"] == State.FAILED


def test_the_same_picture_keeps_its_names(gallery: Gallery) -> None:
    """A renewal without a change lets addresses stand that may be kept for ever."""
    gallery.fetch()
    before = gallery.kept()
    gallery.travel.shift(160 * DAY)
    assert gallery.fetch().counts[State.KEPT] == 3
    assert gallery.kept().files == before.files


def test_lost_files_are_fetched_again(gallery: Gallery) -> None:
    """Whether they lay in the home folder or in the database."""
    gallery.fetch()
    files = gallery.kept().files
    if gallery.store.database.on_sqlite:
        for path in (gallery.store.home / "images").rglob("*.webp"):
            path.unlink()
    else:
        with gallery.store.database.write() as conn:
            conn.execute(sa.text("UPDATE picture_files SET body = NULL"))
    assert gallery.fetch().counts == {State.KEPT: 3}
    assert gallery.kept().files == files
    assert all(gallery.bytes_of(file.key) for file in files)


def test_files_are_private_and_strays_are_swept(gallery: Gallery) -> None:
    """0600 in folders of 0700; what a killed run left behind goes after a while."""
    gallery.fetch()
    folder = gallery.store.home / "images"
    if not gallery.store.database.on_sqlite:
        assert not folder.exists()
        return
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    stray = folder / "movie-12000" / "0000.webp"
    stray.write_bytes(b"")
    gallery.fetch()
    assert stray.exists()
    gallery.travel.shift(2 * timedelta(hours=1))
    gallery.fetch()
    assert not stray.exists()
    assert len(list(folder.rglob("*.*"))) == 16


def test_two_workers_fetch_nothing_twice(gallery: Gallery) -> None:
    """However many work at once, each picture is asked for once."""
    for number in range(12003, 12030, 3):
        gallery.add_title(f"movie:{number}", tmdb=FILMS + number)
        gallery.watch(f"movie:{number}", number)
    troubles: list[BaseException] = []

    def work() -> None:
        try:
            gallery.fetch()
        except BaseException as reason:  # noqa: BLE001
            troubles.append(reason)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    paths = gallery.tmdb.requests()["paths"]
    assert {path: count for path, count in paths.items() if "configuration" not in path} == {
        path: 1 for path in paths if "configuration" not in path
    }
    assert len([path for path in paths if "/t/p/" in path]) == 12


def test_what_was_watched_last_comes_first(gallery: Gallery) -> None:
    """A run is bounded, and says that there is more."""
    gallery.add_title("movie:12003", tmdb=FILMS + 12003)
    gallery.watch("movie:12003", 3, to_millis(now() + timedelta(seconds=5)))
    run = gallery.fetch(most=1)
    assert run.more
    assert gallery.picture("movie:12003") is not None
    assert gallery.picture(FILM) is None


def test_views_hear_of_new_pictures(gallery: Gallery) -> None:
    """The number of the topic grows with a picture, and not without."""

    def number() -> int:
        with gallery.store.database.read() as conn:
            return changes.numbers(conn, [changes.PICTURES])[changes.PICTURES]

    before = number()
    gallery.fetch()
    after = number()
    gallery.fetch()
    assert before < after == number()

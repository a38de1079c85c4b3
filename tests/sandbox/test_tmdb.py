"""TMDB's stand-in: it answers as TMDB does, draws the same pictures each time, fails on demand."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from watchbook.sandbox.tmdb import FAULTS, RunningTmdb, TmdbOptions, running
from watchbook.sandbox.trakt import SandboxOptions
from watchbook.sandbox.trakt import running as running_trakt

FILM = "/3/movie/912000"


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningTmdb]:
    """A stand-in for all tests of this module."""
    with running(TmdbOptions(plays=300)) as found:
        yield found


@pytest.fixture
def tmdb(shared: RunningTmdb) -> RunningTmdb:
    """It, without faults and requests."""
    shared.clear_faults()
    shared.reset_requests()
    return shared


def ask(url: str, token: str = "") -> tuple[int, bytes]:
    """Status and body."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def facts(tmdb: RunningTmdb, path: str) -> dict[str, Any]:
    """What it tells of a title."""
    status, body = ask(tmdb.api_url + path, tmdb.token)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def test_both_kinds_of_keys_are_asked_for(tmdb: RunningTmdb) -> None:
    """v3 in the query, v4 in the header; without one 401 with TMDB's own code."""
    assert ask(f"{tmdb.api_url}{FILM}?api_key={tmdb.key}")[0] == 200
    assert ask(tmdb.api_url + FILM, tmdb.token)[0] == 200
    status, body = ask(tmdb.api_url + FILM, "wrong")
    assert (status, json.loads(body)["status_code"]) == (401, 7)
    assert tmdb.key not in str(tmdb.requests())


def test_pictures_come_in_the_languages_that_are_asked_for(tmdb: RunningTmdb) -> None:
    """`null` are those without words, which tell no language."""
    path = f"{FILM}?append_to_response=images&include_image_language=de,null"
    found = facts(tmdb, path)["images"]["posters"]
    assert [one["iso_639_1"] for one in found] == ["de", None]
    assert "images" not in facts(tmdb, FILM)


@pytest.mark.parametrize(
    ("path", "size"),
    [
        (FILM, (342, 513)),
        ("/3/tv/701390", (342, 513)),
        ("/3/tv/701390/season/1", (342, 513)),
        ("/3/tv/701390/season/1/episode/2", (342, 192)),
    ],
)
def test_every_picture_is_real(tmdb: RunningTmdb, path: str, size: tuple[int, int]) -> None:
    """A JPEG of the size in its address, the same each time."""
    found = facts(tmdb, path)
    address = f"{tmdb.image_url}/w342{found.get('poster_path') or found.get('still_path')}"
    body = ask(address)[1]
    with Image.open(BytesIO(body)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("JPEG", size)
    assert ask(address)[1] == body


@pytest.mark.parametrize(
    "path", ["/3/movie/1", "/3/tv/701390/season/99", "/3/tv/701390/season/1/episode/999", "/3/x"]
)
def test_what_is_not_there_is_404(tmdb: RunningTmdb, path: str) -> None:
    """With TMDB's own code."""
    status, body = ask(tmdb.api_url + path, tmdb.token)
    assert (status, json.loads(body)["status_code"]) == (404, 34)


def test_new_artwork_lies_elsewhere(tmdb: RunningTmdb) -> None:
    """And the old is gone."""
    before = facts(tmdb, FILM)["poster_path"]
    tmdb.new_artwork()
    assert facts(tmdb, FILM)["poster_path"] != before
    assert ask(f"{tmdb.image_url}/w342{before}")[0] == 404


def test_trakt_names_pictures_that_are_here() -> None:
    """Those of a stand-in for Trakt that was told where they lie; else it names none."""
    with running(TmdbOptions(plays=50)) as tmdb:
        for pictures, number in ((tmdb.trakt_images, 1), ("", 0)):
            options = SandboxOptions(plays=50, pictures=pictures)
            with running_trakt(options) as trakt:
                url = f"{trakt.url}/users/me/watched/movies?extended=full"
                headers = {
                    "Authorization": f"Bearer {trakt.access_token}",
                    "trakt-api-key": trakt.client_id,
                    "trakt-api-version": "2",
                    "User-Agent": "test",
                    "Content-Type": "application/json",
                }
                with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
                    rows = json.loads(answer.read())
            posters = rows[0]["movie"]["images"]["poster"]
            assert len(posters) == number
            for poster in posters:
                with Image.open(BytesIO(ask(poster)[1])) as picture:
                    assert picture.format == "WEBP"


@pytest.mark.parametrize("fault", [name for name, one in FAULTS.items() if one.scope == "answer"])
def test_faults_strike_pictures_and_data(tmdb: RunningTmdb, fault: str) -> None:
    """Each is an answer of its own; a part of the path limits it."""
    found = facts(tmdb, FILM)["poster_path"]
    picture = f"{tmdb.image_url}/w92{found}"
    right = ask(picture)
    tmdb.set_faults(f"{fault}/t/p")
    assert ask(picture) != right
    assert ask(tmdb.api_url + FILM, tmdb.token)[0] == 200


def test_the_command_tells_its_keys_first() -> None:
    """One line of JSON; a signal ends it."""
    command = [sys.executable, "-m", "watchbook", "sandbox", "tmdb", "--plays", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert ask(f"{told['api_url']}/3/configuration", told["token"])[0] == 200
        process.terminate()
        assert process.wait(60) == 0

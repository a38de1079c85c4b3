"""Asking TMDB: which picture is the best, where it lies, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from watchbook import tmdb
from watchbook.addresses import AddressRule
from watchbook.errors import (
    AuthorisationNeeded,
    RateLimited,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
)
from watchbook.http import HttpClient
from watchbook.sandbox.tmdb import RunningTmdb, TmdbOptions, running
from watchbook.tmdb import Artwork, Tmdb

FILM = tmdb.film(912_000)
V3, V4 = "0123456789abcdef0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9.payload.signature"


def client(
    answer: Callable[[httpx2.Request], httpx2.Response], token: str = V4, language: str = "de"
) -> Tmdb:
    """TMDB as a function answers for it."""
    http = HttpClient(AddressRule(()), transport=httpx2.MockTransport(answer))
    return Tmdb(http, "https://api.example", "https://image.example/t/p", token, language)


def told(title: object, **options: str) -> Tmdb:
    """TMDB that tells the same of everything."""
    return client(lambda _: httpx2.Response(200, json=title), **options)


def posters(*languages: str | None) -> dict[str, Any]:
    """A title with posters in those languages."""
    found = [{"file_path": f"/{one}.jpg", "iso_639_1": one} for one in languages]
    return {"poster_path": "/own.jpg", "images": {"posters": found}}


@pytest.mark.parametrize(
    ("languages", "original", "expected"),
    [
        (("en", "ko", "de"), "ko", Artwork("/de.jpg", "de")),
        (("en", "ko", None), "ko", Artwork("/ko.jpg", "ko")),
        (("fr", "en", None), "ko", Artwork("/en.jpg", "en")),
        (("fr", None), "ko", Artwork("/None.jpg", None)),
        (("fr",), "ko", Artwork("/own.jpg", None)),
        ((), None, Artwork("/own.jpg", None)),
    ],
)
def test_the_best_poster_is_in_the_best_language(
    languages: tuple[str | None, ...], original: str | None, expected: Artwork
) -> None:
    """As set, else the title's own, else English, else without words, else TMDB's choice."""
    assert told(posters(*languages)).artwork(FILM, "poster", original) == expected


@pytest.mark.parametrize(
    "title",
    [
        {},
        {"poster_path": None, "images": None},
        {"poster_path": 7, "images": []},
        {"poster_path": "", "images": {"posters": None}},
        {"poster_path": "/../secret.jpg"},
        {"images": {"posters": [None, 3, {"file_path": "//x.jpg"}]}},
        {"poster_path": "https://elsewhere.example/x.jpg", "images": {"posters": {"a": 1}}},
        {"poster_path": "/logo.svg"},
    ],
)  # fmt: skip
def test_odd_titles_have_no_picture(title: dict[str, Any]) -> None:
    """Whatever is no plain path to a picture is passed over."""
    assert told(title).artwork(FILM, "poster", "en") is None


@pytest.mark.parametrize("token", [V3, V4])
def test_a_key_goes_where_it_belongs(token: str) -> None:
    """A v4 token into the header, a v3 key into the query, and never both."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={})

    client(answer, token).artwork(FILM, "poster", "en")
    (request,) = asked
    assert (token in str(request.url)) is (token == V3)
    assert ("authorization" in request.headers) is (token == V4)


@pytest.mark.parametrize(
    ("kind", "width", "size"),
    [("poster", 200, "w342"), ("poster", 780, "w780"), ("poster", 781, "original"),
     ("still", 300, "w300"), ("still", 780, "original")],
)  # fmt: skip
def test_the_smallest_size_that_is_wide_enough(kind: tmdb.Kind, width: int, size: str) -> None:
    """As TMDB's configuration lists them, whatever else stands there."""
    sizes = {
        "poster_sizes": ["h632", "w154", "w342", "w780", "original", 7],
        "still_sizes": ["w300"],
    }
    found = told({"images": sizes}).address(Artwork("/a.jpg", None), kind, width)
    assert found == f"https://image.example/t/p/{size}/a.jpg"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthorisationNeeded), (403, AuthorisationNeeded), (429, RateLimited),
        (500, RemoteUnavailable), (503, RemoteUnavailable), (408, RemoteUnavailable),
        (400, RemoteRejected), (422, RemoteRejected),
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", [V3, V4])
def test_refusals_are_errors_of_ours(status: int, kind: type[Exception], token: str) -> None:
    """Each with its fate, and none holds the key."""
    with pytest.raises(kind) as caught:
        client(lambda _: httpx2.Response(status, json={}), token).artwork(FILM, "poster", None)
    assert token not in f"{caught.value} {vars(caught.value)}"


def test_what_tmdb_does_not_know_has_no_picture() -> None:
    """Its own 404 is an answer; a page that says 404 is not."""
    missing = client(lambda _: httpx2.Response(404, json={"status_code": 34}))
    assert missing.artwork(FILM, "poster", None) is None
    with pytest.raises(RemoteRejected):
        client(lambda _: httpx2.Response(404, html="<h1>404</h1>")).artwork(FILM, "poster", None)


def test_an_answer_of_another_shape_is_told() -> None:
    """It passes only with a newer Watchbook."""
    with pytest.raises(RemoteChanged):
        told([]).artwork(FILM, "poster", None)
    with pytest.raises(RemoteChanged):
        told({"images": []}).check()


@pytest.fixture(scope="module")
def stand_in() -> Iterator[RunningTmdb]:
    """TMDB's stand-in."""
    with running(TmdbOptions(plays=300)) as found:
        yield found


@pytest.mark.parametrize("key", ["key", "token"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (FILM, "poster"),
        (tmdb.show(701_390), "poster"),
        (tmdb.season(701_390, 1), "poster"),
        (tmdb.episode(701_390, 1, 2), "still"),
    ],
)
def test_the_stand_in_is_asked_alike(
    stand_in: RunningTmdb, key: str, path: str, kind: tmdb.Kind
) -> None:
    """With either kind of key, for each kind of title; the picture is where it is said to be."""
    with HttpClient(AddressRule(("127.0.0.1",))) as http:
        token = str(getattr(stand_in, key))
        asked = Tmdb(http, stand_in.api_url, stand_in.image_url, token, "en")
        artwork = asked.artwork(path, kind, "en")
        assert artwork is not None
        answer = http.request("GET", asked.address(artwork, kind, 300))
        assert (answer.status, answer.content_type) == (200, "image/jpeg")


def test_a_wrong_key_is_refused(stand_in: RunningTmdb) -> None:
    """By the check that the doctor makes."""
    with HttpClient(AddressRule(("127.0.0.1",))) as http:
        Tmdb(http, stand_in.api_url, stand_in.image_url, stand_in.key, "en").check()
        with pytest.raises((AuthorisationNeeded, RemoteError)) as caught:
            Tmdb(http, stand_in.api_url, stand_in.image_url, V3, "en").check()
    assert "WATCHBOOK_TMDB_TOKEN" in str(getattr(caught.value, "hint", ""))

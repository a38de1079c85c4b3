"""Where a title's picture is looked for: at TMDB by its number, then among Trakt's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from watchbook import tmdb
from watchbook.errors import RateLimited, RemoteChanged, RemoteRejected, RemoteUnavailable
from watchbook.http import HttpClient, Timeouts
from watchbook.pictures.making import WIDTHS
from watchbook.store.picture_work import Subject
from watchbook.store.pictures import Kind
from watchbook.tmdb import Tmdb
from watchbook.urls import absolute

TMDB, TRAKT = "tmdb", "trakt"
MOST_BYTES = 12 * 1024 * 1024

_TIMEOUTS = Timeouts(connect=10, read=20, total=60)
_SERVER_ERRORS = 500
_IMAGES = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True)
class Found:
    """Where a picture lies: ``origin`` is how its source calls it."""

    source: str
    url: str
    origin: str
    language: str | None


Source = Callable[[Subject, Kind], Found | None]


def at_tmdb(client: Tmdb) -> Source:
    """TMDB as a source; it raises as :meth:`Tmdb.artwork` does."""

    def find(subject: Subject, kind: Kind) -> Found | None:
        language = subject.language or subject.show_language
        for path in _places(subject, kind):
            artwork = client.artwork(path, kind.value, language)
            if artwork is not None:
                url = client.address(artwork, kind.value, max(WIDTHS[kind]))
                return Found(TMDB, url, artwork.path, artwork.language)
        return None

    return find


def _places(subject: Subject, kind: Kind) -> Iterator[str]:
    """Where TMDB is asked for a title; a season without a poster has that of its show."""
    if subject.type == "movie" and subject.tmdb:
        yield tmdb.film(subject.tmdb)
    elif subject.type == "show" and subject.tmdb:
        yield tmdb.show(subject.tmdb)
    elif subject.show_tmdb and subject.season is not None:
        if kind is Kind.POSTER:
            yield tmdb.season(subject.show_tmdb, subject.season)
            yield tmdb.show(subject.show_tmdb)
        elif subject.number is not None:
            yield tmdb.episode(subject.show_tmdb, subject.season, subject.number)


def at_trakt(subject: Subject, kind: Kind) -> Found | None:
    """The picture that Trakt told with the title, else with its show."""
    told = [subject.images, subject.show_images if kind is Kind.POSTER else None]
    addresses = (_images(text).get(kind.value) for text in told)
    return next((found for found in map(_told, addresses) if found), None)


def _told(address: str | None) -> Found | None:
    """The picture at an address, unless it is none: exports may say anything."""
    if not address:
        return None
    # Trakt names host and path (its guide to images, 2026-06-19).
    url = absolute(address if "://" in address else f"https://{address}")
    return Found(TRAKT, url, urlsplit(url).path, None) if url else None


def may_have(source: str, subject: Subject, kind: Kind) -> bool:
    """Whether a source may have a picture, as far as can be said without asking it."""
    if source == TMDB:
        return next(_places(subject, kind), None) is not None
    return at_trakt(subject, kind) is not None


def _images(text: str | None) -> dict[str, str]:
    try:
        return _IMAGES.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}


def fetched(http: HttpClient, found: Found) -> bytes:
    """The bytes of a picture; raises RateLimited, RemoteUnavailable, and what does not pass."""
    answer = http.request(
        "GET",
        found.url,
        headers={"Accept": "image/webp,image/jpeg,image/png"},
        timeout=_TIMEOUTS,
        follow_redirects=True,
        max_bytes=MOST_BYTES,
    )
    about = {"service": answer.service, "status": answer.status, "address": answer.address}
    if answer.status == 429:
        raise RateLimited(
            f"{answer.service} asks to wait (429).",
            retry_after=answer.retry_after,
            service=answer.service,
            status=429,
            address=answer.address,
        )
    if answer.status >= _SERVER_ERRORS:
        raise RemoteUnavailable(f"{answer.service} answers {answer.status}.", **about)  # type: ignore[arg-type]
    if answer.status != 200:
        said = f"{answer.service} does not give the picture (status {answer.status})."
        raise RemoteRejected(said, **about)  # type: ignore[arg-type]
    if not answer.content_type.startswith("image/"):
        said = f"{answer.service} sent {answer.content_type or 'something'} in place of a picture."
        raise RemoteChanged(said, **about)  # type: ignore[arg-type]
    return answer.body

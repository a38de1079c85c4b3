"""TMDB: which pictures a title has, and where they lie.

A v4 token goes into a header. A v3 key can only go into the query, so it is registered as a
secret, and no address with a query is ever shown. What TMDB answers with which status follows
its documentation (developer.themoviedb.org, state of autumn 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from watchbook.errors import (
    AuthorisationNeeded,
    RateLimited,
    RemoteChanged,
    RemoteRejected,
    RemoteUnavailable,
)
from watchbook.http import Answer, HttpClient, Timeouts
from watchbook.redaction import secret

SERVICE = "TMDB"
KEYS = "https://www.themoviedb.org/settings/api"
NO_LANGUAGE = "xx"
"""Stands for pictures without words in them."""

_TIMEOUTS = Timeouts(connect=10, read=20, total=40)
_MAX_BYTES = 4 * 1024 * 1024
_PATH = re.compile(r"/[A-Za-z0-9_-]{1,200}\.(?:jpe?g|png|webp)")
_SIZE = re.compile(r"w(\d{1,5})")
_REFUSED = {401, 403}
_PASSING = {408, 425}
_SERVER_ERRORS = 500

Kind = Literal["poster", "still"]


@dataclass(frozen=True)
class Artwork:
    """A picture that TMDB has: its path, and the language of the words in it, if known."""

    path: str
    language: str | None


def film(number: int) -> str:
    """Where a film is asked for."""
    return f"/3/movie/{number}"


def show(number: int) -> str:
    """Where a show is asked for."""
    return f"/3/tv/{number}"


def season(number: int, season: int) -> str:
    """Where a season of the show ``number`` is asked for."""
    return f"{show(number)}/season/{season}"


def episode(number: int, season_: int, episode: int) -> str:
    """Where an episode of the show ``number`` is asked for; its own number leads nowhere."""
    return f"{season(number, season_)}/episode/{episode}"


class Tmdb:
    """Asks TMDB with one key; ``language`` is ``de`` or ``pt-BR``."""

    def __init__(
        self, http: HttpClient, api_url: str, image_url: str, token: str, language: str
    ) -> None:
        self._http = http
        self._api_url = api_url
        self._image_url = image_url
        self._language = language
        bearer = token.count(".") == 2  # the form of a v4 token; a v3 key has no dots
        secret(token)
        self._headers = {"Accept": "application/json"}
        self._headers |= {"Authorization": f"Bearer {token}"} if bearer else {}
        self._key = {} if bearer else {"api_key": token}
        self._sizes: Mapping[str, Any] | None = None

    def check(self) -> None:
        """Ask for something that every key may see; raises as :meth:`artwork` does."""
        self._read_sizes()

    def artwork(self, path: str, kind: Kind, original: str | None) -> Artwork | None:
        """The best picture of a title, or None when there is none or TMDB does not know it.

        ``original`` is the title's own language. Raises AuthorisationNeeded when TMDB does not
        take the key, RateLimited, RemoteUnavailable, RemoteRejected and RemoteChanged.
        """
        wanted = _languages(self._language, original)
        asked = ",".join("null" if one == NO_LANGUAGE else one for one in wanted)
        answer = self._get(
            path,
            language=self._language,
            append_to_response="images",
            include_image_language=asked,
        )
        return None if answer is None else _best(answer, kind, wanted)

    def address(self, artwork: Artwork, kind: Kind, width: int) -> str:
        """Where a picture lies in the smallest size that is at least ``width`` pixels wide."""
        if self._sizes is None:
            self._sizes = self._read_sizes()
        found = self._sizes.get(f"{kind}_sizes")
        known = (_SIZE.fullmatch(str(one)) for one in found or ())
        fitting = [int(one[1]) for one in known if one and int(one[1]) >= width]
        size = f"w{min(fitting)}" if fitting else "original"
        return f"{self._image_url}/{size}{artwork.path}"

    def _read_sizes(self) -> Mapping[str, Any]:
        found = (self._get("/3/configuration") or {}).get("images")
        if not isinstance(found, dict):
            raise _changed("its configuration names no sizes of pictures")
        return found

    def _get(self, path: str, **params: str) -> Mapping[str, Any] | None:
        """An object; None when there is nothing at ``path``."""
        answer = self._http.request(
            "GET",
            self._api_url + path,
            params={**params, **self._key},
            headers=self._headers,
            timeout=_TIMEOUTS,
            max_bytes=_MAX_BYTES,
        )
        if answer.status == 404 and answer.is_json:
            return None
        found = _checked(answer).json()
        if not isinstance(found, dict):
            raise _changed("its answer is no object")
        return found


def _languages(wanted: str, original: str | None) -> tuple[str, ...]:
    """The languages of pictures, the best first: as set, the title's own, English, none."""
    own = [original] if original and re.fullmatch("[a-z]{2}", original) else []
    return tuple(dict.fromkeys([wanted.partition("-")[0], *own, "en", NO_LANGUAGE]))


def _best(title: Mapping[str, Any], kind: Kind, wanted: Sequence[str]) -> Artwork | None:
    found = list(_pictures(title, kind))
    for language in wanted:
        for one in found:
            if (one.language or NO_LANGUAGE) == language:
                return one
    own = title.get(f"{kind}_path")
    usable = isinstance(own, str) and _PATH.fullmatch(own)
    return Artwork(str(own), None) if usable else next(iter(found), None)


def _pictures(title: Mapping[str, Any], kind: Kind) -> Iterator[Artwork]:
    """The pictures in ``images``; entries of an odd shape are passed over."""
    images = title.get("images")
    listed: Iterable[Any] = (images.get(f"{kind}s") if isinstance(images, dict) else None) or ()
    for one in listed if isinstance(listed, list) else ():
        path = one.get("file_path") if isinstance(one, dict) else None
        if isinstance(path, str) and _PATH.fullmatch(path):
            language = one.get("iso_639_1")
            yield Artwork(path, language if isinstance(language, str) else None)


def _checked(answer: Answer) -> Answer:
    """The answer if it is one to read, else the error that it stands for."""
    status = answer.status
    if status == 200 and answer.is_json and answer.body.strip():
        return answer
    if status in _REFUSED:
        raise AuthorisationNeeded(
            f"TMDB does not accept the key ({status}).",
            hint=f"Check WATCHBOOK_TMDB_TOKEN: a v3 key or a v4 token from {KEYS}. Until then "
            "Trakt's own pictures serve.",
        )
    if status == 429:
        raise RateLimited(
            "TMDB asks to wait (429).",
            retry_after=answer.retry_after,
            service=SERVICE,
            status=status,
            address=answer.address,
        )
    if status == 200 or status in _PASSING or status >= _SERVER_ERRORS:
        said = "answered with a page or nothing" if status == 200 else f"answers {status}"
        raise RemoteUnavailable(
            f"TMDB is not available at present (it {said}).",
            service=SERVICE,
            status=status,
            address=answer.address,
        )
    raise RemoteRejected(
        f"TMDB refused (status {status}).", service=SERVICE, status=status, address=answer.address
    )


def _changed(what: str) -> RemoteChanged:
    return RemoteChanged(
        f"TMDB does not answer as it did: {what}.",
        service=SERVICE,
        hint="Look for a newer Watchbook.",
    )

"""What ``watch-of`` holds: a title cited in one of several ways.

All ways share names and nesting with what ownyourtrakt sends, so readers of its posts find
everything. The standard way is valid microformats; the reference's way has numbers where texts
belong and objects where lists belong, for sites that were written for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from watchbook.micropub.titles import (
    REFERENCE_SITE,
    Episode,
    Film,
    Ids,
    Picture,
    Show,
    Watched,
    page_of,
)

Properties = dict[str, list[Any]]


class Payload(Enum):
    """The ways to cite a title."""

    STANDARD = "standard"
    REFERENCE = "reference"
    """As ownyourtrakt: numbers, and ids as an object."""
    REFERENCE_LIST = "reference-list"
    """The same with the ids as a list of one object, which known readers take for the same."""
    URL = "url"
    """The address alone."""


def cited(watched: Watched, payload: Payload, *, picture: bool = False) -> Any:
    """One value of ``watch-of``; with ``picture`` the citation holds the poster."""
    if payload is Payload.URL:
        return page_of(watched.what)
    found = _CITE[payload](watched)
    if picture and watched.poster is not None:
        found["properties"]["photo"] = [pictured(watched.poster)]
    return found


def pictured(picture: Picture) -> dict[str, str]:
    """A picture as microformats write one that has a description."""
    return {"value": picture.url, "alt": picture.alt}


def _standard(watched: Watched) -> dict[str, Any]:
    what = watched.what
    episode: Mapping[str, Any] = {}
    if isinstance(what, Episode):
        episode = {
            "publication": [what.show.name],
            "season": [str(what.season)],
            "episode": [str(what.number)],
            "episode-of": [
                _cite(page_of(what.show), {"name": [what.show.name]} | _date(what.show))
            ],
        }
    url = page_of(what)
    ids = {"trakt-watch-id": [str(watched.history_id)]} | _flat_ids(what.ids)
    named = _named(what) | {"uid": [url]} | _date(what)
    return _cite(url, {**named, **episode, **ids})


def _reference(watched: Watched, ids_of: Callable[[Ids], Any]) -> dict[str, Any]:
    what = watched.what
    found: dict[str, Any] = {**_named(what), "trakt-watch-id": [watched.history_id]}
    if isinstance(what, Episode):
        show = (
            {"name": [what.show.name]} | _midnight(what.show) | {"trakt-ids": ids_of(what.show.ids)}
        )
        found |= {
            "season": [what.season],
            "episode": [what.number],
            "episode-of": [_bare_cite(page_of(what.show, REFERENCE_SITE), show)],
        }
    found |= _midnight(what) | {"trakt-ids": ids_of(what.ids)}
    return _bare_cite(page_of(what, REFERENCE_SITE), found)


_CITE: dict[Payload, Callable[[Watched], dict[str, Any]]] = {
    Payload.STANDARD: _standard,
    Payload.REFERENCE: lambda watched: _reference(watched, _ids),
    Payload.REFERENCE_LIST: lambda watched: _reference(watched, lambda ids: [_ids(ids)]),
}


def _cite(url: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    # `value` is what a reader takes who does not look inside.
    return {"value": url, **_bare_cite(url, properties)}


def _bare_cite(url: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": ["h-cite"], "properties": {"url": [url], **properties}}


def _named(what: Film | Episode) -> Properties:
    return {"name": [what.name]} if what.name else {}


def _date(what: Film | Episode | Show) -> Properties:
    """The day when it came out; the bare year where no day is known."""
    if isinstance(what, Episode):
        known: str | int | None = what.aired
    else:
        known = (what.released if isinstance(what, Film) else None) or what.year
    return {"published": [str(known)]} if known else {}


def _midnight(what: Film | Episode | Show) -> Properties:
    """The year as the reference writes it; episodes have none there."""
    year = None if isinstance(what, Episode) else what.year
    return {"published": [f"{year:04}-01-01T00:00:00Z"]} if year else {}


def _ids(ids: Ids) -> dict[str, Any]:
    known = {"trakt": ids.trakt, "imdb": ids.imdb, "tmdb": ids.tmdb}
    known |= {"slug": ids.slug, "tvdb": ids.tvdb}
    return {name: value for name, value in known.items() if value}


def _flat_ids(ids: Ids) -> Properties:
    known = {"trakt-id": ids.trakt, "imdb-id": ids.imdb, "tmdb-id": ids.tmdb, "tvdb-id": ids.tvdb}
    return {name: [str(value)] for name, value in known.items() if value}

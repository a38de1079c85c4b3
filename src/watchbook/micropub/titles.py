"""What a post is about: films and episodes, as much of them as Trakt knows."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "https://app.trakt.tv"
REFERENCE_SITE = "https://trakt.tv"
"""Where the posts of ownyourtrakt lead; Trakt sends its readers on to the above."""


@dataclass(frozen=True)
class Ids:
    """A title's numbers and slug; None where Trakt has none."""

    trakt: int
    slug: str | None = None
    imdb: str | None = None
    tmdb: int | None = None
    tvdb: int | None = None


@dataclass(frozen=True)
class Film:
    """A film; ``released`` is a date such as ``1995-12-15``."""

    name: str
    ids: Ids
    year: int | None = None
    released: str | None = None


@dataclass(frozen=True)
class Show:
    """A series."""

    name: str
    ids: Ids
    year: int | None = None


@dataclass(frozen=True)
class Episode:
    """An episode; ``aired`` is a date. One that is not announced yet may have no name."""

    show: Show
    season: int
    number: int
    ids: Ids
    name: str | None = None
    aired: str | None = None


@dataclass(frozen=True)
class Picture:
    """A picture that has an address, and what it shows in words."""

    url: str
    alt: str


@dataclass(frozen=True)
class Watched:
    """One play: its key at Trakt, what was watched, and its rating, 1 to 10."""

    history_id: int
    what: Film | Episode
    poster: Picture | None = None
    rating: int | None = None


def page_of(what: Film | Episode | Show, site: str = SITE) -> str:
    """The title's page at Trakt; without a slug its number stands in the same place."""
    if isinstance(what, Episode):
        return f"{page_of(what.show, site)}/seasons/{what.season}/episodes/{what.number}"
    kind = "movies" if isinstance(what, Film) else "shows"
    return f"{site}/{kind}/{what.ids.slug or what.ids.trakt}"

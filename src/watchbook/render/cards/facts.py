"""What cards say, before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from watchbook.render.cards.letters import Name
from watchbook.render.statistics import Heatmap, Year

NO_NAME = Name("")


@dataclass(frozen=True)
class Picture:
    """A poster."""

    data: str
    """A ``data:`` address of a JPEG or PNG."""
    source: str = "tmdb"
    """Whose it is, as in `attribution.BY_SOURCE`."""


@dataclass(frozen=True)
class Shot:
    """A film or an episode that is watched, or was."""

    title: Name
    """The film or the show."""
    film: bool
    key: str | None = None
    """The title's key, which has a colour of its own."""
    code: str = ""
    """``S2 E7`` for an episode."""
    subtitle: Name = NO_NAME
    """The episode's own title; the year of a film."""
    poster: Picture | None = None
    at: datetime | None = None
    """When it was watched, as the clocks of the account show it; None for an unknown date."""
    rating: int | None = None
    """From 1 to 10, if it may be seen."""


@dataclass(frozen=True)
class Last:
    """The last film or episode watched; None when there is none."""

    who: str
    shot: Shot | None


@dataclass(frozen=True)
class Now:
    """What is being watched; None when nothing is."""

    who: str
    shot: Shot | None
    progress: float = 0
    """How far it is, from 0 to 1."""
    ends_at: datetime | None = None
    """When it will be over, as the clocks of the account show it."""
    before: Shot | None = None
    """What was watched last, for when nothing is on, if that may be seen."""


@dataclass(frozen=True)
class Favourite:
    """A title of the most watched."""

    title: Name
    film: bool
    plays: int
    key: str | None = None
    """The title's key."""
    poster: Picture | None = None


@dataclass(frozen=True)
class YearInReview:
    """A year and its most watched titles, with names and posters."""

    who: str
    year: Year
    favourites: list[Favourite] = field(default_factory=list)


@dataclass(frozen=True)
class Calendar:
    """A heatmap; ``year`` is None for the twelve months up to ``today``."""

    who: str
    heatmap: Heatmap
    year: int | None
    today: date

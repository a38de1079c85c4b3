"""What TMDB's stand-in knows: the titles of the catalogue, under the numbers that Trakt tells."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from watchbook.sandbox.clock import Clock
from watchbook.sandbox.library import build
from watchbook.sandbox.library.titles import Film, Show
from watchbook.sandbox.record import Record
from watchbook.sandbox.rules import FaultBoard
from watchbook.sandbox.tmdb.fault_table import FAULTS
from watchbook.sandbox.tmdb.options import TmdbOptions

FILMS = 900_000
"""Added to a film's number at Trakt; that of shows is below."""
SHOWS = 700_000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a picture shows: its words, its number, and the place of a season or an episode."""

    kind: str
    number: int
    title: str
    year: int
    language: str
    season: int | None = None
    episode: int | None = None

    @property
    def name(self) -> str:
        """What its pictures are called: ``show-701390-2-7``."""
        places = (str(part) for part in (self.season, self.episode) if part is not None)
        return "-".join((self.kind, str(self.number), *places))

    @property
    def under(self) -> str:
        """What stands below the title."""
        if self.season is None:
            return str(self.year)
        return f"Season {self.season}" + (f", {self.episode}" if self.episode is not None else "")


class World:
    """The catalogue, keys, faults, clock and log of one stand-in."""

    def __init__(self, options: TmdbOptions) -> None:
        """Prepare everything; its `url` is known when it listens."""
        self.url = ""
        self.clock = Clock(options.now)
        self.catalogue = build(options.plays, options.seed, self.clock.today())
        self.faults = FaultBoard(FAULTS, options.faults)
        self.record = Record()
        self.latency = options.latency
        self.edition = 1
        self.key = sha256(f"tmdb:{options.seed}".encode()).hexdigest()[:32]
        self.token = f"eyJhbGciOiJIUzI1NiJ9.{self.key}.{self.key[::-1]}"

    def film(self, number: int) -> Subject | None:
        """The film of a number at TMDB."""
        item = self.catalogue.film_item(str(number - FILMS))
        found = None if item is None else self.catalogue.title(item)
        if not isinstance(found, Film) or found.trakt != number - FILMS:
            return None
        return Subject("movie", number, found.title, found.year, found.language)

    def show(
        self, number: int, season: int | None = None, episode: int | None = None
    ) -> Subject | None:
        """The show of a number at TMDB, or one of its seasons or episodes."""
        found = self.catalogue.show(str(number - SHOWS))
        if found is None or found.trakt != number - SHOWS or not _has(found, season, episode):
            return None
        place = (found.title, found.year, found.language, season, episode)
        return Subject("tv", number, *place)

    def named(self, name: str) -> Subject | None:
        """The subject of a picture's name."""
        kind, *numbers = name.split("-")
        if not all(number.isdigit() for number in numbers) or not 1 <= len(numbers) <= 3:
            return None
        if kind == "tv":
            return self.show(*map(int, numbers))
        return self.film(int(numbers[0])) if kind == "movie" and len(numbers) == 1 else None


def _has(show: Show, season: int | None, episode: int | None) -> bool:
    if season is None:
        return True
    if season not in show.season_numbers():
        return False
    return episode is None or 1 <= episode <= show.count(season)

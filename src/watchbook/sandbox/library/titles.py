"""What can be watched: films, shows, seasons and episodes, with the numbers they are known by.

Ids are invented. They are computed from the position of a title in the catalogue, so the same
seed names the same title by the same number in every account.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

MINUTE = 60
DAY = 24 * 60
"""Minutes of a day: times in this package are whole minutes since 1970, as Trakt keeps them."""

SHOW_IDS = 1_390
SEASON_IDS = 61_000
EPISODE_IDS = 4_000_000
FILM_IDS = 12_000


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A film of the catalogue; `removed` ones answer as null, as films do that Trakt dropped."""

    trakt: int
    title: str
    year: int
    runtime: int
    genres: tuple[str, ...]
    country: str
    language: str
    certification: str
    slug: str
    removed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Show:
    """A series; `seasons` counts the episodes of each season, `specials` those of season 0."""

    trakt: int
    title: str
    year: int
    runtime: int
    genres: tuple[str, ...]
    country: str
    language: str
    network: str
    status: str
    slug: str
    specials: int
    seasons: tuple[int, ...]
    first: int
    """Number of its first episode, counted over the whole catalogue, specials leading."""
    newest_at: int
    """Minute at which the first episode of the last season aired."""
    today: int
    """The day on which the catalogue is looked at: what has aired by then counts as aired."""
    offsets: tuple[int, ...] = field(init=False)
    aired_episodes: int = field(init=False)
    """Regular episodes that have aired."""

    def __post_init__(self) -> None:
        """Work out where each season begins and what has aired, once for all who watch it."""
        offsets = [0, self.specials]
        for count in self.seasons:
            offsets.append(offsets[-1] + count)
        object.__setattr__(self, "offsets", tuple(offsets))
        object.__setattr__(self, "aired_episodes", self._aired())

    @property
    def size(self) -> int:
        """Episodes in all, specials among them."""
        return self.offsets[-1]

    def count(self, season: int) -> int:
        """Episodes of one season."""
        return self.offsets[season + 1] - self.offsets[season]

    def season_numbers(self) -> list[int]:
        """Numbers of its seasons, 0 first when there are specials."""
        return [n for n in range(len(self.seasons) + 1) if self.count(n)]

    def place(self, index: int) -> tuple[int, int]:
        """Season and number of an episode of this show, given its number in the catalogue."""
        offset = index - self.first
        season = 0
        while self.offsets[season + 1] <= offset:
            season += 1
        return season, offset - self.offsets[season] + 1

    def aired_at(self, season: int, number: int) -> int:
        """Minute at which an episode first aired: weekly, one season a year."""
        last = len(self.seasons)
        if season == 0:
            return self._season_start(min(number, last)) - 7 * DAY
        return self._season_start(season) + (number - 1) * self._pace(season)

    def _pace(self, season: int) -> int:
        return 7 * DAY if self.count(season) <= 30 else DAY

    def _season_start(self, season: int) -> int:
        last = len(self.seasons)
        premiere = minute_of(date(self.year, 1 + self.trakt % 9, 1 + self.trakt % 27)) + 20 * 60
        if season >= last:
            return self.newest_at
        gap = max(0, self.newest_at - premiere) // max(1, last - 1)
        return premiere + (season - 1) * gap

    def _aired(self) -> int:
        if self.status != "returning series":
            return self.size - self.specials
        before = self.offsets[-2] - self.specials
        last = len(self.seasons)
        shown = sum(self.aired_at(last, n) <= self.today for n in range(1, self.count(last) + 1))
        return before + shown


class Season(NamedTuple):
    """One season of a show."""

    show: Show
    number: int

    @property
    def trakt(self) -> int:
        """Its number at Trakt."""
        return SEASON_IDS + (self.show.trakt - SHOW_IDS) * 60 + self.number


class Episode(NamedTuple):
    """One episode of a show; `serial` is its number in the catalogue."""

    show: Show
    season: int
    number: int
    serial: int

    @property
    def trakt(self) -> int:
        """Its number at Trakt."""
        return EPISODE_IDS + self.serial

    @property
    def aired_at(self) -> int:
        """Minute at which it first aired."""
        return self.show.aired_at(self.season, self.number)


class Person(NamedTuple):
    """Somebody of the film world, as lists may hold them."""

    trakt: int
    name: str
    slug: str


class User(NamedTuple):
    """An invented member of Trakt; a deleted one has no slug left."""

    trakt: int
    username: str
    name: str
    slug: str | None
    private: bool = False
    deleted: bool = False
    vip: bool = False
    joined: int = 23_000_000
    location: str | None = None
    about: str | None = None
    gender: str | None = None
    age: int | None = None


def mix(number: int, salt: int = 0) -> int:
    """Scatter a number evenly over 62 bits: chance that needs no generator and no order."""
    number = (number + salt * 0x632BE59BD9B4E019 + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (number ^ (number >> 31)) >> 2


def slugify(title: str, spare: str) -> str:
    """The title as Trakt writes it in addresses; `spare` stands in when no letter is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or spare


def minute_of(when: date | datetime) -> int:
    """Whole minutes from 1970 to a day's midnight, or to a moment, in UTC."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC)
    return int(when.timestamp()) // MINUTE

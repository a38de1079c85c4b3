"""The catalogue: real titles from two hand-made lists, extended by invented ones.

All accounts of one sandbox share a catalogue, as all of Trakt's members do.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from watchbook.sandbox.library.invention import Inventor
from watchbook.sandbox.library.titles import (
    DAY,
    EPISODE_IDS,
    FILM_IDS,
    SEASON_IDS,
    SHOW_IDS,
    Episode,
    Film,
    Season,
    Show,
    mix,
    slugify,
)

_FILM_SHARE = 0.72
_TITLES_AT_FIFTY_THOUSAND = 2_000


@dataclass(frozen=True, slots=True)
class Size:
    """How many titles a library of some plays has."""

    films: int
    shows: int

    @classmethod
    def of(cls, plays: int) -> Size:
        """Titles for a number of plays: 2,000 for 50,000, about a hundred for 1,000."""
        titles = max(4, round(_TITLES_AT_FIFTY_THOUSAND * (plays / 50_000) ** 0.7))
        films = max(2, round(titles * _FILM_SHARE))
        return cls(films=films, shows=max(2, titles - films))


class Catalogue:
    """Films, shows and episodes that can be found by their position or their Trakt id.

    An *item* is one number for anything that can be played: films count from 0, episodes
    follow after the last film.
    """

    def __init__(self, films: list[Film], shows: list[Show]) -> None:
        """Keep the titles and prepare the look-ups."""
        self.films = films
        self.shows = shows
        self._firsts = [show.first for show in shows]
        self._films_by_id = {film.trakt: number for number, film in enumerate(films)}
        self._shows_by_id = {show.trakt: show for show in shows}
        self._by_slug: dict[str, Film | Show] = {film.slug: film for film in films}
        self._shows_by_slug = {show.slug: show for show in shows}

    def is_film(self, item: int) -> bool:
        """Whether an item is a film; if not it is an episode."""
        return item < len(self.films)

    def title(self, item: int) -> Film | Episode:
        """The film or episode that an item stands for."""
        if item < len(self.films):
            return self.films[item]
        return self.episode(item - len(self.films))

    def show_of(self, item: int) -> Show:
        """The show that an episode's item belongs to."""
        return self.shows[bisect_right(self._firsts, item - len(self.films)) - 1]

    def episode(self, index: int) -> Episode:
        """An episode by its number in the catalogue."""
        show = self.shows[bisect_right(self._firsts, index) - 1]
        return Episode(show, *show.place(index), index)

    def items_of(self, show: Show) -> range:
        """The items of all episodes of a show, specials leading."""
        start = len(self.films) + show.first
        return range(start, start + show.size)

    def film_item(self, key: str) -> int | None:
        """The item of a film given by Trakt id or slug."""
        if key.isdigit() and int(key) in self._films_by_id:
            return self._films_by_id[int(key)]
        film = self._by_slug.get(key)
        return self._films_by_id[film.trakt] if film else None

    def show(self, key: str) -> Show | None:
        """A show given by Trakt id or slug."""
        if key.isdigit() and int(key) in self._shows_by_id:
            return self._shows_by_id[int(key)]
        return self._shows_by_slug.get(key)

    def season(self, key: str) -> Season | None:
        """A season given by its Trakt id."""
        if not key.isdigit():
            return None
        place, number = divmod(int(key) - SEASON_IDS, 60)
        show = self._shows_by_id.get(place + SHOW_IDS)
        return Season(show, number) if show and number in show.season_numbers() else None

    def episode_item(self, key: str) -> int | None:
        """The item of an episode given by its Trakt id."""
        last = self.shows[-1]
        index = int(key) - EPISODE_IDS if key.isdigit() else -1
        return len(self.films) + index if 0 <= index < last.first + last.size else None


@lru_cache(maxsize=4)
def build(plays: int, seed: int, today: int) -> Catalogue:
    """The catalogue for libraries of `plays` plays, seen from the day that begins at a minute."""
    size = Size.of(plays)
    year = 1970 + today // (365 * DAY + DAY // 4)
    inventor = Inventor(seed)
    longest = 6 if plays <= 20_000 else 9 if plays <= 60_000 else 13
    film_rows = _chosen("films.txt", size.films, seed)
    film_rows += [inventor.film(year) for _ in range(size.films - len(film_rows))]
    show_rows = _chosen("series.txt", size.shows, seed)
    show_rows += [inventor.show(year, longest) for _ in range(size.shows - len(show_rows))]
    return Catalogue(_films(film_rows), _shows(show_rows, today))


def _chosen(name: str, count: int, seed: int) -> list[list[str]]:
    rows = [line.split("|") for line in _lines(name)]
    order = sorted(range(len(rows)), key=lambda n: mix(n, seed))
    # Two running shows lead, so that the smallest library has something to look forward to.
    running = [n for n in order if rows[n][-1] == "returning"][:2]
    chosen = running + [n for n in order if n not in running]
    return [rows[n] for n in chosen[:count]]


@lru_cache
def _lines(name: str) -> tuple[str, ...]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def _films(rows: list[list[str]]) -> list[Film]:
    slugs: set[str] = set()
    films = []
    for number, row in enumerate(rows):
        title, year, runtime, genres, country, language, certification = row
        trakt = FILM_IDS + number * 3
        slug = _unique(f"{slugify(title, str(trakt))}-{year}", slugs)
        words = tuple(genres.split(","))
        # One film of each library is gone from Trakt's catalogue; its plays stay.
        gone = number == len(rows) - 1
        origin = country, language, certification, slug
        films.append(Film(trakt, title, int(year), int(runtime), words, *origin, removed=gone))
    return films


def _shows(rows: list[list[str]], today: int) -> list[Show]:
    slugs: set[str] = set()
    shows: list[Show] = []
    first = 0
    for number, row in enumerate(rows):
        shows.append(_show(row, SHOW_IDS + number * 2, first, today, slugs))
        first += shows[-1].size
    return shows


def _show(row: list[str], trakt: int, first: int, today: int, slugs: set[str]) -> Show:
    title, year, runtime, genres, country, language, network, counts, status = row
    seasons = counts.split(",")
    specials = int(seasons.pop(0)[1:]) if counts.startswith("s") else 0
    length = len(seasons)
    return Show(
        trakt=trakt,
        title=title,
        year=int(year),
        runtime=int(runtime),
        genres=tuple(genres.split(",")),
        country=country,
        language=language,
        network=network,
        status="returning series" if status == "returning" else status,
        slug=_unique(slugify(title, str(trakt)), slugs),
        specials=specials,
        seasons=tuple(map(int, seasons)),
        first=first,
        newest_at=_newest_at(int(year), length, trakt, today, status=status),
        today=today,
    )


def _newest_at(year: int, length: int, trakt: int, today: int, *, status: str) -> int:
    """When the last season began: weeks ago for a returning show, long ago for an ended one."""
    evening = 20 * 60
    if status == "returning":
        return today - (2 + mix(trakt) % 5) * 7 * DAY + mix(trakt, 1) % 7 * DAY + evening
    finale = minute_of_year(year + length - 1) + mix(trakt) % 300 * DAY
    return min(finale, today - (200 + mix(trakt) % 150) * DAY) + evening


def minute_of_year(year: int) -> int:
    """Minute at which a year begins, give or take a day."""
    return (year - 1970) * 1461 // 4 * DAY


def _unique(slug: str, taken: set[str]) -> str:
    spare = slug
    number = 2
    while spare in taken:
        spare = f"{slug}-{number}"
        number += 1
    taken.add(spare)
    return spare

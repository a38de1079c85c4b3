"""Years of watching, made up: evenings, weekends, binges, rewatches, specials, lost dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from watchbook.sandbox.library.catalogue import Catalogue
from watchbook.sandbox.library.entries import UNKNOWN_DATE, Play
from watchbook.sandbox.library.titles import DAY, Show

_WEEK = 7 * DAY
_BEYOND_FLOATS = 2**53 + 1
"""Newer history ids lie where a reader that thinks in doubles gets them wrong."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How somebody watches a show: episodes on a weekday, on a weekend day, days between."""

    weekday: int
    weekend: int
    every: int


_PACES = (Pace(1, 1, 7), Pace(1, 1, 7), Pace(1, 2, 1), Pace(1, 3, 2), Pace(2, 4, 1), Pace(4, 8, 1))


@dataclass(slots=True)
class Viewing:
    """The outcome: plays in order, and when each item's record was last touched."""

    plays: list[Play]
    touched: dict[int, int]


class Viewer:
    """Simulates one person in front of a screen."""

    def __init__(self, catalogue: Catalogue, chance: Random, today: int, shift: int) -> None:
        """Watch titles of a catalogue up to the day `today`, `shift` minutes off UTC."""
        self.catalogue = catalogue
        self.chance = chance
        self.today = today
        self.shift = shift

    def watch(self, plays: int, account: int) -> Viewing:
        """Make up a number of plays for the account of some position."""
        start = self.today - int(min(20.0, max(1.5, plays / 1_100)) * 365) * DAY
        unknown = max(plays // 250, plays >= 50)
        films = min(round(len(self.catalogue.films) * 1.35), plays * 6 // 10)
        entered = [(minute, minute, item) for minute, item in self._film_plays(films, start)]
        entered += self._episode_plays(plays - films - unknown, start)
        entered += self._unknown(unknown, start)
        return _numbered(entered, account, self.chance)

    def _film_plays(self, count: int, start: int) -> Iterator[tuple[int, int]]:
        known = len(self.catalogue.films)
        first = self.chance.sample(range(known), min(known, count))
        again = [
            first[int(len(first) * self.chance.random() ** 2)] for _ in range(count - len(first))
        ]
        # The film that Trakt dropped is always among those seen.
        if first and known - 1 not in first:
            first[0] = known - 1
        for item in first + again:
            yield self._evening(start, self.catalogue.films[item].runtime), item

    def _evening(self, start: int, runtime: int) -> int:
        days = (self.today - start) // DAY
        day = start + int(days * self.chance.random()) * DAY
        if not _weekend(day) and self.chance.random() < 0.5:
            day -= day % _WEEK - 2 * DAY  # Saturday: 1970 began on a Thursday
        hour = self.chance.choice((14, 16, 19, 20, 20, 21))
        minute = day + hour * 60 + self.chance.randrange(60) + runtime + self.shift
        return min(minute, self.today - 1 - self.chance.randrange(DAY))

    def _unknown(self, count: int, start: int) -> Iterator[tuple[int, int, int]]:
        films = len(self.catalogue.films)
        for number in range(count):
            entered = start + int((self.today - start) * self.chance.random())
            item = self.chance.randrange(films) if number % 3 else self._any_episode()
            yield entered, UNKNOWN_DATE, item

    def _any_episode(self) -> int:
        show = self.chance.choice(self.catalogue.shows)
        return self.catalogue.items_of(show)[show.specials]

    def _episode_plays(self, quota: int, start: int) -> Iterator[tuple[int, int, int]]:
        for show, items in self._passes(quota):
            minutes = self._sittings(show, len(items), start)
            late = self.chance.random() < 0.04
            for minute, item in zip(minutes, items, strict=True):
                # Some shows were written down long after they had been seen.
                entered = min(self.today - 1, minute + 400 * DAY) if late else minute
                yield entered, minute, item

    def _passes(self, quota: int) -> Iterator[tuple[Show, Sequence[int]]]:
        """Runs of episodes that add up to the quota: first viewings, then favourites again."""
        shows = self.chance.sample(self.catalogue.shows, len(self.catalogue.shows))
        seen = [self._aired(show) for show in shows]
        share = max(3.0, quota / len(shows))
        rewatches = quota // 8
        for show, items in zip(shows, seen, strict=True):
            wanted = int(share * self.chance.uniform(0.4, 4.0))
            length = min(quota - rewatches, len(items), wanted)
            quota -= length
            if length:
                yield show, items[:length]
        while quota > 0:
            favourite = int(len(shows) * self.chance.random() ** 2)
            items = seen[favourite][:quota]
            quota -= len(items)
            yield shows[favourite], items

    def _aired(self, show: Show) -> Sequence[int]:
        items = self.catalogue.items_of(show)
        regular = items[show.specials : show.specials + show.aired_episodes]
        if show.specials and self.chance.random() < 0.6:
            return [*regular, *items[: show.specials]]
        return regular

    def _sittings(self, show: Show, count: int, start: int) -> list[int]:
        pace = self.chance.choice(_PACES)
        earliest = max(start, min(show.newest_at, self.today - 90 * DAY))
        days = max(1, (self.today - earliest) // DAY)
        day = earliest - earliest % DAY + int(days * self.chance.random()) * DAY
        minutes: list[int] = []
        while len(minutes) < count:
            minutes += self._sitting(day, show.runtime, pace)
            day += pace.every * DAY
        del minutes[count:]
        # Never later than yesterday: the whole run moves back by weeks, so weekends stay weekends.
        back = max(0, -(-(minutes[-1] - self.today + 1) // _WEEK)) * _WEEK
        return [minute - back for minute in minutes]

    def _sitting(self, day: int, runtime: int, pace: Pace) -> list[int]:
        weekend = _weekend(day)
        count = pace.weekend if weekend else pace.weekday
        opens = 13 * 60 if weekend and count > 2 else 19 * 60
        first = day + self.shift + opens + self.chance.randrange(120) + runtime
        step = runtime + self.chance.randrange(2, 7)
        return [first + number * step for number in range(count)]


def _weekend(minute: int) -> bool:
    return minute // DAY % 7 in (2, 3)


def _numbered(entered: list[tuple[int, int, int]], account: int, chance: Random) -> Viewing:
    """Give history ids in the order in which the plays were written down."""
    entered.sort()
    old = account * 10_000_000 + 1_000_000_000
    new = account * 10_000_000 + _BEYOND_FLOATS
    turn = len(entered) * 6 // 10
    touched: dict[int, int] = {}
    plays = []
    for number, (at, minute, item) in enumerate(entered):
        touched[item] = at
        draw = chance.random()
        action = "scrobble" if draw < 0.8 else "watch" if draw < 0.97 else "checkin"
        history = (old if number < turn else new) + number * 37 + number * 7_919 % 31
        plays.append(Play(minute, history, item, action))
    plays.sort()
    return Viewing(plays, touched)

"""All plays of an account as columns: what statistics are made of, without a row for each play."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import cached_property
from itertools import compress

from watchbook.render.days import Zone, number_of

_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Title:
    """What statistics need of a film or an episode."""

    subject: str
    """The key of the film, or of the episode's show."""
    episode: bool
    minutes: int | None = None
    genres: tuple[str, ...] = ()
    network: str = ""
    country: str = ""


NAMELESS = {"movie": Title("", episode=False), "episode": Title("", episode=True)}
"""In place of a title of which Trakt does not say what it was."""


@dataclass(frozen=True)
class Plays:
    """All plays of an account, oldest first: two columns, and what the titles in them are."""

    moments: Sequence[int]
    """Milliseconds; 0 for an unknown date."""
    keys: Sequence[str]
    titles: Mapping[str, Title]
    zone: tzinfo | None = None
    """Where the days are counted; None is that of this machine."""
    known_hours: Sequence[int] | None = field(default=None, compare=False, repr=False)
    """What `hours` would find, when it has been found before."""

    @cached_property
    def hours(self) -> Sequence[int]:
        """Of each play the local hour, counted from the beginning of 1970."""
        if self.known_hours is not None:
            return self.known_hours
        return Zone(self.zone).hours(self.moments)

    @cached_property
    def times(self) -> Counter[str]:
        """How often each title was played."""
        return Counter(self.keys)

    @cached_property
    def by_hour(self) -> Counter[int]:
        """Plays of each local hour that has one with a date."""
        counted = Counter(self.hours[: self.undated.start])
        counted.update(self.hours[self.undated.stop :])
        return counted

    @cached_property
    def by_day(self) -> Counter[int]:
        """Plays of each day that has one, by the day's number."""
        counted: Counter[int] = Counter()
        for hour, count in self.by_hour.items():
            counted[hour // 24] += count
        return counted

    @property
    def undated(self) -> slice:
        """Where the plays with an unknown date lie."""
        return slice(bisect_left(self.moments, _UNKNOWN), bisect_right(self.moments, _UNKNOWN))

    def title(self, key: str) -> Title:
        """What a play was of."""
        return self.titles.get(key) or NAMELESS.get(key, NAMELESS["episode"])

    def before(self, moment: int) -> Plays:
        """Those watched before ``moment`` (milliseconds); itself when these are all."""
        end = bisect_left(self.moments, moment)
        if end == len(self.moments):
            return self
        return self._of(self.moments[:end], self.keys[:end], self.hours[:end])

    def of_type(self, kind: str) -> Plays:
        """Those of films (``movie``) or of episodes (``episode``)."""
        episodes = kind == "episode"
        return self._chosen([self.title(key).episode == episodes for key in self.keys])

    def on_days(self, first: date, last: date) -> Plays:
        """Those whose date is known and lies in these days, both included."""
        low, high = number_of(first) * 24, (number_of(last) + 1) * 24
        wanted = [low <= hour < high for hour in self.hours]
        unknown = self.undated
        wanted[unknown] = [False] * (unknown.stop - unknown.start)
        return self._chosen(wanted)

    def _chosen(self, wanted: Sequence[bool]) -> Plays:
        return self._of(
            list(compress(self.moments, wanted)),
            list(compress(self.keys, wanted)),
            list(compress(self.hours, wanted)),
        )

    def _of(self, moments: Sequence[int], keys: Sequence[str], hours: Sequence[int]) -> Plays:
        return Plays(moments, keys, self.titles, self.zone, hours)

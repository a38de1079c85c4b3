"""The plays of one account: kept in order, read by page, counted, added to and taken from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from watchbook.sandbox.library import Catalogue
from watchbook.sandbox.library.entries import Play
from watchbook.sandbox.library.titles import Show

_END = 2**63


@dataclass(slots=True)
class ShowRecord:
    """What was watched of one show: times of every episode, oldest first."""

    show: Show
    seasons: dict[int, dict[int, list[int]]] = field(default_factory=dict)

    def times(self, *, specials: bool) -> list[int]:
        """Times of all its plays, with or without season 0."""
        return [
            minute
            for season, numbers in self.seasons.items()
            if season or specials
            for minutes in numbers.values()
            for minute in minutes
        ]


class History:
    """Plays in Trakt's order, and everything that is worked out from them."""

    def __init__(self, catalogue: Catalogue, plays: list[Play], touched: dict[int, int]) -> None:
        """Take over the plays, sorted by time and id."""
        self.catalogue = catalogue
        self.plays = plays
        self.touched = touched
        self._minutes = {play.id: play.minute for play in plays}
        self._last_id = max(self._minutes, default=2**53)
        self._kept: dict[object, list[Play]] = {}
        self._films: dict[int, list[int]] | None = None
        self._shows: dict[int, ShowRecord] | None = None

    def add(self, play: Play, now: int) -> None:
        """Insert a play where its time puts it."""
        insort(self.plays, play)
        self._minutes[play.id] = play.minute
        self.touched[play.item] = now
        self._changed()

    def next_id(self) -> int:
        """An id that no play has had, above all others."""
        self._last_id += 41
        return self._last_id

    def find(self, history_id: int) -> Play | None:
        """A play by its id."""
        minute = self._minutes.get(history_id)
        if minute is None:
            return None
        at = bisect_left(self.plays, (minute, history_id))
        return self.plays[at]

    def remove(self, ids: Sequence[int]) -> list[Play]:
        """Delete plays; ids that are unknown are passed over."""
        gone = {i for i in ids if self._minutes.pop(i, None) is not None}
        removed = [play for play in self.plays if play.id in gone]
        self.plays = [play for play in self.plays if play.id not in gone]
        self._changed()
        return removed

    def _changed(self) -> None:
        self._kept.clear()
        self._films = self._shows = None

    def select(self, key: object, wanted: Callable[[int], bool]) -> list[Play]:
        """Plays of the wanted items; `key` names the choice, so that it is made only once."""
        if key not in self._kept:
            if len(self._kept) >= 32:
                self._kept.clear()
            self._kept[key] = [play for play in self.plays if wanted(play.item)]
        return self._kept[key]

    def films(self) -> dict[int, list[int]]:
        """Times of the plays of each film, oldest first."""
        if self._films is None:
            self._films = self._film_times()
        return self._films

    def _film_times(self) -> dict[int, list[int]]:
        times: dict[int, list[int]] = defaultdict(list)
        for play in self.select("movies", self.catalogue.is_film):
            times[play.item].append(play.minute)
        return dict(times)

    def shows(self) -> dict[int, ShowRecord]:
        """What was watched of each show, by the show's id."""
        if self._shows is None:
            self._shows = self._show_records()
        return self._shows

    def _show_records(self) -> dict[int, ShowRecord]:
        times: dict[int, list[int]] = defaultdict(list)
        for play in self.plays:
            times[play.item].append(play.minute)
        records: dict[int, ShowRecord] = {}
        first = len(self.catalogue.films)
        for item, minutes in times.items():
            if item < first:
                continue
            part = self.catalogue.episode(item - first)
            record = records.setdefault(part.show.trakt, ShowRecord(part.show))
            record.seasons.setdefault(part.season, {})[part.number] = minutes
        return records

    def updated(self, items: Sequence[int]) -> int:
        """When the record of any of some items was last touched; deletions do not move it."""
        return max((self.touched[item] for item in items if item in self.touched), default=0)


def window(plays: list[Play], start: int | None, end: int | None) -> tuple[int, int]:
    """Positions of the plays from one minute to another, both included."""
    low = 0 if start is None else bisect_left(plays, (start, -1))
    high = len(plays) if end is None else bisect_right(plays, (end, _END, 0, ""))
    return low, high

"""The plays, column by column: three small numbers for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from watchbook.exporting.html.titles import Titles
from watchbook.exporting.moments import Wall
from watchbook.exporting.selection import Selected

ACTIONS = {"scrobble": "s", "checkin": "c", "watch": "w"}
OTHER = "o"

_MINUTE = 60_000


@dataclass
class Plays:
    """The selected plays, oldest first; those of unknown date come before all others."""

    unknown: int = 0
    at: array[int] = field(default_factory=lambda: array("q"))
    """Minutes since 1970 on the wall, of the plays whose date is known."""
    title: array[int] = field(default_factory=lambda: array("l"))
    action: bytearray = field(default_factory=bytearray)
    kinds: dict[str, int] = field(default_factory=dict)
    """How many plays there are of films, and of episodes."""

    @property
    def count(self) -> int:
        """How many plays there are."""
        return len(self.title)

    def steps(self) -> Iterator[int]:
        """The first time, then how many minutes later each next play was."""
        before = 0
        for minutes in self.at:
            yield minutes - before
            before = minutes


def read_plays(chosen: Selected, titles: Titles, wall: Wall) -> Plays:
    """Read the plays that are selected, and number their titles."""
    found = Plays()
    for play in chosen.plays():
        if play.removed_at is not None:
            continue
        # A play whose title Trakt does not tell is shown as one of an untitled film or episode.
        found.title.append(titles.number(play.title_key or f"{play.type}:0"))
        found.action += ACTIONS.get(play.action, OTHER).encode()
        found.kinds[play.type] = found.kinds.get(play.type, 0) + 1
        if play.watched_at == 0:
            found.unknown += 1
        else:
            found.at.append(wall_minutes(wall, play.watched_at))
    return found


def wall_minutes(wall: Wall, millis: int) -> int:
    """Minutes since 1970 as the clock on the wall showed them."""
    try:
        offset = wall.local(millis).utcoffset()
    except OverflowError:  # the first and the last day of the calendar
        offset = None
    return millis // _MINUTE + (int(offset.total_seconds()) // 60 if offset else 0)

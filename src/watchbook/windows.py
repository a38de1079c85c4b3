"""Plays of a time window: looked at one by one, or counted to find where something differs.

A request for one row of a window tells in its headers how many there are. Where that count
is not ours, the window is halved, until it is small enough to be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from watchbook.clock import from_millis
from watchbook.desk import Desk, Outcome, Reading
from watchbook.history import keep_plays
from watchbook.store import plays
from watchbook.trakt.paging import Page, PageReader

_PAGE = 250
_MINUTE = 60_000


class NoCounts(Exception):
    """The source does not say how many rows a window has."""


@dataclass
class Look:
    """A look at part of the history: which plays should be there, and which came."""

    expected: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)

    @property
    def gone(self) -> set[int]:
        """Plays that should have come and did not."""
        return self.expected - self.seen

    def and_also(self, other: Look) -> Look:
        """Both looks as one."""
        return Look(self.expected | other.expected, self.seen | other.seen)


@dataclass(frozen=True)
class Window:
    """Moments from ``start`` to ``end``, both included, in milliseconds since 1970."""

    start: int
    end: int

    @property
    def params(self) -> dict[str, str]:
        """The window as Trakt takes it."""
        return {"start_at": _instant(self.start), "end_at": _instant(self.end)}

    def halves(self) -> tuple[Window, Window]:
        """Two windows of whole minutes that cover this one."""
        middle = (self.start + self.end) // 2 // _MINUTE * _MINUTE
        return Window(self.start, middle - 1), Window(middle, self.end)


def _instant(millis: int) -> str:
    return from_millis(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def look_at_windows(
    desk: Desk, reading: Reading, outcome: Outcome, unseen: Collection[int]
) -> tuple[Look, int]:
    """Find by counting where plays differ from ours and read those windows twice.

    Returns the look and how many plays Trakt counts in all. Raises NoCounts.
    """
    with desk.database.read() as conn:
        last = plays.latest_moment(conn, desk.account_id) or 0
    whole = Window(0, last // _MINUTE * _MINUTE + _MINUTE - 1)
    claimed = _count(desk, reading, whole)
    look = look_at_moments(desk, reading, outcome, unseen)
    for window in _differing(desk, reading, whole, claimed):
        look = look.and_also(_look_twice(desk, reading, outcome, window))
    return look, claimed


def _count(desk: Desk, reading: Reading, window: Window) -> int:
    params: dict[str, str | int] = {**window.params, "page": 1, "limit": 1}
    items = desk.client.get(reading.path, params).headers.get("x-pagination-item-count", "")
    if not items.isdigit():
        raise NoCounts("it does not say how many plays a window has")
    return int(items)


def _differing(desk: Desk, reading: Reading, window: Window, claimed: int) -> Iterator[Window]:
    """Small windows in which Trakt counts another number of plays than we do."""
    with desk.database.read() as conn:
        ours = plays.count_between(conn, desk.account_id, window.start, window.end)
    if ours == claimed:
        return
    if max(ours, claimed) <= _PAGE or window.end - window.start < _MINUTE:
        yield window
        return
    earlier, later = window.halves()
    in_later = _count(desk, reading, later)
    yield from _differing(desk, reading, later, in_later)
    yield from _differing(desk, reading, earlier, claimed - in_later)


def look_at_moments(desk: Desk, reading: Reading, outcome: Outcome, ids: Collection[int]) -> Look:
    """Look again for single plays, each at its own minute."""
    look = Look()
    with desk.database.read() as conn:
        moments = {row.watched_at // _MINUTE for row in plays.by_ids(conn, desk.account_id, ids)}
    for minute in sorted(moments):
        window = Window(minute * _MINUTE, minute * _MINUTE + _MINUTE - 1)
        look = look.and_also(_look(desk, reading, outcome, window))
    return Look(look.expected & set(ids), look.seen)


def _look_twice(desk: Desk, reading: Reading, outcome: Outcome, window: Window) -> Look:
    look = _look(desk, reading, outcome, window)
    if look.gone:
        look.seen |= _look(desk, reading, outcome, window).seen
    return look


def _look(desk: Desk, reading: Reading, outcome: Outcome, window: Window) -> Look:
    """Read a window; the plays that should be in it are those stored before."""
    look = Look()
    with desk.database.read() as conn:
        look.expected = plays.ids_between(conn, desk.account_id, window.start, window.end)

    def fetch(number: int) -> Page:
        return desk.fetch(reading, number, **window.params)

    for page in PageReader(fetch, desk.executor, lanes=desk.lanes).pages():
        with desk.write() as conn:
            generation = reading.before.generation
            look.seen |= keep_plays(conn, desk, reading, page, generation, outcome)
    return look

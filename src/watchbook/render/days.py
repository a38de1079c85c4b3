"""Days, weeks and hours as somebody lives them: moments put into a time zone, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo

from watchbook.clock import from_millis

HOUR = 3_600_000
_DAY = 24 * HOUR
_FIRST = date(1970, 1, 1).toordinal()


class Zone:
    """Tells local hours in ``zone`` (None: that of this machine), quickly for many moments.

    A zone's offset is asked for once for each day, and for each moment of the days on which it
    changes; tests go through the whole of tzdata for a day on which that would not do.
    """

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._whole: dict[int, int | None] = {}

    def hours(self, moments: Sequence[int]) -> list[int]:
        """Of each moment (milliseconds) the local hour, counted from the beginning of 1970."""
        return [(moment + self.offset(moment)) // HOUR for moment in moments]

    def offset(self, moment: int) -> int:
        """Milliseconds by which clocks are ahead of UTC at ``moment``."""
        day = moment // _DAY
        try:
            found = self._whole[day]
        except KeyError:
            found = self._whole[day] = self._of_day(day)
        return self._ask(moment) if found is None else found

    def _of_day(self, day: int) -> int | None:
        """The offset all through a day of UTC; None when it changes on it."""
        first, last = self._ask(day * _DAY), self._ask((day + 1) * _DAY - 1)
        return first if first == last else None

    def _ask(self, moment: int) -> int:
        try:
            ahead = from_millis(moment).astimezone(self._zone).utcoffset()
        except (OverflowError, ValueError):  # the first and the last day of the calendar
            return 0
        return (ahead or timedelta(0)) // timedelta(milliseconds=1)

    def today(self, moment: int) -> int:
        """The day that it is at ``moment``, as a number; see :func:`day_of`."""
        return (moment + self.offset(moment)) // _DAY


def day_of(number: int) -> date:
    """The day with that number, counted from the first of 1970."""
    return date.fromordinal(min(max(_FIRST + number, 1), date.max.toordinal()))


def number_of(day: date) -> int:
    """The number of a day; the reverse of the above."""
    return day.toordinal() - _FIRST

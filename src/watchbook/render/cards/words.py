"""What a card says in words, and how a language writes numbers, days and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

_THIN = "\u202f"
Forms = tuple[str, ...]
"""A noun as the count asks for it, in the order of the language's plural rule."""


def _one_other(count: int) -> int:
    return 0 if count == 1 else 1


@dataclass(frozen=True)
class Words:
    """A language: what is said, and how dates and numbers are written."""

    language: str
    """For ``lang``, BCP 47."""
    last_watched: str
    watching_now: str
    nothing_now: str
    nothing_yet: str
    not_now: str
    """That nothing can be shown at the moment."""
    unknown_date: str
    unknown_title: str
    plays: Forms
    films: Forms
    episodes: Forms
    hours: Forms
    streak: Forms
    """Days in a row with a play."""
    longest: str
    year_line: str
    last_year: str
    less: str
    more: str
    most_watched: str
    until: str
    months: str
    """Twelve short names, separated by spaces."""
    weekdays: str
    """Seven short names, Monday first."""
    full: str = "{wd} {d} {mon} {y}, {time}"
    day: str = "{d} {mon} {y}"
    thousands: str = ","
    ungrouped: int = 999
    """The largest number that is written without a separator."""
    between: str = " "
    """Between a number and its noun."""
    sunday_first: bool = False
    twelve_hours: bool = False
    plural: Callable[[int], int] = _one_other

    def number(self, count: int) -> str:
        """``count`` as it is written in this language."""
        if abs(count) <= self.ungrouped:
            return str(count)
        return f"{count:,}".replace(",", self.thousands)

    def noun(self, forms: Forms, count: int) -> str:
        """The noun alone, as ``count`` asks for it."""
        return forms[min(self.plural(count), len(forms) - 1)]

    def counted(self, forms: Forms, count: int) -> str:
        """The number and its noun."""
        return f"{self.number(count)}{self.between}{self.noun(forms, count)}"

    def moment(self, local: datetime) -> str:
        """A day and a time, both as the clocks of the account show them."""
        return self._filled(self.full, local, self.time(local))

    def time(self, local: datetime) -> str:
        """A time of the day."""
        if not self.twelve_hours:
            return f"{local:%H:%M}"
        return f"{(local.hour - 1) % 12 + 1}:{local:%M}{_THIN}{'AM' if local.hour < 12 else 'PM'}"

    def day_of(self, day: date) -> str:
        """A day."""
        return self._filled(self.day, day)

    def month_names(self) -> list[str]:
        """Short names, January first."""
        return self.months.split()

    def weekday_names(self) -> list[str]:
        """Short names, Monday first."""
        return self.weekdays.split()

    def _filled(self, pattern: str, day: date, time: str = "") -> str:
        parts: Mapping[str, object] = {
            "wd": self.weekday_names()[day.weekday()],
            "d": day.day,
            "mon": self.month_names()[day.month - 1],
            "m": day.month,
            "y": day.year,
            "time": time,
        }
        return pattern.format_map(parts)

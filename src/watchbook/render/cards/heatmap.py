"""The card of a year of days: a square for each, darker with more plays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from watchbook.render.cards import letters
from watchbook.render.cards.canvas import Canvas, Look
from watchbook.render.cards.facts import Calendar
from watchbook.render.statistics import Day

_SMALLEST = 10.5
"""Pixels from one square to the next below which a year is put on two rows."""
_GAP = 0.2
"""Of that, the part between two squares."""


@dataclass(frozen=True)
class _Grid:
    """Where the squares of a row of weeks are."""

    left: float
    top: float
    step: float

    @property
    def square(self) -> float:
        """How wide a square is."""
        return self.step * (1 - _GAP)

    @property
    def height(self) -> float:
        """A row of weeks with the names of months above it."""
        return 7 * self.step


def heatmap_card(facts: Calendar, look: Look) -> str:
    """A year of days by weeks, with its sum above and a legend below."""
    heatmap, words = facts.heatmap, look.words
    pad, small = (14.0, 10.0) if look.width < 480 else (20.0, 12.0)
    weeks = _weeks(heatmap.days, sunday_first=words.sunday_first)
    names = _weekday_labels(look)
    left = pad + max(letters.width(name, small) for name in names) + small * 0.6
    rows = _rows(weeks, look.width - left - pad)
    step = (look.width - left - pad) / (len(rows[0]) - _GAP)
    head, month = small * 2.6, small * 1.6
    block = month + 7 * step + small
    canvas = Canvas(look, pad + head + len(rows) * block + small * 1.4 + pad)
    levels = _levels(heatmap.days)
    for number, row in enumerate(rows):
        grid = _Grid(left, pad + head + number * block + month, step)
        _draw_months(canvas, grid, row, small)
        _draw_weekdays(canvas, grid, names, pad, small)
        _draw_days(canvas, grid, row, levels, facts)
    return _told(canvas, facts, pad, small)


def _told(canvas: Canvas, facts: Calendar, pad: float, small: float) -> str:
    """What stands above and below the squares, and for screen readers."""
    heatmap, words = facts.heatmap, canvas.look.words
    span = str(facts.year) if facts.year else words.last_year
    plays = words.counted(words.plays, heatmap.plays)
    room = canvas.width - 2 * pad
    who = f"@{letters.fit_for_line(facts.who)}"
    y, size = pad + small * 1.15, small * 1.25
    taken = canvas.line(pad, y, plays, size, room, bold=True)
    taken += size * 0.4
    taken += canvas.line(pad + taken, y, f"· {span}", size, room - taken, "soft")
    if room - taken > small * 6:
        shown = letters.shortened(who, room - taken - small, small)
        canvas.text(canvas.width - pad, y, shown, small, "soft", anchor="end")
    days = words.counted(words.streak, heatmap.longest_streak.days)
    streak = words.longest.format(days=days)
    y = canvas.height - pad - small * 0.2
    legend = _draw_legend(canvas, canvas.width - pad, y, small)
    if heatmap.plays:
        canvas.line(pad, y, streak, small, room - legend - small, "soft")
    days = words.day_of(heatmap.first) + " — " + words.day_of(heatmap.last)
    return canvas.finished(f"{plays} · {span}", f"{days}: {plays}. {streak}. {who}")


Week = list[Day | None]


def _weeks(days: list[Day], *, sunday_first: bool) -> list[Week]:
    """Days by weeks; the first and the last week may lack some."""
    shift = 1 if sunday_first else 0
    numbered = groupby(days, lambda one: (one.day.toordinal() - 1 + shift) // 7)
    weeks: list[Week] = []
    for _, some in numbered:
        week: Week = [None] * 7
        for one in some:
            week[(one.day.weekday() + shift) % 7] = one
        weeks.append(week)
    return weeks


def _rows(weeks: list[Week], room: float) -> list[list[Week]]:
    """All weeks on one row, or on two when squares would be too small to see."""
    if room / len(weeks) >= _SMALLEST:
        return [weeks]
    half = -(-len(weeks) // 2)
    return [weeks[:half], weeks[half:]]


def _levels(days: list[Day]) -> tuple[int, int, int]:
    """Above how many plays a day is of the second, third and fourth level."""
    counts = sorted(one.plays for one in days if one.plays)
    if not counts:
        return 1, 2, 3
    quarter, half, most = (counts[int(len(counts) * part)] for part in (0.25, 0.5, 0.8))
    second = max(1, quarter)
    third = max(second + 1, half)
    return second, third, max(third, min(most, counts[-1] - 1))


def _level(plays: int, levels: tuple[int, int, int]) -> int:
    return 0 if plays == 0 else 1 + sum(plays > limit for limit in levels)


def _draw_days(
    canvas: Canvas, grid: _Grid, weeks: list[Week], levels: tuple[int, int, int], facts: Calendar
) -> None:
    square = grid.square
    for column, week in enumerate(weeks):
        for row, one in enumerate(week):
            if one is not None and one.day <= max(facts.today, facts.heatmap.first):
                x, y = grid.left + column * grid.step, grid.top + row * grid.step
                fill = f"level{_level(one.plays, levels)}"
                canvas.box(x, y, square, square, fill, square * 0.2)


def _draw_months(canvas: Canvas, grid: _Grid, weeks: list[Week], size: float) -> None:
    """The name of a month above the first week that begins in it, where there is room."""
    free, before = grid.left, 0
    for column, week in enumerate(weeks):
        day = _first(week)
        x = grid.left + column * grid.step
        name = canvas.look.words.month_names()[day.month - 1]
        wide = letters.width(name, size)
        starts = day.month != before and (day.day <= 7 or column == 0)
        fits = free <= x <= canvas.width - size * 0.8 - wide
        if starts and fits and (column or _weeks_left(weeks) > 2):
            canvas.text(x, grid.top - size * 0.6, name, size, "soft")
            free = x + wide + size * 0.4
        before = day.month


def _weeks_left(weeks: list[Week]) -> int:
    """For how many weeks the month goes on that the first week is in."""
    month = _first(weeks[0]).month
    return sum(_first(week).month == month for week in weeks[:5])


def _first(week: Week) -> date:
    return next(one.day for one in week if one is not None)


def _weekday_labels(look: Look) -> list[str]:
    names = look.words.weekday_names()
    return [names[-1], *names[:-1]] if look.words.sunday_first else names


def _draw_weekdays(canvas: Canvas, grid: _Grid, names: list[str], pad: float, size: float) -> None:
    """Every other day's name, so that they have air."""
    for row in (0, 2, 4) if not canvas.look.words.sunday_first else (1, 3, 5):
        y = grid.top + row * grid.step + grid.square / 2 + size * 0.35
        canvas.text(pad, y, names[row], size, "soft")


def _draw_legend(canvas: Canvas, right: float, y: float, size: float) -> float:
    """From less to more; gives the width that it takes."""
    words, square = canvas.look.words, size * 0.9
    canvas.text(right, y, words.more, size, "soft", anchor="end")
    x = right - letters.width(words.more, size) - size * 0.5 - 5 * square * 1.25
    for level in range(5):
        left = x + level * square * 1.25
        canvas.box(left, y - square * 0.9, square, square, f"level{level}", square * 0.2)
    canvas.text(x - size * 0.4, y, words.less, size, "soft", anchor="end")
    return right - x + size * 0.4 + letters.width(words.less, size)

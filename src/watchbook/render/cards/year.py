"""The card of a year in review: what it comes to, its months, and what was watched most."""

from __future__ import annotations

from watchbook.render.cards import letters
from watchbook.render.cards.canvas import Canvas, Look
from watchbook.render.cards.facts import Favourite, YearInReview
from watchbook.render.cards.poster import RATIO, draw_poster

_NARROW = 560
_STRIP = {True: 4, False: 6}
"""Posters in the strip, on a narrow card and on a wide one."""
_MOST_LINES = 5
_TIMES = "\u00d7"


def year_card(facts: YearInReview, look: Look) -> str:
    """A year in review, on one or two columns."""
    narrow = look.width < _NARROW
    return _Year(facts, look, narrow=narrow).drawn()


class _Year:
    def __init__(self, facts: YearInReview, look: Look, *, narrow: bool) -> None:
        self.facts, self.look, self.narrow = facts, look, narrow
        self.pad = 16.0 if narrow else 26.0
        self.small = 11.0 if narrow else 13.0
        self.room = look.width - 2 * self.pad
        self.who = f"@{letters.fit_for_line(facts.who)}"
        self.favourites = facts.favourites[:_MOST_LINES]
        self.canvas = Canvas(look, self._height())

    def _height(self) -> float:
        below = self._months_height() + (self._list_height() if self.narrow else 0)
        body = below if self.narrow else max(self._months_height(), self._list_height())
        return self.pad + self._head() + self._numbers_height() + body + self._strip_height()

    def _head(self) -> float:
        return self.small * (4.6 if self.narrow else 5.2)

    def _numbers_height(self) -> float:
        return self.small * 4.4 * (2 if self.narrow else 1)

    def _months_height(self) -> float:
        return self.small * 11

    def _list_height(self) -> float:
        if not self.favourites:
            return 0
        return self.small * (2.4 + 2.1 * len(self.favourites))

    @property
    def _poster(self) -> float:
        count = _STRIP[self.narrow]
        return (self.room - (count - 1) * self.small) / count if self.facts.favourites else 0

    def _strip_height(self) -> float:
        if not any(one.poster for one in self.facts.favourites):
            return self.pad * 0.4
        return self._poster * RATIO + self.small + self.pad

    def drawn(self) -> str:
        """The whole card."""
        y = self.pad
        self._draw_head(y)
        y += self._head()
        self._draw_numbers(y)
        y += self._numbers_height()
        if self.narrow:
            self._draw_months(self.pad, y, self.room)
            y += self._months_height()
            self._draw_list(self.pad, y, self.room)
        else:
            half = (self.room - 2 * self.pad) / 2 if self.favourites else self.room
            self._draw_months(self.pad, y, half)
            self._draw_list(self.pad + half + 2 * self.pad, y, half)
        self._draw_strip()
        return self._told()

    def _draw_head(self, top: float) -> None:
        big = self.small * 2.9
        year = str(self.facts.year.year)
        y = top + big * 0.82
        self.canvas.text(self.pad, y, year, big, bold=True)
        left = self.pad + letters.width(year, big, bold=True) + self.small
        room = self.look.width - self.pad - left
        line = self.look.words.year_line
        self.canvas.line(left, y - self.small * 1.35, line, self.small, room, "accent", bold=True)
        self.canvas.line(left, y, self.who, self.small, room, "soft")

    def _numbers(self) -> list[tuple[int, str]]:
        totals, words = self.facts.year.totals, self.look.words
        hours = round(totals.minutes / 60)
        streak = self.facts.year.longest_streak.days
        return [
            (totals.films, words.noun(words.films, totals.films)),
            (totals.episodes, words.noun(words.episodes, totals.episodes)),
            (hours, words.noun(words.hours, hours)),
            (streak, words.noun(words.streak, streak)),
        ]

    def _draw_numbers(self, top: float) -> None:
        columns = 2 if self.narrow else 4
        wide, size = self.room / columns, self.small * 2
        for number, (count, noun) in enumerate(self._numbers()):
            x = self.pad + number % columns * wide
            y = top + number // columns * self.small * 4.4 + size
            shown = self.look.words.number(count)
            room = wide - self.small
            self.canvas.line(x, y, shown, size, room, bold=True)
            self.canvas.line(x, y + self.small * 1.5, noun, self.small, room, "soft")

    def _draw_months(self, left: float, top: float, room: float) -> None:
        """A bar for each month, with its letter below."""
        months, words = self.facts.year.months, self.look.words
        tall, most = self._months_height() - self.small * 3, max(*self.facts.year.months, 1)
        step = room / 12
        for number, count in enumerate(months):
            x, wide = left + number * step, step * 0.68
            high = max(3.0, tall * count / most) if count else 3.0
            fill = "level0" if not count else ("accent" if count == most else "level3")
            y = top + self.small * 0.6 + tall - high
            self.canvas.box(x, y, wide, high, fill, min(3, wide / 3))
            label = words.month_names()[number].rstrip("月")[: 2 if words.language == "ja" else 1]
            y = top + self.small * 2 + tall
            self.canvas.text(x + wide / 2, y, label, self.small * 0.85, "soft", anchor="middle")

    def _draw_list(self, left: float, top: float, room: float) -> None:
        """The most watched titles, each with its number of plays."""
        if not self.favourites:
            return
        y = top + self.small * 1.4
        heading = self.look.words.most_watched
        self.canvas.line(left, y, heading, self.small, room, "accent", bold=True)
        for one in self.favourites:
            y += self.small * 2.1
            count = f"{_TIMES}{self.look.words.number(one.plays)}"
            self.canvas.text(left + room, y, count, self.small, "soft", anchor="end")
            taken = letters.width(count, self.small) + self.small
            self.canvas.line(left, y, self.canvas.name(one.title), self.small * 1.1, room - taken)

    def _draw_strip(self) -> None:
        if not any(one.poster for one in self.facts.favourites):
            return
        y = self.canvas.height - self.pad - self._poster * RATIO
        for number, one in enumerate(self.facts.favourites[: _STRIP[self.narrow]]):
            x = self.pad + number * (self._poster + self.small)
            title = self.canvas.name(one.title)
            draw_poster(
                self.canvas, x, y, self._poster, title=title, key=one.key, picture=one.poster
            )

    def _told(self) -> str:
        words, year = self.look.words, self.facts.year
        numbers = ", ".join(f"{words.number(count)} {noun}" for count, noun in self._numbers())
        told = f"{words.counted(words.plays, year.totals.plays)}: {numbers}"
        most = ", ".join(map(self._named, self.favourites))
        listed = f"{words.most_watched}: {most}" if most else ""
        described = ". ".join(filter(None, (told, listed, self.who)))
        return self.canvas.finished(f"{year.year} · {words.year_line}", described)

    def _named(self, one: Favourite) -> str:
        return letters.isolated(self.canvas.name(one.title))

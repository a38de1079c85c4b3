"""The cards of one film or episode: the last one watched, the one being watched, and neither."""

from __future__ import annotations

from dataclasses import dataclass

from watchbook.render.cards import letters
from watchbook.render.cards.canvas import Canvas, Look
from watchbook.render.cards.facts import Last, Now, Shot
from watchbook.render.cards.poster import RATIO, draw_poster

_LEADING = 1.28


@dataclass(frozen=True)
class _Sizes:
    """Lengths of a card, in pixels."""

    pad: float
    poster: float
    title: float
    text: float
    small: float

    @property
    def height(self) -> float:
        """The card's height: that of the poster with air around it."""
        return self.poster * RATIO + 2 * self.pad


def _sizes(width: int) -> _Sizes:
    if width < 360:
        return _Sizes(pad=14, poster=78, title=16, text=12, small=10.5)
    if width < 560:
        return _Sizes(pad=18, poster=100, title=20, text=14, small=12)
    return _Sizes(pad=22, poster=116, title=25, text=16, small=13)


def last_card(facts: Last, look: Look) -> str:
    """The last film or episode watched."""
    words = look.words
    shot = facts.shot
    if shot is None:
        return _empty(facts.who, words.nothing_yet, "", look)
    when = words.moment(shot.at) if shot.at else words.unknown_date
    card = _Card(look, shot, facts.who)
    card.head(words.last_watched, rating=shot.rating)
    card.titles()
    card.foot(when)
    return card.finished(words.last_watched, when)


def now_card(facts: Now, look: Look) -> str:
    """What is being watched, and how far it is; else that nothing is on."""
    words = look.words
    if facts.shot is None:
        return _empty(facts.who, words.nothing_now, _told(facts.before, look), look)
    ends = words.until.format(time=words.time(facts.ends_at)) if facts.ends_at else ""
    card = _Card(look, facts.shot, facts.who)
    card.head(words.watching_now, live=True)
    card.bar(facts.progress)
    card.titles(above_foot=card.sizes.small * 1.2)
    card.foot(ends)
    return card.finished(words.watching_now, ends)


def away_card(look: Look) -> str:
    """A card that says that nothing can be shown at the moment, and nothing of anybody."""
    return _empty("", look.words.not_now, "Watchbook", look)


def _told(shot: Shot | None, look: Look) -> str:
    """What was watched last, in a line."""
    if shot is None:
        return ""
    title = look.choose(shot.title) or look.words.unknown_title
    named = " ".join(filter(None, (letters.isolated(title), shot.code)))
    return f"{look.words.last_watched}: {named}"


class _Card:
    """A poster at the left, a column of text beside it."""

    def __init__(self, look: Look, shot: Shot, who: str) -> None:
        self.look, self.shot, self.who = look, shot, letters.fit_for_line(who)
        self.sizes = sizes = _sizes(look.width)
        self.canvas = Canvas(look, sizes.height)
        self.title = self.canvas.name(shot.title)
        draw_poster(
            self.canvas,
            sizes.pad,
            sizes.pad,
            sizes.poster,
            title=self.title,
            key=shot.key,
            picture=shot.poster,
        )
        self.left = sizes.pad + sizes.poster + sizes.pad
        self.right = look.width - sizes.pad
        self.room = self.right - self.left

    @property
    def subtitle(self) -> str:
        """``S2 E7 · Chikhai Bardo``, ``1995``."""
        own = self.look.choose(self.shot.subtitle)
        return " · ".join(filter(None, (self.shot.code, letters.isolated(own) if own else "")))

    def head(self, words: str, *, rating: int | None = None, live: bool = False) -> None:
        """What the card is about, and the rating at its right."""
        size, y = self.sizes.small, self.sizes.pad + self.sizes.small
        sign = size * 0.72
        _draw_sign(self.canvas, self.left, y - sign, sign, live=live)
        taken = sign + size * 0.6
        if rating is not None:
            stars = f"★ {rating}/10"
            self.canvas.text(self.right, y, stars, size, "accent", bold=True, anchor="end")
            taken += letters.width(stars, size, bold=True) + size
        x = self.left + sign + size * 0.6
        self.canvas.line(x, y, words, size, self.room - taken, "accent", bold=True)

    def titles(self, *, above_foot: float = 0) -> None:
        """The title on two lines if it has to be, and below it what else it is called."""
        big, text = self.sizes.title, self.sizes.text
        lines = letters.wrapped(self.title, self.room, big, 2, bold=True)
        rest = 2 if len(lines) == 1 and not above_foot else 1
        others = letters.wrapped(self.subtitle, self.room, text, rest) if self.subtitle else []
        tall = len(lines) * big * _LEADING + len(others) * text * _LEADING
        top = self.sizes.pad + self.sizes.small * 1.5
        bottom = self.sizes.height - self.sizes.pad - self.sizes.small * 1.5 - above_foot
        y = top + max(0.0, (bottom - top - tall) / 2) + big
        for line in lines:
            self.canvas.text(self.left, y, line, big, bold=True)
            y += big * _LEADING
        y += text - big + text * 0.15
        for line in others:
            self.canvas.text(self.left, y, line, text, "soft")
            y += text * _LEADING

    def bar(self, progress: float) -> None:
        """How far it is."""
        tall = self.sizes.small * 0.5
        y = self.sizes.height - self.sizes.pad - self.sizes.small * 1.7 - tall
        self.canvas.box(self.left, y, self.room, tall, "level0", tall / 2)
        done = max(tall, self.room * min(max(progress, 0.0), 1.0))
        self.canvas.box(self.left, y, done, tall, "accent", tall / 2)

    def foot(self, when: str) -> None:
        """When, and whose card it is."""
        size, y = self.sizes.small, self.sizes.height - self.sizes.pad - self.sizes.small * 0.2
        taken = self.canvas.line(self.left, y, when, size, self.room, "soft")
        left = self.room - taken - size
        if left > size * 4:
            who = letters.shortened(f"@{self.who}", left, size)
            self.canvas.text(self.right, y, who, size, "soft", anchor="end")

    def finished(self, about: str, when: str) -> str:
        """The card, and what a screen reader says of it."""
        told = ". ".join(filter(None, (f"{self.title}, {self.subtitle}".strip(", "), when)))
        return self.canvas.finished(f"{about}: {self.title}", f"{told}. @{self.who}")


def _draw_sign(canvas: Canvas, x: float, y: float, size: float, *, live: bool) -> None:
    """A triangle for what was played, a dot for what plays."""
    if live:
        canvas.box(x, y, size, size, "accent", size / 2)
    else:
        canvas.path(f"M{x:.1f} {y:.1f}v{size:.1f}l{size * 0.9:.1f} {-size / 2:.2f}Z", "accent")


def _empty(who: str, words: str, more: str, look: Look) -> str:
    """A card that says honestly that there is nothing to show, and whose it is, if that is told."""
    sizes = _sizes(look.width)
    canvas = Canvas(look, sizes.poster + 2 * sizes.pad)
    middle, icon = canvas.height / 2, sizes.poster * 0.8
    _draw_screen(canvas, sizes.pad, middle - icon * 0.4, icon)
    left = 2 * sizes.pad + icon
    room = look.width - sizes.pad - left
    lines = letters.wrapped(words, room, sizes.title, 2, bold=True)
    who = f"@{letters.fit_for_line(who)}" if who else ""
    small = [*letters.wrapped(more, room, sizes.small, 3 - len(lines)), *filter(None, [who])]
    tall = len(lines) * sizes.title * _LEADING + len(small) * sizes.small * 1.5
    y = middle - tall / 2 + sizes.title
    for line in lines:
        canvas.text(left, y, line, sizes.title, bold=True)
        y += sizes.title * _LEADING
    y += sizes.small * 1.4 - sizes.title
    for line in small:
        canvas.line(left, y, line, sizes.small, room, "soft")
        y += sizes.small * 1.5
    return canvas.finished(words, ". ".join(filter(None, (words, more, who))))


def _draw_screen(canvas: Canvas, x: float, y: float, width: float) -> None:
    """A screen that is off, on its foot."""
    tall = width * 0.62
    canvas.box(x, y, width, tall, "level0", width / 12)
    canvas.frame(x, y, width, tall, width / 12)
    canvas.box(x + width * 0.3, y + tall + width * 0.07, width * 0.4, width * 0.06, "level0", 2)
    dot = width * 0.07
    for number in range(3):
        left = x + width / 2 + (number - 1) * dot * 2 - dot / 2
        canvas.box(left, y + tall / 2 - dot / 2, dot, dot, "soft", dot / 2)

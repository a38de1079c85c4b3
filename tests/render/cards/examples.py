"""Cards with one title in every place where a title can be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache

from watchbook.clock import to_millis
from watchbook.render.cards.canvas import Look
from watchbook.render.cards.facts import Calendar, Favourite, Last, Now, Picture, Shot, YearInReview
from watchbook.render.cards.heatmap import heatmap_card
from watchbook.render.cards.languages import words_of
from watchbook.render.cards.letters import Name
from watchbook.render.cards.shot import last_card, now_card
from watchbook.render.cards.year import year_card
from watchbook.render.columns import Plays, Title
from watchbook.render.statistics import Heatmap, Year, heatmap_of, year_of

EVENING = datetime(2026, 11, 20, 21, 57, tzinfo=UTC)
POSTER = Picture(
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8A"
    "AQUBAScY42YAAAAASUVORK5CYII="
)
"""One grey pixel."""
KINDS = ("last", "now", "nothing", "empty", "year", "empty-year", "heatmap")


@cache
def plays(count: int = 900) -> Plays:
    """Plays of a film and of an episode, most days."""
    titles = {"a": Title("a", episode=False, minutes=100), "b": Title("b", episode=True)}
    moments = sorted(to_millis(EVENING - timedelta(hours=n * 13)) for n in range(count))
    return Plays(moments, ["ab"[n % 2] for n in range(count)], titles, UTC)


@cache
def this_year(count: int = 900) -> Year:
    """The year that they end in."""
    return year_of(plays(count), EVENING.year)


@cache
def last_year() -> Heatmap:
    """Their last twelve months."""
    today = EVENING.date()
    return heatmap_of(plays(), today - timedelta(days=364), today)


def look(width: int = 440, theme: str = "auto", locale: str = "en") -> Look:
    """How a card is to look."""
    return Look(width, words_of(locale), theme)


def drawn(kind: str, title: str, how: Look, *, who: str = "ann") -> str:
    """A card of that kind whose titles are all ``title``."""
    name, today = Name(title), EVENING.date()
    shot = Shot(name, film=False, code="S2 E7", subtitle=name, poster=POSTER, at=EVENING, rating=10)
    favourites = [
        Favourite(name, n % 2 == 0, 1234 - n, f"movie:{n}", POSTER if n else None) for n in range(6)
    ]
    heatmap = last_year()
    cards: dict[str, Callable[[], str]] = {
        "last": lambda: last_card(Last(who, shot), how),
        "now": lambda: now_card(Now(who, shot, 0.4, EVENING), how),
        "nothing": lambda: now_card(Now(who, None, before=shot), how),
        "empty": lambda: last_card(Last(who, None), how),
        "heatmap": lambda: heatmap_card(Calendar(who, heatmap, None, today), how),
        "year": lambda: year_card(YearInReview(who, this_year(), favourites), how),
        "empty-year": lambda: year_card(YearInReview(who, this_year(0)), how),
    }
    return cards[kind]()


WHOLE_YEAR = (date(2024, 1, 1), date(2024, 12, 31))

"""The public page of an account, ready for its templates: plays by day, months, a play alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from watchbook.clock import counted, to_iso
from watchbook.micropub.titles import Episode, Film, page_of
from watchbook.render.entries import (
    Home,
    Poster,
    genres_of,
    id_of,
    poster_of,
    still_of,
    title_of,
    words_of,
)
from watchbook.render.plain import plain
from watchbook.showing import Shown
from watchbook.titles import code_of, what_of

_OTHER_SCRIPTS = frozenset(
    "am ar be bg bn el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne pa ps ru si sr ta "
    "te tg th uk ur yi zh".split()
)
"""Languages (ISO 639-1) that are not written in Latin letters."""
_NAMED = 3
"""Titles that stand for all plays of a page."""
_LONGEST_NAMED = 60
_UNSEEN = {"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"}


@dataclass(frozen=True)
class Cite:
    """What was watched, by the names that our posts use for it."""

    name: str
    """Of the film or the episode; empty for an episode without one."""
    url: str | None
    published: str | None
    """A day, or the bare year."""
    season: int | None = None
    episode: int | None = None
    show: str = ""
    show_url: str | None = None


@dataclass(frozen=True)
class Entry:
    """One play."""

    history_id: int
    name: str
    """``Severance S2 E7 · Chikhai Bardo``."""
    uid: str
    url: str
    cite: Cite
    heading: str
    """The film or the show, in letters that can be seen."""
    language: str | None
    """Of a title that is written in another script than ours, as far as it is known."""
    poster: Poster
    still: Poster | None
    """A scene of an episode."""
    published: str | None
    """When, in UTC; None for an unknown date."""
    time: str
    """The time of the day, where the account is."""
    words: str
    """Day and time."""
    rating: int | None
    genres: Sequence[str]
    runtime: int | None
    year: int | None

    @property
    def code(self) -> str:
        """``S2 E7`` for an episode."""
        return code_of(self.cite.season, self.cite.episode)

    def language_of(self, text: str) -> str | None:
        """The language of a title of it; None for one in Latin letters, which may be any."""
        letters = (char for char in text if char.isalpha())
        foreign = any(not unicodedata.name(char, "LATIN").startswith("LATIN") for char in letters)
        return self.language if foreign else None


@dataclass(frozen=True)
class Day:
    """The plays of one day; ``date`` is None for those of an unknown date."""

    date: date | None
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Month:
    """A month of a year."""

    year: int
    month: int

    def __str__(self) -> str:
        """As it stands in an address: ``2026-11``."""
        return f"{self.year:04}-{self.month:02}"

    @property
    def words(self) -> str:
        """``November 2026``."""
        return f"{self.name} {self.year}"

    @property
    def name(self) -> str:
        """``November``."""
        return f"{date(2000, self.month, 1):%B}"

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)


@dataclass(frozen=True)
class Year:
    """A year."""

    year: int
    month = 1
    """Its first."""

    def __str__(self) -> str:
        """As it stands in an address: ``2026``."""
        return f"{self.year:04}"

    @property
    def words(self) -> str:
        """``2026``."""
        return str(self.year)

    @property
    def next(self) -> Year:
        """The year after it."""
        return Year(self.year + 1)


Period = Month | Year


@dataclass(frozen=True)
class Tally:
    """How much was watched in a period."""

    period: Period
    films: int
    episodes: int

    @property
    def plays(self) -> int:
        """Both together."""
        return self.films + self.episodes

    @property
    def words(self) -> str:
        """``3 films and 1 episode``."""
        both = [(self.films, "film"), (self.episodes, "episode")]
        return " and ".join(counted(*one) for one in both if one[0]) or "nothing"


def days_of(found: Iterable[Shown], home: Home, prefix: str) -> list[Day]:
    """Those plays by day, in the order they come in; pictures are found below ``prefix``."""
    by_day = groupby(found, key=lambda shown: _day(shown, home))
    return [Day(day, [entry_of(one, home, prefix) for one in plays]) for day, plays in by_day]


def _day(shown: Shown, home: Home) -> date | None:
    return home.local(shown.watched_at).date() if shown.watched_at else None


def entry_of(shown: Shown, home: Home, prefix: str) -> Entry:
    """One play as its page shows it; pictures are found below ``prefix``."""
    moment = shown.watched_at
    local = home.local(moment) if moment else None
    return Entry(
        history_id=shown.play.history_id,
        name=title_of(shown),
        uid=id_of(shown),
        url=home.play(shown.play.history_id),
        cite=cite_of(shown),
        heading=_seen(plain(shown.title)),
        language=shown.play.language if shown.play.language in _OTHER_SCRIPTS else None,
        poster=poster_of(shown, prefix),
        still=still_of(shown, prefix),
        published=to_iso(moment) if moment else None,
        time=f"{local:%H:%M}" if local else "",
        words=words_of(local) if local else "On a day that is not known",
        rating=shown.rating,
        genres=genres_of(shown),
        runtime=shown.play.runtime or None,
        year=shown.year,
    )


def cite_of(shown: Shown) -> Cite:
    """What was watched; of a title that Trakt does not tell, as much as it does."""
    what = what_of(shown.play)
    if isinstance(what, Episode):
        return Cite(
            plain(what.name or ""),
            page_of(what),
            plain(what.aired or "") or None,
            what.season,
            what.number,
            plain(what.show.name),
            page_of(what.show),
        )
    if isinstance(what, Film):
        known = what.released or (str(what.year) if what.year else "")
        return Cite(plain(what.name), page_of(what), plain(known) or None)
    return Cite(title_of(shown), None, None)


def span_of(days: Sequence[Day]) -> str:
    """The days of a page, newest first, in words: ``28 September to 3 October 2026``."""
    dates = [one.date for one in days if one.date]
    if not dates:
        return "Some day" if days else ""
    first, last = dates[-1], dates[0]
    until = f"{last.day} {last:%B} {last.year}"
    if first == last:
        return until
    if first.year != last.year:
        return f"{first.day} {first:%B} {first.year} to {until}"
    since = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    return f"{since} to {until}"


def titles_of(days: Iterable[Day]) -> str:
    """What a page is about: ``Severance, Heat, The Bear and more``; nothing without plays."""
    named = list(dict.fromkeys(entry.heading for day in days for entry in day.entries))
    shown = ", ".join(map(_short, named[:_NAMED]))
    return f"{shown} and more" if len(named) > _NAMED else shown


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAMED else f"{text[: _LONGEST_NAMED - 1].rstrip()}…"


def _seen(text: str) -> str:
    """``text``, if it has anything that can be seen."""
    return text if any(unicodedata.category(char) not in _UNSEEN for char in text) else "Untitled"


def month_of(moment: datetime, home: Home) -> Month:
    """The month that ``moment`` belongs to, where the account is."""
    local = home.local(moment)
    return Month(local.year, local.month)


def begins(period: Period, home: Home) -> datetime:
    """The first moment of ``period``, where the account is; raises OverflowError or ValueError."""
    local = datetime(period.year, period.month, 1)  # noqa: DTZ001 - its zone comes next
    return local.replace(tzinfo=home.zone) if home.zone else local.astimezone()


def months_of(year: int) -> list[Month]:
    """The twelve months of a year."""
    return [Month(year, month) for month in range(1, 13)]

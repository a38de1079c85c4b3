"""Statistics: what all plays together say, as pure functions of them.

Days are those of the account's zone. A play with an unknown date counts in the totals, is told
apart, and is on no day. Minutes are those of titles whose length is known, and how many plays
lack one is told too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

import msgspec

from watchbook.clock import from_millis
from watchbook.render.columns import NAMELESS, Plays, Title
from watchbook.render.days import Zone, day_of, number_of

TOP = 10
"""How many of the most watched are told, unless asked otherwise."""


class Streak(msgspec.Struct, frozen=True):
    """Days in a row with a play."""

    days: int = 0
    first: date | None = None
    last: date | None = None


class Totals(msgspec.Struct, frozen=True):
    """Sums over plays."""

    plays: int
    films: int
    """Plays of films."""
    episodes: int
    """Plays of episodes."""
    distinct_films: int
    distinct_episodes: int
    shows: int
    """Shows of which something was watched."""
    rewatches: int
    """Plays of a film or episode that had been watched before."""
    minutes: int
    without_runtime: int
    """Plays that are not in ``minutes``, since nobody knows how long they are."""
    unknown_dates: int
    """Plays that are on no day."""
    days: int
    """Days with a play."""
    first_at: datetime | None
    last_at: datetime | None


class Ranked(msgspec.Struct, frozen=True):
    """A title and how often it was watched; for a show, how many episodes."""

    key: str
    plays: int
    minutes: int
    title: str | None = None
    year: int | None = None
    slug: str | None = None


class Share(msgspec.Struct, frozen=True):
    """A genre, network or country and how many plays are of it."""

    name: str
    plays: int


class Patterns(msgspec.Struct, frozen=True):
    """How plays with a date lie in time."""

    years: dict[int, int]
    months: dict[str, int]
    """By ``YYYY-MM``."""
    weeks: dict[str, int]
    """By ``YYYY-Wnn`` (ISO 8601)."""
    weekdays: list[int]
    """Monday first."""
    hours: list[int]
    """From midnight on."""


class Favourites(msgspec.Struct, frozen=True):
    """What was watched most."""

    shows: list[Ranked]
    films: list[Ranked]
    genres: list[Share]
    networks: list[Share]
    countries: list[Share]


class Statistics(msgspec.Struct, frozen=True):
    """Everything that is told of all plays."""

    totals: Totals
    patterns: Patterns
    favourites: Favourites
    longest_streak: Streak
    current_streak: Streak
    """Up to today or yesterday."""
    ratings: list[int]
    """How many ratings there are of 1, of 2, … of 10; empty when they are not shown."""


class Year(msgspec.Struct, frozen=True):
    """A year in review."""

    year: int
    totals: Totals
    months: list[int]
    """Plays of each month, January first."""
    weekdays: list[int]
    hours: list[int]
    favourites: Favourites
    longest_streak: Streak
    busiest_day: date | None
    busiest_plays: int
    new_titles: int
    """Films and shows watched for the first time."""


class Day(msgspec.Struct, frozen=True):
    """A day and how many plays are on it."""

    day: date
    plays: int


class Heatmap(msgspec.Struct, frozen=True):
    """Plays of each day of a span."""

    first: date
    last: date
    plays: int
    active_days: int
    most: int
    longest_streak: Streak
    days: list[Day]
    """Every day of the span, those without a play too."""


def totals_of(plays: Plays) -> Totals:
    """Sums over ``plays``."""
    played = [(plays.title(key), count) for key, count in plays.times.items()]
    films = [count for title, count in played if not title.episode]
    episodes = [count for title, count in played if title.episode]
    unknown = plays.undated
    first, last = _ends(plays)
    return Totals(
        plays=len(plays.keys),
        films=sum(films),
        episodes=sum(episodes),
        distinct_films=len(films),
        distinct_episodes=len(episodes),
        shows=len({title.subject for title, _ in played if title.episode} - {""}),
        rewatches=sum(count - 1 for key, count in plays.times.items() if key not in NAMELESS),
        minutes=sum((title.minutes or 0) * count for title, count in played),
        without_runtime=sum(count for title, count in played if title.minutes is None),
        unknown_dates=unknown.stop - unknown.start,
        days=len(plays.by_day),
        first_at=first,
        last_at=last,
    )


def _ends(plays: Plays) -> tuple[datetime | None, datetime | None]:
    """The first and the last moment that is known."""
    unknown = plays.undated
    known = [*plays.moments[: unknown.start][:1], *plays.moments[unknown.stop :][:1]]
    last = [*plays.moments[: unknown.start][-1:], *plays.moments[unknown.stop :][-1:]]
    return (from_millis(known[0]), from_millis(last[-1])) if known else (None, None)


def patterns_of(plays: Plays) -> Patterns:
    """How ``plays`` lie in time."""
    weekdays, hours = [0] * 7, [0] * 24
    years: Counter[int] = Counter()
    months: Counter[str] = Counter()
    weeks: Counter[str] = Counter()
    for hour, count in plays.by_hour.items():
        hours[hour % 24] += count
    for number, count in sorted(plays.by_day.items()):
        day = day_of(number)
        week = day.isocalendar()
        weekdays[week.weekday - 1] += count
        years[day.year] += count
        months[f"{day.year:04}-{day.month:02}"] += count
        weeks[f"{week.year:04}-W{week.week:02}"] += count
    return Patterns(dict(years), dict(months), dict(weeks), weekdays, hours)


def favourites_of(plays: Plays, top: int = TOP) -> Favourites:
    """What was watched most among ``plays``; the titles' names are to be filled in."""
    subjects = _subjects(plays)
    shows = [one for one in subjects if one.title.episode]
    films = [one for one in subjects if not one.title.episode]
    return Favourites(
        shows=_ranked(shows, top),
        films=_ranked(films, top),
        genres=_shares(((one.title.genres, one.plays) for one in subjects), top),
        networks=_shares((((one.title.network,), one.plays) for one in subjects), top),
        countries=_shares((((one.title.country,), one.plays) for one in subjects), top),
    )


@dataclass(slots=True)
class _Subject:
    """A film or a show and how much of it was watched."""

    title: Title
    plays: int = 0
    minutes: int = 0


def _subjects(plays: Plays) -> list[_Subject]:
    found: dict[str, _Subject] = {}
    for key, count in plays.times.items():
        title = plays.title(key)
        if title.subject:
            one = found.setdefault(title.subject, _Subject(title))
            one.plays += count
            one.minutes += count * (title.minutes or 0)
    return list(found.values())


def _ranked(subjects: list[_Subject], top: int) -> list[Ranked]:
    order = sorted(subjects, key=lambda one: (-one.plays, -one.minutes, one.title.subject))
    return [Ranked(one.title.subject, one.plays, one.minutes) for one in order[:top]]


def _shares(named: Iterable[tuple[Sequence[str], int]], top: int) -> list[Share]:
    times: Counter[str] = Counter()
    for names, count in named:
        for name in names:
            times[name] += count
    del times[""]
    order = sorted(times, key=lambda name: (-times[name], name))
    return [Share(name, times[name]) for name in order[:top]]


def streaks(days: Iterable[int]) -> list[tuple[int, int]]:
    """The first and last number of each run of days without a gap, in order."""
    order = sorted(days)
    breaks = [at for at, (one, other) in enumerate(pairwise(order), 1) if other != one + 1]
    starts, ends = [0, *breaks], [*breaks, len(order)]
    return [(order[a], order[b - 1]) for a, b in zip(starts, ends, strict=True) if order]


def longest_streak(days: Iterable[int]) -> Streak:
    """The longest run of days; the latest of several."""
    runs = streaks(days)
    return _streak(max(runs, key=lambda run: (run[1] - run[0], run[1]))) if runs else Streak()


def current_streak(days: Iterable[int], today: int) -> Streak:
    """The run that ended today, or yesterday, since today is not over."""
    runs = [run for run in streaks(days) if run[0] <= today <= run[1] + 1]
    if not runs:
        return Streak()
    first, last = runs[-1]
    return _streak((first, min(last, today)))


def _streak(run: tuple[int, int]) -> Streak:
    return Streak(run[1] - run[0] + 1, day_of(run[0]), day_of(run[1]))


def statistics_of(
    plays: Plays, now: int, ratings: Iterable[int] = (), top: int = TOP
) -> Statistics:
    """Everything about ``plays`` as it stands ``now`` (milliseconds)."""
    days = plays.by_day
    rated = Counter(ratings)
    return Statistics(
        totals=totals_of(plays),
        patterns=patterns_of(plays),
        favourites=favourites_of(plays, top),
        longest_streak=longest_streak(days),
        current_streak=current_streak(days, Zone(plays.zone).today(now)),
        ratings=[rated[number] for number in range(1, 11)] if rated else [],
    )


def year_of(plays: Plays, year: int, top: int = TOP) -> Year:
    """The review of a year of the account's calendar."""
    within = plays.on_days(date(year, 1, 1), date(year, 12, 31))
    days = within.by_day
    patterns = patterns_of(within)
    busiest = max(days, key=lambda day: (days[day], day)) if days else None
    return Year(
        year=year,
        totals=totals_of(within),
        months=[patterns.months.get(f"{year:04}-{month:02}", 0) for month in range(1, 13)],
        weekdays=patterns.weekdays,
        hours=patterns.hours,
        favourites=favourites_of(within, top),
        longest_streak=longest_streak(days),
        busiest_day=None if busiest is None else day_of(busiest),
        busiest_plays=0 if busiest is None else days[busiest],
        new_titles=_new_titles(plays, within),
    )


def _new_titles(plays: Plays, within: Plays) -> int:
    """How many films and shows of ``within`` have no earlier play, one without a date included."""
    earlier = plays.before(within.moments[0]) if within.moments else within
    known = {plays.title(key).subject for key in {*earlier.keys, *plays.keys[plays.undated]}}
    return len({plays.title(key).subject for key in set(within.keys)} - known - {""})


def heatmap_of(plays: Plays, first: date, last: date) -> Heatmap:
    """Plays of each day from ``first`` to ``last``, both included."""
    days = plays.by_day
    span = range(number_of(first), number_of(last) + 1)
    counts = [days.get(number, 0) for number in span]
    return Heatmap(
        first=first,
        last=last,
        plays=sum(counts),
        active_days=sum(1 for count in counts if count),
        most=max(counts, default=0),
        longest_streak=longest_streak(number for number in span if days.get(number)),
        days=[Day(day_of(number), count) for number, count in zip(span, counts, strict=True)],
    )

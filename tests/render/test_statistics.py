"""Statistics: small books whose sums can be told by heart, and rules that hold for every book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.test_days import ZONES
from watchbook.clock import to_millis
from watchbook.render import statistics
from watchbook.render.columns import Plays, Title
from watchbook.render.days import day_of, number_of
from watchbook.render.statistics import Share, Streak

HEAT = Title("heat", episode=False, minutes=170, genres=("crime", "drama"), country="us")
ONE = Title("lost", episode=True, minutes=42, genres=("drama",), network="ABC", country="us")
TWO = Title("lost", episode=True, minutes=None, genres=("drama",), network="ABC", country="us")
TITLES = {"heat": HEAT, "lost1": ONE, "lost2": TWO}
NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


def book(*seen: tuple[datetime | int, str], zone: str = "Europe/Berlin") -> Plays:
    """Plays in that zone, in any order."""
    rows = sorted((at if isinstance(at, int) else to_millis(at), key) for at, key in seen)
    return Plays([at for at, _ in rows], [key for _, key in rows], TITLES, ZoneInfo(zone))


def days(count: int) -> timedelta:
    """So many days."""
    return timedelta(days=count)


BOOK = book(
    (0, "heat"),
    (NOON, "heat"),
    (NOON + days(1), "lost1"),
    (NOON + days(2), "lost2"),
    (NOON + days(2), "lost1"),
    (NOON - days(400), "episode"),
)


def test_totals() -> None:
    """Every sum, and what is not in it."""
    assert statistics.totals_of(BOOK) == statistics.Totals(
        plays=6,
        films=2,
        episodes=4,
        distinct_films=1,
        distinct_episodes=3,
        shows=1,
        rewatches=2,
        minutes=2 * 170 + 2 * 42,
        without_runtime=2,
        unknown_dates=1,
        days=4,
        first_at=NOON - days(400),
        last_at=NOON + days(2),
    )


def test_nothing_watched() -> None:
    """An empty book has sums too."""
    told = statistics.statistics_of(book(), to_millis(NOON))
    assert told.totals.plays == told.totals.minutes == told.totals.days == 0
    assert told.totals.first_at is told.totals.last_at is None
    assert told.longest_streak == told.current_streak == Streak()
    assert statistics.year_of(book(), 2026).busiest_day is None


def test_plays_before_1970_are_dated() -> None:
    """Only the very first moment of 1970 stands for an unknown date."""
    early = book((-86_400_000, "heat"), (0, "heat"), (86_400_000, "lost1"), zone="UTC")
    told = statistics.totals_of(early)
    assert (told.unknown_dates, told.days) == (1, 2)
    assert told.first_at == datetime(1969, 12, 31, tzinfo=UTC)
    assert statistics.patterns_of(early).years == {1969: 1, 1970: 1}


def test_patterns() -> None:
    """Years, months, weeks, weekdays and hours are those of the zone, across its change of time."""
    told = statistics.patterns_of(BOOK)
    assert told.years == {2025: 1, 2026: 4}
    assert told.months == {"2025-02": 1, "2026-03": 4}
    assert told.weeks == {"2025-W08": 1, "2026-W13": 2, "2026-W14": 2}
    assert told.weekdays == [2, 0, 0, 0, 1, 1, 1]
    assert (told.hours[13], told.hours[14]) == (2, 3)


def test_favourites() -> None:
    """Episodes count for their show; what has no name counts for nothing."""
    told = statistics.favourites_of(BOOK)
    assert [(one.key, one.plays, one.minutes) for one in told.shows] == [("lost", 3, 84)]
    assert [(one.key, one.plays, one.minutes) for one in told.films] == [("heat", 2, 340)]
    assert told.genres == [Share("drama", 5), Share("crime", 2)]
    assert told.networks == [Share("ABC", 3)]
    assert told.countries == [Share("us", 5)]


def test_a_year() -> None:
    """A year has its own sums, months, days and what was new in it."""
    year = statistics.year_of(BOOK, 2026)
    assert (year.totals.plays, year.totals.unknown_dates) == (4, 0)
    assert year.months == [0, 0, 4, *[0] * 9]
    assert (year.busiest_day, year.busiest_plays) == (date(2026, 3, 30), 2)
    assert year.longest_streak == Streak(3, date(2026, 3, 28), date(2026, 3, 30))
    assert year.new_titles == 1, "the film has a play without a date, the show has none"


def test_a_new_year_begins_where_the_account_lives() -> None:
    """A play of the last evening of UTC's year is in the next one further east."""
    midnight = datetime(2025, 12, 31, 20, tzinfo=UTC)
    assert statistics.year_of(book((midnight, "heat"), zone="Asia/Tokyo"), 2026).totals.plays == 1
    assert statistics.year_of(book((midnight, "heat"), zone="UTC"), 2026).totals.plays == 0


@pytest.mark.parametrize(
    ("watched", "today", "longest", "current"),
    [
        ([], 10, 0, 0),
        ([10], 10, 1, 1),
        ([9], 10, 1, 1),
        ([8], 10, 1, 0),
        ([1, 2, 3, 5, 6], 6, 3, 2),
        ([5, 6, 8, 9], 10, 2, 2),
        ([9, 10, 11, 12], 10, 4, 2),
    ],
)
def test_streaks(watched: list[int], today: int, longest: int, current: int) -> None:
    """A streak lasts until a whole day went by without a play."""
    assert statistics.longest_streak(watched).days == longest
    assert statistics.current_streak(watched, today).days == current


def test_of_several_longest_streaks_the_latest_is_told() -> None:
    """Who reaches a record again is told the new one."""
    assert statistics.longest_streak([1, 2, 5, 6]).first == day_of(5)


def test_ratings() -> None:
    """Each number has its count; none at all is told as such."""
    told = statistics.statistics_of(BOOK, to_millis(NOON), [10, 10, 7, 1])
    assert told.ratings == [1, 0, 0, 0, 0, 0, 1, 0, 0, 2]
    assert statistics.statistics_of(BOOK, to_millis(NOON)).ratings == []


def test_heatmap_has_every_day() -> None:
    """Days without a play are in it, plays outside of it and without a date are not."""
    told = statistics.heatmap_of(BOOK, date(2026, 3, 27), date(2026, 3, 31))
    assert [one.plays for one in told.days] == [0, 1, 1, 2, 0]
    assert (told.plays, told.active_days, told.most) == (4, 3, 2)
    assert told.longest_streak.days == 3


def test_films_or_episodes_alone() -> None:
    """Plays of one type, those without a title too."""
    assert statistics.totals_of(BOOK.of_type("movie")).plays == 2
    assert statistics.totals_of(BOOK.of_type("episode")).plays == 4


_MOMENTS = st.lists(
    st.one_of(st.just(0), st.integers(-1_000_000_000_000, 2_500_000_000_000)), max_size=60
)


_ALL_OVER = [
    0,
    *(to_millis(datetime(2008, 1, 1, tzinfo=UTC) + timedelta(hours=97 * n)) for n in range(360)),
]


@pytest.mark.parametrize("zone", ZONES)
def test_day_totals_add_up_in_every_zone(zone: str) -> None:
    """In every zone of tzdata each dated play is on one day, in one hour, month and year."""
    _adds_up(_ALL_OVER, zone)


@given(_MOMENTS, st.sampled_from(ZONES))
def test_day_totals_add_up_for_any_plays(moments: list[int], zone: str) -> None:
    """Whenever they were."""
    _adds_up(moments, zone)


def _adds_up(moments: list[int], zone: str) -> None:
    plays = book(*((moment, "lost1") for moment in moments), zone=zone)
    dated = sum(1 for moment in moments if moment)
    patterns = statistics.patterns_of(plays)
    assert sum(plays.by_day.values()) == dated
    for told in (patterns.years, patterns.months, patterns.weeks):
        assert sum(told.values()) == dated
    assert sum(patterns.weekdays) == sum(patterns.hours) == dated
    for year, count in patterns.years.items():
        assert statistics.year_of(plays, year).totals.plays == count
        whole = statistics.heatmap_of(plays, date(year, 1, 1), date(year, 12, 31))
        assert whole.plays == count


@given(_MOMENTS, st.integers(-1_000_000_000_000, 2_500_000_000_000))
def test_plays_before_a_moment(moments: Sequence[int], end: int) -> None:
    """What is cut off is what came later, and nothing that was counted before stands in the way."""
    plays = book(*((moment, "heat") for moment in moments))
    assert plays.hours is plays.hours
    cut = plays.before(end)
    assert list(cut.moments) == sorted(moment for moment in moments if moment < end)
    assert sum(cut.by_day.values()) == sum(1 for moment in cut.moments if moment)


def test_numbers_of_days_follow_each_other() -> None:
    """A leap day is a day."""
    assert number_of(date(2024, 3, 1)) - number_of(date(2024, 2, 28)) == 2

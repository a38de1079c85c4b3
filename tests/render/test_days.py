"""Days in a zone, over the whole of tzdata."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbook.clock import from_millis, to_millis
from watchbook.render.days import HOUR, Zone, day_of, number_of

ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
DAY = 24 * HOUR
FIRST, LAST = datetime(1955, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def local_hour(moment: int, zone: ZoneInfo) -> int:
    """The same, worked out the slow way."""
    local = from_millis(moment).astimezone(zone).replace(tzinfo=UTC)
    return to_millis(local) // HOUR


def changes(zone: ZoneInfo) -> Iterator[int]:
    """The day (its first moment in UTC) of each change of clocks."""
    for week in range(to_millis(FIRST), to_millis(LAST), 7 * DAY):
        if offset(week, zone) != offset(week + 7 * DAY, zone):
            days = range(week, week + 7 * DAY, DAY)
            yield from (day for day in days if offset(day, zone) != offset(day + DAY, zone))


def offset(moment: int, zone: ZoneInfo) -> timedelta | None:
    """How far clocks are ahead of UTC."""
    return from_millis(moment).astimezone(zone).utcoffset()


_SOME = ZONES[::20]
_OTHERS = [pytest.param(name, marks=pytest.mark.long) for name in ZONES if name not in _SOME]


@pytest.mark.parametrize("name", [*_SOME, *_OTHERS])
def test_each_hour_around_each_change_is_on_its_day(name: str) -> None:
    """No shortcut is taken across a change of clocks, of whichever zone and year."""
    zone = ZoneInfo(name)
    moments = [start + step * HOUR // 2 for start in changes(zone) for step in range(-48, 96)]
    assert Zone(zone).hours(moments) == [local_hour(moment, zone) for moment in moments]


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999), st.sampled_from(ZONES))
def test_any_moment_of_the_calendar_has_a_day(moment: int, name: str) -> None:
    """Also the first and the last of all, whose local day would lie outside."""
    (hour,) = Zone(ZoneInfo(name)).hours([moment])
    assert date.min <= day_of(hour // 24) <= date.max
    assert abs(hour * HOUR - moment) <= 27 * HOUR


@given(st.dates())
def test_a_day_and_its_number_belong_together(day: date) -> None:
    """Each is made of the other."""
    assert day_of(number_of(day)) == day


def test_the_zone_of_this_machine_is_that_of_no_zone() -> None:
    """An account without a zone lives where the service does."""
    moment = to_millis(datetime(2026, 7, 1, 12, tzinfo=UTC))
    local = from_millis(moment).astimezone().replace(tzinfo=UTC)
    assert Zone(None).hours([moment]) == [to_millis(local) // HOUR]

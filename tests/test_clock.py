from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook import clock

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@time_machine.travel(NOON, tick=False)
def test_now_is_in_utc() -> None:
    """The current moment knows its zone, whatever the machine's is."""
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T12:00:00.000Z", NOON),
        ("2026-11-21T12:00:00Z", NOON),
        ("2026-11-21T12:00Z", NOON),
        ("2026-11-21T12:00:00", NOON),
        ("2026-11-21T14:00:00+02:00", NOON),
        ("2026-11-21T12:00:00.123456Z", NOON + timedelta(microseconds=123_456)),
        ("1970-01-01T00:00:00.000Z", clock.UNKNOWN_DATE),
    ],
)
def test_instants_as_trakt_writes_them(text: str, moment: datetime) -> None:
    """Instants are read with or without milliseconds and zone, and come out in UTC."""
    found = clock.from_iso(text)
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30T00:00:00Z",
        "24:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "12026-01-01T00:00:00Z",
    ],
)
def test_what_is_no_instant(text: str) -> None:
    """Anything else is a ValueError, moments outside of the calendar too."""
    with pytest.raises(ValueError):
        clock.from_iso(text)


def test_how_moments_are_written() -> None:
    """Moments are written in UTC, for people and for file names."""
    there = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert clock.to_iso(there) == "2026-11-21T12:00:00Z"
    assert clock.to_stamp(there) == "20261121T120000Z"


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_milliseconds_there_and_back(moment: datetime) -> None:
    """Every moment of the calendar survives the store, down to the millisecond."""
    millis = clock.to_millis(moment)
    assert (
        clock.from_millis(millis) <= moment < clock.from_millis(millis) + timedelta(milliseconds=1)
    )
    assert clock.to_millis(clock.from_millis(millis)) == millis


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), (" 1 s ", 1)],
)
def test_durations(text: str, seconds: int) -> None:
    """A number and a unit are a duration."""
    assert clock.parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "-5m", "1.5h", "5 months", "9" * 30 + "w", "5m 3s"])
def test_what_is_no_duration(text: str) -> None:
    """Anything else is a ValueError that shows what would be one."""
    with pytest.raises(ValueError, match="90s, 5m, 12h or 7d"):
        clock.parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconds"),
        (0, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (86_400 * 3, "3 days"),
        (86_400 * 4000, "4,000 days"),
    ],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    """A span is said in its largest unit, as a person would."""
    assert clock.in_words(timedelta(seconds=seconds)) == words


def test_counted() -> None:
    """A number comes with its noun, in the right number."""
    assert clock.counted(1, "play") == "1 play"
    assert clock.counted(1204, "play") == "1,204 plays"
    assert clock.counted(2, "entry", "entries") == "2 entries"

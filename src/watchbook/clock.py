"""Time: one place to ask for it, one way to write it.

Every moment inside Watchbook is a timezone-aware :class:`~datetime.datetime` in UTC. The
store keeps milliseconds since 1970 as an integer, because SQLite has no time type and both
databases compare integers alike.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

UNKNOWN_DATE = datetime(1970, 1, 1, tzinfo=UTC)
"""What Trakt answers for a play whose date its owner does not know."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def now() -> datetime:
    """The current moment in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only ever grow, for measuring how long something took."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait for ``seconds``; the seam through which tests pass without waiting."""
    time.sleep(seconds)


def from_iso(text: str) -> datetime:
    """Read an ISO 8601 instant as Trakt writes it, with or without milliseconds.

    A text without zone counts as UTC. Raises ValueError when it is no instant, or one before
    the year 1 or after 9999 in UTC.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside of the calendar") from None


def to_iso(moment: datetime) -> str:
    """Write ``moment`` as ``2026-11-21T20:15:00Z``, the shortest form that loses no second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_stamp(moment: datetime) -> str:
    """Write ``moment`` as ``20261121T201500Z``, for file names."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970, as the store keeps them; exact, without floating point."""
    return (moment - UNKNOWN_DATE) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    """The moment that :func:`to_millis` wrote."""
    return UNKNOWN_DATE + timedelta(milliseconds=millis)


def parse_duration(text: str) -> timedelta:
    """Read ``90s``, ``5m``, ``12h``, ``7d`` or ``2w``; raises ValueError otherwise."""
    match = re.fullmatch(r"\s*(\d{1,7})\s*([smhdw])\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 5m, 12h or 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def in_short(span: timedelta) -> str:
    """Write a span of whole seconds as it is set: ``5m``, ``7d``; the reverse of the above."""
    seconds = int(span.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def in_words(span: timedelta) -> str:
    """Say a span as a person would: ``3 days``, ``2 hours``, ``1 minute``, ``12 seconds``."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 play``, ``1,204 plays``: a number with its noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

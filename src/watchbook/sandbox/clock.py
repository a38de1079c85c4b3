"""The sandbox's own clock, which can be moved on and stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from watchbook.sandbox.library.titles import DAY, MINUTE


class Clock:
    """Tells the time to everything in a sandbox."""

    def __init__(self, stopped_at: datetime | None = None) -> None:
        """Follow the real clock, or stand still at a moment."""
        self._stopped_at = stopped_at.astimezone(UTC) if stopped_at else None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The moment it is in the sandbox, in UTC."""
        return (self._stopped_at or datetime.now(UTC)) + self._ahead

    def seconds(self) -> float:
        """Seconds since 1970, as tokens count them."""
        return self.now().timestamp()

    def minute(self) -> int:
        """Whole minutes since 1970."""
        return int(self.seconds()) // MINUTE

    def today(self) -> int:
        """The minute at which the day began."""
        return self.minute() // DAY * DAY

    def monotonic(self) -> float:
        """Seconds that only move forward, for rate limits; moving the clock on moves them too."""
        return time.monotonic() + self._ahead.total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._ahead += timedelta(seconds=seconds)

    def freeze(self) -> None:
        """Stand still from now on."""
        self._stopped_at, self._ahead = self.now(), timedelta()

    def thaw(self) -> None:
        """Run again, from the moment shown."""
        self._ahead = self.now() - datetime.now(UTC)
        self._stopped_at = None

"""Moments as exports write them: in UTC, and by the clock on the person's wall."""

from __future__ import annotations

from datetime import datetime

from watchbook.clock import from_iso, from_millis, to_iso
from watchbook.store.accounts import Account


class Wall:
    """The clock of an account's time zone; that of this machine for who has none."""

    def __init__(self, account: Account) -> None:
        self._zone = account.zone
        self.name = account.timezone if self._zone else None

    def local(self, millis: int) -> datetime:
        """A stored moment, with the offset that held then and there.

        At the ends of the calendar, where that would lead out of it, in UTC.
        """
        moment = from_millis(millis)
        try:
            return moment.astimezone(self._zone)
        except OverflowError:
            return moment

    def iso(self, millis: int | None) -> str | None:
        """``2026-11-21T21:15:00+01:00``; None for an unknown date, which Trakt writes as 0."""
        return self.local(millis).isoformat(timespec="seconds") if millis else None

    def day(self, millis: int | None) -> str | None:
        """``2026-11-21``; None for an unknown date."""
        return self.local(millis).date().isoformat() if millis else None

    def read(self, text: str) -> datetime:
        """A date (its first moment) or an instant, in this zone unless the text names another.

        In UTC; raises ValueError.
        """
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone) if self._zone else moment.astimezone()
        return from_iso(moment.isoformat())


def utc(millis: int | None) -> str | None:
    """``2026-11-21T20:15:00Z``; None for an unknown date, which Trakt writes as 0."""
    return to_iso(from_millis(millis)) if millis else None

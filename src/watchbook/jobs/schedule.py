"""When what is due: pure arithmetic on moments in milliseconds.

The slots of an account lie one period apart, at a place within the period that is the account's
own, so a thousand accounts are not all due in the same second. A machine that was off for a
while finds one slot due, not all it has missed.
"""

from __future__ import annotations

from datetime import timedelta

from watchbook.errors import AuthorisationNeeded, Fate, RateLimited, StoreBusy, WatchbookError
from watchbook.steps import hurried

BUSY_PAUSE = timedelta(minutes=1)
"""After it was found that somebody else works on the account."""

HOPELESS_PAUSE = timedelta(hours=1)
"""After a failure that only a person can mend."""

FAILED_PAUSE = timedelta(hours=1)
"""After a failure that may pass by itself, when the next slot is later."""

INCOMPLETE_PAUSE = timedelta(days=1)
"""After any other failure, or an incomplete backup, when the next slot is later."""

_GOLDEN = 0.6180339887498949
"""Its multiples lie as far apart as can be, however many there are."""


def millis(span: timedelta) -> int:
    """A span as the schedule counts it."""
    return hurried(span) // timedelta(milliseconds=1)


def next_slot(account_id: int, period: timedelta, slot: int, now: int) -> int:
    """The first slot after ``now``, never more than a period away."""
    length = millis(period)
    place = int(account_id * _GOLDEN % 1 * length)
    earliest = max(now, slot)
    return earliest + 1 + (place - earliest - 1) % length


def after(reason: WatchbookError, regular: int, now: int) -> int:
    """When work that failed for ``reason`` is tried again; ``regular`` is its next slot."""
    if isinstance(reason, StoreBusy):
        return now + millis(BUSY_PAUSE)
    if isinstance(reason, AuthorisationNeeded):
        return max(regular, now + millis(HOPELESS_PAUSE))
    longest = INCOMPLETE_PAUSE if reason.fate is Fate.PERMANENT else FAILED_PAUSE
    next_at = min(regular, now + millis(longest))
    if isinstance(reason, RateLimited) and reason.retry_after is not None:
        asked_for = timedelta(seconds=reason.retry_after)
        return max(next_at, now + millis(min(asked_for, HOPELESS_PAUSE)))  # more is too far
    return next_at


def is_too_far(next_at: int, period: timedelta, now: int) -> bool:
    """Whether a slot lies farther ahead than any of this period: the period was made shorter."""
    longest = max(millis(period), millis(HOPELESS_PAUSE))
    return next_at > now + longest + millis(BUSY_PAUSE)


def first_slot(last: int | None, period: timedelta, now: int) -> int:
    """The first slot of work that was last done at ``last``: now, or a period after that."""
    return now if last is None else max(now, last + millis(period))

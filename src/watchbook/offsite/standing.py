"""How an account's off-site copies stand, for pages that tell how everything does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from watchbook.clock import from_millis
from watchbook.offsite import copies
from watchbook.store.accounts import Account


@dataclass(frozen=True)
class CopyDue:
    """A copy that is still to be made; ``retry_at`` is None when it has not been tried yet."""

    archive: str
    place: str
    words: str | None
    tries: int
    retry_at: datetime | None


@dataclass(frozen=True)
class OffSite:
    """How many copies lie elsewhere, when the last one was made, and what is still to be done."""

    made: int
    last_at: datetime | None
    due: Sequence[CopyDue]


def off_site(conn: sa.Connection, account: Account) -> OffSite | None:
    """How an account's copies stand; None when none was ever wanted."""
    known = copies.of_account(conn, account.id)
    if not known:
        return None
    made = [one for one in known if one.state == copies.COPIED]
    last = max((one.copied_at for one in made if one.copied_at), default=None)
    return OffSite(
        made=sum(one.place != copies.COMMAND for one in made),
        last_at=None if last is None else from_millis(last),
        due=[_due(one) for one in known if one.is_open],
    )


def _due(copy: copies.Copy) -> CopyDue:
    retry_at = None if copy.retry_at is None else from_millis(copy.retry_at)
    return CopyDue(copy.archive, copy.place, copy.words, copy.tries, retry_at)

"""What is known of each copy: waiting, copied, failed and when it is tried again.

A copy that has to be made stays on the list until it is made, or until what it is a copy of is
gone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from watchbook.clock import now, to_millis
from watchbook.store.schema import copies

WAITING = "waiting"
COPIED = "copied"
FAILED = "failed"
PRUNED = "pruned"
DROPPED = "dropped"
"""The archive was gone before it could be copied."""

COMMAND = "command"
"""The place of what the person's own command does."""

_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(days=1)
_OPEN = (WAITING, FAILED)


@dataclass(frozen=True)
class Copy:
    """One archive at one place; times are milliseconds since 1970."""

    account_id: int
    archive: str
    place: str
    verdict: str
    state: str
    words: str | None
    tries: int
    retry_at: int | None
    copied_at: int | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be made."""
        return self.state in _OPEN


_COLUMNS = [copies.c[name] for name in Copy.__dataclass_fields__]


def pause_after(tries: int) -> timedelta:
    """How long to wait after that many failures in a row."""
    return min(_FIRST_PAUSE * int(3 ** min(tries - 1, 10)), _LONGEST_PAUSE)


def expect(
    conn: sa.Connection, account_id: int, archive: str, verdict: str, places: Collection[str]
) -> None:
    """Put on the list what is not there yet."""
    mine = copies.c.archive == archive
    known = set(conn.scalars(sa.select(copies.c.place).where(mine)))
    for place in places:
        if place not in known:
            row = {"account_id": account_id, "archive": archive, "place": place}
            conn.execute(
                sa.insert(copies).values(row | {"verdict": verdict, "state": WAITING, "tries": 0})
            )


def take_up(conn: sa.Connection, archive: str) -> None:
    """Put copies back on the list that were dropped because the archive was gone: it is there."""
    dropped = (copies.c.archive == archive) & (copies.c.state == DROPPED)
    conn.execute(sa.update(copies).where(dropped).values(state=WAITING, words=None, tries=0))


def forget_other_places(conn: sa.Connection, account_id: int, places: Collection[str]) -> None:
    """Take off the list what was to go to places that no setting names any more."""
    other = copies.c.place.not_in(places)
    mine = copies.c.account_id == account_id
    conn.execute(sa.delete(copies).where(mine, other, copies.c.state.in_(_OPEN)))


def of_account(conn: sa.Connection, account_id: int, place: str | None = None) -> list[Copy]:
    """Every copy of an account's archives (at one place), the newest archive first."""
    query = sa.select(*_COLUMNS).where(copies.c.account_id == account_id)
    if place is not None:
        query = query.where(copies.c.place == place)
    return [Copy(*row) for row in conn.execute(query.order_by(copies.c.archive.desc()))]


def open_ones(conn: sa.Connection, account_id: int) -> list[Copy]:
    """Copies that are still to be made, the newest archive first."""
    return [one for one in of_account(conn, account_id) if one.is_open]


def made_at(conn: sa.Connection, account_id: int, place: str) -> list[str]:
    """The archives whose copies were put to a place and not pruned since."""
    known = of_account(conn, account_id, place)
    return [one.archive for one in known if one.copied_at is not None and one.state != PRUNED]


def made(conn: sa.Connection, account_id: int) -> dict[str, list[str]]:
    """Where each archive's copies are."""
    places: dict[str, list[str]] = {}
    for one in of_account(conn, account_id):
        if one.state == COPIED and one.place != COMMAND:
            places.setdefault(one.archive, []).append(one.place)
    return places


def succeed(conn: sa.Connection, copy: Copy, words: str) -> None:
    """Write down that a copy was made and read back."""
    moment = to_millis(now())
    _set(
        conn,
        copy,
        state=COPIED,
        words=words,
        tries=copy.tries + 1,
        retry_at=None,
        copied_at=moment,
        checked_at=moment,
    )


def fail(conn: sa.Connection, copy: Copy, words: str) -> None:
    """Write down that a copy was not made, and when it is tried again."""
    tries = copy.tries + 1
    retry_at = to_millis(now() + pause_after(tries))
    _set(conn, copy, state=FAILED, words=words, tries=tries, retry_at=retry_at)


def wait_again(conn: sa.Connection, copy: Copy, words: str) -> None:
    """Write down that a copy has to be made once more."""
    _set(conn, copy, state=WAITING, words=words, tries=0, retry_at=None)


def drop(conn: sa.Connection, copy: Copy, words: str) -> None:
    """Write down that there is nothing left to copy."""
    _set(conn, copy, state=DROPPED, words=words, retry_at=None)


def mark_pruned(conn: sa.Connection, archive: str, place: str) -> None:
    """Write down that an older copy has made room."""
    mine = (copies.c.archive == archive) & (copies.c.place == place)
    conn.execute(sa.update(copies).where(mine).values(state=PRUNED))


def find(conn: sa.Connection, archive: str, place: str) -> Copy:
    """One copy, which is on the list."""
    mine = (copies.c.archive == archive) & (copies.c.place == place)
    return Copy(*conn.execute(sa.select(*_COLUMNS).where(mine)).one())


def _set(conn: sa.Connection, copy: Copy, **values: object) -> None:
    mine = (copies.c.archive == copy.archive) & (copies.c.place == copy.place)
    conn.execute(sa.update(copies).where(mine).values(values))

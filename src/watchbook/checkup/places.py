"""Checks of the places where off-site copies go: they are there, and can be written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from watchbook import clock
from watchbook.checkup.check import Check, guarded, ok, warning
from watchbook.offsite import copies
from watchbook.offsite.handing_on import place_for
from watchbook.offsite.standing import CopyDue, off_site
from watchbook.settings import Settings
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.values import Bucket

_ONCE_MORE = "`watchbook backup` copies the newest one again."
_AGAIN = "`watchbook backup` tries again at once."


def check_places(
    settings: Settings, database: Database, account: Account, *, outside: bool
) -> Iterator[Check]:
    """Every place of the owner's copies, and what has not arrived; buckets only when ``outside``.

    A small file is written to each place and deleted again.
    """
    for target in settings.copy_to:
        if outside or isinstance(target, Path):
            yield _check_place(settings, database, account, target)
    with database.read() as conn:
        standing = off_site(conn, account)
    if standing is not None and standing.due:
        yield _told(standing.due)


def _check_place(
    settings: Settings, database: Database, account: Account, target: Path | Bucket
) -> Check:
    name = f"copies to {target}"

    def look() -> Check:
        place = place_for(target, settings)
        with database.read() as conn:
            made = copies.made_at(conn, account.id, place.name)
        place.check(made)
        place.try_out()
        if gone := sorted(set(made) - place.names()):
            others = f", and {len(gone) - 1} more" if len(gone) > 1 else ""
            words = f"{gone[-1]} is gone from there{others}"
            return warning(name, words, _ONCE_MORE)
        return ok(name, f"can be written to; {clock.counted(len(made), 'copy', 'copies')} there")

    return guarded(name, look)


def _told(due: Sequence[CopyDue]) -> Check:
    first = due[0]
    others = f", and {len(due) - 1} more" if len(due) > 1 else ""
    why = f": {first.words}" if first.words else ""
    words = f"{first.archive} has not arrived at {first.place}{others}{why}"
    return warning("off-site copies", words, _AGAIN)

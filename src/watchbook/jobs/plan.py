"""The rows of the schedule, kept in step with the accounts that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

import sqlalchemy as sa

from watchbook import values
from watchbook.clock import now, to_millis
from watchbook.connecting import Installation
from watchbook.environment import may_use_environment
from watchbook.jobs import schedule
from watchbook.jobs.port import Kind
from watchbook.offsite.handing_on import wanted_places
from watchbook.settings import Settings
from watchbook.sharing import Part
from watchbook.store import accounts, due, grants, runs, shares, sites, titles
from watchbook.store.accounts import Account
from watchbook.store.due import Due

COPY_EVERY = timedelta(minutes=10)
"""How often is looked whether a copy that failed may be tried again; each has its own pauses."""

PUBLISH_EVERY = timedelta(minutes=1)
"""How often an account's sites are sent to, at most, while something is due there."""

CHANGES_EVERY = timedelta(minutes=10)
"""How often is looked for what has changed in posts that are out, when nothing else is due."""

WATCHING_EVERY = timedelta(minutes=1)
"""How often Trakt is asked what is being watched, at most, by accounts that show it."""

PICTURES_EVERY = timedelta(hours=6)
"""How often is looked for pictures that are missing or old; a sync that found news hastens it."""

_FIXED = {
    Kind.COPY: COPY_EVERY,
    Kind.PUBLISH: PUBLISH_EVERY,
    Kind.WATCHING: WATCHING_EVERY,
    Kind.PICTURES: PICTURES_EVERY,
}

Wanted = dict[tuple[int, Kind], tuple[Account, timedelta]]
"""What has a place in the schedule, by account and kind: whose it is, and its period."""


def period_of(settings: Settings, account: Account, kind: Kind) -> timedelta:
    """How often an account's work of one kind is done: its own period, else the settings'."""
    if kind in _FIXED:
        return _FIXED[kind]
    own = account.sync_every if kind is Kind.SYNC else account.backup_every
    if own is not None:
        return values.period(own)
    return settings.sync_every if kind is Kind.SYNC else settings.backup_every


def has_sign_in(installation: Installation, account: Account) -> bool:
    """Whether the account reads from Trakt, or may; others live on exports."""
    with installation.store.database.read() as conn:
        signed_in = grants.find(conn, account.id) is not None
    return signed_in or may_use_environment(installation)


def keep_rows(installation: Installation) -> list[Due]:
    """Bring the rows up to date with the accounts; returns them, what is due first in front."""
    database, moment = installation.store.database, to_millis(now())
    environment = may_use_environment(installation)
    with database.read() as conn:
        wanted = _wanted(conn, installation.settings, environment=environment)
        known = due.all_rows(conn)
    have = {_key(row) for row in known}
    fresh = {key: wanted[key] for key in wanted.keys() - have}
    idle = [row for row in known if row.job is None]
    surplus = [row for row in idle if _key(row) not in wanted]
    far = [row for row in idle if row not in surplus and _is_too_far(row, wanted, moment)]
    if not (fresh or surplus or far):
        return known
    with database.write() as conn:
        due.add(conn, _first_rows(conn, fresh, moment))
        for row in surplus:
            due.drop(conn, row)
        for row in far:
            _, period = wanted[_key(row)]
            due.leave(conn, row, schedule.next_slot(row.account_id, period, moment, moment))
        return due.all_rows(conn)


def _wanted(conn: sa.Connection, settings: Settings, *, environment: bool) -> Wanted:
    """A sync for whoever is signed in, a backup for whoever has anything to save.

    Copies go to places elsewhere, if any are set; they are of the owner's archives. Whoever has
    a site is published. What is being watched is asked for whoever shows it, while they can be.
    Pictures are fetched where it is known from where.
    """
    found: Wanted = {}
    signed_in, published = grants.holders(conn), sites.holders(conn)
    pictured = settings.tmdb_token is not None or titles.have_pictures(conn)
    showing_now, refused = set(shares.accounts_with(conn, Part.NOW)), grants.refused(conn)
    for account in accounts.all_accounts(conn):
        reads = environment or account.id in signed_in
        if reads:
            found[account.id, Kind.SYNC] = (account, period_of(settings, account, Kind.SYNC))
        if reads or runs.latest(conn, account.id, "import"):
            found[account.id, Kind.BACKUP] = (account, period_of(settings, account, Kind.BACKUP))
            if pictured:
                found[account.id, Kind.PICTURES] = (account, PICTURES_EVERY)
        if account.owner and wanted_places(settings):
            found[account.id, Kind.COPY] = (account, COPY_EVERY)
        if reads and account.id in showing_now - refused and not account.locked:
            found[account.id, Kind.WATCHING] = (account, WATCHING_EVERY)
        if account.id in published:
            found[account.id, Kind.PUBLISH] = (account, PUBLISH_EVERY)
    return found


def _is_too_far(row: Due, wanted: Wanted, moment: int) -> bool:
    _, period = wanted[_key(row)]
    return schedule.is_too_far(row.next_at, period, moment)


def _key(row: Due) -> tuple[int, Kind]:
    return row.account_id, Kind(row.kind)


def _first_rows(conn: sa.Connection, fresh: Wanted, moment: int) -> Iterator[Due]:
    for (account_id, kind), (_, period) in fresh.items():
        last = next(iter(runs.latest(conn, account_id, kind)), None)
        ended = last.finished_at if last is not None and last.outcome != runs.FAILED else None
        first = schedule.first_slot(ended, period, moment)
        if kind is Kind.BACKUP and ended is None:
            first += schedule.millis(schedule.BUSY_PAUSE)  # let its first sync begin before
        yield Due(account_id, kind, first, None)


def is_worth_a_job(row: Due, pressing: Collection[int], moment: int) -> bool:
    """Whether a row that is due needs a job now: publishing does only for what is due there.

    ``pressing`` are the accounts with something due at their sites.
    """
    if row.kind != Kind.PUBLISH or row.account_id in pressing:
        return True
    return looks_for_changes(row.next_at, moment)


def looks_for_changes(slot: int, moment: int) -> bool:
    """Whether a slot for publishing has waited so long that published posts are looked at, too."""
    return moment - slot >= schedule.millis(CHANGES_EVERY)

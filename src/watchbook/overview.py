"""How an account stands, on one page: the sign-in, the copy, the backups, what runs now.

It only reads. Whatever shows it (the command line, a page) decides about colours and words
around it, not about what is healthy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from watchbook import clock
from watchbook.archive import ledger
from watchbook.archive.backup import backups_folder
from watchbook.grants import warning
from watchbook.intake import NOT_HELD
from watchbook.offsite.standing import OffSite, off_site
from watchbook.outlook import Outlook, outlook
from watchbook.publish.standing import SiteStanding, standings
from watchbook.store import accounts, datasets, grants, leases, pictures, plays, runs
from watchbook.store.accounts import Account
from watchbook.store.budget import SLOT
from watchbook.store.datasets import DataSetState
from watchbook.store.grants import Event, Grant, GrantEvent, State
from watchbook.store.opening import Store
from watchbook.store.runs import Run
from watchbook.store.schema import budgets, grant_events
from watchbook.trakt.datasets import CATALOGUE
from watchbook.values import Rate

FEW_EVENTS = 5
"""Events of a grant that are shown unless more are asked for."""

_FEW_IMPORTS = 20
_TAKEN_IN = {runs.COMPLETE, runs.INCOMPLETE}


class Health(StrEnum):
    """What an account needs, the most urgent last."""

    WELL = "well"
    RETRY = "the last sync failed"
    INCOMPLETE = "the copy is incomplete"
    SIGN_IN = "a sign-in is needed"


@dataclass(frozen=True)
class SignIn:
    """How the permission at Trakt stands; ``warning`` says what to do, None while all is well."""

    state: State
    alive_until: datetime
    refreshed_at: datetime
    next_refresh_at: datetime
    origin: str
    warning: str | None


@dataclass(frozen=True)
class LastSync:
    """The latest run; ``hint`` says what to do about its outcome."""

    started_at: datetime
    finished_at: datetime | None
    outcome: str
    words: str | None
    hint: str | None
    requests: int


@dataclass(frozen=True)
class LastImport:
    """The latest import that took something in, or an archive back; ``file`` where it is known."""

    file: str | None
    finished_at: datetime
    outcome: str
    words: str | None


@dataclass(frozen=True)
class DataSets:
    """Every data set there is to read: how many are whole, and why the others are not.

    ``unread`` are those of the catalogue that were never read. Before anything was read or
    taken in there are none at all.
    """

    total: int
    complete: int
    held: int
    unread: Sequence[str]
    incomplete: Mapping[str, str]
    unavailable: Mapping[str, str]


@dataclass(frozen=True)
class Backup:
    """The newest good archive; ``proven_at`` is when its bytes were last read back.

    ``gone`` says that neither its file nor that of an older good one is where it was written.
    """

    name: str
    written_at: datetime
    proven_at: datetime
    gone: bool = False


@dataclass(frozen=True)
class Work:
    """Something that a process does for the account right now."""

    purpose: str
    machine: str
    process: int
    since: datetime


@dataclass(frozen=True)
class Budget:
    """Reads taken within the budget's period; none are allowed before ``blocked_until``."""

    used: int
    allowed: int
    seconds: int
    blocked_until: datetime | None


@dataclass(frozen=True)
class Overview:
    """One account as it stands now."""

    account: str
    user: str | None
    owner: bool
    timezone: str | None
    own: Mapping[str, str | None]
    health: Health
    locked: str | None
    sign_in: SignIn | None
    last_sync: LastSync | None
    last_import: LastImport | None
    data_sets: DataSets
    plays: int
    backup: Backup | None
    off_site: OffSite | None
    sites: Sequence[SiteStanding]
    pictures: Mapping[str, int]
    """How many are kept, waited for, failed, or not to be had; all accounts share them."""
    outlook: Outlook | None
    running: Sequence[Work]
    budget: Budget
    events: Sequence[GrantEvent]


def overviews(
    store: Store, rate: Rate, name: str | None = None, *, events: int = FEW_EVENTS
) -> list[Overview]:
    """How every account stands, or the one called ``name``; none when there is no account yet.

    Raises InputError for an unknown name.
    """
    with store.database.read() as conn:
        known = accounts.all_accounts(conn) if name is None else [accounts.choose(conn, name)]
        return [_overview(conn, store.home, account, rate, events) for account in known]


def _overview(
    conn: sa.Connection, home: Path, account: Account, rate: Rate, events: int
) -> Overview:
    grant = grants.find(conn, account.id)
    states = datasets.all_states(conn, account.id)
    running = work_for(conn, account)
    newest = next(iter(runs.latest(conn, account.id, "sync")), None)
    last_sync = _last_sync(newest, running) if newest else None
    by_exports = lives_on_exports(conn, account)
    if by_exports and newest is not None and newest.outcome == runs.FAILED:
        last_sync = None  # for want of a sign-in, which the import has made good
    signed_in = _is_signed_in(account, grant) or by_exports
    data_sets = _data_sets(states)
    return Overview(
        account=account.name,
        user=account.trakt_slug,
        owner=account.owner,
        timezone=account.timezone,
        own=account.own_settings,
        health=_health(last_sync, data_sets) if signed_in else Health.SIGN_IN,
        locked=account.locked,
        sign_in=_sign_in(grant, account) if grant else None,
        last_sync=last_sync,
        last_import=_last_import(conn, account),
        data_sets=data_sets,
        plays=plays.count(conn, account.id),
        pictures=pictures.counts(conn),
        backup=newest_backup(conn, account, home),
        off_site=off_site(conn, account),
        sites=standings(conn, account.id),
        outlook=outlook(conn, account),
        running=running,
        budget=_budget(conn, account, rate),
        events=grants.history(conn, account, events),
    )


def _is_signed_in(account: Account, grant: Grant | None) -> bool:
    return account.locked is None and grant is not None and grant.state is not State.NEEDED


def lives_on_exports(conn: sa.Connection, account: Account) -> bool:
    """Whether what the account holds comes from exports, and nobody is signed in for it.

    Either an export was taken in after its last sign-in and last failed sync, or its book was
    read back from the archive of an account that lived on them.
    """
    if account.locked or grants.find(conn, account.id) is not None:
        return False
    sync = next(iter(runs.latest(conn, account.id, "sync")), None)
    failed = sync.started_at if sync is not None and sync.outcome == runs.FAILED else 0
    connected = conn.scalar(
        sa.select(sa.func.max(grant_events.c.at)).where(
            grant_events.c.account_id == account.id, grant_events.c.event == Event.CONNECTED
        )
    )
    taken = _export_taken_at(conn, account)
    if taken is not None:
        return taken >= max(connected or 0, failed)
    states = datasets.all_states(conn, account.id).values()
    return not (connected or failed) and any(state.words == NOT_HELD for state in states)


def _export_taken_at(conn: sa.Connection, account: Account) -> int | None:
    """When the last export was taken in; an archive that was read back is none."""
    imports = runs.latest(conn, account.id, "import", limit=_FEW_IMPORTS)
    taken = (run for run in imports if run.outcome in _TAKEN_IN and run.report)
    return next((run.started_at for run in taken if _is_of_export(run.report)), None)


def _is_of_export(report: str | None) -> bool:
    return msgspec.json.decode(report or "{}", type=dict[str, Any]).get("source") == "export"


def _health(last_sync: LastSync | None, data_sets: DataSets) -> Health:
    if data_sets.incomplete or data_sets.held or data_sets.unread:
        return Health.INCOMPLETE
    if last_sync is not None and last_sync.outcome in {runs.FAILED, runs.INTERRUPTED}:
        return Health.RETRY
    return Health.WELL


def _sign_in(grant: Grant, account: Account) -> SignIn:
    return SignIn(
        state=grant.state,
        alive_until=grant.expires_at,
        refreshed_at=grant.issued_at,
        next_refresh_at=grant.retry_at or grant.half_life,
        origin=grant.origin,
        warning=warning(grant, account.name),
    )


def _last_sync(run: Run, running: Sequence[Work]) -> LastSync:
    """The run; one that says it runs, while nobody holds the account, was interrupted."""
    outcome, words = run.outcome, run.words
    if outcome == runs.RUNNING and not running:
        outcome, words = runs.INTERRUPTED, "The process ended before the run did."
    return LastSync(
        clock.from_millis(run.started_at),
        _moment(run.finished_at),
        outcome,
        words,
        run.hint,
        run.requests,
    )


def _last_import(conn: sa.Connection, account: Account) -> LastImport | None:
    """The newest import that came to its end; None when there was none."""
    imports = runs.latest(conn, account.id, "import", limit=_FEW_IMPORTS)
    for run in imports:
        if run.finished_at is not None:
            told = msgspec.json.decode(run.report or "{}", type=dict[str, Any])
            ended = clock.from_millis(run.finished_at)
            return LastImport(told.get("file"), ended, run.outcome, run.words)
    return None


def _moment(millis: int | None) -> datetime | None:
    return None if millis is None else clock.from_millis(millis)


def _data_sets(states: Mapping[str, DataSetState]) -> DataSets:
    def words_of(wanted: str) -> dict[str, str]:
        return {s.name: s.words or "no reason known" for s in known if s.state == wanted}

    known = [state for state in states.values() if state.state != datasets.NEVER]
    unread = unread_of(states)
    return DataSets(
        total=len({state.name for state in known} | set(unread)),
        complete=sum(state.state == datasets.COMPLETE for state in known),
        held=sum(state.held for state in known),
        unread=unread,
        incomplete=words_of(datasets.INCOMPLETE),
        unavailable=words_of(datasets.UNAVAILABLE),
    )


def unread_of(states: Mapping[str, DataSetState]) -> list[str]:
    """Data sets of the catalogue that an interrupted sync has left unread, in its order.

    Parts of others (a list's rows) count once they are known. None while nothing was tried.
    """
    if not states:
        return []
    own = [line.name for line in CATALOGUE if line.parent is None]
    tried = {state.name for state in states.values() if state.state != datasets.NEVER}
    return [name for name in own if name not in tried]


def moment(when: datetime) -> str:
    """Write a moment for a person: ``2026-11-21 20:15 UTC``."""
    return when.strftime("%Y-%m-%d %H:%M UTC")


def newest_backup(conn: sa.Connection, account: Account, home: Path) -> Backup | None:
    """The newest archive of an account that is complete and was whole when last read back.

    One whose file is there, with the size that was written, comes before one whose file is not.
    """
    good = [archive for archive in ledger.recorded(conn, account) if archive.good]
    there = [archive for archive in good if _lies_in(backups_folder(home), archive)]
    archive = next(iter(there or good), None)
    if archive is None:
        return None
    written_at = clock.from_millis(archive.written_at)
    proven_at = _moment(archive.checked_at) or written_at
    return Backup(archive.name, written_at, proven_at, gone=not there)


def _lies_in(folder: Path, archive: ledger.Archive) -> bool:
    """Whether a file of that name and size is in ``folder``; not a byte of it is read."""
    try:
        return (folder / archive.name).stat().st_size == archive.bytes
    except OSError:
        return False


def work_for(conn: sa.Connection, account: Account) -> list[Work]:
    """What living processes do for an account, by the leases that they hold."""
    names = (f"account:{account.id}", f"refresh:{account.id}")
    return [
        Work(lease.purpose, lease.host, lease.pid, clock.from_millis(lease.taken_at))
        for lease in leases.living(conn, names)
    ]


def _budget(conn: sa.Connection, account: Account, rate: Rate) -> Budget:
    """Count the slots that :mod:`watchbook.store.budget` would count at this moment."""
    query = sa.select(budgets.c.used, budgets.c.blocked_until)
    row = conn.execute(query.where(budgets.c.account_id == account.id)).one_or_none()
    slots = msgspec.json.decode(row[0], type=dict[str, int]) if row else {}
    start = clock.now() - timedelta(seconds=rate.seconds)
    oldest = clock.to_millis(start) // 1000 // SLOT
    used = sum(count for slot, count in slots.items() if int(slot) >= oldest)
    blocked = _moment(row[1]) if row else None
    if blocked is not None and blocked <= clock.now():
        blocked = None
    return Budget(used, rate.count, rate.seconds, blocked)

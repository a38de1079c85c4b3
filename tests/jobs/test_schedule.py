"""When what is due: arithmetic first, then the rows of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import TEST_KEY
from watchbook import connecting
from watchbook.addresses import AddressRule
from watchbook.clock import now, to_millis
from watchbook.errors import (
    AccountLocked,
    ArchiveDamaged,
    AuthorisationNeeded,
    RateLimited,
    RemoteUnavailable,
    StoreBusy,
    StoreFull,
    WatchbookError,
)
from watchbook.http import HttpClient
from watchbook.jobs import plan, schedule
from watchbook.jobs.port import Job, Kind
from watchbook.settings import load
from watchbook.store import accounts, due, grants, runs
from watchbook.store.due import Due
from watchbook.store.grants import Issue, Tokens
from watchbook.store.opening import Store

FIVE = timedelta(minutes=5)
MINUTE = 60_000
HOUR = 60 * MINUTE
MOMENT = 1_795_263_900_000


@given(
    account=st.integers(1, 10**6),
    period=st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=366)),
    slot=st.integers(MOMENT - 10**10, MOMENT),
    late=st.integers(0, 10**10),
)
def test_next_slot_lies_ahead_within_a_period(
    account: int, period: timedelta, slot: int, late: int
) -> None:
    """However late a slot was done, one next slot lies ahead: missed ones are not made up for."""
    length, moment = schedule.millis(period), slot + late
    found = schedule.next_slot(account, period, slot, moment)
    assert found > moment
    assert found <= moment + length
    again = schedule.next_slot(account, period, found, found)
    assert again == found + length


def test_slots_of_many_accounts_are_spread() -> None:
    """Of a thousand accounts no more than a few are due in the same second."""
    slots = [schedule.next_slot(n, FIVE, MOMENT, MOMENT) for n in range(1, 1001)]
    seconds = Counter(slot // 1000 for slot in slots)
    assert max(seconds.values()) <= 5


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (RemoteUnavailable("Trakt is away."), MOMENT + 5 * MINUTE),
        (StoreBusy("Somebody works on it."), MOMENT + MINUTE),
        (AuthorisationNeeded("Sign in again."), MOMENT + HOUR),
        (AccountLocked("Locked."), MOMENT + HOUR),
        (RateLimited("Too many."), MOMENT + 5 * MINUTE),
        (RateLimited("Too many.", retry_after=3.0), MOMENT + 5 * MINUTE),
        (RateLimited("Too many.", retry_after=900.0), MOMENT + 15 * MINUTE),
        (RateLimited("Too many.", retry_after=86_400.0), MOMENT + HOUR),
    ],
)
def test_failures_come_again_as_they_deserve(reason: WatchbookError, expected: int) -> None:
    """What passes waits for its next slot, what only a person can mend at least an hour."""
    assert schedule.after(reason, MOMENT + 5 * MINUTE, MOMENT) == expected


def test_failure_that_a_person_mends_waits_no_less_than_its_period() -> None:
    """A weekly backup is not tried every hour because the sign-in is gone."""
    weekly = MOMENT + 7 * 24 * HOUR
    assert schedule.after(AuthorisationNeeded("Sign in."), weekly, MOMENT) == weekly


@pytest.mark.parametrize(
    ("reason", "pause"),
    [
        (StoreFull("No room is left."), HOUR),
        (RemoteUnavailable("Trakt is away."), HOUR),
        (RateLimited("Too many.", retry_after=3.0), HOUR),
        (ArchiveDamaged("It cannot be read back."), 24 * HOUR),
    ],
)
def test_failed_backup_does_not_wait_for_a_week(reason: WatchbookError, pause: int) -> None:
    """What may pass by itself is tried again in an hour, anything else in a day."""
    assert schedule.after(reason, MOMENT + 7 * 24 * HOUR, MOMENT) == MOMENT + pause


def test_wait_that_trakt_asks_for_is_not_too_far() -> None:
    """The keeper does not take a slot that was put off for one of a longer period."""
    put_off = schedule.after(RateLimited("Too many.", retry_after=86_400.0), MOMENT, MOMENT)
    assert not schedule.is_too_far(put_off, FIVE, MOMENT)


def test_job_names_are_read_back() -> None:
    """A job's name says all there is to know of it."""
    job = Job(Kind.BACKUP, 12, MOMENT)
    assert job.id == f"backup-12-{MOMENT}"
    assert Job.of(job.id) == job


@pytest.fixture
def installation(store: Store, tmp_path: Path) -> Iterator[connecting.Installation]:
    """An installation without accounts, once on each database."""
    settings = load({}, tmp_path, {"home": str(tmp_path / "home"), "secret_key": TEST_KEY})
    with HttpClient(AddressRule()) as http:
        yield connecting.Installation(store, settings, http)


def account_of(installation: connecting.Installation, name: str, *, signed_in: bool) -> int:
    """A new account."""
    moment = now()
    tokens = Tokens(f"access-{name}", f"refresh-{name}")
    issue = Issue(tokens, moment, moment + timedelta(days=7), "app", "urn:x", "public", "test")
    with installation.store.database.write() as conn:
        account = accounts.add(conn, name)
        if signed_in:
            grants.save(conn, installation.store.sealer, account.id, issue)
    return account.id


def planned(installation: connecting.Installation) -> set[tuple[int, str]]:
    """The account and kind of every row, after the rows were brought up to date."""
    return {(row.account_id, row.kind) for row in plan.keep_rows(installation)}


def test_rows_follow_the_accounts(installation: connecting.Installation) -> None:
    """Who is signed in is synced and saved, who lives on exports is saved, others are left."""
    reads = account_of(installation, "sandra", signed_in=True)
    imports = account_of(installation, "tom", signed_in=False)
    account_of(installation, "new", signed_in=False)
    with installation.store.database.write() as conn:
        run = runs.start(conn, imports, "import")
        runs.finish(conn, run, runs.COMPLETE, "all is well")
    assert planned(installation) == {(reads, "sync"), (reads, "backup"), (imports, "backup")}
    with installation.store.database.write() as conn:
        grants.remove(conn, reads)
    assert planned(installation) == {(imports, "backup")}


def test_planning_twice_changes_nothing(installation: connecting.Installation) -> None:
    """Several keepers plan the same."""
    account_of(installation, "sandra", signed_in=True)
    assert plan.keep_rows(installation) == plan.keep_rows(installation)


def test_last_run_counts_for_the_first_slot(installation: connecting.Installation) -> None:
    """An account that cron has synced a minute ago is due a period after that."""
    account = account_of(installation, "sandra", signed_in=True)
    with installation.store.database.write() as conn:
        run = runs.start(conn, account, "sync")
        runs.finish(conn, run, runs.COMPLETE, "all is well")
    ahead = {row.kind: row.next_at - to_millis(now()) for row in plan.keep_rows(installation)}
    assert 4 * MINUTE < ahead["sync"] <= 5 * MINUTE
    assert ahead["backup"] <= MINUTE


def test_shorter_period_is_not_waited_for(installation: connecting.Installation) -> None:
    """Who changes a weekly sync to an hourly one has not to wait a week for it."""
    account = account_of(installation, "sandra", signed_in=True)
    far = to_millis(now()) + 6 * 24 * HOUR
    with installation.store.database.write() as conn:
        due.add(conn, [Due(account, "sync", far, None)])
        accounts.change(conn, account, sync_every="1h")
    row = next(row for row in plan.keep_rows(installation) if row.kind == "sync")
    assert row.next_at <= to_millis(now()) + 1.5 * HOUR + MINUTE


def row_of(store: Store) -> Due:
    """The only row there is."""
    with store.database.read() as conn:
        (row,) = due.all_rows(conn)
    return row


@pytest.fixture
def row(installation: connecting.Installation) -> Due:
    """A row that is due and not queued."""
    account = account_of(installation, "sandra", signed_in=True)
    row = Due(account, "sync", MOMENT, None)
    with installation.store.database.write() as conn:
        due.add(conn, [row])
    return row


def test_slot_is_left_once(installation: connecting.Installation, row: Due) -> None:
    """A job that was done twice leaves its slot once; what comes late changes nothing."""
    store = installation.store
    job = Due(row.account_id, "sync", MOMENT, "sync-1")
    with store.database.write() as conn:
        due.queued(conn, row, "sync-1")
        due.queued(conn, row, "sync-other")
        assert due.leave(conn, job, MOMENT + 1)
        assert not due.leave(conn, job, MOMENT + 2)
        due.queued(conn, row, "sync-1")
    assert row_of(store) == Due(row.account_id, "sync", MOMENT + 1, None)


def test_job_that_ends_before_its_row_names_it_leaves_its_slot(
    installation: connecting.Installation, row: Due
) -> None:
    """The engine may be quicker than whoever queues; what is written late changes nothing."""
    store = installation.store
    with store.database.write() as conn:
        assert due.leave(conn, Due(row.account_id, "sync", MOMENT, "sync-1"), MOMENT + 1)
        due.queued(conn, row, "sync-1")
    assert row_of(store) == Due(row.account_id, "sync", MOMENT + 1, None)


def test_connecting_makes_it_due(installation: connecting.Installation, row: Due) -> None:
    """What waits for a person goes on when that person has signed in, unless it is queued."""
    store, far = installation.store, MOMENT + HOUR
    with store.database.write() as conn:
        due.leave(conn, row, far)
        due.hasten(conn, row.account_id, "backup", MOMENT)
        assert due.all_rows(conn)[0].next_at == far
        due.hasten(conn, row.account_id, "sync", MOMENT)
        assert due.all_rows(conn)[0].next_at == MOMENT

"""A sync: what moved at Trakt is read, settled and judged, and the run says how it ended.

``last_activities`` comes first and is stored before anything else is read, so a change during
the run is seen by the next one. When nothing moved, that one request is all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from watchbook.clock import monotonic, now, to_millis
from watchbook.connecting import Installation, app_of
from watchbook.desk import Desk, Listener, Outcome, Reading, write_state
from watchbook.errors import (
    AccountLocked,
    NotOffered,
    RemoteChanged,
    RemoteUnavailable,
)
from watchbook.grants import TokenSource
from watchbook.ingest import keep_object, read_data_set
from watchbook.reconcile import read_history
from watchbook.steps import step
from watchbook.store import accounts, datasets, due, items, leases, runs
from watchbook.store.accounts import Account
from watchbook.store.budget import ReadBudget
from watchbook.store.database import Database
from watchbook.store.datasets import COMPLETE, INCOMPLETE, NEVER, UNAVAILABLE, DataSetState
from watchbook.store.leases import Holding
from watchbook.trakt.client import Patience, TraktClient, app_refused
from watchbook.trakt.datasets import BY_NAME, CATALOGUE, DataSet, Shape
from watchbook.trakt.paging import Page
from watchbook.trakt.parse import decode_any, lookup
from watchbook.verdict import SyncReport, judged

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FULL_PASS = timedelta(days=30)
LANES = 6
_ACTIVITIES = BY_NAME["user_last_activities"]
_FAILURES_IN_A_ROW = 3


@dataclass(frozen=True)
class SyncOptions:
    """What may be asked of a sync.

    One on a ``schedule`` looks again at most hourly at what Trakt leaves incomplete; ``job``
    names what of the schedule it is for.
    """

    full: bool = False
    accept_removals: bool = False
    schedule: bool = False
    job: str | None = None


@contextmanager
def client_of(
    installation: Installation, account: Account, patience: Patience | None = None
) -> Iterator[TraktClient]:
    """A client that reads for ``account``, within the budget that all its processes share.

    Its requests are counted apart, those for tokens included.
    """
    installation = replace(installation, http=installation.http.counting_apart())
    patience = patience or Patience()
    budget = ReadBudget(
        installation.store.database,
        account.id,
        installation.settings.trakt_budget,
        sleep=patience.sleep,
        on_wait=lambda seconds: patience.on_wait(seconds, "Trakt's rate limit"),
    )
    app = app_of(installation, account)
    try:
        yield TraktClient(
            installation.http,
            installation.settings.trakt_api_url,
            app.client_id if app else "",
            tokens=TokenSource(installation, account.id),
            budget=budget,
            patience=patience,
        )
    finally:
        budget.give_back()


def sync_account(
    database: Database,
    account: Account,
    client: TraktClient,
    listener: Listener,
    options: SyncOptions,
) -> SyncReport:
    """Bring the account's copy up to date.

    Raises StoreBusy when another process works on the account, and whatever stops a sync; that
    too is written down as the outcome of the run.
    """
    with leases.holding(database, f"account:{account.id}", f"a sync of {account.name}") as lease:
        return _sync_under(lease, account, client, listener, options)


def _sync_under(
    lease: Holding,
    account: Account,
    client: TraktClient,
    listener: Listener,
    options: SyncOptions,
) -> SyncReport:
    started, database = monotonic(), lease.database
    with lease.write() as conn:
        run_id = runs.start(conn, account.id, "sync", options.job)
    try:
        report = _sync(lease, account, client, listener, options)
    except BaseException as reason:
        runs.fail(database, run_id, reason, requests=client.requests)
        if isinstance(reason, AccountLocked):
            with database.write() as conn:
                accounts.change(conn, account.id, locked=reason.message)
        raise
    report.seconds = monotonic() - started
    report.requests = client.requests
    with lease.write() as conn:
        runs.finish(
            conn,
            run_id,
            report.outcome,
            report.words,
            requests=report.requests,
            report=report.as_data(),
        )
    step("sync.done")
    return report


def _sync(
    lease: Holding,
    account: Account,
    client: TraktClient,
    listener: Listener,
    options: SyncOptions,
) -> SyncReport:
    if account.locked and not options.full:
        raise AccountLocked(
            account.locked, hint="When Trakt has unlocked it, run `watchbook sync --full`."
        )
    with ThreadPoolExecutor(LANES, thread_name_prefix="lane") as executor:
        desk = Desk(
            lease.database,
            account.id,
            client,
            executor,
            LANES,
            listener,
            accept_removals=options.accept_removals,
            lease=lease,
        )
        try:
            return Sync(desk, account, options).run()
        except BaseException:
            client.stop()  # before the executor waits for lanes that may wait for minutes
            executor.shutdown(wait=False, cancel_futures=True)
            raise


class Sync:
    """One sync, from what moved to the verdict."""

    def __init__(self, desk: Desk, account: Account, options: SyncOptions) -> None:
        self._desk = desk
        self._account = account
        self._full = options.full or _full_pass_is_due(account)
        self._accept = options.accept_removals
        self._pause = HOUR if options.schedule else timedelta()
        self._failures: list[Outcome] = []
        self._report = SyncReport(account.name)
        with desk.database.read() as conn:
            self._states = datasets.all_states(conn, account.id)

    def run(self) -> SyncReport:
        """Do it all; see the module."""
        body, activities = self._activities()
        due = [r for r in self._top_readings(activities) if self._is_due(r)]
        if not due and not any(map(self._is_due, self._child_readings())):
            self._report.nothing_new = True
            return judged(self._desk.database, self._account.id, self._report)
        self._keep_activities(body, activities)
        self._read_all(due)
        self._read_all([r for r in self._child_readings() if self._is_due(r)])
        self._retire_orphans()
        self._remember()
        return judged(self._desk.database, self._account.id, self._report)

    def _activities(self) -> tuple[bytes, Mapping[str, Any]]:
        try:
            body = self._desk.client.get(_ACTIVITIES.path).body
        except NotOffered as reason:
            raise app_refused(reason) if reason.status == 403 else reason from None
        activities = decode_any(body)
        if not isinstance(activities, dict) or "all" not in activities:
            raise RemoteChanged(
                "Trakt does not say any more what moved.", service="Trakt", address=_ACTIVITIES.path
            )
        return body, activities

    def _keep_activities(self, body: bytes, activities: Mapping[str, Any]) -> None:
        reading = self._reading(_ACTIVITIES, _ACTIVITIES.name, _ACTIVITIES.path, activities)
        outcome = Outcome(reading.name)
        keep_object(self._desk, reading, outcome, body)
        write_state(self._desk, reading, outcome)
        step("sync.activities.stored")

    def _top_readings(self, activities: Mapping[str, Any]) -> Iterator[Reading]:
        """Readings of the data sets that do not belong to a row of another."""
        today = now().date().isoformat()
        for line in CATALOGUE:
            if line.parent is None and line is not _ACTIVITIES:
                path = line.path.replace("{today}", today)
                yield self._reading(line, line.name, path, activities)

    def _reading(
        self, line: DataSet, name: str, path: str, activities: Mapping[str, Any]
    ) -> Reading:
        values = [lookup(activities, path) for path in line.guard]
        guard = msgspec.json.encode(values).decode() if line.guard else None
        return Reading(line, name, path, self._state(name), guard)

    def _state(self, name: str) -> DataSetState:
        return self._states.get(name) or DataSetState(name)

    def _child_readings(self) -> Iterator[Reading]:
        """Readings of the data sets that belong to the rows of others, as stored now."""
        for line in CATALOGUE:
            if line.parent is not None:
                with self._desk.database.read() as conn:
                    parents = list(items.raws(conn, self._account.id, line.parent.data_set))
                for _, raw in parents:
                    reading = self._child_reading(line, decode_any(raw.encode()))
                    if reading is not None:
                        yield reading

    def _child_reading(self, line: DataSet, row: Mapping[str, Any]) -> Reading | None:
        """The reading of one parent's rows; None when there is nothing to keep of it."""
        parent = line.parent
        assert parent is not None
        found = {name: lookup(row, field) for name, field in parent.fields.items()}
        if any(value is None for value in found.values()):
            return None
        name = f"{line.name}/{found['id']}"
        count = lookup(row, parent.count) if parent.count else None
        if count == 0 and not parent.always and name not in self._states:
            return None
        guard = msgspec.json.encode([lookup(row, path) for path in parent.version]).decode()
        promised = count if isinstance(count, int) else None
        path = line.path.format_map(found)
        return Reading(line, name, path, self._state(name), guard, promised)

    def _is_due(self, reading: Reading) -> bool:
        state = reading.before
        if self._full or state.state == NEVER or state.guard != reading.guard:
            return True
        if state.held and self._accept:
            return True
        if state.position is not None and not state.held:
            return True
        if state.state == INCOMPLETE and not state.held:
            return (state.tried_at or 0) <= to_millis(now() - self._pause)
        # What vanished or was refused without a timestamp may come back without one.
        daily = reading.data_set.unguarded or state.held or state.state == UNAVAILABLE
        return bool(daily) and (state.tried_at or 0) < to_millis(now() - DAY)

    def _read_all(self, due: list[Reading]) -> None:
        """Read data sets in order; their first pages come through the lanes ahead of time."""
        firsts = {reading.name: self._desk.first_page(reading) for reading in due}
        try:
            for reading in due:
                outcome = self._read(reading, firsts.pop(reading.name))
                self._report.data_sets.append(outcome)
                self._states[outcome.name] = self._reload(outcome.name)
                self._stop_when_all_fails(outcome)
        finally:
            for future in firsts.values():
                future.cancel()

    def _read(self, reading: Reading, first: Future[Page]) -> Outcome:
        if reading.data_set.shape is Shape.PLAYS:
            return read_history(self._desk, reading, first, full=self._full)
        return read_data_set(self._desk, reading, first)

    def _reload(self, name: str) -> DataSetState:
        with self._desk.database.read() as conn:
            return datasets.find(conn, self._account.id, name)

    def _stop_when_all_fails(self, outcome: Outcome) -> None:
        """Give up when one data set after the other fails: then it is not the data sets."""
        self._failures = [*self._failures, outcome] if outcome.failed else []
        if len(self._failures) < _FAILURES_IN_A_ROW:
            return
        if all(failure.state == UNAVAILABLE for failure in self._failures):
            raise app_refused(NotOffered(outcome.words, service="Trakt", status=403))
        raise RemoteUnavailable(
            f"Trakt fails again and again ({outcome.name} {outcome.words})",
            service="Trakt",
            hint="Run it again later; what was read is kept.",
        )

    def _retire_orphans(self) -> None:
        """Mark removed what belonged to a row (such as a list) that is removed itself."""
        living = {reading.name for reading in self._child_readings()}
        moment = to_millis(now())
        for name, state in self._states.items():
            line = BY_NAME.get(name.partition("/")[0])
            if line is None or line.parent is None or name in living:
                continue
            retired = state.state == COMPLETE and not state.kept
            if self._state(line.parent.data_set).state != COMPLETE or retired:
                continue
            with self._desk.write() as conn:
                items.mark_all_removed(conn, self._account.id, name, moment)
                gone = DataSetState(
                    name,
                    COMPLETE,
                    "removed at Trakt",
                    state.guard,
                    kept=0,
                    claimed=0,
                    generation=state.generation,
                    read_at=state.read_at,
                    tried_at=moment,
                )
                datasets.save(conn, self._account.id, gone)

    def _remember(self) -> None:
        """Keep what the account's own row says about itself."""
        changes: dict[str, object] = {"locked": None}
        if self._full or self._account.full_read_at is None:
            changes["full_read_at"] = to_millis(now())
        with self._desk.write() as conn:
            settings = items.raw(conn, self._account.id, "user_settings")
            found = decode_any(settings.encode()) if settings else {}
            if zone := lookup(found, "account.timezone"):
                changes["timezone"] = str(zone)
            if slug := lookup(found, "user.ids.slug"):
                changes["trakt_slug"] = str(slug)
            accounts.change(conn, self._account.id, **changes)
            due.hasten(conn, self._account.id, "pictures", to_millis(now()))


def _full_pass_is_due(account: Account) -> bool:
    read_at = account.full_read_at
    return read_at is not None and read_at < to_millis(now() - FULL_PASS)

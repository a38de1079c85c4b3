"""Taking in Trakt's export: the door for accounts without an app, and beside the API for others.

One transaction takes in one export, so a broken file leaves nothing behind. Exports are ordered
by their own ``last_activities``, not by when they are imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from watchbook.clock import counted, from_iso, monotonic, now, to_millis
from watchbook.desk import Listener
from watchbook.errors import InputError
from watchbook.exports.trakt_zip import TraktExport, open_export
from watchbook.intake import Intake, Order
from watchbook.steps import step
from watchbook.store import accounts, items, leases, runs
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.trakt.parse import decode_any, lookup
from watchbook.verdict import SyncReport, judged

NEW_ACCOUNT = "account:new"
_NEWS = ("added", "changed", "removed", "gone")
_BEFORE_ALL = datetime.min.replace(tzinfo=now().tzinfo)


@dataclass
class ImportReport(SyncReport):
    """How an import ended; ``order`` says how the export stands to what was known before."""

    file: str = ""
    order: str = ""
    source: str = "archive"
    """What the file was: an ``export`` of Trakt's, or an ``archive`` of ours."""
    failures: list[str] = field(default_factory=list)
    """What Trakt's own exporter could not read."""


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Exports from the oldest to the newest by their own time, those without one last."""
    dated = []
    for path in paths:
        with open_export(path) as export:
            dated.append((export.moment is None, export.moment or _BEFORE_ALL, path))
    return [path for _, _, path in sorted(dated)]


def import_export(
    database: Database,
    path: Path,
    wanted: str | None,
    listener: Listener,
    *,
    accept_removals: bool = False,
) -> ImportReport:
    """Take in the export at ``path``, for the account ``wanted`` or the one that it belongs to.

    Makes the first account, or one called ``wanted``. Raises InputError (another person's, or
    no export of Trakt), ArchiveDamaged, ArchiveUnsafe, StoreBusy and StoreError; the store is
    then as it was.
    """
    with open_export(path) as export:
        importing = _Import(database, export, wanted, listener, accept_removals)
        with database.read() as conn:
            account = account_of(conn, wanted, export)
        name = f"account:{account.id}" if account else NEW_ACCOUNT
        whose = account.name if account else export.owner.slug
        with leases.holding(database, name, f"an import for {whose}"):
            return importing.run(account)


def account_of(conn: sa.Connection, wanted: str | None, export: TraktExport) -> Account | None:
    """The account that an export is for; None when it is still to be made.

    Raises InputError, naming both, when the export is of another Trakt user.
    """
    owner = export.owner
    known = accounts.all_accounts(conn)
    theirs = accounts.of_user(conn, owner.slug, owner.uuid)
    if wanted is None:
        nobodys = next((a for a in known if a.trakt_slug is None and len(known) == 1), None)
        if theirs or nobodys or not known:
            return theirs or nobodys
        raise _stranger(export, " or ".join(account.name for account in known))
    target = accounts.find(conn, wanted)
    if theirs is not None and (target is None or target.id != theirs.id):
        raise _stranger(export, wanted, belongs=theirs.name)
    if target and target.trakt_slug is not None and not target.is_of(owner.slug, owner.uuid):
        raise _stranger(export, f"{target.name} (Trakt user {target.trakt_slug})")
    return target


def _stranger(export: TraktExport, account: str, belongs: str | None = None) -> InputError:
    whose = f", who has the account {belongs} here" if belongs else ""
    return InputError(
        f"{export.label} is of the Trakt user {export.owner.slug}{whose}, "
        f"but the account is {account}. Nothing of it was imported.",
        hint="Give another user a book of their own: `watchbook --account NAME import FILE`.",
    )


@dataclass
class _Import:
    """One export on its way into the store."""

    database: Database
    export: TraktExport
    wanted: str | None
    listener: Listener
    accept_removals: bool

    def run(self, account: Account | None) -> ImportReport:
        """Take it in and write down how it ended."""
        started = monotonic()
        run_id = self._start(account)
        try:
            account, run_id, report = self._take_in(run_id)
        except BaseException as reason:
            if run_id is not None:
                runs.fail(self.database, run_id, reason, about=f"{self.export.label}: ")
            raise
        step("import.committed")
        judged(self.database, account.id, report)
        report.seconds = monotonic() - started
        with self.database.write() as conn:
            runs.finish(conn, run_id, report.outcome, report.words, report=report.as_data())
        return report

    def _start(self, account: Account | None) -> int | None:
        if account is None:
            return None
        with self.database.write() as conn:
            return runs.start(conn, account.id, "import")

    def _take_in(self, run_id: int | None) -> tuple[Account, int, ImportReport]:
        """The one transaction in which everything is taken in."""
        with self.database.write(durable=True) as conn:
            account = account_of(conn, self.wanted, self.export) or self._make_account(conn)
            if run_id is None:
                run_id = runs.start(conn, account.id, "import")
            order = _order(conn, account, self.export)
            moment = to_millis(now())
            intake = Intake(
                conn,
                account.id,
                self.export,
                order,
                moment,
                self.listener,
                accept_removals=self.accept_removals,
            )
            report = ImportReport(
                account.name, file=self.export.label, order=order.value, source="export"
            )
            report.data_sets = intake.run()
            report.notes = _notes(self.export, order) + _of_absent_rows(report)
            report.failures = [failure.words for failure in self.export.failures]
            report.nothing_new = not any(map(report.total, _NEWS))
            self._adopt(conn, account, order)
            step("import.taken")
        return account, run_id, report

    def _make_account(self, conn: sa.Connection) -> Account:
        return accounts.add(conn, accounts.name_for(self.wanted, self.export.owner.slug))

    def _adopt(self, conn: sa.Connection, account: Account, order: Order) -> None:
        """Write down who the account is at Trakt, as far as the export knows it better."""
        owner = self.export.owner
        newer = order is Order.NEWER
        values = {
            "trakt_slug": owner.slug if newer else account.trakt_slug or owner.slug,
            "trakt_uuid": account.trakt_uuid or owner.uuid,
            "timezone": (newer and owner.timezone) or account.timezone or owner.timezone,
        }
        accounts.change(conn, account.id, **values)


def _order(conn: sa.Connection, account: Account, export: TraktExport) -> Order:
    """How the export stands to what was read last, by when anything had moved at Trakt."""
    known = items.raw(conn, account.id, "user_last_activities")
    latest = lookup(decode_any(known.encode()), "all") if known else None
    if latest is None:
        return Order.NEWER
    moment, before = export.moment, from_iso(str(latest))
    if moment is None or moment < before:
        return Order.OLDER
    return Order.NEWER if moment > before else Order.SAME


def _notes(export: TraktExport, order: Order) -> list[str]:
    notes = []
    if export.moment is None:
        notes.append(f"{export.label} does not say when it was made")
    if order is Order.OLDER:
        notes.append(
            f"{export.label} is older than what is known; only plays never heard of were taken"
        )
    if export.strange:
        notes.append(f"passed over: {', '.join(export.strange[:5])}")
    return notes


def _of_absent_rows(report: ImportReport) -> list[str]:
    """What is said of rows that the export lacks, and of those that only it has."""
    missing: Counter[str] = Counter()
    for outcome in report.data_sets:
        missing[outcome.name.partition("/")[0]] += outcome.missing
    notes = [
        f"{counted(number, 'row')} of {name} {'is' if number == 1 else 'are'} not in this export; "
        "what the next one lacks too counts as gone"
        for name, number in missing.items()
        if number
    ]
    if gone := report.total("gone"):
        are, were = ("is", "was") if gone == 1 else ("are", "were")
        notes.append(f"{counted(gone, 'play')} that {are} gone at Trakt {were} taken in as such")
    return notes

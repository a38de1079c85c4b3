"""Reading an account's archive back in: into an account that holds nothing yet, row for row.

Every byte is verified before anything is taken, and one transaction takes everything or nothing.
The archive says whose it is; what an account holds is never mixed with what an archive held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from watchbook.archive.filling import Filling
from watchbook.archive.layout import trakt_layouts
from watchbook.archive.manifest import ACCOUNT_FORMAT, COMPLETE, AccountEntry, Manifest
from watchbook.archive.spool import Spool
from watchbook.archive.survey import surveyed
from watchbook.archive.verify import manifest_of, verify_archive
from watchbook.clock import counted, monotonic
from watchbook.desk import Listener, Outcome
from watchbook.errors import InputError
from watchbook.files import make_private_folder
from watchbook.importing import NEW_ACCOUNT, ImportReport
from watchbook.intake import Order
from watchbook.sharing import Part
from watchbook.steps import step
from watchbook.store import accounts, leases, plays, runs
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.schema import data_sets, items, rejects
from watchbook.store.schema import plays as plays_table

_ELSEWHERE = "Import it into a fresh WATCHBOOK_HOME, or make room with `watchbook account remove`."


def is_account_archive(path: Path) -> bool:
    """Whether an archive is that of an account; raises ArchiveDamaged and ArchiveUnsafe."""
    return manifest_of(path).format == ACCOUNT_FORMAT


def newest_first(paths: list[Path]) -> list[Path]:
    """Archives by when they were written: of several of one account the newest comes first."""
    if len(paths) < 2:  # reading through a long one takes a moment
        return paths
    return sorted(paths, key=lambda path: manifest_of(path).created_at, reverse=True)


def import_archive(
    store: Store, path: Path, wanted: str | None, listener: Listener
) -> ImportReport:
    """Rebuild the account of the archive at ``path``, called ``wanted`` or as it was.

    Where the account holds exactly that already, nothing is changed. Raises InputError (it holds
    something else, or the archive is another person's or of another kind), ArchiveDamaged,
    ArchiveUnsafe, StoreBusy and StoreError; the store is then as it was.
    """
    make_private_folder(store.home)
    with Spool(store.home) as spool:
        manifest = verify_archive(path, spool=spool).manifest
        if manifest.format != ACCOUNT_FORMAT or manifest.account is None:
            raise InputError(
                f"{path.name} is not the archive of an account.",
                hint="Its name tells: backup-….tar.gz is one, instance-….tar.gz is not.",
            )
        reading = _ReadingBack(store, manifest, manifest.account, spool, wanted, listener)
        with store.database.read() as conn:
            account = reading.account(conn)
        name = f"account:{account.id}" if account else NEW_ACCOUNT
        whose = account.name if account else reading.name
        with leases.holding(store.database, name, f"an import for {whose}"):
            with store.database.read() as conn:
                account = reading.account(conn)  # another import may have made it meanwhile
            return reading.run(account)


@dataclass(frozen=True)
class _ReadingBack:
    """One verified archive on its way into the store."""

    store: Store
    manifest: Manifest
    entry: AccountEntry
    spool: Spool
    wanted: str | None
    listener: Listener

    @property
    def name(self) -> str:
        """What the account is called, if it is to be made."""
        return accounts.name_from(self.entry.name) if self.wanted is None else self.wanted

    @property
    def label(self) -> str:
        """The archive's own name, whatever its file is called now."""
        return f"{self.manifest.name}.tar.gz"

    def account(self, conn: sa.Connection) -> Account | None:
        """The account that the archive is of; None when it is still to be made.

        Raises InputError, naming both, when that is somebody else than asked for.
        """
        theirs = next((one for one in accounts.all_accounts(conn) if self._is_ours(one)), None)
        target = accounts.find(conn, self.name)
        if self.wanted is None and theirs is not None:
            return theirs
        if theirs is not None and theirs != target:
            raise self._stranger(self.name, belongs=theirs.name)
        if target is None or target == theirs:
            return target
        if target.trakt_slug is not None and self.entry.trakt_slug is not None:
            raise self._stranger(f"{target.name} (Trakt user {target.trakt_slug})")
        return target

    def _is_ours(self, account: Account) -> bool:
        slug = self.entry.trakt_slug
        return slug is not None and account.is_of(slug, self.entry.trakt_uuid)

    def _stranger(self, account: str, belongs: str | None = None) -> InputError:
        whose = f", who has the account {belongs} here" if belongs else ""
        return InputError(
            f"{self.label} is of the Trakt user {self.entry.trakt_slug}{whose}, "
            f"but the account is {account}. Nothing of it was imported.",
            hint="Give another user a book of their own: `watchbook --account NAME import FILE`.",
        )

    def run(self, account: Account | None) -> ImportReport:
        """Take the archive in and write down how it ended."""
        started = monotonic()
        if account is not None and self._is_held_by(account):
            return self._nothing_new(account)
        run_id = self._start(account)
        try:
            account, run_id, report = self._take_in(run_id)
        except BaseException as reason:
            if run_id is not None:
                runs.fail(self.store.database, run_id, reason, about=f"{self.label}: ")
            raise
        step("import.committed")
        report.seconds = monotonic() - started
        self._finish(run_id, report)
        return report

    def _is_held_by(self, account: Account) -> bool:
        """Whether the account holds just what the archive does; raises InputError if it differs."""
        with self.store.database.read() as conn:
            if not _holds_rows(conn, account):
                return False
        with surveyed(self.store.database, account, trakt_layouts) as survey:
            same = survey.content == self.manifest.content
        if not same:
            raise _refused(self.label, account)
        return True

    def _nothing_new(self, account: Account) -> ImportReport:
        run_id = self._start(account)
        with self.store.database.read() as conn:
            report = self._report(conn, account, Order.SAME)
        report.nothing_new = True
        report.outcome = COMPLETE
        report.words = f"{account.name} holds what is in {self.label} already; nothing changed"
        self._finish(run_id, report)
        return report

    def _start(self, account: Account | None) -> int | None:
        if account is None:
            return None
        with self.store.database.write() as conn:
            return runs.start(conn, account.id, "import")

    def _finish(self, run_id: int | None, report: ImportReport) -> None:
        assert run_id is not None
        with self.store.database.write() as conn:
            runs.finish(conn, run_id, report.outcome, report.words, report=report.as_data())

    def _take_in(self, run_id: int | None) -> tuple[Account, int, ImportReport]:
        """The one transaction in which everything is taken in."""
        with self.store.database.write(durable=True) as conn:
            account = self.account(conn) or accounts.add(conn, accounts.checked_name(self.name))
            if _holds_rows(conn, account):
                raise _refused(self.label, account)
            if run_id is None:
                run_id = runs.start(conn, account.id, "import")
            identity = {
                "trakt_slug": account.trakt_slug or self.entry.trakt_slug,
                "trakt_uuid": account.trakt_uuid or self.entry.trakt_uuid,
            }
            accounts.change(conn, account.id, **identity)
            conn.execute(sa.delete(data_sets).where(data_sets.c.account_id == account.id))
            filling = Filling(conn, account.id, self.manifest, self.spool, self.listener)
            passed = filling.run()
            report = self._report(conn, account, Order.NEWER)
            report.notes += _of_shared(filling.shared)
            if passed:
                report.notes.append(f"only a newer Watchbook can read {', '.join(passed)}")
            step("import.taken")
        return account, run_id, report

    def _report(self, conn: sa.Connection, account: Account, order: Order) -> ImportReport:
        """What the archive holds; with a newer one all of it is new."""
        manifest = self.manifest
        report = ImportReport(account.name, file=self.label, order=order.value)
        report.outcome = manifest.verdict
        report.plays = plays.count(conn, account.id)
        report.words = _words(manifest, report.plays)
        report.data_sets = [
            Outcome(
                entry.name,
                entry.verdict,
                entry.words or "",
                kept=entry.rows,
                claimed=entry.claimed,
                added=entry.rows if order is Order.NEWER else 0,
                rejected=entry.rejected,
            )
            for entry in manifest.data_sets
        ]
        gone = manifest.counts.get("removed", 0)
        if gone and order is Order.NEWER:
            report.notes.append(f"{counted(gone, 'row')} gone at Trakt came along")
        return report


def _of_shared(parts: Sequence[str]) -> list[str]:
    """What is said of parts that were public: a book that was read back is its owner's alone."""
    known = " ".join(part for part in Part if part in parts)
    if not known:
        return []
    return [f"nothing of it is public; `watchbook share on {known}` shows again what was"]


def _words(manifest: Manifest, kept: int) -> str:
    if manifest.verdict != COMPLETE:
        return f"incomplete, as the archive is: {'; '.join(manifest.words)}"
    return f"complete: {counted(kept, 'play')}, {counted(len(manifest.data_sets), 'data set')}"


def _holds_rows(conn: sa.Connection, account: Account) -> bool:
    """Whether anything at all was kept for the account."""
    queries = (
        sa.select(sa.literal(1)).where(table.c.account_id == account.id).limit(1)
        for table in (plays_table, items, rejects)
    )
    return any(conn.scalar(query) is not None for query in queries)


def _refused(label: str, account: Account) -> InputError:
    return InputError(
        f"{account.name} holds something else than {label} already; an archive is read back into "
        "an empty account only. Nothing was imported.",
        hint=_ELSEWHERE,
    )

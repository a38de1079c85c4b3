"""Backups as they are run: under the account's lease, each leaving a run that says how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from watchbook.archive import ledger
from watchbook.archive.instance import save_instance
from watchbook.archive.layout import Layouts, trakt_layouts
from watchbook.archive.ledger import DAMAGED, GONE, UNRECORDED, Archive, Checked
from watchbook.archive.verify import Verification
from watchbook.archive.write import WrittenArchive, write_archive
from watchbook.errors import StoreBusy
from watchbook.settings import Settings
from watchbook.store import accounts, leases, runs
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.opening import Store

Write = Callable[..., AbstractContextManager[sa.Connection]]
"""Opens a transaction, ``durable`` or not: that of a database, or of a lease that is held."""

_PURPOSES = {
    "backup": "a backup",
    "verify": "a check of the backups",
    "prune": "a pruning of the backups",
}
_LOST_HINT = "Run `watchbook backup` to write a new archive."
_INCOMPLETE_HINT = "Run `watchbook sync`, then `watchbook backup` again."


def backups_folder(home: Path) -> Path:
    """Where archives lie."""
    return home / "backups"


def recipients_for(settings: Settings, account: Account) -> tuple[str, ...]:
    """Who the settings encrypt the account's archives to: they speak of the owner's only."""
    return settings.encrypt_to if account.owner else ()


def back_up(
    store: Store,
    account: Account,
    *,
    force: bool = False,
    recipients: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
    layouts: Layouts = trakt_layouts,
    job: str | None = None,
) -> WrittenArchive:
    """Write or verify the account's archive; raises StoreBusy and StoreError.

    It is encrypted to ``recipients`` (see :func:`recipients_for`), if there are any.
    ``job`` names what of the schedule it is for.
    """
    folder = backups_folder(store.home)
    with leased_run(store.database, account, "backup", job) as run:
        written = write_archive(
            store,
            account,
            folder,
            force=force,
            recipients=recipients,
            progress=progress,
            layouts=layouts,
        )
        name = written.archive.name
        said = f"{name} holds the same, verified again" if written.unchanged else f"{name} written"
        run.words = f"{written.lost.words} {said}" if written.lost else said
        if not written.complete:
            run.outcome, run.hint = runs.INCOMPLETE, _INCOMPLETE_HINT
            run.words += f"; incomplete: {written.archive.words}"
    return written


def list_archives(store: Store, account: Account) -> tuple[list[Archive], list[tuple[str, str]]]:
    """All archives of an account, newest first, and files that look like one and are none.

    What a killed run left is taken up first, unless somebody works on the account just now.
    """
    strange = []
    with (
        suppress(StoreBusy),
        leases.holding(store.database, f"account:{account.id}", f"the backups of {account.name}"),
    ):
        strange = ledger.tidy(store.database, account, backups_folder(store.home))
    with store.database.read() as conn:
        return ledger.recorded(conn, account), strange


def check_all(store: Store, account: Account) -> list[tuple[Archive, Checked]]:
    """Verify every recorded archive of the account, newest first, and write down how it stood."""
    folder = backups_folder(store.home)
    with leased_run(store.database, account, "verify") as run:
        strange = ledger.tidy(store.database, account, folder)
        with store.database.read() as conn:
            known = ledger.recorded(conn, account)
        checked = [(one, ledger.check(store.database, one, folder)) for one in known]
        bad = [words for _, words in strange if words != UNRECORDED]
        bad += [str(found.words) for _, found in checked if found.outcome == DAMAGED]
        gone = sum(found.outcome == GONE for _, found in checked)
        known_not = [f"{name}: {words}" for name, words in strange if words == UNRECORDED]
        run.words = "; ".join([f"{len(checked) - gone} looked at, {gone} gone", *known_not])
        if bad:
            run.outcome, run.hint = runs.FAILED, _LOST_HINT
            run.words = "; ".join([*bad, *known_not])
    return checked


def check_one(store: Store, account: Account, archive: Archive) -> Checked:
    """Verify one recorded archive and write down how it stood."""
    with leased_run(store.database, account, "verify") as run:
        checked = ledger.check(store.database, archive, backups_folder(store.home))
        run.words = checked.words or f"{archive.name} is whole"
        if not checked.whole:
            run.outcome, run.hint = runs.FAILED, _LOST_HINT
    return checked


def back_up_instance(store: Store, recipients: Sequence[str] = ()) -> tuple[Path, Verification]:
    """Save the whole installation; the run is written under the owner's account."""
    folder = backups_folder(store.home)
    with store.database.read() as conn:
        known = accounts.all_accounts(conn)
    if not known:
        return save_instance(store, folder, recipients)
    with written_run(store.database, store.database.write, known[0], "instance") as run:
        path, found = save_instance(store, folder, recipients)
        run.words = f"{path.name} written"
    return path, found


@dataclass
class _Run:
    write: Write
    words: str = ""
    outcome: str = runs.COMPLETE
    hint: str | None = None


@contextmanager
def leased_run(
    database: Database, account: Account, kind: str, job: str | None = None
) -> Iterator[_Run]:
    """A run under the account's lease, written down however it ends; raises StoreBusy."""
    purpose = f"{_PURPOSES[kind]} of {account.name}"
    with (
        leases.holding(database, f"account:{account.id}", purpose) as lease,
        written_run(database, lease.write, account, kind, job) as run,
    ):
        yield run


@contextmanager
def written_run(
    database: Database, write: Write, account: Account, kind: str, job: str | None = None
) -> Iterator[_Run]:
    """A run that is written down however it ends."""
    with write() as conn:
        run_id = runs.start(conn, account.id, kind, job)
    run = _Run(write)
    try:
        yield run
    except BaseException as reason:
        runs.fail(database, run_id, reason)
        raise
    with write() as conn:
        runs.finish(conn, run_id, run.outcome, run.words, hint=run.hint)

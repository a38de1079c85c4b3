"""Pruning: deleting archives that the keep rule does not ask for, never the latest good one.

There are two series: an account's archives, which the ledger knows, and the copies of the whole
installation, which are told by their names. Nothing is deleted before the one that stays as the
latest good has been read to its last byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from watchbook.archive import ledger
from watchbook.archive.backup import (
    Write,
    backups_folder,
    leased_run,
    list_archives,
    written_run,
)
from watchbook.archive.encryption import SUFFIX, check_digest
from watchbook.archive.instance import LEASE
from watchbook.archive.keep import Candidate, kept
from watchbook.archive.ledger import STAMP, Archive
from watchbook.archive.verify import beside_of, verify_archive
from watchbook.clock import counted, from_iso, from_millis
from watchbook.errors import ArchiveDamaged, ArchiveError
from watchbook.files import file_errors, sync_folder
from watchbook.settings import Settings
from watchbook.steps import step
from watchbook.store import accounts, leases
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.values import KeepRule, keep_rule

NOT_GOOD = "not good, and a newer one is"
NOT_ASKED_FOR = "the rule does not ask for it"

_INSTANCE = re.compile(rf"instance-({STAMP})\.tar\.gz({re.escape(SUFFIX)})?")
_NOTHING_PRUNED = "Nothing was deleted. Run `watchbook backup{}` for a new one, then prune again."


@dataclass(frozen=True)
class Judged:
    """An archive of a series, with the reason why it stays or goes, and its size on the disk."""

    name: str
    reason: str
    bytes: int


@dataclass(frozen=True)
class Pruned:
    """What stays of one series and what went (would go, in a dry run), newest first."""

    stays: Sequence[Judged]
    goes: Sequence[Judged]

    @property
    def bytes(self) -> int:
        """The room that is free now, or would be."""
        return sum(one.bytes for one in self.goes)

    @property
    def words(self) -> str:
        """``4 archives deleted, 12 kept``."""
        return f"{counted(len(self.goes), 'archive')} deleted, {len(self.stays):,} kept"


def rule_for(settings: Settings, account: Account) -> KeepRule:
    """The account's own rule, else that of the installation."""
    return keep_rule(account.keep) if account.keep else settings.keep


def prune(
    store: Store,
    account: Account,
    rule: KeepRule,
    *,
    dry_run: bool = False,
    job: str | None = None,
) -> Pruned:
    """Delete those archives of ``account`` that ``rule`` does not ask for.

    An archive that is not on this machine's disk is left alone and keeps no place. ``job`` names
    what of the schedule it is for. Raises ArchiveDamaged when the latest good archive is not as
    it was written or every one is gone (then nothing is deleted), StoreBusy and StoreError.
    """
    folder = backups_folder(store.home)
    if dry_run:
        known, _ = list_archives(store, account)
        plan = _plan_of_account(known, folder, rule, account)
        _refuse_none_left(known, plan)
        if plan.goes and (best := ledger.newest_good(known)) and not _as_written(best, folder):
            raise _not_there(best.name)
        return plan
    with leased_run(store.database, account, "prune", job) as run:
        ledger.tidy(store.database, account, folder)
        with store.database.read() as conn:
            known = ledger.recorded(conn, account)
        plan = _plan_of_account(known, folder, rule, account)
        _refuse_none_left(known, plan)
        if plan.goes:
            _make_sure(store, known, folder)
            _delete_recorded(run.write, folder, [one.name for one in plan.goes])
        run.words = plan.words
    return plan


def prune_instance(store: Store, rule: KeepRule, *, dry_run: bool = False) -> Pruned:
    """Delete those copies of the whole installation that ``rule`` does not ask for.

    The run is written under the owner's account, by whose clock days begin. Raises what
    :func:`prune` does.
    """
    folder = backups_folder(store.home)
    with store.database.read() as conn:
        owner = next(iter(accounts.all_accounts(conn)), None)
    if dry_run:
        return _plan_of_instance(folder, rule, owner)
    purpose = "a pruning of the copies of the installation"
    with leases.holding(store.database, LEASE, purpose) as lease:
        if owner is None:
            return _prune_copies(folder, rule, None, lease)
        with written_run(store.database, lease.write, owner, "prune-instance") as run:
            plan = _prune_copies(folder, rule, owner, lease)
            run.words = plan.words
        return plan


def _prune_copies(
    folder: Path, rule: KeepRule, owner: Account | None, lease: leases.Holding
) -> Pruned:
    plan = _plan_of_instance(folder, rule, owner)
    if plan.goes:
        _verify_copy(folder / plan.stays[0].name)
        lease.check()
        _delete_files(folder, [one.name for one in plan.goes])
    return plan


def _plan_of_account(
    known: Iterable[Archive], folder: Path, rule: KeepRule, account: Account
) -> Pruned:
    there = [archive for archive in known if (folder / archive.name).exists()]
    candidates = [
        Candidate(one.name, from_millis(one.written_at), one.good and _as_written(one, folder))
        for one in there
    ]
    return _plan(candidates, folder, rule, account.zone)


def _plan_of_instance(folder: Path, rule: KeepRule, owner: Account | None) -> Pruned:
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    found = [(name, moment) for name in names if (moment := _made_at(name))]
    candidates = [Candidate(name, moment, good=True) for name, moment in found]
    return _plan(candidates, folder, rule, owner.zone if owner else None)


def _made_at(name: str) -> datetime | None:
    """When a copy of the installation was made, by its name; None when it is no such name."""
    match = _INSTANCE.fullmatch(name)
    with suppress(ValueError):
        return from_iso(match[1]) if match else None
    return None


def _plan(
    candidates: Sequence[Candidate], folder: Path, rule: KeepRule, zone: tzinfo | None
) -> Pruned:
    stays = kept(candidates, rule, zone)
    newest_first = sorted(candidates, key=lambda one: (one.written_at, one.name), reverse=True)
    judged = [
        Judged(
            one.name,
            stays.get(one.name) or (NOT_ASKED_FOR if one.good else NOT_GOOD),
            _size(folder / one.name),
        )
        for one in newest_first
    ]
    return Pruned(
        [one for one in judged if one.name in stays],
        [one for one in judged if one.name not in stays],
    )


def _size(path: Path) -> int:
    """Bytes of an archive, as the list of archives shows them."""
    with file_errors(path):
        return path.stat().st_size if path.exists() else 0


def _as_written(archive: Archive, folder: Path) -> bool:
    path = folder / archive.name
    with file_errors(path):
        return path.exists() and path.stat().st_size == archive.bytes


def _make_sure(store: Store, known: Sequence[Archive], folder: Path) -> None:
    """Read the latest good archive to its last byte: no check of before is proof enough."""
    best = ledger.newest_good(known)
    if best is None:
        return
    checked = ledger.check(store.database, best, folder)
    if not checked.whole:
        hint = _NOTHING_PRUNED.format("")
        raise ArchiveDamaged(checked.words or f"{best.name} is damaged.", hint=hint)


def _refuse_none_left(known: Sequence[Archive], plan: Pruned) -> None:
    if known and not plan.stays:
        raise ArchiveDamaged(
            "No archive is left where they were written.",
            hint="Run `watchbook backup` to write a new one.",
        )


def _not_there(name: str) -> ArchiveDamaged:
    return ArchiveDamaged(
        f"{name}, the latest good archive, is not in its place as it was written.",
        hint=_NOTHING_PRUNED.format(""),
    )


def _verify_copy(path: Path) -> None:
    """Read the newest copy of the installation: there is no ledger that says how it stood."""
    try:
        beside = (check_digest if path.name.endswith(SUFFIX) else verify_archive)(path).beside
    except ArchiveError as reason:
        hint = _NOTHING_PRUNED.format(" --instance")
        raise ArchiveDamaged(reason.message, hint=hint) from None
    if not beside:
        raise ArchiveDamaged(
            f"{path.name} has no .sha256 beside it that says what was written.",
            hint=_NOTHING_PRUNED.format(" --instance"),
        )


def _delete_recorded(write: Write, folder: Path, names: Sequence[str]) -> None:
    """Delete archives so that a process killed in between leaves nothing wrong behind.

    First none of them counts as good any more, then the files go, then the records. What is
    left half done, :func:`ledger.tidy` takes up.
    """
    with write(durable=True) as conn:
        ledger.let_go(conn, names)
    step("prune.let-go")
    _delete_files(folder, names)
    with write() as conn:
        ledger.forget(conn, names)
    step("prune.forgotten")


def _delete_files(folder: Path, names: Iterable[str]) -> None:
    """Delete archives, each after its digest: an archive without one is still an archive."""
    with file_errors(folder):
        for name in names:
            beside_of(folder / name).unlink(missing_ok=True)
            step("prune.digest")
            (folder / name).unlink(missing_ok=True)
            step("prune.file")
        sync_folder(folder)

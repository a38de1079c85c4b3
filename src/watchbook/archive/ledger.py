"""The ledger of archives: which were written, how they stood when they were last checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from watchbook.archive.encryption import SUFFIX, check_digest
from watchbook.archive.manifest import COMPLETE
from watchbook.archive.verify import Verification, beside_line, beside_of, verify_archive
from watchbook.clock import from_iso, now, to_millis
from watchbook.errors import ArchiveError
from watchbook.files import file_errors, write_private
from watchbook.store.accounts import Account
from watchbook.store.database import Database
from watchbook.store.schema import archives

WHOLE = "whole"
DAMAGED = "damaged"
GONE = "gone"
UNRECORDED = "it is encrypted, and there is no record of it here"
"""Why an archive is not adopted that may well be whole: nobody here can look into it."""

_LONGEST_NAME = 60
STAMP = r"\d{8}T\d{6}Z"
"""A moment in a file's name, as a regular expression."""


@dataclass(frozen=True)
class Archive:
    """An archive that was written, or found on the disk (then without an id).

    ``verdict`` is how complete it was when written, ``check_outcome`` how it stood when last
    checked; times are milliseconds since 1970. ``recipients`` can open it; None when everybody
    can.
    """

    id: int | None
    account_id: int
    name: str
    written_at: int
    bytes: int
    sha256: str
    content: str
    verdict: str
    words: str | None
    checked_at: int | None
    check_outcome: str | None
    check_words: str | None
    recipients: str | None = None

    @property
    def good(self) -> bool:
        """Whether it is complete and, as far as is known, whole."""
        return self.verdict == COMPLETE and self.check_outcome == WHOLE


_COLUMNS = [archives.c[name] for name in Archive.__dataclass_fields__]


def file_stem(account: Account) -> str:
    """How the names of the account's archives begin: ``backup-NAME``.

    A name that does not fit into a file name is told from others like it by the account's
    number, and by the dash after it, which no name that fits has at its end.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", account.name).strip(".-")[:_LONGEST_NAME]
    if plain == account.name:
        return f"backup-{plain}"
    return f"backup-{plain or 'account'}-{account.id}-"


def recorded(conn: sa.Connection, account: Account) -> list[Archive]:
    """All archives of an account, newest first."""
    query = sa.select(*_COLUMNS).where(archives.c.account_id == account.id)
    order = (archives.c.written_at.desc(), archives.c.id.desc())
    return [Archive(*row) for row in conn.execute(query.order_by(*order))]


def newest_good(known: Sequence[Archive]) -> Archive | None:
    """The newest complete archive that was whole when last looked at."""
    return next((archive for archive in known if archive.good), None)


def listed(recipients: Sequence[str]) -> str | None:
    """The recipients as the ledger writes them."""
    return " ".join(sorted(recipients)) or None


def announce(
    conn: sa.Connection,
    account: Account,
    path: Path,
    found: Verification,
    recipients: Sequence[str],
) -> None:
    """Write down an encrypted archive that is about to get its name.

    Nobody could say afterwards what is in it. Until :func:`record` it does not count as checked.
    """
    record(conn, account, path, found, recipients)
    let_go(conn, [path.name])


def let_go(conn: sa.Connection, names: Collection[str]) -> None:
    """Write down that archives are about to be deleted: from here on none counts as good.

    Whatever is still there when the process ends before :func:`forget` is taken up by
    :func:`tidy`.
    """
    unchecked = {"checked_at": None, "check_outcome": None, "check_words": None}
    conn.execute(sa.update(archives).where(archives.c.name.in_(names)).values(unchecked))


def forget(conn: sa.Connection, names: Collection[str]) -> None:
    """Take archives that are deleted out of the ledger."""
    conn.execute(sa.delete(archives).where(archives.c.name.in_(names)))


def record(
    conn: sa.Connection,
    account: Account,
    path: Path,
    found: Verification,
    recipients: Sequence[str] = (),
) -> Archive:
    """Write down an archive that was just verified; one of that name is written over."""
    manifest = found.manifest
    row = {
        "account_id": account.id,
        "name": path.name,
        "written_at": to_millis(from_iso(manifest.created_at)),
        "bytes": found.bytes,
        "sha256": found.sha256,
        "content": manifest.content,
        "verdict": manifest.verdict,
        "words": "; ".join(manifest.words) or None,
        "checked_at": to_millis(now()),
        "check_outcome": WHOLE,
        "recipients": listed(recipients),
    }
    conn.execute(sa.delete(archives).where(archives.c.name == path.name))
    insert = sa.insert(archives).values(row).returning(*_COLUMNS)
    return Archive(*conn.execute(insert).one())


def record_check(conn: sa.Connection, name: str, outcome: str, words: str | None = None) -> None:
    """Write down how an archive stood when it was checked just now."""
    checked = {"checked_at": to_millis(now()), "check_outcome": outcome, "check_words": words}
    conn.execute(sa.update(archives).where(archives.c.name == name).values(checked))


@dataclass(frozen=True)
class Checked:
    """How an archive stood when it was looked at.

    Whole (``found`` tells more, unless it is encrypted), damaged or gone (``words`` say why).
    """

    outcome: str
    words: str | None = None
    found: Verification | None = None

    @property
    def whole(self) -> bool:
        """Whether every byte is as it was written."""
        return self.outcome == WHOLE


def check(database: Database, archive: Archive, folder: Path) -> Checked:
    """Verify a recorded archive, its recorded digest too, and write the outcome down."""
    checked = _look_at(archive, folder / archive.name)
    with database.write() as conn:
        record_check(conn, archive.name, checked.outcome, checked.words)
    return checked


def _look_at(archive: Archive, path: Path) -> Checked:
    with file_errors(path):
        there = path.exists()
    if not there:
        return Checked(GONE, f"{archive.name} is gone from {path.parent}.")
    try:
        found = None if archive.name.endswith(SUFFIX) else verify_archive(path)
        sha256 = found.sha256 if found else check_digest(path).sha256
    except ArchiveError as reason:
        return Checked(DAMAGED, reason.message)
    if sha256 != archive.sha256:
        return Checked(DAMAGED, f"{archive.name} is not the file that was written.")
    return Checked(WHOLE, found=found)


def tidy(database: Database, account: Account, folder: Path) -> list[tuple[str, str]]:
    """Take up what a killed run left: adopt whole archives, delete half-written files.

    Gives name and reason of each archive that was found but does not verify; it stays where
    it is, unrecorded. Call it under the account's lease.
    """
    if not folder.is_dir():
        return []
    with database.read() as conn:
        listed_ones = recorded(conn, account)
        known = set(conn.scalars(sa.select(archives.c.name)))  # those of renamed accounts too
    ours = name_pattern(account)
    strange = []
    with file_errors(folder):
        names = sorted(entry.name for entry in folder.iterdir())
        for name in names:
            if re.fullmatch(rf"\.{ours}(\.sha256)?\..*\.part", name):
                (folder / name).unlink(missing_ok=True)
    for archive in listed_ones:
        if archive.check_outcome is None:
            _settle(database, archive, folder / archive.name)
    for name in names:
        if re.fullmatch(ours, name) and name not in known:
            reason = _adopt(database, account, folder / name)
            strange += [(name, reason)] if reason else []
    return strange


def name_pattern(account: Account) -> str:
    """A regular expression of the names that the account's archives have."""
    return rf"{re.escape(file_stem(account))}-{STAMP}\.tar\.gz({re.escape(SUFFIX)})?"


def _settle(database: Database, archive: Archive, path: Path) -> None:
    """Take up an archive that was announced or let go: check it, or forget it if it is gone."""
    if path.exists():
        if not beside_of(path).exists():
            write_private(beside_of(path), beside_line(archive.sha256, path.name))
        check(database, archive, path.parent)
        return
    with database.write() as conn:
        forget(conn, [archive.name])


def _adopt(database: Database, account: Account, path: Path) -> str | None:
    """Record an archive that lies there without a record; says why not, if not."""
    if path.name.endswith(SUFFIX):
        return UNRECORDED
    try:
        found = verify_archive(path)
    except ArchiveError as reason:
        return reason.message
    if not _is_of(account, found):
        return f"{path.name} is the archive of another account."
    if not found.beside:
        write_private(beside_of(path), beside_line(found.sha256, path.name))
    with database.write() as conn:
        record(conn, account, path, found)
    return None


def _is_of(account: Account, found: Verification) -> bool:
    """Whether an archive is the account's: a name proves nothing once somebody is known by id."""
    owner = found.manifest.account
    if owner is None:
        return False
    if owner.trakt_uuid and account.trakt_uuid:
        return owner.trakt_uuid == account.trakt_uuid
    if owner.trakt_uuid:
        return account.trakt_slug is not None and owner.trakt_slug == account.trakt_slug
    return owner.name == account.name

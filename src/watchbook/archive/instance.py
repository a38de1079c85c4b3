"""Saving and loading a whole installation: the database and the key that opens its secrets.

The copy is a SQLite database, whatever it was made of, so that this is also the way from SQLite
to PostgreSQL and back.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from watchbook.archive.documents import instance_documents
from watchbook.archive.encryption import SUFFIX
from watchbook.archive.manifest import (
    COMPLETE,
    INSTANCE_FORMAT,
    Manifest,
    count_rows,
    current_format,
    encode,
    generator,
)
from watchbook.archive.packing import Member, from_file, in_memory, pack, stem_of
from watchbook.archive.read import GZIP_HEADER
from watchbook.archive.standalone.verify import MANIFEST
from watchbook.archive.verify import Verification, verify_archive
from watchbook.clock import now, to_iso, to_stamp
from watchbook.errors import InputError, SchemaMismatch, SettingsError
from watchbook.files import file_errors, make_private_folder, write_private
from watchbook.seal import KEY_FILE, fingerprint
from watchbook.steps import step
from watchbook.store import leases
from watchbook.store.copying import copy_database, copy_rows, is_empty
from watchbook.store.database import Database
from watchbook.store.migrating import upgrade
from watchbook.store.opening import KEY_ROW, SCHEMA_VERSION, Store, schema_version
from watchbook.store.schema import meta

DATABASE = "watchbook.db"
LEASE = "instance"

_PIECE = 1 << 18
_ACCEPTED = (
    "Accepted are instance-….tar.gz, which `watchbook backup --instance` writes, and the .db "
    "copies that an upgrade makes."
)
_KEY_INSIDE = f"  {KEY_FILE}     the key that opens the secrets in it"
_KEY_ELSEWHERE = (
    "\n  The key that opens the secrets in the database is NOT here: it came from the setting\n"
    "  WATCHBOOK_SECRET_KEY. Keep it too; without it everybody has to sign in again.\n"
)


@dataclass(frozen=True)
class Loaded:
    """What was loaded: rows per table, and whether the key of the archive is now in force."""

    rows: dict[str, int]
    key_replaced: bool


def save_instance(
    store: Store, folder: Path, recipients: Sequence[str] = ()
) -> tuple[Path, Verification]:
    """Save the whole database, and the key if it lies in a file, into a new archive in ``folder``.

    It is encrypted to ``recipients``, if there are any. Raises StoreBusy while another process
    does the same, and StoreError.
    """
    make_private_folder(folder)
    with (
        leases.holding(store.database, LEASE, "a copy of the installation"),
        _working_folder(store.home) as working,  # what lies among the archives may go elsewhere
    ):
        _clear(folder)
        copy = copy_database(store.database, working / DATABASE, SCHEMA_VERSION)
        step("instance.copied")
        key = _key_in_file(store)
        moment = _free_moment(folder)
        path = folder / (_name(moment) + (SUFFIX if recipients else ""))
        with copy.open("rb") as file:
            members = [from_file(DATABASE, "watchbook", file)]
            if key is not None:
                members.append(in_memory(KEY_FILE, "watchbook", key.encode() + b"\n"))
            inside = _contents(stem_of(path.name), moment, members, has_key=key is not None)
            return path, pack(path, inside, moment, recipients=recipients)


def _contents(name: str, moment: datetime, inside: list[Member], *, has_key: bool) -> list[Member]:
    where = _KEY_INSIDE if has_key else _KEY_ELSEWHERE
    members = [*instance_documents(name, moment, where), *inside]
    entries = [member.entry for member in members]
    manifest = Manifest(
        format=INSTANCE_FORMAT,
        format_version=current_format(),
        generator=generator(),
        name=name,
        created_at=to_iso(moment),
        account=None,
        schema=SCHEMA_VERSION,
        verdict=COMPLETE,
        words=[] if has_key else ["The key is not inside: it came from WATCHBOOK_SECRET_KEY."],
        counts=count_rows(entries),
        content="",
        data_sets=[],
        files=entries,
    )
    return [*members, in_memory(MANIFEST, "document", encode(manifest))]


def _name(moment: datetime) -> str:
    return f"instance-{to_stamp(moment)}.tar.gz"


def _free_moment(folder: Path) -> datetime:
    taken = {stem_of(path.name) for path in folder.iterdir()}
    moment = now()
    while stem_of(_name(moment)) in taken:
        moment += timedelta(seconds=1)
    return moment


@contextmanager
def _working_folder(folder: Path) -> Iterator[Path]:
    """A private folder inside ``folder``; what killed runs left of theirs goes first.

    Under the lease nobody else's can be there.
    """
    with file_errors(folder):
        _clear(folder)
        with tempfile.TemporaryDirectory(prefix=".instance-", dir=folder) as working:
            yield Path(working)


def _clear(folder: Path) -> None:
    with file_errors(folder):
        for left in folder.glob(".instance-*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _key_in_file(store: Store) -> str | None:
    """The key in force, if it came from the key file."""
    path = store.home / KEY_FILE
    if not path.exists():
        return None
    with file_errors(path):
        key = path.read_text("ascii").strip()
    return key if {fingerprint(key)} == store.sealer.key_names else None


def load_instance(path: Path, store: Store) -> Loaded:
    """Load a saved installation into the empty database of ``store``.

    ``path`` is an archive of :func:`save_instance`, or a copy of a database (``.db``) as an
    upgrade makes it. All is loaded or nothing. Raises InputError (another kind of file, or the
    database is not empty), SettingsError (the key in force does not open the secrets),
    SchemaMismatch (a newer program wrote it), ArchiveDamaged and ArchiveUnsafe.
    """
    make_private_folder(store.home)
    with (
        leases.holding(store.database, LEASE, "loading an installation"),
        _working_folder(store.home) as working,
    ):
        if not is_empty(store.database):
            raise InputError(
                "The database holds something already; an installation is loaded into an empty "
                "one only.",
                hint="Set WATCHBOOK_DATABASE_URL (or WATCHBOOK_HOME) to a new one.",
            )
        key = _unpack(path, working)
        copy = Database(f"sqlite:///{working / DATABASE}")
        try:
            return _load(copy, key, store)
        finally:
            copy.close()


def _unpack(path: Path, working: Path) -> str | None:
    """Put the database into ``working`` and give the key that came with it."""
    with file_errors(path), path.open("rb") as file:
        if file.read(2) != GZIP_HEADER[:2]:
            file.seek(0)
            _write_new(working / DATABASE, file.read)
            return None
    keep = {name: working / name for name in (DATABASE, KEY_FILE)}
    found = verify_archive(path, keep=keep)
    if found.manifest.format != INSTANCE_FORMAT:
        raise InputError(
            f"{path.name} is the archive of an account, not of an installation.",
            hint=_ACCEPTED,
        )
    key = keep[KEY_FILE]
    return key.read_text("ascii").strip() if key.exists() else None


def _write_new(path: Path, read: Callable[[int], bytes]) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        while piece := read(_PIECE):
            file.write(piece)


def _load(copy: Database, key: str | None, store: Store) -> Loaded:
    found = schema_version(copy)
    if found is None:
        raise InputError("That file holds no database of Watchbook.", hint=_ACCEPTED)
    if found > SCHEMA_VERSION:
        raise SchemaMismatch(
            f"It was saved by a newer Watchbook (schema {found}, this one knows {SCHEMA_VERSION}).",
            hint="Install that newer Watchbook first.",
        )
    if found < SCHEMA_VERSION:
        upgrade(copy, SCHEMA_VERSION)
    replaced = _settle_key(copy, key, store)
    step("instance.key")
    rows = copy_rows(copy, store.database)
    step("instance.loaded")
    return Loaded(rows, replaced)


def _settle_key(copy: Database, key: str | None, store: Store) -> bool:
    """Make sure that the key in force opens the secrets of ``copy``; tells if it was replaced.

    The key that came along replaces the key file of an installation that sealed nothing yet;
    the old one stays beside it.
    """
    needed = _keys_needed(copy)
    if needed <= store.sealer.key_names:
        return False
    ours = _key_in_file(store)
    if key is None or ours is None or not needed <= {fingerprint(key)}:
        raise SettingsError(
            "The secrets in it were sealed with another key than the one in force.",
            hint=f"Put the {KEY_FILE} that was used there (it may lie in the archive) into "
            f"{store.home}, or set WATCHBOOK_SECRET_KEY to its content, and run this again.",
        )
    with store.database.write(durable=True) as conn:
        conn.execute(sa.delete(meta).where(meta.c.key == KEY_ROW))
    aside = store.home / f"{KEY_FILE}.before-import-{to_stamp(now())}"
    write_private(aside, ours.encode() + b"\n")
    write_private(store.home / KEY_FILE, key.encode() + b"\n")
    return True


def _keys_needed(copy: Database) -> set[str]:
    """Fingerprints of the keys that seal anything in ``copy``, and of the one it was used with."""
    with copy.read() as conn:
        needed = set(conn.scalars(sa.select(meta.c.value).where(meta.c.key == KEY_ROW)))
        tables = sa.MetaData()
        tables.reflect(conn)
        for table in tables.sorted_tables:
            for column in table.columns:
                if column.name.endswith("_sealed"):
                    sealed = conn.scalars(sa.select(column).where(column.is_not(None)))
                    needed |= {text.split(":")[1] for text in sealed}
    return needed

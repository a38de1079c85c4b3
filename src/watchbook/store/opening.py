"""Opening the store: the right schema, the right key, or a clear error.

Alembic is imported only when there is something to migrate; an up-to-date database costs one
query.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from watchbook.clock import now, to_stamp
from watchbook.errors import SchemaMismatch, SettingsError
from watchbook.files import make_private_folder
from watchbook.logs import logger
from watchbook.seal import Sealer, load_sealer
from watchbook.settings import Settings
from watchbook.steps import step
from watchbook.store import accounts, grants, sites
from watchbook.store.copying import copy_database
from watchbook.store.database import Database, upsert
from watchbook.store.migrating import MIGRATIONS, upgrade
from watchbook.store.schema import meta

SCHEMA_VERSION = "0004"
"""The newest migration; a test holds it against the migrations folder."""

WRONG_KEY_HINT = (
    "Put back the right secret.key; to change it, put the new key before the old one in "
    "WATCHBOOK_SECRET_KEY, with a comma between (docs/how-to/secret-key.md)."
)

KEY_ROW = "secret_key"
"""Where ``meta`` names the key in use, by its fingerprint."""


class Store:
    """An opened database with the sealer for its secrets."""

    def __init__(self, database: Database, sealer: Sealer, home: Path) -> None:
        self.database = database
        self.sealer = sealer
        self.home = home

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()


def open_store(settings: Settings) -> Store:
    """Open the store of ``settings``, migrated to this program's schema.

    Raises StoreUnavailable, SchemaMismatch (the database is newer than the program) and
    SettingsError (the key is not the one that sealed the database's secrets).
    """
    database = Database(settings.database_url)
    try:
        migrate(database, folder=settings.home)
        sealer = load_sealer(settings.home, settings.secret_keys)
        _check_key(database, sealer)
    except BaseException:
        database.close()
        raise
    return Store(database, sealer, settings.home)


def schema_version(database: Database) -> str | None:
    """The version of the database's schema; None for an empty one."""
    with database.read() as conn:
        if not sa.inspect(conn).has_table("alembic_version"):
            return None
        version: str | None = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return version


def migrate(
    database: Database,
    *,
    folder: Path | None = None,
    target: str = SCHEMA_VERSION,
    scripts: Path = MIGRATIONS,
) -> Path | None:
    """Bring the schema to ``target``; returns the copy of the database made before, if any.

    The copy goes into ``folder``, without one beside a SQLite database.
    """
    if schema_version(database) == target:
        return None
    with _alone(database):
        return _migrate(database, folder, target, scripts)


def _migrate(database: Database, folder: Path | None, target: str, scripts: Path) -> Path | None:
    found = schema_version(database)
    if found == target:
        return None
    if found is not None and found > target:
        raise SchemaMismatch(
            f"The database has schema {found}, this Watchbook knows only up to {target}.",
            hint="Install the newer Watchbook again, or put back the copy that it made before "
            "upgrading (docs/how-to/upgrade.md).",
        )
    copy = _copy_aside(database, found, folder, scripts) if found is not None else None
    step("migrate.copied")
    upgrade(database, target, scripts)
    said = "the database was made" if found is None else "the database was brought up to date"
    logger("store").info(said, schema=target, **({"before": found} if found else {}))
    step("migrate.done")
    return copy


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Let one process at a time migrate; the next finds the work done."""
    if database.file is None:
        with database.outside_transaction() as conn:
            conn.execute(sa.text("SELECT pg_advisory_lock(8421)"))
            try:
                yield
            finally:
                conn.execute(sa.text("SELECT pg_advisory_unlock(8421)"))
        return
    folder = os.open(database.file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _copy_aside(
    database: Database, version: str, folder: Path | None, scripts: Path
) -> Path | None:
    """Copy the database into a SQLite file, from which it can be put back."""
    folder = folder or (database.file.parent if database.file else None)
    if folder is None:
        return None
    make_private_folder(folder)
    stem = database.file.stem if database.file else "watchbook"
    name = f"{stem}-before-upgrade-{version}-{to_stamp(now())}.db"
    return copy_database(database, folder / name, version, scripts)


def _check_key(database: Database, sealer: Sealer) -> None:
    """Refuse a key other than the one in use; a newer one takes over all secrets."""
    with database.read() as conn:
        known = conn.scalar(sa.select(meta.c.value).where(meta.c.key == KEY_ROW))
    if known == sealer.key_name:
        return
    if known is not None and known not in sealer.key_names:
        raise SettingsError(
            "The secret key is not the one that sealed this database.",
            hint=WRONG_KEY_HINT,
        )
    with database.write(durable=True) as conn:
        if known is not None:
            _seal_anew(conn, sealer)
        row = {"key": KEY_ROW, "value": sealer.key_name}
        ours = sa.or_(*(meta.c.value == name for name in sealer.key_names))
        upsert(conn, meta, [row], update=["value"], where=lambda _: ours)
    _check_key(database, sealer)  # another process may have been quicker, with another key


def _seal_anew(conn: sa.Connection, sealer: Sealer) -> None:
    """Seal every secret with the newest key, so that the older ones may be left out."""
    grants.seal_anew(conn, sealer)
    sites.seal_anew(conn, sealer)
    for account in accounts.all_accounts(conn):
        if account.client_secret_sealed is not None:
            secret = sealer.open(account.client_secret_sealed, account.secret_place)
            sealed = sealer.seal(secret, account.secret_place)
            accounts.change(conn, account.id, client_secret_sealed=sealed)

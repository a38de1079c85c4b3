"""Before an upgrade the database is copied aside, on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from watchbook.store import accounts
from watchbook.store.copying import copy_database, is_empty
from watchbook.store.database import Database
from watchbook.store.migrating import MIGRATIONS
from watchbook.store.opening import SCHEMA_VERSION, migrate, schema_version
from watchbook.store.schema import metadata

NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "9000"
down_revision = "{before}"
def upgrade():
    op.add_column("accounts", sa.Column("colour", sa.String()))
    {more}
"""


def scripts(tmp_path: Path, more: str = "") -> Path:
    """The migrations and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    text = NEXT.format(before=SCHEMA_VERSION, more=more)
    (folder / "versions" / "9000_colour.py").write_text(text)
    return folder


def test_copy_has_everything(database: Database, tmp_path: Path) -> None:
    """A copy is a complete SQLite database of the same schema, private, with all rows."""
    with database.write() as conn:
        accounts.add(conn, "sandra")
    path = copy_database(database, tmp_path / "copy.db", SCHEMA_VERSION)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".copy.db*"))
    copy = Database(f"sqlite:///{path}")
    assert schema_version(copy) == SCHEMA_VERSION
    with copy.read() as conn:
        assert [account.name for account in accounts.all_accounts(conn)] == ["sandra"]
        tables = set(sa.inspect(conn).get_table_names())
        indexes = {i["name"] for t in tables for i in sa.inspect(conn).get_indexes(t)}
    assert set(metadata.tables) <= tables
    assert indexes == {i.name for t in metadata.tables.values() for i in t.indexes}
    copy.close()


def test_upgrade_copies_aside(database: Database, tmp_path: Path) -> None:
    """An upgrade leaves a copy of the database as it was, in the given folder."""
    with database.write() as conn:
        accounts.add(conn, "sandra")
    home = tmp_path / "home"
    path = migrate(database, folder=home, target="9000", scripts=scripts(tmp_path))
    assert path is not None
    assert path.parent == home
    assert "before-upgrade" in path.name
    assert schema_version(database) == "9000"
    copy = Database(f"sqlite:///{path}")
    assert schema_version(copy) == SCHEMA_VERSION
    with copy.read() as conn:
        assert accounts.choose(conn, None).name == "sandra"
    copy.close()


def test_failed_upgrade_changes_nothing(database: Database, tmp_path: Path) -> None:
    """A migration that fails half-way leaves the database as it was, and the copy."""
    with pytest.raises(ZeroDivisionError):
        migrate(database, folder=tmp_path, target="9000", scripts=scripts(tmp_path, "1 / 0"))
    assert schema_version(database) == SCHEMA_VERSION
    with database.read() as conn:
        assert "colour" not in {c["name"] for c in sa.inspect(conn).get_columns("accounts")}
    assert list(tmp_path.glob("*before-upgrade*.db"))


def test_older_copy_is_brought_up_to_date(database: Database, tmp_path: Path) -> None:
    """The copy of an older version goes through the same migrations as the database did."""
    with database.write() as conn:
        accounts.add(conn, "sandra")
    path = copy_database(database, tmp_path / "copy.db", SCHEMA_VERSION)
    copy = Database(f"sqlite:///{path}")
    migrate(copy, target="9000", scripts=scripts(tmp_path))
    assert schema_version(copy) == "9000"
    copy.close()


def test_emptiness(database: Database) -> None:
    """A fresh database is empty, one with an account is not."""
    assert is_empty(database)
    with database.write() as conn:
        accounts.add(conn, "sandra")
    assert not is_empty(database)


def test_half_copy_of_before_is_replaced(database: Database, tmp_path: Path) -> None:
    """What a killed copy left under its working name does not stop the next one."""
    for tail in ("", "-wal", "-shm"):
        (tmp_path / f".copy.db.part{tail}").write_bytes(b"half")
    path = copy_database(database, tmp_path / "copy.db", SCHEMA_VERSION)
    with sqlite3.connect(path) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    conn.close()
    assert not list(tmp_path.glob(".copy.db*"))

"""A whole installation is saved and comes back row for row, on either database."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook.archive.instance import Loaded, load_instance, save_instance
from watchbook.archive.verify import verify_archive
from watchbook.errors import ArchiveDamaged, InputError, SchemaMismatch, SettingsError, StoreBusy
from watchbook.seal import KEY_FILE, Sealer, load_sealer
from watchbook.store import accounts, leases
from watchbook.store.copying import copy_database, is_empty
from watchbook.store.database import Database
from watchbook.store.opening import KEY_ROW, SCHEMA_VERSION, Store, migrate
from watchbook.store.schema import grants, meta, metadata, titles

from .conftest import SECRETS, Book, fill

OpenStore = Callable[..., Store]


@pytest.fixture
def prepared() -> bool:
    """A restored copy goes where nothing is."""
    return False


@pytest.fixture
def open_store(tmp_path: Path, postgres_url: str) -> Iterator[OpenStore]:
    """Opens a store in a home of its own, with a key file unless keys are given."""
    opened = []

    def make(name: str, *, on: str = "sqlite", keys: list[str] | None = None) -> Store:
        home = tmp_path / name
        url = f"sqlite:///{home / 'watchbook.db'}"
        if on == "postgresql":
            url = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
        database = Database(url)
        opened.append(database)
        migrate(database, folder=home)
        store = Store(database, load_sealer(home, keys), home)
        with database.write() as conn:
            conn.execute(sa.delete(meta).where(meta.c.key == KEY_ROW))
            conn.execute(sa.insert(meta).values(key=KEY_ROW, value=store.sealer.key_name))
        return store

    yield make
    for database in opened:
        database.close()


def rows_of(database: Database) -> dict[str, list[Any]]:
    """Every row of every table but those of the moment."""
    with database.read() as conn:
        return {
            table.name: sorted(map(repr, conn.execute(sa.select(table))))
            for table in metadata.sorted_tables
            if table.name not in {"changes", "leases"}
        }


def filled(store: Store) -> Book:
    """Sandra's account, and a show whose episode comes before it in every order."""
    book = fill(store, store.home / "backups")
    with store.database.write() as conn:
        show = {"key": "show:9", "type": "show", "title": "Dark \U0001f573", "show_key": None}
        episode = {"key": "episode:1", "type": "episode", "title": None, "show_key": "show:9"}
        conn.execute(sa.insert(titles), [show, episode])
    return book


def test_round_trip_over_postgresql(open_store: OpenStore) -> None:
    """SQLite to PostgreSQL to SQLite: every row as it was, secrets still open."""
    first, second = open_store("first"), open_store("second", on="postgresql")
    filled(first)
    before = rows_of(first.database)
    loaded = load_instance(save_instance(first, first.home / "backups")[0], second)
    assert rows_of(second.database) == before
    assert loaded.key_replaced
    assert loaded.rows["accounts"] == 1
    second = Store(second.database, load_sealer(second.home, None), second.home)
    third = open_store("third")
    load_instance(save_instance(second, second.home / "backups")[0], third)
    assert rows_of(third.database) == before
    sealer = load_sealer(third.home, None)
    with third.database.read() as conn:
        sealed = conn.scalar(sa.select(grants.c.access_sealed))
    assert sealer.open(str(sealed), "grant:1:access") == SECRETS[0]


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_numbers_go_on_after_loading(open_store: OpenStore, on: str) -> None:
    """A row added after loading gets a number of its own."""
    first, second = open_store("first"), open_store("second", on=on)
    filled(first)
    load_instance(save_instance(first, first.home / "backups")[0], second)
    with second.database.write() as conn:
        assert accounts.add(conn, "later").id == 2


def test_only_into_an_empty_database(open_store: OpenStore) -> None:
    """A database that holds an account is never written over."""
    first, second = open_store("first"), open_store("second")
    filled(first)
    path, _ = save_instance(first, first.home / "backups")
    assert is_empty(second.database)
    with second.database.write() as conn:
        accounts.add(conn, "somebody")
    before = rows_of(second.database)
    with pytest.raises(InputError, match="empty one only"):
        load_instance(path, second)
    assert rows_of(second.database) == before


def test_replaced_key_stays_beside(open_store: OpenStore) -> None:
    """The key of an installation that sealed nothing yet makes way, and is kept."""
    first, second = open_store("first"), open_store("second")
    old = (second.home / KEY_FILE).read_bytes()
    filled(first)
    load_instance(save_instance(first, first.home / "backups")[0], second)
    assert (second.home / KEY_FILE).read_bytes() == (first.home / KEY_FILE).read_bytes()
    (aside,) = second.home.glob(f"{KEY_FILE}.before-import-*")
    assert aside.read_bytes() == old
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert not list(second.home.glob(".*"))


def test_key_of_the_environment_is_not_inside(open_store: OpenStore) -> None:
    """A key from the environment is not written into a file, and the archive says so."""
    key = "k" * 40
    first = open_store("first", keys=[key])
    filled(first)
    path, found = save_instance(first, first.home / "backups")
    assert KEY_FILE not in {entry.path for entry in found.manifest.files}
    assert "WATCHBOOK_SECRET_KEY" in found.manifest.words[0]
    assert key.encode() not in path.read_bytes()
    with pytest.raises(SettingsError, match="another key") as refused:
        load_instance(path, open_store("second"))
    assert "WATCHBOOK_SECRET_KEY" in str(refused.value.hint)
    third = open_store("third", keys=["n" * 40, key])
    assert not load_instance(path, third).key_replaced


def test_key_of_the_environment_is_not_replaced(open_store: OpenStore) -> None:
    """An installation whose key comes from the environment refuses what that does not open."""
    first, second = open_store("first"), open_store("second", keys=["x" * 40])
    filled(first)
    path, _ = save_instance(first, first.home / "backups")
    with pytest.raises(SettingsError):
        load_instance(path, second)
    assert is_empty(second.database)


def test_secret_sealed_with_a_lost_key(open_store: OpenStore) -> None:
    """One secret that no key in force opens is enough to refuse."""
    first, second = open_store("first"), open_store("second")
    filled(first)
    lost = Sealer(["l" * 40]).seal("token", "grant:1:access")
    with first.database.write() as conn:
        conn.execute(sa.update(grants).values(access_sealed=lost))
    with pytest.raises(SettingsError, match="another key"):
        load_instance(save_instance(first, first.home / "backups")[0], second)


def test_account_archive_is_no_installation(open_store: OpenStore) -> None:
    """The archive of an account is refused with what would be accepted."""
    first, second = open_store("first"), open_store("second")
    written = filled(first).write()
    with pytest.raises(InputError, match="archive of an account") as refused:
        load_instance(written.path, second)
    assert "--instance" in str(refused.value.hint)


def test_damaged_copy_loads_nothing(open_store: OpenStore) -> None:
    """A damaged archive is refused before a row of it is used."""
    first, second = open_store("first"), open_store("second")
    filled(first)
    path, _ = save_instance(first, first.home / "backups")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged):
        load_instance(path, second)
    assert is_empty(second.database)


def test_plain_copy_loads_too(open_store: OpenStore) -> None:
    """A .db copy, as an upgrade makes it, is loaded like an archive, given the same key."""
    key = "k" * 40
    first, second = open_store("first", keys=[key]), open_store("second", keys=[key])
    filled(first)
    copy = copy_database(first.database, first.home / "copy.db", SCHEMA_VERSION)
    assert load_instance(copy, second).rows["plays"] == 5
    assert rows_of(second.database) == rows_of(first.database)


def test_copy_of_a_newer_program(open_store: OpenStore) -> None:
    """A copy with a schema that this program does not know is refused."""
    first, second = open_store("first"), open_store("second")
    filled(first)
    with first.database.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="newer"):
        load_instance(save_instance(first, first.home / "backups")[0], second)


def test_any_other_database_is_refused(open_store: OpenStore, tmp_path: Path) -> None:
    """A SQLite file of another program is refused."""
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    with other.write() as conn:
        conn.execute(sa.text("CREATE TABLE notes (text TEXT)"))
    other.close()
    with pytest.raises(InputError, match="no database of Watchbook"):
        load_instance(tmp_path / "other.db", open_store("second"))


def test_one_at_a_time(open_store: OpenStore) -> None:
    """Two processes never save or load at once."""
    first = open_store("first")
    with (
        leases.holding(first.database, "instance", "a copy of the installation"),
        pytest.raises(StoreBusy, match="a copy of the installation"),
    ):
        save_instance(first, first.home / "backups")


def test_private_and_verifiable(open_store: OpenStore) -> None:
    """The archive is private whatever the umask, verifies, and two in a second have two names."""
    first = open_store("first")
    filled(first)
    before = os.umask(0)
    try:
        paths = {save_instance(first, first.home / "backups")[0] for _ in range(2)}
    finally:
        os.umask(before)
    assert len(paths) == 2
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert verify_archive(path).beside
    assert isinstance(Loaded({}, key_replaced=False), Loaded)

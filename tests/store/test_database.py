from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook.errors import Fate, StoreError, StoreFull, StoreUnavailable
from watchbook.store import database as module
from watchbook.store.database import Database, upsert
from watchbook.store.opening import migrate
from watchbook.store.schema import accounts, meta, titles


def put(conn: sa.Connection, key: str, value: str = "x") -> None:
    """A row."""
    conn.execute(sa.insert(meta).values(key=key, value=value))


def keys(database: Database) -> set[str]:
    """The keys of all rows, as another connection sees them."""
    with database.read() as conn:
        return set(conn.scalars(sa.select(meta.c.key)))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database, for what is SQLite's own."""
    database = Database(f"sqlite:///{tmp_path / 'home' / 'watchbook.db'}")
    migrate(database)
    yield database
    database.close()


def test_block_that_ends_well_is_kept(database: Database) -> None:
    """What was written is there for others when the block has ended, and not before."""
    with database.write() as conn:
        put(conn, "a")
        assert keys(database) == set()
    assert keys(database) == {"a"}


@pytest.mark.parametrize("durable", [False, True])
def test_block_that_fails_leaves_nothing(database: Database, durable: bool) -> None:
    """When the block raises, nothing of it stays and the error goes on as it is."""
    with pytest.raises(KeyError, match="mine"), database.write(durable=durable) as conn:  # noqa: PT012
        put(conn, "a")
        raise KeyError("mine")
    assert keys(database) == set()
    with database.write() as conn:
        put(conn, "b")
    assert keys(database) == {"b"}


def test_reading_sees_one_moment(database: Database) -> None:
    """A reader does not see what is committed after its first look."""
    with database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(meta)) == 0
        with database.write() as other:
            put(other, "a")
        assert conn.scalar(sa.select(sa.func.count()).select_from(meta)) == 0
    assert keys(database) == {"a"}


def test_writers_take_turns(database: Database) -> None:
    """Of two writers that read and then write one row, none loses what the other wrote."""
    with database.write() as conn:
        put(conn, "n", "0")

    def count() -> None:
        for _ in range(20):
            with database.write() as conn:
                row = sa.select(meta.c.value).where(meta.c.key == "n").with_for_update()
                number = int(conn.scalar(row) or 0)
                conn.execute(sa.update(meta).values(value=str(number + 1)))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as conn:
        assert conn.scalar(sa.select(meta.c.value)) == "60"


def test_synced_to_the_disk_when_durable(sqlite: Database) -> None:
    """A durable commit syncs SQLite's log; the connection is an ordinary one again afterwards."""

    def level(conn: sa.Connection) -> int:
        return int(conn.exec_driver_sql("PRAGMA synchronous").scalar_one())

    with sqlite.write(durable=True) as conn:
        assert level(conn) == 2
    with sqlite.write() as conn:
        assert level(conn) == 1
    with pytest.raises(KeyError), sqlite.write(durable=True):
        raise KeyError
    with sqlite.write() as conn:
        assert level(conn) == 1


def test_how_sqlite_is_set_up(sqlite: Database) -> None:
    """Every connection checks foreign keys, waits for locks and writes ahead."""
    with sqlite.read() as one, sqlite.read() as two:
        for conn in (one, two):
            found = [
                conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("foreign_keys", "busy_timeout", "journal_mode")
            ]
            assert found == [1, module.BUSY_SECONDS * 1000, "wal"]


def test_a_new_file_that_another_process_begins(tmp_path: Path) -> None:
    """SQLite will not wait for that; we do."""
    file = tmp_path / "home" / "watchbook.db"
    Database.prepare_file(file)
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, other.commit).start()
    database = Database(f"sqlite:///{file}")
    with database.read() as conn:
        assert conn.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    database.close()
    other.close()


def test_committed_survives_a_kill(sqlite: Database) -> None:
    """What was committed is there after the process was killed; what was not is gone."""
    code = f"""
import os, signal, sqlalchemy as sa
from watchbook.store.database import Database
from watchbook.store.schema import meta
database = Database({str(sqlite.url)!r})
with database.write(durable=True) as conn:
    conn.execute(sa.insert(meta).values(key="a", value="x"))
with database.write() as conn:
    conn.execute(sa.insert(meta).values(key="b", value="x"))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert keys(sqlite) == {"a"}


ROWS = [{"key": "movie:1", "type": "movie", "title": "One", "year": 1, "slug": None}]


def title(database: Database, key: str = "movie:1") -> tuple[Any, ...]:
    """Title, year and slug of a row."""
    query = sa.select(titles.c.title, titles.c.year, titles.c.slug).where(titles.c.key == key)
    with database.read() as conn:
        return tuple(conn.execute(query).one())


def test_upsert_updates_what_it_is_told(database: Database) -> None:
    """A new row goes in whole; of a known one only the named columns change."""
    with database.write() as conn:
        upsert(conn, titles, ROWS, update=("title",))
        changed = ROWS[0] | {"title": "Two", "year": 2}
        other = ROWS[0] | {"key": "movie:2", "year": 3}
        upsert(conn, titles, [changed, other], update=("title",))
    assert title(database) == ("Two", 1, None)
    assert title(database, "movie:2") == ("One", 3, None)


def test_upsert_where(database: Database) -> None:
    """A known row that the condition does not hold for stays as it is."""
    newer = [ROWS[0] | {"title": name, "year": year} for name, year in (("no", 1), ("yes", 5))]
    with database.write() as conn:
        upsert(conn, titles, ROWS, update=("title",))
        for row in newer:
            upsert(
                conn,
                titles,
                [row],
                update=("title", "year"),
                where=lambda new: new.year > titles.c.year,
            )
    assert title(database) == ("yes", 5, None)


def test_upsert_values(database: Database) -> None:
    """A column may become an expression of the old row and the new, fixed values included."""
    with database.write() as conn:
        upsert(conn, titles, ROWS, update=("slug",))
        upsert(
            conn,
            titles,
            [ROWS[0] | {"title": None, "year": 40}, ROWS[0] | {"title": "Last", "year": 2}],
            update=("slug",),
            values=lambda new: {
                "title": sa.func.coalesce(new.title, titles.c.title),
                "year": titles.c.year + new.year * 1000,
            },
        )
    assert title(database) == ("Last", 42_001, None)


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_upsert_of_many(database: Database, count: int) -> None:
    """No row is as well as thousands."""
    rows = [ROWS[0] | {"key": f"movie:{number}"} for number in range(count)]
    with database.write() as conn:
        upsert(conn, titles, rows, update=("title",))
        upsert(conn, titles, rows, update=("title",))
        assert conn.scalar(sa.select(sa.func.count()).select_from(titles)) == count


@pytest.mark.parametrize("text", ["'; DROP TABLE meta; --", "%s %(x)s :x ?", "🎬\u2028\\", "{}"])
def test_upsert_takes_any_text(database: Database, text: str) -> None:
    """Texts are values, whatever they look like to a database."""
    with database.write() as conn:
        upsert(conn, titles, [ROWS[0] | {"title": text}], update=("title",))
        upsert(conn, titles, [ROWS[0] | {"title": text}], update=("title",))
    assert title(database)[0] == text


def test_refusals_are_told_apart(database: Database) -> None:
    """A row that breaks a rule is refused for good, however its text reads."""
    row = {"name": "full, malformed and not a database", "owner": True, "created_at": 0}
    with database.write() as conn:
        conn.execute(sa.insert(accounts).values(row))
    with pytest.raises(StoreError, match="refused") as caught, database.write() as conn:
        conn.execute(sa.insert(accounts).values(row))
    assert type(caught.value) is StoreError
    assert caught.value.fate is Fate.PERMANENT


def test_query_of_nonsense(database: Database) -> None:
    """Whatever the database says about a statement leaves as an error of our tree."""
    with pytest.raises(StoreError), database.read() as conn:
        conn.execute(sa.text("SELECT nothing FROM nowhere"))


def test_reader_may_not_write_on_postgresql(postgres_url: str) -> None:
    """PostgreSQL refuses what is written in a transaction that only reads."""
    database = Database(postgres_url.replace("postgresql://", "postgresql+psycopg://", 1))
    migrate(database)
    with pytest.raises(StoreError, match="read-only"), database.read() as conn:
        put(conn, "a")
    database.close()


def test_locked(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that another process keeps locked is unavailable for now."""
    monkeypatch.setattr(module, "_PRAGMAS", ("PRAGMA busy_timeout=1",))
    other = Database(str(sqlite.url))
    with sqlite.write() as conn:
        put(conn, "a")
        with pytest.raises(StoreUnavailable, match="locked") as caught, other.write():
            pass
    other.close()
    assert caught.value.fate is Fate.TRANSIENT
    assert keys(sqlite) == {"a"}


def fill(database: Database) -> None:
    """Write until there is no room."""
    with database.write() as conn:
        for number in range(2000):
            put(conn, f"big {number}", "x" * 2000)


def test_full(sqlite: Database) -> None:
    """Without room nothing of the transaction stays, and with room it goes on."""
    with sqlite.write() as conn:
        put(conn, "a")
    with sqlite.read() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    for limit, wanted in ((pages + 5, False), (1_000_000, True)):
        with sqlite.outside_transaction() as conn:
            conn.exec_driver_sql(f"PRAGMA max_page_count={limit}")
        if wanted:
            fill(sqlite)
            continue
        with pytest.raises(StoreFull) as caught:
            fill(sqlite)
        assert "Free some space" in str(caught.value.hint)
        assert keys(sqlite) == {"a"}
    assert len(keys(sqlite)) == 2001


NO_ROOM = """
import resource, sys
import sqlalchemy as sa
from watchbook.errors import StoreFull
from watchbook.store.database import Database
from watchbook.store.schema import meta
database = Database(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    with database.write() as conn:
        conn.execute(sa.insert(meta), [{"key": str(n), "value": "x" * 2000} for n in range(500)])
except StoreFull:
    print("full")
with database.read() as conn:
    print(conn.scalar(sa.select(sa.func.count()).select_from(meta)))
"""


def test_file_may_not_grow(sqlite: Database) -> None:
    """A limit on the size of files counts as no room, and leaves the database whole."""
    with sqlite.write() as conn:
        put(conn, "a")
    command = [sys.executable, "-c", NO_ROOM, str(sqlite.url)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["full", "1"]
    assert keys(sqlite) == {"a"}


@pytest.mark.parametrize(
    ("start", "length"), [(0, 16), (0, 100), (4096, 10**6)], ids=["magic", "header", "all pages"]
)
def test_damaged_file(sqlite: Database, start: int, length: int) -> None:
    """A damaged file is called damaged, and the copies are named."""
    with sqlite.write() as conn:
        put(conn, "a")
    sqlite.close()
    assert sqlite.file is not None
    content = bytearray(sqlite.file.read_bytes())
    length = min(length, len(content) - start)
    content[start : start + length] = b"\x5a" * length
    sqlite.file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught, sqlite.read() as conn:
        conn.execute(sa.select(meta)).all()
    assert "backup" in str(caught.value.hint)


def test_file_is_the_owners_alone(tmp_path: Path) -> None:
    """Database, log and folder are private whatever the umask, also where they were not before."""
    path = tmp_path / "home" / "watchbook.db"
    before = os.umask(0)
    try:
        database = Database(f"sqlite:///{path}")
        migrate(database)
        with database.write() as conn:
            put(conn, "a")
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {f"watchbook.db{tail}": 0o600 for tail in ("", "-wal", "-shm")}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    database.close()
    path.chmod(0o644)
    Database(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_database_that_cannot_be(tmp_path: Path) -> None:
    """A folder where the file should be, and a server that is not there, are told in our words."""
    (tmp_path / "watchbook.db").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        Database(f"sqlite:///{tmp_path / 'watchbook.db'}")
    away = Database("postgresql+psycopg://nobody:a-password@127.0.0.1:1/nowhere")
    with pytest.raises(StoreUnavailable, match="does not answer") as caught, away.read():
        pass
    assert "a-password" not in f"{caught.value!r} {caught.value.hint} {away!r}"
    away.close()


def test_more_users_than_connections(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all connections are out, that is told as something that passes."""
    monkeypatch.setattr(sqlite.engine.pool, "_timeout", 0)
    with ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(sqlite.read())
        with pytest.raises(StoreUnavailable, match="in use"), sqlite.read():
            pass


def test_outside_of_transactions(database: Database) -> None:
    """Statements that no transaction may hold can be run."""
    with database.outside_transaction() as conn:
        conn.execute(sa.text("VACUUM"))

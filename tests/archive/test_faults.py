"""Killed, out of room or with a failing disk: an archive is whole or not there."""

from __future__ import annotations

import builtins
import errno
import io
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from watchbook.archive.backup import list_archives
from watchbook.archive.instance import save_instance
from watchbook.archive.verify import verify_archive
from watchbook.errors import StoreError, WatchbookError
from watchbook.files import write_private
from watchbook.seal import KEY_FILE, Sealer
from watchbook.settings import load
from watchbook.store.database import Database
from watchbook.store.opening import Store, migrate, open_store
from watchbook.store.schema import grants

from .conftest import SECRETS, Book, fill, latest_good

KEY = "a key that only tests use, long enough"
CHILD = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from archive.conftest import Book
from watchbook.archive.instance import save_instance
from watchbook.files import write_private
from watchbook.seal import KEY_FILE, Sealer
from watchbook.settings import load
from watchbook.store import accounts
from watchbook.store.database import Database
from watchbook.store.opening import Store
database = Database({url!r})
store = Store(database, Sealer([{key!r}]), Path({home!r}))
with database.read() as conn:
    account = accounts.choose(conn, None)
folder = Path({home!r}) / "backups"
try:
    {statement}
finally:
    store.close()
"""
WRITE = "Book(store, account, folder).write(force=True)"
INSTANCE = "save_instance(store, folder)"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Book]:
    """Sandra's book on SQLite."""
    home = tmp_path / "home"
    database = Database(f"sqlite:///{home / 'watchbook.db'}")
    migrate(database)
    yield fill(Store(database, Sealer([KEY]), home), home / "backups")
    database.close()


def in_child(
    book: Book, statement: str, *, die_at: str = "", room: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``statement`` in a process that is killed at a step or may not write large files."""

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    code = CHILD.format(
        tests=str(Path(__file__).parent.parent),
        url=str(book.store.database.url),
        key=KEY,
        home=str(book.store.home),
        statement=statement,
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"_WATCHBOOK_DIE_AT": die_at},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_only_whole(folder: Path) -> None:
    """Every file under a final name is whole."""
    for path in folder.glob("*.tar.gz"):
        if not path.name.startswith("."):
            verify_archive(path)


@pytest.mark.daily(3)
@pytest.mark.parametrize(
    "die_at",
    [
        "backup.data",
        "backup.data@9",
        "file.written",
        "file.renamed",
        "backup.tar",
        "file.written@2",
        "backup.digest",
        "backup.recorded",
    ],
)
def test_killed_backup(here: Book, die_at: str) -> None:
    """Killed at any step, a backup leaves whole archives only; the next run clears up."""
    good = here.write()
    assert in_child(here, WRITE, die_at=die_at).returncode == -signal.SIGKILL
    assert_only_whole(here.folder)
    found = latest_good(here.store, here.account)
    assert found is not None
    again = here.write()
    assert again.unchanged
    assert again.strange == []
    known, _ = list_archives(here.store, here.account)
    names = {path.name for path in here.folder.iterdir()}
    assert names == {n for one in known for n in (one.name, f"{one.name}.sha256")}
    assert good.archive.name in names


@pytest.mark.daily(2)
@pytest.mark.parametrize("die_at", ["copy.written", "instance.copied", "backup.data", "backup.tar"])
def test_killed_copy_of_the_installation(here: Book, die_at: str) -> None:
    """Killed at any step, a copy of the installation is whole or absent, and nothing stays."""
    assert in_child(here, INSTANCE, die_at=die_at).returncode == -signal.SIGKILL
    assert_only_whole(here.folder)
    assert not list(here.folder.rglob("*.db"))
    path, _ = save_instance(here.store, here.folder)
    verify_archive(path)
    left = [*here.folder.iterdir(), *here.store.home.iterdir()]
    assert [p.name for p in left if p.name.startswith(".")] == []


@pytest.mark.daily(2)
@pytest.mark.parametrize("statement", [WRITE, INSTANCE])
@pytest.mark.parametrize("room", [0, 6_000])
def test_disk_full(here: Book, statement: str, room: int) -> None:
    """Without room a backup fails in our own words and leaves nothing; with room it works."""
    before = here.write().path.read_bytes()
    ended = in_child(here, f"open('/dev/null'); {statement}", room=room)
    assert ended.returncode == 1
    assert "StoreFull" in ended.stderr or "StoreError" in ended.stderr or "disk" in ended.stderr
    assert_only_whole(here.folder)
    assert latest_good(here.store, here.account) is not None
    assert in_child(here, statement).returncode == 0
    assert_only_whole(here.folder)
    assert not list(here.folder.glob(".*"))
    assert before


CALLS = (
    (os, "fsync"),
    (os, "open"),
    (os, "pread"),
    (os, "unlink"),
    (os, "link"),
    (os, "chmod"),
    (os, "mkdir"),
    (tempfile, "mkstemp"),
    (io, "open"),
    (Path, "replace"),
    (Path, "unlink"),
    (Path, "iterdir"),
    (Path, "exists"),
)


@contextmanager
def failing_call(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Let the ``number``-th file call of ours fail with an I/O error; tells whether one did."""
    left = number

    def wrap(call: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError(errno.EIO, "Input/output error")
            return call(*args, **kwargs)

        return wrapped

    with monkeypatch.context() as patch:
        for owner, name in CALLS:
            patch.setattr(owner, name, wrap(getattr(owner, name)))
        patch.setattr(builtins, "open", wrap(builtins.open))
        yield lambda: left <= 0


@pytest.mark.parametrize("what", ["backup", pytest.param("instance", marks=pytest.mark.long)])
def test_nth_file_call_fails(here: Book, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Whichever file call fails, the error is ours and what stands under a final name is whole."""
    here.write()
    failed = 0
    for number in range(1, 500):
        with failing_call(number, monkeypatch) as did_fail:
            try:
                if what == "backup":
                    here.write(force=True)
                else:
                    save_instance(here.store, here.folder)
            except WatchbookError as reason:
                assert isinstance(reason, StoreError), reason  # noqa: PT017 - inside the loop
                failed += 1
            reached = did_fail()
        assert_only_whole(here.folder)
        if not reached:
            break
    else:
        pytest.fail("no clean run")
    assert failed > 5
    here.write()
    save_instance(here.store, here.folder)
    assert not list(here.folder.glob(".*"))
    assert latest_good(here.store, here.account) is not None


LOAD = """
import sys
from pathlib import Path
from watchbook.archive.instance import load_instance
from watchbook.settings import load
from watchbook.store.opening import open_store
store = open_store(load({{"WATCHBOOK_HOME": {home!r}}}, Path({home!r})))
load_instance(Path({path!r}), store)
"""


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    "die_at", ["instance.key", "copy.table", "copy.table@7", "instance.loaded"]
)
def test_killed_loading(here: Book, tmp_path: Path, die_at: str) -> None:
    """Killed at any step, loading left nothing or all, and the key that belongs to it."""
    write_private(here.store.home / KEY_FILE, KEY.encode())
    path, _ = save_instance(here.store, here.folder)
    home = tmp_path / "second"
    home.mkdir()
    code = LOAD.format(home=str(home), path=str(path))

    def load_in_child(die: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"_WATCHBOOK_DIE_AT": die},
            capture_output=True,
            text=True,
            check=False,
        )

    assert load_in_child(die_at).returncode == -signal.SIGKILL
    again = load_in_child("")
    if die_at == "instance.loaded":
        assert "empty one only" in again.stderr
    else:
        assert again.returncode == 0, again.stderr
    store = open_store(load({"WATCHBOOK_HOME": str(home)}, home))
    with store.database.read() as conn:
        sealed = conn.scalar(sa.select(grants.c.access_sealed))
    assert store.sealer.open(str(sealed), "grant:1:access") == SECRETS[0]
    store.close()

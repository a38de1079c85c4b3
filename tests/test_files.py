from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from watchbook.errors import StoreError, StoreFull
from watchbook.files import durable_file, make_private_folder, write_private

OLD, NEW = b"what was there", b"what comes"


@pytest.fixture
def no_umask() -> Iterator[None]:
    """A process that gives everybody everything."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that is there already."""
    path = tmp_path / "data.json"
    path.write_bytes(OLD)
    return path


def mode(path: Path) -> int:
    """The permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_new_content_takes_the_place_of_the_old(target: Path) -> None:
    """A file is written whole under its name, and nothing else stays in the folder."""
    write_private(target, NEW)
    assert target.read_bytes() == NEW
    assert list(target.parent.iterdir()) == [target]


def test_file_that_may_stay(target: Path) -> None:
    """Without ``replace`` a file that is there stays as it is, and a missing one is made."""
    write_private(target, NEW, replace=False)
    assert target.read_bytes() == OLD
    other = target.with_name("other")
    write_private(other, NEW, replace=False)
    assert other.read_bytes() == NEW
    assert sorted(target.parent.iterdir()) == [target, other]


@pytest.mark.parametrize("replace", [True, False])
def test_only_the_owner_may_read(no_umask: None, tmp_path: Path, replace: bool) -> None:
    """A file has mode 0600 whatever the umask, also before it is whole."""
    with durable_file(tmp_path / "new", replace=replace) as file:
        file.write(NEW)
        (part,) = tmp_path.iterdir()
        assert mode(part) == 0o600
    assert mode(tmp_path / "new") == 0o600


def test_folders_of_the_owner(no_umask: None, tmp_path: Path) -> None:
    """Folders that are made have mode 0700, every one of them; those that were there stay."""
    make_private_folder(tmp_path / "a" / "b" / "c")
    make_private_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / part) for part in ("a", "a/b", "a/b/c")] == [0o700] * 3
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o755)
    make_private_folder(open_one)
    assert mode(open_one) == 0o755


@pytest.mark.parametrize("below", ["", "deeper"])
def test_folder_where_a_file_is(target: Path, below: str) -> None:
    """A file in the way of a folder is an error of our tree."""
    with pytest.raises(StoreError, match="cannot be used"):
        make_private_folder(target / below)


def test_block_that_fails_leaves_nothing(target: Path) -> None:
    """When the block raises, the old file is whole and no part stays; the error goes on."""
    with pytest.raises(TypeError), durable_file(target) as file:
        file.writelines([NEW, "a text"])  # type: ignore[list-item]
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


CALLS: list[tuple[object, str]] = [
    (tempfile, "mkstemp"),
    (os, "fsync"),
    (Path, "replace"),
    (os, "open"),
    (os, "link"),
]
REASONS = {errno.ENOSPC: StoreFull, errno.EDQUOT: StoreFull, errno.EIO: StoreError}


def open_files() -> set[str]:
    """The numbers of all open files of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


class FailingCall:
    """Fails at its n-th call, and otherwise does what it stands for."""

    def __init__(self, real: Callable[..., object], nth: int, reason: int) -> None:
        self.real, self.nth, self.reason, self.calls = real, nth, reason, 0

    def __get__(self, instance: object, owner: type) -> Callable[..., object]:
        return lambda *args, **kwargs: self(instance, *args, **kwargs)

    def __call__(self, *args: object, **kwargs: object) -> object:
        self.calls += 1
        if self.calls == self.nth:
            raise OSError(self.reason, os.strerror(self.reason))
        return self.real(*args, **kwargs)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: str(call[1]))
def test_each_call_fails_once(
    monkeypatch: pytest.MonkeyPatch, target: Path, call: tuple[object, str], reason: int
) -> None:
    """Whichever call fails, what is under the name is the old or the new, whole, and no part."""
    holder, name = call
    before = open_files()
    for nth in range(1, 5):
        failing = FailingCall(getattr(holder, name), nth, reason)
        with monkeypatch.context() as patch:
            patch.setattr(holder, name, failing)
            with suppress(REASONS[reason]):
                write_private(target, NEW, replace=name != "link")
        assert target.read_bytes() in {OLD, NEW}
        assert list(target.parent.iterdir()) == [target]
        target.write_bytes(OLD)
        if failing.calls < nth:
            break
    assert open_files() <= before


FULL = """
import resource, sys
from pathlib import Path
from watchbook.errors import StoreFull
from watchbook.files import write_private
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    write_private(Path(sys.argv[1]), b"x" * 5000)
except StoreFull as reason:
    print(reason.hint)
"""


def test_error_names_the_file(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """The error of a failing call says which file it was about, and keeps the reason."""
    monkeypatch.setattr(os, "fsync", FailingCall(os.fsync, 1, errno.EIO))
    with pytest.raises(StoreError, match=str(target)) as caught:
        write_private(target, NEW)
    assert "Input/output error" in caught.value.message


def test_no_room(target: Path) -> None:
    """When nothing more can be written, the old file stays and the person is told to make room."""
    child = subprocess.run(
        [sys.executable, "-c", FULL, str(target)], capture_output=True, text=True, check=True
    )
    assert child.stdout.startswith("Free some space")
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(("step", "content"), [("file.written", OLD), ("file.renamed", NEW)])
def test_killed_while_writing(target: Path, step: str, content: bytes) -> None:
    """A process killed at a step leaves the old file or the new one, whole."""
    code = "import sys, pathlib, watchbook.files as f; f.write_private(pathlib.Path(sys.argv[1]), "
    child = subprocess.run(
        [sys.executable, "-c", f"{code}{NEW!r})", str(target)],
        env={**os.environ, "_WATCHBOOK_DIE_AT": step},
        check=False,
    )
    assert child.returncode == -9
    assert target.read_bytes() == content


def test_folder_that_is_missing(tmp_path: Path) -> None:
    """Writing into a folder that is not there is an error of our tree with a hint."""
    with pytest.raises(StoreError) as caught:
        write_private(tmp_path / "no" / "file", NEW)
    assert "folder" in str(caught.value.hint)


def test_order_of_a_durable_write(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """The file is synced before it gets its name, and the folder afterwards."""
    order: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(handle: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real_sync(handle)

    def replace(path: Path, other: Path) -> Path:
        order.append("rename")
        return real_replace(path, other)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    write_private(target, NEW)
    assert order == ["file", "rename", "folder"]

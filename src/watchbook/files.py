"""Files of our own: private, whole or not there at all.

The recipe of durable writing: a temporary name in the same folder, fsync of the file, rename,
fsync of the folder. A reader sees the old file or the new one, also after a power cut.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from watchbook.errors import StoreError, StoreFull
from watchbook.steps import step

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about ``path`` into errors of our tree."""
    try:
        yield
    except OSError as reason:
        if reason.errno in _NO_ROOM:
            raise StoreFull(
                f"There is no room left to write {path}.",
                hint="Free some space and run the same command again; nothing was lost.",
            ) from reason
        raise StoreError(
            f"{path} cannot be used: {reason.strerror or reason}.",
            hint="Check who owns the folder and whether it may be written to.",
        ) from reason


def make_private_folder(path: Path) -> None:
    """Make ``path`` (and those of its parents that are missing) with mode 0700."""
    with file_errors(path):
        missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True, mode=0o700)
            folder.chmod(0o700)


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write ``content`` durably to ``path`` with mode 0600.

    With ``replace=False`` a file that is there already stays as it is.
    """
    with durable_file(path, replace=replace) as file:
        file.write(content)


@contextmanager
def durable_file(path: Path, *, replace: bool = True, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file that appears under ``path`` whole and durable when the block ends well.

    When the block raises, nothing of it stays. Only files that are meant for others have another
    ``mode``. Raises StoreFull and StoreError.
    """
    with file_errors(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            step("file.written")
            _put(Path(name), path, replace=replace)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()
        step("file.renamed")
        sync_folder(path.parent)


def _put(temporary: Path, path: Path, *, replace: bool) -> None:
    if replace:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Places where copies of archives go: what each can do, and the folder.

A copy counts only when it was read back from the place and is, byte by byte, what was sent.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from watchbook.archive.encryption import Digested, digested
from watchbook.archive.spool import Window
from watchbook.clock import now
from watchbook.errors import ArchiveDamaged, SettingsError, StoreUnavailable
from watchbook.files import durable_file, file_errors, write_private
from watchbook.steps import step

WELCOME = ".watchbook"
"""A file of this name says that a folder is meant for copies though none is in it."""

_TRIAL = ".watchbook-trial"
_PIECE = 1 << 18
_HALF = re.compile(r"\.(backup|instance)-.+\.tar\.gz(\.age)?(\.sha256)?\.[^.]+\.part")
_DEAD_AFTER = timedelta(days=1)


class Place(Protocol):
    """Somewhere else. Everything may raise WatchbookError, which names the place."""

    name: str

    def check(self, made: Collection[str]) -> None:
        """Raise StoreUnavailable unless this is where the copies called ``made`` were put."""

    def put(self, path: Path, expected: Digested) -> None:
        """Copy the file ``path``; raises ArchiveDamaged when it reads back otherwise."""

    def put_small(self, name: str, content: bytes) -> None:
        """Write a few bytes."""

    def names(self) -> set[str]:
        """Every file that lies there."""

    def delete(self, name: str) -> None:
        """Delete one file; it may be gone already."""

    def try_out(self) -> None:
        """Write and delete a small file."""


class Folder:
    """A folder: another disk, or what another machine offers.

    It is never made. A folder that is not there is most likely a disk that is not mounted, and
    what is written below an empty mount point is hidden, or fills the wrong disk.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def check(self, made: Collection[str]) -> None:
        """Raise StoreUnavailable when the folder is not there, or is another one than it was."""
        if not self._path.is_dir():
            raise StoreUnavailable(
                f"There is no folder {self.name}.",
                hint="Mount the disk that it lies on, or make the folder.",
            )
        if made and not {*made, WELCOME} & self.names():
            raise StoreUnavailable(
                f"None of the copies that were put into {self.name} is there: another disk?",
                hint=f"Mount the right one. If it is meant to be new: touch {self._path / WELCOME}",
            )

    def put(self, path: Path, expected: Digested) -> None:
        """Copy ``path`` under a temporary name, read it back, and give it its name.

        Raises SettingsError for the folder of the originals: old copies are deleted.
        """
        with file_errors(self._path):
            if self._path.samefile(path.parent):
                raise SettingsError(
                    f"{self.name} is where the archives themselves lie.",
                    hint="Name a folder on another disk in WATCHBOOK_COPY_TO.",
                )
        self._tidy(path.name)
        target = self._path / path.name
        with file_errors(path), path.open("rb") as source, durable_file(target) as file:
            while piece := source.read(_PIECE):
                file.write(piece)
            file.flush()
            _out_of_memory(file)
            step("copy.sent")
            if digested(io.BufferedReader(Window(file))) != expected:
                raise damaged(self.name, path.name)

    def put_small(self, name: str, content: bytes) -> None:
        """Write a few bytes durably."""
        self._tidy(name)
        write_private(self._path / name, content)

    def names(self) -> set[str]:
        """Every file in the folder."""
        with file_errors(self._path):
            return {entry.name for entry in self._path.iterdir()}

    def delete(self, name: str) -> None:
        """Delete one file."""
        path = self._path / name
        with file_errors(path):
            path.unlink(missing_ok=True)

    def try_out(self) -> None:
        """Write and delete a small file."""
        self.put_small(_TRIAL, b"")
        self.delete(_TRIAL)

    def _tidy(self, name: str) -> None:
        """Delete what killed copyings have left: of ``name`` now, of others when nobody writes it.

        Others may share the folder: what grew within a day may still be somebody's.
        """
        dead = (now() - _DEAD_AFTER).timestamp()
        with file_errors(self._path):
            for left in self._path.glob(".*.part"):
                mine = left.name.startswith(f".{name}.")
                if mine or (_HALF.fullmatch(left.name) and left.lstat().st_mtime < dead):
                    left.unlink(missing_ok=True)


def _out_of_memory(file: BinaryIO) -> None:
    """Have the next reading come from the disk, as far as the system can be asked for that."""
    os.fsync(file.fileno())
    with suppress(AttributeError, OSError):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def damaged(place: str, name: str) -> ArchiveDamaged:
    """A copy reads back as something else than was sent."""
    return ArchiveDamaged(
        f"The copy of {name} at {place} is not what was sent.",
        hint="It is sent again. If that repeats, distrust the disk or the service.",
    )

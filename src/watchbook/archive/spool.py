"""The members of an archive, set aside while it is verified and read in any order afterwards."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from watchbook.files import file_errors


class Window(io.RawIOBase):
    """The bytes of an open file from ``start`` on, as they lie on the disk.

    ``size`` is how many; all of them if it is None. The file's own position stays where it is.
    """

    def __init__(self, file: BinaryIO, start: int = 0, size: int | None = None) -> None:
        self._handle = file.fileno()
        self._at = start
        self._end = None if size is None else start + size

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # io passes these
        """Read up to as many bytes as ``buffer`` takes."""
        room = len(buffer)
        if self._end is not None:
            room = min(room, self._end - self._at)
        data = os.pread(self._handle, room, self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class Copying:
    """Reads through to ``stream`` and writes what passes into ``file``."""

    def __init__(self, stream: BinaryIO, file: BinaryIO) -> None:
        self._stream = stream
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes."""
        data = self._stream.read(size)
        self._file.write(data)
        return data


class Spool:
    """Members in one file without a name in ``folder``: it is gone however the process ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        with file_errors(self._folder):
            self._file = cast("BinaryIO", tempfile.TemporaryFile(dir=self._folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        reason: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __contains__(self, path: object) -> bool:
        return path in self._places

    def keeping(self, members: Iterable[tuple[str, BinaryIO]]) -> Iterator[tuple[str, BinaryIO]]:
        """Give on the ``members``, of which what is read is kept."""
        for path, stream in members:
            start = self._file.tell()
            yield path, cast("BinaryIO", Copying(stream, self._file))
            self._file.flush()
            self._places[path] = (start, self._file.tell() - start)

    def open(self, path: str) -> BinaryIO:
        """The member ``path`` from its start; raises KeyError when there is none."""
        return io.BufferedReader(Window(self._file, *self._places[path]))

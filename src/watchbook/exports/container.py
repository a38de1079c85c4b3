"""The files of an export, in a ZIP or in a folder, without believing a byte of them.

Nothing is unpacked onto the disk. Names, sizes and counts are judged before the first byte is
read; only plain files directly inside (or in one folder) count, and what a packing program
adds of its own (``__MACOSX``, ``.DS_Store``) is passed over.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from watchbook.clock import counted
from watchbook.errors import ArchiveDamaged, ArchiveUnsafe, InputError
from watchbook.files import file_errors

_NAME = re.compile(r"[^\x00-\x1f\x7f/\\:]{1,200}")
_CLUTTER = re.compile(r"(__MACOSX/.*|(.*/)?\.DS_Store|(.*/)?Thumbs\.db|[^/\\]+/)")
_BAD = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    ValueError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
)
"""What :mod:`zipfile` raises for bytes that are no sound ZIP, as its own fuzzers found."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_END = b"PK\x05\x06"
_END_RECORD = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 0xFFFF


@dataclass(frozen=True)
class Limits:
    """How much an export may hold; ``ratio`` is bytes unpacked per byte packed."""

    entries: int = 50_000
    member_bytes: int = 2 << 30
    total_bytes: int = 8 << 30
    directory_bytes: int = 16 << 20
    ratio: int = 200
    ratio_from: int = 64 << 20


class Reading(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes."""


class Files:
    """The files of an export by name, to be read one after the other."""

    def __init__(
        self, label: str, sizes: Mapping[str, int], open_one: Callable[[str], IO[bytes]]
    ) -> None:
        self.label = label
        self.sizes = sizes
        self._open = open_one

    @contextmanager
    def open(self, name: str) -> Iterator[Reading]:
        """Read one file; raises ArchiveDamaged when its bytes are not what was packed."""
        with self._damage(name):
            stream = self._open(name)
        with stream:
            yield _Guarded(stream, lambda: self._damage(name))

    @contextmanager
    def _damage(self, name: str) -> Iterator[None]:
        try:
            yield
        except _BAD as reason:
            raise ArchiveDamaged(
                f"{name} in {self.label} cannot be read: {str(reason) or type(reason).__name__}.",
                hint="Download the export again.",
            ) from None


class _Guarded:
    """A stream whose damage is told in our words, also to whoever reads it piece by piece."""

    def __init__(
        self, stream: IO[bytes], guard: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, size: int = -1, /) -> bytes:
        with self._guard():
            return self._stream.read(size)


@contextmanager
def opened(path: Path, limits: Limits | None = None) -> Iterator[Files]:
    """The files of the ZIP or folder at ``path``.

    Raises InputError (there is nothing, or no ZIP), ArchiveDamaged (cut or broken) and
    ArchiveUnsafe (entries that no honest export has).
    """
    limits = limits or Limits()
    if path.is_dir():
        with file_errors(path):
            yield _folder(path, limits)
        return
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Name the ZIP that Trakt made for you.")
    with file_errors(path), path.open("rb") as file:
        _check_end(path, file, limits)
        try:
            packed = zipfile.ZipFile(file)
        except _BAD as reason:
            raise _cut(path.name, str(reason)) from None
        with packed:
            yield _zipped(path, packed, limits)


def _cut(label: str, why: str) -> ArchiveDamaged:
    return ArchiveDamaged(
        f"{label} is cut off or no ZIP ({why}).", hint="Download the export again."
    )


def _check_end(path: Path, file: IO[bytes], limits: Limits) -> None:
    """Judge the size of the ZIP's directory before all of it is taken into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LONGEST_COMMENT - _END_RECORD.size))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_RECORD.size:
        raise _cut(path.name, "its end is missing")
    _, _, _, _, entries, directory, _, _ = _END_RECORD.unpack_from(tail, at)
    if entries > limits.entries or directory > limits.directory_bytes:
        raise ArchiveUnsafe(f"{path.name} claims {counted(entries, 'entry', 'entries')}.")
    file.seek(0)


def _zipped(path: Path, packed: zipfile.ZipFile, limits: Limits) -> Files:
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in packed.infolist():
        if _CLUTTER.fullmatch(entry.filename):
            continue
        _check_entry(path.name, entry, limits)
        name = _plain_name(path.name, entry.filename)
        if name in found:
            raise ArchiveUnsafe(f"{name} is in {path.name} twice.")
        found[name] = entry
    _check_sizes(path, [e.file_size for e in found.values()], limits)
    sizes = {name: entry.file_size for name, entry in found.items()}
    return Files(path.name, sizes, lambda name: packed.open(found[name]))


def _check_entry(label: str, entry: zipfile.ZipInfo, limits: Limits) -> None:
    name = ascii(entry.orig_filename)
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveUnsafe(
            f"{name} in {label} is encrypted.", hint="Unpack it and import the folder."
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG} or entry.filename.endswith("/"):
        raise ArchiveUnsafe(f"{name} in {label} is no plain file.")
    if entry.compress_type not in _METHODS:
        raise ArchiveUnsafe(f"{name} in {label} is packed in an unknown way.")
    if "\0" in entry.orig_filename:
        raise ArchiveUnsafe(f"{name} in {label} is no name that an export has.")
    if entry.file_size > limits.member_bytes:
        raise ArchiveUnsafe(f"{name} in {label} claims {counted(entry.file_size, 'byte')}.")


def _plain_name(label: str, name: str) -> str:
    """The file's name without the one folder it may lie in; raises ArchiveUnsafe."""
    parts = name.split("/")
    for part in parts:
        if part in {".", ".."} or not _NAME.fullmatch(part) or len(parts) > 2:
            raise ArchiveUnsafe(f"{name!a} in {label} is no name that an export has.")
    return parts[-1]


def _check_sizes(path: Path, sizes: list[int], limits: Limits) -> None:
    total = sum(sizes)
    allowed = max(limits.ratio_from, limits.ratio * path.stat().st_size)
    if len(sizes) > limits.entries or total > min(allowed, limits.total_bytes):
        raise ArchiveUnsafe(
            f"{path.name} unpacks to {counted(total, 'byte')} in {counted(len(sizes), 'file')}."
        )


def _folder(path: Path, limits: Limits) -> Files:
    found: dict[str, int] = {}
    for entry in path.iterdir():
        if entry.is_dir() or _CLUTTER.fullmatch(entry.name):
            continue
        if entry.is_symlink() or not entry.is_file():
            raise ArchiveUnsafe(f"{entry.name!a} in {path.name} is no plain file.")
        found[entry.name] = entry.stat().st_size
    if len(found) > limits.entries or max(found.values(), default=0) > limits.member_bytes:
        raise ArchiveUnsafe(f"{path.name} holds more than an export does.")
    return Files(path.name, found, lambda name: (path / name).open("rb"))

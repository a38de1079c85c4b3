"""Packing members into a .tar.gz: private, durable, and read again before it gets its name.

An archive appears under its name only when every byte of it was read back from the disk and
verified. The .sha256 follows; a process killed between the two leaves a whole archive, which the
next run finds. What is to be encrypted is verified first, in a file without a name: it is gone
with the process.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from watchbook.archive.encryption import SUFFIX, digested, encrypt
from watchbook.archive.manifest import FileEntry, Kind
from watchbook.archive.read import BLOCK
from watchbook.archive.spool import Window
from watchbook.archive.verify import Verification, beside_line, beside_of, verify_stream
from watchbook.errors import ArchiveDamaged, StoreError
from watchbook.files import durable_file, write_private
from watchbook.steps import step

LEVEL = 6
"""Measured on history: a quarter smaller than level 1 for 10 s per gigabyte more."""

_PIECE = 1 << 18


@dataclass(frozen=True)
class Member:
    """One file of an archive: its entry in the manifest, and its bytes, as often as asked for."""

    entry: FileEntry
    content: Callable[[], Iterable[bytes]]


def measured(
    path: str,
    kind: Kind,
    content: Iterable[bytes],
    again: Callable[[], Iterable[bytes]],
    *,
    data_set: str | None = None,
    rows: Callable[[], int] | None = None,
) -> Member:
    """Read ``content`` through for its size and digest; ``rows`` is asked afterwards."""
    digest, size = hashlib.sha256(), 0
    for chunk in content:
        digest.update(chunk)
        size += len(chunk)
    count = rows() if rows else None
    return Member(FileEntry(path, kind, size, digest.hexdigest(), count, data_set), again)


def in_memory(path: str, kind: Kind, content: bytes, rows: int | None = None) -> Member:
    """A small file that is there already."""
    return measured(
        path, kind, [content], lambda: [content], rows=None if rows is None else lambda: rows
    )


def from_file(path: str, kind: Kind, file: BinaryIO, rows: int | None = None) -> Member:
    """A file that is read from its start."""
    count = None if rows is None else lambda: rows
    return measured(path, kind, pieces(file), lambda: pieces(file), rows=count)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The content of ``file`` from its start, piece by piece."""
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def pack(
    path: Path,
    members: Sequence[Member],
    moment: datetime,
    *,
    progress: Callable[[str], None] | None = None,
    recipients: Sequence[str] = (),
    announce: Callable[[Verification], None] | None = None,
) -> Verification:
    """Write ``members`` into the new archive ``path`` and verify it.

    Everything lies in one folder named like the file; all times in it are ``moment``. With
    ``recipients`` it is encrypted, and the size and digest given are those of the encrypted
    file. ``announce`` is called when all is verified, just before the file gets its name. Raises
    StoreError, also when something has that name already, which stays as it is.
    """
    with durable_file(path, replace=False) as file:
        with tempfile.TemporaryFile(dir=path.parent) if recipients else nullcontext(file) as plain:
            with gzip.GzipFile("", "wb", LEVEL, plain, mtime=0) as packed:
                _write_tar(packed, stem_of(path.name), members, moment, progress)
            plain.flush()
            found = verify_stream(io.BufferedReader(Window(plain)), path.name)
            if recipients:
                found = _encrypted(found, plain, file, recipients)
        _refuse(path, taken=path.exists())
        if announce:
            announce(found)
        ours = os.fstat(file.fileno()).st_ino
    _refuse(path, taken=path.stat().st_ino != ours)
    step("backup.tar")
    write_private(beside_of(path), beside_line(found.sha256, path.name))
    step("backup.digest")
    return found


def _refuse(path: Path, *, taken: bool) -> None:
    """Raise StoreError when somebody else has taken the name meanwhile."""
    if taken:
        raise StoreError(
            f"{path} was made by somebody else meanwhile.",
            hint="Run the command again: it takes another name.",
        )


def stem_of(name: str) -> str:
    """``backup-sandra-20261121T201500Z``, of an archive or an encrypted one."""
    return name.removesuffix(SUFFIX).removesuffix(".tar.gz")


def _encrypted(
    found: Verification, plain: BinaryIO, file: BinaryIO, recipients: Sequence[str]
) -> Verification:
    """Encrypt into ``file`` and read it back; what is ``found`` in it stays the same."""
    plain.seek(0)
    written = encrypt(plain, file, recipients)
    file.flush()
    step("backup.encrypted")
    if digested(io.BufferedReader(Window(file))) != written:
        raise ArchiveDamaged(
            "What was read back is not what was encrypted.",
            hint="Check the disk, then run the command again.",
        )
    return replace(found, bytes=written.bytes, sha256=written.sha256)


def _write_tar(
    packed: gzip.GzipFile,
    folder: str,
    members: Sequence[Member],
    moment: datetime,
    progress: Callable[[str], None] | None,
) -> None:
    time = int(moment.timestamp())
    made: set[str] = set()
    for name in ("", *(member.entry.path for member in members)):
        parent = f"{folder}/{name}".rpartition("/")[0]
        if parent not in made:
            made.add(parent)
            packed.write(_header(parent, 0, time, folder=True))
    for member in members:
        if progress:
            progress(member.entry.path)
        packed.write(_header(f"{folder}/{member.entry.path}", member.entry.bytes, time))
        _write_content(packed, member)
        step("backup.data")
    packed.write(b"\0" * 2 * BLOCK)


def _write_content(packed: gzip.GzipFile, member: Member) -> None:
    size = 0
    for chunk in member.content():
        size += len(chunk)
        packed.write(chunk)
    if size != member.entry.bytes:
        raise ArchiveDamaged(
            f"{member.entry.path} changed while it was written.", hint="Run the command again."
        )
    packed.write(b"\0" * (-size % BLOCK))


def _header(name: str, size: int, time: int, *, folder: bool = False) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, time
    info.type, info.mode = (tarfile.DIRTYPE, 0o700) if folder else (tarfile.REGTYPE, 0o600)
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
